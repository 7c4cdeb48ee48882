"""Branch money, trial balance and integrity as their readers see them: figures, lines, live."""

import json
import re
from base64 import b64decode
from datetime import timedelta

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from bank.core import money
from bank.core.desk import Bank
from bank.core.permissions import Role
from bank.night import integrity, reports
from tests.reports import town as towns
from tests.reports.tamper import tamper, without_guards
from tests.reports.town import TODAY, Town
from tests.support.apptest import Pages, words_of

DASHBOARD = "admin/dashboard.py"
TRIAL_BALANCE = "auditor/trial_balance.py"
INTEGRITY = "auditor/integrity.py"


@pytest.fixture
def town(sqlite_bank: Bank) -> Town:
    return towns.build_busy(sqlite_bank)


def total(town: Town, role: Role, figure: str, currency: str = "INR", branch: int = 0) -> str:
    """A figure as the page writes it, from the report."""
    rows = reports.run(town.desk(role, branch), "branch_money", max_age=0).rows
    amount = sum(
        row["amount_minor"]
        for row in rows
        if row["figure"] == figure and row["currency"] == currency
    )
    return money.show_side(amount, currency)


def metric(page: AppTest, label: str) -> str:
    [found] = [each for each in page.metric if each.label == label]
    return str(found.value)


def press(page: AppTest, key: str) -> AppTest:
    page.button(key).click().run()
    assert not page.exception
    return page


@pytest.mark.feature("A8.7")
def test_a_branch_admin_sees_the_own_branch(pages: Pages, town: Town) -> None:
    page = pages.open(town.desk(Role.BRANCH_ADMIN, 1), DASHBOARD)
    assert not page.exception
    assert metric(page, "Deposits") == total(town, Role.BRANCH_ADMIN, "deposits", branch=1)
    assert metric(page, "Cash in hand") == total(town, Role.BRANCH_ADMIN, "cash", branch=1)
    assert len(page.metric) == 4
    said = words_of(page)
    assert "Town 2 · 16 Mar 2026 · figures of 12" in said
    assert re.search(r"\d seconds? old", said)
    assert "Business account" in said
    assert "Town 1" not in said
    assert not [box for box in page.selectbox if box.label == "Branch"]


@pytest.mark.feature("A8.7", "B7")
@pytest.mark.parametrize("figure", ["deposits", "cash", "loans", "in", "out"])
def test_each_tile_opens_its_lines(pages: Pages, town: Town, figure: str) -> None:
    desk = town.desk(Role.BRANCH_ADMIN)
    page = press(pages.open(desk, DASHBOARD), f"branch_money_lines_{figure}")
    figured = total(town, Role.BRANCH_ADMIN, figure)
    said = words_of(page).replace("\\", "")
    assert f"up to {figured}." in said
    page.segmented_control(key="branch_money_behind_since").set_value("The beginning").run()
    assert f"up to {figured}." in words_of(page).replace("\\", "")
    assert "Brought forward" not in words_of(page)
    press(page, "branch_money_hide")
    assert "up to" not in words_of(page)
    assert "Choose a figure" in words_of(page)


@pytest.mark.feature("A8.7", "B7")
def test_a_chosen_row_opens_its_lines(pages: Pages, town: Town) -> None:
    page = pages.open(town.desk(Role.BRANCH_ADMIN), DASHBOARD)
    row = (town.branches[0], "Town 1", "INR", "deposits", "savings", "Savings account")
    page.session_state["branch_money_figures_chosen"] = str(row)
    page.run()
    assert "Behind Savings account, Town 1" in words_of(page)
    page.session_state["branch_money_days_chosen"] = str((TODAY, "INR", "deposits", "Deposits"))
    page.run()
    assert "Behind Deposits of 16 Mar 2026" in words_of(page), "the newest click counts"
    assert not page.exception


