"""Lines of an account: those of a period, with what stood before and after.

A statement holds the lines whose booking date lies in its period, by that date and in the book's
own order within a day; opening is what all older lines add up to, so opening + lines = closing
always holds. An import may book an older day after a newer one: such a line stands where its date
belongs and says so, and the running balance follows the dates (where all was booked in order, it
is the one that the book keeps). Amounts are minor units of the account's currency: credit +,
debit -.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, case, false, func, or_, select
from sqlalchemy.orm import aliased

from bank.accounts.accounts import Account, AccountCard
from bank.accounts.papers import masked
from bank.book.references import reference_of
from bank.book.tables import Balance, JournalEntry, Posting
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
    `corrected_by` that of its reversal. `is_late` says that a line of a later day was booked
    before it."""

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
    is_late: bool = False

    @property
    def details(self) -> str:
        """The line in plain words: what it was, with whom, and whether it was put right."""
        said = self.narration
        if self.other_number is not None:
            way = "to" if self.amount_minor < 0 else "from"
            said = f"{said}, {way} {self.other_holder} {masked(self.other_number)}"
        if self.corrected_by is not None:
            said = f"{said} (reversed by {self.corrected_by})"
        if self.is_late:
            said = f"{said} (booked after lines of later days)"
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
    inside = Posting.booking_date.between(start, end)
    # One walk over the account's lines, in their order; nothing but sums comes back.
    opening, credit, debit, count, first, last, later = tx.connection.execute(
        select(
            func.sum(case((Posting.booking_date < start, Posting.amount_minor), else_=0)),
            func.sum(case((inside & (Posting.amount_minor > 0), Posting.amount_minor), else_=0)),
            func.sum(case((inside & (Posting.amount_minor < 0), Posting.amount_minor), else_=0)),
            func.count(case((inside, 1))),
            func.min(case((inside, Posting.line_no))),
            func.max(case((inside, Posting.line_no))),
            func.min(case((Posting.booking_date > end, Posting.line_no))),
        ).where(Posting.account_id == card.id)
    ).one()
    opening, credit, debit = int(opening or 0), int(credit or 0), int(debit or 0)
    if whole and count > LONGEST_PAPER:
        raise TooManyLines
    lines: list[StatementLine] = []
    if count:
        period = _Period(start, end, first, last, opening, later)
        lines = _read(tx, _of_period(card.id, period).offset(skip).limit(take)).get(card.id, [])
    return Statement(
        account=card,
        start=start,
        end=end,
        opening_minor=opening,
        credit_minor=credit,
        debit_minor=debit,
        closing_minor=opening + credit + debit,
        count=count,
        lines=lines,
    )


def check_period(start: date, end: date) -> None:
    """Refuse a period that no statement can cover."""
    if start > end:
        raise PeriodUpsideDown(field="period")
    if end.year - start.year > LONGEST_YEARS:
        raise PeriodTooLong(field="period")


def newest(tx: Tx, account_ids: Sequence[int], take: int) -> Mapping[int, Sequence[StatementLine]]:
    """The lines that each of the accounts was given last, the last one first, by account id.

    The book numbers the lines of an account without a hole and counts them on its card, so the
    last of all accounts are a range of the index each, in one statement.
    """
    lines = (
        select(*_LINE, Posting.balance_minor.label("balance"), false().label("is_late"))
        .join(Balance, Balance.account_id == Posting.account_id)
        .where(Balance.account_id.in_(account_ids), Posting.line_no > Balance.lines - take)
    )
    found = _read(tx, lines)
    return {one: sorted(found.get(one, ()), key=lambda line: -line.line_no) for one in account_ids}


def of_entry(
    tx: Tx, account_ids: Sequence[int], entry_id: int
) -> Mapping[int, Sequence[StatementLine]]:
    """The lines that one entry has on these accounts, by account id."""
    lines = select(*_LINE, Posting.balance_minor.label("balance"), false().label("is_late"))
    return _read(tx, lines.where(Posting.entry_id == entry_id, Posting.account_id.in_(account_ids)))


class _Period(NamedTuple):
    """What is known of a period before its lines are read: the numbers of its first and last line,
    what stood before, and the first line of all that is dated later."""

    start: date
    end: date
    first: int
    last: int
    opening_minor: int
    later: int | None


