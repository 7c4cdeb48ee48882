"""Forms that move money or change something: fill, preview, confirm, receipt.

    FILL --check--> PREVIEW --confirm--> DONE --do another--> FILL
      ^----change-----' `--> WAITS ------^

One request id belongs to one walk through these steps, so a click that arrives twice does one
thing. Inputs take `key=slip.field("amount")` and `persist_state="page"`: what was typed is still
there after "Change".
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final, Generic, NoReturn, TypeVar, cast

import streamlit as st

from bank.book.drafts import FIRST_DAY
from bank.core import money
from bank.core.errors import BadInput
from bank.core.secrets import Secret
from bank.people.codes import TotpOffer
from pages.parts import tables, ui, words

# How a form names the fields that the bank's refusals are about.
PASSWORD_LABELS: Final = {
    "again": "New password again",
    "code": "One-time code",
    "current": "Current password",
    "new": "New password",
    "old_code": "Code of the device in use",
    "password": "Password",
}
DAY_WIDTH: Final = 220  # pixels: a date needs no more


# In the key of every input that takes a password or a code. What carries it is never kept.
SECRET: Final = "secret"  # noqa: S105 - a mark, not a secret
D = TypeVar("D")
R = TypeVar("R")


class Step(StrEnum):
    """Where a slip is."""

    FILL = "fill"
    PREVIEW = "preview"
    WAITS = "waits"  # for a second person
    DONE = "done"


class Slip(Generic[D, R]):
    """One form on its way, kept in the session's state under `name`.

    D is what the person asks for (the draft), R what the bank answers (the receipt). `owner` is
    the thing the form is about, e.g. an order's id: another owner is another slip, so a form never
    acts on a row it was not drawn for.
    """

    def __init__(self, name: str, owner: object = "") -> None:
        self.name: Final = f"{name}_{owner}" if owner != "" else name

    @property
    def step(self) -> Step:
        """The step to draw now."""
        return cast(Step, st.session_state.get(f"{self.name}_step", Step.FILL))

    @property
    def request_id(self) -> str:
        """The same id from the first drawing until the receipt."""
        return ui.request_id(self.name)

    @property
    def draft(self) -> D:
        """What `preview` was given."""
        return cast(D, st.session_state[f"{self.name}_draft"])

    @property
    def receipt(self) -> R:
        """What `finish` was given."""
        return cast(R, st.session_state[f"{self.name}_receipt"])

    @property
    def approval_id(self) -> int:
        """What `wait` was given."""
        return cast(int, st.session_state[f"{self.name}_approval_id"])

    def field(self, label: str) -> str:
        """The key of an input of this slip."""
        return f"{self.name}_{label}"

    def preview(self, draft: D) -> NoReturn:
        """The draft is complete: show it to be confirmed."""
        self._go(Step.PREVIEW, draft=draft)

    def change(self) -> NoReturn:
        """Back to the form, with what was typed."""
        self._go(Step.FILL)

    def wait(self, approval_id: int) -> NoReturn:
        """A second person must agree: the request stays the same until they have."""
        self._go(Step.WAITS, approval_id=approval_id)

    def finish(self, receipt: R) -> NoReturn:
        """It is done: show the receipt. The next slip gets a new request id."""
        ui.renew(self.name)
        self._go(Step.DONE, receipt=receipt)

    def again(self) -> NoReturn:
        """An empty form for the next one."""
        self.clear()
        st.rerun()

    def clear(self) -> None:
        """Forget everything typed, drafted and answered."""
        forget(f"{self.name}_")

    def _go(self, step: Step, **values: object) -> NoReturn:
        st.session_state[f"{self.name}_step"] = step
        for name, value in values.items():
            st.session_state[f"{self.name}_{name}"] = value
        st.rerun()


@dataclass(frozen=True, kw_only=True)
class File:
    """A download offered on a receipt; `make` runs when it is clicked, with a fresh desk."""

    label: str
    make: Any  # Callable[[Desk], bytes]
    permission: Any  # Permission
    file_name: str
    mime: str = "application/pdf"


def amount_input(
    label: str,
    *,
    key: str,
    currency: str = money.HOME,
    help: str = "",
    may_be_zero: bool = False,
) -> str:
    """An input for an amount, with the amount in words below. Returns the text as typed.

    Turn it into minor units with `money.parse(text, field=...)` inside `ui.attempt`, which names
    the field when the text is no amount. `5k` and `1.5L` are understood.
    """
    text = st.text_input(
        label,
        key=key,
        persist_state="page",
        placeholder="0.00",
        icon=":material/currency_rupee:" if currency == money.HOME else None,
        help=help or "Figures, or short: 5k is 5,000 and 1.5L is 1,50,000.",
        autocomplete="off",
    )
    echo(text, currency, may_be_zero=may_be_zero)
    return text or ""


def day_input(
    label: str,
    value: date | None = None,
    *,
    key: str,
    last: date,
    first: date = FIRST_DAY,
    help: str | None = None,
    **kept: Any,
) -> date | None:
    """An input for one day from `first` to `last`, as narrow as a date; None while it is empty.

    Books that a bank brings with it are older than the ten years that Streamlit offers by itself.
    """
    chosen: date | None = st.date_input(
        label,
        value,
        min_value=first,
        max_value=last,
        format="DD/MM/YYYY",
        help=help,
        key=key,
        width=DAY_WIDTH,
        **kept,
    )
    return chosen


def days_input(
    label: str, start: date, end: date, *, key: str, last: date, **kept: Any
) -> Sequence[date]:
    """An input for a stretch of days; one day, or none, while it is being chosen."""
    chosen: Sequence[date] = st.date_input(
        label,
        (start, end),
        min_value=FIRST_DAY,
        max_value=last,
        format="DD/MM/YYYY",
        key=key,
        **kept,
    )
    return chosen


def secret_key(key: str) -> str:
    """The key of an input for something secret, with the mark by which it is known as one."""
    return key if SECRET in key else f"{key}_{SECRET}"


def code_input(label: str, *, key: str, or_backup: bool = False) -> str:
    """An input for a one-time code of six digits, or for a backup code; blanks do not matter."""
    text = st.text_input(
        label,
        key=secret_key(key),
        max_chars=12 if or_backup else 8,
        autocomplete="one-time-code",
        placeholder="6 digits, or a backup code" if or_backup else "6 digits",
    )
    return "".join((text or "").split())


def password_input(label: str, *, key: str, new: bool = False) -> Secret:
    """An input for a password, known to password managers as the current or a new one."""
    text = st.text_input(
        label,
        type="password",
        key=secret_key(key),
        autocomplete="new-password" if new else "current-password",
    )
    return Secret(text or "")


def new_password_inputs(*, prefix: str, label: str = "New password") -> tuple[Secret, Secret]:
    """Two inputs for a new password, which `same_twice` compares."""
    new = password_input(label, key=f"{prefix}_new", new=True)
    st.caption("A few words in a row are easy to remember and hard to guess.")
    return new, password_input(f"{label} again", key=f"{prefix}_new_again", new=True)


def same_twice(new: Secret, again: Secret) -> Secret:
    """The new password, if it was typed the same both times; else BadInput(again)."""
    if new != again:
        raise BadInput("The two passwords differ. Type the new one twice.", field="again")
    return new


def forget(prefix: str) -> None:
    """Forget what was typed in a form that is done, its secrets first of all."""
    for key in [key for key in st.session_state if str(key).startswith(prefix)]:
        del st.session_state[key]


def still_seen(name: str, seen: object, said: str) -> None:
    """Warn when what a form was drawn for (`seen`, e.g. the id of the act before) is another now.

    Days and buttons of such a form carry it in their keys, so a click on what stood there does
    nothing; this says why. Whoever has acted themselves calls `seen_anew`.
    """
    if st.session_state.setdefault(f"{name}_seen", seen) != seen:
        st.session_state[f"{name}_seen"] = seen
        st.warning(said)


def seen_anew(name: str) -> None:
    """What one has done oneself is no news."""
    st.session_state.pop(f"{name}_seen", None)


def device(offer: TotpOffer) -> None:
    """A key for an authenticator app: as a picture to scan, and as text to type."""
    st.image(offer.svg.decode(), width=220, alt="QR code for your authenticator app")
    st.caption("No camera? Type this key into the app instead:")
    st.code(offer.key.reveal(), language=None, wrap_lines=True)


def echo(text: str | None, currency: str = money.HOME, *, may_be_zero: bool = False) -> None:
    """The amount that `text` means, in figures and words, or why it means none."""
    # The place is there from the start: columns that move down are built anew in the browser, and
    # what a fast hand has begun to type in them is lost.
    place = st.empty()
    if not text:
        return
    try:
        amount = money.parse(text, currency=currency, may_be_zero=may_be_zero)
    except BadInput as wrong:
        place.caption(f":{words.Tone.DANGER}[{words.plain(str(wrong))}]")
    else:
        place.caption(f"{money.show(amount, currency)}: {money.in_words(amount, currency)}")


def confirm(
    slip: Slip[Any, Any],
    *,
    title: str,
    facts: Mapping[str, str],
    action: str,
    amount_minor: int | None = None,
    currency: str = money.HOME,
    proofs: Callable[[], None] | None = None,
) -> bool:
    """Draw the preview of a slip; True when the person confirmed it just now.

    `action` names the button by its verb ("Deposit ₹ 500.00"). `proofs` draws what else belongs to
    confirming (transaction password, code), between the facts and the button.
    """
    ui.request_id(slip.name)  # minted when the button is drawn: every click on it is one request
    with st.container(border=True):
        st.header(title)
        if amount_minor is not None:
            amount_line(amount_minor, currency)
        tables.facts(facts)
        if proofs is not None:
            proofs()
        with st.container(horizontal=True):
            confirmed = st.button(action, type="primary", key=f"{slip.name}_confirm")
            if st.button("Change", type="tertiary", key=f"{slip.name}_back"):
                slip.change()
    return confirmed


def amount_line(amount_minor: int, currency: str = money.HOME) -> None:
    """An amount large, and in words below it."""
    st.markdown(f"### {money.show(amount_minor, currency)}")
    st.caption(money.in_words(amount_minor, currency))


def receipt(
    slip: Slip[Any, Any],
    *,
    done: str,
    reference: str,
    facts: Mapping[str, str],
    files: Sequence[File] = (),
    another: str = "Do another",
) -> None:
    """What was done, its reference large and ready to copy, the papers, and the next one."""
    with st.container(border=True):
        st.success(words.plain(done), icon=":material/check_circle:")
        st.caption("Reference")
        with st.container(key=f"large_code_{slip.name}"):
            st.code(reference, language=None, wrap_lines=True)
        tables.facts(facts)
        with st.container(horizontal=True):
            for number, file in enumerate(files):
                ui.download(
                    file.label,
                    file.make,
                    permission=file.permission,
                    file_name=file.file_name,
                    mime=file.mime,
                    key=f"{slip.name}_file_{number}",
                )
            if st.button(another, type="primary", key=f"{slip.name}_another"):
                slip.again()
