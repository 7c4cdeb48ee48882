"""The page of the book's closing: who reads, who proposes, and what it says on the way."""

from datetime import date

import pytest
from streamlit.testing.v1 import AppTest

from bank.book import backdating, book_close
from bank.core.approvals import AwaitingApproval
from bank.office import approvals
from tests.pages.test_help import press
from tests.support.apptest import Pages, words_of
from tests.support.checkers import Checking, book_closed

pytestmark = pytest.mark.feature("B36")
PAGE = "head_office/book_close.py"
REASON = "The returns are in"


def said_on(page: AppTest) -> str:
    """What a page says, as a person reads it."""
    return words_of(page).replace("\\", "")


def buttons(page: AppTest) -> set[str]:
    """What can be pressed."""
    return {button.label for button in page.button}


def agreed(at: Checking) -> None:
    """The other one at head office agrees to what waits."""
    [row] = at.market.rows("SELECT MAX(id) AS id FROM approvals")
    approvals.approve(at.desks["chief"], row["id"])


def test_a_month_is_closed_and_opened_again(pages: Pages, sqlite_checking: Checking) -> None:
    at = sqlite_checking
    head = at.desks["head"]
    page = pages.open(head, PAGE)
    for text in ("Nothing yet", "Every day", "The book was never closed", "No limit was set"):
        assert text in said_on(page), text
    assert "Propose to open again" not in buttons(page)
    assert page.date_input("book_close_None_through").value == date(2026, 2, 28), "the month before"
    press(page, "Propose to close")
    assert page.error[0].value.startswith("**Reason:**")
    page.date_input("book_close_None_through").set_value(None)
    page.text_input("book_close_reason").set_value(REASON)
    press(page, "Propose to close")
    assert page.error[0].value.startswith("**Close through:**")
    assert page.text_input("book_close_reason").value == REASON, "what was typed stays"
    page.date_input("book_close_None_through").set_value(date(2026, 2, 28))
    press(page, "Propose to close")
    assert "Waits for approval by Chitra Iyer" in said_on(page)
    assert "Closing of the book, asked for by" in said_on(page)
    assert page.text_input("book_close_reason").value == "", "the form is done with"
    assert book_close.standing(head).last_id is None
    agreed(at)
    page = pages.open(head, PAGE)
    for text in ("28 Feb 2026", "1 Mar 2026", REASON):
        assert text in said_on(page), text
    assert page.date_input("book_close_1_through").value is None, "the month is closed"
    press(page, "Propose to open again")
    assert page.error[0].value.startswith("**Reason:**")
    page.date_input("book_reopen_1_first").set_value(date(2026, 2, 10))
    page.text_input("book_reopen_reason").set_value("A statement came late")
    press(page, "Propose to open again")
    assert "Opening of the book again" in said_on(page)
    agreed(at)
    assert book_close.standing(head).closed_through == date(2026, 2, 9)
    assert "Opened again" in said_on(pages.open(head, PAGE))


def test_what_is_in_the_way_stands_above_a_shut_button(
    pages: Pages, sqlite_checking: Checking
) -> None:
    at = sqlite_checking
    left = f"UPDATE drawers SET business_date = '2026-02-14' WHERE id = {at.market.drawers['ravi']}"
    with at.market.tx() as tx:
        tx.connection.exec_driver_sql(left)
    page = pages.open(at.desks["head"], PAGE)
    assert "Fort, 14 Feb 2026: Ravi Kumar has an open drawer" in said_on(page)
    [button] = [one for one in page.button if one.label == "Propose to close"]
    assert button.disabled
    page.date_input("book_close_None_through").set_value(date(2026, 2, 13)).run()
    assert "has an open drawer" not in said_on(page)


def test_a_click_on_an_old_page_proposes_nothing(pages: Pages, sqlite_checking: Checking) -> None:
    """A colleague closed the book while this page was looked at: no form acts on another book than
    the one that it was drawn for."""
    at = sqlite_checking
    page = pages.open(at.desks["head"], PAGE)
    page.text_input("book_close_reason").set_value(REASON)
    book_closed(at, date(2026, 1, 31), "Seen first")
    press(page, "Propose to close")
    assert "meanwhile" in page.warning[0].value
    assert at.market.rows("SELECT id FROM approvals") == []
    assert page.text_input("book_close_reason").value == REASON, "what was typed stays"
    page.date_input("book_reopen_1_first").set_value(date(2026, 1, 20))
    page.text_input("book_reopen_reason").set_value("A statement came late")
    book_closed(at, date(2026, 1, 9), "Seen first again")
    press(page, "Propose to open again")
    assert "meanwhile" in page.warning[0].value
    assert at.market.rows("SELECT id FROM approvals") == []
    press(page, "Propose to close")
    assert not page.warning
    [row] = at.market.rows("SELECT arguments FROM approvals")
    assert '"seen": 2' in row["arguments"]


