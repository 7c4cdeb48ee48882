"""An employee by facts: each number against one that the test counts itself from what it did."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from statistics import median

import pytest

from bank.core.approvals import AwaitingApproval
from bank.core.desk import Desk, add_to_trail
from bank.core.errors import BadInput, NotAllowed
from bank.core.ids import new_request_id
from bank.counters import cash, corrections, counts, fund_transfers, vault, work_facts
from bank.counters.fact_rows import Kind, Measure
from bank.counters.work_facts import Figure, PerformanceRule
from bank.office import approvals, performance, scores, tickets
from bank.office.ticket_desk import Then
from bank.office.tickets import TicketCard
from bank.people.staff_list import NoSuchEmployee
from tests.bank.test_work_clock import BOARD, Minutes
from tests.support import queues
from tests.support.apptest import Pages, words_of
from tests.support.market import Market
from tests.support.tickets import claimed, replied, written

pytestmark = pytest.mark.feature("A9.2", "C10")
TODAY = date(2026, 3, 16)
TO = TODAY + timedelta(days=13)
LAKH = 1_00_000_00


class Diary:
    """What the test did, and when."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.lengths: dict[str, list[int]] = {}
        days = market.rows("SELECT day, name FROM holidays WHERE branch_id IS NULL")
        closed = {date.fromisoformat(str(row["day"])): row["name"] for row in days}
        self.reference = Minutes(BOARD, closed)

    @property
    def now(self) -> datetime:
        return self.market.bank.clock.now()

    def answers(self, who: str, minutes: int, category: str, then: Then) -> TicketCard:
        """Asha writes; so many minutes of the clock on the wall later somebody answers."""
        card, opened_at = written(self.market, category=category), self.now
        queues.later(self.market, minutes=minutes)
        claimed(self.market, card, who)
        replied(self.market, card, then, who)
        self.lengths.setdefault(who, []).append(60 * self.reference.between(opened_at, self.now))
        return card


def of(market: Market, who: str, measure: Measure) -> Figure:
    """A figure as its owner sees it, which is what the admin sees; and what is behind it adds up
    to it."""
    desk = market.desks[who]
    mine = work_facts.own_facts(desk, TODAY, TO)
    assert desk.user_id is not None
    assert work_facts.facts_of(market.desks["admin"], desk.user_id, TODAY, TO) == mine
    [figure] = [each for each in mine.figures if each.measure is measure]
    behind = work_facts.own_items(desk, measure, TODAY, TO)
    seen = work_facts.items_of(market.desks["auditor"], desk.user_id, measure, TODAY, TO)
    assert seen == behind
    assert behind.found == len(behind.items) == figure.cases
    assert all(item.reference and item.at for item in behind.items)
    if figure.kind is Kind.SHARE:
        assert sum(item.hit for item in behind.items) == figure.hits
    if figure.kind is Kind.MEDIAN and behind.items:
        assert median(item.value or 0 for item in behind.items) == figure.value
    return figure


def rule(market: Market, since: date = TODAY, **values: int) -> None:
    """Other numbers for comparing."""
    with market.tx() as tx:
        for name, value in values.items():
            tx.session.add(
                PerformanceRule(name=name, effective_from=since, value=value, source="tests")
            )


def with_tickets(market: Market) -> Diary:
    """Esha answers four tickets: one late, one of them opened again; Dev answers one."""
    diary = Diary(market)
    first = diary.answers("executive", 45, "unknown_entry", Then.SOLVE)  # promised within 60
    scores.score_ticket(market.desks["asha"], first.id, 5)
    late = diary.answers("executive", 20 * 60, "unknown_entry", Then.STAY)  # over night
    queues.later(market, days=3)
    claimed(market, late)
    replied(market, late, Then.SOLVE)  # promised within two open days
    again = diary.answers("executive", 100, "charges", Then.SOLVE)
    tickets.reopen(market.desks["asha"], again.id, "It came again.", request_id=new_request_id())
    fourth = diary.answers("executive", 10, "charges", Then.SOLVE)
    scores.score_ticket(market.desks["asha"], fourth.id, 2)
    diary.answers("executive_two", 15, "charges", Then.SOLVE)
    return diary


def test_tickets_are_counted_by_the_clock_of_the_branch(market: Market) -> None:
    diary = with_tickets(market)
    lengths = diary.lengths["executive"]
    assert len(set(lengths)) == 4
    assert of(market, "executive", Measure.CASES).value == 4
    assert of(market, "executive", Measure.FIRST_REPLY).value == median(lengths)
    first = of(market, "executive", Measure.FIRST_IN_TIME)
    assert (first.hits, first.cases, first.value) == (3, 4, 75)
    solved = of(market, "executive", Measure.SOLVED_IN_TIME)
    assert (solved.hits, solved.cases) == (3, 4)
    again = of(market, "executive", Measure.REOPENED)
    assert (again.hits, again.cases, again.value) == (1, 4, 25)
    assert of(market, "executive", Measure.SCORE).value == 3.5
    assert of(market, "executive_two", Measure.FIRST_REPLY).value == 15 * 60
    assert of(market, "executive_two", Measure.SCORE).value is None


