"""Transfers by customers: what is confirmed, every refusal, the second click, the records."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from bank.accounts.accounts import AccountIsClosed, NoSuchAccountNumber
from bank.book import ledger
from bank.core.clock import FixedClock
from bank.core.errors import BadInput, NotAllowed
from bank.core.ids import new_request_id
from bank.core.secrets import Secret
from bank.counters import transfers
from bank.counters.receipts import Receipt, masked_name
from bank.counters.transfers import OtherCurrency, PayeeAccountClosed, SameAccount
from bank.people.confirmations import ConfirmationRefused, NotConfirmed
from tests.support.market import TRANSACTION_PASSWORD, Market, pay_in

PASSWORD = Secret(TRANSACTION_PASSWORD)


def asked(
    market: Market, to: tuple[str, str] = ("vikram", "savings"), **named: Any
) -> dict[str, Any]:
    """What Asha asks for, from her savings account."""
    return {
        "from_number": market.number("asha"),
        "to_number": market.number(*to),
        "amount_minor": 250_00,
        "note": "rent",
    } | named


def send(market: Market, request_id: str, code: Secret | None = None, **what: Any) -> Receipt:
    """Asha sends it, with the code of her newest mail unless one is given."""
    desk = market.desks["asha"]
    if code is None:
        transfers.ask_for_code(desk, **what)
        code = market.code()
    return transfers.send(
        desk, **what, transaction_password=PASSWORD, code=code, request_id=request_id
    )


@pytest.mark.feature("A3.1", "A3.9", "A3.8")
def test_money_arrives_at_once(market: Market) -> None:
    pay_in(market, "asha", 1_000_00)
    request_id = new_request_id()
    receipt = send(market, request_id, **asked(market))
    assert (market.balance("asha"), market.balance("vikram")) == (750_00, 250_00)
    assert receipt.kind == "transfer"
    assert (receipt.holder, receipt.by) == ("Asha Rao", "Asha Rao")
    assert (receipt.to_holder, receipt.to_number) == ("Vi•• S••", market.number("vikram"))
    assert receipt.balance_after_minor == 750_00
    assert receipt.transaction_id == request_id
    assert receipt.ifsc == "BANK0000001"


@pytest.mark.feature("A3.5")
def test_between_own_accounts(market: Market) -> None:
    pay_in(market, "asha", 1_000_00)
    what = asked(market, ("asha", "current"), note="")
    ahead = transfers.preview(market.desks["asha"], **what)
    assert ahead.is_own
    assert ahead.payee == "Asha Rao"
    receipt = send(market, new_request_id(), **what)
    assert receipt.to_holder == "Asha Rao"
    assert (market.balance("asha"), market.balance("asha", "current")) == (750_00, 250_00)
    assert len(market.mails("transfer")) == 2  # the code, one alert, none to herself twice


@pytest.mark.feature("A3.1")
def test_the_preview_says_it_all_before_any_code(market: Market) -> None:
    pay_in(market, "asha", 1_000_00)
    ahead = transfers.preview(market.desks["asha"], **asked(market))
    assert (ahead.payee, ahead.is_own) == ("Vi•• S••", False)
    assert (ahead.available_before_minor, ahead.available_after_minor) == (1_000_00, 750_00)
    assert ahead.amount_in_words == "Rupees two hundred and fifty only"
    assert ahead.sentence == (
        f"Send INR 250.00 from account {market.number('asha')} "
        f"to account {market.number('vikram')} of Vi•• S••."
    )
    assert market.rows("SELECT * FROM codes") == []


@pytest.mark.feature("A1.5", "A1.9")
def test_the_code_is_good_for_this_payment_alone(market: Market) -> None:
    pay_in(market, "asha", 1_000_00)
    transfers.ask_for_code(market.desks["asha"], **asked(market))
    code = market.code()
    for other in (
        asked(market, amount_minor=251_00),
        asked(market, ("nila", "savings")),
        asked(market, from_number=market.number("asha", "current")),
    ):
        with pytest.raises(ConfirmationRefused):
            send(market, new_request_id(), code, **other)
    assert market.balance("asha") == 1_000_00
    send(market, new_request_id(), code, **asked(market))
    with pytest.raises(ConfirmationRefused):  # and once
        send(market, new_request_id(), code, **asked(market))
    assert market.balance("asha") == 750_00


@pytest.mark.feature("A1.5")
def test_the_transaction_password_is_asked_too(market: Market) -> None:
    pay_in(market, "asha", 1_000_00)
    desk = market.desks["asha"]
    transfers.ask_for_code(desk, **asked(market))
    with pytest.raises(ConfirmationRefused):
        transfers.send(
            desk,
            **asked(market),
            transaction_password=Secret("not hers at all"),
            code=market.code(),
            request_id=new_request_id(),
        )
    assert market.balance("asha") == 1_000_00
    assert "not hers" not in str(market.rows("SELECT * FROM trail"))


@pytest.mark.feature("B2")
def test_the_second_click_gets_the_first_receipt_without_a_new_code(market: Market) -> None:
    pay_in(market, "asha", 1_000_00)
    once = new_request_id()
    first = send(market, once, **asked(market))
    again = send(market, once, Secret("000000"), **asked(market))
    assert again == first
    assert market.balance("asha") == 750_00
    assert len(market.rows("SELECT * FROM transfers")) == 1
    assert len(market.mails("transfer")) == 3  # the code, both alerts
    with pytest.raises(ledger.RequestReused):
        send(market, once, Secret("000000"), **asked(market, amount_minor=1_00))
    with pytest.raises(ledger.RequestReused):
        send(market, once, Secret("000000"), **asked(market, note="other"))


@pytest.mark.feature("B2")
def test_two_clicks_at_once_send_once(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second click looks for a first receipt before there is one, and finds the code used."""
    pay_in(market, "asha", 1_000_00)
    once, what, desk = new_request_id(), asked(market), market.desks["asha"]
    transfers.ask_for_code(desk, **what)
    code, real = market.code(), transfers.sent_before
    answers: list[Receipt] = []

    def looks_too_early(*args: Any) -> Receipt | None:
        monkeypatch.setattr(transfers, "sent_before", real)
        answers.append(send(market, once, code, **what))
        return None

    monkeypatch.setattr(transfers, "sent_before", looks_too_early)
    assert send(market, once, code, **what) == answers[0]
    assert market.balance("asha") == 750_00


