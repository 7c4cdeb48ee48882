"""Receipts: who may have one, what stands on the paper, the original and its duplicates."""

import io
from datetime import date
from pathlib import Path

import pypdf
import pytest

from bank.book import references
from bank.book.references import NotAReference
from bank.core.errors import NotAllowed
from bank.core.ids import new_request_id
from bank.counters import receipts
from bank.counters.receipts import NoSuchReceipt
from tests.bank.test_transfers import asked, send
from tests.support.market import MOBILE, Market, pay_in

XSS = Path(__file__).parents[3] / "shared" / "data" / "security" / "xss_payloads.txt"


def text_of(pdf: bytes) -> str:
    """All that is written on a PDF."""
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)


@pytest.mark.feature("B13")
def test_the_paper_says_what_was_done(market: Market) -> None:
    receipt = market.deposit(
        "asha", 1_23_456_78, slip="00412", depositor="Kiran", mobile=MOBILE, narration="fee"
    )
    text = text_of(receipts.print_receipt(market.cashier, receipt.reference))
    for said in (
        receipt.reference,
        "Bank in a Browser",
        "Fort, IFSC BANK0000001",
        "INR 1,23,456.78",
        "Rupees one lakh twenty-three thousand four hundred and fifty-six",
        "16 Mar 2026, 12:00",
        receipt.account,
        "Asha Rao",
        "00412",
        "Kiran",
        "xxxxxxx210",
        "fee",
        "Ravi Kumar",
        receipt.verify_code,
        receipt.transaction_id,
        "Page 1 of 1",
    ):
        assert said in text, said
    assert market.number("asha") not in text
    assert "DUPLICATE" not in text
    assert "Balance after this" not in text


@pytest.mark.feature("B13")
def test_every_copy_after_the_first_says_so(market: Market) -> None:
    receipt = market.deposit("asha", 100_00)
    printed = [
        text_of(receipts.print_receipt(desk, receipt.reference))
        for desk in (market.cashier, market.cashier, market.desks["asha"])
    ]
    assert "DUPLICATE" not in printed[0]
    assert "DUPLICATE, copy 2" in printed[1]
    assert "DUPLICATE, copy 3" in printed[2]
    kept = market.rows("SELECT * FROM receipt_prints ORDER BY copy_number")
    assert [row["printed_by"] for row in kept] == [
        market.cashier.user_id,
        market.cashier.user_id,
        market.desks["asha"].user_id,
    ]


def test_the_balance_is_printed_when_asked_for(sqlite_market: Market) -> None:
    market = sqlite_market
    pay_in(market, "asha", 1_000_00)
    receipt = market.deposit("asha", 100_00)
    text = text_of(receipts.print_receipt(market.cashier, receipt.reference, with_balance=True))
    assert "Balance after this" in text
    assert "INR 1,100.00" in text


@pytest.mark.feature("B13", "A3.1")
def test_a_transfers_receipt_names_the_payee(market: Market) -> None:
    pay_in(market, "asha", 1_000_00)
    receipt = send(market, new_request_id(), **asked(market))
    text = text_of(receipts.print_receipt(market.desks["asha"], receipt.reference))
    assert "Receipt: transfer" in text
    assert f"Vi•• S••, {receipt.to_account}" in text
    assert "rent" in text
    assert "Cashier" not in text


@pytest.mark.feature("B8", "B13")
def test_who_may_have_a_receipt(market: Market) -> None:
    receipt = market.deposit("vikram", 100_00)  # Vikram banks at Baner; the cash was taken at Fort
    for who in ("vikram", "ravi", "admin", "auditor"):
        assert (
            receipts.find_receipt(market.desks[who], receipt.reference).entry_id == receipt.entry_id
        )
    for who in ("asha", "meera", "admin_baner"):
        with pytest.raises(NoSuchReceipt):
            receipts.find_receipt(market.desks[who], receipt.reference)
        with pytest.raises(NoSuchReceipt):
            receipts.print_receipt(market.desks[who], receipt.reference)
        with pytest.raises(NoSuchReceipt):
            receipts.record_print(market.desks[who], receipt.reference)
    with pytest.raises(NotAllowed):
        receipts.find_receipt(market.desks["banker"], receipt.reference)
    assert market.rows("SELECT * FROM receipt_prints") == []


