"""The whole book as plain text, with the balances that it must add up to.

Entries stream in the order of their booking date and number, so memory grows with
the number of accounts, not of entries. At the end of each month every customer's
account that moved is asserted from the lines written so far; at the end of the
book every account is asserted from what the book itself says (`balances`, and the
sums per GL account and branch), so a tool that accepts the file has compared the
lines with the balances.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from operator import attrgetter
from typing import Any, Final, TextIO

from sqlalchemy import Executable, Row, func, select
from sqlalchemy.orm import aliased

from bank.accounts.accounts import Account
from bank.book.chart import GlAccount
from bank.book.tables import Balance, JournalEntry, Posting
from bank.core.desk import Desk, Tx, chunk, flow, looking
from bank.core.errors import BadInput
from bank.core.permissions import Permission
from bank.night.journal_formats import (
    WRITERS,
    Asserted,
    Entry,
    Line,
    Place,
    Writer,
    place_name,
)
from bank.people.branches import Branch

ROWS_AT_ONCE: Final = 5_000


class UnknownFormat(BadInput):
    """The journal is exported as hledger, beancount or csv. Choose one of these."""


@dataclass(frozen=True, kw_only=True)
class Exported:
    """How much was written."""

    entries: int
    postings: int
    assertions: int


@dataclass(slots=True)
class _Card:
    """A customer's account while the export runs: what the lines so far add up to."""

    place: Place
    booked_minor: int
    written_minor: int = 0


@dataclass(frozen=True)
class _Book:
    """Everything the entries refer to, read once from the same instant as they are."""

    ifsc: dict[int, str]
    gl_places: dict[tuple[int, int, str], Place]
    gl_sums: list[Asserted]
    cards: dict[int, _Card]
    begins: date

    def places(self) -> Iterable[Place]:
        """Every account of the export, in a stable order."""
        everything = {*self.gl_places.values(), *(card.place for card in self.cards.values())}
        return sorted(everything)


@flow(Permission.BOOK_EXPORT)
def export_journal(desk: Desk, fmt: str, out: TextIO) -> Exported:
    """Write the whole journal for hledger, Beancount or a spreadsheet, with balance assertions."""
    check_format(fmt)
    # Recorded before the first line leaves: an export that was broken off has been read, too.
    with chunk(desk, "night.exports.export_journal", {"format": fmt}):
        pass
    with looking(desk) as tx:
        return _write(tx, WRITERS[fmt](), out)


def check_format(fmt: str) -> None:
    """Raise UnknownFormat unless the journal can be written so."""
    if fmt not in WRITERS:
        raise UnknownFormat(field="format")


def _write(tx: Tx, writer: Writer, out: TextIO) -> Exported:
    book = _read_book(tx)
    out.writelines(writer.head(book.begins, book.places()))
    entries = postings = assertions = 0
    last: date | None = None
    moved: set[int] = set()

    def assert_month(day: date) -> int:
        rows = sorted(
            Asserted(book.cards[account_id].place, book.cards[account_id].written_minor)
            for account_id in moved
        )
        moved.clear()
        if rows:
            out.writelines(writer.balances(day, f"Balances at the end of {day:%Y-%m}", rows))
        return len(rows)

    for entry, account_ids in _entries(tx, book):
        if last is not None and (entry.booking_date.year, entry.booking_date.month) != (
            last.year,
            last.month,
        ):
            assertions += assert_month(_month_end(last))
        last = entry.booking_date
        for account_id, line in zip(account_ids, entry.lines, strict=True):
            if account_id is not None:
                book.cards[account_id].written_minor += line.amount_minor
                moved.add(account_id)
        out.write(writer.entry(entry))
        entries += 1
        postings += len(entry.lines)
    if last is not None:
        final = sorted(Asserted(card.place, card.booked_minor) for card in book.cards.values())
        final += book.gl_sums
        out.writelines(writer.balances(last, "Balances at the end of the book", final))
        assertions += len(final)
    return Exported(entries=entries, postings=postings, assertions=assertions)


def _month_end(day: date) -> date:
    following = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return date.fromordinal(following.toordinal() - 1)


