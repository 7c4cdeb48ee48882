"""Importing a bank's books, on both databases: what goes in, what does not, and what is said."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, select, text

from bank.accounts.accounts import Account
from bank.book import book_days, ledger
from bank.book.book_days import BackdatingLimit, BookClosing
from bank.book.chart import GlAccount
from bank.book.ledger import InsufficientFunds
from bank.book.tables import Balance, FloorWaiver, JournalEntry, Posting
from bank.core.audit import TrailRecord
from bank.core.desk import Bank, Desk, Tx, chunk, looking
from bank.core.errors import NotAllowed
from bank.core.permissions import Role
from bank.core.search import SearchWord
from bank.counters.drawer_cash import MoveKind, put_in_vault
from bank.night import import_entries, imports, integrity
from bank.night.import_batches import BatchStatus, ImportBatch, ImportContra
from bank.night.import_files import COLUMNS, WrongHeader
from bank.night.import_report import ErrorsFileRefused, Report
from bank.night.imports import StrictRefused
from bank.people.customers import SEARCHED, Customer
from tests.support.bank import desk as desk_of

SLICE = Path(__file__).resolve().parents[3] / "shared" / "data" / "berka_slice20_import"


class Stopped(Exception):
    """The power went off."""


@dataclass
class Books:
    """Four files in a folder, as lists of lines."""

    folder: Path
    branches: list[str]
    customers: list[str]
    accounts: list[str]
    entries: list[str]

    def write(self) -> Path:
        for name, columns in COLUMNS.items():
            lines = getattr(self, name.removesuffix(".csv"))
            body = "".join(f"{line}\n" for line in [",".join(columns), *lines])
            (self.folder / name).write_bytes(body.encode("utf-8", "surrogateescape"))
        return self.folder


@pytest.fixture
def books(tmp_path: Path) -> Books:
    """Two branches, two customers, three accounts in two currencies, six entries."""
    folder = tmp_path / "books"
    folder.mkdir()
    return Books(
        folder,
        branches=["MERU0000001,Main,1 Main Road", "MERU0000002,Lake,"],
        customers=[
            "C-1,Meera Iyer,1980-02-29,ABCPI1234E,meera@bank.example,9876543210,MERU0000001",
            "C-2,Arjun Rao,1990-01-01,,,,MERU0000002",
        ],
        accounts=[
            "1001,C-1,savings,INR,2025-01-01,0",
            "1002,C-2,current,INR,2025-01-01,50.00",
            "1003,C-2,business,JPY,2025-01-01,0",
        ],
        entries=[
            "e1,1001,2025-01-05,1000.00,cash,first deposit,1000.00",
            "e2,1002,2025-01-05,200.00,clearing,NEFT in,200.00",
            "e3,1001,2025-01-31,-100.50,card,groceries,899.50",
            "e4,1003,2025-02-01,5000,cash,yen,5000",
            "e5,1002,2025-02-02,-225.00,transfer,to Meera,-25.00",
            "e6,1001,2025-02-02,225.00,transfer,from Arjun,1124.50",
        ],
    )


@pytest.fixture
def desk(bank: Bank) -> Desk:
    return desk_of(bank, Role.SYSTEM)


def scalars(desk: Desk, statement: Any) -> list[Any]:
    with looking(desk) as tx:
        return list(tx.connection.execute(statement).scalars())


def balances(desk: Desk) -> dict[str, int]:
    with looking(desk) as tx:
        rows = tx.connection.execute(
            select(Account.number, Balance.booked_minor).join(
                Balance, Balance.account_id == Account.id
            )
        )
        return {number: booked for number, booked in rows}


def counts(desk: Desk) -> dict[str, int]:
    tables = (
        *("branches", "customers", "accounts", "balances", "entries", "postings"),
        *("floor_waivers", "import_batches", "trail"),
    )
    with looking(desk) as tx:
        return {
            name: tx.connection.execute(text(f"SELECT COUNT(*) FROM {name}")).scalar_one()
            for name in tables
        }


def rejected(report: Report) -> list[tuple[str, int, str]]:
    assert report.errors_path is not None
    with report.errors_path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [tuple(row) for row in rows] == [("file", "line", "reason")] * len(rows)
    return [(row["file"], int(row["line"]), row["reason"]) for row in rows]


def last_line(report: Report) -> dict[str, int]:
    figures: dict[str, int] = json.loads(list(report.lines())[-1])
    return figures


FIGURES = {"entries": 6, "accounts": 3, "new": 6, "rejected": 0, "balance_differences": 0}


@pytest.mark.feature("B1")
def test_the_books_go_in(desk: Desk, books: Books) -> None:
    report = imports.import_books(desk, books.write())
    assert last_line(report) == FIGURES
    assert balances(desk) == {"1001": 112450, "1002": -2500, "1003": 5000}
    with looking(desk) as tx:
        customer = tx.connection.execute(
            select(
                Customer.number, Customer.name, Customer.pan, Customer.email, Customer.mobile
            ).where(Customer.number == "C-1")
        ).one()
        assert tuple(customer) == (
            *("C-1", "Meera Iyer", "ABCPI1234E", "meera@bank.example", "+919876543210"),
        )
        words = tx.connection.scalars(
            select(SearchWord.word)
            .join(Customer, Customer.id == SearchWord.object_id)
            .where(SearchWord.kind == SEARCHED, Customer.number == "C-1")
            .order_by(SearchWord.word)
        )
        assert list(words) == ["iyer", "meera"], "the counter finds them by name"
        account = tx.connection.execute(
            select(Account.currency, Account.opened_on, Balance.overdraft_limit_minor)
            .join(Balance, Balance.account_id == Account.id)
            .where(Account.number == "1002")
        ).one()
        assert tuple(account) == ("INR", date(2025, 1, 1), 5000)
        entry = tx.connection.execute(
            select(JournalEntry).where(JournalEntry.external_id == "e3")
        ).one()
    assert (entry.kind, entry.narration, entry.channel, entry.actor_id) == (
        *("card", "groceries", "import", 1),
    )
    assert entry.booking_date == entry.value_date == date(2025, 1, 31)


def test_each_kind_meets_its_gl_account(desk: Desk, books: Books) -> None:
    kinds = ["cash", "clearing", "interest", "fee", "card", "transfer"]
    books.entries = [f"k{i},1001,2025-01-05,{i}.00,{kind},x," for i, kind in enumerate(kinds, 1)]
    imports.import_books(desk, books.write())
    with looking(desk) as tx:
        rows = tx.connection.execute(
            select(JournalEntry.kind, GlAccount.code, Posting.amount_minor)
            .join(Posting, Posting.entry_id == JournalEntry.id)
            .join(GlAccount, GlAccount.id == Posting.gl_account_id)
            .where(Posting.account_id.is_(None))
            .order_by(JournalEntry.id)
        ).all()
    assert [tuple(row) for row in rows] == [
        ("cash_deposit", "1000", -100),
        ("clearing", "1100", -200),
        ("interest", "5000", -300),
        ("fee", "4100", -400),
        ("card", "1110", -500),
        ("transfer", "2100", -600),
    ]


def test_cash_is_a_deposit_or_a_withdrawal(desk: Desk, books: Books) -> None:
    books.entries = ["a,1001,2025-01-05,5,cash,,", "b,1001,2025-01-05,-5,cash,,"]
    imports.import_books(desk, books.write())
    kinds = scalars(desk, select(JournalEntry.kind).order_by(JournalEntry.id))
    assert kinds == ["cash_deposit", "cash_withdrawal"]


def test_the_rule_of_the_day_names_the_gl_account(desk: Desk, books: Books) -> None:
    with chunk(desk, "test") as tx:
        tx.session.add(
            ImportContra(
                kind="fee", gl_code="4000", effective_from=date(2025, 2, 1), source="a test"
            )
        )
    books.entries = ["a,1001,2025-01-31,5,fee,,", "b,1001,2025-02-01,5,fee,,"]
    imports.import_books(desk, books.write())
    codes = scalars(
        desk,
        select(GlAccount.code)
        .join(Posting, Posting.gl_account_id == GlAccount.id)
        .where(Posting.account_id.is_(None))
        .order_by(Posting.entry_id),
    )
    assert codes == ["4100", "4000"]


@pytest.mark.feature("B2")
def test_a_second_import_adds_nothing(desk: Desk, books: Books) -> None:
    books.entries[2] = books.entries[2].replace("899.50", "899.40")
    first = imports.import_books(desk, books.write())
    before = counts(desk)
    second = imports.import_books(desk, books.folder)
    # The next line's balance continues from the rounded one, so the gap shows twice.
    assert last_line(first) == FIGURES | {"balance_differences": 2}
    assert last_line(second) == FIGURES | {"new": 0, "balance_differences": 2}
    assert [line.line for line in second.differences] == [4, 7]
    after = counts(desk)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"import_batches", "trail"}


def test_a_later_import_with_more_rows_adds_those(desk: Desk, books: Books) -> None:
    imports.import_books(desk, books.write())
    books.customers.append("C-3,Zoya Khan,1999-09-09,,,,MERU0000001")
    books.accounts.append("1004,C-3,savings,INR,2025-03-01,0")
    books.entries.append("e7,1004,2025-03-01,10,cash,,10")
    books.entries.insert(0, "e0,1001,2025-01-04,1,cash,,")
    report = imports.import_books(desk, books.write())
    assert last_line(report) == {
        **FIGURES,
        "entries": 8,
        "accounts": 4,
        "new": 2,
        "balance_differences": 1,
    }
    assert balances(desk)["1004"] == 1000


def test_a_row_mended_in_the_middle_goes_in_the_second_time(desk: Desk, books: Books) -> None:
    good = books.entries[0]
    books.entries[0] = good.replace("1000.00,cash", "1000.001,cash")
    first = imports.import_books(desk, books.write())
    assert (first.new_entries, first.rejected) == (5, 1)
    books.entries[0] = good
    second = imports.import_books(desk, books.write())
    assert last_line(second) == FIGURES | {"new": 1}
    assert second.files["entries.csv"].repeated == 0
    assert balances(desk)["1001"] == 112450


def test_a_row_that_stands_twice_counts_once(desk: Desk, books: Books) -> None:
    books.entries.append(books.entries[0])
    books.accounts.append(books.accounts[0])
    books.customers.append(books.customers[0])
    books.branches.append(books.branches[0])
    for new in (6, 0):
        report = imports.import_books(desk, books.write())
        assert last_line(report) == FIGURES | {"new": new}
        assert [count.repeated for count in report.files.values()] == [1, 1, 1, 1]


def test_the_same_id_with_other_content_is_an_error_row(desk: Desk, books: Books) -> None:
    books.entries.append("e1,1001,2025-01-05,1000.01,cash,first deposit,")  # in the same file
    report = imports.import_books(desk, books.write())
    assert [row[:2] for row in rejected(report)] == [("entries.csv", 8)]
    books.entries[:] = ["e2,1002,2025-01-05,200.00,clearing,NEFT out,"]  # and against the book
    books.branches[0] = "MERU0000001,Head office,1 Main Road"
    books.customers[0] = books.customers[0].replace("02-29", "02-28")
    books.accounts[0] = books.accounts[0].replace(",0", ",1")
    report = imports.import_books(desk, books.write())
    assert [(name, line) for name, line, _ in rejected(report)] == [
        ("branches.csv", 2),
        ("customers.csv", 2),
        ("accounts.csv", 2),
        ("entries.csv", 2),
    ]
    reasons = [reason for _, _, reason in rejected(report)]
    assert all("other content" in reason for reason in reasons)
    assert balances(desk)["1001"] == 112450


BAD_ROWS = [
    ("branches", "MERU1,Bad,", "ifsc"),
    ("customers", "C-9,Nobody,1980-01-01,,,,MERU0000009", "branches.csv must bring it"),
    ("customers", "C-9,Nobody,2031-01-01,,,,MERU0000001", "does not lie in the past"),
    ("customers", "C-9,Nobody,1980-01-01,ABCPI1234E,,,MERU0000001", "belongs to another customer"),
    ("accounts", "1009,C-9,savings,INR,2025-01-01,0", "customers.csv must bring it"),
    ("accounts", "1009,C-1,gold,INR,2025-01-01,0", "use one of business, current, savings"),
    ("accounts", "1009,C-1,savings,INR,2031-01-01,0", "is in the future"),
    ("entries", "x,9999,2025-01-05,1,cash,,", "accounts.csv must bring it"),
    ("entries", "x,1001,2031-01-05,1,cash,,", "is in the future"),
    ("entries", "x,1001,2025-01-05,1,gift,,", "use one of card, cash, clearing"),
    ("entries", "x,1001,2025-01-05,0.00,cash,,", "amount is zero"),
    ("entries", "x,1001,2025-01-05,1.001,cash,,", "decimal places of INR"),
    ("entries", "x,1003,2025-01-05,1.5,cash,,", "decimal places of JPY"),
    ("entries", "x,1001,2025-01-05,1,cash,,n/a", "balance_after"),
    ("entries", "x,1001,2025-01-05,1,cash,\udcff,", "UTF-8"),
    ("entries", "x,1001", "2 cells"),
    ("entries", "x,1001,1899-12-31,1,cash,,", "booking_date 1899-12-31 lies before 1900-01-01"),
    ("entries", "x,1001,2025-01-05,1,cash,\u202etxt.exe,", "narration: This holds characters that"),
    ("entries", "x,1001,2025-01-05,1,cash,a\x07b,", "narration: This holds characters that"),
    ("entries", f"x,1001,2025-01-05,1,cash,{'n' * 201},", "narration has 201 characters"),
    ("entries", "x\u200b,1001,2025-01-05,1,cash,,", "external_id"),
    ("entries", "x,1001\udce9,2025-01-05,1,cash,,", "account_number is not UTF-8 text"),
    ("customers", "C-9,Ren\udce9,1980-01-01,,,,MERU0000001", "name is not UTF-8 text"),
    (
        "customers",
        "C-9,Nobody,1849-12-31,,,,MERU0000001",
        "1849-12-31 lies before 1850-01",
    ),
    ("branches", "MERU0000003,Ren\udce9,", "name is not UTF-8 text"),
    ("accounts", "1009,C-1,sav\udce9,INR,2025-01-01,0", "product is not UTF-8 text"),
]


@pytest.mark.feature("A13.4")
@pytest.mark.parametrize(("file", "row", "reason"), BAD_ROWS)
def test_a_bad_row_is_told_and_the_good_ones_go_in(
    desk: Desk, books: Books, file: str, row: str, reason: str
) -> None:
    getattr(books, file).insert(1, row)
    report = imports.import_books(desk, books.write())
    ((name, line, said),) = rejected(report)
    assert (name, line) == (f"{file}.csv", 3)
    assert reason in said
    assert last_line(report) == FIGURES | {"rejected": 1}


def test_a_narration_becomes_one_printable_line(desk: Desk, books: Books) -> None:
    books.entries = ['n,1001,2025-01-05,1,cash,"  from\tthe  till\u00a0of\n Asha ",']
    for new in (1, 0):
        report = imports.import_books(desk, books.write())
        assert (report.rejected, report.new_entries) == (0, new), "the second time it is known"
    assert scalars(desk, select(JournalEntry.narration)) == ["from the till of Asha"]


@pytest.mark.feature("A13.4")
def test_a_balance_that_no_column_holds_is_a_rejected_row(
    desk: Desk, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten lakh crore is the largest amount; so many of them do not fit into 64 bits."""
    monkeypatch.setattr(imports, "ENTRIES_AT_ONCE", 4_000)
    largest = 10**13
    fits = (2**63 - 1) // (largest * 100)
    books.entries = [f"h{n},1001,2025-01-05,{largest},cash,," for n in range(fits + 2)]
    books.entries.append("h-last,1001,2025-01-06,-1,cash,,")
    report = imports.import_books(desk, books.write())
    assert [line for _, line, _ in rejected(report)] == [fits + 2, fits + 3]
    assert "beyond what a book holds" in rejected(report)[0][2]
    assert report.new_entries == fits + 1
    assert balances(desk)["1001"] == fits * largest * 100 - 100


