"""The vault in the hands of two: chest, count, a drawer whose cashier is away; counted in menus
and live on the page.
"""

import io
from collections.abc import Callable, Sequence
from itertools import count
from types import SimpleNamespace

import pypdf
import pytest

from bank.core.desk import Desk
from bank.core.ids import new_request_id
from bank.core.permissions import Permission
from bank.counters import (
    absences,
    drawers,
    handovers,
    remittances,
    vault,
    vault_counts,
    vault_views,
)
from bank.counters.drawers import Absence
from bank.counters.remittances import Way
from pages.parts import counts as menu_counts
from pages.parts import vault_waiting
from tests.pages.test_cashier_drawer import VAULT, close, count_in, errors, plain, press
from tests.support.apptest import Pages
from tests.support.market import Market

pytestmark = pytest.mark.feature("B6")
ILL = "went home ill"


@pytest.fixture
def market(sqlite_market: Market) -> Market:
    """Pages draw the same on either database."""
    return sqlite_market


def printed(pages: Pages) -> str:
    """The newest paper among the files that were offered; lists can be downloaded as well."""
    *_, paper = [each for each in pages.papers() if each.startswith(b"%PDF")]
    return pypdf.PdfReader(io.BytesIO(paper)).pages[0].extract_text()


def labels(page: object) -> list[str]:
    """The words on every button."""
    return [each.label for each in page.button]  # type: ignore[attr-defined]


def test_cash_of_the_chest_is_asked_for_by_one_and_confirmed_by_another(
    pages: Pages, market: Market
) -> None:
    page = pages.open(market.desks["admin"], VAULT)
    count_in(page, "vault_remit", note_500=20)
    press(page, "Preview")
    assert errors(page) == ["**Paper of the currency chest:** This may not be empty."]
    assert page.number_input("vault_remit_note-500").value == 20, "what was typed stays"
    page.text_input("vault_remit_reference").set_value("CC 17")
    press(page, "Preview")
    said = plain(page)
    for word in ("Ten thousand", "1000 Cash in hand, Fort", "₹ 0.00", "CC 17"):
        assert word.lower() in said.lower()
    press(page, "Ask for ₹ 10,000.00 to be confirmed")
    assert "waits for a second person" in plain(page)
    assert "Vault ₹ 0.00" in plain(page)
    assert "Confirm ₹ 10,000.00" not in labels(page), "not by who asked"
    second = pages.open(market.custodian, VAULT)
    assert "Debit" in plain(second)
    press(second, "Confirm ₹ 10,000.00")
    said = plain(second)
    assert "Vault ₹ 10,000.00" in said
    assert "₹ 10,000.00 booked" in said
    [card] = market.rows("SELECT entry_id FROM remittances")
    assert f"-{card['entry_id']}" in "".join(each.value for each in second.code)
    text = printed(pages)
    assert "CC 17" in text
    assert "Bina Mehta" in text
    page = pages.open(market.desks["admin"], VAULT)
    assert "Nothing waits" in plain(page)


def test_a_remittance_is_declined_or_withdrawn(pages: Pages, market: Market) -> None:
    admin, pieces = market.desks["admin"], {"note-500": 1}
    for paper in ("CC 1", "CC 2"):
        remittances.ask_to_remit(admin, Way.FROM_CHEST, pieces, paper, request_id=new_request_id())
    page = pages.open(admin, VAULT)
    press(page, "Withdraw remittance 2")
    second = pages.open(market.supervisor, VAULT)
    press(second, "Decline")
    assert errors(second) == ["**Reason:** This may not be empty."]
    [why] = [box for box in second.text_input if box.label == "Reason, if you decline"]
    why.set_value("The van did not come")
    press(second, "Decline")
    assert "Nothing waits" in plain(second)
    assert "The van did not come" in plain(second), "it stands in the register"
    assert market.rows("SELECT id FROM cash_moves WHERE kind = 'remitted'") == []


def test_the_drawer_of_who_is_not_there_is_closed_from_the_vault(
    pages: Pages, market: Market
) -> None:
    market.fund(note_500=4)
    market.deposit("asha", 100_00)
    drawer_id = market.drawers["ravi"]
    page = pages.open(market.supervisor, VAULT)
    page.session_state["vault_drawers_chosen"] = str(drawer_id)
    page.run()
    assert "Drawers ₹ 2,100.00" in plain(page)
    press(page, "Stop this drawer")
    assert errors(page) == ["**What happened:** This may not be empty."]
    page.text_input(f"vault_left_{drawer_id}_said").set_value(ILL)
    press(page, "Stop this drawer")
    said = plain(page)
    assert "Count the drawer of Ravi Kumar" in said
    assert "2,100" not in said, "nothing says what should be there"
    assert "Drawers Being counted" in said
    count_in(page, f"vault_left_count_{drawer_id}", note_500=3)
    press(page, "Enter this count")
    said = plain(page)
    assert "Short ₹ 600.00" in said
    assert "another custodian confirms it" in said
    assert "Confirm, take the cash and close" not in labels(page)
    cashier = pages.open(market.cashier, "cashier/drawer.py")
    assert f"was counted in your absence: {ILL}" in plain(cashier)
    custodian = pages.open(market.desks["admin"], VAULT)
    assert f"Ravi Kumar, not at work: {ILL}" in plain(custodian)
    press(custodian, "Confirm, take the cash and close")
    assert errors(custodian) == ["**Reason:** This may not be empty."]
    custodian.text_input(f"vault_left_{drawer_id}_reason").set_value("Counted twice")
    press(custodian, "Confirm, take the cash and close")
    said = plain(custodian)
    assert "Vault ₹ 1,500.00" in said
    assert "Counted twice" in said
    custodian.session_state["vault_drawers_chosen"] = str(drawer_id)
    custodian.run()
    text = printed(pages)
    assert "in the absence of Ravi Kumar" in text.replace("\n", " ")


