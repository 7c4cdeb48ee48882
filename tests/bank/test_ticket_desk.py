"""What an employee does with tickets: read, reply, note, ask, solve, sort, move, merge."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest

from bank import app
from bank.core import hours, work
from bank.core.errors import BadInput, NotAllowed
from bank.core.ids import new_request_id
from bank.core.work_tables import Priority, W
from bank.office import canned, queue, queue_lists, scores, ticket_desk, ticket_moves, tickets
from bank.office.queue_lists import Looked, View
from bank.office.ticket_desk import Then
from bank.office.ticket_moves import CannotMerge, MergedElsewhere, NoSuchPlace, NoSuchPriority
from bank.office.ticket_posts import SentAlready
from bank.office.ticket_tables import PostKind
from bank.office.tickets import GoesOnElsewhere, NoSuchCategory, NoSuchTicket
from tests.support import queues
from tests.support.market import BANER, FORT, Market
from tests.support.tickets import claimed, opened, own, replied, solved, written
from tests.support.waiting import somebody_waits, wait_until

pytestmark = pytest.mark.feature("A6.2", "A6.4", "B20")
SECRET: Final = "She has complained four times; be careful."


def new_mails(market: Market) -> list[dict[str, Any]]:
    """The mails about tickets after the acknowledgement."""
    return [mail for mail in market.mails("ticket") if "We have your" not in mail["subject"]]


@pytest.mark.feature("A6.3")
def test_a_reply_is_mailed_and_a_note_never(market: Market) -> None:
    card = claimed(market, written(market))
    ticket_desk.add_note(market.desks["executive"], card.id, SECRET, request_id=new_request_id())
    assert new_mails(market) == []
    assert replied(market, card)
    [mail] = new_mails(market)
    assert mail["recipient"] == "asha@example.com"
    assert mail["subject"] == f"{card.reference}: {card.subject}"
    assert "It is the yearly fee." in mail["body"]
    replied(market, card, Then.SOLVE, body="Done.")
    assert SECRET not in str(market.rows("SELECT * FROM outbox"))
    queues.later(market, seconds=10)
    posts = tickets.own_posts(market.desks["asha"], card.id)
    assert [post.kind for post in posts] == [PostKind.QUESTION, PostKind.REPLY, PostKind.REPLY]
    assert SECRET not in str(posts)
    assert [post.kind for post in opened(market, card).posts] == [
        PostKind.QUESTION,
        PostKind.NOTE,
        PostKind.REPLY,
        PostKind.REPLY,
    ]


@pytest.mark.feature("A6.3")
def test_without_an_address_no_mail_goes_and_the_reply_says_so(market: Market) -> None:
    card = claimed(market, written(market, "nila"))
    once = new_request_id()
    assert not replied(market, card, request_id=once)
    assert not replied(market, card, request_id=once)
    assert opened(market, card).mail_to == ""
    assert market.mails("ticket") == []


def test_what_a_reply_does_to_the_clock_and_the_state(market: Market) -> None:
    card = claimed(market, written(market))
    replied(market, card)
    assert own(market, card).first_due_at is None
    replied(market, card, Then.WAIT)
    replied(market, card, Then.WAIT)  # one more question while waiting
    assert own(market, card).state is W.WAITING
    replied(market, card, Then.STAY)
    assert own(market, card).state is W.CLAIMED
    replied(market, card, Then.SOLVE)
    assert own(market, card).state is W.DECIDED
    assert own(market, card).solved_at == market.bank.clock.now()
    assert queues.acts(market, card.item_id) == [
        "opened", "claimed", "first reply", "asked", "answered", "decided",
    ]  # fmt: skip
    last = new_mails(market)[-1]["body"]
    assert "open it again within 30 days" in last
    assert "We wait for your answer" in new_mails(market)[1]["body"]


def test_only_who_has_claimed_it_replies(market: Market) -> None:
    card = written(market)
    for who in ("executive", "executive_two", "admin"):
        with pytest.raises(work.NotYours):
            replied(market, card, who=who)
    claimed(market, card)
    with pytest.raises(work.NotYours):
        replied(market, card, who="executive_two")
    replied(market, card, Then.SOLVE)
    with pytest.raises(work.IsDecided):
        replied(market, card, body="And another thing")
    assert len(new_mails(market)) == 1


def test_a_note_is_written_by_whoever_sees_it_also_afterwards(market: Market) -> None:
    card = solved(market)
    for who in ("executive_two", "admin"):
        ticket_desk.add_note(market.desks[who], card.id, f"by {who}", request_id=new_request_id())
    assert [post.author for post in opened(market, card).posts][-2:] == ["Dev Sen", "Arun Nair"]


Verb = Callable[[Any, int], object]
VERBS: Final[dict[str, Verb]] = {
    "read": ticket_desk.read_ticket,
    "reply": lambda d, n: ticket_desk.reply(d, n, "Hi", Then.STAY, request_id=new_request_id()),
    "note": lambda d, n: ticket_desk.add_note(d, n, "Hi", request_id=new_request_id()),
    "canned": ticket_desk.canned_replies,
    "preview": lambda d, n: ticket_desk.preview_reply(d, n, "Hi"),
    "others": ticket_desk.other_tickets,
    "sort": lambda d, n: ticket_moves.sort_ticket(d, n, "cash", 1, "why"),
    "move": lambda d, n: ticket_moves.move_ticket(d, n, 2, "why"),
    "merge": lambda d, n: ticket_moves.merge_ticket(d, n, 99),
}


@pytest.mark.parametrize("verb", VERBS)
def test_another_branchs_ticket_does_not_exist_and_other_roles_may_not(
    market: Market, verb: str
) -> None:
    card = written(market)
    for who in ("executive_baner", "admin_baner"):
        with pytest.raises(NoSuchTicket):
            VERBS[verb](market.desks[who], card.id)
    with pytest.raises(NoSuchTicket):
        VERBS[verb](market.desks["executive"], 4711)
    for who in ("asha", "ravi", "banker", "auditor"):
        with pytest.raises(NotAllowed):
            VERBS[verb](market.desks[who], card.id)


@pytest.mark.parametrize("body", ["  ", "x" * 4_001, "a\x07"])
def test_an_empty_or_endless_text_is_refused(sqlite_market: Market, body: str) -> None:
    card = claimed(sqlite_market, written(sqlite_market))
    for call in (
        lambda: replied(sqlite_market, card, body=body),
        lambda: ticket_desk.add_note(
            sqlite_market.desks["executive"], card.id, body, request_id=new_request_id()
        ),
        lambda: canned.keep_reply(sqlite_market.desks["executive"], "Mine", body),
    ):
        with pytest.raises(BadInput) as refused:
            call()
        assert refused.value.field == "message"


def test_a_second_click_writes_once_also_as_the_first_is_on_its_way(market: Market) -> None:
    card, once, start = claimed(market, written(market)), new_request_id(), threading.Barrier(6)

    def click(_: int) -> bool:
        start.wait(60)
        return replied(market, card, Then.SOLVE, request_id=once)

    with ThreadPoolExecutor(6) as pool:
        assert [*pool.map(click, range(6))] == [True] * 6
    assert len(new_mails(market)) == 1
    with pytest.raises(SentAlready):
        replied(market, card, body="Other words", request_id=once)
    note = new_request_id()
    for _ in range(2):
        ticket_desk.add_note(market.desks["executive"], card.id, "Once", request_id=note)
    with pytest.raises(SentAlready):
        replied(market, card, body="Once", request_id=note)
    assert [post.body for post in opened(market, card).posts].count("Once") == 1


def test_canned_replies_are_filled_and_what_is_not_known_must_be(market: Market) -> None:
    desk = market.desks["executive"]
    canned.keep_reply(desk, "Mine", "Hello {name}, {ref}, account {account_last4}, by {due}.")
    canned.keep_reply(desk, "Mine", "Dear {name}, {ref}, account {account_last4}, by {due}.")
    canned.keep_reply(desk, "Solved", "My own way of saying it.")
    about = claimed(market, written(market, about_kind="account", about=market.number("asha")))
    found = ticket_desk.canned_replies(desk, about.id)
    last4 = market.number("asha")[-4:]
    assert found["Mine"] == (
        f"Dear Asha Rao, {about.reference}, account {last4}, by Fri 27 Mar, 12:00."
    )
    assert found["Solved"] == "My own way of saying it."
    assert "Asha Rao" in found["Received"]
    nothing = claimed(market, written(market))
    unfilled = ticket_desk.canned_replies(desk, nothing.id)["Mine"]
    assert "{account_last4}" in unfilled
    with pytest.raises(BadInput, match=r"Fill in \{account_last4\} first"):
        replied(market, nothing, body=unfilled)
    others = ticket_desk.canned_replies(market.desks["executive_two"], nothing.id)
    assert "Mine" not in others
    with pytest.raises(BadInput, match=r"\{surname\} is no placeholder"):
        canned.keep_reply(desk, "Bad", "Dear {surname}")
    with pytest.raises(BadInput) as refused:
        canned.keep_reply(desk, " ", "Dear")
    assert refused.value.field == "name"


def test_a_name_that_looks_like_a_placeholder_is_a_name(sqlite_market: Market) -> None:
    with sqlite_market.tx() as tx:
        tx.connection.exec_driver_sql("UPDATE customers SET name = '{ref}' WHERE name = 'Asha Rao'")
    card = written(sqlite_market)
    found = ticket_desk.canned_replies(sqlite_market.desks["executive"], card.id)
    assert found["Received"].startswith("Hello {ref},")


def test_another_priority_is_another_promise(market: Market) -> None:
    card = claimed(market, written(market))  # charges: normal, 6 and 60 open hours
    queues.later(market, hours=1)
    ticket_moves.sort_ticket(market.desks["executive"], card.id, "cash", Priority.HIGH, "Cash gone")
    after = own(market, card)
    assert (after.category, after.priority) == ("cash", Priority.HIGH)
    with market.tx() as tx:
        calendar = hours.calendar(tx, card.branch_id)
    assert after.first_due_at == calendar.after(card.opened_at, 180 * 60)
    assert after.solve_due_at == calendar.after(card.opened_at, 1_800 * 60)
    assert queues.row_of(market, card.item_id).next_due_at == after.first_due_at
    # While the customer must act, what is left changes by as much.
    replied(market, card, Then.WAIT)
    left = queues.row_of(market, card.item_id).solve_left_seconds
    ticket_moves.sort_ticket(market.desks["executive"], card.id, "cash", Priority.LOW, "Found")
    row = queues.row_of(market, card.item_id)
    assert row.solve_left_seconds == left + (5_400 - 1_800) * 60
    assert row.next_due_at is row.first_left_seconds is None
    [happened] = [each for each in queues.past(market, card.item_id) if "Cash gone" in each.note]
    assert (happened.act, happened.by) == ("sorted", "Esha Iyer")
    assert happened.note == "Cash at the counter, high: Cash gone"
    [first, _] = market.rows(
        "SELECT before, after FROM trail WHERE verb = 'office.ticket_moves.sort_ticket' ORDER BY id"
    )
    assert first["before"] == '{"category":"charges","priority":3}'


def test_a_sorted_ticket_is_found_by_its_new_category(market: Market) -> None:
    card = claimed(market, written(market))
    desk = market.desks["executive"]

    def found(words: str) -> list[int]:
        page = queue_lists.items(desk, Looked(view=View.ALL_OPEN, words=words))
        return [row.subject_id for row in page.rows]

    assert found("charges 118 rupees") == [card.id]
    ticket_moves.sort_ticket(desk, card.id, "loan", 3, "It is a loan fee")
    ticket_moves.sort_ticket(desk, card.id, "loan", 3, "It is a loan fee")  # a second click
    assert found("loans 118") == found("asha") == found(card.reference) == [card.id]
    assert found("charges interest") == []
    assert queues.acts(market, card.item_id).count("sorted") == 1


@pytest.mark.parametrize(
    ("category", "priority", "why", "refusal"),
    [
        ("gossip", 3, "why", NoSuchCategory),
        ("cash", 5, "why", NoSuchPriority),
        ("cash", 3, "", work.NoteMissing),
        ("cash", 3, "x" * 301, work.NoteMissing),
    ],
)
def test_how_not_to_sort(
    sqlite_market: Market, category: str, priority: int, why: str, refusal: type[BadInput]
) -> None:
    card = claimed(sqlite_market, written(sqlite_market))
    with pytest.raises(refusal):
        ticket_moves.sort_ticket(sqlite_market.desks["executive"], card.id, category, priority, why)


def test_only_who_has_claimed_it_sorts_moves_or_merges(market: Market) -> None:
    card, other = written(market), written(market)
    desk = market.desks["executive"]
    for call in (
        lambda: ticket_moves.sort_ticket(desk, card.id, "cash", 1, "why"),
        lambda: ticket_moves.move_ticket(desk, card.id, market.branch_ids[BANER], "why"),
        lambda: ticket_moves.merge_ticket(desk, card.id, other.id),
    ):
        with pytest.raises(work.NotYours):
            call()
    claimed(market, card)
    replied(market, card, Then.SOLVE)
    for call in (
        lambda: ticket_moves.sort_ticket(desk, card.id, "cash", 1, "why"),
        lambda: ticket_moves.move_ticket(desk, card.id, market.branch_ids[BANER], "why"),
        lambda: ticket_moves.merge_ticket(desk, card.id, other.id),
    ):
        with pytest.raises(work.IsDecided):
            call()


def test_a_moved_ticket_is_in_the_other_branchs_queue(market: Market) -> None:
    card, there = claimed(market, written(market)), market.branch_ids[BANER]
    desk = market.desks["executive"]
    for wrong in (4711, market.branch_ids[FORT]):
        with pytest.raises(NoSuchPlace):
            ticket_moves.move_ticket(desk, card.id, wrong, "why")
    with pytest.raises(work.NoteMissing):
        ticket_moves.move_ticket(desk, card.id, there, " ")
    ticket_moves.move_ticket(desk, card.id, there, "Her locker is at Baner")
    with pytest.raises(NoSuchTicket):
        ticket_desk.read_ticket(desk, card.id)
    moved = opened(market, card, "executive_baner").card
    assert (moved.state, moved.owner_id, moved.branch_id) == (W.UNASSIGNED, None, there)
    assert moved.first_due_at == card.first_due_at
    claimed(market, card, "executive_baner")
    replied(market, card, who="executive_baner")
    assert queues.past(market, card.item_id, "admin_baner")[2].note == (
        "to Baner: Her locker is at Baner"
    )


def test_a_merged_ticket_goes_on_in_the_other(market: Market) -> None:
    kept, twin, third = (written(market, subject=f"Fee {n}", body=f"Words {n}") for n in range(3))
    desk, asha = market.desks["executive"], market.desks["asha"]
    for card in (twin, third):
        claimed(market, card)
    replied(market, twin)
    ticket_desk.add_note(desk, twin.id, SECRET, request_id=new_request_id())
    ticket_moves.merge_ticket(desk, third.id, twin.id)
    ticket_moves.merge_ticket(desk, twin.id, kept.id)
    ticket_moves.merge_ticket(desk, twin.id, kept.id)  # a second click
    after = own(market, twin)
    assert (after.state, after.merged_into) == (W.DECIDED, kept.id)
    assert after.merged_reference == kept.reference
    assert own(market, third).merged_into == kept.id
    queues.later(market, seconds=10)
    posts = tickets.own_posts(asha, kept.id)
    assert [post.body for post in posts] == [
        "Words 0",
        "Words 1",
        "Words 2",
        "It is the yearly fee.",
    ]
    assert [post.via for post in posts] == [None, twin.reference, third.reference, twin.reference]
    assert SECRET not in str(posts)
    assert SECRET in str(opened(market, kept).posts)
    assert new_mails(market)[-1]["subject"] == f"{twin.reference} goes on in {kept.reference}"
    assert SECRET not in str(market.rows("SELECT * FROM outbox"))
    for call in (tickets.answer, tickets.reopen):
        with pytest.raises(GoesOnElsewhere):
            call(asha, twin.id, "Hello?", request_id=new_request_id())
    with pytest.raises(GoesOnElsewhere):
        scores.score_ticket(asha, twin.id, 1)
    fourth = claimed(market, written(market))
    with pytest.raises(MergedElsewhere):
        ticket_moves.merge_ticket(desk, fourth.id, twin.id)


def test_a_merge_waits_for_a_claim_of_several_and_not_in_a_ring(market: Market) -> None:
    """Who claims several holds the items in their order; so does who merges two of them."""
    if market.bank.db.dialect == "sqlite":
        pytest.skip("one writer at a time")
    card, other = claimed(market, written(market)), written(market)
    last = (
        "SELECT id FROM work_items WHERE kind = 'ticket'"
        f" AND subject_id = {other.id} FOR UPDATE NOWAIT"
    )
    with ThreadPoolExecutor(1) as pool:
        with market.tx() as tx:
            first = work.item_of(tx, "ticket", card.id).id
            merging = pool.submit(
                ticket_moves.merge_ticket, market.desks["executive"], card.id, other.id
            )
            wait_until(lambda: merging.done() or somebody_waits(market.bank.db))
            assert not merging.done()
            assert tx.connection.exec_driver_sql(last).scalar_one() > first, "nobody holds it yet"
        merging.result(20)
    assert own(market, card).merged_into == other.id


@pytest.mark.feature("C9")
def test_merged_into_one_that_waits_the_clock_runs_again(market: Market) -> None:
    """Asked in one ticket, the customer answers by writing another: the bank must act again."""
    desk, kept = market.desks["executive"], claimed(market, written(market))
    replied(market, kept, Then.WAIT, body="Which card was it?")
    left = queues.row_of(market, kept.item_id).solve_left_seconds
    queues.later(market, days=2)
    answered = claimed(market, written(market, subject="It was the blue one"))
    promised = own(market, answered)
    ticket_moves.merge_ticket(desk, answered.id, kept.id)
    after = own(market, kept)
    assert (after.state, after.owner_id) == (W.CLAIMED, desk.user_id)
    with market.tx() as tx:
        runs_on = hours.calendar(tx, kept.branch_id).after(market.bank.clock.now(), left)
    assert after.solve_due_at == runs_on
    # Its own first reply is done; that of the unread message was promised too, and still is.
    assert after.first_due_at == promised.first_due_at
    assert queues.row_of(market, kept.item_id).next_due_at == promised.first_due_at
    assert queues.acts(market, kept.item_id)[-2:] == ["answered", "merged"]
    replied(market, kept)
    assert own(market, kept).first_due_at is None


@pytest.mark.feature("C9")
def test_merging_what_waits_for_the_customer_too_moves_no_clock(market: Market) -> None:
    desk, kept, ended = market.desks["executive"], written(market), written(market)
    for card in (kept, ended):
        claimed(market, card)
        replied(market, card, Then.WAIT)
    before = queues.row_of(market, kept.item_id)
    ticket_moves.merge_ticket(desk, ended.id, kept.id)
    assert queues.row_of(market, kept.item_id) == before
    tickets.answer(market.desks["asha"], kept.id, "The blue one", request_id=new_request_id())
    assert own(market, kept).state is W.CLAIMED


@pytest.mark.feature("C9")
def test_the_nearer_promise_is_kept_through_a_merge(market: Market) -> None:
    desk, ended = market.desks["executive"], claimed(market, written(market))
    queues.later(market, hours=30)
    kept = claimed(market, written(market), "executive_two")
    ticket_moves.merge_ticket(desk, ended.id, kept.id)
    after = own(market, kept)
    assert (after.first_due_at, after.solve_due_at) == (ended.first_due_at, ended.solve_due_at)
    assert after.owner_id == market.desks["executive_two"].user_id, "who has it keeps it"


def test_the_preview_is_the_mail(market: Market) -> None:
    card, desk = claimed(market, written(market)), market.desks["executive"]
    shown = ticket_desk.preview_reply(desk, card.id, "It is the  yearly fee.")
    assert new_mails(market) == []
    for then in (Then.STAY, Then.WAIT, Then.SOLVE):
        replied(market, card, then)
        mail = new_mails(market)[-1]
        assert mail["subject"] == shown.subject
        ending = shown.endings.get(then, "")
        assert mail["body"] == f"{shown.says.rstrip()}{ending}\n"
    with pytest.raises(BadInput, match=r"Fill in \{name\} first"):
        ticket_desk.preview_reply(desk, card.id, "Dear {name}")


def test_what_cannot_be_merged(market: Market) -> None:
    card, desk = claimed(market, written(market)), market.desks["executive"]
    done = solved(market)
    hers = written(market, "nila")
    for other in (card, done, hers):
        with pytest.raises(CannotMerge):
            ticket_moves.merge_ticket(desk, card.id, other.id)
    with pytest.raises(NoSuchTicket):
        ticket_moves.merge_ticket(desk, card.id, written(market, "vikram").id)


def test_an_escalated_ticket_goes_up_the_line(market: Market) -> None:
    card = claimed(market, written(market))
    queue.escalate(market.desks["executive"], card.item_id, "She wants the manager")
    assert opened(market, card).card.level == 1
    with pytest.raises(NotAllowed):
        claimed(market, card)
    claimed(market, card, "admin")
    assert replied(market, card, who="admin")


def test_the_other_tickets_of_the_customer(market: Market) -> None:
    first = written(market)
    second = written(market)
    written(market, "nila")
    [other] = ticket_desk.other_tickets(market.desks["executive"], first.id)
    assert other.id == second.id
    claimed(market, second, "executive_two")
    ticket_moves.move_ticket(
        market.desks["executive_two"], second.id, market.branch_ids[BANER], "she banks there now"
    )
    assert ticket_desk.other_tickets(market.desks["executive"], first.id) == []


def test_a_claim_is_not_lost_by_the_time_a_reply_takes(market: Market) -> None:
    card = claimed(market, written(market))
    queues.later(market, minutes=45)
    assert replied(market, card), "nobody else has taken it meanwhile"
    with pytest.raises(work.SomebodyElseHasIt):
        queue.claim(market.desks["executive_two"], card.item_id)
    queues.later(market, minutes=45)
    queue.claim(market.desks["executive_two"], card.item_id)
    with pytest.raises(work.NotYours):
        replied(market, card, body="Too late")


@pytest.mark.feature("B12", "C9")
def test_who_works_on_a_ticket_keeps_it(market: Market) -> None:
    """A claim runs out while nothing happens, not while its owner writes."""
    card = claimed(market, written(market))
    for write in (
        lambda: replied(market, card, Then.STAY),
        lambda: ticket_desk.add_note(
            market.desks["executive"], card.id, "He called.", request_id=new_request_id()
        ),
    ):
        queues.later(market, minutes=25)
        write()
    queues.later(market, minutes=25)
    queue.release_timed_out(app.system_desk(market.bank))
    [row] = market.rows("SELECT status FROM work_items")
    assert row["status"] == "claimed"
    queues.later(market, minutes=5)
    queue.release_timed_out(app.system_desk(market.bank))
    [row] = market.rows("SELECT status FROM work_items")
    assert row["status"] == "unassigned"
