"""Announcements as an admin writes them and as everybody reads them."""

from datetime import date

import pytest

from bank.office import announcements
from bank.office.announcements import Severity
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
    assert "will not leave" in words_of(page)
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
