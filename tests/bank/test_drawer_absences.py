"""A drawer whose cashier is not there: counted by one, confirmed by another, and closed."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bank.book import chart
from bank.core.desk import Desk, looking
from bank.core.errors import BadInput, NotAllowed, WrongState
from bank.core.ids import new_request_id
from bank.core.objections import Objected
from bank.core.permissions import Role
from bank.counters import (
    absences,
    branch_close,
    counts,
    drawer_report,
    drawer_views,
    drawers,
    handovers,
    vault,
)
from bank.counters.absences import CashierNotLocked, NotLeftAlone, YouCountedIt
from bank.counters.branch_close import DrawersLeft
from bank.counters.counts import CountedInAbsence, HandoverWaits
from bank.counters.drawers import Absence, DrawerStatus, NoSuchDrawer, OwnDrawer
from bank.counters.handovers import DrawerNotOpen
from bank.people import leaving, users
from tests.bank.test_counter_papers import text_of
from tests.bank.test_drawers import places, status_of
from tests.support.market import Market

pytestmark = pytest.mark.feature("B6", "B41")
ILL = "went home ill at noon"


def stop(market: Market, why: Absence = Absence.ABSENT, said: str = ILL) -> int:
    """The supervisor stops Ravi's drawer."""
    drawer_id = market.drawers["ravi"]
    absences.stop_for(market.supervisor, drawer_id, why, said)
    return drawer_id


def count(market: Market, **pieces: int) -> counts.Counted:
    """The supervisor stops and counts it."""
    found = {code.replace("_", "-"): number for code, number in pieces.items()}
    return absences.count_for(market.supervisor, stop(market), found)


def confirm(market: Market, reason: str = "") -> None:
    """The admin confirms the count and takes the cash."""
    absences.confirm_for(
        market.desks["admin"], market.drawers["ravi"], reason, request_id=new_request_id()
    )


def row_of(market: Market) -> dict[str, object]:
    """Ravi's drawer as it is kept."""
    [row] = market.rows(f"SELECT * FROM drawers WHERE id = {market.drawers['ravi']}")
    return row


def test_two_others_close_the_drawer_of_who_fell_ill(market: Market) -> None:
    market.fund(note_500=4)
    market.deposit("asha", 100_00)
    found = count(market, note_500=4, note_100=1)
    assert (found.difference_minor, found.expected_minor) == (0, 2_100_00)
    assert places(market) == (0, 2_100_00, 2_100_00), "nothing moves before it is confirmed"
    confirm(market)
    assert places(market) == (2_100_00, 0, 2_100_00)
    row = row_of(market)
    assert row["status"] == DrawerStatus.CLOSED
    assert row["closed_by"] == market.desks["admin"].user_id
    assert (row["absent_why"], row["absent_said"]) == ("absent", ILL)
    [kept] = market.rows("SELECT kind, counted_by FROM drawer_counts")
    assert kept == {"kind": "closing", "counted_by": market.supervisor.user_id}
    assert row["over_short_entry_id"] is None


def test_the_branch_closes_its_day_and_the_cashier_may_leave(market: Market) -> None:
    market.fund(note_500=4)
    admin, today = market.desks["admin"], market.bank.clock.business_date()
    with pytest.raises(DrawersLeft, match="Ravi Kumar has an open drawer"):
        branch_close.close_day(admin, today, None)
    with pytest.raises(Objected, match="drawer still holds cash"):
        leaving.remove_employee(
            admin, market.cashier.user_id or 0, "Left the bank", code="resigned"
        )
    count(market, note_500=4)
    confirm(market)
    market.count_vault()
    assert branch_close.close_day(admin, today, None).is_closed
    leaving.remove_employee(admin, market.cashier.user_id or 0, "Gone", code="resigned")
    with looking(admin) as tx:
        said = " ".join(drawers.left_on(tx, None, today))
    assert "Ravi" not in said, "nor does it keep the book open"


