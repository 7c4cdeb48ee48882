"""Limits on their pages: a branch's with head office, what counts in its vault, an employee's."""

from datetime import timedelta

import pytest
from streamlit.testing.v1 import AppTest

from bank.core.approvals import AwaitingApproval
from bank.counters import branch_limits
from bank.counters.cash_rules import BranchLimitName
from bank.people import limits
from bank.people.limits import LimitKind
from tests.house.test_permissions import load_catalogue
from tests.pages.test_admin_employees import press
from tests.support.apptest import Pages, words_of
from tests.support.checkers import LAKH, Checking
from tests.support.market import FORT

BRANCHES = "head_office/branches.py"
EMPLOYEES = "admin/employees.py"
VAULT = "admin/vault.py"

load_catalogue()


@pytest.fixture
def at(sqlite_checking: Checking) -> Checking:
    """Pages draw the same on either database."""
    return sqlite_checking


def fort(pages: Pages, at: Checking) -> AppTest:
    """The page of branches with Fort chosen."""
    page = pages.open(at.desks["head"], BRANCHES)
    page.session_state["branches_chosen"] = str(at.market.branch_ids[FORT])
    page.run()
    assert not page.exception, page.exception
    return page


def employee(pages: Pages, at: Checking, who: str, by: str = "admin") -> AppTest:
    """The page of employees with somebody's limits."""
    page = pages.open(at.desks[by], EMPLOYEES)
    page.session_state["employees_chosen"] = str(at.id(who))
    page.run()
    page.segmented_control(f"employee_do_{at.id(who)}").set_value("Limits").run()
    assert not page.exception, page.exception
    return page


@pytest.mark.feature("A8.2", "A13.4")
def test_a_branch_limit_is_proposed_waits_and_counts(pages: Pages, at: Checking) -> None:
    page = fort(pages, at)
    said = words_of(page)
    assert "Limits of Fort" in said
    assert "₹ 5,00,000.00" in said
    assert "₹ 20,00,000.00" in said
    key = f"branch_limit_{at.market.branch_ids[FORT]}"
    page.selectbox(f"{key}_what").set_value(BranchLimitName.SUPERVISED)
    page.text_input(f"{key}_amount").set_value("much")
    page.text_input(f"{key}_reason").set_value("Pensions are paid")
    press(page, "Set limit")
    assert page.error[0].value.startswith("**Amount:** Type the amount in figures")
    page.text_input(f"{key}_amount").set_value("6L")
    press(page, "Set limit")
    assert "No branch may have more than" in page.error[0].value
    assert page.text_input(f"{key}_reason").value == "Pensions are paid"
    assert page.selectbox(f"{key}_what").value == BranchLimitName.SUPERVISED
    page.text_input(f"{key}_amount").set_value("3L")
    press(page, "Set limit")
    assert at.desks["chief"].name in page.success[0].value
    assert page.text_input(f"{key}_amount").value == ""
    assert "Limit of a branch" in page.info[0].value, "it is seen to wait"
    at.approve("chief")
    said = words_of(fort(pages, at))
    assert "₹ 3,00,000.00" in said
    assert "Pensions are paid" in said
    assert "in force" in said.lower()


@pytest.mark.feature("A8.2")
def test_a_branch_goes_back_to_the_bank_s_rule(pages: Pages, at: Checking) -> None:
    at.ask("limit a branch")
    at.approve("chief")
    page = fort(pages, at)
    key = f"branch_limit_{at.market.branch_ids[FORT]}"
    page.checkbox(f"{key}_back").check().run()
    assert not [each for each in page.text_input if each.key == f"{key}_amount"]
    page.text_input(f"{key}_reason").set_value("The market has moved")
    page.date_input(f"{key}_from").set_value(None)
    press(page, "Set limit")
    assert page.error[0].value.startswith("**First day:**")
    page.date_input(f"{key}_from").set_value(at.market.bank.clock.business_date())
    press(page, "Set limit")
    at.approve("chief", 2)
    said = words_of(fort(pages, at))
    assert "the bank's rule" in said
    assert "Replaced" in said


