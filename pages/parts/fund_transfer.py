"""At the counter: money from one account to another, on a voucher. Fill, compare, receipt."""

from typing import Final

import streamlit as st

from bank.core import money
from bank.core.desk import Desk
from bank.counters import fund_transfers, slips
from bank.counters.fund_transfers import FundsPreview, Side
from bank.counters.receipts import Receipt
from bank.counters.supervision import SupervisorNeeded
from pages.parts import account_field, forms, slips_today, supervisor, ui, words
from pages.parts.forms import Slip, Step

LABELS: Final = {
    "from account": "From account",
    "to account": "To account",
    "amount": "Amount",
    "voucher number": "Voucher number",
    "narration": "Remark",
}

SUM_CHANGED: Final = (
    "What was moved from this account today has changed since the preview. Compare it once more."
)

slip: Final[Slip[FundsPreview, Receipt]] = Slip("funds")


def in_hand() -> bool:
    """Whether a voucher is being compared, or has just been booked."""
    return slip.step is not Step.FILL


def go_on(desk: Desk) -> None:
    """The voucher that is in hand."""
    if slip.step is Step.DONE:
        _done(desk, slip.receipt)
    else:
        _check(desk, slip.draft)


def fill(desk: Desk) -> None:
    """The voucher as it lies on the counter: both holders are named before anything is booked."""
    from_number = account_field.account_input(
        desk,
        "From account",
        key=slip.field("from"),
        find="Find the payer's account by the holder's name",
    )
    to_number = account_field.account_input(
        desk,
        "To account",
        key=slip.field("to"),
        find="Find the payee's account by the holder's name",
    )
    amount = forms.amount_input(LABELS["amount"], key=slip.field("amount"))
    voucher = st.text_input(
        LABELS["voucher number"],
        key=slip.field("voucher"),
        persist_state="page",
        max_chars=slips.LONGEST_SLIP,
        help="Signed by the holder of the account that pays.",
        autocomplete="off",
    )
    remark = st.text_input(
        LABELS["narration"],
        key=slip.field("remark"),
        persist_state="page",
        max_chars=slips.LONGEST_REMARK,
        help="Stands on both statements.",
        autocomplete="off",
    )
    if st.button("Preview", type="primary", key=slip.field("preview")):
        with ui.attempt(labels=LABELS):
            ahead = fund_transfers.preview_funds(
                desk, from_number, to_number, money.parse(amount), voucher or "", remark or ""
            )
            slip.preview(ahead)


def _check(desk: Desk, ahead: FundsPreview) -> None:
    if st.session_state.get(slip.field("changed")):
        st.warning(SUM_CHANGED)
    confirmed = forms.confirm(
        slip,
        title="Transfer: compare with the voucher",
        amount_minor=ahead.amount_minor,
        facts={
            "From": f"{ahead.payer.number}, {ahead.payer.holder}",
            "To": f"{ahead.payee.number}, {ahead.payee.holder}",
            "Voucher number": ahead.voucher_number,
            "On the statements": ahead.narration,
            "Debit": _line(ahead.payer),
            "Credit": _line(ahead.payee),
            "Available to the payer before": money.show(ahead.available_minor),
            "Payer's balance before and after": _balances(ahead.payer),
            "Payee's balance before and after": _balances(ahead.payee),
            "Mail to": _mails(ahead),
        },
        proofs=(lambda: supervisor.inputs(slip, ahead.supervised)) if ahead.supervised else None,
        action=f"Move {money.show(ahead.amount_minor)}",
    )
    if not confirmed:
        return
    asked = (
        ahead.payer.number,
        ahead.payee.number,
        ahead.amount_minor,
        ahead.voucher_number,
        ahead.remark,
    )
    with ui.attempt(labels=LABELS):
        try:
            vouched = None
            if ahead.supervised:
                vouched = supervisor.vouch(desk, slip, ahead.supervised, ahead.payer.number)
            receipt = fund_transfers.move_funds(
                desk, *asked, vouched=vouched, request_id=slip.request_id
            )
        except SupervisorNeeded:
            again = fund_transfers.preview_funds(desk, *asked)
            if again.supervised == ahead.supervised:
                raise
            # The sum of the day is another one by now, and so is what a supervisor has to see.
            st.session_state[slip.field("changed")] = True
            slip.preview(again)
        slip.finish(receipt)


def _line(side: Side) -> str:
    return f"{side.holder}'s account {words.masked(side.number)}, {side.product_name}"


def _balances(side: Side) -> str:
    return f"{money.show_side(side.before_minor)}, then {money.show_side(side.after_minor)}"


def _mails(ahead: FundsPreview) -> str:
    known = dict.fromkeys(one.mail_to for one in (ahead.payer, ahead.payee) if one.mail_to)
    return " and ".join(known) or "nobody, no address is known"


def _done(desk: Desk, receipt: Receipt) -> None:
    forms.receipt(
        slip,
        done=f"Transfer of {money.show(receipt.amount_minor)} booked.",
        reference=receipt.reference,
        facts={
            "Amount": receipt.amount_in_words,
            "From": f"{receipt.account}, {receipt.holder}",
            "To": f"{receipt.to_account}, {receipt.to_holder}",
            "Voucher number": receipt.slip_number or "",
            "Time": words.moment(receipt.booked_at),
            "Payer's balance after": money.show_side(receipt.balance_after_minor),
        },
        files=[
            slips_today.receipt_file(receipt.reference),
            slips_today.receipt_file(receipt.reference, label="Print with balance", balance=True),
        ],
        another="Next customer",
    )
    slips_today.mail(desk, receipt.reference, key=slip.field("mail"))
