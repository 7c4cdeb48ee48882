"""Work items: every case that waits for a person, with one clock and one history.

What a case is about (a ticket, an approval) lives with its owner, which opens, asks and decides
here in its own transaction. The clock counts open hours of the branch (`core/hours.py`), stops
while the customer must act and runs on from his answer. The history is never changed.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import insert

from bank.core import hours, search, work_rights, work_rows
from bank.core.clock import in_india
from bank.core.desk import Tx
from bank.core.errors import BadInput, NotFound, WrongState
from bank.core.permissions import Role
from bank.core.states import check_move
from bank.core.work_rows import promise_of
from bank.core.work_tables import (
    LONGEST_NOTE,
    LONGEST_TITLE,
    MOVES,
    Level,
    Priority,
    W,
    WorkItem,
)

SEARCHED: Final = "work"


class NoSuchItem(NotFound):
    """There is no such work item, or it is not at your branch. Look in your queue."""


class SomebodyElseHasIt(WrongState):
    """A colleague has this item. Choose another one, or ask them to release it."""


class NotYours(WrongState):
    """Claim this item first: only who has claimed it may act on it."""


class IsDecided(WrongState):
    """This item is decided already. Choose another one."""


class WaitsForAnAnswer(WrongState):
    """This item waits for an answer. It comes back to the queue with it."""


class NobodyAsked(WrongState):
    """Nothing was asked here, so there is nothing to answer."""


class NotDecidedYet(WrongState):
    """This item is not decided yet, so it cannot be opened again."""


class NoteMissing(BadInput):
    """Write in a few words why, 300 characters at most."""


@dataclass(frozen=True, kw_only=True)
class NewItem:
    """What is needed to open a case. `words` is what it is found by, beside reference and title;
    `for_roles` and `not_for` are as in WorkItem."""

    kind: str
    subject_id: int
    branch_id: int | None
    reference: str
    title: str
    priority: int = Priority.NORMAL
    customer_id: int | None = None
    for_roles: Collection[Role] = ()
    not_for: int | None = None
    words: str = ""


def open_item(tx: Tx, new: NewItem) -> int:
    """Open a case in this transaction, with its clocks running; answers its id."""
    return open_many(tx, [new])[0]


def open_many(tx: Tx, many: Sequence[NewItem]) -> list[int]:
    """Open many cases at once; their ids in order."""
    rules = {pair: promise_of(tx, *pair) for pair in {(new.kind, new.priority) for new in many}}
    rows = []
    for new in many:
        rule, calendar = rules[new.kind, new.priority], hours.calendar(tx, new.branch_id)
        solve = calendar.after(tx.now, rule.solve_minutes * 60)
        first = calendar.after(tx.now, rule.first_minutes * 60) if rule.first_minutes > 0 else None
        rows.append(
            {
                "kind": new.kind,
                "subject_id": new.subject_id,
                "branch_id": new.branch_id,
                "customer_id": new.customer_id,
                "for_roles": " ".join(sorted(new.for_roles)),
                "not_for": new.not_for,
                "reference": new.reference,
                "title": new.title[:LONGEST_TITLE],
                "priority": new.priority,
                "level": Level.DESK,
                "status": W.UNASSIGNED,
                "opened_at": tx.now,
                "first_due_at": first,
                "solve_due_at": solve,
                "next_due_at": solve if first is None else min(first, solve),
            }
        )
    ids = list(
        tx.connection.execute(
            insert(WorkItem).returning(WorkItem.id, sort_by_parameter_order=True), rows
        ).scalars()
    )
    search.keep_many(
        tx,
        SEARCHED,
        [
            (item_id, f"{new.reference} {new.title} {new.words}")
            for item_id, new in zip(ids, many, strict=True)
        ],
    )
    work_rows.tell(tx, [{"item_id": item_id, "act": "opened"} for item_id in ids])
    return ids


def held(tx: Tx, item_id: int) -> Any:
    """The item, held until the transaction ends, if this desk may see it; or NoSuchItem."""
    row = work_rows.by_id(tx, item_id, is_held=True)
    if row is None or not work_rights.may_see(tx.desk, row):
        raise NoSuchItem
    return row


def item_of(tx: Tx, kind: str, subject_id: int) -> Any:
    """The item of a subject, held until the transaction ends, whoever asks."""
    row = item_if_any(tx, kind, subject_id)
    assert row is not None, f"{kind} {subject_id} has no item"
    return row


def item_if_any(tx: Tx, kind: str, subject_id: int, *, is_held: bool = True) -> Any:
    """The same, or None for a subject that is older than the queues."""
    return work_rows.by_subject(tx, kind, subject_id, is_held=is_held)


def is_timed_out(row: Any, now: datetime) -> bool:
    """Whether a claim has run out, also before anybody wrote that down."""
    return row.status is W.CLAIMED and row.claimed_until is not None and row.claimed_until <= now


def take(tx: Tx, row: Any, *, is_entitled: bool = False) -> None:
    """Take a held item for the person at the desk, or say who has it. Their own is theirs already.

    `is_entitled`: whose case it is has asked already whether this person may decide about it.
    Nothing is written before the last refusal.
    """
    work_rights.check_working(tx, row, is_entitled=is_entitled)
    is_mine = row.owner_id == tx.desk.user_id
    if row.status is W.CLAIMED and not is_timed_out(row, tx.now):
        if is_mine:
            return
        since = in_india(row.claimed_at)
        raise SomebodyElseHasIt(f"{row.owner_name} has this item since {since:%H:%M}.")
    if row.status is W.DECIDED:
        raise IsDecided
    if row.status is W.WAITING:
        raise WaitsForAnAnswer
    assert tx.desk.user_id is not None
    give_to(tx, row, tx.desk.user_id, tx.desk.name, "claimed")


def give_to(tx: Tx, row: Any, owner_id: int, owner_name: str, act: str, note: str = "") -> None:
    """Make somebody the owner of a held item. One that waits for the customer goes on waiting."""
    if row.status is W.WAITING:
        change(tx, row, {"owner_id": owner_id, "owner_name": owner_name}, act, note)
        return
    check_move(row.status, W.CLAIMED, MOVES)
    values = {
        "status": W.CLAIMED,
        "owner_id": owner_id,
        "owner_name": owner_name,
        "claimed_at": tx.now,
        "claimed_until": _claim_end(tx, row),
    }
    change(tx, row, values, act, note)


def put_back(tx: Tx, row: Any, act: str, note: str = "", **more: object) -> None:
    """Nobody owns the item any more. One that waits for the customer goes on waiting."""
    nobody = {"owner_id": None, "owner_name": None, "claimed_at": None, "claimed_until": None}
    if row.status is W.WAITING:
        change(tx, row, {**nobody, **more}, act, note)
        return
    check_move(row.status, W.UNASSIGNED, MOVES)
    change(tx, row, {"status": W.UNASSIGNED, **nobody, **more}, act, note)


def check_owner(tx: Tx, row: Any) -> None:
    """Raise NotYours unless the person at the desk has claimed this held item."""
    if row.owner_id != tx.desk.user_id or row.status not in {W.CLAIMED, W.WAITING}:
        raise NotYours


def go_on(tx: Tx, row: Any) -> None:
    """Whoever works on an item they have claimed keeps it: the claim lasts from now on."""
    if row.owner_id == tx.desk.user_id and row.status is W.CLAIMED:
        work_rows.write(tx, row.id, {"claimed_until": _claim_end(tx, row)})


def _claim_end(tx: Tx, row: Any) -> datetime:
    return tx.now + timedelta(minutes=promise_of(tx, row.kind, row.priority).claim_minutes)


def first_reply(tx: Tx, row: Any) -> None:
    """The customer has been answered for the first time: that clock is done."""
    if row.first_due_at is None and row.first_left_seconds is None:
        return
    values = {"first_due_at": None, "first_left_seconds": None, "next_due_at": row.solve_due_at}
    due = _promised(tx, row, row.first_due_at, row.first_left_seconds)
    change(tx, row, values, "first reply", due_at=due)


def ask(tx: Tx, row: Any, note: str = "") -> None:
    """The customer (or whoever began it) must act: the clocks stand still."""
    check_move(row.status, W.WAITING, MOVES)
    calendar = hours.calendar(tx, row.branch_id)

    def left(due: datetime | None) -> int | None:
        return None if due is None else calendar.between(tx.now, due)

    values = {
        "status": W.WAITING,
        "first_due_at": None,
        "first_left_seconds": left(row.first_due_at),
        "solve_due_at": None,
        "solve_left_seconds": left(row.solve_due_at),
        "next_due_at": None,
        "claimed_until": None,
    }
    change(tx, row, values, "asked", note)


def answer(tx: Tx, row: Any, note: str = "") -> None:
    """They have acted: the clocks run on with what was left, at the owner's desk."""
    if row.status is not W.WAITING:  # the same moves also claim, and open again
        raise NobodyAsked
    owned = row.owner_id is not None
    check_move(row.status, W.CLAIMED if owned else W.UNASSIGNED, MOVES)
    values = running(tx, row.branch_id, row.first_left_seconds, row.solve_left_seconds)
    if owned:
        values["claimed_until"] = _claim_end(tx, row)
    values["status"] = W.CLAIMED if owned else W.UNASSIGNED
    change(tx, row, values, "answered", note)


