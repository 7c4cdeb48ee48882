"""Where tests keep their files: in memory, where the machine has enough of it.

Thousands of tests copy a bank each, and what they test is the bank, not the disk: on a disk they
wait for most of their time. Benchmarks do not come here; they measure with the disk.
"""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

import psutil
import pytest

ROOM: Final = 6 * 2**30  # bytes that a run may need: banks, PostgreSQL's data, browsers' profiles
SHARED: Final = Path("/dev/shm")
OWN: Final = f"bank-tests-{os.getuid()}"
RUNS: Final = "run-"
CHOSEN: Final = ("TMPDIR", "PYTEST_DEBUG_TEMPROOT")


def move_in(shared: Path = SHARED, room: int = ROOM) -> Path | None:
    """Let this process and its children keep temporary files in memory; the folder of this run.

    None, and nothing is changed, where somebody has chosen a folder or memory is short.
    """
    if any(os.environ.get(name) for name in CHOSEN) or not shared.is_dir():
        return None
    folder = shared / OWN
    folder.mkdir(mode=0o700, exist_ok=True)
    sweep(folder)
    free = min(shutil.disk_usage(shared).free, psutil.virtual_memory().available)
    if free < room:
        return None
    run = folder / f"{RUNS}{os.getpid()}"
    run.mkdir(mode=0o700)
    os.environ["TMPDIR"], os.environ["PYTEST_DEBUG_TEMPROOT"] = str(folder), str(run)
    tempfile.tempdir = None  # asked for again
    return run


def sweep(folder: Path) -> None:
    """Delete what runs left that have ended: those that failed, or were killed."""
    for left in folder.glob(f"{RUNS}*"):
        if not psutil.pid_exists(int(left.name.removeprefix(RUNS))):
            shutil.rmtree(left, ignore_errors=True)


_run: Path | None = move_in()  # before pytest asks for a temporary folder; workers inherit it


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """What the tests of a good run left is of no interest; that of a bad one stays until the
    next."""
    if _run is not None and exitstatus == 0:
        shutil.rmtree(_run, ignore_errors=True)
