"""Views of vault and drawers: what a cashier sees of the own drawer, and a branch of all of them.

While a drawer is being counted nothing here says what should be in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Select, select
from sqlalchemy.orm import aliased

from bank.core.desk import Tx, query
from bank.core.permissions import Permission
from bank.counters import counts, drawer_cash, tallies
from bank.counters.cash_rules import cash_rules
from bank.counters.counts import CountKind, DrawerCount
from bank.counters.drawers import HOLDS_CASH, LIVE, Drawer, DrawerStatus, NoSuchDrawer
from bank.counters.handovers import Direction, Handover, HandoverStatus
from bank.counters.tallies import TallyRow
from bank.people import branches
from bank.people.identity import User

S = DrawerStatus
MOST_LISTED: Final = 200


@dataclass(frozen=True, kw_only=True)
class HandoverCard:
    """A request to move cash, as both sides read it."""

    id: int
    drawer_id: int
    cashier: str
    direction: Direction
    status: HandoverStatus
    amount_minor: int
    asked_at: datetime
    note: str
    rows: Sequence[TallyRow]


@dataclass(frozen=True, kw_only=True)
class OwnDrawer:
    """A cashier's drawer. `cash_minor` is None while it is being counted: nobody is told before
    the count is entered. `sentence` is what a supervisor vouches for when it does not balance."""

    id: int
    status: DrawerStatus
    business_date: date
    opening_minor: int
    opening_rows: Sequence[TallyRow]
    requested_at: datetime
    cash_minor: int | None
    in_minor: int
    out_minor: int
    slips: int
    limit_minor: int
    counted_minor: int | None
    expected_minor: int | None
    is_settled: bool
    note: str
    absent_said: str  # why others count it
    sentence: str
    handovers: Sequence[HandoverCard]

    @property
    def difference_minor(self) -> int:
        """Counted over (+) or short (-)."""
        return (self.counted_minor or 0) - (self.expected_minor or 0)

    @property
    def is_too_full(self) -> bool:
        """Whether it holds more than a drawer may."""
        return self.cash_minor is not None and self.cash_minor > self.limit_minor


@dataclass(frozen=True, kw_only=True)
class DrawerCard:
    """A drawer in the list of its branch. `cash_minor` is None while it is being counted."""

    id: int
    cashier: str
    business_date: date
    status: DrawerStatus
    opening_minor: int
    requested_at: datetime
    closed_at: datetime | None
    cash_minor: int | None
    counted_minor: int | None
    expected_minor: int | None
    is_settled: bool
    settled_by: int | None
    note: str
    is_left: bool  # its cashier is not there: others count it (`absences`)

    @property
    def difference_minor(self) -> int | None:
        """Counted over (+) or short (-); None before it was counted."""
        if self.counted_minor is None or self.expected_minor is None:
            return None
        return self.counted_minor - self.expected_minor


@dataclass(frozen=True, kw_only=True)
class VaultView:
    """A branch's cash and where it lies, and what waits for its custodian. What is in the drawers,
    and so in the book, is None while one of them is being counted; `agrees` says whether vault and
    drawers are the cash in the book."""

    branch: str
    vault_minor: int
    drawers_minor: int | None
    book_minor: int | None
    agrees: bool
    drawers: Sequence[DrawerCard]
    handovers: Sequence[HandoverCard]

    @property
    def open_drawers(self) -> Sequence[DrawerCard]:
        """The drawers that keep the branch from closing its day."""
        return [each for each in self.drawers if each.status in HOLDS_CASH]


@dataclass(frozen=True, kw_only=True)
class OverShortRow:
    """A difference that was accepted."""

    drawer_id: int
    business_date: date
    cashier: str
    difference_minor: int
    reason: str
    settled_by: str
    entry_id: int


@dataclass(frozen=True, kw_only=True)
class CountRow:
    """One count of a drawer."""

    drawer_id: int
    cashier: str
    kind: CountKind
    counted_minor: int
    expected_minor: int
    counted_at: datetime
    counted_by: str
    note: str

    @property
    def difference_minor(self) -> int:
        """Counted over (+) or short (-)."""
        return self.counted_minor - self.expected_minor


@query(Permission.CASH_POST)
def own_drawer(tx: Tx) -> OwnDrawer | None:
    """Show this cashier's drawer that is not closed yet, None when there is none."""
    drawer = tx.session.scalar(
        select(Drawer).where(Drawer.cashier_id == tx.desk.user_id, Drawer.status.in_(LIVE))
    )
    if drawer is None:
        return None
    slips = drawer_cash.by_slips(tx, [drawer.id])
    _, came, went, count = slips[0] if slips else (drawer.id, 0, 0, 0)
    shows_cash = drawer.status in {S.OPEN, S.COUNTED}
    return OwnDrawer(
        id=drawer.id,
        status=drawer.status,
        business_date=drawer.business_date,
        opening_minor=drawer.opening_minor,
        opening_rows=tallies.rows_of(tx, [drawer.opening_tally_id])[drawer.opening_tally_id],
        requested_at=drawer.requested_at,
        cash_minor=drawer_cash.in_drawer(tx, drawer.id) if shows_cash else None,
        in_minor=came if shows_cash else 0,
        out_minor=went if shows_cash else 0,
        slips=count,
        limit_minor=cash_rules(tx, drawer.branch_id).drawer_limit_minor,
        counted_minor=drawer.counted_minor,
        expected_minor=drawer.expected_minor if drawer.status is S.COUNTED else None,
        is_settled=drawer.is_settled,
        note=drawer.note,
        absent_said=drawer.absent_said or "",
        sentence=counts.sentence_of(tx, drawer) if drawer.status is S.COUNTED else "",
        handovers=_handovers(tx, _handover_rows().where(Handover.drawer_id == drawer.id)),
    )


