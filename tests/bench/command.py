"""How much a whole verb adds to the bare driver writing the very same rows.

Ours is `cash.deposit` as a page calls it: permission, idempotency, slip, entry, mail, trail and
receipt in one transaction. The reference is sqlite3 (in the detail also psycopg) on the same
schema, indexes, triggers and durability: it reads the account, then writes the same rows from
values made beforehand, and checks nothing.
"""

import random
import sqlite3
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Final

from bank import app
from bank.accounts import accounts, products
from bank.book import posting_postgres, posting_sqlite
from bank.core import audit
from bank.core.clock import FixedClock
from bank.core.db import marks
from bank.core.desk import Bank, Desk, chunk
from bank.core.ids import new_request_id
from bank.core.permissions import Role
from bank.counters import cash, drawers, slips, vault, window
from bank.people import branches, customers, identity
from bank.people.customers import NewCustomer
from tests.bench.harness import Pair, Workshop, bench
from tests.bench.ledger import RawSqlite, asking, deposit_draft, per_item, raw_postgres
from tests.support import postgres
from tests.support.bank import NOON, settings_for

ACCOUNTS: Final = 500
CASHIERS: Final = 4
CASHIER, ADMIN = 2, 3  # after the system itself
DEPOSITS: Final = 200
DAY: Final = "2026-03-16"
NOW: Final = "2026-03-16 06:30:00.000000"
QUEUE: Final = (
    "INSERT INTO outbox (channel, recipient, subject, body, confidential, purpose, user_id, status,"
    " attempts, queued_at, not_before, expires_at)"
    " VALUES ('email', ?, ?, ?, ?, 'cash', NULL, 'waiting', 0, ?, ?, NULL)"
)
TRAIL: Final = (
    f"INSERT INTO trail ({', '.join(audit.COLUMNS)}) VALUES ({', '.join('?' * len(audit.COLUMNS))})"
)
SUBJECT: Final = "₹ 50.00 in cash paid into account •••• 0016"
BODY: Final = "Hello Customer 17,\n\n" + "what a mail about a deposit says, in as many words. " * 6
DETAILS: Final = '{"account_number":"001000000016","amount_minor":5000,"slip_number":"12345678"}'


@contextmanager
def a_bank(folder: Path, url: str = "") -> Iterator[tuple[Bank, list[str]]]:
    """A bank with one branch and customers who read mail; and the numbers of their accounts."""
    bank = app.open_bank(settings_for(folder, url), clock=FixedClock(NOON))
    with chunk(app.system_desk(bank), "bench") as tx:
        branch = branches.add_branch_row(tx, ifsc="BANK0000001", name="Fort", address="1 Road")
        savings = products.product(tx, "savings")
        ids = customers.add_customer_rows(
            tx,
            [
                NewCustomer(
                    name=f"Customer {number}",
                    date_of_birth=date(1990, 1, 1),
                    branch_id=branch.id,
                    email=f"customer{number}@example.com",
                )
                for number in range(ACCOUNTS)
            ],
        )
        numbers = [
            accounts.open_row(tx, customer_id=one, product=savings, branch_id=branch.id).number
            for one in ids
        ]
        for username, role in (("ravi", Role.CASHIER), ("arun", Role.BRANCH_ADMIN)):
            identity.add_user_row(
                tx,
                username=username,
                name=username.title(),
                email=f"{username}@example.com",
                role=role,
                branch_id=branch.id,
                password_hash="$2b$04$" + "." * 53,
            )
    drawer_id = drawers.ask_for_drawer(a_cashier(bank), {}, request_id=new_request_id())
    vault.confirm_opening(
        replace(a_cashier(bank), role=Role.BRANCH_ADMIN, user_id=ADMIN), drawer_id
    )
    yield bank, numbers
    bank.db.close()


def a_cashier(bank: Bank) -> Desk:
    """Somebody who may take cash."""
    return Desk(
        bank=bank,
        role=Role.CASHIER,
        user_id=CASHIER,
        name="Ravi Kumar",
        branch_id=1,
        session_id=1,
        from_where="127.0.0.1",
    )


def deposit_all(desk: Desk, asked: list[tuple[str, int, str, str]]) -> None:
    """Each deposit as a page books it."""
    for number, amount, slip, request_id in asked:
        cash.deposit(
            desk, number, amount, slip, "Kiran Rao", mobile="9876543210", request_id=request_id
        )


def some_deposits(numbers: list[str]) -> list[tuple[str, int, str, str]]:
    """Account number, amount, slip number, request id of each."""
    asked = []
    for _ in range(DEPOSITS):
        request_id = new_request_id()
        slip = request_id[:18].upper()
        asked.append((random.choice(numbers), random.randint(1, 9_999), slip, request_id))
    return asked


