"""Who is at their desk now: signed in, not locked, and seen a little while ago."""

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import select

from bank.core.desk import Tx
from bank.people.rules import rules
from bank.people.sessions import Session, SessionStatus


def signed_in(tx: Tx, user_ids: Collection[int]) -> set[int]:
    """Which of these people have an open browser in which something was done lately. What is idle
    is locked, also before anybody has written that down."""
    if not user_ids:
        return set()
    since = tx.now - timedelta(minutes=rules(tx).idle_minutes)
    found = select(Session.user_id).where(
        Session.user_id.in_(user_ids),
        Session.status == SessionStatus.ACTIVE,
        Session.expires_at > tx.now,
        Session.last_seen_at > since,
    )
    return set(tx.connection.scalars(found))
