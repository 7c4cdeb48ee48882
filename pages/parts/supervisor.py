"""A supervisor at the cashier's own window: what they vouch for, and their proof."""

from typing import Any

import streamlit as st

from bank.core.desk import Desk
from bank.core.secrets import Secret
from bank.counters import supervision
from pages.parts import forms, words
from pages.parts.forms import Slip


def inputs(slip: Slip[Any, Any], sentence: str) -> None:
    """What the supervisor has to see, their user name and the code of their device."""
    st.info(words.plain(f"A supervisor has to see this: {sentence}"))
    left, right = st.columns(2)
    with left:
        st.text_input(
            "User name of the supervisor", key=slip.field("supervisor"), autocomplete="off"
        )
    with right:
        forms.code_input("One-time code of the supervisor", key=slip.field("code"))


def vouch(desk: Desk, slip: Slip[Any, Any], sentence: str, account: str) -> int:
    """The proof that was typed, for this very sentence; raises what `supervision.vouch` refuses."""
    name = str(st.session_state.get(slip.field("supervisor")) or "")
    code = Secret(str(st.session_state.get(forms.secret_key(slip.field("code"))) or ""))
    return supervision.vouch(desk, sentence, name, code, account=account)
