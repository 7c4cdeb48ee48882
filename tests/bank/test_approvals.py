"""What becomes of a command that waits: splitting, second clicks, questions, time, races."""

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import pytest
from sqlalchemy.exc import DBAPIError

from bank import app
from bank.core.approvals import AlreadyDecided, AwaitingApproval, RequestReusedForApproval
from bank.core.checked import Checked
from bank.core.clock import FixedClock
from bank.core.desk import CATALOGUE, Tx
from bank.core.errors import BadInput, BankError, NotAllowed, NotFound, WrongState
from bank.core.ids import new_request_id
from bank.core.permissions import Role
from bank.core.secrets import Secret
from bank.counters import cash
from bank.counters.receipts import Receipt
from bank.office import approval_cards, approval_notices, approvals
from bank.office.approvals import AmountAgain, AmountDiffers, ApprovalExpired, NotTheMaker
from bank.people import identity
from bank.people.identity import UserStatus
from tests.house.test_permissions import load_catalogue
from tests.support.checkers import CASES, LAKH, Checking
from tests.support.market import FORT, pay_in
from tests.support.soak import times

pytestmark = pytest.mark.feature("B4", "C11")
load_catalogue()
SYSTEM: Final = "system"


def later(at: Checking, **by: float) -> None:
    """Move the bank's clock."""
    assert isinstance(at.market.bank.clock, FixedClock)
    at.market.bank.clock.at += timedelta(**by)


def next_day(at: Checking) -> None:
    """The next business date, with new drawers."""
    later(at, days=1)
    at.market.new_day()
    at.market.fund("ravi", "admin", note_500=1000)


def pay_out(at: Checking, amount_minor: int, who: str = "ravi", whose: str = "asha") -> Receipt:
    """One withdrawal with a slip of its own; a large one has its supervisor at the window."""
    slip = new_request_id()[:8].upper()
    number, vouched = at.market.number(whose), None
    if amount_minor > 2 * LAKH:
        vouched = at.market.vouch(amount_minor, slip, whose=whose, who=who)
    return cash.withdraw(
        at.desks[who], number, amount_minor, slip, vouched=vouched, request_id=new_request_id()
    )


def expire(at: Checking) -> int:
    """What the worker does every minute."""
    return approvals.expire_overdue(app.system_desk(at.market.bank))


# When it waits.


def test_the_limit_itself_is_paid_and_a_paisa_more_waits(checking: Checking) -> None:
    assert pay_out(checking, 5 * LAKH).amount_minor == 5 * LAKH
    with pytest.raises(AwaitingApproval):
        pay_out(checking, 1)
    assert checking.market.balance("asha") == 5 * LAKH


def test_cutting_it_into_small_ones_gains_nothing(checking: Checking) -> None:
    pay_out(checking, 3 * LAKH)
    with pytest.raises(AwaitingApproval):
        pay_out(checking, 3 * LAKH)
    [row] = approval_cards.own_approvals(checking.desks["ravi"])
    assert checking.card("ravi", row.id).compared_minor == 6 * LAKH
    pay_out(checking, 3 * LAKH, who="meera")  # another cashier has a sum of their own
    next_day(checking)
    pay_out(checking, 3 * LAKH)


def test_what_waits_counts_and_what_is_off_does_not(checking: Checking) -> None:
    waits = checking.ask("withdraw", amount_minor=5 * LAKH + 1)
    with pytest.raises(AwaitingApproval):
        pay_out(checking, 1)
    for row in approval_cards.own_approvals(checking.desks["ravi"]):
        approvals.withdraw(checking.desks["ravi"], row.id)
    assert pay_out(checking, LAKH).amount_minor == LAKH
    assert checking.status(waits.approval_id) == "withdrawn"


def test_other_accounts_and_what_was_reversed_are_left_out(checking: Checking) -> None:
    pay_in(checking.market, "vikram", 9 * LAKH)
    receipt = pay_out(checking, 5 * LAKH)
    pay_out(checking, 5 * LAKH, whose="vikram")
    checking.ask("reverse", entry_id=receipt.entry_id)
    checking.approve("vera")
    assert checking.market.balance("asha") == 10 * LAKH
    assert pay_out(checking, 5 * LAKH).amount_minor == 5 * LAKH


