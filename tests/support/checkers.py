"""Everybody who might decide, and a case for each command that can need a second person.

    def test_x(checking): checking.ask("withdraw"); checking.approve("vera")

The market's people and more of them: a second admin, reviewers of both branches, head office, and
an admin who banks here, too, at Asha's mail address.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

import pytest
from sqlalchemy import func, select, update

from bank import app
from bank.accounts import card_terms, freezes, terms
from bank.accounts.accounts import FreezeKind
from bank.accounts.rate_card import Card, RateLine, RateLineTerm
from bank.accounts.tariff import ChargeTerm, What
from bank.book import backdating, book_close, book_days, journal
from bank.book.book_days import BookClosing
from bank.book.tables import JournalEntry
from bank.core.approval_rules import ApprovalRule, Window
from bank.core.approvals import AwaitingApproval
from bank.core.desk import Bank, Desk
from bank.core.ids import new_request_id
from bank.core.permissions import NamedGrant, Role
from bank.core.secrets import Secret
from bank.counters import branch_limits, cash, corrections
from bank.counters.cash_rules import BranchLimitName, CashRule
from bank.office import approvals, dated_rules
from bank.office.approval_cards import approval_card
from bank.office.approval_rows import ApprovalCard
from bank.people import (
    customer_links,
    customers,
    grants,
    identity,
    limits,
    staff,
    staff_customers,
)
from bank.people.identity import User
from bank.people.limits import LimitKind
from tests.support import market as markets
from tests.support.casts import cast, people_in
from tests.support.market import BANER, FORT, Market, pay_in

LAKH: Final = 1_00_000_00
CASH: Final = 15 * LAKH
MORE: Final = {
    # key: name, role, branch, mail
    "vera": ("Vera Lobo", Role.BRANCH_ADMIN, FORT, "vera@bank.example.com"),
    "nalini": ("Nalini Bhave", Role.REVIEWER, FORT, "nalini@bank.example.com"),
    "girish": ("Girish Karnik", Role.REVIEWER, BANER, "girish@bank.example.com"),
    "imran": ("Imran Shaikh", Role.EXECUTIVE, FORT, "imran@bank.example.com"),
    "head": ("Dinshaw Merchant", Role.SUPER_ADMIN, None, "head@bank.example.com"),
    "chief": ("Chitra Iyer", Role.SUPER_ADMIN, None, "chief@bank.example.com"),
    # Asha Rao's other life: another mail address, and the branch knows that it is she.
    "holder": ("Asha R", Role.BRANCH_ADMIN, FORT, "asha.r@bank.example.com"),
}


@dataclass(frozen=True)
class Case:
    """A command that waits: who asks, and who may decide."""

    name: str
    maker: str
    right: frozenset[str]
    ask: Callable[["Checking"], object]

    @property
    def reader(self) -> str:
        """Who sees it wait: its maker; of the command line's, somebody else."""
        return self.maker if self.maker != "console" else "auditor"


