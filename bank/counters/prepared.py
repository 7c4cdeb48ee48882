"""Prepared slips: a customer fills the slip on the phone, the cashier types its six-digit token.

    prepared --a counter books it--> used
        |------the customer cancels--> cancelled
        `------its day is over-------> expired

The token says nothing and proves nothing: it only spares the typing. Who it is, the signature and
the cash are still the cashier's to check, at any branch of the bank. It is drawn at random, no two
open ones are alike, and wrong ones are counted against guessing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from bank.accounts import accounts
from bank.accounts.accounts import Account
from bank.book.drafts import InsufficientFunds, RequestReused
from bank.core import money
from bank.core.db import Base
from bank.core.desk import Desk, Tx, command, flow, looking, note, query
from bank.core.errors import BadInput, Declined, NotFound, WrongState
from bank.core.ids import new_code
from bank.core.permissions import Permission
from bank.core.states import machine, move
from bank.counters import tallies
from bank.counters.cash_rules import cash_rules
from bank.counters.slips import DEPOSIT, WITHDRAWAL
from bank.counters.tallies import NoteOrCoin, Pieces
from bank.counters.window import CashInRupeesOnly
from bank.people import tries
from bank.people.customers import Customer
from bank.people.tries import Guarded

DIGITS: Final = 6
MOST_DRAWS: Final = 20  # of a token that happens to be open already
MOST_LISTED: Final = 20


class PreparedStatus(StrEnum):
    """What became of a prepared slip."""

    PREPARED = "prepared"
    USED = "used"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


S = PreparedStatus
MOVES: Final = machine("prepared slip", {S.PREPARED: {S.USED, S.CANCELLED, S.EXPIRED}})
_OPEN: Final = text("status = 'prepared'")


class NoSuchToken(BadInput):
    """There is no slip with this token. Ask the customer to read it out again, or fill in the
    paper slip."""


class TooManyTokens(Declined):
    """Too many wrong tokens were typed at this counter. Fill in the paper slip; tokens work again
    in a while."""


class TokenIsOver(WrongState):
    """This token is over. Ask the customer for a new one, or fill in the paper slip."""


class NotAsPrepared(BadInput):
    """This is not the slip that the token stands for. Correct it, or remove the token."""


class TooManyPrepared(Declined):
    """You have prepared as many slips as may wait. Cancel one, or use one at a counter first."""


class NoTokenFree(Declined):
    """No token is free at this moment. Try again in a minute."""


class NoSuchPrepared(NotFound):
    """There is no such slip of yours. Reload the page."""


class PreparedSlip(Base):
    """One slip filled in by its customer. It moves nothing until a counter books it."""

    __tablename__ = "prepared_slips"
    __table_args__ = (
        CheckConstraint("kind IN ('cash_deposit', 'cash_withdrawal')", name="kind_known"),
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        CheckConstraint("(status = 'used') = (entry_id IS NOT NULL)", name="used_has_entry"),
        UniqueConstraint("request_id"),
        UniqueConstraint("entry_id"),
        Index("ix_prepared_slips_customer_id", "customer_id", "id"),
        Index("ix_prepared_slips_token", "token", "id"),
        Index(
            "uq_prepared_slips_open",
            "token",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(String(DIGITS))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    kind: Mapped[str] = mapped_column(String(16))
    amount_minor: Mapped[int]
    tally_id: Mapped[int | None] = mapped_column(ForeignKey("tallies.id"))
    status: Mapped[PreparedStatus]
    request_id: Mapped[str] = mapped_column(String(36))
    valid_until: Mapped[date]
    prepared_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[int | None]
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("entries.id"))


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A prepared slip as its customer and the counter read it."""

    id: int
    token: str
    kind: str
    account_number: str
    holder: str
    amount_minor: int
    pieces: Pieces
    status: PreparedStatus
    valid_until: date
    prepared_at: datetime

    @property
    def amount_in_words(self) -> str:
        """The amount as it stands on a slip."""
        return money.in_words(self.amount_minor)


@query(Permission.SLIP_PREPARE)
def notes_to_choose(tx: Tx) -> Sequence[NoteOrCoin]:
    """List the notes and coins that a customer may put on a slip, the largest first."""
    return tallies.notes_and_coins(tx)


