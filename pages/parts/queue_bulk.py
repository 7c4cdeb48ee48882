"""Several items of a queue at once: claimed by oneself, or handed to a colleague by who leads.

What would become of each is said before. What became of each stays on the screen, and may be kept
as a file, until it is hidden; for a while whoever did it may undo it.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import streamlit as st

from bank.core.desk import Desk
from bank.core.permissions import Permission
from bank.core.work_tables import LONGEST_NOTE, W
from bank.office import queue, queue_lists, queue_many
from bank.office.queue_lists import ItemRow, View
from bank.office.queue_many import BulkKind, Claimed
from pages.parts import tables, ui, words
from pages.parts.tables import column

Anew = Callable[[], None]
RESULT: Final[Sequence[tables.Column[tuple[str, str]]]] = (
    column("Item", lambda pair: pair[0], key=True, width=400),
    column("What became of it", lambda pair: pair[1], key=True, width=400),
)
AHEAD: Final[Sequence[tables.Column[tuple[str, str]]]] = (
    RESULT[0],
    column("What would become of it", lambda pair: pair[1], key=True, width=400),
)
UNDO: Final = {BulkKind.CLAIM: "Undo claiming", BulkKind.HAND_OVER: "Undo handing over"}
TICK_SECONDS: Final = 2.0
LABELS: Final = {"note": "Why", "colleague": "Colleague", "items": "Items"}


def draw(desk: Desk, name: str, view: View, rows: Sequence[ItemRow], anew: Anew) -> None:
    """Below the list. Who chose them sees which, before and after."""
    drawn = {row.id: (row.state, row.owner_id) for row in rows}
    names = {row.id: _named(row) for row in rows if row.state is not W.DECIDED}
    if not names:
        return
    if view is View.UNASSIGNED:
        with st.expander("Claim several", icon=":material/checklist:"):
            _claim(desk, name, names, drawn, anew)
    if desk.may(Permission.WORK_LEAD) and view is not View.DECIDED:
        place = st.expander(
            "Hand over several",
            icon=":material/group:",
            key=f"{name}_hand_several",
            on_change="rerun",
        )
        if place.open:  # whom one can choose is asked only then
            with place:
                _hand_over(desk, name, names, drawn, anew)


def _named(row: ItemRow) -> str:
    return f"{words.sentence(row.reference)}: {row.title}"


def undo(desk: Desk, name: str, anew: Anew) -> None:
    """The way back for what this person has just done to several, while the bank allows it."""
    found = queue_many.undoable(desk)
    drawn: str | None = st.session_state.get(f"{name}_undo")
    request_id = found.request_id if found else drawn
    if request_id is None:
        return
    key = f"{name}_undo_{request_id}"
    if found is None and not st.session_state.get(key):  # a click that came late is told so
        return
    st.session_state[f"{name}_undo"] = request_id
    with st.container(horizontal=True, vertical_alignment="center"):
        what = f"{UNDO[found.kind]} {words.counted(found.count, 'item')}" if found else "Undo"
        if st.button(what, key=key, icon=":material/undo:"):
            with ui.attempt():
                results = queue_many.undo_many(desk, request_id)
                ids = [one.item_id for one in results]
                rows = queue_lists.items_by_id(desk, ids)
                names = {row.id: _named(row) for row in rows}
                back = sum(one.refused is None for one in results)
                _keep(name, "Undone together", results, names, "It is back where it was.")
                ui.flash(f"{back} of {words.counted(len(results), 'item')} put back.")
                _done(anew, f"{name}_undo")
        if found is not None:
            _time_left(found.until)


@ui.live(TICK_SECONDS, Permission.WORK_DO)
def _time_left(desk: Desk, until: datetime) -> None:
    left = math.ceil((until - desk.bank.clock.now()).total_seconds())
    if left <= 0:
        st.rerun()
    st.caption(f"{words.counted(left, 'second')} left")


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


def _claim(
    desk: Desk, name: str, names: Mapping[int, str], drawn: Mapping[int, Any], anew: Anew
) -> None:
    key = f"{name}_several"
    request_id = ui.request_id(key)
    chosen = _choose(key, names)
    if chosen:
        with ui.attempt(labels=LABELS):
            asked = [(each, drawn.get(each)) for each in chosen]
            ahead = _asked_once(key, asked, lambda: queue_many.preview_claims(desk, chosen))
            _say_ahead(key, ahead, names, "You would have it.")
    label = f"Claim {words.counted(len(chosen), 'item')}" if chosen else "Claim these items"
    if st.button(label, key=f"{name}_claim_several", disabled=not chosen):
        with ui.attempt(labels=LABELS):
            results = queue_many.claim_many(desk, chosen, request_id=request_id)
            got = sum(one.refused is None for one in results)
            _keep(name, "Claimed together", results, names, "It is yours.")
            ui.flash(f"You have claimed {got} of {words.counted(len(results), 'item')}.")
            ui.renew(key)
            _done(anew, key)


def _hand_over(
    desk: Desk, name: str, names: Mapping[int, str], drawn: Mapping[int, Any], anew: Anew
) -> None:
    key = f"{name}_hand"
    request_id = ui.request_id(key)
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
    if chosen and to is not None:
        with ui.attempt(labels=LABELS):
            asked = [to, *((each, drawn.get(each)) for each in chosen)]
            ahead = _asked_once(
                key, asked, lambda: queue_many.preview_reassignments(desk, chosen, to)
            )
            _say_ahead(key, ahead, names, f"{people[to].name} would have it.")
    why = st.text_input("Why", key=f"{key}_why", max_chars=LONGEST_NOTE, autocomplete="off")
    label = f"Hand over {words.counted(len(chosen), 'item')}" if chosen else "Hand over these items"
    if st.button(label, key=f"{key}_do", disabled=not chosen or to is None):
        with ui.attempt(labels=LABELS):
            results = queue_many.reassign_many(desk, chosen, to, why, request_id=request_id)
            got = sum(one.refused is None for one in results)
            whose = f"{people[to].name} has it."
            _keep(name, "Handed over together", results, names, whose)
            ui.flash(f"{people[to].name} has {got} of {words.counted(len(results), 'item')}.")
            ui.renew(key)
            _done(anew, f"{key}_items", f"{key}_to", f"{key}_why")


def _choose(key: str, names: Mapping[int, str]) -> list[int]:
    chosen: list[int] = st.multiselect(
        "Items",
        list(names),
        key=key,
        format_func=lambda item_id: names.get(item_id, "no longer here"),
        max_selections=queue_many.MOST_AT_ONCE,
        placeholder="Choose items",
    )
    return chosen


def _asked_once(
    key: str, asked: Sequence[Any], ahead: Callable[[], list[Claimed]]
) -> Sequence[Claimed]:
    """What the bank said ahead of this, until something else is chosen or the list has changed: it
    tries it out, and holds the items for that moment."""
    kept: tuple[Sequence[Any], Sequence[Claimed]] | None = st.session_state.get(f"{key}_said")
    if kept is None or kept[0] != asked:
        kept = (asked, ahead())
        st.session_state[f"{key}_said"] = kept
    return kept[1]


def _say_ahead(key: str, ahead: Sequence[Claimed], names: Mapping[int, str], done: str) -> None:
    """What would become of each, as it stands now, and of how many it would be done."""
    able = sum(one.refused is None for one in ahead)
    st.caption(f"{able} of {words.counted(len(ahead), 'item')} as it stands now.")
    told = [(names.get(one.item_id, str(one.item_id)), one.refused or done) for one in ahead]
    tables.show(told, AHEAD, key=f"{key}_ahead")


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
