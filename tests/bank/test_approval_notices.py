"""Whoever may read a record sees that something waits on it, and gains no right by it."""

from datetime import timedelta

import pytest

from bank.core.clock import FixedClock
from bank.core.errors import BankError, NotFound
from bank.core.ids import new_request_id
from bank.counters import cash
from bank.office import approval_notices, approvals, queue
from bank.office.approval_notices import ApprovalNotice
from tests.house.test_permissions import load_catalogue
from tests.support.checkers import LAKH, Checking
from tests.support.market import pay_in

pytestmark = pytest.mark.feature("B4")
load_catalogue()


def on_account(at: Checking, who: str, whose: str = "asha") -> list[ApprovalNotice]:
    """What somebody sees waiting on a savings account."""
    found = approval_notices.waiting_on(at.desks[who], "account", at.market.number(whose))
    return list(found)


@pytest.mark.parametrize(
    "who", ["ravi", "gita", "meera", "banker", "imran", "executive", "nalini", "holder", "auditor"]
)
def test_whoever_may_read_the_account_sees_what_waits_on_it(checking: Checking, who: str) -> None:
    """A colleague at the next window, a cashier of another branch (counters serve any account), the
    banker, the executive, the holder herself as an employee."""
    checking.ask("withdraw")
    [notice] = on_account(checking, who)
    row = notice.row
    assert (row.command, row.amount_minor) == ("counters.cash.withdraw", 6 * LAKH)
    assert (row.maker_name, row.made_at) == ("Ravi Kumar", checking.market.bank.clock.now())
    assert set(notice.names) == {"Arun Nair", "Vera Lobo", "Nalini Bhave"}
    reads = "SELECT actor_name FROM trail WHERE outcome = 'read' AND object_kind = 'approval'"
    names = {each["actor_name"] for each in checking.market.rows(reads)}
    assert names == {checking.desks[who].name}, "whoever looked is in the trail"


@pytest.mark.parametrize("who", ["executive_baner", "girish", "admin_baner"])
def test_who_may_not_read_the_account_sees_nothing(checking: Checking, who: str) -> None:
    checking.ask("withdraw")
    assert on_account(checking, who) == []


def test_what_is_asked_at_another_branch_is_seen_where_the_account_is(checking: Checking) -> None:
    at = checking
    pay_in(at.market, "vikram", 9 * LAKH)
    with pytest.raises(BankError):
        cash.withdraw(
            at.desks["ravi"], at.market.number("vikram"), 6 * LAKH, "V1",
            request_id=new_request_id(),
        )  # fmt: skip
    for who in ("executive_baner", "admin_baner", "meera"):
        [notice] = on_account(at, who, "vikram")
        assert notice.row.maker_name == "Ravi Kumar"
        assert not notice.is_in_sight
    assert on_account(at, "imran", "vikram") == [], "an account of Baner"


def test_to_see_it_is_not_to_decide_it(checking: Checking) -> None:
    checking.ask("withdraw")
    [notice] = on_account(checking, "gita")
    assert not notice.is_in_sight
    with pytest.raises(NotFound):
        checking.card("gita")
    with pytest.raises(NotFound):
        approvals.withdraw(checking.desks["gita"], 1)
    for verb in (approvals.approve, queue.claim):
        with pytest.raises(BankError):
            verb(checking.desks["imran"], 1)
    assert checking.status() == "pending"


def test_who_has_it_and_whom_it_waits_for(checking: Checking) -> None:
    checking.ask("withdraw")
    queue.claim(checking.desks["vera"], 1)
    [notice] = on_account(checking, "gita")
    assert (notice.held_by, notice.held_by_me) == ("Vera Lobo", False)
    approvals.send_back(checking.desks["vera"], 1, "Is she here?")
    [notice] = on_account(checking, "banker")
    assert notice.is_asked
    approvals.answer(checking.desks["ravi"], 1, "Yes.")
    checking.approve("vera")
    assert on_account(checking, "gita") == []


def test_what_is_over_in_time_waits_no_more(checking: Checking) -> None:
    checking.ask("withdraw")
    assert isinstance(checking.market.bank.clock, FixedClock)
    checking.market.bank.clock.at += timedelta(hours=9)
    assert on_account(checking, "gita") == []


def test_an_account_says_that_an_entry_of_its_own_is_to_be_reversed(checking: Checking) -> None:
    checking.ask("reverse")
    [notice] = on_account(checking, "gita")
    assert notice.row.about == f"entry {checking.entry_id}"
    assert on_account(checking, "gita", "nila") == []


def test_a_customer_says_what_waits_on_their_accounts(checking: Checking) -> None:
    at = checking
    at.ask("withdraw")
    asha = str(at.desks["asha"].customer_id)
    for who in ("banker", "executive"):
        [notice] = approval_notices.waiting_on(at.desks[who], "customer", asha)
        assert notice.row.about == f"account {at.market.number('asha')}"
    for who in ("executive_baner", "gita"):  # another branch; no permission to see customers
        assert approval_notices.waiting_on(at.desks[who], "customer", asha) == []
    nila = str(at.desks["nila"].customer_id)
    assert approval_notices.waiting_on(at.desks["banker"], "customer", nila) == []


@pytest.mark.parametrize(
    ("case", "kind", "sees", "sees_not"),
    [
        ("edit", "user", {"admin", "vera", "holder", "auditor"}, {"admin_baner", "banker", "gita"}),
        ("reverse", "entry", {"admin", "vera", "auditor"}, {"admin_baner", "gita", "imran"}),
        ("close the book", "book", {"admin", "admin_baner", "auditor"}, {"gita", "banker"}),
    ],
)
def test_each_record_is_read_by_its_own_readers(
    checking: Checking, case: str, kind: str, sees: set[str], sees_not: set[str]
) -> None:
    at = checking
    at.ask(case)
    [row] = at.market.rows("SELECT object_kind, object_id FROM approvals")
    assert row["object_kind"] == kind
    for who in sees | sees_not:
        found = approval_notices.waiting_on(at.desks[who], kind, row["object_id"])
        assert len(found) == (who in sees), who


def test_a_record_that_nobody_knows_is_not_there(sqlite_checking: Checking) -> None:
    at = sqlite_checking
    for kind, which in (("account", "000"), ("entry", "99"), ("user", "99"), ("customer", "99")):
        assert approval_notices.waiting_on(at.desks["banker"], kind, which) == []
