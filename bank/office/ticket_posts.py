"""What is written about a ticket: questions, replies and notes, and the mails that tell of them.

What kind a post is was fixed when it was written, and triggers refuse every change. A note is never
mailed and never shown to a customer; only `mail` below writes to one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import or_, select
from stdnum import luhn

from bank.core import outbox
from bank.core.desk import Tx
from bank.core.errors import BadInput, WrongState
from bank.office import ticket_sendings
from bank.office.ticket_tables import PostKind, Ticket, TicketPost
from bank.office.ticket_uploads import CleanFile, FileCard, attach, digests_at, files_at
from bank.people.customers import Customer

LONGEST_BODY: Final = 4_000
PURPOSE: Final = "ticket"


class SentAlready(WrongState):
    """This form was sent already with other words or files. Reload the page to see the ticket."""


@dataclass(frozen=True, kw_only=True)
class Post:
    """A post as its readers see it. `via` is the reference of the merged ticket it came with.

    `is_taken_back`: a reply that no customer has seen or will see.
    """

    id: int
    at: datetime
    author: str
    kind: PostKind
    body: str
    via: str | None = None
    files: Sequence[FileCard] = ()
    is_taken_back: bool = False


def reference_of(ticket: Any) -> str:
    """What people quote: `T-260316-42-7`, the last digit checking the others."""
    day = f"{ticket.opened_on:%y%m%d}"
    return f"T-{day}-{ticket.id}-{luhn.calc_check_digit(f'{day}{ticket.id}')}"


def posts_of(tx: Tx, ticket_id: int, *, with_notes: bool) -> Sequence[Post]:
    """What was written about a ticket and those merged into it, oldest first; without notes also
    without what has not left the bank yet."""
    wanted = (
        select(TicketPost, Ticket, ticket_sendings.was_taken_back().label("is_taken_back"))
        .join(Ticket, Ticket.id == TicketPost.ticket_id)
        .where(or_(Ticket.id == ticket_id, Ticket.merged_into == ticket_id))
        .order_by(TicketPost.at, TicketPost.id)
    )
    if not with_notes:
        wanted = wanted.where(TicketPost.kind != PostKind.NOTE, ticket_sendings.is_out(tx))
    rows = tx.session.execute(wanted).all()
    files = files_at(tx, [row.id for row, _, _ in rows])
    return [
        Post(
            id=row.id,
            at=row.at,
            author=row.author_name,
            kind=row.kind,
            body=row.body,
            via=None if ticket.id == ticket_id else reference_of(ticket),
            files=files.get(row.id, ()),
            is_taken_back=bool(is_taken_back),
        )
        for row, ticket, is_taken_back in rows
    ]


def clean_body(body: str) -> str:
    """What somebody writes, in lines, or BadInput(message)."""
    lines = [" ".join(line.split()) for line in body.strip().splitlines()]
    text = "\n".join(lines)
    if not text:
        raise BadInput("Write your message first.", field="message")
    if len(text) > LONGEST_BODY:
        raise BadInput(f"At most {LONGEST_BODY:,} characters fit here.", field="message")
    if not all(line.isprintable() for line in lines):
        raise BadInput("This holds characters that cannot be printed.", field="message")
    return text


def is_written(
    tx: Tx,
    ticket: Ticket,
    kind: PostKind,
    body: str,
    request_id: str,
    files: Sequence[CleanFile] = (),
) -> bool:
    """Whether this very post was written before; SentAlready if its request wrote another one.

    The ticket is held, so that of two clicks at once the second finds what the first has written.
    """
    row = tx.session.scalar(select(TicketPost).where(TicketPost.request_id == request_id))
    if row is None:
        return False
    asked = (ticket.id, tx.desk.user_id, kind, body)
    if asked != (row.ticket_id, row.author_id, row.kind, row.body):
        raise SentAlready
    if {file.sha256 for file in files} != digests_at(tx, row.id):
        raise SentAlready
    return True


def body_of(tx: Tx, request_id: str) -> str | None:
    """What a request has written, or None when it has written nothing yet."""
    return tx.session.scalar(select(TicketPost.body).where(TicketPost.request_id == request_id))


def write(
    tx: Tx,
    ticket: Ticket,
    kind: PostKind,
    body: str,
    request_id: str,
    files: Sequence[CleanFile] = (),
) -> None:
    """Add a post with its files in this transaction."""
    post = TicketPost(
        request_id=request_id,
        ticket_id=ticket.id,
        at=tx.now,
        author_id=tx.desk.user_id,
        author_name=tx.desk.name,
        kind=kind,
        body=body,
    )
    tx.session.add(post)
    tx.session.flush()
    attach(tx, post.id, files)


def mail(
    tx: Tx, ticket: Ticket, subject: str, text: str, not_before: datetime | None = None
) -> int | None:
    """Write to the customer in this transaction; the mail's id, None when no address is known."""
    customer = tx.session.get_one(Customer, ticket.customer_id)
    if not customer.email:
        return None
    return outbox.queue_mail(
        tx,
        to=customer.email,
        subject=subject,
        body=letter(customer, text),
        purpose=PURPOSE,
        not_before=not_before,
    )


def letter(customer: Customer, text: str) -> str:
    """What a mail about a ticket says, from the greeting on."""
    return f"Hello {customer.name},\n\n{text}\n"
