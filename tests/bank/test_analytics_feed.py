"""The copy for reports is the bank: nothing missed, nothing twice, always from one instant."""

import gc
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import text

from bank.accounts import accounts, products
from bank.book import ledger
from bank.book.ledger import Draft, credit_account, debit_gl
from bank.core.desk import Bank, chunk, looking
from bank.core.ids import request_id_of
from bank.night import analytics, reader
from bank.night.analytics import WHOLE, Warehouse
from bank.night.feed import Feed, FeedBroken, Mark, Take
from tests.reports import town as towns
from tests.reports.town import TODAY, Town
from tests.support.bank import NOON
from tests.support.soak import SOAKING
from tests.support.waiting import wait_until

pytestmark = pytest.mark.feature("A8.7", "B7")

BALANCE = "SELECT currency, SUM(amount_minor) AS total FROM postings GROUP BY currency"
TORN = (
    "SELECT id FROM entries e WHERE 2 > (SELECT COUNT(*) FROM postings p WHERE p.entry_id = e.id)"
)


@pytest.fixture
def town(bank: Bank) -> Town:
    return towns.build_busy(bank)


def copy_of(bank: Bank, max_age: float = 0) -> Warehouse:
    """The bank's copy, brought up to date."""
    analytics.fresh(bank, max_age=max_age)
    return analytics.warehouse(bank)


def rows(copy: Warehouse, sql: str) -> list[tuple[Any, ...]]:
    table = copy.select(WHOLE, sql, most_rows=1_000_000)
    return [tuple(row.values()) for row in table.to_pylist()]


def in_bank(bank: Bank) -> list[tuple[Any, ...]]:
    """Every posting of the bank's own database."""
    with looking(towns.Town(bank).system) as tx:
        found = tx.connection.execute(
            text(
                "SELECT p.entry_id, p.leg, p.branch_id, p.gl_account_id, p.account_id,"
                " a.product_id, p.currency,"
                " p.amount_minor, CAST(p.booking_date AS VARCHAR(10)), e.narration"
                " FROM postings p JOIN entries e ON e.id = p.entry_id"
                " LEFT JOIN accounts a ON a.id = p.account_id ORDER BY p.entry_id, p.leg"
            )
        )
        return [tuple(row) for row in found]


def in_copy(copy: Warehouse) -> list[tuple[Any, ...]]:
    """The same of the copy."""
    return rows(
        copy,
        "SELECT p.entry_id, p.leg, p.branch_id, p.gl_account_id, p.account_id, p.product_id,"
        " p.currency, p.amount_minor, CAST(p.booking_date AS VARCHAR) AS day, e.narration"
        " FROM postings p JOIN entries e ON e.id = p.entry_id ORDER BY p.entry_id, p.leg",
    )


def totals_agree(copy: Warehouse) -> bool:
    """Whether the daily totals are the postings added up."""
    by_day = "booking_date, branch_id, gl_account_id, product_id, currency"
    added = rows(
        copy,
        f"SELECT {by_day}, COUNT(*) AS n, SUM(GREATEST(amount_minor, 0)) AS credit,"
        f" SUM(LEAST(amount_minor, 0)) AS debit FROM postings GROUP BY ALL ORDER BY ALL",
    )
    kept = rows(
        copy, f"SELECT {by_day}, lines, credit_minor, debit_minor FROM daily_totals ORDER BY ALL"
    )
    return added == kept


def deposit(bank: Bank, account_id: int, branch_id: int, name: str, amount: int = 100) -> None:
    """Book one deposit, as the bank's own job."""
    draft = Draft(
        request_id=request_id_of("analytics test", name),
        kind="cash_deposit",
        narration=name,
        legs=(debit_gl("1000", amount), credit_account(account_id, amount)),
        branch_id=branch_id,
    )
    with chunk(towns.Town(bank).system, "tests.deposit") as tx:
        ledger.post(tx, draft)


