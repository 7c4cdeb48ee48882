"""Cash of the currency chest and the count of the vault, each in the hands of two."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from bank.core import money
from bank.core.desk import Desk
from bank.core.errors import NotFound
from bank.core.permissions import Permission
from bank.counters import remittance_views, remittances, vault_counts
from bank.counters.counts import LONGEST_REASON
from bank.counters.drawers import LONGEST_NOTE
from bank.counters.remittance_views import RemittanceCard, RemittancePreview
from bank.counters.remittances import LONGEST_PAPER, RemittanceStatus, Way
from bank.counters.vault_counts import VaultCountCard, VaultCountStatus
from pages.parts import forms, notes, tables, ui, words
from pages.parts.forms import File, Slip, Step
from pages.parts.tables import Kind, column

LABELS: Final = {
    "reason": "Reason",
    "reference": "Paper of the currency chest",
    "notes and coins": "Notes and coins",
}
WAYS: Final = {Way.FROM_CHEST: "Comes in", Way.TO_CHEST: "Goes out"}
WATCH_EVERY: Final = 5.0  # seconds
COUNTING: Final = "vault_count_open"
REMITTANCES: Final = [
    column("Asked at", "asked_at", Kind.MOMENT),
    column("Way", lambda row: WAYS[row.way], key=True),
    column("Amount", "amount_minor", Kind.AMOUNT, key=True),
    column("State", "status", Kind.STATE, key=True),
    column("Paper", "paper"),
    column("Asked by", "asked_by"),
    column("Decided by", "decided_by"),
    column("Reference", "reference"),
    column("Said", "note"),
]
VAULT_COUNTS: Final = [
    column("Counted at", "counted_at", Kind.MOMENT, key=True),
    column("Counted", "counted_minor", Kind.AMOUNT, key=True),
    column("Should be there", "expected_minor", Kind.AMOUNT),
    column("Over or short", "difference_minor", Kind.AMOUNT, key=True),
    column("State", "status", Kind.STATE, key=True),
    column("Counted by", "counted_by"),
    column("Second person", "decided_by"),
    column("Reason", "reason"),
]

asked: Slip[RemittancePreview, int] = Slip("vault_remit")
confirmed: Slip[int, int] = Slip("vault_confirmed")


def remit(desk: Desk) -> None:
    """Ask for cash of the chest, or to send it there: fill, compare, ask, and see it confirmed."""
    with st.expander("Cash from or to the currency chest", expanded=asked.step is not Step.FILL):
        match asked.step:
            case Step.FILL:
                _fill(desk)
            case Step.PREVIEW:
                _compare(desk, asked.draft)
            case _:
                _asked_for(desk, asked.receipt)


def _fill(desk: Desk) -> None:
    way = st.segmented_control(
        "Way",
        list(WAYS),
        format_func=WAYS.__getitem__,
        default=Way.FROM_CHEST,
        required=True,
        key=asked.field("way"),
        persist_state="page",
    )
    pieces = notes.grid(desk, key="vault_remit")
    paper = st.text_input(
        LABELS["reference"],
        key=asked.field("reference"),
        persist_state="page",
        max_chars=LONGEST_PAPER,
        autocomplete="off",
    )
    if st.button("Preview", type="primary", key=asked.field("preview")):
        with ui.attempt(labels=LABELS):
            asked.preview(
                remittance_views.preview_remittance(
                    desk, way or Way.FROM_CHEST, pieces, paper or ""
                )
            )


def _compare(desk: Desk, ahead: RemittancePreview) -> None:
    ready = forms.confirm(
        asked,
        title=f"{remittance_views.TITLES[ahead.way]}: compare with the paper",
        amount_minor=ahead.amount_minor,
        facts={
            LABELS["reference"]: ahead.paper,
            "Debit": ahead.debit,
            "Credit": ahead.credit,
            "In the vault before": money.show(ahead.vault_before_minor),
            "In the vault after": money.show(ahead.vault_after_minor),
            "May confirm": _either(ahead.names),
        },
        action=f"Ask for {money.show(ahead.amount_minor)} to be confirmed",
    )
    if ready:
        with ui.attempt(labels=LABELS):
            asked.finish(
                remittances.ask_to_remit(
                    desk, ahead.way, ahead.pieces, ahead.paper, request_id=asked.request_id
                )
            )


def _either(names: Sequence[str]) -> str:
    if not names:
        return "nobody who works here now: have a custodian or supervisor named under Employees"
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _asked_for(desk: Desk, number: int) -> None:
    """It waits, until a second person has confirmed or declined it."""
    card = remittance_views.remittance(desk, number)
    if card.status is RemittanceStatus.CONFIRMED:
        _booked(asked, card)
        return
    if card.status is RemittanceStatus.REQUESTED:
        st.info(
            words.plain(
                f"Remittance {number} of {money.show(card.amount_minor)} waits for a second "
                "person. Nothing is booked before they confirm it here, on their own page."
            ),
            icon=":material/pending_actions:",
        )
        _watch(number, card.status)
    else:
        why = f": {card.note}" if card.note else ""
        st.warning(words.plain(f"Remittance {number} was {card.status}{why}. Nothing was booked."))
    if st.button("Another remittance", type="primary", key=asked.field("another")):
        asked.again()


@ui.live(WATCH_EVERY, Permission.VAULT_VIEW)
def _watch(desk: Desk, number: int, status: RemittanceStatus) -> None:
    """Draw the page again as soon as the second person has decided."""
    try:
        now = remittance_views.remittance(desk, number).status
    except NotFound:
        st.rerun()
    if now is not status:
        st.rerun()


def _withdraw(desk: Desk, card: RemittanceCard) -> None:
    """Take one's own request back."""
    label = f"Withdraw remittance {card.id}"
    if st.button(label, type="tertiary", key=f"vault_withdraw_{card.id}"):
        with ui.attempt("It was withdrawn. Nothing was booked."):
            remittances.withdraw_remittance(desk, card.id)


