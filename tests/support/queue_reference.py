"""What a look at a queue must find, by looking at every row by itself: for tests and the bench.

    [row.id for row in page.rows] == wanted(rows, words_of, desk, Looked(...), dialect)[:50]

`rows` are the bare rows of work_items, `words_of` what an item is found by, beside its number.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from bank.core.desk import Desk
from bank.core.permissions import Role
from bank.office.queue_lists import Looked, View


def due(row: Any) -> str:
    """A deadline as text that sorts, whatever the database."""
    return "" if row.next_due_at is None else str(row.next_due_at)


IN_VIEW: Final[dict[View, Callable[[Any, Any, str], bool]]] = {
    View.UNASSIGNED: lambda row, _me, _now: row.status == "unassigned",
    View.MINE: lambda row, me, _now: row.status == "claimed" and row.owner_id == me,
    View.WAITING: lambda row, _me, _now: row.status == "waiting",
    View.OVERDUE: lambda row, _me, now: bool(due(row)) and due(row)[:19] < now,
    View.DECIDED: lambda row, _me, _now: row.status == "decided",
    View.ESCALATED: lambda row, _me, _now: row.level > 0 and row.status != "decided",
    View.ALL_OPEN: lambda row, _me, _now: row.status != "decided",
}


def has_words(own: Iterable[str], asked: str) -> bool:
    """Whether each word that is asked for begins one of the item's own."""
    said = list(own)
    return all(any(one.startswith(word) for one in said) for word in asked.lower().split())


def wanted(
    rows: Sequence[Any], words_of: Callable[[Any], Iterable[str]], who: Desk, looked: Looked
) -> list[int]:
    """The ids in order, found by looking at every row."""
    now = f"{who.bank.clock.now():%Y-%m-%d %H:%M:%S}"
    leads = who.role in {Role.BRANCH_ADMIN, Role.SUPER_ADMIN}
    found = [
        row
        for row in rows
        if IN_VIEW[looked.view](row, who.user_id, now)
        and (who.branch_id is None or row.branch_id == who.branch_id)
        and (leads or (row.kind == "ticket" and not row.for_roles))
        and (not looked.kinds or row.kind in looked.kinds)
        and looked.branch_id in (None, row.branch_id)
        and looked.priority in (None, row.priority)
        and looked.category in (None, row.category)
        and looked.owner_id in (None, row.owner_id)
        and looked.level in (None, row.level)
        and (not looked.words or has_words(words_of(row), looked.words))
    ]
    if looked.view is View.DECIDED:
        found.sort(key=lambda row: (str(row.decided_at), row.id), reverse=True)
    elif looked.view is View.OVERDUE:
        found.sort(key=lambda row: (due(row), row.id))
    else:  # what has no deadline comes first on SQLite and last on PostgreSQL
        last = "" if who.bank.db.dialect == "sqlite" else "~"
        found.sort(key=lambda row: (row.priority, due(row) or last, row.id))
        if looked.view is View.MINE:  # what was set aside stands last
            found.sort(key=lambda row: str(row.rests_until or "")[:19] > now)
    return [row.id for row in found]
