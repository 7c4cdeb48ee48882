"""Whatever cashiers, custodian and supervisor do in whatever order: vault and drawers hold exactly
what the book calls cash in hand, and each place holds what a plain model of it says.
"""

import random
from collections.abc import Callable
from typing import Any, Final

import pytest

from bank.book.journal import reverse_entry
from bank.core.desk import looking
from bank.core.errors import BankError
from bank.core.ids import new_request_id
from bank.counters import (
    absences,
    cash,
    counts,
    drawer_cash,
    drawers,
    handovers,
    vault,
    vault_counts,
)
from bank.counters.drawers import Absence
from bank.night import integrity
from tests.support.market import FORT, Market, pay_in
from tests.support.soak import times

NOTE: Final = 100_00
STEPS: Final = (
    "deposit", "withdraw", "ask", "offer", "reverse", "count", "open", "remit", "late", "left",
    "vault",
)  # fmt: skip
WEIGHTS: Final = (6, 6, 3, 3, 3, 2, 4, 2, 1, 1, 1)
SEEDS: Final = times(normal=4, soak=60)
LENGTH: Final = 60


class Model:
    """Where the notes lie, moved by hand."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.vault = 0
        self.drawer = {"ravi": 0, "gita": 0}
        self.slips: list[tuple[str, int, int, int]] = []  # whose, drawer, entry, into the drawer
        self.done = 0

    def attempt(self, verb: Callable[[], Any]) -> Any:
        """What the verb answers, None when it refused."""
        try:
            answer = verb()
        except BankError:
            return None
        self.done += 1
        return answer or True

    def step(self, name: str, who: str, count: int) -> None:
        """One thing that somebody tries."""
        getattr(self, f"_{name}")(who, count)

    def _deposit(self, who: str, count: int) -> None:
        self._slip(who, count * NOTE, cash.deposit)

    def _withdraw(self, who: str, count: int) -> None:
        self._slip(who, -count * NOTE, cash.withdraw)

    def _slip(self, who: str, amount: int, verb: Callable[..., Any]) -> None:
        desk, once = self.market.desks[who], new_request_id()
        number, slip = self.market.number("asha"), once[:18].upper()
        booked = self.attempt(lambda: verb(desk, number, abs(amount), slip, request_id=once))
        if booked:
            self.drawer[who] += amount
            self.slips.append((who, self.market.drawers[who], booked.entry_id, amount))

    def _ask(self, who: str, count: int) -> None:
        self._hand(who, count * NOTE, handovers.ask_for_cash)

    def _offer(self, who: str, count: int) -> None:
        self._hand(who, -count * NOTE, handovers.offer_cash)

    def _hand(self, who: str, amount: int, verb: Callable[..., Any]) -> None:
        desk, drawer_id = self.market.desks[who], self.market.drawers[who]
        pieces = {"note-100": abs(amount) // NOTE}
        asked = self.attempt(lambda: verb(desk, drawer_id, pieces, request_id=new_request_id()))
        if not asked:
            return
        admin = self.market.desks["admin"]
        if self.attempt(lambda: handovers.confirm_handover(admin, asked)):
            self.vault -= amount
            self.drawer[who] += amount
        else:
            handovers.decline_handover(admin, asked, "not there")

    def _reverse(self, who: str, count: int) -> None:
        if not self.slips:
            return
        whose, drawer_id, entry_id, amount = self.slips[count % len(self.slips)]
        admin = self.market.desks["admin"]
        once = new_request_id()
        if self.attempt(lambda: reverse_entry(admin, entry_id, "a mistake", once)):
            is_there = self.market.drawers[whose] == drawer_id and self._is_open(drawer_id)
            if is_there and self.drawer[whose] >= amount:
                self.drawer[whose] -= amount
            else:
                self.vault -= amount
            self.slips.remove((whose, drawer_id, entry_id, amount))

    def _count(self, who: str, count: int) -> None:
        desk, drawer_id = self.market.desks[who], self.market.drawers[who]
        if not self.attempt(lambda: counts.start_count(desk, drawer_id)):
            return
        off = (count % 3 - 1) * NOTE
        pieces = {"note-100": max(self.drawer[who] + off, 0) // NOTE}
        found = counts.enter_count(desk, drawer_id, pieces)
        assert found.expected_minor == self.drawer[who]
        admin = self.market.desks["admin"]
        if found.difference_minor:
            once = new_request_id()
            counts.settle_difference(self.market.supervisor, drawer_id, "so it is", request_id=once)
        vault.close_drawer(admin, drawer_id)
        self.vault += found.counted_minor
        self.drawer[who] = 0

    def _left(self, who: str, count: int) -> None:
        """A cashier falls ill, and two others close the drawer."""
        drawer_id, said = self.market.drawers[who], "fell ill"
        supervisor = self.market.supervisor
        if not self.attempt(lambda: absences.stop_for(supervisor, drawer_id, Absence.ABSENT, said)):
            return
        pieces = {"note-100": max(self.drawer[who] + (count % 3 - 1) * NOTE, 0) // NOTE}
        found = absences.count_for(supervisor, drawer_id, pieces)
        assert found.expected_minor == self.drawer[who]
        admin, once = self.market.desks["admin"], new_request_id()
        absences.confirm_for(admin, drawer_id, "so it is", request_id=once)
        self.vault += found.counted_minor
        self.drawer[who] = 0

    def _vault(self, who: str, count: int) -> None:
        """Two count the vault, which is perhaps over or short."""
        admin, once = self.market.desks["admin"], new_request_id()
        pieces = {"note-100": max(self.vault + (count % 3 - 1) * NOTE, 0) // NOTE}
        found = vault_counts.count_vault(admin, pieces)
        assert found.expected_minor == self.vault
        waits = vault_counts.vault_counts(admin)[0].id
        second = self.market.second()
        vault_counts.confirm_vault_count(second, waits, "so it is", request_id=once)
        self.vault = found.counted_minor
        self.done += 1

    def _open(self, who: str, count: int) -> None:
        desk, admin = self.market.desks[who], self.market.desks["admin"]
        pieces, once = {"note-100": count}, new_request_id()
        asked = self.attempt(lambda: drawers.ask_for_drawer(desk, pieces, request_id=once))
        if not asked:
            return
        if self.attempt(lambda: vault.confirm_opening(admin, asked)):
            self.market.drawers[who] = asked
            self.vault -= count * NOTE
            self.drawer[who] = count * NOTE
        else:
            drawers.withdraw_request(desk, asked)

    def _remit(self, who: str, count: int) -> None:
        incoming = who == "ravi"
        if self.attempt(lambda: self.market.remit(incoming=incoming, note_100=count)):
            self.vault += count * NOTE if incoming else -count * NOTE

    def _late(self, who: str, count: int) -> None:
        """A cashier tries to take cash while the drawer is being counted."""
        desk, drawer_id = self.market.desks[who], self.market.drawers[who]
        if not self.attempt(lambda: counts.start_count(desk, drawer_id)):
            return
        self._deposit(who, count)
        counts.stop_count(desk, drawer_id)

    def _is_open(self, drawer_id: int) -> bool:
        [row] = self.market.rows(f"SELECT status FROM drawers WHERE id = {drawer_id}")
        return bool(row["status"] == "open")

    def holds(self) -> None:
        """Every place holds what the model says, and all of them what the book says."""
        fort = self.market.branch_ids[FORT]
        assert self.vault >= 0, "nobody takes what is not there"
        with looking(self.market.desks["auditor"]) as tx:
            assert drawer_cash.in_vault(tx, fort) == self.vault
            total = self.vault
            for who, drawer_id in self.market.drawers.items():
                if who in self.drawer:
                    assert drawer_cash.in_drawer(tx, drawer_id) == self.drawer[who]
                    total += self.drawer[who]
            assert drawer_cash.in_book(tx, fort) == total


@pytest.mark.soak
@pytest.mark.feature("B6", "A13.1")
@pytest.mark.parametrize("seed", range(SEEDS))
def test_vault_and_drawers_are_always_the_cash_in_the_book(market: Market, seed: int) -> None:
    chance = random.Random(seed)
    market.open_drawer("gita", "admin")
    pay_in(market, "asha", 1_00_000_00)
    model = Model(market)
    for at in range(LENGTH):
        if at % 10 == 0:  # cash comes from the chest now and then, or a vault once empty stays so
            model.step("remit", "ravi", 9)
        [name] = chance.choices(STEPS, WEIGHTS)
        model.step(name, chance.choice(("ravi", "gita")), chance.randint(1, 12))
        model.holds()
    assert model.done > LENGTH // 3, "most of it must not be refused"
    assert [r for r in integrity.run_checks(market.desks["auditor"]) if not r.passed] == []
