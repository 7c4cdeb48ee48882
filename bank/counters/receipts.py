"""Receipts: what somebody takes home from a deposit, a withdrawal or a transfer.

A receipt is read from the book and its slip every time; nothing of it is kept, except how often it
was printed: copy 1 is the original, every later one says DUPLICATE.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Row, Select, and_, func, select
from sqlalchemy.orm import aliased

from bank.accounts import papers
from bank.accounts.accounts import Account
from bank.accounts.papers import Letterhead, Paper, masked
from bank.book import references
from bank.book.tables import JournalEntry, Posting
from bank.core import money
from bank.core.clock import in_india
from bank.core.db import marks
from bank.core.desk import Desk, Tx, command, flow, query
from bank.core.errors import NotFound
from bank.core.permissions import Permission, Role
from bank.counters.slips import DEPOSIT, TRANSFER, WITHDRAWAL, CashSlip, FundVoucher, Transfer
from bank.people.branches import Branch
from bank.people.customers import Customer
from bank.people.fields import masked_mobile
from bank.people.identity import User

TITLES: Final = {
    DEPOSIT: "Receipt: cash deposit",
    WITHDRAWAL: "Receipt: cash withdrawal",
    TRANSFER: "Receipt: transfer",
}


class NoSuchReceipt(NotFound):
    """There is no receipt with this reference for you. Copy the reference again, or ask the branch
    that gave it."""


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What was done. `account_number` and `holder` are the account that was served, or the payer's.

    `by` is who did it: the cashier, or the customer for a transfer that has no slip number.
    `person` brought or took the cash, `mobile` (masked) is of whoever brought it for the holder.
    `to_number` and `to_holder` (masked unless it is the payer's own account) are set on a
    transfer. `balance_after_minor` is the booked balance of `account_number` after it.
    """

    entry_id: int
    transaction_id: str
    kind: str
    amount_minor: int
    currency: str
    account_number: str
    holder: str
    to_number: str | None
    to_holder: str | None
    branch: str
    ifsc: str
    address: str
    booked_at: datetime
    booking_date: date
    balance_after_minor: int
    by: str
    slip_number: str | None
    person: str | None
    mobile: str
    note: str
    verify_code: str

    @property
    def reference(self) -> str:
        """What people quote."""
        return references.reference_of(self.booking_date, self.entry_id)

    @property
    def account(self) -> str:
        """The account's number, masked."""
        return masked(self.account_number)

    @property
    def to_account(self) -> str | None:
        """The payee's account number, masked."""
        return masked(self.to_number) if self.to_number else None

    @property
    def is_of_counter(self) -> bool:
        """Whether a cashier gave it, by slip or voucher."""
        return self.slip_number is not None

    @property
    def amount_in_words(self) -> str:
        """The amount as it is written on a slip."""
        return money.in_words(self.amount_minor, self.currency)


@query(Permission.RECEIPT_PRINT)
def find_receipt(tx: Tx, reference: str) -> Receipt:
    """Show the receipt with this reference to its customer, its branch or an auditor."""
    receipt = receipt_for(tx, reference)
    tx.looked_at("receipt", receipt.reference)
    return receipt


@command(Permission.RECEIPT_PRINT)
def record_print(tx: Tx, reference: str) -> int:
    """Note that a receipt is being printed; answers which copy it is, 1 being the original."""
    receipt = receipt_for(tx, reference)
    tx.concerns("receipt", receipt.reference)
    count = marks(
        tx.dialect,
        "INSERT INTO receipt_prints (entry_id, copy_number, printed_at, printed_by) "
        "SELECT ?, COALESCE(MAX(copy_number), 0) + 1, ?, ? FROM receipt_prints WHERE entry_id = ? "
        "ON CONFLICT DO NOTHING RETURNING copy_number",
    )
    entry_id = receipt.entry_id
    copy_number = None
    while copy_number is None:  # somebody else printed it in this very moment: ours is the next
        tx.cursor.execute(count, (entry_id, tx.stamp(tx.now), tx.desk.user_id, entry_id))
        row = tx.cursor.fetchone()
        copy_number = None if row is None else int(row[0])
    tx.facts["copy"] = copy_number
    return copy_number


@flow(Permission.RECEIPT_PRINT)
def print_receipt(desk: Desk, reference: str, with_balance: bool = False) -> bytes:
    """Print a receipt as PDF; every copy after the first is marked DUPLICATE."""
    receipt = find_receipt(desk, reference)
    copy_number = record_print(desk, reference)
    return pdf_of(receipt, copy_number, with_balance=with_balance)


def receipt_for(tx: Tx, reference: str) -> Receipt:
    """The receipt, if this desk may have it: its customer, staff of its branch, who sees all."""
    row = tx.connection.execute(
        _receipts().where(JournalEntry.id == references.entry_id_in(reference))
    ).first()
    if row is None or not _may_have(tx.desk, row):
        raise NoSuchReceipt
    receipt = _receipt(tx, row)
    if receipt.reference != references.tidy(reference):
        raise NoSuchReceipt
    return receipt


def receipt_of(tx: Tx, entry_id: int) -> Receipt:
    """The receipt of an entry that is known to be one's own business (a replayed request)."""
    return _receipt(tx, tx.connection.execute(_receipts().where(JournalEntry.id == entry_id)).one())


def verify_code(
    tx: Tx, transaction_id: str, account_number: str, amount_minor: int, currency: str
) -> str:
    """The code that only the bank can make for exactly this receipt."""
    said = f"{transaction_id}|{account_number}|{amount_minor}|{currency}"
    return papers.in_groups(tx.bank.keyring.sign("receipt", said))


