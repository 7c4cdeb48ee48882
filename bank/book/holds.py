"""Holds: money reserved on an account and not posted.

    placed ---release---> released

A held rupee cannot be spent or held again: available = booked - holds + limit.
The database keeps `balances.held_minor` equal to the sum of holds in force.
"""

from datetime import datetime

from sqlalchemy import insert, update
from sqlalchemy.exc import DBAPIError

from bank.book import drafts, ledger
from bank.book.tables import Hold
from bank.core import money
from bank.core.desk import Tx, command
from bank.core.errors import BadInput, NotFound, WrongState
from bank.core.permissions import Permission


class NoSuchHold(NotFound):
    """There is no such hold on an account of your branch. Check its number."""


class HoldIsReleased(WrongState):
    """This hold has been released already."""


def place(tx: Tx, account_id: int, amount_minor: int, reason: str) -> int:
    """Reserve an amount (minor units) on an account; returns the hold's id.

    Raises InsufficientFunds when the available balance is smaller.
    """
    money.check_positive(amount_minor)
    if not reason.strip():
        raise BadInput("Say why the money is held; the customer may ask.", field="reason")
    drafts.check_text(reason.strip(), drafts.LONGEST_REASON, "reason")
    if tx.dialect == "postgresql":  # hold the row, so that what we check is what we change
        tx.cursor.execute(
            "SELECT 1 FROM balances WHERE account_id = %s FOR NO KEY UPDATE", (account_id,)
        )
    if ledger.balance_of(tx, account_id).available_minor < amount_minor:
        raise ledger.InsufficientFunds
    made = tx.connection.execute(
        insert(Hold).returning(Hold.id),
        {
            "account_id": account_id,
            "amount_minor": amount_minor,
            "reason": reason.strip(),
            "placed_at": tx.now,
            "placed_by": drafts.actor_of(tx),
        },
    )
    return int(made.scalar_one())


def release(tx: Tx, hold_id: int) -> None:
    """Give the reserved money back to the available balance."""
    hold = tx.locked(Hold, hold_id)
    if hold.released_at is not None:
        raise HoldIsReleased
    try:
        tx.connection.execute(
            update(Hold)
            .where(Hold.id == hold_id)
            .values(released_at=tx.now, released_by=drafts.actor_of(tx))
        )
    except DBAPIError as refused:
        raise HoldIsReleased from refused


def _in_scope(tx: Tx, account_id: int) -> None:
    card = ledger.balance_of(tx, account_id)
    if not tx.desk.sees_whole_bank and card.branch_id != tx.desk.branch_id:
        raise ledger.NoSuchAccount


@command(Permission.HOLD_PLACE)
def place_hold(tx: Tx, account_id: int, amount_minor: int, reason: str) -> int:
    """Reserve money on an account of the branch; returns the hold's number."""
    _in_scope(tx, account_id)
    before = ledger.balance_of(tx, account_id).held_minor
    hold_id = place(tx, account_id, amount_minor, reason)
    tx.concerns("balance", account_id)
    tx.changed({"held_minor": before}, {"held_minor": before + amount_minor})
    return hold_id


@command(Permission.HOLD_PLACE)
def release_hold(tx: Tx, hold_id: int) -> datetime:
    """Release a hold on an account of the branch; returns when."""
    hold = tx.session.get(Hold, hold_id)
    if hold is None:
        raise NoSuchHold
    _in_scope(tx, hold.account_id)
    before = ledger.balance_of(tx, hold.account_id).held_minor
    release(tx, hold_id)
    tx.concerns("balance", hold.account_id)
    tx.changed({"held_minor": before}, {"held_minor": before - hold.amount_minor})
    return tx.now