def test_blanks_in_the_number_hide_nothing(sqlite_checking: Checking) -> None:
    pay_out(sqlite_checking, 3 * LAKH)
    number = " ".join(sqlite_checking.market.number("asha"))
    with pytest.raises(AwaitingApproval):
        cash.withdraw(
            sqlite_checking.desks["ravi"], number, 3 * LAKH, "B2", request_id=new_request_id()
        )


def test_small_reversals_add_up(checking: Checking) -> None:
    first = checking.market.deposit("asha", 30_000_00, slip="A1").entry_id
    second = checking.market.deposit("asha", 30_000_00, slip="A2").entry_id
    CASES["reverse"].ask(checking_with(checking, entry_id=first))
    with pytest.raises(AwaitingApproval):
        CASES["reverse"].ask(checking_with(checking, entry_id=second))


def checking_with(at: Checking, **facts: Any) -> Checking:
    """The same bank with another request."""
    given = {"request_id": new_request_id(), "amount_minor": at.amount_minor} | facts
    return Checking(at.market, **given)


def test_an_amount_of_another_currency_is_never_small(sqlite_checking: Checking) -> None:
    at = sqlite_checking
    entry_id = pay_in(at.market, "asha", 5_00, "koruna")
    with pytest.raises(AwaitingApproval):
        CASES["reverse"].ask(checking_with(at, entry_id=entry_id))


def test_a_rule_that_begins_tomorrow_waits_until_then(sqlite_checking: Checking) -> None:
    at = sqlite_checking
    tomorrow = at.market.bank.clock.business_date() + timedelta(days=1)
    at.new_rule(
        "counters.cash.withdraw", role="cashier", amount_above_minor=LAKH, effective_from=tomorrow
    )
    pay_out(at, 2 * LAKH)
    next_day(at)
    with pytest.raises(AwaitingApproval):
        pay_out(at, 2 * LAKH)


def test_a_rule_without_checkers_ends_the_one_before(sqlite_checking: Checking) -> None:
    at = sqlite_checking
    at.new_rule("counters.cash.withdraw", role="cashier", checkers="")
    assert pay_out(at, 8 * LAKH).amount_minor == 8 * LAKH


def test_the_highest_level_decides(sqlite_checking: Checking) -> None:
    at = sqlite_checking
    at.new_rule("counters.cash.withdraw", level=2, amount_above_minor=7 * LAKH, checkers="reviewer")
    assert set(at.ask("withdraw").names) == {"Arun Nair", "Vera Lobo", "Nalini Bhave"}
    waits = at.ask("withdraw", amount_minor=8 * LAKH, request_id=new_request_id())
    assert waits.names == ("Nalini Bhave",)


# What it shows, and what is then done.


@pytest.mark.parametrize("case", ["withdraw", "deposit", "reverse"])
def test_the_lines_that_were_shown_are_the_lines_that_are_booked(
    checking: Checking, case: str
) -> None:
    checking.ask(case)
    shown = checking.card("vera").lines
    assert len(shown) == 2
    assert sum(line["amount_minor"] for line in shown) == 0
    checking.approve("vera")
    booked = checking.market.rows(
        "SELECT p.amount_minor, p.balance_minor, g.code FROM postings p"
        " JOIN gl_accounts g ON g.id = p.gl_account_id"
        f" JOIN entries e ON e.id = p.entry_id WHERE e.request_id = '{checking.request_id}'"
        " ORDER BY p.leg"
    )
    assert [(row["amount_minor"], row["balance_minor"], row["code"]) for row in booked] == [
        (line["amount_minor"], line["balance_minor"], line["ledger"].split()[0]) for line in shown
    ]


