"""The branch's day on the page of its vault: where it stands, closing it, and the register."""

from typing import Final

import streamlit as st

from bank.core import money
from bank.core.desk import Desk
from bank.core.permissions import Permission
from bank.counters import branch_close
from bank.counters.branch_close import BranchDay
from bank.counters.branch_days import LONGEST_REASON, BranchAct
from pages.parts import forms, tables, ui, words
from pages.parts.tables import Kind, column

LABELS: Final = {"reason": "Reason"}
NARROW: Final = 640  # pixels
DAY: Final = "vault_day"
DAYS: Final = [
    column("Day", "business_date", Kind.DAY, key=True),
    column(
        "State", lambda row: "Opened again" if row.act is BranchAct.REOPENED else "Closed", key=True
    ),
    column("When", "at", Kind.MOMENT),
    column("By", "by_name", key=True),
    column("In the vault", "vault_minor", Kind.AMOUNT),
    column("Reason", "reason"),
]


def said(desk: Desk, day: BranchDay) -> None:
    """Where the branch's day stands, and for those who do not close it what keeps it open."""
    if day.in_the_way and not desk.may(Permission.BRANCH_CLOSE):
        st.caption(words.plain(f"The day is not closed yet. {' '.join(day.in_the_way)}"))
    if day.last is None:
        return
    who = f"{day.last.by_name}, {words.moment(day.last.at)}"
    if day.is_closed:
        st.info(words.plain(f"The day is closed: {who}."), icon=":material/lock:")
    else:
        st.info(words.plain(f"The day was opened again: {who}. {day.last.reason}"))


def closing(desk: Desk, day: BranchDay, vault_minor: int) -> None:
    """Close the branch's day, or open it again."""
    st.header(f"End of {words.day(day.business_date)}")
    forms.still_seen(DAY, day.last_id, "The day was closed or opened again meanwhile.")
    if day.is_closed:
        with st.container(width=NARROW):
            reason = st.text_input(
                LABELS["reason"],
                key="vault_reopen_reason",
                max_chars=LONGEST_REASON,
                help="Stays in the register of days.",
                autocomplete="off",
            )
        if st.button("Open the day again", key=f"vault_reopen_{day.last_id}"):
            with ui.attempt("The day is open again.", labels=LABELS):
                branch_close.reopen_day(desk, day.business_date, day.last_id, reason or "")
                forms.seen_anew(DAY)
        return
    if day.in_the_way:
        st.markdown("Before the day can be closed:")
        st.markdown("\n".join(f"- {words.plain(each)}" for each in day.in_the_way))
    else:
        st.caption(
            f"No drawer is left, the vault is counted. {money.show(vault_minor)} stay in the vault "
            "overnight; no cash moves until the next day."
        )
    if st.button(
        "Close the day",
        type="primary",
        key=f"vault_close_{day.last_id}",
        disabled=bool(day.in_the_way),
    ):
        with ui.attempt("The day is closed."):
            branch_close.close_day(desk, day.business_date, day.last_id)
            forms.seen_anew(DAY)


def register(desk: Desk, branch_id: int | None) -> None:
    """Who closed which day, and opened it again."""
    found = branch_close.days(desk, branch_id)
    if found:
        tables.show(found, DAYS, key="vault_days", file_name="days.csv")
    else:
        ui.empty("No day was closed yet.", "Who closed a day, and when, stands here.")