_LINE: Final = (
    Posting.account_id,
    Posting.line_no,
    Posting.entry_id,
    Posting.booking_date,
    Posting.value_date,
    Posting.amount_minor,
)


def _of_period(account_id: int, period: _Period) -> Select[*tuple[Any, ...]]:
    """The lines of a period by date, with the balance that follows the dates."""
    running = func.sum(Posting.amount_minor).over(order_by=(Posting.booking_date, Posting.line_no))
    newest_so_far = func.max(Posting.booking_date).over(order_by=Posting.line_no)
    is_late = Posting.booking_date < newest_so_far
    if period.later is not None:
        is_late = is_late | (Posting.line_no > period.later)
    return (
        select(*_LINE, (running + period.opening_minor).label("balance"), is_late.label("is_late"))
        .where(
            Posting.account_id == account_id,
            Posting.line_no.between(period.first, period.last),
            Posting.booking_date.between(period.start, period.end),
        )
        .order_by(Posting.booking_date, Posting.line_no)
    )


_Reversal, _Reversed, _Other = aliased(JournalEntry), aliased(JournalEntry), aliased(Posting)


def _read(tx: Tx, chosen: Select[*tuple[Any, ...]]) -> dict[int, list[StatementLine]]:
    """The chosen lines as the holder of their account reads them, by date, by account id."""
    line = chosen.subquery()
    rows = tx.connection.execute(
        select(
            line,
            JournalEntry.kind,
            JournalEntry.narration,
            JournalEntry.reverses_id,
            _Reversal.id.label("reversed_by"),
            _Reversal.booking_date.label("reversed_on"),
            _Reversed.booking_date.label("first_booked_on"),
        )
        .select_from(line)
        .join(JournalEntry, JournalEntry.id == line.c.entry_id)
        .join(_Reversal, _Reversal.reverses_id == JournalEntry.id, isouter=True)
        .join(_Reversed, _Reversed.id == JournalEntry.reverses_id, isouter=True)
        .order_by(line.c.booking_date, line.c.line_no)
    ).all()
    places: dict[int, list[int]] = {}
    for row in rows:
        places.setdefault(row.account_id, []).append(row.line_no)
    others = _others(tx, places) if rows else {}
    found: dict[int, list[StatementLine]] = {account_id: [] for account_id in places}
    for row in rows:
        holder, number = others.get((row.account_id, row.entry_id), (None, None))
        line_read = StatementLine(
            line_no=row.line_no,
            entry_id=row.entry_id,
            reference=reference_of(row.booking_date, row.entry_id),
            booking_date=row.booking_date,
            value_date=row.value_date,
            kind=row.kind,
            narration=row.narration,
            amount_minor=row.amount_minor,
            balance_minor=int(row.balance),
            other_holder=holder,
            other_number=number,
            corrects=row.reverses_id and reference_of(row.first_booked_on, row.reverses_id),
            corrected_by=row.reversed_by and reference_of(row.reversed_on, row.reversed_by),
            is_late=bool(row.is_late),
        )
        found[row.account_id].append(line_read)
    return found


def _others(tx: Tx, places: Mapping[int, Sequence[int]]) -> dict[tuple[int, int], tuple[str, str]]:
    """Holder and number of the other account of each line whose entry has exactly one, by account
    and entry. `places` are the lines' numbers by account."""
    rows = tx.connection.execute(
        select(
            Posting.account_id,
            Posting.entry_id,
            func.min(Customer.name),
            func.min(Account.number),
            func.count(_Other.account_id.distinct()),
        )
        .select_from(Posting)
        .join(_Other, _Other.entry_id == Posting.entry_id)
        .join(Account, Account.id == _Other.account_id)
        .join(Customer, Customer.id == Account.customer_id)
        .where(
            or_(
                *(
                    (Posting.account_id == account_id)
                    & Posting.line_no.between(min(numbers), max(numbers))
                    for account_id, numbers in places.items()
                )
            ),
            _Other.account_id != Posting.account_id,
        )
        .group_by(Posting.account_id, Posting.entry_id)
    )
    return {
        (account_id, entry_id): (holder, number)
        for account_id, entry_id, holder, number, count in rows
        if count == 1 and account_id is not None
    }
