"""Reports as files: what stands in a header is what people see, on every page that draws one."""

import csv
import io
import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bank.core.desk import Bank
from bank.core.permissions import Role
from bank.night import report_files, reports
from pages.parts import figures
from tests.pages.test_dashboard import DASHBOARD, TRIAL_BALANCE
from tests.reports import town as towns
from tests.reports.town import TODAY, Town
from tests.support.apptest import Pages, words_of

pytestmark = pytest.mark.feature("B45", "B7")

PAGE = "admin/reports.py"
NEW = """/* ---
title: Deposits by day and kind
permission: journal:view
params:
  home: {type: branch, label: Office}
  kind: {type: text, label: Kind of entry, options: {transfer: Transfers, fee: Fees}}
  since: {type: date, label: Not before}
  least: {type: int, default: 1, label: At least so many}
chart: {kind: line, x: day, y: sum_minor, colour: kind}
labels: {day: Business day, sum_minor: Turnover, lines: Number of lines}
format: {day: date, kind: word, lines: number, sum_minor: amount}
--- */
SELECT p.booking_date AS day, e.kind, p.currency, COUNT(*) AS lines,
       SUM(ABS(p.amount_minor)) AS sum_minor
FROM postings p JOIN entries e ON e.id = p.entry_id
WHERE ($kind IS NULL OR e.kind = $kind) AND ($since IS NULL OR p.booking_date >= $since)
GROUP BY p.booking_date, e.kind, p.currency
HAVING COUNT(*) >= $least
ORDER BY day DESC
"""


