"""A receipt by mail: to the address on record, once a day, and never to anybody else."""

from datetime import timedelta

import pytest
from sqlalchemy.exc import DBAPIError

from bank.book.references import NotAReference
from bank.core.errors import NotAllowed
from bank.core.ids import new_request_id
from bank.counters import fund_transfers, receipt_mails
from bank.counters.receipt_mails import Mailed, NoMailAddress
from bank.counters.receipts import NoSuchReceipt
from tests.support.bank import NOON, move_clock
from tests.support.market import MOBILE, Market, pay_in


def mail(market: Market, reference: str, who: str = "ravi") -> Mailed:
    """Somebody sends it."""
    return receipt_mails.mail_receipt(market.desks[who], reference)


@pytest.mark.feature("B13", "A10.1")
def test_the_receipt_goes_to_the_address_on_record(market: Market) -> None:
    receipt = market.deposit("asha", 5_000_00, slip="41", depositor="Kiran", mobile=MOBILE)
    assert mail(market, receipt.reference) == Mailed("a***@example.com", True)
    [sent] = market.mails("receipt")
    assert sent["recipient"] == "asha@example.com"
    assert sent["subject"] == f"Receipt: cash deposit, {receipt.reference}"
    for said in ("₹ 5,000.00", "five thousand", "Fort, IFSC", "41", receipt.verify_code):
        assert said in sent["body"], said
    assert market.number("asha") not in sent["body"]
    assert "43210" not in sent["body"]


@pytest.mark.feature("B13")
def test_a_transfer_names_the_payee_masked(sqlite_market: Market) -> None:
    pay_in(sqlite_market, "asha", 500_00)
    numbers = (sqlite_market.number("asha"), sqlite_market.number("vikram"))
    receipt = fund_transfers.move_funds(
        sqlite_market.cashier, *numbers, 500_00, "V1", request_id=new_request_id()
    )
    mail(sqlite_market, receipt.reference)
    [sent] = sqlite_market.mails("receipt")
    assert sent["recipient"] == "asha@example.com"
    assert "Paid to: Vi•• S••, ••••" in sent["body"]
    assert "Slip or voucher: V1" in sent["body"]


@pytest.mark.feature("B2", "A9.1")
def test_once_a_day_however_often_it_is_asked_for(market: Market) -> None:
    receipt = market.deposit("asha", 5_000_00)
    assert [mail(market, receipt.reference).is_new for _ in range(3)] == [True, False, False]
    assert len(market.mails("receipt")) == 1
    acts = market.rows(
        "SELECT object_id, details FROM trail WHERE verb = 'counters.receipt_mails.mail_receipt'"
        " ORDER BY id"
    )
    assert [row["object_id"] for row in acts] == [receipt.reference] * 3
    assert ['"sent_before":true' in row["details"] for row in acts] == [False, True, True]
    move_clock(market.bank, NOON + timedelta(days=1))
    assert mail(market, receipt.reference).is_new
    assert len(market.mails("receipt")) == 2


@pytest.mark.feature("B13")
def test_who_has_no_address_is_told_so(sqlite_market: Market) -> None:
    receipt = sqlite_market.deposit("nila", 5_000_00)
    with pytest.raises(NoMailAddress, match="Print the receipt instead"):
        mail(sqlite_market, receipt.reference)
    assert sqlite_market.rows("SELECT * FROM receipt_mails") == []


@pytest.mark.feature("A1.13")
def test_only_a_cashier_of_the_branch_sends_it(sqlite_market: Market) -> None:
    receipt = sqlite_market.deposit("asha", 5_000_00)
    with pytest.raises(NoSuchReceipt):
        mail(sqlite_market, receipt.reference, "meera")
    with pytest.raises(NotAReference):
        mail(sqlite_market, "nonsense")
    for who in ("asha", "banker", "auditor"):
        with pytest.raises(NotAllowed):
            mail(sqlite_market, receipt.reference, who)
    assert mail(sqlite_market, receipt.reference, "gita").is_new
    assert len(sqlite_market.mails("receipt")) == 1


def test_what_was_sent_is_never_changed_or_deleted(market: Market) -> None:
    mail(market, market.deposit("asha", 5_000_00).reference)
    for sql in ("UPDATE receipt_mails SET mailed_by = 1", "DELETE FROM receipt_mails"):
        with pytest.raises(DBAPIError, match="never changed or deleted"), market.tx() as tx:
            tx.connection.exec_driver_sql(sql)
