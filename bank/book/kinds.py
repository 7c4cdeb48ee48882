"""The kinds of entries: what a booking is for, in one word. Who books a new kind adds it here.

The book takes any word; this is the list that people choose from, and tests hold the counters, the
import and the demo to it.
"""

from enum import StrEnum
from typing import Final


class EntryKind(StrEnum):
    """One kind; the value is what stands in the entry."""

    CARD = "card"
    CASH_DEPOSIT = "cash_deposit"
    CASH_OVER = "cash_over"
    CASH_REMITTANCE = "cash_remittance"
    CASH_SHORT = "cash_short"
    CASH_WITHDRAWAL = "cash_withdrawal"
    CLEARING = "clearing"
    EXPENSE = "expense"
    FEE = "fee"
    INTEREST = "interest"
    LOAN_INSTALMENT = "loan_instalment"
    OPENING = "opening"
    REVERSAL = "reversal"
    TRANSFER = "transfer"
    TREASURY = "treasury"


# What people ask for, which a freeze of an account stops; everything else corrects an error, is the
# bank's own work, or was done elsewhere and imported.
AT_WISH: Final = frozenset({EntryKind.CASH_DEPOSIT, EntryKind.CASH_WITHDRAWAL, EntryKind.TRANSFER})
