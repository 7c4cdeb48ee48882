"""A ticket in the inbox as an executive works on it."""

from datetime import date, time
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from bank import app
from bank.core.work_tables import W
from bank.office import queue, scores, ticket_desk, tickets
from bank.office.queue_lists import View
from bank.office.ticket_tables import PostKind
from bank.office.tickets import TicketCard
from tests.pages.test_help import press, typed
from tests.support import queues
from tests.support.apptest import Pages, words_of
from tests.support.market import BANER, Market
from tests.support.tickets import answered, claimed, opened, solved, written

pytestmark = pytest.mark.feature("A6.2", "A6.4", "B20")
INBOX = "staff/inbox.py"
SECRET = "Her brother wrote this."


@pytest.fixture
def market(sqlite_market: Market) -> Market:
    """Pages draw the same on either database."""
    return sqlite_market


def at(pages: Pages, market: Market, card: TicketCard, who: str = "executive") -> AppTest:
    """The inbox with one ticket chosen."""
    page = pages.open(market.desks[who], INBOX)
    page.session_state["inbox_list_chosen"] = str(card.item_id)
    page.run()
    assert not page.exception
    return page


def labels(page: AppTest) -> list[str]:
    """What the buttons say."""
    return [each.label for each in page.button]


def message(page: AppTest, text: str) -> AppTest:
    """Type into the public form."""
    page.text_area(public(page)).set_value(text)
    return page


def public(page: AppTest) -> str:
    """The key of the public form's text."""
    [key] = [each.key for each in page.text_area if str(each.key).startswith("ticket_reply_")]
    return str(key)


@pytest.mark.feature("A6.3")
def test_from_the_claim_to_the_mailed_reply(pages: Pages, market: Market) -> None:
    card = written(market, about_kind="account", about=market.number("asha"))
    page = at(pages, market, card)
    said = words_of(page)
    last4 = market.number("asha")[-4:]
    for there in ("Asha Rao", "Charges and interest", last4, "What are the 118"):
        assert there in said, there
    assert market.number("asha") not in said, "masked, but for its end"
    assert "Send reply" not in labels(page)
    press(page, f"Claim {card.reference}")
    message(page, "It is the yearly fee.")
    press(page, "Send and solve")
    assert "The reply leaves in 10 seconds, and the ticket is solved." in plain(page)
    assert market.mails("ticket")[-1]["recipient"] == "asha@example.com"
    assert opened(market, card).card.state is W.DECIDED
    assert "Send reply" not in labels(page)
    assert "Keep internal note" in labels(page)


@pytest.mark.feature("A6.3")
def test_what_is_typed_as_a_note_is_never_mailed(pages: Pages, market: Market) -> None:
    card = claimed(market, written(market))
    page = at(pages, market, card)
    before = len(market.mails("ticket"))
    typed(page, "Note", SECRET)
    press(page, "Keep internal note")
    assert "Internal note kept" in words_of(page)
    assert ":orange-badge[Internal note]" in words_of(page)
    assert len(market.mails("ticket")) == before
    assert SECRET not in str(market.rows("SELECT * FROM outbox"))
    assert opened(market, card).posts[-1].kind is PostKind.NOTE
    assert len(tickets.own_posts(market.desks["asha"], card.id)) == 1
    press(page, "Send reply")  # the note has left nothing in the other form
    assert page.error[0].value.startswith("**Message:**")


def test_a_typed_note_is_not_sent_by_the_buttons_of_the_reply(pages: Pages, market: Market) -> None:
    card = claimed(market, written(market))
    page = at(pages, market, card)
    typed(page, "Note", SECRET)
    message(page, "It is the yearly fee.")
    press(page, "Send and wait for the customer")
    assert SECRET not in str(market.rows("SELECT * FROM outbox"))
    assert SECRET not in str(market.rows("SELECT body FROM ticket_posts"))
    assert opened(market, card).card.state is W.WAITING


def test_canned_words_are_filled_in_and_can_be_kept(pages: Pages, market: Market) -> None:
    card = claimed(market, written(market))
    page = at(pages, market, card)
    [canned] = [each for each in page.selectbox if each.label == "Canned reply"]
    canned.set_value("Received").run()
    text = page.text_area(public(page)).value
    assert text.startswith("Hello Asha Rao,")
    assert card.reference in text
    keep = [each for each in page.text_area if each.label == "Message"][-1]
    keep.set_value("Dear {name}, about account {account_last4}:")
    [name] = [
        each for each in page.text_input if "ticket_keep" in each.form_id and each.label == "Name"
    ]
    name.set_value("Mine")
    press(page, "Keep for my replies")
    mine = ticket_desk.canned_replies(market.desks["executive"], card.id)["Mine"]
    assert mine == "Dear Asha Rao, about account {account_last4}:"
    message(page, mine)
    press(page, "Send reply")
    assert "Fill in" in page.error[0].value
    assert page.text_area(public(page)).value == mine


