"""Trial balance: every ledger account, by branch or consolidated, as of any day."""

from collections.abc import Sequence

import streamlit as st

from bank.core import money
from bank.core.permissions import Permission
from bank.night import reports
from pages.parts import behind, figures, forms, tables, ui, words
from pages.parts.figures import Row
from pages.parts.tables import Column, Kind, column

desk = ui.enter(Permission.TRIAL_BALANCE_VIEW, title="Trial balance", context="")

COLUMNS: list[Column[Row]] = [
    column("Code", lambda row: row["gl"], key=True),
    column("Ledger account", lambda row: row["name"], key=True),
    column("Kind", lambda row: row["kind"], Kind.STATE),
    column(
        "Debit",
        lambda row: row["debit_minor"] or None,
        Kind.AMOUNT,
        currency=lambda row: row["currency"],
    ),
    column(
        "Credit",
        lambda row: row["credit_minor"] or None,
        Kind.AMOUNT,
        currency=lambda row: row["currency"],
    ),
    column(
        "Balance",
        lambda row: row["amount_minor"],
        Kind.SIDE,
        key=True,
        currency=lambda row: row["currency"],
    ),
]


def totals(rows: Sequence[Row], currency: str) -> None:
    """Both sides and whether they are equal, which they always are in a book that is whole."""
    debit = sum(row["debit_minor"] for row in rows)
    credit = sum(row["credit_minor"] for row in rows)
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


def section(rows: Sequence[Row], currency: str, params: Row, branch: str) -> None:
    """One currency: totals, the accounts, and the lines behind the one that is chosen."""
    st.header(currency)
    totals(rows, currency)
    chosen = tables.choose(
        rows,
        COLUMNS,
        key=f"trial_balance_{currency}",
        id_of=lambda row: row["gl"],
        prompt="Choose a ledger account",
        file_name=f"trial-balance-{branch}-{params['day']}-{currency}.csv",
    )
    if chosen is None:
        st.caption("Choose a ledger account to see its lines.")
        return
    behind.lines_behind(
        desk,
        "trial_balance",
        chosen,
        params,
        title=f"Behind {chosen['gl']} {chosen['name']}",
        key=f"trial_balance_behind_{currency}",
    )


under_title = st.container()
with ui.attempt():
    with st.container(horizontal=True, vertical_alignment="bottom"):
        branch = figures.branch_choice(desk, key="trial_balance_branch")
        day = forms.day_input(
            "As of",
            last=desk.bank.clock.business_date(),
            help="Empty is today.",
            key="trial_balance_as_of",
        )
    report = reports.run(desk, "trial_balance", {"branch": branch, "day": day})
    with under_title:
        figures.context(desk, report, branch)
    found = report.rows
    if not found:
        ui.empty("Nothing was booked up to that day.", "Choose a later day or another branch.")
    for code in sorted({row["currency"] for row in found}, key=lambda code: code != money.HOME):
        section(
            [row for row in found if row["currency"] == code],
            code,
            report.params,
            "all" if branch is None else str(branch),
        )
