"""Help as a customer uses it: write, follow, answer, open again, rate."""

import pytest
from streamlit.testing.v1 import AppTest

from bank.core.ids import new_request_id
from bank.office import ticket_desk, ticket_moves, tickets
from bank.office.ticket_desk import Then
from bank.office.tickets import TicketCard
from tests.support import queues
from tests.support.apptest import Pages, words_of
from tests.support.market import Market
from tests.support.server import ROOT
from tests.support.tickets import claimed, own, replied, solved, written

pytestmark = pytest.mark.feature("A6.1", "A6.4")
HELP = "customer/help.py"


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


def typed(page: AppTest, label: str, text: str) -> AppTest:
    """Type into the one field with this label."""
    fields = [*page.text_input, *page.text_area]
    [field] = [each for each in fields if each.label == label]
    field.set_value(text)  # sent with the next press, as a form sends it
    return page


def at(pages: Pages, market: Market, card: TicketCard, who: str = "asha") -> AppTest:
    """The page with one ticket chosen."""
    page = pages.open(market.desks[who], HELP)
    page.session_state["help_tickets_chosen"] = str(card.id)
    page.run()
    assert not page.exception
    return page


def test_the_first_visit_is_a_form_and_ends_with_a_number_and_a_clock(
    pages: Pages, market: Market
) -> None:
    page = pages.open(market.desks["asha"], HELP)
    assert not page.exception
    page.selectbox("help_write_category").set_value("charges").run()
    page.selectbox("help_write_about").set_value(market.number("asha")).run()
    typed(page, "In a few words", "A charge")
    typed(page, "Message", "What is it for?")
    press(page, "Send to the bank")
    said = words_of(page)
    assert "The bank has your message" in said
    assert page.code[0].value == "T-260316-1-7"
    assert "Tue 17 Mar, 12\\:00" in said
    [card] = tickets.own_tickets(market.desks["asha"])
    assert (card.about, card.subject) == (market.number("asha"), "A charge")
    press(page, "Write once more")
    assert [each.value for each in page.text_area] == [""]
    page.segmented_control("help_view").set_value("Your tickets").run()
    assert "T-260316-1-7" in words_of(page)


def test_what_is_wrong_is_said_by_its_field_and_stays(pages: Pages, market: Market) -> None:
    page = pages.open(market.desks["asha"], HELP)
    typed(page, "In a few words", "A charge")
    press(page, "Send to the bank")
    assert page.error[0].value.startswith("**What is it about:**")
    page.selectbox("help_write_category").set_value("charges").run()
    press(page, "Send to the bank")
    assert page.error[0].value.startswith("**Message:**")
    typed(page, "Message", "What is it for?")
    page.selectbox("help_write_about").set_value("entry").run()
    for wrong in ("260316-1-0", "elephant"):
        typed(page, "Reference of the entry", wrong)
        press(page, "Send to the bank")
        assert page.error[0].value.startswith("**Reference of the entry:**")
        assert page.text_input("help_write_subject").value == "A charge"
    assert tickets.own_tickets(market.desks["asha"]) == []


def test_a_line_of_the_statement_brings_its_entry_along(pages: Pages, market: Market) -> None:
    reference = market.deposit("asha", 500_00).reference
    pages.sit(market.desks["asha"])
    page = AppTest.from_file(ROOT / "pages" / HELP, default_timeout=60)
    page.query_params["entry"] = reference
    page.run()
    assert page.text_input("help_write_entry").value == reference
    assert page.selectbox("help_write_category").value == "unknown_entry"
    typed(page, "In a few words", "Not mine")
    typed(page, "Message", "I was not there.")
    press(page, "Send to the bank")
    [card] = tickets.own_tickets(market.desks["asha"])
    assert (card.about_kind, card.about) == ("entry", reference)
    assert "entry" not in page.query_params


def test_the_statement_has_the_link(pages: Pages, market: Market) -> None:
    reference = market.deposit("asha", 500_00).reference
    page = pages.home(market.desks["asha"])
    page.switch_page("pages/customer/statement.py").run()
    page.session_state["statement_lines_chosen"] = "1"
    page.run()
    assert not page.exception
    links = [each.proto for each in page.get("page_link")]
    assert [each.query_string for each in links if reference in each.label] == [
        f"entry={reference}"
    ]


