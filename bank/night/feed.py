"""What changed in the bank since somebody last looked, as Arrow tables.

The reading itself happens in a process of its own (`reader.py` says why). This is
the end of the pipe that the bank's process holds: it starts the reader, asks, and hands over
what comes. A reader that fails is ended, and the next question starts a new one.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from sqlalchemy import URL

from bank.core.config import PROJECT
from bank.core.errors import WrongState

ROWS_AT_ONCE: Final = 500_000
GIVE_UP_SECONDS: Final = 600.0  # a first reading of 100 million postings takes about 60


class FeedBroken(WrongState):
    """The figures cannot be read from the bank just now. Try again in a minute."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """How far a copy of the bank has come: an entry id (SQLite) or a snapshot (PostgreSQL), and
    [count, newest id] of each small table."""

    upto: str | None = None
    sizes: dict[str, list[int]] = field(default_factory=dict)


Take = Callable[[str, Iterator[pa.Table]], None]
"""Gets a table's name and its rows, in pieces of at most about ROWS_AT_ONCE; no piece is empty."""


class Feed:
    """Reads one bank's database. One question at a time: the owner holds a lock."""

    def __init__(self, url: URL) -> None:
        self._place: Final = {"dialect": url.get_backend_name(), "place": _place(url)}
        self._reader: subprocess.Popen[bytes] | None = None

    def read(self, mark: Mark, take: Take, *, small: bool = False) -> Mark:
        """Hand over what changed since `mark`, and every small table again if `small`.

        All of it is from one instant of the bank; the mark of that instant is returned. Raises
        FeedBroken when the reading fails, also half-way: then nothing of it may be kept.
        """
        reader = self._running()
        watchdog = threading.Timer(GIVE_UP_SECONDS, reader.kill)
        watchdog.daemon = True
        watchdog.start()
        whole = False
        try:
            question = {"mark": mark.upto, "sizes": mark.sizes, "small": small}
            _tell(reader, question)
            header = _header(reader)
            for name in header["tables"]:
                stream = pa.ipc.open_stream(reader.stdout)
                take(name, _pieces(stream))
            whole = True
        except (OSError, ValueError) as broken:  # pyarrow's own errors are ValueErrors
            raise FeedBroken from broken
        finally:
            watchdog.cancel()
            if not whole:
                self.close()
        return Mark(upto=header["mark"], sizes=header["sizes"])

    def close(self) -> None:
        """End the reader, if one is running."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.kill()
            reader.wait()
            for pipe in (reader.stdin, reader.stdout):
                if pipe is not None:
                    _close_quietly(pipe)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._reader is not None and self._reader.poll() is not None:
            self.close()
        if self._reader is None:
            self._reader = subprocess.Popen(
                [sys.executable, "-m", "bank.night.reader"],
                cwd=PROJECT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is for the bank; the reader ends with its pipe
            )
            try:  # through the pipe, for a command line can be read by everyone on the machine
                _tell(self._reader, self._place)
            except OSError as broken:
                self.close()
                raise FeedBroken from broken
        return self._reader


def _place(url: URL) -> str:
    if url.get_backend_name() == "sqlite":
        return str(Path(url.database or "").resolve())  # the reader runs in another folder
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _tell(reader: subprocess.Popen[bytes], message: dict[str, Any]) -> None:
    assert reader.stdin is not None
    reader.stdin.write(json.dumps(message).encode() + b"\n")
    reader.stdin.flush()


def _header(reader: subprocess.Popen[bytes]) -> dict[str, Any]:
    assert reader.stdout is not None
    line = reader.stdout.readline()
    if not line.endswith(b"\n"):
        raise OSError(f"the reader ended with status {reader.poll()}")
    header: dict[str, Any] = json.loads(line)
    return header


def _pieces(stream: pa.RecordBatchReader) -> Iterator[pa.Table]:
    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in stream:
        if batch.num_rows:
            held.append(batch)
            rows += batch.num_rows
        if rows >= ROWS_AT_ONCE:
            yield pa.Table.from_batches(held)
            held, rows = [], 0
    if held:
        yield pa.Table.from_batches(held)


def _close_quietly(pipe: Any) -> None:
    try:
        pipe.close()
    except BrokenPipeError:  # what was still to be said to a reader that is gone
        return
