"""Which customer of the bank an employee is, where they are one: registered, and for how long.

    registered, by two --> holds --by two--> ended

An employee's user and their customer record are two rows, often with two mail addresses. Whoever
may not decide about their own money has to be known as the same person. A link says so; an equal
mail address says so, too (it is all that both rows carry). Who asks what is in `staff_customers`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, func, select, text, union
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, aliased, mapped_column

from bank.core.db import Base
from bank.core.desk import Tx
from bank.core.errors import BadInput, WrongState
from bank.people.customers import Customer
from bank.people.identity import User

LONGEST_REASON: Final = 200


class NoSuchNumber(BadInput):
    """There is no customer with this number. Read it digit by digit from the passbook."""


class LinkedAlready(WrongState):
    """This customer is linked to an employee already. Look whose link it is, and end that first."""


class CustomerLink(Base):
    """An employee is this customer, from a business date on; one that has ended keeps its days."""

    __tablename__ = "customer_links"
    __table_args__ = (
        CheckConstraint("(until IS NULL) = (ended_by IS NULL)", name="ended_whole"),
        Index("ix_customer_links_user_id", "user_id"),
        Index(
            "uq_customer_links_open",
            "customer_id",
            unique=True,
            sqlite_where=text("until IS NULL"),
            postgresql_where=text("until IS NULL"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    since: Mapped[date]
    registered_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    registered_by_name: Mapped[str] = mapped_column(String(120))
    agreed_by_name: Mapped[str | None] = mapped_column(String(120))
    until: Mapped[date | None]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    ended_by_name: Mapped[str | None] = mapped_column(String(120))
    end_agreed_by_name: Mapped[str | None] = mapped_column(String(120))
    ended_because: Mapped[str | None] = mapped_column(String(LONGEST_REASON))


@dataclass(frozen=True, kw_only=True)
class LinkCard:
    """A link as people see it."""

    id: int
    user_id: int
    customer_number: str
    since: date
    registered_by: str
    agreed_by: str
    until: date | None
    ended_by: str
    ended_because: str

    @property
    def state(self) -> str:
        """Whether it still holds."""
        return "holds" if self.until is None else "ended"


def same_people(
    tx: Tx, customer_ids: Collection[int], user_ids: Collection[int]
) -> Mapping[int, set[int]]:
    """Which of these employees are which of these customers: by a link, or by an equal mail
    address of the employee and of the customer or their user in the portal."""
    portal = aliased(User)
    linked = select(CustomerLink.user_id, CustomerLink.customer_id).where(
        CustomerLink.user_id.in_(user_ids),
        CustomerLink.customer_id.in_(customer_ids),
        CustomerLink.until.is_(None),
    )
    by_mail = (
        select(User.id, Customer.id)
        .join(Customer, func.lower(Customer.email) == func.lower(User.email))
        .where(User.id.in_(user_ids), Customer.id.in_(customer_ids))
    )
    by_portal = (
        select(User.id, portal.customer_id)
        .join(portal, func.lower(portal.email) == func.lower(User.email))
        .where(User.id.in_(user_ids), portal.customer_id.in_(customer_ids))
    )
    found: dict[int, set[int]] = {}
    either: Any = union(linked, by_mail, by_portal)
    for user_id, customer_id in tx.connection.execute(either):
        found.setdefault(user_id, set()).add(customer_id)
    return found


def links_of(tx: Tx, user_id: int) -> Sequence[LinkCard]:
    """The links of an employee, newest first."""
    rows = tx.session.execute(
        select(CustomerLink, Customer.number)
        .join(Customer, Customer.id == CustomerLink.customer_id)
        .where(CustomerLink.user_id == user_id)
        .order_by(CustomerLink.id.desc())
    )
    return [
        LinkCard(
            id=row.id,
            user_id=row.user_id,
            customer_number=number,
            since=row.since,
            registered_by=row.registered_by_name,
            agreed_by=row.agreed_by_name or "",
            until=row.until,
            ended_by=row.ended_by_name or "",
            ended_because=row.ended_because or "",
        )
        for row, number in rows
    ]


def numbers_of(tx: Tx, user_id: int) -> str:
    """The numbers under which an employee banks here, for the trail."""
    return ", ".join(
        sorted(each.customer_number for each in links_of(tx, user_id) if each.until is None)
    )


def add_link(tx: Tx, user_id: int, customer_number: str) -> int:
    """Write down that an employee is this customer, in this transaction; the link's id."""
    number = "".join(customer_number.split())
    customer_id = tx.session.scalar(select(Customer.id).where(Customer.number == number))
    if customer_id is None:
        raise NoSuchNumber(field="customer")
    agreed = tx.facts.get("checker")
    link = CustomerLink(
        user_id=user_id,
        customer_id=customer_id,
        since=tx.business_date,
        registered_by=tx.desk.user_id,
        registered_by_name=tx.desk.name,
        agreed_by_name=None if agreed is None else str(agreed),
    )
    try:
        with tx.session.begin_nested():
            tx.session.add(link)
            tx.session.flush()
    except IntegrityError:
        raise LinkedAlready from None
    return link.id
