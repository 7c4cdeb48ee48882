"""The branches as head office sees them: who leads each, how many work and bank there."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from bank.core.desk import Tx, query
from bank.core.permissions import STAFF, Permission, Role
from bank.people.branches import Branch, BranchCard, card
from bank.people.customers import Customer
from bank.people.identity import User, UserStatus


@dataclass(frozen=True, kw_only=True)
class BranchOverview:
    """A branch with its people. `admins` are those who can sign in."""

    branch: BranchCard
    admins: Sequence[str]
    employees: int
    customers: int


@query(Permission.BRANCH_EDIT)
def branch_overviews(tx: Tx) -> Sequence[BranchOverview]:
    """List the branches with their admins and how many people work and bank there."""
    working = {
        branch_id: count
        for branch_id, count in tx.session.execute(
            select(User.branch_id, func.count())
            .where(User.role.in_(STAFF), User.status != UserStatus.REMOVED)
            .group_by(User.branch_id)
        )
    }
    banking = {
        branch_id: count
        for branch_id, count in tx.session.execute(
            select(Customer.branch_id, func.count()).group_by(Customer.branch_id)
        )
    }
    admins: dict[int | None, list[str]] = {}
    for branch_id, name in tx.session.execute(
        select(User.branch_id, User.name)
        .where(
            User.role == Role.BRANCH_ADMIN,
            User.status == UserStatus.ACTIVE,
            User.password_hash.is_not(None),
        )
        .order_by(User.name)
    ):
        admins.setdefault(branch_id, []).append(name)
    return [
        BranchOverview(
            branch=card(row),
            admins=admins.get(row.id, []),
            employees=working.get(row.id, 0),
            customers=banking.get(row.id, 0),
        )
        for row in tx.session.scalars(select(Branch).order_by(Branch.name))
    ]
