"""Slips prepared on the phone: their token, once, of the own account, on its day; and guessing."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from bank.accounts.accounts import AccountIsClosed, NoSuchAccountNumber
from bank.book.drafts import InsufficientFunds, RequestReused
from bank.book.journal import reverse_entry
from bank.core.approvals import AwaitingApproval
from bank.core.errors import BadInput, BankError, NotFound, WrongState
from bank.core.ids import new_request_id
from bank.counters import cash, prepared
from bank.counters.prepared import (
    NoSuchToken,
    NotAsPrepared,
    Prepared,
    PreparedStatus,
    TokenIsOver,
    TooManyPrepared,
    TooManyTokens,
)
from bank.counters.tallies import NotTheAmount
from bank.counters.window import CashInRupeesOnly
from bank.office import approvals
from bank.office.approvals import CanNeverBeDone
from tests.support.bank import NOON, move_clock
from tests.support.checkers import LAKH, Checking
from tests.support.market import Market, pay_in

pytestmark = pytest.mark.feature("B6")


def prepare(
    market: Market,
    amount_minor: int = 500_00,
    kind: str = "cash_deposit",
    who: str = "asha",
    what: str = "savings",
    **named: Any,
) -> Prepared:
    """A slip filled in at home."""
    once = named.pop("request_id", new_request_id())
    number = named.pop("number", market.number(who, what))
    return prepared.prepare_slip(
        market.desks[who], kind, number, amount_minor, request_id=once, **named
    )


def status(market: Market, made: Prepared) -> str:
    """What the database says became of it."""
    return str(market.rows(f"SELECT status FROM prepared_slips WHERE id = {made.id}")[0]["status"])


def other(token: str) -> str:
    """A token that is not this one."""
    return f"{(int(token) + 1) % 1_000_000:06d}"


# From the phone to the book.


def test_a_token_fills_in_the_slip_at_any_branch_and_is_used_once(market: Market) -> None:
    made = prepare(market, pieces={"note-500": 1, "note-100": 0})
    assert (len(made.token), made.token.isdigit()) == (6, True)
    meera = market.desks["meera"]  # of another branch
    found = prepared.find_prepared(meera, f" {made.token[:3]} {made.token[3:]} ")
    assert (found.holder, found.account_number) == ("Asha Rao", market.number("asha"))
    assert (found.kind, found.amount_minor) == ("cash_deposit", 500_00)
    assert found.pieces == {"note-500": 1}
    assert status(market, made) == "prepared"
    once = new_request_id()
    booked = [
        market.deposit("asha", 500_00, desk=meera, slip="P1", token=made.token, request_id=once)
        for _ in range(2)  # the second click
    ]
    assert booked[0] == booked[1]
    assert market.balance("asha") == 500_00
    [row] = market.rows("SELECT status, entry_id, ended_by FROM prepared_slips")
    assert row == {
        "status": "used",
        "entry_id": booked[0].entry_id,
        "ended_by": meera.user_id,
    }
    for again in (
        lambda: market.deposit("asha", 500_00, token=made.token),
        lambda: prepared.find_prepared(market.cashier, made.token),
    ):
        with pytest.raises(TokenIsOver, match="used already"):
            again()
    assert market.balance("asha") == 500_00
    assert [one.status for one in prepared.own_prepared(market.desks["asha"])] == ["used"]


def test_a_withdrawal_is_prepared_too(market: Market) -> None:
    pay_in(market, "asha", 900_00)
    market.fund(note_500=1)
    made = prepare(market, kind="cash_withdrawal")
    cash.withdraw(
        market.cashier, made.account_number, 500_00, "P1", token=made.token,
        request_id=new_request_id(),
    )  # fmt: skip
    assert status(market, made) == "used"
    assert market.balance("asha") == 400_00


def test_what_the_trail_says(market: Market) -> None:
    made = prepare(market)
    prepared.find_prepared(market.cashier, made.token)
    market.deposit("asha", 500_00, token=made.token)
    with pytest.raises(NoSuchToken):
        prepared.find_prepared(market.cashier, other(made.token))
    rows = market.rows(
        "SELECT verb, outcome, object_kind, object_id, details FROM trail"
        " WHERE verb IN ('counters.prepared.prepare_slip', 'counters.prepared.find_prepared',"
        " 'counters.cash.deposit') ORDER BY id"
    )
    number = market.number("asha")
    assert [(row["verb"], row["outcome"], row["object_id"]) for row in rows] == [
        ("counters.prepared.prepare_slip", "done", number),
        ("counters.prepared.find_prepared", "read", number),
        ("counters.cash.deposit", "done", number),
        ("counters.prepared.find_prepared", "refused", None),
    ]
    assert f'"prepared_slip":{made.id}' in str(rows[2]["details"]).replace(" ", "").replace(
        "'", '"'
    )


def test_the_same_click_prepares_one_slip(market: Market) -> None:
    once = new_request_id()
    first = prepare(market, request_id=once)
    assert prepare(market, request_id=once) == first
    for changed in ({"amount_minor": 1_00}, {"pieces": {"note-500": 1}}, {"what": "current"}):
        with pytest.raises(RequestReused):
            prepare(market, request_id=once, **changed)
    with pytest.raises(RequestReused):
        prepare(market, who="vikram", number=market.number("asha"), request_id=once)


def test_a_slip_booked_wrong_and_reversed_needs_a_new_token(market: Market) -> None:
    made = prepare(market)
    receipt = market.deposit("asha", 500_00, token=made.token)
    reverse_entry(market.desks["admin"], receipt.entry_id, "wrong account", new_request_id())
    with pytest.raises(TokenIsOver):
        market.deposit("asha", 500_00, token=made.token)


# What is refused at home.


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"who": "vikram", "number": "asha"}, NoSuchAccountNumber),  # not an own account
        ({"what": "koruna"}, CashInRupeesOnly),
        ({"kind": "transfer"}, BadInput),
        ({"amount_minor": 0}, BadInput),
        ({"amount_minor": -5}, BadInput),
        ({"kind": "cash_withdrawal"}, InsufficientFunds),
        ({"pieces": {"note-100": 1}}, NotTheAmount),
        ({"pieces": {"note-3": 1}}, BadInput),
    ],
)
def test_what_cannot_be_prepared(
    sqlite_market: Market, changed: dict[str, Any], refusal: type[BankError]
) -> None:
    if changed.get("number"):
        changed = changed | {"number": sqlite_market.number(changed["number"])}
    with pytest.raises(refusal):
        prepare(sqlite_market, **changed)
    assert sqlite_market.rows("SELECT * FROM prepared_slips") == []


def test_an_account_that_is_closed(market: Market) -> None:
    made = prepare(market)
    market.close_account("asha")
    with pytest.raises(AccountIsClosed):
        prepare(market)
    with pytest.raises(AccountIsClosed):
        market.deposit("asha", 500_00, token=made.token)
    assert status(market, made) == "prepared"


def test_only_so_many_wait_at_once(market: Market) -> None:
    made = [prepare(market) for _ in range(5)]
    with pytest.raises(TooManyPrepared):
        prepare(market)
    prepared.cancel_slip(market.desks["asha"], made[0].id)
    assert prepare(market).id > made[-1].id
    assert prepare(market, who="vikram").status is PreparedStatus.PREPARED


# What is refused at the counter.


@pytest.mark.parametrize("token", ["", "12345", "1234567", "12a456", "１２３４５６"])
def test_what_is_no_token(sqlite_market: Market, token: str) -> None:
    with pytest.raises(BadInput, match="six digits") as refused:
        prepared.find_prepared(sqlite_market.cashier, token)
    assert refused.value.field == "token"


@pytest.mark.parametrize("change", ["amount", "account", "kind", "nobody's"])
def test_another_slip_than_the_one_prepared(market: Market, change: str) -> None:
    pay_in(market, "asha", 900_00)
    market.fund(note_500=1)
    made = prepare(market)
    asked: dict[str, Any] = {"token": made.token}
    ways: dict[str, Callable[[], object]] = {
        "amount": lambda: market.deposit("asha", 501_00, **asked),
        "account": lambda: market.deposit("vikram", 500_00, **asked),
        "kind": lambda: cash.withdraw(
            market.cashier, made.account_number, 500_00, "P1", **asked, request_id=new_request_id()
        ),
        "nobody's": lambda: market.deposit("asha", 500_00, token=other(made.token)),
    }
    before = market.rows("SELECT COUNT(*) AS n FROM entries")
    with pytest.raises(NotAsPrepared) as refused:
        ways[change]()
    assert refused.value.field == "token"
    assert status(market, made) == "prepared"
    assert market.rows("SELECT COUNT(*) AS n FROM entries") == before


def test_a_cancelled_one_is_over_and_only_its_owner_cancels(market: Market) -> None:
    made = prepare(market)
    with pytest.raises(NotFound):
        prepared.cancel_slip(market.desks["vikram"], made.id)
    with pytest.raises(NotFound):
        prepared.cancel_slip(market.desks["asha"], 4711)
    for _ in range(2):  # the second click
        prepared.cancel_slip(market.desks["asha"], made.id)
    with pytest.raises(TokenIsOver, match="cancelled"):
        prepared.find_prepared(market.cashier, made.token)
    with pytest.raises(TokenIsOver, match="cancelled"):
        market.deposit("asha", 500_00, token=made.token)
    used = prepare(market)
    market.deposit("asha", 500_00, token=used.token)
    with pytest.raises(WrongState):
        prepared.cancel_slip(market.desks["asha"], used.id)


def test_it_is_good_for_its_business_day(market: Market) -> None:
    made = prepare(market)
    move_clock(market.bank, NOON + timedelta(days=1))
    market.new_day()
    with pytest.raises(TokenIsOver, match="another day"):
        prepared.find_prepared(market.cashier, made.token)
    with pytest.raises(TokenIsOver, match="another day"):
        market.deposit("asha", 500_00, token=made.token)
    assert [one.status for one in prepared.own_prepared(market.desks["asha"])] == ["expired"]
    prepare(market)
    assert status(market, made) == "expired"


def test_how_long_it_is_good_is_a_dated_rule(sqlite_market: Market) -> None:
    market = sqlite_market
    with market.tx() as tx:
        tx.connection.exec_driver_sql(
            "INSERT INTO cash_rules (name, effective_from, value, source)"
            " VALUES ('token_days', '2026-03-17', 2, 'tests')"
        )
    move_clock(market.bank, NOON + timedelta(days=1))
    made = prepare(market)
    move_clock(market.bank, NOON + timedelta(days=2))
    assert prepared.find_prepared(market.cashier, made.token).id == made.id


def wrong_tokens(market: Market, token: str) -> int:
    """How many wrong tokens this cashier can type until it is locked."""
    for count in range(20):
        try:
            prepared.find_prepared(market.cashier, other(token))
        except NoSuchToken:
            continue
        except TooManyTokens:
            return count
    return 20


def test_guessing_is_locked_for_this_cashier_alone(market: Market) -> None:
    made = prepare(market)
    first = wrong_tokens(market, made.token)
    assert 2 < first < 10
    with pytest.raises(TooManyTokens):  # not even the right one
        prepared.find_prepared(market.cashier, made.token)
    assert prepared.find_prepared(market.desks["gita"], made.token).id == made.id
    move_clock(market.bank, NOON + timedelta(hours=1))
    assert prepared.find_prepared(market.cashier, made.token).id == made.id


def test_looking_at_a_right_one_buys_no_more_guesses_but_booking_it_does(market: Market) -> None:
    made = prepare(market)
    for _ in range(2):
        with pytest.raises(NoSuchToken):
            prepared.find_prepared(market.cashier, other(made.token))
        prepared.find_prepared(market.cashier, made.token)
    [row] = market.rows("SELECT count FROM tries WHERE what = 'token'")
    assert row["count"] == 2
    market.deposit("asha", 500_00, token=made.token)
    [row] = market.rows("SELECT count FROM tries WHERE what = 'token'")
    assert row["count"] == 0


def test_no_two_open_ones_have_the_same_token(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = iter(["000007", "000007", "000008"])
    monkeypatch.setattr(prepared, "new_code", lambda _digits: next(drawn))
    first, second = prepare(market), prepare(market, who="vikram")
    assert (first.token, second.token) == ("000007", "000008")
    monkeypatch.setattr(prepared, "new_code", lambda _digits: "000007")
    with pytest.raises(prepared.NoTokenFree):
        prepare(market)
    prepared.cancel_slip(market.desks["asha"], first.id)
    again = prepare(market, who="vikram")
    assert again.token == "000007"
    assert prepared.find_prepared(market.cashier, "000007").id == again.id


def test_two_counters_at_the_same_moment_use_it_once(market: Market) -> None:
    made = prepare(market)

    def book(who: str) -> object:
        try:
            return market.deposit("asha", 500_00, desk=market.desks[who], token=made.token)
        except TokenIsOver as refused:
            return refused

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(book, ["ravi", "meera"]))
    assert [type(answer) is TokenIsOver for answer in answers].count(True) == 1
    assert market.balance("asha") == 500_00


# What waits for approval.


def test_a_large_one_keeps_its_token_until_it_is_decided(checking: Checking) -> None:
    market = checking.market
    kept = prepare(market, 11 * LAKH)
    gone = prepare(market, 12 * LAKH)
    waits = []
    for made in (kept, gone):
        with pytest.raises(AwaitingApproval) as asked:
            market.deposit("asha", made.amount_minor, token=made.token)
        waits.append(asked.value.approval_id)
    assert status(market, kept) == "prepared", "nothing of the rehearsal stays"
    assert approvals.approve(checking.desks["vera"], waits[0]).row.status == "executed"
    assert status(market, kept) == "used"
    prepared.cancel_slip(market.desks["asha"], gone.id)
    with pytest.raises(CanNeverBeDone, match="cancelled"):
        approvals.approve(checking.desks["vera"], waits[1])
    assert checking.status(waits[1]) == "failed"
