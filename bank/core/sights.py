"""Who may read a record: the floor that keeps it knows, and whoever shows what waits on it asks.

@sights.seen_by("account")
def _sight(tx, number): return Record(...) if this desk may look at the account, else None
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bank.core.desk import Tx


@dataclass(frozen=True, kw_only=True)
class Record:
    """A record that a desk may read. `accounts` are those it is or belongs to it, by number and as
    `#` and the id: what touches one of them is about the record, too."""

    accounts: tuple[str, ...] = ()


Sight = Callable[[Tx, str], Record | None]
_sights: Final[dict[str, Sight]] = {}


def seen_by(kind: str) -> Callable[[Sight], Sight]:
    """Register who says whether the desk may read a record of this kind, by its id."""

    def register(sight: Sight) -> Sight:
        assert kind not in _sights, f"two say who reads {kind}"
        _sights[kind] = sight
        return sight

    return register


def record(tx: Tx, kind: str, object_id: str) -> Record | None:
    """The record as far as this desk may read it; None where it may not, or nobody knows."""
    sight = _sights.get(kind)
    return None if sight is None else sight(tx, object_id)
