"""Head office changes the rules of the bank: from a day on, by two, with source and reason.

Which tables there are and what may stand in them is declared in `rule_tables`. A row is never
changed: a later one replaces it, so an old day keeps its rule. What has not begun can be withdrawn.
Each act is a record of `rule_changes`: who, who agreed, when, what it said before and after.
"""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import select

from bank.core.checked import About, Checked, Given
from bank.core.clock import day_in_words
from bank.core.dated import Standing
from bank.core.desk import Tx, command, query
from bank.core.errors import BadInput, NotFound, WrongState
from bank.core.permissions import Permission
from bank.office import rule_tables
from bank.office.rule_changes import (
    LONGEST_REASON,
    LONGEST_SOURCE,
    Done,
    FieldCard,
    Happened,
    Preview,
    RuleAct,
    RuleChange,
    RuleKind,
    RuleRow,
    Words,
    record,
    row_on,
    rows_of,
    said_of,
    title_of,
    words_of,
)
from bank.office.rule_tables import (
    SEPARATOR,
    TABLES,
    BeyondTheLaw,
    RuleTable,
    Value,
    Values,
    check_bounds,
    spelled_key,
)
from bank.people.fields import clean_text

FURTHEST: Final = timedelta(days=3 * 366)  # what is decided for later is forgotten by then
CHANGES_SHOWN: Final = 200


class NoSuchRule(NotFound):
    """There is no such rule. Choose one of the list."""


class BeginsTooEarly(BadInput):
    """A rule begins after today: what has happened was done under the old one. Choose a later
    day."""


class BeginsTooLate(BadInput):
    """Choose a day within the next three years."""


class ChangeThere(WrongState):
    """Another change of this rule begins on that day already. Withdraw it first, or choose another
    day."""


class NothingChanges(BadInput):
    """This is what holds on that day anyway. Change something, or leave it."""


class NothingToCome(NotFound):
    """No such change is to come. What has begun is replaced by a later change, not taken back."""


@query(Permission.RULE_VIEW)
def kinds(tx: Tx) -> Sequence[RuleKind]:
    """List the kinds of rules that this person reads."""
    return [
        RuleKind(
            name=table.name,
            title=table.title,
            about=table.about,
            may_add=table.may_add,
            keys=[FieldCard(field=one, choices=one.said(tx)) for one in table.key],
            values=[FieldCard(field=one, choices=one.said(tx)) for one in table.values],
        )
        for table in sorted(TABLES.values(), key=lambda table: table.title)
        if tx.desk.may(table.read)
    ]


@query(Permission.RULE_VIEW)
def rules(tx: Tx, table: str) -> Sequence[RuleRow]:
    """List the rules of one kind: each in force, those to come, those of before."""
    declared = _read(tx, table)
    words = words_of(tx, declared)
    by_key: dict[str, list[Any]] = {}
    for row in rows_of(tx, declared):
        by_key.setdefault(spelled_key(declared, declared.key_of(row)), []).append(row)
    found = []
    for key, rows in by_key.items():
        now = row_on(rows, tx.business_date)
        found += [_row_of(declared, words, key, row, _standing(row, now, tx)) for row in rows]
    return found


@query(Permission.RULE_VIEW)
def changes(tx: Tx, table: str) -> Sequence[Happened]:
    """List what was set and withdrawn of one kind of rules, newest first."""
    declared = _read(tx, table)
    rows = tx.session.scalars(
        select(RuleChange)
        .where(RuleChange.rule_table == declared.name)
        .order_by(RuleChange.id.desc())
        .limit(CHANGES_SHOWN)
    )
    return [
        Happened(
            title=row.title,
            act=row.act,
            effective_from=row.effective_from,
            before=json.loads(row.before),
            after=json.loads(row.after),
            source=row.source,
            reason=row.reason,
            by_name=row.by_name,
            agreed_by_name=row.agreed_by_name,
            at=row.at,
        )
        for row in rows
    ]


@query(Permission.RULE_VIEW)
def form(tx: Tx, table: str, key: str) -> Sequence[FieldCard]:
    """Show the columns of one rule, with what may be chosen and what a law allows from today."""
    declared = _read(tx, table)
    named = _key(tx, declared, key)
    cards = []
    for one in declared.fields_of(named):
        bound = rule_tables.bound_on(tx, declared.name, key, one.name, tx.business_date)
        said = "" if bound is None else rule_tables.bound_in_words(one, bound)
        cards.append(FieldCard(field=one, choices=one.said(tx), bound=said))
    return cards


@query(Permission.RULE_SET)
def preview(
    tx: Tx, table: str, key: str, values: dict[str, Value], effective_from: date
) -> Preview:
    """Show what a change would do, or why it may not be."""
    declared = _read(tx, table)
    named = _key(tx, declared, key)
    cleaned, held, later = _held(tx, declared, named, values, effective_from)
    words = words_of(tx, declared)
    before = {} if held is None else said_of(declared, words, named, declared.values_of(held))
    after = said_of(declared, words, named, cleaned)
    return Preview(
        title=title_of(declared, words, named),
        changes=[(name, before.get(name, ""), said) for name, said in after.items()
                 if before.get(name) != said],
        until=later,
    )  # fmt: skip


def _about(tx: Tx, given: Given) -> About:
    return About(kind=_known(given["table"]).name)


CHECKED: Final = Checked(
    about=_about,
    ends=(NoSuchRule, BeginsTooEarly, ChangeThere, NothingChanges, NothingToCome, BeyondTheLaw),
)


