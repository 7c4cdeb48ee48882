"""What employees have in hand: the work items they own, handed over when they leave.

`bank/app.py` wires it to core/objections: people live a floor below and know no queue.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import func, select

from bank.core import work, work_rights
from bank.core.desk import Tx
from bank.core.objections import Holding
from bank.core.work_rights import Employee
from bank.core.work_tables import ITEMS, W
from bank.people.identity import user_by_id

HANDED_OVER: Final = "handed over"


def counts(tx: Tx, user_ids: Sequence[int]) -> Mapping[int, int]:
    """How many open items each of these users owns; whoever owns none is not in it."""
    rows = tx.connection.execute(
        select(ITEMS.c.owner_id, func.count())
        .where(ITEMS.c.owner_id.in_(user_ids), ITEMS.c.status != W.DECIDED)
        .group_by(ITEMS.c.owner_id)
    )
    return {owner_id: count for owner_id, count in rows}


def hand_over(tx: Tx, user_id: int, colleague_id: int) -> int:
    """Give every open item of a user to a colleague; what the colleague may not work on goes back
    to the queue. Answers how many items left the user's hands."""
    colleague = user_by_id(tx, colleague_id)
    rows = _owned(tx, user_id)
    theirs = Employee(colleague.id, colleague.name, colleague.role, colleague.branch_id)
    for row in rows:
        if work_rights.entitled(tx, [theirs], row):
            work.give_to(tx, row, colleague.id, colleague.name, HANDED_OVER)
        else:
            work.put_back(tx, row, HANDED_OVER, f"{colleague.name} may not work on this")
    return len(rows)


def put_back(tx: Tx, user_id: int, why: str) -> int:
    """Give every open item of a user back to its queue; answers how many they had."""
    rows = _owned(tx, user_id)
    for row in rows:
        work.put_back(tx, row, "released", why)
    return len(rows)


def _owned(tx: Tx, user_id: int) -> Sequence[Any]:
    return tx.connection.execute(
        select(ITEMS)
        .where(ITEMS.c.owner_id == user_id, ITEMS.c.status != W.DECIDED)
        .order_by(ITEMS.c.id)
        .with_for_update()
    ).all()


ITEMS_IN_HAND: Final = Holding(
    noun="claimed item", counts=counts, hand_over=hand_over, put_back=put_back
)
