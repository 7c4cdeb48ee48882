"""Announcements: what the bank tells customers and employees, on their home pages and by mail.

A branch admin speaks to the branch, a super admin to the bank or any branch. An announcement is
seen from its first day to its last. Withdrawn, it is gone at the next click, and its mails that
wait do not leave. Nothing is deleted: what was said to whom, and until when, is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from bank.core import outbox
from bank.core.clock import INDIA
from bank.core.db import Base
from bank.core.desk import Tx, command, query
from bank.core.errors import BadInput, NotFound
from bank.core.permissions import STAFF, Permission
from bank.office.ticket_posts import SentAlready, clean_body
from bank.people.branches import Branch
from bank.people.customers import Customer
from bank.people.fields import clean_text
from bank.people.identity import User

LONGEST_TITLE: Final = 120
LONGEST: Final = timedelta(days=366)
LISTED: Final = 50
SHOWN: Final = 5  # on a home page; who says more at once is not heard


class Audience(StrEnum):
    """Whom an announcement is for."""

    EVERYONE = "everyone"
    CUSTOMERS = "customers"
    STAFF = "staff"


class Severity(StrEnum):
    """How much it matters: an offer of the bank's the least, so it stands below the rest."""

    OFFER = "offer"
    INFO = "info"
    WARNING = "warning"
    URGENT = "urgent"


class NoSuchAnnouncement(NotFound):
    """There is no such announcement, or it is not your branch's. Look in the list."""


