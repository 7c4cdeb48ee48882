"""What a queue is searched by: words, and what its items must be. It stands in the address."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import streamlit as st

from bank.core.desk import Desk
from bank.core.work_tables import KINDS, Level, Priority
from bank.office import queue, queue_lists
from bank.office.queue_lists import Looked
from pages.parts import frame, words

URL: Final = "query-params"
EVERY: Final = "All"
LEVELS: Final[Mapping[int, str]] = {
    Level.DESK: "at the desk",
    Level.LEAD: "with the branch lead",
    Level.HEAD: "with head office",
}


def draw(desk: Desk, name: str, kinds: tuple[str, ...], looked: Looked) -> Looked:
    """The fields of a queue; answers what is looked for with them."""
    a, b, c = st.columns([2, 1, 1])
    said = a.text_input(
        "Words in it",
        key=f"{name}_words",
        bind=URL,
        help="Beginnings of words of the number, the title or the customer. All must be in it.",
    )
    priority = _one_of(b, "Priority", f"{name}_priority", Priority.NAMES)
    level = _one_of(c, "Level", f"{name}_level", LEVELS)
    a, b, c, d = st.columns(4)
    categories = queue_lists.categories(desk, kinds)
    category = _one_of(a, "Category", f"{name}_category", categories) if categories else None
    owner_id = _one_of(b, "Owner", f"{name}_owner", queue.owners(desk), as_is=True)
    titles = {each: kind.title for each, kind in KINDS.items() if not kinds or each in kinds}
    if len(titles) > 1:
        _one_of(c, "Kind", f"{name}_kind", titles)
    branch_id = None
    if desk.sees_whole_bank:
        branch_id = _one_of(d, "Branch", f"{name}_branch", frame.branch_names(desk))
    return replace(
        looked,
        words=said or "",
        priority=priority,
        level=level,
        category=category,
        owner_id=owner_id,
        branch_id=branch_id,
    )


def _one_of(
    place: Any, label: str, key: str, names: Mapping[Any, str], *, as_is: bool = False
) -> Any:
    """`as_is`: the names are of people, who write themselves as they like."""
    if st.session_state.get(key) not in (None, *names):  # a saved view may be older than a choice
        st.session_state[key] = None

    def shown(one: Any) -> str:
        name = names.get(one, "?")
        return name if as_is else words.sentence(name)

    return place.selectbox(
        label, list(names), None, key=key, format_func=shown, placeholder=EVERY, bind=URL
    )
