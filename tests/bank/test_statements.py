"""Statements: any days, running balances, whose they are, CSV and PDF that do no harm."""

import csv
import io
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pypdf
import pytest
from sqlalchemy import event

from bank.accounts import accounts, products, statement_lines, statements
from bank.accounts.accounts import NoSuchAccountNumber
from bank.accounts.papers import Letterhead, Paper, PaperColumn, printable
from bank.accounts.statement_lines import (
    PeriodTooLong,
    PeriodUpsideDown,
    Statement,
    TooManyLines,
)
from bank.book import ledger
from bank.core.clock import FixedClock
from bank.core.errors import NotAllowed
from bank.core.ids import new_request_id
from tests.bank.test_receipts import text_of
from tests.bank.test_transfers import asked, send
from tests.support.market import Market, pay_in
from tests.support.papers import five_hundred_lines

SECURITY = Path(__file__).parents[3] / "shared" / "data" / "security"
TODAY = date(2026, 3, 16)
LONG_AGO = date(2017, 1, 1)


def next_day(market: Market, days: int = 1) -> date:
    """The bank's clock goes on, with new drawers; answers the new business date."""
    assert isinstance(market.bank.clock, FixedClock)
    market.bank.clock.at += timedelta(days=days)
    market.new_day()
    return market.bank.clock.business_date()


def three_days(market: Market) -> None:
    """100 and 50 on the 16th, 30 on the 17th, nothing on the 18th, 20 on the 19th."""
    market.deposit("asha", 100_00, slip="1")
    market.deposit("asha", 50_00, slip="2")
    next_day(market)
    market.deposit("asha", 30_00, slip="3")
    next_day(market, 2)
    market.deposit("asha", 20_00, slip="4")


def of(market: Market, start: date, end: date) -> Statement:
    """Asha's own statement."""
    return statements.lines(market.desks["asha"], market.number("asha"), start, end)


@pytest.mark.feature("A4.3", "B13")
@pytest.mark.parametrize(
    ("first", "last", "opening", "amounts", "closing"),
    [
        (0, 3, 0, [100_00, 50_00, 30_00, 20_00], 200_00),
        (1, 1, 150_00, [30_00], 180_00),
        (1, 2, 150_00, [30_00], 180_00),
        (2, 2, 180_00, [], 180_00),
        (3, 400, 180_00, [20_00], 200_00),
        (-50, -1, 0, [], 0),
        (4, 4, 200_00, [], 200_00),
    ],
)
def test_opening_lines_and_closing_agree(
    market: Market, first: int, last: int, opening: int, amounts: list[int], closing: int
) -> None:
    three_days(market)
    got = of(market, TODAY + timedelta(days=first), TODAY + timedelta(days=last))
    assert got.opening_minor == opening
    assert [line.amount_minor for line in got.lines] == amounts
    assert got.closing_minor == closing
    assert got.count == len(amounts)
    assert got.opening_minor + got.credit_minor + got.debit_minor == got.closing_minor
    running = got.opening_minor
    for line in got.lines:
        running += line.amount_minor
        assert line.balance_minor == running


@pytest.mark.feature("A3.5", "A4.3", "B13")
def test_debits_and_credits_are_told_apart_and_totalled(market: Market) -> None:
    pay_in(market, "asha", 1_000_00)
    send(market, new_request_id(), **asked(market))
    market.deposit("asha", 30_00, slip="9")
    got = of(market, TODAY, TODAY)
    assert (got.credit_minor, got.debit_minor) == (1_030_00, -250_00)
    opening, transfer, cash = got.lines
    assert (transfer.debit_minor, transfer.credit_minor) == (250_00, None)
    assert (cash.debit_minor, cash.credit_minor) == (None, 30_00)
    assert opening.other_number is None
    assert transfer.details == f"Transfer: rent, to Vikram Shah •••• {market.number('vikram')[-4:]}"
    assert cash.details == "Cash deposit at Fort, slip 9"
    theirs = statements.lines(market.desks["vikram"], market.number("vikram"), TODAY, TODAY).lines
    assert theirs[0].details == f"Transfer: rent, from Asha Rao •••• {market.number('asha')[-4:]}"
    assert theirs[0].reference == transfer.reference


