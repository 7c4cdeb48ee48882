"""streamlit-authenticator draws the password form; everything it is weak at is the bank's own."""

from typing import Any

import pytest
import streamlit_authenticator as stauth
from streamlit.testing.v1 import AppTest
from streamlit_authenticator.views import authentication_view

from bank.core.desk import Bank
from bank.people import sign_in as door
from bank.people.attempts import SignInStatus
from bank.people.sessions import Found, SessionStatus
from bank.web import CUT_SHORT
from pages.parts import sign_in
from tests.support import people
from tests.support.apptest import Pages, words_of


def front_door(pages: Pages, bank: Bank) -> AppTest:
    """The sign-in page, as somebody finds it who comes from outside."""
    return pages.home(people.guest(bank))


def type_in(page: AppTest, username: str, password: str) -> AppTest:
    """Fill the form and press its button."""
    page.text_input(sign_in.USERNAME).input(username)
    page.text_input(sign_in.PASSWORD).input(password)
    return next(button for button in page.button if button.label == "Sign in").click().run()


@pytest.mark.feature("A1.19")
def test_the_form_is_its_own_and_does_nothing_but_ask(
    pages: Pages, sqlite_bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sign_in.BankAuthenticate.login is stauth.Authenticate.login
    slept: list[float] = []
    monkeypatch.setattr(authentication_view.time, "sleep", slept.append)
    page = front_door(pages, sqlite_bank)
    assert not page.exception
    assert [field.label for field in page.text_input] == ["User name", "Password"]
    assert [field.proto.autocomplete for field in page.text_input] == [
        "username",
        "current-password",
    ]
    assert max(slept) < 0.1, "it would sleep 0.7 seconds in every run"
    assert not page.get("component_instance"), "no script of its sets a cookie"
    for kept in ("authentication_status", "username", "name", "email", "roles"):
        assert kept not in page.session_state


@pytest.mark.feature("A1.4", "A1.19")
def test_a_wrong_password_and_an_unknown_name_read_the_same(
    pages: Pages, sqlite_bank: Bank, cheap_bcrypt: None
) -> None:
    asha = people.customer(sqlite_bank)
    said = []
    for username, password in (
        (asha.username, "wrong"),
        ("nobody", "wrong"),
        ("", ""),
        (asha.username, "x" * 5_000),
        ("**bold** https://evil.example", "ü" * 60),
    ):
        page = type_in(front_door(pages, sqlite_bank), username, password)
        assert not page.exception
        assert page.text_input(sign_in.USERNAME).value == username
        assert page.text_input(sign_in.PASSWORD).value == "", "a refused password is emptied"
        said.append([error.value for error in page.error])
    assert len(said[0]) == 1
    assert said.count(said[0]) == len(said)


@pytest.mark.feature("A1.8")
@pytest.mark.parametrize(
    ("because", "told"),
    [
        ("revoked", "ended from another browser"),
        ("expired", "one working day"),
        ("password_changed", "password was changed"),
        ("something new", "The bank has ended this session"),
    ],
)
def test_whoever_was_inside_is_told_why_not_any_more(
    pages: Pages, sqlite_bank: Bank, because: str, told: str
) -> None:
    gone = Found(state=SessionStatus.ENDED, ended_because=because)
    page = pages.home(people.guest(sqlite_bank), found=gone)
    assert told in page.info[0].value
    page = pages.home(people.guest(sqlite_bank), found=Found(state=SessionStatus.ENDED))
    assert not page.info


@pytest.mark.feature("A1.8")
def test_a_ticket_that_was_void_is_told_once(pages: Pages, sqlite_bank: Bank) -> None:
    page = front_door(pages, sqlite_bank)
    page.query_params[CUT_SHORT] = "1"
    page.run()
    assert "was cut" in page.info[0].value
    page.run()
    assert not page.info


@pytest.mark.feature("A1.4", "A1.5", "A1.9")
def test_the_steps_follow_each_other(pages: Pages, sqlite_bank: Bank, cheap_bcrypt: None) -> None:
    asha = people.customer(sqlite_bank, "asha.rao@example.com", must_change_password=True)
    page = type_in(front_door(pages, sqlite_bank), f"  {asha.username.upper()} ", asha.password)
    assert "code is on its way" in words_of(page)
    assert sign_in.PASSWORD not in page.session_state
    page.button("sign_in_another").click().run()
    assert "Wait half a minute" in page.error[0].value

    right = people.mailed_code(sqlite_bank, asha)
    page.text_input("sign_in_code_typed_secret").input(people.wrong_code(right).reveal())
    page = next(b for b in page.button if b.label == "Confirm code").click().run()
    assert page.error[0].value.startswith(r"**One\-time code:**")
    spaced = f"{right.reveal()[:3]} {right.reveal()[3:]}"
    page.text_input("sign_in_code_typed_secret").input(spaced)
    page = next(b for b in page.button if b.label == "Confirm code").click().run()
    assert "temporary" in words_of(page)
    assert page.session_state[sign_in.STEP].due is SignInStatus.PASSWORD_DUE

    page.button("sign_in_again").click().run()
    assert sign_in.STEP not in page.session_state
    assert [field.label for field in page.text_input] == ["User name", "Password"]


@pytest.mark.feature("A1.9")
def test_a_sign_in_that_took_too_long_starts_again(
    pages: Pages, sqlite_bank: Bank, cheap_bcrypt: None
) -> None:
    asha = people.customer(sqlite_bank)
    page = type_in(front_door(pages, sqlite_bank), asha.username, asha.password)
    people.later(sqlite_bank, hours=1)
    page.text_input("sign_in_code_typed_secret").input("123456")
    page = next(b for b in page.button if b.label == "Confirm code").click().run()
    assert not page.exception
    assert "took too long" in page.info[0].value
    assert [field.label for field in page.text_input] == ["User name", "Password"]


@pytest.mark.feature("A1.19")
def test_a_password_reaches_the_bank_as_it_was_typed(
    pages: Pages, sqlite_bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def enter_password(_desk: Any, _name: Any, password: Any, _agent: str) -> Any:
        seen.append(password.reveal())
        raise door.TicketVoid

    monkeypatch.setattr(door, "enter_password", enter_password)
    type_in(front_door(pages, sqlite_bank), "asha", "  with blanks ")
    assert seen == ["  with blanks "]
