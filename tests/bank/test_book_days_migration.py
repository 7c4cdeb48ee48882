"""A bank from before closings gains whom they ask and what guards them, and its book stays open."""

from pathlib import Path

import pytest

from bank import app
from tests.support.bank import DIALECTS
from tests.support.older import old_database

BEFORE = "0019_offers"


@pytest.mark.feature("B36")
@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_older_bank_can_close_its_book(dialect: str, tmp_path: Path) -> None:
    with old_database(BEFORE, dialect, tmp_path) as old:
        app.migrate(old)
        app.migrate(old)
        with old.engine.connect() as connection:
            asked = connection.exec_driver_sql(
                "SELECT command, checkers FROM approval_rules"
                " WHERE substr(command, 1, 10) IN ('book.book_', 'book.backd') ORDER BY command"
            ).all()
            closed = connection.exec_driver_sql("SELECT COUNT(*) FROM book_closings").scalar()
            guards = connection.exec_driver_sql(
                "SELECT COUNT(*) FROM sqlite_master WHERE name = 'entries_on_open_days'"
                if dialect == "sqlite"
                else "SELECT COUNT(*) FROM pg_proc WHERE proname = 'book_entries_named'"
                " AND prosrc LIKE '%%closed on that day%%'"
            ).scalar()
    assert [tuple(row) for row in asked] == [
        ("book.backdating.set_limit", "super_admin"),
        ("book.book_close.close_book", "super_admin"),
        ("book.book_close.reopen_book", "super_admin"),
    ]
    assert (closed, guards) == (0, 1)