@dataclass
class Checking:
    """A market with checkers, and one request that waits in it."""

    market: Market
    request_id: str = field(default_factory=new_request_id)
    amount_minor: int = 6 * LAKH
    entry_id: int = 0
    freeze_id: int = 0
    link_id: int = 0
    maker: str = ""
    coming: date | None = None  # of a change that was set before

    def in_days(self, days: int) -> date:
        """A business date so many days ahead."""
        return self.market.bank.clock.business_date() + timedelta(days=days)

    def moved_to(self, bank: Bank) -> "Checking":
        """The same people in a copy of their bank, with a request of their own."""
        return Checking(self.market.moved_to(bank))

    @property
    def desks(self) -> dict[str, Desk]:
        """Everybody's desk."""
        return self.market.desks

    def id(self, who: str) -> int:
        """Somebody's number."""
        return self.desks[who].user_id or 0

    def ask(self, case: str, **facts: Any) -> AwaitingApproval:
        """Let a case's maker ask; it waits."""
        for name, value in facts.items():
            setattr(self, name, value)
        self.maker = CASES[case].maker
        with pytest.raises(AwaitingApproval) as waits:
            CASES[case].ask(self)
        return waits.value

    def again(self, case: str) -> Any:
        """The same click once more: what the command answers."""
        return CASES[case].ask(self)

    def approve(self, who: str, approval_id: int = 1, **named: Any) -> ApprovalCard:
        """Somebody agrees."""
        return approvals.approve(self.desks[who], approval_id, **named)

    def card(self, who: str = "vera", approval_id: int = 1) -> ApprovalCard:
        """The approval as somebody sees it."""
        return approval_card(self.desks[who], approval_id)

    def status(self, approval_id: int = 1) -> str:
        """Where an approval stands in the database."""
        rows = self.market.rows(f"SELECT status FROM approvals WHERE id = {approval_id}")
        return str(rows[0]["status"])

    def history(self, approval_id: int = 1) -> list[tuple[str, str]]:
        """What happened and by whom."""
        sql = "SELECT what, by_name FROM approval_events WHERE approval_id = "
        rows = self.market.rows(f"{sql}{approval_id} ORDER BY id")
        return [(row["what"], row["by_name"]) for row in rows]

    def change_user(self, who: str, **values: object) -> None:
        """What an administrator does to somebody."""
        with self.market.tx() as tx:
            tx.session.execute(
                update(User).where(User.id == self.desks[who].user_id).values(**values)
            )

    def new_rule(self, command: str, **facts: Any) -> None:
        """A rule that holds from today on."""
        given = {
            "role": "",
            "kind": "",
            "level": 1,
            "effective_from": self.market.bank.clock.business_date(),
            "amount_above_minor": 0,
            "period": Window.SINGLE,
            "checkers": "super_admin",
            "rekey_above_minor": None,
            "expires_hours": 8,
            "source": "a rule of the tests",
        }
        with self.market.tx() as tx:
            tx.session.add(ApprovalRule(command=command, **(given | facts)))

    def footprint(self) -> tuple[int, ...]:
        """How many entries, users, outgoing mails and dated terms there are. That its maker is told
        of a decision is no part of what was asked for."""
        return tuple(
            int(self.market.rows(f"SELECT COUNT(*) AS n FROM {table}")[0]["n"])
            for table in (
                *("entries", "users", "outbox WHERE purpose <> 'approval'"),
                *("product_terms", "charge_terms", "policy_texts", "rate_line_terms"),
                *("book_closings", "backdating_limits", "cash_rules", "rule_changes"),
                *("holds", "account_freezes WHERE lifted_at IS NULL"),
                "customer_links WHERE until IS NULL",
            )
        )


def _withdraw(at: Checking) -> object:
    number = at.market.number("asha")
    return cash.withdraw(
        at.desks["ravi"], number, at.amount_minor, "W1", "Asha Rao", request_id=at.request_id
    )


def _deposit(at: Checking) -> object:
    number = at.market.number("asha")
    amount_minor = max(at.amount_minor, 11 * LAKH)
    return cash.deposit(at.desks["ravi"], number, amount_minor, "D1", request_id=at.request_id)


def _reverse(at: Checking) -> object:
    if not at.entry_id:
        at.entry_id = at.market.deposit("asha", 2 * LAKH, slip="R1").entry_id
    return journal.reverse_entry(at.desks["admin"], at.entry_id, "typed twice", at.request_id)


def _reverse_own(at: Checking) -> object:
    if not at.entry_id:  # as much in as out, so that the drawer holds what it did
        at.entry_id = at.market.deposit("asha", 2 * LAKH, slip="R1").entry_id
        out = (at.desks["ravi"], at.market.number("asha"), 2 * LAKH, "R2")
        cash.withdraw(*out, request_id=new_request_id())
    given = (at.entry_id, "typed twice", at.request_id)
    return corrections.reverse_own_slip(at.desks["ravi"], *given)


def _add_cashier(at: Checking) -> object:
    given = ("meera.s", "Meera Shah", "meera.s@bank.example.com", Role.CASHIER, FORT)
    return identity.record_staff(at.desks["console"], *given, Secret("$2b$04$" + "." * 53))


def _add_admin(at: Checking) -> object:
    given = ("meera.s", "Meera Shah", "meera.s@bank.example.com", Role.BRANCH_ADMIN, FORT)
    return identity.record_staff(at.desks["console"], *given, Secret("$2b$04$" + "." * 53))


