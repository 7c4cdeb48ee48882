"""Tables, one way: amounts as right-aligned text, dates in words, numbers masked, files beside.

A wide window shows a grid with every column; a phone shows the same rows as a plain table of the
two or three columns marked as key (`house.css` decides which of the two is visible).
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final, TypeVar

import pyarrow as pa
import streamlit as st

from bank.core.cells import safe_cell
from pages.parts import table_files, visitor, words
from pages.parts.columns import RIGHT, Column, Kind, column, written
from pages.parts.table_order import ARROWS, Sorting, in_order, sort_by, sorting_of

__all__ = ["Column", "Kind", "column", "safe_cell", "written"]  # beside what is defined here

T = TypeVar("T")
ROW_HEIGHT: Final = 36
ROWS_IN_SIGHT: Final = 12
CELL_PADDING: Final = 24  # pixels, both sides together
DIGIT_WIDTH: Final = 8
LONGEST_FILTER: Final = 100  # of each thing that narrows a downloaded table, in the trail


Filters = Mapping[str, object]


def show(
    rows: Sequence[T],
    columns: Sequence[Column[T]],
    *,
    key: str,
    of: int | None = None,
    total: Mapping[str, int] | None = None,
    file_name: str | None = None,
    filters: Filters | None = None,
    height: int | None = None,
) -> None:
    """Draw the table.

    `of` is how many rows there are in all ("Showing 50 of 1,284"). `total` gives a last row: sums
    in minor units by column label. `file_name` offers what is shown as a file, which goes to the
    trail with `filters` (what narrowed it, by name) beside those of the page's address.
    """
    sorting = sorting_of(key)
    rows = in_order(rows, columns, sorting)
    drawn = key if sorting is None else f"{key}_{_digest(*map(str, sorting))}"

    def grid_touched() -> None:
        sort_by(key, st.session_state[drawn].selection.columns)

    _draw(
        _cells(rows, columns, total),
        columns,
        key=key,
        drawn=drawn,
        sorting=sorting,
        height=height,
        touched=grid_touched,
    )
    _below(rows, columns, key=key, of=of, file_name=file_name, filters=filters)


def choose(
    rows: Sequence[T],
    columns: Sequence[Column[T]],
    *,
    key: str,
    id_of: Callable[[T], object],
    of: int | None = None,
    file_name: str | None = None,
    filters: Filters | None = None,
    height: int | None = None,
    prompt: str = "Choose a row",
) -> T | None:
    """Draw the table and return the row a person chose, None while none is.

    The choice is kept as `id_of(row)` in session_state[f"{key}_chosen"], never as a position: when
    the list changes between the drawing and the click, no other row slips under the finger.
    """
    sorting = sorting_of(key)
    rows = in_order(rows, columns, sorting)
    ids = [str(id_of(row)) for row in rows]
    drawn = f"{key}_{_digest(*ids, *map(str, sorting or ()))}"
    phone, remembered = f"{drawn}_phone", f"{key}_chosen"
    before = st.session_state.get(remembered)
    at = ids.index(before) if before in ids else None

    def keep(row: int | None) -> None:
        # Callbacks run before Home.py: this one only notes an id and reads nothing of the bank.
        st.session_state[remembered] = None if row is None else ids[row]
        st.session_state[phone] = row

    def grid_touched() -> None:
        touched = st.session_state[drawn].selection
        if touched.columns:  # a click on a header chooses no row
            sort_by(key, touched.columns)
        else:
            keep(touched.rows[0] if touched.rows else None)

    cells = _cells(rows, columns, None)
    lines = _apart(
        " · ".join(line) for line in zip(*(cells[i.label] for i in _key(columns)), strict=True)
    )
    _draw(
        cells,
        columns,
        key=drawn,
        drawn=drawn,
        sorting=sorting,
        height=height,
        rows=True,
        chosen=at,
        touched=grid_touched,
    )
    st.session_state[phone] = at
    with st.container(key=f"narrow_choice_{key}"):
        st.selectbox(
            prompt,
            options=range(len(rows)),
            format_func=lines.__getitem__,
            key=phone,
            placeholder=prompt,
            on_change=lambda: keep(st.session_state[phone]),
        )
    _below(rows, columns, key=key, of=of, file_name=file_name, filters=filters)
    return rows[at] if at is not None else None


def _digest(*parts: str) -> str:
    return hashlib.sha256(chr(31).join(parts).encode()).hexdigest()[:12]


def _apart(lines: Iterable[str]) -> list[str]:
    """The lines, each unlike the others: a choice travels as its text, so twins are numbered."""
    seen: Counter[str] = Counter()
    apart = []
    for line in lines:
        seen[line] += 1
        apart.append(line if seen[line] == 1 else f"{line} ({seen[line]})")
    return apart


def facts(pairs: Mapping[str, str], *, title: str = "") -> None:
    """Names and values below each other: what is about to be done, or what one row says."""
    if title:
        st.header(title)
    shown = {name: value for name, value in pairs.items() if value}
    st.table(
        {"Name": list(shown), "Value": [words.plain(value) for value in shown.values()]},
        border="horizontal",
        hide_index=True,
        hide_header=True,
        alt=title or "Details",
    )


def narrowed(filters: Filters | None) -> dict[str, str]:
    """What narrows the rows, by name: the address keeps the view of a queue, a page the rest."""
    address = {name: st.query_params[name] for name in st.query_params}
    given = {name: words.written_out(value) for name, value in (filters or {}).items()}
    return {name: text[:LONGEST_FILTER] for name, text in {**address, **given}.items() if text}


def _draw(
    cells: Mapping[str, list[str]],
    columns: Sequence[Column[T]],
    *,
    key: str,
    drawn: str,
    sorting: Sorting | None,
    height: int | None,
    touched: Callable[[], None],
    rows: bool = False,
    chosen: int | None = None,
) -> None:
    count = len(cells[columns[0].label])
    options: dict[str, Any] = {"selection_mode": "single-column"}
    if rows:
        options = {
            "selection_mode": ["single-row", "single-column"],
            "selection_default": {"selection": {"rows": [] if chosen is None else [chosen]}},
        }
    with st.container(key=f"wide_{key}"):
        st.dataframe(
            pa.table(
                cells
            ),  # as it travels: making a DataFrame of it first takes ten times as long
            hide_index=True,
            height=height or ("content" if count <= ROWS_IN_SIGHT else ROWS_IN_SIGHT * ROW_HEIGHT),
            row_height=ROW_HEIGHT,
            column_config={
                item.label: _config(item, cells[item.label], sorting) for item in columns
            },
            key=drawn,
            on_select=touched,  # with columns to select, the grid sorts nothing itself
            **options,
        )
    narrow = _key(columns)
    right = "".join(f"_column{at}right" for at, item in enumerate(narrow, 1) if item.kind in RIGHT)
    with st.container(key=f"narrow_{key}{right}"):  # house.css knows the columns by this
        st.table(
            _arrow({item.label: list(map(words.plain, cells[item.label])) for item in narrow}),
            border="horizontal",
            hide_index=True,
        )


def _arrow(cells: Mapping[str, list[str]]) -> pa.Table:
    """The cells as they travel to the browser; Streamlit's way there by pandas takes far longer."""
    return pa.table({label: pa.array(texts, pa.string()) for label, texts in cells.items()})


