"""What pages about figures share: whose branch, how old, and the journal lines behind one."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import streamlit as st

from bank.core import money
from bank.core.clock import in_india
from bank.core.desk import Desk
from bank.night import reports
from bank.night.reports import Report
from bank.people import branches
from pages.parts import frame, tables, ui, words
from pages.parts.tables import Column, Kind, column

Row = Mapping[str, Any]
SHOWN: Final = 500
BRANCH_WIDTH: Final = 280  # pixels
SINCE: Final = ("This day", "This month", "This year", "The beginning")
LINES: Final[list[Column[Row]]] = [
    column("Booked", lambda row: row["booking_date"], Kind.DAY, key=True),
    column("Entry", lambda row: row["entry_id"], Kind.TEXT),
    column("Branch", lambda row: row["branch_name"]),
    column("Ledger account", lambda row: row["ledger_account"]),
    column("Account", lambda row: row["account"]),
    column("Narration", lambda row: row["narration"]),
    column(
        "Amount",
        lambda row: row["amount_minor"],
        Kind.SIDE,
        key=True,
        currency=lambda row: row["currency"],
    ),
]


def branch_choice(desk: Desk, *, key: str) -> int | None:
    """The branch to look at: one's own, or the choice of who sees the whole bank (None: all)."""
    if not desk.sees_whole_bank:
        return desk.branch_id
    names = {card.id: card.name for card in branches.branches(desk)}
    return st.selectbox(
        "Branch",
        [None, *names],
        format_func=lambda id: names.get(id, "All branches"),
        key=key,
        width=BRANCH_WIDTH,
    )


def currency_choice(rows: Sequence[Row], *, key: str) -> str:
    """The currency to look at, asked only where there are several; the bank's own comes first."""
    found: list[str] = sorted(
        {row["currency"] for row in rows}, key=lambda code: (code != money.HOME, code)
    )
    if len(found) < 2:
        return found[0] if found else money.HOME
    chosen: str | None = st.segmented_control(
        "Currency", found, default=found[0], required=True, key=key
    )
    return chosen or found[0]


def context(desk: Desk, report: Report, branch_id: int | None) -> None:
    """One line: branch, day, and how old the figures are."""
    card = frame.branch_by_id(desk, branch_id) if branch_id is not None else None
    name = card.name if card is not None else "All branches"
    read_at = in_india(report.as_of)
    age = max(0, round(report.age_seconds))
    st.caption(
        words.plain(
            f"{name} · {words.day(report.params['day'])} · figures of {read_at:%H:%M:%S},"
            f" {words.counted(age, 'second')} old"
        )
    )


def behind(desk: Desk, name: str, row: Row, params: Row, *, title: str, key: str) -> None:
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
    with ui.attempt():
        lines = reports.drill(desk, name, row, {**params, "since": since})
        _lines(lines, row["currency"], key=key)


def _lines(lines: Report, currency: str, *, key: str) -> None:
    rows = lines.rows
    if not rows:
        ui.empty("No entry stands behind this figure yet.", "It is zero until something is booked.")
        return
    if lines.truncated:
        st.warning(
            f"Only the newest {reports.MOST_ROWS:,} lines are here, so they add up to less than "
            "the figure. Choose a later start."
        )
    else:
        total = money.show_side(sum(row["amount_minor"] for row in rows), currency)
        count = words.counted(len(rows), "line adds", "lines add")
        st.caption(words.plain(f"{count} up to {total}."))
    tables.show(
        rows[:SHOWN], LINES, key=f"{key}_lines", of=len(rows), file_name="journal-lines.csv"
    )
