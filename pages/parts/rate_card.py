"""The card of deposits and loans, drawn the same for customers and for who sets it."""

from collections.abc import Sequence
from typing import Final

from bank.accounts.rate_card import Card, CardRate
from bank.core import money
from bank.core.errors import BadInput
from pages.parts.tables import Column, Kind, column

TITLES: Final = {
    Card.DEPOSIT: "Fixed deposits",
    Card.LOAN: "Loans",
    Card.BENCHMARK: "Benchmarks",
}
SINCE: Final[Column[CardRate]] = column("Since", "effective_from", Kind.DAY)
COLUMNS: Final[dict[Card, list[Column[CardRate]]]] = {
    Card.DEPOSIT: [
        column("Deposit", "name", key=True),
        column("For", lambda rate: rate.days),
        column("Amount", lambda rate: rate.amounts or "any"),
        column("Interest", lambda rate: percent(rate.rate_bps), key=True),
        column("Senior citizens", lambda rate: percent(rate.senior_bps), key=True),
        SINCE,
    ],
    Card.LOAN: [
        column("Loan", "name", key=True),
        column("Amount", lambda rate: rate.amounts or "any"),
        column("Interest", lambda rate: percent(rate.total_bps), key=True),
        column("How it goes", lambda rate: goes(rate)),
        SINCE,
    ],
    Card.BENCHMARK: [
        column("Benchmark", "name", key=True),
        column("Rate", lambda rate: percent(rate.rate_bps), key=True),
        SINCE,
    ],
}


def of_card(rates: Sequence[CardRate], card: Card, *, offered: bool = True) -> list[CardRate]:
    """The lines of one part of the card; `offered` leaves out what is off it."""
    return [
        rate for rate in rates if rate.card is card and (rate.rate_bps is not None or not offered)
    ]


def percent(bps: int | None) -> str:
    """`7.10 % a year`, or that it is not offered."""
    return "not offered" if bps is None else money.percent(bps)


def goes(rate: CardRate) -> str:
    """Whether the rate of a loan is fixed or moves with a benchmark."""
    if rate.rate_bps is None:
        return "not offered"
    if rate.over is None:
        return "fixed"
    return f"moves with the {lower(rate.over_name or '')}: {money.percent(rate.rate_bps)} above it"


def lower(name: str) -> str:
    """A name inside a sentence."""
    return name[:1].lower() + name[1:]


def becomes(rate: CardRate) -> str:
    """What a change of a line leads to, in a sentence without its name."""
    if rate.rate_bps is None:
        return "not offered any more"
    if rate.card is Card.DEPOSIT:
        return f"{percent(rate.rate_bps)}, senior citizens {percent(rate.senior_bps)}"
    if rate.over is not None:
        return f"{percent(rate.total_bps)}, {goes(rate)}"
    return percent(rate.rate_bps)


def bps_of(text: str, field: str = "interest") -> int:
    """A rate in percent, as typed, as basis points; or BadInput."""
    typed = text.replace("%", "").strip()
    whole, _, part = typed.partition(".")
    if not (whole + part).isdecimal() or not whole or len(part) > 2 or len(whole) > 3:
        raise BadInput("Give a rate in percent, like 2.75.", field=field)
    return int(whole) * 100 + int(part.ljust(2, "0") or "0")
