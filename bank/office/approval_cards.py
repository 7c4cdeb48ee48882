"""Approvals as people read them: what they may decide, what they have asked for, one in full.

An approval is in sight of its maker, of those who see its branch and may decide, and of whoever
sees the whole bank. What is overdue reads as expired before the worker has written it down.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, or_, select

from bank.core import approvals, checkers, hours, money, work_rights
from bank.core.approval_rules import Required
from bank.core.approvals import (
    UNDECIDED,
    Approval,
    ApprovalEvent,
    ApprovalStatus,
)
from bank.core.checked import Checked, required_now, unpack
from bank.core.desk import CATALOGUE, Desk, Tx, query
from bank.core.errors import BankError, NotAllowed, NotFound
from bank.core.permissions import GRANTS, Permission
from bank.core.work_rights import Employee
from bank.office import approval_risks, approval_sight
from bank.office.approval_rows import ApprovalCard, ApprovalRow, Happening, WaitsFor, as_text
from bank.people import presence

MOST_ROWS: Final = 200
RECORD_DAYS: Final = 90  # of a maker's record on the card
# Of the arguments; the values of a rule stand before and after each other.
OF_THE_MACHINERY: Final = frozenset({"request_id", "amount_minor", "user_id", "seen", "values"})


class NoSuchApproval(NotFound):
    """There is no such approval for you. It may belong to another branch."""


class OwnApproval(NotAllowed):
    """You asked for this yourself, so somebody else must decide."""


class NotTheChecker(NotAllowed):
    """Your role may not decide this."""


class NoLongerHere(NotAllowed):
    """You are no longer active in this role, so you cannot decide. Sign in again."""


class InterestedParty(NotAllowed):
    """You have an interest in this account yourself, so somebody else must decide."""


@query(Permission.APPROVAL_DECIDE)
def to_decide(tx: Tx) -> Sequence[ApprovalRow]:
    """List what waits for a decision that this person may take, oldest first."""
    tx.looked_at("approvals", "to decide")
    rows = tx.session.scalars(
        select(Approval).where(Approval.id.in_(_ids_to_decide(tx))).order_by(Approval.id)
    )
    return [row_of(tx, row) for row in rows]


@query(Permission.APPROVAL_DECIDE)
def count_to_decide(tx: Tx) -> int:
    """How many wait for a decision that this person may take, counted as far as they are listed."""
    return len(_ids_to_decide(tx))


@query(Permission.APPROVAL_VIEW)
def count_for_me(tx: Tx) -> int:
    """How many wait for this person: to be decided, or with a question to be answered."""
    to_be_decided = len(_ids_to_decide(tx)) if tx.desk.may(Permission.APPROVAL_DECIDE) else 0
    return to_be_decided + _asked_of_me(tx)


@query(Permission.APPROVAL_VIEW)
def count_asked_back(tx: Tx) -> int:
    """How many came back to this person with a question."""
    return _asked_of_me(tx)


@query(Permission.APPROVAL_VIEW)
def own_approvals(tx: Tx) -> Sequence[ApprovalRow]:
    """List what this person has asked for, newest first."""
    tx.looked_at("approvals", "own")
    return _listed(tx, Approval.maker_id == tx.desk.user_id)


@query(Permission.APPROVAL_VIEW)
def decided(tx: Tx) -> Sequence[ApprovalRow]:
    """List what was decided, withdrawn or expired in this person's sight, newest first."""
    tx.looked_at("approvals", "decided")
    over = or_(Approval.status.not_in(UNDECIDED), Approval.expires_at <= tx.now)
    return _listed(tx, and_(over, approval_sight.in_sight(tx.desk)))


@query(Permission.APPROVAL_VIEW)
def own_waiting_today(tx: Tx, commands: Sequence[str]) -> Sequence[ApprovalRow]:
    """List what this person asked for today with these commands and is not executed."""
    tx.looked_at("approvals", "own today")
    return _listed(
        tx,
        and_(
            Approval.maker_id == tx.desk.user_id,
            Approval.command.in_(commands),
            Approval.business_date == tx.business_date,
            Approval.status != ApprovalStatus.EXECUTED,
        ),
    )


@query(Permission.APPROVAL_VIEW)
def approval_card(tx: Tx, approval_id: int) -> ApprovalCard:
    """Show one approval in full, with what it would change and book."""
    row = tx.session.get(Approval, approval_id)
    if row is None or not sees(tx.desk, row):
        raise NoSuchApproval
    tx.looked_at("approval", approval_id)
    return card_of(tx, row)


