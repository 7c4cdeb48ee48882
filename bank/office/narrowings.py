"""Ways to look for work items by what they are about, which their owners know and register here."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, func

from bank.core.desk import Tx

Narrowing = Callable[[Tx, Any], ColumnElement[bool]]
_narrowings: Final[dict[str, Narrowing]] = {}


def narrowed_by(name: str) -> Callable[[Narrowing], Narrowing]:
    """Register a way to look for items by what they are about, which their owner knows: it answers
    a condition on ITEMS, given what is looked for."""

    def register(narrowing: Narrowing) -> Narrowing:
        assert name not in _narrowings, f"two are called {name}"
        _narrowings[name] = narrowing
        return narrowing

    return register


def conditions(tx: Tx, facts: Sequence[tuple[str, Any]]) -> list[ColumnElement[bool]]:
    """What items must be, given the names of narrowings with what is looked for in each."""
    return [_narrowings[name](tx, value) for name, value in facts]


def bare(column: Any, is_bare: bool) -> Any:
    """The column as no index knows it. Of what has gone up the line there is little, with an index
    of its own; but SQLite would take any other that serves an equality, and read a whole branch."""
    return func.coalesce(column, column) if is_bare else column