def test_two_count_the_vault_before_the_day_is_closed(pages: Pages, market: Market) -> None:
    market.remit(note_500=3)
    close(market)
    page = pages.open(market.desks["admin"], VAULT)
    assert "The vault was not counted today: two count it." in plain(page)
    press(page, "Start counting")
    assert "The figures are hidden while you count the vault" in plain(page)
    assert "Vault ₹" not in plain(page)
    count_in(page, "vault_count", note_500=3)
    press(page, "Enter this count")
    assert "The vault is counted. It balances." in plain(page)
    assert "Confirm this count" not in labels(page), "not by who counted"
    second = pages.open(market.supervisor, VAULT)
    press(second, "Confirm this count")
    page = pages.open(market.desks["admin"], VAULT)
    press(page, "Close the day")
    assert "The day is closed: Arun Nair" in plain(page)


def test_a_vault_that_is_short_wants_a_reason_of_the_second(pages: Pages, market: Market) -> None:
    market.remit(note_500=3)
    vault_counts.count_vault(market.desks["admin"], {"note-500": 2})
    page = pages.open(market.custodian, VAULT)
    assert "Short ₹ 500.00: ₹ 1,500.00 should be there" in plain(page)
    press(page, "Confirm this count")
    assert errors(page) == ["**Reason:** This may not be empty."]
    [reason] = [box for box in page.text_input if box.label == "Reason"]
    reason.set_value("Not found after two counts")
    press(page, "Confirm this count")
    assert "Vault ₹ 1,000.00" in plain(page)


def meanwhile(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Somebody acts after the list of what waits was drawn, before the page looks again."""
    looks = count()

    def look(desk: Desk) -> Sequence[str]:
        if next(looks) == 1:
            act()
        return vault_views.waiting_for_me(desk)

    monkeypatch.setattr(vault_waiting, "vault_views", SimpleNamespace(waiting_for_me=look))


def test_what_comes_in_is_told_without_moving_what_is_there(
    pages: Pages, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    close(market)
    drawers.ask_for_drawer(market.cashier, {}, request_id=new_request_id())
    gita = market.desks["gita"]
    meanwhile(monkeypatch, lambda: drawers.ask_for_drawer(gita, {}, request_id=new_request_id()))
    page = pages.open(market.desks["admin"], VAULT)
    assert "1 case more since this list was drawn." in plain(page)
    assert plain(page).count("asks for a drawer") == 1
    press(page, "Show the new list")
    assert plain(page).count("asks for a drawer") == 2
    assert "since this list was drawn" not in plain(page)


def test_an_empty_list_fills_by_itself_and_what_is_done_is_told(
    pages: Pages, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    close(market)
    asked: list[int] = []

    def ask() -> None:
        asked.append(drawers.ask_for_drawer(market.cashier, {}, request_id=new_request_id()))

    meanwhile(monkeypatch, ask)
    page = pages.open(market.desks["admin"], VAULT)
    assert plain(page).count("asks for a drawer") == 1, "without a click"
    meanwhile(monkeypatch, lambda: vault.decline_opening(market.custodian, asked[0], "Not today"))
    page.run()
    assert "1 done since this list was drawn." in plain(page)


def test_what_waits_is_counted_for_who_may_do_it(market: Market) -> None:
    admin, custodian, supervisor = market.desks["admin"], market.custodian, market.supervisor

    def waits() -> tuple[int, int, int]:
        file = "admin/vault.py"
        needs, count = menu_counts.WAITING[file]
        assert needs is Permission.VAULT_WITNESS
        return count(admin), count(custodian), count(supervisor)

    assert waits() == (0, 0, 0)
    market.fund(note_500=4)
    wanted = handovers.ask_for_cash(
        market.cashier, market.drawers["ravi"], {"note-500": 1}, request_id=new_request_id()
    )
    assert waits() == (1, 1, 0), "cash is the custodians'"
    handovers.decline_handover(admin, wanted, "Later")
    drawers.ask_for_drawer(market.desks["gita"], {}, request_id=new_request_id())
    assert waits() == (1, 1, 0)
    remittances.ask_to_remit(
        admin, Way.FROM_CHEST, {"note-500": 1}, "CC 1", request_id=new_request_id()
    )
    assert waits() == (1, 2, 1), "one's own is not to be confirmed by oneself"
    vault_counts.count_vault(custodian, {})
    assert waits() == (2, 2, 1), "Bina counted it herself"
    absences.stop_for(supervisor, market.drawers["ravi"], Absence.ABSENT, ILL)
    absences.count_for(supervisor, market.drawers["ravi"], {"note-500": 4})
    assert waits() == (3, 2, 1)
    assert menu_counts.WAITING["admin/vault.py"][1](market.desks["admin_baner"]) == 0
