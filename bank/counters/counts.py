"""Counts: what really lies in a drawer, found before anybody is told what should.

A drawer that is to be closed stops working, is counted blind, and only then shows the difference.
An over or short is booked on its own ledger account, with a reason, by a supervisor. A surprise
count finds and records; what it finds is booked at the close.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import ForeignKey, Index, String, select
from sqlalchemy.orm import Mapped, mapped_column

from bank.book import chart, ledger
from bank.book.kinds import EntryKind
from bank.core import money
from bank.core.clock import day_in_words
from bank.core.db import Base
from bank.core.desk import Tx, command
from bank.core.errors import WrongState
from bank.core.permissions import Permission
from bank.counters import drawer_cash, drawers, handovers, slips, supervision, tallies
from bank.counters.drawer_cash import MoveKind
from bank.counters.drawers import LONGEST_NOTE, Drawer, DrawerStatus
from bank.counters.handovers import DrawerNotOpen
from bank.counters.tallies import Pieces
from bank.people.fields import clean_text
from bank.people.identity import User, user_by_id

S = DrawerStatus
LONGEST_CASHIER: Final = 40
LONGEST_REASON: Final = 90  # it stands in the narration of the entry


class CountKind(StrEnum):
    """Why somebody counted."""

    CLOSING = "closing"
    SURPRISE = "surprise"


class HandoverWaits(WrongState):
    """A request for cash still waits for the custodian. Have it decided, or withdraw it, then
    count."""


class NothingToSettle(WrongState):
    """There is no difference to book on this drawer. Reload the page and look again."""


class DrawerCount(Base):
    """One count of a drawer: what was found, and what should have been there at that moment."""

    __tablename__ = "drawer_counts"
    __table_args__ = (
        Index("ix_drawer_counts_drawer_id", "drawer_id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    drawer_id: Mapped[int] = mapped_column(ForeignKey("drawers.id"))
    kind: Mapped[CountKind]
    tally_id: Mapped[int] = mapped_column(ForeignKey("tallies.id"))
    counted_minor: Mapped[int]
    expected_minor: Mapped[int]
    counted_at: Mapped[datetime]
    counted_by: Mapped[int]
    note: Mapped[str] = mapped_column(String(LONGEST_NOTE))


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What a count found. `difference_minor` is over (+) or short (-)."""

    counted_minor: int
    expected_minor: int

    @property
    def difference_minor(self) -> int:
        """Over (+), short (-), or nothing."""
        return self.counted_minor - self.expected_minor


@command(Permission.CASH_POST)
def start_count(tx: Tx, drawer_id: int) -> None:
    """Stop taking and paying cash, so that the drawer can be counted."""
    drawer = drawers.held_own(tx, drawer_id)
    if handovers.waiting_for(tx, drawer.id) is not None:
        raise HandoverWaits
    drawers.step(tx, drawer, S.COUNTING)


@command(Permission.CASH_POST)
def stop_count(tx: Tx, drawer_id: int) -> None:
    """Go on with the drawer; nothing was counted yet."""
    drawer = drawers.held_own(tx, drawer_id)
    if drawer.status is not S.COUNTING:  # only a supervisor sends a counted drawer back
        raise DrawerNotOpen
    drawers.step(tx, drawer, S.OPEN)


@command(Permission.CASH_POST)
def enter_count(tx: Tx, drawer_id: int, pieces: Pieces) -> Counted:
    """Say what lies in the drawer; only then what should lie there is told."""
    drawer = drawers.held_own(tx, drawer_id)
    if drawer.status is not S.COUNTING:
        raise DrawerNotOpen("Stop the drawer for the count first, then enter what you found.")
    found = _keep(tx, drawer, CountKind.CLOSING, pieces, "")
    drawer.counted_at = tx.now
    drawer.counted_minor, drawer.expected_minor = found.counted_minor, found.expected_minor
    drawers.step(tx, drawer, S.COUNTED, difference_minor=found.difference_minor)
    return found


@command(Permission.DRAWER_SUPERVISE)
def surprise_count(tx: Tx, drawer_id: int, pieces: Pieces, note: str = "") -> Counted:
    """Count somebody's open drawer unannounced; what is found is recorded, not booked."""
    drawer = drawers.held_of_another(tx, drawer_id)
    if drawer.status is not S.OPEN:
        raise DrawerNotOpen
    said = clean_text(note, field="note", longest=LONGEST_NOTE, may_be_empty=True)
    found = _keep(tx, drawer, CountKind.SURPRISE, pieces, said)
    tx.concerns("drawer", drawer.id)
    tx.changed(None, {"difference_minor": found.difference_minor})
    return found


@command(Permission.DRAWER_SUPERVISE)
def settle_difference(tx: Tx, drawer_id: int, reason: str, *, request_id: str) -> int:
    """Accept what was counted: book the over or short with a reason; answers the entry's id."""
    drawer = drawers.held_of_another(tx, drawer_id)
    assert tx.desk.user_id is not None
    return _settle(tx, drawer, tx.desk.user_id, reason, request_id)


