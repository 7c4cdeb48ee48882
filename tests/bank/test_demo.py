"""The demo bank: what it holds, that its books are right, that it is the same every time."""

from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bank import app
from bank.accounts import accounts
from bank.accounts.accounts import AccountCard
from bank.book import backdating, book_close
from bank.book.kinds import EntryKind
from bank.core.clock import FixedClock, in_india
from bank.core.desk import Bank, looking
from bank.core.errors import BadInput
from bank.core.permissions import STAFF, Role
from bank.core.secrets import Secret
from bank.counters import cash, slips
from bank.night import demo, demo_life, integrity
from bank.night.demo_people import is_open
from bank.office import announcements, approval_cards, approvals
from bank.people import branches, grants, passwords, sessions, sign_in, staff_list
from bank.people import demo as demo_people
from bank.people.attempts import SignInStatus, own_sign_ins
from tests.support.bank import move_clock
from tests.support.demo import DEMO_DAY, desk_of
from tests.support.server import run_bank
from tests.support.soak import times

FEW = 5  # named ones: several accounts, overdrafts, a hold, cash at every branch
EVERY_TABLE = (
    "SELECT ifsc, micr, name, address, opened_on FROM branches ORDER BY id",
    "SELECT username, role, name, email, branch_id, customer_id FROM users ORDER BY id",
    "SELECT number, name, date_of_birth, pan, email, mobile, branch_id FROM customers ORDER BY id",
    "SELECT number, customer_id, product_id, branch_id, opened_on FROM accounts ORDER BY id",
    "SELECT id, request_id, kind, narration, branch_id, actor_id, channel, booking_date, value_date"
    " FROM entries ORDER BY id",
    "SELECT entry_id, leg, gl_account_id, account_id, branch_id, amount_minor, line_no,"
    " balance_minor FROM postings ORDER BY entry_id, leg",
    "SELECT entry_id, kind, slip_number, account_id, person, cashier_id FROM cash_slips"
    " ORDER BY entry_id",
    "SELECT entry_id, from_account_id, to_account_id, amount_minor, note FROM transfers"
    " ORDER BY entry_id",
    "SELECT account_id, amount_minor, reason FROM holds ORDER BY id",
    "SELECT request_id, customer_id, branch_id, category, subject, about, opened_on,"
    " score FROM tickets ORDER BY id",
    "SELECT request_id, ticket_id, author_id, kind, body FROM ticket_posts ORDER BY id",
    "SELECT title, from_on, until_on FROM announcements ORDER BY id",
)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """bcrypt with as few rounds as it knows, and ten weeks: days take their time, and a whole
    year is seen in the demo that other tests share, and in the long run of the soak."""
    monkeypatch.setattr(passwords, "COST", 4)
    days = times(normal=70, soak=365)
    monkeypatch.setattr(demo, "_a_year_before", lambda day: day - timedelta(days=days))


def rows(bank: Bank, sql: str, **given: object) -> list[Any]:
    """What the database answers, as tuples."""
    with looking(app.system_desk(bank)) as tx:
        return [tuple(row) for row in tx.connection.execute(text(sql), given)]


def one(bank: Bank, sql: str, **given: object) -> Any:
    """The one value the database answers."""
    [[value]] = rows(bank, sql, **given)
    return value


def everything(bank: Bank) -> list[list[tuple[str, ...]]]:
    """All that a demo makes up, as text that is equal on both databases."""
    return [[tuple(map(str, row)) for row in rows(bank, sql)] for sql in EVERY_TABLE]


def own(bank: Bank, username: str) -> list[AccountCard]:
    """The accounts of one of the demo's customers."""
    return list(accounts.own_accounts(desk_of(bank, username)))


# What it holds.


