"""Who sees a work item and who may take it: branch, kind, role, level, and not who began it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bank.core.desk import Desk, Tx
from bank.core.errors import BankError, NotAllowed
from bank.core.permissions import GRANTS, WHOLE_BANK, Permission, Role
from bank.core.work_tables import KINDS, Level


class NotForYou(NotAllowed):
    """Your role does not take such items. Choose another one."""


class OwnCase(NotAllowed):
    """You began this yourself, so a colleague must take it."""


class GoneUpTheLine(NotAllowed):
    """This item was escalated, so somebody further up the line must take it."""


@dataclass(frozen=True)
class Employee:
    """Somebody who works here now, as far as their work goes."""

    id: int
    name: str
    role: Role
    branch_id: int | None


Refusal = Callable[[Tx, int, Sequence[Employee]], Mapping[int, BankError]]
_refusals: Final[dict[str, Refusal]] = {}


def refused_by(kind: str) -> Callable[[Refusal], Refusal]:
    """Register who says which employees may not take a subject of this kind and why, beyond role
    and branch: an interest in the account, for one."""

    def register(refusal: Refusal) -> Refusal:
        assert kind not in _refusals, f"{kind} is refused by two"
        _refusals[kind] = refusal
        return refusal

    return register


def may_see(desk: Desk, row: Any) -> bool:
    """Whether an item is in this desk's queues: its branch by scope, its kind by permission; of
    what one may never take oneself, only who leads sees anything."""
    if not sees_branch(desk.role, desk.branch_id, row.branch_id):
        return False
    return leads(desk) or (may_work(desk, row.kind) and is_for(desk.role, desk.user_id, row))


def sees_branch(role: Role, own_branch_id: int | None, branch_id: int | None) -> bool:
    """Whether the work of this branch (None: of the head office) is in sight."""
    return role in WHOLE_BANK or (own_branch_id is not None and own_branch_id == branch_id)


def is_for(role: Role, user_id: int | None, row: Any) -> bool:
    """Whether an item is for this role, and was not begun by this very person."""
    began_it = row.not_for is not None and row.not_for == user_id
    return not began_it and (not row.for_roles or role in row.for_roles.split())


def may_work(desk: Desk, kind: str) -> bool:
    """Whether the person holds the permission of the kind."""
    return kind in KINDS and desk.may(KINDS[kind].permission)


def leads(desk: Desk) -> bool:
    """Whether the person hands out the work of others."""
    return desk.may(Permission.WORK_LEAD)


def level_of(desk: Desk) -> int:
    """The highest level whose cases a person takes."""
    return level_of_role(desk.role)


def level_of_role(role: Role) -> int:
    """The same of a role."""
    if Permission.WORK_LEAD not in GRANTS[role]:
        return Level.DESK
    return Level.HEAD if role in WHOLE_BANK else Level.LEAD


def check_working(tx: Tx, row: Any, *, is_entitled: bool = False) -> None:
    """Raise NotAllowed unless the person at the desk may take this item."""
    desk = tx.desk
    if row.not_for is not None and row.not_for == desk.user_id:
        raise OwnCase
    if not may_work(desk, row.kind):
        raise NotForYou
    if not is_entitled:
        if not is_for(desk.role, desk.user_id, row):
            raise NotForYou
        assert desk.user_id is not None
        me = Employee(desk.user_id, desk.name, desk.role, desk.branch_id)
        refused = _refusals.get(row.kind, _nobody)(tx, row.subject_id, [me])
        if me.id in refused:
            raise refused[me.id]
    if row.level > level_of(desk):
        raise GoneUpTheLine


def entitled(tx: Tx, employees: Sequence[Employee], row: Any) -> list[Employee]:
    """Those of the employees who may be handed an item: what `check_working` asks of the person at
    the desk, asked of many at once."""
    able = [
        one
        for one in employees
        if Permission.WORK_DO in GRANTS[one.role]
        and sees_branch(one.role, one.branch_id, row.branch_id)
        and KINDS[row.kind].permission in GRANTS[one.role]
        and is_for(one.role, one.id, row)
        and row.level <= level_of_role(one.role)
    ]
    refused = _refusals.get(row.kind, _nobody)(tx, row.subject_id, able)
    return [one for one in able if one.id not in refused]


def _nobody(_tx: Tx, _id: int, _employees: Sequence[Employee]) -> Mapping[int, BankError]:
    return {}