@command(Permission.CASH_POST)
def settle_vouched(
    tx: Tx, drawer_id: int, reason: str, vouched: int | None, *, request_id: str
) -> int:
    """Book the over or short at the cashier's window, where a supervisor has vouched for it."""
    drawer = drawers.held_own(tx, drawer_id)
    if drawer.over_short_entry_id is None:
        supervisor = supervision.consume(tx, vouched, sentence_of(tx, drawer)).id
    else:  # the same click again, perhaps: the ledger knows its request
        supervisor = drawer.settled_by or 0
    return _settle(tx, drawer, supervisor, reason, request_id)


@command(Permission.DRAWER_SUPERVISE)
def send_back(tx: Tx, drawer_id: int, reason: str) -> None:
    """Send a counted drawer back to work, to look for the mistake and count again."""
    drawer = drawers.held_of_another(tx, drawer_id)
    said = clean_text(reason, field="reason", longest=LONGEST_NOTE)
    if drawer.over_short_entry_id is not None:
        raise NothingToSettle("The difference is booked already. Take the cash back and close it.")
    drawer.note = said
    drawers.step(tx, drawer, S.OPEN, reason=said)


def sentence_of(tx: Tx, drawer: Drawer) -> str:
    """What a supervisor vouches for at the cashier's window, in full."""
    name = tx.session.scalar(select(User.name).where(User.id == drawer.cashier_id))
    return difference_sentence(drawer, name or f"cashier {drawer.cashier_id}")


def difference_sentence(drawer: Drawer, cashier: str) -> str:
    """`Cash short ₹ 500.00, drawer 12 of Asha Rao, 16 Mar 2026`."""
    amount = money.show(abs(drawer.difference_minor))
    what = "over" if drawer.difference_minor > 0 else "short"
    day = day_in_words(drawer.business_date)
    return f"Cash {what} {amount}, drawer {drawer.id} of {cashier[:LONGEST_CASHIER]}, {day}"


def _keep(tx: Tx, drawer: Drawer, kind: CountKind, pieces: Pieces, note: str) -> Counted:
    tally = tallies.keep_tally(tx, pieces)
    expected = drawer_cash.in_drawer(tx, drawer.id)
    tx.session.add(
        DrawerCount(
            drawer_id=drawer.id,
            kind=kind,
            tally_id=tally.id,
            counted_minor=tally.total_minor,
            expected_minor=expected,
            counted_at=tx.now,
            counted_by=tx.desk.user_id or 0,
            note=note,
        )
    )
    return Counted(counted_minor=tally.total_minor, expected_minor=expected)


def _settle(tx: Tx, drawer: Drawer, supervisor: int, reason: str, request_id: str) -> int:
    said = clean_text(reason, field="reason", longest=LONGEST_REASON)
    if not drawer.difference_minor:
        raise NothingToSettle
    draft = over_short(drawer, sentence_of(tx, drawer), said, request_id)
    if drawer.over_short_entry_id is not None:
        known = ledger.find_request(tx, draft)
        if known is None:
            raise NothingToSettle
        return known.entry_id
    if drawer.status is not S.COUNTED:
        raise NothingToSettle
    # What is short may be what somebody was paid too much.
    served = [f"#{account_id}" for account_id in slips.accounts_served(tx, drawer.id)]
    which = " that a slip of this drawer is about"
    supervision.check_interest(tx, user_by_id(tx, supervisor), served, which)
    posted = ledger.post(tx, draft)
    drawer_cash.put(
        tx,
        drawer.branch_id,
        drawer.difference_minor,
        MoveKind.OVER_SHORT,
        drawer_id=drawer.id,
        entry_id=posted.entry_id,
    )
    drawer.over_short_entry_id, drawer.settled_by, drawer.note = posted.entry_id, supervisor, said
    tx.session.flush()
    tx.concerns("drawer", drawer.id)
    tx.changed(
        {"difference_minor": drawer.difference_minor, "entry_id": None},
        {"difference_minor": drawer.difference_minor, "entry_id": posted.entry_id, "reason": said},
    )
    return posted.entry_id


def over_short(drawer: Drawer, sentence: str, reason: str, request_id: str) -> ledger.Draft:
    """The entry of a difference: cash on one side, where it is owed from or to on the other."""
    over = drawer.difference_minor
    code = chart.CASH_OVER if over > 0 else chart.CASH_SHORT
    return ledger.Draft(
        request_id=request_id,
        kind=EntryKind.CASH_OVER if over > 0 else EntryKind.CASH_SHORT,
        narration=f"{sentence}: {reason}",
        legs=(
            ledger.Leg(-over, None, chart.CASH, drawer.branch_id),
            ledger.Leg(over, None, code, drawer.branch_id),
        ),
        branch_id=drawer.branch_id,
    )
