"""Signing in: the way in for each kind of person, and every way in that must stay shut."""

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import bcrypt
import pytest

from bank.core.desk import Bank
from bank.core.errors import BankError, NotAllowed
from bank.core.permissions import Role
from bank.core.secrets import Secret
from bank.people import (
    attempts,
    codes,
    confirmations,
    credentials,
    passwords,
    sessions,
    sign_in,
)
from bank.people.attempts import SignInOver, SignInRefused, SignInStatus
from bank.people.codes import TooManyCodes, TooSoonForAnother, WrongCode
from bank.people.identity import UserStatus
from tests.support import people
from tests.support.bank import desk, open_at
from tests.support.people import PASSWORD, XSRF, guest

pytestmark = [
    pytest.mark.usefixtures("cheap_bcrypt"),
    pytest.mark.feature("A1.4", "A1.6", "A1.8"),
]
GUESS = Secret("not the password at all")


def refused_password(bank: Bank, username: str, password: Secret = GUESS) -> str:
    with pytest.raises(SignInRefused) as refused:
        sign_in.enter_password(guest(bank), Secret(username), password)
    return str(refused.value)


# The ways in.


def test_an_employee_with_a_device(bank: Bank) -> None:
    ravi = people.employee(bank)
    step = people.enter_password(bank, ravi)
    assert (step.due, step.name, step.sent_to) == (SignInStatus.CODE_DUE, "Ravi Kumar", "")
    step = sign_in.enter_code(guest(bank), step.token, people.device_code(bank, ravi.key))
    assert step.due is SignInStatus.PASSED
    ticket = sign_in.take_ticket(guest(bank), step.token, Secret(XSRF))
    sid = sign_in.redeem_ticket(bank, ticket.reveal(), XSRF, "10.0.0.7")
    desk = sessions.desk_for(bank, sid, "10.0.0.7")
    assert desk is not None
    assert (desk.role, desk.user_id, desk.name) == (Role.CASHIER, ravi.id, "Ravi Kumar")
    assert (desk.channel, desk.from_where) == ("branch", "10.0.0.7")
    assert desk.branch_id == people.branch_id(bank)


@pytest.mark.feature("A1.6", "A1.5")
def test_a_customer_with_a_mailed_code(bank: Bank) -> None:
    asha = people.customer(bank)
    step = people.enter_password(bank, asha)
    assert (step.due, step.sent_to) == (SignInStatus.CODE_DUE, "a***@example.com")
    [mail] = people.mails(bank, asha)
    assert (mail.recipient, mail.subject) == ("asha@example.com", "Your code to sign in")
    sid = people.signed_in(bank, asha)
    desk = sessions.desk_for(bank, sid)
    assert desk is not None
    assert (desk.role, desk.channel) == (Role.CUSTOMER, "portal")
    assert desk.customer_id == asha.customer_id


def test_an_employees_first_sign_in_sets_up_a_device_and_a_password(bank: Bank) -> None:
    ravi = people.employee(bank, has_device=False, must_change_password=True)
    step = people.enter_password(bank, ravi)
    assert step.due is SignInStatus.SET_UP_DUE
    offer = sign_in.device_offer(guest(bank), step.token)
    assert len(offer.key.reveal()) == 32
    assert offer.uri.reveal().startswith("otpauth://totp/Bank:ravi?secret=")
    assert offer.svg.startswith(b"<svg")
    assert offer.png.startswith(b"\x89PNG")
    again = sign_in.device_offer(guest(bank), step.token)
    assert again.key == offer.key, "a page that is drawn again shows the same QR code"
    code = people.device_code(bank, offer.key)
    step = sign_in.enter_code(guest(bank), step.token, code)
    assert step.due is SignInStatus.PASSWORD_DUE
    with pytest.raises(SignInOver):
        sign_in.take_ticket(guest(bank), step.token, Secret(XSRF))
    for bad, why in [
        (PASSWORD, passwords.PasswordNotNew),
        ("ravi ravi ravi", passwords.PasswordNamesYou),
        ("too short", passwords.PasswordTooShort),
    ]:
        with pytest.raises(why):
            sign_in.choose_password(guest(bank), step.token, Secret(bad))
    step = sign_in.choose_password(guest(bank), step.token, Secret("eleven blue umbrellas"))
    assert step.due is SignInStatus.PASSED
    refused_password(bank, "ravi", Secret(PASSWORD))
    people.later(bank, seconds=30)
    renewed = people.Somebody(ravi.id, "ravi", "eleven blue umbrellas", offer.key)
    assert people.enter_password(bank, renewed).due is SignInStatus.CODE_DUE
    assert people.desk_of(bank, renewed).user_id == ravi.id


