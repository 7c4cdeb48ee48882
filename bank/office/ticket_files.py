"""Files of tickets as they are fetched again: by their customer, by the bank, by the check.

A file is as visible as the post it came with: that of a note never leaves the bank, that of a
ticket out of sight does not exist. Every fetch proves the digest and is in the trail.
"""

from collections.abc import Sequence

from sqlalchemy import select

from bank.core import documents
from bank.core.desk import Desk, Tx, flow, looking, query
from bank.core.errors import NotFound
from bank.core.permissions import Permission
from bank.office import ticket_sendings
from bank.office.ticket_desk import in_sight
from bank.office.ticket_posts import reference_of
from bank.office.ticket_tables import PostKind, Ticket, TicketFile, TicketPost
from bank.office.tickets import NoSuchTicket


class NoSuchFile(NotFound):
    """There is no such file. Look at the ticket it belongs to."""


@query(Permission.TICKET_OWN)
def own_file(tx: Tx, file_id: int) -> bytes:
    """Fetch a file of an own ticket; never that of a note, or of what has not left the bank."""
    file, post, ticket = _found(tx, file_id)
    if ticket.customer_id != tx.desk.customer_id or post.kind is PostKind.NOTE:
        raise NoSuchFile
    seen = select(TicketPost.id).where(TicketPost.id == post.id, ticket_sendings.is_out(tx))
    if tx.session.scalar(seen) is None:
        raise NoSuchFile
    return _fetched(tx, file)


@query(Permission.TICKET_WORK)
def ticket_file(tx: Tx, file_id: int) -> bytes:
    """Fetch a file of a ticket of the desk's branch, that of a note as well."""
    file, _, ticket = _found(tx, file_id)
    try:
        in_sight(tx, ticket.id)
    except NoSuchTicket:
        if ticket.merged_into is None:
            raise NoSuchFile from None
        try:
            in_sight(tx, ticket.merged_into)  # where its posts are read now
        except NoSuchTicket:
            raise NoSuchFile from None
    return _fetched(tx, file)


@flow(Permission.INTEGRITY_VIEW)
def check_files(desk: Desk) -> Sequence[str]:
    """Compare every file kept with its digest; one sentence for each that is missing or altered."""
    with looking(desk) as tx:
        rows = tx.session.execute(
            select(TicketFile, Ticket)
            .join(TicketPost, TicketPost.id == TicketFile.post_id)
            .join(Ticket, Ticket.id == TicketPost.ticket_id)
            .order_by(TicketFile.id)
        ).all()
        known = [
            (file.sha256, f"file {file.id} of {reference_of(ticket)}, {file.name},")
            for file, ticket in rows
        ]
    faults = {digest: documents.fault(desk.bank.settings, digest) for digest, _ in known}
    return [f"{name} is {faults[digest]}" for digest, name in known if faults[digest]]


def _found(tx: Tx, file_id: int) -> tuple[TicketFile, TicketPost, Ticket]:
    row = tx.session.execute(
        select(TicketFile, TicketPost, Ticket)
        .join(TicketPost, TicketPost.id == TicketFile.post_id)
        .join(Ticket, Ticket.id == TicketPost.ticket_id)
        .where(TicketFile.id == file_id)
    ).one_or_none()
    if row is None:
        raise NoSuchFile
    file, post, ticket = row
    return file, post, ticket


def _fetched(tx: Tx, file: TicketFile) -> bytes:
    tx.looked_at("ticket file", file.id)
    return documents.fetch(tx.bank.settings, file.sha256, file.name)
