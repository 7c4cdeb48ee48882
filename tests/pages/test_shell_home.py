"""Home.py: whose window it is, which pages the menu holds, and what a forced address gets."""

from datetime import date

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from bank import app
from bank.core.clock import FixedClock
from bank.core.desk import Bank, Desk
from bank.core.permissions import GRANTS, STAFF, Permission, Role
from bank.people.sessions import Found, SessionStatus
from pages.parts import forms, lock, menu, words
from tests.support import people
from tests.support.apptest import SECONDS, Pages, words_of
from tests.support.bank import desk
from tests.support.server import ROOT

PEOPLE = [role for role in Role if role not in {Role.GUEST, Role.SYSTEM}]


def files_of(bank: Bank, role: Role) -> set[str]:
    """The pages in the menu of a role."""
    return {entry.file for entry in menu.entries_for(desk(bank, role))}


@pytest.mark.feature("A1.13", "A14.3")
@pytest.mark.parametrize("role", PEOPLE)
def test_the_menu_holds_what_the_grants_allow(pages: Pages, sqlite_bank: Bank, role: Role) -> None:
    asha = people.customer(sqlite_bank)
    known = {"user_id": asha.id, "customer_id": asha.customer_id} if role is Role.CUSTOMER else {}
    sitting = desk(sqlite_bank, role, **known)
    home = pages.home(sitting)
    assert not home.exception
    for entry in menu.MENU:
        if entry.open_to(sitting):
            assert entry.permission in GRANTS[role]
            home.switch_page(f"pages/{entry.file}").run()
            assert not home.exception, (entry.file, words_of(home))
        elif entry.file not in files_of(sqlite_bank, role):
            with pytest.raises(ValueError, match="page"):
                home.switch_page(f"pages/{entry.file}").run()


@pytest.mark.feature("A1.13")
def test_a_guest_finds_the_sign_in_and_nothing_else(pages: Pages, sqlite_bank: Bank) -> None:
    home = pages.home(desk(sqlite_bank, Role.GUEST))
    assert not home.exception
    assert [title.value for title in home.title] == ["Sign in"]
    assert "demo" not in words_of(home)
    for entry in menu.MENU:
        if entry.hidden:  # it asks for the link that a mail has brought
            home.switch_page(f"pages/{entry.file}").run()
            assert "There is no link to follow here" in words_of(home)
        else:
            with pytest.raises(ValueError, match="page"):
                home.switch_page(f"pages/{entry.file}").run()


@pytest.mark.feature("A1.9")
def test_only_a_demo_bank_has_the_mailbox(pages: Pages, sqlite_bank: Bank) -> None:
    for role in (Role.GUEST, Role.CASHIER):
        assert "demo/mailbox.py" not in files_of(sqlite_bank, role)
        assert "demo/mailbox.py" in files_of(people.as_demo(sqlite_bank), role)
    page = pages.open(desk(sqlite_bank, Role.CASHIER), "demo/mailbox.py")
    assert page.exception, "the bank's own refusal, which the web app shows as a message"
    assert not page.code
    assert not page.expander


def test_every_row_of_the_menu_is_complete() -> None:
    addresses = [entry.url_path for entry in menu.MENU]
    assert len(set(addresses)) == len(addresses)
    for entry in menu.MENU:
        assert (ROOT / "pages" / entry.file).is_file(), entry.file
        assert entry.front or entry.about.endswith("."), entry.file
    for role in PEOPLE:
        fronts = [entry for entry in menu.MENU if entry.front and role in entry.roles]
        assert len(fronts) == 1, role
    assert set(words.ROLES) == set(Role)


@pytest.mark.feature("A1.13", "A9.1")
def test_a_forced_address_is_refused_and_written_to_the_trail(
    pages: Pages, sqlite_bank: Bank
) -> None:
    page = pages.open(desk(sqlite_bank, Role.CASHIER), "auditor/trail.py")
    assert [error.value for error in page.error] == [
        "You may not open this page. Choose a page from the menu."
    ]
    assert [title.value for title in page.title] == ["Not available"]
    [row] = people.trail(sqlite_bank, "people.doors.turn_away")
    assert row[0] == "refused"
    assert Permission.TRAIL_VIEW.value in row[3]


@pytest.mark.feature("A1.8")
def test_a_window_that_changes_hands_forgets_everything(pages: Pages, sqlite_bank: Bank) -> None:
    people.branch_id(sqlite_bank)
    home = pages.home(desk(sqlite_bank, Role.CASHIER, user_id=7))
    home.session_state["secret_of_seven"] = "typed"
    home.run()
    assert home.session_state["secret_of_seven"] == "typed"
    pages.sit(desk(sqlite_bank, Role.CASHIER, user_id=8))
    home.run()
    assert "secret_of_seven" not in home.session_state


@pytest.mark.feature("A1.8")
def test_a_locked_window_shows_the_lock_and_keeps_what_was_typed(
    pages: Pages, sqlite_bank: Bank
) -> None:
    people.branch_id(sqlite_bank)
    cashier = desk(sqlite_bank, Role.CASHIER, user_id=7)
    home = pages.home(cashier)
    home.session_state["typed"] = "half a sentence"
    home.run()
    locked = Found(state=SessionStatus.LOCKED, user_id=7, name="Ravi <b>Kumar</b>")
    pages.sit(desk(sqlite_bank, Role.GUEST), found=locked)
    home.run()
    assert not home.exception
    assert [title.value for title in home.title] == ["Locked"]
    assert r"\<b\>" in home.markdown[0].value
    assert home.session_state["typed"] == "half a sentence"
    pages.sit(cashier)
    home.run()
    assert [title.value for title in home.title] == ["Home"]
    assert home.session_state["typed"] == "half a sentence"


