"""Real input: a bank brings its books, four CSV files in a folder, into an empty database.

Rows go in by chunks, each its own transaction, so that an import that was broken
off goes on where it stopped; with `strict` all of it is one transaction, and a dry
run is that transaction rolled back: what it shows is what would happen. An entry
is known by its external id, so the same file adds nothing the second time. That is
why a folder that came in before may come again (to be finished, or with its rejected
rows corrected) when the bank has long been at work.
"""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import and_, case, func, or_, select

from bank.accounts.accounts import Account
from bank.book import ledger
from bank.book.tables import Balance, FloorWaiver, JournalEntry, Posting
from bank.core.desk import Desk, Tx, chunk, flow, looking
from bank.core.errors import Declined, WrongState
from bank.core.permissions import Permission
from bank.core.states import move
from bank.night import import_files as files
from bank.night import import_people as people
from bank.night import import_rows as rows
from bank.night.import_batches import (
    LONGEST_FOLDER,
    MOVES,
    BatchStatus,
    ContraRules,
    ImportBatch,
    contra_rules,
)
from bank.night.import_entries import CHANNEL, take_entries
from bank.night.import_report import (
    BelowLimit,
    Chains,
    Difference,
    ErrorsFileRefused,
    Rejections,
    Report,
    Tell,
)
from bank.night.import_rows import BadCell, EntryRow

VERB: Final = "night.imports.import_books"
PEOPLE_AT_ONCE: Final = 2_000
ENTRIES_AT_ONCE: Final = 5_000
LOOKS_ONLY: Final = 0  # the batch of a dry run, which is rolled back with what it waived

R = TypeVar("R")
Unit = Callable[[str, int], AbstractContextManager[Tx]]
"""Opens the transaction that so many rows of a file go into."""


class BooksInUse(WrongState):
    """This bank has entries that no import made, and never imported a folder of this name. Books
    are brought into an empty database; an import is continued under its folder's own name."""


class StrictRefused(Declined):
    """Rows are wrong and --strict was given, so nothing was imported. Correct them first."""

    def __init__(self, report: Report) -> None:
        super().__init__()
        self.report = report


class _Undo(Exception):
    """Rolls a transaction back that only served to look."""


@flow(Permission.BOOK_IMPORT)
def import_books(
    desk: Desk,
    directory: Path,
    *,
    dry_run: bool = False,
    strict: bool = False,
    errors: Path | None = None,
    tell: Tell | None = None,
) -> Report:
    """Bring a bank's branches, customers, accounts and entries in from CSV files."""
    folder = files.open_folder(directory)
    desk = replace(desk, channel=CHANNEL)  # whoever starts it: the entries say how they came
    with looking(desk) as tx:
        _refuse_books_in_use(tx, folder.name[:LONGEST_FOLDER])
    report = Report(folder=folder.name, dry_run=dry_run, strict=strict)
    with closing(Rejections(report)) as rejections, _collector_at_rest():
        inputs = [folder.path / name for name in files.COLUMNS]
        if errors is not None:
            rejections.open(errors, inputs)
        batch_id = None if dry_run else _start_batch(desk, folder.name, strict)
        if errors is None and batch_id is not None:
            _open_beside_the_batch(desk, batch_id, rejections, report)
        with looking(desk) as tx:
            waiver_batch = batch_id or _unfinished(tx, folder.name) or LOOKS_ONLY
        work = _Import(desk, folder, waiver_batch, report, rejections, tell or _tell_nobody)
        if dry_run or strict:
            report.written = work.in_one_transaction(keep=not dry_run)
        else:
            work.run(
                lambda name, count: chunk(desk, VERB, {"file": name, "rows": count}),
                lambda: looking(desk),
            )
            report.written = True
    if batch_id is not None:
        _finish_batch(desk, batch_id, report)
    if strict and report.rejected:
        raise StrictRefused(report)
    return report


