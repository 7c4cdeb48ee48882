"""Rates, charges and policies as customers read them and as head office sets them."""

from collections.abc import Callable
from datetime import date

import pytest
from streamlit.testing.v1 import AppTest

from bank.accounts import tariff, terms
from bank.core.approvals import AwaitingApproval
from bank.office import announcements, approvals
from bank.office.announcements import Audience
from pages.parts import drafted
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


@pytest.mark.feature("A7.2")
def test_an_announcement_is_drafted_from_a_change_that_is_to_come(
    pages: Pages, sqlite_checking: Checking
) -> None:
    at = sqlite_checking
    with pytest.raises(AwaitingApproval):
        terms.set_charge(at.desks["head"], "cheque_book", at.in_days(30), 90_00, "Paper costs more")
    approvals.approve(at.desks["chief"], 1)
    home = pages.home(at.desks["head"])
    home.switch_page("pages/admin/announcements.py").run()
    home.text_input("announce_title").set_value("Closed on Friday")
    press(home, "Preview")

    def draft() -> None:
        home.switch_page("pages/head_office/terms.py").run()
        home.session_state["terms_coming_chosen"] = "charge cheque_book 2026-04-15"
        home.run()
        press(home, "Draft an announcement")

    draft()
    assert home.warning[0].value.startswith("You are about to announce something else")
    home.switch_page("pages/admin/announcements.py").run()
    assert home.info[0].value.startswith("**Closed on Friday**")
    press(home, "Change")
    draft()
    home.switch_page("pages/admin/announcements.py").run()  # where the browser is by now
    assert home.text_input("announce_title").value == "Cheque book: ₹ 90.00 from 15 Apr 2026"
    assert home.text_area("announce_body").value == (
        "Cheque book, from 15 Apr 2026: ₹ 90.00 for each book of 25 leaves after the first"
        " (until then ₹ 75.00).\n\nReason: Paper costs more\n\n"
        "Everything the bank pays and asks stands under Rates and charges."
    )
    assert not home.warning
    assert home.date_input("announce_until").value == date(2026, 4, 22)
    press(home, "Preview")
    press(home, "Announce")
    [card] = announcements.announced(at.desks["head"])
    assert (card.audience, card.title) == (
        Audience.CUSTOMERS, "Cheque book: ₹ 90.00 from 15 Apr 2026",
    )  # fmt: skip
    assert card.mails > 0


def test_a_draft_names_what_changes_and_what_holds_until_then(sqlite_checking: Checking) -> None:
    at = sqlite_checking
    head, chief = at.desks["head"], at.desks["chief"]
    asked: list[Callable[[], None]] = [
        lambda: terms.set_rates(head, "savings", at.in_days(1), 310, 1_000_00, 0, "The board"),
        lambda: terms.set_rates(head, "savings", at.in_days(2), 310, 2_000_00, 50_00, "Costs"),
        lambda: terms.set_charge(head, "cheque_book", at.in_days(31), 90_00, "Paper"),
        lambda: terms.set_charge(head, "cheque_book", at.in_days(40), 95_00, "Paper again"),
        lambda: terms.set_policy(head, "privacy", at.in_days(3), "Privacy", "Ours.", "Plainer"),
    ]
    for number, ask in enumerate(asked, start=1):
        with pytest.raises(AwaitingApproval):
            ask()
        approvals.approve(chief, number)
    found = tariff.tariff(head)
    rows = (*found.coming_rates, *found.coming_charges, *found.coming_policies)
    said = [drafted.announcement_of(found, row) for row in rows]
    assert [(title, body.split("\n\n")[0]) for title, body in said] == [
        (
            "Savings account: 3.10 % a year from 17 Mar 2026",
            "Savings account, from 17 Mar 2026: it pays 3.10 % a year (until then 2.75 % a year).",
        ),
        (
            "Savings account: new terms from 18 Mar 2026",
            "Savings account, from 18 Mar 2026: the minimum balance is ₹ 2,000.00"
            " (until then ₹ 1,000.00), an overdraft of up to ₹ 50.00 is possible"
            " (until then ₹ 0.00).",
        ),
        (
            "Cheque book: ₹ 90.00 from 16 Apr 2026",
            "Cheque book, from 16 Apr 2026: ₹ 90.00 for each book of 25 leaves after the first"
            " (until then ₹ 75.00).",
        ),
        (
            "Cheque book: ₹ 95.00 from 25 Apr 2026",
            "Cheque book, from 25 Apr 2026: ₹ 95.00 for each book of 25 leaves after the first"
            " (until then ₹ 90.00).",
        ),
        ("Privacy: new words from 19 Mar 2026", "Ours."),
    ]
    assert said[0][1].split("\n\n")[1] == "Reason: The board"
