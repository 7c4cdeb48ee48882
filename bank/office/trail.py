"""The trail as auditors read it: who did what, when, to what, from where; before and after; CSV.

Records are found, never changed. Pages are walked by key (instant, id), newest first.
"""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, select, tuple_

from bank.core.audit import Outcome, TrailRecord
from bank.core.cells import safe_cell
from bank.core.clock import INDIA
from bank.core.desk import CATALOGUE, Tx, command, query
from bank.core.errors import BadInput, NotFound
from bank.core.permissions import Permission
from bank.core.texts import check_search
from bank.people.fields import clean_text

ROWS_ON_A_PAGE: Final = 50
LONGEST_EXPORT: Final = 20_000
LONGEST_TABLE: Final = 60  # the name of a table that is downloaded
FILE_KINDS: Final = ("csv", "xlsx")


class NoSuchRecord(NotFound):
    """There is no record with this number in the trail."""


class TooManyRecords(BadInput):
    """More than 20,000 records fit. Choose fewer days or one person, and download in parts."""


@dataclass(frozen=True, kw_only=True)
class Searched:
    """What to look for; everything that is given must fit. Days are calendar days in India.

    `actor` is a part of the person's name, `verb` a part of the verb's name, `from_where` the
    beginning of an address.
    """

    start: date | None = None
    end: date | None = None
    actor: str | None = None
    verb: str | None = None
    outcome: str | None = None
    role: str | None = None
    object_kind: str | None = None
    object_id: str | None = None
    from_where: str | None = None
    session_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class Record:
    """One record. `details`, `before` and `after` are what the verb was given and what it changed;
    secrets in them were masked when they were written."""

    id: int
    at: datetime
    verb: str
    outcome: Outcome
    actor_id: int | None
    actor_name: str
    role: str
    branch_id: int | None
    session_id: int | None
    on_behalf_of: int | None
    channel: str
    from_where: str
    object_kind: str | None
    object_id: str | None
    details: Mapping[str, Any]
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    refusal: str | None

    @property
    def sentence(self) -> str:
        """What the verb does, in the words of the catalogue; its name when it is gone."""
        known = CATALOGUE.get(self.verb)
        return known.sentence if known else self.verb

    @property
    def about(self) -> str:
        """The thing it was about: `account 001000000016`."""
        return f"{self.object_kind} {self.object_id}" if self.object_kind else ""

    @property
    def changes(self) -> Sequence[tuple[str, str, str]]:
        """Name, value before, value after of everything that differs."""
        before, after = self.before or {}, self.after or {}
        return [
            (name, _text(before.get(name)), _text(after.get(name)))
            for name in dict.fromkeys([*before, *after])
            if before.get(name) != after.get(name)
        ]


@dataclass(frozen=True, kw_only=True)
class TrailPage:
    """One page. `older` is the id to continue from, None on the last page."""

    records: Sequence[Record]
    older: int | None


@query(Permission.TRAIL_VIEW)
def records(tx: Tx, searched: Searched, older_than: int | None = None) -> TrailPage:
    """Look through the trail: fifty records that fit, newest first, from one record onwards."""
    conditions = _fitting(searched)
    if older_than is not None:
        last = tx.session.get(TrailRecord, older_than)
        if last is None:
            raise NoSuchRecord
        conditions.append(tuple_(TrailRecord.at, TrailRecord.id) < tuple_(last.at, last.id))
    found = _read(tx, conditions, ROWS_ON_A_PAGE + 1)
    kept = found[:ROWS_ON_A_PAGE]
    tx.looked_at("trail", "records")
    return TrailPage(records=kept, older=kept[-1].id if len(found) > ROWS_ON_A_PAGE else None)


@command(Permission.TRAIL_VIEW)
def export_records(tx: Tx, searched: Searched) -> bytes:
    """Download the records that fit as CSV (UTF-8 with a mark); the export is itself recorded."""
    found = _read(tx, _fitting(searched), LONGEST_EXPORT + 1)
    if len(found) > LONGEST_EXPORT:
        raise TooManyRecords(field="days")
    tx.concerns("trail", "export")
    tx.facts["records"] = len(found)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_COLUMNS)
    for record in found:
        writer.writerow([safe_cell(_text(getattr(record, name))) for name in _COLUMNS])
    return out.getvalue().encode("utf-8-sig")


@command(Permission.SESSION_KEEP)
def record_export(tx: Tx, table: str, rows: int, filters: Mapping[str, str], kind: str) -> None:
    """Record that somebody downloads a table: which, how many rows, narrowed by what, as what.

    `kind` is the kind of file, one of FILE_KINDS.
    """
    name = clean_text(table, field="table", longest=LONGEST_TABLE)
    if rows < 0:
        raise BadInput("A table has no fewer than no rows.", field="rows")
    if kind not in FILE_KINDS:
        raise BadInput("A table is downloaded as csv or as xlsx.", field="kind")
    tx.concerns("export", name)
    tx.facts["filters"] = {key: value for key, value in filters.items() if value}


_COLUMNS: Final = (
    "id",
    "at",
    "verb",
    "outcome",
    "actor_name",
    "role",
    "branch_id",
    "channel",
    "from_where",
    "session_id",
    "object_kind",
    "object_id",
    "details",
    "before",
    "after",
    "refusal",
    "on_behalf_of",
)

Given = tuple[Any, Callable[[Any], ColumnElement[bool]]]


def _fitting(searched: Searched) -> list[ColumnElement[bool]]:
    row = TrailRecord
    for field in fields(searched):
        value = getattr(searched, field.name)
        check_search(value if isinstance(value, str) else None, field.name)
    given: tuple[Given, ...] = (
        (searched.start, lambda day: row.at >= _midnight(day)),
        (searched.end, lambda day: row.at < _midnight(day + timedelta(days=1))),
        (searched.actor, lambda name: row.actor_name.icontains(name, autoescape=True)),
        (searched.verb, lambda name: row.verb.icontains(name, autoescape=True)),
        (searched.outcome, lambda outcome: row.outcome == outcome),
        (searched.role, lambda role: row.role == role),
        (searched.object_kind, lambda kind: row.object_kind == kind),
        (searched.object_id, lambda object_id: row.object_id == object_id),
        (searched.from_where, lambda at: row.from_where.startswith(at, autoescape=True)),
        (searched.session_id, lambda session_id: row.session_id == session_id),
    )
    return [condition(value) for value, condition in given if value not in {None, ""}]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), INDIA)


def _read(tx: Tx, conditions: Sequence[ColumnElement[bool]], most: int) -> list[Record]:
    rows = tx.session.scalars(
        select(TrailRecord)
        .where(*conditions)
        .order_by(TrailRecord.at.desc(), TrailRecord.id.desc())
        .limit(most)
    )
    return [
        Record(
            id=row.id,
            at=row.at,
            verb=row.verb,
            outcome=Outcome(row.outcome),
            actor_id=row.actor_id,
            actor_name=row.actor_name,
            role=row.role,
            branch_id=row.branch_id,
            session_id=row.session_id,
            on_behalf_of=row.on_behalf_of,
            channel=row.channel,
            from_where=row.from_where,
            object_kind=row.object_kind,
            object_id=row.object_id,
            details=json.loads(row.details),
            before=None if row.before is None else json.loads(row.before),
            after=None if row.after is None else json.loads(row.after),
            refusal=row.refusal,
        )
        for row in rows
    ]


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    if isinstance(value, Mapping | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
