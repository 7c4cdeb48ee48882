"""Vault and drawers: opening, handovers, the count, the close; who may do what, and who may not."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from bank.book import chart, ledger
from bank.book.journal import reverse_entry
from bank.core.desk import looking
from bank.core.errors import BadInput, NotAllowed, WrongState
from bank.core.ids import new_request_id
from bank.core.permissions import Role
from bank.counters import cash, counts, drawer_cash, drawers, handovers, vault
from bank.counters.counts import HandoverWaits, NothingToSettle
from bank.counters.drawer_cash import DrawerBeingCounted, DrawerTooLow, VaultTooLow
from bank.counters.drawers import (
    HOLDS_CASH,
    Drawer,
    DrawerNotClosed,
    DrawerStatus,
    NoOpenDrawer,
    NoSuchDrawer,
    OwnDrawer,
)
from bank.counters.handovers import DrawerNotOpen, NoSuchHandover, NothingCounted
from bank.counters.tallies import PiecesNotWhole, UnknownDenomination
from bank.counters.vault import CashierHasLeft, DifferenceNotSettled, RequestOfAnotherDay
from bank.people.identity import User, UserStatus
from tests.support.bank import NOON, move_clock
from tests.support.market import BANER, FORT, Market, pay_in


def status_of(market: Market, drawer_id: int) -> str:
    """Where a drawer stands."""
    [row] = market.rows(f"SELECT status FROM drawers WHERE id = {drawer_id}")
    return str(row["status"])


def places(market: Market, branch: str = FORT) -> tuple[int, int, int]:
    """What lies in the vault, in all drawers together, and what the book says of both."""
    branch_id = market.branch_ids[branch]
    with looking(market.desks["auditor"]) as tx:
        held = select(Drawer.id).where(Drawer.branch_id == branch_id, Drawer.status.in_(HOLDS_CASH))
        ids = tx.session.scalars(held).all()
        in_drawers = sum(drawer_cash.in_drawer(tx, drawer_id) for drawer_id in ids)
        return (
            drawer_cash.in_vault(tx, branch_id),
            in_drawers,
            drawer_cash.in_book(tx, branch_id),
        )


def counted(market: Market, **pieces: int) -> counts.Counted:
    """Ravi stops his drawer and counts it."""
    drawer_id = market.drawers["ravi"]
    counts.start_count(market.cashier, drawer_id)
    found = {code.replace("_", "-"): count for code, count in pieces.items()}
    return counts.enter_count(market.cashier, drawer_id, found)


def closed(market: Market, **pieces: int) -> None:
    """The same, and it balances, and the custodian takes the cash back."""
    assert counted(market, **pieces).difference_minor == 0
    vault.close_drawer(market.desks["admin"], market.drawers["ravi"])


def withdraw(market: Market, amount_minor: int, **named: Any) -> Any:
    """Ravi pays Asha."""
    request_id = named.pop("request_id", new_request_id())
    slip = named.pop("slip", request_id[:8].upper())
    number = market.number("asha")
    return cash.withdraw(market.cashier, number, amount_minor, slip, request_id=request_id, **named)


@pytest.mark.feature("B6")
def test_a_day_from_the_vault_to_the_vault(market: Market) -> None:
    market.remit(note_500=20, note_100=50)
    assert places(market) == (15_000_00, 0, 15_000_00)
    market.fund(note_500=4)
    assert places(market) == (15_000_00, 2_000_00, 17_000_00)
    market.deposit("asha", 700_00)
    withdraw(market, 200_00)
    assert places(market) == (15_000_00, 2_500_00, 17_500_00)
    drawer_id = market.drawers["ravi"]
    offered = handovers.offer_cash(
        market.cashier, drawer_id, {"note-500": 2}, request_id=new_request_id()
    )
    assert places(market) == (15_000_00, 2_500_00, 17_500_00), "nothing moves before it is taken"
    handovers.confirm_handover(market.desks["admin"], offered)
    assert places(market) == (16_000_00, 1_500_00, 17_500_00)
    closed(market, note_500=3)
    assert status_of(market, drawer_id) == DrawerStatus.CLOSED
    assert places(market) == (17_500_00, 0, 17_500_00)
    assert (
        market.rows(f"SELECT * FROM drawers WHERE id = {drawer_id}")[0]["over_short_entry_id"]
        is None
    )


@pytest.mark.feature("B6")
def test_the_opening_is_counted_and_handed_over_by_somebody_else(market: Market) -> None:
    closed(market)
    market.remit(note_500=10)
    drawer_id = drawers.ask_for_drawer(
        market.cashier, {"note-500": 3, "note-100": 0}, request_id=new_request_id()
    )
    assert status_of(market, drawer_id) == DrawerStatus.REQUESTED
    with pytest.raises(NoOpenDrawer):
        market.deposit("asha", 1_00)
    vault.confirm_opening(market.desks["admin"], drawer_id)
    assert places(market) == (3_500_00, 1_500_00, 5_000_00)
    [row] = market.rows(f"SELECT * FROM drawers WHERE id = {drawer_id}")
    assert row["opened_by"] == market.desks["admin"].user_id
    lines = market.rows(
        "SELECT d.code, l.pieces FROM tally_lines l JOIN denominations d ON d.id ="
        f" l.denomination_id WHERE l.tally_id = {row['opening_tally_id']}"
    )
    assert lines == [{"code": "note-500", "pieces": 3}]


@pytest.mark.feature("B6")
@pytest.mark.parametrize("verb", ["deposit", "withdraw", "preview"])
def test_no_cash_verb_without_an_open_drawer(market: Market, verb: str) -> None:
    """Not without one, not with one that is being counted, not with yesterday's."""
    pay_in(market, "asha", 500_00)
    tries: dict[str, Callable[[], object]] = {
        "deposit": lambda: market.deposit("asha", 1_00),
        "withdraw": lambda: withdraw(market, 1_00),
        "preview": lambda: cash.preview_cash(
            market.cashier, "cash_deposit", market.number("asha"), 1_00, "9"
        ),
    }
    attempt = tries[verb]
    counts.start_count(market.cashier, market.drawers["ravi"])
    with pytest.raises(NoOpenDrawer, match="Open one under My drawer"):
        attempt()
    counts.enter_count(market.cashier, market.drawers["ravi"], {})
    with pytest.raises(NoOpenDrawer):
        attempt()
    vault.close_drawer(market.desks["admin"], market.drawers["ravi"])
    with pytest.raises(NoOpenDrawer):
        attempt()
    market.open_drawer()
    move_clock(market.bank, NOON + timedelta(days=1))
    with pytest.raises(NoOpenDrawer):
        attempt()
    assert market.rows("SELECT * FROM cash_slips") == []


