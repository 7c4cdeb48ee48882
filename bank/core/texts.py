"""Text that no database keeps: NUL, and halves of characters that are not text in any encoding.

What people type to search with is refused (`check_search`); what must be kept whatever it is (the
trail) is written with these characters spelled out (`spelled`).
"""

import re
from typing import Final

from bank.core.errors import BadInput

UNWRITABLE: Final = re.compile("[\x00\ud800-\udfff]")


class UnreadableText(BadInput):
    """This holds a character that cannot be read. Type it instead of pasting it."""


def is_writable(text: str) -> bool:
    """Whether every database keeps the text as it is."""
    return UNWRITABLE.search(text) is None


def spelled(text: str) -> str:
    """The text with such characters as `\\x00` and `\\ud83d`."""
    if is_writable(text):
        return text
    return UNWRITABLE.sub(lambda found: ascii(found[0])[1:-1], text)


def check_search(text: str | None, field: str) -> None:
    """Refuse what nothing can be found by (UnreadableText naming `field`)."""
    if text and not is_writable(text):
        raise UnreadableText(field=field)
