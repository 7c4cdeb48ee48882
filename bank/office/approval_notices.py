"""What waits for approval on a record, told to whoever may read that record.

A notice says what is asked, by whom, since when and whom it waits for. It gives no right: who may
look into an approval and who may decide it is the card's to say (`approval_cards`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, and_, or_, select, true

from bank.core import sights
from bank.core.approvals import UNDECIDED, Approval, ApprovalAccount, ApprovalStatus
from bank.core.desk import Tx, query
from bank.core.permissions import Permission
from bank.office import approval_sight
from bank.office.approval_cards import required_of, row_of, waits_for
from bank.office.approval_rows import ApprovalRow, WaitsFor

MOST_ON_A_RECORD: Final = 10


@dataclass(frozen=True, kw_only=True)
class ApprovalNotice(WaitsFor):
    """Something that waits on a record; `is_in_sight` says whether the reader may open it."""

    row: ApprovalRow
    is_in_sight: bool

    @property
    def is_asked(self) -> bool:
        """Whether it waits for its maker, who was asked a question."""
        return self.row.status is ApprovalStatus.RETURNED


@query(Permission.APPROVAL_VIEW)
def waiting_on(tx: Tx, object_kind: str, object_id: str | None) -> Sequence[ApprovalNotice]:
    """List what waits for approval on one record; without an id, on those it would make."""
    record = sights.record(tx, object_kind, object_id) if object_id is not None else None
    about = and_(Approval.object_kind == object_kind, Approval.object_id == object_id)
    if record is not None and record.accounts:
        touched = select(ApprovalAccount.approval_id)
        touched = touched.where(ApprovalAccount.account.in_(record.accounts))
        about = or_(about, Approval.id.in_(touched))
    mine = approval_sight.in_sight(tx.desk)
    readable: ColumnElement[bool] = mine if record is None else true()
    found = tx.session.execute(
        select(Approval, mine)
        .where(about, Approval.status.in_(UNDECIDED), Approval.expires_at > tx.now, readable)
        .order_by(Approval.id)
        .limit(MOST_ON_A_RECORD)
    ).all()
    for row, _ in found:
        tx.looked_at("approval", row.id)
    return [_notice(tx, row, is_in_sight=bool(is_in_sight)) for row, is_in_sight in found]


def _notice(tx: Tx, row: Approval, *, is_in_sight: bool) -> ApprovalNotice:
    waits = waits_for(tx, row, required_of(tx, row))
    return ApprovalNotice(**vars(waits), row=row_of(tx, row), is_in_sight=is_in_sight)
