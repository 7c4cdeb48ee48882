"""Money from one account of the bank to another, at the counter, on a voucher the holder signed.

    preview_funds --> move_funds: the voucher was compared, above a limit seen by a supervisor

No cash moves, so no drawer is asked for. What stops a withdrawal stops this: a closed or frozen
account, too little money; and nobody serves an account they have an interest in. The same request
again answers the same receipt and does nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from bank.accounts import accounts, freezes
from bank.accounts.accounts import AccountCard, AccountStatus, FreezeKind
from bank.book import ledger
from bank.book.drafts import Draft, InsufficientFunds
from bank.book.tables import JournalEntry
from bank.core import approvals, checkers, money
from bank.core.desk import Tx, command, query
from bank.core.errors import BadInput, Declined, NotAllowed, NotFound
from bank.core.permissions import Permission
from bank.core.work_rights import Employee
from bank.counters import supervision, transfers, window
from bank.counters.cash_rules import cash_rules
from bank.counters.receipts import Receipt, receipt_of
from bank.counters.slips import LONGEST_REMARK, TRANSFER, FundVoucher, Transfer, keep_voucher
from bank.counters.transfers import Asked, PayeeAccountClosed, SameAccount
from bank.people.branches import Branch
from bank.people.customers import Customer
from bank.people.fields import clean_text, masked_email

MOVE_FUNDS: Final = "counters.fund_transfers.move_funds"


class RupeesOnly(Declined):
    """The counter moves rupees only, and one of these accounts is kept in another currency."""


class OwnInterest(NotAllowed):
    """You have an interest in one of these accounts yourself. Ask another cashier to serve it."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """One of the two accounts: booked balances in minor units, before and after; `mail_to` is the
    holder's address, masked, or nothing."""

    number: str
    holder: str
    product_name: str
    before_minor: int
    after_minor: int
    mail_to: str


@dataclass(frozen=True, kw_only=True)
class FundsPreview:
    """What would be booked, before it is: `payer` is debited, `payee` is credited.

    `supervised` is the sentence a supervisor has to vouch for, nothing below the limit.
    """

    payer: Side
    payee: Side
    amount_minor: int
    voucher_number: str
    remark: str
    narration: str
    available_minor: int
    supervised: str


@query(Permission.CASH_POST)
def preview_funds(
    tx: Tx,
    from_number: str,
    to_number: str,
    amount_minor: int,
    voucher_number: str,
    remark: str = "",
) -> FundsPreview:
    """Show what moving money between two accounts would book, or refuse it."""
    asked, voucher = _asked(tx, from_number, to_number, amount_minor, voucher_number, remark)
    _check(tx, asked, {card.id: card.frozen for card in (asked.payer, asked.payee)})
    for card in (asked.payer, asked.payee):
        tx.looked_at("account", card.number)
    emails = _emails(tx, asked)
    return FundsPreview(
        payer=_side(asked.payer, -asked.amount_minor, emails),
        payee=_side(asked.payee, asked.amount_minor, emails),
        amount_minor=asked.amount_minor,
        voucher_number=voucher,
        remark=asked.note,
        narration=_narration(tx, asked, voucher),
        available_minor=asked.payer.available_minor,
        supervised=_supervised(tx, asked, voucher),
    )


@command(Permission.CASH_POST)
def move_funds(
    tx: Tx,
    from_number: str,
    to_number: str,
    amount_minor: int,
    voucher_number: str,
    remark: str = "",
    *,
    vouched: int | None = None,
    request_id: str,
) -> Receipt:
    """Move money from one account of the bank to another, on a voucher the holder signed.

    `vouched` is the proof of a supervisor (`supervision.vouch`), needed above the limit of cash.
    """
    asked, voucher = _asked(tx, from_number, to_number, amount_minor, voucher_number, remark)
    draft = _draft(tx, asked, voucher, request_id)
    assert tx.desk.user_id is not None, "a cashier is somebody"
    # Before the request is looked for: a second click waits here, and then finds what was booked.
    approvals.hold_sums(tx, MOVE_FUNDS, tx.desk.user_id, [asked.payer.number])
    posted = ledger.find_request(tx, draft)
    tx.concerns("account", asked.payer.number)
    supervisor_id = None
    if posted is None:
        _check(tx, asked, freezes.held(tx, (asked.payer.id, asked.payee.id)))
        if sentence := _supervised(tx, asked, voucher):
            supervisor = supervision.consume(tx, vouched, sentence, asked.payer.number)
            supervision.check_interest(tx, supervisor, [asked.payee.number])
            supervisor_id = supervisor.id
        posted = ledger.post(tx, draft)
    tx.facts["entry_id"] = posted.entry_id
    if posted.replayed:
        return receipt_of(tx, posted.entry_id)
    transfers.keep(tx, asked, posted.entry_id)
    keep_voucher(tx, posted, voucher_number=voucher, supervisor_id=supervisor_id)
    receipt = receipt_of(tx, posted.entry_id)
    transfers.tell_both(tx, asked, receipt)
    return receipt


