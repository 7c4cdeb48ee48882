"""Cash over the counter: deposit and withdraw by a filled slip, for any account of the bank.

The cash is at the cashier's branch, the account at its own; the ledger adds the lines between the
two. One click is one transaction: entry, slip, mail to the customer and trail together. The same
request again answers the same receipt and does nothing.

The statements are constant SQL on the driver's cursor: this is the verb a branch waits for.
"""

import re
from dataclasses import dataclass
from functools import partial
from typing import Final

from bank.accounts.accounts import (
    AccountIsClosed,
    AccountStatus,
    NoSuchAccountNumber,
    clean_number,
)
from bank.accounts.papers import masked
from bank.book import chart, ledger
from bank.book.drafts import Draft, InsufficientFunds, Posted, RequestReused
from bank.core import money, outbox
from bank.core.checked import Checked
from bank.core.clock import in_india
from bank.core.db import marks
from bank.core.desk import Tx, command, query
from bank.core.errors import BadInput, Declined
from bank.core.permissions import Permission
from bank.counters.receipts import Receipt, receipt_of, verify_code
from bank.counters.slips import (
    DEPOSIT,
    LONGEST_PERSON,
    LONGEST_REMARK,
    LONGEST_SLIP,
    WITHDRAWAL,
    keep_slip,
    moved_today,
)
from bank.people.fields import clean_text, masked_email

SLIP: Final = re.compile(r"[A-Z0-9][A-Z0-9/-]*")
LONGEST_PLACE: Final = 40  # of the branch's name in a narration; a longer one is called by its IFSC


class SlipNumberMissing(BadInput):
    """Type the number printed on the slip: letters, digits, dashes and strokes, 24 at most."""


class CashInRupeesOnly(Declined):
    """The counter takes and pays rupees only, and this account is kept in another currency."""


@dataclass(frozen=True, kw_only=True)
class CashPreview:
    """What would be booked, before it is. Balances are of the account, booked, in minor units;
    `mail_to` is the holder's address, masked, or nothing."""

    kind: str
    amount_minor: int
    account_number: str
    holder: str
    status: AccountStatus
    slip_number: str
    person: str
    remark: str
    narration: str
    debit: str
    credit: str
    available_minor: int
    balance_before_minor: int
    balance_after_minor: int
    mail_to: str

    @property
    def amount_in_words(self) -> str:
        """The amount as it must stand on the slip."""
        return money.in_words(self.amount_minor)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Slip:
    """A slip as it was filled in, cleaned."""

    kind: str
    account_number: str
    amount_minor: int
    slip_number: str
    person: str
    remark: str


@dataclass(frozen=True, slots=True)
class _Served:
    """The account, its holder, and the branch that serves it: one row of _SERVED."""

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


_SERVED: Final = """
    SELECT a.id, a.status, a.currency, c.name, c.email, b.booked_minor,
           b.booked_minor - b.held_minor + b.overdraft_limit_minor, d.name, d.ifsc, d.address
    FROM accounts a
    JOIN customers c ON c.id = a.customer_id
    JOIN balances b ON b.account_id = a.id
    JOIN branches d ON d.id = ?
    WHERE a.number = ?
"""
_BALANCE_AFTER: Final = "SELECT balance_minor FROM postings WHERE entry_id = ? AND account_id = ?"


def _checked(kind: str) -> Checked:
    """A large amount of one cashier on one account and day waits for a second person."""
    return Checked(
        amount="amount_minor",
        account="account_number",
        of_today=partial(moved_today, kind=kind),
        ends=(AccountIsClosed, NoSuchAccountNumber, CashInRupeesOnly),
    )


@command(Permission.CASH_POST, checked=_checked(DEPOSIT))
def deposit(
    tx: Tx,
    account_number: str,
    amount_minor: int,
    slip_number: str,
    depositor: str = "",
    narration: str = "",
    *,
    request_id: str,
) -> Receipt:
    """Take cash for any account of the bank by its exact number."""
    slip = _clean(DEPOSIT, account_number, amount_minor, slip_number, depositor, narration)
    return _book(tx, slip, request_id)


