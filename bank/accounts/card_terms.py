"""Head office sets the rate card: fixed deposits by time and amount, loans, benchmarks, from a day
on, by two, with the notice of rates.

A line is added with its first rate and never changed in what it is about; what it pays or asks is
set by later rows, and a row without a rate takes it off the card.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

from sqlalchemy import select

from bank.accounts.rate_card import (
    LONGEST_NAME,
    Card,
    RateLine,
    RateLineTerm,
    term_of,
    terms_of,
)
from bank.accounts.tariff import What
from bank.accounts.terms import (
    HIGHEST_RATE_BPS,
    ChangeThere,
    NothingChanges,
    ThereAlready,
    TooSoon,
    code_of,
    in_time,
    line_facts,
    one_at_a_time,
    recorded,
    why_of,
)
from bank.core import money
from bank.core.checked import Checked
from bank.core.desk import Tx, command
from bank.core.errors import BadInput, NotFound
from bank.core.permissions import Permission
from bank.office.rule_tables import bound_on
from bank.people.fields import clean_text

LINES: Final = "rate_lines"  # of the bounds that a law sets


class NoSuchLine(NotFound):
    """There is no such line on the card. Choose one of the list."""


class TwoForOne(BadInput):
    """Another line of the card is about the same time and amount. Change that one, or choose
    another time or amount."""


class LoansGoByIt(BadInput):
    """Loans go by this benchmark, so it stays on the card. Change the loans first."""


CHECKED: Final = Checked(
    ends=(TooSoon, ChangeThere, NothingChanges, NoSuchLine, ThereAlready, TwoForOne)
)


@command(Permission.TERMS_SET, checked=CHECKED)
def add_line(
    tx: Tx,
    card: Card,
    name: str,
    from_days: int | None,
    to_days: int | None,
    from_minor: int,
    below_minor: int | None,
    effective_from: date,
    rate_bps: int,
    extra_bps: int,
    over: str | None,
    reason: str,
) -> str:
    """Publish the rate of a deposit, a loan or a benchmark that is not on the card yet.

    Answers its code. A deposit has days and amounts; `extra_bps` is what senior citizens get more.
    A loan may go `over` a benchmark: `rate_bps` is the spread then.
    """
    why = why_of(reason)
    one_at_a_time(tx)
    called = clean_text(name, field="name", longest=LONGEST_NAME)
    code = code_of(called)
    if tx.session.get(RateLine, code) is not None:
        raise ThereAlready(field="name")
    in_time(tx, effective_from, What.RATES)
    line = RateLine(
        code=code,
        card=card,
        name=called,
        from_days=from_days,
        to_days=to_days,
        from_minor=from_minor,
        below_minor=below_minor,
    )
    _check_line(tx, line, effective_from)
    tx.session.add(line)
    tx.session.flush()
    term = _term(tx, line, effective_from, rate_bps, extra_bps, over, why)
    _check_alone(tx, line)
    about = {"card": card.value, "name": called, **_about(line)}
    after = {**about, **line_facts(term), "from": effective_from.isoformat()}
    recorded(tx, What.CARD, code, {}, after)
    return code


@command(Permission.TERMS_SET, checked=CHECKED)
def set_line(
    tx: Tx,
    code: str,
    effective_from: date,
    rate_bps: int | None,
    extra_bps: int,
    over: str | None,
    reason: str,
) -> None:
    """Let a line of the card pay or ask something else from a day on; without a rate it is off."""
    why = why_of(reason)
    one_at_a_time(tx)
    line = tx.session.get(RateLine, code)
    if line is None:
        raise NoSuchLine
    in_time(tx, effective_from, What.RATES)
    of_line = terms_of(tx, code)
    held = term_of(of_line, effective_from)
    if held is not None and held.effective_from == effective_from:
        raise ChangeThere
    extra = extra_bps if rate_bps is not None else 0
    goes_by = over if rate_bps is not None else None
    if held is not None and (held.rate_bps, held.extra_bps, held.over) == (
        rate_bps,
        extra,
        goes_by,
    ):
        raise NothingChanges(field="interest")
    if line.card is Card.BENCHMARK and rate_bps is None and _loans_by(tx, code, effective_from):
        raise LoansGoByIt(field="interest")
    before = line_facts(held)
    term = _term(tx, line, effective_from, rate_bps, extra, goes_by, why)
    _check_alone(tx, line)
    after = {**line_facts(term), "from": effective_from.isoformat()}
    recorded(tx, What.CARD, code, before, after)


def _term(
    tx: Tx,
    line: RateLine,
    day: date,
    rate_bps: int | None,
    extra_bps: int,
    over: str | None,
    why: str,
) -> RateLineTerm:
    """The new row of a line, once it may stand there."""
    for field, bps in (("interest", rate_bps), ("extra", extra_bps)):
        if bps is not None and not 0 <= bps <= HIGHEST_RATE_BPS:
            raise BadInput("Give a rate between 0 and 100 percent.", field=field)
    if extra_bps and line.card is not Card.DEPOSIT:
        raise BadInput("Senior citizens get more on deposits alone.", field="extra")
    if over is not None:
        if line.card is not Card.LOAN:
            raise BadInput("Loans alone go by a benchmark.", field="over")
        _check_benchmark(tx, over, day)
    term = RateLineTerm(
        code=line.code,
        effective_from=day,
        rate_bps=rate_bps,
        extra_bps=extra_bps,
        over=over,
        source=why,
    )
    tx.session.add(term)
    tx.session.flush()
    return term


def _check_benchmark(tx: Tx, code: str, day: date) -> None:
    named = tx.session.get(RateLine, code)
    if named is None or named.card is not Card.BENCHMARK:
        raise BadInput("Choose a benchmark of the list.", field="over")
    held = term_of(terms_of(tx, code), day)
    if held is None or held.rate_bps is None:
        raise BadInput("This benchmark has no rate on that day.", field="over")


def _check_line(tx: Tx, line: RateLine, day: date) -> None:
    """A deposit is for some time that the law allows; all else has none."""
    if line.card is not Card.DEPOSIT:
        if line.from_days is not None or line.to_days is not None:
            raise BadInput("Days are for deposits alone.", field="from_days")
    elif line.from_days is None or line.to_days is None:
        missing = "from_days" if line.from_days is None else "to_days"
        raise BadInput("Say for how many days.", field=missing)
    elif line.to_days < line.from_days:
        raise BadInput("The longest time is no shorter than the shortest.", field="to_days")
    _check_law(tx, line, day)
    if line.from_minor < 0:
        raise BadInput("This may not be below zero.", field="from_minor")
    if line.below_minor is not None and line.below_minor <= line.from_minor:
        raise BadInput("The card ends above where it begins.", field="below_minor")


def _check_law(tx: Tx, line: RateLine, day: date) -> None:
    """For how long a deposit may be is set by law."""
    for field, days in (("from_days", line.from_days), ("to_days", line.to_days)):
        bound = bound_on(tx, LINES, "", field, day)
        if bound is None or days is None:
            continue
        if bound.lowest is not None and days < bound.lowest:
            raise BadInput(f"At least {bound.lowest} days: {bound.source}.", field=field)
        if bound.highest is not None and days > bound.highest:
            raise BadInput(f"At most {bound.highest:,} days: {bound.source}.", field=field)


def _check_alone(tx: Tx, line: RateLine) -> None:
    """Of one time and amount a customer finds one rate, on every day from now on."""
    if line.card is not Card.DEPOSIT:
        return
    mine = terms_of(tx, line.code)
    others = tx.session.scalars(
        select(RateLine).where(RateLine.card == Card.DEPOSIT, RateLine.code != line.code)
    ).all()
    for other in others:
        if not _meet(line, other):
            continue
        theirs = terms_of(tx, other.code)
        days = {term.effective_from for term in (*mine, *theirs)}
        for day in {max(day, tx.business_date) for day in days}:
            if _offered(mine, day) and _offered(theirs, day):
                raise TwoForOne(field="from_days")


def _meet(one: RateLine, other: RateLine) -> bool:
    """Whether some time and some amount are in both."""
    first = max(line.from_days or 0 for line in (one, other))
    last = min(line.to_days or 0 for line in (one, other))
    ends = [line.below_minor for line in (one, other) if line.below_minor is not None]
    begins = max(one.from_minor, other.from_minor)
    return first <= last and all(begins < end for end in ends)


def _offered(terms: Sequence[RateLineTerm], day: date) -> bool:
    held = term_of(terms, day)
    return held is not None and held.rate_bps is not None


def _loans_by(tx: Tx, code: str, day: date) -> bool:
    """Whether a loan goes by this benchmark from a day on."""
    for loan in tx.session.scalars(select(RateLine.code).where(RateLine.card == Card.LOAN)):
        of_loan = terms_of(tx, loan)
        now = term_of(of_loan, day)
        ahead = [term for term in of_loan if term.effective_from > day]
        if any(term.over == code for term in (*ahead, *([now] if now else []))):
            return True
    return False


def _about(line: RateLine) -> dict[str, object]:
    if line.card is not Card.DEPOSIT:
        return {}
    below = "" if line.below_minor is None else money.show(line.below_minor)
    return {
        "for days": f"{line.from_days} to {line.to_days}",
        "amounts from": money.show(line.from_minor),
        "amounts below": below,
    }