def test_the_copy_is_the_bank_after_each_reading(town: Town) -> None:
    copy = copy_of(town.bank)
    assert in_copy(copy) == in_bank(town.bank)
    assert totals_agree(copy)
    for n in range(5):
        town.deposit("asha", 10 + n)
        town.deposit("dev czk", 20 + n, branch=1, day=TODAY.replace(day=1 + n))
        copy_of(town.bank)
        assert in_copy(copy) == in_bank(town.bank)
        assert totals_agree(copy)


def test_a_reading_with_nothing_new_changes_nothing(town: Town) -> None:
    before = in_copy(copy_of(town.bank))
    for _ in range(3):
        assert in_copy(copy_of(town.bank)) == before


def test_lines_are_kept_in_the_order_of_time(town: Town) -> None:
    copy = copy_of(town.bank)
    town.deposit("asha", 10)
    copy_of(town.bank)
    ids = [
        row[0] for row in copy._root.execute("SELECT entry_id FROM raw.journal_lines").fetchall()
    ]
    assert ids == sorted(ids)


def test_a_new_account_comes_with_its_first_line(town: Town) -> None:
    copy = copy_of(town.bank)
    with chunk(town.system, "tests.open") as tx:
        account = accounts.open_row(
            tx,
            customer_id=1,
            product=products.product(tx, "business"),
            branch_id=town.branches[0],
        )
        town.accounts["new"] = account.id
    town.deposit("new", 500)
    copy_of(town.bank)
    found = rows(
        copy,
        "SELECT pr.code, a.masked FROM postings p JOIN products pr ON pr.id = p.product_id"
        f" JOIN accounts a ON a.id = p.account_id WHERE p.account_id = {account.id}",
    )
    assert found == [("business", f"•••• {account.number[-4:]}")]


def test_a_commit_out_of_order_is_not_missed(postgres_bank: Bank) -> None:
    """An older transaction that commits after a newer one was read is found by its own id."""
    town = towns.build(postgres_bank)
    copy = copy_of(postgres_bank)
    first = Draft(
        request_id=request_id_of("slow"),
        kind="cash_deposit",
        narration="begun first, committed last",
        legs=(debit_gl("1000", 1), credit_account(town.accounts["asha"], 1)),
        branch_id=town.branches[0],
    )
    with ExitStack() as slow:
        tx = slow.enter_context(chunk(town.system, "tests.slow"))
        ledger.post(tx, first)
        deposit(postgres_bank, town.accounts["esha"], town.branches[2], "begun last")
        copy_of(postgres_bank)
        assert [row[-1] for row in in_copy(copy)] == ["begun last"] * 2
    copy_of(postgres_bank)
    assert in_copy(copy) == in_bank(postgres_bank)
    assert len(in_copy(copy)) == 4


def test_a_rolled_back_entry_is_never_seen(town: Town) -> None:
    copy = copy_of(town.bank)
    before = in_copy(copy)
    draft = Draft(
        request_id=request_id_of("undone"),
        kind="cash_deposit",
        narration="undone",
        legs=(debit_gl("1000", 1), credit_account(town.accounts["asha"], 1)),
        branch_id=town.branches[0],
    )
    with suppress(LookupError), chunk(town.system, "tests.undone") as tx:
        ledger.post(tx, draft)
        raise LookupError
    assert in_copy(copy_of(town.bank)) == before
    town.deposit("asha", 7)
    assert in_copy(copy_of(town.bank)) == in_bank(town.bank)