@pytest.mark.feature("A1.13", "A14.3")
def test_the_demo_has_branches_every_role_and_a_year_of_entries(seen_demo: Bank) -> None:
    summary = demo.seed(app.system_desk(seen_demo))
    assert (summary.branches, summary.customers) == (3, 200)
    assert 25_000 <= summary.entries <= 42_000
    roles = dict(rows(seen_demo, "SELECT role, COUNT(*) FROM users GROUP BY role"))
    assert set(roles) == {role.value for role in Role if role is not Role.GUEST}
    assert summary.employees == sum(roles[role.value] for role in STAFF) >= 20
    months = rows(
        seen_demo,
        "SELECT substr(booking_date, 1, 7), COUNT(*) FROM entries GROUP BY 1 ORDER BY 1",
    )
    assert (months[0][0], months[-1][0]) == ("2024-11", "2025-11")
    assert all(count > 1_500 for _, count in months[1:-1])
    assert seen_demo.is_demo
    assert seen_demo.clock.business_date() == DEMO_DAY
    kinds = {kind for (kind,) in rows(seen_demo, "SELECT DISTINCT kind FROM entries")}
    assert kinds >= {
        "card",
        "cash_deposit",
        "cash_withdrawal",
        "clearing",
        "fee",
        "interest",
        "loan_instalment",
        "opening",
        "reversal",
        "transfer",
    }


@pytest.mark.feature("A9.4")
def test_every_kind_of_entry_can_be_chosen_in_the_journal(seen_demo: Bank) -> None:
    booked = {kind for (kind,) in rows(seen_demo, "SELECT DISTINCT kind FROM entries")}
    known = {kind.value for kind in EntryKind}
    assert len(booked) > 8
    assert booked <= known
    imported = {kind for (kind,) in rows(seen_demo, "SELECT DISTINCT kind FROM import_contra")}
    assert imported - {"cash"} <= known  # cash comes in as a deposit or a withdrawal


@pytest.mark.feature("A13.1", "B40")
def test_the_books_pass_every_check(demo_bank: Bank) -> None:
    results = integrity.verify(app.system_desk(demo_bank))
    assert len(results) > 10
    assert [result.line for result in results if not result.passed] == []


@pytest.mark.feature("A3.5")
def test_no_account_was_ever_below_its_limit_and_no_branch_without_cash(seen_demo: Bank) -> None:
    lowest = one(
        seen_demo,
        "SELECT MIN(p.balance_minor + b.overdraft_limit_minor)"
        " FROM postings p JOIN balances b ON b.account_id = p.account_id",
    )
    assert lowest >= 0
    cash_left = rows(
        seen_demo,
        "SELECT branch_id, MIN(held) FROM (SELECT p.branch_id, -SUM(p.amount_minor) OVER"
        " (PARTITION BY p.branch_id ORDER BY p.entry_id, p.leg) AS held FROM postings p"
        " JOIN gl_accounts g ON g.id = p.gl_account_id WHERE g.code = '1000') t GROUP BY 1",
    )
    assert len(cash_left) == 3
    assert all(least >= 0 for _, least in cash_left)


@pytest.mark.feature("A2.3", "A2.8")
def test_the_named_ones_show_what_the_pages_are_for(seen_demo: Bank) -> None:
    meera = own(seen_demo, "meera")
    assert [card.product_code for card in meera] == ["savings", "savings", "current"]
    assert meera[0].last_booking_date == DEMO_DAY
    [konkan], [mills] = own(seen_demo, "konkan"), own(seen_demo, "mills")
    assert -konkan.overdraft_limit_minor < konkan.booked_minor < 0
    assert mills.booked_minor == -mills.overdraft_limit_minor * 96 // 100
    [rohan], [arjun] = own(seen_demo, "rohan"), own(seen_demo, "arjun")
    assert rohan.available_minor == 42_50
    assert arjun.held_minor == 25_000_00
    assert arjun.available_minor == arjun.booked_minor - 25_000_00


@pytest.mark.feature("A2.8")
def test_one_customer_has_done_nothing_for_two_years(seen_demo: Bank) -> None:
    [(opened, kinds)] = rows(
        seen_demo,
        "SELECT a.opened_on, (SELECT GROUP_CONCAT(DISTINCT e.kind) FROM postings p"
        " JOIN entries e ON e.id = p.entry_id WHERE p.account_id = a.id)"
        " FROM accounts a JOIN customers c ON c.id = a.customer_id WHERE c.name = 'Vasant Kelkar'",
    )
    assert date.fromisoformat(opened) < DEMO_DAY - timedelta(days=2 * 365)
    assert set(kinds.split(",")) == {"opening", "interest"}


