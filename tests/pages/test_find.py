"""The search of every employee's page: what it finds, for whom, and where each line leads."""

import pytest
from streamlit.testing.v1 import AppTest

from bank.core.approvals import AwaitingApproval
from bank.core.desk import Desk
from bank.core.errors import NotAllowed
from bank.core.permissions import STAFF, Role
from bank.core.texts import UnreadableText
from bank.core.work_tables import Priority
from bank.office import finds, queue
from bank.office.queue_lists import View
from bank.people.users import Kind as WhichUsers
from bank.people.users import State
from pages.parts import find, sidebar
from tests.support import queues
from tests.support.apptest import SECONDS, Pages, words_of
from tests.support.market import BANER, Market
from tests.support.server import ROOT

pytestmark = pytest.mark.feature("D0")
ESHA = "executive"


@pytest.fixture
def market(sqlite_market: Market) -> Market:
    """Pages draw the same on either database."""
    return sqlite_market


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """The field stays open from run to run, as it does for a person (there it is drawn alone)."""
    draw = sidebar.draw

    def both(desk: Desk) -> None:
        draw(desk)
        find._field()

    monkeypatch.setattr(sidebar, "draw", both)


def seated(pages: Pages, desk: Desk) -> AppTest:
    """Somebody at a page that has no links of its own."""
    home = pages.home(desk)
    home.switch_page("pages/staff/find_account.py").run()
    assert not home.exception
    assert links(home) == {}
    return home


def searched(page: AppTest, text: str) -> AppTest:
    """Type into the field."""
    page.text_input("find_words").set_value(text).run()
    assert not page.exception
    return page


def links(page: AppTest) -> dict[str, str]:
    """Where the links of the search lead, by label; the way home stands over the page."""
    return {
        each.proto.label.replace("\\", ""): each.proto.page
        for each in page.get("page_link")
        if each.proto.label != "Home"
    }


def found(page: AppTest) -> list[str]:
    """The lines that lead to work, from top to bottom."""
    return [
        each.label.replace("\\", "")
        for each in page.button
        if each.key and each.key.startswith(("find_item_", "find_approval_"))
    ]


def test_every_employee_has_the_search_and_nobody_else(pages: Pages, market: Market) -> None:
    staff = {desk.role: desk for desk in market.desks.values() if desk.role in STAFF}
    assert staff.keys() >= STAFF - {Role.REVIEWER, Role.SUPER_ADMIN}
    for desk in staff.values():
        home = pages.home(desk)
        home.button("find_open").click().run()
        assert not home.exception
        assert "Type what you know of it" in words_of(home)
    home = pages.home(market.desks["asha"])
    assert not home.exception
    assert "find_open" not in [each.key for each in home.button]
    with pytest.raises(NotAllowed):
        finds.find(market.desks["asha"], "lost")


@pytest.mark.usefixtures("opened")
def test_pages_of_ones_own_menu_are_found_by_title_and_purpose(
    pages: Pages, market: Market
) -> None:
    home = searched(seated(pages, market.desks["admin"]), "journal")
    assert next(iter(links(home))) == "Journal", "its title goes before what others are for"
    searched(home, "lock and unlock")
    assert "Users" in links(home)
    cashier = searched(seated(pages, market.desks["ravi"]), "journal")
    assert "Nothing fits" in words_of(cashier)
    assert links(cashier) == {}


@pytest.mark.usefixtures("opened")
def test_work_in_sight_is_found_and_opens_where_it_is(pages: Pages, market: Market) -> None:
    lost, done, *_ = queues.opened(market, 8, title="Lost card")
    queues.opened(market, title="Lost letter", branch_id=market.branch_ids[BANER])
    queue.claim(market.desks[ESHA], done)
    queues.decide(market, done)
    home = searched(seated(pages, market.desks[ESHA]), "los car")
    said = found(home)
    assert len(said) == find.MOST_FOUND + 1, "five that are open, one that is decided"
    assert said[0] == "T-1: Lost card, Unassigned"
    assert said[-1] == "T-2: Lost card, Decided"
    assert "Lost letter" not in words_of(home)
    home.button(f"find_item_{lost}").click().run()
    assert not home.exception
    assert home.title[0].value == "Inbox"
    assert "T-1: Lost card" in words_of(home).replace("\\", "")
    home.session_state["inbox_priority"] = Priority.LOW  # looked for before, and nothing fits it
    searched(home, "los car").button("find_all_ALL_OPEN").click().run()
    assert not home.exception
    assert home.session_state["inbox_view"] == View.ALL_OPEN
    assert home.session_state["inbox_words"] == "los car"
    assert home.session_state["inbox_priority"] is None
    assert "T-1: Lost card" not in words_of(home).replace("\\", ""), "no item is open"
    assert found(searched(seated(pages, market.desks["ravi"]), "lost")) == [], "has no queue"
    nothing = searched(seated(pages, market.desks[ESHA]), "?!")
    assert "Nothing fits" in words_of(nothing), "no word is not every word"


