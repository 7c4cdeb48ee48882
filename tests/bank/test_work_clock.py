"""The clock of a work item: open hours of its branch, against a calculation that walks minutes."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank.core import hours, work
from bank.core.clock import INDIA
from bank.core.errors import WrongState
from bank.core.hours import Calendar, Hours
from bank.core.work_tables import W, WorkRule
from bank.office import queue
from tests.support import queues
from tests.support.market import BANER, FORT, Market

pytestmark = pytest.mark.feature("C9")
ESHA, DEV = "executive", "executive_two"
FIRST_DAY: Final = date(2026, 1, 1)
BOARD: Final = [
    *(Hours(date(2015, 9, 1), weekday, 0, 600, 960) for weekday in range(1, 7)),
    Hours(date(2015, 9, 1), 6, 2, 0, 0),
    Hours(date(2015, 9, 1), 6, 4, 0, 0),
    Hours(date(2015, 9, 1), 7, 0, 0, 0),
]


def at(text: str) -> datetime:
    """An instant by the clock in the branch."""
    return datetime.fromisoformat(text).replace(tzinfo=INDIA).astimezone(UTC)


class Minutes:
    """The reference: whether the branch is open in a given minute, asked one by one."""

    def __init__(self, rows: list[Hours], holidays: Mapping[date, str]) -> None:
        self.rows, self.holidays = rows, holidays

    def is_open(self, minute: datetime) -> bool:
        local = minute.astimezone(INDIA)
        if local.date() in self.holidays:
            return False
        turn = (local.day - 1) // 7 + 1
        for week in (turn, 0):
            found = [
                row
                for row in self.rows
                if (row.weekday, row.week_of_month) == (local.isoweekday(), week)
                and row.effective_from <= local.date()
            ]
            if found:
                row = max(found, key=lambda each: each.effective_from)
                return row.opens_minute <= local.hour * 60 + local.minute < row.closes_minute
        return False

    def between(self, start: datetime, end: datetime) -> int:
        """Open minutes from one whole minute to another."""
        count, now = 0, start
        while now < end:
            count += self.is_open(now)
            now += timedelta(minutes=1)
        return count


@st.composite
def weeks(draw: st.DrawFn) -> tuple[list[Hours], dict[date, str]]:
    """Opening hours that change on a day, Saturdays by turn, and a few holidays."""
    rows = [*BOARD]
    for weekday in draw(st.sets(st.integers(1, 7), max_size=3)):
        opens = draw(st.integers(0, 23 * 60))
        closes = draw(st.integers(opens, 24 * 60))
        since = FIRST_DAY + timedelta(days=draw(st.integers(0, 20)))
        rows.append(Hours(since, weekday, draw(st.integers(0, 5)), opens, closes))
    days = draw(st.sets(st.integers(0, 30), max_size=4))
    return rows, {FIRST_DAY + timedelta(days=day): "a holiday" for day in days}


instants = st.integers(0, 20 * 24 * 60).map(
    lambda minute: datetime.combine(FIRST_DAY, time(), UTC) + timedelta(minutes=minute)
)


@given(weeks(), instants, st.integers(0, 3 * 24 * 60))
def test_open_time_between_two_instants(
    week: tuple[list[Hours], dict[date, str]], start: datetime, minutes: int
) -> None:
    calendar, reference = Calendar(*week), Minutes(*week)
    end = start + timedelta(minutes=minutes)
    assert calendar.between(start, end) == reference.between(start, end) * 60
    assert calendar.between(end, start) == -calendar.between(start, end)


@given(weeks(), instants, st.integers(1, 1_500))
def test_a_deadline_is_the_first_instant_with_so_much_open_time(
    week: tuple[list[Hours], dict[date, str]], start: datetime, minutes: int
) -> None:
    calendar, reference = Calendar(*week), Minutes(*week)
    due = calendar.after(start, minutes * 60)
    assert reference.between(start, due) == minutes
    assert reference.is_open(due - timedelta(minutes=1)), "no earlier instant would do"
    assert calendar.between(start, due) == minutes * 60


@given(weeks(), instants, st.integers(1, 1_500))
def test_lateness_leads_back_by_as_much_open_time(
    week: tuple[list[Hours], dict[date, str]], start: datetime, minutes: int
) -> None:
    calendar, reference = Calendar(*week), Minutes(*week)
    was_due = calendar.after(start, -minutes * 60)
    assert reference.between(was_due, start) == minutes
    assert reference.is_open(was_due)


@given(weeks(), instants, st.lists(st.integers(1, 300), min_size=2, max_size=6))
def test_stopping_and_running_on_loses_nothing(
    week: tuple[list[Hours], dict[date, str]], start: datetime, stops: list[int]
) -> None:
    """Pauses of any length: the open time outside them is what was promised."""
    calendar, reference = Calendar(*week), Minutes(*week)
    promised = 20 * 60 * 60
    due, now, ran = calendar.after(start, promised), start, 0
    for run, rest in pairwise(stops):
        paused = now + timedelta(minutes=run)
        ran += reference.between(now, paused) * 60
        left = calendar.between(paused, due)
        now = paused + timedelta(minutes=rest)
        due = calendar.after(now, left)
    assert ran + reference.between(now, due) * 60 == promised or due <= now


@pytest.mark.parametrize(
    ("start", "minutes", "due"),
    [
        ("2026-03-16T12:00", 60, "2026-03-16T13:00"),
        ("2026-03-16T15:30", 60, "2026-03-17T10:30"),
        ("2026-03-13T15:59", 2, "2026-03-16T10:01"),  # Friday; the 14th is a second Saturday
        ("2026-03-20T15:59", 2, "2026-03-21T10:01"),  # the 21st is a third one
        ("2026-03-15T03:00", 1, "2026-03-16T10:01"),  # a Sunday
        ("2026-08-14T15:00", 61, "2026-08-17T10:01"),  # Saturday is Independence Day
        ("2026-03-16T15:00", 60, "2026-03-16T16:00"),  # to the minute in which it closes
    ],
)
def test_the_seeded_calendar(market: Market, start: str, minutes: int, due: str) -> None:
    with market.tx() as tx:
        calendar = hours.calendar_of(tx, market.branch_ids[FORT])
    assert calendar.after(at(start), minutes * 60) == at(due)


def test_a_calendar_that_never_opens_says_so() -> None:
    calendar = Calendar([], {})
    for seconds in (1, -1):
        with pytest.raises(ValueError, match="no open hours"):
            calendar.after(at("2026-03-16T12:00"), seconds)
    assert calendar.between(at("2026-03-16T12:00"), at("2026-03-26T12:00")) == 0


def test_a_holiday_of_one_branch_is_none_of_the_other(market: Market) -> None:
    with market.tx() as tx:
        tx.session.add(
            hours.Holiday(
                day=date(2026, 3, 17),
                branch_id=market.branch_ids[FORT],
                name="Jatra",
                source="a test",
            )
        )
    hours.forget(market.bank.db)
    [here] = queues.opened(market)
    [there] = queues.opened(market, branch_id=market.branch_ids[BANER])
    # Normal tickets: a first reply in one open day (six hours); it is noon on a Monday.
    assert queues.row_of(market, there).first_due_at == at("2026-03-17T12:00")
    assert queues.row_of(market, here).first_due_at == at("2026-03-18T12:00")


# What the clock of an item does.


def test_the_clocks_stand_still_while_the_customer_must_act(market: Market) -> None:
    [item] = queues.opened(market)
    before = queues.row_of(market, item)
    assert before.next_due_at == before.first_due_at == at("2026-03-17T12:00")
    queue.claim(market.desks[ESHA], item)
    queues.later(market, hours=1)  # five open hours are left of the first reply
    queues.ask(market, item)
    row = queues.row_of(market, item)
    assert (row.status, row.first_due_at, row.solve_due_at, row.next_due_at) == (
        W.WAITING, None, None, None,
    )  # fmt: skip
    assert (row.first_left_seconds, row.claimed_until) == (5 * 3600, None)
    queues.later(market, days=3)  # Thursday, 13:00
    queues.answer(market, item)
    row = queues.row_of(market, item)
    assert (row.status, row.owner_name) == (W.CLAIMED, "Esha Iyer")
    assert row.first_due_at == row.next_due_at == at("2026-03-20T12:00")
    assert row.solve_due_at == Calendar(BOARD, {}).after(at("2026-03-19T13:00"), 59 * 3600)
    assert queues.acts(market, item) == ["opened", "claimed", "asked", "answered"]


def test_what_was_late_when_it_stopped_is_late_by_as_much_again(market: Market) -> None:
    [item] = queues.opened(market, priority=1)  # one open hour
    queue.claim(market.desks[ESHA], item)
    queues.later(market, hours=3)
    queues.ask(market, item)
    assert queues.row_of(market, item).first_left_seconds == -2 * 3600
    queues.later(market, days=1)
    queues.answer(market, item)
    seen = queues.seen(market, item)
    assert seen.is_overdue
    assert queues.row_of(market, item).first_due_at == at("2026-03-17T13:00")


def test_a_first_reply_ends_its_own_clock_only(market: Market) -> None:
    [item] = queues.opened(market)
    queue.claim(market.desks[ESHA], item)
    solve = queues.row_of(market, item).solve_due_at
    for _ in range(2):
        with market.tx(market.desks[ESHA]) as tx:
            work.replied(tx, work.held(tx, item))
    row = queues.row_of(market, item)
    assert (row.first_due_at, row.next_due_at) == (None, solve)
    assert queues.acts(market, item).count("first reply") == 1


def test_a_decided_item_has_no_deadline_and_a_reopened_one_a_new_promise(market: Market) -> None:
    [item] = queues.opened(market)
    queue.claim(market.desks[ESHA], item)
    queues.decide(market, item)
    row = queues.row_of(market, item)
    assert (row.next_due_at, row.decided_by_name, row.outcome) == (None, "Esha Iyer", "solved")
    queues.later(market, days=1)
    with market.tx() as tx:
        work.reopen(tx, work.item_of(tx, row.kind, row.subject_id), "not solved")
    row = queues.row_of(market, item)
    assert (row.status, row.owner_id, row.decided_at) == (W.UNASSIGNED, None, None)
    assert row.first_due_at == at("2026-03-18T12:00")


def test_a_stricter_promise_counts_from_its_date(market: Market) -> None:
    with market.tx() as tx:
        tx.session.add(
            WorkRule(
                kind="ticket", priority=3, effective_from=date(2026, 3, 17), first_minutes=0,
                solve_minutes=30, claim_minutes=5, source="a test",
            )
        )  # fmt: skip
    [today] = queues.opened(market)
    queues.later(market, days=1)
    [tomorrow] = queues.opened(market)
    assert queues.row_of(market, today).first_due_at == at("2026-03-17T12:00")
    row = queues.row_of(market, tomorrow)
    assert (row.first_due_at, row.next_due_at) == (None, at("2026-03-17T12:30"))
    queue.claim(market.desks[DEV], tomorrow)
    until = queues.row_of(market, tomorrow).claimed_until
    assert until == market.bank.clock.now() + timedelta(minutes=5)


def test_only_what_waits_is_answered_and_only_what_is_decided_opens_again(market: Market) -> None:
    [item] = queues.opened(market)
    queue.claim(market.desks[ESHA], item)
    with pytest.raises(work.NobodyAsked):
        queues.answer(market, item)
    with market.tx() as tx, pytest.raises(work.NotDecidedYet):
        work.reopen(tx, work.item_of(tx, "ticket", 1))
    queues.decide(market, item)
    with pytest.raises(work.NobodyAsked):
        queues.answer(market, item)
    with market.tx(market.desks[ESHA]) as tx, pytest.raises(WrongState):
        work.ask(tx, work.held(tx, item))
    assert queues.acts(market, item) == ["opened", "claimed", "decided"]
