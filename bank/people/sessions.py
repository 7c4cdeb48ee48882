"""Sessions: who is signed in, and until when. The browser holds a token, the bank its digest.

    active --"lock", or idle--> locked --password--> active
       '--------------------------'----signed out, revoked, password changed----> ended

A session that has been idle is locked without anybody writing it down: its `last_seen_at` says so.
One that has reached `expires_at` is over in the same way.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ForeignKey, String, select
from sqlalchemy.orm import Mapped, mapped_column

from bank.core.db import Base, instant_of, marks
from bank.core.desk import Bank, Desk, Tx, command, looking, note, query
from bank.core.errors import NotFound
from bank.core.ids import fingerprint, new_token
from bank.core.permissions import NamedGrant, Permission, Role
from bank.core.secrets import Secret
from bank.core.states import machine, move
from bank.people import sign_ins
from bank.people.fields import LONGEST_AGENT, LONGEST_FROM_WHERE
from bank.people.rules import Rules, rules


class SessionStatus(StrEnum):
    """How a session stands."""

    ACTIVE = "active"
    LOCKED = "locked"
    ENDED = "ended"


MOVES: Final = machine(
    "session",
    {
        SessionStatus.ACTIVE: {SessionStatus.LOCKED, SessionStatus.ENDED},
        SessionStatus.LOCKED: {SessionStatus.ACTIVE, SessionStatus.ENDED},
    },
)


class NoSuchSession(NotFound):
    """This session is not one of yours, or it has ended already."""


class Session(Base):
    """One sign-in of one person in one browser. `fingerprint` is the digest of its cookie."""

    __tablename__ = "sessions"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    status: Mapped[SessionStatus]
    opened_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_because: Mapped[str | None] = mapped_column(String(32))
    from_where: Mapped[str] = mapped_column(String(LONGEST_FROM_WHERE))
    agent: Mapped[str] = mapped_column(String(LONGEST_AGENT))


@dataclass(frozen=True, kw_only=True)
class Viewing:
    """A customer's portal under an employee's eyes: `desk` only looks, `own` is the employee's."""

    desk: Desk
    own: Desk
    customer: str
    until: datetime


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a cookie leads to. There is a desk only while the session is active.

    `user_id` and `name` are known as long as it has not ended: the lock screen greets its owner.
    `ended_because` says why there is none any more, to whoever still has its cookie.
    """

    state: SessionStatus
    desk: Desk | None = None
    user_id: int | None = None
    name: str = ""
    ended_because: str = ""
    viewing: Viewing | None = None


@dataclass(frozen=True, kw_only=True)
class SessionCard:
    """A session as its owner sees it."""

    id: int
    opened_at: datetime
    last_seen_at: datetime
    from_where: str
    agent: str
    state: SessionStatus
    is_this_one: bool


NOBODY: Final = Found(state=SessionStatus.ENDED)

EXPIRED: Final = "expired"

_FIND: Final = """
    SELECT s.id, s.status, s.last_seen_at, s.expires_at,
           u.id, u.name, u.role, u.branch_id, u.customer_id, g.named,
           c.id, c.name, c.branch_id, v.expires_at
    FROM sessions s JOIN users u ON u.id = s.user_id
    LEFT JOIN named_grants g ON g.user_id = u.id AND g.ended_at IS NULL
        AND g.valid_from <= ? AND (g.valid_to IS NULL OR g.valid_to >= ?)
    LEFT JOIN viewings v ON v.session_id = s.id AND v.ended_at IS NULL AND v.expires_at > ?
    LEFT JOIN customers c ON c.id = v.customer_id
    WHERE s.fingerprint = ? AND s.status <> 'ended' AND u.status = 'active'
