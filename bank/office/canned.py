"""Words kept for replies, with placeholders that each ticket fills.

An employee keeps their own and forgets them again. Those that all use are kept by who leads: a
branch admin for the branch, a super admin for the bank or any branch. Of these every change stays,
with whose it was; retired, they are offered no more.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import ColumnElement, ForeignKey, Index, String, Text, UniqueConstraint, or_, select
from sqlalchemy import text as sql
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from bank.core.db import Base
from bank.core.desk import Tx, command, query
from bank.core.errors import BadInput, NotFound, WrongState
from bank.core.permissions import Permission
from bank.office.ticket_posts import clean_body
from bank.people.branches import Branch
from bank.people.fields import clean_text

LONGEST_NAME: Final = 60
LONGEST_REASON: Final = 200
PLACEHOLDERS: Final = ("{name}", "{ref}", "{account_last4}", "{reopen_days}", "{due}")
MARK: Final = re.compile(r"\{ *\w+ *\}")
_FOR_ALL: Final = "owner_id IS NULL AND retired_at IS NULL"
_BRANCHS: Final = sql(f"{_FOR_ALL} AND branch_id IS NOT NULL")
_BANKS: Final = sql(f"{_FOR_ALL} AND branch_id IS NULL")


class NoSuchReply(NotFound):
    """There is no such canned reply of yours. Look in the list."""


class KeptAtTheSameTime(WrongState):
    """A colleague has kept words under this name in this moment. Look at them, then try again."""


class Change(StrEnum):
    """What was done to words that all use."""

    KEPT = "kept"
    CHANGED = "changed"
    RETIRED = "retired"


class CannedReply(Base):
    """Words for a reply; of one employee, or of a branch or (without one) the bank when it has no
    owner."""

    __tablename__ = "canned_replies"
    __table_args__ = (
        UniqueConstraint("owner_id", "name"),
        Index(
            "uq_canned_replies_branch",
            *("branch_id", "name"),
            unique=True,
            sqlite_where=_BRANCHS,
            postgresql_where=_BRANCHS,
        ),
        Index(
            "uq_canned_replies_bank",
            "name",
            unique=True,
            sqlite_where=_BANKS,
            postgresql_where=_BANKS,
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int | None]
    branch_id: Mapped[int | None]
    name: Mapped[str] = mapped_column(String(LONGEST_NAME))
    body: Mapped[str] = mapped_column(Text)
    retired_at: Mapped[datetime | None]


class CannedReplyChange(Base):
    """What was done to words that all use, by whom. Triggers refuse every change."""

    __tablename__ = "canned_reply_changes"
    __table_args__ = (
        Index("ix_canned_reply_changes_reply_id", "reply_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    reply_id: Mapped[int] = mapped_column(ForeignKey("canned_replies.id"))
    at: Mapped[datetime]
    act: Mapped[str] = mapped_column(String(8))
    by_id: Mapped[int]
    by_name: Mapped[str] = mapped_column(String(120))
    body: Mapped[str] = mapped_column(Text)
    why: Mapped[str] = mapped_column(String(LONGEST_REASON))


@dataclass(frozen=True, kw_only=True)
class KeptReply:
    """A canned reply as employees see it; `may_change` says whether it is theirs to change."""

    id: int
    name: str
    body: str
    is_own: bool
    branch_id: int | None
    may_change: bool


@dataclass(frozen=True, kw_only=True)
class ReplyChange:
    """A line of the history of words that all use."""

    at: datetime
    act: Change
    by: str
    body: str
    why: str


@query(Permission.TICKET_WORK)
def replies(tx: Tx) -> Sequence[KeptReply]:
    """List the words this desk may use for replies: one's own, the branch's, the bank's."""
    return [
        KeptReply(
            id=row.id,
            name=row.name,
            body=row.body,
            is_own=row.owner_id is not None,
            branch_id=row.branch_id,
            may_change=row.owner_id is not None or _is_led_here(tx, row),
        )
        for row in usable(tx)
    ]


@query(Permission.TICKET_WORK)
def reply_history(tx: Tx, reply_id: int) -> Sequence[ReplyChange]:
    """List what was done to words that all use and by whom, newest first."""
    row = tx.session.get(CannedReply, reply_id)
    if row is None or row.owner_id is not None or not _in_sight(tx, row):
        raise NoSuchReply
    changes = tx.session.scalars(
        select(CannedReplyChange)
        .where(CannedReplyChange.reply_id == reply_id)
        .order_by(CannedReplyChange.id.desc())
    )
    return [
        ReplyChange(at=one.at, act=Change(one.act), by=one.by_name, body=one.body, why=one.why)
        for one in changes
    ]


@command(Permission.TICKET_WORK)
def keep_reply(tx: Tx, name: str, body: str) -> None:
    """Keep words for one's own replies under a name, instead of what it held before."""
    title, words = _clean(name, body)
    row = tx.session.scalar(
        select(CannedReply)
        .where(CannedReply.owner_id == tx.desk.user_id, CannedReply.name == title)
        .with_for_update()
    )
    tx.concerns("canned reply", title)
    tx.changed({"body": row.body} if row else None, {"body": words})
    if row is None:
        tx.session.add(CannedReply(owner_id=tx.desk.user_id, name=title, body=words))
    else:
        row.body = words
    _flush(tx)