def test_it_is_sorted_merged_and_moved(pages: Pages, market: Market) -> None:
    card, twin = claimed(market, written(market)), claimed(market, written(market))
    page = at(pages, market, card)
    [category] = [each for each in page.selectbox if each.label == "Category"]
    category.set_value("loan")
    press(page, f"Sort {card.reference}")
    assert page.error[0].value.startswith("**Why:**")
    [why] = [each for each in page.text_input if each.label == "Why" and "sort" in each.form_id]
    why.set_value("It is a loan fee")
    press(page, f"Sort {card.reference}")
    assert opened(market, card).category == "Loans"
    press(page, f"Merge {card.reference}")
    assert page.error[0].value.startswith("**Goes on in:**")
    [into] = [each for each in page.selectbox if each.label == "Goes on in"]
    into.set_value(twin.id)
    press(page, f"Merge {card.reference}")
    assert opened(market, card).card.merged_into == twin.id
    page = at(pages, market, twin)
    [to] = [each for each in page.selectbox if each.label == "Branch"]
    to.set_value(market.branch_ids[BANER])
    [why] = [each for each in page.text_input if each.label == "Why" and "move" in each.form_id]
    why.set_value("Her locker is there")
    press(page, f"Move {twin.reference}")
    assert opened(market, twin, "executive_baner").card.branch_id == market.branch_ids[BANER]


def test_a_customer_without_an_address_and_a_score(pages: Pages, market: Market) -> None:
    card = claimed(market, written(market, "nila"))
    page = at(pages, market, card)
    message(page, "Done.")
    press(page, "Send and solve")
    assert "no address is known" in words_of(page)
    scores.score_ticket(market.desks["nila"], card.id, 2, "Late")
    assert "2 of 5, badly\\: Late" in words_of(at(pages, market, card))
    assert solved(market).id


WORDS = "It is the yearly fee, and this took me twenty minutes to find out."


def swept(market: Market, minutes: int = 45) -> None:
    """Time goes by, and the worker puts back what has run out."""
    queues.later(market, minutes=minutes)
    queue.release_timed_out(app.system_desk(market.bank))


@pytest.mark.feature("B12")
def test_a_reply_typed_until_the_claim_ran_out_is_not_lost(pages: Pages, market: Market) -> None:
    card = claimed(market, written(market))
    page = at(pages, market, card)
    message(page, WORDS)
    swept(market)
    press(page, "Send reply")
    said = words_of(page).replace("\\", "")
    assert "Your claim ran out" in said
    assert "Nobody has it now" in said
    assert "Nothing was sent" in said
    assert page.text_area(public(page)).value == WORDS
    assert "Send reply" not in labels(page)
    assert [post.kind for post in opened(market, card).posts] == [PostKind.QUESTION]
    press(page, "Claim again, send and solve")
    assert "The reply leaves in 10 seconds, and the ticket is solved." in plain(page)
    assert opened(market, card).posts[-1].body == WORDS
    assert opened(market, card).card.state is W.DECIDED


@pytest.mark.feature("B12")
def test_a_reply_stays_when_the_ticket_was_handed_over(pages: Pages, market: Market) -> None:
    card = claimed(market, written(market))
    page = at(pages, market, card)
    message(page, WORDS)
    other = market.desks["executive_two"]
    queue.reassign(market.desks["admin"], card.item_id, other.user_id, "He knows her")
    press(page, "Send and solve")
    said = words_of(page).replace("\\", "")
    assert "Arun Nair handed this ticket over to Dev Sen" in said
    assert "He knows her" in said
    assert "Dev Sen has it now" in said
    assert page.text_area(public(page)).value == WORDS
    assert not [label for label in labels(page) if label.startswith("Claim again")]
    before = len(market.mails("ticket"))
    press(page, "Keep it as an internal note")
    assert opened(market, card).posts[-1].kind is PostKind.NOTE
    assert opened(market, card).posts[-1].body == WORDS
    assert len(market.mails("ticket")) == before
    assert "Claim this ticket to reply" in words_of(page)
    assert "Keep it as an internal note" not in labels(page)


