"""Who could not sign in before statuses came is locked, and everybody else is active."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bank import app
from bank.core.db import Database
from bank.people.identity import UserStatus
from tests.support.bank import DIALECTS
from tests.support.older import old_database

BEFORE = "0009_approvals"


@pytest.fixture(params=DIALECTS)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with the schema of before, on each kind in turn."""
    with old_database(BEFORE, request.param, tmp_path) as db:
        yield db


@pytest.mark.feature("A8.5")
def test_users_keep_whether_they_may_sign_in(old: Database) -> None:
    add = (
        "INSERT INTO users (username, role, name, active, must_change_password, totp_last_step,"
        " created_at) VALUES ('{}', 'auditor', 'Somebody', {}, {}, 0, '{}')"
    )
    now = datetime(2026, 3, 16, tzinfo=UTC).replace(tzinfo=None)
    no, yes = ("0", "1") if old.dialect == "sqlite" else ("false", "true")
    with old.engine.connect() as connection:
        connection.exec_driver_sql(add.format("here", yes, no, now))
        connection.exec_driver_sql(add.format("gone", no, no, now))
        connection.commit()
        connection.connection.commit()
    app.migrate(old)
    with old.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT username, status FROM users ORDER BY id")
        assert [tuple(row) for row in rows] == [
            ("system", UserStatus.ACTIVE.value),
            ("here", UserStatus.ACTIVE.value),
            ("gone", UserStatus.LOCKED.value),
        ]
