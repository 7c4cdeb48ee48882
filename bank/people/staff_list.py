"""The employees of a branch: how they stand, what they have in hand, what was done about them.

A list asks each table once, whoever is in it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, exists, func, select

from bank.core import objections, sights
from bank.core.audit import Outcome, TrailRecord
from bank.core.desk import CATALOGUE, Tx, query
from bank.core.errors import NotFound
from bank.core.objections import Question
from bank.core.permissions import STAFF, NamedGrant, Permission, Role
from bank.people import named_grants
from bank.people.activations import Activation, ActivationStatus
from bank.people.branches import Branch
from bank.people.identity import User, UserStatus
from bank.people.sessions import Session, SessionStatus
from bank.people.sign_ins import SignIn, SignInStatus
from bank.people.tries import Guarded, Tries

# Whom each role may change. Head office has the admins in hand, and everybody else, too.
MANAGED_BY: Final[dict[Role, frozenset[Role]]] = {
    Role.BRANCH_ADMIN: frozenset({Role.CASHIER, Role.BANKER, Role.EXECUTIVE, Role.REVIEWER}),
    Role.SUPER_ADMIN: STAFF,
}


class NoSuchEmployee(NotFound):
    """There is no such employee at your branch. Choose one from the list."""


@dataclass(frozen=True, kw_only=True)
class EmployeeCard:
    """An employee as an admin sees them.

    `state` is a word: active, invited (no password chosen yet), locked out (too many wrong tries),
    locked, removed. `in_hand` is how many of what they hold, `against` why they could not leave.
    """

    id: int
    username: str
    name: str
    email: str | None
    role: Role
    branch_id: int | None
    branch: str
    status: UserStatus
    state: str
    is_invited: bool
    has_device: bool
    last_sign_in_at: datetime | None
    open_sessions: int
    added_at: datetime
    grants: Sequence[NamedGrant]
    in_hand: Mapping[str, int]
    against: Sequence[str]
    may_change: bool

    @property
    def items(self) -> int:
        """How many things of any kind are in hand."""
        return sum(self.in_hand.values())


@dataclass(frozen=True, kw_only=True)
class HistoryLine:
    """Something that was done about a user; `changes` holds field, before and after."""

    id: int
    at: datetime
    sentence: str
    by: str
    outcome: Outcome
    changes: Sequence[tuple[str, str, str]]
    reason: str


@query(Permission.STAFF_VIEW)
def employees(tx: Tx, with_removed: bool = False) -> Sequence[EmployeeCard]:
    """List the employees of one's branch, or of the whole bank for who sees it, by name."""
    conditions = [User.role.in_(STAFF), *scope(tx)]
    if not with_removed:
        conditions.append(User.status != UserStatus.REMOVED)
    return _cards(tx, conditions)


@query(Permission.STAFF_VIEW)
def employee(tx: Tx, user_id: int) -> EmployeeCard:
    """Show one employee of one's branch."""
    found = _cards(tx, [User.id == user_id, User.role.in_(STAFF), *scope(tx)])
    if not found:
        raise NoSuchEmployee
    return found[0]


@query(Permission.STAFF_VIEW)
def employee_history(tx: Tx, user_id: int, newest: int = 50) -> Sequence[HistoryLine]:
    """Read from the trail what was done about one employee, newest first; sign-ins left out."""
    employee_in_sight(tx, user_id)
    return history_of(tx, user_id, newest)


def employee_in_sight(tx: Tx, user_id: int) -> None:
    """Raise NoSuchEmployee unless this is an employee whom the desk may look at."""
    wanted = select(User.id).where(User.id == user_id, User.role.in_(STAFF), *scope(tx))
    if tx.session.scalar(wanted) is None:
        raise NoSuchEmployee


def history_of(tx: Tx, user_id: int, newest: int) -> Sequence[HistoryLine]:
    """What the trail says was done about a user."""
    rows = tx.session.scalars(
        select(TrailRecord)
        .where(
            TrailRecord.object_kind == "user",
            TrailRecord.object_id == str(user_id),
            TrailRecord.verb.not_like("people.sign_in.%"),
            TrailRecord.outcome != Outcome.READ,
        )
        .order_by(TrailRecord.id.desc())
        .limit(newest)
    )
    return [_line(row) for row in rows]


