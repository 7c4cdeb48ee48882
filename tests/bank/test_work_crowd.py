"""Sixteen people at one queue: every item is decided once each time it was open, by someone
entitled, and its history and every column of its clocks are what a replay on the business calendar,
minute by minute, comes to. The window holds a holiday of the bank and one of a branch.
"""

import random
import threading
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from typing import Any, Final

import pytest
from sqlalchemy import func, select

from bank import app
from bank.core import hours, work
from bank.core.clock import INDIA, FixedClock
from bank.core.desk import Desk, chunk
from bank.core.errors import BankError, WrongState
from bank.core.hours import Calendar, Holiday
from bank.core.ids import new_request_id
from bank.core.permissions import Role
from bank.core.work_tables import ITEMS, MOVES, W, WorkEvent
from bank.office import queue, queue_many
from bank.people import identity
from tests.bank.test_work_clock import BOARD, Minutes
from tests.support import market as markets
from tests.support import queues
from tests.support.market import BANER, FORT, Market
from tests.support.soak import times

# Open minutes of a ticket by priority: data/seed/work_rules.csv, data/seed/work_spans.csv.
CLAIM: Final = 30
FIRST: Final = {1: 60, 2: 180, 3: 360, 4: 720}
REPLY: Final = {1: 60, 2: 180, 3: 360, 4: 720}
SOLVE: Final = {1: 720, 2: 1_800, 3: 3_600, 4: 5_400}
ASSIGNED: Final = {1: 120, 2: 360, 3: 720, 4: 720}
PROMISED: Final = {"first": FIRST, "reply": REPLY, "solve": SOLVE}
START: Final = datetime(2026, 4, 29, 12, tzinfo=INDIA).astimezone(UTC)  # a Wednesday
JATRA: Final = date(2026, 4, 30)  # of Fort alone
MAHARASHTRA_DAY: Final = date(2026, 5, 1)  # of the whole bank: data/seed/holidays.csv
STEPS: Final = (1, 5, 31, 240, 1_440, 1_440)  # minutes between two rounds
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
    """Items of both branches and the head office, some for few and some not for one; Fort has a
    holiday of its own."""
    assert isinstance(market.bank.clock, FixedClock)
    market.bank.clock.at = START
    with market.tx() as tx:
        fort = market.branch_ids[FORT]
        tx.session.add(Holiday(day=JATRA, branch_id=fort, name="Jatra", source="a test"))
    hours.forget(market.bank.db)
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


TAKEN_UP: Final = "taken up again"  # by the owner, so that no reply is owed for it


class Person:
    """One of the sixteen: does what comes to mind, and takes no for an answer."""

    def __init__(
        self, market: Market, desk: Desk, items: list[int], people: list[Desk], seed: int
    ) -> None:
        self.market, self.desk, self.items, self.people = market, desk, items, people
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
        deeds: dict[Callable[[], object], float] = {
            lambda: queue.claim_next(self.desk): 3,
            lambda: queue.claim(self.desk, target): 2,
            lambda: self.claim_many(): 1,
            lambda: queue.release(self.desk, target, "not now"): 1,
            lambda: self.decide(target): 6,
            lambda: self.reply(target): 6,
            lambda: self.ask(target): 2,
            lambda: self.taken_up_again(target): 0.5,
            lambda: self.hear(target): 4,
            lambda: self.reopen(self.chance.choice(self.items)): 1,
            lambda: queue.escalate(self.desk, target, "help"): 0.5,
            lambda: self.hand_over(target): 2,
        }
        try:
            self.chance.choices([*deeds], [*deeds.values()])[0]()
        except BankError:
            self.refused += 1

    def claim_many(self) -> None:
        some = self.chance.sample(self.items, 3)
        queue_many.claim_many(self.desk, some, request_id=new_request_id())

    def decide(self, item_id: int) -> None:
        with case_of(self.desk, item_id) as (tx, row):
            work.decide(tx, row, "solved")

    def ask(self, item_id: int) -> None:
        with case_of(self.desk, item_id) as (tx, row):
            work.ask(tx, row, "which account?")

    def reply(self, item_id: int) -> None:
        with case_of(self.desk, item_id) as (tx, row):
            work.replied(tx, row)

    def taken_up_again(self, item_id: int) -> None:
        with case_of(self.desk, item_id) as (tx, row):
            work.answer(tx, row, TAKEN_UP)

    def hand_over(self, item_id: int) -> None:
        to = self.chance.choice(self.people).user_id
        assert to is not None
        queue.reassign(self.desk, item_id, to, "for you")

    def hear(self, item_id: int) -> None:
        """The customer writes; whose item it is does not matter."""
        with chunk(app.system_desk(self.market.bank), "tests.hear") as tx:
            row = work.item_of(tx, "ticket", item_id)
            if row.status is W.DECIDED:
                raise WrongState
            work.hear(tx, row, "the customer wrote")

    def reopen(self, item_id: int) -> None:
        """The customer says that it is not solved."""
        with chunk(app.system_desk(self.market.bank), "tests.reopen") as tx:
            work.reopen(tx, work.item_of(tx, "ticket", item_id), "not solved")

    def converse(self) -> None:
        """A case with an answer, a question and an answer: one there is, whatever the crowd did."""
        for item_id in self.items:
            try:
                queue.claim(self.desk, item_id)
            except BankError:
                continue
            self.reply(item_id)
            self.ask(item_id)
            self.hear(item_id)
            self.reply(item_id)
            return
        raise AssertionError("nothing was left to claim")

    def clear(self) -> None:
        """Towards the end: take and decide whatever one may."""
        while (item_id := queue.claim_next(self.desk)) is not None:
            self.decide(item_id)


