"""See a customer's portal as they see it: read only, with a reason, for minutes; they are told."""

import streamlit as st

from bank.core.permissions import Permission
from bank.people import viewings
from pages.parts import sign_in, tables, ui
from pages.parts.tables import Kind, column

desk = ui.enter(Permission.CUSTOMER_VIEW_AS, title="View as customer")

NARROW = 560
LABELS = {"number": "Customer number", "reason": "Reason"}

with st.container(width=NARROW):
    st.write(
        "You see the customer's pages and can change nothing. The customer is told by mail, with "
        "your name and the reason, and it ends by itself."
    )
    with st.form("view_as", border=False):
        number = st.text_input(LABELS["number"], key="view_as_number")
        reason = st.text_input(
            LABELS["reason"],
            key="view_as_reason",
            max_chars=200,
            help="The customer reads it, and so does whoever looks into the trail.",
        )
        asked = st.form_submit_button("Start viewing", type="primary")
if asked:
    with ui.attempt(labels=LABELS):
        viewings.start_viewing(desk, number, reason)
        sign_in.leave("/")

st.header("Lately at this branch")
with ui.attempt():
    lately = viewings.viewings(desk)
    if not lately:
        ui.empty(
            "Nobody has looked at a customer's portal yet.",
            "Who does, at whom and why is listed here.",
        )
    else:
        tables.show(
            lately,
            [
                column("From", "started_at", Kind.MOMENT, key=True),
                column("Until", "until", Kind.MOMENT),
                column("Employee", "employee", key=True),
                column("Customer", "customer", key=True),
                column("Number", "number"),
                column("Reason", "reason"),
            ],
            key="view_as_lately",
        )
