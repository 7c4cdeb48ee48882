"""Who is away: recorded, what they hold handed over, nothing handed to them until they are back."""

import threading
from datetime import date, timedelta
from typing import Final

import pytest

from bank import app
from bank.core.approvals import AwaitingApproval
from bank.core.errors import BadInput, NotAllowed
from bank.core.objections import Objected
from bank.office import queue, queue_many
from bank.people import absences, away, identity, leaving, staff_list
from bank.people.leaving import NoSuchColleague
from bank.people.staff import HeadOfficeOnly, NotYourself
from bank.people.staff_list import NoSuchEmployee
from tests.support import queues
from tests.support.checkers import Checking
from tests.support.market import Market

pytestmark = pytest.mark.feature("B41")
ESHA, DEV = "executive", "executive_two"
TODAY: Final = date(2026, 3, 16)  # a Monday
FRIDAY: Final = date(2026, 3, 20)


def number(market: Market, who: str) -> int:
    """The id of somebody."""
    found = market.desks[who].user_id
    assert found is not None
    return found


def gone(market: Market, who: str = ESHA, to: str | None = DEV, **days: date) -> dict[str, int]:
    """The admin of Fort records that somebody is away this week."""
    return absences.record_absence(
        market.desks["admin"],
        number(market, who),
        days.get("first", TODAY),
        days.get("last", FRIDAY),
        "flu",
        None if to is None else number(market, to),
    )


def state_of(market: Market, who: str) -> str:
    """The word in the list of employees."""
    return staff_list.employee(market.desks["admin"], number(market, who)).state


def test_who_is_away_hands_over_everything_and_is_handed_nothing(market: Market) -> None:
    one, two = queues.opened(market, 2)
    queue.claim(market.desks[ESHA], one)
    queues.ask(market, one)
    queue.claim(market.desks[ESHA], two)
    assert gone(market) == {"claimed item": 2}
    for item in (one, two):
        row = queues.row_of(market, item)
        assert (row.owner_name, row.assigned_by) == ("Dev Sen", number(market, "admin"))
        last = queues.past(market, item)[-1]
        assert (last.act, last.by, last.owner) == ("handed over", "Arun Nair", "Dev Sen")
    assert state_of(market, ESHA) == "away"
    admin, [free] = market.desks["admin"], queues.opened(market)
    assert "Esha Iyer" not in [each.name for each in queue.colleagues(admin, free)]
    assert "Esha Iyer" not in [each.name for each in queue.takers(admin)]
    for refused in (
        lambda: queue.reassign(admin, free, number(market, ESHA), "for you"),
        lambda: queue_many.reassign_many(
            admin, [free], number(market, ESHA), "for you", request_id="r"
        ),
        lambda: leaving.remove_employee(
            admin, number(market, DEV), "left", number(market, ESHA), code="resigned"
        ),
    ):
        with pytest.raises(away.IsAway, match="Esha Iyer is away until 20 Mar 2026"):
            refused()
    with pytest.raises(away.YouAreAway, match="20 Mar 2026"):
        queue.claim_next(market.desks[ESHA])
    queue.claim(market.desks[ESHA], free)  # she is there after all: no right was taken from her


def test_without_a_colleague_it_goes_back_to_the_queue(market: Market) -> None:
    [item] = queues.opened(market)
    queue.claim(market.desks[ESHA], item)
    assert gone(market, to=None) == {"claimed item": 1}
    assert queues.row_of(market, item).owner_id is None
    assert queues.past(market, item)[-1].note == "Esha Iyer is away until 20 Mar 2026"


def test_an_absence_that_begins_later_hands_over_on_its_first_day(market: Market) -> None:
    [item] = queues.opened(market)
    wednesday = TODAY + timedelta(days=2)
    assert gone(market, first=wednesday) == {}
    queues.later(market, days=1)
    system = app.system_desk(market.bank)
    queue.claim(market.desks[ESHA], item)
    assert absences.begin_absences(system) == 0
    assert state_of(market, ESHA) == "active"
    queues.ask(market, item)
    queues.later(market, days=1)
    assert state_of(market, ESHA) == "away"
    assert absences.begin_absences(system) == 1
    assert absences.begin_absences(system) == 0
    row = queues.row_of(market, item)
    by = identity.SYSTEM_USER_ID
    assert (row.owner_name, row.assigned_by) == ("Dev Sen", by), "by the bank itself"
    [card] = absences.absences(market.desks["admin"], number(market, ESHA))
    assert (card.state, card.colleague, card.handed_over_at) == (
        "away", "Dev Sen", market.bank.clock.now(),
    )  # fmt: skip
    queues.answer(market, item)
    queues.later(market, days=3)
    assert queue.release_timed_out(system) == 1, "Dev has not taken it up"
    told = market.rows("SELECT recipient FROM outbox WHERE purpose = 'work'")
    assert [row["recipient"] for row in told] == ["admin@bank.example.com"], "who leads the branch"


def test_a_colleague_who_is_away_by_then_gets_nothing(market: Market) -> None:
    [item] = queues.opened(market)
    gone(market, first=TODAY + timedelta(days=1))
    gone(market, DEV, to=None, first=TODAY, last=TODAY + timedelta(days=1))
    queue.claim(market.desks[ESHA], item)
    queues.ask(market, item)
    queues.later(market, days=1)
    assert absences.begin_absences(app.system_desk(market.bank)) == 1
    assert queues.row_of(market, item).owner_id is None


