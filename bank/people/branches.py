"""Branches: where the bank meets its customers. A branch is known by its IFSC."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import CheckConstraint, String, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from bank.core.db import Base
from bank.core.desk import Tx, command, query
from bank.core.errors import BadInput, NotFound, WrongState
from bank.core.permissions import Permission
from bank.people.fields import LONGEST_NAME, clean_text

IFSC: Final = re.compile(r"[A-Z]{4}0[A-Z0-9]{6}")  # the Reserve Bank's format of a branch code
MICR: Final = re.compile(r"[0-9]{9}")  # city 3, bank 3, branch 3
LONGEST_ADDRESS: Final = 300


class NoSuchBranch(NotFound):
    """There is no branch with this IFSC. Check the eleven characters and try again."""


class BranchTaken(WrongState):
    """There is a branch with this IFSC or MICR code already. Each branch has its own."""


class Branch(Base):
    """One branch. The MICR code is printed on its cheques; a branch may have none yet."""

    __tablename__ = "branches"
    __table_args__ = (
        CheckConstraint("length(ifsc) = 11", name="ifsc_length"),
        CheckConstraint("micr IS NULL OR length(micr) = 9", name="micr_length"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ifsc: Mapped[str] = mapped_column(String(11), unique=True)
    micr: Mapped[str | None] = mapped_column(String(9), unique=True)
    name: Mapped[str] = mapped_column(String(LONGEST_NAME))
    address: Mapped[str] = mapped_column(String(LONGEST_ADDRESS))
    opened_on: Mapped[date]


@dataclass(frozen=True, kw_only=True)
class BranchCard:
    """A branch as people see it."""

    id: int
    ifsc: str
    micr: str | None
    name: str
    address: str
    opened_on: date


def clean_ifsc(text: str, *, field: str = "ifsc") -> str:
    """The IFSC in capitals without blanks, or BadInput(field)."""
    ifsc = "".join(text.split()).upper()
    if not IFSC.fullmatch(ifsc):
        raise BadInput(
            "An IFSC has eleven characters: four letters, a zero, then six letters or digits.",
            field=field,
        )
    return ifsc


def clean_micr(text: str | None) -> str | None:
    """The MICR code without blanks, None when there is none, or BadInput(micr)."""
    micr = "".join((text or "").split())
    if not micr:
        return None
    if not MICR.fullmatch(micr):
        raise BadInput("A MICR code has nine digits.", field="micr")
    return micr


@query(Permission.BRANCH_LIST)
def branches(tx: Tx) -> Sequence[BranchCard]:
    """List the branches of the bank by name."""
    return [card(branch) for branch in tx.session.scalars(select(Branch).order_by(Branch.name))]


@command(Permission.BRANCH_ADD)
def add_branch(
    tx: Tx,
    ifsc: str,
    name: str,
    address: str,
    micr: str | None = None,
    opened_on: date | None = None,
) -> BranchCard:
    """Add a branch to the bank."""
    branch = add_branch_row(
        tx, ifsc=ifsc, name=name, address=address, micr=micr, opened_on=opened_on
    )
    tx.concerns("branch", branch.ifsc)
    tx.changed(None, {"ifsc": branch.ifsc, "micr": branch.micr, "name": branch.name})
    return card(branch)


@command(Permission.BRANCH_EDIT)
def change_branch(
    tx: Tx, branch_id: int, name: str, address: str, micr: str | None = None
) -> BranchCard:
    """Change a branch's name, address and MICR code. Its IFSC is what it is known by, and stays."""
    branch = tx.session.get(Branch, branch_id, with_for_update=True, populate_existing=True)
    if branch is None:
        raise NoSuchBranch
    before = _facts(branch)
    branch.name = clean_text(name, field="name", longest=LONGEST_NAME)
    branch.address = clean_text(
        address, field="address", longest=LONGEST_ADDRESS, may_be_empty=True
    )
    branch.micr = clean_micr(micr)
    if _facts(branch) == before:
        raise BadInput("Everything is as it was. Change something, or leave it.", field="name")
    try:
        tx.session.flush()
    except IntegrityError:
        raise BranchTaken(field="micr") from None
    tx.concerns("branch", branch.ifsc)
    tx.changed(before, _facts(branch))
    return card(branch)


def add_branch_row(
    tx: Tx,
    *,
    ifsc: str,
    name: str,
    address: str,
    micr: str | None = None,
    opened_on: date | None = None,
) -> Branch:
    """Make the row of a new branch in this transaction (also for imports and the demo).

    Raises BadInput, or BranchTaken. `opened_on` is the business date unless given.
    """
    branch = Branch(
        ifsc=clean_ifsc(ifsc),
        micr=clean_micr(micr),
        name=clean_text(name, field="name", longest=LONGEST_NAME),
        address=clean_text(address, field="address", longest=LONGEST_ADDRESS, may_be_empty=True),
        opened_on=opened_on or tx.business_date,
    )
    tx.session.add(branch)
    try:
        tx.session.flush()
    except IntegrityError:
        raise BranchTaken from None
    return branch


def branch_by_id(tx: Tx, branch_id: int) -> Branch:
    """The branch, or NoSuchBranch."""
    branch = tx.session.get(Branch, branch_id)
    if branch is None:
        raise NoSuchBranch
    return branch


def branch_by_ifsc(tx: Tx, ifsc: str, *, field: str = "ifsc") -> Branch:
    """The branch, or NoSuchBranch. `field` is named when the code itself is malformed."""
    wanted = clean_ifsc(ifsc, field=field)
    branch = tx.session.scalar(select(Branch).where(Branch.ifsc == wanted))
    if branch is None:
        raise NoSuchBranch
    return branch


def ids_by_ifsc(tx: Tx) -> Mapping[str, int]:
    """Every branch's id by its IFSC."""
    return {ifsc: key for ifsc, key in tx.connection.execute(select(Branch.ifsc, Branch.id))}


def asked_for(tx: Tx, branch_id: int | None) -> int:
    """The branch a list is about: the one asked for by who sees the whole bank, else one's own;
    BadInput(branch) where there is neither."""
    wanted = branch_id if tx.desk.sees_whole_bank else tx.desk.branch_id
    if wanted is None:
        raise BadInput("Choose a branch.", field="branch")
    return wanted


def card(branch: Branch) -> BranchCard:
    """The branch as people see it."""
    return BranchCard(
        id=branch.id,
        ifsc=branch.ifsc,
        micr=branch.micr,
        name=branch.name,
        address=branch.address,
        opened_on=branch.opened_on,
    )


def _facts(branch: Branch) -> dict[str, object]:
    return {"name": branch.name, "address": branch.address, "micr": branch.micr}
