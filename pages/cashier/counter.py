"""The cash counter: deposit and withdraw by slip, receipts, and what this cashier did today."""

from collections.abc import Callable, Sequence

import streamlit as st

from bank.accounts import accounts
from bank.accounts.accounts import AccountCard
from bank.core import money
from bank.core.approvals import ApprovalStatus, AwaitingApproval
from bank.core.permissions import Permission
from bank.core.secrets import Secret
from bank.counters import cash, drawers, receipts, slips, supervision
from bank.counters.cash import CashPreview
from bank.counters.drawers import DrawerState, DrawerStatus
from bank.counters.receipts import Receipt
from bank.office import approval_cards
from bank.office.approval_rows import ApprovalRow
from pages.parts import (
    forms,
    freezes,
    notes,
    phone_slips,
    slip_reversal,
    tables,
    ui,
    waiting,
    words,
)
from pages.parts.forms import File, Slip, Step
from pages.parts.tables import Kind, column

desk = ui.enter(Permission.CASH_POST, title="Cash counter")

NARROW = 640  # pixels: a slip is no wider than what is written on it
KINDS = {slips.DEPOSIT: "Deposit", slips.WITHDRAWAL: "Withdrawal"}
LABELS = {
    "account": "Account number",
    "amount": "Amount",
    "slip number": "Slip number",
    "person": "Paid in by / paid out to",
    "narration": "Remark",
    "notes and coins": "Notes and coins",
    "pan": "PAN",
    "token": "Token",
}
TODAY = [
    column("Time", lambda line: words.moment(line.booked_at)[-5:], by="booked_at"),
    column("Reference", "reference", key=True),
    column("What", lambda line: KINDS[line.kind]),
    column("Slip", "slip_number"),
    column("Account", "account_number", Kind.ACCOUNT),
    column("Name", "holder", width=140),
    column("Cash in", "cash_in_minor", Kind.AMOUNT, key=True, width=104),
    column("Cash out", "cash_out_minor", Kind.AMOUNT, key=True, width=104),
    column("State", lambda line: "reversed" if line.is_reversed else "booked", Kind.STATE),
]
COMMANDS = {
    "counters.cash.deposit": "Deposit",
    "counters.cash.withdraw": "Withdrawal",
    "counters.corrections.reverse_own_slip": "Reversal",
}
WAITING = [
    column("Time", lambda row: words.moment(row.made_at)[-5:], by="made_at"),
    column("What", lambda row: COMMANDS[row.command], key=True),
    column(
        "About",
        lambda row: row.about if row.object_kind == "entry" else words.masked(row.object_id or ""),
    ),
    column("Amount", "amount_minor", Kind.AMOUNT, key=True),
    column("State", "status", Kind.STATE, key=True),
    column("Words", lambda row: row.question or row.reason or "", width=260),
]

slip: Slip[CashPreview, Receipt] = Slip("counter")


def receipt_file(reference: str, *, label: str = "Print receipt", balance: bool = False) -> File:
    """The receipt as a PDF, made when it is asked for: the first is the original."""
    return File(
        label=label,
        make=lambda asking: receipts.print_receipt(asking, reference, balance),
        permission=Permission.RECEIPT_PRINT,
        file_name=f"receipt-{reference}.pdf",
    )


def served(card: AccountCard) -> None:
    """Whom the number belongs to, before anything is counted."""
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


