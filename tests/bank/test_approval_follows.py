"""Lists, counts and cards follow the rule in force now, also where nobody touched what waits."""

import threading
from datetime import timedelta
from typing import Final

import pytest
from sqlalchemy import event

from bank import app
from bank.core import approvals_now
from bank.core.approvals import Approval, ApprovalStatus
from bank.core.clock import FixedClock
from bank.core.desk import Tx
from bank.core.errors import BankError
from bank.core.ids import new_request_id
from bank.core.work_tables import W
from bank.office import approval_cards, approvals, queue_lists
from bank.office.queue_lists import Looked, View
from tests.bank.test_approvals import next_day
from tests.house.test_permissions import load_catalogue
from tests.support import queues
from tests.support.checkers import CASES, LAKH, Checking

pytestmark = pytest.mark.feature("B4", "C11")
load_catalogue()
WITHDRAW: Final = "counters.cash.withdraw"


def listed(at: Checking, who: str) -> list[int]:
    """What somebody is asked to decide; the menu counts the same."""
    desk = at.desks[who]
    found = [row.id for row in approval_cards.to_decide(desk)]
    assert approval_cards.count_to_decide(desk) == len(found)
    assert approval_cards.count_for_me(desk) == len(found)
    return found


def follow(at: Checking) -> int:
    """What the worker does every minute."""
    return approvals.follow_rules(app.system_desk(at.market.bank))


def test_a_stricter_rule_moves_what_nobody_has_touched(checking: Checking) -> None:
    at = checking
    at.ask("withdraw")
    assert listed(at, "vera") == listed(at, "nalini") == [1]
    at.new_rule(WITHDRAW, level=2, checkers="super_admin")
    assert listed(at, "head") == [1]
    assert listed(at, "vera") == listed(at, "nalini") == []
    assert set(at.card("ravi").names) == {"Dinshaw Merchant", "Chitra Iyer"}
    [row] = at.market.rows("SELECT checkers FROM approvals")
    assert row["checkers"] == "branch_admin reviewer", "nothing was written for it"


def test_a_rule_with_a_date_moves_it_on_that_date(checking: Checking) -> None:
    at = checking
    tomorrow = at.in_days(1)
    at.ask("hire")
    at.new_rule(
        "people.staff.add_employee", level=2, checkers="super_admin", effective_from=tomorrow
    )
    assert listed(at, "vera") == [1]
    next_day(at)
    assert listed(at, "vera") == []
    assert listed(at, "head") == [1]


def test_a_rule_for_larger_amounts_leaves_the_others(checking: Checking) -> None:
    at = checking
    at.ask("withdraw")
    at.ask("deposit", request_id=new_request_id(), amount_minor=12 * LAKH)
    at.new_rule("counters.cash.deposit", level=2, amount_above_minor=12 * LAKH)
    at.new_rule(WITHDRAW, level=2, amount_above_minor=6 * LAKH - 1)
    assert listed(at, "vera") == [2]
    assert listed(at, "head") == [1]


def test_a_rule_of_the_day_counts_what_was_asked_together(checking: Checking) -> None:
    at = checking
    at.ask("withdraw")
    at.ask("withdraw", request_id=new_request_id(), amount_minor=6 * LAKH + 1)  # 12 lakh of a day
    at.new_rule(WITHDRAW, level=2, period="day", amount_above_minor=11 * LAKH)
    assert listed(at, "head") == [2]


def test_a_rule_for_one_role_or_kind_goes_before_the_general_one(checking: Checking) -> None:
    at = checking
    at.ask("hire")
    at.new_rule("people.staff.add_employee", kind="cashier", checkers="super_admin")
    assert listed(at, "vera") == []
    assert listed(at, "chief") == [1]
    at.new_rule("people.staff.add_employee", kind="banker", level=3, checkers="branch_admin")
    at.new_rule("people.staff.add_employee", role="cashier", level=3, checkers="branch_admin")
    assert listed(at, "vera") == [], "of another kind, of another maker's role"


def test_a_rule_that_ends_leaves_it_with_whom_it_named(checking: Checking) -> None:
    at = checking
    at.ask("withdraw")
    at.new_rule(WITHDRAW, role="cashier", checkers="")
    assert listed(at, "vera") == [1]
    assert follow(at) == 0


