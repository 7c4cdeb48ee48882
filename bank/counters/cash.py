"""Cash over the counter: deposit and withdraw by a filled slip, for any account of the bank.

The cash is in the cashier's open drawer, the account at its own branch; the ledger adds the lines
between the two. `window` asks whatever is asked before. One click is one transaction: entry, slip,
mail to the customer and trail together. The same request again answers the same receipt and does
nothing.

The statements are constant SQL on the driver's cursor: this is the verb a branch waits for.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from bank.accounts.accounts import AccountIsClosed, AccountStatus, NoSuchAccountNumber
from bank.accounts.papers import masked
from bank.book import chart, ledger
from bank.book.drafts import Draft, Posted, RequestReused
from bank.core import checkers, money, outbox
from bank.core.checked import About, Checked, required_now
from bank.core.clock import in_india
from bank.core.db import marks
from bank.core.desk import CATALOGUE, Tx, command, query
from bank.core.errors import BankError
from bank.core.permissions import Permission
from bank.counters import declarations, drawer_cash, drawers, prepared, tallies, window
from bank.counters.cash_rules import cash_rules
from bank.counters.prepared import TokenIsOver
from bank.counters.receipts import Receipt, receipt_of, verify_code
from bank.counters.slips import DEPOSIT, WITHDRAWAL, keep_slip, moved_today, tally_id_of
from bank.counters.tallies import Pieces
from bank.counters.window import CashInRupeesOnly, Served, Slip, narration_of
from bank.people.fields import masked_email, masked_mobile
from bank.people.limits import LimitKind


@dataclass(frozen=True, kw_only=True)
class CashPreview:
    """What would be booked, before it is. Balances are of the account, booked, in minor units;
    `mail_to` is the holder's address, masked, or nothing.

    `drawer_minor` is what lies in the cashier's drawer before it. `day_total_minor` is set when PAN
    or Form 60 is asked for: what the holder has paid in today, this slip included. `supervised` is
    the sentence a supervisor has to vouch for now, `waits` says that it will wait for approval and
    whose; each is nothing where it is not so, and never both.
    """

    kind: str
    amount_minor: int
    account_number: str
    holder: str
    status: AccountStatus
    slip_number: str
    person: str
    mobile: str
    remark: str
    narration: str
    debit: str
    credit: str
    available_minor: int
    balance_before_minor: int
    balance_after_minor: int
    mail_to: str
    drawer_minor: int
    drawer_limit_minor: int
    day_total_minor: int | None
    supervised: str
    waits: str

    @property
    def is_drawer_too_full(self) -> bool:
        """Whether the drawer holds more than it may once this deposit lies in it."""
        full = self.drawer_minor + self.amount_minor
        return self.kind == DEPOSIT and full > self.drawer_limit_minor

    @property
    def amount_in_words(self) -> str:
        """The amount as it must stand on the slip."""
        return money.in_words(self.amount_minor)


_VERBS: Final = {DEPOSIT: "counters.cash.deposit", WITHDRAWAL: "counters.cash.withdraw"}
_OWN_LIMIT: Final = {DEPOSIT: LimitKind.TAKE_IN.value, WITHDRAWAL: LimitKind.PAY_OUT.value}
_DONE: Final = {DEPOSIT: "taken", WITHDRAWAL: "paid out"}
_BALANCE_AFTER: Final = "SELECT balance_minor FROM postings WHERE entry_id = ? AND account_id = ?"


def _checked(kind: str) -> Checked:
    """A large amount of one cashier on one account and day waits for a second person; what is
    large may be less for one cashier than for the others."""
    return Checked(
        amount="amount_minor",
        account="account_number",
        of_today=partial(moved_today, kind=kind),
        own_limit=_OWN_LIMIT[kind],
        ends=(AccountIsClosed, NoSuchAccountNumber, CashInRupeesOnly, TokenIsOver),
        dropped=frozenset({"vouched"} if kind == WITHDRAWAL else ()),
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
    mobile: str = "",
    pieces: Pieces | None = None,
    pan: str = "",
    form_60: bool = False,
    token: str = "",
    request_id: str,
) -> Receipt:
    """Take cash for any account of the bank by its exact number.

    `depositor` and `mobile` name whoever pays in for the holder: both, or neither.
    `pieces` counts the notes and coins, if the cashier keys them. `pan` or `form_60` answer the
    question for one of them, above the limit of a day. `token` is of the slip the customer
    prepared, if there is one.
    """
    slip = window.clean_slip(
        DEPOSIT, account_number, amount_minor, slip_number, depositor, narration
    )
    slip = replace(slip, mobile=window.depositor(depositor, mobile)[1])
    paper = declarations.clean_paper(pan, form_60)
    return _book(tx, replace(slip, pieces=pieces, paper=paper, token=_token(token)), request_id)


@command(Permission.CASH_POST, checked=_checked(WITHDRAWAL))
def withdraw(
    tx: Tx,
    account_number: str,
    amount_minor: int,
    slip_number: str,
    bearer: str = "",
    narration: str = "",
    *,
    pieces: Pieces | None = None,
    vouched: int | None = None,
    token: str = "",
    request_id: str,
) -> Receipt:
    """Pay cash from any account of the bank, up to its available balance.

    `vouched` is the proof of a supervisor (`supervision.vouch`), needed above a limit; what waits
    for approval needs none, because its checker is the second person.
    """
    slip = window.clean_slip(
        WITHDRAWAL, account_number, amount_minor, slip_number, bearer, narration
    )
    return _book(tx, replace(slip, pieces=pieces, vouched=vouched, token=_token(token)), request_id)


@query(Permission.CASH_POST)
def preview_cash(
    tx: Tx,
    kind: str,
    account_number: str,
    amount_minor: int,
    slip_number: str,
    person: str = "",
    narration: str = "",
    *,
    mobile: str = "",
    is_other: bool = False,
) -> CashPreview:
    """Show what a deposit or withdrawal would book, or refuse it before anything is counted out.

    `is_other` says that somebody else than the holder pays in; they are named with their `mobile`.
    """
    slip = window.clean_slip(kind, account_number, amount_minor, slip_number, person, narration)
    if kind == DEPOSIT:
        slip = replace(slip, mobile=window.depositor(person, mobile, is_other=is_other)[1])
    drawer_minor = drawer_cash.in_drawer(tx, drawers.own_open_drawer(tx))
    served = window.serve(tx, slip)
    window.check_account(tx, slip, served)
    window.check_drawer(slip, drawer_minor)
    tx.looked_at("account", slip.account_number)
    place = f"{chart.CASH} {chart.name_of(tx, chart.CASH)}"
    waits = _will_wait(tx, slip)
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
        mobile=slip.mobile,
        remark=slip.remark,
        narration=narration_of(slip, served),
        debit=cash if kind == DEPOSIT else customer,
        credit=customer if kind == DEPOSIT else cash,
        available_minor=served.available_minor,
        balance_before_minor=served.booked_minor,
        balance_after_minor=served.booked_minor + taken,
        mail_to=masked_email(served.email),
        drawer_minor=drawer_minor,
        drawer_limit_minor=cash_rules(tx, tx.desk.branch_id).drawer_limit_minor,
        day_total_minor=window.day_total(tx, slip, served),
        supervised="" if waits else window.supervised_sentence(tx, slip, served),
        waits=waits,
    )


def _token(token: str) -> str:
    return prepared.clean_token(token) if token else ""


def _will_wait(tx: Tx, slip: Slip) -> str:
    """Whether the command itself will wait for a second person, said before it is asked for."""
    verb = CATALOGUE[_VERBS[slip.kind]]
    about = About(amount_minor=slip.amount_minor, accounts=(slip.account_number,))
    need = required_now(tx, verb, about)
    if need is None:
        return ""
    able = checkers.could_decide(
        tx,
        roles=need.checkers,
        branch_id=tx.desk.branch_id,
        maker_id=tx.desk.user_id or 0,
        accounts=about.accounts,
    )
    names = checkers.either(checkers.named(tx, able)) if able else "nobody who works here now"
    day = money.show(need.compared_minor or 0)
    return (
        f"This will wait for approval by {names}: with it you have {_DONE[slip.kind]} {day} on "
        f"this account today, and above {money.show(need.above_minor)} a second person decides."
    )


def _book(tx: Tx, slip: Slip, request_id: str) -> Receipt:
    served = window.serve(tx, slip, hold=True)
    draft = _draft(tx, slip, served, request_id)
    try:
        cleared = window.clear(tx, slip, served)
    except BankError:
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
        mobile=slip.mobile,
        note=slip.remark,
        drawer_id=cleared.drawer_id,
        tally_id=None if slip.pieces is None else tallies.keep_tally(tx, slip.pieces).id,
        supervisor_id=cleared.supervisor_id,
    )
    if slip.token:
        prepared.spend(
            tx,
            slip.token,
            kind=slip.kind,
            account_id=served.account_id,
            amount_minor=slip.amount_minor,
            entry_id=posted.entry_id,
        )
    if cleared.day_total_minor is not None:
        declarations.keep(tx, posted, served.customer_id, slip.paper, cleared.day_total_minor)
    tx.cursor.execute(marks(tx.dialect, _BALANCE_AFTER), (posted.entry_id, served.account_id))
    receipt = _receipt(tx, slip, served, posted, int(tx.cursor.fetchone()[0]))
    if served.email:
        _tell(tx, receipt, served.email)
    return receipt


def _draft(tx: Tx, slip: Slip, served: Served, request_id: str) -> Draft:
    assert tx.desk.branch_id is not None, "a cashier works at a branch"
    signed = slip.amount_minor if slip.kind == DEPOSIT else -slip.amount_minor
    asked = (slip.slip_number, slip.person, slip.remark, *filter(None, (slip.mobile, slip.token)))
    return Draft(
        request_id=request_id,
        kind=slip.kind,
        narration=narration_of(slip, served),
        asked="\x1f".join(asked),
        legs=(
            ledger.Leg(-signed, None, chart.CASH, tx.desk.branch_id),
            ledger.Leg(signed, served.account_id),
        ),
        branch_id=tx.desk.branch_id,
        currency=served.currency,
    )


def _first_receipt(tx: Tx, slip: Slip, posted: Posted) -> Receipt:
    receipt = receipt_of(tx, posted.entry_id)
    asked = (slip.slip_number, slip.person, slip.remark)
    if asked != (receipt.slip_number, receipt.person, receipt.note):
        raise RequestReused
    keyed = {code: count for code, count in (slip.pieces or {}).items() if count}
    if keyed != tallies.pieces_of(tx, tally_id_of(tx, posted.entry_id)):
        raise RequestReused
    return receipt


def _receipt(
    tx: Tx, slip: Slip, served: Served, posted: Posted, balance_after_minor: int
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
        mobile=masked_mobile(slip.mobile),
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
