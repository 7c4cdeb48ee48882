"""What people do with the items of their queues: claim, release, hand over, escalate.

The first click wins, by the lock on the row; everybody else is told who has it. What is decided is
decided by the owner of the case (`office/tickets.py`), never here.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, delete, select

from bank.core import work, work_clocks, work_rights, work_rows
from bank.core.db import marks
from bank.core.desk import Desk, Tx, chunk, command, flow, looking, note, query
from bank.core.errors import BankError, NotAllowed, WrongState
from bank.core.permissions import GRANTS, STAFF, Permission, Role
from bank.core.work_rights import Employee
from bank.core.work_tables import ITEMS, KINDS, Level, Priority, W, WorkLook
from bank.office import handed
from bank.office.queue_lists import to_take
from bank.office.queue_order import most_pressing
from bank.people import absences, away
from bank.people.identity import NoSuchUser, User

SWEPT_AT_ONCE: Final = 500
SWEEP_EVERY_SECONDS: Final = 30
LOOKING_SECONDS: Final = 30  # how long somebody counts as looking after their page last said so


class NotEntitled(NotAllowed):
    """This colleague may not work on such an item. Choose somebody of its branch who may."""


class TopOfTheLine(WrongState):
    """This is with the head office already. There is nobody further up."""


class NobodyUpTheLine(WrongState):
    """Nobody further up may take such an item. Ask a colleague, or your lead."""


@dataclass(frozen=True, kw_only=True)
class Colleague:
    """Somebody who may take an item."""

    user_id: int
    name: str
    role: Role


@command(Permission.WORK_DO)
def claim(tx: Tx, item_id: int) -> None:
    """Take an item: the first click wins. One's own item once more is no mistake."""
    row = work.held(tx, item_id)
    tx.concerns("work item", item_id)
    work.take(tx, row)


@command(Permission.WORK_DO)
def claim_next(tx: Tx, kinds: tuple[str, ...] = ()) -> int | None:
    """Take the most pressing free item of these kinds; its id, or None when there is none.

    Nothing comes to who is recorded as away; what they claim themselves they may.
    """
    away.check_own(tx)
    free = (
        ITEMS.c.status == W.UNASSIGNED,
        # What ran out a moment ago, before the worker has put it back. Apart from the first: with
        # an OR no index would give the order.
        _timed_out(tx),
    )
    for is_free in free:
        passed_over: list[int] = []
        while (row := _next(tx, is_free, kinds, passed_over)) is not None:
            try:
                work.take(tx, row)
            except BankError:  # an interest in the account, say: raised before anything is written
                passed_over.append(row.id)
                continue
            tx.concerns("work item", row.id)
            return int(row.id)
    return None


@command(Permission.WORK_DO)
def release(tx: Tx, item_id: int, why: str = "") -> None:
    """Give one's own item back to the queue; who leads may release anybody's, saying why."""
    row = work.held(tx, item_id)
    tx.concerns("work item", item_id)
    if row.status is W.DECIDED:
        raise work.IsDecided
    if row.owner_id != tx.desk.user_id:
        if not work_rights.leads(tx.desk) or row.owner_id is None:
            raise work.NotYours
        _not_about_oneself(tx, row)
        why = work.clean_note(why)
    work.put_back(tx, row, "released", work.clean_note(why, may_be_empty=True))


@command(Permission.WORK_LEAD)
def reassign(tx: Tx, item_id: int, user_id: int, why: str) -> None:
    """Hand an item to a colleague who may work on it, saying why."""
    row = work.held(tx, item_id)
    tx.concerns("work item", item_id)
    note_text = work.clean_note(why)
    hand_to(tx, row, user_id, note_text)


