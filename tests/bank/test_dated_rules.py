"""Dated rules: head office sets each kind from a day on, by two; an old day keeps its rule.

Every table of rules has a row in CHANGES: what is set, and how the bank sees that it counts.
"""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import pytest
from sqlalchemy.exc import DBAPIError

from bank.accounts import tariff
from bank.core import dated, hours, work_rows
from bank.core.approval_rules import allowed_minor
from bank.core.approvals import AwaitingApproval
from bank.core.dated import Standing
from bank.core.db import Base
from bank.core.desk import Desk, Tx, looking
from bank.core.errors import BadInput, BankError, NotAllowed
from bank.core.permissions import Role
from bank.counters import cash_rules
from bank.counters.cash_rules import AboveItsCeiling, CashRule
from bank.counters.work_facts import PerformanceRule
from bank.office import approval_risks, dated_rules, queue_many, tickets
from bank.office.dated_rules import (
    BeginsTooEarly,
    BeginsTooLate,
    ChangeThere,
    NoSuchRule,
    NothingChanges,
    NothingToCome,
)
from bank.office.rule_changes import RuleAct, RuleRow, object_id
from bank.office.rule_kinds import NeverOpen, NobodyToDecide
from bank.office.rule_tables import TABLES, BeyondTheLaw, Value, spelled_key
from bank.office.ticket_tables import TicketRule
from bank.people import leaving
from bank.people import rules as security
from tests.support import queues
from tests.support.bank import desk
from tests.support.checkers import LAKH, Checking
from tests.support.market import BANER

pytestmark = pytest.mark.feature("B36", "A7.1")
WITHDRAW: Final = "counters.cash.withdraw"
MAY_WITHDRAW: Final = f"{WITHDRAW}/cashier//1"
MAY_BEGIN_TODAY: Final = {
    *("work_rules", "work_spans", "ticket_categories"),
    *("approval_risk_rules", "leaving_reasons", "queue_rules"),
}
SOURCE, WHY = "Resolution 14 of the board", "Fewer customers wait"


@dataclass(frozen=True)
class Change:
    """A rule that is set, and what the bank goes by on a day: before it, and from it on."""

    table: str
    key: str
    values: dict[str, Value]
    seen: Callable[[Tx, date], object]
    before: object
    after: object


def opens_on(tx: Tx, day: date) -> object:
    """The minutes for which the bank is open."""
    span = hours.calendar_of(tx, None).open_on(day)
    return None if span is None else int((span[1] - span[0]).total_seconds()) // 60


def approving(**facts: Value) -> dict[str, Value]:
    """The rule about cash that is paid out, with other values."""
    rule: dict[str, Value] = {
        "amount_above_minor": 5 * LAKH,
        "period": "day",
        "checkers": "branch_admin reviewer",
        "rekey_above_minor": 10 * LAKH,
        "expires_hours": 8,
    }
    return rule | facts


