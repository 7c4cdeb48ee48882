"""The web app without a browser: doors by HTTP and by websocket, as an attacker would try them."""

import asyncio
import http.client
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import httpx
import pytest
from starlette.applications import Starlette
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.pages_manager import PagesManager
from streamlit.web.server.starlette.starlette_app_utils import generate_xsrf_token_string
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from bank import app, web
from bank.core import cookies
from bank.core.desk import Bank, Desk
from bank.core.errors import NotAllowed
from bank.core.ids import fingerprint
from bank.core.permissions import Permission, Role
from bank.core.secrets import Secret
from bank.people import sessions, sign_in
from bank.web import XSRF_COOKIE, binding_of
from pages.parts import visitor
from tests.support import people
from tests.support.people import Somebody
from tests.support.server import ROOT
from tests.support.shell import Town
from tests.support.waiting import wait_until

XSRF: Final = generate_xsrf_token_string(b"one browser only", 1_760_000_000)
SAME_TOKEN: Final = generate_xsrf_token_string(b"one browser only", 1_760_000_001)  # other mask
OTHER_TOKEN: Final = generate_xsrf_token_string(b"quite another one", 1_760_000_000)


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    status: int
    headers: Mapping[str, str]
    cookies: list[str]
    body: str


def ask(town: Town, path: str, **headers: str) -> Answer:
    """GET a path as it is written, without following or normalising anything."""
    connection = http.client.HTTPConnection("127.0.0.1", town.server.port, timeout=20)
    try:
        connection.request(
            "GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()}
        )
        answer = connection.getresponse()
        body = answer.read().decode(errors="replace")
        set_cookies = answer.headers.get_all("set-cookie") or []
        return Answer(answer.status, dict(answer.headers.items()), set_cookies, body)
    finally:
        connection.close()


def ticket_for(town: Town, who: Somebody, xsrf: str = XSRF) -> str:
    """Everything up to the ticket, in the browser with this xsrf cookie."""
    people.change_user(town.bank, who, totp_last_step=0)
    token = people.passed(town.bank, who).token
    return sign_in.take_ticket(people.guest(town.bank), token, Secret(binding_of(xsrf))).reveal()


def open_door(town: Town, ticket: str, xsrf: str = XSRF, **headers: str) -> Answer:
    """Bring a ticket to the door."""
    query = urlencode({"ticket": ticket})
    return ask(town, f"/auth/open?{query}", cookie=f"{XSRF_COOKIE}={xsrf}", **headers)


# The cookie


@pytest.mark.feature("A1.8")
def test_a_ticket_opens_once_in_its_own_browser(town: Town) -> None:
    ticket = ticket_for(town, town.cashier)
    assert open_door(town, ticket, OTHER_TOKEN).cookies == []
    # A ticket that was shown by another browser is burnt.
    assert open_door(town, ticket).cookies == []

    ticket = ticket_for(town, town.cashier)
    answer = open_door(town, ticket, SAME_TOKEN)  # the same token under another mask
    assert answer.status == 303
    assert answer.headers["location"] == "/"
    assert answer.headers["cache-control"] == "no-store"
    [cookie] = answer.cookies
    assert cookie.startswith(f"{cookies.PLAIN}=")
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    assert "Max-Age" not in cookie
    assert open_door(town, ticket).cookies == []


