"""What was done to several items at once: said before, and taken back for a while by its doer."""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Final

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from bank import app
from bank.book.drafts import RequestReused
from bank.core import work
from bank.core.errors import BankError, NotAllowed
from bank.core.work_tables import W, WorkEvent
from bank.office import queue, queue_many
from bank.office.queue_many import BulkKind, Claimed, NothingToUndo, QueueRule, TooLateToUndo
from bank.people import away
from tests.support import queues
from tests.support.market import Market

pytestmark = pytest.mark.feature("B26")
ESHA, DEV = "executive", "executive_two"
SECONDS: Final = 60  # data/seed/queue_rules.csv
HELD: Final = (
    *("status", "owner_id", "owner_name", "claimed_at", "claimed_until", "assigned_by"),
    "rests_until",
)
CLOCKS: Final = ("first_due_at", "reply_due_at", "solve_due_at", "next_due_at", "priority", "level")


def user_id(market: Market, who: str) -> int:
    """The number of an employee."""
    found = market.desks[who].user_id
    assert found is not None
    return found


def state(market: Market, item_id: int) -> dict[str, Any]:
    """Where an item is and all its clocks."""
    row = queues.row_of(market, item_id)
    return {name: getattr(row, name) for name in (*HELD, *CLOCKS)}


def claim(market: Market, items: list[int], request: str = "r", who: str = ESHA) -> list[Claimed]:
    """Several are claimed."""
    return queue_many.claim_many(market.desks[who], items, request_id=request)


def hand(market: Market, items: list[int], request: str = "r", to: str = DEV) -> list[Claimed]:
    """Several are handed over by the lead of the branch."""
    return queue_many.reassign_many(
        market.desks["admin"], items, user_id(market, to), "he is back", request_id=request
    )


def undo(market: Market, request: str = "r", who: str = ESHA) -> dict[int, str | None]:
    """Undone; why not, by item."""
    found = queue_many.undo_many(market.desks[who], request)
    return {one.item_id: one.refused for one in found}


def lines(market: Market) -> int:
    """How many lines all histories have."""
    with market.bank.db.read() as connection:
        return connection.scalar(select(func.count()).select_from(WorkEvent)) or 0


# Before.


def test_what_would_become_of_each_is_said_and_nothing_is_done(market: Market) -> None:
    one, two, three = queues.opened(market, 3)
    queue.claim(market.desks[DEV], two)
    before, told = [state(market, item) for item in (one, two, three)], lines(market)
    ahead = queue_many.preview_claims(market.desks[ESHA], [three, two, 999, one])
    assert ahead == [
        Claimed(item_id=three),
        Claimed(item_id=two, refused="Dev Sen has this item since 12:00."),
        Claimed(item_id=999, refused=str(work.NoSuchItem())),
        Claimed(item_id=one),
    ]
    assert [state(market, item) for item in (one, two, three)] == before
    assert (lines(market), market.rows("SELECT * FROM bulk_acts")) == (told, [])
    assert claim(market, [three, two, 999, one]) == ahead, "and so it is then"


def test_what_a_hand_over_would_come_to_is_said(market: Market) -> None:
    one, decided = queues.opened(market, 2)
    [own] = queues.opened(market, not_for=user_id(market, DEV))
    queue.claim(market.desks[ESHA], decided)
    queues.decide(market, decided)
    admin, told = market.desks["admin"], lines(market)
    ahead = queue_many.preview_reassignments(admin, [one, decided, own], user_id(market, DEV))
    assert [each.refused for each in ahead] == [
        None,
        str(work.IsDecided()),
        str(queue.NotEntitled()),
    ]
    assert lines(market) == told
    assert hand(market, [one, decided, own]) == ahead
    with pytest.raises(NotAllowed):
        queue_many.preview_reassignments(market.desks[ESHA], [one], user_id(market, DEV))
    for many in (
        lambda: queue_many.preview_claims(admin, range(101)),
        lambda: queue_many.preview_reassignments(admin, range(101), user_id(market, DEV)),
    ):
        with pytest.raises(queue_many.TooManyAtOnce):
            many()


# After.


def test_claimed_items_go_back_and_their_deadlines_stay(market: Market) -> None:
    one, two, taken = queues.opened(market, 3)
    queue.claim(market.desks[DEV], taken)
    queue.claim(market.desks[ESHA], two)
    before = {item: state(market, item) for item in (one, two, taken)}
    assert [each.refused for each in claim(market, [one, two, taken])][:2] == [None, None]
    offered = queue_many.undoable(market.desks[ESHA])
    assert offered is not None
    assert (offered.request_id, offered.kind, offered.count) == ("r", BulkKind.CLAIM, 1)
    assert (offered.until - market.bank.clock.now()).total_seconds() == SECONDS
    queues.later(market, seconds=SECONDS - 1)
    assert undo(market) == {one: None}, "the second was hers before, and stays hers"
    assert {item: state(market, item) for item in before} == before
    assert queues.acts(market, one) == ["opened", "claimed", "undone"]
    assert queues.past(market, one)[-1].by == "Esha Iyer"
    assert queue_many.undoable(market.desks[ESHA]) is None
    assert undo(market) == {one: None}, "a second click"
    assert queues.acts(market, one) == ["opened", "claimed", "undone"]


