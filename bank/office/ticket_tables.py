"""What is kept of tickets: the ticket, what was written about it, its categories and rules."""

from datetime import date, datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from bank.core import dated
from bank.core.db import Base
from bank.core.desk import Tx

LONGEST_SUBJECT: Final = 120
LONGEST_SCORE_NOTE: Final = 300
LONGEST_FILE_NAME: Final = 80


class PostKind(StrEnum):
    """What a post is: of the customer, to the customer, or for employees alone."""

    QUESTION = "question"
    REPLY = "reply"
    NOTE = "note"


class FileKind(StrEnum):
    """What a file at a post is, as its first bytes tell."""

    PDF = "pdf"
    PNG = "png"
    JPEG = "jpeg"


class TicketCategory(Base):
    """What a ticket can be about, and how pressing that is, from a date on."""

    __tablename__ = "ticket_categories"

    code: Mapped[str] = mapped_column(String(24), primary_key=True)
    effective_from: Mapped[date] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    priority: Mapped[int] = mapped_column(SmallInteger)
    source: Mapped[str] = mapped_column(String(300))


class TicketRule(Base):
    """A number that holds from a date until a later row replaces it; the unit is the last word."""

    __tablename__ = "ticket_rules"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    effective_from: Mapped[date] = mapped_column(primary_key=True)
    value: Mapped[int]
    source: Mapped[str] = mapped_column(String(300))


class Ticket(Base):
    """One complaint or remark. `about` is the number or reference of the account or entry meant;
    `merged_into` the ticket of the same customer in which this one goes on."""

    __tablename__ = "tickets"
    __table_args__ = (
        CheckConstraint("score BETWEEN 1 AND 5", name="score_known"),
        Index("ix_tickets_customer_id", "customer_id", "id"),
        Index("ix_tickets_merged_into", "merged_into"),
        Index("ix_tickets_solved_by", "solved_by", "solved_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[str] = mapped_column(String(36), unique=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    branch_id: Mapped[int] = mapped_column(ForeignKey("branches.id"))
    category: Mapped[str] = mapped_column(String(24))
    subject: Mapped[str] = mapped_column(String(LONGEST_SUBJECT))
    about_kind: Mapped[str | None] = mapped_column(String(16))
    about: Mapped[str | None] = mapped_column(String(40))
    opened_on: Mapped[date]
    opened_at: Mapped[datetime]
    solved_at: Mapped[datetime | None]
    solved_by: Mapped[int | None]
    merged_into: Mapped[int | None] = mapped_column(ForeignKey("tickets.id"))
    score: Mapped[int | None] = mapped_column(SmallInteger)
    score_note: Mapped[str] = mapped_column(String(LONGEST_SCORE_NOTE))


class TicketLink(Base):
    """Two tickets that are about the same, the older one first; both go on by themselves."""

    __tablename__ = "ticket_links"
    __table_args__ = (
        CheckConstraint("one_id < other_id", name="in_order"),
        Index("ix_ticket_links_other_id", "other_id"),
    )

    one_id: Mapped[int] = mapped_column(
        ForeignKey("tickets.id"), primary_key=True, autoincrement=False
    )
    other_id: Mapped[int] = mapped_column(
        ForeignKey("tickets.id"), primary_key=True, autoincrement=False
    )
    at: Mapped[datetime]
    by_id: Mapped[int | None]
    by_name: Mapped[str] = mapped_column(String(120))


class TicketPost(Base):
    """Something written about a ticket. Triggers refuse every change."""

    __tablename__ = "ticket_posts"
    __table_args__ = (
        Index("ix_ticket_posts_ticket_id", "ticket_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[str] = mapped_column(String(36), unique=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    at: Mapped[datetime]
    author_id: Mapped[int | None]
    author_name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[PostKind]
    body: Mapped[str] = mapped_column(Text)


class TicketSending(Base):
    """A reply whose mail waits a few seconds, in which its writer may take it back: when it leaves,
    and how the item stood before it (`core/work_undo.py`). Triggers refuse every change.

    `mail_id` is empty when the customer has no address; `event_from` and `event_to` are the last
    lines of the item's history before and after the reply.
    """

    __tablename__ = "ticket_sendings"

    post_id: Mapped[int] = mapped_column(
        ForeignKey("ticket_posts.id"), primary_key=True, autoincrement=False
    )
    mail_id: Mapped[int | None]
    leaves_at: Mapped[datetime]
    event_from: Mapped[int]
    event_to: Mapped[int]
    before: Mapped[str] = mapped_column(Text)


class TicketTakeBack(Base):
    """A reply that was taken back before it left. Triggers refuse every change."""

    __tablename__ = "ticket_take_backs"

    post_id: Mapped[int] = mapped_column(
        ForeignKey("ticket_posts.id"), primary_key=True, autoincrement=False
    )
    at: Mapped[datetime]
    by_id: Mapped[int | None]
    by_name: Mapped[str] = mapped_column(String(120))


class TicketFile(Base):
    """A file that came with a post; its bytes lie under `sha256` in the store of documents
    (`core/documents.py`). Triggers refuse every change."""

    __tablename__ = "ticket_files"
    __table_args__ = (
        UniqueConstraint("post_id", "sha256"),
        CheckConstraint("size > 0", name="size_positive"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("ticket_posts.id"))
    name: Mapped[str] = mapped_column(String(LONGEST_FILE_NAME))
    kind: Mapped[FileKind]
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]


def rule_of(tx: Tx, name: str) -> int:
    """A number in force on the business date. A name without one is a bug, not a default."""
    return dated.value_today(tx, TicketRule, name)
