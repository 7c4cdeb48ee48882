"""One-time codes: mailed ones, bound to exactly one thing, and TOTP from a person's own device.

    live --right, in time--> used
      '----another one was sent----> void

A mailed code is kept as a keyed digest of the code together with what it is for, so another
amount, payee or sign-in makes it worthless, and a copy of the table does not give it away.
"""

import hmac
import io
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import pyotp
import segno
from sqlalchemy import ForeignKey, Index, Select, String, func, select, update
from sqlalchemy.orm import Mapped, mapped_column

from bank.core import outbox
from bank.core.db import Base
from bank.core.desk import Tx
from bank.core.errors import BadInput, Declined
from bank.core.ids import new_code
from bank.core.secrets import Secret
from bank.core.states import machine, move
from bank.people.identity import User
from bank.people.rules import rules

ISSUER: Final = "Bank"  # how an authenticator app files the key
TOTP_SECONDS: Final = 30
TOTP_KEY_CHARACTERS: Final = 32  # 160 bits, what RFC 4226 recommends
TOTP_STEPS_OFF: Final = (0, -1, 1)  # a phone's clock, and the time it takes to type


class CodeStatus(StrEnum):
    """What has become of a mailed code."""

    LIVE = "live"
    USED = "used"
    VOID = "void"


MOVES: Final = machine("code", {CodeStatus.LIVE: {CodeStatus.USED, CodeStatus.VOID}})


class TooManyCodes(Declined):
    """Several codes were sent and not used. Look for the newest, or wait a quarter of an hour."""


class TooSoonForAnother(Declined):
    """A code is on its way. Wait half a minute, then ask for another."""


class NoMailAddress(Declined):
    """The bank has no mail address of yours to send a code to. Ask your branch to enter one."""


class WrongCode(BadInput):
    """This code is not right, or no longer valid. Look at the newest message and type it again."""


