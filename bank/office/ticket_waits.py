"""How long a ticket waits, as its customer is told: its place in line, and how fast answers are.

Both are counted from facts: the place by the order in which employees take tickets at that branch,
the usual time from when its newest tickets had their first reply. Too few of them promise nothing.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Any, Final

from sqlalchemy import Select, func, select, tuple_

from bank.core import work_undo
from bank.core.desk import Tx, query
from bank.core.permissions import Permission
from bank.core.work_tables import ITEMS, W, WorkEvent
from bank.office.queue_order import most_pressing
from bank.office.ticket_tables import rule_of
from bank.office.tickets import KIND

FIRST_REPLY: Final = "first reply"  # the act in the history of an item
HOUR: Final = 3_600


@dataclass(frozen=True, kw_only=True)
class Wait:
    """Where a ticket stands that nobody has taken yet: 1 is the next one. `usual_hours` is within
    how many hours half of the newest tickets had their first reply; None when too few had one."""

    place: int
    usual_hours: int | None


@query(Permission.TICKET_OWN)
def own_waits(tx: Tx) -> Mapping[int, Wait]:
    """Say of one's own tickets that nobody has taken yet which place in line each has."""
    tx.looked_at("customer", tx.desk.customer_id)
    rows = tx.connection.execute(_places(tx.desk.customer_id)).all()
    usual = {branch_id: _usual_hours(tx, branch_id) for branch_id in {row[1] for row in rows}}
    return {
        ticket_id: Wait(place=ahead + 1, usual_hours=usual[branch_id])
        for ticket_id, branch_id, ahead in rows
    }


def _places(customer_id: int | None) -> Select[Any]:
    """A customer's free tickets, with how many of the same branch and level are taken before."""
    mine, ahead = ITEMS.c, ITEMS.alias("ahead")
    before = (
        select(func.count())
        .select_from(ahead)
        .where(
            ahead.c.status == W.UNASSIGNED,
            ahead.c.branch_id == mine.branch_id,
            ahead.c.kind == KIND.name,
            ahead.c.level == mine.level,
            tuple_(*(ahead.c[column.name] for column in most_pressing()))
            < tuple_(*most_pressing()),
        )
        .correlate(ITEMS)
        .scalar_subquery()
    )
    return select(mine.subject_id, mine.branch_id, before).where(
        mine.customer_id == customer_id, mine.kind == KIND.name, mine.status == W.UNASSIGNED
    )


def _usual_hours(tx: Tx, branch_id: int) -> int | None:
    """The median of the newest decided tickets' first replies, in begun hours."""
    replied = (
        select(func.min(WorkEvent.at))
        .where(
            WorkEvent.item_id == ITEMS.c.id,
            WorkEvent.act == FIRST_REPLY,
            work_undo.counts(WorkEvent),
        )
        .correlate(ITEMS)
        .scalar_subquery()
    )
    newest = (
        select(ITEMS.c.opened_at, replied.label("replied_at"))
        .where(
            ITEMS.c.branch_id == branch_id,
            ITEMS.c.status == W.DECIDED,
            ITEMS.c.kind == KIND.name,
            replied.is_not(None),
        )
        .order_by(ITEMS.c.decided_at.desc(), ITEMS.c.id.desc())
        .limit(rule_of(tx, "usual_of_tickets"))
    )
    took: list[timedelta] = [
        row.replied_at - row.opened_at for row in tx.connection.execute(newest)
    ]
    if len(took) < rule_of(tx, "usual_least_tickets"):
        return None
    return max(1, math.ceil(median(each.total_seconds() for each in took) / HOUR))
