"""Signing in: password, one-time code, perhaps a new password, then through /auth/open.

The only file that knows streamlit-authenticator. It draws the password form; everything behind the
form is the bank's own (`bank.people.sign_in`): no dict of users, no cookie set by a script, no
token that outlives a sign-out, no counters in memory.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, NoReturn
from urllib.parse import urlencode

import streamlit as st
import streamlit_authenticator as stauth
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit_authenticator.views import authentication_view

from bank.core.desk import Desk
from bank.core.errors import BankError
from bank.core.permissions import Role
from bank.core.secrets import Secret
from bank.people import demo, sign_in
from bank.people.attempts import SignInOver, SignInStatus
from bank.people.demo import DemoPerson
from bank.people.sign_in import Step
from bank.web import CUT_SHORT, XSRF_COOKIE, binding_of
from pages.parts import forms, ui, visitor, words

STEP: Final = "sign_in_step"
REFUSED: Final = "sign_in_refused"
USERNAME: Final = "sign_in_username"
PASSWORD: Final = "sign_in_password"  # noqa: S105 - the key of an input
SPENT: Final = "sign_in_spent"  # a refused password: emptied before the form is drawn again
FIELDS: Final = {
    "Form name": "Your user name and password",
    "Username": "User name",
    "Password": "Password",
    "Login": "Sign in",
}


class _Form:
    """The form streamlit-authenticator draws on, with what its inputs lack.

    Keys, so that the demo people can fill in their name and a refused password can be emptied; and
    the autocomplete words by which a password manager knows the fields.
    """

    def __init__(self, form: Any) -> None:
        self._form = form

    def text_input(self, label: str, type: str = "default", **_options: Any) -> Any:
        """The user name, or the password."""
        secret = type == "password"
        return self._form.text_input(
            label,
            type=type,
            key=PASSWORD if secret else USERNAME,
            autocomplete="current-password" if secret else "username",
        )

    def subheader(self, label: str) -> None:
        """The form's heading, one level below the page's title."""
        self._form.header(label)

    def form_submit_button(self, label: str) -> bool:
        """The one primary action of the page."""
        return bool(self._form.form_submit_button(label, type="primary", width="stretch"))


class _Stage:
    """Streamlit, as streamlit-authenticator's view sees it."""

    def form(self, key: str, clear_on_submit: bool = False) -> _Form:
        """The form, with what its inputs lack."""
        return _Form(st.form(key=key, clear_on_submit=clear_on_submit))

    def __getattr__(self, name: str) -> Any:
        return getattr(st, name)


authentication_view.st = _Stage()


class _Door:
    """What streamlit-authenticator calls its controller: here it asks the bank."""

    def login(self, username: str = "", password: str = "", *_args: Any, **_options: Any) -> bool:
        """Check the password; the step that follows is kept for the next drawing."""
        st.session_state.pop(REFUSED, None)
        try:
            step = sign_in.enter_password(
                visitor.desk(), Secret(username or ""), Secret(password or ""), visitor.agent()
            )
        except BankError as refusal:
            st.session_state[REFUSED] = str(refusal)
            st.session_state[SPENT] = True
            return False
        st.session_state[STEP] = step
        return True


class _NoCookies:
    """The bank sets its cookie in an answer of the server, where no script can read it."""

    def get_cookie(self) -> None:
        """There is none to sign in by."""

    def set_cookie(self) -> None:
        """Left to /auth/open."""

    def delete_cookie(self) -> None:
        """Left to /auth/close."""


class BankAuthenticate(stauth.Authenticate):  # type: ignore[misc]
    """streamlit-authenticator's password form in front of the bank's own sign-in."""

    def __init__(self) -> None:
        # Not super().__init__: it loads every user, and a component that sets cookies by script.
        self.path = self.api_key = None
        self.secret_key = ""
        self.attrs = {"login_sleep_time": 0}  # it would sleep 0.7 s in every run
        self.cookie_controller = _NoCookies()
        self.authentication_controller = _Door()


def page() -> None:
    """The page of everybody who is not signed in."""
    desk = visitor.desk()
    _, middle, _ = st.columns([1, 2, 1], gap=None)
    with middle, st.container(width=440):
        st.title("Sign in")
        if message := st.session_state.pop(ui.FLASH, None):
            st.info(words.plain(" ".join(message)))
        elif why := _why_outside():
            st.info(words.plain(why))
        step: Step | None = st.session_state.get(STEP)
        if step is None:
            _password(desk)
        else:
            _next(desk, step)


def leave(address: str, **parameters: str) -> NoReturn:
    """Send the browser to an address of this server, as a whole page.

    With the message Streamlit's own log-in uses; a script in the page is what the content policy
    forbids.
    """
    message = ForwardMsg()
    message.auth_redirect.url = address + (f"?{urlencode(parameters)}" if parameters else "")
    context = get_script_run_ctx()
    assert context is not None, "a page runs inside Streamlit"
    context.enqueue(message)
    st.stop()


def _why_outside() -> str:
    """Why somebody finds themselves at the door who was inside, or on the way in."""
    if st.session_state.get(STEP) is not None:
        return ""
    if CUT_SHORT in st.query_params:
        del st.query_params[CUT_SHORT]
        return " ".join((sign_in.TicketVoid.__doc__ or "").split())
    because = visitor.found(awake=False).ended_because
    return words.ENDED.get(because, words.ENDED_BY_THE_BANK) if because else ""


