"""Publishing the roots never stops in silence, and a file that was cut is told from a late one."""

import logging
import os
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from bank import app
from bank.book import roots, seals
from bank.core.desk import Desk, chunk
from tests.bank.test_seals import book_alone, lines_of, number, seal_all, sealed, system
from tests.support.bank import NOON, move_clock, open_at, staff
from tests.support.server import run_bank
from tests.support.soak import times
from tests.support.waiting import wait_until

__all__ = ["sealed", "system"]


def make_seals(desk: Desk, count: int) -> None:
    """So many seals, each published."""
    before = number(desk, "SELECT COUNT(*) FROM seals")
    while number(desk, "SELECT COUNT(*) FROM seals") < before + count:
        book_alone(desk)
        seal_all(desk)


def seal_unpublished(desk: Desk) -> None:
    """A seal and then a crash."""
    book_alone(desk)
    wait_until(lambda: seals._seal_once(desk) == 0 and number(desk, LEFT) == 0)


LEFT = "SELECT COUNT(*) FROM entries WHERE id NOT IN (SELECT entry_id FROM seal_leaves)"
UPTO = "SELECT upto FROM published_roots"
SEALS = "SELECT COUNT(*) FROM seals"


@pytest.mark.soak
@pytest.mark.feature("A9.4", "B40")
def test_a_check_beside_a_sealer_raises_no_false_alarm(sealed: Desk) -> None:
    done = threading.Event()

    def seal_on() -> None:
        while not done.is_set():
            book_alone(sealed)
            seals.seal(sealed)

    def checked_beside_many() -> bool:
        assert check(sealed) == []
        return number(sealed, SEALS) > times(normal=15, soak=300)

    sealer = threading.Thread(target=seal_on)
    sealer.start()
    try:
        wait_until(checked_beside_many, 300, every=0, what="many seals beside the checks")
    finally:
        done.set()
        sealer.join(60)


def check(desk: Desk) -> list[str]:
    """What the check of the seals says."""
    return seals.check_seals(desk)


