"""The form with which whoever has claimed a ticket sets it aside, and takes it up again."""

from datetime import timedelta
from typing import Final

import streamlit as st

from bank.core.clock import appointment, in_india
from bank.core.desk import Desk
from bank.core.work_tables import W
from bank.office import ticket_rests
from bank.office.queue_lists import ItemRow
from bank.office.ticket_desk import Opened
from pages.parts import forms, ui

LABELS: Final = {"until": "Until"}


def draw(desk: Desk, item: ItemRow, found: Opened) -> None:
    """One's own claimed ticket: let it rest, or take it up before its moment."""
    card = found.card
    if card.state is not W.CLAIMED:
        return
    if item.is_resting:
        label = f"Take {card.reference} up"
        if st.button(label, key=f"ticket_take_up_{card.id}", icon=":material/alarm_off:"):
            with ui.attempt(f"{card.reference} is on your desk again."):
                ticket_rests.take_up(desk, card.id)
        return
    days, today = ticket_rests.longest_rest_days(desk), in_india(desk.bank.clock.now()).date()
    with (
        st.popover("Set aside", icon=":material/snooze:"),
        st.form(f"ticket_rest_{card.id}", border=False),
    ):
        due = card.next_due_at
        by = f" The customer was promised something by {appointment(due)}." if due else ""
        st.caption(
            f"It stays yours and stands last until then, or until the customer writes. The"
            f" promise does not rest.{by}"
        )
        day = forms.day_input(
            "Day",
            today + timedelta(days=1),
            key=f"ticket_rest_{card.id}_day",
            first=today,
            last=today + timedelta(days=days),
        )
        at = st.time_input(
            "Time", "10:00", key=f"ticket_rest_{card.id}_time", step=timedelta(minutes=15)
        )
        if st.form_submit_button(f"Set {card.reference} aside"):
            with ui.attempt(f"{card.reference} rests.", labels=LABELS):
                ticket_rests.set_aside(desk, card.id, day, at)
