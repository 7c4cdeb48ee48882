"""The tickets that one is linked to, and the form that gives a part of it a ticket of its own."""

from typing import Final

import streamlit as st

from bank.core.desk import Desk
from bank.office import ticket_related, ticket_split, tickets
from bank.office.ticket_desk import Opened
from bank.office.ticket_posts import Post
from bank.office.ticket_tables import LONGEST_SUBJECT, PostKind
from pages.parts import conversation, tables, ui, words
from pages.parts.tables import Kind, column

LABELS: Final = {
    "category": "Category of the new ticket",
    "post": "What the customer wrote",
    "reference": "Number of the other ticket",
    "subject": "Subject of the new ticket",
}
SHOWN: Final = 60  # characters of a message in a list of them


def draw(desk: Desk, found: Opened) -> None:
    """The linked tickets, and the ways to link one more and to take a link away."""
    number = found.card.id
    related = ticket_related.related_tickets(desk, number)
    title = f"Related tickets: {len(related)}" if related else "Related tickets"
    with st.expander(title, icon=":material/link:", key=f"ticket_related_{number}"):
        if related:
            tables.show(
                related,
                [
                    column("Ticket", "reference", key=True),
                    column("Subject", "subject", key=True, width=320),
                    column("State", conversation.state_for_staff, Kind.STATE),
                ],
                key=f"ticket_related_{number}_list",
            )
        else:
            st.caption("Linked tickets stand here. Each goes on by itself; no customer sees it.")
        _link(desk, found)
        if related:
            _unlink(desk, found, {one.id: f"{one.reference}: {one.subject}" for one in related})


def _link(desk: Desk, found: Opened) -> None:
    card = found.card
    form = f"ticket_link_{card.id}"
    with st.form(f"{form}_{ui.request_id(form)}", border=False):
        reference = st.text_input(
            LABELS["reference"],
            key=f"{form}_{ui.request_id(form)}_number",
            max_chars=40,
            placeholder="T-260316-42-7",
            autocomplete="off",
        )
        if st.form_submit_button(f"Link {card.reference}", icon=":material/add_link:"):
            with ui.attempt("The tickets are linked.", form=form, labels=LABELS):
                ticket_related.link_ticket(desk, card.id, reference or "")


def _unlink(desk: Desk, found: Opened, related: dict[int, str]) -> None:
    card = found.card
    with st.container(horizontal=True, vertical_alignment="bottom"):
        other = st.selectbox(
            "Linked ticket",
            list(related),
            None,
            key=f"ticket_unlink_{card.id}_which",
            format_func=lambda one: related.get(one, "no longer linked"),
            placeholder="Choose",
        )
        pressed = st.button(
            "Take the link away",
            key=f"ticket_unlink_{card.id}",
            icon=":material/link_off:",
            disabled=other is None,
        )
    if pressed and other is not None:
        with ui.attempt("The link is gone.", labels=LABELS):
            ticket_related.unlink_ticket(desk, card.id, other)


def split(desk: Desk, found: Opened) -> None:
    """A ticket of its own for something that the customer wrote, for who has claimed this one."""
    card, names = found.card, tickets.categories(desk)
    questions = {post.id: post for post in found.posts if post.kind is PostKind.QUESTION}
    form = f"ticket_split_{card.id}"
    key = f"{form}_{ui.request_id(form)}"
    with st.popover("Split", icon=":material/call_split:"), st.form(key, border=False):
        st.caption(
            "What you choose gets a ticket of its own, whose clocks count from when it was"
            " written. The customer is mailed its number."
        )
        chosen = st.selectbox(
            LABELS["post"],
            list(questions),
            None,
            key=f"{key}_post",
            format_func=lambda one: _begin(questions[one]) if one in questions else "?",
            placeholder="Choose",
        )
        category = st.selectbox(
            LABELS["category"],
            list(names),
            None,
            key=f"{key}_category",
            format_func=lambda code: names.get(code, code),
            placeholder="Choose",
        )
        subject = st.text_input(
            LABELS["subject"], key=f"{key}_subject", max_chars=LONGEST_SUBJECT, autocomplete="off"
        )
        if st.form_submit_button(f"Split {card.reference}"):
            once = ui.request_id(form)
            with ui.attempt(labels=LABELS):
                new = ticket_split.split_ticket(
                    desk, card.id, chosen or 0, category or "", subject or "", request_id=once
                )
                ui.renew(form)
                ui.flash(f"{new.reference} is open, and the customer is told.")
                st.rerun()


def _begin(post: Post) -> str:
    text = " ".join(post.body.split())
    short = text if len(text) <= SHOWN else f"{text[:SHOWN].rstrip()} ..."
    return f"{words.moment(post.at)}: {short}"
