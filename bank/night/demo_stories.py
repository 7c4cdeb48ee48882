"""The stories of the demo bank: what each page should have an example of, told on chosen days.

A hold, entries booked on the wrong account and reversed, an overdraft in use, one nearly used up, a
student with next to nothing left, a shop that pays in at every branch, and a lively today.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final

from bank.book.book_close import BookDays
from bank.core.desk import Desk
from bank.core.ids import Chance
from bank.night.demo_cash_deeds import VaultCounted
from bank.night.demo_clock import clock
from bank.night.demo_deeds import (
    CashMoved,
    Deed,
    Done,
    HeldBack,
    Neighbour,
    Plan,
    Purse,
    Site,
    Town,
    Undone,
)
from bank.night.demo_people import RUPEE, Persona, is_open, open_day
from bank.night.demo_rounds import visit
from bank.night.demo_tickets import tickets

CLOSE: Final = "counters.branch_close.close_day"
CLOSE_BOOK: Final = "book.book_close.close_book"
REOPEN_BOOK: Final = "book.book_close.reopen_book"
LIMIT: Final = "book.backdating.set_limit"
BOOK_CLOSED_ON: Final = 5  # of the month after
HELD: Final = 25_000 * RUPEE
MISTAKES_DAYS_AGO: Final = (121, 47, 1)
LEFT_OVER: Final = 42 * RUPEE + 50
AT_EACH_COUNTER_TODAY: Final = 4


def stories(town: Town) -> Mapping[date, Sequence[Plan]]:
    """The plans of all stories by their day. Who is not in a small demo has no story."""
    told: defaultdict[date, list[Plan]] = defaultdict(list)
    for day, plan in [
        *_hold(town),
        *_mistakes(town),
        *_overdraft(town, "Konkan Traders Pvt Ltd", 62),
        *_overdraft(town, "Deccan Textile Mills Pvt Ltd", 96),
        *_last_rupees(town),
        *_paid_in_everywhere(town),
        *_today(town),
        *tickets(town),
        *_closed_months(town),
    ]:
        if day > town.start:
            told[day].append(plan)
    for day, plan in _closed_days(town):
        told[day].append(plan)
    return told


def _closed_days(town: Town) -> Iterator[tuple[date, Plan]]:
    """The branches have counted their vaults by two and closed every day, after their drawers."""
    ago = range(1, (town.as_of - town.start).days + 1)
    days = (town.as_of - timedelta(days=n) for n in ago)
    for day in sorted(day for day in days if is_open(day)):
        for site in town.sites:
            yield day, Plan(town.at(day, clock(20, 20)), partial(_count, site))
            yield day, Plan(town.at(day, clock(20, 30)), partial(_close, site, day))


def _count(site: Site, at: datetime) -> VaultCounted:
    return VaultCounted(at=at, by=site.admin, second=site.banker)


def _close(site: Site, day: date, at: datetime) -> Done:
    return Done(at=at, by=site.admin, verb=CLOSE, named=lambda: {"day": day, "seen": None})


def _closed_months(town: Town) -> Iterator[tuple[date, Plan]]:
    """Head office has closed the book month by month, some days into the next; once a day was
    opened again for a statement that came late. Before that it had said how far back imports go."""
    acts: list[int | None] = [None]
    fifths = [_months_before(town.as_of, n).replace(day=BOOK_CLOSED_ON) for n in range(14)]
    months = [day for day in fifths if town.start < open_day(day) < town.as_of]
    for number, first in enumerate(sorted(months)):
        day, through = open_day(first), first.replace(day=1) - timedelta(days=1)
        reason = f"The returns of {through:%B} are in"
        yield day, _by_two(town, day, 18, CLOSE_BOOK, {"through": through, "reason": reason}, acts)
        if number == 0:
            limit = {
                "effective_from": day, "days": 31, "seen": None, "reason": "The old books are in",
            }  # fmt: skip
            yield day, _by_two(town, day, 19, LIMIT, limit)
        if number == len(months) - 4:
            late = {"first_day": through, "reason": "A statement of the clearing house came late"}
            yield day, _by_two(town, day, 19, REOPEN_BOOK, late, acts)
            again = {"through": through, "reason": "The late statement had nothing of ours"}
            yield day, _by_two(town, day, 20, CLOSE_BOOK, again, acts)


def _months_before(day: date, months: int) -> date:
    """The first day of the month so many before."""
    count = day.year * 12 + day.month - 1 - months
    return date(count // 12, count % 12 + 1, 1)


def _by_two(
    town: Town,
    day: date,
    hour: int,
    verb: str,
    named: Mapping[str, object],
    acts: list[int | None] | None = None,
) -> Plan:
    """What two at head office have decided about the book; `acts` are the ones before."""

    def decided(at: datetime) -> Done:
        def keep(now: BookDays) -> None:
            if acts is not None:
                acts.append(now.last_id)

        return Done(
            at=at,
            by=town.head,
            verb=verb,
            named=lambda: {"seen": acts[-1], **named} if acts else named,
            keep=keep,
            agreed_by=town.second.name,
        )

    return Plan(town.at(day, clock(hour)), decided)


def _hold(town: Town) -> Iterator[tuple[date, Plan]]:
    arjun = town.who("Arjun Deshpande")
    if arjun is None:
        return
    day = open_day(town.as_of - timedelta(days=9), -1)

    def hold(at: datetime) -> Deed | None:
        if arjun.main.available_minor < HELD:
            return None
        arjun.main.held_minor += HELD
        return HeldBack(
            at=at,
            by=town.site_of(arjun.main).admin,
            purse=arjun.main,
            amount_minor=HELD,
            reason="Attached by order of the District Court, Pune",
        )

    yield day, Plan(town.at(day, clock(11, 20)), hold)


class _Mistake:
    """A deposit booked on the wrong account, reversed by the branch admin, and booked again."""

    def __init__(self, town: Town, site: Site, wrong: Purse, right: Neighbour, amount: int) -> None:
        self._town, self._site, self._wrong, self._right = town, site, wrong, right
        self._amount = amount
        self._first: CashMoved | None = None
        self._is_undone = False

    def plans(self, day: date) -> Iterator[tuple[date, Plan]]:
        """The three steps, within an hour."""
        for minute, step in ((5, self._book), (38, self._undo), (46, self._book_again)):
            yield day, Plan(self._town.at(day, clock(11, minute)), step)

    def _book(self, at: datetime) -> Deed | None:
        self._first = self._cash(at, self._wrong)
        return self._first

    def _undo(self, at: datetime) -> Deed | None:
        till = self._site.tills.get(self._site.cashiers[0].user_id)
        if self._first is None or till is None or self._wrong.available_minor < self._amount:
            return None
        if till.cash_minor < self._amount:
            return None
        till.cash_minor -= self._amount
        self._wrong.booked_minor -= self._amount
        self._site.cash_minor -= self._amount
        self._is_undone = True
        return Undone(
            at=at,
            by=self._site.admin,
            first_request_id=self._first.draft.request_id,
            request_id=self._town.pen.request_id(),
            reason=f"Slip {self._first.slip_number} was booked on the wrong account",
        )

    def _book_again(self, at: datetime) -> Deed | None:
        if self._first is None or not self._is_undone:
            return None
        return self._cash(at, self._right.main, self._first.slip_number)

    def _cash(self, at: datetime, purse: Purse, slip: str = "") -> CashMoved | None:
        cashier, who = self._site.cashiers[0], self._right.at_the_counter
        return self._town.pen.cash(at, self._site, cashier, purse, self._amount, who, slip)


def _mistakes(town: Town) -> Iterator[tuple[date, Plan]]:
    for number, days in enumerate(MISTAKES_DAYS_AGO):
        site = town.sites[number % len(town.sites)]
        here = _savers(town, site)
        if len(here) >= 2:
            chance = Chance("demo", "mistake", number)
            right = here.pop(chance.between(0, len(here) - 1))
            wrong = chance.one_of(here).main
            amount = chance.between(12, 48) * 500 * RUPEE
            day = open_day(town.as_of - timedelta(days=days), -1)
            yield from _Mistake(town, site, wrong, right, amount).plans(day)


def _savers(town: Town, site: Site) -> list[Neighbour]:
    """People who live on wages or pensions at a branch."""
    usual = {Persona.SALARIED, Persona.PENSIONER}
    return [
        each
        for each in town.neighbours
        if each.main.branch_id == site.id
        and each.resident.persona in usual
        and each.main.opened_on <= town.start
    ]


def _overdraft(town: Town, name: str, percent: int) -> Iterator[tuple[date, Plan]]:
    """A firm pays so much that this part of its limit is used; then it rests."""
    firm = town.who(name)
    if firm is None:
        return
    purse, day = firm.main, town.as_of - timedelta(days=2)
    purse.rests_from = day

    def pay(at: datetime) -> Deed | None:
        amount = purse.booked_minor + purse.limit_minor * percent // 100
        if amount <= 0:
            return None
        said = "RTGS to supplier, machines and yarn"
        return town.pen.settled(at, purse, -amount, said, by_card=False)

    yield day, Plan(town.at(day, clock(12)), pay)


def _last_rupees(town: Town) -> Iterator[tuple[date, Plan]]:
    student = town.who("Rohan Shinde")
    if student is None:
        return
    purse, day = student.main, town.as_of - timedelta(days=2)
    purse.rests_from = day

    def pay(at: datetime) -> Deed | None:
        amount = purse.booked_minor - LEFT_OVER
        if amount <= 0:
            return None
        return town.pen.settled(at, purse, -amount, "UPI examination fees", by_card=False)

    yield day, Plan(town.at(day, clock(12)), pay)


def _paid_in_everywhere(town: Town) -> Iterator[tuple[date, Plan]]:
    """A shop with customers in three cities pays in at whichever branch is near."""
    shop = town.who("Farida Novelty Stores")
    if shop is None:
        return
    chance = Chance("demo", "everywhere")
    for days in range(0, 90, 4):
        day = open_day(town.as_of - timedelta(days=days), -1) if days else town.as_of
        site = town.sites[1 + (days // 4) % (len(town.sites) - 1)]
        amount = chance.between(80, 400) * 100 * RUPEE
        at = town.at(day, chance.between(clock(10, 10), clock(11, 30)))
        cashier = chance.one_of(site.cashiers)
        yield day, Plan(at, partial(_pay_in, town, site, cashier, shop.main, amount, "S. Rane"))


def _today(town: Town) -> Iterator[tuple[date, Plan]]:
    """Every cashier has served somebody, and the first customer has done something herself."""
    for site in town.sites:
        here = _savers(town, site)
        for cashier in site.cashiers if here else ():
            chance = Chance("demo", "today", cashier.user_id)
            for number in range(AT_EACH_COUNTER_TODAY):
                who = chance.one_of(here)
                sign = -1 if number % 3 == 1 else 1
                amount = sign * chance.between(20, 180) * 100 * RUPEE
                minute = clock(10, 4) + number * 11 + chance.between(0, 9)
                person = who.at_the_counter
                step = partial(_pay_in, town, site, cashier, who.main, amount, person)
                yield town.as_of, Plan(town.at(town.as_of, minute), step)
    meera, arjun = town.who("Meera Iyer"), town.who("Arjun Deshpande")
    if meera is not None and arjun is not None:
        for days, minute, amount, note in (
            (23, clock(20, 12), 1_850, "Concert tickets"),
            (5, clock(21, 40), 640, "Dinner on Sunday"),
            (0, clock(8, 25), 1_200, "Cab to the airport"),
        ):
            day = town.as_of - timedelta(days=days)
            for plan in visit(town, meera, day, minute):
                yield day, plan
            step = partial(_send, town, meera, arjun.main, amount * RUPEE, note)
            yield day, Plan(town.at(day, minute), step)


def _pay_in(
    town: Town, site: Site, cashier: Desk, purse: Purse, amount: int, person: str, at: datetime
) -> Deed | None:
    return town.pen.cash(at, site, cashier, purse, amount, person)


def _send(
    town: Town, payer: Neighbour, payee: Purse, amount: int, note: str, at: datetime
) -> Deed | None:
    return town.pen.sent(at, payer, payee, amount, note)