@pytest.fixture
def town(sqlite_bank: Bank) -> Town:
    return towns.build_busy(sqlite_bank)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of reports, to be changed; it is read anew at the next look."""
    copy = tmp_path / "reports"
    shutil.copytree(report_files.FOLDER, copy)
    monkeypatch.setattr(report_files, "FOLDER", copy)
    report_files.catalogue.cache_clear()
    yield copy
    report_files.catalogue.cache_clear()


def test_every_report_of_the_role_is_there(pages: Pages, town: Town) -> None:
    for role in (Role.BRANCH_ADMIN, Role.AUDITOR, Role.SUPER_ADMIN):
        desk = town.desk(role)
        page = pages.open(desk, PAGE)
        titles = [card.title for card in reports.reports_for(desk)]
        assert page.selectbox("reports_name").options == titles
        for card in reports.reports_for(desk):
            page.selectbox("reports_name").set_value(card.name).run()
            assert not page.exception, card.name
            labels = [param.label for param in card.params.values() if param.type != "branch"]
            fields = [*page.date_input, *page.selectbox, *page.text_input, *page.number_input]
            assert set(labels) <= {field.label for field in fields}
            if card.name == "journal_lines":
                assert "Fill in: Currency, Figure." in words_of(page).replace("\\", "")
            else:
                assert page.dataframe, card.name


def test_a_report_that_wants_something_gets_it(pages: Pages, town: Town) -> None:
    page = pages.open(town.desk(Role.BRANCH_ADMIN), PAGE)
    page.selectbox("reports_name").set_value("journal_lines").run()
    page.text_input("reports_journal_lines_currency").set_value("INR")
    page.selectbox("reports_journal_lines_figure").set_value("loans").run()
    assert not page.exception
    assert "₹ 30,000.00 Dr" in words_of(page)
    assert "There are no lines behind this report." in words_of(page)


def test_a_row_leads_to_its_lines_and_all_rows_to_a_file(pages: Pages, town: Town) -> None:
    page = pages.open(town.desk(Role.AUDITOR), PAGE)
    page.selectbox("reports_name").set_value("trial_balance").run()
    table = list(csv.DictReader(io.StringIO(pages.papers()[-1].decode("utf-8-sig"))))
    with town.desk(Role.AUDITOR).bank.db.read() as connection:
        ask = "SELECT object_id, details FROM trail WHERE verb = 'office.trail.record_export'"
        rows = connection.exec_driver_sql(f"{ask} ORDER BY id").all()
    *_, (one, one_said), (other, other_said) = [(row[0], json.loads(row[1])) for row in rows]
    assert (one, one_said["kind"], other, other_said["kind"]) == (
        *("trial-balance", "xlsx"),
        *("trial-balance", "csv"),
    )
    assert other_said["rows"] == len(table)
    assert "INR" in other_said["filters"].values(), "and with what it was asked"
    assert {row["Currency"] for row in table} == {"INR"}
    assert {row["Code"] for row in table} >= {"1000", "1200", "2000"}
    row = ("INR", "gl", "1200", "Loans outstanding", "asset")
    page.session_state["reports_trial_balance_rows_chosen"] = str(row)
    page.run()
    said = words_of(page).replace("\\", "")
    assert "Behind 1200, Loans outstanding, Asset" in said
    assert "1 line adds up to ₹ 30,000.00 Dr." in said
    page.segmented_control("reports_trial_balance_currency").set_value("CZK").run()
    assert "Loans outstanding" not in page.dataframe[0].value["Ledger account"].tolist()


def test_a_new_file_appears_with_its_fields_chart_and_table(
    pages: Pages, town: Town, folder: Path
) -> None:
    (folder / "turnover.sql").write_text(NEW)
    page = pages.open(town.desk(Role.AUDITOR), PAGE)
    page.selectbox("reports_name").set_value("turnover").run()
    assert not page.exception
    assert page.selectbox("reports_turnover_home").label == "Office"
    assert page.number_input("reports_turnover_least").value == 1
    assert page.selectbox("reports_turnover_kind").options == ["Transfers", "Fees"]
    assert "**Deposits by day and kind**" in [text.value for text in page.markdown]  # the chart
    assert len(page.get("plotly_chart")) == 1
    [table] = [each.value for each in page.dataframe]
    assert table.columns.tolist() == ["Business day", "Kind", "Number of lines", "Turnover"]
    assert table["Kind"].unique().tolist() == ["Transfer"]
    assert table["Business day"][0] == "16 Mar 2026"
    assert table["Turnover"][0].startswith("₹ ")
    page.date_input("reports_turnover_since").set_value(TODAY).run()
    assert len(page.dataframe[0].value) == 1
    page.selectbox("reports_turnover_kind").set_value("fee").run()
    assert "Nothing to report" in words_of(page)


def test_another_header_is_another_dashboard(pages: Pages, town: Town, folder: Path) -> None:
    for name, was, now in (
        ("branch_money", "label: Figure", "label: What it is"),
        ("branch_money", "label: As of", "label: On the evening of"),
        ("branch_trend", "chart: {kind: line, x: day", "chart: {kind: bar, x: label"),
        ("trial_balance", "gl: Code", "gl: Number"),
        ("journal_lines", "booking_date: Booked", "booking_date: Day"),
    ):
        text = (folder / f"{name}.sql").read_text()
        assert was in text
        text = text.replace(was, now).replace(", colour: label}", "}")
        (folder / f"{name}.sql").write_text(text)
    page = pages.open(town.desk(Role.AUDITOR), DASHBOARD)
    assert page.date_input("branch_money_day").label == "On the evening of"
    page.button("branch_money_lines_cash").click().run()
    assert not page.exception
    columns = {column for each in page.dataframe for column in each.value.columns}
    assert {"What it is", "Day"} <= columns
    assert "Booked" not in columns
    page = pages.open(town.desk(Role.AUDITOR), TRIAL_BALANCE)
    assert "Number" in page.dataframe[0].value.columns


def test_many_rows_are_pages(pages: Pages, town: Town, folder: Path) -> None:
    for back in range(1, 60):
        town.deposit("asha", back * 100, day=TODAY - timedelta(days=200 + back))
    (folder / "turnover.sql").write_text(NEW)
    page = pages.open(town.desk(Role.AUDITOR), PAGE)
    page.selectbox("reports_name").set_value("turnover").run()
    assert len(page.dataframe[0].value) == 50
    rows = len(reports.run(town.desk(Role.AUDITOR), "turnover").where("currency", "INR").rows)
    assert f"1 to 50 of {rows}" in words_of(page).replace("\\", "")
    page.button("reports_turnover_rows_page_1").click().run()
    assert len(page.dataframe[0].value) == rows - 50
    file = pages.papers()[-1].decode("utf-8-sig")
    assert len(list(csv.DictReader(io.StringIO(file)))) == rows


@pytest.mark.parametrize("role", [Role.CASHIER, Role.CUSTOMER, Role.BANKER])
def test_who_has_no_reports_is_turned_away(pages: Pages, town: Town, role: Role) -> None:
    assert "You may not open this page" in words_of(pages.open(town.desk(role), PAGE))


def test_a_file_that_was_cut_says_so_in_its_name(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = town.desk(Role.AUDITOR)
    whole = reports.run(asking, "trial_balance")
    assert figures.file_of(whole, "trial_balance") == "trial-balance"
    monkeypatch.setattr(reports, "MOST_ROWS", 1)
    cut = reports.run(asking, "trial_balance")
    assert figures.file_of(cut, "trial_balance") == "trial-balance-first-1"
