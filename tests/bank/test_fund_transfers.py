"""Money from account to account at the counter: booked by voucher, refused in words, told."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest

from bank.accounts import freezes
from bank.accounts.accounts import AccountIsClosed, FreezeKind, NoSuchAccountNumber
from bank.book import holds, journal, ledger, references
from bank.core.errors import BadInput, NotAllowed
from bank.core.ids import new_request_id
from bank.core.money import LARGEST_MINOR
from bank.counters import counts, fund_transfers, receipts, slips, supervision
from bank.counters.fund_transfers import FundsPreview, OwnInterest, RupeesOnly
from bank.counters.receipts import Receipt
from bank.counters.slips import TRANSFER, SlipAlreadyBooked
from bank.counters.supervision import SupervisorHasInterest, SupervisorNeeded
from bank.counters.transfers import PayeeAccountClosed, SameAccount
from bank.counters.window import SlipNumberMissing
from bank.night import integrity
from bank.people import customer_links, customers
from tests.bank.test_cash_rules import LAKH, device
from tests.bank.test_receipts import text_of
from tests.reports.tamper import without_guards
from tests.support import people
from tests.support.bank import NOON, move_clock
from tests.support.market import Market, pay_in


def asked(market: Market, **other: Any) -> dict[str, Any]:
    """Asha's voucher: 500 rupees to Vikram."""
    given = {
        "from_number": market.number("asha"),
        "to_number": market.number("vikram"),
        "amount_minor": 500_00,
        "voucher_number": "v-1",
        "remark": "rent",
    }
    return given | other


def move(market: Market, who: str = "ravi", **other: Any) -> Receipt:
    """Ravi books it."""
    named = {"request_id": new_request_id()} | other
    extra = {name: named.pop(name) for name in ("request_id", "vouched") if name in named}
    return fund_transfers.move_funds(market.desks[who], **asked(market, **named), **extra)


def ahead(market: Market, **other: Any) -> FundsPreview:
    """What Ravi sees before."""
    return fund_transfers.preview_funds(market.cashier, **asked(market, **other))


@pytest.fixture
def rich(market: Market) -> Market:
    """Asha has ten lakh."""
    pay_in(market, "asha", 10 * LAKH)
    return market


@pytest.fixture
def sqlite_rich(sqlite_market: Market) -> Market:
    """The same where the database makes no difference."""
    pay_in(sqlite_market, "asha", 10 * LAKH)
    return sqlite_market


@pytest.mark.feature("A3.5", "A3.7", "A3.9")
def test_money_moves_without_cash(rich: Market) -> None:
    seen = ahead(rich)
    assert (seen.payer.holder, seen.payee.holder) == ("Asha Rao", "Vikram Shah")
    assert seen.available_minor == 10 * LAKH
    assert (seen.voucher_number, seen.supervised) == ("V-1", "")
    drawer_before = rich.rows("SELECT * FROM cash_moves")
    receipt = move(rich)
    assert (rich.balance("asha"), rich.balance("vikram")) == (10 * LAKH - 500_00, 500_00)
    assert seen.payer.after_minor == receipt.balance_after_minor == rich.balance("asha")
    assert seen.payee.after_minor == rich.balance("vikram")
    assert (receipt.kind, receipt.slip_number, receipt.by) == (TRANSFER, "V-1", "Ravi Kumar")
    assert (receipt.holder, receipt.to_holder, receipt.note) == ("Asha Rao", "Vi•• S••", "rent")
    [entry] = rich.rows(f"SELECT * FROM entries WHERE id = {receipt.entry_id}")
    assert entry["narration"] == seen.narration == "Transfer at Fort, voucher V-1: rent"
    assert entry["branch_id"] == rich.cashier.branch_id
    [voucher] = rich.rows("SELECT * FROM fund_vouchers")
    assert (voucher["entry_id"], voucher["cashier_id"]) == (receipt.entry_id, rich.cashier.user_id)
    [kept] = rich.rows("SELECT amount_minor, sent_by FROM transfers")
    assert kept == {"amount_minor": 500_00, "sent_by": rich.cashier.user_id}
    assert rich.rows("SELECT * FROM cash_moves") == drawer_before
    assert rich.rows("SELECT * FROM cash_slips") == []


