"""Breaking a bank's book on purpose: its guards off, its rows changed behind its back."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from sqlalchemy import text

from bank.core.desk import Bank, chunk
from tests.reports.town import Town

GUARDED: Final = (
    *("postings", "entries", "holds", "balances", "accounts", "floor_waivers"),
    *("cash_moves", "cash_slips", "drawers", "book_closings", "account_freezes"),
    *("fund_vouchers", "transfers"),
)


def without_guards(bank: Bank) -> None:
    """Take triggers, keys and checks away, as whoever owns the database can."""
    if bank.db.dialect == "sqlite":
        bank.db.close()
        _bare_sqlite(Path(str(bank.db.url.database)))
    else:
        _bare_postgres(bank)


def _bare_sqlite(path: Path) -> None:
    book = sqlite3.connect(path, isolation_level=None)
    book.execute("PRAGMA legacy_alter_table = ON")  # leave what refers to a table as it is
    for (trigger,) in book.execute(
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    ).fetchall():
        book.execute(f"DROP TRIGGER {trigger}")
    for table in GUARDED:  # a copy has the rows and none of the rules
        book.execute(f"CREATE TABLE bare AS SELECT * FROM {table}")
        book.execute(f"DROP TABLE {table}")
        book.execute(f"ALTER TABLE bare RENAME TO {table}")
    book.close()


def _bare_postgres(bank: Bank) -> None:
    with chunk(Town(bank).system, "tests.bare") as tx:
        tables = ", ".join(f"'{table}'" for table in GUARDED)
        names: list[Any] = list(
            tx.connection.execute(
                text(
                    "SELECT c.relname, t.tgname FROM pg_trigger t"
                    " JOIN pg_class c ON c.oid = t.tgrelid"
                    f" WHERE NOT t.tgisinternal AND c.relname IN ({tables})"
                )
            )
        )
        for table, trigger in names:
            tx.connection.execute(text(f'DROP TRIGGER "{trigger}" ON {table}'))
        rules: list[Any] = list(
            tx.connection.execute(
                text(
                    "SELECT c.relname, k.conname FROM pg_constraint k"
                    " JOIN pg_class c ON c.oid = k.conrelid"
                    f" WHERE k.contype IN ('p', 'u', 'f', 'c') AND c.relname IN ({tables})"
                )
            )
        )
        for table, rule in rules:
            tx.connection.execute(
                text(f'ALTER TABLE {table} DROP CONSTRAINT IF EXISTS "{rule}" CASCADE')
            )

        # A trigger stamped each entry with its transaction. A forger who left the stamp out would
        # be caught by the seals at once; the one to find here does not make that mistake.
        tx.connection.execute(
            text("ALTER TABLE entries ALTER COLUMN txid SET DEFAULT pg_current_xact_id()")
        )


def tamper(bank: Bank, *statements: str) -> None:
    """Change rows by raw SQL, with no key to mind."""
    if bank.db.dialect == "sqlite":
        with closing(sqlite3.connect(str(bank.db.url.database), isolation_level=None)) as book:
            for statement in statements:
                assert book.execute(statement).rowcount != 0, statement
        return
    with chunk(Town(bank).system, "tests.tamper") as tx:
        for statement in statements:
            assert tx.connection.execute(text(statement)).rowcount != 0, statement
