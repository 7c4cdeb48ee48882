"""Every page that a role may not see, opened past the menu: refused, and nothing of it drawn."""

from typing import Final

import pytest

from bank.core.desk import Bank
from bank.core.permissions import GRANTS, Role
from pages.parts.menu import MENU
from tests.support import people
from tests.support.apptest import Pages
from tests.support.bank import desk

DENIED: Final = {
    role: sorted({entry.file for entry in MENU if entry.permission not in GRANTS[role]})
    for role in Role
    if role is not Role.SYSTEM  # nobody signs in as it
}


@pytest.mark.feature("A1.13", "A14.3")
@pytest.mark.parametrize("role", DENIED)
def test_a_denied_page_shows_nothing_of_itself(pages: Pages, sqlite_bank: Bank, role: Role) -> None:
    people.branch_id(sqlite_bank)
    assert DENIED[role]
    for file in DENIED[role]:
        page = pages.open(desk(sqlite_bank, role), file)
        assert not page.exception, file
        assert [title.value for title in page.title] == ["Not available"], file
        assert len(page.error) == 1, file
        assert {element.type for element in page.main} <= {"main", "title", "error"}, file
        assert not len(page.sidebar), file
    assert len(people.trail(sqlite_bank, "people.doors.turn_away")) == len(DENIED[role])
