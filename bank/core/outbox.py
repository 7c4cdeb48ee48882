"""The outbox: messages written in the transaction they tell about, delivered after it.

    waiting --claimed--> sending --accepted--> sent
       ^  |                 |----refused for good, or too often--> failed
       |  |                 '----not now--> waiting, for longer each time
       '--|--the process that was sending it is gone
          '--nobody needs an old code, or it was called off--> expired

Delivery is at least once: a message whose process died after the server took it goes again, under
the same Message-ID. A claim is a lease, so two processes do not send the same message.
"""

import logging
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Index, String, Text, insert, select, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, mapped_column

from bank.core import mail
from bank.core.db import Base, marks
from bank.core.desk import Bank, Desk, Tx, chunk, flow, looking, note, query
from bank.core.errors import BadInput, NotFound
from bank.core.ids import new_token
from bank.core.permissions import Permission, Role
from bank.core.secrets import Unreadable
from bank.core.states import check_move, machine

log: Final = logging.getLogger("bank.outbox")

LONGEST_RECIPIENT: Final = 254
LONGEST_SUBJECT: Final = 200
LONGEST_ERROR: Final = 300
MOST_ATTEMPTS: Final = 12
FIRST_PAUSE: Final = timedelta(seconds=30)
LONGEST_PAUSE: Final = timedelta(hours=1)  # twelve attempts take five hours
LOOK_AGAIN_SECONDS: Final = 5.0  # other processes write messages, too
KEY: Final = "outbox"
# One address, in ASCII, without anything that could start a header or a second address.
ADDRESS: Final = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z0-9-]*[A-Za-z0-9]"
)


