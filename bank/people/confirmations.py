"""Confirmations: what a customer proves before money leaves their account.

    given --by the payment it was given for, within minutes--> used

Two things are asked: the transaction password, which only they know, and a one-time code, made for
exactly this payment. `bound_to` is one sentence that names amount, payee and accounts in full; the
mail carries it word for word, the code is good for it alone, and the payment asks for it again. So
what the customer reads is what is paid, and nobody can change either in between.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Final

from sqlalchemy import ForeignKey, String, select, update
from sqlalchemy.orm import Mapped, mapped_column

from bank.core.clock import in_india
from bank.core.db import Base
from bank.core.desk import Desk, Tx, chunk, command, flow, note, query
from bank.core.errors import Declined, WrongState
from bank.core.permissions import Permission
from bank.core.secrets import Secret
from bank.core.states import machine
from bank.people import attempts, codes, passwords, tries
from bank.people.fields import clean_text, masked_email
from bank.people.identity import User, held_user, user_by_id
from bank.people.rules import rules
from bank.people.tries import Guarded

LONGEST_BOUND_TO: Final = 300
LONGEST_PURPOSE: Final = 32
MAIL: Final = "mail"  # the one proof there is: a device's code says nothing of payee and amount


class ConfirmationStatus(StrEnum):
    """Whether it has been spent."""

    GIVEN = "given"
    USED = "used"


MOVES: Final = machine("confirmation", {ConfirmationStatus.GIVEN: {ConfirmationStatus.USED}})


class NoTransactionPassword(WrongState):
    """You have no transaction password yet. Choose one under Security, then come back."""


class PaymentsRest(WrongState):
    """Your transaction password was set without the old one, so payments rest for a while."""


class ConfirmationRefused(Declined):
    """Transaction password or code is not right, or was tried too often. Nothing has been paid."""


class NotConfirmed(Declined):
    """This payment has not been confirmed as it stands now. Ask for a new code and confirm it."""


class Confirmation(Base):
    """One confirmation by one customer in one session, of exactly the sentence `bound_to`."""

    __tablename__ = "confirmations"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    session_id: Mapped[int | None] = mapped_column(ForeignKey("sessions.id"))
    purpose: Mapped[str] = mapped_column(String(LONGEST_PURPOSE))
    bound_to: Mapped[str] = mapped_column(String(LONGEST_BOUND_TO))
    proof: Mapped[str] = mapped_column(String(8))
    status: Mapped[ConfirmationStatus]
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    request_id: Mapped[str | None] = mapped_column(String(36))


@dataclass(frozen=True, kw_only=True)
class Means:
    """How this customer confirms: codes go to `mail_to`; nothing is confirmed before `rest_until`,
    if there is such a time."""

    has_transaction_password: bool
    mail_to: str
    rest_until: datetime | None


@query(Permission.OWN_MONEY_SEND)
def means(tx: Tx) -> Means:
    """Say how the customer at this desk confirms a payment."""
    user = _owner(tx)
    return Means(
        has_transaction_password=user.transaction_password_hash is not None,
        mail_to=masked_email(user.email),
        rest_until=_rest_until(tx, user),
    )


@command(Permission.OWN_MONEY_SEND)
def request_code(tx: Tx, purpose: str, bound_to: str) -> None:
    """Mail the customer a code that is good for exactly this sentence, which the mail repeats.

    Raises PaymentsRest, TooManyCodes, NoMailAddress, or BadInput when the sentence is too long.
    """
    user = _owner(tx)
    _check_no_rest(tx, user)
    sentence = clean_text(bound_to, field="bound_to", longest=LONGEST_BOUND_TO)
    codes.send_code(
        tx,
        user,
        purpose,
        sentence,
        telling=f"You are about to confirm:\n\n{sentence}\n\nIf that is not what you want, stop.",
        subject="Your code to confirm",
    )
    tx.concerns("user", user.id)


@flow(Permission.OWN_MONEY_SEND)
def confirm(
    desk: Desk,
    purpose: str,
    bound_to: str,
    transaction_password: Secret,
    code: Secret,
    *,
    request_id: str | None = None,
) -> int:
    """Check transaction password and code for exactly this; answers the confirmation's id.

    `request_id` is the payment's, so that its second click is known (see `is_confirmed`).
    Raises ConfirmationRefused whichever of them was wrong, NoTransactionPassword or PaymentsRest.
    """
    sentence = clean_text(bound_to, field="bound_to", longest=LONGEST_BOUND_TO)
    with note(desk) as tx:
        user = _owner(tx)
        if user.transaction_password_hash is None:
            raise NoTransactionPassword
        _check_no_rest(tx, user)
        taken = tries.take(tx, user.id, Guarded.CONFIRMATION)
        is_last = tries.was_last(tx, taken)
        codes.count_code_try(tx, user.id, purpose)
        known_hash = user.transaction_password_hash if taken else None
    if not passwords.matches(transaction_password, known_hash):
        raise ConfirmationRefused(remember=partial(_refused, is_last))
    with chunk(desk, "people.confirmations.confirm", {"bound_to": sentence}) as tx:
        user = held_user(tx, user.id)
        tries.forget(tx, user.id, Guarded.CONFIRMATION)  # undone with all else when it is refused
        right = codes.use_mailed(tx, user.id, purpose, sentence, code)
        if not right or user.transaction_password_hash != known_hash:
            raise ConfirmationRefused(remember=partial(_refused, is_last))
        row = Confirmation(
            user_id=user.id,
            session_id=tx.desk.session_id,
            purpose=purpose,
            bound_to=sentence,
            proof=MAIL,
            status=ConfirmationStatus.GIVEN,
            made_at=tx.now,
            expires_at=tx.now + timedelta(minutes=rules(tx).confirmation_minutes),
            request_id=request_id,
        )
        tx.session.add(row)
        tx.session.flush()
        tx.concerns("confirmation", row.id)
        return row.id


def is_confirmed(tx: Tx, request_id: str) -> bool:
    """Whether this very request was confirmed and may be in the middle of being paid."""
    confirmed = select(Confirmation.id).where(
        Confirmation.user_id == tx.desk.user_id,
        Confirmation.request_id == request_id,
        Confirmation.expires_at > tx.now,
    )
    return tx.session.scalar(confirmed.limit(1)) is not None


def consume_confirmation(tx: Tx, confirmation_id: int, purpose: str, bound_to: str) -> None:
    """Spend a confirmation in the transaction of what it allows, or raise NotConfirmed.

    It must be this customer's, of this session, for this purpose and this very sentence, given
    within the last minutes and not yet spent. When the transaction fails, it is not spent. A
    replayed request (the ledger's `Posted.replayed`) needs none: it pays nothing again.
    """
    spent = tx.session.scalar(
        update(Confirmation)
        .where(
            Confirmation.id == confirmation_id,
            Confirmation.user_id == tx.desk.user_id,
            Confirmation.session_id == tx.desk.session_id,
            Confirmation.purpose == purpose,
            Confirmation.bound_to == " ".join(bound_to.split()),
            Confirmation.status == ConfirmationStatus.GIVEN,
            Confirmation.expires_at > tx.now,
        )
        .values(status=ConfirmationStatus.USED, used_at=tx.now)
        .returning(Confirmation.id)
    )
    if spent is None:
        raise NotConfirmed
    tx.facts["confirmation"] = confirmation_id


def _owner(tx: Tx) -> User:
    assert tx.desk.user_id is not None, "a customer's desk has a user"
    return user_by_id(tx, tx.desk.user_id)


def _rest_until(tx: Tx, user: User) -> datetime | None:
    until = user.payments_rest_until
    return until if until is not None and until > tx.now else None


def _check_no_rest(tx: Tx, user: User) -> None:
    until = _rest_until(tx, user)
    if until is not None:
        at = in_india(until)
        raise PaymentsRest(
            "Your transaction password was set without the old one, so payments rest until "
            f"{at.day} {at:%b %Y, %H:%M}. If it was not you, call your branch at once."
        )


def _refused(is_last: bool, tx: Tx) -> None:
    if is_last:
        attempts.tell_of_lock(tx, _owner(tx), "Confirming payments")
