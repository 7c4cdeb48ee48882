"""The bank as a customer meets it: `python -m bank serve` in a process of its own."""

import itertools
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

import pytest

from tests.support.waiting import wait_until

ROOT: Final = Path(__file__).resolve().parents[2]
ARTIFACTS: Final = ROOT / "tests" / "artifacts"
"""Logs and screenshots of the last run; ignored by git."""

SERVE: Final = (sys.executable, "-m", "bank", "serve")
_starts: Final = itertools.count(1)


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def bank_environment(**settings: str) -> dict[str, str]:
    """The environment of a child process: ours, without this machine's BANK_ settings."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("BANK_", "STREAMLIT_", "PYTEST_"))
    }
    # Unbuffered, so that the log of a server killed with -9 holds its last words.
    return inherited | {"PYTHONUNBUFFERED": "1"} | settings


def run_bank(
    *arguments: str, env: Mapping[str, str] | None = None, timeout: float = 300
) -> subprocess.CompletedProcess[str]:
    """`python -m bank ...`, to its end, with its output; the caller looks at the return code."""
    return subprocess.run(
        [sys.executable, "-m", "bank", *arguments],
        cwd=ROOT,
        env=bank_environment(**(env or {})),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        stdin=subprocess.DEVNULL,
    )


class Server:
    """One process of the bank's server, on a free port of the loopback address."""

    def __init__(
        self,
        database_url: str,
        data_dir: Path,
        *,
        env: Mapping[str, str] | None = None,
        command: tuple[str, ...] = SERVE,
        name: str = "server",
    ) -> None:
        self.database_url = database_url
        self.data_dir = data_dir
        self.port = free_port()
        self.env = {
            "BANK_DATABASE_URL": database_url,
            "BANK_DATA_DIR": str(data_dir),
            "BANK_PORT": str(self.port),
            "BANK_SECRET": "a secret of the tests, 32 bytes or more",
        } | dict(env or {})
        self._command = command
        worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
        label = re.sub(r"[^\w.-]+", "_", name)[:80]
        self.log = ARTIFACTS / "server" / f"{label}-{worker}-{next(_starts)}.log"
        self.log.unlink(missing_ok=True)  # of an earlier run, whose words are not this one's
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address of the front door, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, timeout: float = 60) -> "Server":
        """Start and wait until `/healthz` answers 200. A stopped server starts on the same port."""
        if self.is_running():
            raise RuntimeError("the server runs already")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command,
                cwd=ROOT,
                env=bank_environment(**self.env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that kill9 reaches the server's own children too
            )
        try:
            wait_until(self._ready_or_dead, timeout, what=f"{self.url}/healthz to answer 200")
            if not self.is_running():
                raise RuntimeError(f"the server ended with {self.process.returncode}")
        except (TimeoutError, RuntimeError) as failure:
            self.kill9()
            raise RuntimeError(f"{failure}; its last words:\n{self.last_words()}") from failure
        return self

    def stop(self, timeout: float = 15) -> None:
        """Ask the server to end (SIGTERM) and wait for it; does nothing when it has ended."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill9()
            raise RuntimeError(
                f"the server did not end in {timeout:g} s:\n{self.last_words()}"
            ) from None

    def kill9(self) -> None:
        """End the server and its children at once, as a power cut does."""
        if self.process is None:
            return
        with suppress(ProcessLookupError):  # the whole group has ended already
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def is_running(self) -> bool:
        """Has been started and has not ended."""
        return self.process is not None and self.process.poll() is None

    def last_words(self, lines: int = 40) -> str:
        """The end of what the server wrote."""
        if not self.log.exists():
            return "(no log)"
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _ready_or_dead(self) -> bool:
        return not self.is_running() or status_of(f"{self.url}/healthz") == 200


def status_of(url: str, timeout: float = 5) -> int | None:
    """The HTTP status a GET answers, None where nobody listens yet."""
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        return refusal.code
    except (urllib.error.URLError, OSError):
        return None


@contextmanager
def serving(
    database_url: str,
    data_dir: Path,
    *,
    env: Mapping[str, str] | None = None,
    name: str = "server",
) -> Iterator[Server]:
    """A running server for the length of a with block or of a wider fixture."""
    server = Server(database_url, data_dir, env=env, name=name)
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def start_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start servers for one test: start_server(database_url, data_dir=..., env={...})."""
    with ExitStack() as stack:

        def start(
            database_url: str,
            data_dir: Path | None = None,
            *,
            env: Mapping[str, str] | None = None,
        ) -> Server:
            server = Server(database_url, data_dir or tmp_path, env=env, name=request.node.name)
            stack.callback(server.stop)
            return server.start()

        yield start
