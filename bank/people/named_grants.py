"""Named grants: what an employee may do beyond their role, from one day to another.

Supervisor and vault custodian are given to people by name, often for as long as a colleague is
away. A grant counts on its days only; which ones exclude each other is dated data.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import ColumnElement, ForeignKey, String, exists, or_, select
from sqlalchemy.orm import Mapped, aliased, mapped_column

from bank.core.db import Base
from bank.core.desk import Tx
from bank.core.errors import WrongState
from bank.core.permissions import GRANTS, NamedGrant, Permission, Role
from bank.people.identity import User, UserStatus

LONGEST_REASON = 200
_KEEPERS: Final = tuple(role for role in Role if Permission.VAULT_KEEP in GRANTS[role])


class ConflictingGrants(WrongState):
    """One person may not be both. Choose somebody else, or end the other grant first."""


class NamedGrantRow(Base):
    """One grant. Without `valid_to` it counts until it is ended."""

    __tablename__ = "named_grants"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    named: Mapped[NamedGrant]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    given_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    given_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(String(LONGEST_REASON))
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    ended_because: Mapped[str | None] = mapped_column(String(LONGEST_REASON))


class GrantConflict(Base):
    """Who is `held` (a role, or a grant) may not be `named`, from a day until a later row."""

    __tablename__ = "grant_conflicts"

    held: Mapped[str] = mapped_column(String(32), primary_key=True)
    named: Mapped[NamedGrant] = mapped_column(primary_key=True)
    effective_from: Mapped[date] = mapped_column(primary_key=True)
    forbidden: Mapped[bool]
    source: Mapped[str] = mapped_column(String(300))


@dataclass(frozen=True, kw_only=True)
class GrantCard:
    """A grant as people see it. `state` is coming, in force, over or ended."""

    id: int
    user_id: int
    holder: str
    named: NamedGrant
    valid_from: date
    valid_to: date | None
    given_by: str
    reason: str
    state: str
    ended_because: str


def in_force(day: date) -> ColumnElement[bool]:
    """The grants that count on a day."""
    row = NamedGrantRow
    return (
        row.ended_at.is_(None)
        & (row.valid_from <= day)
        & or_(row.valid_to.is_(None), row.valid_to >= day)
    )


def held_by(tx: Tx, user_ids: Sequence[int]) -> Mapping[int, Sequence[NamedGrant]]:
    """What counts today for each of these users, in one look."""
    found: dict[int, list[NamedGrant]] = {}
    rows = tx.session.execute(
        select(NamedGrantRow.user_id, NamedGrantRow.named)
        .where(NamedGrantRow.user_id.in_(user_ids), in_force(tx.business_date))
        .order_by(NamedGrantRow.named)
    )
    for user_id, named in rows:
        found.setdefault(user_id, []).append(named)
    return found


def cards(tx: Tx, *conditions: ColumnElement[bool]) -> Sequence[GrantCard]:
    """Grants with the people in them, newest first."""
    holder, giver = aliased(User), aliased(User)
    rows = tx.session.execute(
        select(NamedGrantRow, holder.name, giver.name)
        .join(holder, holder.id == NamedGrantRow.user_id)
        .join(giver, giver.id == NamedGrantRow.given_by)
        .where(*conditions)
        .order_by(NamedGrantRow.id.desc())
    )
    return [_card(row, name, by, tx.business_date) for row, name, by in rows]


def open_grants(tx: Tx, user_id: int) -> Sequence[NamedGrantRow]:
    """What somebody holds, or will: not ended, and not over."""
    row = NamedGrantRow
    open_ended = or_(row.valid_to.is_(None), row.valid_to >= tx.business_date)
    wanted = select(row).where(row.user_id == user_id, row.ended_at.is_(None), open_ended)
    return tx.session.scalars(wanted.order_by(row.id)).all()


def end_all(tx: Tx, user_id: int, because: str) -> list[str]:
    """End whatever somebody holds or will; answers what that was."""
    rows = open_grants(tx, user_id)
    for row in rows:
        row.ended_at, row.ended_by, row.ended_because = tx.now, tx.desk.user_id, because
    return [row.named.value for row in rows]


def refuse_conflicts(tx: Tx, role: Role, named: Sequence[NamedGrant]) -> None:
    """Raise ConflictingGrants when one person may not have this role and these grants together."""
    forbidden = _forbidden(tx)
    together = {role.value, *(each.value for each in named)}
    for held, other in forbidden:
        if held in together and other in together:
            words = [each.replace("_", " ") for each in (held, other)]
            raise ConflictingGrants(
                f"Nobody may be {words[0]} and {words[1]} at once. Choose somebody else, or end "
                "the other grant first.",
                field="role",
            )


def against_leaving(tx: Tx, user_ids: Sequence[int]) -> Mapping[int, Sequence[str]]:
    """Whose leaving would leave nobody at their branch who keeps its vault, by role or by name."""
    theirs = select(User.branch_id).where(User.id.in_(user_ids))
    by_name = exists().where(
        NamedGrantRow.user_id == User.id,
        NamedGrantRow.named == NamedGrant.VAULT_CUSTODIAN,
        in_force(tx.business_date),
    )
    keepers = tx.session.execute(
        select(User.id, User.branch_id, User.status).where(
            User.branch_id.in_(theirs),
            User.status != UserStatus.REMOVED,
            or_(User.role.in_(_KEEPERS), by_name),
        )
    ).all()
    active = {(one.branch_id, one.id) for one in keepers if one.status is UserStatus.ACTIVE}
    asked = set(user_ids)
    alone = [
        one.id
        for one in keepers
        if one.id in asked
        and not any(branch == one.branch_id and user != one.id for branch, user in active)
    ]
    said = ["Nobody else at their branch may keep the vault: name or hire somebody first."]
    return dict.fromkeys(alone, said)


def _forbidden(tx: Tx) -> set[tuple[str, str]]:
    rows = tx.session.execute(
        select(GrantConflict.held, GrantConflict.named, GrantConflict.forbidden)
        .where(GrantConflict.effective_from <= tx.business_date)
        .order_by(GrantConflict.effective_from)
    )
    latest = {(held, named.value): forbidden for held, named, forbidden in rows}
    return {pair for pair, forbidden in latest.items() if forbidden}


def _card(row: NamedGrantRow, holder: str, giver: str, today: date) -> GrantCard:
    return GrantCard(
        id=row.id,
        user_id=row.user_id,
        holder=holder,
        named=row.named,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        given_by=giver,
        reason=row.reason,
        state=_state(row, today),
        ended_because=row.ended_because or "",
    )


def _state(row: NamedGrantRow, today: date) -> str:
    if row.ended_at is not None:
        return "ended"
    if row.valid_from > today:
        return "coming"
    return "over" if row.valid_to is not None and row.valid_to < today else "in force"
