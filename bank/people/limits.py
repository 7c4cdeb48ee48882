"""Limits of one employee: above them a cash payment waits for a second person, although the bank's
rule would let it pass.

A limit counts from a business date until a later row; a row without an amount ends it. It is never
looser than the rule for all. Who decides above it is whom the rule names (core/approval_rules).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy import CheckConstraint, ForeignKey, Index, Select, String, select
from sqlalchemy.orm import Mapped, mapped_column

from bank.core import approval_rules, dated, money, outbox
from bank.core.approval_rules import OwnLimit
from bank.core.checked import Checked
from bank.core.dated import Standing
from bank.core.db import Base, marks
from bank.core.desk import CATALOGUE, Tx, command, query
from bank.core.errors import BadInput, WrongState
from bank.core.permissions import GRANTS, STAFF, Permission, Role
from bank.people.fields import clean_text
from bank.people.identity import User
from bank.people.staff import OF_NO_USE, about_employee, managed
from bank.people.staff_list import NoSuchEmployee, scope

LONGEST_REASON: Final = 200


class LimitKind(StrEnum):
    """What a limit is about, as the cashier does it."""

    PAY_OUT = "pay_out"
    TAKE_IN = "take_in"


WORDS: Final = {LimitKind.PAY_OUT: "pays out alone", LimitKind.TAKE_IN: "takes in alone"}


class BeginsInThePast(BadInput):
    """A limit begins today or later. Choose another first day."""


class LooserThanTheRule(BadInput):
    """An employee's own limit is not above the bank's rule. Choose a lower one."""


class NothingChanged(BadInput):
    """This counts on that day already. Choose another limit, or leave it."""


class NotAtACounter(WrongState):
    """Only employees who take and pay cash have such limits, and this one does not."""


class EmployeeLimit(Base):
    """What an employee does alone from a business date on; without an amount as the rule says.

    Rows are only added: the newest one for a day counts.
    """

    __tablename__ = "employee_limits"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        Index("ix_employee_limits_user_id", "user_id", "kind", "effective_from"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    kind: Mapped[LimitKind]
    effective_from: Mapped[date]
    amount_minor: Mapped[int | None]
    reason: Mapped[str] = mapped_column(String(LONGEST_REASON))
    set_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    set_at: Mapped[datetime]


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
_TODAY: Final = """
    SELECT amount_minor, effective_from, reason FROM employee_limits
    WHERE user_id = ? AND kind = ? AND effective_from <= ?
    ORDER BY effective_from DESC, id DESC LIMIT 1
"""


@approval_rules.know_own_limits_by
def limit_today(tx: Tx, user_id: int, kind: str) -> OwnLimit | None:
    """The limit of an employee on this business date; constant SQL, because a counter waits."""
    tx.cursor.execute(marks(tx.dialect, _TODAY), (user_id, kind, tx.day(tx.business_date)))
    row = tx.cursor.fetchone()
    if row is None or row[0] is None:
        return None
    return OwnLimit(above_minor=row[0], source=f"The cashier's own limit since {row[1]}: {row[2]}")


def is_at_counter(role: Role) -> bool:
    """Whether somebody with this role takes and pays cash."""
    return Permission.CASH_POST in GRANTS[role]


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
        _check_amount(amount_minor, rule_minor(tx, limit, user.role, effective_from))
    rows = [row for row in tx.session.scalars(_rows_of(user.id)) if row.kind is limit]
    now = dated.in_force(rows, effective_from)
    if (now.amount_minor if now is not None else None) == amount_minor:
        raise NothingChanged(field="amount")
    assert tx.desk.user_id is not None
    row = EmployeeLimit(
        user_id=user.id,
        kind=limit,
        effective_from=effective_from,
        amount_minor=amount_minor,
        reason=why,
        set_by=tx.desk.user_id,
        set_at=tx.now,
    )
    tx.session.add(row)
    tx.session.flush()
    whose: dict[str, object] = {"name": user.name, "username": user.username}
    before = _in_words(now.amount_minor if now is not None else None)
    after = _in_words(amount_minor)
    tx.concerns("user", user.id)
    tx.changed(
        {**whose, WORDS[limit]: before, "from": None},
        {**whose, WORDS[limit]: after, "from": effective_from.isoformat()},
    )
    _tell(tx, user, row)
    return row.id


def rule_minor(tx: Tx, kind: LimitKind, role: Role, day: date) -> int | None:
    """What the rules let everybody with this role do alone on a day; None where there is no rule.

    Which commands are of this kind their own declarations say, on floors above.
    """
    of_kind = [
        name
        for name, verb in CATALOGUE.items()
        if isinstance(verb.check, Checked) and verb.check.own_limit == kind.value
    ]
    allowed = (approval_rules.allowed_minor(tx, name, role, day) for name in of_kind)
    return min((minor for minor in allowed if minor is not None), default=None)


def _check_amount(amount_minor: int, rule_minor: int | None) -> None:
    money.check_positive(amount_minor)
    if rule_minor is not None and amount_minor > rule_minor:
        raise LooserThanTheRule(
            f"The bank's rule asks a second person above {money.show(rule_minor)} a day and "
            "account. An employee's own limit is not above that: choose a lower one.",
            field="amount",
        )


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


def _in_words(amount_minor: int | None) -> str:
    return "as the rule says" if amount_minor is None else f"up to {money.show(amount_minor)}"


def _tell(tx: Tx, user: User, row: EmployeeLimit) -> None:
    if user.email is None:
        return
    doing = "pay out" if row.kind is LimitKind.PAY_OUT else "take in"
    what = (
        f"cash that you {doing} waits for a second person as the bank's rule says"
        if row.amount_minor is None
        else f"cash that you {doing} above {money.show(row.amount_minor)} a day and account waits"
        " for a second person"
    )
    outbox.queue_mail(
        tx,
        to=user.email,
        subject="Your limit at the counter",
        body=f"Hello {user.name},\n\nFrom {row.effective_from:%d %b %Y} {what}. "
        f"Reason: {row.reason}.\n",
        purpose="limit",
        user_id=user.id,
    )
