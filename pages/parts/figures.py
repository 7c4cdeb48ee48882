"""What pages about figures share: whose branch, which currency, and how old."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import streamlit as st

from bank.core import money
from bank.core.clock import in_india
from bank.core.desk import Desk
from bank.night.reports import Report
from bank.people import branches
from pages.parts import frame, words

Row = Mapping[str, Any]
BRANCH_WIDTH: Final = 280  # pixels


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
