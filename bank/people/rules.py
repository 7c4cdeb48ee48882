"""Security rules: how long, how often, how many. Dated rows with their source, not constants."""

from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final
from weakref import WeakKeyDictionary

from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, mapped_column

from bank.core.clock import in_india
from bank.core.db import Base, Database
from bank.core.desk import Tx

READ_AGAIN_AFTER: Final = timedelta(minutes=1)  # every rerun needs them, and they hardly change


class SecurityRule(Base):
    """A value that holds from a calendar date (India) until a later row replaces it."""

    __tablename__ = "security_rules"

    name: Mapped[str] = mapped_column(String(48), primary_key=True)
    effective_from: Mapped[date] = mapped_column(primary_key=True)
    value: Mapped[int]
    source: Mapped[str] = mapped_column(String(300))


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The values in force; a field per name in the table. The last word is the unit."""

    tries: int
    locked_minutes: int
    password_characters: int
    sign_in_minutes: int
    code_minutes: int
    code_tries: int
    unused_codes: int
    unused_codes_minutes: int
    another_code_seconds: int
    ticket_seconds: int
    idle_minutes: int
    session_hours: int
    seen_seconds: int
    confirmation_minutes: int
    payment_rest_hours: int
    password_score: int  # on zxcvbn's scale from 0 to 4
    activation_hours: int
    backup_codes: int
    view_as_minutes: int


_known: Final[WeakKeyDictionary[Database, tuple[datetime, date, Rules]]] = WeakKeyDictionary()


def rules(tx: Tx) -> Rules:
    """The rules in force now, read at most once a minute."""
    today = in_india(tx.now).date()
    kept = _known.get(tx.bank.db)
    if kept is None or kept[1] != today or not timedelta() <= tx.now - kept[0] < READ_AGAIN_AFTER:
        kept = (tx.now, today, rules_on(tx, today))
        _known[tx.bank.db] = kept
    return kept[2]


def changes(tx: Tx) -> None:
    """Say that this transaction sets a rule: it counts in this process from its commit on."""
    tx.after_commit.add(partial(_known.pop, tx.bank.db, None))


def rules_on(tx: Tx, day: date) -> Rules:
    """The rules in force on a calendar day. A name without a row is a bug, not a default."""
    rows = tx.connection.execute(
        select(SecurityRule.name, SecurityRule.value)
        .where(SecurityRule.effective_from <= day)
        .order_by(SecurityRule.effective_from)
    )
    latest = {name: value for name, value in rows}
    return Rules(**{item.name: latest[item.name] for item in fields(Rules)})
