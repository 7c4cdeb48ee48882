"""An account, by the number on the slip or by its holder's name, and whose it is."""

from typing import Final

import streamlit as st

from bank.accounts import account_search, accounts
from bank.accounts.accounts import AccountCard
from bank.core import money
from bank.core.desk import Desk
from bank.core.permissions import Permission
from pages.parts import forms, freezes, tables, ui, waiting, words
from pages.parts.tables import Kind, column

LABELS: Final = {"account": "Account number", "holder": "Holder's name or customer number"}
FOUND: Final = [
    column("Account", "number", Kind.ACCOUNT, key=True),
    column("Holder", "holder", key=True, width=180),
    column("Product", "product_name"),
    column("State", "status", Kind.STATE),
]


def find_by_holder(desk: Desk, *, key: str, into: str, title: str) -> None:
    """Look for an account of the branch by whose it is; the chosen one's number goes `into` the
    input with that key, which is drawn below this."""
    if desk.sees_whole_bank and not desk.may(Permission.CUSTOMER_VIEW):
        return  # the bank refuses it, too
    place = "the bank" if desk.sees_whole_bank else "your branch"
    with st.expander(title):
        asked = st.text_input(
            LABELS["holder"],
            key=f"{key}_holder",
            placeholder="Three letters or more",
            help=f"Accounts of {place}. Each search is recorded in the trail.",
            autocomplete="off",
        )
        if not (asked or "").strip():
            return
        with ui.attempt(labels=LABELS):
            found = account_search.accounts_of_holder(desk, asked or "")
            if not found.rows:
                ui.empty(
                    f"No account of {place} is found.",
                    "Check the spelling, or ask for the account number.",
                )
                return
            chosen = tables.choose(
                found.rows,
                FOUND,
                key=f"{key}_found",
                id_of=lambda row: row.id,
                prompt="Choose an account",
            )
            if found.is_more:
                st.caption("There are more of them. Type more of the name.")
            if chosen is not None:
                forms.forget(f"{key}_")
                st.session_state[into] = chosen.number
                st.rerun()


def account_input(desk: Desk, label: str, *, key: str, find: str) -> str:
    """An input for an account, with whom it belongs to below it, before anything is counted.

    `find` is the title of the search. Answers the number as typed.
    """
    find_by_holder(desk, key=f"{key}_find", into=key, title=find)
    number = st.text_input(
        label,
        key=key,
        persist_state="page",
        placeholder="As it stands on the slip",
        autocomplete="off",
    )
    with st.container():  # always there, so that nothing below it moves (see forms.echo)
        if number:
            with ui.attempt(labels=LABELS | {"account": label}):
                card = accounts.find_account(desk, number)
                served(desk, card)
                waiting.banner(desk, "account", card.number)
    return number or ""


def served(desk: Desk, card: AccountCard) -> None:
    """Whom a number belongs to."""
    with st.container(border=True):
        st.markdown(f"**{words.plain(card.holder)}** {words.badge(str(card.status))}")
        st.caption(
            words.plain(
                f"{card.product_name}, {card.branch_name} ({card.ifsc}), customer "
                f"{card.customer_number}, available "
                f"{money.show(card.available_minor, card.currency)}"
            )
        )
        freezes.shown(desk, card)
