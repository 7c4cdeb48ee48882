"""Integrity: assertions about the bank's own books that must return no row (reports/checks).

Each check is one SELECT in SQL that both databases understand, run on the bank's own
database and not on the copy for reports. The seals, and the files people attached, are two more
checks, in Python. What a run found is
kept in the trail, where nobody can improve it afterwards.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import func, select, text

from bank.book import seals
from bank.core.audit import Outcome, TrailRecord
from bank.core.db import Base
from bank.core.desk import Desk, Tx, command, flow, looking, query
from bank.core.errors import NotFound
from bank.core.permissions import Permission
from bank.night import (
    analytics,
    import_batches,  # noqa: F401 - a table that checks read
)
from bank.night.guard import Refused
from bank.night.report_files import FOLDER, ReportFault, split
from bank.office import ticket_files

MOST_SAMPLES: Final = 20
SEALS: Final = "seals"
FILES: Final = "files"
KEPT: Final = "night.integrity.keep_result"


class NoSuchCheck(NotFound):
    """There is no such check. Choose one from the list."""


class CheckHeader(BaseModel):
    """The header of a check: its name for people, what must hold, what to do when it does not."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = Field(min_length=3, max_length=80)
    sentence: str = Field(min_length=10, max_length=200)
    next: str = Field(min_length=10, max_length=200)


@dataclass(frozen=True)
class Check:
    """One assertion. `sql` may use :today, the business date as ISO text."""

    name: str
    title: str
    sentence: str
    next_step: str
    sql: str


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """What a run found: how many rows break the check (0 is good), some of them, and how long it
    took."""

    name: str
    title: str
    rows: int
    sample: Sequence[Mapping[str, Any]]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether the books are as they should be."""
        return self.rows == 0

    @property
    def line(self) -> str:
        """The result as `python -m bank verify` prints it."""
        return f"ok {self.name}" if self.passed else f"FAIL {self.name}: {self.rows}"


@dataclass(frozen=True, kw_only=True)
class CheckState:
    """A check with its last run, as the trail has it; None where it never ran."""

    name: str
    title: str
    sentence: str
    next_step: str
    rows: int | None = None
    seconds: float | None = None
    run_at: datetime | None = None
    run_by: str | None = None

    @property
    def state(self) -> str:
        """One word."""
        if self.rows is None:
            return "not run"
        return "failed" if self.rows else "passed"


SEAL_CHECK: Final = Check(
    name=SEALS,
    title="Seals",
    sentence="Every sealed entry, every root and the published roots are as they were sealed.",
    next_step="The finding names the entry. Compare it with the last backup and with roots.txt.",
    sql="",
)

FILE_CHECK: Final = Check(
    name=FILES,
    title="Files with tickets",
    sentence="Every file that came with a ticket is there and unaltered.",
    next_step="The finding names the file. Bring it back from the last backup of documents/.",
    sql="",
)
FINDINGS: Final[Mapping[str, Callable[[Desk], Sequence[str]]]] = {
    SEALS: seals.check_seals,
    FILES: ticket_files.check_files,
}
"""The checks that are not SQL: each answers a sentence for everything that is wrong."""


def load(folder: Path) -> dict[str, Check]:
    """The checks of a folder by name; ReportFault lists all that is wrong."""
    checks = {}
    faults = []
    for path in sorted(folder.glob("*.sql")):
        try:
            given, sql = split(path.read_text(encoding="utf-8"))
            header = CheckHeader.model_validate(given)
            analytics.judge_check(sql, frozenset(Base.metadata.tables))
        except (Refused, ValidationError) as wrong:
            faults.append(f"{path.name}: {' '.join(str(wrong).split())}")
            continue
        checks[path.stem] = Check(
            path.stem, header.title, header.sentence, header.next, sql.replace("$today", ":today")
        )
    if faults:
        raise ReportFault("\n".join(faults))
    return checks


@cache
def catalogue() -> Mapping[str, Check]:
    """The bank's own checks the seals and the files, read and judged once per process."""
    return {**load(FOLDER / "checks"), SEALS: SEAL_CHECK, FILES: FILE_CHECK}


