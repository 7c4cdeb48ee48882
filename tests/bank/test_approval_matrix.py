"""For each command that can need a checker: who may decide, who may not, and what happens when the
world has changed between the asking and the decision."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import pyotp
import pytest
from sqlalchemy import update

from bank.accounts import accounts, freezes, terms
from bank.accounts.accounts import Account, AccountStatus, FreezeKind
from bank.book import holds, ledger
from bank.book.journal import reverse_entry
from bank.core.approvals import AlreadyDecided, Approval, AwaitingApproval
from bank.core.clock import FixedClock
from bank.core.desk import CATALOGUE
from bank.core.errors import BankError, NotAllowed, NotFound
from bank.core.ids import new_request_id
from bank.core.permissions import GRANTS, NamedGrant, Permission, Role
from bank.core.secrets import Secret
from bank.counters import cash, counts, drawer_cash, handovers, supervision, vault
from bank.counters.cash_rules import CashRule
from bank.counters.supervision import SupervisorHasInterest
from bank.night import integrity
from bank.office import approvals
from bank.office.approval_cards import (
    InterestedParty,
    NoLongerHere,
    NoSuchApproval,
    NotTheChecker,
    OwnApproval,
    to_decide,
)
from bank.office.approvals import CanNeverBeDone, CannotBeDoneNow
from bank.office.rule_tables import RuleBound
from bank.people import customer_links, grants, identity, staff, staff_customers
from bank.people.confirmations import Confirmation, ConfirmationStatus
from bank.people.identity import User, UserStatus
from tests.house.test_permissions import load_catalogue
from tests.support.bank import NOON, move_clock
from tests.support.checkers import (
    CASES,
    CASH,
    LAKH,
    Case,
    Checking,
    book_closed,
    frozen,
    nilas_number,
)
from tests.support.market import pay_in

pytestmark = pytest.mark.feature("B4", "C11")
load_catalogue()
EVERYBODY: Final = (
    *("ravi", "meera", "banker", "admin", "admin_baner", "auditor"),
    *("asha", "vikram", "vera", "nalini", "girish", "imran", "head", "chief", "holder"),
)
TERMS: Final = (
    *("set rates", "set a charge", "set a policy", "call off a change"),
    *("add a charge", "add a line", "set a line"),
)
BOOK: Final = ("close the book", "open the book again")
BACKDATING: Final = ("limit backdating",)
REVERSALS: Final = ("reverse", "reverse an own slip")
COUNTER: Final = ("withdraw", "deposit", "reverse an own slip")
RULES: Final = ("set a rule", "withdraw a rule")
OF_HEAD_OFFICE: Final = (*TERMS, *BOOK, *BACKDATING, *RULES)
RIGHT: Final = [(case, who) for case in CASES.values() for who in EVERYBODY if who in case.right]


def command_of(case: Case) -> str:
    """The command a case is about, by its name in the catalogue."""
    return {
        "withdraw": "counters.cash.withdraw",
        "deposit": "counters.cash.deposit",
        "reverse": "book.journal.reverse_entry",
        "reverse an own slip": "counters.corrections.reverse_own_slip",
        "record a cashier": "people.identity.record_staff",
        "record an admin": "people.identity.record_staff",
        "hire": "people.staff.add_employee",
        "hire an admin": "people.staff.add_employee",
        "edit": "people.staff.edit_employee",
        "edit an admin": "people.staff.edit_employee",
        "change a role": "people.staff.change_role",
        "promote": "people.staff.change_role",
        "reset a password": "people.staff.reset_password",
        "reset an admin": "people.staff.reset_password",
        "reset a device": "people.staff.reset_device",
        "declare a customer": "people.staff_customers.declare_customer",
        "register a customer": "people.staff_customers.link_customer",
        "end a link": "people.staff_customers.end_customer_link",
        "give a grant": "people.grants.give_grant",
        "set rates": "accounts.terms.set_rates",
        "set a charge": "accounts.terms.set_charge",
        "set a policy": "accounts.terms.set_policy",
        "call off a change": "accounts.terms.call_off",
        "limit a branch": "counters.branch_limits.set_limit",
        "limit an employee": "people.limits.set_limit",
        "close the book": "book.book_close.close_book",
        "open the book again": "book.book_close.reopen_book",
        "limit backdating": "book.backdating.set_limit",
        "lift a freeze": "accounts.freezes.lift_freeze",
        "add a charge": "accounts.terms.add_charge",
        "add a line": "accounts.card_terms.add_line",
        "set a line": "accounts.card_terms.set_line",
        "set a rule": "office.dated_rules.set_rule",
        "withdraw a rule": "office.dated_rules.withdraw_rule",
    }[case.name]


def test_every_command_that_can_wait_has_a_case() -> None:
    checked = {name for name, verb in CATALOGUE.items() if verb.check is not None}
    assert checked == {command_of(case) for case in CASES.values()}


def refusal_of(case: Case, at: Checking, who: str) -> type[BankError]:
    """Why somebody who is wrong for a case is refused."""
    desk = at.desks[who]
    if Permission.APPROVAL_DECIDE not in GRANTS[desk.role]:
        return NotAllowed
    if who == case.maker:
        return OwnApproval
    of_head_office = case.name in OF_HEAD_OFFICE
    if not desk.sees_whole_bank and (
        of_head_office or desk.branch_id != at.desks["vera"].branch_id
    ):
        return NoSuchApproval
    if who == "holder" and case.name in {*COUNTER, "reverse", *LIFT}:
        return InterestedParty
    return NotTheChecker


def listed_for(at: Checking, who: str) -> list[int]:
    """What stands in somebody's list of approvals to decide."""
    desk = at.desks[who]
    return [row.id for row in to_decide(desk)] if desk.may(Permission.APPROVAL_DECIDE) else []


