"""Slips that customers prepared on their phone, at the counter: a token fills in the form."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from bank.core import money
from bank.core.desk import Desk
from bank.counters import prepared
from bank.counters.prepared import Prepared
from pages.parts import on_slip, ui, words
from pages.parts.forms import Slip


def token_of(slip: Slip[Any, Any]) -> str:
    """The token that goes with this slip, or nothing."""
    kept: Prepared | None = st.session_state.get(slip.field("prepared"))
    return kept.token if kept is not None else ""


def fill_in(
    desk: Desk, slip: Slip[Any, Any], kinds: Mapping[str, str], labels: Mapping[str, str]
) -> None:
    """A slip that the customer prepared: its token fills in the form, and the rest is asked as
    always."""
    found: Prepared | None = st.session_state.pop(slip.field("found"), None)
    if found is not None:  # before anything with these keys is drawn
        st.session_state[slip.field("prepared")] = found
        st.session_state[slip.field("kind")] = found.kind
        st.session_state[slip.field("account")] = found.account_number
        st.session_state[slip.field("amount")] = money.digits(found.amount_minor)
        st.session_state[slip.field("slip")] = f"T-{found.id}"
        st.session_state[slip.field("who")] = on_slip.HOLDER  # who comes for them says so
        for code, count in found.pieces.items():
            st.session_state[f"{slip.field('tally')}_{code}"] = count
    kept: Prepared | None = st.session_state.get(slip.field("prepared"))
    if kept is not None:
        what = kinds[kept.kind].lower()
        said = f"Token {kept.token}: {kept.holder} prepared a {what} of "
        st.info(
            words.plain(
                f"{said}{money.show(kept.amount_minor)}. Ask who it is, compare the signature, "
                "count the cash."
            ),
            icon=":material/edit_note:",
        )
        if st.button("Remove the token", type="tertiary", key=slip.field("without")):
            slip.again()
        return
    with st.form(slip.field("token_form"), border=False):
        left, right = st.columns([2, 1], vertical_alignment="bottom")
        token = left.text_input(
            labels["token"],
            max_chars=8,
            placeholder="6 digits, if the customer prepared the slip",
            autocomplete="off",
        )
        sent = right.form_submit_button("Fill in", width="stretch")
    if sent:
        with ui.attempt(labels=labels):
            st.session_state[slip.field("found")] = prepared.find_prepared(desk, token)
            st.rerun()
