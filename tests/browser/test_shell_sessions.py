"""Sessions in a real browser: revoked ones stop at once, locked ones keep what was typed."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from bank import app
from bank.core.desk import looking
from bank.people.sessions import Session, SessionStatus
from tests.support.browser import PageAt
from tests.support.people import Somebody
from tests.support.server import status_of
from tests.support.shell import SMALL, Town, at_rest, is_inside, is_outside

NOTICED_MS: Final = 25_000  # the open page looks every fifteen seconds whether its session stands


@pytest.fixture(scope="module")
def small(new_town: Callable[..., Town]) -> Town:
    """A town whose only page is the small one."""
    return new_town(command=SMALL, name="small")


def fall_idle(town: Town, who: Somebody) -> None:
    """Let the last activity of somebody's sessions be an hour ago."""
    town.change_session(who, last_seen_at=town.bank.clock.now() - timedelta(hours=1))


def file_status(address: str, page: Page) -> int:
    """What a file's address answers to a window's cookies."""
    return page.context.request.get(address).status


@pytest.mark.feature("A1.8")
def test_a_revoked_session_stops_at_the_next_click(town: Town, page_at: PageAt) -> None:
    page = town.window(page_at, town.cashier)
    is_inside(page)
    town.revoke(town.cashier)
    page.get_by_role("link", name="Security").first.click()
    is_outside(page)
    expect(page.get_by_role("link", name="Security")).to_have_count(0)


@pytest.mark.feature("A1.8")
def test_a_revoked_session_stops_an_open_page_by_itself(town: Town, page_at: PageAt) -> None:
    page = town.window(page_at, town.cashier)
    is_inside(page)
    town.revoke(town.cashier)
    heading = page.get_by_role("heading", name="Sign in", exact=True)
    expect(heading).to_be_visible(timeout=NOTICED_MS)


@pytest.mark.feature("A1.8")
def test_a_revoked_session_stops_a_live_part(small: Town, page_at: PageAt) -> None:
    page = small.window(page_at, small.cashier)
    expect(page.get_by_text("Tick 2 of")).to_be_visible()
    small.revoke(small.cashier)
    is_outside(page)
    expect(page.get_by_text("Tick")).to_have_count(0)


@pytest.mark.feature("A1.8")
def test_a_revoked_session_stops_a_callback(small: Town, page_at: PageAt) -> None:
    page = small.window(page_at, small.admin, "/?still")  # no live part that would notice first
    page.get_by_role("button", name="Press").click()
    expect(page.get_by_text("Marks: 1")).to_be_visible()
    small.revoke(small.admin)
    page.get_by_role("button", name="Press").click()
    is_outside(page)
    expect(page.get_by_text("Marks: 1")).to_be_visible()


@pytest.mark.feature("A1.8")
def test_an_idle_session_is_covered_and_keeps_a_form_half_filled(
    town: Town, page_at: PageAt
) -> None:
    page = town.window(page_at, town.auditor, "/every-security")
    page.get_by_label("New password", exact=True).press_sequentially("half a pass")
    fall_idle(town, town.auditor)
    cover = page.get_by_role("dialog")
    expect(cover.get_by_text("You have been away")).to_be_visible(timeout=NOTICED_MS)
    # Nothing of it can be seen, read out or found, in the page or beside it.
    for place in ("stMain", "stSidebar"):
        expect(page.get_by_test_id(place)).not_to_be_visible()
        expect(page.get_by_test_id(place).get_by_text("Security").first).not_to_be_visible()
    expect(page.get_by_role("heading", name="Security")).to_have_count(0)
    expect(page.get_by_role("link", name="Security")).to_have_count(0)
    page.keyboard.press("Escape")
    cover.get_by_label("Password", exact=True).fill("not it")
    cover.get_by_role("button", name="Unlock").click()
    expect(cover.get_by_text("This is not your password")).to_be_visible()

    cover.get_by_label("Password", exact=True).fill(town.auditor.password)
    cover.get_by_role("button", name="Unlock").click()
    expect(cover).to_have_count(0)
    expect(page.get_by_role("heading", name="Security")).to_be_visible()
    expect(page.get_by_label("New password", exact=True)).to_have_value("half a pass")
    is_inside(page)


def quiet_since(town: Town, who: Somebody) -> datetime:
    """When somebody's one session was last seen to do something."""
    with looking(app.system_desk(town.bank)) as tx:
        wanted = select(Session.last_seen_at).where(
            Session.user_id == who.id, Session.status == SessionStatus.ACTIVE
        )
        return tx.session.scalars(wanted).one()


@pytest.mark.feature("A1.8")
def test_a_live_part_does_not_keep_a_session_awake(small: Town, page_at: PageAt) -> None:
    page = small.window(page_at, small.auditor)
    expect(page.get_by_text("Tick 2 of")).to_be_visible()
    before = small.bank.clock.now() - timedelta(minutes=5)
    small.change_session(small.auditor, last_seen_at=before)
    expect(page.get_by_text("Tick 5 of")).to_be_visible()
    assert quiet_since(small, small.auditor) == before


