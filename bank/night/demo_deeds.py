"""What happens in the demo bank's year: the deeds, and what its story-tellers need to know.

Nothing here touches the database. A deed says who did what at which moment; `demo` writes it down.
Purses follow the balances, so that nobody spends what they do not have. Amounts are in minor units
(paise).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from bank.book import chart, ledger
from bank.book.ledger import Draft, Leg
from bank.core.desk import Desk
from bank.core.ids import Chance, request_id_of
from bank.counters.slips import DEPOSIT, TRANSFER, WITHDRAWAL
from bank.night.demo_clock import moment
from bank.night.demo_people import FIRMS, Resident, is_open
from bank.night.demo_tills import Till

MINUTES: Final = 24 * 60


@dataclass(slots=True, eq=False, kw_only=True)
class Purse:
    """An account as the story follows it. From `rests_from` on nothing happens to it by habit.

    `earned` is the sum over days of closing balance times basis points, since the last interest.
    """

    account_id: int
    number: str
    product: str
    branch_id: int
    opened_on: date
    first_minor: int
    limit_minor: int
    booked_minor: int = 0
    held_minor: int = 0
    earned: int = 0
    closing_sum: int = 0
    closing_days: int = 0
    rests_from: date | None = None

    @property
    def available_minor(self) -> int:
        """Booked less holds plus overdraft limit."""
        return self.booked_minor - self.held_minor + self.limit_minor

    def lives_on(self, day: date) -> bool:
        """Whether it is open and takes part in everyday life."""
        return self.opened_on <= day and (self.rests_from is None or day < self.rests_from)


@dataclass(slots=True, eq=False, kw_only=True)
class Site:
    """A branch at work: its people, its cash and the number of the next slip."""

    id: int
    name: str
    admin: Desk
    banker: Desk
    executive: Desk
    cashiers: Sequence[Desk]
    cash_minor: int = 0
    slips: int = 0
    tills: dict[int | None, Till] = field(default_factory=dict)  # the open ones, by cashier

    @property
    def vault_minor(self) -> int:
        """What is in no drawer."""
        return self.cash_minor - sum(till.cash_minor for till in self.tills.values())

    def next_slip(self) -> str:
        """The number printed on the next slip."""
        self.slips += 1
        return f"{self.slips:06d}"


@dataclass(slots=True, eq=False, kw_only=True)
class Neighbour:
    """A resident with what they got: purses, a desk in the portal (or none), dice of their own."""

    resident: Resident
    purses: list[Purse]
    desk: Desk | None
    chance: Chance
    routines: list["Routine"] = field(default_factory=list)
    workers: list["Neighbour"] = field(default_factory=list)
    employer: str = ""  # who pays them, by a bank elsewhere ...
    is_paid_here: bool = False  # ... unless it is one of the neighbours
    loan_minor: int = 0

    @property
    def main(self) -> Purse:
        """The account everyday life goes through."""
        return self.purses[0]

    @property
    def at_the_counter(self) -> str:
        """Who brings the cash: the person, or nobody in particular for a firm."""
        return "" if self.resident.persona in FIRMS else self.resident.name


class Habit(NamedTuple):
    """A row of data/seed/demo_habits.csv. `low` and `high` are thousandths of the monthly income.

    With days it happens once a month on one of them, else about `per_month` times, on any day.
    """

    persona: str
    share: float
    kind: str
    per_month: float
    first_day: int
    last_day: int
    low: int
    high: int
    is_steady: bool
    narrations: tuple[str, ...]


@dataclass(slots=True, eq=False, kw_only=True)
class Routine:
    """A habit as one neighbour has it."""

    habit: Habit
    day: int = 0
    steady_minor: int = 0
    partner: Purse | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """Something that somebody did at a moment."""

    at: datetime
    by: Desk


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked(Deed):
    """Entries without a paper of their own: settlements, interest, fees, the bank's own affairs."""

    drafts: tuple[Draft, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CashMoved(Deed):
    """A deposit or withdrawal by slip. `handed_minor` comes from the vault into the drawer before
    it (+), or goes back after it (-)."""

    draft: Draft
    purse: Purse
    amount_minor: int
    slip_number: str
    person: str
    handed_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneySent(Deed):
    """A customer's transfer."""

    draft: Draft
    payer: Purse
    payee: Purse
    amount_minor: int
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone(Deed):
    """The reversal of an earlier entry, known by its request."""

    first_request_id: str
    request_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack(Deed):
    """A hold on an account."""

    purse: Purse
    amount_minor: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened(Deed):
    """An account that was opened during the year."""

    purse: Purse


@dataclass(frozen=True, slots=True, kw_only=True)
class Done(Deed):
    """Any command of the bank by name, done as it would have been; `keep` gets its answer. What
    it is given is asked for when it is done: that may hang on the answers of earlier ones."""

    verb: str
    named: Callable[[], Mapping[str, Any]]
    keep: Callable[[Any], None] = lambda _: None
    agreed_by: str = ""  # the second person, where one was asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Visited(Deed):
    """A session from sign-in (`at`) to sign-out."""

    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistyped(Deed):
    """A wrong password at the door."""


class Plan(NamedTuple):
    """What may happen at a moment: whether the money is there is seen when the moment comes."""

    at: datetime
    make: Callable[[datetime], Deed | None]


class Pen:
    """Writes drafts for deeds, moves the purses, and numbers the requests the same every time."""

    def __init__(self, key: str, system: Desk) -> None:
        self._key = key
        self._count = 0
        self._system = system

    def request_id(self) -> str:
        """The next request id."""
        self._count += 1
        return request_id_of("demo", self._key, str(self._count))

    def draft(self, kind: str, narration: str, branch_id: int, *legs: Leg) -> Draft:
        """An entry to be booked."""
        return Draft(
            request_id=self.request_id(),
            kind=kind,
            narration=narration,
            legs=legs,
            branch_id=branch_id,
        )

    def settled(
        self, at: datetime, purse: Purse, amount_minor: int, narration: str, *, by_card: bool
    ) -> Booked | None:
        """Money from (+) or to (-) another bank; None when it is not there."""
        if amount_minor < 0 and purse.available_minor + amount_minor < 0:
            return None
        code, kind = (chart.CARD_SETTLEMENT, "card") if by_card else (chart.CLEARING_SETTLEMENT, "")
        return self.moved(at, purse, amount_minor, kind or "clearing", narration, code)

    def moved(
        self, at: datetime, purse: Purse, amount_minor: int, kind: str, narration: str, code: str
    ) -> Booked:
        """One line on the purse and one on a ledger account of its branch."""
        purse.booked_minor += amount_minor
        legs = (Leg(amount_minor, purse.account_id), Leg(-amount_minor, None, code))
        draft = self.draft(kind, narration, purse.branch_id, *legs)
        return Booked(at=at, by=self._system, drafts=(draft,))

    def cash(
        self,
        at: datetime,
        site: Site,
        cashier: Desk,
        purse: Purse,
        amount_minor: int,
        person: str,
        slip: str = "",
    ) -> CashMoved | None:
        """Cash over the counter, in (+) or out (-), to `person`; None when it is not there."""
        till = site.tills.get(cashier.user_id)
        if till is None or purse.available_minor + amount_minor < 0:
            return None
        handed_minor = till.handed_for(amount_minor, site.vault_minor)
        if handed_minor is None:
            return None
        bearer = person if amount_minor < 0 else ""  # a holder who pays in is not named
        till.cash_minor += amount_minor + handed_minor
        purse.booked_minor += amount_minor
        site.cash_minor += amount_minor
        number = slip or site.next_slip()
        kind, word = (DEPOSIT, "deposit") if amount_minor > 0 else (WITHDRAWAL, "withdrawal")
        narration = f"Cash {word} at {site.name}, slip {number}"
        draft = self.draft(
            kind,
            f"{narration}, to {bearer}" if bearer else narration,
            site.id,
            Leg(-amount_minor, None, chart.CASH, site.id),
            Leg(amount_minor, purse.account_id),
        )
        return CashMoved(
            at=at,
            by=cashier,
            draft=draft,
            purse=purse,
            amount_minor=abs(amount_minor),
            slip_number=number,
            person=bearer,
            handed_minor=handed_minor,
        )

    def sent(
        self, at: datetime, payer: Neighbour, payee: Purse, amount_minor: int, note: str
    ) -> MoneySent | None:
        """A transfer from somebody's main account; None when the money is not there."""
        purse = payer.main
        if payer.desk is None or purse is payee or purse.available_minor < amount_minor:
            return None
        purse.booked_minor -= amount_minor
        payee.booked_minor += amount_minor
        draft = self.draft(
            TRANSFER,
            f"Transfer: {note}",
            purse.branch_id,
            ledger.debit_account(purse.account_id, amount_minor),
            ledger.credit_account(payee.account_id, amount_minor),
        )
        return MoneySent(
            at=at,
            by=payer.desk,
            draft=draft,
            payer=purse,
            payee=payee,
            amount_minor=amount_minor,
            note=note,
        )


class Terms(NamedTuple):
    """What a product promises and asks on a day: basis points a year, minimum balance."""

    rate_bps: int
    minimum_minor: int


@dataclass(slots=True, eq=False, kw_only=True)
class Town:
    """Everybody and everything in the story. `latest` is the present: nothing happens after it."""

    start: date
    as_of: date
    latest: datetime
    sites: Sequence[Site]
    neighbours: Sequence[Neighbour]
    system: Desk
    head: Desk
    second: Desk  # of head office
    pen: Pen
    terms: Callable[[str, date], Terms]

    def who(self, name: str) -> Neighbour | None:
        """Somebody by name; a small demo does not have everybody."""
        found = (each for each in self.neighbours if each.resident.name == name)
        return next(found, None)

    def site_of(self, purse: Purse) -> Site:
        """The branch that keeps an account."""
        return next(site for site in self.sites if site.id == purse.branch_id)

    def works_on(self, day: date) -> bool:
        """Whether the branches are open; they always are today, so that today has something."""
        return is_open(day) or day == self.as_of

    def at(self, day: date, minute: int, second: int = 0) -> datetime:
        """A minute of a day, but never one that has not come yet."""
        return min(moment(day, minute, second), self.latest)
