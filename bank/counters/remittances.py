"""Remittances: cash between the vault and the currency chest, in the joint custody of two.

    requested --a second person at the vault confirms--> confirmed
        '--> declined by a second person, withdrawn by who asked

One custodian counts it and names the chest's paper; a second custodian or a supervisor of the same
branch counts it with them and confirms, and only then is it booked. Asked and confirmed like cash
between drawer and vault (`handovers`), not as an approval: whoever confirms stands at the vault
with the second key, so it is a person of this branch with a right at the vault, by name or by role,
while a checker is only a role and may sit elsewhere. There is no amount below which one is enough.
"""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from bank.book import chart, ledger
from bank.book.drafts import RequestReused
from bank.book.kinds import EntryKind
from bank.book.references import reference_of
from bank.book.tables import JournalEntry
from bank.core import money
from bank.core.db import Base
from bank.core.desk import Tx, command
from bank.core.errors import NotAllowed, NotFound, WrongState
from bank.core.permissions import Permission
from bank.core.states import check_move, machine, move
from bank.counters import branch_days, drawer_cash, tallies
from bank.counters.drawer_cash import MoveKind
from bank.counters.drawers import LONGEST_NOTE
from bank.counters.tallies import Pieces
from bank.people.fields import clean_text

LONGEST_PAPER: Final = 60


class Way(StrEnum):
    """Which way the cash goes."""

    FROM_CHEST = "from_chest"
    TO_CHEST = "to_chest"


class RemittanceStatus(StrEnum):
    """Whether it has been confirmed."""

    REQUESTED = "requested"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


R = RemittanceStatus
IN_WORDS: Final[Mapping[Way, str]] = {
    Way.FROM_CHEST: "from the currency chest",
    Way.TO_CHEST: "to the currency chest",
}
MOVES: Final = machine("remittance", {R.REQUESTED: {R.CONFIRMED, R.DECLINED, R.WITHDRAWN}})


class NoSuchRemittance(NotFound):
    """There is no such remittance at your branch. Reload the page and choose one from the list."""


class OwnRemittance(NotAllowed):
    """You asked for this remittance, so another custodian or a supervisor of your branch confirms
    or declines it."""


class RemittanceOfAnotherDay(WrongState):
    """This was asked for on another business date. Decline it, and ask again."""


class Remittance(Base):
    """One request to move cash from or to the chest. `paper` is the chest's own reference, `note`
    says why it was declined."""

    __tablename__ = "remittances"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        CheckConstraint(
            "status = 'withdrawn' OR decided_by <> asked_by", name="decided_by_another"
        ),
        UniqueConstraint("request_id"),
        Index("ix_remittances_branch_id", "branch_id", "status"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    branch_id: Mapped[int] = mapped_column(ForeignKey("branches.id"))
    business_date: Mapped[date]
    way: Mapped[Way]
    status: Mapped[RemittanceStatus]
    request_id: Mapped[str] = mapped_column(String(36))
    amount_minor: Mapped[int]
    tally_id: Mapped[int] = mapped_column(ForeignKey("tallies.id"))
    paper: Mapped[str] = mapped_column(String(LONGEST_PAPER))
    asked_at: Mapped[datetime]
    asked_by: Mapped[int]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[int | None]
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("entries.id"))
    note: Mapped[str] = mapped_column(String(LONGEST_NOTE))


@command(Permission.VAULT_KEEP)
def ask_to_remit(tx: Tx, way: Way, pieces: Pieces, paper: str, *, request_id: str) -> int:
    """Ask a second person to confirm cash from the currency chest, or to it; answers its number."""
    assert tx.desk.branch_id is not None, "a custodian works at a branch"
    amount_minor = money.check_positive(tallies.worth(tx, pieces), field=tallies.FIELD)
    said = clean_text(paper, field="reference", longest=LONGEST_PAPER)
    asked = tx.session.scalar(select(Remittance).where(Remittance.request_id == request_id))
    if asked is not None:
        same = (asked.asked_by, asked.way, asked.amount_minor, asked.paper)
        if same != (tx.desk.user_id, way, amount_minor, said):
            raise RequestReused
        return asked.id
    branch_days.check_open(tx, tx.desk.branch_id)
    if way is Way.TO_CHEST:
        drawer_cash.take_from_vault(tx, tx.desk.branch_id, amount_minor)
    row = Remittance(
        branch_id=tx.desk.branch_id,
        business_date=tx.business_date,
        way=way,
        status=R.REQUESTED,
        request_id=request_id,
        amount_minor=amount_minor,
        tally_id=tallies.keep_tally(tx, pieces).id,
        paper=said,
        asked_at=tx.now,
        asked_by=tx.desk.user_id,
        note="",
    )
    tx.session.add(row)
    try:
        tx.session.flush()
    except IntegrityError:  # the same request from another window at the same moment
        raise RequestReused from None
    tx.concerns("remittance", row.id)
    tx.changed(None, {"status": R.REQUESTED, "way": way, "amount_minor": amount_minor})
    return row.id


