"""How long a rerun of the auditor's journal takes, against the same page under stock Streamlit.

Two servers on the same database: `python -m bank serve`, and `streamlit run tests/bench/stock.py`,
which draws the same page through the same front door. A client of the browser's own protocol opens
the page and asks for reruns, in rounds that alternate; a rerun is over when the server says so.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

import pyarrow as pa
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

from bank import app
from bank.book import ledger
from bank.core import cookies
from bank.core.clock import SystemClock
from bank.core.desk import Tx, chunk
from bank.core.ids import new_request_id
from bank.core.permissions import Role
from bank.people import identity, sessions
from tests.bench.command import a_bank
from tests.bench.harness import Pair, Workshop, bench
from tests.support.bank import SECRET  # the key that a_bank was made with
from tests.support.server import ROOT, SERVE, Server

PAGE: Final = "auditor-journal"
ENTRIES: Final = 3_000
RERUNS: Final = 20
ROWS: Final = 50


class Window:
    """One browser window on a page with one table, as far as the server can tell."""

    def __init__(
        self,
        url: str,
        cookie: str,
        page: str = PAGE,
        *,
        query: str = "",
        rows: tuple[int, ...] = (ROWS,),
    ) -> None:
        """`query` stands behind the page's address; `rows` is how many each table must have."""
        self.page, self.query, self.wanted = page, query, [*rows]
        self.socket: ClientConnection = connect(
            f"{url.replace('http', 'ws', 1)}/_stcore/stream",
            subprotocols=["streamlit"],  # type: ignore[list-item]
            additional_headers={"Cookie": f"{cookies.PLAIN}={cookie}"},
            origin=url,  # type: ignore[arg-type]
            max_size=None,
        )
        self.page_hash = ""
        self.tables: list[bytes] = []
        self.elements = 0
        self.rerun()

    def rerun(self) -> float:
        """Ask for the page once more; seconds until the server has finished it."""
        message = BackMsg()
        message.rerun_script.query_string = self.query
        if self.page_hash:
            message.rerun_script.page_script_hash = self.page_hash
        else:
            message.rerun_script.page_name = self.page
        self.tables, self.elements = [], 0
        begun = time.perf_counter()
        self.socket.send(message.SerializeToString())
        while True:
            raw = self.socket.recv(timeout=60)
            assert isinstance(raw, bytes)
            answer = ForwardMsg()
            answer.ParseFromString(raw)
            if answer.WhichOneof("type") == "script_finished":
                seconds = time.perf_counter() - begun
                self._check(answer)
                return seconds
            self._notice(answer)

    @property
    def rows(self) -> list[int]:
        """How many rows each table of the last rerun has, as a browser would unpack it."""
        return [pa.ipc.open_stream(table).read_all().num_rows for table in self.tables]

    def close(self) -> None:
        """Close the window."""
        self.socket.close()

    def _notice(self, answer: ForwardMsg) -> None:
        kind = answer.WhichOneof("type")
        if kind == "navigation":
            self.page_hash = answer.navigation.page_script_hash
        elif kind == "delta" and answer.delta.WhichOneof("type") == "new_element":
            self.elements += 1
            if answer.delta.new_element.WhichOneof("type") == "exception":
                raise RuntimeError(answer.delta.new_element.exception.message)
            if answer.delta.new_element.WhichOneof("type") == "dataframe":
                self.tables.append(answer.delta.new_element.dataframe.arrow_data.data)

    def _check(self, answer: ForwardMsg) -> None:
        finished = ForwardMsg.ScriptFinishedStatus.Name(answer.script_finished)
        if finished != "FINISHED_SUCCESSFULLY" or self.rows != self.wanted:
            raise RuntimeError(
                f"{self.page} was not drawn: {finished}, {self.elements} elements, "
                f"tables of {self.rows} rows, not of {self.wanted}"
            )


@contextmanager
def a_window(
    command: tuple[str, ...], url: str, folder: Path, cookie: str, page: str = PAGE
) -> Iterator[Window]:
    """A server started by `command` and a window on one of its pages."""
    with a_server(command, url, folder) as server:
        window = Window(server.url, cookie, page)
        yield window
        window.close()


@contextmanager
def a_server(command: tuple[str, ...], url: str, folder: Path) -> Iterator[Server]:
    """A server started by `command` on a database."""
    server = Server(url, folder, command=command, name="bench", env={"BANK_SECRET": SECRET})
    if "streamlit" in command:
        server.env |= {
            "STREAMLIT_SERVER_PORT": str(server.port),
            "STREAMLIT_SERVER_ADDRESS": "127.0.0.1",
            "PYTHONPATH": str(ROOT),
        }
    server.start()
    try:
        yield server
    finally:
        server.stop()


def an_auditor(folder: Path) -> str:
    """A bank with entries to look at; answers the cookie of an auditor who is signed in."""
    with a_bank(folder) as (bank, _):
        desk = app.system_desk(bank)
        drafts = [
            ledger.Draft(
                request_id=new_request_id(),
                kind="cash_deposit",
                narration=f"Cash deposit at Fort, slip {number:06d}",
                legs=(
                    ledger.debit_gl("1000", 50_00),
                    ledger.credit_account(number % 500 + 1, 50_00),
                ),
                branch_id=1,
            )
            for number in range(ENTRIES)
        ]
        with chunk(desk, "bench") as tx:
            ledger.post_many(tx, drafts)
            return signed_in(tx, Role.AUDITOR, None)


def signed_in(tx: Tx, role: Role, branch_id: int | None) -> str:
    """Somebody with a session that a server accepts; answers the cookie."""
    user = identity.add_user_row(
        tx,
        username="olga",
        name="Olga Pinto",
        email="olga@example.com",
        role=role,
        branch_id=branch_id,
        password_hash="$2b$04$" + "." * 53,
    )
    session, sid = sessions.open_row(tx, user.id, "bench")
    now = SystemClock().now()  # the bank of the bench stands still in the past
    session.last_seen_at = session.opened_at = now
    session.expires_at = now + timedelta(hours=8)
    tx.session.flush()
    return sid.reveal()


@bench("page.journal", limit=0.15, unit="s/rerun", rounds=7)
def journal(shop: Workshop) -> Pair:
    """A rerun of the auditor's journal with fifty rows."""
    folder = shop.tmp / "bank"
    cookie = an_auditor(folder)
    url = f"sqlite:///{folder / 'bank.db'}"
    stock = (sys.executable, "-m", "streamlit", "run", str(ROOT / "tests/bench/stock.py"))
    ours = shop.enter(a_window(SERVE, url, folder, cookie))
    theirs = shop.enter(a_window(stock, url, folder, cookie))
    ours.rerun(), theirs.rerun()
    if ours.elements != theirs.elements:
        raise RuntimeError(f"not the same page: {ours.elements} and {theirs.elements} elements")
    shop.detail |= {"rows": sum(ours.rows), "entries": ENTRIES, "elements": ours.elements}

    return lambda: median_of(ours), lambda: median_of(theirs)


def median_of(window: Window) -> float:
    """The median of some reruns."""
    return sorted(window.rerun() for _ in range(RERUNS))[RERUNS // 2]
