"""What makes a checker look twice: young accounts, unusual amounts, a no that was said before."""

from datetime import date

import pytest
from sqlalchemy import update

from bank.accounts.accounts import Account
from bank.core.approvals import AwaitingApproval
from bank.core.ids import new_request_id
from bank.counters import cash
from bank.office import approvals
from bank.office.approval_risks import ApprovalRiskRule
from tests.bank.test_approvals import next_day
from tests.house.test_permissions import load_catalogue
from tests.support.checkers import LAKH, Checking

pytestmark = pytest.mark.feature("C11")
load_catalogue()


def grown(at: Checking) -> Checking:
    """The accounts were opened years ago."""
    with at.market.tx() as tx:
        tx.session.execute(update(Account).values(opened_on=date(2020, 1, 1)))
    return at


def ruled(at: Checking, name: str, value: int, *, in_days: int = 0) -> None:
    """A rule that holds from a day on."""
    with at.market.tx() as tx:
        tx.session.add(
            ApprovalRiskRule(
                name=name, effective_from=at.in_days(in_days), value=value, source="tests"
            )
        )


def risks(at: Checking, number: int = 1) -> list[str]:
    """What Vera is told about an approval."""
    return list(at.card("vera", number).risks)


def deposit(at: Checking, lakhs: int, slip: str, whose: str = "asha") -> None:
    """Ravi asks for a deposit that waits."""
    number = at.market.number(whose)
    with pytest.raises(AwaitingApproval):
        cash.deposit(
            at.desks["ravi"], number, lakhs * LAKH, slip, form_60=True, request_id=new_request_id()
        )


def test_a_young_account_is_told(checking: Checking) -> None:
    at = checking
    at.ask("withdraw")
    number = at.market.number("asha")
    assert risks(at) == [
        f"Account {number} was opened on 16 Mar 2026.",
        f"The first entry of account {number} was on 16 Mar 2026.",
    ]
    grown(at)
    assert risks(at) == [f"The first entry of account {number} was on 16 Mar 2026."]


def test_an_entry_is_known_by_its_account_too(checking: Checking) -> None:
    at = grown(checking)
    at.ask("reverse")
    number = at.market.number("asha")
    assert risks(at) == [f"The first entry of account {number} was on 16 Mar 2026."]


def test_nothing_was_ever_booked(checking: Checking) -> None:
    at = grown(checking)
    deposit(at, 11, "N1", whose="nila")
    number = at.market.number("nila")
    assert risks(at) == [f"This would be the first entry of account {number}."]


def test_the_rules_have_dates(checking: Checking) -> None:
    at = checking
    ruled(at, "opened_days", 0, in_days=1)
    ruled(at, "first_entry_days", 0, in_days=1)
    at.ask("withdraw")
    assert len(risks(at)) == 2, "not yet"
    next_day(at)
    at.market.fund("ravi", "admin", note_500=1000)
    at.ask("withdraw", request_id=new_request_id())
    assert risks(at, 2) == []


def asked_and_approved(at: Checking, *lakhs: int) -> int:
    """Deposits that wait, all but the last one approved; its number."""
    for number, amount in enumerate(lakhs, 1):
        deposit(at, amount, f"L{number}")
        if number < len(lakhs):
            at.approve("vera", number, amount_again_minor=amount * LAKH)  # a large day
    return len(lakhs)


@pytest.mark.parametrize(
    ("lakhs", "is_told"),
    [
        ((11, 12, 13, 19), True),  # 150 per cent of twelve are eighteen
        ((11, 12, 13, 18), False),
        ((11, 12, 25), False),  # two make no habit
    ],
)
def test_more_than_its_maker_usually_asks_for(
    checking: Checking, lakhs: tuple[int, ...], is_told: bool
) -> None:
    at = grown(checking)
    told = [each for each in risks(at, asked_and_approved(at, *lakhs)) if "usually" in each]
    usual = "Ravi Kumar usually asks for ₹ 12,00,000.00 (the last 3 that were approved)."
    assert told == ([usual] if is_told else [])


def test_a_no_is_remembered(checking: Checking) -> None:
    at = grown(checking)
    at.ask("withdraw")
    approvals.reject(at.desks["nalini"], 1, "No passbook")
    at.ask("deposit", request_id=new_request_id())
    assert not any("rejected" in each for each in risks(at, 2)), "that was another command"
    at.ask("withdraw", request_id=new_request_id(), amount_minor=7 * LAKH)
    told = "Nalini Bhave rejected the same on 16 Mar 2026 (approval 1): No passbook"
    assert risks(at, 3)[-1] == told
    ruled(at, "rejected_days", 0)
    assert told not in risks(at, 3)


def test_a_change_of_staff_has_no_account(checking: Checking) -> None:
    checking.ask("edit")
    assert risks(checking) == []