@pytest.mark.feature("A1.8")
def test_watching_for_the_lock_does_not_keep_a_session_awake(town: Town, page_at: PageAt) -> None:
    page = page_at(base_url=town.url)
    page.context.add_cookies([town.cookie(town.open_session(town.other_customer))])
    with page.expect_websocket() as opened:
        page.goto("/")
    is_inside(page)
    before = town.bank.clock.now() - timedelta(minutes=5)
    town.change_session(town.other_customer, last_seen_at=before)
    opened.value.wait_for_event("framereceived", is_finished, timeout=NOTICED_MS)
    assert quiet_since(town, town.other_customer) == before
    page.get_by_role("link", name="Security").first.click()  # a click does
    expect(page.get_by_role("heading", name="Security")).to_be_visible()
    assert quiet_since(town, town.other_customer) > before


def is_finished(frame: bytes | str) -> bool:
    """Whether this is the server's word that a run of a page or a part of it is over."""
    assert isinstance(frame, bytes)
    return str(ForwardMsg.FromString(frame).WhichOneof("type")) == "script_finished"


@pytest.mark.feature("A1.8")
def test_an_idle_session_keeps_an_input_half_typed(town: Town, page_at: PageAt) -> None:
    page = town.window(page_at, town.customer, "/demo-mailbox")
    page.get_by_label("Only mails to").press_sequentially("half a wor")
    fall_idle(town, town.customer)
    # The cover takes the focus, which sends what was typed, which finds the session locked.
    expect(page.get_by_role("heading", name="Locked")).to_be_visible(timeout=NOTICED_MS)
    page.get_by_label("Password", exact=True).fill(town.customer.password)
    page.get_by_role("button", name="Unlock").click()
    is_inside(page)
    expect(page.get_by_label("Only mails to")).to_have_value("half a wor")


@pytest.mark.feature("A1.8")
def test_a_locked_session_keeps_what_had_been_sent(town: Town, page_at: PageAt) -> None:
    page = town.window(page_at, town.admin, "/demo-mailbox")
    is_inside(page)
    page.get_by_label("Only mails to").fill("asha@")
    page.keyboard.press("Enter")
    at_rest(page)
    page.get_by_role("button", name="Lock", exact=True).click()
    expect(page.get_by_role("heading", name="Locked", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="Security")).to_have_count(0)
    page.get_by_label("Password", exact=True).fill(town.admin.password)
    page.get_by_role("button", name="Unlock").click()
    is_inside(page)
    expect(page.get_by_role("heading", name="Demo mailbox")).to_be_visible()
    expect(page.get_by_label("Only mails to")).to_have_value("asha@")


@pytest.mark.feature("A1.8")
def test_every_lock_asks_for_the_password_again(town: Town, page_at: PageAt) -> None:
    page = town.window(page_at, town.cashier)
    is_inside(page)
    for _ in range(3):
        page.get_by_role("button", name="Lock", exact=True).click()
        expect(page.get_by_role("heading", name="Locked", exact=True)).to_be_visible()
        field = page.get_by_label("Password", exact=True)
        expect(field).to_have_value("")
        page.get_by_role("button", name="Unlock").click()
        expect(page.get_by_text("This is not your password")).to_be_visible()
        field.fill(town.cashier.password)
        page.get_by_role("button", name="Unlock").click()
        is_inside(page)
        town.forgive(town.cashier)


@pytest.mark.feature("A1.8", "A1.14")
def test_a_file_is_for_the_session_it_was_made_for(small: Town, page_at: PageAt) -> None:
    mine = small.window(page_at, small.cashier, "/?still")
    theirs = small.window(page_at, small.customer, "/?still")
    addresses = []
    for button in ("At once", "On click"):
        with mine.expect_download() as download:
            mine.get_by_role("button", name=button).click()
        addresses.append(download.value.url)
        text = download.value.path().read_text()
        assert text == f"{'now' if button == 'At once' else 'later'} for Ravi Kumar"
    for address in addresses:
        assert "/media/" in address
        assert file_status(address, mine) == 200
        assert file_status(address, theirs) == 404
        assert status_of(address) == 403
    small.revoke(small.cashier)
    assert [file_status(address, mine) for address in addresses] == [403, 403]


@pytest.mark.feature("A13.2")
def test_a_bug_is_an_apology_with_a_number_that_the_log_knows(small: Town, page_at: PageAt) -> None:
    page = small.window(page_at, small.other_customer)
    page.get_by_role("button", name="Break").click()
    apology = page.get_by_text("Something went wrong on our side")
    expect(apology).to_be_visible()
    reference = apology.locator("strong").inner_text()
    assert "secret detail" not in page.content()
    assert "look at today's slips or the statement" in page.inner_text("body")
    log = small.server.last_words(200)
    assert f"reference {reference}" in log
    assert "a secret detail of the inside" in log
