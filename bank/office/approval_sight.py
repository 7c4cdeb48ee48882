"""Which approvals a desk sees and which it may decide, as conditions of SQL.

An approval is in sight of its maker, of those who see its branch and may decide, and of whoever
sees the whole bank. It is to be decided by whom the rules of today name, of its branch, high enough
up the line, not its maker and without an interest in what it touches.
"""

from sqlalchemy import ColumnElement, and_, false, or_, select, true

from bank.core import approvals, approvals_now, checkers, work_rights
from bank.core.approvals import Approval, ApprovalAccount, ApprovalStatus
from bank.core.desk import Desk, Tx
from bank.core.permissions import Permission
from bank.core.work_rights import Employee
from bank.core.work_tables import ITEMS


def in_sight(desk: Desk) -> ColumnElement[bool]:
    """What this desk sees, as `approval_cards.sees` has it."""
    mine = Approval.maker_id == desk.user_id
    if desk.sees_whole_bank or desk.may(Permission.APPROVAL_DECIDE):
        return or_(mine, _of_branch(desk))
    return mine


def to_decide(tx: Tx) -> ColumnElement[bool]:
    """What waits for the decision of the person at this desk."""
    return and_(Approval.status == ApprovalStatus.PENDING, for_me(tx))


def for_me(tx: Tx) -> ColumnElement[bool]:
    """What this person decides, if it is not with its maker to be answered."""
    if not tx.desk.may(Permission.APPROVAL_DECIDE):
        return false()
    asked = checkers.staff(tx, [tx.desk.role], tx.desk.branch_id)
    me = [one for one in asked if one.id == tx.desk.user_id]
    if not me:  # they have left, or changed their role since the desk was made
        return false()
    asks_me = and_(
        Approval.status.in_(approvals.UNDECIDED),
        Approval.expires_at > tx.now,
        Approval.maker_id != tx.desk.user_id,
        approvals_now.is_for(tx, tx.desk.role),
        _of_branch(tx.desk),
        _not_above(tx.desk),
    )
    return and_(asks_me, _without_interest(tx, me, asks_me))


def _without_interest(
    tx: Tx, me: list[Employee], asked: ColumnElement[bool]
) -> ColumnElement[bool]:
    """Nothing that touches an account this person is interested in."""
    touched = select(ApprovalAccount.account).join(
        Approval, Approval.id == ApprovalAccount.approval_id
    )
    accounts = set(tx.session.scalars(touched.where(asked).distinct()))
    mine = {each.account for each in checkers.interests(tx, accounts, me)}
    if not mine:
        return true()
    touches = select(ApprovalAccount.approval_id).where(ApprovalAccount.account.in_(mine))
    return Approval.id.not_in(touches)


def _of_branch(desk: Desk) -> ColumnElement[bool]:
    if desk.sees_whole_bank:
        return true()
    return Approval.branch_id == desk.branch_id if desk.branch_id is not None else false()


def _not_above(desk: Desk) -> ColumnElement[bool]:
    """What was escalated is for those further up the line."""
    above = select(ITEMS.c.subject_id).where(
        ITEMS.c.kind == approvals.KIND.name, ITEMS.c.level > work_rights.level_of(desk)
    )
    return Approval.id.not_in(above)