def test_a_month_is_open_closed_or_in_part(pages: Pages, sqlite_checking: Checking) -> None:
    at = sqlite_checking
    page = pages.open(at.desks["auditor"], PAGE)

    def states() -> list[list[str]]:
        return page.run().dataframe[0].value[["Month", "State"]].to_numpy().tolist()

    assert states() == [["Mar 2026", "Open"]]
    book_closed(at, date(2026, 2, 28), "Seen first")
    assert states() == [["Mar 2026", "Open"]]
    book_closed(at, date(2026, 3, 15), "Seen first")
    assert states() == [["Mar 2026", "In part"]]
    book_closed(at, date(2026, 3, 16), "Seen first")
    assert states() == [["Mar 2026", "Closed"]]
    page.session_state["book_months_chosen"] = "Mar 2026 INR"
    page.run()
    assert "Behind Mar 2026" in said_on(page)
    assert len(page.dataframe[1].value) > 0, "the lines behind it"


def test_a_day_is_asked_for_where_it_was_emptied(pages: Pages, sqlite_checking: Checking) -> None:
    page = pages.open(sqlite_checking.desks["head"], PAGE)
    page.number_input("book_limit_days").set_value(7)
    page.date_input("book_limit_from").set_value(None)
    page.text_input("book_limit_reason").set_value(REASON)
    press(page, "Propose this limit")
    assert page.error[0].value.startswith("**From:**")


def test_a_limit_of_imports_is_proposed(pages: Pages, sqlite_checking: Checking) -> None:
    at = sqlite_checking
    page = pages.open(at.desks["head"], PAGE)
    page.text_input("book_limit_reason").set_value("The old books are in")
    press(page, "Propose this limit")
    assert page.error[0].value.startswith("**Days back:**")
    page.number_input("book_limit_days").set_value(7)
    press(page, "Propose this limit")
    assert "How far back imports book, asked for by" in said_on(page)
    agreed(at)
    page = pages.open(at.desks["head"], PAGE)
    for text in ("Coming", "The old books are in"):
        assert text in said_on(page), text
    page.checkbox("book_limit_none").check().run()
    assert "book_limit_days" not in {one.key for one in page.number_input}
    page.text_input("book_limit_reason").set_value("More old books")
    press(page, "Propose this limit")
    agreed(at)
    assert book_close.standing(at.desks["head"]).days_back is None
    assert "No limit" in said_on(pages.open(at.desks["head"], PAGE))


def test_a_click_below_an_older_limit_proposes_nothing(
    pages: Pages, sqlite_checking: Checking
) -> None:
    at = sqlite_checking
    page = pages.open(at.desks["head"], PAGE)
    page.number_input("book_limit_days").set_value(7)
    page.text_input("book_limit_reason").set_value(REASON)
    with pytest.raises(AwaitingApproval):
        backdating.set_limit(at.desks["chief"], date(2026, 3, 17), 3, None, "Seen first")
    approvals.approve(at.desks["head"], 1)
    press(page, "Propose this limit")
    assert "Another limit was set meanwhile" in page.warning[0].value
    assert at.market.rows("SELECT COUNT(*) AS n FROM approvals") == [{"n": 1}]
    press(page, "Propose this limit")
    assert at.market.rows("SELECT COUNT(*) AS n FROM approvals") == [{"n": 2}]


@pytest.mark.parametrize("who", ["admin", "auditor"])
def test_who_reads_the_trial_balance_reads_where_the_book_stands(
    pages: Pages, sqlite_checking: Checking, who: str
) -> None:
    at = sqlite_checking
    page = pages.open(at.desks[who], PAGE)
    assert "Head office closes the book" in said_on(page)
    assert "Mar 2026" in said_on(page), "the months of the book"
    assert not buttons(page) & {
        "Propose to close",
        "Propose to open again",
        "Propose this limit",
    }


@pytest.mark.parametrize("who", ["ravi", "banker", "nalini"])
def test_others_do_not_open_it(pages: Pages, sqlite_checking: Checking, who: str) -> None:
    page = pages.open(sqlite_checking.desks[who], PAGE)
    assert [title.value for title in page.title] == ["Not available"]
