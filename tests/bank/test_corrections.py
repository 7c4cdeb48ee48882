"""A cashier's own slip of today is taken back: asked for by the cashier, decided by another."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from bank.book.journal import entry_in_full
from bank.book.ledger import AlreadyReversed, InsufficientFunds
from bank.core.approval_rules import ApprovalRule
from bank.core.approvals import AwaitingApproval
from bank.core.desk import looking
from bank.core.errors import BadInput, NotAllowed
from bank.core.ids import new_request_id
from bank.counters import cash, corrections, counts, drawer_cash, fund_transfers, slips, vault
from bank.counters.corrections import (
    DrawerOfSlipClosed,
    NoSuchSlip,
    SecondPersonNeeded,
    SlipNotOfToday,
    reverse_own_slip,
)
from bank.counters.window import MakerHasNoDrawer
from bank.night import integrity
from bank.office import approvals
from bank.office.approval_cards import InterestedParty, NotTheChecker, approval_card
from tests.support.bank import NOON, move_clock
from tests.support.checkers import Checking
from tests.support.market import Market, pay_in

pytestmark = pytest.mark.feature("B3", "B4", "B6")
WHY = "Booked on the wrong account"


def asked(market: Market, entry_id: int, request_id: str | None = None) -> int:
    """Ravi asks; the number of the approval."""
    with pytest.raises(AwaitingApproval) as waits:
        reverse_own_slip(market.cashier, entry_id, WHY, request_id or new_request_id())
    return waits.value.approval_id


def in_drawer(market: Market) -> int:
    """What should lie in Ravi's drawer."""
    with looking(market.cashier) as tx:
        return drawer_cash.in_drawer(tx, market.drawers["ravi"])


def test_it_waits_and_is_booked_as_the_one_who_agreed(market: Market) -> None:
    market.deposit("asha", 300_00)
    slip = market.deposit("asha", 700_00, slip="A7")
    request_id = new_request_id()
    number = asked(market, slip.entry_id, request_id)
    assert market.balance("asha") == 1_000_00, "nothing is booked yet"
    card = approval_card(market.desks["admin"], number)
    assert card.row.amount_minor == 700_00
    assert card.asked["reason"] == WHY
    assert [(line["account"], line["amount_minor"]) for line in card.lines] == [
        ("", 700_00),
        (market.number("asha"), -700_00),
    ]
    assert "Ravi Kumar" not in card.names
    assert asked(market, slip.entry_id, request_id) == number, "the same click again"
    approvals.approve(market.desks["admin"], number)
    assert market.balance("asha") == 300_00
    assert in_drawer(market) == 300_00
    assert [line.is_reversed for line in slips.own_slips_today(market.cashier)] == [True, False]
    done = reverse_own_slip(market.cashier, slip.entry_id, WHY, request_id)
    assert done.replayed
    full = entry_in_full(market.desks["auditor"], done.entry_id)
    assert (full.row.actor_id, full.row.reverses_id, full.reason) == (
        market.desks["admin"].user_id,
        slip.entry_id,
        WHY,
    )
    trail = market.rows(
        "SELECT actor_name, object_kind, object_id, details FROM trail WHERE outcome = 'done'"
        " AND verb = 'counters.corrections.reverse_own_slip' ORDER BY id"
    )
    assert {row["actor_name"] for row in trail} == {"Ravi Kumar"}
    assert '"checker":"Arun Nair"' in trail[0]["details"]
    assert "Taken back: ₹ 700.00 in cash paid into" in market.mails()[-1]["subject"]
    for check in ("reversals_by_another", "reversals_are_opposite", "cash_lies_somewhere"):
        assert integrity.run_check(market.desks["auditor"], check).passed


def test_the_same_slip_can_be_booked_again_where_it_belongs(market: Market) -> None:
    slip = market.deposit("asha", 700_00, slip="A7")
    approvals.approve(market.desks["admin"], asked(market, slip.entry_id))
    market.deposit("nila", 700_00, slip="A7")
    assert (market.balance("asha"), market.balance("nila")) == (0, 700_00)


def test_cash_paid_out_comes_back_into_the_drawer(market: Market) -> None:
    market.deposit("asha", 900_00)
    paid = cash.withdraw(
        market.cashier, market.number("asha"), 400_00, "W4", request_id=new_request_id()
    )
    approvals.approve(market.desks["admin"], asked(market, paid.entry_id))
    assert (market.balance("asha"), in_drawer(market)) == (900_00, 900_00)


