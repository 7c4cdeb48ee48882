"""The book's tables. Triggers made by the first migration guard every row (data/migrations/sql).

    entries   1 --- n postings n --- 0..1 balances

An entry is immutable; a posting is one signed line of it. `balances` is the
book's card of a customer account: what `accounts` (upstairs) builds on. Only a
posting moves it, and a trigger refuses any other change.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

from bank.core.db import Base


class TransactionId(UserDefinedType[int]):
    """PostgreSQL's xid8, by which readers find what committed since they last looked.

    Always null on SQLite, where one writer hands out ascending ids.
    """

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "xid8"


TXID = TransactionId().with_variant(Integer(), "sqlite")


class Balance(Base):
    """Booked, held and allowed money of one customer account, in minor units.

    available = booked - held + overdraft limit. `lines` counts its postings.
    """

    __tablename__ = "balances"
    __table_args__ = (
        CheckConstraint("held_minor >= 0", name="held_not_negative"),
        CheckConstraint("overdraft_limit_minor >= 0", name="overdraft_not_negative"),
        {"sqlite_autoincrement": True},
    )

    account_id: Mapped[int] = mapped_column(primary_key=True)
    gl_account_id: Mapped[int] = mapped_column(ForeignKey("gl_accounts.id"))
    branch_id: Mapped[int] = mapped_column(index=True)
    currency: Mapped[str] = mapped_column(String(3))
    booked_minor: Mapped[int] = mapped_column(default=0)
    held_minor: Mapped[int] = mapped_column(default=0)
    overdraft_limit_minor: Mapped[int] = mapped_column(default=0)
    lines: Mapped[int] = mapped_column(default=0)


class JournalEntry(Base):
    """One balanced booking. `request_id` is also its public transaction id (a UUID)."""

    __tablename__ = "entries"
    __table_args__ = (
        Index("ix_entries_booking_date", "booking_date", "id"),
        Index("ix_entries_branch_id", "branch_id", "id"),
        Index("ix_entries_actor_id", "actor_id", "id"),
        # Only imported entries have one.
        Index(
            "ix_entries_external_id",
            "external_id",
            sqlite_where=text("external_id IS NOT NULL"),
            postgresql_where=text("external_id IS NOT NULL"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[str] = mapped_column(String(36), unique=True)
    content_hash: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(32))
    narration: Mapped[str] = mapped_column(String(200))
    branch_id: Mapped[int]
    actor_id: Mapped[int]
    channel: Mapped[str] = mapped_column(String(16))
    booked_at: Mapped[datetime]
    booking_date: Mapped[date]
    value_date: Mapped[date]
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("entries.id"), unique=True)
    reason: Mapped[str | None] = mapped_column(String(200))
    external_id: Mapped[str | None] = mapped_column(String(80))
    txid: Mapped[int | None] = mapped_column(TXID)


class Posting(Base):
    """One signed line of an entry: credit +, debit -. A line on a customer account carries its
    number on that account and the running balance after it."""

    __tablename__ = "postings"
    __table_args__ = (
        CheckConstraint("amount_minor <> 0", name="amount_not_zero"),
        CheckConstraint(
            "(account_id IS NULL) = (line_no IS NULL)"
            " AND (account_id IS NULL) = (balance_minor IS NULL)",
            name="account_line_complete",
        ),
        UniqueConstraint("account_id", "line_no"),
        Index("ix_postings_gl_account_id", "gl_account_id", "branch_id", "booking_date"),
        {"sqlite_with_rowid": False},
    )

    # No foreign key: triggers want the entry, on PostgreSQL in the same statement (a key would
    # halve a batch's speed), on SQLite through its draft (keys are off there unless asked for).
    entry_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    leg: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    gl_account_id: Mapped[int]
    account_id: Mapped[int | None]
    branch_id: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    amount_minor: Mapped[int]
    booking_date: Mapped[date]
    value_date: Mapped[date]
    line_no: Mapped[int | None]
    balance_minor: Mapped[int | None]
    txid: Mapped[int | None] = mapped_column(TXID)


class Hold(Base):
    """An amount reserved on an account and not posted. Released once, by whoever needs to.

    What a person asked for carries the id of that request, so that a second click finds the first.
    """

    __tablename__ = "holds"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        Index("ix_holds_account_id", "account_id", "released_at"),
        Index("ix_holds_request_id", "request_id", unique=True),
        Index("ix_holds_release_request_id", "release_request_id", unique=True),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("balances.account_id"))
    amount_minor: Mapped[int]
    reason: Mapped[str] = mapped_column(String(200))
    placed_at: Mapped[datetime]
    placed_by: Mapped[int]
    released_at: Mapped[datetime | None]
    released_by: Mapped[int | None]
    request_id: Mapped[str | None] = mapped_column(String(36))
    release_request_id: Mapped[str | None] = mapped_column(String(36))


class FloorWaiver(Base):
    """The record that an import took an account below its limit. Open only inside that import.

    `batch_id` is the import: its chunks may waive again, no other import may.
    """

    __tablename__ = "floor_waivers"
    __table_args__ = (
        CheckConstraint("channel = 'import'", name="import_only"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("balances.account_id"), index=True)
    batch_id: Mapped[int | None]
    channel: Mapped[str] = mapped_column(String(16))
    source: Mapped[str] = mapped_column(String(200))
    granted_at: Mapped[datetime]
    granted_by: Mapped[int]
    lowest_minor: Mapped[int | None]
    closed_at: Mapped[datetime | None]


class Seal(Base):
    """A Merkle root over the entries that committed since the seal before."""

    __tablename__ = "seals"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sealed_at: Mapped[datetime]
    upto: Mapped[int] = mapped_column(BigInteger)
    entries: Mapped[int]
    root: Mapped[str] = mapped_column(String(64))
    previous: Mapped[str] = mapped_column(String(64))
    chain: Mapped[str] = mapped_column(String(64))


class PublishedRoots(Base):
    """One row: the last seal whose root is in the published file, written once it is safe there."""

    __tablename__ = "published_roots"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    upto: Mapped[int]


class SealLeaf(Base):
    """The digest of one sealed entry, kept so that a changed entry can be named."""

    __tablename__ = "seal_leaves"
    __table_args__ = (
        Index("ix_seal_leaves_seal_id", "seal_id", "entry_id"),
        {"sqlite_with_rowid": False},
    )

    entry_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seal_id: Mapped[int]
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))


class BankState(Base):
    """The one row of facts about this bank: whether it is a demo, and a set business date."""

    __tablename__ = "bank_state"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    is_demo: Mapped[bool] = mapped_column(default=False)
    business_date: Mapped[date | None]
