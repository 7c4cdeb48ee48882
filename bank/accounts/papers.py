"""Papers: what the bank prints. Letterhead, title, facts, tables with totals, page x of y.

Everything is black on white: what matters is said by words, rules and weight, never by colour, so
a paper reads the same from a laser printer. Sizes are points, measured from the top of an A4 page.
"""

import io
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from reportlab.graphics import renderPDF
from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import simpleSplit
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from bank.core import money

HOUSE_NAME: Final = "Bank in a Browser"
WIDTH, HEIGHT = A4
MARGIN: Final = 42
BOTTOM: Final = 58
PLAIN: Final = "Vera"  # comes with the library, so a paper looks the same on every machine
BOLD: Final = "VeraBd"
SMALL, NORMAL, LARGE = 7, 8.5, 15
LINE: Final = 11
CELL: Final = 3  # air to the left and right of a cell's text


@dataclass(frozen=True, kw_only=True)
class Letterhead:
    """Who writes: a branch of the bank."""

    branch: str
    ifsc: str
    address: str


@dataclass(frozen=True, kw_only=True)
class PaperColumn:
    """A column of a printed table. The shares of all columns divide the width of the page."""

    title: str
    share: float
    right: bool = False


def amount(amount_minor: int, currency: str) -> str:
    """`INR 12,345.67`: figures on paper carry the currency's code, which every font can print."""
    sign = "-" if amount_minor < 0 else ""
    return f"{sign}{currency} {money.digits(amount_minor, currency)}"


def printable(text: str) -> str:
    """The text in letters the paper's font has; what it lacks becomes its base letter or `?`."""
    glyphs = _glyphs()
    written = []
    for char in unicodedata.normalize("NFC", " ".join(text.replace("₹", "INR ").split())):
        if ord(char) in glyphs:
            written.append(char)
        else:
            base = unicodedata.normalize("NFKD", char)[0]
            written.append(base if ord(base) in glyphs else "?")
    return "".join(written)


def masked(number: str) -> str:
    """An account number with all but its last four digits hidden: `•••• 1234`."""
    return f"•••• {number[-4:]}" if len(number) > 4 else number


def in_groups(code: str) -> str:
    """A code in groups of four characters, to be compared by eye or read out."""
    return " ".join(code[start : start + 4] for start in range(0, len(code), 4))


