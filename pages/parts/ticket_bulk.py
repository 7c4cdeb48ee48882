"""Several of one's own claimed tickets at once: sorted alike, or ended with one public reply.

What became of each stays on the screen until it is hidden.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import streamlit as st

from bank.core.desk import Desk
from bank.core.permissions import Permission
from bank.core.work_tables import LONGEST_NOTE, Priority, W
from bank.office import queue_many, ticket_together, tickets
from bank.office.queue_lists import ItemRow
from bank.office.queue_many import Claimed
from bank.office.ticket_posts import LONGEST_BODY
from pages.parts import tables, ui, words
from pages.parts.tables import column

RESULT: Final = "ticket_bulk_result"
COLUMNS: Final[Sequence[tables.Column[tuple[str, str]]]] = (
    column("Ticket", lambda pair: pair[0], key=True, width=400),
    column("What became of it", lambda pair: pair[1], key=True, width=400),
)
LABELS: Final = {
    "category": "Category for all",
    "items": "Tickets",
    "message": "Message to each customer",
    "note": "Why",
    "priority": "Priority for all",
}


def draw(desk: Desk, rows: Sequence[ItemRow]) -> None:
    """Below the list, for who has claimed tickets of it."""
    here = [row for row in rows if row.kind == tickets.KIND.name]
    names = {row.id: f"{words.sentence(row.reference)}: {row.title}" for row in here}
    mine = [
        row.id
        for row in here
        if row.owner_id == desk.user_id and row.state in {W.CLAIMED, W.WAITING}
    ]
    if not mine or not desk.may(Permission.TICKET_WORK):
        return
    with st.expander("Sort several tickets", icon=":material/label:"):
        _sort(desk, mine, names)
    with st.expander("End several tickets", icon=":material/done_all:"):
        _solve(desk, mine, names)


def say_result() -> None:
    """What became of each ticket, until it is hidden or the next are done."""
    kept: tuple[str, Sequence[tuple[str, str]]] | None = st.session_state.get(RESULT)
    if kept is None:
        return
    title, result = kept
    st.header(title)
    tables.show(
        result,
        COLUMNS,
        key="ticket_bulk_results",
        file_name=f"{title.lower().replace(' ', '-')}.csv",
    )
    if st.button("Hide this list", key="ticket_bulk_hide", type="tertiary"):
        del st.session_state[RESULT]
        st.rerun()


def _sort(desk: Desk, mine: Sequence[int], names: Mapping[int, str]) -> None:
    form = "ticket_bulk_sort"
    key = f"{form}_{ui.request_id(form)}"
    kinds = tickets.categories(desk)
    with st.form(key, border=False):
        chosen = _choose(f"{key}_items", mine, names)
        category = st.selectbox(
            LABELS["category"],
            list(kinds),
            None,
            key=f"{key}_category",
            format_func=lambda code: kinds.get(code, code),
            placeholder="Each keeps its own",
        )
        priority = st.selectbox(
            LABELS["priority"],
            list(Priority.NAMES),
            None,
            key=f"{key}_priority",
            format_func=lambda one: words.sentence(Priority.NAMES[one]),
            placeholder="Each keeps its own",
            help="The deadlines move with it.",
        )
        why = st.text_input(
            LABELS["note"], key=f"{key}_why", max_chars=LONGEST_NOTE, autocomplete="off"
        )
        if st.form_submit_button("Sort these tickets") and _is_any(chosen):
            with ui.attempt(labels=LABELS):
                results = ticket_together.sort_together(desk, chosen, category, priority, why or "")
                _done(form, "Sorted together", results, names, "It is sorted.")


def _solve(desk: Desk, mine: Sequence[int], names: Mapping[int, str]) -> None:
    form = "ticket_bulk_solve"
    key = f"{form}_{ui.request_id(form)}"
    ready = ticket_together.closing_words(desk)
    st.selectbox(
        "Canned reply for all",
        list(ready),
        None,
        key=f"{key}_canned",
        placeholder="Insert words kept before",
        on_change=_insert,
        args=(f"{key}_canned", f"{key}_text", ready),
    )
    with st.form(key, border=False):
        chosen = _choose(f"{key}_items", mine, names)
        text = st.text_area(
            LABELS["message"],
            key=f"{key}_text",
            max_chars=LONGEST_BODY,
            height=120,
            help="Mailed to the customer of each ticket, which it solves. Placeholders like {name}"
            " are filled in for each.",
        )
        if st.form_submit_button("Send to each and solve") and _is_any(chosen):
            once = ui.request_id(form)
            with ui.attempt(labels=LABELS):
                results = ticket_together.solve_together(desk, chosen, text or "", request_id=once)
                _done(form, "Ended together", results, names, "It is solved.")


def _choose(key: str, mine: Sequence[int], names: Mapping[int, str]) -> list[int]:
    # What was chosen stays when it is not theirs any more: then the bank says so.
    before: Sequence[int] = st.session_state.get(key, ())
    chosen: list[int] = st.multiselect(
        LABELS["items"],
        [*mine, *(each for each in before if each not in mine)],
        key=key,
        format_func=lambda item_id: names.get(item_id, "no longer here"),
        max_selections=queue_many.MOST_AT_ONCE,
        placeholder="Choose your tickets",
    )
    return chosen


def _is_any(chosen: Sequence[int]) -> bool:
    if not chosen:
        st.error("**Tickets:** Choose at least one.")
    return bool(chosen)


def _insert(chosen: str, text: str, ready: Mapping[str, str]) -> None:
    """Put the words below what is written already; nothing is sent by it."""
    name = st.session_state.get(chosen)
    if name in ready:
        before = str(st.session_state.get(text) or "").strip()
        st.session_state[text] = f"{before}\n\n{ready[name]}".strip()


def _done(
    form: str, title: str, results: Sequence[Claimed], names: Mapping[int, str], done: str
) -> None:
    told = [(names.get(one.item_id, str(one.item_id)), one.refused or done) for one in results]
    st.session_state[RESULT] = (title, told)
    got = sum(one.refused is None for one in results)
    ui.renew(form)
    ui.flash(f"{title}: {got} of {words.counted(len(results), 'ticket')}.")
    st.rerun()