@pytest.mark.soak
def test_nothing_is_missed_or_torn_while_many_write(town: Town) -> None:
    """Every reading balances, whatever is being written; the last one is the bank."""
    copy = copy_of(town.bank)
    started = len(in_copy(copy))
    each, enough_readings = (200, 50) if SOAKING else (25, 5)
    places = [("asha", 0), ("chand", 1), ("dev", 1), ("esha", 2)]
    readings, over = 0, threading.Event()

    def write(place: tuple[str, int]) -> int:
        """As many deposits as wanted, and more until there were enough readings meanwhile."""
        account, branch = place
        n = 0
        while not over.is_set() and (n < each or readings < enough_readings):
            deposit(town.bank, town.accounts[account], town.branches[branch], f"{account} {n}")
            n += 1
        return n

    with ThreadPoolExecutor(len(places)) as pool:
        writers = [pool.submit(write, place) for place in places]
        try:
            while not all(writer.done() for writer in writers):
                copy_of(town.bank)
                readings += 1
                assert set(rows(copy, BALANCE)) == {("CZK", 0), ("INR", 0)}
                assert rows(copy, TORN) == []
        finally:
            over.set()  # nobody waits for readings that do not come
        written = sum(writer.result() for writer in writers)
    copy_of(town.bank)
    assert readings >= enough_readings
    assert len(in_copy(copy)) == started + written * 2
    assert in_copy(copy) == in_bank(town.bank)
    assert totals_agree(copy)


# Names and states.


def rename_branch(town: Town, name: str) -> None:
    with chunk(town.system, "tests.rename") as tx:
        tx.connection.execute(
            text("UPDATE branches SET name = :name WHERE id = :id"),
            {"name": name, "id": town.branches[0]},
        )


