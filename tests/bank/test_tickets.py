"""What a customer does with tickets: write, follow, answer, open again, rate."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from bank.accounts.accounts import NoSuchAccountNumber
from bank.core import work
from bank.core.errors import BadInput, NotAllowed
from bank.core.ids import new_request_id
from bank.core.work_tables import W
from bank.counters.ticket_links import NoSuchOwnEntry
from bank.office import scores, ticket_desk, tickets
from bank.office.ticket_desk import Then
from bank.office.ticket_posts import SentAlready
from bank.office.tickets import (
    NoSuchTicket,
    NotSolvedYet,
    TicketIsClosed,
    TooLateToReopen,
)
from tests.support import queues
from tests.support.market import BANER, Market
from tests.support.tickets import claimed, opened, own, replied, solved, written

pytestmark = pytest.mark.feature("A6.1")
REOPEN_DAYS: Final = 30  # data/seed/ticket_rules.csv


def subjects(market: Market) -> list[str]:
    """The subjects of the mails about tickets, oldest first."""
    return [mail["subject"] for mail in market.mails("ticket")]


def test_a_complaint_gets_a_number_a_clock_and_a_mail_that_says_both(market: Market) -> None:
    card = written(market, category="unknown_entry")
    assert card.reference == "T-260316-1-7"
    # Urgent: an open hour for the first answer, two days of six hours to solve it.
    assert card.first_due_at == datetime(2026, 3, 16, 7, 30, tzinfo=UTC)
    assert card.solve_due_at == datetime(2026, 3, 18, 6, 30, tzinfo=UTC)
    [mail] = market.mails("ticket")
    assert mail["recipient"] == "asha@example.com"
    assert mail["subject"] == "We have your message: T-260316-1-7"
    assert "Mon 16 Mar, 13:00" in mail["body"]
    assert own(market, card) == card


def test_customer_and_bank_see_one_clock(market: Market) -> None:
    card = claimed(market, written(market))
    clocks = lambda: (own(market, card).next_due_at, opened(market, card).card.next_due_at)  # noqa: E731
    assert clocks() == (card.first_due_at, card.first_due_at)
    replied(market, card)
    assert clocks() == (card.solve_due_at, card.solve_due_at)
    replied(market, card, Then.WAIT)
    assert clocks() == (None, None)
    queues.later(market, hours=1)
    tickets.answer(market.desks["asha"], card.id, "On 2 March.", request_id=new_request_id())
    assert clocks() == (own(market, card).reply_due_at,) * 2, "the bank owes the next reply"
    replied(market, card)
    assert clocks() == (own(market, card).solve_due_at,) * 2
    assert own(market, card).solve_due_at > card.solve_due_at  # type: ignore[operator]
    replied(market, card, Then.SOLVE)
    assert clocks() == (None, None)


def test_a_customer_without_a_mail_address_sees_it_in_the_portal(market: Market) -> None:
    card = written(market, "nila")
    assert market.mails("ticket") == []
    assert own(market, card, "nila").reference == card.reference


def test_it_names_an_own_account_or_entry(market: Market) -> None:
    receipt = market.deposit("asha", 500_00)
    reference = receipt.reference
    about = written(market, about_kind="entry", about=f" {reference} ")
    assert (about.about_kind, about.about) == ("entry", reference)
    number = market.number("asha")
    about = written(market, about_kind="account", about=f"{number[:4]} {number[4:]}")
    assert (about.about_kind, about.about) == ("account", number)
    nothing = written(market, about_kind="account", about="  ")
    assert (nothing.about_kind, nothing.about) == (None, None)


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"category": "gossip"}, "category"),
        ({"subject": "  "}, "subject"),
        ({"subject": "x" * 121}, "subject"),
        ({"subject": "a\x07b"}, "subject"),
        ({"body": " \n "}, "message"),
        ({"body": "x" * 4_001}, "message"),
        ({"body": "a\x1b[2Jb"}, "message"),
        ({"about_kind": "loan", "about": "7"}, "about"),
    ],
)
def test_what_is_wrong_is_refused_by_field(
    sqlite_market: Market, facts: dict[str, Any], field: str
) -> None:
    with pytest.raises(BadInput) as refused:
        written(sqlite_market, **facts)
    assert refused.value.field == field
    assert tickets.own_tickets(sqlite_market.desks["asha"]) == []
    assert sqlite_market.mails("ticket") == []


def test_another_customers_account_or_entry_is_not_to_be_named(market: Market) -> None:
    entry = market.deposit("vikram", 500_00).reference
    with pytest.raises(NoSuchOwnEntry):
        written(market, about_kind="entry", about=entry)
    with pytest.raises(NoSuchAccountNumber):
        written(market, about_kind="account", about=market.number("vikram"))
    day, number, check = market.deposit("asha", 500_00).reference.split("-")
    with pytest.raises(BadInput):
        written(market, about_kind="entry", about=f"{day}-{number}-{(int(check) + 1) % 10}")


def test_a_second_click_is_the_same_ticket_and_other_words_are_refused(market: Market) -> None:
    once = new_request_id()
    first = written(market, request_id=once)
    assert written(market, request_id=once) == first
    for changed in (
        {"subject": "Another"},
        {"body": "Other words"},
        {"category": "cash"},
        {"about_kind": "account", "about": market.number("asha")},
    ):
        with pytest.raises(SentAlready):
            written(market, request_id=once, **changed)
    with pytest.raises(SentAlready):
        written(market, "vikram", request_id=once)
    assert len(tickets.own_tickets(market.desks["asha"])) == len(market.mails("ticket")) == 1


def test_of_eight_clicks_at_once_one_writes(market: Market) -> None:
    once, start = new_request_id(), threading.Barrier(8)
    card = written(market)

    def click(number: int) -> object:
        start.wait(60)
        if number % 2:
            return tickets.answer(market.desks["asha"], card.id, "More.", request_id=f"A{once[1:]}")
        return written(market, request_id=once).id

    with ThreadPoolExecutor(8) as pool:
        assert len({*pool.map(click, range(8))}) == 2
    assert len(tickets.own_tickets(market.desks["asha"])) == 2
    assert [post.body for post in tickets.own_posts(market.desks["asha"], card.id)] == [
        "What are the 118 rupees for?",
        "More.",
    ]


def test_an_answer_starts_the_clock_that_waited_for_it(market: Market) -> None:
    card = claimed(market, written(market))
    replied(market, card, Then.WAIT)
    assert own(market, card).state is W.WAITING
    once = new_request_id()
    for _ in range(2):
        tickets.answer(market.desks["asha"], card.id, "On 2 March.", request_id=once)
    assert own(market, card).state is W.CLAIMED
    assert queues.acts(market, card.item_id)[-1] == "answered"
    assert queues.acts(market, card.item_id).count("answered") == 1
    with pytest.raises(SentAlready):
        tickets.answer(market.desks["asha"], card.id, "On 3 March.", request_id=once)


@pytest.mark.parametrize("verb", [tickets.answer, tickets.reopen])
def test_another_customers_ticket_does_not_exist(
    market: Market, verb: Callable[..., object]
) -> None:
    card = solved(market)
    for other in ("vikram", "nila"):
        desk = market.desks[other]
        with pytest.raises(NoSuchTicket):
            verb(desk, card.id, "Mine?", request_id=new_request_id())
        with pytest.raises(NoSuchTicket):
            tickets.own_posts(desk, card.id)
        with pytest.raises(NoSuchTicket):
            scores.score_ticket(desk, card.id, 1)
        assert tickets.own_tickets(desk) == []
    with pytest.raises(NoSuchTicket):
        verb(market.desks["asha"], 4711, "Mine?", request_id=new_request_id())
    for who in ("ravi", "executive", "auditor"):
        with pytest.raises(NotAllowed):
            verb(market.desks[who], card.id, "Mine?", request_id=new_request_id())


@pytest.mark.parametrize("verb", [tickets.answer, tickets.reopen])
@pytest.mark.parametrize("body", ["", "x" * 4_001])
def test_an_empty_or_endless_message_is_refused(
    sqlite_market: Market, verb: Callable[..., object], body: str
) -> None:
    card = solved(sqlite_market)
    with pytest.raises(BadInput) as refused:
        verb(sqlite_market.desks["asha"], card.id, body, request_id=new_request_id())
    assert refused.value.field == "message"


def test_a_solved_ticket_takes_no_answer_but_opens_again(market: Market) -> None:
    card = solved(market)
    asha, once = market.desks["asha"], new_request_id()
    with pytest.raises(TicketIsClosed):
        tickets.answer(asha, card.id, "One more thing", request_id=new_request_id())
    scores.score_ticket(asha, card.id, 2, "Not yet")
    queues.later(market, days=REOPEN_DAYS)
    assert own(market, card).may_reopen(market.bank.clock.now())
    for _ in range(2):
        tickets.reopen(asha, card.id, "It came again", request_id=once)
    again = own(market, card)
    assert (again.state, again.solved_at, again.score) == (W.UNASSIGNED, None, None)
    assert again.first_due_at is not None
    assert again.first_due_at > market.bank.clock.now()
    assert queues.acts(market, card.item_id).count("re-opened") == 1
    assert subjects(market)[-1] == f"Open again: {card.reference}"
    [trail] = market.rows(
        "SELECT before, after FROM trail"
        " WHERE verb = 'office.tickets.reopen' AND before IS NOT NULL"
    )
    assert '"score":2' in trail["before"]
    assert '"solved_at":null' in trail["after"]


def test_after_thirty_days_it_stays_solved(market: Market) -> None:
    card = solved(market)
    queues.later(market, days=REOPEN_DAYS, seconds=1)
    assert not own(market, card).may_reopen(market.bank.clock.now())
    with pytest.raises(TooLateToReopen):
        tickets.reopen(market.desks["asha"], card.id, "Again", request_id=new_request_id())
    assert own(market, card).state is W.DECIDED


def test_the_days_are_a_rule_with_a_date(market: Market) -> None:
    card = solved(market)
    with market.tx() as tx:
        tx.connection.exec_driver_sql(
            "INSERT INTO ticket_rules (name, effective_from, value, source)"
            " VALUES ('reopen_days', '2026-03-16', 2, 'a test'),"
            " ('reopen_days', '2026-03-20', 60, 'a test')"
        )
    queues.later(market, days=3)
    with pytest.raises(TooLateToReopen):
        tickets.reopen(market.desks["asha"], card.id, "Again", request_id=new_request_id())
    queues.later(market, days=2)
    tickets.reopen(market.desks["asha"], card.id, "Again", request_id=new_request_id())


def test_what_is_not_solved_is_neither_rated_nor_opened_again(market: Market) -> None:
    card, asha = written(market), market.desks["asha"]
    with pytest.raises(NotSolvedYet):
        scores.score_ticket(asha, card.id, 5)
    with pytest.raises(NotSolvedYet):
        tickets.reopen(asha, card.id, "Again", request_id=new_request_id())


def test_what_was_written_is_never_changed(market: Market) -> None:
    written(market)
    for sql in ("UPDATE ticket_posts SET body = 'x'", "DELETE FROM ticket_posts"):
        with pytest.raises(Exception, match="never changed or deleted"), market.tx() as tx:
            tx.connection.exec_driver_sql(sql)


def test_a_ticket_is_in_the_queue_of_its_customers_branch(market: Market) -> None:
    here, there = written(market), written(market, "vikram")
    assert there.branch_id == market.branch_ids[BANER] != here.branch_id
    with pytest.raises(NoSuchTicket):
        ticket_desk.read_ticket(market.desks["executive"], there.id)
    with pytest.raises(work.NoSuchItem):
        claimed(market, there)
