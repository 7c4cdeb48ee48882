"""A bank from before hand-overs: its items learn what they are about and how they came, and what
was claimed stays claimed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bank import app
from bank.core.db import Database
from tests.support.bank import DIALECTS
from tests.support.older import old_database

BEFORE = "0023_customer_links"
AT = "'2026-03-16 06:30:00'"
ITEM = (
    "INSERT INTO work_items (kind, subject_id, branch_id, for_roles, reference, title, priority,"
    " level, status, owner_id, owner_name, claimed_until, opened_at) VALUES"
)
# One ticket by a customer who signed in, one from a file, and an approval that somebody claimed.
HELD = (
    "INSERT INTO branches (id, ifsc, name, address, opened_on)"
    " VALUES (1, 'BANK0000001', 'Fort', '1 Road', '2020-01-01')",
    "INSERT INTO customers (id, number, name, date_of_birth, branch_id, created_at)"
    f" VALUES (1, 'C1', 'Asha Rao', '1990-05-17', 1, {AT})",
    *(
        "INSERT INTO tickets (id, request_id, customer_id, branch_id, category, subject, opened_on,"
        f" opened_at, score_note) VALUES ({number}, 'r{number}', 1, 1, '{category}', 'A word',"
        f" '2026-03-16', {AT}, '')"
        for number, category in ((1, "card"), (2, "cash"))
    ),
    *(
        "INSERT INTO ticket_posts (request_id, ticket_id, at, author_id, author_name, kind, body)"
        f" VALUES ('p{number}', {number}, {AT}, {author}, 'Asha Rao', 'question', 'Help')"
        for number, author in ((1, "1"), (2, "NULL"))
    ),
    *(
        f"{ITEM} ('{kind}', {number}, 1, '', 'X-{number}', 'A word', 3, 0, {rest}, {AT})"
        for kind, number, rest in (
            ("ticket", 1, "'unassigned', NULL, NULL, NULL"),
            ("ticket", 2, "'unassigned', NULL, NULL, NULL"),
            ("approval", 1, f"'claimed', 1, 'system', {AT}"),
        )
    ),
)


@pytest.fixture(params=DIALECTS)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with the schema of before and a queue, on each kind in turn."""
    with old_database(BEFORE, request.param, tmp_path, *HELD) as db:
        yield db


@pytest.mark.feature("B12", "B41", "C9")
def test_an_older_queue_is_sorted_and_its_claims_stay(old: Database) -> None:
    app.migrate(old)
    app.migrate(old)
    with old.engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT kind, category, channel, status, owner_name, assigned_by, reply_due_at"
            " FROM work_items ORDER BY id"
        ).all()
        spans = connection.exec_driver_sql(
            "SELECT kind, priority, reply_minutes, assigned_minutes FROM work_spans"
            " WHERE priority = 3 ORDER BY kind"
        ).all()
        away = connection.exec_driver_sql("SELECT COUNT(*) FROM absences").scalar()
    assert [tuple(row) for row in rows] == [
        ("ticket", "card", "portal", "unassigned", None, None, None),
        ("ticket", "cash", "file", "unassigned", None, None, None),
        ("approval", None, "desk", "claimed", "system", None, None),
    ]
    assert [tuple(row) for row in spans] == [("approval", 3, 0, 180), ("ticket", 3, 360, 720)]
    assert away == 0
