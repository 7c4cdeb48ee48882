"""A real Chromium, driven by Playwright, for what only a browser can show."""

import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Error,
    Page,
    Request,
    expect,
    sync_playwright,
)

from tests.support.server import ARTIFACTS

FLAGS: Final = (
    "--headless",
    "--no-sandbox",  # the sandbox refuses to start as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",  # a container's /dev/shm may hold 64 MB only
    "--force-color-profile=srgb",  # a colour in a screenshot is the same on every machine
)
NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PHONE: Final = (390, 844)
DESK: Final = (1440, 900)
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
TIMEOUT_MS: Final = 15_000
# Under a page's own address, Streamlit first asks whether it lives there (404), then at the root.
PROBE: Final = re.compile(r"/[a-z-]+/_stcore/(?:health|host-config)$")

PageAt = Callable[..., Page]
_FAILED: Final = pytest.StashKey[bool]()


def chromium_executable() -> str | None:
    """The system's Chromium; None leaves the choice to Playwright's own download."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def violations(page: Page, *, ignoring: Sequence[str] = ()) -> list[str]:
    """What axe-core finds wrong with the page as it is now, one line per element.

    The script goes in through the debugger, so the page's Content-Security-Policy stays in force.
    """
    for frame in page.frames:
        frame.evaluate(AXE_SCRIPT)
    found = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    return [
        f"{rule['id']} ({rule['impact']}): {rule['help']}: {' '.join(map(str, node['target']))}"
        f"\n    {node['html'][:200]}"
        for rule in found
        if rule["id"] not in ignoring
        for node in rule["nodes"]
    ]


def assert_accessible(page: Page, *, ignoring: Sequence[str] = ()) -> None:
    """Fail with every violation axe-core finds. `ignoring` names rules; say why where you do it."""
    if found := violations(page, ignoring=ignoring):
        raise AssertionError(f"{page.url} is not accessible:\n" + "\n".join(found))


def sideways_scroll(page: Page) -> int:
    """By how many pixels the page is wider than its window; 0 is what a phone wants."""
    width: int = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return max(0, width)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium for one test module.

    Not for the whole session: Playwright's event loop stays "running" in this thread as long as it
    is open, and asyncio.run() in another test of the same worker would then refuse.
    """
    expect.set_options(timeout=TIMEOUT_MS)  # its own five seconds are few on a busy machine
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=chromium_executable(), args=list(FLAGS)
        )
        yield chromium
        chromium.close()


@pytest.fixture
def page_problems() -> list[str]:
    """What went wrong on this test's pages: script errors, console errors, foreign hosts.

    A page of the bank loads nothing from elsewhere and leaves no error in the console; a test
    that wants to hold it to that ends with `assert page_problems == []`.
    """
    return []


@pytest.fixture
def page_at(
    request: pytest.FixtureRequest, browser: Browser, page_problems: list[str]
) -> Iterator[PageAt]:
    """Open a window: page_at(width=1440, height=900, dark=False, base_url=None).

    Each has its own cookies, like a browser of another person. When the test fails, what every
    window showed is kept in tests/artifacts/.
    """
    with ExitStack() as stack:
        pages: list[Page] = []

        def open_window(
            width: int = DESK[0],
            height: int = DESK[1],
            dark: bool = False,
            *,
            base_url: str | None = None,
            **options: Any,
        ) -> Page:
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme="dark" if dark else "light",
                reduced_motion="reduce",
                locale="en-IN",
                timezone_id="Asia/Kolkata",
                base_url=base_url,
                **options,
            )
            stack.callback(context.close)
            context.set_default_timeout(TIMEOUT_MS)
            page = context.new_page()
            _watch(page, page_problems)
            pages.append(page)
            return page

        yield open_window
        if request.node.stash.get(_FAILED, False):
            _keep_what_it_showed(request.node.name, pages)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Remember that a test failed, so that its windows are photographed before they close."""
    report: pytest.TestReport = yield  # type: ignore[assignment]
    if call.when == "call" and report.failed:
        item.stash[_FAILED] = True
    return report  # type: ignore[return-value]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever opens a browser is marked `browser`, so that -m "not browser" leaves it out."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)


def _watch(page: Page, problems: list[str]) -> None:
    def requested(request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in {"http", "https", "ws", "wss"} and address.hostname not in LOOPBACK:
            problems.append(f"{page.url} asks a foreign host: {request.url}")

    page.on("request", requested)
    page.on("pageerror", lambda error: problems.append(f"{page.url}: {error}"))

    def said(line: ConsoleMessage) -> None:
        if line.type == "error" and not PROBE.search(line.location.get("url", "")):
            problems.append(f"{page.url} says: {line.text}")

    page.on("console", said)


def _keep_what_it_showed(name: str, pages: Sequence[Page]) -> None:
    folder = ARTIFACTS / "failed"
    folder.mkdir(parents=True, exist_ok=True)
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    label = f"{re.sub(r'[^A-Za-z0-9_.-]+', '_', name)[:80]}-{worker}"
    for number, page in enumerate(pages, start=1):
        if page.is_closed():
            continue
        with suppress(Error):  # a crashed page must not hide why the test failed
            html = f"<!-- {page.url} -->\n{page.content()}"
            (folder / f"{label}-{number}.html").write_text(html, encoding="utf-8")
            page.screenshot(path=folder / f"{label}-{number}.png", full_page=True, timeout=5_000)