@pytest.mark.feature("B6", "B2")
def test_a_replay_is_answered_although_the_drawer_was_closed_meanwhile(market: Market) -> None:
    once = new_request_id()
    first = market.deposit("asha", 500_00, request_id=once, slip="1")
    closed(market, note_500=1)
    assert market.deposit("asha", 500_00, request_id=once, slip="1") == first
    with pytest.raises(NoOpenDrawer):
        market.deposit("asha", 500_00, slip="2")


@pytest.mark.feature("B6")
def test_a_withdrawal_stops_at_what_lies_in_the_drawer(market: Market) -> None:
    pay_in(market, "asha", 5_000_00)
    market.deposit("asha", 300_00)
    with pytest.raises(DrawerTooLow, match=r"Your drawer holds ₹ 300\.00"):
        withdraw(market, 300_50)
    with pytest.raises(DrawerTooLow):
        cash.preview_cash(market.cashier, "cash_withdrawal", market.number("asha"), 300_50, "9")
    withdraw(market, 300_00)
    assert places(market)[1] == 0


@pytest.mark.feature("B6")
def test_a_full_drawer_is_warned_of(sqlite_market: Market) -> None:
    def ahead(amount_minor: int) -> cash.CashPreview:
        number = sqlite_market.number("asha")
        return cash.preview_cash(sqlite_market.cashier, "cash_deposit", number, amount_minor, "9")

    assert not ahead(5_00_000_00).is_drawer_too_full
    assert ahead(5_00_000_50).is_drawer_too_full
    sqlite_market.deposit("asha", 4_00_000_00)
    assert ahead(1_00_000_50).is_drawer_too_full
    sqlite_market.deposit("asha", 1_00_000_50)  # a warning stops nobody


