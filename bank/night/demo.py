"""The demo bank: three branches, every role, about 200 customers and a year of their money.

Deterministic: the same business date gives the same people, numbers, amounts and dates (keys of
devices and salts of passwords excepted). All of it is one transaction, so a seeding that is broken
off leaves nothing behind. Whoever acted is named as they would be: cashiers for cash, customers for
their transfers, the system for settlements, interest and fees.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from sqlalchemy import func, select

from bank.accounts import accounts, products
from bank.accounts.accounts import Account
from bank.book.tables import BankState, JournalEntry
from bank.core.clock import FixedClock, day_in_words
from bank.core.desk import Bank, Desk, Tx, chunk, flow, looking, open_tx
from bank.core.errors import BadInput, WrongState
from bank.core.ids import Chance
from bank.core.permissions import STAFF, Permission, Role
from bank.core.secrets import Secret
from bank.night import demo_life, demo_staff
from bank.night.demo_clock import clock, moment
from bank.night.demo_deeds import Neighbour, Pen, Purse, Site, Terms, Town
from bank.night.demo_people import (
    BranchPlan,
    Resident,
    StaffPlan,
    branch_plans,
    residents,
    staff_plans,
)
from bank.night.demo_scribe import Scribe
from bank.people import branches, codes, customers, identity, passwords
from bank.people.branches import Branch
from bank.people.customers import Customer, NewCustomer
from bank.people.demo import PASSWORD, TRANSACTION_PASSWORD
from bank.people.identity import SYSTEM_USER_ID, User

VERB: Final = "night.demo.seed"
CHANNEL: Final = "demo"
EARLIEST: Final = date(2023, 1, 1)
CUSTOMERS: Final = 200
FEWEST_CUSTOMERS: Final = 2


class HoldsARealBank(WrongState):
    """This database holds a real bank. The demo needs an empty one: name it in BANK_DATABASE_URL,
    or another folder in BANK_DATA_DIR."""


class DemoDateNotPossible(BadInput):
    """The demo's business date lies between 1 January 2023 and today. Choose another one."""


@dataclass(frozen=True, kw_only=True)
class DemoSummary:
    """What the demo bank holds, and whether it was made just now."""

    made: bool
    business_date: date
    branches: int
    employees: int
    customers: int
    accounts: int
    entries: int

    @property
    def sentence(self) -> str:
        """One line for the command line."""
        holds = (
            f"{self.branches} branches, {self.employees} employees, {self.customers} customers, "
            f"{self.accounts} accounts, {self.entries:,} entries"
        )
        day = day_in_words(self.business_date)
        if self.made:
            return f"The demo bank is ready, as of {day}: {holds}."
        return f"The demo bank is here already, as of {day}: {holds}. Nothing was changed."


@dataclass(frozen=True, kw_only=True)
class _Hashes:
    """The demo passwords, hashed once: bcrypt takes its time, and everybody has the same."""

    sign_in: str
    transaction: str


@flow(Permission.DEMO_SEED)
def seed(
    desk: Desk,
    as_of: date | None = None,
    customers: int = CUSTOMERS,
    tell: Callable[[str], None] | None = None,
) -> DemoSummary:
    """Fill an empty database with the demo bank; does nothing where it is filled already.

    `as_of` sets the bank's business date; without one the year ends today. `tell` is told what
    takes a while. Raises HoldsARealBank, or DemoDateNotPossible.
    """
    with looking(desk) as tx:
        known = _found(tx)
    if known is not None:
        return known
    today = desk.bank.clock.business_date()
    if as_of is not None and not EARLIEST <= as_of <= today:
        raise DemoDateNotPossible(field="as_of")
    if customers < FEWEST_CUSTOMERS:
        raise BadInput("A demo bank has two customers or more.", field="customers")
    if tell is not None:
        tell(f"Making the demo bank: {customers} customers and a year of entries, some seconds ...")
    hashes = _Hashes(
        sign_in=passwords.hash_password(Secret(PASSWORD)),
        transaction=passwords.hash_password(Secret(TRANSACTION_PASSWORD)),
    )
    asked: dict[str, object] = {"as_of": as_of, "customers": customers}
    with chunk(replace(desk, channel=CHANNEL), VERB, asked) as tx:
        state = _claim(tx)
        known = _found(tx)  # another process may have been faster
        if known is None:
            _Seeding(tx, as_of or today, hashes).run(customers)
            state.is_demo, state.business_date = True, as_of
            tx.session.flush()
            known = replace(_summary(tx), made=True, business_date=as_of or today)
    return known


