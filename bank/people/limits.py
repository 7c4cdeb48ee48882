"""Limits of one employee: above them a cash payment waits for a second person, although the bank's
rule would let it pass.

A limit counts from a business date until a later row; a row without an amount ends it. It is never
looser than the rule for all. Who decides above it is whom the rule names (core/approval_rules).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from sqlalchemy import Select, select

from bank.core import dated
from bank.core.checked import Checked
from bank.core.dated import Standing
from bank.core.desk import Tx, command, query
from bank.core.errors import BadInput
from bank.core.permissions import STAFF, Permission, Role
from bank.people import limit_rows
from bank.people.fields import clean_text
from bank.people.identity import User
from bank.people.limit_rows import (
    LONGEST_REASON,
    WORDS,
    EmployeeLimit,
    LimitKind,
    LooserThanTheRule,
    NotAtACounter,
    check_amount,
    in_words,
    is_at_counter,
    limit_today,
    rule_minor,
)
from bank.people.staff import OF_NO_USE, about_employee, managed
from bank.people.staff_list import NoSuchEmployee, scope

__all__ = [
    "LONGEST_REASON",
    "WORDS",
    "BeginsInThePast",
    "EmployeeLimit",
    "EmployeeLimitCard",
    "LimitKind",
    "LimitStep",
    "LooserThanTheRule",
    "NotAtACounter",
    "NothingChanged",
    "is_at_counter",
    "limit_today",
    "limits_of",
    "rule_minor",
    "rules_for",
    "set_limit",
]


class BeginsInThePast(BadInput):
    """A limit begins today or later. Choose another first day."""


class NothingChanged(BadInput):
    """This counts on that day already. Choose another limit, or leave it."""


@dataclass(frozen=True, kw_only=True)
class LimitStep:
    """One limit that was set, of an employee or a branch; without an amount the bank's rule counts
    again. `what` it is about is a kind of limit, or a branch limit's name."""

    id: int
    what: StrEnum
    effective_from: date
    amount_minor: int | None
    reason: str
    set_by: str
    set_at: datetime
    standing: Standing


@dataclass(frozen=True, kw_only=True)
class EmployeeLimitCard:
    """What an employee does alone today, in minor units of rupees.

    `own_minor` is the own limit, None where there is none; `rule_minor` what the rule lets
    everybody with this role do, None where no rule is in force. `coming` are the limits after it,
    the next one first; `steps` is every row, newest first. `is_at_counter` says whether they take
    and pay cash at all: nobody else is given a limit.
    """

    kind: LimitKind
    is_at_counter: bool
    own_minor: int | None
    rule_minor: int | None
    coming: Sequence[LimitStep]
    steps: Sequence[LimitStep]

    @property
    def counts_minor(self) -> int | None:
        """Above this a second person is asked: the lower of the two; None where neither is."""
        return min((m for m in (self.own_minor, self.rule_minor) if m is not None), default=None)


class SetRow(dated.Dated, Protocol):
    """A row of a limit, as its history shows it."""

    reason: Any
    set_by: Any
    set_at: Any


T = TypeVar("T", bound=SetRow)


@query(Permission.STAFF_VIEW)
def limits_of(tx: Tx, user_id: int) -> Sequence[EmployeeLimitCard]:
    """Show what an employee of one's branch does alone, today and from days to come."""
    user = tx.session.scalar(
        select(User).where(User.id == user_id, User.role.in_(STAFF), *scope(tx))
    )
    if user is None:
        raise NoSuchEmployee
    rows = tx.session.scalars(_rows_of(user_id)).all()
    names = setters(tx, {row.set_by for row in rows})
    return [
        _card(tx, user, kind, [row for row in rows if row.kind is kind], names)
        for kind in LimitKind
    ]