@pytest.mark.feature("B6")
def test_short_by_500_is_booked_with_a_reason_by_a_supervisor(market: Market) -> None:
    market.fund(note_500=4)
    found = counted(market, note_500=3)
    assert (found.counted_minor, found.expected_minor) == (1_500_00, 2_000_00)
    assert found.difference_minor == -500_00
    admin, drawer_id = market.desks["admin"], market.drawers["ravi"]
    with pytest.raises(DifferenceNotSettled):
        vault.close_drawer(admin, drawer_id)
    entry_id = counts.settle_difference(
        market.supervisor, drawer_id, "Not found after two counts", request_id=new_request_id()
    )
    lines = market.rows(
        "SELECT g.code, p.amount_minor FROM postings p JOIN gl_accounts g"
        f" ON g.id = p.gl_account_id WHERE p.entry_id = {entry_id} ORDER BY p.leg"
    )
    assert [(line["code"], line["amount_minor"]) for line in lines] == [
        (chart.CASH, 500_00),
        (chart.CASH_SHORT, -500_00),
    ]
    [entry] = market.rows(f"SELECT narration FROM entries WHERE id = {entry_id}")
    assert entry["narration"] == (
        f"Cash short ₹ 500.00, drawer {drawer_id} of Ravi Kumar, 16 Mar 2026: "
        "Not found after two counts"
    )
    vault.close_drawer(admin, drawer_id)
    [row] = market.rows(f"SELECT * FROM drawers WHERE id = {drawer_id}")
    assert (row["settled_by"], row["closed_by"]) == (market.supervisor.user_id, admin.user_id)
    assert row["over_short_entry_id"] == entry_id
    assert places(market) == (1_500_00, 0, 1_500_00)


@pytest.mark.feature("B6")
def test_over_is_owed_to_somebody_unknown(market: Market) -> None:
    market.deposit("asha", 100_00)
    assert counted(market, note_200=1).difference_minor == 100_00
    admin, drawer_id = market.desks["admin"], market.drawers["ravi"]
    once = new_request_id()
    entry_id = counts.settle_difference(
        market.supervisor, drawer_id, "Nobody came back", request_id=once
    )
    assert entry_id == counts.settle_difference(
        market.supervisor, drawer_id, "Nobody came back", request_id=once
    ), "the second click books nothing"
    with pytest.raises(NothingToSettle):
        counts.settle_difference(
            market.supervisor, drawer_id, "Nobody came back", request_id=new_request_id()
        )
    total = market.rows(
        "SELECT SUM(p.amount_minor) AS owed FROM postings p JOIN gl_accounts g"
        f" ON g.id = p.gl_account_id WHERE g.code = '{chart.CASH_OVER}'"
    )
    assert int(total[0]["owed"]) == 100_00
    vault.close_drawer(admin, drawer_id)
    assert places(market) == (200_00, 0, 200_00)


@pytest.mark.feature("B6")
def test_the_expected_figure_is_nowhere_before_the_count_is_entered(market: Market) -> None:
    market.fund(note_500=4)
    drawer_id = market.drawers["ravi"]
    counts.start_count(market.cashier, drawer_id)
    [row] = market.rows(f"SELECT counted_minor, expected_minor FROM drawers WHERE id = {drawer_id}")
    assert row == {"counted_minor": None, "expected_minor": None}
    with pytest.raises(PiecesNotWhole):
        counts.enter_count(market.cashier, drawer_id, {"note-500": -1})
    assert status_of(market, drawer_id) == DrawerStatus.COUNTING
    details = "SELECT details FROM trail WHERE verb = 'counters.counts.enter_count'"
    assert all("200000" not in row["details"] for row in market.rows(details))
    found = counts.enter_count(market.cashier, drawer_id, {"note-500": 4})
    assert found.difference_minor == 0
    with pytest.raises(DrawerNotOpen):
        counts.enter_count(market.cashier, drawer_id, {"note-500": 5})


