"""A marketplace for tests of the counters: two branches, their staff, three customers, accounts.

    def test_x(market): market.cashier, market.number("asha", "savings")

Everybody is a real row with a real session, so receipts name people and payments can be confirmed.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import pytest

from bank import app
from bank.accounts import accounts, products
from bank.accounts.accounts import Account
from bank.book import ledger
from bank.core.desk import Bank, Desk, Tx, chunk
from bank.core.ids import new_request_id
from bank.core.permissions import Role
from bank.core.secrets import Secret
from bank.counters import cash
from bank.counters.receipts import Receipt
from bank.people import branches, customers, identity, passwords, sessions
from bank.people.customers import NewCustomer

TRANSACTION_PASSWORD: Final = "quiet river under stones"
FORT, BANER = "BANK0000001", "BANK0000002"
PEOPLE: Final = {
    # key: name, branch, mail
    "asha": ("Asha Rao", FORT, "asha@example.com"),
    "vikram": ("Vikram Shah", BANER, "vikram@example.com"),
    "nila": ("Nila Das", FORT, None),
}
STAFF: Final = {
    # key: name, role, branch
    "ravi": ("Ravi Kumar", Role.CASHIER, FORT),
    "meera": ("Meera Joshi", Role.CASHIER, BANER),
    "banker": ("Bina Mehta", Role.BANKER, FORT),
    "admin": ("Arun Nair", Role.BRANCH_ADMIN, FORT),
    "admin_baner": ("Farah Khan", Role.BRANCH_ADMIN, BANER),
    "auditor": ("Olga Pinto", Role.AUDITOR, None),
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

    @property
    def cashier(self) -> Desk:
        """Ravi, cashier at Fort."""
        return self.desks["ravi"]

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


def settle(bank: Bank) -> Market:
    """Fill an empty bank with the market: everybody in it, and their accounts."""
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
        for key, (name, ifsc, email) in PEOPLE.items():
            new = NewCustomer(
                name=name,
                date_of_birth=date(1990, 5, 17),
                branch_id=market.branch_ids[ifsc],
                email=email,
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
def market(bank: Bank, _cheap_passwords: None) -> Market:
    """The market, on each database in turn."""
    return settle(bank)


@pytest.fixture
def sqlite_market(sqlite_bank: Bank, _cheap_passwords: None) -> Market:
    """The market where the database makes no difference."""
    return settle(sqlite_bank)


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