@pytest.mark.feature("B2")
def test_a_confirmed_transfer_that_was_booked_already_is_not_booked_again(market: Market) -> None:
    pay_in(market, "asha", 1_000_00)
    once, what = new_request_id(), asked(market)
    first = send(market, once, **what)
    again = transfers.post_transfer(
        market.desks["asha"], **what, confirmation_id=0, request_id=once
    )
    assert again == first
    assert market.balance("asha") == 750_00


@pytest.mark.feature("A1.5")
def test_nothing_is_booked_without_a_confirmation_of_ones_own(market: Market) -> None:
    pay_in(market, "asha", 1_000_00)
    post, what = transfers.post_transfer, asked(market)
    with pytest.raises(NotConfirmed):
        post(market.desks["asha"], **what, confirmation_id=1, request_id=new_request_id())
    pay_in(market, "vikram", 1_000_00)
    theirs = {
        "from_number": market.number("vikram"),
        "to_number": market.number("nila"),
        "amount_minor": 5_00,
        "note": "",
    }
    transfers.ask_for_code(market.desks["vikram"], **theirs)
    sentence = transfers.preview(market.desks["vikram"], **theirs).sentence
    proved = transfers.confirmations.confirm(
        market.desks["vikram"], transfers.PURPOSE, sentence, PASSWORD, market.code()
    )
    with pytest.raises(NotConfirmed):  # another payment
        post(
            market.desks["vikram"],
            **(theirs | {"amount_minor": 6_00}),
            confirmation_id=proved,
            request_id=new_request_id(),
        )
    assert isinstance(market.bank.clock, FixedClock)
    market.bank.clock.at += timedelta(minutes=6)
    with pytest.raises(NotConfirmed):  # too late
        post(market.desks["vikram"], **theirs, confirmation_id=proved, request_id=new_request_id())
    assert (market.balance("asha"), market.balance("vikram")) == (1_000_00, 1_000_00)


