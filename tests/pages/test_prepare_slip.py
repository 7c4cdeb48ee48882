"""A slip prepared by its customer, and its token at the counter."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.test_customer_pages import press
from tests.support.apptest import Pages, words_of
from tests.support.market import Market, pay_in

pytestmark = pytest.mark.feature("B6")
PREPARE, COUNTER = "customer/prepare_slip.py", "cashier/counter.py"


@pytest.fixture
def market(sqlite_market: Market) -> Market:
    """Pages draw the same on either database."""
    return sqlite_market


def prepared(pages: Pages, market: Market, amount: str = "500") -> tuple[AppTest, str]:
    """Asha fills in a slip; the page and her token."""
    page = pages.open(market.desks["asha"], PREPARE)
    page.text_input("prepare_slip_amount").set_value(amount)
    press(page, "Get a token")
    [code] = [each.value for each in page.code]
    return page, code


def typed_in(page: AppTest, token: str) -> AppTest:
    """The cashier types the token."""
    [box] = [each for each in page.text_input if each.label == "Token"]
    box.set_value(token)
    return press(page, "Fill in")


def test_from_the_phone_to_the_receipt(pages: Pages, market: Market) -> None:
    page, token = prepared(pages, market)
    said = words_of(page)
    assert "Your slip is ready" in said
    assert "Good until the end of 16 Mar 2026, at every branch" in said
    counter = typed_in(pages.open(market.cashier, COUNTER), token)
    assert "Asha Rao prepared a deposit of" in words_of(counter)
    assert counter.text_input("counter_account").value == market.number("asha")
    assert counter.text_input("counter_amount").value == "500.00"
    press(counter, "Preview")
    press(counter, "Take ₹ 500.00")
    assert market.balance("asha") == 500_00
    [row] = market.rows("SELECT status FROM prepared_slips")
    assert row["status"] == "used"
    press(counter, "Next customer")
    assert "prepared a deposit" not in words_of(counter)
    typed_in(counter, token)
    assert "This token was used already" in words_of(counter)
    page = pages.open(market.desks["asha"], PREPARE)
    assert "Earlier slips" in words_of(page)
    assert not page.code


def test_a_withdrawal_with_its_notes(pages: Pages, market: Market) -> None:
    pay_in(market, "asha", 2_000_00)
    market.fund(note_500=4)
    page = pages.open(market.desks["asha"], PREPARE)
    page.segmented_control("prepare_slip_kind").set_value("cash_withdrawal")
    page.text_input("prepare_slip_amount").set_value("1000")
    page.number_input("prepare_slip_tally_note-500").set_value(2)
    press(page, "Get a token")
    [token] = [each.value for each in page.code]
    counter = typed_in(pages.open(market.cashier, COUNTER), token)
    press(counter, "Preview")
    assert counter.number_input("counter_tally_note-500").value == 2
    press(counter, "Pay out ₹ 1,000.00")
    assert market.balance("asha") == 1_000_00
    [row] = market.rows(
        "SELECT t.total_minor FROM cash_slips s JOIN tallies t ON t.id = s.tally_id"
    )
    assert row["total_minor"] == 1_000_00


def test_a_cancelled_slip_is_told_at_the_counter(pages: Pages, market: Market) -> None:
    page, token = prepared(pages, market)
    press(page, "Cancel this slip")
    assert "The slip is cancelled" in words_of(page)
    assert not page.code
    counter = typed_in(pages.open(market.cashier, COUNTER), token)
    assert "The customer has cancelled this slip" in words_of(counter)
    assert counter.text_input("counter_account").value == ""


def test_wrong_input_names_its_field_and_what_was_typed_stays(pages: Pages, market: Market) -> None:
    page = pages.open(market.desks["asha"], PREPARE)
    page.segmented_control("prepare_slip_kind").set_value("cash_withdrawal")
    page.text_input("prepare_slip_amount").set_value("700")
    press(page, "Get a token")
    assert "Only ₹ 0.00 is available" in words_of(page).replace("\\", "")
    assert page.text_input("prepare_slip_amount").value == "700"
    counter = pages.open(market.cashier, COUNTER)
    typed_in(counter, "12")
    assert "Type the six digits of the token" in words_of(counter)


def test_the_token_can_be_removed_and_the_slip_typed(pages: Pages, market: Market) -> None:
    _, token = prepared(pages, market)
    counter = typed_in(pages.open(market.cashier, COUNTER), token)
    press(counter, "Remove the token")
    assert counter.text_input("counter_account").value == ""
    [box] = [each for each in counter.text_input if each.label == "Token"]
    assert box.value == ""


def test_another_amount_than_prepared_is_refused_with_the_way_out(
    pages: Pages, market: Market
) -> None:
    _, token = prepared(pages, market)
    counter = typed_in(pages.open(market.cashier, COUNTER), token)
    counter.text_input("counter_amount").set_value("600")
    press(counter, "Preview")
    press(counter, "Take ₹ 600.00")
    assert "Correct it, or remove the token" in words_of(counter)
    assert market.balance("asha") == 0
