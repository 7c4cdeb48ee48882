"""An account found by its holder: by whom, by which words, how fast, and that it is recorded."""

import time
from datetime import date
from typing import Any

import pytest
from sqlalchemy import event, insert

from bank.accounts import account_search
from bank.accounts.account_search import FoundAccounts, NamesNotForYou, SearchTooShort
from bank.accounts.accounts import Account, AccountStatus
from bank.book.tables import Balance
from bank.core import search
from bank.core.permissions import Role
from bank.people import customers
from bank.people.customers import SEARCHED, Customer
from tests.support.checkers import Checking
from tests.support.market import Market

# Steps that read a table from one end to the other; what the counted subquery scans is few rows.
WHOLE = ("SCAN accounts", "SCAN customers", "SCAN search_words")


def found(market: Market, typed: str, who: str = "ravi") -> FoundAccounts:
    """What somebody finds."""
    return account_search.accounts_of_holder(market.desks[who], typed)


def numbers(market: Market, typed: str, who: str = "ravi") -> list[str]:
    """The numbers of the accounts that somebody finds."""
    return [row.number for row in found(market, typed, who).rows]


@pytest.mark.feature("A2.8")
def test_the_branch_finds_its_accounts_by_the_holders_name(market: Market) -> None:
    ashas = [market.number("asha", what) for what in ("savings", "current", "koruna")]
    for typed in ("asha", "ASHA", "Rao", "rao ash", "Ashà Rao", "  asha  "):
        assert numbers(market, typed) == ashas, typed
    row = found(market, "nila das").rows[0]
    assert (row.holder, row.product_name, row.status) == (
        "Nila Das", "Savings account", AccountStatus.ACTIVE,
    )  # fmt: skip
    assert row.account == f"•••• {row.number[-4:]}"
    assert numbers(market, "asha das") == [], "every word must be in the name"
    assert numbers(market, "sha") == [], "words are found by their beginnings"


@pytest.mark.feature("A2.8")
def test_the_customer_number_finds_them_in_full(market: Market) -> None:
    customer = found(market, "nila").rows[0].customer_number
    assert numbers(market, f" {customer} ") == [market.number("nila")]
    assert numbers(market, customer[:-1]) == []


@pytest.mark.feature("A2.8", "A1.13")
def test_names_lead_to_the_own_branch_alone(market: Market) -> None:
    vikrams = [market.number("vikram")]
    assert numbers(market, "vikram", "ravi") == []
    assert numbers(market, "vikram", "banker") == []
    assert numbers(market, "vikram", "meera") == vikrams
    assert numbers(market, "vikram", "auditor") == vikrams
    customer = found(market, "vikram", "meera").rows[0].customer_number
    assert numbers(market, customer, "ravi") == []
    assert numbers(market, customer, "meera") == vikrams


@pytest.mark.feature("A1.13")
def test_who_has_neither_a_branch_nor_customers_finds_nobody_by_name(
    sqlite_checking: Checking,
) -> None:
    head = sqlite_checking.desks["head"]
    assert (head.role, head.branch_id) == (Role.SUPER_ADMIN, None)
    with pytest.raises(NamesNotForYou):
        account_search.accounts_of_holder(head, "vikram")
    auditor = sqlite_checking.desks["auditor"]
    assert account_search.accounts_of_holder(auditor, "vikram").rows != []


@pytest.mark.feature("A13.4")
def test_what_is_not_looked_for_does_not_make_it_long_enough(sqlite_market: Market) -> None:
    assert search.MOST_ASKED == 6
    with pytest.raises(SearchTooShort):
        found(sqlite_market, "as ra ku si de bo xyz")


@pytest.mark.feature("A13.4")
@pytest.mark.parametrize("typed", ["", " ", "as", "a b", "r. s.", "%%%", "---"])
def test_three_letters_at_least(sqlite_market: Market, typed: str) -> None:
    with pytest.raises(SearchTooShort) as refused:
        found(sqlite_market, typed)
    assert refused.value.field == "holder"


