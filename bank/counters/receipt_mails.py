"""A receipt by mail: what the paper says, to the address on record of whoever was served.

Once per receipt and business day, however often it is asked for; nothing is ever sent to another
address.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, mapped_column

from bank.accounts.accounts import Account
from bank.core import money, outbox
from bank.core.clock import in_india
from bank.core.db import Base, marks
from bank.core.desk import Tx, command
from bank.core.errors import Declined
from bank.core.permissions import Permission
from bank.counters.receipts import TITLES, Receipt, receipt_for
from bank.people.customers import Customer
from bank.people.fields import masked_email


class NoMailAddress(Declined):
    """The bank has no mail address of this customer. Print the receipt instead."""


class ReceiptMail(Base):
    """One day on which a receipt was sent to its customer."""

    __tablename__ = "receipt_mails"

    entry_id: Mapped[int] = mapped_column(
        ForeignKey("entries.id"), primary_key=True, autoincrement=False
    )
    mailed_on: Mapped[date] = mapped_column(primary_key=True)
    mailed_at: Mapped[datetime]
    mailed_by: Mapped[int]


@dataclass(frozen=True)
class Mailed:
    """Where a receipt went, masked; not `is_new` when it had been sent on this day before."""

    to: str
    is_new: bool


_KEEP: Final = """
    INSERT INTO receipt_mails (entry_id, mailed_on, mailed_at, mailed_by)
    VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING
"""


@command(Permission.CASH_POST)
def mail_receipt(tx: Tx, reference: str) -> Mailed:
    """Send a receipt of this branch to its customer's mail address on record, once a day."""
    receipt = receipt_for(tx, reference)
    email = tx.connection.scalar(
        select(Customer.email)
        .join(Account, Account.customer_id == Customer.id)
        .where(Account.number == receipt.account_number)
    )
    if not email:
        raise NoMailAddress
    tx.concerns("receipt", receipt.reference)
    kept = (receipt.entry_id, tx.day(tx.business_date), tx.stamp(tx.now), tx.desk.user_id)
    tx.cursor.execute(marks(tx.dialect, _KEEP), kept)
    is_new = tx.cursor.rowcount == 1
    if is_new:
        outbox.queue_mail(
            tx,
            to=email,
            subject=f"{TITLES[receipt.kind]}, {receipt.reference}",
            body=_written(receipt),
            purpose="receipt",
        )
    tx.facts["sent_before"] = not is_new
    return Mailed(masked_email(email), is_new)


def _written(receipt: Receipt) -> str:
    at = in_india(receipt.booked_at)
    lines = {
        "Amount": money.show(receipt.amount_minor, receipt.currency),
        "In words": receipt.amount_in_words,
        "Date and time": f"{at.day} {at:%b %Y, %H:%M}",
        "Branch": f"{receipt.branch}, IFSC {receipt.ifsc}",
        "Account": receipt.account,
        "Paid to": f"{receipt.to_holder}, {receipt.to_account}" if receipt.to_account else "",
        "Slip or voucher": receipt.slip_number or "",
        "Note": receipt.note,
        "Reference": receipt.reference,
        "Verify code": receipt.verify_code,
    }
    said = "\n".join(f"{name}: {value}" for name, value in lines.items() if value)
    return (
        f"Hello {receipt.holder},\n\nhere is the receipt for what was done at the counter.\n\n"
        f"{said}\n\nIf you know nothing of this, call your branch at once.\n"
    )
