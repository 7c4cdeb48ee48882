"""The lines behind a figure: all within reach, counted right, and never all drawn at once."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from bank.core import money
from bank.core.clock import FixedClock
from bank.core.desk import Bank
from bank.core.permissions import Role
from bank.night import reports
from tests.pages.test_dashboard import DASHBOARD, press
from tests.reports import town as towns
from tests.reports.town import TODAY, Town
from tests.support.apptest import Pages, words_of

pytestmark = pytest.mark.feature("B7", "A8.7")

LINES = 120
OLDER = 5_00


@pytest.fixture
def town(sqlite_bank: Bank) -> Town:
    """120 deposits of today, of 1.00 to 120.00, and one of last year."""
    town = towns.build(sqlite_bank)
    town.deposit("asha", OLDER, day=TODAY - timedelta(days=365))
    for number in range(1, LINES + 1):
        town.deposit("asha", number * 100)
    return town


def opened(pages: Pages, town: Town) -> AppTest:
    """The dashboard with the lines behind the deposits."""
    page = pages.open(town.desk(Role.BRANCH_ADMIN), DASHBOARD)
    return press(page, "branch_money_lines_deposits")


def shown(page: AppTest) -> list[str]:
    """The amounts of the lines that are drawn."""
    [lines] = [each.value for each in page.dataframe if "Ledger account" in each.value]
    found: list[str] = lines["Amount"].tolist()
    return found


def amounts(numbers: range) -> list[str]:
    return [money.show_side(number * 100, "INR") for number in numbers]


def test_every_line_is_reached_page_by_page(pages: Pages, town: Town) -> None:
    page = opened(pages, town)
    assert shown(page) == amounts(range(120, 70, -1))
    assert "1 to 50 of 120" in words_of(page).replace("\\", "")
    assert page.button("branch_money_behind_page_-1").disabled
    press(page, "branch_money_behind_page_1")
    assert shown(page) == amounts(range(70, 20, -1))
    press(page, "branch_money_behind_page_1")
    assert shown(page) == amounts(range(20, 0, -1))
    assert page.button("branch_money_behind_page_1").disabled
    press(page, "branch_money_behind_page_-1")
    assert shown(page) == amounts(range(70, 20, -1))
    # Other lines begin with their first page.
    press(page, "branch_money_lines_in")
    assert shown(page) == amounts(range(120, 70, -1))


def test_what_is_brought_forward_is_no_line(pages: Pages, town: Town) -> None:
    page = opened(pages, town)
    whole = money.show_side(sum(range(1, LINES + 1)) * 100 + OLDER, "INR")
    said = words_of(page).replace("\\", "")
    assert f"₹ 5.00 Cr brought forward and 120 lines add up to {whole}." in said
    page.segmented_control(key="branch_money_behind_since").set_value("The beginning").run()
    assert f"121 lines add up to {whole}." in words_of(page).replace("\\", "")


def test_nothing_but_what_is_brought_forward(pages: Pages, town: Town) -> None:
    page = pages.open(town.desk(Role.BRANCH_ADMIN), DASHBOARD)
    page.date_input(key="branch_money_day").set_value(TODAY - timedelta(days=200)).run()
    press(page, "branch_money_lines_deposits")
    said = words_of(page).replace("\\", "")
    assert "₹ 5.00 Cr brought forward and no line since add up to ₹ 5.00 Cr." in said


def test_the_csv_holds_every_line(pages: Pages, town: Town) -> None:
    opened(pages, town)
    table = next(paper for paper in reversed(pages.papers()) if b"Ledger account" in paper)
    rows = list(csv.DictReader(io.StringIO(table.decode("utf-8-sig"))))
    assert len(rows) == 1 + LINES
    assert rows[0]["Narration"] == "Brought forward"
    assert sum(float(row["Amount"]) for row in rows) == sum(range(1, LINES + 1)) + 5


def test_only_the_lines_of_a_page_are_taken_out_of_the_answer(
    pages: Pages, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A figure may have fifty thousand lines, and every rerun of the page draws some again."""
    page = opened(pages, town)
    taken: list[int] = []

    def rows(report: reports.Report) -> list[dict[str, Any]]:
        if report.name == "journal_lines":
            taken.append(report.count)
        found: list[dict[str, Any]] = report.table.to_pylist()
        return found

    monkeypatch.setattr(reports.Report, "rows", property(rows))
    page.run()
    assert len(shown(page)) == 50
    assert taken == []


def test_a_total_may_pass_64_bits(pages: Pages, town: Town) -> None:
    report = reports.run(
        town.desk(Role.AUDITOR), "journal_lines", {"currency": "INR", "figure": "deposits"}
    )
    many = report.table.set_column(
        report.table.column_names.index("amount_minor"),
        "amount_minor",
        [[2**62] * report.count],
    )
    assert reports.Report(**{**vars(report), "table": many}).total("amount_minor") == (
        2**62 * report.count
    )


def test_the_lines_say_when_they_were_read_and_can_be_read_again(pages: Pages, town: Town) -> None:
    """The tile above them is live, they are not."""
    page = opened(pages, town)
    assert "Lines as of 12:00:00." in words_of(page).replace("\\", "")
    town.deposit("asha", 1_23)
    clock = town.bank.clock
    assert isinstance(clock, FixedClock)
    clock.at += timedelta(minutes=1, seconds=5)
    reports.run(town.desk(Role.AUDITOR), "branch_money", max_age=0)  # as the copy's keeper does
    press(page, "branch_money_behind_refresh")
    assert "Lines as of 12:01:05." in words_of(page).replace("\\", "")
    assert shown(page)[0] == "₹ 1.23 Cr"
