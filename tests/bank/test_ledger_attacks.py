"""The database keeps the book's promises against a program that does not ask the ledger.

Every attack is plain SQL by the bank's own database user, in a transaction of its own; it must be
refused at the statement or at the commit, and leave the book as it was.
"""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bank.book import holds, ledger
from bank.core.desk import Bank, Desk
from bank.core.ids import new_request_id
from bank.core.permissions import Role
from tests.bank.test_ledger_rules import booking, cash_in, move, open_at, post
from tests.support.bank import desk, staff

ENTRY = (
    "INSERT INTO entries (id, request_id, content_hash, kind, narration, branch_id, actor_id,"
    " channel, booked_at, booking_date, value_date, reverses_id, reason)"
    " VALUES ({id}, '{request}', '{hash}', 'x', 'x', 1, {actor}, 'branch',"
    " '2026-03-16 06:30:00.000000', '2026-03-16', '2026-03-16', {reverses}, {reason})"
)
LINE = (
    "INSERT INTO postings (entry_id, leg, gl_account_id, account_id, branch_id, currency,"
    " amount_minor, booking_date, value_date, line_no, balance_minor)"
    " VALUES ({entry}, {leg}, {gl}, {account}, {branch}, '{currency}', {amount},"
    " '2026-03-16', '2026-03-16', {line}, {balance})"
)
TABLES = (
    "entries", "postings", "balances", "holds", "floor_waivers", "trail", "branches", "users",
)  # fmt: skip


@pytest.fixture
def book(bank: Bank) -> Bank:
    """Two accounts with 500 and 200; entries 1 and 2 or so; one hold; one trail; one waiver."""
    cashier = desk(staff(bank, 7), Role.CASHIER)
    with booking(cashier) as tx:
        one, two = open_at(tx, 1), open_at(tx, 1)
    post(cashier, cash_in(one, 700))
    post(cashier, move(one, two, 200))
    with booking(cashier) as tx:
        holds.place(tx, one, 100, "a claim")
    importer = desk(bank, Role.SYSTEM, channel="import")
    with booking(importer) as tx:
        ledger.waive_floor(tx, [two], batch_id=1, source="old books")
        ledger.post(tx, move(two, one, 300))
        ledger.close_waivers(tx)
    return bank


def snapshot(bank: Bank) -> list[Any]:
    """Everything the book holds."""
    found: list[Any] = []
    with bank.db.read() as connection:
        for table in TABLES:
            found.append(sorted(map(repr, connection.execute(text(f"SELECT * FROM {table}")))))
    return found


def attack(bank: Bank, *statements: str) -> None:
    """Run them in one transaction and commit."""
    with bank.db.write() as connection:
        for statement in statements:
            connection.execute(text(statement))
        connection.commit()


def must_fail(bank: Bank, *statements: str) -> None:
    """Refused, whole."""
    before = snapshot(bank)
    with pytest.raises(DBAPIError):
        attack(bank, *statements)
    assert snapshot(bank) == before


def entry(number: int, **named: Any) -> str:
    """An entry past the ledger."""
    given = {
        "id": number,
        "request": new_request_id(),
        "hash": "0" * 64,
        "actor": 7,
        "reverses": "NULL",
        "reason": "NULL",
    }
    return ENTRY.format(**(given | named))


def line(entry_id: int, leg: int, amount: int, **named: Any) -> str:
    """A line on the branch's cash, unless told otherwise."""
    given = {
        "entry": entry_id,
        "leg": leg,
        "gl": 1,
        "account": "NULL",
        "branch": 1,
        "currency": "INR",
        "amount": amount,
        "line": "NULL",
        "balance": "NULL",
    }
    return LINE.format(**(given | named))


def both_ways_fail(bank: Bank, head: str, lines: Sequence[str]) -> None:
    """Neither the entry first nor its lines first gets it in."""
    must_fail(bank, head, *lines)
    must_fail(bank, *lines, head)