def _claim(tx: Tx) -> BankState:
    """The bank's one row of state, held to the end, so that two seedings come one after another."""
    tx.cursor.execute(
        "INSERT INTO bank_state (id, is_demo) VALUES (1, FALSE) ON CONFLICT DO NOTHING"
    )
    return tx.locked(BankState, 1)


def _found(tx: Tx) -> DemoSummary | None:
    """The demo bank that is here already, None when nothing is; HoldsARealBank otherwise."""
    if tx.session.scalar(select(BankState.is_demo)):
        return _summary(tx)
    in_use = (
        select(User.id).where(User.id != SYSTEM_USER_ID),
        select(Branch.id),
        select(Customer.id),
        select(JournalEntry.id),
    )
    if any(tx.session.scalar(wanted.limit(1)) is not None for wanted in in_use):
        raise HoldsARealBank
    return None


def _summary(tx: Tx) -> DemoSummary:
    def count(what: type, *where: object) -> int:
        return tx.session.scalar(select(func.count()).select_from(what).where(*where)) or 0  # type: ignore[arg-type]

    return DemoSummary(
        made=False,
        business_date=tx.business_date,
        branches=count(Branch),
        employees=count(User, User.role.in_(STAFF)),
        customers=count(Customer),
        accounts=count(Account),
        entries=count(JournalEntry),
    )


