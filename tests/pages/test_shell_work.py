"""Beside the pages: work in threads, the collector's freeze, health, owned files, apologies."""

import asyncio
import gc
import threading
from pathlib import Path

import pytest
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import Message, Scope
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.media_file_storage import MediaFileKind

from bank import gate, web
from bank.core.desk import Bank
from tests.support.waiting import wait_until


@pytest.mark.feature("A13.3")
def test_work_goes_on_until_it_is_ended(sqlite_bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    started, ended = threading.Event(), threading.Event()

    def patient(_bank: Bank, stop: threading.Event) -> None:
        started.set()
        stop.wait(30)
        ended.set()

    monkeypatch.setattr(web, "background", lambda: {"patient": patient})
    work = web.Work(sqlite_bank)
    work.start()
    assert started.wait(10)
    assert work.dead() == []
    work.end()
    assert ended.is_set()
    assert work.dead() == [], "what was asked to end is not dead"


@pytest.mark.feature("A13.3")
def test_work_that_ends_by_itself_is_noticed(
    sqlite_bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "background", lambda: {"short": lambda _bank, _stop: None})
    work = web.Work(sqlite_bank)
    work.start()
    assert wait_until(work.dead, what="the thread to end") == ["short"]
    work.end()


def test_every_kind_of_work_is_there(sqlite_bank: Bank) -> None:
    assert set(web.background()) == {"approvals", "memory", "outbox", "reports", "seals", "work"}


@pytest.mark.feature("A13.3")
def test_a_database_that_does_not_answer_is_named(
    sqlite_bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert web._failing_database(sqlite_bank) == []

    def broken() -> object:
        raise SQLAlchemyError("no such host")

    monkeypatch.setattr(sqlite_bank.db, "read", broken)
    assert web._failing_database(sqlite_bank) == ["database"]


def test_what_lives_long_is_frozen_and_thawed_at_the_end(
    sqlite_bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "FREEZE_EVERY_SECONDS", 0.5)
    stop = threading.Event()
    thread = threading.Thread(target=web.keep_frozen, args=(sqlite_bank, stop))
    thread.start()
    try:
        assert wait_until(lambda: gc.get_freeze_count() > 10_000, what="a freeze")
    finally:
        stop.set()
        thread.join(10)
    assert gc.get_freeze_count() == 0


# Files


@pytest.mark.feature("A1.14")
def test_the_same_content_is_two_files_for_two_owners(tmp_path: Path) -> None:
    files = web.OwnedFiles()
    path = tmp_path / "paper.txt"
    path.write_bytes(b"figures")
    with files.asked_by("asha"):
        asha = files.load_and_get_id(b"figures", "text/plain", MediaFileKind.DOWNLOADABLE, "a.txt")
        again = files.load_and_get_id(str(path), "text/plain", MediaFileKind.DOWNLOADABLE, "a.txt")
    with files.asked_by("ravi"):
        ravi = files.load_and_get_id(b"figures", "text/plain", MediaFileKind.DOWNLOADABLE, "a.txt")
    nobody = files.load_and_get_id(b"figures", "text/plain", MediaFileKind.MEDIA)
    assert asha == again != ravi
    assert files.get_file(f"{asha}.txt").content == b"figures"
    assert files.get_url(asha) == f"/media/{asha}.txt"
    assert files.is_for("asha", f"{asha}.txt")
    assert not files.is_for("ravi", f"{asha}.txt")
    assert not files.is_for("", nobody)
    files.delete_file(asha)
    assert not files.is_for("asha", f"{asha}.txt")


@pytest.mark.feature("A1.14")
def test_large_files_that_differ_in_the_middle_are_two() -> None:
    files = web.OwnedFiles()
    with files.asked_by("asha"):
        one, other = (
            files.load_and_get_id(
                bytes(900_000) + middle + bytes(900_000), "x/y", MediaFileKind.DOWNLOADABLE
            )
            for middle in (b"a" * 100, b"b" * 100)
        )
    assert one != other


def test_a_file_made_outside_of_any_session_is_nobodys() -> None:
    files = web.OwnedFiles()
    media = web.OwnedMedia(files)
    address = media.add(b"data", "text/plain", "1.2")
    name = address.removeprefix("/media/")
    assert files.get_file(name).content == b"data"
    assert not files.is_for("", name)


# Streamlit's own parts that the shell leans on


def test_the_parts_of_streamlit_the_shell_leans_on_are_still_there(tmp_path: Path) -> None:
    message = ForwardMsg()
    message.auth_redirect.url = "/auth/open?ticket=x"
    assert message.WhichOneof("type") == "auth_redirect"

    page = tmp_path / "index.html"
    page.write_text("<script>1</script><script type='module' src='x.js'></script>")
    assert "script-src 'self' 'wasm-unsafe-eval' 'sha256-" in str(gate.headers(page.read_text()))
    assert gate.headers(page.read_text()) != gate.headers("<script>2</script>")


def test_the_gate_lets_the_lifespan_through(sqlite_bank: Bank, tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    page.touch()
    seen: list[str] = []

    async def inner(scope: Scope, _receive: object, _send: object) -> None:
        seen.append(scope["type"])

    async def receive() -> Message:
        return {"type": "lifespan.startup"}

    async def send(_message: Message) -> None:
        raise AssertionError("nothing to say")

    keeper = gate.Gate(inner, sqlite_bank, web.OwnedFiles(), page)
    asyncio.run(keeper({"type": "lifespan"}, receive, send))
    assert seen == ["lifespan"]
