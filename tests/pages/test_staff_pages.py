"""Finding an account, opening one, and the trail, as the people who use them see them."""

from datetime import date

import pytest
from streamlit.testing.v1 import AppTest

from bank.accounts import accounts
from tests.support.apptest import Pages, words_of
from tests.support.market import Market


@pytest.fixture
def market(sqlite_market: Market) -> Market:
    """Pages draw the same on either database."""
    return sqlite_market


def find(pages: Pages, market: Market, who: str, typed: str) -> AppTest:
    """The page after somebody has typed a number and pressed the button."""
    page = pages.open(market.desks[who], "staff/find_account.py")
    page.text_input("find_account_number").set_value(typed)
    page.button[0].click().run()
    assert not page.exception
    return page


@pytest.mark.feature("A2.8", "A2.10")
def test_any_account_is_found_by_its_exact_number(pages: Pages, market: Market) -> None:
    market.deposit("nila", 12_345_00)
    page = find(pages, market, "banker", market.number("nila"))
    said = words_of(page)
    assert "Nila Das" in said
    assert "₹ 12,345.00 Cr" in said
    assert "Last entry" in said
    looks = market.rows("SELECT actor_name FROM trail WHERE outcome = 'read'")
    assert {row["actor_name"] for row in looks} == {"Bina Mehta"}
    page.run()
    page.run()
    assert len(market.rows("SELECT 1 FROM trail WHERE object_kind = 'account'")) == len(
        market.rows(
            "SELECT DISTINCT object_id, session_id, outcome, verb FROM trail"
            " WHERE object_kind = 'account'"
        )
    ), "a rerun records nothing new"


def test_a_wrong_number_is_answered_in_words(pages: Pages, market: Market) -> None:
    page = find(pages, market, "banker", "999999999999")
    assert "no account with this number" in page.error[0].value
    page = find(pages, market, "banker", market.number("vikram"))  # of another branch
    assert "no account with this number" in page.error[0].value
    page = find(pages, market, "banker", "12-34")
    assert page.error[0].value.startswith("**Account number:**")
    assert page.text_input("find_account_number").value == "12-34", "what was typed stays"


def press(page: AppTest, label: str) -> AppTest:
    """Click the one button with this label."""
    [button] = [each for each in page.button if each.label == label]
    button.click().run()
    assert not page.exception
    return page


@pytest.mark.feature("A2.9")
def test_a_banker_takes_in_a_customer_and_opens_an_account(pages: Pages, market: Market) -> None:
    page = pages.open(market.desks["banker"], "banker/open_account.py")
    page.text_input("open_account_new_name").set_value("Kiran Bhat")
    page.date_input("open_account_new_born").set_value(date(1991, 2, 3))
    page.text_input("open_account_new_email").set_value("kiran@example.com")
    press(page, "Add customer")
    assert "Kiran Bhat" in words_of(page)
    press(page, "Preview")
    assert "Open this account?" in words_of(page)
    press(page, "Open account")
    number = page.code[0].value
    card = accounts.find_account(market.cashier, number)
    assert (card.holder, card.booked_minor, card.product_code) == ("Kiran Bhat", 0, "savings")
    press(page, "Give access to the portal")
    assert "Temporary password:" in page.code[1].value
    press(page, "Open another account")
    press(page, "Preview")
    press(page, "Open account")
    assert page.code[0].value != number, "the next form is another request"


def test_what_is_wrong_with_a_new_customer_names_the_field(pages: Pages, market: Market) -> None:
    page = pages.open(market.desks["banker"], "banker/open_account.py")
    page.text_input("open_account_new_name").set_value("Kiran Bhat")
    press(page, "Add customer")
    assert page.error[0].value.startswith("**Date of birth:** Choose the date of birth")
    page.date_input("open_account_new_born").set_value(date(1991, 2, 3))
    page.text_input("open_account_new_pan").set_value("12345")
    press(page, "Add customer")
    assert page.error[0].value.startswith("**PAN:**")
    assert page.text_input("open_account_new_name").value == "Kiran Bhat"
    assert not market.rows("SELECT 1 FROM customers WHERE name = 'Kiran Bhat'")


def test_a_customer_of_another_branch_is_not_found(pages: Pages, market: Market) -> None:
    [vikram] = market.rows("SELECT number FROM customers WHERE name = 'Vikram Shah'")
    page = pages.open(market.desks["banker"], "banker/open_account.py")
    page.text_input("open_account_find_number").set_value(vikram["number"])
    press(page, "Find customer")
    assert page.error
    assert "Vikram" not in words_of(page)


def test_an_overdraft_above_the_ceiling_is_refused(pages: Pages, market: Market) -> None:
    [asha] = market.rows("SELECT number FROM customers WHERE name = 'Asha Rao'")
    page = pages.open(market.desks["banker"], "banker/open_account.py")
    page.text_input("open_account_find_number").set_value(asha["number"])
    press(page, "Find customer")
    [product] = [box for box in page.selectbox if box.label == "Product"]
    product.select_index([option for option in product.options].index("Current account")).run()
    [limit] = [box for box in page.text_input if box.label == "Overdraft limit"]
    limit.set_value("1 cr")
    press(page, "Preview")
    press(page, "Open account")
    assert "Overdraft limit" in page.error[0].value


@pytest.mark.feature("B5", "A9.1", "A9.2", "A9.3")
def test_an_auditor_finds_who_did_what(pages: Pages, market: Market) -> None:
    market.deposit("asha", 500_00)
    page = pages.open(market.desks["auditor"], "auditor/trail.py")
    assert not page.exception
    page.text_input("trail_verb").set_value("cash.deposit").run()
    said = words_of(page)
    assert "Ravi Kumar" in said
    assert "sign_in" not in said
    page.text_input("trail_actor").set_value("nobody of that name").run()
    assert "Nothing in the trail fits" in words_of(page)
    [paper] = [each for each in [*pages.papers()[-1:]] if each]
    assert paper.startswith(b"\xef\xbb\xbfid,at,verb")


def test_the_trail_is_walked_page_by_page(pages: Pages, market: Market) -> None:
    for _ in range(60):
        market.deposit("asha", 1_00)
    page = pages.open(market.desks["auditor"], "auditor/trail.py")
    page.text_input("trail_verb").set_value("cash.deposit").run()
    assert len(page.dataframe[0].value) == 50
    assert page.button("trail_newer").disabled
    page.button("trail_older_button").click().run()
    assert len(page.dataframe[0].value) == 10
    assert page.button("trail_older_button").disabled
    page.button("trail_newer").click().run()
    assert len(page.dataframe[0].value) == 50
