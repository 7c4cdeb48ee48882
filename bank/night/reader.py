"""The bank's database read in a process of its own: ADBC in, Arrow out.

`feed.py` holds the other end of the pipe.

Why its own process: the ADBC driver brings a second copy of SQLite. POSIX locks belong to a
process, so two copies that open one file in one process drop each other's locks, and another
process (an import, the worker) can then write in the middle of a write.

Each line of stdin is a request: what the reader's owner has already. The answer is one line of
JSON (the new mark and the names of the tables that follow) and then one Arrow stream per table,
all of it from one read transaction. Any error ends the process; its owner starts another.
"""

import json
import re
import sys
from typing import Any, BinaryIO, Final
from urllib.parse import quote

import pyarrow as pa

ROWS_PER_BATCH: Final = 65_536
UTC: Final = re.compile(r"UTC\((\w+)\)")
SNAPSHOT: Final = re.compile(r"\d+:\d+:[\d,]*")

# UTC(...) is an instant without a zone, written for each database where the statement is run.
# Tables that change in place: read whole, when their size or newest id moved or their copy is old.
# The last four digits are all that leaves the database of an account number.
SMALL: Final = {
    "gl_accounts": "SELECT id, code, name, kind, is_control FROM gl_accounts",
    "products": "SELECT id, code, name, gl_code FROM products",
    "branches": "SELECT id, ifsc, name FROM branches",
    "customers": "SELECT id, number, branch_id, UTC(created_at) AS created_at FROM customers",
    "accounts": (
        "SELECT id, substr(number, length(number) - 3) AS last_digits, customer_id, product_id,"
        " branch_id, currency, opened_on, status FROM accounts"
    ),
}
# Tables that only grow: read from where the last reading ended.
GROWING: Final = {
    "entries": (
        "SELECT id, kind, narration, branch_id, actor_id, channel, UTC(booked_at) AS booked_at,"
        " booking_date, value_date, reverses_id FROM entries"
    ),
    "postings": (
        "SELECT entry_id, leg, gl_account_id, account_id, branch_id, currency, amount_minor,"
        " booking_date, value_date FROM postings"
    ),
}
_ID: Final = {"entries": "id", "postings": "entry_id"}


def since_sqlite(mark: str, table: str) -> str:
    """The rows after a mark: one writer hands out ids that ascend, so the last id is the mark."""
    return f" WHERE {_ID[table]} > {int(mark)}"


def since_postgres(mark: str, table: str) -> str:
    """The rows after a mark: whatever was not visible in the snapshot of the last reading.

    Ids commit out of order here; a transaction that was in flight then is found by its own id.
    """
    if not SNAPSHOT.fullmatch(mark):
        raise ValueError(f"not a snapshot: {mark!r}")
    return (
        f" WHERE txid >= pg_snapshot_xmin('{mark}'::pg_snapshot)"
        f" AND NOT pg_visible_in_snapshot(txid, '{mark}'::pg_snapshot)"
    )


class Source:
    """One connection to the bank's database, which only reads.

    `place` is a file's path for sqlite, a libpq URI for postgresql.
    """

    def __init__(self, dialect: str, place: str) -> None:
        self.dialect: Final = dialect
        self._utc: Final = r"\1" if dialect == "sqlite" else r"\1 AT TIME ZONE 'UTC'"
        self._connection = _sqlite(place) if dialect == "sqlite" else _postgres(place)

    def answer(self, request: dict[str, Any], out: BinaryIO) -> None:
        """Write what changed since the request's `mark` (null for everything).

        `sizes` are the [count, newest id] of the small tables the owner has; one that differs, or
        any when `small` is true, is sent whole.
        """
        lite = self.dialect == "sqlite"
        self._run("BEGIN" if lite else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            mark = self._value(
                "SELECT COALESCE(MAX(id), 0) FROM entries"
                if lite
                else "SELECT pg_current_snapshot()::text"
            )
            sizes = {name: self._size(name) for name in SMALL}
            statements = {
                name: sql
                for name, sql in SMALL.items()
                if request["small"] or request["sizes"].get(name) != sizes[name]
            }
            if request["mark"] != str(mark):
                statements |= self._growing(request["mark"])
            header = {"mark": str(mark), "sizes": sizes, "tables": list(statements)}
            out.write(json.dumps(header).encode() + b"\n")
            for sql in statements.values():
                self._stream(sql, out)
            out.flush()
        finally:
            self._run("ROLLBACK")

    def _growing(self, mark: str | None) -> dict[str, str]:
        if mark is None:
            return dict(GROWING)
        since = since_sqlite if self.dialect == "sqlite" else since_postgres
        return {name: sql + since(mark, name) for name, sql in GROWING.items()}

    def _run(self, sql: str) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(sql)

    def _value(self, sql: str) -> Any:
        with self._connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchone()[0]

    def _size(self, table: str) -> list[int]:
        with self._connection.cursor() as cursor:
            cursor.execute(f"SELECT COUNT(*), COALESCE(MAX(id), 0) FROM {table}")  # noqa: S608
            count, newest = cursor.fetchone()
            return [int(count), int(newest)]

    def _stream(self, sql: str, out: BinaryIO) -> None:
        with self._connection.cursor() as cursor:
            if self.dialect == "sqlite":
                cursor.adbc_statement.set_options(
                    **{"adbc.sqlite.query.batch_rows": str(ROWS_PER_BATCH)}
                )
            cursor.execute(UTC.sub(self._utc, sql))
            batches = cursor.fetch_record_batch()
            with pa.ipc.new_stream(out, batches.schema) as stream:
                for batch in batches:
                    stream.write_batch(batch)

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()


def _sqlite(path: str) -> Any:
    from adbc_driver_sqlite import dbapi

    return dbapi.connect(f"file:{quote(path)}?mode=ro", autocommit=True)


def _postgres(uri: str) -> Any:
    from adbc_driver_postgresql import dbapi

    return dbapi.connect(uri, autocommit=True)


def main() -> None:
    """Serve requests until stdin ends, which it does also when the bank's process dies."""
    place = json.loads(sys.stdin.buffer.readline())
    source = Source(place["dialect"], place["place"])
    for line in sys.stdin.buffer:
        source.answer(json.loads(line), sys.stdout.buffer)
    source.close()


if __name__ == "__main__":
    main()
