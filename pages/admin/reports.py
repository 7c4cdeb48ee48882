"""Reports: every file of reports/ that the role may run, with its own fields, chart and table.

Nothing here knows any of them: a new file appears with the next start of the bank.
"""

import streamlit as st

from bank.core.permissions import Permission
from bank.night import reports
from pages.parts import behind, figures, ui

desk = ui.enter(Permission.REPORT_RUN, title="Reports", context="")

under_title = st.container()
cards = {card.name: card for card in reports.reports_for(desk)}
with ui.attempt():
    card = cards[
        st.selectbox(
            "Report",
            list(cards),
            format_func=lambda name: cards[name].title,
            key="reports_name",
            bind="query-params",
            width=2 * figures.FIELD_WIDTH,
        )
    ]
    key = f"reports_{card.name}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        asked = figures.inputs(desk, card, key=key)
    lacking = figures.missing(card, asked)
    if lacking:
        ui.empty(f"{card.title} wants more.", f"Fill in: {', '.join(lacking)}.")
        st.stop()
    report = reports.run(desk, card.name, asked)
    with under_title:
        figures.context(desk, report, figures.branch_of(card, asked))
    currency = figures.currency_choice(report, key=f"{key}_currency")
    report = figures.in_currency(report, currency)
    if not report.count:
        ui.empty("Nothing to report.", "Choose a later day or another branch.")
        st.stop()
    if report.truncated:
        st.warning(f"Only the first {reports.MOST_ROWS:,} rows are here. Ask for less.")
    if report.chart is None:  # a chart carries the title itself
        st.header(report.title)
    figures.chart(report, key=f"{key}_chart", currency=currency)
    chosen = figures.table(desk, report, key=f"{key}_rows")
    if report.drill is None:
        st.caption("There are no lines behind this report.")
    elif chosen is None:
        st.caption("Choose a row to see the journal lines behind it.")
    else:
        behind.lines_behind(
            desk,
            report.name,
            chosen,
            report.params,
            title=f"Behind {figures.called(report, chosen)}",
            key=f"{key}_behind",
        )