@command(Permission.TICKET_WORK)
def forget_reply(tx: Tx, reply_id: int) -> None:
    """Forget words one has kept for one's own replies; replies written with them stay."""
    row = tx.session.get(CannedReply, reply_id, with_for_update=True)
    if row is None or row.owner_id is None or row.owner_id != tx.desk.user_id:
        raise NoSuchReply
    tx.concerns("canned reply", row.name)
    tx.changed({"body": row.body}, None)
    tx.session.delete(row)
    tx.session.flush()


@command(Permission.WORK_LEAD)
def keep_for_all(tx: Tx, name: str, body: str, branch_id: int | None = None) -> None:
    """Keep words for the replies of a branch or the bank under a name, or change what it holds."""
    title, words = _clean(name, body)
    place = _place(tx, branch_id)
    row = tx.session.scalar(
        select(CannedReply)
        .where(
            CannedReply.owner_id.is_(None),
            CannedReply.retired_at.is_(None),
            _of_branch(place),
            CannedReply.name == title,
        )
        .with_for_update()
    )
    tx.concerns("canned reply", title)
    if row is not None and row.body == words:  # a second click
        return
    tx.changed({"body": row.body} if row else None, {"body": words, "branch_id": place})
    act = Change.KEPT if row is None else Change.CHANGED
    if row is None:
        row = CannedReply(owner_id=None, branch_id=place, name=title, body=words)
        tx.session.add(row)
    row.body = words
    _flush(tx)
    _tell(tx, row, act)


@command(Permission.WORK_LEAD)
def retire_reply(tx: Tx, reply_id: int, why: str) -> None:
    """Offer words that all use no more, saying why; what was written with them stays."""
    reason = clean_text(why, field="reason", longest=LONGEST_REASON)
    row = tx.session.get(CannedReply, reply_id, with_for_update=True)
    if row is None or row.owner_id is not None or not _is_led_here(tx, row):
        raise NoSuchReply
    tx.concerns("canned reply", row.name)
    if row.retired_at is not None:  # a second click
        return
    tx.changed({"retired_at": None}, {"retired_at": tx.now.isoformat(), "why": reason})
    row.retired_at = tx.now
    tx.session.flush()
    _tell(tx, row, Change.RETIRED, reason)


def usable(tx: Tx) -> Sequence[CannedReply]:
    """The words that the person at the desk may use: their own first, then the branch's, then the
    bank's. Who sees the whole bank sees those of every branch."""
    found = tx.session.scalars(
        select(CannedReply)
        .where(
            CannedReply.retired_at.is_(None),
            or_(CannedReply.owner_id.is_(None), CannedReply.owner_id == tx.desk.user_id),
        )
        .order_by(
            CannedReply.owner_id.is_(None), CannedReply.branch_id.is_(None), CannedReply.name,
            CannedReply.id,
        )
    )  # fmt: skip
    return [row for row in found if row.owner_id is not None or _in_sight(tx, row)]


def _clean(name: str, body: str) -> tuple[str, str]:
    """A name and words whose placeholders are all known, or BadInput."""
    title = clean_text(name, field="name", longest=LONGEST_NAME)
    words = clean_body(body)
    if strange := [mark for mark in MARK.findall(words) if mark not in PLACEHOLDERS]:
        known = ", ".join(PLACEHOLDERS)
        raise BadInput(f"{strange[0]} is no placeholder. These are: {known}.", field="message")
    return title, words


def _in_sight(tx: Tx, row: CannedReply) -> bool:
    return row.branch_id in {None, tx.desk.branch_id} or tx.desk.sees_whole_bank


def _is_led_here(tx: Tx, row: CannedReply) -> bool:
    """Whether the person at the desk leads what these words are for."""
    if not tx.desk.may(Permission.WORK_LEAD):
        return False
    return tx.desk.sees_whole_bank or (
        row.branch_id is not None and row.branch_id == tx.desk.branch_id
    )


def _place(tx: Tx, branch_id: int | None) -> int | None:
    """For which branch words are kept; None is the bank, by who sees all of it."""
    if not tx.desk.sees_whole_bank:
        if branch_id not in {None, tx.desk.branch_id}:
            raise BadInput("You keep words for your own branch.", field="branch")
        return tx.desk.branch_id
    if branch_id is not None and tx.session.get(Branch, branch_id) is None:
        raise BadInput("Choose a branch from the list.", field="branch")
    return branch_id


def _of_branch(branch_id: int | None) -> ColumnElement[bool]:
    return (
        CannedReply.branch_id.is_(None) if branch_id is None else CannedReply.branch_id == branch_id
    )


def _flush(tx: Tx) -> None:
    try:
        tx.session.flush()
    except IntegrityError:  # two first clicks at once: the other one has kept it
        raise KeptAtTheSameTime from None


def _tell(tx: Tx, row: CannedReply, act: Change, why: str = "") -> None:
    assert tx.desk.user_id is not None
    tx.session.add(
        CannedReplyChange(
            reply_id=row.id, at=tx.now, act=act, by_id=tx.desk.user_id, by_name=tx.desk.name,
            body=row.body, why=why,
        )
    )  # fmt: skip
    tx.session.flush()
