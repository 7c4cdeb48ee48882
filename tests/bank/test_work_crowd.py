"""Sixteen people at one queue: every item is decided once, by someone entitled, and its history and
clocks are what a replay on the business calendar, minute by minute, comes to."""

import random
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any, Final

import pytest

from bank import app
from bank.core import work
from bank.core.desk import Desk, chunk
from bank.core.errors import BankError
from bank.core.hours import Calendar
from bank.core.permissions import Role
from bank.core.work_tables import ITEMS, MOVES, W, WorkEvent
from bank.office import queue
from bank.people import identity
from tests.bank.test_work_clock import BOARD, Minutes
from tests.support import market as markets
from tests.support import queues
from tests.support.bank import NOON
from tests.support.market import BANER, FORT, Market
from tests.support.soak import times

CLAIM: Final = timedelta(minutes=30)  # of a ticket: data/seed/work_rules.csv
SOLVE: Final = {1: 720, 2: 1_800, 3: 3_600, 4: 5_400}
STAFF: Final = (
    *[(Role.EXECUTIVE, FORT)] * 8,
    *[(Role.EXECUTIVE, BANER)] * 3,
    (Role.BRANCH_ADMIN, FORT),
    (Role.BRANCH_ADMIN, BANER),
    (Role.REVIEWER, FORT),  # who has no tickets
    *[(Role.SUPER_ADMIN, None)] * 2,
)


def hire(market: Market) -> list[Desk]:
    """Sixteen people, and their desks."""
    with market.tx() as tx:
        users = [
            identity.add_user_row(
                tx,
                username=f"person.{number}",
                name=f"Person {number}",
                email=f"person{number}@bank.example.com",
                role=role,
                branch_id=market.branch_ids[ifsc] if ifsc else None,
                password_hash="$2b$04$" + "." * 53,
            )
            for number, (role, ifsc) in enumerate(STAFF)
        ]
        return [markets._desk(tx, user) for user in users]


def fill(market: Market, people: list[Desk], count: int, chance: random.Random) -> None:
    """Items of both branches and the head office, some for few and some not for one."""
    places = [market.branch_ids[FORT], market.branch_ids[FORT], market.branch_ids[BANER], None]
    roles: list[set[Role]] = [set(), set(), {Role.EXECUTIVE, Role.SUPER_ADMIN}, {Role.SUPER_ADMIN}]
    with market.tx() as tx:
        work.open_many(
            tx,
            [
                queues.new(
                    market,
                    number,
                    branch_id=chance.choice(places),
                    priority=chance.randint(1, 4),
                    for_roles=chance.choice(roles),
                    not_for=chance.choice([None, chance.choice(people).user_id]),
                )
                for number in range(1, count + 1)
            ],
        )


@contextmanager
def case_of(desk: Desk, item_id: int) -> Iterator[tuple[Any, Any]]:
    """What the owner of a case does: hold its item, see that it is one's own."""
    with chunk(desk, "tests.case") as tx:
        row = work.held(tx, item_id)
        work.check_owner(tx, row)
        yield tx, row


class Person:
    """One of the sixteen: does what comes to mind, and takes no for an answer."""

    def __init__(self, market: Market, desk: Desk, items: list[int], seed: int) -> None:
        self.market, self.desk, self.items = market, desk, items
        self.chance = random.Random(seed)
        self.refused = 0

    def one(self) -> None:
        """One deed."""
        mine = self.market.rows(
            "SELECT id FROM work_items WHERE status <> 'decided'"
            f" AND owner_id = {self.desk.user_id}"
        )
        own = [row["id"] for row in mine]
        target = self.chance.choice(own if own and self.chance.random() < 0.8 else self.items)
        deeds: list[Callable[[], object]] = [
            lambda: queue.claim_next(self.desk),
            lambda: queue.claim(self.desk, target),
            lambda: queue.claim_many(self.desk, self.chance.sample(self.items, 3)),
            lambda: queue.release(self.desk, target, "not now"),
            lambda: self.decide(target),
            lambda: self.decide(target),
            lambda: self.decide(target),
            lambda: self.ask(target),
            lambda: self.answer(target),
            lambda: queue.escalate(self.desk, target, "help"),
        ]
        try:
            self.chance.choices(deeds, [3, 2, 1, 1, 2, 2, 2, 1, 1, 0.5])[0]()
        except BankError:
            self.refused += 1

    def decide(self, item_id: int) -> None:
        with case_of(self.desk, item_id) as (tx, row):
            work.decide(tx, row, "solved")

    def ask(self, item_id: int) -> None:
        with case_of(self.desk, item_id) as (tx, row):
            work.ask(tx, row, "which account?")

    def answer(self, item_id: int) -> None:
        """Somebody outside answers; whose item it is does not matter."""
        with chunk(app.system_desk(self.market.bank), "tests.answer") as tx:
            work.answer(tx, work.item_of(tx, "ticket", item_id))

    def clear(self) -> None:
        """Towards the end: take and decide whatever one may."""
        while (item_id := queue.claim_next(self.desk)) is not None:
            self.decide(item_id)


