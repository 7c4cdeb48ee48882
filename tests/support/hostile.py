"""A hostile program with the bank's own database user, at the bank's own database.

It knows how entries are written here (a draft and its entry on SQLite, one statement on
PostgreSQL), so what it books is right but for the one thing that a test gets wrong on purpose. On
SQLite it also turns off whatever a connection may turn off: keys, CHECKs, delete triggers under
REPLACE.
"""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import psycopg
import pytest

from bank.book import chart, holds, ledger
from bank.core.desk import Bank, chunk
from bank.core.ids import new_request_id
from bank.core.permissions import Role
from tests.support.bank import desk, staff

DAY: Final = "2026-03-16"
NOW: Final = "2026-03-16 06:30:00.000000"
ENTRY: Final = (
    "id", "request_id", "content_hash", "kind", "narration", "branch_id", "actor_id", "channel",
    "booked_at", "booking_date", "value_date", "reverses_id", "reason",
)  # fmt: skip
LINE: Final = (
    "entry_id", "leg", "gl_account_id", "account_id", "branch_id", "currency", "amount_minor",
    "booking_date", "value_date", "line_no", "balance_minor",
)  # fmt: skip
POSTER: Final = 100 + list(Role).index(Role.CASHIER)
Refusal = (sqlite3.Error, psycopg.Error)
Row = dict[str, Any]


def quoted(value: Any) -> str:
    """A literal, as one types it into a console."""
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, int | float) else f"'{value}'"


def values(columns: tuple[str, ...], row: Row) -> str:
    """The literals of a row."""
    return ", ".join(quoted(row[column]) for column in columns)


