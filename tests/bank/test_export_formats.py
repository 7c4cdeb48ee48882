"""The three formats of the journal: accepted by the tools, and refused when altered."""

import csv
import io
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from bank.core.cells import safe_cell
from bank.night.journal_formats import (
    WRITERS,
    Asserted,
    Entry,
    Line,
    Place,
    debit_positive,
    place_name,
)

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "security"
CASH = Place(place_name("asset", "1000", "Cash in hand", "BANK0000001"), "INR")
SAVINGS = Place(place_name("liability", "2000", "Savings deposits", "BANK0000001"), "INR")
MEERA = Place(place_name("liability", "2000", "Savings deposits", "BANK0000001", "10364"), "INR")
DAY = date(2026, 1, 5)
NASTY = [
    'she said "hi" \\ and left',
    "two\nlines\r\nand\ttabs",
    "; a comment * ! (code) [2026-13-40] date:2026-13-40,",
    "emoji 😀 and ₹ and \u202e turned",
    "=1+1",
    "",
    "  two  blanks  ",
    "| payee",
    "\x00\x1b[31m",
]


def payloads(name: str) -> list[str]:
    """Lines of a list of attacks that lies beside the project, where it does."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{name} is not here")
    return path.read_text(encoding="utf-8").splitlines()


def entry(number: int, narration: str, lines: list[Line], **facts: object) -> Entry:
    known: dict[str, object] = {
        "id": number,
        "request_id": f"00000000-0000-0000-0000-{number:012d}",
        "kind": "cash_deposit",
        "narration": narration,
        "ifsc": "BANK0000001",
        "actor_id": 1,
        "channel": "branch",
        "booked_at": datetime(2026, 1, 5, 6, 30, tzinfo=UTC),
        "booking_date": DAY,
        "value_date": DAY,
        "external_id": None,
        "reverses_id": None,
        "reversed_by": None,
        "reason": None,
        "lines": lines,
    }
    return Entry(**(known | facts))  # type: ignore[arg-type]


def journal(fmt: str, entries: Iterable[Entry]) -> str:
    """A small journal with the assertions that follow from its lines."""
    writer = WRITERS[fmt]()
    held: dict[Place, int] = {}
    text = []
    for one in entries:
        text.append(writer.entry(one))
        for line in one.lines:
            held[line.place] = held.get(line.place, 0) + line.amount_minor
    places = sorted({*held, SAVINGS})
    asserted = [Asserted(place, amount) for place, amount in sorted(held.items())]
    asserted.append(Asserted(SAVINGS, held.get(MEERA, 0), True))
    head = "".join(writer.head(DAY, places))
    return head + "".join(text) + "".join(writer.balances(DAY, "The end", asserted))


def run_tool(fmt: str, text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What the real program says to the text."""
    path = folder / ("book.journal" if fmt == "hledger" else "book.beancount")
    path.write_text(text, encoding="utf-8")
    if fmt == "hledger":
        if (tool := shutil.which("hledger")) is None:
            pytest.skip("hledger is not installed")
        command = [tool, "check", "--strict", "-f", str(path)]
    else:
        command = [str(Path(sys.executable).with_name("bean-check")), str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def accepts(fmt: str, text: str, folder: Path) -> bool:
    done = run_tool(fmt, text, folder)
    return done.returncode == 0


def deposits(narrations: Iterable[str]) -> list[Entry]:
    return [
        entry(number, narration, [Line(CASH, -1050), Line(MEERA, 1050)], external_id=narration)
        for number, narration in enumerate(narrations, 1)
    ]


@pytest.mark.parametrize("fmt", ["hledger", "beancount"])
def test_the_tool_accepts_any_narration(fmt: str, tmp_path: Path) -> None:
    done = run_tool(fmt, journal(fmt, deposits(NASTY)), tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("fmt", ["hledger", "beancount"])
@pytest.mark.parametrize("name", ["xss_payloads.txt", "csv_injection_payloads.txt"])
def test_the_tool_accepts_attacks_as_text(fmt: str, name: str, tmp_path: Path) -> None:
    done = run_tool(fmt, journal(fmt, deposits(payloads(name))), tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("fmt", ["hledger", "beancount"])
def test_one_altered_amount_is_refused(fmt: str, tmp_path: Path) -> None:
    text = journal(fmt, deposits(["rent"]))
    altered = text.replace("10364  -10.50 INR", "10364  -10.51 INR", 1)
    assert altered != text
    assert not accepts(fmt, altered, tmp_path)


@pytest.mark.parametrize("fmt", ["hledger", "beancount"])
def test_both_sides_altered_by_one_paisa_are_refused_by_the_assertions(
    fmt: str, tmp_path: Path
) -> None:
    text = journal(fmt, deposits(["rent", "food"]))
    altered = text.replace("  10.50 INR", "  10.51 INR", 1).replace(
        "  -10.50 INR", "  -10.51 INR", 1
    )
    assert altered.count("10.51") == 2
    done = run_tool(fmt, altered, tmp_path)
    assert done.returncode != 0
    assert re.search(r"(?i)balance", done.stderr + done.stdout)


@pytest.mark.parametrize("fmt", ["hledger", "beancount"])
def test_a_reversal_and_its_entry_name_each_other(fmt: str, tmp_path: Path) -> None:
    first = entry(1, "slip 9", [Line(CASH, -700), Line(MEERA, 700)], reversed_by=2)
    undone = entry(
        2,
        "Reversal of entry 1",
        [Line(CASH, 700), Line(MEERA, -700)],
        reverses_id=1,
        reason='wrong "account"; date:x, [y]',
    )
    text = journal(fmt, [first, undone])
    assert accepts(fmt, text, tmp_path)
    if fmt == "hledger":
        assert "reversed_by:2" in text
        assert "reverses:1" in text
    else:
        assert text.count("^entry-1") == 2
        assert text.count("^entry-2") == 2
        assert 'reason: "wrong \\"account\\"; date:x, [y]"' in text


@pytest.mark.parametrize("fmt", ["hledger", "beancount"])
def test_a_currency_without_decimals_and_two_currencies_in_one_account(
    fmt: str, tmp_path: Path
) -> None:
    yen = [Place(place.name, "JPY") for place in (CASH, MEERA)]
    entries = [
        entry(1, "rupees", [Line(CASH, -5), Line(MEERA, 5)]),
        entry(2, "yen", [Line(yen[0], -5), Line(yen[1], 5)]),
    ]
    text = journal(fmt, entries)
    assert "0.05 INR" in text
    assert " 5 JPY" in text
    assert accepts(fmt, text, tmp_path)


def test_credit_in_the_book_is_minus_in_plain_text() -> None:
    assert debit_positive(1050, "INR") == "-10.50"
    assert debit_positive(-1, "INR") == "0.01"
    assert debit_positive(-7, "JPY") == "7"


@pytest.mark.parametrize(
    ("kind", "root"),
    [
        ("asset", "Assets"),
        ("liability", "Liabilities"),
        ("equity", "Equity"),
        ("income", "Income"),
        ("expense", "Expenses"),
    ],
)
def test_the_root_of_a_name_is_its_kind(kind: str, root: str) -> None:
    name = place_name(kind, "4000", "Interest & other: income", "BANK0000001")
    assert name == f"{root}:4000-Interest-other-income:BANK0000001"


def test_two_account_numbers_never_share_a_name() -> None:
    numbers = ["abc", "ABC", "0abc", "a-b", "a b", "aé", "é", "0é", "-", "0-", "61-bc", "0--61-bc"]
    names = {place_name("liability", "2000", "Savings", "BANK0000001", one) for one in numbers}
    assert len(names) == len(numbers)
    for name in names:
        assert re.fullmatch(r"(?:[A-Z0-9][A-Za-z0-9-]*:)+[A-Z0-9][A-Za-z0-9-]*", name)


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_csv_holds_every_posting_and_balance() -> None:
    rows = rows_of(journal("csv", deposits(["rent"])))
    assert [(row["record"], row["account"], row["debit"], row["credit"]) for row in rows] == [
        ("posting", CASH.name, "10.50", ""),
        ("posting", MEERA.name, "", "10.50"),
        ("balance", CASH.name, "10.50", ""),
        ("balance", MEERA.name, "", "10.50"),
        ("balance_with_accounts_below", SAVINGS.name, "", "10.50"),
    ]


def test_csv_keeps_a_narration_to_the_letter_unless_it_is_a_formula() -> None:
    rows = rows_of(journal("csv", deposits(NASTY)))
    said = [row["narration"] for row in rows if row["record"] == "posting" and row["leg"] == "1"]
    assert said == ["'=1+1" if text == "=1+1" else safe_cell(text) for text in NASTY]
    assert said[0] == NASTY[0]
    assert said[3] == NASTY[3]


def test_no_cell_of_the_csv_is_a_formula() -> None:
    attacks = payloads("csv_injection_payloads.txt")
    rows = rows_of(journal("csv", deposits(attacks)))
    assert {row["narration"] for row in rows if row["record"] == "posting"} == {
        f"'{text}" if text else "" for text in attacks
    }
    assert not [
        cell
        for row in rows
        for cell in row.values()
        if cell.lstrip(" ;,\"'").startswith(("=", "+", "-", "@", "＝")) and cell[0] != "'"
    ]


@pytest.mark.parametrize(
    "text", ["=1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", '"=1', ";=1", 'DDE ("x")']
)
def test_a_formula_gets_an_apostrophe(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "rent", "a=b", "1 + 1", "Dder", "O'Neil", "₹ 5"])
def test_a_plain_text_stays_as_it_is(text: str) -> None:
    assert safe_cell(text) == text
