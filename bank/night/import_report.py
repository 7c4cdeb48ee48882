"""What an import found and did: counted while it runs, said in plain lines at the end."""

import csv
import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bank.core.cells import safe_cell
from bank.core.errors import BadInput
from bank.core.money import to_decimal
from bank.night.import_files import COLUMNS, ENTRIES, Rejected

SHOWN_REJECTED: Final = 20

Tell = Callable[[str, int], None]
"""Hears how many lines of a file are done."""


@dataclass(slots=True)
class MonthTotal:
    """What the entries of one month and currency add up to, in minor units."""

    entries: int = 0
    credits_minor: int = 0
    debits_minor: int = 0


class BelowLimit(NamedTuple):
    """An account that the import took below its limit; minor units of its currency."""

    account_number: str
    currency: str
    limit_minor: int
    lowest_minor: int
    since: date


class Difference(NamedTuple):
    """A line where the file's balance moves otherwise than the book's; minor units."""

    line: int
    account_number: str
    currency: str
    booking_date: date
    file_moved_minor: int
    book_moved_minor: int


@dataclass
class FileCount:
    """The rows of one file. `repeated` rows stand in the same file more than once."""

    read: int = 0
    new: int = 0
    known: int = 0
    repeated: int = 0
    rejected: int = 0


@dataclass
class Report:
    """What an import found and did. Amounts are minor units of the currency beside them."""

    folder: str
    dry_run: bool
    strict: bool
    errors_path: Path | None = None
    files: dict[str, FileCount] = field(
        default_factory=lambda: {name: FileCount() for name in COLUMNS}
    )
    months: dict[tuple[int, int, str], MonthTotal] = field(default_factory=dict)
    """By year, month and currency."""
    below: list[BelowLimit] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    first_rejected: list[Rejected] = field(default_factory=list)
    written: bool = False

    @property
    def rejected(self) -> int:
        """Rows of all files that did not go in."""
        return sum(count.rejected for count in self.files.values())

    @property
    def new_entries(self) -> int:
        """Entries this import added; in a dry run, those it would add."""
        refused = self.strict and self.rejected > 0
        return 0 if refused else self.files[ENTRIES].new

    def figures(self) -> dict[str, int]:
        """The figures of the last line of output."""
        entries, accounts = self.files[ENTRIES], self.files["accounts.csv"]
        return {
            "entries": entries.new + entries.known,
            "accounts": accounts.new + accounts.known,
            "new": self.new_entries,
            "rejected": self.rejected,
            "balance_differences": len(self.differences),
        }

    def add_entry(self, day: date, currency: str, amount_minor: int) -> None:
        """Count one entry of the file towards its month."""
        key = (day.year, day.month, currency)
        total = self.months.get(key)
        if total is None:
            total = self.months[key] = MonthTotal()
        total.entries += 1
        if amount_minor > 0:
            total.credits_minor += amount_minor
        else:
            total.debits_minor += amount_minor

    def lines(self) -> Iterator[str]:
        """The report, line by line; the last line is the figures as JSON."""
        yield from self._rows()
        yield from self._totals()
        yield from self._below()
        yield from self._differences()
        yield self._outcome()
        yield json.dumps(self.figures())

    def _rows(self) -> Iterator[str]:
        yield f"Import of {self.folder}"
        yield f"{'file':<16}{'rows':>10}{'new':>10}{'known':>10}{'repeated':>10}{'rejected':>10}"
        for name, count in self.files.items():
            yield (
                f"{name:<16}{count.read:>10}{count.new:>10}{count.known:>10}"
                f"{count.repeated:>10}{count.rejected:>10}"
            )
        for row in self.first_rejected:
            yield f"rejected: {row.file} line {row.line}: {row.reason}"
        if self.rejected > len(self.first_rejected):
            yield f"... and {self.rejected - len(self.first_rejected)} more"
        if self.rejected and self.errors_path is not None:
            yield f"All rejected rows: {self.errors_path}"

    def _totals(self) -> Iterator[str]:
        yield "Totals per month and currency"
        yield f"{'month':<9}{'currency':<9}{'entries':>9}{'credits':>20}{'debits':>20}{'net':>20}"
        for (year, month, currency), total in sorted(self.months.items()):
            amounts = (
                total.credits_minor,
                total.debits_minor,
                total.credits_minor + total.debits_minor,
            )
            yield f"{year:04}-{month:02}  {currency:<9}{total.entries:>9}" + "".join(
                f"{to_decimal(amount, currency):>20,f}" for amount in amounts
            )

    def _below(self) -> Iterator[str]:
        yield f"Accounts that went below their limit: {len(self.below)}"
        for account in self.below:
            yield (
                f"account {account.account_number}: lowest "
                f"{_money(account.lowest_minor, account.currency)}, limit "
                f"{_money(account.limit_minor, account.currency)}, "
                f"first below on {account.since}"
            )

    def _differences(self) -> Iterator[str]:
        yield f"Lines where the balance moves otherwise than the book: {len(self.differences)}"
        for line in self.differences:
            gap = line.file_moved_minor - line.book_moved_minor
            yield (
                f"{ENTRIES} line {line.line}: account {line.account_number}, "
                f"{line.booking_date}: balance_after moves by "
                f"{_money(line.file_moved_minor, line.currency)}, the book by "
                f"{_money(line.book_moved_minor, line.currency)} "
                f"(difference {_money(gap, line.currency)})"
            )

    def _outcome(self) -> str:
        if self.dry_run:
            return "Dry run: everything was checked, nothing was written."
        if not self.written:
            return "Nothing was imported, because rows were rejected and --strict was given."
        return f"Imported: {self.new_entries} new entries."


