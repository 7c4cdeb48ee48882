"""Cash at the counter: deposits, withdrawals, every refusal, the second click."""

from typing import Any

import pytest

from bank.accounts.accounts import AccountIsClosed, NoSuchAccountNumber
from bank.book import holds, ledger
from bank.core.errors import BadInput, BankError, NotAllowed
from bank.core.ids import new_request_id
from bank.core.money import LARGEST_MINOR
from bank.counters import cash, receipts, slips
from bank.counters.slips import DEPOSIT, WITHDRAWAL, SlipAlreadyBooked
from bank.counters.window import CashInRupeesOnly, SlipNumberMissing
from tests.support.market import MOBILE, Market, pay_in


def withdraw(market: Market, who: str, amount_minor: int, **named: Any) -> receipts.Receipt:
    """Ravi pays cash from somebody's account."""
    request_id = named.pop("request_id", new_request_id())
    slip = named.pop("slip", request_id[:8].upper())
    number = market.number(who, named.pop("what", "savings"))
    return cash.withdraw(market.cashier, number, amount_minor, slip, request_id=request_id, **named)


@pytest.mark.feature("A3.4", "A3.5", "A3.9")
def test_a_deposit_is_booked_at_once(market: Market) -> None:
    receipt = market.deposit("asha", 5_000_00, slip="00412", depositor="Kiran Rao", mobile=MOBILE)
    assert market.balance("asha") == 5_000_00
    assert receipt.amount_minor == 5_000_00
    assert receipt.kind == DEPOSIT
    assert receipt.amount_in_words == "Rupees five thousand only"
    assert (receipt.holder, receipt.by, receipt.person) == ("Asha Rao", "Ravi Kumar", "Kiran Rao")
    assert (receipt.branch, receipt.ifsc) == ("Fort", "BANK0000001")
    assert receipt.slip_number == "00412"
    assert receipt.balance_after_minor == 5_000_00
    assert receipt.account == f"•••• {market.number('asha')[-4:]}"
    lines = market.rows(
        "SELECT p.amount_minor, g.code FROM postings p JOIN gl_accounts g ON g.id = p.gl_account_id"
        f" WHERE p.entry_id = {receipt.entry_id} ORDER BY p.leg"
    )
    assert [(line["code"], line["amount_minor"]) for line in lines] == [
        ("1000", -5_000_00),
        ("2000", 5_000_00),
    ]


@pytest.mark.feature("A3.4")
def test_a_cashier_serves_an_account_of_another_branch(market: Market) -> None:
    market.deposit("vikram", 700_00)
    sums = market.rows(
        "SELECT branch_id, SUM(amount_minor) AS total FROM postings GROUP BY branch_id"
    )
    assert market.balance("vikram") == 700_00
    assert len(sums) == 2
    assert all(int(row["total"]) == 0 for row in sums)


@pytest.mark.feature("A3.5", "A3.9")
def test_a_withdrawal_takes_what_is_available(market: Market) -> None:
    market.deposit("asha", 900_00)
    receipt = withdraw(market, "asha", 900_00, bearer="Asha Rao")
    assert receipt.kind == WITHDRAWAL
    assert receipt.balance_after_minor == 0
    assert market.balance("asha") == 0


@pytest.mark.feature("A3.5")
def test_an_overdraft_is_paid_up_to_its_limit(market: Market) -> None:
    market.fund(note_500=20)
    withdraw(market, "asha", 10_000_00, what="current")
    assert market.balance("asha", "current") == -10_000_00
    with pytest.raises(ledger.InsufficientFunds, match=r"Only ₹ 0\.00 is available"):
        withdraw(market, "asha", 1, what="current")


def test_too_little_money_is_said_in_figures(market: Market) -> None:
    market.deposit("asha", 120_50)
    with pytest.raises(ledger.InsufficientFunds, match=r"Only ₹ 120\.50 is available"):
        withdraw(market, "asha", 120_51)
    assert market.balance("asha") == 120_50
    assert market.rows("SELECT * FROM cash_slips WHERE kind = 'cash_withdrawal'") == []


@pytest.mark.feature("B2")
def test_the_second_click_gets_the_same_receipt_and_no_second_mail(market: Market) -> None:
    once = new_request_id()
    first = market.deposit(
        "asha", 50_00, request_id=once, slip="7", depositor="K", mobile=MOBILE, narration="rent"
    )
    again = market.deposit(
        "asha", 50_00, request_id=once, slip="7", depositor="K", mobile=MOBILE, narration="rent"
    )
    assert again == first
    assert market.balance("asha") == 50_00
    assert len(market.mails()) == 1
    assert len(market.rows("SELECT * FROM cash_slips")) == 1


