"""A slip filled in on a phone, at night, and its token at the counter."""

from typing import Final

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import PHONE, PageAt, sideways_scroll
from tests.support.demo import DemoTown
from tests.support.server import ARTIFACTS
from tests.support.shell import at_rest, is_accessible

SCREENS: Final = ARTIFACTS / "screens"


def keep(page: Page, name: str) -> None:
    """A picture for people to look at."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENS / f"prepared-{name}.png", full_page=True)


@pytest.mark.feature("B6")
def test_six_digits_bring_a_slip_from_the_phone_to_the_counter(
    demo_town: DemoTown, page_at: PageAt, page_problems: list[str]
) -> None:
    phone = demo_town.window(
        page_at, "meera", "/customer-prepare-slip", width=PHONE[0], height=PHONE[1], dark=True
    )
    keep(phone, "empty-phone-dark")
    phone.get_by_label("Amount", exact=True).fill("2500")
    phone.get_by_role("button", name="Get a token").click()
    expect(phone.get_by_text("Your slip is ready")).to_be_visible()
    at_rest(phone)
    token = phone.get_by_test_id("stCode").first.inner_text().strip()
    assert len("".join(token.split())) == 6
    assert sideways_scroll(phone) == 0
    is_accessible(phone)
    keep(phone, "phone-dark")

    cashier = demo_town.window(page_at, "asha", "/cashier-counter")
    cashier.get_by_label("Token", exact=True).fill(token)
    cashier.get_by_role("button", name="Fill in").click()
    expect(cashier.get_by_text("Meera Iyer prepared a deposit of")).to_be_visible()
    expect(cashier.get_by_label("Amount", exact=True)).to_have_value("2,500.00")
    at_rest(cashier)
    is_accessible(cashier)
    keep(cashier, "counter")
    cashier.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    at_rest(cashier)
    assert sideways_scroll(cashier) == 0
    keep(cashier, "counter-phone")
    cashier.set_viewport_size({"width": 1280, "height": 900})
    cashier.get_by_role("button", name="Preview").click()
    cashier.get_by_role("button", name="Take ₹").click()
    expect(cashier.get_by_text("booked.")).to_be_visible()

    phone.reload()
    expect(phone.get_by_text("Earlier slips")).to_be_visible()
    expect(phone.get_by_test_id("stCode")).to_have_count(0)
    at_rest(phone)
    keep(phone, "used-phone-dark")
    assert page_problems == []
