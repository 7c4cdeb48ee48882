"""What a signed-in person changes about their own proofs: passwords, and the device for codes."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

from sqlalchemy import select

from bank.core import outbox
from bank.core.desk import Desk, Tx, chunk, command, flow, looking, note, query
from bank.core.errors import BadInput, Declined, WrongState
from bank.core.permissions import Permission
from bank.core.secrets import Secret
from bank.people import attempts, backup_codes, codes, passwords, sessions, tries
from bank.people.codes import TotpOffer, WrongCode
from bank.people.fields import masked_email
from bank.people.identity import User, held_user, user_by_id
from bank.people.rules import rules
from bank.people.tries import Guarded

TO_PAY: Final = "security"  # what a mailed code is for, and what exactly it is bound to
TO_PAY_BOUND_TO: Final = "Set a new transaction password"
DEVICE: Final = "device"
DEVICE_BOUND_TO: Final = "Set up the first device for codes"
SIGNING_IN: Final = "Signing in"  # what is locked, as the mail about it says
PAYMENTS: Final = "Confirming payments"


class PasswordWrong(BadInput):
    """This is not your password, or it was tried too often. Check it, or wait a while."""


class OldPasswordWrong(BadInput):
    """This is not your transaction password, or it was tried too often. Check it, or wait."""


class PasswordsMustDiffer(BadInput):
    """The password to sign in and the transaction password must not be the same."""


class TriedTooOften(Declined):
    """Your transaction password was tried too often. Wait a quarter of an hour, then try again."""


class NoDeviceOffered(BadInput):
    """Scan the QR code first, then type the code that your device shows."""


class NoDeviceYet(WrongState):
    """Backup codes stand in for a device. Set one up first."""


@dataclass(frozen=True, kw_only=True)
class Proofs:
    """What this person can prove themselves with. `mail_to` is masked."""

    has_transaction_password: bool
    has_device: bool
    mail_to: str


@query(Permission.SESSION_KEEP)
def own_proofs(tx: Tx) -> Proofs:
    """Say what the person at this desk can prove themselves with."""
    user = _me(tx)
    return Proofs(
        has_transaction_password=user.transaction_password_hash is not None,
        has_device=user.totp_secret is not None,
        mail_to=masked_email(user.email),
    )


@flow(Permission.SESSION_KEEP)
def change_password(desk: Desk, current: Secret, new: Secret) -> None:
    """Choose another password; every other session of this person ends.

    Raises PasswordWrong (field `current`), or what is wrong with the new one (field `new`).
    """
    _check_new(desk, new)
    user = _verified(desk, current, field="current")
    if passwords.matches(new, user.password_hash):
        raise passwords.PasswordNotNew(field="new")
    is_last = _check_is_not_the_other(desk, user, new)
    new_hash = passwords.hash_password(new)
    with chunk(desk, "people.credentials.change_password") as tx:
        row = _unchanged(tx, user)
        row.password_hash = new_hash
        sessions.end_sessions(tx, row.id, because="password_changed", but=desk.session_id)
        _tell(tx, row, "The password to sign in to your bank was changed.")
        _wrong(is_last, PAYMENTS, tx)


@command(Permission.OWN_MONEY_SEND)
def request_security_code(tx: Tx) -> None:
    """Mail the code that a new transaction password asks for in place of the old one."""
    _send_code(
        tx, TO_PAY, TO_PAY_BOUND_TO, "choose a new transaction password", "change a password"
    )


@command(Permission.SESSION_KEEP)
def request_device_code(tx: Tx) -> None:
    """Mail the code that somebody's first device asks for."""
    _send_code(tx, DEVICE, DEVICE_BOUND_TO, "set up a device for one-time codes", "set up a device")


