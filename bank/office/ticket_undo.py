"""A reply that its writer takes back in the seconds before its mail leaves.

The mail is called off, the reply stays with a word that it was taken back and is never shown to the
customer, and the ticket stands as it did before: claimed by its writer, with the clocks it had.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, select

from bank.core import outbox, work, work_undo
from bank.core.desk import Tx, command, query
from bank.core.errors import NotFound, WrongState
from bank.core.permissions import Permission
from bank.office import ticket_sendings
from bank.office.ticket_desk import in_sight
from bank.office.ticket_tables import (
    PostKind,
    Ticket,
    TicketPost,
    TicketSending,
    TicketTakeBack,
)
from bank.office.ticket_uploads import digests_at
from bank.office.tickets import KIND


class NoSuchReply(NotFound):
    """There is no such reply in this ticket. Look at what is written in it."""


class OnItsWay(WrongState):
    """The reply is out, so it cannot be taken back. Write another one."""


class WentOn(WrongState):
    """Something has happened to this ticket since, so the reply stays. Write another one."""


class NotYourReply(WrongState):
    """Only who has written a reply takes it back. Ask your colleague."""


@dataclass(frozen=True, kw_only=True)
class Leaving:
    """A reply of one's own that may still be taken back, until `leaves_at`."""

    post_id: int
    leaves_at: datetime
    is_mailed: bool
    has_files: bool


@query(Permission.TICKET_WORK)
def leaving_reply(tx: Tx, ticket_id: int) -> Leaving | None:
    """Show the newest reply of one's own in a ticket that may still be taken back."""
    ticket = in_sight(tx, ticket_id)
    tx.looked_at("ticket", ticket_id)
    row = tx.session.scalar(
        select(TicketSending)
        .join(TicketPost, TicketPost.id == TicketSending.post_id)
        .where(
            TicketPost.ticket_id == ticket_id,
            TicketPost.author_id == tx.desk.user_id,
            TicketSending.leaves_at > tx.now,
            ~ticket_sendings.was_taken_back(),
        )
        .order_by(TicketSending.post_id.desc())
        .limit(1)
    )
    item = work.item_if_any(tx, KIND.name, ticket_id, is_held=False)
    if row is None or _has_gone_on(tx, ticket, item.id, row):
        return None
    return Leaving(
        post_id=row.post_id,
        leaves_at=row.leaves_at,
        is_mailed=row.mail_id is not None,
        has_files=bool(digests_at(tx, row.post_id)),
    )


@command(Permission.TICKET_WORK)
def undo_reply(tx: Tx, ticket_id: int, post_id: int) -> str:
    """Take back a reply whose mail has not left; answers its words, to be written anew."""
    ticket = in_sight(tx, ticket_id, held=True)
    tx.concerns("ticket", ticket_id)
    post, sending = tx.session.get(TicketPost, post_id), tx.session.get(TicketSending, post_id)
    if post is None or post.ticket_id != ticket_id or post.kind is not PostKind.REPLY:
        raise NoSuchReply
    if post.author_id != tx.desk.user_id:
        raise NotYourReply
    if ticket_sendings.is_taken_back(tx, post_id):  # a second click
        return post.body
    if sending is None or tx.now >= sending.leaves_at:
        raise OnItsWay
    row = work.item_of(tx, KIND.name, ticket_id)
    if _has_gone_on(tx, ticket, row.id, sending):
        raise WentOn
    if sending.mail_id is not None and not outbox.call_off_mail(tx, sending.mail_id):
        raise OnItsWay
    tx.session.add(
        TicketTakeBack(post_id=post_id, at=tx.now, by_id=tx.desk.user_id, by_name=tx.desk.name)
    )
    _reopen(tx, ticket)
    work_undo.undo(tx, row, sending.before, sending.event_from, "taken back")
    return post.body


def _has_gone_on(tx: Tx, ticket: Ticket, item_id: int, sending: TicketSending) -> bool:
    """Whether something stands upon a reply: another line of the history, another reply (which may
    have left no line), or a score."""
    later = exists().where(
        TicketPost.ticket_id == ticket.id,
        TicketPost.kind == PostKind.REPLY,
        TicketPost.id > sending.post_id,
        ~ticket_sendings.was_taken_back(),
    )
    if ticket.score is not None or work_undo.last_event(tx, item_id) != sending.event_to:
        return True
    return bool(tx.session.scalar(select(later)))


def _reopen(tx: Tx, ticket: Ticket) -> None:
    """Not solved, as before: a reply is written only while a ticket is open."""
    if ticket.solved_at is not None:
        tx.changed({"solved_at": ticket.solved_at.isoformat()}, {"solved_at": None})
        ticket.solved_at = ticket.solved_by = None
    tx.session.flush()
