"""How work items are read and written: constant SQL, because every claim goes through here."""

from collections import namedtuple
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, NamedTuple

from bank.core.db import Instant, instant_of, marks
from bank.core.desk import Tx
from bank.core.work_tables import ITEMS, WorkStatus

_COLUMNS: Final = tuple(ITEMS.c.keys())
_INSTANTS: Final = tuple(at for at, of in enumerate(ITEMS.c) if isinstance(of.type, Instant))
_SELECT: Final = f"SELECT {', '.join(_COLUMNS)} FROM work_items WHERE"  # noqa: S608
_BY_ID: Final = f"{_SELECT} id = ?"
_BY_SUBJECT: Final = f"{_SELECT} kind = ? AND subject_id = ?"
_STATUS: Final = _COLUMNS.index("status")
_LOCK: Final = {False: "", True: " FOR UPDATE"}
_PROMISE: Final = (
    "SELECT first_minutes, solve_minutes, claim_minutes FROM work_rules"
    " WHERE kind = ? AND priority = ? AND effective_from <= ?"
    " ORDER BY effective_from DESC LIMIT 1"
)
_TOLD: Final = (
    "INSERT INTO work_events"
    " (item_id, at, act, actor_id, actor_name, owner_id, owner_name, note, due_at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


# The columns are known when this runs, not before.
_Item: Any = namedtuple("_Item", _COLUMNS)  # type: ignore[misc]


class Promise(NamedTuple):
    """What the bank promises for a kind and priority: minutes to the first reply (0: none), to the
    solution, and until a claim runs out."""

    first_minutes: int
    solve_minutes: int
    claim_minutes: int


def by_id(tx: Tx, item_id: int, *, is_held: bool = False) -> Any:
    """The row of an item or None; held until the transaction ends, if asked to."""
    return _one(tx, _BY_ID, (item_id,), is_held=is_held)


def by_subject(tx: Tx, kind: str, subject_id: int, *, is_held: bool) -> Any:
    """The row of the item about a subject, or None for one older than the queues."""
    return _one(tx, _BY_SUBJECT, (kind, subject_id), is_held=is_held)


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
    """Add lines to the history of items: item_id and act, and where there is one owner, note and
    the deadline it was done by."""
    at, desk = tx.stamp(tx.now), tx.desk
    rows = [
        (
            *(event["item_id"], at, event["act"], desk.user_id, desk.name),
            *(event.get("owner_id"), event.get("owner_name"), event.get("note", "")),
            _raw(tx, event.get("due_at")),
        )
        for event in events
    ]
    tx.cursor.executemany(marks(tx.dialect, _TOLD), rows)


def _one(tx: Tx, sql: str, keys: tuple[Any, ...], *, is_held: bool) -> Any:
    is_sqlite = tx.dialect == "sqlite"  # which has but one writer, so that a row needs no lock
    tx.cursor.execute(sql if is_sqlite else marks(tx.dialect, sql + _LOCK[is_held]), keys)
    found = tx.cursor.fetchone()
    if found is None:
        return None
    values = list(found)
    values[_STATUS] = WorkStatus(values[_STATUS])
    for at in _INSTANTS:
        if values[at] is not None:
            values[at] = instant_of(values[at])
    return _Item._make(values)


@lru_cache(maxsize=64)
def _update(dialect: str, columns: tuple[str, ...]) -> str:
    assert set(_COLUMNS).issuperset(columns), f"not columns of an item: {columns}"
    settings = ", ".join(f"{column} = ?" for column in columns)
    return marks(dialect, f"UPDATE work_items SET {settings} WHERE id = ?")  # noqa: S608


def _raw(tx: Tx, value: Any) -> Any:
    if isinstance(value, datetime):
        return tx.stamp(value)
    return value.value if isinstance(value, StrEnum) else value
