"""Every page for every role, as the demo bank shows it: drawn without an error, with nothing to say
in the console, usable by everybody, no wider than a phone, and shut for whoever may not open it.

What each page looked like is kept in tests/artifacts/screens.
"""

from typing import Final

import pytest
from playwright.sync_api import Locator, Page, expect

from bank.core.permissions import Role
from pages.parts.menu import MENU, Entry, entries_for
from pages.parts.ui import NOT_HERE
from tests.support.browser import DESK, PHONE, PageAt, sideways_scroll
from tests.support.demo import DemoTown, desk_of
from tests.support.server import ARTIFACTS
from tests.support.shell import at_rest, in_the_menu, is_accessible, is_outside

# Who is who in the demo: the first of each role.
WHO: Final = {
    Role.CUSTOMER: "meera",
    Role.CASHIER: "asha",
    Role.BANKER: "rohini",
    Role.EXECUTIVE: "imran",
    Role.REVIEWER: "nalini",
    Role.BRANCH_ADMIN: "vikram",
    Role.AUDITOR: "sunita",
    Role.SUPER_ADMIN: "dinshaw",
}
# Every other role sees the bank in the dark: what roles share is looked at in both.
IN_THE_DARK: Final = (Role.CASHIER, Role.EXECUTIVE, Role.BRANCH_ADMIN, Role.REVIEWER)
SCREENS: Final = ARTIFACTS / "screens"
DATA: Final = "stDataFrame", "stTable", "stMetric", "stPlotlyChart"
_seen_on_a_phone: Final[set[str]] = set()


def menu_of(town: DemoTown, role: Role) -> tuple[list[Entry], list[Entry]]:
    """The pages a role may open, and the others."""
    open_to = entries_for(desk_of(town.bank, WHO[role]))
    return open_to, [entry for entry in MENU if entry not in open_to]


def tried_by(town: DemoTown, role: Role) -> list[Entry]:
    """The pages outside a role's menu that it tries by their address: between them, the roles try
    every page that is shut for anybody. All of them for all roles, without the wait for a browser:
    tests/pages/test_denied_pages.py."""
    shut = {each: menu_of(town, each)[1] for each in WHO}
    tries: dict[Role, list[Entry]] = {each: [] for each in WHO}
    for entry in MENU:
        barred = [each for each in WHO if entry in shut[each]]
        if barred:
            min((tries[each] for each in barred), key=len).append(entry)
    return tries[role]


def link_to(page: Page, entry: Entry) -> Locator:
    """The way to a page in the menu; a link is called by its icon, its title, its count."""
    links = page.get_by_test_id("stSidebarNav").get_by_role("link")
    return links.filter(has=page.get_by_text(in_the_menu(entry.title)))


def is_drawn(page: Page, title: str) -> None:
    """Wait for the page with this title, whole and without an error on it."""
    expect(page.get_by_role("heading", name=title, exact=True, level=1)).to_be_visible()
    at_rest(page)
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_text("Something went wrong")).to_have_count(0)


def keep(page: Page, role: Role, entry: Entry, form: str) -> None:
    """A picture for people to look at."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENS / f"{entry.url_path}-{role.value}-{form}.png", full_page=True)


def on_a_phone(page: Page, role: Role, entry: Entry) -> None:
    """The same page in a narrow window: nothing sticks out, and its tables are usable, too."""
    sidebar = page.get_by_test_id("stSidebar")
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    try:
        expect(sidebar).to_have_attribute("data-collapsed", "true")
        at_rest(page)
        page.get_by_role("heading", level=1).click(trial=True)  # nothing lies over the title
        assert sideways_scroll(page) == 0, f"{page.url} is wider than a phone"
        if entry.file not in _seen_on_a_phone:
            _seen_on_a_phone.add(entry.file)
            keep(page, role, entry, "phone")
            is_accessible(page)
    finally:
        page.set_viewport_size({"width": DESK[0], "height": DESK[1]})
        expect(sidebar).to_have_attribute("data-collapsed", "false")


@pytest.mark.feature("A14.1", "A14.2", "A14.3")
@pytest.mark.parametrize("role", WHO)
def test_every_page_of_a_role_is_drawn_and_usable(
    demo_town: DemoTown,
    page_at: PageAt,
    page_problems: list[str],
    subtests: pytest.Subtests,
    role: Role,
) -> None:
    page = demo_town.window(page_at, WHO[role], dark=role in IN_THE_DARK)
    open_to, _ = menu_of(demo_town, role)
    assert len(open_to) >= 4
    for entry in open_to:
        with subtests.test(page=entry.url_path):
            link_to(page, entry).click()
            is_drawn(page, entry.title)
            keep(page, role, entry, "desk")
            is_accessible(page)
        with subtests.test(page=entry.url_path, on="a phone"):
            on_a_phone(page, role, entry)
    assert page_problems == []


@pytest.mark.feature("A1.13", "A1.14", "A14.3")
@pytest.mark.parametrize("role", WHO)
def test_a_page_outside_the_menu_is_shut(
    demo_town: DemoTown, page_at: PageAt, page_problems: list[str], role: Role
) -> None:
    page = demo_town.window(page_at, WHO[role])
    tried = tried_by(demo_town, role)
    assert tried, "nobody has every page"
    for entry in tried:
        page.goto(f"/{entry.url_path}")
        is_drawn(page, "Not available")
        expect(page.get_by_text(NOT_HERE)).to_be_visible()
        if entry.title != "Home":  # a page that customers and employees each have of their own
            expect(link_to(page, entry)).to_have_count(0)
        expect(page.get_by_test_id("stMain").get_by_text("›")).to_have_count(0)  # nor where it lies
        for kind in DATA:
            expect(page.get_by_test_id(kind)).to_have_count(0)
    assert page_problems == []


def test_between_them_the_roles_try_every_page_that_is_shut(demo_town: DemoTown) -> None:
    tried = [entry.file for role in WHO for entry in tried_by(demo_town, role)]
    for_all = [entry.file for entry in MENU if all(entry in menu_of(demo_town, r)[0] for r in WHO)]
    assert sorted(tried + for_all) == sorted(entry.file for entry in MENU)


@pytest.mark.feature("A1.14")
def test_without_signing_in_every_page_asks_who_one_is(
    demo_town: DemoTown, page_at: PageAt, page_problems: list[str]
) -> None:
    page = page_at(base_url=demo_town.url)
    for entry in MENU:
        page.goto(f"/{entry.url_path}")
        if Role.GUEST in entry.roles:
            is_drawn(page, entry.title)
            continue
        is_outside(page)
        for kind in DATA:
            expect(page.get_by_test_id(kind)).to_have_count(0)
    assert page_problems == []