def on_the_slip(kind: str | None) -> tuple[str, str, str]:
    """What else stands on it: its number, who brings or takes the cash, a remark."""
    left, right = st.columns(2)
    slip_number = left.text_input(
        LABELS["slip number"],
        key=slip.field("slip"),
        persist_state="page",
        max_chars=slips.LONGEST_SLIP,
        autocomplete="off",
    )
    person = right.text_input(
        "Paid out to" if kind == slips.WITHDRAWAL else "Paid in by",
        key=slip.field("person"),
        persist_state="page",
        max_chars=slips.LONGEST_PERSON,
        help="When it is not the holder.",
        autocomplete="off",
    )
    remark = st.text_input(
        LABELS["narration"],
        key=slip.field("remark"),
        persist_state="page",
        max_chars=slips.LONGEST_REMARK,
        help="Stands on the statement.",
        autocomplete="off",
    )
    return slip_number or "", person or "", remark or ""


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
    number = st.text_input(
        LABELS["account"],
        key=slip.field("account"),
        persist_state="page",
        placeholder="As it stands on the slip",
        autocomplete="off",
    )
    with st.container():  # always there, so that nothing below it moves (see forms.echo)
        if number:
            with ui.attempt(labels=LABELS):
                card = accounts.find_account(desk, number)
                served(card)
                waiting.banner(desk, "account", card.number)
    amount = forms.amount_input(LABELS["amount"], key=slip.field("amount"))
    slip_number, person, remark = on_the_slip(kind)
    if st.button("Preview", type="primary", key=slip.field("preview")):
        with ui.attempt(labels=LABELS):
            ahead = cash.preview_cash(
                desk,
                kind or "",
                number or "",
                money.parse(amount),
                slip_number,
                person,
                remark,
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
        st.info(words.plain(f"A supervisor has to see this: {ahead.supervised}"))
        left, right = st.columns(2)
        with left:
            st.text_input(
                "User name of the supervisor", key=slip.field("supervisor"), autocomplete="off"
            )
        with right:
            forms.code_input("One-time code of the supervisor", key=slip.field("code"))
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
            "pan": typed("pan"),
            "form_60": bool(typed("form_60")),
        }
    if not ahead.supervised:
        return {"token": token, "pieces": pieces}
    code = Secret(str(st.session_state.get(forms.secret_key(slip.field("code"))) or ""))
    about = (ahead.supervised, typed("supervisor"), code)
    vouched = supervision.vouch(desk, *about, account=ahead.account_number)
    return {"token": token, "pieces": pieces, "vouched": vouched}


def action_of(ahead: CashPreview) -> str:
    """What the button does, by its verb."""
    verb = "Take" if ahead.kind == slips.DEPOSIT else "Pay out"
    verb = "Ask for approval of" if ahead.waits else verb
    return f"{verb} {money.show(ahead.amount_minor)}"


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
            "Time": words.moment(receipt.booked_at),
            "Balance after": money.show_side(receipt.balance_after_minor),
        },
        files=[
            receipt_file(receipt.reference),
            receipt_file(receipt.reference, label="Print with balance", balance=True),
        ],
        another="Next customer",
    )


def today() -> None:
    """What this cashier booked today, with totals; any receipt once more, marked DUPLICATE."""
    st.header("Your slips today")
    wait_for_others()
    lines = slips.own_slips_today(desk)
    if not lines:
        ui.empty("Nothing booked yet today.", "Deposits and withdrawals you book appear here.")
        return
    counted = [line for line in lines if not line.is_reversed]
    cash_in = sum(line.cash_in_minor or 0 for line in counted)
    cash_out = sum(line.cash_out_minor or 0 for line in counted)
    one, two, three = st.columns(3)
    one.metric("Cash in", money.show(cash_in), border=True)
    two.metric("Cash out", money.show(cash_out), border=True)
    three.metric("Net, reversals left out", money.show(cash_in - cash_out), border=True)
    chosen = tables.choose(
        lines, TODAY, key="counter_today", id_of=lambda line: line.entry_id, prompt="Choose a slip"
    )
    if chosen is None:
        st.caption("Choose a slip to print its receipt once more, or to take it back.")
        return
    again = receipt_file(chosen.reference)
    ui.download(
        f"Print receipt {chosen.reference}",
        again.make,
        permission=again.permission,
        file_name=again.file_name,
        mime=again.mime,
        key="counter_today_print",
    )
    slip_reversal.ask(desk, chosen)


def wait_for_others() -> None:
    """What this cashier asked for today and is not booked: it waits, or somebody said no."""
    rows: Sequence[ApprovalRow] = approval_cards.own_waiting_today(desk, list(COMMANDS))
    if not rows:
        return
    st.markdown("**Waiting for approval, or refused**")
    chosen = tables.choose(
        rows, WAITING, key="counter_waiting", id_of=lambda row: row.id, prompt="Choose one"
    )
    if chosen is not None and slip.step is not Step.WAITS:
        waiting.follow(desk, chosen.id, key="counter_waiting_for")


def works_today(state: DrawerState | None) -> bool:
    """Whether the cashier has an open drawer of this business date."""
    today = desk.bank.clock.business_date()
    return state is not None and state.status is DrawerStatus.OPEN and state.business_date == today


match slip.step:
    case Step.DONE:
        done(slip.receipt)
    case Step.WAITS:
        wait()
    case _ if not works_today(drawers.own_state(desk)):
        ui.empty(
            "You have no open drawer today.",
            "Ask for one under My drawer; then you can take and pay cash here.",
        )
    case Step.FILL:
        with st.container(width=NARROW):
            fill()
    case Step.PREVIEW:
        check(slip.draft)
today()
