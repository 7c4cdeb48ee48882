"""The pages everybody has: Security, and the Demo mailbox."""

import pytest
from streamlit.testing.v1 import AppTest

from bank.core.desk import Bank
from bank.people import sessions
from pages.parts import forms
from tests.support import people
from tests.support.apptest import Pages, words_of

NEW, NEWER = "seven tall ladders", "eight wide ladders"
FILE = "every/security.py"


def press(page: AppTest, label: str) -> AppTest:
    """Press the button with this label."""
    return next(button for button in page.button if button.label == label).click().run()


def fill(page: AppTest, **typed: str) -> AppTest:
    """Type into inputs by the end of their keys."""
    for key, text in typed.items():
        page.text_input(forms.secret_key(f"security_{key}")).input(text)
    return page


@pytest.mark.feature("A1.7", "A1.8")
def test_a_changed_password_ends_the_other_sessions(
    pages: Pages, sqlite_bank: Bank, cheap_bcrypt: None
) -> None:
    ravi = people.employee(sqlite_bank)
    elsewhere = people.signed_in(sqlite_bank, ravi)
    page = pages.open(people.desk_of(sqlite_bank, ravi), FILE)
    assert not page.exception
    fill(page, password_current="wrong", password_new=NEW, password_new_again=NEW)
    press(page, "Change password")
    assert page.error[0].value.startswith("**Current password:**")
    fill(page, password_current=ravi.password, password_new=NEW, password_new_again="other")
    press(page, "Change password")
    assert page.error[0].value.startswith("**New password again:**")
    fill(page, password_new="short", password_new_again="short")
    press(page, "Change password")
    assert page.error[0].value.startswith("**New password:**")
    assert sessions.desk_for(sqlite_bank, elsewhere) is not None

    fill(page, password_new=NEW, password_new_again=NEW)
    press(page, "Change password")
    assert not page.exception
    assert page.success[0].value == r"Your password is changed\."
    assert sessions.desk_for(sqlite_bank, elsewhere) is None
    assert page.text_input(forms.secret_key("security_password_current")).value == "", (
        "nothing typed is kept"
    )
    assert people.enter_password(sqlite_bank, ravi, NEW).token


@pytest.mark.feature("A1.5", "A1.9")
def test_a_customer_sets_the_transaction_password_with_a_code(
    pages: Pages, sqlite_bank: Bank, cheap_bcrypt: None
) -> None:
    asha = people.customer(sqlite_bank, has_transaction_password=False)
    page = pages.open(people.desk_of(sqlite_bank, asha), FILE)
    assert "You have none yet" in words_of(page)
    page.button("security_send_code").click().run()
    assert page.success[0].value == r"A code is on its way\."
    code = people.mailed_code(sqlite_bank, asha)
    typed = {
        "transaction_password": asha.password,
        "transaction_new": NEW,
        "transaction_new_again": NEW,
    }
    fill(page, transaction_code=people.wrong_code(code).reveal(), **typed)
    press(page, "Set transaction password")
    assert page.error[0].value.startswith(r"**One\-time code:**")
    fill(page, transaction_code=code.reveal(), **typed)
    press(page, "Set transaction password")
    assert not page.exception
    assert page.success[0].value == r"Your transaction password is set\."
    assert "You have one" in words_of(page)

    # The next one is set with this one, or with a code by whoever has forgotten it.
    typed |= {"transaction_new": NEWER, "transaction_new_again": NEWER}
    fill(page, transaction_old="a guess at it", **typed)
    press(page, "Set transaction password")
    assert page.error[0].value.startswith("**Transaction password in use:**")
    page.checkbox("security_forgotten").check().run()
    page.button("security_send_code").click().run()
    code = people.mailed_code(sqlite_bank, asha)
    fill(page, transaction_code=code.reveal(), **typed)
    press(page, "Set transaction password")
    assert page.success[0].value == r"Your transaction password is set\."
    page.checkbox("security_forgotten").uncheck().run()
    typed |= {"transaction_new": NEW, "transaction_new_again": NEW}
    fill(page, transaction_old=NEWER, **typed)
    press(page, "Set transaction password")
    assert page.success[0].value == r"Your transaction password is set\."


@pytest.mark.feature("A1.5", "A1.9")
def test_a_customers_first_device_asks_for_a_mailed_code(
    pages: Pages, sqlite_bank: Bank, cheap_bcrypt: None
) -> None:
    asha = people.customer(sqlite_bank)
    page = pages.open(people.desk_of(sqlite_bank, asha), FILE)
    page.button("security_device_begin").click().run()
    code = people.device_code(sqlite_bank, people.Secret(page.code[0].value)).reveal()
    typed = {"device_password": asha.password, "device_code": code}
    press(fill(page, **typed), "Confirm device")
    assert page.error[0].value.startswith("**Code from the mail:**")
    page.button("security_device_send").click().run()
    assert page.success[0].value == r"A code is on its way\."
    mailed = people.mailed_code(sqlite_bank, asha).reveal()
    press(fill(page, device_other_code=mailed, **typed), "Confirm device")
    assert page.success[0].value == r"The new device is in use\."


@pytest.mark.feature("A1.5")
def test_an_employee_has_no_transaction_password(
    pages: Pages, sqlite_bank: Bank, cheap_bcrypt: None
) -> None:
    page = pages.open(people.desk_of(sqlite_bank, people.employee(sqlite_bank)), FILE)
    assert [tab.label for tab in page.tabs] == [
        "Password",
        "Device for codes",
        "Sessions",
        "History",
    ]


