"""Seals: whoever owns the database cannot change the past unnoticed, and sealing loses nothing.

The attacker here speaks SQL as the owner: he drops the triggers first, and each time knows one
thing more (the digests, the roots, the published file).
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from bank import app
from bank.book import ledger, roots, seals
from bank.book.tables import JournalEntry, Posting
from bank.core.db import marks
from bank.core.desk import Bank, Desk, Tx, chunk
from bank.core.ids import new_request_id
from tests.support.bank import NOON, move_clock, open_at, staff
from tests.support.soak import times
from tests.support.waiting import wait_until

ALTERED: Final = "entry 3 was altered after it was sealed"
ROOT_WRONG: Final = "seal 1: its digests do not give its root"
PUBLISHED_WRONG: Final = "published root 1 differs from seal 1"
# What makes a row another row, and what only says where a reader finds it.
KEYS: Final = {"entries.id", "postings.entry_id", "entries.txid", "postings.txid"}
COLUMNS: Final = sorted(
    {str(column) for model in (JournalEntry, Posting) for column in model.__table__.columns} - KEYS
)


class Attacker:
    """A connection of the bare driver, without triggers and without keys between tables."""

    def __init__(self, bank: Bank, connection: Any) -> None:
        self._dialect = bank.db.dialect
        self._connection = connection
        if self._dialect == "sqlite":
            found = "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'"
            drop = 'DROP TRIGGER "{0}"'
        else:
            found = (
                "SELECT tgname, tgrelid::regclass::text FROM pg_trigger"
                " WHERE NOT tgisinternal AND tgparentid = 0"
            )
            drop = 'DROP TRIGGER "{0}" ON {1}'
            self.do("SET session_replication_role = replica")
        for row in self.ask(found):
            self.do(drop.format(*row))

    def do(self, sql: str, *values: Any) -> None:
        """One statement, for good."""
        done = self._connection.execute(marks(self._dialect, sql), values)
        assert done.rowcount != 0, f"nothing was changed by {sql}"

    def ask(self, sql: str, *values: Any) -> list[Any]:
        """What a SELECT answers."""
        return list(self._connection.execute(marks(self._dialect, sql), values).fetchall())


@contextmanager
def attacking(bank: Bank) -> Iterator[Attacker]:
    """An attacker at the bank's database."""
    if bank.db.dialect == "sqlite":
        connection: Any = sqlite3.connect(str(bank.db.url.database), isolation_level=None)
    else:
        url = bank.db.url.set(drivername="postgresql").render_as_string(hide_password=False)
        connection = psycopg.connect(url, autocommit=True)
    try:
        yield Attacker(bank, connection)
    finally:
        connection.close()


@pytest.fixture
def system(bank: Bank) -> Desk:
    """The desk that books and seals."""
    return app.system_desk(staff(bank))


@pytest.fixture
def sealed(system: Desk) -> Desk:
    """A book of five entries on one account, sealed and published, and an account without lines."""
    with chunk(system, "tests.arrange") as tx:
        account = ledger.open_balance(tx, gl_code="2000", branch_id=1, currency="INR")
        ledger.open_balance(tx, gl_code="2000", branch_id=1, currency="INR")
        for amount in range(1, 6):
            book(tx, account, amount)
    seal_all(system)
    assert seals.check_seals(system) == []
    return system


def book(tx: Tx, account: int, amount_minor: int) -> int:
    """One entry: money from capital; its id."""
    legs = (ledger.credit_account(account, amount_minor), ledger.debit_gl("3000", amount_minor, 1))
    draft = ledger.Draft(new_request_id(), "opening", "Opening balance", legs, 1, "INR")
    return ledger.post(tx, draft).entry_id


def book_alone(desk: Desk, times_: int = 1) -> None:
    """Entries that each commit by themselves."""
    for amount in range(1, times_ + 1):
        with chunk(desk, "tests.arrange") as tx:
            book(tx, 1, amount)


def number(desk: Desk, sql: str) -> int:
    """The one number a SELECT answers."""
    with desk.bank.db.read() as connection:
        return int(connection.exec_driver_sql(sql).scalar_one())