_FORT_ADMINS: Final = frozenset({"admin", "vera", "holder"})
_HEADS: Final = frozenset({"head", "chief"})
_COLLEAGUES: Final = frozenset({"vera", "holder", "head", "chief"})


def _hire(at: Checking) -> object:
    given = ("meera.s", "Meera Shah", "meera.s@bank.example.com", Role.CASHIER, FORT)
    return staff.add_employee(at.desks["admin"], *given)


def _hire_admin(at: Checking) -> object:
    given = ("meera.s", "Meera Shah", "meera.s@bank.example.com", Role.BRANCH_ADMIN, FORT)
    return staff.add_employee(at.desks["head"], *given)


def _edit(at: Checking) -> object:
    return staff.edit_employee(
        at.desks["admin"], at.id("imran"), "Imran Shaikh", "new@bank.example"
    )


def _edit_admin(at: Checking) -> object:
    return staff.edit_employee(at.desks["head"], at.id("vera"), "Vera Lobo", "new@bank.example")


def _change_role(at: Checking) -> object:
    return staff.change_role(at.desks["admin"], at.id("imran"), Role.REVIEWER)


def _promote(at: Checking) -> object:
    return staff.change_role(at.desks["head"], at.id("imran"), Role.BRANCH_ADMIN, FORT)


def _reset_password(at: Checking) -> object:
    return staff.reset_password(at.desks["admin"], at.id("imran"))


def _reset_admin(at: Checking) -> object:
    return staff.reset_password(at.desks["head"], at.id("vera"))


def _reset_device(at: Checking) -> object:
    return staff.reset_device(at.desks["admin"], at.id("imran"))


def _give(at: Checking) -> object:
    today = at.market.bank.clock.business_date()
    given = (at.id("imran"), NamedGrant.SUPERVISOR, today, None, "Vera is away")
    return grants.give_grant(at.desks["admin"], *given)


def nilas_number(at: Checking) -> str:
    """The customer number of Nila Das."""
    sql = f"SELECT number FROM customers WHERE id = {at.desks['nila'].customer_id}"
    return str(at.market.rows(sql)[0]["number"])


def _declare(at: Checking) -> object:
    return staff_customers.declare_customer(at.desks["ravi"], nilas_number(at))


def _register(at: Checking) -> object:
    return staff_customers.link_customer(at.desks["admin"], at.id("imran"), nilas_number(at))


def _end_link(at: Checking) -> object:
    if not at.link_id:
        with at.market.tx() as tx:
            at.link_id = customer_links.add_link(tx, at.id("imran"), nilas_number(at))
    given = (at.id("imran"), at.link_id, "It is his sister")
    return staff_customers.end_customer_link(at.desks["admin"], *given)


def _set_rates(at: Checking) -> object:
    return terms.set_rates(
        at.desks["head"], "savings", at.in_days(2), 300, 1_000_00, 0, "The board of today"
    )


def _set_charge(at: Checking) -> object:
    return terms.set_charge(
        at.desks["head"], "cheque_book", at.in_days(31), 90_00, "The board of today"
    )


def _set_policy(at: Checking) -> object:
    return terms.set_policy(
        at.desks["head"], "privacy", at.in_days(2), "Your data", "As before.", "The board of today"
    )


def _add_charge(at: Checking) -> object:
    given = ("Locker key lost", "key", at.in_days(31), 500_00, "The board of today")
    return terms.add_charge(at.desks["head"], *given)


def _add_line(at: Checking) -> object:
    about = (Card.DEPOSIT, "One year", 365, 365, 0, None, at.in_days(2))
    return card_terms.add_line(at.desks["head"], *about, 660, 50, None, "The board of today")


def _set_line(at: Checking) -> object:
    with at.market.tx() as tx:
        if tx.session.get(RateLine, "car_loan") is None:
            tx.session.add(
                RateLine(
                    code="car_loan", card=Card.LOAN, name="Car loan", from_days=None, to_days=None,
                    from_minor=0, below_minor=None,
                )
            )  # fmt: skip
            tx.session.flush()
            tx.session.add(
                RateLineTerm(
                    code="car_loan", effective_from=at.in_days(-9), rate_bps=900, extra_bps=0,
                    over=None, source="tests",
                )
            )  # fmt: skip
    return card_terms.set_line(
        at.desks["head"], "car_loan", at.in_days(2), 875, 0, None, "The board of today"
    )


