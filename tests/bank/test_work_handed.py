"""What is handed to somebody waits for them, in open hours; then it is free again and its giver
reads of it. A claim rests while the branch is closed. Customers who write again get a reply."""

from datetime import UTC, date, datetime
from typing import Final

import pytest

from bank import app
from bank.core import hours, work
from bank.core.clock import INDIA, FixedClock
from bank.core.work_tables import W, WorkSpan
from bank.office import queue, queue_many, ticket_desk
from bank.office.queue_many import Claimed
from bank.office.ticket_desk import Then
from bank.people import leaving
from tests.support import queues
from tests.support.market import BANER, FORT, Market
from tests.support.tickets import answered, claimed, opened, own, replied, written

pytestmark = pytest.mark.feature("B12", "C9")
ESHA, DEV = "executive", "executive_two"
HANDED: Final = 720  # open minutes that a normal ticket waits: data/seed/work_spans.csv


def at(text: str) -> datetime:
    """An instant by the clock in the branch."""
    return datetime.fromisoformat(text).replace(tzinfo=INDIA).astimezone(UTC)


def now_is(market: Market, text: str) -> int:
    """Move the clock there, and let the sweeper come; how many items it puts back."""
    assert isinstance(market.bank.clock, FixedClock)
    market.bank.clock.at = at(text)
    return queue.release_timed_out(app.system_desk(market.bank))


def number(market: Market, who: str) -> int:
    """The id of somebody."""
    found = market.desks[who].user_id
    assert found is not None
    return found


def hand(market: Market, item: int, who: str = DEV) -> None:
    """The admin of Fort hands an item to somebody."""
    queue.reassign(market.desks["admin"], item, number(market, who), "over lunch")


def mails(market: Market) -> list[tuple[str, str]]:
    """Who was written to about work, and what."""
    rows = market.rows("SELECT recipient, body FROM outbox WHERE purpose = 'work' ORDER BY id")
    return [(row["recipient"], row["body"]) for row in rows]


# What is handed over.


@pytest.mark.feature("B41")
def test_what_a_leaver_hands_over_is_still_with_the_colleague_after_hours(market: Market) -> None:
    """Removed at 17:45, swept at 18:15 and all the next day: Dev has it until he has looked."""
    [item] = queues.opened(market)
    now_is(market, "2026-03-16T15:50")
    queue.claim(market.desks[ESHA], item)
    now_is(market, "2026-03-16T17:45")
    admin = market.desks["admin"]
    leaving.remove_employee(
        admin, number(market, ESHA), "moved away", number(market, DEV), code="resigned"
    )
    for moment in ("2026-03-16T18:15", "2026-03-17T10:31", "2026-03-17T15:59", "2026-03-18T15:59"):
        assert now_is(market, moment) == 0, moment
        assert queues.seen(market, item).owner_name == "Dev Sen"
    queue.claim(market.desks[DEV], item)  # he takes it up in the last minute
    assert now_is(market, "2026-03-19T10:28") == 0, "and from then on it is a claim like any other"
    assert now_is(market, "2026-03-19T10:29") == 1
    assert queues.acts(market, item) == [
        "opened", "claimed", "handed over", "claimed", "timed out",
    ]  # fmt: skip
    assert mails(market) == []


def test_what_is_not_taken_up_goes_back_and_its_giver_is_told(market: Market) -> None:
    one, two, other = queues.opened(market, 3)
    hand(market, one)
    hand(market, two)
    queue.claim(market.desks[ESHA], other)
    assert queues.row_of(market, one).claimed_until == at("2026-03-18T12:00")
    assert now_is(market, "2026-03-16T12:30") == 1, "her claim, and nothing that was handed over"
    assert now_is(market, "2026-03-18T11:59") == 0
    assert now_is(market, "2026-03-18T12:00") == 2
    assert queues.acts(market, one)[-1] == "not taken up"
    row = queues.row_of(market, one)
    assert (row.status, row.owner_id, row.assigned_by) == (W.UNASSIGNED, None, None)
    [(to, body)] = mails(market)
    assert to == "admin@bank.example.com"
    assert "T-1: Case 1 (Dev Sen)\nT-2: Case 2 (Dev Sen)" in body
    assert "T-3" not in body


