"""What makes a checker look twice: facts about the account and about who asks, by dated rules.

Each is a sentence with the figure in it, computed when the card is drawn. Only a floor above knows
accounts; it tells how old one is (`know_accounts_by`). Nothing is forbidden here.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Final

from sqlalchemy import String, func, select
from sqlalchemy.orm import Mapped, mapped_column

from bank.core import approvals, money
from bank.core.approvals import Approval, ApprovalStatus
from bank.core.clock import day_in_words, in_india
from bank.core.db import Base
from bank.core.desk import Tx

FEWEST: Final = 3  # of which a habit is made


class ApprovalRiskRule(Base):
    """A number that holds from a date until a later row replaces it; the unit is the last word."""

    __tablename__ = "approval_risk_rules"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    effective_from: Mapped[date] = mapped_column(primary_key=True)
    value: Mapped[int]
    source: Mapped[str] = mapped_column(String(300))


@dataclass(frozen=True, kw_only=True)
class RiskRules:
    """The values in force; a field per name in the table."""

    opened_days: int  # an account is new for so long
    first_entry_days: int  # and its first entry is recent for so long
    usual_percent: int  # of what the maker usually asks for is unusual
    usual_days: int  # in which they have asked for it
    rejected_days: int  # for so long a no is remembered


@dataclass(frozen=True, kw_only=True)
class AccountAge:
    """How old an account is. `first_booked_on` is None while nothing has been booked on it."""

    shown: str
    opened_on: date
    first_booked_on: date | None


Ages = Callable[[Tx, Collection[str]], Sequence[AccountAge]]
_ages: Final[list[Ages]] = []


def know_accounts_by(ages: Ages) -> Ages:
    """Register who answers how old these accounts are (by number, or `#` and the book's id)."""
    _ages[:] = [ages]
    return ages


def rules_on(tx: Tx, day: date) -> RiskRules:
    """The rules in force on a day. A name without a row is a bug, not a default."""
    rows = tx.connection.execute(
        select(ApprovalRiskRule.name, ApprovalRiskRule.value)
        .where(ApprovalRiskRule.effective_from <= day)
        .order_by(ApprovalRiskRule.effective_from)
    )
    latest = {name: value for name, value in rows}
    return RiskRules(**{item.name: latest[item.name] for item in fields(RiskRules)})


def risks_of(tx: Tx, row: Approval) -> list[str]:
    """Why to look twice at this, in sentences; nothing where it is as ever."""
    rules = rules_on(tx, tx.business_date)
    return [*_of_accounts(tx, row, rules), *_of_amount(tx, row, rules), *_of_past(tx, row, rules)]


def _of_accounts(tx: Tx, row: Approval, rules: RiskRules) -> list[str]:
    """Young accounts: money moves through them before anybody knows their holder."""
    touched = approvals.accounts_of(tx, row.id) if row.amount_minor is not None else []
    found = []
    for age in (each for asked in _ages if touched for each in asked(tx, touched)):
        if (tx.business_date - age.opened_on).days <= rules.opened_days:
            found.append(f"Account {age.shown} was opened on {day_in_words(age.opened_on)}.")
        if age.first_booked_on is None:
            found.append(f"This would be the first entry of account {age.shown}.")
        elif (tx.business_date - age.first_booked_on).days <= rules.first_entry_days:
            first = day_in_words(age.first_booked_on)
            found.append(f"The first entry of account {age.shown} was on {first}.")
    return found


def _of_amount(tx: Tx, row: Approval, rules: RiskRules) -> list[str]:
    """More than its maker usually asks for with this command, where there is a habit."""
    if row.amount_minor is None:
        return []
    count, summed = tx.session.execute(
        select(func.count(), func.sum(Approval.amount_minor)).where(
            Approval.command == row.command,
            Approval.maker_id == row.maker_id,
            Approval.currency == row.currency,
            Approval.status == ApprovalStatus.EXECUTED,
            Approval.made_at > tx.now - timedelta(days=rules.usual_days),
        )
    ).one()
    total = int(summed or 0)
    if count < FEWEST or row.amount_minor * 100 * count <= total * rules.usual_percent:
        return []
    usual = money.show(total // count, row.currency)
    return [f"{row.maker_name} usually asks for {usual} (the last {count} that were approved)."]


def _of_past(tx: Tx, row: Approval, rules: RiskRules) -> list[str]:
    """The same was asked for before, of the same thing, and somebody said no."""
    if row.object_id is None:
        return []
    last = tx.session.scalars(
        select(Approval)
        .where(
            Approval.object_kind == row.object_kind,
            Approval.object_id == row.object_id,
            Approval.command == row.command,
            Approval.id != row.id,
            Approval.status == ApprovalStatus.REJECTED,
            Approval.decided_at > tx.now - timedelta(days=rules.rejected_days),
        )
        .order_by(Approval.id.desc())
        .limit(1)
    ).first()
    if last is None or last.decided_at is None:
        return []
    on = day_in_words(in_india(last.decided_at).date())
    return [f"{last.checker_name} rejected the same on {on} (approval {last.id}): {last.reason}"]
