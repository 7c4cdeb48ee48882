"""The third choice of the counter: a transfer by voucher. And accounts found by their holders."""

import pytest
from streamlit.testing.v1 import AppTest

from bank.core.ids import new_request_id
from bank.counters import counts, fund_transfers
from bank.counters.receipts import print_receipt
from tests.bank.test_cash_rules import device
from tests.pages.test_cashier_counter import press, text_of
from tests.support import people
from tests.support.apptest import Pages, words_of
from tests.support.checkers import Checking
from tests.support.market import Market, pay_in

PAGE, FIND = "cashier/counter.py", "staff/find_account.py"


@pytest.fixture
def market(sqlite_market: Market) -> Market:
    """Pages draw the same on either database; Asha has five lakh."""
    pay_in(sqlite_market, "asha", 5_00_000_00)
    return sqlite_market


def filled(pages: Pages, market: Market, **values: str) -> AppTest:
    """The counter with a voucher typed in."""
    page = pages.open(market.cashier, PAGE)
    page.segmented_control("counter_kind").set_value("transfer").run()
    typed = {
        "from": market.number("asha"),
        "to": market.number("vikram"),
        "amount": "5k",
        "voucher": "v-1",
    } | values
    for name, value in typed.items():
        page.text_input(f"funds_{name}").set_value(value)
    page.run()
    assert not page.exception
    return page


def chosen(page: AppTest, market: Market, key: str, who: str) -> AppTest:
    """The search with somebody's savings account chosen in it."""
    [row] = market.rows(f"SELECT id FROM accounts WHERE number = '{market.number(who)}'")
    page.session_state[f"{key}_found_chosen"] = str(row["id"])
    page.run()
    assert not page.exception
    return page


@pytest.mark.feature("A3.5", "B13")
def test_from_the_voucher_to_the_receipt(pages: Pages, market: Market) -> None:
    page = filled(pages, market, remark="rent")
    said = words_of(page)
    assert "Asha Rao" in said
    assert "Vikram Shah" in said
    press(page, "Preview")
    said = words_of(page).replace("\\", "").replace("\u2060", "")
    for fact in (
        "Transfer: compare with the voucher",
        "Rupees five thousand only",
        "Transfer at Fort, voucher V-1: rent",
        "₹ 5,00,000.00 Cr, then ₹ 4,95,000.00 Cr",
        "₹ 0.00 Cr, then ₹ 5,000.00 Cr",
        "a***@example.com and v***@example.com",
    ):
        assert fact in said, fact
    assert market.balance("vikram") == 0, "a preview books nothing"
    press(page, "Move ₹ 5,000.00")
    assert market.balance("vikram") == 5_000_00
    [reference] = [code.value for code in page.code]
    original, with_balance = pages.papers()[-2:]
    assert "Receipt: transfer" in text_of(original)
    assert "Balance after this" in text_of(with_balance)
    assert "Transferred without cash ₹ 5,000.00" in words_of(page)
    press(page, "Next customer")
    assert page.text_input("funds_from").value == ""
    [booked] = market.rows("SELECT entry_id FROM fund_vouchers")
    print_receipt(market.cashier, reference)
    page.session_state["counter_today_chosen"] = str(booked["entry_id"])
    page.run()
    assert "DUPLICATE" in text_of(pages.papers()[-1])
    assert "moved back to the account that paid" in words_of(page)
    page.text_input(f"counter_reverse_{booked['entry_id']}_reason").set_value("typed twice")
    press(page, "Ask for reversal")
    assert "Waits for approval by Arun Nair" in words_of(page)


@pytest.mark.feature("B2")
def test_the_second_click_books_nothing(pages: Pages, market: Market) -> None:
    page = filled(pages, market)
    press(page, "Preview")
    request_id = page.session_state["funds_request_id"]
    press(page, "Move ₹ 5,000.00")
    [reference] = [code.value for code in page.code]
    page.session_state["funds_step"] = "preview"
    page.session_state["funds_request_id"] = request_id
    page.run()
    press(page, "Move ₹ 5,000.00")
    assert [code.value for code in page.code] == [reference]
    assert market.balance("vikram") == 5_000_00


@pytest.mark.parametrize(
    ("typed", "label", "words"),
    [
        ({"from": "12-34"}, "From account", "Type the account number in full"),
        ({"to": "12-34"}, "To account", "Type the account number in full"),
        ({"amount": "lots"}, "Amount", "in figures"),
        ({"voucher": ""}, "Voucher number", "number printed on the slip"),
        ({"amount": "6L"}, "", "Only ₹ 5,00,000.00 is available"),
    ],
)
def test_a_refusal_stands_beside_its_field_and_what_was_typed_stays(
    pages: Pages, market: Market, typed: dict[str, str], label: str, words: str
) -> None:
    page = filled(pages, market, remark="rent", **typed)
    press(page, "Preview")
    said = [error.value.replace("\\", "") for error in page.error]
    if label in {"From account", "To account"}:  # once beside the field, once for the preview
        assert len(said) == 2
        assert all(one.startswith(f"**{label}:**") for one in said)
    assert any(words in one and one.startswith(f"**{label}:**" if label else "") for one in said)
    assert page.text_input("funds_remark").value == "rent"
    assert market.balance("vikram") == 0


