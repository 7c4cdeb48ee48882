"""The demo bank, seeded once per run and copied for whoever needs one.

    def test_x(demo_bank): ...       the whole demo on SQLite, of this test's own
    def test_y(demo_town, page_at):  the same behind a real server, one for a module
        page = demo_town.window(page_at, "asha")

The seeding takes some seconds, a copy a few milliseconds. Its business date is fixed, so that every
figure in it is the same on every day.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Page
from pydantic import SecretStr
from sqlalchemy import select

from bank import app
from bank.core import cookies
from bank.core.config import Settings
from bank.core.desk import Bank, Desk, chunk, looking
from bank.core.permissions import Role
from bank.night import demo
from bank.people import named_grants, sessions
from bank.people.identity import User
from tests.support.browser import PageAt
from tests.support.server import Server
from tests.support.shell import at_rest

DEMO_DAY: Final = date(2025, 11, 14)  # a Friday; the savings rate changed during its year
SECRET: Final = "a secret of the tests, 32 bytes or more"  # the one tests/support/server.py sets
IP: Final = "127.0.0.1"


def settings_in(folder: Path) -> Settings:
    """Settings of the demo bank in `folder`, the same as its server's."""
    return Settings(
        data_dir=folder,
        database_url=f"sqlite:///{folder / 'bank.db'}",
        secret=SecretStr(SECRET),
    )


@pytest.fixture(scope="session")
def demo_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a seeded demo bank, made by the first worker that asks; to be copied."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    ready = shared / "demo-template" / "bank.db"
    with (shared / "demo-template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            draft = shared / "demo-draft"
            shutil.rmtree(draft, ignore_errors=True)  # of a worker that died over it
            bank = app.open_bank(settings_in(draft))
            demo.seed(app.system_desk(bank), as_of=DEMO_DAY)
            bank.db.close()  # the last connection folds the write-ahead log into the file
            draft.rename(ready.parent)
    return ready


def copy_of(template: Path, folder: Path) -> Bank:
    """A demo bank of one's own."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(template, folder / "bank.db")
    return app.open_bank(settings_in(folder), migrated=True)


@pytest.fixture
def demo_bank(demo_template: Path, tmp_path: Path) -> Iterator[Bank]:
    """The whole demo bank, to be changed at will."""
    bank = copy_of(demo_template, tmp_path / "demo")
    yield bank
    bank.db.close()


@pytest.fixture(scope="module")
def seen_demo(demo_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    """The whole demo bank for a module whose tests only look."""
    bank = copy_of(demo_template, tmp_path_factory.mktemp("demo"))
    yield bank
    bank.db.close()


def desk_of(bank: Bank, username: str) -> Desk:
    """The desk of one of the demo's people, without signing in."""
    with looking(app.system_desk(bank)) as tx:
        user = tx.session.scalars(select(User).where(User.username == username)).one()
        return Desk(
            bank=bank,
            role=user.role,
            user_id=user.id,
            name=user.name,
            branch_id=user.branch_id,
            customer_id=user.customer_id,
            session_id=user.id,
            channel="portal" if user.role is Role.CUSTOMER else "branch",
            from_where=IP,
            named=frozenset(named_grants.held_by(tx, [user.id]).get(user.id, ())),
        )


@dataclass
class DemoTown:
    """A demo bank behind a server of its own."""

    bank: Bank
    server: Server
    _sids: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The address of the front door."""
        return self.server.url

    def window(self, page_at: PageAt, username: str, at: str = "/", **options: Any) -> Page:
        """A browser window in which somebody is signed in already."""
        page = page_at(base_url=self.url, **options)
        page.context.add_cookies([self.cookie(username)])
        page.goto(at)
        at_rest(page)
        return page

    def cookie(self, username: str) -> Any:
        """Somebody's session cookie, as a browser keeps it; one session each, opened when asked."""
        if username not in self._sids:
            user_id = desk_of(self.bank, username).user_id
            assert user_id is not None
            with chunk(sessions.guest(self.bank, IP), "test.open_session") as tx:
                self._sids[username] = sessions.open_row(tx, user_id, "a test")[1].reveal()
        return {
            "name": cookies.PLAIN,
            "value": self._sids[username],
            "url": self.url,
            "httpOnly": True,
            "sameSite": "Strict",
        }


@pytest.fixture(scope="module")
def demo_town(
    demo_template: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[DemoTown]:
    """The demo bank of one module's tests, served."""
    folder = tmp_path_factory.mktemp("demo-town")
    bank = copy_of(demo_template, folder)
    server = Server(str(settings_in(folder).database_url), folder, name=request.module.__name__)
    try:
        yield DemoTown(bank, server.start())
    finally:
        server.stop()
        bank.db.close()
