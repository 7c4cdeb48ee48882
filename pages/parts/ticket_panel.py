"""A ticket in a queue: the conversation, the reply (`ticket_reply.py`), the note, and where the
ticket belongs.

Reply and note are two forms with two names, two colours and two verbs: what is written into the
note cannot be mailed.
"""

from typing import Final

import streamlit as st

from bank.core.clock import appointment
from bank.core.desk import Desk
from bank.core.permissions import Permission
from bank.core.work_tables import LONGEST_NOTE, Priority, W
from bank.office import ticket_desk, ticket_files, ticket_moves, tickets
from bank.office.queue_lists import ItemRow
from bank.office.ticket_desk import Opened
from bank.office.ticket_posts import LONGEST_BODY
from pages.parts import (
    conversation,
    customer_view,
    frame,
    tables,
    ticket_related,
    ticket_reply,
    ticket_rests,
    ticket_undo,
    ui,
    uploads,
    words,
)

NOTE_LABELS: Final = {"files": "Files with the note", "message": "Note"}
LABELS: Final = {
    "branch": "Branch",
    "category": "Category",
    "note": "Why",
    "priority": "Priority",
    "ticket": "Goes on in",
}


def panel(desk: Desk, item: ItemRow) -> None:
    """The ticket of an item, with what this person may do about it."""
    found = ticket_desk.read_ticket(desk, item.subject_id)
    _facts(found)
    ticket_related.draw(desk, found)
    customer_view.about(desk, found)
    customer_view.panel(desk, found)
    conversation.draw(
        found.posts,
        fetch=ticket_files.ticket_file,
        permission=Permission.TICKET_WORK,
        key=f"ticket_{found.card.id}",
    )
    is_leaving = ticket_undo.draw(desk, found)
    ticket_reply.draw(desk, item, found, is_leaving=is_leaving)
    _note(desk, found)
    if found.card.state is not W.DECIDED and found.card.owner_id == desk.user_id:
        with st.container(horizontal=True):
            _sort(desk, found)
            _move(desk, found)
            _merge(desk, found)
            ticket_related.split(desk, found)
            ticket_rests.draw(desk, item, found)


def _facts(found: Opened) -> None:
    card = found.card
    tables.facts(
        {
            "Customer": f"{found.customer}, {found.customer_number}",
            "Mail to": found.mail_to or "no address is known",
            "Category": found.category,
            "First reply by": appointment(card.first_due_at) if card.first_due_at else "",
            "Next reply by": appointment(card.reply_due_at) if card.reply_due_at else "",
            "Solved by": appointment(card.solve_due_at) if card.solve_due_at else "",
            "Goes on in": card.merged_reference or "",
            "Rated": conversation.score_of(card),
        }
    )


def _note(desk: Desk, found: Opened) -> None:
    """The internal form: another colour, another verb, no address anywhere near it."""
    number = found.card.id
    form = f"ticket_note_{number}"
    field = f"{form}_{ui.request_id(form)}"
    with st.container(border=True, key=f"internal_form_{number}"):
        st.markdown("**Internal note**, stays in the bank: no customer ever sees it")
        with st.form(form, border=False):
            text = st.text_area("Note", key=f"{field}_text", max_chars=LONGEST_BODY, height=96)
            files = uploads.files_input(desk, key=f"{field}_files", label=NOTE_LABELS["files"])
            if st.form_submit_button("Keep internal note", icon=":material/lock:"):
                once = ui.request_id(form)
                with ui.attempt("Internal note kept.", form=form, labels=NOTE_LABELS):
                    given = uploads.taken(files)
                    ticket_desk.add_note(desk, number, text or "", given, request_id=once)


def _sort(desk: Desk, found: Opened) -> None:
    card, names = found.card, tickets.categories(desk)
    with (
        st.popover("Sort", icon=":material/label:"),
        st.form(f"ticket_sort_{card.id}_{card.category}_{card.priority}", border=False),
    ):
        codes = list(names)
        category = st.selectbox(
            "Category",
            codes,
            codes.index(card.category) if card.category in codes else None,
            format_func=lambda code: names.get(code, code),
        )
        priority = st.selectbox(
            "Priority",
            list(Priority.NAMES),
            list(Priority.NAMES).index(card.priority),
            format_func=lambda one: words.sentence(Priority.NAMES[one]),
            help="The deadlines move with it.",
        )
        why = st.text_input("Why", max_chars=LONGEST_NOTE, autocomplete="off")
        if st.form_submit_button(f"Sort {card.reference}"):
            with ui.attempt(f"{card.reference} is sorted anew.", labels=LABELS):
                ticket_moves.sort_ticket(desk, card.id, category or "", priority, why or "")


def _move(desk: Desk, found: Opened) -> None:
    card, names = found.card, frame.branch_names(desk)
    others = [branch_id for branch_id in names if branch_id != card.branch_id]
    if not others:
        return
    with (
        st.popover("Move to a branch", icon=":material/move_item:"),
        st.form(f"ticket_move_{card.id}", border=False),
    ):
        st.caption("It joins the queue there, and leaves yours. Its clock runs on.")
        to = st.selectbox("Branch", others, None, format_func=lambda one: names.get(one, "?"))
        why = st.text_input("Why", max_chars=LONGEST_NOTE, autocomplete="off")
        if st.form_submit_button(f"Move {card.reference}"):
            done = f"{card.reference} is with {names.get(to or 0, '')} now."
            with ui.attempt(done, labels=LABELS):
                ticket_moves.move_ticket(desk, card.id, to or 0, why or "")


def _merge(desk: Desk, found: Opened) -> None:
    others = {
        one.id: f"{one.reference}: {one.subject}"
        for one in ticket_desk.other_tickets(desk, found.card.id)
        if one.state is not W.DECIDED
    }
    if not others:
        return
    reference = found.card.reference
    with (
        st.popover("Merge", icon=":material/merge:"),
        st.form(f"ticket_merge_{found.card.id}", border=False),
    ):
        st.caption(f"Of this customer's open tickets. {reference} ends and goes on there.")
        into = st.selectbox("Goes on in", list(others), None, format_func=lambda n: others[n])
        if st.form_submit_button(f"Merge {reference}"):
            with ui.attempt(f"{reference} is merged.", labels=LABELS):
                ticket_moves.merge_ticket(desk, found.card.id, into or found.card.id)
