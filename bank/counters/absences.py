"""Absences: a drawer whose cashier is not there to count it, closed by two others.

    open, counting --a supervisor stops it, with a reason--> counting
    counting --a supervisor counts it blind--> counted
    counted --a custodian confirms the count and takes the cash--> closed

Somebody falls ill at noon, or is locked out, and their drawer would keep the branch's day open, the
book, and themselves in the bank's books. Neither of the two is the cashier, and they are never one
person: who counts does not take the cash, and a difference is booked only when the second has
confirmed what the first one found. As long as nobody has confirmed, the cashier who comes back
goes on (`counts.stop_count`), or a supervisor sends the drawer back (`counts.send_back`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from bank.core import money, outbox
from bank.core.clock import day_in_words, in_india
from bank.core.desk import Tx, command, query
from bank.core.errors import BadInput, NotAllowed, WrongState
from bank.core.permissions import Permission
from bank.counters import counts, drawers, handovers, tallies, vault
from bank.counters.counts import Counted, HandoverWaits
from bank.counters.drawers import LONGEST_NOTE, Absence, Drawer, DrawerStatus, NoSuchDrawer
from bank.counters.handovers import DrawerNotOpen
from bank.counters.tallies import Pieces, TallyRow
from bank.people.fields import clean_text
from bank.people.identity import User, UserStatus, user_by_id

S = DrawerStatus
WORDS: Final = {
    Absence.ABSENT: "not at work",
    Absence.LOCKED: "locked out",
    Absence.OTHER: "cannot count it",
}


class CashierNotLocked(BadInput):
    """This cashier is not locked. Choose another reason, or lock them first under Users."""


class NotLeftAlone(WrongState):
    """This drawer was not stopped for the count of two others, or its cashier is back. Stop it
    first, with the reason."""


class YouCountedIt(NotAllowed):
    """You counted this drawer, so another custodian confirms the count and takes the cash."""


@dataclass(frozen=True, kw_only=True)
class LeftDrawer:
    """A drawer that others count: why, and what was found, once it was. `sentence` is of the
    difference, nothing where there is none."""

    drawer_id: int
    cashier: str
    why: Absence
    said: str
    counted_by_id: int | None
    counted_by: str
    rows: Sequence[TallyRow]
    counted_minor: int
    expected_minor: int
    sentence: str

    @property
    def difference_minor(self) -> int:
        """Counted over (+) or short (-)."""
        return self.counted_minor - self.expected_minor

    @property
    def reason(self) -> str:
        """Why the cashier is not there, in words."""
        return f"{WORDS[self.why]}: {self.said}"


@command(Permission.DRAWER_SUPERVISE)
def stop_for(tx: Tx, drawer_id: int, why: Absence, said: str) -> None:
    """Stop the drawer of a cashier who is not there, so that two others can count and close it."""
    drawer = drawers.held_of_another(tx, drawer_id)
    words = clean_text(said, field="reason", longest=LONGEST_NOTE)
    if drawer.status not in {S.OPEN, S.COUNTING}:
        raise DrawerNotOpen("This drawer is not open any more. Reload the page and look again.")
    cashier = user_by_id(tx, drawer.cashier_id)
    if why is Absence.LOCKED and cashier.status is not UserStatus.LOCKED:
        raise CashierNotLocked(field="why")
    if handovers.waiting_for(tx, drawer.id) is not None:
        raise HandoverWaits
    drawer.absent_why, drawer.absent_said = why, words
    if drawer.status is S.OPEN:
        drawers.step(tx, drawer, S.COUNTING, absent=why, reason=words)
        return
    tx.session.flush()
    tx.concerns("drawer", drawer.id)
    tx.changed({"absent": None}, {"absent": why, "reason": words})


@command(Permission.DRAWER_SUPERVISE)
def count_for(tx: Tx, drawer_id: int, pieces: Pieces) -> Counted:
    """Count the drawer of a cashier who is not there; only then what should lie in it is told."""
    drawer = drawers.held_of_another(tx, drawer_id)
    if drawer.status is not S.COUNTING or not drawer.is_left:
        raise NotLeftAlone
    return counts.close_count(
        tx, drawer, pieces, absent=drawer.absent_why, reason=drawer.absent_said
    )


@command(Permission.VAULT_KEEP)
def confirm_for(tx: Tx, drawer_id: int, reason: str = "", *, request_id: str) -> None:
    """Confirm what another person counted in the absence of the cashier, and close the drawer.

    The cash is taken; a difference is booked with its reason."""
    drawer = drawers.held_of_another(tx, drawer_id)
    if not drawer.is_left or drawer.status not in {S.COUNTED, S.CLOSED}:
        raise NotLeftAlone("Nobody has counted this drawer in the absence of its cashier.")
    if drawer.status is S.CLOSED and drawer.closed_by == tx.desk.user_id:
        return  # the same click again
    counter = counts.last_count(tx, drawer.id).counted_by
    if counter == tx.desk.user_id:
        raise YouCountedIt
    if drawer.status is S.COUNTED and drawer.difference_minor:
        # Who counted answers for the difference; it is booked by the hand of the second person.
        counts.settle(tx, drawer, counter, reason, request_id)
    vault.take_back(
        tx,
        drawer,
        absent=drawer.absent_why,
        counted_by=counter,
        difference_minor=drawer.difference_minor,
        entry_id=drawer.over_short_entry_id,
    )
    _tell(tx, drawer, counter)


@query(Permission.VAULT_VIEW)
def left_drawer(tx: Tx, drawer_id: int) -> LeftDrawer:
    """Show why others count a drawer, and what they found."""
    drawer = tx.session.get(Drawer, drawer_id)
    if drawer is None or not drawer.is_left:
        raise NoSuchDrawer
    if not tx.desk.sees_whole_bank and drawer.branch_id != tx.desk.branch_id:
        raise NoSuchDrawer
    return left_of(tx, drawer)


def left_of(tx: Tx, drawer: Drawer) -> LeftDrawer:
    """The same of a drawer that is at hand and was left."""
    assert drawer.absent_why is not None
    is_counted = drawer.status in {S.COUNTED, S.CLOSED}
    count = counts.last_count(tx, drawer.id) if is_counted else None
    names = _names(tx, [drawer.cashier_id, *([] if count is None else [count.counted_by])])
    off = drawer.difference_minor if is_counted else 0
    return LeftDrawer(
        drawer_id=drawer.id,
        cashier=names[drawer.cashier_id],
        why=drawer.absent_why,
        said=drawer.absent_said or "",
        counted_by_id=None if count is None else count.counted_by,
        counted_by="" if count is None else names[count.counted_by],
        rows=[] if count is None else tallies.rows_of(tx, [count.tally_id])[count.tally_id],
        counted_minor=0 if count is None else count.counted_minor,
        expected_minor=0 if count is None else count.expected_minor,
        sentence=counts.sentence_of(tx, drawer) if off else "",
    )


def _names(tx: Tx, ids: Sequence[int]) -> dict[int, str]:
    rows = tx.connection.execute(select(User.id, User.name).where(User.id.in_(ids)))
    return {user_id: name for user_id, name in rows}


def _tell(tx: Tx, drawer: Drawer, counter: int) -> None:
    """The cashier reads what was found while they were away, and by whom."""
    cashier = user_by_id(tx, drawer.cashier_id)
    if not cashier.email:
        return
    left, at = left_of(tx, drawer), in_india(tx.now)
    off = drawer.difference_minor
    found = "It balanced."
    if off:
        found = f"{'Over' if off > 0 else 'Short'} {money.show(abs(off))}: {drawer.note}"
    outbox.queue_mail(
        tx,
        to=cashier.email,
        subject=f"Your drawer of {day_in_words(drawer.business_date)} was counted and closed",
        body=(
            f"Hello {cashier.name},\n\n"
            f"your drawer {drawer.id} was counted by {_names(tx, [counter])[counter]} and "
            f"{tx.desk.name} in your absence and closed on {at.day} {at:%b %Y at %H:%M}.\n\n"
            f"Why: {left.reason}\n"
            f"Counted: {money.show(left.counted_minor)}\n"
            f"Should be there: {money.show(left.expected_minor)}\n"
            f"{found}\n\n"
            "If you know more about it, tell your branch at once.\n"
        ),
        purpose="drawer",
        user_id=cashier.id,
    )