def test_who_is_locked_out_at_the_counter_is_no_dead_end(market: Market) -> None:
    market.fund(note_500=4)
    with pytest.raises(CashierNotLocked) as refused:
        stop(market, Absence.LOCKED, "Lost their device")
    assert refused.value.field == "why"
    users.lock_user(market.desks["admin"], market.cashier.user_id or 0, "Lost their device")
    stop(market, Absence.LOCKED, "Lost their device")
    absences.count_for(market.supervisor, market.drawers["ravi"], {"note-500": 4})
    confirm(market)
    assert places(market) == (2_000_00, 0, 2_000_00)


def test_a_drawer_that_is_being_counted_already(market: Market) -> None:
    """The cashier stopped it and fell ill over the count."""
    market.fund(note_500=4)
    drawer_id = market.drawers["ravi"]
    counts.start_count(market.cashier, drawer_id)
    with pytest.raises(NotLeftAlone):
        absences.count_for(market.supervisor, drawer_id, {"note-500": 4})
    assert count(market, note_500=4).difference_minor == 0
    confirm(market)
    assert status_of(market, drawer_id) == DrawerStatus.CLOSED


def test_a_difference_is_booked_by_the_hand_of_the_second_person(market: Market) -> None:
    market.fund(note_500=4)
    drawer_id, admin = market.drawers["ravi"], market.desks["admin"]
    assert count(market, note_500=3).difference_minor == -500_00
    assert places(market)[2] == 2_000_00, "one person alone books nothing"
    for attempt in (
        lambda: counts.settle_difference(market.supervisor, drawer_id, "x", request_id="r"),
        lambda: counts.settle_difference(admin, drawer_id, "x", request_id="r"),
        lambda: counts.settle_vouched(market.cashier, drawer_id, "x", None, request_id="r"),
        lambda: vault.close_drawer(admin, drawer_id),
        lambda: vault.close_drawer(market.custodian, drawer_id),
    ):
        with pytest.raises(CountedInAbsence):
            attempt()
    with pytest.raises(BadInput) as refused:
        confirm(market, " ")
    assert refused.value.field == "reason"
    assert status_of(market, drawer_id) == DrawerStatus.COUNTED
    confirm(market, "Counted twice by both")
    row = row_of(market)
    assert (row["settled_by"], row["closed_by"]) == (market.supervisor.user_id, admin.user_id)
    lines = market.rows(
        "SELECT g.code, p.amount_minor, e.actor_id, e.narration FROM postings p"
        " JOIN gl_accounts g ON g.id = p.gl_account_id JOIN entries e ON e.id = p.entry_id"
        f" WHERE p.entry_id = {row['over_short_entry_id']} ORDER BY p.leg"
    )
    assert [(line["code"], line["amount_minor"]) for line in lines] == [
        (chart.CASH, 500_00),
        (chart.CASH_SHORT, -500_00),
    ]
    assert lines[0]["actor_id"] == admin.user_id
    assert lines[0]["narration"] == (
        f"Cash short ₹ 500.00, drawer {drawer_id} of Ravi Kumar, 16 Mar 2026: Counted twice by both"
    )
    assert places(market) == (1_500_00, 0, 1_500_00)
    [register] = drawer_views.over_and_short(admin)
    assert (register.difference_minor, register.settled_by) == (-500_00, "Bina Mehta")


def test_the_second_click_changes_nothing(market: Market) -> None:
    market.fund(note_500=4)
    count(market, note_500=3)
    once, admin = new_request_id(), market.desks["admin"]
    for _ in range(2):
        absences.confirm_for(admin, market.drawers["ravi"], "Not found", request_id=once)
    assert places(market) == (1_500_00, 0, 1_500_00)
    assert len(market.mails("drawer")) == 1
    other = replace(market.custodian, user_id=market.desks["executive"].user_id)
    with pytest.raises(WrongState):
        absences.confirm_for(other, market.drawers["ravi"], "x", request_id=new_request_id())


