"""Sign-ins, each a row and a line of somebody's history: from the try to its outcome.

    tried --password right--> code_due or set_up_due --code right--> password_due or passed
      |                            |                                     |              |
      '------> refused <-----------'                new password chosen -'   ticket --> opened
      '------> unlocked (the password of a locked session)

What step is due only this row says; `sign_in` moves it. `set_up_due` is an employee's first
sign-in, whose code proves that the QR code was scanned. `password_due` is whoever came with a
temporary password. A sign-in that takes too long is over, and one that is under way when all
sessions of its person end (password changed, device changed, signed out everywhere) is ended.
"""

from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import ForeignKey, Index, String, select
from sqlalchemy.orm import Mapped, mapped_column

from bank.core.db import Base
from bank.core.desk import Tx
from bank.core.states import machine, move
from bank.people.fields import LONGEST_AGENT, LONGEST_FROM_WHERE


class SignInStatus(StrEnum):
    """How far a sign-in has come."""

    TRIED = "tried"
    REFUSED = "refused"
    CODE_DUE = "code_due"
    SET_UP_DUE = "set_up_due"
    PASSWORD_DUE = "password_due"  # noqa: S105 - a state, not a password
    PASSED = "passed"
    OPENED = "opened"
    UNLOCKED = "unlocked"
    ENDED = "ended"


S = SignInStatus
MOVES: Final = machine(
    "sign_in",
    {
        S.TRIED: {S.REFUSED, S.CODE_DUE, S.SET_UP_DUE, S.UNLOCKED},
        S.CODE_DUE: {S.REFUSED, S.PASSWORD_DUE, S.PASSED, S.ENDED},
        S.SET_UP_DUE: {S.REFUSED, S.PASSWORD_DUE, S.PASSED, S.ENDED},
        S.PASSWORD_DUE: {S.PASSED, S.ENDED},
        S.PASSED: {S.OPENED, S.ENDED},
    },
)
HALF_OPEN: Final = frozenset(state for state, to in MOVES.items() if S.ENDED in to)


class SignIn(Base):
    """One attempt. `user_id` is null for a name nobody has; `session_id` is what it opened or
    meant to unlock. Token and ticket are kept as digests; `totp_pending`, encrypted, is the key of
    the QR code that this first sign-in shows."""

    __tablename__ = "sign_ins"
    __table_args__ = (
        Index("ix_sign_ins_user_id", "user_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    session_id: Mapped[int | None] = mapped_column(ForeignKey("sessions.id"), index=True)
    status: Mapped[SignInStatus]
    at: Mapped[datetime] = mapped_column(index=True)
    from_where: Mapped[str] = mapped_column(String(LONGEST_FROM_WHERE))
    agent: Mapped[str] = mapped_column(String(LONGEST_AGENT))
    token_fingerprint: Mapped[str | None] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime | None]
    code_tries: Mapped[int]
    totp_pending: Mapped[str | None] = mapped_column(String(250))
    ticket_fingerprint: Mapped[str | None] = mapped_column(String(64), unique=True)
    ticket_bound_to: Mapped[str | None] = mapped_column(String(64))
    ticket_expires_at: Mapped[datetime | None]


def end_half_open(tx: Tx, user_id: int, *, but: int | None = None) -> list[int]:
    """End what somebody has begun and not finished, all but one if given; answers which."""
    wanted = select(SignIn).where(SignIn.user_id == user_id, SignIn.status.in_(HALF_OPEN))
    rows = tx.session.scalars(wanted.order_by(SignIn.id).with_for_update(key_share=True)).all()
    ended = [row for row in rows if row.id != but]
    for row in ended:
        move(row, S.ENDED, MOVES)
    return [row.id for row in ended]


def keys_on_show(tx: Tx) -> dict[int, str]:
    """The keys, encrypted, of the QR codes that first sign-ins show: the newest for each user."""
    rows = tx.session.execute(
        select(SignIn.user_id, SignIn.totp_pending)
        .where(SignIn.status == S.SET_UP_DUE)
        .order_by(SignIn.id)
    )
    return {user_id: kept for user_id, kept in rows if user_id and kept}