def scope(tx: Tx) -> list[ColumnElement[bool]]:
    """Whose rows this desk sees: one's own branch, or all."""
    return [] if tx.desk.sees_whole_bank else [User.branch_id == tx.desk.branch_id]


@sights.seen_by("user")
def _user_read(tx: Tx, user_id: str) -> sights.Record | None:
    if not (tx.desk.may(Permission.STAFF_VIEW) or tx.desk.may(Permission.USER_VIEW)):
        return None
    found = tx.connection.scalar(select(User.id).where(User.id == int(user_id), *scope(tx)))
    return None if found is None else sights.Record()


def may_change(tx: Tx, user: User) -> bool:
    """Whether this desk has this employee in hand. Nobody has themselves."""
    return (
        user.role in MANAGED_BY.get(tx.desk.role, frozenset())
        and user.id != tx.desk.user_id
        and user.status is not UserStatus.REMOVED
    )


def _cards(tx: Tx, conditions: Sequence[ColumnElement[bool]]) -> list[EmployeeCard]:
    last_sign_in = (
        select(SignIn.at)
        .where(SignIn.user_id == User.id, SignIn.status == SignInStatus.OPENED)
        .order_by(SignIn.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    sessions = (
        select(func.count())
        .where(
            Session.user_id == User.id,
            Session.status != SessionStatus.ENDED,
            Session.expires_at > tx.now,
        )
        .scalar_subquery()
    )
    invited = exists().where(
        Activation.user_id == User.id,
        Activation.status == ActivationStatus.LIVE,
        Activation.expires_at > tx.now,
    )
    rows = tx.session.execute(
        select(User, Branch.name, last_sign_in, sessions, invited, Tries.locked_until)
        .outerjoin(Branch, Branch.id == User.branch_id)
        .outerjoin(Tries, and_(Tries.user_id == User.id, Tries.what == Guarded.SIGN_IN))
        .where(*conditions)
        .order_by(User.name, User.id)
    ).all()
    ids = [row[0].id for row in rows]
    grants = named_grants.held_by(tx, ids)
    in_hand = objections.held(tx, ids)
    against = objections.objections(tx, Question.EMPLOYEE_LEAVES, ids)
    return [
        EmployeeCard(
            id=user.id,
            username=user.username,
            name=user.name,
            email=user.email,
            role=user.role,
            branch_id=user.branch_id,
            branch=branch or "",
            status=user.status,
            state=state_of(user, locked_until, tx.now),
            is_invited=is_invited,
            has_device=user.totp_secret is not None,
            last_sign_in_at=last,
            open_sessions=count if user.active else 0,
            added_at=user.created_at,
            grants=grants.get(user.id, []),
            in_hand=in_hand.get(user.id, {}),
            against=against.get(user.id, []),
            may_change=may_change(tx, user),
        )
        for user, branch, last, count, is_invited, locked_until in rows
    ]


def state_of(user: User, locked_until: datetime | None, now: datetime) -> str:
    """How a user stands, in a word."""
    if user.status is not UserStatus.ACTIVE:
        return user.status.value
    if user.password_hash is None:
        return "invited"
    return "locked out" if locked_until is not None and locked_until > now else "active"


def _line(row: TrailRecord) -> HistoryLine:
    known = CATALOGUE.get(row.verb)
    before: dict[str, Any] = json.loads(row.before or "{}")
    after: dict[str, Any] = json.loads(row.after or "{}")
    return HistoryLine(
        id=row.id,
        at=row.at,
        sentence=known.sentence if known else row.verb,
        by=row.actor_name,
        outcome=Outcome(row.outcome),
        changes=[
            (name, _text(before.get(name)), _text(after.get(name)))
            for name in dict.fromkeys([*before, *after])
            if before.get(name) != after.get(name)
        ],
        reason=row.refusal or str(json.loads(row.details).get("reason", "")),
    )


def _text(value: object) -> str:
    return "" if value is None else str(value)