@pytest.mark.feature("A1.6", "A1.9")
def test_a_new_device_takes_over_when_the_old_one_agrees(
    pages: Pages, sqlite_bank: Bank, cheap_bcrypt: None
) -> None:
    ravi = people.employee(sqlite_bank)
    page = pages.open(people.desk_of(sqlite_bank, ravi), FILE)
    page.button("security_device_begin").click().run()
    key = people.Secret(page.code[0].value)
    new, old = (people.device_code(sqlite_bank, each) for each in (key, ravi.key))
    typed = {"device_password": ravi.password, "device_code": new.reveal()}
    fill(page, device_other_code=people.wrong_code(old).reveal(), **typed)
    press(page, "Confirm device")
    assert page.error[0].value.startswith("**Code of the device in use:**")
    fill(page, device_other_code=old.reveal(), **typed)
    press(page, "Confirm device")
    assert not page.exception
    assert page.success[0].value == r"The new device is in use\."
    assert not page.code, "the key is shown once"
    page.button("security_device_begin").click().run()
    page.button("security_stop").click().run()
    assert not page.code


@pytest.mark.feature("A1.8", "A1.16")
def test_sessions_are_listed_and_ended_one_by_one_or_all(
    pages: Pages, sqlite_bank: Bank, cheap_bcrypt: None
) -> None:
    ravi = people.employee(sqlite_bank)
    phone = people.signed_in(sqlite_bank, ravi, agent="Mozilla/5.0 (iPhone) Safari/604")
    here = people.signed_in(sqlite_bank, ravi, agent="Mozilla/5.0 (X11; Linux) Firefox/140")
    sitting = sessions.desk_for(sqlite_bank, here)
    other = sessions.desk_for(sqlite_bank, phone)
    assert sitting is not None
    assert other is not None
    page = pages.open(sitting, FILE)
    said = words_of(page)
    assert "Safari on iPhone" in said
    assert "Firefox on Linux" in said
    history = page.dataframe[0].value
    assert list(history["Outcome"]) == ["Signed in", "Signed in"]

    page.button(f"security_end_{other.session_id}").click().run()
    assert not page.exception
    assert page.success[0].value == r"That session is ended\."
    assert sessions.desk_for(sqlite_bank, phone) is None
    assert "Safari on iPhone from" not in words_of(page).replace("**", "")
    page.button("security_end_all").click().run()
    assert sessions.desk_for(sqlite_bank, here) is None


@pytest.mark.feature("A1.8")
def test_an_ended_session_ends_no_other(
    pages: Pages, sqlite_bank: Bank, cheap_bcrypt: None
) -> None:
    ravi = people.employee(sqlite_bank)
    phone = people.signed_in(sqlite_bank, ravi)
    page = pages.open(people.desk_of(sqlite_bank, ravi), FILE)
    other = sessions.desk_for(sqlite_bank, phone)
    assert other is not None
    pages.sit(people.guest(sqlite_bank))  # what revoked means for the next run
    page.button(f"security_end_{other.session_id}").click().run()
    assert sessions.desk_for(sqlite_bank, phone) is not None
    assert page.title[0].value == "Not available"


@pytest.mark.feature("A1.9")
def test_the_demo_mailbox_shows_mails_and_devices_to_anybody(
    pages: Pages, sqlite_bank: Bank, cheap_bcrypt: None
) -> None:
    ravi = people.employee(sqlite_bank)
    asha = people.customer(sqlite_bank, "asha@example.com")
    sara = people.customer(sqlite_bank, "sara@example.com")
    for who in (asha, sara):
        people.enter_password(sqlite_bank, who)
    page = pages.open(people.guest(people.as_demo(sqlite_bank)), "demo/mailbox.py")
    shown = [code.value for code in page.code]
    assert shown == [
        people.mailed_code(sqlite_bank, sara).reveal(),
        people.mailed_code(sqlite_bank, asha).reveal(),
        people.device_code(sqlite_bank, ravi.key).reveal(),
    ]
    assert "30 seconds left" in words_of(page)
    page.text_input("mailbox_to").input("SARA@").run()
    assert len(page.code) == 2
    page.text_input("mailbox_to").input("nobody@").run()
    assert "No mail to nobody" in words_of(page)


@pytest.mark.feature("A1.9")
def test_backup_codes_are_shown_until_they_are_kept(
    pages: Pages, sqlite_bank: Bank, cheap_bcrypt: None
) -> None:
    ravi = people.employee(sqlite_bank)
    page = pages.open(people.desk_of(sqlite_bank, ravi), FILE)
    assert "You have none" in words_of(page)
    fill(page, backup_password="not this one")
    press(page, "Make backup codes")
    assert page.error[0].value.startswith("**Password:**")
    fill(page, backup_password=ravi.password)
    press(page, "Make backup codes")
    assert len(page.code[0].value.split()) == 10
    press(page, "I have kept them")
    assert not page.code
    assert "You have 10 left" in words_of(page)


@pytest.mark.feature("A1.9")
def test_without_a_device_there_are_no_backup_codes(
    pages: Pages, sqlite_bank: Bank, cheap_bcrypt: None
) -> None:
    asha = people.customer(sqlite_bank)
    page = pages.open(people.desk_of(sqlite_bank, asha), FILE)
    assert "They stand in for a device" in words_of(page)
    assert "Make backup codes" not in [button.label for button in page.button]
