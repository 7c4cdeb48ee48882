"""Where a branch's cash lies: in its vault or in a drawer. Together they are its cash in the book.

A slip's cash is in its drawer by the slip itself; everything else that moves cash is a row here:
+ into a place, - out of it. No place keeps a balance, so nobody waits for a shared row; what lies
in it is the sum. `reports/checks/cash_lies_somewhere.sql` compares with the book.

Whoever books on cash in hand without a slip puts a row down in the same transaction.
"""

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, case, func, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from bank.book import chart, ledger
from bank.book.ledger import Draft
from bank.book.tables import Posting
from bank.core import money
from bank.core.db import Base, marks
from bank.core.desk import Tx
from bank.core.errors import WrongState
from bank.counters import branch_days
from bank.counters.drawers import Drawer, DrawerStatus
from bank.counters.slips import CashSlip
from bank.people.branches import Branch

TAKE_LESS: Final = "Take less, or bring cash from the currency chest."
BRING_FIRST: Final = (
    "The cash of this entry comes out of the vault: bring {amount} from the currency chest or back"
    " from a drawer first, then reverse it."
)


class MoveKind(StrEnum):
    """Why cash moved."""

    CARRIED = "carried"  # what a branch held before there were drawers
    IMPORTED = "imported"
    REMITTED = "remitted"  # from or to the currency chest
    ISSUED = "issued"  # a drawer's opening
    HANDED = "handed"  # asked for or returned during the day
    TAKEN_BACK = "taken_back"  # a drawer's close
    OVER_SHORT = "over_short"
    UNDONE = "undone"  # a cash entry was reversed


class DrawerBeingCounted(WrongState):
    """The drawer of this slip is being counted. Reverse it when the count is done, or ask the
    cashier to go on first."""


class VaultTooLow(WrongState):
    """The vault does not hold so much. Take less, or bring cash from the currency chest first."""


class DrawerTooLow(WrongState):
    """The drawer does not hold so much. Ask for cash from the vault first."""


