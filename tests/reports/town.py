"""A small bank with something to report: three branches, two currencies, months of entries."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import select

from bank.accounts import accounts, products
from bank.accounts.accounts import Account
from bank.app import system_desk
from bank.book import ledger
from bank.book.ledger import Draft, Leg, credit_account, credit_gl, debit_account, debit_gl
from bank.core.desk import Bank, Desk, chunk, looking
from bank.core.permissions import Role
from bank.counters import drawer_cash
from bank.counters.drawer_cash import MoveKind
from bank.people import branches, customers
from bank.people.branches import Branch
from tests.support.bank import desk

TODAY: Final = date(2026, 3, 16)  # the business date of a test bank's clock
CASH, LOANS, CAPITAL, INTEREST, FEES = "1000", "1200", "3000", "5000", "4100"


@dataclass
class Town:
    """The bank, its branch ids, and the ids of its accounts by what they are called here."""

    bank: Bank
    branches: list[int] = field(default_factory=list)
    accounts: dict[str, int] = field(default_factory=dict)
    booked: int = 0

    @property
    def system(self) -> Desk:
        """The bank's own desk, which may date what it books."""
        return system_desk(self.bank)

    def desk(self, role: Role, branch: int = 0, **facts: Any) -> Desk:
        """A desk at one of the branches, counted from 0."""
        whole = role in {Role.AUDITOR, Role.SUPER_ADMIN, Role.SYSTEM}
        return desk(
            self.bank, role, **({"branch_id": None if whole else self.branches[branch]} | facts)
        )

    def book(self, day: date, branch: int, legs: Sequence[Leg], currency: str = "INR") -> int:
        """Book one entry on a day; returns its id."""
        self.booked += 1
        draft = Draft(
            request_id=f"00000000-0000-4000-8000-{self.booked:012d}",
            kind="transfer",
            narration=f"Entry number {self.booked}",
            legs=tuple(legs),
            branch_id=self.branches[branch],
            currency=currency,
            booking_date=day,
        )
        with chunk(self.system, "tests.book") as tx:
            drawer_cash.put_in_vault(tx, [draft], MoveKind.CARRIED)
            return ledger.post(tx, draft).entry_id

    def deposit(self, account: str, amount: int, *, branch: int = 0, day: date = TODAY) -> int:
        """Cash paid in at a branch."""
        legs = (debit_gl(CASH, amount), credit_account(self.accounts[account], amount))
        return self.book(day, branch, legs, "CZK" if account.endswith("czk") else "INR")


PEOPLE: Final = (
    # name, branch counted from 0, product, currency of the account
    ("asha", 0, "savings", "INR"),
    ("bina", 0, "current", "INR"),
    ("chand", 1, "savings", "INR"),
    ("dev", 1, "business", "INR"),
    ("dev czk", 1, "current", "CZK"),
    ("esha", 2, "savings", "INR"),
)


def again(bank: Bank) -> Town:
    """The town in a copy of its database: ids are handed out in the order of building."""
    with looking(system_desk(bank)) as tx:
        ids = [
            tx.session.scalars(select(row.id).order_by(row.id)).all() for row in (Branch, Account)
        ]
    return Town(bank, list(ids[0]), {name[0]: id for name, id in zip(PEOPLE, ids[1], strict=True)})


def build(bank: Bank) -> Town:
    """Branches and accounts without an entry."""
    town = Town(bank)
    with chunk(town.system, "tests.town") as tx:
        for n in range(1, 4):
            made = branches.add_branch_row(
                tx, ifsc=f"DEMO0{n:06d}", name=f"Town {n}", address="High Street"
            )
            town.branches.append(made.id)
        tx.session.flush()
        for name, branch, product, currency in PEOPLE:
            holder = customers.add_customer_row(
                tx,
                customers.NewCustomer(
                    name=name.title(),
                    date_of_birth=date(1990, 1, 1),
                    branch_id=town.branches[branch],
                ),
            )
            account = accounts.open_row(
                tx,
                customer_id=holder,
                product=products.product(tx, product),
                branch_id=town.branches[branch],
                currency=currency,
            )
            town.accounts[name] = account.id
    return town


def build_busy(bank: Bank) -> Town:
    """The same with entries on many days, today's among them, within branches and between them."""
    town = build(bank)
    a = town.accounts
    start = TODAY - timedelta(days=100)
    for branch in range(3):
        town.book(start, branch, (debit_gl(CASH, 10_00_000_00), credit_gl(CAPITAL, 10_00_000_00)))
    for n, name in enumerate(a):
        town.deposit(name, 50_000_00 + n, branch=n % 3, day=start + timedelta(days=n))
    for n in range(0, 101, 10):
        day = start + timedelta(days=n)
        amount = 1_000_00 + n
        town.book(day, 0, (debit_account(a["asha"], amount), credit_account(a["chand"], amount)))
        town.book(day, 1, (debit_account(a["dev"], 500_00), credit_account(a["chand"], 500_00)))
        town.book(day, 2, (debit_account(a["esha"], 200_00 + n), credit_gl(CASH, 200_00 + n)))
    town.book(TODAY, 0, (debit_gl(LOANS, 30_000_00), credit_account(a["bina"], 30_000_00)))
    town.book(TODAY, 1, (debit_account(a["dev czk"], 77), credit_gl(FEES, 77)), "CZK")
    town.book(TODAY, 0, (debit_gl(INTEREST, 123), credit_account(a["asha"], 123)))
    town.book(TODAY, 0, (debit_account(a["bina"], 45), credit_gl(FEES, 45)))
    return town
