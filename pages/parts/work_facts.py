"""An employee by facts: figures beside the role's median and range, weeks as a chart with its
table, and the cases behind each figure. Drawn the same for themselves and for their admin."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import streamlit as st

from bank.core import money
from bank.counters.fact_rows import Kind as Counted
from bank.counters.fact_rows import Measure
from bank.counters.work_facts import FactItem, FactItems, Facts, Figure
from pages.parts import charts, tables, ui, words
from pages.parts.tables import Kind, column

NAMES: Final = {
    Measure.CASES: "Cases decided",
    Measure.FIRST_REPLY: "Time to the first reply (median)",
    Measure.FIRST_IN_TIME: "First replies in time",
    Measure.SOLVED_IN_TIME: "Cases decided in time",
    Measure.REOPENED: "Solutions that were opened again",
    Measure.SCORE: "What customers say",
    Measure.SLIPS: "Slips right the first time",
    Measure.DRAWERS: "Drawers without a difference",
    Measure.REQUESTS: "Requests agreed to at once",
    Measure.APPROVALS: "Approvals decided",
    Measure.VOUCHES: "Vouched for as a supervisor",
}
TOO_FEW: Final = "Too few to compare"
# What a row behind a share is called, counted and not counted.
HITS: Final = {
    Measure.FIRST_IN_TIME: ("in time", "late"),
    Measure.SOLVED_IN_TIME: ("in time", "late"),
    Measure.REOPENED: ("opened again", "stayed solved"),
    Measure.SLIPS: ("stands", "reversed"),
    Measure.REQUESTS: ("agreed at once", "asked back or rejected"),
}


@dataclass(frozen=True, kw_only=True)
class _Row:
    """A figure as the table shows it."""

    figure: Figure

    @property
    def name(self) -> str:
        return NAMES[self.figure.measure]

    @property
    def said(self) -> str:
        return figure_in_words(self.figure)

    @property
    def role(self) -> str:
        return compared_in_words(self.figure)


def draw(
    facts: Facts, items: Callable[[Measure], FactItems], *, key: str, file_name: str = "work.csv"
) -> None:
    """Figures, the weeks, and what is behind the figure that is chosen."""
    rows = [_Row(figure=each) for each in facts.figures if _is_theirs(each)]
    if not rows:
        ui.empty("Nothing is counted on these days.", "Choose more days.")
        return
    _weeks(facts, key=key)
    chosen = tables.choose(
        rows,
        [
            column("What", "name", key=True),
            column("Figure", "said", key=True),
            column("Cases", lambda row: row.figure.cases, Kind.NUMBER),
            column("The role at the branch", "role", width=420),
        ],
        key=f"{key}_facts",
        id_of=lambda row: row.figure.measure.value,
        prompt="Choose a figure",
        file_name=file_name,
    )
    if any(row.role == TOO_FEW for row in rows):
        st.caption(
            f"The role is compared where {facts.least_people} people of it have "
            f"{facts.least_cases} cases or more."
        )
    if chosen is None:
        st.caption("Choose a figure to see the cases behind it.")
        return
    found = items(chosen.figure.measure)
    _items(chosen.figure.measure, found, key=key)


def figure_in_words(figure: Figure) -> str:
    """`11 of 12 (92 %)`, `42 min`, `4.5 of 5`."""
    if figure.value is None:
        return "none yet"
    if figure.kind is Counted.SHARE:
        said = f"{figure.hits:,} of {figure.cases:,} ({figure.value:.0f} %)"
        sums = (("over", figure.over_minor), ("short", figure.short_minor))
        return "; ".join([said, *(f"{money.show(sum_)} {name}" for name, sum_ in sums if sum_)])
    return _value(figure.measure, figure.kind, figure.value)


def compared_in_words(figure: Figure) -> str:
    """The role's median and range, or why there is none."""
    compared, kind = figure.compared, figure.kind
    if compared.median is None or compared.lowest is None or compared.highest is None:
        return TOO_FEW
    median, low, high = (
        _value(figure.measure, kind, each)
        for each in (compared.median, compared.lowest, compared.highest)
    )
    return f"Median {median}, from {low} to {high}, of {compared.people} people"


def _value(measure: Measure, kind: Counted, value: float) -> str:
    if kind is Counted.SHARE:
        return f"{value:.0f} %"
    if kind is Counted.MEDIAN:
        return length_in_words(round(value))
    if kind is Counted.AVERAGE:
        return f"{value:.1f} of 5"
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def length_in_words(seconds: int) -> str:
    """`2 h 05 min` of open time."""
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min"


def _is_theirs(figure: Figure) -> bool:
    """Whether there is anything to say: a cashier has no first replies."""
    return figure.cases > 0 or figure.compared.people > 0


def _weeks(facts: Facts, *, key: str) -> None:
    weeks = [week for week in facts.weeks if week.cases or week.slips]
    if not weeks:
        return
    done = sum(week.cases + week.slips for week in weeks)
    charts.counts(
        f"{words.counted(done, 'case or slip', 'cases and slips')} in these weeks",
        [words.day(week.first_day) for week in facts.weeks],
        {
            name: [getattr(week, name.lower()) for week in facts.weeks]
            for name in ("Cases", "Slips")
            if any(getattr(week, name.lower()) for week in weeks)
        },
        key=f"{key}_weeks_chart",
    )
    with st.expander("The weeks as a table"):
        tables.show(
            facts.weeks,
            [
                column("Week from", "first_day", Kind.DAY, key=True),
                column("Cases", "cases", Kind.NUMBER, key=True),
                column("Slips", "slips", Kind.NUMBER, key=True),
            ],
            key=f"{key}_weeks",
            file_name="weeks.csv",
        )


def _items(measure: Measure, found: FactItems, *, key: str) -> None:
    st.subheader(NAMES[measure])
    if not found.items:
        ui.empty("There is nothing behind this figure.", "Choose more days.")
        return
    columns: list[tables.Column[FactItem]] = [
        column("When", _when, key=True, by="at"),
        column("Reference", "reference", key=True),
        column("What", "what"),
    ]
    if measure in HITS:
        yes, no = HITS[measure]
        columns.append(
            column("Outcome", lambda item: yes if item.hit else no, Kind.STATE, key=True)
        )
    elif measure is Measure.DRAWERS:
        columns.append(column("Over or short", "value", Kind.AMOUNT, key=True))
    elif measure is Measure.FIRST_REPLY:
        columns.append(
            column("After", lambda item: length_in_words(item.value or 0), key=True, by="value")
        )
    elif measure is Measure.SCORE:
        columns.append(column("Score", "value", Kind.NUMBER, key=True))
    tables.show(
        found.items,
        columns,
        key=f"{key}_{measure.value}",
        of=found.found,
        file_name=f"{measure.value}.csv",
    )


def _when(item: FactItem) -> str:
    at: date | datetime = item.at
    return words.moment(at) if isinstance(at, datetime) else words.day(at)
