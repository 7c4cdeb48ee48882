"""Each integrity check passes on an honest book and fails on the book that it is there to find."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from bank.book import ledger
from bank.book.drafts import Draft
from bank.core.desk import Bank, chunk
from bank.core.errors import NotAllowed
from bank.core.permissions import Role
from bank.night import integrity
from tests.bank.test_ledger_rules import cash_in, move, open_at
from tests.bank.test_seals import seal_all
from tests.reports.tamper import tamper
from tests.reports.town import TODAY, Town
from tests.support.bank import NOON, desk, move_clock, staff
from tests.support.server import run_bank

pytestmark = pytest.mark.feature("B40", "B1", "B3")


def failing(town: Town) -> dict[str, int]:
    """Checks that fail, with the number of rows each found."""
    results = integrity.run_checks(town.desk(Role.AUDITOR))
    return {result.name: result.rows for result in results if not result.passed}


def test_an_honest_book_passes_every_check(honest_town: Town) -> None:
    results = integrity.verify(honest_town.system)
    assert {result.name for result in results} == set(integrity.catalogue())
    assert [result.line for result in results if result.passed] == [
        f"ok {name}" for name in integrity.catalogue()
    ]


def test_an_empty_book_passes_every_check(bank: Bank) -> None:
    assert failing(Town(bank)) == {}


@dataclass(frozen=True)
class Break:
    """A way to break the book: the check that must see it, the SQL, the rows it finds. What moves
    cash in the book alone is missed in vault and drawers, too (`cash`: so many rows)."""

    check: str
    sql: tuple[str, ...]
    rows: int = 1
    cash: int = 0

    @property
    def found(self) -> dict[str, int]:
        """The checks that fail, with the rows each finds."""
        return {self.check: self.rows} | ({"cash_lies_somewhere": self.cash} if self.cash else {})


GL = "(SELECT id FROM gl_accounts WHERE code = '{}')"
OWN_LINE = f"gl_account_id = {GL.format('3000')} AND entry_id = 1"
ASHA = "account_id = (SELECT MIN(account_id) FROM balances)"
FIRST = "id = (SELECT MIN(id) FROM accounts)"
ADMIN = "(SELECT MAX(id) FROM users)"
VAULT = "drawer_id IS NULL AND branch_id = 1"
ENTRY = (
    "INSERT INTO entries (id, request_id, content_hash, kind, narration, branch_id, actor_id,"
    " channel, booked_at, booking_date, value_date, reverses_id, reason)"
    " SELECT {id}, {request}, content_hash, kind, narration, branch_id, {actor}, channel,"
    " booked_at, booking_date, value_date, {reverses}, {reason} FROM entries WHERE id = {of}"
)
LINES = (
    "INSERT INTO postings SELECT {id}, leg, gl_account_id, account_id, branch_id, currency,"
    " {sign} * amount_minor, booking_date, value_date, line_no, balance_minor, txid"
    " FROM postings WHERE entry_id = {of}"
)


def entry(id: int, of: int, **changed: str) -> str:
    """A forged entry, like entry `of` but for what is given."""
    given = {"request": f"'forged-{id}'", "actor": "actor_id", "reverses": "NULL", "reason": "NULL"}
    return ENTRY.format(id=id, of=of, **(given | changed))


def lines(id: int, of: int, sign: int = 1) -> str:
    """The lines of entry `of` again, under another entry."""
    return LINES.format(id=id, of=of, sign=sign)


def batch(id: int, status: str, folder: str = "books", strict: str = "FALSE") -> str:
    """An import as the bank remembers it."""
    return (
        "INSERT INTO import_batches (id, folder, strict, status, started_at, started_by, entries,"
        " accounts, new_entries, rejected, balance_differences) VALUES"
        f" ({id}, '{folder}', {strict}, '{status}', '2026-03-16 06:30:00', 1, 0, 0, 0, 0, 0)"
    )


def day_closed(drawer_id: int) -> str:
    """The day of this drawer's branch is closed, in a year to come."""
    return (
        "INSERT INTO branch_day_acts (id, branch_id, business_date, act, at, by_id, by_name,"
        " vault_minor, reason) SELECT 1, branch_id, business_date, 'closed',"
        f" '2100-01-01 00:00:00', {ADMIN}, 'Arun Nair', 0, '' FROM drawers WHERE id = {drawer_id}"
    )


