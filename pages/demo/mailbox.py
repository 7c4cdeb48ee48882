"""The mails and codes of a demo bank, open to everybody. Any other bank has no such page."""

import re
from typing import Final

import streamlit as st

from bank.core import outbox
from bank.core.desk import Desk
from bank.core.outbox import MessageCard
from bank.core.permissions import Permission
from bank.people import demo
from pages.parts import ui, words

desk = ui.enter(
    Permission.DEMO_VIEW,
    title="Demo mailbox",
    context="This is a demo bank. In a real one, each of these reaches one person alone.",
)

REFRESHED_EVERY_SECONDS: Final = 3
CODE: Final = re.compile(r"^Your code: (\d{6})$", re.MULTILINE)


def large_code(code: str, key: str) -> None:
    """A code to be read across the room, with a button that copies it."""
    with st.container(key=f"large_code_{key}"):
        st.code(code, language=None)


@ui.live(REFRESHED_EVERY_SECONDS, Permission.DEMO_VIEW)
def devices(desk: Desk) -> None:
    """What each employee's authenticator app shows now."""
    shown = [person for person in demo.demo_codes(desk, customers=0) if person.code]
    if not shown:
        ui.empty("No device yet.", "It appears when an employee signs in for the first time.")
        return
    with st.grid(min_column_width=240):
        for person in shown:
            with st.container(border=True, gap="xsmall"):
                role = words.role_name(person.role)
                st.markdown(f"**{role}**, {words.plain(person.username)}")
                large_code(person.code, person.username)
                st.caption(f"{person.seconds_left} seconds left")


@ui.live(REFRESHED_EVERY_SECONDS, Permission.DEMO_VIEW)
def mails(desk: Desk, wanted: str) -> None:
    """The latest mails, newest first."""
    found = [mail for mail in outbox.messages(desk) if wanted.casefold() in mail.recipient]
    if not found:
        ui.empty(
            "No mail yet." if not wanted else f"No mail to {wanted}.",
            "Sign in, or move money: what the bank writes to people appears here at once.",
        )
    for mail in found:
        one(desk, mail)


def one(desk: Desk, mail: MessageCard) -> None:
    """One mail: whom it is for, its code in large, its text to unfold."""
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"**{words.plain(mail.subject)}** {words.badge(mail.status.value)}")
        when = words.age(mail.queued_at, desk.bank.clock.now())
        st.caption(f"To {words.plain(mail.recipient)}, {when}")
        if code := CODE.search(mail.body):
            large_code(code[1], str(mail.id))
        with st.expander("Read the mail"):
            st.text(mail.body)


st.caption(
    f"Everybody's password is `{demo.PASSWORD}`, every customer's transaction password "
    f"`{demo.TRANSACTION_PASSWORD}`."
)
by_mail, by_device = st.tabs(["Mails", "Devices of employees"])
with by_mail:
    mails(st.text_input("Only mails to", key="mailbox_to", placeholder="part of an address"))
with by_device:
    devices()
