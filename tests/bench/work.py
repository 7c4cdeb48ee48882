"""One claim of a work item against the bare driver writing the same rows."""

import random
import sqlite3
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bank import app
from bank.core import audit, work
from bank.core.clock import FixedClock
from bank.core.db import marks
from bank.core.desk import Bank, Desk, Tx, chunk
from bank.core.permissions import Role
from bank.office import queue
from bank.people import branches
from tests.bench.harness import Pair, Workshop, bench
from tests.bench.ledger import RawSqlite, per_item, raw_postgres
from tests.bench.page import signed_in
from tests.support import postgres
from tests.support.bank import NOON, settings_for

AT_ONCE: Final = 5_000
CLAIMS: Final = 200
NOW: Final = "2026-03-16 06:30:00.000000"
UNTIL: Final = "2026-03-16 07:00:00.000000"
TOPICS: Final = ("card", "transfer", "statement", "cheque", "interest", "password", "passbook")
TRAIL: Final = (
    f"INSERT INTO trail ({', '.join(audit.COLUMNS)}) VALUES ({', '.join('?' * len(audit.COLUMNS))})"
)
READ: Final = "SELECT * FROM work_items WHERE id = ?"
RULE: Final = (
    "SELECT first_minutes, solve_minutes, claim_minutes FROM work_rules WHERE kind = ?"
    " AND priority = ? AND effective_from <= ? ORDER BY effective_from DESC LIMIT 1"
)
TAKE: Final = (
    "UPDATE work_items SET status = 'claimed', owner_id = ?, owner_name = ?, claimed_at = ?,"
    " claimed_until = ? WHERE id = ?"
)
TELL: Final = (
    "INSERT INTO work_events (item_id, at, act, actor_id, actor_name, owner_id, owner_name, note)"
    " VALUES (?, ?, 'claimed', 1, 'Esha Iyer', 1, 'Esha Iyer', '')"
)


@contextmanager
def a_queue(folder: Path, count: int, url: str = "") -> Iterator[tuple[Bank, str]]:
    """A bank with so many items, and the cookie of an executive who is signed in."""
    bank = app.open_bank(settings_for(folder, url), clock=FixedClock(NOON))
    with chunk(app.system_desk(bank), "bench") as tx:
        for ifsc in ("BANK0000001", "BANK0000002"):
            branches.add_branch_row(tx, ifsc=ifsc, name=f"Branch {ifsc[-1]}", address="1 Road")
        cookie = signed_in(tx, Role.EXECUTIVE, 1)
    for first in range(1, count + 1, AT_ONCE):
        with chunk(app.system_desk(bank), "bench") as tx:
            open_some(tx, range(first, min(first + AT_ONCE, count + 1)))
    yield bank, cookie
    bank.db.close()


def open_some(tx: Tx, numbers: range) -> None:
    """Tickets with a handful of words each."""
    chance = random.Random(numbers.start)
    items = [
        work.NewItem(
            kind="ticket",
            subject_id=number,
            branch_id=1,
            reference=f"T-{number}",
            title=f"A question about my {chance.choice(TOPICS)}",
            priority=chance.randint(1, 4),
            words=f"customer{number % 4_999}",
        )
        for number in numbers
    ]
    work.open_many(tx, items)


def an_executive(bank: Bank) -> Desk:
    """Somebody who answers tickets."""
    return Desk(
        bank=bank,
        role=Role.EXECUTIVE,
        user_id=1,
        name="Esha Iyer",
        branch_id=1,
        session_id=1,
        from_where="127.0.0.1",
    )


@dataclass
class Claims:
    """Items nobody has yet, a fresh few for each round."""

    left: list[int]

    def some(self) -> list[int]:
        """The next ones."""
        taken, self.left = self.left[:CLAIMS], self.left[CLAIMS:]
        assert len(taken) == CLAIMS, "more rounds than items"
        return taken


def raw_claims(driver: Any, ids: list[int], dialect: str) -> Callable[[], None]:
    """The plainest program that claims: read, look up the promise, write the same rows."""
    read, rule, take, tell, trail = (marks(dialect, sql) for sql in (READ, RULE, TAKE, TELL, TRAIL))
    if dialect != "sqlite":
        read += " FOR UPDATE"
    begin = "BEGIN IMMEDIATE" if dialect == "sqlite" else "BEGIN"

    def run() -> None:
        for item_id in ids:
            driver.execute(begin)
            row = driver.execute(read, (item_id,)).fetchone()
            assert row is not None
            driver.execute(rule, ("ticket", 3, "2026-03-16")).fetchone()
            driver.execute(take, (1, "Esha Iyer", NOW, UNTIL, item_id))
            driver.execute(tell, (item_id, NOW))
            driver.execute(
                trail,
                (NOW, "office.queue.claim", "done", 1, "Esha Iyer", "executive", 1, 1, "branch",
                 "127.0.0.1", "work item", str(item_id), '{"item_id":1}', None, None, None, None),
            )  # fmt: skip
            driver.execute("COMMIT")

    return run


@bench("work.claim", limit=2.5, unit="s/claim", rounds=9)
def claim(shop: Workshop) -> Pair:
    """One claim, the whole verb, among 5,000 items; on PostgreSQL in the detail."""
    bank, _ = shop.enter(a_queue(shop.tmp / "ours", AT_ONCE))
    with a_queue(shop.tmp / "raw", AT_ONCE):
        driver: sqlite3.Connection = RawSqlite(shop.tmp / "raw" / "bank.db").driver
    shop.callback(driver.close)
    desk = an_executive(bank)
    shop.detail["postgres_ratio"] = round(_on_postgres(shop), 3)
    free, raw_free = Claims([*range(1, AT_ONCE + 1)]), Claims([*range(1, AT_ONCE + 1)])

    def ours() -> float:
        ids = free.some()
        return per_item(lambda: [queue.claim(desk, item_id) for item_id in ids], CLAIMS)

    def reference() -> float:
        return per_item(raw_claims(driver, raw_free.some(), "sqlite"), CLAIMS)

    return ours, reference


def _on_postgres(shop: Workshop) -> float:
    """The same comparison on PostgreSQL: the ratio of the medians of five rounds."""
    folder = shop.tmp / "postgres"
    folder.mkdir()
    with postgres.fresh_database() as url, a_queue(folder, AT_ONCE, url) as (bank, _):
        desk, driver = an_executive(bank), raw_postgres(bank)
        free = Claims([*range(1, AT_ONCE + 1)])
        taken: dict[str, list[float]] = {"ours": [], "raw": []}
        for _ in range(6):  # the first warms up
            ids = free.some()
            taken["ours"].append(
                per_item(lambda: [queue.claim(desk, one) for one in ids], CLAIMS)  # noqa: B023
            )
            taken["raw"].append(per_item(raw_claims(driver, free.some(), "postgresql"), CLAIMS))
        driver.close()
    mine, theirs = (statistics.median(taken[side][1:]) for side in ("ours", "raw"))
    return mine / theirs
