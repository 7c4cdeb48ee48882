"""A cashier's day in real browsers: the drawer opened by two people, five slips of which one waits
for an approval, 500 too little at the count, a supervisor at the window, the cash in the vault.
"""

import re

import pytest
from playwright.sync_api import Page, expect

from bank.core import money
from bank.core.desk import Desk, looking
from bank.counters import counts, drawer_cash, drawer_views, vault
from bank.night.demo_cashbook import fewest_pieces
from tests.journeys.test_first_day import (
    HER_ACCOUNT,
    code_of_device,
    field,
    open_page,
    take_deposit,
)
from tests.support.browser import DESK, PHONE, PageAt
from tests.support.demo import DemoTown, desk_of
from tests.support.shell import at_rest

OPENING = 20_000_00
LARGE = "11L"  # above what a cashier takes in alone


def close_what_is_open(cashier: Desk, custodian: Desk) -> None:
    """The demo's cashiers have been at work already: this one starts anew."""
    mine = drawer_views.own_drawer(cashier)
    assert mine is not None
    counts.start_count(cashier, mine.id)
    with looking(cashier) as tx:
        pieces = fewest_pieces(tx, drawer_cash.in_drawer(tx, mine.id))
    assert counts.enter_count(cashier, mine.id, pieces).difference_minor == 0
    vault.close_drawer(custodian, mine.id)


def count_in(page: Page, **pieces: int) -> None:
    """Type notes into the grid, without a pause."""
    for name, count in pieces.items():
        box = page.get_by_label(f"₹ {name.removeprefix('note_')} note", exact=True)
        box.fill(str(count))
        box.press("Tab")
    at_rest(page)


def says(page: Page, label: str, figure: str) -> None:
    """A figure of the page."""
    metric = page.get_by_test_id("stMetric").filter(has=page.get_by_text(label, exact=True))
    expect(metric.get_by_test_id("stMetricValue")).to_have_text(figure)


def pay_out(cashier: Page, rupees: str, slip: str) -> None:
    """A withdrawal at the counter."""
    open_page(cashier, "Cash counter")
    cashier.get_by_role("button", name="Next customer").click()
    at_rest(cashier)
    cashier.get_by_test_id("stButtonGroup").get_by_text("Withdrawal", exact=True).click()
    at_rest(cashier)
    field(cashier, "Account number").fill(HER_ACCOUNT)
    field(cashier, "Amount").fill(rupees)
    field(cashier, "Slip number").fill(slip)
    cashier.get_by_role("button", name="Preview").click()
    cashier.get_by_role("button", name="Pay out ₹").click()
    expect(cashier.get_by_text("booked.")).to_be_visible()


def ask_for_deposit(cashier: Page, rupees: str, slip: str) -> None:
    """A deposit too large for one person: it waits, and nothing is booked."""
    open_page(cashier, "Cash counter")
    cashier.get_by_role("button", name="Next customer").click()
    at_rest(cashier)
    cashier.get_by_test_id("stButtonGroup").get_by_text("Deposit", exact=True).click()
    at_rest(cashier)
    field(cashier, "Account number").fill(HER_ACCOUNT)
    field(cashier, "Amount").fill(rupees)
    field(cashier, "Slip number").fill(slip)
    cashier.get_by_role("button", name="Preview").click()
    cashier.get_by_role("button", name="Ask for approval of ₹").click()
    expect(cashier.get_by_text("Waits for approval by").first).to_be_visible()
    expect(cashier.get_by_text("booked.")).to_have_count(0)


def approve_deposit(checker: Page) -> None:
    """The one approval that waits, decided; a narrow window has a box to choose it from."""
    open_page(checker, "Approvals")
    checker.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    at_rest(checker)
    checker.get_by_label("Choose an item").click()
    checker.get_by_role("option").first.click()
    at_rest(checker)
    checker.set_viewport_size({"width": DESK[0], "height": DESK[1]})
    checker.get_by_role("button", name="Approve cash deposit").click()
    checker.get_by_role("button", name="Yes, approve").click()
    expect(checker.get_by_text("is approved and done")).to_be_visible()


@pytest.mark.feature("B4", "B6", "A10.1")
def test_a_cashiers_day(demo_town: DemoTown, page_at: PageAt, page_problems: list[str]) -> None:
    bank = demo_town.bank
    close_what_is_open(desk_of(bank, "asha"), desk_of(bank, "vikram"))
    cashier = demo_town.window(page_at, "asha")
    custodian = demo_town.window(page_at, "vikram")
    mailbox = page_at(base_url=demo_town.url)

    open_page(cashier, "Cash counter")
    expect(cashier.get_by_text("You have no open drawer today")).to_be_visible()
    open_page(cashier, "My drawer")
    count_in(cashier, note_500=40)
    cashier.get_by_role("button", name="Ask for this drawer").click()
    expect(cashier.get_by_text("The custodian has been asked")).to_be_visible()
    open_page(custodian, "Vault and drawers")
    custodian.get_by_role("button", name="Hand it over").click()
    expect(custodian.get_by_text("has a drawer.")).to_be_visible()

    take_deposit(cashier, "3000", "D-1")
    pay_out(cashier, "1000", "D-2")
    cashier.get_by_role("button", name="Next customer").click()
    at_rest(cashier)
    cashier.get_by_test_id("stButtonGroup").get_by_text("Deposit", exact=True).click()
    at_rest(cashier)
    take_deposit(cashier, "5000", "D-3")
    pay_out(cashier, "2000", "D-4")
    open_page(cashier, "My drawer")
    says(cashier, "Slips", "4")
    says(cashier, "Cash in drawer", money.show(OPENING + 5_000_00))

    ask_for_deposit(cashier, LARGE, "D-5")
    open_page(cashier, "My drawer")
    says(cashier, "Cash in drawer", money.show(OPENING + 5_000_00))  # not hers before it is booked
    approve_deposit(custodian)
    open_page(cashier, "Cash counter")
    expect(cashier.get_by_text("booked.")).to_be_visible()
    open_page(cashier, "My drawer")
    says(cashier, "Slips", "5")
    says(cashier, "Cash in drawer", money.show(OPENING + 11_05_000_00))

    cashier.get_by_test_id("stButtonGroup").get_by_text("Count and close", exact=True).click()
    cashier.get_by_role("button", name="Stop and count").click()
    expect(cashier.get_by_role("heading", name="Count the drawer")).to_be_visible()
    expect(cashier.get_by_text("11,25,000")).to_have_count(0)
    count_in(cashier, note_500=2_249)
    cashier.get_by_role("button", name="Enter this count").click()
    says(cashier, "Short", money.show(500_00))
    field(cashier, "Reason").fill("Not found after two counts")
    field(cashier, "User name of the supervisor").fill("nalini")
    field(cashier, "One-time code of the supervisor").fill(code_of_device(mailbox, "nalini"))
    cashier.get_by_role("button", name="Book the difference").click()
    expect(cashier.get_by_text("The difference is booked:")).to_be_visible()
    with cashier.expect_download() as report:
        cashier.get_by_role("button", name="Print drawer report").click()
    assert re.fullmatch(r"drawer-\d+\.pdf", report.value.suggested_filename)

    open_page(custodian, "Home")
    open_page(custodian, "Vault and drawers")
    custodian.get_by_role("button", name="Take the cash and close").click()
    expect(custodian.get_by_text("The drawer of Asha Kulkarni is closed.")).to_be_visible()
    open_page(cashier, "Home")
    open_page(cashier, "My drawer")
    expect(cashier.get_by_role("heading", name="Ask for a drawer")).to_be_visible()
    assert page_problems == []
