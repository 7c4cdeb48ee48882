"""Opening accounts: who may, whose, under which number, once."""

import pytest
from stdnum import luhn

from bank.accounts import accounts, products
from bank.accounts.accounts import new_number
from bank.core.errors import BadInput, NotAllowed
from bank.core.ids import new_request_id
from bank.people import branches
from tests.support.market import BANER, FORT, Market


def customer_id(market: Market, who: str) -> int:
    """The id of somebody in the market."""
    found = market.desks[who].customer_id
    assert found is not None
    return found


@pytest.mark.feature("A2.3", "A2.8", "B2")
def test_an_account_is_opened_once_per_request(market: Market) -> None:
    banker, asha, request_id = market.desks["banker"], customer_id(market, "asha"), new_request_id()
    card = accounts.open_account(banker, asha, "savings", request_id)
    assert luhn.is_valid(card.number)
    assert (card.holder, card.ifsc, card.booked_minor) == ("Asha Rao", FORT, 0)
    assert accounts.open_account(banker, asha, "savings", request_id) == card
    assert len(accounts.accounts_of(banker, asha)) == 4
    with pytest.raises(accounts.ledger.RequestReused):
        accounts.open_account(banker, asha, "current", request_id)


@pytest.mark.feature("A2.9")
def test_the_terms_of_the_day_bound_the_overdraft(market: Market) -> None:
    banker, asha = market.desks["banker"], customer_id(market, "asha")
    for product, limit in (("savings", 1), ("current", 50_000_001), ("current", -1)):
        with pytest.raises(products.AboveOverdraftCeiling):
            accounts.open_account(banker, asha, product, new_request_id(), limit)
    card = accounts.open_account(banker, asha, "current", new_request_id(), 50_000_000)
    assert card.available_minor == 50_000_000
    with pytest.raises(products.UnknownProduct):
        accounts.open_account(banker, asha, "gold", new_request_id())


@pytest.mark.feature("B8", "A1.13")
def test_only_for_customers_of_the_branch_and_only_by_those_who_may(market: Market) -> None:
    with pytest.raises(accounts.NoSuchCustomer):
        accounts.open_account(
            market.desks["banker"], customer_id(market, "vikram"), "savings", new_request_id()
        )
    with pytest.raises(NotAllowed):
        accounts.open_account(
            market.cashier, customer_id(market, "asha"), "savings", new_request_id()
        )


def test_the_terms_in_force_are_the_newest_that_have_begun(market: Market) -> None:
    [savings] = [one for one in products.products_in_force(market.cashier) if one.code == "savings"]
    begun = market.rows(
        "SELECT interest_rate_bps FROM product_terms t JOIN products p ON p.id = t.product_id"
        " WHERE p.code = 'savings' AND effective_from <= '2026-03-16'"
        " ORDER BY effective_from DESC"
    )
    assert (
        savings.interest_rate_bps == begun[0]["interest_rate_bps"] != begun[-1]["interest_rate_bps"]
    )


@pytest.mark.parametrize("typed", ["", "12-34", "1" * 25, "' OR 1=1 --"])
def test_what_is_no_number_is_said_so(market: Market, typed: str) -> None:
    with pytest.raises(BadInput) as refused:
        accounts.find_account(market.cashier, typed)
    assert refused.value.field == "account"


def test_a_number_an_import_has_taken_is_not_given_again(market: Market) -> None:
    fort = market.branch_ids[FORT]
    asha = customer_id(market, "asha")
    with market.tx() as tx:
        savings = products.product(tx, "savings")
        first = accounts.open_row(tx, customer_id=asha, product=savings, branch_id=fort)
        taken = new_number(fort, first.id + 2)
        baner = branches.branch_by_ifsc(tx, BANER).id
        accounts.open_row(tx, customer_id=asha, product=savings, branch_id=baner, number=taken)
        third = accounts.open_row(tx, customer_id=asha, product=savings, branch_id=fort)
        assert third.id == first.id + 2
        assert third.number == new_number(fort, third.id, 1) != taken
