"""The page of rules: head office changes one, a second person agrees, the auditor reads."""

from typing import Final

import pytest
from streamlit.testing.v1 import AppTest

from bank.office import approvals, dated_rules
from tests.pages.test_help import press
from tests.support import queues
from tests.support.apptest import Pages, words_of
from tests.support.checkers import LAKH, Checking
from tests.support.market import FORT

pytestmark = pytest.mark.feature("B36")
PAGE: Final = "head_office/rules.py"


def said_on(page: AppTest) -> str:
    """What a page says, as a person reads it."""
    return words_of(page).replace("\\", "")


def opened(pages: Pages, at: Checking, table: str, who: str = "head") -> AppTest:
    """The page with one kind of rules on it."""
    page = pages.open(at.desks[who], PAGE)
    page.selectbox("rules_kind").set_value(table).run()
    return page


def chosen(page: AppTest, table: str, key: str) -> None:
    """A person chooses a rule in force."""
    page.session_state[f"rules_{table}_chosen"] = key
    page.run()


def test_a_rule_is_previewed_proposed_agreed_to_and_withdrawn(
    pages: Pages, sqlite_checking: Checking
) -> None:
    at = sqlite_checking
    page = opened(pages, at, "cash_rules")
    assert "No change is to come" in said_on(page)
    assert "Head office has not changed these rules yet" in said_on(page)
    chosen(page, "cash_rules", "drawer_limit_minor")
    form = "rule_cash_rules_drawer_limit_minor"
    assert page.text_input(f"{form}_value").value == "5,00,000.00"
    page.text_input(f"{form}_value").set_value("six lakh")
    page.text_input(f"{form}_reason").set_value("Fewer returns of cash")
    press(page, "Show what changes")
    assert page.error[0].value.startswith("**What it rests on:**")
    page.text_input(f"{form}_source").set_value("Resolution 14")
    press(page, "Show what changes")
    assert page.error[0].value.startswith("**A drawer holds:**")
    assert page.text_input(f"{form}_value").value == "six lakh", "what was typed stays"
    page.text_input(f"{form}_value").set_value("6L")
    page.date_input(f"{form}_from").set_value(at.in_days(0))
    press(page, "Show what changes")
    assert page.error[0].value.startswith("**From:**"), "more cash needs a day of notice"
    page.date_input(f"{form}_from").set_value(at.in_days(2))
    press(page, "Show what changes")
    for part in ("₹ 5,00,000.00", "₹ 6,00,000.00", "from 18 Mar 2026", "Resolution 14"):
        assert part in said_on(page), part
    assert at.market.rows("SELECT id FROM approvals") == [], "nothing was asked for yet"
    press(page, "Propose this change")
    assert "Waits for approval by Chitra Iyer" in said_on(page)
    assert "Change of a rule" in said_on(page), "it stands on the rule itself"
    approvals.approve(at.desks["chief"], 1)
    page = opened(pages, at, "cash_rules")
    assert "No change is to come" not in said_on(page)
    assert "Chitra Iyer" in said_on(page), "who agreed stands in the history"
    day = at.in_days(2).isoformat()
    page.session_state["rules_coming_cash_rules_chosen"] = f"drawer_limit_minor {day}"
    page.run()
    press(page, "Withdraw this change")
    assert page.error[0].value.startswith("**Reason:**")
    [reason] = [box for box in page.text_input if (box.key or "").startswith("rule_off_")]
    reason.set_value("Decided otherwise")
    press(page, "Withdraw this change")
    approvals.approve(at.desks["chief"], 2)
    page = opened(pages, at, "cash_rules")
    assert "No change is to come" in said_on(page)
    assert "Withdrawn" in said_on(page)


def test_what_a_law_allows_stands_below_the_field(pages: Pages, sqlite_checking: Checking) -> None:
    at = sqlite_checking
    page = opened(pages, at, "cash_rules")
    chosen(page, "cash_rules", "pan_above_minor")
    assert "By law at most ₹ 50,000.00 since 1 Nov 1998: Income-tax Rules 1962" in said_on(page)
    form = "rule_cash_rules_pan_above_minor"
    page.text_input(f"{form}_value").set_value("60000")
    page.text_input(f"{form}_source").set_value("Resolution 15")
    page.text_input(f"{form}_reason").set_value("Customers ask")
    press(page, "Show what changes")
    assert (
        page.error[0]
        .value.replace("\\", "")
        .startswith("**PAN is asked above:** This may be at most ₹ 50,000.00: Income-tax Rules")
    )


