"""The roots of the seals as they are published: a line for each seal in BANK_DATA_DIR/roots.txt.

The book keeps how far they were published, written after the file was safe on disk. So a file that
says less than that was cut (or the data directory is another one), while seals beyond it only wait
to be published. Publishing goes on in either case: what a file lacks, the check names from then on.
"""

import fcntl
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, Final

from sqlalchemy import Select, func, select, text

from bank.book.tables import PublishedRoots, Seal
from bank.core.desk import Desk, Tx, chunk, flow, looking, note
from bank.core.errors import WrongState
from bank.core.permissions import Permission

TAIL: Final = 4_096  # bytes at the end of the file that are read to find its last line
# A seal is published moments after it was made; one that still is not, after this, is named.
PUBLISHED_WITHIN: Final = timedelta(minutes=1)
_RECORD: Final = text(
    "INSERT INTO published_roots (id, upto) VALUES (1, :upto)"
    " ON CONFLICT (id) DO UPDATE SET upto = excluded.upto WHERE published_roots.upto < :upto"
)

log = logging.getLogger(__name__)


class RootsDiffer(WrongState):
    """Roots.txt says something else than the book, so it is left as it is. Run the check of the
    seals: it names the lines."""


def roots_file(desk: Desk) -> Path:
    """Where the roots are published: copy it somewhere the bank's own staff cannot write."""
    return desk.bank.settings.data_dir / "roots.txt"


def published_upto(tx: Tx) -> int:
    """The last seal whose root is known to be in the file; 0 before the first."""
    return tx.connection.scalar(select(PublishedRoots.upto)) or 0


def publish(desk: Desk) -> None:
    """Append the roots that were not published yet: of this seal, or of ones before a failure."""
    with looking(desk) as tx:
        if _newest(tx) <= published_upto(tx):
            return
    with _opened(desk) as file:
        last, was_torn = _end_of(file)
        with looking(desk) as tx:
            newest, recorded = _newest(tx), published_upto(tx)
            # Only the line that was being written when the power failed may be written again.
            is_whole = recorded - was_torn <= last <= newest
            rows = _rows(tx, after=last if is_whole else recorded)
        if not is_whole:
            log.error(
                "%s ends with seal %d, and seal %d was published: somebody cut or changed it, or "
                "the data directory is a new one. Compare it with the copy kept elsewhere.",
                roots_file(desk), last, recorded,
            )  # fmt: skip
        _write(file, rows)
        with note(desk) as tx:
            tx.connection.execute(_RECORD, {"upto": newest})


@flow(Permission.BOOK_SEAL)
def publish_again(desk: Desk) -> int:
    """Write all roots anew, for a data directory that lost them; the trail keeps that it was done.

    Answers how many. Raises RootsDiffer where a line of the file is not what the book says.
    """
    with _opened(desk) as file:
        with looking(desk) as tx:
            rows = _rows(tx, after=0)
        before = _lines(file)
        if not set(before) <= {_line(row) for row in rows}:
            raise RootsDiffer
        facts: dict[str, object] = {"lines_before": len(before), "lines": len(rows)}
        with chunk(desk, "book.roots.publish_again", facts):
            file.truncate(0)
            _write(file, rows)
        with note(desk) as tx:
            tx.connection.execute(_RECORD, {"upto": rows[-1].id if rows else 0})
    return len(rows)


def faults(desk: Desk, seals: Sequence[Any], recorded: int, now: datetime) -> list[str]:
    """What is wrong with the file, for these seals of a moment ago, `recorded` of them published.

    Sealing may go on beside it: what is published by now and was no seal then is asked for again.
    """
    name = roots_file(desk).name
    lines = _published(desk)
    known = {row.id: row for row in seals}
    newest = seals[-1].id if seals else 0
    if any(number > newest for number, _ in lines if number is not None):
        with looking(desk) as tx:
            known |= {row.id: row for row in _rows(tx, after=newest)}
    found = []
    seen: set[int] = set()
    for place, (number, line) in enumerate(lines, 1):
        if number is None:
            found.append(f"line {place} of {name} is no root")
        elif number in seen:
            found.append(f"published root {number} stands twice")
        elif number not in known:
            found.append(f"seal {number} was published and is missing from the book")
        elif line != _line(known[number]):
            found.append(f"published root {number} differs from seal {number}")
        seen.add(number or 0)
    late = now - PUBLISHED_WITHIN
    missing = [
        row.id for row in seals
        if row.id not in seen and (row.id <= recorded or row.sealed_at < late)
    ]  # fmt: skip
    return found + [f"{which} missing from {name}" for which in _in_words(missing)]


def _in_words(numbers: Sequence[int]) -> Iterator[str]:
    """Ascending numbers as `seal 2 is`, `seals 4 to 900 are`."""
    start = 0
    for at, number in enumerate(numbers):
        if at + 1 == len(numbers) or numbers[at + 1] != number + 1:
            first, start = numbers[start], at + 1
            yield f"seal {number} is" if first == number else f"seals {first} to {number} are"


def seal_rows() -> Select[*tuple[Any, ...]]:
    """What the checks want to know of every seal, in their order."""
    wanted: Select[*tuple[Any, ...]] = select(
        Seal.id, Seal.upto, Seal.entries, Seal.root, Seal.previous, Seal.chain, Seal.sealed_at
    ).order_by(Seal.id)
    return wanted


def _rows(tx: Tx, *, after: int) -> Sequence[Any]:
    return tx.connection.execute(seal_rows().where(Seal.id > after)).all()


def _newest(tx: Tx) -> int:
    return tx.connection.scalar(select(func.max(Seal.id))) or 0


def _line(row: Any) -> str:
    return f"{row.id} {row.upto} {row.entries} {row.root} {row.chain}"


def _number_of(line: str) -> int | None:
    first = line.partition(" ")[0]
    return int(first) if first.isascii() and first.isdigit() and len(first) < 19 else None


@contextmanager
def _opened(desk: Desk) -> Iterator[BinaryIO]:
    """The file, for one writer at a time."""
    with roots_file(desk).open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def _end_of(file: BinaryIO) -> tuple[int, bool]:
    """The seal of the last line, and whether a line behind it was torn; that one is cut off."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - TAIL))
    whole, _, torn = file.read().rpartition(b"\n")
    if torn:  # the power failed in the middle of a line
        file.truncate(size - len(torn))
    last = whole.rpartition(b"\n")[2].decode("ascii", "replace")
    return _number_of(last) or 0, bool(torn)


def _write(file: BinaryIO, rows: Sequence[Any]) -> None:
    file.write("".join(f"{_line(row)}\n" for row in rows).encode("ascii"))
    file.flush()
    os.fsync(file.fileno())


def _lines(file: BinaryIO) -> list[str]:
    file.seek(0)
    return file.read().decode("ascii", "replace").splitlines()


def _published(desk: Desk) -> list[tuple[int | None, str]]:
    """The lines of the file with their numbers, while nobody writes."""
    try:
        with roots_file(desk).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            return [(_number_of(line), line) for line in _lines(file)]
    except FileNotFoundError:
        return []
