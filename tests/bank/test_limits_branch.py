"""Limits of one branch: they count there, from their day, and never above the ceiling."""

import json
from datetime import date, timedelta

import pytest
from sqlalchemy.exc import DBAPIError

from bank.core.approvals import AwaitingApproval
from bank.core.dated import Standing
from bank.core.desk import Desk
from bank.core.errors import BadInput, BankError, NotAllowed
from bank.counters import branch_limits, cash, cash_rules, drawer_views
from bank.counters.branch_limits import (
    AboveCeiling,
    BeginsInThePast,
    BranchLimitCard,
    NothingChanged,
)
from bank.counters.cash_rules import BranchLimitName, CashRule
from bank.people.branches import NoSuchBranch
from tests.support.bank import NOON, move_clock
from tests.support.checkers import LAKH, Checking
from tests.support.market import BANER, FORT, Market

pytestmark = pytest.mark.feature("A8.2", "B6")
TODAY = date(2026, 3, 16)
DRAWER, SUPERVISED = BranchLimitName.DRAWER, BranchLimitName.SUPERVISED
WHY = "The market is next door"


def set_limit(
    at: Checking,
    limit: BranchLimitName = DRAWER,
    amount_minor: int | None = 8 * LAKH,
    *,
    days: int = 0,
    ifsc: str = FORT,
) -> int:
    """A limit that two at head office have agreed about."""
    first = at.market.bank.clock.business_date() + timedelta(days=days)
    with pytest.raises(AwaitingApproval) as waits:
        branch_limits.set_limit(at.desks["head"], ifsc, limit, first, amount_minor, WHY)
    at.approve("chief", waits.value.approval_id)
    return int(at.market.rows("SELECT MAX(id) AS id FROM branch_limits")[0]["id"])


def seen(at: Checking, limit: BranchLimitName = DRAWER, *, who: str = "vera") -> BranchLimitCard:
    """How a limit stands at somebody's branch."""
    cards = branch_limits.limits_of_branch(at.desks[who])
    return next(card for card in cards if card.name is limit)


def ahead(market: Market, amount_minor: int, *, who: str = "ravi") -> cash.CashPreview:
    """What a withdrawal from Asha's account would ask."""
    number = market.number("asha")
    return cash.preview_cash(market.desks[who], "cash_withdrawal", number, amount_minor, "L1")


def held_by(desk: Desk) -> int:
    """What a cashier's drawer may hold."""
    mine = drawer_views.own_drawer(desk)
    assert mine is not None
    return mine.limit_minor


def later(market: Market, days: int) -> None:
    """So many days after the first one."""
    move_clock(market.bank, NOON + timedelta(days=days))


def test_a_drawer_limit_counts_at_its_branch_alone(checking: Checking) -> None:
    at, market = checking, checking.market
    ravi, meera = market.desks["ravi"], market.desks["meera"]
    assert held_by(ravi) == 5 * LAKH
    set_limit(at)
    assert (held_by(ravi), held_by(meera)) == (8 * LAKH, 5 * LAKH)
    assert ahead(market, LAKH).drawer_limit_minor == 8 * LAKH
    assert ahead(market, LAKH, who="meera").drawer_limit_minor == 5 * LAKH
    set_limit(at, amount_minor=2 * LAKH)
    assert held_by(ravi) == 2 * LAKH, "stricter is as good, and the newer of one day counts"


def test_a_supervisor_is_asked_for_above_the_branch_s_limit(checking: Checking) -> None:
    at, market = checking, checking.market
    assert ahead(market, 2 * LAKH).supervised == ""
    set_limit(at, SUPERVISED, LAKH)
    assert ahead(market, LAKH).supervised == ""
    assert ahead(market, LAKH + 1).supervised.startswith("Pay ₹ 1,00,000.01")
    assert ahead(market, 2 * LAKH, who="meera").supervised == "", "Baner has the bank's rule"
    with pytest.raises(BankError, match="supervisor of your branch"):
        cash.withdraw(
            market.desks["ravi"], market.number("asha"), LAKH + 1, "L2", request_id="x" * 36
        )
    set_limit(at, SUPERVISED, 4 * LAKH)
    assert ahead(market, 4 * LAKH).supervised == "", "looser, below the ceiling"


