"""The count of the vault: found by one person, confirmed by another, asked for before a day closes.

    counted --a second person confirms--> confirmed
        '--> dropped by either, to count again

The custodian counts by denomination, and only then what should lie there is told. The second person
confirms it with the custodian, with a reason where it is over or short; then the difference is on
its own ledger account. A count holds as long as the vault should hold what was found: cash that
moves afterwards asks for another one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import CheckConstraint, ForeignKey, Index, Select, String, select, text
from sqlalchemy.orm import Mapped, aliased, mapped_column

from bank.book import chart, ledger
from bank.book.kinds import EntryKind
from bank.core import money
from bank.core.clock import day_in_words
from bank.core.db import Base
from bank.core.desk import Tx, command, query
from bank.core.errors import NotAllowed, NotFound, WrongState
from bank.core.permissions import Permission
from bank.core.states import check_move, machine, move
from bank.counters import branch_days, drawer_cash, tallies
from bank.counters.counts import LONGEST_REASON, Counted
from bank.counters.drawer_cash import MoveKind
from bank.counters.drawers import LONGEST_NOTE
from bank.counters.tallies import Pieces, TallyRow
from bank.people import branches
from bank.people.fields import clean_text
from bank.people.identity import User

MOST_LISTED: Final = 60


class VaultCountStatus(StrEnum):
    """Whether a second person has confirmed it."""

    COUNTED = "counted"
    CONFIRMED = "confirmed"
    DROPPED = "dropped"


V = VaultCountStatus
MOVES: Final = machine("vault count", {V.COUNTED: {V.CONFIRMED, V.DROPPED}})
_WAITS: Final = text("status = 'counted'")


class NoSuchCount(NotFound):
    """There is no such count at your branch. Reload the page and look again."""


class CountWaits(WrongState):
    """The vault has been counted already. A second person confirms it, or drops it to count
    again."""


class YouCountedTheVault(NotAllowed):
    """You counted the vault, so another custodian or a supervisor confirms it."""


class CashHasMoved(WrongState):
    """Cash has moved into or out of the vault since this count. Drop it and count again."""


class VaultCount(Base):
    """One count of a vault: what was found, and what should have been there at that moment.
    `reason` is said of a difference, or of why it was dropped."""

    __tablename__ = "vault_counts"
    __table_args__ = (
        CheckConstraint(
            "status = 'dropped' OR decided_by <> counted_by", name="confirmed_by_another"
        ),
        Index("ix_vault_counts_branch_id", "branch_id", "business_date"),
        Index(
            "uq_vault_counts_waiting",
            "branch_id",
            unique=True,
            sqlite_where=_WAITS,
            postgresql_where=_WAITS,
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    branch_id: Mapped[int] = mapped_column(ForeignKey("branches.id"))
    business_date: Mapped[date]
    status: Mapped[VaultCountStatus]
    tally_id: Mapped[int] = mapped_column(ForeignKey("tallies.id"))
    counted_minor: Mapped[int]
    expected_minor: Mapped[int]
    counted_at: Mapped[datetime]
    counted_by: Mapped[int]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[int | None]
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("entries.id"))
    reason: Mapped[str] = mapped_column(String(LONGEST_NOTE))

    @property
    def difference_minor(self) -> int:
        """What was found over (+) or short (-) of what should be there."""
        return self.counted_minor - self.expected_minor


@dataclass(frozen=True, kw_only=True)
class VaultCountCard:
    """A count of the vault as people read it."""

    id: int
    business_date: date
    status: VaultCountStatus
    counted_minor: int
    expected_minor: int
    counted_at: datetime
    counted_by_id: int
    counted_by: str
    decided_by: str
    reason: str
    rows: Sequence[TallyRow]

    @property
    def difference_minor(self) -> int:
        """Found over (+) or short (-)."""
        return self.counted_minor - self.expected_minor


@query(Permission.VAULT_VIEW)
def vault_counts(tx: Tx, branch_id: int | None = None) -> Sequence[VaultCountCard]:
    """List the counts of a branch's vault, newest first: one that waits comes first of all."""
    where = branches.asked_for(tx, branch_id)
    found = tx.session.execute(_rows().where(VaultCount.branch_id == where)).all()
    counted = tallies.rows_of(tx, [row.VaultCount.tally_id for row in found])
    return [_card(row, counted[row.VaultCount.tally_id]) for row in found]


@command(Permission.VAULT_KEEP)
def count_vault(tx: Tx, pieces: Pieces) -> Counted:
    """Say what lies in the vault; only then what should lie there is told."""
    assert tx.desk.branch_id is not None, "a custodian works at a branch"
    branch_days.check_open(tx, tx.desk.branch_id)
    found, waits = tallies.worth(tx, pieces), _waiting(tx, tx.desk.branch_id)
    if waits is not None:
        if (waits.counted_by, waits.counted_minor) != (tx.desk.user_id, found):
            raise CountWaits
        return Counted(counted_minor=found, expected_minor=waits.expected_minor)  # clicked twice
    row = VaultCount(
        branch_id=tx.desk.branch_id,
        business_date=tx.business_date,
        status=V.COUNTED,
        tally_id=tallies.keep_tally(tx, pieces).id,
        counted_minor=found,
        expected_minor=drawer_cash.in_vault(tx, tx.desk.branch_id),
        counted_at=tx.now,
        counted_by=tx.desk.user_id,
        reason="",
    )
    tx.session.add(row)
    tx.session.flush()
    tx.concerns("vault_count", row.id)
    tx.changed(None, {"status": V.COUNTED, "difference_minor": row.difference_minor})
    return Counted(counted_minor=found, expected_minor=row.expected_minor)


