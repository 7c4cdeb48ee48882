"""The steps of an approval: its state, its history and its item move together, never one alone.

`remembering`, `expiring` and `asking_others` are what a refused decision leaves behind, in the
transaction that records the refusal.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import select

from bank.book.ledger import SYSTEM_USER_ID
from bank.core import approvals
from bank.core.approval_rules import Required
from bank.core.approvals import MOVES, UNDECIDED, Approval, ApprovalEvent, ApprovalStatus
from bank.core.desk import Tx
from bank.core.permissions import Role
from bank.core.states import move
from bank.office import approval_mails

S: Final = ApprovalStatus


def remembering(
    approval_id: int,
    state: ApprovalStatus | None,
    said: str,
    inner: Callable[[Any], None] | None = None,
    *,
    seen: Mapping[str, str | None] | None = None,
) -> Callable[[Any], None]:
    """What a refused decision leaves behind: a line of history, perhaps a last state."""

    def remember(tx: Tx) -> None:
        if inner is not None:
            inner(tx)
        row = tx.locked(Approval, approval_id)
        tx.concerns("approval", approval_id)
        if row.status not in UNDECIDED:
            return  # somebody else was faster
        for name, shown in (seen or {}).items():  # what the checker is shown from now on
            setattr(row, name, shown)
        if state is None:
            approvals.happened(tx, approval_id, "refused", said)
        else:
            settle(tx, row, state, reason=said or None, said=said)

    return remember


def expiring(approval_id: int) -> Callable[[Any], None]:
    """What a click on something overdue leaves behind: it was time that closed it, not the clicker,
    so it is the bank's own doing."""

    def remember(tx: Tx) -> None:
        by_the_bank = replace(tx.desk, role=Role.SYSTEM, user_id=SYSTEM_USER_ID, name="system")
        settling = Tx(
            connection=tx.connection,
            desk=by_the_bank,
            now=tx.now,
            business_date=tx.business_date,
        )
        row = settling.locked(Approval, approval_id)
        tx.concerns("approval", approval_id)
        if row.status in UNDECIDED:
            settle(settling, row, S.EXPIRED)
            settling.session.flush()
            tx.after_commit |= settling.after_commit

    return remember


def asking_others(approval_id: int, need: Required) -> Callable[[Any], None]:
    """The rule has changed: from now on the lists of those whom it names show this approval."""

    def remember(tx: Tx) -> None:
        row = tx.locked(Approval, approval_id)
        tx.concerns("approval", approval_id)
        ask_others(tx, row, need)

    return remember


def ask_others(tx: Tx, row: Approval, need: Required) -> None:
    """Keep whom the rule names now, and what it was held against; the item is theirs."""
    before, row.checkers = row.checkers, " ".join(sorted(need.checkers))
    row.rule_source, row.compared_minor = need.source, need.compared_minor
    if row.checkers != before:
        approvals.asks_others(tx, row)


def settle(
    tx: Tx, row: Approval, state: ApprovalStatus, *, reason: str | None = None, said: str = ""
) -> None:
    """The last step of an approval: no secret of it is kept any longer."""
    if state in {S.EXECUTED, S.REJECTED, S.FAILED}:
        row.checker_id, row.checker_name = tx.desk.user_id, tx.desk.name
    row.decided_at, row.reason, row.sealed = tx.now, reason, None
    step(tx, row, state, said)


def step(tx: Tx, row: Approval, state: ApprovalStatus, said: str) -> None:
    before = row.status
    move(row, state, MOVES)
    approvals.happened(tx, row.id, state.value, said)
    tx.session.flush()
    tx.concerns("approval", row.id)
    tx.changed({"status": before.value}, {"status": state.value})
    approvals.moved(tx, row, said)
    approval_mails.tell_maker(tx, row, said)


def is_again(tx: Tx, row: Approval, state: ApprovalStatus, said: str) -> bool:
    """Whether this very click has been made already and nothing has happened since."""
    return row.status is state and is_last(tx, row, state.value, said)


def is_last(tx: Tx, row: Approval, what: str, said: str) -> bool:
    last = tx.session.scalars(
        select(ApprovalEvent)
        .where(ApprovalEvent.approval_id == row.id)
        .order_by(ApprovalEvent.id.desc())
        .limit(1)
    ).first()
    return last is not None and (last.what, last.by_id, last.said) == (what, tx.desk.user_id, said)
