"""The cash counter as a cashier sees it: three steps, refusals beside the field, today's slips."""

import io

import pypdf
import pytest
from streamlit.testing.v1 import AppTest

from bank.book.journal import reverse_entry
from bank.core.ids import new_request_id
from bank.counters.receipts import print_receipt
from bank.office import approvals
from tests.support.apptest import Pages, words_of
from tests.support.market import Market

PAGE = "cashier/counter.py"


@pytest.fixture
def market(sqlite_market: Market) -> Market:
    """Pages draw the same on either database."""
    return sqlite_market


def press(page: AppTest, label: str) -> AppTest:
    """Click the one button with this label."""
    [button] = [each for each in page.button if each.label == label]
    button.click().run()
    assert not page.exception
    return page


def filled(pages: Pages, market: Market, **values: str) -> AppTest:
    """The counter with a slip typed in."""
    page = pages.open(market.cashier, PAGE)
    typed = {"account": market.number("asha"), "amount": "5k", "slip": "00412"} | values
    if kind := typed.pop("kind", None):
        page.segmented_control("counter_kind").set_value(kind).run()
    elif "person" in typed:
        page.segmented_control("counter_who").set_value("Somebody else").run()
        typed = {"mobile": "98765 43210"} | typed
    for name, value in typed.items():
        page.text_input(f"counter_{name}").set_value(value)
    page.run()
    assert not page.exception
    return page


def text_of(pdf: bytes) -> str:
    """What is written on a paper."""
    return pypdf.PdfReader(io.BytesIO(pdf)).pages[0].extract_text()


@pytest.mark.feature("A3.4", "A14.1", "B2", "B13")
def test_from_the_slip_to_the_receipt(pages: Pages, market: Market) -> None:
    page = filled(pages, market, person="Kiran Rao", remark="rent")
    said = words_of(page)
    assert "Asha Rao" in said
    assert "Rupees five thousand only" in said
    press(page, "Preview")
    said = words_of(page)
    assert "compare with the slip" in said
    assert "Cash deposit at Fort, slip 00412, by Kiran Rao: rent".replace(":", "\\:") in said
    assert "919876543210" in said
    assert market.balance("asha") == 0, "a preview books nothing"
    press(page, "Take ₹ 5,000.00")
    assert market.balance("asha") == 5_000_00
    [reference] = [code.value for code in page.code]
    assert reference in words_of(page)
    assert "Kiran Rao xxxxxxx210" in words_of(page)
    original, with_balance = pages.papers()[-2:]
    assert reference in text_of(original)
    assert "DUPLICATE" not in text_of(original)
    assert "Balance after this" not in text_of(original)
    assert "DUPLICATE, copy 2" in text_of(with_balance)
    assert "Balance after this" in text_of(with_balance)
    press(page, "Next customer")
    assert page.text_input("counter_account").value == ""
    assert market.balance("asha") == 5_000_00


@pytest.mark.feature("A3.4", "A3.5")
def test_a_withdrawal_is_paid_out(pages: Pages, market: Market) -> None:
    market.deposit("asha", 6_000_00)
    page = filled(pages, market, kind="cash_withdrawal", person="Kiran Rao")
    assert "Paid out to" in [box.label for box in page.text_input]
    press(page, "Preview")
    assert "Withdrawal: compare with the slip" in words_of(page)
    press(page, "Pay out ₹ 5,000.00")
    assert market.balance("asha") == 1_000_00


@pytest.mark.feature("B2")
def test_the_second_click_books_nothing(pages: Pages, market: Market) -> None:
    """Two clicks on the same drawing of the button: the first one's answer came too late."""
    page = filled(pages, market)
    press(page, "Preview")
    request_id = page.session_state["counter_request_id"]
    press(page, "Take ₹ 5,000.00")
    [reference] = [code.value for code in page.code]
    page.session_state["counter_step"] = "preview"
    page.session_state["counter_request_id"] = request_id
    page.run()
    press(page, "Take ₹ 5,000.00")
    assert [code.value for code in page.code] == [reference]
    assert market.balance("asha") == 5_000_00
    assert len(market.mails()) == 1


