"""Everybody who may sign in, staff and customers: what they were last seen doing; lock and unlock.

Pages are walked by key (name, id), fifty at a time: a bank has many customers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, tuple_

from bank.core import objections, outbox
from bank.core.desk import Tx, command, query
from bank.core.errors import NotFound, WrongState
from bank.core.permissions import STAFF, Permission, Role
from bank.core.states import move
from bank.people import activations, sessions, tries
from bank.people.branches import Branch
from bank.people.customers import Customer
from bank.people.fields import clean_text
from bank.people.identity import MOVES, User, UserStatus, held_user
from bank.people.sessions import Session, SessionStatus
from bank.people.sign_ins import SignIn, SignInStatus
from bank.people.staff import managed, refuse_the_last
from bank.people.staff_list import HistoryLine, history_of, may_change, scope, state_of
from bank.people.tries import Guarded, Tries

ROWS_ON_A_PAGE: Final = 50
LONGEST_REASON: Final = 200


class Kind(StrEnum):
    """Which users are looked for."""

    ALL = "all"
    EMPLOYEES = "employees"
    CUSTOMERS = "customers"


class State(StrEnum):
    """How a user stands, as a list can be filtered by it."""

    ACTIVE = "active"
    INVITED = "invited"
    LOCKED_OUT = "locked out"
    LOCKED = "locked"
    REMOVED = "removed"


class NoSuchUserHere(NotFound):
    """There is no such user at your branch. Choose one from the list."""


class NothingToUnlock(WrongState):
    """This user is not locked. Reload the page and look again."""


@dataclass(frozen=True, kw_only=True)
class UserCard:
    """A user and what they were last seen doing. `state` is one of State's words."""

    id: int
    username: str
    name: str
    role: Role
    branch: str
    state: str
    is_signed_in: bool
    last_sign_in_at: datetime | None
    last_seen_at: datetime | None
    may_lock: bool


@dataclass(frozen=True, kw_only=True)
class UserPage:
    """One page. `after` is the id to continue from, None on the last page."""

    users: Sequence[UserCard]
    after: int | None


@query(Permission.USER_VIEW)
def users(
    tx: Tx,
    searched: str = "",
    kind: Kind = Kind.ALL,
    state: State | None = None,
    after: int | None = None,
) -> UserPage:
    """List users of one's branch by name with their activity; search by name, user name, number."""
    tx.looked_at("users", "list")
    conditions = [User.role != Role.SYSTEM, *scope(tx), *_fitting(tx, searched, kind, state)]
    if after is not None:
        last = tx.session.get(User, after)
        if last is None:
            raise NoSuchUserHere
        conditions.append(tuple_(User.name, User.id) > tuple_(last.name, last.id))
    found = select(User.id).outerjoin(Tries, _door()).where(*conditions)
    ids = tx.session.scalars(found.order_by(User.name, User.id).limit(ROWS_ON_A_PAGE + 1)).all()
    kept = ids[:ROWS_ON_A_PAGE]
    return UserPage(users=_cards(tx, kept), after=kept[-1] if len(ids) > ROWS_ON_A_PAGE else None)


@query(Permission.USER_VIEW)
def user(tx: Tx, user_id: int) -> UserCard:
    """Show one user of one's branch with their activity."""
    tx.looked_at("user", user_id)
    return _seen(tx, user_id)


@query(Permission.USER_VIEW)
def user_history(tx: Tx, user_id: int, newest: int = 20) -> Sequence[HistoryLine]:
    """Read from the trail what was done about one user, newest first; sign-ins left out."""
    tx.looked_at("user", user_id)
    _seen(tx, user_id)
    return history_of(tx, user_id, newest)


@command(Permission.USER_LOCK)
def lock_user(tx: Tx, user_id: int, reason: str) -> None:
    """Lock an employee or a customer: their sessions end, and they cannot sign in."""
    why = clean_text(reason, field="reason", longest=LONGEST_REASON)
    row = _in_hand(tx, user_id)
    refuse_the_last(tx, row)
    before = row.status
    move(row, UserStatus.LOCKED, MOVES)
    sessions.end_sessions(tx, row.id, because="locked")
    tx.concerns("user", row.id)
    tx.changed({"status": before.value}, {"status": row.status.value})
    tx.facts.update(
        reason=why, put_back=objections.put_back(tx, row.id, f"{row.name} cannot sign in now")
    )
    activations.tell(tx, row, "The bank has locked your access. Your branch knows more.")


