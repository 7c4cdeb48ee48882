"""Prepare a cash slip: fill it in at home, read six digits to any counter of the bank."""

from collections.abc import Sequence

import streamlit as st

from bank.accounts import accounts
from bank.accounts.accounts import AccountCard, AccountStatus
from bank.core import money
from bank.core.permissions import Permission
from bank.counters import prepared, slips
from bank.counters.prepared import Prepared, PreparedStatus
from pages.parts import forms, notes, tables, ui, words
from pages.parts.forms import Slip, Step
from pages.parts.tables import Kind, column

desk = ui.enter(Permission.SLIP_PREPARE, title="Prepare a cash slip")

MAY_ACT = desk.may(Permission.SLIP_PREPARE, changes=True)  # not for who looks on their behalf
NARROW = 640  # pixels: a slip is no wider than what is written on it
KINDS = {slips.DEPOSIT: "Pay in", slips.WITHDRAWAL: "Take out"}
LABELS = {
    "account": "Account",
    "amount": "Amount",
    "kind": "What is it",
    "notes and coins": "Notes and coins",
}
PAST = [
    column("Prepared", "prepared_at", Kind.MOMENT),
    column("What", lambda row: KINDS[row.kind], key=True),
    column("Account", "account_number", Kind.ACCOUNT),
    column("Amount", "amount_minor", Kind.AMOUNT, key=True),
    column("State", "status", Kind.STATE, key=True),
]

slip: Slip[None, Prepared] = Slip("prepare_slip")


def named(card: AccountCard) -> str:
    """An own account, as its owner tells it from the others."""
    available = money.show(card.available_minor, card.currency)
    return f"{card.product_name} {words.masked(card.number)}, {available} available"


def fill(own: dict[str, AccountCard]) -> None:
    """What the paper slip would ask for."""
    kind = st.segmented_control(
        LABELS["kind"],
        list(KINDS),
        format_func=KINDS.__getitem__,
        default=slips.DEPOSIT,
        required=True,
        key=slip.field("kind"),
        persist_state="page",
    )
    number = st.selectbox(
        LABELS["account"],
        list(own),
        format_func=lambda number: named(own[number]),
        key=slip.field("account"),
        persist_state="page",
    )
    amount = forms.amount_input(LABELS["amount"], key=slip.field("amount"))
    with st.expander("Notes and coins, if you like"):
        pieces = notes.grid(desk, key=slip.field("tally"), offered=prepared.notes_to_choose(desk))
    once = ui.request_id(slip.name)
    if st.button("Get a token", type="primary", key=slip.field("prepare")):
        with ui.attempt(labels=LABELS):
            minor = money.parse(amount)
            slip.finish(
                prepared.prepare_slip(
                    desk, kind or "", number or "", minor, pieces or None, request_id=once
                )
            )


def token_of(one: Prepared) -> None:
    """One slip that waits for a counter, its token large, and the way back."""
    with st.container(border=True):
        st.markdown(
            f"**{KINDS[one.kind]} {words.plain(money.show(one.amount_minor))}**  "
            f"{words.plain(words.masked(one.account_number))}"
        )
        if not MAY_ACT:
            st.caption(f"Waits for a counter until the end of {words.day(one.valid_until)}.")
            return
        with st.container(key=f"large_code_token_{one.id}"):
            st.code(f"{one.token[:3]} {one.token[3:]}", language=None)
        st.caption(
            f"Good until the end of {words.day(one.valid_until)}, at every branch. "
            "Nothing is booked before the cashier has seen you and the cash."
        )
        if st.button("Cancel this slip", type="tertiary", key=f"prepare_slip_cancel_{one.id}"):
            with ui.attempt("The slip is cancelled; its token is good for nothing any more."):
                prepared.cancel_slip(desk, one.id)


def done(made: Prepared) -> None:
    """What to do with the token."""
    st.success("Your slip is ready. Read its token to the cashier.", icon=":material/check_circle:")
    if st.button("Prepare another", key="prepare_slip_another"):
        slip.again()


def listed(rows: Sequence[Prepared]) -> None:
    """What waits for a counter, newest first, and what became of the others."""
    waiting = [row for row in rows if row.status is PreparedStatus.PREPARED]
    for row in waiting:
        token_of(row)
    past = [row for row in rows if row.status is not PreparedStatus.PREPARED]
    if past:
        st.header("Earlier slips")
        tables.show(past, PAST, key="prepare_slip_past")


own = {
    card.number: card
    for card in accounts.own_accounts(desk)
    if card.status is AccountStatus.ACTIVE and card.currency == money.HOME
}
if not MAY_ACT:
    with st.container(width=NARROW):
        prepared_before = prepared.own_prepared(desk)
        listed(prepared_before)
        if not prepared_before:
            ui.empty("No slip has been prepared.", "The customer prepares one here.")
elif not own:
    ui.empty(
        "You have no account in rupees that is open.",
        "Cash is paid in and out in rupees only. Ask your branch to open an account.",
    )
else:
    with st.container(width=NARROW):
        if slip.step is Step.DONE:
            done(slip.receipt)
            listed(prepared.own_prepared(desk))
        else:
            fill(own)
            listed(prepared.own_prepared(desk))