@command(Permission.WORK_DO)
def escalate(tx: Tx, item_id: int, why: str) -> None:
    """Send an item up the line: to the branch's lead, from there to the head office."""
    row = work.held(tx, item_id)
    tx.concerns("work item", item_id)
    note_text = work.clean_note(why)
    is_anothers = row.owner_id is not None and row.owner_id != tx.desk.user_id
    if is_anothers and not work_rights.leads(tx.desk):
        raise work.NotYours
    if row.status is W.DECIDED:
        raise work.IsDecided
    _not_about_oneself(tx, row)
    if row.level >= Level.HEAD:
        raise TopOfTheLine
    level = _level_above(row)
    if level is None:
        raise NobodyUpTheLine
    sooner = work_clocks.under_priority(tx, row, max(Priority.URGENT, row.priority - 1))
    more = {**sooner, "level": level}
    if row.status is W.UNASSIGNED:
        work.change(tx, row, more, "escalated", note_text)
    else:
        work.put_back(tx, row, "escalated", note_text, **more)


@query(Permission.WORK_LEAD)
def colleagues(tx: Tx, item_id: int) -> Sequence[Colleague]:
    """List who may be handed an item and is not away."""
    row = work_rows.by_id(tx, item_id)
    if row is None or not work_rights.may_see(tx.desk, row):
        raise work.NoSuchItem
    return [
        Colleague(user_id=one.id, name=one.name, role=one.role)
        for one in work_rights.entitled(tx, employees_here(tx), row)
    ]


@query(Permission.WORK_LEAD)
def takers(tx: Tx) -> Sequence[Colleague]:
    """List who does work that this desk hands out and is not away, by name."""
    return [
        Colleague(user_id=one.id, name=one.name, role=one.role)
        for one in employees_here(tx)
        if Permission.WORK_DO in GRANTS[one.role] and _is_near(tx, one)
    ]


@query(Permission.WORK_DO)
def owners(tx: Tx) -> dict[int, str]:
    """List who may have an item that this desk sees, by name, whether they are here or away."""
    return {
        one.id: one.name
        for one in _employees(tx)
        if Permission.WORK_DO in GRANTS[one.role] and _is_near(tx, one)
    }


@flow(Permission.WORK_DO)
def look(desk: Desk, item_id: int) -> list[str]:
    """Say that this person has an item before their eyes; answers who else has."""
    with note(desk) as tx:
        now = tx.stamp(tx.now)
        since = tx.stamp(tx.now - timedelta(seconds=LOOKING_SECONDS))
        row = work_rows.by_id(tx, item_id)
        if row is None or not work_rights.may_see(desk, row):
            raise work.NoSuchItem
        tx.cursor.execute(
            marks(
                tx.dialect,
                "INSERT INTO work_looks (item_id, user_id, name, at) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (item_id, user_id) DO UPDATE SET at = excluded.at",
            ),
            (item_id, desk.user_id, desk.name, now),
        )
        tx.cursor.execute(
            marks(
                tx.dialect,
                "SELECT name FROM work_looks WHERE item_id = ? AND user_id <> ? AND at > ?"
                " ORDER BY name",
            ),
            (item_id, desk.user_id, since),
        )
        return [name for (name,) in tx.cursor.fetchall()]


@flow(Permission.WORK_SWEEP)
def release_timed_out(desk: Desk) -> int:
    """Put items whose claim has run out back into the queue; answers how many."""
    total = 0
    while True:
        with chunk(desk, "office.queue.release_timed_out") as tx:
            rows = tx.connection.execute(
                select(ITEMS)
                .where(_timed_out(tx))
                .order_by(ITEMS.c.id)
                .limit(SWEPT_AT_ONCE)
                .with_for_update(skip_locked=True)
            ).all()
            for row in rows:
                is_handed = row.assigned_by is not None
                work.put_back(tx, row, "not taken up" if is_handed else "timed out")
            handed.tell(tx, [row for row in rows if row.assigned_by is not None])
            old = tx.now - timedelta(seconds=LOOKING_SECONDS)
            tx.connection.execute(delete(WorkLook).where(WorkLook.at <= old))
            tx.facts["released"] = len(rows)
        total += len(rows)
        if len(rows) < SWEPT_AT_ONCE:
            return total


