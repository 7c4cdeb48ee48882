"""The server helper waits for the bank, keeps its last words, and can end it in two ways."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.server import Server, bank_environment, status_of
from tests.support.waiting import wait_until

HEALTHY = """
import http.server, os, signal, subprocess, sys
class Bank(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/healthz" else 404)
        self.end_headers()
child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
print("child", child.pid)
def end(*_):
    child.terminate()
    print("closing the books")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
http.server.HTTPServer(("127.0.0.1", int(os.environ["BANK_PORT"])), Bank).serve_forever()
"""
BROKEN = "raise SystemExit('the database is not there')"
STUBBORN = HEALTHY.replace("sys.exit(0)", "return")


def server_of(script: str, folder: Path) -> Server:
    command = (sys.executable, "-c", script)
    return Server("sqlite://", folder, command=command, name="self test")


@pytest.fixture
def healthy(tmp_path: Path) -> Iterator[Server]:
    server = server_of(HEALTHY, tmp_path).start()
    yield server
    server.kill9()


def child_of(server: Server) -> int:
    [line] = [line for line in server.last_words().splitlines() if line.startswith("child")]
    return int(line.split()[1])


def is_alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def test_ready_means_healthz_answers(healthy: Server) -> None:
    assert status_of(f"{healthy.url}/healthz") == 200
    assert status_of(f"{healthy.url}/elsewhere") == 404


def test_it_ends_when_asked(healthy: Server) -> None:
    healthy.stop()
    assert not healthy.is_running()
    assert "closing the books" in healthy.last_words()
    assert status_of(f"{healthy.url}/healthz") is None
    healthy.stop()  # once more does no harm


def test_kill9_ends_its_children_too_and_it_starts_again(healthy: Server) -> None:
    child = child_of(healthy)
    assert is_alive(child)
    healthy.kill9()
    assert "closing the books" not in healthy.last_words()
    wait_until(lambda: not is_alive(child), what="the child to end")
    healthy.start()
    assert status_of(f"{healthy.url}/healthz") == 200


def test_a_server_that_ends_says_why(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="the database is not there"):
        server_of(BROKEN, tmp_path).start()


def test_a_server_that_never_gets_ready_is_ended(tmp_path: Path) -> None:
    server = server_of("import signal; print('thinking'); signal.pause()", tmp_path)
    with pytest.raises(RuntimeError, match=r"(?s)healthz to answer 200.*thinking"):
        server.start(timeout=1)
    assert not server.is_running()


def test_a_server_that_does_not_want_to_end_is_reported(tmp_path: Path) -> None:
    server = server_of(STUBBORN, tmp_path).start()
    with pytest.raises(RuntimeError, match="did not end"):
        server.stop(timeout=0.5)
    assert not server.is_running()


def test_this_machines_settings_do_not_reach_the_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BANK_DATABASE_URL", "postgresql://the-real-bank")
    given = bank_environment(BANK_PORT="1234")
    assert given["BANK_PORT"] == "1234"
    assert "BANK_DATABASE_URL" not in given
    assert given["PATH"] == os.environ["PATH"]


def test_waiting_ends(tmp_path: Path) -> None:
    with pytest.raises(TimeoutError, match="the paint to dry"):
        wait_until(lambda: False, 0.02, every=0.01, what="the paint to dry")
    assert wait_until(lambda: "dry", 0) == "dry"
