"""Employees as their admin changes them: added, edited, moved, given a new password or device.

Each waits for a second person by dated rule (data/seed/staff_approval_rules.csv), who is never the
employee: whoever could change a mail address and reset a password alone would own the account.
Whoever is changed reads about it in a mail; what opens a door (a link) goes to them alone.
"""

from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import ColumnElement, func, select

from bank.core import checkers, objections, outbox
from bank.core.checked import About, Checked, Given
from bank.core.checkers import Interest
from bank.core.desk import Tx, command
from bank.core.errors import BadInput, NotAllowed, WrongState
from bank.core.objections import Question
from bank.core.permissions import STAFF, WHOLE_BANK, Permission, Role
from bank.core.work_rights import Employee
from bank.people import activations, backup_codes, branches, customer_links, named_grants, sessions
from bank.people.fields import clean_email, clean_name
from bank.people.identity import (
    NoSuchUser,
    User,
    UsernameTaken,
    UserStatus,
    add_user_row,
    facts_of,
    held_user,
)
from bank.people.staff_list import MANAGED_BY, NoSuchEmployee

ADMINS: Final = frozenset({Role.SUPER_ADMIN, Role.BRANCH_ADMIN})


class NotYourself(NotAllowed):
    """This is about yourself. A colleague or head office does it for you."""


class HeadOfficeOnly(NotAllowed):
    """Head office does this: admins and auditors are not in a branch's hands."""


class LastAdmin(WrongState):
    """Nobody else has this role here and can sign in. Add another one first."""


class EmployeeGone(WrongState):
    """This employee was removed. Their history stays, and nothing about them changes any more."""


class NoDevice(WrongState):
    """There is no device to forget. The next sign-in sets one up."""


class NothingChanged(BadInput):
    """Everything is as it was. Change something, or leave it."""


HEAD_OFFICE_DECIDES: Final = (Role.SUPER_ADMIN, Role.AUDITOR, Role.BRANCH_ADMIN)


def about_employee(tx: Tx, given: Given) -> About:
    """For the rules: the role, the branch and the person that a change is about."""
    user = tx.session.get(User, given["user_id"])
    if user is None:
        return About()  # the command says that there is nobody
    return About(
        kind=_weightier(user.role, given.get("role")),
        branch_id=user.branch_id,
        accounts=(_party(user.id),),
    )


def _about_newcomer(tx: Tx, given: Given) -> About:
    ifsc = given["ifsc"]
    branch_id = branches.branch_by_ifsc(tx, ifsc, field="branch").id if ifsc else None
    return About(kind=given["role"], branch_id=branch_id)


@checkers.interested_parties("the employee")
def employees_concerned(
    _tx: Tx, accounts: Collection[str], employees: Sequence[Employee]
) -> Sequence[Interest]:
    """Nobody decides about themselves."""
    return [
        Interest(one.id, _party(one.id), "the person it is about")
        for one in employees
        if _party(one.id) in accounts
    ]


OF_NO_USE: Final = (NoSuchEmployee, EmployeeGone, HeadOfficeOnly)
CHANGE: Final = Checked(about=about_employee, ends=(*OF_NO_USE, NothingChanged, NoDevice))


@command(
    Permission.STAFF_MANAGE,
    checked=Checked(
        about=_about_newcomer,
        ends=(
            *(UsernameTaken, branches.NoSuchBranch, HeadOfficeOnly),
            *(customer_links.NoSuchNumber, customer_links.LinkedAlready),
        ),
    ),
)
def add_employee(
    tx: Tx,
    username: str,
    name: str,
    email: str,
    role: Role,
    ifsc: str | None = None,
    customer_number: str = "",
) -> int:
    """Add an employee, who alone is sent the link to choose a password.

    `customer_number` is theirs where they bank here, too. Answers their id.
    """
    user = add_user_row(
        tx,
        username=username,
        name=name,
        email=_address(email),
        role=_assignable(tx, role),
        branch_id=_place(tx, role, ifsc),
        password_hash=None,
        must_change_password=False,
    )
    activations.send_link(
        tx,
        user,
        subject="Your access to the bank",
        telling="You have been added as an employee of the bank.",
    )
    after = facts_of(user)
    if customer_number.strip():
        customer_links.add_link(tx, user.id, customer_number)
        after["customer"] = customer_links.numbers_of(tx, user.id)
    tx.concerns("user", user.id)
    tx.changed(None, after)
    return user.id


