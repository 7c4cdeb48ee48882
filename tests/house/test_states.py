"""Every state machine is one table of moves; every (from, to) pair of each is walked."""

from enum import StrEnum
from types import SimpleNamespace
from typing import Any

import pytest

from bank.core.errors import WrongState
from bank.core.states import MACHINES, machine, move
from tests.house.test_permissions import load_catalogue

load_catalogue()


def states_of(name: str) -> list[Any]:
    """Every state of the machine, from the enum of its table."""
    some = next(iter(MACHINES[name]))
    return list(type(some))


PAIRS = [(name, now, to) for name in MACHINES for now in states_of(name) for to in states_of(name)]


@pytest.mark.parametrize(("name", "now", "to"), PAIRS, ids=lambda part: str(part))
def test_every_pair_is_allowed_or_refused(name: str, now: Any, to: Any) -> None:
    row = SimpleNamespace(status=now)
    if to in MACHINES[name].get(now, frozenset()):
        move(row, to, MACHINES[name])
        assert row.status is to
    else:
        with pytest.raises(WrongState, match=str(now.value)):
            move(row, to, MACHINES[name])
        assert row.status is now


@pytest.mark.parametrize("name", MACHINES)
def test_every_state_is_reached_from_the_first(name: str) -> None:
    states = states_of(name)
    seen, edge = {states[0]}, [states[0]]
    while edge:
        for to in MACHINES[name].get(edge.pop(), frozenset()):
            if to not in seen:
                seen.add(to)
                edge.append(to)
    assert seen == set(states), f"{name}: {set(states) - seen} cannot be reached"


def test_one_name_one_machine() -> None:
    class Light(StrEnum):
        RED = "red"

    name = next(iter(MACHINES))
    with pytest.raises(AssertionError, match=name):
        machine(name, {Light.RED: set()})
