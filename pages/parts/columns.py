"""The columns of a table: what stands in a cell, how it is written, what it is sorted by."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter
from typing import Any, Final, Generic, TypeVar

from bank.core import money
from pages.parts import words

T = TypeVar("T")


class Kind(StrEnum):
    """How the values of a column are written."""

    TEXT = "text"
    AMOUNT = "amount"  # minor units, `₹ 12,345.00`, with a minus sign where negative
    SIDE = "side"  # minor units, `₹ 12,345.00 Cr`
    NUMBER = "number"  # a count, `1,284`
    DAY = "day"
    MOMENT = "moment"
    ACCOUNT = "account"  # masked but for the last four digits
    STATE = "state"


# Kinds that have no currency. A table of fifty rows asks for hundreds of cells in every rerun.
_WRITERS: Final[Mapping[Kind, Callable[[Any], str]]] = {
    Kind.TEXT: str,
    Kind.NUMBER: lambda value: f"{value:,}",
    Kind.DAY: words.day,
    Kind.MOMENT: words.moment,
    Kind.ACCOUNT: lambda value: words.masked(str(value)),
    Kind.STATE: lambda value: words.sentence(str(value)),
}
RIGHT: Final = frozenset({Kind.AMOUNT, Kind.SIDE, Kind.NUMBER})


@dataclass(frozen=True, kw_only=True)
class Column(Generic[T]):
    """One column of a table of T.

    `value` is an attribute (`"booking_date"`, also dotted) or a function of the row. An amount's
    currency is `currency`: an ISO code, or a function of the row. `key` columns stay on a phone.
    Sorted by, it is in the order of its bare values, or of `by` where `value` is words for it.
    """

    label: str
    value: str | Callable[[T], Any]
    kind: Kind = Kind.TEXT
    key: bool = False
    currency: str | Callable[[T], str] = money.HOME
    help: str | None = None
    width: int | None = None
    by: str | Callable[[T], Any] | None = None

    def of(self, row: T) -> Any:
        """The bare value."""
        return self.value(row) if callable(self.value) else attrgetter(self.value)(row)

    def place_of(self, row: T) -> Any:
        """What a row is sorted by; text without regard to capitals."""
        by = self.value if self.by is None else self.by
        found = by(row) if callable(by) else attrgetter(by)(row)
        return found.casefold() if isinstance(found, str) else found

    def currency_of(self, row: T) -> str:
        """The currency of this row's amount."""
        return self.currency(row) if callable(self.currency) else self.currency


def column(
    label: str,
    value: str | Callable[[T], Any],
    kind: Kind = Kind.TEXT,
    *,
    key: bool = False,
    currency: str | Callable[[T], str] = money.HOME,
    help: str | None = None,
    width: int | None = None,
    by: str | Callable[[T], Any] | None = None,
) -> Column[T]:
    """Short for `Column(label=..., value=...)`."""
    return Column(
        label=label,
        value=value,
        kind=kind,
        key=key,
        currency=currency,
        help=help,
        width=width,
        by=by,
    )


def written(value: Any, kind: Kind, currency: str = money.HOME) -> str:
    """The value as a person reads it; nothing for None."""
    if value is None or value == "":
        return ""
    if kind is Kind.AMOUNT:
        return money.show(value, currency)
    if kind is Kind.SIDE:
        return money.show_side(value, currency)
    return _WRITERS[kind](value)
