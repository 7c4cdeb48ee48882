"""Replies on their way: written, not yet mailed, and which of them a customer sees.

A reply's mail waits a few seconds (a dated rule) in which its writer may take it back. Until then
its customer sees nothing of it, and never sees one that was taken back.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, exists, select

from bank.core import work_undo
from bank.core.desk import Tx
from bank.office.ticket_tables import TicketPost, TicketSending, TicketTakeBack, rule_of


def leaves_at(tx: Tx) -> datetime | None:
    """When the mail of a reply that is written now leaves; None: at once, and for good."""
    seconds = rule_of(tx, "undo_reply_seconds")
    return tx.now + timedelta(seconds=seconds) if seconds else None


def keep(
    tx: Tx, request_id: str, mail_id: int | None, leaves: datetime, item: Any, event_from: int
) -> None:
    """Keep with a reply when it leaves, and how its item (as it was read before it) stood."""
    tx.session.add(
        TicketSending(
            post_id=post_id_of(tx, request_id),
            mail_id=mail_id,
            leaves_at=leaves,
            event_from=event_from,
            event_to=work_undo.last_event(tx, item.id),
            before=work_undo.kept(item),
        )
    )
    tx.session.flush()


def post_id_of(tx: Tx, request_id: str) -> int:
    """The id of the post that was written by a request."""
    wanted = select(TicketPost.id).where(TicketPost.request_id == request_id)
    return int(tx.session.scalars(wanted).one())


def is_taken_back(tx: Tx, post_id: int) -> bool:
    """Whether a reply was taken back before it left."""
    return tx.session.get(TicketTakeBack, post_id) is not None


def is_out(tx: Tx) -> ColumnElement[bool]:
    """Whether a post has left the bank, or never had to wait."""
    waits = exists().where(TicketSending.post_id == TicketPost.id, TicketSending.leaves_at > tx.now)
    return ~waits & ~was_taken_back()


def was_taken_back() -> ColumnElement[bool]:
    """Whether a post is a reply that was taken back."""
    return exists().where(TicketTakeBack.post_id == TicketPost.id)