@pytest.mark.feature("A3.4", "A3.6")
def test_cash_is_booked_by_cashiers_of_the_branch_also_for_accounts_of_others(
    seen_demo: Bank,
) -> None:
    wrong = rows(
        seen_demo,
        "SELECT e.id FROM entries e JOIN users u ON u.id = e.actor_id"
        " LEFT JOIN cash_slips s ON s.entry_id = e.id"
        " WHERE e.kind IN ('cash_deposit', 'cash_withdrawal') AND (u.role <> 'cashier'"
        " OR u.branch_id <> e.branch_id OR e.channel <> 'branch' OR s.entry_id IS NULL)",
    )
    assert wrong == []
    elsewhere = one(
        seen_demo,
        "SELECT COUNT(*) FROM cash_slips s JOIN accounts a ON a.id = s.account_id"
        " WHERE s.branch_id <> a.branch_id",
    )
    assert elsewhere > 100


@pytest.mark.feature("A3.4", "A3.6")
def test_a_slip_of_the_demo_reads_like_one_of_the_counter(seen_demo: Bank) -> None:
    told = rows(
        seen_demo,
        "SELECT s.kind, u.username, a.number, ABS(p.amount_minor), s.slip_number, s.person,"
        " e.narration FROM cash_slips s JOIN entries e ON e.id = s.entry_id"
        " JOIN users u ON u.id = s.cashier_id JOIN accounts a ON a.id = s.account_id"
        " JOIN postings p ON p.entry_id = s.entry_id AND p.account_id = s.account_id"
        " WHERE s.person <> '' OR s.kind = 'cash_deposit' GROUP BY s.kind",
    )
    assert {kind for kind, *_ in told} == {slips.DEPOSIT, slips.WITHDRAWAL}
    for kind, cashier, number, amount, slip, person, narration in told:
        ahead = cash.preview_cash(desk_of(seen_demo, cashier), kind, number, amount, slip, person)
        assert ahead.narration == narration


@pytest.mark.feature("A3.1", "A3.7")
def test_transfers_are_the_customers_own(seen_demo: Bank) -> None:
    [(count, right)] = rows(
        seen_demo,
        "SELECT COUNT(*), SUM(t.entry_id IS NOT NULL AND c.amount_minor = -d.amount_minor"
        " AND u.customer_id = a.customer_id AND e.channel = 'portal') FROM entries e"
        " JOIN users u ON u.id = e.actor_id LEFT JOIN transfers t ON t.entry_id = e.id"
        " LEFT JOIN accounts a ON a.id = t.from_account_id"
        " LEFT JOIN postings d ON d.entry_id = e.id AND d.account_id = t.from_account_id"
        " LEFT JOIN postings c ON c.entry_id = e.id AND c.account_id = t.to_account_id"
        " AND c.amount_minor = t.amount_minor WHERE e.kind = 'transfer'",
    )
    assert count == right > 1_000


@pytest.mark.feature("A9.1")
def test_mistakes_were_reversed_by_the_branch_admin_and_booked_again(seen_demo: Bank) -> None:
    told = rows(
        seen_demo,
        "SELECT u.role, r.reason, f.actor_id <> r.actor_id, s.slip_number,"
        " (SELECT COUNT(*) FROM cash_slips again WHERE again.slip_number = s.slip_number"
        "  AND again.branch_id = s.branch_id AND again.booking_date = s.booking_date)"
        " FROM entries r JOIN entries f ON f.id = r.reverses_id JOIN users u ON u.id = r.actor_id"
        " JOIN cash_slips s ON s.entry_id = f.id",
    )
    assert len(told) == 3
    for role, reason, by_another, slip, how_often in told:
        assert (role, bool(by_another), how_often) == ("branch_admin", True, 2)
        assert slip in reason


