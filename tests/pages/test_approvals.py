"""Approvals as people see them: the checker's queue, the maker's own list, the slip that waits."""

import pytest
from streamlit.testing.v1 import AppTest

from bank.core.ids import new_request_id
from bank.office import approval_cards, approvals, saved_views
from bank.people import sessions
from tests.bank.test_approvals_together import deposits
from tests.support import queues
from tests.support.apptest import Pages, words_of
from tests.support.checkers import LAKH, Checking
from tests.support.market import pay_in

pytestmark = pytest.mark.feature("B4", "C11")
QUEUE = "staff/approvals.py"
COUNTER = "cashier/counter.py"


@pytest.fixture
def at(sqlite_checking: Checking) -> Checking:
    """Pages draw the same on either database."""
    return sqlite_checking


def press(page: AppTest, label: str) -> AppTest:
    """Click the one button with this label."""
    [button] = [each for each in page.button if each.label == label]
    button.click().run()
    assert not page.exception
    return page


def agree(page: AppTest) -> AppTest:
    """Approve what is open: one key asks, another one answers."""
    press(page, "Approve cash withdrawal")
    return press(page, "Yes, approve")


def opened(pages: Pages, at: Checking, who: str, number: int = 1, view: str = "list") -> AppTest:
    """The page of approvals with one of them chosen; here its item has the same number."""
    page = pages.open(at.desks[who], QUEUE)
    views = {"mine": "Created by me", "history": "History"}
    if view in views:
        page.segmented_control("approvals_show").set_value(views[view])
        page.run()
    page.session_state[f"approvals_{view}_chosen"] = str(number)
    page.run()
    assert not page.exception
    return page


def decide(page: AppTest, what: str, **typed: str) -> AppTest:
    """Choose a decision about approval 1 and type what belongs to it."""
    page.segmented_control("approvals_what_1").set_value(what).run()
    for name, value in typed.items():
        page.text_input(f"approvals_{name}_1").set_value(value)
    page.run()
    assert not page.exception
    return page


def slip_of(pages: Pages, at: Checking, amount: str = "6L") -> AppTest:
    """A withdrawal typed at the counter and confirmed."""
    page = pages.open(at.desks["ravi"], COUNTER)
    page.segmented_control("counter_kind").set_value("cash_withdrawal")
    page.text_input("counter_account").set_value(at.market.number("asha"))
    page.text_input("counter_amount").set_value(amount)
    page.text_input("counter_slip").set_value("W7")
    page.run()
    press(page, "Preview")
    [button] = [each for each in page.button if each.label.startswith("Ask for approval of")]
    return press(page, button.label)


def test_the_checker_sees_everything_and_approves(pages: Pages, at: Checking) -> None:
    at.ask("withdraw")
    approvals.add_note(at.desks["ravi"], 1, "For the wedding.")
    page = opened(pages, at, "vera")
    said = words_of(page)
    for words in (
        "Cash withdrawal, approval 1",
        "Rupees six lakh only",
        "Ravi Kumar",
        "Lines it would book",
        "1000 Cash in hand",
        "₹ 6,00,000.00 Dr",
        "₹ 4,00,000.00 Cr",
        "For the wedding.",
        "Unassigned 1",
        "was opened on 16 Mar 2026",
    ):
        assert words in said, words
    agree(page)
    assert "Approval 1 is approved and done" in words_of(page)
    assert "Nothing waits for your decision" in words_of(page)
    assert at.market.balance("asha") == 4 * LAKH


def test_what_is_wrong_is_said_beside_its_field_and_stays(pages: Pages, at: Checking) -> None:
    at.ask("withdraw")
    page = opened(pages, at, "vera")
    decide(page, "Reject")
    press(page, "Reject cash withdrawal")
    assert page.error[0].value.startswith("**Reason:**")
    decide(page, "Return with a question")
    press(page, "Return to its maker")
    assert page.error[0].value.startswith("**Question:**")
    decide(page, "Reject", reason="No passbook")
    press(page, "Reject cash withdrawal")
    assert "Approval 1 is rejected" in words_of(page)
    assert at.status() == "rejected"


