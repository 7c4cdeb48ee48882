"""Who may decide: the employees with the right, high enough up the line, without an interest.

Upper floors tell this module what it cannot know: who works here (`know_staff_by`), who of them is
away (`know_absent_by`) and who has an interest in an account (`interested_parties`).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple

from bank.core import work_rights
from bank.core.desk import Tx
from bank.core.permissions import GRANTS, Permission, Role
from bank.core.work_rights import Employee
from bank.core.work_tables import Level


class Interest(NamedTuple):
    """Why somebody may not decide about an account, e.g. `holder of the account`."""

    employee_id: int
    account: str
    words: str


Directory = Callable[[Tx, Collection[Role], int | None], Sequence[Employee]]
Interests = Callable[[Tx, Collection[str], Sequence[Employee]], Sequence[Interest]]
Absent = Callable[[Tx, Collection[int]], Mapping[int, date]]
_directory: Final[list[Directory]] = []
_absent: Final[list[Absent]] = []
_interests: Final[dict[str, Interests]] = {}


def know_staff_by(directory: Directory) -> Directory:
    """Register who answers: the active employees with one of these roles who see this branch."""
    _directory[:] = [directory]
    return directory


def know_absent_by(absent: Absent) -> Absent:
    """Register who answers: which of these users are away today, and until when."""
    _absent[:] = [absent]
    return absent


def interested_parties(name: str) -> Callable[[Interests], Interests]:
    """Register one way to be interested in accounts: holder, nominee, guarantor. It answers which
    of the employees are, in which of the accounts."""

    def register(interests: Interests) -> Interests:
        assert name not in _interests, f"{name} is registered twice"
        _interests[name] = interests
        return interests

    return register


def interests(
    tx: Tx, accounts: Collection[str], employees: Sequence[Employee]
) -> Sequence[Interest]:
    """Which employees are interested in which of the accounts, and how."""
    if not accounts or not employees:
        return []
    return [each for asked in _interests.values() for each in asked(tx, accounts, employees)]


def staff(tx: Tx, roles: Collection[Role], branch_id: int | None) -> list[Employee]:
    """The active employees with one of these roles who see this branch."""
    return [one for directory in _directory for one in directory(tx, roles, branch_id)]


def could_decide(
    tx: Tx,
    *,
    roles: Collection[Role],
    branch_id: int | None,
    maker_id: int,
    accounts: Sequence[str],
    level: int = Level.DESK,
) -> list[Employee]:
    """The employees who may decide now: the right, the role, the branch, high enough up the line,
    not the maker, no interest in it."""
    able = [
        role
        for role in roles
        if Permission.APPROVAL_DECIDE in GRANTS[role] and work_rights.level_of_role(role) >= level
    ]
    asked = [one for one in staff(tx, able, branch_id) if one.id != maker_id]
    interested = {each.employee_id for each in interests(tx, accounts, asked)}
    return [one for one in asked if one.id not in interested]


def named(tx: Tx, able: Sequence[Employee]) -> list[str]:
    """The names to wait for: whoever is away is none, unless they all are. They keep the right."""
    away = {user_id for absent in _absent for user_id in absent(tx, [one.id for one in able])}
    here = [one.name for one in able if one.id not in away]
    return here or [f"{one.name} (away)" for one in able]


def roles_in(checkers: str) -> frozenset[Role]:
    """The roles of a rule's `checkers`."""
    return frozenset(map(Role, checkers.split()))


def either(names: Sequence[str]) -> str:
    """`A`, `A or B`, `A, B or C`."""
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last