def _call_off(at: Checking) -> object:
    day = at.in_days(1) if not at.coming else at.coming
    if not at.coming:
        at.coming = day
        with at.market.tx() as tx:
            tx.session.add(
                ChargeTerm(code="cheque_book", effective_from=day, amount_minor=1, source="tests")
            )
    return terms.call_off(at.desks["head"], What.CHARGE, "cheque_book", day, "A mistake")


def _limit_branch(at: Checking) -> object:
    today = at.market.bank.clock.business_date()
    given = (FORT, BranchLimitName.DRAWER, today, 8 * LAKH, "A large market day")
    return branch_limits.set_limit(at.desks["head"], *given)


def _limit_employee(at: Checking) -> object:
    today = at.market.bank.clock.business_date()
    given = (at.id("gita"), LimitKind.PAY_OUT, today, LAKH, "New at the counter")
    return limits.set_limit(at.desks["admin"], *given)


def book_closed(at: Checking, through: date, reason: str) -> None:
    """The book is closed through a day, by a row that `close_book` would have left."""
    with at.market.tx(at.desks["chief"]) as tx:
        last = book_days.last_act(tx)
        tx.session.add(
            BookClosing(
                id=1 if last is None else last.id + 1,
                closed_through=through,
                was_through=None if last is None else last.closed_through,
                entries=0,
                last_entry_id=tx.session.scalar(select(func.max(JournalEntry.id))) or 0,
                came_late=0,
                at=tx.now,
                by_id=at.id("chief"),
                by_name=at.desks["chief"].name,
                agreed_by_name=None,
                reason=reason,
            )
        )


def _close_book(at: Checking) -> object:
    through = at.in_days(0) - timedelta(days=16)
    return book_close.close_book(at.desks["head"], through, None, "The month was reported")


def _reopen_book(at: Checking) -> object:
    today = at.in_days(0)
    if book_close.standing(at.desks["head"]).last_id is None:
        book_closed(at, today - timedelta(days=2), "tests")
    first = today - timedelta(days=7)
    return book_close.reopen_book(at.desks["head"], first, 1, "A statement came late")


def _limit_backdating(at: Checking) -> object:
    given = (at.in_days(0), 7, None, "The old books are in")
    return backdating.set_limit(at.desks["head"], *given)


def frozen(at: Checking, kind: FreezeKind, who: str = "admin", order: str = "12/2026") -> int:
    """An order comes in about Asha's account, and somebody carries it out."""
    number = at.market.number("asha")
    return freezes.place_freeze(
        at.desks[who], number, kind, order, "The court asks", request_id=new_request_id()
    )


def _lift(at: Checking) -> object:
    at.freeze_id = at.freeze_id or frozen(at, FreezeKind.DEBIT)
    return freezes.lift_freeze(at.desks["admin"], at.freeze_id, "Order 15/2026 ends it")


def _set_rule(at: Checking) -> object:
    given = ("cash_rules", "drawer_limit_minor", {"value": 6 * LAKH}, at.in_days(1))
    return dated_rules.set_rule(at.desks["head"], *given, "Resolution 14", "Fewer returns of cash")


def _withdraw_rule(at: Checking) -> object:
    day = at.in_days(1) if not at.coming else at.coming
    if not at.coming:
        at.coming = day
        with at.market.tx() as tx:
            tx.session.add(CashRule(name="token_days", effective_from=day, value=2, source="tests"))
    return dated_rules.withdraw_rule(at.desks["head"], "cash_rules", "token_days", day, "A mistake")


