"""The inbox over a hundred thousand tickets against the same page over a hundred: every view, every
filter and the search, each by itself, with what it lists compared to a look at every row.

The tickets are real ones (banking77), brought in as a branch would bring them; their customers,
words, categories and posts are behind them.
"""

import csv
import random
import statistics
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from bank import app
from bank.core.clock import FixedClock, SystemClock
from bank.core.db import instant_of
from bank.core.desk import Bank, Desk, Tx, chunk
from bank.core.permissions import Role
from bank.core.search import MOST_WORDS, folded
from bank.core.work_tables import KINDS, Priority
from bank.office import queue_lists, ticket_imports
from bank.office.queue_lists import COUNTED_UP_TO, ROWS_ON_A_PAGE, Looked, View
from bank.people import branches, customers, identity, sessions
from bank.people.customers import NewCustomer
from pages.parts.queue import VIEWS
from pages.parts.queue_search import LEVELS
from pages.parts.words import sentence
from tests.bench.harness import Rounds, Workshop, bench
from tests.bench.page import Window, a_server
from tests.support.bank import NOON, settings_for
from tests.support.queue_reference import wanted
from tests.support.server import SERVE, Server

PAGE: Final = "staff-inbox"
FEW: Final = 100
MANY: Final = 100_000
RERUNS: Final = 9
REAL: Final = (
    Path(__file__).resolve().parents[3] / "shared" / "data" / "tickets" / "banking77_500.csv"
)
CUSTOMERS: Final = 50  # at each branch
# Of a hundred items in a row: so many claimed, waiting, decided, late; some up the line, and a few
# of another kind. Ids of owners are those of the three who work here.
MIX: Final = """
    UPDATE work_items SET
        kind = CASE WHEN id % 100 = 7 THEN 'approval' ELSE 'ticket' END,
        level = CASE WHEN id % 100 IN (11, 12) THEN 1 WHEN id % 100 = 13 THEN 2 ELSE 0 END,
        status = CASE WHEN id % 100 < 75 THEN 'unassigned' WHEN id % 100 < 80 THEN 'claimed'
                      WHEN id % 100 < 85 THEN 'waiting' ELSE 'decided' END,
        owner_id = CASE WHEN id % 100 BETWEEN 75 AND 84 THEN {first} + id % 3 END,
        owner_name = CASE WHEN id % 100 BETWEEN 75 AND 84 THEN 'Somebody' END,
        claimed_until = CASE WHEN id % 100 BETWEEN 75 AND 79 THEN '2999-01-01 00:00:00.000000' END,
        next_due_at = CASE WHEN id % 100 < 20 THEN '2026-03-10 06:30:00.000000'
                           WHEN id % 100 < 80 THEN '2999-01-01 00:00:00.000000' END,
        decided_at = CASE WHEN id % 100 >= 85 THEN opened_at END
"""


@dataclass
class Town:
    """A bank with tickets, and who looks at them: cookies and desks by role."""

    bank: Bank
    cookies: dict[Role, str]
    desks: dict[Role, Desk]
    rows: list[Any]
    words: dict[int, list[str]]
    categories: Mapping[str, str]


@contextmanager
def a_town(folder: Path, count: int) -> Iterator[Town]:
    """Two branches, an executive, an admin and somebody of head office, and so many tickets."""
    bank = app.open_bank(settings_for(folder), clock=FixedClock(NOON))
    town = Town(bank, {}, {}, [], {}, {})
    with chunk(app.system_desk(bank), "bench") as tx:
        ids = [
            branches.add_branch_row(tx, ifsc=ifsc, name=f"Branch {ifsc[-1]}", address="1 Road").id
            for ifsc in ("BANK0000001", "BANK0000002")
        ]
        for role, branch_id in (
            (Role.EXECUTIVE, ids[0]), (Role.BRANCH_ADMIN, ids[0]), (Role.SUPER_ADMIN, None),
        ):  # fmt: skip
            sign_in(tx, town, role, branch_id)
        numbers = [add_customer(tx, at, ids[at % 10 == 0]) for at in range(2 * CUSTOMERS)]
    ticket_imports.import_tickets(app.system_desk(bank), a_file(folder, count), numbers)
    first = min(desk.user_id or 0 for desk in town.desks.values())
    with chunk(app.system_desk(bank), "bench") as tx:
        tx.connection.exec_driver_sql(MIX.format(first=first))
        tx.connection.exec_driver_sql("ANALYZE")
    town.rows, town.words = in_memory(bank)
    town.categories = queue_lists.categories(town.desks[Role.EXECUTIVE])
    yield town
    bank.db.close()


