"""What the demo bank itself does: the opening of the books, quarter ends, the chest, the stories.

Interest is computed like at any bank that follows the direction of 2010: on every day's closing
balance, by the terms in force on that day, rounded once, when it is credited at the quarter's end.
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Final

from bank.book import chart
from bank.book.ledger import Draft, Leg
from bank.core import money
from bank.core.clock import day_in_words
from bank.core.desk import Desk
from bank.core.ids import Chance
from bank.counters.remittances import Way
from bank.night.demo_cash_deeds import Remitted, TillClosed, TillOpened
from bank.night.demo_clock import clock
from bank.night.demo_deeds import (
    Booked,
    Deed,
    Mistyped,
    Neighbour,
    Plan,
    Purse,
    Site,
    Town,
    Visited,
)
from bank.night.demo_people import LAKH, RUPEE, Persona
from bank.night.demo_tills import Till

FIXED_ASSETS: Final = "1400"
PAYABLES: Final = "2900"
CAPITAL: Final = "3000"
RETAINED: Final = "3100"
SALARIES: Final = "5100"
PREMISES: Final = "5200"
CRORE: Final = 100 * LAKH
BASIS_DAYS: Final = 10_000 * 365  # of a rate in basis points a year
QUARTER_ENDS: Final = frozenset({(3, 31), (6, 30), (9, 30), (12, 31)})
GST: Final = 18  # per cent
ALERTS: Final = 15 * RUPEE
BELOW_MINIMUM: Final = 250 * RUPEE
FOLIO: Final = 300 * RUPEE
CASH_AT_START: Final = 45 * LAKH
CASH_LOW: Final = 10 * LAKH
CASH_HIGH: Final = 70 * LAKH
CASH_KEPT: Final = 30 * LAKH  # what is left after too much went away or too little came
TREASURY: Final = 28 * LAKH
TILL: Final = LAKH // 2  # what a drawer opens with
WRONG: Final = 0.015  # share of drawers that do not balance
OFF_BY: Final = (-500, -200, -100, -50, 100, 200)
REASONS: Final = (
    "Not found after two counts",
    "Counted again with the supervisor, slips agree",
    "Probably a note too many at the counter, nobody came back",
)
HISTORY_DAYS: Final = 30  # how far back sign-ins are told
MISTYPED_BEFORE: Final = timedelta(seconds=48)


def opening(town: Town) -> Iterator[Deed]:
    """The first morning: what the bank owns and owes, and what customers bring along."""
    yield _booked(town, town.start, clock(6), _books(town))
    yield _booked(town, town.start, clock(6, 5), [*_brought_forward(town)])


def _books(town: Town) -> list[Draft]:
    pen, head = town.pen, town.sites[0]
    drafts = []
    for site in town.sites:
        loans = sum(n.loan_minor for n in town.neighbours if n.main.branch_id == site.id)
        own = {
            chart.CASH: CASH_AT_START,
            chart.CLEARING_SETTLEMENT: 3 * CRORE,
            chart.CARD_SETTLEMENT: 3 * CRORE // 2,
            chart.LOANS: loans,
            FIXED_ASSETS: CRORE,
        }
        site.cash_minor = CASH_AT_START
        assets = [Leg(-minor, None, code, site.id) for code, minor in own.items() if minor]
        capital = sum(own.values())
        shares = [
            Leg(capital * 4 // 5, None, CAPITAL, head.id),
            Leg(capital - capital * 4 // 5, None, RETAINED, head.id),
        ]
        said = f"Opening of the books, {site.name}"
        drafts.append(pen.draft("opening", said, site.id, *assets, *shares))
    return drafts


def _brought_forward(town: Town) -> Iterator[Draft]:
    for neighbour in town.neighbours:
        for purse in neighbour.purses:
            if purse.opened_on <= town.start and purse.first_minor:
                purse.booked_minor += purse.first_minor
                yield town.pen.draft(
                    "opening",
                    "Balance brought forward",
                    purse.branch_id,
                    Leg(purse.first_minor, purse.account_id),
                    Leg(-purse.first_minor, None, chart.OTHER_BANKS),
                )


def mornings(town: Town, day: date) -> Iterator[Plan]:
    """The drawers are handed over before the doors open."""
    for site in town.sites if town.works_on(day) else ():
        for number, cashier in enumerate(site.cashiers):
            step = partial(_open_till, town, site, cashier)
            yield Plan(town.at(day, clock(9, 50 + number)), step)


def _open_till(town: Town, site: Site, cashier: Desk, at: datetime) -> Deed | None:
    if site.vault_minor < TILL:
        return None
    site.tills[cashier.user_id] = Till(cash_minor=TILL)
    return TillOpened(
        at=at,
        by=cashier,
        custodian=site.admin,
        opening_minor=TILL,
        request_id=town.pen.request_id(),
    )


def _close_till(town: Town, site: Site, cashier: Desk, at: datetime) -> Deed | None:
    till = site.tills.pop(cashier.user_id, None)
    if till is None:
        return None
    chance = Chance("demo", "till", cashier.user_id, at.date())
    off = chance.one_of(OFF_BY) * RUPEE if chance.happens(WRONG) else 0
    counted = max(till.cash_minor + off, 0)
    site.cash_minor += counted - till.cash_minor
    return TillClosed(
        at=at,
        by=cashier,
        # Who accepts a difference does not take the cash.
        custodian=site.banker if counted != till.cash_minor else site.admin,
        supervisor=site.admin,
        counted_minor=counted,
        reason=chance.one_of(REASONS),
        request_id=town.pen.request_id(),
    )


def daily(town: Town, day: date) -> Iterator[Plan]:
    """The bank's own affairs of a day, and who comes to work."""
    said = f"{day:%b %Y}"
    if day.day == 27:
        earned = f"Interest from other banks {said}"
        codes = (chart.OTHER_BANKS, chart.INTEREST_INCOME)
        yield _own(town, town.sites[0], day, TREASURY, codes, "treasury", earned)
    for site in town.sites:
        if day.day == 3:
            rent = 1_85_000 * RUPEE
            codes = (PREMISES, chart.CLEARING_SETTLEMENT)
            yield _own(town, site, day, rent, codes, "expense", f"Rent of the branch {said}")
        if day.day == 28:
            pay = 6_40_000 * RUPEE
            codes = (SALARIES, chart.CLEARING_SETTLEMENT)
            yield _own(town, site, day, pay, codes, "expense", f"Salaries of the branch {said}")
        if town.works_on(day):
            yield from _attendance(town, site, day)
            for number, cashier in enumerate(site.cashiers if day < town.as_of else ()):
                step = partial(_close_till, town, site, cashier)
                yield Plan(town.at(day, clock(16, 10 + number)), step)
            yield Plan(town.at(day, clock(16, 30)), _chest(town, site))


