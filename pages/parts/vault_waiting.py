"""What waits at the vault, each case beside its own buttons, and word of what comes in."""

from typing import Final

import streamlit as st

from bank.core import money
from bank.core.desk import Desk
from bank.core.permissions import Permission
from bank.counters import counts, drawer_views, handovers, remittance_views, vault, vault_views
from bank.counters.drawer_views import DrawerCard, HandoverCard, VaultView
from bank.counters.drawers import LONGEST_NOTE, DrawerStatus
from bank.counters.handovers import Direction
from bank.counters.remittances import RemittanceStatus
from pages.parts import chest, left_drawer, notes, ui, words

LABELS: Final = {"reason": "Reason", "notes and coins": "Notes and coins"}
SECONDS: Final = 5.0
S = DrawerStatus


def draw(desk: Desk, view: VaultView, branch_id: int) -> None:
    """Everything a custodian or supervisor has to decide."""
    st.header("Waiting for you")
    chest.show_confirmed(desk)
    _watch(frozenset(vault_views.waiting_for_me(desk)))
    keeps = desk.may(Permission.VAULT_KEEP)
    asked = [each for each in view.drawers if keeps and each.status is S.REQUESTED]
    handed = view.handovers if keeps else []
    found = [each for each in view.drawers if each.status is S.COUNTED]
    listed = remittance_views.remittances_of(desk, branch_id)
    remitted = [each for each in listed if each.status is RemittanceStatus.REQUESTED]
    count = chest.waiting_count(desk, branch_id)
    if not (asked or handed or found or remitted or count):
        ui.empty(
            "Nothing waits.",
            "Requests of cashiers, counted drawers and cash of the chest appear here.",
        )
    for drawer in asked:
        _opening(desk, drawer)
    for request in handed:
        _handover(desk, request)
    for drawer in found:
        if drawer.is_left:
            left_drawer.to_confirm(desk, drawer)
        else:
            _taking_back(desk, drawer)
    for card in remitted:
        chest.to_confirm(desk, card)
    if count is not None:
        chest.count_to_confirm(desk, count)


@ui.live(SECONDS, Permission.VAULT_WITNESS)
def _watch(desk: Desk, shown: frozenset[str]) -> None:
    """Say what has come in or is done, without moving what somebody is about to click."""
    now = frozenset(vault_views.waiting_for_me(desk))
    if now and not shown:
        st.rerun()  # nothing is drawn that could move
    more, gone = len(now - shown), len(shown - now)
    if not more and not gone:
        return
    said = [f"{words.counted(more, 'case')} more" if more else "", f"{gone} done" if gone else ""]
    st.info(f"{', '.join(filter(None, said))} since this list was drawn.")
    if st.button("Show the new list", key="vault_newer"):
        st.rerun()


def _opening(desk: Desk, card: DrawerCard) -> None:
    """A drawer somebody asks for."""
    with st.container(border=True):
        st.markdown(
            f"**{words.plain(card.cashier)}** asks for a drawer with "
            f"**{money.show(card.opening_minor)}**"
        )
        rows = drawer_views.opening_rows(desk, card.id)
        st.caption(words.plain(f"{words.day(card.business_date)}: {notes.in_words(rows)}"))
        reason = _decline_reason(f"vault_open_{card.id}")
        yes, no = st.columns(2)
        if yes.button("Hand it over", type="primary", key=f"vault_open_{card.id}_yes"):
            with ui.attempt(f"{card.cashier} has a drawer."):
                vault.confirm_opening(desk, card.id)
        if no.button("Decline", key=f"vault_open_{card.id}_no"):
            with ui.attempt(f"{card.cashier} was told why.", labels=LABELS):
                vault.decline_opening(desk, card.id, reason)


def _handover(desk: Desk, request: HandoverCard) -> None:
    """Cash somebody asks for or brings back."""
    wants = "asks for" if request.direction is Direction.TO_DRAWER else "returns"
    with st.container(border=True):
        st.markdown(
            f"**{words.plain(request.cashier)}** {wants} **{money.show(request.amount_minor)}**"
        )
        at = words.moment(request.asked_at)
        st.caption(words.plain(f"{at}: {notes.in_words(request.rows)}"))
        reason = _decline_reason(f"vault_hand_{request.id}")
        yes, no = st.columns(2)
        if yes.button("Confirm", type="primary", key=f"vault_hand_{request.id}_yes"):
            with ui.attempt(f"{money.show(request.amount_minor)} changed hands."):
                handovers.confirm_handover(desk, request.id)
        if no.button("Decline", key=f"vault_hand_{request.id}_no"):
            with ui.attempt(f"{request.cashier} was told why.", labels=LABELS):
                handovers.decline_handover(desk, request.id, reason)


def _taking_back(desk: Desk, card: DrawerCard) -> None:
    """A counted drawer: the difference first, then the cash."""
    off = card.difference_minor or 0
    with st.container(border=True):
        st.markdown(
            f"**{words.plain(card.cashier)}** counted **{money.show(card.counted_minor or 0)}**"
        )
        if not card.is_settled:
            _settling(desk, card, off)
            return
        if off:
            said = f"{chest.over_or_short(off)} is booked: {card.note}"
            st.caption(words.plain(said))
        if card.settled_by is not None and card.settled_by == desk.user_id:
            st.info("You accepted the difference, so another custodian takes the cash back.")
        elif not desk.may(Permission.VAULT_KEEP):
            st.info("A custodian takes the cash back.")
        elif st.button("Take the cash and close", type="primary", key=f"vault_close_{card.id}"):
            with ui.attempt(f"The drawer of {card.cashier} is closed."):
                vault.close_drawer(desk, card.id)


def _settling(desk: Desk, card: DrawerCard, off: int) -> None:
    """A difference that nobody has accepted yet."""
    should = money.show(card.expected_minor or 0)
    st.warning(
        words.plain(
            f"{chest.over_or_short(off)}: {should} should be there. "
            "Whoever accepts it does not take the cash back: that is for another custodian."
        )
    )
    if not desk.may(Permission.DRAWER_SUPERVISE):
        st.info("A supervisor accepts the difference or sends the drawer back.")
        return
    form = f"vault_settle_{card.id}"
    reason = st.text_input(
        LABELS["reason"],
        key=f"{form}_reason",
        max_chars=counts.LONGEST_REASON,
        autocomplete="off",
    )
    request_id = ui.request_id(form)
    yes, no = st.columns(2)
    if yes.button("Accept the difference", type="primary", key=f"{form}_yes"):
        with ui.attempt("The difference is booked.", form=form, labels=LABELS):
            counts.settle_difference(desk, card.id, reason or "", request_id=request_id)
    if no.button("Send it back", key=f"{form}_no"):
        with ui.attempt(f"{card.cashier} looks again.", labels=LABELS):
            counts.send_back(desk, card.id, reason or "")


def _decline_reason(key: str) -> str:
    """Why not, if not."""
    said = st.text_input(
        "Reason, if you decline", key=f"{key}_reason", max_chars=LONGEST_NOTE, autocomplete="off"
    )
    return said or ""