def test_what_hangs_on_a_bad_row_is_rejected_too(desk: Desk, books: Books) -> None:
    books.branches[1] = "LAKE,Lake,"
    report = imports.import_books(desk, books.write())
    assert [row[:2] for row in rejected(report)] == [
        ("branches.csv", 3),
        ("customers.csv", 3),
        ("accounts.csv", 3),
        ("accounts.csv", 4),
        *[("entries.csv", line) for line in (3, 5, 6)],
    ]
    assert last_line(report) == {
        "entries": 3, "accounts": 1, "new": 3, "rejected": 7, "balance_differences": 0,
    }  # fmt: skip


def test_two_new_customers_with_one_pan(desk: Desk, books: Books) -> None:
    books.customers[1] = "C-2,Arjun Rao,1990-01-01,ABCPI1234E,,,MERU0000002"
    report = imports.import_books(desk, books.write())
    assert rejected(report)[0][2] == "pan ABCxxxx34E belongs to another customer"


def test_a_closed_account_takes_no_entries(desk: Desk, books: Books) -> None:
    entries, books.entries = books.entries, []
    imports.import_books(desk, books.write())
    with chunk(desk, "test") as tx:
        tx.session.execute(text("UPDATE accounts SET status = 'closed' WHERE number = '1003'"))
    books.entries = entries
    report = imports.import_books(desk, books.write())
    assert [(line, reason) for _, line, reason in rejected(report)] == [
        (5, "account 1003 is closed")
    ]


