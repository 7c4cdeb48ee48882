"""An employee removed while signed in, and a portal under an employee's eyes, in a real browser."""

import re
from collections.abc import Callable
from typing import Final

import pytest
from playwright.sync_api import expect

from bank.core.desk import Desk
from bank.core.permissions import Role
from bank.people import leaving, sessions
from tests.browser.test_inbox import colleague, open_cases
from tests.support import people
from tests.support.browser import PHONE, PageAt
from tests.support.demo import DemoTown
from tests.support.people import Somebody
from tests.support.shell import (
    SMALL,
    Town,
    at_rest,
    enter_password,
    is_accessible,
    is_inside,
    is_outside,
)

NOTICED_MS: Final = 25_000  # the open page looks every fifteen seconds whether its session stands


@pytest.fixture(scope="module")
def small(new_town: Callable[..., Town]) -> Town:
    """A town whose only page is the small one."""
    return new_town(command=SMALL, name="small")


def admin(town: Town) -> Desk:
    """The desk of the branch's admin, without a window."""
    desk = sessions.desk_for(town.bank, town.open_session(town.admin))
    assert desk is not None
    return desk


def newcomer(town: Town, username: str, role: Role = Role.CASHIER) -> Somebody:
    """Somebody who can be removed without harm to the other tests."""
    return people.employee(town.bank, role, username)


@pytest.mark.feature("A8.5")
def test_who_is_removed_is_out_at_the_next_click(town: Town, page_at: PageAt) -> None:
    kiran = newcomer(town, "kiran")
    page = town.window(page_at, kiran)
    is_inside(page)
    leaving.remove_employee(admin(town), kiran.id, "Left the bank", code="resigned")
    page.get_by_role("link", name="Security").first.click()
    is_outside(page)
    enter_password(page, kiran)
    alert = page.get_by_test_id("stAlert").filter(has_text="do not match")
    expect(alert).to_contain_text("do not match, or were tried too often")


@pytest.mark.feature("A8.5")
def test_who_is_removed_has_no_live_part_and_no_callback(small: Town, page_at: PageAt) -> None:
    lata, omar = newcomer(small, "lata"), newcomer(small, "omar.s")
    page = small.window(page_at, lata)
    expect(page.get_by_text("Tick 2 of")).to_be_visible()
    leaving.remove_employee(admin(small), lata.id, "Left the bank", code="resigned")
    is_outside(page)
    page = small.window(page_at, omar, "/?still")
    page.get_by_role("button", name="Press").click()
    expect(page.get_by_text("Marks: 1")).to_be_visible()
    leaving.remove_employee(admin(small), omar.id, "Left the bank", code="resigned")
    page.get_by_role("button", name="Press").click()
    is_outside(page)
    expect(page.get_by_text("Marks: 1")).to_be_visible()


@pytest.mark.feature("A8.5", "B41")
def test_an_admin_removes_somebody_by_the_wizard(town: Town, page_at: PageAt) -> None:
    nila = newcomer(town, "nila", Role.BANKER)
    theirs = town.window(page_at, nila)
    is_inside(theirs)
    page = town.window(page_at, town.admin, "/admin-employees", width=PHONE[0], height=PHONE[1])
    box = page.get_by_role("combobox", name="Choose an employee")
    box.press_sequentially("Banker")
    box.press("Enter")
    at_rest(page)
    page.get_by_text("Remove", exact=True).click()
    why = page.get_by_role("combobox", name="Why they leave")
    why.press_sequentially("Resigned")
    why.press("Enter")
    at_rest(page)  # what was chosen is known before the next is typed
    page.get_by_role("textbox", name="Reason").fill("Moves to another town")
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Remove employee").click()
    expect(page.get_by_text("cannot sign in any more")).to_be_visible()
    at_rest(page)
    is_accessible(page)
    theirs.reload()  # if the page has not noticed by itself meanwhile
    is_outside(theirs)


