"""Two colleagues at one queue, in a window each: what one does, the other sees without a reload."""

import re
from typing import Final

import pytest
from playwright.sync_api import Page, expect

from bank import app
from bank.core import work
from bank.core.desk import chunk
from bank.people import identity
from tests.support.browser import PHONE, PageAt, sideways_scroll
from tests.support.demo import DemoTown, desk_of
from tests.support.server import ARTIFACTS
from tests.support.shell import at_rest, is_accessible

SCREENS: Final = ARTIFACTS / "screens"
TITLES: Final = (
    "I paid twice at the counter",
    "The passbook shows a wrong name",
    "My statement did not arrive",
    "When does the branch open on Saturday",
)


def keep(page: Page, name: str) -> None:
    """A picture for people to look at."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENS / f"inbox-{name}.png", full_page=True)


def open_cases(town: DemoTown, titles: tuple[str, ...], first: int, priority: int = 3) -> None:
    """Cases that wait at the executive's branch."""
    branch_id = desk_of(town.bank, "imran").branch_id
    with chunk(app.system_desk(town.bank), "tests.arrange") as tx:
        work.open_many(
            tx,
            [
                work.NewItem(
                    kind="ticket",
                    subject_id=number,
                    branch_id=branch_id,
                    reference=f"T-{number}",
                    title=title,
                    priority=priority,
                )
                for number, title in enumerate(titles, first)
            ],
        )


def colleague(town: DemoTown, username: str = "dev.second", name: str = "Dev Sen") -> str:
    """Another executive at the same branch; the town is shared, and so are its user names."""
    with chunk(app.system_desk(town.bank), "tests.arrange") as tx:
        return identity.add_user_row(
            tx,
            username=username,
            name=name,
            email=f"{username}@bank.example",
            role=desk_of(town.bank, "imran").role,
            branch_id=desk_of(town.bank, "imran").branch_id,
            password_hash="$2b$04$" + "." * 53,
        ).username


@pytest.mark.feature("B12", "C9", "B25")
def test_what_one_does_the_other_sees_without_a_reload(
    demo_town: DemoTown, page_at: PageAt, page_problems: list[str]
) -> None:
    open_cases(demo_town, TITLES, 9_001)
    mine = demo_town.window(page_at, "imran", "/staff-inbox")
    # As wide as a phone, and as long as the page: a list that opens while it scrolls shuts again.
    mine.set_viewport_size({"width": PHONE[0], "height": 1_600})
    expect(mine.get_by_test_id("stSidebar")).to_have_attribute("data-collapsed", "true")
    at_rest(mine)
    mine.get_by_role("heading", level=1).click(trial=True)  # nothing lies over the page
    figure = mine.get_by_test_id("stMetric").filter(has_text="Unassigned")
    count = int(figure.inner_text().split()[-1])  # the demo's own, too
    mine.get_by_label("Choose an item").click()
    mine.get_by_role("option", name="T-9001").click()
    claim = mine.get_by_role("button", name="Claim T-9001")
    expect(claim).to_be_visible()
    at_rest(mine)
    assert sideways_scroll(mine) == 0
    is_accessible(mine)
    keep(mine, "phone")

    theirs = demo_town.window(page_at, colleague(demo_town), "/staff-inbox")
    theirs.get_by_text("Saved views").click()  # the list stays behind what one opens
    theirs.keyboard.press("Escape")
    claim.click()
    expect(mine.get_by_text("T-9001 is yours.")).to_be_visible()

    # Nobody touches the other window: the figure moves, the rows do not.
    figure = theirs.get_by_test_id("stMetric").filter(has_text="Unassigned")
    expect(figure).to_contain_text(str(count - 1), timeout=20_000)
    open_cases(demo_town, ("My card is lost",), 9_100, priority=1)
    expect(theirs.get_by_text("1 item more since this list was drawn.")).to_be_visible()
    theirs.get_by_role("button", name="Show the new list").click()
    expect(theirs.get_by_text("since this list was drawn")).to_have_count(0)

    theirs.get_by_role("button", name="Take the next item").click()
    expect(theirs.get_by_role("heading", name="T-9100: My card is lost")).to_be_visible()
    theirs.get_by_text("Mine", exact=True).first.click()
    at_rest(theirs)
    expect(theirs).to_have_url(re.compile("inbox_view=Mine"))
    theirs.reload()
    at_rest(theirs)
    figure = theirs.get_by_test_id("stMetric").filter(has_text="Mine")
    expect(figure).to_contain_text("1")
    is_accessible(theirs)
    keep(theirs, "mine-desk")
    assert page_problems == []


@pytest.mark.feature("B12", "A14.1")
def test_the_menu_says_how_many_wait_and_leads_to_the_same_address(
    demo_town: DemoTown, page_at: PageAt, page_problems: list[str]
) -> None:
    open_cases(demo_town, TITLES[:2], 8_001)
    page = demo_town.window(page_at, "imran")
    at_rest(page)
    link = page.get_by_test_id("stSidebarNav").get_by_role("link", name=re.compile(r"Inbox \(\d+"))
    expect(link).to_have_count(1)
    link.click()
    expect(page.get_by_role("heading", name="Inbox", exact=True, level=1)).to_be_visible()
    at_rest(page)
    expect(page).to_have_url(re.compile(r"/staff-inbox$"))
    is_accessible(page)
    keep(page, "counted")
    assert page_problems == []


@pytest.mark.feature("D3")
def test_keys_lead_through_the_list_as_it_is_drawn(
    demo_town: DemoTown, page_at: PageAt, page_problems: list[str]
) -> None:
    open_cases(demo_town, TITLES[:2], 7_001)
    page = demo_town.window(page_at, "imran", "/staff-inbox")
    grid = page.get_by_test_id("stDataFrame").first
    expect(grid).to_be_visible()
    at_rest(page)
    below, above = (page.get_by_role("button", name=f"Item {side}") for side in ("below", "above"))
    expect(below).to_be_enabled()
    expect(above).to_be_disabled()
    headings = page.get_by_role("heading", name=re.compile(": "), level=2)
    seen = []
    for key in ("j", "j", "k"):
        page.keyboard.press(f"Alt+{key}")
        if seen:
            expect(headings.first).not_to_have_text(seen[-1])
        expect(headings.first).to_be_visible()
        at_rest(page)
        seen.append(headings.first.inner_text())
    assert seen[0] == seen[2] != seen[1], seen
    page.keyboard.press("j")
    page.get_by_text("Unassigned", exact=True).first.click()  # a letter alone is none of the page's
    at_rest(page)
    expect(headings.first).to_have_text(seen[0])
    assert page_problems == []
