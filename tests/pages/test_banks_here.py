"""Own accounts of employees: registered by the admin, declared under My work, asked when added."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.support.apptest import Pages, words_of
from tests.support.checkers import Checking, nilas_number

pytestmark = pytest.mark.feature("B4")


@pytest.fixture
def at(sqlite_checking: Checking) -> Checking:
    """Pages draw the same on either database."""
    return sqlite_checking


def press(page: AppTest, label: str) -> AppTest:
    """Click the one button with this label."""
    [button] = [each for each in page.button if each.label == label]
    button.click().run()
    assert not page.exception
    return page


def shown(pages: Pages, at: Checking, who: str, whose: str) -> AppTest:
    """The page of employees, one of them chosen, and their own accounts."""
    page = pages.open(at.desks[who], "admin/employees.py")
    page.session_state["employees_chosen"] = str(at.id(whose))
    page.run()
    page.segmented_control(f"employee_do_{at.id(whose)}").set_value("Own accounts").run()
    assert not page.exception
    return page


def test_an_admin_sees_registers_and_ends_it_by_two(pages: Pages, at: Checking) -> None:
    page = shown(pages, at, "admin", "imran")
    assert "Nothing is known of accounts of theirs" in words_of(page)
    key = f"employee_banks_{at.id('imran')}_number"
    page.text_input(key).set_value("12")
    press(page, "Register customer number")
    assert page.error[0].value.startswith("**Customer number:**")
    assert page.text_input(key).value == "12", "what was typed stays"
    page.text_input(key).set_value(nilas_number(at))
    press(page, "Register customer number")
    assert "Customer number of an employee" in words_of(page)
    at.approve("vera")
    page = shown(pages, at, "admin", "imran")
    [table] = [each.value for each in page.dataframe if "Customer" in each.value.columns]
    assert list(table["Customer"]) == [nilas_number(at)]
    [link] = at.market.rows(f"SELECT id FROM customer_links WHERE user_id = {at.id('imran')}")
    page.text_input(f"employee_banks_why_{link['id']}").set_value("His sister")
    press(page, "End link")
    assert "Waits for approval by" in words_of(page)


def test_one_declares_it_under_my_work(pages: Pages, at: Checking) -> None:
    page = pages.open(at.desks["ravi"], "staff/my_work.py")
    page.text_input("own_banks_number").set_value(nilas_number(at))
    press(page, "Declare customer number")
    assert "Waits for approval by" in words_of(page)
    at.approve("admin")
    page = pages.open(at.desks["ravi"], "staff/my_work.py")
    assert "does not know of accounts of yours" not in words_of(page)
