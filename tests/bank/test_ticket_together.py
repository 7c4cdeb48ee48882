"""Several claimed tickets at once: sorted alike, or ended with one reply to each customer."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest

from bank.core import work, work_rows
from bank.core.errors import BadInput, NotAllowed
from bank.core.ids import new_request_id
from bank.core.work_tables import Priority, W
from bank.office import canned, queue_many, ticket_together
from bank.office.queue_many import TooManyAtOnce
from bank.office.ticket_moves import NoSuchPriority
from bank.office.ticket_together import NothingToSort
from bank.office.tickets import NoSuchCategory
from tests.support import queues
from tests.support.market import Market
from tests.support.tickets import claimed, opened, written

pytestmark = pytest.mark.feature("B26")
ESHA: Final = "executive"
CLOSING: Final = "Dear {name}, {ref} is solved."


def test_several_are_sorted_and_each_keeps_what_is_not_chosen(market: Market) -> None:
    one = claimed(market, written(market))
    two = claimed(market, written(market, category="unknown_entry"))
    free, desk = written(market), market.desks[ESHA]
    [other] = queues.opened(market, kind="approval")
    ids = [two.item_id, free.item_id, one.item_id, other, 4711]
    results = ticket_together.sort_together(desk, ids, "card", None, "All about cards")
    assert [(each.item_id, each.refused is None) for each in results] == [
        *((two.item_id, True), (free.item_id, False), (one.item_id, True)),
        *((other, False), (4711, False)),
    ]
    assert "Claim this item first" in str(results[1].refused)
    for card in (one, two):
        after = opened(market, card).card
        assert (after.category, after.priority) == ("card", card.priority)
        assert queues.acts(market, card.item_id) == ["opened", "claimed", "sorted"]
    assert opened(market, free).card.category == "charges"
    ticket_together.sort_together(desk, [one.item_id], None, Priority.URGENT, "Money is gone")
    assert opened(market, one).card.priority == Priority.URGENT
    [told, _] = market.rows(
        "SELECT details FROM trail WHERE verb = 'office.ticket_together.sort_together' ORDER BY id"
    )
    assert f'"sorted":[{two.item_id},{one.item_id}]' in told["details"]


def kept_of(market: Market, verb: str) -> Any:
    """What the trail keeps of the only such act: values before and after, and the rest."""
    [row] = market.rows(
        "SELECT before, after, details FROM trail"
        f" WHERE verb = 'office.ticket_together.{verb}' AND outcome = 'done'"
    )
    assert (row["before"], row["after"]) == (None, None), "not those of the last ticket alone"
    return json.loads(row["details"])["changed"]


def test_the_trail_has_what_changed_in_each_ticket(market: Market) -> None:
    one, two = claimed(market, written(market)), claimed(market, written(market, category="cash"))
    free, desk = written(market), market.desks[ESHA]
    ids = [one.item_id, free.item_id, two.item_id]
    ticket_together.sort_together(desk, ids, "card", None, "All about cards")
    assert kept_of(market, "sort_together") == {
        f"ticket {card.id}": {
            "before": {"category": category, "priority": card.priority},
            "after": {"category": "card", "priority": card.priority},
        }
        for card, category in ((one, "charges"), (two, "cash"))
    }
    ticket_together.solve_together(desk, ids, "Done.", request_id=new_request_id())
    changes = kept_of(market, "solve_together")
    assert set(changes) == {f"ticket {one.id}", f"ticket {two.id}"}
    assert all(change["before"] == {"solved_at": None} for change in changes.values())


def test_a_priority_that_is_not_chosen_is_the_one_it_has_when_it_is_held(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    card, read = claimed(market, written(market)), work_rows.by_id

    def read_earlier(tx: Any, item_id: int, *, is_held: bool = False) -> Any:
        row = read(tx, item_id, is_held=is_held)
        return row if is_held else row._replace(priority=Priority.URGENT)

    monkeypatch.setattr(work_rows, "by_id", read_earlier)
    [done] = ticket_together.sort_together(
        market.desks[ESHA], [card.item_id], "card", None, "About a card"
    )
    assert done.refused is None
    assert queues.row_of(market, card.item_id).priority == Priority.NORMAL


def test_two_who_act_on_the_same_tickets_at_once_do_not_wait_in_a_ring(market: Market) -> None:
    cards = [claimed(market, written(market)) for _ in range(6)]
    ids, start = [card.item_id for card in cards], threading.Barrier(2)
    desk = market.desks[ESHA]

    def sort(given: list[int]) -> list[str | None]:
        start.wait(60)
        results = ticket_together.sort_together(desk, given, "card", None, "About cards")
        return [one.refused for one in results]

    def solve(given: list[int]) -> list[str | None]:
        start.wait(60)
        results = ticket_together.solve_together(desk, given, "Done.", request_id=new_request_id())
        return [one.refused for one in results]

    with ThreadPoolExecutor(2) as pool:
        sorting, other = pool.submit(sort, ids), pool.submit(sort, ids[::-1])
        assert sorting.result() == other.result() == [None] * 6
        ending, other = pool.submit(solve, ids), pool.submit(solve, ids[::-1])
        told = [*ending.result(), *other.result()]
        assert told.count(None) == told.count(str(work.IsDecided())) == 6, "each ended once"
    for card in cards:
        assert queues.acts(market, card.item_id).count("sorted") == 1
        assert queues.acts(market, card.item_id).count("decided") == 1


def test_several_are_ended_with_words_filled_in_for_each(market: Market) -> None:
    one, two = claimed(market, written(market)), claimed(market, written(market, "nila"))
    lost, once = written(market), new_request_id()
    ids, desk = [one.item_id, two.item_id, lost.item_id], market.desks[ESHA]
    for _ in range(2):  # a second click
        results = ticket_together.solve_together(desk, ids, CLOSING, request_id=once)
        assert [each.refused is None for each in results] == [True, True, False]
    assert opened(market, one).posts[-1].body == f"Dear Asha Rao, {one.reference} is solved."
    assert opened(market, two).posts[-1].body == f"Dear Nila Das, {two.reference} is solved."
    assert len(opened(market, one).posts) == 2
    assert [opened(market, card).card.state for card in (one, two, lost)] == [
        W.DECIDED, W.DECIDED, W.UNASSIGNED,
    ]  # fmt: skip
    mails = [mail for mail in market.mails("ticket") if "is solved." in mail["body"]]
    assert len(mails) == 1, "Nila has no address"
    assert "This solves your ticket" in mails[0]["body"]


def test_clicked_again_the_words_are_those_that_were_sent(market: Market) -> None:
    card, once = claimed(market, written(market)), new_request_id()
    desk, closing = market.desks[ESHA], "{ref} is solved; we had promised it by {due}."
    for _ in range(2):  # the second time nothing is due any more
        [done] = ticket_together.solve_together(desk, [card.item_id], closing, request_id=once)
        assert done.refused is None
    [_, said] = opened(market, card).posts
    assert said.body.startswith(f"{card.reference} is solved; we had promised it by ")
    assert "{" not in said.body
    [other] = ticket_together.solve_together(desk, [card.item_id], "Done.", request_id=once)
    assert other.refused == str(work.IsDecided())
    assert len(opened(market, card).posts) == 2


def test_of_a_ticket_that_is_refused_at_its_mail_nothing_stays(market: Market) -> None:
    lost, done = claimed(market, written(market)), claimed(market, written(market, "nila"))
    with market.tx() as tx:
        tx.connection.exec_driver_sql("UPDATE customers SET email = 'asha' WHERE name = 'Asha Rao'")
    before = queues.row_of(market, lost.item_id)
    results = ticket_together.solve_together(
        market.desks[ESHA], [lost.item_id, done.item_id], "Done.", request_id=new_request_id()
    )
    assert [one.refused is None for one in results] == [False, True]
    assert queues.row_of(market, lost.item_id) == before
    assert len(opened(market, lost).posts) == 1
    assert queues.acts(market, lost.item_id) == ["opened", "claimed"]
    assert market.rows(f"SELECT solved_at FROM tickets WHERE id = {lost.id}") == [
        {"solved_at": None}
    ]
    assert opened(market, done).card.state is W.DECIDED
    assert set(kept_of(market, "solve_together")) == {f"ticket {done.id}"}


def test_what_cannot_be_filled_in_stops_only_its_own_ticket(market: Market) -> None:
    about = claimed(market, written(market, about_kind="account", about=market.number("asha")))
    plain = claimed(market, written(market))
    done, left = ticket_together.solve_together(
        market.desks[ESHA],
        [about.item_id, plain.item_id],
        "It is about {account_last4}.",
        request_id=new_request_id(),
    )
    assert done.refused is None
    assert left.refused == "Fill in {account_last4} first."
    assert len(opened(market, plain).posts) == 1


def test_closing_words_are_those_one_may_use(market: Market) -> None:
    desk = market.desks[ESHA]
    canned.keep_reply(desk, "Mine", CLOSING)
    canned.keep_reply(desk, "Solved", "In my words.")
    found = ticket_together.closing_words(desk)
    assert (found["Mine"], found["Solved"]) == (CLOSING, "In my words.")
    assert "Mine" not in ticket_together.closing_words(market.desks["executive_two"])


def test_what_is_refused_for_all(sqlite_market: Market) -> None:
    card, desk = claimed(sqlite_market, written(sqlite_market)), sqlite_market.desks[ESHA]
    ids, once = [card.item_id], new_request_id()
    for category, priority, why, refusal in (
        ("gossip", None, "why", NoSuchCategory),
        (None, 5, "why", NoSuchPriority),
        (None, None, "why", NothingToSort),
        ("card", None, " ", work.NoteMissing),
    ):
        with pytest.raises(refusal):
            ticket_together.sort_together(desk, ids, category, priority, why)
    with pytest.raises(BadInput):
        ticket_together.solve_together(desk, ids, "  ", request_id=once)
    many = list(range(queue_many.MOST_AT_ONCE + 1))
    with pytest.raises(TooManyAtOnce):
        ticket_together.sort_together(desk, many, "card", None, "why")
    with pytest.raises(TooManyAtOnce):
        ticket_together.solve_together(desk, many, "Done.", request_id=once)
    far = ticket_together.sort_together(
        sqlite_market.desks["executive_baner"], ids, "card", None, "why"
    )
    assert far[0].refused == "There is no such ticket. Look in the list of tickets."
    with pytest.raises(NotAllowed):
        ticket_together.sort_together(sqlite_market.desks["asha"], ids, "card", None, "why")
    assert opened(sqlite_market, card).card.category == "charges"