def test_nothing_of_a_rehearsal_stays(checking: Checking) -> None:
    before = checking.footprint()
    sums = "SELECT booked_minor, held_minor, lines FROM balances ORDER BY account_id"
    kept = checking.market.rows(sums)
    checking.ask("withdraw")
    checking.ask("record a cashier")
    assert checking.footprint() == before
    assert checking.market.rows(sums) == kept
    assert checking.market.rows("SELECT * FROM cash_slips") == []


def test_the_diff_of_a_reversal_is_on_the_card(sqlite_checking: Checking) -> None:
    sqlite_checking.ask("reverse")
    card = sqlite_checking.card()
    assert ("state", "booked", "reversed") in card.changes
    assert card.asked["reason"] == "typed twice"
    [on_record] = approval_notices.waiting_on(
        sqlite_checking.desks["auditor"], "entry", str(sqlite_checking.entry_id)
    )
    assert on_record.names == card.names


def test_it_is_the_makers_act_and_the_trail_knows_both(checking: Checking) -> None:
    checking.ask("withdraw")
    checking.approve("nalini", note="seen the passbook")
    verb = "verb = 'counters.cash.withdraw' AND outcome = 'done'"
    [done] = checking.market.rows(f"SELECT * FROM trail WHERE {verb}")
    assert (done["actor_name"], done["role"]) == ("Ravi Kumar", "cashier")
    details = json.loads(done["details"])
    assert (details["checker"], details["approval_id"]) == ("Nalini Bhave", 1)
    [decision] = checking.market.rows("SELECT * FROM trail WHERE verb = 'office.approvals.approve'")
    assert (decision["actor_name"], decision["object_kind"]) == ("Nalini Bhave", "approval")
    [entry] = checking.market.rows("SELECT actor_id FROM entries WHERE kind = 'cash_withdrawal'")
    assert entry["actor_id"] == checking.desks["ravi"].user_id
    assert len(checking.market.mails()) == 1, "the customer is told once"


@pytest.mark.feature("B2")
def test_the_same_click_meets_the_same_approval_and_then_the_receipt(checking: Checking) -> None:
    first = checking.ask("withdraw")
    second = checking.ask("withdraw")
    assert (first.is_new, second.is_new) == (True, False)
    assert first.approval_id == second.approval_id
    card = checking.approve("vera")
    assert checking.approve("vera").row == card.row, "the checker's second click"
    receipt = checking.again("withdraw")
    assert (receipt.amount_minor, receipt.by) == (6 * LAKH, "Ravi Kumar")
    assert checking.again("withdraw").reference == receipt.reference
    assert checking.market.balance("asha") == 4 * LAKH
    with pytest.raises(AlreadyDecided, match="Vera Lobo"):
        checking.approve("nalini")


def test_one_request_is_one_thing_of_one_person(checking: Checking) -> None:
    checking.ask("withdraw")
    with pytest.raises(RequestReusedForApproval):
        CASES["withdraw"].ask(
            Checking(checking.market, request_id=checking.request_id, amount_minor=7 * LAKH)
        )
    with pytest.raises(RequestReusedForApproval):
        cash.withdraw(
            checking.desks["meera"],
            checking.market.number("asha"),
            6 * LAKH,
            "W1",
            "Asha Rao",
            request_id=checking.request_id,
        )


def test_a_command_without_request_waits_once(checking: Checking) -> None:
    assert checking.ask("record a cashier").is_new
    assert not checking.ask("record a cashier").is_new
    approvals.reject(checking.desks["chief"], 1, "not this year")
    assert checking.ask("record a cashier").is_new, "what is over may be asked again"


# Questions, rejections, withdrawals.


