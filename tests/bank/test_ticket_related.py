"""Tickets that are linked, and those that became two."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Final

import pytest
from sqlalchemy import event

from bank.core import work
from bank.core.errors import BadInput, NotAllowed
from bank.core.ids import new_request_id
from bank.core.work_tables import Channel, W
from bank.counters import fact_rows
from bank.counters.fact_rows import Asked, Measure
from bank.office import ticket_files, ticket_moves, ticket_related, ticket_split, tickets
from bank.office.performance import instants
from bank.office.ticket_desk import Then
from bank.office.ticket_moves import MergedElsewhere
from bank.office.ticket_posts import SentAlready
from bank.office.ticket_related import CannotLink
from bank.office.ticket_split import NoSuchPost, SplitAlready
from bank.office.ticket_tables import PostKind
from bank.office.tickets import NoSuchCategory, NoSuchTicket, TicketCard
from tests.support import queues
from tests.support.market import BANER, Market
from tests.support.tickets import (
    PDF,
    answered,
    claimed,
    opened,
    own,
    replied,
    solved,
    upload,
    written,
)

pytestmark = pytest.mark.feature("A6.4", "D3")
ESHA: Final = "executive"
SECOND: Final = "And my new card has not come."


def related(market: Market, card: TicketCard, who: str = ESHA) -> list[str]:
    """The numbers of the tickets that one is linked to."""
    return [one.reference for one in ticket_related.related_tickets(market.desks[who], card.id)]


def post_of(market: Market, card: TicketCard, body: str) -> int:
    """The id of what somebody wrote in a ticket."""
    [found] = [post.id for post in opened(market, card).posts if post.body == body]
    return found


def split(
    market: Market, card: TicketCard, body: str = SECOND, who: str = ESHA, **facts: str
) -> TicketCard:
    """What was written becomes a ticket of its own."""
    given = {"category": "card", "subject": "My card", "request_id": new_request_id()} | facts
    return ticket_split.split_ticket(
        market.desks[who], card.id, post_of(market, card, body), **given
    )


def test_linked_tickets_of_two_customers_show_each_other_and_both_go_on(market: Market) -> None:
    one, other = written(market), written(market, "nila", subject="The same charge")
    desk = market.desks[ESHA]
    ticket_related.link_ticket(desk, one.id, f"  {other.reference.lower()} ")
    ticket_related.link_ticket(desk, other.id, one.reference)  # the other way round: once is enough
    assert related(market, one) == [other.reference]
    assert related(market, other) == [one.reference]
    [seen] = ticket_related.related_tickets(desk, one.id)
    assert (seen.subject, seen.state) == ("The same charge", W.UNASSIGNED)
    for card, there in ((one, other), (other, one)):
        happened = queues.past(market, card.item_id)
        assert [(each.act, each.note) for each in happened] == [
            ("opened", ""), ("linked", there.reference),
        ]  # fmt: skip
    assert [post.body for post in tickets.own_posts(market.desks["asha"], one.id)] == [
        "What are the 118 rupees for?"
    ]
    with pytest.raises(NotAllowed):
        ticket_related.related_tickets(market.desks["asha"], one.id)
    assert len(market.mails("ticket")) == 1, "Asha's first acknowledgement; Nila has no address"


def test_a_link_is_taken_away_and_both_histories_keep_it(market: Market) -> None:
    one, other = written(market), written(market)
    ticket_related.link_ticket(market.desks[ESHA], one.id, other.reference)
    for _ in range(2):
        ticket_related.unlink_ticket(market.desks["executive_two"], other.id, one.id)
    assert related(market, one) == related(market, other) == []
    for card in (one, other):
        assert queues.acts(market, card.item_id) == ["opened", "linked", "unlinked"]
    verbs = "'office.ticket_related.link_ticket', 'office.ticket_related.unlink_ticket'"
    changed = market.rows(f"SELECT before, after FROM trail WHERE verb IN ({verbs}) ORDER BY id")
    assert [(row["before"], row["after"]) for row in changed][:2] == [
        ('{"related":null}', f'{{"related":{other.id}}}'),
        (f'{{"related":{one.id}}}', '{"related":null}'),
    ]


@pytest.mark.parametrize("number", ["", "42", "T-260316-1", "T-260316-1-7 or so"])
def test_what_is_no_number_of_another_ticket_is_refused(sqlite_market: Market, number: str) -> None:
    card = written(sqlite_market)
    for wrong in (number, card.reference):
        with pytest.raises(CannotLink) as refused:
            ticket_related.link_ticket(sqlite_market.desks[ESHA], card.id, wrong)
        assert refused.value.field == "reference"


def test_only_what_one_sees_is_linked_and_shown(market: Market) -> None:
    one, other, far = written(market), written(market), written(market, "vikram")
    desk = market.desks[ESHA]
    wrong_digit = f"{other.reference[:-1]}{(int(other.reference[-1]) + 1) % 10}"
    for number in (far.reference, "T-260316-4711-0", wrong_digit):
        with pytest.raises(NoSuchTicket):
            ticket_related.link_ticket(desk, one.id, number)
    for verb in (
        lambda: ticket_related.link_ticket(desk, far.id, one.reference),
        lambda: ticket_related.unlink_ticket(desk, one.id, far.id),
        lambda: ticket_related.related_tickets(desk, far.id),
    ):
        with pytest.raises(NoSuchTicket):
            verb()
    ticket_related.link_ticket(desk, one.id, other.reference)
    claimed(market, other)
    ticket_moves.move_ticket(desk, other.id, market.branch_ids[BANER], "Her locker is there")
    assert related(market, one) == []
    assert related(market, other, "executive_baner") == []


def test_a_merged_ticket_is_not_linked_to(market: Market) -> None:
    kept, twin, one = (written(market, subject=f"Fee {n}") for n in range(3))
    claimed(market, twin)
    ticket_moves.merge_ticket(market.desks[ESHA], twin.id, kept.id)
    with pytest.raises(MergedElsewhere):
        ticket_related.link_ticket(market.desks[ESHA], one.id, twin.reference)
    assert related(market, one) == []


def test_links_are_looked_up_from_both_ends(sqlite_market: Market) -> None:
    card, engine = written(sqlite_market), sqlite_market.bank.db.engine
    asked: list[tuple[str, object]] = []

    def heard(_: object, __: object, sql: str, values: object, *___: object) -> None:
        asked.append((sql, values))

    event.listen(engine, "before_cursor_execute", heard)
    try:
        ticket_related.related_tickets(sqlite_market.desks[ESHA], card.id)
    finally:
        event.remove(engine, "before_cursor_execute", heard)
    [(sql, values)] = [each for each in asked if "ticket_links" in each[0]]
    with sqlite_market.bank.db.read() as connection:
        steps = [
            str(step[3]) for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)
        ]
    assert [step for step in steps if "ticket_links" in step]
    every = [step for step in steps if step.startswith("SCAN") or step.endswith("(kind=?)")]
    assert not every, "reads every ticket"


def test_both_items_are_held_in_the_order_of_the_queue(market: Market) -> None:
    one, other = written(market), written(market)
    with market.tx() as tx:  # the item of the later ticket is the earlier one
        for here, there in ((one.id, -1), (other.id, one.id), (-1, other.id)):
            tx.connection.exec_driver_sql(
                f"UPDATE work_items SET subject_id = {there} WHERE subject_id = {here}"
                " AND kind = 'ticket'"
            )
    ticket_related.link_ticket(market.desks[ESHA], one.id, other.reference)
    lines = market.rows("SELECT item_id, note FROM work_events WHERE act = 'linked' ORDER BY id")
    assert [(line["item_id"], line["note"]) for line in lines] == [
        (one.item_id, one.reference), (other.item_id, other.reference),
    ]  # fmt: skip


def test_two_who_link_the_same_at_once_make_one_link(market: Market) -> None:
    one, other, start = written(market), written(market), threading.Barrier(4)

    def click(number: int) -> None:
        here, there = (one, other) if number % 2 else (other, one)
        start.wait(60)
        ticket_related.link_ticket(market.desks[ESHA], here.id, there.reference)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(click, range(4)))
    assert len(market.rows("SELECT one_id FROM ticket_links")) == 1
    assert queues.acts(market, one.item_id) == ["opened", "linked"]


def test_what_was_written_gets_a_ticket_whose_clocks_began_then(market: Market) -> None:
    card = claimed(market, written(market))
    queues.later(market, hours=1)
    tickets.answer(market.desks["asha"], card.id, SECOND, [upload()], request_id=new_request_id())
    wrote_at = market.bank.clock.now()
    queues.later(market, hours=2)
    new = split(market, card)
    assert (new.category, new.subject, new.state) == ("card", "My card", W.UNASSIGNED)
    assert new.opened_at == wrote_at
    # High: half an open day of six hours, from 13:00 on.
    assert new.first_due_at == datetime(2026, 3, 16, 10, 30, tzinfo=UTC)
    assert queues.row_of(market, new.item_id).opened_at == wrote_at
    assert queues.row_of(market, new.item_id).channel is Channel.PORTAL
    question, note = opened(market, new).posts
    assert (question.author, question.kind, question.body, question.at) == (
        *("Asha Rao", PostKind.QUESTION, SECOND, wrote_at),
    )
    assert (note.kind, note.body) == (PostKind.NOTE, f"Split from {card.reference}.")
    [file] = question.files
    for who, verb in (("asha", ticket_files.own_file), (ESHA, ticket_files.ticket_file)):
        assert verb(market.desks[who], file.id) == PDF
    old = opened(market, card)
    assert [post.body for post in old.posts][1:] == [
        SECOND,
        f"What the customer wrote on Mon 16 Mar, 13:00 goes on in {new.reference}.",
    ]
    assert old.posts[-1].kind is PostKind.NOTE
    assert (old.card.state, old.card.owner_name) == (W.CLAIMED, "Esha Iyer")
    assert related(market, card) == [new.reference]
    mail = market.mails("ticket")[-1]
    assert mail["subject"] == f"{new.reference}: My card"
    assert card.reference in mail["body"]
    assert "first answer to it by Mon 16 Mar, 16:00" in mail["body"]
    assert own(market, new) == new
    assert len(tickets.own_posts(market.desks["asha"], new.id)) == 1, "no note"


def test_a_new_ticket_that_is_late_already_says_so(market: Market) -> None:
    card = claimed(market, written(market, category="unknown_entry"))
    queues.later(market, days=2)
    claimed(market, card)  # the first claim has run out
    new = split(market, card, "What are the 118 rupees for?", category="unknown_entry")
    assert new.first_due_at is not None
    assert new.first_due_at < market.bank.clock.now()
    assert "We are late, and sorry." in market.mails("ticket")[-1]["body"]


def test_a_second_click_splits_once_and_the_same_words_are_not_split_again(market: Market) -> None:
    card, once, start = claimed(market, written(market)), new_request_id(), threading.Barrier(4)
    answered(market, card, SECOND)
    post_id = post_of(market, card, SECOND)

    def click(_: int) -> int:
        start.wait(60)
        return ticket_split.split_ticket(
            market.desks[ESHA], card.id, post_id, "card", "My card", request_id=once
        ).id

    with ThreadPoolExecutor(4) as pool:
        [new_id] = set(pool.map(click, range(4)))
    with pytest.raises(SentAlready):
        split(market, card, subject="Another", request_id=once)
    with pytest.raises(SentAlready):
        split(market, card, "What are the 118 rupees for?", request_id=once)
    with pytest.raises(SplitAlready):
        split(market, card)
    assert {one.id for one in tickets.own_tickets(market.desks["asha"])} == {card.id, new_id}
    assert len([mail for mail in market.mails("ticket") if "of its own" in mail["body"]]) == 1


def test_only_the_customers_words_of_this_ticket_are_split(market: Market) -> None:
    card, other = claimed(market, written(market)), written(market)
    replied(market, card)
    reply_id = post_of(market, card, "It is the yearly fee.")
    elsewhere = post_of(market, other, "What are the 118 rupees for?")
    for post_id in (reply_id, elsewhere, 4711):
        with pytest.raises(NoSuchPost) as refused:
            ticket_split.split_ticket(
                market.desks[ESHA], card.id, post_id, "card", "My card", request_id=new_request_id()
            )
        assert refused.value.field == "post"
    first = "What are the 118 rupees for?"
    with pytest.raises(NoSuchCategory):
        split(market, card, first, category="gossip")
    with pytest.raises(BadInput) as empty:
        split(market, card, first, subject="  ")
    assert empty.value.field == "subject"
    assert related(market, card) == []


def test_what_came_with_a_merged_ticket_is_split_too(market: Market) -> None:
    kept, twin = claimed(market, written(market)), claimed(market, written(market, body=SECOND))
    ticket_moves.merge_ticket(market.desks[ESHA], twin.id, kept.id)
    new = split(market, kept)
    assert related(market, kept) == [new.reference]
    told = market.mails("ticket")[-1]["body"]
    assert f"in your ticket {twin.reference}," in told, "the one that the customer wrote in"
    assert kept.reference not in told


def test_the_time_to_the_first_reply_is_that_of_the_promise(market: Market) -> None:
    card, day = claimed(market, written(market)), date(2026, 3, 16)
    wrote_at = market.bank.clock.now()
    queues.later(market, hours=2)
    claimed(market, card)  # the first claim has run out
    new = split(market, card, "What are the 118 rupees for?")
    queues.later(market, hours=1)
    claimed(market, new)
    replied(market, new)
    replied(market, claimed(market, card), Then.SOLVE)
    queues.later(market, minutes=1)
    tickets.reopen(market.desks["asha"], card.id, "No.", request_id=new_request_id())
    again_at = market.bank.clock.now()
    replied(market, claimed(market, card))
    user_id = market.desks[ESHA].user_id
    assert user_id is not None
    asked = Asked(frozenset({user_id}), day, day, *instants(day, day))
    with market.bank.db.read() as connection:
        rows = connection.execute(fact_rows.rows_of(Measure.FIRST_REPLY, asked)).all()
    found = sorted((row.item_id, row.started_at) for row in rows)
    assert found == [
        (card.item_id, wrote_at), (card.item_id, again_at), (new.item_id, wrote_at),
    ]  # fmt: skip


def test_only_who_has_claimed_an_open_ticket_splits_it(market: Market) -> None:
    card = written(market)
    first = "What are the 118 rupees for?"
    with pytest.raises(work.NotYours):
        split(market, card, first)
    claimed(market, card)
    with pytest.raises(work.NotYours):
        split(market, card, first, who="executive_two")
    with pytest.raises(NoSuchTicket):
        ticket_split.split_ticket(
            market.desks["executive_baner"], card.id, 1, "card", "x", request_id=new_request_id()
        )
    replied(market, card, Then.WAIT)
    assert split(market, card, first).state is W.UNASSIGNED, "also while the customer must act"
    done = solved(market)
    with pytest.raises(work.IsDecided):
        split(market, done, first)
