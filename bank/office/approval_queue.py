"""Approvals as a queue shows them: what an item asks for, and the ways to look for one.

The list itself is `queue_lists.items`; this says which items are approvals one may decide, by whom
they were asked for, what they do, how large they are and how long they have waited.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, select

from bank.core import approvals
from bank.core.approvals import Approval
from bank.core.desk import Tx, query
from bank.core.permissions import Permission
from bank.core.work_tables import ITEMS
from bank.office import approval_sight
from bank.office.approval_cards import row_of
from bank.office.approval_rows import ApprovalRow
from bank.office.narrowings import narrowed_by

MOST_ROWS: Final = 200  # at once: what a page of a queue draws, and more
MOST_OFFERED: Final = 100  # makers, kinds
FOR_ME: Final = "approval_for_me"
MAKER: Final = "approval_maker"
COMMAND: Final = "approval_command"
FROM_MINOR: Final = "approval_from_minor"
MINUTES: Final = "approval_minutes"


@query(Permission.APPROVAL_DECIDE)
def approvals_by_id(tx: Tx, approval_ids: Sequence[int]) -> Mapping[int, ApprovalRow]:
    """Show what these approvals ask for, by their numbers; those out of sight are left out."""
    tx.looked_at("approvals", "in a queue")
    wanted = select(Approval).where(
        Approval.id.in_(approval_ids[:MOST_ROWS]), approval_sight.in_sight(tx.desk)
    )
    return {row.id: row_of(tx, row) for row in tx.session.scalars(wanted)}


@query(Permission.APPROVAL_DECIDE)
def makers_waiting(tx: Tx) -> Mapping[int, str]:
    """List whose approvals wait for this person, by name."""
    tx.looked_at("approvals", "makers")
    found = (
        select(Approval.maker_id, Approval.maker_name)
        .where(approval_sight.for_me(tx))
        .distinct()
        .order_by(Approval.maker_name)
        .limit(MOST_OFFERED)
    )
    return {maker_id: name for maker_id, name in tx.session.execute(found)}


@query(Permission.APPROVAL_DECIDE)
def commands_waiting(tx: Tx) -> Sequence[str]:
    """List the commands that wait for this person."""
    found = select(Approval.command).where(approval_sight.for_me(tx)).distinct()
    return tx.session.scalars(found.order_by(Approval.command).limit(MOST_OFFERED)).all()


@narrowed_by(FOR_ME)
def _for_me(tx: Tx, _yes: Any) -> ColumnElement[bool]:
    return _whose(approval_sight.for_me(tx))


@narrowed_by(MAKER)
def _by_maker(_tx: Tx, maker_id: Any) -> ColumnElement[bool]:
    return _whose(Approval.maker_id == maker_id)


@narrowed_by(COMMAND)
def _by_command(_tx: Tx, command: Any) -> ColumnElement[bool]:
    return _whose(Approval.command == command)


@narrowed_by(FROM_MINOR)
def _by_amount(_tx: Tx, from_minor: Any) -> ColumnElement[bool]:
    return _whose(Approval.amount_minor >= from_minor)


@narrowed_by(MINUTES)
def _by_age(tx: Tx, minutes: Any) -> ColumnElement[bool]:
    return _whose(Approval.made_at <= tx.now - timedelta(minutes=minutes))


def _whose(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The items of the approvals for which this holds."""
    found = select(Approval.id).where(condition)
    return (ITEMS.c.kind == approvals.KIND.name) & ITEMS.c.subject_id.in_(found)