def test_a_question_and_its_answer(checking: Checking) -> None:
    ravi, vera = checking.desks["ravi"], checking.desks["vera"]
    checking.ask("withdraw")
    approvals.add_note(ravi, 1, "For the wedding.")
    approvals.add_note(ravi, 1, "For the wedding.")
    approvals.send_back(vera, 1, "Is she here herself?")
    approvals.send_back(vera, 1, "Is she here herself?")
    assert checking.card("ravi").row.question == "Is she here herself?"
    with pytest.raises(AwaitingApproval, match="Is she here herself"):
        checking.again("withdraw")
    assert approval_cards.to_decide(vera) == []
    with pytest.raises(WrongState, match="Wait for the answer"):
        checking.approve("vera")
    approvals.answer(ravi, 1, "Yes, with her passport.")
    approvals.answer(ravi, 1, "Yes, with her passport.")
    with pytest.raises(WrongState, match="Nothing was asked"):
        approvals.answer(ravi, 1, "Once more.")
    assert checking.approve("vera").row.status == "executed"
    said = [(each.what, each.said) for each in checking.card().history]
    assert said == [
        ("asked", ""),
        ("noted", "For the wedding."),
        ("returned", "Is she here herself?"),
        ("pending", "Yes, with her passport."),
        (
            "executed",
            f"Booked as entry {checking.market.rows('SELECT MAX(id) AS n FROM entries')[0]['n']}.",
        ),
    ]


def test_a_rejection_has_a_reason_and_is_final(checking: Checking) -> None:
    checking.ask("withdraw")
    with pytest.raises(BadInput) as refused:
        approvals.reject(checking.desks["vera"], 1, "  ")
    assert refused.value.field == "reason"
    first = approvals.reject(checking.desks["vera"], 1, "No passbook")
    assert approvals.reject(checking.desks["vera"], 1, "No passbook").row == first.row
    with pytest.raises(AlreadyDecided, match="No passbook"):
        checking.again("withdraw")
    for decide in (
        lambda: checking.approve("nalini"),
        lambda: approvals.send_back(checking.desks["nalini"], 1, "why"),
        lambda: approvals.withdraw(checking.desks["ravi"], 1),
        lambda: approvals.answer(checking.desks["ravi"], 1, "please"),
        lambda: approvals.add_note(checking.desks["ravi"], 1, "please"),
    ):
        with pytest.raises(AlreadyDecided):
            decide()
    assert checking.market.balance("asha") == 10 * LAKH


def test_only_the_maker_withdraws_answers_and_notes(checking: Checking) -> None:
    checking.ask("withdraw")
    for who in ("vera", "nalini", "auditor", "chief"):
        with pytest.raises(NotTheMaker):
            approvals.withdraw(checking.desks[who], 1)
        with pytest.raises(NotTheMaker):
            approvals.answer(checking.desks[who], 1, "yes")
        with pytest.raises(NotTheMaker):
            approvals.add_note(checking.desks[who], 1, "yes")
    with pytest.raises(NotFound):
        approvals.withdraw(checking.desks["meera"], 1)
    assert approvals.withdraw(checking.desks["ravi"], 1).row.status == "withdrawn"
    assert approvals.withdraw(checking.desks["ravi"], 1).row.status == "withdrawn"
    assert checking.history()[1:] == [("withdrawn", "Ravi Kumar")]


@pytest.mark.parametrize("unknown", [0, 99])
def test_what_is_not_there_is_not_found(sqlite_checking: Checking, unknown: int) -> None:
    for verb in (approvals.approve, approvals.withdraw, approval_cards.approval_card):
        with pytest.raises(NotFound):
            verb(sqlite_checking.desks["vera"], unknown)


@pytest.mark.parametrize(
    ("text", "field"), [("x" * 301, "question"), ("a\x00b", "question"), ("", "question")]
)
def test_a_question_is_a_line_of_text(sqlite_checking: Checking, text: str, field: str) -> None:
    sqlite_checking.ask("withdraw")
    with pytest.raises(BadInput) as refused:
        approvals.send_back(sqlite_checking.desks["vera"], 1, text)
    assert refused.value.field == field


# Large amounts are typed again.


def test_a_large_amount_is_typed_again(checking: Checking) -> None:
    pay_in(checking.market, "asha", 10 * LAKH)
    checking.ask("withdraw", amount_minor=11 * LAKH)
    assert checking.card().wants_amount_again
    with pytest.raises(AmountAgain):
        checking.approve("vera")
    with pytest.raises(AmountDiffers, match="1,10,000"):
        checking.approve("vera", amount_again_minor=1_10_000_00)
    assert checking.market.balance("asha") == 20 * LAKH
    checking.approve("vera", amount_again_minor=11 * LAKH)
    assert checking.market.balance("asha") == 9 * LAKH


