"""A customer as whoever answers their ticket sees them: to read only, numbers and addresses masked.

The ticket is the reason to look: who does not see it sees nothing of its customer by it. Accounts
are those of the desk's branch. Every look is in the trail, for the customer and for each account.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import or_, select

from bank.accounts import accounts, statement_lines
from bank.accounts.accounts import Account, AccountCard
from bank.accounts.statement_lines import StatementLine
from bank.book import references
from bank.core.desk import Tx, query
from bank.core.outbox import Message, MessageStatus
from bank.core.permissions import Permission
from bank.office import ticket_desk, tickets
from bank.office.ticket_tables import Ticket
from bank.office.tickets import TicketCard
from bank.people.customers import Customer
from bank.people.fields import masked_email, masked_mobile, masked_pan
from bank.people.identity import User
from bank.people.sign_ins import SignIn, SignInStatus

LATEST: Final = 20  # lines of an account, mails, sign-ins, tickets
BESIDE_A_TICKET: Final = 5  # lines of the account a ticket is about


@dataclass(frozen=True, kw_only=True)
class AccountView:
    """An account with its newest lines."""

    card: AccountCard
    lines: Sequence[StatementLine]


@dataclass(frozen=True, kw_only=True)
class EntryView:
    """An entry as the customer reads it: its lines on accounts of theirs, with the number of each.

    `booked_on` is what they all have in common."""

    reference: str
    booked_on: date
    value_on: date
    lines: Sequence[tuple[AccountCard, StatementLine]]


@dataclass(frozen=True, kw_only=True)
class AboutTicket:
    """What a ticket is about. Both empty: nothing, or what this desk does not see."""

    account: AccountView | None = None
    entry: EntryView | None = None


@dataclass(frozen=True, kw_only=True)
class SentMail:
    """A mail to the customer and what became of it; what it said is theirs."""

    queued_at: datetime
    subject: str
    status: MessageStatus
    sent_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """When somebody signed in with the customer's name, or tried to."""

    at: datetime
    from_where: str
    outcome: SignInStatus


@dataclass(frozen=True, kw_only=True)
class CustomerView:
    """Everything at a glance. `elsewhere` counts accounts at other branches."""

    id: int
    number: str
    name: str
    born_in: int
    pan: str
    mail_to: str
    mobile: str
    customer_since: datetime
    has_portal: bool
    accounts: Sequence[AccountView]
    elsewhere: int
    tickets: Sequence[TicketCard]
    mails: Sequence[SentMail]
    sign_ins: Sequence[SignedIn]


@query(Permission.TICKET_WORK)
def about_ticket(tx: Tx, ticket_id: int) -> AboutTicket:
    """Show the account or the entry that a ticket is about, as far as this desk sees it."""
    ticket = ticket_desk.in_sight(tx, ticket_id)
    tx.looked_at("ticket", ticket_id)
    if ticket.about is None:
        return AboutTicket()
    cards = _cards_here(tx, ticket.customer_id)
    if ticket.about_kind == "account":
        mine = [card for card in cards if card.number == ticket.about]
        found = _with_lines(tx, mine, BESIDE_A_TICKET)
        return AboutTicket(account=found[0] if found else None)
    return AboutTicket(entry=_entry(tx, cards, ticket.about))


@query(Permission.TICKET_WORK)
def customer_in_full(tx: Tx, ticket_id: int) -> CustomerView:
    """Show the customer of a ticket: profile, accounts, tickets, mails and sign-ins, to read."""
    ticket = ticket_desk.in_sight(tx, ticket_id)
    customer = tx.session.get_one(Customer, ticket.customer_id)
    tx.looked_at("customer", customer.id)
    here = _cards_here(tx, customer.id)
    owned = select(Account.id).where(Account.customer_id == customer.id)
    user_ids = list(tx.connection.scalars(select(User.id).where(User.customer_id == customer.id)))
    return CustomerView(
        id=customer.id,
        number=customer.number,
        name=customer.name,
        born_in=customer.date_of_birth.year,
        pan=masked_pan(customer.pan),
        mail_to=masked_email(customer.email),
        mobile=masked_mobile(customer.mobile),
        customer_since=customer.created_at,
        has_portal=bool(user_ids),
        accounts=_with_lines(tx, here, LATEST),
        elsewhere=len(list(tx.connection.scalars(owned))) - len(here),
        tickets=_tickets(tx, customer.id),
        mails=_mails(tx, customer, user_ids),
        sign_ins=_sign_ins(tx, user_ids),
    )


def _cards_here(tx: Tx, customer_id: int) -> list[AccountCard]:
    """The customer's accounts that this desk sees: of its branch, or all of the bank's."""
    return [
        card
        for card in accounts.cards_of(tx, customer_id)
        if tx.desk.sees_whole_bank or card.branch_id == tx.desk.branch_id
    ]


def _with_lines(tx: Tx, cards: Sequence[AccountCard], take: int) -> list[AccountView]:
    for card in cards:
        tx.looked_at("account", card.number)
    lines = statement_lines.newest(tx, [card.id for card in cards], take)
    return [AccountView(card=card, lines=lines[card.id]) for card in cards]


def _entry(tx: Tx, cards: Sequence[AccountCard], reference: str) -> EntryView | None:
    by_id = {card.id: card for card in cards}
    found = statement_lines.of_entry(tx, list(by_id), references.entry_id_in(reference))
    lines = [(by_id[account_id], line) for account_id, of in found.items() for line in of]
    if not lines:
        return None
    for card, _ in lines:
        tx.looked_at("account", card.number)
    first = lines[0][1]
    return EntryView(
        reference=reference, booked_on=first.booking_date, value_on=first.value_date, lines=lines
    )


def _tickets(tx: Tx, customer_id: int) -> Sequence[TicketCard]:
    rows = tx.connection.execute(
        tickets.cards()
        .where(Ticket.customer_id == customer_id, *ticket_desk.tickets_in_sight(tx))
        .order_by(Ticket.id.desc())
        .limit(LATEST)
    )
    return tickets.cards_from(tx, rows)


def _mails(tx: Tx, customer: Customer, user_ids: Sequence[int]) -> Sequence[SentMail]:
    """The newest mails to the customer's address, or to who signs in as the customer."""
    if customer.email is None:
        return []
    rows = tx.connection.execute(
        select(Message.queued_at, Message.subject, Message.status, Message.sent_at)
        .where(
            Message.recipient == customer.email,
            or_(Message.user_id.is_(None), Message.user_id.in_(user_ids)),
        )
        .order_by(Message.id.desc())
        .limit(LATEST)
    )
    return [SentMail(**row._mapping) for row in rows]


def _sign_ins(tx: Tx, user_ids: Sequence[int]) -> Sequence[SignedIn]:
    rows = tx.connection.execute(
        select(SignIn.at, SignIn.from_where, SignIn.status)
        .where(SignIn.user_id.in_(user_ids))
        .order_by(SignIn.id.desc())
        .limit(LATEST)
    )
    return [SignedIn(at=at, from_where=place, outcome=status) for at, place, status in rows]
