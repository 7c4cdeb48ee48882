"""A ticket as a conversation: the same for its customer and for the bank, but for the notes."""

import math
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

import streamlit as st

from bank.core.clock import appointment, in_india
from bank.core.desk import Desk
from bank.core.permissions import Permission
from bank.core.work_tables import W
from bank.office.ticket_posts import Post
from bank.office.ticket_tables import PostKind
from bank.office.ticket_waits import Wait
from bank.office.tickets import TicketCard
from pages.parts import uploads, words

SCORES: Final = {5: "Very well", 4: "Well", 3: "So so", 2: "Badly", 1: "Not at all"}
INTERNAL: Final = "Internal note"
TAKEN_BACK: Final = "Taken back, never sent"
LONGEST_IN_HOURS: Final = 48  # what takes longer is told in days
ICONS: Final = {
    PostKind.QUESTION: ":material/person:",
    PostKind.REPLY: ":material/account_balance:",
    PostKind.NOTE: ":material/lock:",
}


def draw(
    posts: Sequence[Post],
    *,
    fetch: Callable[[Desk, int], bytes],
    permission: Permission,
    key: str,
) -> None:
    """What was written, oldest first. Every note says that it is one, in its own colour.

    `fetch` reads a file of it by number, for whoever holds the permission.
    """
    for number, post in enumerate(posts):
        is_note = post.kind is PostKind.NOTE
        name = f"internal_{key}_{number}" if is_note else f"{key}_post_{number}"
        with st.container(border=True, key=name, gap="xsmall"):
            said = f"{ICONS[post.kind]} **{words.plain(post.author)}**"
            if is_note:
                said += f" {words.badge(INTERNAL, words.Tone.WARNING)}"
            elif post.kind is PostKind.REPLY:
                said += f" {words.badge('The bank', words.Tone.INFO)}"
            if post.is_taken_back:
                said += f" {words.badge(TAKEN_BACK, words.Tone.NEUTRAL)}"
            st.markdown(said)
            st.markdown(words.plain_lines(post.body))
            uploads.draw(post.files, fetch, permission=permission, key=f"file_{key}_{number}")
            via = f", written in {post.via}" if post.via else ""
            st.caption(words.plain(f"{words.moment(post.at)}{via}"))


def score_of(card: TicketCard) -> str:
    """`4 of 5, well: Quick and clear.`; nothing while there is no score."""
    if card.score is None:
        return ""
    said = f"{card.score} of {max(SCORES)}, {SCORES[card.score].lower()}"
    return f"{said}: {card.score_note}" if card.score_note else said


def state_of(card: TicketCard) -> str:
    """How it stands, for its customer."""
    if card.merged_reference:
        return "merged"
    if card.state is W.DECIDED:
        return "solved"
    return "waits for you" if card.state is W.WAITING else "with the bank"


def state_for_staff(card: TicketCard) -> str:
    """The same, from the bank's side of the counter."""
    return "waits for the customer" if card.state is W.WAITING else state_of(card)


def next_of(card: TicketCard, now: datetime) -> str:
    """The same as `promise_of`, in the few words that a list has room for."""
    if card.merged_reference:
        return f"In {card.merged_reference}"
    if card.solved_at is not None:
        return f"Solved {words.day(in_india(card.solved_at).date())}"
    due = card.next_due_at
    if due is None:
        return "Your answer"
    what = "Answer" if due in (card.first_due_at, card.reply_due_at) else "Solved"
    return f"{what} by {appointment(due)}{', late' if due < now else ''}"


def promise_of(card: TicketCard, now: datetime) -> str:
    """What happens next and by when: the clock that customer and bank share."""
    if card.merged_reference:
        return f"It goes on in {card.merged_reference}."
    if card.solved_at is not None:
        solved = f"Solved on {words.moment(card.solved_at)}."
        if card.may_reopen(now):
            return f"{solved} You can open it again until {words.moment(card.reopen_until)}."
        return f"{solved} It was too long ago to be opened again; write a new one instead."
    due = card.next_due_at
    if due is None:
        return "The bank waits for your answer, and the clock stands still until it comes."
    what = "answer" if due in (card.first_due_at, card.reply_due_at) else "solve it"
    if due < now:
        return f"We promised to {what} by {appointment(due)}. We are late, and sorry."
    return f"We {what} by {appointment(due)}, {words.age(due, now)}."


def wait_of(wait: Wait | None) -> str:
    """The place in line of a ticket that nobody has taken yet, and how fast answers usually are."""
    if wait is None:
        return ""
    said = f"Place {wait.place:,} in line at your branch."
    if wait.usual_hours is None:
        return said
    if wait.usual_hours <= LONGEST_IN_HOURS:
        within = words.counted(wait.usual_hours, "hour")
    else:
        within = words.counted(math.ceil(wait.usual_hours / 24), "day")
    return f"{said} Usually answered within {within}."
