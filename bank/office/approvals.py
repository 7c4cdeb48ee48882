"""Deciding about what waits: approve, reject, return with a question; answer, withdraw, expire.

The states are drawn in `core/approvals`. Approving checks everything anew and runs the command as
its maker's in the decision's own transaction. When the world has changed the history says why; what
can never be done any more has failed, the rest stays to be decided.
"""

import json
import threading
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, select

from bank.core import approvals, approvals_now, audit, checked, money
from bank.core.approval_rules import Required
from bank.core.approvals import (
    LONGEST_TEXT,
    UNDECIDED,
    AlreadyDecided,
    Approval,
    ApprovalStatus,
)
from bank.core.checked import Checked
from bank.core.desk import CATALOGUE, Desk, Tx, Verb, command, looking
from bank.core.errors import BadInput, BankError, Declined, NotAllowed, WrongState
from bank.core.permissions import Permission, is_granted
from bank.office import approval_steps as steps
from bank.office.approval_cards import NoSuchApproval, NotTheChecker, card_of, required_of, sees
from bank.office.approval_cards import why_not as why_not_to
from bank.office.approval_rows import ApprovalCard
from bank.people import identity, named_grants
from bank.people.fields import clean_text

MOST_AT_ONCE: Final = 500
EXPIRE_EVERY_SECONDS: Final = 60
S = ApprovalStatus


class ApprovalExpired(WrongState):
    """The time to decide this is over. Its maker may ask again."""


class CannotBeDoneNow(Declined):
    """This cannot be done now. It stays here and can be decided again."""


class CanNeverBeDone(WrongState):
    """This can no longer be done, so it has failed. Its maker may ask anew."""


class MakerHasLeft(NotAllowed):
    """Its maker is no longer an active employee."""


class MakerMayNot(NotAllowed):
    """Its maker may no longer do this."""


class MakerHasMoved(NotAllowed):
    """Its maker now works at another branch."""


class OtherLines(Declined):
    """It would now book other lines than those you were shown. Look at the new ones."""


class OtherValues(Declined):
    """What it would change is no longer what you were shown. Look at it as it is now."""


class AmountAgain(BadInput):
    """The amount is large, by itself or with the others of its maker's day: read it from the paper
    and type it once more."""


class AmountDiffers(BadInput):
    """This is not the amount that was asked for. Read it from the paper again."""


class NotTheMaker(NotAllowed):
    """Only the person who asked for this can do that."""


MAKER_GONE: Final = (MakerHasLeft, MakerMayNot, MakerHasMoved)


@command(Permission.APPROVAL_DECIDE)
def approve(
    tx: Tx, approval_id: int, note: str = "", amount_again_minor: int | None = None
) -> ApprovalCard:
    """Agree to what waits: it is checked again and executed as its maker's command."""
    row = _held(tx, approval_id)
    if row.status is S.EXECUTED and row.checker_id == tx.desk.user_id:
        return card_of(tx, row)  # the same click again
    _still_open(tx, row, S.PENDING)
    said = clean_text(note, field="note", longest=LONGEST_TEXT - 60, may_be_empty=True)
    verb = CATALOGUE[row.command]
    need = required_of(tx, row, hold=True)
    _check_checker(tx, row, need)
    _check_amount(row, need, amount_again_minor)
    approvals.take(tx, row)
    result, lines = _execute(tx, row, verb)
    row.lines = json.dumps(lines, ensure_ascii=False)
    entry_id = getattr(result, "entry_id", None)
    booked = f"Booked as entry {entry_id}." if entry_id is not None else ""
    tx.facts["maker_id"] = row.maker_id
    steps.settle(tx, row, S.EXECUTED, reason=said or None, said=f"{booked} {said}".strip())
    return card_of(tx, row)


@command(Permission.APPROVAL_DECIDE)
def reject(tx: Tx, approval_id: int, reason: str) -> ApprovalCard:
    """Refuse what waits, with a reason that its maker reads."""
    row = _held(tx, approval_id)
    said = clean_text(reason, field="reason", longest=LONGEST_TEXT)
    if steps.is_again(tx, row, S.REJECTED, said):
        return card_of(tx, row)
    _still_open(tx, row, S.PENDING)
    _check_checker(tx, row, required_of(tx, row))
    approvals.take(tx, row)
    steps.settle(tx, row, S.REJECTED, reason=said, said=said)
    return card_of(tx, row)