def unsealed(desk: Desk) -> int:
    """How many entries no seal covers."""
    return number(
        desk, "SELECT COUNT(*) FROM entries WHERE id NOT IN (SELECT entry_id FROM seal_leaves)"
    )


def seal_all(desk: Desk) -> None:
    """Seal to the end. Other databases of the same server may have transactions in flight."""

    def sealed_to_the_end() -> bool:
        seals.seal(desk)
        return unsealed(desk) == 0

    wait_until(sealed_to_the_end, what="every entry to be sealed")


def lines_of(desk: Desk) -> list[str]:
    """The published file."""
    return roots.roots_file(desk).read_text().splitlines()


def another(value: Any, column: str) -> Any:
    """A value of the same type that is not this one, and fits where it stood."""
    if column == "postings.account_id":
        return value + 1
    if column == "entries.reverses_id":
        return 1
    if column == "postings.currency":
        return "USD" if value != "USD" else "EUR"  # both databases take three capitals only
    if value is None:
        return "x"
    if isinstance(value, int):
        return value + 10
    if isinstance(value, datetime | date):
        return value + timedelta(days=1)
    return f"{value[:-1]}{'8' if value[-1] == '7' else '7'}"


@pytest.mark.feature("A9.4", "B40")
def test_every_altered_column_is_found_and_its_entry_named(sealed: Desk) -> None:
    with attacking(sealed.bank) as attacker:
        for column in COLUMNS:
            table, _, name = column.partition(".")
            place = "id = 3" if table == "entries" else "entry_id = 3 AND leg = 1"
            ((was,),) = attacker.ask(f"SELECT {name} FROM {table} WHERE {place}")
            attacker.do(f"UPDATE {table} SET {name} = ? WHERE {place}", another(was, column))
            assert seals.check_seals(sealed) == [ALTERED], column
            place = place.replace("leg = 1", "leg IN (1, 11)")
            attacker.do(f"UPDATE {table} SET {name} = ? WHERE {place}", was)
            assert seals.check_seals(sealed) == [], column


@pytest.mark.feature("A9.4", "B40")
def test_removed_and_inserted_rows_are_found_and_named(sealed: Desk) -> None:
    columns = ", ".join(column.name for column in JournalEntry.__table__.columns)
    copied = columns.replace("id, request_id", "0, 'another'", 1)
    with attacking(sealed.bank) as attacker:
        attacker.do("DELETE FROM postings WHERE entry_id = 2 AND leg = 2")
        assert seals.check_seals(sealed) == ["entry 2 was altered after it was sealed"]
        attacker.do("UPDATE postings SET entry_id = 2, leg = 3 WHERE entry_id = 3 AND leg = 2")
        attacker.do("DELETE FROM postings WHERE entry_id = 5")
        attacker.do("DELETE FROM entries WHERE id = 5")
        attacker.do(f"INSERT INTO entries ({columns}) SELECT {copied} FROM entries WHERE id = 1")
    found = [
        "entry 0 was inserted after its time was sealed",
        "entry 2 was altered after it was sealed",
        ALTERED,
        "entry 5 was removed after it was sealed",
    ]
    assert seals.check_seals(sealed) == found
    seals.seal(sealed)  # sealing on does not cover it up
    assert seals.check_seals(sealed) == found


@pytest.mark.feature("A9.4", "B40")
def test_who_makes_the_digest_anew_is_found_by_the_root(sealed: Desk) -> None:
    with attacking(sealed.bank) as attacker:
        _forge(sealed, attacker)
    assert seals.check_seals(sealed) == [ROOT_WRONG]


