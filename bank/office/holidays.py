"""Holidays and opening hours: the calendar by which every deadline of the bank is counted.

A holiday is the whole bank's (head office keeps those) or one branch's (its admin keeps them). It
is added and removed only while it has not come. What was promised stays promised: a deadline that
was given, and a clock that runs, keep their instant. Items that are opened afterwards, and clocks
that run on afterwards, count with the new calendar.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import or_, select

from bank.core import hours
from bank.core.desk import Tx, command, query
from bank.core.errors import BadInput, NotAllowed, NotFound, WrongState
from bank.core.hours import Calendar, Holiday, OpeningHours
from bank.core.permissions import Permission
from bank.people.branches import Branch
from bank.people.fields import clean_text

LONGEST_NAME: Final = 120
LONGEST_SOURCE: Final = 300
LONGEST_REASON: Final = 200
YEARS_AHEAD: Final = 2  # nobody has notified what comes later
LOOKED_AHEAD: Final = timedelta(days=60)
CLOSED_LISTED: Final = 6
WEEKDAYS: Final = (
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
)  # fmt: skip
TURNS: Final = ("every", "first", "second", "third", "fourth", "fifth")  # of a month


class NoSuchHoliday(NotFound):
    """There is no such holiday, or it is another branch's. Look in the list."""


class NotAhead(BadInput):
    """A holiday is added before it comes: choose a day after today."""


class TooFarAhead(BadInput):
    """Choose a day of this year or of the next two."""


class ClosedAlready(BadInput):
    """That day is a holiday there already. Choose another day, or look in the list."""


class HasCome(WrongState):
    """This holiday has come, so it stays in the calendar."""


class OfTheWholeBank(NotAllowed):
    """This is a holiday of the whole bank. Head office removes it."""


@dataclass(frozen=True, kw_only=True)
class HolidayCard:
    """A holiday as people see it; without a branch it is the whole bank's. `may_go` says whether
    this desk may still remove it."""

    id: int
    day: date
    branch_id: int | None
    name: str
    source: str
    may_go: bool

    @property
    def weekday(self) -> str:
        """Its day of the week."""
        return WEEKDAYS[self.day.weekday()]


@dataclass(frozen=True, kw_only=True)
class ClosedDay:
    """A day on which a branch stays closed, and why."""

    day: date
    why: str


@dataclass(frozen=True, kw_only=True)
class OpenLine:
    """A line of the opening hours: `Monday to Friday`, `10:00 to 16:00`, from when on; `branch_id`
    where one branch has hours of its own."""

    branch_id: int | None
    days: str
    times: str
    effective_from: date
    source: str


@query(Permission.CALENDAR_VIEW)
def holidays(tx: Tx, year: int, branch_id: int | None = None) -> Sequence[HolidayCard]:
    """List the holidays of a year in order: the whole bank's, and those of one's branch.

    Who sees the whole bank gets those of one branch, or of every branch without one.
    """
    place = _seen(tx, branch_id)
    wanted = select(Holiday).where(
        Holiday.day >= date(year, 1, 1), Holiday.day <= date(year, 12, 31)
    )
    if place is not None:
        wanted = wanted.where(or_(Holiday.branch_id.is_(None), Holiday.branch_id == place))
    return [_card(tx, row) for row in tx.session.scalars(wanted.order_by(Holiday.day, Holiday.id))]


@query(Permission.CALENDAR_VIEW)
def closed_next(tx: Tx, branch_id: int | None = None) -> Sequence[ClosedDay]:
    """List the next days on which a branch (None: head office) is closed, after today."""
    calendar = hours.calendar_of(tx, _seen(tx, branch_id))
    days = (tx.business_date + timedelta(days=more + 1) for more in range(LOOKED_AHEAD.days))
    closed = [day for day in days if calendar.open_on(day) is None]
    return [ClosedDay(day=day, why=_why(calendar, day)) for day in closed[:CLOSED_LISTED]]