def test_a_ticket_is_a_conversation_without_notes(pages: Pages, market: Market) -> None:
    card = claimed(market, written(market, body="First line\n\n<b>second</b> $5$"))
    ticket_desk.add_note(market.desks["executive"], card.id, "Beware", request_id=new_request_id())
    replied(market, card, Then.WAIT, body="Which day was it?")
    assert "Which day was it" not in words_of(at(pages, market, card)), "it has not left yet"
    queues.later(market, seconds=10)
    page = at(pages, market, card)
    said = words_of(page)
    for there in ("First line", "Which day was it", "Esha Iyer", "Waits for you", "stands still"):
        assert there in said, there
    assert "\\<b\\>second" in said
    assert "Beware" not in said
    press(page, "Send answer")
    assert page.error[0].value.startswith("**Message:**")
    typed(page, "Message", "On 2 March.")
    press(page, "Send answer")
    said = words_of(page)
    assert "The bank has your message" in said
    assert "On 2 March" in said
    assert "We answer by Tue 17 Mar" in said, "who writes again is owed the next reply"
    assert [each.value for each in page.text_area] == [""]


def test_a_late_answer_is_called_late(pages: Pages, market: Market) -> None:
    card = written(market)
    queues.later(market, days=3)
    page = at(pages, market, card)
    assert "We are late" in page.warning[0].value


def test_a_solved_ticket_is_rated_and_opened_again(pages: Pages, market: Market) -> None:
    card = solved(market)
    page = at(pages, market, card)
    assert "You can open it again until 15 Apr 2026" in words_of(page)
    press(page, "Send rating")
    assert page.error[0].value.startswith("**How well was it solved:**")
    page.radio[0].set_value(4)
    typed(page, "A remark", "Slow")
    press(page, "Send rating")
    assert (own(market, card).score, own(market, card).score_note) == (4, "Slow")
    typed(page, "What is missing", "It came again.")
    press(page, "Open it again")
    assert "is open again" in words_of(page)
    assert "We answer by" in words_of(page)
    assert own(market, card).solved_at is None


def test_after_thirty_days_there_is_no_way_back(pages: Pages, market: Market) -> None:
    card = solved(market)
    queues.later(market, days=31)
    page = at(pages, market, card)
    assert "too long ago" in words_of(page)
    labels = [each.label for each in page.button]
    assert "Open it again" not in labels
    assert "Send rating" not in labels


@pytest.mark.feature("B20")
def test_a_score_can_be_changed_and_then_only_read(pages: Pages, market: Market) -> None:
    card = solved(market)
    page = at(pages, market, card)
    # In words: a number of stars says nothing to who does not see them.
    assert page.radio[0].options == ["Very well", "Well", "So so", "Badly", "Not at all"]
    assert page.radio[0].value is None
    page.radio[0].set_value(2)
    press(page, "Send rating")
    page = at(pages, market, card)
    assert page.radio[0].value == 2
    page.radio[0].set_value(3)
    typed(page, "A remark", "Slow")
    press(page, "Send rating")
    queues.later(market, days=31)
    page = at(pages, market, card)
    assert not page.radio
    assert "You rated it: 3 of 5, so so: Slow" in words_of(page).replace("\\", "")


def test_a_merged_ticket_points_to_the_other(pages: Pages, market: Market) -> None:
    kept, card = written(market), claimed(market, written(market))
    ticket_moves.merge_ticket(market.desks["executive"], card.id, kept.id)
    page = at(pages, market, card)
    assert f"It goes on in {kept.reference}".replace("-", "\\-") in words_of(page)
    assert [each.label for each in page.text_area] == []
    assert card.reference in words_of(at(pages, market, kept)).replace("\\", "")


def test_nobody_elses_tickets_are_there(pages: Pages, market: Market) -> None:
    card = written(market)
    page = at(pages, market, card, "vikram")
    assert card.reference not in words_of(page)
    assert "Ombudsman" in words_of(page)


@pytest.mark.feature("C9")
def test_the_place_in_line_and_the_usual_time_are_told(pages: Pages, market: Market) -> None:
    for _ in range(10):
        done = claimed(market, written(market, "nila"))
        replied(market, done, Then.SOLVE)
    written(market, "nila")
    card = written(market)
    said = words_of(at(pages, market, card)).replace("\\", "")
    assert "Place 2 in line at your branch. Usually answered within 1 hour." in said
    claimed(market, card)
    assert "in line" not in words_of(at(pages, market, card))


@pytest.mark.feature("C9")
def test_without_enough_answers_only_the_place_and_the_deadline_are_told(
    pages: Pages, market: Market
) -> None:
    page = pages.open(market.desks["asha"], HELP)
    page.selectbox("help_write_category").set_value("charges").run()
    typed(page, "In a few words", "A charge")
    typed(page, "Message", "What is it for?")
    press(page, "Send to the bank")
    said = words_of(page).replace("\\", "")
    assert "Place 1 in line at your branch." in said
    assert "Usually answered" not in said
    assert "Tue 17 Mar, 12:00" in said
