"""The statement of an own account: any period, to read, to download, with each line's receipt."""

from datetime import date, timedelta

import streamlit as st

from bank.accounts import accounts, statements
from bank.accounts.statement_lines import StatementLine
from bank.core import money
from bank.core.permissions import Permission
from bank.counters import receipts, slips
from pages.parts import forms, tables, ui, words
from pages.parts.tables import Kind, column

desk = ui.enter(Permission.OWN_ACCOUNTS_VIEW, title="Statement")

ROWS_ON_A_PAGE = 50
MONTH, THREE, SIX, YEAR, ANY = (
    "This month",
    "Last 3 months",
    "Last 6 months",
    "This financial year",
    "Any dates",
)


def months_back(day: date, months: int) -> date:
    """The same day some months earlier; the month's last day where it has no such day."""
    at = day.year * 12 + day.month - 1 - months
    first = date(at // 12, at % 12 + 1, 1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return min(first + timedelta(days=day.day - 1), last)


def period() -> tuple[date, date]:
    """First and last day, as chosen."""
    today = desk.bank.clock.business_date()
    chosen = st.segmented_control(
        "Period",
        [MONTH, THREE, SIX, YEAR, ANY],
        default=THREE,
        required=True,
        key="statement_period",
        on_change=to_the_first_page,
    )
    if chosen == ANY:
        with st.container(horizontal=True):
            start = forms.day_input(
                "First day",
                months_back(today, 3),
                last=today,
                key="statement_start",
                on_change=to_the_first_page,
            )
            end = forms.day_input(
                "Last day", today, last=today, key="statement_end", on_change=to_the_first_page
            )
        return start or today, end or today
    year = today.year if today.month >= 4 else today.year - 1
    starts = {
        MONTH: today.replace(day=1),
        SIX: months_back(today, 6),
        YEAR: date(year, 4, 1),
    }
    return starts.get(chosen or THREE, months_back(today, 3)), today


def to_the_first_page() -> None:
    """Another account or period begins at its first line."""
    st.session_state["statement_page"] = 0


def receipt_of(line: StatementLine) -> None:
    """The receipt of a line that has one."""
    if line.kind in {slips.DEPOSIT, slips.WITHDRAWAL} or (
        line.kind == slips.TRANSFER and line.amount_minor < 0
    ):
        ui.download(
            f"Download receipt {line.reference}",
            lambda asking: receipts.print_receipt(asking, line.reference),
            permission=Permission.RECEIPT_PRINT,
            file_name=f"receipt-{line.reference}.pdf",
            mime="application/pdf",
            key="statement_receipt",
        )
    else:
        st.caption("This line has no receipt of its own.")
    st.page_link(
        "pages/customer/help.py",
        label=f"Ask about entry {line.reference}",
        icon=":material/help:",
        query_params={"entry": line.reference},
    )


own = {card.number: card for card in accounts.own_accounts(desk)}
if not own:
    ui.empty("You have no account with the bank yet.", "Ask your branch to open one.")
    st.stop()
card = own[
    st.selectbox(
        "Account",
        list(own),
        format_func=lambda number: f"{own[number].product_name} {words.masked(number)}",
        key="statement_account",
        on_change=to_the_first_page,
    )
]
start, end = period()
at = st.session_state.setdefault("statement_page", 0)
with ui.attempt(labels={"period": "Period"}):
    found = statements.lines(
        desk, card.number, start, end, skip=at * ROWS_ON_A_PAGE, take=ROWS_ON_A_PAGE
    )
    st.caption(f"{words.day(start)} to {words.day(end)}, {words.counted(found.count, 'line')}")
    one, two, three, four = st.columns(4)
    one.metric("Opening", money.show_side(found.opening_minor, card.currency), border=True)
    two.metric("Came in", money.show(found.credit_minor, card.currency), border=True)
    three.metric("Went out", money.show(-found.debit_minor, card.currency), border=True)
    four.metric("Closing", money.show_side(found.closing_minor, card.currency), border=True)
    if not found.count:
        ui.empty("Nothing was booked in this period.", "Choose a longer period above.")
    else:
        chosen = tables.choose(
            found.lines,
            [
                column("Date", "booking_date", Kind.DAY, key=True, width=92),
                column("What", "details", key=True, width=300),
                column("Went out", "debit_minor", Kind.AMOUNT, currency=lambda _: card.currency),
                column("Came in", "credit_minor", Kind.AMOUNT, currency=lambda _: card.currency),
                column(
                    "Balance",
                    "balance_minor",
                    Kind.SIDE,
                    key=True,
                    currency=lambda _: card.currency,
                ),
            ],
            key="statement_lines",
            id_of=lambda line: line.line_no,
            of=found.count,
            prompt="Choose a line",
        )
        pages = -(-found.count // ROWS_ON_A_PAGE)
        with st.container(horizontal=True, vertical_alignment="center"):
            if pages > 1:
                if st.button("Earlier", disabled=at == 0, key="statement_earlier"):
                    st.session_state["statement_page"] = at - 1
                    st.rerun()
                if st.button("Later", disabled=at + 1 >= pages, key="statement_later"):
                    st.session_state["statement_page"] = at + 1
                    st.rerun()
                st.caption(f"Page {at + 1} of {pages}")
            name = f"statement-{card.number[-4:]}-{start}-{end}"
            ui.download(
                "Download PDF",
                lambda asking: statements.statement_pdf(asking, card.number, start, end),
                permission=Permission.OWN_ACCOUNTS_VIEW,
                file_name=f"{name}.pdf",
                mime="application/pdf",
                key="statement_pdf",
                look="primary",
            )
            ui.download(
                "Download CSV",
                lambda asking: statements.statement_csv(asking, card.number, start, end),
                permission=Permission.OWN_ACCOUNTS_VIEW,
                file_name=f"{name}.csv",
                mime="text/csv",
                key="statement_csv",
            )
        if chosen is not None:
            receipt_of(chosen)
