"""What was handed to somebody and not taken up in time: whoever handed it over reads of it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import select

from bank.core import checkers, outbox
from bank.core.desk import Tx
from bank.core.permissions import GRANTS, STAFF, Permission
from bank.core.work_rights import Employee
from bank.people.identity import User

MOST_NAMED: Final = 20
_LEADS: Final = tuple(role for role in STAFF if Permission.WORK_LEAD in GRANTS[role])


def tell(tx: Tx, rows: Sequence[Any]) -> None:
    """One mail to each who handed over some of these items, which are free again.

    Who has left, and the bank itself, read no mail: then whoever leads the branch is told.
    """
    lines: dict[int, list[str]] = defaultdict(list)
    givers = _still_here(tx, {row.assigned_by for row in rows})
    leads: dict[int | None, list[Employee]] = {}
    told: dict[int, Employee] = dict(givers)
    for row in rows:
        giver = givers.get(row.assigned_by)
        if giver is None and row.branch_id not in leads:
            leads[row.branch_id] = checkers.staff(tx, _LEADS, row.branch_id)
        for one in leads[row.branch_id] if giver is None else [giver]:
            told[one.id] = one
            lines[one.id].append(f"{row.reference}: {row.title} ({row.owner_name})")
    for user_id, said in sorted(lines.items()):
        _mail(tx, told[user_id], said)


def _still_here(tx: Tx, user_ids: set[int]) -> Mapping[int, Employee]:
    users = tx.connection.execute(
        select(User.id, User.name, User.role, User.branch_id, User.email).where(
            User.id.in_(user_ids), User.active, User.role.in_(STAFF)
        )
    )
    return {user.id: Employee(*user) for user in users}


def _mail(tx: Tx, to: Employee, said: Sequence[str]) -> None:
    if not to.email:
        return
    count = len(said)
    named = "\n".join(said[:MOST_NAMED])
    more = f"\nand {count - MOST_NAMED} more" if count > MOST_NAMED else ""
    outbox.queue_mail(
        tx,
        to=to.email,
        subject="Not taken up: work you handed over is free again",
        body=f"Hello {to.name},\n\nthis was handed to a colleague (in brackets) who has not taken "
        f"it up in time. It is unassigned again, and anybody's:\n\n{named}{more}\n\n"
        "Look in the inbox, and hand it to somebody who is there.\n",
        purpose="work",
        user_id=to.id,
    )
