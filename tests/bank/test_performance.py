"""What an employee did: the same numbers for themselves and for the admin, from the trail."""

from datetime import date, timedelta

import pytest

from bank.core.errors import BadInput, BankError
from bank.core.ids import new_request_id
from bank.counters import cash
from bank.office import performance, scores
from bank.people.staff_list import NoSuchEmployee
from tests.support import people
from tests.support.apptest import Pages, words_of
from tests.support.market import Market
from tests.support.tickets import solved

TODAY = date(2026, 3, 16)

pytestmark = pytest.mark.feature("A9.1", "A9.2")


def work(market: Market) -> None:
    """Ravi takes three slips and is refused a fourth; Meera of Baner takes one."""
    for _ in range(3):
        market.deposit("asha", 100_00)
    with pytest.raises(BankError):
        cash.withdraw(
            market.cashier, market.number("asha"), 9_000_00, "S1", request_id=new_request_id()
        )
    market.deposit("asha", 100_00, desk=market.desks["meera"])


def test_both_see_the_same_numbers(market: Market) -> None:
    work(market)
    ravi = market.cashier
    own = performance.own_work(ravi, TODAY, TODAY)
    assert ravi.user_id is not None
    assert performance.work_of(market.desks["admin"], ravi.user_id, TODAY, TODAY) == own
    assert performance.work_of(market.desks["auditor"], ravi.user_id, TODAY, TODAY) == own
    assert [(row.verb, row.done, row.refused) for row in own] == [
        ("counters.cash.deposit", 3, 0),
        ("counters.drawers.ask_for_drawer", 1, 0),
        ("counters.cash.withdraw", 0, 1),
    ]
    assert own[0].first_at <= own[0].last_at == market.bank.clock.now()
    assert own[0].sentence == "Take cash for any account of the bank by its exact number."


def test_days_are_days_in_the_branch(market: Market) -> None:
    work(market)
    people.later(market.bank, hours=12)  # midnight in the branch has passed
    market.new_day()
    market.deposit("asha", 1_00)
    ravi = market.cashier

    def slips(start: date, end: date) -> int:
        rows = performance.own_work(ravi, start, end)
        return sum(row.done for row in rows if row.verb == "counters.cash.deposit")

    tomorrow = TODAY + timedelta(days=1)
    assert slips(TODAY, TODAY) == 3
    assert slips(tomorrow, tomorrow) == 1
    assert slips(TODAY, tomorrow) == 4
    assert not performance.own_work(ravi, TODAY - timedelta(days=9), TODAY - timedelta(days=1))


def test_signing_in_is_no_work(market: Market, cheap_bcrypt: None) -> None:
    ravi = people.employee(market.bank, username="ravi.two")
    desk = people.desk_of(market.bank, ravi)
    assert performance.own_work(desk, TODAY, TODAY) == []


@pytest.mark.parametrize(("start", "end"), [(1, 0), (-366, 0)])
def test_days_are_checked(sqlite_market: Market, start: int, end: int) -> None:
    with pytest.raises(BadInput) as refused:
        performance.own_work(
            sqlite_market.cashier, TODAY + timedelta(days=start), TODAY + timedelta(days=end)
        )
    assert refused.value.field == "days"


def test_another_branchs_employee_is_not_there(sqlite_market: Market) -> None:
    ravi, asha = sqlite_market.cashier.user_id, sqlite_market.desks["asha"].user_id
    assert ravi is not None
    assert asha is not None
    with pytest.raises(NoSuchEmployee):
        performance.work_of(sqlite_market.desks["admin_baner"], ravi, TODAY, TODAY)
    with pytest.raises(NoSuchEmployee):
        performance.work_of(sqlite_market.desks["auditor"], asha, TODAY, TODAY)


def test_the_pages_show_the_same(pages: Pages, sqlite_market: Market) -> None:
    work(sqlite_market)
    mine = pages.open(sqlite_market.cashier, "staff/my_work.py")
    assert not mine.exception
    assert "Done 4" in words_of(mine)
    page = pages.open(sqlite_market.desks["admin"], "admin/employees.py")
    user_id = sqlite_market.cashier.user_id
    page.session_state["employees_chosen"] = str(user_id)
    page.run()
    page.segmented_control(f"employee_do_{user_id}").set_value("Work").run()
    assert not page.exception
    assert "Done 4" in words_of(page)
    table = page.dataframe[-1].value
    assert table.equals(mine.dataframe[-1].value)
    assert "What customers say" not in words_of(mine)
    other = pages.open(sqlite_market.desks["banker"], "staff/my_work.py")
    assert "Nothing is counted on these days" in words_of(other)


@pytest.mark.feature("B20")
def test_the_pages_show_the_same_score(pages: Pages, sqlite_market: Market) -> None:
    for score in (5, 4):
        card = solved(sqlite_market)
        scores.score_ticket(sqlite_market.desks["asha"], card.id, score)
    esha = sqlite_market.desks["executive"]
    mine = pages.open(esha, "staff/my_work.py")
    page = pages.open(sqlite_market.desks["admin"], "admin/employees.py")
    page.session_state["employees_chosen"] = str(esha.user_id)
    page.run()
    page.segmented_control(f"employee_do_{esha.user_id}").set_value("Work").run()
    for seen in (mine, page):
        assert not seen.exception
        said = words_of(seen)
        assert "What customers say" in said
        assert "4.5 of 5" in said
