"""Customers' accounts: opening one, finding one by its exact number, listing one's own.

    active ---close---> closed

The money of an account is in the book (`balances`, `postings`); this table says
whose it is, of which product, and under which number people know it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ForeignKey, Row, Select, String, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column
from stdnum import luhn

from bank.accounts import products
from bank.accounts.products import Product
from bank.book import ledger
from bank.book.tables import Balance, Posting
from bank.core import sights
from bank.core.db import Base
from bank.core.desk import Tx, command, query
from bank.core.errors import BadInput, NotFound, WrongState
from bank.core.permissions import Permission, Role
from bank.core.states import machine
from bank.office import approval_risks
from bank.people.branches import Branch
from bank.people.customers import Customer


class AccountStatus(StrEnum):
    """Whether an account takes part in business."""

    ACTIVE = "active"
    CLOSED = "closed"


class FreezeKind(StrEnum):
    """What an order stops: money that leaves the account, that comes to it, or both (`freezes`)."""

    DEBIT = "debit"
    CREDIT = "credit"
    TOTAL = "total"


MOVES: Final = machine("account", {AccountStatus.ACTIVE: {AccountStatus.CLOSED}})


class NoSuchAccountNumber(NotFound):
    """There is no account with this number. Read it digit by digit from the slip and try again."""


class NoSuchCustomer(NotFound):
    """There is no such customer at your branch. Check the customer number and try again."""


class AccountIsClosed(WrongState):
    """This account is closed, so nothing can be booked on it."""


class NoNumberLeft(WrongState):
    """Imported accounts have taken every number this account could get. Tell head office."""


class Account(Base):
    """One customer account. `id` is the id of its row in `balances`."""

    __tablename__ = "accounts"

    id: Mapped[int] = mapped_column(
        ForeignKey("balances.account_id"), primary_key=True, autoincrement=False
    )
    number: Mapped[str] = mapped_column(String(24), unique=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    branch_id: Mapped[int] = mapped_column(ForeignKey("branches.id"), index=True)
    currency: Mapped[str] = mapped_column(String(3))
    opened_on: Mapped[date]
    opened_by: Mapped[int]
    opened_at: Mapped[datetime]
    status: Mapped[AccountStatus]
    frozen: Mapped[FreezeKind | None]
    request_id: Mapped[str | None] = mapped_column(String(36), unique=True)


@dataclass(frozen=True, kw_only=True)
class AccountCard:
    """An account as people see it; amounts in minor units of its currency."""

    id: int
    number: str
    product_code: str
    product_name: str
    currency: str
    status: AccountStatus
    frozen: FreezeKind | None
    opened_on: date
    customer_id: int
    customer_number: str
    holder: str
    branch_id: int
    ifsc: str
    branch_name: str
    booked_minor: int
    held_minor: int
    overdraft_limit_minor: int
    last_booking_date: date | None

    @property
    def available_minor(self) -> int:
        """Booked less holds plus overdraft limit."""
        return self.booked_minor - self.held_minor + self.overdraft_limit_minor


def _cards() -> Select[*tuple[Any, ...]]:
    last_booked = (
        select(Posting.booking_date)
        .where(Posting.account_id == Account.id, Posting.line_no == Balance.lines)
        .scalar_subquery()
    )
    wanted: Select[*tuple[Any, ...]] = (
        select(
            Account.id,
            Account.number,
            Product.code.label("product_code"),
            Product.name.label("product_name"),
            Account.currency,
            Account.status,
            Account.frozen,
            Account.opened_on,
            Account.customer_id,
            Customer.number.label("customer_number"),
            Customer.name.label("holder"),
            Account.branch_id,
            Branch.ifsc,
            Branch.name.label("branch_name"),
            Balance.booked_minor,
            Balance.held_minor,
            Balance.overdraft_limit_minor,
            last_booked.label("last_booking_date"),
        )
        .join(Balance, Balance.account_id == Account.id)
        .join(Product, Product.id == Account.product_id)
        .join(Customer, Customer.id == Account.customer_id)
        .join(Branch, Branch.id == Account.branch_id)
    )
    return wanted


def _card(row: Row[Any]) -> AccountCard:
    return AccountCard(**row._mapping)


def card_of(tx: Tx, account_id: int) -> AccountCard:
    """The card of one account by id, or NoSuchAccountNumber."""
    row = tx.connection.execute(_cards().where(Account.id == account_id)).first()
    if row is None:
        raise NoSuchAccountNumber
    return _card(row)


def card_by_number(tx: Tx, number: str) -> AccountCard:
    """The card of any account of the bank by its exact number, or NoSuchAccountNumber."""
    bare = clean_number(number)
    row = tx.connection.execute(_cards().where(Account.number == bare)).first()
    if row is None:
        raise NoSuchAccountNumber
    return _card(row)


def card_for_staff(tx: Tx, number: str) -> AccountCard:
    """The card of an account that an employee may look at, by its exact number.

    A counter serves every account of the bank; who else works at a branch sees the accounts of
    that branch, and knows nothing of any other.
    """
    card = card_by_number(tx, number)
    desk = tx.desk
    if not (desk.sees_whole_bank or desk.role is Role.CASHIER or desk.branch_id == card.branch_id):
        raise NoSuchAccountNumber
    return card


def cards_of(tx: Tx, customer_id: int | None) -> list[AccountCard]:
    """The cards of a customer's accounts, oldest first."""
    wanted = _cards().where(Account.customer_id == customer_id).order_by(Account.id)
    return [_card(row) for row in tx.connection.execute(wanted)]