def next_id(bank: Bank) -> int:
    """The number the next entry would get."""
    with bank.db.read() as connection:
        return int(connection.execute(text("SELECT MAX(id) FROM entries")).scalar_one()) + 1


@pytest.mark.feature("B1", "A9.4")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET narration = 'other'",
        "UPDATE entries SET booking_date = '2025-01-01' WHERE id = 1",
        "DELETE FROM entries",
        "UPDATE postings SET amount_minor = amount_minor * 2",
        "UPDATE postings SET branch_id = 2",
        "DELETE FROM postings WHERE leg = 1",
        "UPDATE balances SET booked_minor = booked_minor + 1",
        "UPDATE balances SET lines = lines + 1",
        "UPDATE balances SET held_minor = 0",
        "UPDATE balances SET branch_id = 2",
        "UPDATE balances SET currency = 'CZK'",
        "UPDATE balances SET gl_account_id = 1",
        "DELETE FROM balances",
        "UPDATE holds SET amount_minor = 1",
        "UPDATE holds SET released_at = placed_at",
        "DELETE FROM holds",
        "UPDATE floor_waivers SET closed_at = NULL",
        "DELETE FROM floor_waivers",
        "UPDATE trail SET actor_name = 'somebody else'",
        "DELETE FROM trail",
        "DELETE FROM branches WHERE id = 3",
        "UPDATE branches SET id = id + 1000",
        "DELETE FROM users WHERE id = 1",
        "UPDATE users SET id = id + 1000",
    ],
)
def test_what_is_written_stays(book: Bank, statement: str) -> None:
    must_fail(book, statement)


@pytest.mark.parametrize(
    "table", ["entries", "postings", "balances", "holds", "trail", "branches", "users"]
)
def test_a_table_is_not_emptied(book: Bank, table: str) -> None:
    if book.db.dialect == "postgresql":
        must_fail(book, f"TRUNCATE {table} CASCADE")
    else:
        must_fail(book, f"DELETE FROM {table}")


@pytest.mark.parametrize("table", ["entries", "postings", "balances", "trail", "branches", "users"])
def test_a_row_is_not_replaced_on_sqlite(sqlite_bank: Bank, table: str) -> None:
    cashier = desk(staff(sqlite_bank), Role.CASHIER)
    with booking(cashier) as tx:
        account = open_at(tx, 1)
    post(cashier, cash_in(account, 700))
    before = snapshot(sqlite_bank)
    with sqlite_bank.db.write() as connection:
        # An outside program has neither our pragma nor our driver.
        connection.connection.cursor().execute("PRAGMA recursive_triggers = OFF")
        with pytest.raises(DBAPIError):
            connection.execute(
                text(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} LIMIT 1")
            )
        connection.connection.rollback()
    assert snapshot(sqlite_bank) == before


@pytest.mark.feature("B1")
def test_a_standing_entry_takes_no_more_lines(book: Bank) -> None:
    must_fail(book, line(1, 3, -5), line(1, 4, 5))
    must_fail(book, line(1, 9, 5))


def test_lines_without_an_entry_and_an_entry_without_lines(book: Bank) -> None:
    number = next_id(book)
    must_fail(book, line(number, 1, -5), line(number, 2, 5))
    must_fail(book, entry(number))
    both_ways_fail(book, entry(number), [line(number, 1, 5)])


def test_an_entry_that_does_not_balance(book: Bank) -> None:
    number = next_id(book)
    both_ways_fail(book, entry(number), [line(number, 1, -5), line(number, 2, 6)])
    both_ways_fail(book, entry(number), [line(number, 1, -5), line(number, 2, 5, branch=2)])
    both_ways_fail(book, entry(number), [line(number, 1, -5), line(number, 2, 5, currency="CZK")])