@pytest.mark.feature("B2")
def test_the_same_request_is_known_after_the_branch_was_renamed(market: Market) -> None:
    once = new_request_id()
    first = market.deposit("asha", 50_00, slip="9", request_id=once)
    with market.tx() as tx:
        tx.connection.exec_driver_sql("UPDATE branches SET name = 'Fort, Main Road'")
    assert market.deposit("asha", 50_00, slip="9", request_id=once).entry_id == first.entry_id
    assert market.balance("asha") == 50_00


@pytest.mark.feature("B2")
@pytest.mark.parametrize(
    "other",
    [
        {"amount_minor": 51_00},
        {"slip": "8"},
        {"depositor": "X"},
        {"mobile": "9876543211"},
        {"narration": "y"},
    ],
)
def test_the_same_request_with_other_content_is_refused(
    sqlite_market: Market, other: dict[str, Any]
) -> None:
    once = new_request_id()
    asked = {
        "amount_minor": 50_00,
        "slip": "7",
        "depositor": "K",
        "mobile": MOBILE,
        "narration": "z",
    }
    sqlite_market.deposit("asha", request_id=once, **asked)  # type: ignore[arg-type]
    with pytest.raises(ledger.RequestReused):
        sqlite_market.deposit("asha", request_id=once, **(asked | other))
    with pytest.raises(ledger.RequestReused):
        sqlite_market.deposit("vikram", request_id=once, **asked)  # type: ignore[arg-type]
    assert sqlite_market.balance("asha") == 50_00


@pytest.mark.feature("B2")
def test_a_replay_is_answered_although_the_account_was_closed_meanwhile(market: Market) -> None:
    market.deposit("asha", 100_00)
    once = new_request_id()
    first = withdraw(market, "asha", 100_00, request_id=once, slip="9")
    assert withdraw(market, "asha", 100_00, request_id=once, slip="9") == first  # nothing is left
    market.close_account("asha")
    assert withdraw(market, "asha", 100_00, request_id=once, slip="9") == first
    with pytest.raises(AccountIsClosed):
        withdraw(market, "asha", 100_00, slip="10")


@pytest.mark.feature("A3.6", "A9.1")
def test_the_slip_is_kept_with_who_and_when(market: Market) -> None:
    receipt = market.deposit(
        "asha", 50_00, slip="ab-12/3", depositor="Kiran", mobile=MOBILE, narration="school fee"
    )
    (slip,) = market.rows("SELECT * FROM cash_slips")
    assert slip["entry_id"] == receipt.entry_id
    assert slip["slip_number"] == "AB-12/3"
    assert (slip["person"], slip["note"]) == ("Kiran", "school fee")
    assert slip["cashier_id"] == market.cashier.user_id
    (entry,) = market.rows("SELECT * FROM entries")
    assert entry["narration"] == "Cash deposit at Fort, slip AB-12/3, by Kiran: school fee"
    assert entry["actor_id"] == market.cashier.user_id
    assert entry["channel"] == "branch"


@pytest.mark.feature("A3.4")
def test_a_slip_is_booked_once_a_day_at_a_branch(market: Market) -> None:
    first = market.deposit("asha", 50_00, slip="77")
    with pytest.raises(SlipAlreadyBooked, match=first.reference):
        market.deposit("asha", 50_00, slip=" 77 ")
    assert market.balance("asha") == 50_00
    # Another branch and the other kind have slip books of their own.
    market.deposit("asha", 50_00, slip="77", desk=market.desks["meera"])
    withdraw(market, "asha", 10_00, slip="77")
    assert market.balance("asha") == 90_00


@pytest.mark.feature("B3")
def test_a_slip_may_be_booked_again_when_its_entry_was_reversed(market: Market) -> None:
    wrong = market.deposit("vikram", 50_00, slip="78")
    with market.tx(market.desks["admin"]) as tx:
        ledger.reverse(tx, wrong.entry_id, reason="wrong account", request_id=new_request_id())
    market.deposit("asha", 50_00, slip="78")
    assert (market.balance("vikram"), market.balance("asha")) == (0, 50_00)
    with pytest.raises(SlipAlreadyBooked):
        market.deposit("asha", 50_00, slip="78")


