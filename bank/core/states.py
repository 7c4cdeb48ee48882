"""How a row with a `status` moves: one table of legal moves per kind of row."""

from collections.abc import Mapping, Set
from enum import StrEnum
from typing import Any, Final, TypeVar

from bank.core.errors import WrongState

S = TypeVar("S", bound=StrEnum)

MACHINES: Final[dict[str, Mapping[Any, Set[Any]]]] = {}


def machine(name: str, moves: Mapping[S, Set[S]]) -> Mapping[S, Set[S]]:
    """Register a table of moves, so that a test can walk every (from, to) pair of it."""
    assert name not in MACHINES, f"two machines are called {name}"
    MACHINES[name] = moves
    return moves


def check_move(now: S, to: S, moves: Mapping[S, Set[S]]) -> None:
    """Raise WrongState unless `moves` has a step from `now` to `to`."""
    if to not in moves.get(now, frozenset()):
        raise WrongState(f"This is already {now}, so it cannot become {to}.")


def move(row: Any, to: S, moves: Mapping[S, Set[S]]) -> None:
    """Change `row.status`, or raise WrongState if `moves` has no such step."""
    check_move(row.status, to, moves)
    row.status = to
