"""How an item stood before an act, and the way back to it while nothing else has happened.

For an act that nobody outside the bank has heard of yet. The history keeps every line of it, and
one more that says it was taken back; figures do not count what was undone (WorkUndone).
"""

import json
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, exists, func, insert, select

from bank.core import work_rows
from bank.core.db import Instant
from bank.core.desk import Tx
from bank.core.work_tables import ITEMS, WorkEvent, WorkUndone

FOR_GOOD: Final = (
    *("id", "kind", "subject_id", "branch_id", "customer_id", "for_roles", "not_for"),
    *("reference", "title", "category", "channel", "priority", "level", "opened_at"),
)
KEPT: Final = tuple(name for name in ITEMS.c.keys() if name not in FOR_GOOD)  # noqa: SIM118


def kept(row: Any) -> str:
    """How a held item stands, as text: whose it is, where its clocks are."""
    values = {name: getattr(row, name) for name in KEPT}
    return json.dumps(
        {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in values.items()
        }
    )


def last_event(tx: Tx, item_id: int) -> int:
    """The number of the newest line of an item's history."""
    wanted = select(func.max(WorkEvent.id)).where(WorkEvent.item_id == item_id)
    return int(tx.connection.execute(wanted).scalar_one())


def undo(tx: Tx, row: Any, before: str, since: int, act: str) -> None:
    """Let a held item stand as it did `before`; the lines of its history after `since` count no
    more. The caller has made sure that all of them are of the act that is taken back.

    No move of the item's states: it is as if the act had not been.
    """
    values = {
        name: datetime.fromisoformat(value)
        if value is not None and isinstance(ITEMS.c[name].type, Instant)
        else value
        for name, value in json.loads(before).items()
    }
    undone = tx.connection.scalars(
        select(WorkEvent.id).where(WorkEvent.item_id == row.id, WorkEvent.id > since)
    ).all()
    if undone:
        tx.connection.execute(
            insert(WorkUndone), [{"event_id": each, "at": tx.now} for each in undone]
        )
    work_rows.write(tx, row.id, values)
    owner = {name: values[name] for name in ("owner_id", "owner_name")}
    work_rows.tell(tx, [{"item_id": row.id, "act": act, **owner}])


def counts(event: Any) -> ColumnElement[bool]:
    """Whether a line of a history counts, as it does unless it was undone."""
    return ~exists().where(WorkUndone.event_id == event.id)
