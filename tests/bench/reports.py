"""How fast the branch's money is added up, against the plainest sum and against SQLite.

Both run the dashboard's own report through the engine: permission, parameters, freshness, scope of
the whole bank, the guarded SQL, and Arrow out. The rows are made, not read: what the feed costs is
not measured here.

The bank's own database holds postings and no totals of days, so SQLite adds them up while it
answers. What the same SQL takes on totals that are ready there too, in a table with the right
indexes, is measured as well and told in the detail (`ratio_on_ready_totals`), without a limit:
keeping such a table would be a cost of every booking, which the copy in memory spares.
"""

import sqlite3
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from bank.core.clock import FixedClock
from bank.core.db import Database
from bank.core.desk import Bank, Desk
from bank.core.permissions import Role
from bank.core.secrets import Keyring
from bank.night import analytics, report_files, reports
from bank.night.analytics import Warehouse
from tests.bench.harness import Pair, Timed, Workshop, bench
from tests.reports.made_bank import LAST_DAY, MadeFeed
from tests.support.bank import NOON, SECRET, settings_for

REPORT: Final = "branch_money"
TEN_MILLION: Final = 10_000_000
MILLION: Final = 1_000_000
BRANCHES: Final = 200
ROUNDS_BESIDE: Final = 7
# The documented tables as a bank without a copy in memory has them. The report adds up whatever it
# gets, so daily_totals is the postings themselves: grouped by day first, SQLite takes longer.
ON_SQLITE: Final = """
CREATE TABLE gl_accounts (id INTEGER PRIMARY KEY, code TEXT, name TEXT, kind TEXT, is_control INT);
CREATE TABLE products (id INTEGER PRIMARY KEY, code TEXT, name TEXT, gl_code TEXT);
CREATE TABLE branches (id INTEGER PRIMARY KEY, ifsc TEXT, name TEXT);
CREATE TABLE accounts (
    id INTEGER PRIMARY KEY, customer_id INT, product_id INT, branch_id INT, currency TEXT);
CREATE TABLE postings (
    entry_id INT NOT NULL, leg INT NOT NULL, gl_account_id INT NOT NULL, account_id INT,
    branch_id INT NOT NULL, currency TEXT NOT NULL, amount_minor INT NOT NULL,
    booking_date TEXT NOT NULL, PRIMARY KEY (entry_id, leg)) WITHOUT ROWID;
CREATE INDEX ix_postings_gl_account_id ON postings (gl_account_id, branch_id, booking_date);
CREATE VIEW daily_totals AS
    SELECT p.booking_date, p.branch_id, p.gl_account_id, a.product_id, p.currency,
           MAX(p.amount_minor, 0) AS credit_minor, MIN(p.amount_minor, 0) AS debit_minor
    FROM postings p LEFT JOIN accounts a ON a.id = p.account_id;
"""
READY: Final = "ready_totals"
# The totals as the copy in memory keeps them, indexed for this report: by place, and by day.
READY_ON_SQLITE: Final = f"""
CREATE TABLE {READY} AS
    SELECT booking_date, branch_id, gl_account_id, product_id, currency,
           SUM(credit_minor) AS credit_minor, SUM(debit_minor) AS debit_minor
    FROM daily_totals
    GROUP BY booking_date, branch_id, gl_account_id, product_id, currency;
CREATE INDEX ix_ready_place ON {READY} (
    branch_id, currency, gl_account_id, product_id, booking_date, credit_minor, debit_minor);
CREATE INDEX ix_ready_day ON {READY} (booking_date);
ANALYZE;
"""


@contextmanager
def a_desk(folder: Path, feed: MadeFeed) -> Iterator[Desk]:
    """An auditor's desk in a bank whose copy holds what `feed` makes up."""
    settings = settings_for(folder)
    bank = Bank(
        db=Database(settings.resolved_url()),
        clock=FixedClock(NOON),
        settings=settings,
        keyring=Keyring(SECRET),
    )
    copy = analytics._warehouses[bank.db] = Warehouse(feed)
    analytics.fresh(bank)
    yield Desk(bank=bank, role=Role.AUDITOR, user_id=7, name="bench")
    copy.close()
    bank.db.close()


def totals(rows: Any) -> list[tuple[Any, ...]]:
    """Rows of the report as tuples, in a fixed order."""
    return sorted(tuple(row) for row in rows)