def show_confirmed(desk: Desk) -> None:
    """The receipt of what this person has confirmed a moment ago."""
    if confirmed.step is Step.DONE:
        _booked(confirmed, remittance_views.remittance(desk, confirmed.receipt))


def _booked(slip: Slip[RemittancePreview, int] | Slip[int, int], card: RemittanceCard) -> None:
    forms.receipt(
        slip,
        done=f"{remittance_views.TITLES[card.way]}: {money.show(card.amount_minor)} booked.",
        reference=card.reference,
        facts={
            "Amount": money.in_words(card.amount_minor),
            LABELS["reference"]: card.paper,
            "Debit": card.debit,
            "Credit": card.credit,
            "Asked by": f"{card.asked_by}, {words.moment(card.asked_at)}",
            "Confirmed by": f"{card.decided_by}, {words.moment(card.decided_at)}",
        },
        files=[_paper(card)],
        another="Go on",
    )


def _paper(card: RemittanceCard) -> File:
    return File(
        label=f"Print the paper of {card.reference}",
        make=lambda asking: remittance_views.print_remittance(asking, card.id),
        permission=Permission.VAULT_VIEW,
        file_name=f"remittance-{card.reference}.pdf",
    )


def to_confirm(desk: Desk, card: RemittanceCard) -> None:
    """A remittance that waits: what it will book, and the two answers of the second person."""
    with st.container(border=True):
        st.markdown(
            f"**{words.plain(card.asked_by)}**: {remittance_views.TITLES[card.way].lower()}, "
            f"**{money.show(card.amount_minor)}**"
        )
        st.caption(
            words.plain(
                f"{money.in_words(card.amount_minor)}. {notes.in_words(card.rows)}. Paper "
                f"{card.paper}, {words.moment(card.asked_at)}"
            )
        )
        tables.facts({"Debit": card.debit, "Credit": card.credit})
        if card.asked_by_id == desk.user_id:
            st.info("You asked for it, so another custodian or a supervisor confirms it.")
            _withdraw(desk, card)
            return
        key = f"vault_chest_{card.id}"
        reason = st.text_input(
            "Reason, if you decline",
            key=f"{key}_reason",
            max_chars=LONGEST_NOTE,
            autocomplete="off",
        )
        yes, no = st.columns(2)
        label = f"Confirm {money.show(card.amount_minor)}"
        if yes.button(label, type="primary", key=f"{key}_yes"):
            with ui.attempt(labels=LABELS):
                remittances.confirm_remittance(desk, card.id)
                confirmed.finish(card.id)
        if no.button("Decline", key=f"{key}_no"):
            with ui.attempt(f"{card.asked_by} was told why.", labels=LABELS):
                remittances.decline_remittance(desk, card.id, reason or "")


