"""View-as: an employee looks at a customer's portal to answer a question. Looks, and no more.

The session keeps being the employee's; while a viewing is open, what its cookie leads to is a desk
of the customer that no command accepts (`Desk.may`, `sessions.find`). It ends by itself, every
read is in the trail with whom it was on behalf of, and the customer is told at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, Index, String, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from bank.core import outbox
from bank.core.clock import in_india
from bank.core.db import Base
from bank.core.desk import Tx, command, query
from bank.core.errors import Declined, WrongState
from bank.core.permissions import Permission
from bank.people.customers import Customer, NoSuchCustomer
from bank.people.fields import clean_text
from bank.people.identity import User
from bank.people.rules import rules

LONGEST_REASON = 200


class CannotBeTold(Declined):
    """The bank has no mail address to tell this customer at. Enter one first."""


class ViewingAlready(WrongState):
    """You are looking at a portal already. Stop that first."""


class NotViewing(WrongState):
    """You are not looking at anybody's portal. It may have ended by itself."""


class ViewingRow(Base):
    """One look at one customer's portal, in one session of an employee."""

    __tablename__ = "viewings"
    __table_args__ = (
        Index(
            "ix_viewings_open",
            "session_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("sessions.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    reason: Mapped[str] = mapped_column(String(LONGEST_REASON))
    started_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


@dataclass(frozen=True, kw_only=True)
class ViewingCard:
    """A look that somebody had: who, at whom, why, from when until when."""

    id: int
    employee: str
    customer: str
    number: str
    reason: str
    started_at: datetime
    until: datetime


@command(Permission.CUSTOMER_VIEW_AS)
def start_viewing(tx: Tx, number: str, reason: str) -> datetime:
    """Look at the portal of a customer of one's branch, who is told; answers until when."""
    why = clean_text(reason, field="reason", longest=LONGEST_REASON)
    customer = tx.session.scalar(select(Customer).where(Customer.number == number.strip()))
    if customer is None or customer.branch_id != tx.desk.branch_id:
        raise NoSuchCustomer(field="number")
    if customer.email is None:
        raise CannotBeTold(field="number")
    assert tx.desk.session_id is not None
    assert tx.desk.user_id is not None
    _close(tx)
    until = tx.now + timedelta(minutes=rules(tx).view_as_minutes)
    row = ViewingRow(
        session_id=tx.desk.session_id,
        user_id=tx.desk.user_id,
        customer_id=customer.id,
        reason=why,
        started_at=tx.now,
        expires_at=until,
    )
    tx.session.add(row)
    try:
        tx.session.flush()
    except IntegrityError:  # another click of the same person was first
        raise ViewingAlready from None
    tx.concerns("customer", customer.id)
    tx.facts["viewing"] = row.id
    outbox.queue_mail(
        tx,
        to=customer.email,
        subject="An employee of the bank is looking at your portal",
        body=(
            f"Hello {customer.name},\n\n{tx.desk.name} of your branch is looking at your portal as "
            f"you see it, to read only, until {in_india(until):%d %b %Y, %H:%M} at the latest.\n"
            f"The reason given: {why}\n\nNothing can be changed or paid by it. If you did not ask "
            "for help, call your branch.\n"
        ),
        purpose="view_as",
    )
    return until


@command(Permission.CUSTOMER_VIEW_AS)
def stop_viewing(tx: Tx) -> None:
    """Stop looking at a customer's portal."""
    customer_id = _close(tx)
    if customer_id is None:
        raise NotViewing
    tx.concerns("customer", customer_id)


@query(Permission.CUSTOMER_VIEW_AS)
def viewings(tx: Tx, newest: int = 20) -> Sequence[ViewingCard]:
    """List who looked at the portals of the branch's customers lately, and why."""
    tx.looked_at("viewings", "of the branch")
    rows = tx.session.execute(
        select(ViewingRow, User.name, Customer)
        .join(User, User.id == ViewingRow.user_id)
        .join(Customer, Customer.id == ViewingRow.customer_id)
        .where(Customer.branch_id == tx.desk.branch_id)
        .order_by(ViewingRow.id.desc())
        .limit(newest)
    )
    return [
        ViewingCard(
            id=row.id,
            employee=employee,
            customer=customer.name,
            number=customer.number,
            reason=row.reason,
            started_at=row.started_at,
            until=min(row.ended_at or row.expires_at, row.expires_at),
        )
        for row, employee, customer in rows
    ]


def _close(tx: Tx) -> int | None:
    """End what this session has open; answers whose portal it was, if it had not ended by itself.

    One statement, so that two clicks of the same person do not both start another one.
    """
    ended = tx.session.execute(
        update(ViewingRow)
        .where(ViewingRow.session_id == tx.desk.session_id, ViewingRow.ended_at.is_(None))
        .values(ended_at=tx.now)
        .returning(ViewingRow.customer_id, ViewingRow.expires_at)
    ).first()
    return ended.customer_id if ended is not None and ended.expires_at > tx.now else None
