"""The bell in the sidebar: how much is new, the list, and where its lines lead."""

from typing import Any, Final

import pytest
from streamlit.testing.v1 import AppTest

from bank.core.desk import Desk
from bank.office import approvals, notices, queue
from bank.office.notices import OF_APPROVALS, RAN_OUT
from pages.parts import bell, sidebar
from tests.support import queues
from tests.support.apptest import Pages, words_of
from tests.support.checkers import Checking
from tests.support.market import Market

pytestmark = pytest.mark.feature("D0")
ESHA: Final = "executive"


def bell_of(page: AppTest) -> str:
    """What the button says."""
    return page.button("bell_open").label


def hand(market: Market, item: int) -> None:
    """Esha is handed an item."""
    esha = market.desks[ESHA].user_id
    assert esha is not None
    queue.reassign(market.desks["admin"], item, esha, "she knows it")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """The list stays open from run to run, as it does for a person (there it is drawn alone)."""
    draw = sidebar.draw

    def both(desk: Desk) -> None:
        draw(desk)
        bell._listed()

    monkeypatch.setattr(sidebar, "draw", both)


def test_the_bell_counts_until_somebody_looks(pages: Pages, sqlite_market: Market) -> None:
    one, two = queues.opened(sqlite_market, 2)
    home = pages.home(sqlite_market.desks[ESHA])
    assert bell_of(home) == "Notifications"
    hand(sqlite_market, one)
    home.run()
    assert bell_of(home) == "Notifications", "no run waits for a count"
    queues.later(sqlite_market, minutes=2)
    home.run()
    assert bell_of(home) == "Notifications (1)"
    home.button("bell_open").click().run()
    assert not home.exception
    said = words_of(home).replace("\\", "")
    assert "she knows it" in said
    assert "[New]" in said
    assert "T-1: Case 1 was handed to you by Arun Nair" in [
        each.label.replace("\\", "") for each in home.button
    ]
    home.run()
    assert bell_of(home) == "Notifications"
    queues.later(sqlite_market, seconds=1)
    hand(sqlite_market, two)
    queues.later(sqlite_market, minutes=2)
    home.run()
    assert bell_of(home) == "Notifications (1)"


def test_who_has_nothing_is_told_what_would_appear(pages: Pages, sqlite_market: Market) -> None:
    home = pages.home(sqlite_market.desks["auditor"])
    home.button("bell_open").click().run()
    assert not home.exception
    assert "Nothing has happened to your things" in words_of(home)
    customer = pages.home(sqlite_market.desks["asha"])
    assert "bell_open" not in [each.key for each in customer.button]


def line(page: AppTest, begins: str) -> Any:
    """The line about something."""
    [found] = [
        each
        for each in page.button
        if str(each.key).startswith("bell_") and each.label.replace("\\", "").startswith(begins)
    ]
    return found


@pytest.mark.usefixtures("opened")
def test_a_line_leads_to_its_own_item_when_another_comes_above_it(
    pages: Pages, sqlite_market: Market
) -> None:
    one, two = queues.opened(sqlite_market, 2)
    hand(sqlite_market, one)
    home = pages.home(sqlite_market.desks[ESHA])
    drawn = line(home, "T-1")
    queues.later(sqlite_market, seconds=1)
    hand(sqlite_market, two)
    drawn.click().run()
    assert not home.exception
    assert home.session_state["inbox_list_chosen"] == str(one)


@pytest.mark.usefixtures("opened")
def test_a_line_leads_to_the_item(pages: Pages, sqlite_market: Market) -> None:
    [item] = queues.opened(sqlite_market)
    hand(sqlite_market, item)
    home = pages.home(sqlite_market.desks[ESHA])
    line(home, "T-1").click().run()
    assert not home.exception
    assert home.title[0].value == "Inbox"
    assert "Claim T-1" in [each.label for each in home.button]


@pytest.mark.usefixtures("opened")
def test_a_line_leads_to_the_approval(pages: Pages, sqlite_checking: Checking) -> None:
    sqlite_checking.ask("withdraw")
    approvals.reject(sqlite_checking.desks["vera"], 1, "Not today")
    home = pages.home(sqlite_checking.desks["ravi"])
    told = line(home, "Approval 1")
    assert told.label.endswith("was rejected by Vera Lobo")
    assert "Not today" in words_of(home)
    told.click().run()
    assert not home.exception
    assert home.title[0].value == "Approvals"
    assert "approval 1" in words_of(home)


def test_every_act_has_its_words() -> None:
    assert set(bell.TOLD) == {*OF_APPROVALS, *RAN_OUT, "re-assigned", "handed over"}
    assert notices.MOST_COUNTED == 99