_COUNTER: Final = frozenset({"admin", "vera", "nalini"})
CASES: Final = {
    case.name: case
    for case in (
        Case("withdraw", "ravi", _COUNTER, _withdraw),
        Case("deposit", "ravi", _COUNTER, _deposit),
        Case("reverse", "admin", frozenset({"vera", "nalini"}), _reverse),
        Case("reverse an own slip", "ravi", _COUNTER, _reverse_own),
        Case("record a cashier", "console", _FORT_ADMINS | _HEADS, _add_cashier),
        Case("record an admin", "console", _HEADS, _add_admin),
        Case("hire", "admin", _COLLEAGUES, _hire),
        Case("hire an admin", "head", frozenset({"chief"}), _hire_admin),
        Case("edit", "admin", _COLLEAGUES, _edit),
        Case("edit an admin", "head", frozenset({"chief"}), _edit_admin),
        Case("change a role", "admin", _COLLEAGUES, _change_role),
        Case("promote", "head", frozenset({"chief"}), _promote),
        Case("reset a password", "admin", _COLLEAGUES, _reset_password),
        Case("reset an admin", "head", frozenset({"chief"}), _reset_admin),
        Case("reset a device", "admin", _COLLEAGUES, _reset_device),
        Case("give a grant", "admin", _COLLEAGUES, _give),
        Case("declare a customer", "ravi", _FORT_ADMINS | _HEADS, _declare),
        Case("register a customer", "admin", _COLLEAGUES, _register),
        Case("end a link", "admin", _COLLEAGUES, _end_link),
        Case("set rates", "head", frozenset({"chief"}), _set_rates),
        Case("set a charge", "head", frozenset({"chief"}), _set_charge),
        Case("set a policy", "head", frozenset({"chief"}), _set_policy),
        Case("add a charge", "head", frozenset({"chief"}), _add_charge),
        Case("add a line", "head", frozenset({"chief"}), _add_line),
        Case("set a line", "head", frozenset({"chief"}), _set_line),
        Case("call off a change", "head", frozenset({"chief"}), _call_off),
        Case("limit a branch", "head", frozenset({"chief"}), _limit_branch),
        Case("limit an employee", "admin", _COLLEAGUES, _limit_employee),
        Case("close the book", "head", frozenset({"chief"}), _close_book),
        Case("open the book again", "head", frozenset({"chief"}), _reopen_book),
        Case("lift a freeze", "admin", frozenset({"vera", "nalini"}) | _HEADS, _lift),
        Case("limit backdating", "head", frozenset({"chief"}), _limit_backdating),
        Case("set a rule", "head", frozenset({"chief"}), _set_rule),
        Case("withdraw a rule", "head", frozenset({"chief"}), _withdraw_rule),
    )
}


@cast("checking", "sqlite_checking")
def _filled(bank: Bank) -> "Checking":
    return gather(markets.settle(bank))


def gather(market: Market) -> Checking:
    """Hire the others, put ten lakh on Asha's account and enough cash into the drawers."""
    with market.tx() as tx:
        for key, (name, role, ifsc, email) in MORE.items():
            user = identity.add_user_row(
                tx,
                username=f"{key}.more",
                name=name,
                email=email,
                role=role,
                branch_id=market.branch_ids[ifsc] if ifsc else None,
                password_hash="$2b$04$" + "." * 53,
                totp_secret=Secret("A" * 32),
            )
            market.desks[key] = markets._desk(tx, user)
        known = customers.customer_by_id(tx, market.desks["asha"].customer_id or 0)
        customer_links.add_link(tx, market.desks["holder"].user_id or 0, known.number)
    market.desks["console"] = app.system_desk(market.bank)
    pay_in(market, "asha", 10 * LAKH)
    market.fund("ravi", "admin", note_500=CASH // 500_00)
    market.fund("meera", "admin_baner", note_500=CASH // 500_00)
    return Checking(market)


@pytest.fixture
def checking(request: pytest.FixtureRequest, bank: Bank, _cheap_passwords: None) -> Checking:
    """Everybody in place, on each database in turn."""
    found: Checking = people_in(request, bank)
    return found


@pytest.fixture
def sqlite_checking(
    request: pytest.FixtureRequest, sqlite_bank: Bank, _cheap_passwords: None
) -> Checking:
    """The same where the database makes no difference."""
    found: Checking = people_in(request, sqlite_bank)
    return found


TOMORROW: Final = date(2026, 3, 17)
