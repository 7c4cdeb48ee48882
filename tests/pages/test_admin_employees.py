"""The pages of administration as admins see them: employees, the activation link, users."""

import json
import re
from datetime import timedelta

import pytest
from streamlit.testing.v1 import AppTest

from bank.core.approvals import AwaitingApproval
from bank.counters import drawers
from bank.office import approval_cards, approvals
from bank.office.approval_cards import OwnApproval
from bank.people import limits, staff, staff_list, users
from bank.people.attempts import SignInStatus
from bank.people.identity import UserStatus
from tests.support import people
from tests.support.apptest import Pages, words_of
from tests.support.market import Market
from tests.support.office import BANER, FORT, Desks, Office

EMPLOYEES = "admin/employees.py"
USERS = "admin/users.py"
ACTIVATE = "every/activate.py"


@pytest.fixture
def office(sqlite_office: Office) -> Office:
    """Pages draw the same on either database."""
    people.change_user(sqlite_office.bank, sqlite_office.people["ravi"], name="Ravi Patil")
    people.change_user(sqlite_office.bank, sqlite_office.people["asha"], name="Asha Kulkarni")
    return sqlite_office


def press(page: AppTest, label: str) -> AppTest:
    """Click the one button with this label."""
    [button] = [each for each in page.button if each.label == label]
    button.click().run()
    assert not page.exception, page.exception
    return page


def chosen(
    pages: Pages, office: Office, who: str, todo: str = "Details", by: str = "meera"
) -> AppTest:
    """The page of employees with one of them chosen."""
    page = pages.open(office.desk(by), EMPLOYEES)
    page.session_state["employees_chosen"] = str(office.id(who))
    page.run()
    if todo != "Details":
        page.segmented_control(f"employee_do_{office.id(who)}").set_value(todo).run()
    assert not page.exception, page.exception
    return page


@pytest.mark.feature("A8.3")
def test_the_list_shows_who_works_here(pages: Pages, office: Office, desks: Desks) -> None:
    desks.drawers.add(office.id("ravi"))
    desks.papers[office.id("asha")] = 2
    page = pages.open(office.desk("meera"), EMPLOYEES)
    said = words_of(page)
    assert "Employees 7" in said
    assert "Their drawer is open." in said
    assert "Ravi Patil" in said
    assert "lata" not in said
    page = chosen(pages, office, "asha")
    assert re.search(r"In hand\s+2 papers", words_of(page))


@pytest.mark.feature("A8.3", "B6")
def test_the_list_shows_whose_drawer_is_open(pages: Pages, sqlite_market: Market) -> None:
    """Of one's own branch, and of which day one was left."""
    market = sqlite_market
    page = pages.open(market.desks["admin"], EMPLOYEES)
    grid = page.dataframe[0].value.set_index("Name")
    assert (grid.loc["Ravi Kumar", "Drawer"], grid.loc["Gita Bose", "Drawer"]) == ("open", "")
    people.later(market.bank, hours=24)
    page.run()
    grid = page.dataframe[0].value.set_index("Name")
    assert grid.loc["Ravi Kumar", "Drawer"] == "open, of 16 Mar 2026"
    states = drawers.states_of(market.desks["admin"])
    assert set(states) == {market.cashier.user_id}
    assert len(drawers.states_of(market.desks["auditor"])) == 2


@pytest.mark.feature("B5", "A8.3")
def test_who_takes_the_list_with_them_is_in_the_trail(pages: Pages, office: Office) -> None:
    page = pages.open(office.desk("meera"), EMPLOYEES)
    page.toggle("employees_with_removed").set_value(True).run()
    with office.bank.db.read() as connection:
        ask = "SELECT actor_name, object_id, details FROM trail WHERE object_kind = 'export'"
        assert connection.exec_driver_sql(ask).all() == [], "drawing a page is no download"
    file = pages.offered[-1]().decode("utf-8-sig").splitlines()
    assert len(file) == 8
    with office.bank.db.read() as connection:
        [row] = connection.exec_driver_sql(ask).all()
    assert (row.actor_name, row.object_id) == (office.row("meera").name, "employees")
    assert json.loads(row.details) == {
        "table": "employees",
        "rows": 7,
        "filters": {"also those who have left": "yes"},
        "kind": "csv",
    }