@query(Permission.INTEGRITY_VIEW)
def checks(tx: Tx) -> Sequence[CheckState]:
    """List every check with what its last run found."""
    last = _last_runs(tx)
    return [_state(check, last.get(check.name)) for check in catalogue().values()]


@flow(Permission.INTEGRITY_VIEW)
def run_check(desk: Desk, name: str) -> CheckResult:
    """Run one check and keep what it found in the trail."""
    check = catalogue().get(name)
    if check is None:
        raise NoSuchCheck
    started = time.monotonic()
    rows, sample = _found(desk, name) if name in FINDINGS else _broken(desk, check)
    seconds = round(time.monotonic() - started, 3)
    keep_result(desk, name, rows, seconds)
    return CheckResult(name=name, title=check.title, rows=rows, sample=sample, seconds=seconds)


@flow(Permission.INTEGRITY_VIEW)
def run_checks(
    desk: Desk, progress: Callable[[int, int, str], None] | None = None
) -> list[CheckResult]:
    """Run every check. `progress` is told how many are done, of how many, and what comes next."""
    results = []
    for done, check in enumerate(catalogue().values()):
        if progress is not None:
            progress(done, len(catalogue()), check.title)
        results.append(run_check(desk, check.name))
    return results


@flow(Permission.BOOK_SEAL)
def verify(desk: Desk) -> list[CheckResult]:
    """Seal the newest entries, then run every check."""
    seals.seal(desk)
    return run_checks(desk)


@command(Permission.INTEGRITY_VIEW)
def keep_result(tx: Tx, name: str, rows: int, seconds: float) -> None:
    """Keep in the trail what a run of a check found."""
    tx.concerns("check", name)


def not_passed(tx: Tx, _was: date | None, _through: date) -> Sequence[str]:
    """Checks that failed at their last run or never ran: worth a look before the book is closed."""
    last = _last_runs(tx)
    states = [_state(check, last.get(check.name)) for check in catalogue().values()]
    failed = [state.title for state in states if state.rows]
    said = [f"A check has failed: {title}." for title in failed]
    if len(last) < len(states):
        said.append("Not every check has been run: run them on the page Integrity.")
    return said


def _broken(desk: Desk, check: Check) -> tuple[int, list[dict[str, Any]]]:
    given = {"today": desk.bank.clock.business_date().isoformat()} if ":today" in check.sql else {}
    with looking(desk) as tx:
        some = f"SELECT * FROM (\n{check.sql}\n) AS broken LIMIT {MOST_SAMPLES}"  # noqa: S608
        sample = [dict(row) for row in tx.connection.execute(text(some), given).mappings()]
        if len(sample) < MOST_SAMPLES:
            return len(sample), sample
        count = f"SELECT COUNT(*) FROM (\n{check.sql}\n) AS broken"  # noqa: S608
        return int(tx.connection.execute(text(count), given).scalar_one()), sample


def _found(desk: Desk, name: str) -> tuple[int, list[dict[str, Any]]]:
    found = FINDINGS[name](desk)
    return len(found), [{"finding": finding} for finding in found[:MOST_SAMPLES]]


def _last_runs(tx: Tx) -> dict[str, TrailRecord]:
    """The last record of each check, all in one question."""
    newest = (
        select(func.max(TrailRecord.id))
        .where(
            TrailRecord.object_kind == "check",
            TrailRecord.object_id.in_(catalogue()),
            TrailRecord.verb == KEPT,
            TrailRecord.outcome == Outcome.DONE.value,
        )
        .group_by(TrailRecord.object_id)
    )
    found = tx.session.scalars(select(TrailRecord).where(TrailRecord.id.in_(newest)))
    return {str(record.object_id): record for record in found}


def _state(check: Check, last: TrailRecord | None) -> CheckState:
    kept = json.loads(last.details) if last is not None else {}
    return CheckState(
        name=check.name,
        title=check.title,
        sentence=check.sentence,
        next_step=check.next_step,
        rows=kept.get("rows"),
        seconds=kept.get("seconds"),
        run_at=last.at if last is not None else None,
        run_by=last.actor_name if last is not None else None,
    )