def sign_in(tx: Tx, town: Town, role: Role, branch_id: int | None) -> None:
    """Somebody with a session that a server accepts."""
    user = identity.add_user_row(
        tx,
        username=f"{role.value}.one",
        name=role.value.replace("_", " ").title(),
        email=f"{role.value}@example.com",
        role=role,
        branch_id=branch_id,
        password_hash="$2b$04$" + "." * 53,
    )
    session, sid = sessions.open_row(tx, user.id, "bench")
    now = SystemClock().now()  # the bank of the bench stands still in the past
    session.last_seen_at = session.opened_at = now
    session.expires_at = now.replace(year=now.year + 1)
    tx.session.flush()
    town.cookies[role] = sid.reveal()
    town.desks[role] = Desk(
        bank=tx.bank,
        role=role,
        user_id=user.id,
        name=user.name,
        branch_id=branch_id,
        session_id=session.id,
        from_where="127.0.0.1",
    )


def add_customer(tx: Tx, at: int, branch_id: int) -> str:
    """One of a hundred who write; the number."""
    new = NewCustomer(
        name=f"Person {chr(97 + at % 26)}{chr(97 + at // 26)}name",
        date_of_birth=NOON.date().replace(year=1990),
        branch_id=branch_id,
        email=None,
        pan=None,
    )
    return customers.customer_by_id(tx, customers.add_customer_row(tx, new)).number


def a_file(folder: Path, count: int) -> Path:
    """So many tickets of another system, drawn from the real ones."""
    if not REAL.is_file():
        raise RuntimeError(f"the tickets are not here: {REAL}")
    with REAL.open(encoding="utf-8", newline="") as lines:
        texts = list(csv.DictReader(lines))
    chance = random.Random(77)
    file = folder / "tickets.csv"
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, ["text", "category"])
        writer.writeheader()
        writer.writerows(chance.choice(texts) for _ in range(count))
    return file


def in_memory(bank: Bank) -> tuple[list[Any], dict[int, list[str]]]:
    """Every row, and what each is found by: read from the tickets, not from the index of words."""
    with REAL.open(encoding="utf-8", newline="") as lines:
        labels = {_bare(row["text"]): row["category"] for row in csv.DictReader(lines)}
    words: dict[int, list[str]] = {}
    with bank.db.read() as connection:
        rows = list(connection.exec_driver_sql("SELECT * FROM work_items"))
        names = dict(connection.exec_driver_sql("SELECT code, name FROM ticket_categories").all())
        for item_id, reference, title, name, number, category, body in connection.exec_driver_sql(
            "SELECT i.id, i.reference, i.title, c.name, c.number, t.category, p.body"
            " FROM work_items i JOIN tickets t ON t.id = i.subject_id"
            " JOIN customers c ON c.id = t.customer_id"
            " JOIN ticket_posts p ON p.ticket_id = t.id"
        ):
            label = labels[_bare(body)]  # the other system's own word for it
            said = f"{reference} {title} {name} {number} {names[category]} {label} {body}"
            words[item_id] = folded(said)[:MOST_WORDS]
    return rows, words


def _bare(text: str) -> str:
    return "".join(filter(str.isalnum, text))


@dataclass(frozen=True)
class Look:
    """One look at the queue: whose page, what stands in its address, and the same for the bank."""

    role: Role
    looked: Looked

    def query(self, town: Town) -> str:
        """The address: what is chosen stands in it in the words of the page."""
        looked = self.looked
        people = {desk.user_id: desk.name for desk in town.desks.values()}
        given = {
            "view": VIEWS[looked.view],
            "words": looked.words,
            "kind": KINDS[looked.kinds[0]].title if looked.kinds else "",
            "priority": _said(Priority.NAMES, looked.priority),
            "level": _said(LEVELS, looked.level),
            "category": _said(town.categories, looked.category),
            "owner": _said(people, looked.owner_id),
            "branch": _said({1: "Branch 1", 2: "Branch 2"}, looked.branch_id),
        }
        return urlencode({f"inbox_{at}": to for at, to in given.items() if to})


def _said(names: Mapping[Any, str], value: object) -> str:
    return sentence(names[value]) if value is not None else ""


def looks(town: Town) -> dict[str, Look]:
    """Each view, each filter and the search."""
    executive, admin, head = Role.EXECUTIVE, Role.BRANCH_ADMIN, Role.SUPER_ADMIN
    owner = town.desks[executive].user_id
    found = {view.value: Look(executive, Looked(view=view)) for view in View}
    found |= {f"{view.value}, whole bank": Look(head, Looked(view=view)) for view in View}
    filters: dict[str, tuple[Role, dict[str, Any]]] = {
        "priority": (executive, {"priority": 3}),
        "level": (executive, {"level": 1}),
        "category": (executive, {"category": "card"}),
        "rare category": (executive, {"category": "loan"}),
        "owner": (executive, {"owner_id": owner, "view": View.ALL_OPEN}),
        "kind": (admin, {"kinds": ("approval",)}),
        "usual kind": (admin, {"kinds": ("ticket",)}),
        "branch": (head, {"branch_id": 2}),
        "category, whole bank": (head, {"category": "card"}),
        "common word": (executive, {"words": "card"}),
        "two common words": (executive, {"words": "my card"}),
        "common and rare": (executive, {"words": "card baname"}),
        "common word, decided": (executive, {"words": "card", "view": View.DECIDED}),
        "common word, mine": (executive, {"words": "card", "view": View.MINE}),
        "common word, whole bank": (head, {"words": "transfer", "view": View.ALL_OPEN}),
        "customer": (executive, {"words": "baname"}),
        "reference": (executive, {"words": "260316 77"}),
        "no such word": (executive, {"words": "zebra"}),
    }
    return found | {name: Look(role, Looked(**given)) for name, (role, given) in filters.items()}


