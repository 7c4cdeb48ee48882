"""Changing one's own proofs: always with the present one, and never behind one's back."""

from typing import Final

import pytest

from bank.core.desk import Bank, Desk
from bank.core.errors import BadInput, NotAllowed
from bank.core.permissions import Role
from bank.core.secrets import Secret
from bank.people import attempts, codes, confirmations, credentials, passwords, sessions, sign_in
from bank.people.codes import WrongCode
from bank.people.confirmations import ConfirmationRefused, PaymentsRest
from bank.people.credentials import (
    NoDeviceOffered,
    OldPasswordWrong,
    PasswordsMustDiffer,
    PasswordWrong,
    TriedTooOften,
)
from tests.support import people
from tests.support.bank import desk as desk_without_session
from tests.support.people import PASSWORD, TRANSACTION_PASSWORD, Somebody

pytestmark = [pytest.mark.usefixtures("cheap_bcrypt"), pytest.mark.feature("A1.5", "A1.6")]
NEW, NEWER = "eleven blue umbrellas", "twelve green lanterns"
PAYMENTS_LOCKED: Final = "Confirming payments is locked for a while"


def test_another_password_counts_from_now_on_and_is_told_by_mail(bank: Bank) -> None:
    asha = people.customer(bank)
    desk = people.desk_of(bank, asha)
    credentials.change_password(desk, Secret(PASSWORD), Secret(NEW))
    assert people.mails(bank, asha)[-1].subject == "A change to how you sign in"
    with pytest.raises(attempts.SignInRefused):
        people.enter_password(bank, asha)
    people.enter_password(bank, asha, NEW)
    [row] = people.trail(bank, "people.credentials.change_password")
    assert row[:3] == ("done", "user", str(asha.id))
    assert NEW not in str(row)
    assert "$2b$" not in str(row)


def test_the_present_password_is_asked_and_counted(bank: Bank) -> None:
    ravi = people.employee(bank)
    desk = people.desk_of(bank, ravi)
    for _ in range(5):
        with pytest.raises(PasswordWrong) as refused:
            credentials.change_password(desk, Secret("not the present one"), Secret(NEW))
    assert refused.value.field == "current"
    with pytest.raises(PasswordWrong):
        credentials.change_password(desk, Secret(PASSWORD), Secret(NEW))
    assert people.mails(bank, ravi)[-1].subject == "Signing in is locked for a while"


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (PASSWORD, passwords.PasswordNotNew),
        (TRANSACTION_PASSWORD, PasswordsMustDiffer),
        ("short", passwords.PasswordTooShort),
        ("Password123!", passwords.PasswordTooCommon),
        ("my name is asha", passwords.PasswordNamesYou),
    ],
)
def test_a_new_password_obeys_the_rules(sqlite_bank: Bank, bad: str, why: type[BadInput]) -> None:
    desk = people.desk_of(sqlite_bank, people.customer(sqlite_bank))
    with pytest.raises(why) as refused:
        credentials.change_password(desk, Secret(PASSWORD), Secret(bad))
    assert refused.value.field == "new"


def test_the_first_transaction_password_is_set_with_password_and_code(bank: Bank) -> None:
    asha = people.customer(bank, has_transaction_password=False)
    desk = people.desk_of(bank, asha)
    credentials.request_security_code(desk)
    code = people.mailed_code(bank, asha)
    with pytest.raises(PasswordWrong):
        credentials.set_transaction_password(desk, Secret("wrong password"), code, Secret(NEW))
    wrong = people.wrong_code(code)
    for none in (wrong, None):
        with pytest.raises(WrongCode):
            credentials.set_transaction_password(desk, Secret(PASSWORD), none, Secret(NEW))
    with pytest.raises(PasswordsMustDiffer):
        credentials.set_transaction_password(desk, Secret(PASSWORD), code, Secret(PASSWORD))
    with pytest.raises(OldPasswordWrong):  # there is none that could be proved
        credentials.set_transaction_password(desk, Secret(PASSWORD), code, Secret(NEW), Secret(""))
    assert not confirmations.means(desk).has_transaction_password
    credentials.set_transaction_password(desk, Secret(PASSWORD), code, Secret(NEW))
    assert confirmations.means(desk).has_transaction_password
    with pytest.raises(WrongCode):
        credentials.set_transaction_password(desk, Secret(PASSWORD), code, Secret(NEW + "!"))


