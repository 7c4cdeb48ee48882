"""Several items of a queue at once: claimed by oneself, or handed to a colleague by who leads.

What became of each stays on the screen, and may be kept as a file, until it is hidden.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import streamlit as st

from bank.core.desk import Desk
from bank.core.permissions import Permission
from bank.core.work_tables import LONGEST_NOTE, W
from bank.office import queue
from bank.office.queue import Claimed
from bank.office.queue_lists import ItemRow, View
from pages.parts import tables, ui, words
from pages.parts.tables import column

Anew = Callable[[], None]
RESULT: Final[Sequence[tables.Column[tuple[str, str]]]] = (
    column("Item", lambda pair: pair[0], key=True, width=400),
    column("What became of it", lambda pair: pair[1], key=True, width=400),
)
LABELS: Final = {"note": "Why", "colleague": "Colleague", "items": "Items"}


def draw(desk: Desk, name: str, view: View, rows: Sequence[ItemRow], anew: Anew) -> None:
    """Below the list. Who chose them sees which, before and after."""
    names = {row.id: f"{row.reference}: {row.title}" for row in rows if row.state is not W.DECIDED}
    if not names:
        return
    if view is View.UNASSIGNED:
        with st.expander("Claim several", icon=":material/checklist:"):
            _claim(desk, name, names, anew)
    if desk.may(Permission.WORK_LEAD) and view is not View.DECIDED:
        place = st.expander(
            "Hand over several",
            icon=":material/group:",
            key=f"{name}_hand_several",
            on_change="rerun",
        )
        if place.open:  # whom one can choose is asked only then
            with place:
                _hand_over(desk, name, names, anew)


def say_result(name: str) -> None:
    """What became of each item, until it is hidden or the next are done."""
    kept: tuple[str, Sequence[tuple[str, str]]] | None = st.session_state.get(f"{name}_result")
    if kept is None:
        return
    title, result = kept
    st.header(title)
    tables.show(
        result,
        RESULT,
        key=f"{name}_results",
        file_name=f"{title.lower().replace(' ', '-')}.csv",
    )
    if st.button("Hide this list", key=f"{name}_hide", type="tertiary"):
        del st.session_state[f"{name}_result"]
        st.rerun()


def _claim(desk: Desk, name: str, names: Mapping[int, str], anew: Anew) -> None:
    key = f"{name}_several"
    chosen = _choose(key, names)
    label = f"Claim {words.counted(len(chosen), 'item')}" if chosen else "Claim these items"
    if st.button(label, key=f"{name}_claim_several", disabled=not chosen):
        with ui.attempt(labels=LABELS):
            results = queue.claim_many(desk, chosen)
            got = sum(one.refused is None for one in results)
            _keep(name, "Claimed together", results, names, "It is yours.")
            ui.flash(f"You have claimed {got} of {words.counted(len(results), 'item')}.")
            _done(anew, key)


def _hand_over(desk: Desk, name: str, names: Mapping[int, str], anew: Anew) -> None:
    key = f"{name}_hand"
    chosen = _choose(f"{key}_items", names)
    people = {one.user_id: one for one in queue.takers(desk)}
    to = st.selectbox(
        "Colleague",
        list(people),
        None,
        key=f"{key}_to",
        format_func=lambda user_id: (
            f"{people[user_id].name}, {words.role_name(people[user_id].role)}"
        ),
        placeholder="Choose",
        help="Whoever is away is not offered. What they may not work on stays where it is.",
    )
    why = st.text_input("Why", key=f"{key}_why", max_chars=LONGEST_NOTE, autocomplete="off")
    label = f"Hand over {words.counted(len(chosen), 'item')}" if chosen else "Hand over these items"
    if st.button(label, key=f"{key}_do", disabled=not chosen or to is None):
        with ui.attempt(labels=LABELS):
            results = queue.reassign_many(desk, chosen, to, why)
            got = sum(one.refused is None for one in results)
            whose = f"{people[to].name} has it."
            _keep(name, "Handed over together", results, names, whose)
            ui.flash(f"{people[to].name} has {got} of {words.counted(len(results), 'item')}.")
            _done(anew, f"{key}_items", f"{key}_to", f"{key}_why")


def _choose(key: str, names: Mapping[int, str]) -> list[int]:
    chosen: list[int] = st.multiselect(
        "Items",
        list(names),
        key=key,
        format_func=lambda item_id: names.get(item_id, "no longer here"),
        max_selections=queue.MOST_AT_ONCE,
        placeholder="Choose items",
    )
    return chosen


def _keep(
    name: str, title: str, results: Sequence[Claimed], names: Mapping[int, str], done: str
) -> None:
    told: Any = [(names.get(one.item_id, str(one.item_id)), one.refused or done) for one in results]
    st.session_state[f"{name}_result"] = (title, told)


def _done(anew: Anew, *keys: str) -> None:
    anew()
    for key in keys:
        st.session_state.pop(key, None)
    st.rerun()
