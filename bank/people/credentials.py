"""What a signed-in person changes about their own proofs: passwords, and the device for codes."""

from functools import partial
from typing import Final

from sqlalchemy import select

from bank.core import outbox
from bank.core.desk import Desk, Tx, chunk, command, flow, looking, note, query
from bank.core.errors import BadInput, WrongState
from bank.core.permissions import Permission
from bank.core.secrets import Secret
from bank.people import attempts, backup_codes, codes, passwords, sessions, tries
from bank.people.codes import TotpOffer, WrongCode
from bank.people.identity import User, held_user, user_by_id
from bank.people.rules import rules
from bank.people.tries import Guarded

PURPOSE: Final = "security"
BOUND_TO: Final = "Set a new transaction password"


class PasswordWrong(BadInput):
    """This is not your password, or it was tried too often. Check it, or wait a while."""


class PasswordsMustDiffer(BadInput):
    """The password to sign in and the transaction password must not be the same."""


class NoDeviceOffered(BadInput):
    """Scan the QR code first, then type the code that your device shows."""


class NoDeviceYet(WrongState):
    """Backup codes stand in for a device. Set one up first."""


@flow(Permission.SESSION_KEEP)
def change_password(desk: Desk, current: Secret, new: Secret) -> None:
    """Choose another password; every other session of this person ends.

    Raises PasswordWrong (field `current`), or what is wrong with the new one (field `new`).
    """
    _check_new(desk, new)
    user, _ = _verified(desk, current, field="current")
    if passwords.matches(new, user.password_hash):
        raise passwords.PasswordNotNew(field="new")
    _check_differs(new, user.transaction_password_hash)
    new_hash = passwords.hash_password(new)
    with chunk(desk, "people.credentials.change_password") as tx:
        row = _unchanged(tx, user)
        row.password_hash = new_hash
        sessions.end_sessions(tx, row.id, because="password_changed", but=desk.session_id)
        _tell(tx, row, "The password to sign in to your bank was changed.")


@command(Permission.OWN_MONEY_SEND)
def request_security_code(tx: Tx) -> None:
    """Mail the code that a new transaction password asks for."""
    user = _me(tx)
    codes.send_code(
        tx,
        user,
        PURPOSE,
        BOUND_TO,
        telling="You are about to choose a new transaction password.",
        subject="Your code to change a password",
    )
    tx.concerns("user", user.id)


@flow(Permission.OWN_MONEY_SEND)
def set_transaction_password(desk: Desk, password: Secret, code: Secret, new: Secret) -> None:
    """Choose the password that payments ask for: with the sign-in password and a one-time code.

    Raises PasswordWrong (field `password`), WrongCode, or what is wrong with the new one (`new`).
    """
    _check_new(desk, new)
    user, is_last = _verified(desk, password, field="password")
    _check_differs(new, user.password_hash)
    new_hash = passwords.hash_password(new)
    with note(desk) as tx:
        codes.count_code_try(tx, user.id, PURPOSE)
    with chunk(desk, "people.credentials.set_transaction_password") as tx:
        row = _unchanged(tx, user)
        if not _proves(tx, row, code):
            raise WrongCode(field="code", remember=partial(_wrong, is_last))
        row.transaction_password_hash = new_hash
        tries.forget(tx, row.id, Guarded.CONFIRMATION)
        _tell(tx, row, "Your transaction password was changed.")


@command(Permission.SESSION_KEEP)
def offer_device(tx: Tx) -> TotpOffer:
    """Make a QR code that a new device scans; it counts once its first code has been entered."""
    user = held_user(tx, _me(tx).id)
    codes.offer_key(tx, user)
    key = codes.key_on_offer(tx, user)
    assert key is not None
    tx.concerns("user", user.id)
    return codes.offer_of(user.username, key)


@flow(Permission.SESSION_KEEP)
def confirm_device(
    desk: Desk, password: Secret, code: Secret, old_code: Secret | None = None
) -> None:
    """Take a scanned device into use; one that is in use already must agree with `old_code`.

    Raises PasswordWrong (field `password`), WrongCode (`code`, `old_code`), or NoDeviceOffered.
    """
    user, is_last = _verified(desk, password, field="password")
    with chunk(desk, "people.credentials.confirm_device") as tx:
        row = _unchanged(tx, user)
        used, offered = codes.key_in_use(tx, row), codes.key_on_offer(tx, row)
        if offered is None:
            raise NoDeviceOffered(field="code")
        if used is not None:
            if old_code is None or not (
                codes.use_totp(tx, row, used, old_code) or backup_codes.use(tx, row.id, old_code)
            ):
                raise WrongCode(field="old_code", remember=partial(_wrong, is_last))
            row.totp_last_step = 0  # steps are counted per key
            tx.session.flush()
        if not codes.use_totp(tx, row, offered, code):
            raise WrongCode(field="code", remember=partial(_wrong, is_last))
        codes.take_key_into_use(row)
        sessions.end_sessions(tx, row.id, because="device_changed", but=desk.session_id)
        _tell(tx, row, "A device for one-time codes was set up.")


def _check_new(desk: Desk, new: Secret) -> None:
    with looking(desk) as tx:
        user = _me(tx)
        shortest, names = rules(tx).password_characters, (user.username, user.name)
    passwords.check(new, shortest=shortest, names=names, field="new")


def _check_differs(new: Secret, other_hash: str | None) -> None:
    if other_hash is not None and passwords.matches(new, other_hash):
        raise PasswordsMustDiffer(field="new")


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
    user, _ = _verified(desk, password, field="password")
    with chunk(desk, "people.credentials.make_backup_codes") as tx:
        row = _unchanged(tx, user)
        if row.totp_secret is None:
            raise NoDeviceYet
        made = backup_codes.make(tx, row.id)
        tx.facts["made"] = len(made)
        _tell(tx, row, "New backup codes for signing in were made.")
        return made


def _verified(desk: Desk, password: Secret, field: str) -> tuple[User, bool]:
    """Who has just proved to know the sign-in password, and whether that took the last try.

    Counted like at the door, and given back once all else is right, too: a wrong code counts.
    """
    with note(desk) as tx:
        user = _me(tx)
        taken = tries.take(tx, user.id, Guarded.SIGN_IN)
        is_last = tries.was_last(tx, taken)
    if not passwords.matches(password, user.password_hash if taken else None):
        raise PasswordWrong(field=field, remember=partial(_wrong, is_last))
    return user, is_last


def _wrong(is_last: bool, tx: Tx) -> None:
    if is_last:
        attempts.tell_of_lock(tx, _me(tx))


def _unchanged(tx: Tx, user: User) -> User:
    """The person's row, held, with the password that was just verified; its try is given back."""
    row = held_user(tx, user.id)
    if row.password_hash != user.password_hash:
        raise PasswordWrong(field="password")
    tries.give_back(tx, row.id, Guarded.SIGN_IN)
    tx.concerns("user", row.id)
    return row


def _proves(tx: Tx, user: User, code: Secret) -> bool:
    key = codes.key_in_use(tx, user)
    if key is not None and codes.use_totp(tx, user, key, code):
        return True
    return codes.use_mailed(tx, user.id, PURPOSE, BOUND_TO, code)


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