@query(Permission.CALENDAR_VIEW)
def opening_hours(tx: Tx, branch_id: int | None = None) -> Sequence[OpenLine]:
    """List the opening hours in words: those in force, then those that are to come.

    They are the bank's and one's branch's own. Who sees the whole bank gets those of one branch, or
    of every branch without one.
    """
    newest_first = select(OpeningHours).order_by(OpeningHours.effective_from.desc())
    if (place_seen := _seen(tx, branch_id)) is not None:
        theirs = (hours.WHOLE_BANK, place_seen)
        newest_first = newest_first.where(OpeningHours.branch_id.in_(theirs))
    kept: list[OpeningHours] = []
    in_force: set[tuple[int, int, int]] = set()
    for row in tx.session.scalars(newest_first):
        place = (row.branch_id, row.weekday, row.week_of_month)
        if row.effective_from > tx.business_date:
            kept.append(row)
        elif place not in in_force:
            in_force.add(place)
            kept.append(row)
    return opening_lines(kept)


@command(Permission.CALENDAR_KEEP)
def add_holiday(
    tx: Tx, day: date, name: str, source: str, branch_id: int | None = None
) -> HolidayCard:
    """Add a holiday of a branch or of the whole bank. Deadlines already promised stay as they are.

    `source` is where it was notified. A branch admin adds for the own branch, head office for all
    (no branch) or any.
    """
    place = _kept(tx, branch_id)
    called = clean_text(name, field="name", longest=LONGEST_NAME)
    notified = clean_text(source, field="source", longest=LONGEST_SOURCE)
    if day <= tx.business_date:
        raise NotAhead(field="day")
    if day.year > tx.business_date.year + YEARS_AHEAD:
        raise TooFarAhead(field="day")
    _one_at_a_time(tx)
    # Where all are closed, one is. What one branch has for itself does not keep the bank from it.
    there = or_(Holiday.branch_id.is_(None), Holiday.branch_id == place)
    if tx.session.scalars(select(Holiday.id).where(Holiday.day == day, there).limit(1)).first():
        raise ClosedAlready(field="day")
    row = Holiday(day=day, branch_id=place, name=called, source=notified)
    tx.session.add(row)
    tx.session.flush()
    tx.concerns("holiday", row.id)
    tx.changed(None, _facts(row))
    hours.changes(tx)
    return _card(tx, row)


@command(Permission.CALENDAR_KEEP)
def remove_holiday(tx: Tx, holiday_id: int, reason: str) -> None:
    """Remove a holiday that has not come yet. Deadlines already promised stay as they are."""
    clean_text(reason, field="reason", longest=LONGEST_REASON)  # kept in the trail with the act
    row = tx.session.get(Holiday, holiday_id, with_for_update=True)
    if row is None:
        raise NoSuchHoliday
    if not tx.desk.sees_whole_bank and row.branch_id != tx.desk.branch_id:
        raise OfTheWholeBank if row.branch_id is None else NoSuchHoliday
    if row.day <= tx.business_date:
        raise HasCome
    tx.concerns("holiday", holiday_id)
    tx.changed(_facts(row), None)
    tx.session.delete(row)
    tx.session.flush()
    hours.changes(tx)


def opening_lines(rows: Iterable[OpeningHours]) -> list[OpenLine]:
    """Rows of opening hours as people say them: neighbouring days with the same hours are one
    line, and so are the turns of a weekday in the month."""
    groups: list[list[OpeningHours]] = []
    for row in sorted(rows, key=_place_in_list):
        if groups and _alike(groups[-1][-1], row):
            groups[-1].append(row)
        else:
            groups.append([row])
    return [
        OpenLine(
            branch_id=group[0].branch_id or None,
            days=_days(group),
            times=_times(group[0]),
            effective_from=group[0].effective_from,
            source="; ".join(dict.fromkeys(row.source for row in group)),
        )
        for group in groups
    ]


def _place_in_list(row: OpeningHours) -> tuple[int, date, int, int]:
    # A row that was not written yet has no branch: the bank's.
    return row.branch_id or hours.WHOLE_BANK, row.effective_from, row.weekday, row.week_of_month