@pytest.mark.feature("A8.4", "A13.4")
def test_an_employee_is_added_and_what_was_typed_stays(pages: Pages, office: Office) -> None:
    page = press(pages.open(office.desk("meera"), EMPLOYEES), "Add an employee")
    page.text_input("employee_new_name").set_value("Kiran Bhat")
    page.text_input("employee_new_email").set_value("nobody")
    page.text_input("employee_new_username").set_value("kiran")
    press(page, "Add employee")
    assert page.error[0].value.startswith(r"**E\-mail:**")
    assert page.text_input("employee_new_name").value == "Kiran Bhat"
    roles = page.selectbox("employee_new_role").options
    assert roles == ["Cashier", "Banker", "Customer executive", "Transaction reviewer"]
    assert "Pays out alone up to (at most ₹ 5,00,000.00)" in [one.label for one in page.text_input]
    page.text_input("employee_new_email").set_value("kiran@bank.example")
    page.text_input("employee_new_pay_out").set_value("6L")
    press(page, "Add employee")
    assert page.error[0].value.startswith("**Pays out alone up to:**")
    page.text_input("employee_new_pay_out").set_value("50k")
    press(page, "Add employee")
    [kiran] = [
        card for card in staff_list.employees(office.desk("meera")) if card.username == "kiran"
    ]
    assert limits.limits_of(office.desk("meera"), kiran.id)[0].own_minor == 50_000_00
    assert page.success[0].value == r"Kiran Bhat was added; a link is on its way\."
    assert "Invited" in words_of(page)
    [card] = [c for c in staff_list.employees(office.desk("meera")) if c.username == "kiran"]
    office.people["kiran"] = people.Somebody(card.id, "kiran")
    [mail] = [mail for mail in office.mails("kiran") if mail.purpose == "activation"]
    token = re.search(r"/every-activate\?token=(\S+)", mail.body)
    assert token is not None
    _activate(pages, office, token[1])


def _activate(pages: Pages, office: Office, token: str) -> None:
    guest = people.guest(office.bank)
    page = pages.open(guest, ACTIVATE)
    assert "There is no link to follow" in words_of(page)
    page.query_params["token"] = token
    page.run()
    assert "Kiran Bhat" in words_of(page)
    assert "token" not in page.query_params
    new = "velvet anchor, five birds"
    page.text_input("activate_new_secret").set_value(new)
    page.text_input("activate_new_again_secret").set_value("something else")
    press(page, "Choose password")
    assert page.error[0].value.startswith("**New password again:**")
    page.text_input("activate_new_again_secret").set_value(new)
    press(page, "Choose password")
    assert r"Sign in as kiran" in page.success[0].value
    assert people.enter_password(office.bank, office.people["kiran"], new).due is (
        SignInStatus.SET_UP_DUE
    )
    page = pages.open(guest, ACTIVATE)
    page.query_params["token"] = token
    page.run()
    assert "has been used" in page.error[0].value


@pytest.mark.feature("A8.6")
def test_an_employee_is_edited(pages: Pages, office: Office) -> None:
    page = chosen(pages, office, "ravi", "Edit")
    page.text_input(f"employee_name_{office.id('ravi')}").set_value("")
    press(page, "Save changes")
    assert page.error[0].value.startswith("**Full name:**")
    page.text_input(f"employee_name_{office.id('ravi')}").set_value("Ravi S. Patil")
    press(page, "Save changes")
    assert "changed" in page.success[0].value
    page = chosen(pages, office, "ravi", "History")
    assert "Ravi Patil to Ravi S. Patil" in words_of(page)


@pytest.mark.feature("A8.6")
def test_a_role_is_changed_by_head_office_with_the_branch(pages: Pages, office: Office) -> None:
    page = chosen(pages, office, "ravi", "Role and branch", by="dinshaw")
    ravi = office.id("ravi")
    assert page.selectbox(f"employee_branch_to_{ravi}").value == FORT
    press(page, "Change role")
    assert "Everything is as it was" in page.error[0].value
    page.selectbox(f"employee_branch_to_{ravi}").set_value(BANER)
    press(page, "Change role")
    assert office.row("ravi").branch_id == office.row("lata").branch_id