@command(Permission.CASH_POST, checked=_checked(WITHDRAWAL))
def withdraw(
    tx: Tx,
    account_number: str,
    amount_minor: int,
    slip_number: str,
    bearer: str = "",
    narration: str = "",
    *,
    request_id: str,
) -> Receipt:
    """Pay cash from any account of the bank, up to its available balance."""
    slip = _clean(WITHDRAWAL, account_number, amount_minor, slip_number, bearer, narration)
    return _book(tx, slip, request_id)


@query(Permission.CASH_POST)
def preview_cash(
    tx: Tx,
    kind: str,
    account_number: str,
    amount_minor: int,
    slip_number: str,
    person: str = "",
    narration: str = "",
) -> CashPreview:
    """Show what a deposit or withdrawal would book, or refuse it before anything is counted out."""
    slip = _clean(kind, account_number, amount_minor, slip_number, person, narration)
    served = _serve(tx, slip)
    _check(slip, served)
    tx.looked_at("account", slip.account_number)
    place = f"{chart.CASH} {chart.name_of(tx, chart.CASH)}"
    cash, customer = f"{place}, {served.branch}", f"{served.holder}'s account"
    taken = slip.amount_minor if kind == DEPOSIT else -slip.amount_minor
    return CashPreview(
        kind=kind,
        amount_minor=slip.amount_minor,
        account_number=slip.account_number,
        holder=served.holder,
        status=AccountStatus(served.status),
        slip_number=slip.slip_number,
        person=slip.person,
        remark=slip.remark,
        narration=_narration(slip, served),
        debit=cash if kind == DEPOSIT else customer,
        credit=customer if kind == DEPOSIT else cash,
        available_minor=served.available_minor,
        balance_before_minor=served.booked_minor,
        balance_after_minor=served.booked_minor + taken,
        mail_to=masked_email(served.email),
    )


def _clean(
    kind: str, account_number: str, amount_minor: int, slip_number: str, person: str, remark: str
) -> _Slip:
    if kind not in {DEPOSIT, WITHDRAWAL}:
        raise BadInput("Choose deposit or withdrawal.", field="kind")
    number = slip_number.strip().upper()
    if len(number) > LONGEST_SLIP or not SLIP.fullmatch(number):
        raise SlipNumberMissing(field="slip number")
    return _Slip(
        kind=kind,
        account_number=clean_number(account_number),
        amount_minor=money.check_positive(amount_minor),
        slip_number=number,
        person=clean_text(person, field="person", longest=LONGEST_PERSON, may_be_empty=True),
        remark=clean_text(remark, field="narration", longest=LONGEST_REMARK, may_be_empty=True),
    )


def _serve(tx: Tx, slip: _Slip) -> _Served:
    tx.cursor.execute(marks(tx.dialect, _SERVED), (tx.desk.branch_id, slip.account_number))
    row = tx.cursor.fetchone()
    if row is None:
        raise NoSuchAccountNumber(field="account")
    return _Served(*row)


def _check(slip: _Slip, served: _Served) -> None:
    """What the counter refuses; the ledger and the database check the money once more."""
    if served.status != AccountStatus.ACTIVE:
        raise AccountIsClosed
    if served.currency != money.HOME:
        raise CashInRupeesOnly
    if slip.kind == WITHDRAWAL and slip.amount_minor > served.available_minor:
        available = money.show(max(served.available_minor, 0))
        raise InsufficientFunds(f"Only {available} is available in this account. Try less.")