CHANGES: Final = (
    Change(
        "approval_rules", MAY_WITHDRAW, approving(amount_above_minor=7 * LAKH),
        lambda tx, day: allowed_minor(tx, WITHDRAW, Role.CASHIER, day), 5 * LAKH, 7 * LAKH,
    ),
    Change(
        "work_rules", "ticket/1",
        {"first_minutes": 30, "solve_minutes": 600, "claim_minutes": 20},
        lambda tx, day: tuple(work_rows.promise_of(tx, "ticket", 1)), (60, 720, 30), (30, 600, 20),
    ),
    Change(
        "work_spans", "ticket/1", {"reply_minutes": 30, "assigned_minutes": 90},
        lambda tx, day: tuple(work_rows.spans_of(tx, "ticket", 1)), (60, 120), (30, 90),
    ),
    Change(
        "approval_risk_rules", "opened_days", {"value": 60},
        lambda tx, day: approval_risks.rules_on(tx, day).opened_days, 90, 60,
    ),
    Change(
        "queue_rules", "undo_seconds", {"value": 90},
        lambda tx, day: dated.value_today(tx, queue_many.QueueRule, "undo_seconds"), 60, 90,
    ),
    Change(
        "leaving_reasons", "retired", {"name": "Gone on pension"},
        lambda tx, day: leaving.leaving_reasons_today(tx)["retired"], "Retired", "Gone on pension",
    ),
    Change(
        "performance_rules", "least_people", {"value": 4},
        lambda tx, day: dated.value_today(tx, PerformanceRule, "least_people"), 3, 4,
    ),
    Change(
        "opening_hours", "0/3/0", {"opens_minute": 540, "closes_minute": 1020},
        opens_on, 360, 480,
    ),
    Change(
        "ticket_categories", "branch", {"name": "A branch of ours", "priority": 2},
        lambda tx, day: tickets.categories_on(tx)["branch"].name, "", "A branch of ours",
    ),
    Change(
        "ticket_rules", "reopen_days", {"value": 45},
        lambda tx, day: dated.value_today(tx, TicketRule, "reopen_days"), 30, 45,
    ),
    Change(
        "term_rules", "rate_notice_days", {"value": 3},
        lambda tx, day: tariff.notice_days(tx, tariff.What.RATES), 1, 3,
    ),
    Change(
        "security_rules", "tries", {"value": 4},
        lambda tx, day: security.rules_on(tx, day).tries, 5, 4,
    ),
    Change(
        "cash_rules", "drawer_limit_minor", {"value": 6 * LAKH},
        lambda tx, day: cash_rules.cash_rules_on(tx, day, None).drawer_limit_minor,
        5 * LAKH, 6 * LAKH,
    ),
)  # fmt: skip
# Tables whose rows begin on a day and are set otherwise, or come with a release.
SET_OTHERWISE: Final = {
    "backdating_limits": "book.backdating.set_limit",
    "branch_limits": "counters.branch_limits.set_limit",
    "employee_limits": "people.limits.set_limit",
    "charge_terms": "accounts.terms.set_charge",
    "policy_texts": "accounts.terms.set_policy",
    "product_terms": "accounts.terms.set_rates",
    "rate_line_terms": "accounts.card_terms.set_line",
    "denominations": "the Reserve Bank issues and withdraws notes",
    "grant_conflicts": "what one person may never hold together is the bank's own construction",
    "import_contra": "where the other leg of old books goes",
    "rule_bounds": "what a law sets",
    "rule_changes": "the history of rules itself",
}
ABOUT: Final = pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.table)


def set_by_two(at: Checking, change: Change, first: date, **facts: Any) -> None:
    """Head office asks for it, and a second person of head office agrees."""
    with pytest.raises(AwaitingApproval) as waits:
        ask(at.desks["head"], change, first, **facts)
    at.approve("chief", waits.value.approval_id)


def ask(who: Desk, change: Change, first: date, **facts: Any) -> None:
    """Somebody asks for a change."""
    given = {"source": SOURCE, "reason": WHY} | facts
    dated_rules.set_rule(
        who, change.table, change.key, dict(change.values), first, given["source"], given["reason"]
    )


def rows(at: Checking, change: Change, who: str = "auditor") -> list[RuleRow]:
    """Every row of the rule that is changed, the earliest first."""
    return [row for row in dated_rules.rules(at.desks[who], change.table) if row.key == change.key]


def seen(at: Checking, change: Change, days: int = 0) -> object:
    """What the bank goes by."""
    with looking(at.desks["auditor"]) as tx:
        return change.seen(tx, at.in_days(days))


def test_every_table_of_rules_is_tried_here() -> None:
    assert {change.table for change in CHANGES} == set(TABLES)


def test_no_table_of_dated_rows_is_forgotten() -> None:
    """A new one is declared as rules, or stands above with how it is set."""
    found = {
        name for name, table in Base.metadata.tables.items() if "effective_from" in table.columns
    }
    assert found == set(TABLES) | set(SET_OTHERWISE)


def test_every_rule_of_the_seed_is_declared_and_may_stand(checking: Checking) -> None:
    """Also on PostgreSQL: what the seeds hold is what head office could have set."""
    with looking(checking.desks["head"]) as tx:
        for table in TABLES.values():
            for row in dated_rules.rows_of(tx, table):
                key, values = table.key_of(row), table.values_of(row)
                for one in table.fields_of(key):
                    assert one.clean(tx, values[one.name]) == values[one.name], (table.name, key)
                table.sane(key, values)
                dated_rules.check_bounds(tx, table, key, values, row.effective_from)
                table.check(tx, key, values, tx.business_date)
                assert dated_rules._key(tx, table, spelled_key(table, key)) == key


