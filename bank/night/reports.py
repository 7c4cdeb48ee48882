"""Reports: run a file of reports/ for a desk, and drill from a figure to its journal lines.

What the tables of a report show is decided here and not in its SQL: the whole bank for a desk that
sees all of it, otherwise the desk's own branch. Only employees have reports.
"""

import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from bank.core.desk import Bank, Desk, flow, record_read
from bank.core.errors import BadInput, NotAllowed, NotFound
from bank.core.permissions import Permission
from bank.core.texts import check_search
from bank.night import analytics
from bank.night.report_files import (
    TODAY,
    Chart,
    ColumnKind,
    Param,
    ParamType,
    ReportFile,
    catalogue,
)

MOST_ROWS: Final = 50_000
LONGEST_TEXT: Final = 100


class NoSuchReport(NotFound):
    """There is no such report. Choose one from the list."""


class NoSuchBranch(NotFound):
    """There is no such branch. Choose one from the list."""


class NothingBehind(NotFound):
    """This report has no lines behind its figures."""


@dataclass(frozen=True)
class ReportColumn:
    """One column: its name in the rows, what people read above it, how its values are written."""

    name: str
    label: str
    kind: ColumnKind


@dataclass(frozen=True, kw_only=True)
class Report:
    """The answer of a report.

    `table` has one Arrow column per column, amounts as int64 minor units. `truncated` says that
    there were more than MOST_ROWS rows. `as_of` is when the bank was read, `age_seconds` how long
    before the answer that was. `params` are the parameters as they were used, `only` what `where`
    has kept.
    """

    name: str
    title: str
    columns: tuple[ReportColumn, ...]
    table: pa.Table
    as_of: datetime
    age_seconds: float
    truncated: bool
    params: Mapping[str, Any]
    chart: Chart | None
    drill: str | None
    only: Mapping[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows as dictionaries by column name. Of many rows, take a `page`."""
        rows: list[dict[str, Any]] = self.table.to_pylist()
        return rows

    @property
    def count(self) -> int:
        """How many rows there are."""
        return int(self.table.num_rows)

    def page(self, skip: int, take: int) -> list[dict[str, Any]]:
        """Some of the rows: the others are never made into dictionaries."""
        rows: list[dict[str, Any]] = self.table.slice(skip, take).to_pylist()
        return rows

    def where(self, column: str, value: str) -> "Report":
        """The same report with the rows that have this text in a column."""
        kept = self.table.filter(pc.equal(self.table[column], value))
        return replace(self, table=kept, only={**self.only, column: value})

    def values(self, column: str) -> list[Any]:
        """What stands in a column, each once, in order."""
        found: list[Any] = pc.unique(self.table[column]).to_pylist()
        return sorted(found)

    def total(self, column: str) -> int:
        """The sum of a column of whole numbers, beyond 64 bits where it comes to that."""
        return int(pc.sum(self.table[column].cast(pa.decimal128(38))).as_py() or 0)


@flow(Permission.REPORT_RUN)
def run(
    desk: Desk,
    name: str,
    params: Mapping[str, Any] | None = None,
    max_age: float = analytics.MOST_AGE_SECONDS,
) -> Report:
    """Run a report on figures at most `max_age` seconds old, over what this desk may see."""
    file = catalogue().get(name)
    if file is None:
        raise NoSuchReport
    if not desk.may(file.header.permission):
        raise NotAllowed
    values = {
        key: _value(desk, key, param, (params or {}).get(key))
        for key, param in file.header.params.items()
    }
    if unknown := sorted(set(params or {}) - set(values)):
        raise BadInput(f"The report {name} has no field {unknown[0]}.", field=unknown[0])
    report = _run(desk, file, values, max_age)
    if any(other.header.drill == name for other in catalogue().values()):
        record_read(desk, "report", name)  # single lines stand behind figures, and name customers
    return report


@flow(Permission.REPORT_RUN)
def drill(
    desk: Desk, name: str, row: Mapping[str, Any], params: Mapping[str, Any] | None = None
) -> Report:
    """The journal lines behind one row of a report that was run with `params`.

    What the lines are filtered by is taken from the row, else from `params`.
    """
    file = catalogue().get(name)
    if file is None:
        raise NoSuchReport
    if file.header.drill is None:
        raise NothingBehind
    known = {**(params or {}), **row}
    wanted = catalogue()[file.header.drill].header.params
    return run(desk, file.header.drill, {key: known[key] for key in wanted if key in known})


@dataclass(frozen=True)
class ReportCard:
    """A report as the list shows it: name, title and the parameters it takes."""

    name: str
    title: str
    params: Mapping[str, Param]


@flow(Permission.REPORT_RUN)
def reports_for(desk: Desk) -> list[ReportCard]:
    """List the reports that this desk may run, by title."""
    cards = [
        ReportCard(file.name, file.header.title, file.header.params)
        for file in catalogue().values()
        if desk.may(file.header.permission)
    ]
    return sorted(cards, key=lambda card: card.title)


def keep_fresh(bank: Bank, stop: threading.Event) -> None:
    """Judge every report, so that a wrong file is known at the start, then keep the copy warm.

    A thread of `serve`; ReportFault ends it, and `/healthz` then says so.
    """
    catalogue()
    analytics.keep_fresh(bank, stop)


def _run(desk: Desk, file: ReportFile, values: Mapping[str, Any], max_age: float) -> Report:
    copy = analytics.warehouse(desk.bank)
    freshness = analytics.fresh(desk.bank, max_age=max_age)
    schema = copy.scope(_branch_of(desk, file, values))
    table = copy.select(
        schema, file.sql, {key: values[key] for key in file.bound}, most_rows=MOST_ROWS
    )
    return Report(
        name=file.name,
        title=file.header.title,
        columns=tuple(
            ReportColumn(column, file.label_of(column), file.kind_of(column))
            for column in file.columns
        ),
        table=_plain(table.slice(0, MOST_ROWS)),
        as_of=freshness.as_of,
        age_seconds=freshness.age_seconds,
        truncated=table.num_rows > MOST_ROWS,
        params=values,
        chart=file.header.chart,
        drill=file.header.drill,
    )


def _branch_of(desk: Desk, file: ReportFile, values: Mapping[str, Any]) -> int | None:
    """The branch the tables are cut down to; None is the whole bank."""
    asked = [
        values[key]
        for key, param in file.header.params.items()
        if param.type is ParamType.BRANCH and values[key] is not None
    ]
    if desk.sees_whole_bank:
        if not asked:
            return None
        known = analytics.warehouse(desk.bank).select(
            analytics.WHOLE, "SELECT id FROM branches WHERE id = $id", {"id": asked[0]}, most_rows=1
        )
        if known.num_rows == 0:
            raise NoSuchBranch
        return int(asked[0])
    if desk.branch_id is None:
        raise NotAllowed
    if asked and asked[0] != desk.branch_id:
        raise NoSuchBranch  # not yours is not there
    return desk.branch_id


def _value(desk: Desk, key: str, param: Param, given: object) -> object:
    value = param.default if given is None else given
    if value is None:
        if param.required:
            raise BadInput("Choose a value for this field.", field=key)
        return None
    match param.type:
        case ParamType.DATE:
            return _day(desk, key, value)
        case ParamType.TEXT:
            if param.options is not None and value not in param.options:
                raise BadInput(f"Choose one of {', '.join(param.options)}.", field=key)
            if isinstance(value, str) and len(value) <= LONGEST_TEXT:
                check_search(value, key)
                return value
            raise BadInput(f"Give a text of at most {LONGEST_TEXT} characters.", field=key)
        case ParamType.INT | ParamType.BRANCH:
            if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
                return value
            raise BadInput("Give a whole number.", field=key)


def _day(desk: Desk, key: str, value: object) -> date:
    if value == TODAY:
        return desk.bank.clock.business_date()
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str):
        with suppress(ValueError):
            return date.fromisoformat(value)
    raise BadInput("Give a date, such as 2026-03-31.", field=key)


def _plain(table: pa.Table) -> pa.Table:
    """Sums of whole numbers come as 128-bit decimals: amounts and counts fit 64 bits."""
    fields = [
        pa.field(field.name, pa.int64()) if pa.types.is_decimal(field.type) else field
        for field in table.schema
    ]
    return table.cast(pa.schema(fields))
