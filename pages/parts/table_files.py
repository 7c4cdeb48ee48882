"""Tables as files: CSV for other programs, a workbook for whoever opens it in Excel.

A cell of a workbook is a number, a day or a text, each of its type, so that it sorts and adds up;
a text is never a formula. Amounts say their side.
"""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal, TypeVar

import streamlit as st
from xlsxwriter import Workbook
from xlsxwriter.format import Format

from bank.core import money
from bank.core.cells import safe_cell
from bank.core.clock import in_india
from bank.core.desk import Desk
from bank.core.permissions import Permission
from bank.office import trail
from pages.parts import ui
from pages.parts.columns import RIGHT, Column, Kind, written

T = TypeVar("T")
AMOUNTS: Final = frozenset({Kind.AMOUNT, Kind.SIDE})
CURRENCY: Final = "Currency"
DAY: Final = "dd mmm yyyy"
MOMENT: Final = f"{DAY}, hh:mm"
LONGEST_TEXT: Final = 32_767  # of a cell of a workbook
FILTER_ARROW: Final = 3  # characters beside a header
WIDEST: Final = 60  # characters
MOST_MINOR: Final = 10**15  # a workbook's numbers have 15 digits; what is larger is kept as text


def csv_of(rows: Sequence[T], columns: Sequence[Column[T]]) -> bytes:
    """The rows as UTF-8 CSV with a header: amounts as decimals, dates as ISO, harmless text."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_header(columns))
    currency_of = _currency(columns)
    for row in rows:
        cells = [_bare(item.of(row), item, row) for item in columns]
        writer.writerow(cells if currency_of is None else [*cells, currency_of(row)])
    return out.getvalue().encode("utf-8-sig")  # the mark tells spreadsheets that it is UTF-8


def xlsx_of(rows: Sequence[T], columns: Sequence[Column[T]]) -> bytes:
    """The rows as a workbook of one sheet, with a header that stays and can filter."""
    out = io.BytesIO()
    # Text stays text, whatever it looks like: no formula, no link, no number.
    as_text = dict.fromkeys(("strings_to_formulas", "strings_to_urls", "strings_to_numbers"), False)
    book = Workbook(out, {"in_memory": True, **as_text})
    sheet = book.add_worksheet("Table")
    looks = _Looks(book)
    currency_of = _currency(columns)
    for at, label in enumerate(_header(columns)):
        is_right = at < len(columns) and columns[at].kind in RIGHT
        sheet.write_string(0, at, label, looks("", bold=True, align="right" if is_right else ""))
    widest = [len(label) + FILTER_ARROW for label in _header(columns)]
    for line, row in enumerate(rows, 1):
        for at, item in enumerate(columns):
            widest[at] = max(widest[at], _write(sheet, line, at, item, row, looks))
        if currency_of is not None:
            sheet.write_string(line, len(columns), currency_of(row))
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(len(rows), 1), len(_header(columns)) - 1)
    # By what is shown: the library's own fitting knows no formats, and Excel shows hashes for a
    # number that does not fit.
    for at, characters in enumerate(widest):
        sheet.set_column(at, at, min(characters + 1, WIDEST))
    book.close()
    return out.getvalue()


@dataclass(frozen=True, kw_only=True)
class _As:
    """One kind of file."""

    suffix: Literal["xlsx", "csv"]
    label: str
    mime: str
    make: Callable[[Sequence[Any], Sequence[Column[Any]]], bytes]


KINDS: Final = (
    _As(
        suffix="xlsx",
        label="Download Excel",
        mime="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        make=xlsx_of,
    ),
    _As(suffix="csv", label="Download CSV", mime="text/csv", make=csv_of),
)


def offer(
    rows_of: Callable[[Desk], Sequence[T]],
    columns: Sequence[Column[T]],
    *,
    name: str,
    key: str,
    filters: Mapping[str, str],
    permission: Permission = Permission.SESSION_KEEP,
) -> None:
    """A button for each kind of file. When one is asked for, the rows are read by the desk of that
    moment, and the trail keeps who takes them: which table, narrowed by `filters`, as what."""

    def maker(kind: _As) -> Callable[[Desk], bytes]:
        def make(asking: Desk) -> bytes:
            rows = rows_of(asking)
            trail.record_export(asking, name, len(rows), filters, kind.suffix)
            return kind.make(rows, columns)

        return make

    with st.container(horizontal=True, key=f"{key}_files", width="content"):
        for kind in KINDS:
            ui.download(
                kind.label,
                maker(kind),
                permission=permission,
                file_name=f"{name}.{kind.suffix}",
                mime=kind.mime,
                key=f"{key}_{kind.suffix}",
                look="tertiary",
            )


def _header(columns: Sequence[Column[T]]) -> list[str]:
    return [item.label for item in columns] + ([CURRENCY] if _currency(columns) else [])


def _currency(columns: Sequence[Column[T]]) -> Callable[[T], str] | None:
    """How the currency of a row is told, None where no column holds money."""
    return next((item.currency_of for item in columns if item.kind in AMOUNTS), None)


def _bare(value: Any, item: Column[T], row: T) -> str:
    if value is None:
        return ""
    if item.kind in AMOUNTS:
        return str(money.to_decimal(value, item.currency_of(row)))
    if item.kind is Kind.NUMBER:
        return str(value)
    if isinstance(value, datetime):
        return in_india(value).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return safe_cell(written(value, item.kind))


class _Looks:
    """The formats of a workbook, each made once."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._made: dict[tuple[str, bool, str], Format] = {}

    def __call__(self, pattern: str, *, bold: bool = False, align: str = "") -> Format:
        made = self._made.get((pattern, bold, align))
        if made is None:
            wanted = {"num_format": pattern, "bold": bold, "align": align}
            made = self._book.add_format({name: said for name, said in wanted.items() if said})
            self._made[pattern, bold, align] = made
        return made


def _write(sheet: Any, line: int, at: int, item: Column[T], row: T, looks: _Looks) -> int:
    """One cell, of the type that its value is of; how many characters wide it is shown."""
    value = item.of(row)
    if value is None or value == "":
        return 0
    if item.kind in AMOUNTS and abs(value) < MOST_MINOR:
        currency, has_side = item.currency_of(row), item.kind is Kind.SIDE
        exact = float(money.to_decimal(value, currency))
        sheet.write_number(line, at, exact, looks(amount_pattern(currency, sides=has_side)))
        return len(money.digits(value, currency)) + len(" Cr")
    if item.kind is Kind.NUMBER:
        sheet.write_number(line, at, value, looks("#,##0"))
        return len(f"{value:,}")
    if isinstance(value, datetime):
        local = in_india(value).replace(tzinfo=None)  # as pages say it; a workbook has no zones
        sheet.write_datetime(line, at, local, looks(MOMENT))
        return len(MOMENT)
    if isinstance(value, date):
        sheet.write_datetime(line, at, value, looks(DAY))
        return len(DAY)
    text = written(value, item.kind, item.currency_of(row))[:LONGEST_TEXT]
    sheet.write_string(line, at, text)
    return len(text)


def amount_pattern(currency: str, *, sides: bool) -> str:
    """The number format of amounts, without the currency's sign.

    It asks for groups and does not say of how many digits: a spreadsheet groups as the machine it
    is opened on does, on one set up for India by lakhs and crores, whatever is typed or added up.
    """
    places = money.exponent(currency)
    plain = "#,##0" + (f".{'0' * places}" if places else "")
    return f'{plain}" Cr";{plain}" Dr"' if sides else f"{plain};-{plain}"
