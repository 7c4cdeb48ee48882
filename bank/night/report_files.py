"""Files of reports: one SELECT each, after a header that says what it is, who may see it, and how.

    /* ---
    title: Branch money
    permission: branch_money:view
    params:
      branch: {type: branch}
      day: {type: date, default: today, label: As of}
    chart: {kind: bar, x: label, y: amount_minor}
    format: {amount_minor: money, branch: hidden}
    drill: journal_lines
    --- */
    SELECT ...

Everything that can be wrong with a file is found before anybody runs it (`catalogue`, and a test).
reports/README.md documents the header and the tables.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bank.core.config import PROJECT
from bank.core.permissions import Permission
from bank.night import analytics, currencies
from bank.night.guard import Refused

FOLDER: Final = PROJECT / "reports"
HEADER: Final = re.compile(r"\A/\*[ \t]*---[ \t]*\n(?P<yaml>.*?)\n[ \t]*---[ \t]*\*/\s*", re.DOTALL)
# What every report that figures drill to returns: the lines of the journal.
LINE_COLUMNS: Final = ("entry_id", "booking_date", "narration", "currency", "amount_minor")
TODAY: Final = "today"


class ParamType(StrEnum):
    """What a parameter takes. A branch is not bound into the SQL: it cuts the tables down."""

    DATE = "date"
    INT = "int"
    TEXT = "text"
    BRANCH = "branch"


# A value of each type, with which the SQL is judged on empty tables.
SAMPLES: Final[Mapping[ParamType, object]] = {
    ParamType.DATE: date(2000, 1, 1),
    ParamType.INT: 1,
    ParamType.TEXT: "",
}


class ColumnKind(StrEnum):
    """How a column is written. Money and amounts are minor units of the row's `currency`; an amount
    stands without its side, and not at all where it is zero. A word is one of the code's."""

    MONEY = "money"
    AMOUNT = "amount"
    WORD = "word"
    DATE = "date"
    TEXT = "text"
    NUMBER = "number"
    HIDDEN = "hidden"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Param(_Part):
    """One parameter. Without a default it is null when it is not given, unless required. A text may
    be one of a few `options`, each with what people read for it."""

    type: ParamType
    label: str | None = None
    default: str | int | date | None = None
    required: bool = False
    options: dict[str, str] | None = None


class Chart(_Part):
    """What to draw of the rows: `y` over `x`, one mark per `colour`.

    `in_and_out` draws months: what comes in above zero, what goes out below it. An asset grows by a
    debit and a liability by a credit, so `comes_in` says which of the two comes in.
    """

    kind: Literal["bar", "line", "in_and_out"]
    x: str
    y: str
    colour: str | None = None
    comes_in: Literal["credit", "debit"] | None = None


class Header(_Part):
    """The header of a file."""

    title: str = Field(min_length=3, max_length=80)
    permission: Permission
    params: dict[str, Param] = {}
    chart: Chart | None = None
    labels: dict[str, str] = {}
    format: dict[str, ColumnKind] = {}
    drill: str | None = None


@dataclass(frozen=True, kw_only=True)
class ReportFile:
    """A file that passed: its header, its SELECT, the parameters bound into it, its columns."""

    name: str
    header: Header
    sql: str
    bound: frozenset[str]
    columns: tuple[str, ...]

    def kind_of(self, column: str) -> ColumnKind:
        """How a column is written."""
        return self.header.format.get(column, ColumnKind.TEXT)

    def label_of(self, column: str) -> str:
        """What people read above a column."""
        text = column.removesuffix("_minor").replace("_", " ")
        return self.header.labels.get(column, text[:1].upper() + text[1:])


class ReportFault(ValueError):
    """Files of reports are wrong; the text names each with what is wrong with it."""


def split(text: str) -> tuple[dict[str, Any], str]:
    """The YAML of the leading block and the SQL after it; Refused without a proper block."""
    found = HEADER.match(text)
    if found is None:
        raise Refused("it must start with /* --- , YAML, and --- */")
    try:
        header = yaml.safe_load(found["yaml"])
    except yaml.YAMLError as wrong:
        raise Refused(f"its header is not YAML: {' '.join(str(wrong).split())}") from wrong
    if not isinstance(header, dict):
        raise Refused("its header is not a table of names and values")
    return header, text[found.end() :].strip().removesuffix(";")


