"""Confirmations: transaction password and a code for exactly this payment, spent once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from bank.core.desk import Bank, Desk, chunk
from bank.core.errors import BadInput, NotAllowed
from bank.core.permissions import Role
from bank.core.secrets import Secret
from bank.people import codes, confirmations, passwords, sessions, sign_in
from bank.people.attempts import SignInOver
from bank.people.codes import TooManyCodes
from bank.people.confirmations import ConfirmationRefused, NotConfirmed, NoTransactionPassword
from bank.people.rules import SecurityRule
from tests.support import people
from tests.support.bank import desk as desk_without_session
from tests.support.people import TRANSACTION_PASSWORD, Somebody

pytestmark = [
    pytest.mark.usefixtures("cheap_bcrypt"),
    pytest.mark.feature("A1.5"),
]
SEND = "send_money"
TO_RAVI = "₹ 5,000.00 from 001000000019 to Ravi Kumar, account 001000000027"
MORE = "₹ 50,000.00 from 001000000019 to Ravi Kumar, account 001000000027"
TO_MALLORY = "₹ 5,000.00 from 001000000019 to Ravi Kumar, account 001000000035"
RIGHT = Secret(TRANSACTION_PASSWORD)


def spend(desk: Desk, given: int, purpose: str = SEND, bound_to: str = TO_RAVI) -> None:
    with chunk(desk, "test.pay") as tx:
        confirmations.consume_confirmation(tx, given, purpose, bound_to)


def ask(bank: Bank, desk: Desk, asha: Somebody, bound_to: str = TO_RAVI) -> Secret:
    confirmations.request_code(desk, SEND, bound_to)
    return people.mailed_code(bank, asha)


def test_the_mail_names_amount_and_payee_word_for_word(bank: Bank) -> None:
    asha = people.customer(bank)
    desk = people.desk_of(bank, asha)
    ask(bank, desk, asha)
    mail = people.mails(bank, asha)[-1]
    assert TO_RAVI in mail.body
    assert mail.subject == "Your code to confirm"
    assert "5,000" not in mail.subject, "nothing about money on a locked phone's screen"


def test_password_and_code_together_confirm_once(bank: Bank) -> None:
    asha = people.customer(bank)
    desk = people.desk_of(bank, asha)
    code = ask(bank, desk, asha)
    given = confirmations.confirm(desk, SEND, TO_RAVI, RIGHT, code)
    spend(desk, given)
    with pytest.raises(NotConfirmed):
        spend(desk, given)
    with pytest.raises(ConfirmationRefused):
        confirmations.confirm(desk, SEND, TO_RAVI, RIGHT, code)
    done, _ = people.trail(bank, "people.confirmations.confirm")
    assert done[:2] == ("done", "confirmation")
    assert "001000000027" in done[3]
    assert TRANSACTION_PASSWORD not in str(people.trail(bank, "people.confirmations.confirm"))


@pytest.mark.parametrize("changed", [MORE, TO_MALLORY, "", TO_RAVI + "0"])
def test_another_amount_or_payee_makes_the_code_worthless(bank: Bank, changed: str) -> None:
    asha = people.customer(bank)
    desk = people.desk_of(bank, asha)
    code = ask(bank, desk, asha)
    with pytest.raises((ConfirmationRefused, BadInput)):
        confirmations.confirm(desk, SEND, changed, RIGHT, code)
    with pytest.raises(ConfirmationRefused):
        confirmations.confirm(desk, "add_payee", TO_RAVI, RIGHT, code)


@pytest.mark.parametrize("changed", [MORE, TO_MALLORY])
def test_another_amount_or_payee_makes_the_confirmation_worthless(bank: Bank, changed: str) -> None:
    asha = people.customer(bank)
    desk = people.desk_of(bank, asha)
    given = confirmations.confirm(desk, SEND, TO_RAVI, RIGHT, ask(bank, desk, asha))
    with pytest.raises(NotConfirmed):
        spend(desk, given, bound_to=changed)
    with pytest.raises(NotConfirmed):
        spend(desk, given, purpose="add_payee")
    spend(desk, given)


def test_a_sign_in_code_confirms_nothing_and_the_other_way_round(bank: Bank) -> None:
    asha = people.customer(bank)
    desk = people.desk_of(bank, asha)
    step = people.enter_password(bank, asha)
    with pytest.raises(ConfirmationRefused):
        confirmations.confirm(desk, SEND, TO_RAVI, RIGHT, people.mailed_code(bank, asha))
    code = ask(bank, desk, asha)
    with pytest.raises(codes.WrongCode):
        sign_in.enter_code(people.guest(bank), step.token, code)


def test_neither_factor_is_enough_and_nobody_is_told_which_was_wrong(bank: Bank) -> None:
    asha = people.customer(bank)
    desk = people.desk_of(bank, asha)
    code = ask(bank, desk, asha)
    said = set()
    for password, typed in [
        (Secret("a wrong transaction password"), code),
        (RIGHT, people.wrong_code(code)),
        (Secret(people.PASSWORD), code),  # the sign-in password does not pay
        (Secret(""), Secret("")),
    ]:
        with pytest.raises(ConfirmationRefused) as refused:
            confirmations.confirm(desk, SEND, TO_RAVI, password, typed)
        said.add(str(refused.value))
    assert len(said) == 1
    assert people.count(bank, "confirmations") == 0
    confirmations.confirm(desk, SEND, TO_RAVI, RIGHT, code)


def test_five_tries_and_then_a_pause_which_leaves_the_door_open(bank: Bank) -> None:
    asha = people.customer(bank)
    desk = people.desk_of(bank, asha)
    code = ask(bank, desk, asha)
    for _ in range(5):
        with pytest.raises(ConfirmationRefused):
            confirmations.confirm(desk, SEND, TO_RAVI, Secret("a wrong password"), code)
    with pytest.raises(ConfirmationRefused):
        confirmations.confirm(desk, SEND, TO_RAVI, RIGHT, code)
    assert people.mails(bank, asha)[-1].subject == "Confirming payments is locked for a while"
    people.signed_in(bank, asha)
    people.later(bank, minutes=10)
    desk = people.desk_of(bank, asha)
    with pytest.raises(ConfirmationRefused):
        confirmations.confirm(desk, SEND, TO_RAVI, RIGHT, ask(bank, desk, asha))
    people.later(bank, minutes=5)
    confirmations.confirm(desk, SEND, TO_RAVI, RIGHT, ask(bank, desk, asha))


def test_a_code_has_its_own_tries_whatever_else_is_allowed(sqlite_bank: Bank) -> None:
    with chunk(desk_without_session(sqlite_bank, Role.SYSTEM), "test.rules") as tx:
        rule = SecurityRule(
            name="tries", effective_from=tx.business_date, value=100, source="a lenient board"
        )
        tx.session.add(rule)
    people.later(sqlite_bank, minutes=1)
    asha = people.customer(sqlite_bank)
    desk = people.desk_of(sqlite_bank, asha)
    code = ask(sqlite_bank, desk, asha)
    for typed in [*[people.wrong_code(code)] * 5, code]:
        with pytest.raises(ConfirmationRefused):
            confirmations.confirm(desk, SEND, TO_RAVI, RIGHT, typed)
    confirmations.confirm(desk, SEND, TO_RAVI, RIGHT, ask(sqlite_bank, desk, asha))
    token = people.enter_password(sqlite_bank, asha).token
    code = people.mailed_code(sqlite_bank, asha)
    for _ in range(5):
        with pytest.raises(codes.WrongCode):
            sign_in.enter_code(people.guest(sqlite_bank), token, people.wrong_code(code))
    with pytest.raises(SignInOver):
        sign_in.enter_code(people.guest(sqlite_bank), token, code)


def test_a_confirmation_forgets_the_tries_before_it(sqlite_bank: Bank) -> None:
    asha = people.customer(sqlite_bank)
    desk = people.desk_of(sqlite_bank, asha)
    for _ in range(2):
        code = ask(sqlite_bank, desk, asha)
        for _ in range(4):
            with pytest.raises(ConfirmationRefused):
                confirmations.confirm(desk, SEND, TO_RAVI, Secret("a wrong password"), code)
        confirmations.confirm(desk, SEND, TO_RAVI, RIGHT, code)


def test_failing_at_the_door_does_not_stop_the_customer_inside(sqlite_bank: Bank) -> None:
    asha = people.customer(sqlite_bank)
    desk = people.desk_of(sqlite_bank, asha)
    for _ in range(6):
        with pytest.raises(NotAllowed):
            people.enter_password(sqlite_bank, asha, "a stranger's guess")
    code = ask(sqlite_bank, desk, asha)
    confirmations.confirm(desk, SEND, TO_RAVI, RIGHT, code)


def test_parallel_guesses_never_get_more_than_the_allowed_tries(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    asha = people.customer(bank)
    desk = people.desk_of(bank, asha)
    code = ask(bank, desk, asha)
    real, looked, together = passwords.matches, [], threading.Barrier(16)

    def counted(password: Secret, hashed: str | None) -> bool:
        looked.append(hashed is not None)
        return real(password, hashed)

    def guess(number: int) -> None:
        together.wait()
        with pytest.raises(ConfirmationRefused):
            confirmations.confirm(desk, SEND, TO_RAVI, Secret(f"guess {number}"), code)

    monkeypatch.setattr(passwords, "matches", counted)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(guess, range(16)))
    assert looked.count(True) == 5


def test_parallel_payments_spend_one_confirmation_once(bank: Bank) -> None:
    asha = people.customer(bank)
    desk = people.desk_of(bank, asha)
    given = confirmations.confirm(desk, SEND, TO_RAVI, RIGHT, ask(bank, desk, asha))
    together = threading.Barrier(8)

    def pay(_: int) -> bool:
        together.wait()
        try:
            spend(desk, given)
        except NotConfirmed:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(pay, range(8))) == 1


def test_a_payment_that_fails_leaves_the_confirmation_unspent(bank: Bank) -> None:
    asha = people.customer(bank)
    desk = people.desk_of(bank, asha)
    given = confirmations.confirm(desk, SEND, TO_RAVI, RIGHT, ask(bank, desk, asha))

    def fail() -> None:
        with chunk(desk, "test.pay") as tx:
            confirmations.consume_confirmation(tx, given, SEND, TO_RAVI)
            raise BadInput

    with pytest.raises(BadInput):
        fail()
    spend(desk, given)


def test_it_is_for_this_person_this_session_and_five_minutes(bank: Bank) -> None:
    asha, other = people.customer(bank), people.customer(bank, email="other@example.com")
    desk = people.desk_of(bank, asha)
    given = confirmations.confirm(desk, SEND, TO_RAVI, RIGHT, ask(bank, desk, asha))
    as_another = replace(desk, user_id=other.id)
    for somebody in (people.desk_of(bank, other), people.desk_of(bank, asha), as_another):
        with pytest.raises(NotConfirmed):
            spend(somebody, given)
    people.later(bank, minutes=3, seconds=59)  # a minute has passed while the others signed in
    spend(desk, given)
    given = confirmations.confirm(desk, SEND, TO_RAVI, RIGHT, ask(bank, desk, asha))
    people.later(bank, minutes=5)
    with pytest.raises(NotConfirmed):
        spend(desk, given)


def test_a_code_lives_ten_minutes_and_a_newer_one_replaces_it(bank: Bank) -> None:
    asha = people.customer(bank)
    desk = people.desk_of(bank, asha)
    old = ask(bank, desk, asha)
    people.later(bank, minutes=10)
    with pytest.raises(ConfirmationRefused):
        confirmations.confirm(desk, SEND, TO_RAVI, RIGHT, old)
    first, second = ask(bank, desk, asha), ask(bank, desk, asha, MORE)
    with pytest.raises(ConfirmationRefused):
        confirmations.confirm(desk, SEND, TO_RAVI, RIGHT, first)
    confirmations.confirm(desk, SEND, MORE, RIGHT, second)


def test_codes_that_nobody_uses_stop_being_sent(sqlite_bank: Bank) -> None:
    asha = people.customer(sqlite_bank)
    desk = people.desk_of(sqlite_bank, asha)
    for _ in range(5):
        ask(sqlite_bank, desk, asha)
    with pytest.raises(TooManyCodes):
        ask(sqlite_bank, desk, asha)


def test_a_device_confirms_nothing_for_it_knows_no_payee(bank: Bank) -> None:
    asha = people.customer(bank)
    key = codes.new_totp_key()
    people.change_user(bank, asha, totp_secret=bank.keyring.encrypt("totp", key.reveal()))
    desk = people.desk_of(bank, Somebody(asha.id, asha.username, key=key))
    people.later(bank, seconds=30)
    with pytest.raises(ConfirmationRefused):
        confirmations.confirm(desk, SEND, TO_RAVI, RIGHT, people.device_code(bank, key))
    code = ask(bank, desk, asha)
    for changed in (MORE, TO_MALLORY):
        with pytest.raises(ConfirmationRefused):
            confirmations.confirm(desk, SEND, changed, RIGHT, code)
    spend(desk, confirmations.confirm(desk, SEND, TO_RAVI, RIGHT, code))


def test_without_a_transaction_password_nothing_is_confirmed(bank: Bank) -> None:
    asha = people.customer(bank, has_transaction_password=False)
    desk = people.desk_of(bank, asha)
    means = confirmations.means(desk)
    assert (means.has_transaction_password, means.rest_until) == (False, None)
    assert means.mail_to == "a***@example.com"
    code = ask(bank, desk, asha)
    with pytest.raises(NoTransactionPassword):
        confirmations.confirm(desk, SEND, TO_RAVI, RIGHT, code)


@pytest.mark.parametrize("bad", ["x" * 301, "pay\x00this", " \n "])
def test_what_is_confirmed_is_one_line_of_plain_text(sqlite_bank: Bank, bad: str) -> None:
    desk = people.desk_of(sqlite_bank, people.customer(sqlite_bank))
    with pytest.raises(BadInput):
        confirmations.request_code(desk, SEND, bad)


def test_signing_out_leaves_nothing_to_spend(sqlite_bank: Bank) -> None:
    asha = people.customer(sqlite_bank)
    desk = people.desk_of(sqlite_bank, asha)
    given = confirmations.confirm(desk, SEND, TO_RAVI, RIGHT, ask(sqlite_bank, desk, asha))
    sessions.sign_out(desk)
    with pytest.raises(NotConfirmed):
        spend(people.desk_of(sqlite_bank, asha), given)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.CUSTOMER])
def test_only_customers_confirm_payments(sqlite_bank: Bank, role: Role) -> None:
    with pytest.raises(NotAllowed):
        confirmations.request_code(desk_without_session(sqlite_bank, role), SEND, TO_RAVI)
