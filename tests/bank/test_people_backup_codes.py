"""Backup codes: shown once, each opens the door once, and only for who has lost a device."""

import pytest

from bank.core.errors import BankError
from bank.people import credentials, sign_in, staff
from bank.people.attempts import SignInOver, SignInStatus
from bank.people.codes import WrongCode
from bank.people.credentials import NoDeviceYet, PasswordWrong
from bank.people.sign_in import Step
from tests.support import people
from tests.support.office import Office
from tests.support.people import PASSWORD, Secret, Somebody

pytestmark = pytest.mark.feature("A1.9")


def made(office: Office, who: str = "ravi") -> tuple[Secret, ...]:
    """Somebody's fresh backup codes."""
    return credentials.make_backup_codes(office.desk(who), Secret(PASSWORD))


def come_in(office: Office, code: Secret, who: Somebody | None = None) -> Step:
    """Password, and this code."""
    step = people.enter_password(office.bank, who or office.people["ravi"])
    return sign_in.enter_code(people.guest(office.bank), step.token, code)


def test_a_backup_code_stands_in_for_the_device_once(office: Office) -> None:
    codes = made(office)
    assert len({code.reveal() for code in codes}) == 10
    assert repr(codes[0]) == "***"
    assert come_in(office, codes[0]).due is SignInStatus.PASSED
    assert credentials.backup_codes_left(office.desk("ravi")) == 9
    assert "9 are left" in office.mails("ravi")[-1].body
    with pytest.raises(WrongCode):
        come_in(office, codes[0])
    typed = Secret(f" {codes[1].reveal().upper().replace('-', ' ')} ")
    assert come_in(office, typed).due is SignInStatus.PASSED, "as people type it from paper"
    assert codes[2].reveal() not in str(people.trail(office.bank, "people.sign_in.enter_code"))


def test_new_codes_void_the_old_ones(office: Office) -> None:
    old, new = made(office), made(office)
    with pytest.raises(WrongCode):
        come_in(office, old[0])
    assert come_in(office, new[0]).due is SignInStatus.PASSED


def test_nobody_elses_code_works(office: Office) -> None:
    codes = made(office, "asha")
    with pytest.raises(WrongCode):
        come_in(office, codes[0])


def test_a_reset_device_takes_its_codes_along(office: Office) -> None:
    codes = made(office)
    staff.reset_device(office.desk("meera"), office.id("ravi"))
    step = people.enter_password(office.bank, office.people["ravi"])
    assert step.due is SignInStatus.SET_UP_DUE
    with pytest.raises(WrongCode):
        sign_in.enter_code(people.guest(office.bank), step.token, codes[0])


def test_guesses_are_counted(office: Office) -> None:
    made(office)
    step = people.enter_password(office.bank, office.people["ravi"])
    for number in range(5):
        with pytest.raises(WrongCode):
            sign_in.enter_code(people.guest(office.bank), step.token, Secret(f"abcd-efg{number}"))
    with pytest.raises(SignInOver):
        sign_in.enter_code(people.guest(office.bank), step.token, Secret("abcd-efgh"))


def test_a_backup_code_agrees_to_another_device(office: Office) -> None:
    codes = made(office)
    desk = office.desk("ravi")
    offer = credentials.offer_device(desk)
    new = people.device_code(office.bank, offer.key)
    credentials.confirm_device(desk, Secret(PASSWORD), new, codes[0])
    assert credentials.backup_codes_left(desk) == 9


def test_who_gets_none(office: Office) -> None:
    with pytest.raises(PasswordWrong) as refused:
        credentials.make_backup_codes(office.desk("ravi"), Secret("not this one"))
    assert refused.value.field == "password"
    customer = people.customer(office.bank)
    desk = people.desk_of(office.bank, customer)
    assert credentials.backup_codes_left(desk) is None
    with pytest.raises(NoDeviceYet):
        credentials.make_backup_codes(desk, Secret(PASSWORD))
    with pytest.raises(BankError):
        credentials.make_backup_codes(people.guest(office.bank), Secret(PASSWORD))
