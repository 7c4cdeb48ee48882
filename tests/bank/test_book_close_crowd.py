"""Closing the book while others book, close and wait, on both databases."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text

from bank import app
from bank.book import backdating, book_close, book_days, ledger
from bank.book.book_close import ActedMeanwhile, BookBusy
from bank.book.drafts import BookClosed, Draft
from bank.core.desk import Bank, Desk, Tx, chunk, looking
from bank.core.permissions import Role
from bank.night import integrity
from tests.support.bank import desk, staff
from tests.support.book import (
    FEBRUARY,
    TODAY,
    WHY,
    YESTERDAY,
    book,
    close,
    draft,
    nobody_else,
    register,
    reopen,
)
from tests.support.soak import times

pytestmark = pytest.mark.feature("B36")
CHECK = "closed_books_stay_closed"


@pytest.fixture
def postgres_head(postgres_bank: Bank) -> Desk:
    """Head office where writers stand beside each other."""
    staff(postgres_bank)
    nobody_else(postgres_bank)
    return desk(postgres_bank, Role.SUPER_ADMIN)


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
    monkeypatch.setattr(book_close, "TRIES", 1_000)
    booked, go_on, tried = threading.Event(), threading.Event(), threading.Event()
    if head.bank.db.dialect == "postgresql":
        monkeypatch.setattr(book_close.time, "sleep", lambda _seconds: tried.set())
    else:  # there, one waits before the transaction begins
        tried.set()

    def slowly() -> None:
        with chunk(app.system_desk(head.bank, "import"), "tests.book") as tx:
            ledger.post(tx, draft(FEBRUARY))
            booked.set()
            assert go_on.wait(60)

    with ThreadPoolExecutor(2) as pool:
        writing = pool.submit(slowly)
        assert booked.wait(60)
        closing = pool.submit(close, head, FEBRUARY)
        assert tried.wait(60)
        assert not closing.done()
        go_on.set()
        writing.result(60)
        assert closing.result(60).closed_through == FEBRUARY
    with looking(head) as tx:
        last = book_days.last_act(tx)
    assert last is not None
    assert (last.entries, last.last_entry_id) == (1, 1), "the month holds it"
    assert integrity.run_check(head, CHECK).passed


def test_nobody_at_a_window_waits_behind_a_closing_that_waits(
    postgres_head: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long import is being written. Closing tries, and between its tries the window goes on."""
    bank = postgres_head.bank
    pauses: list[int] = []

    def at_the_window(_seconds: float) -> None:
        book(bank, draft(), channel="system")
        pauses.append(1)

    monkeypatch.setattr(book_close.time, "sleep", at_the_window)
    with chunk(app.system_desk(bank, "import"), "tests.book") as tx:
        ledger.post(tx, draft(FEBRUARY))
        with pytest.raises(BookBusy):
            close(postgres_head, FEBRUARY)
        backdating.set_limit(postgres_head, TODAY, 3, None, "Meanwhile a limit can be set")
    assert len(pauses) == book_close.TRIES
    assert register(postgres_head) == []
    close(postgres_head, FEBRUARY)