@pytest.mark.feature("B12")
def test_a_colleague_is_faster_and_the_draft_can_be_thrown_away(
    pages: Pages, market: Market
) -> None:
    card = claimed(market, written(market))
    page = at(pages, market, card)
    message(page, WORDS)
    swept(market)
    press(page, "Send reply")
    claimed(market, card, "executive_two")
    press(page, "Claim again and send")
    assert "Dev Sen" in words_of(page)
    assert page.text_area(public(page)).value == WORDS
    press(page, "Discard")
    assert "Claim this ticket to reply" in words_of(page)
    assert len(opened(market, card).posts) == 1


def test_what_was_given_back_by_oneself_leaves_no_form(pages: Pages, market: Market) -> None:
    card = claimed(market, written(market))
    page = at(pages, market, card)
    press(page, f"Release {card.reference}")
    assert "Claim this ticket to reply" in words_of(page)
    assert "Discard" not in labels(page)


@pytest.mark.feature("A6.3")
def test_the_mail_is_seen_before_it_is_sent(pages: Pages, market: Market) -> None:
    card = claimed(market, written(market))
    page = at(pages, market, card)
    message(page, "It is the *yearly* fee.")
    press(page, "Preview the mail")
    said = words_of(page).replace("\\", "")
    for there in (
        f"{card.reference}: A charge I do not know",
        "Hello Asha Rao,",
        "It is the *yearly* fee.",
        "Send and solve adds: This solves your ticket",
    ):
        assert there in said, there
    assert len(opened(market, card).posts) == 1
    message(page, "Dear {name}")
    press(page, "Send reply")
    assert "Fill in" in page.error[0].value
    assert "Hello Asha Rao" not in words_of(page), "it was about other words"
    press(page, "Preview the mail")
    assert "Fill in" in page.error[0].value


@pytest.mark.feature("D3")
def test_the_account_it_is_about_is_a_card_that_leads_to_the_account(
    pages: Pages, market: Market
) -> None:
    market.deposit("asha", 1_234_00)
    card = claimed(market, written(market, about_kind="account", about=market.number("asha")))
    home = pages.home(market.desks["executive"])
    home.switch_page("pages/staff/inbox.py")
    home.session_state["inbox_list_chosen"] = str(card.item_id)
    home.run()
    assert not home.exception
    said = words_of(home)
    assert "1,234.00" in said
    assert "Savings account" in said
    press(home, "Open the account")
    assert [title.value for title in home.title] == ["Find an account"]
    assert home.text_input("find_account_number").value == market.number("asha")
    assert "Asha Rao" in words_of(home)


@pytest.mark.feature("D3")
def test_the_entry_it_is_about_is_a_card(pages: Pages, market: Market) -> None:
    reference = market.deposit("asha", 77_00).reference
    card = written(market, about_kind="entry", about=reference)
    said = words_of(at(pages, market, card)).replace("\\", "")
    assert f"Entry {reference}" in said
    assert "77.00" in said
    assert "16 Mar 2026" in said


@pytest.mark.feature("D3")
def test_the_customer_is_shown_when_asked_for(pages: Pages, market: Market) -> None:
    market.deposit("asha", 1_234_00)
    card = written(market)
    page = at(pages, market, card)
    assert "Customer since" not in words_of(page)
    read = "SELECT id FROM trail WHERE verb = 'counters.customer_view.customer_in_full'"
    assert market.rows(read) == []
    page.toggle(f"customer_{card.id}").set_value(True).run()
    assert not page.exception
    said = words_of(page).replace("\\", "").replace("\u2060", "")
    for there in ("a***@example.com", "1,234.00", card.reference, "We have your message"):
        assert there in said, there
    assert market.number("asha") not in said
    assert market.rows(read)


def plain(page: AppTest) -> str:
    """Everything a page says, without the marks that keep it from being read as Markdown."""
    return words_of(page).replace("\\", "")


