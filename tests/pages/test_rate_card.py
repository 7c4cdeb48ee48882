"""The card of deposits and loans as customers read it and as head office sets it."""

from typing import Any, Final

import pytest

from bank.accounts import card_terms, tariff
from bank.accounts.rate_card import Card
from bank.accounts.tariff import What
from bank.core.approvals import AwaitingApproval
from bank.office import approvals
from pages.parts import drafted
from tests.pages.test_help import press
from tests.pages.test_tariff import READ, SET, said_on
from tests.support import queues
from tests.support.apptest import Pages
from tests.support.checkers import Checking

pytestmark = pytest.mark.feature("A7.1", "A7.2")
NEW: Final = "terms_card_new_deposit"


def agreed(at: Checking, verb: Any, *given: Any) -> None:
    """Asked for by one at head office, agreed to by the other."""
    with pytest.raises(AwaitingApproval) as waits:
        verb(at.desks["head"], *given)
    at.approve("chief", waits.value.approval_id)


def a_card(at: Checking) -> None:
    """A deposit, a benchmark and a loan that goes by it, from tomorrow on."""
    day, why = at.in_days(1), "The board"
    about = (0, None, day)
    agreed(at, card_terms.add_line, Card.BENCHMARK, "Repo rate", None, None, *about, 525, 0, None,
           why)  # fmt: skip
    agreed(at, card_terms.add_line, Card.LOAN, "Home loan", None, None, *about, 275, 0,
           "repo_rate", why)  # fmt: skip
    agreed(at, card_terms.add_line, Card.DEPOSIT, "One year", 365, 365, *about, 660, 50, None, why)


def test_an_empty_card_says_so(pages: Pages, sqlite_checking: Checking) -> None:
    said = said_on(pages.open(sqlite_checking.desks["asha"], READ))
    assert "publishes no rates of fixed deposits yet" in said
    assert "publishes no rates of loans yet" in said
    assert "Benchmarks" not in said


def test_customers_read_deposits_loans_and_what_changes(
    pages: Pages, sqlite_checking: Checking
) -> None:
    at = sqlite_checking
    a_card(at)
    said = said_on(pages.open(at.desks["asha"], READ))
    assert "From 17 Mar 2026: One year: 6.60 % a year, senior citizens 7.10 % a year." in said
    queues.later(at.market, days=1)
    agreed(at, card_terms.set_line, "one_year", at.in_days(2), None, 0, None, "No more")
    said = said_on(pages.open(at.desks["asha"], READ))
    for part in ("6.60 % a year", "7.10 % a year", "8.00 % a year",
                 "moves with the repo rate: 2.75 % a year above it",
                 "One year: not offered any more"):  # fmt: skip
        assert part in said, part
    queues.later(at.market, days=2)
    assert "One year" not in said_on(pages.open(at.desks["asha"], READ))


def test_a_line_is_added_changed_and_called_off(pages: Pages, sqlite_checking: Checking) -> None:
    at = sqlite_checking
    page = pages.open(at.desks["head"], SET)
    page.segmented_control("terms_subject").set_value(What.CARD).run()
    assert "Nothing stands on this part of the card" in said_on(page)
    page.text_input(f"{NEW}_name").set_value("One year")
    page.number_input(f"{NEW}_from_days").set_value(5)
    page.number_input(f"{NEW}_to_days").set_value(365)
    page.text_input(f"{NEW}_interest").set_value("6.6x")
    page.text_input(f"{NEW}_extra").set_value("0.5")
    page.text_input(f"{NEW}_reason").set_value("The board")
    press(page, "Propose this line")
    assert page.error[0].value.startswith("**Interest, percent a year:**")
    page.text_input(f"{NEW}_interest").set_value("6.6")
    press(page, "Propose this line")
    assert page.error[0].value.startswith("**For at least, days:**"), "seven days by law"
    assert page.text_input(f"{NEW}_name").value == "One year", "what was typed stays"
    page.number_input(f"{NEW}_from_days").set_value(365)
    press(page, "Propose this line")
    assert "Waits for approval by Chitra Iyer" in said_on(page)
    approvals.approve(at.desks["chief"], 1)
    queues.later(at.market, days=1)
    page = pages.open(at.desks["head"], SET)
    page.segmented_control("terms_subject").set_value(What.CARD).run()
    page.session_state["terms_card_deposit_chosen"] = "one_year"
    page.run()
    assert page.text_input("terms_card_one_year_interest").value == "6.60"
    page.text_input("terms_card_one_year_interest").set_value("6.75")
    page.text_input("terms_card_one_year_reason").set_value("The board again")
    press(page, "Propose this change")
    approvals.approve(at.desks["chief"], 2)
    [coming] = tariff.tariff(at.desks["asha"]).coming_card
    assert (coming.rate_bps, coming.senior_bps) == (675, 725)
    page = pages.open(at.desks["head"], SET)
    day = at.in_days(1).isoformat()
    page.session_state["terms_coming_chosen"] = f"card one_year {day}"
    page.run()
    [reason] = [box for box in page.text_input if box.key == "terms_off_card_one_year_reason"]
    reason.set_value("Too early")
    press(page, "Call it off")
    approvals.approve(at.desks["chief"], 3)
    assert tariff.tariff(at.desks["asha"]).coming_card == []


def test_a_new_charge_is_proposed(pages: Pages, sqlite_checking: Checking) -> None:
    at, key = sqlite_checking, "terms_charge_new"
    page = pages.open(at.desks["head"], SET)
    page.segmented_control("terms_subject").set_value(What.CHARGE).run()
    page.text_input(f"{key}_name").set_value("Locker key lost")
    page.text_input(f"{key}_amount").set_value("500")
    page.text_input(f"{key}_reason").set_value("Keys cost more")
    press(page, "Propose this charge")
    assert page.error[0].value.startswith("**For each:**")
    page.text_input(f"{key}_per").set_value("key")
    press(page, "Propose this charge")
    approvals.approve(at.desks["chief"], 1)
    hers = said_on(pages.open(at.desks["asha"], READ))
    assert "From 15 Apr 2026: Locker key lost: ₹ 500.00." in hers


def test_a_change_of_the_card_drafts_its_announcement(sqlite_checking: Checking) -> None:
    at = sqlite_checking
    a_card(at)
    queues.later(at.market, days=1)
    agreed(at, card_terms.set_line, "one_year", at.in_days(1), 675, 50, None, "Dearer money")
    agreed(at, card_terms.set_line, "home_loan", at.in_days(2), 300, 0, "repo_rate", "Risk")
    found = tariff.tariff(at.desks["head"])
    said = [drafted.announcement_of(found, row) for row in found.coming_card]
    assert [(title, body.split("\n\n")[0]) for title, body in said] == [
        (
            "One year: 6.75 % a year from 18 Mar 2026",
            "One year, from 18 Mar 2026: 6.75 % a year, senior citizens 7.25 % a year (until then"
            " 6.60 % a year, senior citizens 7.10 % a year).",
        ),
        (
            "Home loan: 8.25 % a year from 19 Mar 2026",
            "Home loan, from 19 Mar 2026: 8.25 % a year, moves with the repo rate: 3.00 % a year"
            " above it (until then 8.00 % a year, moves with the repo rate: 2.75 % a year above"
            " it).",
        ),
    ]
