"""Customers: the people and firms whose accounts the bank keeps."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from sqlalchemy import CheckConstraint, ForeignKey, String, select
from sqlalchemy.orm import Mapped, mapped_column
from stdnum import damm

from bank.core import outbox, search
from bank.core.db import Base, marks
from bank.core.desk import Desk, Tx, command, flow, query
from bank.core.errors import BadInput, NotFound, WrongState
from bank.core.ids import new_password
from bank.core.permissions import Permission, Role
from bank.core.secrets import Secret
from bank.core.texts import check_search
from bank.people import branches, passwords
from bank.people.fields import (
    LONGEST_EMAIL,
    LONGEST_NAME,
    clean_email,
    clean_mobile,
    clean_name,
    clean_pan,
    masked_pan,
)
from bank.people.identity import USERNAME, NewAccess, User, add_user_row, facts_of

FIRST_NUMBER: Final = 10_000_000  # eight digits and one that checks them
LONGEST_NUMBER: Final = 80
SEARCHED: Final = "customer"  # in search_words: customers by their names
EARLIEST_BIRTH: Final = date(1850, 1, 1)  # firms are born, too


class NoSuchCustomer(NotFound):
    """There is no such customer at your branch. Check the customer number and try again."""


class PanTaken(WrongState):
    """This PAN belongs to another customer. Look them up instead of adding them again."""


class AccessGiven(WrongState):
    """This customer has access to the portal already."""


class Customer(Base):
    """One customer. An imported one keeps the number that their bank had given them."""

    __tablename__ = "customers"
    __table_args__ = (
        CheckConstraint("pan IS NULL OR length(pan) = 10", name="pan_length"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(LONGEST_NUMBER), unique=True)
    name: Mapped[str] = mapped_column(String(LONGEST_NAME))
    date_of_birth: Mapped[date]
    pan: Mapped[str | None] = mapped_column(String(10), unique=True)
    email: Mapped[str | None] = mapped_column(String(LONGEST_EMAIL))
    mobile: Mapped[str | None] = mapped_column(String(16))
    branch_id: Mapped[int] = mapped_column(ForeignKey("branches.id"), index=True)
    created_at: Mapped[datetime]


@dataclass(frozen=True, kw_only=True)
class NewCustomer:
    """What is known of a customer before they have a number."""

    name: str
    date_of_birth: date
    branch_id: int
    pan: str | None = None
    email: str | None = None
    mobile: str | None = None


@dataclass(frozen=True, kw_only=True)
class CustomerCard:
    """A customer as staff see them; the PAN only at its ends."""

    id: int
    number: str
    name: str
    date_of_birth: date
    pan: str
    email: str | None
    mobile: str | None
    branch_id: int
    username: str | None


@query(Permission.CUSTOMER_VIEW)
def find_customer(tx: Tx, number: str) -> CustomerCard:
    """Show a customer of the branch by their number."""
    check_search(number, "number")
    customer = tx.session.scalar(select(Customer).where(Customer.number == number.strip()))
    if customer is None or not _in_scope(tx, customer.branch_id):
        raise NoSuchCustomer
    tx.looked_at("customer", customer.id)
    return _card(tx, customer)


@command(Permission.CUSTOMER_ADD)
def add_customer(
    tx: Tx,
    name: str,
    date_of_birth: date,
    pan: str | None = None,
    email: str | None = None,
    mobile: str | None = None,
    ifsc: str | None = None,
) -> CustomerCard:
    """Add a customer to the desk's branch; a desk of the whole bank names the branch."""
    branch_id = tx.desk.branch_id
    if ifsc:
        branch_id = branches.branch_by_ifsc(tx, ifsc).id
    if branch_id is None:
        raise BadInput("Choose the branch of the customer.", field="ifsc")
    if not _in_scope(tx, branch_id):
        raise branches.NoSuchBranch
    asked = NewCustomer(
        name=name,
        date_of_birth=date_of_birth,
        branch_id=branch_id,
        pan=pan,
        email=email,
        mobile=mobile,
    )
    customer = customer_by_id(tx, add_customer_row(tx, asked))
    tx.concerns("customer", customer.id)
    tx.changed(None, {"number": customer.number, "name": customer.name, "branch_id": branch_id})
    return _card(tx, customer)


@flow(Permission.CUSTOMER_ADD)
def give_portal_access(desk: Desk, customer_id: int) -> NewAccess:
    """Let a customer of the branch into the portal, under their customer number.

    The temporary password is for the paper that the branch hands over; the mail names only the
    user name, because the code of the first sign-in goes to the same mailbox.
    """
    password = Secret(new_password())
    hashed = Secret(passwords.hash_password(password))
    user_id, username = record_portal_access(desk, customer_id, hashed)
    return NewAccess(user_id=user_id, username=username, temporary_password=password)


@command(Permission.CUSTOMER_ADD)
def record_portal_access(tx: Tx, customer_id: int, password_hash: Secret) -> tuple[int, str]:
    """Write down a customer's access whose temporary password has been hashed."""
    customer = tx.session.get(Customer, customer_id)
    if customer is None or not _in_scope(tx, customer.branch_id):
        raise NoSuchCustomer
    if customer.email is None:
        raise BadInput("The portal needs a mail address of the customer.", field="email")
    if tx.session.scalar(select(User.id).where(User.customer_id == customer.id)) is not None:
        raise AccessGiven
    user = add_access_row(tx, customer, password_hash=password_hash.reveal())
    outbox.queue_mail(
        tx,
        to=customer.email,
        subject="Your access to the bank's portal",
        body=(
            f"Hello {customer.name},\n\nYour user name is {user.username}. Your branch gives you a "
            "temporary password; you choose your own when you first sign in.\n"
        ),
        purpose="portal_access",
        user_id=user.id,
    )
    tx.concerns("user", user.id)
    tx.changed(None, facts_of(user))
    return user.id, user.username