@pytest.mark.feature("A3.5")
def test_no_drawer_is_asked_for(sqlite_rich: Market) -> None:
    counts.start_count(sqlite_rich.cashier, sqlite_rich.drawers["ravi"])
    assert move(sqlite_rich).amount_minor == 500_00
    assert move(sqlite_rich, "gita", voucher_number="V-2").amount_minor == 500_00


@pytest.mark.feature("A3.5")
def test_any_account_of_the_bank_pays_any_other(sqlite_rich: Market) -> None:
    """Also between a holder's own accounts, and into an overdraft up to its limit."""
    current = sqlite_rich.number("asha", "current")
    move(sqlite_rich, from_number=current, to_number=sqlite_rich.number("asha"), voucher_number="1")
    assert sqlite_rich.balance("asha", "current") == -500_00
    assert len(sqlite_rich.mails("transfer")) == 1, "the holder is told once"
    pay_in(sqlite_rich, "vikram", 500_00)
    vikrams = sqlite_rich.number("vikram")
    move(sqlite_rich, from_number=vikrams, to_number=current, voucher_number="2")
    assert sqlite_rich.balance("vikram") == 0


@pytest.mark.feature("A10.1")
def test_both_holders_are_told(rich: Market) -> None:
    receipt = move(rich)
    sent, received = rich.mails("transfer")
    assert (sent["recipient"], received["recipient"]) == ("asha@example.com", "vikram@example.com")
    assert receipt.reference in sent["body"]
    assert receipt.reference in received["body"]
    assert "from Asha Rao" in received["body"]
    assert rich.number("asha") not in sent["body"] + received["body"]
    move(rich, to_number=rich.number("nila"), voucher_number="V-2")  # has no mail address
    assert len(rich.mails("transfer")) == 3


@pytest.mark.feature("B2")
def test_the_second_click_gets_the_first_receipt(rich: Market) -> None:
    once = new_request_id()
    first = move(rich, request_id=once)
    with rich.tx() as tx:
        tx.connection.exec_driver_sql("UPDATE branches SET name = 'Fort, Main Road'")
    rich.close_account("vikram")
    again = move(rich, request_id=once)
    assert again.entry_id == first.entry_id
    assert rich.balance("vikram") == 500_00
    assert len(rich.mails("transfer")) == 2
    assert len(rich.rows("SELECT * FROM fund_vouchers")) == 1


@pytest.mark.feature("B2")
@pytest.mark.parametrize(
    "other", [{"amount_minor": 501_00}, {"voucher_number": "V-2"}, {"remark": "gift"}]
)
def test_the_same_request_with_other_content_is_refused(
    sqlite_rich: Market, other: dict[str, Any]
) -> None:
    once = new_request_id()
    move(sqlite_rich, request_id=once)
    with pytest.raises(ledger.RequestReused):
        move(sqlite_rich, request_id=once, **other)
    with pytest.raises(ledger.RequestReused):
        move(sqlite_rich, request_id=once, to_number=sqlite_rich.number("nila"))
    assert sqlite_rich.balance("vikram") == 500_00


@pytest.mark.feature("B2")
def test_a_voucher_is_booked_once_a_day_unless_it_was_reversed(rich: Market) -> None:
    first = move(rich)
    with pytest.raises(SlipAlreadyBooked, match=f"Voucher V-1 was booked .* {first.reference}"):
        move(rich)
    with rich.tx(rich.desks["admin"]) as tx:
        ledger.reverse(tx, first.entry_id, reason="wrong account", request_id=new_request_id())
    move(rich, to_number=rich.number("nila"))
    assert (rich.balance("vikram"), rich.balance("nila")) == (0, 500_00)
    assert [row["again"] for row in rich.rows("SELECT again FROM fund_vouchers")] == [0, 1]
    pay_in(rich, "vikram", 500_00)
    back = {"from_number": rich.number("vikram"), "to_number": rich.number("asha")}
    move(rich, "meera", **back)  # another branch has vouchers of its own


