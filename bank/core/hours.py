"""The business calendar: when a branch is open, and how long a clock has run by that.

A deadline counts open hours only: a complaint of Saturday night is not late on Sunday. Which hours
those are is data with dates (`opening_hours`, `holidays`); the arithmetic below is pure.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Final
from weakref import WeakKeyDictionary

from sqlalchemy import CheckConstraint, Index, SmallInteger, String, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from bank.core.clock import INDIA, in_india
from bank.core.db import Base, Database
from bank.core.desk import Tx

READ_AGAIN_AFTER: Final = timedelta(minutes=1)  # every queue needs it, and it hardly changes
EVERY_WEEK: Final = 0
WHOLE_BANK: Final = 0  # of the branch of opening hours
FURTHEST: Final = timedelta(days=3_660)  # a calendar that never opens must not count for ever


class OpeningHours(Base):
    """From when to when a weekday (1 is Monday) is open, from a date until a later row replaces it.

    `week_of_month` 0 is every week; 1 to 5 is that weekday's turn in the month (a second Saturday).
    `branch_id` 0 is the whole bank. A turn in the month goes before every week, and of the same
    turn the branch before the bank. Minutes are of the day in India; a day that opens and closes at
    the same minute is closed, and one without minutes goes by the next row in that order.
    """

    __tablename__ = "opening_hours"
    __table_args__ = (
        CheckConstraint("weekday BETWEEN 1 AND 7", name="weekday_known"),
        CheckConstraint("week_of_month BETWEEN 0 AND 5", name="week_known"),
        CheckConstraint(
            "opens_minute BETWEEN 0 AND closes_minute AND closes_minute <= 1440", name="hours_sane"
        ),
        CheckConstraint(
            "(opens_minute IS NULL) = (closes_minute IS NULL)", name="opens_and_closes"
        ),
        CheckConstraint(
            "opens_minute IS NOT NULL OR branch_id > 0 OR week_of_month > 0", name="something_else"
        ),
    )

    branch_id: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, default=WHOLE_BANK
    )
    effective_from: Mapped[date] = mapped_column(primary_key=True)
    weekday: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    week_of_month: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    opens_minute: Mapped[int | None] = mapped_column(SmallInteger)
    closes_minute: Mapped[int | None] = mapped_column(SmallInteger)
    source: Mapped[str] = mapped_column(String(300))


class Holiday(Base):
    """A day on which a branch, or the whole bank (no branch), stays closed."""

    __tablename__ = "holidays"
    __table_args__ = (
        Index("ix_holidays_day", "day", "branch_id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date]
    branch_id: Mapped[int | None]
    name: Mapped[str] = mapped_column(String(120))
    source: Mapped[str] = mapped_column(String(300))


@dataclass(frozen=True)
class Hours:
    """One row of opening hours, as the arithmetic reads it."""

    effective_from: date
    weekday: int
    week_of_month: int
    opens_minute: int | None
    closes_minute: int | None
    branch_id: int = WHOLE_BANK


class Calendar:
    """When one branch is open, by its own hours and the bank's. Instants are aware; lengths are
    seconds of open time."""

    def __init__(self, hours: Iterable[Hours], holidays: Mapping[date, str]) -> None:
        self._hours: dict[tuple[int, int, bool], list[Hours]] = {}
        for row in sorted(hours, key=lambda row: row.effective_from):
            place = (row.weekday, row.week_of_month, row.branch_id != WHOLE_BANK)
            self._hours.setdefault(place, []).append(row)
        self.holidays: Final = holidays

    def open_on(self, day: date) -> tuple[datetime, datetime] | None:
        """The instants (UTC) between which the branch is open on a day; None when it is closed."""
        if day in self.holidays:
            return None
        opens, closes = self._minutes(day)
        if opens == closes:
            return None
        midnight = datetime.combine(day, time(), INDIA)
        return (
            (midnight + timedelta(minutes=opens)).astimezone(UTC),
            (midnight + timedelta(minutes=closes)).astimezone(UTC),
        )

    def after(self, start: datetime, seconds: int) -> datetime:
        """The instant at which `seconds` of open time have passed since `start`.

        Negative seconds lead back: the instant since which so much open time has passed.
        """
        if seconds < 0:
            return self._before(start, timedelta(seconds=-seconds))
        left = timedelta(seconds=seconds)
        for opens, closes in self._open_from(start, start + FURTHEST):
            begins = max(opens, start)
            if begins + left <= closes:
                return begins + left
            left -= max(closes - begins, timedelta())
        raise ValueError("the calendar has no open hours")

    def _before(self, end: datetime, left: timedelta) -> datetime:
        day, first = in_india(end).date(), in_india(end - FURTHEST).date()
        while day >= first:
            if (span := self.open_on(day)) is not None:
                closes = min(span[1], end)
                if closes - left >= span[0]:
                    return closes - left
                left -= max(closes - span[0], timedelta())
            day -= timedelta(days=1)
        raise ValueError("the calendar has no open hours")

    def between(self, start: datetime, end: datetime) -> int:
        """How many seconds of open time lie between two instants; negative when `end` is first."""
        if end < start:
            return -self.between(end, start)
        spans = (
            min(closes, end) - max(opens, start) for opens, closes in self._open_from(start, end)
        )
        return int(sum((span for span in spans if span > timedelta()), timedelta()).total_seconds())

    def _minutes(self, day: date) -> tuple[int, int]:
        """From when to when a day is open by the row that counts for it."""
        for week in ((day.day - 1) // 7 + 1, EVERY_WEEK):
            for is_own in (True, False):
                rows = self._hours.get((day.isoweekday(), week, is_own), ())
                row = next((row for row in reversed(rows) if row.effective_from <= day), None)
                if row is not None and row.opens_minute is not None:
                    assert row.closes_minute is not None, "opens_and_closes"
                    return row.opens_minute, row.closes_minute
        return 0, 0

    def _open_from(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        day, last = in_india(start).date(), in_india(end).date()
        while day <= last:
            if (span := self.open_on(day)) is not None:
                yield span
            day += timedelta(days=1)


_known: Final[WeakKeyDictionary[Database, dict[int | None, tuple[datetime, Calendar]]]] = (
    WeakKeyDictionary()
)


def calendar(tx: Tx, branch_id: int | None) -> Calendar:
    """The calendar of a branch (None: of the head office), read at most once a minute."""
    kept = _known.setdefault(tx.bank.db, {})
    read_at, known = kept.get(branch_id, (None, None))
    if known is None or read_at is None or not timedelta() <= tx.now - read_at < READ_AGAIN_AFTER:
        known = calendar_of(tx, branch_id)
        kept[branch_id] = (tx.now, known)
    return known


def forget(db: Database) -> None:
    """Read anew at the next question: the hours or holidays were changed in this process."""
    _known.pop(db, None)


def changes(tx: Tx) -> None:
    """Say that this transaction changes a calendar: it counts here from its commit on.

    Other processes, and whoever was reading at that moment, know it a minute later at the latest.
    """
    tx.after_commit.add(partial(forget, tx.bank.db))


def calendar_of(tx: Tx, branch_id: int | None) -> Calendar:
    """The calendar of a branch as its tables say now."""
    days = tx.connection.execute(
        select(Holiday.day, Holiday.name).where(
            or_(Holiday.branch_id.is_(None), Holiday.branch_id == branch_id)
        )
    )
    return Calendar(hours_of(tx, branch_id), {row.day: row.name for row in days})


def hours_of(tx: Tx, branch_id: int | None) -> list[Hours]:
    """Every row of opening hours that can count at a branch (None: at head office)."""
    rows = tx.connection.execute(
        select(
            OpeningHours.effective_from,
            OpeningHours.weekday,
            OpeningHours.week_of_month,
            OpeningHours.opens_minute,
            OpeningHours.closes_minute,
            OpeningHours.branch_id,
        ).where(OpeningHours.branch_id.in_((WHOLE_BANK, branch_id or WHOLE_BANK)))
    )
    return [Hours(*row) for row in rows]
