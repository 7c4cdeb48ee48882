"""The people of the demo bank: branches, employees, and residents with their accounts, on paper.

Made up, and the same every time for the same business date. Names are common ones; the bank code
BIAB, the telephone series 555 and the mail domains under .example belong to nobody. Amounts are in
minor units (paise).
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from typing import Final

from bank.core.config import PROJECT
from bank.core.ids import Chance
from bank.core.permissions import Role

SEEDS: Final = PROJECT / "data" / "seed"
RUPEE: Final = 100
LAKH: Final = 1_00_000 * RUPEE
FIRST_TERMS: Final = date(2020, 1, 6)  # products are sold since the first days of 2020
LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
HOLIDAYS: Final = frozenset({(1, 26), (8, 15), (10, 2)})  # the three national ones


class Persona(StrEnum):
    """How somebody lives with their money; data/seed/demo_habits.csv says what that means."""

    SALARIED = "salaried"
    PENSIONER = "pensioner"
    STUDENT = "student"
    SHOP = "shop"
    BUSINESS = "business"
    PROFESSIONAL = "professional"
    DORMANT = "dormant"


P = Persona
FIRMS: Final = frozenset({P.SHOP, P.BUSINESS})


@dataclass(frozen=True, kw_only=True)
class BranchPlan:
    """A branch to be opened."""

    ifsc: str
    micr: str
    name: str
    address: str
    opened_on: date


@dataclass(frozen=True, kw_only=True)
class StaffPlan:
    """An employee to be added; `ifsc` is empty for the head office."""

    role: Role
    username: str
    name: str
    ifsc: str

    @property
    def email(self) -> str:
        """At the bank itself."""
        return f"{self.username}@bank.example"


@dataclass(frozen=True, kw_only=True)
class AccountPlan:
    """An account to be opened. `first_minor` is brought forward, or paid in when it opens."""

    product: str
    opened_on: date
    first_minor: int
    limit_minor: int = 0


@dataclass(frozen=True, kw_only=True)
class Resident:
    """A customer to be added. `username` None means the customer number; `branch` is an index."""

    name: str
    persona: Persona
    branch: int
    born: date
    pan: str
    email: str | None
    mobile: str
    username: str | None
    has_portal: bool
    income_minor: int
    accounts: tuple[AccountPlan, ...]


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """A row of demo_personas.csv: monthly income in rupees (of a firm: turnover), age in years."""

    share: int  # out of 100 residents, after the named ones
    incomes: tuple[int, int]
    ages: tuple[int, int]


def branch_plans() -> list[BranchPlan]:
    """The branches, from data/seed/demo_branches.csv."""
    return [
        BranchPlan(
            ifsc=row["ifsc"],
            micr=row["micr"],
            name=row["name"],
            address=row["address"],
            opened_on=date.fromisoformat(row["opened_on"]),
        )
        for row in rows_of("demo_branches.csv")
    ]


def staff_plans() -> list[StaffPlan]:
    """The employees, from data/seed/demo_staff.csv: every role, every branch."""
    return [
        StaffPlan(
            role=Role(row["role"]), username=row["username"], name=row["name"], ifsc=row["ifsc"]
        )
        for row in rows_of("demo_staff.csv")
    ]


def residents(count: int, start: date, as_of: date) -> list[Resident]:
    """The named residents and as many others as make `count`, for a year from `start`."""
    registry = _Registry()
    made = [_named(row, registry, start, as_of) for row in _cast()[:count]]
    personas = [persona for persona, kind in _kinds().items() for _ in range(kind.share)]
    for number in range(len(made), count):
        chance = Chance("demo", "resident", number)
        made.append(_other(chance, chance.one_of(personas), registry, start, as_of))
    return made


def is_open(day: date) -> bool:
    """Whether branches work: not on Sundays, second and fourth Saturdays, national holidays."""
    if day.weekday() == 6 or (day.month, day.day) in HOLIDAYS:
        return False
    return not (day.weekday() == 5 and (day.day - 1) // 7 in {1, 3})


def open_day(day: date, step: int = 1) -> date:
    """The day, or the next one (the one before with step -1) on which branches work."""
    while not is_open(day):
        day += timedelta(days=step)
    return day


def rows_of(name: str) -> Iterator[dict[str, str]]:
    """The rows of a file in data/seed."""
    with (SEEDS / name).open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


@cache
def names_of(kind: str) -> Sequence[str]:
    """The names of a kind in data/seed/demo_names.csv."""
    return [row["name"] for row in rows_of("demo_names.csv") if row["kind"] == kind]


class _Registry:
    """What nobody may have twice: names, PANs, mail addresses."""

    def __init__(self) -> None:
        self._taken = {row["name"] for row in _cast()} | {plan.name for plan in staff_plans()}
        self._number = 0

    def take(self, text: str) -> bool:
        """Whether it was free, and is taken now."""
        free = text not in self._taken
        self._taken.add(text)
        return free

    def pan(self, chance: Chance, name: str, persona: Persona) -> str:
        """Five letters, the fourth of them the kind of holder, the fifth the name's; digits."""
        kind = {P.BUSINESS: "C", P.SHOP: "F"}.get(persona, "P")
        initial = (name if persona in FIRMS else name.split()[-1])[0].upper()
        while True:
            first = "".join(chance.one_of(LETTERS) for _ in range(3))
            pan = f"{first}{kind}{initial}{chance.between(1, 9999):04d}{chance.one_of(LETTERS)}"
            if self.take(pan):
                return pan

    def email(self, name: str, persona: Persona) -> str:
        """name.surname@post.example; a firm has its own domain."""
        words = ["".join(re.findall("[a-z]", word)) for word in name.lower().split()]
        if persona in FIRMS:
            return f"accounts@{'-'.join(filter(None, words))}.example"
        address = f"{'.'.join(words)}@post.example"
        return address if self.take(address) else f"{'.'.join(words)}2@post.example"

    def mobile(self) -> str:
        """In a series that no mobile network in India has."""
        self._number += 1
        return f"+91555{2_000_000 + self._number * 7_919 % 7_000_000:07d}"