def book_closed(id: int, last_entry_id: int, came_late: int = 0, through: str = "") -> str:
    """The book is closed through a day, the one of entry 1 unless told otherwise, as if no entry
    had been there but the first ones."""
    day = f"'{through}'" if through else "(SELECT booking_date FROM entries WHERE id = 1)"
    return (
        "INSERT INTO book_closings (id, closed_through, was_through, entries, last_entry_id,"
        f" came_late, at, by_id, by_name, reason) VALUES ({id}, {day}, NULL, 0, {last_entry_id},"
        f" {came_late}, '2026-03-16 06:30:00', 1, 'Head', '')"
    )


def frozen(kind: str, before: str, after: str = "NULL") -> str:
    """An order stood on Asha's account from one of its lines to another; the last are slips."""
    lifted = "NULL" if after == "NULL" else "'2026-03-16 06:30:00'"
    return (
        "INSERT INTO account_freezes (id, account_id, kind, order_reference, reason, request_id,"
        " placed_at, placed_by, placed_by_name, lines_before, lifted_at, lines_after)"
        f" SELECT 1, account_id, '{kind}', '12/2026', '', 'f', '2026-03-16 06:30:00', 1, 'Head',"
        f" {before}, {lifted}, {after} FROM balances WHERE {ASHA}"
    )


