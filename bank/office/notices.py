"""What has happened to one's own things since one last looked.

What one asked for was decided or came back, work was handed over to one, a claim of one's own ran
out. Nothing is written for it when it happens: it is read from the histories of approvals and work.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    Boolean,
    ForeignKey,
    func,
    literal,
    literal_column,
    or_,
    select,
    union,
    union_all,
)
from sqlalchemy.orm import Mapped, aliased, mapped_column

from bank.core.approvals import Approval, ApprovalEvent, ApprovalStatus
from bank.core.db import Base, marks
from bank.core.desk import Desk, Tx, flow, looking, note, query
from bank.core.permissions import Permission
from bank.core.work_tables import HANDED_SQL, ITEMS, WorkEvent
from bank.office import queue_lists, queue_many

LOOKS_BACK: Final = timedelta(days=14)
MOST_LISTED: Final = 30
MOST_COUNTED: Final = 99
NO: Final = 0  # where an approval or an item is none
OF_APPROVALS: Final = (
    ApprovalStatus.EXECUTED,
    ApprovalStatus.REJECTED,
    ApprovalStatus.RETURNED,
    ApprovalStatus.EXPIRED,
    ApprovalStatus.FAILED,
)
RAN_OUT: Final = ("timed out", "not taken up")


class NoticeSeen(Base):
    """When somebody last looked at what has happened. Overwritten, not kept."""

    __tablename__ = "notice_seen"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    at: Mapped[datetime]


class Notice(NamedTuple):
    """One thing that happened: `act` is a word of its history, `said` what was said with it. It is
    about an approval (`title` is its command) or an item; the other one is NO."""

    at: datetime
    act: str
    approval_id: int
    item_id: int
    reference: str
    title: str
    by: str
    said: str


@query(Permission.OWN_WORK_VIEW)
def count_new(tx: Tx) -> int:
    """How much has happened since this person last looked, counted up to one beyond 99."""
    found = _happened(tx, _seen_at(tx)).limit(MOST_COUNTED + 1).subquery()
    return int(tx.connection.execute(select(func.count()).select_from(found)).scalar_one())


@flow(Permission.OWN_WORK_VIEW)
def look(desk: Desk) -> tuple[Sequence[Notice], datetime]:
    """List what has happened in two weeks, newest first, and when this person last looked.

    That is now from here on.
    """
    with looking(desk) as tx:
        seen_at = _seen_at(tx)
        rows = tx.connection.execute(_happened(tx, tx.now - LOOKS_BACK).limit(MOST_LISTED)).all()
        if rows:
            tx.looked_at("work", "notices")
        now = tx.now
    with note(desk) as tx:
        tx.cursor.execute(
            marks(
                tx.dialect,
                "INSERT INTO notice_seen (user_id, at) VALUES (?, ?)"
                " ON CONFLICT (user_id) DO UPDATE SET at = excluded.at",
            ),
            (desk.user_id, tx.stamp(now)),
        )
    return [Notice(*row) for row in rows], seen_at


def _seen_at(tx: Tx) -> datetime:
    """When this person last looked; who has not for long is told of two weeks."""
    wanted = select(NoticeSeen.at).where(NoticeSeen.user_id == tx.desk.user_id)
    earliest: datetime = tx.now - LOOKS_BACK
    return max(tx.connection.scalar(wanted) or earliest, earliest)


def _happened(tx: Tx, since: datetime) -> Any:
    """What has happened since then, newest first."""
    parts = [_to_approvals(tx, since)]
    if tx.desk.may(Permission.WORK_DO):
        parts += [_handed(tx, since), _ran_out(tx, since)]
    every = union_all(*parts).subquery()
    return select(every).order_by(every.c.at.desc(), every.c.item_id, every.c.approval_id)


def _to_approvals(tx: Tx, since: datetime) -> Any:
    """What others did with what this person has asked for."""
    event, me = ApprovalEvent, tx.desk.user_id
    return (
        select(
            event.at.label("at"),
            event.what.label("act"),
            Approval.id.label("approval_id"),
            literal(NO).label("item_id"),
            literal("").label("reference"),
            Approval.command.label("title"),
            event.by_name.label("by"),
            event.said.label("said"),
        )
        .join(Approval, Approval.id == event.approval_id)
        .where(
            Approval.maker_id == me,
            Approval.expires_at > since - LOOKS_BACK,  # nothing happens to it for long after that
            event.at > since,
            event.what.in_([each.value for each in OF_APPROVALS]),
            or_(event.by_id.is_(None), event.by_id != me),
        )
    )


def _of_items(tx: Tx, event: Any) -> Any:
    return (
        select(
            event.at.label("at"),
            event.act.label("act"),
            literal(NO).label("approval_id"),
            event.item_id.label("item_id"),
            ITEMS.c.reference,
            ITEMS.c.title,
            event.actor_name.label("by"),
            event.note.label("said"),
        )
        .join(ITEMS, ITEMS.c.id == event.item_id)
        .where(*queue_lists.in_sight(tx, (), None))
    )


def _handed(tx: Tx, since: datetime) -> Any:
    """What somebody else handed to this person."""
    event, me = WorkEvent, tx.desk.user_id
    after = aliased(WorkEvent)
    came_next = (
        select(after.act)
        .where(after.item_id == event.item_id, after.id > event.id)
        .order_by(after.id)
        .limit(1)
        .correlate(event)
        .scalar_subquery()
    )
    return _of_items(tx, event).where(
        literal_column(HANDED_SQL, Boolean()),
        event.owner_id == me,
        event.at > since,
        func.coalesce(came_next, "") != queue_many.UNDONE,
        or_(event.actor_id.is_(None), event.actor_id != me),
    )


def _ran_out(tx: Tx, since: datetime) -> Any:
    """What this person held until its time was over."""
    event, me = WorkEvent, tx.desk.user_id
    before, mine, handed = (aliased(WorkEvent) for _ in range(3))
    owner_before = (
        select(before.owner_id)
        .where(before.item_id == event.item_id, before.id < event.id)
        .order_by(before.id.desc())
        .limit(1)
        .correlate(event)
        .scalar_subquery()
    )
    earlier = since - LOOKS_BACK
    touched = union(
        select(mine.item_id).where(mine.actor_id == me, mine.at > earlier),
        select(handed.item_id).where(
            literal_column(HANDED_SQL, Boolean()), handed.owner_id == me, handed.at > earlier
        ),
    )
    return _of_items(tx, event).where(
        event.act.in_(RAN_OUT),
        event.at > since,
        event.item_id.in_(touched),
        owner_before == me,
    )
