"""The demo's mailbox and codes exist in a demo bank and nowhere else; the rules are dated rows."""

from datetime import date, timedelta

import pytest

from bank.core import outbox
from bank.core.desk import Bank, chunk, looking
from bank.core.errors import NotFound
from bank.core.permissions import Role
from bank.people import demo, sign_in
from bank.people.attempts import SignInStatus
from bank.people.rules import SecurityRule, rules, rules_on
from tests.support import people
from tests.support.bank import desk
from tests.support.people import guest

pytestmark = [pytest.mark.usefixtures("cheap_bcrypt"), pytest.mark.feature("A1.6")]


def test_a_visitor_of_the_demo_sees_every_code_and_gets_in(bank: Bank) -> None:
    ravi, asha = people.employee(bank), people.customer(bank)
    shown = people.as_demo(bank)
    staff, customer = demo.demo_codes(guest(shown))
    assert (staff.username, staff.role, staff.branch) == ("ravi", Role.CASHIER, "Branch 001")
    assert 0 < staff.seconds_left <= 30
    assert (customer.username, customer.code) == (asha.username, "")
    step = people.enter_password(bank, ravi)
    assert staff.code == people.device_code(bank, ravi.key).reveal()
    assert sign_in.enter_code(guest(bank), step.token, people.second_step(bank, ravi))
    people.enter_password(bank, asha)
    [mail] = outbox.messages(guest(shown))
    assert people.mailed_code(bank, asha).reveal() in mail.body


def test_a_device_that_is_being_set_up_counts_already(sqlite_bank: Bank) -> None:
    ravi = people.employee(sqlite_bank, has_device=False)
    step = people.enter_password(sqlite_bank, ravi)
    assert step.due is SignInStatus.SET_UP_DUE
    [shown] = demo.demo_codes(guest(people.as_demo(sqlite_bank)))
    key = sign_in.device_offer(guest(sqlite_bank), step.token).key
    assert shown.code == people.device_code(sqlite_bank, key).reveal()


@pytest.mark.parametrize("role", [Role.GUEST, Role.CUSTOMER, Role.SUPER_ADMIN])
def test_any_other_bank_knows_no_such_thing(bank: Bank, role: Role) -> None:
    people.employee(bank)
    for verb in (demo.demo_codes, outbox.messages):
        with pytest.raises(NotFound):
            verb(desk(bank, role))


def test_the_rules_are_those_of_the_day(bank: Bank) -> None:
    system = desk(bank, Role.SYSTEM)
    with looking(system) as tx:
        assert rules(tx).idle_minutes == 15
    tomorrow = bank.clock.business_date() + timedelta(days=1)
    with chunk(system, "test.rules") as tx:
        rule = SecurityRule(
            name="idle_minutes", effective_from=tomorrow, value=5, source="a test of tomorrow"
        )
        tx.session.add(rule)
    with looking(system) as tx:
        assert rules_on(tx, tomorrow).idle_minutes == 5
        assert rules_on(tx, tomorrow - timedelta(days=1)).idle_minutes == 15
    people.later(bank, hours=11, minutes=59)  # 23:59 in India
    with looking(system) as tx:
        assert rules(tx).idle_minutes == 15
    people.later(bank, minutes=1)
    with looking(system) as tx:
        assert rules(tx).idle_minutes == 5


def test_a_rule_entered_today_is_in_force_within_a_minute(sqlite_bank: Bank) -> None:
    system = desk(sqlite_bank, Role.SYSTEM)
    with looking(system) as tx:
        rules(tx)
    with chunk(system, "test.rules") as tx:
        rule = SecurityRule(
            name="tries", effective_from=tx.business_date, value=3, source="a test of today"
        )
        tx.session.add(rule)
    people.later(sqlite_bank, seconds=60)
    with looking(system) as tx:
        assert rules(tx).tries == 3


def test_a_rule_without_a_value_is_a_bug(sqlite_bank: Bank) -> None:
    with looking(desk(sqlite_bank, Role.SYSTEM)) as tx:
        with pytest.raises(KeyError):
            rules_on(tx, date(2019, 12, 31))
