"""Saved views of a queue: open one, keep what one looks at, for oneself or for a role."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import streamlit as st

from bank.core.desk import Desk
from bank.core.permissions import STAFF, Permission, Role
from bank.core.work_tables import KINDS, Priority
from bank.office import saved_views
from bank.office.queue_lists import View
from bank.office.saved_views import LONGEST_NAME, ViewRow
from pages.parts import ui, words


def _priority(text: str) -> int | None:
    return int(text) if text.isdecimal() and int(text) in Priority.NAMES else None


# What a view is made of: how each part of the address is read, None for what means nothing.
FIELDS: Final[Mapping[str, Callable[[str], Any]]] = {
    "view": lambda text: View(text) if text in set(View) else None,
    "words": str,
    "kind": lambda text: text if text in KINDS else None,
    "priority": _priority,
    "level": lambda text: int(text) if text.isdecimal() else None,
    "category": str,
    "owner": lambda text: int(text) if text.isdecimal() else None,
    "branch": lambda text: int(text) if text.isdecimal() else None,
}
LABELS: Final = {"name": "Name", "view": "View"}


Fields = Mapping[str, Callable[[str], Any]]


def draw(desk: Desk, name: str, more: Fields) -> None:
    """The button with one's views, and the form that keeps another."""
    with st.popover("Saved views", icon=":material/bookmark:"):
        views = saved_views.views(desk, name)
        if not views:
            st.caption("None yet. Keep what you look at now under a name.")
        for view in views:
            _one(desk, name, view, more)
        _keep(desk, name, more)


def address_of(name: str, more: Fields) -> str:
    """What one looks at now, as the query of an address; `more` are fields of this queue alone."""
    found = {part: st.session_state.get(f"{name}_{part}") for part in (*FIELDS, *more)}
    return urlencode({part: value for part, value in found.items() if value not in (None, "")})


def go_to(name: str, query: str, more: Fields) -> None:
    """Look at what a view looks at (a callback: the fields are drawn after it)."""
    asked = dict(parse_qsl(query))
    for part, read in {**FIELDS, **more}.items():
        value = read(asked[part]) if part in asked else None
        empty: Any = {"view": View.UNASSIGNED}.get(part, "" if read is str else None)
        st.session_state[f"{name}_{part}"] = empty if value is None else value


def _one(desk: Desk, name: str, view: ViewRow, more: Fields) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            view.name,
            key=f"{name}_open_{view.id}",
            type="tertiary",
            on_click=go_to,
            args=(name, view.query, more),
        )
        if view.shared_with is not None:
            st.caption(f"For every {words.role_name(view.shared_with).lower()}")
        if view.is_mine and st.button(
            f"Forget {view.name}", key=f"{name}_forget_{view.id}", icon=":material/delete:"
        ):
            with ui.attempt("The view is forgotten."):
                saved_views.forget_view(desk, view.id)


def _keep(desk: Desk, name: str, more: Fields) -> None:
    leads = desk.may(Permission.WORK_LEAD)
    roles = sorted(STAFF) if leads else [desk.role]
    with st.form(f"{name}_keep_view", border=False):
        title = st.text_input("Name", max_chars=LONGEST_NAME, autocomplete="off")
        role: Role | None = st.selectbox(
            "Also for",
            roles,
            None,
            format_func=words.role_name,
            placeholder="Only me",
        )
        if st.form_submit_button("Keep this view"):
            with ui.attempt("The view is kept.", labels=LABELS):
                saved_views.keep_view(desk, name, title, address_of(name, more), role)
