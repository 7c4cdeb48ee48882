"""Employees: added with a temporary password that nobody keeps, each with their own name."""

from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from bank import app
from bank.core.desk import Bank, Desk, chunk, looking
from bank.core.errors import BadInput, NotAllowed
from bank.core.permissions import GRANTS, Permission, Role
from bank.core.secrets import Secret
from bank.office import approval_cards, approvals
from bank.people import identity, sign_in
from bank.people.attempts import SignInRefused, SignInStatus
from bank.people.branches import NoSuchBranch
from bank.people.identity import SYSTEM_USER_ID, User, UsernameTaken, UserStatus
from tests.support import people
from tests.support.bank import desk
from tests.support.people import OUR_IFSC, Somebody

pytestmark = [pytest.mark.usefixtures("cheap_bcrypt"), pytest.mark.feature("A1.6", "A1.13")]


def console_and_chief(bank: Bank) -> tuple[Desk, Desk]:
    """The command line, which asks, and somebody of head office, who agrees."""
    chief = people.employee(bank, Role.SUPER_ADMIN, "chief")
    return app.system_desk(bank), desk(bank, Role.SUPER_ADMIN, user_id=chief.id, name="Chief")


def approved(desk: Desk) -> int:
    """What waits is agreed to; answers the id of the newest user."""
    [row] = approval_cards.to_decide(desk)
    approvals.approve(desk, row.id)
    with looking(desk) as tx:
        return tx.session.scalars(select(User.id).order_by(User.id.desc())).first() or 0


def test_a_new_employee_signs_in_with_what_was_handed_over(bank: Bank) -> None:
    console, chief = console_and_chief(bank)
    made = identity.add_staff(
        console, " Meera.S ", "Meera Shah", "meera@bank.example", Role.BANKER, OUR_IFSC
    )
    assert made.username == "meera.s"
    assert repr(made.temporary_password) == "***"
    assert made.user_id is None, "one person alone makes nobody an employee"
    meera = Somebody(0, made.username, made.temporary_password.reveal())
    with pytest.raises(SignInRefused):
        people.enter_password(bank, meera)
    meera = replace(meera, id=approved(chief))
    step = people.enter_password(bank, meera)
    assert step.due is SignInStatus.SET_UP_DUE
    key = sign_in.device_offer(people.guest(bank), step.token).key
    step = sign_in.enter_code(people.guest(bank), step.token, people.device_code(bank, key))
    assert step.due is SignInStatus.PASSWORD_DUE, "a temporary password opens no session"


@pytest.mark.feature("A1.15", "A9.1")
def test_the_trail_knows_who_was_added_and_no_password(bank: Bank) -> None:
    console, chief = console_and_chief(bank)
    made = identity.add_staff(console, "meera", "Meera", "m@bank.example", Role.BANKER, OUR_IFSC)
    user_id = approved(chief)
    asked, done = people.trail(bank, "people.identity.record_staff")
    assert asked[:3] == ("waiting", "approval", "1")
    assert done[:3] == ("done", "user", str(user_id))
    assert '"checker":"Chief"' in done[3]
    for row in (asked, done):
        assert made.temporary_password.reveal() not in str(row)
        assert "$2b$" not in str(row)


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.SUPER_ADMIN])
def test_auditors_and_super_admins_need_no_branch(bank: Bank, role: Role) -> None:
    office = desk(bank, Role.SYSTEM)
    made = identity.add_staff(office, "meera", "Meera", "meera@bank.example", role)
    assert made.user_id > SYSTEM_USER_ID


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"username": "no"}, "username"),
        ({"username": "-dash"}, "username"),
        ({"username": "with blank"}, "username"),
        ({"username": "мира"}, "username"),
        ({"username": "x" * 33}, "username"),
        ({"name": ""}, "name"),
        ({"email": ""}, "email"),
        ({"email": "nobody"}, "email"),
        ({"email": "a@b.example\nBcc: c@d.example"}, "email"),
        ({"role": Role.CUSTOMER}, "role"),
        ({"role": Role.SYSTEM}, "role"),
        ({"role": Role.GUEST}, "role"),
        ({"ifsc": None}, "branch"),
        ({"ifsc": "nonsense"}, "branch"),
    ],
)
def test_each_field_is_checked(sqlite_bank: Bank, facts: dict[str, object], field: str) -> None:
    people.branch_id(sqlite_bank)
    given: dict[str, object] = {
        "username": "meera",
        "name": "Meera",
        "email": "meera@bank.example",
        "role": Role.CASHIER,
        "ifsc": OUR_IFSC,
    }
    with pytest.raises(BadInput) as refused:
        identity.add_staff(desk(sqlite_bank, Role.SYSTEM), **(given | facts))  # type: ignore[arg-type]
    assert refused.value.field == field
    assert people.count(sqlite_bank, "users") == 1


def test_a_branch_that_does_not_exist_is_not_found(sqlite_bank: Bank) -> None:
    office = desk(sqlite_bank, Role.SYSTEM)
    with pytest.raises(NoSuchBranch):
        identity.add_staff(office, "meera", "Meera", "m@b.example", Role.CASHIER, "BANK0999999")


def test_a_name_is_taken_in_any_case(bank: Bank) -> None:
    people.employee(bank)
    office = desk(bank, Role.SYSTEM)
    with pytest.raises(UsernameTaken):
        identity.add_staff(office, "RAVI", "Ravi", "r@bank.example", Role.CASHIER, OUR_IFSC)
    with pytest.raises(UsernameTaken):
        identity.add_staff(office, "System", "Ravi", "r@bank.example", Role.AUDITOR)


@pytest.mark.parametrize(
    "facts",
    [
        {"username": "Capital"},
        {"role": Role.CUSTOMER},
        {"role": Role.CASHIER, "branch_id": None},
        {"username": "ravi"},
    ],
)
def test_the_database_refuses_what_the_code_would_not_write(
    bank: Bank, facts: dict[str, object]
) -> None:
    ravi = people.employee(bank)
    given: dict[str, object] = {
        "username": "meera",
        "role": Role.CASHIER,
        "branch_id": people.branch_id(bank),
        "name": "Meera",
        "status": UserStatus.ACTIVE,
        "must_change_password": False,
        "totp_last_step": 0,
        "created_at": bank.clock.now(),
    }

    def write() -> None:
        with chunk(desk(bank, Role.SYSTEM), "test.write") as tx:
            tx.session.add(User(**(given | facts)))
            tx.session.flush()

    with pytest.raises(IntegrityError):
        write()
    assert ravi.id > SYSTEM_USER_ID


def test_the_bank_itself_cannot_sign_in(bank: Bank) -> None:
    with pytest.raises(SignInRefused):
        people.enter_password(bank, Somebody(SYSTEM_USER_ID, "system", ""))


@pytest.mark.parametrize("role", list(Role))
def test_who_adds_employees(sqlite_bank: Bank, role: Role) -> None:
    at = desk(sqlite_bank, role)
    given = (at, "meera", "Meera", "meera@bank.example", Role.AUDITOR, None)
    if Permission.STAFF_ADD in GRANTS[role]:
        made = identity.add_staff(*given)
        assert made.username == "meera"
        # The bank's own command line adds the first ones, while there is nobody who could agree.
        assert (made.waits is None) is (role is Role.SYSTEM)
        assert people.count(sqlite_bank, "users") == (2 if role is Role.SYSTEM else 1)
    else:
        with pytest.raises(NotAllowed):
            identity.add_staff(*given)
        with pytest.raises(NotAllowed):
            identity.record_staff(*given, Secret("a hash"))
