"""Employees in their admin's hands: who is seen, added, edited, moved, reset; and who may not."""

import re
from typing import Any

import pytest

from bank.core.approvals import AwaitingApproval
from bank.core.audit import Outcome
from bank.core.desk import Bank, looking
from bank.core.errors import BadInput, BankError, NotAllowed, WrongState
from bank.core.objections import Objected
from bank.core.permissions import GRANTS, Permission, Role
from bank.core.secrets import Secret
from bank.office import approval_cards, approvals
from bank.people import activations, limits, sessions, sign_in, staff, staff_list
from bank.people.activations import ActivationVoid
from bank.people.attempts import SignInRefused, SignInStatus
from bank.people.branches import NoSuchBranch
from bank.people.identity import UsernameTaken, UserStatus
from bank.people.limits import LimitKind, LooserThanTheRule, NotAtACounter
from bank.people.passwords import PasswordTooShort
from bank.people.staff import HeadOfficeOnly, LastAdmin, NothingChanged, NotYourself
from bank.people.staff_list import NoSuchEmployee
from tests.support import people
from tests.support.office import BANER, FORT, Desks, Office
from tests.support.people import Somebody

NEW = "velvet anchor, five birds"


def link(office: Office, who: str) -> Secret:
    """The token of the newest link that was mailed to somebody."""
    bodies = [mail.body for mail in office.mails(who) if mail.purpose == "activation"]
    found = re.search(r"token=(\S+)", bodies[-1])
    assert found is not None
    return Secret(found[1])


def add(office: Office, by: str = "meera", **facts: Any) -> int:
    """A new cashier at Fort, but for `facts`."""
    given: dict[str, Any] = {
        "username": "kiran",
        "name": "Kiran Bhat",
        "email": "kiran@bank.example",
        "role": Role.CASHIER,
        "ifsc": None,
    }
    user_id = staff.add_employee(office.desk(by), **(given | facts))
    office.people[str(given["username"])] = Somebody(user_id, str((given | facts)["username"]))
    return user_id


# Seeing them.


@pytest.mark.feature("A8.3", "A8.8")
def test_an_admin_sees_the_employees_of_their_branch(office: Office, desks: Desks) -> None:
    people.signed_in(office.bank, office.people["ravi"])
    desks.drawers.add(office.id("ravi"))
    desks.papers[office.id("asha")] = 3
    desks.asked = 0
    seen = {card.username: card for card in staff_list.employees(office.desk("meera"))}
    assert desks.asked == 2, "a list asks each floor once, not once per row"
    assert set(seen) == {"ravi", "asha", "bina", "meera", "dinshaw", "zarin", "sunita"}
    ravi, asha = seen["ravi"], seen["asha"]
    assert (ravi.role, ravi.branch, ravi.state) == (Role.CASHIER, "Branch 001", "active")
    assert (ravi.open_sessions, ravi.has_device) == (1, True)
    assert ravi.last_sign_in_at is not None
    assert (ravi.against, ravi.items) == (["Their drawer is open."], 0)
    assert (asha.in_hand, asha.items, asha.against) == ({"paper": 3}, 3, [])
    assert (asha.open_sessions, asha.last_sign_in_at) == (0, None)
    assert ravi.may_change
    assert not seen["meera"].may_change, "nobody has themselves in hand"
    assert not seen["sunita"].may_change, "an auditor is head office's"


@pytest.mark.feature("A8.3")
def test_head_office_and_auditors_see_the_whole_bank(office: Office) -> None:
    for who in ("dinshaw", "sunita"):
        assert len(staff_list.employees(office.desk(who))) == 9
    assert not any(card.may_change for card in staff_list.employees(office.desk("sunita")))


def test_another_branchs_employee_does_not_exist(office: Office) -> None:
    for look in (staff_list.employee, staff_list.employee_history):
        with pytest.raises(NoSuchEmployee):
            look(office.desk("meera"), office.id("lata"))
        with pytest.raises(NoSuchEmployee):
            look(office.desk("meera"), 99_999)
    assert staff_list.employee(office.desk("omar"), office.id("lata")).name == "Ravi Kumar"


