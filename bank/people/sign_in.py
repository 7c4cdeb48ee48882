"""Signing in: password, one-time code, perhaps a new password, then a ticket for the cookie.

The page holds a token that stands for the attempt (see `attempts`); which step is due only the
bank knows. Every try is counted in a transaction of its own before it is verified.
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

from sqlalchemy import select

from bank.core import outbox
from bank.core.desk import Bank, Desk, Tx, chunk, command, flow, looking, note, query
from bank.core.errors import NotAllowed
from bank.core.ids import fingerprint, new_token
from bank.core.permissions import STAFF, Permission
from bank.core.secrets import Secret
from bank.core.states import move
from bank.people import attempts, backup_codes, codes, passwords, sessions, sign_ins, tries
from bank.people.attempts import Attempt, SignInOver, SignInRefused, UnlockRefused
from bank.people.codes import TotpOffer, WrongCode
from bank.people.fields import masked_email
from bank.people.identity import User, held_user, user_by_id, user_by_name
from bank.people.rules import rules
from bank.people.sign_ins import MOVES, SignIn, SignInStatus
from bank.people.tries import Guarded

S = SignInStatus
PURPOSE: Final = "sign_in"


class NoCookies(NotAllowed):
    """Your browser keeps no cookies for this site. Allow them, then sign in again."""


class TicketVoid(NotAllowed):
    """The way from the sign-in to the bank was cut. Sign in again."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """Where a sign-in stands. `token` is for the next call; `sent_to` is empty for a TOTP code."""

    token: Secret
    due: SignInStatus
    name: str
    sent_to: str


@flow(Permission.SIGN_IN)
def enter_password(desk: Desk, username: Secret, password: Secret, agent: str = "") -> Step:
    """Check a user name and password, and say which step is due next.

    The name is a Secret because people type their password into the wrong field: the trail keeps
    only names that exist. Raises SignInRefused, for whatever reason after the same work.
    """
    with note(desk) as tx:
        attempt = attempts.begin(tx, user_by_name(tx, username.reveal()), agent)
    if not passwords.matches(password, attempt.password_hash):
        raise SignInRefused(remember=partial(attempts.refuse, attempt))
    assert attempt.password_hash is not None
    _give_back(desk, attempt)
    outdated = passwords.is_outdated(attempt.password_hash)
    stronger = passwords.hash_password(password) if outdated else None
    with chunk(desk, "people.sign_in.enter_password") as tx:
        return _password_right(tx, attempt, stronger)


@flow(Permission.SIGN_IN)
def enter_code(desk: Desk, token: Secret, code: Secret) -> Step:
    """Check the one-time code of a sign-in: mailed, from a device, or the first of a new device.

    Raises WrongCode, or SignInOver when it took too long or had too many tries.
    """
    with note(desk) as tx:
        is_last = _count_code_try(tx, token)
    with chunk(desk, "people.sign_in.enter_code") as tx:
        return _check_code(tx, token, code, is_last)


@flow(Permission.SIGN_IN)
def choose_password(desk: Desk, token: Secret, new: Secret) -> Step:
    """Replace a temporary password before the first session is opened.

    Raises the refusals of `passwords.check`, or PasswordNotNew, with the field `new`.
    """
    with looking(desk) as tx:
        row, user = _at_step(tx, token, S.PASSWORD_DUE)
        known, names, old_hash = rules(tx), (user.username, user.name), user.password_hash
    passwords.check(
        new,
        shortest=known.password_characters,
        score=known.password_score,
        names=names,
        field="new",
    )
    if passwords.matches(new, old_hash):
        raise passwords.PasswordNotNew(field="new")
    new_hash = passwords.hash_password(new)
    with chunk(desk, "people.sign_in.choose_password") as tx:
        row, user = _at_step(tx, token, S.PASSWORD_DUE, held=True)
        user.password_hash, user.must_change_password = new_hash, False
        sessions.end_sessions(tx, user.id, because="password_changed", but_sign_in=row.id)
        move(row, S.PASSED, MOVES)
        return _step(row, user, token)


@command(Permission.SIGN_IN)
def send_another_code(tx: Tx, token: Secret) -> None:
    """Mail another code for this sign-in; the one before is void."""
    row, user = _at_step(tx, token, S.CODE_DUE)
    if user.totp_secret is not None:
        raise SignInOver  # the code comes from a device, there is nothing to send
    codes.check_not_too_soon(tx, user.id, PURPOSE)
    _send_code(tx, row, user)


@query(Permission.SIGN_IN)
def device_offer(tx: Tx, token: Secret) -> TotpOffer:
    """Show the QR code of a first sign-in, to be scanned with an authenticator app."""
    row, user = _at_step(tx, token, S.SET_UP_DUE)
    key = codes.opened_key(tx, row.totp_pending)
    if key is None:
        raise SignInOver
    return codes.offer_of(user.username, key)


@command(Permission.SIGN_IN)
def take_ticket(tx: Tx, token: Secret, xsrf: Secret) -> Secret:
    """Hand out the ticket that opens the session: once, within seconds, in this browser only.

    `xsrf` is the value of the browser's xsrf cookie. A new ticket replaces the one before.
    """
    row, user = _at_step(tx, token, S.PASSED)
    if not xsrf.reveal():
        raise NoCookies
    ticket = Secret(new_token())
    row.ticket_fingerprint = fingerprint(ticket.reveal())
    row.ticket_bound_to = fingerprint(xsrf.reveal())
    row.ticket_expires_at = tx.now + timedelta(seconds=rules(tx).ticket_seconds)
    tx.concerns("user", user.id)
    return ticket


@command(Permission.SIGN_IN)
def open_session(tx: Tx, ticket: Secret, xsrf: Secret, agent: str = "") -> Secret:
    """Open the session of a finished sign-in against its ticket; answers the cookie's value."""
    digest = fingerprint(ticket.reveal())
    row = tx.session.scalar(
        select(SignIn).where(SignIn.ticket_fingerprint == digest).with_for_update()
    )
    if row is None or row.user_id is None or row.ticket_expires_at is None:
        raise TicketVoid
    user = user_by_id(tx, row.user_id)
    if (
        row.status is not S.PASSED
        or row.ticket_expires_at <= tx.now
        or row.ticket_bound_to != fingerprint(xsrf.reveal())
        or not user.active
    ):
        raise TicketVoid(remember=partial(_burn_ticket, row.id))
    session, sid = sessions.open_row(tx, user.id, agent or row.agent)
    move(row, S.OPENED, MOVES)
    row.session_id = session.id
    tx.concerns("user", user.id)
    tx.facts["session"] = session.id
    return sid