# Entries 1 to 3 hold capital against cash: no customer's account is on them.
BREAKS = {
    "an amount changed": Break(
        "entries_balance",
        (f"UPDATE postings SET amount_minor = amount_minor - 1 WHERE {OWN_LINE}",),
    ),
    "money moved to another branch": Break(
        "entries_balance",
        (f"UPDATE postings SET branch_id = branch_id + 1 WHERE {OWN_LINE}",),
        rows=2,
    ),
    "a currency changed": Break(
        "entries_balance", (f"UPDATE postings SET currency = 'USD' WHERE {OWN_LINE}",), rows=2
    ),
    "an entry without lines": Break("entries_have_lines", (entry(9001, 1),)),
    "an entry whose lines were deleted": Break(
        "entries_have_lines", ("DELETE FROM postings WHERE entry_id = 2",), cash=1,
    ),
    "lines without an entry": Break("lines_have_entry", (lines(9002, 1),), rows=2, cash=1,
    ),
    "an entry deleted": Break("lines_have_entry", ("DELETE FROM entries WHERE id = 3",), rows=2),
    "a line with another booking date": Break(
        "lines_have_entry", (f"UPDATE postings SET booking_date = '2026-01-01' WHERE {OWN_LINE}",)
    ),
    "a line with another value date": Break(
        "lines_have_entry", (f"UPDATE postings SET value_date = '2026-01-01' WHERE {OWN_LINE}",)
    ),
    "a balance edited": Break(
        "balances_are_sums", (f"UPDATE balances SET booked_minor = booked_minor + 1 WHERE {ASHA}",)
    ),
    "a running balance edited": Break(
        "running_balance",
        (f"UPDATE postings SET balance_minor = balance_minor + 1 WHERE {ASHA} AND line_no = 2",),
        rows=2,  # the line itself and the one after it
    ),
    "a line number skipped": Break(
        "running_balance",
        (f"UPDATE postings SET line_no = 1000 WHERE {ASHA} AND line_no = "
         f"(SELECT MAX(line_no) FROM postings WHERE {ASHA})",),
        rows=2,  # the gap, and the count of lines on the balance
    ),
    "a count of lines edited": Break(
        "running_balance", (f"UPDATE balances SET lines = lines + 1 WHERE {ASHA}",)
    ),
    "a held amount edited": Break(
        "holds_are_held", (f"UPDATE balances SET held_minor = held_minor - 1 WHERE {ASHA}",)
    ),
    "a hold deleted": Break("holds_are_held", ("DELETE FROM holds WHERE released_at IS NULL",)),
    "a limit taken back": Break(
        "limits_kept", (f"UPDATE balances SET overdraft_limit_minor = -100000000 WHERE {ASHA}",)
    ),
    "a reversal of another amount": Break(
        "reversals_are_opposite",
        (entry(9003, 1, reverses="1", reason="'x'", actor=ADMIN), lines(9003, 2, -1)), cash=1,
    ),
    "a reversal without a reason": Break(
        "reversals_are_opposite",
        ("UPDATE entries SET reason = ' ' WHERE reverses_id IS NOT NULL",),
    ),
    "a reversal of nothing": Break(
        "reversals_are_opposite",
        ("UPDATE entries SET reverses_id = 777777 WHERE reverses_id IS NOT NULL",),
    ),
    "a reversal of a reversal": Break(
        "reversals_are_opposite",
        (
            entry(9004, 1, reverses="1", reason="'x'", actor=ADMIN), lines(9004, 1, -1),
            entry(9005, 1, reverses="9004", reason="'x'", actor="1"), lines(9005, 1),
        ),
    ),
    "an entry reversed twice": Break(
        "reversals_are_single",
        (
            entry(9006, 1, reverses="1", reason="'x'", actor=ADMIN), lines(9006, 1, -1),
            entry(9007, 1, reverses="1", reason="'x'", actor=ADMIN), lines(9007, 1, -1),
        ), cash=1,
    ),
    "a reversal by the poster": Break(
        "reversals_by_another",
        (entry(9008, 1, reverses="1", reason="'x'"), lines(9008, 1, -1)), cash=1,
    ),
    "a request booked twice": Break(
        "requests_unique", (entry(9009, 1, request="request_id"), lines(9009, 1)), cash=1,
    ),
    "a line moved to the inter-branch account": Break(
        "inter_branch_nets",
        (f"UPDATE postings SET gl_account_id = {GL.format('1900')} WHERE {OWN_LINE}",),
    ),
    "a customer's line on another control account": Break(
        "control_accounts",
        (f"UPDATE postings SET gl_account_id = {GL.format('2010')} WHERE {ASHA} AND line_no = 1",),
        rows=2,
    ),
    "a control account without a customer": Break(
        "control_accounts",
        (f"UPDATE postings SET gl_account_id = {GL.format('2000')} WHERE {OWN_LINE}",),
    ),
    "an entry of a branch that is none": Break(
        "entries_name_known", ("UPDATE entries SET branch_id = 4711 WHERE id = 1",), rows=2
    ),
    "an entry by nobody": Break(
        "entries_name_known", ("UPDATE entries SET actor_id = 4711 WHERE id = 1",), rows=2
    ),
    "a currency that is none": Break(
        "entries_name_known", ("UPDATE postings SET currency = 'inr' WHERE entry_id = 1",),
        rows=2, cash=2,
    ),
    "a waiver left open": Break(
        "waivers_closed",
        ("INSERT INTO floor_waivers (id, account_id, batch_id, channel, source, granted_at,"
         " granted_by) SELECT 1, MIN(account_id), 1, 'import', 'x', '2026-03-16 06:30:00', 1"
         " FROM balances",),
    ),
    "a booking in the future": Break(
        "booking_dates_sane",
        ("UPDATE entries SET booking_date = '2026-03-17' WHERE id = 1",
         "UPDATE postings SET booking_date = '2026-03-17' WHERE entry_id = 1"),
    ),
    "a booking of another century": Break(
        "booking_dates_sane",
        ("UPDATE entries SET booking_date = '1899-12-31' WHERE id = 1",
         "UPDATE postings SET booking_date = '1899-12-31' WHERE entry_id = 1"),
    ),
    "an account without its balance": Break(
        "accounts_have_balance", (f"UPDATE accounts SET id = 4242 WHERE {FIRST}",), rows=2
    ),
    "an account of another branch than its balance": Break(
        "accounts_have_balance", (f"UPDATE accounts SET branch_id = 3 WHERE {FIRST}",)
    ),
    "an account in another currency than its balance": Break(
        "accounts_have_balance", (f"UPDATE accounts SET currency = 'USD' WHERE {FIRST}",)
    ),
    "an import broken off": Break("imports_finished", (batch(1, "started"),)),
    "an import broken off after it was whole": Break(
        "imports_finished", (batch(1, "imported"), batch(2, "started"))
    ),
    "one of another folder finished": Break(
        "imports_finished", (batch(1, "started"), batch(2, "imported", folder="others"))
    ),
    "a move of cash that never was": Break(
        "cash_lies_somewhere", (f"DELETE FROM cash_moves WHERE {VAULT} AND kind = 'carried'",)
    ),
    "cash moved to another branch's vault": Break(
        "cash_lies_somewhere",
        (f"UPDATE cash_moves SET branch_id = 2 WHERE {VAULT} AND kind = 'issued'",),
        rows=2,
    ),
    "a slip taken out of its drawer": Break(
        "cash_lies_somewhere",
        ("UPDATE cash_slips SET drawer_id = NULL WHERE drawer_id = 2 AND slip_number = '21'",),
    ),
    "cash left in a closed drawer": Break(
        "closed_drawers_are_empty",
        ("UPDATE cash_moves SET amount_minor = amount_minor + 5 WHERE kind = 'taken_back'"
         " AND drawer_id = 1",
         f"UPDATE cash_moves SET amount_minor = amount_minor - 5 WHERE kind = 'taken_back'"
         f" AND {VAULT}"),
    ),
    "more paid out of a drawer than it had": Break(
        "closed_drawers_are_empty",
        ("UPDATE cash_moves SET amount_minor = -900000 WHERE kind = 'issued' AND drawer_id = 2",
         "UPDATE cash_moves SET amount_minor = amount_minor + 1100000 WHERE id ="
         f" (SELECT MAX(id) FROM cash_moves WHERE kind = 'issued' AND {VAULT})"),
    ),
    "a slip paid into an account under a credit freeze": Break(
        "freezes_kept",
        (frozen("credit", "lines - 2", after="lines - 1"),),
    ),
    "an order that the account does not know of": Break(
        "freezes_stand", (frozen("total", "lines"),)
    ),
    "an account frozen by nobody": Break(
        "freezes_stand", (f"UPDATE accounts SET frozen = 'total' WHERE {FIRST}",)
    ),
    "a slip in a colleague's drawer": Break(
        "slips_in_own_drawer",
        ("UPDATE cash_slips SET cashier_id = cashier_id + 1 WHERE slip_number = '21'",),
    ),
    "a voucher of what is no transfer": Break(
        "vouchers_have_transfer",
        ("INSERT INTO fund_vouchers (entry_id, branch_id, booking_date, voucher_number, again,"
         " cashier_id) SELECT id, branch_id, booking_date, 'V1', 0, actor_id FROM entries"
         " WHERE id = 1",),
    ),
    "a slip in a drawer of another day": Break(
        "slips_in_own_drawer",
        ("UPDATE drawers SET business_date = '2026-03-15' WHERE id = 2",),
        rows=2,
    ),
    "a drawer asked for after the close of the day": Break(
        "closed_days_hold_no_drawer",
        (day_closed(1), "UPDATE drawers SET requested_at = '2101-01-01 00:00:00' WHERE id = 1"),
        rows=2,  # and drawer 2, which is open
    ),
    "a drawer handed over after it": Break(
        "closed_days_hold_no_drawer",
        (day_closed(1), "UPDATE drawers SET opened_at = '2101-01-01 00:00:00' WHERE id = 1"),
        rows=2,  # and drawer 2, which is open
    ),
    "a drawer taken back after it": Break(
        "closed_days_hold_no_drawer",
        (day_closed(1), "UPDATE drawers SET closed_at = '2101-01-01 00:00:00' WHERE id = 1"),
        rows=2,  # and drawer 2, which is open
    ),
    "an entry in a closed month": Break(
        "closed_books_stay_closed",
        ("UPDATE entries SET booking_date = '1999-12-31', value_date = '1999-12-31' WHERE id = 3",
         "UPDATE postings SET booking_date = '1999-12-31', value_date = '1999-12-31'"
         " WHERE entry_id = 3",
         book_closed(1, 2, through="1999-12-31")),
    ),
    "an entry that came into one before": Break(
        "closed_books_stay_closed",
        ("UPDATE entries SET booking_date = '1999-12-31', value_date = '1999-12-31' WHERE id = 2",
         "UPDATE postings SET booking_date = '1999-12-31', value_date = '1999-12-31'"
         " WHERE entry_id = 2",
         book_closed(1, 1, through="1999-12-31"),
         book_closed(2, 3, came_late=1, through="1999-11-30")),
    ),
    "a drawer left open at the close": Break("closed_days_hold_no_drawer", (day_closed(2),)),
    "cash out of the vault after it": Break(
        "closed_days_hold_no_drawer",
        (day_closed(1),
         "UPDATE cash_moves SET moved_at = '2101-01-01 00:00:00'"
         f" WHERE kind = 'taken_back' AND {VAULT}"),
        rows=2,
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    "batches",
    [
        (batch(1, "started"), batch(2, "imported")),
        (batch(1, "started", strict="TRUE"),),
        (batch(1, "refused", strict="TRUE"),),
    ],
    ids=["finished by a later run", "all or nothing: nothing", "refused"],
)
def test_an_import_that_left_nothing_open_passes(
    honest_town: Town, batches: tuple[str, ...]
) -> None:
    tamper(honest_town.bank, *batches)
    assert failing(honest_town) == {}


def kept(town: Town) -> dict[str, int]:
    """Checks that fail, but for those that want a customer or a vault behind everything."""
    made_up = {"accounts_have_balance", "cash_lies_somewhere"}
    return {name: rows for name, rows in failing(town).items() if name not in made_up}


def test_a_waiver_excuses_what_the_import_did_and_no_more(bank: Bank) -> None:
    town = Town(staff(bank))
    importer = desk(bank, Role.SYSTEM, channel="import")

    def later(*drafts: Draft) -> None:
        move_clock(bank, bank.clock.now() + timedelta(minutes=1))
        with chunk(importer, "tests.later") as tx:
            ledger.post_many(tx, drafts)

    with chunk(importer, "tests.arrange") as tx:
        low, other = open_at(tx, 1, overdraft_limit_minor=500), open_at(tx, 1)
    with chunk(importer, "tests.import") as tx:
        ledger.waive_floor(tx, [low], batch_id=1, source="old books")
        ledger.post(tx, move(low, other, 600))
        ledger.close_waivers(tx)
    assert kept(town) == {}
    later(cash_in(low, 50))
    assert kept(town) == {}
    later(cash_in(low, 950))
    later(move(low, other, 800))  # within the limit of that day
    assert kept(town) == {}
    tamper(bank, f"UPDATE balances SET overdraft_limit_minor = 0 WHERE account_id = {low}")
    assert kept(town) == {"limits_kept": 1}


def test_a_waiver_that_stays_open_is_found(sqlite_bank: Bank) -> None:
    """PostgreSQL refuses it at commit."""
    importer = desk(staff(sqlite_bank), Role.SYSTEM, channel="import")
    with chunk(importer, "tests.arrange") as tx:
        ledger.waive_floor(tx, [open_at(tx, 1)], batch_id=1, source="old books")
    assert kept(Town(sqlite_bank)) == {"waivers_closed": 1}


@pytest.mark.parametrize("broken", BREAKS.values(), ids=BREAKS)
def test_exactly_the_right_check_finds_a_broken_book(bare_town: Town, broken: Break) -> None:
    assert failing(bare_town) == {}
    tamper(bare_town.bank, *broken.sql)
    assert failing(bare_town) == broken.found


def test_every_check_has_a_book_that_breaks_it() -> None:
    assert {broken.check for broken in BREAKS.values()} | set(integrity.FINDINGS) == set(
        integrity.catalogue()
    )


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("UPDATE entries SET narration = 'tea' WHERE id = 2", "entry 2 was altered"),
        ("UPDATE entries SET actor_id = actor_id + 1 WHERE id = 3", "entry 3 was altered"),
    ],
)
def test_the_seals_are_a_check(bare_town: Town, statement: str, says: str) -> None:
    seal_all(bare_town.system)
    assert failing(bare_town) == {}
    tamper(bare_town.bank, statement)
    assert set(failing(bare_town)) == {integrity.SEALS}
    result = integrity.run_check(bare_town.desk(Role.AUDITOR), integrity.SEALS)
    assert any(says in str(row["finding"]) for row in result.sample)


