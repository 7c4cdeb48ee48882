"""What the counter asks beside the money: PAN or Form 60, a supervisor, notes that add up."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bank.book.drafts import RequestReused
from bank.book.journal import reverse_entry
from bank.core.errors import BadInput, NotAllowed
from bank.core.ids import new_request_id
from bank.core.secrets import Secret
from bank.counters import cash, counts, drawer_views, supervision, vault
from bank.counters.declarations import PanNeeded, PanOrForm60
from bank.counters.receipts import Receipt
from bank.counters.supervision import SupervisorNeeded, SupervisorRefused
from bank.counters.tallies import NotTheAmount
from bank.people import codes
from bank.people.identity import User, UserStatus
from tests.support import people
from tests.support.bank import NOON, move_clock
from tests.support.market import Market, pay_in

LAKH = 1_00_000_00


# PAN or Form 60.


@pytest.mark.feature("B6")
def test_above_the_limit_of_a_day_pan_or_form_60_is_asked_for(market: Market) -> None:
    market.deposit("nila", 50_000_00)
    with pytest.raises(PanNeeded, match=r"pays in ₹ 50,000\.01 in cash today") as refused:
        market.deposit("nila", 1)
    assert refused.value.field == "pan"
    market.deposit("nila", 1, pan=" abcpd1234e ")
    [kept] = market.rows("SELECT pan, form_60, day_total_minor FROM cash_declarations")
    assert (kept["pan"], bool(kept["form_60"])) == ("ABCPD1234E", False)
    assert kept["day_total_minor"] == 50_000_01
    market.deposit("nila", 10_000_00)  # shown once, it counts for the rest of the day
    assert len(market.rows("SELECT * FROM cash_declarations")) == 1


@pytest.mark.feature("B6")
def test_form_60_is_as_good(market: Market) -> None:
    market.deposit("nila", 60_000_00, form_60=True)
    [kept] = market.rows("SELECT pan, form_60 FROM cash_declarations")
    assert (kept["pan"], bool(kept["form_60"])) == (None, True)


@pytest.mark.feature("B6")
def test_a_known_pan_answers_for_its_holder(market: Market) -> None:
    market.deposit("asha", 9 * LAKH)
    assert market.rows("SELECT * FROM cash_declarations") == []


@pytest.mark.feature("B6")
def test_the_day_is_counted_over_counters_and_anew_each_day(market: Market) -> None:
    market.deposit("nila", 30_000_00, desk=market.desks["meera"])
    with pytest.raises(PanNeeded):
        market.deposit("nila", 20_000_01)
    move_clock(market.bank, NOON + timedelta(days=1))
    market.new_day()
    market.deposit("nila", 50_000_00)


@pytest.mark.feature("B6")
def test_it_is_counted_over_all_accounts_of_the_holder(market: Market) -> None:
    with market.tx() as tx:
        tx.connection.exec_driver_sql("UPDATE customers SET pan = NULL WHERE name = 'Asha Rao'")
    market.deposit("asha", 30_000_00, "current")
    with pytest.raises(PanNeeded):
        market.deposit("asha", 20_000_01)
    market.deposit("asha", 20_000_00)


@pytest.mark.feature("B6")
def test_what_was_reversed_does_not_count(market: Market) -> None:
    wrong = market.deposit("nila", 40_000_00)
    reverse_entry(market.desks["admin"], wrong.entry_id, "wrong account", new_request_id())
    market.deposit("nila", 40_000_00)
    with pytest.raises(PanNeeded):  # the second one does
        market.deposit("nila", 10_000_01)


@pytest.mark.parametrize(
    ("paper", "refusal"),
    [
        ({"pan": "ABCPD1234"}, BadInput),
        ({"pan": "ABCXD1234E"}, BadInput),
        ({"pan": "ABCPD1234E", "form_60": True}, PanOrForm60),
    ],
)
def test_a_wrong_paper_names_its_field(
    sqlite_market: Market, paper: dict[str, Any], refusal: type[BadInput]
) -> None:
    with pytest.raises(refusal) as refused:
        sqlite_market.deposit("nila", 60_000_00, **paper)
    assert refused.value.field == "pan"
    assert sqlite_market.rows("SELECT * FROM entries") == []


@pytest.mark.feature("B6", "B2")
def test_a_replay_needs_no_second_paper(market: Market) -> None:
    once = new_request_id()
    first = market.deposit("nila", 60_000_00, form_60=True, request_id=once, slip="1")
    assert market.deposit("nila", 60_000_00, form_60=True, request_id=once, slip="1") == first
    assert len(market.rows("SELECT * FROM cash_declarations")) == 1


@pytest.mark.feature("B6")
def test_the_preview_says_what_will_be_asked(sqlite_market: Market) -> None:
    def ahead(who: str, amount_minor: int) -> cash.CashPreview:
        number = sqlite_market.number(who)
        return cash.preview_cash(sqlite_market.cashier, "cash_deposit", number, amount_minor, "9")

    sqlite_market.deposit("nila", 30_000_00)
    assert ahead("nila", 20_000_00).day_total_minor is None
    assert ahead("nila", 20_000_01).day_total_minor == 50_000_01
    assert ahead("asha", LAKH).day_total_minor is None
    assert ahead("nila", 20_000_01).supervised == ""


# A supervisor at the window.


@pytest.fixture
def rich(market: Market) -> Market:
    """Asha has five lakh, so has the drawer, and the supervisors of both branches have devices."""
    pay_in(market, "asha", 5 * LAKH)
    market.fund(note_500=1_000)
    return market


def device(market: Market, who: str) -> Secret:
    """Give somebody a device, or a new one; answers its key."""
    key = codes.new_totp_key()
    with market.tx() as tx:
        user = tx.session.get_one(User, market.desks[who].user_id)
        user.totp_secret = tx.bank.keyring.encrypt("totp", key.reveal())
        user.totp_last_step = 0
    return key


def sentence(market: Market, amount_minor: int, slip: str = "S1") -> str:
    """What a supervisor has to vouch for."""
    number = market.number("asha")
    return cash.preview_cash(
        market.cashier, "cash_withdrawal", number, amount_minor, slip
    ).supervised


def vouched(market: Market, said: str, who: str = "admin") -> int:
    """A supervisor at Ravi's window."""
    code = people.device_code(market.bank, device(market, who))
    return supervision.vouch(market.cashier, said, f"{who}.staff", code)