@pytest.mark.feature("D3")
def test_two_tickets_are_linked_and_unlinked(pages: Pages, market: Market) -> None:
    one, other = written(market), written(market, "nila", subject="The same charge")
    page = at(pages, market, one)
    typed(page, "Number of the other ticket", "T-1")
    press(page, f"Link {one.reference}")
    assert page.error[0].value.startswith("**Number of the other ticket:**")
    assert page.text_input(link_field(page)).value == "T-1"
    page.text_input(link_field(page)).set_value(other.reference)
    press(page, f"Link {one.reference}")
    assert "The tickets are linked." in plain(page)
    assert page.text_input(link_field(page)).value == ""
    page = at(pages, market, other)
    said = plain(page)
    assert one.reference in said
    assert one.subject in said
    [linked] = [each for each in page.selectbox if each.label == "Linked ticket"]
    linked.set_value(one.id).run()
    press(page, "Take the link away")
    assert "The link is gone." in plain(page)
    assert not [each for each in page.selectbox if each.label == "Linked ticket"]


def link_field(page: AppTest) -> str:
    """The key of the field for the other ticket's number."""
    [key] = [each.key for each in page.text_input if str(each.key).startswith("ticket_link_")]
    return str(key)


@pytest.mark.feature("D3")
def test_what_the_customer_wrote_becomes_a_ticket_of_its_own(pages: Pages, market: Market) -> None:
    card = written(market)
    answered(market, card, "And my new card has not come.")
    page = at(pages, market, card)
    assert f"Split {card.reference}" not in labels(page), "nobody has claimed it"
    claimed(market, card)
    page = at(pages, market, card)
    press(page, f"Split {card.reference}")
    assert page.error[0].value.startswith("**Category of the new ticket:**")
    post, category, subject = split_fields(page)
    category.set_value("card")
    subject.set_value("My card")
    press(page, f"Split {card.reference}")
    assert page.error[0].value.startswith("**What the customer wrote:**")
    post, category, subject = split_fields(page)
    assert (category.value, subject.value) == ("card", "My card")
    [_, second] = opened(market, card).posts
    post.set_value(second.id)
    press(page, f"Split {card.reference}")
    [new, _] = tickets.own_tickets(market.desks["asha"])
    said = plain(page)
    assert f"{new.reference} is open, and the customer is told." in said
    assert f"goes on in {new.reference}" in said
    assert market.mails("ticket")[-1]["subject"] == f"{new.reference}: My card"


def split_fields(page: AppTest) -> list[Any]:
    """What is chosen and written to split a ticket."""
    return [
        next(each for each in kind if str(each.key).startswith("ticket_split_") and
             str(each.key).endswith(name))
        for kind, name in (
            (page.selectbox, "_post"), (page.selectbox, "_category"), (page.text_input, "_subject"),
        )
    ]  # fmt: skip


@pytest.mark.feature("D3")
def test_a_ticket_is_set_aside_and_taken_up(pages: Pages, market: Market) -> None:
    card = claimed(market, written(market))
    page = at(pages, market, card)
    assert "The promise does not rest" in plain(page)
    assert "promised something by Tue 17 Mar, 12:00" in plain(page)
    page.date_input[0].set_value(date(2026, 3, 18))
    press(page, f"Set {card.reference} aside")
    assert page.error[0].value.startswith("**Until:**")
    assert page.date_input[0].value == date(2026, 3, 18)
    page.date_input[0].set_value(date(2026, 3, 17))
    page.time_input[0].set_value(time(11))
    press(page, f"Set {card.reference} aside")
    assert "Rests until Tue 17 Mar, 11:00" in plain(page)
    page.segmented_control[0].set_value(View.MINE).run()
    assert "Rests until Tue 17 Mar, 11:00: Esha Iyer" in plain(page)
    press(page, f"Take {card.reference} up")
    assert "Rests until" not in plain(page)
    assert f"Set {card.reference} aside" in labels(page)


@pytest.mark.feature("D3", "A6.3")
@pytest.mark.parametrize("button", ["Send reply", "Send and solve"])
def test_a_reply_is_taken_back_and_its_words_are_in_the_form_again(
    pages: Pages, market: Market, button: str
) -> None:
    card = claimed(market, written(market))
    page = at(pages, market, card)
    assert "Undo" not in labels(page)
    message(page, "It is the yearly free.")
    press(page, button)
    queues.later(market, seconds=3)
    page.run()
    assert "The mail leaves in 7 seconds." in plain(page)
    press(page, "Undo")
    said = plain(page)
    assert "The reply is taken back; its words are below." in said
    assert "Taken back, never sent" in said
    assert page.text_area(public(page)).value == "It is the yearly free."
    assert "Undo" not in labels(page)
    message(page, "It is the yearly fee.")
    press(page, "Send and solve")
    queues.later(market, seconds=10)
    page.run()
    assert "Undo" not in labels(page)
    assert [post.body for post in tickets.own_posts(market.desks["asha"], card.id)][1:] == [
        "It is the yearly fee."
    ]