@pytest.mark.parametrize(("case", "who"), RIGHT, ids=lambda part: getattr(part, "name", part))
def test_who_decides(sqlite_checking: Checking, case: Case, who: str) -> None:
    """Every right checker of every command executes it."""
    at = sqlite_checking
    at.ask(case.name)
    before = at.footprint()
    assert listed_for(at, who) == [1]
    assert at.approve(who).row.status == "executed"
    assert at.footprint() != before
    assert at.card(who).row.checker_name == at.desks[who].name


@pytest.mark.parametrize("case", CASES.values(), ids=lambda case: case.name)
def test_who_does_not_decide(
    sqlite_checking: Checking, subtests: pytest.Subtests, case: Case
) -> None:
    """Everybody else, against every command: each is refused, and changes nothing."""
    at = sqlite_checking
    at.ask(case.name)
    before = at.footprint()
    wrong = [who for who in EVERYBODY if who not in case.right]
    assert case.maker not in case.right
    for who in wrong:
        with subtests.test(who=who):
            assert listed_for(at, who) == []
            refusal = refusal_of(case, at, who)
            for decide in (
                lambda who=who: at.approve(who),
                lambda who=who: approvals.reject(at.desks[who], 1, "no"),
                lambda who=who: approvals.send_back(at.desks[who], 1, "why?"),
            ):
                with pytest.raises(refusal):
                    decide()
            assert at.footprint() == before
            assert at.status() == "pending"


@pytest.mark.parametrize("case", CASES.values(), ids=lambda case: case.name)
@pytest.mark.parametrize(
    "change", [{"status": UserStatus.LOCKED}, {"role": Role.CASHIER}], ids=["left", "demoted"]
)
def test_a_checker_who_has_left_or_was_demoted_decides_nothing(
    sqlite_checking: Checking, case: Case, change: dict[str, object]
) -> None:
    """Their window may still be open; the tables count."""
    at = sqlite_checking
    waits = at.ask(case.name)
    who = sorted(case.right)[0]
    assert at.desks[who].name in waits.names
    at.change_user(who, branch_id=at.market.branch_ids["BANK0000001"], **change)
    with pytest.raises(NoLongerHere):
        at.approve(who)
    assert at.status() == "pending"
    assert at.desks[who].name not in at.card(case.reader).names
    assert to_decide(at.desks[who]) == []


@pytest.mark.parametrize("case", CASES.values(), ids=lambda case: case.name)
def test_the_maker_sees_who_may_decide(sqlite_checking: Checking, case: Case) -> None:
    at = sqlite_checking
    waits = at.ask(case.name)
    assert set(waits.names) == {at.desks[who].name for who in case.right}
    reader = case.reader
    card = at.card(reader)
    assert set(card.names) == set(waits.names)
    assert card.is_mine is (reader == case.maker)
    for name in waits.names:
        assert name in str(waits)


