"""Holidays: who keeps which, what is refused, and what a new one does to deadlines."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import pytest

from bank.core import hours
from bank.core.clock import INDIA
from bank.core.desk import Desk
from bank.core.errors import BadInput, BankError
from bank.core.hours import OpeningHours
from bank.core.permissions import Role
from bank.office import holidays, queue
from bank.office.holidays import (
    ClosedAlready,
    ClosedDay,
    HasCome,
    HolidayCard,
    NoSuchHoliday,
    NotAhead,
    OfTheWholeBank,
    TooFarAhead,
    opening_lines,
)
from tests.support import queues
from tests.support.bank import desk
from tests.support.market import BANER, FORT, Market

pytestmark = pytest.mark.feature("B36")
TODAY: Final = date(2026, 3, 16)  # a Monday, at noon
TOMORROW: Final = TODAY + timedelta(days=1)


def head(market: Market) -> Desk:
    """A super admin."""
    user = market.desks["auditor"].user_id
    return desk(market.bank, Role.SUPER_ADMIN, user_id=user, name="Head Office", branch_id=None)


def added(market: Market, who: str = "admin", **facts: Any) -> HolidayCard:
    """Somebody adds a holiday."""
    given = {"day": TOMORROW, "name": "Jatra", "source": "Notification 12 of 2026"} | facts
    return holidays.add_holiday(head(market) if who == "head" else market.desks[who], **given)


def names(market: Market, who: str = "ravi", **facts: Any) -> list[str]:
    """What somebody sees of 2026, beside the seeded ones."""
    cards = holidays.holidays(
        head(market) if who == "head" else market.desks[who], **({"year": 2026} | facts)
    )
    return [card.name for card in cards if "every" not in card.source]


def at(text: str) -> datetime:
    """An instant by the clock in the branch."""
    return datetime.fromisoformat(text).replace(tzinfo=INDIA).astimezone(UTC)


def last_act(market: Market, verb: str) -> dict[str, Any]:
    """The newest row of the trail of a verb."""
    return market.rows(
        "SELECT object_kind, object_id, before, after, details, outcome FROM trail"
        f" WHERE verb = 'office.holidays.{verb}' ORDER BY id DESC LIMIT 1"
    )[0]


def test_a_branch_keeps_its_own_and_head_office_all(market: Market) -> None:
    added(market)
    added(market, "admin_baner", day=date(2026, 3, 18), name="Urs")
    added(market, "head", day=date(2026, 3, 19), name="Election day")
    added(market, "head", day=date(2026, 3, 20), name="Flood", branch_id=market.branch_ids[BANER])
    assert names(market) == ["Jatra", "Election day"]
    assert names(market, "meera") == ["Urs", "Election day", "Flood"]
    assert names(market, "auditor") == ["Jatra", "Urs", "Election day", "Flood"]
    baner = market.branch_ids[BANER]
    assert names(market, "head", branch_id=baner) == ["Urs", "Election day", "Flood"]
    assert names(market, year=2027) == []
    with pytest.raises(BadInput) as refused:
        names(market, branch_id=baner)
    assert refused.value.field == "branch"
    with pytest.raises(BadInput) as refused:
        added(market, branch_id=baner)
    assert refused.value.field == "branch"
    with pytest.raises(BadInput) as refused:
        added(market, "head", branch_id=4711)
    assert refused.value.field == "branch"


def test_the_list_has_weekday_source_and_what_may_go(market: Market) -> None:
    fort = added(market, branch_id=market.branch_ids[FORT])
    assert (fort.weekday, fort.source, fort.branch_id) == (
        "Tuesday", "Notification 12 of 2026", market.branch_ids[FORT],
    )  # fmt: skip
    mine = holidays.holidays(market.desks["admin"], 2026)
    assert [card.day for card in mine] == sorted(card.day for card in mine)
    assert {card.name for card in mine if card.may_go} == {"Jatra"}
    assert not any(card.may_go for card in holidays.holidays(market.desks["ravi"], 2026))
    assert not any(card.may_go for card in holidays.holidays(market.desks["auditor"], 2026))
    to_come = {card.name for card in holidays.holidays(head(market), 2026) if card.may_go}
    assert to_come >= {"Jatra", "Christmas"}
    assert "Republic Day" not in to_come


@pytest.mark.parametrize(
    ("facts", "kind", "field"),
    [
        ({"day": TODAY}, NotAhead, "day"),
        ({"day": date(2026, 3, 15)}, NotAhead, "day"),
        ({"day": date(2029, 1, 1)}, TooFarAhead, "day"),
        ({"day": date(2026, 12, 25)}, ClosedAlready, "day"),  # the whole bank's
        ({"name": " "}, BadInput, "name"),
        ({"name": "n" * 121}, BadInput, "name"),
        ({"source": ""}, BadInput, "source"),
        ({"source": "s" * 301}, BadInput, "source"),
    ],
)
def test_what_is_refused(
    market: Market, facts: dict[str, Any], kind: type[BankError], field: str
) -> None:
    before = market.rows("SELECT id FROM holidays")
    with pytest.raises(kind) as refused:
        added(market, **facts)
    assert refused.value.field == field
    assert market.rows("SELECT id FROM holidays") == before
    assert last_act(market, "add_holiday")["outcome"] == "refused"


def test_the_last_day_that_may_be_added(market: Market) -> None:
    assert added(market, day=date(2028, 12, 31)).weekday == "Sunday"


def test_a_branch_closes_once_a_day_and_the_bank_besides(market: Market) -> None:
    added(market)
    with pytest.raises(ClosedAlready):
        added(market, name="Jatra again")
    added(market, "admin_baner")
    whole = added(market, "head", name="Mourning")
    assert whole.branch_id is None
    with pytest.raises(ClosedAlready):
        added(market, "head", name="Mourning again")
    assert names(market) == ["Jatra", "Mourning"]


def test_of_two_at_once_the_second_finds_the_first(market: Market) -> None:
    together = threading.Barrier(2)

    def add(who: str) -> str:
        together.wait(30)
        try:
            added(market, who, branch_id=market.branch_ids[FORT])
        except ClosedAlready:
            return "refused"
        return "added"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(add, ["admin", "head"])) == ["added", "refused"]
    assert names(market) == ["Jatra"]


def test_one_that_has_not_come_is_removed_with_a_reason(market: Market) -> None:
    card = added(market)
    whole = added(market, "head", day=date(2026, 3, 18), name="Mourning")
    [republic] = market.rows("SELECT id FROM holidays WHERE day = '2026-01-26'")
    mine = market.desks["admin"]
    with pytest.raises(BadInput) as refused:
        holidays.remove_holiday(mine, card.id, " ")
    assert refused.value.field == "reason"
    with pytest.raises(NoSuchHoliday):
        holidays.remove_holiday(market.desks["admin_baner"], card.id, "not ours")
    with pytest.raises(NoSuchHoliday):
        holidays.remove_holiday(mine, 4711, "it is put off")
    with pytest.raises(OfTheWholeBank):
        holidays.remove_holiday(mine, whole.id, "we stay open")
    with pytest.raises(HasCome):
        holidays.remove_holiday(head(market), republic["id"], "too late")
    holidays.remove_holiday(mine, card.id, "it is put off")
    with pytest.raises(NoSuchHoliday):  # a second click
        holidays.remove_holiday(mine, card.id, "it is put off")
    assert names(market) == ["Mourning"]
    queues.later(market, days=2)
    with pytest.raises(HasCome):  # today
        holidays.remove_holiday(head(market), whole.id, "too late")


def test_the_trail_has_before_and_after(market: Market) -> None:
    card = added(market)
    done = last_act(market, "add_holiday")
    said = (
        f'{{"branch_id":{market.branch_ids[FORT]},"day":"2026-03-17","name":"Jatra",'
        '"source":"Notification 12 of 2026"}'
    )
    assert (done["object_kind"], done["object_id"]) == ("holiday", str(card.id))
    assert (done["before"], _sorted(done["after"])) == (None, said)
    holidays.remove_holiday(market.desks["admin"], card.id, "it is put off")
    done = last_act(market, "remove_holiday")
    assert (_sorted(done["before"]), done["after"]) == (said, None)
    assert "it is put off" in str(done["details"])


def _sorted(text: str) -> str:
    """The same facts in order of their names."""
    return json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))


@pytest.mark.feature("C9")
def test_what_was_promised_stays_and_what_is_new_counts_anew(market: Market) -> None:
    """Normal tickets: a first reply within an open day. This process reads the calendar at once."""
    [old] = queues.opened(market)
    assert queues.row_of(market, old).first_due_at == at("2026-03-17T12:00")
    card = added(market)
    [new] = queues.opened(market)
    assert queues.row_of(market, old).first_due_at == at("2026-03-17T12:00")
    assert queues.row_of(market, new).first_due_at == at("2026-03-18T12:00")
    [there] = queues.opened(market, branch_id=market.branch_ids[BANER])
    assert queues.row_of(market, there).first_due_at == at("2026-03-17T12:00")
    holidays.remove_holiday(market.desks["admin"], card.id, "it is put off")
    [newest] = queues.opened(market)
    assert queues.row_of(market, new).first_due_at == at("2026-03-18T12:00")
    assert queues.row_of(market, newest).first_due_at == at("2026-03-17T12:00")


@pytest.mark.feature("C9")
def test_a_clock_that_rested_runs_on_by_the_new_calendar(market: Market) -> None:
    [item] = queues.opened(market)
    queue.claim(market.desks["executive"], item)
    queues.ask(market, item)
    added(market)
    queues.answer(market, item)
    assert queues.row_of(market, item).first_due_at == at("2026-03-18T12:00")


def test_what_is_refused_leaves_the_calendar_known(market: Market) -> None:
    """Only a commit lets this process read anew."""
    with market.tx() as tx:
        known = hours.calendar(tx, None)
    with pytest.raises(NotAhead):
        added(market, "head", day=TODAY)
    with market.tx() as tx:
        assert hours.calendar(tx, None) is known
    added(market, "head")
    with market.tx() as tx:
        assert hours.calendar(tx, None).holidays[TOMORROW] == "Jatra"


def test_the_days_that_come_next(market: Market) -> None:
    added(market)
    added(market, "admin_baner", day=date(2026, 3, 18), name="Urs")
    seen = holidays.closed_next(market.desks["ravi"])
    assert seen == [
        ClosedDay(day=TOMORROW, why="Jatra"),
        ClosedDay(day=date(2026, 3, 22), why="Every Sunday"),
        ClosedDay(day=date(2026, 3, 28), why="Fourth Saturday"),
        ClosedDay(day=date(2026, 3, 29), why="Every Sunday"),
        ClosedDay(day=date(2026, 4, 5), why="Every Sunday"),
        ClosedDay(day=date(2026, 4, 11), why="Second Saturday"),
    ]
    there = holidays.closed_next(market.desks["auditor"], market.branch_ids[BANER])
    assert there[0].why == "Urs"
    assert holidays.closed_next(market.desks["auditor"])[0].why == "Every Sunday"


def test_the_seeded_hours_in_words(market: Market) -> None:
    lines = holidays.opening_hours(market.desks["ravi"])
    assert [(line.days, line.times) for line in lines] == [
        ("Monday to Saturday", "10:00 to 16:00"),
        ("Second and fourth Saturday", "closed"),
        ("Sunday", "closed"),
    ]
    assert (
        lines[0].source
        == "Branch hours 10:00 to 16:00, board policy; Working Saturday, board policy"
    )


def test_hours_of_before_are_left_out_and_those_to_come_are_not(market: Market) -> None:
    with market.tx() as tx:
        tx.session.add_all(
            row(day, weekday=7, opens=opens, closes=720)
            for day, opens in ((date(2026, 3, 1), 600), (date(2026, 4, 1), 660))
        )
    lines = holidays.opening_hours(market.desks["ravi"])
    assert [(line.days, line.times, line.effective_from) for line in lines[-2:]] == [
        ("Sunday", "10:00 to 12:00", date(2026, 3, 1)),
        ("Sunday", "11:00 to 12:00", date(2026, 4, 1)),
    ]
    assert len(lines) == 4


def test_a_branch_sees_its_own_hours_and_head_office_all(market: Market) -> None:
    fort, baner = market.branch_ids[FORT], market.branch_ids[BANER]
    with market.tx() as tx:
        for place, opens in ((fort, 540), (baner, None)):
            made = row(date(2026, 3, 1), weekday=1, opens=540)
            made.branch_id, made.opens_minute = place, opens
            made.closes_minute = 720 if opens else None
            tx.session.add(made)
    mine = holidays.opening_hours(market.desks["ravi"])
    assert [(line.days, line.times) for line in mine if line.branch_id] == [
        ("Monday", "09:00 to 12:00")
    ]
    all_of_them = holidays.opening_hours(market.desks["auditor"])
    assert [(line.branch_id, line.times) for line in all_of_them if line.branch_id] == [
        (fort, "09:00 to 12:00"), (baner, "as otherwise"),
    ]  # fmt: skip
    assert len(holidays.opening_hours(head(market), baner)) == len(mine)
    with pytest.raises(BadInput):
        holidays.opening_hours(market.desks["ravi"], baner)


def row(
    day: date = TODAY, *, weekday: int, week: int = 0, opens: int = 600, closes: int = 960
) -> OpeningHours:
    """A row of opening hours."""
    return OpeningHours(
        effective_from=day, weekday=weekday, week_of_month=week, opens_minute=opens,
        closes_minute=closes, source="a test",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        ([], []),
        ([row(weekday=1), row(weekday=3)], ["Monday", "Wednesday"]),
        ([row(weekday=1), row(weekday=2, closes=720)], ["Monday", "Tuesday"]),
        (
            [row(weekday=1), row(weekday=2), row(weekday=2, week=1, closes=720), row(weekday=3)],
            ["Monday to Tuesday", "First Tuesday", "Wednesday"],
        ),
        (
            [row(weekday=6, week=week, opens=0, closes=0) for week in (1, 3, 5)],
            ["First, third and fifth Saturday"],
        ),
        (
            [row(weekday=5, week=2), row(weekday=6, week=2), row(weekday=7)],
            ["Second Friday", "Second Saturday", "Sunday"],
        ),
    ],
)
def test_days_that_are_alike_are_one_line(rows: list[OpeningHours], lines: list[str]) -> None:
    assert [line.days for line in opening_lines(rows)] == lines