@command(Permission.RULE_SET, checked=CHECKED)
def set_rule(
    tx: Tx,
    table: str,
    key: str,
    values: dict[str, int | str | None],
    effective_from: date,
    source: str,
    reason: str,
) -> None:
    """Let a rule say something else from a day on, or a new rule begin.

    `source` is what it rests on (a law, a decision of the board), `reason` why it is changed now.
    """
    declared = _known(table)
    named = _key(tx, declared, key)
    rests_on, why = _line(source, "source", LONGEST_SOURCE), _line(reason, "reason", LONGEST_REASON)
    _one_at_a_time(tx)
    cleaned, held, _ = _held(tx, declared, named, values, effective_from)
    made = {one.name: one.made(cleaned[one.name]) for one in declared.fields_of(named)}
    row = declared.model(**named, **made, effective_from=effective_from, source=rests_on)
    tx.session.add(row)
    tx.session.flush()
    declared.check(tx, named, cleaned, effective_from)
    before = None if held is None else declared.values_of(held)
    record(
        tx,
        declared,
        named,
        Done(
            act=RuleAct.SET,
            effective_from=effective_from,
            before=before,
            after=cleaned,
            source=rests_on,
            reason=why,
        ),
    )


@command(Permission.RULE_SET, checked=CHECKED)
def withdraw_rule(tx: Tx, table: str, key: str, effective_from: date, reason: str) -> None:
    """Take back a change of a rule that is still to come; what holds until then goes on."""
    declared = _known(table)
    named = _key(tx, declared, key)
    why = _line(reason, "reason", LONGEST_REASON)
    _one_at_a_time(tx)
    rows = rows_of(tx, declared, named)
    row = next((one for one in rows if one.effective_from == effective_from), None)
    if row is None or effective_from <= tx.business_date:
        raise NothingToCome
    others = [one for one in rows if one is not row]
    held = row_on(others, effective_from)
    said, source = declared.values_of(row), row.source[:LONGEST_SOURCE]
    tx.session.delete(row)
    tx.session.flush()
    after = None if held is None else declared.values_of(held)
    declared.check(tx, named, after, effective_from)
    record(
        tx,
        declared,
        named,
        Done(
            act=RuleAct.WITHDRAWN,
            effective_from=effective_from,
            before=said,
            after=after,
            source=source,
            reason=why,
        ),
    )


def _read(tx: Tx, table: str) -> RuleTable:
    """The table of that name, for who may read it."""
    declared = _known(table)
    if not tx.desk.may(declared.read):
        raise NoSuchRule
    return declared


def _known(table: str) -> RuleTable:
    declared = TABLES.get(table)
    if declared is None:
        raise NoSuchRule
    return declared


def _key(tx: Tx, table: RuleTable, key: str) -> Values:
    """The parts of a key, each one that may stand there."""
    parts = key.split(SEPARATOR)
    if len(parts) != len(table.key):
        raise NoSuchRule
    named: dict[str, Value] = {}
    for one, part in zip(table.key, parts, strict=True):
        options = one.said(tx)
        numbers = not one.is_text and (not options or all(isinstance(n, int) for n in options))
        value: Value = part
        if numbers:
            if not part.isdecimal():
                raise NoSuchRule
            value = int(part)
        if table.may_add:
            value = one.clean(tx, value)
        named[one.name] = value
    if not table.may_add and not rows_of(tx, table, named):
        raise NoSuchRule
    return named


def _held(
    tx: Tx, table: RuleTable, key: Values, values: Values, day: date
) -> tuple[dict[str, Value], Any, date | None]:
    """The values as the row keeps them, the row they replace on that day, and the day of the next
    one; refused where they may not stand there."""
    fields = table.fields_of(key)
    if set(values) != {one.name for one in fields}:
        raise BadInput("Fill in every field of the rule.", field=fields[0].name)
    cleaned = {one.name: one.clean(tx, values[one.name]) for one in fields}
    rows = rows_of(tx, table, key)
    held = row_on(rows, day)
    before = None if held is None else table.values_of(held)
    _in_time(tx, day, is_harmless=table.from_today(key, before, cleaned))
    if held is not None and held.effective_from == day:
        raise ChangeThere
    if before == cleaned:
        raise NothingChanges(field=fields[0].name)
    table.sane(key, cleaned)
    check_bounds(tx, table, key, cleaned, day)
    later = [row.effective_from for row in rows if row.effective_from > day]
    return cleaned, held, min(later, default=None)


def _in_time(tx: Tx, day: date, *, is_harmless: bool) -> None:
    earliest = tx.business_date + timedelta(days=0 if is_harmless else 1)
    if day < earliest:
        raise BeginsTooEarly(
            f"This change can begin on {day_in_words(earliest)} at the earliest: what was done "
            "before was done under the old rule.",
            field="effective_from",
        )
    if day > tx.business_date + FURTHEST:
        raise BeginsTooLate(field="effective_from")


def _standing(row: Any, now: Any, tx: Tx) -> Standing:
    if row.effective_from > tx.business_date:
        return Standing.COMING
    return Standing.IN_FORCE if row is now else Standing.OVER


def _row_of(table: RuleTable, words: Words, key: str, row: Any, standing: Standing) -> RuleRow:
    named, values = table.key_of(row), table.values_of(row)
    return RuleRow(
        key=key,
        title=title_of(table, words, named),
        effective_from=row.effective_from,
        standing=standing,
        values=values,
        said=said_of(table, words, named, values),
        source=row.source,
    )


def _one_at_a_time(tx: Tx) -> None:
    """Of two who set the same rule at once the second sees what the first has set."""
    if tx.dialect == "postgresql":
        tx.cursor.execute("LOCK TABLE rule_changes IN SHARE ROW EXCLUSIVE MODE")


def _line(text: str, field: str, longest: int) -> str:
    return clean_text(text, field=field, longest=longest)