def test_the_maker_is_told_when_nobody_may(sqlite_checking: Checking) -> None:
    at = sqlite_checking
    for who in ("admin", "vera", "nalini"):
        at.change_user(who, status=UserStatus.LOCKED)
    waits = at.ask("withdraw")
    assert waits.names == ()
    assert "nobody who works here now may give it" in str(waits)
    assert at.market.balance("asha") == 10 * LAKH


def test_what_is_of_another_branch_is_not_there(sqlite_checking: Checking) -> None:
    at = sqlite_checking
    at.ask("withdraw")
    for who in ("admin_baner", "girish", "meera", "banker", "imran"):
        with pytest.raises(NotFound):
            at.card(who)
    for who in ("vera", "nalini", "auditor", "chief", "ravi"):
        assert at.card(who).row.id == 1


# The world changes.


@dataclass(frozen=True)
class Change:
    """Something that happens before the decision."""

    name: str
    happens: Callable[[Checking], object]
    says: str
    ends: bool
    cases: tuple[str, ...]


def _spend(at: Checking) -> None:
    pay_in(at.market, "asha", 1_000_00 - at.market.balance("asha"))


def _close(at: Checking) -> None:
    at.market.close_account("asha")


def _freeze(kind: FreezeKind) -> Callable[[Checking], object]:
    def change(at: Checking) -> None:
        frozen(at, kind)

    return change


def _hold(at: Checking) -> None:
    """All but a thousand rupees is reserved: the balance is there, and not to be had."""
    with at.market.tx() as tx:
        card = accounts.card_by_number(tx, at.market.number("asha"))
    left = card.booked_minor - 1_000_00
    holds.place_hold(at.desks["vera"], card.id, left, "A lien", request_id=new_request_id())


def _linked(at: Checking) -> None:
    with at.market.tx() as tx:
        customer_links.add_link(tx, at.id("gita"), nilas_number(at))


def _link_ended(at: Checking) -> None:
    at.new_rule(command_of(CASES["end a link"]), checkers="")
    staff_customers.end_customer_link(at.desks["head"], at.id("imran"), at.link_id, "Seen first")


def _lifted(at: Checking) -> None:
    at.new_rule("accounts.freezes.lift_freeze", checkers="")
    freezes.lift_freeze(at.desks["chief"], at.freeze_id, "Head office was first")


def _freeze_more(at: Checking) -> None:
    frozen(at, FreezeKind.CREDIT, order="13/2026")


def _maker(**values: object) -> Callable[[Checking], object]:
    def change(at: Checking) -> None:
        at.change_user(at.maker, **values)

    return change


def _reverse_first(at: Checking) -> None:
    with at.market.tx(at.desks["vera"]) as tx:
        ledger.reverse(tx, at.entry_id, reason="seen first", request_id=new_request_id())


def _take_name(at: Checking) -> None:
    with at.market.tx() as tx:
        identity.add_user_row(
            tx, username="meera.s", name="Another", email="a@bank.example.com",
            role=Role.AUDITOR, branch_id=None, password_hash="$2b$04$" + "." * 53,
        )  # fmt: skip


