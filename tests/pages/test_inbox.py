"""The inbox as people see it: views, search, rows that stand still, what one does with an item."""

import re

import pytest
from streamlit.testing.v1 import AppTest

from bank.core.permissions import Role
from bank.office import queue, queue_lists, saved_views
from pages.parts import queue as queue_page
from pages.parts import queue_bulk, table_files
from tests.support import queues, tickets
from tests.support.apptest import Pages, words_of
from tests.support.checkers import Checking
from tests.support.market import Market

pytestmark = pytest.mark.feature("B12", "C9")
INBOX = "staff/inbox.py"
ESHA, DEV = "executive", "executive_two"


@pytest.fixture
def market(sqlite_market: Market) -> Market:
    """Pages draw the same on either database."""
    return sqlite_market


def said_on(page: AppTest) -> str:
    """Everything the page says, without the marks that keep Markdown from obeying it."""
    return words_of(page).replace("\\", "")


def press(page: AppTest, label: str) -> AppTest:
    """Click the one button with this label."""
    [button] = [each for each in page.button if each.label == label]
    button.click().run()
    assert not page.exception
    return page


def labels(page: AppTest) -> list[str]:
    """What the buttons say."""
    return [each.label for each in page.button]


def look(page: AppTest, view: str) -> AppTest:
    """Choose a view."""
    page.segmented_control("inbox_view").set_value(view).run()
    assert not page.exception
    return page


def choose(page: AppTest, item: int) -> AppTest:
    """Choose a row of the list."""
    page.session_state["inbox_list_chosen"] = str(item)
    page.run()
    assert not page.exception
    return page


def listed(page: AppTest) -> list[str]:
    """The references in the list, from top to bottom."""
    return list(page.dataframe[0].value["Item"]) if page.dataframe else []


def test_an_item_is_claimed_and_released_on_the_page(pages: Pages, market: Market) -> None:
    queues.opened(market, 2)
    page = pages.open(market.desks[ESHA], INBOX)
    assert listed(page) == ["T-1", "T-2"]
    for words in ("Unassigned 2", "Mine 0", "Waiting 0", "Overdue 0"):
        assert words in said_on(page), words
    choose(page, 1)
    assert "T-1: Case 1" in said_on(page)
    press(page, "Claim T-1")
    assert "is yours" in said_on(page)
    assert listed(page) == ["T-2"]
    assert "Mine 1" in said_on(page)
    look(page, "mine")
    assert listed(page) == ["T-1"]
    assert "Claimed: Esha Iyer" in said_on(page)
    press(page, "Release T-1")
    assert "You have claimed nothing" in said_on(page)
    assert queues.acts(market, 1) == ["opened", "claimed", "released"]


def test_the_next_item_is_taken_and_opened(pages: Pages, market: Market) -> None:
    queues.opened(market)
    queues.opened(market, priority=1)
    page = pages.open(market.desks[ESHA], INBOX)
    press(page, "Take the next item")
    assert "T-2: Case 2" in said_on(page)
    assert queues.seen(market, 2).owner_name == "Esha Iyer"
    press(page, "Take the next item")
    press(page, "Take the next item")
    assert "Nothing is free for you to take" in said_on(page)


def test_the_second_click_is_told_who_was_first(pages: Pages, market: Market) -> None:
    queues.opened(market)
    page = choose(pages.open(market.desks[ESHA], INBOX), 1)
    queue.claim(market.desks[DEV], 1)
    press(page, "Claim T-1")
    assert "Dev Sen has this item since" in page.error[0].value
    page.run()
    assert "Claim T-1" not in labels(page)
    assert "Claimed by" in said_on(page)


def test_rows_stand_still_while_others_work(pages: Pages, market: Market) -> None:
    queues.opened(market, 3)
    page = pages.open(market.desks[ESHA], INBOX)
    queue.claim(market.desks[DEV], 2)
    queues.opened(market, priority=1)
    page.run()
    assert listed(page) == ["T-1", "T-2", "T-3"], "no row moves"
    assert list(page.dataframe[0].value["State"]) == [
        "Unassigned",
        "Claimed: Dev Sen",
        "Unassigned",
    ]
    assert "1 item more since this list was drawn" in said_on(page)
    press(page, "Show the new list")
    assert listed(page) == ["T-4", "T-1", "T-3"]


