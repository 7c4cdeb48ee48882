"""A front door with one page of its own, for what no page of the bank shows by itself.

Served in place of Home.py (see `SMALL` in shell.py): a live part, a guarded callback, a file made
on click, a file made at once, an error that nobody expected.
"""

import streamlit as st

from bank.core.desk import Desk
from bank.core.permissions import Permission
from pages.parts import shell, ui, visitor


@ui.live(1, Permission.SESSION_KEEP)
def ticks(desk: Desk) -> None:
    """Count up for as long as the session stands."""
    st.session_state["ticks"] = st.session_state.get("ticks", 0) + 1
    st.write(f"Tick {st.session_state['ticks']} of {desk.name}")


@ui.guarded(Permission.SESSION_KEEP)
def press(desk: Desk) -> None:
    """Leave a mark that outlives the session's state."""
    MARKS.append(desk.name)


@st.cache_resource
def marks() -> list[str]:
    """What the callback has left, for every window of this process."""
    return []


MARKS = marks()
desk = ui.principal()
shell._belongs_to(visitor.owner_of(desk) if desk.user_id else shell.GUEST)
if desk.user_id is None:
    st.title("Sign in")
    st.caption(f"Marks: {len(MARKS)}")
    st.stop()
st.title("Small")
st.text_input("Note", key="note")
if "still" not in st.query_params:
    ticks()
st.button("Press", key="press", on_click=press)
st.caption(f"Marks: {len(MARKS)}")
st.download_button("At once", data=f"now for {desk.name}", file_name="now.txt", key="now")
ui.download(
    "On click",
    lambda desk: f"later for {desk.name}".encode(),
    permission=Permission.SESSION_KEEP,
    file_name="later.txt",
    mime="text/plain",
    key="later",
)
if st.button("Break", key="break"):
    raise ValueError("a secret detail of the inside")
