"""The bank on the web: Streamlit inside an ASGI app with a gate, own routes and background work.

    browser -> Gate (headers, what is shut, whose file) -> own routes | Streamlit -> Home.py

Streamlit knows nothing of signing in. So the session cookie is set by a route here; a connection
is marked with the fingerprint of its cookie before Streamlit sees it; and a file that a page
offers is served to that cookie alone.
"""

import gc
import hashlib
import logging
import re
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final

import streamlit as st
import uvicorn
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp
from streamlit import config, file_util
from streamlit.runtime import Runtime, app_session, get_instance
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.media_file_storage import MediaFileKind
from streamlit.runtime.memory_media_file_storage import MemoryFile, MemoryMediaFileStorage
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.web.server.starlette.starlette_app_utils import decode_xsrf_token_string

from bank import app as composition
from bank.book import seals
from bank.core import cookies, outbox
from bank.core.config import PROJECT
from bank.core.desk import Bank
from bank.core.errors import BankError
from bank.core.ids import new_request_id
from bank.gate import MEDIA, OWNER_HEADER, Gate, ip_of, is_secure, sid_of
from bank.night import reports
from bank.office import approvals, queue
from bank.people import sessions, sign_in
from bank.server import Server, warm_up

log: Final = logging.getLogger("bank.web")

HOME: Final = PROJECT / "Home.py"
CUT_SHORT: Final = "cut-short"  # the mark of a way back on which no session was opened
XSRF_COOKIE: Final = "_streamlit_xsrf"
PAGE_ADDRESS: Final = re.compile(r"[a-z-]{1,64}")
FREEZE_EVERY_SECONDS: Final = 20.0
SHUTDOWN_SECONDS: Final = 5
LARGEST_MESSAGE: Final = 16 * 1024 * 1024


class OwnedFiles(MemoryMediaFileStorage):
    """Streamlit's store of files, where each file has an owner: the fingerprint of a cookie.

    Streamlit's ids are hashes of the content (of a large file only of parts of it), so two people
    could share one. Here the owner and all of the content make the id.
    """

    def __init__(self) -> None:
        super().__init__(MEDIA.rstrip("/"))
        self._owner_of: dict[str, str] = {}
        self._asking = threading.local()

    @contextmanager
    def asked_by(self, owner: str) -> Iterator[None]:
        """What this thread stores inside belongs to `owner`."""
        self._asking.owner = owner
        try:
            yield
        finally:
            self._asking.owner = ""

    def load_and_get_id(
        self,
        path_or_data: str | bytes,
        mimetype: str,
        kind: MediaFileKind,
        filename: str | None = None,
    ) -> str:
        """Store a file (its bytes, or its path) and return its id."""
        owner: str = getattr(self._asking, "owner", "")
        data = path_or_data if isinstance(path_or_data, bytes) else Path(path_or_data).read_bytes()
        named = "\x1f".join([owner, mimetype, filename or "", ""]).encode()
        file_id = hashlib.sha256(named + data).hexdigest()
        self._owner_of[file_id] = owner
        self._files_by_id.setdefault(
            file_id, MemoryFile(content=data, mimetype=mimetype, kind=kind, filename=filename)
        )
        return file_id

    def delete_file(self, file_id: str) -> None:
        """Forget a file that no page shows any more."""
        super().delete_file(file_id)
        self._owner_of.pop(file_id, None)

    def is_for(self, owner: str, name: str) -> bool:
        """Whether `/media/<name>` was made for the session with this cookie fingerprint."""
        return bool(owner) and self._owner_of.get(name.split(".")[0]) == owner


class OwnedMedia(MediaFileManager):
    """Streamlit's file manager, telling the store for whom each file is made."""

    def __init__(self, files: OwnedFiles) -> None:
        super().__init__(storage=files)
        self._files = files

    def add(self, *args: Any, **named: Any) -> str:
        """Store a file for the connection whose script is running; returns its address."""
        context = get_script_run_ctx()
        with self._files.asked_by(_owner_of(context.session_id if context else "")):
            return super().add(*args, **named)

    def execute_deferred(self, file_id: str) -> str:
        """Make a file on a click, for the connection that was shown the button."""
        entry = self._deferred_callables.get(file_id)
        with self._files.asked_by(_owner_of(entry["session_id"] if entry else "")):
            return super().execute_deferred(file_id)


