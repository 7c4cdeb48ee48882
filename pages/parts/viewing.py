"""The banner over a customer's portal under an employee's eyes, and the way out of it."""

from typing import NoReturn

import streamlit as st

from bank.people import viewings
from pages.parts import sign_in, ui, visitor, words


def banner() -> None:
    """Say whose portal it is, that nothing can be changed, and when it ends; offer to stop."""
    found = visitor.found(awake=False)
    if found.viewing is None:  # it has ended in this very moment
        left()
    st.session_state[visitor.WATCHED] = True
    now = found.viewing.own.bank.clock.now()
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.warning(
            f"You see the portal of **{words.plain(found.viewing.customer)}**, who has been told. "
            f"Nothing can be changed. It ends {words.age(found.viewing.until, now)}, at "
            f"{words.moment(found.viewing.until)}.",
            icon=":material/visibility:",
        )
        if st.button("Stop viewing", key="viewing_stop"):
            with ui.attempt():
                viewings.stop_viewing(found.viewing.own)
            left()


def left() -> NoReturn:
    """Go back to the employee's own front page, with nothing of the customer's in the window."""
    st.session_state.clear()
    sign_in.leave("/")
