"""Tallies: notes and coins counted by denomination, whenever cash changes hands.

Which notes and coins the bank takes is dated data (data/seed/denominations.csv). A tally is a
record, written once: what was asked for, handed over, found in a drawer or laid on the counter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import CheckConstraint, ForeignKey, String, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from bank.core import money
from bank.core.db import Base
from bank.core.desk import Tx, query
from bank.core.errors import BadInput
from bank.core.permissions import Permission

FIELD: Final = "notes and coins"
MOST_PIECES: Final = 1_000_000

Pieces = Mapping[str, int]
"""How many of each denomination, by its code; what is not there was not counted."""


class UnknownDenomination(BadInput):
    """The bank does not take this note or coin on this date. Count only what the list offers."""


class PiecesNotWhole(BadInput):
    """Count whole notes and coins: 0 or more of each, at most a million."""


class NotTheAmount(BadInput):
    """The notes and coins do not add up to the amount. Count them again, or correct the amount."""


class DenominationKind(StrEnum):
    """Paper or metal."""

    NOTE = "note"
    COIN = "coin"


class Denomination(Base):
    """A note or coin that the bank takes from `effective_from` to `accepted_until`, if it ends."""

    __tablename__ = "denominations"
    __table_args__ = (CheckConstraint("value_minor > 0", name="value_positive"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(12), unique=True)
    name: Mapped[str] = mapped_column(String(40))
    kind: Mapped[DenominationKind]
    value_minor: Mapped[int]
    effective_from: Mapped[date]
    accepted_until: Mapped[date | None]
    source: Mapped[str] = mapped_column(String(300))


class Tally(Base):
    """A heap of cash that somebody counted. `total_minor` is what its lines add up to."""

    __tablename__ = "tallies"
    __table_args__ = (
        CheckConstraint("total_minor >= 0", name="total_not_negative"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    total_minor: Mapped[int]
    counted_at: Mapped[datetime]
    counted_by: Mapped[int]


class TallyLine(Base):
    """How many of one denomination lie in the heap."""

    __tablename__ = "tally_lines"
    __table_args__ = (CheckConstraint("pieces > 0", name="pieces_positive"),)

    tally_id: Mapped[int] = mapped_column(
        ForeignKey("tallies.id"), primary_key=True, autoincrement=False
    )
    denomination_id: Mapped[int] = mapped_column(
        ForeignKey("denominations.id"), primary_key=True, autoincrement=False
    )
    pieces: Mapped[int]


@dataclass(frozen=True, kw_only=True)
class NoteOrCoin:
    """A denomination as somebody counts it."""

    id: int
    code: str
    name: str
    kind: DenominationKind
    value_minor: int
    effective_from: date
    accepted_until: date | None

    def is_taken_on(self, day: date) -> bool:
        """Whether the bank takes it on this day."""
        return self.effective_from <= day and (
            self.accepted_until is None or day <= self.accepted_until
        )


@dataclass(frozen=True, kw_only=True)
class TallyRow:
    """A line of a tally as people read it."""

    name: str
    value_minor: int
    pieces: int

    @property
    def amount_minor(self) -> int:
        """What these pieces are worth."""
        return self.value_minor * self.pieces


@query(Permission.CASH_COUNT)
def denominations(tx: Tx) -> Sequence[NoteOrCoin]:
    """List the notes and coins the bank takes on this business date, the largest first."""
    return notes_and_coins(tx)


def notes_and_coins(tx: Tx, day: date | None = None) -> Sequence[NoteOrCoin]:
    """The notes and coins taken on a day, this business date unless told otherwise."""
    on = day or tx.business_date
    return [each for each in _all(tx) if each.is_taken_on(on)]


def worth(tx: Tx, pieces: Pieces, *, field: str = FIELD) -> int:
    """What these notes and coins add up to, or BadInput."""
    values = {each.code: each.value_minor for each in notes_and_coins(tx)}
    total = 0
    for code, count in pieces.items():
        if code not in values:
            raise UnknownDenomination(field=field)
        if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= MOST_PIECES:
            raise PiecesNotWhole(field=field)
        total += values[code] * count
    return total


def check_amount(tx: Tx, pieces: Pieces, amount_minor: int, *, field: str = FIELD) -> None:
    """Raise NotTheAmount unless the notes and coins are worth exactly the amount."""
    counted = worth(tx, pieces, field=field)
    if counted != amount_minor:
        raise NotTheAmount(
            f"The notes and coins add up to {money.show(counted)}, the amount is "
            f"{money.show(amount_minor)}. Count them again, or correct the amount.",
            field=field,
        )


def keep_tally(tx: Tx, pieces: Pieces, *, field: str = FIELD) -> Tally:
    """Write a tally down in this transaction."""
    tally = Tally(
        total_minor=worth(tx, pieces, field=field),
        counted_at=tx.now,
        counted_by=tx.desk.user_id or 0,
    )
    tx.session.add(tally)
    tx.session.flush()
    ids = {each.code: each.id for each in _all(tx)}
    lines = [
        {"tally_id": tally.id, "denomination_id": ids[code], "pieces": count}
        for code, count in pieces.items()
        if count
    ]
    if lines:
        tx.connection.execute(insert(TallyLine), lines)
    return tally


def rows_of(tx: Tx, tally_ids: Sequence[int]) -> dict[int, list[TallyRow]]:
    """The lines of tallies, the largest denomination first."""
    found: dict[int, list[TallyRow]] = {tally_id: [] for tally_id in tally_ids}
    rows = tx.connection.execute(
        select(TallyLine.tally_id, Denomination.name, Denomination.value_minor, TallyLine.pieces)
        .join(Denomination, Denomination.id == TallyLine.denomination_id)
        .where(TallyLine.tally_id.in_(tally_ids))
        .order_by(Denomination.kind.desc(), Denomination.value_minor.desc())
    )
    for tally_id, name, value_minor, pieces in rows:
        found[tally_id].append(TallyRow(name=name, value_minor=value_minor, pieces=pieces))
    return found


def pieces_of(tx: Tx, tally_id: int | None) -> dict[str, int]:
    """A tally as it was keyed, nothing for none."""
    return {} if tally_id is None else pieces_of_each(tx, [tally_id])[tally_id]


def pieces_of_each(tx: Tx, tally_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """Tallies as they were keyed."""
    found: dict[int, dict[str, int]] = {tally_id: {} for tally_id in tally_ids}
    rows = tx.connection.execute(
        select(TallyLine.tally_id, Denomination.code, TallyLine.pieces)
        .join(Denomination, Denomination.id == TallyLine.denomination_id)
        .where(TallyLine.tally_id.in_(tally_ids))
    )
    for tally_id, code, pieces in rows:
        found[tally_id][code] = pieces
    return found


def _all(tx: Tx) -> Sequence[NoteOrCoin]:
    """Every denomination there ever was. They come by migration, so a process reads them once."""
    known: Sequence[NoteOrCoin] | None = tx.bank.db.memo.get("denominations")
    if known is None:
        rows = tx.session.scalars(
            select(Denomination).order_by(Denomination.kind.desc(), Denomination.value_minor.desc())
        )
        known = tx.bank.db.memo["denominations"] = [
            NoteOrCoin(
                id=row.id,
                code=row.code,
                name=row.name,
                kind=row.kind,
                value_minor=row.value_minor,
                effective_from=row.effective_from,
                accepted_until=row.accepted_until,
            )
            for row in rows
        ]
    return known
