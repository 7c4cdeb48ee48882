"""Exporting the whole journal from a bank, on both databases."""

import csv
import io
import tracemalloc
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select, text

from bank.accounts.accounts import Account
from bank.book import ledger
from bank.book.tables import JournalEntry
from bank.core.audit import TrailRecord
from bank.core.desk import Bank, Desk, chunk, looking
from bank.core.errors import BadInput, NotAllowed
from bank.core.permissions import Role
from bank.night import exports, imports
from bank.night.exports import Exported
from tests.bank.test_export_formats import NASTY, run_tool
from tests.bank.test_import_books import Books
from tests.support.bank import desk as desk_of
from tests.support.bank import staff

TOOLS = ("hledger", "beancount")


@pytest.fixture
def books(tmp_path: Path) -> Books:
    """Two branches, two currencies, entries out of the order of their days."""
    folder = tmp_path / "books"
    folder.mkdir()
    entries = [
        "e1,1001,2025-01-05,1000.00,cash,first deposit,",
        "e2,1002,2025-01-31,200.00,clearing,NEFT in,",
        "e3,1001,2025-03-02,-100.50,card,groceries,",
        "e4,1001,2025-01-20,-5.00,fee,late in the file,",
        "e5,1003,2025-03-31,5000,interest,yen,",
    ]
    return Books(
        folder,
        branches=["MERU0000001,Main,", "MERU0000002,Lake,"],
        customers=["C-1,Meera,1980-02-29,,,,MERU0000001", "C-2,Arjun,1990-01-01,,,,MERU0000002"],
        accounts=[
            "1001,C-1,savings,INR,2025-01-01,0",
            "1002,C-2,current,INR,2025-01-01,0",
            "1003,C-2,savings,JPY,2025-01-01,0",
            "x9,C-2,savings,INR,2025-01-01,0",
        ],
        entries=entries,
    )


def nasty(number: int, narration: str, account_id: int) -> ledger.Draft:
    """Seven paise with such a text."""
    return ledger.Draft(
        request_id=f"00000000-0000-0000-0001-{number:012d}",
        kind="transfer",
        narration=narration,
        legs=(ledger.Leg(7, account_id), ledger.Leg(-7, None, "2100", 1)),
        branch_id=1,
        booking_date=date(2025, 4, 1),
        external_id=f"n{number}",
    )


@pytest.fixture
def desk(bank: Bank, books: Books) -> Desk:
    """A desk in a bank with books, nasty narrations in it (the import takes printable ones only,
    the book any), and a transfer over two branches that was reversed."""
    desk = desk_of(bank, Role.SYSTEM)
    report = imports.import_books(desk, books.write())
    assert report.rejected == 0
    with chunk(desk, "test") as tx:
        ids = {row.number: row.id for row in tx.session.scalars(select(Account))}
        for number, narration in enumerate(NASTY):
            if "\x00" not in narration:  # no database keeps that
                ledger.post(tx, nasty(number, narration, ids["1001"]))
        ledger.post(
            tx,
            ledger.Draft(
                request_id="00000000-0000-0000-0000-000000000001",
                kind="transfer",
                narration="to the other branch",
                legs=(ledger.Leg(-700, ids["1001"]), ledger.Leg(700, ids["1002"])),
                branch_id=1,
            ),
        )
    admin = desk_of(staff(bank, branches=0), Role.BRANCH_ADMIN)
    with chunk(admin, "test") as tx:
        entry_id = tx.connection.scalar(
            select(JournalEntry.id).where(JournalEntry.external_id.is_(None))
        )
        assert entry_id is not None
        ledger.reverse(
            tx,
            entry_id,
            reason="wrong; account",
            request_id="00000000-0000-0000-0000-000000000002",
        )
    return desk


def journal(desk: Desk, fmt: str) -> tuple[str, Exported]:
    out = io.StringIO(newline="")
    made = exports.export_journal(desk, fmt, out)
    return out.getvalue(), made


