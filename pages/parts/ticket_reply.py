"""The public reply to a customer: the form, the mail as it will be read, and a draft whose ticket
is somebody else's by now.

The form stays for as long as it is on the screen: when the claim has run out or a lead has handed
the ticket over, what was typed is still there, with who has it and the way out.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from bank.core.desk import Desk
from bank.core.work_tables import W
from bank.office import queue, queue_lists, ticket_desk, ticket_undo
from bank.office.queue_lists import Happening, ItemRow
from bank.office.ticket_desk import Opened, Then
from bank.office.ticket_posts import LONGEST_BODY
from pages.parts import canned, ui, uploads, words

LABELS: Final = {"files": "Files for the customer", "message": "Message"}
SEND: Final = {
    Then.STAY: "Send reply",
    Then.WAIT: "Send and wait for the customer",
    Then.SOLVE: "Send and solve",
}
CLAIM_AND_SEND: Final = {
    Then.STAY: "Claim again and send",
    Then.WAIT: "Claim again, send and wait",
    Then.SOLVE: "Claim again, send and solve",
}
DONE: Final = {
    Then.STAY: "The reply {goes}.",
    Then.WAIT: "The reply {goes}; the clock stands still until the customer answers.",
    Then.SOLVE: "The reply {goes}, and the ticket is solved.",
}
NO_MAIL: Final = " No mail goes out: no address is known. The customer reads it in the portal."


def draw(desk: Desk, item: ItemRow, found: Opened, *, is_leaving: bool) -> None:
    """The form for whoever has the ticket, and for whoever had it while they were writing.

    Not in the seconds in which a reply `is_leaving`: taken back, its words come into the form, and
    what was begun there would be lost, because a form tells what is in it only when it is sent.
    """
    is_open, is_mine = found.card.state is not W.DECIDED, found.card.owner_id == desk.user_id
    if is_open and is_mine and is_leaving:
        st.caption("Write the next reply when this one has left, or take it back.")
    elif is_open and is_mine:
        _reply(desk, found)
    elif _text_key(found) in st.session_state:  # it was on the screen a moment ago
        _draft(desk, item, found)
    elif is_open:
        st.caption("Claim this ticket to reply to the customer.")


def _form(found: Opened) -> str:
    return f"ticket_reply_{found.card.id}"


def _field(found: Opened) -> str:
    """Begins the keys of the form's fields: its text is forgotten with its request."""
    return f"{_form(found)}_{ui.request_id(_form(found))}"


def _text_key(found: Opened) -> str:
    return f"{_field(found)}_text"


def write_anew(ticket_id: int, text: str) -> None:
    """Put these words into the form of a ticket, when it is drawn next."""
    st.session_state[f"ticket_reply_{ticket_id}_anew"] = text


def _reply(desk: Desk, found: Opened) -> None:
    form, field = _form(found), _field(found)
    if (words_again := st.session_state.pop(f"{form}_anew", None)) is not None:
        st.session_state[_text_key(found)] = words_again
    with st.container(border=True, key=f"public_{found.card.id}"):
        to = f"mailed to {found.mail_to}" if found.mail_to else "read in the portal"
        st.markdown(f"**Reply to {words.plain(found.customer)}**, {words.plain(to)}")
        ready = ticket_desk.canned_replies(desk, found.card.id)
        chosen = st.selectbox(
            "Canned reply",
            list(ready),
            None,
            key=f"{field}_canned",
            placeholder="Insert words kept before",
            on_change=_insert,
            args=(f"{field}_canned", _text_key(found), ready),
        )
        with st.form(form, border=False):
            text, files = _fields(desk, found)
            with st.container(horizontal=True):
                then = _pressed(SEND)
                if st.form_submit_button("Preview the mail", type="tertiary"):
                    st.session_state[f"{field}_previewed"] = text
        if then is not None:
            _send(desk, found, text, files, then)
        _preview(desk, found, text)
        canned.keep(desk, text, chosen or "", key=str(found.card.id))


def _fields(desk: Desk, found: Opened) -> tuple[str, Sequence[UploadedFile]]:
    text = st.text_area(
        LABELS["message"],
        key=_text_key(found),
        max_chars=LONGEST_BODY,
        height=160,
        help="The customer reads every word of it.",
    )
    key = f"{_field(found)}_files"
    return text or "", uploads.files_input(desk, key=key, label=LABELS["files"])


def _pressed(labels: Mapping[Then, str]) -> Then | None:
    """Buttons that send, and which of them was pressed."""
    pressed = None
    for then, label in labels.items():
        kind = "primary" if then is Then.STAY else "secondary"
        if st.form_submit_button(label, type=kind):
            pressed = then
    return pressed


