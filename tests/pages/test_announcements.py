"""Announcements as an admin writes them and as everybody reads them."""

from datetime import date

import pytest

from bank.core.permissions import Role
from bank.office import announcements, tickets
from bank.office.announcements import Audience, Severity
from tests.bank.test_announcements import head, said
from tests.pages.test_help import press, typed
from tests.support.apptest import Pages, words_of
from tests.support.market import BANER, Market

pytestmark = pytest.mark.feature("A7.2", "A7.3")
PAGE = "admin/announcements.py"


@pytest.fixture
def market(sqlite_market: Market) -> Market:
    """Pages draw the same on either database."""
    return sqlite_market


def test_it_is_written_seen_before_it_is_said_and_withdrawn(pages: Pages, market: Market) -> None:
    page = pages.open(market.desks["admin"], PAGE)
    assert "Nothing has been announced yet" in words_of(page)
    press(page, "Preview")
    press(page, "Announce")
    assert page.error[0].value.startswith("**Title:**")
    press(page, "Change")
    typed(page, "Title", "Closed on Friday")
    typed(page, "Message", "For <b>repairs</b>.")
    page.selectbox("announce_severity").set_value(Severity.URGENT)
    page.checkbox("announce_mail").set_value(True)
    press(page, "Preview")
    assert page.error[0].value.startswith("**Urgent: Closed on Friday**")
    assert announcements.announced(market.desks["admin"]) == []
    press(page, "Change")
    assert page.text_input("announce_title").value == "Closed on Friday"
    press(page, "Preview")
    press(page, "Announce")
    assert "Announced\\: Closed on Friday" in words_of(page)
    [card] = announcements.announced(market.desks["admin"])
    assert (card.severity, card.from_on, card.until_on) == (
        Severity.URGENT, date(2026, 3, 16), date(2026, 3, 23),
    )  # fmt: skip
    assert card.mails > 1
    assert page.text_input("announce_title").value == ""
    home = pages.home(market.desks["asha"])
    assert "\\<b\\>repairs" in home.error[0].value
    page = pages.open(market.desks["admin"], PAGE)
    page.session_state["announced_chosen"] = str(card.id)
    page.run()
    press(page, "Withdraw this announcement")
    assert page.error[-1].value.startswith("**Why:**")
    assert pages.home(market.desks["asha"]).error, "it is still there"
    pages.sit(market.desks["admin"])
    typed(page, "Why", "The plumber came")
    press(page, "Withdraw this announcement")
    assert "will not leave" in words_of(page)
    assert "Withdrawn by Arun Nair" in words_of(page)
    assert "The plumber came" in words_of(page)
    assert not pages.home(market.desks["asha"]).error


def test_head_office_chooses_the_branch(pages: Pages, market: Market) -> None:
    page = pages.open(head(market), PAGE)
    page.selectbox("announce_branch").set_value(market.branch_ids[BANER])
    typed(page, "Title", "Baner moves")
    typed(page, "Message", "Round the corner.")
    press(page, "Preview")
    press(page, "Announce")
    assert "Baner moves" in words_of(pages.home(market.desks["meera"]))
    assert "Baner moves" not in words_of(pages.home(market.desks["ravi"]))


def test_the_most_severe_comes_first(pages: Pages, market: Market) -> None:
    said(market, title="Small")
    said(market, title="Large", severity=Severity.WARNING)
    page = pages.home(market.desks["ravi"])
    assert "Large" in page.warning[0].value
    assert "Small" in page.info[0].value


@pytest.mark.feature("A7.4")
def test_who_is_interested_in_an_offer_writes_by_one_click(pages: Pages, market: Market) -> None:
    offer = said(
        market,
        title="A current account",
        audience=Audience.CUSTOMERS,
        severity=Severity.OFFER,
    )
    home = pages.home(market.desks["asha"])
    assert home.info[0].value.startswith("**Offer: A current account**")
    [link] = [
        each for each in home.get("page_link") if each.proto.label.startswith("I am interested")
    ]
    assert link.proto.query_string == f"offer={offer.id}"
    home.query_params["offer"] = str(offer.id)
    home.switch_page("pages/customer/help.py").run()
    assert home.selectbox("help_write_category").value == "offer"
    assert home.text_input("help_write_subject").value == "Interested: A current account"
    assert "offer" not in home.query_params
    press(home, "Send to the bank")
    [ticket] = tickets.own_tickets(market.desks["asha"])
    assert ticket.subject == "Interested: A current account"


