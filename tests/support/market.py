"""A marketplace for tests of the counters: two branches, their staff, three customers, accounts.

    def test_x(market): market.cashier, market.number("asha", "savings")

Everybody is a real row with a real session, so receipts name people and payments can be confirmed.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, Final

import pytest
from sqlalchemy import update

from bank import app
from bank.accounts import accounts, products
from bank.accounts.accounts import Account
from bank.book import ledger
from bank.core import money
from bank.core.desk import Bank, Desk, Tx, chunk, looking
from bank.core.ids import new_request_id
from bank.core.permissions import NamedGrant, Role
from bank.core.secrets import Secret
from bank.counters import (
    cash,
    counts,
    drawer_cash,
    drawers,
    handovers,
    remittances,
    supervision,
    vault,
    vault_counts,
)
from bank.counters.receipts import Receipt
from bank.counters.remittances import Way
from bank.night.demo_cashbook import fewest_pieces
from bank.people import branches, customers, identity, passwords, sessions
from bank.people.confirmations import Confirmation, ConfirmationStatus
from bank.people.customers import NewCustomer
from bank.people.identity import User
from tests.support.casts import cast, people_in

TRANSACTION_PASSWORD: Final = "quiet river under stones"
FORT, BANER = "BANK0000001", "BANK0000002"
MOBILE: Final = "98765 43210"  # of whoever pays in for a holder
PEOPLE: Final = {
    # key: name, branch, mail, PAN
    "asha": ("Asha Rao", FORT, "asha@example.com", "ABCPR1234E"),
    "vikram": ("Vikram Shah", BANER, "vikram@example.com", "ABCPS1234E"),
    "nila": ("Nila Das", FORT, None, None),
}
STAFF: Final = {
    # key: name, role, branch
    "ravi": ("Ravi Kumar", Role.CASHIER, FORT),
    "meera": ("Meera Joshi", Role.CASHIER, BANER),
    "banker": ("Bina Mehta", Role.BANKER, FORT),
    "admin": ("Arun Nair", Role.BRANCH_ADMIN, FORT),
    "admin_baner": ("Farah Khan", Role.BRANCH_ADMIN, BANER),
    "auditor": ("Olga Pinto", Role.AUDITOR, None),
    "gita": ("Gita Bose", Role.CASHIER, FORT),
    "executive": ("Esha Iyer", Role.EXECUTIVE, FORT),
    "executive_two": ("Dev Sen", Role.EXECUTIVE, FORT),
    "executive_baner": ("Ila Bose", Role.EXECUTIVE, BANER),
}


@dataclass
class Market:
    """The bank and everybody in it."""

    bank: Bank
    branch_ids: dict[str, int] = field(default_factory=dict)
    desks: dict[str, Desk] = field(default_factory=dict)
    numbers: dict[tuple[str, str], str] = field(default_factory=dict)
    drawers: dict[str, int] = field(default_factory=dict)

    def moved_to(self, bank: Bank) -> "Market":
        """The same people in a copy of their bank."""
        desks = {who: replace(desk, bank=bank) for who, desk in self.desks.items()}
        return Market(bank, dict(self.branch_ids), desks, dict(self.numbers), dict(self.drawers))

    @property
    def cashier(self) -> Desk:
        """Ravi, cashier at Fort."""
        return self.desks["ravi"]

    @property
    def supervisor(self) -> Desk:
        """Bina, who signs for differences at Fort."""
        return replace(self.desks["banker"], named=frozenset({NamedGrant.SUPERVISOR}))

    @property
    def custodian(self) -> Desk:
        """Bina on another day, with the second key of Fort's vault."""
        return replace(self.desks["banker"], named=frozenset({NamedGrant.VAULT_CUSTODIAN}))

    def number(self, who: str, what: str = "savings") -> str:
        """The number of somebody's account."""
        return self.numbers[who, what]

    def deposit(self, who: str, amount_minor: int, what: str = "savings", **named: Any) -> Receipt:
        """Ravi takes cash for somebody's account, with a new slip each time."""
        request_id = named.pop("request_id", new_request_id())
        slip = named.pop("slip", request_id[:8].upper())
        desk = named.pop("desk", self.cashier)
        number = self.number(who, what)
        return cash.deposit(desk, number, amount_minor, slip, request_id=request_id, **named)

    def open_drawer(self, who: str = "ravi", custodian: str = "admin", **pieces: int) -> int:
        """A cashier's drawer for today, empty unless told otherwise: `note_500=2`."""
        asked = {code.replace("_", "-"): count for code, count in pieces.items()}
        desk = self.desks[who]
        drawer_id = drawers.ask_for_drawer(desk, asked, request_id=new_request_id())
        vault.confirm_opening(self.desks[custodian], drawer_id)
        self.drawers[who] = drawer_id
        return drawer_id

    def new_day(self) -> None:
        """Close every drawer, balanced to the rupee, and open them anew on this business date."""
        for who, custodian in (("ravi", "admin"), ("meera", "admin_baner")):
            desk, drawer_id = self.desks[who], self.drawers[who]
            counts.start_count(desk, drawer_id)
            with looking(desk) as tx:
                pieces = fewest_pieces(tx, drawer_cash.in_drawer(tx, drawer_id))
            assert counts.enter_count(desk, drawer_id, pieces).difference_minor == 0
            vault.close_drawer(self.desks[custodian], drawer_id)
            self.open_drawer(who, custodian)

    def second(self, custodian: str = "admin") -> Desk:
        """Who stands at the vault beside an admin, with the second key."""
        key = frozenset({NamedGrant.VAULT_CUSTODIAN})
        other = {"admin": "banker", "admin_baner": "executive_baner"}[custodian]
        return replace(self.desks[other], named=key)

    def remit(self, custodian: str = "admin", *, incoming: bool = True, **pieces: int) -> int:
        """Cash from the currency chest into the vault, or to the chest, by two; its number."""
        asked = {code.replace("_", "-"): count for code, count in pieces.items()}
        way, once = Way.FROM_CHEST if incoming else Way.TO_CHEST, new_request_id()
        desk = self.desks[custodian]
        number = remittances.ask_to_remit(desk, way, asked, "CC 1", request_id=once)
        remittances.confirm_remittance(self.second(custodian), number)
        return number

    def count_vault(self, custodian: str = "admin") -> None:
        """The vault is counted by two, and balances."""
        desk = self.desks[custodian]
        with looking(desk) as tx:
            held = drawer_cash.in_vault(tx, desk.branch_id or 0)
            pieces = fewest_pieces(tx, held)
        assert vault_counts.count_vault(desk, pieces).difference_minor == 0
        waits = vault_counts.vault_counts(desk)[0]
        second = self.second(custodian)
        vault_counts.confirm_vault_count(second, waits.id, request_id=new_request_id())

    def fund(self, who: str = "ravi", custodian: str = "admin", **pieces: int) -> None:
        """Cash from the currency chest by way of the vault into a drawer."""
        self.remit(custodian, **pieces)
        asked = {code.replace("_", "-"): count for code, count in pieces.items()}
        wanted = handovers.ask_for_cash(
            self.desks[who], self.drawers[who], asked, request_id=new_request_id()
        )
        handovers.confirm_handover(self.desks[custodian], wanted)

    def vouch(self, amount_minor: int, slip: str, *, whose: str = "asha", who: str = "ravi") -> int:
        """The admin's proof for a withdrawal at somebody's window, as `supervision.vouch` leaves
        it (that one needs a device, and a new code each time)."""
        desk, number = self.desks[who], self.number(whose)
        place = next(
            name for ifsc, name in ((FORT, "Fort"), (BANER, "Baner"))
            if self.branch_ids[ifsc] == desk.branch_id
        )  # fmt: skip
        admin = {"Fort": "admin", "Baner": "admin_baner"}[place]
        with self.tx(self.desks[admin]) as tx:
            tx.session.execute(
                update(User)
                .where(User.id == self.desks[admin].user_id)
                .values(totp_secret="a device")
            )
            row = Confirmation(
                user_id=self.desks[admin].user_id,
                session_id=desk.session_id,
                purpose=supervision.PURPOSE,
                bound_to=f"Pay {money.show(amount_minor)} in cash from account {number} of "
                f"{self.desks[whose].name}, slip {slip}, at {place}",
                proof="totp",
                status=ConfirmationStatus.GIVEN,
                made_at=tx.now,
                expires_at=tx.now + timedelta(minutes=10),
            )
            tx.session.add(row)
            tx.session.flush()
            return row.id

    def balance(self, who: str, what: str = "savings") -> int:
        """What is booked on somebody's account, by the book."""
        with self.tx() as tx:
            return accounts.card_by_number(tx, self.number(who, what)).booked_minor

    @contextmanager
    def tx(self, desk: Desk | None = None) -> Iterator[Tx]:
        """A transaction of the system's, or of somebody's."""
        with chunk(desk or app.system_desk(self.bank), "tests.arrange") as tx:
            yield tx

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """What a SELECT answers."""
        with self.bank.db.read() as connection:
            return [dict(row._mapping) for row in connection.exec_driver_sql(sql)]

    def mails(self, purpose: str = "cash") -> list[dict[str, Any]]:
        """The mails of one purpose, oldest first."""
        return self.rows(
            f"SELECT recipient, subject, body FROM outbox WHERE purpose = '{purpose}' ORDER BY id"
        )

    def code(self) -> Secret:
        """The code in the newest mail that carries one."""
        body = self.rows("SELECT body FROM outbox WHERE confidential ORDER BY id DESC LIMIT 1")
        text = self.bank.keyring.decrypt("outbox", body[0]["body"])
        found = re.search(r"Your code: (\d+)", text)
        assert found is not None
        return Secret(found[1])

    def close_account(self, who: str, what: str = "savings") -> None:
        """Close somebody's account by hand: the verb for it comes with a later step."""
        with self.tx() as tx:
            tx.connection.exec_driver_sql(
                f"UPDATE accounts SET status = 'closed' WHERE number = '{self.number(who, what)}'"
            )