def test_a_large_amount_is_typed_again_on_the_page(pages: Pages, at: Checking) -> None:
    pay_in(at.market, "asha", 10 * LAKH)
    at.ask("withdraw", amount_minor=12 * LAKH)
    page = opened(pages, at, "nalini")
    agree(page)
    assert page.error[0].value.startswith("**Amount again:**")
    for typed in ("plenty", "1.2L"):
        decide(page, "Approve", again=typed, note="seen")
        agree(page)
        assert page.error[0].value.startswith("**Amount again:**")
        assert page.text_input("approvals_again_1").value == typed
        assert page.text_input("approvals_note_1").value == "seen"
    decide(page, "Approve", again="12L")
    agree(page)
    assert at.market.balance("asha") == 8 * LAKH


def test_a_change_of_the_world_is_told_with_its_reason(pages: Pages, at: Checking) -> None:
    at.ask("withdraw")
    page = opened(pages, at, "vera")
    at.market.close_account("asha")
    agree(page)
    assert "This has failed" in page.error[0].value
    assert "closed" in page.error[0].value
    assert at.status() == "failed"
    page = opened(pages, at, "vera", view="history")
    assert "Failed by Vera Lobo" in words_of(page)


def test_a_second_click_after_a_colleague_says_who_was_first(pages: Pages, at: Checking) -> None:
    at.ask("withdraw")
    page = press(opened(pages, at, "vera"), "Approve cash withdrawal")
    at.approve("nalini")
    press(page, "Yes, approve")
    assert "Approval 1: Executed by Nalini Bhave" in words_of(page).replace("\\", "")
    assert at.market.balance("asha") == 4 * LAKH
    assert not [each for each in page.button if each.label.startswith(("Approve cash", "Yes"))]


def test_a_form_never_decides_about_another_row(pages: Pages, at: Checking) -> None:
    """The list shrinks under the cursor: what was chosen is gone, nothing slips into its place."""
    at.ask("withdraw")
    at.ask("deposit", request_id=new_request_id())
    page = opened(pages, at, "vera")
    at.approve("nalini")
    page.run()
    assert "Approval 1: Executed by Nalini Bhave" in words_of(page).replace("\\", "")
    assert not [each for each in page.button if each.label.startswith(("Approve", "Yes"))]
    assert at.status(2) == "pending"


def test_the_maker_answers_and_withdraws(pages: Pages, at: Checking) -> None:
    at.ask("withdraw")
    page = opened(pages, at, "ravi", view="mine")
    assert "Waits for approval by Arun Nair, Nalini Bhave or Vera Lobo" in words_of(page)
    approvals.send_back(at.desks["vera"], 1, "Is she here?")
    page.run()
    assert "Came back with a question: Is she here?" in words_of(page).replace("\\", "")
    press(page, "Send answer")
    assert page.error[0].value.startswith("**Answer:**")
    [answer] = [box for box in page.text_input if box.label == "Answer"]
    answer.set_value("Yes, she is.")
    press(page, "Send answer")
    assert at.status() == "pending"
    press(page, "Withdraw")
    assert at.status() == "withdrawn"


def test_the_maker_reads_who_is_there(pages: Pages, at: Checking) -> None:
    at.ask("withdraw")
    sessions.sign_out(at.desks["admin"])
    said = words_of(opened(pages, at, "ravi", view="mine")).replace("\\", "")
    assert "Signed in now: Nalini Bhave and Vera Lobo." in said
    sessions.sign_out(at.desks["vera"])
    sessions.sign_out(at.desks["nalini"])
    said = words_of(opened(pages, at, "ravi", view="mine")).replace("\\", "")
    assert "None of them is signed in now." in said


def test_whoever_only_looks_has_no_queue(pages: Pages, at: Checking) -> None:
    at.ask("withdraw")
    page = pages.open(at.desks["auditor"], QUEUE)
    assert page.segmented_control("approvals_show").options == ["Created by me", "History"]
    at.approve("vera")
    page = opened(pages, at, "auditor", view="history")
    assert "Lines that were booked" in words_of(page)
    assert not [each for each in page.button if each.label.startswith(("Approve", "Withdraw"))]


@pytest.mark.parametrize("who", ["asha", "vikram"])
def test_customers_have_no_such_page(pages: Pages, at: Checking, who: str) -> None:
    page = pages.open(at.desks[who], QUEUE)
    assert [title.value for title in page.title] == ["Not available"]


@pytest.mark.parametrize("who", ["holder", "girish", "imran"])
def test_whom_it_is_not_for_sees_nothing_of_it(pages: Pages, at: Checking, who: str) -> None:
    at.ask("withdraw")
    said = words_of(pages.open(at.desks[who], QUEUE))
    assert "Asha Rao" not in said
    assert "6,00,000" not in said