@flow(Permission.OWN_MONEY_SEND)
def set_transaction_password(
    desk: Desk, password: Secret, code: Secret | None, new: Secret, old: Secret | None = None
) -> None:
    """Choose the password that payments ask for: with the one in use, or with a mailed code.

    The sign-in password is asked in any case. Without the old one (forgotten, or the first) nothing
    is confirmed with the new one for a while. Raises PasswordWrong (field `password`),
    OldPasswordWrong (`old`), WrongCode, or what is wrong with the new one (`new`).
    """
    _check_new(desk, new)
    user = _verified(desk, password, field="password")
    if passwords.matches(new, user.password_hash):
        raise PasswordsMustDiffer(field="new")
    if old is not None:
        _verify_old(desk, user, old)
        if new == old:
            raise passwords.PasswordNotNew(field="new")
    is_last = old is None and _count_code(desk, user, TO_PAY)
    new_hash = passwords.hash_password(new)
    with chunk(desk, "people.credentials.set_transaction_password") as tx:
        row = _unchanged(tx, user)
        if old is None:
            _use_mailed(tx, row, TO_PAY, TO_PAY_BOUND_TO, code, "code", is_last)
            row.payments_rest_until = tx.now + timedelta(hours=rules(tx).payment_rest_hours)
        elif row.transaction_password_hash != user.transaction_password_hash:
            raise OldPasswordWrong(field="old")
        row.transaction_password_hash = new_hash
        tries.forget(tx, row.id, Guarded.CONFIRMATION)
        tx.facts["with_the_old_one"] = old is not None
        _tell(tx, row, "Your transaction password was changed.")


@command(Permission.SESSION_KEEP)
def offer_device(tx: Tx) -> TotpOffer:
    """Make a QR code that a new device scans; it counts once its first code has been entered."""
    user = held_user(tx, _me(tx).id)
    user.totp_pending = codes.fresh_key(tx)
    key = codes.opened_key(tx, user.totp_pending)
    assert key is not None
    tx.concerns("user", user.id)
    return codes.offer_of(user.username, key)


@flow(Permission.SESSION_KEEP)
def confirm_device(
    desk: Desk,
    password: Secret,
    code: Secret,
    old_code: Secret | None = None,
    mailed: Secret | None = None,
) -> None:
    """Take a scanned device into use: one that is in use must agree, or else the mailbox.

    `old_code` comes from the device in use; where there is none, `mailed` is what
    `request_device_code` has sent. Raises PasswordWrong (field `password`), WrongCode (`code`,
    `old_code`, `mailed`), or NoDeviceOffered.
    """
    user = _verified(desk, password, field="password")
    is_last = _count_code(desk, user, DEVICE)
    with chunk(desk, "people.credentials.confirm_device") as tx:
        row = _unchanged(tx, user)
        used, offered = codes.key_in_use(tx, row), codes.opened_key(tx, row.totp_pending)
        tries.give_back(tx, row.id, Guarded.SIGN_IN)  # undone with all else when a code is wrong
        if offered is None:
            raise NoDeviceOffered(field="code", remember=partial(_give_back, user.id))
        if used is None:
            _use_mailed(tx, row, DEVICE, DEVICE_BOUND_TO, mailed, "mailed", is_last)
        else:
            if old_code is None or not (
                codes.use_totp(tx, row, used, old_code) or backup_codes.use(tx, row.id, old_code)
            ):
                raise WrongCode(field="old_code", remember=partial(_wrong, is_last, SIGNING_IN))
            row.totp_last_step = 0  # steps are counted per key
            tx.session.flush()
        if not codes.use_totp(tx, row, offered, code):
            raise WrongCode(field="code", remember=partial(_wrong, is_last, SIGNING_IN))
        row.totp_secret, row.totp_pending = row.totp_pending, None
        sessions.end_sessions(tx, row.id, because="device_changed", but=desk.session_id)
        _tell(tx, row, "A device for one-time codes was set up.")


def _check_new(desk: Desk, new: Secret) -> None:
    with looking(desk) as tx:
        user = _me(tx)
        known, names = rules(tx), (user.username, user.name)
    passwords.check(
        new,
        shortest=known.password_characters,
        score=known.password_score,
        names=names,
        field="new",
    )


def _check_is_not_the_other(desk: Desk, user: User, new: Secret) -> bool:
    """Refuse the transaction password as a new sign-in password; answers whether it was a last try.

    The answer tells something about the transaction password, so it is counted as a try at it.
    """
    if user.transaction_password_hash is None:
        return False
    with note(desk) as tx:
        taken = tries.take(tx, user.id, Guarded.CONFIRMATION)
        is_last = tries.was_last(tx, taken)
    if not taken:
        raise TriedTooOften
    if passwords.matches(new, user.transaction_password_hash):
        raise PasswordsMustDiffer(field="new", remember=partial(_wrong, is_last, PAYMENTS))
    return is_last