def test_the_worker_hands_over_what_is_due(market: Market) -> None:
    class Once(threading.Event):
        rounds = 0

        def wait(self, timeout: float | None = None) -> bool:
            del timeout
            self.rounds += 1
            return self.rounds > 1

    [item] = queues.opened(market)
    queue.claim(market.desks[ESHA], item)
    queues.ask(market, item)
    gone(market, first=TODAY + timedelta(days=1))
    queue.release_forever(app.system_desk(market.bank), Once())
    assert queues.row_of(market, item).owner_name == "Esha Iyer"
    queues.later(market, days=1)
    queue.release_forever(app.system_desk(market.bank), Once())
    assert queues.row_of(market, item).owner_name == "Dev Sen"


def test_an_open_drawer_stands_against_an_absence_that_has_begun(market: Market) -> None:
    market.fund(note_500=2)
    with pytest.raises(Objected, match="Their drawer still holds cash"):
        gone(market, "ravi", to="gita")
    assert state_of(market, "ravi") == "active"
    assert absences.absences(market.desks["admin"], number(market, "ravi")) == []
    gone(market, "ravi", to="gita", first=TODAY + timedelta(days=1))  # it is closed by then


def test_an_absence_is_ended_early_or_by_its_last_day(market: Market) -> None:
    [item] = queues.opened(market)
    admin = market.desks["admin"]
    gone(market)
    [card] = absences.absences(admin, number(market, ESHA))
    with pytest.raises(BadInput):
        absences.end_absence(admin, card.id, " ")
    absences.end_absence(admin, card.id, "well again")
    [card] = absences.absences(admin, number(market, ESHA))
    assert (card.state, card.ended_because) == ("ended", "well again")
    assert queue.claim_next(market.desks[ESHA]) == item
    with pytest.raises(absences.AbsenceOver):
        absences.end_absence(admin, card.id, "again")
    gone(market, last=TODAY)
    assert state_of(market, ESHA) == "away"
    queues.later(market, days=1)
    assert state_of(market, ESHA) == "active"
    over = absences.absences(admin, number(market, ESHA))[0]
    assert over.state == "over"
    with pytest.raises(absences.AbsenceOver):
        absences.end_absence(admin, over.id, "too late")


def test_days_that_make_no_absence_are_refused(market: Market) -> None:
    yesterday = TODAY - timedelta(days=1)
    for first, last in ((FRIDAY, TODAY), (yesterday, yesterday), (TODAY, date(2027, 4, 1))):
        with pytest.raises(absences.DaysWrong) as refused:
            gone(market, first=first, last=last)
        assert refused.value.field == "last_day"
    gone(market, first=yesterday)
    with pytest.raises(absences.AwayAlready, match="15 Mar 2026 to 20 Mar 2026"):
        gone(market, first=FRIDAY, last=FRIDAY + timedelta(days=3))


def test_only_who_has_an_employee_in_hand_records_it(market: Market) -> None:
    esha = number(market, ESHA)
    with pytest.raises(NotAllowed):
        absences.record_absence(market.desks[DEV], esha, TODAY, FRIDAY, "flu")
    with pytest.raises(NoSuchEmployee):
        absences.record_absence(market.desks["admin_baner"], esha, TODAY, FRIDAY, "flu")
    with pytest.raises(NotYourself):
        gone(market, "admin")
    with market.tx() as tx:
        tx.connection.exec_driver_sql(
            f"UPDATE users SET role = 'branch_admin' WHERE id = {number(market, 'banker')}"
        )
    with pytest.raises(HeadOfficeOnly):
        gone(market, "banker", to=None)
    for colleague in ("executive_baner", ESHA, "asha"):
        with pytest.raises(NoSuchColleague):
            gone(market, to=colleague)
    gone(market, to=None)
    [card] = absences.absences(market.desks["admin"], esha)
    with pytest.raises(absences.NoSuchAbsence):
        absences.end_absence(market.desks["admin_baner"], card.id, "not ours")
    with pytest.raises(NoSuchEmployee):
        absences.absences(market.desks["admin_baner"], esha)


def test_what_was_recorded_is_in_the_history_of_the_employee(market: Market) -> None:
    gone(market)
    [line] = staff_list.employee_history(market.desks["admin"], number(market, ESHA))
    assert line.by == "Arun Nair"
    assert line.reason == "flu"
    assert ("away_until", "", "2026-03-20") in line.changes


def away_today(checking: Checking, who: str) -> None:
    """Somebody is recorded as away."""
    with checking.market.tx() as tx:
        tx.session.add(
            away.Absence(
                user_id=checking.id(who),
                first_day=TODAY,
                last_day=FRIDAY,
                reason="flu",
                recorded_by=checking.id("head"),
                recorded_at=tx.now,
            )
        )


def test_who_is_away_is_not_named_to_wait_for_and_may_still_decide(checking: Checking) -> None:
    named = checking.ask("withdraw").names
    assert "Vera Lobo" in named
    away_today(checking, "vera")
    others = [name for name in named if name != "Vera Lobo"]
    assert len(others) > 1
    card = checking.card("vera")
    assert list(card.names) == others
    assert not card.why_not, "she keeps the right"
    with pytest.raises(AwaitingApproval) as waits:
        checking.again("withdraw")
    assert list(waits.value.names) == others
    for who in checking.desks:
        if checking.desks[who].name in others:
            away_today(checking, who)
    assert list(checking.card("vera").names) == [f"{name} (away)" for name in named]
    checking.approve("vera")
    assert checking.status() == "executed"