# At the counter.


@pytest.mark.feature("A3.4", "B2")
def test_a_large_slip_waits_and_becomes_the_receipt(pages: Pages, at: Checking) -> None:
    page = slip_of(pages, at)
    said = words_of(page)
    assert "Waits for approval by Arun Nair, Nalini Bhave or Vera Lobo" in said
    assert at.market.balance("asha") == 10 * LAKH
    [row] = approval_cards.own_approvals(at.desks["ravi"])
    [note] = [box for box in page.text_input if box.label == "Note for the checker"]
    note.set_value("She is here.")
    press(page, "Add note")
    at.approve("vera", row.id)
    page.run()
    assert not page.exception
    assert "Withdrawal of ₹ 6,00,000.00 booked" in words_of(page).replace("\\", "")
    assert at.market.balance("asha") == 4 * LAKH
    press(page, "Next customer")
    assert page.text_input("counter_account").value == ""
    assert "Cash out ₹ 6,00,000.00" in words_of(page)


def test_a_refused_slip_says_why_and_can_be_changed(pages: Pages, at: Checking) -> None:
    page = slip_of(pages, at)
    first = page.session_state["counter_request_id"]
    approvals.reject(at.desks["vera"], 1, "No passbook")
    page.run()
    assert "Rejected by Vera Lobo: No passbook" in words_of(page).replace("\\", "")
    press(page, "Change the slip")
    assert page.text_input("counter_slip").value == "W7"
    page.text_input("counter_amount").set_value("2L").run()
    press(page, "Preview")
    assert page.session_state["counter_request_id"] != first
    press(page, "Pay out ₹ 2,00,000.00")
    assert at.market.balance("asha") == 8 * LAKH


def test_the_next_customer_is_served_while_it_waits(pages: Pages, at: Checking) -> None:
    page = slip_of(pages, at)
    press(page, "Next customer")
    assert page.text_input("counter_account").value == ""
    assert "Waiting for approval, or refused" in words_of(page)
    page.session_state["counter_waiting_chosen"] = "1"
    page.run()
    assert "Waits for approval by" in words_of(page)
    at.approve("nalini")
    page.run()
    said = words_of(page)
    assert "Waiting for approval, or refused" not in said
    assert "Cash out ₹ 6,00,000.00" in said


def test_a_slip_that_cannot_be_paid_does_not_wait(pages: Pages, at: Checking) -> None:
    pay_in(at.market, "asha", -9 * LAKH)
    page = pages.open(at.desks["ravi"], COUNTER)
    page.segmented_control("counter_kind").set_value("cash_withdrawal")
    page.text_input("counter_account").set_value(at.market.number("asha"))
    page.text_input("counter_amount").set_value("6L")
    page.text_input("counter_slip").set_value("W7")
    page.run()
    press(page, "Preview")
    assert "Only ₹ 1,00,000.00" in page.error[0].value.replace("\\", "")
    assert at.market.rows("SELECT * FROM approvals") == []


# On the record.


@pytest.mark.feature("B3")
def test_an_entry_says_that_its_reversal_waits(pages: Pages, at: Checking) -> None:
    receipt = at.market.deposit("asha", 2 * LAKH, slip="R1")
    page = pages.open(at.desks["admin"], "auditor/journal.py")
    page.session_state["journal_search"] = True
    page.run()
    page.text_input("journal_entry").set_value(receipt.reference)
    page.run()
    [reason] = [box for box in page.text_input if box.label == "Reason"]
    reason.set_value("Wrong account")
    press(page, "Preview the reversal")
    press(page, "Reverse entry")
    said = words_of(page).replace("\\", "")
    assert "is not booked yet. Waits for approval by Nalini Bhave or Vera Lobo" in said
    assert "Reversal of an entry ₹ 2,00,000.00, asked for by Arun Nair" in said
    assert not [each for each in page.button if each.label == "Preview the reversal"]
    at.approve("vera")
    page.run()
    assert "has reversed this one" in words_of(page)


WAITS = (
    "Cash withdrawal ₹ 6,00,000.00, asked for by Ravi Kumar just now, approval 1: "
    "Waits for approval by Arun Nair, Nalini Bhave or Vera Lobo (branch admin or transaction "
    "reviewer). Signed in now: Arun Nair, Nalini Bhave and Vera Lobo."
)


