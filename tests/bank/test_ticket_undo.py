"""A reply that is taken back in the seconds before its mail leaves."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any, Final

import pytest

from bank.core.errors import NotAllowed
from bank.core.ids import new_request_id
from bank.core.work_tables import W
from bank.counters import fact_rows
from bank.counters.fact_rows import Asked, Measure
from bank.office import (
    queue,
    scores,
    ticket_desk,
    ticket_files,
    ticket_related,
    ticket_undo,
    tickets,
)
from bank.office.performance import instants
from bank.office.ticket_desk import Then, WasTakenBack
from bank.office.ticket_files import NoSuchFile
from bank.office.ticket_tables import PostKind
from bank.office.ticket_undo import NoSuchReply, NotYourReply, OnItsWay, WentOn
from bank.office.tickets import NoSuchTicket, TicketCard
from tests.support import queues
from tests.support.market import Market
from tests.support.tickets import answered, claimed, opened, own, replied, upload, written

pytestmark = pytest.mark.feature("A6.3", "D3")
ESHA: Final = "executive"
SECONDS: Final = 10  # data/seed/ticket_rules.csv
WORDS: Final = "It is the yearly fee."


def last_reply(market: Market, card: TicketCard) -> int:
    """The id of the newest reply in a ticket."""
    return [post.id for post in opened(market, card).posts if post.kind is PostKind.REPLY][-1]


def undone(market: Market, card: TicketCard, who: str = ESHA) -> str:
    """Somebody takes the newest reply back."""
    return ticket_undo.undo_reply(market.desks[who], card.id, last_reply(market, card))


def row(market: Market, card: TicketCard) -> dict[str, Any]:
    """The bare item of a ticket."""
    return dict(queues.row_of(market, card.item_id)._mapping)


def mail_of(market: Market) -> Any:
    """The newest mail about a ticket."""
    [found] = market.rows("SELECT * FROM outbox WHERE purpose = 'ticket' ORDER BY id DESC LIMIT 1")
    return found


def seen_by_asha(market: Market, card: TicketCard) -> list[str]:
    """What Asha reads in her ticket."""
    return [post.body for post in tickets.own_posts(market.desks["asha"], card.id)]


@pytest.mark.parametrize("then", Then)
@pytest.mark.parametrize("is_waiting", [False, True], ids=["claimed", "waiting"])
def test_a_reply_that_is_taken_back_has_not_been(
    market: Market, then: Then, is_waiting: bool
) -> None:
    card = claimed(market, written(market))
    if is_waiting:
        replied(market, card, Then.WAIT, body="Which one?")
        queues.later(market, seconds=SECONDS)
    before, told, own_before = row(market, card), seen_by_asha(market, card), own(market, card)
    replied(market, card, then)
    queues.later(market, seconds=SECONDS - 1)
    assert undone(market, card) == WORDS
    assert row(market, card) == before, "owner, state and every clock as they were"
    assert own(market, card) == own_before
    assert mail_of(market)["status"] == "expired"
    assert queues.acts(market, card.item_id)[-1] == "taken back"
    queues.later(market, seconds=SECONDS)
    assert seen_by_asha(market, card) == told
    last = opened(market, card).posts[-1]
    assert (last.body, last.is_taken_back) == (WORDS, True)
    # Written anew it goes out, and stands.
    assert replied(market, card, Then.SOLVE, body=f"{WORDS} Sorry.")
    queues.later(market, seconds=SECONDS)
    assert seen_by_asha(market, card) == [*told, f"{WORDS} Sorry."]
    assert own(market, card).state is W.DECIDED
    scores.score_ticket(market.desks["asha"], card.id, 5)


def test_until_the_mail_leaves_its_customer_sees_nothing_of_it(market: Market) -> None:
    card = claimed(market, written(market))
    once = new_request_id()
    ticket_desk.reply(market.desks[ESHA], card.id, WORDS, Then.STAY, [upload()], request_id=once)
    [file] = opened(market, card).posts[-1].files
    assert seen_by_asha(market, card) == ["What are the 118 rupees for?"]
    with pytest.raises(NoSuchFile):
        ticket_files.own_file(market.desks["asha"], file.id)
    left = ticket_undo.leaving_reply(market.desks[ESHA], card.id)
    assert left is not None
    assert (left.post_id, left.is_mailed, left.has_files) == (last_reply(market, card), True, True)
    assert (left.leaves_at - market.bank.clock.now()).total_seconds() == SECONDS
    assert ticket_undo.leaving_reply(market.desks["executive_two"], card.id) is None
    queues.later(market, seconds=SECONDS)
    assert ticket_undo.leaving_reply(market.desks[ESHA], card.id) is None
    assert seen_by_asha(market, card)[1:] == [WORDS]
    assert ticket_files.own_file(market.desks["asha"], file.id)
    with pytest.raises(OnItsWay):
        undone(market, card)
    assert not opened(market, card).posts[-1].is_taken_back
    assert mail_of(market)["status"] == "waiting"


def test_the_files_of_what_was_taken_back_are_never_fetched(market: Market) -> None:
    card = claimed(market, written(market))
    ticket_desk.reply(
        market.desks[ESHA], card.id, WORDS, Then.STAY, [upload()], request_id=new_request_id()
    )
    undone(market, card)
    queues.later(market, days=1)
    [file] = opened(market, card).posts[-1].files
    with pytest.raises(NoSuchFile):
        ticket_files.own_file(market.desks["asha"], file.id)
    assert ticket_files.ticket_file(market.desks[ESHA], file.id)


def test_the_mail_does_not_leave_before_the_seconds_are_over(market: Market) -> None:
    card = claimed(market, written(market))
    replied(market, card)
    waits = mail_of(market)
    queued, not_before = str(waits["queued_at"])[:19], str(waits["not_before"])[:19]
    assert (queued[-2:], not_before[-2:]) == ("00", "10")
    assert queued[:-2] == not_before[:-2]


def test_clicked_twice_it_is_taken_back_once(market: Market) -> None:
    card, once = claimed(market, written(market)), new_request_id()
    replied(market, card, request_id=once)
    post_id, start = last_reply(market, card), threading.Barrier(4)

    def click(_: int) -> str:
        start.wait(60)
        return ticket_undo.undo_reply(market.desks[ESHA], card.id, post_id)

    with ThreadPoolExecutor(4) as pool:
        assert [*pool.map(click, range(4))] == [WORDS] * 4
    assert queues.acts(market, card.item_id) == ["opened", "claimed", "first reply", "taken back"]
    with pytest.raises(WasTakenBack):  # a late second click on "Send"
        replied(market, card, request_id=once)


def test_what_has_gone_on_since_stays(market: Market) -> None:
    asha, desk = market.desks["asha"], market.desks[ESHA]
    other = written(market)

    def wrote(card: TicketCard) -> None:
        answered(market, card, "One more thing.")

    def linked(card: TicketCard) -> None:
        ticket_related.link_ticket(desk, card.id, other.reference)

    def released(card: TicketCard) -> None:
        queue.release(desk, card.item_id)

    def opened_again(card: TicketCard) -> None:
        tickets.reopen(asha, card.id, "No.", request_id=new_request_id())

    def scored(card: TicketCard) -> None:
        scores.score_ticket(asha, card.id, 4)

    for then, happens in (
        (Then.STAY, wrote),
        (Then.WAIT, wrote),
        (Then.STAY, linked),
        (Then.STAY, released),
        (Then.SOLVE, opened_again),
        (Then.SOLVE, scored),
    ):
        card = claimed(market, written(market))
        replied(market, card, then)
        assert ticket_undo.leaving_reply(desk, card.id) is not None
        happens(card)
        assert ticket_undo.leaving_reply(desk, card.id) is None, "what is refused is not offered"
        before = row(market, card)
        with pytest.raises(WentOn):
            undone(market, card)
        assert row(market, card) == before
        assert mail_of(market)["status"] == "waiting"


def test_an_older_reply_stays_below_a_newer_one(market: Market) -> None:
    card, desk = claimed(market, written(market)), market.desks[ESHA]
    replied(market, card)
    first = last_reply(market, card)
    replied(market, card, body="And it is taken in March.")  # which leaves no line in the history
    before = row(market, card)
    assert before["first_due_at"] is None
    with pytest.raises(WentOn):
        ticket_undo.undo_reply(desk, card.id, first)
    assert row(market, card) == before
    left = ticket_undo.leaving_reply(desk, card.id)
    assert left is not None
    assert left.post_id == last_reply(market, card) != first
    assert undone(market, card) == "And it is taken in March."
    assert ticket_undo.leaving_reply(desk, card.id) is None
    with pytest.raises(WentOn):
        ticket_undo.undo_reply(desk, card.id, first)
    queues.later(market, seconds=SECONDS)
    assert seen_by_asha(market, card)[1:] == [WORDS]


def test_a_mail_that_is_being_sent_is_on_its_way(market: Market) -> None:
    card = claimed(market, written(market))
    replied(market, card)
    with market.tx() as tx:
        tx.connection.exec_driver_sql("UPDATE outbox SET status = 'sending'")
    with pytest.raises(OnItsWay):
        undone(market, card)
    assert not opened(market, card).posts[-1].is_taken_back
    assert own(market, card).first_due_at is None


def test_only_the_writer_takes_a_reply_back_and_only_a_reply(market: Market) -> None:
    card = claimed(market, written(market))
    replied(market, card)
    with pytest.raises(NotYourReply):
        undone(market, card, "executive_two")
    with pytest.raises(NoSuchTicket):
        ticket_undo.undo_reply(market.desks["executive_baner"], card.id, 1)
    with pytest.raises(NotAllowed):
        ticket_undo.undo_reply(market.desks["asha"], card.id, 1)
    [question, _] = opened(market, card).posts
    other = written(market)
    for ticket_id, post_id in (
        (card.id, question.id),
        (card.id, 4711),
        (other.id, last_reply(market, card)),
    ):
        with pytest.raises(NoSuchReply):
            ticket_undo.undo_reply(market.desks[ESHA], ticket_id, post_id)


def test_without_an_address_it_is_taken_back_too(market: Market) -> None:
    card = claimed(market, written(market, "nila"))
    assert not replied(market, card)
    left = ticket_undo.leaving_reply(market.desks[ESHA], card.id)
    assert left is not None
    assert not left.is_mailed
    assert undone(market, card) == WORDS
    queues.later(market, minutes=1)
    assert len(tickets.own_posts(market.desks["nila"], card.id)) == 1


def test_a_bank_that_waits_no_second_sends_at_once_and_for_good(market: Market) -> None:
    with market.tx() as tx:
        tx.connection.exec_driver_sql(
            "INSERT INTO ticket_rules (name, effective_from, value, source)"
            " VALUES ('undo_reply_seconds', '2026-01-01', 0, 'a test')"
        )
    card = claimed(market, written(market))
    replied(market, card)
    assert seen_by_asha(market, card)[1:] == [WORDS]
    assert ticket_undo.leaving_reply(market.desks[ESHA], card.id) is None
    assert str(mail_of(market)["not_before"]) == str(mail_of(market)["queued_at"])
    with pytest.raises(OnItsWay, match="The reply is out"):
        undone(market, card)


def test_figures_count_what_stands(market: Market) -> None:
    card, desk = claimed(market, written(market)), market.desks[ESHA]
    day = date(2026, 3, 16)
    assert desk.user_id is not None
    asked = Asked(frozenset({desk.user_id}), day, day, *instants(day, day))

    def counted() -> list[int]:
        with market.bank.db.read() as connection:
            return [
                len(connection.execute(fact_rows.rows_of(measure, asked)).all())
                for measure in (Measure.CASES, Measure.FIRST_REPLY, Measure.SOLVED_IN_TIME)
            ]

    replied(market, card, Then.SOLVE)
    assert counted() == [1, 1, 1]
    undone(market, card)
    assert counted() == [0, 0, 0]
    replied(market, card, Then.SOLVE)
    assert counted() == [1, 1, 1]


@pytest.mark.parametrize("table", ["work_undone", "ticket_sendings", "ticket_take_backs"])
@pytest.mark.parametrize("verb", ["DELETE FROM {}", "UPDATE {} SET at = at"])
def test_what_was_kept_of_it_is_never_changed(market: Market, table: str, verb: str) -> None:
    card = claimed(market, written(market))
    replied(market, card)
    undone(market, card)
    if table == "ticket_sendings":
        verb = verb.replace("at = at", "mail_id = 1")
    with (
        pytest.raises(market.bank.db.engine.dialect.loaded_dbapi.Error, match="never changed"),
        market.tx() as tx,
    ):
        tx.cursor.execute(verb.format(table))
