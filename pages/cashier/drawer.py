"""My drawer: ask for it, move cash with the vault, count it blind, have it taken back."""

from collections.abc import Callable

import streamlit as st

from bank.core import money
from bank.core.permissions import Permission
from bank.core.secrets import Secret
from bank.counters import (
    counts,
    drawer_report,
    drawer_views,
    drawers,
    exchanges,
    handovers,
    impounded,
    supervision,
    tallies,
)
from bank.counters.drawer_views import HandoverCard, OwnDrawer
from bank.counters.drawers import DrawerStatus
from bank.counters.handovers import Direction, HandoverStatus
from bank.counters.tallies import DenominationKind
from pages.parts import forms, notes, tables, ui, words
from pages.parts.tables import Kind, column

desk = ui.enter(Permission.CASH_POST, title="My drawer")

LABELS = {
    "notes and coins": "Notes and coins",
    "notes and coins in": "Comes in",
    "notes and coins out": "Goes out",
    "note": "Note",
    "serial number": "Number of the note",
    "tendered by": "Brought by",
    "account": "Account number",
    "reason": "Reason",
    "code": "One-time code",
}
WAYS = {Direction.TO_DRAWER: "From the vault", Direction.TO_VAULT: "Back to the vault"}
HANDOVERS = [
    column("Asked at", "asked_at", Kind.MOMENT),
    column("Way", lambda row: WAYS[row.direction], key=True),
    column("Amount", "amount_minor", Kind.AMOUNT, key=True),
    column("State", "status", Kind.STATE, key=True),
    column("Notes and coins", lambda row: notes.in_words(row.rows)),
    column("Said", "note"),
]
IMPOUNDED = [
    column("Time", "impounded_at", Kind.MOMENT),
    column("Number", "number", key=True),
    column("Note", "note", key=True),
    column("Number of the note", "serial_number"),
    column("Brought by", "tendered_by"),
]


def ask() -> None:
    """No drawer: what should lie in it when it opens."""
    if said := drawer_views.last_refusal(desk):
        st.warning(words.plain(f"Your last request was declined: {said}"))
    st.header("Ask for a drawer")
    st.caption("Count what you want from the vault. The custodian counts it with you.")
    pieces = notes.grid(desk, key="drawer_ask")
    request_id = ui.request_id("drawer_asked")
    if st.button("Ask for this drawer", type="primary", key="drawer_ask_send"):
        with ui.attempt("The custodian has been asked.", form="drawer_asked", labels=LABELS):
            drawers.ask_for_drawer(desk, pieces, request_id=request_id)
            forms.forget("drawer_ask_")


def requested(mine: OwnDrawer) -> None:
    """Asked for; somebody else has to hand it over."""
    st.info(
        words.plain(
            f"You asked for {money.show(mine.opening_minor)} at {words.moment(mine.requested_at)}. "
            "The custodian of the vault hands it over."
        )
    )
    tables.facts(
        {
            "Expected opening": money.show(mine.opening_minor),
            "Notes and coins": notes.in_words(mine.opening_rows),
        }
    )
    left, right = st.columns(2)
    if left.button("Look again", key="drawer_look", type="primary"):
        st.rerun()
    if right.button("Withdraw the request", key="drawer_withdraw"):
        with ui.attempt("Your request was withdrawn."):
            drawers.withdraw_request(desk, mine.id)


def figures(mine: OwnDrawer) -> None:
    """What should lie in it now, and how much more it may hold."""
    cash_minor = mine.cash_minor or 0
    one, two, three, four = st.columns(4)
    one.metric("Cash in drawer", money.show(cash_minor), border=True)
    two.metric("Cash in", money.show(mine.in_minor), border=True)
    three.metric("Cash out", money.show(mine.out_minor), border=True)
    four.metric("Slips", f"{mine.slips:,}", border=True)
    st.progress(
        min(max(cash_minor / mine.limit_minor, 0.0), 1.0),
        text=words.plain(f"{money.show(cash_minor)} of {money.show(mine.limit_minor)} allowed"),
    )
    if mine.is_too_full:
        over = money.show(cash_minor - mine.limit_minor)
        st.warning(words.plain(f"{over} more than a drawer may hold. Return cash to the vault."))


def moved(mine: OwnDrawer) -> None:
    """Requests of today, and the way to take one back."""
    if not mine.handovers:
        return
    st.header("Cash between drawer and vault")
    tables.show(mine.handovers, HANDOVERS, key="drawer_handovers")
    for waiting in mine.handovers:
        if waiting.status is HandoverStatus.REQUESTED:
            _take_back(waiting)