def test_rejected_rows_lie_with_the_batch_or_where_one_says(
    desk: Desk, books: Books, tmp_path: Path
) -> None:
    books.entries.append("x,1001,2025-01-05,1,gift,,")
    report = imports.import_books(desk, books.write())
    (batch_id,) = scalars(desk, select(ImportBatch.id))
    data = desk.bank.settings.data_dir
    assert report.errors_path == data / "imports" / f"{batch_id:06d}" / "errors.csv"
    assert report.errors_path.exists()
    mine = tmp_path / "away" / "bad.csv"
    imports.import_books(desk, books.folder, errors=mine)
    assert len(mine.read_text(encoding="utf-8").splitlines()) == 2


def test_no_bad_row_no_file(desk: Desk, books: Books, tmp_path: Path) -> None:
    report = imports.import_books(desk, books.write())
    assert report.errors_path is not None
    assert not report.errors_path.parent.exists()


def test_a_clean_run_takes_the_rejected_rows_of_the_run_before_away(
    desk: Desk, books: Books, tmp_path: Path
) -> None:
    mine = tmp_path / "bad.csv"
    books.entries.append("x,1001,2025-01-05,1,gift,,")
    imports.import_books(desk, books.write(), errors=mine)
    assert "gift" in mine.read_text(encoding="utf-8")
    books.entries.pop()
    imports.import_books(desk, books.write(), errors=mine)
    assert not mine.exists()