class RawCounter:
    """The plainest program that takes cash and writes the same rows, on SQLite."""

    def __init__(self, path: Path) -> None:
        self.driver: sqlite3.Connection = RawSqlite(path).driver
        self.gl_cash = self.driver.execute(
            "SELECT id FROM gl_accounts WHERE code = '1000'"
        ).fetchone()[0]

    def deposit(self, number: str, amount: int, slip: str, request_id: str) -> None:
        """One deposit, one transaction."""
        execute = self.driver.execute
        execute("BEGIN IMMEDIATE")
        account, _, _, _, email, *_ = execute(window.SERVED, (1, number)).fetchone()
        known = execute(posting_sqlite.KNOWN_SQL + "= ?", (request_id,)).fetchone()
        assert known is None
        card = execute(posting_sqlite.BALANCE_SQL + "= ?", (account,)).fetchone()
        entry_id = execute(posting_sqlite.LAST_ID_SQL).fetchone()[0] + 1
        narration = f"Cash deposit at Fort, slip {slip}, by Kiran Rao"
        self.driver.executemany(
            posting_sqlite.LINE_SQL,
            [
                (entry_id, 1, self.gl_cash, None, 1, "INR", -amount, DAY, DAY, None, None),
                (entry_id, 2, card[1], account, 1, "INR", amount, DAY, DAY, card[5] + 1,
                 card[4] + amount),
            ],
        )  # fmt: skip
        execute(
            posting_sqlite.ENTRY_SQL,
            (entry_id, request_id, "0" * 64, "cash_deposit", narration, 1, 1, "branch", NOW, DAY,
             DAY, None, None, None),
        )  # fmt: skip
        execute(
            slips._KEEP_SLIP,
            (
                entry_id,
                "cash_deposit",
                1,
                DAY,
                slip,
                0,
                account,
                "Kiran Rao",
                "9876543210",
                "",
                1,
                1,
                None,
                None,
            ),
        )
        execute(QUEUE, (email, SUBJECT, BODY, False, NOW, NOW))
        execute(
            TRAIL,
            (NOW, "counters.cash.deposit", "done", 1, "Ravi Kumar", "cashier", 1, 1, "branch",
             "127.0.0.1", "account", number, DETAILS, None, None, None, None),
        )  # fmt: skip
        execute("COMMIT")


@bench("command.deposit", limit=2.5, unit="s/deposit", rounds=9)
def deposit(shop: Workshop) -> Pair:
    """A cash deposit, the whole verb; on SQLite, and on PostgreSQL in the detail."""
    bank, numbers = shop.enter(a_bank(shop.tmp / "ours"))
    with a_bank(shop.tmp / "raw"):
        raw = RawCounter(shop.tmp / "raw" / "bank.db")
    shop.callback(raw.driver.close)
    desk = a_cashier(bank)
    shop.detail["postgres_ratio"] = round(_on_postgres(shop), 3)

    def ours() -> float:
        asked = some_deposits(numbers)
        return per_item(lambda: deposit_all(desk, asked), DEPOSITS)

    def reference() -> float:
        asked = some_deposits(numbers)
        return per_item(lambda: [raw.deposit(*one) for one in asked], DEPOSITS)

    return ours, reference


def _on_postgres(shop: Workshop) -> float:
    """The same comparison on PostgreSQL: the ratio of the medians of five rounds."""
    folder = shop.tmp / "postgres"
    folder.mkdir()
    with postgres.fresh_database() as url, a_bank(folder, url) as (bank, numbers):
        desk, driver = a_cashier(bank), raw_postgres(bank)
        taken: dict[str, list[float]] = {"ours": [], "raw": []}
        for _ in range(6):  # the first warms up
            asked = some_deposits(numbers)
            taken["ours"].append(per_item(lambda: deposit_all(desk, asked), DEPOSITS))  # noqa: B023
            work = _raw_on_postgres(desk, driver, some_deposits(numbers))
            taken["raw"].append(per_item(work, DEPOSITS))
        driver.close()
    mine, theirs = (statistics.median(taken[side][1:]) for side in ("ours", "raw"))
    shop.detail["postgres_ours"] = float(f"{mine:.3g}")
    return mine / theirs


def _raw_on_postgres(
    desk: Desk, driver: Any, asked: list[tuple[str, int, str, str]]
) -> Callable[[], None]:
    """The raw deposits: same SELECT, same SQL function, same rows, statement by statement."""
    ids = dict(driver.execute("SELECT number, id FROM accounts").fetchall())
    drafts = [deposit_draft(ids[number], amount, 1) for number, amount, _, _ in asked]
    with asking(desk) as tx:
        made = [posting_postgres.call_for_one(tx, draft)[1] for draft in drafts]
    served, keep = marks("postgresql", window.SERVED), marks("postgresql", slips._KEEP_SLIP)
    queue, trail = marks("postgresql", QUEUE), marks("postgresql", TRAIL)

    def work() -> None:
        for (number, _, slip, _), parameters in zip(asked, made, strict=True):
            driver.execute("BEGIN")
            account, _, _, _, email, *_ = driver.execute(served, (1, number)).fetchone()
            entry_id = driver.execute(posting_postgres.POST_ONE_SQL, parameters).fetchone()[0]
            driver.execute(
                keep,
                (
                    entry_id,
                    "cash_deposit",
                    1,
                    DAY,
                    slip,
                    0,
                    account,
                    "Kiran Rao",
                    "9876543210",
                    "",
                    1,
                    1,
                    None,
                    None,
                ),
            )
            driver.execute(queue, (email, SUBJECT, BODY, False, NOW, NOW))
            driver.execute(
                trail,
                (NOW, "counters.cash.deposit", "done", 1, "Ravi Kumar", "cashier", 1, 1,
                 "branch", "127.0.0.1", "account", number, DETAILS, None, None, None, None),
            )  # fmt: skip
            driver.execute("COMMIT")

    return work
