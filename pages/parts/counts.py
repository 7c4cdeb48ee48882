"""How much waits behind a page of the menu: `Inbox (3)`.

Nobody waits for it. A run draws the menu with what was counted before, and counts again when its
page is drawn, so that the next click shows it. Only who has just come, or comes back after a while,
is counted for first: short queries over indexes, which stop at a hundred. The count is part of a
page's title, never of its address, which is what Streamlit knows a page by.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import streamlit as st

from bank.core.desk import Desk
from bank.core.permissions import Permission
from bank.counters import vault_views
from bank.office import approval_cards, notices, queue_lists
from pages.parts.menu import Entry, entries_for

MOST: Final = 99
FRESH: Final = timedelta(seconds=5)  # not counted again before
STALE: Final = timedelta(minutes=1)  # not shown any more
KEPT: Final = "menu_counts"
NOTICES: Final = "notices"  # no page: what the bell tells

# What waits behind a page, by its file: who may ask, and how many there are.
WAITING: Final[Mapping[str, tuple[Permission, Callable[[Desk], int]]]] = {
    "staff/inbox.py": (Permission.WORK_DO, queue_lists.waiting_for_me),
    "staff/approvals.py": (Permission.APPROVAL_VIEW, approval_cards.count_for_me),
    "admin/vault.py": (
        Permission.VAULT_WITNESS,
        lambda desk: len(vault_views.waiting_for_me(desk)),
    ),
}


class Counted(NamedTuple):
    """How many wait by the page's file, as of an instant."""

    at: datetime
    waiting: Mapping[str, int]


def known(desk: Desk) -> Mapping[str, int]:
    """How many wait behind each page, as counted a little while ago."""
    return _counted(desk, STALE).waiting


def again(desk: Desk) -> None:
    """Count anew for the next run, unless that was done a moment ago."""
    _counted(desk, FRESH)


def new_notices(desk: Desk) -> int:
    """How much has happened to this person's things, as counted a little while ago."""
    return known(desk).get(NOTICES, 0)


def forget() -> None:
    """Count anew, because somebody has just looked."""
    st.session_state.pop(KEPT, None)


def title_of(entry: Entry, waiting: Mapping[str, int]) -> str:
    """The page as the menu calls it: `Inbox`, `Inbox (3)`, `Inbox (99+)`."""
    count = waiting.get(entry.file, 0)
    if count <= 0:
        return entry.title
    return f"{entry.title} ({count if count <= MOST else f'{MOST}+'})"


def _counted(desk: Desk, may_be: timedelta) -> Counted:
    """The last count if it is young enough, else a new one. It belongs to the window, which
    forgets it with all else when somebody else sits down (see shell.py)."""
    now = desk.bank.clock.now()
    before: Counted | None = st.session_state.get(KEPT)
    if before is not None and timedelta() <= now - before.at < may_be:
        return before
    open_to = {entry.file for entry in entries_for(desk)}
    asked = {file: ask for file, (needs, ask) in WAITING.items() if desk.may(needs)}
    waiting = {file: ask(desk) for file, ask in asked.items() if file in open_to}
    if desk.may(Permission.OWN_WORK_VIEW):
        waiting[NOTICES] = notices.count_new(desk)
    made = Counted(now, waiting)
    st.session_state[KEPT] = made
    return made