def test_rejected_rows_of_a_broken_off_run_are_told(
    desk: Desk, books: Books, tmp_path: Path
) -> None:
    mine = tmp_path / "bad.csv"
    books.accounts.append("1009,C-9,savings,INR,2025-01-01,0")

    def stop(name: str, done: int) -> None:
        if name == "entries.csv":
            raise Stopped

    with pytest.raises(Stopped):
        imports.import_books(desk, books.write(), errors=mine, tell=stop)
    assert len(mine.read_text(encoding="utf-8").splitlines()) == 2


@pytest.mark.feature("A13.4")
def test_a_place_for_rejected_rows_that_is_none_is_refused_before_anything(
    desk: Desk, books: Books, tmp_path: Path
) -> None:
    books.write()
    (tmp_path / "file").write_text("a file", encoding="utf-8")
    (tmp_path / "link.csv").symlink_to(books.folder / "entries.csv")
    wrong = {
        tmp_path: "Is a directory",
        tmp_path / "file" / "bad.csv": "Not a directory|exists",
        books.folder / "accounts.csv": "is a file of this import",
        books.folder / ".." / "books" / "branches.csv": "is a file of this import",
        tmp_path / "link.csv": "is a file of this import",
        tmp_path / "file": "holds something else",
    }
    before = counts(desk)
    for path, said in wrong.items():
        with pytest.raises(ErrorsFileRefused, match=said) as refused:
            imports.import_books(desk, books.folder, errors=path)
        assert str(path) in str(refused.value)
        assert refused.value.field == "errors"
    after = counts(desk)
    assert {name for name in after if after[name] != before[name]} == {"trail"}  # the refusals
    assert (tmp_path / "file").read_text(encoding="utf-8") == "a file"
    assert imports.import_books(desk, books.folder).new_entries == 6, "the inputs are as they were"