def test_what_is_large_in_small_ones_is_typed_again(checking: Checking) -> None:
    """Six lakh and six lakh are twelve, so the second is read from the paper."""
    pay_in(checking.market, "asha", 10 * LAKH)
    with pytest.raises(AwaitingApproval):
        pay_out(checking, 6 * LAKH)
    checking.approve("vera")
    with pytest.raises(AwaitingApproval) as waits:
        pay_out(checking, 6 * LAKH)
    key = waits.value.approval_id
    assert checking.card("vera", key).wants_amount_again
    with pytest.raises(AmountAgain):
        checking.approve("vera", key)
    with pytest.raises(AmountDiffers):  # the slip has its own amount, not the day's
        checking.approve("vera", key, amount_again_minor=12 * LAKH)
    checking.approve("vera", key, amount_again_minor=6 * LAKH)
    assert checking.market.balance("asha") == 8 * LAKH


def test_at_the_limit_it_is_not(sqlite_checking: Checking) -> None:
    sqlite_checking.ask("withdraw", amount_minor=10 * LAKH)
    assert not sqlite_checking.card().wants_amount_again
    assert sqlite_checking.approve("vera").row.status == "executed"


# Time.


def test_what_nobody_decides_expires(checking: Checking) -> None:
    checking.ask("withdraw")
    later(checking, hours=8)
    assert approval_cards.to_decide(checking.desks["vera"]) == []
    [row] = approval_cards.decided(checking.desks["vera"])
    assert row.status == "expired", "also before the worker has come by"
    with pytest.raises(AlreadyDecided, match="expired"):
        checking.again("withdraw")
    assert expire(checking) == 1
    assert expire(checking) == 0
    assert checking.status() == "expired"
    assert checking.history() == [("asked", "Ravi Kumar"), ("expired", SYSTEM)]
    with pytest.raises(AlreadyDecided):
        checking.approve("vera")


def test_a_decision_that_comes_too_late_finds_it_expired(checking: Checking) -> None:
    checking.ask("withdraw")
    later(checking, hours=7, minutes=59)
    assert expire(checking) == 0
    later(checking, minutes=1)
    with pytest.raises(ApprovalExpired):
        checking.approve("vera")
    assert checking.status() == "expired", "the refusal has written it down"
    assert checking.market.balance("asha") == 10 * LAKH


def test_a_question_does_not_stop_the_time(sqlite_checking: Checking) -> None:
    sqlite_checking.ask("withdraw")
    approvals.send_back(sqlite_checking.desks["vera"], 1, "why?")
    later(sqlite_checking, hours=9)
    with pytest.raises(ApprovalExpired):
        approvals.answer(sqlite_checking.desks["ravi"], 1, "because")
    assert sqlite_checking.status() == "expired"


def test_the_worker_closes_what_is_overdue(sqlite_checking: Checking) -> None:
    sqlite_checking.ask("withdraw")
    later(sqlite_checking, hours=9)

    class Twice(threading.Event):
        rounds = 0

        def wait(self, timeout: float | None = None) -> bool:
            self.rounds += 1
            return self.rounds > 2

    approvals.expire_forever(app.system_desk(sqlite_checking.market.bank), Twice())
    assert sqlite_checking.status() == "expired"
    trail = "SELECT * FROM trail WHERE verb = 'office.approvals.expire_overdue'"
    assert len(sqlite_checking.market.rows(trail)) == 1, "nothing is written where nothing is due"


# Many at once.


