"""The journal: entries found by what one knows of them, one entry in full, and its reversal.

An entry is in sight when one of its lines is on the branch of the desk; who sees the whole bank
sees every entry. Pages of the list are walked by key (booking date, id), newest first, never by
counting rows off: the ten-millionth entry is as near as the first.

Amounts are signed whole minor units: credit +, debit -. The book knows accounts and people by
their ids; the floors above know their names.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, and_, bindparam, case, func, select, tuple_

from bank.book import chart, ledger, references
from bank.book.chart import GlAccount
from bank.book.drafts import NoSuchEntry, Posted
from bank.book.journal_search import (
    ENTRIES,
    POSTINGS,
    Place,
    Wanted,
    fitting,
    on_entries,
    on_lines,
)
from bank.core import sights
from bank.core.checked import About, Checked, Given
from bank.core.desk import Tx, command, query
from bank.core.errors import NotAllowed
from bank.core.permissions import Permission
from bank.core.texts import check_search

ROWS_ON_A_PAGE: Final = 50
COUNTED_UP_TO: Final = 1_000  # beyond it the list says "more than"
ADDED_UP_TO: Final = 100_000  # lines whose sum is shown below a drilled list
# Told of every entry that somebody has reversed and of its reversal, in the same transaction.
# `bank/app.py` fills it: whose money it was is known upstairs.
after_reversals: Final[list[Callable[[Tx, int, Posted], None]]] = []


class EntryOfAnotherBranch(NotAllowed):
    """This entry was booked at another branch, so its branch admin must reverse it."""


class EntryRow(NamedTuple):
    """One entry of the list. `amount_minor` is what it moved (all its credits, without the lines
    between branches); `matched_minor` the sum of the lines that fit, where a ledger was named."""

    id: int
    booking_date: date
    value_date: date
    booked_at: datetime
    kind: str
    narration: str
    branch_id: int
    actor_id: int
    channel: str
    reverses_id: int | None
    reversed_by_id: int | None
    currency: str
    amount_minor: int
    matched_minor: int | None

    @property
    def reference(self) -> str:
        """What people quote."""
        return references.reference_of(self.booking_date, self.id)

    @property
    def place(self) -> Place:
        """Where it stands in the list."""
        return Place(self.booking_date, self.id)

    @property
    def state(self) -> str:
        """`reversal`, `reversed` or `booked`."""
        if self.reverses_id is not None:
            return "reversal"
        return "reversed" if self.reversed_by_id is not None else "booked"


@dataclass(frozen=True, kw_only=True)
class LineSum:
    """What the lines that fit add up to, in one currency."""

    currency: str
    lines: int
    debit_minor: int
    credit_minor: int

    @property
    def net_minor(self) -> int:
        """Credits less debits."""
        return self.credit_minor + self.debit_minor


@dataclass(frozen=True, kw_only=True)
class JournalPage:
    """One page of the list. `found` counts up to COUNTED_UP_TO and one more; `sums` is None where
    no ledger was named or where there are more than ADDED_UP_TO lines."""

    rows: Sequence[EntryRow]
    found: int
    newer: Place | None
    older: Place | None
    sums: Sequence[LineSum] | None


@dataclass(frozen=True, kw_only=True)
class EntryLine:
    """One line of an entry. `line_no` and `balance_minor` (after it) are set on accounts only, the
    balance where this desk may see it."""

    leg: int
    gl_code: str
    gl_name: str
    account_id: int | None
    branch_id: int
    currency: str
    amount_minor: int
    line_no: int | None
    balance_minor: int | None


@dataclass(frozen=True, kw_only=True)
class EntryInFull:
    """An entry with all that the book holds of it. `request_id` is its transaction id (a UUID)."""

    row: EntryRow
    request_id: str
    content_hash: str
    external_id: str | None
    reason: str | None
    lines: Sequence[EntryLine] = field(default_factory=tuple)


@query(Permission.JOURNAL_VIEW)
def entries(
    tx: Tx,
    wanted: Wanted,
    older_than: Place | None = None,
    newer_than: Place | None = None,
) -> JournalPage:
    """Look through the journal: fifty entries that fit, newest first, from a place onwards."""
    tx.looked_at("journal", tx.desk.branch_id or "bank")
    if wanted.account_id is not None:  # by the book's own number; the floors above know the others
        tx.looked_at("balance", wanted.account_id)
    conditions = fitting(tx, wanted)
    listed = _ROWS.where(*conditions).limit(ROWS_ON_A_PAGE + 1)
    if newer_than is not None:
        back = listed.where(tuple_(newer_than.booking_date, newer_than.entry_id) < _KEY)
        found = tx.connection.execute(back.order_by(_E.booking_date, _E.id)).all()
        kept = found[:ROWS_ON_A_PAGE][::-1]
        more_newer, more_older = len(found) > ROWS_ON_A_PAGE, True
    else:
        if older_than is not None:
            listed = listed.where(tuple_(older_than.booking_date, older_than.entry_id) > _KEY)
        found = tx.connection.execute(listed.order_by(_E.booking_date.desc(), _E.id.desc())).all()
        kept = found[:ROWS_ON_A_PAGE]
        more_newer, more_older = older_than is not None, len(found) > ROWS_ON_A_PAGE
    rows = _with_amounts(tx, wanted, kept)
    return JournalPage(
        rows=rows,
        found=_count(tx, conditions) if more_newer or more_older else len(rows),
        newer=rows[0].place if rows and more_newer else None,
        older=rows[-1].place if rows and more_older else None,
        sums=_sums(tx, wanted) if wanted.names_a_ledger else None,
    )


@query(Permission.JOURNAL_VIEW)
def entry_in_full(tx: Tx, entry_id: int) -> EntryInFull:
    """Look at one entry: its lines, its dates, who booked it, its reversal."""
    row = entry_row(tx, entry_id)
    first = tx.connection.execute(
        select(
            _E.request_id,
            _E.content_hash,
            _E.external_id,
            _E.reason,
        ).where(_E.id == entry_id)
    ).one()
    tx.looked_at("entry", entry_id)
    return EntryInFull(row=row, **first._mapping, lines=lines_of(tx, entry_id))


@query(Permission.JOURNAL_VIEW)
def find_entry(tx: Tx, text: str) -> int:
    """Find one entry by its reference, its number or its transaction id; answers its number."""
    wanted = text.strip()
    check_search(wanted, "entry")
    if len(wanted) == 36:
        found = tx.connection.scalar(select(_E.id).where(_E.request_id == wanted.lower()))
    elif wanted.isdecimal() and len(wanted) <= 18:
        found = int(wanted)
    else:
        found = references.entry_id_in(wanted)
        if entry_row(tx, found).reference != references.tidy(wanted):
            raise NoSuchEntry
    if found is None:
        raise NoSuchEntry
    return entry_row(tx, found).id


@query(Permission.JOURNAL_VIEW)
def ledger_accounts(tx: Tx) -> Sequence[tuple[str, str]]:
    """List code and name of every ledger account, to choose from."""
    return [
        (code, name)
        for code, name in tx.connection.execute(select(_G.code, _G.name).order_by(_G.code))
    ]


def _about_reversal(tx: Tx, given: Given) -> About:
    row = entry_row(tx, given["entry_id"])
    ids = {line.account_id for line in lines_of(tx, row.id) if line.account_id is not None}
    return About(
        amount_minor=row.amount_minor,
        currency=row.currency,
        accounts=tuple(f"#{account_id}" for account_id in sorted(ids)),
        kind=row.kind,
        branch_id=row.branch_id,
    )


def _reversed_today(tx: Tx, account: str) -> int:
    """What this person has reversed on an account (`#` and its id) on this business date."""
    return int(
        tx.connection.scalar(
            select(func.coalesce(func.sum(func.abs(_P.amount_minor)), 0))
            .join(ENTRIES, _E.id == _P.entry_id)
            .where(
                _P.account_id == int(account.removeprefix("#")),
                _P.booking_date == tx.business_date,
                _E.actor_id == tx.desk.user_id,
                _E.reverses_id.is_not(None),
            )
        )
        or 0
    )


@command(
    Permission.ENTRY_REVERSE,
    checked=Checked(
        about=_about_reversal,
        of_today=_reversed_today,
        ends=(ledger.AlreadyReversed, ledger.PosterMayNotReverse, ledger.ReversalIsFinal),
    ),
)
def reverse_entry(tx: Tx, entry_id: int, reason: str, request_id: str) -> Posted:
    """Book the opposite of an entry of this branch, with a reason, if somebody else booked it."""
    row = entry_row(tx, entry_id)
    if not tx.desk.sees_whole_bank and row.branch_id != tx.desk.branch_id:
        raise EntryOfAnotherBranch
    posted = ledger.reverse(tx, entry_id, reason=reason, request_id=request_id)
    tx.concerns("entry", entry_id)
    tx.changed({"state": row.state}, {"state": "reversed", "reversed_by_id": posted.entry_id})
    if not posted.replayed:
        for tell in after_reversals:
            tell(tx, entry_id, posted)
    return posted


def entry_row(tx: Tx, entry_id: int) -> EntryRow:
    """One entry of the list, or NoSuchEntry where this desk does not see it."""
    found = tx.connection.execute(_ROWS.where(_E.id == entry_id, *fitting(tx, Wanted()))).all()
    if not found:
        raise NoSuchEntry
    return _with_amounts(tx, Wanted(), found)[0]


@sights.seen_by("entry")
def _entry_read(tx: Tx, entry_id: str) -> sights.Record | None:
    if not tx.desk.may(Permission.JOURNAL_VIEW):
        return None
    try:
        entry_row(tx, int(entry_id))
    except NoSuchEntry:
        return None
    return sights.Record()


def lines_of(tx: Tx, entry_id: int) -> Sequence[EntryLine]:
    """The lines of an entry in their order.

    What an account of another branch holds after its line is not for a desk of this one.
    """
    balance: ColumnElement[Any] = _P.balance_minor
    if not tx.desk.sees_whole_bank:
        balance = case((_P.branch_id == tx.desk.branch_id, balance))
    found = tx.connection.execute(
        select(
            _P.leg,
            _G.code.label("gl_code"),
            _G.name.label("gl_name"),
            _P.account_id,
            _P.branch_id,
            _P.currency,
            _P.amount_minor,
            _P.line_no,
            balance.label("balance_minor"),
        )
        .join(GlAccount.__table__, _G.id == _P.gl_account_id)
        .where(_P.entry_id == entry_id)
        .order_by(_P.leg)
    )
    return [EntryLine(**line._mapping) for line in found]


_E, _P, _G = ENTRIES.c, POSTINGS.c, GlAccount.__table__.c
_REVERSALS: Final = ENTRIES.alias()
_KEY: Final = tuple_(_E.booking_date, _E.id)


# Built once: putting a statement together costs more than running it.
_ROWS: Final = select(
    _E.id,
    _E.booking_date,
    _E.value_date,
    _E.booked_at,
    _E.kind,
    _E.narration,
    _E.branch_id,
    _E.actor_id,
    _E.channel,
    _E.reverses_id,
    _REVERSALS.c.id.label("reversed_by_id"),
).outerjoin(_REVERSALS, _REVERSALS.c.reverses_id == _E.id)
_MOVED: Final = func.sum(
    case(
        (
            and_(_P.amount_minor > 0, _P.gl_account_id != bindparam("inter_branch")),
            _P.amount_minor,
        ),
        else_=0,
    )
)
_AMOUNTS: Final = (
    select(_P.entry_id, func.min(_P.currency), _MOVED)
    .where(_P.entry_id.in_(bindparam("entry_ids", expanding=True)))
    .group_by(_P.entry_id)
)


def _with_amounts(tx: Tx, wanted: Wanted, found: Sequence[Any]) -> list[EntryRow]:
    """The rows of a page with what their lines add up to."""
    amounts = _AMOUNTS
    if wanted.names_a_ledger:
        fits = and_(*on_lines(tx, wanted))
        amounts = amounts.add_columns(func.sum(case((fits, _P.amount_minor), else_=0)))
    given = {
        "inter_branch": chart.id_of(tx, chart.INTER_BRANCH),
        "entry_ids": [row.id for row in found],
    }
    sums: dict[int, Any] = {sum_[0]: sum_ for sum_ in tx.connection.execute(amounts, given)}
    rows = []
    for row in found:
        _, currency, moved, *matched = sums[row.id]
        mine = int(matched[0]) if matched else None
        rows.append(EntryRow._make((*row, currency, int(moved), mine)))
    return rows


def _count(tx: Tx, conditions: Sequence[ColumnElement[bool]]) -> int:
    some = select(_E.id).where(*conditions).limit(COUNTED_UP_TO + 1).subquery()
    return tx.connection.scalar(select(func.count()).select_from(some)) or 0


def _sums(tx: Tx, wanted: Wanted) -> Sequence[LineSum] | None:
    """What the lines that fit add up to, per currency; None when there are too many of them."""
    amount = _P.amount_minor
    lines = (
        select(_P.currency, amount)
        .join(ENTRIES, _E.id == _P.entry_id)
        .where(*on_lines(tx, wanted), *on_entries(wanted))
        .limit(ADDED_UP_TO + 1)
        .subquery()
    )
    found = tx.connection.execute(
        select(
            lines.c.currency,
            func.count().label("lines"),
            func.sum(case((lines.c.amount_minor < 0, lines.c.amount_minor), else_=0)),
            func.sum(case((lines.c.amount_minor > 0, lines.c.amount_minor), else_=0)),
        )
        .group_by(lines.c.currency)
        .order_by(lines.c.currency)
    )
    sums = [
        LineSum(currency=currency, lines=count, debit_minor=int(debit), credit_minor=int(credit))
        for currency, count, debit, credit in found
    ]
    return sums if sum(each.lines for each in sums) <= ADDED_UP_TO else None
