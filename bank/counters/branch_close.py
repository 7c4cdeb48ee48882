"""The branch's day: closed by its admin once no drawer is left, opened again only with a reason.

    open --close, no drawer and no request left, the vault counted by two--> closed
    closed --reopen, with a reason--> open

On a day that is closed nobody gets a drawer and nothing comes into the vault or leaves it, but
for old books that are imported. Each act stays in the register (`branch_days`), and is asked for by
naming the day and the act that was seen last: who looks at an old page does nothing by it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from bank.core.desk import Tx, command, query
from bank.core.errors import WrongState
from bank.core.permissions import Permission
from bank.counters import drawer_cash, remittances, vault_counts
from bank.counters.branch_days import LONGEST_REASON, BranchAct, BranchDayAct, hold, last_act
from bank.counters.drawers import LIVE, STANDS, Drawer, DrawerStatus
from bank.people import branches
from bank.people.branches import Branch
from bank.people.fields import clean_text
from bank.people.identity import User

MOST_LISTED: Final = 60


class BranchDayOpen(WrongState):
    """The day is open: drawers can be asked for."""


class AnotherDay(WrongState):
    """The day you looked at is over. Look at the new one."""


class ActedMeanwhile(WrongState):
    """Somebody has closed this day or opened it again meanwhile. Look at it as it is now."""


class DrawersLeft(WrongState):
    """The day cannot be closed while a drawer is open or asked for, or cash is not counted."""


@dataclass(frozen=True, kw_only=True)
class BranchActRow:
    """One act, as the register shows it."""

    id: int
    business_date: date
    act: BranchAct
    at: datetime
    by_name: str
    vault_minor: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class BranchDay:
    """Where the business date of a branch stands: `last` is what was done with it, None while it
    has never been closed; `in_the_way` are sentences about the drawers that keep it open, and about
    cash in the vault that waits for somebody or was not counted."""

    business_date: date
    last: BranchActRow | None
    in_the_way: Sequence[str]

    @property
    def last_id(self) -> int | None:
        """What an act is asked for with, beside the day."""
        return None if self.last is None else self.last.id

    @property
    def is_closed(self) -> bool:
        """Whether no cash moves any more."""
        return self.last is not None and self.last.act is BranchAct.CLOSED


@query(Permission.VAULT_VIEW)
def branch_day(tx: Tx, branch_id: int | None = None) -> BranchDay:
    """Show where a branch's day stands, and what keeps it open."""
    where = branches.asked_for(tx, branch_id)
    last = last_act(tx, where)
    return BranchDay(
        business_date=tx.business_date,
        last=None if last is None else _row(last),
        in_the_way=_in_the_way(tx, where),
    )


@query(Permission.VAULT_VIEW)
def days(tx: Tx, branch_id: int | None = None) -> Sequence[BranchActRow]:
    """List when a branch closed its days and opened them again, newest first."""
    wanted = select(BranchDayAct).where(BranchDayAct.branch_id == branches.asked_for(tx, branch_id))
    newest = wanted.order_by(BranchDayAct.id.desc()).limit(MOST_LISTED)
    return [_row(act) for act in tx.session.scalars(newest)]


@command(Permission.BRANCH_CLOSE)
def close_day(tx: Tx, day: date, seen: int | None) -> BranchDay:
    """Close the branch's day: no drawer is left, the vault was counted, no cash moves any more.

    `seen` is the id of the last act that was seen (`BranchDay.last_id`), None where there was none.
    """
    branch_id, last = _held(tx, day)
    if last is not None and last.act is BranchAct.CLOSED:  # the same click again
        return BranchDay(business_date=day, last=_row(last), in_the_way=())
    _check_seen(last, seen)
    if left := _in_the_way(tx, branch_id):
        raise DrawersLeft(f"The day cannot be closed yet. {' '.join(left)}")
    return _do(tx, branch_id, BranchAct.CLOSED, "")


