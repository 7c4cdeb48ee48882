"""Head office closes the book through a day; nothing is booked there until it is opened again."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from sqlalchemy.exc import DBAPIError

from bank import app
from bank.book import book_close, book_days, journal, ledger
from bank.book.book_close import (
    ActedMeanwhile,
    BookBusy,
    BookDays,
    ClosedAlready,
    DayNotOver,
    InTheWay,
    LimitBeginsInThePast,
    LimitUnchanged,
    OpenAlready,
)
from bank.book.drafts import FIRST_DAY, BookClosed, Draft, credit_gl, debit_gl
from bank.core.approvals import AwaitingApproval
from bank.core.dated import Standing
from bank.core.desk import Bank, Desk, chunk, looking
from bank.core.errors import BadInput, NotAllowed
from bank.core.ids import new_request_id
from bank.core.permissions import Role
from bank.night import import_batches, integrity
from tests.support.bank import NOON, desk, move_clock, settings_for, staff
from tests.support.checkers import LAKH, Checking
from tests.support.hostile import Hostile, is_whole, refused
from tests.support.soak import times
from tests.support.waiting import wait_until

pytestmark = pytest.mark.feature("B36")
TODAY = date(2026, 3, 16)
YESTERDAY = TODAY - timedelta(days=1)
FEBRUARY = date(2026, 2, 28)
WHY = "The month was reported"


@pytest.fixture
def head(bank: Bank) -> Desk:
    """Head office in a bank where a second person is not asked: who is, test_approval_matrix
    shows for every command."""
    staff(bank)
    nobody_else(bank)
    return desk(bank, Role.SUPER_ADMIN)


def nobody_else(bank: Bank) -> None:
    """End the rules that ask a second person about the book."""
    with chunk(app.system_desk(bank), "tests.arrange") as tx:
        tx.connection.exec_driver_sql(
            "INSERT INTO approval_rules (command, role, kind, level, effective_from,"
            " amount_above_minor, period, checkers, expires_hours, source)"
            " SELECT command, role, kind, level, '2026-03-01', 0, period, '', expires_hours, ''"
            " FROM approval_rules WHERE substr(command, 1, 16) = 'book.book_close.'"
        )


def close(head: Desk, through: date, reason: str = WHY) -> BookDays:
    """Head office closes the book as it is seen now."""
    return book_close.close_book(head, through, book_close.standing(head).last_id, reason)


def reopen(head: Desk, first_day: date, reason: str = "A statement came late") -> BookDays:
    """Head office opens it again."""
    return book_close.reopen_book(head, first_day, book_close.standing(head).last_id, reason)


def draft(day: date | None = None, **facts: object) -> Draft:
    """Capital in cash, on a day."""
    legs = (debit_gl("1000", 100), credit_gl("3000", 100))
    given = {"request_id": new_request_id(), "booking_date": day} | facts
    return Draft(kind="opening", narration="capital", legs=legs, branch_id=1, **given)  # type: ignore[arg-type]


def book(bank: Bank, *drafts: Draft) -> list[ledger.Posted]:
    """The system books, as an import does."""
    with chunk(app.system_desk(bank, "import"), "tests.book") as tx:
        return ledger.post_many(tx, drafts)


def register(head: Desk) -> list[tuple[date, date | None, str]]:
    """The register, oldest first."""
    return [
        (row.closed_through, row.was_through, row.reason)
        for row in reversed(book_close.register(head))
    ]


def test_a_book_is_open_until_it_is_closed(head: Desk) -> None:
    stands = book_close.standing(head)
    assert (stands.last, stands.closed_through, stands.days_back) == (None, None, None)
    assert stands.import_from == FIRST_DAY
    assert len(book(head.bank, draft(date(1993, 1, 1)), draft(YESTERDAY), draft())) == 3
    assert register(head) == []


def test_nothing_is_booked_on_a_closed_day(head: Desk) -> None:
    book(head.bank, draft(FEBRUARY))
    stands = close(head, FEBRUARY)
    assert (stands.closed_through, stands.import_from) == (FEBRUARY, date(2026, 3, 1))
    assert book_close.standing(head) == stands
    for day in (FEBRUARY, FEBRUARY - timedelta(days=1), date(1993, 1, 1)):
        with pytest.raises(BookClosed, match="closed through 28 Feb 2026"):
            book(head.bank, draft(day))
        with pytest.raises(BookClosed):
            book(head.bank, draft(TODAY), draft(day))
    book(head.bank, draft(date(2026, 3, 1)), draft())
    assert register(head) == [(FEBRUARY, None, WHY)]
    with looking(head) as tx:
        assert tx.connection.exec_driver_sql("SELECT COUNT(*) FROM entries").scalar() == 3
    assert integrity.run_check(head, "closed_books_stay_closed").passed


def test_what_was_booked_before_is_answered_again(head: Desk) -> None:
    """An import that comes again gets its first answer, also about a day that is closed now."""
    first = draft(FEBRUARY)
    [posted] = book(head.bank, first)
    close(head, FEBRUARY)
    again = book(head.bank, first, draft(TODAY))
    assert (again[0].entry_id, again[0].replayed, again[1].replayed) == (
        posted.entry_id,
        True,
        False,
    )


def test_the_trail_has_before_and_after(head: Desk) -> None:
    close(head, FEBRUARY)
    reopen(head, date(2026, 2, 10), "A statement came late")
    with looking(head) as tx:
        kept = tx.connection.exec_driver_sql(
            "SELECT verb, object_kind, object_id, before, after FROM trail"
            " WHERE substr(verb, 1, 16) = 'book.book_close.' ORDER BY id"
        ).all()
    assert [(*row[:3], json.loads(row[3]), json.loads(row[4])) for row in kept] == [
        ("book.book_close.close_book", "book", "closing",
         {"closed through": None}, {"closed through": "2026-02-28"}),
        ("book.book_close.reopen_book", "book", "closing",
         {"closed through": "2026-02-28"}, {"closed through": "2026-02-09"}),
    ]  # fmt: skip


def test_only_days_that_are_over_are_closed_and_once(head: Desk) -> None:
    for day in (TODAY, TODAY + timedelta(days=1)):
        with pytest.raises(DayNotOver) as refused_:
            close(head, day)
        assert refused_.value.field == "through"
    close(head, YESTERDAY)
    for day in (YESTERDAY, FEBRUARY):
        with pytest.raises(ClosedAlready):
            close(head, day)
    assert register(head) == [(YESTERDAY, None, WHY)]


def test_days_are_opened_again_with_a_reason(head: Desk) -> None:
    with pytest.raises(OpenAlready):
        reopen(head, FEBRUARY)
    close(head, YESTERDAY)
    for reason in ("", "  "):
        with pytest.raises(BadInput) as refused_:
            reopen(head, FEBRUARY, reason)
        assert refused_.value.field == "reason"
    with pytest.raises(OpenAlready):
        reopen(head, TODAY)
    with pytest.raises(BadInput, match="a day after 1 Jan 1900"):
        reopen(head, FIRST_DAY)
    reopen(head, FEBRUARY)
    book(head.bank, draft(FEBRUARY), draft(YESTERDAY))
    with pytest.raises(BookClosed, match="27 Feb 2026"):
        book(head.bank, draft(FEBRUARY - timedelta(days=1)))
    close(head, FEBRUARY)
    assert [row.opens for row in reversed(book_close.register(head))] == [False, True, False]
    assert integrity.run_check(head, "closed_books_stay_closed").passed


def test_an_old_page_does_nothing(head: Desk) -> None:
    close(head, FEBRUARY)
    for seen in (None, 4711):
        with pytest.raises(ActedMeanwhile):
            book_close.close_book(head, YESTERDAY, seen, WHY)
        with pytest.raises(ActedMeanwhile):
            book_close.reopen_book(head, FEBRUARY, seen, WHY)
    assert register(head) == [(FEBRUARY, None, WHY)]


@pytest.mark.parametrize("reason", ["x" * 201, "no\x00good"])
def test_a_reason_that_the_register_cannot_keep(head: Desk, reason: str) -> None:
    with pytest.raises(BadInput) as refused_:
        close(head, FEBRUARY, reason)
    assert refused_.value.field == "reason"
    assert register(head) == []


def test_another_process_learns_of_it_at_its_next_entry(head: Desk) -> None:
    """It has its own memory of where the book stands; the database knows better."""
    other = app.open_bank(
        settings_for(head.bank.settings.data_dir, head.bank.db.url.render_as_string(False)),
        clock=head.bank.clock,
        migrated=True,
    )
    try:
        book(other, draft(FEBRUARY))
        close(head, FEBRUARY)
        with pytest.raises(BookClosed):
            book(other, draft(FEBRUARY))
        reopen(head, FEBRUARY)
        book(other, draft(FEBRUARY))
        close(head, FEBRUARY)
        with pytest.raises(BookClosed):
            book(other, draft(FEBRUARY))
        with pytest.raises(BookClosed):
            book(other, draft(FEBRUARY), draft(TODAY))
    finally:
        other.db.close()


def test_a_business_date_that_was_set_back_books_nothing(head: Desk) -> None:
    close(head, YESTERDAY)
    move_clock(head.bank, NOON - timedelta(days=3))
    with pytest.raises(BookClosed, match="15 Mar 2026"):
        book(head.bank, draft())


def test_the_lines_of_before_are_corrected_on_an_open_day(head: Desk) -> None:
    [posted] = book(head.bank, draft(FEBRUARY))
    close(head, YESTERDAY)
    admin = desk(head.bank, Role.BRANCH_ADMIN)
    back = journal.reverse_entry(admin, posted.entry_id, "Twice", new_request_id())
    assert back.booking_date == TODAY


def test_the_database_refuses_whoever_asks(hostile: Hostile, bank: Bank) -> None:
    head = desk(bank, Role.SUPER_ADMIN)
    nobody_else(bank)
    close(head, YESTERDAY)
    for day in ("2026-03-15", "2026-01-01"):
        lines = [
            hostile.gl_line(-5, booking_date=day), hostile.account_line(1, 5, booking_date=day)
        ]  # fmt: skip
        entry = hostile.entry(booking_date=day)
        refused(hostile, "book: closed on that day", *hostile.statements(entry, *lines))
    hostile.book(hostile.entry(), hostile.gl_line(-5), hostile.account_line(1, 5))
    is_whole(hostile)


@pytest.mark.parametrize("table", ["book_closings", "backdating_limits"])
def test_the_registers_are_never_changed(head: Desk, table: str) -> None:
    close(head, FEBRUARY)
    book_close.limit_backdating(head, TODAY, 3, WHY)
    for statement in (
        f"UPDATE {table} SET reason = 'x'",
        f"DELETE FROM {table}",
        f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}",
    ):
        if "REPLACE" in statement and head.bank.db.dialect != "sqlite":
            continue
        with pytest.raises(DBAPIError, match=r"never (changed|deleted)"):
            with chunk(app.system_desk(head.bank), "tests.tamper") as tx:
                tx.connection.exec_driver_sql(statement)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.SUPER_ADMIN])
def test_only_head_office_closes_and_opens(head: Desk, role: Role) -> None:
    other = desk(head.bank, role)
    for ask in (
        lambda: book_close.close_book(other, FEBRUARY, None, WHY),
        lambda: book_close.reopen_book(other, FEBRUARY, None, WHY),
        lambda: book_close.limit_backdating(other, TODAY, 3, WHY),
    ):
        with pytest.raises(NotAllowed):
            ask()
    reads: tuple[Callable[[], object], ...] = (
        lambda: book_close.standing(other),
        lambda: book_close.register(other),
        lambda: book_close.in_the_way(other, FEBRUARY),
        lambda: book_close.backdating(other),
    )
    for read in reads:
        if role in {Role.BRANCH_ADMIN, Role.AUDITOR}:
            read()
        else:
            with pytest.raises(NotAllowed):
                read()
    assert register(head) == []


# Work that goes on keeps it open.


def test_a_drawer_that_is_left_keeps_its_days_open(checking: Checking) -> None:
    at = checking
    head, chief = at.desks["head"], at.desks["chief"]
    left = f"UPDATE drawers SET business_date = '2026-03-14' WHERE id = {at.market.drawers['ravi']}"
    with at.market.tx() as tx:
        tx.connection.exec_driver_sql(left)
    said = "Fort has a drawer left since 14 Mar 2026"
    assert book_close.in_the_way(head, date(2026, 3, 13)) == []
    assert said in book_close.in_the_way(chief, date(2026, 3, 14))[0]
    with pytest.raises(InTheWay, match=said):
        book_close.close_book(head, date(2026, 3, 14), None, WHY)
    with pytest.raises(AwaitingApproval) as waits:
        book_close.close_book(head, date(2026, 3, 13), None, WHY)
    assert register(head) == [], "nobody has agreed yet"
    at.approve("chief", waits.value.approval_id)
    assert register(head) == [(date(2026, 3, 13), None, WHY)]
    assert book_close.register(head)[0].by_name == head.name


def test_the_day_is_for_the_counters_as_it_was(checking: Checking) -> None:
    """What is closed lies behind: the window goes on."""
    at = checking
    with pytest.raises(AwaitingApproval) as waits:
        book_close.close_book(at.desks["head"], YESTERDAY, None, WHY)
    at.approve("chief", waits.value.approval_id)
    receipt = at.market.deposit("asha", LAKH)
    assert receipt.amount_minor == LAKH


@pytest.mark.parametrize(
    ("batches", "blocks"),
    [
        ((("old", "started", "FALSE"),), True),
        ((("old", "started", "TRUE"),), False),
        ((("old", "started", "FALSE"), ("old", "imported", "FALSE")), False),
        ((("old", "started", "FALSE"), ("new", "imported", "FALSE")), True),
        ((("old", "refused", "FALSE"),), False),
    ],
    ids=["broken off", "left nothing", "finished later", "another was finished", "refused"],
)
def test_an_import_that_was_broken_off_keeps_it_open(
    head: Desk, batches: tuple[tuple[str, str, str], ...], blocks: bool
) -> None:
    with chunk(app.system_desk(head.bank), "tests.arrange") as tx:
        for folder, status, strict in batches:
            tx.connection.exec_driver_sql(
                "INSERT INTO import_batches (folder, strict, status, started_at, started_by,"
                " entries, accounts, new_entries, rejected, balance_differences) VALUES"
                f" ('{folder}', {strict}, '{status}', '2026-03-16 06:30:00', 1, 0, 0, 0, 0, 0)"
            )
    if not blocks:
        close(head, FEBRUARY)
        return
    with pytest.raises(InTheWay, match="The import of old has not come to its end"):
        close(head, FEBRUARY)
    with looking(head) as tx:
        assert len(import_batches.against_closing(tx, FEBRUARY)) == 1
    assert register(head) == []


# How far back an import books.


def test_a_limit_of_days_counts_from_its_day(head: Desk) -> None:
    first = TODAY + timedelta(days=1)
    book_close.limit_backdating(head, first, 3, "The old books are in")
    assert book_close.standing(head).days_back is None
    move_clock(head.bank, NOON + timedelta(days=1))
    stands = book_close.standing(head)
    assert (stands.days_back, stands.import_from) == (3, date(2026, 3, 14))
    assert stands.import_because == "an import may book at most 3 days back"
    close(head, date(2026, 3, 15))
    stands = book_close.standing(head)
    assert (stands.import_from, stands.import_because) == (
        date(2026, 3, 16),
        "the book is closed through 15 Mar 2026",
    )
    book_close.limit_backdating(head, first, None, "More old books")
    assert [(row.days, row.standing) for row in book_close.backdating(head)] == [
        (None, Standing.IN_FORCE),
        (3, Standing.REPLACED),
    ]
    assert book_close.standing(head).days_back is None


def test_the_ledger_keeps_the_limit_and_answers_again(head: Desk) -> None:
    early = draft(TODAY - timedelta(days=4))
    book(head.bank, early)
    book_close.limit_backdating(head, TODAY, 3, WHY)
    with pytest.raises(BookClosed, match="before 13 Mar 2026: an import may book at most 3 days"):
        book(head.bank, draft(TODAY - timedelta(days=4)))
    first, second, again = book(head.bank, draft(), draft(TODAY - timedelta(days=3)), early)
    assert (first.replayed, second.replayed, again.replayed) == (False, False, True)


def test_a_limit_that_is_none(head: Desk) -> None:
    with pytest.raises(LimitUnchanged):
        book_close.limit_backdating(head, TODAY, None, WHY)
    with pytest.raises(LimitBeginsInThePast):
        book_close.limit_backdating(head, YESTERDAY, 3, WHY)
    for days in (-1, 3_661):
        with pytest.raises(BadInput, match="from 0 to 3,660") as refused_:
            book_close.limit_backdating(head, TODAY, days, WHY)
        assert refused_.value.field == "days"
    with pytest.raises(BadInput):
        book_close.limit_backdating(head, TODAY, 3, " ")
    book_close.limit_backdating(head, TODAY, 0, WHY)
    with pytest.raises(LimitUnchanged):
        book_close.limit_backdating(head, TODAY, 0, WHY)
    assert len(book_close.backdating(head)) == 1


# At once.


def test_of_two_who_close_at_once_the_second_sees_the_first(head: Desk) -> None:
    """Both have looked at an open book."""
    other = desk(head.bank, Role.SUPER_ADMIN, user_id=107)
    with ThreadPoolExecutor(8) as pool:
        asked = [
            pool.submit(book_close.close_book, who, day, None, WHY)
            for who, day in [(head, FEBRUARY), (other, YESTERDAY)] * 4
        ]
    lost = [type(error) for each in asked if (error := each.exception()) is not None]
    assert lost == [ActedMeanwhile] * 7
    assert len(register(head)) == 1


def test_an_entry_in_flight_is_in_the_book_before_it_is_closed(
    head: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever closes waits for it, so that the figures of the month hold it."""
    monkeypatch.setattr(book_close, "WAIT_AT_MOST", "60s")
    booked, go_on = threading.Event(), threading.Event()

    def slowly() -> None:
        with chunk(app.system_desk(head.bank, "import"), "tests.book") as tx:
            ledger.post(tx, draft(FEBRUARY))
            booked.set()
            assert go_on.wait(60)

    with ThreadPoolExecutor(3) as pool:
        writing = pool.submit(slowly)
        assert booked.wait(60)
        closing = pool.submit(close, head, FEBRUARY)
        wait_until(lambda: waits_for_a_lock(head))
        # Another process, which knows nothing of it yet, comes while it waits.
        head.bank.db.memo.pop("book_closed_through", None)
        late = pool.submit(book, head.bank, draft(FEBRUARY))
        go_on.set()
        writing.result(60)
        assert closing.result(60).closed_through == FEBRUARY
        assert late.exception(60) is None or isinstance(late.exception(), BookClosed)
    assert integrity.run_check(head, "closed_books_stay_closed").passed
    with looking(head) as tx:
        last = book_days.last_act(tx)
        newest = tx.connection.exec_driver_sql("SELECT MAX(id) FROM entries").scalar()
    assert last is not None
    assert last.last_entry_id == newest, "what came late is either before it or not there"


