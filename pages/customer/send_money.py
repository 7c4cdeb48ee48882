"""Send money to an own account or to any account of the bank: fill, check, prove, receipt."""

from dataclasses import dataclass, field

import streamlit as st

from bank.accounts import accounts
from bank.accounts.accounts import AccountCard, AccountStatus
from bank.core import money
from bank.core.permissions import Permission
from bank.core.secrets import Secret
from bank.counters import receipts, slips, transfers
from bank.counters.receipts import Receipt
from bank.counters.transfers import TransferPreview
from bank.people import confirmations
from pages.parts import forms, ui, words
from pages.parts.forms import File, Slip, Step

desk = ui.enter(Permission.OWN_MONEY_SEND, title="Send money")

NARROW = 640  # pixels: an input is no wider than what belongs into it
OWN, ANY = "To my own account", "To another account"
LABELS = {
    "account": "Account number",
    "to account": "To",
    "amount": "Amount",
    "note": "Note",
}

slip: Slip[TransferPreview, Receipt] = Slip("send_money")


@dataclass
class Proofs:
    """What was typed to prove who sends."""

    password: Secret = field(default_factory=lambda: Secret(""))
    code: str = ""


def named(card: AccountCard) -> str:
    """An own account, as its owner tells it from the others."""
    available = money.show(card.available_minor, card.currency)
    return f"{card.product_name} {words.masked(card.number)}, {available} available"


def fill(own: dict[str, AccountCard]) -> None:
    """From where, to whom, how much. Accounts are chosen by number: balances change meanwhile."""
    from_number = st.selectbox(
        "From",
        list(own),
        format_func=lambda number: named(own[number]),
        key=slip.field("from"),
        persist_state="page",
    )
    payer = own[from_number]
    others = [number for number in own if number != from_number]
    way = st.segmented_control(
        "To whom",
        [ANY, OWN] if others else [ANY],
        default=ANY,
        required=True,
        key=slip.field("way"),
        persist_state="page",
    )
    if way == OWN:
        to_number = st.selectbox(
            "To",
            others,
            format_func=lambda number: named(own[number]),
            key=slip.field("own"),
            persist_state="page",
        )
    else:
        to_number = st.text_input(
            "Account number of the payee",
            key=slip.field("to"),
            persist_state="page",
            help="Any account of this bank. You see whose it is before anything is sent.",
            autocomplete="off",
        )
    amount = forms.amount_input(LABELS["amount"], key=slip.field("amount"), currency=payer.currency)
    note = st.text_input(
        LABELS["note"],
        key=slip.field("note"),
        persist_state="page",
        max_chars=slips.LONGEST_NOTE,
        help="The payee reads it on the statement.",
        autocomplete="off",
    )
    if st.button("Preview", type="primary", key=slip.field("preview")):
        with ui.attempt(labels=LABELS):
            minor = money.parse(amount, currency=payer.currency)
            slip.preview(transfers.preview(desk, payer.number, to_number or "", minor, note or ""))


def check(ahead: TransferPreview) -> None:
    """To whom and how much, once more; then the proofs."""
    typed = Proofs()

    def proofs() -> None:
        ask_for_code(ahead, means.mail_to)
        left, right = st.columns(2)
        with left:
            typed.password = forms.password_input(
                "Transaction password", key=slip.field("secret_password")
            )
        with right:
            typed.code = forms.code_input("One-time code", key=slip.field("secret_code"))

    confirmed = forms.confirm(
        slip,
        title="Is this right?",
        amount_minor=ahead.amount_minor,
        currency=ahead.currency,
        facts={
            "To": f"{ahead.payee}, account {ahead.to_number}",
            "From": f"{ahead.from_product} {words.masked(ahead.from_number)}",
            "Note": ahead.note,
            "Available now": money.show(ahead.available_before_minor, ahead.currency),
            "Available after": money.show(ahead.available_after_minor, ahead.currency),
            "Charge": "None",
        },
        proofs=proofs,
        action=f"Send {money.show(ahead.amount_minor, ahead.currency)}",
    )
    if confirmed:
        with ui.attempt(labels=LABELS):
            receipt = transfers.send(
                desk,
                ahead.from_number,
                ahead.to_number,
                ahead.amount_minor,
                ahead.note,
                typed.password,
                Secret(typed.code),
                slip.request_id,
            )
            forms.forget(slip.field("secret"))
            slip.finish(receipt)


def ask_for_code(ahead: TransferPreview, mail_to: str) -> None:
    """A code by mail, good for exactly this transfer."""
    with st.container(horizontal=True, vertical_alignment="center"):
        asked = st.button("Send code", key=slip.field("ask"), icon=":material/mail:")
        st.caption(f"A code for exactly this transfer, by mail to {words.plain(mail_to)}.")
    with st.container():  # always there, so that nothing below it moves (see forms.echo)
        if asked:
            with ui.attempt():
                transfers.ask_for_code(
                    desk, ahead.from_number, ahead.to_number, ahead.amount_minor, ahead.note
                )
                st.success("A code is on its way.", icon=":material/mail:")


def done(receipt: Receipt) -> None:
    """The reference large, the paper, the next one."""
    forms.receipt(
        slip,
        done=f"{money.show(receipt.amount_minor, receipt.currency)} sent.",
        reference=receipt.reference,
        facts={
            "Amount": receipt.amount_in_words,
            "To": f"{receipt.to_holder}, {receipt.to_account}",
            "From": receipt.account,
            "Note": receipt.note,
            "Time": words.moment(receipt.booked_at),
            "Balance after": money.show_side(receipt.balance_after_minor, receipt.currency),
        },
        files=[
            File(
                label="Download receipt",
                make=lambda asking: receipts.print_receipt(asking, receipt.reference),
                permission=Permission.RECEIPT_PRINT,
                file_name=f"receipt-{receipt.reference}.pdf",
            )
        ],
        another="Send more",
    )


open_accounts = {
    card.number: card for card in accounts.own_accounts(desk) if card.status is AccountStatus.ACTIVE
}
if not open_accounts:
    ui.empty("You have no open account to send from.", "Ask your branch to open one.")
    st.stop()
means = confirmations.means(desk)
if not means.has_transaction_password:
    st.info("Payments ask for a transaction password, and you have none yet. Choose one first.")
    st.page_link("pages/every/security.py", label="Choose a transaction password")
    st.stop()
if means.rest_until is not None and slip.step is not Step.DONE:
    st.info(
        "Your transaction password was set without the old one, so payments rest until "
        f"{words.moment(means.rest_until)}. If it was not you, call your branch at once."
    )
    st.stop()
match slip.step:
    case Step.FILL:
        with st.container(width=NARROW):
            fill(open_accounts)
    case Step.PREVIEW:
        check(slip.draft)
    case Step.DONE:
        done(slip.receipt)
