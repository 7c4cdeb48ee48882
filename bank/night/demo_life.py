"""Everyday life in the demo bank's town: salaries and rent, groceries and cash, day by day.

Each neighbour has routines, drawn once from data/seed/demo_habits.csv with dice of their own. A day
first collects plans from everybody, then carries them out in the order of the clock: what somebody
cannot afford at that moment does not happen.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Final

from bank.book import chart
from bank.book.ledger import Leg
from bank.core import money
from bank.core.ids import Chance
from bank.night import demo_rounds, demo_stories
from bank.night.demo_clock import clock
from bank.night.demo_deeds import Booked, Deed, Habit, Neighbour, Opened, Plan, Purse, Routine, Town
from bank.night.demo_people import RUPEE, Persona, names_of, rows_of

DAYS_A_MONTH: Final = 30.4375
LOAN_RATE_BPS: Final = 925
MOST_CASH_TO_OPEN: Final = 1_00_000 * RUPEE
AWAY: Final = 0.08  # share of cash visits at another branch than one's own
WHOLE: Final = {"card": 50, "cash": 100 * RUPEE}  # what amounts are rounded to; else whole rupees


def settle_in(town: Town) -> None:
    """Give everybody their routines, employers, landlords, friends and loans."""
    habits, employers = _habits(), names_of("employer")
    _employ(town)
    for neighbour in town.neighbours:
        chance = neighbour.chance
        neighbour.employer = chance.one_of(employers)
        for habit in habits:
            if habit.persona == neighbour.resident.persona and chance.happens(habit.share):
                routine = _routine(town, neighbour, habit)
                if routine is not None:
                    neighbour.routines.append(routine)
    for student in _living_as(town, Persona.STUDENT):
        _give_pocket_money(town, student)


def a_year(town: Town) -> Iterator[Deed]:
    """Everything that happened, in order, from the opening of the books to today."""
    yield from demo_rounds.opening(town)
    stories = demo_stories.stories(town)
    day = town.start
    while day <= town.as_of:
        plans = [*demo_rounds.mornings(town, day), *stories.get(day, ())]
        plans += demo_rounds.daily(town, day)
        for neighbour in town.neighbours:
            plans += _newcomer(town, neighbour, day)
            if neighbour.main.lives_on(day):
                plans += _habits_of(town, neighbour, day)
        plans.sort(key=lambda plan: plan.at)
        yield from _together([deed for plan in plans if (deed := plan.make(plan.at)) is not None])
        if day < town.as_of:
            yield from demo_rounds.evening(town, day)
        day += timedelta(days=1)


def _together(deeds: Sequence[Deed]) -> Iterator[Deed]:
    """Settlements of the same half hour come in one batch."""
    batch: list[Booked] = []
    for deed in deeds:
        if batch and not (
            isinstance(deed, Booked) and deed.at == batch[0].at and deed.by is batch[0].by
        ):
            yield _one(batch)
            batch = []
        if isinstance(deed, Booked):
            batch.append(deed)
        else:
            yield deed
    if batch:
        yield _one(batch)


def _one(batch: Sequence[Booked]) -> Booked:
    drafts = tuple(draft for deed in batch for draft in deed.drafts)
    return Booked(at=batch[0].at, by=batch[0].by, drafts=drafts)


def _habits() -> list[Habit]:
    return [
        Habit(
            persona=row["persona"],
            share=float(row["share"]),
            kind=row["kind"],
            per_month=float(row["per_month"] or 0),
            first_day=int(row["first_day"] or 0),
            last_day=int(row["last_day"] or 0),
            low=int(row["low"]),
            high=int(row["high"]),
            is_steady=row["steady"] == "1",
            narrations=tuple(row["narration"].split("|")),
        )
        for row in rows_of("demo_habits.csv")
    ]


def _living_as(town: Town, *personas: Persona) -> list[Neighbour]:
    return [each for each in town.neighbours if each.resident.persona in personas]


def _employ(town: Town) -> None:
    """Firms with access to the portal pay wages to a few neighbours."""
    chance = Chance("demo", "employers")
    free = [each for each in _living_as(town, Persona.SALARIED) if not each.resident.username]
    for firm in _living_as(town, Persona.BUSINESS):
        wages = 0
        for _ in range(chance.between(3, 6) if firm.desk is not None else 0):
            if not free:
                return
            worker = free.pop(chance.between(0, len(free) - 1))
            wages += worker.resident.income_minor
            if wages > firm.resident.income_minor * 3 // 10:
                break
            worker.is_paid_here = True
            firm.workers.append(worker)


def _routine(town: Town, neighbour: Neighbour, habit: Habit) -> Routine | None:
    """The habit as this neighbour has it; None when it needs somebody they do not have."""
    chance, income = neighbour.chance, neighbour.resident.income_minor
    routine = Routine(habit=habit)
    if habit.first_day:
        routine.day = chance.between(habit.first_day, habit.last_day)
    if habit.is_steady:
        routine.steady_minor = _rounded(
            income * chance.between(habit.low, habit.high) // 1000, 100 * RUPEE
        )
    if habit.kind.startswith("transfer"):
        routine.partner = _partner(town, neighbour, habit.kind.removeprefix("transfer_"))
        if routine.partner is None or neighbour.desk is None:
            return None
    if habit.kind == "emi":
        neighbour.loan_minor = routine.steady_minor * chance.between(50, 105)
    if habit.narrations[0].startswith("NEFT salary") and neighbour.is_paid_here:
        return None
    return routine


def _partner(town: Town, neighbour: Neighbour, who: str) -> Purse | None:
    if who == "own":
        return neighbour.purses[1] if len(neighbour.purses) > 1 else None
    wanted = {
        "landlord": _living_as(town, Persona.PROFESSIONAL),
        "trade": _living_as(town, Persona.SHOP),
    }.get(who) or _living_as(town, Persona.SALARIED, Persona.PENSIONER, Persona.STUDENT)
    others = [each for each in wanted if each is not neighbour]
    return neighbour.chance.one_of(others).main if others else None


def _give_pocket_money(town: Town, student: Neighbour) -> None:
    """Somebody sends a student their monthly income; without anybody, none comes."""
    givers = [each for each in _living_as(town, Persona.SALARIED) if each.desk is not None]
    if not givers:
        return
    giver = student.chance.one_of(givers)
    habit = Habit("", 1, "transfer_child", 0, 3, 6, 0, 0, True, ("Pocket money {month}",))
    giver.routines.append(
        Routine(
            habit=habit,
            day=student.chance.between(3, 6),
            steady_minor=student.resident.income_minor,
            partner=student.main,
        )
    )


def _newcomer(town: Town, neighbour: Neighbour, day: date) -> Iterator[Plan]:
    """Accounts that open on this day, with the first money in them."""
    for number, purse in enumerate(neighbour.purses):
        if purse.opened_on == day > town.start:
            site = town.site_of(purse)
            opened = Opened(at=town.at(day, clock(10, 15 + number)), by=site.banker, purse=purse)
            yield Plan(opened.at, lambda _at, deed=opened: deed)  # type: ignore[misc]
            yield Plan(
                town.at(day, clock(10, 40 + number)),
                partial(_first_money, town, neighbour, purse),
            )


def _first_money(town: Town, neighbour: Neighbour, purse: Purse, at: datetime) -> Deed | None:
    site = town.site_of(purse)
    if purse.first_minor > MOST_CASH_TO_OPEN:
        said = "RTGS from own account, other bank"
        return town.pen.settled(at, purse, purse.first_minor, said, by_card=False)
    cashier = neighbour.chance.one_of(site.cashiers)
    who = neighbour.at_the_counter
    return town.pen.cash(at, site, cashier, purse, purse.first_minor, who)


def _habits_of(town: Town, neighbour: Neighbour, day: date) -> Iterator[Plan]:
    for routine in neighbour.routines:
        habit = routine.habit
        if routine.day:
            due = routine.day == day.day
        else:
            due = neighbour.chance.happens(habit.per_month / DAYS_A_MONTH)
        if due:
            yield from _PLANS[habit.kind.partition("_")[0]](town, neighbour, routine, day)


def _amount(neighbour: Neighbour, routine: Routine) -> int:
    if routine.steady_minor:
        return routine.steady_minor
    habit = routine.habit
    # Drawn in hundredths of a thousandth, so that no two bills are alike.
    share = neighbour.chance.between(habit.low * 100, habit.high * 100)
    step = WHOLE.get(habit.kind.partition("_")[0], RUPEE)
    return max(_rounded(neighbour.resident.income_minor * share // 100_000, step), step)


def _rounded(amount_minor: int, step: int) -> int:
    return amount_minor // step * step


def _words(neighbour: Neighbour, routine: Routine, day: date) -> str:
    text = neighbour.chance.one_of(routine.habit.narrations)
    if "{" not in text:
        return text
    invoice = neighbour.chance.between(1001, 9899)
    return text.format(month=f"{day:%b %Y}", invoice=invoice, employer=neighbour.employer)


def _settlement(town: Town, neighbour: Neighbour, routine: Routine, day: date) -> Iterator[Plan]:
    """From and to other banks, in the half hour in which the clearing house settles."""
    comes = routine.habit.kind == "clearing_in"
    by_card = routine.habit.kind == "card"
    amount = _amount(neighbour, routine)
    half_hour = neighbour.chance.between(3, 24) if comes else neighbour.chance.between(16, 45)
    words = _words(neighbour, routine, day)
    yield Plan(
        town.at(day, half_hour * 30),
        lambda at: town.pen.settled(
            at, neighbour.main, amount if comes else -amount, words, by_card=by_card
        ),
    )


def _cash(town: Town, neighbour: Neighbour, routine: Routine, day: date) -> Iterator[Plan]:
    """Over the counter, mostly at the own branch, when it is open."""
    if not town.works_on(day):
        return
    chance = neighbour.chance
    sign = 1 if routine.habit.kind == "cash_in" else -1
    amount = sign * _amount(neighbour, routine)
    site = town.site_of(neighbour.main)
    if chance.happens(AWAY):
        site = chance.one_of(town.sites)
    cashier = chance.one_of(site.cashiers)
    at = town.at(day, chance.between(clock(10, 3), clock(15, 55)), chance.between(0, 59))
    who = neighbour.at_the_counter
    yield Plan(at, lambda at: town.pen.cash(at, site, cashier, neighbour.main, amount, who))


def _transfer(town: Town, neighbour: Neighbour, routine: Routine, day: date) -> Iterator[Plan]:
    """To another account of the bank, from a session in the portal."""
    payee = routine.partner
    assert payee is not None, "a transfer routine has a partner"
    if not payee.lives_on(day):
        return
    amount, chance = _amount(neighbour, routine), neighbour.chance
    minute = chance.between(clock(7, 30), clock(22, 40))
    words = _words(neighbour, routine, day)
    yield from demo_rounds.visit(town, neighbour, day, minute)
    yield Plan(
        town.at(day, minute, chance.between(0, 59)),
        lambda at: town.pen.sent(at, neighbour, payee, amount, words),
    )


def _wages(town: Town, neighbour: Neighbour, routine: Routine, day: date) -> Iterator[Plan]:
    """A firm pays everybody who works for it, one after the other."""
    workers = [each for each in neighbour.workers if each.main.lives_on(day)]
    if not workers:
        return
    yield from demo_rounds.visit(town, neighbour, day, clock(11))
    words = _words(neighbour, routine, day)
    for number, worker in enumerate(workers):
        wage = worker.resident.income_minor
        yield Plan(
            town.at(day, clock(11, 1 + number), 20),
            partial(_wage, town, neighbour, worker.main, wage, words),
        )


def _wage(
    town: Town, firm: Neighbour, payee: Purse, amount: int, words: str, at: datetime
) -> Deed | None:
    return town.pen.sent(at, firm, payee, amount, words)


def _instalment(town: Town, neighbour: Neighbour, routine: Routine, day: date) -> Iterator[Plan]:
    """The monthly instalment of a loan: interest on what is left, the rest of it principal."""
    words = _words(neighbour, routine, day)
    yield Plan(
        town.at(day, clock(5)), lambda at: _repay(town, neighbour, routine.steady_minor, words, at)
    )


def _repay(town: Town, neighbour: Neighbour, emi: int, words: str, at: datetime) -> Deed | None:
    purse = neighbour.main
    if purse.available_minor < emi:
        return None
    year = Decimal(neighbour.loan_minor) * LOAN_RATE_BPS / 10_000
    interest = min(money.round_half_up(year / 12), emi)
    principal = min(emi - interest, neighbour.loan_minor)
    neighbour.loan_minor -= principal
    purse.booked_minor -= principal + interest
    legs = [
        Leg(-principal - interest, purse.account_id),
        Leg(principal, None, chart.LOANS),
        Leg(interest, None, chart.INTEREST_INCOME),
    ]
    draft = town.pen.draft(
        "loan_instalment", words, purse.branch_id, *(leg for leg in legs if leg.amount_minor)
    )
    return Booked(at=at, by=town.system, drafts=(draft,))


def _sweep(town: Town, neighbour: Neighbour, routine: Routine, day: date) -> Iterator[Plan]:
    """Who has much more than they need puts it away."""
    chance, income, purse = neighbour.chance, neighbour.resident.income_minor, neighbour.main
    keeps, words = income * chance.between(15, 30) // 10, _words(neighbour, routine, day)

    def put_away(at: datetime) -> Deed | None:
        spare = _rounded(purse.booked_minor - purse.held_minor - keeps, 1000 * RUPEE)
        if spare < income:
            return None
        return town.pen.settled(at, purse, -spare, words, by_card=False)

    yield Plan(town.at(day, chance.between(24, 36) * 30), put_away)


_PLANS: Final[dict[str, Callable[[Town, Neighbour, Routine, date], Iterator[Plan]]]] = {
    "clearing": _settlement,
    "card": _settlement,
    "cash": _cash,
    "transfer": _transfer,
    "wages": _wages,
    "emi": _instalment,
    "sweep": _sweep,
}
