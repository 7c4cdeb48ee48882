"""Everybody's own proofs: passwords, the device for one-time codes, sessions, sign-in history."""

from collections.abc import Callable
from typing import Final

import streamlit as st

from bank.core.desk import Desk
from bank.core.permissions import STAFF, Permission
from bank.core.secrets import Secret
from bank.people import attempts, credentials, sessions
from pages.parts import forms, tables, ui, words
from pages.parts.tables import Kind, column

desk = ui.enter(Permission.SESSION_KEEP, title="Security")

NARROW: Final = 560  # pixels: an input is no wider than what belongs into it


def password() -> None:
    """Change the password to sign in."""
    st.write("Changing it signs you out everywhere else.")
    with st.form("security_password", border=False):
        current = forms.password_input("Current password", key="security_password_current")
        new, again = forms.new_password_inputs(prefix="security_password")
        asked = st.form_submit_button("Change password", type="primary")
    if asked:
        with ui.attempt("Your password is changed.", labels=forms.PASSWORD_LABELS):
            credentials.change_password(desk, current, forms.same_twice(new, again))
            forms.forget("security_password")


def transaction_password() -> None:
    """Choose the second password, which payments ask for."""
    known = credentials.own_proofs(desk)
    st.write(
        "Payments ask for this second password and a one-time code. "
        + ("You have one." if known.has_transaction_password else "You have none yet.")
    )
    forgotten = known.has_transaction_password and st.checkbox(
        "I have forgotten it", key="security_forgotten", persist_state="page"
    )
    by_mail = forgotten or not known.has_transaction_password
    if by_mail:
        st.caption(
            "Set this way, it pays from tomorrow on: a day for you to notice, should it be "
            "somebody else who sets it."
        )
        send_code(known.mail_to, credentials.request_security_code, key="security_send_code")
    with st.form("security_transaction", border=False):
        password = forms.password_input("Password", key="security_transaction_password")
        if by_mail:
            code, old = forms.code_input("One-time code", key="security_transaction_code"), None
        else:
            code = ""
            old = forms.password_input(
                "Transaction password in use", key="security_transaction_old"
            )
        new, again = forms.new_password_inputs(
            prefix="security_transaction", label="New transaction password"
        )
        asked = st.form_submit_button("Set transaction password", type="primary")
    if asked:
        labels = forms.PASSWORD_LABELS | {
            "new": "New transaction password",
            "old": "Transaction password in use",
        }
        with ui.attempt("Your transaction password is set.", labels=labels):
            credentials.set_transaction_password(
                desk, password, Secret(code), forms.same_twice(new, again), old
            )
            forms.forget("security_transaction")


def send_code(mail_to: str, send: Callable[[Desk], None], *, key: str) -> None:
    """A button that mails a code, and to where."""
    st.caption(f"Codes go to {words.plain(mail_to)}.")
    if st.button("Send code", key=key):
        with ui.attempt("A code is on its way."):
            send(desk)


def device() -> None:
    """Set up an authenticator app, or move to another one."""
    offer = st.session_state.get("security_device_offer")
    if offer is None:
        st.write(
            "An authenticator app on your phone shows the one-time codes."
            if desk.role in STAFF
            else "An authenticator app on your phone can show the codes to sign in, in place of a "
            "mail. Payments keep asking for the code that names payee and amount."
        )
        if st.button("Set up a device", key="security_device_begin"):
            with ui.attempt():
                st.session_state["security_device_offer"] = credentials.offer_device(desk)
                st.rerun()
        return
    known = credentials.own_proofs(desk)
    st.write("Scan this with the new device, then type the code it shows.")
    forms.device(offer)
    if not known.has_device:
        send_code(known.mail_to, credentials.request_device_code, key="security_device_send")
    with st.form("security_device", border=False):
        password = forms.password_input("Password", key="security_device_password")
        code = forms.code_input("Code of the new device", key="security_device_code")
        other = "Code of the device in use" if known.has_device else "Code from the mail"
        proof = Secret(
            forms.code_input(other, key="security_device_other_code", or_backup=known.has_device)
        )
        asked = st.form_submit_button("Confirm device", type="primary")
    if asked:
        labels = forms.PASSWORD_LABELS | {
            "code": "Code of the new device",
            "mailed": "Code from the mail",
        }
        with ui.attempt("The new device is in use.", labels=labels):
            credentials.confirm_device(
                desk,
                password,
                Secret(code),
                proof if known.has_device else None,
                None if known.has_device else proof,
            )
            forms.forget("security_device")
    if st.button("Stop", key="security_stop", type="tertiary"):
        forms.forget("security_device")
        st.rerun()