@pytest.mark.feature("A13.4")
@pytest.mark.parametrize(
    ("other", "refusal", "field"),
    [
        ({"voucher_number": ""}, SlipNumberMissing, "voucher number"),
        ({"voucher_number": "?"}, SlipNumberMissing, "voucher number"),
        ({"amount_minor": 0}, BadInput, "amount"),
        ({"amount_minor": LARGEST_MINOR + 1}, BadInput, "amount"),
        ({"remark": "x" * 51}, BadInput, "narration"),
        ({"from_number": "12-34"}, BadInput, "from account"),
    ],
)
def test_what_is_wrong_names_its_field(
    sqlite_rich: Market, other: dict[str, Any], refusal: type[BadInput], field: str
) -> None:
    for call in (move, ahead):
        with pytest.raises(refusal) as refused:
            call(sqlite_rich, **other)
        assert refused.value.field == field
    assert sqlite_rich.rows("SELECT * FROM fund_vouchers") == []


@pytest.mark.feature("A3.5")
def test_what_stops_a_withdrawal_stops_this(rich: Market) -> None:
    holds.place_hold(
        rich.desks["admin"],
        account_id(rich, "asha"),
        9 * LAKH,
        "court",
        request_id=new_request_id(),
    )
    refusals: list[tuple[type[Exception], dict[str, Any]]] = [
        (ledger.InsufficientFunds, {"amount_minor": LAKH + 1}),
        (NoSuchAccountNumber, {"to_number": "999999999999"}),
        (NoSuchAccountNumber, {"from_number": "999999999999"}),
        (SameAccount, {"to_number": rich.number("asha")}),
        (RupeesOnly, {"to_number": rich.number("asha", "koruna")}),
        (RupeesOnly, {"from_number": rich.number("asha", "koruna")}),
    ]
    for refusal, other in refusals:
        for call in (move, ahead):
            with pytest.raises(refusal):
                call(rich, **other)
    assert ledger_lines(rich) == 2, "the opening alone"


def account_id(market: Market, who: str) -> int:
    """The id of somebody's savings account."""
    return int(
        market.rows(f"SELECT id FROM accounts WHERE number = '{market.number(who)}'")[0]["id"]
    )


def ledger_lines(market: Market) -> int:
    """How many lines the book has."""
    return int(market.rows("SELECT COUNT(*) AS n FROM postings")[0]["n"])


@pytest.mark.feature("A3.5")
@pytest.mark.parametrize(
    ("who", "refusal"), [("asha", AccountIsClosed), ("vikram", PayeeAccountClosed)]
)
def test_a_closed_account_neither_pays_nor_is_paid(
    sqlite_rich: Market, who: str, refusal: type[Exception]
) -> None:
    sqlite_rich.close_account(who)
    for call in (move, ahead):
        with pytest.raises(refusal):
            call(sqlite_rich)


@pytest.mark.feature("A3.5")
@pytest.mark.parametrize(
    ("who", "kind", "is_stopped"),
    [
        ("asha", FreezeKind.DEBIT, True),
        ("asha", FreezeKind.CREDIT, False),
        ("nila", FreezeKind.CREDIT, True),
        ("nila", FreezeKind.DEBIT, False),
        ("nila", FreezeKind.TOTAL, True),
    ],
)
def test_a_freeze_stops_one_side_or_both(
    rich: Market, who: str, kind: FreezeKind, is_stopped: bool
) -> None:
    freezes.place_freeze(
        rich.desks["admin"],
        rich.number(who),
        kind,
        "12/2026",
        "The court",
        request_id=new_request_id(),
    )
    nilas = rich.number("nila")
    if not is_stopped:
        assert move(rich, to_number=nilas).amount_minor == 500_00
        return
    for call in (move, ahead):
        with pytest.raises(freezes.AccountIsFrozen, match="order 12/2026"):
            call(rich, to_number=nilas)
    assert rich.balance("nila") == 0


