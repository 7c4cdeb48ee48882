"""What a cashier booked today, with totals, what of it waits, and any receipt once more."""

from collections.abc import Sequence
from typing import Any, Final

import streamlit as st

from bank.core import money
from bank.core.desk import Desk
from bank.core.permissions import Permission
from bank.counters import receipt_mails, receipts, slips
from bank.office import approval_cards
from bank.office.approval_rows import ApprovalRow
from pages.parts import slip_reversal, tables, ui, waiting, words
from pages.parts.forms import File, Slip, Step
from pages.parts.tables import Kind, column

KINDS: Final = {
    slips.DEPOSIT: "Deposit",
    slips.WITHDRAWAL: "Withdrawal",
    slips.TRANSFER: "Transfer",
}
TODAY: Final = [
    column("Time", lambda line: words.moment(line.booked_at)[-5:], by="booked_at"),
    column("Reference", "reference", key=True),
    column("What", lambda line: KINDS[line.kind]),
    column("Slip", "slip_number"),
    column("Account", "account_number", Kind.ACCOUNT),
    column("Name", "holder", width=140),
    column("Cash in", "cash_in_minor", Kind.AMOUNT, key=True, width=104),
    column("Cash out", "cash_out_minor", Kind.AMOUNT, key=True, width=104),
    column("Transferred", "moved_minor", Kind.AMOUNT, width=104),
    column("State", lambda line: "reversed" if line.is_reversed else "booked", Kind.STATE),
]
COMMANDS: Final = {
    "counters.cash.deposit": "Deposit",
    "counters.cash.withdraw": "Withdrawal",
    "counters.corrections.reverse_own_slip": "Reversal",
}
WAITING: Final = [
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


def receipt_file(reference: str, *, label: str = "Print receipt", balance: bool = False) -> File:
    """The receipt as a PDF, made when it is asked for: the first is the original."""
    return File(
        label=label,
        make=lambda asking: receipts.print_receipt(asking, reference, balance),
        permission=Permission.RECEIPT_PRINT,
        file_name=f"receipt-{reference}.pdf",
    )


def mail(desk: Desk, reference: str, *, key: str) -> None:
    """Send the receipt to its customer, and say where it went."""
    if st.button("E-mail receipt", key=key, icon=":material/mail:"):
        with ui.attempt():
            mailed = receipt_mails.mail_receipt(desk, reference)
            said = "is on its way" if mailed.is_new else "was sent today already, once,"
            st.success(words.plain(f"The receipt {said} to {mailed.to}."))


def draw(desk: Desk, slip: Slip[Any, Any]) -> None:
    """What this cashier booked today, with totals; any receipt once more, marked DUPLICATE."""
    st.header("Your slips today")
    _wait_for_others(desk, slip)
    lines = slips.own_slips_today(desk)
    if not lines:
        ui.empty(
            "Nothing booked yet today.",
            "Deposits, withdrawals and transfers you book appear here.",
        )
        return
    counted = [line for line in lines if not line.is_reversed]
    cash_in = sum(line.cash_in_minor or 0 for line in counted)
    cash_out = sum(line.cash_out_minor or 0 for line in counted)
    moved = sum(line.moved_minor or 0 for line in counted)
    one, two, three, four = st.columns(4)
    one.metric("Cash in", money.show(cash_in), border=True)
    two.metric("Cash out", money.show(cash_out), border=True)
    three.metric("Net, reversals left out", money.show(cash_in - cash_out), border=True)
    four.metric("Transferred without cash", money.show(moved), border=True)
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
    mail(desk, chosen.reference, key=f"counter_today_mail_{chosen.entry_id}")
    slip_reversal.ask(desk, chosen)


def _wait_for_others(desk: Desk, slip: Slip[Any, Any]) -> None:
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
