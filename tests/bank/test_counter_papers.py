"""Exchanges, impounded notes and the drawer report: recorded, printed, refused."""

import io
from typing import Any

import pypdf
import pytest

from bank.accounts.accounts import NoSuchAccountNumber
from bank.book.drafts import RequestReused
from bank.core.errors import BadInput, NotAllowed
from bank.core.ids import new_request_id
from bank.counters import (
    counts,
    drawer_report,
    drawer_views,
    drawers,
    exchanges,
    impounded,
    vault,
)
from bank.counters.drawer_report import NotCountedYet
from bank.counters.drawers import NoOpenDrawer, NoSuchDrawer
from bank.counters.exchanges import NotTheSame
from bank.counters.impounded import (
    AlreadyImpounded,
    NoSuchImpound,
    NotANote,
    SerialNumberMissing,
)
from tests.support.market import Market


def text_of(pdf: bytes) -> str:
    """What is written on a paper."""
    return " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)


def impound(market: Market, **changed: Any) -> impounded.Impounded:
    """Ravi keeps a false note."""
    asked: dict[str, Any] = {
        "note_code": "note-500",
        "serial_number": "4ab 123456",
        "tendered_by": "Kiran Rao",
        "account_number": market.number("asha"),
        "request_id": new_request_id(),
    }
    return impounded.impound(market.cashier, **(asked | changed))


@pytest.mark.feature("B6")
def test_an_exchange_is_recorded_and_books_nothing(market: Market) -> None:
    once = new_request_id()
    asked = ({"note-500": 1}, {"note-100": 4, "note-50": 2}, "Kiran Rao")
    made = exchanges.exchange(market.cashier, *asked, request_id=once)
    assert exchanges.exchange(market.cashier, *asked, request_id=once) == made
    with pytest.raises(RequestReused):
        exchanges.exchange(market.cashier, *asked[:2], "Somebody else", request_id=once)
    [row] = market.rows("SELECT * FROM cash_exchanges")
    assert (row["amount_minor"], row["person"]) == (500_00, "Kiran Rao")
    assert market.rows("SELECT * FROM entries") == []
    own = drawer_views.own_drawer(market.cashier)
    assert own is not None
    assert own.cash_minor == 0


@pytest.mark.parametrize(
    ("comes", "goes", "field"),
    [
        ({"note-500": 1}, {"note-100": 4}, "notes and coins out"),
        ({}, {}, "notes and coins in"),
        ({"note-7": 1}, {}, "notes and coins in"),
        ({"note-500": 1}, {"note-500": -1}, "notes and coins out"),
    ],
)
def test_an_exchange_gives_what_came(
    sqlite_market: Market, comes: Any, goes: Any, field: str
) -> None:
    with pytest.raises(BadInput) as refused:
        exchanges.exchange(sqlite_market.cashier, comes, goes, request_id=new_request_id())
    assert refused.value.field == field
    assert isinstance(refused.value, NotTheSame) == (goes == {"note-100": 4})


@pytest.mark.feature("B6")
def test_an_impounded_note_is_not_credited_and_has_a_paper(market: Market) -> None:
    once = new_request_id()
    kept = impound(market, request_id=once)
    assert impound(market, request_id=once) == kept
    with pytest.raises(RequestReused):
        impound(market, request_id=once, tendered_by="X")
    with pytest.raises(AlreadyImpounded):
        impound(market)
    impound(market, serial_number="4AB123457", account_number="")
    assert market.rows("SELECT * FROM entries") == []
    assert market.balance("asha") == 0
    assert [row.serial_number for row in impounded.register(market.desks["admin"])] == [
        "4AB123457",
        "4AB123456",
    ]
    said = text_of(impounded.print_acknowledgement(market.cashier, kept.id))
    for word in (kept.number, "4AB123456", "Kiran Rao", "INR 500.00", "impounded", "Ravi Kumar"):
        assert word in said
    assert market.number("asha") not in said
    assert impounded.register(market.desks["admin_baner"]) == []
    with pytest.raises(NoSuchImpound):
        impounded.print_acknowledgement(market.desks["meera"], kept.id)


@pytest.mark.parametrize(
    ("changed", "refusal", "field"),
    [
        ({"note_code": "coin-10"}, NotANote, "note"),
        ({"note_code": ""}, NotANote, "note"),
        ({"serial_number": "12"}, SerialNumberMissing, "serial number"),
        ({"serial_number": "4AB-12345"}, SerialNumberMissing, "serial number"),
        ({"tendered_by": " "}, BadInput, "tendered by"),
        ({"account_number": "999999999999"}, NoSuchAccountNumber, "account"),
    ],
)
def test_what_is_missing_of_an_impounded_note_is_named(
    sqlite_market: Market, changed: dict[str, Any], refusal: type[Exception], field: str
) -> None:
    with pytest.raises(refusal) as refused:
        impound(sqlite_market, **changed)
    assert getattr(refused.value, "field", None) == field