@pytest.mark.parametrize("name", CASES)
def test_the_list_says_what_the_decision_says(sqlite_checking: Checking, name: str) -> None:
    """For every command, with the rules of the seed: SQL and `required` name the same roles."""
    at = sqlite_checking
    at.ask(name)
    with at.market.tx() as tx:
        row = tx.session.get_one(Approval, 1)
        need = approval_cards.required_of(tx, row)
        assert need is not None
        assert demanded(tx) == " ".join(sorted(need.checkers))


def demanded(tx: Tx) -> str:
    """Whom the rules name for the only approval, as the lists have it."""
    found = tx.session.query(approvals_now.checkers_now(tx)).select_from(Approval).one()
    return str(found[0])


def test_the_worker_hands_the_item_over(checking: Checking) -> None:
    at = checking
    at.ask("withdraw")
    at.new_rule(WITHDRAW, level=2, checkers="super_admin", source="tightened")

    class Once(threading.Event):
        rounds = 0

        def wait(self, timeout: float | None = None) -> bool:
            self.rounds += 1
            return self.rounds > 3

    approvals.expire_forever(app.system_desk(at.market.bank), Once())
    assert at.card("head").rule_source == "tightened"
    assert queues.row_of(at.market, 1).for_roles == "super_admin"
    assert queues.acts(at.market, 1) == ["opened", "asks others"]
    assert queue_lists.items(at.desks["nalini"], Looked(view=View.UNASSIGNED)).rows == []
    trail = "SELECT * FROM trail WHERE verb = 'office.approvals.follow_rules'"
    assert len(at.market.rows(trail)) == 1, "nothing is written where nothing has changed"
    at.approve("head")
    assert queues.row_of(at.market, 1).status is W.DECIDED


def test_what_is_over_follows_no_rule(checking: Checking) -> None:
    at = checking
    at.ask("withdraw")
    approvals.withdraw(at.desks["ravi"], 1)
    at.new_rule(WITHDRAW, level=2, checkers="super_admin")
    assert follow(at) == 0
    assert at.status() == ApprovalStatus.WITHDRAWN


def test_a_sum_that_is_no_longer_so_large_comes_back(checking: Checking) -> None:
    """Of two that went to head office together, the one that is left goes to the branch."""
    at = checking
    at.ask("withdraw")
    at.new_rule(WITHDRAW, level=2, period="day", amount_above_minor=11 * LAKH)
    at.ask("withdraw", request_id=new_request_id(), amount_minor=6 * LAKH + 1)
    approvals.withdraw(at.desks["ravi"], 1)
    assert at.card("ravi", 2).names == ["Arun Nair", "Nalini Bhave", "Vera Lobo"]
    assert at.market.rows("SELECT checkers FROM approvals WHERE id = 2") == [
        {"checkers": "super_admin"}
    ]
    with pytest.raises(BankError):
        at.approve("head", 2)
    assert listed(at, "vera") == [2]


def test_a_list_asks_the_rules_once(checking: Checking) -> None:
    at = checking
    counts = []
    for number in (2, 12):
        while len(at.market.rows("SELECT id FROM approvals")) < number:
            at.ask("withdraw", request_id=new_request_id(), amount_minor=6 * LAKH)
        counts.append(statements(at))
    assert counts[0] == counts[1]


def statements(at: Checking) -> int:
    """How many statements the list of Vera takes."""
    said: list[str] = []
    engine = at.market.bank.db.engine

    def note(*args: object) -> None:
        said.append(str(args[2]))

    event.listen(engine, "before_cursor_execute", note)
    try:
        assert approval_cards.to_decide(at.desks["vera"])
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return len(said)


def test_what_came_back_with_a_question_counts_for_its_maker(checking: Checking) -> None:
    at = checking
    ravi, vera = at.desks["ravi"], at.desks["vera"]
    at.ask("withdraw")
    assert approval_cards.count_for_me(ravi) == 0
    approvals.send_back(vera, 1, "Is she here?")
    assert (approval_cards.count_for_me(ravi), approval_cards.count_asked_back(ravi)) == (1, 1)
    assert approval_cards.count_for_me(vera) == 0
    assert approval_cards.count_for_me(at.desks["gita"]) == 0
    assert isinstance(at.market.bank.clock, FixedClock)
    at.market.bank.clock.at += timedelta(hours=9)
    assert approval_cards.count_for_me(ravi) == 0, "its time is over"
