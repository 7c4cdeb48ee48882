"""A claimed ticket that its owner sets aside until a moment: it comes back by itself.

Nothing changes for the customer: the deadlines run on, so a ticket rests no longer than until the
nearest of them. What the customer writes ends the rest.
"""

from datetime import date, datetime, time

from bank.core import hours, work
from bank.core.clock import INDIA, appointment, in_india
from bank.core.desk import Tx, command, query
from bank.core.errors import BadInput
from bank.core.permissions import Permission
from bank.core.work_tables import W
from bank.office import tickets
from bank.office.ticket_desk import in_sight, owned_item
from bank.office.ticket_tables import rule_of


class NoSuchMoment(BadInput):
    """Choose a moment to come, in the opening hours of the branch."""


@query(Permission.TICKET_WORK)
def longest_rest_days(tx: Tx) -> int:
    """Say for how many days a claimed ticket may rest."""
    return rule_of(tx, "longest_snooze_days")


@command(Permission.TICKET_WORK)
def set_aside(tx: Tx, ticket_id: int, day: date | None, at: time | None) -> None:
    """Let a claimed ticket rest until a time of day in India; its deadlines run on."""
    in_sight(tx, ticket_id, held=True)
    tx.concerns("ticket", ticket_id)
    row = owned_item(tx, ticket_id)
    if day is None or at is None:
        raise NoSuchMoment(field="until")
    until = datetime.combine(day, at.replace(second=0, microsecond=0), INDIA)
    if row.status is W.WAITING:
        raise work.WaitsForAnAnswer
    if row.rests_until == until and work.is_resting(row, tx.now):  # a second click
        return
    _check(tx, row.branch_id, until)
    if row.next_due_at is not None and until > row.next_due_at:
        raise NoSuchMoment(
            f"The customer was promised something by {appointment(row.next_due_at)}, and the"
            " promise does not rest. Choose an earlier moment.",
            field="until",
        )
    before = row.rests_until.isoformat() if work.is_resting(row, tx.now) else None
    tx.changed({"rests_until": before}, {"rests_until": until.isoformat()})
    work.set_aside(tx, row, until, f"until {appointment(until)}")


@command(Permission.TICKET_WORK)
def take_up(tx: Tx, ticket_id: int) -> None:
    """Take a claimed ticket up again before the moment it was set aside until."""
    in_sight(tx, ticket_id, held=True)
    tx.concerns("ticket", ticket_id)
    row = owned_item(tx, ticket_id)
    if work.is_resting(row, tx.now):
        tx.changed({"rests_until": row.rests_until.isoformat()}, {"rests_until": None})
        work.take_up(tx, row)


def _check(tx: Tx, branch_id: int | None, until: datetime) -> None:
    """Refuse what is past, too far ahead, or when the branch is closed."""
    if until <= tx.now:
        raise NoSuchMoment(field="until")
    days = tickets.days_of(tx, "longest_snooze_days")
    if until > tx.now + days:
        raise NoSuchMoment(
            f"A ticket rests for {days.days} days at most. Choose a moment before"
            f" {appointment(tx.now + days)}.",
            field="until",
        )
    day = in_india(until).date()
    span = hours.calendar(tx, branch_id).open_on(day)
    if span is None:
        raise NoSuchMoment(
            f"The branch is closed on {until:%a} {until.day} {until:%b}. Choose another day.",
            field="until",
        )
    opens, closes = span
    if not opens <= until <= closes:
        raise NoSuchMoment(
            f"On that day the branch is open from {in_india(opens):%H:%M} to"
            f" {in_india(closes):%H:%M}. Choose a time between.",
            field="until",
        )
