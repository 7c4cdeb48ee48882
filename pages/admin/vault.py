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
    impounded,
)
from bank.counters.drawer_views import DrawerCard, VaultView
from bank.counters.drawers import LONGEST_NOTE, DrawerStatus
from pages.parts import (
    branch_day,
    chest,
    forms,
    frame,
    left_drawer,
    limits,
    notes,
    tables,
    ui,
    vault_waiting,
    words,
)
from pages.parts import waiting as approvals
from pages.parts.tables import Kind, column

desk = ui.enter(Permission.VAULT_VIEW, title="Vault and drawers")

LABELS = {"notes and coins": "Notes and coins", "branch": "Branch"}
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
    """Where the cash lies, and whether it is all of it; nothing while this person counts it."""
    if chest.is_counting():
        st.caption("The figures are hidden while you count the vault.")
        return
    one, two, three, four = st.columns(4)
    one.metric("Vault", money.show(view.vault_minor), border=True)
    two.metric("Drawers", told(view.drawers_minor), border=True)
    three.metric("Cash in the book", told(view.book_minor), border=True)
    four.metric("Open drawers", f"{len(view.open_drawers)}", border=True)
    if not view.agrees:
        st.error("Vault and drawers are not the cash in the book. Tell the auditor at once.")


def told(amount_minor: int | None) -> str:
    """An amount, unless it would tell what lies in a drawer that is being counted."""
    return "Being counted" if amount_minor is None else money.show(amount_minor)


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
        st.caption(
            "Choose a drawer to count it unannounced or in the absence of its cashier, or to print "
            "its report."
        )
    elif chosen.status in {S.OPEN, S.COUNTING} and desk.may(Permission.DRAWER_SUPERVISE):
        supervise(chosen)
    elif chosen.status in {S.COUNTED, S.CLOSED} and desk.may(Permission.CASH_COUNT):
        ui.download(
            f"Print report of drawer {chosen.id}",
            lambda asking: drawer_report.print_report(asking, chosen.id),
            permission=Permission.CASH_COUNT,
            file_name=f"drawer-{chosen.id}.pdf",
            mime="application/pdf",
            key="vault_report",
        )


def supervise(card: DrawerCard) -> None:
    """A drawer that works or is being counted: count it without warning, or without its cashier."""
    if card.is_left:
        left_drawer.count(desk, card)
        return
    if card.status is S.OPEN:
        surprise(card)
    left_drawer.stop(desk, card)


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
                said = f"{chest.over_or_short(off)}." if off else "It balances."
                ui.flash(f"The count of {card.cashier}'s drawer is on record. {said}")
                forms.forget(f"vault_surprise_{card.id}")
                st.rerun()


def registers(branch_id: int | None) -> None:
    """What was over or short, counted unannounced, or impounded."""
    st.header("Registers")
    one, two, three, four, five = st.tabs(
        ["Over and short", "Surprise counts", "Impounded notes", "Chest and vault", "Days"]
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
        chest.registers(desk, branch_id)
    with five:
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
    if desk.may(Permission.VAULT_WITNESS):
        vault_waiting.draw(desk, seen, here)
    all_drawers(seen)
    if desk.may(Permission.VAULT_KEEP):
        chest.remit(desk)
        chest.count(desk)
    if desk.may(Permission.BRANCH_CLOSE):
        branch_day.closing(desk, today, seen.vault_minor)
    limits_here(here)
    registers(here)
