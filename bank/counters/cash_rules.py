"""Rules of the cash counter: limits and times. Dated rows with their source, not constants.

Two of them may be others at one branch (`branch_limits`), never above a ceiling that is a dated
row, too. So whoever reads the rules says for which branch.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Final
from weakref import WeakKeyDictionary

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, select
from sqlalchemy.orm import Mapped, mapped_column

from bank.core import dated
from bank.core.db import Base, Database
from bank.core.desk import Tx
from bank.core.errors import BadInput
from bank.office.rule_tables import Field, Unit, Values, of_numbers, register

READ_AGAIN_AFTER: Final = timedelta(minutes=1)  # every slip needs them, and they hardly change
LONGEST_REASON: Final = 200


class BranchLimitName(StrEnum):
    """The rules that a branch may have of its own; the value is the rule's name."""

    DRAWER = "drawer_limit_minor"
    SUPERVISED = "supervised_above_minor"


CEILINGS: Final = {
    BranchLimitName.DRAWER: "drawer_limit_ceiling_minor",
    BranchLimitName.SUPERVISED: "supervised_ceiling_minor",
}


class AboveItsCeiling(BadInput):
    """The bank's own limit would lie above its ceiling. Change the other one first."""


class CashRule(Base):
    """A value that holds from a business date until a later row replaces it."""

    __tablename__ = "cash_rules"

    name: Mapped[str] = mapped_column(String(48), primary_key=True)
    effective_from: Mapped[date] = mapped_column(primary_key=True)
    value: Mapped[int]
    source: Mapped[str] = mapped_column(String(300))


class BranchLimit(Base):
    """What counts at one branch from a business date on; without a value the bank's rule again.

    Rows are only added: the newest one for a day counts.
    """

    __tablename__ = "branch_limits"
    __table_args__ = (
        CheckConstraint("value > 0", name="value_positive"),
        Index("ix_branch_limits_branch_id", "branch_id", "name", "effective_from"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    branch_id: Mapped[int] = mapped_column(ForeignKey("branches.id"))
    name: Mapped[BranchLimitName]
    effective_from: Mapped[date]
    value: Mapped[int | None]
    reason: Mapped[str] = mapped_column(String(LONGEST_REASON))
    set_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    set_at: Mapped[datetime]


@dataclass(frozen=True, kw_only=True)
class CashRules:
    """The values in force on one day, by the names of their rows."""

    drawer_limit_minor: int
    drawer_limit_ceiling_minor: int
    pan_above_minor: int
    supervised_above_minor: int
    supervised_ceiling_minor: int
    token_days: int
    tokens_at_once: int

    def bank_minor(self, name: BranchLimitName) -> int:
        """What counts where a branch has no limit of its own (as long as these are the bank's)."""
        return int(getattr(self, name))

    def ceiling_minor(self, name: BranchLimitName) -> int:
        """Above this no branch's own limit counts."""
        return int(getattr(self, CEILINGS[name]))


_known: Final[WeakKeyDictionary[Database, dict[int | None, tuple[datetime, date, CashRules]]]] = (
    WeakKeyDictionary()
)


def cash_rules(tx: Tx, branch_id: int | None) -> CashRules:
    """The rules in force at a branch (None: of the bank) on this business date, read at most once a
    minute."""
    today, known = tx.business_date, _known.setdefault(tx.bank.db, {})
    kept = known.get(branch_id)
    if kept is None or kept[1] != today or not timedelta() <= tx.now - kept[0] < READ_AGAIN_AFTER:
        kept = (tx.now, today, cash_rules_on(tx, today, branch_id))
        known[branch_id] = kept
    return kept[2]


def changes(tx: Tx) -> None:
    """Say that this transaction sets a limit: it counts in this process from its commit on."""
    tx.after_commit.add(partial(_known.pop, tx.bank.db, None))


def cash_rules_on(tx: Tx, day: date, branch_id: int | None) -> CashRules:
    """The rules in force on a day. A name without a row is a bug, not a default."""
    rows = tx.connection.execute(
        select(CashRule.name, CashRule.value)
        .where(CashRule.effective_from <= day)
        .order_by(CashRule.effective_from)
    )
    latest = {name: value for name, value in rows}
    rules = CashRules(**{item.name: latest[item.name] for item in fields(CashRules)})
    own = {} if branch_id is None else own_values(limit_rows(tx, branch_id), rules, day)
    return replace(rules, **own)


def limit_rows(tx: Tx, branch_id: int) -> Sequence[BranchLimit]:
    """Every limit ever set for a branch, oldest first."""
    wanted = select(BranchLimit).where(BranchLimit.branch_id == branch_id)
    return tx.session.scalars(wanted.order_by(BranchLimit.id)).all()


def own_values(rows: Sequence[BranchLimit], bank: CashRules, day: date) -> dict[str, int]:
    """What a branch has of its own on a day, never above the ceiling of that day."""
    own = {}
    for name in BranchLimitName:
        row = dated.in_force([one for one in rows if one.name is name], day)
        if row is not None and row.value is not None:
            own[name.value] = min(row.value, bank.ceiling_minor(name))
    return own


def _below_their_ceilings(tx: Tx, key: Values, values: Values | None, day: date) -> None:
    """On every day from this one on the bank's limit is one that a branch might have, too."""
    days = tx.session.scalars(
        select(CashRule.effective_from).where(CashRule.effective_from > day).distinct()
    )
    for one in (day, *days):
        rules = cash_rules_on(tx, one, None)
        for name in BranchLimitName:
            if rules.bank_minor(name) > rules.ceiling_minor(name):
                raise AboveItsCeiling(field="value")


def _lower(key: Values, before: Values | None, after: Values) -> bool:
    """A lower amount asks more of the counters and nothing of customers: it may begin at once. Days
    and counts were promised to whoever has prepared a slip."""
    was, becomes = (before or {}).get("value"), after["value"]
    is_amount = str(key["name"]).endswith("_minor")
    return is_amount and isinstance(was, int) and isinstance(becomes, int) and becomes < was


CASH: Final = register(
    of_numbers(
        name="cash_rules",
        title="Cash at the counters",
        about="What a drawer may hold, from where on a PAN and a supervisor are asked, and how long"
        " a prepared slip waits. One branch may have other limits, below the ceilings.",
        model=CashRule,
        named=(
            Field(name="drawer_limit_minor", label="A drawer holds", unit=Unit.AMOUNT, lowest=1),
            Field(
                name="drawer_limit_ceiling_minor",
                label="A drawer of any branch holds at most",
                unit=Unit.AMOUNT,
                lowest=1,
            ),
            Field(name="pan_above_minor", label="PAN is asked above", unit=Unit.AMOUNT),
            Field(
                name="supervised_above_minor",
                label="A supervisor comes above",
                unit=Unit.AMOUNT,
                lowest=1,
            ),
            Field(
                name="supervised_ceiling_minor",
                label="A supervisor comes at any branch above",
                unit=Unit.AMOUNT,
                lowest=1,
            ),
            Field(
                name="token_days",
                label="A prepared slip waits for",
                noun="day",
                lowest=1,
                highest=30,
            ),
            Field(
                name="tokens_at_once",
                label="Slips of a customer that wait at once",
                lowest=1,
                highest=50,
            ),
        ),
        from_today=_lower,
        check=_below_their_ceilings,
        changes=changes,
    )
)
