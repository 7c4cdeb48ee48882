"""Canned replies as an executive and a lead keep them."""

import pytest
from streamlit.testing.v1 import AppTest

from bank.core.desk import Desk
from bank.office import canned
from tests.bank.test_announcements import head
from tests.pages.test_help import press
from tests.support.apptest import Pages, words_of
from tests.support.market import BANER, Market

pytestmark = pytest.mark.feature("B20")
PAGE = "staff/canned.py"


@pytest.fixture
def market(sqlite_market: Market) -> Market:
    """Pages draw the same on either database."""
    return sqlite_market


def new(page: AppTest, name: str, body: str) -> None:
    """Type into the form for new words."""
    [title] = [each for each in page.text_input if each.form_id == "canned_new"]
    [words] = [each for each in page.text_area if each.form_id == "canned_new"]
    title.set_value(name)
    words.set_value(body)


def chosen(pages: Pages, desk: Desk, name: str) -> AppTest:
    """The page with the words of a name chosen."""
    reply = next(each for each in canned.replies(desk) if each.name == name)
    page = pages.open(desk, PAGE)
    page.session_state["canned_replies_chosen"] = str(reply.id)
    page.run()
    assert not page.exception
    return page


def test_own_words_are_kept_changed_and_forgotten(pages: Pages, market: Market) -> None:
    esha = market.desks["executive"]
    page = pages.open(esha, PAGE)
    assert "Keep for all" not in [each.label for each in page.button]
    new(page, "Fee", "Dear {surname}")
    press(page, "Keep for my replies")
    assert page.error[0].value.startswith("**Message:**")
    assert "is no placeholder" in page.error[0].value
    [words] = [each for each in page.text_area if each.form_id == "canned_new"]
    assert words.value == "Dear {surname}"
    new(page, "Fee", "Dear {name}")
    press(page, "Keep for my replies")
    assert "Kept for your replies" in words_of(page)
    page = chosen(pages, esha, "Fee")
    [words] = [each for each in page.text_area if each.form_id.startswith("canned_change")]
    words.set_value("Hello {name}")
    press(page, "Change these words")
    page = chosen(pages, esha, "Fee")
    assert "Hello {name}" in words_of(page).replace("\\", "")
    press(page, "Forget these words")
    assert "Fee is forgotten" in words_of(page)
    assert "Fee" not in [each.name for each in canned.replies(esha)]


def test_a_lead_keeps_for_all_and_retires_with_a_reason(pages: Pages, market: Market) -> None:
    arun = market.desks["admin"]
    page = pages.open(arun, PAGE)
    new(page, "Cash", "At Fort, {name}")
    press(page, "Keep for all")
    assert "Kept for all" in words_of(page)
    seen = words_of(chosen(pages, market.desks["executive"], "Cash")).replace("\\", "")
    assert "At Fort, {name}" in seen
    assert "kept by a lead" in seen
    assert "Arun Nair" in seen, "the history"
    page = chosen(pages, arun, "Cash")
    press(page, "Retire these words")
    assert page.error[0].value.startswith("**Why:**")
    [why] = [each for each in page.text_input if each.label == "Why"]
    why.set_value("Nobody pays cash")
    press(page, "Retire these words")
    assert "is offered no more" in words_of(page)
    assert "Cash" not in [each.name for each in canned.replies(market.desks["executive"])]


def test_head_office_says_for_which_branch(pages: Pages, market: Market) -> None:
    page = pages.open(head(market), PAGE)
    new(page, "Move", "We moved, {name}")
    [branch] = [each for each in page.selectbox if each.label == "Branch"]
    branch.set_value(market.branch_ids[BANER])
    press(page, "Keep for all")
    assert "Move" in [each.name for each in canned.replies(market.desks["executive_baner"])]
    assert "Move" not in [each.name for each in canned.replies(market.desks["executive"])]
    page = chosen(pages, head(market), "Received")
    assert "They came with the bank" in words_of(page)
