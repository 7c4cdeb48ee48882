"""A bank from before gains what customers and employees are told; a new bank has each once."""

from pathlib import Path

import pytest

from bank import app
from tests.support.bank import DIALECTS
from tests.support.older import old_database

BEFORE = "0020_book_days"
RULES = {"usual_of_tickets": 50, "usual_least_tickets": 10}
OF_BEFORE = (
    *(f"DELETE FROM ticket_rules WHERE name = '{name}'" for name in RULES),
    "INSERT INTO canned_replies (owner_id, name, body) VALUES (7, 'Mine', 'Hello')",
    "INSERT INTO announcements (request_id, audience, severity, title, body, from_on, until_on,"
    " announced_at, announced_by, announced_by_name, mails) VALUES ('1', 'staff', 'info', 'Old',"
    " 'Words', '2026-03-16', '2026-03-17', '2026-03-16 06:30:00', 7, 'Arun', 0)",
)


@pytest.mark.feature("A7.3", "B20", "C9")
@pytest.mark.parametrize("was", [OF_BEFORE, ()], ids=["before", "new"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_older_bank_gains_what_is_told(
    dialect: str, was: tuple[str, ...], tmp_path: Path
) -> None:
    with old_database(BEFORE, dialect, tmp_path, *was) as old:
        app.migrate(old)
        app.migrate(old)
        with old.engine.connect() as connection:
            rules = connection.exec_driver_sql("SELECT name, value FROM ticket_rules").all()
            replies = connection.exec_driver_sql(
                "SELECT owner_id, branch_id, retired_at FROM canned_replies ORDER BY id"
            ).all()
            announced = connection.exec_driver_sql(
                "SELECT roles, product, withdrawn_reason FROM announcements"
            ).all()
    found = {name: value for name, value in rules}
    assert len(found) == len(rules)
    assert {name: found[name] for name in RULES} == RULES
    assert {(row.branch_id, row.retired_at) for row in replies} == {(None, None)}
    assert [row.owner_id for row in replies] == [None, None, None, *([7] if was else [])]
    assert [tuple(row) for row in announced] == ([("", None, None)] if was else [])