def test_a_customer_is_no_employee(office: Office) -> None:
    asha = people.customer(office.bank)
    with pytest.raises(NoSuchEmployee):
        staff_list.employee(office.desk("dinshaw"), asha.id)
    with pytest.raises(NoSuchEmployee):
        staff.reset_password(office.desk("dinshaw"), asha.id)


def test_somebody_with_too_many_wrong_tries_is_locked_out(office: Office) -> None:
    for _ in range(5):
        with pytest.raises(SignInRefused):
            people.enter_password(office.bank, office.people["ravi"], "not this one at all")
    card = staff_list.employee(office.desk("meera"), office.id("ravi"))
    assert (card.state, card.status) == ("locked out", UserStatus.ACTIVE)


# Adding one.


@pytest.mark.feature("A8.4")
def test_a_new_employee_chooses_a_password_by_a_link_that_only_they_get(office: Office) -> None:
    user_id = add(office)
    kiran = office.people["kiran"]
    desk = office.desk("meera")
    assert staff_list.employee(desk, user_id).state == "invited"
    assert staff_list.employee(desk, user_id).is_invited
    with pytest.raises(SignInRefused):
        people.enter_password(office.bank, kiran)
    [mail] = office.mails("kiran")
    assert (mail.recipient, mail.confidential) == ("kiran@bank.example", True)
    token = link(office, "kiran")
    guest = people.guest(office.bank)
    assert activations.invitation(guest, token).name == "Kiran Bhat"
    assert activations.activate(guest, token, Secret(NEW)) == "kiran"
    step = people.enter_password(office.bank, kiran, NEW)
    assert step.due is SignInStatus.SET_UP_DUE, "the device comes with the first sign-in"
    assert staff_list.employee(desk, user_id).state == "active"
    for again in (lambda: activations.invitation(guest, token), lambda: _choose(office, token)):
        with pytest.raises(ActivationVoid):
            again()
    assert token.reveal() not in str(
        people.trail(office.bank, "people.staff.add_employee")
        + people.trail(office.bank, "people.activations.activate")
    )


def _choose(office: Office, token: Secret, new: str = NEW) -> str:
    return activations.activate(people.guest(office.bank), token, Secret(new))


@pytest.mark.feature("A8.4")
def test_a_link_ends_in_time_and_with_its_person(office: Office) -> None:
    add(office)
    token = link(office, "kiran")
    with pytest.raises(PasswordTooShort):
        _choose(office, token, "short")
    people.change_user(office.bank, office.people["kiran"], status=UserStatus.LOCKED)
    with pytest.raises(ActivationVoid):
        _choose(office, token)
    people.change_user(office.bank, office.people["kiran"], status=UserStatus.ACTIVE)
    people.later(office.bank, hours=48)
    with pytest.raises(ActivationVoid):
        _choose(office, token)
    staff.reset_password(office.desk("meera"), office.id("kiran"))
    with pytest.raises(ActivationVoid):
        _choose(office, token)
    assert _choose(office, link(office, "kiran")) == "kiran"


def test_a_link_nobody_has_sent_is_void(sqlite_office: Office) -> None:
    with pytest.raises(ActivationVoid):
        _choose(sqlite_office, Secret("made up"))


@pytest.mark.feature("A13.4")
@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"username": "no"}, "username"),
        ({"name": ""}, "name"),
        ({"email": ""}, "email"),
        ({"email": "nobody"}, "email"),
        ({"role": Role.CUSTOMER}, "role"),
        ({"ifsc": "nonsense"}, "branch"),
    ],
)
def test_each_field_of_a_new_employee_is_checked(
    sqlite_office: Office, facts: dict[str, Any], field: str
) -> None:
    with pytest.raises(BadInput) as refused:
        add(sqlite_office, **facts)
    assert refused.value.field == field
    assert people.count(sqlite_office.bank, "users") == 10