def test_who_has_handed_over_and_left_is_not_written_to(market: Market) -> None:
    [item] = queues.opened(market)
    hand(market, item)
    with market.tx() as tx:
        tx.connection.exec_driver_sql(
            f"UPDATE users SET status = 'removed' WHERE id = {number(market, 'admin')}"
        )
        tx.connection.exec_driver_sql(
            "UPDATE users SET role = 'branch_admin', email = 'gita@bank.example.com'"
            f" WHERE id = {number(market, 'gita')}"
        )
    assert now_is(market, "2026-03-18T12:00") == 1
    assert [to for to, _ in mails(market)] == ["gita@bank.example.com"], "who leads Fort now"


def test_to_work_on_what_was_handed_over_is_to_take_it_up(market: Market) -> None:
    card = written(market)
    hand(market, card.item_id)
    until = queues.row_of(market, card.item_id).claimed_until
    ticket_desk.add_note(
        market.desks[DEV], card.id, "I am on it.", request_id="5b0c6a52-1111-4c1c-8a5e-000000000001"
    )
    row = queues.row_of(market, card.item_id)
    assert (row.assigned_by, row.claimed_until) == (None, until), "nobody's time grows shorter"
    now_is(market, "2026-03-20T12:00")
    assert mails(market) == []


def test_how_long_it_waits_is_a_rule_with_a_date(market: Market) -> None:
    with market.tx() as tx:
        tx.session.add(
            WorkSpan(
                kind="ticket", priority=3, effective_from=date(2026, 3, 17),
                reply_minutes=10, assigned_minutes=60, source="a test",
            )
        )  # fmt: skip
    one, two = queues.opened(market, 2)
    hand(market, one)
    now_is(market, "2026-03-17T12:00")
    hand(market, two)
    assert queues.row_of(market, one).claimed_until == at("2026-03-18T12:00")
    assert queues.row_of(market, two).claimed_until == at("2026-03-17T13:00")


@pytest.mark.feature("B26")
def test_several_are_handed_over_and_each_is_told(market: Market) -> None:
    one, decided, elsewhere, own = (
        *queues.opened(market, 2),
        *queues.opened(market, branch_id=market.branch_ids[BANER]),
        *queues.opened(market, not_for=number(market, DEV)),
    )
    queue.claim(market.desks[ESHA], decided)
    queues.decide(market, decided)
    admin = market.desks["admin"]
    asked = [own, decided, one, elsewhere, one]
    results = queue_many.reassign_many(
        admin, asked, number(market, DEV), "he is back", request_id="r"
    )
    assert results == [
        Claimed(item_id=own, refused=str(queue.NotEntitled())),
        Claimed(item_id=decided, refused=str(work.IsDecided())),
        Claimed(item_id=one),
        Claimed(item_id=elsewhere, refused=str(work.NoSuchItem())),
    ]
    assert queues.past(market, one)[-1].note == "he is back"
    assert queues.seen(market, one).owner_name == "Dev Sen"
    assert queues.row_of(market, own).owner_id is None
    with pytest.raises(work.NoteMissing):
        queue_many.reassign_many(admin, [one], number(market, DEV), " ", request_id="s")
    with pytest.raises(queue_many.TooManyAtOnce):
        queue_many.reassign_many(admin, range(101), number(market, DEV), "all", request_id="s")


# A claim by oneself.


