"""Head office says how far back an import may book: so many days, from a day until a later limit.

Each limit has a reason, waits for a second person by dated rule (data/seed/book_approval_rules.csv)
and is asked for by naming the limit that was seen last. Days that are closed stay closed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from bank.book import book_days
from bank.book.book_close import BOOK, reason_of
from bank.book.book_days import BackdatingLimit, days_spoken
from bank.core import dated
from bank.core.checked import Checked
from bank.core.clock import day_in_words
from bank.core.dated import Standing
from bank.core.desk import Tx, command, query
from bank.core.errors import BadInput, WrongState
from bank.core.permissions import Permission

MOST_DAYS_BACK: Final = 3_660
BACKDATING: Final = "backdating"  # what a limit is about, for the trail and for what waits


class BeginsInThePast(BadInput):
    """A limit counts from today or a later day on. Choose one of these."""


class LimitUnchanged(BadInput):
    """That is the limit on that day already. Choose another number of days, or another day."""


class LimitSetMeanwhile(WrongState):
    """Somebody has set another limit meanwhile. Look at the limits as they are now."""


@dataclass(frozen=True, kw_only=True)
class LimitRow:
    """One limit of imports: days back, None for as far as the book is open."""

    id: int
    effective_from: date
    days: int | None
    standing: Standing
    reason: str
    set_by_name: str
    agreed_by_name: str | None
    set_at: datetime


@query(Permission.TRIAL_BALANCE_VIEW)
def limits(tx: Tx) -> Sequence[LimitRow]:
    """List how far back imports may book, and might: newest first."""
    rows = book_days.limits(tx)
    standing_of = dated.standings(rows, tx.business_date)
    return [
        LimitRow(
            id=row.id,
            effective_from=row.effective_from,
            days=row.days,
            standing=standing_of(row),
            reason=row.reason,
            set_by_name=row.set_by_name,
            agreed_by_name=row.agreed_by_name,
            set_at=row.set_at,
        )
        for row in rows
    ]


@command(
    Permission.BOOK_CLOSE,
    checked=Checked(ends=(BeginsInThePast, LimitUnchanged, LimitSetMeanwhile)),
)
def set_limit(tx: Tx, effective_from: date, days: int | None, seen: int | None, reason: str) -> int:
    """Let imports book at most so many days back from a day on; None: as far as the book is open.

    `seen` is the id of the newest limit that was seen, None where there was none. Answers the id
    of the row.
    """
    why = reason_of(reason)
    if effective_from < tx.business_date:
        raise BeginsInThePast(field="effective_from")
    if days is not None and not 0 <= days <= MOST_DAYS_BACK:
        raise BadInput(f"Give a number of days from 0 to {MOST_DAYS_BACK:,}.", field="days")
    rows = _held(tx, seen)
    now = dated.in_force(rows, effective_from)
    before = None if now is None else now.days
    if before == days:
        raise LimitUnchanged(field="days")
    assert tx.desk.user_id is not None
    agreed = tx.facts.get("checker")
    row = BackdatingLimit(
        id=1 if not rows else rows[0].id + 1,
        effective_from=effective_from,
        days=days,
        reason=why,
        set_by=tx.desk.user_id,
        set_by_name=tx.desk.name,
        agreed_by_name=None if agreed is None else str(agreed),
        set_at=tx.now,
    )
    tx.session.add(row)
    tx.session.flush()
    tx.concerns(BOOK, BACKDATING)
    tx.changed(
        {"imports book back": _in_words(before), "from": None},
        {"imports book back": _in_words(days), "from": day_in_words(effective_from)},
    )
    return row.id


def _held(tx: Tx, seen: int | None) -> list[BackdatingLimit]:
    """The limits, newest first; nobody else sets one until this transaction ends."""
    if tx.dialect == "postgresql":
        tx.cursor.execute("LOCK TABLE backdating_limits IN SHARE ROW EXCLUSIVE MODE")
    rows = book_days.limits(tx)
    if (rows[0].id if rows else None) != seen:
        raise LimitSetMeanwhile
    return rows


def _in_words(days: int | None) -> str:
    return "as far as the book is open" if days is None else f"at most {days_spoken(days)}"
