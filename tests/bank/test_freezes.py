"""Freezes of accounts: what each stops and for whom, at once, the words, lifting by two, races."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any, Final

import pytest
from sqlalchemy.exc import DBAPIError

from bank.accounts import accounts, freezes
from bank.accounts.accounts import AccountIsClosed, FreezeKind, NoSuchAccountNumber
from bank.accounts.freezes import (
    AccountIsFrozen,
    FreezeIsLifted,
    HolderDoesNotLift,
    NoSuchFreeze,
    NotAtTheMoment,
    PayeeTakesNothing,
)
from bank.book import holds
from bank.book.drafts import RequestReused
from bank.book.kinds import AT_WISH
from bank.core.approvals import AwaitingApproval
from bank.core.errors import BadInput, BankError
from bank.core.ids import new_request_id
from bank.counters import cash, prepared, transfers
from bank.counters.receipts import Receipt
from bank.night import integrity
from tests.bank.test_transfers import asked, send
from tests.support.checkers import LAKH, Checking, frozen
from tests.support.market import Market, pay_in
from tests.support.soak import times

pytestmark = pytest.mark.feature("B17")
K = FreezeKind
ORDER: Final = "12/2026"
LIFT: Final = "accounts.freezes.lift_freeze"


def freeze(market: Market, kind: FreezeKind, whose: str = "asha", **named: Any) -> int:
    """An order about somebody's savings account is carried out by the lead of its branch."""
    desk = market.desks["admin" if whose != "vikram" else "admin_baner"]
    given = {"order_reference": ORDER, "reason": "The court asks", "request_id": new_request_id()}
    return freezes.place_freeze(desk, market.number(whose), kind, **(given | named))


def lift(market: Market, freeze_id: int) -> None:
    """It is lifted, as if there were no rule that asks two."""
    with market.tx() as tx:
        tx.connection.exec_driver_sql(f"DELETE FROM approval_rules WHERE command = '{LIFT}'")
    freezes.lift_freeze(market.desks["admin"], freeze_id, "Order 15/2026")


def pay_out(market: Market, amount_minor: int = 500_00) -> Receipt:
    """Asha takes cash."""
    slip = new_request_id()[:8].upper()
    return cash.withdraw(
        market.cashier, market.number("asha"), amount_minor, slip, request_id=new_request_id()
    )


@pytest.fixture
def rich(market: Market) -> Market:
    """Money on the accounts and in the drawer."""
    pay_in(market, "asha", 10_000_00)
    pay_in(market, "vikram", 10_000_00)
    market.fund("ravi", "admin", note_500=20)
    return market


@pytest.mark.parametrize("kind", K)
def test_each_stops_what_it_says_at_once_and_nothing_else(rich: Market, kind: FreezeKind) -> None:
    """Every kind of entry that people ask for is tried in both directions."""
    tried = {
        "cash_withdrawal": (lambda: pay_out(rich), True),
        "cash_deposit": (lambda: rich.deposit("asha", 700_00), False),
        "transfer": (lambda: send(rich, new_request_id(), **asked(rich)), True),
    }
    assert tried.keys() == {each.value for each in AT_WISH}
    freeze_id = freeze(rich, kind)
    for call, is_debit in tried.values():
        if freezes.stops(kind, debit=is_debit):
            with pytest.raises((AccountIsFrozen, NotAtTheMoment)):
                call()
        else:
            call()
    expected = 10_000_00 - (750_00 if kind is K.CREDIT else 0) + (700_00 if kind is K.DEBIT else 0)
    assert rich.balance("asha") == expected
    assert broken(rich) == []
    lift(rich, freeze_id)
    for call, _ in tried.values():
        call()
    assert rich.balance("asha") == expected - 500_00 + 700_00 - 250_00
    assert broken(rich) == []


def broken(market: Market) -> list[str]:
    """Checks of the books that fail."""
    return [r.line for r in integrity.run_checks(market.desks["auditor"]) if not r.passed]


