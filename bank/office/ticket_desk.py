"""Tickets at the desk of an employee: read, reply, note, ask, solve.

A reply is mailed to the customer in the same transaction and written only by who has claimed the
item. A note never leaves the bank; everybody who sees the ticket may add one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, select

from bank.core import work, work_rights, work_undo
from bank.core.clock import appointment
from bank.core.desk import Tx, command, query
from bank.core.errors import BadInput, WrongState
from bank.core.permissions import Permission
from bank.core.work_tables import ITEMS, W
from bank.office import canned, queue_lists, ticket_posts, ticket_sendings, tickets
from bank.office.canned import MARK
from bank.office.ticket_posts import Post, clean_body, is_written, write
from bank.office.ticket_tables import PostKind, Ticket, rule_of
from bank.office.ticket_uploads import CleanFile, Upload, clean_files, named_in_mail
from bank.office.tickets import KIND, TicketCard
from bank.people.customers import Customer
from bank.people.fields import masked_email


class WasTakenBack(WrongState):
    """This reply was taken back. Write it anew."""


class Then(StrEnum):
    """What a reply does to the ticket."""

    STAY = "stay"
    WAIT = "wait"
    SOLVE = "solve"


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A ticket on an employee's desk: the card, who wrote it, what was written."""

    card: TicketCard
    category: str
    customer: str
    customer_number: str
    mail_to: str
    posts: Sequence[Post]


@dataclass(frozen=True, kw_only=True)
class ReplyMail:
    """The mail of a reply. `endings` is what is added when the customer must act, or when it is
    solved."""

    subject: str
    says: str
    endings: Mapping[Then, str]


@query(Permission.TICKET_WORK)
def read_ticket(tx: Tx, ticket_id: int) -> Opened:
    """Show a ticket of the desk's branch with everything written about it, notes included."""
    ticket = in_sight(tx, ticket_id)
    customer = tx.session.get_one(Customer, ticket.customer_id)
    category = tickets.categories_on(tx).get(ticket.category)
    tx.looked_at("ticket", ticket_id)
    return Opened(
        card=tickets.card_of(tx, ticket_id),
        category=category.name if category else ticket.category,
        customer=customer.name,
        customer_number=customer.number,
        mail_to=masked_email(customer.email),
        posts=ticket_posts.posts_of(tx, ticket_id, with_notes=True),
    )


@command(Permission.TICKET_WORK)
def reply(
    tx: Tx,
    ticket_id: int,
    body: str,
    then: Then,
    files: Sequence[Upload] = (),
    *,
    request_id: str,
) -> bool:
    """Answer the customer by mail; then stay, wait for them, or solve the ticket.

    The mail is written at once and leaves some seconds later, until which its writer may take it
    back (`ticket_undo.py`). Answers whether one goes out: False when the customer has no address.
    """
    ticket = in_sight(tx, ticket_id, held=True)
    words, given = clean_reply(body), clean_files(tx, files)
    tx.concerns("ticket", ticket_id)
    return send(tx, ticket, words, then, given, request_id)


def send(
    tx: Tx, ticket: Ticket, words: str, then: Then, given: Sequence[CleanFile], request_id: str
) -> bool:
    """Reply in this transaction about a held ticket, with words that are clean; whether it is
    mailed. What the mail is refused for, comes when all else is written: the caller takes it back
    with the transaction, or to a savepoint."""
    has_address = bool(tx.session.get_one(Customer, ticket.customer_id).email)
    if is_written(tx, ticket, PostKind.REPLY, words, request_id, given):
        if ticket_sendings.is_taken_back(tx, ticket_sendings.post_id_of(tx, request_id)):
            raise WasTakenBack
        return has_address
    row = before = owned_item(tx, ticket.id)
    event_from = work_undo.last_event(tx, row.id)
    write(tx, ticket, PostKind.REPLY, words, request_id, given)
    work.replied(tx, row)
    row = work.item_of(tx, KIND.name, ticket.id)
    if then is Then.WAIT:
        if row.status is not W.WAITING:
            work.ask(tx, row, "asked the customer")
    elif then is Then.SOLVE:
        work.decide(tx, row, "solved")
        tx.changed({"solved_at": None}, {"solved_at": tx.now.isoformat()})
        ticket.solved_at, ticket.solved_by = tx.now, tx.desk.user_id
        tx.session.flush()
    elif row.status is W.WAITING:
        work.answer(tx, row, "taken up again")
    else:
        work.go_on(tx, row)
    mail, leaves = _mail_of(tx, ticket, words, named_in_mail(given)), ticket_sendings.leaves_at(tx)
    text = f"{mail.says}{mail.endings.get(then, '')}"
    mail_id = ticket_posts.mail(tx, ticket, mail.subject, text, leaves)
    if leaves is not None:
        ticket_sendings.keep(tx, request_id, mail_id, leaves, before, event_from)
    return has_address


@query(Permission.TICKET_WORK)
def preview_reply(tx: Tx, ticket_id: int, body: str) -> ReplyMail:
    """Show the mail that a reply would send, before it is sent."""
    ticket = in_sight(tx, ticket_id)
    words = clean_reply(body)
    customer = tx.session.get_one(Customer, ticket.customer_id)
    tx.looked_at("ticket", ticket_id)
    mail = _mail_of(tx, ticket, words, "")
    return replace(mail, says=ticket_posts.letter(customer, mail.says))