PAY: Final = ("send_money", "₹ 1.00 to myself")


def pay(bank: Bank, asha: Somebody, desk: Desk, password: str) -> int:
    """Confirm a payment with this transaction password and the code that is mailed for it."""
    confirmations.request_code(desk, *PAY)
    return confirmations.confirm(desk, *PAY, Secret(password), people.mailed_code(bank, asha))


@pytest.mark.parametrize("is_first", [True, False])
def test_one_set_without_the_old_one_pays_nothing_for_a_day(bank: Bank, is_first: bool) -> None:
    asha = people.customer(bank, has_transaction_password=not is_first)
    desk = people.desk_of(bank, asha)
    confirmations.request_code(desk, *PAY)
    asked_before = people.mailed_code(bank, asha)
    credentials.request_security_code(desk)
    code = people.mailed_code(bank, asha)
    credentials.set_transaction_password(desk, Secret(PASSWORD), code, Secret(NEW))
    with pytest.raises(PaymentsRest, match=r"17 Mar 2026, 12:0\d"):
        confirmations.confirm(desk, *PAY, Secret(NEW), asked_before)
    with pytest.raises(PaymentsRest):
        confirmations.request_code(desk, *PAY)
    # Changing it once more, with the one that rests, does not shorten the rest.
    credentials.set_transaction_password(desk, Secret(PASSWORD), None, Secret(NEWER), Secret(NEW))
    people.later(bank, hours=23, minutes=59)
    desk = people.desk_of(bank, asha)
    with pytest.raises(PaymentsRest):
        confirmations.request_code(desk, *PAY)
    people.later(bank, minutes=1)
    assert pay(bank, asha, desk, NEWER)


def test_one_set_with_the_old_one_pays_at_once(bank: Bank) -> None:
    asha = people.customer(bank)
    desk = people.desk_of(bank, asha)
    old = Secret(TRANSACTION_PASSWORD)
    with pytest.raises(OldPasswordWrong) as refused:
        credentials.set_transaction_password(
            desk, Secret(PASSWORD), None, Secret(NEW), Secret("a guess at it")
        )
    assert refused.value.field == "old"
    with pytest.raises(passwords.PasswordNotNew):
        credentials.set_transaction_password(desk, Secret(PASSWORD), None, old, old)
    credentials.set_transaction_password(desk, Secret(PASSWORD), None, Secret(NEW), old)
    assert confirmations.means(desk).rest_until is None
    assert pay(bank, asha, desk, NEW)


def test_the_old_one_is_guessed_at_no_oftener_than_in_a_payment(sqlite_bank: Bank) -> None:
    asha = people.customer(sqlite_bank)
    desk = people.desk_of(sqlite_bank, asha)
    for typed in [*["a guess at it"] * 5, TRANSACTION_PASSWORD]:
        with pytest.raises(OldPasswordWrong):
            credentials.set_transaction_password(
                desk, Secret(PASSWORD), None, Secret(NEW), Secret(typed)
            )
    assert (
        people.mails(sqlite_bank, asha)[-1].subject == "Confirming payments is locked for a while"
    )
    with pytest.raises(ConfirmationRefused):
        pay(sqlite_bank, asha, desk, TRANSACTION_PASSWORD)


