"""How far back an import books: from a day on, decided by two, and never into closed days."""

from datetime import date, timedelta

import pytest
from sqlalchemy.exc import DBAPIError

from bank import app
from bank.book import backdating, book_close
from bank.book.backdating import BeginsInThePast, LimitSetMeanwhile, LimitUnchanged
from bank.book.drafts import BookClosed
from bank.core.approvals import AwaitingApproval
from bank.core.dated import Standing
from bank.core.desk import Desk, chunk
from bank.core.errors import BadInput
from tests.support.bank import NOON, move_clock
from tests.support.book import TODAY, WHY, YESTERDAY, book, close, draft
from tests.support.checkers import Checking

pytestmark = pytest.mark.feature("B36")


def set_limit(head: Desk, days: int | None, first: date = TODAY) -> int:
    """Head office sets a limit as the limits are seen now."""
    rows = backdating.limits(head)
    return backdating.set_limit(head, first, days, rows[0].id if rows else None, WHY)


def test_a_limit_of_days_counts_from_its_day(head: Desk) -> None:
    first = TODAY + timedelta(days=1)
    set_limit(head, 3, first)
    assert book_close.standing(head).days_back is None
    move_clock(head.bank, NOON + timedelta(days=1))
    stands = book_close.standing(head)
    assert (stands.days_back, stands.import_from) == (3, date(2026, 3, 14))
    assert stands.import_because == "an import books at most 3 days back"
    close(head, date(2026, 3, 15))
    stands = book_close.standing(head)
    assert (stands.import_from, stands.import_because) == (
        date(2026, 3, 16),
        "the book is closed through 15 Mar 2026",
    )
    set_limit(head, None, first)
    assert [(row.days, row.standing) for row in backdating.limits(head)] == [
        (None, Standing.IN_FORCE),
        (3, Standing.REPLACED),
    ]
    assert book_close.standing(head).days_back is None


def test_the_ledger_keeps_the_limit_and_answers_again(head: Desk) -> None:
    early = draft(TODAY - timedelta(days=2))
    book(head.bank, early)
    set_limit(head, 1)
    said = "before 15 Mar 2026: an import books at most 1 day back.*for a wider limit"
    with pytest.raises(BookClosed, match=said):
        book(head.bank, draft(TODAY - timedelta(days=2)))
    first, second, again = book(head.bank, draft(), draft(YESTERDAY), early)
    assert (first.replayed, second.replayed, again.replayed) == (False, False, True)


def test_the_limit_is_for_imports_alone(head: Desk) -> None:
    """The bank's own jobs book for the day that has just ended."""
    set_limit(head, 0)
    with pytest.raises(BookClosed):
        book(head.bank, draft(YESTERDAY))
    book(head.bank, draft(YESTERDAY), channel="system")


def test_a_limit_that_is_none(head: Desk) -> None:
    with pytest.raises(LimitUnchanged):
        set_limit(head, None)
    with pytest.raises(BeginsInThePast):
        set_limit(head, 3, YESTERDAY)
    for days in (-1, 3_661):
        with pytest.raises(BadInput, match="from 0 to 3,660") as wrong:
            set_limit(head, days)
        assert wrong.value.field == "days"
    with pytest.raises(BadInput):
        backdating.set_limit(head, TODAY, 3, None, " ")
    set_limit(head, 0)
    with pytest.raises(LimitUnchanged):
        set_limit(head, 0)
    assert len(backdating.limits(head)) == 1


def test_whoever_has_not_seen_the_last_limit_sets_none(head: Desk) -> None:
    first = set_limit(head, 3)
    for seen in (None, first + 1):
        with pytest.raises(LimitSetMeanwhile):
            backdating.set_limit(head, TODAY, 5, seen, WHY)
    assert [row.days for row in backdating.limits(head)] == [3]


def test_the_row_names_both(checking: Checking) -> None:
    at, head = checking, checking.desks["head"]
    with pytest.raises(AwaitingApproval) as waits:
        backdating.set_limit(head, TODAY, 3, None, WHY)
    assert backdating.limits(head) == []
    at.approve("chief", waits.value.approval_id)
    [row] = backdating.limits(head)
    assert (row.set_by_name, row.agreed_by_name) == (head.name, at.desks["chief"].name)


@pytest.mark.parametrize(
    "changed",
    [{"id": 3}, {"id": -1}, {"id": 1}, {"reason": "' '"}, {"set_by": 4711}, {"days": -1}],
    ids=lambda changed: next(iter(changed)),
)
def test_a_forged_limit_is_refused(head: Desk, changed: dict[str, object]) -> None:
    set_limit(head, 3)
    good = {
        "id": 2, "effective_from": "'2026-03-16'", "days": "NULL", "reason": "'x'", "set_by": 1,
        "set_by_name": "'Head'", "set_at": "'2026-03-16 06:30:00'",
    }  # fmt: skip

    def insert(row: dict[str, object]) -> None:
        with chunk(app.system_desk(head.bank), "tests.tamper") as tx:
            tx.connection.exec_driver_sql(
                f"INSERT INTO backdating_limits ({', '.join(row)})"
                f" VALUES ({', '.join(map(str, row.values()))})"
            )

    with pytest.raises(DBAPIError, match=r"follows the one before|days_not_negative"):
        insert(good | changed)
    insert(good)  # all that the others lack is in this one
    assert set_limit(head, 5) == 3
