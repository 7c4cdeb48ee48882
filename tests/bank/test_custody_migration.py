"""A bank from before joint custody: its drawers stand, and nobody is both of two from then on."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from bank import app
from bank.core.db import Database
from tests.support.bank import DIALECTS
from tests.support.older import old_database

BEFORE = "0020_book_days"
AT = "'2026-03-16 06:30:00'"
OPEN_DRAWER = (
    "INSERT INTO branches (ifsc, name, address, opened_on)"
    " VALUES ('BANK0000001', 'Fort', '1 Fort Road', '2020-01-01')",
    f"INSERT INTO tallies (total_minor, counted_at, counted_by) VALUES (100, {AT}, 5)",
    "INSERT INTO drawers (branch_id, cashier_id, business_date, status, request_id, opening_minor,"
    " opening_tally_id, requested_at, note)"
    f" VALUES (1, 5, '2026-03-16', 'open', 'r', 100, 1, {AT}, '')",
)
ONE_PERSON = (
    "INSERT INTO remittances (branch_id, business_date, way, status, request_id, amount_minor,"
    " tally_id, paper, asked_at, asked_by, decided_by, note)"
    f" VALUES (1, '2026-03-16', 'to_chest', 'confirmed', 'q', 100, 1, 'CC', {AT}, 5, 5, '')",
    "INSERT INTO vault_counts (branch_id, business_date, status, tally_id, counted_minor,"
    " expected_minor, counted_at, counted_by, decided_by, reason)"
    f" VALUES (1, '2026-03-16', 'confirmed', 1, 100, 100, {AT}, 5, 5, '')",
)


@pytest.fixture(params=DIALECTS)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with the schema of before and one open drawer, on each kind in turn."""
    with old_database(BEFORE, request.param, tmp_path, *OPEN_DRAWER) as db:
        yield db


@pytest.mark.feature("B6")
def test_an_older_bank_gains_the_second_person(old: Database) -> None:
    app.migrate(old)
    app.migrate(old)
    with old.engine.connect() as connection:
        [drawer] = connection.exec_driver_sql(
            "SELECT status, opening_minor, absent_why, absent_said FROM drawers"
        ).all()
        assert tuple(drawer) == ("open", 100, None, None)
    for statement in ONE_PERSON:
        with old.engine.connect() as connection, pytest.raises(DBAPIError, match="_by_another"):
            connection.exec_driver_sql(statement)
