"""The rate card: fixed deposits by time and amount, loans, benchmarks; read by everybody, set from
a day on by two at head office."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any, Final

import pytest

from bank.accounts import card_terms, tariff, terms
from bank.accounts.card_terms import LoansGoByIt, NoSuchLine, TwoForOne
from bank.accounts.rate_card import Card, CardRate
from bank.accounts.tariff import What
from bank.accounts.terms import (
    ChangeThere,
    NothingChanges,
    NothingToCome,
    ThereAlready,
    TooSoon,
    UsedByLoans,
)
from bank.core.approvals import AwaitingApproval
from bank.core.desk import Desk
from bank.core.errors import BadInput, BankError, NotAllowed
from tests.bank.test_terms import head, on
from tests.support import queues
from tests.support.checkers import Checking
from tests.support.market import Market

__all__ = ["head"]
pytestmark = pytest.mark.feature("A7.1", "A7.2")
WHY: Final = "Decision of the board"
CRORE: Final = 1_00_00_000_00


def added(market: Market, head: Desk, **facts: Any) -> str:
    """A line from tomorrow on: deposits of a year below three crore, unless told otherwise."""
    given: dict[str, Any] = {
        "card": Card.DEPOSIT, "name": "One to two years", "from_days": 365, "to_days": 730,
        "from_minor": 0, "below_minor": 3 * CRORE, "effective_from": on(market, 1),
        "rate_bps": 660, "extra_bps": 50, "over": None, "reason": WHY,
    }  # fmt: skip
    return card_terms.add_line(head, **(given | facts))


NO_DAYS: Final[dict[str, Any]] = {
    "from_days": None, "to_days": None, "from_minor": 0, "below_minor": None, "extra_bps": 0,
}  # fmt: skip


def benchmark(market: Market, head: Desk, **facts: Any) -> str:
    """The repo rate from tomorrow on."""
    given = NO_DAYS | {"card": Card.BENCHMARK, "name": "Repo rate", "rate_bps": 525}
    return added(market, head, **(given | facts))


def home_loan(market: Market, head: Desk, **facts: Any) -> str:
    """A loan that goes by the repo rate, from tomorrow on."""
    given = NO_DAYS | {
        "card": Card.LOAN, "name": "Home loan", "rate_bps": 275, "over": "repo_rate",
    }  # fmt: skip
    return added(market, head, **(given | facts))


def shown(market: Market, who: str = "asha") -> dict[str, CardRate]:
    """What somebody reads on the card today."""
    return {rate.code: rate for rate in tariff.tariff(market.desks[who]).card}


@pytest.mark.parametrize("who", ["asha", "ravi", "auditor"])
def test_everybody_reads_the_card_and_what_is_to_come(market: Market, head: Desk, who: str) -> None:
    assert shown(market, who) == {}
    added(market, head)
    coming = tariff.tariff(market.desks[who]).coming_card
    assert [(rate.name, rate.rate_bps, rate.effective_from) for rate in coming] == [
        ("One to two years", 660, on(market, 1))
    ]
    assert shown(market, who) == {}, "until then nothing is on the card"
    queues.later(market, days=1)
    [rate] = shown(market, who).values()
    assert (rate.days, rate.amounts) == ("1 to 2 years", "below ₹ 3,00,00,000.00")
    assert (rate.rate_bps, rate.senior_bps, rate.source) == (660, 710, WHY)


def test_a_loan_moves_with_its_benchmark_from_its_day(market: Market, head: Desk) -> None:
    benchmark(market, head)
    home_loan(market, head)
    [loan] = [rate for rate in tariff.tariff(head).coming_card if rate.card is Card.LOAN]
    assert loan.total_bps == 800, "by the benchmark of its first day"
    queues.later(market, days=1)
    card_terms.set_line(head, "repo_rate", on(market, 3), 500, 0, None, "The Reserve Bank")
    assert shown(market)["home_loan"].total_bps == 800
    assert shown(market)["home_loan"].said == (
        "8.00 % a year: Repo rate 5.25 % a year and 2.75 % a year"
    )
    queues.later(market, days=3)
    assert shown(market)["home_loan"].total_bps == 775
    card_terms.set_line(head, "home_loan", on(market, 1), 790, 0, None, "Fixed for all")
    queues.later(market, days=1)
    assert (shown(market)["home_loan"].total_bps, shown(market)["home_loan"].over) == (790, None)


def test_a_line_is_taken_off_the_card_and_put_on_again(market: Market, head: Desk) -> None:
    added(market, head)
    card_terms.set_line(head, "one_to_two_years", on(market, 2), None, 50, None, "No more")
    card_terms.set_line(head, "one_to_two_years", on(market, 4), 600, 0, None, "Again")
    queues.later(market, days=2)
    assert shown(market)["one_to_two_years"].rate_bps is None
    assert shown(market)["one_to_two_years"].said == "not offered"
    queues.later(market, days=2)
    assert shown(market)["one_to_two_years"].senior_bps == 600


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [(7, 45, "7 to 45 days"), (365, 365, "1 year"), (365, 1825, "1 to 5 years"),
     (730, 730, "2 years"), (366, 730, "366 to 730 days")],
)  # fmt: skip
def test_times_in_words(market: Market, head: Desk, first: int, last: int, said: str) -> None:
    added(market, head, from_days=first, to_days=last)
    [rate] = tariff.tariff(head).coming_card
    assert rate.days == said


Attempt = Callable[[Market, Desk], object]
REFUSED: Final[list[tuple[str, Attempt, type[BankError], str | None]]] = [
    ("today", lambda m, d: added(m, d, effective_from=on(m, 0)), TooSoon, "effective_from"),
    ("no_name", lambda m, d: added(m, d, name=" "), BadInput, "name"),
    ("a_name_without_letters", lambda m, d: added(m, d, name="%%"), BadInput, "name"),
    ("no_reason", lambda m, d: added(m, d, reason=""), BadInput, "reason"),
    ("no_first_day", lambda m, d: added(m, d, from_days=None), BadInput, "from_days"),
    ("no_last_day", lambda m, d: added(m, d, to_days=None), BadInput, "to_days"),
    ("six_days", lambda m, d: added(m, d, from_days=6), BadInput, "from_days"),
    ("eleven_years", lambda m, d: added(m, d, to_days=3_654), BadInput, "to_days"),
    ("backwards", lambda m, d: added(m, d, to_days=364), BadInput, "to_days"),
    ("below_zero", lambda m, d: added(m, d, from_minor=-1), BadInput, "from_minor"),
    ("no_amount", lambda m, d: added(m, d, below_minor=0), BadInput, "below_minor"),
    ("more_than_all", lambda m, d: added(m, d, rate_bps=10_001), BadInput, "interest"),
    ("less_than_nothing", lambda m, d: added(m, d, rate_bps=-1), BadInput, "interest"),
    ("less_for_the_old", lambda m, d: added(m, d, extra_bps=-1), BadInput, "extra"),
    ("a_deposit_over", lambda m, d: added(m, d, over="repo_rate"), BadInput, "over"),
    ("a_loan_for_days",
     lambda m, d: home_loan(m, d, from_days=7, over=None), BadInput, "from_days"),
    ("old_borrowers", lambda m, d: home_loan(m, d, extra_bps=50, over=None), BadInput, "extra"),
    ("no_such_benchmark", lambda m, d: home_loan(m, d, over="libor"), BadInput, "over"),
    ("no_such_line",
     lambda m, d: card_terms.set_line(d, "gold", on(m, 1), 1, 0, None, WHY), NoSuchLine, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("attempt", "refusal", "field"),
    [each[1:] for each in REFUSED],
    ids=[each[0] for each in REFUSED],
)
def test_what_is_refused_changes_nothing(
    market: Market, head: Desk, attempt: Attempt, refusal: type[BankError], field: str | None
) -> None:
    with pytest.raises(refusal) as refused:
        attempt(market, head)
    assert getattr(refused.value, "field", None) == field
    assert market.rows("SELECT code FROM rate_lines") == []


def test_the_law_of_short_deposits_is_named(market: Market, head: Desk) -> None:
    with pytest.raises(BadInput, match="At least 7 days: RBI"):
        added(market, head, from_days=6)
    assert added(market, head, from_days=7, to_days=3_650, name="Any time") == "any_time"


def test_of_one_time_and_amount_there_is_one_rate(market: Market, head: Desk) -> None:
    added(market, head)
    for meets in ({"from_days": 730, "to_days": 900}, {"from_days": 7, "to_days": 365},
                  {"below_minor": None}, {"from_minor": 3 * CRORE - 1}):  # fmt: skip
        with pytest.raises(TwoForOne):
            added(market, head, name="Another", **meets)
    added(market, head, name="Longer", from_days=731, to_days=900)
    added(market, head, name="Bulk", from_minor=3 * CRORE, below_minor=None)
    with pytest.raises(ThereAlready) as refused:
        added(market, head, from_days=1000, to_days=1001)
    assert refused.value.field == "name"
    card_terms.set_line(head, "one_to_two_years", on(market, 5), None, 0, None, "No more")
    with pytest.raises(TwoForOne):
        added(market, head, name="Its heir", effective_from=on(market, 4))
    added(market, head, name="Its heir", effective_from=on(market, 5))
    with pytest.raises(TwoForOne):
        card_terms.set_line(head, "one_to_two_years", on(market, 6), 600, 0, None, "Again")


def test_what_changes_nothing_or_meets_another_change_is_refused(
    market: Market, head: Desk
) -> None:
    added(market, head)
    with pytest.raises(ChangeThere):
        card_terms.set_line(head, "one_to_two_years", on(market, 1), 700, 50, None, WHY)
    with pytest.raises(NothingChanges):
        card_terms.set_line(head, "one_to_two_years", on(market, 2), 660, 50, None, WHY)
    with pytest.raises(TooSoon):
        card_terms.set_line(head, "one_to_two_years", on(market, 0), 700, 50, None, WHY)


def test_a_benchmark_stays_while_loans_go_by_it(market: Market, head: Desk) -> None:
    benchmark(market, head)
    benchmark(market, head, name="Late rate", effective_from=on(market, 9))
    with pytest.raises(BadInput, match="no rate on that day"):
        home_loan(market, head, over="late_rate")
    home_loan(market, head, effective_from=on(market, 3))
    with pytest.raises(LoansGoByIt):
        card_terms.set_line(head, "repo_rate", on(market, 2), None, 0, None, "Gone")
    with pytest.raises(UsedByLoans):
        terms.call_off(head, What.CARD, "repo_rate", on(market, 1), "A mistake")
    terms.call_off(head, What.CARD, "home_loan", on(market, 3), "A mistake")
    terms.call_off(head, What.CARD, "repo_rate", on(market, 1), "A mistake")
    assert [rate.code for rate in tariff.tariff(head).coming_card] == ["late_rate"]


def test_what_never_began_leaves_its_name(market: Market, head: Desk) -> None:
    added(market, head)
    terms.call_off(head, What.CARD, "one_to_two_years", on(market, 1), "A mistake")
    assert tariff.tariff(head).coming_card == []
    added(market, head, from_days=400)
    queues.later(market, days=1)
    card_terms.set_line(head, "one_to_two_years", on(market, 1), 700, 0, None, WHY)
    terms.call_off(head, What.CARD, "one_to_two_years", on(market, 1), "A mistake")
    assert shown(market)["one_to_two_years"].rate_bps == 660, "what holds stays"
    with pytest.raises(NothingToCome):
        terms.call_off(head, What.CARD, "one_to_two_years", on(market, 0), "Too late")


def test_a_new_charge_is_published_a_month_ahead(market: Market, head: Desk) -> None:
    with pytest.raises(TooSoon):
        terms.add_charge(head, "Locker key lost", "key", on(market, 29), 500_00, WHY)
    code = terms.add_charge(head, "Locker key lost", "key", on(market, 30), 500_00, WHY)
    [row] = tariff.tariff(market.desks["asha"]).coming_charges
    assert (row.code, row.name, row.per, row.amount_minor) == (
        code, "Locker key lost", "key", 500_00,
    )  # fmt: skip
    for name, per, amount, field in (
        ("locker  key LOST", "key", 1, "name"), (" ", "key", 1, "name"),
        ("Another", "", 1, "per"), ("Another", "key", -1, "amount"),
    ):  # fmt: skip
        with pytest.raises(BadInput) as refused:
            terms.add_charge(head, name, per, on(market, 30), amount, WHY)
        assert refused.value.field == field
    terms.call_off(head, What.CHARGE, code, on(market, 30), "A mistake")
    assert tariff.tariff(market.desks["asha"]).coming_charges == []
    assert terms.add_charge(head, "Locker key lost", "lost key", on(market, 31), 1, WHY) == code


def test_of_two_who_add_the_same_line_one_is_told(market: Market, head: Desk) -> None:
    """Not an error of the database: the second sees what the first has added."""
    start = threading.Barrier(4)

    def add(number: int) -> str:
        start.wait(10)
        try:
            added(market, head, rate_bps=600 + number)
        except ThereAlready:
            return "told"
        return "added"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(add, range(4))) == ["added", *["told"] * 3]


def test_only_head_office_sets_the_card_and_by_two(checking: Checking) -> None:
    at = checking
    for who in ("admin", "auditor", "asha", "ravi", "console"):
        with pytest.raises(NotAllowed):
            added(at.market, at.desks[who])
        with pytest.raises(NotAllowed):
            terms.add_charge(at.desks[who], "Smile", "smile", at.in_days(31), 1, WHY)
    with pytest.raises(AwaitingApproval) as waits:
        added(at.market, at.desks["head"])
    assert waits.value.names == ("Chitra Iyer",)
    assert tariff.tariff(at.desks["asha"]).coming_card == []
    at.approve("chief")
    [rate] = tariff.tariff(at.desks["asha"]).coming_card
    assert rate.effective_from == date(2026, 3, 17)
