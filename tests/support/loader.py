"""A counter that never rests: deposits from many threads, each told the moment it is acknowledged.

    python -m tests.support.loader ravi.staff series-1 16 NUMBER [NUMBER ...]

opens the bank of the BANK_ settings as the cashier and pays in, from 16 threads, until it is
killed. Right after the verb has returned, the deed's number and its entry's id go to stdout as one
line, in one write: who reads a line has an acknowledgement, as a customer has a receipt. The n-th
deed of a series is always the same, so that a test can ask for it again.
"""

import itertools
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from sqlalchemy import select

from bank import app
from bank.core.desk import Bank, Desk
from bank.core.ids import request_id_of
from bank.counters import cash
from bank.counters.receipts import Receipt
from bank.people.identity import User
from tests.support.server import ROOT, bank_environment

THREADS: Final = 16


@dataclass(frozen=True)
class Deed:
    """The n-th deposit of a series."""

    series: str
    n: int

    @property
    def request_id(self) -> str:
        """The same every time it is asked for."""
        return request_id_of("loader", self.series, str(self.n))

    @property
    def amount_minor(self) -> int:
        """A different amount for each deed of a series."""
        return 100_00 + self.n

    def do(self, desk: Desk, numbers: list[str]) -> Receipt:
        """Pay it in by the whole verb of the counter."""
        return cash.deposit(
            desk,
            numbers[self.n % len(numbers)],
            self.amount_minor,
            self.request_id[:13].upper(),
            request_id=self.request_id,
        )


def cashier_desk(bank: Bank, username: str) -> Desk:
    """The desk of an employee by user name."""
    with bank.db.read() as connection:
        columns = (User.id, User.name, User.role, User.branch_id)
        user = connection.execute(select(*columns).where(User.username == username)).one()
    return Desk(
        bank=bank,
        role=user.role,
        user_id=user.id,
        name=user.name,
        branch_id=user.branch_id,
        from_where="127.0.0.1",
    )


def load(desk: Desk, series: str, threads: int, numbers: list[str]) -> None:
    """Deposit without end, and acknowledge each on stdout."""
    deeds = itertools.count()

    def deposit_on() -> None:
        for n in deeds:
            receipt = Deed(series, n).do(desk, numbers)
            os.write(1, f"{n} {receipt.entry_id}\n".encode())

    workers = [threading.Thread(target=deposit_on) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


class Loader:
    """The loader in a process of its own, as the test sees it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self._process = process
        self._lines: IO[str] = process.stdout
        self.acknowledged: dict[int, int] = {}

    def wait_for(self, more: int) -> None:
        """Read so many more acknowledgements."""
        for _ in range(more):
            line = self._lines.readline()
            assert line, "the loader ended by itself"
            self._keep(line)

    def kill9(self) -> None:
        """End it at once, and read what it had acknowledged until then."""
        self._process.kill()
        for line in self._lines:
            self._keep(line)
        self._process.wait()

    def _keep(self, line: str) -> None:
        n, entry_id = line.split()
        self.acknowledged[int(n)] = int(entry_id)


@contextmanager
def loading(
    env: Mapping[str, str], cashier: str, series: str, numbers: list[str], errors: Path
) -> Iterator[Loader]:
    """A running loader; what it complains about goes to the file `errors`."""
    with errors.open("w") as complaints:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.loader", cashier, series, str(THREADS), *numbers],
            cwd=ROOT,
            env=bank_environment(**env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
        )
    loader = Loader(process)
    try:
        yield loader
    finally:
        loader.kill9()


if __name__ == "__main__":
    _cashier, _series, _threads, *_numbers = sys.argv[1:]
    load(cashier_desk(app.open_bank(), _cashier), _series, int(_threads), _numbers)
