"""The page of holidays: who reads, who adds and removes, and what it says where nothing is."""

from datetime import date
from typing import Final

import pytest

from bank.office import holidays
from tests.bank.test_holidays import TOMORROW, added, head, names
from tests.pages.test_help import press, typed
from tests.support.apptest import Pages, words_of
from tests.support.market import BANER, Market

pytestmark = pytest.mark.feature("B36")
PAGE: Final = "admin/holidays.py"


@pytest.fixture
def market(sqlite_market: Market) -> Market:
    """Pages draw the same on either database."""
    return sqlite_market


def test_an_admin_adds_one_and_removes_it(pages: Pages, market: Market) -> None:
    page = pages.open(market.desks["admin"], PAGE)
    assert "stay as they are" in words_of(page)
    typed(page, "Name", "Jatra")
    press(page, "Add holiday")
    assert page.error[0].value.startswith("**Day:**")
    page.date_input("holiday_new_day").set_value(TOMORROW)
    press(page, "Add holiday")
    assert page.error[0].value.startswith("**Where it was notified:**")
    assert page.text_input("holiday_new_name").value == "Jatra", "what was typed is still there"
    typed(page, "Where it was notified", "Notification 12 of 2026")
    press(page, "Add holiday")
    assert "Jatra was added" in words_of(page)
    assert names(market) == ["Jatra"]
    assert page.text_input("holiday_new_name").value == ""
    [card] = [one for one in holidays.holidays(market.desks["admin"], 2026) if one.may_go]
    page.session_state["holidays_chosen"] = str(card.id)
    page.run()
    press(page, "Remove holiday")
    assert page.error[0].value.startswith("**Why it is removed:**")
    typed(page, "Why it is removed", "It is put off.")
    press(page, "Remove holiday")
    assert "Jatra is no holiday any more" in words_of(page)
    assert names(market) == []


def test_what_may_not_go_says_why(pages: Pages, market: Market) -> None:
    page = pages.open(market.desks["admin"], PAGE)
    by_name = {card.name: card.id for card in holidays.holidays(market.desks["admin"], 2026)}
    for name, why in (("Republic Day", "It has come"), ("Christmas", "head office removes it")):
        page.session_state["holidays_chosen"] = str(by_name[name])
        page.run()
        assert why in words_of(page)
        assert "Remove holiday" not in [button.label for button in page.button]


def test_head_office_chooses_whose(pages: Pages, market: Market) -> None:
    page = pages.open(head(market), PAGE)
    page.selectbox("holiday_new_branch").set_value(market.branch_ids[BANER])
    page.date_input("holiday_new_day").set_value(TOMORROW)
    typed(page, "Name", "Urs")
    typed(page, "Where it was notified", "Circular 4")
    press(page, "Add holiday")
    assert (names(market), names(market, "meera")) == ([], ["Urs"])
    page.selectbox("holidays_branch").set_value(market.branch_ids[BANER]).run()
    assert "Urs" in words_of(page)


@pytest.mark.parametrize("who", ["ravi", "auditor"])
def test_every_employee_reads(pages: Pages, market: Market, who: str) -> None:
    added(market, "head")
    page = pages.open(market.desks[who], PAGE)
    said = words_of(page)
    for text in ("Jatra", "Tuesday", "The whole bank", "Notification 12", "To come",
                 "Monday to Saturday", "Second and fourth Saturday", "Every Sunday"):  # fmt: skip
        assert text in said, text
    assert "Add holiday" not in [button.label for button in page.button]


def test_a_year_of_which_nothing_is_known(pages: Pages, market: Market) -> None:
    year = 2028
    page = pages.open(market.desks["admin"], PAGE)
    page.selectbox("holidays_year").set_value(year).run()
    assert "No holiday of 2028 is known yet" in words_of(page)
    assert "Add each below" in words_of(page)
    page = pages.open(market.desks["ravi"], PAGE)
    page.selectbox("holidays_year").set_value(year).run()
    assert "as they are notified" in words_of(page)


def test_a_holiday_of_today_says_so(pages: Pages, market: Market) -> None:
    with market.tx() as tx:
        tx.session.add(
            holidays.Holiday(day=date(2026, 3, 16), branch_id=None, name="Now", source="a test")
        )
    assert "Today" in words_of(pages.open(market.desks["ravi"], PAGE))


def test_a_bank_without_hours_says_so(pages: Pages, market: Market) -> None:
    with market.tx() as tx:
        tx.connection.exec_driver_sql("DELETE FROM opening_hours")
    assert "no opening hours" in words_of(pages.open(market.desks["ravi"], PAGE))
