"""The maker is told by mail what became of what they asked for, in the decision's transaction."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bank import app
from bank.core import outbox
from bank.core.clock import FixedClock
from bank.core.errors import BankError
from bank.office import approvals
from bank.people.identity import UserStatus
from tests.bank.test_outbox_mail import by
from tests.house.test_permissions import load_catalogue
from tests.support.checkers import Checking
from tests.support.mail import Mailbox
from tests.support.market import pay_in

pytestmark = pytest.mark.feature("B4", "C11")
load_catalogue()
RAVI = "ravi@bank.example.com"


def expire(at: Checking) -> None:
    """Its time runs out, and the worker comes by."""
    assert isinstance(at.market.bank.clock, FixedClock)
    at.market.bank.clock.at += timedelta(hours=9)
    approvals.expire_overdue(app.system_desk(at.market.bank))


def fail(at: Checking) -> None:
    """The account is closed before the decision."""
    at.market.close_account("asha")
    with pytest.raises(approvals.CanNeverBeDone):
        at.approve("vera")


ENDS: dict[str, tuple[Callable[[Checking], object], tuple[str, ...]]] = {
    "came back with a question": (
        lambda at: approvals.send_back(at.desks["vera"], 1, "Is she here?"),
        ("Vera Lobo asks about it: Is she here?", "waits for your answer"),
    ),
    "was rejected": (
        lambda at: approvals.reject(at.desks["vera"], 1, "No passbook"),
        ("Vera Lobo has rejected it: No passbook", "Nothing was done."),
    ),
    "was approved": (
        lambda at: at.approve("nalini", note="seen"),
        ("Nalini Bhave has approved it, and it is done: Booked as entry", "seen"),
    ),
    "has expired": (expire, ("Nobody has decided it in time.", "Ask anew")),
    "has failed": (fail, ("can no longer be done: This account is closed", "Nothing was done.")),
}


@pytest.mark.parametrize("subject", ENDS)
def test_the_maker_reads_what_became_of_it(
    checking: Checking, mailbox: Mailbox, subject: str
) -> None:
    at = checking
    at.ask("withdraw")
    happens, says = ENDS[subject]
    happens(at)
    outbox.deliver_waiting(by(at.market.bank, mailbox))
    [letter] = [each for each in mailbox.messages if each["To"] == RAVI]
    assert letter["Subject"] == f"Approval 1 {subject}"
    body = letter.get_content()
    for words in (*says, "Hello Ravi Kumar", "₹ 6,00,000.00: Pay cash", "/staff-approvals"):
        assert words in body, words
    assert at.market.number("asha") not in body, "the account stays in the bank"


def mails(at: Checking) -> list[dict[str, Any]]:
    """What was written to makers."""
    return at.market.mails("approval")


def test_what_the_maker_did_the_maker_knows(checking: Checking) -> None:
    ravi = checking.desks["ravi"]
    checking.ask("withdraw")
    approvals.add_note(ravi, 1, "For the wedding.")
    approvals.send_back(checking.desks["vera"], 1, "Whose?")
    approvals.answer(ravi, 1, "Hers.")
    approvals.withdraw(ravi, 1)
    assert [each["subject"] for each in mails(checking)] == ["Approval 1 came back with a question"]


def test_a_second_click_writes_no_second_mail(checking: Checking) -> None:
    checking.ask("withdraw")
    for _ in range(2):
        approvals.send_back(checking.desks["vera"], 1, "Whose?")
    approvals.answer(checking.desks["ravi"], 1, "Hers.")
    for _ in range(2):
        checking.approve("vera")
    assert len(mails(checking)) == 2


def test_no_decision_no_mail(checking: Checking) -> None:
    """What is refused is taken back with its letter; what cannot be done now stays."""
    checking.ask("withdraw")
    pay_in(checking.market, "asha", -9_50_000_00)
    with pytest.raises(approvals.CannotBeDoneNow):
        checking.approve("vera")
    with pytest.raises(BankError):
        checking.approve("head")
    assert mails(checking) == []


def test_a_click_on_what_is_overdue_tells_the_maker_once(checking: Checking) -> None:
    checking.ask("withdraw")
    assert isinstance(checking.market.bank.clock, FixedClock)
    checking.market.bank.clock.at += timedelta(hours=9)
    checking.market.bank.outbox_waits.clear()
    with pytest.raises(approvals.ApprovalExpired):
        approvals.answer(checking.desks["ravi"], 1, "Late")
    approvals.expire_overdue(app.system_desk(checking.market.bank))
    assert [each["subject"] for each in mails(checking)] == ["Approval 1 has expired"]
    assert checking.market.bank.outbox_waits.is_set(), "delivery does not wait for its round"


@pytest.mark.parametrize(
    "gone", [{"status": UserStatus.REMOVED}, {"email": None}], ids=["left", "no address"]
)
def test_whoever_cannot_be_told_is_not(checking: Checking, gone: dict[str, object]) -> None:
    checking.ask("withdraw")
    checking.change_user("ravi", **gone)
    approvals.reject(checking.desks["vera"], 1, "No passbook")
    assert mails(checking) == []


def test_the_console_has_no_mailbox(checking: Checking) -> None:
    checking.ask("record a cashier")
    checking.approve("vera")
    assert mails(checking) == []
