"""My drawer as a cashier sees it, and the vault as its custodian does: one day at both windows."""

import io
from dataclasses import replace

import pypdf
import pytest
from streamlit.testing.v1 import AppTest

from bank.core.ids import new_request_id
from bank.counters import branch_close, counts, drawers, handovers, vault
from bank.people import codes
from bank.people.identity import User
from tests.support import people
from tests.support.apptest import Pages, words_of
from tests.support.market import Market, pay_in

DRAWER = "cashier/drawer.py"
VAULT = "admin/vault.py"
COUNTER = "cashier/counter.py"


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


def choose(page: AppTest, action: str) -> AppTest:
    """One of the things to do with an open drawer."""
    page.segmented_control("drawer_action").set_value(action).run()
    assert not page.exception
    return page


def count_in(page: AppTest, key: str, **pieces: int) -> AppTest:
    """Type notes and coins into a grid."""
    for code, count in pieces.items():
        page.number_input(f"{key}_{code.replace('_', '-')}").set_value(count)
    page.run()
    assert not page.exception
    return page


def errors(page: AppTest) -> list[str]:
    """What was refused, as a person reads it."""
    return [error.value.replace("\\", "") for error in page.error]


def plain(page: AppTest) -> str:
    """What the page says, without the backslashes of its Markdown."""
    return words_of(page).replace("\\", "")


def close(market: Market) -> None:
    """Ravi's empty drawer is closed."""
    counts.start_count(market.cashier, market.drawers["ravi"])
    counts.enter_count(market.cashier, market.drawers["ravi"], {})
    vault.close_drawer(market.desks["admin"], market.drawers["ravi"])


@pytest.mark.feature("B6", "A14.1", "A14.3")
def test_a_drawer_is_asked_for_and_handed_over(pages: Pages, market: Market) -> None:
    close(market)
    market.remit(note_500=10)
    page = pages.open(market.cashier, DRAWER)
    assert "Ask for a drawer" in words_of(page)
    count_in(page, "drawer_ask", note_500=3, coin_10=2)
    assert "Total ₹ 1,520.00" in words_of(page)
    count_in(page, "drawer_ask", coin_10=0)
    press(page, "Ask for this drawer")
    said = words_of(page)
    assert "The custodian has been asked" in said
    assert "3 x ₹ 500 note" in said
    custodian = pages.open(market.desks["admin"], VAULT)
    said = words_of(custodian)
    assert "Vault ₹ 5,000.00" in said
    assert "**Ravi Kumar** asks for a drawer with **₹ 1,500.00**" in said
    press(custodian, "Hand it over")
    assert "Drawers ₹ 1,500.00" in words_of(custodian)
    page = pages.open(market.cashier, DRAWER)
    assert "Cash in drawer ₹ 1,500.00" in words_of(page)
    assert "₹ 1,500.00 of ₹ 5,00,000.00 allowed" in page.get("progress")[0].proto.text.replace(
        "\\", ""
    )


def test_a_declined_request_says_why(pages: Pages, market: Market) -> None:
    close(market)
    drawers.ask_for_drawer(market.cashier, {}, request_id=new_request_id())
    custodian = pages.open(market.desks["admin"], VAULT)
    press(custodian, "Decline")
    assert errors(custodian) == ["**Reason:** This may not be empty."]
    [asked] = [box for box in custodian.text_input if box.label == "Reason, if you decline"]
    asked.set_value("Two counters are enough")
    press(custodian, "Decline")
    page = pages.open(market.cashier, DRAWER)
    assert "declined: Two counters are enough" in words_of(page).replace("\\", "")


def test_a_request_is_withdrawn(pages: Pages, market: Market) -> None:
    close(market)
    drawers.ask_for_drawer(market.cashier, {}, request_id=new_request_id())
    page = pages.open(market.cashier, DRAWER)
    press(page, "Withdraw the request")
    assert "Ask for a drawer" in words_of(page)


