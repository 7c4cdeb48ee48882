"""The four files of an import, as they lie in a folder: read, checked, never trusted.

A file with a wrong header is refused as a whole, before anything is written. A
wrong row is a Rejected (file, line, reason); the rows around it are read on.
"""

import csv
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from bank.core.errors import BadInput, NotFound

BRANCHES: Final = "branches.csv"
CUSTOMERS: Final = "customers.csv"
ACCOUNTS: Final = "accounts.csv"
ENTRIES: Final = "entries.csv"

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    BRANCHES: ("ifsc", "name", "address"),
    CUSTOMERS: (
        "customer_ref",
        "name",
        "date_of_birth",
        "pan",
        "email",
        "mobile",
        "branch_ifsc",
    ),
    ACCOUNTS: (
        "account_number",
        "customer_ref",
        "product",
        "currency",
        "opened_on",
        "overdraft_limit",
    ),
    ENTRIES: (
        "external_id",
        "account_number",
        "booking_date",
        "amount",
        "kind",
        "narration",
        "balance_after",
    ),
}

LONGEST_SHOWN: Final = 40


class NoSuchFolder(NotFound):
    """There is no folder of this name. Give the folder that holds the four files."""


class FileMissing(NotFound):
    """A file of the import is missing. Put it into the folder and import again."""


class WrongHeader(BadInput):
    """The first line of this file does not name the expected columns."""


class Rejected(NamedTuple):
    """A row that does not go in: where it stands and why."""

    file: str
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder whose four files are there and carry the right headers."""

    path: Path
    lines: Mapping[str, int]
    """Physical lines below the header of each file: what a progress bar counts towards."""

    @property
    def name(self) -> str:
        return self.path.name


def open_folder(path: Path) -> Folder:
    """Check that the four files are there and that their headers are exact."""
    if not path.is_dir():
        raise NoSuchFolder(f"There is no folder {path}. Give the folder that holds the four files.")
    for name in COLUMNS:
        if not (path / name).is_file():
            raise FileMissing(
                f"{name} is missing in {path}. Put it there, even if it holds only its header: "
                f"{','.join(COLUMNS[name])}"
            )
    lines = {}
    for name, columns in COLUMNS.items():
        _check_header(path / name, columns)
        lines[name] = _count_lines(path / name)
    return Folder(path.resolve(), lines)


def read_rows(path: Path) -> Iterator[tuple[int, list[str] | Rejected]]:
    """The cells of every row below the header, with the line the row begins in."""
    width = len(COLUMNS[path.name])
    with path.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
        lines = _Lines(file)
        reader = csv.reader(lines, strict=True)
        next(reader)
        while True:
            begins = lines.begin_row()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as wrong:
                yield begins, Rejected(path.name, begins, _csv_reason(wrong))
                lines.go_back_behind(begins)
                continue
            if len(cells) == width:
                yield begins, cells
            elif cells:  # an empty line is no row
                yield begins, Rejected(path.name, begins, _width_reason(len(cells), path.name))


def _check_header(path: Path, columns: tuple[str, ...]) -> None:
    way_out = f"The first line of {path.name} must read exactly: {','.join(columns)}"
    with path.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
        try:
            found = next(csv.reader(file, strict=True), None)
        except csv.Error:
            found = None
    if not found:
        raise WrongHeader(f"{path.name} has no header. {way_out}", field=path.name)
    missing = [name for name in columns if name not in found]
    unknown = [name for name in found if name not in columns]
    if missing or unknown:
        said = [f"lacks the column {name}" for name in missing]
        said += [f"has a column {shown(name)} that is not known" for name in unknown]
        raise WrongHeader(f"{path.name} {' and '.join(said)}. {way_out}", field=path.name)
    if tuple(found) != columns:
        raise WrongHeader(
            f"{path.name} has its columns twice or in another order. {way_out}", field=path.name
        )


def _count_lines(path: Path) -> int:
    with path.open("rb") as file:
        count, last = 0, b"\n"
        while block := file.read(1 << 20):
            count += block.count(b"\n")
            last = block[-1:]
    return max(count + (last != b"\n") - 1, 0)


class _Lines:
    """The lines of a file, so that a stray quotation mark costs one row and not all that follow."""

    def __init__(self, file: Iterable[str]) -> None:
        self._file = iter(file)
        self._again: deque[str] = deque()
        self._row: list[str] = []
        self._before_row = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._file)
        self._row.append(line)
        return line

    def begin_row(self) -> int:
        """A new row begins; returns the number of its first line."""
        self._before_row += len(self._row)
        self._row.clear()
        return self._before_row + 1

    def go_back_behind(self, line: int) -> None:
        """Read on after the line `line`, the first of the row, although the row took more."""
        kept = line - self._before_row
        self._again.extendleft(reversed(self._row[kept:]))
        del self._row[kept:]


def _csv_reason(wrong: csv.Error) -> str:
    said = str(wrong)
    if "end of data" in said or "expected after" in said or "field limit" in said:
        return (
            "a quotation mark is not closed, or stands inside a text; "
            "put the text in quotation marks and write each one in it twice"
        )
    return f"the row is not well-formed CSV ({said})"


def _width_reason(found: int, name: str) -> str:
    return (
        f"the row has {found} cells, the header has {len(COLUMNS[name])}; "
        "put a text that holds a comma in quotation marks"
    )


def shown(text: str) -> str:
    """A cell as a reason may quote it: short, printable, one line."""
    short = text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "..."
    return '"' + "".join(letter if letter.isprintable() else "?" for letter in short) + '"'
