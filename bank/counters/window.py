"""At the window: the slip as it was filled in, whom it serves, and all that is asked before money
moves. `cash` books what passes here.

The statements are constant SQL on the driver's cursor: a branch waits for them.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from bank.accounts import freezes
from bank.accounts.accounts import AccountIsClosed, AccountStatus, NoSuchAccountNumber, clean_number
from bank.book.drafts import InsufficientFunds
from bank.core import money
from bank.core.db import marks
from bank.core.desk import Tx
from bank.core.errors import BadInput, Declined, WrongState
from bank.counters import declarations, drawer_cash, drawers, supervision, tallies
from bank.counters.cash_rules import cash_rules
from bank.counters.declarations import TaxPaper
from bank.counters.drawer_cash import DrawerTooLow
from bank.counters.drawers import NoOpenDrawer
from bank.counters.slips import (
    DEPOSIT,
    LONGEST_PERSON,
    LONGEST_REMARK,
    LONGEST_SLIP,
    WITHDRAWAL,
)
from bank.counters.tallies import Pieces
from bank.people.fields import clean_mobile, clean_text

SLIP: Final = re.compile(r"[A-Z0-9][A-Z0-9/-]*")
LONGEST_PLACE: Final = 40  # of the branch's name in a narration; a longer one is called by its IFSC


class SlipNumberMissing(BadInput):
    """Type the number printed on the slip: letters, digits, dashes and strokes, 24 at most."""


class DepositorUnnamed(BadInput):
    """Somebody else pays in for the holder: type their name as it stands on the slip."""


class DepositorsMobileMissing(BadInput):
    """Somebody else pays in for the holder: ask for their mobile number and type its ten digits."""


class CashInRupeesOnly(Declined):
    """The counter takes and pays rupees only, and this account is kept in another currency."""


class MakerHasNoDrawer(WrongState):
    """The cashier who asked for this has no open drawer today, so no cash can be taken or paid.
    It can be approved once the drawer is open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """A slip as it was filled in, cleaned. `paper` and `vouched` answer what the counter asks.

    `person` is empty where the holder came; `mobile` is of whoever pays in for the holder.
    """

    kind: str
    account_number: str
    amount_minor: int
    slip_number: str
    person: str
    remark: str
    mobile: str = ""
    pieces: Pieces | None = None
    paper: TaxPaper = field(default_factory=TaxPaper)
    vouched: int | None = None
    token: str = ""


@dataclass(frozen=True, slots=True)
class Served:
    """The account, its holder, and the branch that serves it: one row of SERVED."""

    account_id: int
    status: str
    currency: str
    holder: str
    email: str | None
    booked_minor: int
    available_minor: int
    branch: str
    ifsc: str
    address: str
    customer_id: int
    pan: str | None
    frozen: str | None


SERVED: Final = """
    SELECT a.id, a.status, a.currency, c.name, c.email, b.booked_minor,
           b.booked_minor - b.held_minor + b.overdraft_limit_minor, d.name, d.ifsc, d.address,
           c.id, c.pan, a.frozen
    FROM accounts a
    JOIN customers c ON c.id = a.customer_id
    JOIN balances b ON b.account_id = a.id
    JOIN branches d ON d.id = ?
    WHERE a.number = ?
"""
# Held, so that no freeze is placed between the look and the booking (`freezes.held`).
SERVED_AND_HELD: Final = f"{SERVED} FOR SHARE OF a"


def clean_slip(
    kind: str, account_number: str, amount_minor: int, slip_number: str, person: str, remark: str
) -> Slip:
    """The slip, or BadInput naming the first field that is wrong."""
    if kind not in {DEPOSIT, WITHDRAWAL}:
        raise BadInput("Choose deposit or withdrawal.", field="kind")
    number = clean_slip_number(slip_number, field="slip number")
    return Slip(
        kind=kind,
        account_number=clean_number(account_number),
        amount_minor=money.check_positive(amount_minor),
        slip_number=number,
        person=clean_text(person, field="person", longest=LONGEST_PERSON, may_be_empty=True),
        remark=clean_text(remark, field="narration", longest=LONGEST_REMARK, may_be_empty=True),
    )


def clean_slip_number(typed: str, *, field: str) -> str:
    """The number of a slip or voucher in capitals, or SlipNumberMissing(field)."""
    number = typed.strip().upper()
    if len(number) > LONGEST_SLIP or not SLIP.fullmatch(number):
        raise SlipNumberMissing(field=field)
    return number


def depositor(name: str, mobile: str, *, is_other: bool = False) -> tuple[str, str]:
    """Who pays in for the holder: name and mobile number, cleaned; both empty for the holder.

    `is_other` says that it is somebody else although nothing may have been typed yet. Raises
    DepositorUnnamed, DepositorsMobileMissing, or BadInput naming `person` or `mobile`.
    """
    who = clean_text(name, field="person", longest=LONGEST_PERSON, may_be_empty=True)
    number = clean_mobile(mobile) or ""
    if not (who or number or is_other):
        return "", ""
    if not who:
        raise DepositorUnnamed(field="person")
    if not number:
        raise DepositorsMobileMissing(field="mobile")
    return who, number


