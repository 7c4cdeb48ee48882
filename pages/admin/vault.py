"""Vault and drawers: where the branch's cash lies, what waits for its custodian, what was over or
short.
"""

import streamlit as st

from bank.core import money
from bank.core.permissions import Permission
from bank.counters import (
    branch_close,
    branch_limits,
    counts,
    drawer_report,
    drawer_views,
    handovers,
    impounded,
    vault,
)
from bank.counters.drawer_views import DrawerCard, HandoverCard, VaultView
from bank.counters.drawers import LONGEST_NOTE, DrawerStatus
from bank.counters.handovers import Direction
from pages.parts import branch_day, forms, frame, limits, notes, tables, ui, words
from pages.parts import waiting as approvals
from pages.parts.tables import Kind, column

desk = ui.enter(Permission.VAULT_VIEW, title="Vault and drawers")

LABELS = {
    "reason": "Reason",
    "reference": "Paper of the currency chest",
    "notes and coins": "Notes and coins",
    "branch": "Branch",
}
S = DrawerStatus
DRAWERS = [
    column("Drawer", lambda card: str(card.id)),
    column("Cashier", "cashier", key=True),
    column("Day", "business_date", Kind.DAY),
    column("State", "status", Kind.STATE, key=True),
    column("Opening", "opening_minor", Kind.AMOUNT),
    column("Cash now", "cash_minor", Kind.AMOUNT, key=True),
    column("Over or short", "difference_minor", Kind.AMOUNT),
]
OVER_SHORT = [
    column("Day", "business_date", Kind.DAY, key=True),
    column("Cashier", "cashier", key=True),
    column("Over or short", "difference_minor", Kind.AMOUNT, key=True),
    column("Reason", "reason"),
    column("Accepted by", "settled_by"),
    column("Entry", lambda row: str(row.entry_id)),
]
COUNTS = [
    column("Counted at", "counted_at", Kind.MOMENT, key=True),
    column("Cashier", "cashier", key=True),
    column("Counted", "counted_minor", Kind.AMOUNT),
    column("Should be there", "expected_minor", Kind.AMOUNT),
    column("Over or short", "difference_minor", Kind.AMOUNT, key=True),
    column("Counted by", "counted_by"),
    column("Remark", "note"),
]
REGISTER = [
    column("Day", "business_date", Kind.DAY, key=True),
    column("Number", "number", key=True),
    column("Note", "note", key=True),
    column("Number of the note", "serial_number"),
    column("Brought by", "tendered_by"),
    column("Account", "account_number", Kind.ACCOUNT),
    column("Cashier", "cashier"),
]


def figures(view: VaultView) -> None:
    """Where the cash lies, and whether it is all of it."""
    one, two, three, four = st.columns(4)
    one.metric("Vault", money.show(view.vault_minor), border=True)
    two.metric("Drawers", money.show(view.drawers_minor), border=True)
    three.metric("Cash in the book", money.show(view.book_minor), border=True)
    four.metric("Open drawers", f"{len(view.open_drawers)}", border=True)
    if not view.agrees:
        st.error("Vault and drawers are not the cash in the book. Tell the auditor at once.")


def waiting(view: VaultView) -> None:
    """Everything a custodian has to decide, each beside its own buttons."""
    st.header("Waiting for you")
    asked = [each for each in view.drawers if each.status is S.REQUESTED]
    found = [each for each in view.drawers if each.status is S.COUNTED]
    if not asked and not found and not view.handovers:
        ui.empty("Nothing waits.", "Requests of cashiers and counted drawers appear here.")
    for card in asked:
        opening(card)
    for request in view.handovers:
        handover(request)
    for card in found:
        taking_back(card)


def opening(card: DrawerCard) -> None:
    """A drawer somebody asks for."""
    with st.container(border=True):
        st.markdown(
            f"**{words.plain(card.cashier)}** asks for a drawer with "
            f"**{money.show(card.opening_minor)}**"
        )
        rows = drawer_views.opening_rows(desk, card.id)
        st.caption(words.plain(f"{words.day(card.business_date)}: {notes.in_words(rows)}"))
        reason = decline_reason(f"vault_open_{card.id}")
        yes, no = st.columns(2)
        if yes.button("Hand it over", type="primary", key=f"vault_open_{card.id}_yes"):
            with ui.attempt(f"{card.cashier} has a drawer."):
                vault.confirm_opening(desk, card.id)
        if no.button("Decline", key=f"vault_open_{card.id}_no"):
            with ui.attempt(f"{card.cashier} was told why.", labels=LABELS):
                vault.decline_opening(desk, card.id, reason)


