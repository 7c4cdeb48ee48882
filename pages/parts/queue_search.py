"""What a queue is searched by: words, and what its items must be. It stands in the address."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import streamlit as st

from bank.core import money
from bank.core.desk import Desk
from bank.core.work_tables import KINDS, Level, Priority
from bank.office import queue, queue_lists
from bank.office.queue_lists import Looked
from pages.parts import frame, ui, words

URL: Final = "query-params"
EVERY: Final = "All"
LEVELS: Final[Mapping[int, str]] = {
    Level.DESK: "at the desk",
    Level.LEAD: "with the branch lead",
    Level.HEAD: "with head office",
}


@dataclass(frozen=True, kw_only=True)
class Field:
    """A field of the search that one queue has beside the others: what stands in the address and in
    saved views under `name`, and which `narrowed_by` of the bank it is. `options` are the values
    with their words; without any it is an amount."""

    name: str
    label: str
    narrows: str
    options: Callable[[Desk], Mapping[Any, str]] | None = None
    read: Callable[[str], Any] = str


def draw(
    desk: Desk, name: str, kinds: tuple[str, ...], fields: Sequence[Field], looked: Looked
) -> Looked:
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
        facts=(*looked.facts, *_facts(desk, name, fields)),
    )


def _facts(desk: Desk, name: str, fields: Sequence[Field]) -> list[tuple[str, Any]]:
    """What is looked for in the fields of this queue alone."""
    found: list[tuple[str, Any]] = []
    for place, each in zip(st.columns(len(fields) or 1), fields, strict=False):
        if each.options is not None:
            value = _one_of(place, each.label, f"{name}_{each.name}", each.options(desk))
        else:
            value = _amount(place, each.label, f"{name}_{each.name}")
        if value is not None:
            found.append((each.narrows, value))
    return found


def _amount(place: Any, label: str, key: str) -> int | None:
    """An amount that is looked for, in minor units; what is none is said and looks for nothing."""
    said = place.text_input(label, key=key, bind=URL, placeholder="0.00", autocomplete="off")
    if not said:
        return None
    with place, ui.attempt(labels={"amount": label}):
        return money.parse(said)
    return None


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