@pytest.mark.feature("B6")
def test_cash_is_asked_for_and_returned(pages: Pages, market: Market) -> None:
    market.remit(note_500=10)
    page = choose(pages.open(market.cashier, DRAWER), "Request cash")
    press(page, "Request cash")
    assert errors(page) == ["**Notes and coins:** Count at least one note or coin."]
    count_in(page, "drawer_more", note_500=4)
    press(page, "Request cash")
    custodian = pages.open(market.desks["admin"], VAULT)
    press(custodian, "Confirm")
    page = choose(pages.open(market.cashier, DRAWER), "Return cash")
    assert "Cash in drawer ₹ 2,000.00" in words_of(page)
    count_in(page, "drawer_less", note_500=5)
    press(page, "Return cash")
    assert errors(page) == ["The drawer holds ₹ 2,000.00. Return less."]
    assert page.number_input("drawer_less_note-500").value == 5, "what was typed stays"
    count_in(page, "drawer_less", note_500=1)
    press(page, "Return cash")
    assert "Back to the vault" in words_of(page)
    press(page, "Withdraw the request for ₹ 500.00")
    assert "Withdrawn" in words_of(page)


@pytest.mark.feature("B6")
def test_the_count_is_blind_and_the_difference_is_accepted(pages: Pages, market: Market) -> None:
    market.fund(note_500=4)
    page = choose(pages.open(market.cashier, DRAWER), "Count and close")
    press(page, "Stop and count")
    assert "2,000" not in words_of(page), "nothing says what should be there"
    press(page, "Not yet, go on working")
    choose(page, "Count and close")
    press(page, "Stop and count")
    count_in(page, "drawer_found", note_500=3)
    assert "2,000" not in words_of(page)
    press(page, "Enter this count")
    said = words_of(page)
    assert "Counted ₹ 1,500.00" in said
    assert "Should be there ₹ 2,000.00" in said
    assert "Short ₹ 500.00" in said
    [paper] = pages.papers()[-1:]
    assert "Short INR 500.00" in pypdf.PdfReader(io.BytesIO(paper)).pages[0].extract_text()
    custodian = pages.open(market.desks["admin"], VAULT)
    press(custodian, "Accept the difference")
    assert errors(custodian) == ["**Reason:** This may not be empty."]
    [reason] = [box for box in custodian.text_input if box.label == "Reason"]
    reason.set_value("Not found after two counts")
    press(custodian, "Accept the difference")
    assert "another custodian takes the cash back" in words_of(custodian)
    assert "Take the cash and close" not in [button.label for button in custodian.button]
    other = replace(market.desks["admin"], user_id=market.desks["banker"].user_id)
    custodian = pages.open(other, VAULT)
    press(custodian, "Take the cash and close")
    said = words_of(custodian)
    assert "Vault ₹ 1,500.00" in said
    assert "Not found after two counts" in said
    assert "Nothing waits" in said


@pytest.mark.feature("B6")
def test_a_supervisor_accepts_at_the_cashiers_window(pages: Pages, market: Market) -> None:
    market.fund(note_500=4)
    counts.start_count(market.cashier, market.drawers["ravi"])
    counts.enter_count(market.cashier, market.drawers["ravi"], {"note-500": 3})
    key = codes.new_totp_key()
    with market.tx() as tx:
        admin = tx.session.get_one(User, market.desks["admin"].user_id)
        admin.totp_secret = tx.bank.keyring.encrypt("totp", key.reveal())
    page = pages.open(market.cashier, DRAWER)
    page.text_input("drawer_settle_reason").set_value("Not found")
    page.text_input("drawer_settle_who").set_value("admin.staff")
    page.text_input("drawer_settle_code_secret").set_value("12")
    press(page, "Book the difference")
    assert "may not supervise you" in errors(page)[0]
    code = people.device_code(market.bank, key).reveal()
    page.text_input("drawer_settle_code_secret").set_value(code)
    press(page, "Book the difference")
    assert "The difference is booked: Not found" in words_of(page).replace("\\", "")


@pytest.mark.feature("B6")
def test_a_surprise_count_from_the_vault(pages: Pages, market: Market) -> None:
    market.fund(note_500=4)
    drawer_id = market.drawers["ravi"]
    page = pages.open(market.desks["admin"], VAULT)
    page.session_state["vault_drawers_chosen"] = str(drawer_id)
    page.run()
    assert "Surprise count: Ravi Kumar" in words_of(page).replace("\\", "")
    count_in(page, f"vault_surprise_{drawer_id}", note_500=5)
    press(page, "Record this count")
    assert "on record. Over ₹ 500.00" in words_of(page).replace("\\", "")