class Hostile:
    """A console on the bank's database."""

    def __init__(self, bank: Bank) -> None:
        self.lite = bank.db.dialect == "sqlite"
        if self.lite:
            path = str(bank.db.url.database)
            self.driver: Any = sqlite3.connect(path, isolation_level=None, timeout=30)
            for switch in (
                "foreign_keys = OFF",
                "recursive_triggers = OFF",
                "ignore_check_constraints = ON",
            ):
                self.driver.execute(f"PRAGMA {switch}")
        else:
            url = bank.db.url.set(drivername="postgresql").render_as_string(hide_password=False)
            self.driver = psycopg.connect(url, autocommit=True)

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """What a SELECT answers."""
        return [tuple(row) for row in self.driver.execute(sql).fetchall()]

    def do(self, *statements: str) -> None:
        """One transaction."""
        self.driver.execute("BEGIN")
        try:
            for statement in statements:
                self.driver.execute(statement)
            self.driver.execute("COMMIT")
        except Refusal:
            self.driver.execute("ROLLBACK")
            raise

    def copy(self, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Rows through PostgreSQL's COPY."""
        with self.driver.cursor().copy(sql) as copied:
            for row in rows:
                copied.write_row(row)

    def gl(self, code: str) -> int:
        """The id of a ledger account."""
        return int(self.ask(f"SELECT id FROM gl_accounts WHERE code = '{code}'")[0][0])

    def next_entry(self) -> int:
        """The number of an entry that is not there."""
        return int(self.ask("SELECT COALESCE(MAX(id), 0) + 1 FROM entries")[0][0])

    def entry(self, **facts: Any) -> Row:
        """The head of a good entry, but for `facts`."""
        given = dict.fromkeys(ENTRY) | {
            "id": self.next_entry(),
            "request_id": new_request_id(),
            "content_hash": "0" * 64,
            "kind": "transfer",
            "narration": "by hand",
            "branch_id": 1,
            "actor_id": 7,
            "channel": "branch",
            "booked_at": NOW,
            "booking_date": DAY,
            "value_date": DAY,
        }
        return given | facts

    def gl_line(self, amount: float, code: str = chart.CASH, **facts: Any) -> Row:
        """A good line of a ledger account, but for `facts`."""
        given = dict.fromkeys(LINE) | {
            "gl_account_id": self.gl(code),
            "branch_id": 1,
            "currency": "INR",
            "amount_minor": amount,
            "booking_date": DAY,
            "value_date": DAY,
        }
        return given | facts

    def account_line(self, account_id: int, amount: int, **facts: Any) -> Row:
        """A good line of a customer account, but for `facts`."""
        [(gl, branch, currency, booked, lines)] = self.ask(
            "SELECT gl_account_id, branch_id, currency, booked_minor, lines FROM balances"
            f" WHERE account_id = {account_id}"
        )
        given = self.gl_line(amount) | {
            "gl_account_id": gl,
            "account_id": account_id,
            "branch_id": branch,
            "currency": currency,
            "line_no": lines + 1,
            "balance_minor": booked + amount,
        }
        return given | facts

    def statements(self, entry: Row, *lines: Row) -> list[str]:
        """The SQL that books the entry."""
        rows = [
            {"leg": leg} | {k: v for k, v in line.items() if k != "leg" or v is not None}
            for leg, line in enumerate(lines, 1)
        ]
        rows = [row | {"entry_id": row["entry_id"] or entry["id"]} for row in rows]
        head = f"INSERT INTO entries ({', '.join(ENTRY)}) VALUES ({values(ENTRY, entry)})"
        if self.lite:
            drafts = [
                f"INSERT INTO draft_lines (id, {', '.join(LINE)})"
                f" VALUES ({row['entry_id'] * 65536 + row['leg']}, {values(LINE, row)})"
                for row in rows
            ]
            return [*drafts, head]
        body = ", ".join(f"({values(LINE, row)})" for row in rows)
        return [
            f"WITH head AS ({head}) INSERT INTO postings ({', '.join(LINE)}) VALUES {body}"
            if rows
            else head
        ]

    def book(self, entry: Row, *lines: Row) -> None:
        """Write it."""
        self.do(*self.statements(entry, *lines))


@contextmanager
def console_on(bank: Bank) -> Iterator[Hostile]:
    """Accounts 1 and 2 at branch 1, 3 at branch 2, 4 in crowns; entry 1 paid 700 into account 1,
    entry 2 moved 200 from 1 to 2; 100 are held on account 1."""
    staff(bank, 7, 8, 999)
    cashier = desk(bank, Role.CASHIER)
    with chunk(cashier, "tests.arrange") as tx:
        for branch, currency in ((1, "INR"), (1, "INR"), (2, "INR"), (1, "CZK")):
            ledger.open_balance(tx, gl_code=chart.SAVINGS, branch_id=branch, currency=currency)
        legs = (ledger.debit_gl(chart.CASH, 700), ledger.credit_account(1, 700))
        ledger.post(tx, ledger.Draft(new_request_id(), "cash_deposit", "cash", legs, 1))
        legs = (ledger.debit_account(1, 200), ledger.credit_account(2, 200))
        ledger.post(tx, ledger.Draft(new_request_id(), "transfer", "move", legs, 1))
        holds.place(tx, 1, 100, "a claim")
    console = Hostile(bank)
    yield console
    console.driver.close()


@pytest.fixture
def hostile(bank: Bank) -> Iterator[Hostile]:
    """A console on a small book (see console_on), on each database in turn."""
    with console_on(bank) as console:
        yield console


@pytest.fixture
def on_lite(sqlite_bank: Bank) -> Iterator[Hostile]:
    """The same on SQLite, for tricks that PostgreSQL does not know."""
    with console_on(sqlite_bank) as console:
        yield console


@pytest.fixture
def on_postgres(postgres_bank: Bank) -> Iterator[Hostile]:
    """The same on PostgreSQL, for tricks that SQLite does not know."""
    with console_on(postgres_bank) as console:
        yield console


TABLES: Final = (
    "entries", "postings", "balances", "holds", "floor_waivers", "gl_accounts", "trail", "seals",
    "seal_leaves",
)  # fmt: skip
NAMED: Final = ("branches", "users")  # what an entry names; what else they say may be improved


def book_of(console: Hostile) -> list[list[str]]:
    """Everything that the guards guard."""
    return [sorted(map(repr, console.ask(f"SELECT * FROM {table}"))) for table in (*TABLES, *NAMED)]


def answer_to(console: Hostile, statements: Sequence[str]) -> str:
    """What the database says to them; nothing when it does as it is told."""
    try:
        console.do(*statements)
    except Refusal as said:
        return str(said)
    return ""


def refused(console: Hostile, message: str, *statements: str) -> None:
    """The database says no, says why (a pattern), and nothing has moved."""
    before = book_of(console)
    said = answer_to(console, statements)
    assert said, f"not refused: {statements}"
    assert re.search(message, said), (said, statements)
    assert book_of(console) == before, statements


def is_whole(console: Hostile) -> None:
    """Balances are their lines, entries balance, held is holds."""
    assert not console.ask(
        "SELECT account_id FROM balances b WHERE booked_minor <> COALESCE((SELECT SUM(amount_minor)"
        " FROM postings p WHERE p.account_id = b.account_id), 0) OR held_minor <> COALESCE((SELECT"
        " SUM(amount_minor) FROM holds h WHERE h.account_id = b.account_id AND released_at IS NULL"
        "), 0)"
    )
    assert not console.ask(
        "SELECT entry_id FROM postings GROUP BY entry_id, branch_id, currency"
        " HAVING SUM(amount_minor) <> 0"
    )
    assert not console.ask(
        "SELECT entry_id FROM postings WHERE entry_id NOT IN (SELECT id FROM entries)"
    )