@pytest.mark.feature("A1.13")
@pytest.mark.parametrize("who", ["asha", "banker", "admin", "auditor"])
def test_only_a_cashier_moves_funds(sqlite_rich: Market, who: str) -> None:
    with pytest.raises(NotAllowed):
        move(sqlite_rich, who)


def linked(market: Market, staff: str, who: str) -> None:
    """It is known that this employee is this customer."""
    with market.tx() as tx:
        known = customers.customer_by_id(tx, market.desks[who].customer_id or 0)
        customer_links.add_link(tx, market.desks[staff].user_id or 0, known.number)


@pytest.mark.feature("B4")
@pytest.mark.parametrize("who", ["asha", "vikram"])
def test_nobody_serves_their_own_account(rich: Market, who: str) -> None:
    linked(rich, "ravi", who)
    for call in (move, ahead):
        with pytest.raises(OwnInterest):
            call(rich)
    assert move(rich, "gita").amount_minor == 500_00


@pytest.mark.feature("B6")
def test_above_the_limit_a_supervisor_has_seen_it(rich: Market) -> None:
    large = {"amount_minor": 2 * LAKH + 1_00}
    said = ahead(rich, **large).supervised
    assert said == (
        f"Move ₹ 2,00,001.00 from account {rich.number('asha')} of Asha Rao to account "
        f"{rich.number('vikram')}, voucher V-1"
    )
    assert ahead(rich, amount_minor=2 * LAKH).supervised == ""
    with pytest.raises(SupervisorNeeded):
        move(rich, **large)
    proof = vouched(rich, said)
    with pytest.raises(SupervisorNeeded):  # good for this payee alone
        move(rich, to_number=rich.number("nila"), vouched=proof, **large)
    once = new_request_id()
    first = move(rich, vouched=proof, request_id=once, **large)
    assert move(rich, vouched=proof, request_id=once, **large) == first
    [voucher] = rich.rows("SELECT supervisor_id FROM fund_vouchers")
    assert voucher["supervisor_id"] == rich.desks["admin"].user_id
    with pytest.raises(SupervisorNeeded):
        move(rich, voucher_number="V-2", vouched=proof, **large)


@pytest.mark.feature("B4", "B6")
def test_small_vouchers_of_a_day_are_one_large_sum(rich: Market) -> None:
    move(rich, voucher_number="V-1", amount_minor=LAKH)
    assert ahead(rich, voucher_number="V-2", amount_minor=LAKH).supervised == ""
    more = {"voucher_number": "V-2", "amount_minor": LAKH + 1_00}
    said = ahead(rich, **more).supervised
    assert said == (
        f"Move ₹ 1,00,001.00 from account {rich.number('asha')} of Asha Rao to account "
        f"{rich.number('vikram')}, voucher V-2, in all ₹ 2,00,001.00 from this account "
        "today"
    )
    with pytest.raises(SupervisorNeeded):
        move(rich, **more)
    assert move(rich, "gita", **more).amount_minor == LAKH + 1_00  # her first of the day
    [first] = rich.rows("SELECT entry_id FROM fund_vouchers WHERE voucher_number = 'V-1'")
    with rich.tx() as tx:
        ledger.reverse(tx, first["entry_id"], reason="a slip", request_id=new_request_id())
    assert ahead(rich, voucher_number="V-3", amount_minor=2 * LAKH).supervised == ""
    move_clock(rich.bank, NOON + timedelta(days=1))
    assert ahead(rich, voucher_number="V-3", amount_minor=2 * LAKH).supervised == ""