class MessageStatus(StrEnum):
    """Where a message is."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    EXPIRED = "expired"


M = MessageStatus
MOVES: Final = machine(
    "message",
    {
        M.WAITING: {M.SENDING, M.EXPIRED},
        M.SENDING: {M.SENDING, M.SENT, M.WAITING, M.FAILED, M.EXPIRED},
    },
)


class Message(Base):
    """One message to one recipient.

    The body of a confidential message (it carries a code) is encrypted with the bank's key, and
    emptied once it has been delivered. `lease` names the process that is sending it right now.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        # Only what still has to go is in this index, so it stays as small as the queue.
        Index(
            "ix_outbox_due",
            "not_before",
            sqlite_where=text("status IN ('waiting', 'sending')"),
            postgresql_where=text("status IN ('waiting', 'sending')"),
        ),
        Index("ix_outbox_recipient", "recipient", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(String(8))
    recipient: Mapped[str] = mapped_column(String(LONGEST_RECIPIENT))
    subject: Mapped[str] = mapped_column(String(LONGEST_SUBJECT))
    body: Mapped[str] = mapped_column(Text)
    confidential: Mapped[bool]
    purpose: Mapped[str] = mapped_column(String(32))
    user_id: Mapped[int | None]
    status: Mapped[MessageStatus]
    attempts: Mapped[int]
    queued_at: Mapped[datetime]
    not_before: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    lease: Mapped[str | None] = mapped_column(String(64))
    leased_until: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(String(LONGEST_ERROR))


@dataclass(frozen=True, kw_only=True)
class MessageCard:
    """A message as the demo mailbox shows it."""

    id: int
    recipient: str
    subject: str
    body: str
    purpose: str
    status: MessageStatus
    queued_at: datetime


@dataclass(frozen=True, kw_only=True)
class _Claimed:
    recipient: str
    subject: str
    kept: str  # the body as it lies in the table
    key: str
    message_id: int
    attempts: int
    lease: str
    confidential: bool


_QUEUE: Final = """
    INSERT INTO outbox (channel, recipient, subject, body, confidential, purpose, user_id, status,
        attempts, queued_at, not_before, expires_at)
    VALUES ('email', ?, ?, ?, ?, ?, ?, 'waiting', 0, ?, ?, ?) RETURNING id
"""
_QUEUE_FOR: Final = {dialect: marks(dialect, _QUEUE) for dialect in ("sqlite", "postgresql")}
_DUE: Final = """
    status IN ('waiting', 'sending') AND not_before <= ?
    AND (leased_until IS NULL OR leased_until <= ?)
"""
_ANY_DUE: Final = f"SELECT 1 FROM outbox WHERE {_DUE} LIMIT 1"  # noqa: S608 - a constant
# A code that ran out is not sent any more; whoever is sending one at this moment keeps it.
_EXPIRE: Final = """
    UPDATE outbox SET status = 'expired', lease = NULL, leased_until = NULL,
        body = CASE WHEN confidential AND NOT ? THEN '' ELSE body END
    WHERE status IN ('waiting', 'sending') AND expires_at <= ?
        AND (leased_until IS NULL OR leased_until <= ?)
"""
_CLAIM: Final = f"""
    UPDATE outbox SET status = 'sending', attempts = attempts + 1, lease = ?, leased_until = ?
    WHERE id = (SELECT id FROM outbox WHERE {_DUE} ORDER BY not_before, id LIMIT 1 /* skip */)
    RETURNING id, recipient, subject, body, confidential, attempts, queued_at
"""  # noqa: S608 - a constant
_CLAIM_FOR: Final = {
    "sqlite": _CLAIM,
    "postgresql": marks("postgresql", _CLAIM.replace("/* skip */", "FOR UPDATE SKIP LOCKED")),
}
_SETTLE: Final = """
    UPDATE outbox SET status = ?, attempts = ?, not_before = ?, sent_at = ?, last_error = ?,
        lease = NULL, leased_until = NULL,
        body = CASE WHEN confidential AND ? THEN '' ELSE body END
    WHERE id = ? AND lease = ?
"""


def clean_address(text: str, *, field: str = "email") -> str:
    """One mail address, or BadInput(field): nothing in it starts a header or a second address."""
    if len(text) > LONGEST_RECIPIENT or not ADDRESS.fullmatch(text):
        raise BadInput("This is not a mail address. It looks like name@example.com.", field=field)
    return text


def queue_mail(
    tx: Tx,
    to: str,
    subject: str,
    body: str,
    purpose: str,
    user_id: int | None = None,
    *,
    confidential: bool = False,
    expires_at: datetime | None = None,
    not_before: datetime | None = None,
) -> int:
    """Write a mail in this transaction, to be delivered once it has been committed; its id.

    `body` is plain text. A confidential one (a code) lies encrypted and is emptied after delivery.
    It does not leave before `not_before`, and after `expires_at` it is not sent any more. Raises
    BadInput for a bad address or subject.
    """
    clean_address(to)
    if not subject.isprintable() or not 0 < len(subject) <= LONGEST_SUBJECT:
        raise BadInput("The subject of a mail is one line of printable text.", field="subject")
    expires = None if expires_at is None else tx.stamp(expires_at)
    now = tx.stamp(tx.now)
    leaves = tx.stamp(not_before or tx.now)
    kept = tx.bank.keyring.encrypt(KEY, body) if confidential else body
    tx.cursor.execute(
        _QUEUE_FOR[tx.dialect],
        (to, subject, kept, confidential, purpose, user_id, now, leaves, expires),
    )
    tx.after_commit.add(tx.bank.outbox_waits.set)
    return int(tx.cursor.fetchone()[0])


def queue_many(
    tx: Tx,
    to: Sequence[str],
    *,
    subject: str,
    body: str,
    purpose: str,
    not_before: datetime | None = None,
) -> None:
    """Write the same mail to many in this transaction, each of their own; none leaves before
    `not_before`. The addresses were cleaned when they were kept."""
    common = {
        "channel": "email",
        "subject": subject,
        "body": body,
        "confidential": False,
        "purpose": purpose,
        "status": MessageStatus.WAITING,
        "attempts": 0,
        "queued_at": tx.now,
        "not_before": not_before or tx.now,
    }
    if to:
        tx.connection.execute(insert(Message), [{**common, "recipient": each} for each in to])
        tx.after_commit.add(tx.bank.outbox_waits.set)


def call_off(tx: Tx, purpose: str) -> int:
    """Keep what waits with this purpose from leaving; answers how many mails that were."""
    return _call_off(tx, Message.purpose == purpose)


def call_off_mail(tx: Tx, message_id: int) -> bool:
    """Keep one mail that waits from leaving; False when it does not wait any more."""
    return _call_off(tx, Message.id == message_id) == 1


@query(Permission.DEMO_VIEW)
def messages(tx: Tx, newest: int = 50) -> Sequence[MessageCard]:
    """Show the latest mails of a demo bank, codes and all. Any other bank knows no such thing."""
    if not tx.bank.is_demo:
        raise NotFound
    rows = tx.session.scalars(select(Message).order_by(Message.id.desc()).limit(newest))
    return [
        MessageCard(
            id=row.id,
            recipient=row.recipient,
            subject=row.subject,
            body=_shown(tx.bank, row),
            purpose=row.purpose,
            status=row.status,
            queued_at=row.queued_at,
        )
        for row in rows
    ]


@flow(Permission.OUTBOX_DELIVER)
def deliver_waiting(desk: Desk) -> int:
    """Deliver what waits and is due; answers how many mails the server took.

    Without a mail server they go on waiting. When the server cannot be reached, the rest is left
    for the next round.
    """
    if not desk.bank.settings.smtp_host or not _is_any_due(desk):
        return 0
    sent = 0
    with mail.Postman(desk.bank.settings) as postman:
        while (claimed := _claim(desk)) is not None:
            try:
                postman.deliver(_letter(desk.bank, claimed))
            except mail.NotDelivered as trouble:
                _settle(desk, claimed, trouble)
                if trouble.is_ours:
                    break
            else:
                _settle(desk, claimed, None)
                sent += 1
    return sent


def deliver_forever(bank: Bank, stop: threading.Event) -> None:
    """Deliver whenever something waits, until told to stop (set `stop`, then `outbox_waits`).

    Whatever goes wrong outside (database, disk, network, settings, keys) is logged and tried again:
    one bad message must not hold up all others for good.
    """
    desk = Desk(bank=bank, role=Role.SYSTEM, user_id=1, name="system", channel="system")
    driver_error = bank.db.engine.dialect.loaded_dbapi.Error
    while not stop.is_set():
        bank.outbox_waits.clear()
        try:
            deliver_waiting(desk)
        except (SQLAlchemyError, driver_error) as trouble:
            log.warning("the outbox could not be read: %s", trouble)
        except (OSError, ValueError):
            log.exception("the outbox could not be delivered")
        bank.outbox_waits.wait(LOOK_AGAIN_SECONDS)


def pause_after(attempts: int) -> timedelta:
    """How long a message waits after so many attempts."""
    doubled: int = 2 ** min(attempts - 1, 16)
    return min(FIRST_PAUSE * doubled, LONGEST_PAUSE)


def _call_off(tx: Tx, which: ColumnElement[bool]) -> int:
    check_move(M.WAITING, M.EXPIRED, MOVES)
    called_off = update(Message).where(which, Message.status == M.WAITING)
    return int(tx.connection.execute(called_off.values(status=M.EXPIRED)).rowcount)


def _is_any_due(desk: Desk) -> bool:
    with looking(desk) as tx:
        now = tx.stamp(tx.now)
        tx.cursor.execute(marks(tx.dialect, _ANY_DUE), (now, now))
        return tx.cursor.fetchone() is not None


def _claim(desk: Desk) -> _Claimed | None:
    """Take the message that has waited longest, for long enough to send it."""
    lease = new_token()
    with note(desk) as tx:
        now = tx.stamp(tx.now)
        until = tx.now + timedelta(seconds=60 + 4 * desk.bank.settings.smtp_timeout)
        tx.cursor.execute(marks(tx.dialect, _EXPIRE), (tx.bank.is_demo, now, now))
        tx.cursor.execute(_CLAIM_FOR[tx.dialect], (lease, tx.stamp(until), now, now))
        row = tx.cursor.fetchone()
    if row is None:
        return None
    message_id, recipient, subject, body, confidential, attempts, queued_at = row
    queued = re.sub(r"\D", "", str(queued_at))[:14]
    return _Claimed(
        recipient=recipient,
        subject=subject,
        kept=body,
        key=f"{queued}.{message_id}",
        message_id=message_id,
        attempts=attempts,
        lease=lease,
        confidential=bool(confidential),
    )


def _letter(bank: Bank, claimed: _Claimed) -> mail.Letter:
    try:
        body = _opened(bank, claimed.kept, claimed.confidential)
    except Unreadable as lost:
        raise mail.NotDelivered(str(lost), is_final=True) from None
    return mail.Letter(to=claimed.recipient, subject=claimed.subject, body=body, key=claimed.key)


def _settle(desk: Desk, claimed: _Claimed, trouble: mail.NotDelivered | None) -> None:
    """Write down what became of it, unless the lease ran out and it is somebody else's by now."""
    attempts, status = claimed.attempts, M.SENT
    if trouble is not None:
        if trouble.is_ours:
            attempts -= 1  # a server that nobody reaches says nothing against the message
        is_over = trouble.is_final or attempts >= MOST_ATTEMPTS
        status = M.FAILED if is_over else M.WAITING
    check_move(M.SENDING, status, MOVES)
    with chunk(desk, "core.outbox.deliver_waiting") as tx:
        now = tx.stamp(tx.now)
        forgets = status is not M.WAITING and not desk.bank.is_demo
        values: tuple[Any, ...] = (
            status.value,
            attempts,
            tx.stamp(tx.now + pause_after(max(attempts, 1))),
            now if status is M.SENT else None,
            None if trouble is None else str(trouble)[:LONGEST_ERROR],
            forgets,
            claimed.message_id,
            claimed.lease,
        )
        tx.cursor.execute(marks(tx.dialect, _SETTLE), values)
        tx.concerns("message", claimed.message_id)
        tx.facts.update(status=status.value, attempts=attempts)
    if status is M.FAILED:
        log.warning("mail %s has failed: %s", claimed.message_id, trouble)


def _shown(bank: Bank, row: Message) -> str:
    try:
        return _opened(bank, row.body, row.confidential)
    except Unreadable as lost:
        return str(lost)


def _opened(bank: Bank, body: str, confidential: bool) -> str:
    return bank.keyring.decrypt(KEY, body) if confidential and body else body
