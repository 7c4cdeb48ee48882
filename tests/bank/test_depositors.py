"""Who pays in for a holder is named, with a mobile number; the holder is not."""

from typing import Any

import pytest

from bank.core.errors import BadInput
from bank.core.ids import new_request_id
from bank.counters import cash, receipts
from bank.counters.slips import DEPOSIT, WITHDRAWAL
from bank.counters.window import DepositorsMobileMissing, DepositorUnnamed
from tests.bank.test_receipts import text_of
from tests.support.market import MOBILE, Market, pay_in


def ahead(market: Market, kind: str = DEPOSIT, **named: Any) -> cash.CashPreview:
    """What Ravi sees before a slip about Asha's account is booked."""
    return cash.preview_cash(market.cashier, kind, market.number("asha"), 50_00, "7", **named)


@pytest.mark.feature("A3.6", "A9.1")
def test_who_pays_in_for_the_holder_is_kept_with_the_slip(market: Market) -> None:
    seen = ahead(market, person="Kiran  Rao", mobile=MOBILE, is_other=True)
    assert (seen.person, seen.mobile) == ("Kiran Rao", "+919876543210")
    receipt = market.deposit("asha", 50_00, slip="7", depositor=seen.person, mobile=seen.mobile)
    assert (receipt.person, receipt.mobile) == ("Kiran Rao", "xxxxxxx210")
    [slip] = market.rows("SELECT person, mobile FROM cash_slips")
    assert slip == {"person": "Kiran Rao", "mobile": "+919876543210"}
    [entry] = market.rows("SELECT narration FROM entries")
    assert entry["narration"] == seen.narration == "Cash deposit at Fort, slip 7, by Kiran Rao"
    [act] = market.rows("SELECT details FROM trail WHERE verb = 'counters.cash.deposit'")
    assert '"mobile":"+919876543210"' in act["details"]
    paper = text_of(receipts.print_receipt(market.cashier, receipt.reference))
    assert "Kiran Rao" in paper
    assert "xxxxxxx210" in paper
    assert "9876543210" not in paper


@pytest.mark.feature("A3.6")
def test_a_holder_who_pays_in_is_not_named(market: Market) -> None:
    assert (ahead(market).person, ahead(market).mobile) == ("", "")
    receipt = market.deposit("asha", 50_00, slip="7")
    assert (receipt.person, receipt.mobile) == ("", "")
    [slip] = market.rows("SELECT person, mobile FROM cash_slips")
    assert slip == {"person": "", "mobile": None}
    paper = text_of(receipts.print_receipt(market.cashier, receipt.reference))
    assert "Their mobile number" not in paper


@pytest.mark.feature("A13.4")
@pytest.mark.parametrize(
    ("typed", "refusal", "field"),
    [
        ({"is_other": True}, DepositorUnnamed, "person"),
        ({"mobile": MOBILE}, DepositorUnnamed, "person"),
        ({"person": "Kiran", "is_other": True}, DepositorsMobileMissing, "mobile"),
        ({"person": "Kiran"}, DepositorsMobileMissing, "mobile"),
        ({"person": "Kiran", "mobile": "12345"}, BadInput, "mobile"),
        ({"person": "K" * 51, "mobile": MOBILE}, BadInput, "person"),
    ],
)
def test_name_and_number_come_together(
    sqlite_market: Market, typed: dict[str, Any], refusal: type[BadInput], field: str
) -> None:
    with pytest.raises(refusal) as refused:
        ahead(sqlite_market, **typed)
    assert refused.value.field == field
    given = {"depositor": typed.get("person", ""), "mobile": typed.get("mobile", "")}
    if any(given.values()):
        with pytest.raises(refusal):
            sqlite_market.deposit("asha", 50_00, **given)
    assert sqlite_market.rows("SELECT * FROM entries") == []


def test_who_takes_cash_leaves_no_number(sqlite_market: Market) -> None:
    pay_in(sqlite_market, "asha", 100_00)
    sqlite_market.fund(note_100=1)
    seen = ahead(sqlite_market, WITHDRAWAL, person="Kiran")
    assert (seen.person, seen.mobile) == ("Kiran", "")
    number = sqlite_market.number("asha")
    cash.withdraw(sqlite_market.cashier, number, 50_00, "7", "Kiran", request_id=new_request_id())
    [slip] = sqlite_market.rows("SELECT person, mobile FROM cash_slips")
    assert slip == {"person": "Kiran", "mobile": None}
