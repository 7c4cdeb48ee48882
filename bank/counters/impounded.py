"""Impounded notes: counterfeits that a cashier keeps. Not credited; a receipt, and the register.

A note that is taken for false is stamped and kept, never given back and never credited. Whoever
brought it gets an acknowledgement; the branch keeps a register by date.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import ForeignKey, Index, Select, String, UniqueConstraint, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from bank.accounts import papers
from bank.accounts.accounts import Account, NoSuchAccountNumber, clean_number
from bank.accounts.papers import Letterhead, Paper, masked
from bank.book.drafts import RequestReused
from bank.core import money
from bank.core.clock import in_india
from bank.core.db import Base
from bank.core.desk import Desk, Tx, command, flow, query
from bank.core.errors import BadInput, NotFound, WrongState
from bank.core.permissions import Permission
from bank.counters import drawers, tallies
from bank.counters.drawers import LONGEST_NOTE
from bank.counters.slips import LONGEST_PERSON
from bank.counters.tallies import Denomination, DenominationKind
from bank.people.branches import Branch
from bank.people.fields import clean_text
from bank.people.identity import User

SERIAL: Final = re.compile(r"[A-Z0-9]{5,16}")
MOST_LISTED: Final = 500


class SerialNumberMissing(BadInput):
    """Type the number printed on the note: 5 to 16 letters and digits, such as 4AB123456."""


class NotANote(BadInput):
    """Choose which note it is."""


class AlreadyImpounded(WrongState):
    """A note of this value with this number was impounded here today already. Check the number."""


class NoSuchImpound(NotFound):
    """There is no impounded note with this number at your branch."""


class ImpoundedNote(Base):
    """One note taken out of circulation. `account_id` is whose deposit it was in, if any."""

    __tablename__ = "impounded_notes"
    __table_args__ = (
        UniqueConstraint("request_id"),
        UniqueConstraint(
            "denomination_id",
            "serial_number",
            "business_date",
            "branch_id",
            name="uq_impounded_notes_piece",
        ),
        Index("ix_impounded_notes_branch_id", "branch_id", "business_date"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    branch_id: Mapped[int] = mapped_column(ForeignKey("branches.id"))
    drawer_id: Mapped[int] = mapped_column(ForeignKey("drawers.id"))
    business_date: Mapped[date]
    request_id: Mapped[str] = mapped_column(String(36))
    denomination_id: Mapped[int] = mapped_column(ForeignKey("denominations.id"))
    serial_number: Mapped[str] = mapped_column(String(16))
    tendered_by: Mapped[str] = mapped_column(String(LONGEST_PERSON))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    remark: Mapped[str] = mapped_column(String(LONGEST_NOTE))
    impounded_at: Mapped[datetime]
    cashier_id: Mapped[int]


@dataclass(frozen=True, kw_only=True)
class Impounded:
    """A row of the register."""

    id: int
    impounded_at: datetime
    business_date: date
    note: str
    value_minor: int
    serial_number: str
    tendered_by: str
    account_number: str | None
    remark: str
    cashier: str
    branch: str
    ifsc: str
    address: str

    @property
    def number(self) -> str:
        """What the acknowledgement is called by."""
        return f"IMP-{self.business_date:%Y%m%d}-{self.id}"


@command(Permission.CASH_POST)
def impound(
    tx: Tx,
    note_code: str,
    serial_number: str,
    tendered_by: str,
    account_number: str = "",
    remark: str = "",
    *,
    request_id: str,
) -> Impounded:
    """Keep a note that is taken for false. Nothing is credited."""
    assert tx.desk.branch_id is not None
    assert tx.desk.user_id is not None
    serial = "".join(serial_number.split()).upper()
    if not SERIAL.fullmatch(serial):
        raise SerialNumberMissing(field="serial number")
    row = ImpoundedNote(
        branch_id=tx.desk.branch_id,
        business_date=tx.business_date,
        request_id=request_id,
        denomination_id=_note(tx, note_code),
        serial_number=serial,
        tendered_by=clean_text(tendered_by, field="tendered by", longest=LONGEST_PERSON),
        account_id=_account_id(tx, account_number),
        remark=clean_text(remark, field="remark", longest=LONGEST_NOTE, may_be_empty=True),
        impounded_at=tx.now,
        cashier_id=tx.desk.user_id,
    )
    known = tx.session.scalar(select(ImpoundedNote).where(ImpoundedNote.request_id == request_id))
    if known is not None:
        if _content(known) != _content(row):
            raise RequestReused
        return _one(tx, known.id)
    row.drawer_id = drawers.own_open_drawer(tx, hold="share")
    tx.session.add(row)
    try:
        tx.session.flush()
    except IntegrityError:
        raise AlreadyImpounded(field="serial number") from None
    tx.concerns("impounded note", row.id)
    tx.changed(None, {"serial_number": serial, "tendered_by": row.tendered_by})
    return _one(tx, row.id)


@query(Permission.CASH_COUNT)
def register(tx: Tx, start: date | None = None, end: date | None = None) -> Sequence[Impounded]:
    """List the notes this branch impounded, newest first."""
    wanted = _rows().where(ImpoundedNote.branch_id == tx.desk.branch_id)
    if start is not None:
        wanted = wanted.where(ImpoundedNote.business_date >= start)
    if end is not None:
        wanted = wanted.where(ImpoundedNote.business_date <= end)
    found = tx.connection.execute(wanted.order_by(ImpoundedNote.id.desc()).limit(MOST_LISTED))
    tx.looked_at("impounded notes", tx.desk.branch_id)
    return [Impounded(**row._mapping) for row in found]


@query(Permission.CASH_COUNT)
def find_impounded(tx: Tx, impounded_id: int) -> Impounded:
    """Show one impounded note of this branch."""
    found = _one(tx, impounded_id)
    tx.looked_at("impounded note", found.id)
    return found


@flow(Permission.CASH_COUNT)
def print_acknowledgement(desk: Desk, impounded_id: int) -> bytes:
    """Print the acknowledgement that whoever brought an impounded note takes home."""
    return pdf_of(find_impounded(desk, impounded_id))


def pdf_of(impounded: Impounded) -> bytes:
    """The acknowledgement on paper."""
    at = in_india(impounded.impounded_at)
    paper = Paper(
        Letterhead(branch=impounded.branch, ifsc=impounded.ifsc, address=impounded.address),
        title="Acknowledgement: impounded note",
        note="A note that is taken for counterfeit is kept by the bank and is not credited.",
    )
    paper.large("Number", impounded.number)
    paper.large("Value printed on it", papers.amount(impounded.value_minor, money.HOME))
    paper.facts(
        [
            ("Date and time", f"{at.day} {at:%b %Y, %H:%M}"),
            ("Branch", f"{impounded.branch}, IFSC {impounded.ifsc}"),
            ("Note", impounded.note),
            ("Number of the note", impounded.serial_number),
            ("Brought by", impounded.tendered_by),
            ("Account", masked(impounded.account_number) if impounded.account_number else ""),
            ("Remark", impounded.remark),
            ("Cashier", impounded.cashier),
        ]
    )
    paper.text(
        "The note described above was found to be counterfeit and has been impounded. "
        "No value is given for it."
    )
    paper.signatures(["Cashier", "Customer"])
    return paper.finish()


def _note(tx: Tx, code: str) -> int:
    for each in tallies.notes_and_coins(tx):
        if each.code == code and each.kind is DenominationKind.NOTE:
            return each.id
    raise NotANote(field="note")


def _account_id(tx: Tx, number: str) -> int | None:
    if not number.strip():
        return None
    found = tx.session.scalar(select(Account.id).where(Account.number == clean_number(number)))
    if found is None:
        raise NoSuchAccountNumber(field="account")
    return found


def _content(row: ImpoundedNote) -> tuple[object, ...]:
    return (
        row.denomination_id,
        row.serial_number,
        row.tendered_by,
        row.account_id,
        row.remark,
        row.cashier_id,
    )


def _one(tx: Tx, impounded_id: int) -> Impounded:
    row = tx.connection.execute(
        _rows().where(
            ImpoundedNote.id == impounded_id, ImpoundedNote.branch_id == tx.desk.branch_id
        )
    ).first()
    if row is None:
        raise NoSuchImpound
    return Impounded(**row._mapping)


def _rows() -> Select[*tuple[object, ...]]:
    return (
        select(
            ImpoundedNote.id,
            ImpoundedNote.impounded_at,
            ImpoundedNote.business_date,
            Denomination.name.label("note"),
            Denomination.value_minor,
            ImpoundedNote.serial_number,
            ImpoundedNote.tendered_by,
            Account.number.label("account_number"),
            ImpoundedNote.remark,
            User.name.label("cashier"),
            Branch.name.label("branch"),
            Branch.ifsc,
            Branch.address,
        )
        .join(Denomination, Denomination.id == ImpoundedNote.denomination_id)
        .join(Branch, Branch.id == ImpoundedNote.branch_id)
        .join(User, User.id == ImpoundedNote.cashier_id)
        .join(Account, Account.id == ImpoundedNote.account_id, isouter=True)
    )
