"""The record of a branch's days: when it closed them, and opened them again.

A row for each act, never changed; where a day stands is the last of them. What closing asks for
and who may is in `branch_close`; drawers and the vault ask here whether cash may still move.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import ForeignKey, Index, String, select
from sqlalchemy.orm import Mapped, mapped_column

from bank.core.db import Base
from bank.core.desk import Tx
from bank.core.errors import WrongState
from bank.people.branches import Branch

LONGEST_REASON: Final = 200


class BranchAct(StrEnum):
    """What was done with a day."""

    CLOSED = "closed"
    REOPENED = "reopened"


class BranchDayClosed(WrongState):
    """This branch has closed its day, so its cash stays where it is. Its admin can open the day
    again, with a reason."""


class BranchDayAct(Base):
    """One act. `vault_minor` is what the vault held at that moment."""

    __tablename__ = "branch_day_acts"
    __table_args__ = (
        Index("ix_branch_day_acts_branch_id", "branch_id", "business_date"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    branch_id: Mapped[int] = mapped_column(ForeignKey("branches.id"))
    business_date: Mapped[date]
    act: Mapped[BranchAct]
    at: Mapped[datetime]
    by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    by_name: Mapped[str] = mapped_column(String(120))
    vault_minor: Mapped[int]
    reason: Mapped[str] = mapped_column(String(LONGEST_REASON))


def last_act(tx: Tx, branch_id: int) -> BranchDayAct | None:
    """What was done last with this business date of a branch, None while it was never closed."""
    return tx.session.scalar(
        select(BranchDayAct)
        .where(BranchDayAct.branch_id == branch_id, BranchDayAct.business_date == tx.business_date)
        .order_by(BranchDayAct.id.desc())
        .limit(1)
    )


def hold(tx: Tx, branch_id: int) -> None:
    """Until this transaction ends nobody closes the branch's day or takes cash from its vault.

    The same hold as `drawer_cash.take_from_vault`: a weaker one first would let two of these wait
    for each other. Rows that only name the branch are not kept waiting.
    """
    row = select(Branch.id).where(Branch.id == branch_id)
    tx.session.execute(row.with_for_update(key_share=True))


def check_open(tx: Tx, branch_id: int) -> None:
    """BranchDayClosed if the branch has closed this business date; it stays open until the
    transaction ends."""
    hold(tx, branch_id)
    last = last_act(tx, branch_id)
    if last is not None and last.act is BranchAct.CLOSED:
        raise BranchDayClosed