def test_a_payee_does_not_see_the_payers_receipt(market: Market) -> None:
    pay_in(market, "asha", 1_000_00)
    receipt = send(market, new_request_id(), **asked(market))
    with pytest.raises(NoSuchReceipt):
        receipts.find_receipt(market.desks["vikram"], receipt.reference)


@pytest.mark.feature("B13")
def test_a_reference_is_found_as_it_was_given(market: Market) -> None:
    receipt = market.deposit("asha", 100_00)
    day, number, check = receipt.reference.split("-")
    for typed in (receipt.reference, f" {day} {number} {check} ", f"{day}{number}{check}"):
        assert receipts.find_receipt(market.cashier, typed) == receipt
    with pytest.raises(NotAReference):
        receipts.find_receipt(market.cashier, f"{day}-{number}-{(int(check) + 1) % 10}")
    other_day = references.reference_of(receipt.booking_date.replace(day=1), receipt.entry_id)
    with pytest.raises(NoSuchReceipt):
        receipts.find_receipt(market.cashier, other_day)
    with pytest.raises(NoSuchReceipt):
        receipts.find_receipt(
            market.cashier, references.reference_of(receipt.booking_date, 999_999)
        )


@pytest.mark.parametrize("text", ["", "abc", "260316", "260316-x-1", "260316-1-", "1" * 40])
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(NotAReference) as refused:
        references.entry_id_in(text)
    assert refused.value.field == "reference"


def test_a_mistyped_digit_is_noticed() -> None:
    right = references.reference_of(date(2026, 3, 16), 1042)
    assert right == "260316-1042-6"
    for place, char in enumerate(right):
        if char.isdigit():
            wrong = right[:place] + str((int(char) + 1) % 10) + right[place + 1 :]
            with pytest.raises(NotAReference):
                references.entry_id_in(wrong)


def test_an_entry_that_was_no_counters_business_has_no_receipt(market: Market) -> None:
    entry_id = pay_in(market, "asha", 100_00)
    reference = references.reference_of(market.bank.clock.business_date(), entry_id)
    with pytest.raises(NoSuchReceipt):
        receipts.find_receipt(market.desks["auditor"], reference)


def test_the_verify_code_belongs_to_the_content_and_the_bank(sqlite_market: Market) -> None:
    market = sqlite_market
    one = market.deposit("asha", 100_00)
    two = market.deposit("asha", 100_00)
    assert one.verify_code != two.verify_code
    with market.tx() as tx:
        said = receipts.verify_code(
            tx, one.transaction_id, one.account_number, one.amount_minor, one.currency
        )
        raised = receipts.verify_code(
            tx, one.transaction_id, one.account_number, one.amount_minor + 1, one.currency
        )
    assert said == one.verify_code
    assert raised != one.verify_code
    assert len(said.split()) == 4


@pytest.mark.skipif(not XSS.exists(), reason="the payload list lies beside the project")
def test_text_of_others_is_only_text_on_paper(sqlite_market: Market) -> None:
    """Markup, right-to-left marks, emoji: the paper prints letters or a question mark."""
    market = sqlite_market
    for number, payload in enumerate(XSS.read_text(encoding="utf-8").splitlines()):
        line = "".join(char for char in payload if char.isprintable()).strip()[:50]
        receipt = market.deposit("asha", 1_00, slip=f"X{number}", depositor=line, mobile=MOBILE)
        pdf = receipts.print_receipt(market.cashier, receipt.reference)
        assert receipt.reference in text_of(pdf)
        for name in (b"/JavaScript", b"/Launch", b"/URI"):
            assert name not in pdf


@pytest.mark.feature("A9.1")
def test_looking_and_printing_are_in_the_trail(market: Market) -> None:
    receipt = market.deposit("asha", 100_00)
    receipts.print_receipt(market.cashier, receipt.reference)
    found = market.rows(
        f"SELECT verb, outcome, details FROM trail WHERE object_id = '{receipt.reference}'"
        " ORDER BY id"
    )
    assert [(row["verb"], row["outcome"]) for row in found] == [
        ("counters.receipts.find_receipt", "read"),
        ("counters.receipts.record_print", "done"),
    ]
    assert '"copy":1' in found[1]["details"]
