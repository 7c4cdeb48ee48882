"""Users: who may sign in, as what, and with which proof.

active --locked--> locked --unlocked--> active
   '------removed----'----> removed (for good; the history stays)
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, String, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column

from bank.core import checkers
from bank.core.approvals import AwaitingApproval
from bank.core.checked import About, Checked, Given
from bank.core.db import Base
from bank.core.desk import Desk, Tx, command, flow
from bank.core.errors import BadInput, NotFound, WrongState
from bank.core.ids import new_password
from bank.core.permissions import STAFF, WHOLE_BANK, Permission, Role
from bank.core.secrets import Secret
from bank.core.states import machine
from bank.core.work_rights import Employee
from bank.people import branches, passwords
from bank.people.fields import LONGEST_EMAIL, LONGEST_NAME, clean_email, clean_name

SYSTEM_USER_ID: Final = 1  # made by the migration; cannot sign in
USERNAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{2,31}")


class UserStatus(StrEnum):
    """Whether somebody may sign in."""

    ACTIVE = "active"
    LOCKED = "locked"
    REMOVED = "removed"


MOVES: Final = machine(
    "user",
    {
        UserStatus.ACTIVE: {UserStatus.LOCKED, UserStatus.REMOVED},
        UserStatus.LOCKED: {UserStatus.ACTIVE, UserStatus.REMOVED},
    },
)


class UsernameTaken(WrongState):
    """This user name is taken. Choose another one."""


class NoSuchUser(NotFound):
    """There is no such user. Check the user name and try again."""


class User(Base):
    """Somebody who acts in the bank: an employee, a customer in the portal, or the system.

    `totp_secret` and `totp_pending` are encrypted with the bank's key. The first is in use; the
    second has been shown as a QR code and waits for its first right code. `totp_last_step` is the
    last thirty seconds whose code was accepted, so that each works once. A transaction password
    that was set without the old one confirms nothing until `payments_rest_until`.
    """

    __tablename__ = "users"
    __table_args__ = (
        Index("ix_users_role", "role", "branch_id"),  # who could decide, among all the customers
        CheckConstraint("username = lower(username)", name="username_lower"),
        CheckConstraint("(role = 'customer') = (customer_id IS NOT NULL)", name="customer_known"),
        CheckConstraint(
            "branch_id IS NOT NULL OR role IN ('auditor', 'super_admin', 'system')",
            name="branch_known",
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(32), unique=True)
    role: Mapped[Role]
    branch_id: Mapped[int | None] = mapped_column(ForeignKey("branches.id"), index=True)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"), unique=True)
    name: Mapped[str] = mapped_column(String(LONGEST_NAME))
    email: Mapped[str | None] = mapped_column(String(LONGEST_EMAIL))
    status: Mapped[UserStatus]
    password_hash: Mapped[str | None] = mapped_column(String(60))
    must_change_password: Mapped[bool]
    transaction_password_hash: Mapped[str | None] = mapped_column(String(60))
    totp_secret: Mapped[str | None] = mapped_column(String(250))
    totp_pending: Mapped[str | None] = mapped_column(String(250))
    totp_last_step: Mapped[int]
    payments_rest_until: Mapped[datetime | None]
    created_at: Mapped[datetime]

    @hybrid_property
    def active(self) -> bool:
        """Whether this person may sign in at all."""
        return self.status is UserStatus.ACTIVE

    @active.inplace.expression
    @classmethod
    def _active(cls) -> ColumnElement[bool]:
        return cls.status == UserStatus.ACTIVE


@dataclass(frozen=True, kw_only=True)
class NewAccess:
    """What is handed over once: the user name and the temporary password.

    While a second person has not agreed, `waits` says so and there is no user yet.
    """

    user_id: int | None
    username: str
    temporary_password: Secret
    waits: AwaitingApproval | None = None


def clean_username(text: str) -> str:
    """The user name in lower case, or BadInput(username)."""
    username = text.strip().lower()
    if not USERNAME.fullmatch(username):
        raise BadInput(
            "A user name has 3 to 32 letters, digits, dots, dashes or underscores.",
            field="username",
        )
    return username


def user_by_id(tx: Tx, user_id: int) -> User:
    """The user, or NoSuchUser."""
    user = tx.session.get(User, user_id)
    if user is None:
        raise NoSuchUser
    return user


def held_user(tx: Tx, user_id: int) -> User:
    """The user as they are now, held until the transaction ends; rows may still refer to them.

    Whoever holds several things of a person takes them in this order, or two of their clicks could
    wait for each other for ever: user, tries, codes, sessions.
    """
    user = tx.session.get(
        User, user_id, with_for_update={"key_share": True}, populate_existing=True
    )
    if user is None:
        raise NoSuchUser
    return user


def user_by_name(tx: Tx, username: str) -> User | None:
    """The user with this name, however it was typed, or None; also for what can be no name."""
    name = username.strip().lower()
    if not USERNAME.fullmatch(name):
        return None
    return tx.session.scalar(select(User).where(User.username == name))


@checkers.know_staff_by
def colleagues(tx: Tx, roles: Collection[Role], branch_id: int | None) -> Sequence[Employee]:
    """The active employees with one of these roles who work at this branch or see the whole bank,
    by name."""
    rows = tx.connection.execute(
        select(User.id, User.name, User.role, User.branch_id)
        .where(
            User.active,
            User.role.in_(roles),
            or_(User.branch_id == branch_id, User.role.in_(WHOLE_BANK)),
        )
        .order_by(User.name, User.id)
    )
    return [Employee(**row._mapping) for row in rows]


def _about_staff(tx: Tx, given: Given) -> About:
    ifsc = given["ifsc"]
    branch_id = branches.branch_by_ifsc(tx, ifsc, field="branch").id if ifsc else None
    return About(kind=given["role"], branch_id=branch_id)


@flow(Permission.STAFF_ADD)
def add_staff(
    desk: Desk, username: str, name: str, email: str, role: Role, ifsc: str | None = None
) -> NewAccess:
    """Add an employee, with a temporary password that the first sign-in replaces.

    Every employee belongs to a branch, except auditors and super admins, who may. Who is asked for
    waits for a second person; the temporary password of the first asking is the one that counts.
    """
    password = Secret(new_password())
    hashed = Secret(passwords.hash_password(password))
    try:
        user_id, kept_name = record_staff(desk, username, name, email, role, ifsc, hashed)
    except AwaitingApproval as waits:
        if not waits.is_new:
            raise
        kept_name = clean_username(username)
        return NewAccess(user_id=None, username=kept_name, temporary_password=password, waits=waits)
    return NewAccess(user_id=user_id, username=kept_name, temporary_password=password)


@command(
    Permission.STAFF_ADD,
    checked=Checked(
        about=_about_staff,
        ends=(UsernameTaken, branches.NoSuchBranch),
        sealed=frozenset({"password_hash"}),
        system_may_begin=True,
    ),
)
def record_staff(
    tx: Tx,
    username: str,
    name: str,
    email: str,
    role: Role,
    ifsc: str | None,
    password_hash: Secret,
) -> tuple[int, str]:
    """Write down a new employee whose temporary password has been hashed.

    Answers id and name.
    """
    if role not in STAFF:
        raise BadInput("Choose one of the roles of employees.", field="role")
    if not ifsc and role not in WHOLE_BANK:
        raise BadInput("An employee with this role works at a branch.", field="branch")
    address = clean_email(email)
    if address is None:
        raise BadInput("An employee needs a mail address.", field="email")
    user = add_user_row(
        tx,
        username=username,
        name=name,
        email=address,
        role=role,
        branch_id=branches.branch_by_ifsc(tx, ifsc, field="branch").id if ifsc else None,
        password_hash=password_hash.reveal(),
    )
    tx.concerns("user", user.id)
    tx.changed(None, facts_of(user))
    return user.id, user.username


def add_user_row(
    tx: Tx,
    *,
    username: str,
    name: str,
    email: str | None,
    role: Role,
    branch_id: int | None,
    password_hash: str | None,
    customer_id: int | None = None,
    must_change_password: bool = True,
    transaction_password_hash: str | None = None,
    totp_secret: Secret | None = None,
) -> User:
    """Make the row of a new user in this transaction (also for the demo).

    Raises BadInput, or UsernameTaken.
    """
    user = User(
        username=clean_username(username),
        role=role,
        branch_id=branch_id,
        customer_id=customer_id,
        name=clean_name(name),
        email=email,
        status=UserStatus.ACTIVE,
        password_hash=password_hash,
        must_change_password=must_change_password,
        transaction_password_hash=transaction_password_hash,
        totp_secret=totp_secret and tx.bank.keyring.encrypt("totp", totp_secret.reveal()),
        totp_last_step=0,
        created_at=tx.now,
    )
    if user_by_name(tx, user.username) is not None:
        raise UsernameTaken(field="username")
    tx.session.add(user)
    try:
        tx.session.flush()
    except IntegrityError:  # somebody else took the name between the look and the write
        raise UsernameTaken(field="username") from None
    return user


def facts_of(user: User) -> dict[str, object]:
    """What the trail keeps of a user: no password, no key."""
    return {
        "username": user.username,
        "name": user.name,
        "email": user.email,
        "role": user.role.value,
        "branch_id": user.branch_id,
        "customer_id": user.customer_id,
        "status": user.status.value,
    }