@pytest.mark.feature("B3", "B13")
def test_a_reversal_and_what_it_reverses_name_each_other(market: Market) -> None:
    wrong = market.deposit("asha", 30_00)
    next_day(market)
    with market.tx(market.desks["admin"]) as tx:
        ledger.reverse(tx, wrong.entry_id, reason="typed twice", request_id=new_request_id())
    first, second = of(market, TODAY, TODAY + timedelta(days=1)).lines
    assert first.corrected_by == second.reference
    assert second.corrects == first.reference
    assert f"(reversed by {second.reference})" in first.details
    assert second.balance_minor == 0


def test_an_entry_with_many_accounts_names_none(market: Market) -> None:
    pay_in(market, "asha", 1_000_00)
    with market.tx() as tx:
        ids = dict(tx.connection.exec_driver_sql("SELECT number, id FROM accounts").all())
        legs = (
            ledger.debit_account(ids[market.number("asha")], 30_00),
            ledger.credit_account(ids[market.number("vikram")], 10_00),
            ledger.credit_account(ids[market.number("nila")], 20_00),
        )
        ledger.post(
            tx,
            ledger.Draft(
                request_id=new_request_id(),
                kind="salary",
                narration="Salaries",
                legs=legs,
                branch_id=market.branch_ids["BANK0000001"],
            ),
        )
    assert of(market, TODAY, TODAY).lines[-1].details == "Salaries"
    theirs = statements.lines(market.desks["nila"], market.number("nila"), TODAY, TODAY)
    assert theirs.lines[0].details == "Salaries"


@pytest.mark.feature("A4.3")
def test_a_page_of_a_statement_has_the_totals_of_the_whole(market: Market) -> None:
    three_days(market)
    whole = of(market, LONG_AGO, date(2026, 12, 31))
    page = statements.lines(
        market.desks["asha"], market.number("asha"), LONG_AGO, date(2026, 12, 31), skip=1, take=2
    )
    assert list(page.lines) == list(whole.lines[1:3])
    assert (page.count, page.closing_minor) == (4, 200_00)
    beyond = statements.lines(
        market.desks["asha"], market.number("asha"), LONG_AGO, date(2026, 12, 31), skip=4, take=2
    )
    assert list(beyond.lines) == []


def out_of_order(market: Market, *lines: tuple[date, int]) -> None:
    """Lines on Asha's account as an import may book them: dated days in any order, amounts."""
    with market.tx() as tx:
        card = statements.accounts.card_by_number(tx, market.number("asha"))
        for day, amount in lines:
            legs = (ledger.Leg(amount, card.id), ledger.Leg(-amount, None, "1000"))
            ledger.post(
                tx,
                ledger.Draft(
                    request_id=new_request_id(),
                    kind="cash",
                    narration=f"{day:%d %b}",
                    legs=legs,
                    branch_id=card.branch_id,
                    booking_date=day,
                ),
            )


JANUARY = (date(2026, 1, 1), date(2026, 1, 31))
LATE = "(booked after lines of later days)"


@pytest.mark.feature("A4.3", "B13")
def test_a_statement_holds_the_lines_dated_in_its_period_and_no_other(market: Market) -> None:
    out_of_order(
        market,
        (date(2026, 1, 10), 100_00),
        (date(2026, 2, 10), 200_00),
        (date(2026, 1, 20), 5_00),
    )
    january = of(market, *JANUARY)
    assert (january.opening_minor, january.credit_minor, january.closing_minor) == (
        0,
        105_00,
        105_00,
    )
    assert [line.narration for line in january.lines] == ["10 Jan", "20 Jan"]
    assert [line.balance_minor for line in january.lines] == [100_00, 105_00]
    assert [line.details for line in january.lines] == ["10 Jan", f"20 Jan {LATE}"]
    february = of(market, date(2026, 2, 1), date(2026, 2, 28))
    assert (february.opening_minor, february.credit_minor) == (105_00, 200_00)
    assert [line.details for line in february.lines] == ["10 Feb"]
    assert [line.balance_minor for line in february.lines] == [305_00]
    assert february.closing_minor == market.balance("asha") == 305_00