@pytest.mark.parametrize("who", ["gita", "meera"])
def test_anothers_slip_is_not_there(market: Market, who: str) -> None:
    slip = market.deposit("asha", 700_00)
    with pytest.raises(NoSuchSlip):
        reverse_own_slip(market.desks[who], slip.entry_id, WHY, new_request_id())
    with pytest.raises(NoSuchSlip):
        reverse_own_slip(market.cashier, 99_999, WHY, new_request_id())
    assert market.rows("SELECT * FROM approvals") == []


@pytest.mark.parametrize("who", ["admin", "banker", "auditor", "executive", "asha"])
def test_it_is_for_cashiers(sqlite_market: Market, who: str) -> None:
    slip = sqlite_market.deposit("asha", 700_00)
    with pytest.raises(NotAllowed):
        reverse_own_slip(sqlite_market.desks[who], slip.entry_id, WHY, new_request_id())


def test_a_slip_of_another_day_is_for_the_branch_admin(market: Market) -> None:
    slip = market.deposit("asha", 700_00)
    waits = market.deposit("asha", 100_00)
    number = asked(market, waits.entry_id)
    move_clock(market.bank, NOON + timedelta(days=1))
    with pytest.raises(SlipNotOfToday):
        reverse_own_slip(market.cashier, slip.entry_id, WHY, new_request_id())
    with pytest.raises(approvals.ApprovalExpired):
        approvals.approve(market.desks["admin"], number)
    assert market.balance("asha") == 800_00


def test_without_the_slips_own_drawer_nothing_is_asked(market: Market) -> None:
    slip = market.deposit("asha", 500_00)
    ravi, drawer_id = market.cashier, market.drawers["ravi"]
    counts.start_count(ravi, drawer_id)
    with pytest.raises(MakerHasNoDrawer):
        reverse_own_slip(ravi, slip.entry_id, WHY, new_request_id())
    counts.enter_count(ravi, drawer_id, {"note-500": 1})
    vault.close_drawer(market.desks["admin"], drawer_id)
    with pytest.raises(MakerHasNoDrawer):
        reverse_own_slip(ravi, slip.entry_id, WHY, new_request_id())
    market.open_drawer("ravi", "admin")
    with pytest.raises(DrawerOfSlipClosed):
        reverse_own_slip(ravi, slip.entry_id, WHY, new_request_id())
    assert market.rows("SELECT * FROM approvals") == []


def test_only_once_and_never_without_a_reason(market: Market) -> None:
    slip = market.deposit("asha", 700_00)
    with pytest.raises(BadInput) as refused:
        reverse_own_slip(market.cashier, slip.entry_id, "  ", new_request_id())
    assert refused.value.field == "reason"
    first, second = asked(market, slip.entry_id), asked(market, slip.entry_id)
    approvals.approve(market.desks["admin"], first)
    with pytest.raises(approvals.CanNeverBeDone, match="reversed already"):
        approvals.approve(market.desks["admin"], second)
    with pytest.raises(AlreadyReversed):
        reverse_own_slip(market.cashier, slip.entry_id, WHY, new_request_id())
    assert market.balance("asha") == 0


def test_nobody_does_it_alone_even_where_no_rule_asks(market: Market) -> None:
    slip = market.deposit("asha", 700_00)
    with market.tx() as tx:
        rule = tx.session.scalars(
            select(ApprovalRule).where(ApprovalRule.command.like("%reverse_own_slip"))
        ).one()
        facts = {each.key: getattr(rule, each.key) for each in ApprovalRule.__table__.c}
        tx.session.add(
            ApprovalRule(**{**facts, "effective_from": tx.business_date, "checkers": ""})
        )
    with pytest.raises(SecondPersonNeeded):
        corrections.reverse_own_slip(market.cashier, slip.entry_id, WHY, new_request_id())
    assert market.balance("asha") == 700_00


def test_the_asker_and_the_other_branch_do_not_decide(market: Market) -> None:
    number = asked(market, market.deposit("asha", 700_00).entry_id)
    for who in ("ravi", "gita", "banker", "admin_baner"):
        with pytest.raises((NotAllowed, NotTheChecker, approvals.NoSuchApproval)):
            approvals.approve(market.desks[who], number)
    assert market.balance("asha") == 700_00


