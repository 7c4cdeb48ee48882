"""Freezing an account and letting it go, as the lead of the branch and the cashier see it."""

import pytest
from streamlit.testing.v1 import AppTest

from bank.accounts.accounts import FreezeKind
from tests.support.apptest import Pages, words_of
from tests.support.checkers import Checking, frozen

pytestmark = pytest.mark.feature("B17")


@pytest.fixture
def at(sqlite_checking: Checking) -> Checking:
    """Pages draw the same on either database."""
    return sqlite_checking


def found(pages: Pages, at: Checking, who: str) -> AppTest:
    """Asha's account, looked up."""
    page = pages.open(at.desks[who], "staff/find_account.py")
    page.text_input("find_account_number").set_value(at.market.number("asha"))
    return press(page, "Find account")


def press(page: AppTest, label: str) -> AppTest:
    """Click the one button with this label."""
    [button] = [each for each in page.button if each.label == label]
    button.click().run()
    assert not page.exception
    return page


def test_it_is_placed_at_once_and_let_go_by_two(pages: Pages, at: Checking) -> None:
    page = found(pages, at, "admin")
    page.selectbox("freeze_new_kind").set_value(FreezeKind.DEBIT)
    page.text_input("freeze_new_reason").set_value("The court asks")
    press(page, "Freeze account")
    assert page.error[0].value.startswith("**Order:**"), "the field that is empty is named"
    assert page.text_input("freeze_new_reason").value == "The court asks", "what was typed stays"
    page.text_input("freeze_new_order").set_value("12_2026")
    press(page, "Freeze account")
    said = words_of(page).replace("\\", "")
    assert "A debit freeze stands on account" in said
    assert "Debit freeze since 16 Mar 2026, order 12_2026: nothing is paid out of it" in said
    page.text_input("freeze_why_1").set_value("Order 15/2026")
    press(page, "Lift freeze")
    assert "Waits for approval by" in words_of(page)
    assert "Lifting of a freeze" in words_of(page)
    at.approve("vera")
    page = found(pages, at, "admin")
    assert "nothing is paid out" not in " ".join(each.value for each in page.error)
    assert "Freezes that were lifted" in words_of(page)


def test_the_counter_says_so_before_an_amount_is_typed(pages: Pages, at: Checking) -> None:
    frozen(at, FreezeKind.TOTAL)
    page = pages.open(at.desks["ravi"], "cashier/counter.py")
    page.text_input("counter_account").set_value(at.market.number("asha")).run()
    [said] = [each.value.replace("\\", "") for each in page.error]
    assert "Total freeze since 16 Mar 2026, order 12/2026" in said
    page = found(pages, at, "ravi")
    assert "Total freeze since" in words_of(page)
    assert not [each for each in page.button if each.label in {"Lift freeze", "Freeze account"}]