@pytest.mark.feature("A4.3")
def test_lines_of_any_order_are_explained_day_by_day(market: Market) -> None:
    """Whatever the order of booking: each period begins where the one before ended."""
    days = [date(2026, 1, 1) + timedelta(days=17 * n % 53) for n in range(53)]
    out_of_order(market, *((day, n * 100) for n, day in enumerate(days, 1)))
    closing = 0
    for start in (date(2026, 1, 1) + timedelta(days=9 * n) for n in range(6)):
        got = of(market, start, start + timedelta(days=8))
        assert got.opening_minor == closing
        assert [line.booking_date for line in got.lines] == sorted(
            line.booking_date for line in got.lines
        )
        running = got.opening_minor
        for line in got.lines:
            running += line.amount_minor
            assert line.balance_minor == running
            before = days[: line.line_no - 1]
            assert line.is_late == any(day > line.booking_date for day in before)
        assert running == got.closing_minor
        closing = got.closing_minor
        pages = [
            statements.lines(
                market.desks["asha"], market.number("asha"), got.start, got.end, skip, 4
            ).lines
            for skip in range(0, got.count, 4)
        ]
        assert [line for page in pages for line in page] == list(got.lines)
    assert closing == market.balance("asha")


@pytest.mark.feature("A4.2", "B13")
def test_a_late_line_says_so_on_paper_and_in_the_csv(market: Market) -> None:
    out_of_order(market, (date(2026, 2, 10), 200_00), (date(2026, 1, 20), 5_00))
    asking = (market.desks["asha"], market.number("asha"), *JANUARY)
    rows = list(csv.reader(io.StringIO(statements.statement_csv(*asking).decode("utf-8-sig"))))
    assert rows[2][3] == f"20 Jan {LATE}"
    assert rows[2][6] == rows[-1][6] == "5.00"
    assert LATE in " ".join(text_of(statements.statement_pdf(*asking)).split())


def test_the_newest_lines_are_those_booked_last(market: Market) -> None:
    out_of_order(market, (date(2026, 2, 10), 200_00), (date(2026, 1, 20), 5_00))
    newest = statements.last_lines(market.desks["asha"])[market.number("asha")]
    assert [line.balance_minor for line in newest] == [205_00, 200_00]


def test_a_period_has_an_order_and_a_length(sqlite_market: Market) -> None:
    with pytest.raises(PeriodUpsideDown):
        of(sqlite_market, TODAY, TODAY - timedelta(days=1))
    with pytest.raises(PeriodTooLong):
        of(sqlite_market, date(2015, 12, 31), TODAY)
    assert of(sqlite_market, date(2016, 1, 1), TODAY).count == 0


@pytest.mark.feature("B8", "A4.1")
def test_whose_statement_it_is(market: Market) -> None:
    market.deposit("vikram", 10_00)
    number = market.number("vikram")
    for ask in (statements.lines, statements.statement_csv, statements.statement_pdf):
        with pytest.raises(NoSuchAccountNumber):
            ask(market.desks["asha"], number, TODAY, TODAY)
        with pytest.raises(NotAllowed):
            ask(market.desks["auditor"], number, TODAY, TODAY)
    for ask in (statements.account_lines, statements.account_statement_pdf):
        with pytest.raises(NotAllowed):
            ask(market.desks["vikram"], number, TODAY, TODAY)
        with pytest.raises(NoSuchAccountNumber):
            ask(market.desks["ravi"], "999999999999", TODAY, TODAY)
    with pytest.raises(NotAllowed):
        statements.account_last_lines(market.desks["vikram"], number)
    with pytest.raises(NotAllowed):
        statements.last_lines(market.desks["ravi"])


@pytest.mark.feature("B5")
def test_an_employees_look_is_recorded_once(market: Market) -> None:
    market.deposit("nila", 10_00)
    number = market.number("nila")
    for _ in range(3):
        got = statements.account_lines(market.desks["banker"], number, TODAY, TODAY)
        statements.account_last_lines(market.desks["banker"], number)
    assert got.count == 1
    read = market.rows("SELECT * FROM trail WHERE outcome = 'read'")
    assert [(row["actor_name"], row["object_id"]) for row in read] == [("Bina Mehta", number)]


