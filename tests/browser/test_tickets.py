"""A ticket in two windows: from the complaint to the mailed reply, solved, opened again."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.support.browser import DESK, PHONE, PageAt, sideways_scroll
from tests.support.demo import DemoTown, copy_of, settings_in
from tests.support.mail import Mailbox
from tests.support.server import ARTIFACTS, Server
from tests.support.shell import at_rest, is_accessible
from tests.support.tickets import PDF, picture

pytestmark = pytest.mark.feature("A6.1", "A6.2", "A6.3", "A6.4", "B20")
SCREENS: Final = ARTIFACTS / "screens"
SECRET: Final = "She is right: the fee was taken twice."
SENT_WITHIN: Final = 30.0  # seconds; a reply may be taken back for ten of them


@pytest.fixture
def mailing_town(demo_template: Path, tmp_path: Path, mailbox: Mailbox) -> Iterator[DemoTown]:
    """The demo bank behind a server that delivers its mail to the mail server of the tests."""
    bank = copy_of(demo_template, tmp_path / "town")
    url = str(settings_in(tmp_path / "town").database_url)
    mail = {
        "BANK_SMTP_HOST": mailbox.host,
        "BANK_SMTP_PORT": str(mailbox.port),
        "BANK_SMTP_TLS": "none",
        "BANK_SMTP_FROM": "bank@example.com",
    }
    server = Server(url, tmp_path / "town", env=mail, name="tickets")
    try:
        yield DemoTown(bank, server.start())
    finally:
        server.stop()
        bank.db.close()


def resized(page: Page, size: tuple[int, int]) -> None:
    """Another window, once the menu has come or gone."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    shut = "true" if size[0] < 640 else "false"
    expect(page.get_by_test_id("stSidebar")).to_have_attribute("data-collapsed", shut)
    at_rest(page)
    page.get_by_role("heading", level=1).click(trial=True)  # nothing lies over the page


