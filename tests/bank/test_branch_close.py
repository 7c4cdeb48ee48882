"""A branch closes its day once no drawer is left; then no cash moves until it is opened again."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy.exc import DBAPIError

from bank.book import journal
from bank.core.clock import FixedClock
from bank.core.desk import looking
from bank.core.errors import BadInput, NotAllowed
from bank.core.ids import new_request_id
from bank.counters import (
    branch_close,
    branch_days,
    counts,
    drawer_cash,
    drawers,
    handovers,
    remittances,
    vault,
    vault_counts,
)
from bank.counters.branch_close import (
    ActedMeanwhile,
    AnotherDay,
    BranchDay,
    BranchDayOpen,
    DrawersLeft,
)
from bank.counters.branch_days import BranchDayClosed
from bank.counters.remittances import Way
from bank.night.demo_cashbook import fewest_pieces
from bank.office.approvals import CannotBeDoneNow
from tests.support.checkers import LAKH, Checking
from tests.support.market import Market
from tests.support.soak import times
from tests.support.waiting import somebody_waits, wait_until

pytestmark = pytest.mark.feature("B6")


def emptied(market: Market, who: str = "ravi", custodian: str = "admin") -> None:
    """Somebody's drawer without cash is counted and closed."""
    counts.start_count(market.desks[who], market.drawers[who])
    assert counts.enter_count(market.desks[who], market.drawers[who], {}).difference_minor == 0
    vault.close_drawer(market.desks[custodian], market.drawers[who])


def close(market: Market, who: str = "admin") -> BranchDay:
    """Somebody closes Fort's day as it is seen now."""
    day = branch_close.branch_day(market.desks["admin"])
    return branch_close.close_day(market.desks[who], day.business_date, day.last_id)


def reopen(market: Market, reason: str, who: str = "admin") -> BranchDay:
    """Somebody opens it again."""
    day = branch_close.branch_day(market.desks["admin"])
    return branch_close.reopen_day(market.desks[who], day.business_date, day.last_id, reason)


def closed(market: Market) -> None:
    """Fort has closed its day."""
    emptied(market)
    market.count_vault()
    close(market)


def ask(market: Market, who: str = "ravi") -> int:
    """Somebody asks for an empty drawer."""
    return drawers.ask_for_drawer(market.desks[who], {}, request_id=new_request_id())


def acts(market: Market) -> list[tuple[str, str]]:
    """The register, oldest first."""
    found = branch_close.days(market.desks["admin"])
    return [(row.act.value, row.reason) for row in reversed(found)]


def test_a_branch_without_drawers_closes_its_day(market: Market) -> None:
    market.remit(note_500=3)
    emptied(market)
    market.count_vault()
    admin = market.desks["admin"]
    assert branch_close.branch_day(admin).last is None
    day = close(market)
    assert day.is_closed
    assert day.last is not None
    assert (day.last.by_name, day.last.vault_minor) == ("Arun Nair", 1_500_00)
    assert branch_close.branch_day(admin) == day
    [kept] = market.rows("SELECT * FROM trail WHERE verb = 'counters.branch_close.close_day'")
    assert (kept["outcome"], kept["object_kind"]) == ("done", "branch")
    assert '"state":"open"' in kept["before"]
    assert '"state":"closed"' in kept["after"]


def test_the_same_click_again_adds_nothing(market: Market) -> None:
    closed(market)
    first = branch_close.branch_day(market.desks["admin"]).last
    assert close(market).last == first
    assert acts(market) == [("closed", "")]