class Paper:
    """One document on its way; `finish` answers its bytes.

    `note` stands at the foot of every page, `mark` (such as DUPLICATE) at its head.
    """

    def __init__(self, head: Letterhead, *, title: str, note: str, mark: str = "") -> None:
        _glyphs()
        self._file = io.BytesIO()
        self._canvas = _NumberedCanvas(self._file, pagesize=A4, invariant=True)
        self._canvas.note = printable(note)
        self._canvas.setTitle(printable(title))
        self._canvas.setAuthor(HOUSE_NAME)
        self._head, self._title, self._mark = head, printable(title), printable(mark)
        self._y = 0.0
        self._begin()

    def facts(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Names and values below each other; empty values are left out."""
        for name, value in pairs:
            if not value:
                continue
            lines = simpleSplit(printable(value), PLAIN, NORMAL, WIDTH - 2 * MARGIN - 130)
            self._room(LINE * len(lines))
            self._write(MARGIN, printable(name), BOLD, NORMAL)
            for line in lines:
                self._write(MARGIN + 130, line, PLAIN, NORMAL)
                self._y -= LINE
        self._y -= LINE / 2

    def large(self, name: str, value: str) -> None:
        """One thing that must be found at a glance."""
        self._room(LARGE + 2 * LINE)
        self._write(MARGIN, printable(name), PLAIN, SMALL)
        self._y -= LARGE + 2
        self._write(MARGIN, printable(value), BOLD, LARGE)
        self._y -= LARGE + 2

    def text(self, text: str) -> None:
        """A paragraph."""
        lines = simpleSplit(printable(text), PLAIN, NORMAL, WIDTH - 2 * MARGIN)
        for line in lines:
            self._room(LINE)
            self._write(MARGIN, line, PLAIN, NORMAL)
            self._y -= LINE
        self._y -= LINE / 2

    def table(
        self,
        columns: Sequence[PaperColumn],
        rows: Iterable[Sequence[str]],
        total: Sequence[str] | None = None,
    ) -> None:
        """Rows under headings that are repeated on every page; `total` is the bold last row."""
        whole = sum(column.share for column in columns)
        widths = [(WIDTH - 2 * MARGIN) * column.share / whole for column in columns]
        self._headings(columns, widths)
        for row in rows:
            self._row(columns, widths, row, PLAIN)
        if total is not None:
            self._row(columns, widths, total, BOLD)
        self._y -= LINE

    def signatures(self, names: Sequence[str]) -> None:
        """Lines to sign on, beside each other."""
        self._room(70)
        self._y -= 48
        width = (WIDTH - 2 * MARGIN) / len(names)
        for number, name in enumerate(names):
            left = MARGIN + number * width
            self._canvas.setLineWidth(0.6)
            self._canvas.line(left, self._y + 10, left + width - 24, self._y + 10)
            self._write(left, printable(name), PLAIN, SMALL)
        self._y -= LINE

    def code(self, text: str, size: int = 84) -> None:
        """The text as a QR code in the top right corner of this page."""
        widget: Any = QrCodeWidget(text, barLevel="M")
        left, bottom, right, top = widget.getBounds()
        scale = size / (right - left)
        drawing = Drawing(
            size, size, transform=[scale, 0, 0, size / (top - bottom), -left, -bottom]
        )
        drawing.add(widget)
        renderPDF.draw(drawing, self._canvas, WIDTH - MARGIN - size, HEIGHT - MARGIN - 60 - size)

    def finish(self) -> bytes:
        """The document, complete."""
        self._canvas.showPage()
        self._canvas.save()
        return self._file.getvalue()

    def _begin(self) -> None:
        top = HEIGHT - MARGIN
        canvas = self._canvas
        self._y = top - 12
        self._write(MARGIN, HOUSE_NAME, BOLD, 13)
        branch = f"{self._head.branch}, IFSC {self._head.ifsc}"
        canvas.setFont(PLAIN, NORMAL)
        canvas.drawRightString(WIDTH - MARGIN, self._y, printable(branch))
        self._y -= LINE
        canvas.setFont(PLAIN, SMALL)
        canvas.drawRightString(WIDTH - MARGIN, self._y, printable(self._head.address)[:110])
        self._y -= 6
        canvas.setLineWidth(1.2)
        canvas.line(MARGIN, self._y, WIDTH - MARGIN, self._y)
        self._y -= 22
        self._write(MARGIN, self._title, BOLD, 12)
        if self._mark:
            canvas.setFont(BOLD, 12)
            canvas.drawRightString(WIDTH - MARGIN, self._y, self._mark)
        self._y -= 20

    def _room(self, points: float) -> bool:
        """Begin another page when this one has no room; answers whether it did."""
        if self._y - points >= BOTTOM:
            return False
        self._canvas.showPage()
        self._begin()
        return True

    def _headings(self, columns: Sequence[PaperColumn], widths: Sequence[float]) -> None:
        self._row(columns, widths, [column.title for column in columns], BOLD, heading=True)

    def _row(
        self,
        columns: Sequence[PaperColumn],
        widths: Sequence[float],
        cells: Sequence[str],
        font: str,
        *,
        heading: bool = False,
    ) -> None:
        split = [_split(cell, font, width) for cell, width in zip(cells, widths, strict=True)]
        height = (SMALL + 2) * max(len(lines) for lines in split) + 3
        if self._room(height) and not heading:
            self._headings(columns, widths)
        canvas = self._canvas
        canvas.setFont(font, SMALL)
        left = float(MARGIN)
        for column, width, lines in zip(columns, widths, split, strict=True):
            y = self._y - SMALL
            for line in lines:
                if column.right:
                    canvas.drawRightString(left + width - CELL, y, line)
                else:
                    canvas.drawString(left + CELL, y, line)
                y -= SMALL + 2
            left += width
        self._y -= height
        canvas.setLineWidth(0.8 if font == BOLD else 0.25)
        canvas.line(MARGIN, self._y + 1, WIDTH - MARGIN, self._y + 1)

    def _write(self, x: float, text: str, font: str, size: float) -> None:
        self._canvas.setFont(font, size)
        self._canvas.drawString(x, self._y, text)


class _NumberedCanvas(Canvas):  # type: ignore[misc]
    """Keeps the pages until all are drawn, because only then `page x of y` is known."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.note = ""
        self._kept: list[dict[str, Any]] = []

    def showPage(self) -> None:
        self._kept.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        kept = self._kept
        for number, page in enumerate(kept, 1):
            self.__dict__.update(page)
            self.setLineWidth(0.5)
            self.line(MARGIN, BOTTOM - 12, WIDTH - MARGIN, BOTTOM - 12)
            self.setFont(PLAIN, SMALL)
            for line_number, line in enumerate(simpleSplit(self.note, PLAIN, SMALL, 420)[:3]):
                self.drawString(MARGIN, BOTTOM - 22 - line_number * 9, line)
            self.drawRightString(WIDTH - MARGIN, BOTTOM - 22, f"Page {number} of {len(kept)}")
            super().showPage()
        super().save()


def _split(cell: str, font: str, width: float) -> list[str]:
    text = printable(cell)
    if pdfmetrics.stringWidth(text, font, SMALL) <= width - 2 * CELL:
        return [text]
    lines: list[str] = []
    for line in simpleSplit(text, font, SMALL, width - 2 * CELL):
        while pdfmetrics.stringWidth(line, font, SMALL) > width - 2 * CELL:  # one long word
            fitting = max(
                1, int(len(line) * (width - 2 * CELL) / pdfmetrics.stringWidth(line, font, SMALL))
            )
            lines.append(line[:fitting])
            line = line[fitting:]
        lines.append(line)
    return lines


@cache
def _glyphs() -> frozenset[int]:
    fonts = [TTFont(name, f"{name}.ttf") for name in (PLAIN, BOLD)]
    for font in fonts:
        pdfmetrics.registerFont(font)
    return frozenset.intersection(*(frozenset(font.face.charToGlyph) for font in fonts))
