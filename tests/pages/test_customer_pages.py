"""A customer's own pages: home, send money, statement."""

import csv
import io
from dataclasses import replace
from datetime import date, timedelta

import pypdf
import pytest
from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from bank.core.clock import FixedClock
from bank.core.ids import new_request_id
from bank.people.identity import User
from tests.bank.test_transfers import asked, send
from tests.support.apptest import Pages, words_of
from tests.support.market import TRANSACTION_PASSWORD, Market, pay_in


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


def at_home(pages: Pages, market: Market, who: str) -> AppTest:
    """Their first page, through the front door."""
    page = pages.home(market.desks[who])
    assert not page.exception
    return page


@pytest.mark.feature("A4.1", "A2.8", "A2.10", "A4.3")
def test_home_shows_what_is_available_and_the_newest_lines(pages: Pages, market: Market) -> None:
    for number in range(7):
        market.deposit("asha", (number + 1) * 100_00, slip=f"H{number}")
    market.deposit("vikram", 9_999_00)
    page = at_home(pages, market, "asha")
    said = words_of(page)
    assert "Available ₹ 2,800.00" in said
    assert "Available ₹ 10,000.00" in said  # the current account's overdraft limit
    assert market.number("asha") in said
    assert "BANK0000001" in said
    assert "slip H6" in said
    assert "slip H2" in said
    assert "slip H1" not in said
    assert "9,999" not in said
    assert "Nothing has been booked on this account yet" in said


def test_home_without_an_account_says_what_to_do(pages: Pages, market: Market) -> None:
    nobody = replace(market.desks["asha"], customer_id=999)
    page = pages.home(nobody)
    assert "You have no account with the bank yet" in words_of(page)
    assert not page.metric


def fill(page: AppTest, **typed: str) -> AppTest:
    """Type into the form and go on to the preview."""
    for name, value in typed.items():
        page.text_input(f"send_money_{name}").set_value(value)
    return press(page, "Preview")


def sending(pages: Pages, market: Market) -> AppTest:
    """The page for sending money, opened by Asha."""
    page = at_home(pages, market, "asha")
    page.switch_page("pages/customer/send_money.py").run()
    assert not page.exception
    return page


@pytest.mark.feature("A3.1", "A1.5", "A3.9", "B2", "B13")
def test_from_the_form_to_the_receipt(pages: Pages, market: Market) -> None:
    pay_in(market, "asha", 1_000_00)
    page = sending(pages, market)
    fill(page, to=market.number("vikram"), amount="250", note="rent")
    said = words_of(page)
    assert "Is this right?" in said
    assert "Rupees two hundred and fifty only" in said
    assert "Vi•• S••" in said
    assert "Vikram" not in said
    assert "₹ 750" in said
    press(page, "Send code")
    assert "A code is on its way" in words_of(page)
    page.text_input("send_money_secret_password").set_value(TRANSACTION_PASSWORD)
    page.text_input("send_money_secret_code").set_value(market.code().reveal())
    press(page, "Send ₹ 250.00")
    assert market.balance("vikram") == 250_00
    [reference] = [code.value for code in page.code]
    paper = pypdf.PdfReader(io.BytesIO(pages.papers()[-1])).pages[0].extract_text()
    assert reference in paper
    assert "send_money_secret_password" not in page.session_state
    press(page, "Send more")
    assert page.text_input("send_money_to").value == ""
    assert market.balance("asha") == 750_00


@pytest.mark.feature("A3.5")
def test_to_an_own_account(pages: Pages, market: Market) -> None:
    pay_in(market, "asha", 1_000_00)
    page = sending(pages, market)
    page.segmented_control("send_money_way").set_value("To my own account").run()
    fill(page, amount="1k")
    assert "Asha Rao" in words_of(page)
    assert market.number("asha", "current") in words_of(page)


def test_refusals_come_before_any_code_and_keep_what_was_typed(
    pages: Pages, market: Market
) -> None:
    page = sending(pages, market)
    fill(page, to=market.number("vikram"), amount="5k")
    assert "Only ₹ 0" in page.error[0].value.replace("\\", "")
    assert page.text_input("send_money_to").value == market.number("vikram")
    fill(page, amount="five")
    assert page.error[0].value.startswith("**Amount:**")
    fill(page, amount="1", to="12-34")
    assert page.error[0].value.startswith("**Account number:**")
    fill(page, to=market.number("asha"))
    assert page.error[0].value.startswith("**To:**")
    assert market.rows("SELECT * FROM codes") == []


def test_a_wrong_code_sends_nothing_and_may_be_typed_again(pages: Pages, market: Market) -> None:
    pay_in(market, "asha", 1_000_00)
    page = sending(pages, market)
    fill(page, to=market.number("vikram"), amount="250")
    press(page, "Send code")
    page.text_input("send_money_secret_password").set_value(TRANSACTION_PASSWORD)
    page.text_input("send_money_secret_code").set_value("000000")
    press(page, "Send ₹ 250.00")
    assert "Nothing has been paid" in page.error[0].value
    assert market.balance("vikram") == 0
    page.text_input("send_money_secret_code").set_value(market.code().reveal())
    press(page, "Send ₹ 250.00")
    assert market.balance("vikram") == 250_00


def test_what_is_changed_after_the_preview_is_previewed_again(pages: Pages, market: Market) -> None:
    pay_in(market, "asha", 1_000_00)
    page = sending(pages, market)
    fill(page, to=market.number("vikram"), amount="250", note="rent")
    press(page, "Change")
    assert page.text_input("send_money_to").value == market.number("vikram")
    assert page.text_input("send_money_note").value == "rent"
    fill(page, amount="300")
    assert "₹ 300" in words_of(page)


