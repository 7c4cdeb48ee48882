"""The search and the bell in a real browser: by key, over the page, on a phone, and away."""

import re

import pytest
from playwright.sync_api import Page, expect

from bank import app
from bank.core import work
from bank.core.desk import chunk, looking
from bank.people.identity import User
from tests.support.browser import PHONE, PageAt, sideways_scroll
from tests.support.shell import Town, at_rest, is_accessible

pytestmark = pytest.mark.feature("D0")


def case(town: Town, number: int, title: str) -> None:
    """A ticket that waits at the admin's branch."""
    with looking(app.system_desk(town.bank)) as tx:
        branch_id = tx.session.get_one(User, town.admin.id).branch_id
    with chunk(app.system_desk(town.bank), "tests.arrange") as tx:
        new = work.NewItem(
            kind="ticket",
            subject_id=number,
            branch_id=branch_id,
            reference=f"T-{number}",
            title=title,
        )
        work.open_item(tx, new)


def search(page: Page, text: str) -> None:
    """Type into the field that is open over the page."""
    field = page.get_by_role("dialog").get_by_role("textbox")
    field.fill(text)
    field.press("Enter")


def test_a_key_opens_the_search_and_a_line_leads_away(
    town: Town, page_at: PageAt, page_problems: list[str]
) -> None:
    case(town, 7_001, "Lost umbrella in the hall")
    page = town.window(page_at, town.admin)
    expect(page.get_by_role("button", name="Search")).to_be_visible()
    at_rest(page)
    page.keyboard.press("Alt+s")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Type what you know of it")).to_be_visible()
    search(page, "journal")
    expect(dialog.get_by_role("link", name="Journal", exact=True)).to_be_visible()
    is_accessible(page)
    search(page, "umbr")
    dialog.get_by_role("button", name="Lost umbrella in the hall").click()
    expect(page.get_by_role("heading", name="Inbox", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="T-7001: Lost umbrella in the hall")).to_be_visible()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("button", name="Search")).to_be_visible()
    at_rest(page)
    page.keyboard.press("Alt+s")
    search(page, "001 000 000 016")
    dialog.get_by_role("button", name="Look at account 001000000016").click()
    expect(page.get_by_role("heading", name="Find an account", exact=True)).to_be_visible()
    expect(page.get_by_role("textbox", name="Account number")).to_have_value("001000000016")
    assert page_problems == []


def test_every_line_leads_away_from_a_page_whose_address_is_full(
    town: Town, page_at: PageAt, page_problems: list[str]
) -> None:
    case(town, 7_002, "Lost glove in the hall")
    at_admin = "/admin-users?users_searched=ravi"
    at_work = "/staff-inbox?inbox_view=Overdue&inbox_words=umbrella"
    page = town.window(page_at, town.admin, at=at_work)
    inbox = page.get_by_role("heading", name="Inbox", exact=True)
    expect(inbox).to_be_visible()
    dialog = page.get_by_role("dialog")

    def searched_anew(text: str) -> None:
        expect(page.locator(".st-key-find_open button")).to_be_visible()
        at_rest(page)
        page.keyboard.press("Alt+s")
        search(page, text)

    searched_anew("glove")
    dialog.get_by_role("button", name="Lost glove in the hall").click()
    expect(page.get_by_role("heading", name="T-7002: Lost glove in the hall")).to_be_visible()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("radio", name="All open", checked=True)).to_be_visible()
    expect(page.get_by_role("textbox", name="Words in it")).to_have_value("glove")
    expect(page).to_have_url(re.compile("inbox_words=glove"))
    searched_anew("001 000 000 016")
    dialog.get_by_role("button", name="Look at account 001000000016").click()
    expect(page.get_by_role("heading", name="Find an account", exact=True)).to_be_visible()
    expect(page).not_to_have_url(re.compile("inbox|001000000016"))
    page.goto(at_work)
    expect(inbox).to_be_visible()
    searched_anew("ravi")
    dialog.get_by_role("button", name="Look for “ravi” among users").click()
    expect(page.get_by_role("textbox", name="Search")).to_have_value("ravi")
    searched_anew("meera")
    dialog.get_by_role("button", name="Look for “meera” among users").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("textbox", name="Search")).to_have_value("meera")
    expect(page).to_have_url(re.compile("users_searched=meera"))
    page.goto(at_admin)
    searched_anew("journal")
    dialog.get_by_role("link", name="Journal", exact=True).click()
    expect(page.get_by_role("heading", name="Journal", exact=True)).to_be_visible()
    expect(page).not_to_have_url(re.compile("users_searched"))
    assert page_problems == []


def test_search_and_bell_fit_a_phone(town: Town, page_at: PageAt) -> None:
    page = town.window(page_at, town.cashier, width=PHONE[0], height=PHONE[1])
    assert sideways_scroll(page) == 0
    page.get_by_role("button", name="Search").click()
    search(page, "counter")
    link = page.get_by_role("dialog").get_by_role("link", name="Cash counter")
    expect(link).to_be_visible()
    assert sideways_scroll(page) == 0
    link.click()
    expect(page.get_by_role("heading", name="Cash counter", exact=True)).to_be_visible()
    at_rest(page)
    page.get_by_test_id("stPageLink").get_by_role(
        "link", name="Home"
    ).click()  # the menu is hidden, the way home is not
    expect(page.get_by_role("heading", name="Home", exact=True)).to_be_visible()
    page.get_by_role("button", name="Notifications").click()
    expect(page.get_by_text("Nothing has happened to your things")).to_be_visible()
    assert sideways_scroll(page) == 0