@command(Permission.STAFF_MANAGE, checked=CHANGE)
def edit_employee(tx: Tx, user_id: int, name: str, email: str) -> None:
    """Change an employee's name and mail address; both addresses are told."""
    user = managed(tx, user_id)
    before, old_address = facts_of(user), user.email
    user.name, user.email = clean_name(name), _address(email)
    _changed(tx, user, before)
    if old_address != user.email:
        activations.void_links(tx, user.id)  # one that went to the old address
        for address in filter(None, (old_address, user.email)):
            _tell(tx, user, address, "Your mail address at the bank was changed.")


@command(Permission.STAFF_MANAGE, checked=CHANGE)
def change_role(tx: Tx, user_id: int, role: Role, ifsc: str | None = None) -> None:
    """Give an employee another role or branch, with effect on their next click."""
    user = managed(tx, user_id)
    before = facts_of(user)
    place = _place(tx, _assignable(tx, role), ifsc)
    if (user.role, user.branch_id) == (role, place):
        raise NothingChanged(field="role")
    refuse_the_last(tx, user)
    objections.check(tx, Question.EMPLOYEE_LEAVES, user.id)
    if user.branch_id != place:  # they were given for the branch that is left
        tx.facts["grants_ended"] = named_grants.end_all(tx, user.id, "Moved to another branch")
    else:
        held = [row.named for row in named_grants.open_grants(tx, user.id)]
        named_grants.refuse_conflicts(tx, role, held)
    # Their next role may not even see it, and nobody else could claim it.
    tx.facts["put_back"] = objections.put_back(tx, user.id, f"{user.name} has another post now")
    user.role, user.branch_id = role, place
    _changed(tx, user, before)
    if user.email:
        _tell(tx, user, user.email, "Your role or your branch at the bank was changed.")


@command(Permission.STAFF_MANAGE, checked=CHANGE)
def reset_password(tx: Tx, user_id: int) -> None:
    """Void an employee's password, end their sessions, and mail them alone a link to a new one."""
    user = managed(tx, user_id)
    _check_active(user)
    had_password = user.password_hash is not None
    user.password_hash, user.must_change_password = None, False
    activations.send_link(
        tx,
        user,
        subject="Choose a new password",
        telling=(
            f"{tx.desk.name} has reset your password. The old one no longer works."
            if had_password
            else "Here is a new link. The one before no longer works."
        ),
    )
    sessions.end_sessions(tx, user.id, because="password_reset")
    tx.concerns("user", user.id)
    _now(tx, user, "password", "set" if had_password else "none", "to be chosen")


@command(Permission.STAFF_MANAGE, checked=CHANGE)
def reset_device(tx: Tx, user_id: int) -> None:
    """Forget an employee's device for codes; the next sign-in sets up another one."""
    user = managed(tx, user_id)
    _check_active(user)
    if user.totp_secret is None:
        raise NoDevice
    user.totp_secret, user.totp_pending, user.totp_last_step = None, None, 0
    backup_codes.void(tx, user.id)
    sessions.end_sessions(tx, user.id, because="device_reset")
    tx.concerns("user", user.id)
    _now(tx, user, "device", "set up", "to be set up")
    activations.tell(
        tx,
        user,
        f"{tx.desk.name} has reset your device for codes. Your next sign-in sets up another one.",
    )