@pytest.mark.parametrize("slip", ["", "   ", "1" * 25, "=1+1", "a b", "<b>"])
def test_a_slip_number_is_needed(sqlite_market: Market, slip: str) -> None:
    with pytest.raises(SlipNumberMissing) as refused:
        sqlite_market.deposit("asha", 50_00, slip=slip)
    assert refused.value.field == "slip number"


@pytest.mark.parametrize("amount", [0, -1, LARGEST_MINOR + 1, 1.5, True, "5"])
def test_an_amount_is_whole_and_positive(sqlite_market: Market, amount: Any) -> None:
    with pytest.raises(BadInput):
        sqlite_market.deposit("asha", amount)
    assert sqlite_market.rows("SELECT * FROM entries") == []


def test_an_unknown_account_is_refused(sqlite_market: Market) -> None:
    with pytest.raises(NoSuchAccountNumber):
        cash.deposit(sqlite_market.cashier, "999999999999", 1, "1", request_id=new_request_id())
    with pytest.raises(BadInput):
        cash.deposit(sqlite_market.cashier, "12-34", 1, "1", request_id=new_request_id())


def test_the_number_may_be_typed_in_groups(sqlite_market: Market) -> None:
    number = sqlite_market.number("asha")
    typed = f" {number[:4]} {number[4:8]} {number[8:]} "
    cash.deposit(sqlite_market.cashier, typed, 5_00, "1", request_id=new_request_id())
    assert sqlite_market.balance("asha") == 5_00


def test_a_closed_account_is_refused(market: Market) -> None:
    market.close_account("asha")
    with pytest.raises(AccountIsClosed):
        market.deposit("asha", 50_00)


def test_cash_is_rupees(market: Market) -> None:
    with pytest.raises(CashInRupeesOnly):
        market.deposit("asha", 50_00, what="koruna")


@pytest.mark.parametrize("field", ["depositor", "narration"])
def test_text_on_a_slip_is_one_printable_line_of_fifty(sqlite_market: Market, field: str) -> None:
    for text in ("x" * 51, "a\x07b"):
        with pytest.raises(BadInput):
            sqlite_market.deposit("asha", 50_00, **{field: text})


def test_the_longest_slip_fits_into_the_narration(sqlite_market: Market) -> None:
    with sqlite_market.tx() as tx:
        tx.connection.exec_driver_sql(f"UPDATE branches SET name = '{'B' * 120}' WHERE id = 1")
    sqlite_market.deposit(
        "asha", 1, slip="9" * 24, depositor="d" * 50, mobile=MOBILE, narration="n" * 50
    )
    (entry,) = sqlite_market.rows("SELECT narration FROM entries")
    assert "BANK0000001" in entry["narration"]
    assert entry["narration"].endswith("n" * 50)


@pytest.mark.feature("A1.13")
@pytest.mark.parametrize("who", ["asha", "banker", "admin", "auditor"])
def test_only_a_cashier_takes_cash(sqlite_market: Market, who: str) -> None:
    with pytest.raises(NotAllowed):
        sqlite_market.deposit("asha", 50_00, desk=sqlite_market.desks[who])
    assert sqlite_market.rows("SELECT * FROM entries") == []


@pytest.mark.feature("A10.1")
def test_the_customer_is_told_by_mail(market: Market) -> None:
    receipt = market.deposit("asha", 5_000_00, slip="41")
    withdraw(market, "asha", 1_000_00)
    market.deposit("nila", 10_00)  # has no mail address
    paid_in, paid_out = market.mails()
    assert paid_in["recipient"] == "asha@example.com"
    assert paid_in["subject"].startswith("₹ 5,000.00 in cash paid into account ••••")
    for said in (receipt.reference, "Slip 41", "Fort (BANK0000001)", "16 Mar 2026 at 12:00"):
        assert said in paid_in["body"]
    assert market.number("asha") not in paid_in["body"]
    assert "paid out of" in paid_out["subject"]


def test_no_mail_without_the_money(market: Market) -> None:
    market.deposit("asha", 10_00, slip="1")
    with pytest.raises(SlipAlreadyBooked):
        market.deposit("asha", 10_00, slip="1")
    assert len(market.mails()) == 1