def all_at_once(deeds: list[Callable[[], object]]) -> list[object]:
    """Every deed in a thread of its own, from the same moment; what each answered or raised."""
    barrier = threading.Barrier(len(deeds))
    answers: list[object] = [None] * len(deeds)

    def do(at: int) -> None:
        barrier.wait()
        try:
            answers[at] = deeds[at]()
        except BankError as refused:
            answers[at] = refused

    threads = [threading.Thread(target=do, args=(at,)) for at in range(len(deeds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers


@pytest.mark.soak
@pytest.mark.feature("B2")
def test_the_makers_clicks_at_once_are_one_approval(checking: Checking) -> None:
    for _ in range(times(normal=3, soak=100)):
        at = checking_with(checking, amount_minor=6 * LAKH)
        answers = all_at_once([lambda at=at: at.again("withdraw") for _ in range(6)])
        assert {type(answer) for answer in answers} == {AwaitingApproval}
        assert len({answer.approval_id for answer in answers}) == 1  # type: ignore[attr-defined]
        assert sum(answer.is_new for answer in answers) == 1  # type: ignore[attr-defined]
        staff = all_at_once([lambda: checking.again("record a cashier") for _ in range(4)])
        assert {type(answer) for answer in staff} == {AwaitingApproval}
    open_staff = "SELECT 1 FROM approvals WHERE command = 'people.identity.record_staff'"
    assert len(checking.market.rows(open_staff)) == 1


@pytest.mark.soak
def test_windows_at_once_do_not_each_take_the_half_that_needs_nobody(checking: Checking) -> None:
    """Six windows of one cashier: of any account no more goes unchecked than of one window."""
    for _ in range(times(normal=3, soak=60)):
        answers = all_at_once([lambda: checking.market.deposit("asha", 4 * LAKH)] * 6)
        booked = [each for each in answers if isinstance(each, Receipt)]
        assert len(booked) == 2, "two are eight lakh, a third would be more than ten"
        assert {type(each) for each in answers} == {Receipt, AwaitingApproval}
        next_day(checking)


@pytest.mark.soak
def test_what_is_approved_meanwhile_counts(checking: Checking) -> None:
    """While a checker agrees to six lakh, another window finds them: as waiting or as paid."""
    for _ in range(times(normal=3, soak=60)):
        pay_in(checking.market, "asha", 10 * LAKH)
        checking.market.fund("ravi", "admin", note_500=2400)
        with pytest.raises(AwaitingApproval) as waits:
            pay_out(checking, 6 * LAKH)
        answers = all_at_once(
            [
                lambda key=waits.value.approval_id: checking.approve("vera", key),
                *[lambda: pay_out(checking, LAKH)] * 3,
            ]
        )
        assert [type(each) for each in answers[1:]] == [AwaitingApproval] * 3
        next_day(checking)


@pytest.mark.soak
@pytest.mark.feature("B2")
def test_it_is_decided_exactly_once(checking: Checking) -> None:
    desks = checking.desks
    for number in range(1, times(normal=4, soak=100) + 1):
        pay_in(checking.market, "asha", 6 * LAKH)
        checking.market.fund("ravi", "admin", note_500=1200)
        before = checking.market.balance("asha")
        at = checking_with(checking, amount_minor=6 * LAKH)
        slip = f"T{number}"

        def ask(at: Checking = at, slip: str = slip) -> object:
            number = at.market.number("asha")
            return cash.withdraw(
                at.desks["ravi"], number, at.amount_minor, slip, request_id=at.request_id
            )

        with pytest.raises(AwaitingApproval) as waits:
            ask()
        key = waits.value.approval_id
        all_at_once(
            [
                lambda key=key: approvals.approve(desks["vera"], key),
                lambda key=key: approvals.approve(desks["vera"], key),
                lambda key=key: approvals.approve(desks["admin"], key),
                lambda key=key: approvals.approve(desks["nalini"], key),
                lambda key=key: approvals.reject(desks["nalini"], key, "no"),
                lambda key=key: approvals.send_back(desks["admin"], key, "why?"),
                lambda key=key: approvals.withdraw(desks["ravi"], key),
                ask,
            ]
        )
        moved = before - checking.market.balance("asha")
        status = checking.status(key)
        assert moved == (6 * LAKH if status == "executed" else 0)
        last = {"executed", "rejected", "withdrawn", "returned"}
        ends = [what for what, _ in checking.history(key) if what in last - {"returned"}]
        assert len(ends) == (0 if status == "returned" else 1)
        assert status in last
        if status == "returned":
            approvals.withdraw(desks["ravi"], key)


# Secrets, records, declarations.


def test_a_password_is_kept_under_the_key_and_no_longer_than_needed(checking: Checking) -> None:
    hashed = "$2b$04$" + "x" * 53
    given = ("meera.s", "Meera", "m@bank.example.com", Role.CASHIER, FORT)
    with pytest.raises(AwaitingApproval):
        identity.record_staff(checking.desks["console"], *given, Secret(hashed))
    [row] = checking.market.rows("SELECT * FROM approvals")
    assert row["sealed"]
    assert hashed not in str(row)
    assert hashed not in str(checking.market.rows("SELECT * FROM trail"))
    checking.approve("admin")
    [row] = checking.market.rows("SELECT * FROM approvals")
    assert row["sealed"] is None
    [user] = checking.market.rows("SELECT * FROM users WHERE username = 'meera.s'")
    assert user["password_hash"] == hashed


def test_the_second_asking_shows_no_second_password(sqlite_checking: Checking) -> None:
    given = ("meera.s", "Meera", "m@bank.example.com", Role.CASHIER, FORT)
    first = identity.add_staff(sqlite_checking.desks["console"], *given)
    assert (first.user_id, first.username) == (None, "meera.s")
    assert first.waits is not None
    with pytest.raises(AwaitingApproval):
        identity.add_staff(sqlite_checking.desks["console"], *given)


@pytest.mark.parametrize("table", ["approval_events", "approval_accounts"])
def test_records_are_never_changed(checking: Checking, table: str) -> None:
    checking.ask("withdraw")
    for sql in (f"UPDATE {table} SET approval_id = 1", f"DELETE FROM {table}"):
        with pytest.raises(DBAPIError, match="never changed"):
            with checking.market.tx() as tx:
                tx.connection.exec_driver_sql(sql)


def test_every_checked_command_can_be_kept() -> None:
    for name, verb in CATALOGUE.items():
        if verb.check is not None:
            assert isinstance(verb.check, Checked)
            assert verb.check.troubles(verb.inner) == [], name


def test_a_declaration_that_would_keep_a_secret_is_found() -> None:
    def sign(tx: Tx, code: Secret, again: Secret | None, what: object, amount: int) -> None:
        """Sign."""

    def sound(tx: Tx, amount: int, code: Secret = Secret("")) -> None:  # noqa: B008
        """Sign."""

    assert Checked(amount="amount").troubles(sign) == [
        "code is a secret and is neither sealed nor dropped",
        "again is a secret and is neither sealed nor dropped",
    ]
    dropped = Checked(dropped=frozenset({"code", "again"}), account="number").troubles(sign)
    assert dropped == [
        "code is dropped and has no default",
        "again is dropped and has no default",
        "there is no number",
    ]
    assert Checked(amount="amount", dropped=frozenset({"code"})).troubles(sound) == []


def test_the_bank_itself_begins_only_while_nobody_could_agree(sqlite_checking: Checking) -> None:
    office = app.system_desk(sqlite_checking.market.bank)
    made = identity.add_staff(office, "new.head", "New Head", "n@b.example", Role.SUPER_ADMIN)
    assert made.waits is not None
    assert set(made.waits.names) == {"Dinshaw Merchant", "Chitra Iyer"}
    for who in ("head", "chief"):
        sqlite_checking.change_user(who, status=UserStatus.LOCKED)
    first = identity.add_staff(office, "first.head", "First Head", "f@b.example", Role.SUPER_ADMIN)
    assert first.user_id is not None
    done = "verb = 'people.identity.record_staff' AND outcome = 'done'"
    [row] = sqlite_checking.market.rows(f"SELECT details FROM trail WHERE {done}")
    assert "nobody works here yet who could decide" in row["details"]


@pytest.mark.parametrize("who", ["asha", "ravi", "auditor"])
def test_who_may_not_open_the_queue(sqlite_checking: Checking, who: str) -> None:
    with pytest.raises(NotAllowed):
        approval_cards.to_decide(sqlite_checking.desks[who])
