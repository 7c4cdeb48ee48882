"""A small bank behind a real server, and the ways of a person at its doors.

def test_x(town, page_at):
    page = page_at(base_url=town.url)
    sign_in(page, town, town.cashier)          with password and code, as a person does
    page = town.window(page_at, town.cashier)  with a session opened by the verbs, at once
"""

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect
from pydantic import SecretStr
from sqlalchemy import update

from bank import app
from bank.book.tables import BankState
from bank.core import cookies
from bank.core.config import Settings
from bank.core.desk import Bank, chunk
from bank.core.permissions import Role
from bank.core.secrets import Secret
from bank.people import passwords, sessions, sign_in, tries
from bank.people.sessions import Session
from bank.people.tries import Guarded
from bank.people.viewings import ViewingRow
from tests.support import people
from tests.support.browser import PageAt, assert_accessible
from tests.support.people import Somebody
from tests.support.server import SERVE, Server

IN_THE_MENU: Final = r"^{title}( \(\d+\+?\))?$"
AT_REST: Final = "[data-testid=stApp][data-test-script-state=notRunning]"
XSRF: Final = "the xsrf cookie of one browser"
# The server, with a small page of the tests in place of Home.py.
SMALL: Final = (
    sys.executable,
    "-c",
    "from bank import app, web; from tests.support.server import ROOT; "
    "web.HOME = ROOT / 'tests' / 'support' / 'small_home.py'; web.serve(app.open_bank())",
)


@dataclass
class Town:
    """A demo bank on SQLite with a few people, served by a process of its own."""

    bank: Bank
    server: Server
    cashier: Somebody
    admin: Somebody
    auditor: Somebody
    customer: Somebody
    other_customer: Somebody
    spare: list[Somebody] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The address of the front door."""
        return self.server.url

    def open_session(self, who: Somebody) -> str:
        """Sign somebody in with the verbs; answers the cookie."""
        people.change_user(self.bank, who, totp_last_step=0)  # a code may come twice here
        ticket = sign_in.take_ticket(
            people.guest(self.bank), people.passed(self.bank, who).token, Secret(XSRF)
        )
        sid = sign_in.redeem_ticket(self.bank, ticket.reveal(), XSRF, "127.0.0.1", "a test")
        assert sid is not None
        return sid

    def window(self, page_at: PageAt, who: Somebody, at: str = "/", **options: Any) -> Page:
        """A browser window in which somebody is signed in already."""
        page = page_at(base_url=self.url, **options)
        page.context.add_cookies([self.cookie(self.open_session(who))])
        page.goto(at)
        at_rest(page)
        return page

    def cookie(self, sid: str) -> Any:
        """The session's cookie as a browser keeps it."""
        return {
            "name": cookies.PLAIN,
            "value": sid,
            "url": self.url,
            "httpOnly": True,
            "sameSite": "Strict",
        }

    def change_session(self, who: Somebody, **values: object) -> None:
        """What time or somebody else does to every session of a person."""
        with chunk(app.system_desk(self.bank), "test.session") as tx:
            tx.session.execute(update(Session).where(Session.user_id == who.id).values(**values))

    def expire_viewings(self) -> None:
        """What time does to every look at a customer's portal."""
        with chunk(app.system_desk(self.bank), "test.viewing") as tx:
            tx.session.execute(update(ViewingRow).values(expires_at=tx.now))

    def revoke(self, who: Somebody) -> None:
        """End every session of a person, as they themselves would elsewhere."""
        with chunk(app.system_desk(self.bank), "test.session") as tx:
            sessions.end_sessions(tx, who.id, because="revoked")

    def forgive(self, who: Somebody) -> None:
        """Forget what somebody's tries have used up."""
        with chunk(app.system_desk(self.bank), "test.tries") as tx:
            tries.forget(tx, who.id, Guarded.SIGN_IN)


