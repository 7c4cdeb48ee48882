"""The files of an import: exact headers, one bad row costs one row, each reason has a way out."""

from datetime import date
from pathlib import Path

import pytest

from bank.core.errors import BankError
from bank.night import import_files as files
from bank.night import import_rows as rows
from bank.night.import_files import COLUMNS, ENTRIES, Rejected
from bank.night.import_rows import BadCell

HEADER = ",".join(COLUMNS[ENTRIES])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The four files with nothing but their headers."""
    for name, columns in COLUMNS.items():
        (tmp_path / name).write_text(",".join(columns) + "\n", encoding="utf-8")
    return tmp_path


def entries(folder: Path, text: str, encoding: str = "utf-8") -> list[tuple[int, object]]:
    (folder / ENTRIES).write_bytes(f"{HEADER}\n{text}".encode(encoding))
    return list(files.read_rows(folder / ENTRIES))


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(files.NoSuchFolder, match="holds the four files"):
        files.open_folder(tmp_path / "nowhere")


@pytest.mark.parametrize("name", COLUMNS)
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(files.FileMissing, match=rf"{name} is missing.*{COLUMNS[name][0]},"):
        files.open_folder(folder)


@pytest.mark.feature("A13.4")
@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("ifsc,name", "lacks the column address"),
        ("ifsc,name,adress", 'lacks the column address and has a column "adress"'),
        ("ifsc,name,address,city", 'has a column "city" that is not known'),
        ("name,ifsc,address", "another order"),
        ("ifsc,name,address,name", "twice"),
        ("Ifsc,name,address", "lacks the column ifsc"),
        (" ifsc,name,address", "lacks the column ifsc"),
        ("ifsc;name;address", "lacks the column ifsc"),
        ('"ifsc,name', "has no header"),
        ("", "has no header"),
    ],
)
def test_a_wrong_header_is_refused_with_the_way_out(folder: Path, header: str, said: str) -> None:
    (folder / "branches.csv").write_text(header, encoding="utf-8")
    with pytest.raises(files.WrongHeader, match="must read exactly: ifsc,name,address") as refused:
        files.open_folder(folder)
    assert said in str(refused.value)
    assert refused.value.field == "branches.csv"
    assert isinstance(refused.value, BankError)


def test_a_byte_order_mark_and_windows_line_ends_are_tolerated(folder: Path) -> None:
    text = f"{HEADER}\r\na,1,2020-01-01,1,cash,x,\r\n"
    (folder / ENTRIES).write_bytes(text.encode("utf-8-sig"))
    assert files.open_folder(folder).lines[ENTRIES] == 1
    assert list(files.read_rows(folder / ENTRIES)) == [
        (2, ["a", "1", "2020-01-01", "1", "cash", "x", ""])
    ]


def test_lines_are_counted_with_and_without_a_last_line_end(folder: Path) -> None:
    for text, lines in (("", 0), ("a\nb", 2), ("a\nb\n", 2)):
        (folder / ENTRIES).write_text(f"{HEADER}\n{text}", encoding="utf-8")
        assert files.open_folder(folder).lines[ENTRIES] == lines
    (folder / ENTRIES).write_text(HEADER, encoding="utf-8")
    assert files.open_folder(folder).lines[ENTRIES] == 0


def test_a_text_of_two_lines_is_one_row_and_later_lines_keep_their_numbers(folder: Path) -> None:
    found = entries(
        folder, 'a,1,2020-01-01,1,cash,"one\ntwo, ""three""",\n\nb,1,2020-01-01,1,cash,,\n'
    )
    assert [line for line, _ in found] == [2, 5]
    assert found[0][1] == ["a", "1", "2020-01-01", "1", "cash", 'one\ntwo, "three"', ""]