@pytest.mark.feature("A4.1", "A4.3")
def test_the_newest_lines_of_each_own_account(market: Market) -> None:
    three_days(market)
    market.deposit("vikram", 7_00)
    newest = statements.last_lines(market.desks["asha"], take=3)
    assert [line.amount_minor for line in newest[market.number("asha")]] == [20_00, 30_00, 50_00]
    assert list(newest[market.number("asha", "current")]) == []
    assert market.number("vikram") not in newest
    theirs = statements.account_last_lines(market.desks["ravi"], market.number("vikram"))
    assert [line.amount_minor for line in theirs] == [7_00]


def asked_of_the_database(market: Market, who: str) -> list[tuple[str, Any]]:
    """The statements, with their parameters, behind somebody's newest lines. The first look also
    records what was read."""
    statements.last_lines(market.desks[who])
    sent: list[tuple[str, Any]] = []

    def note(*facts: Any) -> None:
        sent.append((facts[2], facts[3]))

    event.listen(market.bank.db.engine, "before_cursor_execute", note)
    try:
        assert all(statements.last_lines(market.desks[who]).values())
    finally:
        event.remove(market.bank.db.engine, "before_cursor_execute", note)
    return sent


@pytest.mark.feature("A4.1", "A4.3")
def test_five_accounts_ask_no_more_than_one(market: Market) -> None:
    market.deposit("asha", 900_00, slip="1")
    market.deposit("vikram", 900_00, slip="2")
    customer_id = market.desks["asha"].customer_id
    assert customer_id is not None
    with market.tx() as tx:
        savings = products.product(tx, "savings")
        branch_id = market.branch_ids["BANK0000001"]
        for extra in ("third", "fourth"):
            opened = accounts.open_row(
                tx, customer_id=customer_id, product=savings, branch_id=branch_id
            )
            market.numbers["asha", extra] = opened.number
    for what in ("current", "third", "fourth", "koruna"):
        pay_in(market, "asha", 5_00, what)
    few, many = asked_of_the_database(market, "vikram"), asked_of_the_database(market, "asha")
    assert len(statements.last_lines(market.desks["asha"])) == 5
    assert len(many) == len(few) == 3
    if market.bank.db.dialect == "sqlite":  # whose plan does not depend on how much there is
        with market.bank.db.read() as connection:
            plans = [
                str(step[3])
                for sql, values in many
                for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)
            ]
        assert any("postings USING INDEX" in step and "line_no>" in step for step in plans), plans
        assert not [step for step in plans if step.startswith("SCAN postings")], plans


@pytest.mark.feature("A4.2", "A4.3")
def test_a_transfer_between_own_accounts_names_the_other_on_each(market: Market) -> None:
    market.deposit("asha", 900_00)
    to = market.number("asha", "current")
    send(market, new_request_id(), **asked(market, ("asha", "current")))
    newest = statements.last_lines(market.desks["asha"], take=1)
    own = market.number("asha")
    assert [line.other_number for line in newest[own]] == [to]
    assert [line.other_number for line in newest[to]] == [own]


@pytest.mark.feature("A4.2", "B13")
def test_the_csv_holds_the_whole_statement(market: Market) -> None:
    three_days(market)
    raw = statements.statement_csv(
        market.desks["asha"], market.number("asha"), TODAY + timedelta(days=1), date(2026, 3, 31)
    )
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))
    assert [row["Details"] for row in rows] == [
        "Opening balance",
        "Cash deposit at Fort, slip 3",
        "Cash deposit at Fort, slip 4",
        "Closing balance",
    ]
    assert [row["Balance"] for row in rows] == ["150.00", "180.00", "200.00", "200.00"]
    assert [row["Credit"] for row in rows] == ["", "30.00", "20.00", "50.00"]
    assert rows[1]["Date"] == "2026-03-17"
    assert {row["Currency"] for row in rows} == {"INR"}


