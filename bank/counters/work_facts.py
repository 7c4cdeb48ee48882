"""An employee by facts: what they did in a period, how well, and how the role does at the branch.

Every figure is added up from the very rows that it leads to (`rows_of`), so neither can say
something else; the employee and the admin are answered by one function. Nobody is ranked: beside a
figure stand the median and the range of the role at the branch, and only where enough people have
enough cases (a dated rule).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, String, case, func, select
from sqlalchemy.orm import Mapped, mapped_column

from bank.core import dated, hours
from bank.core.clock import in_india
from bank.core.db import Base
from bank.core.desk import Tx, query
from bank.core.permissions import STAFF, Permission, Role
from bank.counters.fact_rows import KINDS, Asked, Kind, Measure, Rows, rows_of, text_of
from bank.office.performance import checked_employee, instants
from bank.office.rule_tables import Field, of_numbers, register
from bank.people.identity import User, UserStatus
from bank.people.staff_list import NoSuchEmployee, scope

LEAST: Final = ("least_people", "least_cases")  # what a role needs to be compared
MOST_ITEMS: Final = 500  # behind one figure, newest first


class PerformanceRule(Base):
    """A number that holds from a business date until a later row replaces it."""

    __tablename__ = "performance_rules"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    effective_from: Mapped[date] = mapped_column(primary_key=True)
    value: Mapped[int]
    source: Mapped[str] = mapped_column(String(300))


COMPARED_WITH: Final = register(
    of_numbers(
        name="performance_rules",
        title="Comparing employees",
        about="How many people of a role, with how many cases, a figure is compared with.",
        model=PerformanceRule,
        named=(
            Field(name="least_people", label="People of the role", lowest=2, highest=100),
            Field(name="least_cases", label="Cases of each", lowest=1, highest=1_000),
        ),
    )
)


@dataclass(frozen=True, kw_only=True)
class Compared:
    """The people of a role at a branch who have enough cases; without a median they are too few."""

    people: int
    median: float | None = None
    lowest: float | None = None
    highest: float | None = None


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One number about one person. `cases` is how many rows are behind it, `hits` how many of them
    are what a share counts; `value` is None where there is nothing to count: a number of cases, a
    share in per cent, a median in seconds of open time, or an average."""

    measure: Measure
    cases: int = 0
    hits: int = 0
    value: float | None = None
    over_minor: int = 0
    short_minor: int = 0
    compared: Compared

    @property
    def kind(self) -> Kind:
        """How it is counted and read."""
        return KINDS[self.measure]


@dataclass(frozen=True, kw_only=True)
class Week:
    """How much was done in a week that begins on a Monday."""

    first_day: date
    cases: int
    slips: int


@dataclass(frozen=True, kw_only=True)
class Facts:
    """All numbers about one person in a period; `least_people` and `least_cases` are the rule."""

    user_id: int
    name: str
    role: Role
    figures: Sequence[Figure]
    weeks: Sequence[Week]
    least_people: int
    least_cases: int


@dataclass(frozen=True, kw_only=True)
class FactItem:
    """One row behind a figure. `hit` says whether a share counts it; `value` is a length in seconds
    of open time, a difference in minor units, or a score."""

    id: int
    at: datetime | date
    reference: str
    what: str
    hit: bool
    value: int | None


@dataclass(frozen=True, kw_only=True)
class FactItems:
    """What is behind a figure, newest first; `found` is how many there are in all."""

    items: Sequence[FactItem]
    found: int


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody whose numbers this desk may see."""

    id: int
    name: str
    role: Role
    branch_id: int | None


class _Sum(NamedTuple):
    cases: int
    hits: int
    total: int
    over: int
    short: int


@query(Permission.OWN_WORK_VIEW)
def own_facts(tx: Tx, start: date, end: date) -> Facts:
    """Count what one did oneself from one day to another, beside the role at the branch."""
    assert tx.desk.user_id is not None
    return _facts(tx, tx.desk.user_id, start, end)


@query(Permission.STAFF_VIEW)
def facts_of(tx: Tx, user_id: int, start: date, end: date) -> Facts:
    """Count what an employee of one's branch did: the numbers they see themselves."""
    checked_employee(tx, user_id)
    return _facts(tx, user_id, start, end)


@query(Permission.OWN_WORK_VIEW)
def own_items(tx: Tx, measure: Measure, start: date, end: date) -> FactItems:
    """List what is behind one of one's own numbers."""
    assert tx.desk.user_id is not None
    return _items(tx, tx.desk.user_id, measure, start, end)


@query(Permission.STAFF_VIEW)
def items_of(tx: Tx, user_id: int, measure: Measure, start: date, end: date) -> FactItems:
    """List what is behind a number about an employee of one's branch."""
    checked_employee(tx, user_id)
    return _items(tx, user_id, measure, start, end)


@query(Permission.STAFF_VIEW)
def people(tx: Tx) -> Sequence[Person]:
    """List whose numbers this desk may see, by role and name."""
    found = tx.session.execute(
        select(User.id, User.name, User.role, User.branch_id)
        .where(User.role.in_(STAFF), User.status != UserStatus.REMOVED, *scope(tx))
        .order_by(User.role, User.name, User.id)
    )
    return [Person(**row._mapping) for row in found]