def sees(desk: Desk, row: Approval) -> bool:
    """Whether an approval is in sight of this desk."""
    if row.maker_id == desk.user_id or desk.sees_whole_bank:
        return True
    return desk.may(Permission.APPROVAL_DECIDE) and work_rights.sees_branch(
        desk.role, desk.branch_id, row.branch_id
    )


def why_not(tx: Tx, row: Approval, need: Required | None) -> BankError | None:
    """Why the person at this desk may not decide this, None when they may.

    `need` is the rule as it bites now; without one the rule of the day it was asked for counts.
    """
    desk = tx.desk
    assert desk.user_id is not None
    me = Employee(desk.user_id, desk.name, desk.role, desk.branch_id)
    return refusals(tx, row, need, [me]).get(me.id)


def refusals(
    tx: Tx, row: Approval, need: Required | None, employees: Sequence[Employee]
) -> Mapping[int, BankError]:
    """Why which of these employees may not decide this; whoever may is not in it."""
    ids, roles = {one.id for one in employees}, {one.role for one in employees}
    here = [one for one in checkers.staff(tx, roles, row.branch_id) if one.id in ids]
    touched = approvals.accounts_of(tx, row.id)
    interested = {each.employee_id: each.words for each in checkers.interests(tx, touched, here)}
    active = {one.id for one in here}
    level = approvals.standing_of(tx, row.id).level
    found: dict[int, BankError] = {}
    for one in employees:
        refusal = _refused_by_role(row, need, level, one)
        if refusal is None and one.id not in active:
            refusal = NoLongerHere()
        if refusal is None and one.id in interested:
            refusal = InterestedParty(
                f"You are {interested[one.id]}, so somebody else must decide."
            )
        if refusal is not None:
            found[one.id] = refusal
    return found


def _refused_by_role(
    row: Approval, need: Required | None, level: int, one: Employee
) -> BankError | None:
    roles = need.checkers if need is not None else checkers.roles_in(row.checkers)
    if one.id == row.maker_id:
        return OwnApproval()
    if Permission.APPROVAL_DECIDE not in GRANTS[one.role] or one.role not in roles:
        names = checkers.either(sorted(role.value.replace("_", " ") for role in roles))
        return NotTheChecker(f"Your role may not decide this: it is for a {names}.")
    if not work_rights.sees_branch(one.role, one.branch_id, row.branch_id):
        return NoSuchApproval()
    if level > work_rights.level_of_role(one.role):
        return work_rights.GoneUpTheLine()
    return None


@work_rights.refused_by(approvals.KIND.name)
def _refusals(tx: Tx, approval_id: int, employees: Sequence[Employee]) -> Mapping[int, BankError]:
    """Why which of these employees may not take an approval from the queue."""
    row = tx.session.get_one(Approval, approval_id)
    return refusals(tx, row, required_of(tx, row), employees)


def row_of(tx: Tx, row: Approval) -> ApprovalRow:
    """An approval as a list shows it."""
    overdue = row.status in UNDECIDED and row.expires_at <= tx.now
    return ApprovalRow(
        id=row.id,
        command=row.command,
        object_kind=row.object_kind,
        object_id=row.object_id,
        amount_minor=row.amount_minor,
        currency=row.currency,
        maker_id=row.maker_id,
        maker_name=row.maker_name,
        branch_id=row.branch_id,
        made_at=row.made_at,
        expires_at=row.expires_at,
        status=ApprovalStatus.EXPIRED if overdue else row.status,
        checker_name=row.checker_name,
        decided_at=row.decided_at,
        question=row.question,
        reason=row.reason,
        person=_person(row),
    )


def card_of(tx: Tx, row: Approval) -> ApprovalCard:
    """An approval in full."""
    shown = row_of(tx, row)
    is_open = shown.status in UNDECIDED
    need = required_of(tx, row) if is_open else None
    refusal = why_not(tx, row, need) if is_open else None
    waits = waits_for(tx, row, need) if is_open else WaitsFor()
    return ApprovalCard(
        **vars(waits),
        row=shown,
        asked=asked_of(row),
        before=json.loads(row.before) if row.before else {},
        after=json.loads(row.after) if row.after else {},
        lines=json.loads(row.lines),
        history=_history(tx, row.id),
        why_not=str(refusal) if refusal else "",
        is_mine=row.maker_id == tx.desk.user_id,
        wants_amount_again=need is not None and need.wants_amount_again,
        compared_minor=row.compared_minor,
        rule_source=row.rule_source,
        record=_record(tx, row),
        risks=approval_risks.risks_of(tx, row) if is_open else (),
    )