def test_the_first_item_of_an_empty_view_appears_by_itself(pages: Pages, market: Market) -> None:
    page = pages.open(market.desks[ESHA], INBOX)
    assert "Nothing is unassigned" in said_on(page)
    queues.opened(market)
    page.run()
    assert listed(page) == ["T-1"]


def test_who_else_looks_is_said(pages: Pages, market: Market) -> None:
    queues.opened(market)
    queue.look(market.desks[DEV], 1)
    page = choose(pages.open(market.desks[ESHA], INBOX), 1)
    assert "Dev Sen is looking at this" in said_on(page)
    queue.look(market.desks["admin"], 1)
    page.run()
    assert "Arun Nair and Dev Sen are looking at this" in said_on(page)


@pytest.mark.feature("B26")
def test_several_are_claimed_with_what_became_of_each(pages: Pages, market: Market) -> None:
    queues.opened(market, 3)
    page = pages.open(market.desks[ESHA], INBOX)
    page.multiselect("inbox_several").set_value([1, 2]).run()
    queue.claim(market.desks[DEV], 2)
    press(page, "Claim 2 items")
    said = said_on(page)
    assert "You have claimed 1 of 2 items" in said
    assert "It is yours" in said
    assert "Dev Sen has this item since 12:00" in said
    page.run()
    assert "It is yours" in said_on(page), "until it is hidden"
    offered = [each.proto.id for each in page.get("download_button")]
    assert any("inbox_results_csv" in each for each in offered), offered
    title, result = page.session_state["inbox_result"]
    file = table_files.csv_of(result, queue_bulk.RESULT).decode("utf-8-sig").splitlines()
    assert (title, file[0]) == ("Claimed together", "Item,What became of it")
    assert file[1:] == [
        "T-1: Case 1,It is yours.",
        "T-2: Case 2,Dev Sen has this item since 12:00.",
    ]
    press(page, "Hide this list")
    assert "It is yours" not in said_on(page)


@pytest.mark.feature("B26")
def test_what_several_would_come_to_is_said_before(pages: Pages, market: Market) -> None:
    queues.opened(market, 2)
    queue.claim(market.desks[DEV], 2)
    admin = pages.open(market.desks["admin"], INBOX)
    look(admin, "all open")
    admin.session_state["inbox_hand_several"] = True
    admin.run()
    admin.multiselect("inbox_hand_items").set_value([1, 2]).run()
    assert "as it stands now" not in said_on(admin), "nobody is chosen yet"
    admin.selectbox("inbox_hand_to").set_value(market.desks[DEV].user_id).run()
    assert not admin.exception
    assert "2 of 2 items as it stands now" in said_on(admin)
    assert (
        list(admin.dataframe[1].value["What would become of it"]) == ["Dev Sen would have it."] * 2
    )
    page = pages.open(market.desks[ESHA], INBOX)
    page.multiselect("inbox_several").set_value([1]).run()
    assert "1 of 1 item as it stands now" in said_on(page)
    queue.claim(market.desks[DEV], 1)
    page.run()
    assert "0 of 1 item as it stands now" in said_on(page)
    assert "Dev Sen has this item since 12:00" in str(page.dataframe[1].value)


@pytest.mark.feature("B26")
def test_several_are_undone_while_there_is_time(pages: Pages, market: Market) -> None:
    queues.opened(market, 3)
    page = pages.open(market.desks[ESHA], INBOX)
    page.multiselect("inbox_several").set_value([1, 2]).run()
    press(page, "Claim 2 items")
    assert "60 seconds left" in said_on(page)
    queue.release(market.desks[ESHA], 2)
    queues.later(market, seconds=20)
    page.run()
    assert "40 seconds left" in said_on(page)
    press(page, "Undo claiming 1 item")
    said = said_on(page)
    assert "1 of 2 items put back" in said
    assert "It is back where it was" in said
    assert "You have worked on it since (released)" in said
    assert not [each for each in labels(page) if each.startswith("Undo")]
    press(page, "Hide this list")
    assert listed(page) == ["T-1", "T-2", "T-3"]