@pytest.mark.feature("A8.5", "B12", "B41")
def test_who_is_removed_with_a_claimed_item_hands_it_over(
    demo_town: DemoTown, page_at: PageAt, page_problems: list[str]
) -> None:
    leaver = colleague(demo_town, "kiran.third", "Kiran Desai")
    open_cases(demo_town, ("The teller machine kept my card",), 7_001, priority=1)
    theirs = demo_town.window(page_at, leaver, "/staff-inbox")
    theirs.get_by_role("button", name="Take the next item").click()
    expect(theirs.get_by_role("heading", name=re.compile("T-7001"))).to_be_visible()
    at_rest(theirs)

    admin = demo_town.window(page_at, "vikram", "/admin-employees", width=PHONE[0], height=PHONE[1])
    box = admin.get_by_role("combobox", name="Choose an employee")
    box.press_sequentially("Kiran Desai")
    box.press("Enter")
    at_rest(admin)
    admin.get_by_text("Remove", exact=True).click()
    expect(admin.get_by_text("They have in hand: 1")).to_be_visible()
    why = admin.get_by_role("combobox", name="Why they leave")
    why.press_sequentially("Resigned")
    why.press("Enter")
    at_rest(admin)  # what was chosen is known before the next is typed
    admin.get_by_role("textbox", name="Reason").fill("Moves to another town")
    admin.get_by_role("button", name="Go on").click()
    expect(admin.get_by_text("Choose a colleague.")).to_be_visible()  # nothing is left with nobody
    admin.get_by_role("combobox", name="Who takes over").press_sequentially("Imran")
    admin.keyboard.press("Enter")
    admin.get_by_role("button", name="Go on").click()
    admin.get_by_role("button", name="Remove employee").click()
    expect(admin.get_by_text("cannot sign in any more")).to_be_visible()
    is_outside(theirs)  # by itself: the list is looked at again and again

    heir = demo_town.window(
        page_at, "imran", "/staff-inbox?inbox_view=Mine", width=PHONE[0], height=1_600
    )
    heir.get_by_label("Choose an item").click()
    heir.get_by_role("option", name="T-7001").click()
    expect(heir.get_by_role("heading", name=re.compile("T-7001"))).to_be_visible()
    expect(heir.get_by_role("button", name="Release T-7001")).to_be_visible()
    assert page_problems == []


@pytest.mark.feature("B29")
def test_a_portal_is_looked_at_and_left(town: Town, page_at: PageAt) -> None:
    imran = newcomer(town, "imran", Role.EXECUTIVE)
    page = town.window(page_at, imran, "/staff-view-as")
    page.get_by_role("textbox", name="Customer number").fill(town.customer.username)
    page.get_by_role("textbox", name="Reason").fill("Asks about her statement")
    page.get_by_role("button", name="Start viewing").click()
    banner = page.get_by_text("You see the portal of")
    expect(banner).to_be_visible()
    at_rest(page)
    is_accessible(page)
    menu = page.get_by_test_id("stSidebarNav")
    expect(menu.get_by_role("link", name="Statement")).to_be_attached()
    expect(menu.get_by_role("link", name="Send money")).to_have_count(0)
    page.goto("/customer-send-money")
    expect(page.get_by_role("heading", name="Not available")).to_be_visible()
    page.goto("/")
    page.get_by_role("button", name="Stop viewing").click()
    expect(page.get_by_text("What you can do here")).to_be_visible()
    expect(banner).to_have_count(0)


@pytest.mark.feature("B29")
def test_a_viewing_that_ends_by_itself_leaves_the_portal(town: Town, page_at: PageAt) -> None:
    tara = newcomer(town, "tara", Role.EXECUTIVE)
    page = town.window(page_at, tara, "/staff-view-as")
    page.get_by_role("textbox", name="Customer number").fill(town.customer.username)
    page.get_by_role("textbox", name="Reason").fill("Asks about her statement")
    page.get_by_role("button", name="Start viewing").click()
    expect(page.get_by_text("You see the portal of")).to_be_visible()
    at_rest(page)
    town.expire_viewings()
    expect(page.get_by_text("What you can do here")).to_be_visible(timeout=NOTICED_MS)