@pytest.mark.feature("B6")
def test_a_counted_drawer_goes_back_to_work_only_by_a_supervisor(market: Market) -> None:
    market.fund(note_500=4)
    drawer_id, admin = market.drawers["ravi"], market.desks["admin"]
    counts.start_count(market.cashier, drawer_id)
    counts.stop_count(market.cashier, drawer_id)
    assert status_of(market, drawer_id) == DrawerStatus.OPEN
    counted(market, note_500=3)
    with pytest.raises(WrongState):
        counts.stop_count(market.cashier, drawer_id)
    with pytest.raises(BadInput):
        counts.send_back(admin, drawer_id, " ")
    counts.send_back(admin, drawer_id, "Slip 17 was booked twice")
    market.deposit("asha", 1_00)
    counted(market, note_500=4, coin_1=1)
    vault.close_drawer(admin, drawer_id)
    kept = market.rows(f"SELECT counted_minor FROM drawer_counts WHERE drawer_id = {drawer_id}")
    assert [row["counted_minor"] for row in kept] == [1_500_00, 2_001_00]


def test_a_settled_difference_is_not_sent_back(market: Market) -> None:
    market.fund(note_500=1)
    counted(market)
    admin, drawer_id = market.desks["admin"], market.drawers["ravi"]
    counts.settle_difference(market.supervisor, drawer_id, "Gone", request_id=new_request_id())
    with pytest.raises(NothingToSettle, match="booked already"):
        counts.send_back(admin, drawer_id, "Look again")


@pytest.mark.feature("B6")
def test_a_surprise_count_finds_and_books_nothing(market: Market) -> None:
    market.fund(note_500=4)
    admin, drawer_id = market.desks["admin"], market.drawers["ravi"]
    found = counts.surprise_count(admin, drawer_id, {"note-500": 3}, "10:40, without warning")
    assert found.difference_minor == -500_00
    assert status_of(market, drawer_id) == DrawerStatus.OPEN
    [kept] = market.rows("SELECT * FROM drawer_counts")
    assert (kept["kind"], kept["counted_by"]) == ("surprise", admin.user_id)
    assert places(market) == (0, 2_000_00, 2_000_00)
    market.deposit("asha", 1_00)
    counted(market)
    with pytest.raises(DrawerNotOpen):
        counts.surprise_count(admin, drawer_id, {})


@pytest.mark.feature("B6", "A13.1")
def test_the_vault_gives_only_what_it_holds(market: Market) -> None:
    closed(market)
    market.remit(note_500=2)
    admin = market.desks["admin"]
    asked = drawers.ask_for_drawer(market.cashier, {"note-500": 3}, request_id=new_request_id())
    with pytest.raises(VaultTooLow, match=r"The vault holds ₹ 1,000\.00"):
        vault.confirm_opening(admin, asked)
    assert status_of(market, asked) == DrawerStatus.REQUESTED
    vault.decline_opening(admin, asked, "The chest comes at eleven")
    market.open_drawer()
    wanted = handovers.ask_for_cash(
        market.cashier, market.drawers["ravi"], {"note-500": 3}, request_id=new_request_id()
    )
    with pytest.raises(VaultTooLow):
        handovers.confirm_handover(admin, wanted)
    with pytest.raises(VaultTooLow):
        market.remit(incoming=False, note_500=3)
    assert places(market) == (1_000_00, 0, 1_000_00)


@pytest.mark.feature("B6")
def test_a_drawer_returns_only_what_it_holds(market: Market) -> None:
    market.fund(note_500=2)
    desk, drawer_id = market.cashier, market.drawers["ravi"]
    with pytest.raises(DrawerTooLow):
        handovers.offer_cash(desk, drawer_id, {"note-500": 3}, request_id=new_request_id())
    offered = handovers.offer_cash(desk, drawer_id, {"note-500": 2}, request_id=new_request_id())
    pay_in(market, "asha", 1_000_00)
    withdraw(market, 500_00)
    with pytest.raises(DrawerTooLow):
        handovers.confirm_handover(market.desks["admin"], offered)
    with pytest.raises(NothingCounted):
        handovers.offer_cash(desk, drawer_id, {}, request_id=new_request_id())


