"""The rows of an import: what each cell must be, and the typed row it becomes.

Amounts stay exact: they are read as Decimal and become whole minor units of the
row's currency; more decimal places than the currency has are refused, not rounded.
"""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Final, NamedTuple, TypeVar

from babel.numbers import is_currency

from bank.book.drafts import LONGEST_NARRATION
from bank.core.errors import BadInput
from bank.core.money import LARGEST_MINOR, exponent
from bank.night.import_files import ACCOUNTS, BRANCHES, COLUMNS, CUSTOMERS, ENTRIES, shown
from bank.people.branches import LONGEST_ADDRESS, clean_ifsc
from bank.people.customers import LONGEST_NUMBER
from bank.people.fields import clean_email, clean_mobile, clean_name, clean_pan, clean_text

R = TypeVar("R")

_NUMBER: Final = re.compile(r"[A-Za-z0-9]{1,24}")  # what a person can type on a slip
_REFERENCE: Final = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._/-]{{0,{LONGEST_NUMBER - 1}}}")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_AMOUNT: Final = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{1,9})?")
_UNREADABLE: Final = re.compile("[\x00\ud800-\udfff]")  # NUL, and what was no UTF-8

LONGEST_EXTERNAL_ID: Final = 80
_days: Final[dict[str, date]] = {}


class BadCell(ValueError):
    """One row is wrong; the message is the reason in errors.csv."""


class BranchRow(NamedTuple):
    """A line of branches.csv."""

    line: int
    ifsc: str
    name: str
    address: str


class CustomerRow(NamedTuple):
    """A line of customers.csv; pan, email and mobile are None where empty."""

    line: int
    ref: str
    name: str
    date_of_birth: date
    pan: str | None
    email: str | None
    mobile: str | None
    branch_ifsc: str


class AccountRow(NamedTuple):
    """A line of accounts.csv; the overdraft limit in minor units of its currency."""

    line: int
    number: str
    customer_ref: str
    product: str
    currency: str
    opened_on: date
    overdraft_limit_minor: int


class EntryRow(NamedTuple):
    """A line of entries.csv; credit +, debit -, in major units as written."""

    line: int
    external_id: str
    account_number: str
    booking_date: date
    amount: str
    kind: str
    narration: str
    balance_after: str


def branch_row(line: int, cells: list[str]) -> BranchRow:
    """The branch, or BadCell."""
    ifsc, name, address = _readable(BRANCHES, cells)
    return BranchRow(
        line,
        _clean("ifsc", lambda: clean_ifsc(ifsc)),
        _clean("name", lambda: clean_name(name)),
        _clean(
            "address",
            lambda: clean_text(
                address, field="address", longest=LONGEST_ADDRESS, may_be_empty=True
            ),
        ),
    )


def customer_row(line: int, cells: list[str]) -> CustomerRow:
    """The customer, or BadCell."""
    ref, name, born, pan, email, mobile, ifsc = _readable(CUSTOMERS, cells)
    return CustomerRow(
        line,
        _code(ref, "customer_ref", _REFERENCE),
        _clean("name", lambda: clean_name(name)),
        day(born, "date_of_birth"),
        _clean("pan", lambda: clean_pan(pan)),
        _clean("email", lambda: clean_email(email)),
        _clean("mobile", lambda: clean_mobile(mobile)),
        _clean("branch_ifsc", lambda: clean_ifsc(ifsc)),
    )


def account_row(line: int, cells: list[str]) -> AccountRow:
    """The account, or BadCell. Whether the product exists is for the bank to say."""
    number, ref, product, currency, opened, limit = _readable(ACCOUNTS, cells)
    if not (len(currency) == 3 and currency.isascii() and is_currency(currency)):
        raise BadCell(f"currency {shown(currency)} is not a currency code such as INR")
    limit_minor = minor(limit, currency, "overdraft_limit")
    if limit_minor < 0:
        raise BadCell("overdraft_limit is below zero; write the amount that may be overdrawn")
    return AccountRow(
        line,
        _code(number, "account_number", _NUMBER),
        _code(ref, "customer_ref", _REFERENCE),
        product.strip(),
        currency,
        day(opened, "opened_on"),
        limit_minor,
    )


def entry_row(line: int, cells: list[str]) -> EntryRow:
    """The entry, or BadCell. The amounts are read by `minor` once the currency is known."""
    external_id, number, booked, amount, kind, narration, balance = _readable(ENTRIES, cells)
    if not external_id or len(external_id) > LONGEST_EXTERNAL_ID:
        raise BadCell(f"external_id is empty or longer than {LONGEST_EXTERNAL_ID} characters")
    if not external_id.isprintable():
        raise BadCell(f"external_id {shown(external_id)} holds characters that cannot be printed")
    return EntryRow(
        line,
        external_id,
        number,
        day(booked, "booking_date"),
        amount,
        kind,
        _narration(narration),
        balance,
    )


def _narration(text: str) -> str:
    """The text as one printable line that fits, or BadCell: statements and papers show it."""
    if text.isprintable() and "  " not in text and text.strip() == text:
        line = text  # nearly every one: what follows takes three times as long
    else:
        line = _clean(
            "narration",
            lambda: clean_text(text, field="narration", longest=len(text), may_be_empty=True),
        )
    if len(line) > LONGEST_NARRATION:
        raise BadCell(f"narration has {len(line)} characters; at most {LONGEST_NARRATION} fit")
    return line


def day(text: str, column: str) -> date:
    """A calendar day written YYYY-MM-DD, or BadCell."""
    known = _days.get(text)
    if known is not None:
        return known
    try:
        if not _DATE.fullmatch(text):
            raise ValueError
        found = date.fromisoformat(text)
    except ValueError:
        raise BadCell(f"{column} {shown(text)} is not a date; write it as 2026-03-31") from None
    if len(_days) < 100_000:  # dates repeat: remember them, but not what a hostile file invents
        _days[text] = found
    return found


def minor(text: str, currency: str, column: str) -> int:
    """A signed amount in major units as whole minor units, exactly, or BadCell."""
    if not _AMOUNT.fullmatch(text):
        raise BadCell(
            f"{column} {shown(text)} is not an amount; write it as -1234.50, "
            "with a point and without grouping"
        )
    exact = Decimal(text) * _minor_units(currency)
    whole = int(exact)
    if whole != exact:
        places = exponent(currency)
        raise BadCell(f"{column} {text} has more than the {places} decimal places of {currency}")
    if not -LARGEST_MINOR <= whole <= LARGEST_MINOR:
        raise BadCell(f"{column} {text} is too large; check the number of zeros")
    return whole


@cache
def _minor_units(currency: str) -> Decimal:
    """How many minor units one unit of the currency has."""
    return Decimal(10) ** exponent(currency)


def _readable(name: str, cells: list[str]) -> list[str]:
    """The cells of a row of a file, all of them text; BadCell names the first that is none."""
    together = "".join(cells)
    if not together.isascii() or "\0" in together:
        for column, text in zip(COLUMNS[name], cells, strict=True):
            if _UNREADABLE.search(text):
                raise BadCell(f"{column} is not UTF-8 text; save the file as CSV in UTF-8")
    return cells


def _clean(column: str, cleaned: Callable[[], R]) -> R:
    """What the people's own rules make of a cell; their refusal is the reason."""
    try:
        return cleaned()
    except BadInput as refused:
        raise BadCell(f"{column}: {refused}") from None


def _code(text: str, column: str, pattern: re.Pattern[str]) -> str:
    if not pattern.fullmatch(text):
        raise BadCell(
            f"{column} {shown(text)} is not a code of letters and digits, or it is too long"
        )
    return text