@pytest.mark.parametrize(
    ("taken", "still", "gone"),
    [
        ("2026-03-16T15:50", "2026-03-17T10:19", "2026-03-17T10:20"),  # over night
        ("2026-03-13T15:50", "2026-03-16T10:19", "2026-03-16T10:20"),  # the 14th is a 2nd Saturday
        ("2026-03-17T15:50", "2026-03-19T10:19", "2026-03-19T10:20"),  # a holiday of the branch
        ("2026-03-15T11:00", "2026-03-16T10:29", "2026-03-16T10:30"),  # on a Sunday
        ("2026-03-16T11:00", "2026-03-16T11:29", "2026-03-16T11:30"),
    ],
)
def test_a_claim_rests_while_the_branch_is_closed(
    market: Market, taken: str, still: str, gone: str
) -> None:
    with market.tx() as tx:
        tx.session.add(
            hours.Holiday(
                day=date(2026, 3, 18),
                branch_id=market.branch_ids[FORT],
                name="Jatra",
                source="a test",
            )
        )
    hours.forget(market.bank.db)
    [item] = queues.opened(market)
    now_is(market, taken)
    queue.claim(market.desks[ESHA], item)
    assert now_is(market, still) == 0
    assert queues.seen(market, item).owner_name == "Esha Iyer"
    assert now_is(market, gone) == 1


# The next reply.


@pytest.mark.feature("B20")
def test_what_the_customer_writes_again_starts_the_clock_of_the_next_reply(market: Market) -> None:
    """A ticket about charges is a normal one: each reply within an open day of six hours."""
    card = claimed(market, written(market))
    answered(market, card, "I forgot: it was in March.")
    row = queues.row_of(market, card.item_id)
    assert row.reply_due_at is None, "the first reply is owed already"
    replied(market, card)
    assert queues.row_of(market, card.item_id).next_due_at == card.solve_due_at
    now_is(market, "2026-03-16T13:00")
    answered(market, card, "And the other charge?")
    now_is(market, "2026-03-16T14:00")
    answered(market, card, "Hello?")
    row = queues.row_of(market, card.item_id)
    assert row.reply_due_at == row.next_due_at == at("2026-03-17T13:00"), "not moved by the second"
    assert queues.seen(market, card.item_id).reply_due_at == row.reply_due_at
    for shown in (own(market, card), opened(market, card).card):
        assert shown.next_due_at == shown.reply_due_at == at("2026-03-17T13:00")
    now_is(market, "2026-03-17T13:01")
    assert queues.seen(market, card.item_id).is_overdue
    queue.claim(market.desks[ESHA], card.item_id)
    replied(market, card)
    row = queues.row_of(market, card.item_id)
    assert (row.reply_due_at, row.next_due_at) == (None, card.solve_due_at)
    assert [act for act in queues.acts(market, card.item_id) if act in {"wrote", "reply"}] == [
        "wrote",
        "reply",
    ]


@pytest.mark.feature("B20")
def test_an_answer_that_was_asked_for_asks_for_a_reply_itself(market: Market) -> None:
    card = claimed(market, written(market))
    replied(market, card, Then.WAIT)
    now_is(market, "2026-03-17T11:00")
    answered(market, card, "On 2 March.")
    row = queues.row_of(market, card.item_id)
    assert row.reply_due_at == row.next_due_at == at("2026-03-18T11:00")
    assert row.first_due_at is None
    replied(market, card, Then.SOLVE)
    row = queues.row_of(market, card.item_id)
    assert row.reply_due_at is row.next_due_at is None


@pytest.mark.feature("B20")
def test_the_clock_of_the_next_reply_stands_still_and_follows_the_priority(market: Market) -> None:
    card = claimed(market, written(market))
    replied(market, card)
    answered(market, card, "And the other charge?")
    now_is(market, "2026-03-16T13:00")  # five of its six hours are left
    queue.claim(market.desks[ESHA], card.item_id)
    queues.ask(market, card.item_id)
    assert queues.row_of(market, card.item_id).reply_left_seconds == 5 * 3600
    now_is(market, "2026-03-17T12:00")
    queues.answer(market, card.item_id)
    assert queues.row_of(market, card.item_id).reply_due_at == at("2026-03-18T11:00")
    queue.escalate(market.desks["admin"], card.item_id, "sooner")  # three hours instead of six
    assert queues.row_of(market, card.item_id).reply_due_at == at("2026-03-17T14:00")
