"""How the shell looks: usable by everybody in light and dark, on a phone, and all from one host."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import PHONE, PageAt, sideways_scroll
from tests.support.shell import Town, at_rest, is_accessible, is_inside, is_outside


def open_every_tab(page: Page) -> None:
    """axe sees only what is drawn: look at each tab."""
    for tab in page.get_by_role("tab").all():
        tab.click()
        at_rest(page)
        is_accessible(page)


@pytest.mark.feature("A14.1", "A15.2")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_everybody_can_use_the_doors(
    town: Town, page_at: PageAt, page_problems: list[str], dark: bool
) -> None:
    page = page_at(base_url=town.url, dark=dark)
    page.goto("/")
    is_outside(page)
    expect(page.get_by_role("button", name="Auditor", exact=True)).to_be_visible()
    is_accessible(page)
    page.get_by_role("link", name="Demo mailbox").first.click()
    expect(page.get_by_role("heading", name="Demo mailbox")).to_be_visible()
    at_rest(page)
    open_every_tab(page)
    assert page_problems == []


@pytest.mark.feature("A14.1")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_everybody_can_use_the_pages_inside(
    town: Town, page_at: PageAt, page_problems: list[str], dark: bool
) -> None:
    page = town.window(page_at, town.admin, dark=dark)
    is_inside(page)
    is_accessible(page)
    page.get_by_role("link", name="Security").first.click()
    expect(page.get_by_role("heading", name="Security", exact=True)).to_be_visible()
    at_rest(page)
    open_every_tab(page)
    page.get_by_role("tab", name="Device for codes").click()
    page.get_by_role("button", name="Set up a device").click()
    expect(page.get_by_role("img", name="QR code for your authenticator app")).to_be_visible()
    at_rest(page)
    is_accessible(page)
    page.get_by_role("button", name="Lock", exact=True).click()
    expect(page.get_by_role("heading", name="Locked", exact=True)).to_be_visible()
    at_rest(page)
    is_accessible(page)
    assert page_problems == []


@pytest.mark.feature("A14.2")
def test_a_phone_shows_one_column_and_the_key_columns_of_tables(
    town: Town, page_at: PageAt
) -> None:
    width, height = PHONE
    phone = page_at(width, height, base_url=town.url)
    phone.goto("/")
    is_outside(phone)
    assert sideways_scroll(phone) == 0

    phone = town.window(page_at, town.admin, "/every-security", width=width, height=height)
    expect(phone.get_by_role("heading", name="Security", exact=True)).to_be_visible()
    assert sideways_scroll(phone) == 0
    phone.get_by_role("tab", name="History").click()
    table = phone.get_by_test_id("stTable")
    expect(table.get_by_role("cell", name="Signed in").first).to_be_visible()
    expect(phone.get_by_test_id("stDataFrame")).to_be_hidden()
    expect(table.get_by_role("columnheader")).to_have_text(["When", "Outcome"])
    assert sideways_scroll(phone) == 0

    wide = town.window(page_at, town.admin, "/every-security")
    wide.get_by_role("tab", name="History").click()
    expect(wide.get_by_test_id("stDataFrame")).to_be_visible()
    expect(wide.get_by_test_id("stTable")).to_be_hidden()


@pytest.mark.feature("A14.3")
def test_the_side_says_who_sits_where(town: Town, page_at: PageAt) -> None:
    page = town.window(page_at, town.cashier)
    is_inside(page)
    side = page.get_by_test_id("stSidebar")
    for said in ("Branch 001", "BANK0000001", "Business date", "Ravi Kumar", "Cashier"):
        expect(side).to_contain_text(said)
    expect(side).to_contain_text(re.compile(r"Business date\s*\d{1,2} [A-Z][a-z]{2} \d{4}"))
    expect(side.get_by_role("link", name="Trail")).to_have_count(0)