def test_it_counts_from_its_day_and_ends_on_another(checking: Checking) -> None:
    at, market = checking, checking.market
    set_limit(at, amount_minor=8 * LAKH, days=2)
    set_limit(at, amount_minor=None, days=5)
    with market.tx() as tx:
        branch_id = market.branch_ids[FORT]
        counted = [
            cash_rules.cash_rules_on(tx, TODAY + timedelta(days=days), branch_id)
            for days in range(7)
        ]
    found = [rules.drawer_limit_minor // LAKH for rules in counted]
    assert found == [5, 5, 8, 8, 8, 5, 5]
    card = seen(at)
    assert (card.counts_minor, card.own) == (5 * LAKH, None)
    assert [step.amount_minor for step in card.coming] == [8 * LAKH, None]
    later(market, 2)
    card = seen(at)
    assert card.own is not None
    assert (card.counts_minor, card.bank_minor) == (8 * LAKH, 5 * LAKH)
    assert (card.own.reason, card.own.set_by) == (WHY, at.desks["head"].name)
    later(market, 5)
    card = seen(at)
    assert (card.counts_minor, card.own, card.coming) == (5 * LAKH, None, [])
    assert [step.standing for step in card.steps] == [Standing.IN_FORCE, Standing.OVER]


def test_a_coming_limit_is_replaced_by_a_newer_one_for_its_day(sqlite_checking: Checking) -> None:
    at = sqlite_checking
    set_limit(at, amount_minor=8 * LAKH, days=3)
    set_limit(at, amount_minor=6 * LAKH, days=3)
    set_limit(at, amount_minor=4 * LAKH)
    card = seen(at)
    assert [step.amount_minor for step in card.coming] == [6 * LAKH]
    assert [step.standing for step in card.steps] == [
        Standing.IN_FORCE,
        Standing.COMING,
        Standing.REPLACED,
    ]


def test_never_above_the_ceiling_of_the_day(checking: Checking) -> None:
    at, market = checking, checking.market
    given = (at.desks["head"], FORT, DRAWER, TODAY)
    with pytest.raises(AboveCeiling, match=r"more than ₹ 20,00,000\.00") as refused:
        branch_limits.set_limit(*given, 20 * LAKH + 1, WHY)
    assert refused.value.field == "amount"
    set_limit(at, amount_minor=20 * LAKH)
    with market.tx() as tx:
        tx.session.add(
            CashRule(
                name="drawer_limit_ceiling_minor",
                effective_from=TODAY + timedelta(days=1),
                value=6 * LAKH,
                source="a rule of the tests",
            )
        )
    later(market, 1)
    card = seen(at)
    assert (card.counts_minor, card.ceiling_minor) == (6 * LAKH, 6 * LAKH)
    assert held_by(market.desks["ravi"]) == 6 * LAKH, "what was set before does not outlive it"


def test_the_trail_and_the_mails_say_what_changed(checking: Checking) -> None:
    at = checking
    row_id = set_limit(at)
    [act] = at.market.rows(
        "SELECT object_kind, object_id, before, after, actor_name, details FROM trail"
        " WHERE verb = 'counters.branch_limits.set_limit' AND outcome = 'done'"
    )
    assert (act["object_kind"], act["object_id"]) == ("branch", FORT)
    assert json.loads(act["before"])["cash in a drawer"] == "₹ 5,00,000.00, the bank's rule"
    assert json.loads(act["after"]) == {
        "branch": "Fort", "cash in a drawer": "₹ 8,00,000.00", "from": "2026-03-16",
    }  # fmt: skip
    assert WHY in act["details"]
    told = at.market.mails("limit")
    assert {mail["recipient"] for mail in told} >= {"admin@bank.example.com"}
    assert all("Baner" not in mail["body"] for mail in told)
    assert "Cash in a drawer: ₹ 8,00,000.00 from 16 Mar 2026 at Fort" in told[0]["body"]
    [row] = at.market.rows(f"SELECT set_by, value FROM branch_limits WHERE id = {row_id}")
    assert row == {"set_by": at.id("head"), "value": 8 * LAKH}


@pytest.mark.parametrize(
    ("facts", "refusal", "field"),
    [
        ({"first": TODAY - timedelta(days=1)}, BeginsInThePast, "effective_from"),
        ({"reason": "  "}, BadInput, "reason"),
        ({"reason": "x" * 201}, BadInput, "reason"),
        ({"amount_minor": 0}, BadInput, "amount"),
        ({"amount_minor": -1}, BadInput, "amount"),
        ({"amount_minor": None}, NothingChanged, "amount"),
        ({"ifsc": "BANK0000099"}, NoSuchBranch, None),
        ({"ifsc": "nowhere"}, BadInput, "branch"),
        ({"limit": SUPERVISED, "amount_minor": 5 * LAKH + 1}, AboveCeiling, "amount"),
    ],
)
def test_what_is_wrong_is_refused_at_once(
    sqlite_checking: Checking, facts: dict[str, object], refusal: type[BankError], field: str | None
) -> None:
    given: dict[str, object] = {
        "ifsc": FORT, "limit": DRAWER, "first": TODAY, "amount_minor": LAKH, "reason": WHY,
    }  # fmt: skip
    with pytest.raises(refusal) as refused:
        branch_limits.set_limit(sqlite_checking.desks["head"], *(given | facts).values())  # type: ignore[arg-type]
    assert refused.value.field == field
    for table in ("approvals", "branch_limits"):
        assert sqlite_checking.market.rows(f"SELECT * FROM {table}") == []


def test_the_same_limit_again_changes_nothing(sqlite_checking: Checking) -> None:
    set_limit(sqlite_checking)
    with pytest.raises(NothingChanged):
        branch_limits.set_limit(
            sqlite_checking.desks["head"], FORT, DRAWER, TODAY + timedelta(days=9), 8 * LAKH, WHY
        )


def test_head_office_alone_sets_and_each_branch_sees_its_own(sqlite_checking: Checking) -> None:
    at = sqlite_checking
    for who in ("admin", "vera", "ravi", "auditor", "nalini", "asha"):
        with pytest.raises(NotAllowed):
            branch_limits.set_limit(at.desks[who], FORT, DRAWER, TODAY, LAKH, WHY)
    set_limit(at, ifsc=BANER)
    fort, baner = at.market.branch_ids[FORT], at.market.branch_ids[BANER]
    assert seen(at, who="admin_baner").counts_minor == 8 * LAKH
    assert seen(at, who="vera").counts_minor == 5 * LAKH
    asked = branch_limits.limits_of_branch(at.desks["vera"], baner)
    assert asked[0].counts_minor == 5 * LAKH, "another branch's id shows one's own"
    for who in ("auditor", "head"):
        found = [
            branch_limits.limits_of_branch(at.desks[who], branch)[0].counts_minor
            for branch in (fort, baner)
        ]
        assert found == [5 * LAKH, 8 * LAKH]
        with pytest.raises(BadInput) as refused:
            branch_limits.limits_of_branch(at.desks[who])
        assert refused.value.field == "branch"
    with pytest.raises(NotAllowed):
        branch_limits.limits_of_branch(at.desks["ravi"], fort)


@pytest.mark.parametrize(
    "statement", ["UPDATE branch_limits SET value = 1", "DELETE FROM branch_limits"]
)
def test_what_was_set_is_a_record(checking: Checking, statement: str) -> None:
    set_limit(checking)
    with pytest.raises(DBAPIError, match="never changed or deleted"), checking.market.tx() as tx:
        tx.connection.exec_driver_sql(statement)
    assert len(checking.market.rows("SELECT * FROM branch_limits")) == 1