@command(Permission.SLIP_PREPARE)
def prepare_slip(
    tx: Tx,
    kind: str,
    account_number: str,
    amount_minor: int,
    pieces: Pieces | None = None,
    *,
    request_id: str,
) -> Prepared:
    """Fill in a slip for an own account; any counter finds it by its token on this business day."""
    asked = tx.session.scalar(select(PreparedSlip).where(PreparedSlip.request_id == request_id))
    if asked is not None:
        return _same(tx, asked, (kind, account_number, amount_minor, pieces))
    if kind not in {DEPOSIT, WITHDRAWAL}:
        raise BadInput("Choose deposit or withdrawal.", field="kind")
    card = accounts.own_card(tx, account_number)
    accounts.check_open(card)
    if card.currency != money.HOME:
        raise CashInRupeesOnly
    money.check_positive(amount_minor)
    if kind == WITHDRAWAL and amount_minor > card.available_minor:
        available = money.show(max(card.available_minor, 0))
        raise InsufficientFunds(f"Only {available} is available in this account. Try less.")
    counted = {code: count for code, count in (pieces or {}).items() if count}
    if counted:
        tallies.check_amount(tx, counted, amount_minor)
    _make_room(tx)
    row_id = _insert(
        tx,
        {
            "customer_id": tx.desk.customer_id,
            "account_id": card.id,
            "kind": kind,
            "amount_minor": amount_minor,
            "tally_id": tallies.keep_tally(tx, counted).id if counted else None,
            "status": S.PREPARED,
            "request_id": request_id,
            "valid_until": tx.business_date + timedelta(days=cash_rules(tx, None).token_days - 1),
            "prepared_at": tx.now,
        },
    )
    tx.concerns("account", card.number)
    tx.changed(None, {"status": S.PREPARED, "kind": kind, "amount_minor": amount_minor})
    return _card(tx, tx.session.get_one(PreparedSlip, row_id))


@command(Permission.SLIP_PREPARE)
def cancel_slip(tx: Tx, prepared_id: int) -> None:
    """Take back a slip that no counter has booked; its token is good for nothing any more."""
    row = tx.session.get(PreparedSlip, prepared_id, with_for_update=True, populate_existing=True)
    if row is None or row.customer_id != tx.desk.customer_id:
        raise NoSuchPrepared
    if row.status is S.CANCELLED:
        return
    move(row, S.CANCELLED, MOVES)
    row.ended_at, row.ended_by = tx.now, tx.desk.user_id
    tx.concerns("prepared slip", row.id)
    tx.changed({"status": S.PREPARED}, {"status": S.CANCELLED})


@query(Permission.SLIP_PREPARE)
def own_prepared(tx: Tx) -> Sequence[Prepared]:
    """List the newest slips this customer prepared, with their tokens while they are good.

    Who looks on the customer's behalf sees no token: it is the customer's to read out.
    """
    rows = tx.session.scalars(
        select(PreparedSlip)
        .where(PreparedSlip.customer_id == tx.desk.customer_id)
        .order_by(PreparedSlip.id.desc())
        .limit(MOST_LISTED)
    ).all()
    tx.looked_at("customer", tx.desk.customer_id)
    cards = _cards(tx, rows)
    if tx.desk.on_behalf_of is not None:
        return [replace(card, token="") for card in cards]
    return cards


@flow(Permission.CASH_POST)
def find_prepared(desk: Desk, token: str) -> Prepared:
    """Show the slip that a customer prepared, at whichever branch its token is typed."""
    bare = clean_token(token)
    assert desk.user_id is not None
    with note(desk) as tx:  # counted before it is looked at, so parallel guesses gain nothing
        taken = tries.take(tx, desk.user_id, Guarded.TOKEN)
    if not taken:
        raise TooManyTokens
    with looking(desk) as tx:
        row = tx.session.scalars(
            select(PreparedSlip)
            .where(PreparedSlip.token == bare)
            .order_by(PreparedSlip.id.desc())
            .limit(1)
        ).first()
        if row is None:
            raise NoSuchToken(field="token")
        found = _card(tx, row)
        if found.status is not S.PREPARED:
            raise TokenIsOver(_said_of(found.status))
        tx.looked_at("account", found.account_number)
    with note(desk) as tx:  # earlier wrong ones still count, until a slip is booked (`spend`)
        tries.give_back(tx, desk.user_id, Guarded.TOKEN)
    return found


def clean_token(token: str) -> str:
    """Six digits as typed, without the blanks people put in."""
    bare = "".join(token.split())
    if len(bare) != DIGITS or not (bare.isascii() and bare.isdigit()):
        raise BadInput("Type the six digits of the token.", field="token")
    return bare


