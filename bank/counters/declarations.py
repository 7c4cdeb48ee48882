"""Declarations: PAN or Form 60 for cash that a holder pays in above the limit of a day.

The limit is a dated rule (data/seed/cash_rules.csv). It counts every deposit of the day over all
accounts of the holder, reversals left out. A PAN the bank knows answers for its holder; one that
the cashier types, or Form 60, is kept beside the entry and answers for the rest of the day.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, insert
from sqlalchemy.orm import Mapped, mapped_column

from bank.book.drafts import Posted
from bank.core import money
from bank.core.db import Base, marks
from bank.core.desk import Tx
from bank.core.errors import BadInput
from bank.counters.cash_rules import cash_rules
from bank.people.fields import clean_pan


class PanNeeded(BadInput):
    """Ask the customer for the PAN, or for Form 60."""


class PanOrForm60(BadInput):
    """Either the PAN or Form 60, not both: clear one of them."""


class CashDeclaration(Base):
    """What the depositor showed: a PAN, or Form 60. `day_total_minor` is what made the bank ask."""

    __tablename__ = "cash_declarations"
    __table_args__ = (
        CheckConstraint("(pan IS NULL) = form_60", name="pan_or_form_60"),
        Index("ix_cash_declarations_customer_id", "customer_id", "booking_date"),
    )

    entry_id: Mapped[int] = mapped_column(
        ForeignKey("entries.id"), primary_key=True, autoincrement=False
    )
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    booking_date: Mapped[date]
    pan: Mapped[str | None] = mapped_column(String(10))
    form_60: Mapped[bool]
    day_total_minor: Mapped[int]


@dataclass(frozen=True, slots=True)
class TaxPaper:
    """What the cashier keyed of it."""

    pan: str | None = None
    form_60: bool = False


# The holder's row is held, so that two counters cannot each take the half that needs no PAN.
_HOLD: Final = "SELECT id FROM customers WHERE id = %s FOR NO KEY UPDATE"
# CROSS JOIN, because SQLite keeps its order: account, slips of the day, their lines.
_TODAY: Final = """
    SELECT COALESCE(SUM(p.amount_minor), 0)
    FROM accounts a CROSS JOIN cash_slips s CROSS JOIN postings p
    WHERE a.customer_id = ? AND s.account_id = a.id AND s.booking_date = ?
      AND s.kind = 'cash_deposit' AND p.entry_id = s.entry_id AND p.account_id = a.id
      AND NOT EXISTS (SELECT 1 FROM entries r WHERE r.reverses_id = s.entry_id)
"""
_DECLARED: Final = (
    "SELECT 1 FROM cash_declarations WHERE customer_id = ? AND booking_date = ? LIMIT 1"
)


def clean_paper(pan: str, form_60: bool) -> TaxPaper:
    """What was keyed, or BadInput(pan)."""
    number = clean_pan(pan)
    if number is not None and form_60:
        raise PanOrForm60(field="pan")
    return TaxPaper(number, form_60)


def asked_for(tx: Tx, customer_id: int, amount_minor: int, *, hold: bool = False) -> int | None:
    """What the holder pays in today with this amount, if PAN or Form 60 has to be asked for."""
    if hold and tx.dialect == "postgresql":
        tx.cursor.execute(_HOLD, (customer_id,))
    day = tx.day(tx.business_date)
    tx.cursor.execute(marks(tx.dialect, _TODAY), (customer_id, day))
    total = int(tx.cursor.fetchone()[0]) + amount_minor
    if total <= cash_rules(tx, tx.desk.branch_id).pan_above_minor:
        return None
    tx.cursor.execute(marks(tx.dialect, _DECLARED), (customer_id, day))
    return total if tx.cursor.fetchone() is None else None


def check_paper(paper: TaxPaper, day_total_minor: int) -> None:
    """Raise PanNeeded unless one of the two was shown."""
    if paper.pan is None and not paper.form_60:
        raise PanNeeded(
            f"With this slip the holder pays in {money.show(day_total_minor)} in cash today. "
            "Type the PAN, or tick that Form 60 was handed in.",
            field="pan",
        )


def keep(tx: Tx, posted: Posted, customer_id: int, paper: TaxPaper, day_total_minor: int) -> None:
    """Keep what was shown beside the entry."""
    tx.connection.execute(
        insert(CashDeclaration),
        {
            "entry_id": posted.entry_id,
            "customer_id": customer_id,
            "booking_date": posted.booking_date,
            "pan": paper.pan,
            "form_60": paper.form_60,
            "day_total_minor": day_total_minor,
        },
    )
