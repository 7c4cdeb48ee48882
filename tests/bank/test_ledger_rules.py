"""What the ledger promises to those who call it, on both databases.

That the database keeps the same promises against a program that does not ask the ledger is in
test_ledger_guards.py.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from bank import app
from bank.book import chart, holds, journal, ledger
from bank.book.drafts import Draft, Leg, Posted
from bank.core.desk import Bank, Desk, Tx, chunk
from bank.core.errors import BadInput, NotAllowed
from bank.core.ids import new_request_id
from bank.core.permissions import Role
from bank.counters import drawer_cash
from bank.counters.drawer_cash import MoveKind
from tests.support.bank import DeskFor, staff


@pytest.fixture
def cashier(desk_for: DeskFor) -> Desk:
    """Somebody who books, in a bank that knows them."""
    made = desk_for(Role.CASHIER)
    staff(made.bank, 77, 999)
    return made


@pytest.fixture
def importer(desk_for: DeskFor) -> Desk:
    """The system bringing books in."""
    return desk_for(Role.SYSTEM, channel="import")


@pytest.fixture
def accounts(cashier: Desk) -> list[int]:
    """Two empty accounts at branch 1, one at branch 2, one at branch 1 with an overdraft of 500."""
    with booking(cashier) as tx:
        return [
            open_at(tx, 1),
            open_at(tx, 1),
            open_at(tx, 2),
            open_at(tx, 1, overdraft_limit_minor=500),
        ]


def in_the_vault(bank: Bank, draft: Draft) -> Draft:
    """Cash that comes in by the ledger alone lies in the vault, so that it can go out again."""
    with chunk(app.system_desk(bank), "tests.arrange") as tx:
        drawer_cash.put_in_vault(tx, [draft], MoveKind.CARRIED)
    return draft


@contextmanager
def booking(desk: Desk) -> Iterator[Tx]:
    """A transaction of this desk's that commits."""
    with chunk(desk, "tests.booking") as tx:
        yield tx


def open_at(tx: Tx, branch_id: int, currency: str = "INR", **named: Any) -> int:
    """An empty savings account."""
    return ledger.open_balance(
        tx, gl_code=chart.SAVINGS, branch_id=branch_id, currency=currency, **named
    )


def draft(*legs: Leg, **named: Any) -> Draft:
    """An entry of branch 1."""
    given = {
        "request_id": new_request_id(),
        "kind": "cash_deposit",
        "narration": "as the test says",
        "branch_id": 1,
        "legs": legs,
    }
    return Draft(**(given | named))


def cash_in(account_id: int, amount: int, **named: Any) -> Draft:
    """Cash over the counter."""
    return draft(
        ledger.debit_gl(chart.CASH, amount), ledger.credit_account(account_id, amount), **named
    )


def move(source: int, target: int, amount: int, **named: Any) -> Draft:
    """From one account to another."""
    legs = (ledger.debit_account(source, amount), ledger.credit_account(target, amount))
    return draft(*legs, kind="transfer", **named)


def post(desk: Desk, *drafts: Draft) -> list[Posted]:
    """Book in one transaction."""
    with booking(desk) as tx:
        return ledger.post_many(tx, drafts)


def booked(desk: Desk, account_id: int) -> int:
    """The booked balance."""
    with booking(desk) as tx:
        return ledger.balance_of(tx, account_id).booked_minor


def rows(bank: Bank, sql: str, **given: Any) -> list[Any]:
    """What a SELECT answers."""
    with bank.db.read() as connection:
        return list(connection.execute(text(sql), given))


@pytest.mark.feature("B1", "A3.9")
def test_an_entry_moves_its_accounts_at_once(
    bank: Bank, cashier: Desk, accounts: list[int]
) -> None:
    [posted] = post(cashier, cash_in(accounts[0], 500))
    post(cashier, move(accounts[0], accounts[1], 200))
    assert [booked(cashier, one) for one in accounts[:2]] == [300, 200]
    [entry] = rows(bank, "SELECT * FROM entries WHERE id = :id", id=posted.entry_id)
    assert (entry.actor_id, entry.branch_id, entry.channel) == (cashier.user_id, 1, "branch")
    assert str(entry.booking_date) == str(entry.value_date) == "2026-03-16"
    lines = rows(bank, "SELECT line_no, balance_minor FROM postings WHERE account_id = 1")
    assert sorted(map(tuple, lines)) == [(1, 500), (2, 300)]