def moved(market: Market, *, to: str = "vikram", number: str = "V1") -> int:
    """Ravi has moved 500 rupees of Asha's by a voucher; the entry."""
    return fund_transfers.move_funds(
        market.cashier,
        market.number("asha"),
        market.number(to, "current" if to == "asha" else "savings"),
        500_00,
        number,
        request_id=new_request_id(),
    ).entry_id


def test_a_transfer_is_taken_back_without_a_drawer(market: Market) -> None:
    pay_in(market, "asha", 800_00)
    entry_id = moved(market)
    counts.start_count(market.cashier, market.drawers["ravi"])
    request_id = new_request_id()
    number = asked(market, entry_id, request_id)
    card = approval_card(market.desks["admin"], number)
    lines = [(line["account"], line["amount_minor"]) for line in card.lines if line["account"]]
    assert lines == [(market.number("asha"), 500_00), (market.number("vikram"), -500_00)]
    approvals.approve(market.desks["admin"], number)
    assert (market.balance("asha"), market.balance("vikram")) == (800_00, 0)
    assert reverse_own_slip(market.cashier, entry_id, WHY, request_id).replayed
    [line] = slips.own_slips_today(market.cashier)
    assert line.is_reversed
    payers, payees = market.mails("transfer")[-2:]
    assert (payers["recipient"], payees["recipient"]) == ("asha@example.com", "vikram@example.com")
    assert payers["subject"].startswith("Taken back: ₹ 500.00 sent from account ••••")
    assert payees["subject"].startswith("Taken back: ₹ 500.00 received in account ••••")
    assert "with voucher V1" in payees["body"]


def test_a_transfer_of_somebody_else_or_that_was_spent_is_not_taken_back(market: Market) -> None:
    pay_in(market, "asha", 800_00)
    entry_id = moved(market)
    with pytest.raises(NoSuchSlip):
        reverse_own_slip(market.desks["gita"], entry_id, WHY, new_request_id())
    spent = {"from_number": market.number("vikram"), "to_number": market.number("nila")}
    fund_transfers.move_funds(
        market.cashier, **spent, amount_minor=500_00, voucher_number="V2",
        request_id=new_request_id(),
    )  # fmt: skip
    with pytest.raises(InsufficientFunds):
        reverse_own_slip(market.cashier, entry_id, WHY, new_request_id())
    assert market.balance("nila") == 500_00


def test_two_holders_with_one_address_are_both_told(sqlite_market: Market) -> None:
    pay_in(sqlite_market, "asha", 800_00)
    with sqlite_market.tx() as tx:
        tx.connection.exec_driver_sql(
            "UPDATE customers SET email = 'home@example.com' WHERE name LIKE 'Asha%'"
            " OR name LIKE 'Vikram%'"
        )
    number = asked(sqlite_market, moved(sqlite_market))
    approvals.approve(sqlite_market.desks["admin"], number)
    told = [mail["body"] for mail in sqlite_market.mails("transfer")[-2:]]
    assert ["Hello Asha Rao" in told[0], "Hello Vikram Shah" in told[1]] == [True, True]


def test_between_own_accounts_the_holder_is_told_once(sqlite_market: Market) -> None:
    pay_in(sqlite_market, "asha", 800_00)
    approvals.approve(
        sqlite_market.desks["admin"], asked(sqlite_market, moved(sqlite_market, to="asha"))
    )
    told = [mail["subject"] for mail in sqlite_market.mails("transfer")]
    assert len([subject for subject in told if subject.startswith("Taken back")]) == 1
    assert sqlite_market.balance("asha") == 800_00


def test_whoever_holds_either_account_does_not_decide(sqlite_checking: Checking) -> None:
    """The holder's own account is the payee's here."""
    at = sqlite_checking
    pay_in(at.market, "vikram", 800_00)
    given = (at.market.number("vikram"), at.market.number("asha"), 500_00, "V1")
    entry_id = fund_transfers.move_funds(
        at.desks["ravi"], *given, request_id=new_request_id()
    ).entry_id
    number = asked(at.market, entry_id)
    with pytest.raises(InterestedParty):
        approvals.approve(at.desks["holder"], number)
    approvals.approve(at.desks["vera"], number)
    assert at.market.balance("vikram") == 800_00
