"""The place in line that a customer is told, and how fast answers usually are."""

from typing import Final

import pytest
from sqlalchemy import event

from bank.core.errors import NotAllowed
from bank.core.work_tables import Priority
from bank.office import queue, queue_lists, ticket_moves, ticket_undo, ticket_waits
from bank.office.queue_lists import Looked
from bank.office.ticket_desk import Then
from bank.office.ticket_waits import Wait
from bank.office.tickets import TicketCard
from tests.support import queues
from tests.support.market import BANER, Market
from tests.support.tickets import claimed, replied, written

pytestmark = pytest.mark.feature("C9")
LEAST: Final = 10  # data/seed/ticket_rules.csv
NEWEST: Final = 50


def wait(market: Market, card: TicketCard, who: str = "asha") -> Wait | None:
    """What its customer is told."""
    return ticket_waits.own_waits(market.desks[who]).get(card.id)


def answered(market: Market, hours: float, count: int = 1, then: Then = Then.SOLVE) -> None:
    """Nila's tickets at Fort, each with its first reply so many hours after it was opened."""
    cards = [written(market, "nila") for _ in range(count)]
    queues.later(market, hours=hours)
    for card in cards:
        claimed(market, card)
        replied(market, card, then)


def test_the_place_is_that_in_the_queue(market: Market) -> None:
    first, second = written(market), written(market, category="cash")  # cash is more pressing
    hers, there = written(market, "nila"), written(market, "vikram")
    queues.later(market, minutes=1)
    last = written(market)
    for card, place in ((second, 1), (first, 2), (last, 4)):
        assert wait(market, card) == Wait(place=place, usual_hours=None)
    assert wait(market, hers, "nila") == Wait(place=3, usual_hours=None)
    assert wait(market, there, "vikram") == Wait(place=1, usual_hours=None)
    order = [row.subject_id for row in queue_lists.items(market.desks["executive"], Looked()).rows]
    assert order == [second.id, first.id, hers.id, last.id], "as the desk sees it"
    assert wait(market, hers, "asha") is None, "only of one's own"


def test_the_place_moves_up_and_ends_with_the_claim(market: Market) -> None:
    first, second = written(market), written(market)
    claimed(market, first)
    assert wait(market, first) is None
    assert wait(market, second) == Wait(place=1, usual_hours=None)
    replied(market, first, Then.WAIT)
    assert wait(market, first) is None
    queue.release(market.desks["executive"], first.item_id)
    assert wait(market, first) is None, "it waits for its customer"
    assert wait(market, second) == Wait(place=1, usual_hours=None)


def test_other_priorities_levels_and_branches_count_as_they_are_taken(market: Market) -> None:
    first, second, third = written(market), written(market), written(market)
    desk = market.desks["executive"]
    claimed(market, third)
    ticket_moves.sort_ticket(desk, third.id, "charges", Priority.URGENT, "She is at the counter")
    queue.release(desk, third.item_id)
    assert [wait(market, card).place for card in (third, first, second)] == [1, 2, 3]  # type: ignore[union-attr]
    queue.escalate(desk, third.item_id, "She wants the manager")
    assert [wait(market, card).place for card in (third, first, second)] == [1, 1, 2]  # type: ignore[union-attr]
    claimed(market, first)
    ticket_moves.move_ticket(desk, first.id, market.branch_ids[BANER], "Her locker is there")
    assert wait(market, second) == Wait(place=1, usual_hours=None)
    assert wait(market, first) == Wait(place=1, usual_hours=None)


def test_too_few_answers_promise_nothing(market: Market) -> None:
    card = written(market)
    answered(market, 1, LEAST - 1)
    assert wait(market, card) == Wait(place=1, usual_hours=None)
    answered(market, 1, 1, Then.STAY)
    assert wait(market, card) == Wait(place=1, usual_hours=None), "that one is not decided"
    answered(market, 1)
    assert wait(market, card) == Wait(place=1, usual_hours=1)


def test_the_usual_time_is_the_median_of_the_newest_in_begun_hours(market: Market) -> None:
    card = written(market)
    answered(market, 90, LEAST)  # older ones, and slow
    assert wait(market, card).usual_hours == 90  # type: ignore[union-attr]
    answered(market, 0.5, NEWEST // 2 - 1)
    answered(market, 2.5, 2)
    answered(market, 30, NEWEST // 2 - 1)
    # Of the newest fifty 24 took half an hour and 24 took thirty; the two in the middle count.
    assert wait(market, card).usual_hours == 3  # type: ignore[union-attr]
    with market.tx() as tx:
        tx.connection.exec_driver_sql(
            "INSERT INTO ticket_rules (name, effective_from, value, source)"
            " VALUES ('usual_of_tickets', '2026-03-16', 20, 'a test')"
        )
    assert wait(market, card).usual_hours == 30  # type: ignore[union-attr]


def test_a_reply_that_was_taken_back_is_no_answer(market: Market) -> None:
    card, desk = written(market), market.desks["executive"]
    waiting = [written(market, "nila") for _ in range(LEAST)]
    queues.later(market, hours=1)
    for each in waiting:
        claimed(market, each)
        replied(market, each)
        left = ticket_undo.leaving_reply(desk, each.id)
        assert left is not None
        ticket_undo.undo_reply(desk, each.id, left.post_id)
    queues.later(market, hours=29)
    for each in waiting:
        claimed(market, each)  # the first claim has run out
        replied(market, each, Then.SOLVE)
    assert wait(market, card) == Wait(place=1, usual_hours=30)


def test_what_was_merged_without_an_answer_does_not_count(market: Market) -> None:
    card = written(market)
    for _ in range(LEAST):
        ended = claimed(market, written(market))
        ticket_moves.merge_ticket(market.desks["executive"], ended.id, card.id)
    assert wait(market, card) == Wait(place=1, usual_hours=None)


def test_only_customers_ask(market: Market) -> None:
    for who in ("executive", "admin", "auditor"):
        with pytest.raises(NotAllowed):
            ticket_waits.own_waits(market.desks[who])


def test_it_is_read_with_few_statements_however_long_the_line(sqlite_market: Market) -> None:
    def statements() -> int:
        count = 0

        def counted(*_: object) -> None:
            nonlocal count
            count += 1

        engine = sqlite_market.bank.db.engine
        event.listen(engine, "before_cursor_execute", counted)
        try:
            ticket_waits.own_waits(sqlite_market.desks["asha"])
        finally:
            event.remove(engine, "before_cursor_execute", counted)
        return count

    written(sqlite_market)
    statements()  # the first look is recorded
    few = statements()
    for _ in range(20):
        written(sqlite_market)
    assert statements() == few