@command(Permission.USER_LOCK)
def unlock_user(tx: Tx, user_id: int, reason: str) -> None:
    """Unlock an employee or a customer, also one who tried a wrong password too often."""
    why = clean_text(reason, field="reason", longest=LONGEST_REASON)
    row = _in_hand(tx, user_id)
    locked_out = tx.session.scalars(
        select(Tries.what).where(Tries.user_id == row.id, Tries.locked_until > tx.now)
    ).all()
    if row.active and not locked_out:
        raise NothingToUnlock
    before = row.status
    if not row.active:
        move(row, UserStatus.ACTIVE, MOVES)
    for what in Guarded:
        tries.forget(tx, row.id, what)
    tx.concerns("user", row.id)
    tx.changed(
        {"status": before.value, "tries": "used up" if locked_out else None},
        {"status": row.status.value, "tries": None},
    )
    tx.facts["reason"] = why
    activations.tell(tx, row, "Your access to the bank was unlocked.")


def _fitting(tx: Tx, searched: str, kind: Kind, state: State | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if text := searched.strip():
        numbered = select(Customer.id).where(Customer.number == text)
        conditions.append(
            or_(
                User.name.icontains(text, autoescape=True),
                User.username.startswith(text.lower(), autoescape=True),
                User.customer_id.in_(numbered),
            )
        )
    if kind is Kind.EMPLOYEES:
        conditions.append(User.role.in_(STAFF))
    elif kind is Kind.CUSTOMERS:
        conditions.append(User.role == Role.CUSTOMER)
    out = and_(Tries.locked_until.is_not(None), Tries.locked_until > tx.now)
    able = and_(User.status == UserStatus.ACTIVE, User.password_hash.is_not(None))
    meaning: dict[State, ColumnElement[bool]] = {
        State.LOCKED: User.status == UserStatus.LOCKED,
        State.REMOVED: User.status == UserStatus.REMOVED,
        State.INVITED: and_(User.status == UserStatus.ACTIVE, User.password_hash.is_(None)),
        State.LOCKED_OUT: and_(able, out),
        State.ACTIVE: and_(able, or_(Tries.locked_until.is_(None), Tries.locked_until <= tx.now)),
    }
    return conditions if state is None else [*conditions, meaning[state]]


def _door() -> ColumnElement[bool]:
    return and_(Tries.user_id == User.id, Tries.what == Guarded.SIGN_IN)


def _cards(tx: Tx, ids: Sequence[int]) -> list[UserCard]:
    last_sign_in = (
        select(SignIn.at)
        .where(SignIn.user_id == User.id, SignIn.status == SignInStatus.OPENED)
        .order_by(SignIn.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    last_seen = (
        select(func.max(Session.last_seen_at)).where(Session.user_id == User.id).scalar_subquery()
    )
    signed_in = exists().where(
        Session.user_id == User.id,
        Session.status != SessionStatus.ENDED,
        Session.expires_at > tx.now,
    )
    rows = tx.session.execute(
        select(User, Branch.name, Tries.locked_until, last_sign_in, last_seen, signed_in)
        .outerjoin(Branch, Branch.id == User.branch_id)
        .outerjoin(Tries, _door())
        .where(User.id.in_(ids))
        .order_by(User.name, User.id)
    )
    return [
        UserCard(
            id=row.id,
            username=row.username,
            name=row.name,
            role=row.role,
            branch=branch or "",
            state=state_of(row, locked_until, tx.now),
            is_signed_in=row.active and is_in,
            last_sign_in_at=last,
            last_seen_at=seen,
            may_lock=_may_lock(tx, row),
        )
        for row, branch, locked_until, last, seen, is_in in rows
    ]


def _may_lock(tx: Tx, row: User) -> bool:
    if not tx.desk.may(Permission.USER_LOCK) or row.status is UserStatus.REMOVED:
        return False
    return row.role is Role.CUSTOMER or may_change(tx, row)


def _seen(tx: Tx, user_id: int) -> UserCard:
    wanted = select(User.id).where(User.id == user_id, User.role != Role.SYSTEM, *scope(tx))
    if tx.session.scalar(wanted) is None:
        raise NoSuchUserHere
    [card] = _cards(tx, [user_id])
    return card


def _in_hand(tx: Tx, user_id: int) -> User:
    """The user, held until the transaction ends: a customer of the branch, or an employee one
    has in hand."""
    role = tx.session.scalar(select(User.role).where(User.id == user_id, *scope(tx)))
    if role is None or role is Role.SYSTEM:
        raise NoSuchUserHere
    return managed(tx, user_id) if role in STAFF else held_user(tx, user_id)


def mail_auditors_of_opened_book(tx: Tx, sentence: str) -> None:
    """Tell every auditor that days they may have audited can be booked on again."""
    wanted = select(User).where(User.role == Role.AUDITOR, User.active, User.email.is_not(None))
    for auditor in tx.session.scalars(wanted.order_by(User.id)):
        outbox.queue_mail(
            tx,
            to=auditor.email or "",
            subject="The book was opened again",
            body=f"Hello {auditor.name},\n\n{sentence}\n",
            purpose="book",
            user_id=auditor.id,
        )
