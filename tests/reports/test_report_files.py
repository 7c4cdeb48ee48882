"""Every file of reports/ is right, and every way for one to be wrong is found and named."""

import re
import threading
from pathlib import Path

import pytest

from bank.core.config import PROJECT
from bank.core.desk import Bank
from bank.night import analytic_tables, analytics, integrity, report_files, reports
from bank.night.report_files import ColumnKind, ReportFault, load

pytestmark = pytest.mark.feature("B7", "A8.7")

HEADER = """title: Deposits by branch
permission: branch_money:view
params:
  day: {type: date, default: today}
format: {amount_minor: money}
"""
SELECT = (
    "SELECT branch_id, currency, SUM(amount_minor) AS amount_minor FROM postings\n"
    "WHERE booking_date <= $day GROUP BY branch_id, currency"
)
MIXED = SELECT.replace("GROUP BY branch_id, currency", "GROUP BY branch_id").replace(
    " currency,", " MIN(currency) AS currency,"
)
LINES = """/* ---
title: Lines
permission: journal:view
params:
  currency: {type: text, required: true}
  branch: {type: branch}
format: {amount_minor: money}
--- */
SELECT p.entry_id, p.booking_date, e.narration, p.currency, p.amount_minor
FROM postings p JOIN entries e ON e.id = p.entry_id WHERE p.currency = $currency
"""


IN_AND_OUT = "chart: {{kind: in_and_out, x: branch_id, y: amount_minor, {}}}\n"


def file(header: str = HEADER, sql: str = SELECT) -> str:
    return f"/* ---\n{header.rstrip()}\n--- */\n{sql}\n"


def fault_of(folder: Path, text: str, name: str = "deposits.sql") -> str:
    (folder / name).write_text(text)
    with pytest.raises(ReportFault) as found:
        load(folder)
    return str(found.value)


def test_the_banks_own_files_are_right() -> None:
    files = report_files.catalogue()
    assert {
        "branch_money",
        "branch_trend",
        "cash_by_month",
        "journal_lines",
        "trial_balance",
    } <= set(files)
    assert len(files) == len(list(report_files.FOLDER.glob("*.sql")))
    in_sql = {path.stem for path in (report_files.FOLDER / "checks").glob("*.sql")}
    assert integrity.catalogue().keys() == in_sql | {"seals", "files"}, "two are no SQL"


def test_a_right_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "deposits.sql").write_text(file())
    found = load(tmp_path)["deposits"]
    assert found.header.title == "Deposits by branch"
    assert found.bound == {"day"}
    assert found.columns == ("branch_id", "currency", "amount_minor")
    assert found.kind_of("amount_minor") is ColumnKind.MONEY
    assert found.kind_of("branch_id") is ColumnKind.TEXT


@pytest.mark.parametrize(
    ("header", "fault"),
    [
        (HEADER.replace("title:", "titel:"), "title: Field required"),
        (HEADER.replace("Deposits by branch", "X"), "title: String should have at least 3"),
        (HEADER + "colour: red\n", "colour: Extra inputs are not permitted"),
        (HEADER.replace("branch_money:view", "branch_money:steal"), "permission: Input should be"),
        (HEADER.replace("permission: branch_money:view\n", ""), "permission: Field required"),
        (HEADER.replace("type: date", "type: moment"), "params.day.type: Input should be"),
        (HEADER.replace("money}", "gold}"), "format.amount_minor: Input should be"),
        (HEADER + "chart: {kind: pie, x: currency, y: amount_minor}\n", "chart.kind: Input should"),
        (HEADER + "chart: {kind: bar, y: amount_minor}\n", "chart.x: Field required"),
        (HEADER + "chart: {kind: bar, x: month, y: amount_minor}\n", "a column month that"),
        (HEADER.replace("{amount_minor: money}", "{total: number}"), "a column total that"),
        (
            HEADER.replace("{amount_minor: money}", "{amount_minor: number}"),
            "amounts, and only they",
        ),
        (HEADER.replace("format: {amount_minor: money}", ""), "amounts, and only they"),
        (HEADER.replace("money}", "money, branch_id: money}"), "branch_id: amounts, and only they"),
        (
            HEADER.replace("params:", "params:\n  branch_id: {type: int}"),
            "branch_id is declared and not",
        ),
        (
            HEADER.replace("  day: {type: date, default: today}", "  date: {type: date}"),
            "$day is not declared",
        ),
        (HEADER + "labels: {total: Sum}\n", "a column total that"),
        (HEADER + "chart: {kind: bar, x: branch_id, y: branch_id}\n", "which is no amount"),
        (HEADER + "chart: {kind: line, x: branch_id, y: amount_minor}\n", "not the format date"),
        (HEADER + IN_AND_OUT.format("comes_in: debit"), "in and out go over months, and branch_id"),
        (
            HEADER.replace("money}", "money, branch_id: date}") + IN_AND_OUT.format("colour: null"),
            "says what comes_in where it is in_and_out",
        ),
        (HEADER + IN_AND_OUT.format("comes_in: cash"), "chart.comes_in: Input should be"),
        (
            HEADER.replace("money}", "money, branch_id: date}")
            + IN_AND_OUT.format("comes_in: debit, colour: currency"),
            "so it takes none",
        ),
        (
            HEADER + "chart: {kind: bar, x: branch_id, y: amount_minor, comes_in: debit}\n",
            "in_and_out, and only there",
        ),
        (HEADER.replace("default: today", "options: {a: A}"), "day has options and is no text"),
        (HEADER + "drill: nowhere\n", "drills to nowhere, and there is no such report"),
        ("title: [", "header is not YAML"),
        ("only words", "not a table of names and values"),
    ],
)
def test_a_wrong_header_is_named(tmp_path: Path, header: str, fault: str) -> None:
    assert fault in fault_of(tmp_path, file(header))


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        (SELECT.replace("postings", "pstings"), "pstings is not a table for reports"),
        (SELECT.replace("branch_id", "brnch_id"), 'column "brnch_id" not found'),
        (SELECT.replace("SUM", "QUERY"), "the function query is not allowed"),
        (f"{SELECT}; {SELECT}", "2 statements"),
        (SELECT.replace("SELECT", "SELEKT", 1), "not one plain SELECT"),
        ("", "0 statements"),
        (SELECT.replace(", currency", ""), "must also return its currency"),
        (
            SELECT.replace("GROUP BY branch_id, currency", "GROUP BY branch_id"),
            "must appear in the GROUP BY",
        ),
        (MIXED, "several currencies"),
        (SELECT.replace("<= $day", "<= CURRENT_DATE"), "CURRENT_DATE is not allowed"),
    ],
)
def test_wrong_sql_is_named(tmp_path: Path, sql: str, fault: str) -> None:
    assert fault.lower() in fault_of(tmp_path, file(sql=sql)).lower()