@ABOUT
def test_it_counts_from_its_day_on_and_not_before(checking: Checking, change: Change) -> None:
    at, first = checking, checking.in_days(2)
    assert at.in_days(2).isoweekday() == 3, "a Wednesday, for the opening hours"
    before = seen(at, change, 2) if change.table != "ticket_categories" else ""
    set_by_two(at, change, first)
    assert [row.standing for row in rows(at, change)][-1] is Standing.COMING
    if change.table != "ticket_categories":
        assert before == change.before
        if change.table != "opening_hours":
            assert seen(at, change) == change.before, "today the old rule counts"
    else:
        with looking(at.desks["auditor"]) as tx:
            assert "branch" not in tickets.categories_on(tx) or seen(at, change) != change.after
    old = at.in_days(0)
    queues.later(at.market, days=2)
    assert seen(at, change) == change.after
    assert [row.standing for row in rows(at, change)][-1] is Standing.IN_FORCE
    if change.table in {"approval_rules", "cash_rules", "security_rules"}:
        with looking(at.desks["auditor"]) as tx:
            assert change.seen(tx, old) == change.before, "an old day keeps its rule"


@ABOUT
def test_nobody_sets_it_but_head_office(sqlite_checking: Checking, change: Change) -> None:
    at = sqlite_checking
    for who in ("ravi", "admin", "auditor", "asha", "nalini", "console"):
        with pytest.raises(NotAllowed):
            ask(at.desks[who], change, at.in_days(2))
        with pytest.raises(NotAllowed):
            dated_rules.withdraw_rule(at.desks[who], change.table, change.key, at.in_days(2), WHY)
    assert dated_rules.changes(at.desks["auditor"], change.table) == []


@ABOUT
def test_it_never_begins_in_the_past(sqlite_checking: Checking, change: Change) -> None:
    at, before = sqlite_checking, dated_rules.rules(sqlite_checking.desks["head"], change.table)
    with pytest.raises(BeginsTooEarly) as refused:
        ask(at.desks["head"], change, at.in_days(-1))
    assert refused.value.field == "effective_from"
    with pytest.raises(BeginsTooLate):
        ask(at.desks["head"], change, at.in_days(2000))
    if change.table not in MAY_BEGIN_TODAY:
        with pytest.raises(BeginsTooEarly, match="17 Mar 2026 at the earliest"):
            ask(at.desks["head"], change, at.in_days(0))
    assert dated_rules.rules(at.desks["head"], change.table) == before


@ABOUT
def test_it_is_withdrawn_before_it_comes(checking: Checking, change: Change) -> None:
    at, first = checking, checking.in_days(2)
    before = rows(at, change)
    set_by_two(at, change, first)
    with pytest.raises(ChangeThere):
        ask(at.desks["head"], change, first)
    with pytest.raises(AwaitingApproval) as waits:
        dated_rules.withdraw_rule(
            at.desks["head"], change.table, change.key, first, "Decided otherwise"
        )
    assert len(rows(at, change)) == len(before) + 1, "until the second person has agreed"
    at.approve("chief", waits.value.approval_id)
    assert rows(at, change) == before
    with pytest.raises(NothingToCome):
        dated_rules.withdraw_rule(at.desks["head"], change.table, change.key, first, "Again")
    last, first_act = dated_rules.changes(at.desks["auditor"], change.table)
    assert (last.act, first_act.act) == (RuleAct.WITHDRAWN, RuleAct.SET)
    assert (last.before, last.after) == (first_act.after, first_act.before)
    assert last.reason == "Decided otherwise"
    set_by_two(at, change, first)  # and the day is free again


def test_what_has_begun_is_not_withdrawn(sqlite_checking: Checking) -> None:
    at, change = sqlite_checking, CHANGES[-1]
    set_by_two(at, change, at.in_days(1))
    queues.later(at.market, days=1)
    with pytest.raises(NothingToCome):
        dated_rules.withdraw_rule(at.desks["head"], change.table, change.key, at.in_days(0), WHY)


