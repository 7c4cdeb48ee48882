"""Head office closes the book through a day; nothing is booked there until it is opened again."""

import json
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy.exc import DBAPIError

from bank import app
from bank.book import backdating, book_close, journal, ledger
from bank.book.book_close import (
    ActedMeanwhile,
    ClosedAlready,
    DayNotOver,
    InTheWay,
    OpenAlready,
)
from bank.book.drafts import FIRST_DAY, BookClosed
from bank.core.approvals import AwaitingApproval
from bank.core.desk import Bank, Desk, chunk, looking
from bank.core.errors import BadInput, NotAllowed
from bank.core.ids import new_request_id
from bank.core.permissions import Role
from bank.counters import drawer_cash, drawers
from bank.counters.drawer_cash import MoveKind
from bank.night import integrity
from tests.support.bank import NOON, desk, move_clock, settings_for
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
from tests.support.checkers import LAKH, Checking
from tests.support.hostile import Hostile, is_whole, refused

pytestmark = pytest.mark.feature("B36")


def test_a_book_is_open_until_it_is_closed(head: Desk) -> None:
    stands = book_close.standing(head)
    assert (stands.last_id, stands.closed_through, stands.days_back) == (None, None, None)
    assert stands.import_from == FIRST_DAY
    assert len(book(head.bank, draft(date(1993, 1, 1)), draft(YESTERDAY), draft())) == 3
    with pytest.raises(BookClosed, match=r"1 Jan 1900: no book begins before .* the year"):
        book(head.bank, draft(FIRST_DAY - timedelta(days=1)))
    assert register(head) == []


def test_nothing_is_booked_on_a_closed_day(head: Desk) -> None:
    book(head.bank, draft(FEBRUARY))
    stands = close(head, FEBRUARY)
    assert (stands.closed_through, stands.import_from) == (FEBRUARY, date(2026, 3, 1))
    assert book_close.standing(head) == stands
    said = "before 1 Mar 2026: the book is closed through 28 Feb 2026.*ask head office to open"
    for day in (FEBRUARY, FEBRUARY - timedelta(days=1), date(1993, 1, 1)):
        with pytest.raises(BookClosed, match=said):
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
    early = [draft(FEBRUARY) for _ in range(ledger.ASKED_AT_ONCE + 1)]
    posted = book(head.bank, *early)
    close(head, FEBRUARY)
    *again, new = book(head.bank, *early, draft(TODAY))
    assert [each.entry_id for each in again] == [each.entry_id for each in posted]
    assert all(each.replayed for each in again)
    assert not new.replayed
    with pytest.raises(BookClosed):
        book(head.bank, *early, draft(FEBRUARY))


def test_the_trail_has_before_and_after(head: Desk) -> None:
    close(head, FEBRUARY)
    reopen(head, date(2026, 2, 10), "A statement came late")
    with looking(head) as tx:
        kept = tx.connection.exec_driver_sql(
            "SELECT verb, object_kind, object_id, before, after FROM trail"
            " WHERE substr(verb, 1, 16) = 'book.book_close.' ORDER BY id"
        ).all()
    read = [(*row[:3], json.loads(row[3]), json.loads(row[4])) for row in kept]
    for values in read[0][3:]:
        assert values.pop("left as it is").startswith("Not every check has been run")
    assert read == [
        ("book.book_close.close_book", "book", "closing",
         {"closed through": None}, {"closed through": "28 Feb 2026"}),
        ("book.book_close.reopen_book", "book", "closing",
         {"closed through": "28 Feb 2026"}, {"closed through": "9 Feb 2026"}),
    ]  # fmt: skip


def test_only_days_that_are_over_are_closed_and_once(head: Desk) -> None:
    for day in (TODAY, TODAY + timedelta(days=1)):
        with pytest.raises(DayNotOver) as wrong:
            close(head, day)
        assert wrong.value.field == "through"
    with pytest.raises(BadInput, match="No book begins before 1 Jan 1900"):
        close(head, FIRST_DAY - timedelta(days=1))
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
        with pytest.raises(BadInput) as wrong:
            reopen(head, FEBRUARY, reason)
        assert wrong.value.field == "reason"
    with pytest.raises(OpenAlready):
        reopen(head, TODAY)
    reopen(head, FEBRUARY)
    book(head.bank, draft(FEBRUARY), draft(YESTERDAY))
    with pytest.raises(BookClosed, match="27 Feb 2026"):
        book(head.bank, draft(FEBRUARY - timedelta(days=1)))
    close(head, FEBRUARY)
    assert [row.opens for row in reversed(book_close.register(head))] == [False, True, False]
    assert integrity.run_check(head, "closed_books_stay_closed").passed