def closings(bank: Bank) -> Iterator[tuple[int, date, dict[date, int], dict[date, int]]]:
    """Per savings account: its id, the first day, its closing balances and interest by day."""
    lines = rows(
        bank,
        "SELECT p.account_id, p.booking_date, e.kind, p.amount_minor, p.balance_minor"
        " FROM postings p JOIN entries e ON e.id = p.entry_id"
        " JOIN accounts a ON a.id = p.account_id JOIN products d ON d.id = a.product_id"
        " WHERE d.code = 'savings' ORDER BY p.account_id, p.line_no",
    )
    of_account: defaultdict[int, list[Any]] = defaultdict(list)
    for account_id, *line in lines:
        of_account[account_id].append(line)
    for account_id, its in of_account.items():
        balance: dict[date, int] = {}
        interest: dict[date, int] = {}
        for booked, kind, amount, after in its:
            day = date.fromisoformat(booked)
            # Interest and fees of a quarter's last evening come after the balance it is earned on.
            if kind == "interest":
                interest[day] = amount
            elif kind != "fee":
                balance[day] = after
        yield account_id, date.fromisoformat(its[0][0]), balance, interest


@pytest.mark.feature("A2.9", "A2.10")
def test_interest_is_what_the_daily_balances_earned_at_the_terms_in_force(seen_demo: Bank) -> None:
    """Worked out again from the lines: 3.5 % a year, 2.75 % from 1 July 2025, each quarter."""
    quarter_ends = [date(2024, 12, 31), date(2025, 3, 31), date(2025, 6, 30), date(2025, 9, 30)]
    checked = 0
    for account_id, first, balance, interest in closings(seen_demo):
        day, last, earned, due = first, 0, Decimal(0), {}
        after = {
            date.fromisoformat(booked): balance_minor
            for booked, balance_minor in rows(
                seen_demo,
                "SELECT booking_date, balance_minor FROM postings WHERE account_id = :account"
                " ORDER BY line_no",
                account=account_id,
            )
        }
        while day <= quarter_ends[-1]:
            last = balance.get(day, last)
            rate = Decimal("0.0350") if day < date(2025, 7, 1) else Decimal("0.0275")
            earned += last * rate / 365
            if day in quarter_ends:
                credited = int(earned.quantize(Decimal(1), ROUND_HALF_UP))
                if credited:
                    due[day] = credited
                earned = Decimal(0)
            last = after.get(day, last)  # with the evening's interest and fees
            day += timedelta(days=1)
        assert interest == due, account_id
        checked += len(due)
    assert checked > 500


@pytest.mark.feature("A3.6", "A8.7")
def test_today_has_something_for_every_cashier_and_branch(seen_demo: Bank) -> None:
    cashiers = rows(seen_demo, "SELECT username, branch_id FROM users WHERE role = 'cashier'")
    assert len(cashiers) == 6
    for username, _ in cashiers:
        kinds = {line.kind for line in slips.own_slips_today(desk_of(seen_demo, username))}
        assert kinds == {slips.DEPOSIT, slips.WITHDRAWAL}
    moved = rows(
        seen_demo,
        "SELECT branch_id, SUM(amount_minor > 0), SUM(amount_minor < 0) FROM postings"
        " WHERE account_id IS NOT NULL AND booking_date = :today GROUP BY branch_id",
        today=DEMO_DAY.isoformat(),
    )
    assert len(moved) == 3
    assert all(came > 0 and went > 0 for _, came, went in moved)


@pytest.mark.feature("A1.4", "A1.6", "A1.9")
def test_whoever_is_on_show_signs_in_with_the_password_on_show(demo_bank: Bank) -> None:
    guest = sessions.guest(demo_bank)
    shown = {person.role: person for person in reversed(demo_people.demo_codes(guest))}
    assert set(shown) == STAFF | {Role.CUSTOMER}
    for person in shown.values():
        name, password = Secret(person.username), Secret(demo_people.PASSWORD)
        step = sign_in.enter_password(guest, name, password)
        assert step.due is SignInStatus.CODE_DUE
        if person.code:
            code = demo_codes_now(demo_bank)[person.username]
            step = sign_in.enter_code(guest, step.token, Secret(code))
            assert step.due is SignInStatus.PASSED
        else:
            assert person.role is Role.CUSTOMER
            assert step.sent_to.endswith(".example")


