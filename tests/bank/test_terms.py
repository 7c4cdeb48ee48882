"""Rates, charges and policies: read by everybody, set from a day on by head office."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest

from bank.accounts import tariff, terms
from bank.accounts.products import UnknownProduct, products_in_force
from bank.accounts.tariff import What
from bank.accounts.terms import (
    ChangeThere,
    NoSuchCharge,
    NothingChanges,
    NothingToCome,
    TooSoon,
)
from bank.core.desk import Desk
from bank.core.errors import BadInput, NotAllowed
from bank.core.permissions import Role
from tests.support import queues
from tests.support.bank import desk
from tests.support.market import Market, pay_in

pytestmark = pytest.mark.feature("A7.1")
WHY = "Decision of the board"
CHANGED = (What.RATES, What.CHARGE, What.POLICY)  # the card has tests of its own


@pytest.fixture
def head(market: Market) -> Desk:
    """Somebody at head office, whom no second person stops here."""
    with market.tx() as tx:
        tx.connection.exec_driver_sql(
            "UPDATE approval_rules SET checkers = '' WHERE command LIKE 'accounts.%terms.%'"
            if tx.dialect == "sqlite"
            else "UPDATE approval_rules SET checkers = '' WHERE command LIKE 'accounts.%%terms.%%'"
        )
    return desk(market.bank, Role.SUPER_ADMIN, branch_id=None, name="the head")


def on(market: Market, days: int) -> date:
    """A business date so many days ahead."""
    return market.bank.clock.business_date() + timedelta(days=days)


def savings(rows: Sequence[tariff.Rates]) -> list[tuple[date, int]]:
    """From when on savings bear how much, of a list of rates."""
    return [(row.effective_from, row.interest_rate_bps) for row in rows if row.code == "savings"]


@pytest.mark.parametrize("who", ["asha", "ravi", "auditor"])
def test_everybody_reads_what_holds_and_what_is_to_come(
    market: Market, head: Desk, who: str
) -> None:
    seen = tariff.tariff(market.desks[who])
    assert savings(seen.rates) == [(date(2025, 7, 1), 275)]
    assert "Cheque book" in [row.name for row in seen.charges]
    assert "Complaints" in [row.title for row in seen.policies]
    assert (seen.coming_rates, seen.coming_charges, seen.coming_policies) == ([], [], [])
    terms.set_rates(head, "savings", on(market, 5), 300, 500_00, 0, WHY)
    terms.set_rates(head, "savings", on(market, 3), 290, 500_00, 0, WHY)
    terms.set_charge(head, "cheque_book", on(market, 30), 90_00, WHY)
    terms.set_policy(head, "Green Banking", on(market, 1), "Paper", "We print less.", WHY)
    seen = tariff.tariff(market.desks[who])
    assert savings(seen.rates) == [(date(2025, 7, 1), 275)], "until then nothing has changed"
    assert savings(seen.coming_rates) == [(on(market, 3), 290), (on(market, 5), 300)]
    assert [(row.code, row.amount_minor) for row in seen.coming_charges] == [("cheque_book", 90_00)]
    [policy] = seen.coming_policies
    assert (policy.code, policy.title, policy.body) == ("green_banking", "Paper", "We print less.")
    queues.later(market, days=3)
    seen = tariff.tariff(market.desks[who])
    assert savings(seen.rates) == [(on(market, 0), 290)]
    assert "Paper" in [row.title for row in seen.policies]


def test_accounts_are_opened_under_the_terms_of_their_day(market: Market, head: Desk) -> None:
    """It is the product's own table that changes, not a copy for the page."""
    terms.set_rates(head, "savings", on(market, 1), 310, 700_00, 0, WHY)
    queues.later(market, days=1)
    [found] = [row for row in products_in_force(market.desks["banker"]) if row.code == "savings"]
    assert (found.interest_rate_bps, found.minimum_balance_minor) == (310, 700_00)


Attempt = Callable[[Market, Desk], object]
REFUSED: list[tuple[str, Attempt, type[Exception], str | None]] = [
    (
        "a rate of today",
        lambda m, d: terms.set_rates(d, "savings", on(m, 0), 300, 0, 0, WHY),
        TooSoon,
        "effective_from",
    ),
    (
        "a rate of more than all",
        lambda m, d: terms.set_rates(d, "savings", on(m, 1), 10_001, 0, 0, WHY),
        BadInput,
        "interest",
    ),
    (
        "a minimum below zero",
        lambda m, d: terms.set_rates(d, "savings", on(m, 1), 300, -1, 0, WHY),
        BadInput,
        "minimum",
    ),
    (
        "an overdraft below zero",
        lambda m, d: terms.set_rates(d, "savings", on(m, 1), 300, 0, -1, WHY),
        BadInput,
        "overdraft",
    ),
    (
        "the same rates",
        lambda m, d: terms.set_rates(d, "savings", on(m, 1), 275, 1_000_00, 0, WHY),
        NothingChanges,
        "interest",
    ),
    (
        "no such product",
        lambda m, d: terms.set_rates(d, "gold", on(m, 1), 275, 0, 0, WHY),
        UnknownProduct,
        None,
    ),
    (
        "no reason",
        lambda m, d: terms.set_rates(d, "savings", on(m, 1), 300, 0, 0, " "),
        BadInput,
        "reason",
    ),
    (
        "a higher charge within the month",
        lambda m, d: terms.set_charge(d, "cheque_book", on(m, 29), 90_00, WHY),
        TooSoon,
        "effective_from",
    ),
    (
        "the same charge",
        lambda m, d: terms.set_charge(d, "cheque_book", on(m, 30), 75_00, WHY),
        NothingChanges,
        "amount",
    ),
    (
        "a charge below zero",
        lambda m, d: terms.set_charge(d, "cheque_book", on(m, 30), -1, WHY),
        BadInput,
        "amount",
    ),
    (
        "no such charge",
        lambda m, d: terms.set_charge(d, "smile", on(m, 30), 1, WHY),
        NoSuchCharge,
        "charge",
    ),
    (
        "a policy of today",
        lambda m, d: terms.set_policy(d, "privacy", on(m, 0), "Yours", "Words.", WHY),
        TooSoon,
        "effective_from",
    ),
    (
        "a policy without words",
        lambda m, d: terms.set_policy(d, "privacy", on(m, 1), "Yours", " \n ", WHY),
        BadInput,
        "message",
    ),
    (
        "a policy without an end",
        lambda m, d: terms.set_policy(d, "privacy", on(m, 1), "Yours", "x" * 4_001, WHY),
        BadInput,
        "message",
    ),
    (
        "a policy that cannot be printed",
        lambda m, d: terms.set_policy(d, "privacy", on(m, 1), "Yours", "a\x07b", WHY),
        BadInput,
        "message",
    ),
    (
        "what has begun",
        lambda m, d: terms.call_off(d, What.RATES, "savings", date(2025, 7, 1), WHY),
        NothingToCome,
        None,
    ),
    (
        "what is not there",
        lambda m, d: terms.call_off(d, What.CHARGE, "cheque_book", on(m, 9), WHY),
        NothingToCome,
        None,
    ),
]