@pytest.mark.feature("B1")
def test_branches_that_owe_each_other_get_their_lines(
    bank: Bank, cashier: Desk, accounts: list[int]
) -> None:
    [posted] = post(cashier, cash_in(accounts[2], 700))
    found = rows(
        bank,
        "SELECT g.code, p.branch_id, p.amount_minor FROM postings p"
        " JOIN gl_accounts g ON g.id = p.gl_account_id WHERE p.entry_id = :id",
        id=posted.entry_id,
    )
    assert sorted(map(tuple, found)) == [
        ("1000", 1, -700),
        ("1900", 1, 700),
        ("1900", 2, -700),
        ("2000", 2, 700),
    ]


@pytest.mark.parametrize(
    "legs",
    [
        (ledger.debit_gl("1000", 5), ledger.credit_account(1, 6)),
        (ledger.debit_gl("1000", 5),),
        (),
    ],
    ids=["unequal", "one line", "none"],
)
def test_what_does_not_balance_is_refused(
    bank: Bank, cashier: Desk, accounts: list[int], legs: tuple[Leg, ...]
) -> None:
    with pytest.raises(ledger.Unbalanced):
        post(cashier, draft(*legs))
    assert rows(bank, "SELECT 1 FROM entries") == []


def test_two_currencies_do_not_balance_each_other(
    bank: Bank, cashier: Desk, accounts: list[int]
) -> None:
    with booking(cashier) as tx:
        koruna = open_at(tx, 1, "CZK")
    post(cashier, cash_in(accounts[0], 500))
    with pytest.raises(ledger.Unbalanced):
        post(cashier, move(accounts[0], koruna, 200))
    assert booked(cashier, koruna) == 0


def test_a_debit_stops_at_the_overdraft_limit(cashier: Desk, accounts: list[int]) -> None:
    post(cashier, cash_in(accounts[3], 100))
    post(cashier, move(accounts[3], accounts[0], 600))
    assert booked(cashier, accounts[3]) == -500
    with pytest.raises(ledger.InsufficientFunds):
        post(cashier, move(accounts[3], accounts[0], 1))
    with pytest.raises(ledger.InsufficientFunds):
        post(cashier, cash_in(accounts[1], 5), move(accounts[3], accounts[0], 1))
    assert booked(cashier, accounts[1]) == 0, "the whole batch is refused"


def test_a_batch_may_spend_what_it_has_paid_in(cashier: Desk, accounts: list[int]) -> None:
    post(cashier, cash_in(accounts[0], 50), move(accounts[0], accounts[1], 50))
    with pytest.raises(ledger.InsufficientFunds):
        post(cashier, move(accounts[1], accounts[0], 51), cash_in(accounts[1], 50))


def test_held_money_is_not_available(cashier: Desk, accounts: list[int]) -> None:
    post(cashier, cash_in(accounts[0], 500))
    with booking(cashier) as tx:
        hold_id = holds.place(tx, accounts[0], 300, "a claim")
        assert ledger.balance_of(tx, accounts[0]).available_minor == 200
    with pytest.raises(ledger.InsufficientFunds):
        post(cashier, move(accounts[0], accounts[1], 201))
    with pytest.raises(ledger.InsufficientFunds), booking(cashier) as tx:
        holds.place(tx, accounts[0], 201, "another claim")
    with booking(cashier) as tx:
        holds.release(tx, hold_id)
    post(cashier, move(accounts[0], accounts[1], 500))
    with pytest.raises(holds.HoldIsReleased), booking(cashier) as tx:
        holds.release(tx, hold_id)


@pytest.mark.parametrize(("amount", "reason"), [(0, "why"), (-5, "why"), (5, "  ")])
def test_a_hold_needs_an_amount_and_a_reason(
    cashier: Desk, accounts: list[int], amount: int, reason: str
) -> None:
    with pytest.raises(BadInput), booking(cashier) as tx:
        holds.place(tx, accounts[0], amount, reason)


