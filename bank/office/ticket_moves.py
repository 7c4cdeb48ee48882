"""Where a ticket belongs: its category, its priority, its branch, and the ticket it is one with.

All of it by who has claimed the ticket, with a word why that stays in its history. With another
priority comes another promise: the deadlines move by the difference, in open hours.
"""

from typing import Any, Final

from sqlalchemy import select

from bank.core import search, work, work_clocks
from bank.core.desk import Tx, command
from bank.core.errors import BadInput, WrongState
from bank.core.ids import request_id_of
from bank.core.permissions import Permission
from bank.core.work_tables import ITEMS, LONGEST_NOTE, Priority, W
from bank.office import ticket_posts, tickets
from bank.office.ticket_desk import hold_items, in_sight, owned_item
from bank.office.ticket_tables import PostKind, Ticket, TicketCategory
from bank.office.tickets import KIND
from bank.people.branches import Branch
from bank.people.customers import Customer

MERGED: Final = "merged"
_CLOCKS: Final = tuple(name for name in ITEMS.c.keys() if name.endswith("_due_at"))  # noqa: SIM118


class NoSuchPriority(BadInput):
    """Choose one of the four priorities."""


class NoSuchPlace(BadInput):
    """Choose a branch from the list."""


class CannotMerge(BadInput):
    """Choose another open ticket of the same customer, which this one shall go on in."""


class MergedElsewhere(WrongState):
    """That ticket was merged itself. Choose the one it goes on in."""


@command(Permission.TICKET_WORK)
def sort_ticket(tx: Tx, ticket_id: int, category: str, priority: int, why: str) -> None:
    """Give a claimed ticket another category or priority; its deadlines follow the priority."""
    ticket = in_sight(tx, ticket_id, held=True)
    kind = tickets.categories_on(tx).get(category)
    if kind is None:
        raise tickets.NoSuchCategory(field="category")
    if priority not in Priority.NAMES:
        raise NoSuchPriority(field="priority")
    note = work.clean_note(why)
    tx.concerns("ticket", ticket_id)
    sort(tx, ticket, kind, priority, note)


def sort(tx: Tx, ticket: Ticket, kind: TicketCategory, chosen: int | None, note: str) -> None:
    """Sort a held ticket in this transaction; without a chosen priority it keeps its own. Nothing
    is written before the last refusal."""
    category, row = kind.code, owned_item(tx, ticket.id)
    priority = row.priority if chosen is None else chosen
    before = {"category": ticket.category, "priority": row.priority}
    after = {"category": category, "priority": priority}
    if before == after:  # a second click
        return
    tx.changed(before, after)
    if ticket.category != category:
        ticket.category = category
        tx.session.flush()
        customer = tx.session.get_one(Customer, ticket.customer_id)
        words = tickets.found_by(ticket, kind.name, customer, tickets.first_words(tx, ticket))
        search.keep_words(tx, work.SEARCHED, row.id, f"{row.reference} {row.title} {words}")
    said = f"{kind.name}, {Priority.NAMES[priority]}: {note}"[:LONGEST_NOTE]
    values = {**work_clocks.under_priority(tx, row, priority), "category": category}
    work.change(tx, row, values, "sorted", said)


@command(Permission.TICKET_WORK)
def move_ticket(tx: Tx, ticket_id: int, branch_id: int, why: str) -> None:
    """Hand a claimed ticket to another branch, whose queue it joins; its clock runs on."""
    ticket = in_sight(tx, ticket_id, held=True)
    there = tx.session.get(Branch, branch_id)
    if there is None or there.id == ticket.branch_id:
        raise NoSuchPlace(field="branch")
    note = work.clean_note(why)
    tx.concerns("ticket", ticket_id)
    row = owned_item(tx, ticket_id)
    tx.changed({"branch_id": ticket.branch_id}, {"branch_id": there.id})
    ticket.branch_id = there.id
    tx.session.flush()
    said = f"to {there.name}: {note}"[:LONGEST_NOTE]
    work.put_back(tx, row, "moved", said, branch_id=there.id)


@command(Permission.TICKET_WORK)
def merge_ticket(tx: Tx, ticket_id: int, into_id: int) -> None:
    """Let a claimed ticket go on in another open one of the same customer, who is told by mail."""
    if ticket_id == into_id:
        raise CannotMerge(field="ticket")
    found = {each: in_sight(tx, each, held=True) for each in sorted((ticket_id, into_id))}
    ticket, kept = found[ticket_id], found[into_id]
    tx.concerns("ticket", ticket_id)
    if ticket.merged_into == into_id:  # a second click
        return
    if kept.customer_id != ticket.customer_id:
        raise CannotMerge(field="ticket")
    if kept.merged_into is not None:
        raise MergedElsewhere
    hold_items(tx, ticket_id, into_id)
    if work.item_of(tx, KIND.name, into_id).status is W.DECIDED:
        raise CannotMerge(field="ticket")
    row = owned_item(tx, ticket_id)
    there = ticket_posts.reference_of(kept)
    tx.changed({"merged_into": None}, {"merged_into": into_id})
    ticket.merged_into = into_id
    # What was merged into this one before goes on there, too.
    for each in tx.session.scalars(select(Ticket).where(Ticket.merged_into == ticket_id)):
        each.merged_into = into_id
    tx.session.flush()
    here = ticket_posts.reference_of(ticket)
    work.decide(tx, row, MERGED, f"merged into {there}")
    if row.status is not W.WAITING:  # here the bank must act, so it must there
        _take_over(tx, row, work.item_of(tx, KIND.name, into_id), f"{here} goes on here")
    ticket_posts.write(
        tx, kept, PostKind.NOTE, f"{here} was merged into this ticket.",
        request_id_of("merge", ticket.request_id, kept.request_id),
    )  # fmt: skip
    ticket_posts.mail(
        tx,
        ticket,
        f"{here} goes on in {there}",
        f"your ticket {here}, {ticket.subject}, is about the same as {there}, {kept.subject}.\n\n"
        f"We answer both in {there}. What you wrote is kept there.",
    )


def _take_over(tx: Tx, ended: Any, kept: Any, said: str) -> None:
    """What the bank owes for a ticket that ends is owed in the one it goes on in: its clock runs,
    and the nearer of the deadlines promised counts."""
    if kept.status is W.WAITING:
        work.answer(tx, kept, said)
        kept = work.item_of(tx, KIND.name, kept.subject_id)
    due = {
        name: min((at for at in (getattr(ended, name), getattr(kept, name)) if at), default=None)
        for name in _CLOCKS
    }
    if due != {name: getattr(kept, name) for name in due}:
        work.change(tx, kept, due, "merged", said)