def test_changing_the_password_does_not_guess_the_other_one(bank: Bank) -> None:
    asha = people.customer(bank)
    desk = people.desk_of(bank, asha)
    known = PASSWORD
    for number in range(5):  # each a guess that turns out to be wrong, so the password is changed
        guess = f"{NEW} {number}"
        credentials.change_password(desk, Secret(known), Secret(guess))
        known = guess
    assert PAYMENTS_LOCKED in {mail.subject for mail in people.mails(bank, asha)}
    for guess in (TRANSACTION_PASSWORD, NEW):
        with pytest.raises(TriedTooOften):
            credentials.change_password(desk, Secret(known), Secret(guess))
    with pytest.raises(ConfirmationRefused):
        pay(bank, asha, desk, TRANSACTION_PASSWORD)


def test_a_right_guess_at_the_other_one_is_counted_and_told(sqlite_bank: Bank) -> None:
    asha = people.customer(sqlite_bank)
    desk = people.desk_of(sqlite_bank, asha)
    for _ in range(5):
        with pytest.raises(PasswordsMustDiffer):
            credentials.change_password(desk, Secret(PASSWORD), Secret(TRANSACTION_PASSWORD))
    assert (
        people.mails(sqlite_bank, asha)[-1].subject == "Confirming payments is locked for a while"
    )


def test_what_is_refused_after_the_right_password_is_no_try(bank: Bank) -> None:
    asha = people.customer(bank)
    desk = people.desk_of(bank, asha)
    for _ in range(6):
        with pytest.raises(passwords.PasswordNotNew):
            credentials.change_password(desk, Secret(PASSWORD), Secret(PASSWORD))
        with pytest.raises(PasswordsMustDiffer):
            credentials.set_transaction_password(desk, Secret(PASSWORD), None, Secret(PASSWORD))
        with pytest.raises(NoDeviceOffered):
            credentials.confirm_device(desk, Secret(PASSWORD), Secret("123456"))
    people.enter_password(bank, asha)


def test_a_code_to_pay_sets_no_password(sqlite_bank: Bank) -> None:
    asha = people.customer(sqlite_bank)
    desk = people.desk_of(sqlite_bank, asha)
    confirmations.request_code(desk, "send_money", "₹ 1.00 to myself")
    code = people.mailed_code(sqlite_bank, asha)
    with pytest.raises(WrongCode):
        credentials.set_transaction_password(desk, Secret(PASSWORD), code, Secret(NEW))


def test_the_code_to_set_one_cannot_be_guessed(sqlite_bank: Bank) -> None:
    asha = people.customer(sqlite_bank)
    desk = people.desk_of(sqlite_bank, asha)
    credentials.request_security_code(desk)
    code = people.mailed_code(sqlite_bank, asha)
    wrong = people.wrong_code(code)
    for _ in range(5):
        with pytest.raises(WrongCode):
            credentials.set_transaction_password(desk, Secret(PASSWORD), wrong, Secret(NEW))
    assert people.mails(sqlite_bank, asha)[-1].subject == "Signing in is locked for a while"
    with pytest.raises(PasswordWrong):
        credentials.set_transaction_password(desk, Secret(PASSWORD), code, Secret(NEW))
    people.later(sqlite_bank, minutes=15)
    with pytest.raises(WrongCode):
        credentials.set_transaction_password(desk, Secret(PASSWORD), code, Secret(NEW))