def test_the_history_names_both_with_source_reason_before_and_after(checking: Checking) -> None:
    at, change = checking, CHANGES[-1]
    set_by_two(at, change, at.in_days(2))
    [happened] = dated_rules.changes(at.desks["auditor"], change.table)
    assert (happened.by_name, happened.agreed_by_name) == ("Dinshaw Merchant", "Chitra Iyer")
    assert (happened.source, happened.reason) == (SOURCE, WHY)
    assert happened.title == "A drawer holds"
    assert happened.before == {"A drawer holds": "₹ 5,00,000.00"}
    assert happened.after == {"A drawer holds": "₹ 6,00,000.00"}
    assert (happened.at, happened.effective_from) == (at.market.bank.clock.now(), at.in_days(2))
    [row] = at.market.rows(
        "SELECT object_kind, object_id, before, after FROM trail"
        " WHERE verb = 'office.dated_rules.set_rule' AND outcome = 'done'"
    )
    assert (row["object_kind"], row["object_id"]) == ("cash_rules", "drawer_limit_minor")
    assert json.loads(row["after"])["A drawer holds"] == "₹ 6,00,000.00"
    [shown] = [row for row in rows(at, change) if row.standing is Standing.COMING]
    assert shown.source == SOURCE


@pytest.mark.parametrize(
    "sql", ["UPDATE rule_changes SET reason = 'x'", "DELETE FROM rule_changes"]
)
def test_the_history_stays(checking: Checking, sql: str) -> None:
    set_by_two(checking, CHANGES[-1], checking.in_days(2))
    with (
        pytest.raises(DBAPIError, match="never changed or deleted"),
        checking.market.tx() as tx,
    ):
        tx.connection.exec_driver_sql(sql)


Values = dict[str, Value]
REFUSED: Final[list[tuple[str, tuple[str, str, Values], type[BankError], str | None]]] = [
    ("no_such_table", ("gold_rules", "x", {"value": 1}), NoSuchRule, None),
    ("no_such_rule", ("cash_rules", "smile_minor", {"value": 1}), NoSuchRule, None),
    ("no_such_queue", ("work_rules", "gold/1", {}), NoSuchRule, None),
    ("a_priority_of_words", ("work_rules", "ticket/high", {}), NoSuchRule, None),
    ("a_key_too_short", ("work_rules", "ticket", {}), NoSuchRule, None),
    ("no_values", ("cash_rules", "token_days", {}), BadInput, "value"),
    ("others", ("cash_rules", "token_days", {"days": 1}), BadInput, "value"),
    ("nothing", ("cash_rules", "token_days", {"value": None}), BadInput, "value"),
    ("a_word", ("cash_rules", "token_days", {"value": "two"}), BadInput, "value"),
    ("yes", ("cash_rules", "token_days", {"value": True}), BadInput, "value"),
    ("too_few", ("cash_rules", "token_days", {"value": 0}), BadInput, "value"),
    ("too_many", ("cash_rules", "token_days", {"value": 31}), BadInput, "value"),
    ("the_same", ("cash_rules", "token_days", {"value": 1}), NothingChanges, "value"),
    ("above_the_law", ("cash_rules", "pan_above_minor", {"value": 50_000_01}),
     BeyondTheLaw, "value"),
    ("below_the_code", ("term_rules", "charge_notice_days", {"value": 29}), BeyondTheLaw, "value"),
    ("above_the_scheme", ("ticket_rules", "ombudsman_days", {"value": 31}), BeyondTheLaw, "value"),
    ("too_short", ("security_rules", "password_characters", {"value": 7}), BeyondTheLaw, "value"),
    ("above_its_ceiling", ("cash_rules", "drawer_limit_minor", {"value": 21 * LAKH}),
     AboveItsCeiling, "value"),
    ("below_its_limit", ("cash_rules", "supervised_ceiling_minor", {"value": LAKH}),
     AboveItsCeiling, "value"),
    ("solved_before_answered",
     ("work_rules", "ticket/1", {"first_minutes": 61, "solve_minutes": 60, "claim_minutes": 9}),
     BadInput, "first_minutes"),
    ("closes_before_it_opens",
     ("opening_hours", "0/1/0", {"opens_minute": 600, "closes_minute": 599}),
     BadInput, "closes_minute"),
    ("opens_alone", ("opening_hours", "1/1/0", {"opens_minute": 600, "closes_minute": None}),
     BadInput, "closes_minute"),
    ("a_bank_without_hours",
     ("opening_hours", "0/1/0", {"opens_minute": None, "closes_minute": None}),
     BadInput, "opens_minute"),
    ("after_midnight", ("opening_hours", "0/1/0", {"opens_minute": 600, "closes_minute": 1441}),
     BadInput, "closes_minute"),
    ("no_such_branch", ("opening_hours", "4711/1/0", {"opens_minute": 0, "closes_minute": 1}),
     BadInput, "branch_id"),
    ("an_eighth_day", ("opening_hours", "0/8/0", {"opens_minute": 0, "closes_minute": 1}),
     BadInput, "weekday"),
    ("no_such_act", ("approval_rules", "counters.cash.smile///1", approving()),
     BadInput, "command"),
    ("no_such_role", ("approval_rules", f"{WITHDRAW}/king//1", approving()), BadInput, "role"),
    ("a_kind_in_words", ("approval_rules", f"{WITHDRAW}//Big ones/1", approving()),
     BadInput, "kind"),
    ("who_decides_nothing", ("approval_rules", MAY_WITHDRAW, approving(checkers="cashier")),
     BadInput, "checkers"),
    ("no_such_window", ("approval_rules", MAY_WITHDRAW, approving(period="year")),
     BadInput, "period"),
    ("nobody_to_decide",
     ("approval_rules", "accounts.terms.set_rates///1", approving(checkers="reviewer")),
     NobodyToDecide, "checkers"),
    ("rules_by_one",
     ("approval_rules", "office.dated_rules.set_rule///1",
      approving(checkers="", amount_above_minor=0)),
     BeyondTheLaw, "checkers"),
    ("rules_above_an_amount",
     ("approval_rules", "office.dated_rules.withdraw_rule///1",
      approving(checkers="super_admin", amount_above_minor=1)),
     BeyondTheLaw, "amount_above_minor"),
    ("a_category_in_capitals", ("ticket_categories", "Lost", {"name": "Lost", "priority": 1}),
     BadInput, "code"),
    ("a_category_without_a_name", ("ticket_categories", "lost", {"name": " ", "priority": 1}),
     BadInput, "name"),
    ("a_fifth_priority", ("ticket_categories", "lost", {"name": "Lost", "priority": 5}),
     BadInput, "priority"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "kind", "field"), [each[1:] for each in REFUSED], ids=[each[0] for each in REFUSED]
)
def test_what_is_refused_changes_nothing(
    sqlite_checking: Checking,
    given: tuple[str, str, Values],
    kind: type[BankError],
    field: str | None,
) -> None:
    at = sqlite_checking
    table, key, values = given
    with pytest.raises(kind) as refused:
        dated_rules.set_rule(at.desks["head"], table, key, values, at.in_days(2), SOURCE, WHY)
    assert getattr(refused.value, "field", None) == field
    assert at.market.rows("SELECT id FROM approvals") == []
    assert at.market.rows("SELECT id FROM rule_changes") == []