@pytest.mark.feature("B6", "B2")
def test_the_second_click_asks_once(market: Market) -> None:
    closed(market)
    once = new_request_id()
    asked = drawers.ask_for_drawer(market.cashier, {"note-100": 1}, request_id=once)
    assert drawers.ask_for_drawer(market.cashier, {"note-100": 1}, request_id=once) == asked
    with pytest.raises(ledger.RequestReused):
        drawers.ask_for_drawer(market.cashier, {"note-100": 2}, request_id=once)
    with pytest.raises(DrawerNotClosed):
        drawers.ask_for_drawer(market.cashier, {"note-100": 1}, request_id=new_request_id())
    drawers.withdraw_request(market.cashier, asked)
    assert status_of(market, asked) == DrawerStatus.WITHDRAWN
    drawer_id = market.open_drawer()
    wanted = handovers.ask_for_cash(market.cashier, drawer_id, {"note-100": 1}, request_id=once)
    assert wanted == handovers.ask_for_cash(
        market.cashier, drawer_id, {"note-100": 1}, request_id=once
    )
    with pytest.raises(ledger.RequestReused):
        handovers.offer_cash(market.cashier, drawer_id, {"note-100": 1}, request_id=once)
    market.remit(note_100=1)
    assert places(market)[0] == 100_00
    handovers.confirm_handover(market.desks["admin"], wanted)
    with pytest.raises(WrongState):
        handovers.confirm_handover(market.desks["admin"], wanted)
    assert places(market)[:2] == (0, 100_00)


@pytest.mark.feature("B6")
def test_yesterdays_drawer_is_closed_before_there_is_another(market: Market) -> None:
    move_clock(market.bank, NOON + timedelta(days=1))
    with pytest.raises(DrawerNotClosed, match="of 16 Mar 2026 is not closed"):
        drawers.ask_for_drawer(market.cashier, {}, request_id=new_request_id())
    closed(market)
    market.open_drawer()
    market.deposit("asha", 1_00)


def test_a_request_of_yesterday_is_not_handed_over(market: Market) -> None:
    closed(market)
    asked = drawers.ask_for_drawer(market.cashier, {}, request_id=new_request_id())
    move_clock(market.bank, NOON + timedelta(days=1))
    with pytest.raises(RequestOfAnotherDay):
        vault.confirm_opening(market.desks["admin"], asked)
    with pytest.raises(DrawerNotClosed, match="Withdraw it"):
        drawers.ask_for_drawer(market.cashier, {}, request_id=new_request_id())


@pytest.mark.feature("B6")
@pytest.mark.parametrize(
    "change", [{"status": UserStatus.REMOVED}, {"branch_id": 2}, {"role": Role.BANKER}],
    ids=["removed", "moved", "another role"],
)  # fmt: skip
def test_a_drawer_is_not_handed_to_who_takes_no_cash_here_any_more(
    market: Market, change: dict[str, object]
) -> None:
    closed(market)
    asked = drawers.ask_for_drawer(market.cashier, {}, request_id=new_request_id())
    before = places(market)
    with market.tx() as tx:
        user = tx.session.get_one(User, market.cashier.user_id)
        for name, value in change.items():
            setattr(user, name, value)
    with pytest.raises(CashierHasLeft):
        vault.confirm_opening(market.desks["admin"], asked)
    assert places(market) == before
    vault.decline_opening(market.desks["admin"], asked, "no longer at this counter")


@pytest.mark.feature("B6")
def test_a_drawer_of_another_branch_is_not_ones_own(market: Market) -> None:
    moved = replace(market.cashier, branch_id=market.branch_ids[BANER])
    with pytest.raises(NoOpenDrawer):
        market.deposit("asha", 1_00, desk=moved)


def test_a_drawer_is_not_counted_while_a_request_waits(market: Market) -> None:
    market.remit(note_500=1)
    desk, drawer_id = market.cashier, market.drawers["ravi"]
    wanted = handovers.ask_for_cash(desk, drawer_id, {"note-500": 1}, request_id=new_request_id())
    with pytest.raises(HandoverWaits):
        counts.start_count(desk, drawer_id)
    handovers.withdraw_handover(desk, wanted)
    counts.start_count(desk, drawer_id)
    with pytest.raises(DrawerNotOpen):
        handovers.ask_for_cash(desk, drawer_id, {"note-500": 1}, request_id=new_request_id())


