"""Tickets: complaints and feedback, as the customer writes and follows them.

How a ticket stands is its work item (`core/work.py`); what was written is in `ticket_posts.py`, the
employee's side in `ticket_desk.py` and `ticket_moves.py`. Customer and bank see one clock.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select

from bank.core import work
from bank.core.clock import appointment
from bank.core.desk import Tx, command, query
from bank.core.errors import BadInput, NotFound, WrongState
from bank.core.permissions import Permission
from bank.core.work import NewItem
from bank.core.work_tables import ITEMS, Channel, W, WorkKind, WorkStatus, register_kind
from bank.office import ticket_posts
from bank.office.ticket_posts import Post, SentAlready, clean_body, is_written, reference_of, write
from bank.office.ticket_tables import (
    LONGEST_SUBJECT,
    PostKind,
    Ticket,
    TicketCategory,
    TicketPost,
    rule_of,
)
from bank.office.ticket_uploads import Upload, clean_files, named_in_mail
from bank.people.customers import Customer
from bank.people.fields import clean_text

KIND: Final = register_kind(
    WorkKind(
        "ticket",
        "Tickets",
        Permission.TICKET_WORK,
        lambda tx: {code: row.name for code, row in categories_on(tx).items()},
    )
)


class NoSuchTicket(NotFound):
    """There is no such ticket. Look in the list of tickets."""


class NoSuchCategory(BadInput):
    """Choose what it is about from the list."""


class NoSuchSubject(BadInput):
    """A ticket is about an account or an entry of yours, or about neither. Choose again."""


class TicketIsClosed(WrongState):
    """This ticket is solved. Open it again if it is not."""


class TooLateToReopen(WrongState):
    """This ticket was solved too long ago to be opened again. Open a new one."""


class NotSolvedYet(WrongState):
    """This ticket is not solved yet, so there is nothing to rate or to open again."""


class GoesOnElsewhere(WrongState):
    """This ticket was merged into another one of yours. Go on there."""


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
    branch_id: int
    state: WorkStatus
    priority: int
    level: int
    owner_id: int | None
    owner_name: str | None
    opened_at: datetime
    first_due_at: datetime | None
    reply_due_at: datetime | None
    solve_due_at: datetime | None
    solved_at: datetime | None
    reopen_until: datetime | None
    score_until: datetime | None
    merged_into: int | None
    merged_reference: str | None
    score: int | None
    score_note: str

    @property
    def next_due_at(self) -> datetime | None:
        """The nearer deadline that runs: what the bank promises to do next."""
        all_due = (self.first_due_at, self.reply_due_at, self.solve_due_at)
        return min((at for at in all_due if at), default=None)

    def may_reopen(self, now: datetime) -> bool:
        """Whether its customer may still say that it is not solved."""
        return self.reopen_until is not None and now <= self.reopen_until

    def may_score(self, now: datetime) -> bool:
        """Whether its customer may still say how well it was solved, or say it differently."""
        return self.score_until is not None and now <= self.score_until


About = Callable[[Tx, str], str]
"""Checks that what is written names something of the customer at the desk; answers it tidied."""

ABOUT: Final[dict[str, About]] = {}
"""Filled by the floors above, which know accounts and entries (`counters/ticket_links.py`)."""


def categories_on(tx: Tx) -> dict[str, TicketCategory]:
    """What a ticket can be about on the business date, by code, in order of name."""
    rows = tx.session.scalars(
        select(TicketCategory)
        .where(TicketCategory.effective_from <= tx.business_date)
        .order_by(TicketCategory.effective_from)
    )
    latest = {row.code: row for row in rows}
    return dict(sorted(latest.items(), key=lambda pair: pair[1].name))


def days_of(tx: Tx, name: str) -> timedelta:
    """A number of days in force on the business date."""
    return timedelta(days=rule_of(tx, name))


@query(Permission.TERMS_VIEW)
def categories(tx: Tx) -> dict[str, str]:
    """List what a ticket can be about: names by code."""
    return {code: row.name for code, row in categories_on(tx).items()}


@query(Permission.TERMS_VIEW)
def promised_days(tx: Tx) -> dict[str, int]:
    """Say after how many days a ticket stays solved, and when the Ombudsman may be asked."""
    return {name: rule_of(tx, name) for name in ("reopen_days", "ombudsman_days")}


@command(Permission.TICKET_OWN)
def open_ticket(
    tx: Tx,
    category: str,
    subject: str,
    body: str,
    about_kind: str | None = None,
    about: str = "",
    files: Sequence[Upload] = (),
    *,
    request_id: str,
) -> TicketCard:
    """Open a ticket, linked to an account or entry if one is named, and acknowledge it by mail."""
    kind = categories_on(tx).get(category)
    if kind is None:
        raise NoSuchCategory(field="category")
    title = clean_text(subject, field="subject", longest=LONGEST_SUBJECT)
    words = clean_body(body)
    linked, given = _linked(tx, about_kind, about), clean_files(tx, files)
    # Held, so that of two clicks at once the second finds what the first has made.
    customer = tx.locked(Customer, tx.desk.customer_id)
    first = tx.session.scalar(select(Ticket).where(Ticket.request_id == request_id))
    if first is not None:
        asked = (customer.id, category, title, linked)
        if asked != (first.customer_id, first.category, first.subject, first.about):
            raise SentAlready
        is_written(tx, first, PostKind.QUESTION, words, request_id, given)
        return card_of(tx, first.id)
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
    tx.concerns("ticket", ticket.id)
    work.open_item(tx, item_for(ticket, kind, customer, words))
    write(tx, ticket, PostKind.QUESTION, words, request_id, given)
    card = card_of(tx, ticket.id)
    ticket_posts.mail(
        tx,
        ticket,
        f"We have your message: {card.reference}",
        f"thank you for writing to the bank. Your ticket has the number {card.reference}: {title}"
        f"\n\nYou will have a first answer by {_by(card.first_due_at)}.{named_in_mail(given)}",
    )
    return card


@query(Permission.TICKET_OWN)
def own_tickets(tx: Tx) -> Sequence[TicketCard]:
    """List the tickets of the customer at this desk, newest first."""
    tx.looked_at("customer", tx.desk.customer_id)
    rows = tx.connection.execute(
        cards().where(Ticket.customer_id == tx.desk.customer_id).order_by(Ticket.id.desc())
    )
    return cards_from(tx, rows)


@query(Permission.TICKET_OWN)
def own_posts(tx: Tx, ticket_id: int) -> Sequence[Post]:
    """Show what was written about an own ticket, oldest first; never a note."""
    own_ticket(tx, ticket_id)
    tx.looked_at("ticket", ticket_id)
    return ticket_posts.posts_of(tx, ticket_id, with_notes=False)


@command(Permission.TICKET_OWN)
def answer(
    tx: Tx, ticket_id: int, body: str, files: Sequence[Upload] = (), *, request_id: str
) -> None:
    """Write more about an own ticket; the clock runs again if the bank was waiting for it."""
    ticket = own_ticket(tx, ticket_id, held=True)
    words, given = clean_body(body), clean_files(tx, files)
    tx.concerns("ticket", ticket_id)
    if is_written(tx, ticket, PostKind.QUESTION, words, request_id, given):
        return
    check_here(ticket)
    row = work.item_of(tx, KIND.name, ticket_id)
    if row.status is W.DECIDED:
        raise TicketIsClosed
    write(tx, ticket, PostKind.QUESTION, words, request_id, given)
    work.hear(tx, row, "the customer wrote")


@command(Permission.TICKET_OWN)
def reopen(
    tx: Tx, ticket_id: int, body: str, files: Sequence[Upload] = (), *, request_id: str
) -> None:
    """Open an own ticket again that is not solved after all, within the days the bank promises."""
    ticket = own_ticket(tx, ticket_id, held=True)
    words, given = clean_body(body), clean_files(tx, files)
    tx.concerns("ticket", ticket_id)
    if is_written(tx, ticket, PostKind.QUESTION, words, request_id, given):
        return
    check_here(ticket)
    row = work.item_of(tx, KIND.name, ticket_id)
    if row.status is not W.DECIDED or ticket.solved_at is None:
        raise NotSolvedYet
    if tx.now > ticket.solved_at + days_of(tx, "reopen_days"):
        raise TooLateToReopen
    tx.changed(
        {"solved_at": ticket.solved_at.isoformat(), "score": ticket.score},
        {"solved_at": None, "score": None},
    )
    # The score was about this solution; the trail keeps it (see scores.py).
    ticket.solved_at = ticket.solved_by = ticket.score = None
    ticket.score_note = ""
    tx.session.flush()
    write(tx, ticket, PostKind.QUESTION, words, request_id, given)
    work.reopen(tx, row, "the customer says it is not solved")
    card = card_of(tx, ticket_id)
    ticket_posts.mail(
        tx,
        ticket,
        f"Open again: {card.reference}",
        f"your ticket {card.reference}, {ticket.subject}, is open again.\n\n"
        f"You will have an answer by {_by(card.first_due_at)}.{named_in_mail(given)}",
    )


def item_for(
    ticket: Ticket,
    kind: TicketCategory,
    customer: Customer,
    words: str,
    channel: Channel = Channel.PORTAL,
    since: datetime | None = None,
) -> NewItem:
    """The work item of a new ticket, whose clocks run from now or began at an earlier moment."""
    return NewItem(
        kind=KIND.name,
        subject_id=ticket.id,
        branch_id=ticket.branch_id,
        reference=reference_of(ticket),
        title=ticket.subject,
        priority=kind.priority,
        customer_id=customer.id,
        category=ticket.category,
        channel=channel,
        words=found_by(ticket, kind.name, customer, words),
        since=since,
    )


def found_by(ticket: Ticket, category: str, customer: Customer, words: str) -> str:
    """What a ticket is found by, beside its reference and title."""
    return f"{customer.name} {customer.number} {category} {ticket.about or ''} {words}"


def first_words(tx: Tx, ticket: Ticket) -> str:
    """What the customer wrote when opening it."""
    return str(
        tx.connection.execute(
            select(TicketPost.body).where(TicketPost.ticket_id == ticket.id).order_by(TicketPost.id)
        ).scalar()
    )


def cards() -> Any:
    """Tickets with how they stand."""
    item, kept = ITEMS.c, ITEMS.alias("kept")
    return (
        select(
            *(column for column in Ticket.__table__.c if column.name != "request_id"),
            *(item.id.label("item_id"), item.status.label("state"), item.reference),
            *(item.priority, item.level, item.owner_id, item.owner_name),
            *(item.first_due_at, item.reply_due_at, item.solve_due_at),
            kept.c.reference.label("merged_reference"),
        )
        .join(ITEMS, (item.subject_id == Ticket.id) & (item.kind == KIND.name))
        .outerjoin(kept, (kept.c.subject_id == Ticket.merged_into) & (kept.c.kind == KIND.name))
    )


def cards_from(tx: Tx, rows: Any) -> list[TicketCard]:
    """Rows of `cards` as people see them."""
    days = {name: days_of(tx, f"{name}_days") for name in ("reopen", "score")}
    made = []
    for row in rows:
        given = {name: getattr(row, name) for name in _CARD_FIELDS}
        until = (
            dict.fromkeys(days)
            if row.solved_at is None
            else {name: row.solved_at + more for name, more in days.items()}
        )
        if row.state is W.DECIDED:  # the item remembers what was promised
            given |= dict.fromkeys(("first_due_at", "reply_due_at", "solve_due_at"))
        made.append(TicketCard(**given, reopen_until=until["reopen"], score_until=until["score"]))
    return made


_CARD_FIELDS: Final = tuple(
    name for name in TicketCard.__dataclass_fields__ if not name.endswith("_until")
)


def card_of(tx: Tx, ticket_id: int) -> TicketCard:
    """One ticket with how it stands."""
    return cards_from(tx, tx.connection.execute(cards().where(Ticket.id == ticket_id)))[0]


def _linked(tx: Tx, about_kind: str | None, about: str) -> str | None:
    if not about_kind or not about.strip():
        return None
    if about_kind not in ABOUT:
        raise NoSuchSubject(field="about")
    return ABOUT[about_kind](tx, about)


def own_ticket(tx: Tx, ticket_id: int, *, held: bool = False) -> Ticket:
    """A ticket of the customer at this desk, or NoSuchTicket."""
    ticket = tx.session.get(Ticket, ticket_id, with_for_update=held or None)
    if ticket is None or ticket.customer_id != tx.desk.customer_id:
        raise NoSuchTicket
    return ticket


def check_here(ticket: Ticket) -> None:
    """Refuse (GoesOnElsewhere) a ticket that was merged into another one."""
    if ticket.merged_into is not None:
        raise GoesOnElsewhere


def _by(due: datetime | None) -> str:
    assert due is not None, "an open ticket has its clocks running"
    return appointment(due)