@command(Permission.APPROVAL_DECIDE)
def send_back(tx: Tx, approval_id: int, question: str) -> ApprovalCard:
    """Return what waits to its maker with a question."""
    row = _held(tx, approval_id)
    said = clean_text(question, field="question", longest=LONGEST_TEXT)
    if steps.is_again(tx, row, S.RETURNED, said):
        return card_of(tx, row)
    _still_open(tx, row, S.PENDING)
    _check_checker(tx, row, required_of(tx, row))
    approvals.take(tx, row)
    row.question = said
    steps.step(tx, row, S.RETURNED, said)
    return card_of(tx, row)


@command(Permission.APPROVAL_VIEW)
def answer(tx: Tx, approval_id: int, text: str) -> ApprovalCard:
    """Answer the question an approval came back with; it waits again."""
    row = _own(tx, approval_id)
    said = clean_text(text, field="answer", longest=LONGEST_TEXT)
    if steps.is_again(tx, row, S.PENDING, said):
        return card_of(tx, row)
    _still_open(tx, row, S.RETURNED)
    row.question = None
    steps.step(tx, row, S.PENDING, said)
    return card_of(tx, row)


@command(Permission.APPROVAL_VIEW)
def add_note(tx: Tx, approval_id: int, text: str) -> ApprovalCard:
    """Tell the checker something about what one has asked for."""
    row = _own(tx, approval_id)
    said = clean_text(text, field="note", longest=LONGEST_TEXT)
    if row.status not in UNDECIDED:
        raise AlreadyDecided
    if not steps.is_last(tx, row, "noted", said):
        approvals.happened(tx, row.id, "noted", said)
        tx.session.flush()
    tx.concerns("approval", row.id)
    return card_of(tx, row)


@command(Permission.APPROVAL_VIEW)
def withdraw(tx: Tx, approval_id: int) -> ApprovalCard:
    """Take back what one has asked for and nobody has decided."""
    row = _own(tx, approval_id)
    if row.status is not S.WITHDRAWN:
        if row.status not in UNDECIDED:
            raise AlreadyDecided
        steps.settle(tx, row, S.WITHDRAWN)
    return card_of(tx, row)


