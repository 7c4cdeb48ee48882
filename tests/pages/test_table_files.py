"""A table as a workbook: every cell of its type, written as the pages write it, and no formula."""

import io
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st_
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from bank.core import money
from pages.parts import table_files, tables
from pages.parts.tables import Kind, column
from tests.support.apptest import Pages
from tests.support.market import Market

pytestmark = pytest.mark.feature("D0")


@dataclass(frozen=True)
class Line:
    """A row of every kind of cell."""

    day: date | None
    at: datetime
    text: str
    minor: int | None
    count: int = 1_284
    number: str = "123456789012"
    currency: str = "INR"


COLUMNS = [
    column("Day", "day", Kind.DAY),
    column("At", "at", Kind.MOMENT),
    column("Text", "text"),
    column("Amount", "minor", Kind.AMOUNT, currency=lambda row: row.currency),
    column("Balance", "minor", Kind.SIDE, currency=lambda row: row.currency),
    column("Count", "count", Kind.NUMBER),
    column("Account", "number", Kind.ACCOUNT),
]
LATE = datetime(2026, 11, 2, 20, 15, tzinfo=UTC)
IN_INDIA = "2026-11-03T01:45:00"
HOSTILE = ("=1+1", "@SUM(1)", "+1", "-1", "https://example.com", "1234", "'x", "\t=1", "<b>x</b>")


def sheet_of(*lines: Line) -> Worksheet:
    """What a spreadsheet reads."""
    book = load_workbook(io.BytesIO(table_files.xlsx_of(lines, COLUMNS)))
    [sheet] = book.worksheets
    return sheet


def told(value: object) -> object:
    """A cell's value; a workbook knows no time zones, so a moment is told as text."""
    return value.isoformat() if isinstance(value, datetime) else value


def test_each_cell_is_of_its_type() -> None:
    sheet = sheet_of(
        Line(date(2026, 11, 3), LATE, "**Rent**", -1_23_456_78),
        Line(None, LATE, "", None, currency="JPY"),
    )
    rows = [tuple(map(told, row)) for row in sheet.iter_rows(values_only=True)]
    header = ("Day", "At", "Text", "Amount", "Balance", "Count", "Account", "Currency")
    assert rows[0] == header
    assert rows[1] == (
        "2026-11-03T00:00:00",
        IN_INDIA,
        "**Rent**",
        -123456.78,
        -123456.78,
        1284,
        "•••• 9012",
        "INR",
    )
    empty = (None, IN_INDIA, None, None, None, 1284, "•••• 9012", "JPY")
    assert rows[2] == empty
    assert sheet["A1"].font.bold
    assert not sheet["A2"].font.bold
    assert [sheet[f"{at}1"].alignment.horizontal for at in "CDEF"] == [None, *["right"] * 3]
    assert sheet.freeze_panes == "A2", "the header stays"
    assert sheet.auto_filter.ref == "A1:H3"


def test_an_empty_table_has_its_header() -> None:
    assert [cell.value for cell in sheet_of()[1]][:2] == ["Day", "At"]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_stays_a_text(text: str) -> None:
    cell = sheet_of(Line(None, LATE, text, 1))["C2"]
    assert (cell.value, cell.data_type, cell.hyperlink) == (text, "s", None)


@given(st_.text(st_.characters(exclude_categories=["Cs"]), max_size=40))
def test_any_text_makes_a_workbook(text: str) -> None:
    assert sheet_of(Line(None, LATE, text, 1))["D2"].value == 0.01


def test_the_longest_text_fits_a_cell() -> None:
    longest = "x" * table_files.LONGEST_TEXT
    assert sheet_of(Line(None, LATE, f"{longest}y", 1))["C2"].value == longest


@pytest.mark.parametrize(
    ("currency", "amount", "side"),
    [
        ("INR", "#,##0.00;-#,##0.00", '#,##0.00" Cr";#,##0.00" Dr"'),
        ("JPY", "#,##0;-#,##0", '#,##0" Cr";#,##0" Dr"'),
        ("KWD", "#,##0.000;-#,##0.000", '#,##0.000" Cr";#,##0.000" Dr"'),
    ],
)
def test_an_amount_has_the_places_of_its_currency(currency: str, amount: str, side: str) -> None:
    sheet = sheet_of(Line(None, LATE, "", 1_234_567, currency=currency))
    assert (sheet["D2"].number_format, sheet["E2"].number_format) == (amount, side)


@pytest.mark.parametrize("minor", [0, 1_00_000_00, -1_23_45_678_00, 10**15 - 1])
def test_no_cell_is_too_narrow_for_what_it_shows(minor: int) -> None:
    """Excel shows hashes in place of a number that does not fit."""
    line = Line(date(2026, 11, 28), LATE, "t" * 90, minor, count=10**9)
    sheet = sheet_of(line, Line(None, LATE, "", 1))
    drawn = list(sheet.column_dimensions.values())  # neighbours of one width are told once
    wide = {
        item.label: next(each.width for each in drawn if each.min <= at <= each.max)
        for at, item in enumerate(COLUMNS, 1)
    }
    for item in COLUMNS:
        said = tables.written(item.of(line), item.kind).removeprefix("-").removeprefix("₹ ")
        if item.kind is not Kind.TEXT:
            assert wide[item.label] > max(len(said), len(item.label)), said
    assert wide["Text"] < 70, "a text may be cut, and widened by hand"


@pytest.mark.parametrize("minor", [10**15 - 1, -(10**15) + 1, 10**15, 99 * 10**17 + 1])
def test_no_digit_of_an_amount_is_lost(minor: int) -> None:
    sheet = sheet_of(Line(None, LATE, "", minor))
    value = sheet["D2"].value
    if isinstance(value, float):
        assert round(value * 100) == minor
    else:
        assert (value, sheet["E2"].value) == (
            money.show(minor, "INR"),
            money.show_side(minor, "INR"),
        )


def test_a_moment_is_the_same_in_both_files() -> None:
    line = Line(None, LATE, "", None)
    [_, row] = table_files.csv_of([line], COLUMNS).decode("utf-8-sig").splitlines()
    assert row.split(",")[1] == f"{IN_INDIA}+05:30"
    assert told(sheet_of(line)["B2"].value) == IN_INDIA


@pytest.mark.feature("B5")
def test_who_takes_a_workbook_is_in_the_trail(pages: Pages, sqlite_market: Market) -> None:
    market = sqlite_market
    market.deposit("asha", 1_000_00, slip="A1")
    page = pages.open(market.desks["admin"], "admin/employees.py")
    assert not page.exception
    offered = [each.proto.label for each in page.get("download_button")]
    assert offered == ["Download Excel", "Download CSV"]
    workbook, text = pages.papers()
    named = [row[0].value for row in load_workbook(io.BytesIO(workbook)).worksheets[0].rows]
    assert "Ravi Kumar" in named
    assert len(named) == len(text.decode("utf-8-sig").splitlines())
    kinds = market.rows(
        "SELECT json_extract(details, '$.kind') AS kind FROM trail"
        " WHERE verb = 'office.trail.record_export' ORDER BY id"
    )
    assert [row["kind"] for row in kinds] == ["xlsx", "csv"]
