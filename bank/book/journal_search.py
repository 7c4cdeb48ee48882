"""What one may look for in the journal, as conditions on its entries and their lines."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, exists, func, select

from bank.book import chart
from bank.book.tables import JournalEntry, Posting
from bank.core.desk import Tx
from bank.core.errors import BadInput
from bank.core.texts import check_search


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What to look for. Everything that is given must fit; nothing given means every entry.

    Branch, account, GL code, side, currency and amounts are about one line of an entry: the same
    line must fit them all. Amounts are minor units without sign.
    """

    start: date | None = None
    end: date | None = None
    branch_id: int | None = None
    kind: str | None = None
    channel: str | None = None
    actor_id: int | None = None
    account_id: int | None = None
    gl_code: str | None = None
    credits: bool | None = None
    currency: str | None = None
    least_minor: int | None = None
    most_minor: int | None = None
    words: str | None = None

    @property
    def names_a_ledger(self) -> bool:
        """Whether it is about the lines of one account or ledger account, so that they add up."""
        return self.account_id is not None or self.gl_code is not None


@dataclass(frozen=True, order=True)
class Place:
    """Where a page of the list begins or ends; `str` and `at` carry it through an address."""

    booking_date: date
    entry_id: int

    def __str__(self) -> str:
        return f"{self.booking_date:%Y%m%d}.{self.entry_id}"

    @classmethod
    def at(cls, text: str) -> "Place":
        """The place written by `str`, or BadInput."""
        day, _, entry_id = text.partition(".")
        try:
            return cls(date.fromisoformat(day), int(entry_id))
        except ValueError:
            raise BadInput("This address is not complete. Open the journal anew.") from None


# The tables, not the classes: the mapper's way to the same statement takes twice as long.
ENTRIES: Final = JournalEntry.__table__
POSTINGS: Final = Posting.__table__
Given = tuple[Any, Callable[[Any], ColumnElement[bool]]]


def fitting(tx: Tx, wanted: Wanted) -> list[ColumnElement[bool]]:
    """Conditions on JournalEntry: what is wanted, and what this desk may see."""
    for field in ("kind", "channel", "gl_code", "currency", "words"):
        check_search(getattr(wanted, field), field)
    lines = on_lines(tx, wanted)
    conditions = on_entries(wanted)
    if wanted.names_a_ledger:
        conditions.append(ENTRIES.c.id.in_(select(POSTINGS.c.entry_id).where(*lines)))
    elif lines:
        conditions.append(exists().where(POSTINGS.c.entry_id == ENTRIES.c.id, *lines))
    return conditions


def on_entries(wanted: Wanted) -> list[ColumnElement[bool]]:
    """What the entry itself must fit."""
    entry = ENTRIES.c
    return _of(
        (wanted.start, lambda day: entry.booking_date >= day),
        (wanted.end, lambda day: entry.booking_date <= day),
        (wanted.kind, lambda kind: entry.kind == kind),
        (wanted.channel, lambda channel: entry.channel == channel),
        (wanted.actor_id, lambda actor: entry.actor_id == actor),
        (wanted.words or None, lambda words: entry.narration.icontains(words, autoescape=True)),
    )


def on_lines(tx: Tx, wanted: Wanted) -> list[ColumnElement[bool]]:
    """What one line must fit; on a desk of a branch, it must be a line of that branch."""
    line = POSTINGS.c
    only = None if tx.desk.sees_whole_bank else tx.desk.branch_id
    # The index of a ledger account ends with the booking date.
    dated = wanted.names_a_ledger
    return _of(
        (only, lambda branch: line.branch_id == branch),
        (wanted.branch_id, lambda branch: line.branch_id == branch),
        (wanted.account_id, lambda account: line.account_id == account),
        (wanted.gl_code, lambda code: line.gl_account_id == chart.id_of(tx, code)),
        (wanted.currency, lambda currency: line.currency == currency),
        (wanted.credits, lambda yes: line.amount_minor > 0 if yes else line.amount_minor < 0),
        (wanted.least_minor, lambda amount: func.abs(line.amount_minor) >= amount),
        (wanted.most_minor, lambda amount: func.abs(line.amount_minor) <= amount),
        (wanted.start if dated else None, lambda day: line.booking_date >= day),
        (wanted.end if dated else None, lambda day: line.booking_date <= day),
    )


def _of(*given: Given) -> list[ColumnElement[bool]]:
    return [condition(value) for value, condition in given if value is not None]
