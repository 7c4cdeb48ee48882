"""What happens in the demo bank at drawers and vault; `demo_scribe` writes it down."""

from dataclasses import dataclass

from bank.core.desk import Desk
from bank.counters.remittances import Way
from bank.night.demo_deeds import Deed


@dataclass(frozen=True, slots=True, kw_only=True)
class TillOpened(Deed):
    """A cashier's drawer, handed over by the custodian."""

    custodian: Desk
    opening_minor: int
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TillClosed(Deed):
    """The same drawer, counted and taken back; `reason` is said of a difference, which the
    supervisor accepts."""

    custodian: Desk
    supervisor: Desk
    counted_minor: int
    reason: str
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Remitted(Deed):
    """Cash between vault and currency chest: counted by one, confirmed by the second."""

    second: Desk
    way: Way
    amount_minor: int
    paper: str
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultCounted(Deed):
    """The vault, counted by one and confirmed by the second; it balances."""

    second: Desk