@pytest.mark.parametrize("who", ["admin", "banker", "gita", "executive", "auditor"])
def test_an_account_says_that_something_waits(pages: Pages, at: Checking, who: str) -> None:
    at.ask("withdraw")
    page = pages.open(at.desks[who], "staff/find_account.py")
    page.text_input("find_account_number").set_value(at.market.number("asha"))
    [find] = [each for each in page.button if each.label == "Find account"]
    find.click().run()
    assert WAITS in words_of(page).replace("\\", "")
    assert not [each for each in page.button if each.label.startswith(("Approve", "Withdraw"))]


def test_another_counter_says_that_something_waits(pages: Pages, at: Checking) -> None:
    """Whom the second cashier serves has six lakh waiting at the first one's window."""
    at.ask("withdraw")
    approvals.send_back(at.desks["vera"], 1, "Is she here?")
    page = pages.open(at.desks["meera"], COUNTER)
    page.text_input("counter_account").set_value(at.market.number("asha")).run()
    assert not page.exception
    said = words_of(page).replace("\\", "")
    assert WAITS.split(":")[0] in said
    assert "Waits for an answer by Ravi Kumar." in said
    assert "Is she here" not in said, "that is between the maker and the checker"
    approvals.withdraw(at.desks["ravi"], 1)
    page.run()
    assert "asked for by" not in words_of(page)


def test_a_customer_says_what_waits_on_their_accounts(pages: Pages, at: Checking) -> None:
    at.ask("withdraw")
    [asha] = at.market.rows("SELECT number FROM customers WHERE name = 'Asha Rao'")
    page = pages.open(at.desks["banker"], "banker/open_account.py")
    [number] = [box for box in page.text_input if box.label == "Customer number"]
    number.set_value(asha["number"])
    press(page, "Find customer")
    assert WAITS in words_of(page).replace("\\", "")


def test_an_employee_says_what_waits_about_them(pages: Pages, at: Checking) -> None:
    at.ask("edit")
    for who, file, key in (
        ("auditor", "admin/employees.py", "employees_chosen"),
        ("vera", "admin/users.py", "users_chosen"),
    ):
        page = pages.home(at.desks[who])
        page.switch_page(f"pages/{file}").run()
        page.session_state[key] = str(at.id("imran"))
        page.run()
        assert not page.exception
        said = words_of(page)
        assert "Change of name or mail address, asked for by Arun Nair just now" in said, who


def test_a_question_finds_its_maker(pages: Pages, at: Checking) -> None:
    at.ask("withdraw")
    asked = "A checker has a question about 1 approval of yours"
    assert asked not in words_of(pages.open(at.desks["ravi"], QUEUE))
    approvals.send_back(at.desks["vera"], 1, "Is she here?")
    assert asked in words_of(pages.open(at.desks["ravi"], QUEUE))
    assert asked not in words_of(pages.open(at.desks["vera"], QUEUE))


def test_the_trail_shows_what_waits(pages: Pages, at: Checking) -> None:
    at.ask("withdraw")
    page = pages.open(at.desks["auditor"], "auditor/trail.py")
    [row] = at.market.rows("SELECT id FROM trail WHERE outcome = 'waiting'")
    page.session_state["trail_chosen"] = str(row["id"])
    page.run()
    assert not page.exception
    assert "Waiting" in words_of(page)


@pytest.mark.feature("A8.6")
def test_what_was_asked_is_said_in_words(pages: Pages, at: Checking) -> None:
    at.ask("limit an employee")
    at.ask("change a role")
    said = words_of(opened(pages, at, "vera", 1))
    assert "pays out alone" in said
    assert "pay_out" not in said
    assert "Transaction reviewer" in words_of(opened(pages, at, "vera", 2))


# Several at once.


@pytest.mark.feature("B26")
def test_several_are_approved_together_and_each_is_told(pages: Pages, at: Checking) -> None:
    small, large, third = deposits(at, 11 * LAKH, 26 * LAKH, 12 * LAKH)
    page = pages.open(at.desks["vera"], QUEUE)
    assert page.selectbox("together_kind").options == ["Cash deposit (3)"]
    page.multiselect("together_counters.cash.deposit").set_value([small, large]).run()
    said = words_of(page)
    assert "the amount is above ₹ 25,00,000.00" in said
    assert "₹ 11,00,000.00" in said.split("Together")[1]
    page.text_input("together_note").set_value("Seen the slips").run()
    before = at.market.balance("asha")
    press(page, "Approve 1 together")
    said = words_of(page)
    assert "1 of 2 approvals approved and done" in said
    assert "Approved and done" in said
    assert "Open it and decide it by itself" in said
    assert at.market.balance("asha") == before + 11 * LAKH
    assert at.card("vera", small).row.reason == "Seen the slips"
    assert [at.status(number) for number in (small, large, third)] == [
        "executed", "pending", "pending",
    ]  # fmt: skip
    page.run()
    assert "Approved and done" in words_of(page), "until it has been read"
    press(page, "Hide this list")
    assert "Approved and done" not in words_of(page)