@query(Permission.CASH_POST)
def last_refusal(tx: Tx) -> str:
    """Say why this cashier's newest request for a drawer today was declined, if it was."""
    newest = tx.session.scalar(
        select(Drawer)
        .where(Drawer.cashier_id == tx.desk.user_id, Drawer.business_date == tx.business_date)
        .order_by(Drawer.id.desc())
        .limit(1)
    )
    return newest.note if newest is not None and newest.status is S.DECLINED else ""


@query(Permission.VAULT_VIEW)
def branch_cash(tx: Tx, branch_id: int | None = None) -> VaultView:
    """Show where a branch's cash lies: vault, every drawer of today, and what waits."""
    where = branches.asked_for(tx, branch_id)
    rows = _drawers(
        tx,
        _drawer_rows().where(
            Drawer.branch_id == where,
            (Drawer.business_date == tx.business_date) | Drawer.status.in_(LIVE),
        ),
    )
    vault_minor, book_minor = drawer_cash.in_vault(tx, where), drawer_cash.in_book(tx, where)
    held = sum(drawer_cash.in_drawers(tx, [row.id for row in rows]).values())
    waiting = _handover_rows().where(
        Drawer.branch_id == where, Handover.status == HandoverStatus.REQUESTED
    )
    is_blind = any(row.status is S.COUNTING for row in rows)
    return VaultView(
        branch=branches.branch_by_id(tx, where).name,
        vault_minor=vault_minor,
        drawers_minor=None if is_blind else held,
        book_minor=None if is_blind else book_minor,
        agrees=vault_minor + held == book_minor,
        drawers=rows,
        handovers=_handovers(tx, waiting),
    )


@query(Permission.VAULT_VIEW)
def opening_rows(tx: Tx, drawer_id: int) -> Sequence[TallyRow]:
    """Show the notes and coins that a cashier asked for."""
    drawer = tx.session.get(Drawer, drawer_id)
    if drawer is None or not _sees(tx, drawer.branch_id):
        raise NoSuchDrawer
    return tallies.rows_of(tx, [drawer.opening_tally_id])[drawer.opening_tally_id]


