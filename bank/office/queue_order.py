"""In which order the items of a list stand, and what follows where a page of it ends."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, case, literal, or_, tuple_

from bank.core.desk import Tx
from bank.core.work_tables import ITEMS

Cursor = tuple[Any, ...]
"""Where a page of a list ends: what its last row is ordered by."""


def most_pressing() -> tuple[Any, ...]:
    """The order in which work is taken: priority, then the nearer deadline."""
    return ITEMS.c.priority, ITEMS.c.next_due_at, ITEMS.c.id


def is_resting(tx: Tx) -> Any:
    """1 while its owner has set it aside, otherwise 0."""
    return case((ITEMS.c.rests_until > tx.now, 1), else_=0).label("is_resting")


def follows(tx: Tx, order: Sequence[tuple[Any, bool]], after: Cursor) -> ColumnElement[bool]:
    """The rows behind the one where the page before ended, found by an index and not by counting.

    Only the deadline may be empty: SQLite has such rows first, PostgreSQL last.
    """
    if len(after) > len(most_pressing()):  # of one's own, those that rest follow the others
        behind = follows(tx, order[1:], after[1:])
        flag = order[0][0].element
        return or_(flag > after[0], and_(flag == after[0], behind))
    columns, is_down = [column for column, _ in order], order[0][1]
    ended = tuple_(*(literal(at, column.type) for column, at in zip(columns, after, strict=True)))
    behind = tuple_(*columns) < ended if is_down else tuple_(*columns) > ended
    if len(after) < 3 or is_down:
        return behind
    priority, due, number = columns
    same, empty, is_first = priority == after[0], due.is_(None), tx.dialect == "sqlite"
    if after[1] is None:
        rest = or_(due.is_not(None), number > after[2]) if is_first else (
            and_(empty, number > after[2])
        )  # fmt: skip
        return and_(priority >= after[0], or_(priority > after[0], rest))
    return behind if is_first else or_(behind, and_(same, empty))
