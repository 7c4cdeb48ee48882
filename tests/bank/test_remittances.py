"""Cash of the currency chest and the count of the vault: never by one person, whoever they are."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.exc import DBAPIError

from bank.book import chart
from bank.book.drafts import RequestReused
from bank.core.errors import BadInput, NotAllowed, WrongState
from bank.core.ids import new_request_id
from bank.core.permissions import GRANTS, NAMED_GRANTS, NamedGrant, Permission, Role
from bank.counters import remittance_views, remittances, vault_counts
from bank.counters.drawer_cash import VaultTooLow
from bank.counters.remittance_views import NotBookedYet
from bank.counters.remittances import (
    NoSuchRemittance,
    OwnRemittance,
    RemittanceOfAnotherDay,
    Way,
)
from bank.counters.vault_counts import (
    CashHasMoved,
    CountWaits,
    NoSuchCount,
    YouCountedTheVault,
)
from bank.night import integrity
from bank.people import grants
from tests.bank.test_counter_papers import text_of
from tests.bank.test_drawers import places
from tests.support.bank import NOON, move_clock
from tests.support.market import FORT, Market

pytestmark = pytest.mark.feature("B6")
PIECES = {"note-500": 20}


def ask(market: Market, way: Way = Way.FROM_CHEST, **named: str) -> int:
    """The admin asks for ten thousand rupees, or brings them away."""
    once = named.pop("request_id", new_request_id())
    paper = named.pop("paper", "CC 17")
    return remittances.ask_to_remit(market.desks["admin"], way, PIECES, paper, request_id=once)


def test_two_bring_cash_from_the_chest(market: Market) -> None:
    asked = ask(market)
    assert places(market) == (0, 0, 0), "nothing is booked by one person"
    assert market.rows("SELECT id FROM entries WHERE kind = 'cash_remittance'") == []
    reference = remittances.confirm_remittance(market.custodian, asked)
    assert places(market) == (10_000_00, 0, 10_000_00)
    card = remittance_views.remittance(market.desks["admin"], asked)
    assert (card.asked_by, card.decided_by, card.status) == ("Arun Nair", "Bina Mehta", "confirmed")
    assert card.reference == reference
    lines = market.rows(
        "SELECT g.code, p.amount_minor, e.narration, e.actor_id FROM postings p"
        " JOIN gl_accounts g ON g.id = p.gl_account_id JOIN entries e ON e.id = p.entry_id"
        " WHERE e.kind = 'cash_remittance' ORDER BY p.leg"
    )
    assert [(line["code"], line["amount_minor"]) for line in lines] == [
        (chart.CASH, -10_000_00),
        (chart.OTHER_BANKS, 10_000_00),
    ]
    assert lines[0]["narration"] == "Cash from the currency chest, CC 17"
    assert lines[0]["actor_id"] == market.custodian.user_id


def test_two_send_cash_to_the_chest(market: Market) -> None:
    market.remit(note_500=30)
    asked = ask(market, Way.TO_CHEST)
    assert places(market)[0] == 15_000_00
    remittances.confirm_remittance(market.supervisor, asked)
    assert places(market) == (5_000_00, 0, 5_000_00)
    assert [r for r in integrity.run_checks(market.desks["auditor"]) if not r.passed] == []


def test_nobody_confirms_what_they_asked_for(market: Market) -> None:
    """Branch admins hold every right at the vault; in one remittance they are one person."""
    asked = ask(market)
    admin = market.desks["admin"]
    for attempt in (
        lambda: remittances.confirm_remittance(admin, asked),
        lambda: remittances.decline_remittance(admin, asked, "no"),
        lambda: remittances.confirm_remittance(replace(admin, named=frozenset(NamedGrant)), asked),
    ):
        with pytest.raises(OwnRemittance):
            attempt()
    with pytest.raises(DBAPIError, match="decided_by_another"), market.tx() as tx:
        tx.connection.exec_driver_sql(
            "UPDATE remittances SET status = 'confirmed', decided_by = asked_by"
        )
    assert places(market) == (0, 0, 0)


@pytest.mark.parametrize("who", ["asha", "banker", "auditor", "ravi", "executive"])
def test_only_who_has_a_right_at_the_vault_is_one_of_the_two(market: Market, who: str) -> None:
    desk, asked = market.desks[who], ask(market)
    for attempt in (
        lambda: remittances.ask_to_remit(desk, Way.TO_CHEST, PIECES, "CC", request_id="r"),
        lambda: remittance_views.preview_remittance(desk, Way.TO_CHEST, PIECES, "CC"),
        lambda: remittances.confirm_remittance(desk, asked),
        lambda: remittances.decline_remittance(desk, asked, "x"),
        lambda: remittances.withdraw_remittance(desk, asked),
        lambda: vault_counts.count_vault(desk, {}),
        lambda: vault_counts.confirm_vault_count(desk, 1, request_id="r"),
    ):
        with pytest.raises(NotAllowed):
            attempt()
    with pytest.raises(NotAllowed):  # who signs for differences keeps no cash
        remittances.ask_to_remit(market.supervisor, Way.TO_CHEST, PIECES, "CC", request_id="r")


def test_the_two_sides_are_two_rights_that_only_an_admin_holds_together() -> None:
    """And an admin is compared with themselves in each act (the tests above)."""
    both = {Permission.VAULT_KEEP, Permission.DRAWER_SUPERVISE}
    assert [role for role in Role if both <= GRANTS[role]] == [Role.BRANCH_ADMIN]
    assert [each for each in NamedGrant if both <= NAMED_GRANTS[each]] == []


@pytest.mark.feature("B8")
def test_another_branchs_remittance_is_not_there(market: Market) -> None:
    asked = ask(market)
    vault_counts.count_vault(market.desks["admin"], {})
    stranger = market.desks["admin_baner"]
    for attempt in (
        lambda: remittances.confirm_remittance(stranger, asked),
        lambda: remittances.decline_remittance(stranger, asked, "x"),
        lambda: remittances.withdraw_remittance(stranger, asked),
        lambda: remittance_views.remittance(stranger, asked),
    ):
        with pytest.raises(NoSuchRemittance):
            attempt()
    assert remittance_views.remittances_of(stranger) == []
    [waits] = vault_counts.vault_counts(market.desks["admin"])
    for attempt in (
        lambda: vault_counts.confirm_vault_count(stranger, waits.id, request_id="r"),
        lambda: vault_counts.drop_vault_count(stranger, waits.id, "x"),
    ):
        with pytest.raises(NoSuchCount):
            attempt()


@pytest.mark.feature("B2")
def test_the_second_click_asks_and_books_once(market: Market) -> None:
    once = new_request_id()
    asked = ask(market, request_id=once)
    assert ask(market, request_id=once) == asked
    with pytest.raises(RequestReused):
        ask(market, request_id=once, paper="CC 18")
    with pytest.raises(RequestReused):
        ask(market, Way.TO_CHEST, request_id=once)
    first = remittances.confirm_remittance(market.custodian, asked)
    assert remittances.confirm_remittance(market.custodian, asked) == first
    with pytest.raises(WrongState):
        remittances.withdraw_remittance(market.desks["admin"], asked)
    assert places(market)[0] == 10_000_00


def test_it_is_declined_with_a_reason_or_withdrawn(market: Market) -> None:
    asked = ask(market)
    with pytest.raises(BadInput) as refused:
        remittances.decline_remittance(market.custodian, asked, " ")
    assert refused.value.field == "reason"
    remittances.decline_remittance(market.custodian, asked, "The van did not come")
    with pytest.raises(WrongState):
        remittances.confirm_remittance(market.custodian, asked)
    again = ask(market)
    other = replace(market.custodian, user_id=market.desks["executive"].user_id)
    with pytest.raises(NoSuchRemittance):
        remittances.withdraw_remittance(other, again)
    remittances.withdraw_remittance(market.desks["admin"], again)
    listed = remittance_views.remittances_of(market.desks["admin"])
    assert [(row.status, row.note) for row in listed] == [
        ("withdrawn", ""),
        ("declined", "The van did not come"),
    ]
    assert places(market) == (0, 0, 0)


def test_the_vault_is_asked_again_when_it_is_confirmed(market: Market) -> None:
    market.remit(note_500=20)
    with pytest.raises(BadInput) as refused:
        ask(market, Way.TO_CHEST, paper=" ")
    assert refused.value.field == "reference"
    asked = ask(market, Way.TO_CHEST)
    other = ask(market, Way.TO_CHEST)
    remittances.confirm_remittance(market.custodian, asked)
    with pytest.raises(VaultTooLow):
        remittances.confirm_remittance(market.custodian, other)
    with pytest.raises(VaultTooLow):
        ask(market, Way.TO_CHEST)
    assert places(market) == (0, 0, 0)


def test_what_was_asked_for_yesterday_is_declined(market: Market) -> None:
    asked = ask(market)
    move_clock(market.bank, NOON + timedelta(days=1))
    with pytest.raises(RemittanceOfAnotherDay):
        remittances.confirm_remittance(market.custodian, asked)
    remittances.decline_remittance(market.custodian, asked, "It came today")


def test_the_preview_says_what_will_be_booked_and_who_may_confirm(market: Market) -> None:
    market.remit(note_500=30)
    admin = market.desks["admin"]
    ahead = remittance_views.preview_remittance(admin, Way.TO_CHEST, PIECES, " CC  9 ")
    assert (ahead.amount_minor, ahead.paper) == (10_000_00, "CC 9")
    assert (ahead.vault_before_minor, ahead.vault_after_minor) == (15_000_00, 5_000_00)
    assert ahead.debit.startswith(chart.OTHER_BANKS)
    assert ahead.credit == f"{chart.CASH} Cash in hand, Fort"
    assert ahead.names == [], "only the admin of Fort has a right at the vault by role"
    with pytest.raises(VaultTooLow):
        remittance_views.preview_remittance(admin, Way.TO_CHEST, {"note-500": 31}, "CC 9")
    with pytest.raises(BadInput):
        remittance_views.preview_remittance(admin, Way.TO_CHEST, {}, "CC 9")


def test_who_may_confirm_is_named(market: Market) -> None:
    with market.tx() as tx:
        for who, named in (
            ("banker", NamedGrant.VAULT_CUSTODIAN),
            ("meera", NamedGrant.SUPERVISOR),
        ):
            tx.session.add(
                grants.NamedGrantRow(
                    user_id=market.desks[who].user_id,
                    named=named,
                    valid_from=tx.business_date,
                    given_by=market.desks["admin"].user_id,
                    given_at=tx.now,
                    reason="Holds the second key",
                    ended_because="",
                )
            )
    admin = market.desks["admin"]
    ahead = remittance_views.preview_remittance(admin, Way.FROM_CHEST, PIECES, "CC 9")
    assert ahead.names == ["Bina Mehta"], "of this branch alone"


def test_the_paper_is_printed_once_it_is_booked(market: Market) -> None:
    asked = ask(market)
    with pytest.raises(NotBookedYet):
        remittance_views.print_remittance(market.desks["admin"], asked)
    reference = remittances.confirm_remittance(market.custodian, asked)
    for reader in (market.desks["admin"], market.desks["auditor"]):
        text = text_of(remittance_views.print_remittance(reader, asked))
        for said in (reference, "INR 10,000.00", "CC 17", "Arun Nair", "Bina Mehta", "Verify code"):
            assert said in text


@pytest.mark.feature("A9.1")
def test_the_trail_says_who_asked_and_who_confirmed(market: Market) -> None:
    market.remit(note_500=1)
    rows = market.rows(
        "SELECT verb, actor_name, object_kind FROM trail"
        " WHERE verb IN ('counters.remittances.ask_to_remit',"
        " 'counters.remittances.confirm_remittance') ORDER BY id"
    )
    assert [(row["verb"].split(".")[-1], row["actor_name"]) for row in rows] == [
        ("ask_to_remit", "Arun Nair"),
        ("confirm_remittance", "Bina Mehta"),
    ]
    assert {row["object_kind"] for row in rows} == {"remittance"}


# The count of the vault.


def test_two_count_the_vault_and_book_what_is_over_or_short(market: Market) -> None:
    market.remit(note_500=20)
    admin = market.desks["admin"]
    found = vault_counts.count_vault(admin, {"note-500": 19})
    assert (found.expected_minor, found.difference_minor) == (10_000_00, -500_00)
    [waits] = vault_counts.vault_counts(admin)
    assert places(market)[2] == 10_000_00, "one person alone books nothing"
    with pytest.raises(YouCountedTheVault):
        vault_counts.confirm_vault_count(admin, waits.id, "Gone", request_id=new_request_id())
    with pytest.raises(BadInput) as refused:
        vault_counts.confirm_vault_count(market.custodian, waits.id, request_id=new_request_id())
    assert refused.value.field == "reason"
    once = new_request_id()
    for _ in range(2):
        vault_counts.confirm_vault_count(market.custodian, waits.id, "Not found", request_id=once)
    assert places(market) == (9_500_00, 0, 9_500_00)
    lines = market.rows(
        "SELECT g.code, p.amount_minor, e.narration FROM postings p"
        " JOIN gl_accounts g ON g.id = p.gl_account_id JOIN entries e ON e.id = p.entry_id"
        " WHERE e.kind = 'cash_short' ORDER BY p.leg"
    )
    assert [(line["code"], line["amount_minor"]) for line in lines] == [
        (chart.CASH, 500_00),
        (chart.CASH_SHORT, -500_00),
    ]
    assert lines[0]["narration"] == "Cash short ₹ 500.00, vault of Fort, 16 Mar 2026: Not found"
    [card] = vault_counts.vault_counts(market.desks["admin"])
    assert (card.counted_by, card.decided_by, card.reason) == (
        "Arun Nair", "Bina Mehta", "Not found",
    )  # fmt: skip
    assert [r for r in integrity.run_checks(market.desks["auditor"]) if not r.passed] == []


def test_what_is_found_over_is_owed(market: Market) -> None:
    admin = market.desks["admin"]
    vault_counts.count_vault(market.custodian, {"note-100": 1})
    [waits] = vault_counts.vault_counts(admin)
    vault_counts.confirm_vault_count(admin, waits.id, "Under a bundle", request_id="r" * 36)
    assert places(market) == (100_00, 0, 100_00)
    [owed] = market.rows(
        "SELECT p.amount_minor FROM postings p JOIN gl_accounts g ON g.id = p.gl_account_id"
        f" WHERE g.code = '{chart.CASH_OVER}'"
    )
    assert owed["amount_minor"] == 100_00


def test_a_count_of_before_cash_moved_is_dropped_and_done_again(market: Market) -> None:
    market.remit(note_500=20)
    admin = market.desks["admin"]
    vault_counts.count_vault(admin, {"note-500": 20})
    vault_counts.count_vault(admin, {"note-500": 20})  # the same click again
    with pytest.raises(CountWaits):
        vault_counts.count_vault(admin, {"note-500": 19})
    with pytest.raises(CountWaits):
        vault_counts.count_vault(market.custodian, {"note-500": 20})
    [waits] = vault_counts.vault_counts(admin)
    market.remit(note_500=1)
    with pytest.raises(CashHasMoved):
        vault_counts.confirm_vault_count(market.custodian, waits.id, request_id="r" * 36)
    vault_counts.drop_vault_count(admin, waits.id, "Cash came meanwhile")
    with pytest.raises(WrongState):
        vault_counts.drop_vault_count(admin, waits.id, "Again")
    market.count_vault()
    assert [row.status for row in vault_counts.vault_counts(admin)] == ["confirmed", "dropped"]


def test_a_vault_count_by_one_is_refused_by_the_database_too(market: Market) -> None:
    vault_counts.count_vault(market.desks["admin"], {})
    with pytest.raises(DBAPIError, match="confirmed_by_another"), market.tx() as tx:
        tx.connection.exec_driver_sql(
            "UPDATE vault_counts SET status = 'confirmed', decided_by = counted_by"
        )


def test_the_auditor_reads_both_registers(sqlite_market: Market) -> None:
    sqlite_market.remit(note_500=1)
    sqlite_market.count_vault()
    auditor, fort = sqlite_market.desks["auditor"], sqlite_market.branch_ids[FORT]
    reads: list[Callable[[], object]] = [
        lambda: remittance_views.remittances_of(auditor, fort),
        lambda: vault_counts.vault_counts(auditor, fort),
    ]
    assert [len(read()) for read in reads] == [1, 1]  # type: ignore[arg-type]
