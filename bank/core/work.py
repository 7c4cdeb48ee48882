"""Work items: every case that waits for a person, with one clock and one history.

What a case is about (a ticket, an approval) lives with its owner, which opens, asks and decides
here in its own transaction. The clocks (`core/work_clocks.py`) count open hours of the branch, stop
while the customer must act and run on from his answer. The history is never changed.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert

from bank.core import hours, search, work_clocks, work_rights, work_rows
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
    Channel,
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
    `for_roles` and `not_for` are as in WorkItem; its clocks run from `since`, or from now."""

    kind: str
    subject_id: int
    branch_id: int | None
    reference: str
    title: str
    priority: int = Priority.NORMAL
    customer_id: int | None = None
    for_roles: Collection[Role] = ()
    not_for: int | None = None
    category: str | None = None
    channel: Channel = Channel.DESK
    words: str = ""
    since: datetime | None = None


def open_item(tx: Tx, new: NewItem) -> int:
    """Open a case in this transaction, with its clocks running; answers its id."""
    return open_many(tx, [new])[0]


def open_many(tx: Tx, many: Sequence[NewItem]) -> list[int]:
    """Open many cases at once; their ids in order."""
    rules = {pair: promise_of(tx, *pair) for pair in {(new.kind, new.priority) for new in many}}
    rows = []
    for new in many:
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
                "category": new.category,
                "channel": new.channel,
                "priority": new.priority,
                "level": Level.DESK,
                "status": W.UNASSIGNED,
                "opened_at": new.since or tx.now,
                **work_clocks.opened(tx, new.branch_id, rules[new.kind, new.priority], new.since),
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
        if not is_mine:
            since = in_india(row.claimed_at)
            raise SomebodyElseHasIt(f"{row.owner_name} has this item since {since:%H:%M}.")
        if row.assigned_by is not None:
            change(tx, row, _going_on(tx, row), "claimed")
        return
    if row.status is W.DECIDED:
        raise IsDecided
    if row.status is W.WAITING:
        raise WaitsForAnAnswer
    assert tx.desk.user_id is not None
    check_move(row.status, W.CLAIMED, MOVES)
    values = {
        "status": W.CLAIMED,
        "owner_id": tx.desk.user_id,
        "owner_name": tx.desk.name,
        "claimed_at": tx.now,
        "claimed_until": work_clocks.claim_end(tx, row),
        "assigned_by": None,
    }
    change(tx, row, values, "claimed")


def give_to(tx: Tx, row: Any, owner_id: int, owner_name: str, act: str, note: str = "") -> None:
    """Hand a held item to somebody, who may be out at lunch: it waits for them longer than a claim
    lasts. One that waits for the customer goes on waiting."""
    values: dict[str, Any] = {
        "owner_id": owner_id,
        "owner_name": owner_name,
        "assigned_by": tx.desk.user_id,
        "rests_until": None,
    }
    if row.status is not W.WAITING:
        check_move(row.status, W.CLAIMED, MOVES)
        end = work_clocks.assignment_end(tx, row)
        values |= {"status": W.CLAIMED, "claimed_at": tx.now, "claimed_until": end}
    change(tx, row, values, act, note)


def put_back(tx: Tx, row: Any, act: str, note: str = "", **more: object) -> None:
    """Nobody owns the item any more. One that waits for the customer goes on waiting."""
    nobody = dict.fromkeys(_OWNING)
    if row.status is W.WAITING:
        change(tx, row, {**nobody, **more}, act, note)
        return
    check_move(row.status, W.UNASSIGNED, MOVES)
    change(tx, row, {"status": W.UNASSIGNED, **nobody, **more}, act, note)


_OWNING: Final = (
    *("owner_id", "owner_name", "claimed_at", "claimed_until", "assigned_by", "rests_until"),
)


def check_owner(tx: Tx, row: Any) -> None:
    """Raise NotYours unless the person at the desk has claimed this held item."""
    if row.owner_id != tx.desk.user_id or row.status not in {W.CLAIMED, W.WAITING}:
        raise NotYours


def go_on(tx: Tx, row: Any) -> None:
    """Whoever works on an item they have claimed keeps it: the claim lasts from now on."""
    if row.owner_id == tx.desk.user_id and row.status is W.CLAIMED:
        work_rows.write(tx, row.id, _going_on(tx, row))


def _going_on(tx: Tx, row: Any) -> dict[str, Any]:
    """A claim that is renewed; what was handed over and is taken up, and what was set aside, keeps
    its longer span."""
    end = work_clocks.claim_end(tx, row)
    is_longer = row.assigned_by is not None or is_resting(row, tx.now)
    if is_longer and row.claimed_until is not None:
        end = max(end, row.claimed_until)
    return {"claimed_until": end, "assigned_by": None}


def is_resting(row: Any, now: datetime) -> bool:
    """Whether its owner has set it aside until a moment that is still to come."""
    return row.rests_until is not None and row.rests_until > now


def set_aside(tx: Tx, row: Any, until: datetime, note: str) -> None:
    """Let a claimed item rest until a moment: it stays with its owner, and its clocks run on."""
    check_owner(tx, row)
    if row.status is W.WAITING:
        raise WaitsForAnAnswer
    end = work_clocks.claim_end(tx, row, until)
    values = {"rests_until": until, "claimed_until": end, "assigned_by": None}
    change(tx, row, values, "set aside", note)