@command(Permission.VAULT_WITNESS)
def confirm_vault_count(tx: Tx, count_id: int, reason: str = "", *, request_id: str) -> None:
    """Confirm what another person counted in the vault; book a difference with its reason."""
    row = _held(tx, count_id)
    if row.counted_by == tx.desk.user_id:
        raise YouCountedTheVault
    if row.status is V.CONFIRMED and row.decided_by == tx.desk.user_id:
        return  # the same click again
    check_move(row.status, V.CONFIRMED, MOVES)
    branch_days.check_open(tx, row.branch_id)
    if drawer_cash.in_vault(tx, row.branch_id) != row.expected_minor:
        raise CashHasMoved
    if row.difference_minor:
        row.reason = clean_text(reason, field="reason", longest=LONGEST_REASON)
        posted = ledger.post(tx, _over_short(tx, row, request_id))
        drawer_cash.put(
            tx,
            row.branch_id,
            row.difference_minor,
            MoveKind.OVER_SHORT,
            entry_id=posted.entry_id,
        )
        row.entry_id = tx.facts["entry_id"] = posted.entry_id
    _decide(tx, row, V.CONFIRMED)


@command(Permission.VAULT_WITNESS)
def drop_vault_count(tx: Tx, count_id: int, reason: str) -> None:
    """Drop a count of the vault that was mistaken, with a reason, to count again."""
    row = _held(tx, count_id)
    row.reason = clean_text(reason, field="reason", longest=LONGEST_NOTE)
    _decide(tx, row, V.DROPPED)


def in_the_way(tx: Tx, branch_id: int) -> list[str]:
    """What keeps a day open: cash in the vault that two have not counted as it lies there now."""
    if _waiting(tx, branch_id) is not None:
        return ["The vault was counted: a second person confirms it."]
    held = drawer_cash.in_vault(tx, branch_id)
    last = tx.session.scalar(
        select(VaultCount)
        .where(
            VaultCount.branch_id == branch_id,
            VaultCount.business_date == tx.business_date,
            VaultCount.status == V.CONFIRMED,
        )
        .order_by(VaultCount.id.desc())
        .limit(1)
    )
    if held == (0 if last is None else last.counted_minor):
        return []
    if last is None:
        return ["The vault was not counted today: two count it."]
    return ["Cash has moved since the vault was counted: two count it again."]


def _waiting(tx: Tx, branch_id: int) -> VaultCount | None:
    return tx.session.scalar(
        select(VaultCount).where(VaultCount.branch_id == branch_id, VaultCount.status == V.COUNTED)
    )


def _held(tx: Tx, count_id: int) -> VaultCount:
    branch_id = tx.session.scalar(select(VaultCount.branch_id).where(VaultCount.id == count_id))
    if branch_id is None or branch_id != tx.desk.branch_id:
        raise NoSuchCount
    branch_days.hold(tx, branch_id)  # first, like everybody who looks at the vault
    return tx.session.get_one(VaultCount, count_id, with_for_update=True, populate_existing=True)


def _decide(tx: Tx, row: VaultCount, to: VaultCountStatus) -> None:
    before = row.status
    move(row, to, MOVES)
    row.decided_at, row.decided_by = tx.now, tx.desk.user_id
    tx.session.flush()
    tx.concerns("vault_count", row.id)
    tx.changed(
        {"status": before},
        {"status": to, "difference_minor": row.difference_minor, "reason": row.reason},
    )


def _over_short(tx: Tx, row: VaultCount, request_id: str) -> ledger.Draft:
    over = row.difference_minor
    code = chart.CASH_OVER if over > 0 else chart.CASH_SHORT
    what = "over" if over > 0 else "short"
    where, day = branches.branch_by_id(tx, row.branch_id).name, day_in_words(row.business_date)
    return ledger.Draft(
        request_id=request_id,
        kind=EntryKind.CASH_OVER if over > 0 else EntryKind.CASH_SHORT,
        narration=f"Cash {what} {money.show(abs(over))}, vault of {where}, {day}: {row.reason}",
        legs=(
            ledger.Leg(-over, None, chart.CASH, row.branch_id),
            ledger.Leg(over, None, code, row.branch_id),
        ),
        branch_id=row.branch_id,
    )


_Counter, _Decider = aliased(User), aliased(User)


def _rows() -> Select[*tuple[Any, ...]]:
    return (
        select(VaultCount, _Counter.name.label("counter"), _Decider.name.label("decider"))
        .join(_Counter, _Counter.id == VaultCount.counted_by)
        .join(_Decider, _Decider.id == VaultCount.decided_by, isouter=True)
        .order_by(VaultCount.id.desc())
        .limit(MOST_LISTED)
    )


def _card(found: Any, rows: Sequence[TallyRow]) -> VaultCountCard:
    row: VaultCount = found.VaultCount
    return VaultCountCard(
        id=row.id,
        business_date=row.business_date,
        status=row.status,
        counted_minor=row.counted_minor,
        expected_minor=row.expected_minor,
        counted_at=row.counted_at,
        counted_by_id=row.counted_by,
        counted_by=found.counter,
        decided_by=found.decider or "",
        reason=row.reason,
        rows=rows,
    )