def pay(market: Market, amount_minor: int, slip: str = "S1", **named: Any) -> Receipt:
    """Ravi pays Asha."""
    named.setdefault("request_id", new_request_id())
    return cash.withdraw(market.cashier, market.number("asha"), amount_minor, slip, **named)


@pytest.mark.feature("B6")
def test_a_large_withdrawal_has_a_supervisor_on_slip_and_trail(rich: Market) -> None:
    assert sentence(rich, 2 * LAKH) == ""
    said = sentence(rich, 2 * LAKH + 1_00)
    number = rich.number("asha")
    assert said == (
        f"Pay ₹ 2,00,001.00 in cash from account {number} of Asha Rao, slip S1, at Fort"
    )
    with pytest.raises(SupervisorNeeded):
        pay(rich, 2 * LAKH + 1_00)
    pay(rich, 2 * LAKH + 1_00, vouched=vouched(rich, said))
    [slip] = rich.rows("SELECT supervisor_id FROM cash_slips")
    assert slip["supervisor_id"] == rich.desks["admin"].user_id
    [act] = rich.rows(
        "SELECT details FROM trail WHERE verb = 'counters.cash.withdraw' AND outcome = 'done'"
    )
    assert '"supervisor":"Arun Nair"' in act["details"]


@pytest.mark.feature("B6", "B2")
def test_the_proof_is_spent_once_and_the_second_click_needs_none(rich: Market) -> None:
    proof = vouched(rich, sentence(rich, 2 * LAKH + 1_00))
    once = new_request_id()
    first = pay(rich, 2 * LAKH + 1_00, vouched=proof, request_id=once)
    assert pay(rich, 2 * LAKH + 1_00, vouched=proof, request_id=once) == first
    with pytest.raises(SupervisorNeeded):
        pay(rich, 2 * LAKH + 1_00, slip="S2", vouched=proof)