def take_up(tx: Tx, row: Any, note: str = "") -> Any:
    """End the rest of an item, if it rests; the row as it is then."""
    if not is_resting(row, tx.now):
        return row
    values = {"rests_until": None, "claimed_until": work_clocks.claim_end(tx, row)}
    change(tx, row, values, "taken up", note)
    return row._replace(**values)


def replied(tx: Tx, row: Any) -> None:
    """The customer has been answered: the clock of the first or of the next reply is done."""
    if not work_clocks.is_reply_owed(row):
        return
    is_first = row.first_due_at is not None or row.first_left_seconds is not None
    act = "first reply" if is_first else "reply"
    due_at, left = (
        (row.first_due_at, row.first_left_seconds)
        if is_first
        else (row.reply_due_at, row.reply_left_seconds)
    )
    due = _promised(tx, row, due_at, left)
    change(tx, row, work_clocks.answered(row), act, due_at=due)


def ask(tx: Tx, row: Any, note: str = "") -> None:
    """The customer (or whoever began it) must act: the clocks stand still."""
    check_move(row.status, W.WAITING, MOVES)
    still = dict.fromkeys(("claimed_until", "rests_until"))
    change(tx, row, {"status": W.WAITING, **work_clocks.stopped(tx, row), **still}, "asked", note)


def answer(tx: Tx, row: Any, note: str = "", *, is_reply_owed: bool = False) -> None:
    """They have acted: the clocks run on with what was left, at the owner's desk. A reply may be
    owed for it."""
    if row.status is not W.WAITING:  # the same moves also claim, and open again
        raise NobodyAsked
    owned = row.owner_id is not None
    check_move(row.status, W.CLAIMED if owned else W.UNASSIGNED, MOVES)
    left = work_clocks.rests(row)
    if is_reply_owed and not work_clocks.is_reply_owed(row):
        left["reply"] = work_clocks.reply_seconds(tx, row)
    values = work_clocks.running(tx, row.branch_id, left)
    if owned:
        is_handed = row.assigned_by is not None
        end = work_clocks.assignment_end if is_handed else work_clocks.claim_end
        values["claimed_until"] = end(tx, row)
    values["status"] = W.CLAIMED if owned else W.UNASSIGNED
    change(tx, row, values, "answered", note)


def hear(tx: Tx, row: Any, note: str = "") -> None:
    """The customer has written more about an open case: the bank owes the next reply, unless it
    owes one already. What was set aside is taken up."""
    row = take_up(tx, row, note)
    if row.status is W.WAITING:
        answer(tx, row, note, is_reply_owed=True)
        return
    seconds = work_clocks.reply_seconds(tx, row)
    if work_clocks.is_reply_owed(row) or seconds is None:
        return
    due = hours.calendar(tx, row.branch_id).after(tx.now, seconds)
    values = {"reply_due_at": due, "next_due_at": min(due, row.solve_due_at)}
    change(tx, row, values, "wrote", note)


def decide(tx: Tx, row: Any, outcome: str, note: str = "") -> None:
    """The case is closed, by the person at the desk."""
    check_move(row.status, W.DECIDED, MOVES)
    values = {
        "status": W.DECIDED,
        **dict.fromkeys(_STOPPED),
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


_STOPPED: Final = (  # of the deadlines one stays, to be compared with
    *("first_due_at", "first_left_seconds", "reply_due_at", "reply_left_seconds"),
    *("solve_left_seconds", "next_due_at", "claimed_until", "assigned_by", "rests_until"),
)


def reopen(tx: Tx, row: Any, note: str = "") -> None:
    """A decided case comes back to the queue with a new promise."""
    if row.status is not W.DECIDED:
        raise NotDecidedYet
    values = work_clocks.opened(tx, row.branch_id, promise_of(tx, row.kind, row.priority))
    put_back(tx, row, "re-opened", note, **values, outcome=None, decided_at=None, decided_by=None,
             decided_by_name=None)  # fmt: skip


def change(
    tx: Tx,
    row: Any,
    values: Mapping[str, Any],
    act: str,
    note: str = "",
    due_at: datetime | None = None,
) -> None:
    """Write new values of a held item and the line of its history."""
    due = values.get("next_due_at")
    if is_resting(row, tx.now) and due is not None and due < row.rests_until:
        # No deadline passes while it rests, and what rests no more is claimed as long as others.
        values = {"rests_until": None, "claimed_until": work_clocks.claim_end(tx, row), **values}
    work_rows.write(tx, row.id, values)
    _tell(tx, row, values, act, note, due_at)


def remark(tx: Tx, row: Any, act: str, note: str) -> None:
    """A line in the history of an item that changes nothing about it."""
    _tell(tx, row, {}, act, note, None)


def _tell(
    tx: Tx, row: Any, values: Mapping[str, Any], act: str, note: str, due_at: datetime | None
) -> None:
    owner = {name: values.get(name, getattr(row, name)) for name in ("owner_id", "owner_name")}
    line = {"item_id": row.id, "act": act, "note": note, "due_at": due_at, **owner}
    work_rows.tell(tx, [line])


def clean_note(note: str, *, may_be_empty: bool = False) -> str:
    """A remark in one line, or NoteMissing."""
    clean = " ".join(note.split())
    if len(clean) > LONGEST_NOTE or not (clean or may_be_empty):
        raise NoteMissing(field="note")
    return clean
