"""The drawer report: a counted drawer on paper, opening to difference, to be signed by all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import select

from bank.accounts import papers
from bank.accounts.papers import Letterhead, Paper, PaperColumn
from bank.book import chart
from bank.book.references import reference_of
from bank.book.tables import JournalEntry, Posting
from bank.core import money
from bank.core.clock import day_in_words, in_india
from bank.core.desk import Desk, Tx, flow, query
from bank.core.errors import WrongState
from bank.core.permissions import Permission
from bank.counters import absences, counts, tallies
from bank.counters.drawer_cash import CashMove, MoveKind
from bank.counters.drawers import Drawer, DrawerStatus, NoSuchDrawer
from bank.counters.slips import CashSlip
from bank.counters.tallies import TallyRow
from bank.people import branches
from bank.people.identity import User

MOVES_IN_WORDS: Final = {
    MoveKind.ISSUED: "Opening, handed over from the vault",
    MoveKind.HANDED: "Cash between vault and drawer",
    MoveKind.UNDONE: "Reversed slips",
    MoveKind.OVER_SHORT: "Over or short",
    MoveKind.TAKEN_BACK: "Taken back into the vault",
}


class NotCountedYet(WrongState):
    """This drawer has not been counted. Its report is printed after the count."""


@dataclass(frozen=True, kw_only=True)
class SlipLine:
    """A slip as the report lists it: + into the drawer, - out of it."""

    reference: str
    booked_at: datetime
    slip_number: str
    amount_minor: int


@dataclass(frozen=True, kw_only=True)
class DrawerReport:
    """Everything that happened to a drawer. `moved` has one sum per kind of move."""

    drawer_id: int
    branch: str
    ifsc: str
    address: str
    cashier: str
    business_date: date
    status: DrawerStatus
    opened_at: datetime | None
    opened_by: str
    closed_at: datetime | None
    closed_by: str
    settled_by: str
    reason: str
    absence: str  # who counted, and why the cashier did not
    opening: Sequence[TallyRow]
    slips: Sequence[SlipLine]
    moved: dict[MoveKind, int]
    counted: Sequence[TallyRow]
    counted_minor: int
    expected_minor: int

    @property
    def difference_minor(self) -> int:
        """Counted over (+) or short (-)."""
        return self.counted_minor - self.expected_minor


@query(Permission.CASH_COUNT)
def report_of(tx: Tx, drawer_id: int) -> DrawerReport:
    """Show a counted drawer to its cashier or to the custodian of its branch."""
    drawer = tx.session.get(Drawer, drawer_id)
    if drawer is None or not _may_see(tx, drawer):
        raise NoSuchDrawer
    if drawer.status not in {DrawerStatus.COUNTED, DrawerStatus.CLOSED}:
        raise NotCountedYet
    branch = branches.branch_by_id(tx, drawer.branch_id)
    names = _names(tx, [drawer.cashier_id, drawer.opened_by, drawer.closed_by, drawer.settled_by])
    tally_id = counts.last_count(tx, drawer.id).tally_id
    counted = tallies.rows_of(tx, [drawer.opening_tally_id, tally_id])
    tx.looked_at("drawer", drawer.id)
    return DrawerReport(
        drawer_id=drawer.id,
        branch=branch.name,
        ifsc=branch.ifsc,
        address=branch.address,
        cashier=names.get(drawer.cashier_id, ""),
        business_date=drawer.business_date,
        status=drawer.status,
        opened_at=drawer.opened_at,
        opened_by=names.get(drawer.opened_by, ""),
        closed_at=drawer.closed_at,
        closed_by=names.get(drawer.closed_by, ""),
        settled_by=names.get(drawer.settled_by, ""),
        reason=drawer.note if drawer.over_short_entry_id is not None else "",
        absence=_absence(tx, drawer, names) if drawer.is_left else "",
        opening=counted[drawer.opening_tally_id],
        slips=_slips(tx, drawer.id),
        moved=_moved(tx, drawer.id),
        counted=counted[tally_id],
        counted_minor=drawer.counted_minor or 0,
        expected_minor=drawer.expected_minor or 0,
    )


@flow(Permission.CASH_COUNT)
def print_report(desk: Desk, drawer_id: int) -> bytes:
    """Print the report of a counted drawer."""
    return pdf_of(report_of(desk, drawer_id))


def pdf_of(report: DrawerReport) -> bytes:
    """The report on paper."""
    day = day_in_words(report.business_date)
    paper = Paper(
        Letterhead(branch=report.branch, ifsc=report.ifsc, address=report.address),
        title=f"Drawer report {report.drawer_id}, {day}",
        note="Vault and drawers of a branch are its cash in hand in the book.",
    )
    difference = "None"
    if report.difference_minor:
        word = "Over" if report.difference_minor > 0 else "Short"
        difference = f"{word} {papers.amount(abs(report.difference_minor), money.HOME)}"
    paper.facts(
        [
            ("Cashier", report.cashier),
            ("Counted in absence", report.absence),
            ("Opened", _when(report.opened_at, report.opened_by)),
            ("Closed", _when(report.closed_at, report.closed_by)),
            ("Should be there", papers.amount(report.expected_minor, money.HOME)),
            ("Counted", papers.amount(report.counted_minor, money.HOME)),
            ("Difference", difference),
            ("Reason", report.reason),
            ("Accepted by", report.settled_by),
        ]
    )
    _tally(paper, "Opening", report.opening)
    sums = [
        (words, papers.amount(report.moved[kind], money.HOME))
        for kind, words in MOVES_IN_WORDS.items()
        if kind in report.moved
    ]
    paper.table([PaperColumn(title="Moved", share=3), _amounts("Amount")], sums)
    _slip_table(paper, report.slips)
    _tally(paper, "Counted", report.counted)
    paper.signatures([*([] if report.absence else ["Cashier"]), "Custodian", "Supervisor"])
    return paper.finish()


def _slip_table(paper: Paper, slips: Sequence[SlipLine]) -> None:
    came = sum(line.amount_minor for line in slips if line.amount_minor > 0)
    went = sum(-line.amount_minor for line in slips if line.amount_minor < 0)

    def cell(minor: int) -> str:
        return papers.amount(minor, money.HOME) if minor > 0 else ""

    paper.table(
        [
            PaperColumn(title="Time", share=1),
            PaperColumn(title="Reference", share=2),
            PaperColumn(title="Slip", share=2),
            _amounts("Cash in"),
            _amounts("Cash out"),
        ],
        [
            (
                f"{in_india(line.booked_at):%H:%M}",
                line.reference,
                line.slip_number,
                cell(line.amount_minor),
                cell(-line.amount_minor),
            )
            for line in slips
        ],
        total=("Total", "", papers.printable(f"{len(slips)} slips"), cell(came), cell(went)),
    )


def _tally(paper: Paper, title: str, rows: Sequence[TallyRow]) -> None:
    paper.table(
        [PaperColumn(title=title, share=3), _amounts("Pieces"), _amounts("Amount")],
        [
            (row.name, f"{row.pieces:,}", papers.amount(row.amount_minor, money.HOME))
            for row in rows
        ],
        total=("Total", "", papers.amount(sum(r.amount_minor for r in rows), money.HOME)),
    )


def _amounts(title: str) -> PaperColumn:
    return PaperColumn(title=title, share=2, right=True)


def _when(at: datetime | None, by: str) -> str:
    if at is None:
        return ""
    local = in_india(at)
    return f"{local.day} {local:%b %Y, %H:%M}, {by}"


def _absence(tx: Tx, drawer: Drawer, names: Mapping[int | None, str]) -> str:
    """`Counted by X and Y in the absence of Z (not at work: fell ill at noon)`."""
    left = absences.left_of(tx, drawer)
    both = " and ".join(filter(None, (left.counted_by, names.get(drawer.closed_by, ""))))
    return f"Counted by {both} in the absence of {left.cashier} ({left.reason})"


def _may_see(tx: Tx, drawer: Drawer) -> bool:
    if tx.desk.may(Permission.VAULT_WITNESS):
        return drawer.branch_id == tx.desk.branch_id
    return drawer.cashier_id == tx.desk.user_id


def _names(tx: Tx, ids: Sequence[int | None]) -> dict[int | None, str]:
    known = [each for each in ids if each is not None]
    rows = tx.connection.execute(select(User.id, User.name).where(User.id.in_(known)))
    return {user_id: name for user_id, name in rows}


def _slips(tx: Tx, drawer_id: int) -> list[SlipLine]:
    is_cash = Posting.gl_account_id + 0 == chart.id_of(tx, chart.CASH)
    rows: list[Any] = list(
        tx.connection.execute(
            select(
                CashSlip.entry_id,
                CashSlip.slip_number,
                JournalEntry.booked_at,
                JournalEntry.booking_date,
                Posting.amount_minor,
            )
            .join(JournalEntry, JournalEntry.id == CashSlip.entry_id)
            .join(Posting, (Posting.entry_id == CashSlip.entry_id) & is_cash)
            .where(CashSlip.drawer_id == drawer_id)
            .order_by(CashSlip.entry_id)
        )
    )
    return [
        SlipLine(
            reference=reference_of(row.booking_date, row.entry_id),
            booked_at=row.booked_at,
            slip_number=row.slip_number,
            amount_minor=-row.amount_minor,
        )
        for row in rows
    ]


def _moved(tx: Tx, drawer_id: int) -> dict[MoveKind, int]:
    sums: dict[MoveKind, int] = {}
    rows = tx.connection.execute(
        select(CashMove.kind, CashMove.amount_minor).where(CashMove.drawer_id == drawer_id)
    )
    for kind, amount_minor in rows:
        sums[kind] = sums.get(kind, 0) + int(amount_minor)
    return sums
