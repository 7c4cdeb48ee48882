"""When a command needs a second person: dated rules, and which of them bites now.

A rule names a command, perhaps the maker's role and the kind of thing, and an amount above which it
bites: of one request, or of all that this maker did on this account on this business date, so that
cutting a large amount into small ones gains nothing. A later row with the same command, role, kind
and level replaces an earlier one; one without checkers ends it.

An employee may have a limit of their own below the rule. Whose it is only the floor of people knows
(`know_own_limits_by`); who decides above it is whom the rule names.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Final

from sqlalchemy import CheckConstraint, String, select
from sqlalchemy.orm import Mapped, mapped_column

from bank.core import money
from bank.core.db import Base, marks
from bank.core.desk import Tx
from bank.core.permissions import Role

ANY: Final = ""  # of role and kind


class Window(StrEnum):
    """What a rule's amount is compared with."""

    SINGLE = "single"
    DAY = "day"


class ApprovalRule(Base):
    """One rule as it holds from a business date on. `checkers` are roles with blanks between."""

    __tablename__ = "approval_rules"
    __table_args__ = (
        CheckConstraint("amount_above_minor >= 0", name="amount_not_negative"),
        CheckConstraint("expires_hours > 0", name="expires"),
    )

    command: Mapped[str] = mapped_column(String(80), primary_key=True)
    role: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32), primary_key=True)
    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    effective_from: Mapped[date] = mapped_column(primary_key=True)
    amount_above_minor: Mapped[int]
    period: Mapped[Window]
    checkers: Mapped[str] = mapped_column(String(200))
    rekey_above_minor: Mapped[int | None]
    expires_hours: Mapped[int]
    source: Mapped[str] = mapped_column(String(300))


@dataclass(frozen=True, kw_only=True)
class About:
    """What a command is about, as far as rules care.

    `accounts` are account numbers, or `#` and the id where only the book's id is known. `branch_id`
    is where it belongs; None means the maker's branch.
    """

    amount_minor: int | None = None
    currency: str = money.HOME
    accounts: tuple[str, ...] = ()
    kind: str = ""
    branch_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class Required:
    """The rule that bites, and the amount it was held against."""

    level: int
    checkers: frozenset[Role]
    compared_minor: int | None
    above_minor: int
    period: Window
    rekey_above_minor: int | None
    expires_hours: int
    source: str

    @property
    def wants_amount_again(self) -> bool:
        """Whether the checker types the amount once more: what the rule compared is large, all of
        the maker's day where it looks at the day, so that cutting it into small ones gains nothing.
        """
        limit, compared = self.rekey_above_minor, self.compared_minor
        return limit is not None and compared is not None and compared > limit


@dataclass(frozen=True, kw_only=True)
class OwnLimit:
    """What one employee may do alone, where the rule allows more; `source` says why."""

    above_minor: int
    source: str


OwnLimits = Callable[[Tx, int, str], OwnLimit | None]
_own_limits: Final[list[OwnLimits]] = []


def know_own_limits_by(limits: OwnLimits) -> OwnLimits:
    """Register who answers: the limit of a user (by id) for a kind of command, today."""
    _own_limits[:] = [limits]
    return limits


def own_limit(tx: Tx, user_id: int, kind: str) -> OwnLimit | None:
    """The limit of one employee's own for a kind of command, None where there is none."""
    return next((found for asked in _own_limits if (found := asked(tx, user_id, kind))), None)


_IN_FORCE: Final = """
    SELECT level, amount_above_minor, period, checkers, rekey_above_minor, expires_hours, source
    FROM approval_rules r
    WHERE command = ? AND role IN ('', ?) AND kind IN ('', ?) AND effective_from = (
        SELECT MAX(effective_from) FROM approval_rules x
        WHERE x.command = r.command AND x.role = r.role AND x.kind = r.kind
            AND x.level = r.level AND x.effective_from <= ?)
    ORDER BY level DESC, kind DESC, role DESC
"""
# Whom a rule named last, where none is in force: an employee's own limit still needs somebody.
_NAMED_LAST: Final = """
    SELECT level, amount_above_minor, period, checkers, rekey_above_minor, expires_hours, source
    FROM approval_rules
    WHERE command = ? AND role IN ('', ?) AND kind IN ('', ?) AND effective_from <= ?
        AND checkers <> ''
    ORDER BY effective_from DESC, level, kind DESC, role DESC
    LIMIT 1
"""


def required(
    tx: Tx,
    command: str,
    role: Role,
    about: About,
    of_today: Callable[[], int],
    own: Callable[[], OwnLimit | None] = lambda: None,
) -> Required | None:
    """The rule that makes this command wait on this business date, or None.

    The highest level that bites decides, and of one level the rule that names kind or role.
    `of_today` is asked only where a rule looks at the whole day, `own` for the maker's own limit
    only where no rule bites.
    """
    day_minor: int | None = None

    def compared_by(rule: Required) -> int | None:
        nonlocal day_minor
        if about.amount_minor is None or rule.period is not Window.DAY:
            return about.amount_minor
        if day_minor is None:
            day_minor = of_today()
        return about.amount_minor + day_minor

    named = (command, role.value, about.kind, tx.day(tx.business_date))
    rules = _rules(tx, _IN_FORCE, named)
    for rule in rules:
        compared = compared_by(rule)
        if _bites(rule.above_minor, compared, about.currency):
            return replace(rule, compared_minor=compared)
    if about.amount_minor is None or (limit := own()) is None:
        return None
    # Of the lowest level: a small amount is not for those who decide about large ones.
    lowest = min(rules or _rules(tx, _NAMED_LAST, named), key=lambda r: r.level, default=None)
    compared = compared_by(lowest) if lowest is not None else None
    if lowest is None or not _bites(limit.above_minor, compared, about.currency):
        return None
    return replace(
        lowest, compared_minor=compared, above_minor=limit.above_minor, source=limit.source
    )


def allowed_minor(tx: Tx, command: str, role: Role, day: date) -> int | None:
    """How much the rules of a day let somebody with this role do alone; None where there is no
    rule. It is the lowest amount above which any of them bites."""
    rules = _rules(tx, _IN_FORCE, (command, role.value, ANY, tx.day(day)))
    return min((rule.above_minor for rule in rules), default=None)


def _rules(tx: Tx, sql: str, named: tuple[object, ...]) -> list[Required]:
    """The rules that name somebody, nothing compared with them yet."""
    tx.cursor.execute(marks(tx.dialect, sql), named)
    return [
        Required(
            level=level,
            checkers=frozenset(map(Role, checkers.split())),
            compared_minor=None,
            above_minor=above,
            period=Window(period),
            rekey_above_minor=rekey,
            expires_hours=hours,
            source=source,
        )
        for level, above, period, checkers, rekey, hours, source in tx.cursor.fetchall()
        if checkers
    ]


def rules_of(tx: Tx, command: str) -> Sequence[ApprovalRule]:
    """Every row of a command's rules, past and to come, oldest first."""
    return tx.session.scalars(
        select(ApprovalRule)
        .where(ApprovalRule.command == command)
        .order_by(ApprovalRule.level, ApprovalRule.effective_from)
    ).all()


def _bites(above_minor: int, compared_minor: int | None, currency: str) -> bool:
    if compared_minor is None:
        return above_minor == 0  # a rule without an amount
    # What another currency is worth in rupees nobody knows here, so any amount of it is large.
    return compared_minor > above_minor or (currency != money.HOME and compared_minor > 0)
