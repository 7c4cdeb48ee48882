"""On which days the book may be written: none that is closed, and none further back than allowed.

`book_closings` has a row for each time the book was closed through a day or opened again; the last
one says where it stands. The ledger asks here and names the day; the database refuses once more
(data/migrations/sql/0020_*.sql), also what another process has just closed. How far back an import
may book is a dated limit (`backdating_limits`); people book on the business date only.
"""

from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import CheckConstraint, String, select
from sqlalchemy.orm import Mapped, mapped_column

from bank.book.drafts import FIRST_DAY, BookClosed
from bank.core import dated
from bank.core.db import Base
from bank.core.desk import Tx

LONGEST_REASON: Final = 200
_KNOWN: Final = "book_closed_through"  # in the memo of a process


class BookClosing(Base):
    """One act: through which day the book is closed from then on, and through which it was.

    An act that leads back opens days again. `last_entry_id` is the newest entry of that moment, 0
    without any: whatever comes after it keeps to the days that are left.
    """

    __tablename__ = "book_closings"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    closed_through: Mapped[date]
    was_through: Mapped[date | None]
    last_entry_id: Mapped[int]
    at: Mapped[datetime]
    by_id: Mapped[int]
    by_name: Mapped[str] = mapped_column(String(120))
    reason: Mapped[str] = mapped_column(String(LONGEST_REASON))


class BackdatingLimit(Base):
    """How many days before the business date an import may book, from a date until a later row;
    without a number as far back as the book is open. Rows are only added."""

    __tablename__ = "backdating_limits"
    __table_args__ = (
        CheckConstraint("days >= 0", name="days_not_negative"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    effective_from: Mapped[date]
    days: Mapped[int | None]
    reason: Mapped[str] = mapped_column(String(LONGEST_REASON))
    set_by: Mapped[int]
    set_by_name: Mapped[str] = mapped_column(String(120))
    set_at: Mapped[datetime]


class FirstDay(NamedTuple):
    """The first day that an import may book on, and why none before it, as half a sentence."""

    day: date
    because: str


def last_act(tx: Tx) -> BookClosing | None:
    """The act that says where the book stands, None while it was never closed."""
    return tx.session.scalar(select(BookClosing).order_by(BookClosing.id.desc()).limit(1))


def closed_through(tx: Tx) -> date | None:
    """The last day that is closed, None while none is."""
    newest = select(BookClosing.closed_through).order_by(BookClosing.id.desc()).limit(1)
    return tx.connection.scalar(newest)


def is_open(tx: Tx, day: date) -> bool:
    """Whether the book may be written on a day, as far as this process knows.

    A posting asks nothing: the answer is kept. Who says no has looked again; a yes that another
    process has just made untrue is refused by the database.
    """
    memo = tx.bank.db.memo
    if _KNOWN not in memo:
        memo[_KNOWN] = closed_through(tx)
    if memo[_KNOWN] is None or day > memo[_KNOWN]:
        return True
    closed = memo[_KNOWN] = closed_through(tx)
    return closed is None or day > closed


def forget(tx: Tx) -> None:
    """Look again at the next posting: this transaction closes days, or opens some."""
    memo = tx.bank.db.memo
    tx.after_commit.add(lambda: memo.pop(_KNOWN, None))


def too_early(first: FirstDay) -> BookClosed:
    """The refusal, with the day and why."""
    return BookClosed(
        f"Nothing is booked before {spoken(first.day)}: {first.because}. "
        "Book on a later day, or ask head office to open it again."
    )


def limits(tx: Tx) -> list[BackdatingLimit]:
    """Every limit of imports, the newest row first."""
    return list(tx.session.scalars(select(BackdatingLimit).order_by(BackdatingLimit.id.desc())))


def days_back(tx: Tx, day: date) -> int | None:
    """How many days before a business date an import may book on it, None where only the closing
    keeps it."""
    now = dated.in_force(limits(tx), day)
    return None if now is None else now.days


def first_day(tx: Tx) -> FirstDay:
    """From which day on an import may book."""
    first = FirstDay(FIRST_DAY, f"no book begins before {spoken(FIRST_DAY)}")
    if (through := closed_through(tx)) is not None:
        first = FirstDay(
            through + timedelta(days=1), f"the book is closed through {spoken(through)}"
        )
    if (back := days_back(tx, tx.business_date)) is not None:
        limited = tx.business_date - timedelta(days=back)
        if limited > first.day:
            first = FirstDay(limited, f"an import may book at most {back} days back")
    return first


def spoken(day: date) -> str:
    """`30 Sep 2026`."""
    return f"{day.day} {day:%b %Y}"
