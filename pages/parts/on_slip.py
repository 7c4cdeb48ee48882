"""What else stands on a cash slip: its number, who brings or takes the cash, a remark."""

from dataclasses import dataclass
from typing import Any, Final

import streamlit as st

from bank.counters import slips
from pages.parts.forms import Slip

HOLDER: Final = "The holder"
OTHER: Final = "Somebody else"


@dataclass(frozen=True)
class OnSlip:
    """As it was typed. `is_other` says that somebody else than the holder pays in."""

    slip_number: str
    person: str
    mobile: str
    remark: str
    is_other: bool


def fields(slip: Slip[Any, Any], kind: str | None) -> OnSlip:
    """Draw the fields of a deposit or a withdrawal."""
    slip_number = st.text_input(
        "Slip number",
        key=slip.field("slip"),
        persist_state="page",
        max_chars=slips.LONGEST_SLIP,
        autocomplete="off",
    )
    person, mobile, is_other = "", "", False
    if kind == slips.WITHDRAWAL:
        person = _person(slip, "Paid out to", help="When it is not the holder.")
    else:
        who = st.segmented_control(
            "Who pays in",
            [HOLDER, OTHER],
            default=HOLDER,
            required=True,
            key=slip.field("who"),
            persist_state="page",
        )
        is_other = who == OTHER
        if is_other:
            left, right = st.columns(2)
            with left:
                person = _person(slip, "Paid in by")
            mobile = right.text_input(
                "Their mobile number",
                key=slip.field("mobile"),
                persist_state="page",
                max_chars=20,
                placeholder="10 digits",
                autocomplete="off",
            )
    remark = st.text_input(
        "Remark",
        key=slip.field("remark"),
        persist_state="page",
        max_chars=slips.LONGEST_REMARK,
        help="Stands on the statement.",
        autocomplete="off",
    )
    return OnSlip(slip_number or "", person, mobile or "", remark or "", is_other)


def _person(slip: Slip[Any, Any], label: str, help: str | None = None) -> str:
    return (
        st.text_input(
            label,
            key=slip.field("person"),
            persist_state="page",
            max_chars=slips.LONGEST_PERSON,
            help=help,
            autocomplete="off",
        )
        or ""
    )