@pytest.mark.feature("B40")
def test_a_broken_book_is_said_line_by_line(bare_town: Town) -> None:
    tamper(bare_town.bank, *BREAKS["money moved to another branch"].sql)
    results = integrity.verify(bare_town.system)
    assert "FAIL entries_balance: 2" in [result.line for result in results]
    assert "ok running_balance" in [result.line for result in results]


def test_a_sample_names_the_rows_and_the_count_says_how_many(bare_town: Town) -> None:
    tamper(bare_town.bank, "UPDATE postings SET value_date = '2020-01-01'")
    result = integrity.run_check(bare_town.desk(Role.AUDITOR), "lines_have_entry")
    assert len(result.sample) == integrity.MOST_SAMPLES < result.rows
    assert set(result.sample[0]) == {"entry_id", "leg", "booking_date", "value_date"}


def test_what_a_run_found_is_kept_in_the_trail(bare_town: Town) -> None:
    auditor = bare_town.desk(Role.AUDITOR)
    assert {check.state for check in integrity.checks(auditor)} == {"not run"}
    integrity.run_check(auditor, "entries_balance")
    tamper(bare_town.bank, *BREAKS["a hold deleted"].sql)
    integrity.run_check(auditor, "holds_are_held")
    states = {check.name: check for check in integrity.checks(auditor)}
    assert states["entries_balance"].state == "passed"
    assert states["holds_are_held"].state == "failed"
    assert states["running_balance"].state == "not run"
    kept = states["holds_are_held"]
    assert (kept.rows, kept.run_at, kept.run_by) == (1, NOON, auditor.name)
    assert kept.seconds is not None
    assert kept.next_step.endswith(".")