@command(Permission.BRANCH_CLOSE)
def reopen_day(tx: Tx, day: date, seen: int | None, reason: str) -> BranchDay:
    """Open the branch's day again, with a reason that stays in the register."""
    branch_id, last = _held(tx, day)
    said = clean_text(reason, field="reason", longest=LONGEST_REASON)
    if last is None:
        raise BranchDayOpen
    if last.act is BranchAct.REOPENED:
        if (last.by_id, last.reason) != (tx.desk.user_id, said):
            raise BranchDayOpen
        return BranchDay(business_date=day, last=_row(last), in_the_way=())  # the same click again
    _check_seen(last, seen)
    return _do(tx, branch_id, BranchAct.REOPENED, said)


def _held(tx: Tx, day: date) -> tuple[int, BranchDayAct | None]:
    """This desk's branch, held, and what was done last with its day."""
    assert tx.desk.branch_id is not None, "who closes a day works at a branch"
    if day != tx.business_date:
        raise AnotherDay
    hold(tx, tx.desk.branch_id)
    return tx.desk.branch_id, last_act(tx, tx.desk.branch_id)


def _check_seen(last: BranchDayAct | None, seen: int | None) -> None:
    if (None if last is None else last.id) != seen:
        raise ActedMeanwhile


def _do(tx: Tx, branch_id: int, act: BranchAct, reason: str) -> BranchDay:
    assert tx.desk.user_id is not None
    row = BranchDayAct(
        branch_id=branch_id,
        business_date=tx.business_date,
        act=act,
        at=tx.now,
        by_id=tx.desk.user_id,
        by_name=tx.desk.name,
        vault_minor=drawer_cash.in_vault(tx, branch_id),
        reason=reason,
    )
    tx.session.add(row)
    tx.session.flush()
    tx.concerns("branch", branch_id)
    before = "closed" if act is BranchAct.REOPENED else "open"
    after = "open" if act is BranchAct.REOPENED else "closed"
    day = str(tx.business_date)
    tx.changed({"day": day, "state": before}, {"day": day, "state": after})
    return BranchDay(business_date=tx.business_date, last=_row(row), in_the_way=())


def _in_the_way(tx: Tx, branch_id: int) -> tuple[str, ...]:
    """A sentence for each drawer, of whatever day, that is asked for or holds cash; for cash of the
    chest that waits; and where the vault was not counted as it is now."""
    rows = tx.session.execute(
        select(User.name, Drawer.status)
        .join(User, User.id == Drawer.cashier_id)
        .where(Drawer.branch_id == branch_id, Drawer.status.in_(LIVE))
        .order_by(Drawer.id)
    )
    left = [f"{name} {STANDS[status]}." for name, status in rows]
    left += remittances.in_the_way(tx, branch_id)
    # Whatever is left will move cash; only then it is the time to count.
    return tuple(left or vault_counts.in_the_way(tx, branch_id))


def _row(act: BranchDayAct) -> BranchActRow:
    return BranchActRow(
        id=act.id,
        business_date=act.business_date,
        act=act.act,
        at=act.at,
        by_name=act.by_name,
        vault_minor=act.vault_minor,
        reason=act.reason,
    )


def not_closed(tx: Tx, was: date | None, through: date) -> Sequence[str]:
    """Branches that did not close every day on which they had drawers, after a day up to another:
    worth a look before the book is closed through it."""
    later = aliased(BranchDayAct)
    again = select(later.id).where(
        later.branch_id == BranchDayAct.branch_id,
        later.business_date == BranchDayAct.business_date,
        later.id > BranchDayAct.id,
    )
    closed = select(BranchDayAct.id).where(
        BranchDayAct.branch_id == Drawer.branch_id,
        BranchDayAct.business_date == Drawer.business_date,
        BranchDayAct.act == BranchAct.CLOSED,
        ~again.exists(),
    )
    wanted = (
        select(Branch.name, func.count(Drawer.business_date.distinct()))
        .join(Branch, Branch.id == Drawer.branch_id)
        .where(
            Drawer.business_date <= through,
            Drawer.status.not_in((DrawerStatus.DECLINED, DrawerStatus.WITHDRAWN)),
            ~closed.exists(),
        )
        .group_by(Branch.name)
        .order_by(Branch.name)
    )
    if was is not None:
        wanted = wanted.where(Drawer.business_date > was)
    return [
        f"{name} did not close {count} {'day' if count == 1 else 'days'} on which it had drawers."
        for name, count in tx.session.execute(wanted)
    ]
