"""The journal lines behind one figure: page by page, newest first, with what they add up to."""

from typing import Any, Final

import streamlit as st

from bank.core import money
from bank.core.clock import in_india
from bank.core.desk import Desk
from bank.core.permissions import Permission
from bank.night import reports
from bank.night.reports import Report
from pages.parts import figures, paging, table_files, tables, ui, words
from pages.parts.figures import Row

SINCE: Final = ("This day", "This month", "This year", "The beginning")


def lines_behind(desk: Desk, name: str, row: Row, params: Row, *, title: str, key: str) -> None:
    """The journal lines that one figure of a report adds up, under the same filters."""
    st.header(title)
    chosen = st.segmented_control(
        "Lines from", SINCE, default=SINCE[1], required=True, key=f"{key}_since"
    )
    day = row.get("day") or params["day"]
    since = {
        SINCE[0]: day,
        SINCE[1]: day.replace(day=1),
        SINCE[2]: day.replace(month=1, day=1),
    }.get(chosen or SINCE[1])
    asked = {**params, "since": since}
    with ui.attempt():
        lines = reports.drill(desk, name, row, asked)
        _read_at(lines, key)
        forward = _brought_forward(lines)
        _told(lines, forward, row["currency"])
        count = lines.count - (forward is not None)
        if not count:
            return
        page = paging.page_of(f"{key}_page", (name, sorted(map(str, row.items())), since), count)
        shown = lines.page((forward is not None) + page.skip, page.take)
        columns = figures.columns_of(lines)
        tables.show(shown, columns, key=f"{key}_lines")
        with st.container(horizontal=True, vertical_alignment="center"):
            page.turn("Newer", "Older")
            table_files.offer(
                lambda asking: reports.drill(asking, name, row, asked).rows,
                columns,
                name=figures.file_of(lines, "journal-lines"),
                key=key,
                filters=tables.narrowed({"behind": name, **asked}),
                permission=Permission.REPORT_RUN,
            )


def _read_at(lines: Report, key: str) -> None:
    """When these lines were read: the figure above them may have gone on since."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(words.plain(f"Lines as of {in_india(lines.as_of):%H:%M:%S}."))
        # Whatever is clicked draws the page again, and with it the lines.
        st.button("Refresh", key=f"{key}_refresh", icon=":material/refresh:", type="tertiary")


def _brought_forward(lines: Report) -> dict[str, Any] | None:
    """The row for all that is older, which is no line: journal_lines.sql puts it first."""
    first = lines.page(0, 1)
    return first[0] if first and first[0]["entry_id"] is None else None


def _told(lines: Report, forward: dict[str, Any] | None, currency: str) -> None:
    """How many lines there are, and what they add up to."""
    count = lines.count - (forward is not None)
    if not lines.count:
        ui.empty("No entry stands behind this figure yet.", "It is zero until something is booked.")
    elif lines.truncated:
        st.warning(
            f"Only the newest {count:,} lines are here, so they add up to less than "
            "the figure. Choose a later start."
        )
    elif forward is None:
        total = money.show_side(lines.total("amount_minor"), currency)
        said = words.counted(count, "line adds", "lines add")
        st.caption(words.plain(f"{said} up to {total}."))
    else:
        total = money.show_side(lines.total("amount_minor"), currency)
        older = money.show_side(forward["amount_minor"], currency)
        said = words.counted(count, "line") if count else "no line since"
        st.caption(words.plain(f"{older} brought forward and {said} add up to {total}."))
