"""Holds: money reserved on an account and not posted.

    placed ---release---> released

A held rupee cannot be spent or held again: available = booked - holds + limit.
The database keeps `balances.held_minor` equal to the sum of holds in force. What a person asks for
carries the id of the request: a second click gets the first hold, other content is refused.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from sqlalchemy import insert, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from bank.book import drafts, ledger
from bank.book.tables import Hold
from bank.core import money
from bank.core.desk import Tx, command
from bank.core.errors import BadInput, NotFound, WrongState
from bank.core.permissions import Permission

# Told of every hold that a person asks for, before it is placed. `bank/app.py` fills it: what
# stands on an account is known upstairs.
before_holds: Final[list[Callable[[Tx, int], None]]] = []


class NoSuchHold(NotFound):
    """There is no such hold on an account of your branch. Check its number."""


class HoldIsReleased(WrongState):
    """This hold has been released already."""


def place(
    tx: Tx, account_id: int, amount_minor: int, reason: str, *, request_id: str | None = None
) -> int:
    """Reserve an amount (minor units) on an account; returns the hold's id.

    Raises InsufficientFunds when the available balance is smaller.
    """
    money.check_positive(amount_minor)
    why = _reason(reason)
    _hold_still(tx, account_id)
    if ledger.balance_of(tx, account_id).available_minor < amount_minor:
        raise ledger.InsufficientFunds
    made = tx.connection.execute(
        insert(Hold).returning(Hold.id),
        {
            "account_id": account_id,
            "amount_minor": amount_minor,
            "reason": why,
            "placed_at": tx.now,
            "placed_by": drafts.actor_of(tx),
            "request_id": request_id,
        },
    )
    return int(made.scalar_one())


def release(tx: Tx, hold_id: int, *, request_id: str | None = None) -> None:
    """Give the reserved money back to the available balance."""
    hold = tx.session.get(Hold, hold_id)
    if hold is None:
        raise NoSuchHold
    _hold_still(tx, hold.account_id)  # in the order in which all others lock
    hold = tx.locked(Hold, hold_id)
    if hold.released_at is not None:
        raise HoldIsReleased
    try:
        tx.connection.execute(
            update(Hold)
            .where(Hold.id == hold_id)
            .values(
                released_at=tx.now,
                released_by=drafts.actor_of(tx),
                release_request_id=request_id,
            )
        )
    except DBAPIError as refused:
        if "a hold is released once" in str(refused.orig):
            raise HoldIsReleased from refused
        raise


@command(Permission.HOLD_PLACE)
def place_hold(tx: Tx, account_id: int, amount_minor: int, reason: str, *, request_id: str) -> int:
    """Reserve money on an account of the branch; returns the hold's number, once per request."""
    _in_scope(tx, account_id)
    _hold_still(tx, account_id)
    tx.concerns("balance", account_id)
    first = tx.session.scalar(select(Hold).where(Hold.request_id == request_id))
    if first is not None:
        asked = (account_id, amount_minor, reason.strip(), tx.desk.user_id)
        if asked != (first.account_id, first.amount_minor, first.reason, first.placed_by):
            raise drafts.RequestReused
        return first.id
    for tell in before_holds:
        tell(tx, account_id)
    before = ledger.balance_of(tx, account_id).held_minor
    try:
        hold_id = place(tx, account_id, amount_minor, reason, request_id=request_id)
    except IntegrityError as refused:
        raise _reused(refused) from refused
    tx.changed({"held_minor": before}, {"held_minor": before + amount_minor})
    return hold_id


@command(Permission.HOLD_PLACE)
def release_hold(tx: Tx, hold_id: int, *, request_id: str) -> datetime:
    """Release a hold on an account of the branch; returns when, also to a second click."""
    hold = tx.session.get(Hold, hold_id)
    if hold is None:
        raise NoSuchHold
    _in_scope(tx, hold.account_id)
    _hold_still(tx, hold.account_id)
    tx.concerns("balance", hold.account_id)
    first = tx.session.scalar(
        select(Hold).where(Hold.release_request_id == request_id),
        execution_options={"populate_existing": True},
    )
    if first is not None:
        if first.released_at is None or (first.id, first.released_by) != (
            hold_id,
            tx.desk.user_id,
        ):
            raise drafts.RequestReused
        return first.released_at
    before = ledger.balance_of(tx, hold.account_id).held_minor
    try:
        release(tx, hold_id, request_id=request_id)
    except IntegrityError as refused:
        raise _reused(refused) from refused
    tx.changed({"held_minor": before}, {"held_minor": before - hold.amount_minor})
    return tx.now


def _reason(reason: str) -> str:
    why = reason.strip()
    if not why:
        raise BadInput("Say why the money is held; the customer may ask.", field="reason")
    drafts.check_text(why, drafts.LONGEST_REASON, "reason")
    return why


def _in_scope(tx: Tx, account_id: int) -> None:
    card = ledger.balance_of(tx, account_id)
    if not tx.desk.sees_whole_bank and card.branch_id != tx.desk.branch_id:
        raise ledger.NoSuchAccount


def _hold_still(tx: Tx, account_id: int) -> None:
    """Hold the account's row, so that what is read from here on is what will be changed."""
    if tx.dialect == "postgresql":  # on SQLite there is one writer at a time
        tx.cursor.execute(
            "SELECT 1 FROM balances WHERE account_id = %s FOR NO KEY UPDATE", (account_id,)
        )


def _reused(refused: IntegrityError) -> Exception:
    """A request used for another account in this very moment; anything else stays what it is."""
    return drafts.RequestReused() if "request_id" in str(refused.orig) else refused