def rows_of(town: Town, look: Look) -> int:
    """How many rows the page must have; what the bank lists is compared to a look at every row."""
    who = town.desks[look.role]
    should = wanted(town.rows, lambda row: town.words.get(row.id, ()), who, look.looked)
    page = queue_lists.items(who, look.looked)
    if [row.id for row in page.rows] != should[:ROWS_ON_A_PAGE]:
        raise RuntimeError(f"not the rows that fit: {look}")
    if page.found != min(len(should), COUNTED_UP_TO + 1):
        raise RuntimeError(f"{page.found} are found, not {len(should)}: {look}")
    return len(page.rows)


@dataclass
class Looking:
    """One look at both queues, each in a window of its own, with the times of its rounds."""

    many: Window
    few: Window
    taken: list[tuple[float, float]]

    def round(self, *, many_first: bool) -> None:
        """A rerun of each, and once more in the other order."""
        pair = [self.many, self.few] if many_first else [self.few, self.many]
        seconds = {id(window): window.rerun() for window in pair}
        self.taken.append((seconds[id(self.many)], seconds[id(self.few)]))

    @property
    def ratio(self) -> float:
        """Median over median."""
        many, few = (statistics.median(side) for side in zip(*self.taken, strict=True))
        return many / few


@bench("page.work_queue_100k", limit=2.0, unit="s/rerun", rounds=RERUNS)
def work_queue(shop: Workshop) -> Rounds:
    """A rerun of the inbox over 100,000 tickets; the reference is the same page over a hundred.

    Every look is measured; what counts is the one that is furthest from its reference.
    """
    towns, servers = [], []
    for count in (MANY, FEW):
        folder = shop.tmp / f"of-{count}"
        town = shop.enter(a_town(folder, count))
        towns.append(town)
        servers.append(shop.enter(a_server(SERVE, f"sqlite:///{folder / 'bank.db'}", folder)))
    asked = {name: (look, looks(towns[1])[name]) for name, look in looks(towns[0]).items()}
    measured = {name: _measured(shop, towns, servers, pair) for name, pair in asked.items()}
    worst = max(measured, key=lambda name: measured[name].ratio)
    shop.detail |= {
        "items": MANY,
        "worst": worst,
        "ratios": {name: round(each.ratio, 2) for name, each in measured.items()},
        "ms": {
            name: round(statistics.median(many for many, _ in each.taken) * 1e3, 1)
            for name, each in measured.items()
        },
        "list_ms_of_row_50000": far_behind(towns[0]),
    }
    yield from measured[worst].taken


def far_behind(town: Town) -> float:
    """Milliseconds of a page that begins behind the fifty-thousandth row."""
    who, looked = town.desks[Role.EXECUTIVE], Looked(view=View.UNASSIGNED)
    should = wanted(town.rows, lambda row: town.words.get(row.id, ()), who, looked)
    behind = should[50_000 - 1 :]
    last = next(row for row in town.rows if row.id == behind[0])
    ended = (last.priority, instant_of(last.next_due_at), last.id)
    taken = []
    for _ in range(RERUNS):
        begun = time.perf_counter()
        page = queue_lists.items(who, replace(looked, after=ended))
        taken.append(time.perf_counter() - begun)
        if [row.id for row in page.rows] != behind[1 : ROWS_ON_A_PAGE + 1]:
            raise RuntimeError("not the page behind row 50,000")
    return round(statistics.median(taken) * 1e3, 1)


def _measured(
    shop: Workshop, towns: list[Town], servers: list[Server], pair: tuple[Look, Look]
) -> Looking:
    windows = []
    for town, server, look in zip(towns, servers, pair, strict=True):
        count = rows_of(town, look)
        rows = (count,) if count else ()
        windows.append(
            Window(server.url, town.cookies[look.role], PAGE, query=look.query(town), rows=rows)
        )
    looking = Looking(*windows, [])
    for window in windows:  # the first reruns warm up
        window.rerun()
    for number in range(RERUNS):
        looking.round(many_first=shop.ours_first(number))
    for window in windows:
        window.close()
    return looking