@pytest.mark.feature("A8.4", "B8")
def test_where_and_as_what_an_admin_may_add(office: Office) -> None:
    for role in (Role.BRANCH_ADMIN, Role.AUDITOR, Role.SUPER_ADMIN):
        with pytest.raises(HeadOfficeOnly):
            add(office, role=role)
    with pytest.raises(NoSuchBranch):
        add(office, ifsc=BANER)
    with pytest.raises(UsernameTaken):
        add(office, username="Ravi")
    with pytest.raises(BadInput) as refused:
        add(office, by="dinshaw")
    assert refused.value.field == "branch"
    assert add(office, by="dinshaw", role=Role.BRANCH_ADMIN, ifsc=BANER)


# Changing one.


@pytest.mark.feature("A8.6", "B5")
def test_an_edit_is_kept_with_before_and_after(office: Office) -> None:
    desk = office.desk("meera")
    staff.edit_employee(desk, office.id("ravi"), "Ravi K. Kumar", "rk@bank.example")
    card = staff_list.employee(desk, office.id("ravi"))
    assert (card.name, card.email) == ("Ravi K. Kumar", "rk@bank.example")
    [line, *_] = staff_list.employee_history(desk, office.id("ravi"))
    assert ("name", "Ravi Kumar", "Ravi K. Kumar") in line.changes
    assert ("email", "ravi@bank.example", "rk@bank.example") in line.changes
    assert (line.by, line.outcome) == ("Ravi Kumar", Outcome.DONE)
    told = {mail.recipient for mail in office.mails("ravi")}
    assert told == {"ravi@bank.example", "rk@bank.example"}, "the old address hears of the new one"


@pytest.mark.parametrize(
    ("name", "email", "field"),
    [("", "a@b.example", "name"), ("Ravi", "", "email"), ("Ravi", "x", "email")],
)
def test_an_edit_checks_its_fields(
    sqlite_office: Office, name: str, email: str, field: str
) -> None:
    with pytest.raises(BadInput) as refused:
        staff.edit_employee(sqlite_office.desk("meera"), sqlite_office.id("ravi"), name, email)
    assert refused.value.field == field


def test_an_edit_that_changes_nothing_says_so(sqlite_office: Office) -> None:
    ravi = sqlite_office.row("ravi")
    with pytest.raises(NothingChanged):
        staff.edit_employee(sqlite_office.desk("meera"), ravi.id, ravi.name, str(ravi.email))
    with pytest.raises(NothingChanged):
        staff.change_role(sqlite_office.desk("meera"), ravi.id, Role.CASHIER)


def test_a_link_to_the_old_address_is_void(office: Office) -> None:
    add(office)
    token = link(office, "kiran")
    staff.edit_employee(office.desk("meera"), office.id("kiran"), "Kiran", "k2@bank.example")
    with pytest.raises(ActivationVoid):
        _choose(office, token)


@pytest.mark.feature("A8.6", "A8.8")
def test_a_changed_role_counts_on_the_next_click(office: Office) -> None:
    sid = people.signed_in(office.bank, office.people["ravi"])
    staff.change_role(office.desk("meera"), office.id("ravi"), Role.REVIEWER)
    desk = sessions.desk_for(office.bank, sid)
    assert desk is not None
    assert desk.role is Role.REVIEWER
    assert not desk.may(Permission.CASH_POST)


@pytest.mark.feature("A8.6")
def test_head_office_moves_people_between_branches(office: Office, desks: Desks) -> None:
    head = office.desk("dinshaw")
    desks.drawers.add(office.id("ravi"))
    with pytest.raises(Objected, match="Their drawer is open"):
        staff.change_role(head, office.id("ravi"), Role.CASHIER, BANER)
    desks.drawers.clear()
    staff.change_role(head, office.id("ravi"), Role.CASHIER, BANER)
    assert office.row("ravi").branch_id == office.row("lata").branch_id
    with pytest.raises(NoSuchEmployee):
        staff_list.employee(office.desk("meera"), office.id("ravi"))
    with pytest.raises(NoSuchBranch):
        staff.change_role(office.desk("omar"), office.id("ravi"), Role.CASHIER, FORT)
    with pytest.raises(HeadOfficeOnly):
        staff.change_role(office.desk("omar"), office.id("ravi"), Role.BRANCH_ADMIN)