def test_without_a_place_beside_the_batch_nothing_is_imported(desk: Desk, books: Books) -> None:
    (desk.bank.settings.data_dir / "imports").write_text("in the way", encoding="utf-8")
    with pytest.raises(ErrorsFileRefused):
        imports.import_books(desk, books.write())
    assert counts(desk)["branches"] == 0
    assert scalars(desk, select(ImportBatch.status)) == [BatchStatus.REFUSED]


def test_a_reason_is_no_formula(desk: Desk, books: Books) -> None:
    books.entries.append("x,=cmd|'/C calc'!A0,2025-01-05,1,cash,,")
    report = imports.import_books(desk, books.write())
    assert rejected(report)[0][2].startswith("account_number")


def test_a_dry_run_shows_everything_and_writes_nothing(desk: Desk, books: Books) -> None:
    before = counts(desk)
    books.entries.append("x,1001,2025-01-05,1,gift,,")
    preview = imports.import_books(desk, books.write(), dry_run=True)
    assert counts(desk) == before
    assert not (desk.bank.settings.data_dir / "imports").exists()
    real = imports.import_books(desk, books.folder)
    preview_lines, real_lines = list(preview.lines()), list(real.lines())
    assert preview_lines[-1] == real_lines[-1]
    assert "Dry run: everything was checked, nothing was written." in preview_lines
    only = {line for line in real_lines if line not in preview_lines}
    assert only == {f"All rejected rows: {real.errors_path}", "Imported: 6 new entries."}


def test_a_dry_run_writes_its_rejected_rows_where_one_says(
    desk: Desk, books: Books, tmp_path: Path
) -> None:
    books.entries.append("x,1001,2025-01-05,1,gift,,")
    imports.import_books(desk, books.write(), dry_run=True, errors=tmp_path / "bad.csv")
    assert "gift" in (tmp_path / "bad.csv").read_text(encoding="utf-8")


def test_strict_takes_all_in_one_transaction(desk: Desk, books: Books) -> None:
    before = counts(desk)["trail"]
    report = imports.import_books(desk, books.write(), strict=True)
    assert last_line(report) == FIGURES
    assert counts(desk)["trail"] == before + 3  # begun, all of it, ended


@pytest.mark.feature("A13.1")
def test_strict_takes_nothing_when_one_row_is_wrong(desk: Desk, books: Books) -> None:
    books.entries.append("x,1001,2025-01-05,1,gift,,")
    before = counts(desk)
    with pytest.raises(imports.StrictRefused, match="nothing was imported") as refused:
        imports.import_books(desk, books.write(), strict=True)
    after = counts(desk)
    assert {name for name in after if after[name] != before[name]} == {"import_batches", "trail"}
    assert last_line(refused.value.report) == FIGURES | {"new": 0, "rejected": 1}
    assert rejected(refused.value.report)[0][1] == 8
    assert scalars(desk, select(ImportBatch.status)) == [BatchStatus.REFUSED]
    assert scalars(desk, select(TrailRecord.outcome).order_by(TrailRecord.id))[-1] == "refused"
    books.entries.pop()
    assert imports.import_books(desk, books.write(), strict=True).new_entries == 6


def test_a_wrong_header_stops_everything(desk: Desk, books: Books) -> None:
    books.write()
    (books.folder / "entries.csv").write_text("id,account\n", encoding="utf-8")
    before = counts(desk)
    with pytest.raises(WrongHeader):
        imports.import_books(desk, books.folder)
    after = counts(desk)
    assert {name for name in after if after[name] != before[name]} == {"trail"}


def counter_deposit(desk: Desk, number: str, amount_minor: int) -> None:
    """What a cashier books: the bank is at work."""
    (account_id,) = scalars(desk, select(Account.id).where(Account.number == number))
    with chunk(desk, "test") as tx:
        cash = ledger.Leg(-amount_minor, None, "1000", 1)
        draft = ledger.Draft(
            request_id="00000000-0000-0000-0000-000000000001",
            kind="cash_deposit",
            narration="",
            legs=(ledger.Leg(amount_minor, account_id), cash),
            branch_id=1,
        )
        ledger.post(tx, draft)
        put_in_vault(tx, [draft], MoveKind.CARRIED)


def test_other_books_are_refused_once_the_bank_is_at_work(desk: Desk, books: Books) -> None:
    imports.import_books(desk, books.write())
    counter_deposit(desk, "1001", 100)
    other = books.folder.rename(books.folder.with_name("other"))
    with pytest.raises(imports.BooksInUse, match="into an empty database"):
        imports.import_books(desk, other)


def test_what_left_nothing_behind_is_no_import_to_go_on_with(desk: Desk, books: Books) -> None:
    people = replace(books, folder=books.folder.with_name("people"), entries=[])
    people.folder.mkdir()
    imports.import_books(desk, people.write())
    counter_deposit(desk, "1001", 100)
    with chunk(desk, "test") as tx:
        for status, strict in ((BatchStatus.REFUSED, True), (BatchStatus.STARTED, True)):
            tx.session.add(
                ImportBatch(
                    folder="books", strict=strict, status=status, started_at=tx.now, started_by=1
                )
            )
    with pytest.raises(imports.BooksInUse):
        imports.import_books(desk, books.write())


