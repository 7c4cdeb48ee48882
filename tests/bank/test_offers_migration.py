"""A bank from before offers gains their category; a new bank has it once."""

from pathlib import Path

import pytest

from bank import app
from tests.support.bank import DIALECTS
from tests.support.older import old_database

BEFORE = "0018_branch_days"
WITHOUT = "DELETE FROM ticket_categories WHERE code = 'offer'"


@pytest.mark.feature("A7.4")
@pytest.mark.parametrize("was", [(WITHOUT,), ()], ids=["before", "with it already"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_older_bank_gains_the_category(
    dialect: str, was: tuple[str, ...], tmp_path: Path
) -> None:
    with old_database(BEFORE, dialect, tmp_path, *was) as old:
        app.migrate(old)
        app.migrate(old)
        with old.engine.connect() as connection:
            rows = connection.exec_driver_sql(
                "SELECT name, priority FROM ticket_categories WHERE code = 'offer'"
            ).all()
    assert [tuple(row) for row in rows] == [("An offer of the bank", 3)]
