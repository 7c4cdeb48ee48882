"""The database: one Base, one Database per bank, integers for money.

Two kinds of transaction, both opened here: `write` (BEGIN IMMEDIATE under one
process-wide writer lock on SQLite, READ COMMITTED on PostgreSQL) and `read`
(a plain BEGIN that never waits for a writer; REPEATABLE READ on PostgreSQL, so
that one page shows one instant).
"""

import select
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, date, datetime
from enum import Enum as PyEnum
from typing import Any, Final

import psycopg
from sqlalchemy import (
    BigInteger,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Enum,
    Integer,
    MetaData,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.exc import DisconnectionError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

NAMES: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
# What a database that is away, full or locked raises, through SQLAlchemy or the bare driver.
DATABASE_ERRORS: Final = (SQLAlchemyError, sqlite3.Error, psycopg.Error)
SQLITE_BUSY_SECONDS: Final = 30.0  # other processes (import, worker) share the file


class Instant(TypeDecorator[datetime]):
    """An aware UTC instant on both databases (SQLite keeps ISO text that sorts as time)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        assert value.tzinfo is not None, "an instant needs a zone"
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Every table of the bank. Models equal migrations (tests/house)."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {
        int: BigInteger().with_variant(Integer(), "sqlite"),
        datetime: Instant(),
        PyEnum: Enum(
            PyEnum,
            native_enum=False,
            length=32,
            create_constraint=False,
            values_callable=lambda enum: [member.value for member in enum],
        ),
    }


class Database:
    """One bank's database.

    `dialect` is "sqlite" or "postgresql". `writes` is a context manager that every
    write transaction on SQLite holds, so that threads queue in the process (fair and
    cheap) and not on the file's lock.
    """

    def __init__(self, url: str) -> None:
        if not url.startswith(("sqlite://", "postgresql://", "postgresql+psycopg://")):
            raise ValueError("BANK_DATABASE_URL must start with sqlite:// or postgresql+psycopg://")
        self.url = make_url(url)
        self.dialect: Final = self.url.get_backend_name()
        self.engine: Final = _sqlite(url) if self.dialect == "sqlite" else _postgres(url)
        # What hardly ever changes (the chart's ids, the last day that is closed), read once per
        # process. Who keeps something here that does change says how it is learnt anew.
        self.memo: dict[str, Any] = {}
        self._writer = threading.Lock()
        self._writer_connection: Connection | None = None

    @property
    def writes(self) -> AbstractContextManager[Any]:
        return self._writer if self.dialect == "sqlite" else nullcontext()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that may change the bank; the caller commits, an exception rolls back."""
        if self.dialect == "postgresql":
            with self.engine.connect() as connection:
                yield connection
            return
        with self._writer:
            connection = self._writing_connection()
            driver = _driver(connection)
            driver.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            finally:
                if connection.get_transaction() is not None:  # also one whose commit failed
                    connection.rollback()
                if driver.in_transaction:  # nothing is left to roll back after a commit
                    driver.rollback()

    def _writing_connection(self) -> Connection:
        # One connection serves every write of the process: the writer's lock hands it round, and
        # checking one out each time would cost a fifth of a posting.
        if self._writer_connection is None or self._writer_connection.closed:
            self._writer_connection = self.engine.connect()
        return self._writer_connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only looks, at one instant of the bank."""
        with self.engine.connect() as connection:
            if self.dialect == "sqlite":
                _driver(connection).execute("BEGIN")
            else:
                connection.connection.cursor().execute(
                    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
                )
            try:
                yield connection
            finally:
                connection.connection.rollback()

    def close(self) -> None:
        """Give every connection back."""
        if self._writer_connection is not None:
            self._writer_connection.close()
            self._writer_connection = None
        self.engine.dispose()


def raw_instant(dialect: str, instant: datetime) -> Any:
    """The instant as the bare driver stores it, equal to what `Instant` stores.

    The hot path (ledger, trail, outbox) talks to the driver's cursor with constant SQL.
    """
    if dialect == "sqlite":
        return instant.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
    return instant


def instant_of(raw: str | datetime) -> datetime:
    """The aware UTC instant of what the bare driver answers: text from SQLite."""
    if isinstance(raw, str):
        return datetime.fromisoformat(raw).replace(tzinfo=UTC)
    return raw.astimezone(UTC)


def raw_date(dialect: str, day: date) -> Any:
    """The day as the bare driver stores it."""
    return day.isoformat() if dialect == "sqlite" else day


def marks(dialect: str, sql: str) -> str:
    """SQL written with `?` in the driver's own placeholder style."""
    return sql if dialect == "sqlite" else sql.replace("?", "%s")


def _driver(connection: Connection) -> Any:
    return connection.connection.dbapi_connection


def _sqlite(url: str) -> Engine:
    engine = create_engine(url, connect_args={"check_same_thread": False}, max_overflow=60)

    @event.listens_for(engine, "connect")
    def _prepare(driver: sqlite3.Connection, _record: object) -> None:
        # The driver must not open transactions on its own: BEGIN is ours (see read and write).
        driver.isolation_level = None
        driver.execute(f"PRAGMA busy_timeout = {int(SQLITE_BUSY_SECONDS * 1000)}")
        driver.execute("PRAGMA journal_mode = WAL")
        driver.execute("PRAGMA synchronous = FULL")
        driver.execute("PRAGMA foreign_keys = ON")
        driver.execute("PRAGMA recursive_triggers = ON")  # REPLACE must fire delete triggers
        driver.execute("PRAGMA cache_size = -65536")

    return engine


def _postgres(url: str) -> Engine:
    engine = create_engine(
        url,
        pool_size=10,
        max_overflow=40,
        connect_args={"prepare_threshold": 1},
        isolation_level="READ COMMITTED",
    )

    @event.listens_for(engine, "checkout")
    def _still_there(driver: Any, _record: object, _proxy: object) -> None:
        # A server that ended an idle connection has said so: there is something to read, where
        # otherwise never is. To ask the server itself would cost a round trip each time.
        waiting = select.poll()
        waiting.register(driver.fileno(), select.POLLIN)
        if waiting.poll(0):
            raise DisconnectionError("the server ended this connection")

    return engine