@ui.guarded(Permission.SESSION_KEEP)
def end(desk: Desk, session_id: int) -> None:
    """End one session, as the click comes in."""
    with ui.attempt():
        sessions.end_session(desk, session_id)
        ui.flash("That session is ended.")


@ui.guarded(Permission.SESSION_KEEP)
def end_all(desk: Desk) -> None:
    """End every session of this person, this one too."""
    with ui.attempt():
        sessions.sign_out_everywhere(desk)


def backup_codes() -> None:
    """Codes on paper for the day the device is lost."""
    left = credentials.backup_codes_left(desk)
    st.header("Backup codes")
    if left is None:
        st.caption("They stand in for a device. Set one up first.")
        return
    made: tuple[Secret, ...] | None = st.session_state.get("security_backup_made")
    if made:
        st.write("Print or copy them now: they are not shown again. Each works once.")
        st.code("\n".join(code.reveal() for code in made), language=None)
        if st.button("I have kept them", key="security_backup_kept"):
            del st.session_state["security_backup_made"]
            st.rerun()
        return
    st.write(
        f"When your device is lost, a code from paper lets you in. You have {left} left."
        if left
        else "When your device is lost, a code from paper lets you in. You have none."
    )
    with st.form("security_backup", border=False):
        known = forms.password_input("Password", key="security_backup_password")
        asked = st.form_submit_button("Make backup codes")
        st.caption("Codes you had before no longer work then.")
    if asked:
        with ui.attempt(labels=forms.PASSWORD_LABELS):
            st.session_state["security_backup_made"] = credentials.make_backup_codes(desk, known)
            forms.forget("security_backup_password")
            st.rerun()


def where() -> None:
    """The sessions in which this person is signed in, each with its end."""
    now = desk.bank.clock.now()
    for session in sessions.own_sessions(desk):
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.markdown(
                f"**{words.plain(words.browser(session.agent))}** from "
                f"{words.plain(session.from_where or 'an unknown address')}  \n"
                f"Signed in {words.moment(session.opened_at)}, last seen "
                f"{words.age(session.last_seen_at, now)}"
            )
            if session.is_this_one:
                st.markdown(words.badge("this one", words.Tone.INFO))
            else:
                st.button(
                    "End session",
                    key=f"security_end_{session.id}",
                    on_click=end,
                    args=(session.id,),
                )
    st.button("Sign out everywhere", key="security_end_all", on_click=end_all)


def history() -> None:
    """The latest sign-ins and attempts."""
    tables.show(
        attempts.own_sign_ins(desk),
        [
            column("When", "at", Kind.MOMENT, key=True),
            column("Outcome", lambda row: words.OUTCOMES[row.outcome.value], key=True),
            column("From", "from_where"),
            column("Browser", lambda row: words.browser(row.agent)),
            column("Ended", "ended_at", Kind.MOMENT),
            column("Because", lambda row: words.sentence(row.ended_because or "")),
        ],
        key="security_history",
        file_name="sign-ins.csv",
    )


parts = {"Password": password, "Device for codes": device, "Sessions": where, "History": history}
if desk.may(Permission.OWN_MONEY_SEND):
    parts = {"Password": password, "Transaction password": transaction_password, **parts}
for tab, draw in zip(st.tabs(list(parts)), parts.values(), strict=True):
    with tab, st.container(width="stretch" if draw is history else NARROW):
        draw()
        if draw is device:
            backup_codes()