@pytest.mark.parametrize(
    ("typed", "label", "words"),
    [
        ({"account": "12-34"}, "Account number", "Type the account number in full"),
        ({"account": "999999999999"}, "", "no account with this number"),
        ({"amount": "lots"}, "Amount", "in figures"),
        ({"amount": ""}, "Amount", "in figures"),
        ({"slip": ""}, "Slip number", "number printed on the slip"),
        ({"mobile": ""}, "Their mobile number", "ask for their mobile number"),
        ({"mobile": "12"}, "Their mobile number", "ten digits"),
        ({"kind": "cash_withdrawal"}, "", "Only ₹ 0"),
    ],
)
def test_a_refusal_stands_beside_its_field_and_what_was_typed_stays(
    pages: Pages, market: Market, typed: dict[str, str], label: str, words: str
) -> None:
    page = filled(pages, market, person="Kiran Rao", **typed)
    press(page, "Preview")
    said = [error.value.replace("\\", "") for error in page.error]
    assert any(words in one and one.startswith(f"**{label}:**" if label else "") for one in said)
    assert page.text_input("counter_person").value == "Kiran Rao"
    assert page.text_input("counter_account").value == typed.get("account", market.number("asha"))
    assert market.rows("SELECT * FROM entries") == []


def test_somebody_else_has_a_name(pages: Pages, market: Market) -> None:
    page = filled(pages, market, person="", mobile="")
    press(page, "Preview")
    assert "type their name as it stands on the slip" in page.error[0].value
    page.segmented_control("counter_who").set_value("The holder").run()
    press(page, "Preview")
    assert "the holder" in words_of(page)
    press(page, "Take ₹ 5,000.00")
    [slip] = market.rows("SELECT person, mobile FROM cash_slips")
    assert slip == {"person": "", "mobile": None}


def test_change_goes_back_with_everything_typed(pages: Pages, market: Market) -> None:
    page = filled(pages, market, person="Kiran Rao")
    press(page, "Preview")
    press(page, "Change")
    assert page.text_input("counter_slip").value == "00412"
    assert page.text_input("counter_person").value == "Kiran Rao"
    assert page.text_input("counter_mobile").value == "98765 43210"
    assert page.text_input("counter_amount").value == "5k"


@pytest.mark.feature("A9.1", "B13")
def test_the_day_so_far_and_a_receipt_once_more(pages: Pages, market: Market) -> None:
    page = pages.open(market.cashier, PAGE)
    assert "Nothing booked yet today" in words_of(page)
    receipt = market.deposit("asha", 700_00, slip="A1")
    market.deposit("asha", 300_00, slip="A2")
    reverse_entry(market.desks["admin"], receipt.entry_id, "typed twice", new_request_id())
    market.deposit("asha", 9_00, slip="B1", desk=market.desks["meera"])
    page.run()
    said = words_of(page)
    assert "Cash in ₹ 300.00" in said
    assert "Net, reversals left out ₹ 300.00" in said
    assert "Reversed" in said
    assert "B1" not in said
    print_receipt(market.cashier, receipt.reference)
    page.session_state["counter_today_chosen"] = str(receipt.entry_id)
    page.run()
    assert "DUPLICATE, copy 2" in text_of(pages.papers()[-1])


@pytest.mark.feature("B3", "B4")
def test_a_slip_of_today_is_taken_back_by_two(pages: Pages, market: Market) -> None:
    receipt = market.deposit("asha", 700_00, slip="A1")
    page = pages.open(market.cashier, PAGE)
    page.session_state["counter_today_chosen"] = str(receipt.entry_id)
    page.run()
    press(page, "Ask for reversal")
    assert any("**Reason:**" in error.value for error in page.error)
    page.text_input(f"counter_reverse_{receipt.entry_id}_reason").set_value("typed twice")
    press(page, "Ask for reversal")
    said = words_of(page)
    assert "Waits for approval by Arun Nair" in said
    assert "Reversal of a cash slip" in said
    assert "Ask for reversal" not in [button.label for button in page.button]
    assert market.balance("asha") == 700_00
    [waits] = market.rows("SELECT id, status FROM approvals")
    approvals.approve(market.desks["admin"], waits["id"])
    page.run()
    assert market.balance("asha") == 0
    assert "Reversed" in words_of(page)
    assert "Ask for reversal" not in [button.label for button in page.button]


def test_what_somebody_typed_is_shown_and_not_obeyed(pages: Pages, market: Market) -> None:
    page = filled(pages, market, person="<img src=x onerror=x>", remark="**bold** [x](http://e)")
    press(page, "Preview")
    said = words_of(page)
    assert "\\<img" in said
    assert "\\*\\*bold" in said
    assert "\\[x\\]" in said


@pytest.mark.feature("A1.13", "A14.3")
@pytest.mark.parametrize("who", ["asha", "banker", "admin", "auditor"])
def test_the_counter_is_for_cashiers(pages: Pages, market: Market, who: str) -> None:
    page = pages.open(market.desks[who], PAGE)
    assert [title.value for title in page.title] == ["Not available"]
    assert not page.text_input