@pytest.mark.feature("A9.4", "B40")
def test_what_is_sealed_and_published_during_the_check_is_compared_too(
    sealed: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = roots.faults

    def later(*given: Any) -> list[str]:
        make_seals(sealed, 2)
        if altered:
            path = roots.roots_file(sealed)
            path.write_text(path.read_text().replace("\n3 ", "\n3 0"))
        return real(*given)

    monkeypatch.setattr(roots, "faults", later)
    altered = False
    assert check(sealed) == []
    make_seals(sealed, 0)
    altered = True
    assert check(sealed) == ["published root 3 differs from seal 3"]


@pytest.mark.feature("A13.1", "B40")
def test_sealing_goes_on_after_the_database_and_the_disk_failed(
    sealed: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failures: list[Exception] = [
        DBAPIError("SELECT", {}, Exception("the server restarts")),
        psycopg.OperationalError("the connection is closed"),
        OSError(28, "No space left on device"),
    ]
    real = seals._seal_once

    def once(desk: Desk) -> int:
        if failures:
            raise failures.pop()
        return real(desk)

    monkeypatch.setattr(seals, "SEAL_EVERY_SECONDS", 0.01)
    monkeypatch.setattr(seals, "_seal_once", once)
    book_alone(sealed)
    stop = threading.Event()
    sealer = threading.Thread(target=seals.seal_forever, args=(sealed, stop))
    sealer.start()
    try:
        wait_until(lambda: number(sealed, LEFT) == 0, what="a seal after three failures")
    finally:
        stop.set()
        sealer.join(30)
    assert [record.message for record in caplog.records if record.name == seals.__name__] == [
        "Sealing failed; it is tried again in 0.01 seconds."
    ] * 3


@pytest.mark.feature("A13.1", "B40")
def test_the_sealer_survives_a_restart_of_the_server(
    postgres_bank: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = app.system_desk(staff(postgres_bank))
    with chunk(desk, "tests.arrange") as tx:
        from bank.book import ledger

        ledger.open_balance(tx, gl_code="2000", branch_id=1, currency="INR")
    monkeypatch.setattr(seals, "SEAL_EVERY_SECONDS", 0.01)
    stop = threading.Event()
    sealer = threading.Thread(target=seals.seal_forever, args=(desk, stop))
    sealer.start()
    try:
        book_alone(desk)
        wait_until(lambda: number(desk, LEFT) == 0, what="a seal")
        url = postgres_bank.db.url.set(drivername="postgresql")
        with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as admin:
            # Each is gone before the statement ends: none dies later, under the hands of its user.
            admin.execute(
                "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        book_alone(desk)
        wait_until(lambda: number(desk, LEFT) == 0, what="a seal after the restart")
        assert sealer.is_alive()
    finally:
        stop.set()
        sealer.join(30)


@pytest.mark.feature("A13.3", "B40")
def test_many_seals_that_could_not_be_published_are_published_later(
    sealed: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(roots, "_write", full)
        for _ in range(4):
            seal_unpublished(sealed)
            with pytest.raises(OSError, match="No space"):
                seals.seal(sealed)
        assert len(lines_of(sealed)) == 1
        assert check(sealed) == []
        move_clock(sealed.bank, NOON + timedelta(minutes=2))
        assert check(sealed) == [f"seals 2 to {number(sealed, SEALS)} are missing from roots.txt"]
    seals.seal(sealed)
    assert len(lines_of(sealed)) == number(sealed, SEALS) == number(sealed, UPTO) >= 5
    assert check(sealed) == []


@pytest.mark.feature("A13.3", "B40")
def test_a_line_torn_by_a_power_cut_is_written_again(sealed: Desk) -> None:
    path = roots.roots_file(sealed)
    seal_unpublished(sealed)
    with path.open("a") as file:
        file.write("2 53")
    seals.seal(sealed)
    assert [line.split()[0] for line in lines_of(sealed)] == ["1", "2"]
    assert check(sealed) == []
    path.write_text(path.read_text()[:-20])  # also one that the disk had promised to keep
    make_seals(sealed, 1)
    assert [line.split()[0] for line in lines_of(sealed)] == ["1", "2", "3"]
    assert check(sealed) == []


@pytest.mark.feature("A9.4", "B40")
@pytest.mark.parametrize("kept", [0, 1, 3])
def test_a_file_that_was_cut_is_not_mended_in_silence_and_publishing_goes_on(
    sealed: Desk, kept: int, caplog: pytest.LogCaptureFixture
) -> None:
    make_seals(sealed, 4)
    path = roots.roots_file(sealed)
    whole = path.read_text().splitlines(keepends=True)
    path.write_text("".join(whole[:kept]))
    missing = f"seals {kept + 1} to 5 are missing from roots.txt"
    assert check(sealed) == [missing]
    make_seals(sealed, 2)
    [said] = [record for record in caplog.records if record.name == roots.__name__]
    assert said.levelno == logging.ERROR
    assert f"ends with seal {kept}, and seal 5 was published" in said.message
    assert [line.split()[0] for line in lines_of(sealed)[kept:]] == ["6", "7"]
    assert check(sealed) == [missing]
    path.write_text("".join(whole) + "".join(path.read_text().splitlines(keepends=True)[kept:]))
    assert check(sealed) == []  # the copy is put back


@pytest.mark.feature("A9.4", "B40")
def test_a_number_too_high_does_not_stop_the_publishing(sealed: Desk) -> None:
    path = roots.roots_file(sealed)
    forged = lines_of(sealed)[0].replace("1 ", "999999 ", 1)
    with path.open("a") as file:
        file.write(f"{forged}\n")
    make_seals(sealed, 1)
    assert [line.split()[0] for line in lines_of(sealed)] == ["1", "999999", "2"]
    assert check(sealed) == ["seal 999999 was published and is missing from the book"]


@pytest.mark.feature("B40")
def test_a_new_data_directory_has_a_way_out(sealed: Desk, tmp_path: Path) -> None:
    make_seals(sealed, 2)
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    url = sealed.bank.settings.resolved_url()
    other = open_at(folder, url, sealed.bank.clock)
    try:
        moved = app.system_desk(other)
        make_seals(moved, 1)
        assert len(lines_of(moved)) == 1
        assert check(moved) == ["seals 1 to 3 are missing from roots.txt"]
        env = {
            "BANK_DATABASE_URL": url,
            "BANK_DATA_DIR": str(folder),
            "BANK_SECRET": sealed.bank.settings.secret.get_secret_value(),
        }
        done = run_bank("publish-roots", env=env)
        assert (done.returncode, done.stdout.split()[0]) == (0, "4"), done.stderr
        assert check(moved) == []
        kept = "SELECT COUNT(*) FROM trail WHERE verb = 'book.roots.publish_again'"
        assert number(moved, kept) == 1
        path = roots.roots_file(moved)
        path.write_text(path.read_text().replace("2 ", "2 9", 1))
        before = path.read_text()
        with pytest.raises(roots.RootsDiffer):
            roots.publish_again(moved)
        assert path.read_text() == before
    finally:
        other.db.close()


@pytest.mark.feature("A13.3", "B40")
def test_roots_are_safe_on_disk_before_the_book_says_so(
    sealed: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    upto: list[int] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        assert os.path.samestat(os.fstat(handle), roots.roots_file(sealed).stat())
        upto.append(number(sealed, UPTO))
        assert len(lines_of(sealed)) == upto[-1] + 1  # written, and not recorded yet
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    make_seals(sealed, 2)
    assert upto == [1, 2]
    assert number(sealed, UPTO) == 3


@pytest.mark.feature("B40")
def test_publishing_reads_only_the_end_of_the_file_and_only_when_there_is_something(
    sealed: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = roots.roots_file(sealed)
    with path.open("ab") as file:
        file.write(lines_of(sealed)[0].encode() + b"\n")
    real, opened = roots._end_of, []

    def end_of(file: Any) -> tuple[int, bool]:
        opened.append(1)
        return real(file)

    monkeypatch.setattr(roots, "_end_of", end_of)
    assert seals.seal(sealed) == 0
    assert opened == []
    path.write_bytes(b"x" * 5_000_000 + b"\n" + path.read_bytes())
    with path.open("rb") as file:
        assert roots._end_of(_Counting(file)) == (1, False)  # type: ignore[arg-type]


class _Counting:
    """A file that may be read at its end only."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def read(self) -> bytes:
        """What is left."""
        data: bytes = self._file.read()
        assert len(data) <= roots.TAIL
        return data


@pytest.mark.feature("A9.4")
def test_how_far_was_published_only_grows(sealed: Desk) -> None:
    make_seals(sealed, 1)
    for statement in (
        "UPDATE published_roots SET upto = 1",
        "DELETE FROM published_roots",
        "UPDATE published_roots SET id = 2",
    ):
        with pytest.raises(DBAPIError, match=r"stays published|one_row"):
            with sealed.bank.db.write() as connection:
                connection.exec_driver_sql(statement)
    if sealed.bank.db.dialect == "sqlite":
        with pytest.raises(DBAPIError, match="stays published"):
            with sealed.bank.db.write() as connection:
                connection.exec_driver_sql("INSERT OR REPLACE INTO published_roots VALUES (1, 1)")
    assert number(sealed, UPTO) == 2