@cast("market", "sqlite_market")
def settle(bank: Bank) -> Market:
    """Fill an empty bank with the market: everybody in it, their accounts, and an open drawer for
    each cashier, with nothing in it yet."""
    market = Market(bank)
    with market.tx() as tx:
        for ifsc, name in ((FORT, "Fort"), (BANER, "Baner")):
            row = branches.add_branch_row(tx, ifsc=ifsc, name=name, address=f"1 {name} Road")
            market.branch_ids[ifsc] = row.id
        for key, (name, role, ifsc) in STAFF.items():
            user = identity.add_user_row(
                tx,
                username=f"{key}.staff",
                name=name,
                email=f"{key}@bank.example.com",
                role=role,
                branch_id=market.branch_ids[ifsc] if ifsc else None,
                password_hash="$2b$04$" + "." * 53,
            )
            market.desks[key] = _desk(tx, user)
        hashed = passwords.hash_password(Secret(TRANSACTION_PASSWORD))
        for key, (name, ifsc, email, pan) in PEOPLE.items():
            new = NewCustomer(
                name=name,
                date_of_birth=date(1990, 5, 17),
                branch_id=market.branch_ids[ifsc],
                email=email,
                pan=pan,
            )
            customer = customers.customer_by_id(tx, customers.add_customer_row(tx, new))
            user = customers.add_access_row(
                tx,
                customer,
                password_hash="$2b$04$" + "." * 53,
                transaction_password_hash=hashed,
                username=f"{key}.customer",
            )
            market.desks[key] = _desk(tx, user)
            market.numbers[key, "savings"] = _account(tx, customer.id, "savings").number
        asha = market.desks["asha"].customer_id
        assert asha is not None
        current = _account(tx, asha, "current", overdraft_limit_minor=10_000_00)
        market.numbers["asha", "current"] = current.number
        foreign = _account(tx, asha, "savings", currency="CZK")
        market.numbers["asha", "koruna"] = foreign.number
    market.open_drawer("ravi", "admin")
    market.open_drawer("meera", "admin_baner")
    return market


