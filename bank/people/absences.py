"""An employee is away for some days: recorded by their admin, and what they hold is handed over.

An absence that begins today hands over at once, a later one on its first day (`begin_absences`, a
thread of `serve`). A drawer that still holds cash stands against it, as it does against leaving.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import aliased

from bank.core import objections
from bank.core.clock import day_in_words
from bank.core.desk import Desk, Tx, chunk, command, flow, query
from bank.core.errors import BadInput, NotFound, WrongState
from bank.core.objections import Question
from bank.core.permissions import Permission
from bank.people import away
from bank.people.away import Absence
from bank.people.fields import clean_text
from bank.people.identity import User, held_user
from bank.people.leaving import takes_over
from bank.people.staff import managed
from bank.people.staff_list import NoSuchEmployee, scope

LONGEST_DAYS: Final = 366


class DaysWrong(BadInput):
    """The last day is not before the first, not before today, and within a year of it."""


class AwayAlready(BadInput):
    """They are recorded as away on some of these days already. End that absence first."""


class NoSuchAbsence(NotFound):
    """There is no such absence, or it is not at your branch. Choose one from the list."""


class AbsenceOver(WrongState):
    """This absence is over or was ended already."""


@dataclass(frozen=True, kw_only=True)
class AbsenceCard:
    """An absence as people see it. `state` is coming, away, over or ended."""

    id: int
    first_day: date
    last_day: date
    reason: str
    colleague_id: int | None
    colleague: str
    recorded_by: str
    handed_over_at: datetime | None
    state: str
    ended_because: str


@command(Permission.STAFF_MANAGE)
def record_absence(
    tx: Tx,
    user_id: int,
    first_day: date,
    last_day: date,
    reason: str,
    colleague_id: int | None = None,
) -> dict[str, int]:
    """Record that an employee is away; answers what was handed over, if it begins today.

    Raises Objected when a drawer stands against an absence that has begun.
    """
    why = clean_text(reason, field="reason", longest=away.LONGEST_REASON)
    today = tx.business_date
    is_long = last_day - first_day >= timedelta(days=LONGEST_DAYS)
    if last_day < first_day or last_day < today or is_long:
        raise DaysWrong(field="last_day")
    user = managed(tx, user_id, colleague_id)
    _refuse_twice(tx, user_id, first_day, last_day)
    colleague = None if colleague_id is None else takes_over(tx, user, colleague_id)
    has_begun = first_day <= today
    if has_begun:
        objections.check(tx, Question.EMPLOYEE_AWAY, user_id)
    assert tx.desk.user_id is not None
    row = Absence(
        user_id=user_id,
        first_day=first_day,
        last_day=last_day,
        reason=why,
        colleague_id=None if colleague is None else colleague.id,
        recorded_by=tx.desk.user_id,
        recorded_at=tx.now,
    )
    tx.session.add(row)
    tx.session.flush()
    moved = _hand_over(tx, row, user, colleague) if has_begun else {}
    tx.concerns("user", user_id)
    tx.changed(None, _facts(row))
    tx.facts.update(reason=why, handed_over=moved)
    return moved


@command(Permission.STAFF_MANAGE)
def end_absence(tx: Tx, absence_id: int, why: str) -> None:
    """End an absence before its last day, or one that has not begun: they are here."""
    because = clean_text(why, field="reason", longest=away.LONGEST_REASON)
    found = tx.session.get(Absence, absence_id)
    if found is None:
        raise NoSuchAbsence
    try:
        managed(tx, found.user_id)
    except NoSuchEmployee:
        raise NoSuchAbsence from None
    row = tx.locked(Absence, absence_id)
    if row.ended_at is not None or row.last_day < tx.business_date:
        raise AbsenceOver
    before = _facts(row)
    row.ended_at, row.ended_by, row.ended_because = tx.now, tx.desk.user_id, because
    tx.session.flush()
    tx.concerns("user", row.user_id)
    tx.changed(before, _facts(row))
    tx.facts["reason"] = because


@query(Permission.STAFF_VIEW)
def absences(tx: Tx, user_id: int) -> Sequence[AbsenceCard]:
    """List when an employee of one's branch was or will be away, the latest first."""
    if tx.session.scalar(select(User.id).where(User.id == user_id, *scope(tx))) is None:
        raise NoSuchEmployee
    colleague, admin = aliased(User), aliased(User)
    rows = tx.session.execute(
        select(Absence, colleague.name, admin.name)
        .outerjoin(colleague, colleague.id == Absence.colleague_id)
        .join(admin, admin.id == Absence.recorded_by)
        .where(Absence.user_id == user_id)
        .order_by(Absence.first_day.desc(), Absence.id.desc())
    )
    return [
        AbsenceCard(
            id=row.id,
            first_day=row.first_day,
            last_day=row.last_day,
            reason=row.reason,
            colleague_id=row.colleague_id,
            colleague=to or "",
            recorded_by=by,
            handed_over_at=row.handed_over_at,
            state=_state(row, tx.business_date),
            ended_because=row.ended_because or "",
        )
        for row, to, by in rows
    ]


@flow(Permission.WORK_SWEEP)
def begin_absences(desk: Desk) -> int:
    """Hand over what is held by those whose absence has begun; answers how many they are."""
    with chunk(desk, "people.absences.begin_absences") as tx:
        rows = away.due(tx)
        for row in rows:
            user = held_user(tx, row.user_id)
            colleague = None if row.colleague_id is None else tx.session.get(User, row.colleague_id)
            if colleague is not None and (
                not colleague.active or colleague.branch_id != user.branch_id
                or away.away(tx, [colleague.id])
            ):  # fmt: skip
                colleague = None
            tx.facts[user.username] = _hand_over(tx, row, user, colleague)
        return len(rows)


def _hand_over(tx: Tx, row: Absence, user: User, colleague: User | None) -> dict[str, int]:
    row.handed_over_at = tx.now
    tx.session.flush()
    if colleague is not None:
        return objections.hand_over(tx, user.id, colleague.id)
    until = day_in_words(row.last_day)
    return objections.put_back(tx, user.id, f"{user.name} is away until {until}")


def _refuse_twice(tx: Tx, user_id: int, first_day: date, last_day: date) -> None:
    row = Absence
    there = tx.session.scalar(
        select(row)
        .where(
            row.user_id == user_id,
            row.ended_at.is_(None),
            row.first_day <= last_day,
            row.last_day >= first_day,
        )
        .limit(1)
    )
    if there is not None:
        first, last = day_in_words(there.first_day), day_in_words(there.last_day)
        raise AwayAlready(
            f"They are recorded as away from {first} to {last} already. End that absence first.",
            field="first_day",
        )


def _facts(row: Absence) -> dict[str, object]:
    return {
        "away_from": row.first_day.isoformat(),
        "away_until": row.last_day.isoformat(),
        "colleague": row.colleague_id,
        "absence_ended": row.ended_because,
    }


def _state(row: Absence, today: date) -> str:
    if row.ended_at is not None:
        return "ended"
    if row.first_day > today:
        return "coming"
    return "over" if row.last_day < today else "away"
