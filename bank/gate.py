"""The gate in front of the web interface: headers, what is shut, and whose file is whose.

Plain ASGI, so that it also stands in front of what Streamlit serves by itself.
"""

import base64
import hashlib
import re
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bank.core import cookies
from bank.core.desk import Bank
from bank.core.ids import fingerprint
from bank.people import sessions

OWNER_HEADER: Final = "x-bank-owner"
ADDRESS_HEADER: Final = "x-bank-address"
SCHEME_HEADER: Final = "x-bank-scheme"
# Of Streamlit's own addresses only these are for browsers; metrics, agents and log-ins are not.
OPEN_INSIDE: Final = frozenset({"/_stcore/health", "/_stcore/host-config", "/_stcore/stream"})
OWN_PATHS: Final = frozenset({"/auth/open", "/auth/close"})
SHUT: Final = re.compile(r"/(_stcore|component|auth|oauth2callback)(/|$)")
UPLOADS: Final = "/_stcore/upload_file/"
MEDIA: Final = "/media/"

Headers = list[tuple[bytes, bytes]]


class Files(Protocol):
    """Who may fetch which file."""

    def is_for(self, owner: str, name: str) -> bool:
        """Whether `/media/<name>` was made for the session with this cookie fingerprint."""
        ...


class Gate:
    """The outermost layer of the app."""

    def __init__(self, app: ASGIApp, bank: Bank, files: Files, page: Path) -> None:
        """`page` is the one HTML file: its inline scripts are the only ones allowed to run."""
        self.app, self.bank, self.files = app, bank, files
        self.headers: Final = headers(page.read_text(encoding="utf-8"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._connect(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = HTTPConnection(scope)
        added = [*self.headers, *(HTTPS_ONLY if is_secure(connection) else ())]
        replaced = {b"server"}
        if scope["path"].startswith(MEDIA):
            added.append((b"cache-control", b"private, no-store"))
            replaced.add(b"cache-control")

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [pair for pair in message["headers"] if pair[0].lower() not in replaced]
                message = {**message, "headers": kept + added}
            await send(message)

        refusal = await self._refusal(scope["path"], connection)
        await (refusal or self.app)(scope, receive, send_with_headers)

    async def _refusal(self, path: str, connection: HTTPConnection) -> Response | None:
        if path.startswith((MEDIA, UPLOADS)):
            sid = sid_of(connection)
            desk = await run_in_threadpool(
                sessions.desk_for, self.bank, sid, ip_of(connection), awake=False
            )
            if desk is None or sid is None:
                return PlainTextResponse("Sign in first.", 403)
            name = path.removeprefix(MEDIA)
            if path.startswith(MEDIA) and not self.files.is_for(fingerprint(sid), name):
                return PlainTextResponse("There is no such file.", 404)
            return None
        if SHUT.match(path) and path not in OPEN_INSIDE | OWN_PATHS:
            return PlainTextResponse("There is nothing here.", 404)
        return None

    async def _connect(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Mark the connection with its cookie's fingerprint, and how and from where it came.

        Streamlit resumes a session only for a connection with the same mark (trustedUserHeaders),
        so a session id in foreign hands opens nothing. A page of another origin is refused here:
        Streamlit's own check admits every port of this machine.
        """
        connection = HTTPConnection(scope)
        origin = connection.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != connection.headers.get("host"):
            await send({"type": "websocket.close", "code": 1008})
            return
        sid = sid_of(connection)
        marks = {
            OWNER_HEADER.encode(): fingerprint(sid).encode() if sid else b"",
            ADDRESS_HEADER.encode(): ip_of(connection).encode(),
            SCHEME_HEADER.encode(): b"https" if is_secure(connection) else b"http",
        }
        kept = [pair for pair in scope["headers"] if pair[0].lower() not in marks]
        await self.app({**scope, "headers": [*kept, *marks.items()]}, receive, send)


def is_secure(connection: HTTPConnection) -> bool:
    """Whether the person came by https, here or at the proxy in front."""
    forwarded = connection.headers.get("x-forwarded-proto", "").split(",")[0].strip()
    return (forwarded or connection.url.scheme) in {"https", "wss"}


def sid_of(connection: HTTPConnection) -> str | None:
    """The session cookie's value, or None."""
    return cookies.session_cookie(connection.cookies, secure=is_secure(connection))


def ip_of(connection: HTTPConnection) -> str:
    """The address the request comes from (uvicorn has looked behind a trusted proxy)."""
    return connection.client.host if connection.client else ""


def headers(html: str) -> Headers:
    """What every answer carries. Without unsafe-eval; inline scripts only those of `html`."""
    policy = {
        "default-src": "'self'",
        "script-src": " ".join(["'self'", "'wasm-unsafe-eval'", *_inline_scripts(html)]),
        # Streamlit's components write their styles into the document as they are drawn.
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": "'self'",
        "worker-src": "'self' blob:",
        "frame-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    return [
        (b"content-security-policy", "; ".join(map(" ".join, policy.items())).encode()),
        (b"x-frame-options", b"DENY"),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"same-origin"),
        (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
    ]


HTTPS_ONLY: Final[Headers] = [(b"strict-transport-security", b"max-age=31536000")]


def _inline_scripts(html: str) -> list[str]:
    return [
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    ]
