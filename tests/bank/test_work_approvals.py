"""An approval is an item of its checkers' queue, from the asking to the decision."""

from datetime import timedelta

import pytest

from bank import app
from bank.core import work
from bank.core.approvals import AwaitingApproval
from bank.core.clock import FixedClock
from bank.core.errors import BankError
from bank.core.permissions import Permission, Role
from bank.core.work_rights import OwnCase
from bank.core.work_tables import Level, W
from bank.office import approval_cards, approvals, queue, queue_lists
from bank.office.approval_cards import InterestedParty, NotTheChecker
from bank.office.queue_lists import Looked, View
from bank.people.identity import User, UserStatus
from tests.house.test_permissions import load_catalogue
from tests.support import queues
from tests.support.checkers import CASES, Checking
from tests.support.market import pay_in

pytestmark = pytest.mark.feature("B12", "B4", "C9")
load_catalogue()


def listed(at: Checking, who: str, view: View = View.UNASSIGNED) -> list[str]:
    """What somebody finds in a view, by reference."""
    rows = queue_lists.items(at.desks[who], Looked(view=view)).rows
    return [row.reference for row in rows]


def later(at: Checking, **by: float) -> None:
    """Move the bank's clock."""
    assert isinstance(at.market.bank.clock, FixedClock)
    at.market.bank.clock.at += timedelta(**by)


@pytest.mark.parametrize("name", CASES)
def test_every_command_that_waits_is_an_item_of_who_may_decide(
    checking: Checking, name: str
) -> None:
    case = CASES[name]
    with pytest.raises(AwaitingApproval):
        case.ask(checking)
    for who in case.right:
        assert listed(checking, who) == ["approval 1"], who
        queue.claim(checking.desks[who], 1)
        queue.release(checking.desks[who], 1)
    everybody = {key for key, desk in checking.desks.items() if desk.role is not Role.CUSTOMER}
    for who in everybody - case.right:
        with pytest.raises(BankError):
            queue.claim(checking.desks[who], 1)
        if checking.desks[who].may(Permission.WORK_DO):
            assert queue.claim_next(checking.desks[who]) is None, who
    assert queues.row_of(checking.market, 1).owner_id is None


def test_deciding_settles_the_item(checking: Checking) -> None:
    checking.ask("withdraw")
    item = queue_lists.item(checking.desks["vera"], 1)
    assert item.title.startswith("₹ 6,00,000.00: Pay cash")
    queue.claim(checking.desks["vera"], 1)
    checking.approve("vera")
    row = queues.row_of(checking.market, 1)
    assert (row.status, row.outcome, row.decided_by_name) == (W.DECIDED, "executed", "Vera Lobo")
    assert queues.acts(checking.market, 1) == ["opened", "claimed", "decided"]
    assert listed(checking, "nalini") == []
    assert listed(checking, "nalini", View.DECIDED) == ["approval 1"]


def test_who_decides_without_claiming_has_claimed(checking: Checking) -> None:
    checking.ask("withdraw")
    approvals.reject(checking.desks["nalini"], 1, "No passbook")
    row = queues.row_of(checking.market, 1)
    assert (row.outcome, row.owner_name) == ("rejected", "Nalini Bhave")
    assert [(each.act, each.note) for each in queues.past(checking.market, 1)] == [
        ("opened", ""),
        ("claimed", ""),
        ("decided", "No passbook"),
    ]


def test_a_colleague_who_has_claimed_it_is_not_overruled(checking: Checking) -> None:
    checking.ask("withdraw")
    queue.claim(checking.desks["vera"], 1)
    for decide in (
        lambda: checking.approve("nalini"),
        lambda: approvals.reject(checking.desks["nalini"], 1, "No"),
        lambda: approvals.send_back(checking.desks["nalini"], 1, "Why?"),
    ):
        with pytest.raises(work.SomebodyElseHasIt, match="Vera Lobo has this item"):
            decide()
    assert checking.status() == "pending"
    later(checking, minutes=15)  # the claim runs out
    checking.approve("nalini")
    assert queues.row_of(checking.market, 1).decided_by_name == "Nalini Bhave"