def release_forever(desk: Desk, stop: threading.Event) -> None:
    """Put back what has run out, and hand over what those hold whose absence has begun, twice a
    minute until `stop` is set (a thread of `serve`)."""
    while not stop.wait(SWEEP_EVERY_SECONDS):
        with looking(desk) as tx:
            is_due = tx.connection.execute(
                select(ITEMS.c.id).where(_timed_out(tx)).limit(1)
            ).first()
            has_gone = away.is_any_due(tx)
        if has_gone:
            absences.begin_absences(desk)
        if is_due is not None:
            release_timed_out(desk)


def hand_to(tx: Tx, row: Any, user_id: int, note_text: str) -> None:
    """Hand a held item to a colleague, or raise why not before anything is written."""
    if row.status is W.DECIDED:
        raise work.IsDecided
    _not_about_oneself(tx, row)
    one = colleague(tx, user_id)
    if not work_rights.entitled(tx, [one], row):
        raise NotEntitled
    work.give_to(tx, row, one.id, one.name, "re-assigned", note_text)


def colleague(tx: Tx, user_id: int) -> Employee:
    """Somebody who works here and is not away, or NoSuchUser or IsAway."""
    user = tx.session.get(User, user_id)
    if user is None or not user.active:
        raise NoSuchUser(field="colleague")
    away.check_here(tx, user.id, user.name, field="colleague")
    return Employee(user.id, user.name, user.role, user.branch_id)


def employees_here(tx: Tx) -> list[Employee]:
    """Everybody who works here and is not away, by name."""
    everybody = _employees(tx)
    gone = away.away(tx, [one.id for one in everybody])
    return [one for one in everybody if one.id not in gone]


def _employees(tx: Tx) -> list[Employee]:
    users = tx.connection.execute(
        select(User.id, User.name, User.role, User.branch_id)
        .where(User.active, User.customer_id.is_(None))
        .order_by(User.name)
    )
    return [Employee(*user) for user in users]


def _is_near(tx: Tx, one: Employee) -> bool:
    """Whether they share work with the person at the desk: the same branch, or all of them."""
    return tx.desk.sees_whole_bank or work_rights.sees_branch(
        one.role, one.branch_id, tx.desk.branch_id
    )


def _not_about_oneself(tx: Tx, row: Any) -> None:
    """Who began a case does not choose who decides it, however much of the work they lead."""
    if row.not_for == tx.desk.user_id:
        raise work_rights.OwnCase


def _timed_out(tx: Tx) -> ColumnElement[bool]:
    return and_(ITEMS.c.status == W.CLAIMED, ITEMS.c.claimed_until <= tx.now)


def _next(tx: Tx, is_free: Any, kinds: tuple[str, ...], but: Sequence[int]) -> Any:
    """The most pressing item that this desk may take, held; other hands on it pass it over."""
    wanted = select(ITEMS).where(is_free, *to_take(tx, kinds)).order_by(*most_pressing()).limit(1)
    if but:
        wanted = wanted.where(ITEMS.c.id.not_in(but))
    return tx.connection.execute(wanted.with_for_update(skip_locked=True)).first()


def _level_above(row: Any) -> int | None:
    """The next level up the line at which anybody could take this item."""
    levels = {
        work_rights.level_of_role(role)
        for role in STAFF
        if Permission.WORK_LEAD in GRANTS[role] and _may_take(role, row)
    }
    if row.branch_id is None:
        levels.discard(Level.LEAD)  # the head office has no branch lead
    return min((level for level in levels if level > row.level), default=None)


def _may_take(role: Role, row: Any) -> bool:
    return KINDS[row.kind].permission in GRANTS[role] and work_rights.is_for(role, None, row)
