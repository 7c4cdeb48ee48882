"""Tables in a real browser: a click on a header sorts, and the grid itself hands out no file."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import PageAt
from tests.support.shell import Town, at_rest
from tests.support.waiting import wait_until


def column_of(page: Page, title: str) -> list[str]:
    """What the grid shows in a column, read from the table that it draws for screen readers."""
    grid = page.get_by_test_id("stDataFrame").first
    grid.locator("canvas [role=gridcell]").first.wait_for(state="attached")
    rows: list[list[str]] = grid.evaluate(
        """grid => [...grid.querySelectorAll('canvas [role=row]')].map(
            row => [...row.querySelectorAll('[role=columnheader], [role=gridcell]')].map(
                cell => cell.textContent.trim()))"""
    )
    head, *body = rows
    at = next(n for n, name in enumerate(head) if name.rstrip(" ↑↓") == title)
    return [row[at] for row in body if len(row) == len(head)]


def click_header(page: Page, fraction: float) -> None:
    """Click a header so far to the right in the grid."""
    canvas = page.get_by_test_id("stDataFrame").first.locator("canvas").first
    box: Any = canvas.bounding_box()
    page.mouse.click(box["x"] + box["width"] * fraction, box["y"] + 18)
    at_rest(page)


@pytest.mark.feature("A14.1", "B5")
def test_a_click_on_a_header_sorts_and_the_grid_has_no_file(town: Town, page_at: PageAt) -> None:
    page = town.window(page_at, town.admin, "/admin-employees")
    grid = page.get_by_test_id("stDataFrame").first
    expect(grid).to_be_visible()
    at_rest(page)
    given = column_of(page, "Name")
    assert given == sorted(given, key=str.casefold)
    assert len(given) > 2
    click_header(page, 0.1)
    click_header(page, 0.1)
    wait_until(lambda: column_of(page, "Name") == given[::-1], what="names from the last")
    click_header(page, 0.1)
    wait_until(lambda: column_of(page, "Name") == given, what="names in the order given")
    grid.hover()
    expect(grid.get_by_role("button", name="Search")).to_be_visible()
    expect(grid.get_by_role("button", name="Download as CSV")).to_be_hidden()
    expect(page.get_by_role("button", name="Download CSV")).to_be_visible()
