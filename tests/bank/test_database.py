"""What every promise of the book rests on: how connections are set up, and what a look sees."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, text

from bank.core.desk import Bank, Desk, Tx, chunk, looking
from bank.core.permissions import Role
from tests.support.bank import DeskFor
from tests.support.waiting import wait_until


@pytest.fixture
def cashier(desk_for: DeskFor) -> Desk:
    """Somebody."""
    return desk_for(Role.CASHIER)


@pytest.mark.feature("A13.1", "A13.3")
@pytest.mark.parametrize("kind", ["write", "read"])
def test_a_connection_to_sqlite_keeps_what_it_commits(sqlite_bank: Bank, kind: str) -> None:
    def pragma(connection: Connection, name: str) -> Any:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()

    with getattr(sqlite_bank.db, kind)() as connection:
        assert pragma(connection, "journal_mode") == "wal"
        assert pragma(connection, "synchronous") == 2  # FULL
        assert pragma(connection, "foreign_keys") == 1
        assert pragma(connection, "recursive_triggers") == 1
        assert pragma(connection, "busy_timeout") == 30_000


@pytest.mark.feature("A13.1")
def test_a_look_sees_one_instant(bank: Bank, cashier: Desk) -> None:
    """Two statements of one look, with a commit between them."""

    def limits(tx: Tx) -> int:
        return int(tx.connection.scalar(text("SELECT COUNT(*) FROM trail")) or 0)

    with looking(cashier) as tx:
        before = limits(tx)
        with chunk(cashier, "tests.between"):
            pass
        assert limits(tx) == before
    with looking(cashier) as tx:
        assert limits(tx) == before + 1


@pytest.mark.feature("A13.1")
def test_a_write_has_the_writers_lock_before_it_reads(sqlite_bank: Bank) -> None:
    """What a command reads cannot be changed by another process before it writes."""
    other = sqlite3.connect(str(sqlite_bank.db.url.database), isolation_level=None, timeout=0)
    try:
        with sqlite_bank.db.write():
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("BEGIN IMMEDIATE")
            assert other.execute("SELECT COUNT(*) FROM trail").fetchone() == (0,)
        with sqlite_bank.db.read():
            other.execute("BEGIN IMMEDIATE")  # a look holds nobody up
            other.execute("ROLLBACK")
    finally:
        other.close()


@pytest.mark.feature("A13.1")
def test_a_write_on_postgresql_sees_what_was_committed_since(postgres_bank: Bank) -> None:
    with postgres_bank.db.write() as connection:
        assert connection.scalar(text("SHOW transaction_isolation")) == "read committed"
    with postgres_bank.db.read() as connection:
        assert connection.scalar(text("SHOW transaction_isolation")) == "repeatable read"
        assert connection.scalar(text("SHOW transaction_read_only")) == "on"


@pytest.mark.feature("A13.1")
def test_connections_that_the_server_ended_are_replaced_unseen(postgres_bank: Bank) -> None:
    url = postgres_bank.db.url.set(drivername="postgresql").render_as_string(hide_password=False)
    many = threading.Barrier(8)

    def busy(_: int) -> int:
        with postgres_bank.db.read() as connection:
            many.wait(30)
            return int(connection.scalar(text("SELECT pg_backend_pid()")))

    def asked(_: int) -> int:
        with postgres_bank.db.write() as connection:
            return int(connection.scalar(text("SELECT pg_backend_pid()")))

    with ThreadPoolExecutor(8) as pool:
        pids = set(pool.map(busy, range(8)))
    assert len(pids) == 8
    assert asked(0) in pids  # they wait in the pool
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) pid", (list(pids),))
        gone = "SELECT COUNT(*) FROM pg_stat_activity WHERE pid = ANY(%s)"
        wait_until(lambda: admin.execute(gone, (list(pids),)).fetchone() == (0,))
    assert not pids & {asked(number) for number in range(14)}
