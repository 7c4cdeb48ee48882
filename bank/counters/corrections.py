"""A cashier's own slip of today, taken back: asked for by the cashier, decided by a second person.

Whoever booked an entry never reverses it. So this always waits, and when it is agreed to, the
reversal is booked as the one who agreed; the cashier's request stays beside it. The cash leaves, or
comes back into, the drawer of the slip, which must be open and hold so much. What is older, or went
through a drawer that is closed by now, the branch admin reverses in the journal. A transfer by
voucher is taken back in the same way; no drawer has a part in it.
"""

from dataclasses import replace
from typing import Any, Final, NamedTuple

from sqlalchemy import literal, null, select
from sqlalchemy.orm import aliased

from bank.accounts.accounts import Account
from bank.accounts.papers import masked
from bank.book import ledger
from bank.book.drafts import SYSTEM_USER_ID, Posted, RequestReused
from bank.book.references import reference_of
from bank.book.tables import JournalEntry, Posting
from bank.core import money, outbox
from bank.core.checked import About, Checked, Given
from bank.core.desk import Tx, command
from bank.core.errors import NotAllowed, NotFound, WrongState
from bank.core.permissions import Permission
from bank.counters import drawer_cash, drawers
from bank.counters.drawer_cash import DrawerTooLow
from bank.counters.drawers import NoOpenDrawer
from bank.counters.slips import DEPOSIT, TRANSFER, CashSlip, FundVoucher, Transfer
from bank.counters.window import MakerHasNoDrawer
from bank.people.customers import Customer
from bank.people.fields import clean_text

LONGEST_REASON: Final = 200


class NoSuchSlip(NotFound):
    """There is no such slip among those that you booked. Choose one from your list of today."""


class SlipNotOfToday(WrongState):
    """Only slips of today are taken back at the counter. The branch admin reverses older ones in
    the journal."""


class DrawerOfSlipClosed(WrongState):
    """The drawer of this slip is closed. The branch admin reverses it in the journal."""


class SecondPersonNeeded(NotAllowed):
    """Nobody takes back their own slip alone, and no rule names who decides. Tell head office."""


class _Slip(NamedTuple):
    """The slip as far as it matters here; `amount_minor` is positive."""

    entry_id: int
    kind: str
    branch_id: int
    booking_date: Any
    slip_number: str
    drawer_id: int | None
    account_number: str
    holder: str
    email: str | None
    amount_minor: int
    currency: str
    payee_number: str = ""  # of a transfer by voucher
    payee: str = ""
    payee_email: str | None = None
    is_own: bool = False  # both accounts are of one holder, who is told once

    @property
    def reference(self) -> str:
        return reference_of(self.booking_date, self.entry_id)

    @property
    def accounts(self) -> tuple[str, ...]:
        return tuple(filter(None, (self.account_number, self.payee_number)))


def _about(tx: Tx, given: Given) -> About:
    slip = _own_slip(tx, given["entry_id"])
    if slip is None:
        return About(amount_minor=1)  # the command says that there is none
    return About(
        amount_minor=slip.amount_minor,
        currency=slip.currency,
        accounts=slip.accounts,
        kind=slip.kind,
        branch_id=slip.branch_id,
    )


@command(
    Permission.CASH_POST,
    checked=Checked(
        about=_about,
        ends=(NoSuchSlip, SlipNotOfToday, DrawerOfSlipClosed, ledger.AlreadyReversed),
    ),
)
def reverse_own_slip(tx: Tx, entry_id: int, reason: str, request_id: str) -> Posted:
    """Ask that an own slip of today is reversed: a second person always decides."""
    why = clean_text(reason, field="reason", longest=LONGEST_REASON)
    slip = _own_slip(tx, entry_id)
    if slip is None:
        raise NoSuchSlip
    if not tx.is_checked:
        raise SecondPersonNeeded
    tx.concerns("entry", entry_id)
    if (before := _booked_before(tx, entry_id, request_id)) is not None:
        return before
    if slip.booking_date != tx.business_date:
        raise SlipNotOfToday
    if tx.session.scalar(select(JournalEntry.id).where(JournalEntry.reverses_id == entry_id)):
        raise ledger.AlreadyReversed
    if slip.kind != TRANSFER:
        _check_drawer(tx, slip)
    posted = ledger.reverse(_as_checker(tx), entry_id, reason=why, request_id=request_id)
    tx.facts["entry_id"] = posted.entry_id
    tx.changed(
        {"slip": slip.slip_number, "state": "booked"},
        {"slip": slip.slip_number, "state": "reversed"},
    )
    _tell(tx, slip, posted)
    return posted


