"""Whom the rules of today name for what waits, said in SQL, so that a list follows a rule at once.

An approval keeps whom the rule named when it was asked for. Rules have dates: a stricter one begins
at midnight, and nobody touches what waits. This is `approval_rules.required` over the columns of an
approval, one look for a whole list; the decision itself asks again with the day's sums of that
moment. `compared_minor`, what a rule of the whole day was held against, is kept with the approval.
"""

from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import aliased

from bank.core import money
from bank.core.approval_rules import ANY, ApprovalRule, Window
from bank.core.approvals import Approval
from bank.core.desk import Tx
from bank.core.permissions import Role


def checkers_now(tx: Tx) -> ColumnElement[str]:
    """The roles (with blanks between) that decide about an approval today: those of the rule that
    bites, or those it was kept with where none does."""
    rule, later = aliased(ApprovalRule), aliased(ApprovalRule)
    same = ("command", "role", "kind", "level")
    in_force = (
        select(func.max(later.effective_from))
        .where(
            *(getattr(later, name) == getattr(rule, name) for name in same),
            later.effective_from <= tx.business_date,
        )
        .correlate(rule)
        .scalar_subquery()
    )
    named = (
        select(rule.checkers)
        .where(
            rule.command == Approval.command,
            rule.role.in_((ANY, Approval.maker_role)),
            rule.kind.in_((ANY, Approval.kind)),
            rule.effective_from == in_force,
            rule.checkers != "",
            _bites(rule),
        )
        .order_by(rule.level.desc(), rule.kind.desc(), rule.role.desc())
        .limit(1)
        .correlate(Approval)
        .scalar_subquery()
    )
    return func.coalesce(named, Approval.checkers)


def is_for(tx: Tx, role: Role) -> ColumnElement[bool]:
    """Whether somebody with this role decides about an approval today."""
    return checkers_now(tx).contains(role.value, autoescape=True)


def _bites(rule: Any) -> ColumnElement[bool]:
    """As `approval_rules` has it, about the amount that was asked for."""
    amount = Approval.amount_minor
    compared = case(
        (rule.period == Window.DAY, func.coalesce(Approval.compared_minor, amount)), else_=amount
    )
    return or_(
        and_(amount.is_(None), rule.amount_above_minor == 0),
        compared > rule.amount_above_minor,
        and_(Approval.currency != money.HOME, compared > 0),
    )
