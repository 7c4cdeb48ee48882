"""A claimed ticket that rests until a moment, with its clocks running on."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import pytest

from bank.core import work
from bank.core.errors import NotAllowed
from bank.core.ids import new_request_id
from bank.core.permissions import Role
from bank.core.work_tables import Priority, W
from bank.office import queue, queue_lists, ticket_desk, ticket_moves, ticket_rests
from bank.office.queue_lists import ItemRow, Looked, View
from bank.office.ticket_desk import Then
from bank.office.ticket_rests import NoSuchMoment
from bank.office.tickets import NoSuchTicket, TicketCard
from tests.support import queues
from tests.support.bank import desk as desk_of
from tests.support.market import BANER, Market
from tests.support.tickets import answered, claimed, own, replied, written

pytestmark = pytest.mark.feature("A6.4", "D3")
ESHA: Final = "executive"
DAY, AT = date(2026, 3, 17), time(11)  # it is Monday the 16th, at noon; a first reply is due then
UNTIL: Final = datetime(2026, 3, 17, 5, 30, tzinfo=UTC)


def aside(market: Market, card: TicketCard, day: date = DAY, at: time = AT) -> None:
    """Esha sets her ticket aside."""
    ticket_rests.set_aside(market.desks[ESHA], card.id, day, at)


def mine(market: Market) -> list[ItemRow]:
    """What Esha has claimed, in order."""
    return list(queue_lists.items(market.desks[ESHA], Looked(view=View.MINE)).rows)


def sweep(market: Market) -> int:
    """The worker puts back what has run out."""
    return queue.release_timed_out(desk_of(market.bank, Role.SYSTEM))


def test_it_stays_with_its_owner_and_stands_last_until_then(market: Market) -> None:
    urgent = claimed(market, written(market, category="unknown_entry"))
    low = claimed(market, written(market))
    for card in (low, urgent):
        replied(market, card)
    aside(market, urgent)
    assert [row.id for row in mine(market)] == [low.item_id, urgent.item_id]
    [free, resting] = mine(market)
    assert (free.is_resting, resting.is_resting) == (False, True)
    assert resting.rests_until == UNTIL
    assert own(market, urgent).solve_due_at == urgent.solve_due_at, "the promise does not rest"
    queues.later(market, hours=20)
    assert sweep(market) == 1, "the other one's claim has run out"
    assert queues.row_of(market, urgent.item_id).status is W.CLAIMED
    assert queue.claim_next(market.desks["executive_two"]) == low.item_id
    assert queue.claim_next(market.desks["executive_two"]) is None
    market.bank.clock.at = UNTIL  # type: ignore[attr-defined]
    [back] = mine(market)
    assert (back.id, back.is_resting) == (urgent.item_id, False)
    queues.later(market, minutes=31)
    assert sweep(market) == 2, "whoever does not take it up then has lost it"
    assert queues.row_of(market, urgent.item_id).rests_until is None


def test_what_the_customer_writes_ends_it(market: Market) -> None:
    card = claimed(market, written(market))
    aside(market, card)
    queues.later(market, minutes=40)
    answered(market, card, "It is urgent now.")
    [row] = mine(market)
    assert not row.is_resting
    assert queues.acts(market, card.item_id) == ["opened", "claimed", "set aside", "taken up"]
    assert queues.past(market, card.item_id)[-1].note == "the customer wrote"
    assert row.claimed_until == market.bank.clock.now() + timedelta(minutes=30)


def test_it_is_taken_up_earlier(market: Market) -> None:
    card = claimed(market, written(market))
    aside(market, card)
    for _ in range(2):
        ticket_rests.take_up(market.desks[ESHA], card.id)
    assert not mine(market)[0].is_resting
    assert queues.acts(market, card.item_id) == ["opened", "claimed", "set aside", "taken up"]


def test_another_moment_replaces_the_first_and_the_same_is_no_second(market: Market) -> None:
    card = claimed(market, written(market))
    aside(market, card)
    aside(market, card)
    aside(market, card, at=time(10))
    assert mine(market)[0].rests_until == UNTIL - timedelta(hours=1)
    assert [each.note for each in queues.past(market, card.item_id)][2:] == [
        "until Tue 17 Mar, 11:00",
        "until Tue 17 Mar, 10:00",
    ]
    changed = market.rows(
        "SELECT before, after FROM trail WHERE verb = 'office.ticket_rests.set_aside' ORDER BY id"
    )
    assert changed[0]["before"] == '{"rests_until":null}'
    assert "2026-03-17T11:00:00" in changed[0]["after"]


def test_a_note_and_a_reply_do_not_shorten_it(market: Market) -> None:
    card = claimed(market, written(market))
    aside(market, card)
    lasts = mine(market)[0].claimed_until
    ticket_desk.add_note(market.desks[ESHA], card.id, "Asked them.", request_id=new_request_id())
    replied(market, card)
    [row] = mine(market)
    assert (row.is_resting, row.claimed_until) == (True, lasts)


@pytest.mark.parametrize(
    ("day", "at", "said"),
    [
        (None, AT, "Choose a moment to come"),
        (DAY, None, "Choose a moment to come"),
        (date(2026, 3, 16), time(12), "Choose a moment to come"),
        (date(2026, 3, 16), time(16, 1), "open from 10:00 to 16:00"),
        (date(2026, 3, 17), time(9, 59), "open from 10:00 to 16:00"),
        (date(2026, 3, 22), AT, r"closed on Sun 22 Mar"),
        (date(2026, 3, 30), time(12, 1), r"14 days at most.*before Mon 30 Mar, 12:00"),
    ],
)
def test_a_moment_out_of_reach_is_refused(
    sqlite_market: Market, day: date | None, at: time | None, said: str
) -> None:
    card = claimed(sqlite_market, written(sqlite_market))
    with pytest.raises(NoSuchMoment, match=said) as refused:
        ticket_rests.set_aside(sqlite_market.desks[ESHA], card.id, day, at)
    assert refused.value.field == "until"
    assert not mine(sqlite_market)[0].is_resting


def test_no_promise_is_slept_through(market: Market) -> None:
    card = claimed(market, written(market))  # its first reply is due on Tuesday at noon
    with pytest.raises(NoSuchMoment, match=r"promised something by Tue 17 Mar, 12:00"):
        aside(market, card, at=time(12, 1))
    aside(market, card, at=time(12))
    ticket_moves.sort_ticket(market.desks[ESHA], card.id, "cash", Priority.HIGH, "Cash gone")
    [row] = mine(market)
    assert row.next_due_at is not None
    assert row.next_due_at < UNTIL + timedelta(hours=1)
    assert (row.is_resting, row.rests_until) == (False, None)
    assert row.claimed_until == market.bank.clock.now() + timedelta(minutes=30), "as any claim"


def test_what_is_merged_into_it_may_end_the_rest_and_its_long_claim(market: Market) -> None:
    kept = claimed(market, written(market))
    pressing = claimed(market, written(market, category="unknown_entry"))
    aside(market, kept)
    ticket_moves.merge_ticket(market.desks[ESHA], pressing.id, kept.id)
    row = queues.row_of(market, kept.item_id)
    assert row.next_due_at == pressing.first_due_at
    assert row.rests_until is None
    assert row.claimed_until == market.bank.clock.now() + timedelta(minutes=30)


def test_a_moment_that_has_passed_is_not_chosen_again(market: Market) -> None:
    card = claimed(market, written(market))
    aside(market, card)
    market.bank.clock.at = UNTIL + timedelta(minutes=1)  # type: ignore[attr-defined]
    assert queues.row_of(market, card.item_id).rests_until == UNTIL
    with pytest.raises(NoSuchMoment):
        aside(market, card)


def test_it_rests_with_nobody_else_and_not_while_the_customer_must_act(market: Market) -> None:
    card, desk = claimed(market, written(market)), market.desks[ESHA]
    aside(market, card)
    two = market.desks["executive_two"]
    queue.reassign(market.desks["admin"], card.item_id, two.user_id or 0, "Esha is out")
    assert queues.row_of(market, card.item_id).rests_until is None
    for refused in (
        lambda: aside(market, card),
        lambda: ticket_rests.take_up(desk, card.id),
    ):
        with pytest.raises(work.NotYours):
            refused()
    for how in (
        lambda item: queue.release(desk, item),
        lambda item: queue.escalate(desk, item, "Too hard"),
    ):
        other = claimed(market, written(market))
        aside(market, other)
        how(other.item_id)
        assert queues.row_of(market, other.item_id).rests_until is None
    asked = claimed(market, written(market))
    aside(market, asked)
    replied(market, asked, Then.WAIT)
    assert queues.row_of(market, asked.item_id).rests_until is None
    with pytest.raises(work.WaitsForAnAnswer):
        aside(market, asked)
    replied(market, asked, Then.SOLVE)
    for refused in (
        lambda: aside(market, asked),
        lambda: ticket_rests.take_up(desk, asked.id),
    ):
        with pytest.raises(work.IsDecided):
            refused()


def test_another_branchs_ticket_does_not_exist_and_other_roles_may_not(market: Market) -> None:
    card = claimed(market, written(market))
    far = market.desks["executive_baner"]
    assert far.branch_id == market.branch_ids[BANER]
    with pytest.raises(NoSuchTicket):
        ticket_rests.set_aside(far, card.id, DAY, AT)
    with pytest.raises(NoSuchTicket):
        ticket_rests.take_up(far, card.id)
    with pytest.raises(NotAllowed):
        ticket_rests.set_aside(market.desks["asha"], card.id, DAY, AT)
    assert ticket_rests.longest_rest_days(far) == 14
