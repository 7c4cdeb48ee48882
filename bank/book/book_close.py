"""Head office closes the book through a day, so that what was reported stays what was booked.

    open --close, nothing in the way--> closed through a day --reopen--> closed through an earlier

Each act has a reason, waits for a second person by dated rule (data/seed/book_approval_rules.csv),
stays in the register (`book_closings`) and is asked for by naming the act that was seen last.
Closing moves no money and no date: corrections are booked on an open day, reversals included.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import psycopg
from sqlalchemy import func, select

from bank.book import book_days
from bank.book.book_days import (
    LONGEST_REASON,
    BackdatingLimit,
    BookClosing,
    last_act,
    spoken,
)
from bank.book.drafts import FIRST_DAY, check_text
from bank.book.tables import JournalEntry
from bank.core import dated
from bank.core.checked import Checked
from bank.core.dated import Standing
from bank.core.desk import Tx, command, query
from bank.core.errors import BadInput, WrongState
from bank.core.permissions import Permission

MOST_LISTED: Final = 60
MOST_DAYS_BACK: Final = 3_660
WAIT_AT_MOST: Final = "2s"
BOOK: Final = "book"
CLOSING: Final = "closing"  # what an act is about, for the trail and for what waits
BACKDATING: Final = "backdating"

# Asked before the book is closed through a day; each answers sentences about what is in the way.
# `bank/app.py` fills it: who still works on such a day is known upstairs.
against_closing: Final[list[Callable[[Tx, date], Sequence[str]]]] = []


class DayNotOver(BadInput):
    """Only days that are over can be closed. Choose a day before the business date."""


class ClosedAlready(BadInput):
    """The book is closed through that day already. Choose a later one."""


class OpenAlready(BadInput):
    """The book is open on that day already. Choose a day that is closed."""


class InTheWay(WrongState):
    """The book cannot be closed while work on these days goes on."""


class ActedMeanwhile(WrongState):
    """Somebody has closed the book or opened it again meanwhile. Look at it as it is now."""


class BookBusy(WrongState):
    """A long booking is being written just now. Wait until it is done, then try again."""


class LimitBeginsInThePast(BadInput):
    """A limit counts from today or a later day on. Choose one of these."""


class LimitUnchanged(BadInput):
    """This is the limit on that day anyway. Change it, or leave it."""


@dataclass(frozen=True, kw_only=True)
class ClosingRow:
    """One act of the register. `opens` says that it leads back."""

    id: int
    closed_through: date
    was_through: date | None
    at: datetime
    by_name: str
    reason: str

    @property
    def opens(self) -> bool:
        """Whether days were opened again by it."""
        return self.was_through is not None and self.closed_through < self.was_through


@dataclass(frozen=True, kw_only=True)
class LimitRow:
    """One limit of imports: days back, None for as far as the book is open."""

    id: int
    effective_from: date
    days: int | None
    standing: Standing
    reason: str
    set_by_name: str
    set_at: datetime


@dataclass(frozen=True, kw_only=True)
class BookDays:
    """Where the book stands. `last` is the newest act, None while it was never closed; an import
    may book from `import_from` on, because of `import_because`."""

    business_date: date
    last: ClosingRow | None
    import_from: date
    import_because: str
    days_back: int | None

    @property
    def closed_through(self) -> date | None:
        """The last day that is closed."""
        return None if self.last is None else self.last.closed_through

    @property
    def last_id(self) -> int | None:
        """What an act is asked for with."""
        return None if self.last is None else self.last.id


@query(Permission.TRIAL_BALANCE_VIEW)
def standing(tx: Tx) -> BookDays:
    """Show through which day the book is closed, and how far back an import may book."""
    return _standing(tx)


@query(Permission.TRIAL_BALANCE_VIEW)
def register(tx: Tx) -> Sequence[ClosingRow]:
    """List when the book was closed and opened again, newest first."""
    newest = select(BookClosing).order_by(BookClosing.id.desc()).limit(MOST_LISTED)
    return [_row(act) for act in tx.session.scalars(newest)]


@query(Permission.TRIAL_BALANCE_VIEW)
def in_the_way(tx: Tx, through: date) -> Sequence[str]:
    """Say what keeps the book from being closed through a day."""
    return _in_the_way(tx, through)


@query(Permission.TRIAL_BALANCE_VIEW)
def backdating(tx: Tx) -> Sequence[LimitRow]:
    """List how far back imports may book, and might: newest first."""
    rows = book_days.limits(tx)
    standing_of = dated.standings(rows, tx.business_date)
    return [
        LimitRow(
            id=row.id,
            effective_from=row.effective_from,
            days=row.days,
            standing=standing_of(row),
            reason=row.reason,
            set_by_name=row.set_by_name,
            set_at=row.set_at,
        )
        for row in rows
    ]


@command(
    Permission.BOOK_CLOSE,
    checked=Checked(ends=(DayNotOver, ClosedAlready, ActedMeanwhile)),
)
def close_book(tx: Tx, through: date, seen: int | None, reason: str) -> BookDays:
    """Close the book through a day: nothing is booked on it or before it any more.

    `seen` is the id of the last act that was seen (`BookDays.last_id`), None where there was none.
    """
    why, last = _reason(reason), _held(tx, seen)
    if through >= tx.business_date:
        raise DayNotOver(field="through")
    if last is not None and through <= last.closed_through:
        raise ClosedAlready(field="through")
    if left := _in_the_way(tx, through):
        raise InTheWay(f"The book cannot be closed through {spoken(through)} yet. {' '.join(left)}")
    return _do(tx, through, last, why)


@command(
    Permission.BOOK_CLOSE,
    checked=Checked(ends=(OpenAlready, ActedMeanwhile)),
)
def reopen_book(tx: Tx, first_day: date, seen: int | None, reason: str) -> BookDays:
    """Open the book again from a closed day on, with a reason that stays in the register."""
    why, last = _reason(reason), _held(tx, seen)
    if last is None or first_day > last.closed_through:
        raise OpenAlready(field="first_day")
    if first_day <= FIRST_DAY:
        raise BadInput(f"Choose a day after {spoken(FIRST_DAY)}.", field="first_day")
    return _do(tx, first_day - timedelta(days=1), last, why)


@command(
    Permission.BOOK_CLOSE,
    checked=Checked(ends=(LimitBeginsInThePast, LimitUnchanged)),
)
def limit_backdating(tx: Tx, effective_from: date, days: int | None, reason: str) -> int:
    """Let imports book at most so many days back from a day on; None: as far as the book is open.

    Answers the id of the row.
    """
    why = _reason(reason)
    if effective_from < tx.business_date:
        raise LimitBeginsInThePast(field="effective_from")
    if days is not None and not 0 <= days <= MOST_DAYS_BACK:
        raise BadInput(f"Give a number of days from 0 to {MOST_DAYS_BACK:,}.", field="days")
    _one_at_a_time(tx)
    now = dated.in_force(book_days.limits(tx), effective_from)
    before = None if now is None else now.days
    if before == days:
        raise LimitUnchanged(field="days")
    assert tx.desk.user_id is not None
    row = BackdatingLimit(
        effective_from=effective_from,
        days=days,
        reason=why,
        set_by=tx.desk.user_id,
        set_by_name=tx.desk.name,
        set_at=tx.now,
    )
    tx.session.add(row)
    tx.session.flush()
    tx.concerns(BOOK, BACKDATING)
    tx.changed(
        {"imports book back": _days_spoken(before), "from": None},
        {"imports book back": _days_spoken(days), "from": effective_from.isoformat()},
    )
    return row.id


def _held(tx: Tx, seen: int | None) -> BookClosing | None:
    """Until this transaction ends nobody books and nobody else acts; what was done last."""
    _one_at_a_time(tx)
    last = last_act(tx)
    if (None if last is None else last.id) != seen:
        raise ActedMeanwhile
    return last


def _one_at_a_time(tx: Tx) -> None:
    """Wait for entries that are being written; those that come wait for us (on SQLite there is one
    writer anyway). But nobody at a window waits for a long import to end: then we do not close.
    """
    if tx.dialect != "postgresql":
        return
    try:
        tx.cursor.execute(f"SET LOCAL lock_timeout = '{WAIT_AT_MOST}'")
        tx.cursor.execute("LOCK TABLE entries IN SHARE ROW EXCLUSIVE MODE")
        tx.cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
    except psycopg.errors.LockNotAvailable as waited:
        raise BookBusy from waited


def _do(tx: Tx, through: date, last: BookClosing | None, why: str) -> BookDays:
    assert tx.desk.user_id is not None
    was = None if last is None else last.closed_through
    newest = tx.connection.scalar(select(func.max(JournalEntry.id)))
    tx.session.add(
        BookClosing(
            closed_through=through,
            was_through=was,
            last_entry_id=newest or 0,
            at=tx.now,
            by_id=tx.desk.user_id,
            by_name=tx.desk.name,
            reason=why,
        )
    )
    tx.session.flush()
    book_days.forget(tx)
    tx.concerns(BOOK, CLOSING)
    tx.changed(
        {"closed through": None if was is None else was.isoformat()},
        {"closed through": through.isoformat()},
    )
    return _standing(tx)


def _standing(tx: Tx) -> BookDays:
    last, first = last_act(tx), book_days.first_day(tx)
    return BookDays(
        business_date=tx.business_date,
        last=None if last is None else _row(last),
        import_from=first.day,
        import_because=first.because,
        days_back=book_days.days_back(tx, tx.business_date),
    )


def _in_the_way(tx: Tx, through: date) -> list[str]:
    return [sentence for ask in against_closing for sentence in ask(tx, through)]


def _reason(reason: str) -> str:
    said = " ".join(reason.split())
    if not said:
        raise BadInput("Say why; the register keeps it.", field="reason")
    check_text(said, LONGEST_REASON, "reason")
    return said


def _days_spoken(days: int | None) -> str:
    if days is None:
        return "as far as the book is open"
    return "1 day" if days == 1 else f"{days:,} days"


def _row(act: BookClosing) -> ClosingRow:
    return ClosingRow(
        id=act.id,
        closed_through=act.closed_through,
        was_through=act.was_through,
        at=act.at,
        by_name=act.by_name,
        reason=act.reason,
    )
