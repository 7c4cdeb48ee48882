"""What customers are told when a slip or a voucher of the counter is reversed: the mail that its
entry had, once more."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import aliased

from bank.accounts.accounts import Account
from bank.accounts.papers import masked
from bank.book.drafts import Posted
from bank.book.references import reference_of
from bank.book.tables import JournalEntry, Posting
from bank.core import money, outbox
from bank.core.clock import in_india
from bank.core.desk import Tx
from bank.counters.slips import DEPOSIT, CashSlip, FundVoucher, Transfer
from bank.people.branches import Branch
from bank.people.customers import Customer


def tell_holder(tx: Tx, entry_id: int, reversal: Posted) -> None:
    """Write to the holder of a cash slip, or to both holders of a voucher, that was reversed.

    The reason is not in it: it is written for the bank, and may name somebody else.
    """
    row = tx.connection.execute(
        select(
            CashSlip.kind,
            CashSlip.slip_number,
            JournalEntry.booked_at,
            JournalEntry.booking_date,
            Posting.amount_minor,
            Posting.currency,
            Account.number,
            Customer.name,
            Customer.email,
            Branch.name.label("branch"),
            Branch.ifsc,
        )
        .join(JournalEntry, JournalEntry.id == CashSlip.entry_id)
        .join(
            Posting,
            (Posting.entry_id == CashSlip.entry_id) & (Posting.account_id == CashSlip.account_id),
        )
        .join(Account, Account.id == CashSlip.account_id)
        .join(Customer, Customer.id == Account.customer_id)
        .join(Branch, Branch.id == CashSlip.branch_id)
        .where(CashSlip.entry_id == entry_id)
    ).first()
    if row is None:
        _tell_both(tx, entry_id, reversal)
        return
    if not row.email:
        return
    booked, now = in_india(row.booked_at), in_india(reversal.booked_at)
    figures, account = money.show(abs(row.amount_minor), row.currency), masked(row.number)
    paid_in = row.kind == DEPOSIT
    what, back = ("paid into", "taken off") if paid_in else ("paid out of", "put back on")
    outbox.queue_mail(
        tx,
        to=row.email,
        subject=f"Reversed: {figures} in cash {what} account {account}",
        body=(
            f"Hello {row.name},\n\n"
            f"{figures} in cash that was {what} your account {account} at {row.branch} "
            f"({row.ifsc}) on {booked.day} {booked:%b %Y at %H:%M} has been reversed on "
            f"{now.day} {now:%b %Y at %H:%M}: the amount was {back} your account.\n\n"
            f"Slip {row.slip_number}\n"
            f"Reference {reference_of(row.booking_date, entry_id)}\n"
            f"Reference of the reversal {reference_of(reversal.booking_date, reversal.entry_id)}"
            "\n\nIf you did not expect this, ask your branch: it tells you why.\n"
        ),
        purpose="cash",
    )


def _tell_both(tx: Tx, entry_id: int, reversal: Posted) -> None:
    """The same to whoever paid and whoever was paid by a voucher; a holder of both, once."""
    payer, payee = aliased(Account), aliased(Account)
    row = tx.connection.execute(
        select(
            FundVoucher.voucher_number,
            JournalEntry.booking_date,
            JournalEntry.booked_at,
            Transfer.amount_minor,
            payer.id.label("payer_id"),
            payer.customer_id.label("payer_holder"),
            payee.id.label("payee_id"),
            payee.customer_id.label("payee_holder"),
            Branch.name.label("branch"),
            Branch.ifsc,
        )
        .select_from(FundVoucher)
        .join(JournalEntry, JournalEntry.id == FundVoucher.entry_id)
        .join(Transfer, Transfer.entry_id == FundVoucher.entry_id)
        .join(payer, payer.id == Transfer.from_account_id)
        .join(payee, payee.id == Transfer.to_account_id)
        .join(Branch, Branch.id == FundVoucher.branch_id)
        .where(FundVoucher.entry_id == entry_id)
    ).first()
    if row is None:
        return
    _tell_one(tx, row, row.payer_id, "sent from", "put back on", entry_id, reversal)
    if row.payee_holder != row.payer_holder:
        _tell_one(tx, row, row.payee_id, "received in", "taken off", entry_id, reversal)


def _tell_one(
    tx: Tx, row: Any, account_id: int, what: str, back: str, entry_id: int, reversal: Posted
) -> None:
    number, currency, name, email = tx.connection.execute(
        select(Account.number, Account.currency, Customer.name, Customer.email)
        .join(Customer, Customer.id == Account.customer_id)
        .where(Account.id == account_id)
    ).one()
    if not email:
        return
    booked, now = in_india(row.booked_at), in_india(reversal.booked_at)
    figures, account = money.show(row.amount_minor, currency), masked(number)
    outbox.queue_mail(
        tx,
        to=email,
        subject=f"Reversed: {figures} {what} account {account}",
        body=(
            f"Hello {name},\n\n"
            f"{figures} {what} your account {account} by voucher {row.voucher_number} at "
            f"{row.branch} ({row.ifsc}) on {booked.day} {booked:%b %Y at %H:%M} has been reversed "
            f"on {now.day} {now:%b %Y at %H:%M}: the amount was {back} your account.\n\n"
            f"Reference {reference_of(row.booking_date, entry_id)}\n"
            f"Reference of the reversal {reference_of(reversal.booking_date, reversal.entry_id)}"
            "\n\nIf you did not expect this, ask your branch: it tells you why.\n"
        ),
        purpose="transfer",
    )
