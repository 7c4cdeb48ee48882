"""Where a customer starts: accounts with what is available, the newest lines, the last sign-in."""

from collections.abc import Sequence

import streamlit as st

from bank.accounts import accounts, statements
from bank.accounts.accounts import AccountCard
from bank.accounts.statement_lines import StatementLine
from bank.core import money
from bank.core.permissions import Permission
from bank.people import attempts
from bank.people.attempts import SignInStatus
from pages.parts import announcements, tables, ui, words
from pages.parts.tables import Kind, column

desk = ui.enter(Permission.OWN_ACCOUNTS_VIEW, title="Home")

NEWEST = 5


def last_sign_in() -> None:
    """When and from where this person came before, so that a stranger is noticed."""
    before = [
        sign_in
        for sign_in in attempts.own_sign_ins(desk, newest=20)
        if sign_in.outcome is SignInStatus.OPENED
    ][1:]
    with st.container(horizontal=True, vertical_alignment="center"):
        if before:
            st.caption(
                words.plain(
                    f"You signed in before on {words.moment(before[0].at)}, from "
                    f"{before[0].from_where}. Was this not you?"
                )
            )
            st.page_link("pages/every/security.py", label="See your sign-ins")
        else:
            st.caption("Welcome. This is your first time here.")


def account(card: AccountCard, lines: Sequence[StatementLine]) -> None:
    """One account: what is available, its number to give to others, its newest lines."""
    with st.container(border=True):
        title, state = st.columns([4, 1], vertical_alignment="center")
        title.header(words.plain(card.product_name))
        if card.status is not accounts.AccountStatus.ACTIVE:
            state.markdown(words.badge(str(card.status)))
        st.metric("Available", money.show(card.available_minor, card.currency))
        st.caption(words.plain(explained(card)))
        st.markdown(f"Account **{words.plain(card.number)}**, IFSC **{words.plain(card.ifsc)}**")
        if not lines:
            st.caption("Nothing has been booked on this account yet.")
            return
        tables.show(
            lines,
            [
                column("Date", "booking_date", Kind.DAY),
                column("What", "details", key=True, width=360),
                column(
                    "Amount", "amount_minor", Kind.SIDE, key=True, currency=lambda _: card.currency
                ),
            ],
            key=f"home_lines_{card.id}",
        )


def explained(card: AccountCard) -> str:
    """What the available balance is made of."""
    parts = [f"Booked {money.show_side(card.booked_minor, card.currency)}"]
    if card.held_minor:
        parts.append(f"less {money.show(card.held_minor, card.currency)} on hold")
    if card.overdraft_limit_minor:
        parts.append(
            f"plus {money.show(card.overdraft_limit_minor, card.currency)} overdraft limit"
        )
    return ", ".join(parts)


announcements.show(desk)
if desk.may(Permission.SESSION_KEEP):  # not for somebody who looks on a customer's behalf
    last_sign_in()
own = accounts.own_accounts(desk)
if not own:
    ui.empty(
        "You have no account with the bank yet.",
        "Your branch opens one for you; bring a document that says who you are.",
    )
    st.stop()
with st.container(horizontal=True):
    if desk.may(Permission.OWN_MONEY_SEND):
        st.page_link("pages/customer/send_money.py", label="Send money", icon=":material/send:")
    st.page_link("pages/customer/statement.py", label="Statement", icon=":material/receipt_long:")
newest = statements.last_lines(desk, NEWEST)
for card in own:
    account(card, newest.get(card.number, ()))