@pytest.mark.parametrize("last", ["", "\n"])
def test_a_stray_quotation_mark_costs_one_row(folder: Path, last: str) -> None:
    good = [f"{letter},1,2020-01-01,1,cash,fine,\n" for letter in "abc"]
    broken = 'x,1,2020-01-01,1,cash,"never closed,'
    found = entries(folder, f"{good[0]}{broken}\n{good[1]}{broken}\n{good[2]}{broken}{last}")
    assert [line for line, cells in found if not isinstance(cells, Rejected)] == [2, 4, 6]
    rejected = [cells for _, cells in found if isinstance(cells, Rejected)]
    assert [(row.file, row.line) for row in rejected] == [(ENTRIES, n) for n in (3, 5, 7)]
    assert "quotation mark is not closed" in rejected[0].reason


def test_a_quotation_mark_inside_a_text_costs_one_row(folder: Path) -> None:
    found = entries(folder, 'a,1,2020-01-01,1,cash,"x"y,\nb,1,2020-01-01,1,cash,x,\n')
    assert isinstance(found[0][1], Rejected)
    assert found[1][0] == 3


def test_an_endless_field_costs_one_row(folder: Path) -> None:
    long = 'a,1,2020-01-01,1,cash,"' + "x" * 200_000 + '",\n'
    found = entries(folder, long + "b,1,2020-01-01,1,cash,x,\n")
    assert isinstance(found[0][1], Rejected)
    assert found[1][0] == 3


@pytest.mark.parametrize(("text", "cells"), [("a,1\n", 2), ("a,1,2020-01-01,1,cash,x,5,6\n", 8)])
def test_too_few_and_too_many_cells(folder: Path, text: str, cells: int) -> None:
    ((line, found),) = entries(folder, text)
    assert isinstance(found, Rejected)
    assert (line, found.line) == (2, 2)
    assert f"{cells} cells, the header has 7" in found.reason


def test_what_is_no_utf8_is_rejected_by_the_row(folder: Path) -> None:
    found = entries(folder, "a,1,2020-01-01,1,cash,M\xfcller,\n", encoding="latin-1")
    (line, cells) = found[0]
    with pytest.raises(BadCell, match="UTF-8"):
        rows.entry_row(line, cells)  # type: ignore[arg-type]


def good_entry(**changed: str) -> list[str]:
    cells = dict(
        zip(COLUMNS[ENTRIES], ["e-1", "10", "2020-01-31", "-5.00", "fee", "x", ""], strict=True)
    )
    return list((cells | changed).values())


def test_an_entry_row() -> None:
    narration = 'a "quoted"\nthing, 😀'
    row = rows.entry_row(7, good_entry(narration=narration))
    assert row == (7, "e-1", "10", date(2020, 1, 31), "-5.00", "fee", 'a "quoted" thing, 😀', "")


@pytest.mark.feature("A13.4")
@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"external_id": ""}, "external_id is empty"),
        ({"external_id": "x" * 81}, "external_id is empty or longer than 80"),
        ({"external_id": "a\x00"}, "external_id is not UTF-8"),
        ({"narration": "x" * 201}, "narration has 201 characters; at most 200 fit"),
        ({"narration": "a\x00"}, "narration is not UTF-8"),
        ({"booking_date": "31.01.2020"}, 'booking_date "31.01.2020" is not a date'),
        ({"booking_date": "2020-02-30"}, "is not a date"),
        ({"booking_date": "20200131"}, "is not a date"),
        ({"booking_date": "0000-01-01"}, "is not a date"),
        ({"booking_date": ""}, "is not a date"),
    ],
)
def test_a_wrong_entry_row(changed: dict[str, str], reason: str) -> None:
    with pytest.raises(BadCell) as wrong:
        rows.entry_row(2, good_entry(**changed))
    assert reason in str(wrong.value)


@pytest.mark.feature("A13.4")
@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("1100.00", "CZK", 110000),
        ("-0.1", "INR", -10),
        ("+7", "INR", 700),
        ("12", "JPY", 12),
        ("12.0", "JPY", 12),
        ("1.005", "KWD", 1005),
        ("9999999999999.99", "INR", 999999999999999),
        ("70368744177664.01", "JPY", None),
        ("0", "INR", 0),
    ],
)
def test_amounts_are_exact(text: str, currency: str, minor: int | None) -> None:
    if minor is None:
        with pytest.raises(BadCell, match="decimal places"):
            rows.minor(text, currency, "amount")
    else:
        assert rows.minor(text, currency, "amount") == minor


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1,100.00",
        "1e3",
        "NaN",
        "inf",
        " 1",
        "1.",
        ".5",
        "--1",
        "₹1",
        "١٢",
        "1_000",
        "0x1",
        "1\n",
    ],
)
def test_what_is_no_amount(text: str) -> None:
    with pytest.raises(BadCell, match="with a point and without grouping"):
        rows.minor(text, "INR", "amount")


