"""Approving several of one kind: chosen, looked at side by side, and then told one by one."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from bank.core import money
from bank.core.approvals import LONGEST_TEXT
from bank.core.desk import Desk
from bank.office import approvals_together
from bank.office.approval_rows import ApprovalRow
from bank.office.approvals_together import MOST_TOGETHER, Outcome, Together
from pages.parts import tables, ui, waiting, words
from pages.parts.tables import Kind, column

KEY = "together"
RESULT = f"{KEY}_result"
WHICH: list[tables.Column[Any]] = [
    column("No.", lambda each: each.row.id, Kind.NUMBER),
    column("About", lambda each: each.row.about, key=True),
    column(
        "Amount",
        lambda each: each.row.amount_minor,
        Kind.AMOUNT,
        key=True,
        currency=lambda each: each.row.currency,
    ),
]
NOTE_WIDTH = 640  # pixels


def draw(desk: Desk, rows: Sequence[ApprovalRow], then: Callable[[], None]) -> None:
    """Below the list of what waits, where at least two of a kind move money; `then` is done once
    they are approved."""
    kinds: dict[str, list[ApprovalRow]] = {}
    for row in rows:
        if row.amount_minor is not None:
            kinds.setdefault(row.command, []).append(row)
    kinds = {command: of_it for command, of_it in kinds.items() if len(of_it) > 1}
    if not kinds:
        return
    with st.expander("Approve several", icon=":material/checklist:"):
        command = st.selectbox(
            "Kind",
            list(kinds),
            key=f"{KEY}_kind",
            format_func=lambda one: f"{waiting.title_of(kinds[one][0])} ({len(kinds[one])})",
        )
        if command is not None:
            _choose(desk, {row.id: row for row in kinds[command]}, command, then)


def say_result() -> None:
    """What became of each, until it is hidden or the next are approved."""
    results: Sequence[Outcome] = st.session_state.get(RESULT, ())
    if not results:
        return
    st.subheader("Approved together")
    tables.show(
        results,
        [
            *WHICH,
            column(
                "What became of it",
                lambda each: each.refused or "Approved and done",
                key=True,
                width=400,
            ),
        ],
        key=f"{KEY}_results",
        file_name="approved-together.csv",
    )
    if st.button("Hide this list", key=f"{KEY}_hide", type="tertiary"):
        del st.session_state[RESULT]
        st.rerun()


def _choose(
    desk: Desk, rows: dict[int, ApprovalRow], command: str, then: Callable[[], None]
) -> None:
    chosen = st.multiselect(
        "Approvals",
        list(rows),
        key=f"{KEY}_{command}",
        format_func=lambda number: _in_words(rows[number]),
        max_selections=MOST_TOGETHER,
        placeholder="Choose approvals",
    )
    if not chosen:
        return
    with ui.attempt():
        looked = approvals_together.side_by_side(desk, chosen)
        _beside(looked)
        able = [each.row for each in looked if not each.why_not]
        with st.container(width=NOTE_WIDTH):
            note = st.text_input(
                "Note for all",
                key=f"{KEY}_note",
                max_chars=LONGEST_TEXT - 60,
                help="Their makers read this.",
                autocomplete="off",
            )
        label = f"Approve {len(able)} together" if able else "Approve together"
        if st.button(label, type="primary", key=f"{KEY}_do", disabled=not able):
            then()
            _approve(desk, chosen, note, command)


def _approve(desk: Desk, chosen: Sequence[int], note: str, command: str) -> None:
    results = approvals_together.approve_together(desk, chosen, note)
    done = sum(one.refused is None for one in results)
    st.session_state[RESULT] = results
    ui.flash(f"{done} of {words.counted(len(results), 'approval')} approved and done.")
    st.session_state.pop(f"{KEY}_{command}", None)
    st.session_state.pop(f"{KEY}_note", None)
    st.rerun()


def _in_words(row: ApprovalRow) -> str:
    return f"{row.id}: {waiting.amount_of(row)}, {row.about}, {row.maker_name}"


def _beside(looked: Sequence[Together]) -> None:
    able = [each for each in looked if not each.why_not]
    tables.show(
        looked,
        [
            *WHICH,
            column("Goes together", lambda each: each.why_not or "Yes", key=True, width=240),
            column(
                "Together on its day",
                lambda each: each.compared_minor,
                Kind.AMOUNT,
                currency=lambda each: each.row.currency,
            ),
            column("Asked for by", lambda each: each.row.maker_name),
            column("What was asked", lambda each: _asked(each), width=280),
            column("Said", lambda each: each.said, width=240),
        ],
        key=f"{KEY}_beside",
    )
    totals: dict[str, int] = {}
    for each in able:
        totals[each.row.currency] = totals.get(each.row.currency, 0) + (each.row.amount_minor or 0)
    if totals:
        shown = ", ".join(money.show(total, currency) for currency, total in totals.items())
        tables.facts({"Together": shown})


def _asked(each: Together) -> str:
    """What was typed: a reason, a slip, a person."""
    return ", ".join(
        f"{words.sentence(name)}: {value}"
        for name, value in each.asked.items()
        if value not in each.row.about  # it stands there already
    )
