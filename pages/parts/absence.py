"""An employee is away: recorded with who takes over, ended early, and what else is to be done."""

from datetime import timedelta
from typing import Final

import streamlit as st

from bank.core.desk import Desk
from bank.core.errors import BadInput
from bank.people import absences, away, staff_list
from bank.people.absences import AbsenceCard
from bank.people.staff_list import EmployeeCard
from pages.parts import forms, tables, ui, words
from pages.parts.tables import Kind, column

LABELS: Final = {
    "colleague": "Who takes over",
    "first_day": "First day",
    "last_day": "Last day",
    "reason": "Reason",
}
NOBODY: Final = "Nobody: back to the queues"


def draw(desk: Desk, card: EmployeeCard) -> None:
    """The absences there are, and the form of another."""
    cards = absences.absences(desk, card.id)
    for each in cards:
        if each.state in {"coming", "away"}:
            _one(desk, card, each)
    if card.may_change:
        _record(desk, card)
    before = [each for each in cards if each.state not in {"coming", "away"}]
    if before:
        tables.show(
            before,
            [
                column("First day", "first_day", Kind.DAY, key=True),
                column("Last day", "last_day", Kind.DAY, key=True),
                column("State", "state", Kind.STATE),
                column("Reason", "reason"),
                column("Taken over by", "colleague"),
                column("Ended because", "ended_because"),
            ],
            key=f"absences_{card.id}",
            file_name="absences.csv",
        )
    elif not cards and not card.may_change:
        ui.empty("They were never recorded as away.", "What is recorded will be listed here.")


def _one(desk: Desk, card: EmployeeCard, each: AbsenceCard) -> None:
    with st.container(border=True):
        to = each.colleague or "nobody; it goes back to the queues"
        st.markdown(
            f"{words.badge(each.state)} {words.day(each.first_day)} to {words.day(each.last_day)}: "
            f"{words.plain(each.reason)}  \nTaken over by {words.plain(to)}. Recorded by "
            f"{words.plain(each.recorded_by)}."
        )
        if not card.may_change:
            return
        if card.grants and each.colleague_id is not None:
            st.button(
                f"Give {each.colleague} a grant by name",
                key=f"absence_cover_{each.id}",
                on_click=_to_grants,
                args=(each.colleague_id,),
            )
        with st.form(f"absence_end_{each.id}", border=False):
            why = st.text_input(
                "Reason to end it", key=f"absence_why_{each.id}", max_chars=away.LONGEST_REASON
            )
            ended = st.form_submit_button("They are here")
        if ended:
            with ui.attempt("The absence is ended.", labels={"reason": "Reason to end it"}):
                absences.end_absence(desk, each.id, why)


def _to_grants(colleague_id: int) -> None:
    """Go to where the colleague is given what the absent may do (a callback: drawn after it)."""
    st.session_state["employees_chosen"] = str(colleague_id)
    st.session_state[f"employee_do_{colleague_id}"] = "Named grants"


def _record(desk: Desk, card: EmployeeCard) -> None:
    key = f"absence_new_{card.id}"
    st.caption(
        "What they hold goes to whoever takes over: at once, or on the first day. Until the last "
        "day nothing is handed to them, and nobody is told to wait for them."
    )
    _also(card)
    today = desk.bank.clock.business_date()
    furthest = today + timedelta(days=absences.LONGEST_DAYS)
    names = {
        each.id: f"{each.name} ({words.role_name(each.role)})"
        for each in staff_list.employees(desk)
        if each.branch_id == card.branch_id and each.id != card.id and each.state == "active"
    }
    with st.form(key, border=False):
        first = forms.day_input(
            LABELS["first_day"],
            today,
            first=today - timedelta(days=absences.LONGEST_DAYS),
            last=furthest,
            key=f"{key}_first",
        )
        last = forms.day_input(
            LABELS["last_day"], first=today, last=furthest, key=f"{key}_last"
        )  # fmt: skip
        colleague_id = st.selectbox(
            LABELS["colleague"],
            [None, *names],
            format_func=lambda user_id: names.get(user_id or 0, NOBODY),
            key=f"{key}_colleague",
        )
        reason = st.text_input(
            LABELS["reason"], key=f"{key}_reason", max_chars=away.LONGEST_REASON
        )  # fmt: skip
        asked = st.form_submit_button("Record absence", type="primary")
    if asked:
        with ui.attempt(f"{card.name} is recorded as away.", labels=LABELS):
            if first is None:
                raise BadInput("Choose the first day they are away.", field="first_day")
            if last is None:
                raise BadInput("Choose the last day they are away.", field="last_day")
            absences.record_absence(desk, card.id, first, last, reason, colleague_id)
            forms.forget(f"{key}_")


def _also(card: EmployeeCard) -> None:
    """What else is to be seen to: what stands against it, and what they alone may do."""
    if card.against:
        st.warning(words.plain(" ".join(card.against)), icon=":material/front_hand:")
    if card.grants:
        given = ", ".join(words.sentence(each.value) for each in card.grants)
        st.info(
            words.plain(
                f"Given to them by name: {given}. Whoever takes over may be given it for the time."
            ),
            icon=":material/supervisor_account:",
        )
