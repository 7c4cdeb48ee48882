"""A ticket's account or entry as a card, and its customer at a glance: to read, nothing to do."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from bank.accounts.accounts import AccountCard, AccountStatus
from bank.accounts.statement_lines import StatementLine
from bank.core import money
from bank.core.desk import Desk
from bank.core.permissions import Permission
from bank.counters import customer_view
from bank.counters.customer_view import AccountView, CustomerView, EntryView
from bank.office.ticket_desk import Opened
from pages.parts import conversation, tables, ui, words
from pages.parts.tables import Kind, column

FIND: Final = "staff/find_account.py"
FIND_NUMBER: Final = "find_account_number"  # the field of that page


def about(desk: Desk, found: Opened) -> None:
    """What the ticket is about, as a card."""
    if not found.card.about:
        return
    seen = customer_view.about_ticket(desk, found.card.id)
    with st.container(border=True, key=f"about_{found.card.id}"):
        if seen.account is not None:
            _account(desk, seen.account, key=f"about_{found.card.id}")
        elif seen.entry is not None:
            _entry(desk, seen.entry, key=f"about_{found.card.id}")
        else:
            what = words.masked(found.card.about) if _is_account(found) else found.card.about
            st.markdown(f"**{'Account' if _is_account(found) else 'Entry'} {words.plain(what)}**")
            st.caption("It is not at your branch. Ask the branch that keeps the account.")


def _is_account(found: Opened) -> bool:
    return found.card.about_kind == "account"


def _account(desk: Desk, view: AccountView, *, key: str) -> None:
    """Masked number, what is available, the newest lines, and the way to the account."""
    card = view.card
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{words.plain(_named(card))}**")
        if card.status is not AccountStatus.ACTIVE:
            st.markdown(words.badge(str(card.status)))
        _way(desk, card, key)
    tables.facts(
        {
            "Booked": money.show_side(card.booked_minor, card.currency),
            "Available": money.show(card.available_minor, card.currency),
            "Opened": words.day(card.opened_on),
            "Last entry": words.day(card.last_booking_date),
        }
    )
    _lines(view.lines, card.currency, key=f"{key}_{card.id}_lines")


def _entry(desk: Desk, view: EntryView, *, key: str) -> None:
    """Reference and days, and each line it has on an account of the customer's."""
    st.markdown(f"**Entry {words.plain(view.reference)}**")
    tables.facts(
        {
            "Booked on": words.day(view.booked_on),
            "Counts from": words.day(view.value_on) if view.value_on != view.booked_on else "",
        }
    )
    for card, line in view.lines:
        place = f"{key}_{card.id}"
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(words.plain(_named(card)))
            _way(desk, card, place)
        _lines([line], card.currency, key=f"{place}_line")


def _named(card: AccountCard) -> str:
    return f"{card.product_name} {words.masked(card.number)}"


def _way(desk: Desk, card: AccountCard, key: str) -> None:
    """To the account's own page, which shows it in full to whoever may see it."""
    if desk.may(Permission.ACCOUNT_LOOK_UP) and st.button(
        "Open the account", key=f"{key}_{card.id}_open", type="tertiary"
    ):
        st.session_state[FIND_NUMBER] = card.number
        ui.go(FIND)


def _lines(lines: Sequence[StatementLine], currency: str, *, key: str) -> None:
    if not lines:
        st.caption("Nothing has been booked on this account yet.")
        return
    tables.show(
        lines,
        [
            column("Date", "booking_date", Kind.DAY, key=True),
            column("What", "details", width=320),
            column("Amount", "amount_minor", Kind.SIDE, key=True, currency=lambda _: currency),
            column("Balance", "balance_minor", Kind.SIDE, currency=lambda _: currency),
            column("Reference", "reference"),
        ],
        key=key,
    )


def panel(desk: Desk, found: Opened) -> None:
    """The customer of a ticket, read when asked for: each look is recorded."""
    key = f"customer_{found.card.id}"
    if st.toggle(
        "Show the customer",
        key=key,
        help="Profile, accounts, tickets, mails and sign-ins, to read. The trail keeps your look.",
    ):
        view = customer_view.customer_in_full(desk, found.card.id)
        with st.container(border=True, key=f"{key}_view"):
            _profile(view)
            _accounts(desk, view, key)
            _rest(view, key)


def _profile(view: CustomerView) -> None:
    st.markdown(f"**{words.plain(view.name)}**, {words.plain(view.number)}")
    tables.facts(
        {
            "Born in": str(view.born_in),
            "PAN": view.pan,
            "Mail": view.mail_to or "no address is known",
            "Mobile": view.mobile or "no number is known",
            "Customer since": words.moment(view.customer_since),
            "Portal": "Signs in" if view.has_portal else "Has no access",
        }
    )


def _accounts(desk: Desk, view: CustomerView, key: str) -> None:
    st.markdown("**Accounts**")
    if view.elsewhere:
        st.caption(f"{words.counted(view.elsewhere, 'account')} at other branches: ask there.")
    if not view.accounts:
        st.caption("None at your branch.")
    for one in view.accounts:
        _account(desk, one, key=key)


def _rest(view: CustomerView, key: str) -> None:
    st.markdown("**Tickets**")
    tables.show(
        view.tickets,
        [
            column("Ticket", "reference", key=True),
            column("About", "subject", key=True, width=280),
            column("State", conversation.state_for_staff, Kind.STATE),
            column("Opened", "opened_at", Kind.MOMENT),
            column("Due", "next_due_at", Kind.MOMENT),
            column("Solved", "solved_at", Kind.MOMENT),
        ],
        key=f"{key}_tickets",
    )
    st.markdown("**Mails to this address**")
    if view.mails:
        tables.show(
            view.mails,
            [
                column("Written", "queued_at", Kind.MOMENT, key=True),
                column("Subject", "subject", key=True, width=320),
                column("State", "status", Kind.STATE),
                column("Taken by the mail server", "sent_at", Kind.MOMENT),
            ],
            key=f"{key}_mails",
        )
    else:
        st.caption("None so far.")
    st.markdown("**Sign-ins**")
    if view.sign_ins:
        tables.show(
            view.sign_ins,
            [
                column("When", "at", Kind.MOMENT, key=True),
                column("From", "from_where"),
                column("Outcome", "outcome", Kind.STATE, key=True),
            ],
            key=f"{key}_sign_ins",
        )
    else:
        st.caption("None so far.")