class ErrorsFileRefused(BadInput):
    """The rejected rows cannot be written there. Name another file with --errors."""


class Rejections:
    """Counts rejected rows and writes them to errors.csv as they come.

    The file is opened, and what an earlier run left in it forgotten, before the first row is read;
    without a rejected row there is no file in the end. Raises ErrorsFileRefused.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._file: TextIO | None = None
        self._rows = 0
        self._made_folder = False

    def open(self, path: Path, inputs: Collection[Path]) -> None:
        """Write them there from now on; not over the inputs, nor over another file."""
        with _refusing(path):
            if any(path.exists() and path.samefile(given) for given in inputs):
                raise ErrorsFileRefused(
                    f"{path} is a file of this import. Name another file for the rejected rows.",
                    field="errors",
                )
            if _is_other_file(path):
                raise ErrorsFileRefused(
                    f"{path} is there already and holds something else. Name another file for the "
                    "rejected rows.",
                    field="errors",
                )
            self._made_folder = not path.parent.exists()
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("w", newline="", encoding="utf-8")
            self._writer = csv.writer(self._file)
            self._writer.writerow(Rejected._fields)
        self._report.errors_path = path

    def add(self, row: Rejected) -> None:
        """Keep one rejected row."""
        self._report.files[row.file].rejected += 1
        if len(self._report.first_rejected) < SHOWN_REJECTED:
            self._report.first_rejected.append(row)
        path = self._report.errors_path
        if self._file is None or path is None:
            return
        with _refusing(path):
            self._writer.writerow((row.file, row.line, safe_cell(row.reason)))
        self._rows += 1

    def close(self) -> None:
        """Finish errors.csv, or take it away where nothing was rejected."""
        path = self._report.errors_path
        if self._file is None or path is None:
            return
        with _refusing(path):
            self._file.close()
            if not self._rows and path.is_file():  # not a device
                path.unlink()
                if self._made_folder:
                    path.parent.rmdir()


def _is_other_file(path: Path) -> bool:
    """Whether a file stands there that is no list of rejected rows."""
    if not path.is_file() or path.stat().st_size == 0:
        return False
    header = ",".join(Rejected._fields).encode()
    with path.open("rb") as file:
        return file.read(len(header)) != header


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    """What the system says of the file, as a refusal that names it."""
    try:
        yield
    except OSError as wrong:
        said = f"{path}: {wrong.strerror or wrong}. Name another file for the rejected rows."
        raise ErrorsFileRefused(said, field="errors") from wrong


class Chains:
    """Follows, account by account, the balance the file claims and the balance of the book.

    The first line of an account compares with zero. A line without balance_after moves
    the book alone; the next line that has one is compared over all of them.
    """

    def __init__(self) -> None:
        self._claimed: dict[int, int] = defaultdict(int)
        self._moved: dict[int, int] = defaultdict(int)
        # One bit per entry of the book, set when its row was seen: ten million take 1.25 MB.
        self._passed = bytearray()

    def pass_by(self, entry_id: int) -> bool:
        """Whether this entry's row is the first of this file; remembers it."""
        place, bit = entry_id >> 3, 1 << (entry_id & 7)
        if place >= len(self._passed):
            self._passed.extend(bytes(place + 4096 - len(self._passed)))
        seen = self._passed[place]
        self._passed[place] = seen | bit
        return not seen & bit

    def follow(
        self, account_id: int, amount_minor: int, balance_minor: int | None
    ) -> tuple[int, int] | None:
        """Go on by one line; (file moved, book moved) where the two differ."""
        moved = self._moved[account_id] + amount_minor
        if balance_minor is None:
            self._moved[account_id] = moved
            return None
        claimed = balance_minor - self._claimed[account_id]
        self._claimed[account_id] = balance_minor
        self._moved[account_id] = 0
        return (claimed, moved) if claimed != moved else None


class Bar:
    """Hears how far an import is, and draws it. In the trail it is just a progress bar."""

    def __init__(self, lines: Mapping[str, int], progress: Progress) -> None:
        self._progress = progress
        self._tasks = {name: progress.add_task(name, total=total) for name, total in lines.items()}

    def __call__(self, name: str, done: int) -> None:
        self._progress.update(self._tasks[name], completed=done)

    def __repr__(self) -> str:
        return "progress bar"


@contextmanager
def progress_bar(lines: Mapping[str, int], file: TextIO) -> Iterator[Tell]:
    """A bar per file with counts, on `file` (stderr); plain lines where that is no terminal."""
    columns = (
        TextColumn("{task.description:<14}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(file=file)) as progress:
        yield Bar(lines, progress)


def _money(amount_minor: int, currency: str) -> str:
    return f"{to_decimal(amount_minor, currency):,f} {currency}"