def _send(desk: Desk, found: Opened, text: str, files: Sequence[UploadedFile], then: Then) -> None:
    form = _form(found)
    once = ui.request_id(form)
    with ui.attempt(labels=LABELS):
        if found.card.owner_id != desk.user_id:
            queue.claim(desk, found.card.item_id)
        given = uploads.taken(files)
        ticket_desk.reply(desk, found.card.id, text, then, given, request_id=once)
        ui.renew(form)
        ui.flash(_done(desk, found, then))
        st.rerun()


def _done(desk: Desk, found: Opened, then: Then) -> str:
    """What became of the reply: it is not sent before the seconds to take it back are over."""
    leaving, goes = ticket_undo.leaving_reply(desk, found.card.id), "is sent"
    if leaving is not None:
        left = math.ceil((leaving.leaves_at - desk.bank.clock.now()).total_seconds())
        goes = f"leaves in {words.counted(left, 'second')}"
    return DONE[then].format(goes=goes) + ("" if found.mail_to else NO_MAIL)


def _preview(desk: Desk, found: Opened, text: str) -> None:
    """The mail word by word, for as long as nothing else was typed."""
    if st.session_state.get(f"{_field(found)}_previewed") != text:
        return
    with ui.attempt(labels=LABELS):
        mail = ticket_desk.preview_reply(desk, found.card.id, text)
        with st.container(border=True, key=f"preview_{found.card.id}"):
            st.caption(words.plain(f"To {found.mail_to or 'nobody: no address is known'}"))
            st.markdown(f"**{words.plain(mail.subject)}**")
            st.markdown(words.plain_lines(mail.says))
            for then, added in mail.endings.items():
                st.caption(words.plain(f"{SEND[then]} adds: {' '.join(added.split())}"))


def _insert(chosen: str, text: str, ready: Mapping[str, str]) -> None:
    """Put the words below what is written already; nothing is sent by it."""
    name = st.session_state.get(chosen)
    if name in ready:
        before = str(st.session_state.get(text) or "").strip()
        st.session_state[text] = f"{before}\n\n{ready[name]}".strip()


def _draft(desk: Desk, item: ItemRow, found: Opened) -> None:
    """What was typed, though the ticket is not theirs any more: who has it, and the way out."""
    lost = _lost(desk, item)
    form = _form(found)
    if not st.session_state[_text_key(found)] and lost is not None and lost.by == desk.name:
        ui.renew(form)  # given away by themselves, with nothing written
        st.caption("Claim this ticket to reply to the customer.")
        return
    is_free = item.state is W.UNASSIGNED and item.may_take
    with st.container(border=True, key=f"public_{found.card.id}"):
        st.warning(words.plain(f"{_became(desk, item, found, lost)} Nothing was sent."))
        with st.form(form, border=False):
            text, files = _fields(desk, found)
            with st.container(horizontal=True):
                then = _pressed(CLAIM_AND_SEND) if is_free else None
                kept = st.form_submit_button("Keep it as an internal note", icon=":material/lock:")
                off = st.form_submit_button("Discard", type="tertiary")
        if then is not None:
            _send(desk, found, text, files, then)
        elif kept:
            done = "Internal note kept. The customer does not see it."
            with ui.attempt(done, form=form, labels=LABELS):
                once, given = ui.request_id(form), uploads.taken(files)
                ticket_desk.add_note(desk, found.card.id, text, given, request_id=once)
        elif off:
            ui.renew(form)
            st.rerun()


def _lost(desk: Desk, item: ItemRow) -> Happening | None:
    """The line of the history with which the ticket stopped being theirs."""
    after = None
    for line in queue_lists.history(desk, item.id):  # newest first
        if line.owner == desk.name:
            return after
        after = line
    return None


def _became(desk: Desk, item: ItemRow, found: Opened, lost: Happening | None) -> str:
    """How they lost it and who has it now, in a sentence or two."""
    said = "This ticket is not yours any more."
    if lost is not None:
        at, why = words.moment(lost.at), f": {lost.note}" if lost.note else ""
        who = "You" if lost.by == desk.name else lost.by
        said = {
            "timed out": f"Your claim ran out, {at}.",
            "released": f"{who} put this ticket back in the queue, {at}{why}.",
            "re-assigned": f"{who} handed this ticket over to {lost.owner}, {at}{why}.",
            "escalated": f"{who} sent this ticket up the line, {at}{why}.",
            "decided": f"{who} closed this ticket, {at}{why}.",
        }.get(lost.act, said)
    if found.card.state is W.DECIDED:
        return f"{said} It is closed; what you wrote is below."
    if item.owner_name:
        return f"{said} {item.owner_name} has it now; what you wrote is below."
    if item.state is W.UNASSIGNED:
        return f"{said} Nobody has it now; what you wrote is below."
    return f"{said} What you wrote is below."