class BankApp(st.App):
    """Streamlit's app, with owned files in place of shared ones."""

    def __init__(self, files: OwnedFiles, **options: Any) -> None:
        super().__init__(HOME, **options)
        self._files = files

    def _create_runtime(self) -> Runtime:
        runtime = super()._create_runtime()
        runtime._media_file_mgr = OwnedMedia(self._files)
        return runtime


class Work:
    """What goes on beside the pages, one thread each, from start to stop."""

    def __init__(self, bank: Bank) -> None:
        self.stop: Final = threading.Event()
        self.bank: Final = bank
        self._threads = [
            threading.Thread(target=run, name=name, daemon=True, args=(bank, self.stop))
            for name, run in background().items()
        ]

    def start(self) -> None:
        """Start every thread."""
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Ask every thread to stop, and wait a moment for each to finish what it is doing."""
        self.stop.set()
        self.bank.outbox_waits.set()  # delivery waits for this one
        for thread in self._threads:
            thread.join(SHUTDOWN_SECONDS)

    def dead(self) -> list[str]:
        """The names of threads that ended although nobody asked them to."""
        if self.stop.is_set():
            return []
        return [thread.name for thread in self._threads if not thread.is_alive()]


def background() -> dict[str, Callable[[Bank, threading.Event], None]]:
    """The background work of a bank by name; each runs until its event is set."""
    system = composition.system_desk
    return {
        "approvals": lambda bank, stop: approvals.expire_forever(system(bank), stop),
        "memory": keep_frozen,
        "outbox": outbox.deliver_forever,
        "reports": reports.keep_fresh,
        "seals": lambda bank, stop: seals.seal_forever(system(bank), stop),
        "work": lambda bank, stop: queue.release_forever(system(bank), stop),
    }


def keep_frozen(_bank: Bank, stop: threading.Event) -> None:
    """Keep what lives long out of the collector's sight.

    Walking through the loaded libraries costs more than drawing a page does. So they are frozen,
    and what pages leave behind is collected here, in one go for everybody.
    """
    gc.collect()
    gc.freeze()
    while not stop.wait(FREEZE_EVERY_SECONDS):
        gc.unfreeze()
        gc.collect()
        gc.freeze()
    gc.unfreeze()


def build_app(bank: Bank) -> ASGIApp:
    """The ASGI app that serves this bank. A process serves one bank."""
    composition.serve_from(bank)
    # A file directly in pages/ would be served by itself, without Home.py and its doors.
    PagesManager.uses_pages_directory = False
    remember_theme()
    files = OwnedFiles()
    work = Work(bank)
    app = BankApp(
        files,
        routes=_routes(bank, work),
        middleware=[
            Middleware(
                Gate, bank=bank, files=files, page=Path(file_util.get_static_dir(), "index.html")
            )
        ],
        lifespan=_lifespan(work),
        on_script_error=apologise,
    )
    # Streamlit resumes a session only for a connection with the same mark, which the gate sets.
    config.set_option("server.trustedUserHeaders", {OWNER_HEADER: "owner"})
    # Streamlit collects all generations after every script run; `keep_frozen` does so for all.
    config.set_option("runner.postScriptGC", False)
    return app


def remember_theme() -> None:
    """Read the theme once: Streamlit does so in every run of every script, and takes milliseconds
    to spell settings as a message needs them that never change while the server runs."""
    fill = app_session._populate_theme_msg
    if getattr(fill, "remembers", False):
        return
    known: dict[str, Any] = {}

    def populate(msg: Any, section: str = "theme") -> None:
        if section not in known:
            known[section] = type(msg)()
            fill(known[section], section)
        msg.MergeFrom(known[section])

    populate.remembers = True  # type: ignore[attr-defined]
    app_session._populate_theme_msg = populate


def serve(bank: Bank, opened: Callable[[], None] = lambda: None) -> None:
    """Serve until told to stop (SIGTERM or Ctrl-C), on the host and port of the settings.

    `opened` is called once the bank can be reached.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    config = uvicorn.Config(
        build_app(bank),
        host=bank.settings.host,
        port=bank.settings.port,
        ws="websockets-sansio",
        ws_max_size=LARGEST_MESSAGE,
        ws_per_message_deflate=False,  # dozens of small messages a click: packing them costs more
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        log_level="warning",
    )
    server = Server(config, opened)
    server.run()
    if not server.started:
        raise SystemExit(1)


