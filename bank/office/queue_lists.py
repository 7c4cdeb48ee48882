"""The queues: views of work items, found by what one knows of them, a page at a time.

What is in sight follows the desk: kinds by permission, items by branch; who leads the work of a
branch sees all of it. Nothing here counts further than a list is worth reading.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Select,
    and_,
    case,
    func,
    literal_column,
    or_,
    select,
)

from bank.core import search, work, work_rights
from bank.core.desk import Tx, query
from bank.core.permissions import Permission
from bank.core.work_tables import (
    ABOVE_DESK_SQL,
    ESCALATED_SQL,
    ITEMS,
    KINDS,
    Channel,
    Priority,
    W,
    WorkEvent,
    WorkStatus,
)
from bank.office import narrowings
from bank.office.queue_order import Cursor, follows, is_resting, most_pressing

ROWS_ON_A_PAGE: Final = 50
COUNTED_UP_TO: Final = 1_000  # beyond it a list says "more than"
BESIDE_A_MENU: Final = 99
LATEST: Final = 50  # of one item's history


class View(StrEnum):
    """The ways to look at a queue."""

    UNASSIGNED = "unassigned"
    MINE = "mine"
    WAITING = "waiting"
    OVERDUE = "overdue"
    DECIDED = "decided"
    ESCALATED = "escalated"
    ALL_OPEN = "all open"


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What to look for in a view; everything that is given must fit. `after` is where the page
    before it ended."""

    view: View = View.UNASSIGNED
    kinds: tuple[str, ...] = ()
    branch_id: int | None = None
    priority: int | None = None
    category: str | None = None
    owner_id: int | None = None
    level: int | None = None
    words: str = ""
    after: Cursor | None = None
    facts: tuple[tuple[str, Any], ...] = ()  # of what items are about, see `narrowings`


class ItemRow(NamedTuple):
    """One item of a list or in full. `state` is its status as of now: a claim that has run out
    counts as unassigned, also before anybody wrote that down. `may_take` says whether it is for
    this desk (role, level, not who began it); an interest in it may still stand against it.
    `is_resting`: its owner has set it aside until `rests_until`."""

    id: int
    kind: str
    subject_id: int
    branch_id: int | None
    customer_id: int | None
    reference: str
    title: str
    category: str | None
    channel: Channel | None
    priority: int
    level: int
    state: WorkStatus
    owner_id: int | None
    owner_name: str | None
    claimed_until: datetime | None
    assigned_by: int | None
    rests_until: datetime | None
    opened_at: datetime
    first_due_at: datetime | None
    reply_due_at: datetime | None
    solve_due_at: datetime | None
    next_due_at: datetime | None
    decided_at: datetime | None
    decided_by_name: str | None
    outcome: str | None
    is_overdue: bool
    may_take: bool
    is_resting: bool

    @property
    def priority_name(self) -> str:
        """One word."""
        return Priority.NAMES[self.priority]

    @property
    def kind_title(self) -> str:
        """The kind as people call it."""
        return KINDS[self.kind].title


@dataclass(frozen=True, kw_only=True)
class ItemPage:
    """A page of a view. `found` is how many items fit, counted up to one beyond COUNTED_UP_TO;
    `ends` is where this page ends, None when no other follows."""

    rows: Sequence[ItemRow]
    found: int
    ends: Cursor | None


@dataclass(frozen=True, kw_only=True)
class Happening:
    """A line of an item's history."""

    at: datetime
    act: str
    by: str
    owner: str | None
    note: str


@query(Permission.WORK_DO)
def items(tx: Tx, looked: Looked) -> ItemPage:
    """List a page of a view, the most pressing first."""
    tx.looked_at("work", looked.view)
    wanted, order = _conditions(tx, looked), _order(tx, looked.view)
    asked = _columns(tx).where(*wanted)
    asked = asked.order_by(*(by.desc() if is_down else by for by, is_down in order))
    if looked.after is not None:
        asked = asked.where(follows(tx, order, looked.after))
    # One more than is shown says whether another page follows.
    rows = tx.connection.execute(asked.limit(ROWS_ON_A_PAGE + 1)).all()
    shown, has_more = rows[:ROWS_ON_A_PAGE], len(rows) > ROWS_ON_A_PAGE
    is_whole = looked.after is None and not has_more
    return ItemPage(
        rows=[_row(tx, row) for row in shown],
        found=len(shown) if is_whole else _count(tx, wanted, COUNTED_UP_TO),
        ends=tuple(shown[-1]._mapping[by.name] for by, _ in order) if has_more else None,
    )