def close_drawer(at: Checking) -> None:
    """Ravi goes home: his drawer is counted and its cash taken back."""
    drawer_id = at.market.drawers["ravi"]
    counts.start_count(at.desks["ravi"], drawer_id)
    counts.enter_count(at.desks["ravi"], drawer_id, {"note-500": CASH // 500_00})
    vault.close_drawer(at.desks["admin"], drawer_id)


def _return_cash(at: Checking) -> None:
    pieces = {"note-500": CASH // 500_00}
    ravi, drawer_id = at.desks["ravi"], at.market.drawers["ravi"]
    offered = handovers.offer_cash(ravi, drawer_id, pieces, request_id=new_request_id())
    handovers.confirm_handover(at.desks["admin"], offered)


def _count(at: Checking) -> None:
    counts.start_count(at.desks["ravi"], at.market.drawers["ravi"])


def _imran(**values: object) -> Callable[[Checking], object]:
    def change(at: Checking) -> None:
        at.change_user("imran", **values)

    return change


def _has_grant(at: Checking) -> None:
    at.new_rule("people.grants.give_grant", checkers="")
    at.again("give a grant")


def _two_days(at: Checking) -> None:
    assert isinstance(at.market.bank.clock, FixedClock)
    at.market.bank.clock.at += timedelta(days=2)


def _set_before(at: Checking) -> None:
    at.new_rule("accounts.terms.set_rates", checkers="")
    terms.set_rates(at.desks["chief"], "savings", at.in_days(2), 310, 0, 0, "Seen first")


def _gita(**values: object) -> Callable[[Checking], object]:
    def change(at: Checking) -> None:
        at.change_user("gita", **values)

    return change


def _set_first(case: str) -> Callable[[Checking], object]:
    def change(at: Checking) -> None:
        at.new_rule(command_of(CASES[case]), checkers="")
        at.again(case)

    return change


def _lower_ceiling(at: Checking) -> None:
    today = at.market.bank.clock.business_date()
    with at.market.tx() as tx:
        tx.session.add(
            CashRule(
                name="drawer_limit_ceiling_minor",
                effective_from=today,
                value=7 * LAKH,
                source="a rule of the tests",
            )
        )


def _lowest_ceiling(at: Checking) -> None:
    with at.market.tx() as tx:
        tx.session.add(
            CashRule(
                name="drawer_limit_ceiling_minor",
                effective_from=at.in_days(0),
                value=5 * LAKH,
                source="a rule of the tests",
            )
        )


def _law_of_drawers(at: Checking) -> None:
    with at.market.tx() as tx:
        tx.session.add(
            RuleBound(
                rule_table="cash_rules",
                rule="drawer_limit_minor",
                field="value",
                effective_from=at.in_days(0),
                lowest=None,
                highest=100,
                source="a law",
            )
        )


def _tighten_for_all(at: Checking) -> None:
    at.new_rule("counters.cash.withdraw", role="cashier", amount_above_minor=LAKH - 1)


def _closed_further(at: Checking) -> None:
    book_closed(at, at.in_days(-1), "Seen first")


def _check_failed(at: Checking) -> None:
    integrity.keep_result(at.desks["auditor"], "entries_balance", 3, 0.1)


def _drawer_left(at: Checking) -> None:
    left = f"UPDATE drawers SET business_date = '2026-02-01' WHERE id = {at.market.drawers['ravi']}"
    with at.market.tx() as tx:
        tx.connection.exec_driver_sql(left)


def _next_day(at: Checking) -> None:
    move_clock(at.market.bank, NOON + timedelta(days=1))


_gone: Final = _imran(status=UserStatus.REMOVED)
_has_role: Final = _imran(role=Role.REVIEWER)
_no_device: Final = _imran(totp_secret=None)
_admin_now: Final = _imran(role=Role.BRANCH_ADMIN)
_other_mail: Final = _imran(email="other@bank.example")
ALL: Final = tuple(CASES)
FROZEN: Final = r"total freeze since 16 Mar 2026, order 12/2026: nothing is paid out of it or into"
LIFT: Final = ("lift a freeze",)
LINKED: Final = ("declare a customer", "register a customer")
BY_RIGHT: Final = tuple(name for name in CASES if name != LINKED[0])  # every employee may declare
BRANCH: Final = ("limit a branch",)
EMPLOYEE: Final = ("limit an employee",)
ADDED: Final = ("record a cashier", "record an admin", "hire", "hire an admin")
ABOUT_IMRAN: Final = (
    "edit", "change a role", "reset a password", "reset a device", "give a grant",
    "register a customer", "end a link", "promote"
)  # fmt: skip
CHANGES: Final = [
    Change("the balance is gone", _spend, "available|not enough", False, ("withdraw", *REVERSALS)),
    Change("frozen", _freeze(FreezeKind.TOTAL), FROZEN, False, ("withdraw", "deposit")),
    Change("frozen for debits", _freeze(FreezeKind.DEBIT), "debit freeze", False, ("withdraw",)),
    Change("frozen for credits", _freeze(FreezeKind.CREDIT), "credit freeze", False, ("deposit",)),
    Change("held", _hold, "available|not enough", False, ("withdraw", *REVERSALS)),
    Change("it was lifted before", _lifted, "lifted already", True, LIFT),
    Change("another order has come", _freeze_more, "no longer what you", False, LIFT),
    Change("the account is closed", _close, "closed", True, ("withdraw", "deposit")),
    Change("the drawer is closed", close_drawer, "no open drawer", False, COUNTER),
    Change("the drawer is counted", _count, "no open drawer", False, COUNTER),
    Change("the cash has gone", _return_cash, "cashier's drawer holds ₹ 0", False, COUNTER[::2]),
    Change(
        "the maker has left", _maker(status=UserStatus.LOCKED), "no longer an active", True, ALL
    ),
    Change(
        "the maker was demoted",
        _maker(role=Role.EXECUTIVE, branch_id=1),
        "no longer do",
        True,
        BY_RIGHT,
    ),
    Change("the maker has moved", _maker(branch_id=2), "another branch", True, ALL),
    Change("it was reversed by another", _reverse_first, "reversed already", True, REVERSALS),
    Change("the name is taken", _take_name, "taken", True, ADDED),
    Change("it is somebody else's", _linked, "linked to an employee already", True, LINKED),
    Change("the link has ended", _link_ended, "ended already", True, ("end a link",)),
    Change("they have left", _gone, "was removed", True, ABOUT_IMRAN),
    Change("they have that role", _has_role, "as it was", True, ("change a role",)),
    Change("they have that grant", _has_grant, "hold this grant", True, ("give a grant",)),
    Change("their device is forgotten", _no_device, "no device", True, ("reset a device",)),
    Change("they are an admin now", _admin_now, "Head office", True, ABOUT_IMRAN[:-1]),
    Change("its notice has passed", _two_days, "notice|No such change is to come", True, TERMS),
    Change("another change is there", _set_before, "Another change is to come", True, TERMS[:1]),
    Change("their mail is another", _other_mail, "no longer what you", False, ("edit",)),
    Change("the cashier has left", _gita(status=UserStatus.REMOVED), "was removed", True, EMPLOYEE),
    Change("they left the counter", _gita(role=Role.REVIEWER), "take and pay cash", True, EMPLOYEE),
    Change("the rule is stricter", _tighten_for_all, "asks a second person", True, EMPLOYEE),
    Change("the ceiling is lower", _lower_ceiling, "more than ₹ 7,00,000", True, BRANCH),
    Change("that limit was set", _set_first(BRANCH[0]), "counts on that day", True, BRANCH),
    Change("their limit was set", _set_first(EMPLOYEE[0]), "counts on that day", True, EMPLOYEE),
    Change("its first day is over", _next_day, "today or later", True, (*BRANCH, *EMPLOYEE)),
    Change("the book was closed", _closed_further, "Somebody has closed the book", True, BOOK),
    Change("a check has failed", _check_failed, "no longer what you", False, BOOK[:1]),
    Change(
        "a drawer is left",
        _drawer_left,
        "1 Feb 2026: Ravi Kumar has",
        False,
        BOOK[:1],
    ),
    Change("another limit was set", _set_first(BACKDATING[0]), "another limit", True, BACKDATING),
    Change("the first day is over", _next_day, "today or a later day", True, BACKDATING),
    Change("the rule has begun", _next_day, "at the earliest|No such change", True, RULES),
    Change("that rule was set", _set_first(RULES[0]), "begins on that day", True, RULES[:1]),
    Change("its law is stricter", _law_of_drawers, "at most ₹ 1.00: a law", True, RULES[:1]),
    Change("its ceiling is lower", _lowest_ceiling, "above its ceiling", False, RULES[:1]),
]
CHANGED: Final = [(CASES[name], change) for change in CHANGES for name in change.cases]


@pytest.mark.parametrize(("case", "change"), CHANGED, ids=lambda part: part.name.replace(" ", "_"))
def test_what_the_world_has_overtaken_is_refused_with_the_reason(
    checking: Checking, case: Case, change: Change
) -> None:
    at = checking
    at.ask(case.name)
    change.happens(at)
    before = at.footprint()
    who = sorted(case.right)[0]
    with pytest.raises(CanNeverBeDone if change.ends else CannotBeDoneNow, match=change.says):
        at.approve(who)
    assert at.footprint() == before, "nothing of it has happened"
    card = at.card(who)
    assert card.row.status == ("failed" if change.ends else "pending")
    last = card.history[-1]
    assert (last.what, last.by_name) == (
        "failed" if change.ends else "refused",
        at.desks[who].name,
    )
    if change.ends:
        with pytest.raises(AlreadyDecided):
            at.approve(who)


@pytest.mark.parametrize("case", CASES.values(), ids=lambda case: case.name)
def test_a_tightened_rule_counts_at_once(checking: Checking, case: Case) -> None:
    """Whom the rule of the asking named may not decide any more; whom the new one names sees it."""
    at = checking
    at.ask(case.name)
    at.new_rule(command_of(case), level=2, checkers="reviewer", source="tightened")
    for who in case.right - {"nalini"}:
        with pytest.raises(NotTheChecker, match="it is for a reviewer"):
            at.approve(who)
    assert at.status() == "pending"
    if case.name in OF_HEAD_OFFICE:  # head office's own: a reviewer sees what belongs to a branch
        assert to_decide(at.desks["nalini"]) == []
        assert at.card("chief").names == []
        return
    assert [row.id for row in to_decide(at.desks["nalini"])] == [1]
    assert at.card("nalini").rule_source == "tightened"
    assert at.approve("nalini").row.status == "executed"


def test_money_that_comes_back_makes_it_possible_again(checking: Checking) -> None:
    at = checking
    at.ask("withdraw")
    pay_in(at.market, "asha", -9 * LAKH)
    with pytest.raises(CannotBeDoneNow):
        at.approve("vera")
    pay_in(at.market, "asha", 9 * LAKH)
    assert at.approve("nalini").row.status == "executed"
    assert at.market.balance("asha") == 4 * LAKH
    assert at.history() == [
        ("asked", "Ravi Kumar"),
        ("refused", "Vera Lobo"),
        ("executed", "Nalini Bhave"),
    ]


@pytest.mark.feature("B4", "B17")
@pytest.mark.parametrize("kind", FreezeKind)
def test_an_error_is_put_right_whatever_stands_on_the_account(
    checking: Checking, kind: FreezeKind
) -> None:
    """A reversal is nobody's wish: the freeze does not keep money where it never belonged."""
    at = checking
    at.ask("reverse")
    frozen(at, kind)
    assert at.approve("vera").row.status == "executed"
    assert at.market.balance("asha") == 10 * LAKH


@pytest.mark.feature("B4", "B17")
def test_a_freeze_that_is_lifted_makes_it_possible_again(checking: Checking) -> None:
    at = checking
    at.ask("withdraw")
    at.freeze_id = frozen(at, FreezeKind.DEBIT)
    with pytest.raises(CannotBeDoneNow, match="debit freeze"):
        at.approve("vera")
    waits = at.ask("lift a freeze")
    at.approve("nalini", waits.approval_id)
    assert at.approve("vera", 1).row.status == "executed"
    assert at.market.balance("asha") == 4 * LAKH


@pytest.mark.feature("B4", "B6")
def test_a_drawer_opened_anew_makes_it_possible_again(checking: Checking) -> None:
    at = checking
    at.ask("withdraw")
    close_drawer(at)
    with pytest.raises(CannotBeDoneNow):
        at.approve("vera")
    at.market.open_drawer("ravi", "admin", note_500=2000)
    assert at.approve("vera").row.status == "executed"
    [slip] = at.market.rows("SELECT drawer_id, supervisor_id FROM cash_slips")
    assert slip == {"drawer_id": at.market.drawers["ravi"], "supervisor_id": None}
    with at.market.tx() as tx:
        assert drawer_cash.in_drawer(tx, at.market.drawers["ravi"]) == 4 * LAKH


@pytest.mark.feature("B4", "B6")
def test_one_second_person_is_enough_and_the_preview_says_which(sqlite_checking: Checking) -> None:
    at = sqlite_checking
    ravi, number = at.desks["ravi"], at.market.number("asha")

    def ahead(kind: str, amount_minor: int) -> cash.CashPreview:
        return cash.preview_cash(ravi, kind, number, amount_minor, "P1")

    small, middle = ahead("cash_withdrawal", 2 * LAKH), ahead("cash_withdrawal", 2 * LAKH + 1)
    large = ahead("cash_withdrawal", 5 * LAKH + 1)
    assert (small.supervised, small.waits) == ("", "")
    assert (bool(middle.supervised), middle.waits) == (True, "")
    assert large.supervised == ""
    assert large.waits == (
        "This will wait for approval by Arun Nair, Nalini Bhave or Vera Lobo: with it you have paid"
        " out ₹ 5,00,000.01 on this account today, and above ₹ 5,00,000.00 a second person decides."
    )
    assert ahead("cash_deposit", 10 * LAKH).waits == ""
    assert "taken ₹ 10,00,000.01" in ahead("cash_deposit", 10 * LAKH + 1).waits
    cash.withdraw(
        ravi, number, 3 * LAKH, "P2", vouched=at.market.vouch(3 * LAKH, "P2"),
        request_id=new_request_id(),
    )  # fmt: skip
    assert "paid out ₹ 6,00,000.00" in ahead("cash_withdrawal", 3 * LAKH).waits, "the day counts"
    waits = at.ask("withdraw", amount_minor=3 * LAKH)  # no proof of a supervisor: it waits
    assert at.approve("vera", waits.approval_id).row.status == "executed"


def test_a_rule_that_no_longer_bites_leaves_the_decision_to_whom_was_asked(
    sqlite_checking: Checking,
) -> None:
    at = sqlite_checking
    at.ask("withdraw")
    at.new_rule("counters.cash.withdraw", role="cashier", amount_above_minor=50 * LAKH)
    with pytest.raises(NotTheChecker):
        at.approve("chief")
    assert at.approve("vera").row.status == "executed"


def test_other_lines_than_the_checker_saw_are_not_booked(checking: Checking) -> None:
    at = checking
    at.ask("withdraw")
    shown = at.card().lines
    with at.market.tx() as tx:
        forged = str(shown[1]["ledger"]).replace("2000", "2001")
        text = tx.session.get_one(Approval, 1).lines.replace(str(shown[1]["ledger"]), forged)
        tx.session.execute(update(Approval).values(lines=text))
    with pytest.raises(CannotBeDoneNow, match="other lines"):
        at.approve("vera")
    assert at.market.balance("asha") == 10 * LAKH
    assert at.card().lines == shown, "the new ones are shown"
    assert at.approve("vera").row.status == "executed"


def test_a_closed_account_refuses_at_once_and_nothing_waits(sqlite_checking: Checking) -> None:
    at = sqlite_checking
    with at.market.tx() as tx:
        tx.session.execute(update(Account).values(status=AccountStatus.CLOSED))
    with pytest.raises(BankError, match="closed"):
        at.again("withdraw")
    assert at.market.rows("SELECT * FROM approvals") == []


def test_an_entry_that_was_reversed_meanwhile_by_the_maker_is_not_reversed_twice(
    checking: Checking,
) -> None:
    at = checking
    at.ask("reverse")
    other = new_request_id()
    at.new_rule("book.journal.reverse_entry", amount_above_minor=50 * LAKH)
    assert not reverse_entry(at.desks["admin"], at.entry_id, "at once", other).replayed
    with pytest.raises(CanNeverBeDone):
        at.approve("vera")


@pytest.mark.parametrize("mail", ["asha@example.com", "ASHA@Example.com"])
def test_a_mail_address_says_who_it_is_too(sqlite_checking: Checking, mail: str) -> None:
    """Where nobody has registered anything: the same address as the customer's."""
    at = sqlite_checking
    at.ask("withdraw")
    at.change_user("vera", email=mail)
    with pytest.raises(InterestedParty, match="holder of the account"):
        at.approve("vera")
    assert "Vera Lobo" not in at.card().names


def test_a_link_that_has_ended_binds_nobody(checking: Checking) -> None:
    at = checking
    for kind in ("", "branch_admin"):
        at.new_rule("people.staff_customers.end_customer_link", kind=kind, checkers="")
    [link] = staff_customers.customer_links_of(at.desks["admin"], at.id("holder"))
    at.ask("withdraw")
    with pytest.raises(InterestedParty):
        at.approve("holder")
    ended = (at.id("holder"), link.id, "Another Asha")
    staff_customers.end_customer_link(at.desks["head"], *ended)
    assert at.approve("holder").row.status == "executed"


def test_who_stands_behind_the_account_stands_not_by_at_the_window(checking: Checking) -> None:
    """Inline supervision asks for the same interest, when the code is typed and when it counts."""
    at, said = checking, "is holder of the account"
    key = Secret(pyotp.random_base32())
    with at.market.tx() as tx:
        sealed = at.market.bank.keyring.encrypt("totp", key.reveal())
        tx.session.get_one(User, at.id("holder")).totp_secret = sealed
    number, sentence = at.market.number("asha"), "Pay ₹ 3,00,000.00 in cash"
    code = Secret(pyotp.TOTP(key.reveal()).at(at.market.bank.clock.now()))
    with pytest.raises(SupervisorHasInterest, match=said):
        supervision.vouch(at.desks["ravi"], sentence, "holder.more", code, account=number)
    with at.market.tx(at.desks["ravi"]) as tx:
        row = Confirmation(
            user_id=at.id("holder"),
            session_id=at.desks["ravi"].session_id,
            purpose=supervision.PURPOSE,
            bound_to=f"Pay ₹ 3,00,000.00 in cash from account {number} of Asha Rao, slip V1,"
            " at Fort",
            proof="totp",
            status=ConfirmationStatus.GIVEN,
            made_at=tx.now,
            expires_at=tx.now + timedelta(minutes=5),
        )
        tx.session.add(row)
        tx.session.flush()
        vouched = row.id
    given = (at.desks["ravi"], number, 3 * LAKH, "V1")
    with pytest.raises(SupervisorHasInterest, match=said):
        cash.withdraw(*given, vouched=vouched, request_id=new_request_id())
    assert at.market.balance("asha") == 10 * LAKH
    other = at.market.vouch(3 * LAKH, "V1")
    cash.withdraw(*given, vouched=other, request_id=new_request_id())
    assert at.market.balance("asha") == 7 * LAKH


@pytest.mark.feature("B4", "B6")
def test_who_stands_behind_a_slip_of_the_drawer_does_not_sign_for_its_difference(
    checking: Checking,
) -> None:
    """What is short may be what they were paid too much."""
    at = checking
    at.market.deposit("asha", 2_000_00)
    drawer_id = at.market.drawers["ravi"]
    counts.start_count(at.desks["ravi"], drawer_id)
    counts.enter_count(at.desks["ravi"], drawer_id, {"note-500": CASH // 500_00})
    once = new_request_id()
    with pytest.raises(SupervisorHasInterest, match="a slip of this drawer is about"):
        counts.settle_difference(at.desks["holder"], drawer_id, "not found", request_id=once)
    assert counts.settle_difference(at.desks["vera"], drawer_id, "not found", request_id=once)


def test_nobody_decides_about_themselves(sqlite_checking: Checking) -> None:
    at = sqlite_checking
    with pytest.raises(AwaitingApproval) as waits:
        staff.reset_password(at.desks["head"], at.id("chief"))
    assert waits.value.names == (), "there is no third person at head office"
    assert to_decide(at.desks["chief"]) == []
    with pytest.raises(InterestedParty, match="the person it is about"):
        at.approve("chief")
    assert at.status() == "pending"


def test_other_values_than_the_checker_saw_are_not_changed(checking: Checking) -> None:
    """Two who edit the same employee: the second is seen again before it undoes the first."""
    at = checking
    at.ask("edit")
    at.change_user("imran", email="other@bank.example")
    with pytest.raises(CannotBeDoneNow, match="no longer what you were shown"):
        at.approve("vera")
    changes = at.card("vera").changes
    assert changes == [("email", "other@bank.example", "new@bank.example")]
    assert at.approve("vera").row.status == "executed"
    [row] = at.market.rows(f"SELECT email FROM users WHERE id = {at.id('imran')}")
    assert row["email"] == "new@bank.example"


def test_what_somebody_was_given_by_name_counts_until_the_decision(checking: Checking) -> None:
    """A supervisor's correction is executed as theirs, while they are one."""
    at = checking
    today = at.market.bank.clock.business_date()
    at.new_rule("people.grants.give_grant", checkers="")
    given = grants.give_grant(
        at.desks["admin"], at.id("imran"), NamedGrant.SUPERVISOR, today, None, "Vera is away"
    )
    imran = replace(at.desks["imran"], named=frozenset({NamedGrant.SUPERVISOR}))
    for _ in range(2):
        entry_id = at.market.deposit("asha", 2 * LAKH).entry_id
        with pytest.raises(AwaitingApproval):
            reverse_entry(imran, entry_id, "typed twice", new_request_id())
    assert at.approve("vera", 1).row.status == "executed"
    grants.end_grant(at.desks["admin"], given, "back again")
    with pytest.raises(CanNeverBeDone, match="may no longer do this"):
        at.approve("vera", 2)
