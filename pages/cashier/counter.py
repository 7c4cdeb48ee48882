"""The cash counter: deposit, withdraw, transfer by slip, receipts, what this cashier did today."""

from collections.abc import Callable

import streamlit as st

from bank.core import money
from bank.core.approvals import ApprovalStatus, AwaitingApproval
from bank.core.permissions import Permission
from bank.counters import cash, drawers, slips
from bank.counters.cash import CashPreview
from bank.counters.drawers import DrawerState, DrawerStatus
from bank.counters.receipts import Receipt
from pages.parts import (
    account_field,
    forms,
    fund_transfer,
    notes,
    on_slip,
    phone_slips,
    slips_today,
    supervisor,
    ui,
    waiting,
    words,
)
from pages.parts.forms import Slip, Step
from pages.parts.slips_today import KINDS, receipt_file

desk = ui.enter(Permission.CASH_POST, title="Cash counter")

NARROW = 640  # pixels: a slip is no wider than what is written on it
LABELS = {
    "account": "Account number",
    "amount": "Amount",
    "slip number": "Slip number",
    "person": "Paid in by / paid out to",
    "mobile": "Their mobile number",
    "narration": "Remark",
    "notes and coins": "Notes and coins",
    "pan": "PAN",
    "token": "Token",
}

slip: Slip[CashPreview, Receipt] = Slip("counter")


def fill() -> None:
    """The slip as it lies on the counter: account first, so that the holder can be greeted."""
    phone_slips.fill_in(desk, slip, KINDS, LABELS)
    kind = st.segmented_control(
        "What is it",
        list(KINDS),
        format_func=KINDS.__getitem__,
        default=slips.DEPOSIT,
        required=True,
        key=slip.field("kind"),
        persist_state="page",
    )
    if kind == slips.TRANSFER:
        fund_transfer.fill(desk)
        return
    number = account_field.account_input(
        desk,
        LABELS["account"],
        key=slip.field("account"),
        find="Find the account by the holder's name",
    )
    amount = forms.amount_input(LABELS["amount"], key=slip.field("amount"))
    written = on_slip.fields(slip, kind)
    if st.button("Preview", type="primary", key=slip.field("preview")):
        with ui.attempt(labels=LABELS):
            ahead = cash.preview_cash(
                desk,
                kind or "",
                number,
                money.parse(amount),
                written.slip_number,
                written.person,
                written.remark,
                mobile=written.mobile,
                is_other=written.is_other,
            )
            slip.preview(ahead)


def proofs(ahead: CashPreview) -> None:
    """What else belongs to this slip: a second person, a tax paper, notes and coins."""
    if ahead.waits:
        st.info(words.plain(ahead.waits), icon=":material/pending_actions:")
    if ahead.is_drawer_too_full:
        st.warning(
            words.plain(
                f"With this your drawer holds more than {money.show(ahead.drawer_limit_minor)}. "
                "Return cash to the vault under My drawer."
            )
        )
    if ahead.day_total_minor is not None:
        said = f"The holder pays in {money.show(ahead.day_total_minor)} in cash today."
        st.info(words.plain(f"{said} Ask for the PAN, or for Form 60."))
        left, right = st.columns(2, vertical_alignment="bottom")
        left.text_input(LABELS["pan"], key=slip.field("pan"), max_chars=10, autocomplete="off")
        right.checkbox("Form 60 was handed in", key=slip.field("form_60"))
    if ahead.supervised:
        supervisor.inputs(slip, ahead.supervised)
    with st.expander("Notes and coins, if you want to key them"):
        st.session_state[slip.field("pieces")] = notes.grid(
            desk, key=slip.field("tally"), should_be_minor=ahead.amount_minor
        )


def typed(name: str) -> str:
    """What was typed into one of the proofs, nothing where it was not asked for."""
    return str(st.session_state.get(slip.field(name)) or "")


def given(ahead: CashPreview) -> dict[str, object]:
    """What goes with the slip: the notes, and what was asked for beside it. Kept until the end, so
    that the same request meets what became of it."""
    pieces = st.session_state.get(slip.field("pieces")) or None
    token = phone_slips.token_of(slip)
    if ahead.kind == slips.DEPOSIT:
        return {
            "token": token,
            "pieces": pieces,
            "mobile": ahead.mobile,
            "pan": typed("pan"),
            "form_60": bool(typed("form_60")),
        }
    if not ahead.supervised:
        return {"token": token, "pieces": pieces}
    vouched = supervisor.vouch(desk, slip, ahead.supervised, ahead.account_number)
    return {"token": token, "pieces": pieces, "vouched": vouched}


def action_of(ahead: CashPreview) -> str:
    """What the button does, by its verb."""
    verb = "Take" if ahead.kind == slips.DEPOSIT else "Pay out"
    verb = "Ask for approval of" if ahead.waits else verb
    return f"{verb} {money.show(ahead.amount_minor)}"


