"""The ledger keeps its promises by itself, too: here every trigger of the database is off.

That the database keeps them without the ledger is in test_ledger_guards.py. Both are there so that
a mistake in one of them is not a mistake of the bank.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from bank.book import chart, holds, ledger
from bank.book.drafts import Draft, Leg
from bank.core.desk import Bank, Desk, chunk, open_tx
from bank.core.errors import BadInput, NotAllowed
from bank.core.ids import new_request_id
from bank.core.permissions import Role
from bank.counters import drawer_cash
from bank.counters.drawer_cash import MoveKind
from bank.people import branches
from tests.support.bank import desk
from tests.support.hostile import TABLES, Hostile, book_of, is_whole

Booked = Callable[..., None]


def draft(*legs: Leg, **facts: object) -> Draft:
    """An entry of branch 1."""
    given: dict[str, object] = {"kind": "transfer", "narration": "as the test says", "branch_id": 1}
    return Draft(request_id=new_request_id(), legs=legs, **(given | facts))  # type: ignore[arg-type]


def move(source: int, target: int, amount: int, **facts: object) -> Draft:
    """From one account to another."""
    legs = (ledger.debit_account(source, amount), ledger.credit_account(target, amount))
    return draft(*legs, **facts)


@pytest.fixture
def console(hostile: Hostile, bank: Bank) -> Hostile:
    """The small book of `hostile` (500 in account 1, of which 100 held; 200 in account 2; 3 at
    branch 2; 4 in crowns; entry 4 reverses entry 3), and no trigger in the whole database."""
    with chunk(desk(bank, Role.BRANCH_ADMIN), "tests.arrange") as tx:
        legs = (ledger.debit_gl(chart.CASH, 10), ledger.credit_account(2, 10))
        paid_in = draft(*legs)
        drawer_cash.put_in_vault(tx, [paid_in], MoveKind.CARRIED)  # it goes out again
        made = ledger.post(tx, paid_in).entry_id
    with chunk(desk(bank, Role.AUDITOR), "tests.arrange") as tx:
        ledger.reverse(tx, made, reason="wrong", request_id=new_request_id())
    if hostile.lite:
        for (name,) in hostile.ask("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            hostile.driver.execute(f"DROP TRIGGER {name}")
    else:
        for table in TABLES:
            hostile.driver.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    return hostile


@pytest.fixture
def cashier(bank: Bank) -> Desk:
    """Who booked what is there, and books here."""
    return desk(bank, Role.CASHIER)


def refuses(console: Hostile, who: Desk, refusal: type[Exception], wrong: Draft) -> None:
    """Alone and in a batch, and nothing of it is written."""
    before = book_of(console)
    good = draft(ledger.debit_gl(chart.CASH, 5), ledger.credit_gl(chart.FEE_INCOME, 5))
    for drafts in ([wrong], [good, wrong]):
        with pytest.raises(refusal), chunk(who, "tests.refused") as tx:
            ledger.post_many(tx, drafts)
    assert book_of(console) == before


@pytest.mark.feature("B1")
def test_entries_balance(console: Hostile, cashier: Desk) -> None:
    cash = ledger.debit_gl(chart.CASH, 5)
    for legs in (
        (),
        (cash,),
        (cash, ledger.credit_account(1, 6)),
        (ledger.debit_account(1, 5), ledger.credit_account(4, 5)),  # rupees into crowns
        (cash, ledger.credit_account(4, 5)),
    ):
        refuses(console, cashier, ledger.Unbalanced, draft(*legs))


@pytest.mark.feature("B1")
@pytest.mark.parametrize("count", [1, 3], ids=["alone", "in a batch"])
def test_branches_are_netted(console: Hostile, cashier: Desk, count: int) -> None:
    with chunk(cashier, "tests.post") as tx:
        made = ledger.post_many(tx, [move(1, 3, 50 + number) for number in range(count)])
    table = "draft_lines" if console.lite else "postings"  # without triggers a draft stays one
    for posted in made:
        lines = console.ask(
            f"SELECT branch_id, gl_account_id, amount_minor FROM {table}"
            f" WHERE entry_id = {posted.entry_id} ORDER BY leg"
        )
        savings, inter = console.gl(chart.SAVINGS), console.gl(chart.INTER_BRANCH)
        amount = lines[1][2]
        assert lines == [
            (1, savings, -amount),
            (2, savings, amount),
            (1, inter, amount),
            (2, inter, -amount),
        ]


@pytest.mark.feature("A2.9", "B8")
def test_the_floor_holds(console: Hostile, cashier: Desk, bank: Bank) -> None:
    refuses(console, cashier, ledger.InsufficientFunds, move(1, 2, 401))
    importer = desk(bank, Role.SYSTEM, channel="import")
    refuses(console, importer, ledger.InsufficientFunds, move(1, 2, 401))
    refuses(console, cashier, ledger.InsufficientFunds, move(2, 1, 201))
    with pytest.raises(NotAllowed), chunk(cashier, "tests.waive") as tx:
        ledger.waive_floor(tx, [1], batch_id=1, source="by hand")
    with chunk(importer, "tests.waive") as tx:
        ledger.waive_floor(tx, [1], batch_id=1, source="old books")
        assert not ledger.post(tx, move(1, 3, 900)).replayed
    refuses(console, importer, ledger.InsufficientFunds, move(2, 1, 201))
    with chunk(importer, "tests.waive") as tx:
        ledger.close_waivers(tx)
    refuses(console, importer, ledger.InsufficientFunds, move(1, 2, 901))


@pytest.mark.feature("A2.9")
def test_a_waiver_left_open_serves_an_import_only(
    console: Hostile, cashier: Desk, bank: Bank
) -> None:
    with chunk(desk(bank, Role.SYSTEM, channel="import"), "tests.waive") as tx:
        ledger.waive_floor(tx, [1], batch_id=1, source="old books")
    refuses(console, cashier, ledger.InsufficientFunds, move(1, 2, 401))


@pytest.mark.feature("B8")
def test_holds_are_of_what_there_is(console: Hostile, cashier: Desk) -> None:
    for amount, refusal in ((401, ledger.InsufficientFunds), (0, BadInput), (-5, BadInput)):
        with pytest.raises(refusal), chunk(cashier, "tests.hold") as tx:
            holds.place(tx, 1, amount, "too much")
    [(hold_id,)] = console.ask("SELECT id FROM holds")
    with chunk(cashier, "tests.release") as tx:
        holds.release(tx, hold_id)
    with pytest.raises(holds.HoldIsReleased), chunk(cashier, "tests.release") as tx:
        holds.release(tx, hold_id)


@pytest.mark.feature("B1")
def test_places_are_known(console: Hostile, cashier: Desk) -> None:
    good = ledger.debit_gl(chart.CASH, 5)
    refuses(console, cashier, ledger.NoSuchAccount, draft(good, ledger.credit_account(4711, 5)))
    refuses(console, cashier, chart.UnknownGlCode, draft(good, ledger.credit_gl("9999", 5)))
    control = draft(good, ledger.credit_gl(chart.SAVINGS, 5))
    refuses(console, cashier, chart.ControlAccount, control)


@pytest.mark.feature("B3")
def test_a_reversal_is_right(console: Hostile, cashier: Desk, bank: Bank) -> None:
    admin = desk(bank, Role.BRANCH_ADMIN)
    before = book_of(console)
    for who, entry_id, reason, refusal in (
        (cashier, 2, "mine", ledger.PosterMayNotReverse),
        (admin, 2, " ", BadInput),
        (admin, 2, "x" * 201, BadInput),
        (admin, 2, "a\x00b", BadInput),
        (admin, 4711, "of nothing", ledger.NoSuchEntry),
    ):
        with pytest.raises(refusal), chunk(who, "tests.reverse") as tx:
            ledger.reverse(tx, entry_id, reason=reason, request_id=new_request_id())
    assert book_of(console) == before
    for entry_id, refusal in ((3, ledger.AlreadyReversed), (4, ledger.ReversalIsFinal)):
        with pytest.raises(refusal), chunk(cashier, "tests.reverse") as tx:
            ledger.reverse(tx, entry_id, reason="again", request_id=new_request_id())
    assert book_of(console) == before


@pytest.mark.feature("B2")
def test_a_request_is_booked_once(console: Hostile, cashier: Desk) -> None:
    first = move(1, 2, 50)
    with chunk(cashier, "tests.post") as tx:
        made = ledger.post(tx, first)
    before = book_of(console)
    for drafts in ([first], [first, first]):
        with chunk(cashier, "tests.post") as tx:
            assert {done.entry_id for done in ledger.post_many(tx, drafts)} == {made.entry_id}
    for other in (
        first._replace(legs=move(1, 2, 51).legs),
        first._replace(narration="something else"),
        first._replace(value_date=date(2026, 3, 1)),
    ):
        refuses(console, cashier, ledger.RequestReused, other)
    refuses(console, replace(cashier, user_id=999), ledger.RequestReused, first)
    assert [rows for rows in book_of(console) if "as the test says" in str(rows)] == [
        rows for rows in before if "as the test says" in str(rows)
    ]


@pytest.mark.feature("A3.9")
def test_an_entry_says_who_and_when(console: Hostile, cashier: Desk) -> None:
    refuses(console, replace(cashier, user_id=None), ledger.NobodyPosts, move(1, 2, 5))
    dated = move(1, 2, 5, booking_date=date(2026, 3, 1))
    refuses(console, cashier, NotAllowed, dated)
    for words in ("x" * 201, "a\x00b", "half a \ud83d letter"):
        refuses(console, cashier, BadInput, move(1, 2, 5, narration=words))


@pytest.mark.feature("A3.9", "B1")
def test_whom_and_what_an_entry_names_is_there(console: Hostile, cashier: Desk) -> None:
    refuses(console, replace(cashier, user_id=4711), ledger.UnknownPoster, move(1, 2, 5))
    refuses(console, cashier, ledger.UnknownBranch, move(1, 2, 5, branch_id=4711))
    legs = (ledger.debit_gl(chart.CASH, 5, 4711), ledger.credit_gl(chart.FEE_INCOME, 5))
    refuses(console, cashier, ledger.UnknownBranch, draft(*legs))
    with pytest.raises(ledger.UnknownBranch), chunk(cashier, "tests.open") as tx:
        ledger.open_balance(tx, gl_code=chart.SAVINGS, branch_id=4711, currency="INR")


@pytest.mark.feature("A3.9")
def test_a_branch_that_went_away_with_its_transaction_is_refused_below(
    hostile: Hostile, cashier: Desk
) -> None:
    """The process remembers it, the database does not know it, and the refusal is the same."""
    with cashier.bank.db.write() as connection:
        tx = open_tx(cashier, connection)
        gone = branches.add_branch_row(tx, ifsc="GONE0000001", name="Gone", address="").id
        ledger.open_balance(tx, gl_code=chart.SAVINGS, branch_id=gone, currency="INR")
        # and never committed
    assert gone in cashier.bank.db.memo["branches"]
    legs = (ledger.debit_gl(chart.CASH, 5, gone), ledger.credit_gl(chart.FEE_INCOME, 5, gone))
    for drafts in ([draft(*legs)], [draft(*legs, branch_id=gone)]):
        with pytest.raises(ledger.UnknownBranch), chunk(cashier, "tests.post") as tx:
            ledger.post_many(tx, drafts)
    cashier.bank.db.memo["users"].add(4711)
    with (
        pytest.raises(ledger.UnknownPoster),
        chunk(replace(cashier, user_id=4711), "tests.post") as tx,
    ):
        ledger.post(tx, move(1, 2, 5))
    is_whole(hostile)


@pytest.mark.feature("B2")
def test_words_do_not_pass_for_other_words(hostile: Hostile, cashier: Desk) -> None:
    """One request, contents that read the same when they are put behind each other."""
    legs = move(1, 2, 5).legs
    tail = "\x1e".join("%s|%s|%s|%s%.0s" % leg for leg in legs)  # noqa: UP031
    first = move(1, 2, 5, narration=f"rent{tail}")
    with chunk(cashier, "tests.post") as tx:
        ledger.post(tx, first)
    for narration, reason in (("rent", tail), (f"rent{tail}"[:-1], tail[-1]), ("", f"rent{tail}")):
        with pytest.raises(ledger.RequestReused), chunk(cashier, "tests.post") as tx:
            ledger.post(tx, first._replace(narration=narration, reason=reason))
    is_whole(hostile)