def _named(row: dict[str, str], registry: _Registry, start: date, as_of: date) -> Resident:
    name, persona = row["name"], Persona(row["persona"])
    chance = Chance("demo", "cast", name)
    income = int(row["income"]) * RUPEE
    accounts = tuple(
        AccountPlan(
            product=product,
            opened_on=_opened(chance, persona, start),
            first_minor=_rounded(income * chance.between(12, 26) // 10 // (place + 1)),
            limit_minor=int(row["limit_lakh"]) * LAKH,
        )
        for place, product in enumerate(row["products"].split())
    )
    return Resident(
        name=name,
        persona=persona,
        branch=int(row["branch"]),
        born=_born(chance, persona, as_of),
        pan=registry.pan(chance, name, persona),
        email=registry.email(name, persona) if row["username"] else None,
        mobile=registry.mobile(),
        username=row["username"] or None,
        has_portal=bool(row["username"]),
        income_minor=income,
        accounts=accounts,
    )


def _other(
    chance: Chance, persona: Persona, registry: _Registry, start: date, as_of: date
) -> Resident:
    name = _name(chance, persona, registry)
    low, high = _kinds()[persona].incomes
    # Squared, because most people earn less than the middle.
    income = _rounded((low + (high - low) * chance.between(0, 100) ** 2 // 10_000) * RUPEE)
    has_portal = persona is not P.DORMANT and chance.happens(0.9)
    return Resident(
        name=name,
        persona=persona,
        branch=chance.between(0, 2),
        born=_born(chance, persona, as_of),
        pan=registry.pan(chance, name, persona),
        email=registry.email(name, persona) if has_portal or chance.happens(0.3) else None,
        mobile=registry.mobile(),
        username=None,
        has_portal=has_portal,
        income_minor=income,
        accounts=_accounts(chance, persona, income, start, as_of),
    )


def _accounts(
    chance: Chance, persona: Persona, income: int, start: date, as_of: date
) -> tuple[AccountPlan, ...]:
    main = {P.SHOP: "current", P.BUSINESS: "business"}.get(persona, "savings")
    products = [main]
    if persona in FIRMS and chance.happens(0.6):
        products.append("savings" if persona is P.SHOP else "current")
    elif persona in {P.SALARIED, P.PROFESSIONAL} and chance.happens(0.15):
        products.append("savings")
    is_new = persona is not P.DORMANT and chance.happens(0.1)
    opened = _opened(chance, persona, start)
    if is_new:
        opened = open_day(start + timedelta(days=chance.between(10, (as_of - start).days - 40)))
    return tuple(
        AccountPlan(
            product=product,
            opened_on=opened,
            first_minor=_rounded(income * chance.between(8, 30) // 10),
            limit_minor=_rounded(income * chance.between(5, 9) // 10)
            if product == "business"
            else 0,
        )
        for product in products
    )


def _name(chance: Chance, persona: Persona, registry: _Registry) -> str:
    while True:
        surname = chance.one_of(names_of("surname"))
        if persona in FIRMS:
            name = chance.one_of(names_of("shop" if persona is P.SHOP else "firm"))
            if not registry.take(f"firm {name}"):  # the second of that name is somebody's
                name = f"{surname} {name}"
            name = name if persona is P.SHOP else f"{name} Pvt Ltd"
        else:
            given = chance.one_of(names_of("woman" if chance.happens(0.5) else "man"))
            name = f"{given} {surname}"
        if registry.take(name):
            return name


@cache
def _cast() -> Sequence[dict[str, str]]:
    """The named residents, each of whom shows something on the pages."""
    return list(rows_of("demo_cast.csv"))


@cache
def _kinds() -> Mapping[Persona, _Kind]:
    return {
        Persona(row["persona"]): _Kind(
            share=int(row["share"]),
            incomes=(int(row["income_low"]), int(row["income_high"])),
            ages=(int(row["age_low"]), int(row["age_high"])),
        )
        for row in rows_of("demo_personas.csv")
    }


def _born(chance: Chance, persona: Persona, as_of: date) -> date:
    """A birthday; a firm began before it could have an account here."""
    low, high = _kinds()[persona].ages
    days = chance.between(low * 365 + low // 4 + 1, high * 365)
    return (FIRST_TERMS if persona in FIRMS else as_of) - timedelta(days=days)


def _opened(chance: Chance, persona: Persona, start: date) -> date:
    """A working day before the year the demo shows; long before it for who lets money rest."""
    days = max((start - FIRST_TERMS).days - 30, 1)
    latest = min(days, 200) if persona is P.DORMANT else days
    return open_day(FIRST_TERMS + timedelta(days=chance.between(0, latest)))


def _rounded(amount_minor: int) -> int:
    """To whole hundreds of rupees."""
    return amount_minor // (100 * RUPEE) * (100 * RUPEE)