@pytest.mark.feature("A8.1")
def test_the_last_admin_keeps_the_role(office: Office) -> None:
    head = office.desk("dinshaw")
    with pytest.raises(LastAdmin):
        staff.change_role(head, office.id("meera"), Role.BANKER, FORT)
    add(office, by="dinshaw", role=Role.BRANCH_ADMIN, ifsc=FORT)
    with pytest.raises(LastAdmin):  # Kiran has not come in yet
        staff.change_role(head, office.id("meera"), Role.BANKER, FORT)
    _choose(office, link(office, "kiran"))
    staff.change_role(head, office.id("meera"), Role.BANKER, FORT)
    assert office.row("meera").role is Role.BANKER


# Proofs.


@pytest.mark.feature("A8.8")
def test_a_reset_password_is_void_at_once_and_the_link_goes_to_its_person(office: Office) -> None:
    sid = people.signed_in(office.bank, office.people["ravi"])
    staff.reset_password(office.desk("meera"), office.id("ravi"))
    assert sessions.desk_for(office.bank, sid) is None
    with pytest.raises(SignInRefused):
        people.enter_password(office.bank, office.people["ravi"])
    assert office.mails("ravi")[-1].recipient == "ravi@bank.example"
    assert not office.mails("meera")
    _choose(office, link(office, "ravi"))
    step = people.enter_password(office.bank, office.people["ravi"], NEW)
    assert step.due is SignInStatus.CODE_DUE, "the device is still the same"
    assert "was chosen" in office.mails("ravi")[-1].body


@pytest.mark.feature("A8.8")
def test_a_reset_device_is_set_up_again_at_the_next_sign_in(office: Office) -> None:
    sid = people.signed_in(office.bank, office.people["ravi"])
    staff.reset_device(office.desk("meera"), office.id("ravi"))
    assert sessions.desk_for(office.bank, sid) is None
    step = people.enter_password(office.bank, office.people["ravi"])
    assert step.due is SignInStatus.SET_UP_DUE
    key = sign_in.device_offer(people.guest(office.bank), step.token).key
    assert key != office.people["ravi"].key
    with pytest.raises(WrongState, match="no device"):
        staff.reset_device(office.desk("meera"), office.id("ravi"))
    assert "reset your device" in office.mails("ravi")[0].body


# Who may not.

CHANGES: Any = {
    "edit": lambda desk, user: staff.edit_employee(desk, user, "Another", "a@bank.example"),
    "role": lambda desk, user: staff.change_role(desk, user, Role.BANKER, FORT),
    "password": lambda desk, user: staff.reset_password(desk, user),
    "device": lambda desk, user: staff.reset_device(desk, user),
}


@pytest.mark.feature("A8.6", "B8")
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    ("by", "whom", "refusal"),
    [
        ("meera", "lata", NoSuchEmployee),
        ("meera", "meera", NotYourself),
        ("meera", "sunita", HeadOfficeOnly),
        ("meera", "dinshaw", HeadOfficeOnly),
        ("dinshaw", "dinshaw", NotYourself),
        ("ravi", "asha", NotAllowed),
        ("sunita", "asha", NotAllowed),
    ],
)
def test_whom_somebody_may_not_change(
    sqlite_office: Office, change: str, by: str, whom: str, refusal: type[BankError]
) -> None:
    before = sqlite_office.row(whom)
    with pytest.raises(refusal):
        CHANGES[change](sqlite_office.desk(by), sqlite_office.id(whom))
    after = sqlite_office.row(whom)
    assert (before.name, before.role, before.password_hash, before.totp_secret) == (
        *(after.name, after.role, after.password_hash, after.totp_secret),
    )