@pytest.mark.feature("B8")
def test_holds_are_placed_by_the_branch_admin_of_the_branch(
    bank: Bank, desk_for: DeskFor, cashier: Desk, accounts: list[int]
) -> None:
    post(cashier, cash_in(accounts[0], 500))
    once, over = {"request_id": new_request_id()}, {"request_id": new_request_id()}
    hold_id = holds.place_hold(desk_for(Role.BRANCH_ADMIN), accounts[0], 100, "court order", **once)
    elsewhere = desk_for(Role.BRANCH_ADMIN, branch_id=2, user_id=77)
    with pytest.raises(ledger.NoSuchAccount):
        holds.place_hold(elsewhere, accounts[0], 100, "court order", **once)
    with pytest.raises(ledger.NoSuchAccount):
        holds.release_hold(elsewhere, hold_id, **over)
    with pytest.raises(holds.NoSuchHold):
        holds.release_hold(elsewhere, 999, **over)
    holds.release_hold(desk_for(Role.BRANCH_ADMIN), hold_id, **over)
    trail = rows(bank, 'SELECT "before", "after" FROM trail WHERE verb = \'book.holds.place_hold\'')
    assert ('{"held_minor":0}', '{"held_minor":100}') in list(map(tuple, trail))


def test_only_an_import_passes_the_floor_and_then_credits_only(
    bank: Bank, cashier: Desk, importer: Desk, accounts: list[int]
) -> None:
    with pytest.raises(NotAllowed), booking(cashier) as tx:
        ledger.waive_floor(tx, accounts[:1], batch_id=1, source="by hand")
    with booking(importer) as tx:
        ledger.waive_floor(tx, accounts[:1], batch_id=1, source="old books")
        ledger.post(tx, move(accounts[0], accounts[1], 900))
        ledger.close_waivers(tx)
    [waiver] = rows(bank, "SELECT account_id, source, closed_at FROM floor_waivers")
    assert (waiver.account_id, waiver.source) == (accounts[0], "old books")
    assert waiver.closed_at is not None
    for desk in (cashier, importer):
        with pytest.raises(ledger.InsufficientFunds):
            post(desk, move(accounts[0], accounts[1], 1))
    post(cashier, cash_in(accounts[0], 100))
    assert booked(cashier, accounts[0]) == -800


def test_no_other_import_waives_a_floor_again(
    bank: Bank, importer: Desk, accounts: list[int]
) -> None:
    def take_further(batch_id: int) -> None:
        with booking(importer) as tx:
            ledger.waive_floor(tx, accounts[:1], batch_id=batch_id, source="old books")
            ledger.post(tx, move(accounts[0], accounts[1], 900))
            ledger.close_waivers(tx)

    take_further(1)
    take_further(1)  # the next chunk of the same import
    assert booked(importer, accounts[0]) == -1_800
    with pytest.raises(ledger.FloorWaivedBefore):
        take_further(2)
    assert booked(importer, accounts[0]) == -1_800
    assert len(rows(bank, "SELECT 1 FROM floor_waivers")) == 2


@pytest.mark.feature("B1")
@pytest.mark.parametrize("amount", [0, 1.5, 2.0, True, "5", None])
@pytest.mark.parametrize("many", [False, True], ids=["one", "batch"])
def test_an_amount_is_a_whole_number_and_not_nothing(
    bank: Bank, cashier: Desk, accounts: list[int], amount: Any, many: bool
) -> None:
    less = -amount if isinstance(amount, int | float) else amount
    wrong = draft(Leg(amount, accounts[0]), Leg(less, None, chart.CASH))
    drafts = [cash_in(accounts[1], 5), wrong] if many else [wrong]
    with pytest.raises(ledger.WrongAmount) as refused:
        post(cashier, *drafts)
    assert refused.value.field == "amount"
    assert rows(bank, "SELECT 1 FROM postings") == []


@pytest.mark.feature("B1")
@pytest.mark.parametrize("currency", ["inr", "rupees", "IN", "I1R", "ÜSD"])
def test_a_currency_is_three_capital_letters(
    bank: Bank, cashier: Desk, accounts: list[int], currency: str
) -> None:
    line = (ledger.debit_gl(chart.CASH, 5), ledger.credit_gl(chart.FEE_INCOME, 5))
    with pytest.raises(ledger.WrongCurrency):
        post(cashier, draft(*line, currency=currency))
    with pytest.raises(ledger.WrongCurrency):
        post(cashier, draft(*[leg._replace(currency=currency) for leg in line]))
    with pytest.raises(ledger.WrongCurrency), booking(cashier) as tx:
        open_at(tx, 1, currency)
    assert rows(bank, "SELECT 1 FROM postings") == []


