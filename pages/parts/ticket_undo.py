"""The seconds in which a reply may be taken back: a count, and a button that does it."""

import math

import streamlit as st

from bank.core.desk import Desk
from bank.core.errors import BankError
from bank.core.permissions import Permission
from bank.office import ticket_undo
from bank.office.ticket_desk import Opened
from bank.office.ticket_undo import Leaving
from pages.parts import ticket_reply, ui, words

EVERY_SECOND = 1.0


def draw(desk: Desk, found: Opened) -> bool:
    """For whoever has just replied, until the mail leaves; and why it could not be taken back.
    Answers whether a reply is leaving."""
    key, leaving = _refusal_key(found.card.id), ticket_undo.leaving_reply(desk, found.card.id)
    post_id, refusal = st.session_state.get(key, (None, ""))
    if leaving is not None and leaving.post_id != post_id:
        _hide(key)  # it was about an earlier reply
    elif refusal:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.error(refusal)
            st.button("Hide", key=f"{key}_hide", on_click=_hide, args=(key,))
    if leaving is not None:
        _count(found.card.id, leaving)
    return leaving is not None


def _refusal_key(ticket_id: int) -> str:
    return f"ticket_undo_refusal_{ticket_id}"


def _hide(key: str) -> None:
    st.session_state.pop(key, None)


@ui.live(EVERY_SECOND, Permission.TICKET_WORK)
def _count(desk: Desk, ticket_id: int, leaving: Leaving) -> None:
    left = math.ceil((leaving.leaves_at - desk.bank.clock.now()).total_seconds())
    if left <= 0:
        st.rerun()  # the whole page, where this part is not drawn any more
    goes = "The mail leaves" if leaving.is_mailed else "The customer sees your reply"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"{goes} in {words.counted(left, 'second')}.")
        pressed = st.button("Undo", key=f"ticket_undo_{leaving.post_id}", icon=":material/undo:")
    if pressed:
        files = " Choose its files again." if leaving.has_files else ""
        try:
            text = ticket_undo.undo_reply(desk, ticket_id, leaving.post_id)
        except BankError as refused:  # drawn outside this part, which is gone in a second
            why = ui.refusal_text(refused)
            st.session_state[_refusal_key(ticket_id)] = leaving.post_id, why
        else:
            ticket_reply.write_anew(ticket_id, text)
            ui.flash(f"The reply is taken back; its words are below.{files}")
        st.rerun()
