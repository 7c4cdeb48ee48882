"""A bank from before attachments gains their rules and an empty table; a new bank has each once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.command import upgrade

from bank import app
from bank.core.db import Database
from tests.support import postgres

BEFORE = "0016_scores"
RULES = {"post_files": 3, "file_megabytes": 5}


def _old(url: str) -> None:
    """A bank of before: its seed knew nothing of files."""
    db = Database(url)
    with db.engine.connect() as connection:
        upgrade(app.alembic_config(connection=connection), BEFORE)
        for name in RULES:
            connection.exec_driver_sql(f"DELETE FROM ticket_rules WHERE name = '{name}'")
        connection.exec_driver_sql("UPDATE ticket_rules SET value = 7 WHERE name = 'reopen_days'")
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
    with postgres.fresh_database(postgres.template_database("before_files", _old)) as url:
        db = Database(url)
        yield db
        db.close()


@pytest.mark.feature("A6.1", "A6.2")
def test_an_older_bank_gains_the_rules_of_files(old: Database) -> None:
    app.migrate(old)
    app.migrate(old)
    with old.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT name, value FROM ticket_rules").all()
        files = connection.exec_driver_sql("SELECT COUNT(*) FROM ticket_files").scalar()
    values = {name: value for name, value in rows}
    assert len(values) == len(rows)
    assert {name: values[name] for name in RULES} == RULES
    assert values["reopen_days"] == 7, "what the bank has changed stays"
    assert files == 0