@query(Permission.SESSION_KEEP)
def backup_codes_left(tx: Tx) -> int | None:
    """Count the backup codes this person has left; None for who has no device they stand in for."""
    assert tx.desk.user_id is not None
    key = tx.session.scalar(select(User.totp_secret).where(User.id == tx.desk.user_id))
    return None if key is None else backup_codes.left(tx, tx.desk.user_id)


@flow(Permission.SESSION_KEEP)
def make_backup_codes(desk: Desk, password: Secret) -> tuple[Secret, ...]:
    """Make fresh backup codes, to be shown once; the ones before no longer work.

    Raises PasswordWrong (field `password`), or NoDeviceYet.
    """
    user = _verified(desk, password, field="password")
    with chunk(desk, "people.credentials.make_backup_codes") as tx:
        row = _unchanged(tx, user)
        if row.totp_secret is None:
            raise NoDeviceYet
        made = backup_codes.make(tx, row.id)
        tx.facts["made"] = len(made)
        _tell(tx, row, "New backup codes for signing in were made.")
        return made


def _verified(desk: Desk, password: Secret, field: str) -> User:
    """Who has just proved to know the sign-in password.

    Counted like at the door, and given back as soon as it was right: what else is refused after
    that is no guess at it.
    """
    with note(desk) as tx:
        user = _me(tx)
        taken = tries.take(tx, user.id, Guarded.SIGN_IN)
        is_last = tries.was_last(tx, taken)
    if not passwords.matches(password, user.password_hash if taken else None):
        raise PasswordWrong(field=field, remember=partial(_wrong, is_last, SIGNING_IN))
    with note(desk) as tx:
        _give_back(user.id, tx)
    return user


def _verify_old(desk: Desk, user: User, old: Secret) -> None:
    """Refuse unless this is the transaction password; counted like a payment's."""
    with note(desk) as tx:
        taken = tries.take(tx, user.id, Guarded.CONFIRMATION)
        is_last = tries.was_last(tx, taken)
    if not passwords.matches(old, user.transaction_password_hash if taken else None):
        raise OldPasswordWrong(field="old", remember=partial(_wrong, is_last, PAYMENTS))
    with note(desk) as tx:
        tries.give_back(tx, user.id, Guarded.CONFIRMATION)


def _count_code(desk: Desk, user: User, purpose: str) -> bool:
    """Take a try at a code, before anybody looks at it; answers whether it was the last one."""
    with note(desk) as tx:
        taken = tries.take(tx, user.id, Guarded.SIGN_IN)
        if not taken:
            raise WrongCode(field="code")
        codes.count_code_try(tx, user.id, purpose)
        return tries.was_last(tx, taken)


def _use_mailed(
    tx: Tx, user: User, purpose: str, bound_to: str, code: Secret | None, field: str, is_last: bool
) -> None:
    """Use a mailed code up, and give its try back; or raise WrongCode."""
    if code is None or not codes.use_mailed(tx, user.id, purpose, bound_to, code):
        raise WrongCode(field=field, remember=partial(_wrong, is_last, SIGNING_IN))
    tries.give_back(tx, user.id, Guarded.SIGN_IN)


def _give_back(user_id: int, tx: Tx) -> None:
    tries.give_back(tx, user_id, Guarded.SIGN_IN)


def _wrong(is_last: bool, what: str, tx: Tx) -> None:
    if is_last:
        attempts.tell_of_lock(tx, _me(tx), what)


def _unchanged(tx: Tx, user: User) -> User:
    """The person's row, held, with the password that was just verified."""
    row = held_user(tx, user.id)
    if row.password_hash != user.password_hash:
        raise PasswordWrong(field="password")
    tx.concerns("user", row.id)
    return row


def _send_code(tx: Tx, purpose: str, bound_to: str, what: str, short: str) -> None:
    user, telling = _me(tx), f"You are about to {what}."
    codes.send_code(tx, user, purpose, bound_to, telling=telling, subject=f"Your code to {short}")
    tx.concerns("user", user.id)


def _me(tx: Tx) -> User:
    assert tx.desk.user_id is not None, "whoever is signed in has a user"
    return user_by_id(tx, tx.desk.user_id)


def _tell(tx: Tx, user: User, what: str) -> None:
    if user.email is not None:
        outbox.queue_mail(
            tx,
            to=user.email,
            subject="A change to how you sign in",
            body=f"Hello {user.name},\n\n{what} If it was not you, call your branch at once.\n",
            purpose="security",
            user_id=user.id,
        )
