"""Rights: which role may do what, and the other way round: "who can ...?", with names."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select

from bank.core.desk import CATALOGUE, Tx, VerbKind, query
from bank.core.errors import NotFound
from bank.core.permissions import GRANTS, NAMED_GRANTS, NamedGrant, Permission, Role
from bank.people.branches import Branch
from bank.people.identity import User, UserStatus
from bank.people.named_grants import NamedGrantRow, in_force


class NoSuchVerb(NotFound):
    """The bank does no such thing. Choose one from the list."""


@dataclass(frozen=True, kw_only=True)
class Right:
    """One thing the bank does, and who may ask it to: a row of the matrix."""

    verb: str
    sentence: str
    permission: Permission
    changes: bool  # whether it may change the bank, or only looks
    roles: frozenset[Role]
    named: frozenset[NamedGrant]


@dataclass(frozen=True, kw_only=True)
class Holder:
    """An employee who can, by role or by a grant given by name."""

    name: str
    username: str
    role: Role
    branch: str
    by: str  # the word of the role, or of the grant


@dataclass(frozen=True, kw_only=True)
class WhoCan:
    """Everybody who can do one thing today: employees by name, customers by number."""

    right: Right
    holders: Sequence[Holder]
    customers: int


@query(Permission.RIGHTS_VIEW)
def rights(tx: Tx) -> Sequence[Right]:
    """List everything the bank does with the roles and named grants that may ask for it."""
    return [_right(name) for name in sorted(CATALOGUE, key=lambda name: CATALOGUE[name].sentence)]


@query(Permission.RIGHTS_VIEW)
def who_can(tx: Tx, verb: str) -> WhoCan:
    """Say who can do one thing today: every employee by name, and how many customers."""
    if verb not in CATALOGUE:
        raise NoSuchVerb
    right = _right(verb)
    granted = select(NamedGrantRow.user_id, NamedGrantRow.named).where(
        NamedGrantRow.named.in_(right.named), in_force(tx.business_date)
    )
    by_name = {user_id: named for user_id, named in tx.session.execute(granted)}
    people = tx.session.execute(
        select(User, Branch.name)
        .outerjoin(Branch, Branch.id == User.branch_id)
        .where(
            User.status == UserStatus.ACTIVE,
            User.customer_id.is_(None),
            User.role != Role.SYSTEM,
            or_(User.role.in_(right.roles), User.id.in_(by_name)),
        )
        .order_by(User.name, User.id)
    )
    holders = [
        Holder(
            name=user.name,
            username=user.username,
            role=user.role,
            branch=branch or "",
            by=user.role.value if user.role in right.roles else by_name[user.id].value,
        )
        for user, branch in people
    ]
    customers = 0
    if Role.CUSTOMER in right.roles:
        counted = select(func.count()).where(
            User.role == Role.CUSTOMER, User.status == UserStatus.ACTIVE
        )
        customers = tx.session.scalar(counted) or 0
    return WhoCan(right=right, holders=holders, customers=customers)


def _right(name: str) -> Right:
    verb = CATALOGUE[name]
    return Right(
        verb=name,
        sentence=verb.sentence,
        permission=verb.permission,
        changes=verb.kind is not VerbKind.QUERY,
        roles=frozenset(role for role in Role if verb.permission in GRANTS[role]),
        named=frozenset(each for each in NamedGrant if verb.permission in NAMED_GRANTS[each]),
    )