def test_the_list_of_checks_asks_once(honest_town: Town) -> None:
    """The page draws it with every rerun."""
    auditor = honest_town.desk(Role.AUDITOR)
    integrity.run_checks(auditor)
    integrity.run_check(auditor, "entries_balance")
    sent: list[str] = []

    def note(*facts: Any) -> None:
        sent.append(facts[2])

    event.listen(honest_town.bank.db.engine, "before_cursor_execute", note)
    try:
        states = integrity.checks(auditor)
    finally:
        event.remove(honest_town.bank.db.engine, "before_cursor_execute", note)
    assert {check.state for check in states} == {"passed"}
    assert len([sql for sql in sent if "trail" in sql]) == 1


def test_progress_is_told(honest_town: Town) -> None:
    told: list[tuple[int, int, str]] = []
    results = integrity.run_checks(honest_town.desk(Role.AUDITOR), lambda *step: told.append(step))
    assert [done for done, _, _ in told] == list(range(len(results)))
    assert {of for _, of, _ in told} == {len(results)}


def test_an_unknown_check_is_refused(honest_town: Town) -> None:
    with pytest.raises(integrity.NoSuchCheck):
        integrity.run_check(honest_town.desk(Role.AUDITOR), "luck")


@pytest.mark.parametrize("role", [Role.CASHIER, Role.BRANCH_ADMIN, Role.CUSTOMER, Role.GUEST])
def test_who_may_not_look_is_refused(honest_town: Town, role: Role) -> None:
    verbs: list[Callable[[], object]] = [
        lambda: integrity.checks(honest_town.desk(role)),
        lambda: integrity.run_checks(honest_town.desk(role)),
        lambda: integrity.run_check(honest_town.desk(role), "entries_balance"),
        lambda: integrity.verify(honest_town.desk(role)),
    ]
    for verb in verbs:
        with pytest.raises(NotAllowed):
            verb()