def managed(tx: Tx, user_id: int, colleague_id: int | None = None) -> User:
    """The employee, held until the transaction ends, if this desk has them in hand.

    Raises NoSuchEmployee, EmployeeGone, NotYourself, or HeadOfficeOnly. Of an admin all peers are
    held, too: two who remove each other must not both be the last but one. They and the colleague
    who takes over are held first and in one order, or two clicks could wait for each other.
    """
    user = tx.session.get(User, user_id)
    if user is None or not _in_scope(tx, user):
        raise NoSuchEmployee
    held: ColumnElement[bool] = User.id.in_([user_id, colleague_id or user_id])
    if user.role in ADMINS:
        held |= (User.role == user.role) & (User.status == UserStatus.ACTIVE)
    tx.session.execute(
        select(User.id).where(held).order_by(User.id).with_for_update(key_share=True)
    )
    try:
        user = held_user(tx, user_id)
    except NoSuchUser:
        raise NoSuchEmployee from None
    if not _in_scope(tx, user):
        raise NoSuchEmployee
    if user.status is UserStatus.REMOVED:
        raise EmployeeGone
    if user.id == tx.desk.user_id:
        raise NotYourself
    if user.role not in MANAGED_BY.get(tx.desk.role, frozenset()):
        raise HeadOfficeOnly
    return user


def refuse_the_last(tx: Tx, user: User) -> None:
    """Raise LastAdmin when nobody else could do what this admin does.

    Whoever has not chosen a password yet does not count: they could not sign in.
    """
    if user.role not in ADMINS or not user.active:
        return
    others = select(func.count()).where(
        User.role == user.role,
        User.status == UserStatus.ACTIVE,
        User.password_hash.is_not(None),
        User.id != user.id,
    )
    if user.role is Role.BRANCH_ADMIN:
        others = others.where(User.branch_id == user.branch_id)
    if not tx.session.scalar(others):
        raise LastAdmin


def _party(user_id: int) -> str:
    """An employee among what an approval touches, beside the numbers of accounts."""
    return f"user {user_id}"


def _weightier(now: Role, then: Role | None) -> str:
    """Of the role somebody has and the one they shall have, the one that head office decides."""
    both = {now, then or now}
    return next((role for role in HEAD_OFFICE_DECIDES if role in both), now).value


def _in_scope(tx: Tx, user: User) -> bool:
    mine = tx.desk.sees_whole_bank or user.branch_id == tx.desk.branch_id
    return user.role in STAFF and mine


def _check_active(user: User) -> None:
    if not user.active:
        raise WrongState("This employee is locked. Unlock them first.")


def _assignable(tx: Tx, role: Role) -> Role:
    """The role, if it is one of employees and this desk may give it."""
    may_give: Collection[Role] = MANAGED_BY.get(tx.desk.role, frozenset())
    if role not in STAFF:
        raise BadInput("Choose one of the roles of employees.", field="role")
    if role not in may_give:
        raise HeadOfficeOnly
    return role


def _place(tx: Tx, role: Role, ifsc: str | None) -> int | None:
    """The id of the branch where somebody with this role shall work; a branch admin's is theirs."""
    branch_id = tx.desk.branch_id if not tx.desk.sees_whole_bank else None
    if ifsc:
        branch_id = branches.branch_by_ifsc(tx, ifsc, field="branch").id
    if not tx.desk.sees_whole_bank and branch_id != tx.desk.branch_id:
        raise branches.NoSuchBranch
    if branch_id is None and role not in WHOLE_BANK:
        raise BadInput("An employee with this role works at a branch.", field="branch")
    return branch_id


def _address(email: str) -> str:
    address = clean_email(email)
    if address is None:
        raise BadInput("An employee needs a mail address.", field="email")
    return address


def _changed(tx: Tx, user: User, before: dict[str, object]) -> None:
    after = facts_of(user)
    if after == before:
        raise NothingChanged(field="name")
    tx.session.flush()
    tx.concerns("user", user.id)
    tx.changed(before, after)


def _now(tx: Tx, user: User, what: str, before: str, after: str) -> None:
    """One thing of somebody has changed; the checker of it is to see whose."""
    whose = {"name": user.name, "username": user.username}
    tx.changed({**whose, what: before}, {**whose, what: after})


def _tell(tx: Tx, user: User, address: str, what: str) -> None:
    outbox.queue_mail(
        tx,
        to=address,
        subject="A change to your data at the bank",
        body=f"Hello {user.name},\n\n{what} If this is a surprise, call your branch at once.\n",
        purpose="security",
        user_id=user.id,
    )