@command(Permission.APPROVAL_EXPIRE)
def expire_overdue(tx: Tx) -> int:
    """Close what nobody has decided in time; answers how many."""
    wanted = (
        select(Approval)
        .where(_overdue(tx))
        .order_by(Approval.id)
        .limit(MOST_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    rows = tx.session.scalars(wanted).all()
    for row in rows:
        steps.settle(tx, row, S.EXPIRED)
    return len(rows)


@command(Permission.APPROVAL_EXPIRE)
def follow_rules(tx: Tx) -> int:
    """Hand what waits to those whom the rules of today name; answers how many that were."""
    wanted = (
        select(Approval)
        .where(_asks_others(tx))
        .order_by(Approval.id)
        .limit(MOST_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    rows = tx.session.scalars(wanted).all()
    for row in rows:
        need = required_of(tx, row)
        if need is None:  # no rule bites any more: who was asked decides, and no sum is left
            row.compared_minor = row.amount_minor
        else:
            steps.ask_others(tx, row, need)
    return len(rows)


def expire_forever(desk: Desk, stop: threading.Event) -> None:
    """Close what is overdue, and follow the rules, every minute until `stop` is set (a thread of
    `serve`)."""
    while not stop.wait(EXPIRE_EVERY_SECONDS):
        for due, settle in ((_overdue, expire_overdue), (_asks_others, follow_rules)):
            with looking(desk) as tx:
                is_due = tx.session.scalar(select(Approval.id).where(due(tx)).limit(1))
            if is_due is not None:
                settle(desk)


def _overdue(tx: Tx) -> ColumnElement[bool]:
    return and_(Approval.status.in_(UNDECIDED), Approval.expires_at <= tx.now)


def _asks_others(tx: Tx) -> ColumnElement[bool]:
    """What waits with others than those whom the rules of today name."""
    return and_(
        Approval.status.in_(UNDECIDED),
        Approval.expires_at > tx.now,
        approvals_now.checkers_now(tx) != Approval.checkers,
    )


def _held(tx: Tx, approval_id: int) -> Approval:
    """The approval, held until the transaction ends, if this desk sees it."""
    row = tx.session.get(Approval, approval_id, with_for_update=True, populate_existing=True)
    if row is None or not sees(tx.desk, row):
        raise NoSuchApproval
    tx.concerns("approval", row.id)
    return row


def _own(tx: Tx, approval_id: int) -> Approval:
    row = _held(tx, approval_id)
    if row.maker_id != tx.desk.user_id:
        raise NotTheMaker
    return row


def _still_open(tx: Tx, row: Approval, state: ApprovalStatus) -> None:
    if row.status in UNDECIDED and row.expires_at <= tx.now:
        raise ApprovalExpired(remember=steps.expiring(row.id))
    if row.status is state:
        return
    if row.status is S.RETURNED:
        raise WrongState("This went back to its maker with a question. Wait for the answer.")
    if row.status is S.PENDING:
        raise WrongState("Nothing was asked here: this waits for its decision.")
    by = f" by {row.checker_name}" if row.checker_name else ""
    raise AlreadyDecided(f"This was {row.status}{by} already.")


def _check_checker(tx: Tx, row: Approval, need: Required | None) -> None:
    refusal = why_not_to(tx, row, need)
    if refusal is not None:
        if need is not None and isinstance(refusal, NotTheChecker):
            refusal.remember = steps.asking_others(row.id, need)
        raise refusal


def _check_amount(row: Approval, need: Required | None, again_minor: int | None) -> None:
    if need is None or not need.wants_amount_again:
        return
    if again_minor is None:
        raise AmountAgain(field="amount again")
    if again_minor != row.amount_minor:
        shown = money.show(again_minor, row.currency)
        raise AmountDiffers(f"{shown} is not the amount that was asked for.", field="amount again")


def _execute(tx: Tx, row: Approval, verb: Verb) -> tuple[Any, list[dict[str, Any]]]:
    """Run the command as its maker's; a refusal says whether it can still be decided later."""
    declared = verb.check
    assert isinstance(declared, Checked)
    given = checked.unpack(tx, row, verb)
    facts: dict[str, object] = {
        "approval_id": row.id,
        "checker_id": tx.desk.user_id,
        "checker": tx.desk.name,
    }
    lines: list[dict[str, Any]] = []
    seen: dict[str, str | None] = {}
    try:
        maker = _maker_of(tx, row, verb)
        result, did = checked.run(tx, maker, verb, given, facts)
        lines = approvals.lines_of(tx, row.request_id)
        if _bare(lines) != _bare(json.loads(row.lines)):
            raise OtherLines
        # What money moves may have changed meanwhile; who somebody is, may not unseen.
        if not lines and audit.as_json(did.before) != row.before:
            seen = {"before": audit.as_json(did.before), "after": audit.as_json(did.after)}
            raise OtherValues
    except BankError as refused:
        ends = isinstance(refused, MAKER_GONE + declared.ends)
        said = str(refused)
        if isinstance(refused, OtherLines):
            seen = {"lines": json.dumps(lines, ensure_ascii=False)}
        inner = refused.remember
        if ends:
            remember = steps.remembering(row.id, S.FAILED, said, inner)
            raise CanNeverBeDone(f"This has failed: {said}", remember=remember) from refused
        remember = steps.remembering(row.id, None, said, inner, seen=seen)
        raise CannotBeDoneNow(f"This cannot be done now: {said}", remember=remember) from refused
    return result, lines


def _maker_of(tx: Tx, row: Approval, verb: Verb) -> Desk:
    """The maker's desk as it is now, or why there is none."""
    maker = identity.held_user(tx, row.maker_id)
    if not maker.active:
        raise MakerHasLeft
    named = frozenset(named_grants.held_by(tx, [maker.id]).get(maker.id, ()))
    if not is_granted(verb.permission, maker.role, named):
        raise MakerMayNot
    if maker.branch_id != row.maker_branch_id:
        raise MakerHasMoved
    return Desk(
        bank=tx.bank,
        role=maker.role,
        user_id=maker.id,
        name=row.maker_name,
        branch_id=maker.branch_id,
        customer_id=maker.customer_id,
        session_id=row.session_id,
        channel=row.channel,
        from_where=row.from_where,
        named=named,
    )


def _bare(lines: list[dict[str, Any]]) -> list[tuple[object, ...]]:
    """What a line books; the balance after it may have moved on, and people may change their
    names."""
    return [
        (line["ledger"], line["account"], line["currency"], line["amount_minor"]) for line in lines
    ]