@pytest.mark.feature("B6", "B8")
@pytest.mark.parametrize("who", ["admin_baner", "meera"])
def test_another_branchs_drawers_are_not_there(market: Market, who: str) -> None:
    market.remit(note_500=1)
    drawer_id = market.drawers["ravi"]
    wanted = handovers.ask_for_cash(
        market.cashier, drawer_id, {"note-500": 1}, request_id=new_request_id()
    )
    stranger = market.desks[who]
    tries: list[Callable[[], object]] = (
        [
            lambda: vault.confirm_opening(stranger, drawer_id),
            lambda: vault.decline_opening(stranger, drawer_id, "no"),
            lambda: vault.close_drawer(stranger, drawer_id),
            lambda: counts.settle_difference(stranger, drawer_id, "x", request_id="r"),
            lambda: counts.surprise_count(stranger, drawer_id, {}),
            lambda: counts.send_back(stranger, drawer_id, "x"),
        ]
        if who == "admin_baner"
        else [
            lambda: drawers.withdraw_request(stranger, drawer_id),
            lambda: counts.start_count(stranger, drawer_id),
            lambda: counts.stop_count(stranger, drawer_id),
            lambda: counts.enter_count(stranger, drawer_id, {}),
            lambda: handovers.ask_for_cash(stranger, drawer_id, {}, request_id="r"),
            lambda: handovers.offer_cash(stranger, drawer_id, {}, request_id="r"),
        ]
    )
    for attempt in tries:
        with pytest.raises(NoSuchDrawer):
            attempt()
    decided: list[Callable[[], object]] = (
        [
            lambda: handovers.confirm_handover(stranger, wanted),
            lambda: handovers.decline_handover(stranger, wanted, "no"),
        ]
        if who == "admin_baner"
        else [lambda: handovers.withdraw_handover(stranger, wanted)]
    )
    for attempt in decided:
        with pytest.raises(NoSuchHandover):
            attempt()


@pytest.mark.feature("B6", "A13.2")
def test_nobody_is_the_second_person_of_his_own_drawer(market: Market) -> None:
    """A cashier who is given the custodian's rights one day is still refused for himself."""
    market.remit(note_500=1)
    himself = replace(market.cashier, role=Role.BRANCH_ADMIN)
    drawer_id = market.drawers["ravi"]
    wanted = handovers.ask_for_cash(
        market.cashier, drawer_id, {"note-500": 1}, request_id=new_request_id()
    )
    for attempt in (
        lambda: vault.confirm_opening(himself, drawer_id),
        lambda: vault.close_drawer(himself, drawer_id),
        lambda: counts.settle_difference(himself, drawer_id, "x", request_id="r"),
        lambda: counts.surprise_count(himself, drawer_id, {}),
        lambda: counts.send_back(himself, drawer_id, "x"),
        lambda: handovers.confirm_handover(himself, wanted),
        lambda: handovers.decline_handover(himself, wanted, "x"),
    ):
        with pytest.raises(OwnDrawer):
            attempt()


@pytest.mark.feature("B6")
@pytest.mark.parametrize("who", ["asha", "banker", "auditor", "ravi"])
def test_only_a_custodian_or_supervisor_is_the_second_person(market: Market, who: str) -> None:
    desk, drawer_id = market.desks[who], market.drawers["meera"]
    for attempt in (
        lambda: vault.confirm_opening(desk, drawer_id),
        lambda: vault.close_drawer(desk, drawer_id),
        lambda: counts.settle_difference(desk, drawer_id, "x", request_id="r"),
        lambda: counts.surprise_count(desk, drawer_id, {}),
    ):
        with pytest.raises(NotAllowed):
            attempt()


def test_declining_needs_a_reason_that_the_cashier_reads(market: Market) -> None:
    drawer_id, admin = market.drawers["ravi"], market.desks["admin"]
    wanted = handovers.ask_for_cash(
        market.cashier, drawer_id, {"note-500": 1}, request_id=new_request_id()
    )
    with pytest.raises(BadInput) as refused:
        handovers.decline_handover(admin, wanted, " ")
    assert refused.value.field == "reason"
    handovers.decline_handover(admin, wanted, "The vault is empty")
    [row] = market.rows("SELECT status, note FROM handovers")
    assert row == {"status": "declined", "note": "The vault is empty"}