@pytest.mark.feature("B26")
def test_an_undo_that_comes_too_late_is_told_so(pages: Pages, market: Market) -> None:
    queues.opened(market, 1)
    page = pages.open(market.desks[ESHA], INBOX)
    page.multiselect("inbox_several").set_value([1]).run()
    press(page, "Claim 1 item")
    [button] = [each for each in page.button if each.label.startswith("Undo")]
    queues.later(market, seconds=60)
    button.click().run()
    assert "The time to undo this is over" in page.error[0].value
    page.run()
    assert not [each for each in labels(page) if each.startswith("Undo")]
    assert queues.seen(market, 1).owner_name == "Esha Iyer"


def test_views_search_and_filters(pages: Pages, market: Market) -> None:
    queues.opened(market, title="Lost card", words="Asha Rao")
    queues.opened(market, title="Late transfer", priority=1)
    queue.claim(market.desks[ESHA], 1)
    queues.ask(market, 1)
    queues.later(market, days=1)
    page = pages.open(market.desks[ESHA], INBOX)
    for view, found in (
        ("waiting", ["T-1"]),
        ("overdue", ["T-2"]),
        ("all open", ["T-2", "T-1"]),
        ("decided", []),
    ):
        look(page, view)
        assert listed(page) == found, view
    look(page, "all open")
    page.session_state["inbox_words"] = "ash"
    page.run()
    assert listed(page) == ["T-1"]
    page.text_input("inbox_words").set_value("nothing like it").run()
    assert "No item fits" in said_on(page)
    page.text_input("inbox_words").set_value("").run()
    page.selectbox("inbox_priority").set_value(1).run()
    assert listed(page) == ["T-2"]
    assert "Overdue, " in said_on(page)


@pytest.mark.feature("B25")
def test_a_view_is_kept_opened_and_forgotten(pages: Pages, market: Market) -> None:
    queues.opened(market, priority=1)
    queues.opened(market)
    page = look(pages.open(market.desks[ESHA], INBOX), "all open")
    page.session_state["inbox_priority"] = 1
    page.run()
    press(page, "Keep this view")
    assert page.error[0].value.startswith("**Name:**")
    [name] = [each for each in page.text_input if each.label == "Name"]
    name.set_value("What burns")
    press(page, "Keep this view")
    [view] = saved_views.views(market.desks[ESHA], "inbox")
    assert view.query == "view=all+open&priority=1"
    page.session_state["inbox_priority"] = None
    look(page, "mine")
    press(page, "What burns")
    assert page.segmented_control("inbox_view").value == "all open"
    assert listed(page) == ["T-1"]
    press(page, "Forget What burns")
    assert saved_views.views(market.desks[ESHA], "inbox") == []


@pytest.mark.feature("B25")
def test_a_view_that_means_nothing_any_more_opens_as_far_as_it_can(
    pages: Pages, market: Market
) -> None:
    queues.opened(market)
    query = (
        "view=upside+down&priority=99&kind=nonsense&branch=x&more=1"
        "&level=7&category=nothing&owner=9999"
    )
    saved_views.keep_view(market.desks["admin"], "inbox", "Old", query, Role.EXECUTIVE)
    page = pages.open(market.desks[ESHA], INBOX)
    press(page, "Old")
    assert page.segmented_control("inbox_view").value == "unassigned"
    assert listed(page) == ["T-1"]
    assert "Forget Old" not in labels(page)


def test_an_item_goes_up_the_line_with_a_reason(pages: Pages, market: Market) -> None:
    queues.opened(market)
    page = choose(pages.open(market.desks[ESHA], INBOX), 1)
    press(page, "Escalate T-1")
    assert page.error[0].value.startswith("**Why:**")
    [why] = [each for each in page.text_input if each.label == "Why"]
    why.set_value("He wants the manager")
    press(page, "Escalate T-1")
    assert "with the branch lead" in said_on(page).lower()
    assert queues.past(market, 1)[-1].note == "He wants the manager"
    page = choose(pages.open(market.desks["admin"], INBOX), 1)
    press(page, "Claim T-1")
    assert queues.seen(market, 1).owner_name == "Arun Nair"


def test_who_leads_hands_over_and_takes_back(pages: Pages, market: Market) -> None:
    queues.opened(market)
    queue.claim(market.desks[ESHA], 1)
    page = choose(look(pages.open(market.desks["admin"], INBOX), "all open"), 1)
    [to] = [each for each in page.selectbox if each.label == "Colleague"]
    assert "Dev Sen, Customer executive" in to.options
    to.set_value(market.desks[DEV].user_id)
    [_, why] = [each for each in page.text_input if each.label == "Why"]
    why.set_value("She is ill")
    press(page, "Hand over T-1")
    assert "Dev Sen has T-1" in said_on(page)
    assert queues.seen(market, 1).owner_name == "Dev Sen"
    [_, why] = [each for each in page.text_input if each.label == "Why"]
    why.set_value("He is ill, too")
    press(page, "Hand over T-1")
    assert queues.row_of(market, 1).owner_id is None