@pytest.mark.feature("A8.7", "B7")
def test_cash_by_month_is_drawn_from_its_report_and_opens_its_lines(
    pages: Pages, town: Town
) -> None:
    desk = town.desk(Role.BRANCH_ADMIN)
    page = pages.open(desk, DASHBOARD)
    report = reports.run(desk, "cash_by_month", max_age=0).where("currency", "INR")
    [newest, *_] = [row for row in report.rows if row["figure"] == "cash_in"]
    drawn = json.loads(
        next(
            chart.proto.spec
            for chart in page.get("plotly_chart")
            if '"name":"Out"' in chart.proto.spec
        )
    )
    held = {
        bar["name"]: dict(zip(bar["x"], amounts(bar["y"]), strict=True)) for bar in drawn["data"]
    }
    assert held["In"][f"{newest['day']:%b %Y}"] == -newest["amount_minor"]
    assert sum(held["In"].values()) == -report.where("figure", "cash_in").total("amount_minor")
    assert sum(held["Out"].values()) == -report.where("figure", "cash_out").total("amount_minor")
    assert "more cash came in than went out in a year" in words_of(page)
    row = tuple(newest[name] for name in ("month", "label", "start", "day", "currency", "figure"))
    page.session_state["branch_money_months_chosen"] = str(row)
    page.run()
    said = words_of(page).replace("\\", "")
    assert f"Behind cash in, {newest['start']:%-d %b %Y} to {newest['day']:%-d %b %Y}" in said
    assert f"up to {money.show_side(newest['amount_minor'], 'INR')}." in said
    assert not page.exception


def amounts(values: object) -> list[int]:
    """The numbers of a plotly axis, plain or packed."""
    if isinstance(values, dict):
        return [int(one) for one in np.frombuffer(b64decode(values["bdata"]), values["dtype"])]
    assert isinstance(values, list)
    return [int(one) for one in values]


@pytest.mark.feature("A8.7")
def test_a_deposit_appears_without_a_reload(pages: Pages, town: Town) -> None:
    page = pages.open(town.desk(Role.BRANCH_ADMIN), DASHBOARD)
    before = metric(page, "Cash in hand")
    town.deposit("asha", 1_00_000_00)
    reports.run(
        town.desk(Role.AUDITOR), "branch_money", max_age=0
    )  # as the keeper of the copy does
    page.run()
    assert metric(page, "Cash in hand") != before
    assert metric(page, "Cash in hand") == total(town, Role.BRANCH_ADMIN, "cash")


@pytest.mark.feature("A8.7", "B8")
def test_an_auditor_chooses_a_branch_a_currency_and_a_day(pages: Pages, town: Town) -> None:
    page = pages.open(town.desk(Role.AUDITOR), DASHBOARD)
    assert "All branches" in words_of(page)
    assert metric(page, "Deposits") == total(town, Role.AUDITOR, "deposits")
    page.segmented_control(key="branch_money_currency").set_value("CZK").run()
    assert metric(page, "Deposits") == total(town, Role.AUDITOR, "deposits", "CZK")
    page.selectbox(key="branch_money_branch").set_value(town.branches[0]).run()
    assert metric(page, "Deposits") == total(town, Role.BRANCH_ADMIN, "deposits")
    assert not page.exception
    page.date_input(key="branch_money_day").set_value(TODAY - timedelta(days=1)).run()
    assert metric(page, "Loans outstanding") == "₹ 0.00 Cr"
    assert "15 Mar 2026" in words_of(page)


def test_a_branch_without_entries_says_so(pages: Pages, sqlite_bank: Bank) -> None:
    town = towns.build(sqlite_bank)
    page = pages.open(town.desk(Role.BRANCH_ADMIN), DASHBOARD)
    assert not page.exception
    assert "No deposits yet" in words_of(page)
    press(page, "branch_money_lines_cash")
    assert "No entry stands behind this figure yet" in words_of(page)