@pytest.mark.feature("D3", "A6.3")
def test_undo_comes_too_late(pages: Pages, market: Market) -> None:
    card = claimed(market, written(market))
    page = at(pages, market, card)
    message(page, "It is the yearly fee.")
    press(page, "Send reply")
    assert "The reply leaves in 10 seconds." in plain(page)
    with market.tx() as tx:
        tx.connection.exec_driver_sql("UPDATE outbox SET status = 'sending'")
    press(page, "Undo")
    for _ in range(2):  # also when the count is drawn again
        assert "The reply is out" in page.error[0].value
        page.run()
    assert not opened(market, card).posts[-1].is_taken_back
    press(page, "Hide")
    assert not page.error
    press(page, "Undo")
    assert page.error
    queues.later(market, seconds=10)
    page.run()
    message(page, "And it is taken in March.")
    press(page, "Send reply")
    assert not page.error, "it was about the reply before"


@pytest.mark.feature("D3", "A6.3")
def test_nothing_is_begun_that_undo_would_overwrite(pages: Pages, market: Market) -> None:
    card = claimed(market, written(market))
    page = at(pages, market, card)
    message(page, "It is the yearly fee.")
    press(page, "Send reply")
    assert "Send reply" not in labels(page)
    assert "Write the next reply when this one has left, or take it back." in plain(page)
    press(page, "Undo")
    assert page.text_area(public(page)).value == "It is the yearly fee."
    press(page, "Send reply")
    queues.later(market, seconds=10)
    page.run()
    assert page.text_area(public(page)).value == ""
    assert "Send reply" in labels(page)


@pytest.mark.feature("A6.3")
def test_a_bank_that_waits_no_second_says_that_the_reply_is_sent(
    pages: Pages, market: Market
) -> None:
    with market.tx() as tx:
        tx.connection.exec_driver_sql(
            "INSERT INTO ticket_rules (name, effective_from, value, source)"
            " VALUES ('undo_reply_seconds', '2026-01-01', 0, 'a test')"
        )
    page = at(pages, market, claimed(market, written(market)))
    message(page, "It is the yearly fee.")
    press(page, "Send and wait for the customer")
    assert "The reply is sent; the clock stands still until the customer answers." in plain(page)


@pytest.mark.feature("B26")
def test_several_tickets_are_sorted_and_ended(pages: Pages, market: Market) -> None:
    one, two = claimed(market, written(market)), claimed(market, written(market, "nila"))
    page = pages.open(market.desks["executive"], INBOX)
    page.segmented_control[0].set_value(View.MINE).run()
    press(page, "Sort these tickets")
    assert "Choose at least one" in page.error[0].value
    bulk(page.multiselect, "sort", "_items").set_value([one.item_id, two.item_id])
    bulk(page.text_input, "sort", "_why").set_value("All about cards")
    press(page, "Sort these tickets")
    assert page.error[0].value.startswith("**Category for all:**")
    assert bulk(page.text_input, "sort", "_why").value == "All about cards"
    bulk(page.selectbox, "sort", "_category").set_value("card")
    press(page, "Sort these tickets")
    assert "Sorted together: 2 of 2 tickets." in plain(page)
    assert opened(market, two).category == "Cards"
    bulk(page.selectbox, "solve", "_canned").set_value("Solved").run()
    assert "{name}" in bulk(page.text_area, "solve", "_text").value
    bulk(page.multiselect, "solve", "_items").set_value([one.item_id, two.item_id])
    queue.release(market.desks["executive"], two.item_id)
    press(page, "Send to each and solve")
    said = plain(page)
    assert "Ended together: 1 of 2 tickets." in said
    assert "It is solved." in said
    assert "Claim this item first" in said
    assert opened(market, one).card.state is W.DECIDED
    assert opened(market, two).card.state is W.UNASSIGNED
    assert "Asha Rao" in market.mails("ticket")[-1]["body"]
    press(page, "Hide this list")
    assert "It is solved." not in plain(page)


def bulk(fields: Any, form: str, end: str) -> Any:
    """The field of a form for several tickets."""
    [found] = [
        each
        for each in fields
        if str(each.key).startswith(f"ticket_bulk_{form}_") and str(each.key).endswith(end)
    ]
    return found
