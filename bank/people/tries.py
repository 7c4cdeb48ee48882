"""Tries: how often somebody's password or code was guessed at, counted before it is verified.

Counting first is what stops parallel guesses: each one takes its try from the database, in a
transaction of its own, before anybody looks whether it is right. One that was right is given back.
The count outlives a restart, and is the same for every process of the bank.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from bank.core.db import Base, marks
from bank.core.desk import Tx
from bank.people.rules import rules


class Guarded(StrEnum):
    """What is guessed at. Failing at the door does not stop the customer who is inside."""

    SIGN_IN = "sign_in"
    CONFIRMATION = "confirmation"
    SUPERVISION = "supervision"
    TOKEN = "token"  # noqa: S105 - of a prepared slip


class Tries(Base):
    """Unfinished tries of one person at one thing; `locked_until` is set when none is left."""

    __tablename__ = "tries"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    what: Mapped[Guarded] = mapped_column(primary_key=True)
    count: Mapped[int]
    locked_until: Mapped[datetime | None]


# One statement, so that the database's own row lock puts parallel guesses in a line. A lock that
# has run out starts again at one.
_TAKE: Final = """
    INSERT INTO tries (user_id, what, count, locked_until) VALUES (?, ?, 1, NULL)
    ON CONFLICT (user_id, what) DO UPDATE SET
        count = CASE WHEN tries.locked_until IS NULL THEN tries.count + 1 ELSE 1 END,
        locked_until = CASE WHEN tries.locked_until IS NULL AND tries.count + 1 >= ? THEN ? END
    WHERE tries.locked_until IS NULL OR tries.locked_until <= ?
    RETURNING count
"""
_GIVE_BACK: Final = """
    UPDATE tries SET count = CASE WHEN count > 0 THEN count - 1 ELSE 0 END, locked_until = NULL
    WHERE user_id = ? AND what = ?
"""
_FORGET: Final = "UPDATE tries SET count = 0, locked_until = NULL WHERE user_id = ? AND what = ?"


def take(tx: Tx, user_id: int, what: Guarded) -> int:
    """Take one try. Answers how many have been taken, or 0 when it is locked."""
    known = rules(tx)
    until = tx.now + timedelta(minutes=known.locked_minutes)
    tx.cursor.execute(
        marks(tx.dialect, _TAKE),
        (user_id, what.value, known.tries, tx.stamp(until), tx.stamp(tx.now)),
    )
    row = tx.cursor.fetchone()
    return 0 if row is None else int(row[0])


def was_last(tx: Tx, taken: int) -> bool:
    """Whether the try that `take` answered with this number was the last one for a while."""
    return taken >= rules(tx).tries


def give_back(tx: Tx, user_id: int, what: Guarded) -> None:
    """The try was right, though the whole is not finished: it does not count."""
    tx.cursor.execute(marks(tx.dialect, _GIVE_BACK), (user_id, what.value))


def forget(tx: Tx, user_id: int, what: Guarded) -> None:
    """All of it was right: earlier tries no longer matter."""
    tx.cursor.execute(marks(tx.dialect, _FORGET), (user_id, what.value))
