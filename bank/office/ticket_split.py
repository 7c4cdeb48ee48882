"""A ticket about two matters becomes two: what the customer wrote about one gets its own number.

The new ticket begins with the customer's own words and files, and its clocks begin when they were
written: the bank has known of it since then. What stands in the old ticket stays there.
"""

from sqlalchemy import select

from bank.core import work
from bank.core.clock import appointment
from bank.core.desk import Tx, command
from bank.core.errors import BadInput, WrongState
from bank.core.ids import request_id_of
from bank.core.permissions import Permission
from bank.core.work_tables import Channel
from bank.office import ticket_posts, ticket_related, tickets
from bank.office.ticket_desk import in_sight, owned_item
from bank.office.ticket_posts import SentAlready, reference_of
from bank.office.ticket_tables import (
    LONGEST_SUBJECT,
    PostKind,
    Ticket,
    TicketCategory,
    TicketFile,
    TicketPost,
)
from bank.office.tickets import KIND, TicketCard
from bank.people.customers import Customer
from bank.people.fields import clean_text


class NoSuchPost(BadInput):
    """Choose something that the customer wrote in this ticket."""


class SplitAlready(WrongState):
    """This has a ticket of its own already. Look at the notes of this ticket."""


@command(Permission.TICKET_WORK)
def split_ticket(
    tx: Tx, ticket_id: int, post_id: int, category: str, subject: str, *, request_id: str
) -> TicketCard:
    """Give what a customer wrote in a claimed ticket a ticket of its own, and mail its number."""
    ticket = in_sight(tx, ticket_id, held=True)
    kind = tickets.categories_on(tx).get(category)
    if kind is None:
        raise tickets.NoSuchCategory(field="category")
    title = clean_text(subject, field="subject", longest=LONGEST_SUBJECT)
    post = _question(tx, ticket, post_id)
    tx.concerns("ticket", ticket_id)
    copy_id = request_id_of("split", post.request_id)
    known = tx.session.scalar(select(TicketPost).where(TicketPost.request_id == copy_id))
    first = tx.session.scalar(select(Ticket).where(Ticket.request_id == request_id))
    if first is not None:  # a second click
        if known is None or (known.ticket_id, category, title) != (
            *(first.id, first.category, first.subject),
        ):
            raise SentAlready
        return tickets.card_of(tx, first.id)
    if known is not None:
        raise SplitAlready
    row = owned_item(tx, ticket_id)
    new = _new(tx, ticket, kind, title, post, request_id)
    customer = tx.session.get_one(Customer, ticket.customer_id)
    channel = row.channel or Channel.PORTAL
    work.open_item(tx, tickets.item_for(new, kind, customer, post.body, channel, since=post.at))
    _copy(tx, post, new, copy_id)
    _note(tx, ticket, f"What the customer wrote on {appointment(post.at)} goes on in"
          f" {reference_of(new)}.", new)  # fmt: skip
    _note(tx, new, f"Split from {reference_of(ticket)}.", ticket)
    ticket_related.relate(tx, ticket, new)
    work.go_on(tx, work.item_of(tx, KIND.name, ticket_id))
    card = tickets.card_of(tx, new.id)
    _tell(tx, tx.session.get_one(Ticket, post.ticket_id), new, post, card)
    return card


def _question(tx: Tx, ticket: Ticket, post_id: int) -> TicketPost:
    """What the customer wrote in this ticket or in one that was merged into it."""
    post = tx.session.get(TicketPost, post_id)
    if post is None or post.kind is not PostKind.QUESTION:
        raise NoSuchPost(field="post")
    of = tx.session.get_one(Ticket, post.ticket_id)
    if ticket.id not in {of.id, of.merged_into}:
        raise NoSuchPost(field="post")
    return post


def _new(
    tx: Tx, ticket: Ticket, kind: TicketCategory, title: str, post: TicketPost, request_id: str
) -> Ticket:
    new = Ticket(
        request_id=request_id,
        customer_id=ticket.customer_id,
        branch_id=ticket.branch_id,
        category=kind.code,
        subject=title,
        opened_on=tx.business_date,  # its number is of today, its clocks are not
        opened_at=post.at,
        score_note="",
    )
    tx.session.add(new)
    tx.session.flush()
    return new


def _copy(tx: Tx, post: TicketPost, new: Ticket, request_id: str) -> None:
    """The same words and files of the same person at the same moment, in the new ticket."""
    copy = TicketPost(
        request_id=request_id,
        ticket_id=new.id,
        at=post.at,
        author_id=post.author_id,
        author_name=post.author_name,
        kind=PostKind.QUESTION,
        body=post.body,
    )
    tx.session.add(copy)
    tx.session.flush()
    files = tx.session.scalars(
        select(TicketFile).where(TicketFile.post_id == post.id).order_by(TicketFile.id)
    )
    tx.session.add_all(
        TicketFile(
            post_id=copy.id,
            name=file.name,
            kind=file.kind,
            size=file.size,
            sha256=file.sha256,
            at=file.at,
        )
        for file in files.all()
    )
    tx.session.flush()


def _note(tx: Tx, ticket: Ticket, words: str, other: Ticket) -> None:
    once = request_id_of("split", "note", ticket.request_id, other.request_id)
    ticket_posts.write(tx, ticket, PostKind.NOTE, words, once)


def _tell(tx: Tx, of: Ticket, new: Ticket, post: TicketPost, card: TicketCard) -> None:
    """Tell the customer where what they wrote in a ticket (perhaps merged since) goes on."""
    due = card.first_due_at
    assert due is not None, "a new ticket has its clocks running"
    by = (
        f"You will have a first answer to it by {appointment(due)}."
        if due >= tx.now
        else f"We owed you an answer to it by {appointment(due)}. We are late, and sorry."
    )
    ticket_posts.mail(
        tx,
        new,
        f"{card.reference}: {new.subject}",
        f"what you wrote on {appointment(post.at)} in your ticket {reference_of(of)},"
        f" {of.subject}, has a ticket of its own now: {card.reference}, {new.subject}."
        f"\n\n{by}",
    )
