"""Words kept for replies: the form that keeps them, from the reply itself."""

from typing import Final

import streamlit as st

from bank.core.desk import Desk
from bank.office import canned
from bank.office.canned import LONGEST_NAME, PLACEHOLDERS
from bank.office.ticket_posts import LONGEST_BODY
from pages.parts import ui

LABELS: Final = {"message": "Message", "name": "Name"}
FILLED_IN: Final = f"Filled in for each ticket: {', '.join(PLACEHOLDERS)}."


def keep(desk: Desk, text: str, name: str, *, key: str) -> None:
    """Keep what stands in a reply for one's next ones."""
    with (
        st.popover("Keep words for later", icon=":material/bookmark:"),
        st.form(f"ticket_keep_{key}", border=False),
    ):
        kept = st.text_input("Name", name, max_chars=LONGEST_NAME, autocomplete="off")
        said = st.text_area("Message", text, max_chars=LONGEST_BODY, help=FILLED_IN)
        if st.form_submit_button("Keep for my replies"):
            with ui.attempt("Kept for your replies.", labels=LABELS):
                canned.keep_reply(desk, kept or "", said or "")