def demo_codes_now(bank: Bank) -> dict[str, str]:
    """The codes of the devices at this moment, by user name."""
    return {person.username: person.code for person in demo_people.demo_codes(sessions.guest(bank))}


@pytest.mark.feature("A1.16", "A9.3")
def test_the_past_is_in_the_trail_and_in_the_sign_in_history(seen_demo: Bank) -> None:
    verbs = dict(rows(seen_demo, "SELECT verb, COUNT(*) FROM trail GROUP BY verb"))
    kinds = dict(rows(seen_demo, "SELECT kind, COUNT(*) FROM entries GROUP BY kind"))
    assert verbs["counters.cash.deposit"] == kinds["cash_deposit"]
    assert verbs["counters.transfers.post_transfer"] == kinds["transfer"]
    assert verbs["people.sign_in.open_session"] == verbs["people.sessions.sign_out"] > 100
    moments = [moment for (moment,) in rows(seen_demo, "SELECT at FROM trail ORDER BY id")]
    assert moments == sorted(moments)
    outcomes = {row.outcome for row in own_sign_ins(desk_of(seen_demo, "asha"))}
    assert SignInStatus.OPENED in outcomes


@pytest.mark.feature("A8.8", "B41", "B4")
def test_administration_has_something_to_show(seen_demo: Bank) -> None:
    """Grants in force and to come, somebody on leave, and a newcomer who waits for head office."""
    held = {
        (card.holder, card.named.value): card.state
        for card in grants.grants(desk_of(seen_demo, "dinshaw"))
    }
    assert held["Rohini Sathe", "vault_custodian"] == "in force"
    assert held["Pallavi Mane", "supervisor"] == "in force"
    assert held["Imran Shaikh", "vault_custodian"] == "coming"
    away = one(seen_demo, "SELECT status FROM users WHERE username = 'harish'")
    assert away == "locked"
    [waits] = approval_cards.decided(desk_of(seen_demo, "dinshaw"))
    assert waits.status == "expired", "this demo is of a day long ago"
    assert (waits.about, waits.maker_name) == ("Leela Tambe (leela)", "Vikram Nadkarni")
    lines = staff_list.employee_history(
        desk_of(seen_demo, "meenal"), desk_of(seen_demo, "harish").user_id or 0
    )
    assert [line.reason for line in lines] == ["On leave for two weeks"]


# That it is the same every time.


@pytest.mark.soak
@pytest.mark.feature("A13.3")
def test_the_same_day_gives_the_same_bank_on_both_databases(
    bank: Bank, quick: None, tmp_path: Path
) -> None:
    demo.seed(app.system_desk(bank), as_of=date(2026, 1, 5), customers=FEW)
    settings = bank.settings.model_copy(update={"data_dir": tmp_path, "database_url": ""})
    other = app.open_bank(settings, clock=FixedClock(datetime(2026, 9, 9, tzinfo=UTC)))
    demo.seed(app.system_desk(other), as_of=date(2026, 1, 5), customers=FEW)
    made, again = everything(bank), everything(other)
    other.db.close()
    assert len(made[4]) > times(normal=250, soak=800)
    assert made == again