def test_only_the_bank_itself_seals(honest_town: Town) -> None:
    with pytest.raises(NotAllowed):
        integrity.verify(honest_town.desk(Role.AUDITOR))
    assert honest_town.bank.clock.business_date() == TODAY


def verify(town: Town) -> tuple[int, list[str]]:
    """`python -m bank verify` in a process of its own: exit code and lines."""
    settings = town.bank.settings
    done = run_bank(
        "verify",
        env={
            "BANK_DATA_DIR": str(settings.data_dir),
            "BANK_DATABASE_URL": settings.database_url,
            "BANK_SECRET": settings.resolved_secret(),
        },
    )
    return done.returncode, done.stdout.splitlines()


@pytest.mark.feature("B40")
def test_the_command_line_says_ok_for_each_check(honest_town: Town) -> None:
    assert verify(honest_town) == (0, [f"ok {name}" for name in integrity.catalogue()])


@pytest.mark.feature("B40")
def test_the_command_line_ends_with_1_when_a_check_fails(bare_town: Town) -> None:
    tamper(bare_town.bank, *BREAKS["a balance edited"].sql)
    code, lines = verify(bare_town)
    assert code == 1
    assert "FAIL balances_are_sums: 1" in lines
    assert sum(line.startswith("ok ") for line in lines) == len(integrity.catalogue()) - 1
