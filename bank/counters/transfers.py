"""Transfers: a customer sends money to another account of the bank, their own or anybody's.

    preview --> ask_for_code --> send: confirmed by transaction password and code --> booked

What is confirmed is one sentence that names both accounts, the payee and the amount; the mail with
the code carries it, and the booking asks for it again in its own transaction. The same request
again answers the same receipt, without another code.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import insert, select

from bank.accounts import accounts, freezes
from bank.accounts.accounts import AccountCard, AccountStatus, FreezeKind
from bank.accounts.papers import masked
from bank.book import ledger
from bank.book.drafts import Draft, InsufficientFunds
from bank.core import money, outbox
from bank.core.clock import in_india
from bank.core.desk import Desk, Tx, command, flow, looking, query
from bank.core.errors import BadInput, Declined, WrongState
from bank.core.permissions import Permission
from bank.core.secrets import Secret
from bank.counters.receipts import Receipt, masked_name, receipt_of
from bank.counters.slips import LONGEST_NOTE, TRANSFER, Transfer
from bank.people import confirmations
from bank.people.confirmations import ConfirmationRefused
from bank.people.customers import Customer
from bank.people.fields import clean_text

PURPOSE: Final = "transfer"


class SameAccount(BadInput):
    """You chose the same account twice. Choose another one to send the money to."""


class PayeeAccountClosed(WrongState):
    """The account you want to pay is closed. Ask the payee for the number of another one."""


class BeingSent(WrongState):
    """This transfer is being sent at this moment. Look at your account before you send it again."""


class OtherCurrency(Declined):
    """The two accounts are kept in different currencies. The bank does not exchange money yet."""


@dataclass(frozen=True, kw_only=True)
class TransferPreview:
    """What would be booked. `payee` is masked unless the account is the payer's own; `sentence` is
    what the customer confirms, to the letter. Amounts in minor units of `currency`."""

    from_number: str
    from_product: str
    to_number: str
    payee: str
    is_own: bool
    amount_minor: int
    currency: str
    note: str
    available_before_minor: int
    available_after_minor: int
    sentence: str

    @property
    def amount_in_words(self) -> str:
        """The amount in words, to be read before it is confirmed."""
        return money.in_words(self.amount_minor, self.currency)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A transfer as it was asked for, cleaned, with both accounts. Amount in minor units."""

    payer: AccountCard
    payee: AccountCard
    amount_minor: int
    note: str

    @property
    def is_own(self) -> bool:
        """Whether both accounts belong to the same holder."""
        return self.payer.customer_id == self.payee.customer_id

    @property
    def payee_name(self) -> str:
        """The payee as the payer reads it: masked, unless it is the payer."""
        return self.payee.holder if self.is_own else masked_name(self.payee.holder)

    @property
    def sentence(self) -> str:
        """What the customer confirms."""
        figures = money.digits(self.amount_minor, self.payer.currency)
        return (
            f"Send {self.payer.currency} {figures} from account {self.payer.number} "
            f"to account {self.payee.number} of {self.payee_name}."
        )


@query(Permission.OWN_MONEY_SEND)
def preview(
    tx: Tx, from_number: str, to_number: str, amount_minor: int, note: str = ""
) -> TransferPreview:
    """Show what a transfer would do, or refuse it before any code is asked for."""
    asked = _asked(tx, from_number, to_number, amount_minor, note)
    _check(asked, {card.id: card.frozen for card in (asked.payer, asked.payee)})
    tx.looked_at("account", asked.payer.number)
    tx.looked_at("account", asked.payee.number)
    available = asked.payer.available_minor
    return TransferPreview(
        from_number=asked.payer.number,
        from_product=asked.payer.product_name,
        to_number=asked.payee.number,
        payee=asked.payee_name,
        is_own=asked.is_own,
        amount_minor=asked.amount_minor,
        currency=asked.payer.currency,
        note=asked.note,
        available_before_minor=available,
        available_after_minor=available - asked.amount_minor,
        sentence=asked.sentence,
    )


@query(Permission.OWN_MONEY_SEND)
def sent_before(
    tx: Tx, from_number: str, to_number: str, amount_minor: int, note: str, request_id: str
) -> Receipt | None:
    """Look whether this very request was sent already; answers its receipt, or None."""
    asked = _asked(tx, from_number, to_number, amount_minor, note)
    posted = ledger.find_request(tx, _draft(asked, request_id))
    if posted is None:
        return None
    tx.looked_at("account", asked.payer.number)
    return receipt_of(tx, posted.entry_id)


@flow(Permission.OWN_MONEY_SEND)
def ask_for_code(
    desk: Desk, from_number: str, to_number: str, amount_minor: int, note: str = ""
) -> TransferPreview:
    """Mail the customer a code that is good for exactly this transfer."""
    ahead = preview(desk, from_number, to_number, amount_minor, note)
    confirmations.request_code(desk, PURPOSE, ahead.sentence)
    return ahead


@flow(Permission.OWN_MONEY_SEND)
def send(
    desk: Desk,
    from_number: str,
    to_number: str,
    amount_minor: int,
    note: str,
    transaction_password: Secret,
    code: Secret,
    request_id: str,
) -> Receipt:
    """Send money, confirmed by transaction password and code; a second click gets the receipt."""
    what = (from_number, to_number, amount_minor, note)
    first = sent_before(desk, *what, request_id)
    if first is not None:
        return first
    try:
        ahead = preview(desk, *what)  # refused in words before the code is spent
        proved = confirmations.confirm(
            desk, PURPOSE, ahead.sentence, transaction_password, code, request_id=request_id
        )
    except (ConfirmationRefused, InsufficientFunds):
        # Two clicks at once: the other one has used the code, and sent the money or is about to.
        with looking(desk) as tx:
            is_on_its_way = confirmations.is_confirmed(tx, request_id)
        first = sent_before(desk, *what, request_id)
        if first is not None:
            return first
        if is_on_its_way:
            raise BeingSent from None
        raise
    return post_transfer(desk, *what, proved, request_id)