def test_a_long_queue_turns_its_pages(pages: Pages, market: Market) -> None:
    queues.opened(market, 60)
    page = pages.open(market.desks[ESHA], INBOX)
    assert "1 to 50 of 60" in said_on(page)
    press(page, "Later rows")
    assert listed(page)[0] == "T-51"
    assert "51 to 60 of 60" in said_on(page)
    press(page, "Earlier rows")
    assert listed(page)[0] == "T-1"


def test_a_queue_is_walked_beyond_what_is_counted(
    pages: Pages, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand is counted at most; here it is sixty."""
    for module in (queue_lists, queue_page):
        monkeypatch.setattr(module, "COUNTED_UP_TO", 60)
    queues.opened(market, 160)
    page = pages.open(market.desks[ESHA], INBOX)
    seen = listed(page)
    assert "1 to 50 of more than 60" in said_on(page)
    for _ in range(3):
        press(page, "Later rows")
        seen += listed(page)
    assert seen == [f"T-{number}" for number in range(1, 161)]
    assert "151 to 160 of 160" in said_on(page)
    [later] = [each for each in page.button if each.label == "Later rows"]
    assert later.disabled
    press(page, "Earlier rows")
    assert listed(page)[0] == "T-101"


@pytest.mark.feature("B26")
def test_who_leads_hands_over_several_with_what_became_of_each(
    pages: Pages, market: Market
) -> None:
    queues.opened(market, 2)
    queues.opened(market, not_for=market.desks[DEV].user_id)
    page = pages.open(market.desks[ESHA], INBOX)
    assert "Hand over several" not in said_on(page), "she leads nobody"
    page = pages.open(market.desks["admin"], INBOX)
    page.session_state["inbox_hand_several"] = True  # the drawer is opened
    page.run()
    page.multiselect("inbox_hand_items").set_value([1, 3]).run()
    page.selectbox("inbox_hand_to").set_value(market.desks[DEV].user_id).run()
    press(page, "Hand over 2 items")
    assert page.error[0].value.startswith("**Why:**")
    page.text_input("inbox_hand_why").set_value("He is back").run()
    press(page, "Hand over 2 items")
    said = said_on(page)
    assert "Dev Sen has 1 of 2 items" in said
    assert "Dev Sen has it" in said
    assert str(queue.NotEntitled()) in said
    look(page, "all open")
    assert page.dataframe[1].value["State"].tolist()[0] == "Assigned: Dev Sen"
    page = choose(look(pages.open(market.desks[DEV], INBOX), "mine"), 1)
    assert "to take it up by 18 Mar 2026, 12:00" in said_on(page)
    press(page, "Claim T-1")
    assert "Claimed by" in said_on(page)
    assert "Claim T-1" not in labels(page)


def test_categories_channels_owners_and_levels(pages: Pages, market: Market) -> None:
    tickets.written(market, category="card", subject="Lost card")
    tickets.written(market, category="cash", subject="Torn note")
    queues.opened(market, reference="T-9")
    queue.escalate(market.desks["admin"], 2, "a supervisor was rude")
    queue.claim(market.desks[ESHA], 3)
    page = look(pages.open(market.desks[ESHA], INBOX), "all open")
    shown = page.dataframe[0].value
    assert list(shown["Category"]) == ["Cash at the counter", "Cards", ""]
    assert list(shown["Channel"]) == ["Portal", "Portal", "Desk"]
    assert shown["Due"].tolist()[0].startswith("First reply in ")
    look(page, "escalated")
    assert list(page.dataframe[0].value["About"]) == ["Torn note"]
    look(page, "all open")
    page.session_state["inbox_category"] = "card"
    page.run()
    assert list(page.dataframe[0].value["About"]) == ["Lost card"]
    page.selectbox("inbox_category").set_value(None).run()
    page.selectbox("inbox_owner").set_value(market.desks[ESHA].user_id).run()
    assert listed(page) == ["T-9"]
    page.selectbox("inbox_owner").set_value(None).run()
    page.selectbox("inbox_level").set_value(1).run()
    assert list(page.dataframe[0].value["About"]) == ["Torn note"]


@pytest.mark.feature("B20")
def test_the_next_reply_has_a_clock_beside_the_others(pages: Pages, market: Market) -> None:
    card = tickets.claimed(market, tickets.written(market))
    tickets.replied(market, card)
    tickets.answered(market, card, "And the other one?")
    page = look(pages.open(market.desks[ESHA], INBOX), "mine")
    assert list(page.dataframe[0].value["Due"]) == ["Next reply in 1 day"]
    said = said_on(choose(page, card.item_id))
    assert re.search(r"Next reply +17 Mar 2026, 12:00, in 1 day", said)
    assert re.search(r"Solve +27 Mar 2026", said)
    assert not re.search(r"First reply +1", said), "that one is done"


def test_an_approval_waits_in_the_inbox_with_the_way_to_its_page(
    pages: Pages, sqlite_checking: Checking
) -> None:
    sqlite_checking.ask("withdraw")
    home = pages.home(sqlite_checking.desks["vera"])
    home.switch_page("pages/staff/inbox.py").run()
    choose(home, 1)
    said = said_on(home)
    assert "Approval 1" in said
    assert "Ravi Kumar" in said
    press(home, "Open the approval")
    assert "Cash withdrawal, approval 1" in said_on(home)
    home.switch_page("pages/staff/approvals.py").run()  # where the browser is by now
    press(home, "Approve cash withdrawal")
    press(home, "Yes, approve")
    home.switch_page("pages/staff/inbox.py").run()
    assert "Decided" in said_on(home)
    assert "Executed by Vera Lobo" in said_on(home)


def test_what_is_gone_from_ones_sight_is_said(pages: Pages, market: Market) -> None:
    page = choose(pages.open(market.desks[ESHA], INBOX), 999)
    assert "There is no such work item" in said_on(page)


def test_only_who_decides_something_has_an_inbox(pages: Pages, market: Market) -> None:
    for who in ("ravi", "banker"):
        home = pages.home(market.desks[who])
        with pytest.raises(ValueError, match="inbox"):
            home.switch_page("pages/staff/inbox.py")
    page = pages.open(market.desks["auditor"], INBOX)
    assert "Not available" in said_on(page)


def test_what_has_gone_up_the_line_is_claimed_by_those_up_there(
    pages: Pages, market: Market
) -> None:
    [item] = queues.opened(market)
    queue.escalate(market.desks["admin"], item, "she wants the manager")
    page = choose(pages.open(market.desks[ESHA], INBOX), item)
    assert "With the branch lead" in said_on(page), "she sees what becomes of it"
    assert "Claim T-1" not in labels(page)
    assert "Claim T-1" in labels(choose(pages.open(market.desks["admin"], INBOX), item))


@pytest.mark.feature("D3")
def test_one_steps_from_item_to_item_as_the_list_stands(pages: Pages, market: Market) -> None:
    queues.opened(market, 3)
    page = pages.open(market.desks[ESHA], INBOX)

    def ends() -> tuple[bool, bool]:
        return page.button("inbox_step_k").disabled, page.button("inbox_step_j").disabled

    def looked_at() -> str:
        return str(page.session_state["inbox_list_chosen"])

    assert ends() == (True, False), "nothing is chosen, so only the first is near"
    for item, at_the_end in ((1, (True, False)), (2, (False, False)), (3, (False, True))):
        page.button("inbox_step_j").click().run()
        assert not page.exception
        assert (looked_at(), ends()) == (str(item), at_the_end)
        assert f"T-{item}: Case {item}" in said_on(page)
    page.button("inbox_step_k").click().run()
    assert looked_at() == "2"
    page.session_state["inbox_list_sorted"] = ("Item", True)
    page.run()
    assert listed(page) == ["T-3", "T-2", "T-1"]
    page.button("inbox_step_j").click().run()
    assert looked_at() == "1", "below it in the order that is drawn"
    queue.claim(market.desks[DEV], 2)
    queue.claim(market.desks[DEV], 3)
    look(page, "overdue")
    assert "inbox_step_j" not in [each.key for each in page.button], "no list, nothing to step"
