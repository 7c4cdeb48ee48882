"""A bank from before limits gains their ceilings and whom it asks; a new bank has each once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bank import app
from bank.core.db import Database
from tests.support.bank import DIALECTS
from tests.support.older import old_database

BEFORE = "0014_terms"
CEILINGS = {"drawer_limit_ceiling_minor": 20_00_000_00, "supervised_ceiling_minor": 5_00_000_00}


# The seed of before knew no ceilings, and this bank has changed a rule.
OF_BEFORE = (
    *(f"DELETE FROM cash_rules WHERE name = '{name}'" for name in CEILINGS),
    "UPDATE cash_rules SET value = 7 WHERE name = 'token_days'",
)


@pytest.fixture(params=DIALECTS)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with the schema of before, on each kind in turn."""
    with old_database(BEFORE, request.param, tmp_path, *OF_BEFORE) as db:
        yield db


@pytest.mark.feature("A8.2", "A8.6")
def test_an_older_bank_gains_the_rules_of_limits(old: Database) -> None:
    app.migrate(old)
    app.migrate(old)
    with old.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT name, value FROM cash_rules ORDER BY name").all()
        values = {name: value for name, value in rows}
        asked = connection.exec_driver_sql(
            "SELECT command, checkers FROM approval_rules WHERE command IN"
            " ('counters.branch_limits.set_limit', 'people.limits.set_limit') ORDER BY command"
        ).all()
        empty = [
            connection.exec_driver_sql(f"SELECT COUNT(*) FROM {table}").scalar()
            for table in ("branch_limits", "employee_limits")
        ]
    assert len(values) == len(rows)
    assert {name: values[name] for name in CEILINGS} == CEILINGS
    assert values["token_days"] == 7, "what the bank has changed stays"
    assert [tuple(row) for row in asked] == [
        ("counters.branch_limits.set_limit", "super_admin"),
        ("people.limits.set_limit", "branch_admin super_admin"),
    ]
    assert empty == [0, 0]