def test_the_clock_stands_still_until_the_maker_answers(checking: Checking) -> None:
    checking.ask("withdraw")
    later(checking, minutes=10)
    approvals.send_back(checking.desks["vera"], 1, "For what?")
    row = queues.row_of(checking.market, 1)
    assert (row.status, row.solve_left_seconds) == (W.WAITING, 50 * 60)
    assert listed(checking, "nalini", View.WAITING) == ["approval 1"]
    later(checking, hours=1)
    approvals.answer(checking.desks["ravi"], 1, "A wedding.")
    row = queues.row_of(checking.market, 1)
    assert (row.status, row.owner_name) == (W.CLAIMED, "Vera Lobo")
    assert row.solve_due_at == checking.market.bank.clock.now() + timedelta(minutes=50)
    assert listed(checking, "vera", View.MINE) == ["approval 1"]


@pytest.mark.parametrize("claimed", [False, True])
def test_what_is_withdrawn_or_expires_leaves_the_queue(checking: Checking, claimed: bool) -> None:
    checking.ask("withdraw")
    if claimed:
        queue.claim(checking.desks["vera"], 1)
    approvals.withdraw(checking.desks["ravi"], 1)
    row = queues.row_of(checking.market, 1)
    assert (row.status, row.outcome, row.decided_by_name) == (W.DECIDED, "withdrawn", "Ravi Kumar")
    checking.request_id = "another"
    checking.ask("withdraw")
    if claimed:
        queue.claim(checking.desks["vera"], 2)
    later(checking, hours=9)
    approvals.expire_overdue(app.system_desk(checking.market.bank))
    assert queues.row_of(checking.market, 2).outcome == "expired"
    assert listed(checking, "vera") == []


def test_what_can_never_be_done_leaves_the_queue_with_its_reason(checking: Checking) -> None:
    checking.ask("withdraw")
    with checking.market.tx() as tx:
        tx.session.get_one(User, checking.desks["ravi"].user_id).status = UserStatus.LOCKED
        tx.session.flush()
    with pytest.raises(approvals.CanNeverBeDone):
        checking.approve("vera")
    row = queues.row_of(checking.market, 1)
    assert (row.outcome, row.decided_by_name) == ("failed", "Vera Lobo")
    assert "no longer an active employee" in queues.past(checking.market, 1)[-1].note


def test_what_cannot_be_done_now_stays_in_the_queue(checking: Checking) -> None:
    checking.ask("withdraw")
    pay_in(checking.market, "asha", -9_50_000_00)
    with pytest.raises(approvals.CannotBeDoneNow):
        checking.approve("vera")
    row = queues.row_of(checking.market, 1)
    assert (row.status, row.owner_id) == (W.UNASSIGNED, None), "nothing of it is written"


def test_an_interested_party_is_told_why_and_the_next_item_passes_over_it(
    checking: Checking,
) -> None:
    checking.ask("withdraw")
    with pytest.raises(InterestedParty, match="holder of the account"):
        queue.claim(checking.desks["holder"], 1)
    assert queue.claim_next(checking.desks["holder"]) is None
    [ticket] = queues.opened(checking.market, priority=4)
    assert queue.claim_next(checking.desks["holder"]) == ticket
    assert queues.row_of(checking.market, 1).owner_id is None


def test_a_tightened_rule_moves_the_item_to_those_it_names(checking: Checking) -> None:
    checking.ask("withdraw")
    checking.new_rule("counters.cash.withdraw", level=2)
    with pytest.raises(NotTheChecker):
        checking.approve("nalini")
    assert listed(checking, "nalini") == []
    assert listed(checking, "head") == ["approval 1"]
    checking.approve("head")
    assert queues.acts(checking.market, 1, "head") == [
        "opened",
        "asks others",
        "claimed",
        "decided",
    ]