def _own(
    town: Town, site: Site, day: date, amount: int, codes: tuple[str, str], kind: str, said: str
) -> Plan:
    """One of the bank's own entries: the first code is debited, the second credited."""
    debit, credit = codes
    legs = (Leg(-amount, None, debit, site.id), Leg(amount, None, credit, site.id))

    def book(at: datetime) -> Deed:
        return Booked(at=at, by=site.admin, drafts=(town.pen.draft(kind, said, site.id, *legs),))

    return Plan(town.at(day, clock(15, 10)), book)


def _chest(town: Town, site: Site) -> Callable[[datetime], Deed | None]:
    """Too much cash goes to the currency chest in the evening, too little comes from there."""

    def balance(at: datetime) -> Deed | None:
        if CASH_LOW <= site.cash_minor <= CASH_HIGH:
            return None
        moved = (site.cash_minor - CASH_KEPT) // LAKH * LAKH
        site.cash_minor -= moved
        return Remitted(
            at=at,
            by=site.admin,
            second=site.banker,
            way=Way.TO_CHEST if moved > 0 else Way.FROM_CHEST,
            amount_minor=abs(moved),
            paper=f"CC {at:%y%m%d}",
            request_id=town.pen.request_id(),
        )

    return balance


def _attendance(town: Town, site: Site, day: date) -> Iterator[Plan]:
    """Sign-ins of the last weeks; today's people sign in for themselves."""
    if not 0 < (town.as_of - day).days <= HISTORY_DAYS:
        return
    chance = Chance("demo", "attendance", site.id, (town.as_of - day).days)
    for desk in (*site.cashiers, site.banker, site.admin):
        comes = town.at(day, chance.between(clock(9, 32), clock(9, 56)), chance.between(0, 59))
        goes = town.at(day, chance.between(clock(17, 2), clock(17, 45)))
        yield from _session(desk, comes, goes, missed=chance.happens(0.04))