def test_an_account_line_that_lies(book: Bank) -> None:
    number = next_id(book)
    cash = line(number, 1, -5)
    wrong = [
        {"line": 4, "balance": 805, "gl": 8, "branch": 2},  # another branch
        {"line": 4, "balance": 805, "gl": 9},  # another control account
        {"line": 4, "balance": 805, "gl": 8, "currency": "CZK"},
        {"line": 9, "balance": 805, "gl": 8},  # a line is missing before it
        {"line": 4, "balance": 900, "gl": 8},  # another running balance
        {"line": 4, "balance": 805, "gl": 8, "account": 4711},  # no such account
    ]
    for facts in wrong:
        both_ways_fail(book, entry(number), [cash, line(number, 2, 5, **({"account": 1} | facts))])


def test_a_control_account_without_its_customer(book: Bank) -> None:
    number = next_id(book)
    both_ways_fail(book, entry(number), [line(number, 1, -5), line(number, 2, 5, gl=8)])


def test_a_debit_below_the_floor(book: Bank) -> None:
    number = next_id(book)
    taken = line(number, 1, -9_000, gl=8, account=1, line=4, balance=-8_200)
    both_ways_fail(book, entry(number), [taken, line(number, 2, 9_000)])


def test_a_hold_of_more_than_there_is(book: Bank) -> None:
    must_fail(
        book,
        "INSERT INTO holds (account_id, amount_minor, reason, placed_at, placed_by)"
        " VALUES (1, 99999, 'x', '2026-03-16 06:30:00.000000', 7)",
    )


def test_a_waiver_that_no_import_opened(book: Bank) -> None:
    must_fail(
        book,
        "INSERT INTO floor_waivers (account_id, batch_id, channel, source, granted_at, granted_by)"
        " VALUES (1, 1, 'branch', 'x', '2026-03-16 06:30:00.000000', 7)",
    )


def test_a_balance_that_starts_full(book: Bank) -> None:
    must_fail(
        book,
        "INSERT INTO balances (account_id, gl_account_id, branch_id, currency, booked_minor,"
        " held_minor, overdraft_limit_minor, lines) VALUES (99, 8, 1, 'INR', 1000, 0, 0, 0)",
    )


@pytest.mark.feature("B2")
def test_a_request_id_stands_once(book: Bank) -> None:
    with book.db.read() as connection:
        known = connection.execute(text("SELECT request_id FROM entries WHERE id = 1")).scalar_one()
    number = next_id(book)
    both_ways_fail(
        book, entry(number, request=known), [line(number, 1, -5), line(number, 2, 5, gl=2)]
    )


@pytest.mark.feature("B3")
@pytest.mark.parametrize(
    "facts",
    [
        {"reverses": 1, "reason": "NULL"},
        {"reverses": 1, "reason": "''"},
        {"reverses": 4711, "reason": "'x'"},
        {"reverses": 1, "reason": "'x'", "actor": 101},  # its poster
    ],
    ids=["no reason", "empty reason", "of nothing", "by the poster"],
)
def test_a_reversal_past_its_rules(book: Bank, facts: dict[str, Any]) -> None:
    with book.db.read() as connection:
        poster = connection.execute(text("SELECT actor_id FROM entries WHERE id = 1")).scalar_one()
    if facts.get("actor") is not None:
        facts = facts | {"actor": poster}
    number = next_id(book)
    lines = [
        line(number, 1, 700),
        line(number, 2, -700, gl=8, account=1, line=4, balance=100),
    ]
    both_ways_fail(book, entry(number, **facts), lines)


@pytest.mark.feature("B3")
def test_a_reversal_that_is_not_the_opposite(book: Bank) -> None:
    number = next_id(book)
    lines = [line(number, 1, 600), line(number, 2, -600, gl=8, account=1, line=4, balance=200)]
    both_ways_fail(book, entry(number, reverses=1, reason="'x'"), lines)


def test_what_nobody_forbids_still_works(book: Bank) -> None:
    attack(book, "UPDATE balances SET overdraft_limit_minor = 5000 WHERE account_id = 1")
    cashier: Desk = desk(book, Role.CASHIER)
    post(cashier, move(1, 2, 5_000))
    with booking(cashier) as tx:
        assert ledger.balance_of(tx, 1).booked_minor == 800 - 5_000