def test_too_many_lines_are_said(pages: Pages, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    page = pages.open(town.desk(Role.BRANCH_ADMIN), DASHBOARD)
    monkeypatch.setattr(reports, "MOST_ROWS", 3)  # what is brought forward, and two lines
    press(page, "branch_money_lines_deposits")
    assert "Only the newest 2 lines are here" in words_of(page)


@pytest.mark.parametrize("file", [DASHBOARD, TRIAL_BALANCE, INTEGRITY])
@pytest.mark.parametrize("role", [Role.CASHIER, Role.CUSTOMER])
def test_who_may_not_see_it_is_turned_away(pages: Pages, town: Town, file: str, role: Role) -> None:
    said = words_of(pages.open(town.desk(role), file))
    assert "You may not open this page" in said
    assert "₹" not in said


# Trial balance.


@pytest.mark.feature("B14")
def test_a_trial_balance_has_a_section_for_each_currency(pages: Pages, town: Town) -> None:
    page = pages.open(town.desk(Role.AUDITOR), TRIAL_BALANCE)
    assert not page.exception
    assert [header.value for header in page.header] == ["INR", "CZK"]
    debit = [each.value for each in page.metric if each.label == "Total debit"]
    credit = [each.value for each in page.metric if each.label == "Total credit"]
    assert debit == credit
    assert len(set(debit)) == 2
    said = words_of(page)
    assert said.count("Equal") == 2
    assert "Inter-branch" in said


@pytest.mark.feature("B14", "B7")
def test_a_ledger_account_opens_its_lines(pages: Pages, town: Town) -> None:
    page = pages.open(town.desk(Role.AUDITOR), TRIAL_BALANCE)
    page.selectbox(key="trial_balance_branch").set_value(town.branches[0]).run()
    page.session_state["trial_balance_INR_chosen"] = str(
        ("INR", "gl", "1200", "Loans outstanding", "asset")
    )
    page.run()
    said = words_of(page).replace("\\", "")
    assert "Behind 1200 Loans outstanding" in said
    assert "1 line adds up to ₹ 30,000.00 Dr." in said


@pytest.mark.feature("B14")
def test_a_trial_balance_of_an_earlier_day(pages: Pages, town: Town) -> None:
    page = pages.open(town.desk(Role.BRANCH_ADMIN), TRIAL_BALANCE)
    assert "Loans outstanding" in words_of(page)
    page.date_input(key="trial_balance_day").set_value(TODAY - timedelta(days=1)).run()
    assert "Loans outstanding" not in words_of(page)
    page.date_input(key="trial_balance_day").set_value(TODAY - timedelta(days=400)).run()
    assert "Nothing was booked up to that day" in words_of(page)


@pytest.mark.feature("B14", "B40")
def test_a_book_that_does_not_balance_shows_it(pages: Pages, town: Town) -> None:
    without_guards(town.bank)
    tamper(
        town.bank,
        "UPDATE postings SET amount_minor = amount_minor - 100 WHERE entry_id = 1 AND leg = 1",
    )
    page = pages.open(town.desk(Role.AUDITOR), TRIAL_BALANCE)
    said = words_of(page)
    assert "Not equal" in said
    assert "Run the checks on the integrity page" in said


# Integrity.


@pytest.mark.feature("B40")
def test_all_checks_run_from_the_page(pages: Pages, town: Town) -> None:
    page = pages.open(town.desk(Role.AUDITOR), INTEGRITY)
    checks = len(integrity.catalogue())
    assert metric(page, "Not run yet") == str(checks)
    press(page, "integrity_run_all")
    assert metric(page, "Passed") == str(checks)
    assert metric(page, "Failed") == "0"
    assert f"All {checks} checks passed" in words_of(page).replace("\\", "")
    assert "the auditor" in words_of(page)


@pytest.mark.feature("B40")
def test_a_failed_check_says_what_to_do(pages: Pages, town: Town) -> None:
    without_guards(town.bank)
    tamper(town.bank, "UPDATE balances SET booked_minor = 1 WHERE account_id = 1")
    page = press(pages.open(town.desk(Role.AUDITOR), INTEGRITY), "integrity_run_all")
    assert metric(page, "Failed") == "1"
    assert f"1 check of {len(integrity.catalogue())} failed" in words_of(page).replace("\\", "")
    page.session_state["integrity_chosen"] = "balances_are_sums"
    page.run()
    said = words_of(page).replace("\\", "")
    assert "The booked balance of every account is the sum of the lines on it." in said
    assert "The lines are the truth" in said
    assert "Booked minor" in said


def test_one_check_runs_alone(pages: Pages, town: Town) -> None:
    page = pages.open(town.desk(Role.AUDITOR), INTEGRITY)
    page.session_state["integrity_chosen"] = "entries_balance"
    page.run()
    press(page, "integrity_run_entries_balance")
    assert metric(page, "Passed") == "1"
    assert metric(page, "Not run yet") == str(len(integrity.catalogue()) - 1)


def test_rows_found_earlier_are_offered_again(pages: Pages, town: Town) -> None:
    """The trail keeps how many rows were found, and not the rows."""
    without_guards(town.bank)
    tamper(town.bank, "UPDATE balances SET booked_minor = 1 WHERE account_id = 1")
    integrity.run_check(town.desk(Role.SUPER_ADMIN), "balances_are_sums")
    page = pages.open(town.desk(Role.AUDITOR), INTEGRITY)
    page.session_state["integrity_chosen"] = "balances_are_sums"
    page.run()
    assert "Run it again to see the rows" in words_of(page)
    press(page, "integrity_run_balances_are_sums")
    assert "Booked minor" in words_of(page)