@pytest.mark.feature("B6")
def test_neither_without_an_open_drawer(sqlite_market: Market) -> None:
    counts.start_count(sqlite_market.cashier, sqlite_market.drawers["ravi"])
    with pytest.raises(NoOpenDrawer):
        impound(sqlite_market)
    with pytest.raises(NoOpenDrawer):
        exchanges.exchange(
            sqlite_market.cashier,
            {"note-500": 1},
            {"note-500": 1},
            request_id=new_request_id(),
        )


@pytest.mark.feature("B6", "B13")
def test_the_drawer_report_has_the_whole_day_on_it(market: Market) -> None:
    market.fund(note_500=4)
    market.deposit("asha", 700_00, slip="A17")
    drawer_id, admin = market.drawers["ravi"], market.desks["admin"]
    for desk in (market.cashier, admin):
        with pytest.raises(NotCountedYet):
            drawer_report.print_report(desk, drawer_id)
    counts.start_count(market.cashier, drawer_id)
    with pytest.raises(NotCountedYet):  # it would say what should be there
        drawer_report.print_report(market.cashier, drawer_id)
    counts.enter_count(market.cashier, drawer_id, {"note-500": 5})
    counts.settle_difference(market.supervisor, drawer_id, "Not found", request_id=new_request_id())
    vault.close_drawer(admin, drawer_id)
    said = text_of(drawer_report.print_report(market.cashier, drawer_id))
    for word in (
        f"Drawer report {drawer_id}, 16 Mar 2026",
        "Ravi Kumar",
        "Arun Nair",
        "A17",
        "INR 2,700.00",
        "INR 2,500.00",
        "Short INR 200.00",
        "Not found",
        "INR 500 note",
        "Fort, IFSC BANK0000001",
    ):
        assert word in said
    assert text_of(drawer_report.print_report(admin, drawer_id)) == said
    for stranger in ("gita", "meera", "admin_baner"):
        with pytest.raises(NoSuchDrawer):
            drawer_report.print_report(market.desks[stranger], drawer_id)
    with pytest.raises(NotAllowed):
        drawer_report.print_report(market.desks["asha"], drawer_id)


@pytest.mark.feature("B6")
def test_the_branch_sees_where_its_cash_lies(market: Market) -> None:
    market.remit(note_500=10)
    market.fund(note_500=4)
    market.deposit("asha", 700_00)
    seen = drawer_views.branch_cash(market.desks["admin"])
    assert (seen.vault_minor, seen.drawers_minor, seen.book_minor) == (5_000_00, 2_700_00, 7_700_00)
    assert seen.agrees
    assert [(card.cashier, card.cash_minor) for card in seen.open_drawers] == [
        ("Ravi Kumar", 2_700_00)
    ]
    fort = market.branch_ids["BANK0000001"]
    assert drawer_views.branch_cash(market.desks["auditor"], fort) == seen
    with pytest.raises(BadInput):
        drawer_views.branch_cash(market.desks["auditor"])
    other = drawer_views.branch_cash(market.desks["admin_baner"], fort)
    assert other.branch == "Baner", "another branch's number is no way in"
    counts.start_count(market.cashier, market.drawers["ravi"])
    own = drawer_views.own_drawer(market.cashier)
    assert own is not None
    assert (own.cash_minor, own.in_minor, own.out_minor, own.expected_minor) == (None, 0, 0, None)
    [card] = drawer_views.branch_cash(market.desks["admin"]).drawers
    assert (card.cash_minor, card.expected_minor) == (None, None)


def test_a_declined_request_says_why(market: Market) -> None:
    assert drawer_views.last_refusal(market.desks["gita"]) == ""
    asked = drawers.ask_for_drawer(market.desks["gita"], {}, request_id=new_request_id())
    vault.decline_opening(market.desks["admin"], asked, "Two counters are enough today")
    assert drawer_views.last_refusal(market.desks["gita"]) == "Two counters are enough today"
    assert drawer_views.own_drawer(market.desks["gita"]) is None


@pytest.mark.feature("B6")
def test_the_registers_say_who_accepted_what(market: Market) -> None:
    market.fund(note_500=4)
    drawer_id, admin = market.drawers["ravi"], market.desks["admin"]
    counts.surprise_count(admin, drawer_id, {"note-500": 4}, "at eleven")
    counts.start_count(market.cashier, drawer_id)
    counts.enter_count(market.cashier, drawer_id, {"note-500": 3})
    counts.settle_difference(market.supervisor, drawer_id, "Not found", request_id=new_request_id())
    [row] = drawer_views.over_and_short(admin)
    assert (row.cashier, row.difference_minor, row.reason) == ("Ravi Kumar", -500_00, "Not found")
    assert row.settled_by == "Bina Mehta"
    [found] = drawer_views.surprise_counts(admin)
    assert (found.difference_minor, found.note) == (0, "at eleven")
    assert drawer_views.over_and_short(market.desks["admin_baner"]) == []
    assert drawer_views.surprise_counts(market.desks["admin_baner"]) == []