@pytest.mark.feature("A9.1", "B5")
def test_the_trail_says_who_did_what(market: Market) -> None:
    market.deposit("asha", 50_00, slip="1")
    with pytest.raises(BankError):
        market.deposit("asha", 50_00, slip="1")
    done, refused = market.rows(
        "SELECT * FROM trail WHERE verb = 'counters.cash.deposit' ORDER BY id"
    )
    assert (done["outcome"], refused["outcome"]) == ("done", "refused")
    assert done["actor_name"] == "Ravi Kumar"
    assert (done["object_kind"], done["object_id"]) == ("account", market.number("asha"))
    assert '"amount_minor":5000' in done["details"]
    assert refused["refusal"].startswith("SlipAlreadyBooked")


@pytest.mark.feature("A3.4")
def test_the_preview_says_what_will_be_booked(market: Market) -> None:
    market.deposit("asha", 100_00)
    ahead = cash.preview_cash(
        market.cashier, WITHDRAWAL, market.number("asha"), 40_00, "5", "Kiran"
    )
    assert (ahead.holder, ahead.mail_to) == ("Asha Rao", "a***@example.com")
    assert (ahead.balance_before_minor, ahead.balance_after_minor) == (100_00, 60_00)
    assert ahead.available_minor == 100_00
    assert ahead.debit == "Asha Rao's account"
    assert ahead.credit == "1000 Cash in hand, Fort"
    with market.tx() as tx:
        tx.connection.exec_driver_sql("UPDATE gl_accounts SET name = 'Cash' WHERE code = '1000'")
    again = cash.preview_cash(market.cashier, "cash_deposit", market.number("asha"), 1_00, "Z9")
    assert again.debit == "1000 Cash, Fort"
    assert ahead.amount_in_words == "Rupees forty only"
    receipt = withdraw(market, "asha", 40_00, slip="5", bearer="Kiran")
    (entry,) = market.rows(f"SELECT narration FROM entries WHERE id = {receipt.entry_id}")
    assert entry["narration"] == ahead.narration
    assert receipt.balance_after_minor == ahead.balance_after_minor


def test_the_preview_refuses_what_the_booking_refuses(sqlite_market: Market) -> None:
    number, desk = sqlite_market.number("asha"), sqlite_market.cashier
    with pytest.raises(ledger.InsufficientFunds):
        cash.preview_cash(desk, WITHDRAWAL, number, 1, "5")
    with pytest.raises(NoSuchAccountNumber):
        cash.preview_cash(desk, DEPOSIT, "123456789012", 1, "5")
    with pytest.raises(SlipNumberMissing):
        cash.preview_cash(desk, DEPOSIT, number, 1, "")
    with pytest.raises(BadInput):
        cash.preview_cash(desk, "gift", number, 1, "5")


@pytest.mark.feature("A3.4", "A9.1")
def test_a_cashiers_day_lists_their_own_slips(market: Market) -> None:
    pay_in(market, "asha", 500_00)
    market.fund(note_100=1)
    first = market.deposit("asha", 100_00, slip="1")
    withdraw(market, "asha", 30_00, slip="2")
    market.deposit("asha", 5_00, slip="3", desk=market.desks["meera"])
    with market.tx(market.desks["admin"]) as tx:
        ledger.reverse(tx, first.entry_id, reason="typing error", request_id=new_request_id())
    lines = slips.own_slips_today(market.cashier)
    assert [line.slip_number for line in lines] == ["2", "1"]
    assert [line.cash_out_minor for line in lines] == [30_00, None]
    assert [line.cash_in_minor for line in lines] == [None, 100_00]
    assert [line.is_reversed for line in lines] == [False, True]
    assert lines[1].reference == first.reference
    assert (lines[1].holder, lines[1].account_number) == ("Asha Rao", market.number("asha"))


def test_the_slips_are_never_changed(market: Market) -> None:
    market.deposit("asha", 100_00)
    for change in ("UPDATE cash_slips SET person = 'x'", "DELETE FROM cash_slips"):
        with pytest.raises(Exception, match="never changed"), market.tx() as tx:
            tx.connection.exec_driver_sql(change)


def test_money_that_is_held_cannot_be_paid_out(market: Market) -> None:
    market.fund(note_100=1)
    pay_in(market, "asha", 100_00)
    with market.tx() as tx:
        row = tx.connection.exec_driver_sql(
            f"SELECT id FROM accounts WHERE number = '{market.number('asha')}'"
        ).one()
        holds.place(tx, row.id, 60_00, "lien")
    with pytest.raises(ledger.InsufficientFunds, match=r"Only ₹ 40\.00"):
        withdraw(market, "asha", 41_00)
    assert withdraw(market, "asha", 40_00).balance_after_minor == 60_00
