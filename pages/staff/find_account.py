"""An account by its exact number, or by its holder's name, to read: balances, latest lines."""

import streamlit as st

from bank.accounts import accounts, statements
from bank.core import money
from bank.core.permissions import Permission
from pages.parts import account_field, freezes, tables, ui, waiting, words
from pages.parts.tables import Kind, column

desk = ui.enter(Permission.ACCOUNT_LOOK_UP, title="Find an account")

account_field.find_by_holder(
    desk,
    key="find_holder",
    into="find_account_number",
    title="Find an account by the holder's name",
)
with st.form("find_account", border=True):
    typed = st.text_input(
        "Account number",
        key="find_account_number",
        placeholder="As it stands on the slip or the passbook",
        help="The whole number. Each look at an account is recorded in the trail.",
    )
    st.form_submit_button("Find account", type="primary")

if not typed.strip():
    ui.empty("No account yet.", "Type the whole account number and press Enter.")
    st.stop()

with ui.attempt(labels={"account": "Account number"}):
    card = accounts.find_account(desk, typed)
    lines = statements.account_last_lines(desk, card.number, 20)

    st.header(card.holder)
    st.markdown(words.badge(str(card.status)))
    freezes.shown(desk, card)
    booked, available, held, limit = st.columns(4)
    booked.metric("Booked", money.show_side(card.booked_minor, card.currency), border=True)
    available.metric("Available", money.show(card.available_minor, card.currency), border=True)
    held.metric("On hold", money.show(card.held_minor, card.currency), border=True)
    limit.metric(
        "Overdraft limit", money.show(card.overdraft_limit_minor, card.currency), border=True
    )
    waiting.banner(desk, "account", card.number)
    tables.facts(
        {
            "Account": card.number,
            "Product": card.product_name,
            "Customer": card.customer_number,
            "Branch": f"{card.branch_name} ({card.ifsc})",
            "Opened": words.day(card.opened_on),
            "Last entry": words.day(card.last_booking_date),
        }
    )

    freezes.kept(desk, card)

    st.header("Latest entries")
    if lines:
        tables.show(
            lines,
            [
                column("Date", "booking_date", Kind.DAY, key=True),
                column("What", "details"),
                column(
                    "Amount", "amount_minor", Kind.SIDE, key=True, currency=lambda _: card.currency
                ),
                column("Balance", "balance_minor", Kind.SIDE, currency=lambda _: card.currency),
            ],
            key="find_account_lines",
        )
    else:
        ui.empty("Nothing has been booked on this account yet.", "A first deposit opens the list.")
