"""A bank from before numbers about employees gains their rules, and its history stays as it is."""

from pathlib import Path

import pytest

from bank import app
from tests.support.bank import DIALECTS
from tests.support.older import old_database

BEFORE = "0025_told"
# A reply of before: nobody wrote down by when it was promised.
A_REPLY = (
    "INSERT INTO work_items (id, kind, subject_id, for_roles, reference, title, priority, level,"
    " status, opened_at) VALUES (1, 'ticket', 1, '', 'T-1', 'A question', 3, 0, 'unassigned',"
    " '2026-03-16 06:30:00+00:00')",
    "INSERT INTO work_events (id, item_id, at, act, actor_id, actor_name, note)"
    " VALUES (1, 1, '2026-03-16 06:30:00+00:00', 'first reply', 1, 'Esha Iyer', '')",
)


@pytest.mark.feature("C10", "A8.5", "B3")
@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_older_bank_gains_the_rules(dialect: str, tmp_path: Path) -> None:
    with old_database(BEFORE, dialect, tmp_path, *A_REPLY) as old:
        app.migrate(old)
        app.migrate(old)
        with old.engine.connect() as connection:

            def rows(sql: str) -> list[tuple[object, ...]]:
                return [tuple(row) for row in connection.exec_driver_sql(sql)]

            numbers = rows("SELECT name, value FROM performance_rules ORDER BY name")
            codes = rows("SELECT code FROM leaving_reasons ORDER BY code")
            asked = rows(
                "SELECT checkers, amount_above_minor FROM approval_rules"
                " WHERE command = 'counters.corrections.reverse_own_slip'"
            )
            events = rows("SELECT act, actor_name, due_at FROM work_events")
    assert numbers == [("least_cases", 5), ("least_people", 3)]
    assert ("resigned",) in codes
    assert len(codes) == 6
    assert asked == [("branch_admin reviewer", 0)]
    assert events == [("first reply", "Esha Iyer", None)]
