"""Announcements: what the bank tells customers and employees, on their home pages and by mail.

A branch admin speaks to the branch, a super admin to the bank or any branch: to everyone, to
employees (of some roles), to customers (who hold a product). An announcement is seen from its first
day to its last. Withdrawn with a reason, it is gone at the next click, and its mails that wait do
not leave. Nothing is deleted: what was said to whom, and until when, is kept.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    Select,
    String,
    Text,
    or_,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column

from bank.core import outbox
from bank.core.clock import INDIA
from bank.core.db import Base
from bank.core.desk import Tx, command, query
from bank.core.errors import BadInput, NotFound
from bank.core.permissions import STAFF, Permission, Role
from bank.office.ticket_posts import SentAlready, clean_body
from bank.people.branches import Branch
from bank.people.customers import Customer
from bank.people.fields import clean_text
from bank.people.identity import User

LONGEST_TITLE: Final = 120
LONGEST: Final = timedelta(days=366)
LONGEST_REASON: Final = 200
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
    """One announcement. Without a branch it is the whole bank's. `roles` narrows employees, and
    `product` customers to those who hold it; empty means all of them."""

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
    roles: Mapped[str] = mapped_column(String(200))
    product: Mapped[str | None] = mapped_column(String(16))
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
    withdrawn_reason: Mapped[str | None] = mapped_column(String(LONGEST_REASON))


@dataclass(frozen=True, kw_only=True)
class AnnouncementCard:
    """An announcement as people see it; `mails` is how many were written."""

    id: int
    branch_id: int | None
    audience: Audience
    roles: str
    product: str | None
    severity: Severity
    title: str
    body: str
    from_on: date
    until_on: date
    announced_by_name: str
    mails: int
    withdrawn_at: datetime | None
    withdrawn_by_name: str | None
    withdrawn_reason: str | None

    @property
    def for_roles(self) -> Sequence[Role]:
        """The roles of employees it is for; empty for all."""
        return [Role(role) for role in self.roles.split()]

    def state(self, today: date) -> str:
        """One word."""
        if self.withdrawn_at is not None:
            return "withdrawn"
        if today < self.from_on:
            return "planned"
        return "shown" if today <= self.until_on else "ended"


@dataclass(frozen=True)
class Holdings:
    """What the floor above tells of products: their names by code, and who holds which (customer,
    code)."""

    names: Callable[[Tx], Mapping[str, str]]
    held: Callable[[], Select[*tuple[Any, ...]]]


HOLDINGS: Final[list[Holdings]] = []
"""Filled by the floor that knows accounts (`accounts/holders.py`)."""


@query(Permission.TERMS_VIEW)
def current(tx: Tx) -> Sequence[AnnouncementCard]:
    """List what is announced to the person at this desk today, the most severe first."""
    wanted = select(Announcement).where(
        Announcement.from_on <= tx.business_date,
        Announcement.until_on >= tx.business_date,
        Announcement.withdrawn_at.is_(None),
        or_(Announcement.audience == Audience.EVERYONE, _for_me(tx)),
    )
    if not tx.desk.sees_whole_bank:
        here = Announcement.branch_id == tx.desk.branch_id
        wanted = wanted.where(or_(Announcement.branch_id.is_(None), here))
    rank = list(Severity)
    found = tx.session.scalars(wanted.order_by(Announcement.id.desc()))
    return [_card(row) for row in sorted(found, key=lambda row: -rank.index(row.severity))]


def _for_me(tx: Tx) -> ColumnElement[bool]:
    """Announcements to employees of this role, or to customers who hold what this one holds."""
    row, desk = Announcement, tx.desk
    if desk.role in STAFF:
        role = or_(row.roles == "", row.roles.contains(desk.role.value, autoescape=True))
        return (row.audience == Audience.STAFF) & role
    held = HOLDINGS[0].held().subquery()
    mine = select(held.c.code).where(held.c.customer_id == desk.customer_id)
    holds = or_(row.product.is_(None), row.product.in_(mine))
    return (row.audience == Audience.CUSTOMERS) & holds


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
    roles: Collection[Role] = (),
    product: str | None = None,
    *,
    request_id: str,
) -> AnnouncementCard:
    """Announce something to a branch or the bank, by mail too if that is asked for."""
    said = {
        "branch_id": _place(tx, branch_id),
        "audience": audience,
        "roles": _clean_roles(audience, roles),
        "product": _clean_product(tx, audience, product),
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
def withdraw(tx: Tx, announcement_id: int, why: str) -> int:
    """Withdraw an announcement, saying why; answers how many of its mails did not leave."""
    reason = clean_text(why, field="reason", longest=LONGEST_REASON)
    row = tx.session.get(Announcement, announcement_id, with_for_update=True)
    if row is None or not (tx.desk.sees_whole_bank or row.branch_id == tx.desk.branch_id):
        raise NoSuchAnnouncement
    tx.concerns("announcement", announcement_id)
    if row.withdrawn_at is not None:  # a second click
        return 0
    row.withdrawn_at, row.withdrawn_by_name = tx.now, tx.desk.name
    row.withdrawn_reason = reason
    tx.session.flush()
    kept = outbox.call_off(tx, _purpose(row))
    tx.changed({"state": "announced"}, {"state": "withdrawn", "mails_kept": kept, "why": reason})
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


def _clean_roles(audience: Audience, roles: Collection[Role]) -> str:
    """Roles of employees as they are kept; none when all of them are meant."""
    if not roles:
        return ""
    if audience is not Audience.STAFF or not STAFF.issuperset(roles):
        raise BadInput("Only employees are told by role: choose them.", field="roles")
    return "" if STAFF.issubset(roles) else " ".join(sorted(set(roles)))


def _clean_product(tx: Tx, audience: Audience, product: str | None) -> str | None:
    if product is None:
        return None
    if audience is not Audience.CUSTOMERS:
        raise BadInput("Only customers hold a product: choose them.", field="product")
    if product not in HOLDINGS[0].names(tx):
        raise BadInput("Choose a product from the list.", field="product")
    return product


def _mail(tx: Tx, row: Announcement) -> int:
    """Write the mails, to leave on the first day; how many."""
    to: set[str] = set()
    if row.audience is not Audience.STAFF:
        to |= _addresses(tx, Customer.email, Customer.branch_id, row, *_holders(row))
    if row.audience is not Audience.CUSTOMERS:
        told = [Role(role) for role in row.roles.split()] or STAFF
        to |= _addresses(tx, User.email, User.branch_id, row, User.active, User.role.in_(told))
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


def _holders(row: Announcement) -> list[ColumnElement[bool]]:
    if row.product is None:
        return []
    held = HOLDINGS[0].held().subquery()
    return [Customer.id.in_(select(held.c.customer_id).where(held.c.code == row.product))]


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