@pytest.mark.parametrize("missing", ["source", "reason"])
def test_source_and_reason_are_asked(sqlite_checking: Checking, missing: str) -> None:
    at = sqlite_checking
    with pytest.raises(BadInput) as refused:
        ask(at.desks["head"], CHANGES[-1], at.in_days(2), **{missing: " "})
    assert refused.value.field == missing


def test_the_law_is_named_and_lower_is_free(sqlite_checking: Checking) -> None:
    at = sqlite_checking
    given = ("cash_rules", "pan_above_minor", {"value": 60_000_00}, at.in_days(1), SOURCE, WHY)
    with pytest.raises(BeyondTheLaw, match=r"at most ₹ 50,000.00: Income-tax Rules"):
        dated_rules.set_rule(at.desks["head"], *given)
    [card] = dated_rules.form(at.desks["auditor"], "cash_rules", "pan_above_minor")
    assert card.bound.startswith("at most ₹ 50,000.00 since 1 Nov 1998: Income-tax Rules")
    lower = Change(
        "cash_rules", "pan_above_minor", {"value": 40_000_00},
        lambda tx, day: cash_rules.cash_rules_on(tx, day, None).pan_above_minor, 0, 40_000_00,
    )  # fmt: skip
    set_by_two(at, lower, at.in_days(0))  # it asks more of the counter, so it may begin today
    assert seen(at, lower) == 40_000_00
    with looking(at.desks["ravi"]) as tx:
        assert cash_rules.cash_rules(tx, at.desks["ravi"].branch_id).pan_above_minor == 40_000_00