@pytest.mark.soak
def test_a_crowd_that_books_while_the_book_is_closed_and_opened(
    head: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever was answered is in the book, whoever was refused is not, and nothing came late."""
    monkeypatch.setattr(book_close, "WAIT_AT_MOST", "60s")
    days = [YESTERDAY - timedelta(days=n) for n in range(6)]
    rounds, done = times(normal=4, soak=60), threading.Event()

    def books_on(number: int) -> tuple[int, int]:
        answered = refused_ = 0
        while not done.is_set() or not answered:
            try:
                book(head.bank, draft(days[(number + answered + refused_) % len(days)]), draft())
                answered += 2
            except BookClosed:
                refused_ += 1
                book(head.bank, draft())
                answered += 1
        return answered, refused_

    with ThreadPoolExecutor(6) as pool:
        crowd = [pool.submit(books_on, number) for number in range(6)]
        try:
            for number in range(rounds):
                close(head, days[number % 3])
                reopen(head, days[-1])
        finally:
            done.set()
        outcomes = [each.result(120) for each in crowd]
    close(head, YESTERDAY)
    with looking(head) as tx:
        entries = tx.connection.exec_driver_sql("SELECT COUNT(*) FROM entries").scalar()
    assert entries == sum(answered for answered, _ in outcomes)
    assert integrity.run_check(head, "closed_books_stay_closed").passed


def waits_for_a_lock(head: Desk) -> bool:
    """Whether a transaction waits for another; SQLite's writers wait before they begin."""
    if head.bank.db.dialect == "sqlite":
        return True
    with looking(head) as tx:
        return bool(
            tx.connection.exec_driver_sql(
                "SELECT 1 FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            ).first()
        )


def test_nobody_at_a_window_waits_behind_a_closing_that_waits(
    postgres_bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long import is written: closing gives up soon, and says so."""
    monkeypatch.setattr(book_close, "WAIT_AT_MOST", "50ms")
    staff(postgres_bank)
    nobody_else(postgres_bank)
    head = desk(postgres_bank, Role.SUPER_ADMIN)
    with chunk(app.system_desk(postgres_bank, "import"), "tests.book") as tx:
        ledger.post(tx, draft(FEBRUARY))
        with pytest.raises(BookBusy):
            close(head, FEBRUARY)
    assert register(head) == []
    close(head, FEBRUARY)


def test_the_check_finds_what_came_into_a_closed_month(
    head: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    book(head.bank, draft(FEBRUARY))
    close(head, FEBRUARY)
    reopen(head, FEBRUARY)
    book(head.bank, draft(FEBRUARY))
    close(head, FEBRUARY)
    guard = "entries_on_open_days" if head.bank.db.dialect == "sqlite" else "entries_named"
    on = "" if head.bank.db.dialect == "sqlite" else " ON entries"
    with chunk(app.system_desk(head.bank), "tests.tamper") as tx:
        tx.connection.exec_driver_sql(f"DROP TRIGGER {guard}{on}")
    monkeypatch.setattr(ledger, "_check_days", lambda _tx, _drafts: None)
    book(head.bank, draft(FEBRUARY), draft(TODAY))
    found = integrity.run_check(head, "closed_books_stay_closed")
    assert [row["entry_id"] for row in found.sample] == [3]