def handover(request: HandoverCard) -> None:
    """Cash somebody asks for or brings back."""
    wants = "asks for" if request.direction is Direction.TO_DRAWER else "returns"
    with st.container(border=True):
        st.markdown(
            f"**{words.plain(request.cashier)}** {wants} **{money.show(request.amount_minor)}**"
        )
        at = words.moment(request.asked_at)
        st.caption(words.plain(f"{at}: {notes.in_words(request.rows)}"))
        reason = decline_reason(f"vault_hand_{request.id}")
        yes, no = st.columns(2)
        if yes.button("Confirm", type="primary", key=f"vault_hand_{request.id}_yes"):
            with ui.attempt(f"{money.show(request.amount_minor)} changed hands."):
                handovers.confirm_handover(desk, request.id)
        if no.button("Decline", key=f"vault_hand_{request.id}_no"):
            with ui.attempt(f"{request.cashier} was told why.", labels=LABELS):
                handovers.decline_handover(desk, request.id, reason)


def taking_back(card: DrawerCard) -> None:
    """A counted drawer: the difference first, then the cash."""
    off = card.difference_minor or 0
    with st.container(border=True):
        st.markdown(
            f"**{words.plain(card.cashier)}** counted **{money.show(card.counted_minor or 0)}**"
        )
        if card.is_settled:
            if off:
                st.caption(words.plain(f"{_over_or_short(off)} is booked: {card.note}"))
            if card.settled_by is not None and card.settled_by == desk.user_id:
                st.info("You accepted the difference, so another custodian takes the cash back.")
                return
            if st.button("Take the cash and close", type="primary", key=f"vault_close_{card.id}"):
                with ui.attempt(f"The drawer of {card.cashier} is closed."):
                    vault.close_drawer(desk, card.id)
            return
        st.warning(
            words.plain(
                f"{_over_or_short(off)}: {money.show(card.expected_minor or 0)} should be there. "
                "Whoever accepts it does not take the cash back: that is for another custodian."
            )
        )
        reason = st.text_input(
            LABELS["reason"],
            key=f"vault_settle_{card.id}_reason",
            max_chars=counts.LONGEST_REASON,
            autocomplete="off",
        )
        form = f"vault_settle_{card.id}"
        request_id = ui.request_id(form)
        yes, no = st.columns(2)
        if yes.button("Accept the difference", type="primary", key=f"vault_settle_{card.id}_yes"):
            with ui.attempt("The difference is booked.", form=form, labels=LABELS):
                counts.settle_difference(desk, card.id, reason or "", request_id=request_id)
        if no.button("Send it back", key=f"vault_settle_{card.id}_no"):
            with ui.attempt(f"{card.cashier} looks again.", labels=LABELS):
                counts.send_back(desk, card.id, reason or "")


def decline_reason(key: str) -> str:
    """Why not, if not."""
    said = st.text_input(
        "Reason, if you decline", key=f"{key}_reason", max_chars=LONGEST_NOTE, autocomplete="off"
    )
    return said or ""


def _over_or_short(minor: int) -> str:
    return f"{'Over' if minor > 0 else 'Short'} {money.show(abs(minor))}"


def all_drawers(view: VaultView) -> None:
    """The drawers of today, and one of them in detail."""
    st.header("Drawers of today")
    if not view.drawers:
        ui.empty("No drawer today.", "A cashier asks for one under My drawer.")
        return
    chosen = tables.choose(
        view.drawers,
        DRAWERS,
        key="vault_drawers",
        id_of=lambda card: card.id,
        prompt="Choose a drawer",
    )
    if chosen is None:
        st.caption("Choose a drawer to count it unannounced or to print its report.")
    elif chosen.status is S.OPEN and desk.may(Permission.DRAWER_SUPERVISE):
        surprise(chosen)
    elif chosen.status in {S.COUNTED, S.CLOSED} and desk.may(Permission.CASH_COUNT):
        ui.download(
            f"Print report of drawer {chosen.id}",
            lambda asking: drawer_report.print_report(asking, chosen.id),
            permission=Permission.CASH_COUNT,
            file_name=f"drawer-{chosen.id}.pdf",
            mime="application/pdf",
            key="vault_report",
        )