@pytest.mark.usefixtures("opened")
def test_a_number_leads_to_the_account_and_the_look_is_recorded_there(
    pages: Pages, market: Market
) -> None:
    number = market.number("asha")
    read = "SELECT object_id FROM trail WHERE outcome = 'read' AND object_kind = 'account'"
    home = searched(seated(pages, market.desks["ravi"]), f" {number[:4]} {number[4:]} ")
    assert home.button("find_account").label == f"Look at account {number}"
    unknown = searched(seated(pages, market.desks["ravi"]), "999999999999")
    said = unknown.button("find_account").label
    assert said == "Look at account 999999999999", "it is not told whether there is one"
    assert market.rows(read) == []
    home.button("find_account").click().run()
    assert not home.exception
    assert home.title[0].value == "Find an account"
    assert home.text_input("find_account_number").value == number
    assert "Asha Rao" in [each.value for each in home.header]
    assert market.rows(read) != []
    assert number not in str(dict(home.query_params)), "an address is kept by the browser"
    for short in ("12345", "lost card", "12-34-56"):
        assert finds.find(market.desks["ravi"], short).account_number == ""


@pytest.mark.usefixtures("opened")
def test_an_entry_in_sight_is_found_by_its_reference(pages: Pages, market: Market) -> None:
    reference = market.deposit("asha", 1_000_00, slip="A1").reference
    home = searched(seated(pages, market.desks["admin"]), f" {reference} ")
    assert home.button("find_entry").label.replace("\\", "") == f"Entry {reference}"
    home.button("find_entry").click().run()
    assert not home.exception
    assert home.title[0].value == "Journal"
    assert home.text_input("journal_entry").value == reference
    for who, text in (
        ("admin_baner", reference),  # of another branch
        ("ravi", reference),  # has no journal
        ("admin", f"9{reference[1:]}"),  # mistyped
        ("auditor", "260316-99999-5"),
    ):
        assert finds.find(market.desks[who], text).entry_reference == "", (who, text)
    assert finds.find(market.desks["auditor"], reference).entry_reference == reference


@pytest.mark.usefixtures("opened")
def test_what_one_asked_for_is_found_by_oneself(pages: Pages, market: Market) -> None:
    with pytest.raises(AwaitingApproval):
        market.deposit("asha", 11_00_000_00, slip="A2")
    home = searched(seated(pages, market.desks["ravi"]), "approval")
    [line] = found(home)
    assert line.startswith("Approval 1: ")
    assert line.endswith(", pending")
    home.button("find_approval_1").click().run()
    assert not home.exception
    assert home.title[0].value == "Approvals"
    assert "Waits for approval by" in words_of(home)
    assert finds.find(market.desks["meera"], "approval").asked_for == []


@pytest.mark.usefixtures("opened")
def test_users_are_looked_for_where_they_are_listed(pages: Pages, market: Market) -> None:
    home = searched(seated(pages, market.desks["admin"]), "ravi")
    assert home.button("find_users").label == "Look for “ravi” among users"
    read = market.rows(
        "SELECT 1 AS one FROM trail WHERE outcome = 'read' AND object_kind = 'users'"
    )
    assert read == []
    home.session_state["users_places"] = [("zz", 9)]  # left behind by who looked before
    home.session_state["users_kind"] = WhichUsers.CUSTOMERS
    home.session_state["users_state"] = State.LOCKED
    home.button("find_users").click().run()
    assert not home.exception
    assert home.title[0].value == "Users"
    assert home.text_input("users_searched").value == "ravi"
    assert list(home.dataframe[0].value["Name"]) == ["Ravi Kumar"]
    at_the_counter = searched(seated(pages, market.desks["ravi"]), "ravi")
    assert "find_users" not in [each.key for each in at_the_counter.button]


@pytest.mark.usefixtures("opened")
def test_what_cannot_be_read_is_refused(pages: Pages, market: Market) -> None:
    with pytest.raises(UnreadableText) as refused:
        finds.find(market.desks["ravi"], "lost\x00card")
    assert refused.value.field == "search"
    home = searched(seated(pages, market.desks["ravi"]), "lost\x00card")
    assert "What are you looking for?" in home.error[0].value


def test_a_page_without_the_field_asks_nothing(
    pages: Pages, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(finds, "find", lambda _desk, text: asked.append(text))
    home = pages.home(market.desks["admin"])
    home.run()
    home.button("find_open").click().run()
    assert not home.exception
    assert asked == []


def test_a_name_fills_the_page_it_leads_to(pages: Pages, market: Market) -> None:
    users = AppTest.from_file(ROOT / "pages/admin/users.py", default_timeout=SECONDS)
    users.query_params["users_searched"] = "ravi"
    pages.sit(market.desks["admin"])
    users.run()
    assert not users.exception
    assert users.text_input("users_searched").value == "ravi"
    assert list(users.dataframe[0].value["Name"]) == ["Ravi Kumar"]