def test_an_old_page_closes_nothing(market: Market) -> None:
    """A click on what was drawn before somebody acted, or before midnight, does nothing."""
    emptied(market)
    admin, before = market.desks["admin"], branch_close.branch_day(market.desks["admin"])
    day = before.business_date
    first = close(market)
    with pytest.raises(ActedMeanwhile):
        branch_close.reopen_day(admin, day, 4711, "A customer came late")
    reopened = reopen(market, "A customer came late")
    again = branch_close.reopen_day(admin, day, first.last_id, "A customer came late")
    assert again == reopened, "the same click again"
    with pytest.raises(ActedMeanwhile):
        branch_close.close_day(admin, day, before.last_id)
    with pytest.raises(BranchDayOpen):
        branch_close.reopen_day(admin, day, first.last_id, "Another reason")
    assert isinstance(market.bank.clock, FixedClock)
    market.bank.clock.at += timedelta(days=1)
    for ask_again in (
        lambda: branch_close.close_day(admin, day, reopened.last_id),
        lambda: branch_close.reopen_day(admin, day, reopened.last_id, "Late"),
    ):
        with pytest.raises(AnotherDay):
            ask_again()
    kept = market.rows("SELECT act FROM branch_day_acts ORDER BY id")
    assert [row["act"].lower() for row in kept] == ["closed", "reopened"]


def test_every_drawer_in_the_way_is_named_with_what_to_do(market: Market) -> None:
    admin = market.desks["admin"]
    said = []

    def refused() -> None:
        with pytest.raises(DrawersLeft) as refusal:
            close(market)
        [sentence] = branch_close.branch_day(admin).in_the_way
        assert sentence in str(refusal.value)
        said.append(sentence)

    refused()
    counts.start_count(market.cashier, market.drawers["ravi"])
    refused()
    counts.enter_count(market.cashier, market.drawers["ravi"], {})
    refused()
    vault.close_drawer(admin, market.drawers["ravi"])
    asked = ask(market)
    refused()
    drawers.withdraw_request(market.cashier, asked)
    assert close(market).is_closed
    assert said == [
        "Ravi Kumar has an open drawer: let it be counted, by two others if they are away.",
        "Ravi Kumar is counting a drawer: wait for the count, or let two others count it.",
        "Ravi Kumar has counted: take the cash back.",
        "Ravi Kumar waits for a drawer: hand it over or decline it.",
    ]
    assert acts(market) == [("closed", "")]


def test_a_drawer_of_yesterday_is_in_the_way_too(sqlite_market: Market) -> None:
    assert isinstance(sqlite_market.bank.clock, FixedClock)
    sqlite_market.bank.clock.at += timedelta(days=1)
    with pytest.raises(DrawersLeft, match="Ravi Kumar has an open drawer"):
        close(sqlite_market)


def test_a_drawer_of_another_branch_is_not(market: Market) -> None:
    closed(market)  # Meera's drawer at Baner is open
    assert branch_close.branch_day(market.desks["admin_baner"]).last is None
    assert branch_close.days(market.desks["admin_baner"]) == []


def test_no_cash_moves_on_a_closed_day(market: Market) -> None:
    market.remit(note_500=3)
    closed(market)
    with pytest.raises(BranchDayClosed):
        ask(market)
    for incoming in (True, False):
        with pytest.raises(BranchDayClosed):
            market.remit(incoming=incoming, note_500=1)
    with pytest.raises(BranchDayClosed):
        market.count_vault()
    market.remit("admin_baner", note_500=1)  # another branch goes on
    [there] = market.rows("SELECT COUNT(*) AS n FROM drawers WHERE status = 'requested'")
    assert there["n"] == 0


def test_no_cash_is_undone_on_a_closed_day(checking: Checking) -> None:
    """Neither by the admin's own reversal nor by one that waited for its approval."""
    market = checking.market
    small = market.deposit("asha", 1_000_00, slip="S1").entry_id
    large = market.deposit("asha", 2 * LAKH, slip="S2").entry_id
    waits = checking.ask("reverse", entry_id=large)
    counts.start_count(market.cashier, market.drawers["ravi"])
    with looking(market.cashier) as tx:
        pieces = fewest_pieces(tx, drawer_cash.in_drawer(tx, market.drawers["ravi"]))
    counts.enter_count(market.cashier, market.drawers["ravi"], pieces)
    vault.close_drawer(market.desks["admin"], market.drawers["ravi"])
    market.count_vault()
    close(market)
    before = checking.footprint()
    with pytest.raises(BranchDayClosed):
        journal.reverse_entry(market.supervisor, small, "typed twice", new_request_id())
    with pytest.raises(CannotBeDoneNow, match="has closed its day"):
        checking.approve("vera", waits.approval_id)
    assert checking.footprint() == before
    reopen(market, "A mistake at the counter")
    journal.reverse_entry(market.supervisor, small, "typed twice", new_request_id())
    checking.approve("vera", waits.approval_id)
    assert checking.status(waits.approval_id) == "executed"