class _Seeding:
    """One seeding: rows of people first, then their year, all in the transaction `tx`."""

    def __init__(self, tx: Tx, as_of: date, hashes: _Hashes) -> None:
        self._tx = tx
        self._as_of = as_of
        self._start = _a_year_before(as_of)
        self._hashes = hashes
        self._clock = FixedClock(moment(self._start, 0))
        # The same bank in the past: every desk of the story sits in it.
        self._bank: Bank = replace(tx.bank, clock=self._clock)
        self._system = Desk(
            bank=self._bank,
            role=Role.SYSTEM,
            user_id=SYSTEM_USER_ID,
            name="system",
            channel="system",
            from_where="local",
        )
        self._products = {
            code: products.product(tx, code) for code in ("savings", "current", "business")
        }

    def run(self, count: int) -> None:
        """Everybody, then everything."""
        plans = branch_plans()
        ids = [self._branch(plan) for plan in plans]
        desks = [self._employee(plan, plans, ids, n) for n, plan in enumerate(staff_plans())]
        sites = [
            Site(
                id=branch_id,
                name=plan.name,
                admin=_at(desks, Role.BRANCH_ADMIN, branch_id)[0],
                banker=_at(desks, Role.BANKER, branch_id)[0],
                executive=_at(desks, Role.EXECUTIVE, branch_id)[0],
                cashiers=_at(desks, Role.CASHIER, branch_id),
            )
            for plan, branch_id in zip(plans, ids, strict=True)
        ]
        heads = [desk for desk in desks if desk.role is Role.SUPER_ADMIN]
        people = residents(count, self._start, self._as_of)
        town = Town(
            start=self._start,
            as_of=self._as_of,
            latest=self._tx.now,
            sites=sites,
            neighbours=[self._neighbour(who, sites, n) for n, who in enumerate(people)],
            system=self._system,
            head=heads[0],
            second=heads[1],
            pen=Pen(self._as_of.isoformat(), self._system),
            terms=self._terms(),
        )
        demo_life.settle_in(town)
        scribe = Scribe(self._tx, self._clock)
        for deed in demo_life.a_year(town):
            scribe.write(deed)
        scribe.finish(self._tx.now)
        demo_staff.arrange(open_tx(self._system, self._tx.connection), staff_plans(), desks)

    def _past(self, desk: Desk, day: date, minute: int) -> Tx:
        """This transaction as a desk would have had it at a moment of the past."""
        self._clock.at = moment(day, minute)
        return open_tx(desk, self._tx.connection)

    def _branch(self, plan: BranchPlan) -> int:
        tx = self._past(self._system, plan.opened_on, clock(9))
        row = branches.add_branch_row(
            tx,
            ifsc=plan.ifsc,
            micr=plan.micr,
            name=plan.name,
            address=plan.address,
            opened_on=plan.opened_on,
        )
        return row.id

    def _employee(
        self, plan: StaffPlan, plans: list[BranchPlan], ids: list[int], number: int
    ) -> Desk:
        place = next((n for n, each in enumerate(plans) if each.ifsc == plan.ifsc), None)
        since = plans[place or 0].opened_on
        branch_id = None if place is None else ids[place]
        user = identity.add_user_row(
            self._past(self._system, since, clock(9, 30)),
            username=plan.username,
            name=plan.name,
            email=plan.email,
            role=plan.role,
            branch_id=branch_id,
            password_hash=self._hashes.sign_in,
            must_change_password=False,
            totp_secret=codes.new_totp_key(),
        )
        return Desk(
            bank=self._bank,
            role=plan.role,
            user_id=user.id,
            name=user.name,
            branch_id=branch_id,
            channel="branch",
            from_where=f"10.20.{branch_id or 0}.{10 + number}",
        )

    def _neighbour(self, who: Resident, sites: list[Site], number: int) -> Neighbour:
        site = sites[who.branch]
        since = min(account.opened_on for account in who.accounts)
        tx = self._past(site.banker, since, clock(10, 5))
        customer_id = customers.add_customer_row(
            tx,
            NewCustomer(
                name=who.name,
                date_of_birth=who.born,
                branch_id=site.id,
                pan=who.pan,
                email=who.email,
                mobile=who.mobile,
            ),
        )
        return Neighbour(
            resident=who,
            purses=self._purses(who, site, customer_id),
            desk=self._portal(tx, who, customer_id, number) if who.has_portal else None,
            chance=Chance("demo", "life", number),
        )

    def _portal(self, tx: Tx, who: Resident, customer_id: int, number: int) -> Desk:
        user = customers.add_access_row(
            tx,
            customers.customer_by_id(tx, customer_id),
            password_hash=self._hashes.sign_in,
            must_change_password=False,
            transaction_password_hash=self._hashes.transaction,
            username=who.username,
        )
        return Desk(
            bank=self._bank,
            role=Role.CUSTOMER,
            user_id=user.id,
            name=user.name,
            branch_id=user.branch_id,
            customer_id=customer_id,
            channel="portal",
            from_where=f"203.0.113.{number % 254 + 1}",  # a block for documents, nobody's address
        )

    def _purses(self, who: Resident, site: Site, customer_id: int) -> list[Purse]:
        purses = []
        for plan in who.accounts:
            row = accounts.open_row(
                self._past(site.banker, plan.opened_on, clock(10, 15)),
                customer_id=customer_id,
                product=self._products[plan.product],
                branch_id=site.id,
                overdraft_limit_minor=plan.limit_minor,
                opened_on=plan.opened_on,
            )
            purses.append(
                Purse(
                    account_id=row.id,
                    number=row.number,
                    product=plan.product,
                    branch_id=site.id,
                    opened_on=plan.opened_on,
                    first_minor=plan.first_minor,
                    limit_minor=plan.limit_minor,
                )
            )
        return purses

    def _terms(self) -> Callable[[str, date], Terms]:
        """The terms in force, asked of the products once per product and day."""
        known: dict[tuple[str, date], Terms] = {}

        def on(product: str, day: date) -> Terms:
            if (product, day) not in known:
                term = products.term_on(self._tx, self._products[product].id, day)
                known[product, day] = Terms(term.interest_rate_bps, term.minimum_balance_minor)
            return known[product, day]

        return on


def _at(desks: list[Desk], role: Role, branch_id: int) -> list[Desk]:
    return [desk for desk in desks if desk.role is role and desk.branch_id == branch_id]


def _a_year_before(day: date) -> date:
    return (day.replace(day=28) if (day.month, day.day) == (2, 29) else day).replace(
        year=day.year - 1
    )
