"""Limits of one employee: below the rule for all, a payment of theirs waits for a second person."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from bank.core.approval_rules import Window
from bank.core.approvals import AwaitingApproval
from bank.core.errors import BadInput, BankError, NotAllowed
from bank.core.ids import new_request_id
from bank.core.permissions import Role
from bank.counters import cash
from bank.people import limits, staff_list
from bank.people.identity import UserStatus
from bank.people.limits import (
    BeginsInThePast,
    EmployeeLimitCard,
    LimitKind,
    LooserThanTheRule,
    NotAtACounter,
    NothingChanged,
)
from bank.people.staff import EmployeeGone, HeadOfficeOnly, NotYourself
from bank.people.staff_list import NoSuchEmployee
from tests.support.bank import NOON, move_clock
from tests.support.checkers import LAKH, Checking

pytestmark = pytest.mark.feature("A8.6", "B4")
TODAY = date(2026, 3, 16)
PAY_OUT, TAKE_IN = LimitKind.PAY_OUT, LimitKind.TAKE_IN
WHY = "New at the counter"


def set_limit(
    at: Checking,
    amount_minor: int | None = LAKH,
    limit: LimitKind = PAY_OUT,
    *,
    who: str = "ravi",
    days: int = 0,
) -> None:
    """A limit that Arun asks for and Vera agrees with."""
    first = at.market.bank.clock.business_date() + timedelta(days=days)
    with pytest.raises(AwaitingApproval) as waits:
        limits.set_limit(at.desks["admin"], at.id(who), limit, first, amount_minor, WHY)
    at.approve("vera", waits.value.approval_id)


def seen(at: Checking, limit: LimitKind = PAY_OUT, *, by: str = "admin") -> EmployeeLimitCard:
    """Ravi's limit as somebody sees it."""
    cards = limits.limits_of(at.desks[by], at.id("ravi"))
    return next(card for card in cards if card.kind is limit)


def pay(at: Checking, amount_minor: int, who: str = "ravi", **named: Any) -> object:
    """Pay Asha, with a proof of the supervisor's where the amount asks for one."""
    slip = new_request_id()[:8].upper()
    named.setdefault("request_id", new_request_id())
    return cash.withdraw(
        at.desks[who], at.market.number("asha"), amount_minor, slip, "Asha Rao", **named
    )


def take(at: Checking, amount_minor: int, who: str = "ravi") -> object:
    """Take cash of Asha's."""
    slip, number = new_request_id()[:8].upper(), at.market.number("asha")
    return cash.deposit(at.desks[who], number, amount_minor, slip, request_id=new_request_id())


def test_above_their_own_limit_a_second_person_is_asked(checking: Checking) -> None:
    at = checking
    set_limit(at)
    pay(at, LAKH)
    with pytest.raises(AwaitingApproval) as waits:
        pay(at, 1)
    assert set(waits.value.names) == {at.desks[who].name for who in ("admin", "vera", "nalini")}
    assert waits.value.approval_id == 2, "the day is counted, so cutting it up gains nothing"
    card = at.card("vera", 2)
    assert card.rule_source == f"The cashier's own limit since 2026-03-16: {WHY}"
    assert (card.compared_minor, card.row.amount_minor) == (LAKH + 1, 1)
    assert at.approve("vera", 2).row.status == "executed"
    assert at.market.balance("asha") == 9 * LAKH - 1


def test_it_is_theirs_alone_and_of_one_way(checking: Checking) -> None:
    at = checking
    set_limit(at, 10_000_00)
    pay(at, 20_000_00, "meera")
    take(at, 2 * LAKH)
    set_limit(at, 50_000_00, TAKE_IN)
    with pytest.raises(AwaitingApproval):
        take(at, 1)
    take(at, 2 * LAKH, "meera")


def test_the_preview_says_that_it_will_wait(sqlite_checking: Checking) -> None:
    at = sqlite_checking
    set_limit(at)
    number = at.market.number("asha")

    def ahead(who: str) -> cash.CashPreview:
        return cash.preview_cash(at.desks[who], "cash_withdrawal", number, 3 * LAKH, "P1")

    assert "above ₹ 1,00,000.00 a second person decides" in ahead("ravi").waits
    assert ahead("ravi").supervised == "", "one second person is enough"
    assert (ahead("meera").waits, bool(ahead("meera").supervised)) == ("", True)


