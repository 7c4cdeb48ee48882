"""The first story, in real browsers, on a served demo bank: a deposit, a transfer, and the totals.

Cashier, customer and branch admin each sit at a window of their own, and read their one-time codes
where every visitor of the demo reads them: in the Demo mailbox.
"""

import re
from typing import Final

import pytest
from playwright.sync_api import Locator, Page, expect

from bank.core import money
from bank.people.demo import PASSWORD, TRANSACTION_PASSWORD
from tests.support.browser import PHONE, PageAt, sideways_scroll
from tests.support.demo import DemoTown
from tests.support.shell import at_rest, in_the_menu, is_inside

MEERA: Final = "meera.iyer@post.example"
HER_ACCOUNT: Final = "001000000016"
ARJUNS_ACCOUNT: Final = "002000000055"  # at another branch
SIX_DIGITS: Final = re.compile(r"^\d{6}$")
TO_THE_TOTALS_MS: Final = 3_000
# By its name Streamlit knows a phone, and folds the menu when a page has been chosen.
A_PHONE: Final = {
    "user_agent": "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/141.0.0.0 Mobile Safari/537.36",
    "is_mobile": True,
    "has_touch": True,
}


def field(page: Page, label: str) -> Locator:
    """An input by its label."""
    return page.get_by_role("textbox", name=label, exact=True)


def open_page(page: Page, title: str) -> None:
    """Choose a page from the menu, which a phone keeps folded."""
    unfold = page.get_by_role("button", name="Expand sidebar")
    if unfold.is_visible():
        unfold.click()
    page.get_by_test_id("stSidebarNav").get_by_text(in_the_menu(title)).click()
    expect(page.get_by_role("heading", name=title, exact=True, level=1)).to_be_visible()
    at_rest(page)


def code_by_mail(window: Page, to: str, subject: str) -> str:
    """The code in the newest mail with this subject, as the Demo mailbox shows it."""
    window.goto("/demo-mailbox")
    field(window, "Only mails to").fill(to)
    field(window, "Only mails to").press("Enter")
    mails = window.get_by_test_id("stVerticalBlock").filter(
        has=window.get_by_text(subject, exact=True)
    )
    code = mails.locator("[class*=st-key-large_code_] code").first
    expect(code).to_have_text(SIX_DIGITS)
    return code.inner_text()


def code_of_device(window: Page, username: str) -> str:
    """What an employee's device shows now, as the Demo mailbox shows it."""
    window.goto("/demo-mailbox")
    window.get_by_role("tab", name="Devices of employees").click()
    code = window.locator(f".st-key-large_code_{username} code")
    expect(code).to_have_text(SIX_DIGITS)
    return code.inner_text()


