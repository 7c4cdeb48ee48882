"""Remittances to be read: what one will book, those of a branch, and the paper that both sign."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import aliased

from bank.accounts import papers
from bank.accounts.papers import Letterhead, Paper, PaperColumn
from bank.book import chart
from bank.book.references import reference_of
from bank.book.tables import JournalEntry
from bank.core import money
from bank.core.clock import in_india
from bank.core.desk import Desk, Tx, flow, query
from bank.core.errors import WrongState
from bank.core.permissions import GRANTS, NAMED_GRANTS, NamedGrant, Permission, Role
from bank.counters import drawer_cash, tallies
from bank.counters.branch_days import BranchAct, BranchDayClosed, last_act
from bank.counters.drawer_cash import TAKE_LESS, VaultTooLow
from bank.counters.remittances import (
    LONGEST_PAPER,
    NoSuchRemittance,
    Remittance,
    RemittanceStatus,
    Way,
    into_vault,
)
from bank.counters.tallies import Pieces, TallyRow
from bank.people import branches
from bank.people.branches import Branch
from bank.people.fields import clean_text
from bank.people.identity import User
from bank.people.named_grants import NamedGrantRow, in_force

MOST_LISTED: Final = 200
TITLES: Final = {
    Way.FROM_CHEST: "Cash from the currency chest",
    Way.TO_CHEST: "Cash to the currency chest",
}


class NotBookedYet(WrongState):
    """This remittance is not confirmed. Its paper is printed once it is."""


@dataclass(frozen=True, kw_only=True)
class RemittancePreview:
    """What a remittance will book once it is confirmed, and who may confirm it now."""

    way: Way
    pieces: Pieces
    paper: str
    amount_minor: int
    debit: str
    credit: str
    vault_before_minor: int
    vault_after_minor: int
    names: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class RemittanceCard:
    """A remittance as both custodians read it. `reference` is of its entry, once it is booked."""

    id: int
    branch_id: int
    branch: str
    ifsc: str
    address: str
    business_date: date
    way: Way
    status: RemittanceStatus
    amount_minor: int
    paper: str
    asked_at: datetime
    asked_by_id: int
    asked_by: str
    decided_at: datetime | None
    decided_by: str
    note: str
    reference: str
    verify_code: str
    debit: str
    credit: str
    rows: Sequence[TallyRow]


@query(Permission.VAULT_KEEP)
def preview_remittance(tx: Tx, way: Way, pieces: Pieces, paper: str) -> RemittancePreview:
    """Show what a remittance will book, or refuse it before anybody is asked to confirm it."""
    assert tx.desk.branch_id is not None, "a custodian works at a branch"
    amount_minor = money.check_positive(tallies.worth(tx, pieces), field=tallies.FIELD)
    said = clean_text(paper, field="reference", longest=LONGEST_PAPER)
    last = last_act(tx, tx.desk.branch_id)
    if last is not None and last.act is BranchAct.CLOSED:
        raise BranchDayClosed
    held = drawer_cash.in_vault(tx, tx.desk.branch_id)
    after = held + into_vault(way, amount_minor)
    if after < 0:
        raise VaultTooLow(f"The vault holds {money.show(held)}. {TAKE_LESS}")
    debit, credit = _sides(tx, way, branches.branch_by_id(tx, tx.desk.branch_id).name)
    return RemittancePreview(
        way=way,
        pieces=dict(pieces),
        paper=said,
        amount_minor=amount_minor,
        debit=debit,
        credit=credit,
        vault_before_minor=held,
        vault_after_minor=after,
        names=second_persons(tx, tx.desk.branch_id, tx.desk.user_id or 0),
    )


@query(Permission.VAULT_VIEW)
def remittances_of(tx: Tx, branch_id: int | None = None) -> Sequence[RemittanceCard]:
    """List the remittances of a branch, newest first: what waits, and what became of the others."""
    where = branches.asked_for(tx, branch_id)
    return _cards(tx, _rows().where(Remittance.branch_id == where))


@query(Permission.VAULT_VIEW)
def remittance(tx: Tx, remittance_id: int) -> RemittanceCard:
    """Show one remittance of this branch, or of any to who sees the whole bank."""
    found = _cards(tx, _rows().where(Remittance.id == remittance_id))
    if not found or not (tx.desk.sees_whole_bank or found[0].branch_id == tx.desk.branch_id):
        raise NoSuchRemittance
    return found[0]


@flow(Permission.VAULT_VIEW)
def print_remittance(desk: Desk, remittance_id: int) -> bytes:
    """Print the paper of a remittance that was booked, for both to sign."""
    card = remittance(desk, remittance_id)
    if card.status is not RemittanceStatus.CONFIRMED:
        raise NotBookedYet
    return pdf_of(card)


def second_persons(tx: Tx, branch_id: int, but: int) -> list[str]:
    """Who else of a branch may stand at its vault now, by name."""
    roles = [role for role in Role if Permission.VAULT_WITNESS in GRANTS[role]]
    named = [each for each in NamedGrant if Permission.VAULT_WITNESS in NAMED_GRANTS[each]]
    by_name = select(NamedGrantRow.user_id).where(
        NamedGrantRow.named.in_(named), in_force(tx.business_date)
    )
    wanted = select(User.name).where(
        and_(User.active, User.branch_id == branch_id, User.id != but),
        or_(User.role.in_(roles), User.id.in_(by_name)),
    )
    return list(tx.session.scalars(wanted.order_by(User.name)))


def pdf_of(card: RemittanceCard) -> bytes:
    """A booked remittance on paper."""
    paper = Paper(
        Letterhead(branch=card.branch, ifsc=card.ifsc, address=card.address),
        title=TITLES[card.way],
        note=f"Verify code {card.verify_code}. Asked for and confirmed by two.",
    )
    paper.code(f"{card.reference} {card.verify_code}")
    paper.large("Reference", card.reference)
    paper.large("Amount", papers.amount(card.amount_minor, money.HOME))
    paper.text(money.in_words(card.amount_minor))
    paper.facts(
        [
            ("Branch", f"{card.branch}, IFSC {card.ifsc}"),
            ("Paper of the currency chest", card.paper),
            ("Debit", card.debit),
            ("Credit", card.credit),
            ("Counted by", _when(card.asked_at, card.asked_by)),
            ("Confirmed by", _when(card.decided_at, card.decided_by)),
            ("Verify code", card.verify_code),
        ]
    )
    paper.table(
        [
            PaperColumn(title="Counted", share=3),
            PaperColumn(title="Pieces", share=2, right=True),
            PaperColumn(title="Amount", share=2, right=True),
        ],
        [
            (row.name, f"{row.pieces:,}", papers.amount(row.amount_minor, money.HOME))
            for row in card.rows
        ],
        total=("Total", "", papers.amount(card.amount_minor, money.HOME)),
    )
    paper.signatures(["Custodian", "Second person", "Currency chest"])
    return paper.finish()


def _when(at: datetime | None, by: str) -> str:
    if at is None:
        return ""
    local = in_india(at)
    return f"{by}, {local.day} {local:%b %Y, %H:%M}"


def _sides(tx: Tx, way: Way, branch: str) -> tuple[str, str]:
    """Debit and credit of the entry, in words."""
    cash, chest = (
        f"{code} {chart.name_of(tx, code)}, {branch}" for code in (chart.CASH, chart.OTHER_BANKS)
    )
    return (cash, chest) if way is Way.FROM_CHEST else (chest, cash)


_Asker, _Decider = aliased(User), aliased(User)


def _rows() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Remittance,
            _Asker.name.label("asker"),
            _Decider.name.label("decider"),
            JournalEntry.booking_date.label("booked_on"),
            Branch,
        )
        .join(Branch, Branch.id == Remittance.branch_id)
        .join(_Asker, _Asker.id == Remittance.asked_by)
        .join(_Decider, _Decider.id == Remittance.decided_by, isouter=True)
        .join(JournalEntry, JournalEntry.id == Remittance.entry_id, isouter=True)
        .order_by(Remittance.id.desc())
        .limit(MOST_LISTED)
    )


def _cards(tx: Tx, wanted: Select[*tuple[Any, ...]]) -> list[RemittanceCard]:
    found = tx.session.execute(wanted).all()
    counted = tallies.rows_of(tx, [row.Remittance.tally_id for row in found])
    return [_card(tx, row, counted[row.Remittance.tally_id]) for row in found]


def _card(tx: Tx, found: Any, rows: Sequence[TallyRow]) -> RemittanceCard:
    row: Remittance = found.Remittance
    branch: Branch = found.Branch
    debit, credit = _sides(tx, row.way, branch.name)
    is_booked = row.entry_id is not None
    said = f"{row.request_id}|{row.way}|{row.amount_minor}|{branch.ifsc}"
    return RemittanceCard(
        id=row.id,
        branch_id=row.branch_id,
        branch=branch.name,
        ifsc=branch.ifsc,
        address=branch.address,
        business_date=row.business_date,
        way=row.way,
        status=row.status,
        amount_minor=row.amount_minor,
        paper=row.paper,
        asked_at=row.asked_at,
        asked_by_id=row.asked_by,
        asked_by=found.asker,
        decided_at=row.decided_at,
        decided_by=found.decider or "",
        note=row.note,
        reference=reference_of(found.booked_on, row.entry_id or 0) if is_booked else "",
        verify_code=(
            papers.in_groups(tx.bank.keyring.sign("remittance", said)) if is_booked else ""
        ),
        debit=debit,
        credit=credit,
        rows=rows,
    )
