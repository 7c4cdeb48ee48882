"""A bank from before linked tickets gains the rules that came with them, each once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bank import app
from bank.core.db import Database
from tests.support.bank import DIALECTS
from tests.support.older import old_database

BEFORE = "0029_risks"
RULES = {"longest_snooze_days": 14, "undo_reply_seconds": 10}


# The seed of before knew nothing of resting or undoing, and this bank has changed a rule.
OF_BEFORE = (
    *(f"DELETE FROM ticket_rules WHERE name = '{name}'" for name in RULES),
    "UPDATE ticket_rules SET value = 7 WHERE name = 'reopen_days'",
)


@pytest.fixture(params=DIALECTS)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with the schema of before, on each kind in turn."""
    with old_database(BEFORE, request.param, tmp_path, *OF_BEFORE) as db:
        yield db


@pytest.mark.feature("D3")
def test_an_older_bank_gains_the_rules_of_resting_and_undoing(old: Database) -> None:
    app.migrate(old)
    app.migrate(old)
    with old.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT name, value FROM ticket_rules").all()
        links = connection.exec_driver_sql("SELECT COUNT(*) FROM ticket_links").scalar()
    values = {name: value for name, value in rows}
    assert len(values) == len(rows)
    assert {name: values[name] for name in RULES} == RULES
    assert values["reopen_days"] == 7, "what the bank has changed stays"
    assert links == 0