def test_without_a_transaction_password_the_way_is_shown(pages: Pages, market: Market) -> None:
    with market.tx() as tx:
        tx.connection.exec_driver_sql("UPDATE users SET transaction_password_hash = NULL")
    page = sending(pages, market)
    assert "you have none yet" in page.info[0].value
    assert not page.text_input


@pytest.mark.feature("A1.5")
def test_while_payments_rest_the_page_says_until_when(pages: Pages, market: Market) -> None:
    pay_in(market, "asha", 1_000_00)
    page = sending(pages, market)
    fill(page, to=market.number("vikram"), amount="250")
    until = market.bank.clock.now() + timedelta(hours=24)
    with market.tx() as tx:
        tx.session.execute(update(User).values(payments_rest_until=until))
    press(page, "Send code")
    assert "17 Mar 2026, 12:00" in words_of(page)
    page.run()
    assert "payments rest until 17 Mar 2026, 12:00" in page.info[0].value
    assert not page.text_input
    assert isinstance(market.bank.clock, FixedClock)
    market.bank.clock.at = until
    page.run()
    assert not page.info


def statement(pages: Pages, market: Market) -> AppTest:
    """Asha's statement page."""
    page = at_home(pages, market, "asha")
    page.switch_page("pages/customer/statement.py").run()
    assert not page.exception
    return page


@pytest.mark.feature("A4.2", "A4.3", "B13", "A14.1")
def test_the_statement_of_three_months_by_default(pages: Pages, market: Market) -> None:
    assert isinstance(market.bank.clock, FixedClock)
    for days, amount, slip in ((-120, 10_00, "OLD"), (100, 20_00, "MID"), (20, 30_00, "NEW")):
        market.bank.clock.at += timedelta(days=days)
        market.new_day()
        market.deposit("asha", amount, slip=slip)
    page = statement(pages, market)
    said = words_of(page)
    assert "16 Dec 2025 to 16 Mar 2026, 2 lines" in said
    assert "Opening ₹ 10.00 Cr" in said
    assert "Came in ₹ 50.00" in said
    assert "Closing ₹ 60.00 Cr" in said
    assert "slip OLD" not in said
    for period, lines in {
        "This month": "1 Mar 2026 to 16 Mar 2026, 1 line",
        "Last 6 months": "16 Sep 2025 to 16 Mar 2026, 3 lines",
        "This financial year": "1 Apr 2025 to 16 Mar 2026, 3 lines",
    }.items():
        page.segmented_control("statement_period").set_value(period).run()
        assert lines in words_of(page)
    page.segmented_control("statement_period").set_value("Any dates").run()
    page.date_input("statement_start").set_value(date(2025, 11, 1)).run()
    page.date_input("statement_end").set_value(date(2025, 11, 30)).run()
    assert "slip OLD" in words_of(page)
    assert "slip NEW" not in words_of(page)
    page.date_input("statement_start").set_value(date(2026, 1, 1)).run()
    assert page.error[0].value.startswith("**Period:**")


@pytest.mark.feature("A4.2", "B13")
def test_the_statement_is_downloaded(pages: Pages, market: Market) -> None:
    market.deposit("asha", 30_00, slip="NEW")
    statement(pages, market)
    pdf, table = pages.papers()[-2:]
    assert "slip NEW" in pypdf.PdfReader(io.BytesIO(pdf)).pages[0].extract_text()
    rows = list(csv.DictReader(io.StringIO(table.decode("utf-8-sig"))))
    assert [row["Balance"] for row in rows] == ["0.00", "30.00", "30.00"]


def test_an_empty_period_says_so(pages: Pages, market: Market) -> None:
    page = statement(pages, market)
    assert "Nothing was booked in this period" in words_of(page)
    assert not page.dataframe


def test_a_long_statement_is_read_page_by_page(pages: Pages, market: Market) -> None:
    for number in range(51):
        market.deposit("asha", 1_00, slip=f"L{number}")
    page = statement(pages, market)
    assert "Page 1 of 2" in words_of(page)
    assert "Showing 50 of 51" in words_of(page)
    press(page, "Later")
    assert "slip L50" in words_of(page)
    assert "slip L49" not in words_of(page)
    page.segmented_control("statement_period").set_value("This month").run()
    assert "Page 1 of 2" in words_of(page)


@pytest.mark.feature("B13", "A3.1")
def test_a_lines_own_receipt(pages: Pages, market: Market) -> None:
    pay_in(market, "asha", 1_000_00)
    receipt = send(market, new_request_id(), **asked(market))
    page = statement(pages, market)
    page.session_state["statement_lines_chosen"] = "2"
    page.run()
    paper = pypdf.PdfReader(io.BytesIO(pages.papers()[-1])).pages[0].extract_text()
    assert receipt.reference in paper
    page.session_state["statement_lines_chosen"] = "1"
    page.run()
    assert "no receipt of its own" in words_of(page)


@pytest.mark.feature("B8", "A1.13")
def test_these_pages_are_the_customers_alone(pages: Pages, market: Market) -> None:
    for file in ("customer/home.py", "customer/send_money.py", "customer/statement.py"):
        for who in ("ravi", "auditor"):
            page = pages.open(market.desks[who], file)
            assert [title.value for title in page.title] == ["Not available"]
            assert len(page.error) == 1