@command(Permission.TICKET_WORK)
def add_note(
    tx: Tx, ticket_id: int, body: str, files: Sequence[Upload] = (), *, request_id: str
) -> None:
    """Write a note that no customer ever sees."""
    ticket = in_sight(tx, ticket_id, held=True)
    words, given = clean_body(body), clean_files(tx, files)
    tx.concerns("ticket", ticket_id)
    if not is_written(tx, ticket, PostKind.NOTE, words, request_id, given):
        write(tx, ticket, PostKind.NOTE, words, request_id, given)
        work.go_on(tx, work.item_of(tx, KIND.name, ticket_id))


@query(Permission.TICKET_WORK)
def canned_replies(tx: Tx, ticket_id: int) -> Mapping[str, str]:
    """List the canned replies for a ticket by name, with the placeholders filled in."""
    ticket = in_sight(tx, ticket_id)
    tx.looked_at("ticket", ticket_id)
    known = known_of(tx, ticket)
    found: dict[str, str] = {}
    for row in canned.usable(tx):  # of the same name the first counts: one's own, the branch's
        found.setdefault(row.name, filled(row.body, known))
    return found


def known_of(tx: Tx, ticket: Ticket) -> Mapping[str, str]:
    """What the placeholders of canned replies stand for in a ticket; empty what is not known."""
    card = tickets.card_of(tx, ticket.id)
    return {
        "{name}": tx.session.get_one(Customer, ticket.customer_id).name,
        "{ref}": card.reference,
        "{account_last4}": (ticket.about or "")[-4:] if ticket.about_kind == "account" else "",
        "{reopen_days}": str(rule_of(tx, "reopen_days")),
        "{due}": appointment(card.solve_due_at) if card.solve_due_at else "",
    }


def filled(body: str, known: Mapping[str, str]) -> str:
    """Words with their placeholders filled in. What is not known stays to be seen, and `reply`
    refuses it. In one pass: a name that looks like a placeholder is a name."""
    return MARK.sub(lambda mark: known.get(mark[0]) or mark[0], body)


@query(Permission.TICKET_WORK)
def other_tickets(tx: Tx, ticket_id: int) -> Sequence[TicketCard]:
    """List other tickets of the same customer in sight of this desk, newest first, ten at most."""
    ticket = in_sight(tx, ticket_id)
    tx.looked_at("customer", ticket.customer_id)
    rows = tx.connection.execute(
        tickets.cards()
        .where(
            Ticket.customer_id == ticket.customer_id,
            Ticket.id != ticket_id,
            *tickets_in_sight(tx),
        )
        .order_by(Ticket.id.desc())
        .limit(10)
    )
    return tickets.cards_from(tx, rows)


def in_sight(tx: Tx, ticket_id: int, *, held: bool = False) -> Ticket:
    """A ticket of this desk's queues, or NoSuchTicket."""
    ticket = tx.session.get(Ticket, ticket_id, with_for_update=held or None)
    if ticket is None:
        raise tickets.NoSuchTicket
    found = select(ITEMS).where(ITEMS.c.kind == KIND.name, ITEMS.c.subject_id == ticket_id)
    if not work_rights.may_see(tx.desk, tx.connection.execute(found).one()):
        raise tickets.NoSuchTicket
    return ticket


def tickets_in_sight(tx: Tx) -> Sequence[ColumnElement[bool]]:
    """Which tickets this desk sees in its queues."""
    return queue_lists.in_sight(tx, (KIND.name,), None)


def hold_items(tx: Tx, *ticket_ids: int) -> Sequence[int]:
    """Hold the items of tickets, in the order of all who hold several: nobody waits in a ring.
    Answers the tickets in that order."""
    found = {work.item_if_any(tx, KIND.name, each, is_held=False).id: each for each in ticket_ids}
    in_order = [found[item_id] for item_id in sorted(found)]
    for each in in_order:
        work.item_of(tx, KIND.name, each)
    return in_order


def owned_item(tx: Tx, ticket_id: int) -> Any:
    """The open item of a ticket, held, if the person at the desk has claimed it."""
    row = work.item_of(tx, KIND.name, ticket_id)
    if row.status is W.DECIDED:
        raise work.IsDecided
    work.check_owner(tx, row)
    return row


def clean_reply(body: str) -> str:
    """What is said to a customer, or BadInput(message): nothing in it is left to be filled in."""
    words = clean_body(body)
    if unfilled := dict.fromkeys(MARK.findall(words)):
        raise BadInput(f"Fill in {', '.join(unfilled)} first.", field="message")
    return words


def _mail_of(tx: Tx, ticket: Ticket, words: str, files: str) -> ReplyMail:
    reference, days = ticket_posts.reference_of(ticket), rule_of(tx, "reopen_days")
    return ReplyMail(
        subject=f"{reference}: {ticket.subject}",
        says=f"about your ticket {reference}, {ticket.subject}:\n\n{words}{files}",
        endings={
            Then.WAIT: "\n\nWe wait for your answer. Write it below your ticket in the portal.",
            Then.SOLVE: "\n\nThis solves your ticket. If it does not, open it again within "
            f"{days} days.",
        },
    )