def add_access_row(
    tx: Tx,
    customer: Customer,
    *,
    password_hash: str,
    must_change_password: bool = True,
    transaction_password_hash: str | None = None,
    username: str | None = None,
) -> User:
    """Make the portal user of a customer in this transaction (also for the demo)."""
    return add_user_row(
        tx,
        username=username or _portal_name(customer),
        name=customer.name,
        email=customer.email,
        role=Role.CUSTOMER,
        branch_id=customer.branch_id,
        customer_id=customer.id,
        password_hash=password_hash,
        must_change_password=must_change_password,
        transaction_password_hash=transaction_password_hash,
    )


def checked(new: NewCustomer, *, today: date) -> NewCustomer:
    """The customer with every field cleaned, or BadInput naming the first that is wrong."""
    if not EARLIEST_BIRTH <= new.date_of_birth <= today:
        raise BadInput("A date of birth lies in the past.", field="date_of_birth")
    return replace(
        new,
        name=clean_name(new.name),
        pan=clean_pan(new.pan),
        email=clean_email(new.email),
        mobile=clean_mobile(new.mobile),
    )


def add_customer_row(tx: Tx, new: NewCustomer) -> int:
    """Make the row of one customer in this transaction and answer its id.

    Raises BadInput, or PanTaken.
    """
    ready = checked(new, today=tx.business_date)
    if ready.pan is not None and taken_pans(tx, [ready.pan]):
        raise PanTaken(field="pan")
    return add_customer_rows(tx, [ready])[0]


def add_customer_rows(tx: Tx, ready: Sequence[NewCustomer]) -> Sequence[int]:
    """Make the rows of many customers, all `checked`, and answer their ids in the same order.

    Their PANs must be free: a duplicate is refused by the database, with the whole batch.
    """
    ids = _free_ids(tx, len(ready))
    tx.cursor.executemany(
        marks(
            tx.dialect,
            "INSERT INTO customers (id, number, name, date_of_birth, pan, email,"
            " mobile, branch_id, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        ),
        [
            (
                key,
                number_of(key),
                new.name,
                tx.day(new.date_of_birth),
                new.pan,
                new.email,
                new.mobile,
                new.branch_id,
                tx.stamp(tx.now),
            )
            for key, new in zip(ids, ready, strict=True)
        ],
    )
    search.keep_many(tx, SEARCHED, ((key, new.name) for key, new in zip(ids, ready, strict=True)))
    return ids


def taken_pans(tx: Tx, pans: Collection[str]) -> set[str]:
    """Which of these PANs belong to customers already."""
    found = tx.session.scalars(select(Customer.pan).where(Customer.pan.in_(pans)))
    return {pan for pan in found if pan is not None}


def customer_by_id(tx: Tx, customer_id: int) -> Customer:
    """The customer, or NoSuchCustomer."""
    customer = tx.session.get(Customer, customer_id)
    if customer is None:
        raise NoSuchCustomer
    return customer


def number_of(customer_id: int) -> str:
    """Nine digits, the last of which catches any one wrong digit and any two swapped neighbours."""
    body = str(FIRST_NUMBER + customer_id)
    return body + str(damm.calc_check_digit(body))


def _free_ids(tx: Tx, count: int) -> list[int]:
    """Ids for new rows whose numbers no imported customer has brought along."""
    free: list[int] = []
    last = 0
    while len(free) < count:
        ids = _reserve(tx, count - len(free), last)
        last = ids[-1]
        numbers = [number_of(key) for key in ids]
        taken = set(tx.session.scalars(select(Customer.number).where(Customer.number.in_(numbers))))
        free += [key for key in ids if number_of(key) not in taken]
    return free


def _reserve(tx: Tx, count: int, after: int) -> list[int]:
    """Ids above `after`, handed out before the rows are written: the number is made of the id."""
    if tx.dialect == "postgresql":
        tx.cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('customers', 'id')) FROM generate_series(1, %s)",
            (count,),
        )
        return [row[0] for row in tx.cursor.fetchall()]
    # One writer at a time, and AUTOINCREMENT keeps its count up with ids that are given to it.
    tx.cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = 'customers'")
    row = tx.cursor.fetchone()
    last = max(after, row[0] if row else 0)
    return list(range(last + 1, last + 1 + count))


def _portal_name(customer: Customer) -> str:
    """The customer number, unless an imported one does not read like a user name."""
    is_name = USERNAME.fullmatch(customer.number.lower())
    return customer.number.lower() if is_name else f"customer-{customer.id}"


def _in_scope(tx: Tx, branch_id: int) -> bool:
    return tx.desk.sees_whole_bank or tx.desk.branch_id == branch_id


def _card(tx: Tx, customer: Customer) -> CustomerCard:
    return CustomerCard(
        id=customer.id,
        number=customer.number,
        name=customer.name,
        date_of_birth=customer.date_of_birth,
        pan=masked_pan(customer.pan),
        email=customer.email,
        mobile=customer.mobile,
        branch_id=customer.branch_id,
        username=tx.session.scalar(select(User.username).where(User.customer_id == customer.id)),
    )