@pytest.mark.feature("A1.8")
def test_over_https_the_cookie_is_bound_to_host_and_scheme(town: Town) -> None:
    answer = open_door(town, ticket_for(town, town.cashier), X_Forwarded_Proto="https")
    [cookie] = answer.cookies
    assert cookie.startswith(f"{cookies.SECURE}=")
    assert {"HttpOnly", "SameSite=strict", "Path=/", "Secure"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    assert "max-age" in answer.headers["strict-transport-security"]
    sid = cookie.split(";")[0].partition("=")[2]
    # Without the prefix it does not count there: a neighbour host could have set it.
    plain = f"{cookies.PLAIN}={sid}"
    assert ask(town, "/media/x", cookie=plain, X_Forwarded_Proto="https").status == 403
    prefixed = f"{cookies.SECURE}={sid}"
    assert ask(town, "/media/x", cookie=prefixed, X_Forwarded_Proto="https").status == 404


@pytest.mark.feature("A1.8")
@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example", "a/b", "..", "A"])
def test_the_door_leads_only_to_pages_of_the_bank(town: Town, to: str) -> None:
    answer = ask(town, f"/auth/open?{urlencode({'ticket': 'none', 'to': to})}")
    assert (answer.status, answer.headers["location"], answer.cookies) == (
        303,
        "/?cut-short=1",
        [],
    )
    answer = ask(town, "/auth/open?ticket=none&to=cashier-counter")
    assert answer.headers["location"] == "/cashier-counter?cut-short=1"
    answer = ask(town, f"/auth/close?{urlencode({'to': to})}")
    assert answer.headers["location"] == "/"


@pytest.mark.feature("A1.4", "A1.8")
def test_signing_out_forgets_cookie_and_session(town: Town) -> None:
    cookie = f"{cookies.PLAIN}={town.open_session(town.cashier)}"
    assert ask(town, "/media/x", cookie=cookie).status == 404
    answer = ask(town, "/auth/close", cookie=cookie)
    assert answer.status == 303
    assert answer.headers["clear-site-data"] == '"cache", "storage"'
    [forgotten] = answer.cookies
    assert forgotten.startswith(f'{cookies.PLAIN}=""')
    assert "Max-Age=0" in forgotten
    assert ask(town, "/media/x", cookie=cookie).status == 403
    assert ask(town, "/auth/close", cookie=cookie).status == 303, "once more does no harm"
    answer = ask(town, "/auth/close")  # as a link on a foreign site asks
    assert (answer.status, answer.cookies) == (303, [])
    assert "clear-site-data" not in answer.headers


def test_a_malformed_xsrf_cookie_binds_nothing() -> None:
    assert binding_of("") == binding_of("2|zz|zz|1") == binding_of("nonsense") == ""
    assert binding_of(XSRF) == binding_of(SAME_TOKEN) != binding_of(OTHER_TOKEN)


# What is shut


@pytest.mark.feature("A1.8")
@pytest.mark.parametrize(
    "path",
    [
        "/_stcore/metrics",
        "/_stcore/agent/openapi.json",
        "/_stcore/agent/mcp",
        "/_stcore/script-health-check",
        "/_stcore/bidi-components/x/y.js",
        "/component/extra_streamlit_components.CookieManager.cookie_manager/index.html",
        "/oauth2callback",
        "/auth/login",
        "/auth/logout",
        "/auth/",
        "/auth/open/",
    ],
)
def test_internals_are_not_there(town: Town, path: str) -> None:
    for given in ({}, {"cookie": f"{cookies.PLAIN}={town.open_session(town.admin)}"}):
        answer = ask(town, path, **given)
        assert (answer.status, answer.body) == (404, "There is nothing here.")


@pytest.mark.feature("A1.8")
@pytest.mark.parametrize("path", ["/media/x.pdf", "/media/../media/x", "/_stcore/upload_file/a/b"])
def test_files_and_uploads_want_a_session(town: Town, path: str) -> None:
    assert ask(town, path).status == 403
    assert ask(town, path, cookie=f"{cookies.PLAIN}=made-up").status == 403
    assert ask(town, path, x_bank_owner="someone").status == 403


@pytest.mark.parametrize(
    "path", ["/", "/cashier-counter", "/healthz", "/_stcore/health", "/media/x", "/auth/close"]
)
def test_every_answer_carries_the_headers(town: Town, path: str) -> None:
    headers = ask(town, path).headers
    policy = headers["content-security-policy"]
    assert "unsafe-eval" not in policy.replace("wasm-unsafe-eval", "")
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "unsafe-inline" not in scripts
    assert re.search(r"'sha256-[A-Za-z0-9+/]{43}='", scripts)
    assert "frame-ancestors 'none'" in policy
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] in {"same-origin", "no-referrer"}
    assert "server" not in {name.lower() for name in headers}


@pytest.mark.feature("A13.3")
def test_ready_means_that_the_database_answers(town: Town) -> None:
    answer = ask(town, "/healthz")
    assert (answer.status, answer.body) == (200, '{"failing":[]}')


