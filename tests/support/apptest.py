"""Pages without a browser: Streamlit's AppTest, with a desk in place of the cookie.

    def test_x(pages, world):
        page = pages.open(world.desk(Role.CASHIER), "cashier/counter.py")   the page alone
        home = pages.home(world.desk(Role.CASHIER))                         with Home.py and menu
        home.switch_page("pages/cashier/counter.py").run()                  ValueError: not in it

Press and type as usual (`page.button("key").click().run()`), then look at `page`. `pages.sit(desk)`
changes who sits there between two runs; `pages.papers()` makes the files the page has offered.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from bank import app
from bank.core.desk import Desk
from bank.core.errors import NotAllowed
from bank.core.permissions import Permission, Role
from bank.people.sessions import Found, SessionStatus
from pages.parts import ui, visitor
from tests.support.server import ROOT

SECONDS: Final = 60.0  # for one run, on a machine that does other things too


@dataclass
class Pages:
    """One browser window of a test, and who sits at it."""

    patch: pytest.MonkeyPatch
    desk: Desk | None = None
    found: Found | None = None
    address_line: str = ""
    offered: list[Callable[[], bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.patch.setattr(ui, "principal", lambda *, awake=True: self._sitting)
        self.patch.setattr(visitor, "desk", lambda *, awake=True: self._sitting)
        self.patch.setattr(visitor, "found", lambda *, awake=True: self._found())
        self.patch.setattr(visitor, "cookie", lambda: None)
        self.patch.setattr(visitor, "address", lambda: "127.0.0.1")
        self.patch.setattr(visitor, "agent", lambda: "a browser without a window")
        self.patch.setattr(visitor, "requested_page", lambda: self.address_line)
        self.patch.setattr(visitor, "later", self._later)

    @property
    def _sitting(self) -> Desk:
        assert self.desk is not None, "open a page with a desk first"
        return self.desk

    def sit(self, desk: Desk, *, found: Found | None = None) -> None:
        """From the next run on, this desk sits at the window (`found` for a locked session)."""
        self.desk, self.found = desk, found
        app.serve_from(desk.bank)

    def open(self, desk: Desk, file: str) -> AppTest:
        """Run one page alone, e.g. "cashier/counter.py", as it runs below Home.py."""
        self.sit(desk)
        return AppTest.from_file(ROOT / "pages" / file, default_timeout=SECONDS).run()

    def home(self, desk: Desk, *, found: Found | None = None, at: str = "") -> AppTest:
        """Run Home.py; `at` is the page in the browser's address line."""
        self.sit(desk, found=found)
        self.address_line = at
        return AppTest.from_file(ROOT / "Home.py", default_timeout=SECONDS).run()

    def papers(self) -> list[bytes]:
        """The files that the last run has offered for download, made now."""
        return [make() for make in self.offered]

    def _found(self) -> Found:
        if self.found is not None:
            return self.found
        desk = self._sitting
        if desk.role is Role.GUEST:
            return Found(state=SessionStatus.ENDED)
        return Found(state=SessionStatus.ACTIVE, desk=desk, user_id=desk.user_id, name=desk.name)

    def _later(self, make: Callable[[Desk], bytes], permission: Permission) -> Callable[[], bytes]:
        def run() -> bytes:
            if not self._sitting.may(permission):
                raise NotAllowed
            return make(self._sitting)

        self.offered.append(run)
        return run


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pages]:
    """A window to open pages in."""
    st.cache_data.clear()
    yield Pages(patch=monkeypatch)
    app.serve_nothing()


def words_of(page: AppTest) -> str:
    """Everything a page says, as one text: titles, texts, captions, messages, metrics, tables."""
    said: list[str] = []
    for kind in ("title", "header", "subheader", "markdown", "caption", "text", "code"):
        said += [str(each.value) for each in getattr(page, kind)]
    for kind in ("success", "info", "warning", "error", "exception"):
        said += [str(each.value) for each in getattr(page, kind)]
    said += [f"{metric.label} {metric.value}" for metric in page.metric]
    for kind in ("table", "dataframe"):
        said += [each.value.to_string() for each in getattr(page, kind)]
    return "\n".join(said)
