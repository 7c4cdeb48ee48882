"""A drawer whose cashier is not there: stopped, counted and confirmed by two others."""

from typing import Final

import streamlit as st

from bank.core import money
from bank.core.desk import Desk
from bank.core.permissions import Permission
from bank.counters import absences, counts
from bank.counters.drawer_views import DrawerCard
from bank.counters.drawers import LONGEST_NOTE, Absence
from pages.parts import chest, forms, notes, ui, words

LABELS: Final = {"reason": "Reason", "why": "The cashier", "notes and coins": "Notes and coins"}
WHY: Final = {
    Absence.ABSENT: "Is not at work",
    Absence.LOCKED: "Is locked out",
    Absence.OTHER: "Cannot count it",
}


def stop(desk: Desk, card: DrawerCard) -> None:
    """Stop the drawer, with why its cashier does not count it."""
    key = f"vault_left_{card.id}"
    with st.expander(words.plain(f"{card.cashier} is not there to count it")):
        st.caption(
            "The drawer stops, you count it, and another custodian confirms the count and takes "
            "the cash. The cashier is told by mail. Until then they can come back and go on."
        )
        why = st.segmented_control(
            LABELS["why"],
            list(WHY),
            format_func=WHY.__getitem__,
            default=Absence.ABSENT,
            required=True,
            key=f"{key}_why",
        )
        said = st.text_input(
            "What happened",
            key=f"{key}_said",
            max_chars=LONGEST_NOTE,
            help="Stands on the report of the drawer.",
            autocomplete="off",
        )
        if st.button("Stop this drawer", type="primary", key=f"{key}_stop"):
            labels = LABELS | {"reason": "What happened"}
            with ui.attempt(f"The drawer of {card.cashier} is stopped. Count it.", labels=labels):
                absences.stop_for(desk, card.id, why or Absence.ABSENT, said or "")


def count(desk: Desk, card: DrawerCard) -> None:
    """Count it: nothing here says what should be in it."""
    left, key = absences.left_drawer(desk, card.id), f"vault_left_count_{card.id}"
    with st.container(border=True):
        st.subheader(words.plain(f"Count the drawer of {card.cashier}"))
        st.caption(words.plain(f"{card.cashier}, {left.reason}"))
        pieces = notes.grid(desk, key=key)
        if st.button("Enter this count", type="primary", key=f"{key}_send"):
            with ui.attempt(labels=LABELS):
                found = absences.count_for(desk, card.id, pieces)
                off = found.difference_minor
                said = chest.over_or_short(off) if off else "It balances"
                ui.flash(f"{said}. Another custodian confirms it and takes the cash.")
                forms.forget(f"{key}_")
                st.rerun()


def to_confirm(desk: Desk, card: DrawerCard) -> None:
    """What was found in the cashier's absence, and the word of the second person."""
    left = absences.left_drawer(desk, card.id)
    off, key = left.difference_minor, f"vault_left_{card.id}"
    with st.container(border=True):
        st.markdown(
            f"**{words.plain(left.counted_by)}** counted **{money.show(left.counted_minor)}** in "
            f"the absence of **{words.plain(left.cashier)}**"
        )
        st.caption(words.plain(f"{left.cashier}, {left.reason}. {notes.in_words(left.rows)}"))
        if off:
            should = money.show(left.expected_minor)
            st.warning(words.plain(f"{chest.over_or_short(off)}: {should} should be there."))
        is_mine = left.counted_by_id == desk.user_id
        takes = desk.may(Permission.VAULT_KEEP) and not is_mine
        if not takes:
            st.info(
                "You counted it, so another custodian confirms it and takes the cash."
                if is_mine
                else "A custodian confirms it and takes the cash."
            )
        reason = st.text_input(
            LABELS["reason"],
            key=f"{key}_reason",
            max_chars=counts.LONGEST_REASON,
            help="Of a difference, or why it is sent back.",
            autocomplete="off",
        )
        request_id = ui.request_id(key)
        yes, no = st.columns(2)
        label = "Confirm, take the cash and close"
        if takes and yes.button(label, type="primary", key=f"{key}_yes"):
            done = f"The drawer of {left.cashier} is closed. They are told by mail."
            with ui.attempt(done, form=key, labels=LABELS):
                absences.confirm_for(desk, card.id, reason or "", request_id=request_id)
        if desk.may(Permission.DRAWER_SUPERVISE) and no.button("Send it back", key=f"{key}_no"):
            with ui.attempt("The drawer is open again.", labels=LABELS):
                counts.send_back(desk, card.id, reason or "")
