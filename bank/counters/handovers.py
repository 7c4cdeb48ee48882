"""Handovers: cash between a drawer and the vault during the day, asked for and confirmed.

    requested --the custodian confirms--> confirmed
        '--> declined by the custodian, withdrawn by the cashier

The cashier counts what he wants or returns; the money is where it was until the custodian confirms
that it changed hands. Never one person alone.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from bank.book.drafts import RequestReused
from bank.core import money
from bank.core.db import Base
from bank.core.desk import Tx, command
from bank.core.errors import BadInput, NotFound, WrongState
from bank.core.permissions import Permission
from bank.core.states import check_move, machine, move
from bank.counters import drawer_cash, drawers, tallies
from bank.counters.drawer_cash import DrawerTooLow, MoveKind
from bank.counters.drawers import LONGEST_NOTE, Drawer, DrawerStatus, OwnDrawer
from bank.counters.tallies import Pieces
from bank.people.fields import clean_text


class Direction(StrEnum):
    """Which way the cash goes."""

    TO_DRAWER = "to_drawer"
    TO_VAULT = "to_vault"


class HandoverStatus(StrEnum):
    """Whether it has changed hands."""

    REQUESTED = "requested"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


H = HandoverStatus
MOVES: Final = machine("handover", {H.REQUESTED: {H.CONFIRMED, H.DECLINED, H.WITHDRAWN}})


class NoSuchHandover(NotFound):
    """There is no such request at your branch. Reload the page and choose one from the list."""


class NothingCounted(BadInput):
    """Count at least one note or coin."""


class DrawerNotOpen(WrongState):
    """This drawer is not open. Cash moves only while it is."""


class Handover(Base):
    """One request to move cash. `note` says why it was declined."""

    __tablename__ = "handovers"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        CheckConstraint(
            "status = 'withdrawn' OR decided_by <> asked_by", name="decided_by_another"
        ),
        UniqueConstraint("request_id"),
        Index("ix_handovers_drawer_id", "drawer_id", "status"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    drawer_id: Mapped[int] = mapped_column(ForeignKey("drawers.id"))
    direction: Mapped[Direction]
    status: Mapped[HandoverStatus]
    request_id: Mapped[str] = mapped_column(String(36))
    amount_minor: Mapped[int]
    tally_id: Mapped[int] = mapped_column(ForeignKey("tallies.id"))
    asked_at: Mapped[datetime]
    asked_by: Mapped[int]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[int | None]
    note: Mapped[str] = mapped_column(String(LONGEST_NOTE))


@command(Permission.CASH_POST)
def ask_for_cash(tx: Tx, drawer_id: int, pieces: Pieces, *, request_id: str) -> int:
    """Ask for more cash from the vault."""
    return _ask(tx, drawer_id, Direction.TO_DRAWER, pieces, request_id)


@command(Permission.CASH_POST)
def offer_cash(tx: Tx, drawer_id: int, pieces: Pieces, *, request_id: str) -> int:
    """Offer cash of the drawer back to the vault."""
    return _ask(tx, drawer_id, Direction.TO_VAULT, pieces, request_id)


@command(Permission.CASH_POST)
def withdraw_handover(tx: Tx, handover_id: int) -> None:
    """Take back a request that nobody has decided yet."""
    handover, drawer = _held(tx, handover_id)
    if drawer.cashier_id != tx.desk.user_id:
        raise NoSuchHandover
    _decide(tx, handover, H.WITHDRAWN)


@command(Permission.VAULT_KEEP)
def confirm_handover(tx: Tx, handover_id: int) -> None:
    """Confirm that the counted cash has changed hands between vault and drawer."""
    handover, drawer = _of_another(tx, handover_id)
    check_move(handover.status, H.CONFIRMED, MOVES)
    if drawer.status is not DrawerStatus.OPEN:
        raise DrawerNotOpen
    if handover.direction is Direction.TO_DRAWER:
        drawer_cash.take_from_vault(tx, drawer.branch_id, handover.amount_minor)
        amount_minor = handover.amount_minor
    else:
        _check_drawer_has(tx, drawer, handover.amount_minor)
        amount_minor = -handover.amount_minor
    drawer_cash.hand(tx, drawer, amount_minor, MoveKind.HANDED, handover.id)
    _decide(tx, handover, H.CONFIRMED)


@command(Permission.VAULT_KEEP)
def decline_handover(tx: Tx, handover_id: int, reason: str) -> None:
    """Decline to move the cash, with a reason the cashier reads."""
    handover, _ = _of_another(tx, handover_id)
    handover.note = clean_text(reason, field="reason", longest=LONGEST_NOTE)
    _decide(tx, handover, H.DECLINED)


def waiting_for(tx: Tx, drawer_id: int) -> int | None:
    """A request of this drawer that nobody has decided yet."""
    return tx.session.scalar(
        select(Handover.id)
        .where(Handover.drawer_id == drawer_id, Handover.status == H.REQUESTED)
        .limit(1)
    )


def _ask(tx: Tx, drawer_id: int, direction: Direction, pieces: Pieces, request_id: str) -> int:
    drawer = drawers.held_own(tx, drawer_id)
    asked = tx.session.scalar(select(Handover).where(Handover.request_id == request_id))
    if asked is not None:
        same = (drawer.id, direction, tallies.worth(tx, pieces))
        if (asked.drawer_id, asked.direction, asked.amount_minor) != same:
            raise RequestReused
        return asked.id
    if drawer.status is not DrawerStatus.OPEN or drawer.business_date != tx.business_date:
        raise DrawerNotOpen
    tally = tallies.keep_tally(tx, pieces)
    if not tally.total_minor:
        raise NothingCounted(field=tallies.FIELD)
    if direction is Direction.TO_VAULT:
        _check_drawer_has(tx, drawer, tally.total_minor)
    handover = Handover(
        drawer_id=drawer.id,
        direction=direction,
        status=H.REQUESTED,
        request_id=request_id,
        amount_minor=tally.total_minor,
        tally_id=tally.id,
        asked_at=tx.now,
        asked_by=drawer.cashier_id,
        note="",
    )
    tx.session.add(handover)
    try:
        tx.session.flush()
    except IntegrityError:  # the same request from another window at the same moment
        raise RequestReused from None
    tx.concerns("handover", handover.id)
    tx.changed(None, {"direction": direction, "amount_minor": tally.total_minor})
    return handover.id


def _check_drawer_has(tx: Tx, drawer: Drawer, amount_minor: int) -> None:
    held = drawer_cash.in_drawer(tx, drawer.id)
    if held < amount_minor:
        raise DrawerTooLow(f"The drawer holds {money.show(held)}. Return less.")


def _held(tx: Tx, handover_id: int) -> tuple[Handover, Drawer]:
    """The request and its drawer, both held; always the drawer first."""
    drawer_id = tx.session.scalar(select(Handover.drawer_id).where(Handover.id == handover_id))
    if drawer_id is None:
        raise NoSuchHandover
    lock: dict[str, Any] = {"key_share": True}
    drawer = tx.session.get(Drawer, drawer_id, with_for_update=lock, populate_existing=True)
    handover = tx.session.get(Handover, handover_id, with_for_update=lock, populate_existing=True)
    if drawer is None or handover is None or drawer.branch_id != tx.desk.branch_id:
        raise NoSuchHandover
    return handover, drawer


def _of_another(tx: Tx, handover_id: int) -> tuple[Handover, Drawer]:
    handover, drawer = _held(tx, handover_id)
    if drawer.cashier_id == tx.desk.user_id:
        raise OwnDrawer
    return handover, drawer


def _decide(tx: Tx, handover: Handover, to: HandoverStatus) -> None:
    before = handover.status
    move(handover, to, MOVES)
    handover.decided_at, handover.decided_by = tx.now, tx.desk.user_id
    tx.session.flush()
    tx.concerns("handover", handover.id)
    tx.changed({"status": before}, {"status": to, "amount_minor": handover.amount_minor})
