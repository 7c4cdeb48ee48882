"""A bank from before freezes gains them: its accounts are free, and lifting asks two."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bank import app
from bank.core.db import Database
from tests.support.bank import DIALECTS
from tests.support.older import old_database

BEFORE = "0020_book_days"


@pytest.fixture(params=DIALECTS)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with the schema of before, on each kind in turn."""
    with old_database(BEFORE, request.param, tmp_path) as db:
        yield db


@pytest.mark.feature("B17")
def test_an_older_bank_gains_freezes(old: Database) -> None:
    app.migrate(old)
    app.migrate(old)
    with old.engine.connect() as connection:
        asked = connection.exec_driver_sql(
            "SELECT command, checkers FROM approval_rules WHERE command ="
            " 'accounts.freezes.lift_freeze'"
        ).all()
        frozen = connection.exec_driver_sql("SELECT frozen FROM accounts").all()
        orders = connection.exec_driver_sql("SELECT COUNT(*) FROM account_freezes").scalar()
    assert [tuple(row) for row in asked] == [
        ("accounts.freezes.lift_freeze", "branch_admin reviewer super_admin")
    ]
    assert {row[0] for row in frozen} <= {None}
    assert orders == 0
