"""What the counters keep of an entry beside the book: the slip, the transfer, the printed copies.

Records, written once in the entry's own transaction; triggers refuse every change. Amounts are in
minor units of the accounts' currency; what an entry moved is always read from the book.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    Select,
    SmallInteger,
    String,
    UniqueConstraint,
    exists,
    select,
)
from sqlalchemy.orm import Mapped, aliased, mapped_column

from bank.accounts.accounts import Account
from bank.book.drafts import Posted
from bank.book.kinds import EntryKind
from bank.book.references import reference_of
from bank.book.tables import JournalEntry, Posting
from bank.core.db import Base, marks
from bank.core.desk import Tx, query
from bank.core.errors import WrongState
from bank.core.permissions import Permission
from bank.people.customers import Customer

DEPOSIT: Final = EntryKind.CASH_DEPOSIT.value
WITHDRAWAL: Final = EntryKind.CASH_WITHDRAWAL.value
TRANSFER: Final = EntryKind.TRANSFER.value
LONGEST_SLIP: Final = 24
LONGEST_PERSON: Final = 50
LONGEST_REMARK: Final = 50  # of a cash slip; a transfer's note is longer
LONGEST_NOTE: Final = 80


class SlipAlreadyBooked(WrongState):
    """This slip was booked today already. Look at your list of today before booking it again."""


class CashSlip(Base):
    """The paper slip behind a cash entry, and who brought or took the money.

    A slip number is used once per branch, day and kind: slip books differ between branches and
    start anew, but the same slip keyed twice on one day is a mistake at the counter. `again`
    counts the earlier entries of this slip that were reversed, so that a slip booked on a wrong
    account can be booked on the right one. Slips from before there were drawers name none.
    `person` is empty where the holder came; whoever paid in for the holder left a `mobile`, too,
    except on slips from before it was asked for.
    """

    __tablename__ = "cash_slips"
    __table_args__ = (
        CheckConstraint("kind IN ('cash_deposit', 'cash_withdrawal')", name="kind_known"),
        UniqueConstraint("branch_id", "booking_date", "slip_number", "kind", "again"),
        Index("ix_cash_slips_cashier_id", "cashier_id", "booking_date"),
        Index("ix_cash_slips_account_id", "account_id", "booking_date", "cashier_id"),
        Index("ix_cash_slips_drawer_id", "drawer_id"),
    )

    entry_id: Mapped[int] = mapped_column(
        ForeignKey("entries.id"), primary_key=True, autoincrement=False
    )
    kind: Mapped[str] = mapped_column(String(16))
    branch_id: Mapped[int]
    booking_date: Mapped[date]
    slip_number: Mapped[str] = mapped_column(String(LONGEST_SLIP))
    again: Mapped[int] = mapped_column(SmallInteger)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    person: Mapped[str] = mapped_column(String(LONGEST_PERSON))
    mobile: Mapped[str | None] = mapped_column(String(16))
    note: Mapped[str] = mapped_column(String(LONGEST_REMARK))
    cashier_id: Mapped[int]
    drawer_id: Mapped[int | None] = mapped_column(ForeignKey("drawers.id"))
    tally_id: Mapped[int | None] = mapped_column(ForeignKey("tallies.id"))
    supervisor_id: Mapped[int | None]


class FundVoucher(Base):
    """The paper voucher behind a transfer at the counter, and who served it.

    Its number is used once per branch and day, like a slip's; the two accounts and the amount are
    in the `Transfer` of the same entry.
    """

    __tablename__ = "fund_vouchers"
    __table_args__ = (
        UniqueConstraint("branch_id", "booking_date", "voucher_number", "again"),
        Index("ix_fund_vouchers_cashier_id", "cashier_id", "booking_date"),
    )

    entry_id: Mapped[int] = mapped_column(
        ForeignKey("entries.id"), primary_key=True, autoincrement=False
    )
    branch_id: Mapped[int]
    booking_date: Mapped[date]
    voucher_number: Mapped[str] = mapped_column(String(LONGEST_SLIP))
    again: Mapped[int] = mapped_column(SmallInteger)
    cashier_id: Mapped[int]
    supervisor_id: Mapped[int | None]


class Transfer(Base):
    """Who sent what to whom: an account's transfers out are its rows as `from`, in as `to`."""

    __tablename__ = "transfers"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        CheckConstraint("from_account_id <> to_account_id", name="two_accounts"),
        Index("ix_transfers_from_account_id", "from_account_id", "entry_id"),
        Index("ix_transfers_to_account_id", "to_account_id", "entry_id"),
    )

    entry_id: Mapped[int] = mapped_column(
        ForeignKey("entries.id"), primary_key=True, autoincrement=False
    )
    from_account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    to_account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    amount_minor: Mapped[int]
    note: Mapped[str] = mapped_column(String(LONGEST_NOTE))
    sent_by: Mapped[int]
    sent_at: Mapped[datetime]