@pytest.mark.skipif(not SECURITY.exists(), reason="the payload lists lie beside the project")
@pytest.mark.feature("B13")
def test_what_people_type_is_no_formula_in_the_csv(sqlite_market: Market) -> None:
    market = sqlite_market
    listed = (SECURITY / "csv_injection_payloads.txt").read_bytes().decode().split("\n")
    payloads = [payload for payload in listed if payload]
    with market.tx() as tx:
        card = statements.accounts.card_by_number(tx, market.number("asha"))
        for payload in payloads:
            ledger.post(
                tx,
                ledger.Draft(
                    request_id=new_request_id(),
                    kind="cash",
                    narration=payload[:200],
                    legs=(ledger.credit_account(card.id, 1), ledger.debit_gl("1000", 1)),
                    branch_id=card.branch_id,
                ),
            )
    raw = statements.statement_csv(market.desks["asha"], market.number("asha"), TODAY, TODAY)
    rows = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
    assert len(rows) == len(payloads) + 3
    for row, payload in zip(rows[2:-1], payloads, strict=True):
        assert row[3] == f"'{payload}"


@pytest.mark.feature("A4.2", "B13")
def test_the_paper_has_letterhead_totals_and_pages(market: Market) -> None:
    three_days(market)
    pdf = statements.statement_pdf(
        market.desks["asha"], market.number("asha"), TODAY + timedelta(days=1), date(2026, 3, 31)
    )
    text = text_of(pdf)
    for said in (
        "Bank in a Browser",
        "Fort, IFSC BANK0000001",
        "1 Fort Road",
        "Statement of account",
        "Asha Rao",
        f"{market.number('asha')}, Savings account, INR",
        "17 Mar 2026 to 31 Mar 2026",
        "Opening balance",
        "150.00 Cr",
        "Cash deposit at Fort, slip 3",
        "Totals of 2 lines, closing balance",
        "200.00 Cr",
        "Verify code",
        "Page 1 of 1",
    ):
        assert said in text, said


def test_a_paper_without_lines_says_so(sqlite_market: Market) -> None:
    pdf = statements.statement_pdf(
        sqlite_market.desks["asha"], sqlite_market.number("asha"), TODAY, TODAY
    )
    assert "Nothing was booked on this account in this period." in text_of(pdf)


def test_the_verify_code_changes_with_the_figures(market: Market) -> None:
    def code(who: str) -> str:
        text = text_of(
            statements.statement_pdf(market.desks[who], market.number(who), TODAY, TODAY)
        )
        return text[text.index("Verify code") :][:31]

    market.deposit("asha", 5_00)
    one = code("asha")
    assert code("asha") == one
    market.deposit("asha", 5_00)
    assert code("asha") != one


@pytest.mark.feature("A4.2", "A13.3")
def test_five_hundred_lines_go_over_pages_with_numbers_and_headings() -> None:
    """How long that takes: the benchmark paper.500_lines."""
    pdf = five_hundred_lines()
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    assert len(pages) > 5
    assert f"Page {len(pages)} of {len(pages)}" in pages[-1].extract_text()
    assert all("Details" in page.extract_text() for page in pages)


def test_too_many_lines_for_one_paper(
    sqlite_market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = sqlite_market
    three_days(market)
    monkeypatch.setattr(statement_lines, "LONGEST_PAPER", 3)
    with pytest.raises(TooManyLines):
        statements.statement_csv(
            market.desks["asha"], market.number("asha"), LONG_AGO, date(2026, 12, 31)
        )
    assert of(market, LONG_AGO, date(2026, 12, 31)).count == 4  # the screen pages through it


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("₹ 5", "INR 5"),
        ("Zoë  Ångström", "Zoë Ångström"),
        ("ā", "a"),
        ("देव", "???"),
        ("a\nb\tc", "a b c"),
        ("‮evil", "?evil"),
    ],
)
def test_the_paper_prints_letters_it_has(text: str, printed: str) -> None:
    assert printable(text) == printed


def test_a_long_word_is_broken_into_its_cell() -> None:
    paper = Paper(Letterhead(branch="B", ifsc="I", address="A"), title="T", note="N")
    paper.table(
        [PaperColumn(title="x", share=1), PaperColumn(title="y", share=1)], [("W" * 300, "")]
    )
    assert text_of(paper.finish()).count("W") == 300
