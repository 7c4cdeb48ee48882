"""Rates, charges and policies as customers read them and as head office sets them."""

from datetime import date

import pytest
from streamlit.testing.v1 import AppTest

from bank.accounts import tariff
from bank.office import approvals
from tests.pages.test_help import press
from tests.support.apptest import Pages, words_of
from tests.support.checkers import Checking

pytestmark = pytest.mark.feature("A7.1")
READ, SET = "every/tariff.py", "head_office/terms.py"


def said_on(page: AppTest) -> str:
    """What a page says, as a person reads it."""
    return words_of(page).replace("\\", "")


def test_a_rate_is_proposed_agreed_to_and_read_by_customers(
    pages: Pages, sqlite_checking: Checking
) -> None:
    at = sqlite_checking
    page = pages.open(at.desks["head"], SET)
    assert "No change is to come" in said_on(page)
    page.session_state["terms_rates_chosen"] = "savings"
    page.run()
    page.text_input("terms_rates_savings_interest").set_value("3.1x").run()
    assert "Give a rate in percent" in said_on(page)
    press(page, "Propose this change")
    assert page.error[0].value.startswith("**Interest, percent a year:**")
    page.text_input("terms_rates_savings_interest").set_value("3.10").run()
    assert "more than zero" not in said_on(page), "no overdraft is an answer, too"
    assert "On today's balances: ₹ 31,000.00 a year, now ₹ 27,500.00" in said_on(page)
    press(page, "Propose this change")
    assert page.error[0].value.startswith("**Reason:**")
    assert page.text_input("terms_rates_savings_interest").value == "3.10", "what was typed stays"
    page.text_input("terms_rates_savings_reason").set_value("The board of 16 March")
    press(page, "Propose this change")
    assert "Waits for approval by Chitra Iyer" in said_on(page)
    assert page.text_input("terms_rates_savings_interest").value == "2.75", "the form is done with"
    assert "new rates" in said_on(page).lower()
    assert tariff.tariff(at.desks["asha"]).coming_rates == []
    approvals.approve(at.desks["chief"], 1)
    hers = said_on(pages.open(at.desks["asha"], READ))
    assert "From 17 Mar 2026: Savings account: 3.10 % a year" in hers
    assert "Complaints" in hers
    page = pages.open(at.desks["head"], SET)
    page.session_state["terms_coming_chosen"] = "rates savings 2026-03-17"
    page.run()
    press(page, "Call it off")
    assert page.error[0].value.startswith("**Reason:**")
    [reason] = [box for box in page.text_input if box.key == "terms_off_rates_savings_reason"]
    reason.set_value("Too early")
    press(page, "Call it off")
    approvals.approve(at.desks["chief"], 2)
    assert "From 17 Mar" not in said_on(pages.open(at.desks["asha"], READ))


def test_a_charge_and_a_policy_are_proposed(pages: Pages, sqlite_checking: Checking) -> None:
    at = sqlite_checking
    page = pages.open(at.desks["head"], SET)
    page.segmented_control("terms_subject").set_value(tariff.What.CHARGE).run()
    page.session_state["terms_charges_chosen"] = "cheque_book"
    page.run()
    page.text_input("terms_charge_cheque_book_amount").set_value("0").run()
    assert "₹ 0.00: Rupees zero only" in said_on(page)
    page.text_input("terms_charge_cheque_book_amount").set_value("90")
    page.text_input("terms_charge_cheque_book_reason").set_value("Paper costs more")
    assert page.date_input("terms_charge_cheque_book_from").value == date(2026, 4, 15)
    page.date_input("terms_charge_cheque_book_from").set_value(date(2026, 4, 14))
    press(page, "Propose this change")
    assert page.error[0].value.startswith("**From:**"), "thirty days of notice"
    page.date_input("terms_charge_cheque_book_from").set_value(date(2026, 4, 15))
    press(page, "Propose this change")
    assert "Waits for approval" in said_on(page)
    page.segmented_control("terms_subject").set_value(tariff.What.POLICY).run()
    page.selectbox("terms_policy").set_value("privacy").run()
    assert "Only employees who need" in page.text_area("terms_policy_privacy_body").value
    page.text_area("terms_policy_privacy_body").set_value("We keep it to ourselves.")
    page.text_input("terms_policy_privacy_reason").set_value("Plainer words")
    press(page, "Propose this change")
    for number in (1, 2):
        approvals.approve(at.desks["chief"], number)
    hers = said_on(pages.open(at.desks["asha"], READ))
    assert "From 15 Apr 2026: Cheque book: ₹ 90.00" in hers
    assert "We keep it to ourselves" in hers