@pytest.mark.feature("A9.4", "B40")
def test_who_makes_the_roots_anew_is_found_by_what_was_published(sealed: Desk) -> None:
    book_alone(sealed)
    seal_all(sealed)
    book_alone(sealed)
    with attacking(sealed.bank) as attacker:
        _forge(sealed, attacker)
        root = seals.merkle_root(
            bytes(digest)
            for (digest,) in attacker.ask(
                "SELECT digest FROM seal_leaves WHERE seal_id = 1 ORDER BY entry_id"
            )
        )
        attacker.do("UPDATE seals SET root = ? WHERE id = 1", root)
        # The root alone does not follow from its chain; so he makes every chain anew.
        unchained = "seal 1 does not follow from the one before it"
        assert seals.check_seals(sealed) == [unchained, PUBLISHED_WRONG]
        previous = seals.GENESIS
        rows = attacker.ask("SELECT id, root, entries, upto FROM seals ORDER BY id")
        assert len(rows) == 2
        for id_, root, entries, upto in rows:
            chain = seals.chain_hash(previous, root, entries, upto)
            attacker.do(
                "UPDATE seals SET previous = ?, chain = ? WHERE id = ?", previous, chain, id_
            )
            previous = chain
    forged = [PUBLISHED_WRONG, "published root 2 differs from seal 2"]
    assert seals.check_seals(sealed) == forged
    seal_all(sealed)  # a seal on top of the forged ones
    assert len(lines_of(sealed)) == 3
    assert seals.check_seals(sealed) == forged


def _forge(desk: Desk, attacker: Attacker) -> None:
    """Change entry 3 and make its digest fit."""
    attacker.do("UPDATE postings SET amount_minor = amount_minor + 1 WHERE entry_id = 3")
    assert seals.check_seals(desk) == [ALTERED]
    with desk.bank.db.read() as connection:
        (leaf,) = seals._leaves(connection, "e.id = :id", {"id": 3})
    attacker.do("UPDATE seal_leaves SET digest = ? WHERE entry_id = 3", leaf.digest)


@pytest.mark.feature("A9.4", "B40")
def test_a_digest_or_a_seal_that_is_gone_is_found(sealed: Desk) -> None:
    book_alone(sealed)
    seal_all(sealed)
    with attacking(sealed.bank) as attacker:
        attacker.do("DELETE FROM seal_leaves WHERE entry_id = 4")
        assert seals.check_seals(sealed) == [
            "entry 4 was inserted after its time was sealed",
            ROOT_WRONG,
        ]
        attacker.do("DELETE FROM seals WHERE id = 1")
        assert "seal 1 is missing" in seals.check_seals(sealed)
        attacker.do("DELETE FROM seals WHERE id = 2")
        assert "seal 1 was published and is missing from the book" in seals.check_seals(sealed)


@pytest.mark.feature("A9.4", "B40")
def test_the_published_file_is_compared_line_by_line(sealed: Desk) -> None:
    book_alone(sealed)
    seal_all(sealed)
    path = roots.roots_file(sealed)
    first, second = lines_of(sealed)

    def found(*lines: str) -> list[str]:
        path.write_text("".join(f"{line}\n" for line in lines))
        return seals.check_seals(sealed)

    assert found(first, second) == []
    altered = first[:-1] + ("0" if first[-1] != "0" else "1")
    assert found(altered, second) == [PUBLISHED_WRONG]
    assert found(first, second[:-1]) == ["published root 2 differs from seal 2"]
    assert found(first.replace("1 ", "2 ", 1), second) == [
        "published root 2 differs from seal 2",
        "published root 2 stands twice",
        "seal 1 is missing from roots.txt",
    ]
    assert found(first, "nothing", second) == ["line 2 of roots.txt is no root"]
    assert found(second) == ["seal 1 is missing from roots.txt"]
    assert found(first) == ["seal 2 is missing from roots.txt"]
    assert found() == ["seals 1 to 2 are missing from roots.txt"]
    assert found(first, second, second) == ["published root 2 stands twice"]
    third = second.replace("2 ", "3 ", 1)
    assert found(first, second, third) == ["seal 3 was published and is missing from the book"]
    path.unlink()
    assert seals.check_seals(sealed) == ["seals 1 to 2 are missing from roots.txt"]


@pytest.mark.feature("A13.3", "B40")
def test_a_crash_between_seal_and_file_is_healed_by_the_next_seal(sealed: Desk) -> None:
    book_alone(sealed, 2)
    before = lines_of(sealed)
    wait_until(lambda: seals._seal_once(sealed) == 0 and unsealed(sealed) == 0)
    assert lines_of(sealed) == before
    assert seals.check_seals(sealed) == []  # it may be published in this very moment
    move_clock(sealed.bank, NOON + timedelta(minutes=2))
    assert seals.check_seals(sealed) == ["seal 2 is missing from roots.txt"]
    assert seals.seal(sealed) == 0
    assert lines_of(sealed)[:1] == before
    assert seals.check_seals(sealed) == []