@pytest.mark.feature("A13.1")
def test_an_import_is_finished_although_the_bank_is_at_work_already(
    desk: Desk, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "ENTRIES_AT_ONCE", 2)

    def stop(name: str, done: int) -> None:
        if name == "entries.csv" and done >= 2:
            raise Stopped

    with pytest.raises(Stopped):
        imports.import_books(desk, books.write(), tell=stop)
    counter_deposit(desk, "1001", 100)
    assert [check.name for check in integrity.run_checks(desk) if not check.passed] == [
        "imports_finished"
    ]
    report = imports.import_books(desk, books.folder)
    assert last_line(report) == FIGURES | {"new": 4}
    assert balances(desk)["1001"] == 112450 + 100
    assert all(check.passed for check in integrity.run_checks(desk))


def test_a_rejected_row_is_corrected_although_the_bank_is_at_work_already(
    desk: Desk, books: Books
) -> None:
    good = books.entries[0]
    books.entries[0] = good.replace("1000.00,cash", "1000.001,cash")
    assert imports.import_books(desk, books.write()).rejected == 1
    counter_deposit(desk, "1002", 100)
    books.entries[0] = good
    assert last_line(imports.import_books(desk, books.write())) == FIGURES | {"new": 1}
    assert balances(desk) == {"1001": 112450, "1002": -2500 + 100, "1003": 5000}


def head_office_closes(
    desk: Desk, through: date | None = None, days_back: int | None = None
) -> None:
    """Two at head office have agreed; who has to, test_approval_matrix shows."""
    with chunk(desk, "tests.arrange") as tx:
        newest = tx.session.scalar(select(func.max(JournalEntry.id)))
        facts = {"id": 1, "reason": "The old books are in"}
        if through is not None:
            tx.session.add(
                BookClosing(
                    closed_through=through, entries=0, last_entry_id=newest, came_late=0,
                    at=tx.now, by_id=1, by_name="Head", **facts,
                )
            )  # fmt: skip
        if days_back is not None:
            tx.session.add(
                BackdatingLimit(
                    effective_from=tx.business_date, days=days_back, set_by=1, set_by_name="Head",
                    set_at=tx.now, **facts,
                )
            )  # fmt: skip
        book_days.changes(tx)


@pytest.mark.feature("B36")
@pytest.mark.parametrize(
    ("given", "because"),
    [
        (
            {"through": date(2025, 1, 31)},
            "the book is closed through 31 Jan 2025; ask head office to open the book again",
        ),
        (
            {"days_back": 408},  # from 1 Feb 2025
            "an import books at most 408 days back; ask head office for a wider limit",
        ),
    ],
    ids=["closed", "limited"],
)
@pytest.mark.parametrize("strict", [False, True], ids=["by chunks", "strict"])
def test_a_row_of_a_day_that_is_shut_is_rejected_with_the_reason(
    desk: Desk, books: Books, given: dict[str, Any], because: str, strict: bool
) -> None:
    early = books.entries[:2]
    books.entries[:2] = []
    if strict:
        books.entries.pop(0)
    imports.import_books(desk, books.write())
    head_office_closes(desk, **given)
    first = balances(desk)
    books.entries[:0] = [early[0], "e7,1001,2025-02-03,10.00,cash,late,"]
    if strict:
        with pytest.raises(StrictRefused) as refused:
            imports.import_books(desk, books.write(), strict=True)
        report = refused.value.report
        assert balances(desk) == first
    else:
        report = imports.import_books(desk, books.write())
        assert balances(desk)["1001"] == first["1001"] + 1000, "what is not shut goes in"
    assert rejected(report) == [
        (
            "entries.csv",
            2,
            f"booking_date 2025-01-05 is too early: {because}, or check the date",
        )
    ]


@pytest.mark.feature("B36", "B2")
def test_what_is_in_the_book_is_known_although_its_day_is_shut(desk: Desk, books: Books) -> None:
    imports.import_books(desk, books.write())
    head_office_closes(desk, through=date(2026, 3, 15), days_back=0)
    assert last_line(imports.import_books(desk, books.write())) == FIGURES | {"new": 0}


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.SYSTEM])
def test_only_the_system_imports(sqlite_bank: Bank, role: Role) -> None:
    with pytest.raises(NotAllowed):
        imports.import_books(desk_of(sqlite_bank, role), Path("nowhere"))


@pytest.mark.feature("B5")
def test_the_batch_remembers_the_figures(desk: Desk, books: Books) -> None:
    imports.import_books(desk, books.write())
    with looking(desk) as tx:
        batch = tx.connection.execute(select(ImportBatch)).one()
    assert (batch.status, batch.folder, batch.strict) == (BatchStatus.IMPORTED, "books", False)
    assert (batch.entries, batch.accounts, batch.new_entries) == (6, 3, 6)
    assert (batch.rejected, batch.balance_differences) == (0, 0)
    assert batch.finished_at == datetime(2026, 3, 16, 6, 30, tzinfo=UTC)
    verbs = scalars(desk, select(TrailRecord.verb))
    assert set(verbs) == {"night.imports.import_books"}


@pytest.mark.feature("A13.1")
def test_an_import_that_was_broken_off_goes_on_where_it_stopped(
    desk: Desk, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "ENTRIES_AT_ONCE", 2)

    def stop(name: str, done: int) -> None:
        if name == "entries.csv" and done >= 4:
            raise Stopped

    with pytest.raises(Stopped):
        imports.import_books(desk, books.write(), tell=stop)
    assert counts(desk)["entries"] == 4
    assert scalars(desk, select(ImportBatch.status)) == [BatchStatus.STARTED]
    report = imports.import_books(desk, books.folder)
    assert last_line(report) == FIGURES | {"new": 2}


