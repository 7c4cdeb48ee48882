"""A branch's employees see their branch in every report, whatever its SQL says."""

from pathlib import Path
from typing import Any

import pytest

from bank.core.errors import NotAllowed
from bank.core.permissions import Role
from bank.night import analytic_tables, analytics, report_files, reports
from bank.night.guard import Refused
from tests.reports.town import Town

pytestmark = pytest.mark.feature("B8")

# Whose branch a row of each table belongs to; the chart and the products are the bank's.
BRANCH_OF = {
    "postings": "branch_id",
    "daily_totals": "branch_id",
    "accounts": "branch_id",
    "customers": "branch_id",
    "branches": "id",
}
SHARED = {"gl_accounts", "products"}
CURIOUS = [
    "SELECT p.branch_id FROM postings p",
    "SELECT branch_id FROM daily_totals",
    "SELECT branch_id FROM accounts",
    "SELECT id AS branch_id FROM branches",
    "SELECT branch_id FROM customers",
    "FROM postings SELECT branch_id",
    "SELECT branch_id FROM (SELECT * FROM (SELECT * FROM postings))",
    "WITH all_of_them AS (SELECT * FROM postings) SELECT branch_id FROM all_of_them",
    "SELECT a.branch_id FROM postings p JOIN accounts a ON a.id <> p.account_id",
    "SELECT q.branch_id FROM postings p, postings q WHERE p.entry_id = q.entry_id",
    "SELECT q.branch_id FROM postings p FULL JOIN postings q ON p.branch_id <> q.branch_id",
    "SELECT (SELECT MAX(branch_id) FROM postings) AS branch_id",
    "SELECT branch_id FROM postings UNION ALL SELECT branch_id FROM accounts",
    "SELECT b.id AS branch_id FROM branches b WHERE EXISTS (SELECT 1 FROM postings)",
    "SELECT branch_id FROM postings WHERE branch_id <> 1 OR true",
    "SELECT p.branch_id FROM entries e JOIN postings p ON p.entry_id = e.id",
    'SELECT "branch_id" FROM "postings"',
    'SELECT branch_id FROM POSTINGS AS "raw.journal_lines"',
    "SELECT LAST(branch_id ORDER BY branch_id) AS branch_id FROM postings",
    "SELECT LAG(branch_id) OVER (ORDER BY branch_id DESC) AS branch_id FROM postings",
]


@pytest.fixture
def copy(still_town: Town) -> analytics.Warehouse:
    analytics.fresh(still_town.bank)
    return analytics.warehouse(still_town.bank)


def rows(copy: analytics.Warehouse, schema: str, sql: str) -> list[dict[str, Any]]:
    return copy.select(schema, sql, most_rows=100_000).to_pylist()  # type: ignore[no-any-return]


def test_every_table_is_cut_down_or_meant_for_all() -> None:
    assert set(BRANCH_OF) | SHARED | {"entries"} == analytic_tables.TABLES
    assert set(analytic_tables.OF_BRANCH) == analytic_tables.TABLES - SHARED


@pytest.mark.parametrize("table", sorted(BRANCH_OF))
@pytest.mark.parametrize("branch", [0, 1, 2])
def test_a_table_shows_the_branch_whole_and_alone(
    still_town: Town, copy: analytics.Warehouse, table: str, branch: int
) -> None:
    own = still_town.branches[branch]
    seen = rows(copy, copy.scope(own), f"SELECT * FROM {table} ORDER BY ALL")
    whole = rows(copy, analytics.WHOLE, f"SELECT * FROM {table} ORDER BY ALL")
    assert seen == [row for row in whole if row[BRANCH_OF[table]] == own]
    assert 0 < len(seen) < len(whole)


@pytest.mark.parametrize("branch", [0, 1, 2])
def test_an_entry_belongs_to_each_branch_it_has_a_line_at(
    still_town: Town, copy: analytics.Warehouse, branch: int
) -> None:
    own = still_town.branches[branch]
    seen = {row["id"] for row in rows(copy, copy.scope(own), "SELECT id FROM entries")}
    lines = rows(copy, analytics.WHOLE, "SELECT entry_id, branch_id FROM postings")
    assert seen == {line["entry_id"] for line in lines if line["branch_id"] == own}
    assert len(seen) < still_town.booked


@pytest.mark.parametrize("sql", CURIOUS)
def test_no_select_sees_another_branch(
    still_town: Town, copy: analytics.Warehouse, sql: str
) -> None:
    analytics.judge(sql, {})  # the guard allows it; the tables make it harmless
    own = still_town.branches[1]
    seen = {row["branch_id"] for row in rows(copy, copy.scope(own), sql)} - {None}
    everything = {row["branch_id"] for row in rows(copy, analytics.WHOLE, sql)} - {None}
    assert seen <= {own}
    assert everything - {own}


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT branch_id FROM whole.postings",
        "SELECT branch_id FROM branch_1.postings",
        "SELECT branch_id FROM memory.whole.postings",
        "SELECT branch_id FROM raw.places",
        "SELECT branch_id FROM places",
        "SELECT branch_id FROM journal_entries",
        "FROM query('SELECT branch_id FROM whole.postings')",
        "FROM query_table('whole.postings')",
        "WITH places AS (SELECT 1) SELECT * FROM places",
        "WITH journal_lines AS (FROM postings) SELECT * FROM journal_lines",
        "USE whole",
        "SET schema = 'whole'",
    ],
)
def test_there_is_no_way_around_the_scope(sql: str) -> None:
    with pytest.raises(Refused):
        analytics.judge(sql, {})


def test_the_engine_scopes_a_report_that_asks_for_everything(
    still_town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "greedy.sql").write_text(
        "/* ---\ntitle: Greedy\npermission: branch_money:view\n--- */\n"
        "SELECT DISTINCT branch_id FROM postings ORDER BY 1"
    )
    files = report_files.load(tmp_path)
    monkeypatch.setattr(reports, "catalogue", lambda: files)

    def seen(role: Role, branch: int = 0) -> list[int]:
        report = reports.run(still_town.desk(role, branch), "greedy")
        return [row["branch_id"] for row in report.rows]

    assert seen(Role.AUDITOR) == still_town.branches
    assert seen(Role.SUPER_ADMIN) == still_town.branches
    for branch, own in enumerate(still_town.branches):
        assert seen(Role.BRANCH_ADMIN, branch) == [own]


def test_a_branch_admin_may_name_the_own_branch_only(still_town: Town) -> None:
    admin = still_town.desk(Role.BRANCH_ADMIN, 1)
    own, other = still_town.branches[1], still_town.branches[0]
    named = reports.run(admin, "branch_money", {"branch": own})
    assert named.rows == reports.run(admin, "branch_money").rows
    assert {row["branch"] for row in named.rows} == {own}
    with pytest.raises(reports.NoSuchBranch):
        reports.run(admin, "branch_money", {"branch": other})
    row = {"branch": other, "currency": "INR", "figure": "cash"}
    with pytest.raises(reports.NoSuchBranch):
        reports.drill(admin, "branch_money", row)


def test_a_desk_without_a_branch_sees_nothing(still_town: Town) -> None:
    with pytest.raises(NotAllowed):
        reports.run(still_town.desk(Role.BRANCH_ADMIN, branch_id=None), "branch_money")


def test_an_auditor_may_look_at_one_branch(still_town: Town) -> None:
    own = still_town.branches[2]
    auditor = reports.run(still_town.desk(Role.AUDITOR), "branch_money", {"branch": own})
    admin = reports.run(still_town.desk(Role.BRANCH_ADMIN, 2), "branch_money")
    assert auditor.rows == admin.rows
