"""The journal as auditors and branch admins see it."""

import pytest
from streamlit.testing.v1 import AppTest

from bank.book.kinds import EntryKind
from bank.core.desk import Desk
from pages.parts import words
from tests.support.apptest import Pages, words_of
from tests.support.market import Market, pay_in


@pytest.fixture
def market(sqlite_market: Market) -> Market:
    """Pages draw the same on either database."""
    return sqlite_market


def opened(pages: Pages, desk: Desk, **searched: str) -> AppTest:
    """The journal with some of its text fields filled in."""
    page = pages.open(desk, "auditor/journal.py")
    if searched:
        page.session_state["journal_search"] = True  # the search is opened
        page.run()
    for name, value in searched.items():
        page.text_input(f"journal_{name}").set_value(value)
    page.run()
    assert not page.exception
    return page


def press(page: AppTest, label: str) -> AppTest:
    """Click the one button with this label."""
    [button] = [each for each in page.button if each.label == label]
    button.click().run()
    assert not page.exception
    return page


@pytest.mark.feature("A9.4", "B7")
def test_an_entry_is_found_and_shown_in_full(pages: Pages, market: Market) -> None:
    receipt = market.deposit("vikram", 12_345_00)
    market.deposit("asha", 500_00)
    page = opened(pages, market.desks["auditor"])
    assert len(page.dataframe[0].value) == 2
    page = opened(pages, market.desks["auditor"], entry=receipt.reference)
    said = words_of(page)
    assert "1000 Cash in hand" in said
    assert "1900 Inter-branch" in said
    assert "Vikram Shah" in said
    assert "Ravi Kumar, branch" in said
    assert "₹ 12,345.00 Cr" in said
    assert pages.papers()[-1].startswith(b"%PDF")


def test_the_list_answers_to_every_filter(pages: Pages, market: Market) -> None:
    market.deposit("asha", 500_00)
    market.deposit("asha", 900_00)
    auditor = market.desks["auditor"]
    assert len(opened(pages, auditor, least="600").dataframe[0].value) == 1
    assert len(opened(pages, auditor, most="600").dataframe[0].value) == 1
    page = opened(pages, auditor, account=market.number("asha"))
    assert "net ₹ 1,400.00 Cr" in words_of(page)
    page = opened(pages, auditor, by="ravi.staff")
    assert len(page.dataframe[0].value) == 2
    assert "No entry fits" in words_of(opened(pages, auditor, by="meera.staff"))
    assert "no such user" in opened(pages, auditor, by="nobody").error[0].value
    assert "No entry fits" in words_of(opened(pages, auditor, words="nobody wrote this"))


def test_a_filter_that_means_nothing_names_its_field(pages: Pages, market: Market) -> None:
    page = opened(pages, market.desks["auditor"], least="a lot")
    assert page.error[0].value.startswith("**Amount at least:**")
    assert page.text_input("journal_least").value == "a lot"
    page = opened(pages, market.desks["auditor"], account="999999999999")
    assert "no account with this number" in page.error[0].value


@pytest.mark.feature("A9.4")
def test_entries_of_any_kind_are_found(pages: Pages, market: Market) -> None:
    market.deposit("asha", 500_00)
    pay_in(market, "asha", 700_00)
    page = opened(pages, market.desks["auditor"], words="")
    options = page.selectbox("journal_kind").options
    assert options == [words.sentence(kind.value) for kind in EntryKind]
    page.selectbox("journal_kind").set_value("opening").run()
    assert page.dataframe[0].value["Narration"].tolist() == ["Opening balance"]


@pytest.mark.feature("B8")
def test_a_branch_admin_sees_the_own_branch_alone(pages: Pages, market: Market) -> None:
    market.deposit("asha", 500_00)
    market.deposit("vikram", 700_00, desk=market.desks["meera"])
    page = opened(pages, market.desks["admin"], words="")
    assert len(page.dataframe[0].value) == 1
    assert [box for box in page.selectbox if box.label == "Kind"]
    assert not [box for box in page.selectbox if box.label == "Branch"]
    assert len(opened(pages, market.desks["auditor"]).dataframe[0].value) == 2


@pytest.mark.feature("B3")
def test_a_branch_admin_reverses_with_a_reason(pages: Pages, market: Market) -> None:
    receipt = market.deposit("asha", 500_00)
    page = opened(pages, market.desks["admin"], entry=receipt.reference)
    press(page, "Preview the reversal")
    press(page, "Reverse entry")
    assert page.error[0].value.startswith("**Reason:**")
    press(page, "Change")
    [reason] = [box for box in page.text_input if box.label == "Reason"]
    reason.set_value("Wrong account")
    press(page, "Preview the reversal")
    press(page, "Reverse entry")
    assert market.balance("asha") == 0
    assert "Reversed" in words_of(page)
    assert not [each for each in page.button if each.label == "Preview the reversal"]


def test_an_auditor_cannot_reverse(pages: Pages, market: Market) -> None:
    receipt = market.deposit("asha", 500_00)
    page = opened(pages, market.desks["auditor"], entry=receipt.reference)
    assert not [each for each in page.button if "reversal" in each.label.lower()]


@pytest.mark.feature("B1")
def test_a_hundred_entries_are_two_pages(pages: Pages, market: Market) -> None:
    for _ in range(60):
        market.deposit("asha", 1_00)
    page = opened(pages, market.desks["auditor"])
    assert len(page.dataframe[0].value) == 50
    assert page.button("journal_newer").disabled
    page.button("journal_older").click().run()
    assert len(page.dataframe[0].value) == 10
    assert page.button("journal_older").disabled
    page.button("journal_newer").click().run()
    assert len(page.dataframe[0].value) == 50
