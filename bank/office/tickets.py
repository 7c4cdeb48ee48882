"""Tickets: complaints and feedback, from the customer's first word to the last reply.

How a ticket stands is its work item (`core/work.py`): this module keeps what was written, and what
the customer may do. Replies and questions are public, notes are not; what kind a post is was fixed
when it was written, and triggers refuse every change. The employee's side is `ticket_desk.py`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from stdnum import luhn

from bank.core import outbox, work
from bank.core.clock import in_india
from bank.core.desk import Tx, command, query
from bank.core.errors import BadInput, NotFound, WrongState
from bank.core.permissions import Permission
from bank.core.work import NewItem
from bank.core.work_tables import ITEMS, W, WorkKind, WorkStatus, register_kind
from bank.office.ticket_tables import (
    LONGEST_SCORE_NOTE,
    LONGEST_SUBJECT,
    PostKind,
    Ticket,
    TicketCategory,
    TicketPost,
    TicketRule,
)
from bank.people.customers import Customer
from bank.people.fields import clean_text

KIND: Final = register_kind(WorkKind("ticket", "Tickets", Permission.TICKET_WORK))
LONGEST_BODY: Final = 4_000
SCORES: Final = range(1, 6)


class NoSuchTicket(NotFound):
    """There is no such ticket. Look in the list of tickets."""


class NoSuchCategory(BadInput):
    """Choose what it is about from the list."""


class TicketIsClosed(WrongState):
    """This ticket is solved. Open it again if it is not."""


class TooLateToReopen(WrongState):
    """This ticket was solved too long ago to be opened again. Open a new one."""


class NotSolvedYet(WrongState):
    """This ticket is not solved yet, so there is nothing to rate or to open again."""


class SentAlready(WrongState):
    """This form was sent already with other words. Reload the page and look at the ticket."""


@dataclass(frozen=True, kw_only=True)
class Post:
    """A post as its readers see it."""

    at: datetime
    author: str
    kind: PostKind
    body: str


@dataclass(frozen=True, kw_only=True)
class TicketCard:
    """A ticket as the customer and the bank see it. The deadlines are of the one clock both see;
    they are empty while the customer must act and once it is solved."""

    id: int
    item_id: int
    reference: str
    category: str
    subject: str
    about_kind: str | None
    about: str | None
    customer_id: int
    state: WorkStatus
    opened_at: datetime
    first_due_at: datetime | None
    solve_due_at: datetime | None
    solved_at: datetime | None
    reopen_until: datetime | None
    score: int | None
    score_note: str


About = Callable[[Tx, str], str]
"""Checks that what is written names something of the customer at the desk; answers it tidied."""

ABOUT: Final[dict[str, About]] = {}
"""Filled by the floors above, which know accounts and entries (`counters/ticket_links.py`)."""


def reference_of(ticket: Any) -> str:
    """What people quote: `T-260316-42-7`, the last digit checking the others."""
    day = f"{ticket.opened_on:%y%m%d}"
    return f"T-{day}-{ticket.id}-{luhn.calc_check_digit(f'{day}{ticket.id}')}"


def categories_on(tx: Tx) -> dict[str, TicketCategory]:
    """What a ticket can be about on the business date, by code, in order of name."""
    rows = tx.session.scalars(
        select(TicketCategory)
        .where(TicketCategory.effective_from <= tx.business_date)
        .order_by(TicketCategory.effective_from)
    )
    latest = {row.code: row for row in rows}
    return dict(sorted(latest.items(), key=lambda pair: pair[1].name))


def rule_of(tx: Tx, name: str) -> int:
    """A number in force on the business date. A name without one is a bug, not a default."""
    return int(
        tx.connection.execute(
            select(TicketRule.value)
            .where(TicketRule.name == name, TicketRule.effective_from <= tx.business_date)
            .order_by(TicketRule.effective_from.desc())
            .limit(1)
        ).scalar_one()
    )


@query(Permission.SESSION_KEEP)
def categories(tx: Tx) -> dict[str, str]:
    """List what a ticket can be about: names by code."""
    return {code: row.name for code, row in categories_on(tx).items()}


@command(Permission.TICKET_OWN)
def open_ticket(
    tx: Tx,
    category: str,
    subject: str,
    body: str,
    about_kind: str | None = None,
    about: str = "",
    *,
    request_id: str,
) -> TicketCard:
    """Open a ticket, linked to an account or entry if one is named, and acknowledge it by mail."""
    kind = categories_on(tx).get(category)
    if kind is None:
        raise NoSuchCategory(field="category")
    title = clean_text(subject, field="subject", longest=LONGEST_SUBJECT)
    words = clean_body(body)
    linked = ABOUT[about_kind](tx, about) if about_kind and about.strip() else None
    first = tx.session.scalar(select(Ticket).where(Ticket.request_id == request_id))
    if first is not None:
        if (first.customer_id, first.category, first.subject) != (
            tx.desk.customer_id, category, title,
        ):  # fmt: skip
            raise SentAlready
        return card_of(tx, first)
    customer = tx.session.get_one(Customer, tx.desk.customer_id)
    ticket = Ticket(
        request_id=request_id,
        customer_id=customer.id,
        branch_id=customer.branch_id,
        category=category,
        subject=title,
        about_kind=about_kind if linked else None,
        about=linked,
        opened_on=tx.business_date,
        opened_at=tx.now,
        score_note="",
    )
    tx.session.add(ticket)
    tx.session.flush()
    reference = reference_of(ticket)
    tx.concerns("ticket", ticket.id)
    work.open_item(
        tx,
        NewItem(
            kind=KIND.name,
            subject_id=ticket.id,
            branch_id=ticket.branch_id,
            reference=reference,
            title=title,
            priority=kind.priority,
            customer_id=customer.id,
            words=f"{customer.name} {customer.number} {kind.name} {linked or ''} {words}",
        ),
    )
    write(tx, ticket, PostKind.QUESTION, words, request_id)
    card = card_of(tx, ticket)
    mail(
        tx,
        ticket,
        f"We have your message: {reference}",
        f"thank you for writing to the bank. Your ticket has the number {reference}: {title}\n\n"
        f"You will have a first answer by {_by(card.first_due_at)}.",
    )
    return card


@query(Permission.TICKET_OWN)
def own_tickets(tx: Tx) -> Sequence[TicketCard]:
    """List the tickets of the customer at this desk, newest first."""
    tx.looked_at("customer", tx.desk.customer_id)
    rows = tx.connection.execute(
        cards().where(Ticket.customer_id == tx.desk.customer_id).order_by(Ticket.id.desc())
    )
    days = timedelta(days=rule_of(tx, "reopen_days"))
    return [card_from(row, days) for row in rows]


@query(Permission.TICKET_OWN)
def own_posts(tx: Tx, ticket_id: int) -> Sequence[Post]:
    """Show what was written about an own ticket, oldest first; never a note."""
    own(tx, ticket_id)
    tx.looked_at("ticket", ticket_id)
    return posts_of(tx, ticket_id, with_notes=False)


@command(Permission.TICKET_OWN)
def answer(tx: Tx, ticket_id: int, body: str, *, request_id: str) -> None:
    """Write more about an own ticket; the clock runs again if the bank was waiting for it."""
    ticket = own(tx, ticket_id)
    words = clean_body(body)
    tx.concerns("ticket", ticket_id)
    if is_written(tx, ticket, PostKind.QUESTION, words, request_id):
        return
    row = work.item_of(tx, KIND.name, ticket_id)
    if row.status is W.DECIDED:
        raise TicketIsClosed
    write(tx, ticket, PostKind.QUESTION, words, request_id)
    if row.status is W.WAITING:
        work.answer(tx, row, "the customer answered")


@command(Permission.TICKET_OWN)
def reopen(tx: Tx, ticket_id: int, body: str, *, request_id: str) -> None:
    """Open an own ticket again that is not solved after all, within the days the bank promises."""
    ticket = own(tx, ticket_id)
    words = clean_body(body)
    tx.concerns("ticket", ticket_id)
    if is_written(tx, ticket, PostKind.QUESTION, words, request_id):
        return
    row = work.item_of(tx, KIND.name, ticket_id)
    if row.status is not W.DECIDED or ticket.solved_at is None:
        raise NotSolvedYet
    if tx.now > ticket.solved_at + timedelta(days=rule_of(tx, "reopen_days")):
        raise TooLateToReopen
    tx.changed({"solved_at": ticket.solved_at.isoformat()}, {"solved_at": None})
    ticket.solved_at = ticket.score = None
    ticket.score_note = ""
    tx.session.flush()
    write(tx, ticket, PostKind.QUESTION, words, request_id)
    work.reopen(tx, row, "the customer says it is not solved")


@command(Permission.TICKET_OWN)
def rate(tx: Tx, ticket_id: int, score: int, note: str = "") -> None:
    """Say how well an own ticket was solved: 1 (badly) to 5 (well)."""
    ticket = own(tx, ticket_id)
    if score not in SCORES:
        raise BadInput("Choose one to five.", field="score")
    if ticket.solved_at is None:
        raise NotSolvedYet
    tx.concerns("ticket", ticket_id)
    tx.changed({"score": ticket.score}, {"score": score})
    ticket.score = score
    ticket.score_note = clean_text(
        note, field="score note", longest=LONGEST_SCORE_NOTE, may_be_empty=True
    )
    tx.session.flush()


def own(tx: Tx, ticket_id: int) -> Ticket:
    """A ticket of the customer at this desk, held, or NoSuchTicket."""
    ticket = tx.session.get(Ticket, ticket_id, with_for_update=tx.connection.in_transaction())
    if ticket is None or ticket.customer_id != tx.desk.customer_id:
        raise NoSuchTicket
    return ticket


def cards() -> Any:
    """Tickets with how they stand."""
    item = ITEMS.c
    return select(
        *(column for column in Ticket.__table__.c if column.name != "request_id"),
        item.id.label("item_id"),
        item.status.label("state"),
        item.first_due_at,
        item.solve_due_at,
        item.reference,
    ).join(ITEMS, (item.subject_id == Ticket.id) & (item.kind == KIND.name))


def card_from(row: Any, reopen_for: timedelta) -> TicketCard:
    """A row of `cards` as people see it."""
    given = {name: getattr(row, name) for name in _CARD_FIELDS}
    until = None if row.solved_at is None else row.solved_at + reopen_for
    return TicketCard(**given, reopen_until=until)


_CARD_FIELDS: Final = tuple(
    name for name in TicketCard.__dataclass_fields__ if name != "reopen_until"
)


def card_of(tx: Tx, ticket: Ticket) -> TicketCard:
    """One ticket with how it stands."""
    row = tx.connection.execute(cards().where(Ticket.id == ticket.id)).one()
    return card_from(row, timedelta(days=rule_of(tx, "reopen_days")))


def posts_of(tx: Tx, ticket_id: int, *, with_notes: bool) -> Sequence[Post]:
    """What was written about a ticket, oldest first."""
    wanted = select(TicketPost).where(TicketPost.ticket_id == ticket_id).order_by(TicketPost.id)
    if not with_notes:
        wanted = wanted.where(TicketPost.kind != PostKind.NOTE)
    return [
        Post(at=row.at, author=row.author_name, kind=row.kind, body=row.body)
        for row in tx.session.scalars(wanted)
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


def is_written(tx: Tx, ticket: Ticket, kind: PostKind, body: str, request_id: str) -> bool:
    """Whether this very post was written before; SentAlready if its request wrote another one."""
    row = tx.session.scalar(select(TicketPost).where(TicketPost.request_id == request_id))
    if row is None:
        return False
    asked = (ticket.id, tx.desk.user_id, kind, body)
    if asked != (row.ticket_id, row.author_id, row.kind, row.body):
        raise SentAlready
    return True


def write(tx: Tx, ticket: Ticket, kind: PostKind, body: str, request_id: str) -> None:
    """Add a post in this transaction."""
    tx.session.add(
        TicketPost(
            request_id=request_id,
            ticket_id=ticket.id,
            at=tx.now,
            author_id=tx.desk.user_id,
            author_name=tx.desk.name,
            kind=kind,
            body=body,
        )
    )
    tx.session.flush()


def mail(tx: Tx, ticket: Ticket, subject: str, text: str) -> bool:
    """Write to the customer in this transaction; False when no address is known."""
    customer = tx.session.get_one(Customer, ticket.customer_id)
    if not customer.email:
        return False
    outbox.queue_mail(
        tx,
        to=customer.email,
        subject=subject,
        body=f"Hello {customer.name},\n\n{text}\n",
        purpose="ticket",
    )
    return True


def _by(due: datetime | None) -> str:
    assert due is not None, "a new ticket has its clocks running"
    at = in_india(due)
    return f"{at.day} {at:%b %Y, %H:%M}"