def _stream(tx: Tx, statement: Executable) -> Iterable[Row[Any]]:
    """The rows as the database hands them over, never all of them in memory."""
    return tx.connection.execution_options(yield_per=ROWS_AT_ONCE).execute(statement)


def _read_book(tx: Tx) -> _Book:
    ifsc = {row.id: row.ifsc for row in _stream(tx, select(Branch.id, Branch.ifsc))}
    chart = {
        row.id: row
        for row in _stream(
            tx,
            select(
                GlAccount.id, GlAccount.code, GlAccount.name, GlAccount.kind, GlAccount.is_control
            ),
        )
    }

    def place(gl_id: int, branch_id: int, currency: str, number: str | None = None) -> Place:
        gl = chart[gl_id]
        return Place(place_name(gl.kind, gl.code, gl.name, ifsc[branch_id], number), currency)

    gl_places: dict[tuple[int, int, str], Place] = {}
    gl_sums = []
    for row in _stream(
        tx,
        select(
            Posting.gl_account_id,
            Posting.branch_id,
            Posting.currency,
            func.sum(Posting.amount_minor).label("sum_minor"),
        ).group_by(Posting.gl_account_id, Posting.branch_id, Posting.currency),
    ):
        key = (row.gl_account_id, row.branch_id, row.currency)
        gl_places[key] = place(*key)
        inclusive = bool(chart[row.gl_account_id].is_control)
        gl_sums.append(Asserted(gl_places[key], int(row.sum_minor), inclusive))
    cards = {
        row.account_id: _Card(
            place(row.gl_account_id, row.branch_id, row.currency, row.number), row.booked_minor
        )
        for row in _stream(
            tx,
            select(
                Balance.account_id,
                Balance.gl_account_id,
                Balance.branch_id,
                Balance.currency,
                Balance.booked_minor,
                Account.number,
            ).join(Account, Account.id == Balance.account_id),
        )
    }
    begins = tx.connection.scalar(select(func.min(JournalEntry.booking_date)))
    return _Book(ifsc, gl_places, sorted(gl_sums), cards, begins or tx.business_date)


def _entries(tx: Tx, book: _Book) -> Iterator[tuple[Entry, list[int | None]]]:
    """Every entry with its lines, and the customer account (or None) of each line."""
    reversal = aliased(JournalEntry)
    rows = _stream(
        tx,
        select(
            JournalEntry.id,
            JournalEntry.request_id,
            JournalEntry.kind,
            JournalEntry.narration,
            JournalEntry.branch_id,
            JournalEntry.actor_id,
            JournalEntry.channel,
            JournalEntry.booked_at,
            JournalEntry.booking_date,
            JournalEntry.value_date,
            JournalEntry.external_id,
            JournalEntry.reverses_id,
            JournalEntry.reason,
            reversal.id.label("reversed_by"),
            Posting.gl_account_id,
            Posting.account_id,
            Posting.branch_id.label("line_branch_id"),
            Posting.currency,
            Posting.amount_minor,
        )
        .join(Posting, Posting.entry_id == JournalEntry.id)
        .outerjoin(reversal, reversal.reverses_id == JournalEntry.id)
        .order_by(JournalEntry.booking_date, JournalEntry.id, Posting.leg),
    )
    for _, together in groupby(rows, key=attrgetter("id")):
        lines = list(together)
        first = lines[0]
        yield (
            Entry(
                id=first.id,
                request_id=first.request_id,
                kind=first.kind,
                narration=first.narration,
                ifsc=book.ifsc[first.branch_id],
                actor_id=first.actor_id,
                channel=first.channel,
                booked_at=first.booked_at,
                booking_date=first.booking_date,
                value_date=first.value_date,
                external_id=first.external_id,
                reverses_id=first.reverses_id,
                reversed_by=first.reversed_by,
                reason=first.reason,
                lines=[_line(book, row) for row in lines],
            ),
            [row.account_id for row in lines],
        )


def _line(book: _Book, row: Row[Any]) -> Line:
    if row.account_id is not None:
        return Line(book.cards[row.account_id].place, row.amount_minor)
    key = (row.gl_account_id, row.line_branch_id, row.currency)
    return Line(book.gl_places[key], row.amount_minor)
