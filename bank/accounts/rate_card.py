"""The rate card: what the bank pays on fixed deposits and asks for loans, from a day on.

A line of the card is a slab of deposits (for how long, of how much), a kind of loan, or a benchmark
by which loans go. Its rates are dated data: the newest row that is not after a day counts on it; a
row without a rate takes the line off the card. Head office sets them in `accounts/card_terms`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from sqlalchemy import CheckConstraint, ForeignKey, String, select
from sqlalchemy.orm import Mapped, mapped_column

from bank.core import money
from bank.core.db import Base
from bank.core.desk import Tx

LONGEST_CODE: Final = 32
LONGEST_NAME: Final = 60
LONGEST_SOURCE: Final = 200
YEAR_DAYS: Final = 365


class Card(StrEnum):
    """Which part of the card a line belongs to."""

    DEPOSIT = "deposit"
    LOAN = "loan"
    BENCHMARK = "benchmark"


class RateLine(Base):
    """One line. Of a deposit: from how many days on to how many, of which amount (`below_minor` is
    no longer in it). What has no end is empty."""

    __tablename__ = "rate_lines"
    __table_args__ = (
        CheckConstraint("from_days <= to_days", name="days_in_order"),
        CheckConstraint("from_minor >= 0 AND from_minor < below_minor", name="amounts_in_order"),
    )

    code: Mapped[str] = mapped_column(String(LONGEST_CODE), primary_key=True)
    card: Mapped[Card]
    name: Mapped[str] = mapped_column(String(LONGEST_NAME))
    from_days: Mapped[int | None]
    to_days: Mapped[int | None]
    from_minor: Mapped[int]
    below_minor: Mapped[int | None]


class RateLineTerm(Base):
    """What a line says from a day on, in basis points a year. `over` is the code of the benchmark
    that comes on top of `rate_bps`; `extra_bps` is what senior citizens get more."""

    __tablename__ = "rate_line_terms"
    __table_args__ = (CheckConstraint("rate_bps >= 0 AND extra_bps >= 0", name="not_negative"),)

    code: Mapped[str] = mapped_column(ForeignKey("rate_lines.code"), primary_key=True)
    effective_from: Mapped[date] = mapped_column(primary_key=True)
    rate_bps: Mapped[int | None]
    extra_bps: Mapped[int]
    over: Mapped[str | None] = mapped_column(String(LONGEST_CODE))
    source: Mapped[str] = mapped_column(String(LONGEST_SOURCE))


@dataclass(frozen=True, kw_only=True)
class CardRate:
    """A line of the card from a day on. `over_bps` is the benchmark of `over` on the day that is
    looked at; `rate_bps` is the spread then. Without a rate the line is off the card."""

    code: str
    card: Card
    name: str
    from_days: int | None
    to_days: int | None
    from_minor: int
    below_minor: int | None
    effective_from: date
    rate_bps: int | None
    extra_bps: int
    over: str | None
    over_name: str | None
    over_bps: int | None
    source: str

    @property
    def total_bps(self) -> int | None:
        """What is paid or asked: the rate, with its benchmark where it goes by one."""
        return None if self.rate_bps is None else self.rate_bps + (self.over_bps or 0)

    @property
    def senior_bps(self) -> int | None:
        """What senior citizens get on a deposit."""
        return None if self.rate_bps is None else self.rate_bps + self.extra_bps

    @property
    def days(self) -> str:
        """`46 to 90 days`, `1 to 2 years`; nothing where every time is meant."""
        if self.from_days is None or self.to_days is None:
            return ""
        if self.from_days % YEAR_DAYS == self.to_days % YEAR_DAYS == 0:
            first, last = self.from_days // YEAR_DAYS, self.to_days // YEAR_DAYS
            years = "year" if last == 1 else "years"
            return f"{last} {years}" if first == last else f"{first} to {last} {years}"
        return f"{self.from_days:,} to {self.to_days:,} days"

    @property
    def amounts(self) -> str:
        """`below ₹ 3,00,00,000.00`; nothing where every amount is meant."""
        least = f"from {money.show(self.from_minor)}" if self.from_minor else ""
        most = "" if self.below_minor is None else f"below {money.show(self.below_minor)}"
        return " ".join(part for part in (least, most) if part)

    @property
    def said(self) -> str:
        """`8.00 % a year: Repo rate 5.25 % a year and 2.75 % a year`, `fixed at ...`, or that it is
        not offered."""
        if self.rate_bps is None or self.total_bps is None:
            return "not offered"
        if self.over is None:
            return money.percent(self.total_bps)
        return (
            f"{money.percent(self.total_bps)}: {self.over_name} {money.percent(self.over_bps or 0)}"
            f" and {money.percent(self.rate_bps)}"
        )


def card_rates(tx: Tx) -> tuple[list[CardRate], list[CardRate]]:
    """What holds today, in the order of the card, and what is to come, the nearest first."""
    lines = tx.session.scalars(
        select(RateLine).order_by(RateLine.card, RateLine.from_minor, RateLine.from_days,
                                  RateLine.name)
    ).all()  # fmt: skip
    terms: dict[str, list[RateLineTerm]] = {}
    for term in tx.session.scalars(select(RateLineTerm).order_by(RateLineTerm.effective_from)):
        terms.setdefault(term.code, []).append(term)
    names = {line.code: line.name for line in lines}
    held, coming = [], []
    for line in lines:
        of_line = terms.get(line.code, [])
        now = term_of(of_line, tx.business_date)
        if now is not None:
            held.append(_rate(line, now, terms, names, tx.business_date))
        coming += [
            _rate(line, term, terms, names, term.effective_from)
            for term in of_line
            if term.effective_from > tx.business_date
        ]
    return held, sorted(coming, key=lambda rate: rate.effective_from)


def term_of(terms: Sequence[RateLineTerm], day: date) -> RateLineTerm | None:
    """Of a line's terms, the earliest first: the one that counts on a day."""
    begun = [term for term in terms if term.effective_from <= day]
    return begun[-1] if begun else None


def terms_of(tx: Tx, code: str) -> Sequence[RateLineTerm]:
    """Every term of a line, the earliest first."""
    wanted = select(RateLineTerm).where(RateLineTerm.code == code)
    return tx.session.scalars(wanted.order_by(RateLineTerm.effective_from)).all()


def _rate(
    line: RateLine,
    term: RateLineTerm,
    terms: Mapping[str, Sequence[RateLineTerm]],
    names: Mapping[str, str],
    day: date,
) -> CardRate:
    benchmark = None if term.over is None else term_of(terms.get(term.over, []), day)
    return CardRate(
        code=line.code,
        card=line.card,
        name=line.name,
        from_days=line.from_days,
        to_days=line.to_days,
        from_minor=line.from_minor,
        below_minor=line.below_minor,
        effective_from=term.effective_from,
        rate_bps=term.rate_bps,
        extra_bps=term.extra_bps,
        over=term.over,
        over_name=None if term.over is None else names[term.over],
        over_bps=None if benchmark is None else benchmark.rate_bps,
        source=term.source,
    )
