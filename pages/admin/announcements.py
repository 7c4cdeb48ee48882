"""Announcements: write one, see it as its readers will, and what was announced before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import streamlit as st

from bank.accounts import products
from bank.core.permissions import STAFF, Permission, Role
from bank.office import announcements
from bank.office.announcements import (
    LONGEST,
    LONGEST_REASON,
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
    "product": "Who holds",
    "reason": "Why",
    "roles": "Roles",
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
    roles: Sequence[Role]
    product: str | None


PRODUCTS = {row.code: row.name for row in products.products_in_force(desk)}
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


def narrower(audience: Audience) -> tuple[Sequence[Role], str | None]:
    """Which employees by role, or which customers by what they hold; nothing chosen is all."""
    if audience is Audience.STAFF:
        roles = st.multiselect(
            LABELS["roles"],
            sorted(STAFF),
            format_func=words.role_name,
            key=slip.field("roles"),
            persist_state="page",
            placeholder="All roles",
        )
        return roles, None
    if audience is Audience.CUSTOMERS:
        product = st.selectbox(
            LABELS["product"],
            [None, *PRODUCTS],
            format_func=lambda code: PRODUCTS.get(code or "", "Any product, or none"),
            key=slip.field("product"),
            persist_state="page",
            width=300,
        )
        return (), product
    return (), None


def for_whom(audience: Audience, roles: Sequence[Role], product: str | None) -> str:
    """`Employees: Cashier, Banker`, or `Customers with Savings account`."""
    said = AUDIENCES[audience]
    if roles:
        return f"{said}: {', '.join(words.role_name(role) for role in roles)}"
    return f"{said} with {PRODUCTS.get(product, product)}" if product else said


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
    roles, product = narrower(audience)
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
                roles=roles,
                product=product,
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
            "For": for_whom(draft.audience, draft.roles, draft.product),
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
                draft.roles,
                draft.product,
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
            column("For", lambda card: for_whom(card.audience, card.for_roles, card.product)),
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
    if chosen.withdrawn_at is not None:
        why = f": {chosen.withdrawn_reason}" if chosen.withdrawn_reason else ""
        who = f"{chosen.withdrawn_by_name}, {words.moment(chosen.withdrawn_at)}"
        st.caption(words.plain(f"Withdrawn by {who}{why}"))
    elif chosen.state(today) in {"shown", "planned"}:
        withdraw(chosen)


def withdraw(card: AnnouncementCard) -> None:
    """Ask why, and so once more whether; then it is gone for its readers."""
    with (
        st.popover("Withdraw", icon=":material/undo:"),
        st.form(f"announced_withdraw_{card.id}", border=False),
    ):
        mails = " Its mails that wait do not leave." if card.mails else ""
        st.caption(f"Nobody reads it any more, from the next click on.{mails}")
        why = st.text_input(
            LABELS["reason"],
            key=f"announced_withdraw_{card.id}_why",
            max_chars=LONGEST_REASON,
            autocomplete="off",
            help="It is kept with the announcement.",
        )
        if st.form_submit_button("Withdraw this announcement"):
            with ui.attempt(labels=LABELS):
                kept = announcements.withdraw(desk, card.id, why or "")
                mails = f" {words.counted(kept, 'mail')} will not leave." if kept else ""
                ui.flash(f"Withdrawn: {card.title}.{mails}")
                st.rerun()


with st.container(width=NARROW):
    if slip.step is Step.PREVIEW:
        check(slip.draft)
    else:
        fill()
before()