@pytest.mark.feature("A8.8")
def test_password_and_device_are_reset(pages: Pages, office: Office) -> None:
    page = press(chosen(pages, office, "ravi", "Password and device"), "Reset device")
    assert "was forgotten" in page.success[0].value
    assert "Reset device" not in [button.label for button in page.button]
    press(page, "Reset password")
    assert "A link is on its way to ravi" in page.success[0].value
    assert "velvet" not in words_of(page)
    press(page, "Send another link")
    assert len([mail for mail in office.mails("ravi") if mail.purpose == "activation"]) == 2


@pytest.mark.feature("A8.5", "B41")
def test_the_wizard_removes_an_employee(pages: Pages, office: Office, desks: Desks) -> None:
    ravi = office.id("ravi")
    desks.drawers.add(ravi)
    desks.papers[ravi] = 1
    page = chosen(pages, office, "ravi", "Remove")
    assert "drawer is open" in page.warning[0].value
    assert "Go on" not in [button.label for button in page.button]
    desks.drawers.clear()
    page.run()
    press(page, "Go on")
    assert "Choose a colleague" in page.error[0].value
    [colleague] = [box for box in page.selectbox if box.label == "Who takes over"]
    assert "Asha Kulkarni (Cashier)" in colleague.options
    colleague.set_value(office.id("asha")).run()
    press(page, "Go on")
    assert page.error[0].value == "**Why they leave:** Choose a reason."
    assert "is never active again" in words_of(page)
    [why] = [box for box in page.selectbox if box.label == "Why they leave"]
    assert why.options[:2] == ["Resigned", "Retired"]
    why.set_value("retired").run()
    press(page, "Go on")
    assert "Say why" in page.error[0].value
    [reason] = [box for box in page.text_input if box.label == "Reason"]
    reason.set_value("Moves to another town")
    press(page, "Go on")
    assert r"Asha Kulkarni \(Cashier\)" in words_of(page)
    assert r"Retired: Moves to another town" in words_of(page).replace("\\", "")
    press(page, "Change")
    press(page, "Go on")
    press(page, "Remove employee")
    assert "cannot sign in any more" in page.success[0].value
    assert desks.papers == {office.id("asha"): 1}
    assert office.row("ravi").status is UserStatus.REMOVED
    page.toggle("employees_with_removed").set_value(True).run()
    assert "Removed" in words_of(page)


@pytest.mark.feature("A8.8")
def test_a_grant_is_given_and_ended(pages: Pages, office: Office) -> None:
    page = chosen(pages, office, "ravi", "Named grants")
    ravi = office.id("ravi")
    press(page, "Give grant")
    assert page.error[0].value.startswith("**Reason:**")
    page.text_input(f"grant_new_reason_{ravi}").set_value("Covers for Meera")
    press(page, "Give grant")
    assert "was given the grant" in page.success[0].value
    said = words_of(page)
    assert "16 Mar 2026 to further notice" in said
    assert "In force" in said
    [why] = [box for box in page.text_input if box.label == "Reason to end it"]
    why.set_value("Meera is back")
    press(page, "End grant")
    assert "further notice" not in words_of(page)


@pytest.mark.feature("A14.3")
def test_an_auditor_reads_and_changes_nothing(pages: Pages, office: Office) -> None:
    page = chosen(pages, office, "ravi", by="sunita")
    reads = ["Details", "Absence", "Limits", "Own accounts", "History", "Work"]
    assert page.segmented_control[0].options == reads
    assert "Add an employee" not in [button.label for button in page.button]


@pytest.mark.feature("A14.3")
def test_nobody_else_opens_them(pages: Pages, office: Office) -> None:
    for file in (EMPLOYEES, USERS):
        page = pages.open(office.desk("ravi"), file)
        assert [title.value for title in page.title] == ["Not available"]


@pytest.mark.feature("A8.5")
def test_a_click_on_who_is_gone_does_nothing(pages: Pages, office: Office) -> None:
    """A colleague has removed them between the drawing and the click."""
    page = chosen(pages, office, "ravi", "Password and device")
    people.change_user(office.bank, office.people["ravi"], status=UserStatus.REMOVED)
    page.button(f"employee_password_{office.id('ravi')}").click().run()
    assert not page.exception
    assert not office.mails("ravi")