def choose_role(page: Page, role: str) -> None:
    """The first step at the front door of a demo bank: one click says who to be."""
    page.goto("/")
    page.get_by_role("button", name=role, exact=True).click()
    expect(page.get_by_label("Password", exact=True)).to_have_value(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    field(page, "One-time code").wait_for()


def enter_code(page: Page, code: str) -> None:
    """The second step."""
    field(page, "One-time code").fill(code)
    page.get_by_role("button", name="Confirm code").click()
    is_inside(page)


def take_deposit(cashier: Page, rupees: str, slip: str) -> str:
    """A deposit at the counter, typed without a pause; answers its reference."""
    open_page(cashier, "Cash counter")
    field(cashier, "Account number").fill(HER_ACCOUNT)
    field(cashier, "Amount").fill(rupees)
    field(cashier, "Slip number").fill(slip)
    cashier.get_by_role("button", name="Preview").click()
    expect(cashier.get_by_text(f"{HER_ACCOUNT}, Meera Iyer")).to_be_visible()
    cashier.get_by_role("button", name="Take ₹").click()
    expect(cashier.get_by_text("booked.")).to_be_visible()
    return reference_on(cashier)


def send_money(customer: Page, mailbox: Page, rupees: str, note: str) -> str:
    """A transfer, proved by transaction password and mailed code; answers its reference."""
    open_page(customer, "Send money")
    field(customer, "Account number of the payee").fill(ARJUNS_ACCOUNT)
    field(customer, "Amount").fill(rupees)
    field(customer, "Note").fill(note)
    customer.get_by_role("button", name="Preview").click()
    customer.get_by_role("button", name="Send code").click()
    expect(customer.get_by_text("A code is on its way.")).to_be_visible()
    customer.get_by_label("Transaction password", exact=True).fill(TRANSACTION_PASSWORD)
    field(customer, "One-time code").fill(code_by_mail(mailbox, MEERA, "Your code to confirm"))
    customer.get_by_role("button", name="Send ₹").click()
    expect(customer.get_by_text("sent.")).to_be_visible()
    return reference_on(customer)


def reference_on(page: Page) -> str:
    """The reference of a receipt."""
    return page.get_by_test_id("stCode").inner_text().strip()


def tile(admin: Page, label: str) -> Locator:
    """The value of one of the dashboard's figures."""
    metric = admin.get_by_test_id("stMetric").filter(has=admin.get_by_text(label, exact=True))
    return metric.get_by_test_id("stMetricValue")


def cell(page: Page, text: str) -> Locator:
    """A cell of a grid with exactly this text. A grid is drawn as a picture; its cells stand inside
    for those who do not see it."""
    return page.locator("[role=gridcell]").filter(has_text=re.compile(f"^{re.escape(text)}$"))


def in_paise(shown: str) -> int:
    """`₹ 1,234.50 Cr` as 123450."""
    return int(re.sub(r"\D", "", shown))


def is_behind(admin: Page, button: str, entry_id: str, narration: str) -> None:
    """Open the lines of a figure: this entry is among them, and in the journal in full."""
    admin.get_by_role("button", name=button, exact=True).click()
    expect(cell(admin, entry_id)).to_be_attached()
    expect(cell(admin, narration)).to_be_attached()


@pytest.mark.feature("A1.4", "A1.6", "A1.9", "A3.1", "A3.4", "A3.5", "A3.9", "A8.7")
def test_a_deposit_and_a_transfer_are_in_the_branch_totals_within_seconds(
    demo_town: DemoTown, page_at: PageAt, page_problems: list[str]
) -> None:
    mailbox, admin, cashier, customer = (page_at(base_url=demo_town.url) for _ in range(4))
    choose_role(admin, "Branch admin")
    enter_code(admin, code_of_device(mailbox, "vikram"))
    open_page(admin, "Branch money")
    expect(tile(admin, "Deposits")).to_be_visible()
    before = in_paise(tile(admin, "Deposits").inner_text())

    choose_role(cashier, "Cashier")
    enter_code(cashier, code_of_device(mailbox, "asha"))
    deposit = take_deposit(cashier, "5000", "A-77001")
    after = money.show_side(before + 5_000_00)
    expect(tile(admin, "Deposits")).to_have_text(after, timeout=TO_THE_TOTALS_MS)

    choose_role(customer, "Customer")
    enter_code(customer, code_by_mail(mailbox, MEERA, "Your code to sign in"))
    expect(cell(customer, "Cash deposit at Mumbai Fort, slip A-77001")).to_be_attached()
    expect(cell(customer, "₹ 5,000.00 Cr")).to_be_attached()
    transfer = send_money(customer, mailbox, "1,250.50", "Lunch on Friday")
    after = money.show_side(before + 5_000_00 - 1_250_50)
    expect(tile(admin, "Deposits")).to_have_text(after, timeout=TO_THE_TOTALS_MS)

    is_behind(admin, "Show in", deposit.split("-")[1], "Cash deposit at Mumbai Fort, slip A-77001")
    is_behind(admin, "Show out", transfer.split("-")[1], "Transfer: Lunch on Friday")
    assert page_problems == []


@pytest.mark.feature("A3.1", "A4.1", "A14.2")
def test_the_customers_part_of_it_on_a_phone(
    demo_town: DemoTown, page_at: PageAt, page_problems: list[str]
) -> None:
    mailbox = page_at(base_url=demo_town.url)
    phone = page_at(*PHONE, base_url=demo_town.url, **A_PHONE)
    cashier = demo_town.window(page_at, "prakash")
    take_deposit(cashier, "2.5k", "A-77002")

    choose_role(phone, "Customer")
    enter_code(phone, code_by_mail(mailbox, MEERA, "Your code to sign in"))
    # As a table of key columns: the grid of the wide window is not there on a phone.
    expect(phone.get_by_role("cell", name="₹ 2,500.00 Cr", exact=True)).to_be_visible()
    assert sideways_scroll(phone) == 0
    send_money(phone, mailbox, "640", "Dinner")
    assert sideways_scroll(phone) == 0
    open_page(phone, "Statement")
    phone.get_by_text("This month", exact=True).click()
    sent = phone.get_by_role("row").filter(has_text="Transfer: Dinner, to Arjun Deshpande")
    expect(sent).to_be_visible()
    assert sideways_scroll(phone) == 0
    assert page_problems == []