@pytest.mark.feature("B6")
@pytest.mark.parametrize("change", ["amount", "slip", "session", "late", "left"])
def test_the_proof_is_good_for_this_alone(rich: Market, change: str) -> None:
    """Not for another amount or slip, another session, minutes later, or when they have left."""
    proof = vouched(rich, sentence(rich, 2 * LAKH + 1_00))
    amount, slip, desk = 2 * LAKH + 1_00, "S1", rich.cashier
    if change == "amount":
        amount += 1_00
    elif change == "slip":
        slip = "S2"
    elif change == "session":
        desk = replace(desk, session_id=rich.desks["gita"].session_id)
    elif change == "late":
        move_clock(rich.bank, NOON + timedelta(minutes=6))
    else:
        with rich.tx() as tx:
            tx.session.get_one(User, rich.desks["admin"].user_id).status = UserStatus.LOCKED
    with pytest.raises(SupervisorNeeded):
        cash.withdraw(
            desk, rich.number("asha"), amount, slip, vouched=proof, request_id=new_request_id()
        )
    assert rich.rows("SELECT * FROM cash_slips") == []


@pytest.mark.feature("B6")
@pytest.mark.parametrize("who", ["ravi", "gita", "banker", "admin_baner", "nobody", "asha"])
def test_who_may_not_supervise_is_refused(rich: Market, who: str) -> None:
    """The cashier himself, a colleague, a banker, another branch's admin, nobody, a customer."""
    said = sentence(rich, 2 * LAKH + 1_00)
    key = device(rich, who) if who in rich.desks else codes.new_totp_key()
    name = f"{who}.customer" if who == "asha" else f"{who}.staff"
    with pytest.raises(SupervisorRefused):
        supervision.vouch(rich.cashier, said, name, people.device_code(rich.bank, key))
    assert rich.rows("SELECT * FROM confirmations") == []


@pytest.mark.feature("B6")
def test_a_wrong_or_used_code_is_refused_and_guessing_is_locked(rich: Market) -> None:
    said = sentence(rich, 2 * LAKH + 1_00)
    key = device(rich, "admin")
    right = people.device_code(rich.bank, key)
    supervision.vouch(rich.cashier, said, "ADMIN.staff", right)
    with pytest.raises(SupervisorRefused):
        supervision.vouch(rich.cashier, said, "admin.staff", right)  # each code works once
    for _ in range(4):
        with pytest.raises(SupervisorRefused):
            supervision.vouch(rich.cashier, said, "admin.staff", people.wrong_code(right))
    move_clock(rich.bank, NOON + timedelta(minutes=1))
    fresh = people.device_code(rich.bank, key)
    with pytest.raises(SupervisorRefused):
        supervision.vouch(rich.cashier, said, "admin.staff", fresh)  # locked for a while
    told = rich.mails("locked")
    assert [mail["recipient"] for mail in told] == ["admin@bank.example.com"]
    assert "Supervising at a counter" in told[0]["body"]
    move_clock(rich.bank, NOON + timedelta(minutes=20))
    supervision.vouch(rich.cashier, said, "admin.staff", people.device_code(rich.bank, key))


def test_only_at_a_cashiers_window(sqlite_market: Market) -> None:
    for who in ("asha", "banker", "admin", "auditor"):
        with pytest.raises(NotAllowed):
            supervision.vouch(sqlite_market.desks[who], "x", "admin.staff", Secret("000000"))


# Notes and coins on a slip.