"""
_FIND_FOR: Final = {dialect: marks(dialect, _FIND) for dialect in ("sqlite", "postgresql")}
_SEEN: Final = (
    "UPDATE sessions SET last_seen_at = ? WHERE id = ? AND status = 'active' AND last_seen_at < ?"
)


def guest(bank: Bank, ip: str = "") -> Desk:
    """The desk of somebody who has not signed in, at this address."""
    return Desk(bank=bank, role=Role.GUEST, channel="portal", from_where=ip[:LONGEST_FROM_WHERE])


def find(bank: Bank, sid: str | None, ip: str = "", *, awake: bool = True) -> Found:
    """What the cookie `sid` leads to, by one look at the tables.

    Called in every rerun, fragment and callback, so whatever was revoked or changed counts at once.
    `awake=False` looks without counting as activity (a page that refreshes itself).
    """
    seen = _look(bank, sid, ip)
    if seen is None:
        return _ended(bank, sid, ip)
    own, viewing = seen.own, seen.viewing
    if not seen.is_active:
        return Found(state=SessionStatus.LOCKED, user_id=own.user_id, name=own.name)
    if awake and seen.is_stale:
        with note(own) as tx:
            now = tx.stamp(tx.now)
            tx.cursor.execute(marks(tx.dialect, _SEEN), (now, own.session_id, now))
    return Found(
        state=SessionStatus.ACTIVE,
        desk=viewing.desk if viewing else own,
        user_id=own.user_id,
        name=own.name,
        viewing=viewing,
    )


def desk_for(bank: Bank, sid: str | None, ip: str = "", *, awake: bool = True) -> Desk | None:
    """The desk of whoever holds this cookie, or None: nobody, or locked."""
    return find(bank, sid, ip, awake=awake).desk


def session_state_of(bank: Bank, sid: str | None) -> SessionStatus:
    """Whether the session behind this cookie is active, locked or ended."""
    return find(bank, sid, awake=False).state


def close(bank: Bank, sid: str | None, ip: str = "") -> None:
    """Sign out by the cookie alone, also from the lock screen. An ended session stays ended."""
    seen = _look(bank, sid, ip)
    if seen is not None:
        with suppress(NoSuchSession):  # another click has ended it between the look and this
            sign_out(seen.own)


@query(Permission.SESSION_KEEP)
def own_sessions(tx: Tx) -> Sequence[SessionCard]:
    """List the sessions in which this person is signed in now, newest first."""
    known = rules(tx)
    rows = tx.session.scalars(
        select(Session)
        .where(
            Session.user_id == tx.desk.user_id,
            Session.status != SessionStatus.ENDED,
            Session.expires_at > tx.now,
        )
        .order_by(Session.id.desc())
    )
    return [
        SessionCard(
            id=row.id,
            opened_at=row.opened_at,
            last_seen_at=row.last_seen_at,
            from_where=row.from_where,
            agent=row.agent,
            state=SessionStatus.LOCKED if is_idle(row.last_seen_at, tx.now, known) else row.status,
            is_this_one=row.id == tx.desk.session_id,
        )
        for row in rows
    ]


@command(Permission.SESSION_KEEP)
def lock(tx: Tx) -> None:
    """Lock this session: its password opens it again, and nothing is lost."""
    row = _own(tx, tx.desk.session_id)
    move(row, SessionStatus.LOCKED, MOVES)
    tx.concerns("session", row.id)


@command(Permission.SESSION_KEEP)
def sign_out(tx: Tx) -> None:
    """End this session."""
    _end(tx, [_own(tx, tx.desk.session_id)], "signed_out")
    tx.concerns("session", tx.desk.session_id)


@command(Permission.SESSION_KEEP)
def sign_out_everywhere(tx: Tx) -> int:
    """End every session of this person, this one too; answers how many."""
    assert tx.desk.user_id is not None
    return end_sessions(tx, tx.desk.user_id, because="signed_out_everywhere")


@command(Permission.SESSION_KEEP)
def end_session(tx: Tx, session_id: int) -> None:
    """End one of this person's sessions, in another browser perhaps."""
    _end(tx, [_own(tx, session_id)], "revoked")
    tx.concerns("session", session_id)


def end_sessions(
    tx: Tx, user_id: int, *, because: str, but: int | None = None, but_sign_in: int | None = None
) -> int:
    """End the sessions of a user in this transaction, all but one if given; answers how many.

    What they have begun at the door ends with them. It goes first: a session that is being opened
    meanwhile has been written by the time the sessions are looked for.
    """
    half_open = sign_ins.end_half_open(tx, user_id, but=but_sign_in)
    wanted = select(Session).where(
        Session.user_id == user_id,
        Session.status != SessionStatus.ENDED,
        Session.expires_at > tx.now,  # one that is over in time stays what it was
    )
    rows = tx.session.scalars(wanted.order_by(Session.id).with_for_update(key_share=True)).all()
    ended = [row for row in rows if row.id != but]
    _end(tx, ended, because)
    tx.facts["sessions_ended"] = [row.id for row in ended]
    if half_open:
        tx.facts["sign_ins_ended"] = half_open
    return len(ended)


def open_row(tx: Tx, user_id: int, agent: str) -> tuple[Session, Secret]:
    """Make the row of a new session in this transaction, and the token for its cookie."""
    sid = Secret(new_token())
    row = Session(
        fingerprint=fingerprint(sid.reveal()),
        user_id=user_id,
        status=SessionStatus.ACTIVE,
        opened_at=tx.now,
        last_seen_at=tx.now,
        expires_at=tx.now + timedelta(hours=rules(tx).session_hours),
        from_where=tx.desk.from_where,
        agent=agent[:LONGEST_AGENT],
    )
    tx.session.add(row)
    tx.session.flush()
    return row, sid


