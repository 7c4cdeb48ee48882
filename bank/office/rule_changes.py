"""What is kept of changes of dated rules, and how the rows of a table of rules are read and said.

A record of `rule_changes` says who set or withdrew a rule, who agreed, and what it said before and
after, in words. Triggers refuse every change of these.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Index, String, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from bank.core.dated import Standing
from bank.core.db import Base
from bank.core.desk import Tx
from bank.office.rule_tables import LONGEST_KEY, Field, RuleTable, Values, spelled_key

LONGEST_SOURCE: Final = 200
LONGEST_REASON: Final = 200
LONGEST_ID: Final = 64  # of a thing in the trail

Words = Mapping[str, Mapping[Any, str]]


class RuleAct(StrEnum):
    """What was done to a rule."""

    SET = "set"
    WITHDRAWN = "withdrawn"


class RuleChange(Base):
    """Somebody set a rule, or withdrew it before it came.

    `before` and `after` are JSON objects in the words of the table."""

    __tablename__ = "rule_changes"
    __table_args__ = (
        Index("ix_rule_changes_rule_table", "rule_table", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    rule_table: Mapped[str] = mapped_column(String(32))
    rule: Mapped[str] = mapped_column(String(LONGEST_KEY))
    title: Mapped[str] = mapped_column(String(400))
    act: Mapped[RuleAct]
    effective_from: Mapped[date]
    before: Mapped[str] = mapped_column(Text)
    after: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(String(LONGEST_SOURCE))
    reason: Mapped[str] = mapped_column(String(LONGEST_REASON))
    by_id: Mapped[int]
    by_name: Mapped[str] = mapped_column(String(120))
    agreed_by_name: Mapped[str | None] = mapped_column(String(120))
    at: Mapped[datetime]


@dataclass(frozen=True, kw_only=True)
class Done:
    """One act, about to be kept: the values before and after, None where there was no rule."""

    act: RuleAct
    effective_from: date
    before: Values | None
    after: Values | None
    source: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class FieldCard:
    """A column as a form draws it; `bound` says what a law allows, in words."""

    field: Field
    choices: Mapping[Any, str]
    bound: str = ""


@dataclass(frozen=True, kw_only=True)
class RuleKind:
    """A table of rules as people choose it; `keys` and `values` are the columns of a new rule,
    where there may be any."""

    name: str
    title: str
    about: str
    may_add: bool
    keys: Sequence[FieldCard]
    values: Sequence[FieldCard]


@dataclass(frozen=True, kw_only=True)
class RuleRow:
    """One rule from a day on. `said` is what it says, by the names of its columns."""

    key: str
    title: str
    effective_from: date
    standing: Standing
    values: Values
    said: Mapping[str, str]
    source: str

    @property
    def id(self) -> str:
        """What tells it from the others of its table."""
        return f"{self.key} {self.effective_from.isoformat()}"

    @property
    def in_trail(self) -> str:
        """What the trail, and what waits on it, call the rule."""
        return object_id(self.key)


@dataclass(frozen=True, kw_only=True)
class Happened:
    """One act of the history."""

    title: str
    act: RuleAct
    effective_from: date
    before: Mapping[str, str]
    after: Mapping[str, str]
    source: str
    reason: str
    by_name: str
    agreed_by_name: str | None
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What a change would do: name, before and after of every column that differs; `until` is the
    day on which a later change replaces it, None where there is none."""

    title: str
    changes: Sequence[tuple[str, str, str]]
    until: date | None


def rows_of(tx: Tx, table: RuleTable, key: Values | None = None) -> Sequence[Any]:
    """The rows of a table, or of one rule of it, the earliest first."""
    model = table.model
    wanted = select(model)
    if key is not None:
        wanted = wanted.where(*(getattr(model, name) == value for name, value in key.items()))
    order = [getattr(model, one.name) for one in table.key]
    return tx.session.scalars(wanted.order_by(*order, model.effective_from)).all()


def row_on(rows: Sequence[Any], day: date) -> Any:
    """The row that counts on a day, of one rule's; None before the first."""
    begun = [row for row in rows if row.effective_from <= day]
    return begun[-1] if begun else None


def words_of(tx: Tx, table: RuleTable) -> Words:
    """What may be chosen in each column, asked once."""
    return {one.name: one.said(tx) for one in (*table.key, *table.values)}


def title_of(table: RuleTable, words: Words, key: Values) -> str:
    """A rule by the words of its key, but for what goes without saying."""
    parts = [
        one.shown(key[one.name], words[one.name])
        for one in table.key
        if key[one.name] != one.silent
    ]
    return ", ".join(part for part in parts if part)


def said_of(table: RuleTable, words: Words, key: Values, values: Values) -> dict[str, str]:
    """What a rule says, by the names of its columns."""
    return {
        one.label: one.shown(values[one.name], words.get(one.name, {}))
        for one in table.fields_of(key)
    }


def record(tx: Tx, table: RuleTable, key: Values, done: Done) -> None:
    """Into the history and the trail; whoever has read the rule in this process reads it anew."""
    words, spelled = words_of(tx, table), spelled_key(table, key)
    was, becomes = (
        {} if values is None else said_of(table, words, key, values)
        for values in (done.before, done.after)
    )
    title, day = title_of(table, words, key), done.effective_from
    assert tx.desk.user_id is not None
    agreed = tx.facts.get("checker")
    tx.session.add(
        RuleChange(
            rule_table=table.name,
            rule=spelled,
            title=title,
            act=done.act,
            effective_from=day,
            before=json.dumps(was, ensure_ascii=False),
            after=json.dumps(becomes, ensure_ascii=False),
            source=done.source,
            reason=done.reason,
            by_id=tx.desk.user_id,
            by_name=tx.desk.name,
            agreed_by_name=None if agreed is None else str(agreed),
            at=tx.now,
        )
    )
    tx.session.flush()
    table.changes(tx)
    is_set = done.act is RuleAct.SET
    tx.concerns(table.name, object_id(spelled))
    tx.changed(
        {"rule": title, **was, "from": None if is_set else day.isoformat()},
        {"rule": title, **becomes, "from": day.isoformat() if is_set else None},
    )


def object_id(key: str) -> str:
    """A key as the trail names it; of one that is too long the beginning, and a digest."""
    if len(key) <= LONGEST_ID:
        return key
    return f"{key[: LONGEST_ID - 9]}~{hashlib.sha256(key.encode()).hexdigest()[:8]}"