@pytest.mark.parametrize(
    ("pieces", "refusal"),
    [
        ({"note-1000": 1}, UnknownDenomination),
        ({"note-2000": 1}, UnknownDenomination),  # not taken since October 2023
        ({"note-500": -1}, PiecesNotWhole),
        ({"note-500": 1.5}, PiecesNotWhole),
        ({"note-500": True}, PiecesNotWhole),
        ({"note-500": 1_000_001}, PiecesNotWhole),
    ],
)
def test_what_cannot_be_counted_is_refused(
    sqlite_market: Market, pieces: Any, refusal: type[BadInput]
) -> None:
    closed(sqlite_market)
    with pytest.raises(refusal) as refused:
        drawers.ask_for_drawer(sqlite_market.cashier, pieces, request_id=new_request_id())
    assert refused.value.field == "notes and coins"


@pytest.mark.feature("B6", "B3")
def test_a_reversed_slip_leaves_the_open_drawer(market: Market) -> None:
    market.fund(note_500=2)
    wrong = market.deposit("asha", 700_00)
    assert places(market)[:2] == (0, 1_700_00)
    reverse_entry(market.desks["admin"], wrong.entry_id, "typed twice", new_request_id())
    assert places(market)[:2] == (0, 1_000_00)
    pay_in(market, "asha", 300_00)
    paid = withdraw(market, 300_00)
    reverse_entry(market.desks["admin"], paid.entry_id, "not collected", new_request_id())
    assert places(market) == (0, 1_000_00, 1_000_00)


@pytest.mark.feature("B6", "B3")
def test_a_slip_of_a_closed_drawer_is_reversed_in_the_vault(market: Market) -> None:
    wrong = market.deposit("asha", 500_00)
    closed(market, note_500=1)
    market.open_drawer()
    reverse_entry(market.desks["admin"], wrong.entry_id, "wrong account", new_request_id())
    assert places(market) == (0, 0, 0)


@pytest.mark.feature("B6", "B3")
def test_a_slip_whose_cash_went_to_the_vault_is_reversed_there(market: Market) -> None:
    wrong = market.deposit("asha", 500_00)
    offered = handovers.offer_cash(
        market.cashier, market.drawers["ravi"], {"note-500": 1}, request_id=new_request_id()
    )
    handovers.confirm_handover(market.desks["admin"], offered)
    reverse_entry(market.desks["admin"], wrong.entry_id, "wrong account", new_request_id())
    assert places(market) == (0, 0, 0)


def test_nothing_is_reversed_in_a_drawer_that_is_being_counted(market: Market) -> None:
    wrong = market.deposit("asha", 500_00)
    counts.start_count(market.cashier, market.drawers["ravi"])
    with pytest.raises(DrawerBeingCounted):
        reverse_entry(market.desks["admin"], wrong.entry_id, "wrong account", new_request_id())
    assert len(market.rows("SELECT * FROM entries")) == 1
    counts.stop_count(market.cashier, market.drawers["ravi"])
    reverse_entry(market.desks["admin"], wrong.entry_id, "wrong account", new_request_id())


def test_an_over_short_that_is_reversed_is_the_vaults(market: Market) -> None:
    market.fund(note_500=2)
    counted(market, note_500=1)
    admin, drawer_id = market.desks["admin"], market.drawers["ravi"]
    entry_id = counts.settle_difference(
        market.supervisor, drawer_id, "Gone", request_id=new_request_id()
    )
    vault.close_drawer(admin, drawer_id)
    with market.tx() as tx:  # by somebody else than the supervisor who booked it
        ledger.reverse(tx, entry_id, reason="found in the tray", request_id=new_request_id())
    assert places(market) == (1_000_00, 0, 1_000_00)


@pytest.mark.feature("B6")
def test_who_answers_for_cash_may_not_leave(market: Market) -> None:
    with looking(market.desks["admin"]) as tx:
        assert drawers.against_leaving(tx, [market.cashier.user_id or 0])
    closed(market)
    drawers.ask_for_drawer(market.cashier, {}, request_id=new_request_id())
    with looking(market.desks["admin"]) as tx:
        assert not drawers.against_leaving(tx, [market.cashier.user_id or 0])


@pytest.mark.feature("B6", "A9.1")
def test_the_records_are_never_changed(market: Market) -> None:
    market.fund(note_500=1)
    counted(market, note_500=1)
    for table in ("cash_moves", "tallies", "tally_lines", "drawer_counts"):
        for change in (f"DELETE FROM {table}", f"UPDATE {table} SET tally_id = 9"):
            change = change.replace("tally_id", "amount_minor") if "moves" in table else change
            change = change.replace("tally_id", "id") if table == "tallies" else change
            with pytest.raises(Exception, match="never changed"), market.tx() as tx:
                tx.connection.exec_driver_sql(change)