def test_an_escalated_approval_is_decided_up_the_line(checking: Checking) -> None:
    checking.ask("withdraw")
    queue.escalate(checking.desks["nalini"], 1, "I do not know this signature")
    assert approval_cards.to_decide(checking.desks["nalini"]) == []
    assert [row.id for row in approval_cards.to_decide(checking.desks["vera"])] == [1]
    seen = checking.card("nalini")
    assert "escalated" in seen.why_not
    assert "Nalini Bhave" not in seen.names
    assert "Vera Lobo" in seen.names
    with pytest.raises(BankError, match="escalated"):
        checking.approve("nalini")
    again = checking.ask("withdraw")
    assert "Nalini Bhave" not in again.names, "nor is the maker told to ask her"
    checking.approve("vera")
    assert queues.row_of(checking.market, 1).decided_by_name == "Vera Lobo"


def test_a_maker_who_leads_does_not_take_it_from_its_checker(checking: Checking) -> None:
    """Escalating puts an item back: by its maker it would choose another checker, or none."""
    checking.ask("reverse")
    queue.claim(checking.desks["nalini"], 1)
    with pytest.raises(OwnCase):
        queue.escalate(checking.desks["admin"], 1, "She reads too closely")
    row = queues.row_of(checking.market, 1)
    assert (row.owner_name, row.level) == ("Nalini Bhave", Level.DESK)
    assert checking.approve("nalini").row.status == "executed"


def test_an_approval_from_before_there_were_queues_is_decided_as_ever(checking: Checking) -> None:
    checking.ask("withdraw")
    drop = {"sqlite": "DROP TRIGGER work_events_no_delete", "postgresql": ""}
    with checking.market.tx() as tx:
        if drop[tx.dialect]:
            tx.connection.exec_driver_sql(drop[tx.dialect])
        else:
            tx.connection.exec_driver_sql("DROP TRIGGER work_events_no_change ON work_events")
        for table in ("work_events", "work_items"):
            tx.connection.exec_driver_sql(f"DELETE FROM {table}")
    checking.approve("vera")
    assert checking.status() == "executed"


def test_the_card_says_who_has_it(checking: Checking) -> None:
    checking.ask("withdraw")
    assert checking.card("vera").held_since is None
    queue.claim(checking.desks["vera"], 1)
    hers, another = checking.card("vera"), checking.card("nalini")
    assert (hers.held_by, hers.held_by_me) == ("Vera Lobo", True)
    assert (another.held_by, another.held_by_me) == ("Vera Lobo", False)
    later(checking, minutes=15)  # the claim runs out
    assert checking.card("nalini").held_since is None


def test_it_is_time_that_closes_what_is_overdue_not_who_clicks_on_it(checking: Checking) -> None:
    checking.ask("withdraw")
    later(checking, hours=9)
    with pytest.raises(approvals.ApprovalExpired):
        checking.approve("vera")
    assert checking.history()[-1] == ("expired", "system")
    row = queues.row_of(checking.market, 1)
    assert (row.outcome, row.decided_by_name) == ("expired", "system")
    [refused] = checking.market.rows("SELECT actor_name FROM trail WHERE outcome = 'refused'")
    assert refused["actor_name"] == "Vera Lobo", "the trail says who clicked"


def test_an_approval_is_handed_to_nobody_who_may_not_decide_it(checking: Checking) -> None:
    """Whoever leads hands it out by the same rules by which people take it themselves."""
    checking.ask("withdraw")
    offered = {one.user_id for one in queue.colleagues(checking.desks["vera"], 1)}
    assert checking.id("nalini") in offered
    for who in ("holder", "ravi"):
        assert checking.id(who) not in offered
        with pytest.raises(queue.NotEntitled):
            queue.reassign(checking.desks["vera"], 1, checking.id(who), "for you")
    queue.reassign(checking.desks["vera"], 1, checking.id("nalini"), "for you")
    assert queues.row_of(checking.market, 1).owner_name == "Nalini Bhave"