def test_a_branch_gets_hours_of_its_own(pages: Pages, sqlite_checking: Checking) -> None:
    """A new rule: its key is chosen, its times are typed."""
    at, form = sqlite_checking, "rule_opening_hours_new"
    page = opened(pages, at, "opening_hours")
    page.selectbox(f"{form}_branch_id").set_value(at.market.branch_ids[FORT])
    page.text_input(f"{form}_source").set_value("Resolution 16")
    page.text_input(f"{form}_reason").set_value("Market day")
    press(page, "Show what changes")
    assert page.error[0].value.startswith("**Weekday:**")
    page.selectbox(f"{form}_weekday").set_value(3)
    page.text_input(f"{form}_opens_minute").set_value("9")
    press(page, "Show what changes")
    assert page.error[0].value.startswith("**Opens:**")
    page.text_input(f"{form}_opens_minute").set_value("9:00")
    page.text_input(f"{form}_closes_minute").set_value("18.30")
    press(page, "Show what changes")
    assert "18:30" in said_on(page)
    press(page, "Propose this change")
    approvals.approve(at.desks["chief"], 1)
    [row] = dated_rules.rules(at.desks["auditor"], "opening_hours")[-1:]
    assert row.values == {"opens_minute": 540, "closes_minute": 1110}
    assert row.title == "Fort, Wednesday"
    queues.later(at.market, days=1)
    assert "09:00 to 18:30" in said_on(pages.open(at.desks["ravi"], "admin/holidays.py"))


def test_whom_an_act_asks_is_chosen_by_name(pages: Pages, sqlite_checking: Checking) -> None:
    at, key = sqlite_checking, "counters.cash.withdraw/cashier//1"
    page = opened(pages, at, "approval_rules")
    chosen(page, "approval_rules", key)
    form = f"rule_approval_rules_{key}"
    assert page.multiselect(f"{form}_checkers").value == ["branch_admin", "reviewer"]
    page.multiselect(f"{form}_checkers").set_value(["reviewer"])
    page.text_input(f"{form}_amount_above_minor").set_value("2L")
    page.number_input(f"{form}_expires_hours").set_value(4)
    page.text_input(f"{form}_source").set_value("Resolution 17")
    page.text_input(f"{form}_reason").set_value("A fraud at another bank")
    page.date_input(f"{form}_from").set_value(at.in_days(0))
    press(page, "Show what changes")
    press(page, "Propose this change")
    approvals.approve(at.desks["chief"], 1)
    waits = at.ask("withdraw", amount_minor=3 * LAKH)
    assert waits.names == ("Nalini Bhave",)


@pytest.mark.parametrize("who", ["auditor", "admin"])
def test_others_read_and_are_offered_nothing(
    pages: Pages, sqlite_checking: Checking, who: str
) -> None:
    at = sqlite_checking
    page = opened(pages, at, "work_rules", who)
    for part in ("Tickets, urgent", "60 open minutes", "Head office changes these rules",
                 "No change is to come"):  # fmt: skip
        assert part in said_on(page), part
    labels = {button.label for button in page.button}
    assert not labels & {"Show what changes", "Propose this change", "Withdraw this change"}
    offered = {kind.name for kind in dated_rules.kinds(at.desks[who])}
    assert ("security_rules" in offered) is (who == "auditor")


def test_a_kind_without_rules_says_so(pages: Pages, sqlite_checking: Checking) -> None:
    at = sqlite_checking
    with at.market.tx() as tx:
        tx.connection.exec_driver_sql("DELETE FROM ticket_categories")
    page = opened(pages, at, "ticket_categories", "auditor")
    assert "No rule of this kind is in force" in said_on(page)


def test_old_rules_stay_readable(pages: Pages, sqlite_checking: Checking) -> None:
    """Old days go by them."""
    at = sqlite_checking
    at.new_rule("office.dated_rules.set_rule", checkers="")
    dated_rules.set_rule(
        at.desks["head"], "cash_rules", "token_days", {"value": 2}, at.in_days(1), "R 1", "Rain"
    )
    queues.later(at.market, days=1)
    page = opened(pages, at, "cash_rules", "auditor")
    assert [one.label for one in page.expander] == ["Rules of before (1)"]
    assert "1 day" in said_on(page)