@pytest.mark.soak
def test_two_remittances_to_the_chest_do_not_wait_for_each_other(market: Market) -> None:
    """Each looks at the day, then takes from the vault."""
    market.remit(note_500=20)
    both_looked = threading.Barrier(2)

    def send() -> int:
        both_looked.wait(20)
        return market.remit(incoming=False, note_500=1)

    for _ in range(times(normal=5, soak=100)):
        with ThreadPoolExecutor(2) as pool:
            sent = [pool.submit(send) for _ in range(2)]
            assert len({each.result(60) for each in sent}) == 2
        market.remit(note_500=2)


def test_a_remittance_of_before_is_answered_again(sqlite_market: Market) -> None:
    """Whoever lost the answer to what was asked or booked asks once more, and is told."""
    market = sqlite_market
    admin, once, pieces = market.desks["admin"], new_request_id(), {"note-500": 3}
    asked = remittances.ask_to_remit(admin, Way.FROM_CHEST, pieces, "CC 1", request_id=once)
    booked = remittances.confirm_remittance(market.second(), asked)
    closed(market)
    again = remittances.ask_to_remit(admin, Way.FROM_CHEST, pieces, "CC 1", request_id=once)
    assert again == asked
    assert remittances.confirm_remittance(market.second(), asked) == booked
    [row] = market.rows("SELECT COUNT(*) AS n FROM entries WHERE kind = 'cash_remittance'")
    assert row["n"] == 1


def test_cash_that_waits_or_is_not_counted_is_in_the_way(market: Market) -> None:
    """A remittance nobody confirmed, a vault nobody counted, a count of before cash moved."""
    admin, second, said = market.desks["admin"], market.second(), []

    def refused() -> None:
        with pytest.raises(DrawersLeft):
            close(market)
        said.extend(branch_close.branch_day(admin).in_the_way)

    emptied(market)
    asked = remittances.ask_to_remit(
        admin, Way.FROM_CHEST, {"note-500": 3}, "CC 1", request_id=new_request_id()
    )
    refused()
    remittances.confirm_remittance(second, asked)
    refused()
    vault_counts.count_vault(admin, {"note-500": 3})
    refused()
    [waits] = vault_counts.vault_counts(admin)
    vault_counts.confirm_vault_count(second, waits.id, request_id=new_request_id())
    market.remit(note_500=1)
    refused()
    market.count_vault()
    assert close(market).is_closed
    assert said == [
        "₹ 1,500.00 from the currency chest wait for a second person: confirm or decline them.",
        "The vault was not counted today: two count it.",
        "The vault was counted: a second person confirms it.",
        "Cash has moved since the vault was counted: two count it again.",
    ]


def test_a_count_of_yesterday_is_not_todays(sqlite_market: Market) -> None:
    sqlite_market.remit(note_500=3)
    closed(sqlite_market)
    assert isinstance(sqlite_market.bank.clock, FixedClock)
    sqlite_market.bank.clock.at += timedelta(days=1)
    with pytest.raises(DrawersLeft, match="was not counted today"):
        close(sqlite_market)


def test_the_next_day_is_open(sqlite_market: Market) -> None:
    closed(sqlite_market)
    assert isinstance(sqlite_market.bank.clock, FixedClock)
    sqlite_market.bank.clock.at += timedelta(days=1)
    assert branch_close.branch_day(sqlite_market.desks["admin"]).last is None
    assert ask(sqlite_market)


