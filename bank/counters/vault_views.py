"""What waits at the vault for one custodian or supervisor: counted in the menu, watched on a page.

Only what this very person may do: never their own drawer, remittance or count, and nothing that
asks for a right they have not.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, false, or_, select

from bank.core.desk import Tx, query
from bank.core.permissions import Permission
from bank.counters.counts import DrawerCount
from bank.counters.drawers import Drawer, DrawerStatus
from bank.counters.handovers import Handover, HandoverStatus
from bank.counters.remittances import Remittance, RemittanceStatus
from bank.counters.vault_counts import VaultCount, VaultCountStatus

MOST: Final = 100  # of each kind: as far as a menu counts


@query(Permission.VAULT_WITNESS)
def waiting_for_me(tx: Tx) -> Sequence[str]:
    """Name every case at the vault that waits for this person: `drawer 12 counted`."""
    return [
        f"{kind} {case_id} {state}"
        for kind, wanted in _wanted(tx)
        for case_id, state in tx.connection.execute(wanted.limit(MOST))
    ]


def _wanted(tx: Tx) -> Iterator[tuple[str, Select[*tuple[Any, ...]]]]:
    here, me = tx.desk.branch_id, tx.desk.user_id
    of_others = (Drawer.branch_id == here) & (Drawer.cashier_id != me)
    yield "drawer", select(Drawer.id, Drawer.status).where(of_others, _drawer_for(tx))
    if tx.desk.may(Permission.VAULT_KEEP):
        asked = Handover.status == HandoverStatus.REQUESTED
        handed = select(Handover.id, Handover.status).join(Drawer, Drawer.id == Handover.drawer_id)
        yield "handover", handed.where(of_others, asked)
    yield (
        "remittance",
        select(Remittance.id, Remittance.status).where(
            Remittance.branch_id == here,
            Remittance.status == RemittanceStatus.REQUESTED,
            Remittance.asked_by != me,
        ),
    )
    yield (
        "count",
        select(VaultCount.id, VaultCount.status).where(
            VaultCount.branch_id == here,
            VaultCount.status == VaultCountStatus.COUNTED,
            VaultCount.counted_by != me,
        ),
    )


def _drawer_for(tx: Tx) -> ColumnElement[bool]:
    """Which drawers wait: to be handed over, signed for, or taken back."""
    me = tx.desk.user_id
    counted = Drawer.status == DrawerStatus.COUNTED
    is_off = (Drawer.counted_minor != Drawer.expected_minor) & Drawer.over_short_entry_id.is_(None)
    to_sign = counted & is_off & Drawer.absent_why.is_(None)
    found_by_me = select(DrawerCount.id).where(
        DrawerCount.drawer_id == Drawer.id, DrawerCount.counted_by == me
    )
    signed_by_me = Drawer.settled_by.is_not(None) & (Drawer.settled_by == me)
    is_left = Drawer.absent_why.is_not(None)
    to_take = counted & or_(is_left & ~found_by_me.exists(), ~is_left & ~is_off & ~signed_by_me)
    keeps, signs = tx.desk.may(Permission.VAULT_KEEP), tx.desk.may(Permission.DRAWER_SUPERVISE)
    requested = Drawer.status == DrawerStatus.REQUESTED
    return or_(
        requested | to_take if keeps else false(),
        to_sign if signs else false(),
    )
