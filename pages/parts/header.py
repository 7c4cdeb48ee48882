"""Above every page: the way home, where one is, and for employees the search and the bell.

It stands over the page and not in the menu, which a phone hides.
"""

from typing import Literal

import streamlit as st

from bank.core.desk import Desk
from bank.core.permissions import STAFF
from pages.parts import bell, find
from pages.parts.menu import Entry, entries_for, entry_at


def draw(desk: Desk, address: str) -> None:
    """For somebody who is signed in; `address` is that of the page that is drawn next."""
    here = entry_at(address)
    is_front = here is None or here.front
    if is_front and desk.role not in STAFF:
        return
    sides: Literal["right", "distribute"] = "right" if is_front else "distribute"
    with st.container(
        horizontal=True, horizontal_alignment=sides, vertical_alignment="center", key="header"
    ):
        if here is not None and not is_front:
            with st.container(horizontal=True, vertical_alignment="center", width="content"):
                _way_here(desk, here)
        if desk.role in STAFF:  # a customer has none, nor who looks at a customer's portal
            with st.container(horizontal=True, width="content"):
                find.button()
                bell.button(desk)


def _way_here(desk: Desk, here: Entry) -> None:
    for entry in entries_for(desk):
        if entry.front:
            st.page_link(f"pages/{entry.file}", label=entry.title, icon=":material/home:")
    # The page's own name is its title, right below. Where a page lies that is refused, is not told.
    if here.section and here.open_to(desk):
        st.caption(f"› {here.section}")