def visit(town: Town, neighbour: Neighbour, day: date, minute: int) -> Iterator[Plan]:
    """The session around something done in the portal, where it is recent enough to be told."""
    if neighbour.desk is None or not 0 < (town.as_of - day).days <= HISTORY_DAYS:
        return
    chance = neighbour.chance
    comes = town.at(day, minute - chance.between(2, 7), chance.between(0, 59))
    goes = town.at(day, minute + chance.between(8, 12))
    yield from _session(neighbour.desk, comes, goes, missed=chance.happens(0.05))


def _session(by: Desk, comes: datetime, goes: datetime, *, missed: bool) -> Iterator[Plan]:
    if missed:
        mistyped = Mistyped(at=comes - MISTYPED_BEFORE, by=by)
        yield Plan(mistyped.at, lambda _at: mistyped)
    visited = Visited(at=comes, until=goes, by=by)
    yield Plan(visited.at, lambda _at: visited)


def evening(town: Town, day: date) -> Iterator[Deed]:
    """The end of a day: interest is earned; at the end of a quarter it is credited, and fees."""
    open_now = [p for n in town.neighbours for p in n.purses if p.opened_on <= day]
    for purse in open_now:
        terms = town.terms(purse.product, day)
        purse.earned += max(purse.booked_minor, 0) * terms.rate_bps
        purse.closing_sum += purse.booked_minor
        purse.closing_days += 1
    if (day.month, day.day) not in QUARTER_ENDS:
        return
    interest = [draft for purse in open_now if (draft := _interest(town, purse, day))]
    fees = [draft for draft in _fees(town, day) if draft]
    for minute, drafts in ((clock(23, 40), interest), (clock(23, 45), fees)):
        if drafts:
            yield _booked(town, day, minute, drafts)
    for purse in open_now:
        purse.closing_sum = purse.closing_days = 0


def _interest(town: Town, purse: Purse, day: date) -> Draft | None:
    amount = money.round_half_up(Decimal(purse.earned) / BASIS_DAYS)
    purse.earned = 0
    if not amount:
        return None
    purse.booked_minor += amount
    return town.pen.draft(
        "interest",
        f"Interest to {day_in_words(day)}",
        purse.branch_id,
        Leg(amount, purse.account_id),
        Leg(-amount, None, chart.INTEREST_EXPENSE),
    )


def _fees(town: Town, day: date) -> Iterator[Draft | None]:
    quarter = f"to {day_in_words(day)}"
    for neighbour in town.neighbours:
        if neighbour.resident.persona is Persona.DORMANT:
            continue  # nothing is charged where nothing has happened for two years
        for purse in neighbour.purses:
            if not purse.closing_days:
                continue
            minimum = town.terms(purse.product, day).minimum_minor
            if purse.closing_sum // purse.closing_days < minimum:
                yield _fee(town, purse, BELOW_MINIMUM, f"Below minimum balance, {quarter}")
            if purse.product == "savings":
                yield _fee(town, purse, ALERTS, f"Alerts by message, {quarter}")
            else:
                yield _fee(town, purse, FOLIO, f"Ledger folio charge, {quarter}")


def _fee(town: Town, purse: Purse, fee: int, said: str) -> Draft | None:
    """A fee and its tax; not taken from an account that does not have it."""
    tax = fee * GST // 100
    if purse.available_minor < fee + tax:
        return None
    purse.booked_minor -= fee + tax
    return town.pen.draft(
        "fee",
        said,
        purse.branch_id,
        Leg(-fee - tax, purse.account_id),
        Leg(fee, None, chart.FEE_INCOME),
        Leg(tax, None, PAYABLES),
    )


def _booked(town: Town, day: date, minute: int, drafts: list[Draft]) -> Booked:
    return Booked(at=town.at(day, minute), by=town.system, drafts=tuple(drafts))