def test_a_second_seeding_changes_nothing_and_takes_no_time(
    sqlite_bank: Bank, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = app.system_desk(sqlite_bank)
    first = demo.seed(desk, customers=FEW)
    assert first.made
    assert first.sentence.startswith("The demo bank is ready, as of 16 Mar 2026: 3 branches")
    before = everything(sqlite_bank)
    monkeypatch.setattr(passwords, "hash_password", None)  # the slow part: not even begun
    second = demo.seed(desk, as_of=date(2024, 1, 1), customers=FEW)
    assert second == replace(first, made=False)
    assert second.sentence.endswith("Nothing was changed.")
    assert everything(sqlite_bank) == before


def test_two_seedings_at_once_make_one_demo(bank: Bank, quick: None) -> None:
    with ThreadPoolExecutor(2) as pool:
        asked = [
            pool.submit(demo.seed, app.system_desk(bank), None, demo.FEWEST_CUSTOMERS)
            for _ in range(2)
        ]
        made = [future.result() for future in asked]
    assert sorted(summary.made for summary in made) == [False, True]
    assert made[0].entries == made[1].entries > 0


# What it refuses, and what is left when it is broken off.


def test_a_real_bank_is_left_alone(sqlite_bank: Bank) -> None:
    desk = app.system_desk(sqlite_bank)
    branches.add_branch(desk, "REAL0000001", "A real branch", "")
    with pytest.raises(demo.HoldsARealBank, match="holds a real bank"):
        demo.seed(desk)
    assert one(sqlite_bank, "SELECT COUNT(*) FROM branches") == 1
    assert not one(sqlite_bank, "SELECT COUNT(*) FROM bank_state WHERE is_demo")


@pytest.mark.parametrize("day", [date(2022, 12, 31), date(2026, 3, 17)])
def test_a_day_before_the_products_or_after_today_is_refused(sqlite_bank: Bank, day: date) -> None:
    with pytest.raises(demo.DemoDateNotPossible) as refused:
        demo.seed(app.system_desk(sqlite_bank), as_of=day)
    assert refused.value.field == "as_of"


def test_a_bank_without_customers_is_refused(sqlite_bank: Bank) -> None:
    with pytest.raises(BadInput) as refused:
        demo.seed(app.system_desk(sqlite_bank), customers=1)
    assert refused.value.field == "customers"


def test_a_seeding_that_is_broken_off_leaves_nothing(
    bank: Bank, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole_year = demo_life.a_year

    def half_a_year(town: Any) -> Any:
        for number, deed in enumerate(whole_year(town)):
            if number == 200:
                raise KeyboardInterrupt
            yield deed

    desk = app.system_desk(bank)
    with monkeypatch.context() as patch:
        patch.setattr(demo_life, "a_year", half_a_year)
        with pytest.raises(KeyboardInterrupt):
            demo.seed(desk, customers=demo.FEWEST_CUSTOMERS)
    assert one(bank, "SELECT COUNT(*) FROM entries") == 0
    assert one(bank, "SELECT COUNT(*) FROM branches") == 0
    assert demo.seed(desk, customers=demo.FEWEST_CUSTOMERS).made


# Today.


@pytest.mark.parametrize(
    "now",
    [
        datetime(2026, 3, 15, 21, 40, tzinfo=UTC),  # ten past three in the morning
        datetime(2026, 3, 22, 7, 0, tzinfo=UTC),  # a Sunday
    ],
)
def test_today_is_told_as_far_as_it_has_come(sqlite_bank: Bank, quick: None, now: datetime) -> None:
    move_clock(sqlite_bank, now)
    summary = demo.seed(app.system_desk(sqlite_bank), customers=40)
    today = sqlite_bank.clock.business_date()
    assert summary.business_date == today
    latest = one(sqlite_bank, "SELECT MAX(booked_at) FROM entries")
    assert latest <= now.replace(tzinfo=None).isoformat(" ", "microseconds")
    served = rows(
        sqlite_bank,
        "SELECT DISTINCT cashier_id FROM cash_slips WHERE booking_date = :today",
        today=today.isoformat(),
    )
    assert len(served) == 6


@pytest.mark.feature("A3.1")
def test_without_a_date_the_bank_goes_on_by_the_calendar(sqlite_bank: Bank, quick: None) -> None:
    demo.seed(app.system_desk(sqlite_bank), customers=demo.FEWEST_CUSTOMERS)
    assert rows(sqlite_bank, "SELECT is_demo, business_date FROM bank_state") == [(1, None)]
    [waits] = approval_cards.to_decide(desk_of(sqlite_bank, "dinshaw"))
    assert waits.about == "Leela Tambe (leela)"
    approvals.approve(desk_of(sqlite_bank, "dinshaw"), waits.id)
    assert one(sqlite_bank, "SELECT role FROM users WHERE username = 'leela'") == "cashier"


def test_the_command_line_makes_a_demo_once(tmp_path: Path) -> None:
    env = {"BANK_DATA_DIR": str(tmp_path)}
    first = run_bank("demo", "--as-of", "2025-01-31", "--customers", "3", env=env)
    assert first.returncode == 0, first.stderr
    assert "Making the demo bank: 3 customers" in first.stderr
    assert "ready, as of 31 Jan 2025: 3 branches" in first.stderr
    again = run_bank("demo", env=env)
    assert again.returncode == 0
    assert "Making" not in again.stderr
    assert "Nothing was changed." in again.stderr


def test_the_command_line_makes_none_where_none_is_wanted(tmp_path: Path) -> None:
    env = {"BANK_DATA_DIR": str(tmp_path), "BANK_DEMO": "false"}
    told = run_bank("demo", env=env)
    assert told.returncode == 0
    assert "no demo bank" in told.stderr
    assert not (tmp_path / "bank.db").exists()


@pytest.mark.feature("A6.4", "A7.3")
def test_the_branches_have_closed_the_last_days(seen_demo: Bank) -> None:
    found = rows(
        seen_demo,
        "SELECT business_date, COUNT(DISTINCT branch_id), COUNT(*) FROM branch_day_acts"
        " GROUP BY business_date ORDER BY business_date",
    )
    assert len(found) >= 250
    [[branches]] = rows(seen_demo, "SELECT COUNT(*) FROM branches")
    assert {(there, acts) for _, there, acts in found} == {(branches, branches)}
    assert all(str(day) < str(DEMO_DAY) for day, _, _ in found)


@pytest.mark.feature("B36")
def test_head_office_has_closed_the_months_by_two(seen_demo: Bank) -> None:
    head = desk_of(seen_demo, "dinshaw")
    acts = book_close.register(head)
    assert len(acts) >= 12
    assert [act.opens for act in acts].count(True) == 1
    assert {(act.by_name == head.name, act.agreed_by_name == head.name) for act in acts} == {
        (True, False)
    }
    assert all(is_open(in_india(act.at).date()) for act in acts), "not on a Sunday"
    assert book_close.standing(head).closed_through == date(2025, 10, 31)
    assert [row.days for row in backdating.limits(head)] == [31]
    kept = str(rows(seen_demo, "SELECT after FROM trail WHERE verb = 'book.book_close.close_book'"))
    assert "did not close" not in kept, "the branches do as they should"


def test_there_is_a_ticket_in_every_state_and_an_announcement(demo_bank: Bank) -> None:
    found = rows(
        demo_bank,
        "SELECT i.status, i.level, t.score FROM tickets t JOIN work_items i"
        " ON i.subject_id = t.id AND i.kind = 'ticket' ORDER BY t.id",
    )
    assert found == [
        ("decided", 0, 4),
        ("waiting", 0, None),
        ("unassigned", 1, None),
        ("unassigned", 0, None),
        ("unassigned", 0, None),
    ]
    # Whoever wrote was mailed then, and nothing of that leaves now (what staff is told today does).
    sent = rows(
        demo_bank,
        "SELECT status, sent_at - queued_at, count(*) FROM outbox"
        " WHERE purpose NOT IN ('grant', 'security') GROUP BY 1, 2",
    )
    assert sent == [("sent", 0, 9)]
    shown = announcements.current(desk_of(demo_bank, "meera"))
    assert [card.severity.value for card in shown] == ["info", "offer"]
    notes = rows(demo_bank, "SELECT body FROM ticket_posts WHERE kind = 'note'")
    assert notes
    mails = str(rows(demo_bank, "SELECT body FROM outbox"))
    assert all(note not in mails for (note,) in notes)
