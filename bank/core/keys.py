"""Which key this database was made with: a mark of it, so that another one is noticed at the start.

With another key no device's code and no waiting mail could be read, and everybody would be shut
out one by one. A bank that says so at once is mended in a minute.
"""

from typing import Final

from sqlalchemy import String, select
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Mapped, mapped_column

from bank.core.db import Base
from bank.core.desk import Desk, Tx, looking, note

ONLY_ROW: Final = 1
PURPOSE: Final = "key check"
SIGNED: Final = "This is the key of this bank."


class AnotherKey(ValueError):
    """This database was made with another key than BANK_SECRET (or the file .secret in the data
    directory) holds now, and devices and codes could not be read. Start with the key it had: where
    BANK_SECRET was empty before, unset it again, or set it to what the file holds."""


class KeyCheck(Base):
    """The one row: what the bank's key makes of a fixed sentence. It does not give the key away."""

    __tablename__ = "key_checks"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    value: Mapped[str] = mapped_column(String(16))


def check(desk: Desk) -> None:
    """Note the key at the first start, and raise AnotherKey when it is a different one later."""
    mark = desk.bank.keyring.sign(PURPOSE, SIGNED)
    with looking(desk) as tx:
        known = _known(tx)
    if known is None:
        insert = postgres_insert if desk.bank.db.dialect == "postgresql" else sqlite_insert
        with note(desk) as tx:
            row = insert(KeyCheck).values(id=ONLY_ROW, value=mark)
            tx.connection.execute(row.on_conflict_do_nothing())
            known = _known(tx)  # another process may have been first
    if known != mark:
        raise AnotherKey(" ".join((AnotherKey.__doc__ or "").split()))


def _known(tx: Tx) -> str | None:
    return tx.connection.scalar(select(KeyCheck.value).where(KeyCheck.id == ONLY_ROW))