class ReceiptPrint(Base):
    """One printing of a receipt. Copy 1 is the original, every later one a duplicate."""

    __tablename__ = "receipt_prints"

    entry_id: Mapped[int] = mapped_column(
        ForeignKey("entries.id"), primary_key=True, autoincrement=False
    )
    copy_number: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    printed_at: Mapped[datetime]
    printed_by: Mapped[int]


@dataclass(frozen=True, kw_only=True)
class CashLine:
    """One entry of a cashier's day: cash, or a transfer, which has its voucher's number and the
    payer's account."""

    entry_id: int
    booked_at: datetime
    booking_date: date
    kind: str
    slip_number: str
    account_number: str
    holder: str
    amount_minor: int
    is_reversed: bool

    @property
    def reference(self) -> str:
        """What people quote."""
        return reference_of(self.booking_date, self.entry_id)

    @property
    def cash_in_minor(self) -> int | None:
        """What came into the drawer; None for a withdrawal."""
        return self.amount_minor if self.kind == DEPOSIT else None

    @property
    def cash_out_minor(self) -> int | None:
        """What left the drawer; None for a deposit."""
        return self.amount_minor if self.kind == WITHDRAWAL else None

    @property
    def moved_minor(self) -> int | None:
        """What went from account to account without cash; None for cash."""
        return self.amount_minor if self.kind == TRANSFER else None


_KEEP_SLIP: Final = """
    INSERT INTO cash_slips (entry_id, kind, branch_id, booking_date, slip_number, again,
        account_id, person, mobile, note, cashier_id, drawer_id, tally_id, supervisor_id)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
"""
_KEEP_VOUCHER: Final = """
    INSERT INTO fund_vouchers (entry_id, branch_id, booking_date, voucher_number, again,
        cashier_id, supervisor_id)
    VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
"""

# Asked before every deposit and withdrawal. Each step is one look into an index, whatever a planner
# believes about tables that have grown since it last counted them.
_MOVED_TODAY: Final = """
    SELECT COALESCE(SUM(ABS((
        SELECT p.amount_minor FROM postings p
        WHERE p.entry_id = s.entry_id AND p.account_id = s.account_id))), 0)
    FROM cash_slips s
    WHERE s.account_id = (SELECT id FROM accounts WHERE number = ?)
        AND s.booking_date = ? AND s.cashier_id = ? AND s.kind = ?
        AND (SELECT COUNT(*) FROM entries r WHERE r.reverses_id = s.entry_id) = 0
"""


@query(Permission.CASH_POST)
def own_slips_today(tx: Tx) -> Sequence[CashLine]:
    """List what this cashier booked at the counter on this business date, newest first."""
    tx.looked_at("cash", tx.business_date.isoformat())
    lines = [*_cash_today(tx), *_moved_today(tx)]
    return sorted(lines, key=lambda line: line.entry_id, reverse=True)


def _cash_today(tx: Tx) -> list[CashLine]:
    reversal = aliased(JournalEntry)
    rows = tx.connection.execute(
        select(
            CashSlip.entry_id,
            JournalEntry.booked_at,
            JournalEntry.booking_date,
            CashSlip.kind,
            CashSlip.slip_number,
            Account.number.label("account_number"),
            Customer.name.label("holder"),
            Posting.amount_minor,
            exists().where(reversal.reverses_id == CashSlip.entry_id).label("is_reversed"),
        )
        .join(JournalEntry, JournalEntry.id == CashSlip.entry_id)
        .join(Account, Account.id == CashSlip.account_id)
        .join(Customer, Customer.id == Account.customer_id)
        .join(
            Posting,
            (Posting.entry_id == CashSlip.entry_id) & (Posting.account_id == CashSlip.account_id),
        )
        .where(CashSlip.cashier_id == tx.desk.user_id, CashSlip.booking_date == tx.business_date)
    )
    return [CashLine(**{**row._mapping, "amount_minor": abs(row.amount_minor)}) for row in rows]


