"""Backup codes: look-up secrets for the day the device is lost. Shown once, each works once.

    live --typed--> used
      '----new ones were made, or the device was reset----> void

The table keeps a keyed digest of each; a copy of it gives none away.
"""

from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import ForeignKey, Index, String, func, select
from sqlalchemy.orm import Mapped, mapped_column

from bank.core.db import Base
from bank.core.desk import Tx
from bank.core.ids import new_backup_code
from bank.core.secrets import Secret
from bank.core.states import machine, move
from bank.people.rules import rules


class BackupCodeStatus(StrEnum):
    """What has become of a backup code."""

    LIVE = "live"
    USED = "used"
    VOID = "void"


B = BackupCodeStatus
MOVES: Final = machine("backup_code", {B.LIVE: {B.USED, B.VOID}})


class BackupCode(Base):
    """One code of one person. `mac` stands for both."""

    __tablename__ = "backup_codes"
    __table_args__ = (
        Index("ix_backup_codes_user_id", "user_id", "status"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    mac: Mapped[str] = mapped_column(String(16))
    status: Mapped[BackupCodeStatus]
    made_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


def make(tx: Tx, user_id: int) -> tuple[Secret, ...]:
    """Fresh codes for a person who is held; the ones before are void."""
    void(tx, user_id)
    made = tuple(Secret(new_backup_code()) for _ in range(rules(tx).backup_codes))
    tx.session.add_all(
        BackupCode(user_id=user_id, mac=_mac(tx, user_id, code), status=B.LIVE, made_at=tx.now)
        for code in made
    )
    return made


def use(tx: Tx, user_id: int, code: Secret) -> bool:
    """Use the code up if it is one of this person's that is left; the person is held."""
    row = tx.session.scalars(
        select(BackupCode)
        .where(
            BackupCode.user_id == user_id,
            BackupCode.status == B.LIVE,
            BackupCode.mac == _mac(tx, user_id, code),
        )
        .with_for_update()
    ).first()
    if row is None:
        return False
    move(row, B.USED, MOVES)
    row.used_at = tx.now
    tx.facts["backup_code"] = row.id
    return True


def left(tx: Tx, user_id: int) -> int:
    """How many codes a person has left."""
    tx.session.flush()
    wanted = select(func.count()).where(BackupCode.user_id == user_id, BackupCode.status == B.LIVE)
    return tx.session.scalar(wanted) or 0


def void(tx: Tx, user_id: int) -> None:
    """No code of this person works any more."""
    live = select(BackupCode).where(BackupCode.user_id == user_id, BackupCode.status == B.LIVE)
    for row in tx.session.scalars(live.with_for_update()):
        move(row, B.VOID, MOVES)


def _mac(tx: Tx, user_id: int, code: Secret) -> str:
    plain = "".join(char for char in code.reveal().lower() if char.isalnum())
    return tx.bank.keyring.sign("backup_code", f"{user_id}\x1f{plain}")