def work_through(market: Market, crowd: list[Person], rounds: int, chance: random.Random) -> None:
    """All at once, then the clock moves and the sweeper comes; in the end nothing may be left."""
    with ThreadPoolExecutor(len(crowd)) as pool:
        for _ in range(rounds):
            start = threading.Barrier(len(crowd))

            def turn(person: Person, start: threading.Barrier = start) -> None:
                start.wait(60)
                for _ in range(6):
                    person.one()

            for done in [pool.submit(turn, person) for person in crowd]:
                done.result(300)
            queues.later(market, minutes=chance.choice([1, 5, 31, 240, 1_440]))
            queue.release_timed_out(app.system_desk(market.bank))
        for waiting in market.rows("SELECT subject_id FROM work_items WHERE status = 'waiting'"):
            crowd[0].answer(waiting["subject_id"])
        queues.later(market, minutes=31)
        queue.release_timed_out(app.system_desk(market.bank))
        for done in [pool.submit(person.clear) for person in crowd]:
            done.result(600)


class Promises:
    """Open minutes since the beginning, counted once, minute by minute."""

    def __init__(self, last: datetime) -> None:
        reference = Minutes(BOARD, {})
        span = int((last - NOON).total_seconds() // 60)
        flags = (reference.is_open(NOON + timedelta(minutes=at)) for at in range(span))
        self.until = [0, *accumulate(flags)]

    def between(self, start: datetime, end: datetime) -> int:
        """Open minutes between two whole minutes, negative when they stand the other way round."""
        at, to = (int((each - NOON).total_seconds() // 60) for each in (start, end))
        return self.until[to] - self.until[at]


def replay(events: list[Any], item: Any, promises: Promises) -> None:
    """The history of one item, checked step by step."""
    assert [event.act for event in events].count("decided") == 1
    assert events[0].act == "opened"
    state, owner, until, level = W.UNASSIGNED, None, None, 0
    running_since, ran = events[0].at, 0
    priority = int(item.title.removeprefix("P"))
    for event in events[1:]:
        assert state is not W.DECIDED, "nothing happens to what is decided"
        then = state
        if event.act == "claimed":
            assert owner is None or (until is not None and event.at >= until)
            state, owner, until = W.CLAIMED, event.actor_id, event.at + CLAIM
        elif event.act == "released":
            assert owner is not None
            state, owner = (state if state is W.WAITING else W.UNASSIGNED), None
        elif event.act == "timed out":
            assert until is not None
            assert event.at >= until
            state, owner = W.UNASSIGNED, None
        elif event.act == "escalated":
            state, owner = (state if state is W.WAITING else W.UNASSIGNED), None
            level, priority = level + 1, max(1, priority - 1)
        elif event.act == "asked":
            assert owner == event.actor_id
            state, until = W.WAITING, None
            ran += promises.between(running_since, event.at)
        elif event.act == "answered":
            state, until = (W.CLAIMED, event.at + CLAIM) if owner else (W.UNASSIGNED, None)
            running_since = event.at
        else:
            assert event.act == "decided"
            assert owner == event.actor_id == item.decided_by
            if state is W.CLAIMED:
                assert ran + promises.between(running_since, item.solve_due_at) == SOLVE[priority]
            state = W.DECIDED
        assert state is then or state in MOVES[then]
        assert event.owner_id == owner
    assert state is W.DECIDED is item.status
    assert priority == item.priority
    assert bool(level) is bool(item.level), "nobody else lifts it, and not always by one level"


def is_entitled(person: Desk, item: Any) -> bool:
    """Said anew, not as the bank says it."""
    return (
        (person.branch_id == item.branch_id or person.role is Role.SUPER_ADMIN)
        and person.role in {Role.EXECUTIVE, Role.BRANCH_ADMIN, Role.SUPER_ADMIN}
        and (not item.for_roles or person.role.value in item.for_roles.split())
        and person.user_id != item.not_for
        and (item.level == 0 or person.role is not Role.EXECUTIVE)
        and (item.level <= 1 or person.role is Role.SUPER_ADMIN)
    )


@pytest.mark.soak
@pytest.mark.feature("B12", "C9", "A13.1")
def test_sixteen_people_decide_every_item_once(market: Market) -> None:
    count, rounds = times(normal=120, soak=2_000), times(normal=5, soak=60)
    seed = times(normal=4711, soak=random.randrange(2**32))
    chance = random.Random(seed)
    people = hire(market)
    fill(market, people, count, chance)
    with market.tx() as tx:  # the first promise, kept where escalation does not reach
        tx.connection.exec_driver_sql("UPDATE work_items SET title = 'P' || priority")
    crowd = [
        Person(market, desk, [*range(1, count + 1)], seed + number)
        for number, desk in enumerate(people)
    ]
    work_through(market, crowd, rounds, chance)

    with market.bank.db.read() as connection:
        items = {row.id: row for row in connection.execute(ITEMS.select())}
        table = WorkEvent.__table__
        told = connection.execute(table.select().order_by(table.c.id)).all()
    history: dict[int, list[Any]] = defaultdict(list)
    for event in told:
        history[event.item_id].append(event)
    assert sum(person.refused for person in crowd) > count / 4, "they did get in each other's way"
    by_id = {person.user_id: person for person in people}
    last = max(item.solve_due_at for item in items.values() if item.solve_due_at)
    promises = Promises(max(last, market.bank.clock.now()) + timedelta(minutes=1))
    for item_id, item in items.items():
        assert item.status is W.DECIDED, (seed, item)
        replay(history[item_id], item, promises)
        assert is_entitled(by_id[item.decided_by], item), (seed, item)


def test_the_reference_and_the_calendar_are_not_the_same_code() -> None:
    """The replay would notice a clock that counts closed hours."""
    promises = Promises(NOON + timedelta(days=8))
    week = NOON + timedelta(days=7)
    assert promises.between(NOON, week) * 60 == Calendar(BOARD, {}).between(NOON, week)
    assert promises.between(NOON, week) < 7 * 24 * 60
