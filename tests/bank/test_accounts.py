"""Opening accounts: who may, whose, under which number, once."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from typing import Final

import pytest
from stdnum import luhn

from bank.accounts import accounts, products, statements
from bank.accounts.accounts import new_number
from bank.book import journal
from bank.core.desk import Desk
from bank.core.errors import BadInput, NotAllowed
from bank.core.ids import new_request_id
from bank.core.permissions import Role
from bank.people import branches
from tests.support.market import BANER, FORT, Market

START, END = date(2026, 1, 1), date(2026, 12, 31)


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


@pytest.mark.feature("A2.3", "B2")
def test_two_clicks_at_once_open_one_account(market: Market) -> None:
    banker, asha, once = market.desks["banker"], customer_id(market, "asha"), new_request_id()
    many = threading.Barrier(5)

    def click(_: int) -> accounts.AccountCard:
        many.wait(30)
        return accounts.open_account(banker, asha, "savings", once)

    with ThreadPoolExecutor(5) as pool:
        cards = list(pool.map(click, range(5)))
    assert len({card.number for card in cards}) == 1
    assert len(market.rows("SELECT 1 FROM accounts WHERE request_id IS NOT NULL")) == 1
    assert len(market.rows("SELECT 1 FROM balances")) == len(market.numbers) + 1


@pytest.mark.feature("A2.8", "B5")
def test_the_opening_is_in_the_trail_with_what_it_made(market: Market) -> None:
    banker, asha = market.desks["banker"], customer_id(market, "asha")
    card = accounts.open_account(banker, asha, "savings", new_request_id())
    [row] = market.rows(
        "SELECT object_kind, object_id, before, after FROM trail"
        " WHERE verb = 'accounts.accounts.open_account'"
    )
    assert (row["object_kind"], row["object_id"], row["before"]) == ("account", card.number, None)
    assert json.loads(row["after"]) == {
        "number": card.number,
        "product": "savings",
        "holder": "Asha Rao",
    }


LOOKS: Final[dict[str, Callable[[Desk, str], object]]] = {
    "find_account": accounts.find_account,
    "account_lines": lambda desk, number: statements.account_lines(desk, number, START, END),
    "account_last_lines": statements.account_last_lines,
    "account_statement_pdf": lambda desk, number: statements.account_statement_pdf(
        desk, number, START, END
    ),
}


@pytest.mark.feature("B8", "A1.13")
@pytest.mark.parametrize("verb", LOOKS)
def test_staff_of_a_branch_see_its_accounts_and_a_counter_all(market: Market, verb: str) -> None:
    look, baner = LOOKS[verb], market.branch_ids[BANER]
    ours, theirs = market.number("vikram"), market.number("asha")
    for role in (Role.BANKER, Role.EXECUTIVE, Role.REVIEWER, Role.BRANCH_ADMIN):
        desk = replace(market.desks["banker"], role=role, branch_id=baner, session_id=900)
        assert look(desk, ours) is not None
        with pytest.raises(accounts.NoSuchAccountNumber):
            look(desk, theirs)
    for role in (Role.CASHIER, Role.AUDITOR, Role.SUPER_ADMIN):
        desk = replace(market.desks["meera"], role=role, session_id=901)
        assert look(desk, theirs) is not None
    read = market.rows(
        f"SELECT 1 FROM trail WHERE outcome = 'read' AND object_id = '{theirs}'"
        " AND session_id = 900"
    )
    assert read == []


@pytest.mark.feature("B8", "A1.13", "B5")
def test_a_customer_of_another_branch_is_not_found_and_not_read(market: Market) -> None:
    vikram, asha = customer_id(market, "vikram"), customer_id(market, "asha")
    for unknown in (vikram, 4711):
        with pytest.raises(accounts.NoSuchCustomer):
            accounts.accounts_of(market.desks["banker"], unknown)
    assert market.rows("SELECT 1 FROM trail WHERE outcome = 'read'") == []
    assert [card.holder for card in accounts.accounts_of(market.desks["auditor"], vikram)] == [
        "Vikram Shah"
    ]
    assert len(accounts.accounts_of(market.desks["banker"], asha)) == 3
    read = market.rows(
        "SELECT object_kind, object_id FROM trail WHERE outcome = 'read' ORDER BY id"
    )
    assert [(row["object_kind"], row["object_id"]) for row in read] == [
        ("customer", str(vikram)),
        ("customer", str(asha)),
    ]


@pytest.mark.feature("B8", "A1.13")
def test_the_balance_of_another_branchs_account_stays_there(market: Market) -> None:
    entry = market.deposit("vikram", 70_00).entry_id  # at Fort, for an account of Baner

    def shown(who: str) -> list[int | None]:
        lines = journal.entry_in_full(market.desks[who], entry).lines
        return [line.balance_minor for line in lines if line.account_id is not None]

    assert shown("admin") == [None]
    assert shown("admin_baner") == shown("auditor") == [70_00]


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
