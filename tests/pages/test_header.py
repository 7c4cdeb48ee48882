"""What stands over every page: the way home and where one is; for employees search and bell."""

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.menu import entries_for
from tests.support.apptest import Pages
from tests.support.market import Market

pytestmark = pytest.mark.feature("D0")


@pytest.fixture
def market(sqlite_market: Market) -> Market:
    """Pages draw the same on either database."""
    return sqlite_market


def over(page: AppTest) -> tuple[list[tuple[str, str]], list[str], list[str]]:
    """The links home, the part of the menu, and the buttons beside them."""
    assert not page.exception
    links = [(each.proto.label, each.proto.page) for each in page.get("page_link")]
    parts = [each.value for each in page.caption if each.value.startswith("›")]
    keys = [each.key for each in page.button if each.key in {"find_open", "bell_open"}]
    return [link for link in links if link[0] == "Home"], parts, keys


def test_an_employee_sees_where_a_page_lies(pages: Pages, market: Market) -> None:
    home = pages.home(market.desks["ravi"])
    assert over(home) == ([], [], ["find_open", "bell_open"]), "it is home already"
    home.switch_page("pages/staff/find_account.py").run()
    assert over(home) == ([("Home", "")], ["› Counter"], ["find_open", "bell_open"])
    home.switch_page("pages/every/tariff.py").run()
    assert over(home) == ([("Home", "")], [], ["find_open", "bell_open"])


def test_a_customer_has_the_way_home_and_nothing_else(pages: Pages, market: Market) -> None:
    home = pages.home(market.desks["asha"])
    assert over(home) == ([], [], [])
    home.switch_page("pages/customer/statement.py").run()
    assert over(home) == ([("Home", "")], [], [])


def test_every_page_but_the_front_one_leads_home(pages: Pages, market: Market) -> None:
    admin = market.desks["admin"]
    home = pages.home(admin)
    for entry in entries_for(admin):
        if not entry.front and not entry.hidden:
            home.switch_page(f"pages/{entry.file}").run()
            links, parts, _ = over(home)
            assert links == [("Home", "")], entry.file
            assert parts == ([f"› {entry.section}"] if entry.section else []), entry.file