def keep(page: Page, name: str) -> None:
    """Pictures for people to look at, wide and narrow; the narrow one fits a phone."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    page.mouse.move(0, 0)  # nothing is drawn as touched
    for form, (width, height) in (("desk", DESK), ("phone", PHONE)):
        resized(page, (width, 2 * height))  # the page scrolls inside, a picture does not
        page.screenshot(path=SCREENS / f"tickets-{name}-{form}.png")
        assert sideways_scroll(page) == 0, f"{page.url} is too wide"
        is_accessible(page)
    resized(page, DESK)


def choose(page: Page, label: str, option: str) -> None:
    """Choose from a list by its words."""
    page.get_by_label(label, exact=True).click()
    page.get_by_role("option", name=option).click()
    at_rest(page)


def choose_row(page: Page, label: str, reference: str) -> None:
    """Choose a row as one does on a phone: the grid of a wide window has no words to click on."""
    resized(page, PHONE)
    choose(page, label, reference)
    resized(page, DESK)


def public(page: Page) -> Locator:
    """The form whose words are mailed."""
    return page.locator("[class*=st-key-public_]")


def internal(page: Page) -> Locator:
    """The form whose words stay in the bank."""
    return page.locator("[class*=st-key-internal_form_]")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_from_complaint_to_mailed_reply_to_reopened(
    mailing_town: DemoTown,
    mailbox: Mailbox,
    page_at: PageAt,
    page_problems: list[str],
    dark: bool,
) -> None:
    look = "dark" if dark else "light"
    customer = mailing_town.window(page_at, "meera", "/customer-help", dark=dark)
    customer.get_by_text("Write to the bank", exact=True).click()
    choose(customer, "What is it about", "I do not recognise an entry")
    customer.get_by_label("In a few words", exact=True).fill("A fee, twice")
    customer.get_by_label("Message", exact=True).fill("The yearly fee was taken twice.")
    keep(customer, f"write-{look}")
    customer.get_by_role("button", name="Send to the bank").click()
    expect(customer.get_by_text("The bank has your message")).to_be_visible()
    reference = customer.locator("[class*=st-key-large_code_] code").inner_text().strip()
    assert re.fullmatch(r"T-\d{6}-\d+-\d", reference)
    keep(customer, f"sent-{look}")
    acknowledged = mailbox.wait_for_one(subject=f"We have your message: {reference}")
    assert "You will have a first answer by" in acknowledged.get_content()
    to = acknowledged["X-Rcpt-To"]

    desk = mailing_town.window(page_at, "imran", "/staff-inbox", dark=dark)
    desk.get_by_role("button", name="Take the next item").click()  # urgent: before all others
    expect(public(desk)).to_be_visible()
    internal(desk).get_by_label("Note", exact=True).fill(SECRET)
    public(desk).get_by_label("Message", exact=True).fill("We pay the second fee back today.")
    keep(desk, f"panel-{look}")
    internal(desk).get_by_role("button", name="Keep internal note").click()
    expect(desk.get_by_text("Internal note kept")).to_be_visible()
    # What was typed in the other form is still there.
    expect(public(desk).get_by_label("Message", exact=True)).to_have_value(
        "We pay the second fee back today."
    )
    public(desk).get_by_role("button", name="Send and solve").click()
    expect(desk.get_by_text("and the ticket is solved")).to_be_visible()
    desk.get_by_role("button", name="Undo").click()
    expect(desk.get_by_text("The reply is taken back")).to_be_visible()
    expect(public(desk).get_by_label("Message", exact=True)).to_have_value(
        "We pay the second fee back today."
    )
    keep(desk, f"undone-{look}")
    public(desk).get_by_label("Message", exact=True).fill("We pay it back today.")
    public(desk).get_by_role("button", name="Send and solve").click()
    expect(desk.get_by_text("and the ticket is solved")).to_be_visible()
    keep(desk, f"solved-{look}")
    reply = mailbox.wait_for_one(to=to, subject=f"{reference}: A fee, twice", timeout=SENT_WITHIN)
    assert "We pay it back today." in reply.get_content()
    assert "second fee" not in reply.get_content(), "the first one was taken back"
    assert SECRET not in "".join(str(mail.get_content()) for mail in mailbox.messages)

    customer.get_by_role("button", name="Write once more").click()
    customer.get_by_text("Your tickets", exact=True).click()
    choose_row(customer, "Choose a ticket", "A fee, twice")
    expect(customer.get_by_text("We pay it back today.")).to_be_visible()
    expect(customer.get_by_text("We pay the second fee back today.")).to_have_count(0)
    expect(customer.get_by_text(SECRET)).to_have_count(0)
    customer.get_by_text("So so", exact=True).click()
    customer.get_by_role("button", name="Send rating").click()
    expect(customer.get_by_text("the bank has your rating")).to_be_visible()
    customer.get_by_text("It is not solved", exact=True).click()
    customer.get_by_label("What is missing").fill("Only half of it came back.")
    keep(customer, f"conversation-{look}")
    customer.get_by_role("button", name="Open it again").click()
    expect(customer.get_by_text("Your ticket is open again")).to_be_visible()
    expect(customer.get_by_text("We answer by")).to_have_count(1)
    assert mailbox.wait_for_one(to=to, subject=f"Open again: {reference}")
    # Nobody touches the other window: the ticket is free there again by itself.
    expect(desk.get_by_role("button", name=f"Claim {reference}")).to_be_visible(timeout=20_000)
    expect(desk.get_by_text("Only half of it came back.")).to_be_visible()
    assert page_problems == []


def attach(page: Page, form: Locator, name: str, content: bytes) -> None:
    """Choose a file in a form, and wait until the bank has it; the browser calls it a text."""
    given: FilePayload = {"name": name, "mimeType": "text/plain", "buffer": content}
    form.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(given)
    expect(form.get_by_text(name, exact=True)).to_be_visible()
    expect(page.get_by_test_id("stFileChipIconSpinner")).to_have_count(0)
    at_rest(page)


def fetched(page: Page, name: str) -> bytes:
    """What the button of a file downloads, under its own name."""
    with page.expect_download() as coming:
        page.get_by_role(
            "button", name=re.compile(rf"^\W*(download)?\s*{re.escape(name)} \(")
        ).click()
    assert coming.value.suggested_filename == name
    return Path(coming.value.path()).read_bytes()


def test_files_go_both_ways_and_that_of_a_note_stays(
    mailing_town: DemoTown, mailbox: Mailbox, page_at: PageAt, page_problems: list[str]
) -> None:
    customer = mailing_town.window(page_at, "meera", "/customer-help")
    customer.get_by_text("Write to the bank", exact=True).click()
    choose(customer, "What is it about", "I do not recognise an entry")
    customer.get_by_label("In a few words", exact=True).fill("A slip")
    customer.get_by_label("Message", exact=True).fill("The slip is attached.")
    attach(customer, customer.locator("body"), "slip.pdf", b"no PDF at all")
    customer.get_by_role("button", name="Send to the bank").click()
    expect(customer.get_by_text("slip.pdf is neither a PDF nor")).to_be_visible()
    expect(customer.get_by_label("Message", exact=True)).to_have_value("The slip is attached.")
    customer.get_by_role("button", name="Remove slip.pdf").click()
    expect(customer.get_by_text("slip.pdf", exact=True)).to_have_count(0)
    at_rest(customer)
    attach(customer, customer.locator("body"), "slip.pdf", PDF)
    keep(customer, "write-file")
    customer.get_by_role("button", name="Send to the bank").click()
    expect(customer.get_by_text("The bank has your message")).to_be_visible()

    desk = mailing_town.window(page_at, "imran", "/staff-inbox")
    desk.get_by_role("button", name="Take the next item").click()
    expect(public(desk)).to_be_visible()
    assert fetched(desk, "slip.pdf") == PDF
    internal(desk).get_by_label("Note", exact=True).fill(SECRET)
    attach(desk, internal(desk), "hint.png", picture())
    internal(desk).get_by_role("button", name="Keep internal note").click()
    expect(desk.get_by_text("Internal note kept")).to_be_visible()
    expect(internal(desk).get_by_text("hint.png", exact=True)).to_have_count(0)  # emptied
    assert fetched(desk, "hint.png") == picture()
    public(desk).get_by_label("Message", exact=True).fill("See the picture.")
    attach(desk, public(desk), "answer.png", picture(shade=9))
    keep(desk, "panel-file")
    public(desk).get_by_role("button", name="Send and solve").click()
    expect(desk.get_by_text("and the ticket is solved")).to_be_visible()
    mailbox.wait_for_one(subject=": A slip", timeout=SENT_WITHIN)

    customer.get_by_role("button", name="Write once more").click()
    customer.get_by_text("Your tickets", exact=True).click()
    choose_row(customer, "Choose a ticket", "A slip")
    assert fetched(customer, "answer.png") == picture(shade=9)
    assert fetched(customer, "slip.pdf") == PDF
    expect(customer.get_by_text("hint.png")).to_have_count(0)
    keep(customer, "conversation-file")
    assert page_problems == []