@pytest.mark.feature("A3.1", "B2")
def test_a_second_click_while_the_money_goes_is_told_so(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first click has used the code and has not booked yet."""
    pay_in(market, "asha", 300_00)
    desk, what, once = market.desks["asha"], asked(market), new_request_id()
    transfers.ask_for_code(desk, **what)
    code = market.code()
    confirmed, go_on = threading.Event(), threading.Event()
    real = transfers.post_transfer

    def slow(*given: Any, **named: Any) -> Receipt:
        confirmed.set()
        assert go_on.wait(30)
        return real(*given, **named)

    monkeypatch.setattr(transfers, "post_transfer", slow)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(send, market, once, code, **what)
        try:
            assert confirmed.wait(30)
            with pytest.raises(transfers.BeingSent):
                send(market, once, code, **what)
            with pytest.raises(ConfirmationRefused):  # another payment is not being sent
                send(market, new_request_id(), code, **what)
            assert market.balance("vikram") == 0
        finally:
            go_on.set()
        receipt = first.result(30)
    monkeypatch.setattr(transfers, "post_transfer", real)
    assert send(market, once, code, **what) == receipt
    assert market.balance("vikram") == 250_00


@pytest.mark.feature("A3.1", "B2")
def test_who_looks_just_too_early_gets_the_receipt_and_not_a_refusal(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first click books between the second one's first look and its preview."""
    pay_in(market, "asha", 300_00)
    what, once = asked(market), new_request_id()
    receipt = send(market, once, **what)
    real, looks = transfers.sent_before, []

    def too_early(*given: Any) -> Receipt | None:
        looks.append(1)
        return None if len(looks) == 1 else real(*given)

    monkeypatch.setattr(transfers, "sent_before", too_early)
    assert send(market, once, PASSWORD, **what) == receipt
    assert market.balance("vikram") == 250_00


@pytest.mark.feature("A3.1")
def test_refusals_come_in_words_before_any_code(market: Market) -> None:
    desk = market.desks["asha"]
    pay_in(market, "asha", 100_00)
    with pytest.raises(ledger.InsufficientFunds, match=r"Only ₹ 100\.00 is available"):
        transfers.ask_for_code(desk, **asked(market))
    with pytest.raises(SameAccount) as same:
        transfers.preview(desk, **asked(market, ("asha", "savings"), amount_minor=1_00))
    assert same.value.field == "to account"
    with pytest.raises(OtherCurrency):
        transfers.preview(desk, **asked(market, ("asha", "koruna"), amount_minor=1_00))
    with pytest.raises(NoSuchAccountNumber):
        transfers.preview(desk, **asked(market, to_number="999999999999"))
    for amount in (0, -5, 2.5):
        with pytest.raises(BadInput):
            transfers.preview(desk, **asked(market, amount_minor=amount))
    with pytest.raises(BadInput):
        transfers.preview(desk, **asked(market, note="n" * 81))
    market.close_account("vikram")
    with pytest.raises(PayeeAccountClosed):
        transfers.preview(desk, **asked(market, amount_minor=1_00))
    market.close_account("asha")
    with pytest.raises(AccountIsClosed):
        transfers.preview(desk, **asked(market, ("nila", "savings"), amount_minor=1_00))
    assert market.rows("SELECT * FROM codes") == []


@pytest.mark.feature("B8", "A1.13")
def test_nobody_sends_from_an_account_that_is_not_theirs(market: Market) -> None:
    pay_in(market, "vikram", 1_000_00)
    theirs = asked(market, from_number=market.number("vikram"), to_number=market.number("asha"))
    with pytest.raises(NoSuchAccountNumber):
        transfers.preview(market.desks["asha"], **theirs)
    with pytest.raises(NoSuchAccountNumber):
        transfers.ask_for_code(market.desks["asha"], **theirs)
    with pytest.raises(NoSuchAccountNumber):
        send(market, new_request_id(), Secret("000000"), **theirs)
    for who in ("ravi", "admin", "auditor"):
        with pytest.raises(NotAllowed):
            transfers.preview(market.desks[who], **asked(market))
    assert market.balance("vikram") == 1_000_00


@pytest.mark.feature("A3.6", "A3.7", "A9.3")
def test_sender_recipient_and_time_are_recorded(market: Market) -> None:
    pay_in(market, "asha", 1_000_00)
    receipt = send(market, new_request_id(), **asked(market))
    (row,) = market.rows(
        "SELECT t.*, f.number AS sender, r.number AS recipient, e.booked_at FROM transfers t"
        " JOIN accounts f ON f.id = t.from_account_id JOIN accounts r ON r.id = t.to_account_id"
        " JOIN entries e ON e.id = t.entry_id"
    )
    assert (row["sender"], row["recipient"]) == (market.number("asha"), market.number("vikram"))
    assert (row["amount_minor"], row["note"]) == (250_00, "rent")
    assert row["sent_by"] == market.desks["asha"].user_id
    assert row["sent_at"] == row["booked_at"]
    assert row["entry_id"] == receipt.entry_id


@pytest.mark.feature("A3.1")
def test_payer_and_payee_are_told(market: Market) -> None:
    pay_in(market, "asha", 1_000_00)
    receipt = send(market, new_request_id(), **asked(market))
    _, payer, payee = market.mails("transfer")
    assert (payer["recipient"], payee["recipient"]) == ("asha@example.com", "vikram@example.com")
    assert receipt.reference in payer["body"]
    assert "Vi•• S••" in payer["body"]
    assert "from Asha Rao" in payee["body"]
    for mail in (payer, payee):
        assert market.number("asha") not in mail["body"]
        assert market.number("vikram") not in mail["body"]


def test_a_payee_without_mail_is_paid_all_the_same(market: Market) -> None:
    pay_in(market, "asha", 1_000_00)
    send(market, new_request_id(), **asked(market, ("nila", "savings")))
    assert [mail["recipient"] for mail in market.mails("transfer")] == ["asha@example.com"] * 2


def test_the_look_at_a_payees_account_is_in_the_trail(market: Market) -> None:
    pay_in(market, "asha", 1_000_00)
    transfers.preview(market.desks["asha"], **asked(market))
    transfers.preview(market.desks["asha"], **asked(market, ("asha", "current")))
    read = market.rows("SELECT * FROM trail WHERE outcome = 'read'")
    assert [row["object_id"] for row in read] == [
        market.number("asha"),  # her own, by herself
        market.number("vikram"),
        market.number("asha", "current"),
    ]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Asha Rao", "As•• R••"),
        ("Li", "Li••"),
        ("A B C", "A•• B•• C••"),
        ("=cmd|x", "=c••"),
    ],
)
def test_a_payees_name_is_recognised_not_told(name: str, shown: str) -> None:
    assert masked_name(name) == shown
