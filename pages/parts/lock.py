"""The lock: what an idle session shows until its owner's password is typed.

A session that falls idle under an open page is covered by a dialog, so that what was typed below
stays where it is. One that is found locked by a click or a reload shows the same form instead of
the page, and what reached the server before is kept.
"""

from datetime import date, time
from typing import Final

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from bank.core.secrets import Secret
from bank.people import sign_in
from bank.people.sessions import Found, SessionStatus
from pages.parts import forms, ui, viewing, visitor, words
from pages.parts import sign_in as doors

WATCH_EVERY_SECONDS: Final = 15
COVERED: Final = "lock_covered"
PASSWORD: Final = forms.secret_key("lock_password")
KEPT: Final = (str, int, float, date, time, list, tuple)  # a datetime is a date, a bool an int
# What Streamlit calls values that may be set by hand: not a click, nor a file from the browser.
# Empty is what no input holds.
SETTABLE: Final = {"", "bool_value", "double_value", "int_value", "string_value"} | {
    f"{item}_array_value" for item in ("double", "int", "string")
}


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
    elif st.session_state.get(visitor.WATCHED, False) and found.viewing is None:
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
    with st.form("lock", border=False, clear_on_submit=True):
        password = forms.password_input("Password", key=PASSWORD)
        unlocked = st.form_submit_button("Unlock", type="primary", width="stretch")
    if unlocked:
        st.session_state.pop(PASSWORD, None)  # right or wrong, it is asked again the next time
        with ui.attempt():
            sid = Secret(visitor.cookie() or "")
            sign_in.unlock(visitor.desk(), sid, password, visitor.agent())
            st.session_state.pop(COVERED, None)
            st.rerun()
    if st.button("Sign out", type="tertiary", key="lock_sign_out"):
        doors.leave("/auth/close")


def _keep_what_was_typed() -> None:
    """Values of inputs that are not drawn would be dropped; set by hand, they stay.

    Secrets are left to be dropped: whoever opens the lock types them again.
    """
    for key in [str(key) for key in st.session_state]:
        value = st.session_state[key]
        is_kept = value is None or isinstance(value, KEPT)
        if is_kept and forms.SECRET not in key and _kind_of(key) in SETTABLE:
            st.session_state[key] = value


def _kind_of(key: str) -> str:
    """What Streamlit calls the value of the input with this key; empty where there is none."""
    context = get_script_run_ctx()
    assert context is not None, "a page runs inside Streamlit"
    state = context.session_state._state
    widget = state._key_id_mapper.get_id_from_key(key, "")
    metadata = state._new_widget_state.widget_metadata.get(widget or "")
    return "" if metadata is None else metadata.value_type
