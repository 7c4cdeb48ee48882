"""How much the import of 100,000 entries adds to the bare driver inserting the very same rows.

Ours is `imports.import_books` as the command line calls it: four files read and checked, every
entry told from those the book has, booked, its balance followed, trail and batch written. The
reference is sqlite3 on a copy of the same empty database (schema, indexes, triggers, durability),
with the rows that the import made ready in memory, in the same transactions; it checks nothing.
"""

import csv
import gc
import random
import shutil
import sqlite3
import statistics
import time
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from bank import app
from bank.book import posting_sqlite
from bank.core.clock import FixedClock
from bank.night import imports
from bank.night.import_files import COLUMNS
from tests.bench.harness import Rounds, Workshop, bench
from tests.bench.ledger import RawSqlite
from tests.support.bank import NOON, settings_for

ENTRIES: Final = 100_000
ACCOUNTS: Final = 2_000
BRANCHES: Final = 10
KINDS: Final = ("cash", "clearing", "interest", "fee", "card", "transfer")
FIRST_DAY: Final = date(2025, 1, 1)
# In the order of their keys, with what an import inserts at a time.
TABLES: Final = {
    "branches": imports.PEOPLE_AT_ONCE,
    "customers": imports.PEOPLE_AT_ONCE,
    "balances": imports.PEOPLE_AT_ONCE,
    "accounts": imports.PEOPLE_AT_ONCE,
}
STARTS_EMPTY: Final = {"booked_minor", "held_minor", "lines"}  # of a balance; triggers move it


def write_books(folder: Path) -> None:
    """A year of a bank with random payments; no account goes below zero."""
    chance = random.Random(7)
    folder.mkdir(parents=True)
    rows: dict[str, list[Sequence[object]]] = {
        "branches.csv": [
            (f"BNCH0{number:06d}", f"Branch {number}", f"{number} Main Road")
            for number in range(BRANCHES)
        ],
        "customers.csv": [
            (f"C{number}", f"Customer {number}", "1980-01-01", "", "", "",
             f"BNCH0{number % BRANCHES:06d}")
            for number in range(ACCOUNTS)
        ],
        "accounts.csv": [
            (10_000_000 + number, f"C{number}", ("savings", "current")[number % 2], "INR",
             "2025-01-01", "0")
            for number in range(ACCOUNTS)
        ],
        "entries.csv": [],
    }  # fmt: skip
    held = [0] * ACCOUNTS
    for number in range(ENTRIES):
        account = chance.randrange(ACCOUNTS)
        amount = chance.randint(100, 50_000_00)
        if held[account] >= amount and chance.random() < 0.6:
            amount = -amount
        held[account] += amount
        rows["entries.csv"].append(
            (f"core-{number:09d}", 10_000_000 + account,
             FIRST_DAY + timedelta(days=number * 365 // ENTRIES), _major(amount),
             chance.choice(KINDS), f"Payment {number} to somebody at the market",
             _major(held[account]))
        )  # fmt: skip
    for name, columns in COLUMNS.items():
        with (folder / name).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([columns, *rows[name]])


def _major(amount_minor: int) -> str:
    sign = "-" if amount_minor < 0 else ""
    return f"{sign}{abs(amount_minor) // 100}.{abs(amount_minor) % 100:02d}"


class Shelf:
    """Empty banks to fill, and the rows that an import puts into one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.books = folder / "books"
        self.template = folder / "template" / "bank.db"
        app.open_bank(settings_for(self.template.parent), clock=FixedClock(NOON)).db.close()
        with sqlite3.connect(self.template) as driver:
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        driver.close()

    def empty(self, name: str) -> Path:
        """A folder with an empty bank."""
        place = self.folder / name
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        shutil.copy(self.template, place / "bank.db")
        return place

    def ours(self) -> float:
        """Seconds of an import into an empty bank."""
        place = self.empty("ours")
        bank = app.open_bank(settings_for(place), clock=FixedClock(NOON), migrated=True)
        gc.collect()
        begun = time.perf_counter()
        report = imports.import_books(app.system_desk(bank), self.books)
        elapsed = time.perf_counter() - begun
        bank.db.close()
        assert report.figures() == {
            "entries": ENTRIES,
            "accounts": ACCOUNTS,
            "new": ENTRIES,
            "rejected": 0,
            "balance_differences": 0,
        }
        return elapsed

    def remember(self) -> None:
        """Read the rows that the last import made, as they went in."""
        driver = sqlite3.connect(self.folder / "ours" / "bank.db")
        self.rows: dict[str, tuple[str, list[tuple[Any, ...]]]] = {}
        for table in (*TABLES, "postings", "entries"):
            columns = [row[1] for row in driver.execute(f"PRAGMA table_info({table})")]
            wanted = ["0" if column in STARTS_EMPTY else column for column in columns]
            order = "entry_id, leg" if table == "postings" else columns[0]
            found = driver.execute(f"SELECT {', '.join(wanted)} FROM {table} ORDER BY {order}")
            sql = (
                f"INSERT INTO {table} ({', '.join(columns)})"
                f" VALUES ({', '.join('?' * len(columns))})"
            )
            self.rows[table] = (sql, found.fetchall())
        # The lines of an entry reach the book through its draft.
        lines = [row[:-1] for row in self.rows["postings"][1]]  # txid is PostgreSQL's
        self.rows["postings"] = (posting_sqlite.LINE_SQL, lines)
        driver.close()

    def reference(self) -> float:
        """Seconds of the bare inserts into an empty bank."""
        driver = RawSqlite(self.empty("raw") / "bank.db").driver
        gc.collect()
        begun = time.perf_counter()
        for table, at_once in TABLES.items():
            sql, rows = self.rows[table]
            for start in range(0, len(rows), at_once):
                driver.execute("BEGIN IMMEDIATE")
                driver.executemany(sql, rows[start : start + at_once])
                driver.execute("COMMIT")
        line_sql, lines = self.rows["postings"]
        entry_sql, entries = self.rows["entries"]
        assert len(lines) == 2 * len(entries)  # every account is booked at its own branch
        for start in range(0, len(entries), imports.ENTRIES_AT_ONCE):
            end = start + imports.ENTRIES_AT_ONCE
            driver.execute("BEGIN IMMEDIATE")
            driver.executemany(line_sql, lines[2 * start : 2 * end])
            driver.executemany(entry_sql, entries[start:end])
            driver.execute("COMMIT")
        elapsed = time.perf_counter() - begun
        booked = driver.execute("SELECT COUNT(*), SUM(booked_minor) FROM balances").fetchone()
        assert booked == (ACCOUNTS, sum(line[6] for line in lines if line[3] is not None))
        driver.close()
        return elapsed


@bench("import.sqlite", limit=2.0, unit="s/100,000 entries", rounds=5)
def import_sqlite(shop: Workshop) -> Rounds:
    """100,000 entries into an empty bank on SQLite."""
    shelf = Shelf(shop.tmp)
    write_books(shelf.books)
    shelf.ours()  # warms up, and makes the rows of the reference
    shelf.remember()
    took = []
    for number in range(shop.rounds):
        if shop.ours_first(number):
            mine = shelf.ours()
            theirs = shelf.reference()
        else:
            theirs = shelf.reference()
            mine = shelf.ours()
        took.append(mine)
        yield mine, theirs
    shop.detail["entries_per_second"] = round(ENTRIES / statistics.median(took))
    shop.detail["accounts"] = ACCOUNTS