def test_it_counts_from_its_day_and_ends_on_another(checking: Checking) -> None:
    at = checking
    set_limit(at, days=1)
    set_limit(at, None, days=3)
    pay(at, LAKH + 1_00)
    card = seen(at)
    assert (card.own_minor, card.counts_minor, card.rule_minor) == (None, 5 * LAKH, 5 * LAKH)
    assert [(each.amount_minor, each.effective_from.day) for each in card.coming] == [
        (LAKH, 17),
        (None, 19),
    ]
    move_clock(at.market.bank, NOON + timedelta(days=1))
    at.market.new_day()
    at.market.fund("ravi", "admin", note_500=1000)
    assert seen(at).counts_minor == LAKH
    with pytest.raises(AwaitingApproval):
        pay(at, LAKH + 1_00)
    move_clock(at.market.bank, NOON + timedelta(days=3))
    at.market.new_day()
    at.market.fund("ravi", "admin", note_500=1000)
    card = seen(at)
    assert (card.own_minor, card.counts_minor, card.coming) == (None, 5 * LAKH, [])
    assert [each.standing.value for each in card.steps] == ["in force", "over"]
    pay(at, LAKH + 1_00)


def test_a_limit_that_ends_lets_what_waits_be_decided_by_whom_was_asked(
    sqlite_checking: Checking,
) -> None:
    at = sqlite_checking
    set_limit(at)
    with pytest.raises(AwaitingApproval) as waits:
        pay(at, LAKH + 1)
    set_limit(at, None)
    assert at.approve("nalini", waits.value.approval_id).row.status == "executed"


def test_never_looser_than_the_rule_for_all(checking: Checking) -> None:
    at = checking
    given = (at.desks["admin"], at.id("ravi"))
    with pytest.raises(LooserThanTheRule, match=r"above ₹ 5,00,000\.00 a day") as refused:
        limits.set_limit(*given, PAY_OUT, TODAY, 5 * LAKH + 1, WHY)
    assert refused.value.field == "amount"
    with pytest.raises(LooserThanTheRule, match=r"above ₹ 10,00,000\.00 a day"):
        limits.set_limit(*given, TAKE_IN, TODAY, 10 * LAKH + 1, WHY)
    set_limit(at, 4 * LAKH)
    at.new_rule(
        "counters.cash.withdraw", role="cashier", amount_above_minor=LAKH, period=Window.DAY,
        checkers="reviewer", source="stricter for all",
    )  # fmt: skip
    with pytest.raises(AwaitingApproval) as waits:
        pay(at, 2 * LAKH)
    assert waits.value.names == (at.desks["nalini"].name,)
    assert at.card("nalini", waits.value.approval_id).rule_source == "stricter for all"
    assert seen(at).counts_minor == LAKH


def test_of_several_levels_the_lowest_decides_about_it(sqlite_checking: Checking) -> None:
    """A small amount above one's own limit is not for those who decide about large ones."""
    at = sqlite_checking
    at.new_rule(
        "counters.cash.withdraw", role="cashier", level=2, amount_above_minor=9 * LAKH,
        checkers="super_admin",
    )  # fmt: skip
    set_limit(at)
    with pytest.raises(AwaitingApproval) as waits:
        pay(at, LAKH + 1)
    assert at.desks["vera"].name in waits.value.names
    assert at.desks["chief"].name not in waits.value.names


def test_it_outlives_the_rule_for_all(sqlite_checking: Checking) -> None:
    """Without a rule in force, whom it named last decides."""
    at = sqlite_checking
    set_limit(at)
    at.new_rule("counters.cash.withdraw", role="cashier", checkers="")
    assert (seen(at).rule_minor, seen(at).counts_minor) == (None, LAKH)
    with pytest.raises(AwaitingApproval) as waits:
        pay(at, LAKH + 1)
    assert at.desks["nalini"].name in waits.value.names
    set_limit(at, 90 * LAKH)  # no rule, so nothing is looser than it


