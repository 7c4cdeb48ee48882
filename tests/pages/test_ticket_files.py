"""Files with a ticket, as customer and executive attach and fetch them."""

import pytest
from streamlit.testing.v1 import AppTest

from bank.core import documents
from bank.office import ticket_desk, tickets
from bank.office.tickets import TicketCard
from pages.parts import uploads
from tests.pages import test_help, test_ticket_panel
from tests.pages.test_help import HELP, press, typed
from tests.support import queues
from tests.support.apptest import Pages, words_of
from tests.support.market import Market
from tests.support.tickets import PDF, claimed, opened, picture, solved, upload, written

pytestmark = pytest.mark.feature("A6.1", "A6.2")
JUNK = b"MZ, no picture at all"


@pytest.fixture
def market(sqlite_market: Market) -> Market:
    """Pages draw the same on either database."""
    return sqlite_market


def attach(page: AppTest, name: str, content: bytes, form: str = "") -> AppTest:
    """Choose one more file, in the form whose key begins so."""
    [taker] = [each for each in page.file_uploader if str(each.key).startswith(form)]
    taker.upload(name, content)
    return page


def chosen(page: AppTest, form: str = "") -> list[str]:
    """The names of the files that wait in a form."""
    [taker] = [each for each in page.file_uploader if str(each.key).startswith(form)]
    return [file.name for file in taker.value]


def files_at(market: Market, card: TicketCard) -> list[list[str]]:
    """The names of the files, post by post."""
    return [[file.name for file in post.files] for post in opened(market, card).posts]


def offered(page: AppTest) -> list[str]:
    """What the buttons that download say."""
    return [each.label.replace("\\", "") for each in page.get("download_button")]


def test_a_customer_writes_with_a_file(pages: Pages, market: Market) -> None:
    page = pages.open(market.desks["asha"], HELP)
    page.selectbox("help_write_category").set_value("charges").run()
    typed(page, "In a few words", "A charge")
    typed(page, "Message", "What is it for?")
    attach(page, "photo.png", JUNK)
    press(page, "Send to the bank")
    assert page.error[0].value == (
        "**Files:** photo\\.png is neither a PDF nor a PNG or JPEG picture\\."
    )
    assert page.text_area[0].value == "What is it for?"
    assert chosen(page) == ["photo.png"]
    page.file_uploader[0].set_value([("photo.png", picture(), ""), ("slip.pdf", PDF, "")])
    press(page, "Send to the bank")
    assert "The bank has your message" in words_of(page)
    [card] = tickets.own_tickets(market.desks["asha"])
    assert files_at(market, card) == [["photo.png", "slip.pdf"]]
    press(page, "Write once more")
    assert chosen(page) == []


def test_a_customer_answers_with_a_file_and_fetches_both(pages: Pages, market: Market) -> None:
    card = written(market, files=[upload()])
    page = test_help.at(pages, market, card)
    typed(page, "Message", "Here is the other side.")
    attach(page, "back.png", JUNK)
    press(page, "Add to this ticket")
    assert r"back\.png is neither" in page.error[0].value
    assert page.text_area[0].value == "Here is the other side."
    page.file_uploader[0].set_value(("back.png", picture(), ""))
    press(page, "Add to this ticket")
    assert files_at(market, card) == [["slip.pdf"], ["back.png"]]
    assert chosen(page) == []
    assert [label.split(" (")[0] for label in offered(page)] == ["slip.pdf", "back.png"]
    assert pages.papers()[-2:] == [PDF, picture()]


def test_a_customer_opens_it_again_with_a_file(pages: Pages, market: Market) -> None:
    card = solved(market)
    page = test_help.at(pages, market, card)
    typed(page, "What is missing", "It came again.")
    attach(page, "again.pdf", PDF)
    press(page, "Open it again")
    assert files_at(market, card)[-1] == ["again.pdf"]


def test_an_executive_attaches_to_reply_and_note(pages: Pages, market: Market) -> None:
    card = claimed(market, written(market, files=[upload("asked.pdf")]))
    page = test_ticket_panel.at(pages, market, card)
    assert offered(page) == [f"asked.pdf ({len(PDF)} bytes)"]
    test_ticket_panel.message(page, "See the tariff.")
    attach(page, "tariff.pdf", PDF[:9], "ticket_reply_")
    press(page, "Send reply")
    assert page.error[0].value.startswith(r"**Files for the customer:** tariff\.pdf is damaged")
    assert page.text_area(test_ticket_panel.public(page)).value == "See the tariff."
    assert chosen(page, "ticket_reply_") == ["tariff.pdf"]
    page.file_uploader[0].set_value(("tariff.pdf", PDF, ""))
    press(page, "Send reply")
    typed(page, "Note", "She has asked before.")
    attach(page, "hint.png", picture(), "ticket_note_")
    press(page, "Keep internal note")
    assert files_at(market, card) == [["asked.pdf"], ["tariff.pdf"], ["hint.png"]]
    assert pages.papers()[-3:] == [PDF, PDF, picture()]
    queues.later(market, seconds=10)
    theirs = test_help.at(pages, market, card)
    assert [label.split(" (")[0] for label in offered(theirs)] == ["asked.pdf", "tariff.pdf"]
    assert "hint" not in words_of(theirs)


def test_a_note_whose_file_is_refused_keeps_its_words(pages: Pages, market: Market) -> None:
    card = claimed(market, written(market))
    page = test_ticket_panel.at(pages, market, card)
    typed(page, "Note", "She has asked before.")
    attach(page, "hint.png", JUNK, "ticket_note_")
    press(page, "Keep internal note")
    assert page.error[0].value.startswith(r"**Files with the note:** hint\.png is neither")
    [note] = [each for each in page.text_area if each.label == "Note"]
    assert note.value == "She has asked before."
    assert ticket_desk.read_ticket(market.desks["executive"], card.id).posts[-1].files == ()


def test_a_lost_file_is_said_and_the_rest_is_there(pages: Pages, market: Market) -> None:
    card = written(market, files=[upload("a.pdf"), upload("b.png", picture())])
    folder = market.bank.settings.data_dir / documents.FOLDER
    for path in folder.iterdir():
        if path.read_bytes() == PDF:
            path.unlink()
    page = test_help.at(pages, market, card)
    assert page.warning[0].value.startswith(r"The file a\.pdf is missing")
    assert pages.papers() == [picture()]


@pytest.mark.parametrize(
    ("size", "said"),
    [(900, "900 bytes"), (300_000, "293 KB"), (5 * 1024 * 1024, "5.0 MB")],
)
def test_sizes_are_said_as_devices_say_them(size: int, said: str) -> None:
    assert uploads.size_of(size) == said