def read(path: Path) -> ReportFile:
    """One file, judged by itself (`catalogue` also checks what it drills to); Refused if wrong."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", path.stem):
        raise Refused("its name is not made of small letters, digits and underscores")
    given, sql = split(path.read_text(encoding="utf-8"))
    try:
        header = Header.model_validate(given)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Refused(f"its header: {where}: {first['msg']}") from wrong
    samples = {
        name: SAMPLES[param.type]
        for name, param in header.params.items()
        if param.type is not ParamType.BRANCH
    }
    judged = analytics.judge(sql, samples)
    if unused := sorted(set(samples) - judged.parameters):
        raise Refused(f"the parameter {unused[0]} is declared and not used")
    file = ReportFile(
        name=path.stem,
        header=header,
        sql=sql,
        bound=judged.parameters,
        columns=tuple(judged.columns),
    )
    for fault in (*_faults_of_columns(file), *judged.mixed):
        raise Refused(fault)
    return file


def _faults_of_columns(file: ReportFile) -> Iterator[str]:
    header, columns = file.header, file.columns
    chart = header.chart
    drawn = (chart.x, chart.y, chart.colour) if chart else ()
    named = [*header.labels, *header.format, *drawn]
    for column in named:
        if column is not None and column not in columns:
            yield f"its header names a column {column} that the SELECT does not return"
    if chart is not None and not currencies.is_amount(chart.y):
        yield f"its chart draws {chart.y}, which is no amount"
    if chart is not None:
        yield from _faults_of_chart(chart, file)
    for name, param in header.params.items():
        if param.options is not None and param.type is not ParamType.TEXT:
            yield f"the parameter {name} has options and is no text"
    for column in columns:
        money = file.kind_of(column) in {ColumnKind.MONEY, ColumnKind.AMOUNT}
        if currencies.is_amount(column) != money:
            yield f"{column}: amounts, and only they, end in _minor and are money or amount"
        if money and "currency" not in columns:
            yield f"{column} is money, so the SELECT must also return its currency"


def _faults_of_chart(chart: Chart, file: ReportFile) -> Iterator[str]:
    over = {"line": "a line goes over days", "in_and_out": "in and out go over months"}
    if chart.kind in over and file.kind_of(chart.x) is not ColumnKind.DATE:
        yield f"{over[chart.kind]}, and {chart.x} has not the format date"
    if (chart.kind == "in_and_out") != (chart.comes_in is not None):
        yield "its chart says what comes_in where it is in_and_out, and only there"
    if chart.kind == "in_and_out" and chart.colour is not None:
        yield "its chart in_and_out has its own two colours, so it takes none"


def _faults_of_drill(file: ReportFile, files: Mapping[str, ReportFile]) -> Iterator[str]:
    if file.header.drill is None:
        return
    lines = files.get(file.header.drill)
    if lines is None:
        yield f"it drills to {file.header.drill}, and there is no such report"
        return
    if missing := [column for column in LINE_COLUMNS if column not in lines.columns]:
        yield f"it drills to {lines.name}, which does not return {missing[0]}"
    for name, param in lines.header.params.items():
        given = name in file.columns or name in file.header.params
        if param.required and not given:
            yield f"it drills to {lines.name}, which wants {name}: neither a column nor a parameter"


def load(folder: Path) -> dict[str, ReportFile]:
    """Every report of a folder by name; ReportFault lists all that is wrong."""
    files: dict[str, ReportFile] = {}
    faults = []
    for path in sorted(folder.glob("*.sql")):
        try:
            files[path.stem] = read(path)
        except Refused as wrong:
            faults.append(f"{path.name}: {wrong}")
    for file in files.values():
        faults += [f"{file.name}.sql: {fault}" for fault in _faults_of_drill(file, files)]
    if faults:
        raise ReportFault("\n".join(faults))
    return files


@cache
def catalogue() -> Mapping[str, ReportFile]:
    """The bank's own reports, read and judged once per process."""
    return load(FOLDER)
