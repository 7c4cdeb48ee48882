"""Drawers: a cashier's cash for one business date, from the request to the close.

    requested --custodian hands over--> open --stop to count--> counting --count entered--> counted
        |                                ^                          |                          |
        |-- declined, withdrawn          '------ not yet -----------'                          |
        '                                '------ sent back by a supervisor --------------------|
                                          closed <--custodian takes the cash back--------------'

Nobody opens or closes a drawer alone: the cashier asks and counts, the vault's custodian hands the
cash over and takes it back. Where the cashier cannot count, two others do (`absences`). A cashier
has one drawer at a time. What is in it is never kept: it is what moved (`drawer_cash`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    select,
    text,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from bank.book.drafts import RequestReused
from bank.core import money
from bank.core.clock import day_in_words
from bank.core.db import Base, marks
from bank.core.desk import Tx, command, query
from bank.core.errors import NotAllowed, NotFound, WrongState
from bank.core.permissions import Permission
from bank.core.states import machine, move
from bank.counters import branch_days, tallies
from bank.counters.tallies import Pieces
from bank.people.branches import Branch
from bank.people.identity import User

LONGEST_NOTE: Final = 200


class DrawerStatus(StrEnum):
    """Where a drawer is on its way through the day."""

    REQUESTED = "requested"
    OPEN = "open"
    COUNTING = "counting"
    COUNTED = "counted"
    CLOSED = "closed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


S = DrawerStatus
LIVE: Final = (S.REQUESTED, S.OPEN, S.COUNTING, S.COUNTED)
HOLDS_CASH: Final = (S.OPEN, S.COUNTING, S.COUNTED)
# What a drawer that is not closed says of its cashier, and what to do about it.
STANDS: Final = {
    S.REQUESTED: "waits for a drawer: hand it over or decline it",
    S.OPEN: "has an open drawer: let it be counted, by two others if they are away",
    S.COUNTING: "is counting a drawer: wait for the count, or let two others count it",
    S.COUNTED: "has counted: take the cash back",
}
MOST_NAMED: Final = 10
_LIVE_SQL: Final = "status IN ('requested', 'open', 'counting', 'counted')"
MOVES: Final = machine(
    "drawer",
    {
        S.REQUESTED: {S.OPEN, S.DECLINED, S.WITHDRAWN},
        S.OPEN: {S.COUNTING},
        S.COUNTING: {S.OPEN, S.COUNTED},
        S.COUNTED: {S.OPEN, S.CLOSED},
    },
)


class NoSuchDrawer(NotFound):
    """There is no such drawer at your branch. Reload the page and choose one from the list."""


class NoOpenDrawer(WrongState):
    """You have no open drawer today. Open one under My drawer, then take or pay cash."""


class DrawerNotClosed(WrongState):
    """You have a drawer already. Close it before you ask for another one."""


class OwnDrawer(NotAllowed):
    """This is your own drawer. Another custodian or supervisor has to do this."""


class Absence(StrEnum):
    """Why somebody else counts a cashier's drawer."""

    ABSENT = "absent"
    LOCKED = "locked"
    OTHER = "other"