class Code(Base):
    """One mailed code. `mac` stands for the code, the purpose and what it is bound to."""

    __tablename__ = "codes"
    __table_args__ = (
        Index("ix_codes_user_id", "user_id", "purpose", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    purpose: Mapped[str] = mapped_column(String(32))
    mac: Mapped[str] = mapped_column(String(16))
    status: Mapped[CodeStatus]
    tries: Mapped[int]
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]


@dataclass(frozen=True, kw_only=True)
class TotpOffer:
    """A new TOTP key, shown once to its owner: as a QR code to scan, or as text to type."""

    key: Secret
    uri: Secret
    svg: bytes
    png: bytes


def send_code(tx: Tx, user: User, purpose: str, bound_to: str, telling: str, subject: str) -> None:
    """Mail a fresh code; earlier ones for this purpose are void.

    `bound_to` is what the code is good for, to the letter. `telling` is what the mail says about
    it. Raises TooManyCodes, or NoMailAddress.
    """
    if user.email is None:
        raise NoMailAddress
    known = rules(tx)
    since = tx.now - timedelta(minutes=known.unused_codes_minutes)
    unused = select(func.count()).where(
        Code.user_id == user.id,
        Code.purpose == purpose,
        Code.status != CodeStatus.USED,
        Code.made_at > since,
    )
    if (tx.session.scalar(unused) or 0) >= known.unused_codes:
        raise TooManyCodes
    for earlier in tx.session.scalars(_live(user.id, purpose)):
        move(earlier, CodeStatus.VOID, MOVES)
    code = new_code()
    expires_at = tx.now + timedelta(minutes=known.code_minutes)
    tx.session.add(
        Code(
            user_id=user.id,
            purpose=purpose,
            mac=_mac(tx, user.id, purpose, bound_to, code),
            status=CodeStatus.LIVE,
            tries=0,
            made_at=tx.now,
            expires_at=expires_at,
        )
    )
    outbox.queue_mail(
        tx,
        to=user.email,
        subject=subject,
        body=(
            f"Hello {user.name},\n\n{telling}\n\nYour code: {code}\n\n"
            f"It works once, for {known.code_minutes} minutes. Nobody at the bank will ever ask "
            "you for it. If you did not ask for it, call your branch.\n"
        ),
        purpose=purpose,
        user_id=user.id,
        confidential=True,
        expires_at=expires_at,
    )


def check_not_too_soon(tx: Tx, user_id: int, purpose: str) -> None:
    """Raise TooSoonForAnother when a code for this purpose has only just been sent."""
    latest = tx.session.scalars(_live(user_id, purpose)).first()
    wait = timedelta(seconds=rules(tx).another_code_seconds)
    if latest is not None and tx.now - latest.made_at < wait:
        raise TooSoonForAnother


def count_code_try(tx: Tx, user_id: int, purpose: str) -> None:
    """Count one try at the live code, before anybody looks whether it is right."""
    tx.session.execute(
        update(Code)
        .where(Code.user_id == user_id, Code.purpose == purpose, Code.status == CodeStatus.LIVE)
        .values(tries=Code.tries + 1)
    )


def use_mailed(tx: Tx, user_id: int, purpose: str, bound_to: str, code: Secret) -> bool:
    """Use the code up if it is live, in time, within its tries and for exactly this."""
    row = tx.session.scalars(_live(user_id, purpose).with_for_update()).first()
    if row is None or row.expires_at <= tx.now or row.tries > rules(tx).code_tries:
        return False
    typed = "".join(code.reveal().split())
    if not hmac.compare_digest(row.mac, _mac(tx, user_id, purpose, bound_to, typed)):
        return False
    move(row, CodeStatus.USED, MOVES)
    return True


def new_totp_key() -> Secret:
    """A fresh TOTP key in base32."""
    return Secret(pyotp.random_base32(TOTP_KEY_CHARACTERS))


def offer_of(username: str, key: Secret) -> TotpOffer:
    """The key as its owner needs it to set up their device."""
    uri = pyotp.TOTP(key.reveal()).provisioning_uri(name=username, issuer_name=ISSUER)
    qr = segno.make(uri, error="m", micro=False)
    svg, png = io.BytesIO(), io.BytesIO()
    qr.save(svg, kind="svg", scale=5, border=4, xmldecl=False, dark="#000", light="#fff")
    qr.save(png, kind="png", scale=5, border=4)
    return TotpOffer(key=key, uri=Secret(uri), svg=svg.getvalue(), png=png.getvalue())


def totp_now(key: Secret, now: datetime) -> tuple[str, int]:
    """The code of this moment and the seconds it has left."""
    at = int(now.timestamp())
    return pyotp.TOTP(key.reveal()).at(at), TOTP_SECONDS - at % TOTP_SECONDS


def use_totp(tx: Tx, user: User, key: Secret, code: Secret) -> bool:
    """Accept the device's code once: its step must be later than any accepted before."""
    typed = "".join(code.reveal().split())
    now = int(tx.now.timestamp()) // TOTP_SECONDS
    totp = pyotp.TOTP(key.reveal())
    right = [
        now + off
        for off in TOTP_STEPS_OFF
        if hmac.compare_digest(totp.at((now + off) * TOTP_SECONDS).encode(), typed.encode())
    ]
    if not right:
        return False
    taken = tx.session.scalar(
        update(User)
        .where(User.id == user.id, User.totp_last_step < max(right))
        .values(totp_last_step=max(right))
        .returning(User.id)
    )
    return taken is not None


def key_in_use(tx: Tx, user: User) -> Secret | None:
    """The TOTP key of the user's device, or None."""
    return opened_key(tx, user.totp_secret)


def fresh_key(tx: Tx) -> str:
    """A new key to be shown, encrypted, to be kept until its first right code."""
    return tx.bank.keyring.encrypt("totp", new_totp_key().reveal())


def opened_key(tx: Tx, kept: str | None) -> Secret | None:
    """The key behind what is kept of it, or None."""
    return Secret(tx.bank.keyring.decrypt("totp", kept)) if kept else None


def _live(user_id: int, purpose: str) -> Select[Code]:
    return (
        select(Code)
        .where(Code.user_id == user_id, Code.purpose == purpose, Code.status == CodeStatus.LIVE)
        .order_by(Code.id.desc())
    )


def _mac(tx: Tx, user_id: int, purpose: str, bound_to: str, code: str) -> str:
    return tx.bank.keyring.sign("code", "\x1f".join([str(user_id), purpose, bound_to, code]))
