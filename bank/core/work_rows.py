"""How work items are read and written: constant SQL, because every claim goes through here."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, NamedTuple

from sqlalchemy import bindparam, select

from bank.core.db import marks
from bank.core.desk import Tx
from bank.core.work_tables import ITEMS

_COLUMNS: Final = frozenset(ITEMS.c.keys())
# Built once: putting a SELECT together takes SQLAlchemy longer than the database to answer it.
_BY_ID: Final = select(ITEMS).where(ITEMS.c.id == bindparam("item_id"))
_BY_ID_HELD: Final = _BY_ID.with_for_update()
_BY_SUBJECT_HELD: Final = (
    select(ITEMS)
    .where(ITEMS.c.kind == bindparam("kind"), ITEMS.c.subject_id == bindparam("subject_id"))
    .with_for_update()
)
_PROMISE: Final = (
    "SELECT first_minutes, solve_minutes, claim_minutes FROM work_rules"
    " WHERE kind = ? AND priority = ? AND effective_from <= ?"
    " ORDER BY effective_from DESC LIMIT 1"
)
_TOLD: Final = (
    "INSERT INTO work_events (item_id, at, act, actor_id, actor_name, owner_id, owner_name, note)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)


class Promise(NamedTuple):
    """What the bank promises for a kind and priority: minutes to the first reply (0: none), to the
    solution, and until a claim runs out."""

    first_minutes: int
    solve_minutes: int
    claim_minutes: int


def by_id(tx: Tx, item_id: int, *, is_held: bool = False) -> Any:
    """The row of an item or None; held until the transaction ends, if asked to."""
    found = _BY_ID_HELD if is_held else _BY_ID
    return tx.connection.execute(found, {"item_id": item_id}).first()


def by_subject(tx: Tx, kind: str, subject_id: int) -> Any:
    """The row of the item about a subject, held, or None for one older than the queues."""
    keys = {"kind": kind, "subject_id": subject_id}
    return tx.connection.execute(_BY_SUBJECT_HELD, keys).first()


def promise_of(tx: Tx, kind: str, priority: int) -> Promise:
    """The promise in force today. A kind without one is a bug, not a default."""
    key = (kind, priority, tx.day(tx.business_date))
    tx.cursor.execute(marks(tx.dialect, _PROMISE), key)
    found = tx.cursor.fetchone()
    assert found is not None, f"nothing is promised for {kind} at priority {priority}"
    return Promise(*found)


def write(tx: Tx, item_id: int, values: Mapping[str, Any]) -> None:
    """Write new values into columns of a held item."""
    given = [_raw(tx, value) for value in values.values()]
    tx.cursor.execute(_update(tx.dialect, tuple(values)), [*given, item_id])


def tell(tx: Tx, events: Sequence[Mapping[str, Any]]) -> None:
    """Add lines to the history of items: item_id and act, and where there is one owner and note."""
    at, desk = tx.stamp(tx.now), tx.desk
    rows = [
        (
            *(event["item_id"], at, event["act"], desk.user_id, desk.name),
            *(event.get("owner_id"), event.get("owner_name"), event.get("note", "")),
        )
        for event in events
    ]
    tx.cursor.executemany(marks(tx.dialect, _TOLD), rows)


@lru_cache(maxsize=64)
def _update(dialect: str, columns: tuple[str, ...]) -> str:
    assert _COLUMNS.issuperset(columns), f"not columns of an item: {columns}"
    settings = ", ".join(f"{column} = ?" for column in columns)
    return marks(dialect, f"UPDATE work_items SET {settings} WHERE id = ?")  # noqa: S608


def _raw(tx: Tx, value: Any) -> Any:
    if isinstance(value, datetime):
        return tx.stamp(value)
    return value.value if isinstance(value, StrEnum) else value
