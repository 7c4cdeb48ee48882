"""The browser of the tests looks into strict pages, and notices what is wrong with a page."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.support.browser import PHONE, PageAt, assert_accessible, sideways_scroll, violations

STRICT = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:"
GOOD = '<p><label>Amount <input name="amount"></label></p>'
BAD = '<p><input name="amount"><img src="/logo.png"></p>'
WIDE = '<p style="width: 1000px">A table that does not fit.</p>'
SCRIPTED = "<p>Hello</p><script>document.title = 'changed'</script>"
FOREIGN = '<p>Hello</p><img alt="" src="http://example.invalid/pixel.png">'


class _Pages(BaseHTTPRequestHandler):
    bodies = {
        "/good": GOOD,
        "/bad": BAD,
        "/wide": WIDE,
        "/scripted": SCRIPTED,
        "/foreign": FOREIGN,
    }

    def do_GET(self) -> None:
        body = self.bodies.get(self.path)
        self.send_response(200 if body else 404)
        if self.path != "/foreign":
            self.send_header("Content-Security-Policy", STRICT)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(
            f"<!doctype html><html lang=en><meta name=viewport content='width=device-width'>"
            f"<title>Page</title><link rel=icon href=data:,><main><h1>Page</h1>{body}".encode()
        )

    def log_message(self, format: str, *args: object) -> None:
        """Keep the output of the tests quiet."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Pages)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_axe_works_under_a_strict_policy(page_at: PageAt, site: str) -> None:
    page = page_at(base_url=site)
    page.goto("/good")
    assert_accessible(page)
    page.goto("/bad")
    found = "\n".join(violations(page))
    assert "label (critical)" in found
    assert "image-alt (critical)" in found
    with pytest.raises(AssertionError, match="image-alt"):
        assert_accessible(page, ignoring=["label"])


def test_the_policy_stays_in_force(page_at: PageAt, site: str, page_problems: list[str]) -> None:
    page = page_at(base_url=site)
    page.goto("/scripted")
    assert page.title() == "Page"
    assert any("Content Security Policy" in problem for problem in page_problems)


def test_a_foreign_host_is_noticed(page_at: PageAt, site: str, page_problems: list[str]) -> None:
    page_at(base_url=site).goto("/foreign")
    assert any("asks a foreign host" in problem for problem in page_problems)


def test_a_quiet_page_has_no_problems(page_at: PageAt, site: str, page_problems: list[str]) -> None:
    page_at(base_url=site).goto("/good")
    assert page_problems == []


def test_a_page_too_wide_for_a_phone(page_at: PageAt, site: str) -> None:
    phone = page_at(*PHONE, base_url=site)
    phone.goto("/wide")
    assert sideways_scroll(phone) > 500
    phone.goto("/good")
    assert sideways_scroll(phone) == 0


@pytest.mark.parametrize("dark", [False, True])
def test_a_window_is_light_or_dark(page_at: PageAt, dark: bool) -> None:
    page = page_at(width=1600, height=1000, dark=dark)
    assert page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") is dark
    assert page.viewport_size == {"width": 1600, "height": 1000}
