"""Lines of an account: a stretch of them without gaps, with what stood before and after.

A statement goes from the first line booked in its period to the last one, in the book's own order;
so opening + lines = closing always holds, and each line carries the running balance that the book
keeps. Amounts are minor units of the account's currency: credit +, debit -.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import case, func, select
from sqlalchemy.orm import aliased

from bank.accounts.accounts import Account, AccountCard
from bank.accounts.papers import masked
from bank.book.references import reference_of
from bank.book.tables import JournalEntry, Posting
from bank.core.desk import Tx
from bank.core.errors import BadInput
from bank.people.customers import Customer

LONGEST_YEARS: Final = 10
LONGEST_PAPER: Final = 5_000  # lines in one PDF or CSV


class PeriodUpsideDown(BadInput):
    """The first day comes after the last one. Choose a period that begins before it ends."""


class PeriodTooLong(BadInput):
    """A statement covers at most ten years. Choose a shorter period."""


class TooManyLines(BadInput):
    """This period has more than 5,000 lines. Choose a shorter one and download it in parts."""


@dataclass(frozen=True, kw_only=True)
class StatementLine:
    """One line as its holder reads it. `other_holder` and `other_number` name the account on the
    other side where there is exactly one; `corrects` is the reference of the entry it reverses,
    `corrected_by` that of its reversal."""

    line_no: int
    entry_id: int
    reference: str
    booking_date: date
    value_date: date
    kind: str
    narration: str
    amount_minor: int
    balance_minor: int
    other_holder: str | None
    other_number: str | None
    corrects: str | None
    corrected_by: str | None

    @property
    def details(self) -> str:
        """The line in plain words: what it was, with whom, and whether it was put right."""
        said = self.narration
        if self.other_number is not None:
            way = "to" if self.amount_minor < 0 else "from"
            said = f"{said}, {way} {self.other_holder} {masked(self.other_number)}"
        if self.corrected_by is not None:
            said = f"{said} (reversed by {self.corrected_by})"
        return said

    @property
    def debit_minor(self) -> int | None:
        """What left the account, without sign; None for a credit."""
        return -self.amount_minor if self.amount_minor < 0 else None

    @property
    def credit_minor(self) -> int | None:
        """What came in; None for a debit."""
        return self.amount_minor if self.amount_minor > 0 else None


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A period of one account. Totals and `count` are of the whole period, `lines` may be a part
    of it. `credit_minor` is positive, `debit_minor` negative."""

    account: AccountCard
    start: date
    end: date
    opening_minor: int
    credit_minor: int
    debit_minor: int
    closing_minor: int
    count: int
    lines: Sequence[StatementLine]


def statement_of(
    tx: Tx,
    card: AccountCard,
    start: date,
    end: date,
    skip: int = 0,
    take: int | None = None,
    *,
    whole: bool = False,
) -> Statement:
    """Opening, totals, closing of a period and the chosen part of its lines.

    Raises PeriodUpsideDown, PeriodTooLong; with `whole` (a paper) TooManyLines.
    """
    check_period(start, end)
    mine = Posting.account_id == card.id
    first, last = tx.connection.execute(
        select(func.min(Posting.line_no), func.max(Posting.line_no)).where(
            mine, Posting.booking_date >= start, Posting.booking_date <= end
        )
    ).one()
    if first is None:
        # No line in the period: the balance that the last line before it left.
        last = tx.connection.scalar(
            select(func.max(Posting.line_no)).where(mine, Posting.booking_date < start)
        )
        first = (last or 0) + 1
    last = last or 0
    count = last - first + 1
    if whole and count > LONGEST_PAPER:
        raise TooManyLines
    opening, credit, debit = tx.connection.execute(
        select(
            func.min(case((Posting.line_no == first - 1, Posting.balance_minor))),
            func.sum(case((Posting.line_no >= first, _if(Posting.amount_minor > 0)), else_=0)),
            func.sum(case((Posting.line_no >= first, _if(Posting.amount_minor < 0)), else_=0)),
        ).where(mine, Posting.line_no >= first - 1, Posting.line_no <= last)
    ).one()
    opening, credit, debit = int(opening or 0), int(credit or 0), int(debit or 0)
    upto = last if take is None else min(last, first + skip + take - 1)
    return Statement(
        account=card,
        start=start,
        end=end,
        opening_minor=opening,
        credit_minor=credit,
        debit_minor=debit,
        closing_minor=opening + credit + debit,
        count=count,
        lines=_read(tx, card.id, first + skip, upto),
    )