@pytest.mark.feature("B26")
def test_what_became_of_the_last_ones_is_told_where_nothing_is_left(
    pages: Pages, at: Checking
) -> None:
    ids = deposits(at, 11 * LAKH, 12 * LAKH)
    page = pages.open(at.desks["vera"], QUEUE)
    page.multiselect("together_counters.cash.deposit").set_value(ids).run()
    press(page, "Approve 2 together")
    said = words_of(page)
    assert "Nothing waits for your decision" in said
    assert "Approved together" in said
    assert "Approved and done" in said


@pytest.mark.feature("B26")
def test_one_alone_and_what_moves_no_money_offer_nothing_together(
    pages: Pages, at: Checking
) -> None:
    deposits(at, 11 * LAKH)
    at.ask("hire")
    page = pages.open(at.desks["vera"], QUEUE)
    assert [each.key for each in page.selectbox if str(each.key).startswith("together")] == []


# The queue that a declaration draws.


def listed(page: AppTest) -> list[str]:
    """The approvals in the list, from top to bottom."""
    return list(page.dataframe[0].value["Item"]) if page.dataframe else []


def many(at: Checking) -> None:
    """Four that wait: two withdrawals, a deposit at another hour, a change of staff."""
    at.ask("withdraw")
    at.ask("withdraw", request_id=new_request_id(), amount_minor=9 * LAKH)
    queues.later(at.market, hours=2)
    at.ask("deposit", request_id=new_request_id(), amount_minor=12 * LAKH)
    at.ask("edit")


@pytest.mark.feature("B12")
@pytest.mark.parametrize(
    ("field", "value", "fits"),
    [
        ("approvals_maker", "ravi", ["Approval 1", "Approval 2", "Approval 3"]),
        ("approvals_command", "counters.cash.withdraw", ["Approval 1", "Approval 2"]),
        ("approvals_age", 60, ["Approval 1", "Approval 2"]),
    ],
)
def test_the_list_is_narrowed_by_what_approvals_know(
    pages: Pages, at: Checking, field: str, value: object, fits: list[str]
) -> None:
    many(at)
    page = pages.open(at.desks["vera"], QUEUE)
    assert len(listed(page)) == 4
    page.session_state["approvals_search"] = True
    page.run()
    page.selectbox(field).set_value(at.id("ravi") if value == "ravi" else value).run()
    assert not page.exception
    assert listed(page) == fits


@pytest.mark.feature("B12")
def test_the_list_is_narrowed_by_amount_and_says_what_is_none(pages: Pages, at: Checking) -> None:
    many(at)
    page = pages.open(at.desks["vera"], QUEUE)
    page.session_state["approvals_search"] = True
    page.run()
    page.text_input("approvals_from").set_value("9L").run()
    assert listed(page) == ["Approval 2", "Approval 3"]
    page.text_input("approvals_from").set_value("plenty").run()
    assert page.error[0].value.startswith("**Amount from:**")
    assert page.text_input("approvals_from").value == "plenty"
    assert len(listed(page)) == 4
    page.text_input("approvals_words").set_value("Ravi").run()
    assert len(listed(page)) == 3, "by words as every queue"


@pytest.mark.feature("B12", "C9")
def test_what_is_looked_for_is_kept_as_a_view(pages: Pages, at: Checking) -> None:
    many(at)
    vera = at.desks["vera"]
    kept = saved_views.keep_view(
        vera, "approvals", "Large of Ravi", f"maker={at.id('ravi')}&from=9L&age=60"
    )
    page = pages.open(vera, QUEUE)
    page.button(f"approvals_open_{kept.id}").click().run()
    assert not page.exception
    assert listed(page) == ["Approval 2"]
    assert page.text_input("approvals_from").value == "9L"
    at.approve("nalini", 2, amount_again_minor=9 * LAKH)
    page = pages.open(vera, QUEUE)
    page.button(f"approvals_open_{kept.id}").click().run()
    assert not page.exception
    assert "No item fits" in words_of(page), "nobody of that name has anything so large there"