@pytest.mark.feature("B6")
def test_an_exchange_and_an_impounded_note(pages: Pages, market: Market) -> None:
    page = choose(pages.open(market.cashier, DRAWER), "Exchange")
    count_in(page, "drawer_swap_in", note_500=1)
    press(page, "Exchange")
    assert errors(page)[0].startswith("**Goes out:** ₹ 500.00 came in and ₹ 0.00 would go out.")
    count_in(page, "drawer_swap_out", note_100=5)
    press(page, "Exchange")
    assert "The exchange is on record" in words_of(page)
    choose(page, "Impound a note")
    assert "No note was impounded here today" in words_of(page).replace("\\", "")
    page.text_input("drawer_false_by").set_value("Kiran Rao")
    press(page, "Impound the note")
    assert errors(page)[0].startswith("**Number of the note:**")
    assert page.text_input("drawer_false_by").value == "Kiran Rao"
    page.text_input("drawer_false_serial").set_value("4AB123456")
    press(page, "Impound the note")
    assert "4AB123456" in words_of(page)
    [row] = market.rows("SELECT id FROM impounded_notes")
    page.session_state["drawer_register_chosen"] = str(row["id"])
    page.run()
    text = pypdf.PdfReader(io.BytesIO(pages.papers()[-1])).pages[0].extract_text()
    assert "4AB123456" in text
    custodian = pages.open(market.desks["admin"], VAULT)
    assert "4AB123456" in words_of(custodian)


@pytest.mark.feature("B6")
def test_the_counter_says_what_to_do_without_a_drawer(pages: Pages, market: Market) -> None:
    close(market)
    page = pages.open(market.cashier, COUNTER)
    assert "You have no open drawer today" in words_of(page).replace("\\", "")
    cash = [box.key for box in page.text_input if str(box.key).startswith("counter_")]
    assert cash == [], "a transfer needs no drawer, cash does"
    home = pages.home(market.cashier)
    assert "none" in words_of(home).lower()
    market.open_drawer()
    home = pages.home(market.cashier)
    assert "Open" in words_of(home)


@pytest.mark.feature("B6")
def test_the_counter_asks_for_pan_or_form_60(pages: Pages, market: Market) -> None:
    page = pages.open(market.cashier, COUNTER)
    for name, value in {"account": market.number("nila"), "amount": "60k", "slip": "7"}.items():
        page.text_input(f"counter_{name}").set_value(value)
    page.run()
    press(page, "Preview")
    assert "The holder pays in ₹ 60,000.00 in cash today" in words_of(page).replace("\\", "")
    press(page, "Take ₹ 60,000.00")
    assert errors(page)[0].startswith("**PAN:** With this slip the holder pays in")
    page.text_input("counter_pan").set_value("ABCPD1234")
    press(page, "Take ₹ 60,000.00")
    assert errors(page)[0].startswith("**PAN:** A PAN has five letters")
    page.text_input("counter_pan").set_value("")
    page.checkbox("counter_form_60").set_value(True)
    press(page, "Take ₹ 60,000.00")
    assert market.balance("nila") == 60_000_00


@pytest.mark.feature("B6")
def test_keyed_notes_must_be_the_amount(pages: Pages, market: Market) -> None:
    page = pages.open(market.cashier, COUNTER)
    for name, value in {"account": market.number("asha"), "amount": "2k", "slip": "7"}.items():
        page.text_input(f"counter_{name}").set_value(value)
    page.run()
    press(page, "Preview")
    count_in(page, "counter_tally", note_500=3)
    assert "₹ 500.00 missing" in words_of(page).replace("\\", "")
    press(page, "Take ₹ 2,000.00")
    assert errors(page)[0].startswith("**Notes and coins:** The notes and coins add up to")
    count_in(page, "counter_tally", note_500=4)
    press(page, "Take ₹ 2,000.00")
    assert market.balance("asha") == 2_000_00
    assert len(market.rows("SELECT * FROM tally_lines")) == 1