def test_a_day_is_opened_again_with_a_reason(market: Market) -> None:
    closed(market)
    admin = market.desks["admin"]
    with pytest.raises(BadInput) as refused:
        reopen(market, " ")
    assert refused.value.field == "reason"
    assert branch_close.branch_day(admin).is_closed
    day = reopen(market, "A customer came late")
    assert not day.is_closed
    with pytest.raises(BranchDayOpen):
        reopen(market, "Once more")
    drawers.withdraw_request(market.cashier, ask(market))
    close(market)
    assert acts(market) == [("closed", ""), ("reopened", "A customer came late"), ("closed", "")]


def test_a_day_that_was_never_closed_is_not_opened(sqlite_market: Market) -> None:
    with pytest.raises(BranchDayOpen):
        reopen(sqlite_market, "Why not")
    assert acts(sqlite_market) == []


@pytest.mark.parametrize("who", ["ravi", "banker", "executive", "auditor"])
def test_only_the_branchs_admin_closes_it(sqlite_market: Market, who: str) -> None:
    emptied(sqlite_market)
    with pytest.raises(NotAllowed):
        close(sqlite_market, who)
    with pytest.raises(NotAllowed):
        reopen(sqlite_market, "Why not", who)
    assert acts(sqlite_market) == []


def test_the_auditor_reads_every_branch_and_has_to_say_which(sqlite_market: Market) -> None:
    closed(sqlite_market)
    auditor, fort = sqlite_market.desks["auditor"], sqlite_market.branch_ids["BANK0000001"]
    assert branch_close.branch_day(auditor, fort).is_closed
    assert [row.by_name for row in branch_close.days(auditor, fort)] == ["Arun Nair"]
    with pytest.raises(BadInput) as refused:
        branch_close.branch_day(auditor)
    assert refused.value.field == "branch"


def test_another_branchs_days_are_not_shown(sqlite_market: Market) -> None:
    closed(sqlite_market)
    fort = sqlite_market.branch_ids["BANK0000001"]
    assert branch_close.days(sqlite_market.desks["admin_baner"], fort) == []


@pytest.mark.parametrize(
    "statement", ["UPDATE branch_day_acts SET reason = 'x'", "DELETE FROM branch_day_acts"]
)
def test_the_register_is_never_changed(market: Market, statement: str) -> None:
    closed(market)
    with pytest.raises(DBAPIError, match="never changed or deleted"):
        with market.tx() as tx:
            tx.connection.exec_driver_sql(statement)
    assert acts(market) == [("closed", "")]


@pytest.mark.parametrize("order", [("close", "ask"), ("ask", "close")], ids=["close", "ask"])
def test_of_a_close_and_a_request_at_once_the_second_sees_the_first(
    market: Market, order: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first has looked and has not written yet when the second comes."""
    emptied(market)
    looks = {"close": (branch_close, "_in_the_way"), "ask": (branch_days, "check_open")}
    today = market.bank.clock.business_date()
    verbs: dict[str, Callable[[], object]] = {
        "close": lambda: branch_close.close_day(market.desks["admin"], today, None),
        "ask": lambda: ask(market),
    }
    looked, second_is_there = threading.Event(), threading.Event()
    where, name = looks[order[0]]
    real = getattr(where, name)

    def look(*given: object) -> object:
        found = real(*given)
        looked.set()
        assert second_is_there.wait(20)
        return found

    with ThreadPoolExecutor(2) as pool:
        monkeypatch.setattr(where, name, look)
        first = pool.submit(verbs[order[0]])
        assert looked.wait(20)
        monkeypatch.setattr(where, name, real)
        second = pool.submit(verbs[order[1]])
        wait_until(lambda: second.done() or somebody_waits(market.bank.db))
        second_is_there.set()
        assert first.result(20)
        with pytest.raises(BranchDayClosed if order[0] == "close" else DrawersLeft):
            second.result(20)


def test_a_handover_left_open_goes_with_its_drawer(sqlite_market: Market) -> None:
    """A drawer with a request that nobody decided is in the way itself."""
    market = sqlite_market
    market.fund(note_500=2)
    handovers.offer_cash(
        market.cashier, market.drawers["ravi"], {"note-500": 1}, request_id=new_request_id()
    )
    with pytest.raises(DrawersLeft):
        close(market)