def test_a_book_can_be_opened_to_its_beginning(head: Desk) -> None:
    close(head, YESTERDAY)
    with pytest.raises(BadInput, match="No book begins before 1 Jan 1900"):
        reopen(head, FIRST_DAY - timedelta(days=1))
    stands = reopen(head, FIRST_DAY)
    assert (stands.closed_through, stands.import_from) == (None, FIRST_DAY)
    book(head.bank, draft(FIRST_DAY))
    assert register(head)[-1][:2] == (None, YESTERDAY)


def test_the_register_says_what_came_while_days_were_open_again(head: Desk) -> None:
    book(head.bank, draft(FEBRUARY), draft(date(2026, 3, 2)), draft(date(2026, 2, 1)), draft())
    close(head, date(2026, 3, 2))
    reopen(head, FEBRUARY)
    book(head.bank, draft(FEBRUARY), draft(YESTERDAY), draft())
    close(head, date(2026, 3, 2))
    book(head.bank, draft())
    assert [row.entries for row in reversed(book_close.register(head))] == [3, 2, 3]


def test_the_register_holds_every_act(head: Desk) -> None:
    for _ in range(35):
        close(head, FEBRUARY)
        reopen(head, date(2026, 1, 1))
    assert len(register(head)) == 70


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
    with pytest.raises(BadInput) as wrong:
        close(head, FEBRUARY, reason)
    assert wrong.value.field == "reason"
    assert register(head) == []


def other_process(head: Desk) -> Bank:
    """The same bank, as another process has it: with a memory of its own."""
    url = head.bank.db.url.render_as_string(hide_password=False)
    settings = settings_for(head.bank.settings.data_dir, url)
    return app.open_bank(settings, clock=head.bank.clock, migrated=True)


def test_what_another_process_closes_is_closed_and_opened_at_once(head: Desk) -> None:
    """Its entries of the business date ask nothing: the database refuses the first of them, after
    which it knows the day; and whoever says no has looked again."""
    other = other_process(head)
    try:
        book(other, draft())
        close(head, YESTERDAY)
        move_clock(head.bank, NOON - timedelta(days=3))
        with pytest.raises(BookClosed, match="The book is closed on that day"):
            book(other, draft())
        with pytest.raises(BookClosed, match="closed through 15 Mar 2026"):
            book(other, draft())
        reopen(head, date(2026, 3, 10))
        book(other, draft())
    finally:
        other.db.close()