def _facts(tx: Tx, user_id: int, start: date, end: date) -> Facts:
    user = tx.session.get(User, user_id)
    if user is None:
        raise NoSuchEmployee
    same_role = select(User.id).where(
        User.role == user.role,
        User.branch_id == user.branch_id if user.branch_id else User.branch_id.is_(None),
        User.status == UserStatus.ACTIVE,
    )
    ids = {*tx.session.scalars(same_role), user_id}
    least = {
        name: dated.value_today(tx, PerformanceRule, name)
        for name in ("least_people", "least_cases")
    }
    figures = [_figure(tx, measure, user_id, _asked(ids, start, end), least) for measure in Measure]
    return Facts(
        user_id=user_id,
        name=user.name,
        role=user.role,
        figures=figures,
        weeks=_weeks(tx, user_id, start, end),
        **least,
    )


def _asked(ids: Collection[int], start: date, end: date) -> Asked:
    first, after_last = instants(start, end)
    return Asked(frozenset(ids), start, end, first, after_last)


def _figure(
    tx: Tx, measure: Measure, user_id: int, asked: Asked, least: Mapping[str, int]
) -> Figure:
    rows = rows_of(measure, asked)
    if KINDS[measure] is Kind.MEDIAN:
        lengths = _lengths(tx, rows)
        values = {who: median(found) for who, found in lengths.items()}
        sums = {who: _Sum(len(found), 0, 0, 0, 0) for who, found in lengths.items()}
    else:
        sums = _sums(tx, rows)
        values = {who: _value(KINDS[measure], found) for who, found in sums.items()}
    enough = [values[who] for who, found in sums.items() if found.cases >= least["least_cases"]]
    mine = sums.get(user_id, _Sum(0, 0, 0, 0, 0))
    return Figure(
        measure=measure,
        cases=mine.cases,
        hits=mine.hits,
        value=values.get(user_id),
        over_minor=mine.over,
        short_minor=mine.short,
        compared=_compared(enough, least["least_people"]),
    )


def _value(kind: Kind, found: _Sum) -> float:
    if kind is Kind.COUNT:
        return found.cases
    if kind is Kind.AVERAGE:
        return found.total / found.cases
    return 100 * found.hits / found.cases


def _compared(values: Sequence[float], least_people: int) -> Compared:
    if len(values) < least_people:
        return Compared(people=len(values))
    return Compared(
        people=len(values), median=median(values), lowest=min(values), highest=max(values)
    )


def _sums(tx: Tx, rows: Rows) -> dict[int, _Sum]:
    """What the rows of each person add up to."""
    row = rows.subquery()
    value: ColumnElement[int] = func.coalesce(row.c.value, 0)
    found = tx.session.execute(
        select(
            row.c.user_id,
            func.count(),
            func.sum(row.c.hit),
            func.sum(value),
            func.sum(case((value > 0, value), else_=0)),
            func.sum(case((value < 0, -value), else_=0)),
        ).group_by(row.c.user_id)
    )
    return {who: _Sum(*(int(number or 0) for number in numbers)) for who, *numbers in found}


def _lengths(tx: Tx, rows: Rows) -> dict[int, list[int]]:
    """The lengths of each person's rows in seconds of open time: only the calendar knows them."""
    found: dict[int, list[int]] = {}
    for row in tx.session.execute(rows):
        found.setdefault(row.user_id, []).append(_length(tx, row))
    return found


def _length(tx: Tx, row: Any) -> int:
    return hours.calendar(tx, row.branch_id).between(row.started_at, row.at)


def _items(tx: Tx, user_id: int, measure: Measure, start: date, end: date) -> FactItems:
    rows = rows_of(measure, _asked({user_id}, start, end))
    found = tx.session.scalar(select(func.count()).select_from(rows.subquery())) or 0
    newest = rows.order_by(rows.selected_columns.at.desc(), rows.selected_columns.item_id.desc())
    is_length = KINDS[measure] is Kind.MEDIAN
    items = [
        FactItem(
            id=row.item_id,
            at=row.at,
            **text_of(measure, row),
            hit=bool(row.hit),
            value=_length(tx, row) if is_length else row.value,
        )
        for row in tx.session.execute(newest.limit(MOST_ITEMS))
    ]
    tx.looked_at("work of", user_id)
    return FactItems(items=items, found=found)


def _weeks(tx: Tx, user_id: int, start: date, end: date) -> list[Week]:
    asked = _asked({user_id}, start, end)
    cases = _by_week(tx, rows_of(Measure.CASES, asked))
    slips = _by_week(tx, rows_of(Measure.SLIPS, asked))
    return [
        Week(first_day=monday, cases=cases.get(monday, 0), slips=slips.get(monday, 0))
        for monday in _mondays(start, end)
    ]


def _by_week(tx: Tx, rows: Rows) -> dict[date, int]:
    row = rows.subquery()
    found: dict[date, int] = {}
    for at, count in tx.session.execute(select(row.c.at, func.count()).group_by(row.c.at)):
        monday = _monday(in_india(at).date() if isinstance(at, datetime) else at)
        found[monday] = found.get(monday, 0) + count
    return found


def _mondays(start: date, end: date) -> Iterable[date]:
    monday = _monday(start)
    while monday <= end:
        yield monday
        monday += timedelta(days=7)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
