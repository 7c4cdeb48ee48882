"""Tickets that are related: each goes on by itself, and whoever works on one finds the other.

Of whatever customers, as far as the desk sees them; no customer sees a link. Anybody who sees both
links them or takes the link away, as with notes; the histories of both keep it.
"""

import re
from collections.abc import Sequence
from typing import Final

from sqlalchemy import select, union_all

from bank.core import work
from bank.core.desk import Tx, command, query
from bank.core.errors import BadInput
from bank.core.permissions import Permission
from bank.office import tickets
from bank.office.ticket_desk import hold_items, in_sight, tickets_in_sight
from bank.office.ticket_moves import MergedElsewhere
from bank.office.ticket_posts import reference_of
from bank.office.ticket_tables import Ticket, TicketLink
from bank.office.tickets import KIND, TicketCard

NUMBER: Final = re.compile(r"T-\d{6}-(\d{1,15})-\d")


class CannotLink(BadInput):
    """Write the whole number of another ticket, like T-260316-42-7."""


@query(Permission.TICKET_WORK)
def related_tickets(tx: Tx, ticket_id: int) -> Sequence[TicketCard]:
    """List the tickets that one is linked to and that are in sight of this desk, newest first."""
    in_sight(tx, ticket_id)
    tx.looked_at("ticket", ticket_id)
    # Two lookups in two indexes: an OR over both ends would read every ticket on SQLite.
    linked = union_all(
        select(TicketLink.other_id).where(TicketLink.one_id == ticket_id),
        select(TicketLink.one_id).where(TicketLink.other_id == ticket_id),
    )
    rows = tx.connection.execute(
        tickets.cards()
        .where(Ticket.id.in_(linked), *tickets_in_sight(tx))
        .order_by(Ticket.id.desc())
    )
    return tickets.cards_from(tx, rows)


@command(Permission.TICKET_WORK)
def link_ticket(tx: Tx, ticket_id: int, reference: str) -> None:
    """Link a ticket to the one with this number: both go on, and each shows the other."""
    number = " ".join(reference.split()).upper()
    found = NUMBER.fullmatch(number)
    other_id = int(found[1]) if found else ticket_id
    if other_id == ticket_id:
        raise CannotLink(field="reference")
    ticket, other = _both(tx, ticket_id, other_id)
    if reference_of(other) != number:
        raise tickets.NoSuchTicket
    if other.merged_into is not None:
        raise MergedElsewhere
    tx.concerns("ticket", ticket_id)
    relate(tx, ticket, other)


@command(Permission.TICKET_WORK)
def unlink_ticket(tx: Tx, ticket_id: int, other_id: int) -> None:
    """Take the link between two tickets away; both histories keep that there was one."""
    ticket, other = _both(tx, ticket_id, other_id)
    tx.concerns("ticket", ticket_id)
    link = tx.session.get(TicketLink, _key(ticket, other))
    if link is None:  # a second click
        return
    tx.changed({"related": other_id}, {"related": None})
    tx.session.delete(link)
    tx.session.flush()
    _tell(tx, ticket, other, "unlinked")


def relate(tx: Tx, ticket: Ticket, other: Ticket) -> None:
    """Link two held tickets in this transaction, if they are not linked already."""
    one_id, later_id = _key(ticket, other)
    if tx.session.get(TicketLink, (one_id, later_id)) is not None:
        return
    tx.changed({"related": None}, {"related": other.id})
    tx.session.add(
        TicketLink(
            one_id=one_id,
            other_id=later_id,
            at=tx.now,
            by_id=tx.desk.user_id,
            by_name=tx.desk.name,
        )
    )
    tx.session.flush()
    _tell(tx, ticket, other, "linked")


def _both(tx: Tx, ticket_id: int, other_id: int) -> tuple[Ticket, Ticket]:
    """Both, held in one order, so that of two clicks at once none waits for the other in a ring."""
    found = {each: in_sight(tx, each, held=True) for each in sorted((ticket_id, other_id))}
    return found[ticket_id], found[other_id]


def _key(ticket: Ticket, other: Ticket) -> tuple[int, int]:
    return min(ticket.id, other.id), max(ticket.id, other.id)


def _tell(tx: Tx, ticket: Ticket, other: Ticket, act: str) -> None:
    linked = {ticket.id: other, other.id: ticket}
    for each in hold_items(tx, ticket.id, other.id):
        work.remark(tx, work.item_of(tx, KIND.name, each), act, reference_of(linked[each]))