def test_the_process_that_closes_knows_it_at_once(
    head: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    book(head.bank, draft())
    close(head, YESTERDAY)
    asked: list[date] = []
    monkeypatch.setattr(ledger, "_check_days", lambda tx, _drafts: asked.append(tx.business_date))
    book(head.bank, draft())
    assert asked == []
    move_clock(head.bank, NOON - timedelta(days=3))
    with pytest.raises(BookClosed):
        book(head.bank, draft())
    assert asked == [date(2026, 3, 13)], "the ledger itself, not only the database"


def test_a_business_date_that_was_set_back_books_nothing(head: Desk) -> None:
    close(head, YESTERDAY)
    move_clock(head.bank, NOON - timedelta(days=3))
    with pytest.raises(BookClosed, match="15 Mar 2026"):
        book(head.bank, draft())


def test_the_lines_of_before_are_corrected_on_an_open_day(head: Desk) -> None:
    capital = draft(FEBRUARY)
    [posted] = book(head.bank, capital)
    with chunk(app.system_desk(head.bank), "tests.arrange") as tx:
        drawer_cash.put_in_vault(tx, [capital], MoveKind.CARRIED)  # it goes out from there
    close(head, YESTERDAY)
    admin = desk(head.bank, Role.BRANCH_ADMIN)
    back = journal.reverse_entry(admin, posted.entry_id, "Twice", new_request_id())
    assert back.booking_date == TODAY


def test_the_database_refuses_whoever_asks(hostile: Hostile, bank: Bank) -> None:
    head = desk(bank, Role.SUPER_ADMIN)
    nobody_else(bank)
    close(head, YESTERDAY)
    for day in ("2026-03-15", "2026-01-01"):
        cash = hostile.gl_line(-5, booking_date=day)
        account = hostile.account_line(1, 5, booking_date=day)
        entry = hostile.entry(booking_date=day)
        refused(hostile, "book: closed on that day", *hostile.statements(entry, cash, account))
    hostile.book(hostile.entry(), hostile.gl_line(-5), hostile.account_line(1, 5))
    is_whole(hostile)


def test_an_older_snapshot_is_no_way_past_it(hostile: Hostile, bank: Bank) -> None:
    if hostile.lite:
        pytest.skip("SQLite has one writer, and a writer sees what was written")
    lines = [hostile.gl_line(-5), hostile.account_line(1, 5)]
    entry = hostile.statements(hostile.entry(), *lines)
    for level in ("REPEATABLE READ", "SERIALIZABLE"):
        refused(hostile, "read committed", f"SET TRANSACTION ISOLATION LEVEL {level}", *entry)


def test_an_act_by_hand_waits_for_entries_in_flight(hostile: Hostile, bank: Bank) -> None:
    if hostile.lite:
        pytest.skip("SQLite has one writer")
    nobody_else(bank)
    close(desk(bank, Role.SUPER_ADMIN), FEBRUARY)
    with chunk(app.system_desk(bank, "import"), "tests.book") as tx:
        ledger.post(tx, draft(YESTERDAY))
        refused(hostile, "lock timeout", "SET LOCAL lock_timeout = 50", forge(hostile))
    refused(hostile, "follows the one before", forge(hostile, last_entry_id="0"))
    hostile.do(forge(hostile))


GOOD = {
    "id": "2", "closed_through": "'2026-03-01'", "was_through": "'2026-02-28'", "entries": "0",
    "last_entry_id": "(SELECT MAX(id) FROM entries)", "came_late": "0",
    "at": "'2026-03-16 06:30:00'", "by_id": "1", "by_name": "'Head'", "reason": "'forged'",
}  # fmt: skip
FORGED = {
    "a number far ahead": {"id": "1000"},
    "a number from below": {"id": "-1"},
    "the number before": {"id": "1"},
    "another day before": {"was_through": "'2026-01-31'"},
    "no day before": {"was_through": "NULL"},
    "the same day": {"closed_through": "'2026-02-28'"},
    "an older entry": {"last_entry_id": "0"},
    "an entry to come": {"last_entry_id": "4711"},
    "no reason": {"reason": "' '"},
    "nobody": {"by_id": "4711"},
}


def forge(hostile: Hostile, **changed: str) -> str:
    """An act by hand, like the good one but for what is given."""
    row = GOOD | changed
    return f"INSERT INTO book_closings ({', '.join(row)}) VALUES ({', '.join(row.values())})"


@pytest.mark.parametrize("changed", FORGED.values(), ids=list(FORGED))
def test_a_forged_act_is_refused(hostile: Hostile, bank: Bank, changed: dict[str, str]) -> None:
    nobody_else(bank)
    close(desk(bank, Role.SUPER_ADMIN), FEBRUARY)
    refused(hostile, "follows the one before|UNIQUE|duplicate", forge(hostile, **changed))
    if hostile.lite:
        replacing = forge(hostile, **changed).replace("INSERT", "INSERT OR REPLACE")
        refused(hostile, "follows the one before", replacing)
    hostile.do(forge(hostile))  # all that the others lack is in this one
    close(desk(bank, Role.SUPER_ADMIN), YESTERDAY)


def test_the_registers_are_never_changed(head: Desk) -> None:
    close(head, FEBRUARY)
    backdating.set_limit(head, TODAY, 3, None, WHY)
    for table in ("book_closings", "backdating_limits"):
        for statement in (f"UPDATE {table} SET reason = 'x'", f"DELETE FROM {table}"):
            with pytest.raises(DBAPIError, match="never changed or deleted"):
                with chunk(app.system_desk(head.bank), "tests.tamper") as tx:
                    tx.connection.exec_driver_sql(statement)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.SUPER_ADMIN])
