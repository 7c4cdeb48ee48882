"""What somebody did, in numbers: drawn the same for themselves and for their admin."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import streamlit as st

from bank.core.desk import Desk
from bank.counters import work_facts as facts_of_work
from bank.counters.fact_rows import Measure
from bank.counters.work_facts import FactItems, Facts
from bank.office import performance
from bank.office.performance import Work
from pages.parts import forms, tables, ui, work_facts
from pages.parts.tables import Kind, column


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where the numbers come from: one's own, or an employee's; the bank counts both alike."""

    acts: Callable[[date, date], Sequence[Work]]
    facts: Callable[[date, date], Facts]
    items: Callable[[Measure, date, date], FactItems]


def own(desk: Desk) -> Source:
    """One's own numbers."""
    return Source(
        acts=lambda start, end: performance.own_work(desk, start, end),
        facts=lambda start, end: facts_of_work.own_facts(desk, start, end),
        items=lambda measure, start, end: facts_of_work.own_items(desk, measure, start, end),
    )


def of(desk: Desk, user_id: int) -> Source:
    """The numbers of an employee of one's branch."""
    return Source(
        acts=lambda start, end: performance.work_of(desk, user_id, start, end),
        facts=lambda start, end: facts_of_work.facts_of(desk, user_id, start, end),
        items=lambda measure, start, end: facts_of_work.items_of(
            desk, user_id, measure, start, end
        ),
    )


def figures(desk: Desk, source: Source, *, key: str) -> None:
    """Days to choose, the figures with what is behind them, and a line for each kind of act."""
    today = desk.bank.clock.business_date()
    days = forms.days_input(
        "Days", today - timedelta(days=29), today, last=today, key=f"{key}_days"
    )
    if len(days) < 2:
        st.caption("Choose the last day, too.")
        return
    start, end = days[0], days[1]
    with ui.attempt(labels={"days": "Days"}):
        rows = source.acts(start, end)
        work_facts.draw(
            source.facts(start, end), lambda measure: source.items(measure, start, end), key=key
        )
        if rows:
            acts(rows, key=key)


def acts(rows: Sequence[Work], *, key: str) -> None:
    """Everything that was done, as the trail has it."""
    st.header("Everything that was done")
    done, kinds, refused = st.columns(3)
    done.metric("Done", f"{sum(row.done for row in rows):,}", border=True)
    kinds.metric("Kinds of work", f"{len(rows):,}", border=True)
    refused.metric(
        "Refused by the bank",
        f"{sum(row.refused for row in rows):,}",
        border=True,
        help="What was tried and could not be done, such as a slip for a closed account.",
    )
    tables.show(
        rows,
        [
            column("What", "sentence", key=True),
            column("Done", "done", Kind.NUMBER, key=True),
            column("Refused", "refused", Kind.NUMBER, key=True),
            column("First", "first_at", Kind.MOMENT),
            column("Last", "last_at", Kind.MOMENT),
        ],
        key=key,
        file_name="acts.csv",
    )