@pytest.mark.feature("A13.3")
def test_ready_means_that_the_background_work_goes_on(
    sqlite_bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = threading.Event()
    monkeypatch.setattr(
        web, "background", lambda: {"short": lambda _bank, _stop: ends.wait(30) and None}
    )
    work = web.Work(sqlite_bank)
    work.start()
    served = httpx.ASGITransport(app=Starlette(routes=web._routes(sqlite_bank, work)))

    async def ask_it() -> tuple[int, dict[str, list[str]]]:
        async with httpx.AsyncClient(transport=served, base_url="http://bank.example") as client:
            answer = await client.get("/healthz")
            return answer.status_code, answer.json()

    assert asyncio.run(ask_it()) == (200, {"failing": []})
    ends.set()
    wait_until(work.dead, what="the thread to end")
    assert asyncio.run(ask_it()) == (503, {"failing": ["short"]})
    work.end()


# The websocket


@contextmanager
def window(
    town: Town,
    sid: str | None = None,
    *,
    session: str = "",
    origin: str | None = None,
    **headers: str,
) -> Iterator[ClientConnection]:
    """A connection as a browser with this cookie makes it; `session` asks to resume one."""
    given: dict[str, str] = dict(headers)
    if sid is not None:
        given["Cookie"] = f"{cookies.PLAIN}={sid}"
    protocols: Any = ["streamlit", "PLACEHOLDER", session] if session else ["streamlit"]
    with connect(
        f"ws://127.0.0.1:{town.server.port}/_stcore/stream",
        subprotocols=protocols,
        additional_headers=given,
        origin=origin,  # type: ignore[arg-type]
        max_size=None,
    ) as connection:
        yield connection


def run_page(connection: ClientConnection, page: str = "") -> tuple[str, str]:
    """Run the page once; answers Streamlit's session id and all text that was drawn."""
    asked = BackMsg()
    asked.rerun_script.page_name = page
    asked.rerun_script.context_info.url = f"http://{connection.request.headers['Host']}/{page}"
    connection.send(asked.SerializeToString())
    session, drawn = "", []
    while True:
        message = ForwardMsg()
        data = connection.recv(timeout=30)
        assert isinstance(data, bytes)
        message.ParseFromString(data)
        kind = message.WhichOneof("type")
        if kind == "new_session":
            session = message.new_session.initialize.session_id
        elif kind == "delta":
            drawn.append(str(message.delta))
        elif kind == "script_finished":
            return session, "\n".join(drawn)


@pytest.mark.feature("A1.8")
def test_a_session_id_in_foreign_hands_opens_nothing(town: Town) -> None:
    mine, theirs = town.open_session(town.cashier), town.open_session(town.admin)
    with window(town, mine) as connection:
        session, drawn = run_page(connection)
        assert "Sign out" in drawn
        for foreign in (theirs, None, "made-up"):  # while it is connected
            with window(town, foreign, session=session) as intruder:
                assert run_page(intruder)[0] != session
    for foreign in (theirs, None):  # after it was disconnected
        with window(town, foreign, session=session) as intruder:
            assert run_page(intruder)[0] != session
    with window(town, mine, session=session) as connection:  # its owner may
        assert run_page(connection)[0] == session


@pytest.mark.feature("A1.8")
def test_nobody_gives_himself_the_mark_of_another(town: Town) -> None:
    mine = town.open_session(town.cashier)
    with window(town, mine) as connection:
        session, _ = run_page(connection)
    with window(town, None, session=session, **{"X-Bank-Owner": fingerprint(mine)}) as intruder:
        assert run_page(intruder)[0] != session


@pytest.mark.feature("A1.8")
@pytest.mark.parametrize("told", [True, False])
def test_page_and_gate_choose_the_same_cookie_behind_a_proxy(town: Town, told: bool) -> None:
    """A TLS proxy in front, which says so or does not: what the gate has set, the page finds."""
    headers = {"X-Forwarded-Proto": "https"} if told else {}
    given = {name.replace("-", "_"): value for name, value in headers.items()}
    [cookie] = open_door(town, ticket_for(town, town.cashier), **given).cookies
    name, _, sid = cookie.split(";")[0].partition("=")
    assert (name == cookies.SECURE) is told
    origin = f"https://127.0.0.1:{town.server.port}"
    with window(town, origin=origin, Cookie=f"{name}={sid}", **headers) as connection:
        assert "Sign out" in run_page(connection)[1]
    # Nobody says so himself.
    with window(town, sid, **{"X-Bank-Scheme": "https"}) as connection:
        assert "Sign out" in run_page(connection)[1]


@pytest.mark.feature("A1.8")
@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:1", "null"])
def test_a_page_of_another_origin_does_not_connect(town: Town, origin: str) -> None:
    sid = town.open_session(town.cashier)
    with pytest.raises(InvalidStatus) as refused, window(town, sid, origin=origin):
        raise AssertionError("connected")
    assert refused.value.response.status_code == 403
    with window(town, sid, origin=town.url) as connection:
        assert run_page(connection)[0]


@pytest.mark.feature("A1.13", "A9.1")
def test_a_forced_address_is_refused_and_written_to_the_trail(town: Town) -> None:
    with window(town, town.open_session(town.cashier)) as connection:
        _, drawn = run_page(connection, "auditor-trail")
    assert "You may not open this page" in drawn
    *_, row = people.trail(town.bank, "people.doors.turn_away")
    assert row[0] == "refused"
    assert '"page":"Trail"' in row[3]


@pytest.mark.feature("A1.8", "A1.13")
def test_a_page_is_not_served_without_its_home(town: Town) -> None:
    sid = town.open_session(town.customer)
    for page in ("cashier-counter", "auditor-trail", "counter", "pages/cashier/counter"):
        with window(town, sid) as connection:
            _, drawn = run_page(connection, page)
        assert "Cash counter" not in drawn.replace("Cash counter,", "")
    with window(town) as connection:
        _, drawn = run_page(connection, "every-security")
    assert "Your user name and password" in drawn
    assert PagesManager.uses_pages_directory is not True


@pytest.mark.feature("A1.13", "A1.14")
def test_a_file_made_on_click_asks_again_who_it_is_for(
    sqlite_bank: Bank, cheap_bcrypt: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`visitor.later` is called outside of any page, perhaps long after the button was drawn."""
    ravi = people.employee(sqlite_bank)
    sid = people.signed_in(sqlite_bank, ravi)
    monkeypatch.setattr(visitor, "cookie", lambda: sid)
    monkeypatch.setattr(visitor, "address", lambda: people.IP)
    app.serve_from(sqlite_bank)
    made: list[str] = []

    def make(desk: Desk) -> bytes:
        made.append(desk.name)
        return b"a paper"

    allowed = visitor.later(make, Permission.CASH_POST)
    denied = visitor.later(make, Permission.TRAIL_VIEW)
    assert allowed() == b"a paper"
    with pytest.raises(NotAllowed):
        denied()
    people.change_user(sqlite_bank, ravi, role=Role.BANKER)
    with pytest.raises(NotAllowed):
        allowed()
    people.change_user(sqlite_bank, ravi, role=Role.CASHIER)
    desk = sessions.desk_for(sqlite_bank, sid)
    assert desk is not None
    sessions.sign_out(desk)
    with pytest.raises(NotAllowed):
        allowed()
    assert made == ["Ravi Kumar"]
    app.serve_nothing()


@pytest.fixture(scope="module")
def bare(new_town: Callable[..., Town], tmp_path_factory: pytest.TempPathFactory) -> Town:
    """A server whose front door has a page directly in pages/, as nobody should put it there."""
    folder = tmp_path_factory.mktemp("bare")
    (folder / "pages").mkdir()
    (folder / "pages" / "bare.py").write_text("import streamlit as st\nst.write('no front door')\n")
    (folder / "Home.py").write_text(
        "import gc\nimport streamlit as st\nfrom streamlit import config\n"
        "st.write('the front door')\n"
        "st.write(f\"collects: {config.get_option('runner.postScriptGC')}\")\n"
        "st.write(f\"two at once: {config.get_option('runner.fastReruns')}\")\n"
    )
    starts = (
        "from pathlib import Path; from bank import app, web; "
        f"web.HOME = Path({str(folder / 'Home.py')!r}); web.serve(app.open_bank())"
    )
    return new_town(command=(sys.executable, "-c", starts), name="bare")


@pytest.mark.feature("A1.8", "A1.13")
def test_a_page_directly_in_pages_is_not_served_by_a_fresh_process(bare: Town) -> None:
    with window(bare) as connection:  # the first that this process sees
        _, drawn = run_page(connection, "bare")
    assert "no front door" not in drawn
    assert "the front door" in drawn


def test_a_run_of_a_page_collects_no_garbage_of_its_own(bare: Town) -> None:
    with window(bare) as connection:
        _, drawn = run_page(connection)
    assert "collects: False" in drawn


def test_a_window_has_one_run_at_a_time(bare: Town) -> None:
    """Two would write into one session: seen as a dictionary that changed while it was read."""
    with window(bare) as connection:
        _, drawn = run_page(connection)
    assert "two at once: False" in drawn


def test_what_pages_need_is_loaded_before_the_first_of_them() -> None:
    """In a process of its own: here, other tests have loaded it all."""
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "from bank import server; server.warm_up(); import sys; "
            "from plotly.validator_cache import ValidatorCache; "
            "print(len(ValidatorCache._cache), set(server.LOADED_EARLY) <= set(sys.modules))",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    validators, is_loaded = told.stdout.split()
    assert int(validators) > 3, "a figure has been built"
    assert is_loaded == "True"