@pytest.mark.feature("A8.2", "B6")
def test_the_vault_says_which_limit_counts_and_what_waits(pages: Pages, at: Checking) -> None:
    page = pages.open(at.desks["vera"], VAULT)
    assert "Limits of this branch" in words_of(page)
    assert not any("Limit of a branch" in each.value for each in page.info)
    at.ask("limit a branch")
    page = pages.open(at.desks["vera"], VAULT)
    assert any("Limit of a branch" in each.value for each in page.info)
    assert "₹ 8,00,000.00" not in words_of(page)
    at.approve("chief")
    page = pages.open(at.desks["vera"], VAULT)
    assert "₹ 8,00,000.00" in words_of(page)
    assert "₹ 8,00,000.00" not in words_of(pages.open(at.desks["admin_baner"], VAULT))


@pytest.mark.feature("A8.4", "A8.6", "A13.4")
def test_an_employee_s_limit_is_set_on_their_page(pages: Pages, at: Checking) -> None:
    page = employee(pages, at, "gita")
    key = f"employee_limit_{at.id('gita')}"
    assert "₹ 5,00,000.00" in words_of(page)
    page.text_input(f"{key}_amount").set_value("6L")
    page.text_input(f"{key}_reason").set_value("New at the counter")
    press(page, "Set limit")
    assert "asks a second person above" in page.error[0].value
    assert page.text_input(f"{key}_amount").value == "6L"
    page.text_input(f"{key}_amount").set_value("1L")
    press(page, "Set limit")
    assert "Vera Lobo" in page.success[0].value
    assert any("Limit of an employee" in each.value for each in page.info)
    at.approve("vera")
    page = employee(pages, at, "gita")
    said = words_of(page)
    assert "₹ 1,00,000.00" in said
    assert "New at the counter" in said
    page.segmented_control(f"employee_do_{at.id('gita')}").set_value("History").run()
    assert "as the rule says to up to ₹ 1,00,000.00" in words_of(page)


@pytest.mark.feature("A8.6")
def test_who_only_reads_sees_no_form(pages: Pages, at: Checking) -> None:
    page = employee(pages, at, "gita", by="auditor")
    assert "₹ 5,00,000.00" in words_of(page)
    assert not [each for each in page.button if each.label == "Set limit"]
    page = employee(pages, at, "imran")
    assert "They have no limits" in words_of(page)
    assert not [each for each in page.button if each.label == "Set limit"]


@pytest.mark.feature("A8.6", "C11")
def test_the_checker_reads_before_and_after(at: Checking) -> None:
    at.ask("limit an employee")
    card = at.card("vera")
    assert ("pays out alone", "as the rule says", "up to ₹ 1,00,000.00") in card.changes
    with pytest.raises(AwaitingApproval):
        at.again("limit an employee")
    at.ask("limit a branch")
    assert at.card("chief", 2).changes[0] == (
        "cash in a drawer",
        "₹ 5,00,000.00, the bank's rule",
        "₹ 8,00,000.00",
    )


@pytest.mark.feature("A8.6")
def test_coming_limits_are_told(pages: Pages, at: Checking) -> None:
    first = at.market.bank.clock.business_date() + timedelta(days=4)
    with pytest.raises(AwaitingApproval):
        limits.set_limit(
            at.desks["admin"], at.id("gita"), LimitKind.TAKE_IN, first, 2 * LAKH, "A new counter"
        )
    at.approve("vera")
    assert "₹ 2,00,000.00 from 20 Mar 2026" in words_of(employee(pages, at, "gita"))
    with pytest.raises(AwaitingApproval):
        branch_limits.set_limit(
            at.desks["head"], FORT, BranchLimitName.DRAWER, first, 6 * LAKH, "A new counter"
        )
    at.approve("chief", 2)
    assert "₹ 6,00,000.00 from 20 Mar 2026" in words_of(fort(pages, at))