def _take_back(waiting: HandoverCard) -> None:
    label = f"Withdraw the request for {money.show(waiting.amount_minor)}"
    if st.button(label, key=f"drawer_handover_{waiting.id}"):
        with ui.attempt("Your request was withdrawn."):
            handovers.withdraw_handover(desk, waiting.id)


def request_cash(mine: OwnDrawer) -> None:
    """More from the vault."""
    pieces = notes.grid(desk, key="drawer_more")
    request_id = ui.request_id("drawer_request")
    if st.button("Request cash", type="primary", key="drawer_request_send"):
        with ui.attempt("The custodian has been asked.", form="drawer_request", labels=LABELS):
            handovers.ask_for_cash(desk, mine.id, pieces, request_id=request_id)
            forms.forget("drawer_more_")


def return_cash(mine: OwnDrawer) -> None:
    """Some of it back to the vault."""
    pieces = notes.grid(desk, key="drawer_less")
    request_id = ui.request_id("drawer_return")
    if st.button("Return cash", type="primary", key="drawer_return_send"):
        with ui.attempt("The custodian has been asked.", form="drawer_return", labels=LABELS):
            handovers.offer_cash(desk, mine.id, pieces, request_id=request_id)
            forms.forget("drawer_less_")


def exchange(_mine: OwnDrawer) -> None:
    """Other notes and coins for the same money."""
    left, right = st.columns(2)
    with left.container(border=True):
        st.markdown("**Comes in**")
        comes = notes.grid(desk, key="drawer_swap_in")
    with right.container(border=True):
        st.markdown("**Goes out**")
        goes = notes.grid(desk, key="drawer_swap_out")
    person = st.text_input("For whom", key="drawer_swap_person", max_chars=50, autocomplete="off")
    request_id = ui.request_id("drawer_exchange")
    if st.button("Exchange", type="primary", key="drawer_exchange_send"):
        with ui.attempt("The exchange is on record.", form="drawer_exchange", labels=LABELS):
            exchanges.exchange(desk, comes, goes, person or "", request_id=request_id)
            forms.forget("drawer_swap_")


def impound(_mine: OwnDrawer) -> None:
    """A note that is taken for false: kept, not credited."""
    offered = {
        each.code: each.name
        for each in tallies.denominations(desk)
        if each.kind is DenominationKind.NOTE
    }
    code = st.selectbox(
        LABELS["note"], list(offered), format_func=offered.__getitem__, key="drawer_false_note"
    )
    left, right = st.columns(2)
    serial = left.text_input(LABELS["serial number"], key="drawer_false_serial", max_chars=16)
    brought = right.text_input(LABELS["tendered by"], key="drawer_false_by", max_chars=50)
    account = left.text_input(
        LABELS["account"], key="drawer_false_account", help="If it was part of a deposit."
    )
    remark = right.text_input("Remark", key="drawer_false_remark", max_chars=200)
    request_id = ui.request_id("drawer_impound")
    if st.button("Impound the note", type="primary", key="drawer_impound_send"):
        done = "The note is impounded and not credited. Print the acknowledgement below."
        with ui.attempt(done, form="drawer_impound", labels=LABELS):
            impounded.impound(
                desk,
                code or "",
                serial or "",
                brought or "",
                account or "",
                remark or "",
                request_id=request_id,
            )
            forms.forget("drawer_false_")
    today = desk.bank.clock.business_date()
    register = impounded.register(desk, start=today)
    if not register:
        ui.empty("No note was impounded here today.", "What you impound stands in this register.")
        return
    chosen = tables.choose(
        register, IMPOUNDED, key="drawer_register", id_of=lambda row: row.id, prompt="Choose a note"
    )
    if chosen is not None:
        ui.download(
            f"Print acknowledgement {chosen.number}",
            lambda asking: impounded.print_acknowledgement(asking, chosen.id),
            permission=Permission.CASH_COUNT,
            file_name=f"impounded-{chosen.number}.pdf",
            mime="application/pdf",
            key="drawer_acknowledgement",
        )


def close(mine: OwnDrawer) -> None:
    """The way to the count."""
    st.caption(
        "The drawer stops working and you count it. What should be in it is shown after your count."
    )
    if st.button("Stop and count", type="primary", key="drawer_count"):
        with ui.attempt("The drawer has stopped. Count what lies in it."):
            counts.start_count(desk, mine.id)


ACTIONS: dict[str, Callable[[OwnDrawer], None]] = {
    "Request cash": request_cash,
    "Return cash": return_cash,
    "Exchange": exchange,
    "Impound a note": impound,
    "Count and close": close,
}


