"""What stands in the book is not moved by any trick of SQL, and the guards cannot be led astray.

Every attack is by the bank's own database user, without touching the guards themselves: who drops a
trigger is found by the seals.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, Final

import psycopg
import pytest

from bank.book import holds, ledger, seals
from bank.core.desk import Bank, chunk
from bank.core.ids import new_request_id
from bank.core.permissions import Role
from bank.counters import fund_transfers, receipts
from tests.bank.test_transfers import asked, send
from tests.support.bank import desk
from tests.support.hostile import (
    DAY,
    ENTRY,
    NOW,
    TABLES,
    Hostile,
    answer_to,
    book_of,
    is_whole,
    refused,
    values,
)
from tests.support.market import MOBILE, Market
from tests.support.waiting import wait_until

STANDING: Final = (
    "UPDATE entries SET narration = narration",
    "UPDATE postings SET amount_minor = -amount_minor",
    "DELETE FROM entries WHERE id = 2",
    "DELETE FROM postings",
    "UPDATE balances SET booked_minor = booked_minor + 1, lines = lines",
    "UPDATE balances SET booked_minor = 200, lines = 1 WHERE account_id = 1",
    "UPDATE balances SET held_minor = 0",
    "UPDATE balances SET overdraft_limit_minor = -1",
    "UPDATE balances SET account_id = 99 WHERE account_id = 3",
    "UPDATE balances SET gl_account_id = gl_account_id + 1",
    "UPDATE balances SET currency = 'EUR'",
    "DELETE FROM balances WHERE account_id = 3",
    "INSERT INTO balances (gl_account_id, branch_id, currency, booked_minor, held_minor,"
    " overdraft_limit_minor, lines) SELECT gl_account_id, 1, 'INR', 5, 0, 0, 0 FROM balances",
    "INSERT INTO balances (gl_account_id, branch_id, currency, booked_minor, held_minor,"
    " overdraft_limit_minor, lines) SELECT 1, 1, 'INR', 0, 0, 0, 0",
    "INSERT INTO balances (gl_account_id, branch_id, currency, booked_minor, held_minor,"
    " overdraft_limit_minor, lines) SELECT gl_account_id, 1, 'INR', 0, 0, -5, 0 FROM balances",
    "UPDATE holds SET amount_minor = 1",
    "UPDATE holds SET reason = 'another'",
    f"UPDATE holds SET released_at = '{NOW}', released_by = 7, amount_minor = 1",
    f"UPDATE holds SET released_at = '{NOW}', released_by = 7, reason = 'another'",
    f"UPDATE holds SET released_at = '{NOW}', released_by = 7, placed_by = 8",
    f"UPDATE holds SET released_at = '{NOW}'",
    "DELETE FROM holds",
    "INSERT INTO holds (account_id, amount_minor, reason, placed_at, placed_by)"
    f" VALUES (1, 401, 'x', '{NOW}', 7)",
    "INSERT INTO holds (account_id, amount_minor, reason, placed_at, placed_by)"
    f" VALUES (1, -5, 'x', '{NOW}', 7)",
    "INSERT INTO holds (account_id, amount_minor, reason, placed_at, placed_by)"
    f" VALUES (4711, 5, 'x', '{NOW}', 7)",
    "INSERT INTO holds (account_id, amount_minor, reason, placed_at, placed_by, released_at,"
    f" released_by) VALUES (1, 5, 'x', '{NOW}', 7, '{NOW}', 7)",
    "UPDATE gl_accounts SET code = '1901' WHERE code = '1900'",
    "UPDATE gl_accounts SET kind = 'asset'",
    "DELETE FROM gl_accounts WHERE code = '5900'",
    "UPDATE trail SET actor_name = 'nobody'",
    "DELETE FROM trail",
)


@pytest.mark.feature("A9.4", "B1")
def test_what_stands_is_not_moved(hostile: Hostile) -> None:
    for statement in STANDING:
        refused(hostile, ".", statement)


@pytest.mark.feature("A9.4")
def test_control_accounts_stay_control_accounts(hostile: Hostile) -> None:
    off = "0" if hostile.lite else "false"
    refused(hostile, "keeps its code", f"UPDATE gl_accounts SET is_control = {off}")
    hostile.do("UPDATE gl_accounts SET name = 'Cash, counted' WHERE code = '1000'")


def test_an_account_opens_and_its_limit_may_change(hostile: Hostile) -> None:
    hostile.do("UPDATE balances SET overdraft_limit_minor = 700 WHERE account_id = 1")
    hostile.book(hostile.entry(), hostile.account_line(1, -900), hostile.account_line(2, 900))
    is_whole(hostile)


HOLD: Final = "(id, account_id, amount_minor, reason, placed_at, placed_by)"


def fill(bank: Bank) -> None:
    """A released hold, a reversal, a closed waiver."""
    with chunk(desk(bank, Role.BRANCH_ADMIN), "tests.arrange") as tx:
        holds.release(tx, holds.place(tx, 2, 50, "a claim that went away"))
        ledger.reverse(tx, 2, reason="wrong account", request_id=new_request_id())
    with chunk(desk(bank, Role.SYSTEM, channel="import"), "tests.arrange") as tx:
        ledger.waive_floor(tx, [3], batch_id=1, source="old books")
        ledger.close_waivers(tx)


@pytest.fixture
def full(hostile: Hostile, bank: Bank) -> Hostile:
    """A book with a row in every table."""
    fill(bank)
    # Other databases of the same server may have transactions in flight, which a seal waits for.
    wait_until(lambda: seals.seal(desk(bank, Role.SYSTEM)) or hostile.ask("SELECT 1 FROM seals"))
    return hostile


PRIMARY_KEY: Final = {
    "sqlite": "SELECT name FROM pragma_table_info('{0}') WHERE pk > 0",
    "postgresql": "SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid"
    " AND a.attnum = ANY (i.indkey) WHERE i.indrelid = '{0}'::regclass AND i.indisprimary",
}


@pytest.mark.feature("A9.4")
def test_a_row_is_not_written_over(full: Hostile) -> None:
    for table in TABLES:
        found = full.ask(PRIMARY_KEY["sqlite" if full.lite else "postgresql"].format(table))
        keys = [name for (name,) in found]
        rows, key = f"SELECT * FROM {table}", keys[0]
        assert full.ask(rows), table
        other = "kind = 'asset'" if table == "gl_accounts" else f"{key} = {table}.{key}"
        over = f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {other}"
        refused(full, ".", f"INSERT INTO {table} {rows} WHERE true {over}")
        if full.lite:
            refused(full, ".", f"INSERT OR REPLACE INTO {table} {rows}")
            refused(full, ".", f"UPDATE OR REPLACE {table} SET {key} = {key} + 1")
            refused(full, ".", f"DELETE FROM {table}")
        else:
            refused(full, ".", f"TRUNCATE {table} CASCADE")
            match = f"ON t.{key} = o.{key} WHEN MATCHED THEN DELETE"
            refused(full, ".", f"MERGE INTO {table} t USING {table} o {match}")


@pytest.mark.feature("A9.4", "B1")
def test_whom_and_what_an_entry_names_stays(full: Hostile) -> None:
    full.do("UPDATE branches SET name = 'Fort', micr = '400002001' WHERE id = 1")
    full.do("UPDATE branches SET micr = '400002002' WHERE id = 2")
    full.do("UPDATE users SET name = 'Ravi Kumar' WHERE id = 7")
    for table, codes in (("branches", ("ifsc", "micr")), ("users", ("username",))):
        rows = f"SELECT * FROM {table}"
        for where in ("", " WHERE id = 1"):
            refused(full, "never deleted", f"DELETE FROM {table}{where}")
        refused(full, "keeps|duplicate", f"UPDATE {table} SET id = id + 1000")
        over = f"ON CONFLICT (id) DO UPDATE SET id = {table}.id + 1000"
        refused(full, "already|keeps", f"INSERT INTO {table} {rows} WHERE true {over}")
        if not full.lite:
            refused(full, "never deleted", f"TRUNCATE {table} CASCADE")
            match = "ON t.id = o.id WHEN MATCHED THEN DELETE"
            refused(full, "never deleted", f"MERGE INTO {table} t USING {table} o {match}")
            continue
        refused(full, "already", f"INSERT OR REPLACE INTO {table} {rows}")
        refused(full, "keeps", f"UPDATE OR REPLACE {table} SET rowid = rowid + 1000")
        [first, second] = full.ask(f"SELECT id FROM {table} ORDER BY id LIMIT 2")
        for code in codes:  # the other row would go to make room, and no delete trigger hears it
            theirs = f"(SELECT {code} FROM {table} WHERE id = {second[0]})"
            taken = f"UPDATE OR REPLACE {table} SET {code} = {theirs} WHERE id = {first[0]}"
            refused(full, "keeps", taken)
            refused(full, "already", *pushed_out(full, table, code, first[0]))


def pushed_out(console: Hostile, table: str, code: str, row_id: int) -> list[str]:
    """A new row under another number with the code of one that is there."""
    columns = [
        name
        for (name,) in console.ask(f"SELECT name FROM pragma_table_info('{table}')")
        if name not in {"id", "ifsc", "micr", "username", code}
    ]
    keys = {"branches": {"ifsc": "'BOOK0999999'", "micr": "NULL"}, "users": {"username": "'new'"}}
    given = keys[table] | {code: code, "id": "4711"} | {name: name for name in columns}
    return [
        f"INSERT OR REPLACE INTO {table} ({', '.join(given)})"
        f" SELECT {', '.join(given.values())} FROM {table} WHERE id = {row_id}"
    ]


@pytest.mark.feature("A9.4")
def test_what_the_counters_keep_is_not_written_over(market: Market) -> None:
    deposit = market.deposit("asha", 1_000_00, slip="77", depositor="Kiran", mobile=MOBILE)
    send(market, new_request_id(), **asked(market))
    receipts.print_receipt(market.cashier, deposit.reference)
    fund_transfers.move_funds(
        market.cashier, market.number("asha"), market.number("vikram"), 5_00, "V1",
        request_id=new_request_id(),
    )  # fmt: skip
    full = Hostile(market.bank)
    with closing(full.driver):
        for table in ("cash_slips", "transfers", "receipt_prints", "fund_vouchers"):
            rows = f"SELECT * FROM {table}"
            before = full.ask(rows)
            assert before, table
            key = "entry_id, copy_number" if table == "receipt_prints" else "entry_id"
            over = f"ON CONFLICT ({key}) DO UPDATE SET entry_id = {table}.entry_id"
            statements = [f"INSERT INTO {table} {rows} WHERE true {over}", f"DELETE FROM {table}"]
            statements.append(f"UPDATE {table} SET entry_id = entry_id + 1")
            if full.lite:
                statements.append(f"INSERT OR REPLACE INTO {table} {rows}")
                statements.append(f"REPLACE INTO {table} {rows}")
                statements.append(f"UPDATE OR REPLACE {table} SET entry_id = entry_id + 1")
            else:
                statements.append(f"TRUNCATE {table} CASCADE")
            for statement in statements:
                assert "never changed" in answer_to(full, [statement]), statement
                assert full.ask(rows) == before, statement
        if full.lite:  # by its other key: the same slip of the same day under another entry
            for table in ("cash_slips", "fund_vouchers"):
                before = full.ask(f"SELECT * FROM {table}")
                names = [str(row[1]) for row in full.ask(f"PRAGMA table_info({table})")]
                assert "entry_id" in names
                forged = ", ".join("99" if name == "entry_id" else name for name in names)
                full.do(f"INSERT OR REPLACE INTO {table} SELECT {forged} FROM {table}")
                assert full.ask(f"SELECT * FROM {table}") == before


@pytest.mark.feature("B2", "B3")
def test_an_entry_is_not_replaced_by_its_other_keys(sqlite_bank: Bank, on_lite: Hostile) -> None:
    full = on_lite
    fill(sqlite_bank)
    lines = [full.gl_line(-5), full.account_line(1, 5)]
    [(known,)] = full.ask("SELECT request_id FROM entries WHERE id = 1")
    *drafts, head = full.statements(full.entry(request_id=known), *lines)
    refused(full, "request exists", *drafts, head.replace("INSERT", "INSERT OR REPLACE"))
    facts = {"reverses_id": 2, "reason": "again", "actor_id": 8}
    back = [full.account_line(1, 200), full.account_line(2, -200)]
    *drafts, head = full.statements(full.entry(**facts), *back)
    refused(full, "reversed already", *drafts, head.replace("INSERT", "INSERT OR REPLACE"))


@pytest.mark.feature("B1")
def test_an_entry_written_or_else_is_whole_or_not_there(on_lite: Hostile) -> None:
    for how in ("OR REPLACE", "OR IGNORE", "OR FAIL", "OR ROLLBACK", "OR ABORT"):
        cash, instead = on_lite.gl_line(-5), f"INSERT {how}"
        for wrong in ({"line_no": 1, "balance_minor": 5}, {"balance_minor": None}):
            torn = on_lite.statements(on_lite.entry(), cash, on_lite.account_line(1, 5) | wrong)
            for statement in torn[:-1]:
                on_lite.driver.execute(statement.replace("INSERT", instead))
            with pytest.raises(sqlite3.Error, match="running balance"):
                on_lite.driver.execute(torn[-1].replace("INSERT", instead))
            on_lite.driver.execute("DELETE FROM draft_lines")
            is_whole(on_lite)
        good = on_lite.statements(on_lite.entry(), cash, on_lite.account_line(1, 5))
        on_lite.do(*[statement.replace("INSERT", instead) for statement in good])
        is_whole(on_lite)
    assert on_lite.ask("SELECT COUNT(*) FROM postings WHERE entry_id > 2") == [(10,)]


@pytest.mark.feature("A9.4")
def test_a_key_has_no_other_name(on_lite: Hostile) -> None:
    for alias in ("rowid", "oid", "_rowid_"):
        for table in ("balances", "holds", "entries", "trail", "gl_accounts"):
            refused(on_lite, ".", f"UPDATE {table} SET {alias} = {alias} + 1000")


@pytest.mark.feature("A9.4")
def test_no_row_takes_the_number_by_which_a_guard_knows_a_new_one(on_lite: Hostile) -> None:
    columns = on_lite.ask("SELECT name FROM pragma_table_info('trail') WHERE name <> 'id'")
    rest = ", ".join(f'"{name}"' for (name,) in columns)
    for number in (-1, 0):
        copied = f"INSERT INTO trail (id, {rest}) SELECT {number}, {rest} FROM trail LIMIT 1"
        refused(on_lite, "count from one", copied)
        held = f"INSERT INTO holds {HOLD} VALUES ({number}, 1, 5, 'x', '{NOW}', 7)"
        refused(on_lite, "count from one", held)
        waived = (
            "INSERT INTO floor_waivers"
            " (id, account_id, batch_id, channel, source, granted_at, granted_by)"
            f" VALUES ({number}, 1, 1, 'import', 'x', '{NOW}', 7)"
        )
        refused(on_lite, "count from one", waived)


@pytest.mark.feature("B8")
def test_a_hold_that_is_not_kept_holds_nothing(hostile: Hostile) -> None:
    conflict = f"INSERT INTO holds {HOLD} VALUES (1, 1, 50, 'x', '{NOW}', 7) ON CONFLICT DO NOTHING"
    if hostile.lite:
        refused(hostile, "a hold starts new", conflict)
    else:
        hostile.do(conflict)
    assert hostile.ask("SELECT held_minor FROM balances WHERE account_id = 1") == [(100,)]


@pytest.mark.feature("A2.9")
def test_guards_do_not_look_at_a_decoy(on_postgres: Hostile) -> None:
    lines = [on_postgres.account_line(1, -401), on_postgres.account_line(2, 401)]
    [booked] = on_postgres.statements(on_postgres.entry(channel="import"), *lines)
    for place in ("pg_temp", "decoy"):
        copies = [
            f"CREATE TABLE {place}.{table} AS SELECT * FROM public.{table}"
            for table in ("floor_waivers", "balances", "entries", "postings", "gl_accounts")
        ]
        refused(
            on_postgres,
            "insufficient funds",
            "CREATE SCHEMA decoy",
            "SET LOCAL search_path = decoy, public",
            *copies,
            f"INSERT INTO {place}.floor_waivers (account_id) VALUES (1)",
            f"UPDATE {place}.balances SET overdraft_limit_minor = 9999",
            booked.replace("INTO ", "INTO public."),
        )


@pytest.mark.feature("A2.9")
def test_a_balance_is_not_edited_from_inside_a_trigger(on_postgres: Hostile) -> None:
    inside = (
        "CREATE TEMP TABLE cover (x int)",
        "CREATE FUNCTION pg_temp.edit() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN {do}; RETURN NULL; END $$",
        "CREATE TRIGGER edit AFTER INSERT ON cover FOR EACH ROW EXECUTE FUNCTION pg_temp.edit()",
        "INSERT INTO cover VALUES (1)",
    )
    for do, message in (
        ("UPDATE balances SET booked_minor = 9999 WHERE account_id = 1", "last line"),
        ("UPDATE balances SET held_minor = 0 WHERE account_id = 1", "sum of its holds"),
    ):
        refused(on_postgres, message, *[part.replace("{do}", do) for part in inside])


@pytest.mark.feature("A9.4")
def test_rows_are_not_copied_in_past_the_guards(on_postgres: Hostile) -> None:
    before = book_of(on_postgres)
    columns = "entry_id, leg, gl_account_id, branch_id, currency, amount_minor"
    copied = f"COPY postings ({columns}, booking_date, value_date) FROM STDIN"
    rows = [(1, leg, 1, 1, "INR", amount, DAY, DAY) for leg, amount in ((8, 5), (9, -5))]
    with pytest.raises(psycopg.Error, match="closed"):
        on_postgres.copy(copied, rows)
    assert book_of(on_postgres) == before


@pytest.mark.feature("B1")
def test_a_check_that_waits_is_not_waited_out(on_postgres: Hostile) -> None:
    waiver = (
        "INSERT INTO floor_waivers (account_id, batch_id, channel, source, granted_at, granted_by)"
        f" VALUES (1, 1, 'import', 'x', '{NOW}', 7)"
    )
    refused(on_postgres, "ends with", "SET CONSTRAINTS ALL IMMEDIATE", waiver)
    refused(on_postgres, "ends with", "SAVEPOINT s", waiver, "RELEASE s")
    head = on_postgres.entry()
    alone = f"INSERT INTO entries ({', '.join(ENTRY)}) VALUES ({values(ENTRY, head)})"
    refused(on_postgres, "two lines", "SET CONSTRAINTS ALL DEFERRED", alone)


@contextmanager
def another(bank: Bank) -> Iterator[Any]:
    """A second console, in a transaction."""
    console = Hostile(bank)
    console.driver.execute("BEGIN")
    yield console.driver
    console.driver.close()


@pytest.mark.feature("B8", "A13.1")
def test_a_debit_waits_for_a_hold_in_flight(on_postgres: Hostile, postgres_bank: Bank) -> None:
    on_postgres.driver.execute("SET lock_timeout = '300ms'")
    lines = [on_postgres.account_line(1, -300), on_postgres.account_line(2, 300)]
    statements = on_postgres.statements(on_postgres.entry(), *lines)
    with another(postgres_bank) as other:
        other.execute(
            "INSERT INTO holds (account_id, amount_minor, reason, placed_at, placed_by)"
            f" VALUES (1, 200, 'in flight', '{NOW}', 7)"
        )
        with pytest.raises(psycopg.errors.LockNotAvailable):  # it does not pass beside the hold
            on_postgres.do(*statements)
        other.execute("COMMIT")
    refused(on_postgres, "insufficient funds", *statements)