def test_a_law_of_later_counts_from_its_day(sqlite_checking: Checking) -> None:
    at = sqlite_checking
    with at.market.tx() as tx:
        tx.connection.exec_driver_sql(
            "INSERT INTO rule_bounds (rule_table, rule, field, effective_from, lowest, highest,"
            " source) VALUES ('cash_rules', '', 'value', '2026-03-20', NULL, 400, 'a law')"
        )
    allowed = Change("cash_rules", "token_days", {"value": 9}, lambda tx, day: None, 0, 0)
    with pytest.raises(AwaitingApproval):
        ask(at.desks["head"], allowed, date(2026, 3, 20))
    with pytest.raises(BeyondTheLaw, match="a law"):
        ask(at.desks["head"], CHANGES[-1], date(2026, 3, 20))
    with pytest.raises(AwaitingApproval):
        ask(at.desks["head"], CHANGES[-1], date(2026, 3, 19))


def test_a_tightened_rule_may_begin_today_and_bites_at_once(checking: Checking) -> None:
    at = checking
    rule = Change(
        "approval_rules", MAY_WITHDRAW, approving(amount_above_minor=LAKH, checkers="reviewer"),
        lambda tx, day: allowed_minor(tx, WITHDRAW, Role.CASHIER, day), 5 * LAKH, LAKH,
    )  # fmt: skip
    for looser in (
        approving(amount_above_minor=6 * LAKH),
        approving(amount_above_minor=LAKH, period="single"),
        approving(amount_above_minor=LAKH, checkers="branch_admin reviewer super_admin"),
        approving(amount_above_minor=LAKH, checkers=""),
        approving(amount_above_minor=LAKH, rekey_above_minor=None),
        approving(amount_above_minor=LAKH, expires_hours=9),
    ):
        with pytest.raises(BeginsTooEarly):
            dated_rules.set_rule(
                at.desks["head"], "approval_rules", MAY_WITHDRAW, looser, at.in_days(0), SOURCE, WHY
            )
    set_by_two(at, rule, at.in_days(0))
    waits = at.ask("withdraw", amount_minor=2 * LAKH)
    assert waits.names == ("Nalini Bhave",)
    assert at.card("nalini", waits.approval_id).rule_source == SOURCE


def test_a_rule_is_ended_from_a_day_on(checking: Checking) -> None:
    at = checking
    ended = Change(
        "approval_rules", MAY_WITHDRAW, approving(checkers=""),
        lambda tx, day: allowed_minor(tx, WITHDRAW, Role.CASHIER, day), 5 * LAKH, None,
    )  # fmt: skip
    set_by_two(at, ended, at.in_days(1))
    assert seen(at, ended) == 5 * LAKH
    queues.later(at.market, days=1)
    assert seen(at, ended) is None
    [row] = [row for row in rows(at, ended) if row.standing is Standing.IN_FORCE]
    assert row.said["Decided by"] == "nobody: it does not wait"


def test_a_new_rule_about_an_act_begins(checking: Checking) -> None:
    """A second level, of another key than any there is."""
    at = checking
    second = Change(
        "approval_rules", f"{WITHDRAW}/cashier//2",
        approving(amount_above_minor=8 * LAKH, checkers="super_admin"),
        lambda tx, day: None, None, None,
    )  # fmt: skip
    set_by_two(at, second, at.in_days(0))
    waits = at.ask("withdraw", amount_minor=9 * LAKH)
    assert waits.names == ("Chitra Iyer", "Dinshaw Merchant")


def test_a_new_category_is_offered_from_its_day(checking: Checking) -> None:
    at = checking
    lost = Change(
        "ticket_categories", "lost_card", {"name": "A lost card", "priority": 1},
        lambda tx, day: "lost_card" in tickets.categories_on(tx), False, True,
    )  # fmt: skip
    set_by_two(at, lost, at.in_days(1))
    assert seen(at, lost) is False
    queues.later(at.market, days=1)
    assert seen(at, lost) is True


def test_whom_a_lower_ceiling_of_later_would_pass_is_refused(sqlite_checking: Checking) -> None:
    at = sqlite_checking
    with at.market.tx() as tx:
        tx.session.add(
            CashRule(
                name="drawer_limit_ceiling_minor", effective_from=at.in_days(9), value=5 * LAKH,
                source="a test",
            )
        )  # fmt: skip
    with pytest.raises(AboveItsCeiling):
        ask(at.desks["head"], CHANGES[-1], at.in_days(2))