def test_the_employee_and_the_history_are_told(checking: Checking) -> None:
    at = checking
    set_limit(at)
    [mail] = at.market.mails("limit")
    assert mail["recipient"] == "ravi@bank.example.com"
    assert "above ₹ 1,00,000.00 a day and account waits for a second person" in mail["body"]
    set_limit(at, None)
    assert "as the bank's rule says" in at.market.mails("limit")[-1]["body"]
    newest, *_ = [
        line
        for line in staff_list.employee_history(at.desks["admin"], at.id("ravi"))
        if line.outcome == "done" and line.changes
    ]
    assert newest.changes[0] == ("pays out alone", "up to ₹ 1,00,000.00", "as the rule says")
    assert newest.reason == WHY


@pytest.mark.parametrize(
    ("facts", "refusal", "field"),
    [
        ({"first": TODAY - timedelta(days=1)}, BeginsInThePast, "effective_from"),
        ({"reason": ""}, BadInput, "reason"),
        ({"amount_minor": 0}, BadInput, "amount"),
        ({"amount_minor": None}, NothingChanged, "amount"),
        ({"who": "banker"}, NotAtACounter, None),
        ({"who": "admin"}, NotYourself, None),
        ({"who": "vera"}, HeadOfficeOnly, None),
        ({"who": "meera"}, NoSuchEmployee, None),
        ({"who": "asha"}, NoSuchEmployee, None),
    ],
)
def test_what_is_wrong_is_refused_at_once(
    sqlite_checking: Checking, facts: dict[str, Any], refusal: type[BankError], field: str | None
) -> None:
    at = sqlite_checking
    given = {"who": "ravi", "first": TODAY, "amount_minor": LAKH, "reason": WHY} | facts
    with pytest.raises(refusal) as refused:
        limits.set_limit(
            at.desks["admin"],
            at.id(given["who"]),
            PAY_OUT,
            given["first"],
            given["amount_minor"],
            given["reason"],
        )
    assert refused.value.field == field
    assert at.market.rows("SELECT * FROM employee_limits") == []
    assert at.market.rows("SELECT * FROM approvals") == []


def test_who_left_the_counter_has_their_limit_ended_and_no_new_one(
    sqlite_checking: Checking,
) -> None:
    at = sqlite_checking
    set_limit(at)
    at.change_user("ravi", role=Role.BANKER)
    with pytest.raises(NotAtACounter):
        limits.set_limit(at.desks["admin"], at.id("ravi"), PAY_OUT, TODAY, LAKH - 1, WHY)
    set_limit(at, None)
    assert seen(at).own_minor is None
    at.change_user("ravi", status=UserStatus.REMOVED)
    with pytest.raises(EmployeeGone):
        limits.set_limit(at.desks["admin"], at.id("ravi"), PAY_OUT, TODAY, LAKH, WHY)


def test_head_office_sets_limits_at_every_branch(sqlite_checking: Checking) -> None:
    at = sqlite_checking
    with pytest.raises(AwaitingApproval) as waits:
        limits.set_limit(at.desks["head"], at.id("meera"), PAY_OUT, TODAY, LAKH, WHY)
    assert at.desks["admin_baner"].name in waits.value.names
    assert at.desks["vera"].name not in waits.value.names


def test_who_sees_whose_limits(sqlite_checking: Checking) -> None:
    at = sqlite_checking
    set_limit(at)
    for who in ("vera", "auditor", "head"):
        assert seen(at, by=who).own_minor == LAKH
    with pytest.raises(NoSuchEmployee):
        seen(at, by="admin_baner")
    for who in ("ravi", "nalini", "banker", "asha"):
        with pytest.raises(NotAllowed):
            seen(at, by=who)
        with pytest.raises(NotAllowed):
            limits.set_limit(at.desks[who], at.id("gita"), PAY_OUT, TODAY, LAKH, WHY)


@pytest.mark.parametrize(
    "statement", ["UPDATE employee_limits SET amount_minor = 1", "DELETE FROM employee_limits"]
)
def test_what_was_set_is_a_record(checking: Checking, statement: str) -> None:
    set_limit(checking)
    with pytest.raises(DBAPIError, match="never changed or deleted"), checking.market.tx() as tx:
        tx.connection.exec_driver_sql(statement)
    assert len(checking.market.rows("SELECT * FROM employee_limits")) == 1