class CashMove(Base):
    """Cash that came into (+) or left (-) a place: the drawer named, or the branch's vault."""

    __tablename__ = "cash_moves"
    __table_args__ = (
        CheckConstraint("amount_minor <> 0", name="amount_not_zero"),
        Index("ix_cash_moves_drawer_id", "drawer_id"),
        Index("ix_cash_moves_branch_id", "branch_id", "drawer_id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    branch_id: Mapped[int]
    drawer_id: Mapped[int | None] = mapped_column(ForeignKey("drawers.id"))
    kind: Mapped[MoveKind]
    currency: Mapped[str] = mapped_column(String(3))
    amount_minor: Mapped[int]
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("entries.id"))
    handover_id: Mapped[int | None] = mapped_column(ForeignKey("handovers.id"))
    business_date: Mapped[date]
    moved_at: Mapped[datetime]
    moved_by: Mapped[int]


_OF_MOVES: Final = "SELECT COALESCE(SUM(amount_minor), 0) FROM cash_moves WHERE drawer_id = ?"
# CROSS JOIN, because SQLite keeps its order: from the drawer's few slips to their lines, never
# through all lines on cash in hand.
_OF_SLIPS: Final = """
    SELECT COALESCE(-SUM(p.amount_minor), 0) FROM cash_slips s CROSS JOIN postings p
    WHERE s.drawer_id = ? AND p.entry_id = s.entry_id AND p.gl_account_id = ?
"""
_OF_VAULT: Final = (
    "SELECT COALESCE(SUM(amount_minor), 0) FROM cash_moves"
    " WHERE branch_id = ? AND drawer_id IS NULL AND currency = ?"
)


def in_drawer(tx: Tx, drawer_id: int) -> int:
    """What should lie in a drawer now."""
    tx.cursor.execute(marks(tx.dialect, _OF_MOVES), (drawer_id,))
    moved = int(tx.cursor.fetchone()[0])
    cash = chart.id_of(tx, chart.CASH)
    tx.cursor.execute(marks(tx.dialect, _OF_SLIPS), (drawer_id, cash))
    return moved + int(tx.cursor.fetchone()[0])


def in_drawers(tx: Tx, drawer_ids: Sequence[int]) -> dict[int, int]:
    """What should lie in each of these drawers now."""
    held = dict.fromkeys(drawer_ids, 0)
    moves = select(CashMove.drawer_id, func.sum(CashMove.amount_minor))
    moves = moves.where(CashMove.drawer_id.in_(drawer_ids)).group_by(CashMove.drawer_id)
    for drawer_id, amount in tx.connection.execute(moves):
        held[drawer_id or 0] += int(amount)
    for drawer_id, came, went, _ in by_slips(tx, drawer_ids):
        held[drawer_id] += came - went
    return held


def by_slips(tx: Tx, drawer_ids: Sequence[int]) -> list[tuple[int, int, int, int]]:
    """What slips brought into each drawer, what they took out, and how many there are."""
    # With + 0 no index is used on the ledger account: from the few slips to their lines.
    is_cash = Posting.gl_account_id + 0 == chart.id_of(tx, chart.CASH)
    came = func.sum(case((Posting.amount_minor < 0, -Posting.amount_minor), else_=0))
    went = func.sum(case((Posting.amount_minor > 0, Posting.amount_minor), else_=0))
    rows = tx.connection.execute(
        select(CashSlip.drawer_id, came, went, func.count())
        .join(Posting, (Posting.entry_id == CashSlip.entry_id) & is_cash)
        .where(CashSlip.drawer_id.in_(drawer_ids))
        .group_by(CashSlip.drawer_id)
    )
    return [(int(row[0] or 0), int(row[1]), int(row[2]), int(row[3])) for row in rows]


def in_vault(tx: Tx, branch_id: int, currency: str = money.HOME) -> int:
    """What should lie in a branch's vault now."""
    tx.cursor.execute(marks(tx.dialect, _OF_VAULT), (branch_id, currency))
    return int(tx.cursor.fetchone()[0])


def in_book(tx: Tx, branch_id: int, currency: str = money.HOME) -> int:
    """What the book says a branch holds in cash: vault and drawers together."""
    held = select(func.coalesce(-func.sum(Posting.amount_minor), 0)).where(
        Posting.gl_account_id == chart.id_of(tx, chart.CASH),
        Posting.branch_id == branch_id,
        Posting.currency == currency,
    )
    return int(tx.connection.scalar(held) or 0)


def take_from_vault(
    tx: Tx, branch_id: int, amount_minor: int, currency: str = money.HOME, *, do: str = TAKE_LESS
) -> None:
    """Make sure that the vault holds so much, until this transaction has taken it. `do` says what
    to do where it does not."""
    # The branch's row stands for its vault: who takes something waits for who takes something.
    tx.session.get(Branch, branch_id, with_for_update={"key_share": True})
    held = in_vault(tx, branch_id, currency)
    if held < amount_minor:
        raise VaultTooLow(f"The vault holds {money.show(held, currency)}. {do}")


def put(
    tx: Tx,
    branch_id: int,
    amount_minor: int,
    kind: MoveKind,
    *,
    drawer_id: int | None = None,
    entry_id: int | None = None,
    handover_id: int | None = None,
    currency: str = money.HOME,
    business_date: date | None = None,
) -> None:
    """Write one move down; the vault is meant where no drawer is named."""
    tx.connection.execute(
        insert(CashMove),
        {
            "branch_id": branch_id,
            "drawer_id": drawer_id,
            "kind": kind,
            "currency": currency,
            "amount_minor": amount_minor,
            "entry_id": entry_id,
            "handover_id": handover_id,
            "business_date": business_date or tx.business_date,
            "moved_at": tx.now,
            "moved_by": tx.desk.user_id or ledger.SYSTEM_USER_ID,
        },
    )


def hand(
    tx: Tx, drawer: Drawer, amount_minor: int, kind: MoveKind, handover_id: int | None = None
) -> None:
    """From the vault into the drawer (+), or back (-): two moves that cancel out."""
    if amount_minor:
        put(tx, drawer.branch_id, -amount_minor, kind, handover_id=handover_id)
        put(tx, drawer.branch_id, amount_minor, kind, drawer_id=drawer.id, handover_id=handover_id)


def put_in_vault(tx: Tx, drafts: Sequence[Draft], kind: MoveKind) -> None:
    """What entries without slips did to cash in hand, one move per branch, currency and day."""
    sums: dict[tuple[int, str, date], int] = {}
    for draft in drafts:
        for leg in draft.legs:
            if leg.gl == chart.CASH:
                day = draft.booking_date or tx.business_date
                key = (leg.branch_id or draft.branch_id, draft.currency, day)
                sums[key] = sums.get(key, 0) - leg.amount_minor
    for (branch_id, currency, day), amount_minor in sums.items():
        if amount_minor:
            put(tx, branch_id, amount_minor, kind, currency=currency, business_date=day)


def undo(tx: Tx, entry_id: int) -> None:
    """An entry is about to be reversed: its cash leaves the place that had it.

    That is the drawer that took or paid it, as long as it is open and holds so much; else the
    vault, whose custodian hands the notes to whoever puts it right; VaultTooLow where it has not so
    much, BranchDayClosed where the branch has gone home.
    """
    cash = chart.id_of(tx, chart.CASH)
    lines = tx.connection.execute(
        select(
            Posting.branch_id,
            Posting.currency,
            func.sum(Posting.amount_minor).label("amount_minor"),
        )
        .where(Posting.entry_id == entry_id, Posting.gl_account_id == cash)
        .group_by(Posting.branch_id, Posting.currency)
    ).all()
    if not lines:
        return
    drawer = _drawer_of(tx, entry_id)
    for line in lines:
        if line.amount_minor:
            if drawer is not None and in_drawer(tx, drawer) + int(line.amount_minor) < 0:
                drawer = None
            if drawer is None:
                branch_days.check_open(tx, line.branch_id)
                if line.amount_minor < 0:
                    out, currency = -int(line.amount_minor), line.currency
                    do = BRING_FIRST.format(amount=money.show(out, currency))
                    take_from_vault(tx, line.branch_id, out, currency, do=do)
            put(
                tx,
                line.branch_id,
                int(line.amount_minor),
                MoveKind.UNDONE,
                drawer_id=drawer,
                entry_id=entry_id,
                currency=line.currency,
            )


def _drawer_of(tx: Tx, entry_id: int) -> int | None:
    """The open drawer that a slip's cash went through, held; None when it is closed by now."""
    drawer_id = tx.connection.scalar(
        select(CashSlip.drawer_id).where(CashSlip.entry_id == entry_id)
    )
    if drawer_id is None:
        return None
    drawer = tx.session.get(
        Drawer, drawer_id, with_for_update={"key_share": True}, populate_existing=True
    )
    assert drawer is not None, "a slip's drawer is never deleted"
    if drawer.status in {DrawerStatus.COUNTING, DrawerStatus.COUNTED}:
        raise DrawerBeingCounted
    return drawer.id if drawer.status is DrawerStatus.OPEN else None