@pytest.mark.feature("B3")
def test_an_entry_in_two_currencies_is_reversed_in_both(
    bank: Bank, cashier: Desk, desk_for: DeskFor, accounts: list[int]
) -> None:
    with booking(cashier) as tx:
        crowns = open_at(tx, 1, "CZK")
    post(cashier, cash_in(accounts[0], 100))
    bought = (
        ledger.debit_account(accounts[0], 50),
        Leg(50, None, chart.TRANSIT),
        Leg(-7, None, chart.TRANSIT, None, "CZK"),
        ledger.credit_account(crowns, 7),
    )
    [made] = post(cashier, draft(*bought))
    lines = "SELECT currency, amount_minor FROM postings WHERE entry_id = {0} ORDER BY leg"
    assert list(map(tuple, rows(bank, lines.format(made.entry_id)))) == [
        ("INR", -50),
        ("INR", 50),
        ("CZK", -7),
        ("CZK", 7),
    ]
    [again] = post(cashier, draft(*bought, request_id=made.request_id))
    assert again.replayed
    other = (*bought[:2], bought[2]._replace(currency="EUR"), bought[3])
    with pytest.raises(ledger.RequestReused):
        post(cashier, draft(*other, request_id=made.request_id))
    with booking(desk_for(Role.BRANCH_ADMIN)) as tx:
        undone = ledger.reverse(tx, made.entry_id, reason="why", request_id=new_request_id())
    assert list(map(tuple, rows(bank, lines.format(undone.entry_id)))) == [
        ("INR", 50),
        ("INR", -50),
        ("CZK", 7),
        ("CZK", -7),
    ]
    assert (booked(cashier, accounts[0]), booked(cashier, crowns)) == (100, 0)


@pytest.mark.feature("B2")
def test_the_same_request_gets_the_first_entry(
    bank: Bank, cashier: Desk, accounts: list[int]
) -> None:
    one = cash_in(accounts[0], 500)
    [first] = post(cashier, one)
    [again] = post(cashier, one)
    assert again.replayed
    assert (again.entry_id, again.booked_at) == (first.entry_id, first.booked_at)
    two = cash_in(accounts[0], 70)
    fresh, known, twice = post(cashier, two, one, two)
    assert (fresh.replayed, known.replayed, twice.replayed) == (False, True, True)
    assert twice.entry_id == fresh.entry_id
    assert booked(cashier, accounts[0]) == 570


@pytest.mark.feature("B2")
def test_the_same_request_with_other_content_is_refused(
    cashier: Desk, desk_for: DeskFor, accounts: list[int]
) -> None:
    one = cash_in(accounts[0], 500)
    post(cashier, one)
    others = [
        cash_in(accounts[0], 501, request_id=one.request_id),
        cash_in(accounts[1], 500, request_id=one.request_id),
        cash_in(accounts[0], 500, request_id=one.request_id, narration="else"),
    ]
    for other in others:
        with pytest.raises(ledger.RequestReused):
            post(cashier, other)
    with pytest.raises(ledger.RequestReused):
        post(replace(cashier, user_id=999), one)
    assert booked(cashier, accounts[0]) == 500