@command(Permission.OWN_MONEY_SEND)
def post_transfer(
    tx: Tx,
    from_number: str,
    to_number: str,
    amount_minor: int,
    note: str,
    confirmation_id: int,
    request_id: str,
) -> Receipt:
    """Book a confirmed transfer; its confirmation is spent in the same transaction."""
    asked = _asked(tx, from_number, to_number, amount_minor, note)
    draft = _draft(asked, request_id)
    posted = ledger.find_request(tx, draft)
    tx.concerns("account", asked.payer.number)
    if posted is None:
        _check(asked, freezes.held(tx, (asked.payer.id, asked.payee.id)))
        confirmations.consume_confirmation(tx, confirmation_id, PURPOSE, asked.sentence)
        posted = ledger.post(tx, draft)
    tx.facts["entry_id"] = posted.entry_id
    if posted.replayed:
        return receipt_of(tx, posted.entry_id)
    keep(tx, asked, posted.entry_id)
    receipt = receipt_of(tx, posted.entry_id)
    tell_both(tx, asked, receipt, user_id=tx.desk.user_id)
    return receipt


def keep(tx: Tx, asked: Asked, entry_id: int) -> None:
    """Write down who moved what to whom, beside the entry that booked it."""
    tx.connection.execute(
        insert(Transfer),
        {
            "entry_id": entry_id,
            "from_account_id": asked.payer.id,
            "to_account_id": asked.payee.id,
            "amount_minor": asked.amount_minor,
            "note": asked.note,
            "sent_by": tx.desk.user_id,
            "sent_at": tx.now,
        },
    )


def _asked(tx: Tx, from_number: str, to_number: str, amount_minor: int, note: str) -> Asked:
    """The transfer with both accounts; NotFound where the payer's account is not one's own."""
    payer = accounts.own_card(tx, from_number)
    if accounts.clean_number(to_number) == payer.number:
        raise SameAccount(field="to account")
    return Asked(
        payer=payer,
        payee=accounts.card_by_number(tx, to_number),
        amount_minor=money.check_positive(amount_minor),
        note=clean_text(note, field="note", longest=LONGEST_NOTE, may_be_empty=True),
    )


def _check(asked: Asked, frozen: Mapping[int, FreezeKind | None]) -> None:
    """What is refused in words; the ledger and the database check the money once more."""
    accounts.check_open(asked.payer)
    if asked.payee.status is not AccountStatus.ACTIVE:
        raise PayeeAccountClosed
    if freezes.stops(frozen[asked.payer.id], debit=True):
        raise freezes.NotAtTheMoment
    if freezes.stops(frozen[asked.payee.id], debit=False):
        raise freezes.NotAtTheMoment if asked.is_own else freezes.PayeeTakesNothing
    if asked.payer.currency != asked.payee.currency:
        raise OtherCurrency
    available = asked.payer.available_minor
    if asked.amount_minor > available:
        shown = money.show(max(available, 0), asked.payer.currency)
        raise InsufficientFunds(f"Only {shown} is available in this account. Try less.")


def _draft(asked: Asked, request_id: str) -> Draft:
    return Draft(
        request_id=request_id,
        kind=TRANSFER,
        narration=f"Transfer: {asked.note}" if asked.note else "Transfer",
        legs=(
            ledger.debit_account(asked.payer.id, asked.amount_minor),
            ledger.credit_account(asked.payee.id, asked.amount_minor),
        ),
        branch_id=asked.payer.branch_id,
        currency=asked.payer.currency,
    )


def tell_both(tx: Tx, asked: Asked, receipt: Receipt, *, user_id: int | None = None) -> None:
    """An alert to the payer (user `user_id`, who sent it), and one to the payee when that is
    somebody else."""
    holders = (asked.payer.customer_id, asked.payee.customer_id)
    rows = tx.connection.execute(
        select(Customer.id, Customer.email).where(Customer.id.in_(holders))
    )
    emails = {customer_id: email for customer_id, email in rows}
    at = in_india(receipt.booked_at)
    figures = money.show(asked.amount_minor, asked.payer.currency)
    when = f"on {at.day} {at:%b %Y at %H:%M}.\n\nReference {receipt.reference}\n"
    note = f"Note: {asked.note}\n" if asked.note else ""
    ours, theirs = masked(asked.payer.number), masked(asked.payee.number)
    if to := emails[asked.payer.customer_id]:
        outbox.queue_mail(
            tx,
            to=to,
            subject=f"{figures} sent from account {ours}",
            body=f"Hello {asked.payer.holder},\n\n{figures} was sent from your account {ours} to "
            f"{asked.payee_name}, account {theirs}, {when}{note}\n"
            "If you know nothing of this, call your branch at once.\n",
            purpose=PURPOSE,
            user_id=user_id,
        )
    if not asked.is_own and (to := emails[asked.payee.customer_id]):
        outbox.queue_mail(
            tx,
            to=to,
            subject=f"{figures} received in account {theirs}",
            body=f"Hello {asked.payee.holder},\n\n{figures} was received in your account {theirs} "
            f"from {asked.payer.holder} {when}{note}",
            purpose=PURPOSE,
        )
