"""What somebody did, in numbers: drawn the same for themselves and for their admin."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta

import streamlit as st

from bank.core.desk import Desk
from bank.office.performance import Work
from bank.office.scores import Scored
from pages.parts import forms, tables, ui, words
from pages.parts.tables import Kind, column


def figures(
    desk: Desk,
    work: Callable[[date, date], Sequence[Work]],
    scores: Callable[[date, date], Scored],
    *,
    key: str,
) -> None:
    """Days to choose, a few numbers, and a line for each kind of thing that was done."""
    today = desk.bank.clock.business_date()
    days = forms.days_input(
        "Days", today - timedelta(days=29), today, last=today, key=f"{key}_days"
    )
    if len(days) < 2:
        st.caption("Choose the last day, too.")
        return
    with ui.attempt(labels={"days": "Days"}):
        rows = work(days[0], days[1])
        if not rows:
            ui.empty("Nothing was done on these days.", "Choose more days.")
            return
        scored = scores(days[0], days[1])
        done, kinds, refused, *more = st.columns(4 if scored.count else 3)
        done.metric("Done", f"{sum(row.done for row in rows):,}", border=True)
        kinds.metric("Kinds of work", f"{len(rows):,}", border=True)
        refused.metric(
            "Refused by the bank",
            f"{sum(row.refused for row in rows):,}",
            border=True,
            help="What was tried and could not be done, such as a slip for a closed account.",
        )
        for score in more:  # only who solves tickets has any
            score.metric(
                f"Average of {words.counted(scored.count, 'score')}",
                f"{scored.average:.1f} of 5",
                border=True,
                help="What customers say of the tickets solved on these days, on average: 5 is "
                "very well, 1 is not at all.",
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
            file_name="work.csv",
        )
