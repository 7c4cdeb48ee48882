"""The business calendar: holidays of a year, when the bank is open, and which days come next."""

from collections.abc import Sequence
from datetime import date, timedelta

import streamlit as st

from bank.core.errors import BadInput
from bank.core.permissions import Permission
from bank.office import holidays
from bank.office.holidays import (
    LONGEST_NAME,
    LONGEST_REASON,
    LONGEST_SOURCE,
    YEARS_AHEAD,
    HolidayCard,
)
from pages.parts import forms, frame, tables, ui, words
from pages.parts.tables import Kind, column

desk = ui.enter(Permission.CALENDAR_VIEW, title="Holidays")

NARROW = 560  # pixels
YEARS_BACK = 2
YEAR, BRANCH, NEW = "holidays_year", "holidays_branch", "holiday_new_"
EVERYWHERE = "The whole bank"
LABELS = {
    "branch": "Where",
    "day": "Day",
    "name": "Name",
    "reason": "Why it is removed",
    "source": "Where it was notified",
}
PROMISED = (
    "Deadlines that were promised already stay as they are. What is opened from now on, and a "
    "clock that runs on after a rest, counts with the calendar as it is then."
)
today = desk.bank.clock.business_date()
names = frame.branch_names(desk)


def where(card: HolidayCard) -> str:
    """Whose holiday it is."""
    return names.get(card.branch_id or 0, EVERYWHERE)


def state(card: HolidayCard) -> str:
    """One word."""
    if card.day == today:
        return "today"
    return "past" if card.day < today else "to come"


def chosen_branch() -> int | None:
    """Whose calendar is looked at: one's own, or any for who sees the whole bank."""
    if not desk.sees_whole_bank:
        return desk.branch_id
    return st.selectbox(
        "Branch",
        [None, *names],
        format_func=lambda one: names.get(one or 0, "All branches"),
        key=BRANCH,
        width=220,
    )


def listed(cards: Sequence[HolidayCard], year: int) -> HolidayCard | None:
    """The holidays of the year; the one that was chosen to be removed, for who keeps them."""
    if not cards:
        ui.empty(
            f"No holiday of {year} is known yet.",
            "The State notifies them a year ahead. Add each below as it is notified."
            if keeps
            else "The branch admin and head office add them as they are notified.",
        )
        return None
    columns = [
        column("Day", "day", Kind.DAY, key=True),
        column("Weekday", "weekday"),
        column("Name", "name", key=True),
        column("Where", where),
        column("State", state, Kind.STATE),
        column("Notified", "source"),
    ]
    file_name = f"holidays-{year}.csv"
    if not keeps:
        tables.show(cards, columns, key="holidays", file_name=file_name)
        return None
    return tables.choose(
        cards,
        columns,
        key="holidays",
        id_of=lambda card: card.id,
        file_name=file_name,
        prompt="Choose a holiday",
    )


def remove(card: HolidayCard) -> None:
    """Take back a holiday that has not come."""
    with st.container(border=True, width=NARROW):
        st.header(words.plain(f"{card.name}, {words.day(card.day)}"))
        st.caption(words.plain(f"{where(card)}. Notified: {card.source}"))
        if not card.may_go:
            st.write(
                "It has come, so it stays in the calendar."
                if card.day <= today
                else "It is the whole bank's: head office removes it."
            )
            return
        with st.form(f"holiday_remove_{card.id}", border=False):
            reason = st.text_input(
                LABELS["reason"], key=f"holiday_reason_{card.id}", max_chars=LONGEST_REASON
            )
            st.caption(PROMISED)
            asked = st.form_submit_button("Remove holiday", type="primary")
        if asked:
            with ui.attempt(f"{card.name} is no holiday any more.", labels=LABELS):
                holidays.remove_holiday(desk, card.id, reason or "")
                st.session_state.pop("holidays_chosen", None)


def add() -> None:
    """The form of a new holiday."""
    with st.container(border=True, width=NARROW):
        st.header("Add a holiday")
        with st.form("holiday_new", border=False):
            place = desk.branch_id
            if desk.sees_whole_bank:
                place = st.selectbox(
                    LABELS["branch"],
                    [None, *names],
                    format_func=lambda one: names.get(one or 0, EVERYWHERE),
                    key=f"{NEW}branch",
                )
            day = forms.day_input(
                LABELS["day"],
                key=f"{NEW}day",
                first=today + timedelta(days=1),
                last=date(today.year + YEARS_AHEAD, 12, 31),
            )
            name = st.text_input(LABELS["name"], key=f"{NEW}name", max_chars=LONGEST_NAME)
            source = st.text_input(
                LABELS["source"],
                key=f"{NEW}source",
                max_chars=LONGEST_SOURCE,
                help="The notification or circular, with its number and date.",
            )
            st.caption(PROMISED)
            asked = st.form_submit_button("Add holiday", type="primary")
    if asked:
        with ui.attempt(f"{name.strip()} was added.", labels=LABELS):
            if day is None:
                raise BadInput("Choose the day on which it is closed.", field="day")
            holidays.add_holiday(desk, day, name or "", source or "", place)
            forms.forget(NEW)


def beside(branch_id: int | None) -> None:
    """When it is open, and which days come next on which it is not."""
    st.header("Opening hours")
    lines = holidays.opening_hours(desk, branch_id)
    if lines:
        places = [column("Where", lambda line: names.get(line.branch_id or 0, EVERYWHERE))]
        tables.show(
            lines,
            [
                *(places if any(line.branch_id for line in lines) else []),
                column("Days", "days", key=True),
                column("Open", "times", Kind.STATE, key=True),
                column("From", "effective_from", Kind.DAY),
                column("Source", "source"),
            ],
            key="opening_hours",
        )
    else:
        ui.empty("The bank has no opening hours.", "Without them no deadline can be counted.")
    st.header("Closed next")
    tables.show(
        holidays.closed_next(desk, branch_id),
        [
            column("Day", "day", Kind.DAY, key=True),
            column("Why", "why", key=True),
        ],
        key="closed_next",
    )


keeps = desk.may(Permission.CALENDAR_KEEP)
with st.container(horizontal=True):
    chosen_year = st.selectbox(
        "Year",
        range(today.year - YEARS_BACK, today.year + YEARS_AHEAD + 1),
        YEARS_BACK,
        key=YEAR,
        width=120,
    )
    branch = chosen_branch()
table, hours = st.columns([3, 2], gap="large")
with table:
    st.header(f"Holidays of {chosen_year}")
    chosen = listed(holidays.holidays(desk, chosen_year, branch), chosen_year)
    if chosen is not None:
        remove(chosen)
    elif keeps:
        st.caption("Choose a holiday to remove it, while it has not come.")
        add()
    else:
        st.caption(PROMISED)
with hours:
    beside(branch)