@pytest.mark.feature("A9.4", "B40")
def test_seals_themselves_are_never_changed(sealed: Desk) -> None:
    for statement in ("UPDATE seals SET entries = 4", "DELETE FROM seals"):
        with pytest.raises(DBAPIError, match="seals are never"):
            with sealed.bank.db.write() as connection:
                connection.exec_driver_sql(statement)
    assert seals.check_seals(sealed) == []


@pytest.mark.feature("B40")
def test_an_empty_book_has_no_seal_and_nothing_is_written(system: Desk) -> None:
    assert seals.seal(system) == 0
    assert seals.check_seals(system) == []
    assert not roots.roots_file(system).exists()
    assert number(system, "SELECT COUNT(*) FROM trail") == 0


@pytest.mark.feature("B40")
def test_nothing_to_do_writes_nothing(sealed: Desk) -> None:
    counts = ("SELECT COUNT(*) FROM trail", "SELECT COUNT(*) FROM seals")
    before = [number(sealed, count) for count in counts]
    assert before == [2, 1]  # the arranging and its seal
    file = lines_of(sealed)
    assert seals.seal(sealed) == 0
    assert [number(sealed, count) for count in counts] == before
    assert lines_of(sealed) == file


@pytest.mark.feature("B40")
def test_a_long_tail_is_sealed_in_pieces_that_follow_each_other(
    sealed: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seals, "AT_ONCE", 2)
    book_alone(sealed, 7)
    seal_all(sealed)
    made = number(sealed, "SELECT COUNT(*) FROM seals WHERE id > 1")
    assert made >= 3
    assert number(sealed, "SELECT SUM(entries) FROM seals") == 12
    assert number(sealed, "SELECT MAX(entries) FROM seals WHERE id > 1") <= 3
    assert len(lines_of(sealed)) == 1 + made
    assert seals.check_seals(sealed) == []


@pytest.mark.feature("A13.3", "B40")
def test_a_transaction_in_flight_is_sealed_later_and_nothing_is_skipped(
    postgres_bank: Bank,
) -> None:
    system = app.system_desk(staff(postgres_bank))
    with chunk(system, "tests.arrange") as tx:
        slow_account = ledger.open_balance(tx, gl_code="2000", branch_id=1, currency="INR")
        account = ledger.open_balance(tx, gl_code="2000", branch_id=1, currency="INR")
        book(tx, account, 1)
    seal_all(system)
    with chunk(system, "tests.slow") as slow:
        late = book(slow, slow_account, 1)
        with chunk(system, "tests.quick") as tx:
            early = book(tx, account, 2)
        assert late < early
        seals.seal(system)
        assert unsealed(system) == 1  # the quick one waits for the slow one
        assert seals.check_seals(system) == []
    assert unsealed(system) == 2
    seal_all(system)
    assert number(system, "SELECT COUNT(*) FROM seal_leaves") == 3
    assert seals.check_seals(system) == []


@pytest.mark.soak
@pytest.mark.feature("A13.1", "B40")
def test_two_sealers_and_a_counter_at_once(sealed: Desk, tmp_path: Path) -> None:
    other = open_at(
        sealed.bank.settings.data_dir, sealed.bank.settings.database_url, sealed.bank.clock
    )
    rounds = times(normal=5, soak=100)
    barrier = threading.Barrier(3)

    def together(work: Callable[[Desk], object], desk: Desk) -> None:
        for _ in range(rounds):
            barrier.wait(60)
            work(desk)

    try:
        with ThreadPoolExecutor(3) as pool:
            running = [
                pool.submit(together, seals.seal, sealed),
                pool.submit(together, seals.seal, app.system_desk(other)),
                pool.submit(together, book_alone, sealed),
            ]
            for each in running:
                each.result(120)
        seal_all(app.system_desk(other))
    finally:
        other.db.close()
    entries = 5 + rounds
    assert number(sealed, "SELECT COUNT(*) FROM seal_leaves") == entries
    assert number(sealed, "SELECT SUM(entries) FROM seals") == entries
    assert len(lines_of(sealed)) == number(sealed, "SELECT COUNT(*) FROM seals")
    assert seals.check_seals(sealed) == []
