"""Writes the demo's drawers down: opened, topped up, counted and closed, as their verbs would have,
and the counts of its vaults.

Plain statements, because a year has some thousand drawers; what the verbs guarantee is checked by
the same checks of the bank.
"""

from typing import Final

from sqlalchemy import insert, update

from bank.book import ledger
from bank.core.desk import Desk, Tx, add_to_trail
from bank.core.ids import request_id_of
from bank.counters import counts, drawer_cash, tallies
from bank.counters.counts import CountKind, DrawerCount
from bank.counters.drawer_cash import MoveKind
from bank.counters.drawers import Drawer, DrawerStatus
from bank.counters.handovers import Direction, Handover, HandoverStatus
from bank.counters.tallies import Pieces, Tally, TallyLine
from bank.counters.vault_counts import VaultCount, VaultCountStatus
from bank.night.demo_cash_deeds import TillClosed, TillOpened
from bank.night.demo_deeds import CashMoved
from bank.night.demo_people import RUPEE

LARGEST: Final = 500 * RUPEE  # nobody hands out larger notes any more


class CashBook:
    """The drawers that are open as the story goes on."""

    def __init__(self) -> None:
        self._open: dict[int | None, int] = {}
        self._custodians: dict[int, Desk] = {}
        self._ids: dict[str, int] = {}

    def drawer_of(self, cashier: Desk) -> int:
        """The drawer a cashier has open."""
        return self._open[cashier.user_id]

    def custodian_of(self, drawer_id: int) -> Desk:
        """Who handed it over."""
        return self._custodians[drawer_id]

    def open(self, tx: Tx, custodian: Tx, deed: TillOpened) -> None:
        """Asked for by the cashier, handed over by the custodian."""
        pieces = fewest_pieces(tx, deed.opening_minor)
        drawer_id: int = tx.connection.execute(
            insert(Drawer).returning(Drawer.id),
            {
                "branch_id": deed.by.branch_id,
                "cashier_id": deed.by.user_id,
                "business_date": tx.business_date,
                "status": DrawerStatus.OPEN,
                "request_id": deed.request_id,
                "opening_minor": deed.opening_minor,
                "opening_tally_id": self._tally(tx, pieces, deed.opening_minor),
                "requested_at": tx.now,
                "opened_at": custodian.now,
                "opened_by": custodian.desk.user_id,
                "note": "",
            },
        ).scalar_one()
        self._open[deed.by.user_id] = drawer_id
        self._custodians[drawer_id] = custodian.desk
        self._move(custodian, drawer_id, deed.opening_minor, MoveKind.ISSUED)
        asked: dict[str, object] = {"pieces": pieces, "request_id": deed.request_id}
        _tell(tx, drawer_id, "counters.drawers.ask_for_drawer", asked)
        _tell(custodian, drawer_id, "counters.vault.confirm_opening", {"drawer_id": drawer_id})

    def hand(self, tx: Tx, custodian: Tx, drawer_id: int, deed: CashMoved) -> None:
        """More cash from the vault, or too much of it back."""
        amount = abs(deed.handed_minor)
        pieces = fewest_pieces(tx, amount)
        direction = Direction.TO_DRAWER if deed.handed_minor > 0 else Direction.TO_VAULT
        request_id = request_id_of("demo handover", deed.draft.request_id)
        handover_id: int = tx.connection.execute(
            insert(Handover).returning(Handover.id),
            {
                "drawer_id": drawer_id,
                "direction": direction,
                "status": HandoverStatus.CONFIRMED,
                "request_id": request_id,
                "amount_minor": amount,
                "tally_id": self._tally(tx, pieces, amount),
                "asked_at": tx.now,
                "asked_by": deed.by.user_id,
                "decided_at": custodian.now,
                "decided_by": custodian.desk.user_id,
                "note": "",
            },
        ).scalar_one()
        self._move(custodian, drawer_id, deed.handed_minor, MoveKind.HANDED, handover_id)
        verb = "ask_for_cash" if deed.handed_minor > 0 else "offer_cash"
        asked: dict[str, object] = {
            "drawer_id": drawer_id,
            "pieces": pieces,
            "request_id": request_id,
        }
        decided: dict[str, object] = {"handover_id": handover_id}
        for view, name, details in ((tx, verb, asked), (custodian, "confirm_handover", decided)):
            view.concerns("handover", handover_id)
            add_to_trail(view, f"counters.handovers.{name}", details)

    def close(self, tx: Tx, custodian: Tx, supervisor: Tx, deed: TillClosed) -> None:
        """Counted by the cashier, a difference accepted, the cash taken back."""
        drawer_id = self._open.pop(deed.by.user_id)
        expected = drawer_cash.in_drawer(tx, drawer_id)
        pieces = fewest_pieces(tx, deed.counted_minor)
        tx.connection.execute(
            insert(DrawerCount),
            {
                "drawer_id": drawer_id,
                "kind": CountKind.CLOSING,
                "tally_id": self._tally(tx, pieces, deed.counted_minor),
                "counted_minor": deed.counted_minor,
                "expected_minor": expected,
                "counted_at": tx.now,
                "counted_by": deed.by.user_id,
                "note": "",
            },
        )
        named: dict[str, object] = {"drawer_id": drawer_id}
        _tell(tx, drawer_id, "counters.counts.start_count", named)
        _tell(tx, drawer_id, "counters.counts.enter_count", named | {"pieces": pieces})
        facts: dict[str, object] = {
            "status": DrawerStatus.CLOSED,
            "counted_at": tx.now,
            "counted_minor": deed.counted_minor,
            "expected_minor": expected,
            "closed_at": custodian.now,
            "closed_by": custodian.desk.user_id,
        }
        if deed.counted_minor != expected:
            facts |= self._settle(supervisor, drawer_id, expected, deed)
        tx.connection.execute(update(Drawer).where(Drawer.id == drawer_id).values(**facts))
        self._move(custodian, drawer_id, -deed.counted_minor, MoveKind.TAKEN_BACK)
        _tell(custodian, drawer_id, "counters.vault.close_drawer", named)
        del self._custodians[drawer_id]

    def count_vault(self, tx: Tx, second: Tx) -> None:
        """Counted by one and confirmed by the other; it balances."""
        assert tx.desk.branch_id is not None, "a custodian works at a branch"
        held = drawer_cash.in_vault(tx, tx.desk.branch_id)
        pieces = fewest_pieces(tx, held)
        count_id: int = tx.connection.execute(
            insert(VaultCount).returning(VaultCount.id),
            {
                "branch_id": tx.desk.branch_id,
                "business_date": tx.business_date,
                "status": VaultCountStatus.CONFIRMED,
                "tally_id": self._tally(tx, pieces, held),
                "counted_minor": held,
                "expected_minor": held,
                "counted_at": tx.now,
                "counted_by": tx.desk.user_id,
                "decided_at": second.now,
                "decided_by": second.desk.user_id,
                "reason": "",
            },
        ).scalar_one()
        counted: dict[str, object] = {"pieces": pieces}
        confirmed: dict[str, object] = {"count_id": count_id}
        for view, name, details in (
            (tx, "count_vault", counted),
            (second, "confirm_vault_count", confirmed),
        ):
            view.concerns("vault_count", count_id)
            add_to_trail(view, f"counters.vault_counts.{name}", details)

    def _settle(self, tx: Tx, drawer_id: int, expected: int, deed: TillClosed) -> dict[str, object]:
        counted = Drawer(
            id=drawer_id,
            branch_id=deed.by.branch_id,
            business_date=tx.business_date,
            counted_minor=deed.counted_minor,
            expected_minor=expected,
        )
        sentence = counts.difference_sentence(counted, deed.by.name)
        draft = counts.over_short(counted, sentence, deed.reason, deed.request_id)
        entry_id = ledger.post(tx, draft).entry_id
        assert tx.desk.branch_id is not None
        drawer_cash.put(
            tx,
            tx.desk.branch_id,
            counted.difference_minor,
            MoveKind.OVER_SHORT,
            drawer_id=drawer_id,
            entry_id=entry_id,
        )
        details = {"drawer_id": drawer_id, "reason": deed.reason, "request_id": deed.request_id}
        _tell(tx, drawer_id, "counters.counts.settle_difference", details)
        return {
            "over_short_entry_id": entry_id,
            "settled_by": tx.desk.user_id,
            "note": deed.reason,
        }

    def _move(
        self,
        tx: Tx,
        drawer_id: int,
        amount_minor: int,
        kind: MoveKind,
        handover_id: int | None = None,
    ) -> None:
        if amount_minor:
            assert tx.desk.branch_id is not None, "a custodian works at a branch"
            drawer = Drawer(id=drawer_id, branch_id=tx.desk.branch_id)
            drawer_cash.hand(tx, drawer, amount_minor, kind, handover_id)

    def _tally(self, tx: Tx, pieces: Pieces, total_minor: int) -> int:
        if not self._ids:
            self._ids = {each.code: each.id for each in tallies.notes_and_coins(tx)}
        tally_id: int = tx.connection.execute(
            insert(Tally).returning(Tally.id),
            {
                "total_minor": total_minor,
                "counted_at": tx.now,
                "counted_by": tx.desk.user_id,
            },
        ).scalar_one()
        if pieces:
            tx.connection.execute(
                insert(TallyLine),
                [
                    {
                        "tally_id": tally_id,
                        "denomination_id": self._ids[code],
                        "pieces": count,
                    }
                    for code, count in pieces.items()
                ],
            )
        return tally_id


def fewest_pieces(tx: Tx, amount_minor: int) -> dict[str, int]:
    """The amount in as few notes and coins as possible, none larger than ₹ 500."""
    pieces: dict[str, int] = {}
    left = amount_minor
    for each in tallies.notes_and_coins(tx):
        if each.value_minor <= LARGEST and left >= each.value_minor:
            pieces[each.code], left = divmod(left, each.value_minor)
    return pieces


def _tell(tx: Tx, drawer_id: int, verb: str, details: dict[str, object]) -> None:
    tx.concerns("drawer", drawer_id)
    add_to_trail(tx, verb, details)
