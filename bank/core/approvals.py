"""Approvals: commands that wait for a second person, who may decide them, and what became of them.

    pending --approve--> executed
      | ^  \\--reject--> rejected     \\--the world has changed--> failed
      | |
      | answer
      v |
    returned                           pending, returned --withdraw--> withdrawn, --time--> expired

The queue and the decisions are in `office/approvals`, the interception in `core/checked`, who may
decide in `core/checkers`. An upper floor tells how the lines of an entry read (`read_lines_by`).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, select, text
from sqlalchemy.orm import Mapped, mapped_column

from bank.core import checkers, money, work
from bank.core.db import Base, marks
from bank.core.desk import CATALOGUE, Tx
from bank.core.errors import BankError, WrongState
from bank.core.permissions import Permission, Role
from bank.core.states import machine
from bank.core.work_tables import Level, Priority, WorkKind, WorkStatus, register_kind

LONGEST_TEXT: Final = 300
KIND: Final = register_kind(WorkKind("approval", "Approvals", Permission.APPROVAL_DECIDE))


class ApprovalStatus(StrEnum):
    """Where an approval stands."""

    PENDING = "pending"
    RETURNED = "returned"
    EXECUTED = "executed"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    FAILED = "failed"


S = ApprovalStatus
UNDECIDED: Final = (S.PENDING, S.RETURNED)
MOVES: Final = machine(
    "approval",
    {
        S.PENDING: {S.RETURNED, S.EXECUTED, S.REJECTED, S.WITHDRAWN, S.EXPIRED, S.FAILED},
        S.RETURNED: {S.PENDING, S.WITHDRAWN, S.EXPIRED},
    },
)
_OPEN: Final = text("status IN ('pending', 'returned')")


class AwaitingApproval(BankError):
    """This waits for the approval of a second person. You do not have to do it again."""

    def __init__(self, approval: "Approval", names: Sequence[str], *, is_new: bool) -> None:
        if approval.status is S.RETURNED:
            said = f"Approval {approval.id} came back with a question: {approval.question}"
        elif names:
            said = f"Waits for approval by {checkers.either(names)} (approval {approval.id})."
        else:
            said = (
                f"Waits for approval (approval {approval.id}), but nobody who works here now may "
                "give it. Tell head office."
            )
        super().__init__(said)
        self.approval_id: Final = approval.id
        self.status: Final = approval.status
        self.names: Final = tuple(names)
        self.is_new: Final = is_new


class AlreadyDecided(WrongState):
    """This was decided already. Look at what became of it under Approvals."""


class RequestReusedForApproval(WrongState):
    """This form already asks for something else to be approved. Reload the page and start again."""


class Approval(Base):
    """A command that waits or waited. `arguments` is JSON without secrets; `sealed` holds digests
    (of a password) under the bank's key until it is decided."""

    __tablename__ = "approvals"
    __table_args__ = (
        UniqueConstraint("command", "request_id"),
        Index(
            "uq_approvals_open",
            "command",
            "maker_id",
            "digest",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index("ix_approvals_status", "status", "branch_id", "id"),
        Index("ix_approvals_maker_id", "maker_id", "id"),
        Index("ix_approvals_maker_expires", "maker_id", "expires_at"),
        Index("ix_approvals_checker_id", "checker_id", "decided_at"),
        Index("ix_approvals_object", "object_kind", "object_id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    command: Mapped[str] = mapped_column(String(80))
    request_id: Mapped[str] = mapped_column(String(36))
    digest: Mapped[str] = mapped_column(String(64))
    arguments: Mapped[str] = mapped_column(Text)
    sealed: Mapped[str | None] = mapped_column(Text)
    object_kind: Mapped[str | None] = mapped_column(String(32))
    object_id: Mapped[str | None] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(32))
    amount_minor: Mapped[int | None]
    compared_minor: Mapped[int | None]
    currency: Mapped[str] = mapped_column(String(3))
    maker_id: Mapped[int]
    maker_name: Mapped[str] = mapped_column(String(120))
    maker_role: Mapped[Role]
    maker_branch_id: Mapped[int | None]
    branch_id: Mapped[int | None]
    session_id: Mapped[int | None]
    channel: Mapped[str] = mapped_column(String(16))
    from_where: Mapped[str] = mapped_column(String(64))
    business_date: Mapped[date]
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    checkers: Mapped[str] = mapped_column(String(200))
    rule_source: Mapped[str] = mapped_column(String(300))
    before: Mapped[str | None] = mapped_column(Text)
    after: Mapped[str | None] = mapped_column(Text)
    lines: Mapped[str] = mapped_column(Text)
    question: Mapped[str | None] = mapped_column(String(LONGEST_TEXT))
    status: Mapped[ApprovalStatus]
    checker_id: Mapped[int | None]
    checker_name: Mapped[str | None] = mapped_column(String(120))
    decided_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(String(LONGEST_TEXT))


class ApprovalAccount(Base):
    """An account that a waiting command touches: what is summed over the day, who is interested."""

    __tablename__ = "approval_accounts"
    __table_args__ = (Index("ix_approval_accounts_account", "account", "approval_id"),)

    approval_id: Mapped[int] = mapped_column(
        ForeignKey("approvals.id"), primary_key=True, autoincrement=False
    )
    account: Mapped[str] = mapped_column(String(24), primary_key=True)


class ApprovalEvent(Base):
    """One thing that happened to an approval. Never changed or deleted."""

    __tablename__ = "approval_events"
    __table_args__ = (
        Index("ix_approval_events_approval_id", "approval_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    approval_id: Mapped[int] = mapped_column(ForeignKey("approvals.id"))
    at: Mapped[datetime]
    what: Mapped[str] = mapped_column(String(16))
    by_id: Mapped[int | None]
    by_name: Mapped[str] = mapped_column(String(120))
    said: Mapped[str] = mapped_column(String(LONGEST_TEXT))


Lines = Callable[[Tx, str], Sequence[Mapping[str, Any]]]
_WAITING_OF_TODAY: Final = """
    SELECT COALESCE(SUM(p.amount_minor), 0)
    FROM approval_accounts a
    JOIN approvals p ON p.id = a.approval_id
    WHERE a.account = ? AND p.command = ? AND p.maker_id = ? AND p.business_date = ?
        AND p.status IN ('pending', 'returned') AND p.expires_at > ? AND p.id <> ?
"""
# On PostgreSQL alone: on SQLite there is one writer at a time.
_HOLD_SUM: Final = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 7243004))"
_lines: Final[list[Lines]] = []


def read_lines_by(lines: Lines) -> Lines:
    """Register who reads the lines of the entry with a request id, as people read them."""
    _lines[:] = [lines]
    return lines


def lines_of(tx: Tx, request_id: str) -> list[dict[str, Any]]:
    """The lines that a request has booked in this transaction."""
    return [dict(line) for reader in _lines for line in reader(tx, request_id)]


def names_for(tx: Tx, approval: Approval) -> list[str]:
    """Who may decide this approval now, by name."""
    able = checkers.could_decide(
        tx,
        roles=checkers.roles_in(approval.checkers),
        branch_id=approval.branch_id,
        maker_id=approval.maker_id,
        accounts=accounts_of(tx, approval.id),
        level=standing_of(tx, approval.id).level,
    )
    return checkers.named(tx, able)


class Standing(NamedTuple):
    """How the item of an approval stands: how far up the line it is, and who has claimed it."""

    level: int
    owner_id: int | None
    owner_name: str | None
    since: datetime | None


def standing_of(tx: Tx, approval_id: int) -> Standing:
    """Where an approval is in the queue; at the desk where it has no item."""
    item = work.item_if_any(tx, KIND.name, approval_id, is_held=False)
    if item is None:
        return Standing(Level.DESK, None, None, None)
    has_it = item.status is WorkStatus.CLAIMED and not work.is_timed_out(item, tx.now)
    owner = (item.owner_id, item.owner_name, item.claimed_at) if has_it else (None, None, None)
    return Standing(item.level, *owner)


def accounts_of(tx: Tx, approval_id: int) -> list[str]:
    """The accounts that an approval touches."""
    wanted = select(ApprovalAccount.account).where(ApprovalAccount.approval_id == approval_id)
    return list(tx.session.scalars(wanted.order_by(ApprovalAccount.account)))


def hold_sums(tx: Tx, command: str, maker_id: int, accounts: Collection[str]) -> None:
    """Hold what the maker does with this command on these accounts, taken before any row of them:
    what is summed from here on is all there is until this transaction ends."""
    if tx.dialect == "postgresql":
        for account in sorted(accounts):  # in one order, so that no two wait in a ring
            tx.cursor.execute(_HOLD_SUM, (f"{command} {maker_id} {account}",))


def waiting_of_today(
    tx: Tx, command: str, maker_id: int, account: str, *, but: int | None = None
) -> int:
    """What the maker has waiting on an account for this command and day, in minor units."""
    tx.cursor.execute(
        marks(tx.dialect, _WAITING_OF_TODAY),
        (account, command, maker_id, tx.day(tx.business_date), tx.stamp(tx.now), but or 0),
    )
    return int(tx.cursor.fetchone()[0])


def happened(tx: Tx, approval_id: int, what: str, said: str = "") -> None:
    """Add to the history of an approval."""
    tx.session.add(
        ApprovalEvent(
            approval_id=approval_id,
            at=tx.now,
            what=what,
            by_id=tx.desk.user_id,
            by_name=tx.desk.name,
            said=said[:LONGEST_TEXT],
        )
    )


def announce(tx: Tx, approval: Approval) -> None:
    """A new approval waits: the one place where it becomes an item of somebody's work."""
    happened(tx, approval.id, "asked")
    verb = CATALOGUE[approval.command]
    amount = approval.amount_minor
    shown = "" if amount is None else f"{money.show(amount, approval.currency)}: "
    work.open_item(
        tx,
        work.NewItem(
            kind=KIND.name,
            subject_id=approval.id,
            branch_id=approval.branch_id,
            reference=f"approval {approval.id}",
            title=f"{shown}{verb.sentence.rstrip('.')}",
            priority=Priority.HIGH,
            for_roles=checkers.roles_in(approval.checkers),
            not_for=approval.maker_id,
            words=f"{approval.maker_name} {approval.object_kind or ''} {approval.object_id or ''}",
        ),
    )


def take(tx: Tx, approval: Approval) -> None:
    """Deciding is taking the item first; a colleague who has claimed it is asked, not overruled."""
    item = _item_of(tx, approval)
    if item is not None:
        work.take(tx, item, is_entitled=True)


def moved(tx: Tx, approval: Approval, said: str) -> None:
    """The approval has a new state, and its item follows."""
    item = _item_of(tx, approval)
    if item is None:
        return
    if approval.status is S.RETURNED:
        work.ask(tx, item, said)
    elif approval.status is S.PENDING:
        work.answer(tx, item, said)
    else:
        work.decide(tx, item, approval.status.value, said)


def asks_others(tx: Tx, approval: Approval) -> None:
    """The rule now names other checkers: the item is theirs."""
    item = _item_of(tx, approval)
    if item is not None:
        work.change(tx, item, {"for_roles": approval.checkers}, "asks others")


def _item_of(tx: Tx, approval: Approval) -> Any:
    """The held item; None for an approval that is older than the queues."""
    return work.item_if_any(tx, KIND.name, approval.id)