@pytest.mark.feature("A7.4")
@pytest.mark.parametrize("number", ["1", "2", "4711", "x"])
def test_what_is_no_offer_any_more_fills_nothing(pages: Pages, market: Market, number: str) -> None:
    card = said(market, audience=Audience.CUSTOMERS, severity=Severity.OFFER)
    announcements.withdraw(market.desks["admin"], card.id, "It is over")
    assert said(market, title="Closed").id == 2
    home = pages.home(market.desks["asha"])
    home.query_params["offer"] = number
    home.switch_page("pages/customer/help.py").run()
    assert not home.exception
    assert home.selectbox("help_write_category").value is None
    assert "This offer is over" in words_of(home)


@pytest.mark.feature("A7.4")
def test_an_offer_goes_to_customers_whatever_was_chosen(pages: Pages, market: Market) -> None:
    page = pages.open(market.desks["admin"], PAGE)
    typed(page, "Title", "A current account")
    typed(page, "Message", "We come to your shop.")
    page.selectbox("announce_severity").set_value(Severity.OFFER).run()
    assert page.selectbox("announce_audience").value is Audience.EVERYONE
    assert "An offer goes to customers" in words_of(page)
    press(page, "Preview")
    press(page, "Announce")
    [card] = announcements.announced(market.desks["admin"])
    assert (card.audience, card.severity) == (Audience.CUSTOMERS, Severity.OFFER)


@pytest.mark.feature("A7.4")
def test_beyond_five_the_rest_is_on_a_page_and_an_offer_there_can_be_taken(
    pages: Pages, market: Market
) -> None:
    for number in range(5):
        said(market, title=f"Warning {number}", severity=Severity.WARNING)
    offer = said(market, title="A locker", audience=Audience.CUSTOMERS, severity=Severity.OFFER)
    home = pages.home(market.desks["asha"])
    assert "A locker" not in words_of(home)
    labels = [each.proto.label for each in home.get("page_link")]
    assert "All 6 announcements" in labels
    home.switch_page("pages/every/announcements.py").run()
    assert not home.exception
    assert "Warning 0" in words_of(home)
    assert "A locker" in words_of(home)
    [link] = [
        each for each in home.get("page_link") if each.proto.label.startswith("I am interested")
    ]
    assert link.proto.query_string == f"offer={offer.id}"
    home.query_params["offer"] = str(offer.id)
    home.switch_page("pages/customer/help.py").run()
    assert "This offer is over" not in words_of(home)
    assert home.text_input("help_write_subject").value == "Interested: A locker"


def test_on_a_quiet_day_there_is_no_link_and_the_page_says_so(pages: Pages, market: Market) -> None:
    page = pages.open(market.desks["ravi"], "every/announcements.py")
    assert "Nothing is announced today" in words_of(page)
    said(market, title="Small")
    page = pages.open(market.desks["ravi"], "every/announcements.py")
    assert "Small" in page.info[0].value
    home = pages.home(market.desks["ravi"])
    assert not [
        each
        for each in home.get("page_link")
        if "announcements" in each.proto.label
        and each.proto.label.startswith("All ")
        and each.proto.label != "All announcements"
    ]


def test_it_is_for_some_roles_or_for_who_holds_a_product(pages: Pages, market: Market) -> None:
    page = pages.open(market.desks["admin"], PAGE)
    typed(page, "Title", "Count twice")
    typed(page, "Message", "A false note was found.")
    page.selectbox("announce_audience").set_value(Audience.STAFF).run()
    page.multiselect("announce_roles").set_value([Role.CASHIER])
    press(page, "Preview")
    assert "Employees\\: Cashier" in words_of(page)
    press(page, "Announce")
    assert "Count twice" in words_of(pages.home(market.desks["ravi"]))
    assert "Count twice" not in words_of(pages.home(market.desks["executive"]))
    page = pages.open(market.desks["admin"], PAGE)
    typed(page, "Title", "Your current account")
    typed(page, "Message", "It costs less.")
    page.selectbox("announce_audience").set_value(Audience.CUSTOMERS).run()
    page.selectbox("announce_product").set_value("current")
    press(page, "Preview")
    press(page, "Announce")
    newest = announcements.announced(market.desks["admin"])[0]
    assert (newest.product, newest.audience) == ("current", Audience.CUSTOMERS)
    assert "Your current account" in words_of(pages.home(market.desks["asha"]))
    assert "Your current account" not in words_of(pages.home(market.desks["nila"]))
