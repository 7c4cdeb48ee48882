"""Values that hold from a business date until a later row replaces them, and how each row stands.

Rows are never changed: whoever thinks again adds one, and of two for the same day the newer counts.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from sqlalchemy import select

from bank.core.desk import Tx


class Dated(Protocol):
    """A row of such a table; a greater id is a newer row."""

    id: Any
    effective_from: Any


T = TypeVar("T", bound=Dated)


class Standing(StrEnum):
    """How a row stands on a day; the value is the word people read."""

    COMING = "coming"
    IN_FORCE = "in force"
    OVER = "over"  # a later row counts now
    REPLACED = "replaced"  # by a newer row for the same day


def in_order(rows: Iterable[T]) -> list[T]:
    """The rows that count, the earliest first, one for each day."""
    by_day = {row.effective_from: row for row in sorted(rows, key=lambda row: row.id)}
    return [by_day[day] for day in sorted(by_day)]


def in_force(rows: Iterable[T], day: date) -> T | None:
    """The row that counts on a day, None before the first one."""
    begun = [row for row in in_order(rows) if row.effective_from <= day]
    return begun[-1] if begun else None


def standings(rows: Sequence[T], day: date) -> Callable[[T], Standing]:
    """How each of these rows of one value stands on a day."""
    counting = {row.id for row in in_order(rows)}
    now = in_force(rows, day)

    def standing_of(row: T) -> Standing:
        if row.id not in counting:
            return Standing.REPLACED
        if row.effective_from > day:
            return Standing.COMING
        return Standing.IN_FORCE if now is not None and row.id == now.id else Standing.OVER

    return standing_of


def value_today(tx: Tx, rules: Any, name: str) -> int:
    """The number called `name` in force on the business date, from a table of rules with name,
    effective_from and value. A name without a row is a bug, not a default."""
    wanted = (
        select(rules.value)
        .where(rules.name == name, rules.effective_from <= tx.business_date)
        .order_by(rules.effective_from.desc())
        .limit(1)
    )
    return int(tx.connection.execute(wanted).scalar_one())