def test_the_trail_says_who_asked_and_who_handed_over(market: Market) -> None:
    rows = market.rows(
        "SELECT verb, actor_name, object_kind, after FROM trail WHERE verb IN"
        " ('counters.drawers.ask_for_drawer', 'counters.vault.confirm_opening') ORDER BY id"
    )
    assert [(row["verb"].split(".")[-1], row["actor_name"]) for row in rows[:2]] == [
        ("ask_for_drawer", "Ravi Kumar"),
        ("confirm_opening", "Arun Nair"),
    ]
    assert '"status":"open"' in rows[1]["after"]


@pytest.mark.feature("B6", "B3", "A13.1")
def test_a_reversal_takes_no_cash_that_the_vault_has_not(market: Market) -> None:
    """Paid in, the drawer closed, all of it sent away: the notes for a reversal are not there."""
    wrong = market.deposit("asha", 500_00)
    closed(market, note_500=1)
    market.remit(incoming=False, note_500=1)
    assert places(market) == (0, 0, 0)
    admin, before = market.desks["admin"], market.rows("SELECT id FROM entries")
    with pytest.raises(VaultTooLow, match=r"holds ₹ 0\.00.*bring ₹ 500\.00 .*then reverse it"):
        reverse_entry(admin, wrong.entry_id, "wrong account", new_request_id())
    assert market.rows("SELECT id FROM entries") == before
    assert places(market) == (0, 0, 0)
    market.remit(note_500=1)
    reverse_entry(admin, wrong.entry_id, "wrong account", new_request_id())
    assert places(market) == (0, 0, 0)


@pytest.mark.feature("B6", "B3")
def test_what_a_drawer_has_not_any_more_is_not_taken_from_an_empty_vault(market: Market) -> None:
    wrong = market.deposit("asha", 500_00)
    withdraw(market, 400_00)
    with pytest.raises(VaultTooLow, match=r"The vault holds ₹ 0\.00"):
        reverse_entry(market.desks["admin"], wrong.entry_id, "typed twice", new_request_id())
    assert places(market) == (0, 100_00, 100_00)


@pytest.mark.feature("A10.1", "B3")
def test_a_reversed_slip_is_told_to_the_holder(market: Market) -> None:
    wrong = market.deposit("asha", 700_00, slip="S1")
    assert len(market.mails()) == 1
    once = new_request_id()
    back = reverse_entry(market.desks["admin"], wrong.entry_id, "it is Vikram's", once)
    reverse_entry(market.desks["admin"], wrong.entry_id, "it is Vikram's", once)
    _, told = market.mails()
    assert told["recipient"] == "asha@example.com"
    assert told["subject"].startswith("Reversed: ₹ 700.00 in cash paid into account")
    for said in ("taken off your account", "Slip S1", wrong.reference, str(back.entry_id)):
        assert said in told["body"]
    assert "Vikram" not in told["body"]
    assert market.number("asha") not in told["body"]


@pytest.mark.feature("A10.1", "B3")
def test_a_reversed_withdrawal_is_put_back_and_told(market: Market) -> None:
    market.deposit("asha", 700_00)
    paid = withdraw(market, 300_00)
    reverse_entry(market.desks["admin"], paid.entry_id, "not collected", new_request_id())
    assert "paid out of" in market.mails()[-1]["subject"]
    assert "put back on your account" in market.mails()[-1]["body"]


@pytest.mark.feature("A10.1", "B3")
def test_nobody_is_told_of_a_reversal_that_was_refused_or_is_of_no_slip(market: Market) -> None:
    entry_id = pay_in(market, "asha", 700_00)
    reverse_entry(market.desks["admin"], entry_id, "opened twice", new_request_id())
    wrong = market.deposit("asha", 500_00)
    counts.start_count(market.cashier, market.drawers["ravi"])
    with pytest.raises(DrawerBeingCounted):
        reverse_entry(market.desks["admin"], wrong.entry_id, "wrong account", new_request_id())
    assert len(market.mails()) == 1, "that of the deposit"