def _alike(one: OpeningHours, following: OpeningHours) -> bool:
    """Whether two rows say the same of neighbouring days, or of two turns of one weekday."""
    first, second = (
        (row.branch_id, row.effective_from, row.opens_minute, row.closes_minute)
        for row in (one, following)
    )
    if first != second:
        return False
    if one.week_of_month == following.week_of_month == hours.EVERY_WEEK:
        return following.weekday == one.weekday + 1
    return following.weekday == one.weekday and one.week_of_month != hours.EVERY_WEEK


def _days(alike: Sequence[OpeningHours]) -> str:
    """`Monday to Friday`, `Second and fourth Saturday`."""
    first, last = (WEEKDAYS[row.weekday - 1] for row in (alike[0], alike[-1]))
    if alike[0].week_of_month != hours.EVERY_WEEK:
        return f"{_turns(row.week_of_month for row in alike).capitalize()} {first}"
    return first if len(alike) == 1 else f"{first} to {last}"


def _turns(weeks: Iterable[int]) -> str:
    *before, last = (TURNS[week] for week in weeks)
    return f"{', '.join(before)} and {last}" if before else last


def _times(row: OpeningHours) -> str:
    if row.opens_minute is None or row.closes_minute is None:
        return "as otherwise"
    if row.opens_minute == row.closes_minute:
        return "closed"
    opens, closes = (divmod(minute, 60) for minute in (row.opens_minute, row.closes_minute))
    return f"{opens[0]:02}:{opens[1]:02} to {closes[0]:02}:{closes[1]:02}"


def _why(calendar: Calendar, day: date) -> str:
    """The holiday's name; or the weekday with its turn in the month, where only that is closed."""
    if day in calendar.holidays:
        return calendar.holidays[day]
    weekday = WEEKDAYS[day.weekday()]
    is_every = all(calendar.open_on(day + timedelta(days=7 * week)) is None for week in range(1, 6))
    turn = "Every" if is_every else TURNS[(day.day - 1) // 7 + 1].capitalize()
    return f"{turn} {weekday}"


def _seen(tx: Tx, branch_id: int | None) -> int | None:
    """The branch to look at: one's own, or any (None: all) for who sees the whole bank."""
    if tx.desk.sees_whole_bank:
        return branch_id
    return _own(tx, branch_id)


def _kept(tx: Tx, branch_id: int | None) -> int | None:
    """The branch to keep the calendar of, None for the whole bank; see `_seen`."""
    if not tx.desk.sees_whole_bank:
        place = _own(tx, branch_id)
        assert place is not None, "without a branch it would be the whole bank's"
        return place
    if branch_id is not None and tx.session.get(Branch, branch_id) is None:
        raise BadInput("Choose a branch from the list.", field="branch")
    return branch_id


def _own(tx: Tx, branch_id: int | None) -> int | None:
    if branch_id not in {None, tx.desk.branch_id}:
        raise BadInput("You have the calendar of your own branch.", field="branch")
    return tx.desk.branch_id


def _one_at_a_time(tx: Tx) -> None:
    """Hold the first branch's row, so that of two who add the same day the second finds it."""
    tx.session.execute(
        select(Branch.id).order_by(Branch.id).limit(1).with_for_update(key_share=True)
    )


def _card(tx: Tx, row: Holiday) -> HolidayCard:
    keeps = tx.desk.may(Permission.CALENDAR_KEEP, changes=True)
    is_ours = tx.desk.sees_whole_bank or row.branch_id == tx.desk.branch_id
    return HolidayCard(
        id=row.id,
        day=row.day,
        branch_id=row.branch_id,
        name=row.name,
        source=row.source,
        may_go=keeps and is_ours and row.day > tx.business_date,
    )


def _facts(row: Holiday) -> dict[str, object]:
    return {
        "day": row.day.isoformat(),
        "branch_id": row.branch_id,
        "name": row.name,
        "source": row.source,
    }