def make_town(folder: Path, *, command: tuple[str, ...] = SERVE, name: str = "town") -> Town:
    """Seed a town in a folder and start its server."""
    url = f"sqlite:///{folder / 'bank.db'}"
    server = Server(url, folder, command=command, name=name)
    secret = SecretStr(server.env["BANK_SECRET"])
    settings = Settings(data_dir=folder, database_url=url, secret=secret)
    bank = people.as_demo(app.open_bank(settings))
    with chunk(app.system_desk(bank), "test.town") as tx:
        tx.session.merge(BankState(id=1, is_demo=True))
    town = Town(
        bank=bank,
        server=server,
        cashier=people.employee(bank, Role.CASHIER, "ravi"),
        admin=people.employee(bank, Role.BRANCH_ADMIN, "meera"),
        auditor=people.employee(bank, Role.AUDITOR, "omar"),
        customer=people.customer(bank, "asha@example.com"),
        other_customer=people.customer(bank, "sara@example.com"),
    )
    server.start()
    return town


@pytest.fixture(scope="module")
def new_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Town]]:
    """Make towns for one module: new_town(command=...)."""
    patch = pytest.MonkeyPatch()
    patch.setattr(passwords, "COST", 4)  # the server pays for its own bcrypt
    made: list[Town] = []

    def make(**options: Any) -> Town:
        made.append(make_town(tmp_path_factory.mktemp("town"), **options))
        return made[-1]

    yield make
    for town in made:
        town.server.stop()
        town.bank.db.close()
    patch.undo()


@pytest.fixture(scope="module")
def town(new_town: Callable[..., Town], request: pytest.FixtureRequest) -> Town:
    """The town of one module's tests."""
    return new_town(name=request.module.__name__)


def in_the_menu(title: str) -> re.Pattern[str]:
    """A page as the menu calls it: by its title, with or without how much waits behind it."""
    return re.compile(IN_THE_MENU.format(title=re.escape(title)))


def at_rest(page: Page) -> None:
    """Wait until the page is drawn (`wait_for_function` polls by eval, which is forbidden)."""
    page.locator(AT_REST).wait_for()


# Findings of axe-core that come with Streamlit, whatever a page does.
UPSTREAM: Final = {
    "list": "the menu's <ul> holds a <div> for each section",
    "listitem": "so the menu's <li> are no children of the <ul>",
    "presentation-role-conflict": "the place to drop files on is presentational and has a name",
}


def is_accessible(page: Page) -> None:
    """Nothing that axe-core finds is of our own making."""
    assert_accessible(page, ignoring=tuple(UPSTREAM))


def enter_password(page: Page, who: Somebody, password: str | None = None) -> None:
    """The first step at the front door."""
    page.get_by_label("User name", exact=True).fill(who.username)
    page.get_by_label("Password", exact=True).fill(password or who.password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def enter_code(page: Page, town: Town, who: Somebody, action: str = "Confirm code") -> None:
    """The second step: the code from the device or from the mailbox."""
    field = page.get_by_label("One-time code")
    field.wait_for()
    people.change_user(town.bank, who, totp_last_step=0)
    field.fill(people.second_step(town.bank, who).reveal())
    page.get_by_role("button", name=action).click()


def sign_in_as(page: Page, town: Town, who: Somebody) -> None:
    """From the front door to the person's own first page."""
    page.goto(f"{town.url}/")
    enter_password(page, who)
    enter_code(page, town, who)
    is_inside(page)


def is_inside(page: Page) -> None:
    """Wait until somebody is signed in, and no lock (which offers the way out, too) is left."""
    way_out = page.get_by_role("button", name="Sign out", exact=True)
    expect(way_out).to_have_count(1)
    expect(page.get_by_test_id("stSidebar").locator(way_out)).to_be_attached()
    at_rest(page)


def is_outside(page: Page) -> None:
    """Wait until the page asks who one is."""
    expect(page.get_by_role("heading", name="Sign in", exact=True)).to_be_visible()
    at_rest(page)