@pytest.mark.feature("B6")
def test_a_large_withdrawal_waits_for_a_supervisor(pages: Pages, market: Market) -> None:
    pay_in(market, "asha", 5_00_000_00)
    market.fund(note_500=600)
    key = codes.new_totp_key()
    with market.tx() as tx:
        admin = tx.session.get_one(User, market.desks["admin"].user_id)
        admin.totp_secret = tx.bank.keyring.encrypt("totp", key.reveal())
    page = pages.open(market.cashier, COUNTER)
    page.segmented_control("counter_kind").set_value("cash_withdrawal")
    for name, value in {"account": market.number("asha"), "amount": "2.5L", "slip": "7"}.items():
        page.text_input(f"counter_{name}").set_value(value)
    page.run()
    press(page, "Preview")
    assert "A supervisor has to see this: Pay ₹ 2,50,000.00" in words_of(page).replace("\\", "")
    press(page, "Pay out ₹ 2,50,000.00")
    assert "may not supervise you" in errors(page)[0]
    page.text_input("counter_supervisor").set_value("admin.staff")
    page.text_input("counter_code_secret").set_value(people.device_code(market.bank, key).reveal())
    press(page, "Pay out ₹ 2,50,000.00")
    assert market.balance("asha") == 2_50_000_00


@pytest.mark.feature("A14.3")
@pytest.mark.parametrize("who", ["asha", "banker", "admin", "auditor"])
def test_my_drawer_is_for_cashiers(pages: Pages, market: Market, who: str) -> None:
    page = pages.open(market.desks[who], DRAWER)
    assert [title.value for title in page.title] == ["Not available"]


@pytest.mark.feature("A14.3", "B8")
def test_who_sees_the_vault(pages: Pages, market: Market) -> None:
    market.fund(note_500=4)
    handovers.offer_cash(
        market.cashier, market.drawers["ravi"], {"note-500": 1}, request_id=new_request_id()
    )
    for who in ("asha", "banker", "ravi"):
        page = pages.open(market.desks[who], VAULT)
        assert [title.value for title in page.title] == ["Not available"]
    page = pages.open(market.desks["auditor"], VAULT)
    assert not page.exception
    page.selectbox("vault_branch").set_value(market.branch_ids["BANK0000001"]).run()
    assert "Drawers ₹ 2,000.00" in words_of(page)
    assert not [button for button in page.button if button.label in {"Confirm", "Decline"}]
    other = pages.open(market.desks["admin_baner"], VAULT)
    assert "Drawers ₹ 0.00" in words_of(other)
    assert "Nothing waits" in words_of(other)


# The branch's day.


def test_the_admin_closes_the_day_once_no_drawer_is_left(pages: Pages, market: Market) -> None:
    page = pages.open(market.desks["admin"], VAULT)
    assert "Ravi Kumar has an open drawer: let it be counted" in plain(page)
    [button] = [each for each in page.button if each.label == "Close the day"]
    assert button.disabled
    close(market)
    page.run()
    assert "No drawer is left, the vault is counted" in plain(page)
    press(page, "Close the day")
    assert "The day is closed: Arun Nair" in plain(page)
    cashier = pages.open(market.cashier, DRAWER)
    count_in(cashier, "drawer_ask", note_500=1)
    press(cashier, "Ask for this drawer")
    assert "has closed its day" in errors(cashier)[0]
    page = pages.open(market.desks["admin"], VAULT)
    press(page, "Open the day again")
    assert errors(page)[0].startswith("**Reason:**")
    page.text_input("vault_reopen_reason").set_value("A customer came late")
    press(page, "Open the day again")
    assert "The day was opened again: Arun Nair" in plain(page)
    assert "A customer came late" in plain(page)
    assert "Opened again" in plain(page)


def test_a_click_on_an_old_page_does_nothing_and_says_why(pages: Pages, market: Market) -> None:
    close(market)
    admin = market.desks["admin"]
    page = pages.open(admin, VAULT)
    day = branch_close.branch_day(admin).business_date
    closed = branch_close.close_day(admin, day, None)
    branch_close.reopen_day(admin, day, closed.last_id, "A customer came late")
    press(page, "Close the day")
    assert "closed or opened again meanwhile" in page.warning[0].value
    assert not branch_close.branch_day(admin).is_closed
    press(page, "Close the day")
    assert not page.warning
    assert branch_close.branch_day(admin).is_closed


def test_who_does_not_close_the_day_only_reads_it(pages: Pages, market: Market) -> None:
    close(market)
    page = pages.open(market.custodian, VAULT)
    assert not [each for each in page.button if each.label == "Close the day"]
    assert "No day was closed yet" in plain(page)