def _refuse_books_in_use(tx: Tx, folder: str) -> None:
    """Refuse a bank at work, unless some of this folder is in it: the rest may follow."""
    other = select(JournalEntry.id).where(JournalEntry.channel != CHANNEL).limit(1)
    if tx.connection.scalar(other) is None:
        return
    before = (
        select(ImportBatch.id)
        .where(
            ImportBatch.folder == folder,
            # What was refused, or broke off while it was all or nothing, has left nothing here.
            or_(
                ImportBatch.status == BatchStatus.IMPORTED,
                and_(ImportBatch.status == BatchStatus.STARTED, ImportBatch.strict.is_(False)),
            ),
        )
        .limit(1)
    )
    if tx.connection.scalar(before) is None:
        raise BooksInUse


def _unfinished(tx: Tx, folder: str) -> int | None:
    """The batch of this folder that was broken off, if there is one: this import continues it."""
    started = select(ImportBatch.id).where(
        ImportBatch.folder == folder[:LONGEST_FOLDER],
        ImportBatch.status == BatchStatus.STARTED,
        ImportBatch.strict.is_(False),  # what is all or nothing has left nothing to continue
    )
    return tx.connection.scalar(started.order_by(ImportBatch.id).limit(1))


def _start_batch(desk: Desk, folder: str, strict: bool) -> int:
    with chunk(desk, VERB, {"folder": folder, "strict": strict}) as tx:
        unfinished = _unfinished(tx, folder)
        if unfinished is not None:
            tx.concerns("import batch", unfinished)
            return unfinished
        batch = ImportBatch(
            folder=folder[:LONGEST_FOLDER],
            strict=strict,
            status=BatchStatus.STARTED,
            started_at=tx.now,
            started_by=desk.user_id or ledger.SYSTEM_USER_ID,
        )
        tx.session.add(batch)
        tx.session.flush()
        tx.concerns("import batch", batch.id)
        return batch.id


def _open_beside_the_batch(
    desk: Desk, batch_id: int, rejections: Rejections, report: Report
) -> None:
    """Rejected rows lie with their batch in the data directory; where they cannot, it is over."""
    folder = desk.bank.settings.data_dir / "imports" / f"{batch_id:06d}"
    try:
        rejections.open(folder / "errors.csv", ())
    except ErrorsFileRefused:
        _finish_batch(desk, batch_id, report)
        raise


def _finish_batch(desk: Desk, batch_id: int, report: Report) -> None:
    figures = report.figures()
    with chunk(desk, VERB, {"folder": report.folder, **figures}) as tx:
        batch = tx.locked(ImportBatch, batch_id)
        move(batch, BatchStatus.IMPORTED if report.written else BatchStatus.REFUSED, MOVES)
        batch.finished_at = tx.now
        batch.entries = figures["entries"]
        batch.accounts = figures["accounts"]
        batch.new_entries = figures["new"]
        batch.rejected = figures["rejected"]
        batch.balance_differences = figures["balance_differences"]
        tx.concerns("import batch", batch_id)


def _tell_nobody(_name: str, _done: int) -> None:
    pass


