"""Several approvals of one kind at once: looked at side by side, then approved one by one.

Only money goes together, and only below the amount that a rule wants typed again: what is larger
or has no such limit is opened and decided by itself. Each is approved in a transaction of its own,
with every check, so what cannot be done now stops no other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from bank.core import money
from bank.core.approvals import LONGEST_TEXT, Approval, ApprovalEvent, ApprovalStatus
from bank.core.desk import Desk, Tx, flow, query
from bank.core.errors import BadInput, BankError
from bank.core.permissions import Permission
from bank.office import approvals
from bank.office.approval_cards import (
    NoSuchApproval,
    asked_of,
    required_of,
    row_of,
    sees,
    why_not,
)
from bank.office.approval_rows import ApprovalRow
from bank.people.fields import clean_text

MOST_TOGETHER: Final = 20
BY_ITSELF: Final = "Open it and decide it by itself"
SAID: Final = ("noted", "pending")  # a note of its maker, the answer to a question


class TooManyTogether(BadInput):
    """Choose at most 20 approvals at once."""


class NotOfOneKind(BadInput):
    """Only approvals of one kind are approved together."""


@dataclass(frozen=True, kw_only=True)
class Together:
    """One of several: the row, what was asked for in words, what its maker said last, and why it
    does not go with the others (empty where it does). `compared_minor` is what it comes to with all
    that its maker did on this account on that day."""

    row: ApprovalRow
    asked: Mapping[str, str]
    compared_minor: int | None
    said: str
    why_not: str


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one of several: `refused` says why it was not approved, None when it was."""

    row: ApprovalRow
    refused: str | None = None


@query(Permission.APPROVAL_DECIDE)
def side_by_side(tx: Tx, approval_ids: Sequence[int]) -> Sequence[Together]:
    """Show several approvals of one kind, and which of them may be approved together."""
    rows = _chosen(tx, approval_ids)
    told = tx.session.execute(
        select(ApprovalEvent.approval_id, ApprovalEvent.said)
        .where(
            ApprovalEvent.approval_id.in_([row.id for row in rows]), ApprovalEvent.what.in_(SAID)
        )
        .order_by(ApprovalEvent.id)
    )
    said = {approval_id: words for approval_id, words in told}  # the last one stays
    for row in rows:
        tx.looked_at("approval", row.id)
    return [
        Together(
            row=row_of(tx, row),
            asked=asked_of(row),
            compared_minor=row.compared_minor,
            said=said.get(row.id, ""),
            why_not=_apart(tx, row),
        )
        for row in rows
    ]


@flow(Permission.APPROVAL_DECIDE)
def approve_together(desk: Desk, approval_ids: Sequence[int], note: str = "") -> Sequence[Outcome]:
    """Approve several of one kind, each by itself; what is refused is told and stops no other."""
    said = clean_text(note, field="note", longest=LONGEST_TEXT - 60, may_be_empty=True)
    found = []
    for each in side_by_side(desk, approval_ids):
        refused: str | None = each.why_not
        if not refused:
            try:
                approvals.approve(desk, each.row.id, said)
                refused = None
            except BankError as refusal:  # it is written down with the approval, as ever
                refused = str(refusal)
        found.append(Outcome(row=each.row, refused=refused))
    return found


def _chosen(tx: Tx, approval_ids: Sequence[int]) -> list[Approval]:
    """The approvals in the order chosen; NoSuchApproval where one is not in sight."""
    ids = list(dict.fromkeys(approval_ids))
    if len(ids) > MOST_TOGETHER:
        raise TooManyTogether(field="approvals")
    known = {
        row.id: row for row in tx.session.scalars(select(Approval).where(Approval.id.in_(ids)))
    }
    if any(number not in known or not sees(tx.desk, known[number]) for number in ids):
        raise NoSuchApproval
    if len({row.command for row in known.values()}) > 1:
        raise NotOfOneKind(field="approvals")
    return [known[number] for number in ids]


def _apart(tx: Tx, row: Approval) -> str:
    """Why this one is not approved with others, empty when it may be."""
    stands = row_of(tx, row).status
    if stands is ApprovalStatus.RETURNED:
        return "This went back to its maker with a question. Wait for the answer."
    if stands is not ApprovalStatus.PENDING:
        by = f" by {row.checker_name}" if row.checker_name else ""
        return f"This was {stands}{by} already."
    need = required_of(tx, row)
    refusal = why_not(tx, row, need)
    if refusal is not None:
        return str(refusal)
    if row.amount_minor is None or need is None or need.rekey_above_minor is None:
        return f"{BY_ITSELF}: no rule gives a limit up to which these go together."
    limit = money.show(need.rekey_above_minor, row.currency)
    if row.amount_minor > need.rekey_above_minor:
        return f"{BY_ITSELF}: the amount is above {limit}."
    if (need.compared_minor or 0) > need.rekey_above_minor:  # cut into small ones
        return f"{BY_ITSELF}: with the others of this day it is above {limit}."
    return ""
