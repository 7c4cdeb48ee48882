"""A large deposit in two windows: it waits at the counter, is approved, and becomes the receipt."""

from typing import Final

import pytest
from playwright.sync_api import Page, expect

from bank.core.desk import looking
from tests.support.browser import PHONE, PageAt, sideways_scroll
from tests.support.demo import DemoTown, desk_of
from tests.support.server import ARTIFACTS
from tests.support.shell import at_rest, is_accessible

SCREENS: Final = ARTIFACTS / "screens"


def keep(page: Page, name: str) -> None:
    """A picture for people to look at."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENS / f"approvals-{name}.png", full_page=True)


def some_account(town: DemoTown) -> str:
    """An account in rupees that takes money."""
    with looking(desk_of(town.bank, "asha")) as tx:
        tx.cursor.execute(
            "SELECT number FROM accounts WHERE status = 'active' AND currency = 'INR' ORDER BY id"
        )
        return str(tx.cursor.fetchall()[0][0])


@pytest.mark.feature("B4", "C11", "A3.4")
def test_a_large_deposit_waits_and_becomes_the_receipt_by_itself(
    demo_town: DemoTown, page_at: PageAt, page_problems: list[str]
) -> None:
    cashier = demo_town.window(page_at, "asha", "/cashier-counter")
    cashier.get_by_label("Account number", exact=True).fill(some_account(demo_town))
    cashier.get_by_label("Amount", exact=True).fill("11L")
    cashier.get_by_label("Slip number", exact=True).fill("L1")
    cashier.get_by_role("button", name="Preview").click()
    cashier.get_by_role("button", name="Ask for approval of ₹").click()
    expect(cashier.get_by_text("Waits for approval by").first).to_be_visible()
    expect(cashier.get_by_text("Vikram Nadkarni").first).to_be_visible()
    at_rest(cashier)
    is_accessible(cashier)
    keep(cashier, "slip-waits")

    admin = demo_town.window(page_at, "vikram", "/staff-approvals")
    admin.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    at_rest(admin)
    admin.get_by_label("Choose an item").click()
    admin.get_by_role("option").first.click()
    approve = admin.get_by_role("button", name="Approve cash deposit")
    expect(approve).to_be_visible()
    at_rest(admin)
    assert sideways_scroll(admin) == 0
    is_accessible(admin)
    keep(admin, "card-phone")
    admin.set_viewport_size({"width": 1440, "height": 900})
    at_rest(admin)
    is_accessible(admin)
    keep(admin, "card-desk")
    admin.keyboard.press("a")
    expect(admin.get_by_role("button", name="Yes, approve")).to_be_visible()
    admin.keyboard.press("y")
    expect(admin.get_by_text("is approved and done")).to_be_visible()
    expect(admin.get_by_text("Nothing waits for your decision.")).to_be_visible()

    # Nobody touches the cashier's window: it draws the receipt as soon as it can.
    expect(cashier.get_by_text("booked.")).to_be_visible(timeout=20_000)
    expect(cashier.get_by_role("button", name="Print receipt", exact=True)).to_be_visible()
    assert page_problems == []