def under_the_lock(home: AppTest, pages: Pages, sitting: Desk) -> None:
    """Lock the window, click about, and open it again at the page it was at."""
    locked = Found(state=SessionStatus.LOCKED, user_id=sitting.user_id, name=sitting.name)
    pages.sit(desk(sitting.bank, Role.GUEST), found=locked)
    home.run()
    assert [title.value for title in home.title] == ["Locked"]
    home.run()
    pages.sit(sitting)
    home.run()
    assert not home.exception


@pytest.mark.feature("A1.8")
def test_the_lock_keeps_dates_and_ticks_and_no_click(pages: Pages, sqlite_bank: Bank) -> None:
    people.branch_id(sqlite_bank)
    sitting = desk(sqlite_bank, Role.BANKER, user_id=7)
    home = pages.home(sitting)
    home.switch_page("pages/banker/open_account.py").run()
    home.text_input("open_account_new_name").set_value("Asha Rao")
    home.date_input("open_account_new_born").set_value(date(1990, 5, 17))
    [add] = [button for button in home.button if button.label == "Add customer"]
    home.text_input("open_account_new_email").set_value("no address")
    add.click().run()  # refused; what was typed has reached the server
    assert home.error
    under_the_lock(home, pages, sitting)
    assert home.date_input("open_account_new_born").value == date(1990, 5, 17)
    assert home.text_input("open_account_new_name").value == "Asha Rao"
    assert not home.error, "the click is not repeated"


def _inputs() -> None:
    import streamlit as st

    from bank.core.permissions import Permission
    from pages.parts import forms, lock, ui, visitor

    if "locked" in st.session_state:
        lock.page(visitor.found())
    else:
        ui.enter(Permission.SESSION_KEEP, title="Inputs")
        st.checkbox("Tick", key="tick")
        st.multiselect("Many", ["a", "b"], key="many")
        st.file_uploader("File", key="file")
        st.button("Press", key="press")
        forms.password_input("Password", key="password")
        forms.code_input("Code", key="code")


@pytest.mark.feature("A1.8")
def test_the_lock_forgets_what_is_secret(pages: Pages, sqlite_bank: Bank) -> None:
    people.branch_id(sqlite_bank)
    pages.sit(desk(sqlite_bank, Role.CASHIER))
    page = AppTest.from_function(_inputs, default_timeout=SECONDS).run()
    page.checkbox("tick").check()
    page.multiselect("many").select("b")
    for key in ("password", "code"):
        page.text_input(forms.secret_key(key)).set_value("123456")
    page.button("press").click().run()
    page.session_state["locked"] = True
    page.run()
    page.text_input(lock.PASSWORD).set_value("typed at the lock").run()
    del page.session_state["locked"]
    page.run()
    assert not page.exception
    assert page.checkbox("tick").value is True
    assert page.multiselect("many").value == ["b"]
    assert [page.text_input(forms.secret_key(key)).value for key in ("password", "code")] == [
        "",
        "",
    ]
    page.session_state["locked"] = True
    page.run()
    assert page.text_input(lock.PASSWORD).value == ""


@pytest.mark.feature("A14.3")
def test_home_names_branch_day_last_sign_in_and_work(
    pages: Pages, sqlite_bank: Bank, cheap_bcrypt: None
) -> None:
    ravi = people.employee(sqlite_bank)
    people.signed_in(sqlite_bank, ravi)
    people.later(sqlite_bank, hours=3)
    home = pages.home(people.desk_of(sqlite_bank, ravi))
    metrics = {metric.label: metric.value for metric in home.metric}
    assert isinstance(sqlite_bank.clock, FixedClock)
    assert metrics == {
        "Branch": "Branch 001",
        "Business date": words.day(sqlite_bank.clock.business_date()),
        "Last sign-in": "3 hours ago",
    }
    said = words_of(home)
    for entry in menu.entries_for(people.desk_of(sqlite_bank, ravi)):
        assert entry.about in said


@pytest.mark.parametrize("role", sorted(STAFF))
def test_every_employee_starts_at_home(pages: Pages, sqlite_bank: Bank, role: Role) -> None:
    people.branch_id(sqlite_bank)
    home = pages.home(desk(sqlite_bank, role))
    assert [title.value for title in home.title] == ["Home"]


def test_without_its_server_home_says_how_to_start_it() -> None:
    st.cache_data.clear()
    app.serve_nothing()
    home = AppTest.from_file(ROOT / "Home.py", default_timeout=SECONDS).run()
    assert not home.exception
    assert [title.value for title in home.title] == ["The bank is closed"]
    assert [code.value for code in home.code] == ["python -m bank serve"]
    assert not home.text_input
    assert not home.button
    page = AppTest.from_file(ROOT / "pages" / "every" / "home.py", default_timeout=SECONDS).run()
    assert page.exception, "a page alone serves nothing, either"
    assert not page.title
