"""Who is away: absences from one day to another, and who else needs to know of them.

Whoever is away keeps their rights; but nothing is handed to them, and nobody is told to wait for
them. What they hold goes to a colleague (`absences.py`).
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Final

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, String, select
from sqlalchemy.orm import Mapped, mapped_column

from bank.core import checkers
from bank.core.clock import day_in_words
from bank.core.db import Base
from bank.core.desk import Tx
from bank.core.errors import WrongState

LONGEST_REASON: Final = 200


class IsAway(WrongState):
    """This colleague is away. Choose somebody who is here."""


class YouAreAway(WrongState):
    """You are recorded as away, so no work comes to you. Ask your admin to end the absence."""


class Absence(Base):
    """One absence, both days included. `handed_over_at` is when what they held left their hands;
    `colleague_id` is who gets it, or nobody: then it goes back to the queues."""

    __tablename__ = "absences"
    __table_args__ = (
        CheckConstraint("first_day <= last_day", name="days_in_order"),
        Index("ix_absences_user_id", "user_id", "last_day"),
        Index("ix_absences_last_day", "last_day"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    first_day: Mapped[date]
    last_day: Mapped[date]
    reason: Mapped[str] = mapped_column(String(LONGEST_REASON))
    colleague_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    recorded_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    recorded_at: Mapped[datetime]
    handed_over_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    ended_because: Mapped[str | None] = mapped_column(String(LONGEST_REASON))


def running(day: date) -> ColumnElement[bool]:
    """The absences that count on a day."""
    row = Absence
    return row.ended_at.is_(None) & (row.first_day <= day) & (row.last_day >= day)


@checkers.know_absent_by
def away(tx: Tx, user_ids: Collection[int]) -> Mapping[int, date]:
    """Which of these users are away today, with their last day of it."""
    if not user_ids:
        return {}
    rows = tx.connection.execute(
        select(Absence.user_id, Absence.last_day).where(
            Absence.last_day >= tx.business_date, running(tx.business_date),
            Absence.user_id.in_(user_ids),
        )
    )  # fmt: skip
    return {user_id: last_day for user_id, last_day in rows}


def check_here(tx: Tx, user_id: int, name: str, *, field: str) -> None:
    """Raise IsAway when something is about to be handed to somebody who is away."""
    last_day = away(tx, [user_id]).get(user_id)
    if last_day is not None:
        raise IsAway(
            f"{name} is away until {day_in_words(last_day)}. Choose somebody who is here.",
            field=field,
        )


def check_own(tx: Tx) -> None:
    """Raise YouAreAway when the person at the desk asks for work while recorded as away."""
    assert tx.desk.user_id is not None
    last_day = away(tx, [tx.desk.user_id]).get(tx.desk.user_id)
    if last_day is not None:
        raise YouAreAway(
            f"You are recorded as away until {day_in_words(last_day)}, so no work comes to you. "
            "Ask your admin to end the absence."
        )


def due(tx: Tx) -> Sequence[Absence]:
    """Absences that have begun while what was held is still in hand, held in order."""
    wanted = (
        select(Absence)
        .where(running(tx.business_date), Absence.handed_over_at.is_(None))
        .order_by(Absence.id)
        .with_for_update(skip_locked=True)
    )
    return tx.session.scalars(wanted).all()


def is_any_due(tx: Tx) -> bool:
    """Whether there is such an absence."""
    wanted = select(Absence.id).where(
        running(tx.business_date), Absence.handed_over_at.is_(None)
    )  # fmt: skip
    return tx.connection.execute(wanted.limit(1)).first() is not None
