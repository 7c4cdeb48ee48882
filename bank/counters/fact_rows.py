"""What is counted about an employee: for each measure, the rows that it adds up and leads to.

A row has the person, the thing (`item_id`), when, whether a share counts it (`hit`, 1 or 0), and a
`value` where there is one: a difference in minor units, or a score.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    case,
    cast,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import aliased

from bank.book.references import reference_of
from bank.book.tables import JournalEntry
from bank.core import work_undo
from bank.core.approvals import Approval, ApprovalEvent, ApprovalStatus
from bank.core.desk import CATALOGUE
from bank.core.work_tables import WorkEvent, WorkItem
from bank.counters import supervision
from bank.counters.drawers import Drawer, DrawerStatus
from bank.counters.slips import DEPOSIT, TRANSFER, WITHDRAWAL, CashSlip, FundVoucher
from bank.office.ticket_tables import Ticket
from bank.people.confirmations import Confirmation, ConfirmationStatus


class Measure(StrEnum):
    """What is counted, in the order in which it is read."""

    CASES = "cases"
    FIRST_REPLY = "first_reply"
    FIRST_IN_TIME = "first_in_time"
    SOLVED_IN_TIME = "solved_in_time"
    REOPENED = "reopened"
    SCORE = "score"
    SLIPS = "slips"
    DRAWERS = "drawers"
    REQUESTS = "requests"
    APPROVALS = "approvals"
    VOUCHES = "vouches"


class Kind(StrEnum):
    """How the rows of a measure become its figure."""

    COUNT = "count"
    SHARE = "share"
    MEDIAN = "median"
    AVERAGE = "average"


M = Measure
Rows = Select[*tuple[Any, ...]]
KINDS: Final[Mapping[Measure, Kind]] = {
    M.CASES: Kind.COUNT,
    M.FIRST_REPLY: Kind.MEDIAN,
    M.FIRST_IN_TIME: Kind.SHARE,
    M.SOLVED_IN_TIME: Kind.SHARE,
    M.REOPENED: Kind.SHARE,
    M.SCORE: Kind.AVERAGE,
    M.SLIPS: Kind.SHARE,
    M.DRAWERS: Kind.SHARE,
    M.REQUESTS: Kind.SHARE,
    M.APPROVALS: Kind.COUNT,
    M.VOUCHES: Kind.COUNT,
}


class Asked(NamedTuple):
    """Of whom, and when: business days for what has one, instants for the rest."""

    user_ids: frozenset[int]
    start: date
    end: date
    first: datetime
    after_last: datetime

    def holds(self, at: Any) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        """Whether an instant lies in the period."""
        return at >= self.first, at < self.after_last


def rows_of(measure: Measure, asked: Asked) -> Rows:
    """The rows of a measure, of these people in this period."""
    return _ROWS[measure](asked)


def text_of(measure: Measure, row: Any) -> dict[str, str]:
    """`reference` and `what` of a row, as people read them."""
    if measure is M.SLIPS:
        return {
            "reference": reference_of(row.at, row.item_id),
            "what": f"{_PAPERS[row.what]} {row.reference}",
        }
    if measure in {M.REQUESTS, M.APPROVALS}:
        known = CATALOGUE.get(row.what)
        return {
            "reference": f"approval {row.item_id}",
            "what": known.sentence if known else row.what,
        }
    names = {M.DRAWERS: "drawer", M.VOUCHES: "vouch", M.SCORE: "ticket"}
    return {
        "reference": f"{names[measure]} {row.item_id}" if measure in names else row.reference,
        "what": row.what,
    }


_PAPERS: Final = {
    DEPOSIT: "Deposit, slip",
    WITHDRAWAL: "Withdrawal, slip",
    TRANSFER: "Transfer, voucher",
}
_NO_VALUE: Final = cast(null(), BigInteger).label("value")
_HIT: Final = literal(1).label("hit")
_DECIDED: Final = (ApprovalStatus.EXECUTED, ApprovalStatus.REJECTED)


def _hit(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return case((condition, 1), else_=0).label("hit")


def _acts(asked: Asked, act: str, hit: ColumnElement[Any], *more: Any) -> Rows:
    """What somebody did to items of work. Whoever began a case and takes it back has not handled
    it."""
    return (
        select(
            WorkEvent.actor_id.label("user_id"),
            WorkEvent.item_id.label("item_id"),
            WorkEvent.at.label("at"),
            WorkItem.reference.label("reference"),
            WorkItem.title.label("what"),
            hit,
            _NO_VALUE,
            *more,
        )
        .join(WorkItem, WorkItem.id == WorkEvent.item_id)
        .where(
            WorkEvent.actor_id.in_(asked.user_ids),
            WorkEvent.act == act,
            work_undo.counts(WorkEvent),
            or_(WorkItem.not_for.is_(None), WorkItem.not_for != WorkEvent.actor_id),
            *asked.holds(WorkEvent.at),
        )
    )


def _cases(asked: Asked) -> Rows:
    return _acts(asked, "decided", _HIT)


def _first_reply(asked: Asked) -> Rows:
    """From the opening, or the last time it was opened again, until somebody answered. What was
    split from a ticket was opened when it was written, before its first line."""
    before = aliased(WorkEvent)
    again = (
        select(func.max(before.at))
        .where(
            before.item_id == WorkEvent.item_id,
            before.id < WorkEvent.id,
            before.act == "re-opened",
        )
        .scalar_subquery()
    )
    return _acts(
        asked,
        "first reply",
        _HIT,
        func.coalesce(again, WorkItem.opened_at).label("started_at"),
        WorkItem.branch_id.label("branch_id"),
    )


def _in_time(asked: Asked, act: str) -> Rows:
    kept = _hit(WorkEvent.at <= WorkEvent.due_at)
    return _acts(asked, act, kept).where(WorkEvent.due_at.is_not(None))


def _reopened(asked: Asked) -> Rows:
    """Solutions for customers; one that did not last was opened again afterwards."""
    later = aliased(WorkEvent)
    again = exists().where(
        later.item_id == WorkEvent.item_id, later.id > WorkEvent.id, later.act == "re-opened"
    )
    return _acts(asked, "decided", _hit(again)).where(WorkItem.customer_id.is_not(None))


def _scores(asked: Asked) -> Rows:
    return select(
        Ticket.solved_by.label("user_id"),
        Ticket.id.label("item_id"),
        Ticket.solved_at.label("at"),
        Ticket.category.label("reference"),
        Ticket.subject.label("what"),
        _HIT,
        Ticket.score.label("value"),
    ).where(
        Ticket.solved_by.in_(asked.user_ids),
        Ticket.score.is_not(None),
        *asked.holds(Ticket.solved_at),
    )


def _slips(asked: Asked) -> Rows:
    """Slips and vouchers that were booked; one that was reversed was not right the first time."""
    cash = _papers(asked, CashSlip, CashSlip.slip_number, CashSlip.kind)
    funds = _papers(asked, FundVoucher, FundVoucher.voucher_number, literal(TRANSFER))
    both = union_all(cash, funds).subquery()
    return select(both)


def _papers(asked: Asked, paper: Any, number: Any, kind: Any) -> Rows:
    reversal = aliased(JournalEntry)
    stands = ~exists().where(reversal.reverses_id == paper.entry_id)
    return select(
        paper.cashier_id.label("user_id"),
        paper.entry_id.label("item_id"),
        paper.booking_date.label("at"),
        number.label("reference"),
        kind.label("what"),
        _hit(stands),
        _NO_VALUE,
    ).where(
        paper.cashier_id.in_(asked.user_ids),
        paper.booking_date.between(asked.start, asked.end),
    )


def _drawers(asked: Asked) -> Rows:
    """Drawers that were closed, and what was counted over or short of what should be there."""
    difference = Drawer.counted_minor - Drawer.expected_minor
    return select(
        Drawer.cashier_id.label("user_id"),
        Drawer.id.label("item_id"),
        Drawer.business_date.label("at"),
        literal("").label("reference"),
        Drawer.note.label("what"),
        _hit(difference == 0),
        difference.label("value"),
    ).where(
        Drawer.cashier_id.in_(asked.user_ids),
        Drawer.status == DrawerStatus.CLOSED,
        Drawer.business_date.between(asked.start, asked.end),
    )


def _requests(asked: Asked) -> Rows:
    """What somebody asked for and another decided: right the first time when it was agreed to
    without a question."""
    asked_back = exists().where(
        ApprovalEvent.approval_id == Approval.id, ApprovalEvent.what == "returned"
    )
    right = _hit((Approval.status == ApprovalStatus.EXECUTED) & ~asked_back)
    return _approvals_by(asked, Approval.maker_id, right)


def _approvals(asked: Asked) -> Rows:
    return _approvals_by(asked, Approval.checker_id, _HIT)


def _approvals_by(asked: Asked, who: Any, hit: ColumnElement[Any]) -> Rows:
    return select(
        who.label("user_id"),
        Approval.id.label("item_id"),
        Approval.decided_at.label("at"),
        literal("").label("reference"),
        Approval.command.label("what"),
        hit,
        _NO_VALUE,
    ).where(
        who.in_(asked.user_ids), Approval.status.in_(_DECIDED), *asked.holds(Approval.decided_at)
    )


def _vouches(asked: Asked) -> Rows:
    """What a supervisor has vouched for at a cashier's window, and what was then done."""
    return select(
        Confirmation.user_id.label("user_id"),
        Confirmation.id.label("item_id"),
        Confirmation.used_at.label("at"),
        literal("").label("reference"),
        Confirmation.bound_to.label("what"),
        _HIT,
        _NO_VALUE,
    ).where(
        Confirmation.user_id.in_(asked.user_ids),
        Confirmation.purpose == supervision.PURPOSE,
        Confirmation.status == ConfirmationStatus.USED,
        *asked.holds(Confirmation.used_at),
    )


_ROWS: Final[Mapping[Measure, Callable[[Asked], Rows]]] = {
    M.CASES: _cases,
    M.FIRST_REPLY: _first_reply,
    M.FIRST_IN_TIME: lambda asked: _in_time(asked, "first reply"),
    M.SOLVED_IN_TIME: lambda asked: _in_time(asked, "decided"),
    M.REOPENED: _reopened,
    M.SCORE: _scores,
    M.SLIPS: _slips,
    M.DRAWERS: _drawers,
    M.REQUESTS: _requests,
    M.APPROVALS: _approvals,
    M.VOUCHES: _vouches,
}
