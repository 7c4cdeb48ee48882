"""Approvals: what waits for this person's decision, what they asked for, and what became of it."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from bank.core import money
from bank.core.approvals import KIND, LONGEST_TEXT, ApprovalStatus
from bank.core.desk import Desk
from bank.core.permissions import Permission
from bank.core.work_tables import W
from bank.office import approval_cards, approval_queue, approvals
from bank.office.approval_rows import ApprovalCard, ApprovalRow
from bank.office.queue_lists import ItemRow, View
from pages.parts import forms, queue, tables, together, ui, waiting, words
from pages.parts.queue_search import Field
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
SURE = "approvals_sure"  # the number of the approval that one is asked about again
APPROVE, ASK, REJECT = "Approve", "Return with a question", "Reject"


def columns() -> list[tables.Column[ApprovalRow]]:
    """The columns of a list."""
    now = desk.bank.clock.now()
    return [
        column("No.", "id", Kind.NUMBER),
        column("What", waiting.title_of, key=True),
        column("Amount", "amount_minor", Kind.AMOUNT, key=True, currency=lambda row: row.currency),
        column("About", "about"),
        column("Asked for by", "maker_name", key=True),
        column("When", lambda row: words.age(row.made_at, now), by="made_at"),
        column("Decided by", lambda row: row.checker_name or ""),
        column("State", "status", Kind.STATE),
    ]


def chosen_of(rows: Sequence[ApprovalRow], *, key: str) -> ApprovalCard | None:
    """A list, and the card of the row that was chosen."""
    chosen = tables.choose(
        rows,
        columns(),
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


def rows_below(asking: Desk, items: Sequence[ItemRow]) -> None:
    """Several of a page at once, where at least two of a kind move money."""
    rows = approval_queue.approvals_by_id(asking, [each.subject_id for each in items])
    open_now = (each for each in rows.values() if each.status is ApprovalStatus.PENDING)
    together.draw(asking, sorted(open_now, key=lambda row: row.id), lambda: queue.anew(QUEUE))


def columns_of(asking: Desk, items: Sequence[ItemRow]) -> list[tables.Column[ItemRow]]:
    """What the approvals of a page ask for."""
    rows = approval_queue.approvals_by_id(asking, [each.subject_id for each in items])

    def of(read: Callable[[ApprovalRow], Any], otherwise: Any = "") -> Callable[[ItemRow], Any]:
        return lambda item: read(rows[item.subject_id]) if item.subject_id in rows else otherwise

    return [
        column("What", of(waiting.title_of), key=True),
        column(
            "Amount",
            of(lambda row: row.amount_minor, None),
            Kind.AMOUNT,
            key=True,
            currency=of(lambda row: row.currency, money.HOME),
        ),
        column("About", of(lambda row: row.about)),
        column("Asked for by", of(lambda row: row.maker_name)),
    ]


def panel(reader: Desk, item: ItemRow) -> None:
    """The approval that an item is about, and the decision."""
    card = approval_cards.approval_card(reader, item.subject_id)
    if st.session_state.get(SURE) != card.row.id:  # whoever leaves a question is asked again
        st.session_state.pop(SURE, None)
    waiting.in_full(card, key=f"approval_{card.row.id}")  # the item's own keys are in the plural
    if card.row.status in waiting.OPEN:
        with st.container(width=NARROW):
            decide(card)
    elif item.state is not W.DECIDED or card.row.checker_name != desk.name:
        st.info(words.plain(f"Approval {card.row.id}: {waiting.said_of(card)}"))


def kinds_waiting(asking: Desk) -> dict[str, str]:
    """The commands that wait, by what people call them."""
    return {
        command: waiting.TITLES.get(command, command)
        for command in approval_queue.commands_waiting(asking)
    }


def number_in(text: str) -> int | None:
    """What stands in an address where a number belongs."""
    return int(text) if text.isdecimal() else None


AGES = {60: "More than an hour", 240: "More than four hours", 1_440: "More than a day"}
QUEUE = queue.Queue(
    name="approvals",
    kinds=(KIND.name,),
    panels={KIND.name: panel},
    views=(View.UNASSIGNED, View.MINE, View.WAITING, View.OVERDUE, View.ALL_OPEN),
    empty={
        View.UNASSIGNED: (
            "Nothing waits for your decision.",
            "What needs a second person at your branch appears here by itself.",
        )
    },
    only=((approval_queue.FOR_ME, True),),
    fields=(
        Field(
            name="maker",
            label="Asked for by",
            narrows=approval_queue.MAKER,
            options=approval_queue.makers_waiting,
            read=number_in,
        ),
        Field(
            name="command",
            label="What",
            narrows=approval_queue.COMMAND,
            options=kinds_waiting,
            read=lambda text: text or None,
        ),
        Field(name="from", label="Amount from", narrows=approval_queue.FROM_MINOR),
        Field(
            name="age",
            label="Waiting for",
            narrows=approval_queue.MINUTES,
            options=lambda _desk: AGES,
            read=number_in,
        ),
    ),
    columns=columns_of,
    below=rows_below,
)


def to_decide() -> None:
    """The queue of the checker."""
    approvals.keep_up(desk)
    together.say_result()
    queue.draw(desk, QUEUE)


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
    if what == APPROVE:
        approve(card, title, said, again)
        return
    st.session_state.pop(SURE, None)
    button, done = {
        ASK: ("Return to its maker", "returned"),
        REJECT: (f"Reject {title}", "rejected"),
    }[what or ASK]
    if st.button(button, type="primary", key=f"approvals_do_{number}"):
        with ui.attempt(f"Approval {number} is {done}.", labels=LABELS):
            verb = approvals.send_back if what == ASK else approvals.reject
            verb(desk, number, said)
            let_go()


def approve(card: ApprovalCard, title: str, said: str, again: str) -> None:
    """In two keys: one opens the question, one answers it. A refusal closes it again."""
    number = card.row.id
    if st.session_state.get(SURE) != number:
        if st.button(
            f"Approve {title}", type="primary", key=f"approvals_do_{number}", shortcut="a"
        ):
            st.session_state[SURE] = number
            st.rerun()
        return
    what = f"{title} {waiting.amount_of(card.row)}".strip()
    st.markdown(words.plain(f"Approve {what}, asked for by {card.row.maker_name}?"))
    with st.container(horizontal=True):
        yes = st.button("Yes, approve", type="primary", key=f"approvals_yes_{number}", shortcut="y")
        if st.button("Not yet", type="tertiary", key=f"approvals_no_{number}", shortcut="esc"):
            del st.session_state[SURE]
            st.rerun()
    if yes:
        del st.session_state[SURE]
        with ui.attempt(f"Approval {number} is approved and done.", labels=LABELS):
            typed = money.parse(again, currency=card.row.currency) if again else None
            approvals.approve(desk, number, said, typed)
            let_go()


def let_go() -> None:
    """What is decided is not before one's eyes any longer, and the list is drawn anew."""
    st.session_state[QUEUE.key("list_chosen")] = None
    queue.anew(QUEUE)


def mine() -> None:
    """What this person asked for, with who may decide."""
    rows = approval_cards.own_approvals(desk)
    if not rows:
        ui.empty(
            "You have asked for nothing that needs a second person.",
            "When a rule asks for one, what you did waits here and on its own page.",
        )
        return
    card = chosen_of(rows, key="approvals_mine")
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
    card = chosen_of(rows, key="approvals_history")
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
    "View", list(views), default=next(iter(views)), required=True, key="approvals_show"
)
with ui.attempt():
    views[view or next(iter(views))]()
