"""Rules of the cash counter: limits and times. Dated rows with their source, not constants."""

from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Final
from weakref import WeakKeyDictionary

from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, mapped_column

from bank.core.db import Base, Database
from bank.core.desk import Tx

READ_AGAIN_AFTER: Final = timedelta(minutes=1)  # every slip needs them, and they hardly change


class CashRule(Base):
    """A value that holds from a business date until a later row replaces it."""

    __tablename__ = "cash_rules"

    name: Mapped[str] = mapped_column(String(48), primary_key=True)
    effective_from: Mapped[date] = mapped_column(primary_key=True)
    value: Mapped[int]
    source: Mapped[str] = mapped_column(String(300))


@dataclass(frozen=True, kw_only=True)
class CashRules:
    """The values in force on one day, by the names of their rows."""

    drawer_limit_minor: int
    pan_above_minor: int
    supervised_above_minor: int
    token_days: int
    tokens_at_once: int


_known: Final[WeakKeyDictionary[Database, tuple[datetime, date, CashRules]]] = WeakKeyDictionary()


def cash_rules(tx: Tx) -> CashRules:
    """The rules in force on this business date, read at most once a minute."""
    today, kept = tx.business_date, _known.get(tx.bank.db)
    if kept is None or kept[1] != today or not timedelta() <= tx.now - kept[0] < READ_AGAIN_AFTER:
        kept = (tx.now, today, cash_rules_on(tx, today))
        _known[tx.bank.db] = kept
    return kept[2]


def cash_rules_on(tx: Tx, day: date) -> CashRules:
    """The rules in force on a day. A name without a row is a bug, not a default."""
    rows = tx.connection.execute(
        select(CashRule.name, CashRule.value)
        .where(CashRule.effective_from <= day)
        .order_by(CashRule.effective_from)
    )
    latest = {name: value for name, value in rows}
    return CashRules(**{item.name: latest[item.name] for item in fields(CashRules)})