def test_whatever_comes_after_the_lock_waits_as_long_as_always(
    postgres_head: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    def ask(tx: object, _was: object, _through: object) -> list[str]:
        said.append(str(tx.connection.execute(text("SHOW lock_timeout")).scalar()))  # type: ignore[attr-defined]
        return []

    monkeypatch.setattr(book_close, "left", [ask])
    close(postgres_head, FEBRUARY)
    assert said == ["0"]


def test_a_number_drawn_before_the_closing_raises_no_false_alarm(postgres_head: Desk) -> None:
    """Numbers are drawn before they commit: one may come into days that were opened again with a
    lower number than an entry that came before it."""
    bank = postgres_head.bank
    close(postgres_head, YESTERDAY)
    # The batch has drawn its numbers and waits for its first entry's request.
    first, late = draft(), draft(FEBRUARY)
    drawn, go_on = threading.Event(), threading.Event()

    def holds() -> None:
        with chunk(app.system_desk(bank, "import"), "tests.book") as tx:
            ledger.post(tx, first)
            drawn.set()
            assert go_on.wait(60)

    with ThreadPoolExecutor(2) as pool:
        holding = pool.submit(holds)
        assert drawn.wait(60)
        # Past the ledger's own look, as if it had looked after the days were opened.
        with chunk(app.system_desk(bank, "import"), "tests.draw") as tx:
            [[number]] = tx.connection.execute(
                text("SELECT nextval(pg_get_serial_sequence('entries', 'id'))")
            ).all()
        go_on.set()
        holding.result(60)
    book(bank, draft())
    reopen(postgres_head, FEBRUARY)
    with chunk(app.system_desk(bank, "import"), "tests.book") as tx:
        tx.connection.execute(
            text("SELECT setval(pg_get_serial_sequence('entries', 'id'), :n, false)"),
            {"n": number},
        )
        ledger.post(tx, late)
        tx.connection.execute(
            text("SELECT setval(pg_get_serial_sequence('entries', 'id'), :n)"), {"n": number + 10}
        )
    assert integrity.run_check(postgres_head, CHECK).passed
    close(postgres_head, YESTERDAY)
    assert integrity.run_check(postgres_head, CHECK).passed


@pytest.mark.soak
def test_a_crowd_that_books_while_the_book_is_closed_and_opened(
    head: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever was answered is in the book, whoever was refused is not, and nothing came late."""
    monkeypatch.setattr(book_close, "TRIES", 10_000)
    monkeypatch.setattr(book_close, "PAUSE_SECONDS", 0.0)
    days = [YESTERDAY - timedelta(days=n) for n in range(6)]
    rounds, done = times(normal=4, soak=60), threading.Event()

    def books_on(number: int) -> tuple[int, int]:
        answered = refused = 0
        while not done.is_set() or not answered:
            try:
                book(head.bank, draft(days[(number + answered + refused) % len(days)]), draft())
                answered += 2
            except BookClosed:
                refused += 1
                book(head.bank, draft())
                answered += 1
        return answered, refused

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
    assert integrity.run_check(head, CHECK).passed
    assert len(register(head)) == 2 * rounds + 1


def without_guards(head: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the database nor the ledger looks at the day any more."""
    lite = head.bank.db.dialect == "sqlite"
    guard = "entries_on_open_days" if lite else "entries_named ON entries"
    with chunk(app.system_desk(head.bank), "tests.tamper") as tx:
        tx.connection.exec_driver_sql(f"DROP TRIGGER {guard}")
    monkeypatch.setattr(ledger, "_check_days", lambda _tx, _drafts: None)


def test_the_check_finds_what_came_into_closed_days(
    head: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    book(head.bank, draft(FEBRUARY))
    close(head, FEBRUARY)
    reopen(head, FEBRUARY)
    book(head.bank, draft(FEBRUARY))
    close(head, FEBRUARY)
    without_guards(head, monkeypatch)
    book(head.bank, draft(FEBRUARY), draft(TODAY))
    found = integrity.run_check(head, CHECK)
    assert [row["entry_id"] for row in found.sample] == [3]
    # The next act has counted it: it is found for ever, although those days are open again.
    reopen(head, FEBRUARY)
    found = integrity.run_check(head, CHECK)
    assert [(row["entry_id"], row["closing_id"]) for row in found.sample] == [(3, 3)]


def test_a_closing_waits_for_the_chunk_of_an_import(
    postgres_head: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger has looked at the days and has not written yet: nobody closes them meanwhile, so
    no import breaks off over it."""
    monkeypatch.setattr(book_close, "TRIES", 1)
    checks, met = ledger._check_days, []

    def look_and_be_overtaken(tx: Tx, drafts: Sequence[Draft]) -> None:
        checks(tx, drafts)
        with pytest.raises(BookBusy):
            close(postgres_head, FEBRUARY)
        met.append(1)

    monkeypatch.setattr(ledger, "_check_days", look_and_be_overtaken)
    book(postgres_head.bank, draft(FEBRUARY))
    assert met == [1]
    close(postgres_head, FEBRUARY)
    assert book_close.register(postgres_head)[0].entries == 1
