"""Closing the book: through which day it is closed, what lies in each month, and who closed it."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import streamlit as st

from bank.book import backdating, book_close
from bank.book.backdating import BACKDATING, MOST_DAYS_BACK
from bank.book.book_close import BOOK, CLOSING, BookDays
from bank.book.book_days import LONGEST_REASON
from bank.core.errors import BadInput
from bank.core.permissions import Permission
from bank.night import reports
from pages.parts import behind, figures, forms, tables, ui, waiting, words
from pages.parts.tables import ROW_HEIGHT, Kind, column

desk = ui.enter(Permission.TRIAL_BALANCE_VIEW, title="Book closing", context="")

NARROW = 560  # pixels
MONTHS_IN_SIGHT = 26
FURTHEST = timedelta(days=366)  # how far ahead a limit may begin
MEANWHILE = "The book was closed or opened again meanwhile. Look at it as it is now."
LIMIT_SET = "Another limit was set meanwhile. Look at the limits as they are now."
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
    through = book.closed_through
    with st.container(key="figures_book"):  # house.css puts two beside each other on a phone
        one, two, three = st.columns(3)
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
    """What lies in each month, whether it is closed, and the lines behind the one chosen."""
    st.header("Months")
    card = figures.card_of(desk, "book_months")
    report = reports.run(desk, card.name, {})
    with under_title:
        figures.context(desk, report, None if desk.sees_whole_bank else desk.branch_id)
    if not report.count:
        ui.empty("Nothing was booked yet.", "Each month stands here once something is.")
        return
    chosen = tables.choose(
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
        id_of=lambda row: f"{row['month']} {row['currency']}",
        file_name="months.csv",
        height=(min(report.count, MONTHS_IN_SIGHT) + 1) * ROW_HEIGHT,
        prompt="Choose a month",
    )
    if chosen is not None:
        behind.lines_behind(
            desk,
            report.name,
            chosen,
            report.params,
            title=f"Behind {chosen['month']}",
            key="book_behind",
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
            column(
                "Entries",
                "entries",
                Kind.NUMBER,
                help="How many there were then on the days that were closed, or opened again.",
            ),
            column("By", "by_name", key=True),
            column("Agreed by", "agreed_by_name"),
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


def done_with(form: str) -> None:
    """What one has done oneself is no news."""
    forms.forget(form)
    forms.seen_anew(BOOK)
    forms.seen_anew(BACKDATING)


def sentences(said: str, found: tuple[str, ...]) -> None:
    """A list with a word before it, where there is any."""
    if found:
        st.markdown(said)
        st.markdown("\n".join(f"- {words.plain(each)}" for each in found))


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
        key=f"book_close_{book.last_id}_through",
        last=yesterday,
        persist_state="page",
        **first,
    )
    met = book_close.ahead(desk, through) if through else None
    if met is not None:
        sentences("Before these days can be closed:", tuple(met.in_the_way))
        sentences("Worth a look before you close:", tuple(met.left))
    reason = reason_input("book_close_reason")
    st.caption("Nothing is booked on these days any more. Corrections are booked on an open day.")
    if st.button(
        "Propose to close",
        type="primary",
        key=f"book_close_{book.last_id}_propose",
        disabled=met is not None and bool(met.in_the_way),
    ):
        with waiting.attempt(
            "The book is closed.", labels=LABELS, then=lambda: done_with("book_close_")
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
        key=f"book_reopen_{book.last_id}_first",
        last=book.closed_through,
        persist_state="page",
    )
    reason = reason_input("book_reopen_reason")
    st.caption(
        "Imports may book on these days again, and what was reported for them may change. "
        "The auditors are told."
    )
    if st.button("Propose to open again", key=f"book_reopen_{book.last_id}_propose"):
        with waiting.attempt(
            "The book is open again.", labels=LABELS, then=lambda: done_with("book_reopen_")
        ):
            if first is None:
                raise BadInput("Choose the first day to open.", field="first_day")
            book_close.reopen_book(desk, first, book.last_id, reason)


def limits(book: BookDays) -> None:
    """How far back an import may book: the limits, and the form of another."""
    st.header("How far back imports book")
    rows = backdating.limits(desk)
    if rows:
        tables.show(
            rows,
            [
                column(
                    "Days back",
                    lambda row: "No limit" if row.days is None else f"{row.days:,}",
                    key=True,
                ),
                column("From", "effective_from", Kind.DAY, key=True),
                column("State", "standing", Kind.STATE, key=True),
                column("Set by", "set_by_name"),
                column("Agreed by", "agreed_by_name"),
                column("Reason", "reason", width=220),
            ],
            key="book_limits",
            file_name="limits.csv",
        )
    else:
        ui.empty("No limit was set.", "Imports book as far back as the book is open.")
    if closes:
        limit_form(book, rows[0].id if rows else None)


def limit_form(book: BookDays, seen: int | None) -> None:
    """The form that sets another limit."""
    with st.container(border=True, width=NARROW):
        st.subheader("Set a limit")
        forms.still_seen(BACKDATING, seen, LIMIT_SET)
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
            book.business_date + timedelta(days=1),
            key="book_limit_from",
            first=book.business_date,
            last=book.business_date + FURTHEST,
            help="The second person has to agree by then.",
            persist_state="page",
        )
        reason = reason_input("book_limit_reason")
        if st.button("Propose this limit", key=f"book_limit_{seen}_propose"):
            with waiting.attempt(
                "The limit is set.", labels=LABELS, then=lambda: done_with("book_limit_")
            ):
                if days is None and not is_none:
                    raise BadInput("Say how many days back, or choose no limit.", field="days")
                if day is None:
                    raise BadInput("Choose the day from which it counts.", field="effective_from")
                backdating.set_limit(desk, day, days, seen, reason)


under_title = st.container()
with ui.attempt():
    book = book_close.standing(desk)
    standing(book)
    if closes:
        forms.still_seen(BOOK, book.last_id, MEANWHILE)
        acts, lies = st.columns([2, 3], gap="large")
        with acts, st.container(border=True):
            st.header("Close the book")
            waiting.banner(desk, BOOK, CLOSING)
            close(book)
            reopen(book)
        with lies:
            months(book)
    else:
        st.caption("Head office closes the book and opens it again, decided by two.")
        months(book)
    register()
    limits(book)
