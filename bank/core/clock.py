"""Time: the instant (UTC) and the bank's business date. Nothing else in the house asks the OS."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Final, Protocol
from zoneinfo import ZoneInfo

INDIA: Final = ZoneInfo("Asia/Kolkata")


class Clock(Protocol):
    """What every desk carries."""

    def now(self) -> datetime:
        """The instant, aware, in UTC."""
        ...

    def business_date(self) -> date:
        """The day on which entries are booked."""
        ...


class SystemClock:
    """The machine's clock. The business date is the calendar date in India unless one is set."""

    def __init__(self, business_date: Callable[[], date | None] = lambda: None) -> None:
        self._set_date = business_date

    def now(self) -> datetime:
        return datetime.now(UTC)

    def business_date(self) -> date:
        return self._set_date() or datetime.now(INDIA).date()


class FixedClock:
    """A clock that stands still until it is moved: for replays, the demo's past and tests."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def business_date(self) -> date:
        return self.at.astimezone(INDIA).date()


def in_india(instant: datetime) -> datetime:
    """The instant as a wall clock in the branch shows it. Naive values are UTC (SQLite)."""
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return aware.astimezone(INDIA)


def appointment(instant: datetime) -> str:
    """`Tue 24 Nov, 15:30`: a deadline as the branch says it, in mails and on pages alike."""
    local = in_india(instant)
    return f"{local:%a} {local.day} {local:%b, %H:%M}"


def day_in_words(day: date) -> str:
    """`30 Sep 2026`: a day as people read it, in refusals, mails and papers."""
    return f"{day.day} {day:%b %Y}"
