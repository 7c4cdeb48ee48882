"""The (verb x role) matrix: generated from the catalogue, kept as a file that people review.

After a wanted change: `python -m tests.house.test_permissions` writes the file anew.
"""

import importlib
import pkgutil
from pathlib import Path
from typing import Final

import pytest

import bank
from bank.core.desk import CATALOGUE, Bank, VerbKind
from bank.core.errors import NotAllowed
from bank.core.permissions import GRANTS, Permission, Role
from tests.support.bank import desk

GOLDEN: Final = Path(__file__).parent.parent / "golden" / "permission_matrix.txt"


def load_catalogue() -> None:
    """Import every module of the bank, so that every verb is declared."""
    for module in pkgutil.walk_packages(bank.__path__, "bank."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


load_catalogue()
DENIED: Final = [
    (name, role)
    for name, verb in sorted(CATALOGUE.items())
    for role in Role
    if verb.permission not in GRANTS[role]
]


def matrix() -> str:
    """Verbs down, the ten roles across."""
    width = max(map(len, CATALOGUE)) + 1
    lines = [f"{'':{width}}" + " ".join(f"{role.value:>12}" for role in Role)]
    for name in sorted(CATALOGUE):
        cells = ("." if (name, role) in DENIED else "yes" for role in Role)
        lines.append(f"{name:{width}}" + " ".join(f"{cell:>12}" for cell in cells))
    return "\n".join(lines) + "\n"


def test_the_matrix_is_the_reviewed_one() -> None:
    assert matrix() == GOLDEN.read_text(), "python -m tests.house.test_permissions writes it anew"


@pytest.mark.feature("A1.13", "A14.3")
@pytest.mark.parametrize("role", Role)
def test_denied_verbs_refuse_before_they_read_their_arguments(
    role: Role, sqlite_bank: Bank
) -> None:
    denied = [name for name, who in DENIED if who is role]
    assert denied
    for name in denied:
        with pytest.raises(NotAllowed):
            CATALOGUE[name].call(desk(sqlite_bank, role))  # no arguments: the refusal comes first


@pytest.mark.parametrize("role", Role)
def test_granted_verbs_get_past_the_door(role: Role, sqlite_bank: Bank) -> None:
    for name, verb in CATALOGUE.items():
        if verb.permission in GRANTS[role] and verb.kind is not VerbKind.FLOW:
            try:
                verb.call(desk(sqlite_bank, role), object(), no_such_argument=1)
            except NotAllowed:
                pytest.fail(f"{role} may call {name} and was stopped at the door")
            except TypeError:
                continue  # inside: it asked for its own arguments


def test_every_verb_says_what_it_does() -> None:
    for name, verb in CATALOGUE.items():
        assert verb.sentence.endswith("."), f"{name} has no sentence"
        assert len(verb.sentence) <= 120, f"{name}: the sentence is too long"


def test_every_permission_is_used_and_granted() -> None:
    granted = set().union(*GRANTS.values())
    assert granted == set(Permission), f"nobody holds {set(Permission) - granted}"
    assert set(GRANTS) == set(Role)


@pytest.mark.feature("A1.15")
def test_nobody_who_configures_the_bank_moves_customers_money() -> None:
    money = {Permission.CASH_POST, Permission.OWN_MONEY_SEND, Permission.ENTRY_REVERSE}
    for role in (Role.SUPER_ADMIN, Role.AUDITOR, Role.REVIEWER, Role.EXECUTIVE):
        assert not GRANTS[role] & money


if __name__ == "__main__":
    GOLDEN.write_text(matrix())