def test_a_customers_temporary_password_is_changed_after_the_code(bank: Bank) -> None:
    asha = people.customer(bank, must_change_password=True)
    step = people.enter_password(bank, asha)
    assert step.due is SignInStatus.CODE_DUE
    with pytest.raises(SignInOver):
        sign_in.choose_password(guest(bank), step.token, Secret("eleven blue umbrellas"))
    step = sign_in.enter_code(guest(bank), step.token, people.mailed_code(bank, asha))
    assert step.due is SignInStatus.PASSWORD_DUE


def test_the_user_name_is_found_however_it_is_typed(bank: Bank) -> None:
    ravi = people.employee(bank)
    people.enter_password(bank, people.Somebody(ravi.id, "  RAVI "))


def test_a_customer_with_a_device_gets_no_mail(sqlite_bank: Bank) -> None:
    asha = people.customer(sqlite_bank)
    key = codes.new_totp_key()
    kept = sqlite_bank.keyring.encrypt("totp", key.reveal())
    people.change_user(sqlite_bank, asha, totp_secret=kept)
    step = people.enter_password(sqlite_bank, asha)
    assert step.sent_to == ""
    assert people.mails(sqlite_bank, asha) == []
    with pytest.raises(SignInOver):
        sign_in.send_another_code(guest(sqlite_bank), step.token)
    device = people.device_code(sqlite_bank, key)
    assert sign_in.enter_code(guest(sqlite_bank), step.token, device).due is SignInStatus.PASSED


def test_a_customer_without_an_address_is_told_so(sqlite_bank: Bank) -> None:
    nobody = people.customer(sqlite_bank, email=None)
    with pytest.raises(codes.NoMailAddress):
        people.enter_password(sqlite_bank, nobody)


# Enumeration: nobody learns which names exist.


