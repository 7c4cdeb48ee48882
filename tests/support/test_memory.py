"""Tests move into memory only where there is room, and clear up after runs that have ended."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.support import memory


@pytest.fixture
def nothing_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in memory.CHOSEN:
        monkeypatch.setenv(name, "")
    monkeypatch.setattr(tempfile, "tempdir", tempfile.gettempdir())


@pytest.mark.usefixtures("nothing_chosen")
def test_temporary_files_go_where_there_is_room(tmp_path: Path) -> None:
    run = memory.move_in(tmp_path, room=1)
    assert run is not None
    assert run.parent.parent == tmp_path
    assert Path(tempfile.gettempdir()) == run.parent
    assert os.environ["PYTEST_DEBUG_TEMPROOT"] == str(run)
    assert memory.move_in(tmp_path, room=1) is None  # a worker stays where its controller is


@pytest.mark.usefixtures("nothing_chosen")
def test_nothing_changes_where_room_is_short(tmp_path: Path) -> None:
    before = tempfile.gettempdir()
    assert memory.move_in(tmp_path, room=2**80) is None
    assert memory.move_in(tmp_path / "missing", room=1) is None
    assert tempfile.gettempdir() == before


def test_only_runs_that_have_ended_are_swept(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for pid in (ended.pid, os.getpid()):
        (tmp_path / f"{memory.RUNS}{pid}" / "bank").mkdir(parents=True)
    memory.sweep(tmp_path)
    assert [left.name for left in tmp_path.iterdir()] == [f"{memory.RUNS}{os.getpid()}"]