@query(Permission.WORK_DO)
def categories(tx: Tx, kinds: tuple[str, ...] = ()) -> dict[str, str]:
    """List what items of these kinds are about: names by code."""
    return {
        code: name
        for kind in KINDS.values()
        if not kinds or kind.name in kinds
        for code, name in kind.categories(tx).items()
    }


@query(Permission.WORK_DO)
def items_by_id(tx: Tx, item_ids: Sequence[int]) -> Sequence[ItemRow]:
    """List items one was shown before, as they are now; those out of sight are left out."""
    tx.looked_at("work", "shown before")
    found = _columns(tx).where(ITEMS.c.id.in_(item_ids), *in_sight(tx, (), None))
    return [_row(tx, row) for row in tx.connection.execute(found)]


@query(Permission.WORK_DO)
def counts(
    tx: Tx, kinds: tuple[str, ...] = (), facts: tuple[tuple[str, Any], ...] = ()
) -> dict[View, int]:
    """How many items each open view holds, counted up to one beyond COUNTED_UP_TO."""
    return {view: count_of(tx, Looked(view=view, kinds=kinds, facts=facts)) for view in COUNTED}


@query(Permission.WORK_DO)
def waiting_for_me(tx: Tx) -> int:
    """How many items one may take or has taken, counted up to one beyond 99 each."""
    # Two counts, because each has an index of its own.
    free = [ITEMS.c.status == W.UNASSIGNED, *to_take(tx, ())]
    mine = _conditions(tx, Looked(view=View.MINE))
    return sum(_count(tx, wanted, BESIDE_A_MENU) for wanted in (free, mine))


COUNTED: Final = (View.UNASSIGNED, View.MINE, View.WAITING, View.OVERDUE)


def count_of(tx: Tx, looked: Looked) -> int:
    """How many items a view holds, counted up to one beyond COUNTED_UP_TO."""
    return _count(tx, _conditions(tx, looked), COUNTED_UP_TO)


def _count(tx: Tx, wanted: Sequence[ColumnElement[bool]], up_to: int) -> int:
    found = select(ITEMS.c.id).where(*wanted).limit(up_to + 1).subquery()
    return int(tx.connection.execute(select(func.count()).select_from(found)).scalar_one())


@query(Permission.WORK_DO)
def item(tx: Tx, item_id: int) -> ItemRow:
    """Show one item, if it is in this desk's queues."""
    _check_sight(tx, item_id)
    row = tx.connection.execute(_columns(tx).where(ITEMS.c.id == item_id)).one()
    return _row(tx, row)


@query(Permission.WORK_DO)
def history(tx: Tx, item_id: int) -> Sequence[Happening]:
    """List what happened to an item and by whom, newest first."""
    _check_sight(tx, item_id)
    events = tx.connection.execute(
        select(
            WorkEvent.at, WorkEvent.act, WorkEvent.actor_name, WorkEvent.owner_name, WorkEvent.note
        )
        .where(WorkEvent.item_id == item_id)
        .order_by(WorkEvent.id.desc())
        .limit(LATEST)
    )
    return [
        Happening(at=at, act=act, by=by, owner=owner, note=note)
        for at, act, by, owner, note in events
    ]


def _check_sight(tx: Tx, item_id: int) -> None:
    row = tx.connection.execute(select(ITEMS).where(ITEMS.c.id == item_id)).first()
    if row is None or not work_rights.may_see(tx.desk, row):
        raise work.NoSuchItem
    tx.looked_at("work item", item_id)


def in_sight(
    tx: Tx, kinds: tuple[str, ...], branch_id: int | None, *, is_bare: bool = False
) -> list[ColumnElement[bool]]:
    """The items of this desk, as `work_rights.may_see` has it: who leads sees all of a branch's
    work, the others what they might take themselves."""
    desk = tx.desk
    if work_rights.leads(desk):
        return _of(tx, KINDS, kinds, branch_id, is_bare)
    return [*_of(tx, _own_kinds(tx), kinds, branch_id, is_bare), *_for_me(tx)]


def to_take(tx: Tx, kinds: tuple[str, ...]) -> list[ColumnElement[bool]]:
    """The items that this desk may take, if nobody has them."""
    level = ITEMS.c.level <= work_rights.level_of(tx.desk)
    return [level, *_of(tx, _own_kinds(tx), kinds, None), *_for_me(tx)]


def _own_kinds(tx: Tx) -> list[str]:
    return [name for name in KINDS if work_rights.may_work(tx.desk, name)]


