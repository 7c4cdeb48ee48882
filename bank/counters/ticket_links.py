"""What a ticket can be about, checked by the floors that know: an own account, an own entry."""

from sqlalchemy import select

from bank.accounts.accounts import Account, own_card
from bank.book import references
from bank.book.tables import JournalEntry, Posting
from bank.core.desk import Tx
from bank.core.errors import NotFound
from bank.office import tickets


class NoSuchOwnEntry(NotFound):
    """None of your accounts has an entry with this reference. Copy it from the receipt."""


def _account(tx: Tx, text: str) -> str:
    return own_card(tx, text).number


def _entry(tx: Tx, text: str) -> str:
    entry_id, wanted = references.entry_id_in(text), references.tidy(text)
    day = tx.connection.execute(
        select(JournalEntry.booking_date)
        .join(Posting, Posting.entry_id == JournalEntry.id)
        .join(Account, Account.id == Posting.account_id)
        .where(JournalEntry.id == entry_id, Account.customer_id == tx.desk.customer_id)
        .limit(1)
    ).scalar()
    if day is None or references.reference_of(day, entry_id) != wanted:
        raise NoSuchOwnEntry(field="about")
    return wanted


tickets.ABOUT["account"] = _account
tickets.ABOUT["entry"] = _entry
