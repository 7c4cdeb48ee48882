"""The few things every page does the same way: the door, the attempt, the message, the live part.

The desk is built again from the cookie in every rerun, fragment and callback, because Streamlit
runs the last two without Home.py: a revoked session or a changed role counts at once.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Concatenate, Final, Literal, NoReturn, ParamSpec, TypeVar

import streamlit as st

from bank.core.approvals import AwaitingApproval
from bank.core.desk import Desk
from bank.core.errors import BadInput, BankError, NotAllowed
from bank.core.ids import new_request_id
from bank.core.permissions import Permission, Role
from bank.people import doors
from pages.parts import frame, visitor, words

P = ParamSpec("P")
R = TypeVar("R")
FLASH: Final = "ui_flash"
NOT_HERE: Final = "You may not open this page. Choose a page from the menu."


def principal(*, awake: bool = True) -> Desk:
    """The desk of whoever holds the cookie of this window; a guest's desk when nobody is signed in.

    The one function that tests replace. `awake=False` looks without counting as something the
    person did: a page that refreshes itself must not keep a session from its idle lock.
    """
    return visitor.desk(awake=awake)


def enter(permission: Permission, title: str, context: str | None = None) -> Desk:
    """Open a page: refuse (and record it) unless the role may see it; then title and context.

    `context` is one line of plain text; None means branch and business date. Returns the desk.
    """
    desk = principal()
    if not desk.may(permission):
        refuse(desk, title, permission)
    st.title(title)
    line = frame.context_of(desk) if context is None else context
    if line:
        st.caption(words.plain(line))
    show_flash()
    return desk


def refuse(desk: Desk, title: str, permission: Permission) -> None:
    """Say that this page is not theirs, write it to the trail, and stop."""
    try:
        doors.turn_away(desk, title, permission.value)
    except NotAllowed as refused:
        st.title("Not available")
        st.error(NOT_HERE if desk.role is not Role.GUEST else str(refused))
    st.stop()


@contextmanager
def attempt(
    done: str | None = None, *, form: str | None = None, labels: Mapping[str, str] | None = None
) -> Iterator[None]:
    """Run verbs: then say `done` and reload, or show why the bank refused.

    `form` renews that form's request id once it is done. `labels` names a BadInput's field as the
    form does; a field without a label is shown by its own name. Without `done`, nothing reloads.
    """
    try:
        yield
    except AwaitingApproval as waits:  # no refusal: a second person is asked
        st.info(words.plain(str(waits)), icon=":material/pending_actions:")
    except BankError as refusal:
        st.error(refusal_text(refusal, labels))
    else:
        if form is not None:
            renew(form)
        if done is not None:
            flash(done)
            st.rerun()


def refusal_text(refusal: BankError, labels: Mapping[str, str] | None = None) -> str:
    """A refusal as Markdown, with the field it is about in front."""
    text = words.plain(str(refusal))
    if isinstance(refusal, BadInput) and refusal.field:
        label = (labels or {}).get(refusal.field, words.sentence(refusal.field))
        return f"**{words.plain(label)}:** {text}"
    return text


def flash(message: str) -> None:
    """Keep a message for the page that is drawn next (a toast would be lost in the rerun)."""
    st.session_state.setdefault(FLASH, []).append(message)


def show_flash() -> None:
    """Draw and forget the messages that were kept."""
    with st.container():  # always there, so that nothing below it moves (see forms.echo)
        for message in st.session_state.pop(FLASH, []):
            st.success(words.plain(message), icon=":material/check_circle:")


def go(file: str) -> NoReturn:
    """Open another page of `pages/`, or this one anew; its address is that of its own fields.

    Streamlit 1.67 refuses to clear an address that a field of the page one stands on is bound to
    (`bind="query-params"`), as `switch_page` does by itself; an empty set of parameters replaces
    it unasked (tests/browser/test_find.py would see it change). What the other page's fields shall
    hold is put into the session before.
    """
    st.switch_page(f"pages/{file}", query_params={})


def guarded(
    permission: Permission,
) -> Callable[[Callable[Concatenate[Desk, P], R]], Callable[P, R | None]]:
    """A callback (on_click, on_change) that gets a freshly built desk, or does not run at all."""

    def decorate(callback: Callable[Concatenate[Desk, P], R]) -> Callable[P, R | None]:
        @wraps(callback)
        def run(*args: P.args, **named: P.kwargs) -> R | None:
            desk = principal()
            if not desk.may(permission):
                return None  # Home.py runs next and shows where this person stands now
            return callback(desk, *args, **named)

        return run

    return decorate


def live(
    seconds: float, permission: Permission
) -> Callable[[Callable[Concatenate[Desk, P], None]], Callable[P, None]]:
    """A part of a page that draws itself again every few seconds, with a freshly built desk.

    When the session has ended or may no longer see it, the whole page is run again instead, and
    Home.py decides. Nothing in it counts as activity: put inputs outside.
    """

    def decorate(draw: Callable[Concatenate[Desk, P], None]) -> Callable[P, None]:
        @st.fragment(run_every=seconds)
        @wraps(draw)
        def fragment(*args: P.args, **named: P.kwargs) -> None:
            desk = principal(awake=False)
            if desk.may(permission):
                draw(desk, *args, **named)
            else:
                st.rerun()

        return fragment

    return decorate


def request_id(form: str) -> str:
    """The request id of a form: minted when first drawn, the same until `renew` after success."""
    minted: str = st.session_state.setdefault(f"{form}_request_id", new_request_id())
    return minted


def renew(form: str) -> None:
    """Forget the form's request id, so that the next thing done with it is a new one."""
    st.session_state.pop(f"{form}_request_id", None)


def empty(reason: str, next_step: str) -> None:
    """Say why there is nothing here and what to do next."""
    with st.container(border=True, horizontal_alignment="center"):
        st.markdown(f"**{words.plain(reason)}**", text_alignment="center")
        st.caption(words.plain(next_step), text_alignment="center")


def download(
    label: str,
    make: Callable[[Desk], bytes],
    *,
    permission: Permission,
    file_name: str,
    mime: str,
    key: str,
    look: Literal["primary", "secondary", "tertiary"] = "secondary",
) -> None:
    """A button whose file is made when it is clicked, by a desk built at that moment.

    The file belongs to the session that asked for it: no other can fetch its address.
    """
    st.download_button(
        label,
        data=visitor.later(make, permission),
        file_name=file_name,
        mime=mime,
        key=key,
        on_click="ignore",
        icon=":material/download:",
        type=look,
    )