@sights.seen_by("account")
def _account_read(tx: Tx, number: str) -> sights.Record | None:
    if not tx.desk.may(Permission.ACCOUNT_LOOK_UP):
        return None
    try:
        return sights.Record(accounts=_keys([card_for_staff(tx, number)]))
    except NoSuchAccountNumber:
        return None


@sights.seen_by("customer")
def _customer_read(tx: Tx, customer_id: str) -> sights.Record | None:
    """A customer is what waits on their accounts."""
    customer = tx.session.get(Customer, int(customer_id))
    if customer is None or not tx.desk.may(Permission.CUSTOMER_VIEW):
        return None
    if not (tx.desk.sees_whole_bank or customer.branch_id == tx.desk.branch_id):
        return None
    held = tx.connection.execute(_cards().where(Account.customer_id == customer.id))
    return sights.Record(accounts=_keys([_card(row) for row in held]))


def _keys(cards: Sequence[AccountCard]) -> tuple[str, ...]:
    """The accounts as approvals name them: by number, or by what the book calls them."""
    return tuple(key for card in cards for key in (card.number, f"#{card.id}"))


@approval_risks.know_accounts_by
def _ages(tx: Tx, keys: Collection[str]) -> list[approval_risks.AccountAge]:
    """How old accounts are, by number or by the id that the book knows."""
    ids = [int(key[1:]) for key in keys if key.startswith("#")]
    first = (
        select(Posting.booking_date)
        .where(Posting.account_id == Account.id, Posting.line_no == 1)
        .scalar_subquery()
    )
    found = tx.connection.execute(
        select(Account.number, Account.opened_on, first)
        .where(or_(Account.number.in_(keys), Account.id.in_(ids)))
        .order_by(Account.number)
    )
    return [
        approval_risks.AccountAge(shown=number, opened_on=on, first_booked_on=first)
        for number, on, first in found
    ]


def own_card(tx: Tx, number: str) -> AccountCard:
    """The card of an account of the customer at this desk; of anyone else's it knows nothing."""
    card = card_by_number(tx, number)
    if card.customer_id != tx.desk.customer_id:
        raise NoSuchAccountNumber
    return card


def check_open(card: AccountCard) -> None:
    """Refuse business on an account that is closed."""
    if card.status is not AccountStatus.ACTIVE:
        raise AccountIsClosed


def clean_number(number: str) -> str:
    """An account number as typed, without the spaces people put in."""
    bare = "".join(number.split())
    if not bare or len(bare) > 24 or not bare.isalnum():
        raise BadInput("Type the account number in full, without dots or dashes.", field="account")
    return bare


@query(Permission.ACCOUNT_LOOK_UP)
def find_account(tx: Tx, number: str) -> AccountCard:
    """Show an account to an employee who has its exact number: of the bank, or of the branch."""
    card = card_for_staff(tx, number)
    tx.looked_at("account", card.number)
    return card


@query(Permission.OWN_ACCOUNTS_VIEW)
def own_accounts(tx: Tx) -> Sequence[AccountCard]:
    """List the accounts of the customer at this desk, oldest first."""
    tx.looked_at("customer", tx.desk.customer_id)
    return cards_of(tx, tx.desk.customer_id)