def _moved_today(tx: Tx) -> list[CashLine]:
    reversal = aliased(JournalEntry)
    rows = tx.connection.execute(
        select(
            FundVoucher.entry_id,
            JournalEntry.booked_at,
            JournalEntry.booking_date,
            JournalEntry.kind,
            FundVoucher.voucher_number.label("slip_number"),
            Account.number.label("account_number"),
            Customer.name.label("holder"),
            Transfer.amount_minor,
            exists().where(reversal.reverses_id == FundVoucher.entry_id).label("is_reversed"),
        )
        .join(JournalEntry, JournalEntry.id == FundVoucher.entry_id)
        .join(Transfer, Transfer.entry_id == FundVoucher.entry_id)
        .join(Account, Account.id == Transfer.from_account_id)
        .join(Customer, Customer.id == Account.customer_id)
        .where(
            FundVoucher.cashier_id == tx.desk.user_id,
            FundVoucher.booking_date == tx.business_date,
        )
    )
    return [CashLine(**row._mapping) for row in rows]


def moved_today(tx: Tx, account_number: str, *, kind: str) -> int:
    """What this cashier took or paid on an account on this business date, reversals left out."""
    tx.cursor.execute(
        marks(tx.dialect, _MOVED_TODAY),
        (account_number, tx.day(tx.business_date), tx.desk.user_id, kind),
    )
    return int(tx.cursor.fetchone()[0])


def accounts_served(tx: Tx, drawer_id: int) -> Sequence[int]:
    """The accounts that slips of this drawer are about."""
    wanted = select(CashSlip.account_id).where(CashSlip.drawer_id == drawer_id).distinct()
    return tx.session.scalars(wanted).all()


def tally_id_of(tx: Tx, entry_id: int) -> int | None:
    """How the cash of a slip was counted, if the cashier keyed it."""
    return tx.connection.scalar(select(CashSlip.tally_id).where(CashSlip.entry_id == entry_id))


def keep_slip(
    tx: Tx,
    posted: Posted,
    *,
    kind: str,
    slip_number: str,
    account_id: int,
    person: str,
    note: str,
    drawer_id: int,
    mobile: str = "",
    tally_id: int | None = None,
    supervisor_id: int | None = None,
) -> None:
    """Write the slip beside its entry, or refuse one that was booked today and still stands."""
    keep = marks(tx.dialect, _KEEP_SLIP)

    def row(again: int) -> tuple[Any, ...]:
        return (
            posted.entry_id, kind, tx.desk.branch_id, tx.day(posted.booking_date),
            slip_number, again, account_id, person, mobile or None, note,
            tx.desk.user_id, drawer_id, tally_id, supervisor_id,
        )  # fmt: skip

    tx.cursor.execute(keep, row(0))
    if tx.cursor.rowcount == 1:
        return
    earlier = select(CashSlip.entry_id, CashSlip.booking_date).where(
        CashSlip.branch_id == tx.desk.branch_id,
        CashSlip.booking_date == posted.booking_date,
        CashSlip.slip_number == slip_number,
        CashSlip.kind == kind,
    )
    tx.cursor.execute(keep, row(_reversed_before(tx, earlier, "slip", slip_number)))
    if tx.cursor.rowcount != 1:
        raise SlipAlreadyBooked


def keep_voucher(
    tx: Tx, posted: Posted, *, voucher_number: str, supervisor_id: int | None = None
) -> None:
    """Write the voucher beside its entry, or refuse one that was booked today and still stands."""
    keep = marks(tx.dialect, _KEEP_VOUCHER)

    def row(again: int) -> tuple[Any, ...]:
        return (
            posted.entry_id, tx.desk.branch_id, tx.day(posted.booking_date), voucher_number, again,
            tx.desk.user_id, supervisor_id,
        )  # fmt: skip

    tx.cursor.execute(keep, row(0))
    if tx.cursor.rowcount == 1:
        return
    earlier = select(FundVoucher.entry_id, FundVoucher.booking_date).where(
        FundVoucher.branch_id == tx.desk.branch_id,
        FundVoucher.booking_date == posted.booking_date,
        FundVoucher.voucher_number == voucher_number,
    )
    tx.cursor.execute(keep, row(_reversed_before(tx, earlier, "voucher", voucher_number)))
    if tx.cursor.rowcount != 1:
        raise SlipAlreadyBooked


def _reversed_before(tx: Tx, papers: Select[int, date], what: str, number: str) -> int:
    """How many entries of this very paper there were today, all of them reversed; or
    SlipAlreadyBooked, where one still stands."""
    kept, reversal = papers.subquery(), aliased(JournalEntry)
    earlier = tx.connection.execute(
        select(kept.c.entry_id, kept.c.booking_date, reversal.id).join(
            reversal, reversal.reverses_id == kept.c.entry_id, isouter=True
        )
    ).all()
    for entry_id, day, reversed_by in earlier:
        if reversed_by is None:
            raise SlipAlreadyBooked(
                f"{what.capitalize()} {number} was booked today as {reference_of(day, entry_id)}. "
                f"If this is another {what}, check its number."
            )
    return len(earlier)
