"""What Home.py does in every run: whose window it is, which pages there are, which one is drawn."""

from collections.abc import Callable
from typing import Final

import streamlit as st

from bank.core.desk import Desk
from bank.core.permissions import Role
from bank.people.sessions import SessionStatus
from pages.parts import counts, header, lock, sidebar, sign_in, ui, viewing, visitor
from pages.parts.menu import Entry, entries_for, entry_at

OWNER: Final = "shell_owner"
FRONT: Final = "shell_front"
GUEST: Final = "0"


def run() -> None:
    """Draw what this window may see: the page, the lock, or the sign-in."""
    desk = ui.principal()
    if desk.role is not Role.GUEST:
        if desk.on_behalf_of is None and visitor.WATCHED in st.session_state:
            viewing.left()  # it has ended by itself: back to the employee's own front page
        _belongs_to(visitor.owner_of(desk))
        _signed_in(desk)
        return
    found = visitor.found(awake=False)
    _belongs_to(str(found.user_id or GUEST))
    if found.state is SessionStatus.LOCKED:
        _one_page(lambda: lock.page(found), "Locked", st.session_state.get(FRONT, "locked"))
    else:
        _signed_out(desk)


def _signed_in(desk: Desk) -> None:
    sections: dict[str, list[st.Page]] = {}
    waiting = counts.known(desk)
    for entry in entries_for(desk):
        page = _page(entry, counts.title_of(entry, waiting))
        sections.setdefault(entry.section, []).append(page)
        if entry.front:
            st.session_state[FRONT] = entry.url_path
    asked = entry_at(visitor.requested_page())
    if asked is not None and not asked.open_to(desk):
        sections[""].append(_hidden(lambda: ui.refuse(desk, asked.title, asked.permission), asked))
    page = st.navigation(sections, expanded=True)  # a long menu is read, not unfolded
    sidebar.draw(desk)
    lock.watch()
    if desk.on_behalf_of is not None:
        viewing.banner()
    header.draw(desk, page.url_path)
    try:
        page.run()
    finally:  # also when the page stops or begins again, as it does after every act
        counts.again(desk)


def _signed_out(desk: Desk) -> None:
    pages = [st.Page(sign_in.page, title="Sign in", icon=":material/login:", url_path="sign-in")]
    entries = entries_for(desk)
    pages += map(_page, entries)
    asked = entry_at(visitor.requested_page())
    if asked is not None and not asked.open_to(desk):
        pages.append(_hidden(sign_in.page, asked))  # the address stays, and opens after signing in
    is_menu = not all(entry.hidden for entry in entries)
    page = st.navigation(pages, position="sidebar" if is_menu else "hidden")
    sidebar.draw_for_a_visitor()
    page.run()


def _one_page(draw: Callable[[], None], title: str, front: str) -> None:
    """The same thing at every address, which is kept."""
    pages = [st.Page(draw, title=title, url_path=front, default=True)]
    asked = entry_at(visitor.requested_page())
    if asked is not None and asked.url_path != front:
        pages.append(_hidden(draw, asked))
    st.navigation(pages, position="hidden").run()


def _page(entry: Entry, title: str = "") -> st.Page:
    return st.Page(
        f"pages/{entry.file}",
        title=title or entry.title,
        icon=f":material/{entry.icon}:",
        url_path=entry.url_path,
        default=entry.front,
        visibility="hidden" if entry.hidden else "visible",
    )


def _hidden(draw: Callable[[], None], entry: Entry) -> st.Page:
    return st.Page(draw, title=entry.title, url_path=entry.url_path, visibility="hidden")


def _belongs_to(owner: str) -> None:
    """Forget everything when the window is another person's than before."""
    before = st.session_state.get(OWNER, owner)
    if before != owner:
        st.session_state.clear()
    st.session_state[OWNER] = owner