def test_staff_read_the_order_and_the_customer_does_not(rich: Market) -> None:
    freeze(rich, K.TOTAL)
    said = r"total freeze since 16 Mar 2026, order 12/2026: nothing is paid out of it or into it"
    with pytest.raises(AccountIsFrozen, match=said):
        cash.preview_cash(rich.cashier, "cash_deposit", rich.number("asha"), 5_00, "P1")
    discreet: list[tuple[type[BankError], Any]] = [
        (NotAtTheMoment, lambda: transfers.preview(rich.desks["asha"], **asked(rich))),
        (
            NotAtTheMoment,
            lambda: prepared.prepare_slip(
                rich.desks["asha"], "cash_deposit", rich.number("asha"), 5_00,
                request_id=new_request_id(),
            ),
        ),
        (
            PayeeTakesNothing,
            lambda: transfers.preview(
                rich.desks["vikram"], rich.number("vikram"), rich.number("asha"), 5_00
            ),
        ),
    ]  # fmt: skip
    for refusal, call in discreet:
        with pytest.raises(refusal) as refused:
            call()
        assert not {"freeze", "frozen", "order", "court"} & set(str(refused.value).lower().split())


def test_a_second_click_meets_the_first_receipt_although_it_is_frozen_now(rich: Market) -> None:
    request_id = new_request_id()
    first = rich.deposit("asha", 700_00, slip="F1", request_id=request_id)
    freeze(rich, K.TOTAL)
    assert rich.deposit("asha", 700_00, slip="F1", request_id=request_id) == first


def test_nothing_more_is_held_on_an_account_that_pays_nothing(rich: Market) -> None:
    card = accounts.find_account(rich.cashier, rich.number("asha"))
    admin = rich.desks["admin"]
    hold_id = holds.place_hold(admin, card.id, 100_00, "A lien", request_id=new_request_id())
    freeze(rich, K.DEBIT)
    with pytest.raises(AccountIsFrozen, match="debit freeze"):
        holds.place_hold(admin, card.id, 100_00, "Another", request_id=new_request_id())
    holds.release_hold(admin, hold_id, request_id=new_request_id())


def test_several_orders_stand_and_each_is_lifted_by_itself(rich: Market) -> None:
    number = rich.number("asha")

    def now() -> FreezeKind | None:
        return accounts.find_account(rich.cashier, number).frozen

    debit = freeze(rich, K.DEBIT)
    assert now() is K.DEBIT
    credit = freeze(rich, K.CREDIT, order_reference="13/2026")
    again = freeze(rich, K.DEBIT, order_reference="14/2026")
    assert now() is K.TOTAL
    lift(rich, debit)
    assert now() is K.TOTAL
    lift(rich, credit)
    assert now() is K.DEBIT
    with pytest.raises(AccountIsFrozen, match="order 14/2026"):
        pay_out(rich)
    lift(rich, again)
    assert now() is None
    assert [card.state for card in freezes.freezes_of(rich.cashier, number)] == ["lifted"] * 3
    assert broken(rich) == []
    changes = rich.rows(
        "SELECT before, after FROM trail WHERE after IS NOT NULL AND verb IN"
        f" ('accounts.freezes.place_freeze', '{LIFT}') ORDER BY id"
    )
    assert json.loads(changes[0]["before"]) == {"freezes": "none"}
    assert json.loads(changes[-1]["after"]) == {"freezes": "none"}
    assert "order 14/2026" in changes[-1]["before"]


def test_whose_branch_it_is_places_it_once(market: Market) -> None:
    with pytest.raises(NoSuchAccountNumber):
        freezes.place_freeze(
            market.desks["admin"], market.number("vikram"), K.DEBIT, ORDER, "why",
            request_id=new_request_id(),
        )  # fmt: skip
    request_id = new_request_id()
    first = freeze(market, K.DEBIT, request_id=request_id)
    assert freeze(market, K.DEBIT, request_id=request_id) == first
    with pytest.raises(RequestReused):
        freeze(market, K.TOTAL, request_id=request_id)
    for field, given in {"order": {"order_reference": " "}, "reason": {"reason": ""}}.items():
        with pytest.raises(BadInput) as refused:
            freeze(market, K.DEBIT, **given)
        assert refused.value.field == field
    market.close_account("nila")
    with pytest.raises(AccountIsClosed):
        freeze(market, K.DEBIT, "nila")
    with pytest.raises(NoSuchFreeze):
        lift(market, 99)
    lift(market, first)
    with pytest.raises(FreezeIsLifted):
        lift(market, first)


