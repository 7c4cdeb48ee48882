"""The bank in memory, for reports: one DuckDB per process, fed from the bank's own database.

The only module that knows DuckDB. A report reads a copy that is at most about a second
old; `fresh` says how old. Many threads may read at once, each through a cursor of its own; one
at a time brings the copy up to date. The copy has no way out: no files, no network, no extensions,
and its configuration is locked.
"""

import json
import logging
import threading
import weakref
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from time import monotonic
from typing import Any, Final, Protocol

import duckdb
import pyarrow as pa

from bank.core.db import Database
from bank.core.desk import Bank
from bank.core.errors import Declined
from bank.night import analytic_tables as tables
from bank.night import currencies, guard
from bank.night.feed import Feed, FeedBroken, Mark, Take

log = logging.getLogger(__name__)

MOST_AGE_SECONDS: Final = 1.0
SMALL_AGE_SECONDS: Final = 10.0  # names and states; a new row of theirs is seen at once
LONGEST_QUERY_SECONDS: Final = 10.0
STILL_WATCHED_SECONDS: Final = 60.0  # how long after the last look the copy is kept warm
# Nothing may be spilled to a file, loaded from one or fetched; the last line locks all of it.
SEALED: Final = """
SET temp_directory = '';
SET enable_external_access = false;
SET autoinstall_known_extensions = false;
SET autoload_known_extensions = false;
SET allow_community_extensions = false;
SET python_enable_replacements = false;
SET lock_configuration = true;
"""
WHOLE: Final = "whole"


class TooSlow(Declined):
    """This report took too long and was stopped. Choose a shorter period or one branch."""


class Readable(Protocol):
    """Where a copy is read from: `Feed`, or what stands in for one."""

    def read(self, mark: Mark, take: Take, *, small: bool = False) -> Mark:
        """Hand over what changed since `mark`; the mark of now."""

    def close(self) -> None:
        """End whatever runs."""


@dataclass(frozen=True)
class Freshness:
    """When the copy was read from the bank, and how many seconds ago that was."""

    as_of: datetime
    age_seconds: float