@command(Permission.VAULT_WITNESS)
def confirm_remittance(tx: Tx, remittance_id: int) -> str:
    """Confirm cash from or to the currency chest that a custodian has asked for: it is booked.
    Answers the reference of the entry."""
    row = _held_of_another(tx, remittance_id)
    if row.status is R.CONFIRMED and row.decided_by == tx.desk.user_id:
        return _reference(tx, row)  # the same click again
    check_move(row.status, R.CONFIRMED, MOVES)
    if row.business_date != tx.business_date:
        raise RemittanceOfAnotherDay
    branch_days.check_open(tx, row.branch_id)
    if row.way is Way.TO_CHEST:
        drawer_cash.take_from_vault(tx, row.branch_id, row.amount_minor)
    posted = ledger.post(tx, _draft(row))
    row.entry_id = posted.entry_id
    drawer_cash.put(
        tx,
        row.branch_id,
        into_vault(row.way, row.amount_minor),
        MoveKind.REMITTED,
        entry_id=posted.entry_id,
    )
    _decide(tx, row, R.CONFIRMED)
    tx.facts["entry_id"] = posted.entry_id
    return _reference(tx, row)


@command(Permission.VAULT_WITNESS)
def decline_remittance(tx: Tx, remittance_id: int, reason: str) -> None:
    """Decline to confirm a remittance, with a reason that the custodian reads."""
    row = _held_of_another(tx, remittance_id)
    row.note = clean_text(reason, field="reason", longest=LONGEST_NOTE)
    _decide(tx, row, R.DECLINED)


@command(Permission.VAULT_KEEP)
def withdraw_remittance(tx: Tx, remittance_id: int) -> None:
    """Take back a remittance that nobody has confirmed yet."""
    row = _held(tx, remittance_id)
    if row.asked_by != tx.desk.user_id:
        raise NoSuchRemittance
    _decide(tx, row, R.WITHDRAWN)


def in_the_way(tx: Tx, branch_id: int) -> list[str]:
    """A sentence for each remittance that waits at a branch, of whatever day."""
    waiting = select(Remittance).where(
        Remittance.branch_id == branch_id, Remittance.status == R.REQUESTED
    )
    return [
        f"{money.show(row.amount_minor)} {IN_WORDS[row.way]} wait for a second person: confirm or "
        "decline them."
        for row in tx.session.scalars(waiting.order_by(Remittance.id))
    ]


def into_vault(way: Way, amount_minor: int) -> int:
    """What the vault gains (+) or loses (-)."""
    return amount_minor if way is Way.FROM_CHEST else -amount_minor


def _draft(row: Remittance) -> ledger.Draft:
    signed = into_vault(row.way, row.amount_minor)
    return ledger.Draft(
        request_id=row.request_id,
        kind=EntryKind.CASH_REMITTANCE,
        narration=f"Cash {IN_WORDS[row.way]}, {row.paper}",
        legs=(
            ledger.Leg(-signed, None, chart.CASH, row.branch_id),
            ledger.Leg(signed, None, chart.OTHER_BANKS, row.branch_id),
        ),
        branch_id=row.branch_id,
    )


def _held(tx: Tx, remittance_id: int) -> Remittance:
    row = tx.session.get(Remittance, remittance_id, with_for_update=True, populate_existing=True)
    if row is None or row.branch_id != tx.desk.branch_id:
        raise NoSuchRemittance
    return row


def _held_of_another(tx: Tx, remittance_id: int) -> Remittance:
    row = _held(tx, remittance_id)
    if row.asked_by == tx.desk.user_id:
        raise OwnRemittance
    return row


def _decide(tx: Tx, row: Remittance, to: RemittanceStatus) -> None:
    before = row.status
    move(row, to, MOVES)
    row.decided_at, row.decided_by = tx.now, tx.desk.user_id
    tx.session.flush()
    tx.concerns("remittance", row.id)
    tx.changed({"status": before}, {"status": to, "amount_minor": row.amount_minor})


def _reference(tx: Tx, row: Remittance) -> str:
    entry = tx.session.get_one(JournalEntry, row.entry_id)
    return reference_of(entry.booking_date, entry.id)
