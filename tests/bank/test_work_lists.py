"""What the views, filters and searches of a queue list, against a reference that looks at every row
by itself; and pages that follow each other without a gap, however long the list."""

import random
from datetime import timedelta
from typing import Any, Final

import pytest

from bank.core import search, work
from bank.core.desk import Desk
from bank.core.permissions import Role
from bank.core.work_tables import Channel
from bank.office import queue, queue_lists
from bank.office.queue_lists import ItemRow, Looked, View
from tests.support import queues
from tests.support.bank import desk
from tests.support.market import BANER, FORT, Market
from tests.support.queue_reference import wanted

pytestmark = pytest.mark.feature("B12", "B25", "C9")
ESHA: Final = "executive"
COUNT: Final = 240
CATEGORIES: Final = ("card", "cash", "access")
TITLES: Final = ("Lost card", "Late transfer", "Torn note", "Card and transfer", "Cards again")


def fill(market: Market, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Items of every state, level and owner, with deadlines that repeat; the bare rows."""
    monkeypatch.setattr(queue_lists, "ROWS_ON_A_PAGE", 15)
    monkeypatch.setattr(search, "FEW", 40)  # some words are rare by that, and some are not
    chance = random.Random(7)
    people = [market.desks[who].user_id for who in (ESHA, "executive_two")]
    with market.tx() as tx:
        work.open_many(
            tx,
            [
                queues.new(
                    market,
                    number,
                    branch_id=market.branch_ids[chance.choice([FORT, FORT, BANER])],
                    kind=chance.choice(["ticket", "ticket", "ticket", "approval"]),
                    title=chance.choice(TITLES),
                    priority=chance.randint(1, 4),
                    category=chance.choice([*CATEGORIES, None]),
                    channel=chance.choice(list(Channel)),
                    for_roles=chance.choice([(), (), (Role.BRANCH_ADMIN,)]),
                    words=f"customer{number % 90}",
                )
                for number in range(1, COUNT + 1)
            ],
        )
        for number in range(1, COUNT + 1):
            status = chance.choice(["unassigned", "unassigned", "claimed", "waiting", "decided"])
            due = tx.now + timedelta(hours=chance.randint(-3, 3))
            values: dict[str, Any] = {
                "status": status,
                "level": chance.choice([0, 0, 0, 0, 1, 2]),
                "next_due_at": due if status in {"unassigned", "claimed"} else None,
            }
            if status == "claimed":
                values |= {"owner_id": chance.choice(people), "owner_name": "Somebody"}
                values |= {"claimed_until": tx.now + timedelta(hours=1)}
                rests = chance.choice([None, None, -1, 1])
                values["rests_until"] = rests and tx.now + timedelta(hours=rests)
            if status == "decided":
                values |= {"decided_at": tx.now - timedelta(hours=chance.randint(0, 5))}
            work.work_rows.write(tx, number, values)
    with market.bank.db.read() as connection:
        return list(connection.exec_driver_sql("SELECT * FROM work_items"))


def walked(who: Desk, looked: Looked) -> list[ItemRow]:
    """Every row of a list, page by page."""
    rows: list[ItemRow] = []
    while True:
        page = queue_lists.items(who, looked)
        rows += page.rows
        if page.ends is None:
            return rows
        assert len(page.rows) == queue_lists.ROWS_ON_A_PAGE
        looked = Looked(**{**looked.__dict__, "after": page.ends})


def words_of(row: Any) -> list[str]:
    """What an item is found by."""
    said = f"{row.reference} {row.title} customer{row.id % 90}"
    return said.lower().replace("-", " ").split()


def test_every_look_lists_what_it_should_page_by_page(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = fill(market, monkeypatch)
    esha, admin = market.desks[ESHA], market.desks["admin"]
    head = desk(market.bank, Role.SUPER_ADMIN, branch_id=None)
    of_head = {"branch_id": market.branch_ids[BANER], "kinds": ("ticket",)}
    filters: list[dict[str, Any]] = [
        {},
        {"priority": 2},
        {"category": "card"},
        {"owner_id": esha.user_id},
        {"level": 0},
        {"level": 1},
        {"level": 2},
        {"kinds": ("approval",)},
        {"kinds": ("ticket",)},
        {"words": "card"},
        {"words": "CARD transf"},
        {"words": "customer17"},
        {"words": "customer17 card"},
        {"words": "card 12"},
        {"words": "zebra"},
        {"category": "cash", "priority": 1, "level": 1},
        {"words": "card", "category": "access", "kinds": ("ticket",)},
    ]
    sizes = set()
    for who in (esha, admin, head):
        for view in View:
            more = [of_head] if who is head else []
            for given in filters if who is esha else [*filters[::3], *more]:
                looked = Looked(view=view, **given)
                should = wanted(rows, words_of, who, looked)
                found = walked(who, looked)
                assert [row.id for row in found] == should, (who.name, looked)
                assert queue_lists.items(who, looked).found == len(should), (who.name, looked)
                sizes.add(len(should))
    assert {0, 1, 2} < sizes
    assert max(sizes) > 10 * queue_lists.ROWS_ON_A_PAGE, "the reference is not empty itself"


def test_a_count_stops_where_nobody_reads_on(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(market, monkeypatch)
    monkeypatch.setattr(queue_lists, "COUNTED_UP_TO", 30)
    page = queue_lists.items(market.desks["admin"], Looked(view=View.ALL_OPEN))
    assert page.found == 31
    rows = walked(market.desks["admin"], Looked(view=View.ALL_OPEN))
    assert len(rows) > 100, "but the pages go on"


def test_names_to_choose_from(market: Market) -> None:
    admin, esha = market.desks["admin"], market.desks[ESHA]
    assert queue_lists.categories(esha)["card"] == "Cards"
    assert queue_lists.categories(esha, ("approval",)) == {}
    names = set(queue_owner_names(market, ESHA))
    assert {"Esha Iyer", "Dev Sen", "Arun Nair"} <= names
    assert not {"Ila Bose", "Farah Khan", "Olga Pinto", "Asha Rao"} & names
    assert set(queue_owner_names(market, "admin")) == names
    head = desk(market.bank, Role.SUPER_ADMIN, branch_id=None)
    assert "Ila Bose" in queue.owners(head).values()
    assert admin.name in [each.name for each in queue.takers(admin)]


def queue_owner_names(market: Market, who: str) -> list[str]:
    """Who may own an item that somebody sees."""
    return list(queue.owners(market.desks[who]).values())