class Announcement(Base):
    """One announcement. Without a branch it is the whole bank's."""

    __tablename__ = "announcements"
    __table_args__ = (
        CheckConstraint("until_on >= from_on", name="dates_in_order"),
        Index("ix_announcements_until_on", "until_on", "branch_id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[str] = mapped_column(String(36), unique=True)
    branch_id: Mapped[int | None] = mapped_column(ForeignKey("branches.id"))
    audience: Mapped[Audience]
    severity: Mapped[Severity]
    title: Mapped[str] = mapped_column(String(LONGEST_TITLE))
    body: Mapped[str] = mapped_column(Text)
    from_on: Mapped[date]
    until_on: Mapped[date]
    announced_at: Mapped[datetime]
    announced_by: Mapped[int]
    announced_by_name: Mapped[str] = mapped_column(String(120))
    mails: Mapped[int]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by_name: Mapped[str | None] = mapped_column(String(120))


@dataclass(frozen=True, kw_only=True)
class AnnouncementCard:
    """An announcement as people see it; `mails` is how many were written."""

    id: int
    branch_id: int | None
    audience: Audience
    severity: Severity
    title: str
    body: str
    from_on: date
    until_on: date
    announced_by_name: str
    mails: int
    withdrawn_at: datetime | None

    def state(self, today: date) -> str:
        """One word."""
        if self.withdrawn_at is not None:
            return "withdrawn"
        if today < self.from_on:
            return "planned"
        return "shown" if today <= self.until_on else "ended"


@query(Permission.SESSION_KEEP)
def current(tx: Tx) -> Sequence[AnnouncementCard]:
    """List what is announced to the person at this desk today, the most severe first."""
    is_staff = tx.desk.role in STAFF
    mine = Audience.STAFF if is_staff else Audience.CUSTOMERS
    wanted = select(Announcement).where(
        Announcement.from_on <= tx.business_date,
        Announcement.until_on >= tx.business_date,
        Announcement.withdrawn_at.is_(None),
        Announcement.audience.in_((Audience.EVERYONE, mine)),
    )
    if not tx.desk.sees_whole_bank:
        here = Announcement.branch_id == tx.desk.branch_id
        wanted = wanted.where(or_(Announcement.branch_id.is_(None), here))
    rank = list(Severity)
    found = tx.session.scalars(wanted.order_by(Announcement.id.desc()))
    by_rank = sorted(found, key=lambda row: -rank.index(row.severity))
    return [_card(row) for row in by_rank[:SHOWN]]


@query(Permission.ANNOUNCE)
def announced(tx: Tx) -> Sequence[AnnouncementCard]:
    """List what this desk may withdraw or has withdrawn, newest first."""
    wanted = select(Announcement).order_by(Announcement.id.desc()).limit(LISTED)
    if not tx.desk.sees_whole_bank:
        wanted = wanted.where(Announcement.branch_id == tx.desk.branch_id)
    return [_card(row) for row in tx.session.scalars(wanted)]


@command(Permission.ANNOUNCE)
def announce(
    tx: Tx,
    audience: Audience,
    severity: Severity,
    title: str,
    body: str,
    from_on: date,
    until_on: date,
    branch_id: int | None = None,
    by_mail: bool = False,
    *,
    request_id: str,
) -> AnnouncementCard:
    """Announce something to a branch or the bank, by mail too if that is asked for."""
    said = {
        "branch_id": _place(tx, branch_id),
        "audience": audience,
        "severity": severity,
        "title": clean_text(title, field="title", longest=LONGEST_TITLE),
        "body": clean_body(body),
        "from_on": from_on,
        "until_on": until_on,
    }
    tx.locked(User, tx.desk.user_id)  # of two clicks at once the second finds what the first made
    first = tx.session.scalar(select(Announcement).where(Announcement.request_id == request_id))
    if first is not None:
        if any(getattr(first, name) != value for name, value in said.items()):
            raise SentAlready
        return _card(first)
    if severity is Severity.OFFER and audience is not Audience.CUSTOMERS:
        raise BadInput("An offer is for customers: choose them.", field="for")
    if from_on < tx.business_date:
        raise BadInput("It cannot begin in the past.", field="first day")
    if not from_on <= until_on <= from_on + LONGEST:
        raise BadInput("It ends on its first day or later, within a year.", field="last day")
    row = Announcement(
        request_id=request_id,
        announced_at=tx.now,
        announced_by=tx.desk.user_id,
        announced_by_name=tx.desk.name,
        mails=0,
        **said,
    )
    tx.session.add(row)
    tx.session.flush()
    if by_mail:
        row.mails = _mail(tx, row)
        tx.session.flush()
    tx.concerns("announcement", row.id)
    tx.changed(None, {"state": "announced", "mails": row.mails})
    return _card(row)


@command(Permission.ANNOUNCE)
def withdraw(tx: Tx, announcement_id: int) -> int:
    """Withdraw an announcement; answers how many of its mails were kept from leaving."""
    row = tx.session.get(Announcement, announcement_id, with_for_update=True)
    if row is None or not (tx.desk.sees_whole_bank or row.branch_id == tx.desk.branch_id):
        raise NoSuchAnnouncement
    tx.concerns("announcement", announcement_id)
    if row.withdrawn_at is not None:  # a second click
        return 0
    row.withdrawn_at, row.withdrawn_by_name = tx.now, tx.desk.name
    tx.session.flush()
    kept = outbox.call_off(tx, _purpose(row))
    tx.changed({"state": "announced"}, {"state": "withdrawn", "mails_kept": kept})
    return kept


def _place(tx: Tx, branch_id: int | None) -> int | None:
    """The branch to speak to: one's own, or any (None: all) for who sees the whole bank."""
    if not tx.desk.sees_whole_bank:
        if branch_id not in {None, tx.desk.branch_id}:
            raise BadInput("You speak to your own branch.", field="branch")
        return tx.desk.branch_id
    if branch_id is not None and tx.session.get(Branch, branch_id) is None:
        raise BadInput("Choose a branch from the list.", field="branch")
    return branch_id


def _mail(tx: Tx, row: Announcement) -> int:
    """Write the mails, to leave on the first day; how many."""
    to: set[str] = set()
    if row.audience is not Audience.STAFF:
        to |= _addresses(tx, Customer.email, Customer.branch_id, row)
    if row.audience is not Audience.CUSTOMERS:
        to |= _addresses(tx, User.email, User.branch_id, row, User.active, User.role.in_(STAFF))
    first = datetime.combine(row.from_on, time(), INDIA).astimezone(UTC)
    is_ahead = row.from_on > tx.business_date
    outbox.queue_many(
        tx,
        sorted(to),
        subject=row.title,
        body=f"{row.body}\n",
        purpose=_purpose(row),
        not_before=first if is_ahead else None,
    )
    return len(to)


def _addresses(tx: Tx, address: Any, branch: Any, row: Announcement, *more: Any) -> set[str]:
    wanted = select(address).where(address.is_not(None), address != "", *more)
    if row.branch_id is not None:
        wanted = wanted.where(branch == row.branch_id)
    return set(tx.connection.scalars(wanted))


def _purpose(row: Announcement) -> str:
    return f"announcement {row.id}"


def _card(row: Announcement) -> AnnouncementCard:
    return AnnouncementCard(
        **{name: getattr(row, name) for name in AnnouncementCard.__dataclass_fields__}
    )