@pytest.mark.feature("B2")
def test_eight_clicks_at_once_book_once(bank: Bank, cashier: Desk, accounts: list[int]) -> None:
    one = cash_in(accounts[0], 500)
    start = threading.Barrier(8)
    found: list[Posted] = []

    def click() -> None:
        start.wait()
        found.extend(post(cashier, one))

    people = [threading.Thread(target=click) for _ in range(8)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert len({posted.entry_id for posted in found}) == 1
    assert [posted.replayed for posted in found].count(False) == 1
    assert booked(cashier, accounts[0]) == 500


def test_crowds_going_opposite_ways_neither_lose_nor_lock(
    bank: Bank, cashier: Desk, accounts: list[int]
) -> None:
    one, two = accounts[:2]
    post(cashier, cash_in(one, 10_000), cash_in(two, 10_000))
    start = threading.Barrier(8)
    failures: list[Exception] = []

    def walk(number: int) -> None:
        start.wait()
        source, target = (one, two) if number % 2 else (two, one)
        try:
            for _ in range(5):
                post(cashier, *(move(source, target, 1) for _ in range(20)))
        except Exception as failure:
            failures.append(failure)

    people = [threading.Thread(target=walk, args=(number,)) for number in range(8)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert failures == []
    assert [booked(cashier, account) for account in (one, two)] == [10_000, 10_000]
    numbers = rows(bank, "SELECT line_no FROM postings WHERE account_id = :id", id=one)
    assert sorted(row.line_no for row in numbers) == list(range(1, 802))


@pytest.mark.feature("B3")
def test_a_reversal_is_the_opposite_once_by_another(
    bank: Bank, cashier: Desk, desk_for: DeskFor, accounts: list[int]
) -> None:
    [posted] = post(cashier, in_the_vault(bank, cash_in(accounts[2], 500)))
    admin = desk_for(Role.BRANCH_ADMIN)
    request_id = new_request_id()
    for desk, reason, refusal in (
        (cashier, "mine", ledger.PosterMayNotReverse),
        (admin, " ", BadInput),
    ):
        with pytest.raises(refusal), booking(desk) as tx:
            ledger.reverse(tx, posted.entry_id, reason=reason, request_id=request_id)
    reversal = journal.reverse_entry(admin, posted.entry_id, "wrong account", request_id)
    assert booked(cashier, accounts[2]) == 0
    sums = rows(
        bank,
        "SELECT SUM(amount_minor) AS s FROM postings WHERE entry_id IN (:a, :b)"
        " GROUP BY gl_account_id, account_id, branch_id",
        a=posted.entry_id,
        b=reversal.entry_id,
    )
    assert {int(row.s) for row in sums} == {0}
    again = journal.reverse_entry(admin, posted.entry_id, "wrong account", request_id)
    assert again.entry_id == reversal.entry_id
    with pytest.raises(ledger.AlreadyReversed):
        journal.reverse_entry(admin, posted.entry_id, "twice", new_request_id())
    with pytest.raises(ledger.ReversalIsFinal), booking(desk_for(Role.AUDITOR)) as tx:
        ledger.reverse(tx, reversal.entry_id, reason="back", request_id=new_request_id())
    with pytest.raises(ledger.NoSuchEntry):
        journal.reverse_entry(admin, 999, "nothing", new_request_id())


def test_a_reversal_keeps_the_floor(
    bank: Bank, cashier: Desk, desk_for: DeskFor, accounts: list[int]
) -> None:
    [posted] = post(cashier, in_the_vault(bank, cash_in(accounts[0], 500)))
    post(cashier, move(accounts[0], accounts[1], 400))
    with pytest.raises(ledger.InsufficientFunds):
        journal.reverse_entry(
            desk_for(Role.BRANCH_ADMIN), posted.entry_id, "spent", new_request_id()
        )


def test_only_the_system_chooses_the_booking_date(
    bank: Bank, cashier: Desk, importer: Desk, accounts: list[int]
) -> None:
    day = date(1993, 1, 17)
    with pytest.raises(NotAllowed):
        post(cashier, cash_in(accounts[0], 500, booking_date=day))
    post(importer, cash_in(accounts[0], 500, booking_date=day, value_date=day))
    [entry] = rows(bank, "SELECT booking_date, value_date FROM entries")
    assert {str(entry.booking_date), str(entry.value_date)} == {"1993-01-17"}


def test_unknown_places_and_long_words_are_refused(cashier: Desk, accounts: list[int]) -> None:
    with pytest.raises(ledger.NoSuchAccount):
        post(cashier, cash_in(4711, 5))
    with pytest.raises(chart.UnknownGlCode):
        post(cashier, draft(ledger.debit_gl("9999", 5), ledger.credit_account(accounts[0], 5)))
    with pytest.raises(BadInput) as refused:
        post(cashier, cash_in(accounts[0], 5, narration="x" * 201))
    assert refused.value.field == "narration"
    with pytest.raises(ledger.NoSuchAccount), booking(cashier) as tx:
        ledger.balance_of(tx, 4711)