def redeem_ticket(bank: Bank, ticket: str, xsrf: str, ip: str, agent: str = "") -> str | None:
    """What the route that sets the cookie calls: the cookie's value, or None."""
    try:
        return open_session(sessions.guest(bank, ip), Secret(ticket), Secret(xsrf), agent).reveal()
    except TicketVoid:
        return None


@flow(Permission.SIGN_IN)
def unlock(desk: Desk, sid: Secret, password: Secret, agent: str = "") -> None:
    """Open a locked session again with its owner's password; counted like any other try.

    Raises UnlockRefused, or NoSuchSession when it has ended meanwhile.
    """
    with note(desk) as tx:
        session = sessions.live_session(tx, sid)
        attempt = attempts.begin(tx, user_by_id(tx, session.user_id), agent, session.id)
    if not passwords.matches(password, attempt.password_hash):
        raise UnlockRefused(remember=partial(attempts.refuse, attempt))
    _give_back(desk, attempt)
    with chunk(desk, "people.sign_in.unlock") as tx:
        row, _ = attempts.attempted(tx, attempt)
        sessions.wake(tx, sessions.live_session(tx, sid, held=True))
        move(row, S.UNLOCKED, MOVES)


def _give_back(desk: Desk, attempt: Attempt) -> None:
    """The password was right: whatever is refused from here on, it was no guess."""
    assert attempt.user_id is not None
    with note(desk) as tx:
        tries.give_back(tx, attempt.user_id, Guarded.SIGN_IN)


def _password_right(tx: Tx, attempt: Attempt, stronger: str | None) -> Step:
    row, user = attempts.attempted(tx, attempt)
    user.password_hash = stronger or user.password_hash
    token = Secret(new_token())
    row.token_fingerprint = fingerprint(token.reveal())
    row.expires_at = tx.now + timedelta(minutes=rules(tx).sign_in_minutes)
    if user.totp_secret is None and user.role in STAFF:
        row.totp_pending = codes.fresh_key(tx)
        move(row, S.SET_UP_DUE, MOVES)
    else:
        if user.totp_secret is None:
            _send_code(tx, row, user)
        move(row, S.CODE_DUE, MOVES)
    return _step(row, user, token)


