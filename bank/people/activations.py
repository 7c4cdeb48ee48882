"""Activations: a link, mailed to one person alone, by which they choose a password. Once.

    live --password chosen--> used
      '----another one was sent, or the person may not come in any more----> void

Who adds an employee or resets a password never sees a password: the token lies encrypted in the
outbox until the mail is gone, and the table keeps its digest.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import ForeignKey, String, select
from sqlalchemy.orm import Mapped, mapped_column

from bank.core import outbox
from bank.core.clock import in_india
from bank.core.db import Base
from bank.core.desk import Desk, Tx, chunk, flow, looking, query
from bank.core.errors import NotFound
from bank.core.ids import fingerprint, new_token
from bank.core.permissions import Permission
from bank.core.secrets import Secret
from bank.core.states import machine, move
from bank.people import passwords, sessions, tries
from bank.people.codes import NoMailAddress
from bank.people.identity import User, held_user, user_by_id
from bank.people.rules import rules
from bank.people.tries import Guarded

PAGE: Final = "every-activate"  # the address of the page that a link leads to


class ActivationStatus(StrEnum):
    """What has become of a link."""

    LIVE = "live"
    USED = "used"
    VOID = "void"


A = ActivationStatus
MOVES: Final = machine("activation", {A.LIVE: {A.USED, A.VOID}})


class ActivationVoid(NotFound):
    """This link has been used, or is no longer valid. Ask for a new one at your branch."""


class Activation(Base):
    """One link. `fingerprint` is the digest of its token."""

    __tablename__ = "activations"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    fingerprint: Mapped[str] = mapped_column(String(64), unique=True)
    status: Mapped[ActivationStatus]
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """Whom a link is for, and until when it works."""

    username: str
    name: str
    expires_at: datetime


@query(Permission.SIGN_IN)
def invitation(tx: Tx, token: Secret) -> Invitation:
    """Show whom an activation link is for, or refuse one that no longer works."""
    row, user = _live(tx, token)
    return Invitation(username=user.username, name=user.name, expires_at=row.expires_at)


@flow(Permission.SIGN_IN)
def activate(desk: Desk, token: Secret, new: Secret) -> str:
    """Choose a password by an activation link; answers the user name to sign in with.

    Raises ActivationVoid, or what is wrong with the password (field `new`).
    """
    with looking(desk) as tx:
        _, user = _live(tx, token)
        known, names = rules(tx), (user.username, user.name)
    passwords.check(
        new,
        shortest=known.password_characters,
        score=known.password_score,
        names=names,
        field="new",
    )
    new_hash = passwords.hash_password(new)
    with chunk(desk, "people.activations.activate") as tx:
        row, user = _live(tx, token, held=True)
        move(row, A.USED, MOVES)
        user.password_hash, user.must_change_password = new_hash, False
        tries.forget(tx, user.id, Guarded.SIGN_IN)
        sessions.end_sessions(tx, user.id, because="password_changed")
        tx.concerns("user", user.id)
        tell(tx, user, "A new password to sign in to the bank was chosen by the link we sent you.")
        return user.username


def send_link(tx: Tx, user: User, *, subject: str, telling: str) -> None:
    """Mail a fresh link to its person alone; earlier ones are void. Raises NoMailAddress."""
    if user.email is None:
        raise NoMailAddress
    void_links(tx, user.id)
    token = new_token()
    hours = rules(tx).activation_hours
    expires_at = tx.now + timedelta(hours=hours)
    tx.session.add(
        Activation(
            user_id=user.id,
            fingerprint=fingerprint(token),
            status=A.LIVE,
            made_at=tx.now,
            expires_at=expires_at,
        )
    )
    until = f"{in_india(expires_at):%d %b %Y, %H:%M}"
    outbox.queue_mail(
        tx,
        to=user.email,
        subject=subject,
        body=(
            f"Hello {user.name},\n\n{telling}\n\nYour user name: {user.username}\n"
            f"Choose your password here:\n{tx.bank.settings.address()}/{PAGE}?token={token}\n\n"
            f"The link works once, until {until}. Nobody at the bank knows your password or will "
            "ever ask you for it.\n"
        ),
        purpose="activation",
        user_id=user.id,
        confidential=True,
        expires_at=expires_at,
    )


def void_links(tx: Tx, user_id: int) -> None:
    """No link of this person works any more."""
    live = select(Activation).where(Activation.user_id == user_id, Activation.status == A.LIVE)
    for row in tx.session.scalars(live.with_for_update()):
        move(row, A.VOID, MOVES)


def tell(tx: Tx, user: User, what: str) -> None:
    """Write to somebody about a change to how they sign in that others may have made."""
    if user.email is not None:
        outbox.queue_mail(
            tx,
            to=user.email,
            subject="A change to how you sign in",
            body=f"Hello {user.name},\n\n{what} If this is a surprise, call your branch at once.\n",
            purpose="security",
            user_id=user.id,
        )


def _live(tx: Tx, token: Secret, *, held: bool = False) -> tuple[Activation, User]:
    wanted = select(Activation).where(Activation.fingerprint == fingerprint(token.reveal()))
    row = tx.session.scalar(wanted)
    if row is None:
        raise ActivationVoid
    user = held_user(tx, row.user_id) if held else user_by_id(tx, row.user_id)
    if held:
        tx.session.refresh(row)  # another click with this link may have held the user before
    if row.status is not A.LIVE or row.expires_at <= tx.now or not user.active:
        raise ActivationVoid
    return row, user