@pytest.mark.parametrize("text", ["10000000000000.01", "-99999999999999999"])
def test_an_amount_that_is_a_typing_error(text: str) -> None:
    with pytest.raises(BadCell, match="too large"):
        rows.minor(text, "INR", "amount")


def test_more_decimals_than_the_currency_has() -> None:
    with pytest.raises(BadCell, match="2 decimal places of INR"):
        rows.minor("1.001", "INR", "amount")


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        (["BERK1000001", "Main", ""], "ifsc"),
        (["BERK0000001", "", ""], "name"),
        (["BERK0000001", "x" * 121, ""], "name"),
        (["BERK0000001", "Main", "x" * 301], "address"),
        (["BERK0000001", "Ma\x07in", ""], "name"),
    ],
)
def test_a_wrong_branch(cells: list[str], reason: str) -> None:
    assert rows.branch_row(2, ["BERK0000001", "Main", ""]).address == ""
    with pytest.raises(BadCell, match=f"^{reason}: "):
        rows.branch_row(2, cells)


CUSTOMER = [
    "C-1",
    "Meera Iyer",
    "1980-02-29",
    "ABCPI1234E",
    "m@x.example",
    "9876543210",
    "BERK0000001",
]


def test_a_customer_row() -> None:
    row = rows.customer_row(2, CUSTOMER)
    assert (row.ref, row.pan, row.mobile) == ("C-1", "ABCPI1234E", "+919876543210")
    bare = rows.customer_row(2, [*CUSTOMER[:3], "", "", "", CUSTOMER[6]])
    assert (bare.pan, bare.email, bare.mobile) == (None, None, None)


@pytest.mark.parametrize(
    ("place", "text", "reason"),
    [
        (0, "", "customer_ref"),
        (0, "a b", "customer_ref"),
        (1, " ", "name: "),
        (2, "1980-02-30", "date_of_birth"),
        (3, "ABCDE12345", "pan: "),
        (4, "nobody", "email: "),
        (5, "12", "mobile: "),
        (6, "BERK", "branch_ifsc: "),
    ],
)
def test_a_wrong_customer(place: int, text: str, reason: str) -> None:
    cells = [*CUSTOMER[:place], text, *CUSTOMER[place + 1 :]]
    with pytest.raises(BadCell, match=f"^{reason}"):
        rows.customer_row(2, cells)


ACCOUNT = ["10364", "C-1", "savings", "CZK", "1993-01-17", "500.50"]


def test_an_account_row() -> None:
    row = rows.account_row(2, ACCOUNT)
    assert (row.number, row.currency, row.overdraft_limit_minor) == ("10364", "CZK", 50050)


@pytest.mark.parametrize(
    ("place", "text", "reason"),
    [
        (0, "", "account_number"),
        (0, "12-3", "account_number"),
        (0, "1" * 25, "account_number"),
        (1, "", "customer_ref"),
        (3, "czk", "currency"),
        (3, "XXZ", "currency"),
        (3, "", "currency"),
        (4, "yesterday", "opened_on"),
        (5, "", "overdraft_limit"),
        (5, "-1", "overdraft_limit is below zero"),
    ],
)
def test_a_wrong_account(place: int, text: str, reason: str) -> None:
    cells = [*ACCOUNT[:place], text, *ACCOUNT[place + 1 :]]
    with pytest.raises(BadCell, match=f"^{reason}"):
        rows.account_row(2, cells)


def test_a_quoted_cell_is_short_and_printable() -> None:
    assert files.shown("a\n\x00\udcffb") == '"a???b"'
    assert len(files.shown("x" * 500)) < 50