@pytest.mark.parametrize(
    ("attempt", "refusal", "field"),
    [each[1:] for each in REFUSED],
    ids=[each[0].replace(" ", "_") for each in REFUSED],
)
def test_what_is_refused_changes_nothing(
    market: Market, head: Desk, attempt: Attempt, refusal: type[Exception], field: str | None
) -> None:
    before = tariff.tariff(head)
    with pytest.raises(refusal) as refused:
        attempt(market, head)
    assert getattr(refused.value, "field", None) == field
    assert tariff.tariff(head) == before


def test_a_lower_charge_needs_no_month(market: Market, head: Desk) -> None:
    terms.set_charge(head, "cheque_book", on(market, 1), 50_00, WHY)
    [row] = tariff.tariff(head).coming_charges
    assert row.amount_minor == 50_00


def test_a_longer_notice_counts_from_its_date(market: Market, head: Desk) -> None:
    with market.tx() as tx:
        tx.session.add(
            tariff.TermRule(
                name="rate_notice_days", effective_from=on(market, 0), value=7, source="a test"
            )
        )
    with pytest.raises(TooSoon, match="23 Mar 2026"):
        terms.set_rates(head, "savings", on(market, 6), 300, 0, 0, WHY)
    terms.set_rates(head, "savings", on(market, 7), 300, 0, 0, WHY)


@pytest.mark.parametrize("what", CHANGED)
def test_a_change_is_called_off_before_it_begins(market: Market, head: Desk, what: What) -> None:
    day = on(market, 40)
    code = {What.RATES: "savings", What.CHARGE: "cheque_book", What.POLICY: "privacy"}[what]

    def change() -> None:
        if what is What.RATES:
            terms.set_rates(head, code, day, 300, 0, 0, WHY)
        elif what is What.CHARGE:
            terms.set_charge(head, code, day, 99_00, WHY)
        else:
            terms.set_policy(head, code, day, "Data", "Other words.", WHY)

    before = tariff.tariff(head)
    change()
    with pytest.raises(ChangeThere):
        change()
    terms.call_off(head, what, code, day, "A mistake")
    assert tariff.tariff(head) == before
    [row] = market.rows("SELECT object_kind, object_id, before, after FROM trail"
                        " WHERE verb = 'accounts.terms.call_off' AND outcome = 'done'")  # fmt: skip
    assert (row["object_kind"], row["object_id"]) == (what.value, code)
    assert day.isoformat() in row["before"], "who wants to know what it was finds it here"
    change()  # and the day is free again


@pytest.mark.parametrize("who", ["admin", "auditor", "asha", "ravi"])
def test_only_head_office_sets_them(market: Market, who: str) -> None:
    with pytest.raises(NotAllowed):
        terms.set_charge(market.desks[who], "cheque_book", on(market, 31), 1_00, WHY)
    with pytest.raises(NotAllowed):
        terms.yearly_interest(market.desks[who], "savings", 300)


def test_what_a_rate_costs_in_a_year(market: Market, head: Desk) -> None:
    """Credit balances of this product, in rupees alone."""
    pay_in(market, "asha", 10_000_00)
    pay_in(market, "asha", 7_000_00, "current")
    pay_in(market, "asha", 5_000_00, "koruna")
    assert terms.yearly_interest(head, "savings", 300) == (275_00, 300_00)
    assert terms.yearly_interest(head, "business", 300) == (0, 0)


@pytest.mark.parametrize("what", CHANGED)
def test_of_two_who_set_the_same_day_one_is_told(market: Market, head: Desk, what: What) -> None:
    """Not an error of the database: the second sees what the first has set."""
    day, start = on(market, 40), threading.Barrier(6)

    def change(number: int) -> str:
        start.wait(10)
        try:
            if what is What.RATES:
                terms.set_rates(head, "savings", day, 300 + number, 0, 0, WHY)
            elif what is What.CHARGE:
                terms.set_charge(head, "cheque_book", day, 90_00 + number, WHY)
            else:
                terms.set_policy(head, "paper", day, "Paper", f"Words {number}.", WHY)
        except ChangeThere:
            return "told"
        return "set"

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(change, range(6))) == ["set", *["told"] * 5]