def test_only_head_office_closes_and_opens(head: Desk, role: Role) -> None:
    other = desk(head.bank, role)
    for ask in (
        lambda: book_close.close_book(other, FEBRUARY, None, WHY),
        lambda: book_close.reopen_book(other, FEBRUARY, None, WHY),
        lambda: book_close.ahead(other, FEBRUARY),
        lambda: backdating.set_limit(other, TODAY, 3, None, WHY),
    ):
        with pytest.raises(NotAllowed):
            ask()
    reads: tuple[Callable[[], object], ...] = (
        lambda: book_close.standing(other),
        lambda: book_close.register(other),
        lambda: backdating.limits(other),
    )
    for read in reads:
        if role in {Role.BRANCH_ADMIN, Role.AUDITOR}:
            read()
        else:
            with pytest.raises(NotAllowed):
                read()
    assert register(head) == []


# What keeps it open, what is worth a look, who is told.


def agree(at: Checking, ask: Callable[[], object]) -> None:
    """Head asks, chief agrees."""
    with pytest.raises(AwaitingApproval) as waits:
        ask()
    at.approve("chief", waits.value.approval_id)


def test_a_drawer_that_is_left_keeps_its_days_open(checking: Checking) -> None:
    at, head = checking, checking.desks["head"]
    left = f"UPDATE drawers SET business_date = '2026-03-14' WHERE id = {at.market.drawers['ravi']}"
    with at.market.tx() as tx:
        tx.connection.exec_driver_sql(left)
    said = (
        "Fort, 14 Mar 2026: Ravi Kumar has an open drawer: let it be counted, by two others if they"
        " are away."
    )
    assert book_close.ahead(head, date(2026, 3, 13)).in_the_way == []
    assert book_close.ahead(head, date(2026, 3, 14)).in_the_way == [said]
    with pytest.raises(InTheWay, match=f"through 14 Mar 2026 yet. {said}"):
        book_close.close_book(head, date(2026, 3, 14), None, WHY)
    agree(at, lambda: book_close.close_book(head, date(2026, 3, 13), None, WHY))
    [row] = book_close.register(head)
    assert (row.closed_through, row.by_name) == (date(2026, 3, 13), head.name)
    assert row.agreed_by_name == at.desks["chief"].name


def test_the_day_is_for_the_counters_as_it_was(checking: Checking) -> None:
    """What is closed lies behind: the window goes on."""
    at = checking
    agree(at, lambda: book_close.close_book(at.desks["head"], YESTERDAY, None, WHY))
    receipt = at.market.deposit("asha", LAKH)
    assert receipt.amount_minor == LAKH


def test_the_auditors_are_told_when_days_are_opened_again(checking: Checking) -> None:
    at, head = checking, checking.desks["head"]
    agree(at, lambda: book_close.close_book(head, YESTERDAY, None, WHY))
    assert at.market.mails("book") == []
    late = "A statement came late"
    agree(at, lambda: book_close.reopen_book(head, FEBRUARY, 1, late))
    [mail] = at.market.mails("book")
    assert mail["subject"] == "The book was opened again"
    for word in (
        f"{head.name} and {at.desks['chief'].name} have",
        "from 28 Feb 2026 on",
        "closed through 15 Mar 2026",
        late,
    ):
        assert word in mail["body"], word


def drawers_of(at: Checking, day: str, status: str = "closed") -> None:
    """Ravi's drawer was one of that day."""
    with at.market.tx() as tx:
        tx.connection.exec_driver_sql(
            f"UPDATE drawers SET business_date = '{day}', status = '{status}'"
            f" WHERE id = {at.market.drawers['ravi']}"
        )


def branch_acts(at: Checking, *acts: str) -> None:
    """What Fort's admin did with 14 March."""
    fort = at.market.branch_ids["BANK0000001"]
    with at.market.tx() as tx:
        for act in acts:
            tx.connection.exec_driver_sql(
                "INSERT INTO branch_day_acts (branch_id, business_date, act, at, by_id, by_name,"
                f" vault_minor, reason) VALUES ({fort}, '2026-03-14',"
                f" '{act}', '2026-03-14 15:00:00', {at.id('admin')}, 'Arun Nair', 0, 'x')"
            )