def spend(
    tx: Tx, token: str, *, kind: str, account_id: int, amount_minor: int, entry_id: int
) -> None:
    """Mark the slip as used by this entry, in its transaction: once, by the very slip prepared."""
    spent = tx.session.scalar(
        update(PreparedSlip)
        .where(
            PreparedSlip.token == token,
            PreparedSlip.status == S.PREPARED,
            PreparedSlip.valid_until >= tx.business_date,
            PreparedSlip.account_id == account_id,
            PreparedSlip.kind == kind,
            PreparedSlip.amount_minor == amount_minor,
        )
        .values(status=S.USED, ended_at=tx.now, ended_by=tx.desk.user_id, entry_id=entry_id)
        .returning(PreparedSlip.id)
        .execution_options(synchronize_session=False)
    )
    if spent is not None:
        tx.facts["prepared_slip"] = spent
        assert tx.desk.user_id is not None, "a cashier is somebody"
        tries.forget(tx, tx.desk.user_id, Guarded.TOKEN)
        return
    wanted = select(PreparedSlip).where(PreparedSlip.token == token)
    row = tx.session.scalars(wanted.order_by(PreparedSlip.id.desc()).limit(1)).first()
    if row is not None and _status(tx, row) is not S.PREPARED:
        raise TokenIsOver(_said_of(_status(tx, row)))
    raise NotAsPrepared(field="token")


def _make_room(tx: Tx) -> None:
    """What ran out makes its token free; and a customer has only so many at a time."""
    tx.session.execute(
        update(PreparedSlip)
        .where(PreparedSlip.status == S.PREPARED, PreparedSlip.valid_until < tx.business_date)
        .values(status=S.EXPIRED, ended_at=tx.now)
        .execution_options(synchronize_session=False)
    )
    # The customer's row is held, so that two windows cannot each prepare the last one.
    tx.session.get(Customer, tx.desk.customer_id, with_for_update={"key_share": True})
    mine = select(func.count()).where(
        PreparedSlip.customer_id == tx.desk.customer_id, PreparedSlip.status == S.PREPARED
    )
    if (tx.session.scalar(mine) or 0) >= cash_rules(tx, None).tokens_at_once:
        raise TooManyPrepared


def _insert(tx: Tx, row: dict[str, object]) -> int:
    """Write the slip down under a token that no other open one has."""
    insert = postgresql.insert if tx.dialect == "postgresql" else sqlite.insert
    for _ in range(MOST_DRAWS):
        made = tx.session.execute(
            insert(PreparedSlip)
            .values(**row, token=new_code(DIGITS))
            .on_conflict_do_nothing(index_elements=["token"], index_where=_OPEN)
            .returning(PreparedSlip.id)
        ).scalar()
        if made is not None:
            return int(made)
    raise NoTokenFree


def _same(tx: Tx, row: PreparedSlip, asked: tuple[str, str, int, Pieces | None]) -> Prepared:
    """The slip that this request has made already, or RequestReused."""
    card = _card(tx, row)
    kind, number, amount_minor, pieces = asked
    counted = {code: count for code, count in (pieces or {}).items() if count}
    given = (card.kind, card.account_number, card.amount_minor, card.pieces)
    same = given == (kind, accounts.clean_number(number), amount_minor, counted)
    if row.customer_id != tx.desk.customer_id or not same:
        raise RequestReused
    tx.concerns("account", card.account_number)
    return card


def _status(tx: Tx, row: PreparedSlip) -> PreparedStatus:
    """Where it stands: what ran out is over, whether or not anybody has written that down."""
    is_late = row.status is S.PREPARED and row.valid_until < tx.business_date
    return S.EXPIRED if is_late else row.status


def _card(tx: Tx, row: PreparedSlip) -> Prepared:
    return _cards(tx, [row])[0]


def _cards(tx: Tx, rows: Sequence[PreparedSlip]) -> list[Prepared]:
    named = {
        account_id: (number, holder)
        for account_id, number, holder in tx.connection.execute(
            select(Account.id, Account.number, Customer.name)
            .join(Customer, Customer.id == Account.customer_id)
            .where(Account.id.in_({row.account_id for row in rows}))
        )
    }
    counted = tallies.pieces_of_each(tx, [row.tally_id for row in rows if row.tally_id])
    return [
        Prepared(
            id=row.id,
            token=row.token,
            kind=row.kind,
            account_number=named[row.account_id][0],
            holder=named[row.account_id][1],
            amount_minor=row.amount_minor,
            pieces={} if row.tally_id is None else counted[row.tally_id],
            status=_status(tx, row),
            valid_until=row.valid_until,
            prepared_at=row.prepared_at,
        )
        for row in rows
    ]


def _said_of(status: PreparedStatus) -> str:
    what = {
        S.USED: "This token was used already.",
        S.CANCELLED: "The customer has cancelled this slip.",
        S.EXPIRED: "This token was for another day.",
    }[status]
    return f"{what} Ask the customer for a new one, or fill in the paper slip."