def test_chunks_make_no_difference(
    desk: Desk, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "ENTRIES_AT_ONCE", 1)
    monkeypatch.setattr(imports, "PEOPLE_AT_ONCE", 1)
    books.entries += [books.entries[0], "x,1001,2025-01-05,1,gift,,"]
    books.accounts.append(books.accounts[0])
    told: list[tuple[str, int]] = []
    report = imports.import_books(desk, books.write(), tell=lambda *said: told.append(said))
    assert last_line(report) == FIGURES | {"rejected": 1}
    assert told[-1] == ("entries.csv", 8)
    assert [done for name, done in told if name == "accounts.csv"] == [1, 2, 3, 4, 4]


# Below the limit.


def test_only_the_import_passes_the_floor_and_says_so(desk: Desk, books: Books) -> None:
    books.entries += [
        "f1,1002,2025-02-03,-25.00,fee,to the limit,-50.00",
        "f2,1002,2025-02-04,-0.01,fee,below it,-50.01",
        "f3,1001,2025-02-04,-2000,cash,far below,-875.50",
        "f4,1001,2025-02-05,100,cash,,-775.50",
    ]
    report = imports.import_books(desk, books.write())
    assert report.rejected == 0
    assert [tuple(account) for account in report.below] == [
        ("1001", "INR", 0, -87550, date(2025, 2, 4)),
        ("1002", "INR", 5000, -5001, date(2025, 2, 4)),
    ]
    assert any("account 1002: lowest -50.01 INR, limit 50.00 INR" in x for x in report.lines())
    with looking(desk) as tx:
        waivers = tx.connection.execute(
            select(FloorWaiver.source, FloorWaiver.lowest_minor, FloorWaiver.closed_at)
            .join(Account, Account.id == FloorWaiver.account_id)
            .order_by(Account.number)
        ).all()
    assert [(row.source, row.lowest_minor) for row in waivers] == [
        ("import of books", -87550),
        ("import of books", -5001),
    ]
    assert all(row.closed_at for row in waivers)


def test_an_account_below_its_limit_then_accepts_credits_only(desk: Desk, books: Books) -> None:
    books.entries.append("f,1001,2025-02-04,-2000,cash,far below,")
    imports.import_books(desk, books.write())
    (account_id,) = scalars(desk, select(Account.id).where(Account.number == "1001"))

    def book(amount: int, request_id: str) -> None:
        with chunk(desk, "test") as tx:
            ledger.post(
                tx,
                ledger.Draft(
                    request_id=request_id,
                    kind="test",
                    narration="",
                    legs=(ledger.Leg(amount, account_id), ledger.Leg(-amount, None, "1000", 1)),
                    branch_id=1,
                ),
            )

    with pytest.raises(InsufficientFunds):
        book(-1, "00000000-0000-0000-0000-00000000000a")
    book(1, "00000000-0000-0000-0000-00000000000b")
    with pytest.raises(InsufficientFunds):
        book(-1, "00000000-0000-0000-0000-00000000000c")
    assert balances(desk)["1001"] == -87549


def test_a_later_import_does_not_take_it_further_down(desk: Desk, books: Books) -> None:
    books.entries.append("f,1001,2025-02-04,-2000,cash,far below,")
    first = imports.import_books(desk, books.write())
    assert first.rejected == 0
    low = balances(desk)["1001"]
    before = counts(desk)
    at = len(books.entries) + 2
    books.entries += [
        "g,1001,2025-02-05,-0.01,fee,further down,",
        "h,1001,2025-02-05,0.02,cash,a credit,",
        "i,1002,2025-02-05,-900,cash,below for the first time,",
    ]
    dry = imports.import_books(desk, books.write(), dry_run=True)
    report = imports.import_books(desk, books.write())
    assert (dry.rejected, report.rejected) == (1, 1)
    assert rejected(report) == [
        (
            "entries.csv",
            at,
            "an earlier import took this account below its limit, so it accepts credits only",
        )
    ]
    assert balances(desk)["1001"] == low + 2
    after = counts(desk)
    assert after["floor_waivers"] == before["floor_waivers"] + 1
    assert after["entries"] == before["entries"] + 2


def test_an_import_that_was_broken_off_goes_on_under_its_batch(
    desk: Desk, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "ENTRIES_AT_ONCE", len(books.entries) + 1)
    books.entries.append("f,1001,2025-02-04,-2000,cash,far below,")
    books.entries.append("g,1001,2025-02-05,-500,cash,and further,")
    real, parts = imports.take_entries, iter(range(2))

    def power_fails(*given: Any, **named: Any) -> Any:
        if next(parts):
            raise OSError("the power failed")
        return real(*given, **named)

    monkeypatch.setattr(imports, "take_entries", power_fails)
    with pytest.raises(OSError, match="power"):
        imports.import_books(desk, books.write())
    monkeypatch.setattr(imports, "take_entries", real)
    report = imports.import_books(desk, books.write())
    assert (report.rejected, counts(desk)["import_batches"]) == (0, 1)
    assert counts(desk)["floor_waivers"] == 2