@pytest.mark.feature("B1")
@pytest.mark.parametrize("fmt", TOOLS)
def test_the_tool_accepts_the_book(desk: Desk, fmt: str, tmp_path: Path) -> None:
    text_, made = journal(desk, fmt)
    done = run_tool(fmt, text_, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    with looking(desk) as tx:
        entries, postings = tx.connection.execute(
            text("SELECT (SELECT COUNT(*) FROM entries), (SELECT COUNT(*) FROM postings)")
        ).one()
    assert (made.entries, made.postings) == (entries, postings)


@pytest.mark.parametrize("fmt", TOOLS)
@pytest.mark.parametrize(
    ("amount", "altered"),
    [("100.50 INR", "100.40 INR"), ("5000 JPY", "5001 JPY"), ("0.07 INR", "0.08 INR")],
)
def test_the_tool_refuses_an_altered_copy(
    desk: Desk, fmt: str, amount: str, altered: str, tmp_path: Path
) -> None:
    text_, _ = journal(desk, fmt)
    one_side = text_.replace(f"  {amount}", f"  {altered}", 1)
    both_sides = one_side.replace(f"  -{amount}", f"  -{altered}", 1)
    assert len({text_, one_side, both_sides}) == 3
    assert run_tool(fmt, one_side, tmp_path).returncode != 0
    assert run_tool(fmt, both_sides, tmp_path).returncode != 0


@pytest.mark.parametrize("fmt", TOOLS)
def test_the_tool_refuses_a_copy_without_an_entry(desk: Desk, fmt: str, tmp_path: Path) -> None:
    text_, _ = journal(desk, fmt)
    blocks = text_.split("\n\n")
    at = next(number for number, block in enumerate(blocks) if "groceries" in block)
    assert run_tool(fmt, "\n\n".join(blocks[:at] + blocks[at + 1 :]), tmp_path).returncode != 0


@pytest.mark.parametrize("fmt", [*TOOLS, "csv"])
def test_the_same_book_gives_the_same_text(desk: Desk, fmt: str) -> None:
    assert journal(desk, fmt) == journal(desk, fmt)


@pytest.mark.parametrize("fmt", [*TOOLS, "csv"])
def test_small_pieces_make_no_difference(
    desk: Desk, fmt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = journal(desk, fmt)
    monkeypatch.setattr(exports, "ROWS_AT_ONCE", 1)
    assert journal(desk, fmt) == whole


def rows(desk: Desk) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(journal(desk, "csv")[0], newline="")))


def signed(row: dict[str, str]) -> Decimal:
    return Decimal(row["debit"] or 0) - Decimal(row["credit"] or 0)


def test_the_assertions_are_what_the_lines_add_up_to(desk: Desk) -> None:
    held: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    asserted = 0
    for row in rows(desk):
        key = (row["account"], row["currency"])
        if row["record"] == "posting":
            held[key] += signed(row)
        elif row["record"] == "balance":
            assert signed(row) == held[key], row
            asserted += 1
        else:
            below = sum(
                amount
                for (name, currency), amount in held.items()
                if name.startswith(f"{row['account']}:") and currency == row["currency"]
            )
            assert signed(row) == below, row
            asserted += 1
    assert asserted == journal(desk, "csv")[1].assertions


def test_every_month_and_the_end_are_asserted(desk: Desk) -> None:
    found = [
        (row["booking_date"], row["account"].rpartition(":")[2], str(signed(row)))
        for row in rows(desk)
        if row["record"] == "balance" and row["account"].startswith("Liabilities:20")
    ]
    end = "2026-03-16"
    assert found == [
        ("2025-01-31", "1001", "-995.00"),
        ("2025-01-31", "1002", "-200.00"),
        ("2025-03-31", "1001", "-894.50"),
        ("2025-03-31", "1003", "-5000"),
        ("2025-04-30", "1001", "-895.06"),
        (end, "1001", "-895.06"),
        (end, "0--78-9", "0.00"),
        (end, "1003", "-5000"),
        (end, "1002", "-200.00"),
    ]


