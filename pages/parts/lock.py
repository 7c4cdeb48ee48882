"""The lock: what an idle session shows until its owner's password is typed.

A session that falls idle under an open page is covered by a dialog, so that what was typed below
stays where it is. One that is found locked by a click or a reload shows the same form instead of
the page, and what reached the server before is kept.
"""

from typing import Final

import streamlit as st

from bank.core.secrets import Secret
from bank.people import sign_in
from bank.people.sessions import Found, SessionStatus
from pages.parts import sign_in as doors
from pages.parts import ui, viewing, visitor, words

WATCH_EVERY_SECONDS: Final = 15
COVERED: Final = "lock_covered"
KEPT: Final = (str, int, float, list, tuple)


def page(found: Found) -> None:
    """In place of the page: the lock, while everything typed is kept."""
    _keep_what_was_typed()
    _, middle, _ = st.columns([1, 2, 1], gap=None)
    with middle, st.container(width=440):
        st.title("Locked")
        _form(found)


@st.fragment(run_every=WATCH_EVERY_SECONDS)
def watch() -> None:
    """Look every few seconds whether the session still stands; cover the page when it is locked."""
    found = visitor.found(awake=False)
    if found.state is SessionStatus.LOCKED:
        st.session_state[COVERED] = True
        _cover(found)
    elif found.state is SessionStatus.ENDED or st.session_state.pop(COVERED, False):
        st.rerun()  # Home.py shows the sign-in, or the page again without its cover
    elif st.session_state.get(viewing.WATCHED, False) and found.viewing is None:
        viewing.left()


@st.dialog("Locked", dismissible=False)
def _cover(found: Found) -> None:
    with st.container(key="lock_cover"):  # by this house.css knows to blur what lies below
        _form(found)


def _form(found: Found) -> None:
    st.write(
        f"You have been away for a while, {words.plain(found.name)}. Your password opens the page "
        "again as you left it."
    )
    with st.form("lock", border=False):
        password = st.text_input(
            "Password", type="password", key="lock_password", autocomplete="current-password"
        )
        unlocked = st.form_submit_button("Unlock", type="primary", width="stretch")
    if unlocked:
        with ui.attempt():
            sid = Secret(visitor.cookie() or "")
            sign_in.unlock(visitor.desk(), sid, Secret(password or ""), visitor.agent())
            st.session_state.pop(COVERED, None)
            st.rerun()
    if st.button("Sign out", type="tertiary", key="lock_sign_out"):
        doors.leave("/auth/close")


def _keep_what_was_typed() -> None:
    """Values of inputs that are not drawn would be dropped; set by hand, they stay."""
    for key in list(st.session_state):
        value = st.session_state[key]
        # A bool may be a button's, which nobody may set.
        if isinstance(value, KEPT) and not isinstance(value, bool):
            st.session_state[key] = value
