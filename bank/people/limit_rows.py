"""Limits of one employee as rows: the table, what counts on a day, and a row put down with the mail
that tells whom it is about. Who may set one, and when, is said in `limits` and `staff`.
"""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from bank.core import approval_rules, money, outbox
from bank.core.approval_rules import OwnLimit
from bank.core.checked import Checked
from bank.core.db import Base, marks
from bank.core.desk import CATALOGUE, Tx
from bank.core.errors import BadInput, WrongState
from bank.core.permissions import GRANTS, Permission, Role
from bank.people.identity import User

LONGEST_REASON: Final = 200


class LimitKind(StrEnum):
    """What a limit is about, as the cashier does it."""

    PAY_OUT = "pay_out"
    TAKE_IN = "take_in"


WORDS: Final = {LimitKind.PAY_OUT: "pays out alone", LimitKind.TAKE_IN: "takes in alone"}


class LooserThanTheRule(BadInput):
    """An employee's own limit is not above the bank's rule. Choose a lower one."""


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


def check_amount(amount_minor: int, rule_minor: int | None, *, field: str = "amount") -> None:
    """Refuse what is no amount, or more than the rule lets everybody do (LooserThanTheRule)."""
    money.check_positive(amount_minor, field=field)
    if rule_minor is not None and amount_minor > rule_minor:
        raise LooserThanTheRule(
            f"The bank's rule asks a second person above {money.show(rule_minor)} a day and "
            "account. An employee's own limit is not above that: choose a lower one.",
            field=field,
        )


def check_limits(
    tx: Tx, role: Role, day: date, limits: Mapping[LimitKind, int], fields: Mapping[LimitKind, str]
) -> None:
    """Refuse limits for somebody who is not at a counter, or looser than the rule of the day."""
    if limits and not is_at_counter(role):
        raise NotAtACounter
    for kind, amount_minor in limits.items():
        check_amount(amount_minor, rule_minor(tx, kind, role, day), field=fields[kind])


def put(
    tx: Tx, user: User, kind: LimitKind, since: date, amount_minor: int | None, reason: str
) -> EmployeeLimit:
    """Put one row down, and tell whom it is about."""
    assert tx.desk.user_id is not None
    row = EmployeeLimit(
        user_id=user.id,
        kind=kind,
        effective_from=since,
        amount_minor=amount_minor,
        reason=reason,
        set_by=tx.desk.user_id,
        set_at=tx.now,
    )
    tx.session.add(row)
    tx.session.flush()
    _tell(tx, user, row)
    return row


def in_words(amount_minor: int | None) -> str:
    """`up to ₹ 50,000.00`."""
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