def _book(tx: Tx, slip: _Slip, request_id: str) -> Receipt:
    served = _serve(tx, slip)
    draft = _draft(tx, slip, served, request_id)
    try:
        _check(slip, served)
    except (AccountIsClosed, CashInRupeesOnly, InsufficientFunds):
        # What may no longer be done may have been done already, by this very request.
        posted = ledger.find_request(tx, draft)
        if posted is None:
            raise
    else:
        posted = ledger.post(tx, draft)
    tx.concerns("account", slip.account_number)
    tx.facts["entry_id"] = posted.entry_id
    if posted.replayed:
        return _first_receipt(tx, slip, posted)
    keep_slip(
        tx,
        posted,
        kind=slip.kind,
        slip_number=slip.slip_number,
        account_id=served.account_id,
        person=slip.person,
        note=slip.remark,
    )
    tx.cursor.execute(marks(tx.dialect, _BALANCE_AFTER), (posted.entry_id, served.account_id))
    receipt = _receipt(tx, slip, served, posted, int(tx.cursor.fetchone()[0]))
    if served.email:
        _tell(tx, receipt, served.email)
    return receipt


def _draft(tx: Tx, slip: _Slip, served: _Served, request_id: str) -> Draft:
    assert tx.desk.branch_id is not None, "a cashier works at a branch"
    signed = slip.amount_minor if slip.kind == DEPOSIT else -slip.amount_minor
    return Draft(
        request_id=request_id,
        kind=slip.kind,
        narration=_narration(slip, served),
        asked="\x1f".join((slip.slip_number, slip.person, slip.remark)),
        legs=(
            ledger.Leg(-signed, None, chart.CASH, tx.desk.branch_id),
            ledger.Leg(signed, served.account_id),
        ),
        branch_id=tx.desk.branch_id,
        currency=served.currency,
    )


def _narration(slip: _Slip, served: _Served) -> str:
    """The line of the statement, in words."""
    place = served.branch if len(served.branch) <= LONGEST_PLACE else served.ifsc
    what, who = ("deposit", "by") if slip.kind == DEPOSIT else ("withdrawal", "to")
    text = f"Cash {what} at {place}, slip {slip.slip_number}"
    if slip.person:
        text = f"{text}, {who} {slip.person}"
    return f"{text}: {slip.remark}" if slip.remark else text


def _first_receipt(tx: Tx, slip: _Slip, posted: Posted) -> Receipt:
    receipt = receipt_of(tx, posted.entry_id)
    asked = (slip.slip_number, slip.person, slip.remark)
    if asked != (receipt.slip_number, receipt.person, receipt.note):
        raise RequestReused
    return receipt


def _receipt(
    tx: Tx, slip: _Slip, served: _Served, posted: Posted, balance_after_minor: int
) -> Receipt:
    return Receipt(
        entry_id=posted.entry_id,
        transaction_id=posted.request_id,
        kind=slip.kind,
        amount_minor=slip.amount_minor,
        currency=served.currency,
        account_number=slip.account_number,
        holder=served.holder,
        to_number=None,
        to_holder=None,
        branch=served.branch,
        ifsc=served.ifsc,
        address=served.address,
        booked_at=posted.booked_at,
        booking_date=posted.booking_date,
        balance_after_minor=balance_after_minor,
        by=tx.desk.name,
        slip_number=slip.slip_number,
        person=slip.person,
        note=slip.remark,
        verify_code=verify_code(
            tx, posted.request_id, slip.account_number, slip.amount_minor, served.currency
        ),
    )


def _tell(tx: Tx, receipt: Receipt, email: str) -> None:
    """The alert of every cash transaction, so that one nobody asked for is noticed at once."""
    at = in_india(receipt.booked_at)
    done = "paid into" if receipt.kind == DEPOSIT else "paid out of"
    figures = money.show(receipt.amount_minor, receipt.currency)
    outbox.queue_mail(
        tx,
        to=email,
        subject=f"{figures} in cash {done} account {masked(receipt.account_number)}",
        body=(
            f"Hello {receipt.holder},\n\n"
            f"{figures} in cash was {done} your account {receipt.account} at {receipt.branch} "
            f"({receipt.ifsc}) on {at.day} {at:%b %Y at %H:%M}.\n\n"
            f"Slip {receipt.slip_number}\nReference {receipt.reference}\n\n"
            "If you know nothing of this, call your branch at once.\n"
        ),
        purpose="cash",
    )