@dataclass
class Snapshot:
    """Every item as it stood at one moment, with the last line of its history."""

    at: datetime
    items: dict[int, Any]
    last_event: dict[int, int]


def snapshot(market: Market) -> Snapshot:
    """Nobody is at work when this is taken."""
    table = WorkEvent.__table__
    with market.bank.db.read() as connection:
        items = {row.id: row for row in connection.execute(ITEMS.select())}
        last = connection.execute(
            select(table.c.item_id, func.max(table.c.id)).group_by(table.c.item_id)
        )
        return Snapshot(market.bank.clock.now(), items, {item_id: at for item_id, at in last})


def work_through(
    market: Market, crowd: list[Person], rounds: int, chance: random.Random
) -> list[Snapshot]:
    """All at once, then the clock moves and the sweeper comes; in the end nothing may be left."""
    taken: list[Snapshot] = []

    def sweep(minutes: int) -> None:
        queues.later(market, minutes=minutes)
        queue.release_timed_out(app.system_desk(market.bank))
        taken.append(snapshot(market))

    with ThreadPoolExecutor(len(crowd)) as pool:
        for at in range(rounds):
            start = threading.Barrier(len(crowd))

            def turn(person: Person, start: threading.Barrier = start) -> None:
                start.wait(60)
                for _ in range(6):
                    person.one()

            for done in [pool.submit(turn, person) for person in crowd]:
                done.result(300)
            if at % len(STEPS) == 0:
                steps = chance.sample(STEPS, len(STEPS))
            sweep(steps[at % len(STEPS)])
        for waiting in market.rows("SELECT subject_id FROM work_items WHERE status = 'waiting'"):
            crowd[0].hear(waiting["subject_id"])
        crowd[0].converse()
        sweep(minutes=20 * 1_440)  # no claim and no assignment outlives that
        for done in [pool.submit(person.clear) for person in crowd]:
            done.result(600)
    taken.append(snapshot(market))
    return taken


class Promises:
    """Open minutes of one place since long before the beginning, counted once, minute by minute."""

    def __init__(self, holidays: dict[date, str]) -> None:
        self.first = START - timedelta(days=60)
        reference = Minutes(BOARD, holidays)
        flags = [reference.is_open(self.first + timedelta(minutes=at)) for at in range(260 * 1_440)]
        self.open = flags
        self.until = [0, *accumulate(flags)]

    def number(self, at: datetime) -> int:
        """Which minute that is."""
        minutes, rest = divmod((at - self.first).total_seconds(), 60)
        assert rest == 0
        return int(minutes)

    def between(self, start: datetime, end: datetime) -> int:
        """Open minutes between two whole minutes, negative when they stand the other way round."""
        return self.until[self.number(end)] - self.until[self.number(start)]

    def after(self, start: datetime, minutes: int) -> datetime:
        """When so many open minutes have passed; before `start` when they are less than none."""
        at = self.number(start)
        target = self.until[at] + minutes
        if minutes > 0:
            found = bisect_left(self.until, target)
        elif minutes < 0:
            found = bisect_right(self.until, target) - 1
        else:  # now, also in the minute of closing; else when it opens next
            found = at if self.open[at] or self.open[at - 1] else self.open.index(True, at)
        return self.first + timedelta(minutes=found)


