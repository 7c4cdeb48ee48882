"""Announcements: write one, see it as its readers will, and what was announced before."""

from dataclasses import dataclass
from datetime import date, timedelta

import streamlit as st

from bank.core.permissions import Permission
from bank.office import announcements
from bank.office.announcements import (
    LONGEST,
    LONGEST_TITLE,
    AnnouncementCard,
    Audience,
    Severity,
)
from bank.office.ticket_posts import LONGEST_BODY
from pages.parts import announcements as shown
from pages.parts import forms, frame, tables, ui, words
from pages.parts.forms import Slip, Step
from pages.parts.tables import Kind, column

desk = ui.enter(Permission.ANNOUNCE, title="Announcements")

NARROW = 640  # pixels
LABELS = {
    "branch": "Branch",
    "first day": "First day",
    "for": "For",
    "last day": "Last day",
    "message": "Message",
    "title": "Title",
}
AUDIENCES = {
    Audience.EVERYONE: "Everyone",
    Audience.CUSTOMERS: "Customers",
    Audience.STAFF: "Employees",
}
SEVERITIES = {
    Severity.INFO: "Information",
    Severity.WARNING: "Warning",
    Severity.URGENT: "Urgent",
    Severity.OFFER: "Offer of the bank",
}


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What was typed."""

    audience: Audience
    severity: Severity
    title: str
    body: str
    from_on: date
    until_on: date
    branch_id: int | None
    by_mail: bool


slip: Slip[Draft, AnnouncementCard] = Slip(shown.FORM)


def to_whom() -> tuple[Audience, Severity, int | None]:
    """For whom it is, what kind it is, and of which branch."""
    names = frame.branch_names(desk)
    with st.container(horizontal=True):
        audience = st.selectbox(
            LABELS["for"],
            list(AUDIENCES),
            format_func=AUDIENCES.__getitem__,
            key=slip.field("audience"),
            persist_state="page",
            width=200,
        )
        severity = st.selectbox(
            "Kind",
            list(SEVERITIES),
            format_func=SEVERITIES.__getitem__,
            key=slip.field("severity"),
            persist_state="page",
            width=200,
        )
        branch_id = desk.branch_id
        if desk.sees_whole_bank:
            branch_id = st.selectbox(
                LABELS["branch"],
                [None, *names],
                format_func=lambda one: names.get(one or 0, "All branches"),
                key=slip.field("branch"),
                persist_state="page",
                width=200,
            )
    if severity is Severity.OFFER and audience is not Audience.CUSTOMERS:
        st.caption("An offer goes to customers.")
        audience = Audience.CUSTOMERS
    return audience, severity, branch_id


def when(today: date) -> tuple[date, date]:
    """Its first day and its last."""
    last = today + LONGEST
    with st.container(horizontal=True):
        from_on = forms.day_input(
            LABELS["first day"],
            today,
            key=slip.field("from"),
            first=today,
            last=last,
            persist_state="page",
        )
        until_on = forms.day_input(
            LABELS["last day"],
            today + timedelta(days=7),
            key=slip.field("until"),
            first=today,
            last=last + LONGEST,
            persist_state="page",
        )
    return from_on or today, until_on or today


def fill() -> None:
    """What to say, to whom, from when to when."""
    audience, severity, branch_id = to_whom()
    title = st.text_input(
        LABELS["title"],
        key=slip.field("title"),
        persist_state="page",
        max_chars=LONGEST_TITLE,
        autocomplete="off",
    )
    body = st.text_area(
        LABELS["message"],
        key=slip.field("body"),
        persist_state="page",
        max_chars=LONGEST_BODY,
        height=120,
    )
    from_on, until_on = when(desk.bank.clock.business_date())
    by_mail = st.checkbox(
        "By mail, too",
        key=slip.field("mail"),
        persist_state="page",
        help="To everyone it is for whose address is known, on the first day.",
    )
    if st.button("Preview", type="primary", key=slip.field("preview")):
        slip.preview(
            Draft(
                audience=audience,
                severity=severity,
                title=title or "",
                body=body or "",
                from_on=from_on,
                until_on=until_on,
                branch_id=branch_id,
                by_mail=by_mail,
            )
        )


def check(draft: Draft) -> None:
    """As its readers see it; then say it."""
    if draft.title or draft.body:
        shown.draw(draft.severity, draft.title, draft.body)
    names = frame.branch_names(desk)
    confirmed = forms.confirm(
        slip,
        title="Is this right?",
        facts={
            "For": AUDIENCES[draft.audience],
            "Branch": names.get(draft.branch_id or 0, "All branches"),
            "Shown": f"{words.day(draft.from_on)} to {words.day(draft.until_on)}",
            "By mail": "Yes, on the first day" if draft.by_mail else "No",
        },
        action="Announce",
    )
    if confirmed:
        with ui.attempt(labels=LABELS):
            card = announcements.announce(
                desk,
                draft.audience,
                draft.severity,
                draft.title,
                draft.body,
                draft.from_on,
                draft.until_on,
                draft.branch_id,
                draft.by_mail,
                request_id=slip.request_id,
            )
            mails = f" {words.counted(card.mails, 'mail')} written." if draft.by_mail else ""
            ui.flash(f"Announced: {card.title}.{mails}")
            ui.renew(slip.name)
            slip.again()


def before() -> None:
    """What was announced, and the way to withdraw it."""
    st.header("Announced before")
    cards, today = announcements.announced(desk), desk.bank.clock.business_date()
    if not cards:
        ui.empty("Nothing has been announced yet.", "What you announce is listed here.")
        return
    names = frame.branch_names(desk)
    chosen = tables.choose(
        cards,
        [
            column("Title", "title", key=True, width=280),
            column("For", lambda card: AUDIENCES[card.audience]),
            column("Branch", lambda card: names.get(card.branch_id or 0, "All branches")),
            column("From", "from_on", Kind.DAY),
            column("To", "until_on", Kind.DAY),
            column("Mails", "mails", Kind.NUMBER),
            column("By", "announced_by_name"),
            column("State", lambda card: card.state(today), Kind.STATE, key=True),
        ],
        key="announced",
        id_of=lambda card: card.id,
        prompt="Choose an announcement",
    )
    if chosen is None:
        st.caption("Choose an announcement to read it, or to withdraw it.")
        return
    shown.draw(chosen.severity, chosen.title, chosen.body)
    if chosen.state(today) in {"shown", "planned"} and st.button(
        "Withdraw this announcement", key=f"announced_withdraw_{chosen.id}", icon=":material/undo:"
    ):
        with ui.attempt():
            kept = announcements.withdraw(desk, chosen.id)
            mails = f" {words.counted(kept, 'mail')} will not leave." if kept else ""
            ui.flash(f"Withdrawn: {chosen.title}.{mails}")
            st.rerun()


with st.container(width=NARROW):
    if slip.step is Step.PREVIEW:
        check(slip.draft)
    else:
        fill()
before()
