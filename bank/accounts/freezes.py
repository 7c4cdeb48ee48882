"""Freezes: by order nothing is paid out of an account, nothing into it, or neither.

    placed at once, by one --> stands --by two--> lifted

Several orders may stand on one account, each is lifted by itself; what they come to is kept on the
account (`accounts.frozen`). They bind what people want done: the counter, transfers, holds. They
do not bind the reversal of an error, imports, and what the bank books by itself.

Whoever moves money at somebody's wish holds the account's row while looking (`held`), and placing
waits for them: then it counts at once. `lines_before` and `lines_after` say how many lines the
account had, so that a check finds what was booked in between whatever the clocks say.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, select, update
from sqlalchemy.orm import Mapped, mapped_column

from bank.accounts import accounts
from bank.accounts.accounts import Account, AccountCard, FreezeKind
from bank.book import ledger
from bank.book.drafts import RequestReused
from bank.core import checkers
from bank.core.checked import About, Checked, Given
from bank.core.clock import day_in_words, in_india
from bank.core.db import Base
from bank.core.desk import Tx, command, query
from bank.core.errors import Declined, NotAllowed, NotFound, WrongState
from bank.core.permissions import Permission
from bank.core.work_rights import Employee
from bank.people.fields import clean_text

LONGEST_ORDER: Final = 60
LONGEST_REASON: Final = 200
WORDS: Final = {
    FreezeKind.DEBIT: "debit freeze",
    FreezeKind.CREDIT: "credit freeze",
    FreezeKind.TOTAL: "total freeze",
}
MEANS: Final = {
    FreezeKind.DEBIT: "nothing is paid out of it",
    FreezeKind.CREDIT: "nothing is paid into it",
    FreezeKind.TOTAL: "nothing is paid out of it or into it",
}


class NoSuchFreeze(NotFound):
    """There is no such freeze on an account of your branch. Look at the account again."""


class FreezeIsLifted(WrongState):
    """This freeze has been lifted already."""


class HolderDoesNotLift(NotAllowed):
    """You have an interest in this account yourself, so a colleague must ask for it."""


class AccountIsFrozen(Declined):
    """This account is frozen by order. Send the customer to the lead of the branch."""


class NotAtTheMoment(Declined):
    """This account cannot be used for this at the moment. Please call or visit your branch."""


class PayeeTakesNothing(Declined):
    """The account you want to pay takes no payments at the moment. Ask the payee for another."""


class AccountFreeze(Base):
    """One order on one account. `agreed_by_name` is the second person of the lifting."""

    __tablename__ = "account_freezes"
    __table_args__ = (
        CheckConstraint("(lifted_at IS NULL) = (lines_after IS NULL)", name="lifted_whole"),
        Index("ix_account_freezes_account_id", "account_id", "lifted_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    kind: Mapped[FreezeKind]
    order_reference: Mapped[str] = mapped_column(String(LONGEST_ORDER))
    reason: Mapped[str] = mapped_column(String(LONGEST_REASON))
    request_id: Mapped[str] = mapped_column(String(36), unique=True)
    placed_at: Mapped[datetime]
    placed_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    placed_by_name: Mapped[str] = mapped_column(String(120))
    lines_before: Mapped[int]
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    lifted_by_name: Mapped[str | None] = mapped_column(String(120))
    agreed_by_name: Mapped[str | None] = mapped_column(String(120))
    lift_reason: Mapped[str | None] = mapped_column(String(LONGEST_REASON))
    lines_after: Mapped[int | None]

    @property
    def words(self) -> str:
        """`debit freeze since 16 Mar 2026, order 12/2026`."""
        since = day_in_words(in_india(self.placed_at).date())
        return f"{WORDS[self.kind]} since {since}, order {self.order_reference}"


@dataclass(frozen=True, kw_only=True)
class FreezeCard:
    """A freeze as staff see it; one that stands has no `lifted_at`."""

    id: int
    kind: FreezeKind
    words: str
    order_reference: str
    reason: str
    placed_at: datetime
    placed_by_name: str
    lifted_at: datetime | None
    lifted_by_name: str | None
    agreed_by_name: str | None
    lift_reason: str | None

    @property
    def state(self) -> str:
        """Whether it still binds."""
        return "stands" if self.lifted_at is None else "lifted"


def stops(frozen: str | None, *, debit: bool) -> bool:
    """Whether what stands on an account stops money that leaves it (`debit`) or comes to it."""
    one = FreezeKind.DEBIT if debit else FreezeKind.CREDIT
    return frozen is not None and frozen in {one, FreezeKind.TOTAL}


def held(tx: Tx, account_ids: Collection[int]) -> Mapping[int, FreezeKind | None]:
    """What stands on each of these accounts, until this transaction ends."""
    wanted = select(Account.id, Account.frozen).where(Account.id.in_(account_ids))
    rows = tx.connection.execute(wanted.order_by(Account.id).with_for_update(read=True))
    return {account_id: frozen for account_id, frozen in rows}


def refusal(tx: Tx, account_id: int, *, debit: bool) -> AccountIsFrozen:
    """What staff are told, and the checker of what waited: which order it is, and since when."""
    found = [each for each in _standing(tx, account_id) if stops(each.kind, debit=debit)]
    if not found:
        return AccountIsFrozen()
    oldest = found[0]
    return AccountIsFrozen(
        f"This account is under a {oldest.words}: {MEANS[oldest.kind]}. "
        "Send the customer to the lead of the branch."
    )


def check_own(card: AccountCard, *, debit: bool) -> None:
    """The same, told to the customer: no order is spoken of."""
    if stops(card.frozen, debit=debit):
        raise NotAtTheMoment


def refuse_hold(tx: Tx, account_id: int) -> None:
    """Nothing more is reserved on an account that pays nothing out (see `book/holds`)."""
    if stops(held(tx, [account_id]).get(account_id), debit=True):
        raise refusal(tx, account_id, debit=True)


@query(Permission.ACCOUNT_LOOK_UP)
def freezes_of(tx: Tx, account_number: str) -> Sequence[FreezeCard]:
    """List what stands on an account and what once stood, newest first."""
    card = accounts.card_for_staff(tx, account_number)
    tx.looked_at("account", card.number)
    return [
        FreezeCard(
            id=each.id,
            kind=each.kind,
            words=each.words,
            order_reference=each.order_reference,
            reason=each.reason,
            placed_at=each.placed_at,
            placed_by_name=each.placed_by_name,
            lifted_at=each.lifted_at,
            lifted_by_name=each.lifted_by_name,
            agreed_by_name=each.agreed_by_name,
            lift_reason=each.lift_reason,
        )
        for each in _of(tx, card.id)
    ]


@command(Permission.ACCOUNT_FREEZE)
def place_freeze(
    tx: Tx,
    account_number: str,
    kind: FreezeKind,
    order_reference: str,
    reason: str,
    *,
    request_id: str,
) -> int:
    """Freeze an account by order, at once; answers the number of the freeze."""
    card = accounts.card_for_staff(tx, account_number)
    order = clean_text(order_reference, field="order", longest=LONGEST_ORDER)
    why = clean_text(reason, field="reason", longest=LONGEST_REASON)
    _hold(tx, card.id)
    tx.concerns("account", card.number)
    first = tx.session.scalar(select(AccountFreeze).where(AccountFreeze.request_id == request_id))
    if first is not None:
        asked = (card.id, kind, order, why, tx.desk.user_id)
        known = (first.account_id, first.kind, first.order_reference, first.reason)
        if asked != (*known, first.placed_by):
            raise RequestReused
        return first.id
    accounts.check_open(accounts.card_of(tx, card.id))
    assert tx.desk.user_id is not None
    before = _words(tx, card.id)
    freeze = AccountFreeze(
        account_id=card.id,
        kind=kind,
        order_reference=order,
        reason=why,
        request_id=request_id,
        placed_at=tx.bank.clock.now(),  # not before those that were waited for
        placed_by=tx.desk.user_id,
        placed_by_name=tx.desk.name,
        lines_before=ledger.balance_of(tx, card.id).lines,
    )
    tx.session.add(freeze)
    tx.session.flush()
    _settle(tx, card, before)
    tx.facts["freeze_id"] = freeze.id
    return freeze.id


def _about_lift(tx: Tx, given: Given) -> About:
    row = tx.session.get(AccountFreeze, given["freeze_id"])
    if row is None:
        return About()  # the command says that there is none
    card = accounts.card_of(tx, row.account_id)
    return About(accounts=(card.number,), branch_id=card.branch_id)


@command(
    Permission.ACCOUNT_FREEZE,
    checked=Checked(about=_about_lift, ends=(NoSuchFreeze, FreezeIsLifted)),
)
def lift_freeze(tx: Tx, freeze_id: int, reason: str) -> None:
    """Lift a freeze, with a reason; the others on the account go on standing."""
    row = tx.session.get(AccountFreeze, freeze_id)
    if row is None:
        raise NoSuchFreeze
    card = accounts.card_of(tx, row.account_id)
    if not tx.desk.sees_whole_bank and tx.desk.branch_id != card.branch_id:
        raise NoSuchFreeze
    why = clean_text(reason, field="reason", longest=LONGEST_REASON)
    _hold(tx, card.id)
    row = tx.locked(AccountFreeze, freeze_id)
    if row.lifted_at is not None:
        raise FreezeIsLifted
    assert tx.desk.user_id is not None
    me = Employee(tx.desk.user_id, tx.desk.name, tx.desk.role, tx.desk.branch_id)
    if checkers.interests(tx, [card.number], [me]):
        raise HolderDoesNotLift
    before, agreed = _words(tx, card.id), tx.facts.get("checker")
    row.lifted_at = tx.bank.clock.now()
    row.lifted_by, row.lifted_by_name = me.id, me.name
    row.agreed_by_name = None if agreed is None else str(agreed)
    row.lift_reason = why
    row.lines_after = ledger.balance_of(tx, card.id).lines
    tx.session.flush()
    _settle(tx, card, before)
    tx.facts["freeze_id"] = row.id


def _of(tx: Tx, account_id: int) -> Sequence[AccountFreeze]:
    wanted = select(AccountFreeze).where(AccountFreeze.account_id == account_id)
    return tx.session.scalars(wanted.order_by(AccountFreeze.id.desc())).all()


def _hold(tx: Tx, account_id: int) -> None:
    """Hold the account's row alone: whoever has looked at it to move money is done, and whoever
    looks next sees what is written now."""
    if tx.dialect == "postgresql":  # on SQLite there is one writer at a time
        tx.cursor.execute("SELECT 1 FROM accounts WHERE id = %s FOR NO KEY UPDATE", (account_id,))


def _settle(tx: Tx, card: AccountCard, before: Sequence[str]) -> None:
    """Write on the account what its freezes come to, and for the trail what stood and stands."""
    kinds = [each.kind for each in _standing(tx, card.id)]
    is_out = any(stops(each, debit=True) for each in kinds)
    is_in = any(stops(each, debit=False) for each in kinds)
    now = None
    if is_out or is_in:
        one = FreezeKind.DEBIT if is_out else FreezeKind.CREDIT
        now = FreezeKind.TOTAL if is_out and is_in else one
    tx.session.execute(update(Account).where(Account.id == card.id).values(frozen=now))
    tx.concerns("account", card.number)
    tx.changed({"freezes": _listed(before)}, {"freezes": _listed(_words(tx, card.id))})


def _standing(tx: Tx, account_id: int) -> list[AccountFreeze]:
    """What stands on an account, the oldest first."""
    return [each for each in reversed(_of(tx, account_id)) if each.lifted_at is None]


def _words(tx: Tx, account_id: int) -> list[str]:
    return [each.words for each in _standing(tx, account_id)]


def _listed(words: Sequence[str]) -> str:
    return "; ".join(words) or "none"
