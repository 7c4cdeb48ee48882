"""The people of a demo bank, with the codes their devices would show. No other bank answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from bank.core.desk import Tx, query
from bank.core.errors import NotFound
from bank.core.permissions import STAFF, Permission, Role
from bank.people import codes, sign_ins
from bank.people.branches import Branch
from bank.people.identity import User

# What every person of the demo bank signs in with, and confirms payments with. No secrets.
PASSWORD: Final = "try-the-counter-26"  # noqa: S105
TRANSACTION_PASSWORD: Final = "and-pay-somebody-26"  # noqa: S105


@dataclass(frozen=True, kw_only=True)
class DemoPerson:
    """Somebody to sign in as. `code` is empty for who gets their codes by mail."""

    username: str
    name: str
    role: Role
    branch: str
    code: str
    seconds_left: int


@query(Permission.DEMO_VIEW)
def demo_codes(tx: Tx, customers: int = 10) -> Sequence[DemoPerson]:
    """Show whom a visitor of the demo may sign in as, with the one-time code of this moment.

    Every employee, and the first few customers. A device that is being set up counts already.
    """
    if not tx.bank.is_demo:
        raise NotFound
    people = select(User, Branch.name).outerjoin(Branch, Branch.id == User.branch_id)
    people = people.where(User.active, User.password_hash.is_not(None)).order_by(User.id)
    staff = tx.session.execute(people.where(User.role.in_(STAFF))).all()
    some = tx.session.execute(people.where(User.role == Role.CUSTOMER).limit(customers)).all()
    shown = sign_ins.keys_on_show(tx)
    return [_person(tx, user, branch or "", shown.get(user.id)) for user, branch in [*staff, *some]]


def _person(tx: Tx, user: User, branch: str, shown: str | None) -> DemoPerson:
    key = codes.opened_key(tx, user.totp_secret or user.totp_pending or shown)
    code, seconds_left = codes.totp_now(key, tx.now) if key else ("", 0)
    return DemoPerson(
        username=user.username,
        name=user.name,
        role=user.role,
        branch=branch,
        code=code,
        seconds_left=seconds_left,
    )
