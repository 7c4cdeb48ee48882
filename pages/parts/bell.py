"""The bell of every employee: how much has happened to their own things, and what it was.

The figure is counted with those of the menu, so no run waits for it. To open the list is to have
seen it; each line leads to what it is about.
"""

from datetime import datetime

import streamlit as st

from bank.core.approvals import ApprovalStatus
from bank.core.desk import Desk
from bank.core.permissions import STAFF
from bank.office import notices
from bank.office.notices import MOST_COUNTED, Notice
from pages.parts import counts, find, ui, waiting, words

TOLD = {
    ApprovalStatus.EXECUTED: "was approved by {by}",
    ApprovalStatus.REJECTED: "was rejected by {by}",
    ApprovalStatus.RETURNED: "came back with a question of {by}",
    ApprovalStatus.EXPIRED: "has expired: nobody decided it in time",
    ApprovalStatus.FAILED: "can no longer be done",
    "re-assigned": "was handed to you by {by}",
    "handed over": "was handed to you by {by}",
    "timed out": "is unassigned again: your claim ran out",
    "not taken up": "is unassigned again: you had not taken it up in time",
}


def button(desk: Desk) -> None:
    """The way to the list, with how much is new."""
    count = counts.new_notices(desk)
    more = f" ({count if count <= MOST_COUNTED else f'{MOST_COUNTED}+'})" if count else ""
    if st.button(
        f"Notifications{more}", key="bell_open", icon=":material/notifications:", type="tertiary"
    ):
        counts.forget()
        _listed()


@st.dialog("Notifications")
def _listed() -> None:
    """What has happened in the last two weeks, what is new first said so."""
    desk = ui.principal()
    if desk.role not in STAFF:
        st.rerun()  # Home.py shows where this person stands now
    with ui.attempt():
        found, seen_at = notices.look(desk)
        if not found:
            ui.empty(
                "Nothing has happened to your things in two weeks.",
                "What becomes of what you ask for, and work that is handed to you, appears here.",
            )
        for notice in found:
            # By what it is: a line that comes while the list is open must not change the others.
            name = (notice.approval_id, notice.item_id, notice.act, notice.at.timestamp())
            _line(desk, notice, seen_at, f"bell_{'_'.join(map(str, name))}")


def _line(desk: Desk, notice: Notice, seen_at: datetime, key: str) -> None:
    title = waiting.TITLES.get(notice.title, notice.title)
    name = (
        f"Approval {notice.approval_id}: {title}"
        if notice.approval_id
        else f"{words.sentence(notice.reference)}: {notice.title}"
    )
    happened = TOLD[notice.act].format(by=notice.by)
    if st.button(words.plain(f"{name} {happened}"), key=key, type="tertiary"):
        if notice.approval_id:
            find.open_approval(notice.approval_id)
        else:
            find.open_item(notice.item_id)
    is_new = notice.at > seen_at
    badge = f"{words.badge('new', words.Tone.INFO)} " if is_new else ""
    said = f": {notice.said}" if notice.said else ""
    age = words.age(notice.at, desk.bank.clock.now())
    st.caption(f"{badge}{words.plain(f'{age}{said}')}")