def surprise(card: DrawerCard) -> None:
    """Count an open drawer without warning."""
    with st.container(border=True):
        st.subheader(words.plain(f"Surprise count: {card.cashier}"))
        pieces = notes.grid(desk, key=f"vault_surprise_{card.id}")
        remark = st.text_input(
            "Remark", key=f"vault_surprise_{card.id}_remark", max_chars=LONGEST_NOTE
        )
        if st.button("Record this count", type="primary", key=f"vault_surprise_{card.id}_send"):
            with ui.attempt(labels=LABELS):
                found = counts.surprise_count(desk, card.id, pieces, remark or "")
                off = found.difference_minor
                said = f"{_over_or_short(off)}." if off else "It balances."
                ui.flash(f"The count of {card.cashier}'s drawer is on record. {said}")
                forms.forget(f"vault_surprise_{card.id}")
                st.rerun()


def remittance() -> None:
    """Cash from the currency chest, or to it."""
    with st.expander("Cash from or to the currency chest"):
        way = st.segmented_control(
            "Way",
            [True, False],
            format_func=lambda comes: "Comes in" if comes else "Goes out",
            default=True,
            required=True,
            key="vault_remit_way",
        )
        pieces = notes.grid(desk, key="vault_remit")
        reference = st.text_input(
            LABELS["reference"],
            key="vault_remit_reference",
            max_chars=vault.LONGEST_REFERENCE,
            autocomplete="off",
        )
        request_id = ui.request_id("vault_remittance")
        if st.button("Book the remittance", type="primary", key="vault_remit_send"):
            done = "The remittance is booked."
            with ui.attempt(done, form="vault_remittance", labels=LABELS):
                vault.remit(desk, bool(way), pieces, reference or "", request_id=request_id)
                forms.forget("vault_remit_")


def registers(branch_id: int | None) -> None:
    """What was over or short, counted unannounced, or impounded."""
    st.header("Registers")
    one, two, three, four = st.tabs(
        ["Over and short", "Surprise counts", "Impounded notes", "Days"]
    )
    with one:
        found = drawer_views.over_and_short(desk, branch_id)
        if found:
            tables.show(found, OVER_SHORT, key="vault_over_short", file_name="over-and-short.csv")
        else:
            ui.empty("Every drawer balanced.", "Differences that were accepted stand here.")
    with two:
        counted = drawer_views.surprise_counts(desk, branch_id)
        if counted:
            tables.show(counted, COUNTS, key="vault_counts", file_name="surprise-counts.csv")
        else:
            ui.empty("No surprise count yet.", "Choose an open drawer above to count it.")
    with three:
        kept = impounded.register(desk) if desk.may(Permission.CASH_COUNT) else []
        if kept:
            tables.show(kept, REGISTER, key="vault_impounded", file_name="impounded-notes.csv")
        else:
            ui.empty("No impounded note.", "What cashiers impound stands in this register.")
    with four:
        branch_day.register(desk, branch_id)


def limits_here(branch_id: int) -> None:
    """Which limits count at this branch, and what of them waits for head office."""
    st.header("Limits of this branch")
    branch = frame.branch_by_id(desk, branch_id)
    if branch is not None:
        approvals.banner(desk, "branch", branch.ifsc)
    limits.of_branch(branch_limits.limits_of_branch(desk, branch_id), key="vault_limits")


def which_branch() -> int | None:
    """Whoever sees the whole bank chooses a branch; everybody else has one."""
    if not desk.sees_whole_bank:
        return desk.branch_id
    names = frame.branch_names(desk)
    if not names:
        return None
    return st.selectbox("Branch", list(names), format_func=names.__getitem__, key="vault_branch")


here = which_branch()
if here is None:
    ui.empty("There is no branch yet.", "A super admin adds the first one.")
else:
    seen = drawer_views.branch_cash(desk, here)
    today = branch_close.branch_day(desk, here)
    branch_day.said(desk, today)
    figures(seen)
    if desk.may(Permission.VAULT_KEEP):
        waiting(seen)
    all_drawers(seen)
    if desk.may(Permission.VAULT_KEEP):
        remittance()
    if desk.may(Permission.BRANCH_CLOSE):
        branch_day.closing(desk, today, seen.vault_minor)
    limits_here(here)
    registers(here)