@dataclass
class Model:
    """One item, as its history alone has it. Of each clock either the deadline or the rest."""

    promises: Promises
    admin_may: bool
    priority: int
    due: dict[str, datetime] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    state: W = W.UNASSIGNED
    owner: int | None = None
    assigned_by: int | None = None
    until: datetime | None = None
    level: int = 0

    def begin(self, at: datetime) -> None:
        """A new promise."""
        self.left = {}
        self.due = {
            clock: self.promises.after(at, PROMISED[clock][self.priority])
            for clock in ("first", "solve")
        }

    def act(self, event: Any) -> None:
        """What a line of the history does."""
        self._acts()[event.act](event)

    def _acts(self) -> dict[str, Callable[[Any], None]]:
        return {
            "claimed": self._claimed,
            "re-assigned": self._handed,
            "released": self._put_back,
            "timed out": self._timed_out,
            "not taken up": self._timed_out,
            "escalated": self._escalated,
            "asked": self._asked,
            "answered": self._answered,
            "wrote": self._wrote,
            "first reply": self._replied,
            "reply": self._replied,
            "decided": self._decided,
            "re-opened": self._reopened,
        }

    def _claimed(self, event: Any) -> None:
        end = self.promises.after(event.at, CLAIM)
        if self.owner == event.actor_id and self.until is not None and self.until > event.at:
            assert self.assigned_by is not None, "a second claim of one's own leaves no trace"
            end = max(end, self.until)
        else:
            assert self.owner is None or (self.until is not None and self.until <= event.at)
        self.state, self.owner, self.until = W.CLAIMED, event.actor_id, end
        self.assigned_by = None

    def _handed(self, event: Any) -> None:
        self.owner, self.assigned_by = event.owner_id, event.actor_id
        if self.state is not W.WAITING:
            self.state = W.CLAIMED
            self.until = self.promises.after(event.at, ASSIGNED[self.priority])

    def _put_back(self, _event: Any) -> None:
        self.state = self.state if self.state is W.WAITING else W.UNASSIGNED
        self.owner = self.assigned_by = self.until = None

    def _timed_out(self, event: Any) -> None:
        assert self.until is not None
        assert self.until <= event.at
        assert (event.act == "not taken up") == (self.assigned_by is not None)
        self._put_back(event)

    def _escalated(self, event: Any) -> None:
        self._put_back(event)
        self.level = 1 if self.level == 0 and self.admin_may else 2
        sooner = max(1, self.priority - 1)
        for clock, promised in PROMISED.items():
            more = promised[sooner] - promised[self.priority]
            if clock in self.due:
                self.due[clock] = self.promises.after(self.due[clock], more)
            if clock in self.left:
                self.left[clock] += more
        self.priority = sooner

    def _asked(self, event: Any) -> None:
        assert self.owner == event.actor_id
        self.left = {clock: self.promises.between(event.at, due) for clock, due in self.due.items()}
        self.due, self.state, self.until = {}, W.WAITING, None

    def _answered(self, event: Any) -> None:
        assert self.state is W.WAITING
        self.due = {clock: self.promises.after(event.at, left) for clock, left in self.left.items()}
        self.left = {}
        if event.note != TAKEN_UP:
            self._wrote(event)
        self.state = W.UNASSIGNED
        if self.owner is not None:
            self.state = W.CLAIMED
            minutes = CLAIM if self.assigned_by is None else ASSIGNED[self.priority]
            self.until = self.promises.after(event.at, minutes)

    def _wrote(self, event: Any) -> None:
        if not {"first", "reply"} & set(self.due):
            self.due["reply"] = self.promises.after(event.at, REPLY[self.priority])
        else:
            assert event.act == "answered", "what owes a reply already is not written down again"

    def _replied(self, event: Any) -> None:
        assert self.owner == event.actor_id
        assert ("first" in {**self.due, **self.left}) == (event.act == "first reply")
        for clock in ("first", "reply"):
            self.due.pop(clock, None)
            self.left.pop(clock, None)

    def _decided(self, event: Any) -> None:
        assert self.owner == event.actor_id
        self.due = {clock: due for clock, due in self.due.items() if clock == "solve"}
        self.left, self.state, self.until, self.assigned_by = {}, W.DECIDED, None, None

    def _reopened(self, event: Any) -> None:
        assert self.state is W.DECIDED
        self.state, self.owner = W.UNASSIGNED, None
        self.begin(event.at)

    def columns(self) -> dict[str, Any]:
        """What must stand in the table."""
        clocks = {f"{clock}_due_at": self.due.get(clock) for clock in PROMISED}
        rests = {
            f"{clock}_left_seconds": None if clock not in self.left else self.left[clock] * 60
            for clock in PROMISED
        }
        runs = self.state is not W.DECIDED
        return {
            **clocks,
            **rests,
            "next_due_at": min(self.due.values(), default=None) if runs else None,
            "status": self.state,
            "owner_id": self.owner,
            "assigned_by": self.assigned_by,
            "claimed_until": self.until,
            "level": self.level,
            "priority": self.priority,
        }


