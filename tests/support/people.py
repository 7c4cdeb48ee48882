"""People for a test: a branch, employees with a device, customers with a mailbox, and their way in.

def test_x(bank, cheap_bcrypt):
    asha = people.customer(bank)
    sid = people.signed_in(bank, asha)
"""

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final

import pytest
from sqlalchemy import select

from bank import app
from bank.core.clock import FixedClock
from bank.core.desk import Bank, Desk, chunk, looking
from bank.core.outbox import KEY, Message
from bank.core.permissions import Role
from bank.core.secrets import Secret
from bank.people import codes, customers, passwords, sessions, sign_in
from bank.people.attempts import SignInStatus
from bank.people.branches import Branch, add_branch_row
from bank.people.customers import NewCustomer
from bank.people.identity import User, add_user_row
from bank.people.sign_in import Step

PASSWORD: Final = "sturdy kettle, nine moons"
TRANSACTION_PASSWORD: Final = "quiet harbour, six lamps"
XSRF: Final = "the xsrf cookie of one browser"
IP: Final = "10.0.0.7"
OUR_IFSC: Final = "BANK0000001"


@dataclass(frozen=True)
class Somebody:
    """A user of a test bank. `key` is the TOTP key of their device, if they have one."""

    id: int
    username: str
    password: str = PASSWORD
    key: Secret | None = None
    customer_id: int | None = None


@pytest.fixture
def cheap_bcrypt(monkeypatch: pytest.MonkeyPatch) -> None:
    """bcrypt with as few rounds as it knows: the rules are tested here, not its slowness."""
    monkeypatch.setattr(passwords, "COST", 4)


def branch_id(bank: Bank, ifsc: str = OUR_IFSC) -> int:
    """The id of a branch, made when it is not there."""
    with _writing(bank) as tx:
        known = tx.session.scalar(select(Branch.id).where(Branch.ifsc == ifsc))
        return known or add_branch_row(tx, ifsc=ifsc, name=f"Branch {ifsc[-3:]}", address="").id


def employee(
    bank: Bank,
    role: Role = Role.CASHIER,
    username: str = "ravi",
    *,
    has_device: bool = True,
    must_change_password: bool = False,
    ifsc: str = OUR_IFSC,
) -> Somebody:
    """An employee at a branch, with a device for codes unless told otherwise."""
    where = branch_id(bank, ifsc)
    key = codes.new_totp_key() if has_device else None
    hashed = passwords.hash_password(Secret(PASSWORD))
    with _writing(bank) as tx:
        user = add_user_row(
            tx,
            username=username,
            name="Ravi Kumar",
            email=f"{username}@bank.example",
            role=role,
            branch_id=where,
            password_hash=hashed,
            must_change_password=must_change_password,
            totp_secret=key,
        )
        return Somebody(user.id, user.username, key=key)


def customer(
    bank: Bank,
    email: str | None = "asha@example.com",
    *,
    must_change_password: bool = False,
    has_transaction_password: bool = True,
    ifsc: str = OUR_IFSC,
) -> Somebody:
    """A customer who may use the portal."""
    where = branch_id(bank, ifsc)
    hashed = passwords.hash_password(Secret(PASSWORD))
    second = passwords.hash_password(Secret(TRANSACTION_PASSWORD))
    with _writing(bank) as tx:
        new = NewCustomer(
            name="Asha Rao", date_of_birth=date(1990, 5, 17), branch_id=where, email=email
        )
        key = customers.add_customer_row(tx, new)
        user = customers.add_access_row(
            tx,
            customers.customer_by_id(tx, key),
            password_hash=hashed,
            must_change_password=must_change_password,
            transaction_password_hash=second if has_transaction_password else None,
        )
        return Somebody(user.id, user.username, customer_id=key)


def guest(bank: Bank) -> Desk:
    """The desk of somebody at the door."""
    return sessions.guest(bank, IP)


def device_code(bank: Bank, key: Secret | None) -> Secret:
    """What the device shows now."""
    assert key is not None
    return Secret(codes.totp_now(key, bank.clock.now())[0])


def mails(bank: Bank, user: Somebody) -> list[Message]:
    """Every mail to somebody, oldest first, with readable bodies."""
    with looking(app.system_desk(bank)) as tx:
        rows = tx.session.scalars(
            select(Message).where(Message.user_id == user.id).order_by(Message.id)
        ).all()
        for row in rows:
            tx.session.expunge(row)
            if row.confidential and row.body:
                row.body = bank.keyring.decrypt(KEY, row.body)
        return list(rows)


def mailed_code(bank: Bank, user: Somebody) -> Secret:
    """The newest code in somebody's mailbox."""
    found = [re.search(r"Your code: (\d{6})", mail.body) for mail in mails(bank, user)]
    return Secret([match[1] for match in found if match][-1])


def wrong_code(right: Secret) -> Secret:
    """A code that is not this one."""
    return Secret(f"{(int(right.reveal()) + 1) % 1_000_000:06d}")


def second_step(bank: Bank, who: Somebody) -> Secret:
    """The code that somebody's sign-in asks for now."""
    return device_code(bank, who.key) if who.key else mailed_code(bank, who)


def enter_password(bank: Bank, who: Somebody, password: str | None = None) -> Step:
    """The first step of somebody's sign-in."""
    return sign_in.enter_password(
        guest(bank), Secret(who.username), Secret(password or who.password)
    )


def passed(bank: Bank, who: Somebody) -> Step:
    """Password and code, so that only the ticket is left."""
    step = enter_password(bank, who)
    step = sign_in.enter_code(guest(bank), step.token, second_step(bank, who))
    assert step.due is SignInStatus.PASSED
    return step


def signed_in(bank: Bank, who: Somebody, *, agent: str = "") -> str:
    """The whole way in; answers the cookie."""
    ticket = sign_in.take_ticket(guest(bank), passed(bank, who).token, Secret(XSRF))
    sid = sign_in.redeem_ticket(bank, ticket.reveal(), XSRF, IP, agent)
    assert sid is not None
    later(bank, seconds=30)  # so that the device shows another code the next time
    return sid


def desk_of(bank: Bank, who: Somebody) -> Desk:
    """The desk of somebody who has just signed in."""
    desk = sessions.desk_for(bank, signed_in(bank, who), IP)
    assert desk is not None
    return desk


def later(bank: Bank, **by: float) -> None:
    """Move the bank's clock."""
    assert isinstance(bank.clock, FixedClock)
    bank.clock.at += timedelta(**by)


def as_demo(bank: Bank) -> Bank:
    """The same bank, as if it had been seeded as a demo."""
    return replace(bank, is_demo=True)


def change_user(bank: Bank, who: Somebody, **values: object) -> None:
    """What an administrator's verb will do to a user's row."""
    with _writing(bank) as tx:
        user = tx.session.get_one(User, who.id)
        for name, value in values.items():
            setattr(user, name, value)


def trail(bank: Bank, verb: str) -> list[Any]:
    """The rows of the trail for a verb, oldest first."""
    sql = "SELECT outcome, object_kind, object_id, details, refusal FROM trail WHERE verb = "
    with looking(app.system_desk(bank)) as tx:
        tx.cursor.execute(f"{sql}'{verb}' ORDER BY id")
        return list(tx.cursor.fetchall())


def count(bank: Bank, table: str) -> int:
    """How many rows a table has."""
    with looking(app.system_desk(bank)) as tx:
        tx.cursor.execute(f"SELECT count(*) FROM {table}")
        return int(tx.cursor.fetchone()[0])


def _writing(bank: Bank) -> Any:
    return chunk(app.system_desk(bank), "test.people")