@dataclass
class _Import:
    """One import on its way through the four files."""

    desk: Desk
    folder: files.Folder
    batch_id: int
    report: Report
    rejections: Rejections
    tell: Tell
    chains: Chains = field(default_factory=Chains)

    def in_one_transaction(self, *, keep: bool) -> bool:
        """All of it or nothing; rolled back where a row was wrong or nothing shall be kept."""
        try:
            with chunk(self.desk, VERB, {"folder": self.folder.name}) as tx:
                self.run(lambda _name, _count: nullcontext(tx), lambda: nullcontext(tx))
                if self.report.rejected or not keep:
                    raise _Undo
        except _Undo:
            return False
        return True

    def run(self, unit: Unit, look: Callable[[], AbstractContextManager[Tx]]) -> None:
        """Branches, customers, accounts, entries, in this order; then who went below the limit."""
        self._people(unit, files.BRANCHES, rows.branch_row, people.take_branches)
        self._people(unit, files.CUSTOMERS, rows.customer_row, people.take_customers)
        self._people(unit, files.ACCOUNTS, rows.account_row, people.take_accounts)
        with look() as tx:
            contra = contra_rules(tx)
        for entries in self._parts(files.ENTRIES, rows.entry_row, ENTRIES_AT_ONCE):
            with unit(files.ENTRIES, len(entries)) as tx:
                self._take_entries(tx, entries, contra)
        with look() as tx:
            self.report.below = _below_limit(tx)

    def _people(
        self,
        unit: Unit,
        name: str,
        parse: Callable[[int, list[str]], R],
        take: Callable[[Tx, Sequence[R], set[str]], people.Taken],
    ) -> None:
        seen: set[str] = set()
        count = self.report.files[name]
        for part in self._parts(name, parse, PEOPLE_AT_ONCE):
            with unit(name, len(part)) as tx:
                taken = take(tx, part, seen)
            count.new += taken.new
            count.known += taken.known
            count.repeated += taken.repeated
            for line, reason in taken.rejected:
                self._reject(name, line, reason)

    def _parts(
        self, name: str, parse: Callable[[int, list[str]], R], size: int
    ) -> Iterator[list[R]]:
        """The good rows of a file by the chunk; what cannot be read is rejected on the way."""
        count = self.report.files[name]
        part: list[R] = []
        for line, cells in files.read_rows(self.folder.path / name):
            count.read += 1
            if isinstance(cells, files.Rejected):
                self.rejections.add(cells)
                continue
            try:
                part.append(parse(line, cells))
            except BadCell as wrong:
                self._reject(name, line, str(wrong))
            if len(part) == size:
                yield part
                self.tell(name, line - 1)
                part = []
        if part:
            yield part
        self.tell(name, self.folder.lines[name])

    def _reject(self, name: str, line: int, reason: str) -> None:
        self.rejections.add(files.Rejected(name, line, reason))

    def _take_entries(self, tx: Tx, entries: Sequence[EntryRow], contra: ContraRules) -> None:
        """Book a chunk and follow every balance, in the order of the file."""
        source = f"import of {self.folder.name}"[:200]
        taken = take_entries(tx, entries, contra, batch_id=self.batch_id, source=source)
        for line, reason in taken.rejected:
            self._reject(files.ENTRIES, line, reason)
        count = self.report.files[files.ENTRIES]
        count.repeated += taken.repeated
        for item, entry_id, is_new in taken.booked:
            if not self.chains.pass_by(entry_id):
                count.repeated += 1
                continue
            count.new += is_new
            count.known += not is_new
            row, currency = item.row, item.draft.currency
            self.report.add_entry(row.booking_date, currency, item.amount_minor)
            differs = self.chains.follow(item.account_id, item.amount_minor, item.balance_minor)
            if differs is not None:
                self.report.differences.append(
                    Difference(row.line, row.account_number, currency, row.booking_date, *differs)
                )


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Rows make no cycles, and looking for some while they pass by takes a tenth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _below_limit(tx: Tx) -> list[BelowLimit]:
    """Accounts that were ever below their limit: only those an import had to waive it for."""
    is_below = Posting.balance_minor < -Balance.overdraft_limit_minor
    found = tx.connection.execute(
        select(
            Account.number,
            Account.currency,
            Balance.overdraft_limit_minor,
            func.min(Posting.balance_minor),
            func.min(case((is_below, Posting.booking_date))),
        )
        .join(Balance, Balance.account_id == Account.id)
        .join(Posting, Posting.account_id == Account.id)
        .where(Account.id.in_(select(FloorWaiver.account_id)))
        .group_by(Account.number, Account.currency, Balance.overdraft_limit_minor)
        .having(func.min(Posting.balance_minor) < -Balance.overdraft_limit_minor)
        .order_by(Account.number)
    )
    return [BelowLimit(*row) for row in found]
