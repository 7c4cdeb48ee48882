"""A bank from before limits gains their ceilings and whom it asks; a new bank has each once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.command import upgrade

from bank import app
from bank.core.db import Database
from tests.support import postgres

BEFORE = "0014_terms"
CEILINGS = {"drawer_limit_ceiling_minor": 20_00_000_00, "supervised_ceiling_minor": 5_00_000_00}


def _old(url: str) -> None:
    """A bank of before: its seed knew no ceilings."""
    db = Database(url)
    with db.engine.connect() as connection:
        upgrade(app.alembic_config(connection=connection), BEFORE)
        for name in CEILINGS:
            connection.exec_driver_sql(f"DELETE FROM cash_rules WHERE name = '{name}'")
        connection.exec_driver_sql("UPDATE cash_rules SET value = 7 WHERE name = 'token_days'")
        connection.commit()
        connection.connection.commit()
    db.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with the schema of before, on each kind in turn."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'old.db'}"
        _old(url)
        db = Database(url)
        yield db
        db.close()
        return
    with postgres.fresh_database(postgres.template_database("before_limits", _old)) as url:
        db = Database(url)
        yield db
        db.close()


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
