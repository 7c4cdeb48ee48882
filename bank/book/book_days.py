"""On which days the book may be written: none that is closed, and none further back than allowed.

`book_closings` has a row for each time the book was closed through a day or opened again; the last
one says where it stands. The ledger asks here and names the day; the database refuses once more
(data/migrations/sql/0020_*.sql), also what another process has just closed. How far back an import
may book is a dated limit (`backdating_limits`); people book on the business date only.
"""

from datetime import date, datetime, timedelta
from functools import partial
from typing import Final, NamedTuple

from sqlalchemy import CheckConstraint, String, select
from sqlalchemy.orm import Mapped, mapped_column

from bank.book.drafts import FIRST_DAY, BookClosed
from bank.core import dated
from bank.core.clock import day_in_words
from bank.core.db import Base, Database
from bank.core.desk import Tx

LONGEST_REASON: Final = 200
IMPORTS: Final = "import"  # the channel of what an import books
# Shared by whoever writes entries, had alone by whoever closes the book (0020_postgresql.sql).
GATE: Final = 7_243_002
_KNOWN: Final = "book_closed_through"  # in the memo of a process
_UNASKED: Final = object()


class BookClosing(Base):
    """One act: through which day the book is closed from then on, and through which it was.

    An act that leads back opens days again. `entries` is how many there were on the days that it
    closed or opened; `last_entry_id` the newest of all, 0 without any: what comes after it keeps to
    the days that are left. `came_late` is how many had come all the same into days that were
    closed until then, which the guards never let happen. Ids count up by one.
    """

    __tablename__ = "book_closings"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    closed_through: Mapped[date]
    was_through: Mapped[date | None]
    entries: Mapped[int]
    last_entry_id: Mapped[int]
    came_late: Mapped[int]
    at: Mapped[datetime]
    by_id: Mapped[int]
    by_name: Mapped[str] = mapped_column(String(120))
    agreed_by_name: Mapped[str | None] = mapped_column(String(120))
    reason: Mapped[str] = mapped_column(String(LONGEST_REASON))


class BackdatingLimit(Base):
    """How many days before the business date an import may book, from a date until a later row;
    without a number as far back as the book is open. Rows are only added; ids count up by one."""

    __tablename__ = "backdating_limits"
    __table_args__ = (CheckConstraint("days >= 0", name="days_not_negative"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    effective_from: Mapped[date]
    days: Mapped[int | None]
    reason: Mapped[str] = mapped_column(String(LONGEST_REASON))
    set_by: Mapped[int]
    set_by_name: Mapped[str] = mapped_column(String(120))
    agreed_by_name: Mapped[str | None] = mapped_column(String(120))
    set_at: Mapped[datetime]


class FirstDay(NamedTuple):
    """The first day that may be booked on, why none before it, and what may be done about it."""

    day: date
    because: str
    way_out: str


def last_act(tx: Tx) -> BookClosing | None:
    """The act that says where the book stands, None while it was never closed."""
    return tx.session.scalar(select(BookClosing).order_by(BookClosing.id.desc()).limit(1))


def closed_through(tx: Tx) -> date | None:
    """The last day that is closed, None while none is."""
    newest = select(BookClosing.closed_through).order_by(BookClosing.id.desc()).limit(1)
    return tx.connection.scalar(newest)


def is_open(tx: Tx, day: date) -> bool:
    """Whether the book may be written on a day, as far as this process knows.

    A posting asks nothing: the answer is kept. After a no the ledger looks at the tables; a yes
    that another process has just made untrue is refused by the database.
    """
    memo = tx.bank.db.memo
    known = memo.get(_KNOWN, _UNASKED)
    if known is _UNASKED:
        known = memo[_KNOWN] = closed_through(tx)
    return known is None or day > known


def changes(tx: Tx) -> None:
    """Look again at the next posting: this transaction closes days, or opens some."""
    tx.after_commit.add(partial(forget, tx.bank.db))


def forget(db: Database) -> None:
    """Look again at the next posting of this process."""
    db.memo.pop(_KNOWN, None)


def hold_open(tx: Tx) -> None:
    """What is looked at now stays so until this transaction ends: nobody closes the book meanwhile
    (on SQLite there is one writer anyway)."""
    if tx.dialect == "postgresql":
        tx.cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", (GATE,))


def too_early(first: FirstDay) -> BookClosed:
    """The refusal, with the day, why, and what may be done about it."""
    return BookClosed(
        f"Nothing is booked before {day_in_words(first.day)}: {first.because}. "
        f"Book on that day or later, or {first.way_out}."
    )


def limits(tx: Tx) -> list[BackdatingLimit]:
    """Every limit of imports, the newest row first."""
    return list(tx.session.scalars(select(BackdatingLimit).order_by(BackdatingLimit.id.desc())))


def days_back(tx: Tx, day: date) -> int | None:
    """How many days before a business date an import may book on it, None where only the closing
    keeps it."""
    now = dated.in_force(limits(tx), day)
    return None if now is None else now.days


def first_day(tx: Tx, channel: str) -> FirstDay:
    """From which day on may be booked by a channel; the limit of days is for imports alone."""
    first = FirstDay(
        FIRST_DAY, f"no book begins before {day_in_words(FIRST_DAY)}", "check the year"
    )
    through = closed_through(tx)
    if through is not None and through >= FIRST_DAY:
        because = f"the book is closed through {day_in_words(through)}"
        way_out = "ask head office to open the book again"
        first = FirstDay(through + timedelta(days=1), because, way_out)
    back = days_back(tx, tx.business_date) if channel == IMPORTS else None
    if back is not None and (limited := tx.business_date - timedelta(days=back)) > first.day:
        because = f"an import books at most {days_spoken(back)} back"
        first = FirstDay(limited, because, "ask head office for a wider limit")
    return first


def days_spoken(days: int) -> str:
    """`1 day`, `3,660 days`."""
    return "1 day" if days == 1 else f"{days:,} days"
