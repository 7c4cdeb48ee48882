"""What the ledger is asked to book and what it answers: legs, drafts, refusals.

Amounts are signed whole minor units: credit +, debit -. Legs and drafts are made by the
hundred thousand in an import, so they are named tuples: the cheapest thing that cannot change.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Final, NamedTuple

from bank.core.desk import Tx
from bank.core.errors import BadInput, BankError, Declined, NotAllowed, NotFound, WrongState
from bank.core.texts import is_writable

# The user of imports, the worker and the day end; made by a migration.
SYSTEM_USER_ID: Final = 1
FIRST_DAY: Final = date(1900, 1, 1)  # no book begins earlier (reports/checks, import_contra)
LARGEST_BALANCE_MINOR: Final = 2**63 - 1  # what a column of either database holds
LONGEST_NARRATION: Final = 200
LONGEST_REASON: Final = 200
_CURRENCY: Final = re.compile("[A-Z]{3}")


class InsufficientFunds(Declined):
    """There is not enough money in the account. Check the available balance and try less."""


class WrongCurrency(BadInput):
    """A currency is its three capital letters, such as INR."""


class WrongAmount(BadInput):
    """The amount of a line is a whole number of the smallest unit, and not zero."""


class FloorWaivedBefore(Declined):
    """An earlier import took this account below its limit; since then it accepts credits only."""


class Unbalanced(Declined):
    """The lines of this entry do not add up to zero, so it was not booked."""


class RequestReused(WrongState):
    """This form was already used for something else. Reload the page and start again."""


class NoSuchAccount(NotFound):
    """There is no account with this number. Check the number and try again."""


class NoSuchEntry(NotFound):
    """There is no entry with this number. Check the number and try again."""


class AlreadyReversed(WrongState):
    """This entry has been reversed already. The journal shows the reversal beside it."""


class ReversalIsFinal(WrongState):
    """A reversal cannot be reversed. Book the entry again instead."""


class NobodyPosts(NotAllowed):
    """An entry names who booked it, and nobody is signed in here. Sign in and try again."""


class UnknownPoster(NotAllowed):
    """An entry names who booked it, and the bank does not know this user. Sign in again."""


class UnknownBranch(NotFound):
    """An entry names its branch, and the bank has no such branch. Reload the page and try again."""


class BookClosed(WrongState):
    """The book is closed on that day, so nothing is booked on it. Book on a later day, or ask head
    office to open it again."""


class PosterMayNotReverse(NotAllowed):
    """You booked this entry, so someone else must reverse it."""


class Leg(NamedTuple):
    """One line to book: on a customer account, or on a GL code of a branch.

    `currency` is the draft's unless it is given: an entry may have lines of two.
    """

    amount_minor: int
    account_id: int | None = None
    gl: str | None = None
    branch_id: int | None = None
    currency: str | None = None


def debit_account(account_id: int, amount_minor: int) -> Leg:
    """Take from a customer account."""
    return Leg(-amount_minor, account_id)


def credit_account(account_id: int, amount_minor: int) -> Leg:
    """Give to a customer account."""
    return Leg(amount_minor, account_id)


def debit_gl(code: str, amount_minor: int, branch_id: int | None = None) -> Leg:
    """Debit a ledger account of the entry's branch, or of another."""
    return Leg(-amount_minor, None, code, branch_id)


def credit_gl(code: str, amount_minor: int, branch_id: int | None = None) -> Leg:
    """Credit a ledger account of the entry's branch, or of another."""
    return Leg(amount_minor, None, code, branch_id)


class Draft(NamedTuple):
    """An entry before it is booked. `booking_date` may be given by the system only (imports).

    `asked` is what a person asked for, where the narration says more (the name of a branch, which
    may change): the same request is known again by it.
    """

    request_id: str
    kind: str
    narration: str
    legs: tuple[Leg, ...]
    branch_id: int
    currency: str = "INR"
    value_date: date | None = None
    booking_date: date | None = None
    external_id: str | None = None
    reverses_id: int | None = None
    reason: str | None = None
    asked: str | None = None


class Posted(NamedTuple):
    """An entry as the book holds it; `replayed` when this request had been booked before."""

    entry_id: int
    request_id: str
    booking_date: date
    booked_at: datetime
    replayed: bool