def test_unknown_wrong_locked_and_inactive_answer_and_cost_the_same(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    people.employee(bank, username="ravi")
    people.change_user(bank, people.employee(bank, username="gone"), status=UserStatus.LOCKED)
    people.employee(bank, username="locked")
    for _ in range(5):
        refused_password(bank, "locked")
    asked: list[bytes] = []
    real = bcrypt.checkpw

    def counted(password: bytes, hashed: bytes) -> bool:
        asked.append(hashed[:7])
        return real(password, hashed)

    monkeypatch.setattr(bcrypt, "checkpw", counted)
    monkeypatch.setattr(bcrypt, "hashpw", None)  # no second hash for anybody
    cases = [
        ("ravi", GUESS),
        ("nobody here", GUESS),
        ("locked", Secret(PASSWORD)),
        ("gone", Secret(PASSWORD)),
        ("system", GUESS),
        ("", GUESS),
        ("ravi", Secret("x" * 5000)),
        ("' OR 1=1 --", GUESS),
    ]
    said = {refused_password(bank, username, password) for username, password in cases}
    assert len(said) == 1
    assert asked == [b"$2b$04$"] * len(cases), "once each, with the same rounds"


def test_bcrypt_runs_outside_of_every_transaction(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    ravi = people.employee(bank)
    busy: list[bool] = []
    real = bcrypt.checkpw

    def watched(password: bytes, hashed: bytes) -> bool:
        # The one writing connection of SQLite stays open between writes; the lock tells.
        kept = 1 if bank.db.dialect == "sqlite" else 0
        busy.append(bank.db._writer.locked() or bank.db.engine.pool.checkedout() > kept)  # type: ignore[attr-defined]
        return real(password, hashed)

    monkeypatch.setattr(bcrypt, "checkpw", watched)
    people.enter_password(bank, ravi)
    refused_password(bank, "ravi")
    assert busy == [False, False]


# Lock-out: counted in the database, before anything is verified.


def test_five_wrong_passwords_lock_for_a_quarter_of_an_hour(bank: Bank) -> None:
    ravi = people.employee(bank)
    for _ in range(5):
        refused_password(bank, "ravi")
    refused_password(bank, "ravi", Secret(PASSWORD))
    [mail] = people.mails(bank, ravi)
    assert mail.subject == "Signing in is locked for a while"
    assert "10.0.0.7" in mail.body
    people.later(bank, minutes=14, seconds=59)
    refused_password(bank, "ravi", Secret(PASSWORD))
    people.later(bank, seconds=1)
    assert people.enter_password(bank, ravi).due is SignInStatus.CODE_DUE


def test_after_the_lock_there_are_five_tries_again(sqlite_bank: Bank) -> None:
    people.employee(sqlite_bank)
    for _ in range(5):
        refused_password(sqlite_bank, "ravi")
    people.later(sqlite_bank, minutes=15)
    for _ in range(4):
        refused_password(sqlite_bank, "ravi")
    people.enter_password(sqlite_bank, people.Somebody(0, "ravi"))
    refused_password(sqlite_bank, "ravi")
    refused_password(sqlite_bank, "ravi", Secret(PASSWORD))


def test_a_complete_sign_in_forgets_earlier_tries(bank: Bank) -> None:
    ravi = people.employee(bank)
    for _ in range(2):
        for _ in range(4):
            refused_password(bank, "ravi")
        people.signed_in(bank, ravi)


def test_the_right_password_alone_does_not_forget_them(sqlite_bank: Bank) -> None:
    ravi = people.employee(sqlite_bank)
    for _ in range(4):
        refused_password(sqlite_bank, "ravi")
    people.enter_password(sqlite_bank, ravi)
    refused_password(sqlite_bank, "ravi")
    refused_password(sqlite_bank, "ravi", Secret(PASSWORD))


def test_the_lock_outlives_a_restart(bank: Bank) -> None:
    people.employee(bank)
    for _ in range(5):
        refused_password(bank, "ravi")
    folder, url = bank.settings.data_dir, bank.settings.database_url
    restarted = open_at(folder, url)
    try:
        refused_password(restarted, "ravi", Secret(PASSWORD))
    finally:
        restarted.db.close()


def test_parallel_guesses_never_get_more_than_the_allowed_tries(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    people.employee(bank)
    looked = []
    real, together = bcrypt.checkpw, threading.Barrier(16)

    def counted(password: bytes, hashed: bytes) -> bool:
        looked.append(not hashed.endswith(b"." * 53))
        return real(password, hashed)

    def guess(number: int) -> None:
        together.wait()
        refused_password(bank, "ravi", Secret(f"guess number {number}"))

    monkeypatch.setattr(bcrypt, "checkpw", counted)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(guess, range(16)))
    assert looked.count(True) == 5, "five guesses were compared with the real hash"
    assert looked.count(False) == 11, "the others did the same work against nobody's"


def test_parallel_codes_never_get_more_than_the_allowed_tries(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    asha = people.customer(bank)
    token = people.enter_password(bank, asha).token
    wrong = people.wrong_code(people.mailed_code(bank, asha))
    looked, together = [], threading.Barrier(16)
    real = codes.use_mailed

    def counted(*args: object) -> bool:
        looked.append(1)
        return real(*args)  # type: ignore[arg-type]

    def guess(_: int) -> None:
        together.wait()
        with pytest.raises((WrongCode, SignInOver)):
            sign_in.enter_code(guest(bank), token, wrong)

    monkeypatch.setattr(codes, "use_mailed", counted)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(guess, range(16)))
    assert len(looked) <= 5
    with pytest.raises(SignInOver):
        sign_in.enter_code(guest(bank), token, people.mailed_code(bank, asha))


def test_codes_cannot_be_guessed_across_sign_ins(bank: Bank) -> None:
    """Whoever knows the password does not get five fresh tries at the code with each sign-in."""
    ravi = people.employee(bank)
    wrong = people.wrong_code(people.device_code(bank, ravi.key))
    for _ in range(5):
        token = people.enter_password(bank, ravi).token
        with pytest.raises(WrongCode):
            sign_in.enter_code(guest(bank), token, wrong)
    with pytest.raises(SignInRefused):
        people.enter_password(bank, ravi)


def test_everything_at_once_by_one_person_ends_in_answers(bank: Bank) -> None:
    """No order of locks in which two of these wait for each other (PostgreSQL would say so)."""
    asha = people.customer(bank)
    sid = people.signed_in(bank, asha)
    inside = sessions.desk_for(bank, sid)
    assert inside is not None
    together = threading.Barrier(8)

    def way_in(_: int) -> None:
        step = people.enter_password(bank, asha)
        sign_in.enter_code(guest(bank), step.token, people.mailed_code(bank, asha))

    def wrong(number: int) -> None:
        people.enter_password(bank, asha, f"guess number {number}")

    def unlock(_: int) -> None:
        sign_in.unlock(guest(bank), Secret(sid), Secret(PASSWORD))

    def change(_: int) -> None:
        credentials.change_password(inside, Secret(PASSWORD), Secret("eleven blue umbrellas"))

    def pay(_: int) -> None:
        confirmations.request_code(inside, "send_money", "₹ 1.00 to myself")
        code = people.mailed_code(bank, asha)
        second = Secret(people.TRANSACTION_PASSWORD)
        confirmations.confirm(inside, "send_money", "₹ 1.00 to myself", second, code)

    ways = [way_in, way_in, way_in, wrong, unlock, unlock, change, pay]

    def run(index: int) -> None:
        for number in range(4):
            together.wait(60)
            with contextlib.suppress(BankError):
                ways[index](number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(run, range(8)))


# Codes: once, in time, for this sign-in only.


@pytest.mark.feature("A1.6", "A1.5")
def test_a_code_of_a_device_works_once(bank: Bank) -> None:
    ravi = people.employee(bank)
    code = people.device_code(bank, ravi.key)
    first, second = people.enter_password(bank, ravi), people.enter_password(bank, ravi)
    sign_in.enter_code(guest(bank), first.token, code)
    with pytest.raises(WrongCode):
        sign_in.enter_code(guest(bank), second.token, code)
    people.later(bank, seconds=30)
    with pytest.raises(WrongCode):
        sign_in.enter_code(guest(bank), second.token, code)
    fresh = people.device_code(bank, ravi.key)
    assert sign_in.enter_code(guest(bank), second.token, fresh).due is SignInStatus.PASSED


def test_parallel_use_of_one_device_code_opens_one_sign_in(bank: Bank) -> None:
    ravi = people.employee(bank)
    code = people.device_code(bank, ravi.key)
    tokens = [people.enter_password(bank, ravi).token for _ in range(4)]
    together = threading.Barrier(4)

    def enter(token: Secret) -> bool:
        together.wait()
        try:
            return sign_in.enter_code(guest(bank), token, code).due is SignInStatus.PASSED
        except WrongCode:
            return False

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(enter, tokens)) == 1


@pytest.mark.parametrize(("seconds", "works"), [(-30, True), (30, True), (-60, False), (60, False)])
def test_a_phone_may_be_half_a_minute_off(sqlite_bank: Bank, seconds: int, works: bool) -> None:
    ravi = people.employee(sqlite_bank)
    code = people.device_code(sqlite_bank, ravi.key)
    people.later(sqlite_bank, seconds=seconds)
    token = people.enter_password(sqlite_bank, ravi).token
    if works:
        sign_in.enter_code(guest(sqlite_bank), token, code)
    else:
        with pytest.raises(WrongCode):
            sign_in.enter_code(guest(sqlite_bank), token, code)


@pytest.mark.feature("A1.6", "A1.5")
def test_a_mailed_code_is_for_its_own_sign_in_and_once(bank: Bank) -> None:
    asha = people.customer(bank)
    first = people.enter_password(bank, asha)
    code_of_first = people.mailed_code(bank, asha)
    second = people.enter_password(bank, asha)
    for token in (first.token, second.token):
        with pytest.raises(WrongCode):
            sign_in.enter_code(guest(bank), token, code_of_first)
    code = people.mailed_code(bank, asha)
    spaced = Secret(f" {code.reveal()[:3]} {code.reveal()[3:]} ")
    assert sign_in.enter_code(guest(bank), second.token, spaced).due is SignInStatus.PASSED
    with pytest.raises(SignInOver):
        sign_in.enter_code(guest(bank), second.token, code)


def test_a_mailed_code_lives_ten_minutes(sqlite_bank: Bank) -> None:
    asha = people.customer(sqlite_bank)
    people.enter_password(sqlite_bank, asha)
    people.later(sqlite_bank, minutes=5)
    step = people.enter_password(sqlite_bank, asha)
    code = people.mailed_code(sqlite_bank, asha)
    people.later(sqlite_bank, minutes=9, seconds=59)
    assert sign_in.enter_code(guest(sqlite_bank), step.token, code).due is SignInStatus.PASSED


def test_a_sign_in_takes_ten_minutes_at_most(bank: Bank) -> None:
    ravi = people.employee(bank)
    step = people.enter_password(bank, ravi)
    people.later(bank, minutes=10)
    with pytest.raises(SignInOver):
        sign_in.enter_code(guest(bank), step.token, people.device_code(bank, ravi.key))


def test_another_code_voids_the_one_before_and_is_not_sent_at_once(bank: Bank) -> None:
    asha = people.customer(bank)
    step = people.enter_password(bank, asha)
    old = people.mailed_code(bank, asha)
    with pytest.raises(TooSoonForAnother):
        sign_in.send_another_code(guest(bank), step.token)
    people.later(bank, seconds=30)
    sign_in.send_another_code(guest(bank), step.token)
    new = people.mailed_code(bank, asha)
    if old != new:  # one time in a million they are the same
        with pytest.raises(WrongCode):
            sign_in.enter_code(guest(bank), step.token, old)
    assert sign_in.enter_code(guest(bank), step.token, new).due is SignInStatus.PASSED


def test_codes_that_nobody_uses_stop_being_sent(bank: Bank) -> None:
    asha = people.customer(bank)
    for _ in range(5):
        people.enter_password(bank, asha)
    with pytest.raises(TooManyCodes):
        people.enter_password(bank, asha)
    people.later(bank, minutes=15)
    people.signed_in(bank, asha)
    for _ in range(7):  # used ones do not count
        people.signed_in(bank, asha)


def test_a_wrong_code_says_so_and_names_its_field(sqlite_bank: Bank) -> None:
    ravi = people.employee(sqlite_bank)
    step = people.enter_password(sqlite_bank, ravi)
    for bad in ("", "12", "abcdef", "१२३४५६", "0" * 400):
        with pytest.raises((WrongCode, SignInOver)) as refused:
            sign_in.enter_code(guest(sqlite_bank), step.token, Secret(bad))
    assert isinstance(refused.value, SignInOver | WrongCode)


# Set-up, tokens, tickets.


def test_two_first_sign_ins_set_up_one_device(bank: Bank) -> None:
    ravi = people.employee(bank, has_device=False)
    thief, owner = people.enter_password(bank, ravi), people.enter_password(bank, ravi)
    key = sign_in.device_offer(guest(bank), owner.token).key
    sign_in.enter_code(guest(bank), owner.token, people.device_code(bank, key))
    with pytest.raises(SignInOver):
        sign_in.device_offer(guest(bank), thief.token)
    people.later(bank, seconds=30)
    with pytest.raises(SignInOver):
        sign_in.enter_code(guest(bank), thief.token, people.device_code(bank, key))


def test_no_step_can_be_left_out(bank: Bank) -> None:
    ravi = people.employee(bank)
    step = people.enter_password(bank, ravi)
    for skip in (
        lambda: sign_in.take_ticket(guest(bank), step.token, Secret(XSRF)),
        lambda: sign_in.choose_password(guest(bank), step.token, Secret("eleven blue umbrellas")),
        lambda: sign_in.device_offer(guest(bank), step.token),
        lambda: sign_in.enter_code(guest(bank), Secret("no such token"), Secret("123456")),
    ):
        with pytest.raises(SignInOver):
            skip()
    assert people.count(bank, "sessions") == 0


def test_somebody_deactivated_half_way_gets_no_further(bank: Bank) -> None:
    ravi = people.employee(bank)
    at_code, at_ticket = people.enter_password(bank, ravi), people.passed(bank, ravi)
    ticket = sign_in.take_ticket(guest(bank), at_ticket.token, Secret(XSRF))
    people.change_user(bank, ravi, status=UserStatus.LOCKED)
    people.later(bank, seconds=15)
    with pytest.raises(SignInOver):
        sign_in.enter_code(guest(bank), at_code.token, people.device_code(bank, ravi.key))
    assert sign_in.redeem_ticket(bank, ticket.reveal(), XSRF, "10.0.0.7") is None


def test_a_ticket_opens_one_session_in_its_own_browser_within_seconds(bank: Bank) -> None:
    ravi = people.employee(bank)

    def ticket() -> str:
        people.later(bank, seconds=30)
        step = people.passed(bank, ravi)
        return sign_in.take_ticket(guest(bank), step.token, Secret(XSRF)).reveal()

    def redeem(given: str, xsrf: str = XSRF) -> str | None:
        return sign_in.redeem_ticket(bank, given, xsrf, "10.0.0.7")

    late = ticket()
    people.later(bank, seconds=20)
    assert redeem(late) is None
    stolen = ticket()
    assert redeem(stolen, "the cookie of another browser") is None
    assert redeem(stolen) is None, "a ticket shown by the wrong browser is burnt"
    assert redeem("") is None
    assert redeem("made up") is None
    good = ticket()
    people.later(bank, seconds=19)
    assert redeem(good) is not None
    assert redeem(good) is None
    assert people.count(bank, "sessions") == 1


def test_parallel_use_of_one_ticket_opens_one_session(bank: Bank) -> None:
    step = people.passed(bank, people.employee(bank))
    ticket = sign_in.take_ticket(guest(bank), step.token, Secret(XSRF)).reveal()
    together = threading.Barrier(8)

    def redeem(_: int) -> str | None:
        together.wait()
        return sign_in.redeem_ticket(bank, ticket, XSRF, "10.0.0.7")

    with ThreadPoolExecutor(8) as pool:
        assert sum(sid is not None for sid in pool.map(redeem, range(8))) == 1
    assert people.count(bank, "sessions") == 1


def test_a_second_ticket_replaces_the_first(sqlite_bank: Bank) -> None:
    step = people.passed(sqlite_bank, people.employee(sqlite_bank))
    first = sign_in.take_ticket(guest(sqlite_bank), step.token, Secret(XSRF))
    people.later(sqlite_bank, seconds=25)
    second = sign_in.take_ticket(guest(sqlite_bank), step.token, Secret(XSRF))
    assert sign_in.redeem_ticket(sqlite_bank, first.reveal(), XSRF, "") is None
    assert sign_in.redeem_ticket(sqlite_bank, second.reveal(), XSRF, "") is not None


def test_a_browser_without_cookies_is_told(sqlite_bank: Bank) -> None:
    step = people.passed(sqlite_bank, people.employee(sqlite_bank))
    with pytest.raises(sign_in.NoCookies):
        sign_in.take_ticket(guest(sqlite_bank), step.token, Secret(""))


# What is kept.


@pytest.mark.feature("A1.14")
def test_neither_cookie_nor_token_nor_code_nor_key_can_be_read_from_the_database(
    sqlite_bank: Bank,
) -> None:
    asha, ravi = people.customer(sqlite_bank), people.employee(sqlite_bank)
    step = people.enter_password(sqlite_bank, asha)
    code = people.mailed_code(sqlite_bank, asha)
    sid = people.signed_in(sqlite_bank, ravi)
    assert ravi.key is not None
    everything = "\n".join(sqlite_bank.db.engine.raw_connection().iterdump())  # type: ignore[attr-defined]
    for secret in (PASSWORD, sid, step.token.reveal(), ravi.key.reveal(), f"code: {code.reveal()}"):
        assert secret not in everything
    assert "asha@example.com" in everything


@pytest.mark.feature("A1.16", "A9.1")
def test_every_attempt_is_in_the_trail_without_what_was_typed(bank: Bank) -> None:
    ravi = people.employee(bank)
    refused_password(bank, "ravi")
    refused_password(bank, "my password, typed into the wrong field")
    people.signed_in(bank, ravi)
    wrong, unknown, right = people.trail(bank, "people.sign_in.enter_password")
    assert wrong[:3] == ("refused", "user", str(ravi.id))
    assert '"why":"wrong password"' in wrong[3]
    assert '"username":"ravi"' in wrong[3]
    assert unknown[:3] == ("refused", None, None)
    assert '"why":"unknown name"' in unknown[3]
    assert right[:3] == ("done", "user", str(ravi.id))
    [code] = people.trail(bank, "people.sign_in.enter_code")
    [opened] = people.trail(bank, "people.sign_in.open_session")
    assert code[0] == opened[0] == "done"
    kept = str([wrong, unknown, right, code, opened])
    assert "wrong field" not in kept
    assert GUESS.reveal() not in kept


@pytest.mark.feature("A1.16")
def test_a_person_sees_their_own_history(bank: Bank) -> None:
    ravi, other = people.employee(bank), people.employee(bank, username="other")
    refused_password(bank, "ravi")
    refused_password(bank, "other")
    people.enter_password(bank, other)
    sid = people.signed_in(bank, ravi, agent="Firefox on Linux")
    people.later(bank, minutes=5)
    desk = sessions.desk_for(bank, sid)
    assert desk is not None
    sessions.sign_out(desk)
    desk = people.desk_of(bank, ravi)
    now, before, wrong = attempts.own_sign_ins(desk)
    assert [line.outcome for line in (now, before, wrong)] == ["opened", "opened", "refused"]
    assert before.ended_because == "signed_out"
    assert before.ended_at is not None
    assert before.ended_at > before.at
    assert (now.ended_at, now.from_where) == (None, "10.0.0.7")
    assert len(attempts.own_sign_ins(desk, newest=1)) == 1


def test_more_rounds_are_done_at_the_next_sign_in(
    sqlite_bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    ravi = people.employee(sqlite_bank)
    monkeypatch.setattr(passwords, "COST", 5)
    people.enter_password(sqlite_bank, ravi)
    dump = "\n".join(sqlite_bank.db.engine.raw_connection().iterdump())  # type: ignore[attr-defined]
    assert "$2b$05$" in dump
    people.enter_password(sqlite_bank, ravi)


def test_a_password_that_changed_while_it_was_verified_does_not_count(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    ravi = people.employee(bank)
    other = passwords.hash_password(Secret("eleven blue umbrellas"))
    real = passwords.matches

    def slow(password: Secret, hashed: str | None) -> bool:
        people.change_user(bank, ravi, password_hash=other)
        return real(password, hashed)

    monkeypatch.setattr(passwords, "matches", slow)
    refused_password(bank, "ravi", Secret(PASSWORD))


@pytest.mark.feature("A1.13")
@pytest.mark.parametrize("role", [role for role in Role if role is not Role.GUEST])
def test_only_who_is_not_signed_in_signs_in(sqlite_bank: Bank, role: Role) -> None:
    with pytest.raises(NotAllowed) as refused:
        sign_in.enter_password(desk(sqlite_bank, role), Secret("ravi"), GUESS)
    assert isinstance(refused.value, BankError)
    assert not isinstance(refused.value, SignInRefused)