def test_a_bank_that_never_opens_is_refused(sqlite_checking: Checking) -> None:
    at = sqlite_checking
    baner = at.market.branch_ids[BANER]
    closed = {"opens_minute": 0, "closes_minute": 0}
    with at.market.tx() as tx:
        tx.session.add_all(
            hours.OpeningHours(
                branch_id=baner, effective_from=at.in_days(1), weekday=day, week_of_month=0,
                source="a test", **closed,
            )
            for day in range(1, 6)
        )  # fmt: skip
    with pytest.raises(NeverOpen):
        dated_rules.set_rule(
            at.desks["head"], "opening_hours", "0/6/0", dict(closed), at.in_days(1), SOURCE, WHY
        )
    with pytest.raises(AwaitingApproval):
        dated_rules.set_rule(
            at.desks["head"], "opening_hours", "0/5/0", dict(closed), at.in_days(1), SOURCE, WHY
        )


def test_who_reads_what(sqlite_checking: Checking) -> None:
    at = sqlite_checking
    read = {who: {kind.name for kind in dated_rules.kinds(at.desks[who])}
            for who in ("head", "auditor", "admin")}  # fmt: skip
    assert read["head"] == read["auditor"] == set(TABLES)
    assert read["admin"] == set(TABLES) - {"security_rules"}
    for verb in (dated_rules.rules, dated_rules.changes):
        with pytest.raises(NoSuchRule):
            verb(at.desks["admin"], "security_rules")
    with pytest.raises(NoSuchRule):
        dated_rules.form(at.desks["admin"], "security_rules", "tries")
    for who in ("ravi", "asha", "banker", "imran"):
        with pytest.raises(NotAllowed):
            dated_rules.kinds(at.desks[who])


def test_a_preview_says_what_differs_and_until_when(sqlite_checking: Checking) -> None:
    at = sqlite_checking
    head, later = at.desks["head"], at.in_days(9)
    set_by_two(at, CHANGES[-1], later)
    ahead = dated_rules.preview(
        head, "cash_rules", "drawer_limit_minor", {"value": 4 * LAKH}, at.in_days(2)
    )
    assert ahead.changes == [("A drawer holds", "₹ 5,00,000.00", "₹ 4,00,000.00")]
    assert ahead.until == later
    new = dated_rules.preview(
        head, "ticket_categories", "lost_card", {"name": "Lost", "priority": 1}, at.in_days(2)
    )
    assert new.changes == [("Name", "", "Lost"), ("Priority", "", "urgent")]
    assert new.until is None
    with pytest.raises(BeyondTheLaw):
        dated_rules.preview(head, "cash_rules", "pan_above_minor", {"value": 1 * LAKH}, later)
    assert at.market.rows("SELECT id FROM approvals WHERE status = 'pending'") == []


def test_of_two_who_set_the_same_day_one_is_told(checking: Checking) -> None:
    """Not an error of the database: the second sees what the first has set."""
    at, start = checking, threading.Barrier(4)
    at.new_rule("office.dated_rules.set_rule", checkers="")
    day, head = at.in_days(3), at.desks["head"]

    def change(number: int) -> str:
        start.wait(10)
        try:
            dated_rules.set_rule(
                head, "cash_rules", "token_days", {"value": 2 + number}, day, SOURCE, WHY
            )
        except ChangeThere:
            return "told"
        return "set"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(change, range(4))) == ["set", *["told"] * 3]


def test_a_key_that_is_long_has_a_name_in_the_trail() -> None:
    long, longer = "x" * 65, "x" * 66
    assert object_id("x" * 64) == "x" * 64
    assert len(object_id(long)) == 64
    assert object_id(long) != object_id(longer)


def test_a_desk_of_nobody_in_particular_sets_nothing(sqlite_checking: Checking) -> None:
    """The bank's own desk (import, worker, day end) changes no rule."""
    at = sqlite_checking
    with pytest.raises(NotAllowed):
        ask(desk(at.market.bank, Role.SYSTEM, branch_id=None), CHANGES[-1], at.in_days(2))


def test_a_day_later_is_what_the_second_person_must_keep(checking: Checking) -> None:
    """Agreed to after its first day it would be retroactive."""
    at = checking
    with pytest.raises(AwaitingApproval) as waits:
        ask(at.desks["head"], CHANGES[-1], at.in_days(1))
    queues.later(at.market, days=1)
    with pytest.raises(BankError, match="at the earliest"):
        at.approve("chief", waits.value.approval_id)
    assert at.status(waits.value.approval_id) == "failed"