class Warehouse:
    """The copy of one bank, read through `feed`. Without one its tables stay empty."""

    def __init__(self, feed: Readable | None = None) -> None:
        self._root = duckdb.connect(":memory:")
        self._root.execute(SEALED)
        self._feed = feed
        self._lock = threading.Lock()  # whoever holds it writes
        self._schemas: dict[int, str] = {}
        self._mark = Mark()
        self._as_of: datetime | None = None
        self._read_at = self._small_at = self._asked_at = -float("inf")
        self._create()

    def _create(self) -> None:
        self._root.execute(tables.CREATE)
        for name, (columns, _) in tables.SMALL.items():
            self._root.execute(f"CREATE TABLE raw.{name} ({columns})")
        for name, query in tables.VIEWS.items():
            self._root.execute(f"CREATE VIEW {WHOLE}.{name} AS {query}")

    def fresh(self, now: Callable[[], datetime], most_age: float) -> Freshness:
        """Bring the copy up to date unless it is young enough; FeedBroken when that fails."""
        self._asked_at = monotonic()
        if self._age() > most_age:
            with self._lock:
                if self._age() > most_age:  # nobody else did it while we waited
                    self._refresh(now())
        assert self._as_of is not None
        return Freshness(self._as_of, self._age())

    def keep_up(self, now: Callable[[], datetime]) -> None:
        """Bring the copy up to date if anybody looked lately, or if it was never read."""
        unread = self._as_of is None
        if unread or monotonic() - self._asked_at < STILL_WATCHED_SECONDS:
            with self._lock:
                if unread or self._age() > MOST_AGE_SECONDS / 2:
                    self._refresh(now())

    def scope(self, branch_id: int | None) -> str:
        """The schema that shows the whole bank (None) or one branch and nothing else."""
        if branch_id is None:
            return WHOLE
        with self._lock:
            if branch_id not in self._schemas:
                schema = f"branch_{int(branch_id)}"
                self._root.execute(f"CREATE SCHEMA {schema}")
                for name in tables.VIEWS:
                    condition = tables.OF_BRANCH.get(name, "true").format(branch=int(branch_id))
                    self._root.execute(
                        f"CREATE VIEW {schema}.{name} AS FROM {WHOLE}.{name} WHERE {condition}"
                    )
                self._schemas[branch_id] = schema
        return self._schemas[branch_id]

    def select(
        self,
        schema: str,
        sql: str,
        parameters: Mapping[str, object] | None = None,
        *,
        most_rows: int,
        seconds: float = LONGEST_QUERY_SECONDS,
    ) -> pa.Table:
        """Run one SELECT that `judge` allowed; at most `most_rows` + 1 rows, so that the caller
        sees whether there are more. TooSlow after `seconds`."""
        with self._root.cursor() as cursor:
            cursor.execute(f"USE {schema}")
            cursor.execute("BEGIN TRANSACTION READ ONLY")
            alarm = threading.Timer(seconds, cursor.interrupt)
            alarm.start()
            try:
                # The report on lines of its own: it may end in a comment.
                whole = f"SELECT * FROM (\n{sql}\n) AS report LIMIT {int(most_rows) + 1}"  # noqa: S608
                found = cursor.sql(whole, params=dict(parameters) if parameters else None)
                return found.to_arrow_table()
            except duckdb.InterruptException as stopped:
                raise TooSlow from stopped
            finally:
                alarm.cancel()
                cursor.execute("ROLLBACK")

    def columns(self, sql: str, parameters: Mapping[str, object]) -> dict[str, str]:
        """The columns of a SELECT with DuckDB's type names, without running it."""
        with self._root.cursor() as cursor:
            cursor.execute(f"USE {WHOLE}")
            found = cursor.sql(sql, params=dict(parameters) if parameters else None)
            return dict(zip(found.columns, map(str, found.types), strict=True))

    def names(self) -> frozenset[str]:
        """Every name of a table or view that DuckDB knows, its own included."""
        with self._root.cursor() as cursor:
            rows = cursor.execute(
                "SELECT table_name FROM duckdb_tables() UNION SELECT view_name FROM duckdb_views()"
            ).fetchall()
        return frozenset(name.lower() for (name,) in rows)

    def tree(self, sql: str) -> dict[str, Any]:
        """The syntax tree of a SELECT, or an object that says why there is none."""
        with self._root.cursor() as cursor:
            row = cursor.execute(
                "SELECT json_serialize_sql($sql::VARCHAR)", {"sql": sql}
            ).fetchone()
        assert row is not None
        tree: dict[str, Any] = json.loads(row[0])
        return tree

    def close(self) -> None:
        """Forget everything and end the reader."""
        if self._feed is not None:
            self._feed.close()
        self._root.close()

    def _age(self) -> float:
        return monotonic() - self._read_at

    def _refresh(self, as_of: datetime) -> None:
        started = monotonic()
        small = started - self._small_at > SMALL_AGE_SECONDS
        try:
            mark = self._take_in(self._mark, small)
        except _ProductChanged:  # the places of its lines are no longer right: read everything
            mark = self._take_in(Mark(), small=True)
        self._mark, self._as_of, self._read_at = mark, as_of, started
        if small:
            self._small_at = started

    def _take_in(self, since: Mark, small: bool) -> Mark:
        """All of a reading, or nothing of it."""
        assert self._feed is not None
        first = since.upto is None
        with self._root.cursor() as cursor:
            cursor.execute("BEGIN TRANSACTION")
            try:
                if first:
                    cursor.execute(tables.EMPTY)
                mark = self._feed.read(
                    since,
                    lambda name, pieces: _take(cursor, name, pieces, with_days=not first),
                    small=small,
                )
                if first:
                    cursor.execute(tables.ALL_DAYS)
            except BaseException:
                cursor.execute("ROLLBACK")
                raise
            cursor.execute("COMMIT")
        return mark


class _ProductChanged(Exception):
    """An account has another product than before."""


