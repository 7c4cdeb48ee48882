"""Head office closes the book through a day, so that what was reported stays what was booked.

    open --close, nothing in the way--> closed through a day --reopen--> closed through an earlier

Each act has a reason, waits for a second person by dated rule (data/seed/book_approval_rules.csv),
stays in the register (`book_closings`) and is asked for by naming the act that was seen last.
Closing moves no money and no date: corrections are booked on an open day, reversals included.
How far back imports book is in `backdating`.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import psycopg
from sqlalchemy import case, func, select

from bank.book import book_days
from bank.book.book_days import GATE, IMPORTS, LONGEST_REASON, BookClosing, last_act
from bank.book.drafts import FIRST_DAY, check_text
from bank.book.tables import JournalEntry
from bank.core import sights
from bank.core.checked import Checked
from bank.core.clock import day_in_words
from bank.core.desk import Tx, command, query
from bank.core.errors import BadInput, WrongState
from bank.core.permissions import Permission

TRIES: Final = 20
TRY_MS: Final = 50  # how long entries may queue behind one try
PAUSE_SECONDS: Final = 0.1  # in which they go on
BOOK: Final = "book"
CLOSING: Final = "closing"  # what an act is about, for the trail and for what waits

Says = Callable[[Tx, date | None, date], Sequence[str]]

# Asked before the book is closed: with the last day that is closed and the one that shall be, each
# answers sentences for people. What is `in_the_way` keeps it open; what is `left` is worth a look.
# `opened` is told when days are opened again, with a sentence. `bank/app.py` fills all three: who
# works on such a day, and who is told, is known upstairs.
in_the_way: Final[list[Says]] = []
left: Final[list[Says]] = []
opened: Final[list[Callable[[Tx, str], None]]] = []


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
    """The book is in use by something long, such as an import. Try again once that is done."""


@dataclass(frozen=True, kw_only=True)
class ClosingRow:
    """One act of the register. `opens` says that it leads back; `entries` is how many there were at
    that moment on the days that it closed or opened."""

    id: int
    closed_through: date | None
    was_through: date | None
    opens: bool
    entries: int
    at: datetime
    by_name: str
    agreed_by_name: str | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class BookDays:
    """Where the book stands: `closed_through` is None while every day is open. An import may book
    from `import_from` on, because of `import_because`; `last_id` is what an act is asked for with.
    """

    business_date: date
    closed_through: date | None
    last_id: int | None
    import_from: date
    import_because: str
    days_back: int | None


@dataclass(frozen=True, kw_only=True)
class Ahead:
    """What closing the book through a day would meet: what keeps it open, what is worth a look."""

    in_the_way: Sequence[str]
    left: Sequence[str]


@sights.seen_by(BOOK)
def _book_read(tx: Tx, _which: str) -> sights.Record | None:
    return sights.Record() if tx.desk.may(Permission.TRIAL_BALANCE_VIEW) else None


@query(Permission.TRIAL_BALANCE_VIEW)
def standing(tx: Tx) -> BookDays:
    """Show through which day the book is closed, and how far back an import may book."""
    return _standing(tx)


@query(Permission.TRIAL_BALANCE_VIEW)
def register(tx: Tx) -> Sequence[ClosingRow]:
    """List when the book was closed and opened again, newest first."""
    acts = tx.session.scalars(select(BookClosing).order_by(BookClosing.id.desc()))
    return [_row(act) for act in acts]


@query(Permission.BOOK_CLOSE)
def ahead(tx: Tx, through: date) -> Ahead:
    """Say what keeps the book from being closed through a day, and what is worth a look before."""
    last = last_act(tx)
    return _ahead(tx, None if last is None else last.closed_through, through)


@command(
    Permission.BOOK_CLOSE,
    checked=Checked(ends=(DayNotOver, ClosedAlready, ActedMeanwhile)),
)
def close_book(tx: Tx, through: date, seen: int | None, reason: str) -> BookDays:
    """Close the book through a day: nothing is booked on it or before it any more.

    `seen` is the id of the last act that was seen (`BookDays.last_id`), None where there was none.
    """
    why = reason_of(reason)
    if through >= tx.business_date:
        raise DayNotOver(field="through")
    _check_first(through, "through")

    def seen_to_be_open() -> BookClosing | None:
        last = _seen(tx, seen)
        if last is not None and through <= last.closed_through:
            raise ClosedAlready(field="through")
        return last

    seen_to_be_open()  # nobody is kept waiting for what is refused anyway
    _alone(tx)
    last = seen_to_be_open()
    met = _ahead(tx, None if last is None else last.closed_through, through)
    if met.in_the_way:
        yet = f"The book cannot be closed through {day_in_words(through)} yet."
        raise InTheWay(" ".join([yet, *met.in_the_way]))
    return _do(tx, through, last, why, met.left)


@command(
    Permission.BOOK_CLOSE,
    checked=Checked(ends=(OpenAlready, ActedMeanwhile)),
)
def reopen_book(tx: Tx, first_day: date, seen: int | None, reason: str) -> BookDays:
    """Open the book again from a closed day on, with a reason that stays in the register."""
    why = reason_of(reason)
    _check_first(first_day, "first_day")

    def seen_to_be_closed() -> BookClosing:
        last = _seen(tx, seen)
        if last is None or first_day > last.closed_through:
            raise OpenAlready(field="first_day")
        return last

    seen_to_be_closed()
    _alone(tx)
    last = seen_to_be_closed()
    now = _do(tx, first_day - timedelta(days=1), last, why, ())
    agreed = tx.facts.get("checker")
    by = f"{tx.desk.name} and {agreed} have" if agreed else f"{tx.desk.name} has"
    for tell in opened:
        tell(
            tx,
            f"{by} opened the book again from {day_in_words(first_day)} on. "
            f"It was closed through {day_in_words(last.closed_through)}. Reason: {why}",
        )
    return now


def _check_first(day: date, field: str) -> None:
    if day < FIRST_DAY:
        raise BadInput(f"No book begins before {day_in_words(FIRST_DAY)}.", field=field)


def reason_of(reason: str) -> str:
    """The reason as the register keeps it, or BadInput."""
    said = " ".join(reason.split())
    if not said:
        raise BadInput("Say why; the register keeps it.", field="reason")
    check_text(said, LONGEST_REASON, "reason")
    return said


def _seen(tx: Tx, seen: int | None) -> BookClosing | None:
    """What was done last, if that is what was seen."""
    last = last_act(tx)
    if (None if last is None else last.id) != seen:
        raise ActedMeanwhile
    return last


def _alone(tx: Tx) -> None:
    """Let the entries that are being written end, and those that come wait for this transaction (on
    SQLite there is one writer anyway).

    Whoever comes while we wait queues behind us. So we wait for a moment only, several times, and
    between them everybody goes on: a long import must not keep a counter waiting.
    """
    if tx.dialect != "postgresql":
        return
    for _ in range(TRIES):
        tx.cursor.execute("SAVEPOINT alone")
        tx.cursor.execute(f"SET LOCAL lock_timeout = {TRY_MS}")
        try:
            tx.cursor.execute("SELECT pg_advisory_xact_lock(%s)", (GATE,))
        except psycopg.errors.LockNotAvailable:
            tx.cursor.execute("ROLLBACK TO SAVEPOINT alone")
            tx.cursor.execute("RELEASE SAVEPOINT alone")
            time.sleep(PAUSE_SECONDS)
        else:
            tx.cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
            tx.cursor.execute("RELEASE SAVEPOINT alone")
            return
    raise BookBusy


def _do(
    tx: Tx, through: date, last: BookClosing | None, why: str, still_left: Sequence[str]
) -> BookDays:
    assert tx.desk.user_id is not None
    was = None if last is None else last.closed_through
    newest = tx.connection.scalar(select(func.max(JournalEntry.id)))
    agreed = tx.facts.get("checker")
    act = BookClosing(
        id=1 if last is None else last.id + 1,
        closed_through=through,
        was_through=was,
        entries=_entries_between(tx, was, through),
        last_entry_id=newest or 0,
        came_late=_came_late(tx, last),
        at=tx.now,
        by_id=tx.desk.user_id,
        by_name=tx.desk.name,
        agreed_by_name=None if agreed is None else str(agreed),
        reason=why,
    )
    tx.session.add(act)
    tx.session.flush()
    book_days.changes(tx)
    tx.concerns(BOOK, CLOSING)
    # Before and after: what is left is decided upon as well, so the checker has to have seen it.
    as_is: dict[str, object] = {"left as it is": " ".join(still_left)} if still_left else {}
    tx.changed(
        {"closed through": None if was is None else day_in_words(was), **as_is},
        {"closed through": day_in_words(through), **as_is},
    )
    return _standing(tx)


def _entries_between(tx: Tx, one: date | None, other: date) -> int:
    """How many entries there are on the days after the earlier of two, up to the later one."""
    low, high = min(one or other, other), max(one or other, other)
    counted = select(func.count()).where(JournalEntry.booking_date <= high)
    if one is not None:
        counted = counted.where(JournalEntry.booking_date > low)
    return tx.connection.scalar(counted) or 0


def _came_late(tx: Tx, last: BookClosing | None) -> int:
    """How many entries came into closed days since the last act: none, if the guards are there."""
    if last is None:
        return 0
    # In a CASE, or an index on the days would be walked from the first of them on.
    in_closed_days = case((JournalEntry.booking_date <= last.closed_through, 1), else_=0)
    late = select(func.count()).where(JournalEntry.id > last.last_entry_id, in_closed_days == 1)
    return tx.connection.scalar(late) or 0


def _standing(tx: Tx) -> BookDays:
    last, first = last_act(tx), book_days.first_day(tx, IMPORTS)
    return BookDays(
        business_date=tx.business_date,
        closed_through=_shown(None if last is None else last.closed_through),
        last_id=None if last is None else last.id,
        import_from=first.day,
        import_because=first.because,
        days_back=book_days.days_back(tx, tx.business_date),
    )


def _ahead(tx: Tx, was: date | None, through: date) -> Ahead:
    return Ahead(
        in_the_way=[sentence for ask in in_the_way for sentence in ask(tx, was, through)],
        left=[sentence for ask in left for sentence in ask(tx, was, through)],
    )


def _row(act: BookClosing) -> ClosingRow:
    return ClosingRow(
        id=act.id,
        closed_through=_shown(act.closed_through),
        was_through=_shown(act.was_through),
        opens=act.was_through is not None and act.closed_through < act.was_through,
        entries=act.entries,
        at=act.at,
        by_name=act.by_name,
        agreed_by_name=act.agreed_by_name,
        reason=act.reason,
    )


def _shown(through: date | None) -> date | None:
    """The last closed day; None where the book was opened again to its very beginning."""
    return through if through is not None and through >= FIRST_DAY else None