def test_nobody_is_both_of_the_two_nor_the_cashier(market: Market) -> None:
    """Branch admins hold every right at the vault; in one drawer they are one person."""
    market.fund(note_500=4)
    admin, drawer_id = market.desks["admin"], market.drawers["ravi"]
    himself = replace(market.cashier, role=Role.BRANCH_ADMIN)
    with pytest.raises(OwnDrawer):
        absences.stop_for(himself, drawer_id, Absence.ABSENT, ILL)
    absences.stop_for(admin, drawer_id, Absence.ABSENT, ILL)
    with pytest.raises(OwnDrawer):
        absences.count_for(himself, drawer_id, {})
    absences.count_for(admin, drawer_id, {"note-500": 4})
    with pytest.raises(OwnDrawer):
        absences.confirm_for(himself, drawer_id, request_id=new_request_id())
    with pytest.raises(YouCountedIt):
        absences.confirm_for(admin, drawer_id, request_id=new_request_id())
    assert places(market) == (0, 2_000_00, 2_000_00)
    absences.confirm_for(market.custodian, drawer_id, request_id=new_request_id())
    assert places(market) == (2_000_00, 0, 2_000_00)


@pytest.mark.feature("B8")
@pytest.mark.parametrize("who", ["asha", "banker", "auditor", "ravi", "gita"])
def test_only_a_supervisor_counts_and_only_a_custodian_confirms(market: Market, who: str) -> None:
    desk, drawer_id = market.desks[who], market.drawers["ravi"]
    for attempt in _attempts(desk, drawer_id):
        with pytest.raises(NotAllowed):
            attempt()
    count(market)
    with pytest.raises(NotAllowed):  # nor somebody who only signs for differences
        absences.confirm_for(market.supervisor, drawer_id, request_id=new_request_id())
    with pytest.raises(NotAllowed):  # nor somebody who only keeps the vault counts
        absences.count_for(market.custodian, drawer_id, {})


@pytest.mark.feature("B8")
def test_another_branchs_drawer_is_not_there(market: Market) -> None:
    for attempt in _attempts(market.desks["admin_baner"], market.drawers["ravi"]):
        with pytest.raises(NoSuchDrawer):
            attempt()
    stop(market)
    with pytest.raises(NoSuchDrawer):
        absences.left_drawer(market.desks["admin_baner"], market.drawers["ravi"])


def _attempts(desk: Desk, drawer_id: int) -> list[Callable[[], object]]:
    return [
        lambda: absences.stop_for(desk, drawer_id, Absence.ABSENT, ILL),
        lambda: absences.count_for(desk, drawer_id, {}),
        lambda: absences.confirm_for(desk, drawer_id, request_id="r"),
    ]


def test_why_is_said_and_a_request_for_cash_is_decided_first(market: Market) -> None:
    drawer_id = market.drawers["ravi"]
    with pytest.raises(BadInput) as refused:
        stop(market, said="  ")
    assert refused.value.field == "reason"
    wanted = handovers.ask_for_cash(
        market.cashier, drawer_id, {"note-500": 1}, request_id=new_request_id()
    )
    with pytest.raises(HandoverWaits):
        stop(market)
    handovers.decline_handover(market.desks["admin"], wanted, "The cashier went home")
    count(market)
    with pytest.raises(DrawerNotOpen):
        stop(market)


def test_the_cashier_who_comes_back_goes_on(market: Market) -> None:
    """Stopped, and the cashier is there: their own count is theirs, and nobody else's."""
    market.fund(note_500=4)
    drawer_id = stop(market)
    assert drawer_views.own_drawer(market.cashier).absent_said == ILL  # type: ignore[union-attr]
    counts.stop_count(market.cashier, drawer_id)
    assert status_of(market, drawer_id) == DrawerStatus.OPEN
    counts.start_count(market.cashier, drawer_id)
    with pytest.raises(NotLeftAlone):
        absences.count_for(market.supervisor, drawer_id, {"note-500": 4})
    stop(market)
    counts.enter_count(market.cashier, drawer_id, {"note-500": 4})
    with pytest.raises(NotLeftAlone):
        confirm(market)
    vault.close_drawer(market.desks["admin"], drawer_id)
    assert row_of(market)["absent_why"] is None


