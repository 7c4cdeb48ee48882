"""Trial balance: every ledger account, by branch or consolidated, as of any day."""

import streamlit as st

from bank.core import money
from bank.core.permissions import Permission
from bank.night import reports
from bank.night.reports import Report
from pages.parts import behind, figures, ui, words

desk = ui.enter(Permission.TRIAL_BALANCE_VIEW, title="Trial balance", context="")


def totals(report: Report, currency: str) -> None:
    """Both sides and whether they are equal, which they always are in a book that is whole."""
    debit, credit = report.total("debit_minor"), report.total("credit_minor")
    one, two, three = st.columns(3)
    one.metric("Total debit", money.show(debit, currency), border=True)
    two.metric("Total credit", money.show(credit, currency), border=True)
    with three.container(border=True):
        st.caption("Both sides")
        if debit == credit:
            st.markdown(words.badge("equal", words.Tone.SUCCESS))
        else:
            st.markdown(words.badge("not equal", words.Tone.DANGER))
            st.caption(words.plain(f"Difference {money.show(debit - credit, currency)}. "))
            st.caption("Run the checks on the integrity page: they name the entries at fault.")


def section(report: Report, currency: str, branch: int | None) -> None:
    """One currency: totals, the accounts, and the lines behind the one that is chosen."""
    st.header(currency)
    totals(report, currency)
    where = "all" if branch is None else str(branch)
    chosen = figures.table(
        desk,
        report,
        key=f"trial_balance_{currency}",
        prompt="Choose a ledger account",
        file_name=f"trial-balance-{where}-{report.params['day']}-{currency}.csv",
    )
    if chosen is None:
        st.caption("Choose a ledger account to see its lines.")
        return
    behind.lines_behind(
        desk,
        report.name,
        chosen,
        report.params,
        title=f"Behind {chosen['gl']} {chosen['name']}",
        key=f"trial_balance_behind_{currency}",
    )


under_title = st.container()
with ui.attempt():
    card = figures.card_of(desk, "trial_balance")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        asked = figures.inputs(desk, card, key="trial_balance")
    report = reports.run(desk, card.name, asked)
    branch = figures.branch_of(card, asked)
    with under_title:
        figures.context(desk, report, branch)
    if not report.count:
        ui.empty("Nothing was booked up to that day.", "Choose a later day or another branch.")
    for code in sorted(report.values("currency"), key=lambda code: code != money.HOME):
        section(report.where("currency", code), code, branch)
