"""Many at once, on the same few accounts: nothing is lost and nobody waits forever."""

import random
import threading
from collections.abc import Callable

import pytest

from bank.book import chart, holds, ledger
from bank.book.drafts import Draft
from bank.core.desk import Bank, Desk, chunk
from bank.core.ids import new_request_id
from bank.core.permissions import Role
from tests.support.bank import desk
from tests.support.hostile import Hostile, is_whole
from tests.support.soak import times

PEOPLE = 16


def a_move(chance: random.Random) -> Draft:
    """Between two of three accounts, one of them at another branch."""
    source, target = chance.sample((1, 2, 3), 2)
    amount = chance.randint(1, 40)
    legs = (ledger.debit_account(source, amount), ledger.credit_account(target, amount))
    return Draft(new_request_id(), "transfer", "back and forth", legs, 1)


def works_on(who: Desk, chance: random.Random, rounds: int, seen: list[Draft]) -> None:
    """Single entries, batches, requests that others have sent already, holds and releases."""

    def one() -> None:
        with chunk(who, "tests.one") as tx:
            ledger.post(tx, a_move(chance))

    def batch() -> None:
        drafts = [a_move(chance) for _ in range(12)] + chance.sample(seen, min(len(seen), 3))
        chance.shuffle(drafts)
        with chunk(who, "tests.batch") as tx:
            ledger.post_many(tx, drafts)
        seen.extend(drafts[:2])

    def hold() -> None:
        with chunk(who, "tests.hold") as tx:
            hold_id = holds.place(tx, chance.choice((1, 2, 3)), chance.randint(1, 30), "a while")
        with chunk(who, "tests.release") as tx:
            holds.release(tx, hold_id)

    deeds: list[Callable[[], None]] = [one, one, batch, hold]
    for _ in range(rounds):
        try:
            chance.choice(deeds)()
        except ledger.InsufficientFunds:
            continue  # said in time, and nothing of it is written


@pytest.mark.soak
@pytest.mark.feature("A13.1", "B1", "B2")
def test_sixteen_people_at_three_accounts(hostile: Hostile, bank: Bank) -> None:
    with chunk(desk(bank, Role.CASHIER), "tests.arrange") as tx:
        for account in (2, 3):
            legs = (ledger.debit_gl(chart.CASH, 900), ledger.credit_account(account, 900))
            ledger.post(tx, Draft(new_request_id(), "cash_deposit", "cash", legs, 1))
    rounds, seed = times(normal=8, soak=150), times(normal=4711, soak=random.randrange(2**32))
    start, failures, seen = threading.Barrier(PEOPLE), list[BaseException](), list[Draft]()
    who = desk(bank, Role.CASHIER)

    def person(number: int) -> None:
        start.wait(60)
        try:
            works_on(who, random.Random(seed + number), rounds, seen)
        except BaseException as failure:
            failures.append(failure)
            raise

    crowd = [threading.Thread(target=person, args=(number,)) for number in range(PEOPLE)]
    for each in crowd:
        each.start()
    for each in crowd:
        each.join()
    assert not failures, (seed, failures[0])
    is_whole(hostile)
    assert hostile.ask("SELECT SUM(booked_minor), SUM(held_minor) FROM balances") == [(2500, 100)]
    for account in (1, 2, 3):
        lines = hostile.ask(
            "SELECT line_no, amount_minor, balance_minor FROM postings"
            f" WHERE account_id = {account} ORDER BY line_no"
        )
        booked = 0
        for number, (line_no, amount, balance) in enumerate(lines, 1):
            booked += amount
            assert (line_no, balance) == (number, booked), (seed, account)
            assert balance >= 0
    sent = [draft.request_id for draft in seen]
    assert len(sent) > len(set(sent)), "some requests were sent twice"