@pytest.mark.feature("B4")
def test_it_is_lifted_by_two_and_never_by_its_holder(checking: Checking) -> None:
    at = checking
    freeze_id = frozen(at, K.DEBIT)
    with pytest.raises(HolderDoesNotLift):
        freezes.lift_freeze(at.desks["holder"], freeze_id, "It is mine")
    with pytest.raises(AwaitingApproval):
        freezes.lift_freeze(at.desks["admin"], freeze_id, "Order 15/2026")
    with pytest.raises(BankError, match="holder of the account"):
        at.approve("holder")
    at.approve("vera")
    [card] = freezes.freezes_of(at.desks["ravi"], at.market.number("asha"))
    assert (card.lifted_by_name, card.agreed_by_name) == ("Arun Nair", "Vera Lobo")
    assert (card.placed_by_name, card.lift_reason) == ("Arun Nair", "Order 15/2026")


def test_what_was_ordered_is_never_changed_or_deleted(market: Market) -> None:
    freeze_id = freeze(market, K.DEBIT)
    lift(market, freeze_id)
    for sql in (
        "UPDATE account_freezes SET order_reference = 'none'",
        "UPDATE account_freezes SET lifted_at = NULL, lines_after = NULL",
        "DELETE FROM account_freezes",
    ):
        with pytest.raises(DBAPIError, match="never changed or deleted"), market.tx() as tx:
            tx.connection.exec_driver_sql(sql)


@pytest.mark.soak
def test_under_a_rush_nothing_is_paid_after_it_stands(rich: Market) -> None:
    """Withdrawals and transfers that began before it are done or refused; the check finds none."""
    for _ in range(times(normal=3, soak=40)):
        pay_in(rich, "asha", 10_000_00)
        start = Barrier(6)

        def rush(start: Barrier = start) -> int:
            start.wait()
            done = 0
            while True:
                try:
                    pay_out(rich, 10_00)
                except AccountIsFrozen:
                    return done
                done += 1

        with ThreadPoolExecutor(5) as pool:
            windows = [pool.submit(rush) for _ in range(5)]
            start.wait()
            pay_out(rich, 10_00)  # so that some are on their way
            freeze_id = freeze(rich, K.DEBIT)
            stood = rich.balance("asha")
            taken = sum(each.result() for each in windows)
        assert rich.balance("asha") == stood, "what is acknowledged is all there is"
        assert taken >= 0
        assert broken(rich) == []
        lift(rich, freeze_id)
        rich.fund("ravi", "admin", note_500=20)


def test_without_a_hand_on_the_account_it_would_be_paid(market: Market) -> None:
    """Whoever moves money at somebody's wish looks before the order is through, or after: while
    a payment is under way the order waits for it (where two can write at once)."""
    if market.bank.db.dialect == "sqlite":
        pytest.skip("one writer at a time")
    pay_in(market, "asha", 1_000_00)
    pool = ThreadPoolExecutor(1)
    with market.tx(market.desks["asha"]) as tx:
        card = accounts.card_by_number(tx, market.number("asha"))
        assert freezes.held(tx, [card.id]) == {card.id: None}
        order = pool.submit(freeze, market, K.DEBIT)
        waiting = "SELECT 1 FROM pg_locks WHERE NOT granted"
        while not market.rows(waiting):
            assert not order.done(), "the order did not wait for the payment"
    assert order.result()
    pool.shutdown()


def test_a_viewer_changes_nothing(market: Market) -> None:
    looking = replace(market.desks["admin"], on_behalf_of=market.desks["asha"].customer_id)
    with pytest.raises(BankError):
        freezes.place_freeze(
            looking, market.number("asha"), K.DEBIT, ORDER, "why", request_id=new_request_id()
        )
    assert market.rows("SELECT 1 FROM account_freezes") == []


def test_large_amounts_that_wait_are_stopped_too(checking: Checking) -> None:
    """The asking is refused at once, so nothing waits that cannot be done."""
    frozen(checking, K.DEBIT)
    with pytest.raises(AccountIsFrozen):
        checking.again("withdraw")
    assert checking.market.rows("SELECT 1 FROM approvals") == []
    assert checking.market.balance("asha") == 10 * LAKH