def _of(
    tx: Tx,
    allowed: Iterable[str],
    kinds: tuple[str, ...],
    branch_id: int | None,
    is_bare: bool = False,
) -> list[ColumnElement[bool]]:
    wanted = set(allowed) & set(kinds) if kinds else set(allowed)
    kind, branch = (
        narrowings.bare(column, is_bare) for column in (ITEMS.c.kind, ITEMS.c.branch_id)
    )
    conditions: list[ColumnElement[bool]] = []
    if kinds:
        conditions.append(kind.in_(sorted(wanted)))
    elif wanted != set(KINDS):
        # Said by what is not: no index serves that, and the better one of the view is not left.
        conditions.append(kind.not_in(sorted(set(KINDS) - wanted)))
    if not tx.desk.sees_whole_bank:
        conditions.append(branch == tx.desk.branch_id)  # no branch, no rows
    elif branch_id is not None:
        conditions.append(branch == branch_id)
    return conditions


def _for_me(tx: Tx) -> list[ColumnElement[bool]]:
    item, desk = ITEMS.c, tx.desk
    return [
        or_(item.for_roles == "", item.for_roles.contains(desk.role.value, autoescape=True)),
        or_(item.not_for.is_(None), item.not_for != desk.user_id),
    ]


def is_free(tx: Tx) -> ColumnElement[bool]:
    """Nobody has it, or whoever had it let the claim run out."""
    return or_(
        ITEMS.c.status == W.UNASSIGNED,
        and_(ITEMS.c.status == W.CLAIMED, ITEMS.c.claimed_until <= tx.now),
    )


def _conditions(tx: Tx, looked: Looked) -> list[ColumnElement[bool]]:
    item, mine = ITEMS.c, ITEMS.c.owner_id == tx.desk.user_id
    is_above = bool(looked.level) or looked.view is View.ESCALATED
    status = narrowings.bare(item.status, is_above)
    in_view: dict[View, ColumnElement[bool]] = {
        View.UNASSIGNED: status == W.UNASSIGNED,
        View.MINE: and_(mine, status == W.CLAIMED, item.claimed_until > tx.now),
        View.WAITING: status == W.WAITING,
        View.OVERDUE: item.next_due_at < tx.now,
        View.DECIDED: status == W.DECIDED,
        View.ESCALATED: literal_column(ESCALATED_SQL, Boolean()),
        View.ALL_OPEN: status.in_((W.UNASSIGNED, W.CLAIMED, W.WAITING)),
    }
    seen = in_sight(tx, looked.kinds, looked.branch_id, is_bare=is_above)
    conditions = [in_view[looked.view], *seen]
    given = {
        item.priority: looked.priority,
        item.category: looked.category,
        item.owner_id: looked.owner_id,
        item.level: looked.level,
    }
    conditions += [
        narrowings.bare(column, is_above) == value
        for column, value in given.items()
        if value is not None
    ]
    if looked.level and looked.view is not View.ESCALATED:  # in the words of the index that serves
        above = ABOVE_DESK_SQL if looked.view is View.DECIDED else ESCALATED_SQL
        conditions.append(literal_column(above, Boolean()))
    conditions += narrowings.conditions(tx, looked.facts)
    return [*conditions, *search.found_by(tx, work.SEARCHED, looked.words, item.id)]


def _order(tx: Tx, view: View) -> list[tuple[Any, bool]]:
    """The columns that a view is ordered by, and whether from the last one on."""
    item = ITEMS.c
    if view is View.MINE:  # what was set aside stands last
        return [(column, False) for column in (is_resting(tx), *most_pressing())]
    if view is View.DECIDED:
        return [(item.decided_at, True), (item.id, True)]
    if view is View.OVERDUE:
        return [(item.next_due_at, False), (item.id, False)]
    return [(column, False) for column in most_pressing()]


def _columns(tx: Tx) -> Select[Any]:
    item = ITEMS.c
    state = case((is_free(tx), W.UNASSIGNED.value), else_=item.status)
    return select(
        *(getattr(item, name) for name in ItemRow._fields if name in item),
        state.label("state"),
        case((and_(*to_take(tx, ())), 1), else_=0).label("may_take"),
        is_resting(tx),
    )


def _row(tx: Tx, row: Any) -> ItemRow:
    given = row._mapping
    state = WorkStatus(given["state"])
    owned = {} if state is not W.UNASSIGNED else {"owner_id": None, "owner_name": None}
    due = given["next_due_at"]
    return ItemRow(
        **{
            **given,
            **owned,
            "state": state,
            "is_overdue": due is not None and due < tx.now,
            "may_take": bool(given["may_take"]),
            "is_resting": bool(given["is_resting"]),
        }
    )
