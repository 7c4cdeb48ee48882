"""Several items of a queue at once: what would become of each, what did, and back again.

    claim_many, reassign_many --within some seconds--> undo_many

Whoever did something to several may take it back for a while: each item to which nothing has
happened since goes back to where it was, the others say why not. Nothing is deleted by it; the undo
is one more line of the history. How long a while is, a dated rule says, by the bank's own clock.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ForeignKey, Index, String, exists, func, insert, select
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Mapped, mapped_column

from bank.book.drafts import RequestReused
from bank.core import work
from bank.core.dated import value_today
from bank.core.db import Base
from bank.core.desk import Desk, Tx, command, flow, note, query
from bank.core.errors import BankError, NotFound, WrongState
from bank.core.permissions import Permission
from bank.core.states import check_move
from bank.core.work_tables import ITEMS, LONGEST_NOTE, MOVES, W, WorkEvent, WorkStatus
from bank.office import queue

MOST_AT_ONCE: Final = 100
UNDONE: Final = "undone"  # of the history of an item
FOR_SECONDS: Final = "undo_seconds"  # of the rules


class TooManyAtOnce(work.NoteMissing):
    """Choose at most 100 items at once."""


class NothingToUndo(NotFound):
    """There is nothing here that you did to several items. Look in the history of each."""


class TooLateToUndo(WrongState):
    """The time to undo this is over. Release the items, or hand them over, one by one."""


class WorkedOnSince(WrongState):
    """Something has happened to this item since. It stays as it is."""


class BulkKind(StrEnum):
    """What is done to several items at once."""

    CLAIM = "claim"
    HAND_OVER = "hand over"


class QueueRule(Base):
    """A number that holds from a date until a later row replaces it; the unit is the last word."""

    __tablename__ = "queue_rules"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    effective_from: Mapped[date] = mapped_column(primary_key=True)
    value: Mapped[int]
    source: Mapped[str] = mapped_column(String(300))


class BulkAct(Base):
    """What somebody did to several items at once; `to_id` is whom they were handed to. Triggers
    refuse every change."""

    __tablename__ = "bulk_acts"
    __table_args__ = (Index("ix_bulk_acts_by_id", "by_id", "at"),)

    request_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    kind: Mapped[BulkKind]
    to_id: Mapped[int | None]
    by_id: Mapped[int]
    at: Mapped[datetime]


class BulkItem(Base):
    """What became of one of them: why it was refused, or the line of its history (none where it was
    so already), until when it is claimed by it, and where it was before. Triggers refuse every
    change."""

    __tablename__ = "bulk_items"

    request_id: Mapped[str] = mapped_column(ForeignKey("bulk_acts.request_id"), primary_key=True)
    item_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    refused: Mapped[str | None] = mapped_column(String(LONGEST_NOTE))
    event_id: Mapped[int | None]
    claimed_until: Mapped[datetime | None]
    was_status: Mapped[WorkStatus | None]
    was_owner_id: Mapped[int | None]
    was_owner_name: Mapped[str | None] = mapped_column(String(120))
    was_claimed_at: Mapped[datetime | None]
    was_claimed_until: Mapped[datetime | None]
    was_assigned_by: Mapped[int | None]
    was_rests_until: Mapped[datetime | None]


WAS: Final = (
    *("status", "owner_id", "owner_name", "claimed_at", "claimed_until", "assigned_by"),
    "rests_until",
)


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """What became of one of several items; `refused` says why it was not."""

    item_id: int
    refused: str | None = None


@dataclass(frozen=True, kw_only=True)
class Undoable:
    """What its doer may still undo: of how many items, and until when."""

    request_id: str
    kind: BulkKind
    count: int
    until: datetime


@command(Permission.WORK_DO)
def claim_many(tx: Tx, item_ids: Sequence[int], *, request_id: str) -> list[Claimed]:
    """Take several items; what cannot be taken is told, item by item, and stops no other."""
    act = BulkAct(request_id=request_id, kind=BulkKind.CLAIM)
    results = _once(tx, act, item_ids, lambda row: work.take(tx, row))
    tx.facts["claimed"] = [one.item_id for one in results if one.refused is None]
    return results


@command(Permission.WORK_LEAD)
def reassign_many(
    tx: Tx, item_ids: Sequence[int], user_id: int, why: str, *, request_id: str
) -> list[Claimed]:
    """Hand several items to a colleague, saying why; what cannot be is told, item by item."""
    note_text = work.clean_note(why)
    queue.colleague(tx, user_id)
    act = BulkAct(request_id=request_id, kind=BulkKind.HAND_OVER, to_id=user_id)
    results = _once(tx, act, item_ids, lambda row: queue.hand_to(tx, row, user_id, note_text))
    tx.facts["handed"] = [one.item_id for one in results if one.refused is None]
    return results


@flow(Permission.WORK_DO)
def preview_claims(desk: Desk, item_ids: Sequence[int]) -> list[Claimed]:
    """Say what claiming several items now would come to, item by item; nothing is done."""
    with note(desk) as tx:
        return _rehearsed(tx, item_ids, lambda row: work.take(tx, row))


@flow(Permission.WORK_LEAD)
def preview_reassignments(desk: Desk, item_ids: Sequence[int], user_id: int) -> list[Claimed]:
    """Say what handing several items to a colleague now would come to; nothing is done."""
    with note(desk) as tx:
        queue.colleague(tx, user_id)
        return _rehearsed(tx, item_ids, lambda row: queue.hand_to(tx, row, user_id, ""))


@query(Permission.WORK_DO)
def undoable(tx: Tx) -> Undoable | None:
    """Say what this person did last to several items and may still undo; None when nothing."""
    last = timedelta(seconds=value_today(tx, QueueRule, FOR_SECONDS))
    happened_since = exists().where(
        WorkEvent.item_id == BulkItem.item_id, WorkEvent.id > BulkItem.event_id
    )
    found = tx.connection.execute(
        select(BulkAct.request_id, BulkAct.kind, BulkAct.at, func.count().label("count"))
        .join(BulkItem, BulkItem.request_id == BulkAct.request_id)
        .where(
            BulkAct.by_id == tx.desk.user_id,
            BulkAct.at > tx.now - last,
            BulkItem.event_id.is_not(None),
            ~happened_since,
        )
        .group_by(BulkAct.request_id, BulkAct.kind, BulkAct.at)
        .order_by(BulkAct.at.desc())
        .limit(1)
    ).first()
    if found is None:
        return None
    request_id, kind, at, count = found
    return Undoable(request_id=request_id, kind=kind, count=count, until=at + last)


@command(Permission.WORK_DO)
def undo_many(tx: Tx, request_id: str) -> list[Claimed]:
    """Put back what one did to several items a moment ago; what cannot be is told, item by item."""
    tx.concerns("bulk act", request_id)
    act = tx.session.get(BulkAct, request_id)
    if act is None or act.by_id != tx.desk.user_id:
        raise NothingToUndo
    if tx.now >= act.at + timedelta(seconds=value_today(tx, QueueRule, FOR_SECONDS)):
        raise TooLateToUndo
    done = {one.item_id: one for one in _items_of(tx, request_id) if one.event_id is not None}
    results, _ = _each(tx, list(done), lambda row: _put_back(tx, row, done[row.id], act.kind))
    tx.facts["put back"] = [one.item_id for one in results if one.refused is None]
    return results


def _once(
    tx: Tx, act: BulkAct, item_ids: Sequence[int], do: Callable[[Any], None]
) -> list[Claimed]:
    """Do it and keep what became of each; the same request again gives the first answer."""
    check_count(item_ids)
    assert tx.desk.user_id is not None
    insert_new = postgres_insert if tx.dialect == "postgresql" else sqlite_insert
    begun = insert_new(BulkAct).values(
        request_id=act.request_id,
        kind=act.kind,
        to_id=act.to_id,
        by_id=tx.desk.user_id,
        at=tx.now,
    )
    # A second click waits here for the first one, and then reads what became of it.
    made = begun.on_conflict_do_nothing().returning(BulkAct.request_id)
    if tx.connection.execute(made).first() is None:
        return _first_answer(tx, act, item_ids)
    last = tx.connection.scalar(select(func.max(WorkEvent.id))) or 0
    results, was = _each(tx, item_ids, do)
    _keep(tx, act.request_id, results, was, last)
    return results


def _first_answer(tx: Tx, act: BulkAct, item_ids: Sequence[int]) -> list[Claimed]:
    first = tx.session.get_one(BulkAct, act.request_id)
    told = {one.item_id: one for one in _items_of(tx, act.request_id)}
    asked = (act.kind, act.to_id, tx.desk.user_id, set(item_ids))
    if (first.kind, first.to_id, first.by_id, set(told)) != asked:
        raise RequestReused
    return [
        Claimed(item_id=item_id, refused=told[item_id].refused)
        for item_id in dict.fromkeys(item_ids)
    ]


def _keep(
    tx: Tx, request_id: str, results: Sequence[Claimed], was: Mapping[int, Any], last: int
) -> None:
    """Keep what became of each item, and where those that were done came from."""
    lines = select(WorkEvent.item_id, func.max(WorkEvent.id)).where(
        WorkEvent.id > last, WorkEvent.item_id.in_(list(was)), WorkEvent.actor_id == tx.desk.user_id
    )
    line_of = {
        item: line for item, line in tx.connection.execute(lines.group_by(WorkEvent.item_id))
    }
    ends = select(ITEMS.c.id, ITEMS.c.claimed_until).where(ITEMS.c.id.in_(list(was)))
    until = {item: end for item, end in tx.connection.execute(ends)}
    rows = [
        {
            "request_id": request_id,
            "item_id": one.item_id,
            "refused": None if one.refused is None else one.refused[:LONGEST_NOTE],
            "event_id": line_of.get(one.item_id),
            "claimed_until": until.get(one.item_id),
            **_before(tx, was.get(one.item_id)),
        }
        for one in results
    ]
    if rows:
        tx.connection.execute(insert(BulkItem), rows)


def _before(tx: Tx, row: Any) -> dict[str, Any]:
    """Where an item was; of a claim that had run out nothing is left to go back to."""
    if row is None:
        return {f"was_{name}": None for name in WAS}
    if work.is_timed_out(row, tx.now):
        return {**{f"was_{name}": None for name in WAS}, "was_status": W.UNASSIGNED}
    return {f"was_{name}": getattr(row, name) for name in WAS}


def _put_back(tx: Tx, row: Any, kept: BulkItem, kind: BulkKind) -> None:
    """One item back to where it was, unless something has happened to it. Once more is no
    mistake."""
    since = tx.connection.execute(
        select(WorkEvent.act, WorkEvent.actor_id, WorkEvent.actor_name)
        .where(WorkEvent.item_id == row.id, WorkEvent.id > (kept.event_id or 0))
        .order_by(WorkEvent.id)
        .limit(1)
    ).first()
    if since is not None:
        if (since.act, since.actor_id) == (UNDONE, tx.desk.user_id):
            return
        who = "You have" if since.actor_id == tx.desk.user_id else f"{since.actor_name} has"
        raise WorkedOnSince(f"{who} worked on it since ({since.act}). It stays as it is.")
    if row.claimed_until != kept.claimed_until:  # work on a claim prolongs it without a line
        who = "You have" if row.owner_id == tx.desk.user_id else f"{row.owner_name} has"
        raise WorkedOnSince(f"{who} worked on it since. It stays as it is.")
    owner_id = kept.was_owner_id
    if owner_id is not None and owner_id != tx.desk.user_id:
        queue.colleague(tx, owner_id)  # who has just left or is away gets nothing back
    before = {name: getattr(kept, f"was_{name}") for name in WAS}
    if before["status"] is not row.status:
        check_move(row.status, before["status"], MOVES)
    work.change(tx, row, before, UNDONE, f"{kind} of several")


def _items_of(tx: Tx, request_id: str) -> Sequence[BulkItem]:
    return tx.session.scalars(
        select(BulkItem).where(BulkItem.request_id == request_id).order_by(BulkItem.item_id)
    ).all()


def _rehearsed(tx: Tx, item_ids: Sequence[int], do: Callable[[Any], None]) -> list[Claimed]:
    """Do it and take everything back."""
    check_count(item_ids)
    tx.cursor.execute("SAVEPOINT rehearsal")
    results, _ = _each(tx, item_ids, do)
    tx.cursor.execute("ROLLBACK TO SAVEPOINT rehearsal")
    tx.cursor.execute("RELEASE SAVEPOINT rehearsal")
    return results


def check_count(item_ids: Sequence[int]) -> None:
    """Refuse more items at once than one looks through."""
    if len(item_ids) > MOST_AT_ONCE:
        raise TooManyAtOnce(field="items")


def _each(
    tx: Tx, item_ids: Sequence[int], do: Callable[[Any], None]
) -> tuple[list[Claimed], dict[int, Any]]:
    """Do the same with several items; a refusal is raised before anything is written for one.
    Answers what became of each, and those that were done as they were before."""
    results: dict[int, Claimed] = {}
    was: dict[int, Any] = {}
    for item_id in sorted(set(item_ids)):  # in one order, so that two of these never wait in a ring
        try:
            row = work.held(tx, item_id)
            do(row)
        except BankError as refusal:
            results[item_id] = Claimed(item_id=item_id, refused=str(refusal))
        else:
            results[item_id] = Claimed(item_id=item_id)
            was[item_id] = row
    return [results[item_id] for item_id in dict.fromkeys(item_ids)], was