def live_session(tx: Tx, sid: Secret, *, held: bool = False) -> Session:
    """The session behind a cookie, held until the transaction ends if so asked.

    Raises NoSuchSession when it is over.
    """
    wanted = select(Session).where(Session.fingerprint == fingerprint(sid.reveal()))
    row = tx.session.scalar(wanted.with_for_update(key_share=True) if held else wanted)
    if row is None or row.status is SessionStatus.ENDED or row.expires_at <= tx.now:
        raise NoSuchSession
    return row


def wake(tx: Tx, row: Session) -> None:
    """Open a locked session again in this transaction; one that is active stays so."""
    if row.status is SessionStatus.ACTIVE and is_idle(row.last_seen_at, tx.now, rules(tx)):
        move(row, SessionStatus.LOCKED, MOVES)  # what its idleness has meant all the while
    if row.status is SessionStatus.LOCKED:
        move(row, SessionStatus.ACTIVE, MOVES)
    row.last_seen_at = tx.now


def is_idle(last_seen_at: datetime, now: datetime, known: Rules) -> bool:
    """Whether nothing was done for so long that the session is locked."""
    return now - last_seen_at >= timedelta(minutes=known.idle_minutes)


@dataclass(frozen=True, kw_only=True)
class _Seen:
    own: Desk
    viewing: Viewing | None
    is_active: bool
    is_stale: bool  # its last activity should be written down again


def _look(bank: Bank, sid: str | None, ip: str) -> _Seen | None:
    if not sid:
        return None
    visitor = guest(bank, ip)
    with looking(visitor) as tx:
        known, now = rules(tx), tx.now
        today = tx.day(tx.business_date)
        tx.cursor.execute(_FIND_FOR[tx.dialect], (today, today, tx.stamp(now), fingerprint(sid)))
        rows = tx.cursor.fetchall()  # one, or one for each grant given by name
    if not rows or now >= instant_of(rows[0][3]):
        return None
    row = rows[0]
    role, last_seen_at = Role(row[6]), instant_of(row[2])
    own = Desk(
        bank=bank,
        role=role,
        user_id=row[4],
        name=row[5],
        branch_id=row[7],
        customer_id=row[8],
        session_id=row[0],
        channel="portal" if role is Role.CUSTOMER else "branch",
        from_where=visitor.from_where,
        named=frozenset(NamedGrant(each[9]) for each in rows if each[9] is not None),
    )
    viewing = _viewing(own, row) if row[10] is not None else None
    return _Seen(
        own=own,
        viewing=viewing,
        is_active=row[1] == SessionStatus.ACTIVE and not is_idle(last_seen_at, now, known),
        is_stale=now - last_seen_at >= timedelta(seconds=known.seen_seconds),
    )


def _ended(bank: Bank, sid: str | None, ip: str) -> Found:
    """Why the session of this cookie is no more; nothing for a cookie that never was one."""
    if not sid:
        return NOBODY
    with looking(guest(bank, ip)) as tx:
        wanted = select(Session.ended_because, Session.expires_at)
        row = tx.session.execute(wanted.where(Session.fingerprint == fingerprint(sid))).first()
        if row is None:
            return NOBODY
        because = row.ended_because or (EXPIRED if row.expires_at <= tx.now else "closed")
    return Found(state=SessionStatus.ENDED, ended_because=because)


def _viewing(own: Desk, row: Sequence[Any]) -> Viewing | None:
    """The desk of the customer whom this employee looks at now, if they still may."""
    customer_id, customer, branch_id, until = row[10:14]
    if not own.may(Permission.CUSTOMER_VIEW_AS) or branch_id != own.branch_id:
        return None
    desk = replace(
        own,
        role=Role.CUSTOMER,
        named=frozenset(),
        customer_id=customer_id,
        on_behalf_of=customer_id,
        channel="view_as",
    )
    return Viewing(desk=desk, own=own, customer=customer, until=instant_of(until))


def _own(tx: Tx, session_id: int | None) -> Session:
    held = {"key_share": True}
    row = tx.session.get(Session, session_id, with_for_update=held) if session_id else None
    if row is None or row.user_id != tx.desk.user_id or row.status is SessionStatus.ENDED:
        raise NoSuchSession
    if row.expires_at <= tx.now:
        raise NoSuchSession
    return row


def _end(tx: Tx, rows: Sequence[Session], because: str) -> None:
    for row in rows:
        move(row, SessionStatus.ENDED, MOVES)
        row.ended_at, row.ended_because = tx.now, because