def test_a_changed_name_is_seen_when_the_small_tables_are_old(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = copy_of(town.bank)
    rename_branch(town, "Renamed")
    names = "SELECT name FROM branches ORDER BY id LIMIT 1"
    copy_of(town.bank)
    assert rows(copy, names) == [("Town 1",)]
    monkeypatch.setattr(analytics, "SMALL_AGE_SECONDS", 0.0)
    copy_of(town.bank)
    assert rows(copy, names) == [("Renamed",)]


def test_an_account_that_changes_its_product_takes_its_lines_along(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = copy_of(town.bank)
    with chunk(town.system, "tests.product") as tx:
        current = products.product(tx, "current").id
        tx.connection.execute(
            text("UPDATE accounts SET product_id = :product WHERE id = :id"),
            {"product": current, "id": town.accounts["asha"]},
        )
    monkeypatch.setattr(analytics, "SMALL_AGE_SECONDS", 0.0)
    copy_of(town.bank)
    assert in_copy(copy) == in_bank(town.bank)
    assert totals_agree(copy)


def test_nothing_personal_reaches_the_copy(town: Town) -> None:
    with chunk(town.system, "tests.person") as tx:
        tx.connection.execute(
            text(
                "UPDATE customers SET pan = 'ABCDE1234F', email = 'asha@mail.example' WHERE id = 1"
            )
        )
        number = accounts.card_of(tx, town.accounts["asha"]).number
    copy = copy_of(town.bank)
    everything = ""
    for (table,) in copy._root.execute("SELECT table_name FROM duckdb_tables()").fetchall():
        everything += repr(copy._root.execute(f"SELECT * FROM raw.{table}").fetchall())
    assert f"•••• {number[-4:]}" in everything
    for secret in (number, "ABCDE1234F", "asha@mail.example", "Asha", "1990"):
        assert secret not in everything


# The reader, which is a process of its own.


def test_reading_leaves_the_banks_own_locks_alone(sqlite_bank: Bank) -> None:
    """The trap that the reader's own process is for: see bank/night/reader.py."""
    town = towns.build(sqlite_bank)
    copy_of(sqlite_bank)
    try_to_write = (
        "import sqlite3, sys\n"
        "bank = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=0)\n"
        "bank.execute('BEGIN IMMEDIATE')\n"
    )
    with sqlite_bank.db.write():
        copy_of(sqlite_bank)
        analytics.warehouse(sqlite_bank).close()
        tried = subprocess.run(
            [sys.executable, "-c", try_to_write, str(sqlite_bank.db.url.database)],
            capture_output=True,
            text=True,
            check=False,
        )
    assert "database is locked" in tried.stderr
    assert town.bank is sqlite_bank


def test_a_reader_that_dies_is_replaced(town: Town) -> None:
    feed = Feed(town.bank.db.url)
    copy = Warehouse(feed)
    copy.fresh(lambda: NOON, 0)
    first = feed._reader
    assert first is not None
    first.kill()
    first.wait()
    town.deposit("asha", 3)
    copy.fresh(lambda: NOON, 0)
    assert in_copy(copy) == in_bank(town.bank)
    assert feed._reader is not first
    copy.close()


def test_a_reader_that_dies_over_a_question_is_said(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is killed after it was found alive: the answer never comes."""
    feed = Feed(town.bank.db.url)
    copy = Warehouse(feed)
    copy.fresh(lambda: NOON, 0)
    before = in_copy(copy)
    alive = feed._reader
    assert alive is not None
    monkeypatch.setattr(feed, "_running", lambda: alive)
    alive.kill()
    alive.wait()
    with pytest.raises(FeedBroken, match="Try again"):
        copy.fresh(lambda: NOON, 0)
    assert in_copy(copy) == before
    monkeypatch.undo()
    town.deposit("asha", 3)
    copy.fresh(lambda: NOON, 0)
    assert in_copy(copy) == in_bank(town.bank)
    copy.close()


def test_a_table_that_cannot_be_read_breaks_nothing(town: Town) -> None:
    copy = copy_of(town.bank)
    before = in_copy(copy)
    town.deposit("asha", 3)
    with chunk(town.system, "tests.hide") as tx:
        tx.connection.execute(text("ALTER TABLE holds RENAME TO holds_away"))
        tx.connection.execute(text("ALTER TABLE branches RENAME TO branches_away"))
    with pytest.raises(FeedBroken):
        copy_of(town.bank)
    assert in_copy(copy) == before
    with chunk(town.system, "tests.back") as tx:
        tx.connection.execute(text("ALTER TABLE holds_away RENAME TO holds"))
        tx.connection.execute(text("ALTER TABLE branches_away RENAME TO branches"))
    copy_of(town.bank)
    assert in_copy(copy) == in_bank(town.bank)


class HalfFeed:
    """Hands over the entries and then fails, as a reader killed half-way does."""

    def __init__(self) -> None:
        self.closed = False

    def read(self, mark: Mark, take: Take, *, small: bool = False) -> Mark:
        entry = {
            "id": [1], "kind": ["x"], "narration": ["half"], "branch_id": [1], "actor_id": [1],
            "channel": ["branch"], "booked_at": ["2026-01-01 00:00:00"],
            "booking_date": ["2026-01-01"], "value_date": ["2026-01-01"],
            "reverses_id": pa.nulls(1, pa.int64()),
        }  # fmt: skip
        take("entries", iter([pa.table(entry)]))
        raise FeedBroken

    def close(self) -> None:
        self.closed = True


def test_half_a_reading_is_not_kept() -> None:
    feed = HalfFeed()
    copy = Warehouse(feed)
    with pytest.raises(FeedBroken):
        copy.fresh(lambda: NOON, 0)
    assert rows(copy, "SELECT id FROM entries") == []
    copy.close()
    assert feed.closed


@pytest.mark.parametrize("mark", ["", "1:2", "1:2:3'; DROP TABLE entries; --", "latest"])
def test_only_a_snapshot_is_put_into_sql(mark: str) -> None:
    with pytest.raises(ValueError, match="not a snapshot"):
        reader.since_postgres(mark, "entries")
    with pytest.raises(ValueError, match="invalid literal"):
        reader.since_sqlite(mark or "x", "entries")


# How old the copy is, and who brings it up to date.


class CountingFeed:
    """Counts readings, each of which waits until it is let through."""

    def __init__(self) -> None:
        self.readings = 0
        self.let_through = threading.Event()
        self.let_through.set()

    def read(self, mark: Mark, take: Take, *, small: bool = False) -> Mark:
        self.readings += 1
        self.let_through.wait(10)
        return Mark(upto="1")

    def close(self) -> None:
        """Nothing runs."""


def test_a_young_copy_is_not_read_again() -> None:
    feed = CountingFeed()
    copy = Warehouse(feed)
    for _ in range(5):
        found = copy.fresh(lambda: NOON, 60)
    assert feed.readings == 1
    assert found.as_of == NOON
    assert 0 <= found.age_seconds < 60
    copy.fresh(lambda: NOON, 0)
    assert feed.readings == 2


def test_many_who_ask_at_once_wait_for_one_reading() -> None:
    feed = CountingFeed()
    copy = Warehouse(feed)
    feed.let_through.clear()
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(copy.fresh, lambda: NOON, 60) for _ in range(8)]
        wait_until(lambda: feed.readings == 1)
        feed.let_through.set()
        assert all(each.result().as_of == NOON for each in asked)
    assert feed.readings == 1


@pytest.fixture
def kept(sqlite_bank: Bank) -> Iterator[tuple[Town, threading.Event]]:
    """A bank whose copy is kept fresh by a thread, as `serve` does."""
    town = towns.build_busy(sqlite_bank)
    stop = threading.Event()
    thread = threading.Thread(target=analytics.keep_fresh, args=(sqlite_bank, stop))
    thread.start()
    yield town, stop
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


def test_the_copy_is_read_before_anybody_asks(kept: tuple[Town, threading.Event]) -> None:
    town, _ = kept
    copy = analytics.warehouse(town.bank)
    wait_until(lambda: in_copy(copy) == in_bank(town.bank))


def test_the_copy_is_kept_warm_while_somebody_looks(kept: tuple[Town, threading.Event]) -> None:
    town, _ = kept
    copy = copy_of(town.bank)
    town.deposit("asha", 99)
    wait_until(lambda: in_copy(copy) == in_bank(town.bank))  # nobody asks for it to be read


def test_a_failed_reading_does_not_end_the_keeper(
    kept: tuple[Town, threading.Event], caplog: pytest.LogCaptureFixture
) -> None:
    town, _ = kept
    copy = copy_of(town.bank)
    with chunk(town.system, "tests.hide") as tx:
        tx.connection.execute(text("ALTER TABLE branches RENAME TO branches_away"))
    wait_until(lambda: "could not be read for reports" in caplog.text)
    with chunk(town.system, "tests.back") as tx:
        tx.connection.execute(text("ALTER TABLE branches_away RENAME TO branches"))
    town.deposit("asha", 98)
    wait_until(lambda: in_copy(copy) == in_bank(town.bank))


def test_many_read_while_one_writes(town: Town) -> None:
    """Each reader has a cursor of its own and sees one instant."""
    copy = copy_of(town.bank)
    stop = threading.Event()

    def look() -> int:
        looks = 0
        while not stop.is_set():
            found = rows(
                copy,
                "SELECT currency, SUM(credit_minor + debit_minor) FROM daily_totals GROUP BY 1",
            )
            assert {total for _, total in found} == {0}
            looks += 1
        return looks

    with ThreadPoolExecutor(4) as pool:
        lookers = [pool.submit(look) for _ in range(4)]
        for n in range(20):
            town.deposit("asha", 1 + n)
            copy_of(town.bank)
        stop.set()
        assert all(looker.result() > 0 for looker in lookers)


def test_the_copy_ends_with_its_database(sqlite_bank: Bank) -> None:
    settings, clock = sqlite_bank.settings, sqlite_bank.clock
    from bank.app import open_bank

    other = open_bank(settings, clock=clock, migrated=True)
    copy = copy_of(other)
    feed = copy._feed
    assert isinstance(feed, Feed)
    process = feed._reader
    assert process is not None
    other.db.close()
    del other, copy, feed
    gc.collect()
    wait_until(lambda: process.poll() is not None)