@dataclass(frozen=True, slots=True)
class BalanceNow:
    """What one customer account holds, in minor units of its currency."""

    account_id: int
    branch_id: int
    currency: str
    booked_minor: int
    held_minor: int
    overdraft_limit_minor: int
    lines: int

    @property
    def available_minor(self) -> int:
        """Booked less holds plus overdraft limit."""
        return self.booked_minor - self.held_minor + self.overdraft_limit_minor


@dataclass(frozen=True, slots=True)
class NewBalance:
    """A customer account the book does not know yet: its control account, branch and currency."""

    gl_code: str
    branch_id: int
    currency: str
    overdraft_limit_minor: int = 0


# What the database's guards say, and the refusal that a person can act on.
_REFUSALS: Final[tuple[tuple[str, type[BankError]], ...]] = (
    ("insufficient funds", InsufficientFunds),
    ("waived by another import", FloorWaivedBefore),
    ("does not balance", Unbalanced),
    ("two lines", Unbalanced),
    ("no such account", NoSuchAccount),
    ("no such branch", UnknownBranch),
    ("no such user", UnknownPoster),
    ("closed on that day", BookClosed),
    ("poster may not reverse", PosterMayNotReverse),
    ("reverses_id", AlreadyReversed),
    ("reversed already", AlreadyReversed),
)


def refusal_of(message: str) -> Exception:
    """What the database's guard said, as the refusal that a person can act on."""
    if "three capital letters" in message or "currency_capitals" in message:
        return WrongCurrency(field="currency")
    return next((said() for words, said in _REFUSALS if words in message), RuntimeError(message))


@lru_cache(maxsize=4_096)
def iso(day: date | None) -> str:
    """The day as text, or nothing; kept, because a batch asks for few days many times."""
    return day.isoformat() if day is not None else ""


def content_hash(tx: Tx, draft: Draft) -> str:
    """A digest (hex) of all that makes this entry this entry, but not of when it is booked.

    What people type stands behind its length, so no narration can pass for something else.
    """
    # The fifth, a currency of its own, is rare, and without it a line reads as it always did.
    form = "%s|%s|%s|%s|%s" if is_mixed(draft) else "%s|%s|%s|%s%.0s"
    legs = "\x1e".join([form % leg for leg in draft.legs])  # a third faster than an f-string
    narration = draft.narration if draft.asked is None else draft.asked
    outside, reason = draft.external_id or "", draft.reason or ""
    text = (
        f"{tx.desk.user_id}|{draft.kind}|{draft.branch_id}|{draft.currency}"
        f"|{iso(draft.value_date)}|{iso(draft.booking_date)}|{draft.reverses_id}"
        f"|{len(outside)}|{len(narration)}|{len(reason)}|{outside}{narration}{reason}{legs}"
    )
    return sha256(text.encode()).hexdigest()


def is_mixed(draft: Draft) -> bool:
    """Whether a line names a currency of its own."""
    return any(leg[4] is not None for leg in draft.legs)


def actor_of(tx: Tx) -> int:
    """Who posts, or NobodyPosts."""
    if tx.desk.user_id is None:
        raise NobodyPosts
    return tx.desk.user_id


def check_text(text: str, longest: int, field: str) -> None:
    """Refuse a text that the book cannot keep as it is (BadInput naming `field`)."""
    if len(text) > longest:
        raise BadInput(f"The {field} has at most {longest} characters.", field=field)
    if not is_writable(text):
        raise BadInput(f"The {field} has a character that cannot be written.", field=field)


@lru_cache(maxsize=256)
def check_currency(currency: str) -> None:
    """Refuse what is no currency's code (WrongCurrency)."""
    if not _CURRENCY.fullmatch(currency):
        raise WrongCurrency(field="currency")


def check_amount(amount_minor: object) -> None:
    """Refuse what is no amount; a database would round a half or say no in its own words."""
    if type(amount_minor) is not int or amount_minor == 0:
        raise WrongAmount(field="amount")


def check_replay(digest: str, first_hash: str) -> None:
    """Refuse a request id that was used for something else."""
    if digest != first_hash:
        raise RequestReused
