"""Who sits at this browser window, as far as its cookie proves it.

The person is derived from the cookie of the connection, every time: a Streamlit session id proves
nothing about who holds it.
"""

from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import streamlit as st

from bank.app import current_bank
from bank.core import cookies
from bank.core.desk import Desk
from bank.core.errors import NotAllowed
from bank.core.permissions import Permission
from bank.gate import ADDRESS_HEADER, SCHEME_HEADER
from bank.people import sessions
from bank.people.sessions import Found

WATCHED: Final = "viewing_watched"  # this window shows a customer's portal


def found(*, awake: bool = True) -> Found:
    """What this window's cookie leads to: an active session with its desk, a locked one, nobody.

    `awake=False` looks without counting as something the person did.
    """
    return sessions.find(current_bank(), cookie(), address(), awake=awake)


def desk(*, awake: bool = True) -> Desk:
    """The desk of whoever holds the cookie; a guest's when it is nobody, or locked."""
    return found(awake=awake).desk or sessions.guest(current_bank(), address())


def only_looks() -> bool:
    """Whether this window shows a customer's portal under an employee's eyes; nothing leaves it."""
    return WATCHED in st.session_state


def owner_of(desk: Desk) -> str:
    """Whose window it is; another word for a customer's portal under an employee's eyes."""
    return f"{desk.user_id} for {desk.on_behalf_of}" if desk.on_behalf_of else str(desk.user_id)


def cookie() -> str | None:
    """The session cookie that this window's connection was opened with."""
    return cookies.session_cookie(st.context.cookies, secure=is_secure())


def is_secure() -> bool:
    """Whether the person came by https, as the gate has noted it when it chose the cookie."""
    return st.context.headers.get(SCHEME_HEADER, "") == "https"


def address() -> str:
    """The network address this window's connection comes from, as the gate has noted it."""
    return st.context.headers.get(ADDRESS_HEADER, "")


def agent() -> str:
    """What the browser calls itself."""
    return st.context.headers.get("User-Agent", "")


def requested_page() -> str:
    """The page in the browser's address line, as its one flat word; empty for the front page."""
    path = urlsplit(st.context.url or "").path
    return path.strip("/").rpartition("/")[2]


def later(make: Callable[[Desk], bytes], permission: Permission) -> Callable[[], bytes]:
    """A file to be made when it is asked for, by whoever this window's cookie is worth then.

    Streamlit calls it outside of any page, so cookie and address are noted now and proved then.
    """
    shown, came_from = cookie(), address()

    def run() -> bytes:
        asking = sessions.desk_for(current_bank(), shown, came_from)
        if asking is None or not asking.may(permission):
            raise NotAllowed
        return make(asking)

    return run
