"""At the counter: ask that a slip of today is taken back. A second person decides."""

from typing import Final

import streamlit as st

from bank.core import money
from bank.core.desk import Desk
from bank.counters import corrections, slips
from bank.counters.slips import CashLine
from pages.parts import forms, ui, waiting, words

LABELS: Final = {"reason": "Reason"}
WAYS: Final = {
    slips.DEPOSIT: "given back",
    slips.WITHDRAWAL: "taken back into your drawer",
    slips.TRANSFER: "moved back to the account that paid",
}


def ask(desk: Desk, line: CashLine) -> None:
    """The form below a slip; who has asked sees whom it waits for instead."""
    if line.is_reversed or waiting.banner(desk, "entry", str(line.entry_id)):
        return
    form = f"counter_reverse_{line.entry_id}"
    paper = "voucher" if line.kind == slips.TRANSFER else "slip"
    with st.expander(f"Take {paper} {words.plain(line.slip_number)} back"):
        way = WAYS[line.kind]
        st.write(
            words.plain(
                f"{money.show(line.amount_minor)} is {way} once a second person agrees. What was "
                "booked stays in the journal, with its reversal beside it; that cannot be undone."
            )
        )
        why = st.text_input(
            LABELS["reason"],
            key=f"{form}_reason",
            max_chars=corrections.LONGEST_REASON,
            autocomplete="off",
        )
        request_id = ui.request_id(form)
        if st.button("Ask for reversal", key=f"{form}_ask"):
            done = f"{paper.capitalize()} {line.slip_number} is taken back."
            with waiting.attempt(done, labels=LABELS, then=lambda: forms.forget(f"{form}_")):
                corrections.reverse_own_slip(desk, line.entry_id, why or "", request_id)