def _own_slip(tx: Tx, entry_id: int) -> _Slip | None:
    """The slip, if this cashier booked it at this branch."""
    row = tx.session.execute(
        select(
            CashSlip.entry_id,
            CashSlip.kind,
            CashSlip.branch_id,
            CashSlip.booking_date,
            CashSlip.slip_number,
            CashSlip.drawer_id,
            Account.number,
            Customer.name,
            Customer.email,
            Posting.amount_minor,
            Posting.currency,
        )
        .join(Account, Account.id == CashSlip.account_id)
        .join(Customer, Customer.id == Account.customer_id)
        .join(
            Posting,
            (Posting.entry_id == CashSlip.entry_id) & (Posting.account_id == CashSlip.account_id),
        )
        .where(
            CashSlip.entry_id == entry_id,
            CashSlip.cashier_id == tx.desk.user_id,
            CashSlip.branch_id == tx.desk.branch_id,
        )
    ).first()
    if row is None:
        return _own_voucher(tx, entry_id)
    return _Slip(*row[:9], abs(row[9]), row[10])


def _own_voucher(tx: Tx, entry_id: int) -> _Slip | None:
    """The transfer, if this cashier booked it at this branch by a voucher."""
    payee, payee_holder = aliased(Account), aliased(Customer)
    row = tx.session.execute(
        select(
            FundVoucher.entry_id,
            literal(TRANSFER),
            FundVoucher.branch_id,
            FundVoucher.booking_date,
            FundVoucher.voucher_number,
            null(),
            Account.number,
            Customer.name,
            Customer.email,
            Transfer.amount_minor,
            Account.currency,
            payee.number,
            payee_holder.name,
            payee_holder.email,
            payee.customer_id == Account.customer_id,
        )
        .join(Transfer, Transfer.entry_id == FundVoucher.entry_id)
        .join(Account, Account.id == Transfer.from_account_id)
        .join(Customer, Customer.id == Account.customer_id)
        .join(payee, payee.id == Transfer.to_account_id)
        .join(payee_holder, payee_holder.id == payee.customer_id)
        .where(
            FundVoucher.entry_id == entry_id,
            FundVoucher.cashier_id == tx.desk.user_id,
            FundVoucher.branch_id == tx.desk.branch_id,
        )
    ).first()
    return None if row is None else _Slip(*row)


def _booked_before(tx: Tx, entry_id: int, request_id: str) -> Posted | None:
    """The reversal that this very request has become, None while it has not, else RequestReused."""
    row = tx.session.execute(
        select(
            JournalEntry.id,
            JournalEntry.reverses_id,
            JournalEntry.booking_date,
            JournalEntry.booked_at,
        ).where(JournalEntry.request_id == request_id)
    ).first()
    if row is None:
        return None
    if row.reverses_id != entry_id:
        raise RequestReused
    return Posted(row.id, request_id, row.booking_date, row.booked_at, True)


def _check_drawer(tx: Tx, slip: _Slip) -> None:
    """The slip's own drawer is open, stays so until this is booked, and holds what it gives up."""
    try:
        drawer_id = drawers.own_open_drawer(tx, hold="update")
    except NoOpenDrawer:
        raise MakerHasNoDrawer(
            "The cashier has no open drawer today, so no cash can be given back or taken. It can "
            "be approved once the drawer is open; else the branch admin reverses the slip in the "
            "journal."
        ) from None
    if slip.drawer_id != drawer_id:
        raise DrawerOfSlipClosed
    if slip.kind == DEPOSIT and slip.amount_minor > (held := drawer_cash.in_drawer(tx, drawer_id)):
        raise DrawerTooLow(
            f"The cashier's drawer holds {money.show(max(held, 0))}, and this gives back "
            f"{money.show(slip.amount_minor)}. Cash from the vault has to come first."
        )


def _as_checker(tx: Tx) -> Tx:
    """This transaction as the one who agreed: whoever booked an entry never reverses it.

    While the request is only rehearsed nobody has agreed yet; the bank itself stands in, and what
    it books is taken back.
    """
    checker = tx.facts.get("checker_id", SYSTEM_USER_ID)
    assert isinstance(checker, int)
    desk = replace(tx.desk, user_id=checker, name=str(tx.facts.get("checker", "system")))
    return replace(tx, desk=desk)


def _tell(tx: Tx, slip: _Slip, posted: Posted) -> None:
    """They had a mail about the slip, so they have one about its end."""
    paper, purpose = f"slip {slip.slip_number}", "cash"
    if slip.kind == TRANSFER:
        paper, purpose = f"voucher {slip.slip_number}", "transfer"
        told = [(slip.email, slip.holder, slip.account_number, "sent from")]
        if not slip.is_own:
            told.append((slip.payee_email, slip.payee, slip.payee_number, "received in"))
    else:
        done = "in cash paid into" if slip.kind == DEPOSIT else "in cash paid out of"
        told = [(slip.email, slip.holder, slip.account_number, done)]
    figures = money.show(slip.amount_minor, slip.currency)
    for email, holder, number, done in told:
        if not email:
            continue
        outbox.queue_mail(
            tx,
            to=email,
            subject=f"Taken back: {figures} {done} account {masked(number)}",
            body=(
                f"Hello {holder},\n\n"
                f"{figures} {done} your account {masked(number)} with {paper} (reference "
                f"{slip.reference}) was booked by mistake and is taken back. Your balance is as it "
                f"was before.\n\n"
                f"Reference {reference_of(posted.booking_date, posted.entry_id)}\n\n"
                "If you know nothing of this, call your branch at once.\n"
            ),
            purpose=purpose,
        )