def masked_name(name: str) -> str:
    """`Asha Rao` as `As•• R••`: enough to recognise a payee, too little to learn who it is."""
    words = name.split()
    shown = [f"{word[:2] if place == 0 else word[:1]}••" for place, word in enumerate(words)]
    return " ".join(shown)


def pdf_of(receipt: Receipt, copy_number: int, *, with_balance: bool = False) -> bytes:
    """The receipt on paper."""
    at = in_india(receipt.booked_at)
    balance = receipt.balance_after_minor
    paper = Paper(
        Letterhead(branch=receipt.branch, ifsc=receipt.ifsc, address=receipt.address),
        title=TITLES[receipt.kind],
        note=f"Verify code {receipt.verify_code}. Transaction {receipt.transaction_id}.",
        mark="" if copy_number == 1 else f"DUPLICATE, copy {copy_number}",
    )
    paper.code(f"{receipt.reference} {receipt.verify_code}")
    paper.large("Reference", receipt.reference)
    paper.large("Amount", papers.amount(receipt.amount_minor, receipt.currency))
    paper.text(receipt.amount_in_words)
    paper.facts(
        [
            ("Date and time", f"{at.day} {at:%b %Y, %H:%M}"),
            ("Branch", f"{receipt.branch}, IFSC {receipt.ifsc}"),
            ("Account", receipt.account),
            ("Name", receipt.holder),
            ("Paid to", f"{receipt.to_holder}, {receipt.to_account}" if receipt.to_account else ""),
            (
                "Voucher number" if receipt.kind == TRANSFER else "Slip number",
                receipt.slip_number or "",
            ),
            ("Paid in by" if receipt.kind == DEPOSIT else "Paid out to", receipt.person or ""),
            ("Their mobile number", receipt.mobile),
            ("Note", receipt.note),
            ("Cashier" if receipt.is_of_counter else "Customer", receipt.by),
            (
                "Balance after this",
                papers.amount(balance, receipt.currency) if with_balance else "",
            ),
            ("Verify code", receipt.verify_code),
        ]
    )
    if receipt.is_of_counter:
        paper.signatures(["Cashier", "Customer"])
    return paper.finish()


_Payee, _PayeeHolder = aliased(Account), aliased(Customer)


def _receipts() -> Select[*tuple[Any, ...]]:
    """Entries that have a slip or a transfer, with all that a receipt says of them."""
    listed = select(
        JournalEntry.id,
        JournalEntry.request_id,
        JournalEntry.kind,
        JournalEntry.branch_id,
        JournalEntry.actor_id,
        JournalEntry.booked_at,
        JournalEntry.booking_date,
        Account.number,
        Account.customer_id,
        Account.currency,
        Customer.name.label("holder"),
        _Payee.number.label("to_number"),
        _Payee.customer_id.label("to_customer_id"),
        _PayeeHolder.name.label("to_holder"),
        Branch.name.label("branch"),
        Branch.ifsc,
        Branch.address,
        Posting.amount_minor,
        Posting.balance_minor,
        User.name.label("actor"),
        func.coalesce(CashSlip.slip_number, FundVoucher.voucher_number).label("slip_number"),
        CashSlip.person,
        CashSlip.mobile,
        func.coalesce(CashSlip.note, Transfer.note).label("note"),
    )
    return (
        listed.join(CashSlip, CashSlip.entry_id == JournalEntry.id, isouter=True)
        .join(Transfer, Transfer.entry_id == JournalEntry.id, isouter=True)
        .join(FundVoucher, FundVoucher.entry_id == JournalEntry.id, isouter=True)
        .join(Account, Account.id == func.coalesce(CashSlip.account_id, Transfer.from_account_id))
        .join(Customer, Customer.id == Account.customer_id)
        .join(Branch, Branch.id == JournalEntry.branch_id)
        .join(
            Posting,
            and_(Posting.entry_id == JournalEntry.id, Posting.account_id == Account.id),
        )
        .join(_Payee, _Payee.id == Transfer.to_account_id, isouter=True)
        .join(_PayeeHolder, _PayeeHolder.id == _Payee.customer_id, isouter=True)
        .join(User, User.id == JournalEntry.actor_id, isouter=True)
    )


def _receipt(tx: Tx, row: Row[Any]) -> Receipt:
    amount_minor = abs(row.amount_minor)
    is_own = row.to_customer_id == row.customer_id
    return Receipt(
        entry_id=row.id,
        transaction_id=row.request_id,
        kind=row.kind,
        amount_minor=amount_minor,
        currency=row.currency,
        account_number=row.number,
        holder=row.holder,
        to_number=row.to_number,
        to_holder=row.to_holder and (row.to_holder if is_own else masked_name(row.to_holder)),
        branch=row.branch,
        ifsc=row.ifsc,
        address=row.address,
        booked_at=row.booked_at,
        booking_date=row.booking_date,
        balance_after_minor=row.balance_minor,
        by=tx.desk.name if row.actor_id == tx.desk.user_id else row.actor or "",
        slip_number=row.slip_number,
        person=row.person,
        mobile=masked_mobile(row.mobile),
        note=row.note,
        verify_code=verify_code(tx, row.request_id, row.number, amount_minor, row.currency),
    )


def _may_have(desk: Desk, row: Row[Any]) -> bool:
    if desk.role is Role.CUSTOMER:
        return bool(row.customer_id == desk.customer_id)
    return desk.sees_whole_bank or bool(row.branch_id == desk.branch_id)