NOT_CLOSED = "Fort did not close 1 day on which it had drawers."


def test_a_day_that_a_branch_never_closed_is_worth_a_look(checking: Checking) -> None:
    at, head = checking, checking.desks["head"]
    drawers_of(at, "2026-03-14")
    assert NOT_CLOSED not in book_close.ahead(head, date(2026, 3, 13)).left
    assert NOT_CLOSED in book_close.ahead(head, date(2026, 3, 14)).left
    agree(at, lambda: book_close.close_book(head, date(2026, 3, 14), None, WHY))
    [kept] = at.market.rows(
        "SELECT after FROM trail WHERE verb = 'book.book_close.close_book' AND outcome = 'done'"
    )
    assert NOT_CLOSED in kept["after"], "the register's trail keeps what was left as it is"
    assert NOT_CLOSED not in book_close.ahead(head, YESTERDAY).left, "that is behind us"


@pytest.mark.parametrize(
    ("acts", "status", "is_named"),
    [
        (("closed",), "closed", False),
        (("closed", "reopened"), "closed", True),
        (("closed", "reopened", "closed"), "closed", False),
        ((), "declined", False),
        ((), "withdrawn", False),
    ],
    ids=["closed", "opened again", "closed again", "declined", "withdrawn"],
)
def test_which_days_a_branch_has_closed(
    checking: Checking, acts: tuple[str, ...], status: str, is_named: bool
) -> None:
    drawers_of(checking, "2026-03-14", status)
    branch_acts(checking, *acts)
    left = book_close.ahead(checking.desks["head"], YESTERDAY).left
    assert (NOT_CLOSED in left) == is_named


def test_of_many_drawers_the_first_are_named(
    checking: Checking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawers, "MOST_NAMED", 1)
    head = checking.desks["head"]
    with checking.market.tx() as tx:
        tx.connection.exec_driver_sql("UPDATE drawers SET business_date = '2026-03-14'")
    first, more = book_close.ahead(head, YESTERDAY).in_the_way
    assert "has an open drawer" in first
    assert more == "There are more of them: see Vault and drawers."
    monkeypatch.setattr(drawers, "MOST_NAMED", 2)
    assert len(book_close.ahead(head, YESTERDAY).in_the_way) == 2


def test_a_check_that_failed_is_worth_a_look(head: Desk) -> None:
    never = "Not every check has been run: run them on the page Integrity."
    assert never in book_close.ahead(head, FEBRUARY).left
    integrity.run_checks(head)
    assert book_close.ahead(head, FEBRUARY).left == []
    integrity.keep_result(head, "entries_balance", 3, 0.1)
    title = integrity.catalogue()["entries_balance"].title
    assert book_close.ahead(head, FEBRUARY).left == [f"A check has failed: {title}."]


@pytest.mark.parametrize(
    ("batches", "is_named"),
    [
        ((("old", "started", "FALSE"),), True),
        ((("old", "started", "TRUE"),), False),
        ((("old", "started", "FALSE"), ("old", "imported", "FALSE")), False),
        ((("old", "started", "FALSE"), ("new", "imported", "FALSE")), True),
        ((("old", "refused", "FALSE"),), False),
    ],
    ids=["broken off", "left nothing", "finished later", "another was finished", "refused"],
)
def test_an_import_that_was_broken_off_is_worth_a_look(
    head: Desk, batches: tuple[tuple[str, str, str], ...], is_named: bool
) -> None:
    with chunk(app.system_desk(head.bank), "tests.arrange") as tx:
        for folder, status, strict in batches:
            tx.connection.exec_driver_sql(
                "INSERT INTO import_batches (folder, strict, status, started_at, started_by,"
                " entries, accounts, new_entries, rejected, balance_differences) VALUES"
                f" ('{folder}', {strict}, '{status}', '2026-03-16 06:30:00', 1, 0, 0, 0, 0, 0)"
            )
    said = [each for each in book_close.ahead(head, FEBRUARY).left if "import of old" in each]
    assert len(said) == is_named
    close(head, FEBRUARY)