def _take(
    cursor: duckdb.DuckDBPyConnection, name: str, pieces: Iterator[pa.Table], *, with_days: bool
) -> None:
    if name in tables.SMALL:
        _replace(cursor, name, list(pieces))
        return
    statements = {
        "entries": [tables.ADD_KINDS, tables.ADD_ENTRIES],
        "postings": [tables.ADD_PLACES, tables.ADD_LINES],
    }[name]
    if with_days and name == "postings":
        statements += [tables.TOTALS_OF_LINES, tables.ADD_TO_DAYS, tables.ADD_NEW_DAYS]
    for piece in pieces:
        with _incoming(cursor, piece):
            for statement in statements:
                cursor.execute(statement)


def _replace(cursor: duckdb.DuckDBPyConnection, name: str, pieces: list[pa.Table]) -> None:
    columns, query = tables.SMALL[name]
    if not pieces:
        cursor.execute(f"CREATE OR REPLACE TABLE raw.{name} ({columns})")
        return
    with _incoming(cursor, pa.concat_tables(pieces)):
        if name == "accounts" and cursor.execute(tables.PRODUCT_CHANGED).fetchall():
            raise _ProductChanged
        cursor.execute(f"CREATE OR REPLACE TABLE raw.{name} ({columns})")
        cursor.execute(f"INSERT INTO raw.{name} {query}")


@contextmanager
def _incoming(cursor: duckdb.DuckDBPyConnection, piece: pa.Table) -> Iterator[None]:
    cursor.register("incoming", piece)
    try:
        yield
    finally:
        cursor.unregister("incoming")


_warehouses: Final[weakref.WeakKeyDictionary[Database, Warehouse]] = weakref.WeakKeyDictionary()
_opening: Final = threading.Lock()


def warehouse(bank: Bank) -> Warehouse:
    """This process's copy of the bank, made when first asked for; it ends with its Database."""
    with _opening:
        found = _warehouses.get(bank.db)
        if found is None:
            found = _warehouses[bank.db] = Warehouse(Feed(bank.db.url))
            weakref.finalize(bank.db, found.close)
        return found


def fresh(bank: Bank, *, max_age: float = MOST_AGE_SECONDS) -> Freshness:
    """Make sure that the copy is at most `max_age` seconds old; FeedBroken when it cannot be."""
    return warehouse(bank).fresh(bank.clock.now, max_age)


def keep_fresh(bank: Bank, stop: threading.Event) -> None:
    """Read the bank at once, then keep the copy warm while somebody looks, until `stop` is set.

    A thread of `serve`, so that no page waits for a reading.
    """
    copy = warehouse(bank)
    while True:
        try:
            copy.keep_up(bank.clock.now)
        except FeedBroken:
            log.warning("the bank could not be read for reports; trying again", exc_info=True)
        if stop.wait(MOST_AGE_SECONDS / 2):
            return


@dataclass(frozen=True)
class Judged:
    """An allowed SELECT: tables and parameters it uses, its columns with DuckDB's type names, and
    sentences about amounts that it adds across currencies."""

    tables: frozenset[str]
    parameters: frozenset[str]
    columns: dict[str, str]
    mixed: list[str]


def judge(sql: str, parameters: Mapping[str, object]) -> Judged:
    """Judge a report's SQL on empty tables; guard.Refused says what is wrong.

    `parameters` gives a value of the right type for each parameter the SQL may use.
    """
    copy = _nobodys()
    tree = copy.tree(sql)
    checked = guard.check(tree, tables.TABLES, copy.names())
    if unknown := sorted(checked.parameters - set(parameters)):
        raise guard.Refused(f"the parameter ${unknown[0]} is not declared")
    given = {name: parameters[name] for name in checked.parameters}
    try:
        columns = copy.columns(sql, given)
    except duckdb.Error as wrong:
        raise guard.Refused(str(wrong).splitlines()[0]) from wrong
    return Judged(checked.tables, checked.parameters, columns, currencies.faults(tree))


def judge_check(sql: str, known: Collection[str]) -> None:
    """Judge a check's SQL, which runs on the bank's own tables `known`; guard.Refused if wrong."""
    guard.check(_nobodys().tree(sql), known, known)


@cache
def _nobodys() -> Warehouse:
    return Warehouse()
