"""What an activation link leads to: its person, and nobody else, chooses a password here."""

import streamlit as st

from bank.core.errors import BankError
from bank.core.permissions import Permission
from bank.core.secrets import Secret
from bank.people import activations
from pages.parts import forms, sign_in, tables, ui, words

desk = ui.enter(Permission.SIGN_IN, title="Choose your password", context="")

TOKEN = "activate_token"  # noqa: S105 - a key of the session's state
DONE = "activate_done"

if "token" in st.query_params:
    # Out of the address line, where shoulders and histories could read it.
    st.session_state[TOKEN] = Secret(st.query_params["token"])
    del st.query_params["token"]
token: Secret | None = st.session_state.get(TOKEN)

with st.container(width=440):
    if username := st.session_state.get(DONE):
        st.success(f"Your password is set. Sign in as {words.plain(username)}.")
        st.caption("The first sign-in also sets up the device that shows your one-time codes.")
        if st.button("Sign in", type="primary", key="activate_sign_in"):
            sign_in.leave("/")
        st.stop()
    if token is None:
        ui.empty(
            "There is no link to follow here.",
            "Open the link in the mail that the bank has sent you once more.",
        )
        st.stop()
    try:
        invited = activations.invitation(desk, token)
    except BankError as refusal:
        st.session_state.pop(TOKEN)
        st.error(words.plain(str(refusal)))
        if st.button("Go to sign-in", key="activate_leave"):
            sign_in.leave("/")
        st.stop()
    st.write(f"Welcome, {words.plain(invited.name)}. Nobody at the bank will know your password.")
    tables.facts(
        {"User name": invited.username, "The link works until": words.moment(invited.expires_at)}
    )
    with st.form("activate", border=False):
        new, again = forms.new_password_inputs(prefix="activate")
        asked = st.form_submit_button("Choose password", type="primary", width="stretch")
    if asked:
        with ui.attempt(labels=forms.PASSWORD_LABELS):
            st.session_state[DONE] = activations.activate(desk, token, forms.same_twice(new, again))
            forms.forget("activate_new")
            st.session_state.pop(TOKEN)
            st.rerun()
