"""Attempts to sign in: how each is counted, refused, remembered, and shown to its owner."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import select

from bank.core import outbox
from bank.core.desk import Tx, query
from bank.core.errors import NotAllowed, WrongState
from bank.core.permissions import Permission
from bank.core.states import move
from bank.people import tries
from bank.people.fields import LONGEST_AGENT
from bank.people.identity import User, held_user, user_by_id
from bank.people.rules import rules
from bank.people.sessions import EXPIRED, Session
from bank.people.sign_ins import MOVES, SignIn, SignInStatus
from bank.people.tries import Guarded

S = SignInStatus


class SignInRefused(NotAllowed):
    """User name and password do not match, or were tried too often. Check both, or wait a while."""


class SignInOver(WrongState):
    """This sign-in took too long or had too many tries. Start again with your user name."""


class UnlockRefused(SignInRefused):
    """This is not your password, or it was tried too often. Check it, or wait a while."""


@dataclass(frozen=True, kw_only=True)
class PastSignIn:
    """A line of somebody's own sign-in history."""

    at: datetime
    from_where: str
    agent: str
    outcome: SignInStatus
    ended_at: datetime | None
    ended_because: str | None


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """A try that has been counted and not yet been looked at."""

    id: int
    user_id: int | None
    password_hash: str | None  # None when there is nothing to compare with
    why_not: str  # for the trail; the person reads the same sentence in every case
    is_last: bool


@query(Permission.SESSION_KEEP)
def own_sign_ins(tx: Tx, newest: int = 50) -> Sequence[PastSignIn]:
    """List this person's latest sign-ins and attempts, with when each session ended."""
    rows = tx.session.execute(
        select(SignIn, Session)
        .outerjoin(Session, Session.id == SignIn.session_id)
        .where(SignIn.user_id == tx.desk.user_id)
        .order_by(SignIn.id.desc())
        .limit(newest)
    )
    return [_past(row, tx.now, session) for row, session in rows]


def _past(row: SignIn, now: datetime, session: Session | None) -> PastSignIn:
    """A sign-in with the end of what it opened; a session that ran out bears no mark of it."""
    ended_at = because = None
    if row.status is S.OPENED and session is not None:
        ended_at, because = session.ended_at, session.ended_because
        if ended_at is None and session.expires_at <= now:
            ended_at, because = session.expires_at, EXPIRED
    return PastSignIn(
        at=row.at,
        from_where=row.from_where,
        agent=row.agent,
        outcome=row.status,
        ended_at=ended_at,
        ended_because=because,
    )


def begin(tx: Tx, user: User | None, agent: str, session_id: int | None = None) -> Attempt:
    """Write the attempt down and take its try, before anybody looks at the password."""
    why_not, taken, password_hash = "", 0, None
    if user is None:
        why_not = "unknown name"
    elif not user.active or user.password_hash is None:
        why_not = "may not sign in"
    elif not (taken := tries.take(tx, user.id, Guarded.SIGN_IN)):
        why_not = "locked"
    else:
        why_not, password_hash = "wrong password", user.password_hash
    row = SignIn(
        user_id=user.id if user else None,
        session_id=session_id,
        status=S.TRIED,
        at=tx.now,
        from_where=tx.desk.from_where,
        agent=agent[:LONGEST_AGENT],
        code_tries=0,
    )
    tx.session.add(row)
    tx.session.flush()
    return Attempt(
        id=row.id,
        user_id=row.user_id,
        password_hash=password_hash,
        why_not=why_not,
        is_last=tries.was_last(tx, taken),
    )


def refuse(attempt: Attempt, tx: Tx) -> None:
    """What outlives the refusal: the attempt's outcome, who it was about, a word to that person."""
    move(tx.locked(SignIn, attempt.id), S.REFUSED, MOVES)
    tx.facts["why"] = attempt.why_not
    if attempt.user_id is not None:
        user = user_by_id(tx, attempt.user_id)
        tx.concerns("user", user.id)
        tx.facts["username"] = user.username
        if attempt.is_last:
            tell_of_lock(tx, user)


def attempted(tx: Tx, attempt: Attempt) -> tuple[SignIn, User]:
    """The attempt whose password was right, unless the person changed while it was verified."""
    assert attempt.user_id is not None
    row, user = tx.locked(SignIn, attempt.id), held_user(tx, attempt.user_id)
    if not user.active or user.password_hash != attempt.password_hash:
        raise SignInRefused(remember=partial(refuse, attempt))
    tx.concerns("user", user.id)
    tx.facts["username"] = user.username
    return row, user


def tell_of_lock(tx: Tx, user: User, what: str = "Signing in") -> None:
    """Write to somebody whose last try has just been used up; it may not have been theirs."""
    if user.email is None:
        return
    outbox.queue_mail(
        tx,
        to=user.email,
        subject=f"{what} is locked for a while",
        body=(
            f"Hello {user.name},\n\nA wrong password or code was entered too often, last from "
            f"{tx.desk.from_where or 'an unknown address'}. {what} is locked for "
            f"{rules(tx).locked_minutes} minutes. If it was not you, call your branch.\n"
        ),
        purpose="locked",
        user_id=user.id,
    )
