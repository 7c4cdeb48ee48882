"""One item of a queue: how it stands, who else looks at it, what one can do, its history."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

import streamlit as st

from bank.core.clock import appointment
from bank.core.desk import Desk
from bank.core.errors import NotFound
from bank.core.permissions import Permission
from bank.core.work_tables import LONGEST_NOTE, Level, W
from bank.office import queue, queue_lists
from bank.office.queue_lists import ItemRow
from pages.parts import tables, ui, words
from pages.parts.tables import Kind, column

Panel = Callable[[Desk, ItemRow], None]
Anew = Callable[[], None]
LOOK_EVERY_SECONDS: Final = 10.0
LABELS: Final = {"note": "Why", "colleague": "Colleague"}
LEVELS: Final = {Level.LEAD: "with the branch lead", Level.HEAD: "with head office"}


def due_of(row: ItemRow, now: datetime) -> str:
    """The deadline as a distance, and a word where it has passed."""
    if row.next_due_at is None:
        return "Paused" if row.state is W.WAITING else ""
    said = f"{clock_of(row)} {words.age(row.next_due_at, now)}"
    return f"Overdue, {said}" if row.is_overdue else words.sentence(said)


def clock_of(row: ItemRow) -> str:
    """What is due at the nearest deadline."""
    clocks = {"first reply": row.first_due_at, "next reply": row.reply_due_at}
    return next((name for name, due in clocks.items() if due == row.next_due_at), "solve")


def state_of(row: ItemRow) -> str:
    """The state with who has it and how far up the line it is."""
    if row.is_resting and row.rests_until is not None:
        said = f"Rests until {appointment(row.rests_until)}"
    else:
        said = "Assigned" if is_assigned(row) else words.sentence(row.state)
    if row.owner_name and row.state is not W.DECIDED:
        said = f"{said}: {row.owner_name}"
    return f"{said}, {LEVELS[row.level]}" if row.level in LEVELS else said


def is_assigned(row: ItemRow) -> bool:
    """Whether it was handed to its owner, who has not taken it up yet."""
    return row.state is W.CLAIMED and row.assigned_by is not None


def draw(desk: Desk, name: str, item_id: int, panels: Mapping[str, Panel], anew: Anew) -> None:
    """The chosen item below its list. `anew` makes the list be drawn anew."""
    try:
        item = queue_lists.item(desk, item_id)
    except NotFound as gone:
        st.info(words.plain(str(gone)))
        return
    st.header(words.plain(f"{words.sentence(item.reference)}: {item.title}"))
    now = desk.bank.clock.now()
    badges = [words.badge(item.state), words.badge(item.priority_name)]
    if item.is_overdue:
        badges.append(words.badge("overdue"))
    if item.level in LEVELS:
        badges.append(words.badge(LEVELS[item.level], words.Tone.WARNING))
    if item.is_resting and item.rests_until is not None:
        badges.append(
            words.badge(f"Rests until {appointment(item.rests_until)}", words.Tone.NEUTRAL)
        )
    st.markdown(" ".join(badges))
    _others(item_id, _stands(item))
    _buttons(desk, f"{name}_{item_id}", item, anew)
    is_open = item.state is not W.DECIDED
    tables.facts(
        {
            "Kind": item.kind_title,
            "Opened": f"{words.moment(item.opened_at)}, {words.age(item.opened_at, now)}",
            **_clocks(item, now),
            "Assigned to" if is_assigned(item) else "Claimed by": _claim_in_full(item)
            if is_open
            else "",
            "Decided": ""
            if is_open
            else f"{words.sentence(item.outcome or '')} by {item.decided_by_name}, "
            f"{words.moment(item.decided_at)}",
        }
    )
    if item.kind in panels:
        with ui.attempt():
            panels[item.kind](desk, item)
    _history(desk, item_id, key=f"{name}_{item_id}_history")


def _clocks(item: ItemRow, now: datetime) -> dict[str, str]:
    """Each deadline that runs, as a moment and a distance."""
    if item.state is W.WAITING:
        return {"Due": "The clock stands still until the answer comes"}
    if item.state is W.DECIDED:
        return {}
    clocks = {
        "First reply": item.first_due_at,
        "Next reply": item.reply_due_at,
        "Solve": item.solve_due_at,
    }
    return {
        name: f"{words.moment(due)}, {words.age(due, now)}" if due else ""
        for name, due in clocks.items()
    }


def _claim_in_full(item: ItemRow) -> str:
    if item.owner_name is None:
        return ""
    if item.claimed_until is None:
        return item.owner_name
    until = "to take it up by" if is_assigned(item) else "until"
    return f"{item.owner_name}, {until} {words.moment(item.claimed_until)}"


def _stands(item: ItemRow) -> tuple[object, ...]:
    """What everything below it depends on."""
    return item.state, item.owner_id, item.level, item.assigned_by, item.is_resting


@ui.live(LOOK_EVERY_SECONDS, Permission.WORK_DO)
def _others(desk: Desk, item_id: int, drawn: tuple[object, ...]) -> None:
    """Say who else has this before their eyes; draw everything again when somebody acted."""
    try:
        others = queue.look(desk, item_id)
        item = queue_lists.item(desk, item_id)
    except NotFound:
        st.rerun()
    if _stands(item) != drawn:
        st.rerun()
    if others:
        *most, last = others
        who = f"{', '.join(most)} and {last} are" if most else f"{last} is"
        st.info(words.plain(f"{who} looking at this."), icon=":material/visibility:")


def _buttons(desk: Desk, key: str, item: ItemRow, anew: Anew) -> None:
    """What this person can do; the number of the item is part of every key."""
    if item.state is W.DECIDED:
        return
    is_mine = item.owner_id == desk.user_id
    leads = desk.may(Permission.WORK_LEAD)
    with st.container(horizontal=True, vertical_alignment="center"):
        # A click is heard also when a colleague was faster: then the bank says who.
        is_free = item.state is W.UNASSIGNED and item.may_take
        is_free = is_free or (is_mine and is_assigned(item))
        if (is_free or _clicked(f"{key}_claim")) and st.button(
            f"Claim {item.reference}", key=f"{key}_claim", shortcut="t", type="primary"
        ):
            with ui.attempt(f"{item.reference} is yours."):
                anew()
                queue.claim(desk, item.id)
        if (is_mine or _clicked(f"{key}_release")) and st.button(
            f"Release {item.reference}", key=f"{key}_release", shortcut="g"
        ):
            with ui.attempt(f"{item.reference} is back in the queue."):
                anew()
                queue.release(desk, item.id)
        with st.popover("Escalate", icon=":material/arrow_upward:"):
            _escalate(desk, key, item, anew)
        if leads:
            with st.popover("Hand over", icon=":material/group:"):
                _hand_over(desk, key, item, anew)


def _clicked(key: str) -> bool:
    return bool(st.session_state.get(key))


def _escalate(desk: Desk, key: str, item: ItemRow, anew: Anew) -> None:
    with st.form(f"{key}_escalate_{item.level}", border=False):
        st.caption("It goes to the branch's lead, from there to head office.")
        why = st.text_input("Why", max_chars=LONGEST_NOTE, autocomplete="off")
        if st.form_submit_button(f"Escalate {item.reference}"):
            with ui.attempt(f"{item.reference} has gone up the line.", labels=LABELS):
                anew()
                queue.escalate(desk, item.id, why)


def _hand_over(desk: Desk, key: str, item: ItemRow, anew: Anew) -> None:
    """To a colleague, or back to the queue."""
    people = {one.user_id: one for one in queue.colleagues(desk, item.id)}
    with st.form(f"{key}_hand_over_{item.owner_id}", border=False):
        to = st.selectbox(
            "Colleague",
            list(people),
            None,
            format_func=lambda user_id: (
                f"{people[user_id].name}, {words.role_name(people[user_id].role)}"
            ),
            placeholder="Back to the queue" if item.owner_id else "Choose",
        )
        why = st.text_input("Why", max_chars=LONGEST_NOTE, autocomplete="off")
        if st.form_submit_button(f"Hand over {item.reference}"):
            done = f"{people[to].name} has" if to else "Back in the queue:"
            with ui.attempt(f"{done} {item.reference}.", labels=LABELS):
                anew()
                if to is None:
                    queue.release(desk, item.id, why)
                else:
                    queue.reassign(desk, item.id, to, why)


def _history(desk: Desk, item_id: int, *, key: str) -> None:
    with st.expander("History", icon=":material/history:"):
        tables.show(
            queue_lists.history(desk, item_id),
            [
                column("When", "at", Kind.MOMENT, key=True),
                column("What", lambda each: words.sentence(each.act), key=True),
                column("By", "by", key=True),
                column("Then with", lambda each: each.owner or ""),
                column("Words", "note", width=320),
            ],
            key=key,
        )
