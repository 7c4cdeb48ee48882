"""What is kept of work items: the item, its history, the promise of its kind. See core/work.py.

             .--release, time-out--.
             v                     |
unassigned --claim--> claimed --ask the customer--> waiting
    |  ^                |  ^--------answer-------------'
    |  '---re-open------|-------------------.
    '--withdraw--> decided <--decide--------'
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ForeignKey, Index, SmallInteger, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from bank.core.db import Base
from bank.core.permissions import Permission
from bank.core.states import machine

LONGEST_TITLE: Final = 160
LONGEST_NOTE: Final = 300
LONGEST_ROLES: Final = 200


class WorkStatus(StrEnum):
    """Where a work item is."""

    UNASSIGNED = "unassigned"
    CLAIMED = "claimed"
    WAITING = "waiting"
    DECIDED = "decided"


W = WorkStatus
MOVES: Final = machine(
    "work item",
    {
        W.UNASSIGNED: {W.CLAIMED, W.DECIDED},
        W.CLAIMED: {W.UNASSIGNED, W.CLAIMED, W.WAITING, W.DECIDED},
        W.WAITING: {W.UNASSIGNED, W.CLAIMED, W.DECIDED},
        W.DECIDED: {W.UNASSIGNED},
    },
)


class Channel(StrEnum):
    """The way a case came."""

    PORTAL = "portal"
    DESK = "desk"
    FILE = "file"


class Priority:
    """How pressing a case is: 1 goes before 4."""

    URGENT: Final = 1
    HIGH: Final = 2
    NORMAL: Final = 3
    LOW: Final = 4
    NAMES: Final[Mapping[int, str]] = {1: "urgent", 2: "high", 3: "normal", 4: "low"}


class Level:
    """How far up the line a case has been escalated."""

    DESK: Final = 0
    LEAD: Final = 1
    HEAD: Final = 2


@dataclass(frozen=True)
class WorkKind:
    """A kind of case: its words, the permission by which a person works on it, and what its items
    are about: names by code, where its owner sorts them."""

    name: str
    title: str
    permission: Permission
    categories: Callable[[Any], Mapping[str, str]] = lambda _tx: {}


KINDS: Final[dict[str, WorkKind]] = {}


def register_kind(kind: WorkKind) -> WorkKind:
    """Make a kind of case known; once, where its owner is."""
    assert kind.name not in KINDS, f"two kinds of work are called {kind.name}"
    KINDS[kind.name] = kind
    return kind


# In the words of the indexes, and without a parameter, or SQLite would not see that they serve.
ABOVE_DESK_SQL: Final = "level > 0"
ESCALATED_SQL: Final = "level > 0 AND status <> 'decided'"
HANDED_SQL: Final = "act IN ('re-assigned', 'handed over')"  # of what happened to an item


class WorkItem(Base):
    """One case. `kind` and `subject_id` lead to what it is about. One without a branch is the head
    office's. `for_roles` narrows who may take it (none named: whoever has the kind's permission),
    and `not_for` is the one person who never may: who began it. `category` is a code of its kind.

    `first_due_at` is the deadline of the first reply, gone once there is one; `reply_due_at` that
    of the next one, once the customer has written again; `solve_due_at` that of the decision.
    While the customer must act they stand still: their rest is kept in `..._left_seconds` (open
    time), and `next_due_at`, the nearest one that runs, is empty. `assigned_by` is who handed it
    to its owner, until the owner takes it up. `rests_until` is when its owner takes up again what
    was set aside: the clocks run on, and a moment that is past says nothing.
    """

    __tablename__ = "work_items"
    __table_args__ = (
        UniqueConstraint("kind", "subject_id"),
        Index("ix_work_items_queue", "status", "branch_id", "priority", "next_due_at", "id"),
        Index("ix_work_items_bank", "status", "priority", "next_due_at", "id"),
        Index("ix_work_items_owner", "owner_id", "status", "priority", "next_due_at", "id"),
        Index("ix_work_items_due", "branch_id", "next_due_at", "id"),
        Index("ix_work_items_bank_due", "next_due_at", "id"),
        Index("ix_work_items_decided", "branch_id", "decided_at", "id"),
        Index("ix_work_items_bank_decided", "decided_at", "id"),
        *(
            Index(f"ix_work_items_{by}", by, "status", "branch_id", "priority", "next_due_at", "id")
            for by in ("category", "kind")
        ),
        Index(
            "ix_work_items_escalated",
            *("priority", "next_due_at", "id"),
            sqlite_where=text(ESCALATED_SQL),
            postgresql_where=text(ESCALATED_SQL),
        ),
        Index(
            "ix_work_items_escalated_decided",
            *("decided_at", "id"),
            sqlite_where=text(ABOVE_DESK_SQL),
            postgresql_where=text(ABOVE_DESK_SQL),
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(24))
    subject_id: Mapped[int]
    branch_id: Mapped[int | None]
    customer_id: Mapped[int | None]
    for_roles: Mapped[str] = mapped_column(String(LONGEST_ROLES))
    not_for: Mapped[int | None]
    reference: Mapped[str] = mapped_column(String(24))
    title: Mapped[str] = mapped_column(String(LONGEST_TITLE))
    category: Mapped[str | None] = mapped_column(String(24))
    channel: Mapped[Channel | None]
    priority: Mapped[int] = mapped_column(SmallInteger)
    level: Mapped[int] = mapped_column(SmallInteger)
    status: Mapped[WorkStatus]
    owner_id: Mapped[int | None]
    owner_name: Mapped[str | None] = mapped_column(String(120))
    claimed_at: Mapped[datetime | None]
    claimed_until: Mapped[datetime | None]
    assigned_by: Mapped[int | None]
    rests_until: Mapped[datetime | None]
    opened_at: Mapped[datetime]
    first_due_at: Mapped[datetime | None]
    first_left_seconds: Mapped[int | None]
    reply_due_at: Mapped[datetime | None]
    reply_left_seconds: Mapped[int | None]
    solve_due_at: Mapped[datetime | None]
    solve_left_seconds: Mapped[int | None]
    next_due_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[int | None]
    decided_by_name: Mapped[str | None] = mapped_column(String(120))
    outcome: Mapped[str | None] = mapped_column(String(24))


class WorkEvent(Base):
    """What happened to an item: who, when, what. Triggers refuse every change.

    `due_at` is the deadline that an act has met or missed: of a first reply and of a decision.
    """

    __tablename__ = "work_events"
    __table_args__ = (
        Index("ix_work_events_item_id", "item_id", "id"),
        Index("ix_work_events_actor_id", "actor_id", "at"),
        Index(
            "ix_work_events_handed",
            *("owner_id", "at"),
            sqlite_where=text(HANDED_SQL),
            postgresql_where=text(HANDED_SQL),
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("work_items.id"))
    at: Mapped[datetime]
    act: Mapped[str] = mapped_column(String(16))
    actor_id: Mapped[int | None]
    actor_name: Mapped[str] = mapped_column(String(120))
    owner_id: Mapped[int | None]
    owner_name: Mapped[str | None] = mapped_column(String(120))
    note: Mapped[str] = mapped_column(String(LONGEST_NOTE))
    due_at: Mapped[datetime | None]


class WorkUndone(Base):
    """A line of a history that does not count: what it tells of was taken back at once, before
    anybody outside had heard of it. Triggers refuse every change."""

    __tablename__ = "work_undone"

    event_id: Mapped[int] = mapped_column(
        ForeignKey("work_events.id"), primary_key=True, autoincrement=False
    )
    at: Mapped[datetime]


class WorkRule(Base):
    """What the bank promises for a kind and priority, from a date on, in open minutes: first reply
    (0: none is promised), solution, and until a claim runs out."""

    __tablename__ = "work_rules"

    kind: Mapped[str] = mapped_column(String(24), primary_key=True)
    priority: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    effective_from: Mapped[date] = mapped_column(primary_key=True)
    first_minutes: Mapped[int]
    solve_minutes: Mapped[int]
    claim_minutes: Mapped[int]
    source: Mapped[str] = mapped_column(String(300))


class WorkSpan(Base):
    """What else holds for a kind and priority, from a date on, in open minutes: the next reply (0:
    none is promised), and how long what was handed to somebody waits for them."""

    __tablename__ = "work_spans"

    kind: Mapped[str] = mapped_column(String(24), primary_key=True)
    priority: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    effective_from: Mapped[date] = mapped_column(primary_key=True)
    reply_minutes: Mapped[int]
    assigned_minutes: Mapped[int]
    source: Mapped[str] = mapped_column(String(300))


ITEMS: Final = WorkItem.__table__


class WorkLook(Base):
    """Who has an item before their eyes, and when they last had. Overwritten, not kept."""

    __tablename__ = "work_looks"

    item_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime]


class SavedView(Base):
    """A person's view of a page, as the query of its address; shared with a role, or not at all."""

    __tablename__ = "saved_views"
    __table_args__ = (
        UniqueConstraint("owner_id", "page", "name"),
        Index("ix_saved_views_shared_with", "page", "shared_with"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    page: Mapped[str] = mapped_column(String(48))
    owner_id: Mapped[int]
    shared_with: Mapped[str | None] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(60))
    query: Mapped[str] = mapped_column(String(500))