# The balance the file claims.


def test_a_line_is_listed_where_its_balance_moves_otherwise(desk: Desk, books: Books) -> None:
    books.entries = [
        "a,1001,2025-01-01,10.00,cash,,10.10",  # the first line compares with zero
        "b,1001,2025-01-02,10.00,cash,,20.10",  # moves like the book, though it holds 20.00
        "c,1002,2025-01-02,10.00,cash,,10.00",
        "d,1001,2025-01-03,10.00,cash,,",  # nothing claimed
        "e,1001,2025-01-04,10.00,cash,,40.10",  # both lines together
        "f,1001,2025-01-05,-10.00,cash,,30.20",
    ]
    report = imports.import_books(desk, books.write())
    assert [
        (line.line, line.account_number, line.file_moved_minor, line.book_moved_minor)
        for line in report.differences
    ] == [(2, "1001", 1010, 1000), (7, "1001", -990, -1000)]
    said = [line for line in report.lines() if line.startswith("entries.csv line")]
    assert said[1] == (
        "entries.csv line 7: account 1001, 2025-01-05: balance_after moves by -9.90 INR, "
        "the book by -10.00 INR (difference 0.10 INR)"
    )


def test_after_a_rejected_row_the_book_moved_less_than_the_file(desk: Desk, books: Books) -> None:
    books.entries = [
        "a,1001,2025-01-01,10,cash,,10",
        "b,1001,2025-01-02,10,gift,,20",
        "c,1001,2025-01-03,10,cash,,30",
    ]
    report = imports.import_books(desk, books.write())
    assert [line.line for line in report.differences] == [4]


def test_totals_are_per_month_and_currency(desk: Desk, books: Books) -> None:
    report = imports.import_books(desk, books.write())
    table = [line.split() for line in report.lines() if line.startswith("2025-")]
    assert table == [
        ["2025-01", "INR", "3", "1,200.00", "-100.50", "1,099.50"],
        ["2025-02", "INR", "2", "225.00", "-225.00", "0.00"],
        ["2025-02", "JPY", "1", "5,000", "0", "5,000"],
    ]


def test_rows_are_listed_per_file(desk: Desk, books: Books) -> None:
    books.accounts.append("1009,C-9,savings,INR,2025-01-01,0")
    report = imports.import_books(desk, books.write())
    table = {line.split()[0]: line.split()[1:] for line in report.lines() if ".csv  " in line}
    assert table == {
        "branches.csv": ["2", "2", "0", "0", "0"],
        "customers.csv": ["2", "2", "0", "0", "0"],
        "accounts.csv": ["4", "3", "0", "0", "1"],
        "entries.csv": ["6", "6", "0", "0", "0"],
    }


def test_many_rejected_rows_are_counted_and_not_all_shown(desk: Desk, books: Books) -> None:
    books.entries += [f"x{i},1001,2025-01-05,1,gift,," for i in range(25)]
    report = imports.import_books(desk, books.write())
    lines = list(report.lines())
    assert len([line for line in lines if line.startswith("rejected: entries.csv line")]) == 20
    assert "... and 5 more" in lines
    assert len(rejected(report)) == 25


# Set-based.


@pytest.fixture
def sent(sqlite_bank: Bank) -> Iterator[list[str]]:
    """What SQLAlchemy sends; an `executemany` is one of these."""
    statements: list[str] = []

    def note(*facts: Any) -> None:
        statements.append(facts[2])

    event.listen(sqlite_bank.db.engine, "before_cursor_execute", note)
    yield statements
    event.remove(sqlite_bank.db.engine, "before_cursor_execute", note)


def test_a_chunk_asks_the_database_a_fixed_number_of_times(
    sqlite_bank: Bank, books: Books, sent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = desk_of(sqlite_bank, Role.SYSTEM)
    asked: list[int] = []
    found = import_entries._found

    def counted(tx: Tx, sql: str, values: list[str]) -> list[tuple[Any, ...]]:
        asked.append(len(values))
        return found(tx, sql, values)

    monkeypatch.setattr(import_entries, "_found", counted)
    books.entries = [f"n{i},1001,2025-01-05,1,cash,," for i in range(6_000)]
    assert imports.import_books(desk, books.write()).new_entries == 6_000
    assert asked == [1, 5_000, 1, 1_000]  # accounts and entries of two chunks
    assert len(sent) < 100


# The real thing.


@pytest.mark.skipif(not SLICE.exists(), reason="the slice of the real bank is not here")
def test_the_slice_of_a_real_bank(desk: Desk) -> None:
    first = imports.import_books(desk, SLICE)
    assert last_line(first) == {
        "entries": 998, "accounts": 20, "new": 998, "rejected": 0, "balance_differences": 45,
    }  # fmt: skip
    gaps = [line.file_moved_minor - line.book_moved_minor for line in first.differences]
    assert {abs(gap) for gap in gaps} == {10}
    assert {account.account_number for account in first.below} == {
        *("10266", "11021", "4034", "5740", "790"),
    }
    second = imports.import_books(replace(desk, channel="branch"), SLICE)
    assert last_line(second) == last_line(first) | {"new": 0}
    with looking(desk) as tx:
        total = tx.connection.execute(text("SELECT SUM(amount_minor) FROM postings")).scalar_one()
        assert int(total) == 0