def test_the_role_is_compared_only_where_enough_people_have_enough_cases(market: Market) -> None:
    diary = with_tickets(market)
    alone = of(market, "executive", Measure.FIRST_REPLY).compared
    assert (alone.people, alone.median, alone.lowest, alone.highest) == (0, None, None, None)
    rule(market, least_people=2, least_cases=1)
    mine, other = median(diary.lengths["executive"]), 15 * 60
    both = of(market, "executive", Measure.FIRST_REPLY).compared
    assert (both.people, both.median) == (2, median([mine, other]))
    assert (both.lowest, both.highest) == (other, mine)
    assert of(market, "executive_two", Measure.FIRST_REPLY).compared == both
    there = work_facts.own_facts(market.desks["executive_baner"], TODAY, TO)
    assert {figure.compared.people for figure in there.figures} == {0}, "another branch"
    assert of(market, "executive", Measure.REOPENED).compared.highest == 25
    now = market.bank.clock.business_date()
    rule(market, now + timedelta(days=1), least_people=9)
    assert of(market, "executive", Measure.FIRST_REPLY).compared == both, "not yet"
    rule(market, now, least_people=3)
    few = of(market, "executive", Measure.FIRST_REPLY).compared
    assert (few.people, few.median) == (2, None)


def ask(market: Market, entry_id: int) -> int:
    """Ravi asks to take a slip back."""
    with pytest.raises(AwaitingApproval) as waits:
        corrections.reverse_own_slip(market.cashier, entry_id, "typed twice", new_request_id())
    return waits.value.approval_id