def _count_code_try(tx: Tx, token: Secret) -> bool:
    """Take one try; answers whether it was the last one. Raises SignInOver when there is none."""
    row, user = _at_step(tx, token, S.CODE_DUE, S.SET_UP_DUE)
    taken = tries.take(tx, user.id, Guarded.SIGN_IN)
    tx.session.refresh(row)  # parallel tries have been waiting in that line for each other
    if not taken or row.code_tries >= rules(tx).code_tries:
        raise SignInOver(remember=partial(_code_refused, row.id, False))
    row.code_tries += 1
    codes.count_code_try(tx, user.id, PURPOSE)
    return tries.was_last(tx, taken) or row.code_tries >= rules(tx).code_tries


def _check_code(tx: Tx, token: Secret, code: Secret, is_last: bool) -> Step:
    row, user = _at_step(tx, token, S.CODE_DUE, S.SET_UP_DUE, held=True)
    tries.forget(tx, user.id, Guarded.SIGN_IN)  # undone with all else when the code is wrong
    key = codes.key_in_use(tx, user)
    if row.status is S.SET_UP_DUE:
        if key is not None:  # another sign-in has set up a device meanwhile
            raise SignInOver
        offered = codes.opened_key(tx, row.totp_pending)
        right = offered is not None and codes.use_totp(tx, user, offered, code)
        if right:
            user.totp_secret, row.totp_pending = row.totp_pending, None
            sign_ins.end_half_open(tx, user.id, but=row.id)  # their QR codes lead nowhere now
    elif key is not None:
        right = codes.use_totp(tx, user, key, code) or _use_backup_code(tx, user, code)
    else:
        right = codes.use_mailed(tx, user.id, PURPOSE, _bound_to(row), code)
    if not right:
        raise WrongCode(field="code", remember=partial(_code_refused, row.id, is_last))
    move(row, S.PASSWORD_DUE if user.must_change_password else S.PASSED, MOVES)
    tx.concerns("user", user.id)
    return _step(row, user, token)


def _use_backup_code(tx: Tx, user: User, code: Secret) -> bool:
    """Accept a backup code in place of the device's, and tell its owner that one is gone."""
    if not backup_codes.use(tx, user.id, code):
        return False
    if user.email is not None:
        outbox.queue_mail(
            tx,
            to=user.email,
            subject="A backup code was used to sign in",
            body=(
                f"Hello {user.name},\n\nA backup code was used in place of your device. "
                f"{backup_codes.left(tx, user.id)} are left. If it was not you, call your branch "
                "at once.\n"
            ),
            purpose="security",
            user_id=user.id,
        )
    return True


def _code_refused(sign_in_id: int, is_last: bool, tx: Tx) -> None:
    row = tx.locked(SignIn, sign_in_id)
    assert row.user_id is not None
    tx.concerns("user", row.user_id)
    if is_last:
        move(row, S.REFUSED, MOVES)
        attempts.tell_of_lock(tx, user_by_id(tx, row.user_id))


def _burn_ticket(sign_in_id: int, tx: Tx) -> None:
    row = tx.locked(SignIn, sign_in_id)
    row.ticket_fingerprint = None
    if row.user_id is not None:
        tx.concerns("user", row.user_id)


def _at_step(
    tx: Tx, token: Secret, *steps: SignInStatus, held: bool = False
) -> tuple[SignIn, User]:
    """The sign-in behind the token and its user, if it is at one of these steps and in time.

    `held`: the user is held until the transaction ends, and with them whatever hangs on the token.
    """
    wanted = select(SignIn).where(SignIn.token_fingerprint == fingerprint(token.reveal()))
    row = tx.session.scalar(wanted)
    if (
        row is None
        or row.user_id is None
        or row.status not in steps
        or row.expires_at is None
        or row.expires_at <= tx.now
    ):
        raise SignInOver
    user = held_user(tx, row.user_id) if held else user_by_id(tx, row.user_id)
    if held:
        tx.session.refresh(row)  # another click with this token may have held the user before
    if not user.active or row.status not in steps:
        raise SignInOver
    return row, user


def _send_code(tx: Tx, row: SignIn, user: User) -> None:
    codes.send_code(
        tx,
        user,
        PURPOSE,
        _bound_to(row),
        telling="Somebody signed in with your user name and password and is asked for this code.",
        subject="Your code to sign in",
    )


def _bound_to(row: SignIn) -> str:
    return f"sign-in {row.id}"


def _step(row: SignIn, user: User, token: Secret) -> Step:
    mailed = row.status is S.CODE_DUE and user.totp_secret is None
    return Step(
        token=token,
        due=row.status,
        name=user.name,
        sent_to=masked_email(user.email) if mailed else "",
    )