def _password(desk: Desk) -> None:
    if st.session_state.pop(SPENT, False):
        st.session_state[PASSWORD] = ""
    BankAuthenticate().login(fields=FIELDS, key="sign_in")
    if STEP in st.session_state or st.session_state.get(SPENT):
        st.rerun()
    if refusal := st.session_state.get(REFUSED):
        st.error(words.plain(refusal))
    if desk.bank.is_demo:
        _demo_people(desk)


def _demo_people(desk: Desk) -> None:
    first: dict[Role, DemoPerson] = {}
    for person in demo.demo_codes(desk, customers=1):
        first.setdefault(person.role, person)
    with st.container(border=True):
        st.markdown(
            f"**This is a demo bank.** Everybody's password is `{demo.PASSWORD}`. Payments ask for "
            f"the transaction password, too: `{demo.TRANSACTION_PASSWORD}`."
        )
        st.caption("Choose who to be. The one-time code then arrives in the Demo mailbox.")
        with st.container(horizontal=True, gap="small"):
            for role, person in sorted(first.items(), key=lambda pair: list(Role).index(pair[0])):
                st.button(
                    words.role_name(role),
                    key=f"demo_{person.username}",
                    help=f"{person.name}, user name {person.username}",
                    on_click=_fill_in,
                    args=[person.username],
                )
        st.page_link("pages/demo/mailbox.py", label="Demo mailbox", icon=":material/mail:")


def _fill_in(username: str) -> None:
    st.session_state[USERNAME] = username
    st.session_state[PASSWORD] = demo.PASSWORD
    st.session_state.pop(REFUSED, None)


def _next(desk: Desk, step: Step) -> None:
    match step.due:
        case SignInStatus.CODE_DUE:
            _code(desk, step)
        case SignInStatus.SET_UP_DUE:
            _set_up(desk, step)
        case SignInStatus.PASSWORD_DUE:
            _new_password(desk, step)
        case _:
            _open(desk, step)
    if st.button("Start again", type="tertiary", key="sign_in_again"):
        start_again()


@contextmanager
def _attempt(labels: Mapping[str, str] | None = None) -> Iterator[None]:
    """Like `ui.attempt`; a sign-in that is over starts again and says why."""
    with ui.attempt(labels=labels):
        try:
            yield
        except SignInOver as over:
            start_again(str(over))


def start_again(message: str = "") -> NoReturn:
    """Forget how far this sign-in has come."""
    for key in [key for key in st.session_state if str(key).startswith("sign_in_")]:
        del st.session_state[key]
    if message:
        ui.flash(message)
    st.rerun()


def _code(desk: Desk, step: Step) -> None:
    if step.sent_to:
        st.write(
            f"Hello {words.plain(step.name)}. A code is on its way to {words.plain(step.sent_to)}."
        )
    else:
        st.write(f"Hello {words.plain(step.name)}. Type the code your authenticator app shows.")
    _ask_code(desk, step, "Confirm code")
    if step.sent_to and st.button("Send another code", key="sign_in_another"):
        with _attempt():
            sign_in.send_another_code(desk, step.token)
            st.info("Another code is on its way. The one before no longer works.")


def _set_up(desk: Desk, step: Step) -> None:
    st.write(
        f"Welcome, {words.plain(step.name)}. Signing in takes a code from an authenticator app on "
        "your phone. Set it up once: scan this, then type the code it shows."
    )
    with _attempt():
        forms.device(sign_in.device_offer(desk, step.token))
    _ask_code(desk, step, "Confirm device")


def _ask_code(desk: Desk, step: Step, action: str) -> None:
    with st.form("sign_in_code", border=False):
        by_device = step.due is SignInStatus.CODE_DUE and not step.sent_to
        code = forms.code_input("One-time code", key="sign_in_code_typed", or_backup=by_device)
        confirmed = st.form_submit_button(action, type="primary", width="stretch")
    if confirmed:
        with _attempt({"code": "One-time code"}):
            _go_on(sign_in.enter_code(desk, step.token, Secret(code)))


def _new_password(desk: Desk, step: Step) -> None:
    st.write("Your password is a temporary one. Choose your own to go on.")
    with st.form("sign_in_new_password", border=False):
        new, again = forms.new_password_inputs(prefix="sign_in")
        confirmed = st.form_submit_button("Choose password", type="primary", width="stretch")
    if confirmed:
        with _attempt(forms.PASSWORD_LABELS):
            _go_on(sign_in.choose_password(desk, step.token, forms.same_twice(new, again)))


def _go_on(step: Step) -> NoReturn:
    st.session_state[STEP] = step
    st.rerun()


def _open(desk: Desk, step: Step) -> None:
    with _attempt():
        binding = binding_of(st.context.cookies.get(XSRF_COOKIE, ""))
        ticket = sign_in.take_ticket(desk, step.token, Secret(binding))
        for key in [key for key in st.session_state if str(key).startswith("sign_in_")]:
            del st.session_state[key]
        leave("/auth/open", ticket=ticket.reveal(), to=visitor.requested_page())
