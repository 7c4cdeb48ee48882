"""A bank from before finds its customers by their names, and its slips say nothing of a mobile."""

from pathlib import Path

import pytest

from bank import app
from tests.support.bank import DIALECTS
from tests.support.older import old_database

BEFORE = "0029_risks"
ADD = (
    "INSERT INTO customers (id, number, name, date_of_birth, branch_id, created_at)"
    " VALUES ({}, '{}', '{}', '1990-05-17', 1, '2026-03-16 06:30:00+00:00')"
)
OF_BEFORE = (
    "INSERT INTO branches (id, ifsc, name, address, opened_on) VALUES (1, 'BANK0000001', 'Fort',"
    " '1 Fort Road', '2020-01-01')",
    ADD.format(1, "100000018", "Asha  RAO Rao"),
    ADD.format(40_000, "N-7", "Zoë D''Souza & Sons"),
    ADD.format(40_001, "N-8", "李 明"),
)


@pytest.mark.feature("A2.8")
@pytest.mark.parametrize("dialect", DIALECTS)
def test_customers_of_before_are_found_by_name(dialect: str, tmp_path: Path) -> None:
    with old_database(BEFORE, dialect, tmp_path, *OF_BEFORE) as old:
        app.migrate(old)
        app.migrate(old)
        with old.engine.connect() as connection:
            words = connection.exec_driver_sql(
                "SELECT object_id, word FROM search_words WHERE kind = 'customer'"
                " ORDER BY object_id, word"
            )
            assert [tuple(row) for row in words] == [
                (1, "asha"), (1, "rao"),
                (40_000, "sons"), (40_000, "souza"), (40_000, "zoe"),
            ]  # fmt: skip
            slips = connection.exec_driver_sql("SELECT mobile FROM cash_slips")
            assert slips.all() == []