@pytest.mark.feature("B4", "B6")
def test_windows_at_once_do_not_each_stay_below_the_limit(rich: Market) -> None:
    def moved(number: int) -> bool:
        try:
            move(rich, voucher_number=f"V-{number}", amount_minor=LAKH)
        except SupervisorNeeded:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(moved, range(6))) == 2
    assert rich.balance("asha") == 8 * LAKH


def vouched(market: Market, said: str) -> int:
    """The admin at Ravi's window."""
    code = people.device_code(market.bank, device(market, "admin"))
    return supervision.vouch(market.cashier, said, "admin.staff", code)


@pytest.mark.feature("B6")
@pytest.mark.parametrize("who", ["asha", "vikram"])
def test_a_supervisor_with_an_interest_does_not_stand_by(rich: Market, who: str) -> None:
    large = {"amount_minor": 2 * LAKH + 1_00}
    proof = vouched(rich, ahead(rich, **large).supervised)
    linked(rich, "admin", who)
    with pytest.raises(SupervisorHasInterest):
        move(rich, vouched=proof, **large)
    assert rich.balance("vikram") == 0


@pytest.mark.feature("B13")
def test_the_receipt_names_both_sides_and_says_duplicate(rich: Market) -> None:
    receipt = move(rich)
    first, second = (
        text_of(receipts.print_receipt(rich.cashier, receipt.reference)) for _ in range(2)
    )
    for said in ("Receipt: transfer", "Voucher number", "V-1", "Cashier", "Ravi Kumar", "Vi?? S??"):
        assert said.replace("?", "•") in first or said in first, said
    assert receipt.verify_code in first
    assert "DUPLICATE" not in first
    assert "DUPLICATE, copy 2" in second
    assert receipts.find_receipt(rich.desks["asha"], receipt.reference).slip_number == "V-1"
    with pytest.raises(receipts.NoSuchReceipt):
        receipts.find_receipt(rich.desks["vikram"], receipt.reference)


@pytest.mark.feature("A3.6", "A9.1")
def test_it_stands_among_the_slips_of_today(rich: Market) -> None:
    first = move(rich)
    rich.deposit("asha", 5_00, slip="D1")
    move(rich, "gita", voucher_number="V-2")
    with rich.tx(rich.desks["admin"]) as tx:
        ledger.reverse(tx, first.entry_id, reason="typed twice", request_id=new_request_id())
    paid_in, moved = slips.own_slips_today(rich.cashier)
    assert (paid_in.kind, paid_in.moved_minor) == (slips.DEPOSIT, None)
    assert (moved.kind, moved.slip_number, moved.moved_minor) == (TRANSFER, "V-1", 500_00)
    assert (moved.cash_in_minor, moved.cash_out_minor) == (None, None)
    assert (moved.is_reversed, moved.reference) == (True, first.reference)


@pytest.mark.feature("A9.1")
def test_the_trail_says_who_moved_what(rich: Market) -> None:
    ahead(rich)
    move(rich)
    [done] = rich.rows("SELECT * FROM trail WHERE verb = 'counters.fund_transfers.move_funds'")
    assert (done["outcome"], done["actor_name"]) == ("done", "Ravi Kumar")
    assert (done["object_kind"], done["object_id"]) == ("account", rich.number("asha"))
    assert f'"to_number":"{rich.number("vikram")}"' in done["details"]
    reads = rich.rows("SELECT object_id FROM trail WHERE outcome = 'read'")
    assert {row["object_id"] for row in reads} >= {rich.number("asha"), rich.number("vikram")}