@pytest.mark.feature("B6")
def test_a_large_one_waits_for_a_supervisor(pages: Pages, market: Market) -> None:
    key = device(market, "admin")
    page = filled(pages, market, amount="2.5L")
    press(page, "Preview")
    assert "A supervisor has to see this: Move ₹ 2,50,000.00" in words_of(page).replace("\\", "")
    press(page, "Move ₹ 2,50,000.00")
    assert "may not supervise you" in page.error[0].value
    page.text_input("funds_supervisor").set_value("admin.staff")
    page.text_input("funds_code_secret").set_value(people.device_code(market.bank, key).reveal())
    press(page, "Move ₹ 2,50,000.00")
    assert market.balance("vikram") == 2_50_000_00


@pytest.mark.feature("B4", "B6")
def test_a_sum_that_changed_since_the_preview_is_compared_again(
    pages: Pages, market: Market
) -> None:
    """Another window of the same cashier was quicker."""
    key = device(market, "admin")
    page = filled(pages, market, amount="1.5L")
    press(page, "Preview")
    assert "A supervisor has to see this" not in words_of(page)
    fund_transfers.move_funds(
        market.cashier, market.number("asha"), market.number("vikram"), 1_00_000_00, "V-7",
        request_id=new_request_id(),
    )  # fmt: skip
    press(page, "Move ₹ 1,50,000.00")
    said = words_of(page).replace("\\", "")
    assert "has changed since the preview" in said
    assert "in all ₹ 2,50,000.00 from this account today" in said
    assert market.balance("vikram") == 1_00_000_00
    page.text_input("funds_supervisor").set_value("admin.staff")
    page.text_input("funds_code_secret").set_value(people.device_code(market.bank, key).reveal())
    press(page, "Move ₹ 1,50,000.00")
    assert market.balance("vikram") == 2_50_000_00
    press(page, "Next customer")
    assert "has changed since" not in words_of(page)


@pytest.mark.feature("A3.5")
def test_without_a_drawer_money_still_moves(pages: Pages, market: Market) -> None:
    counts.start_count(market.cashier, market.drawers["ravi"])
    page = pages.open(market.cashier, PAGE)
    assert "You have no open drawer today" in words_of(page).replace("\\", "")
    for name, value in {
        "from": market.number("asha"), "to": market.number("vikram"),
        "amount": "5k", "voucher": "1",
    }.items():  # fmt: skip
        page.text_input(f"funds_{name}").set_value(value)
    page.run()
    press(page, "Preview")
    press(page, "Move ₹ 5,000.00")
    assert market.balance("vikram") == 5_000_00


@pytest.mark.feature("A2.8")
def test_the_account_is_found_by_its_holder(pages: Pages, market: Market) -> None:
    page = pages.open(market.cashier, PAGE)
    page.text_input("counter_account_find_holder").set_value("ni").run()
    assert "at least three letters" in page.error[0].value
    page.text_input("counter_account_find_holder").set_value("vikram").run()
    assert "No account of your branch is found" in words_of(page)
    page.text_input("counter_account_find_holder").set_value("nila").run()
    said = words_of(page)
    assert "Nila Das" in said
    assert market.number("nila") not in said
    chosen(page, market, "counter_account_find", "nila")
    assert page.text_input("counter_account").value == market.number("nila")
    assert page.text_input("counter_account_find_holder").value == ""
    page.text_input("counter_amount").set_value("50")
    page.text_input("counter_slip").set_value("1")
    press(page, "Preview")
    press(page, "Take ₹ 50.00")
    assert market.balance("nila") == 50_00


@pytest.mark.feature("A2.8", "A9.1")
def test_find_an_account_by_its_holder(pages: Pages, market: Market) -> None:
    page = pages.open(market.desks["banker"], FIND)
    page.text_input("find_holder_holder").set_value("nila").run()
    chosen(page, market, "find_holder", "nila")
    assert page.text_input("find_account_number").value == market.number("nila")
    assert "Nila Das" in [header.value for header in page.header]
    looks = market.rows("SELECT actor_name FROM trail WHERE object_kind = 'account search'")
    assert [row["actor_name"] for row in looks] == ["Bina Mehta"]


@pytest.mark.feature("B13")
def test_the_receipt_is_sent_by_mail(pages: Pages, market: Market) -> None:
    page = filled(pages, market)
    press(page, "Preview")
    press(page, "Move ₹ 5,000.00")
    press(page, "E-mail receipt")
    said = words_of(page).replace("\\", "").replace("\u2060", "")
    assert "on its way to a***@example.com" in said
    press(page, "E-mail receipt")
    assert "was sent today already" in words_of(page)
    assert len(market.mails("receipt")) == 1
    press(page, "Next customer")
    page.segmented_control("counter_kind").set_value("cash_deposit").run()
    for name, value in {"account": market.number("nila"), "amount": "50", "slip": "1"}.items():
        page.text_input(f"counter_{name}").set_value(value)
    page.run()
    press(page, "Preview")
    press(page, "Take ₹ 50.00")
    press(page, "E-mail receipt")
    assert "no mail address" in page.error[0].value


@pytest.mark.feature("A1.13")
def test_who_sees_the_bank_without_its_customers_has_no_search_by_name(
    pages: Pages, sqlite_checking: Checking
) -> None:
    for who, titles in (("head", []), ("auditor", ["Find an account by the holder's name"])):
        page = pages.open(sqlite_checking.desks[who], FIND)
        assert [each.label for each in page.expander] == titles