def at_the_counter(market: Market) -> None:
    """Ravi books seven slips, asks to take three back (agreed, rejected, asked back and agreed),
    one with the admin's word, and counts his drawer five rupees short."""
    admin = market.desks["admin"]
    slips = [market.deposit("asha", 100_00).entry_id for _ in range(5)]
    market.deposit("asha", 9 * LAKH)
    market.vouch(1_00, "NOT USED")
    cash.withdraw(
        market.cashier, market.number("asha"), 3 * LAKH, "W1",
        vouched=market.vouch(3 * LAKH, "W1"), request_id=new_request_id(),
    )  # fmt: skip
    approvals.approve(admin, ask(market, slips[0]))
    approvals.reject(admin, ask(market, slips[1]), "It was right")
    back = ask(market, slips[2])
    approvals.send_back(admin, back, "Which one is it?")
    approvals.answer(market.cashier, back, "The second one")
    approvals.approve(admin, back)
    approvals.withdraw(market.cashier, ask(market, slips[3]))
    drawer_id = market.drawers["ravi"]
    counts.start_count(market.cashier, drawer_id)
    left = 6 * LAKH + 3 * 100_00 - 5_00
    pieces = {"note-500": left // 500_00, "note-10": left % 500_00 // 10_00}
    pieces["coin-5"] = left % 10_00 // 5_00
    counts.enter_count(market.cashier, drawer_id, pieces)
    counts.settle_difference(
        market.supervisor, drawer_id, "A note is missing", request_id=new_request_id()
    )
    vault.close_drawer(admin, drawer_id)


def test_vouchers_are_slips_and_one_that_is_reversed_was_not_right(market: Market) -> None:
    market.deposit("asha", 900_00)
    both = {"from_number": market.number("asha"), "to_number": market.number("vikram")}
    receipts = [
        fund_transfers.move_funds(
            market.cashier, **both, amount_minor=100_00, voucher_number=f"V{number}",
            request_id=new_request_id(),
        )
        for number in range(2)
    ]  # fmt: skip
    slips = of(market, "ravi", Measure.SLIPS)
    assert (slips.hits, slips.cases) == (3, 3)
    approvals.approve(market.desks["admin"], ask(market, receipts[0].entry_id))
    slips = of(market, "ravi", Measure.SLIPS)
    assert (slips.hits, slips.cases) == (2, 3)
    rows = work_facts.own_items(market.cashier, Measure.SLIPS, TODAY, TO).items
    assert sorted(row.what for row in rows)[1:] == ["Transfer, voucher V0", "Transfer, voucher V1"]


def test_slips_requests_drawers_and_who_stood_by(market: Market) -> None:
    at_the_counter(market)
    slips = of(market, "ravi", Measure.SLIPS)
    assert (slips.hits, slips.cases) == (5, 7)
    asked = of(market, "ravi", Measure.REQUESTS)
    assert (asked.hits, asked.cases) == (1, 3), "what was withdrawn nobody decided"
    drawers = of(market, "ravi", Measure.DRAWERS)
    assert (drawers.hits, drawers.cases) == (0, 1)
    assert (drawers.over_minor, drawers.short_minor) == (0, 5_00)
    assert of(market, "ravi", Measure.CASES).cases == 0, "taking back is not handling"
    assert of(market, "ravi", Measure.VOUCHES).cases == 0
    assert of(market, "admin", Measure.VOUCHES).value == 1
    assert of(market, "admin", Measure.APPROVALS).value == 3
    assert of(market, "admin", Measure.CASES).value == 3
    in_time = of(market, "admin", Measure.SOLVED_IN_TIME)
    assert (in_time.hits, in_time.cases) == (3, 3)
    assert of(market, "ravi", Measure.SLIPS).compared.people == 1
    weeks = work_facts.own_facts(market.cashier, TODAY, TO).weeks
    assert [(week.first_day, week.slips, week.cases) for week in weeks] == [
        (TODAY, 7, 0),
        (TODAY + timedelta(days=7), 0, 0),
    ]


def test_the_supervisors_word_is_not_the_cashiers_act(market: Market) -> None:
    """The trail files it at the cashier's window; it is counted for who gave it."""
    with market.tx(market.cashier) as tx:
        add_to_trail(tx, "counters.supervision.vouch", {})
    verbs = {row.verb for row in performance.own_work(market.cashier, TODAY, TO)}
    assert "counters.supervision.vouch" not in verbs


def test_days_count_by_the_calendar_of_the_branch(market: Market) -> None:
    at_the_counter(market)
    before = work_facts.own_facts(market.cashier, TODAY - timedelta(days=9), TODAY - timedelta(1))
    assert all(figure.cases == 0 and figure.value is None for figure in before.figures)
    assert (
        work_facts.own_items(market.cashier, Measure.SLIPS, TODAY + timedelta(days=1), TO).items
        == []
    )


@pytest.mark.parametrize(
    "look",
    [
        lambda desk, user_id: work_facts.facts_of(desk, user_id, TODAY, TODAY),
        lambda desk, user_id: work_facts.items_of(desk, user_id, Measure.CASES, TODAY, TODAY),
    ],
)
def test_only_who_leads_them_sees_an_employee(
    sqlite_market: Market, look: Callable[[Desk, int], object]
) -> None:
    ravi, asha = sqlite_market.cashier.user_id, sqlite_market.desks["asha"].user_id
    assert ravi is not None
    assert asha is not None
    with pytest.raises(NoSuchEmployee):
        look(sqlite_market.desks["admin_baner"], ravi)
    with pytest.raises(NoSuchEmployee):
        look(sqlite_market.desks["auditor"], asha)
    for who in ("gita", "banker", "executive"):
        with pytest.raises(NotAllowed):
            look(sqlite_market.desks[who], ravi)


def test_days_are_checked_and_people_are_of_ones_branch(sqlite_market: Market) -> None:
    with pytest.raises(BadInput) as refused:
        work_facts.own_facts(sqlite_market.cashier, TODAY, TODAY - timedelta(days=1))
    assert refused.value.field == "days"
    names = {person.name for person in work_facts.people(sqlite_market.desks["admin_baner"])}
    assert names == {"Meera Joshi", "Farah Khan", "Ila Bose"}


def test_the_pages_show_the_same_figures_and_what_is_behind(
    pages: Pages, sqlite_market: Market
) -> None:
    market = sqlite_market
    at_the_counter(market)
    ravi = market.cashier.user_id
    mine = pages.open(market.cashier, "staff/my_work.py")
    page = pages.open(market.desks["admin"], "admin/performance.py")
    page.selectbox("performance_person_cashier").select("Ravi Kumar").run()
    listed = pages.open(market.desks["admin"], "admin/employees.py")
    listed.session_state["employees_chosen"] = str(ravi)
    listed.run()
    listed.segmented_control(f"employee_do_{ravi}").set_value("Work").run()
    for seen, key in (
        (mine, "my_work"),
        (page, f"performance_{ravi}"),
        (listed, f"employee_work_{ravi}"),
    ):
        assert not seen.exception
        seen.session_state[f"{key}_facts_chosen"] = "slips"
        if seen is mine:
            pages.sit(market.cashier)
        else:
            pages.sit(market.desks["admin"])
        seen.run()
        said = words_of(seen)
        assert "5 of 7 (71 %)" in said
        assert "0 of 1 (0 %); ₹ 5.00 short" in said
        assert "Too few to compare" in said
        assert "The role is compared where 3 people of it have 5 cases or more." in said
        assert "7 cases and slips in these weeks" in said
        assert "Reversed" in said


def test_nothing_counted_says_so(pages: Pages, sqlite_market: Market) -> None:
    page = pages.open(sqlite_market.desks["banker"], "staff/my_work.py")
    assert "Nothing is counted on these days" in words_of(page)
