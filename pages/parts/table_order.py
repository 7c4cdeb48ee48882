"""Tables in the order of one of their columns, by what is behind the words in the cells.

The grid's own sorting knows only the words, by which 9,000 is more than 10,000 and 2 Mar comes
after 16 Apr. So a click on a header chooses the column, and the rows are put in order here.
"""

from collections.abc import Sequence
from typing import Any, Final, Protocol, TypeVar

import streamlit as st

T = TypeVar("T")
Sorting = tuple[str, bool]  # the label of a column, and whether the greatest comes first
ARROWS: Final = {False: "↑", True: "↓"}


class Sortable(Protocol[T]):
    """A column, as far as it matters here."""

    @property
    def label(self) -> str: ...

    def place_of(self, row: T) -> Any:
        """What a row is sorted by."""
        ...


def sorting_of(key: str) -> Sorting | None:
    """What somebody has sorted a table by; None for the order in which it was given."""
    found: Sorting | None = st.session_state.get(f"{key}_sorted")
    return found


def sort_by(key: str, clicked: Sequence[str]) -> None:
    """A click on a header: up, down, and back to the order in which the rows were given."""
    if not clicked:
        return
    label = clicked[0]
    steps: dict[Sorting | None, Sorting | None] = {
        (label, False): (label, True),
        (label, True): None,
    }
    st.session_state[f"{key}_sorted"] = steps.get(sorting_of(key), (label, False))


def in_order(
    rows: Sequence[T], columns: Sequence[Sortable[T]], sorting: Sorting | None
) -> Sequence[T]:
    """The rows by the bare values of a column; those without one come last."""
    by = next((item for item in columns if sorting and item.label == sorting[0]), None)
    if by is None or sorting is None:
        return rows
    places = [(by.place_of(row), row) for row in rows]
    known = [pair for pair in places if pair[0] is not None and pair[0] != ""]
    known.sort(key=lambda pair: pair[0], reverse=sorting[1])
    return [row for _, row in known] + [row for place, row in places if place in {None, ""}]