def serve(tx: Tx, slip: Slip, *, hold: bool = False) -> Served:
    """Whom the slip serves, or NoSuchAccountNumber; with `hold` its account stays as it is."""
    sql = SERVED_AND_HELD if hold and tx.dialect == "postgresql" else SERVED
    tx.cursor.execute(marks(tx.dialect, sql), (tx.desk.branch_id, slip.account_number))
    row = tx.cursor.fetchone()
    if row is None:
        raise NoSuchAccountNumber(field="account")
    return Served(*row)


def check_account(tx: Tx, slip: Slip, served: Served) -> None:
    """What the counter refuses; the ledger and the database check the money once more."""
    if served.status != AccountStatus.ACTIVE:
        raise AccountIsClosed
    if freezes.stops(served.frozen, debit=slip.kind == WITHDRAWAL):
        raise freezes.refusal(tx, served.account_id, debit=slip.kind == WITHDRAWAL)
    if served.currency != money.HOME:
        raise CashInRupeesOnly
    if slip.kind == WITHDRAWAL and slip.amount_minor > served.available_minor:
        available = money.show(max(served.available_minor, 0))
        raise InsufficientFunds(f"Only {available} is available in this account. Try less.")


def check_drawer(slip: Slip, drawer_minor: int, *, is_checked: bool = False) -> None:
    """Raise DrawerTooLow when more is asked for than lies in the drawer; said to the cashier, or to
    the checker of what waited."""
    if slip.kind == WITHDRAWAL and slip.amount_minor > drawer_minor:
        holds = money.show(max(drawer_minor, 0))
        if is_checked:
            raise DrawerTooLow(
                f"The cashier's drawer holds {holds}. Cash from the vault has to come first."
            )
        raise DrawerTooLow(
            f"Your drawer holds {holds}. Ask for cash from the vault under My drawer, then pay."
        )


def day_total(tx: Tx, slip: Slip, served: Served, *, hold: bool = False) -> int | None:
    """The holder's deposits of the day where PAN or Form 60 is asked for, else None."""
    if slip.kind != DEPOSIT or served.pan:
        return None
    return declarations.asked_for(tx, served.customer_id, slip.amount_minor, hold=hold)


def supervised_sentence(tx: Tx, slip: Slip, served: Served) -> str:
    """What a supervisor has to vouch for: nothing below the limit."""
    limit_minor = cash_rules(tx, tx.desk.branch_id).supervised_above_minor
    if slip.kind != WITHDRAWAL or slip.amount_minor <= limit_minor:
        return ""
    return (
        f"Pay {money.show(slip.amount_minor)} in cash from account {slip.account_number} of "
        f"{served.holder}, slip {slip.slip_number}, at {served.branch}"
    )


@dataclass(frozen=True, slots=True)
class Cleared:
    """What the counter found in order: the drawer, a paper to keep, who stood by."""

    drawer_id: int
    day_total_minor: int | None
    supervisor_id: int | None


def clear(tx: Tx, slip: Slip, served: Served) -> Cleared:
    """Everything the counter asks before money moves. The drawer is held before any account is.

    Where a checker agrees to a command that waited, the drawer is still the maker's, as it is now;
    the checker is the second person, so no supervisor is asked for as well.
    """
    paid_in = slip.kind == DEPOSIT
    try:
        drawer_id = drawers.own_open_drawer(tx, hold="share" if paid_in else "update")
    except NoOpenDrawer:
        if tx.is_checked:
            raise MakerHasNoDrawer from None
        raise
    check_account(tx, slip, served)
    if slip.pieces is not None:
        tallies.check_amount(tx, slip.pieces, slip.amount_minor)
    if not paid_in:
        check_drawer(slip, drawer_cash.in_drawer(tx, drawer_id), is_checked=tx.is_checked)
    asked = day_total(tx, slip, served, hold=True)
    if asked is not None:
        declarations.check_paper(slip.paper, asked)
    sentence = "" if tx.is_checked else supervised_sentence(tx, slip, served)
    supervisor = None
    if sentence:
        supervisor = supervision.consume(tx, slip.vouched, sentence, slip.account_number).id
    return Cleared(drawer_id, asked, supervisor)


def place_of(branch: str, ifsc: str) -> str:
    """How a narration calls a branch."""
    return branch if len(branch) <= LONGEST_PLACE else ifsc


def narration_of(slip: Slip, served: Served) -> str:
    """The line of the statement, in words."""
    place = place_of(served.branch, served.ifsc)
    what, who = ("deposit", "by") if slip.kind == DEPOSIT else ("withdrawal", "to")
    text = f"Cash {what} at {place}, slip {slip.slip_number}"
    if slip.person:
        text = f"{text}, {who} {slip.person}"
    return f"{text}: {slip.remark}" if slip.remark else text
