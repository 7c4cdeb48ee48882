"""Banks with people in them, filled once by each process and copied for every test.

    @cast("market", "sqlite_market")       the fixtures that want a bank filled like this
    def settle(bank: Bank) -> Market: ...  has `moved_to(bank)`: the same people in a copy

`tests/support/bank.py` copies the bank that a test's fixtures want; `people_in` answers the people.
Filling takes longer than copying, and every test still has a bank of its own.
"""

import os
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, Self, TypeVar

import pytest

from bank.core.desk import Bank
from bank.people import passwords
from tests.support import postgres


class People(Protocol):
    """Who is in a bank: their desks, their accounts."""

    def moved_to(self, bank: Bank) -> Self:
        """The same people in a copy of their bank."""
        ...


Fill = Callable[[Bank], People]
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Cast:
    """A way to fill a bank, and which fixtures want it."""

    name: str
    fixtures: frozenset[str]
    fill: Fill


_casts: Final[list[Cast]] = []
_templates: Final[dict[tuple[str, str], str]] = {}
_people: Final[dict[tuple[str, str], People]] = {}


def cast(*fixtures: str) -> Callable[[F], F]:
    """Register how the bank of these fixtures is filled; the later one wins where a test wants two
    of which one builds on the other."""

    def register(fill: F) -> F:
        _casts.append(Cast(fixtures[0], frozenset(fixtures), fill))
        return fill

    return register


def wanted(fixtures: Collection[str]) -> Cast | None:
    """The cast that the fixtures of a test want, if any."""
    return next((each for each in reversed(_casts) if each.fixtures & set(fixtures)), None)


def people_in(request: pytest.FixtureRequest, bank: Bank) -> Any:
    """The people of this test's bank."""
    found = wanted(request.fixturenames)
    assert found is not None, "no cast is registered for this fixture"
    return _people[bank.db.dialect, found.name].moved_to(bank)


def template(dialect: str, found: Cast, empty: str, opened: Callable[[str], Bank], at: Path) -> str:
    """What a bank with this cast is copied from: a file, or the name of a database. `empty` is what
    one without people is copied from; `opened` opens a bank in such a copy."""
    key = (dialect, found.name)
    if key not in _templates:
        if dialect == "sqlite":
            _fill(key, found, opened(empty))
            _templates[key] = str(at)
        else:
            _templates[key] = postgres.template_database(
                f"{found.name} {os.getpid()}",  # the people are known to this process alone
                lambda url: _fill(key, found, opened(url)),
                template=empty,
            )
    return _templates[key]


def _fill(key: tuple[str, str], found: Cast, bank: Bank) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "COST", 4)  # as in the tests that use them
        _people[key] = found.fill(bank)
    bank.db.close()