# Users.


@pytest.mark.feature("A8.8")
def test_a_user_is_locked_and_unlocked(pages: Pages, office: Office) -> None:
    asha = people.customer(office.bank)
    page = pages.open(office.desk("meera"), USERS)
    page.text_input("users_searched").set_value(asha.username).run()
    assert len(page.dataframe[0].value) == 1
    page.session_state["users_chosen"] = str(asha.id)
    page.run()
    press(page, "Lock user")
    assert page.error[0].value.startswith("**Reason:**")
    page.text_input(f"user_reason_{asha.id}").set_value("Asked for at the counter")
    press(page, "Lock user")
    assert page.success[0].value == r"Asha Rao was locked\."
    assert users.user(office.desk("meera"), asha.id).state == "locked"
    page.text_input(f"user_reason_{asha.id}").set_value("Came with an identity card")
    press(page, "Unlock user")
    assert users.user(office.desk("meera"), asha.id).state == "active"
    assert "Came with an identity card" in words_of(page)


@pytest.mark.feature("A8.8")
def test_users_are_filtered_and_walked(
    pages: Pages, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(users, "ROWS_ON_A_PAGE", 3)
    staff.reset_password(office.desk("meera"), office.id("ravi"))
    page = pages.open(office.desk("meera"), USERS)
    assert len(page.dataframe[0].value) == 3
    page.button("users_more").click().run()
    page.button("users_more").click().run()
    assert len(page.dataframe[0].value) == 1
    assert page.button("users_more").disabled
    page.selectbox("users_state").set_value(users.State.INVITED).run()
    assert "Ravi Patil" in words_of(page)
    assert page.button("users_back").disabled
    page.selectbox("users_kind").set_value(users.Kind.CUSTOMERS).run()
    assert "Nobody fits" in words_of(page)


@pytest.mark.feature("A14.3")
def test_who_is_not_in_hand_has_no_button(pages: Pages, office: Office) -> None:
    page = pages.open(office.desk("meera"), USERS)
    page.session_state["users_chosen"] = str(office.id("sunita"))
    page.run()
    assert not [button for button in page.button if "ock user" in button.label]


@pytest.mark.feature("B4", "A8.4")
def test_a_new_employee_waits_for_a_second_person(pages: Pages, asking_office: Office) -> None:
    office = asking_office
    page = press(pages.open(office.desk("meera"), EMPLOYEES), "Add an employee")
    page.text_input("employee_new_name").set_value("Kiran Bhat")
    page.text_input("employee_new_email").set_value("kiran@bank.example")
    page.text_input("employee_new_username").set_value("kiran")
    press(page, "Add employee")
    assert "Waits for approval by" in words_of(page)
    assert any("New employee Kiran Bhat" in each.value.replace("\\", "") for each in page.info), (
        "it stands on the list, too"
    )
    assert not [c for c in staff_list.employees(office.desk("meera")) if c.username == "kiran"]
    [row] = approval_cards.to_decide(office.desk("dinshaw"))
    assert row.about == "Kiran Bhat (kiran)"
    approvals.approve(office.desk("dinshaw"), row.id)
    [card] = [c for c in staff_list.employees(office.desk("meera")) if c.username == "kiran"]
    office.people["kiran"] = people.Somebody(card.id, "kiran")
    [mail] = office.mails("kiran")
    assert "token=" in mail.body
    page = pages.open(office.desk("meera"), EMPLOYEES)
    assert not page.info, "nothing waits any more"


@pytest.mark.feature("B4", "A8.6")
@pytest.mark.parametrize(
    ("todo", "button", "title"),
    [
        ("Edit", "Save changes", "Change of name or mail address"),
        ("Role and branch", "Change role", "Change of role or branch"),
        ("Named grants", "Give grant", "Named grant"),
        ("Password and device", "Reset password", "New link to choose a password"),
        ("Password and device", "Reset device", "Reset of a device for codes"),
    ],
)
def test_a_change_waits_on_the_record_itself(
    pages: Pages, asking_office: Office, todo: str, button: str, title: str
) -> None:
    office = asking_office
    ravi = office.id("ravi")
    page = chosen(pages, office, "ravi", todo)
    if todo == "Edit":
        page.text_input(f"employee_email_{ravi}").set_value("elsewhere@example.com")
    elif todo == "Role and branch":
        page.selectbox(f"employee_role_to_{ravi}").set_value("banker")
    elif todo == "Named grants":
        page.text_input(f"grant_new_reason_{ravi}").set_value("Meera is away")
    before = office.row("ravi")
    press(page, button)
    said = [each.value.replace("\\", "") for each in page.info]
    assert any(each.startswith(f"{title}, asked for by Ravi Kumar") for each in said), said
    after = office.row("ravi")
    for name in ("email", "role", "password_hash", "totp_secret"):
        assert getattr(after, name) == getattr(before, name)
    [row] = approval_cards.to_decide(office.desk("dinshaw"))
    approvals.approve(office.desk("dinshaw"), row.id)
    assert not chosen(pages, office, "ravi").info


@pytest.mark.feature("A8.6", "B4")
def test_one_admin_alone_takes_over_no_account(asking_office: Office) -> None:
    """The mail address, then the password: each waits, and their own hand cannot let it through."""
    office, meera = asking_office, asking_office.desk("meera")
    for ask in (
        lambda: staff.edit_employee(meera, office.id("ravi"), "Ravi", "mine@example.com"),
        lambda: staff.reset_password(meera, office.id("ravi")),
    ):
        with pytest.raises(AwaitingApproval) as waits:
            ask()
        with pytest.raises(OwnApproval):
            approvals.approve(meera, waits.value.approval_id)
    assert office.row("ravi").email == "ravi@bank.example"
    assert office.mails("ravi") == []


@pytest.mark.feature("A8.3")
def test_of_two_with_one_name_the_chosen_one_is_meant(pages: Pages, sqlite_office: Office) -> None:
    """Two cashiers called Ravi Kumar: the choice is the person, not the line of text."""
    for who in ("asha", "ravi"):
        page = chosen(pages, sqlite_office, who)
        for _ in range(2):
            assert re.search(rf"User name\s+{who}", words_of(page))
            page.run()


@pytest.mark.feature("B41")
def test_an_absence_is_recorded_and_ended(pages: Pages, office: Office, desks: Desks) -> None:
    desks.papers[office.id("ravi")] = 2
    page = chosen(pages, office, "ravi", "Absence")
    press(page, "Record absence")
    assert "Choose the last day they are away" in page.error[0].value
    key = f"absence_new_{office.id('ravi')}"
    today = office.bank.clock.business_date()
    page.date_input(f"{key}_last").set_value(today + timedelta(days=4))
    page.selectbox(f"{key}_colleague").set_value(office.id("asha"))
    press(page, "Record absence")
    assert "Reason" in page.error[0].value
    assert page.selectbox(f"{key}_colleague").value == office.id("asha"), "what was chosen stays"
    page.text_input(f"{key}_reason").set_value("Flu")
    press(page, "Record absence")
    said = words_of(page)
    assert "Ravi Patil is recorded as away" in said
    assert "Taken over by Asha Kulkarni" in said
    assert "Away 1" in said
    assert desks.papers == {office.id("asha"): 2}
    [why] = [each for each in page.text_input if each.label == "Reason to end it"]
    why.set_value("Well again")
    press(page, "They are here")
    said = words_of(page)
    assert "The absence is ended" in said
    assert "Away 0" in said


@pytest.mark.feature("B41")
def test_a_drawer_stands_against_an_absence(pages: Pages, office: Office, desks: Desks) -> None:
    desks.drawers.add(office.id("ravi"))
    page = chosen(pages, office, "ravi", "Absence")
    assert "Their drawer is open" in words_of(page)
    key = f"absence_new_{office.id('ravi')}"
    page.date_input(f"{key}_last").set_value(office.bank.clock.business_date())
    page.text_input(f"{key}_reason").set_value("Flu")
    press(page, "Record absence")
    assert "Their drawer is open" in page.error[0].value
    assert page.text_input(f"{key}_reason").value == "Flu"
