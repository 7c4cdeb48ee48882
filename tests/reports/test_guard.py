"""Nothing but one harmless SELECT over the documented tables runs as a report."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from bank.night import analytic_tables, analytics, guard
from bank.night.analytics import WHOLE, Warehouse, judge
from bank.night.guard import Refused
from tests.reports.made_bank import MadeFeed
from tests.support.bank import NOON

pytestmark = pytest.mark.feature("B7", "B8")

ATTACKS = {
    "a second statement": "SELECT 1; DROP TABLE raw.journal_lines",
    "a second statement behind a bracket": "SELECT 1) AS x; DROP TABLE raw.days; SELECT (1",
    "closing the bracket around it": "SELECT 1) AS x, (SELECT * FROM postings",
    "no SELECT": "DELETE FROM postings",
    "a write in a common table expression": (
        "WITH x AS (DELETE FROM raw.journal_lines RETURNING *) SELECT COUNT(*) FROM x"
    ),
    "an insert in a common table expression": (
        "WITH x AS (INSERT INTO raw.days FROM raw.days RETURNING *) SELECT COUNT(*) FROM x"
    ),
    "an update in a common table expression": (
        "WITH x AS (UPDATE raw.days SET lines = 0 RETURNING *) SELECT COUNT(*) FROM x"
    ),
    "a file written in a common table expression": (
        "WITH x AS (COPY postings TO 'stolen.csv') SELECT * FROM x"
    ),
    "a file written": "COPY postings TO 'stolen.csv'",
    "a file read by a function": "SELECT * FROM read_csv('/etc/passwd')",
    "a file read as text": "SELECT * FROM read_text('/etc/passwd')",
    "a file read by its name": "SELECT * FROM '/etc/passwd'",
    "a list of files": "SELECT * FROM glob('/etc/*')",
    "another database": "ATTACH ':memory:' AS mine",
    "an extension": "INSTALL httpfs",
    "a setting": "SET memory_limit = '99GB'",
    "a pragma": "PRAGMA database_list",
    "a call": "CALL pragma_version()",
    "a raw table": "SELECT * FROM raw.journal_lines",
    "a raw table with its catalog": "SELECT * FROM memory.raw.journal_lines",
    "another schema": "SELECT * FROM whole.postings",
    "another schema, quoted": 'SELECT * FROM "whole"."postings"',
    "a query in text": "SELECT * FROM query('SELECT * FROM raw.journal_lines')",
    "a table in text": "SELECT * FROM query_table('raw.journal_lines')",
    "a query as a tree": "SELECT * FROM json_execute_serialized_sql('{}')",
    "the catalogue of tables": "SELECT * FROM duckdb_tables()",
    "the catalogue as a view": "SELECT * FROM duckdb_tables",
    "the catalogue of the standard": "SELECT * FROM information_schema.tables",
    "the catalogue of SQLite": "SELECT * FROM sqlite_master",
    "describing a table": "DESCRIBE postings",
    "a table of one's own under a known name": (
        "WITH postings AS (SELECT 1 AS amount_minor) SELECT * FROM postings"
    ),
    "a catalogue behind a name made known elsewhere": (
        "SELECT * FROM (WITH duckdb_tables AS (SELECT 1) FROM duckdb_tables), duckdb_tables"
    ),
    "the environment": "SELECT getenv('HOME')",
    "a setting read": "SELECT current_setting('memory_limit')",
    "a function by its schema": "SELECT main.sum(amount_minor) FROM postings",
    "a chained function": "SELECT narration.query() FROM entries",
    "a function inside a window": "SELECT query('x') OVER () FROM postings",
    "the machine's clock": "SELECT now()",
    "the machine's date as a column": "SELECT CURRENT_DATE",
    "chance": "SELECT random() FROM postings",
    "a sample": "SELECT * FROM postings TABLESAMPLE 1%",
    "an earlier version": "SELECT * FROM postings AT (VERSION => 1)",
    "an endless recursion": "WITH RECURSIVE t AS (SELECT 1 UNION ALL FROM t) FROM t",
    "columns by a pattern": "SELECT COLUMNS('.*') FROM postings",
    "a lambda": "SELECT list_transform([1], x -> x)",
    "a parameter nobody declared": "SELECT $secret",
    "a parameter without a name": "SELECT ?",
    "a column that is not there": "SELECT pan FROM customers",
    "nothing": "",
}


@pytest.mark.parametrize("sql", ATTACKS.values(), ids=ATTACKS)
def test_an_attack_is_refused_before_it_runs(sql: str) -> None:
    with pytest.raises(Refused):
        judge(sql, {})


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT currency, SUM(amount_minor) AS a_minor FROM postings GROUP BY currency",
        "WITH t AS (FROM postings) SELECT COUNT(*) AS n FROM t",
        "SELECT t.n FROM (SELECT COUNT(*) AS n FROM entries) AS t",
        "SELECT kind FROM entries UNION ALL SELECT name FROM products ORDER BY 1 LIMIT 5",
        "SELECT leg FROM postings WHERE EXISTS (SELECT 1 FROM entries e WHERE e.id = entry_id)",
        "SELECT DATE_TRUNC('month', booking_date) AS month, COUNT(*) FROM postings GROUP BY ALL",
        "SELECT 'copy to' AS note, id AS \"delete\" FROM entries -- not a COPY",
        "SELECT id, LAG(id) OVER (ORDER BY id) AS before FROM entries WHERE booking_date < $day",
        "SELECT range FROM range(3)",
        "VALUES (1), (2)",
    ],
)
def test_an_honest_select_is_allowed(sql: str) -> None:
    assert judge(sql, {"day": "2026-01-01"}).tables <= analytic_tables.TABLES


def test_what_is_judged_is_told() -> None:
    judged = judge(
        "SELECT id FROM entries e JOIN postings p ON p.entry_id = id WHERE id > $n", {"n": 1}
    )
    assert judged.tables == {"entries", "postings"}
    assert judged.parameters == {"n"}
    assert judged.columns == {"id": "BIGINT"}


@pytest.mark.parametrize(
    ("sql", "mixed"),
    [
        ("SELECT SUM(amount_minor) AS a_minor FROM postings", True),
        ("SELECT currency, SUM(amount_minor) AS a_minor FROM postings GROUP BY currency", False),
        ("SELECT currency, SUM(amount_minor) AS a_minor FROM postings GROUP BY ALL", False),
        ("SELECT branch_id, MAX(amount_minor) AS a_minor FROM postings GROUP BY ALL", True),
        ("SELECT SUM(amount_minor) OVER (PARTITION BY currency) AS a_minor FROM postings", False),
        ("SELECT SUM(amount_minor) OVER (ORDER BY entry_id) AS a_minor FROM postings", True),
        ("SELECT (SELECT SUM(amount_minor) FROM postings) AS a_minor", True),
        ("WITH t AS (SELECT AVG(credit_minor) AS a_minor FROM daily_totals) FROM t", True),
        ("SELECT COUNT(*) AS n, MAX(booking_date) AS newest FROM postings", False),
    ],
)
def test_adding_across_currencies_is_found(sql: str, mixed: bool) -> None:
    assert bool(judge(sql, {}).mixed) is mixed


# Each adds, shows or hides an amount without its currency, in its own way.
MIXERS = {
    "a grand total": (
        "SELECT currency, SUM(amount_minor) AS a_minor FROM postings GROUP BY ROLLUP(currency)"
    ),
    "a cube": "SELECT currency, SUM(amount_minor) AS a_minor FROM postings GROUP BY CUBE(currency)",
    "one of several groupings": (
        "SELECT currency, SUM(amount_minor) AS a_minor FROM postings"
        " GROUP BY GROUPING SETS ((branch_id), (currency))"
    ),
    "a currency made up": (
        "SELECT 'INR' AS currency, SUM(x) AS a_minor FROM (SELECT amount_minor AS x FROM postings)"
    ),
    "an amount under another name": "SELECT currency, amount_minor AS x FROM postings",
    "an amount as text": "SELECT currency, CAST(amount_minor AS VARCHAR) AS x FROM postings",
    "an amount in a CASE": "SELECT CASE leg WHEN 1 THEN amount_minor ELSE 0 END AS x FROM postings",
    "an amount without a name": "SELECT currency, amount_minor + 1 FROM postings",
    "a made-up currency as a key": (
        "SELECT currency, SUM(a_minor) AS a_minor FROM"
        " (SELECT 'INR' AS currency, amount_minor AS a_minor FROM postings) GROUP BY currency"
    ),
    "the smallest currency": (
        "SELECT MIN(currency) AS currency, amount_minor FROM postings GROUP BY amount_minor"
    ),
    "another column called currency": "SELECT narration AS currency FROM entries",
    "no amount called one": "SELECT currency, leg AS x_minor FROM postings",
    "two tables added": (
        "SELECT a.currency, a.amount_minor + b.amount_minor AS s_minor FROM postings a"
        " JOIN postings b ON a.entry_id = b.entry_id"
    ),
    "two tables added without their names": (
        "SELECT a.currency, amount_minor + credit_minor AS s_minor FROM postings a"
        " JOIN daily_totals b ON a.booking_date = b.booking_date"
    ),
    "another table's amount beside the currency": (
        "SELECT a.currency, b.amount_minor FROM postings a JOIN postings b USING (entry_id)"
    ),
    "another table's amounts under the currency": (
        "SELECT a.currency, SUM(b.amount_minor) AS a_minor FROM postings a"
        " JOIN postings b USING (entry_id) GROUP BY a.currency"
    ),
    "only perhaps the same currency": (
        "SELECT a.currency, b.amount_minor FROM postings a"
        " JOIN postings b ON a.currency = b.currency OR a.leg = b.leg"
    ),
    "all columns of a join": (
        "SELECT SUM(amount_minor_1) AS a_minor FROM"
        " (SELECT * FROM postings a JOIN postings b USING (entry_id)) GROUP BY currency"
    ),
    "a second column of the same name": (
        "SELECT SUM(amount_minor_1) AS a_minor FROM"
        " (SELECT amount_minor, amount_minor FROM postings)"
    ),
    "columns of a table renamed": "SELECT MAX(b) AS s FROM daily_totals AS t(a, b, c, d, e, f)",
    "columns of a query renamed": (
        "SELECT SUM(x) AS s FROM (SELECT amount_minor FROM postings) AS t(x)"
    ),
    "columns of a common table expression renamed": (
        "WITH t(x) AS (SELECT amount_minor FROM postings) SELECT SUM(x) AS s FROM t"
    ),
    "constants called currency": "SELECT * FROM (VALUES ('INR')) AS t(currency)",
    "a column renamed in a star": "SELECT * RENAME (amount_minor AS x) FROM postings",
    "a column replaced in a star": "SELECT * REPLACE ('INR' AS currency) FROM postings",
    "an amount in the second arm": (
        "SELECT leg AS x FROM postings UNION ALL SELECT amount_minor FROM postings"
    ),
    "an amount below nothing": "SELECT NULL AS x UNION ALL SELECT amount_minor FROM postings",
    "a currency in the second arm": (
        "SELECT currency, amount_minor FROM postings UNION ALL"
        " SELECT 'INR', amount_minor FROM postings"
    ),
    "stars in a union": (
        "SELECT * FROM (SELECT leg AS x FROM postings)"
        " UNION ALL SELECT * FROM (SELECT amount_minor FROM postings)"
    ),
    "an amount as a count of rows": (
        "SELECT COUNT(*) AS n FROM postings p, range(p.amount_minor) AS r(x)"
    ),
    "an amount of a query inside": (
        "SELECT currency, (SELECT amount_minor FROM postings LIMIT 1) AS x_minor FROM daily_totals"
    ),
    "an amount of the query outside": (
        "SELECT (SELECT b.currency || a.amount_minor FROM postings b LIMIT 1) AS x FROM postings a"
    ),
    "a share that is an amount in disguise": (
        "SELECT SUM(x) AS s FROM (SELECT amount_minor / GREATEST(LEAST(amount_minor, 1), 1) AS x"
        " FROM postings)"
    ),
    "a whole row": "SELECT currency FROM postings JOIN entries currency ON currency.id = entry_id",
    "the row before in another currency": (
        "SELECT currency, LAG(amount_minor) OVER (ORDER BY entry_id) AS before_minor FROM postings"
    ),
    "a list of amounts": "SELECT STRING_AGG(amount_minor, ',') AS all_minor FROM postings",
    "a total to sort by": (
        "SELECT branch_id FROM postings GROUP BY branch_id ORDER BY SUM(amount_minor)"
    ),
    "a total to choose by": (
        "SELECT branch_id FROM postings GROUP BY branch_id HAVING SUM(amount_minor) > 0"
    ),
}


@pytest.mark.parametrize("sql", MIXERS.values(), ids=MIXERS)
def test_no_way_around_the_currency(sql: str) -> None:
    assert judge(sql, {}).mixed


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT currency, SUM(amount_minor) AS a_minor FROM postings"
        " GROUP BY GROUPING SETS ((currency), (currency, branch_id))",
        "SELECT a.currency, a.amount_minor + b.amount_minor AS s_minor FROM postings a"
        " JOIN postings b ON a.entry_id = b.entry_id AND a.currency = b.currency",
        "SELECT currency, a.amount_minor + b.amount_minor AS s_minor FROM postings a"
        " JOIN postings b USING (entry_id, currency)",
        "SELECT a.currency, b.amount_minor FROM postings a, postings b"
        " WHERE b.currency = a.currency",
        "SELECT p.currency, p.amount_minor, e.narration FROM postings p"
        " JOIN entries e ON e.id = p.entry_id",
        "SELECT t.currency, 100 * t.credit_minor / t.debit_minor AS percent FROM daily_totals t",
        "SELECT currency, COUNT(amount_minor) AS n, amount_minor > 5 AS is_large FROM postings"
        " GROUP BY ALL",
        "SELECT currency, amount_minor FROM postings UNION ALL SELECT currency, SUM(credit_minor)"
        " FROM daily_totals GROUP BY currency",
        "SELECT * FROM postings WHERE amount_minor > (SELECT COUNT(*) FROM entries)",
        "SELECT p.* FROM postings p JOIN entries e ON e.id = p.entry_id",
        "SELECT n FROM range(3) AS r(n)",
        "SELECT currency, LAG(amount_minor) OVER (PARTITION BY currency ORDER BY entry_id)"
        " AS before_minor FROM postings",
        "SELECT NULL AS amount_minor, NULL AS day UNION ALL SELECT amount_minor, booking_date"
        " FROM postings",
    ],
)
def test_amounts_that_stay_with_their_currency_are_allowed(sql: str) -> None:
    assert judge(sql, {}).mixed == []


def test_a_tree_of_two_statements_is_refused() -> None:
    tree = Warehouse().tree("SELECT 1")
    with pytest.raises(Refused, match="2 statements"):
        guard.check({**tree, "statements": tree["statements"] * 2}, set(), set())


# The second wall: what the warehouse itself refuses, should a statement get past the first.


@pytest.fixture(scope="module")
def filled() -> Iterator[Warehouse]:
    copy = Warehouse(MadeFeed(20_000, branches=5, accounts=500))
    copy.fresh(lambda: NOON, 0)
    yield copy
    copy.close()


def _contents(copy: Warehouse) -> list[Any]:
    return [
        copy._root.execute(f"SELECT COUNT(*), SUM(amount_minor) FROM {table}").fetchall()
        for table in ("raw.journal_lines", "whole.postings")
    ]


@pytest.mark.parametrize(
    "sql",
    [
        sql
        for name, sql in ATTACKS.items()
        if any(word in name for word in ("write", "written", "insert", "update", "delete", "file"))
        or name in {"no SELECT", "another database", "an extension", "a setting", "a list of files"}
    ],
)
def test_the_copy_is_sealed_even_without_the_guard(
    filled: Warehouse, sql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = _contents(filled)
    with pytest.raises(duckdb.Error):
        filled.select(WHOLE, sql, most_rows=10)
    assert _contents(filled) == before
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "sql",
    [
        "SET enable_external_access = true",
        "SET lock_configuration = false",
        "RESET ALL",
        "SET temp_directory = 'spill'",
        "LOAD httpfs",
        "ATTACH 'bank.db' AS theirs",
        "COPY (SELECT 1) TO 'stolen.csv'",
        "EXPORT DATABASE 'stolen'",
    ],
)
def test_the_seal_cannot_be_broken(
    filled: Warehouse, sql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(duckdb.Error):
        filled._root.execute(sql)
    assert os.listdir(tmp_path) == []


def test_a_variable_of_python_is_not_a_table(filled: Warehouse) -> None:
    secrets = filled.select(WHOLE, "SELECT 1 AS one", most_rows=1)
    assert secrets.num_rows == 1
    with pytest.raises(duckdb.CatalogException):
        filled.select(WHOLE, "SELECT * FROM secrets", most_rows=1)


def test_a_report_that_runs_too_long_is_stopped(filled: Warehouse) -> None:
    endless = (
        "SELECT COUNT(*) AS n FROM range(10000000) a, range(10000000) b WHERE a.range <> b.range"
    )
    judge(endless, {})
    with pytest.raises(analytics.TooSlow, match="shorter period"):  # by itself it would not end
        filled.select(WHOLE, endless, most_rows=1, seconds=0.2)
    # The next report on the same copy runs.
    assert filled.select(WHOLE, "SELECT id FROM branches", most_rows=10).num_rows == 5


def test_no_alarm_is_left_behind(filled: Warehouse) -> None:
    before = threading.active_count()
    for _ in range(20):
        filled.select(WHOLE, "SELECT 1 AS one", most_rows=1)
    assert threading.active_count() <= before + 1


def test_rows_beyond_the_limit_are_left_in_the_copy(filled: Warehouse) -> None:
    found = filled.select(
        WHOLE, "SELECT entry_id FROM postings ORDER BY entry_id DESC", most_rows=7
    )
    assert found.num_rows == 8  # one more than asked for says that there are more
    assert found.column("entry_id")[0].as_py() == 10_000
