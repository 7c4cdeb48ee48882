"""The branch's money in a real browser: live without a reload, usable by everybody."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from bank import app
from bank.accounts import accounts, products
from bank.book import ledger
from bank.book.ledger import Draft, Leg, credit_account, debit_gl
from bank.core.desk import Bank, chunk
from bank.core.ids import new_request_id
from bank.counters import drawer_cash
from bank.counters.drawer_cash import MoveKind
from tests.support import people
from tests.support.browser import PHONE, PageAt, sideways_scroll
from tests.support.shell import Town, at_rest, is_accessible

PAGES = {
    "/admin-dashboard": "Branch money",
    "/auditor-trial-balance": "Trial balance",
    "/auditor-integrity": "Integrity",
}


def open_account(bank: Bank, branch_id: int, customer_id: int) -> int:
    with chunk(app.system_desk(bank), "tests.account") as tx:
        return accounts.open_row(
            tx,
            customer_id=customer_id,
            product=products.product(tx, "savings"),
            branch_id=branch_id,
        ).id


def book(bank: Bank, branch_id: int, *legs: Leg) -> None:
    draft = Draft(
        request_id=new_request_id(),
        kind="cash_deposit",
        narration="Slip 7",
        legs=legs,
        branch_id=branch_id,
    )
    with chunk(app.system_desk(bank), "tests.book") as tx:
        ledger.post(tx, draft)
        drawer_cash.put_in_vault(tx, [draft], MoveKind.CARRIED)  # taken at no counter


@pytest.fixture(scope="module")
def till(town: Town) -> Callable[[int], None]:
    """Cash over the counter of the admin's branch: paid in, or out where it is negative."""
    branch = people.branch_id(town.bank, people.OUR_IFSC)
    assert town.customer.customer_id is not None
    account = open_account(town.bank, branch, town.customer.customer_id)

    def move(amount: int) -> None:
        book(town.bank, branch, debit_gl("1000", amount), credit_account(account, amount))

    move(5_000_00)
    move(-700_00)
    return move


def tile(page: Page, label: str) -> str:
    """What a metric says."""
    return page.get_by_test_id("stMetric").filter(has_text=label).inner_text()


@pytest.mark.feature("A8.7")
def test_a_deposit_comes_into_the_totals_without_a_reload(
    town: Town, page_at: PageAt, till: Callable[[int], None]
) -> None:
    page = town.window(page_at, town.admin, "/admin-dashboard")
    cash = page.get_by_test_id("stMetric").filter(has_text="Cash in hand")
    expect(cash).to_contain_text("₹ 4,300.00 Dr")
    page.evaluate("document.body.dataset.mark = 'not reloaded'")
    context = page.get_by_text("figures of")
    first = context.inner_text()
    till(111_00)
    expect(cash).to_contain_text("₹ 4,411.00 Dr")  # how soon: the benchmark page.live
    expect(context).not_to_have_text(first)  # the line under the title is as young, and alone
    assert page.locator("body").get_attribute("data-mark") == "not reloaded"


@pytest.mark.feature("A8.7", "B7")
def test_a_figure_drills_to_its_lines(
    town: Town, page_at: PageAt, till: Callable[[int], None]
) -> None:
    page = town.window(page_at, town.admin, "/admin-dashboard")
    deposits = re.search(r"₹ [\d,.]+ Cr", tile(page, "Deposits"))
    assert deposits is not None
    page.get_by_role("button", name="Show lines").first.click()
    expect(page.get_by_role("heading", name="Behind deposits")).to_be_visible()
    expect(
        page.get_by_text(re.compile(rf"lines add up to {re.escape(deposits[0])}"))
    ).to_be_visible()


@pytest.mark.feature("A14.1", "A8.7", "B14")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("at", PAGES)
def test_everybody_can_use_the_pages(
    town: Town,
    page_at: PageAt,
    page_problems: list[str],
    till: Callable[[int], None],
    at: str,
    dark: bool,
) -> None:
    # Through the menu: on another address than / Streamlit asks for two files that are not there.
    page = town.window(page_at, town.auditor, dark=dark)
    page.get_by_role("link", name=PAGES[at], exact=True).first.click()
    expect(page.get_by_role("heading", name=PAGES[at], exact=True)).to_be_visible()
    at_rest(page)
    is_accessible(page)
    assert page_problems == []


@pytest.mark.feature("A14.2")
@pytest.mark.parametrize("at", PAGES)
def test_a_phone_shows_one_column(
    town: Town, page_at: PageAt, till: Callable[[int], None], at: str
) -> None:
    width, height = PHONE
    page = town.window(page_at, town.auditor, at, width=width, height=height)
    expect(page.get_by_role("heading", name=PAGES[at], exact=True)).to_be_visible()
    at_rest(page)
    assert sideways_scroll(page) == 0


@pytest.mark.feature("B40")
def test_an_auditor_runs_the_checks(
    town: Town, page_at: PageAt, till: Callable[[int], None]
) -> None:
    page = town.window(page_at, town.auditor, "/auditor-integrity")
    page.get_by_role("button", name="Run all checks").click()
    expect(page.get_by_text(re.compile(r"All \d+ checks passed"))).to_be_visible(timeout=30_000)
    assert "0" in tile(page, "Failed")
