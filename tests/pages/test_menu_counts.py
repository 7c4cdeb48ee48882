"""Counts in the menu: what waits behind Inbox and Approvals, counted while nobody waits."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import pytest
import streamlit as st

from bank.core.errors import NotAllowed
from bank.office import approval_cards, approvals, queue, queue_lists
from pages.parts import counts
from pages.parts.menu import MENU
from tests.bank.test_announcements import head
from tests.support import queues
from tests.support.apptest import Pages
from tests.support.checkers import Checking
from tests.support.market import BANER, Market

pytestmark = pytest.mark.feature("A14.1", "B12")
ESHA, DEV = "executive", "executive_two"
INBOX: Final = next(entry for entry in MENU if entry.title == "Inbox")
Shown = list[Mapping[str, str]]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    """The titles of every menu that was drawn, by address, newest last."""
    menus: Shown = []
    draw = st.navigation

    def noted(sections: Any, **named: Any) -> Any:
        pages: Iterable[st.Page] = (page for each in sections.values() for page in each)
        menus.append({page._url_path: page.title for page in pages})
        return draw(sections, **named)

    monkeypatch.setattr(st, "navigation", noted)
    return menus


@pytest.mark.parametrize(
    ("count", "title"),
    [
        (0, "Inbox"),
        (1, "Inbox (1)"),
        (99, "Inbox (99)"),
        (100, "Inbox (99+)"),
        (198, "Inbox (99+)"),
    ],
)
def test_how_a_count_reads(count: int, title: str) -> None:
    assert counts.title_of(INBOX, {INBOX.file: count}) == title
    assert counts.title_of(INBOX, {}) == "Inbox"


def test_unassigned_and_mine_and_not_a_colleagues(market: Market) -> None:
    items = queues.opened(market, 4)
    queues.opened(market, branch_id=market.branch_ids[BANER])
    queue.claim(market.desks[ESHA], items[0])
    queue.claim(market.desks[DEV], items[1])
    assert queue_lists.waiting_for_me(market.desks[ESHA]) == 3
    assert queue_lists.waiting_for_me(market.desks["executive_baner"]) == 1
    queues.decide(market, items[0])
    assert queue_lists.waiting_for_me(market.desks[ESHA]) == 2
    queues.opened(market, 150)
    assert queue_lists.waiting_for_me(market.desks[ESHA]) == 100, "as far as a menu counts"
    with pytest.raises(NotAllowed):
        queue_lists.waiting_for_me(market.desks["auditor"])


@pytest.mark.feature("B4")
def test_what_one_may_decide(checking: Checking) -> None:
    assert approval_cards.count_to_decide(checking.desks["vera"]) == 0
    checking.ask("withdraw")
    for who in ("vera", "admin_baner"):
        desk = checking.desks[who]
        listed = len(approval_cards.to_decide(desk))
        assert approval_cards.count_to_decide(desk) == listed, who
    assert approval_cards.count_to_decide(checking.desks["vera"]) == 1
    with pytest.raises(NotAllowed):
        approval_cards.count_to_decide(checking.desks["ravi"])


def test_the_menu_counts_and_keeps_its_addresses(
    pages: Pages, sqlite_market: Market, shown: Shown
) -> None:
    market = sqlite_market
    queues.opened(market, 2)
    home = pages.home(market.desks[ESHA])
    assert shown[-1]["staff-inbox"] == "Inbox (2)"
    assert shown[-1]["staff-approvals"] == "Approvals"
    home.switch_page("pages/staff/inbox.py").run()
    assert [title.value for title in home.title] == ["Inbox"]
    queues.opened(market)
    home.run()
    assert shown[-1]["staff-inbox"] == "Inbox (2)", "no run waits for a count"
    queues.later(market, seconds=6)
    home.run()
    assert shown[-1]["staff-inbox"] == "Inbox (2)", "counted once the page was drawn"
    home.run()
    assert shown[-1]["staff-inbox"] == "Inbox (3)"
    queues.opened(market)
    queues.later(market, minutes=2)
    home.run()
    assert shown[-1]["staff-inbox"] == "Inbox (4)", "what is old is not shown"


def test_nothing_is_shown_for_nothing_nor_to_who_has_no_queue(
    pages: Pages, sqlite_market: Market, shown: Shown
) -> None:
    queues.opened(sqlite_market, branch_id=sqlite_market.branch_ids[BANER])
    for who in (ESHA, "ravi", "auditor", "asha"):
        assert not pages.home(sqlite_market.desks[who]).exception
        assert not any("(" in title for title in shown[-1].values()), who


@pytest.mark.feature("B4")
def test_approvals_to_decide_stand_beside_the_page(
    pages: Pages, sqlite_checking: Checking, shown: Shown
) -> None:
    sqlite_checking.ask("withdraw")
    pages.home(sqlite_checking.desks["vera"])
    assert shown[-1]["staff-approvals"] == "Approvals (1)"
    assert shown[-1]["staff-inbox"] == "Inbox (1)"
    pages.home(sqlite_checking.desks["ravi"])
    assert shown[-1]["staff-approvals"] == "Approvals", "one's own is not to be decided by oneself"
    approvals.send_back(sqlite_checking.desks["vera"], 1, "Is she here?")
    pages.home(sqlite_checking.desks["ravi"])
    assert shown[-1]["staff-approvals"] == "Approvals (1)", "but to be answered"
    pages.home(sqlite_checking.desks["vera"])
    assert shown[-1]["staff-approvals"] == "Approvals"


def test_the_next_person_at_the_window_sees_their_own(
    pages: Pages, sqlite_market: Market, shown: Shown
) -> None:
    queues.opened(sqlite_market, 2)
    home = pages.home(sqlite_market.desks[ESHA])
    assert shown[-1]["staff-inbox"] == "Inbox (2)"
    pages.sit(sqlite_market.desks["executive_baner"])
    home.run()
    assert shown[-1]["staff-inbox"] == "Inbox"


def test_a_page_that_stops_is_counted_after_as_well(
    pages: Pages, sqlite_market: Market, shown: Shown
) -> None:
    home = pages.home(head(sqlite_market))
    assert shown[-1]["staff-inbox"] == "Inbox"
    queues.opened(sqlite_market)
    queues.later(sqlite_market, seconds=6)
    home.switch_page("pages/head_office/branches.py").run()
    queues.opened(sqlite_market)
    queues.later(sqlite_market, seconds=6)
    [add] = [each for each in home.button if each.label == "Add a branch"]
    add.click().run()
    assert "Back to the list" in [each.label for each in home.button], "it stopped below the form"
    home.run()
    assert shown[-1]["staff-inbox"] == "Inbox (2)"


def test_what_is_for_others_up_the_line_is_not_counted(market: Market) -> None:
    items = queues.opened(market, 2)
    queue.escalate(market.desks["admin"], items[0], "she wants the manager")
    assert queue_lists.waiting_for_me(market.desks[ESHA]) == 1
    assert queue_lists.waiting_for_me(market.desks["admin"]) == 2