@pytest.mark.feature("A9.1")
def test_what_was_looked_for_and_shown_is_in_the_trail(market: Market) -> None:
    found(market, "Das  NILA")
    found(market, "nobody")
    reads = market.rows("SELECT object_kind, object_id FROM trail WHERE outcome = 'read'")
    kept = {(row["object_kind"], row["object_id"]) for row in reads}
    assert kept == {
        ("account search", "das nila"),
        ("account search", "nobody"),
        ("account", market.number("nila")),
    }


@pytest.mark.feature("A2.9")
def test_a_new_customer_is_found_by_the_next_search(market: Market) -> None:
    customers.add_customer(market.desks["banker"], "Čaroline D'Souza", date(1990, 1, 1))
    words = market.rows("SELECT word FROM search_words WHERE kind = 'customer' ORDER BY word")
    assert {"caroline", "souza"} <= {row["word"] for row in words}


@pytest.mark.feature("A2.8")
def test_a_hundred_thousand_names_are_not_read_one_by_one(sqlite_market: Market) -> None:
    """A rare name and two common ones, in a branch where half of the bank's customers are."""
    market = sqlite_market
    crowd(market, 100_000)
    statements: list[tuple[str, Any]] = []
    engine = market.bank.db.engine

    @event.listens_for(engine, "before_cursor_execute")
    def keep(_c: Any, _cursor: Any, sql: str, values: Any, *_rest: Any) -> None:
        if "search_words" in sql or "JOIN customers" in sql:
            statements.append((sql, values))

    began = time.perf_counter()
    assert len(found(market, "zarathustra").rows) == 1
    common = found(market, "kumar singh")
    assert found(market, "kumar zarathustra").rows == []
    took = time.perf_counter() - began
    event.remove(engine, "before_cursor_execute", keep)
    assert (len(common.rows), common.is_more) == (20, True)
    assert took < 1.0, f"three searches took {took:.2f} s"
    assert len(statements) >= 6
    with engine.connect() as connection:
        for sql, values in statements:
            steps = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)
            plan = [str(step[3]) for step in steps]
            assert not set(WHOLE) & {step.split(" USING ")[0] for step in plan}, plan


def crowd(market: Market, count: int) -> None:
    """So many customers with an account each, every second one at Fort, written in bulk."""
    fort, baner = market.branch_ids.values()
    with market.tx() as tx:
        first = 1_000_000
        names = ["Kumar Singh"] * (count - 1) + ["Zarathustra Bose"]
        ids = range(first, first + count)
        branches = [fort if key % 2 else baner for key in ids]
        branches[-1] = fort
        gl_id = tx.connection.exec_driver_sql("SELECT gl_account_id FROM balances").scalar()
        product_id = tx.connection.exec_driver_sql("SELECT id FROM products").scalar()
        tx.connection.execute(
            insert(Customer),
            [
                {
                    "id": key, "number": f"C{key}", "name": name, "branch_id": branch,
                    "date_of_birth": date(1990, 1, 1), "created_at": tx.now,
                }
                for key, name, branch in zip(ids, names, branches, strict=True)
            ],
        )  # fmt: skip
        search.keep_many(tx, SEARCHED, zip(ids, names, strict=True))
        tx.connection.execute(
            insert(Balance),
            [
                {
                    "account_id": key, "gl_account_id": gl_id, "branch_id": branch,
                    "currency": "INR", "booked_minor": 0, "held_minor": 0,
                    "overdraft_limit_minor": 0, "lines": 0,
                }
                for key, branch in zip(ids, branches, strict=True)
            ],
        )  # fmt: skip
        tx.connection.execute(
            insert(Account),
            [
                {
                    "id": key, "number": f"9{key}", "customer_id": key, "product_id": product_id,
                    "branch_id": branch, "currency": "INR", "opened_on": date(2020, 1, 1),
                    "opened_by": 1, "opened_at": tx.now, "status": AccountStatus.ACTIVE,
                }
                for key, branch in zip(ids, branches, strict=True)
            ],
        )  # fmt: skip
