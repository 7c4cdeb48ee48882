"""Named grants given and ended: supervisor, vault custodian; for good, or as leave cover."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import ColumnElement, or_, select

from bank.core import outbox
from bank.core.checked import Checked
from bank.core.clock import in_india
from bank.core.desk import Tx, command, query
from bank.core.errors import BadInput, NotFound, WrongState
from bank.core.permissions import NamedGrant, Permission
from bank.people import named_grants
from bank.people.fields import clean_text
from bank.people.identity import User
from bank.people.named_grants import LONGEST_REASON, GrantCard, NamedGrantRow
from bank.people.staff import OF_NO_USE, about_employee, managed
from bank.people.staff_list import scope


class NoSuchGrant(NotFound):
    """There is no such grant at your branch. Choose one from the list."""


class GrantHeld(WrongState):
    """They hold this grant on some of these days already. Choose other days, or end it first."""


class BeginsInThePast(BadInput):
    """A grant begins today or later. Choose another first day."""


class GrantOver(WrongState):
    """This grant is over already. Reload the page and look again."""


@query(Permission.STAFF_VIEW)
def grants(tx: Tx, with_past: bool = False) -> Sequence[GrantCard]:
    """List the named grants at one's branch, or in the whole bank for who sees it."""
    conditions: list[ColumnElement[bool]] = [
        NamedGrantRow.user_id.in_(select(User.id).where(*scope(tx)))
    ]
    if not with_past:
        row = NamedGrantRow
        conditions.append(row.ended_at.is_(None))
        conditions.append(or_(row.valid_to.is_(None), row.valid_to >= tx.business_date))
    return named_grants.cards(tx, *conditions)


@command(
    Permission.GRANT_GIVE,
    checked=Checked(about=about_employee, ends=(*OF_NO_USE, GrantHeld, BeginsInThePast)),
)
def give_grant(
    tx: Tx,
    user_id: int,
    named: NamedGrant,
    valid_from: date,
    valid_to: date | None,
    reason: str,
) -> int:
    """Give an employee a named grant from one day to another, or for good.

    Answers its id.
    """
    why = clean_text(reason, field="reason", longest=LONGEST_REASON)
    if valid_from < tx.business_date:
        raise BeginsInThePast(field="valid_from")
    if valid_to is not None and valid_to < valid_from:
        raise BadInput("The last day lies before the first one.", field="valid_to")
    user = managed(tx, user_id)
    if not user.active:
        raise WrongState("This employee is locked. Unlock them first.")
    held = [
        row
        for row in named_grants.open_grants(tx, user.id)
        if (row.valid_to is None or row.valid_to >= valid_from)
        and (valid_to is None or row.valid_from <= valid_to)
    ]
    if any(row.named is named for row in held):
        raise GrantHeld(field="valid_from")
    named_grants.refuse_conflicts(tx, user.role, [named, *(row.named for row in held)])
    assert tx.desk.user_id is not None
    row = NamedGrantRow(
        user_id=user.id,
        named=named,
        valid_from=valid_from,
        valid_to=valid_to,
        given_by=tx.desk.user_id,
        given_at=tx.now,
        reason=why,
    )
    tx.session.add(row)
    tx.session.flush()
    _recorded(tx, user, {named.value: None}, row)
    until = f"until {valid_to:%d %b %Y}" if valid_to else "until it is ended"
    _tell(tx, user, f"You are {_word(named)} from {valid_from:%d %b %Y} {until}. Reason: {why}.")
    return row.id


@command(Permission.GRANT_GIVE)
def end_grant(tx: Tx, grant_id: int, reason: str) -> None:
    """End a named grant, with effect on its holder's next click."""
    why = clean_text(reason, field="reason", longest=LONGEST_REASON)
    found = tx.session.get(NamedGrantRow, grant_id)
    if found is None:
        raise NoSuchGrant
    user = managed(tx, found.user_id)
    row = tx.locked(NamedGrantRow, grant_id)
    if row.ended_at is not None or (row.valid_to is not None and row.valid_to < tx.business_date):
        raise GrantOver
    before = _facts(row)
    row.ended_at, row.ended_by, row.ended_because = tx.now, tx.desk.user_id, why
    _recorded(tx, user, before, row)
    _tell(tx, user, f"You are no longer {_word(row.named)}. Reason: {why}.")


def _recorded(tx: Tx, user: User, before: dict[str, object], row: NamedGrantRow) -> None:
    tx.concerns("user", user.id)
    whose: dict[str, object] = {"name": user.name, "username": user.username}
    tx.changed({**whose, **before}, {**whose, **_facts(row)})
    tx.facts["grant"] = row.id


def _facts(row: NamedGrantRow) -> dict[str, object]:
    ended = in_india(row.ended_at).date() if row.ended_at else None
    return {
        row.named.value: f"{row.valid_from} to {row.valid_to or 'further notice'}",
        "ended": ended.isoformat() if ended else None,
    }


def _word(named: NamedGrant) -> str:
    return named.value.replace("_", " ")


def _tell(tx: Tx, user: User, what: str) -> None:
    if user.email is not None:
        outbox.queue_mail(
            tx,
            to=user.email,
            subject="What you may do at the bank",
            body=f"Hello {user.name},\n\n{what}\n",
            purpose="grant",
            user_id=user.id,
        )
