"""Many at once: a drawer that closes under deposits, two payments from one drawer, one vault."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Barrier, Event
from typing import Any

import pytest

from bank.book.journal import reverse_entry
from bank.core.errors import BankError
from bank.core.ids import new_request_id
from bank.counters import cash, counts, drawers, handovers, vault
from bank.counters.drawer_cash import DrawerTooLow, VaultTooLow
from bank.counters.drawers import DrawerNotClosed, NoOpenDrawer
from bank.night import integrity
from tests.support.market import Market, pay_in
from tests.support.soak import times

ROUNDS = times(normal=2, soak=20)


def broken(market: Market) -> list[str]:
    """Checks of the books that fail."""
    return [r.line for r in integrity.run_checks(market.desks["auditor"]) if not r.passed]


def at_once(*verbs: Callable[[], Any]) -> list[Any]:
    """What each verb answers, or refuses with, when all start at the same moment."""
    start = Barrier(len(verbs))

    def run(verb: Callable[[], Any]) -> Any:
        start.wait()
        try:
            return verb()
        except BankError as refused:
            return refused

    with ThreadPoolExecutor(len(verbs)) as pool:
        return list(pool.map(run, verbs))


@pytest.mark.soak
@pytest.mark.feature("B6", "A13.1")
@pytest.mark.parametrize("_round", range(ROUNDS))
def test_a_drawer_closes_under_a_rush_of_slips(market: Market, _round: int) -> None:
    """Whatever was booked before the count began is in it, and nothing is booked after."""
    enough = Event()
    booked = count(1)

    def rush(who: str) -> int:
        taken = 0
        while True:
            try:
                market.deposit(who, 100_00)
            except NoOpenDrawer:
                return taken
            taken += 1
            if next(booked) > 25:
                enough.set()

    with ThreadPoolExecutor(4) as pool:
        hands = [pool.submit(rush, who) for who in ("asha", "asha", "nila", "vikram")]
        assert enough.wait(60)
        drawer_id, admin = market.drawers["ravi"], market.desks["admin"]
        counts.start_count(market.cashier, drawer_id)
        found = counts.enter_count(market.cashier, drawer_id, {})
        counts.settle_difference(
            market.supervisor, drawer_id, "blown away", request_id=new_request_id()
        )
        vault.close_drawer(admin, drawer_id)
        taken = sum(hand.result() for hand in hands)
    assert found.expected_minor == taken * 100_00
    assert broken(market) == []


@pytest.mark.soak
@pytest.mark.feature("B6", "A13.1")
@pytest.mark.parametrize("_round", range(ROUNDS))
def test_two_payments_do_not_share_one_note(market: Market, _round: int) -> None:
    pay_in(market, "asha", 10_000_00)
    pay_in(market, "nila", 10_000_00)
    market.fund(note_500=1)

    def pay(who: str) -> Any:
        once = new_request_id()
        number = market.number(who)
        return cash.withdraw(market.cashier, number, 500_00, once[:8].upper(), request_id=once)

    answers = at_once(lambda: pay("asha"), lambda: pay("nila"))
    assert sum(isinstance(answer, DrawerTooLow) for answer in answers) == 1
    assert broken(market) == []


@pytest.mark.soak
@pytest.mark.feature("B6", "A13.1")
@pytest.mark.parametrize("_round", range(ROUNDS))
def test_the_vaults_last_note_goes_to_one_drawer(market: Market, _round: int) -> None:
    market.open_drawer("gita", "admin")
    market.remit(note_500=1)
    asked = [
        handovers.ask_for_cash(
            market.desks[who], market.drawers[who], {"note-500": 1}, request_id=new_request_id()
        )
        for who in ("ravi", "gita")
    ]
    admin = market.desks["admin"]
    answers = at_once(
        lambda: handovers.confirm_handover(admin, asked[0]),
        lambda: handovers.confirm_handover(admin, asked[1]),
    )
    assert sum(isinstance(answer, VaultTooLow) for answer in answers) == 1
    assert broken(market) == []


@pytest.mark.feature("B6")
def test_a_cashier_who_asks_in_two_windows_has_one_drawer(market: Market) -> None:
    desk = market.desks["gita"]
    answers = at_once(
        *[lambda: drawers.ask_for_drawer(desk, {}, request_id=new_request_id()) for _ in range(4)]
    )
    assert sum(isinstance(answer, DrawerNotClosed) for answer in answers) == 3


@pytest.mark.soak
@pytest.mark.feature("B6", "B3")
@pytest.mark.parametrize("_round", range(ROUNDS))
def test_a_reversal_and_a_count_come_one_after_the_other(market: Market, _round: int) -> None:
    slip = market.deposit("asha", 500_00)
    admin, drawer_id = market.desks["admin"], market.drawers["ravi"]
    at_once(
        lambda: reverse_entry(admin, slip.entry_id, "a mistake", new_request_id()),
        lambda: counts.start_count(market.cashier, drawer_id),
        lambda: market.deposit("asha", 300_00),
    )
    [row] = market.rows(f"SELECT status FROM drawers WHERE id = {drawer_id}")
    if row["status"] == "open":
        counts.start_count(market.cashier, drawer_id)
    found = counts.enter_count(market.cashier, drawer_id, {})
    if found.difference_minor:
        counts.settle_difference(market.supervisor, drawer_id, "gone", request_id=new_request_id())
    vault.close_drawer(admin, drawer_id)
    assert broken(market) == []
