"""Closing the book: through which day it is closed, what lies in each month, and who closed it."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import streamlit as st

from bank.book import book_close
from bank.book.book_close import BACKDATING, BOOK, CLOSING, MOST_DAYS_BACK, BookDays
from bank.book.book_days import LONGEST_REASON
from bank.core.errors import BadInput
from bank.core.permissions import Permission
from bank.night import reports
from pages.parts import figures, forms, tables, ui, waiting, words
from pages.parts.tables import Kind, column

desk = ui.enter(Permission.TRIAL_BALANCE_VIEW, title="Book closing")

NARROW = 560  # pixels
FURTHEST = timedelta(days=366)  # how far ahead a limit may begin
LABELS = {
    "days": "Days back",
    "effective_from": "From",
    "first_day": "First day that is open again",
    "reason": "Reason",
    "through": "Close through",
}
closes = desk.may(Permission.BOOK_CLOSE)


def standing(book: BookDays) -> None:
    """Where the book stands, in three words."""
    one, two, three = st.columns(3)
    through = book.closed_through
    one.metric("Closed through", words.day(through) if through else "Nothing yet", border=True)
    first = words.day(through + timedelta(days=1)) if through else "Every day"
    two.metric("Open from", first, border=True)
    three.metric(
        "Imports book from",
        words.day(book.import_from),
        help=words.plain(f"{words.sentence(book.import_because)}."),
        border=True,
    )


def state_of(row: Mapping[str, Any], through: date | None) -> str:
    """One word for a month."""
    if through is None or row["start"] > through:
        return "open"
    return "closed" if row["day"] <= through else "in part"


def months(book: BookDays) -> None:
    """What lies in each month, and whether it is closed."""
    st.header("Months")
    card = figures.card_of(desk, "book_months")
    report = reports.run(desk, card.name, {})
    if not report.count:
        ui.empty("Nothing was booked yet.", "Each month stands here once something is.")
        return
    tables.show(
        report.rows,
        [
            column("Month", lambda row: row["month"], key=True),
            column("State", lambda row: state_of(row, book.closed_through), Kind.STATE, key=True),
            column("Lines", lambda row: row["lines"], Kind.NUMBER),
            column(
                "Moved",
                lambda row: row["amount_minor"],
                Kind.AMOUNT,
                currency=lambda row: row["currency"],
                key=True,
                help="All credits of the month, which are as much as all debits.",
            ),
        ],
        key="book_months",
        file_name="months.csv",
    )


def register() -> None:
    """Who closed the book, and opened it again."""
    st.header("Register")
    acts = book_close.register(desk)
    if not acts:
        ui.empty("The book was never closed.", "Who closed it through which day, and why.")
        return
    tables.show(
        acts,
        [
            column("Closed through", "closed_through", Kind.DAY, key=True),
            column("What", lambda row: "Opened again" if row.opens else "Closed", key=True),
            column("Before", "was_through", Kind.DAY),
            column("By", "by_name", key=True),
            column("When", "at", Kind.MOMENT),
            column("Reason", "reason", width=260),
        ],
        key="book_register",
        file_name="closings.csv",
    )


def reason_input(key: str) -> str:
    """Why; it stays in the register."""
    typed = st.text_input(
        LABELS["reason"],
        key=key,
        persist_state="page",
        max_chars=LONGEST_REASON,
        help="Stays in the register.",
        autocomplete="off",
    )
    return typed or ""


def proposed(book: BookDays) -> date | None:
    """The last day of the month before, nothing where that is closed already."""
    last_month = book.business_date.replace(day=1) - timedelta(days=1)
    is_closed = book.closed_through is not None and book.closed_through >= last_month
    return None if is_closed else last_month


def close(book: BookDays) -> None:
    """The form that closes the book through a day."""
    yesterday = book.business_date - timedelta(days=1)
    if book.closed_through is not None and book.closed_through >= yesterday:
        st.caption("Every day that is over is closed.")
        return
    first = {} if book.closed_through is None else {"first": book.closed_through + timedelta(1)}
    through = forms.day_input(
        LABELS["through"],
        proposed(book),
        key="book_close_through",
        last=yesterday,
        persist_state="page",
        **first,
    )
    left = book_close.in_the_way(desk, through) if through else ()
    if left:
        st.markdown("Before these days can be closed:")
        st.markdown("\n".join(f"- {words.plain(each)}" for each in left))
    reason = reason_input("book_close_reason")
    st.caption("Nothing is booked on these days any more. Corrections are booked on an open day.")
    if st.button("Propose to close", type="primary", key="book_close_propose", disabled=bool(left)):
        with waiting.attempt(
            "The book is closed.", labels=LABELS, then=lambda: forms.forget("book_close_")
        ):
            if through is None:
                raise BadInput("Choose the last day to close.", field="through")
            book_close.close_book(desk, through, book.last_id, reason)


def reopen(book: BookDays) -> None:
    """The form that opens the book again."""
    if book.closed_through is None:
        return
    st.subheader("Open it again")
    first = forms.day_input(
        LABELS["first_day"],
        book.closed_through,
        key="book_reopen_first",
        last=book.closed_through,
        persist_state="page",
    )
    reason = reason_input("book_reopen_reason")
    st.caption("Imports may book on these days again. What was reported for them may change.")
    if st.button("Propose to open again", key="book_reopen_propose"):
        with waiting.attempt(
            "The book is open again.", labels=LABELS, then=lambda: forms.forget("book_reopen_")
        ):
            if first is None:
                raise BadInput("Choose the first day to open.", field="first_day")
            book_close.reopen_book(desk, first, book.last_id, reason)


def limit(book: BookDays) -> None:
    """How far back an import may book: the limits, and the form of another."""
    st.header("How far back imports book")
    rows = book_close.backdating(desk)
    if rows:
        tables.show(
            rows,
            [
                column("Days back", lambda row: "No limit" if row.days is None else f"{row.days:,}",
                       key=True),
                column("From", "effective_from", Kind.DAY, key=True),
                column("State", "standing", Kind.STATE, key=True),
                column("Set by", "set_by_name"),
                column("Reason", "reason", width=220),
            ],
            key="book_limits",
            file_name="limits.csv",
        )  # fmt: skip
    else:
        ui.empty("No limit was set.", "Imports book as far back as the book is open.")
    if not closes:
        return
    with st.container(border=True, width=NARROW):
        st.subheader("Set a limit")
        waiting.banner(desk, BOOK, BACKDATING)
        is_none = st.checkbox(
            "As far back as the book is open", key="book_limit_none", persist_state="page"
        )
        days = None
        if not is_none:
            days = st.number_input(
                LABELS["days"],
                min_value=0,
                max_value=MOST_DAYS_BACK,
                value=None,
                step=1,
                key="book_limit_days",
                persist_state="page",
                help="0 is the business date alone.",
                width=200,
            )
        day = forms.day_input(
            LABELS["effective_from"],
            book.business_date,
            key="book_limit_from",
            first=book.business_date,
            last=book.business_date + FURTHEST,
            persist_state="page",
        )
        reason = reason_input("book_limit_reason")
        if st.button("Propose this limit", type="primary", key="book_limit_propose"):
            with waiting.attempt(
                "The limit is set.", labels=LABELS, then=lambda: forms.forget("book_limit_")
            ):
                if days is None and not is_none:
                    raise BadInput("Say how many days back, or choose no limit.", field="days")
                book_close.limit_backdating(desk, day or book.business_date, days, reason)


with ui.attempt():
    book = book_close.standing(desk)
    standing(book)
    if not closes:
        st.caption("Head office closes the book and opens it again, decided by two.")
    lies, acts = st.columns([3, 2], gap="large")
    with lies:
        months(book)
    with acts:
        if closes:
            with st.container(border=True):
                st.header("Close the book")
                waiting.banner(desk, BOOK, CLOSING)
                close(book)
                reopen(book)
    register()
    limit(book)
