"""View-as in pages: started with a reason, the banner over the customer's pages, the way out."""

from dataclasses import replace

import pytest

from bank.core.desk import Desk
from bank.core.ids import new_request_id
from bank.core.permissions import Role
from bank.counters import prepared
from bank.office import ticket_desk
from bank.people import sessions, viewings
from bank.people.sessions import Found
from tests.pages.test_admin_employees import press
from tests.support import people
from tests.support.apptest import Pages, words_of
from tests.support.market import Market
from tests.support.office import Office
from tests.support.tickets import claimed, written

pytestmark = pytest.mark.feature("B29")
FILE = "staff/view_as.py"
WHY = "Asks about her statement"


def signed_in(office: Office) -> tuple[str, Desk]:
    """Imran's cookie and desk."""
    imran = people.employee(office.bank, Role.EXECUTIVE, "imran")
    sid = people.signed_in(office.bank, imran)
    desk = sessions.desk_for(office.bank, sid)
    assert desk is not None
    return sid, desk


def seen(office: Office, sid: str) -> Found:
    """What the cookie leads to now."""
    return sessions.find(office.bank, sid, awake=False)


def test_it_starts_with_a_reason(pages: Pages, sqlite_office: Office) -> None:
    asha = people.customer(sqlite_office.bank)
    sid, desk = signed_in(sqlite_office)
    page = pages.open(desk, FILE)
    assert "Nobody has looked" in words_of(page)
    page.text_input("view_as_number").set_value("12345")
    page.text_input("view_as_reason").set_value(WHY)
    press(page, "Start viewing")
    assert "no such customer" in page.error[0].value
    page.text_input("view_as_number").set_value(asha.username)
    page.text_input("view_as_reason").set_value("")
    press(page, "Start viewing")
    assert page.error[0].value.startswith("**Reason:**")
    page.text_input("view_as_reason").set_value(WHY)
    press(page, "Start viewing")
    assert seen(sqlite_office, sid).viewing is not None
    assert WHY in words_of(pages.open(desk, FILE))


def test_the_banner_lies_over_every_page_of_the_customer(
    pages: Pages, sqlite_office: Office
) -> None:
    asha = people.customer(sqlite_office.bank)
    sid, own = signed_in(sqlite_office)
    viewings.start_viewing(own, asha.username, WHY)
    found = seen(sqlite_office, sid)
    assert found.desk is not None
    home = pages.home(found.desk, found=found)
    assert not home.exception
    assert "You see the portal of **Asha Rao**" in home.warning[0].value
    said = words_of(home)
    assert "You have no account with the bank yet" in said
    assert "signed in before" not in said, "that would be the employee's own history"
    assert "sidebar_lock" not in [button.key for button in home.button]
    home.switch_page("pages/customer/statement.py").run()
    assert not home.exception
    assert "You see the portal of" in home.warning[0].value
    for shut in ("customer/send_money.py", "every/security.py", "staff/view_as.py"):
        with pytest.raises(ValueError, match="page"):
            home.switch_page(f"pages/{shut}").run()
    home.button("viewing_stop").click().run()
    assert not home.exception
    assert seen(sqlite_office, sid).viewing is None


def test_no_table_can_be_taken_out_of_a_customers_portal(
    pages: Pages, sqlite_office: Office
) -> None:
    asha = people.customer(sqlite_office.bank)
    sid, own = signed_in(sqlite_office)
    mine = pages.home(own)
    mine.switch_page("pages/every/tariff.py").run()
    assert "Download CSV" in [each.label for each in mine.get("download_button")]
    viewings.start_viewing(own, asha.username, WHY)
    found = seen(sqlite_office, sid)
    assert found.desk is not None
    theirs = pages.home(found.desk, found=found)
    theirs.switch_page("pages/every/tariff.py").run()
    assert not theirs.exception
    assert theirs.dataframe or theirs.table, "the rates are read"
    shown = {each.key for each in theirs.button}
    assert not shown & {"find_open", "bell_open"}, "those are the employee's own"
    assert not theirs.get("download_button")


def test_nothing_of_the_customers_stays_in_the_window(pages: Pages, sqlite_office: Office) -> None:
    asha = people.customer(sqlite_office.bank)
    sid, own = signed_in(sqlite_office)
    viewings.start_viewing(own, asha.username, WHY)
    found = seen(sqlite_office, sid)
    assert found.desk is not None
    home = pages.home(found.desk, found=found)
    home.session_state["statement_something"] = "of Asha's"
    pages.sit(own)
    home.run()
    assert "statement_something" not in home.session_state
    assert not home.warning


def test_nobody_else_has_the_page(pages: Pages, sqlite_office: Office) -> None:
    page = pages.open(sqlite_office.desk("ravi"), FILE)
    assert [title.value for title in page.title] == ["Not available"]


def test_help_and_slips_are_read_and_nothing_can_be_sent(
    pages: Pages, sqlite_market: Market
) -> None:
    own, esha = sqlite_market.desks["asha"], sqlite_market.desks["executive"]
    card = claimed(sqlite_market, written(sqlite_market))
    ticket_desk.add_note(esha, card.id, "Her brother wrote this.", request_id=new_request_id())
    slip = prepared.prepare_slip(
        own, "cash_deposit", sqlite_market.number("asha"), 5_00, request_id=new_request_id()
    )
    viewer = replace(esha, role=own.role, customer_id=own.customer_id, on_behalf_of=own.customer_id)
    page = pages.open(viewer, "customer/help.py")
    page.session_state["help_tickets_chosen"] = str(card.id)
    page.run()
    assert not page.exception
    said = words_of(page)
    assert "What are the 118 rupees for" in said
    assert "brother" not in said
    assert not page.text_area
    assert not [each for each in page.button if "Send" in each.label or "Add" in each.label]
    page = pages.open(viewer, "customer/prepare_slip.py")
    assert not page.exception
    assert "5.00" in words_of(page).replace("\\", "")
    assert not page.code
    assert slip.token not in words_of(page)
    assert not [each for each in page.button if "token" in each.label or "Cancel" in each.label]
