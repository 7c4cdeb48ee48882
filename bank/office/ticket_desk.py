"""Tickets at the desk of an employee: read, reply, note, ask, solve, and the canned replies.

A reply is mailed to the customer in the same transaction; a note never leaves the bank. Both are
written only by who has claimed the item; notes also by who leads.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import String, Text, UniqueConstraint, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from bank.core import work, work_rights
from bank.core.db import Base
from bank.core.desk import Tx, command, query
from bank.core.errors import BadInput
from bank.core.permissions import Permission
from bank.core.work_tables import ITEMS, W
from bank.office import tickets
from bank.office.ticket_tables import PostKind, Ticket
from bank.office.tickets import KIND, Post, TicketCard
from bank.people.customers import Customer
from bank.people.fields import clean_text, masked_email

LONGEST_NAME: Final = 60


class Then(StrEnum):
    """What a reply does to the ticket."""

    STAY = "stay"
    WAIT = "wait"
    SOLVE = "solve"


class CannedReply(Base):
    """Words for a reply, with placeholders; of one employee, or of all when it has no owner."""

    __tablename__ = "canned_replies"
    __table_args__ = (UniqueConstraint("owner_id", "name"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int | None]
    name: Mapped[str] = mapped_column(String(LONGEST_NAME))
    body: Mapped[str] = mapped_column(Text)


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A ticket on an employee's desk: the card, who wrote it, what was written."""

    card: TicketCard
    customer: str
    customer_number: str
    mail_to: str
    posts: Sequence[Post]


@query(Permission.TICKET_WORK)
def read_ticket(tx: Tx, ticket_id: int) -> Opened:
    """Show a ticket of the desk's branch with everything written about it, notes included."""
    ticket = _in_sight(tx, ticket_id)
    customer = tx.session.get_one(Customer, ticket.customer_id)
    tx.looked_at("ticket", ticket_id)
    return Opened(
        card=tickets.card_of(tx, ticket),
        customer=customer.name,
        customer_number=customer.number,
        mail_to=masked_email(customer.email),
        posts=tickets.posts_of(tx, ticket_id, with_notes=True),
    )


@command(Permission.TICKET_WORK)
def reply(tx: Tx, ticket_id: int, body: str, then: Then, *, request_id: str) -> bool:
    """Answer the customer, who is mailed at once; then stay, wait for them, or solve the ticket.

    Answers whether a mail goes out: False when the customer has no address.
    """
    ticket = _in_sight(tx, ticket_id)
    words = tickets.clean_body(body)
    if unfilled := _placeholders(words):
        raise BadInput(f"Fill in {', '.join(unfilled)} first.", field="message")
    tx.concerns("ticket", ticket_id)
    has_address = bool(tx.session.get_one(Customer, ticket.customer_id).email)
    if tickets.is_written(tx, ticket, PostKind.REPLY, words, request_id):
        return has_address
    row = work.item_of(tx, KIND.name, ticket_id)
    work.check_owner(tx, row)
    tickets.write(tx, ticket, PostKind.REPLY, words, request_id)
    work.first_reply(tx, row)
    row = work.item_of(tx, KIND.name, ticket_id)
    reference = tickets.reference_of(ticket)
    says = f"about your ticket {reference}, {ticket.subject}:\n\n{words}"
    if then is Then.WAIT:
        if row.status is not W.WAITING:
            work.ask(tx, row, "asked the customer")
        says += "\n\nWe wait for your answer. Write it below your ticket in the portal."
    elif then is Then.SOLVE:
        work.decide(tx, row, "solved")
        ticket.solved_at = tx.now
        tx.session.flush()
        days = tickets.rule_of(tx, "reopen_days")
        says += f"\n\nThis solves your ticket. If it does not, open it again within {days} days."
    elif row.status is W.WAITING:
        work.answer(tx, row, "taken up again")
    return tickets.mail(tx, ticket, f"{reference}: {ticket.subject}", says)


@command(Permission.TICKET_WORK)
def add_note(tx: Tx, ticket_id: int, body: str, *, request_id: str) -> None:
    """Write a note that no customer ever sees."""
    ticket = _in_sight(tx, ticket_id)
    words = tickets.clean_body(body)
    tx.concerns("ticket", ticket_id)
    if tickets.is_written(tx, ticket, PostKind.NOTE, words, request_id):
        return
    tickets.write(tx, ticket, PostKind.NOTE, words, request_id)


@query(Permission.TICKET_WORK)
def canned_replies(tx: Tx, ticket_id: int) -> Mapping[str, str]:
    """List the canned replies for a ticket by name, with the placeholders filled in."""
    ticket = _in_sight(tx, ticket_id)
    customer = tx.session.get_one(Customer, ticket.customer_id)
    tx.looked_at("ticket", ticket_id)
    known = {
        "{name}": customer.name,
        "{ref}": tickets.reference_of(ticket),
        "{account_last4}": (ticket.about or "")[-4:] if ticket.about_kind == "account" else "",
        "{reopen_days}": str(tickets.rule_of(tx, "reopen_days")),
    }
    rows = tx.session.scalars(
        select(CannedReply)
        .where(or_(CannedReply.owner_id.is_(None), CannedReply.owner_id == tx.desk.user_id))
        .order_by(CannedReply.owner_id.is_(None), CannedReply.name)
    )
    found: dict[str, str] = {}
    for row in rows:
        body = row.body
        for mark, value in known.items():
            body = body.replace(mark, value) if value else body
        found.setdefault(row.name, body)
    return found


@command(Permission.TICKET_WORK)
def keep_reply(tx: Tx, name: str, body: str) -> None:
    """Keep words for one's own replies under a name, instead of what it held before."""
    title = clean_text(name, field="name", longest=LONGEST_NAME)
    words = tickets.clean_body(body)
    row = tx.session.scalar(
        select(CannedReply).where(
            CannedReply.owner_id == tx.desk.user_id, CannedReply.name == title
        )
    )
    tx.concerns("canned reply", title)
    tx.changed({"body": row.body} if row else None, {"body": words})
    if row is None:
        tx.session.add(CannedReply(owner_id=tx.desk.user_id, name=title, body=words))
    else:
        row.body = words
    tx.session.flush()


@query(Permission.TICKET_WORK)
def other_tickets(tx: Tx, ticket_id: int) -> Sequence[TicketCard]:
    """List the other tickets of the same customer, newest first, ten at most."""
    ticket = _in_sight(tx, ticket_id)
    tx.looked_at("customer", ticket.customer_id)
    rows = tx.connection.execute(
        tickets.cards()
        .where(Ticket.customer_id == ticket.customer_id, Ticket.id != ticket_id)
        .order_by(Ticket.id.desc())
        .limit(10)
    )
    days = timedelta(days=tickets.rule_of(tx, "reopen_days"))
    return [tickets.card_from(row, days) for row in rows]


def _in_sight(tx: Tx, ticket_id: int) -> Ticket:
    """A ticket of this desk's queues, or NoSuchTicket."""
    ticket = tx.session.get(Ticket, ticket_id)
    if ticket is None:
        raise tickets.NoSuchTicket
    found = select(ITEMS).where(ITEMS.c.kind == KIND.name, ITEMS.c.subject_id == ticket_id)
    if not work_rights.may_see(tx.desk, tx.connection.execute(found).one()):
        raise tickets.NoSuchTicket
    return ticket


def _placeholders(text: str) -> list[str]:
    known = ("{name}", "{ref}", "{account_last4}", "{reopen_days}")
    return [mark for mark in known if mark in text]
