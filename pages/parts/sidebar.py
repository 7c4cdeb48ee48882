"""Below the menu: branch with IFSC, business date, person, a cashier's drawer, the way out."""

import streamlit as st

from bank.core.desk import Desk
from bank.core.permissions import Permission
from bank.counters import drawers
from bank.people import sessions
from pages.parts import frame, sign_in, ui, words


def draw(desk: Desk) -> None:
    """For somebody who is signed in."""
    with st.sidebar:
        here = frame.branch_of(desk)
        if here is not None:
            st.markdown(f"**{words.plain(here.name)}**  \n{here.ifsc}")
        elif desk.sees_whole_bank:
            st.markdown("**All branches**")
        st.markdown(f"Business date  \n**{words.day(desk.bank.clock.business_date())}**")
        what = "Looks only" if desk.on_behalf_of else words.role_name(desk.role)
        st.markdown(f"**{words.plain(desk.name)}**  \n{what}")
        if desk.may(Permission.CASH_POST):
            st.markdown(f"Drawer  \n{_drawer(desk)}")
        with st.container(horizontal=True):
            if st.button("Sign out", icon=":material/logout:", key="sidebar_sign_out"):
                sign_in.leave("/auth/close")
            if desk.may(Permission.SESSION_KEEP):
                st.button("Lock", icon=":material/lock:", key="sidebar_lock", on_click=_lock)


def draw_for_a_visitor() -> None:
    """For somebody who is not signed in."""
    with st.sidebar:
        st.caption("Sign in to see your accounts or your work.")


def _drawer(desk: Desk) -> str:
    """Where the cashier's drawer stands, and of which day it is when that is not today."""
    state = drawers.own_state(desk)
    if state is None:
        return words.badge("none", words.Tone.NEUTRAL)
    today = desk.bank.clock.business_date()
    late = "" if state.business_date == today else f" of {words.day(state.business_date)}"
    return f"{words.badge(state.status)}{words.plain(late)}"


@ui.guarded(Permission.SESSION_KEEP)
def _lock(desk: Desk) -> None:
    sessions.lock(desk)