def who_comes(ahead: CashPreview) -> dict[str, str]:
    """Who brings or takes the cash, to be compared with the slip."""
    if ahead.kind == slips.WITHDRAWAL:
        return {"Paid out to": ahead.person or "the holder"}
    return {"Paid in by": f"{ahead.person}, {ahead.mobile}" if ahead.person else "the holder"}


def check(ahead: CashPreview) -> None:
    """What will be booked, to be compared with the slip and the cash."""
    what = KINDS[ahead.kind]
    after = ahead.drawer_minor + ahead.amount_minor * (1 if ahead.kind == slips.DEPOSIT else -1)
    confirmed = forms.confirm(
        slip,
        title=f"{what}: compare with the slip",
        amount_minor=ahead.amount_minor,
        facts={
            "Account": f"{ahead.account_number}, {ahead.holder}",
            "Slip number": ahead.slip_number,
            **who_comes(ahead),
            "On the statement": ahead.narration,
            "Debit": ahead.debit,
            "Credit": ahead.credit,
            "Balance before": money.show_side(ahead.balance_before_minor),
            "Balance after": money.show_side(ahead.balance_after_minor),
            "In your drawer after": money.show(after),
            "Mail to": ahead.mail_to or "nobody, no address is known",
        },
        proofs=lambda: proofs(ahead),
        action=action_of(ahead),
    )
    if confirmed:
        with ui.attempt(labels=LABELS):
            st.session_state[slip.field("given")] = given(ahead)
            book(ahead)


def book(ahead: CashPreview) -> None:
    """Book the slip, or wait for a second person; the same request again meets what it became."""
    verb: Callable[..., Receipt] = cash.deposit if ahead.kind == slips.DEPOSIT else cash.withdraw
    with ui.attempt(labels=LABELS):
        try:
            receipt = verb(
                desk,
                ahead.account_number,
                ahead.amount_minor,
                ahead.slip_number,
                ahead.person,
                ahead.remark,
                **st.session_state[slip.field("given")],
                request_id=slip.request_id,
            )
        except AwaitingApproval as waits:
            slip.wait(waits.approval_id)
        slip.finish(receipt)


def wait() -> None:
    """Until somebody has decided: who may, and what else there is to say. Then the receipt."""
    with ui.attempt():
        card = waiting.follow(desk, slip.approval_id, key="counter_wait")
        if card.row.status is ApprovalStatus.EXECUTED:
            book(slip.draft)
            return
        with st.container(horizontal=True):
            if st.button("Next customer", type="primary", key="counter_wait_next"):
                ui.renew(slip.name)
                slip.again()
            if card.row.status not in waiting.OPEN and st.button(
                "Change the slip", type="tertiary", key="counter_wait_change"
            ):
                ui.renew(slip.name)
                slip.change()
        if card.row.status in waiting.OPEN:
            st.caption("It goes on waiting in your list below when you serve the next customer.")


def done(receipt: Receipt) -> None:
    """The reference large, the paper, the next one."""
    forms.receipt(
        slip,
        done=f"{KINDS[receipt.kind]} of {money.show(receipt.amount_minor)} booked.",
        reference=receipt.reference,
        facts={
            "Amount": receipt.amount_in_words,
            "Account": f"{receipt.account}, {receipt.holder}",
            "Slip number": receipt.slip_number or "",
            "Paid out to" if receipt.kind == slips.WITHDRAWAL else "Paid in by": " ".join(
                filter(None, (receipt.person, receipt.mobile))
            ),
            "Time": words.moment(receipt.booked_at),
            "Balance after": money.show_side(receipt.balance_after_minor),
        },
        files=[
            receipt_file(receipt.reference),
            receipt_file(receipt.reference, label="Print with balance", balance=True),
        ],
        another="Next customer",
    )
    slips_today.mail(desk, receipt.reference, key=slip.field("mail"))


def works_today(state: DrawerState | None) -> bool:
    """Whether the cashier has an open drawer of this business date."""
    today = desk.bank.clock.business_date()
    return state is not None and state.status is DrawerStatus.OPEN and state.business_date == today


match slip.step:
    case Step.DONE:
        done(slip.receipt)
    case Step.WAITS:
        wait()
    case _ if fund_transfer.in_hand():
        fund_transfer.go_on(desk)
    case _ if not works_today(drawers.own_state(desk)):
        ui.empty(
            "You have no open drawer today.",
            "Ask for one under My drawer; then you can take and pay cash here.",
        )
        st.header("Transfer between accounts, without cash")
        with st.container(width=NARROW):
            fund_transfer.fill(desk)
    case Step.FILL:
        with st.container(width=NARROW):
            fill()
    case Step.PREVIEW:
        check(slip.draft)
slips_today.draw(desk, slip)