@pytest.mark.feature("B6")
def test_keyed_notes_add_up_to_the_amount(market: Market) -> None:
    receipt = market.deposit("asha", 1_650_00, pieces={"note-500": 3, "note-100": 1, "note-50": 1})
    rows = market.rows(
        "SELECT d.code, l.pieces FROM cash_slips s JOIN tally_lines l ON l.tally_id = s.tally_id"
        " JOIN denominations d ON d.id = l.denomination_id"
        f" WHERE s.entry_id = {receipt.entry_id} ORDER BY d.value_minor DESC"
    )
    assert [(row["code"], row["pieces"]) for row in rows] == [
        ("note-500", 3),
        ("note-100", 1),
        ("note-50", 1),
    ]
    attempts: list[Callable[[], object]] = [
        lambda: market.deposit("asha", 1_650_00, pieces={"note-500": 3}),
        lambda: pay(market, 100_00, pieces={"note-500": 1}),
    ]
    for attempt in attempts:
        with pytest.raises(NotTheAmount, match=r"add up to ₹ [\d,.]+, the amount is") as refused:
            attempt()
        assert refused.value.field == "notes and coins"
    pay(market, 500_00, pieces={"note-500": 1})


@pytest.mark.feature("B2")
@pytest.mark.parametrize("pieces", [None, {"note-100": 5}])
def test_the_same_request_with_other_notes_is_refused(sqlite_market: Market, pieces: Any) -> None:
    once = new_request_id()
    sqlite_market.deposit("asha", 500_00, slip="1", pieces={"note-500": 1}, request_id=once)
    with pytest.raises(RequestReused):
        sqlite_market.deposit("asha", 500_00, slip="1", pieces=pieces, request_id=once)


# The same proof for a difference at the close.


def short_by_500(market: Market) -> tuple[int, str]:
    """Ravi has counted 500 too little; the drawer, and what a supervisor vouches for."""
    drawer_id = market.drawers["ravi"]
    counts.start_count(market.cashier, drawer_id)
    counts.enter_count(market.cashier, drawer_id, {"note-500": 999})
    mine = drawer_views.own_drawer(market.cashier)
    assert mine is not None
    assert mine.sentence == f"Cash short ₹ 500.00, drawer {drawer_id} of Ravi Kumar, 16 Mar 2026"
    return drawer_id, mine.sentence


@pytest.mark.feature("B6")
def test_a_supervisor_accepts_a_difference_at_the_window(rich: Market) -> None:
    drawer_id, said = short_by_500(rich)
    for proof in (None, 4711):
        with pytest.raises(SupervisorNeeded):
            counts.settle_vouched(
                rich.cashier, drawer_id, "Not found", proof, request_id=new_request_id()
            )
    proof, once = vouched(rich, said), new_request_id()
    with pytest.raises(BadInput) as refused:
        counts.settle_vouched(rich.cashier, drawer_id, " ", proof, request_id=once)
    assert refused.value.field == "reason"
    entry = counts.settle_vouched(rich.cashier, drawer_id, "Not found", proof, request_id=once)
    again = counts.settle_vouched(rich.cashier, drawer_id, "Not found", proof, request_id=once)
    assert again == entry
    [row] = rich.rows(f"SELECT settled_by, note FROM drawers WHERE id = {drawer_id}")
    assert row == {"settled_by": rich.desks["admin"].user_id, "note": "Not found"}
    with pytest.raises(vault.YouSettledIt):  # who signs for it does not hold the cash
        vault.close_drawer(rich.desks["admin"], drawer_id)
    vault.close_drawer(rich.custodian, drawer_id)


@pytest.mark.feature("B6")
def test_a_proof_for_another_count_settles_nothing(rich: Market) -> None:
    drawer_id, said = short_by_500(rich)
    proof = vouched(rich, said)
    counts.send_back(rich.desks["admin"], drawer_id, "Look again")
    counts.start_count(rich.cashier, drawer_id)
    counts.enter_count(rich.cashier, drawer_id, {"note-500": 900})
    with pytest.raises(SupervisorNeeded):
        counts.settle_vouched(
            rich.cashier, drawer_id, "Not found", proof, request_id=new_request_id()
        )
    assert rich.rows("SELECT * FROM entries WHERE kind = 'cash_short'") == []
