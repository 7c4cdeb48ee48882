"""Text on its way into a spreadsheet: a cell must never become a formula."""

import re
from typing import Final

# What Excel, LibreOffice or Google Sheets take for the start of a formula or of DDE, also in full
# width, behind blanks, or behind the separator or quotation mark of another locale's CSV.
_FORMULA: Final = re.compile(
    r"""[\s;,"'\x00-\x20]*[=+\-@|%＝＋－＠]|[\t\r\n]|DDE\b""", re.IGNORECASE
)


def safe_cell(text: str) -> str:
    """The text, with an apostrophe in front where a spreadsheet would run it."""
    return f"'{text}" if _FORMULA.match(text) else text