def replay(
    events: list[Any], item: Any, model: Model, people: dict[int | None, Desk], seen: list[Snapshot]
) -> None:
    """The history of one item, checked step by step, and how it stood after each round."""
    assert events[0].act == "opened"
    model.begin(events[0].at)
    waiting = iter(seen)
    next_seen = next(waiting, None)
    for at, event in enumerate(events):
        then = model.state
        if at:
            assert then is not W.DECIDED or event.act == "re-opened", "it stays decided"
            model.act(event)
        assert model.state is then or model.state in MOVES[then]
        assert event.owner_id == model.owner
        if event.act == "decided":
            level = model.level
            assert is_entitled(people[event.actor_id], item, level), (item, level)
        while next_seen is not None and next_seen.last_event[item.id] == event.id:
            row = next_seen.items[item.id]._mapping
            wanted = model.columns()
            assert {name: row[name] for name in wanted} == wanted, (item, next_seen.at, event)
            assert model.state is not W.CLAIMED or model.until > next_seen.at  # type: ignore[operator]
            next_seen = next(waiting, None)
    assert next_seen is None, "every snapshot was compared"
    counts = {act: sum(event.act == act for event in events) for act in ("decided", "re-opened")}
    assert counts["decided"] == counts["re-opened"] + 1
    assert model.state is W.DECIDED


def is_entitled(person: Desk, item: Any, level: int) -> bool:
    """Said anew, not as the bank says it."""
    return (
        (person.branch_id == item.branch_id or person.role is Role.SUPER_ADMIN)
        and person.role in {Role.EXECUTIVE, Role.BRANCH_ADMIN, Role.SUPER_ADMIN}
        and (not item.for_roles or person.role.value in item.for_roles.split())
        and person.user_id != item.not_for
        and (level == 0 or person.role is not Role.EXECUTIVE)
        and (level <= 1 or person.role is Role.SUPER_ADMIN)
    )


@pytest.mark.soak
@pytest.mark.feature("B12", "C9", "A13.1")
def test_sixteen_people_decide_every_item_once(market: Market) -> None:
    count, rounds = times(normal=120, soak=2_000), times(normal=6, soak=60)
    seed = times(normal=4711, soak=random.randrange(2**32))
    chance = random.Random(seed)
    people = hire(market)
    fill(market, people, count, chance)
    with market.tx() as tx:  # the first promise, kept where escalation does not reach
        tx.connection.exec_driver_sql("UPDATE work_items SET title = 'P' || priority")
    crowd = [
        Person(market, desk, [*range(1, count + 1)], people, seed + number)
        for number, desk in enumerate(people)
    ]
    seen = work_through(market, crowd, rounds, chance)

    table = WorkEvent.__table__
    with market.bank.db.read() as connection:
        told = connection.execute(table.select().order_by(table.c.id)).all()
    history: dict[int, list[Any]] = defaultdict(list)
    for event in told:
        history[event.item_id].append(event)
    assert sum(person.refused for person in crowd) > count / 4, "they did get in each other's way"
    by_id = {person.user_id: person for person in people}
    everywhere = {MAHARASHTRA_DAY: "Maharashtra Day"}
    bank = Promises(everywhere)
    promises = {
        None: bank,
        market.branch_ids[BANER]: bank,
        market.branch_ids[FORT]: Promises({**everywhere, JATRA: "Jatra"}),
    }
    for item_id, item in seen[-1].items.items():
        roles = item.for_roles.split()
        admin_may = item.branch_id is not None and (not roles or "branch_admin" in roles)
        first = int(item.title.removeprefix("P"))
        model = Model(promises[item.branch_id], admin_may, first)
        try:
            replay(history[item_id], item, model, by_id, seen)
        except AssertionError as wrong:
            wrong.add_note(f"seed {seed}, item {item_id}: {history[item_id]}")
            raise
    acts = {event.act for event in told}
    assert acts >= set(Model(bank, admin_may=True, priority=1)._acts()) - {"not taken up"}, acts
    assert {event.act for event in told if event.at.astimezone(INDIA).date() == JATRA}


def test_the_reference_and_the_calendar_are_not_the_same_code() -> None:
    """The replay would notice a clock that counts closed hours, or a holiday that is none."""
    holidays = {JATRA: "Jatra", MAHARASHTRA_DAY: "Maharashtra Day"}
    promises, calendar = Promises(holidays), Calendar(BOARD, holidays)
    week = START + timedelta(days=7)
    assert promises.between(START, week) * 60 == calendar.between(START, week)
    assert promises.between(START, week) == (7 - 1 - 2) * 360, "a Sunday and two holidays"
    for minutes in (-1_000, -361, -1, 0, 1, 239, 240, 241, 5_400):
        assert promises.after(START, minutes) == calendar.after(START, minutes * 60)