def decide(tx: Tx, row: Any, outcome: str, note: str = "") -> None:
    """The case is closed, by the person at the desk."""
    check_move(row.status, W.DECIDED, MOVES)
    stopped = dict.fromkeys(
        ("first_due_at", "first_left_seconds", "solve_left_seconds", "next_due_at", "claimed_until")
    )
    values = {
        "status": W.DECIDED,
        **stopped,
        "decided_at": tx.now,
        "decided_by": tx.desk.user_id,
        "decided_by_name": tx.desk.name,
        "outcome": outcome,
    }
    due = _promised(tx, row, row.solve_due_at, row.solve_left_seconds)
    change(tx, row, values, "decided", note or outcome, due_at=due)


def _promised(
    tx: Tx, row: Any, due_at: datetime | None, left_seconds: int | None
) -> datetime | None:
    """By when a clock is to be stopped; of one at rest, were it to run on from now."""
    if due_at is not None or left_seconds is None:
        return due_at
    return hours.calendar(tx, row.branch_id).after(tx.now, left_seconds)


def reopen(tx: Tx, row: Any, note: str = "") -> None:
    """A decided case comes back to the queue with a new promise."""
    if row.status is not W.DECIDED:
        raise NotDecidedYet
    rule = promise_of(tx, row.kind, row.priority)
    first_seconds = rule.first_minutes * 60 or None
    values = running(tx, row.branch_id, first_seconds, rule.solve_minutes * 60)
    put_back(tx, row, "re-opened", note, **values, outcome=None, decided_at=None, decided_by=None,
             decided_by_name=None)  # fmt: skip


