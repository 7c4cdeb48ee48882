"""The chart of accounts: the places where the bank's own money stands.

A control account (savings deposits, ...) is the sum of customers' accounts: a
posting to it always names the customer's account, every other one never does.
"""

from enum import StrEnum
from typing import Final, Never

from sqlalchemy import CheckConstraint, String, select
from sqlalchemy.orm import Mapped, mapped_column

from bank.core.db import Base
from bank.core.desk import Tx
from bank.core.errors import Declined, NotFound


class GlKind(StrEnum):
    """The five kinds of ledger account, in the order of a trial balance."""

    ASSET = "asset"
    LIABILITY = "liability"
    EQUITY = "equity"
    INCOME = "income"
    EXPENSE = "expense"


CASH: Final = "1000"
CLEARING_SETTLEMENT: Final = "1100"
CARD_SETTLEMENT: Final = "1110"
LOANS: Final = "1200"
OTHER_BANKS: Final = "1300"
CASH_SHORT: Final = "1500"
INTER_BRANCH: Final = "1900"
SAVINGS: Final = "2000"
CURRENT: Final = "2010"
BUSINESS: Final = "2020"
TRANSIT: Final = "2100"
CASH_OVER: Final = "2910"
INTEREST_INCOME: Final = "4000"
FEE_INCOME: Final = "4100"
INTEREST_EXPENSE: Final = "5000"


class UnknownGlCode(NotFound):
    """There is no ledger account with this code. Look it up in the trial balance."""


class ControlAccount(Declined):
    """This ledger account is the sum of customers' accounts. Book on the customer's account."""


class GlAccount(Base):
    """A place in the chart of accounts. Rows are added by migrations from data/seed/chart.csv."""

    __tablename__ = "gl_accounts"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('asset', 'liability', 'equity', 'income', 'expense')", name="kind_known"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(8), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(16))
    is_control: Mapped[bool] = mapped_column(default=False)


def codes(tx: Tx) -> dict[str, int]:
    """GL code -> id. The chart only ever grows, so a process reads it once per database."""
    known: dict[str, int] | None = tx.bank.db.memo.get("chart")
    if known is None:
        rows = tx.session.execute(select(GlAccount.code, GlAccount.id)).all()
        known = tx.bank.db.memo["chart"] = {code: gl_id for code, gl_id in rows}
    return known


def line_codes(tx: Tx) -> dict[str, int]:
    """GL code -> id of the ledger accounts that lines may name by themselves."""
    known: dict[str, int] | None = tx.bank.db.memo.get("chart_lines")
    if known is None:
        plain = select(GlAccount.code, GlAccount.id).where(GlAccount.is_control.is_(False))
        rows = tx.session.execute(plain).all()
        known = tx.bank.db.memo["chart_lines"] = {code: gl_id for code, gl_id in rows}
    return known


def refuse_line(tx: Tx, code: str | None) -> Never:
    """Say why no line may name this code: UnknownGlCode or ControlAccount."""
    raise ControlAccount if code in codes(tx) else UnknownGlCode


def id_of(tx: Tx, code: str) -> int:
    """The id behind a GL code, or UnknownGlCode."""
    known = codes(tx).get(code)
    if known is None:
        raise UnknownGlCode(f"There is no ledger account {code}. Look in the trial balance.")
    return known


def name_of(tx: Tx, code: str) -> str:
    """The name behind a GL code as it is now (names may be improved), or UnknownGlCode."""
    name = tx.session.scalar(select(GlAccount.name).where(GlAccount.code == code))
    if name is None:
        raise UnknownGlCode
    return name