def test_handed_over_items_go_back_to_whoever_had_them(market: Market) -> None:
    free, claimed, handed, waiting, lapsed = queues.opened(market, 5)
    queue.claim(market.desks[ESHA], lapsed)
    queues.later(market, minutes=31)
    queue.claim(market.desks[ESHA], claimed)
    queue.reassign(market.desks["admin"], handed, user_id(market, ESHA), "for you")
    queue.claim(market.desks[ESHA], waiting)
    queues.ask(market, waiting)
    with market.tx(market.desks[ESHA]) as tx:
        work.set_aside(tx, work.held(tx, claimed), tx.now + timedelta(hours=2), "at lunch")
    before = {item: state(market, item) for item in (free, claimed, handed, waiting)}
    assert before[claimed]["rests_until"] is not None
    items = [free, claimed, handed, waiting, lapsed]
    assert {each.refused for each in hand(market, items)} == {None}
    assert all(queues.seen(market, item).owner_name == "Dev Sen" for item in items)
    assert set(undo(market, who="admin").values()) == {None}
    assert {item: state(market, item) for item in before} == before
    row = queues.row_of(market, lapsed)
    assert (row.status, row.owner_id) == (W.UNASSIGNED, None), "its claim had run out"


def test_what_was_worked_on_since_stays(market: Market) -> None:
    kept, asked, released, prolonged = queues.opened(market, 4)
    claim(market, [kept, asked, released, prolonged])
    queues.later(market, seconds=10)
    queues.ask(market, asked)
    queue.release(market.desks[ESHA], released)
    queue.claim(market.desks[DEV], released)
    with market.tx(market.desks[ESHA]) as tx:
        work.go_on(tx, work.held(tx, prolonged))
    before = {item: state(market, item) for item in (asked, released, prolonged)}
    offered = queue_many.undoable(market.desks[ESHA])
    assert offered is not None
    assert undo(market) == {
        kept: None,
        asked: "You have worked on it since (asked). It stays as it is.",
        released: "You have worked on it since (released). It stays as it is.",
        prolonged: "You have worked on it since. It stays as it is.",
    }
    assert {item: state(market, item) for item in before} == before
    [item] = queues.opened(market)
    hand(market, [item], "s")
    queue.claim(market.desks[DEV], item)
    said = "Dev Sen has worked on it since (claimed). It stays as it is."
    assert undo(market, "s", "admin") == {item: said}


def test_nothing_goes_back_to_somebody_who_is_not_here(market: Market) -> None:
    one, two = queues.opened(market, 2)
    queue.claim(market.desks[ESHA], one)
    hand(market, [one, two])
    with market.tx() as tx:
        tx.session.add(
            away.Absence(
                user_id=user_id(market, ESHA),
                first_day=tx.business_date,
                last_day=tx.business_date,
                reason="ill",
                recorded_by=user_id(market, "admin"),
                recorded_at=tx.now,
            )
        )
    refused = undo(market, who="admin")
    assert refused[two] is None
    assert "Esha Iyer is away" in (refused[one] or "")
    assert queues.seen(market, one).owner_name == "Dev Sen"


# Who and when.


def test_only_its_doer_undoes_and_only_for_a_while(market: Market) -> None:
    items = queues.opened(market, 2)
    claim(market, items)
    for who, request in ((DEV, "r"), ("admin", "r"), (ESHA, "another")):
        with pytest.raises(NothingToUndo):
            queue_many.undo_many(market.desks[who], request)
    assert queue_many.undoable(market.desks[DEV]) is None
    queues.later(market, seconds=SECONDS)
    assert queue_many.undoable(market.desks[ESHA]) is None
    with pytest.raises(TooLateToUndo):
        undo(market)
    assert queues.seen(market, items[0]).owner_name == "Esha Iyer"
    with pytest.raises(NotAllowed):
        queue_many.undo_many(market.desks["asha"], "r")