@pytest.mark.parametrize(
    "text",
    [
        SELECT,
        f"-- a note first\n{file()}",
        f"SELECT 1; {file()}",
        file().replace("--- */", "*/"),
        file().replace("/* ---", "/*"),
    ],
)
def test_a_file_starts_with_its_header(tmp_path: Path, text: str) -> None:
    assert "must start with /* ---" in fault_of(tmp_path, text)


def test_a_name_is_plain(tmp_path: Path) -> None:
    assert "small letters" in fault_of(tmp_path, file(), name="Deposits (new).sql")


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        (LINES.replace("e.narration, ", ""), "does not return narration"),
        (
            LINES.replace("params:", "params:\n  gl: {type: text, required: true}").replace(
                "= $currency", "= $currency AND e.kind = $gl"
            ),
            "wants gl",
        ),
    ],
)
def test_a_drill_leads_to_journal_lines(tmp_path: Path, lines: str, fault: str) -> None:
    (tmp_path / "lines.sql").write_text(LINES)
    (tmp_path / "deposits.sql").write_text(file(HEADER + "drill: lines\n"))
    assert load(tmp_path)["deposits"].header.drill == "lines"
    (tmp_path / "lines.sql").write_text(lines)
    assert fault in fault_of(tmp_path, file(HEADER + "drill: lines\n"))


def test_all_faults_are_listed_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("SELECT 1")
    (tmp_path / "b.sql").write_text("SELECT 2")
    fault = fault_of(tmp_path, "SELECT 3", name="c.sql")
    assert [line.partition(":")[0] for line in fault.splitlines()] == ["a.sql", "b.sql", "c.sql"]


CHECK = """/* ---
title: No entry is strange
sentence: Every entry is as it should be.
next: Look at the entries that are named here.
--- */
SELECT id FROM entries WHERE kind = ''
"""


def test_a_right_check_is_read(tmp_path: Path) -> None:
    (tmp_path / "strange.sql").write_text(CHECK)
    assert integrity.load(tmp_path)["strange"].next_step.startswith("Look at")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (CHECK.replace("next:", "then:"), "next Field required"),
        (CHECK.replace("title:", "permission: journal:view\ntitle:"), "permission Extra inputs"),
        (CHECK.replace("FROM entries", "FROM secrets"), "secrets is not a table"),
        (CHECK + "; DELETE FROM entries", "not one plain SELECT"),
        (CHECK.replace("SELECT id", "DELETE"), "not one plain SELECT"),
        (CHECK.replace("kind = ''", "kind = sqlite_version()"), "sqlite_version is not allowed"),
        ("SELECT 1", "must start with"),
    ],
)
def test_a_wrong_check_is_named(tmp_path: Path, text: str, fault: str) -> None:
    (tmp_path / "strange.sql").write_text(text)
    with pytest.raises(ReportFault, match=re.escape(fault)):
        integrity.load(tmp_path)


def test_the_documented_tables_are_the_tables() -> None:
    """reports/README.md names every table and every column of it, and nothing else."""
    text = (PROJECT / "reports" / "README.md").read_text()
    documented = {
        name: re.findall(r"^\| `(\w+)` \|", body, re.MULTILINE)
        for name, body in re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL)
    }
    copy = analytics.Warehouse()
    actual = {name: list(copy.columns(f"FROM {name}", {})) for name in analytic_tables.TABLES}
    assert documented == actual


def test_no_secret_of_a_customer_is_in_the_tables() -> None:
    copy = analytics.Warehouse()
    columns = {
        column for name in analytic_tables.TABLES for column in copy.columns(f"FROM {name}", {})
    }
    assert not columns & {"pan", "email", "mobile", "date_of_birth", "password_hash", "address"}
    assert "number" not in copy.columns("FROM accounts", {})


def test_a_wrong_file_is_known_when_the_bank_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sqlite_bank: Bank
) -> None:
    (tmp_path / "wrong.sql").write_text("SELECT 1")
    monkeypatch.setattr(reports, "catalogue", lambda: load(tmp_path))
    with pytest.raises(ReportFault, match=r"wrong\.sql: it must start with"):
        reports.keep_fresh(sqlite_bank, threading.Event())
