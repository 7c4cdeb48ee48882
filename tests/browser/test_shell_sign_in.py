"""The front door in a real browser: in by password and code, out for good, and no way around."""

import re

import pytest
from playwright.sync_api import expect

from bank.core import cookies
from bank.core.permissions import Role
from tests.support import people
from tests.support.browser import PageAt
from tests.support.shell import (
    Town,
    at_rest,
    enter_code,
    enter_password,
    is_inside,
    is_outside,
    sign_in_as,
)


@pytest.mark.feature("A1.4", "A1.5", "A1.9", "A1.19")
def test_a_customer_signs_in_with_password_and_mailed_code(
    town: Town, page_at: PageAt, page_problems: list[str]
) -> None:
    page = page_at(base_url=town.url)
    page.goto("/")
    enter_password(page, town.customer, "not the password")
    expect(page.get_by_text("User name and password do not match")).to_be_visible()
    expect(page.get_by_label("User name", exact=True)).to_have_value(town.customer.username)

    enter_password(page, town.customer)
    expect(page.get_by_text("a***@")).to_be_visible()
    enter_code(page, town, town.customer)
    is_inside(page)

    session = next(c for c in page.context.cookies() if c["name"] == cookies.PLAIN)
    assert session["httpOnly"]
    assert session["sameSite"] == "Strict"
    assert session["expires"] == -1, "it ends with the browser"
    assert cookies.PLAIN not in str(page.evaluate("document.cookie"))
    assert page_problems == []


@pytest.mark.feature("A1.6", "A1.9")
def test_an_employee_sets_up_a_device_and_replaces_the_temporary_password(
    town: Town, page_at: PageAt, page_problems: list[str]
) -> None:
    newcomer = people.employee(
        town.bank, Role.CASHIER, "newcomer", has_device=False, must_change_password=True
    )
    page = page_at(base_url=town.url)
    page.goto("/")
    enter_password(page, newcomer)
    expect(page.get_by_role("img", name="QR code for your authenticator app")).to_be_visible()
    key = page.get_by_test_id("stCode").inner_text().strip()
    assert re.fullmatch(r"[A-Z2-7]{32}", key)

    page.get_by_label("One-time code").fill("000000")
    page.get_by_role("button", name="Confirm device").click()
    expect(page.get_by_text("This code is not right")).to_be_visible()
    page.get_by_label("One-time code").fill(
        people.device_code(town.bank, people.Secret(key)).reveal()
    )
    page.get_by_role("button", name="Confirm device").click()

    page.get_by_label("New password", exact=True).fill("short")
    page.get_by_label("New password again").fill("other")
    page.get_by_role("button", name="Choose password").click()
    expect(page.get_by_text("The two passwords differ")).to_be_visible()
    page.get_by_label("New password", exact=True).fill("seven tall ladders")
    page.get_by_label("New password again").fill("seven tall ladders")
    page.get_by_role("button", name="Choose password").click()
    is_inside(page)
    assert page_problems == []


@pytest.mark.feature("A1.4", "A1.8")
def test_signing_out_ends_it_for_the_back_button_and_for_a_kept_cookie(
    town: Town, page_at: PageAt
) -> None:
    page = page_at(base_url=town.url)
    sign_in_as(page, town, town.cashier)
    kept = page.context.cookies()
    page.get_by_role("link", name="Security").first.click()
    expect(page.get_by_role("heading", name="Security")).to_be_visible()
    at_rest(page)

    page.get_by_role("button", name="Sign out", exact=True).click()
    is_outside(page)
    assert cookies.PLAIN not in {cookie["name"] for cookie in page.context.cookies()}
    page.go_back()
    is_outside(page)

    page.context.add_cookies([c for c in kept if c["name"] == cookies.PLAIN])  # type: ignore[misc]
    page.goto("/")
    is_outside(page)


@pytest.mark.feature("A1.8")
def test_a_page_that_was_asked_for_opens_after_signing_in(town: Town, page_at: PageAt) -> None:
    page = page_at(base_url=town.url)
    page.goto("/every-security")
    is_outside(page)
    enter_password(page, town.admin)
    enter_code(page, town, town.admin)
    is_inside(page)
    expect(page.get_by_role("heading", name="Security", exact=True)).to_be_visible()
    assert page.url == f"{town.url}/every-security"


@pytest.mark.feature("A1.9")
def test_the_demo_offers_its_people_and_their_codes(
    town: Town, page_at: PageAt, page_problems: list[str]
) -> None:
    page = page_at(base_url=town.url)
    page.goto("/")
    page.get_by_role("button", name="Branch admin", exact=True).click()
    expect(page.get_by_label("User name", exact=True)).to_have_value(town.admin.username)
    expect(page.get_by_label("Password", exact=True)).not_to_have_value("")

    enter_password(page, town.other_customer)
    expect(page.get_by_text("s***@")).to_be_visible()
    mailbox = page_at(base_url=town.url)
    mailbox.goto("/")
    mailbox.get_by_role("link", name="Demo mailbox").first.click()
    mailbox.get_by_label("Only mails to").fill("sara@")
    mailbox.keyboard.press("Enter")
    shown = mailbox.locator("[class*=st-key-large_code_] code").first
    expect(shown).to_have_text(re.compile(r"\d{6}"))
    code = people.mailed_code(town.bank, town.other_customer).reveal()
    expect(shown).to_have_text(code)

    mailbox.get_by_role("tab", name="Devices of employees").click()
    device = mailbox.locator(f".st-key-large_code_{town.cashier.username} code")
    expect(device).to_have_text(people.device_code(town.bank, town.cashier.key).reveal())
    page.get_by_label("One-time code").fill(code)
    page.get_by_role("button", name="Confirm code").click()
    is_inside(page)
    assert page_problems == []