def waits_for(tx: Tx, row: Approval, need: Required | None) -> WaitsFor:
    """Whom this waits for now, as `need` has it, the rule that bites; who of them is there."""
    standing = approvals.standing_of(tx, row.id)
    roles = need.checkers if need is not None else checkers.roles_in(row.checkers)
    able = checkers.could_decide(
        tx,
        roles=roles,
        branch_id=row.branch_id,
        maker_id=row.maker_id,
        accounts=approvals.accounts_of(tx, row.id),
        level=standing.level,
    )
    here = presence.signed_in(tx, [one.id for one in able])
    opens_at = hours.calendar(tx, row.branch_id).after(tx.now, 0)
    return WaitsFor(
        names=checkers.named(tx, able),
        roles=sorted(roles),
        here=[one.name for one in able if one.id in here],
        opens_at=opens_at if opens_at > tx.now else None,
        held_by=standing.owner_name or "",
        held_since=standing.since,
        held_by_me=standing.owner_id is not None and standing.owner_id == tx.desk.user_id,
    )


def required_of(tx: Tx, row: Approval, *, hold: bool = False) -> Required | None:
    """The rule that bites now for what this approval asks, None where none does any more; `hold`
    as in `required_now`."""
    verb = CATALOGUE[row.command]
    declared = verb.check
    assert isinstance(declared, Checked)
    maker = Desk(
        bank=tx.bank, role=row.maker_role, user_id=row.maker_id, branch_id=row.maker_branch_id
    )
    inner = Tx(connection=tx.connection, desk=maker, now=tx.now, business_date=tx.business_date)
    try:
        about = declared.about_of(inner, unpack(tx, row, verb))
    except BankError:  # what it is about is gone: the command itself will say so
        return None
    return required_now(inner, verb, about, but=row.id, hold=hold)


def _ids_to_decide(tx: Tx) -> list[int]:
    """What waits for the person at this desk, oldest first, as far as it is listed."""
    found = select(Approval.id).where(approval_sight.to_decide(tx))
    return list(tx.session.scalars(found.order_by(Approval.id).limit(MOST_ROWS)))


def _asked_of_me(tx: Tx) -> int:
    found = select(Approval.id).where(
        Approval.maker_id == tx.desk.user_id,
        Approval.status == ApprovalStatus.RETURNED,
        Approval.expires_at > tx.now,
    )
    return len(tx.session.scalars(found.limit(MOST_ROWS)).all())


def _listed(tx: Tx, condition: ColumnElement[bool]) -> Sequence[ApprovalRow]:
    wanted = select(Approval).where(condition).order_by(Approval.id.desc()).limit(MOST_ROWS)
    return [row_of(tx, row) for row in tx.session.scalars(wanted)]


def asked_of(row: Approval) -> Mapping[str, str]:
    """The arguments as a person reads them, without the machinery's own."""
    kept = json.loads(row.arguments)
    return {
        name.removesuffix("_minor").replace("_", " "): (
            money.show(value, row.currency) if name.endswith("_minor") else as_text(value)
        )
        for name, value in kept.items()
        if name not in OF_THE_MACHINERY and value not in (None, "")
    }


def _person(row: Approval) -> str:
    """The name and user name among what a user's approval would leave."""
    after = json.loads(row.after) if row.object_kind == "user" and row.after else None
    return f"{after['name']} ({after['username']})" if after else ""


def _history(tx: Tx, approval_id: int) -> Sequence[Happening]:
    wanted = select(ApprovalEvent).where(ApprovalEvent.approval_id == approval_id)
    return [
        Happening(at=each.at, what=each.what, by_name=each.by_name, said=each.said)
        for each in tx.session.scalars(wanted.order_by(ApprovalEvent.id))
    ]


def _record(tx: Tx, row: Approval) -> Mapping[str, int]:
    """What became of the maker's other approvals in the last days."""
    states = tx.session.scalars(
        select(Approval.status).where(
            Approval.maker_id == row.maker_id,
            Approval.id != row.id,
            Approval.made_at > tx.now - timedelta(days=RECORD_DAYS),
        )
    )
    return dict(Counter(state.value for state in states))
