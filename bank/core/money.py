"""Money: whole minor units (paise), Indian grouping, words. No float ever holds an amount."""

import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cache
from typing import Final

from babel.numbers import get_currency_precision
from num2words import num2words

from bank.core.errors import BadInput

HOME: Final = "INR"
SYMBOLS: Final = {"INR": "₹"}
SHORTHAND: Final = {"k": 1_000, "l": 1_00_000, "lakh": 1_00_000, "cr": 1_00_00_000}
LARGEST_MINOR: Final = 10**15  # ten lakh crore rupees: a typing error, not a deposit


@cache
def exponent(currency: str) -> int:
    """Decimal places of the currency (ISO 4217), e.g. 2 for INR."""
    return get_currency_precision(currency)


def to_decimal(amount_minor: int, currency: str = HOME) -> Decimal:
    """The amount in major units, exactly."""
    return Decimal(amount_minor).scaleb(-exponent(currency))


def round_half_up(exact: Decimal) -> int:
    """Round a computed amount in minor units to a whole one, halves away from zero."""
    return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def digits(amount_minor: int, currency: str = HOME) -> str:
    """`1234567` paise as `12,345.67`: grouped, without sign or symbol."""
    # By hand, since every table of every page needs it and a locale's pattern takes ten times as
    # long; a test holds it against CLDR's pattern for India.
    places = exponent(currency)
    whole, part = divmod(abs(amount_minor), 10**places)
    text = str(whole)
    groups, rest = [text[-3:]], text[:-3]
    while rest:
        groups.append(rest[-2:])
        rest = rest[:-2]
    figures = ",".join(reversed(groups))
    return f"{figures}.{part:0{places}d}" if places else figures


def symbol(currency: str = HOME) -> str:
    """`₹` for rupees, the ISO code for every other currency."""
    return SYMBOLS.get(currency, currency)


def show(amount_minor: int, currency: str = HOME) -> str:
    """`₹ 12,345.67`, with a minus sign where the amount is negative."""
    sign = "-" if amount_minor < 0 else ""
    return f"{sign}{symbol(currency)} {digits(amount_minor, currency)}"


def show_side(amount_minor: int, currency: str = HOME) -> str:
    """`₹ 12,345.67 Cr` or `Dr`: how a balance is written."""
    side = "Dr" if amount_minor < 0 else "Cr"
    return f"{symbol(currency)} {digits(amount_minor, currency)} {side}"


def in_words(amount_minor: int, currency: str = HOME) -> str:
    """`Rupees twelve thousand three hundred and forty-five and paise sixty-seven only`."""
    unit = 10 ** exponent(currency)
    major, minor = divmod(abs(amount_minor), unit)
    name, part = ("Rupees", "paise") if currency == HOME else (currency, "and minor units")
    words = num2words(major, lang="en_IN").replace(",", "")
    text = f"{name} {words}"
    if minor:
        text += f" and {part} {num2words(minor, lang='en_IN')}"
    return f"{text} only"


def percent(bps: int) -> str:
    """Basis points of a year as people read them: `2.75 % a year`."""
    return f"{bps / 100:.2f} % a year"


def parse(
    text: str, *, field: str = "amount", currency: str = HOME, may_be_zero: bool = False
) -> int:
    """What a person typed (`5000`, `5k`, `1.5L`, `2 cr`, `₹ 12,345.67`) in minor units.

    Raises BadInput naming `field` for anything that is not an amount of whole minor units, or that
    is zero where it may not be.
    """
    bare = re.sub(r"[\s,_₹]", "", text or "").lower().removeprefix("rs.").removeprefix("rs")
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(k|lakh|l|cr)?", bare)
    if not match:
        raise BadInput("Type the amount in figures, such as 5000, 5k or 1.5L.", field=field)
    try:
        exact = Decimal(match[1]) * SHORTHAND.get(match[2] or "", 1)
    except InvalidOperation as wrong:  # pragma: no cover - the pattern admits only numbers
        raise BadInput("Type the amount in figures, such as 5000.", field=field) from wrong
    minor = exact.scaleb(exponent(currency))
    if minor != minor.to_integral_value():
        raise BadInput(f"An amount has at most {exponent(currency)} decimal places.", field=field)
    if minor == 0 and not may_be_zero:
        raise BadInput("The amount must be more than zero.", field=field)
    if minor > LARGEST_MINOR:
        raise BadInput("The amount is too large. Check the number of zeros.", field=field)
    return int(minor)


def check_positive(amount_minor: int, *, field: str = "amount") -> int:
    """The amount, if it is a whole positive number the bank can book; else BadInput."""
    if not isinstance(amount_minor, int) or isinstance(amount_minor, bool) or amount_minor <= 0:
        raise BadInput("The amount must be more than zero.", field=field)
    if amount_minor > LARGEST_MINOR:
        raise BadInput("The amount is too large. Check the number of zeros.", field=field)
    return amount_minor