class Drawer(Base):
    """One drawer. `note` says why it was declined, or what the supervisor said of a difference;
    `absent_why` and `absent_said` why two others count it (`absences`)."""

    __tablename__ = "drawers"
    __table_args__ = (
        CheckConstraint("opening_minor >= 0", name="opening_not_negative"),
        CheckConstraint("opened_by <> cashier_id", name="opened_by_another"),
        CheckConstraint("settled_by <> cashier_id", name="settled_by_another"),
        CheckConstraint("closed_by <> cashier_id", name="closed_by_another"),
        UniqueConstraint("request_id"),
        Index("ix_drawers_cashier_id", "cashier_id", "business_date"),
        Index("ix_drawers_branch_id", "branch_id", "business_date"),
        Index(
            "uq_drawers_live",
            "cashier_id",
            unique=True,
            sqlite_where=text(_LIVE_SQL),
            postgresql_where=text(_LIVE_SQL),
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    branch_id: Mapped[int] = mapped_column(ForeignKey("branches.id"))
    cashier_id: Mapped[int]
    business_date: Mapped[date]
    status: Mapped[DrawerStatus]
    request_id: Mapped[str] = mapped_column(String(36))
    opening_minor: Mapped[int]
    opening_tally_id: Mapped[int] = mapped_column(ForeignKey("tallies.id"))
    requested_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]
    opened_by: Mapped[int | None]
    counted_at: Mapped[datetime | None]
    counted_minor: Mapped[int | None]
    expected_minor: Mapped[int | None]
    settled_by: Mapped[int | None]
    over_short_entry_id: Mapped[int | None] = mapped_column(ForeignKey("entries.id"))
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[int | None]
    note: Mapped[str] = mapped_column(String(LONGEST_NOTE))
    absent_why: Mapped[Absence | None]
    absent_said: Mapped[str | None] = mapped_column(String(LONGEST_NOTE))

    @property
    def difference_minor(self) -> int:
        """What was counted over (+) or short (-) of what should be there."""
        return (self.counted_minor or 0) - (self.expected_minor or 0)

    @property
    def is_left(self) -> bool:
        """Whether its cashier is not there and others count it."""
        return self.absent_why is not None

    @property
    def is_settled(self) -> bool:
        """Whether a difference, if there is one, has been booked."""
        return self.difference_minor == 0 or self.over_short_entry_id is not None


@dataclass(frozen=True, kw_only=True)
class DrawerState:
    """Where somebody's drawer stands: enough for the sidebar."""

    id: int
    status: DrawerStatus
    business_date: date


_STATE: Final = (
    "SELECT id, status, business_date FROM drawers WHERE cashier_id = ? AND status IN "
    "('requested', 'open', 'counting', 'counted')"
)
# Without a look at the cash: the one question every slip asks.
_OPEN: Final = (
    "SELECT id FROM drawers WHERE cashier_id = ? AND business_date = ? AND status = 'open'"
    " AND branch_id = ?"
)


@query(Permission.CASH_POST)
def own_state(tx: Tx) -> DrawerState | None:
    """Say where this cashier's drawer stands, None when there is none."""
    tx.cursor.execute(marks(tx.dialect, _STATE), (tx.desk.user_id,))
    row = tx.cursor.fetchone()
    if row is None:
        return None
    day = row[2] if isinstance(row[2], date) else date.fromisoformat(row[2])
    return DrawerState(id=row[0], status=DrawerStatus(row[1]), business_date=day)


@query(Permission.STAFF_VIEW)
def states_of(tx: Tx) -> Mapping[int, DrawerState]:
    """Say where the drawer of each cashier stands who has one, by the cashier's id.

    Those of one's branch, or of the whole bank for who sees it.
    """
    here = [] if tx.desk.sees_whole_bank else [Drawer.branch_id == tx.desk.branch_id]
    found = tx.session.execute(
        select(Drawer.cashier_id, Drawer.id, Drawer.status, Drawer.business_date).where(
            Drawer.status.in_(LIVE), *here
        )
    )
    return {
        cashier_id: DrawerState(id=drawer_id, status=status, business_date=day)
        for cashier_id, drawer_id, status, day in found
    }


@command(Permission.CASH_POST)
def ask_for_drawer(tx: Tx, pieces: Pieces, *, request_id: str) -> int:
    """Ask the vault's custodian for a drawer with these notes and coins in it."""
    assert tx.desk.user_id is not None
    assert tx.desk.branch_id is not None, "a cashier works at a branch"
    asked = tx.session.scalar(select(Drawer).where(Drawer.request_id == request_id))
    if asked is not None:
        if asked.cashier_id != tx.desk.user_id or asked.opening_minor != tallies.worth(tx, pieces):
            raise RequestReused
        return asked.id
    there = tx.session.scalar(
        select(Drawer).where(Drawer.cashier_id == tx.desk.user_id, Drawer.status.in_(LIVE))
    )
    if there is not None:
        raise DrawerNotClosed(_said_of(there, tx.business_date))
    branch_days.check_open(tx, tx.desk.branch_id)
    tally = tallies.keep_tally(tx, pieces)
    drawer = Drawer(
        branch_id=tx.desk.branch_id,
        cashier_id=tx.desk.user_id,
        business_date=tx.business_date,
        status=S.REQUESTED,
        request_id=request_id,
        opening_minor=tally.total_minor,
        opening_tally_id=tally.id,
        requested_at=tx.now,
        note="",
    )
    tx.session.add(drawer)
    try:
        tx.session.flush()
    except IntegrityError:  # the same cashier asked in another window at the same moment
        raise DrawerNotClosed from None
    tx.concerns("drawer", drawer.id)
    tx.changed(None, {"status": S.REQUESTED, "opening_minor": drawer.opening_minor})
    return drawer.id


@command(Permission.CASH_POST)
def withdraw_request(tx: Tx, drawer_id: int) -> None:
    """Take back the request for a drawer that nobody has handed over yet."""
    step(tx, held_own(tx, drawer_id), S.WITHDRAWN)


def against_leaving(tx: Tx, user_ids: Sequence[int]) -> Mapping[int, Sequence[str]]:
    """Why these employees may not leave: whoever still answers for the cash of a drawer."""
    wanted = (
        select(Drawer.cashier_id)
        .where(Drawer.cashier_id.in_(user_ids), Drawer.status.in_(HOLDS_CASH))
        .distinct()
    )
    reason = "Their drawer still holds cash: let it be counted and taken back to the vault."
    return {user_id: [reason] for user_id in tx.session.scalars(wanted)}


def left_on(tx: Tx, _was: date | None, through: date) -> Sequence[str]:
    """Why the book may not be closed through a day: each drawer of such a day that is asked for or
    holds cash, in a sentence that says what to do."""
    wanted = (
        select(Drawer.business_date, Branch.name, User.name, Drawer.status)
        .join(Branch, Branch.id == Drawer.branch_id)
        .join(User, User.id == Drawer.cashier_id)
        .where(Drawer.business_date <= through, Drawer.status.in_(LIVE))
        .order_by(Drawer.business_date, Drawer.id)
        .limit(MOST_NAMED + 1)
    )
    said = [
        f"{branch}, {day_in_words(day)}: {name} {STANDS[status]}."
        for day, branch, name, status in tx.session.execute(wanted)
    ]
    more = ["There are more of them: see Vault and drawers."] if len(said) > MOST_NAMED else []
    return said[:MOST_NAMED] + more


def own_open_drawer(tx: Tx, *, hold: str = "") -> int:
    """The id of this cashier's open drawer of today, or NoOpenDrawer.

    With `hold` the row stays as it is until the transaction ends: "share" for who pays in, so that
    no count begins meanwhile, "update" for who pays out, one after the other. SQLite has one
    writer and needs no word for it.
    """
    lock = {"share": " FOR SHARE", "update": " FOR NO KEY UPDATE"}.get(hold, "")
    sql = _OPEN + lock if tx.dialect == "postgresql" else _OPEN
    tx.cursor.execute(
        marks(tx.dialect, sql), (tx.desk.user_id, tx.day(tx.business_date), tx.desk.branch_id)
    )
    row = tx.cursor.fetchone()
    if row is None:
        raise NoOpenDrawer
    return int(row[0])


def held(tx: Tx, drawer_id: int) -> Drawer:
    """A drawer of this desk's branch, held until the transaction ends, or NoSuchDrawer."""
    drawer = _held(tx, drawer_id)
    if drawer is None or drawer.branch_id != tx.desk.branch_id:
        raise NoSuchDrawer
    return drawer


def held_of_another(tx: Tx, drawer_id: int) -> Drawer:
    """The same for a second person: the cashier himself is refused."""
    drawer = held(tx, drawer_id)
    if drawer.cashier_id == tx.desk.user_id:
        raise OwnDrawer
    return drawer


def held_own(tx: Tx, drawer_id: int) -> Drawer:
    """This cashier's own drawer, held, or NoSuchDrawer."""
    drawer = _held(tx, drawer_id)
    if drawer is None or drawer.cashier_id != tx.desk.user_id:
        raise NoSuchDrawer
    return drawer


def is_back(drawer: Drawer) -> None:
    """The cashier goes on with the drawer: nobody counts it for them."""
    drawer.absent_why = drawer.absent_said = None


def step(tx: Tx, drawer: Drawer, to: DrawerStatus, **more: object) -> None:
    """Move a drawer on, for the trail with what was before and is after."""
    before = drawer.status
    move(drawer, to, MOVES)
    tx.session.flush()
    tx.concerns("drawer", drawer.id)
    tx.changed({"status": before}, {"status": to, **more})


def _held(tx: Tx, drawer_id: int) -> Drawer | None:
    # Slips refer to the row; they only need its key, so they may go on while it is held.
    lock: dict[str, Any] = {"key_share": True}
    return tx.session.get(Drawer, drawer_id, with_for_update=lock, populate_existing=True)


def _said_of(drawer: Drawer, today: date) -> str:
    if drawer.business_date == today:
        return " ".join((DrawerNotClosed.__doc__ or "").split())
    day = day_in_words(drawer.business_date)
    left = money.show(drawer.opening_minor)
    if drawer.status is S.REQUESTED:
        return f"Your request of {day} for {left} still waits. Withdraw it, then ask again."
    return f"Your drawer of {day} is not closed. Count it and have it closed first."
