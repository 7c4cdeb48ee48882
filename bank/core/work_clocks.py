"""The clocks of a work item: what was promised for it, counted in open hours of its branch.

`first` runs until the first reply, `reply` from what the customer writes afterwards until the next
one, `solve` until the decision. All of them stand still while the customer must act.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from bank.core import hours
from bank.core.desk import Tx
from bank.core.work_rows import Promise, Spans, promise_of, spans_of

CLOCKS: Final = ("first", "reply", "solve")


def opened(
    tx: Tx, branch_id: int | None, rule: Promise, since: datetime | None = None
) -> dict[str, Any]:
    """The columns of clocks that begin now, or began at an earlier moment."""
    first = rule.first_minutes * 60 or None
    return running(tx, branch_id, {"first": first, "solve": rule.solve_minutes * 60}, since)


def running(
    tx: Tx, branch_id: int | None, left: Mapping[str, int | None], since: datetime | None = None
) -> dict[str, Any]:
    """The columns of clocks that run from now (or from `since`) with so much open time left; others
    are done."""
    calendar, start = hours.calendar(tx, branch_id), since or tx.now
    values: dict[str, Any] = {}
    for clock in CLOCKS:
        seconds = left.get(clock)
        # What was late when it stopped (less than nothing left) is late by as much again.
        values[f"{clock}_due_at"] = None if seconds is None else calendar.after(start, seconds)
        values[f"{clock}_left_seconds"] = None
    return {**values, "next_due_at": nearest(values)}


def stopped(tx: Tx, row: Any) -> dict[str, Any]:
    """The columns of clocks that stand still from now on: each keeps its rest."""
    calendar = hours.calendar(tx, row.branch_id)
    values: dict[str, Any] = {}
    for clock in CLOCKS:
        due = getattr(row, f"{clock}_due_at")
        values[f"{clock}_left_seconds"] = None if due is None else calendar.between(tx.now, due)
        values[f"{clock}_due_at"] = None
    return {**values, "next_due_at": None}


def rests(row: Any) -> dict[str, int | None]:
    """How much open time the clocks of an item that waits have left."""
    return {clock: getattr(row, f"{clock}_left_seconds") for clock in CLOCKS}


def answered(row: Any) -> dict[str, Any]:
    """The columns of an item whose customer was answered: whatever asked for a reply is done."""
    done = dict.fromkeys(
        ("first_due_at", "first_left_seconds", "reply_due_at", "reply_left_seconds")
    )
    return {**done, "next_due_at": row.solve_due_at}


def is_reply_owed(row: Any) -> bool:
    """Whether a clock of a reply runs, or would if it were not at rest."""
    columns = ("first_due_at", "first_left_seconds", "reply_due_at", "reply_left_seconds")
    return any(getattr(row, column) is not None for column in columns)


def reply_seconds(tx: Tx, row: Any) -> int | None:
    """How much open time the bank has for its next reply; None where it promises none."""
    minutes = spans_of(tx, row.kind, row.priority).reply_minutes
    return minutes * 60 or None


def claim_end(tx: Tx, row: Any, since: datetime | None = None) -> datetime:
    """When a claim that is made or renewed now (or at `since`) runs out: it rests while the branch
    is closed."""
    minutes = promise_of(tx, row.kind, row.priority).claim_minutes
    return hours.calendar(tx, row.branch_id).after(since or tx.now, minutes * 60)


def assignment_end(tx: Tx, row: Any) -> datetime:
    """Until when what is handed to somebody now waits for them."""
    minutes = spans_of(tx, row.kind, row.priority).assigned_minutes
    return hours.calendar(tx, row.branch_id).after(tx.now, minutes * 60)


def under_priority(tx: Tx, row: Any, priority: int) -> dict[str, Any]:
    """The item's columns under another priority: each clock moved by the difference of the rules.

    A claim lasts as long as it was taken for.
    """
    old, new = (_minutes(tx, row.kind, each) for each in (row.priority, priority))
    calendar = hours.calendar(tx, row.branch_id)
    values: dict[str, Any] = {"priority": priority}
    for clock in CLOCKS:
        more = 60 * (new[clock] - old[clock])
        due, left = getattr(row, f"{clock}_due_at"), getattr(row, f"{clock}_left_seconds")
        values[f"{clock}_due_at"] = None if due is None else calendar.after(due, more)
        values[f"{clock}_left_seconds"] = None if left is None else left + more
    return {**values, "next_due_at": nearest(values)}


def nearest(values: Mapping[str, Any]) -> datetime | None:
    """The nearest deadline that runs."""
    running = (values[f"{clock}_due_at"] for clock in CLOCKS)
    return min((at for at in running if at is not None), default=None)


def _minutes(tx: Tx, kind: str, priority: int) -> dict[str, int]:
    rule: Promise = promise_of(tx, kind, priority)
    spans: Spans = spans_of(tx, kind, priority)
    return {
        "first": rule.first_minutes,
        "reply": spans.reply_minutes,
        "solve": rule.solve_minutes,
    }