@query(Permission.STAFF_VIEW)
def rules_for(tx: Tx, role: Role) -> Mapping[LimitKind, int | None]:
    """Show what the rules of today let everybody with a role do alone: no own limit is above it.

    Nothing for a role that takes and pays no cash.
    """
    if not is_at_counter(role):
        return {}
    return {kind: rule_minor(tx, kind, role, tx.business_date) for kind in LimitKind}


@command(
    Permission.STAFF_MANAGE,
    checked=Checked(
        about=about_employee,
        ends=(*OF_NO_USE, BeginsInThePast, LooserThanTheRule, NothingChanged, NotAtACounter),
    ),
)
def set_limit(
    tx: Tx,
    user_id: int,
    limit: LimitKind,
    effective_from: date,
    amount_minor: int | None,
    reason: str,
) -> int:
    """Set up to which amount a cashier pays out or takes in cash without a second person.

    Without an amount the limit ends, and the rule for all counts again. Answers the id of the row.
    """
    why = clean_text(reason, field="reason", longest=LONGEST_REASON)
    if effective_from < tx.business_date:
        raise BeginsInThePast(field="effective_from")
    user = managed(tx, user_id)
    if amount_minor is not None:
        if not is_at_counter(user.role):
            raise NotAtACounter
        check_amount(amount_minor, rule_minor(tx, limit, user.role, effective_from))
    rows = [row for row in tx.session.scalars(_rows_of(user.id)) if row.kind is limit]
    now = dated.in_force(rows, effective_from)
    if (now.amount_minor if now is not None else None) == amount_minor:
        raise NothingChanged(field="amount")
    row = limit_rows.put(tx, user, limit, effective_from, amount_minor, why)
    whose: dict[str, object] = {"name": user.name, "username": user.username}
    before = in_words(now.amount_minor if now is not None else None)
    after = in_words(amount_minor)
    tx.concerns("user", user.id)
    tx.changed(
        {**whose, WORDS[limit]: before, "from": None},
        {**whose, WORDS[limit]: after, "from": effective_from.isoformat()},
    )
    return row.id


def _rows_of(user_id: int) -> Select[EmployeeLimit]:
    return select(EmployeeLimit).where(EmployeeLimit.user_id == user_id).order_by(EmployeeLimit.id)


def steps_of(
    rows: Sequence[T],
    what: StrEnum,
    amount_of: Callable[[T], int | None],
    names: Mapping[int, str],
    today: date,
) -> list[LimitStep]:
    """Every row (oldest first) of one limit, of an employee or a branch, as steps, newest first."""
    standing_of = dated.standings(rows, today)
    return [
        LimitStep(
            id=row.id,
            what=what,
            effective_from=row.effective_from,
            amount_minor=amount_of(row),
            reason=row.reason,
            set_by=names[row.set_by],
            set_at=row.set_at,
            standing=standing_of(row),
        )
        for row in reversed(rows)
    ]


def coming_of(steps: Sequence[LimitStep]) -> list[LimitStep]:
    """Those that are to come, the next one first."""
    coming = [step for step in steps if step.standing is Standing.COMING]
    return sorted(coming, key=lambda step: step.effective_from)


def setters(tx: Tx, ids: Collection[int]) -> Mapping[int, str]:
    """The names of those who set limits."""
    people = select(User.id, User.name).where(User.id.in_(ids))
    return {user_id: name for user_id, name in tx.connection.execute(people)}


def _card(
    tx: Tx, user: User, kind: LimitKind, rows: Sequence[EmployeeLimit], names: Mapping[int, str]
) -> EmployeeLimitCard:
    steps = steps_of(rows, kind, lambda row: row.amount_minor, names, tx.business_date)
    now = dated.in_force(rows, tx.business_date)
    return EmployeeLimitCard(
        kind=kind,
        is_at_counter=is_at_counter(user.role),
        own_minor=now.amount_minor if now is not None else None,
        rule_minor=rule_minor(tx, kind, user.role, tx.business_date),
        coming=coming_of(steps),
        steps=steps,
    )
