"""Approvals: what waits for this person's decision, what they asked for, and what became of it."""

from collections.abc import Sequence

import streamlit as st

from bank.core import money
from bank.core.approvals import LONGEST_TEXT
from bank.core.desk import Desk
from bank.core.permissions import Permission
from bank.office import approval_cards, approvals
from bank.office.approval_rows import ApprovalCard, ApprovalRow
from pages.parts import forms, tables, together, ui, waiting, words
from pages.parts.tables import Kind, column

desk = ui.enter(Permission.APPROVAL_VIEW, title="Approvals")

NARROW = 640  # pixels
TO_DECIDE, MINE, HISTORY = "To decide", "Created by me", "History"
LABELS = {
    "amount": "Amount again",
    "amount again": "Amount again",
    "note": "Note",
    "question": "Question",
    "reason": "Reason",
}
APPROVE, ASK, REJECT = "Approve", "Return with a question", "Reject"
SECONDS = 5.0


def columns(*, decided: bool) -> list[tables.Column[ApprovalRow]]:
    """The columns of a list."""
    now = desk.bank.clock.now()
    ends: tables.Column[ApprovalRow] = (
        column("Decided by", lambda row: row.checker_name or "")
        if decided
        else column("Expires", lambda row: words.age(row.expires_at, now), by="expires_at")
    )
    return [
        column("No.", "id", Kind.NUMBER),
        column("What", waiting.title_of, key=True),
        column("Amount", "amount_minor", Kind.AMOUNT, key=True, currency=lambda row: row.currency),
        column("About", "about"),
        column("Asked for by", "maker_name", key=True),
        column("When", lambda row: words.age(row.made_at, now), by="made_at"),
        ends,
        column("State", "status", Kind.STATE),
    ]


def chosen_of(rows: Sequence[ApprovalRow], *, key: str, decided: bool) -> ApprovalCard | None:
    """A list, and the card of the row that was chosen."""
    chosen = tables.choose(
        rows,
        columns(decided=decided),
        key=key,
        id_of=lambda row: row.id,
        prompt="Choose an approval",
        file_name="approvals.csv",
        filters={"view": st.session_state.get("approvals_view")},
    )
    if chosen is None:
        st.caption("Choose an approval to see what it would do.")
        return None
    return approval_cards.approval_card(desk, chosen.id)


@ui.live(SECONDS, Permission.APPROVAL_DECIDE)
def newcomers(asking: Desk, shown: frozenset[int]) -> None:
    """Say that the list has grown, without moving the row under the cursor."""
    more = {row.id for row in approval_cards.to_decide(asking)} - shown
    if more:
        st.info(f"{words.counted(len(more), 'more')} since this list was drawn.")
        if st.button("Show the new list", key="approvals_newer"):
            st.rerun()


def say_if_gone(rows: Sequence[ApprovalRow]) -> None:
    """Somebody else may have decided about what this person has open: say who, and let go of it."""
    chosen = st.session_state.get("approvals_queue_chosen")
    if chosen is None or chosen in {str(row.id) for row in rows}:
        return
    st.session_state["approvals_queue_chosen"] = None
    card = approval_cards.approval_card(desk, int(chosen))
    if card.row.checker_name != desk.name:  # what they did themselves, they were told
        st.info(words.plain(f"Approval {chosen}: {waiting.said_of(card)}"))


def to_decide() -> None:
    """The queue of the checker."""
    rows = approval_cards.to_decide(desk)
    say_if_gone(rows)
    together.say_result()
    newcomers(frozenset(row.id for row in rows))
    if not rows:
        ui.empty(
            "Nothing waits for your decision.",
            "What needs a second person at your branch appears here by itself.",
        )
        return
    now = desk.bank.clock.now()
    one, two = st.columns(2)
    one.metric("To decide", f"{len(rows):,}", border=True)
    two.metric("Oldest", words.age(rows[0].made_at, now), border=True)
    card = chosen_of(rows, key="approvals_queue", decided=False)
    together.draw(desk, rows)
    if card is not None:
        waiting.in_full(card, key=f"approvals_{card.row.id}")
        with st.container(width=NARROW):
            decide(card)


def decide(card: ApprovalCard) -> None:
    """The decision about this very approval: its number is part of every key."""
    number = card.row.id
    if card.why_not:
        st.warning(words.plain(card.why_not))
        return
    what = st.segmented_control(
        "Decision",
        [APPROVE, ASK, REJECT],
        default=APPROVE,
        required=True,
        key=f"approvals_what_{number}",
    )
    again = ""
    if what == APPROVE and card.wants_amount_again:
        again = forms.amount_input(
            LABELS["amount again"],
            key=f"approvals_again_{number}",
            currency=card.row.currency,
            help="Read it from the paper, not from this page.",
        )
    label = {APPROVE: "Note", ASK: "Question", REJECT: "Reason"}[what or APPROVE]
    said = st.text_input(
        label,
        key=f"approvals_{label.lower()}_{number}",
        max_chars=LONGEST_TEXT,
        help="Its maker reads this.",
        autocomplete="off",
    )
    title = waiting.title_of(card.row).lower()
    button = {APPROVE: f"Approve {title}", ASK: "Return to its maker", REJECT: f"Reject {title}"}
    if st.button(button[what or APPROVE], type="primary", key=f"approvals_do_{number}"):
        done = {APPROVE: "approved and done", ASK: "returned", REJECT: "rejected"}[what or APPROVE]
        with ui.attempt(f"Approval {number} is {done}.", labels=LABELS):
            if what == ASK:
                approvals.send_back(desk, number, said)
            elif what == REJECT:
                approvals.reject(desk, number, said)
            else:
                typed = money.parse(again, currency=card.row.currency) if again else None
                approvals.approve(desk, number, said, typed)


def mine() -> None:
    """What this person asked for, with who may decide."""
    rows = approval_cards.own_approvals(desk)
    if not rows:
        ui.empty(
            "You have asked for nothing that needs a second person.",
            "When a rule asks for one, what you did waits here and on its own page.",
        )
        return
    card = chosen_of(rows, key="approvals_mine", decided=True)
    if card is None:
        return
    if card.row.status in waiting.OPEN:
        waiting.follow(desk, card.row.id, key="approvals_follow")
    else:
        waiting.in_full(card, key=f"approvals_{card.row.id}")


def history() -> None:
    """What was decided, as far as this person sees."""
    rows = approval_cards.decided(desk)
    if not rows:
        ui.empty("Nothing has been decided yet.", "Decisions stay here, with their reasons.")
        return
    card = chosen_of(rows, key="approvals_history", decided=True)
    if card is not None:
        waiting.in_full(card, key=f"approvals_{card.row.id}")


def say_what_came_back() -> None:
    """Questions wait for an answer, whatever this person looks at."""
    asked = approval_cards.count_asked_back(desk)
    if asked:
        said = "has a question about" if asked == 1 else "have questions about"
        st.warning(
            f"A checker {said} {words.counted(asked, 'approval')} of yours. Answer under {MINE}.",
            icon=":material/help:",
        )


views = {MINE: mine, HISTORY: history}
if desk.may(Permission.APPROVAL_DECIDE):
    views = {TO_DECIDE: to_decide, **views}
with ui.attempt():
    say_what_came_back()
view = st.segmented_control(
    "View", list(views), default=next(iter(views)), required=True, key="approvals_view"
)
with ui.attempt():
    views[view or next(iter(views))]()