def running(
    tx: Tx, branch_id: int, first_seconds: int | None, solve_seconds: int | None
) -> dict[str, Any]:
    """The columns of clocks that run from now with so much open time left."""
    calendar = hours.calendar(tx, branch_id)

    def due(left: int | None) -> datetime | None:
        # What was late when it stopped (less than nothing left) is late by as much again.
        return None if left is None else calendar.after(tx.now, left)

    first, solve = due(first_seconds), due(solve_seconds)
    return {
        "first_due_at": first,
        "first_left_seconds": None,
        "solve_due_at": solve,
        "solve_left_seconds": None,
        "next_due_at": min((at for at in (first, solve) if at is not None), default=None),
    }


def under_priority(tx: Tx, row: Any, priority: int) -> dict[str, Any]:
    """The item's columns under another priority: each clock moved by the difference of the rules.

    A claim lasts as long as it was taken for.
    """
    old, new = (promise_of(tx, row.kind, each) for each in (row.priority, priority))
    calendar = hours.calendar(tx, row.branch_id)
    values: dict[str, Any] = {"priority": priority}
    for clock in ("first", "solve"):
        more = 60 * (getattr(new, f"{clock}_minutes") - getattr(old, f"{clock}_minutes"))
        due, left = getattr(row, f"{clock}_due_at"), getattr(row, f"{clock}_left_seconds")
        values[f"{clock}_due_at"] = None if due is None else calendar.after(due, more)
        values[f"{clock}_left_seconds"] = None if left is None else left + more
    running = (values["first_due_at"], values["solve_due_at"])
    values["next_due_at"] = min((at for at in running if at is not None), default=None)
    return values


def change(
    tx: Tx,
    row: Any,
    values: Mapping[str, Any],
    act: str,
    note: str = "",
    due_at: datetime | None = None,
) -> None:
    """Write new values of a held item and the line of its history."""
    work_rows.write(tx, row.id, values)
    owner = {name: values.get(name, getattr(row, name)) for name in ("owner_id", "owner_name")}
    line = {"item_id": row.id, "act": act, "note": note, "due_at": due_at, **owner}
    work_rows.tell(tx, [line])


def clean_note(note: str, *, may_be_empty: bool = False) -> str:
    """A remark in one line, or NoteMissing."""
    clean = " ".join(note.split())
    if len(clean) > LONGEST_NOTE or not (clean or may_be_empty):
        raise NoteMissing(field="note")
    return clean