def test_a_customer_takes_a_device_into_use_with_a_mailed_code(bank: Bank) -> None:
    asha = people.customer(bank)
    desk = people.desk_of(bank, asha)
    offer = credentials.offer_device(desk)
    code = people.device_code(bank, offer.key)
    credentials.request_security_code(desk)
    to_pay = people.mailed_code(bank, asha)
    credentials.request_device_code(desk)
    mailed = people.mailed_code(bank, asha)
    assert "set up a device" in people.mails(bank, asha)[-1].body
    # Nothing from the mailbox, a code for something else, and a wrong one.
    for none in (None, to_pay, people.wrong_code(mailed)):
        with pytest.raises(WrongCode) as refused:
            credentials.confirm_device(desk, Secret(PASSWORD), code, None, none)
        assert refused.value.field == "mailed"
    with pytest.raises(WrongCode):
        credentials.confirm_device(desk, Secret(PASSWORD), people.wrong_code(code), None, mailed)
    assert not credentials.own_proofs(desk).has_device
    with pytest.raises(PasswordWrong):
        credentials.confirm_device(desk, Secret("wrong password"), code, None, mailed)
    people.later(bank, minutes=15)
    desk, other = people.desk_of(bank, asha), people.signed_in(bank, asha)
    code = people.device_code(bank, offer.key)
    credentials.request_device_code(desk)
    mailed = people.mailed_code(bank, asha)
    credentials.confirm_device(desk, Secret(PASSWORD), code, None, mailed)
    assert credentials.own_proofs(desk).has_device
    assert sessions.desk_for(bank, other) is None, "a session from before the device is over"
    assert "device" in people.mails(bank, asha)[-1].body
    people.later(bank, seconds=30)
    people.signed_in(bank, Somebody(asha.id, asha.username, key=offer.key))


def test_a_device_sets_no_transaction_password(bank: Bank) -> None:
    asha = people.customer(bank)
    key = codes.new_totp_key()
    people.change_user(bank, asha, totp_secret=bank.keyring.encrypt("totp", key.reveal()))
    desk = people.desk_of(bank, Somebody(asha.id, asha.username, key=key))
    people.later(bank, seconds=30)
    with pytest.raises(WrongCode):
        credentials.set_transaction_password(
            desk, Secret(PASSWORD), people.device_code(bank, key), Secret(NEW)
        )


def test_a_new_device_needs_the_old_one(bank: Bank) -> None:
    ravi = people.employee(bank)
    desk = people.desk_of(bank, ravi)
    offer = credentials.offer_device(desk)
    new_code = people.device_code(bank, offer.key)
    for old in (None, people.wrong_code(people.device_code(bank, ravi.key))):
        with pytest.raises(WrongCode) as refused:
            credentials.confirm_device(desk, Secret(PASSWORD), new_code, old)
        assert refused.value.field == "old_code"
    old_code = people.device_code(bank, ravi.key)
    wrong = people.wrong_code(new_code)
    with pytest.raises(WrongCode):
        credentials.confirm_device(desk, Secret(PASSWORD), wrong, old_code)
    credentials.confirm_device(desk, Secret(PASSWORD), new_code, old_code)
    people.later(bank, seconds=30)
    step = people.enter_password(bank, ravi)
    with pytest.raises(WrongCode):
        sign_in.enter_code(people.guest(bank), step.token, people.device_code(bank, ravi.key))
    people.signed_in(bank, Somebody(ravi.id, "ravi", key=offer.key))


def test_no_device_without_its_qr_code(sqlite_bank: Bank) -> None:
    desk = people.desk_of(sqlite_bank, people.customer(sqlite_bank))
    with pytest.raises(NoDeviceOffered):
        credentials.confirm_device(desk, Secret(PASSWORD), Secret("123456"))


def test_keys_lie_encrypted(sqlite_bank: Bank) -> None:
    desk = people.desk_of(sqlite_bank, people.customer(sqlite_bank))
    key = credentials.offer_device(desk).key.reveal()
    dump = "\n".join(sqlite_bank.db.engine.raw_connection().iterdump())  # type: ignore[attr-defined]
    assert key not in dump
    assert repr(codes.new_totp_key()) == "***"


@pytest.mark.parametrize("role", [Role.GUEST, Role.SYSTEM])
def test_only_who_is_signed_in_changes_a_password(sqlite_bank: Bank, role: Role) -> None:
    with pytest.raises(NotAllowed):
        credentials.change_password(
            desk_without_session(sqlite_bank, role), Secret(PASSWORD), Secret(NEW)
        )