def apologise(error: Exception) -> bool:
    """Show what the bank refused, or an apology with the number under which the log has the trace.

    Streamlit calls it with what a page, fragment or callback did not catch. Returns True: shown.
    """
    if isinstance(error, BankError):
        st.error(str(error))
        return True
    reference = new_request_id()[:8].upper()
    log.error("a page failed, reference %s", reference, exc_info=error)
    st.error(
        "Something went wrong on our side, perhaps after it was done. Before you try again, look "
        "at today's slips or the statement whether it is there. If it happens again, give your "
        f"branch the reference **{reference}**."
    )
    return True


def binding_of(xsrf_cookie: str) -> str:
    """What ties a ticket to one browser: Streamlit's XSRF token, without the mask that changes.

    Empty when the cookie is missing or malformed.
    """
    token, _ = decode_xsrf_token_string(xsrf_cookie)
    return hashlib.sha256(token).hexdigest() if token else ""


def _routes(bank: Bank, work: Work) -> Sequence[BaseRoute]:
    async def auth_open(request: Request) -> Response:
        """Swap a one-time ticket, good in this browser only, for the session cookie."""
        sid = await run_in_threadpool(
            sign_in.redeem_ticket,
            bank,
            request.query_params.get("ticket", ""),
            binding_of(request.cookies.get(XSRF_COOKIE, "")),
            ip_of(request),
            request.headers.get("user-agent", ""),
        )
        answer = _back_to(request.query_params.get("to", ""), cut_short=sid is None)
        secure = is_secure(request)
        if sid is not None:
            answer.set_cookie(
                cookies.name(secure=secure),
                sid,
                path="/",
                httponly=True,
                samesite="strict",
                secure=secure,
            )
        return answer

    async def auth_close(request: Request) -> Response:
        """End the session of this cookie, and have the browser forget what it has seen."""
        sid, answer = sid_of(request), _back_to("")
        if sid is None:  # a link on a foreign site brings no cookie, and must not end anything
            return answer
        await run_in_threadpool(sessions.close, bank, sid, ip_of(request))
        secure = is_secure(request)
        answer.delete_cookie(
            cookies.name(secure=secure), path="/", httponly=True, samesite="strict", secure=secure
        )
        answer.headers["clear-site-data"] = '"cache", "storage"'
        return answer

    async def healthz(_request: Request) -> Response:
        """200 while the database answers and the background work goes on; 503 names what fails."""
        failing = work.dead() + await run_in_threadpool(_failing_database, bank)
        return JSONResponse({"failing": failing}, 503 if failing else 200)

    return [
        Route("/auth/open", auth_open),
        Route("/auth/close", auth_close),
        Route("/healthz", healthz),
    ]


def _lifespan(work: Work) -> Callable[[Any], AbstractAsyncContextManager[dict[str, Any]]]:
    @asynccontextmanager
    async def lifespan(_app: object) -> AsyncIterator[dict[str, Any]]:
        warm_up()
        work.start()
        try:
            yield {}
        finally:
            await run_in_threadpool(work.end)

    return lifespan


def _back_to(address: str, *, cut_short: bool = False) -> RedirectResponse:
    """To a page of ours after a door was used; anything else than a plain address is the front."""
    page = address if PAGE_ADDRESS.fullmatch(address) else ""
    if cut_short:
        page += f"?{CUT_SHORT}=1"
    return RedirectResponse(
        f"/{page}", 303, headers={"cache-control": "no-store", "referrer-policy": "no-referrer"}
    )


def _failing_database(bank: Bank) -> list[str]:
    try:
        with bank.db.read() as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError:
        log.exception("the database does not answer")
        return ["database"]
    return []


def _owner_of(session_id: str) -> str:
    """The mark of the connection behind a Streamlit session; empty when it is gone or a guest's."""
    client = get_instance().get_client(session_id) if session_id else None
    if client is None or client.client_context is None:
        return ""
    marks = [value for name, value in client.client_context.headers if name == OWNER_HEADER]
    return marks[0] if marks else ""
