"""What the bank remembers of an import, and the rule which GL account each kind meets.

    started ---> imported
       '-------> refused     (--strict, and a row was wrong; or nowhere to tell of such)

A batch that stays `started` was broken off; importing the same folder again goes
on where it stopped, because every entry is known by its external id. Until that is
done, reports/checks/imports_finished.sql names it.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import ForeignKey, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, aliased, mapped_column

from bank.core.clock import appointment
from bank.core.db import Base
from bank.core.desk import Tx
from bank.core.states import machine

LONGEST_FOLDER: Final = 200


class BatchStatus(StrEnum):
    """How far an import came."""

    STARTED = "started"
    IMPORTED = "imported"
    REFUSED = "refused"


MOVES: Final = machine(
    "import batch", {BatchStatus.STARTED: {BatchStatus.IMPORTED, BatchStatus.REFUSED}}
)


class ImportBatch(Base):
    """One run of an import that was no dry run, with the figures it ended with."""

    __tablename__ = "import_batches"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    folder: Mapped[str] = mapped_column(String(LONGEST_FOLDER))
    strict: Mapped[bool]
    status: Mapped[BatchStatus]
    started_at: Mapped[datetime]
    started_by: Mapped[int]
    finished_at: Mapped[datetime | None]
    entries: Mapped[int] = mapped_column(default=0)
    accounts: Mapped[int] = mapped_column(default=0)
    new_entries: Mapped[int] = mapped_column(default=0)
    rejected: Mapped[int] = mapped_column(default=0)
    balance_differences: Mapped[int] = mapped_column(default=0)


class ImportContra(Base):
    """The GL account that an imported entry of a kind meets from a day on (dated data)."""

    __tablename__ = "import_contra"
    __table_args__ = (UniqueConstraint("kind", "effective_from"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    gl_code: Mapped[str] = mapped_column(
        String(8), ForeignKey("gl_accounts.code", name="fk_import_contra_gl_code")
    )
    effective_from: Mapped[date]
    source: Mapped[str] = mapped_column(String(200))


class ContraRules:
    """The rules of `import_contra`, read once per import."""

    def __init__(self, rules: Mapping[str, Sequence[tuple[date, str]]]) -> None:
        self._rules = rules
        self._known: dict[tuple[str, date], str | None] = {}

    @property
    def kinds(self) -> list[str]:
        """The kinds an entry may have."""
        return sorted(self._rules)

    def gl_code(self, kind: str, day: date) -> str | None:
        """The GL code in force on the day, None for a kind without one."""
        try:
            return self._known[kind, day]
        except KeyError:
            dated = self._rules.get(kind, ())
            place = bisect_right([since for since, _ in dated], day)
            found = self._known[kind, day] = dated[place - 1][1] if place else None
            return found


def contra_rules(tx: Tx) -> ContraRules:
    """The rules as they stand."""
    rules: dict[str, list[tuple[date, str]]] = {}
    for row in tx.connection.execute(
        select(ImportContra.kind, ImportContra.effective_from, ImportContra.gl_code).order_by(
            ImportContra.kind, ImportContra.effective_from
        )
    ):
        rules.setdefault(row.kind, []).append((row.effective_from, row.gl_code))
    return ContraRules(rules)


def not_finished(tx: Tx, _was: date | None, _through: date) -> Sequence[str]:
    """Imports that have begun and not come to their end: what is left of them, and lies on a day
    that is closed, will be rejected. Worth a look before the book is closed."""
    later = aliased(ImportBatch)
    finished = select(later.id).where(
        later.folder == ImportBatch.folder,
        later.id > ImportBatch.id,
        later.status == BatchStatus.IMPORTED,
    )
    wanted = select(ImportBatch.folder, ImportBatch.started_at).where(
        ImportBatch.status == BatchStatus.STARTED,
        ImportBatch.strict.is_(False),  # what is all or nothing has left nothing to be finished
        ~finished.exists(),
    )
    return [
        f"The import of {folder}, begun {appointment(begun)}, runs or was broken off: its rows on "
        "closed days will be rejected."
        for folder, begun in tx.session.execute(wanted.order_by(ImportBatch.id))
    ]