def opened(mine: OwnDrawer) -> None:
    """A working drawer."""
    if mine.business_date != desk.bank.clock.business_date():
        st.warning(
            words.plain(
                f"This is your drawer of {words.day(mine.business_date)}. No cash can be taken or "
                "paid with it today: count it and have it closed."
            )
        )
    if mine.note:
        st.info(words.plain(f"The supervisor sent it back: {mine.note}"))
    figures(mine)
    action = st.segmented_control(
        "What do you want to do", list(ACTIONS), key="drawer_action", persist_state="page"
    )
    if action:
        with st.container(border=True):
            ACTIONS[action](mine)
    moved(mine)


def counting(mine: OwnDrawer) -> None:
    """The blind count: nothing here says what should be there."""
    st.header("Count the drawer")
    st.caption("Count every note and coin. What should be there is shown when your count is in.")
    if mine.absent_said:
        st.warning(
            words.plain(
                f"A supervisor has stopped your drawer to count it: {mine.absent_said}. If you are "
                "back, count it yourself or go on working."
            )
        )
    pieces = notes.grid(desk, key="drawer_found")
    left, right = st.columns(2)
    if left.button("Enter this count", type="primary", key="drawer_found_send"):
        with ui.attempt("Your count is in.", labels=LABELS):
            counts.enter_count(desk, mine.id, pieces)
            forms.forget("drawer_found_")
    if right.button("Not yet, go on working", key="drawer_go_on"):
        with ui.attempt("The drawer works again."):
            counts.stop_count(desk, mine.id)


def counted(mine: OwnDrawer) -> None:
    """The difference, who accepts it, and who takes the cash back."""
    one, two, three = st.columns(3)
    one.metric("Counted", money.show(mine.counted_minor or 0), border=True)
    two.metric("Should be there", money.show(mine.expected_minor or 0), border=True)
    off = mine.difference_minor
    word = "Over" if off > 0 else "Short" if off < 0 else "Difference"
    three.metric(word, money.show(abs(off)) if off else "None", border=True)
    if mine.absent_said:
        st.info(
            words.plain(
                f"Your drawer was counted in your absence: {mine.absent_said}. A custodian "
                "confirms the count and closes it; a supervisor can send it back to you."
            )
        )
    elif not mine.is_settled:
        settle(mine)
    else:
        if off:
            st.success(words.plain(f"The difference is booked: {mine.note}"))
        st.info("The custodian takes the cash back into the vault and closes the drawer.")
        if st.button("Look again", key="drawer_look", type="primary"):
            st.rerun()
    ui.download(
        "Print drawer report",
        lambda asking: drawer_report.print_report(asking, mine.id),
        permission=Permission.CASH_COUNT,
        file_name=f"drawer-{mine.id}.pdf",
        mime="application/pdf",
        key="drawer_report",
    )


def settle(mine: OwnDrawer) -> None:
    """A supervisor accepts the difference at this window, or on their own page."""
    with st.container(border=True):
        st.header("A supervisor accepts the difference")
        st.caption(words.plain(mine.sentence))
        reason = st.text_input(
            LABELS["reason"], key="drawer_settle_reason", max_chars=counts.LONGEST_REASON
        )
        left, right = st.columns(2)
        with left:
            supervisor = st.text_input(
                "User name of the supervisor", key="drawer_settle_who", autocomplete="off"
            )
        with right:
            code = forms.code_input("One-time code of the supervisor", key="drawer_settle_code")
        request_id = ui.request_id("drawer_settle")
        if st.button("Book the difference", type="primary", key="drawer_settle_send"):
            with ui.attempt("The difference is booked.", form="drawer_settle", labels=LABELS):
                vouched = supervision.vouch(desk, mine.sentence, supervisor or "", Secret(code))
                counts.settle_vouched(desk, mine.id, reason or "", vouched, request_id=request_id)
                forms.forget("drawer_settle_")


STEPS: dict[DrawerStatus, Callable[[OwnDrawer], None]] = {
    DrawerStatus.REQUESTED: requested,
    DrawerStatus.OPEN: opened,
    DrawerStatus.COUNTING: counting,
    DrawerStatus.COUNTED: counted,
}
drawer = drawer_views.own_drawer(desk)
if drawer is None:
    ask()
else:
    st.markdown(
        f"Drawer {drawer.id}, {words.plain(words.day(drawer.business_date))} "
        f"{words.badge(drawer.status)}"
    )
    STEPS[drawer.status](drawer)
