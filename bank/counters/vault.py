"""The vault of a branch: its custodian hands drawers over and takes them back.

Every step that moves cash out of or into the vault is done by the custodian, never by the cashier
whose drawer it is. What the vault holds is the sum of what moved (`drawer_cash`). Cash of the
currency chest needs two (`remittances`).
"""

from bank.core.desk import Tx, command
from bank.core.errors import NotAllowed, WrongState
from bank.core.permissions import GRANTS, Permission
from bank.counters import drawer_cash, drawers
from bank.counters.counts import CountedInAbsence
from bank.counters.drawer_cash import MoveKind
from bank.counters.drawers import LONGEST_NOTE, Drawer, DrawerStatus
from bank.people.fields import clean_text
from bank.people.identity import UserStatus, held_user

S = DrawerStatus


class RequestOfAnotherDay(WrongState):
    """This was asked for on another business date. Decline it; the cashier asks again."""


class DifferenceNotSettled(WrongState):
    """What was counted differs from what should be there. A supervisor accepts the difference or
    sends the drawer back first."""


class YouSettledIt(NotAllowed):
    """You accepted the difference of this drawer, so another custodian must take its cash back."""


class CashierHasLeft(WrongState):
    """Who asked for this drawer may no longer take cash at this branch. Decline the request."""


@command(Permission.VAULT_KEEP)
def confirm_opening(tx: Tx, drawer_id: int) -> None:
    """Hand a drawer over: its opening has been counted together with the cashier."""
    drawer = drawers.held_of_another(tx, drawer_id)
    if drawer.business_date != tx.business_date and drawer.status is S.REQUESTED:
        raise RequestOfAnotherDay
    # Held, so that nobody is removed or moved while cash is put into their hands.
    cashier = held_user(tx, drawer.cashier_id)
    works_here = cashier.status is UserStatus.ACTIVE and cashier.branch_id == drawer.branch_id
    if not works_here or Permission.CASH_POST not in GRANTS[cashier.role]:
        raise CashierHasLeft
    drawers.step(tx, drawer, S.OPEN, opening_minor=drawer.opening_minor)
    drawer_cash.take_from_vault(tx, drawer.branch_id, drawer.opening_minor)
    drawer.opened_at, drawer.opened_by = tx.now, tx.desk.user_id
    tx.session.flush()
    drawer_cash.hand(tx, drawer, drawer.opening_minor, MoveKind.ISSUED)


@command(Permission.VAULT_KEEP)
def decline_opening(tx: Tx, drawer_id: int, reason: str) -> None:
    """Decline to hand a drawer over, with a reason the cashier reads."""
    drawer = drawers.held_of_another(tx, drawer_id)
    drawer.note = clean_text(reason, field="reason", longest=LONGEST_NOTE)
    drawers.step(tx, drawer, S.DECLINED, reason=drawer.note)


@command(Permission.VAULT_KEEP)
def close_drawer(tx: Tx, drawer_id: int) -> None:
    """Take the counted cash back into the vault and close the drawer."""
    drawer = drawers.held_of_another(tx, drawer_id)
    if drawer.is_left:
        raise CountedInAbsence
    if drawer.status is S.COUNTED and not drawer.is_settled:
        raise DifferenceNotSettled
    # Who signs for a difference does not hold the cash (data/seed/grant_conflicts.csv).
    if drawer.settled_by is not None and drawer.settled_by == tx.desk.user_id:
        raise YouSettledIt
    take_back(tx, drawer)


def take_back(tx: Tx, drawer: Drawer, **more: object) -> None:
    """A held drawer that was counted is closed, and its cash lies in the vault; `more` is for the
    trail."""
    drawers.step(tx, drawer, S.CLOSED, counted_minor=drawer.counted_minor, **more)
    drawer_cash.hand(tx, drawer, -drawer_cash.in_drawer(tx, drawer.id), MoveKind.TAKEN_BACK)
    drawer.closed_at, drawer.closed_by = tx.now, tx.desk.user_id
    tx.session.flush()