@query(Permission.CUSTOMER_VIEW)
def accounts_of(tx: Tx, customer_id: int) -> Sequence[AccountCard]:
    """List the accounts of one customer of the desk's branch."""
    customer = tx.session.get(Customer, customer_id)
    if customer is None or not (tx.desk.sees_whole_bank or customer.branch_id == tx.desk.branch_id):
        raise NoSuchCustomer
    tx.looked_at("customer", customer_id)
    return cards_of(tx, customer_id)


@command(Permission.ACCOUNT_OPEN)
def open_account(
    tx: Tx,
    customer_id: int,
    product_code: str,
    request_id: str,
    overdraft_limit_minor: int = 0,
) -> AccountCard:
    """Open an account for a customer of this branch, in rupees, at zero."""
    first = tx.session.scalar(select(Account).where(Account.request_id == request_id))
    customer = tx.session.get(Customer, customer_id)
    if customer is None or not (tx.desk.sees_whole_bank or customer.branch_id == tx.desk.branch_id):
        raise NoSuchCustomer
    if first is not None:
        return _same_opening(tx, first, customer_id, product_code, overdraft_limit_minor)
    wanted = products.product(tx, product_code)
    ceiling = products.term_on(tx, wanted.id, tx.business_date).overdraft_ceiling_minor
    if not 0 <= overdraft_limit_minor <= ceiling:
        raise products.AboveOverdraftCeiling(field="overdraft limit")
    asked = (customer_id, product_code, overdraft_limit_minor)
    try:
        # In a savepoint: of two clicks at once one waits here for the other, and then finds it.
        with tx.session.begin_nested():
            tx.session.connection()  # the savepoint begins now, before the book's own insert
            account = open_row(
                tx,
                customer_id=customer_id,
                product=wanted,
                branch_id=customer.branch_id,
                overdraft_limit_minor=overdraft_limit_minor,
                request_id=request_id,
            )
    except IntegrityError:
        first = tx.session.scalar(select(Account).where(Account.request_id == request_id))
        if first is None:
            raise
        return _same_opening(tx, first, *asked)
    card = card_of(tx, account.id)
    tx.concerns("account", card.number)
    tx.changed(None, {"number": card.number, "product": product_code, "holder": card.holder})
    return card


def _same_opening(
    tx: Tx, first: Account, customer_id: int, product_code: str, overdraft_limit_minor: int
) -> AccountCard:
    card = card_of(tx, first.id)
    asked = (customer_id, product_code, overdraft_limit_minor, tx.desk.user_id)
    given = (card.customer_id, card.product_code, card.overdraft_limit_minor, first.opened_by)
    if asked != given:
        raise ledger.RequestReused
    tx.concerns("account", card.number)
    return card


def open_row(
    tx: Tx,
    *,
    customer_id: int,
    product: Product,
    branch_id: int,
    overdraft_limit_minor: int = 0,
    currency: str = "INR",
    opened_on: date | None = None,
    number: str | None = None,
    request_id: str | None = None,
) -> Account:
    """Make the rows of a new account in this transaction (also for imports and the demo)."""
    account_id = ledger.open_balance(
        tx,
        gl_code=product.gl_code,
        branch_id=branch_id,
        currency=currency,
        overdraft_limit_minor=overdraft_limit_minor,
    )
    account = Account(
        id=account_id,
        number=number or _free_number(tx, branch_id, account_id),
        customer_id=customer_id,
        product_id=product.id,
        branch_id=branch_id,
        currency=currency,
        opened_on=opened_on or tx.business_date,
        opened_by=tx.desk.user_id or ledger.SYSTEM_USER_ID,
        opened_at=tx.now,
        status=AccountStatus.ACTIVE,
        request_id=request_id,
    )
    tx.session.add(account)
    tx.session.flush()
    return account


def new_number(branch_id: int, account_id: int, again: int = 0) -> str:
    """Twelve digits: branch, running number and a Luhn check digit that catches a mistyped one.

    `again` counts the numbers before it that were taken.
    """
    body = f"{branch_id:03d}{again * 10_000_000 + account_id:08d}"
    return body + luhn.calc_check_digit(body)


def _free_number(tx: Tx, branch_id: int, account_id: int) -> str:
    """A number nobody has: imported accounts keep theirs, which may look like ours."""
    for again in range(10):
        number = new_number(branch_id, account_id, again)
        if tx.session.scalar(select(Account.id).where(Account.number == number)) is None:
            return number
    raise NoNumberLeft
