"""An employee leaves: what they hold goes to a colleague, their sessions end, their history stays.

Refused while something stands against it (an open drawer): floors above say so by
`core/objections`. Afterwards the sign-in answers as it does to a wrong password.
"""

from collections.abc import Mapping
from datetime import date
from typing import Final

from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, mapped_column

from bank.core import objections
from bank.core.db import Base
from bank.core.desk import Tx, command, query
from bank.core.errors import BadInput
from bank.core.objections import Question
from bank.core.permissions import Permission
from bank.core.states import move
from bank.people import activations, backup_codes, named_grants, sessions
from bank.people.fields import clean_text
from bank.people.identity import MOVES, User, UserStatus, facts_of
from bank.people.staff import managed, refuse_the_last

LONGEST_REASON: Final = 200


class NoSuchReason(BadInput):
    """Choose one of the reasons to leave."""


class NoSuchColleague(BadInput):
    """Choose a colleague of the same branch who can sign in."""


class LeavingReason(Base):
    """Why somebody can leave, from a date on; a later row with the code renames it."""

    __tablename__ = "leaving_reasons"

    code: Mapped[str] = mapped_column(String(24), primary_key=True)
    effective_from: Mapped[date] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    source: Mapped[str] = mapped_column(String(300))


@query(Permission.STAFF_VIEW)
def leaving_reasons(tx: Tx) -> Mapping[str, str]:
    """List why somebody can leave: the code and its name, as it is called today."""
    return leaving_reasons_today(tx)


def leaving_reasons_today(tx: Tx) -> Mapping[str, str]:
    """The same inside a transaction."""
    rows = tx.session.execute(
        select(LeavingReason.code, LeavingReason.name)
        .where(LeavingReason.effective_from <= tx.business_date)
        .order_by(LeavingReason.effective_from)
    )
    return {code: name for code, name in rows}


@command(Permission.STAFF_MANAGE)
def remove_employee(
    tx: Tx, user_id: int, reason: str, colleague_id: int | None = None, *, code: str
) -> dict[str, int]:
    """Remove an employee and hand what they hold to a colleague; answers what was handed over.

    `code` is one of `leaving_reasons`, `reason` says it in words. Raises Objected with every reason
    against it, or BadInput(colleague) when somebody has to take over what is in hand.
    """
    why = clean_text(reason, field="reason", longest=LONGEST_REASON)
    known = leaving_reasons_today(tx)
    if code not in known:
        raise NoSuchReason(field="code")
    user = managed(tx, user_id, colleague_id)
    refuse_the_last(tx, user)
    objections.check(tx, Question.EMPLOYEE_LEAVES, user.id)
    before = facts_of(user)
    moved = _hand_over(tx, user, colleague_id)
    move(user, UserStatus.REMOVED, MOVES)
    user.password_hash = user.totp_secret = user.totp_pending = None
    activations.void_links(tx, user.id)
    backup_codes.void(tx, user.id)
    sessions.end_sessions(tx, user.id, because="removed")
    tx.concerns("user", user.id)
    tx.changed(before, facts_of(user))
    ended = named_grants.end_all(tx, user.id, "Left the bank")
    tx.facts.update(
        code=code,
        reason=f"{known[code]}: {why}",
        grants_ended=ended,
        handed_over=moved,
        to=colleague_id if moved else None,
    )
    activations.tell(tx, user, "Your access to the bank has ended.")
    return moved


def _hand_over(tx: Tx, user: User, colleague_id: int | None) -> dict[str, int]:
    in_hand = objections.held(tx, [user.id]).get(user.id, {})
    if not in_hand:
        return {}
    if colleague_id is None:
        what = ", ".join(f"{count} {noun}" for noun, count in in_hand.items())
        raise BadInput(f"Choose who takes over what they hold: {what}.", field="colleague")
    colleague = tx.session.get(User, colleague_id, populate_existing=True)
    if (
        colleague is None
        or not colleague.active
        or colleague.id == user.id
        or colleague.customer_id is not None
        or colleague.branch_id != user.branch_id
    ):
        raise NoSuchColleague(field="colleague")
    return objections.hand_over(tx, user.id, colleague.id)