def _key(columns: Sequence[Column[T]]) -> Sequence[Column[T]]:
    """The columns that a phone keeps."""
    return [item for item in columns if item.key] or columns[:2]


def _cells(
    rows: Sequence[T], columns: Sequence[Column[T]], total: Mapping[str, int] | None
) -> dict[str, list[str]]:
    data = {item.label: _column(rows, item) for item in columns}
    if total and rows:
        for at, item in enumerate(columns):
            name = "Total" if at == 0 else ""
            value = total.get(item.label)
            currency = item.currency_of(rows[0])
            data[item.label].append(name if value is None else written(value, item.kind, currency))
    return data


def _column(rows: Sequence[T], item: Column[T]) -> list[str]:
    if item.kind in {Kind.AMOUNT, Kind.SIDE}:
        return [written(item.of(row), item.kind, item.currency_of(row)) for row in rows]
    value_of = item.value if callable(item.value) else attrgetter(item.value)
    return [written(value_of(row), item.kind) for row in rows]


def _config(item: Column[T], cells: Sequence[str], sorting: Sorting | None) -> Any:
    width, label = item.width, item.label
    if sorting is not None and sorting[0] == label:
        label = f"{label} {ARROWS[sorting[1]]}"
    if width is None and item.kind is not Kind.TEXT:
        # The grid guesses widths by a few rows, and then cuts the largest amount short.
        longest = max(map(len, (label, *cells)))
        width = CELL_PADDING + longest * DIGIT_WIDTH
    return st.column_config.TextColumn(
        label,
        help=item.help,
        width=width,
        alignment="right" if item.kind in RIGHT else "left",
    )


def _below(
    rows: Sequence[T],
    columns: Sequence[Column[T]],
    *,
    key: str,
    of: int | None,
    file_name: str | None,
    filters: Filters | None,
) -> None:
    is_part = of is not None and of > len(rows)
    if not is_part and not file_name:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        if is_part:
            st.caption(f"Showing {len(rows):,} of {of:,}.")
        if file_name and rows and not visitor.only_looks():
            table_files.offer(
                lambda _: rows,
                columns,
                name=file_name.removesuffix(".csv"),
                key=key,
                filters=narrowed(filters),
            )