@pytest.mark.parametrize("seconds", [0, 300])
def test_a_dated_rule_says_how_long(market: Market, seconds: int) -> None:
    with market.tx() as tx:
        tx.session.add(
            QueueRule(
                name="undo_seconds",
                effective_from=tx.business_date,
                value=seconds,
                source="a test",
            )
        )
    [item] = queues.opened(market)
    claim(market, [item])
    queues.later(market, seconds=max(0, seconds - 1))
    assert (queue_many.undoable(market.desks[ESHA]) is None) == (seconds == 0)
    if seconds:
        assert undo(market) == {item: None}
    else:
        with pytest.raises(TooLateToUndo):
            undo(market)


def test_the_newest_that_can_still_be_undone_is_offered(market: Market) -> None:
    one, two = queues.opened(market, 2)
    claim(market, [one], "first")
    queues.later(market, seconds=5)
    claim(market, [two], "second")
    for request in ("second", "first"):
        offered = queue_many.undoable(market.desks[ESHA])
        assert offered is not None
        assert offered.request_id == request
        undo(market, request)
    assert queue_many.undoable(market.desks[ESHA]) is None


# The same request.


def test_a_second_click_gives_the_first_answer(market: Market) -> None:
    one, two = queues.opened(market, 2)
    queue.claim(market.desks[DEV], two)
    first = claim(market, [two, one])
    queue.release(market.desks[DEV], two)
    assert claim(market, [two, one]) == first
    assert queues.acts(market, one) == ["opened", "claimed"]
    for other in (
        lambda: claim(market, [one]),
        lambda: claim(market, [one, two], who=DEV),
        lambda: hand(market, [one, two]),
    ):
        with pytest.raises(RequestReused):
            other()
    assert hand(market, [one], "h") == hand(market, [one], "h")
    assert queues.acts(market, one) == ["opened", "claimed", "re-assigned"]
    with pytest.raises(RequestReused):
        hand(market, [one], "h", to=ESHA)


def test_of_eight_clicks_at_once_one_counts(market: Market) -> None:
    items = queues.opened(market, 3)
    start = threading.Barrier(8)

    def click(_number: int) -> list[Claimed]:
        start.wait(60)
        return hand(market, items)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(click, range(8)))
    assert answers == [[Claimed(item_id=item) for item in items]] * 8
    assert all(queues.acts(market, item) == ["opened", "re-assigned"] for item in items)


def test_the_record_is_never_changed(market: Market) -> None:
    claim(market, queues.opened(market))
    for sql in (
        "UPDATE bulk_acts SET by_id = 1",
        "DELETE FROM bulk_items",
        "UPDATE bulk_items SET event_id = NULL",
        "DELETE FROM bulk_acts",
    ):
        with pytest.raises(DBAPIError, match="never changed or deleted"), market.tx() as tx:
            tx.connection.exec_driver_sql(sql)


@pytest.mark.parametrize("seed", range(3))
def test_an_undo_among_others_puts_back_what_nobody_touched_and_nothing_else(
    market: Market, seed: int
) -> None:
    """Half of the items are claimed at once and undone while others take, release and hand on.

    Whatever order that came in: an item's history that ends with the undo left it as it was, and of
    one that says why not somebody else's act came first.
    """
    chance = random.Random(seed)
    items = queues.opened(market, 12)
    start = threading.Barrier(3)
    refused: dict[int, str | None] = {}

    def others(who: str) -> None:
        mine = random.Random(f"{seed} {who}")
        deeds: list[Callable[[int], object]] = [
            lambda item: queue.claim(market.desks[who], item),
            lambda item: queue.release(market.desks[who], item, "not now"),
        ]
        if who == "admin":
            deeds.append(lambda item: queue.reassign(
                market.desks[who], item, user_id(market, DEV), "for you"
            ))  # fmt: skip
        start.wait(60)
        for _ in range(15):
            try:
                mine.choice(deeds)(mine.choice(items))
            except BankError:
                continue

    def bulk() -> None:
        start.wait(60)
        claim(market, chance.sample(items, 8))
        refused.update(undo(market))

    with ThreadPoolExecutor(3) as pool:
        running = [pool.submit(others, who) for who in (DEV, "admin")]
        running.append(pool.submit(bulk))
        for each in running:
            each.result(120)
    done = market.rows("SELECT item_id, event_id FROM bulk_items WHERE event_id IS NOT NULL")
    assert {row["item_id"] for row in done} == set(refused)
    for row in done:
        after = market.rows(
            f"SELECT act, owner_id FROM work_events WHERE item_id = {row['item_id']}"
            f" AND id > {row['event_id']} ORDER BY id"
        )
        if refused[row["item_id"]] is None:
            assert (after[0]["act"], after[0]["owner_id"]) == ("undone", None)
        else:
            assert after
            assert "undone" not in [each["act"] for each in after]
    for item in items:  # what stands in the table is what the last line says
        last = queues.past(market, item)[-1]
        assert queues.seen(market, item).owner_name == last.owner
    queue.release_timed_out(app.system_desk(market.bank))