def check_period(start: date, end: date) -> None:
    """Refuse a period that no statement can cover."""
    if start > end:
        raise PeriodUpsideDown(field="period")
    if end.year - start.year > LONGEST_YEARS:
        raise PeriodTooLong(field="period")


def newest(tx: Tx, account_id: int, take: int) -> Sequence[StatementLine]:
    """The last lines of an account, newest first."""
    last = tx.connection.scalar(
        select(func.max(Posting.line_no)).where(Posting.account_id == account_id)
    )
    return _read(tx, account_id, max(1, (last or 0) - take + 1), last or 0)[::-1]


def _if(condition: Any) -> Any:
    return case((condition, Posting.amount_minor), else_=0)


_Reversal, _Other = aliased(JournalEntry), aliased(Posting)


def _read(tx: Tx, account_id: int, first: int, last: int) -> list[StatementLine]:
    """The lines of an account from one number to another, in order."""
    if first > last:
        return []
    rows = tx.connection.execute(
        select(
            Posting.line_no,
            Posting.entry_id,
            Posting.booking_date,
            Posting.value_date,
            JournalEntry.kind,
            JournalEntry.narration,
            Posting.amount_minor,
            Posting.balance_minor,
            JournalEntry.reverses_id,
            _Reversal.id.label("reversed_by"),
            _Reversal.booking_date.label("reversed_on"),
        )
        .join(JournalEntry, JournalEntry.id == Posting.entry_id)
        .join(_Reversal, _Reversal.reverses_id == JournalEntry.id, isouter=True)
        .where(
            Posting.account_id == account_id,
            Posting.line_no >= first,
            Posting.line_no <= last,
        )
        .order_by(Posting.line_no)
    ).all()
    others = _others(tx, account_id, first, last)
    earlier = _dates(tx, [row.reverses_id for row in rows if row.reverses_id is not None])
    return [
        StatementLine(
            line_no=row.line_no,
            entry_id=row.entry_id,
            reference=reference_of(row.booking_date, row.entry_id),
            booking_date=row.booking_date,
            value_date=row.value_date,
            kind=row.kind,
            narration=row.narration,
            amount_minor=row.amount_minor,
            balance_minor=row.balance_minor,
            other_holder=others.get(row.entry_id, (None, None))[0],
            other_number=others.get(row.entry_id, (None, None))[1],
            corrects=row.reverses_id and reference_of(earlier[row.reverses_id], row.reverses_id),
            corrected_by=row.reversed_by and reference_of(row.reversed_on, row.reversed_by),
        )
        for row in rows
    ]


def _others(tx: Tx, account_id: int, first: int, last: int) -> dict[int, tuple[str, str]]:
    """Holder and number of the other account of each entry that has exactly one."""
    rows = tx.connection.execute(
        select(
            Posting.entry_id,
            func.min(Customer.name),
            func.min(Account.number),
            func.count(_Other.account_id.distinct()),
        )
        .join(_Other, _Other.entry_id == Posting.entry_id)
        .join(Account, Account.id == _Other.account_id)
        .join(Customer, Customer.id == Account.customer_id)
        .where(
            Posting.account_id == account_id,
            Posting.line_no >= first,
            Posting.line_no <= last,
            _Other.account_id != account_id,
        )
        .group_by(Posting.entry_id)
    )
    return {entry_id: (holder, number) for entry_id, holder, number, count in rows if count == 1}


def _dates(tx: Tx, entry_ids: Sequence[int]) -> dict[int, date]:
    if not entry_ids:
        return {}
    rows = tx.connection.execute(
        select(JournalEntry.id, JournalEntry.booking_date).where(JournalEntry.id.in_(entry_ids))
    )
    return {entry_id: day for entry_id, day in rows}