@pytest.mark.feature("A8.6")
@pytest.mark.parametrize("change", CHANGES)
def test_a_locked_or_removed_employee(sqlite_office: Office, change: str) -> None:
    ravi = sqlite_office.people["ravi"]
    people.change_user(sqlite_office.bank, ravi, status=UserStatus.REMOVED)
    with pytest.raises(staff.EmployeeGone):
        CHANGES[change](sqlite_office.desk("meera"), ravi.id)
    people.change_user(sqlite_office.bank, ravi, status=UserStatus.LOCKED)
    if change in {"password", "device"}:
        with pytest.raises(WrongState, match="Unlock"):
            CHANGES[change](sqlite_office.desk("meera"), ravi.id)
    else:
        CHANGES[change](sqlite_office.desk("meera"), ravi.id)


@pytest.mark.parametrize("role", list(Role))
def test_who_manages_employees(sqlite_office: Office, sqlite_bank: Bank, role: Role) -> None:
    managers = {Role.BRANCH_ADMIN, Role.SUPER_ADMIN}
    assert (Permission.STAFF_MANAGE in GRANTS[role]) is (role in managers)
    assert (Permission.STAFF_ADD in GRANTS[role]) is (role is Role.SYSTEM), (
        "a temporary password that somebody else has seen is for the first employee only"
    )


# With limits from the first day on.


@pytest.mark.feature("A8.4", "B4")
def test_a_cashier_is_added_with_limits_that_count_from_the_first_slip(office: Office) -> None:
    user_id = add(office, pay_out_minor=50_000_00, take_in_minor=2_00_000_00)
    cards = limits.limits_of(office.desk("meera"), user_id)
    today = office.bank.clock.business_date()
    assert [(card.own_minor, card.steps[0].effective_from) for card in cards] == [
        (50_000_00, today),
        (2_00_000_00, today),
    ]
    with looking(office.desk("meera")) as tx:
        found = limits.limit_today(tx, user_id, LimitKind.PAY_OUT)
    assert found is not None
    assert found.above_minor == 50_000_00
    last = staff_list.employee_history(office.desk("meera"), user_id)[0]
    assert ("pays out alone", "", "up to ₹ 50,000.00") in last.changes
    told = [mail.body for mail in office.mails("kiran") if mail.purpose == "limit"]
    assert "pay out above ₹ 50,000.00" in told[0]


@pytest.mark.feature("A8.4", "B4")
@pytest.mark.parametrize(
    ("facts", "refusal", "field"),
    [
        ({"pay_out_minor": 5_00_000_01}, LooserThanTheRule, "pays out"),
        ({"take_in_minor": 10_00_000_01}, LooserThanTheRule, "takes in"),
        ({"pay_out_minor": 0}, BadInput, "pays out"),
        ({"take_in_minor": -1}, BadInput, "takes in"),
        ({"pay_out_minor": 1_00, "role": Role.BANKER}, NotAtACounter, None),
    ],
)
def test_limits_of_a_newcomer_are_checked_and_nobody_is_added(
    office: Office, facts: dict[str, Any], refusal: type[BankError], field: str | None
) -> None:
    with pytest.raises(refusal) as refused:
        add(office, **facts)
    assert getattr(refused.value, "field", None) == field
    assert "kiran" not in {each.username for each in staff_list.employees(office.desk("meera"))}
    add(office, pay_out_minor=5_00_000_00, take_in_minor=10_00_000_00)  # the rule itself


@pytest.mark.feature("A8.4", "B4")
def test_one_approval_holds_role_and_limits(asking_office: Office) -> None:
    office = asking_office
    with pytest.raises(AwaitingApproval) as waits:
        add(office, pay_out_minor=50_000_00)
    card = approval_cards.approval_card(office.desk("dinshaw"), waits.value.approval_id)
    assert card.asked["pay out"] == "₹ 50,000.00"
    assert ("pays out alone", "", "up to ₹ 50,000.00") in card.changes
    approvals.approve(office.desk("dinshaw"), waits.value.approval_id)
    [kiran] = [
        each for each in staff_list.employees(office.desk("meera")) if each.username == "kiran"
    ]
    [out, taken] = limits.limits_of(office.desk("meera"), kiran.id)
    assert (out.own_minor, taken.own_minor) == (50_000_00, None)
    assert out.counts_minor == 50_000_00