def _asked(
    tx: Tx, from_number: str, to_number: str, amount_minor: int, voucher_number: str, remark: str
) -> tuple[Asked, str]:
    """The voucher as it was filled in, cleaned, with both accounts of the bank; and its number."""
    voucher = window.clean_slip_number(voucher_number, field="voucher number")
    payer = _account(tx, from_number, "from account")
    payee = _account(tx, to_number, "to account")
    if payee.number == payer.number:
        raise SameAccount(field="to account")
    asked = Asked(
        payer=payer,
        payee=payee,
        amount_minor=money.check_positive(amount_minor),
        note=clean_text(remark, field="narration", longest=LONGEST_REMARK, may_be_empty=True),
    )
    return asked, voucher


def _account(tx: Tx, number: str, field: str) -> AccountCard:
    """The account with this number; a refusal names which of the two fields it was typed in."""
    try:
        return accounts.card_by_number(tx, number)
    except (BadInput, NotFound) as refusal:
        refusal.field = field
        raise


def _check(tx: Tx, asked: Asked, frozen: Mapping[int, FreezeKind | None]) -> None:
    """What the counter refuses; the ledger and the database check the money once more."""
    payer, payee = asked.payer, asked.payee
    accounts.check_open(payer)
    if payee.status is not AccountStatus.ACTIVE:
        raise PayeeAccountClosed
    if {payer.currency, payee.currency} != {money.HOME}:
        raise RupeesOnly
    if freezes.stops(frozen[payer.id], debit=True):
        raise freezes.refusal(tx, payer.id, debit=True)
    if freezes.stops(frozen[payee.id], debit=False):
        raise freezes.refusal(tx, payee.id, debit=False)
    if asked.amount_minor > payer.available_minor:
        available = money.show(max(payer.available_minor, 0))
        raise InsufficientFunds(f"Only {available} is available in this account. Try less.")
    assert tx.desk.user_id is not None, "a cashier is somebody"
    cashier = Employee(tx.desk.user_id, tx.desk.name, tx.desk.role, tx.desk.branch_id)
    if checkers.interests(tx, [payer.number, payee.number], [cashier]):
        raise OwnInterest


def _supervised(tx: Tx, asked: Asked, voucher: str) -> str:
    """What a supervisor has to vouch for: nothing up to the limit that holds for cash. All that the
    cashier has moved from the account today counts, or a large sum would go in small vouchers."""
    moved_minor = asked.amount_minor + _moved_today_minor(tx, asked.payer.id)
    if moved_minor <= cash_rules(tx, tx.desk.branch_id).supervised_above_minor:
        return ""
    of_the_day = (
        f", in all {money.show(moved_minor)} from this account today"
        if moved_minor > asked.amount_minor
        else ""
    )
    return (
        f"Move {money.show(asked.amount_minor)} from account {asked.payer.number} of "
        f"{asked.payer.holder} to account {asked.payee.number}, voucher {voucher}{of_the_day}"
    )


def _moved_today_minor(tx: Tx, account_id: int) -> int:
    """What this cashier has moved from an account today by vouchers that stand."""
    reversal = aliased(JournalEntry)
    moved = (
        select(func.coalesce(func.sum(Transfer.amount_minor), 0))
        .select_from(FundVoucher)
        .join(Transfer, Transfer.entry_id == FundVoucher.entry_id)
        .outerjoin(reversal, reversal.reverses_id == FundVoucher.entry_id)
        .where(
            FundVoucher.cashier_id == tx.desk.user_id,
            FundVoucher.booking_date == tx.business_date,
            Transfer.from_account_id == account_id,
            reversal.id.is_(None),
        )
    )
    return int(tx.connection.execute(moved).scalar_one())


def _draft(tx: Tx, asked: Asked, voucher: str, request_id: str) -> Draft:
    assert tx.desk.branch_id is not None, "a cashier works at a branch"
    return Draft(
        request_id=request_id,
        kind=TRANSFER,
        narration=_narration(tx, asked, voucher),
        asked=f"{voucher}\x1f{asked.note}",
        legs=(
            ledger.debit_account(asked.payer.id, asked.amount_minor),
            ledger.credit_account(asked.payee.id, asked.amount_minor),
        ),
        branch_id=tx.desk.branch_id,
        currency=asked.payer.currency,
    )


def _narration(tx: Tx, asked: Asked, voucher: str) -> str:
    """The line of both statements, in words."""
    branch = tx.session.get_one(Branch, tx.desk.branch_id)
    text = f"Transfer at {window.place_of(branch.name, branch.ifsc)}, voucher {voucher}"
    return f"{text}: {asked.note}" if asked.note else text


def _emails(tx: Tx, asked: Asked) -> Mapping[int, str | None]:
    holders = (asked.payer.customer_id, asked.payee.customer_id)
    rows = tx.connection.execute(
        select(Customer.id, Customer.email).where(Customer.id.in_(holders))
    )
    return {customer_id: email for customer_id, email in rows}


def _side(card: AccountCard, moved_minor: int, emails: Mapping[int, str | None]) -> Side:
    return Side(
        number=card.number,
        holder=card.holder,
        product_name=card.product_name,
        before_minor=card.booked_minor,
        after_minor=card.booked_minor + moved_minor,
        mail_to=masked_email(emails[card.customer_id]),
    )