def is_counting() -> bool:
    """Whether this person is counting the vault: the page shows no figures meanwhile."""
    return bool(st.session_state.get(COUNTING))


def count(desk: Desk) -> None:
    """The blind count of the vault by the first of the two."""
    with st.expander("Count the vault", expanded=is_counting()):
        if not is_counting():
            st.caption(
                "By two, before the day is closed. You count what is there; what should be there "
                "is told when you have entered it."
            )
            if st.button("Start counting", key="vault_count_start"):
                st.session_state[COUNTING] = True
                st.rerun()
            return
        pieces = notes.grid(desk, key="vault_count")
        with st.container(horizontal=True):
            entered = st.button("Enter this count", type="primary", key="vault_count_send")
            if st.button("Not now", type="tertiary", key="vault_count_stop"):
                _leave_count()
                st.rerun()
        if entered:
            with ui.attempt(labels=LABELS):
                found = vault_counts.count_vault(desk, pieces)
                off = found.difference_minor
                ui.flash(
                    f"The vault is counted. {over_or_short(off) if off else 'It balances'}. "
                    "A second person confirms it."
                )
                _leave_count()
                st.rerun()


def _leave_count() -> None:
    st.session_state[COUNTING] = False
    forms.forget("vault_count_")


def count_to_confirm(desk: Desk, card: VaultCountCard) -> None:
    """A count of the vault that waits for the second person."""
    off, key = card.difference_minor, f"vault_counted_{card.id}"
    with st.container(border=True):
        st.markdown(
            f"**{words.plain(card.counted_by)}** counted the vault: "
            f"**{money.show(card.counted_minor)}**"
        )
        st.caption(words.plain(f"{words.moment(card.counted_at)}: {notes.in_words(card.rows)}"))
        if off:
            should = money.show(card.expected_minor)
            st.warning(words.plain(f"{over_or_short(off)}: {should} should be there."))
        is_mine = card.counted_by_id == desk.user_id
        if is_mine:
            st.info("You counted it, so another custodian or a supervisor confirms it.")
        reason = st.text_input(
            LABELS["reason"],
            key=f"{key}_reason",
            max_chars=LONGEST_REASON,
            help="Of a difference, or why it is to be counted again.",
            autocomplete="off",
        )
        yes, no = st.columns(2)
        request_id = ui.request_id(key)
        if not is_mine and yes.button("Confirm this count", type="primary", key=f"{key}_yes"):
            with ui.attempt("The vault is counted and confirmed.", form=key, labels=LABELS):
                vault_counts.confirm_vault_count(desk, card.id, reason or "", request_id=request_id)
        if no.button("Drop it, count again", key=f"{key}_no"):
            with ui.attempt("The count was dropped.", labels=LABELS):
                vault_counts.drop_vault_count(desk, card.id, reason or "")


def over_or_short(minor: int) -> str:
    """`Over ₹ 100.00`."""
    return f"{'Over' if minor > 0 else 'Short'} {money.show(abs(minor))}"


def waiting_count(desk: Desk, branch_id: int | None) -> VaultCountCard | None:
    """The count that waits at a branch, if there is one."""
    found = vault_counts.vault_counts(desk, branch_id)
    return next((each for each in found if each.status is VaultCountStatus.COUNTED), None)


def registers(desk: Desk, branch_id: int | None) -> None:
    """Every remittance and every count of the vault; any paper once more."""
    listed = remittance_views.remittances_of(desk, branch_id)
    if not listed:
        ui.empty("No remittance yet.", "Cash from and to the currency chest stands here.")
    else:
        chosen = tables.choose(
            listed,
            REMITTANCES,
            key="vault_remittances",
            id_of=lambda row: row.id,
            prompt="Choose a remittance",
            file_name="remittances.csv",
        )
        if chosen is not None and chosen.status is RemittanceStatus.CONFIRMED:
            paper = _paper(chosen)
            ui.download(
                paper.label,
                paper.make,
                permission=paper.permission,
                file_name=paper.file_name,
                mime=paper.mime,
                key="vault_remittance_paper",
            )
    found = vault_counts.vault_counts(desk, branch_id)
    if found:
        st.subheader("Counts of the vault")
        tables.show(found, VAULT_COUNTS, key="vault_vault_counts", file_name="vault-counts.csv")
    else:
        ui.empty("The vault was not counted yet.", "Counts by two stand here.")
