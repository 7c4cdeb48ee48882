"""A bank from before head office set rules keeps its hours and gains whom a rule asks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bank import app
from bank.core.db import Database
from tests.support.bank import DIALECTS
from tests.support.older import old_database

BEFORE = "0020_book_days"
OF_BEFORE = ("UPDATE opening_hours SET closes_minute = 900 WHERE weekday = 1",)


@pytest.fixture(params=DIALECTS)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with the schema of before, on each kind in turn."""
    with old_database(BEFORE, request.param, tmp_path, *OF_BEFORE) as db:
        yield db


@pytest.mark.feature("B36")
def test_an_older_bank_keeps_its_hours_and_gains_the_rules(old: Database) -> None:
    app.migrate(old)
    app.migrate(old)
    with old.engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT branch_id, weekday, week_of_month, opens_minute, closes_minute"
            " FROM opening_hours ORDER BY weekday, week_of_month"
        ).all()
        asked = connection.exec_driver_sql(
            "SELECT command, checkers FROM approval_rules WHERE command IN"
            " ('office.dated_rules.set_rule', 'office.dated_rules.withdraw_rule') ORDER BY command"
        ).all()
        law = connection.exec_driver_sql(
            "SELECT highest FROM rule_bounds WHERE rule = 'pan_above_minor'"
        ).scalar()
    assert len(rows) == 9
    assert tuple(rows[0]) == (0, 1, 0, 600, 900), "what the bank had changed stays"
    assert tuple(rows[-1]) == (0, 7, 0, 0, 0)
    assert [tuple(row) for row in asked] == [
        ("office.dated_rules.set_rule", "super_admin"),
        ("office.dated_rules.withdraw_rule", "super_admin"),
    ]
    assert law == 50_000_00