def test_entries_come_by_day_and_then_by_number(desk: Desk) -> None:
    order = [
        (date.fromisoformat(row["booking_date"]), int(row["entry_id"]), int(row["leg"]))
        for row in rows(desk)
        if row["record"] == "posting"
    ]
    assert order == sorted(order)
    assert order != sorted(order, key=lambda line: line[1:])


@pytest.mark.feature("B3")
def test_a_reversal_names_its_entry_and_the_other_way_round(desk: Desk) -> None:
    links = {
        (row["entry_id"], row["reverses"], row["reversed_by"], row["reason"])
        for row in rows(desk)
        if row["reverses"] or row["reversed_by"]
    }
    (undone, undoing) = sorted(links, key=lambda link: int(link[0]))
    assert undone[1:] == ("", undoing[0], "")
    assert undoing[1:] == (undone[0], "", "wrong; account")


def test_debits_are_positive(desk: Desk) -> None:
    (cash,) = [
        row
        for row in rows(desk)
        if row["narration"] == "first deposit" and row["account"].startswith("Assets:1000-")
    ]
    assert (cash["debit"], cash["credit"]) == ("1000.00", "")
    beancount = journal(desk, "beancount")[0]
    assert "  Assets:1000-Cash-in-hand:MERU0000001  1000.00 INR\n" in beancount
    assert "  Liabilities:2000-Savings-deposits:MERU0000001:1001  -1000.00 INR\n" in beancount
    assert "  Expenses:5000-Interest-on-deposits:MERU0000002  5000 JPY\n" in beancount


def test_memory_grows_with_accounts_and_not_with_entries(
    bank: Bank, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Nowhere(io.StringIO):
        def write(self, text: str) -> int:
            return len(text)

        def writelines(self, lines: Iterable[str]) -> None:
            for line in lines:
                self.write(line)

    def peak() -> int:
        tracemalloc.start()
        exports.export_journal(desk, "hledger", Nowhere())
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    monkeypatch.setattr(exports, "ROWS_AT_ONCE", 100)
    desk = desk_of(bank, Role.SYSTEM)
    imports.import_books(desk, books.write())
    peak()  # what is made once per process
    few = peak()
    books.entries = [f"m{number},1001,2025-05-01,1,cash,," for number in range(4_000)]
    imports.import_books(desk, books.write())
    assert peak() < few + 500_000  # the text alone is three times as much


def test_an_empty_book(sqlite_bank: Bank, tmp_path: Path) -> None:
    desk = desk_of(sqlite_bank, Role.SYSTEM)
    for fmt in TOOLS:
        text_, made = journal(desk, fmt)
        assert made == Exported(entries=0, postings=0, assertions=0)
        assert run_tool(fmt, text_, tmp_path).returncode == 0


def test_an_unknown_format(sqlite_bank: Bank) -> None:
    desk = desk_of(sqlite_bank, Role.SYSTEM)
    with pytest.raises(BadInput, match="hledger, beancount or csv") as refused:
        exports.export_journal(desk, "xlsx", io.StringIO())
    assert refused.value.field == "format"


@pytest.mark.feature("B5")
def test_an_export_is_in_the_trail_before_its_first_line(sqlite_bank: Bank) -> None:
    class Broken(io.StringIO):
        def writelines(self, lines: object) -> None:
            raise BrokenPipeError

    auditor = desk_of(sqlite_bank, Role.AUDITOR)
    with pytest.raises(BrokenPipeError):
        exports.export_journal(auditor, "hledger", Broken())
    with looking(auditor) as tx:
        record = tx.connection.execute(
            select(TrailRecord.verb, TrailRecord.actor_name, TrailRecord.details)
        ).one()
    assert tuple(record) == (
        "night.exports.export_journal",
        "the auditor",
        '{"format":"hledger"}',
    )


@pytest.mark.parametrize("role", [role for role in Role if role not in {Role.SYSTEM, Role.AUDITOR}])
def test_others_do_not_export(sqlite_bank: Bank, role: Role) -> None:
    with pytest.raises(NotAllowed):
        exports.export_journal(desk_of(sqlite_bank, role), "csv", io.StringIO())
