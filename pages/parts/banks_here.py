"""Which customer an employee is: what is known, what they declare, what their admin registers."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from bank.core.desk import Desk
from bank.people import staff_customers
from bank.people.customer_links import LONGEST_REASON, LinkCard
from bank.people.customers import LONGEST_NUMBER
from bank.people.staff_list import EmployeeCard
from pages.parts import forms, tables, ui, waiting, words
from pages.parts.tables import Kind, column

LABELS: Final = {"customer": "Customer number", "reason": "Reason"}
NARROW: Final = 560  # pixels: an input is no wider than what belongs into it
WHY: Final = (
    "Nobody decides about their own accounts, or stands by at the window. A customer with the same "
    "mail address counts as the same person, too."
)
COLUMNS: Final = [
    column("Customer", "customer_number", key=True),
    column("State", "state", Kind.STATE, key=True),
    column("Since", "since", Kind.DAY),
    column("Registered by", "registered_by"),
    column("Agreed by", "agreed_by"),
    column("Until", "until", Kind.DAY),
    column("Ended by", "ended_by"),
    column("Why ended", "ended_because"),
]


def of_employee(desk: Desk, card: EmployeeCard) -> None:
    """For the admin: what is known of an employee, and changing it by two."""
    links = staff_customers.customer_links_of(desk, card.id)
    key = f"employee_banks_{card.id}"
    _known(links, key=key, empty="Nothing is known of accounts of theirs.")
    if not card.may_change:
        return
    for link in links:
        if link.until is None:
            _end(desk, card, link)
    with st.container(width=NARROW), st.form(f"{key}_new", border=False):
        number = st.text_input(
            LABELS["customer"], key=f"{key}_number", max_chars=LONGEST_NUMBER, autocomplete="off"
        )
        asked = st.form_submit_button("Register customer number", type="primary")
    if asked:
        done = f"{card.name} is known as customer {number.strip()}."
        with waiting.attempt(done, labels=LABELS, then=lambda: forms.forget(f"{key}_number")):
            staff_customers.link_customer(desk, card.id, number)


def own(desk: Desk) -> None:
    """For oneself: what is known, and declaring more."""
    st.header("Your own accounts")
    _known(
        staff_customers.own_customer_links(desk),
        key="own_banks",
        empty="The bank does not know of accounts of yours.",
    )
    with st.container(width=NARROW), st.form("own_banks_new", border=False):
        number = st.text_input(
            LABELS["customer"],
            key="own_banks_number",
            max_chars=LONGEST_NUMBER,
            autocomplete="off",
            help="As it stands on your passbook or statement. Your admin agrees.",
        )
        asked = st.form_submit_button("Declare customer number")
    if asked:
        done = f"You are known as customer {number.strip()}."
        with waiting.attempt(done, labels=LABELS, then=lambda: forms.forget("own_banks_number")):
            staff_customers.declare_customer(desk, number)


def _known(links: Sequence[LinkCard], *, key: str, empty: str) -> None:
    st.caption(WHY)
    if not links:
        ui.empty(empty, "Whoever banks here, too, says so with the customer number.")
        return
    tables.show(links, COLUMNS, key=f"{key}_links")


def _end(desk: Desk, card: EmployeeCard, link: LinkCard) -> None:
    with (
        st.container(width=NARROW),
        st.expander(words.plain(f"End the link to customer {link.customer_number}")),
        st.form(f"employee_banks_end_{link.id}", border=False),
    ):
        why = st.text_input(
            LABELS["reason"], key=f"employee_banks_why_{link.id}", max_chars=LONGEST_REASON
        )
        asked = st.form_submit_button("End link")
    if asked:
        with waiting.attempt("The link is ended.", labels=LABELS):
            staff_customers.end_customer_link(desk, card.id, link.id, why)