def _account(tx: Tx, customer_id: int, product: str, **named: Any) -> Account:
    customer = customers.customer_by_id(tx, customer_id)
    return accounts.open_row(
        tx,
        customer_id=customer_id,
        product=products.product(tx, product),
        branch_id=customer.branch_id,
        **named,
    )


def _desk(tx: Tx, user: identity.User) -> Desk:
    session, _ = sessions.open_row(tx, user.id, "a browser of the tests")
    return Desk(
        bank=tx.bank,
        role=user.role,
        user_id=user.id,
        name=user.name,
        branch_id=user.branch_id,
        customer_id=user.customer_id,
        session_id=session.id,
        channel="portal" if user.role is Role.CUSTOMER else "branch",
        from_where="127.0.0.1",
    )


@pytest.fixture
def _cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "COST", 4)


@pytest.fixture
def market(request: pytest.FixtureRequest, bank: Bank, _cheap_passwords: None) -> Market:
    """The market, on each database in turn."""
    found: Market = people_in(request, bank)
    return found


@pytest.fixture
def sqlite_market(
    request: pytest.FixtureRequest, sqlite_bank: Bank, _cheap_passwords: None
) -> Market:
    """The market where the database makes no difference."""
    found: Market = people_in(request, sqlite_bank)
    return found


def pay_in(market: Market, who: str, amount_minor: int, what: str = "savings") -> int:
    """Put money on an account out of the bank's capital, without a counter; the entry's id."""
    with market.tx() as tx:
        card = accounts.card_by_number(tx, market.number(who, what))
        posted = ledger.post(
            tx,
            ledger.Draft(
                request_id=new_request_id(),
                kind="opening",
                narration="Opening balance",
                legs=(
                    ledger.credit_account(card.id, amount_minor),
                    ledger.debit_gl("3000", amount_minor, card.branch_id),
                ),
                branch_id=card.branch_id,
                currency=card.currency,
            ),
        )
    return posted.entry_id
