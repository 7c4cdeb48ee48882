"""One component draws every queue from its declaration; a new queue is a declaration and a panel.

    queue.draw(desk, Queue(name="inbox", kinds=("ticket",), panels={"ticket": panel}))

The list is drawn again every few seconds and says what has become of each row where it stands: no
row moves under the cursor. What is new waits behind a button; view and search stand in the address.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import streamlit as st

from bank.core.desk import Desk
from bank.core.permissions import Permission
from bank.core.work_tables import KINDS
from bank.office import queue, queue_lists
from bank.office.queue_lists import COUNTED, COUNTED_UP_TO, ItemRow, Looked, View
from bank.office.queue_order import Cursor
from pages.parts import (
    frame,
    paging,
    queue_bulk,
    queue_item,
    queue_search,
    queue_views,
    tables,
    ui,
    words,
)
from pages.parts.queue_search import Field
from pages.parts.table_order import in_order, sorting_of
from pages.parts.tables import Kind, column

SECONDS: Final = 5.0
VIEWS: Final[Mapping[View, str]] = {
    View.UNASSIGNED: "Unassigned",
    View.MINE: "Mine",
    View.WAITING: "Waiting",
    View.OVERDUE: "Overdue",
    View.ESCALATED: "Escalated",
    View.ALL_OPEN: "All open",
    View.DECIDED: "Decided",
}
EMPTY: Final[Mapping[View, tuple[str, str]]] = {
    View.UNASSIGNED: (
        "Nothing is unassigned.",
        "What comes in appears here by itself. What you have claimed is under Mine.",
    ),
    View.MINE: ("You have claimed nothing.", "Take the next item, or choose one from Unassigned."),
    View.WAITING: (
        "Nothing waits for an answer.",
        "What was asked back rests here, and its clock with it, until the answer comes.",
    ),
    View.OVERDUE: ("Nothing is overdue.", "What passes its deadline appears here by itself."),
    View.ESCALATED: (
        "Nothing has gone up the line.",
        "What somebody escalates appears here by itself, until it is decided.",
    ),
    View.ALL_OPEN: ("Nothing is open.", "What comes in appears here by itself."),
    View.DECIDED: ("Nothing has been decided yet.", "What is decided stays here to be read."),
}


Columns = Callable[[Desk, Sequence[ItemRow]], Sequence[tables.Column[ItemRow]]]
Below = Callable[[Desk, Sequence[ItemRow]], None]


@dataclass(frozen=True, kw_only=True)
class Queue:
    """What a page declares. `name` begins the keys and the parameters in the address; no `kinds`
    means every kind of this person; `panels` draw what an item is about, by kind; `labels` call
    views by other words, `views` are those it has, `empty` what they say without a row.

    `only` narrows the queue for good, `fields` as somebody wants; `columns` stand for what the
    items are about; `below` draws what one does with several of a page.
    """

    name: str
    kinds: tuple[str, ...] = ()
    panels: Mapping[str, queue_item.Panel] = field(default_factory=dict)
    labels: Mapping[View, str] = field(default_factory=dict)
    views: Sequence[View] = tuple(VIEWS)
    empty: Mapping[View, tuple[str, str]] = field(default_factory=dict)
    only: tuple[tuple[str, Any], ...] = ()
    fields: Sequence[Field] = ()
    columns: Columns | None = None
    below: Below | None = None

    def label(self, view: View) -> str:
        """What a view is called here."""
        return self.labels.get(view, VIEWS[view])

    def key(self, part: str) -> str:
        """The key of a part of this queue."""
        return f"{self.name}_{part}"

    @property
    def reads(self) -> Mapping[str, Callable[[str], Any]]:
        """How its own fields are read from an address."""
        return {each.name: each.read for each in self.fields}


@dataclass(kw_only=True)
class Shown:
    """The list as it was drawn: its rows stay in their places until somebody asks for a new one."""

    looked: Looked
    rows: Sequence[ItemRow]
    found: int
    ends: Cursor | None


def draw(desk: Desk, of: Queue) -> None:
    """The whole queue: views, search, list, and the item that was chosen."""
    looked = replace(_looked(desk, of), kinds=_kinds(of))
    _take_and_views(desk, of)
    queue_bulk.undo(desk, of.name, lambda: anew(of))
    queue_bulk.say_result(of.name)
    chosen = st.session_state.get(of.key("list_chosen"))
    st.session_state[of.key("drawn")] = chosen
    _live(of, looked)
    shown: Shown | None = st.session_state.get(of.key("shown"))
    if shown is not None:
        found = shown.found
        _leaf(of, looked).turn(
            "Earlier rows",
            "Later rows",
            rows=len(shown.rows),
            next_end=shown.ends,
            found=f"more than {COUNTED_UP_TO:,}" if found > COUNTED_UP_TO else f"{found:,}",
        )
        queue_bulk.draw(desk, of.name, looked.view, shown.rows, lambda: anew(of))
        if of.below is not None and shown.rows:
            of.below(desk, shown.rows)
    if chosen is None:
        if shown is not None and shown.rows:
            st.caption("Choose an item to see what it is about.")
        return
    queue_item.draw(desk, of.name, int(chosen), of.panels, lambda: anew(of))


def _neighbours(of: Queue, ids: Sequence[str]) -> None:
    """From item to item, in the order in which the list is drawn, without reaching for it."""
    if len(ids) < 2:
        return
    chosen = st.session_state.get(of.key("list_chosen"))
    at = ids.index(chosen) if chosen in ids else None
    above = ids[at - 1] if at else None
    below = ids[0] if at is None else ids[at + 1] if at + 1 < len(ids) else None
    with st.container(horizontal=True):
        # With Alt: a letter alone, typed beside a field, would draw another item over a reply.
        for label, item_id, shortcut, icon in (
            ("Item above", above, "alt+k", "keyboard_arrow_up"),
            ("Item below", below, "alt+j", "keyboard_arrow_down"),
        ):
            st.button(
                label,
                key=of.key(f"step_{shortcut[-1]}"),
                icon=f":material/{icon}:",
                shortcut=shortcut,
                type="tertiary",
                disabled=item_id is None,
                on_click=_look_at,
                args=(of, item_id),
            )


def _look_at(of: Queue, item_id: str) -> None:
    # A callback: it only notes which, and reads nothing of the bank.
    st.session_state[of.key("list_chosen")] = item_id


def anew(of: Queue) -> None:
    """Forget the list that was drawn: somebody did something and wants to see it."""
    st.session_state.pop(of.key("shown"), None)


def _kinds(of: Queue) -> tuple[str, ...]:
    chosen = st.session_state.get(of.key("kind"))
    return (chosen,) if chosen else of.kinds


def _looked(desk: Desk, of: Queue) -> Looked:
    """The view and the search, as they stand in the address."""
    view = st.segmented_control(
        "View",
        list(of.views),
        default=View.UNASSIGNED,
        required=True,
        key=of.key("view"),
        format_func=of.label,
        bind=queue_search.URL,
    )
    fields = [of.key(name) for name in (*queue_views.FIELDS, *of.reads) if name != "view"]
    in_use = any(st.session_state.get(key) or key in st.query_params for key in fields)
    search = st.expander(
        "Search", expanded=in_use, key=of.key("search"), icon=":material/search:", on_change="rerun"
    )
    looked = Looked(view=view or View.UNASSIGNED, facts=of.only)
    if in_use or search.open:  # the fields are half of what the page sends
        with search:
            looked = queue_search.draw(desk, of.name, of.kinds, of.fields, looked)
    return replace(looked, after=_leaf(of, replace(looked, kinds=_kinds(of))).after)


def _take_and_views(desk: Desk, of: Queue) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            "Take the next item",
            type="primary",
            key=of.key("next"),
            icon=":material/arrow_forward:",
            shortcut="n",
        ):
            take_next(desk, of)
        queue_views.draw(desk, of.name, of.reads)


def take_next(desk: Desk, of: Queue) -> None:
    """Claim the most pressing item and open it."""
    with ui.attempt():
        item_id = queue.claim_next(desk, _kinds(of))
        anew(of)
        if item_id is None:
            st.info("Nothing is free for you to take. What comes in appears here by itself.")
            return
        st.session_state[of.key("list_chosen")] = str(item_id)
        ui.flash(f"{queue_lists.item(desk, item_id).reference} is yours.")
        st.rerun()


@ui.live(SECONDS, Permission.WORK_DO)
def _live(desk: Desk, of: Queue, looked: Looked) -> None:
    """The figures and the list, as they are now."""
    _figures(desk, of, looked)
    fresh = queue_lists.items(desk, looked)
    shown: Shown | None = st.session_state.get(of.key("shown"))
    if shown is None or shown.looked != looked or not shown.rows:
        shown = Shown(looked=looked, rows=fresh.rows, found=fresh.found, ends=fresh.ends)
    else:
        shown = _kept(desk, shown, fresh.rows)
    st.session_state[of.key("shown")] = shown
    if not shown.rows:
        if looked != Looked(view=looked.view, kinds=of.kinds, facts=of.only):
            ui.empty("No item fits.", "Search for less, or look in another view.")
        else:
            ui.empty(*of.empty.get(looked.view, EMPTY[looked.view]))
        return
    _newer(of, shown, fresh.rows)
    columns = _columns(desk, of, looked, shown.rows)
    in_sight = in_order(shown.rows, columns, sorting_of(of.key("list")))
    _neighbours(of, [str(row.id) for row in in_sight])
    tables.choose(
        shown.rows,
        columns,
        key=of.key("list"),
        id_of=lambda row: row.id,
        prompt="Choose an item",
        file_name=f"{of.name}.csv",
    )
    if st.session_state.get(of.key("list_chosen")) != st.session_state.get(of.key("drawn")):
        st.rerun()  # the item below the list is not part of this


def _kept(desk: Desk, shown: Shown, fresh: Sequence[ItemRow]) -> Shown:
    """The rows that were drawn, where they were drawn, as they are now."""
    now = {row.id: row for row in fresh}
    gone = [row.id for row in shown.rows if row.id not in now]
    if gone:
        now |= {row.id: row for row in queue_lists.items_by_id(desk, gone)}
    return replace(shown, rows=[now.get(row.id, row) for row in shown.rows])


def _newer(of: Queue, shown: Shown, fresh: Sequence[ItemRow]) -> None:
    there = {row.id for row in shown.rows}
    more = sum(row.id not in there for row in fresh)
    if not more:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{words.counted(more, 'item')} more since this list was drawn.")
        if st.button("Show the new list", key=of.key("newer"), type="tertiary"):
            anew(of)
            st.rerun()


def _figures(desk: Desk, of: Queue, looked: Looked) -> None:
    counts = queue_lists.counts(desk, looked.kinds, of.only)
    with st.container(key=f"figures_{of.name}"):  # house.css puts two beside each other on a phone
        for place, view in zip(st.columns(len(COUNTED)), COUNTED, strict=True):
            count = counts[view]
            shown = f"{COUNTED_UP_TO:,}+" if count > COUNTED_UP_TO else f"{count:,}"
            place.metric(of.label(view), shown, border=True)


def _columns(
    desk: Desk, of: Queue, looked: Looked, rows: Sequence[ItemRow]
) -> list[tables.Column[ItemRow]]:
    now = desk.bank.clock.now()
    about = [
        column("About", "title", key=True, width=320),
        column("Priority", "priority_name", Kind.STATE),
    ]
    columns: list[tables.Column[ItemRow]] = [
        column("Item", lambda row: words.sentence(row.reference), key=of.columns is None),
        *(about if of.columns is None else of.columns(desk, rows)),
        column("Opened", lambda row: words.age(row.opened_at, now), by="opened_at"),
    ]
    if looked.view is View.DECIDED:
        columns += [
            column("Decided", "decided_at", Kind.MOMENT),
            column("By", lambda row: row.decided_by_name or ""),
            column("Outcome", lambda row: words.sentence(row.outcome or ""), key=True),
        ]
    else:
        columns += [
            column("Due", lambda row: queue_item.due_of(row, now), key=True),
            column("State", queue_item.state_of),
        ]
    categories = queue_lists.categories(desk, _kinds(of))
    if categories:
        columns[3:3] = [
            column("Category", lambda row: categories.get(row.category or "", row.category or "")),
            column("Channel", lambda row: words.sentence(row.channel or "")),
        ]
    if len(_kinds(of) or KINDS) > 1:
        columns.insert(2, column("Kind", "kind_title"))
    if desk.sees_whole_bank:
        names = frame.branch_names(desk)
        columns.append(column("Branch", lambda row: names.get(row.branch_id or 0, "Head office")))
    return columns


def _leaf(of: Queue, looked: Looked) -> paging.Leaf:
    return paging.leaf_of(of.key("page"), replace(looked, after=None))
