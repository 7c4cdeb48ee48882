"""What a customer is told when a cash slip is reversed: the mail that its entry had, once more."""

from sqlalchemy import select

from bank.accounts.accounts import Account
from bank.accounts.papers import masked
from bank.book.drafts import Posted
from bank.book.references import reference_of
from bank.book.tables import JournalEntry, Posting
from bank.core import money, outbox
from bank.core.clock import in_india
from bank.core.desk import Tx
from bank.counters.slips import DEPOSIT, CashSlip
from bank.people.branches import Branch
from bank.people.customers import Customer


def tell_holder(tx: Tx, entry_id: int, reversal: Posted) -> None:
    """Write to the holder, where the entry that was reversed is of a cash slip.

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
    if row is None or not row.email:
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