def test_a_count_that_was_mistaken_is_sent_back_and_done_again(market: Market) -> None:
    market.fund(note_500=4)
    count(market, note_500=3)
    counts.send_back(market.supervisor, market.drawers["ravi"], "One note lay under the tray")
    assert row_of(market)["absent_why"] is None
    with pytest.raises(NotLeftAlone):
        confirm(market)
    assert count(market, note_500=4).difference_minor == 0
    confirm(market)
    assert places(market) == (2_000_00, 0, 2_000_00)


def test_nobody_reads_what_should_be_there_while_it_is_counted(market: Market) -> None:
    market.fund(note_500=4)
    admin = market.desks["admin"]
    assert drawer_views.branch_cash(admin).drawers_minor == 2_000_00
    drawer_id = stop(market)
    seen = drawer_views.branch_cash(admin)
    assert (seen.drawers_minor, seen.book_minor, seen.agrees) == (None, None, True)
    [card] = [each for each in seen.drawers if each.id == drawer_id]
    assert (card.cash_minor, card.expected_minor) == (None, None)
    left = absences.left_drawer(admin, drawer_id)
    assert (left.expected_minor, left.rows, left.counted_by) == (0, [], "")
    absences.count_for(market.supervisor, drawer_id, {"note-500": 3})
    left = absences.left_drawer(admin, drawer_id)
    assert (left.difference_minor, left.counted_by) == (-500_00, "Bina Mehta")
    assert left.sentence.startswith("Cash short ₹ 500.00")
    assert drawer_views.branch_cash(admin).drawers_minor == 2_000_00


def test_the_report_names_both_and_why(market: Market) -> None:
    market.fund(note_500=4)
    count(market, note_500=3)
    confirm(market, "Counted twice by both")
    for reader in (market.desks["admin"], market.supervisor, market.cashier):
        report = drawer_report.report_of(reader, market.drawers["ravi"])
        assert report.absence == (
            f"Counted by Bina Mehta and Arun Nair in the absence of Ravi Kumar (not at work: {ILL})"
        )
    text = text_of(drawer_report.pdf_of(report))
    assert "in the absence of Ravi Kumar" in text
    assert "Short INR 500.00" in text


@pytest.mark.feature("A9.3")
def test_the_cashier_is_told_by_mail(market: Market) -> None:
    market.fund(note_500=4)
    count(market, note_500=3)
    assert market.mails("drawer") == []
    confirm(market, "Counted twice by both")
    [mail] = market.mails("drawer")
    assert mail["recipient"] == "ravi@bank.example.com"
    for said in ("Bina Mehta and Arun Nair", ILL, "₹ 1,500.00", "₹ 2,000.00", "Short ₹ 500.00"):
        assert said in mail["body"]


@pytest.mark.feature("A9.1")
def test_the_trail_keeps_every_step(market: Market) -> None:
    market.fund(note_500=4)
    count(market, note_500=3)
    confirm(market, "Counted twice by both")
    rows = market.rows(
        "SELECT verb, actor_name, object_kind, after FROM trail"
        " WHERE verb IN ('counters.absences.stop_for', 'counters.absences.count_for',"
        " 'counters.absences.confirm_for') ORDER BY id"
    )
    assert [(row["verb"].split(".")[-1], row["actor_name"]) for row in rows] == [
        ("stop_for", "Bina Mehta"),
        ("count_for", "Bina Mehta"),
        ("confirm_for", "Arun Nair"),
    ]
    assert {row["object_kind"] for row in rows} == {"drawer"}
    assert all('"absent"' in row["after"] for row in rows)
    assert f'"counted_by":{market.supervisor.user_id}' in rows[2]["after"]
