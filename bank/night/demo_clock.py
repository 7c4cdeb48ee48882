"""The hours of the demo bank's days: minutes of a day in India, and the instants they are."""

from datetime import UTC, date, datetime, time, timedelta

from bank.core.clock import INDIA


def moment(day: date, minute: int, second: int = 0) -> datetime:
    """A minute of a day in India, as an instant."""
    midnight = datetime.combine(day, time(), tzinfo=INDIA).astimezone(UTC)
    return midnight + timedelta(minutes=minute, seconds=second)


def clock(hours: int, minutes: int = 0) -> int:
    """The minute of the day."""
    return hours * 60 + minutes
