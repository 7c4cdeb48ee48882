"""Holds that people place: a second click holds nothing more, and the trail says what changed."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from bank.book import holds, ledger
from bank.core.desk import Bank, Desk, chunk
from bank.core.errors import BankError
from bank.core.ids import new_request_id
from bank.core.permissions import Role
from tests.bank.test_ledger_rules import cash_in, open_at
from tests.support.bank import desk, staff
from tests.support.hostile import Hostile, refused


@pytest.fixture
def admin(bank: Bank) -> Desk:
    """The branch admin of branch 1, where accounts 1 and 2 hold 1,000 each."""
    cashier = desk(staff(bank, 777), Role.CASHIER)
    with chunk(cashier, "tests.arrange") as tx:
        for account in (open_at(tx, 1), open_at(tx, 1)):
            ledger.post(tx, cash_in(account, 1_000))
    return desk(bank, Role.BRANCH_ADMIN)


@contextmanager
def console(bank: Bank) -> Iterator[Hostile]:
    """A hostile console on this book."""
    made = Hostile(bank)
    try:
        yield made
    finally:
        made.driver.close()


def held(bank: Bank, account_id: int = 1) -> int:
    """What is held on an account."""
    with bank.db.read() as connection:
        found = connection.exec_driver_sql(
            f"SELECT held_minor FROM balances WHERE account_id = {account_id}"
        )
        return int(found.scalar_one())


def changes(bank: Bank) -> list[tuple[int, int]]:
    """Before and after of every hold that was placed or released, by the trail."""
    with bank.db.read() as connection:
        rows = connection.exec_driver_sql(
            "SELECT before, after FROM trail WHERE verb LIKE 'book.holds.%%'"
            " AND before IS NOT NULL ORDER BY id"
            if bank.db.dialect == "postgresql"
            else "SELECT before, after FROM trail WHERE verb LIKE 'book.holds.%'"
            " AND before IS NOT NULL ORDER BY id"
        )
        return [tuple(json.loads(each)["held_minor"] for each in row) for row in rows]


@pytest.mark.feature("B2", "B8")
def test_a_second_click_holds_nothing_more(bank: Bank, admin: Desk) -> None:
    once = new_request_id()
    first = holds.place_hold(admin, 1, 100, "court order", request_id=once)
    assert holds.place_hold(admin, 1, 100, " court order ", request_id=once) == first
    assert held(bank) == 100
    for other in ((2, 100, "court order"), (1, 101, "court order"), (1, 100, "another")):
        with pytest.raises(ledger.RequestReused):
            holds.place_hold(admin, *other, request_id=once)
    colleague = desk(bank, Role.BRANCH_ADMIN, user_id=777)
    with pytest.raises(ledger.RequestReused):
        holds.place_hold(colleague, 1, 100, "court order", request_id=once)
    second = holds.place_hold(admin, 1, 100, "court order", request_id=new_request_id())
    assert held(bank) == 200
    over = new_request_id()
    at = holds.release_hold(admin, first, request_id=over)
    assert holds.release_hold(admin, first, request_id=over) == at
    with pytest.raises(ledger.RequestReused):
        holds.release_hold(admin, second, request_id=over)
    with pytest.raises(holds.HoldIsReleased):
        holds.release_hold(admin, first, request_id=new_request_id())
    # The first hold is over, and a very late click still finds it.
    assert holds.place_hold(admin, 1, 100, "court order", request_id=once) == first
    assert held(bank) == 100
    assert changes(bank) == [(0, 100), (100, 200), (200, 100)]


@pytest.mark.feature("B2", "A13.1")
def test_clicks_at_once_hold_once_and_two_people_are_told_apart(bank: Bank, admin: Desk) -> None:
    many = threading.Barrier(6)

    def click(request_id: str, account_id: int = 1) -> Any:
        many.wait(30)
        try:
            return holds.place_hold(admin, account_id, 100, "court order", request_id=request_id)
        except BankError as refused:
            return type(refused).__name__

    once, accounts = new_request_id(), (1, 1, 1, 1, 2, 2)
    with ThreadPoolExecutor(6) as pool:
        told = list(pool.map(click, [once] * 6, accounts))
    made = {one for one in told if isinstance(one, int)}
    assert len(made) == 1
    assert {one for one in told if one not in made} == {"RequestReused"}
    assert held(bank, 1) + held(bank, 2) == 100
    before = held(bank, 1)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(click, [new_request_id() for _ in range(6)]))
    assert held(bank, 1) == before + 600
    steps = changes(bank)[1:]  # by the trail, each began where the one before it ended
    assert sorted(steps) == [(at, at + 100) for at in range(before, before + 600, 100)]


@pytest.mark.feature("B8")
def test_only_the_guards_own_words_mean_that_it_is_released(bank: Bank, admin: Desk) -> None:
    hold_id = holds.place_hold(admin, 1, 100, "a claim", request_id=new_request_id())
    full = "BEFORE UPDATE ON holds"
    with bank.db.engine.begin() as connection:
        if bank.db.dialect == "sqlite":
            body = "BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
            connection.exec_driver_sql(f"CREATE TRIGGER a_full {full} {body}")
            connection.connection.commit()
        else:
            body = "FOR EACH ROW EXECUTE FUNCTION book_refuse('the disk is full')"
            connection.exec_driver_sql(f"CREATE TRIGGER a_full {full} {body}")
    with pytest.raises(DBAPIError, match="the disk is full"):
        holds.release_hold(admin, hold_id, request_id=new_request_id())
    assert held(bank) == 100


@pytest.mark.feature("A9.4")
def test_a_hold_keeps_its_request(bank: Bank, admin: Desk) -> None:
    first = holds.place_hold(admin, 1, 100, "court order", request_id="one")
    holds.place_hold(admin, 1, 100, "court order", request_id="two")
    holds.release_hold(admin, first, request_id="over")
    statements = ["UPDATE holds SET request_id = 'else' WHERE id = 2"]
    release = "SET released_at = placed_at, released_by = 7, release_request_id = 'over'"
    statements.append(f"UPDATE holds {release} WHERE id = 2")
    if bank.db.dialect == "sqlite":
        statements.append(f"UPDATE OR REPLACE holds {release} WHERE id = 2")
        copied = "account_id, amount_minor, reason, placed_at, placed_by, request_id"
        statements.append(
            f"INSERT OR REPLACE INTO holds ({copied}) SELECT {copied} FROM holds WHERE id = 2"
        )
    with console(bank) as hostile:
        for statement in statements:
            refused(hostile, "request_id", statement)
    assert held(bank) == 100
