"""What an employee did: counted from the trail, the same numbers for the employee and the admin.

The trail has every act with who and when, and nobody can improve it afterwards; so there is no
table of figures beside it that could say something else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from sqlalchemy import case, func, select

from bank.core.audit import Outcome, TrailRecord
from bank.core.clock import INDIA
from bank.core.desk import CATALOGUE, Tx, VerbKind, query
from bank.core.errors import BadInput
from bank.core.permissions import STAFF, Permission
from bank.people.identity import User
from bank.people.staff_list import NoSuchEmployee, scope

LONGEST_DAYS: Final = 366
# Signing in and locking a window is nobody's performance; a supervisor's word at a cashier's window
# is the supervisor's, and counted as theirs (counters/work_facts.py).
NOT_WORK: Final = (
    *("people.sign_in.", "people.sessions.", "people.credentials.", "people.doors."),
    *("counters.supervision.", "office.trail.record_export"),
)


@dataclass(frozen=True, kw_only=True)
class Work:
    """One kind of thing that somebody did in a period."""

    verb: str
    sentence: str
    done: int
    refused: int
    first_at: datetime
    last_at: datetime


@query(Permission.OWN_WORK_VIEW)
def own_work(tx: Tx, start: date, end: date) -> Sequence[Work]:
    """Count what one did oneself from one day to another, by kind."""
    assert tx.desk.user_id is not None
    return _work(tx, tx.desk.user_id, start, end)


@query(Permission.STAFF_VIEW)
def work_of(tx: Tx, user_id: int, start: date, end: date) -> Sequence[Work]:
    """Count what an employee of one's branch did from one day to another: what they see, too."""
    checked_employee(tx, user_id)
    return _work(tx, user_id, start, end)


def checked_employee(tx: Tx, user_id: int) -> None:
    """Refuse (NoSuchEmployee) who is none, or none of the desk's branch."""
    wanted = select(User.id).where(User.id == user_id, User.role.in_(STAFF), *scope(tx))
    if tx.session.scalar(wanted) is None:
        raise NoSuchEmployee


def instants(start: date, end: date) -> tuple[datetime, datetime]:
    """The instants from which and before which these days lie in India, or BadInput(days)."""
    if end < start:
        raise BadInput("The last day lies before the first one.", field="days")
    if (end - start).days >= LONGEST_DAYS:
        raise BadInput("At most a year at once.", field="days")
    return (
        datetime.combine(start, time(), INDIA),
        datetime.combine(end + timedelta(days=1), time(), INDIA),
    )


def _work(tx: Tx, user_id: int, start: date, end: date) -> Sequence[Work]:
    first, after_last = instants(start, end)
    row = TrailRecord
    done = func.sum(case((row.outcome == Outcome.DONE, 1), else_=0))
    refused = func.sum(case((row.outcome == Outcome.REFUSED, 1), else_=0))
    counted = tx.session.execute(
        select(row.verb, done, refused, func.min(row.at), func.max(row.at))
        .where(
            row.actor_id == user_id,
            row.outcome != Outcome.READ,
            row.at >= first,
            row.at < after_last,
        )
        .group_by(row.verb)
        .order_by(done.desc(), row.verb)
    )
    return [
        Work(
            verb=verb,
            sentence=CATALOGUE[verb].sentence if verb in CATALOGUE else verb,
            done=made,
            refused=not_made,
            first_at=earliest,
            last_at=latest,
        )
        for verb, made, not_made, earliest, latest in counted
        if _is_work(verb)
    ]


def _is_work(verb: str) -> bool:
    known = CATALOGUE.get(verb)
    looks = known is not None and known.kind is VerbKind.QUERY  # a query that was refused
    return not verb.startswith(NOT_WORK) and not looks
