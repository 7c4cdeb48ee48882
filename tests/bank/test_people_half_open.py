"""Sign-ins that are under way: what ends them, what a right password costs, whose QR code it is."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from bank.core.desk import Bank, Desk
from bank.core.errors import BankError
from bank.core.secrets import Secret
from bank.people import attempts, credentials, sessions, sign_in
from bank.people.attempts import SignInOver, SignInRefused
from bank.people.codes import NoMailAddress, TooManyCodes, WrongCode
from bank.people.passwords import PasswordNotNew
from bank.people.sign_in import TicketVoid
from bank.people.sign_ins import SignInStatus
from tests.support import people
from tests.support.people import PASSWORD, XSRF, Somebody, guest

pytestmark = [pytest.mark.usefixtures("cheap_bcrypt"), pytest.mark.feature("A1.4", "A1.8")]
NEW = "eleven blue umbrellas"


def change(bank: Bank, asha: Somebody, desk: Desk) -> None:
    credentials.change_password(desk, Secret(PASSWORD), Secret(NEW))


def leave(bank: Bank, asha: Somebody, desk: Desk) -> None:
    sessions.sign_out_everywhere(desk)


def device(bank: Bank, asha: Somebody, desk: Desk) -> None:
    offer = credentials.offer_device(desk)
    credentials.request_device_code(desk)
    mailed = people.mailed_code(bank, asha)
    code = people.device_code(bank, offer.key)
    credentials.confirm_device(desk, Secret(PASSWORD), code, None, mailed)


@pytest.mark.parametrize("end", [change, leave, device])
def test_what_ends_the_sessions_ends_what_is_under_way(
    bank: Bank, end: Callable[[Bank, Somebody, Desk], None]
) -> None:
    """Somebody who has the password, and has come as far as the code or the ticket."""
    asha = people.customer(bank)
    desk = people.desk_of(bank, asha)
    passed = people.passed(bank, asha)
    holds_ticket = people.passed(bank, asha)
    ticket = sign_in.take_ticket(guest(bank), holds_ticket.token, Secret(XSRF))
    waiting = people.enter_password(bank, asha)
    code = people.mailed_code(bank, asha)
    end(bank, asha, desk)
    with pytest.raises(SignInOver):
        sign_in.enter_code(guest(bank), waiting.token, code)
    with pytest.raises(SignInOver):
        sign_in.take_ticket(guest(bank), passed.token, Secret(XSRF))
    with pytest.raises(TicketVoid):
        sign_in.open_session(guest(bank), ticket, Secret(XSRF))
    outcomes = [row.outcome for row in attempts.own_sign_ins(desk)]
    assert outcomes == [SignInStatus.ENDED] * 3 + [SignInStatus.OPENED]


def test_a_temporary_password_is_replaced_by_one_of_two(bank: Bank) -> None:
    asha = people.customer(bank, must_change_password=True)
    steps = []
    for _ in range(2):
        step = people.enter_password(bank, asha)
        code = people.mailed_code(bank, asha)
        steps.append(sign_in.enter_code(guest(bank), step.token, code))
    thief, owner = steps
    owner = sign_in.choose_password(guest(bank), owner.token, Secret(NEW))
    with pytest.raises(SignInOver):
        sign_in.choose_password(guest(bank), thief.token, Secret("a thief's own choice"))
    ticket = sign_in.take_ticket(guest(bank), owner.token, Secret(XSRF))
    assert sign_in.redeem_ticket(bank, ticket.reveal(), XSRF, people.IP)


def test_no_session_is_opened_while_all_of_them_end(bank: Bank) -> None:
    asha = people.customer(bank)
    for _ in range(5):
        desk = people.desk_of(bank, asha)
        ticket = sign_in.take_ticket(guest(bank), people.passed(bank, asha).token, Secret(XSRF))
        together = threading.Barrier(2)

        def open_one() -> str | None:
            together.wait()  # noqa: B023 - used within the loop
            return sign_in.redeem_ticket(bank, ticket.reveal(), XSRF, people.IP)  # noqa: B023

        def end_all() -> None:
            together.wait()  # noqa: B023
            sessions.sign_out_everywhere(desk)  # noqa: B023

        with ThreadPoolExecutor(2) as pool:
            opened, ended = pool.submit(open_one), pool.submit(end_all)
            ended.result()
            sid = opened.result()
        assert sessions.desk_for(bank, sid) is None


# What a right password costs: nothing, whatever comes after it.


def tries(bank: Bank, asha: Somebody, wanted: type[BankError], times: int) -> None:
    for _ in range(times):
        with pytest.raises(wanted):
            people.enter_password(bank, asha)


def test_too_many_codes_are_no_wrong_passwords(bank: Bank) -> None:
    asha = people.customer(bank)
    for _ in range(5):
        people.enter_password(bank, asha)
    tries(bank, asha, TooManyCodes, 6)
    people.later(bank, minutes=16)
    people.signed_in(bank, asha)


def test_a_missing_mail_address_is_no_wrong_password(sqlite_bank: Bank) -> None:
    asha = people.customer(sqlite_bank, email=None)
    tries(sqlite_bank, asha, NoMailAddress, 6)
    people.change_user(sqlite_bank, asha, email="asha@example.com")
    people.signed_in(sqlite_bank, asha)


def test_the_same_password_again_is_no_wrong_one(sqlite_bank: Bank) -> None:
    asha = people.customer(sqlite_bank, must_change_password=True)
    step = people.enter_password(sqlite_bank, asha)
    step = sign_in.enter_code(guest(sqlite_bank), step.token, people.mailed_code(sqlite_bank, asha))
    for _ in range(6):
        with pytest.raises(PasswordNotNew):
            sign_in.choose_password(guest(sqlite_bank), step.token, Secret(PASSWORD))
    people.enter_password(sqlite_bank, asha)


def test_an_unlocked_session_that_has_ended_costs_no_try(sqlite_bank: Bank) -> None:
    asha = people.customer(sqlite_bank)
    sid = people.signed_in(sqlite_bank, asha)
    desk = sessions.desk_for(sqlite_bank, sid)
    assert desk is not None
    for _ in range(6):
        sign_in.unlock(guest(sqlite_bank), Secret(sid), Secret(PASSWORD))
    people.enter_password(sqlite_bank, asha)


def test_wrong_ones_still_lock_and_tell(sqlite_bank: Bank) -> None:
    asha = people.customer(sqlite_bank)
    for _ in range(4):
        with pytest.raises(SignInRefused):
            people.enter_password(sqlite_bank, asha, "a wrong password")
    people.enter_password(sqlite_bank, asha)  # the fifth is right: no lock, and no word of one
    assert "locked" not in people.mails(sqlite_bank, asha)[-1].subject
    with pytest.raises(SignInRefused):
        people.enter_password(sqlite_bank, asha, "a wrong password")
    assert people.mails(sqlite_bank, asha)[-1].subject == "Signing in is locked for a while"
    with pytest.raises(SignInRefused):
        people.enter_password(sqlite_bank, asha)


# Each first sign-in has a QR code of its own.


def test_two_first_sign_ins_show_two_keys(bank: Bank) -> None:
    ravi = people.employee(bank, has_device=False)
    first, second = people.enter_password(bank, ravi), people.enter_password(bank, ravi)
    keys = [sign_in.device_offer(guest(bank), step.token).key for step in (first, second)]
    assert keys[0] != keys[1]
    with pytest.raises(WrongCode):
        sign_in.enter_code(guest(bank), first.token, people.device_code(bank, keys[1]))
    sign_in.enter_code(guest(bank), first.token, people.device_code(bank, keys[0]))
    with pytest.raises(SignInOver):
        sign_in.device_offer(guest(bank), second.token)
    people.later(bank, seconds=30)
    people.signed_in(bank, Somebody(ravi.id, ravi.username, key=keys[0]))


@pytest.mark.feature("A1.4")
@pytest.mark.parametrize("odd", ["\0", "asha\0", "a" * 5000, "", "asha'; --", "ａｓｈａ", "\ud800"])
def test_what_can_be_no_name_is_nobody(bank: Bank, odd: str) -> None:
    with pytest.raises(SignInRefused) as refused:
        sign_in.enter_password(guest(bank), Secret(odd), Secret(PASSWORD))
    with pytest.raises(SignInRefused) as unknown:
        sign_in.enter_password(guest(bank), Secret("nobody"), Secret(PASSWORD))
    assert str(refused.value) == str(unknown.value)