@pytest.mark.feature("B12")
def test_a_long_list_is_turned_page_by_page(pages: Pages, at: Checking) -> None:
    for _ in range(53):
        at.ask("withdraw", request_id=new_request_id(), amount_minor=6 * LAKH)
    page = pages.open(at.desks["vera"], QUEUE)
    assert "Unassigned 53" in words_of(page)
    assert (len(listed(page)), listed(page)[0]) == (50, "Approval 1")
    press(page, "Later rows")
    assert listed(page) == ["Approval 51", "Approval 52", "Approval 53"]


def shortcut_of(page: AppTest, label: str) -> str:
    """The key on the button, as the browser prints it."""
    [button] = [each for each in page.button if each.label == label]
    return str(button.proto.shortcut)


@pytest.mark.feature("B12")
def test_two_keys_approve_and_one_fetches_the_next(pages: Pages, at: Checking) -> None:
    at.ask("withdraw")
    page = pages.open(at.desks["nalini"], QUEUE)
    assert shortcut_of(page, "Take the next item") == "n"
    press(page, "Take the next item")
    assert "approval 1 is yours" in words_of(page)
    assert shortcut_of(page, "Approve cash withdrawal") == "a"
    press(page, "Approve cash withdrawal")
    assert "Approve cash withdrawal ₹ 6,00,000.00, asked for by Ravi Kumar?" in words_of(
        page
    ).replace("\\", "")
    assert at.status() == "pending", "one key is not enough"
    press(page, "Not yet")
    press(page, "Approve cash withdrawal")
    assert shortcut_of(page, "Yes, approve") == "y"
    press(page, "Yes, approve")
    assert at.status() == "executed"
    assert "Approval 1 is approved and done" in words_of(page)


@pytest.mark.feature("B12")
def test_a_question_that_is_left_is_asked_again(pages: Pages, at: Checking) -> None:
    """Else one key would be enough for whoever steps through the list and back."""
    at.ask("withdraw")
    at.ask("deposit")
    page = pages.open(at.desks["nalini"], QUEUE)
    items = {row["subject_id"]: row["id"] for row in at.market.rows("SELECT * FROM work_items")}

    def look_at(approval: int) -> list[str]:
        page.session_state["approvals_list_chosen"] = str(items[approval])
        page.run()
        assert not page.exception
        return [each.label for each in page.button]

    look_at(1)
    press(page, "Approve cash withdrawal")
    assert "Yes, approve" in [each.label for each in page.button]
    assert "Yes, approve" not in look_at(2)
    again = look_at(1)
    assert "Approve cash withdrawal" in again
    assert "Yes, approve" not in again


@pytest.mark.feature("B12")
def test_only_what_one_may_decide_is_in_the_queue(pages: Pages, at: Checking) -> None:
    """Who leads sees all work of the branch in the inbox; here is what waits for them."""
    at.ask("withdraw")
    at.ask("edit")
    assert listed(pages.open(at.desks["vera"], QUEUE)) == ["Approval 1", "Approval 2"]
    assert listed(pages.open(at.desks["holder"], QUEUE)) == ["Approval 2"]
    assert listed(pages.open(at.desks["admin"], QUEUE)) == ["Approval 1"]
    at.new_rule("counters.cash.withdraw", level=2, checkers="reviewer")
    assert listed(pages.open(at.desks["vera"], QUEUE)) == ["Approval 2"]
    assert listed(pages.open(at.desks["nalini"], QUEUE)) == ["Approval 1"]
    at.new_rule("counters.cash.withdraw", level=3, checkers="super_admin")
    assert listed(pages.open(at.desks["nalini"], QUEUE)) == []
    assert listed(pages.open(at.desks["chief"], QUEUE)) == ["Approval 1", "Approval 2"]


@pytest.mark.feature("B12")
def test_the_inbox_leads_to_the_approval(pages: Pages, at: Checking) -> None:
    at.ask("withdraw")
    home = pages.home(at.desks["vera"])
    home.switch_page("pages/staff/inbox.py").run()
    home.session_state["inbox_list_chosen"] = "1"
    home.run()
    press(home, "Open the approval")
    assert "Lines it would book" in words_of(home)
    assert [each for each in home.button if each.label == "Approve cash withdrawal"]
