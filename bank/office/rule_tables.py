"""Tables of dated rules that head office may change: each is declared once, with what may stand in
its columns and who reads it.

    register(RuleTable(name="ticket_rules", ..., named={"reopen_days": Field(...)}))

`office/dated_rules` lists, sets and withdraws the rows of every table declared so. What a law sets
is no declaration: it is a dated row of `rule_bounds`, with its source.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import Enum, StrEnum
from typing import Any, Final

from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, mapped_column

from bank.core import money
from bank.core.checkers import roles_in
from bank.core.clock import day_in_words
from bank.core.db import Base
from bank.core.desk import Tx
from bank.core.errors import BadInput
from bank.core.permissions import GRANTS, Permission, Role
from bank.people.fields import clean_text

EVERY_RULE: Final = ""  # of a bound
LONGEST_KEY: Final = 160
MOST: Final = 1_000_000
MOST_MINOR: Final = 1_000_00_00_000_00  # a thousand crore: what is above is a slip of the pen
DAY_MINUTES: Final = 24 * 60
SEPARATOR: Final = "/"  # of the parts of a key
SAME_FOR_MANY: Final = ("percent", "MB")
CODE: Final = re.compile(r"[a-z][a-z_]*")

Value = int | str | None
Values = Mapping[str, Value]
Choices = Callable[[Tx], Mapping[Any, str]]


class BeyondTheLaw(BadInput):
    """A law does not allow this value."""


class Unit(StrEnum):
    """What a column holds."""

    AMOUNT = "amount"  # paise
    NUMBER = "number"
    TIME = "time"  # a minute of the day
    TEXT = "text"
    CHOICE = "choice"
    ROLES = "roles"  # with blanks between


class RuleBound(Base):
    """Between what a law lets a value lie, from a day on; of roles, how many. Changed by a release
    of the bank alone, never by head office. `rule` is the key of one rule, or empty for all."""

    __tablename__ = "rule_bounds"

    rule_table: Mapped[str] = mapped_column(String(32), primary_key=True)
    rule: Mapped[str] = mapped_column(String(LONGEST_KEY), primary_key=True)
    field: Mapped[str] = mapped_column(String(32), primary_key=True)
    effective_from: Mapped[date] = mapped_column(primary_key=True)
    lowest: Mapped[int | None]
    highest: Mapped[int | None]
    source: Mapped[str] = mapped_column(String(300))


@dataclass(frozen=True, kw_only=True)
class Field:
    """One column: how people call it and what may stand in it. `noun` is what a number counts,
    `empty` how no value reads (where there may be none), `silent` what goes without saying in a
    key, `made` what the row wants instead. A code is a word of small letters."""

    name: str
    label: str
    unit: Unit = Unit.NUMBER
    noun: str = ""
    lowest: int = 0
    highest: int = MOST
    longest: int = 60
    empty: str = ""
    silent: Value = None
    is_code: bool = False
    choices: Choices | None = None
    made: Callable[[Any], Any] = lambda value: value

    @property
    def is_text(self) -> bool:
        """Whether its values are words, in a key too."""
        return self.unit in {Unit.TEXT, Unit.ROLES}

    def clean(self, tx: Tx, value: Value) -> Value:
        """The value as the row keeps it, or BadInput with the name of this column."""
        if value is None or (value == "" and self.unit is not Unit.CHOICE):
            if not self.empty:
                raise BadInput(f"Fill in: {self.label.lower()}.", field=self.name)
            return "" if self.is_text else None
        if self.choices is not None and self.unit is Unit.CHOICE:
            return self._chosen(tx, value)
        if self.unit is Unit.ROLES:
            return self._roles(tx, str(value))
        if self.is_code and not CODE.fullmatch(str(value)):
            raise BadInput("Small letters and low lines alone, like `lost_card`.", field=self.name)
        if self.unit is Unit.TEXT:
            return clean_text(str(value), field=self.name, longest=self.longest)
        return self._number(value)

    def shown(self, value: Value, choices: Mapping[Any, str]) -> str:
        """The value as people read it."""
        if value is None or (value == "" and self.is_text):
            return self.empty
        if self.unit is Unit.AMOUNT:
            return money.show(int(value))
        if self.unit is Unit.TIME:
            hour, minute = divmod(int(value), 60)
            return f"{hour:02}:{minute:02}"
        if self.unit is Unit.ROLES:
            return ", ".join(choices.get(role, role) for role in str(value).split())
        if self.unit is Unit.NUMBER:
            plural = "" if int(value) == 1 or self.noun in SAME_FOR_MANY else "s"
            return f"{int(value):,} {self.noun}{plural}" if self.noun else f"{int(value):,}"
        return choices.get(value, str(value))

    def said(self, tx: Tx) -> Mapping[Any, str]:
        """The words of what may be chosen here."""
        return {} if self.choices is None else self.choices(tx)

    def _chosen(self, tx: Tx, value: Value) -> Value:
        if value not in self.said(tx):
            raise BadInput("Choose one of the list.", field=self.name)
        return value

    def _roles(self, tx: Tx, value: str) -> Value:
        known = self.said(tx)
        wrong = [one for one in value.split() if one not in known]
        if wrong:
            raise BadInput(f"These do not decide: {', '.join(wrong)}.", field=self.name)
        return " ".join(sorted(set(value.split())))

    def _number(self, value: Value) -> int:
        highest = DAY_MINUTES if self.unit is Unit.TIME else self.highest
        if self.unit is Unit.AMOUNT and highest == MOST:
            highest = MOST_MINOR
        # Not `isinstance` alone: a bool is an int, and no figure.
        if type(value) is not int or not self.lowest <= value <= highest:
            least, most = (self.shown(at, {}) for at in (self.lowest, highest))
            raise BadInput(f"Give something from {least} to {most}.", field=self.name)
        return value


def never(key: Values, before: Values | None, after: Values) -> bool:
    """A rule of these begins after today, whatever it says."""
    return False


def always(key: Values, before: Values | None, after: Values) -> bool:
    """A rule of these may begin today: it counts for what is new alone."""
    return True


def as_it_is(key: Values, values: Values) -> None:
    """What stands in one column has nothing to do with another."""


def unchecked(tx: Tx, key: Values, values: Values | None, day: date) -> None:
    """What stands in one row cannot be at odds with the other rows."""


@dataclass(frozen=True, kw_only=True)
class RuleTable:
    """One table of dated rules. `model` has the columns of `key` and `values`, `effective_from` and
    `source`. Where each key is a name with a number of its own, `named` says what each is.

    `from_today` answers whether a rule may change from these values to those on the very day,
    `sane` refuses columns of a row that are at odds, `check` what is at odds with other rows once
    this one is set (or withdrawn: the values that hold then), `changes` makes the process forget
    what it has read.
    """

    name: str
    title: str
    about: str
    model: Any
    key: Sequence[Field]
    values: Sequence[Field] = ()
    named: Mapping[str, Field] = field(default_factory=dict)
    may_add: bool = False
    read: Permission = Permission.RULE_VIEW
    from_today: Callable[[Values, Values | None, Values], bool] = never
    sane: Callable[[Values, Values], None] = as_it_is
    check: Callable[[Tx, Values, Values | None, date], None] = unchecked
    changes: Callable[[Tx], None] = lambda tx: None

    def fields_of(self, key: Values) -> Sequence[Field]:
        """The columns that a rule with this key has."""
        if not self.named:
            return self.values
        return (replace(self.named[str(key[self.key[0].name])], name="value"),)

    def key_of(self, row: Any) -> Values:
        """The key of a row."""
        return {one.name: getattr(row, one.name) for one in self.key}

    def values_of(self, row: Any) -> Values:
        """The values of a row, as they are typed: a word of the code is a word."""
        found = {one.name: getattr(row, one.name) for one in self.fields_of(self.key_of(row))}
        return {
            name: value.value if isinstance(value, Enum) else value for name, value in found.items()
        }


TABLES: Final[dict[str, RuleTable]] = {}


def register(table: RuleTable) -> RuleTable:
    """Make a table of rules known; once, where its meaning is."""
    assert table.name not in TABLES, f"{table.name} is declared twice"
    TABLES[table.name] = table
    return table


def of_numbers(*, name: str, title: str, about: str, model: Any, named: Iterable[Field],
               **more: Any) -> RuleTable:  # fmt: skip
    """A table of names, each with a number: what each name means and counts."""
    fields = {one.name: one for one in named}
    words = {one.name: one.label for one in fields.values()}
    key = Field(name="name", label="Rule", unit=Unit.CHOICE, choices=lambda tx: words)
    return RuleTable(
        name=name, title=title, about=about, model=model, key=(key,), named=fields, **more
    )


def spelled_key(table: RuleTable, key: Values) -> str:
    """The key in one word, as it travels: `ticket/1`."""
    return SEPARATOR.join("" if key[one.name] is None else str(key[one.name]) for one in table.key)


def check_bounds(tx: Tx, table: RuleTable, key: Values, values: Values, day: date) -> None:
    """Refuse what a law does not allow on that day, with the law."""
    for one in table.fields_of(key):
        bound = bound_on(tx, table.name, spelled_key(table, key), one.name, day)
        value = values[one.name]
        if bound is None or value is None:
            continue
        size = len(roles_in(str(value))) if one.unit is Unit.ROLES else value
        assert isinstance(size, int), "a bound is for a number"
        if bound.highest is not None and size > bound.highest:
            raise BeyondTheLaw(_said(one, "at most", bound.highest, bound.source), field=one.name)
        if bound.lowest is not None and size < bound.lowest:
            raise BeyondTheLaw(_said(one, "at least", bound.lowest, bound.source), field=one.name)


def bound_on(tx: Tx, table: str, rule: str, column: str, day: date) -> RuleBound | None:
    """Between what a value must lie on a day; what is said of one rule goes before what is said of
    all."""
    return tx.session.scalars(
        select(RuleBound)
        .where(
            RuleBound.rule_table == table,
            RuleBound.rule.in_((EVERY_RULE, rule)),
            RuleBound.field == column,
            RuleBound.effective_from <= day,
        )
        .order_by(RuleBound.rule.desc(), RuleBound.effective_from.desc())
        .limit(1)
    ).first()


def bound_in_words(one: Field, bound: RuleBound) -> str:
    """`at most ₹ 50,000.00 since 1 Nov 1998 (Income-tax Rules ...)`."""
    parts = [
        f"{word} {_size(one, value)}"
        for word, value in (("at least", bound.lowest), ("at most", bound.highest))
        if value is not None
    ]
    return f"{', '.join(parts)} since {day_in_words(bound.effective_from)}: {bound.source}"


def _said(one: Field, word: str, value: int, source: str) -> str:
    return f"This may be {word} {_size(one, value)}: {source}."


def _size(one: Field, value: int) -> str:
    if one.unit is Unit.ROLES:
        return f"{value} {'role' if value == 1 else 'roles'}"
    return one.shown(value, {})


def deciding(tx: Tx) -> Mapping[str, str]:
    """The roles that decide about approvals, by name."""
    return {
        role.value: role.value.replace("_", " ")
        for role in Role
        if Permission.APPROVAL_DECIDE in GRANTS[role]
    }