@pytest.mark.feature("B2")
@pytest.mark.parametrize("amount_minor", [LAKH + LAKH // 2, 3 * LAKH])
def test_one_request_from_many_windows_is_one_transfer(rich: Market, amount_minor: int) -> None:
    """Below the limit twice would be above it, and the proof of a supervisor is good for once."""
    said = ahead(rich, amount_minor=amount_minor).supervised
    proof = vouched(rich, said) if said else None
    once, all_there = new_request_id(), Barrier(6)

    def moved(_: int) -> Receipt:
        all_there.wait(30)
        return move(rich, amount_minor=amount_minor, vouched=proof, request_id=once)

    with ThreadPoolExecutor(6) as pool:
        [receipt] = set(pool.map(moved, range(6)))
    assert rich.balance("vikram") == receipt.amount_minor == amount_minor
    assert len(rich.mails("transfer")) == 2


@pytest.mark.feature("A10.1")
def test_both_holders_are_told_of_a_reversal_in_the_journal(rich: Market) -> None:
    """The next day the cashier can no longer take it back."""
    receipt = move(rich)
    move_clock(rich.bank, NOON + timedelta(days=1))
    undone = journal.reverse_entry(
        rich.desks["admin"], receipt.entry_id, "not what was signed", new_request_id()
    )
    payer, payee = rich.mails("transfer")[-2:]
    assert (payer["recipient"], payee["recipient"]) == ("asha@example.com", "vikram@example.com")
    assert payer["subject"].startswith("Reversed: ₹ 500.00 sent from account ••••")
    assert payee["subject"].startswith("Reversed: ₹ 500.00 received in account ••••")
    assert "the amount was put back on your account" in payer["body"]
    assert "the amount was taken off your account" in payee["body"]
    reference = references.reference_of(undone.booking_date, undone.entry_id)
    for mail in (payer, payee):
        assert "by voucher V-1 at Fort" in mail["body"]
        assert f"Reference of the reversal {reference}" in mail["body"]
        assert "not what was signed" not in mail["body"], "the reason is for the bank"


@pytest.mark.feature("A10.1")
def test_a_reversal_between_own_accounts_is_told_once_and_without_an_address_not(
    sqlite_rich: Market,
) -> None:
    own = move(sqlite_rich, to_number=sqlite_rich.number("asha", "current"))
    other = move(sqlite_rich, voucher_number="V-2")
    with sqlite_rich.tx() as tx:
        tx.connection.exec_driver_sql("UPDATE customers SET email = NULL WHERE name LIKE 'Vikram%'")
    before = len(sqlite_rich.mails("transfer"))
    for receipt in (own, other):
        journal.reverse_entry(
            sqlite_rich.desks["admin"], receipt.entry_id, "a mistake", new_request_id()
        )
    told = sqlite_rich.mails("transfer")[before:]
    assert [mail["recipient"] for mail in told] == ["asha@example.com"] * 2


@pytest.mark.feature("A3.5", "A13.4")
@pytest.mark.parametrize(("side", "field"), [("from", "from account"), ("to", "to account")])
@pytest.mark.parametrize("typed", ["12-34", "999999999999"])
def test_a_refusal_names_which_account_it_is_about(
    sqlite_rich: Market, side: str, field: str, typed: str
) -> None:
    with pytest.raises((BadInput, NoSuchAccountNumber)) as refused:
        ahead(sqlite_rich, **{f"{side}_number": typed})
    assert refused.value.field == field


@pytest.mark.feature("B40")
@pytest.mark.parametrize(
    "broken",
    [
        "UPDATE transfers SET amount_minor = amount_minor + 1",
        "UPDATE transfers SET to_account_id = (SELECT MAX(id) FROM accounts)",
        "UPDATE fund_vouchers SET branch_id = branch_id + 1",
        "DELETE FROM transfers",
    ],
)
def test_a_voucher_that_says_something_else_than_the_book_is_found(
    rich: Market, broken: str
) -> None:
    move(rich)
    auditor = rich.desks["auditor"]
    assert integrity.run_check(auditor, "vouchers_have_transfer").rows == 0
    without_guards(rich.bank)
    with rich.tx() as tx:
        tx.connection.exec_driver_sql(broken)
    assert integrity.run_check(auditor, "vouchers_have_transfer").rows == 1