def of_report(desk: Desk) -> list[tuple[Any, ...]]:
    """What the engine answers, in a fixed order; nulls first as in SQLite's tuples."""
    return totals(
        tuple(value if value is not None else "" for value in row.values())
        for row in reports.run(desk, REPORT).rows
    )


@bench("report.branch_money.10m", limit=6, unit="s/report", rounds=15)
def branch_money_10m(shop: Workshop) -> Pair:
    """The report over ten million postings; reference: DuckDB's own sum of their amounts."""
    desk = shop.enter(a_desk(shop.tmp, MadeFeed(TEN_MILLION, branches=BRANCHES, accounts=200_000)))
    copy = analytics.warehouse(desk.bank)
    cursor = copy._root.cursor()
    shop.callback(cursor.close)
    found = cursor.execute("SELECT COUNT(*), COUNT(DISTINCT branch_id) FROM whole.postings")
    [(postings, branches)] = found.fetchall()
    assert (postings, branches) == (TEN_MILLION, BRANCHES)
    [(memory,)] = cursor.execute("SELECT memory_usage FROM pragma_database_size()").fetchall()
    [(days,)] = cursor.execute("SELECT COUNT(*) FROM raw.days").fetchall()
    shop.detail.update(postings=postings, branches=branches, daily_totals=days, memory=memory)

    def raw_sum() -> None:
        [(total,)] = cursor.execute("SELECT SUM(amount_minor) FROM raw.journal_lines").fetchall()
        assert total == 0

    return lambda: reports.run(desk, REPORT), raw_sum


@bench("report.branch_money.1m_sql", limit=0.05, unit="s/report", rounds=5)
def branch_money_1m_sql(shop: Workshop) -> Pair:
    """The report over a million postings; reference: its very SQL on SQLite's own postings."""
    feed = MadeFeed(MILLION, branches=BRANCHES, accounts=20_000)
    desk = shop.enter(a_desk(shop.tmp / "bank", feed))
    book = _on_sqlite(shop.tmp / "plain.db", feed)
    shop.callback(book.close)
    sql, day = report_files.catalogue()[REPORT].sql, {"day": LAST_DAY.isoformat()}

    def on_sqlite() -> list[tuple[Any, ...]]:
        return book.execute(sql, day).fetchall()

    def on_ready_totals() -> list[tuple[Any, ...]]:
        return book.execute(sql.replace("daily_totals", READY), day).fetchall()

    book.executescript(READY_ON_SQLITE)
    theirs = _rows(on_sqlite())
    assert of_report(desk) == theirs == _rows(on_ready_totals())
    shop.detail.update(
        postings=MILLION,
        branches=BRANCHES,
        rows=len(theirs),
        reference="the report's SQL on postings, which SQLite adds up in a view",
        ratio_on_ready_totals=_ratio(lambda: reports.run(desk, REPORT), on_ready_totals),
    )
    return lambda: reports.run(desk, REPORT), on_sqlite


def _rows(found: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return totals(tuple(value if value is not None else "" for value in row) for row in found)


def _ratio(ours: Timed, theirs: Timed) -> float:
    """How long one takes beside the other, in rounds that alternate; no promise rests on it."""
    took: dict[Timed, list[float]] = {ours: [], theirs: []}
    for _ in range(ROUNDS_BESIDE):
        for work, seconds in took.items():
            began = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - began)
    return round(statistics.median(took[ours]) / statistics.median(took[theirs]), 4)


def _on_sqlite(path: Path, feed: MadeFeed) -> sqlite3.Connection:
    book = sqlite3.connect(path)
    book.execute("PRAGMA cache_size = -500000")  # all of it fits: no disk is measured
    book.executescript(ON_SQLITE)
    small = feed.small()
    for name in ("gl_accounts", "products", "branches", "accounts"):
        columns = [row[1] for row in book.execute(f"PRAGMA table_info({name})")]
        _insert(book, name, small[name].select(columns))
    columns = [row[1] for row in book.execute("PRAGMA table_info(postings)")]
    for piece in feed.lines():
        _insert(book, "postings", piece.select(columns))
    book.execute("ANALYZE")
    return book


def _insert(book: sqlite3.Connection, name: str, rows: Any) -> None:
    marks = ", ".join("?" * rows.num_columns)
    values = [
        [cell.isoformat() if hasattr(cell, "isoformat") else cell for cell in row.values()]
        for row in rows.to_pylist()
    ]
    book.executemany(f"INSERT INTO {name} VALUES ({marks})", values)
    book.commit()
