"""Head office and its book, in a bank where a second person is not asked: who is, and who may not
be it, tests/bank/test_approval_matrix.py shows for every command."""

from datetime import date, timedelta
from typing import Final

import pytest

from bank import app
from bank.book import book_close, ledger
from bank.book.book_close import BookDays
from bank.book.drafts import Draft, credit_gl, debit_gl
from bank.core.desk import Bank, Desk, chunk
from bank.core.ids import new_request_id
from bank.core.permissions import Role
from tests.support.bank import desk, staff

TODAY: Final = date(2026, 3, 16)
YESTERDAY: Final = TODAY - timedelta(days=1)
FEBRUARY: Final = date(2026, 2, 28)
WHY: Final = "The month was reported"


@pytest.fixture
def head(bank: Bank) -> Desk:
    """Somebody at head office, on each database in turn."""
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
            " FROM approval_rules WHERE substr(command, 1, 10) IN ('book.book_', 'book.backd')"
        )


def close(head: Desk, through: date, reason: str = WHY) -> BookDays:
    """Head office closes the book as it is seen now."""
    return book_close.close_book(head, through, book_close.standing(head).last_id, reason)


def reopen(head: Desk, first_day: date, reason: str = "A statement came late") -> BookDays:
    """Head office opens it again."""
    return book_close.reopen_book(head, first_day, book_close.standing(head).last_id, reason)


def draft(day: date | None = None) -> Draft:
    """Capital in cash, on a day."""
    return Draft(
        request_id=new_request_id(),
        kind="opening",
        narration="capital",
        legs=(debit_gl("1000", 100), credit_gl("3000", 100)),
        branch_id=1,
        booking_date=day,
    )


def book(bank: Bank, *drafts: Draft, channel: str = "import") -> list[ledger.Posted]:
    """The system books, as an import does unless told otherwise."""
    with chunk(app.system_desk(bank, channel), "tests.book") as tx:
        return ledger.post_many(tx, drafts)


def register(head: Desk) -> list[tuple[date | None, date | None, str]]:
    """The register, oldest first."""
    return [
        (row.closed_through, row.was_through, row.reason)
        for row in reversed(book_close.register(head))
    ]