@query(Permission.VAULT_VIEW)
def over_and_short(tx: Tx, branch_id: int | None = None) -> Sequence[OverShortRow]:
    """List the differences that a branch accepted, newest first."""
    where, cashier, supervisor = branches.asked_for(tx, branch_id), aliased(User), aliased(User)
    rows = tx.connection.execute(
        select(
            Drawer.id.label("drawer_id"),
            Drawer.business_date,
            cashier.name.label("cashier"),
            (Drawer.counted_minor - Drawer.expected_minor).label("difference_minor"),
            Drawer.note.label("reason"),
            supervisor.name.label("settled_by"),
            Drawer.over_short_entry_id.label("entry_id"),
        )
        .join(cashier, cashier.id == Drawer.cashier_id)
        .join(supervisor, supervisor.id == Drawer.settled_by)
        .where(
            Drawer.branch_id == where,
            Drawer.over_short_entry_id.is_not(None),
        )
        .order_by(Drawer.id.desc())
        .limit(MOST_LISTED)
    )
    return [OverShortRow(**row._mapping) for row in rows]


@query(Permission.VAULT_VIEW)
def surprise_counts(tx: Tx, branch_id: int | None = None) -> Sequence[CountRow]:
    """List the unannounced counts at a branch, newest first."""
    where, cashier, counter = branches.asked_for(tx, branch_id), aliased(User), aliased(User)
    rows = tx.connection.execute(
        select(
            DrawerCount.drawer_id,
            cashier.name.label("cashier"),
            DrawerCount.kind,
            DrawerCount.counted_minor,
            DrawerCount.expected_minor,
            DrawerCount.counted_at,
            counter.name.label("counted_by"),
            DrawerCount.note,
        )
        .join(Drawer, Drawer.id == DrawerCount.drawer_id)
        .join(cashier, cashier.id == Drawer.cashier_id)
        .join(counter, counter.id == DrawerCount.counted_by)
        .where(
            Drawer.branch_id == where,
            DrawerCount.kind == CountKind.SURPRISE,
        )
        .order_by(DrawerCount.id.desc())
        .limit(MOST_LISTED)
    )
    return [CountRow(**row._mapping) for row in rows]


def _sees(tx: Tx, branch_id: int) -> bool:
    return tx.desk.sees_whole_bank or tx.desk.branch_id == branch_id


def _drawer_rows() -> Select[*tuple[Any, ...]]:
    return select(Drawer, User.name).join(User, User.id == Drawer.cashier_id)


def _drawers(tx: Tx, wanted: Select[*tuple[Any, ...]]) -> list[DrawerCard]:
    rows = tx.session.execute(wanted.order_by(Drawer.id.desc())).all()
    shown = [drawer.id for drawer, _ in rows if drawer.status in {S.OPEN, S.COUNTED}]
    cash = drawer_cash.in_drawers(tx, shown)
    return [
        DrawerCard(
            id=drawer.id,
            cashier=name,
            business_date=drawer.business_date,
            status=drawer.status,
            opening_minor=drawer.opening_minor,
            requested_at=drawer.requested_at,
            closed_at=drawer.closed_at,
            cash_minor=cash.get(drawer.id),
            counted_minor=drawer.counted_minor,
            expected_minor=drawer.expected_minor,
            is_settled=drawer.is_settled,
            settled_by=drawer.settled_by,
            note=drawer.note,
            is_left=drawer.is_left,
        )
        for drawer, name in rows
    ]


def _handover_rows() -> Select[*tuple[Any, ...]]:
    return (
        select(Handover, User.name)
        .join(Drawer, Drawer.id == Handover.drawer_id)
        .join(User, User.id == Drawer.cashier_id)
    )


def _handovers(tx: Tx, wanted: Select[*tuple[Any, ...]]) -> list[HandoverCard]:
    rows = tx.session.execute(wanted.order_by(Handover.id.desc()).limit(MOST_LISTED)).all()
    counted = tallies.rows_of(tx, [handover.tally_id for handover, _ in rows])
    return [
        HandoverCard(
            id=handover.id,
            drawer_id=handover.drawer_id,
            cashier=name,
            direction=handover.direction,
            status=handover.status,
            amount_minor=handover.amount_minor,
            asked_at=handover.asked_at,
            note=handover.note,
            rows=counted[handover.tally_id],
        )
        for handover, name in rows
    ]
