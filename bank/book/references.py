"""References: what people quote when they ask about an entry, `260316-1042-6`.

Booking date, number of the entry, and a Luhn digit over both, so that a mistyped reference is
caught before anybody looks for it. Nothing is stored: the entry's own id and date say it all.
"""

import re
from datetime import date
from functools import lru_cache
from typing import Final

from stdnum import luhn

from bank.core.errors import BadInput

_WRITTEN: Final = re.compile(r"(\d{6})[-\s]?(\d{1,18})[-\s]?(\d)")


class NotAReference(BadInput):
    """This is not a reference of the bank. Copy it from the receipt, such as 260316-1042-6."""


@lru_cache(maxsize=20_000)
def reference_of(booking_date: date, entry_id: int) -> str:
    """The reference of an entry."""
    day = f"{booking_date:%y%m%d}"
    return f"{day}-{entry_id}-{luhn.calc_check_digit(f'{day}{entry_id}')}"


def entry_id_in(text: str) -> int:
    """The entry's id in a reference as typed, or NotAReference.

    The day has two digits of its year only, so whoever finds the entry compares `reference_of` it
    with `tidy(text)`.
    """
    return int(_parts(text)[1])


def tidy(text: str) -> str:
    """A reference as typed, written as the bank writes it, or NotAReference."""
    return "-".join(_parts(text))


def _parts(text: str) -> tuple[str, str, str]:
    found = _WRITTEN.fullmatch(text.strip())
    if found is None or not luhn.is_valid("".join(found.groups())):
        raise NotAReference(field="reference")
    day, entry_id, check = found.groups()
    return day, entry_id, check
