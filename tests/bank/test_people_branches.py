"""Branches: added by head office, known by their IFSC."""

from datetime import date

import pytest

from bank.core.desk import Bank
from bank.core.errors import BadInput, NotAllowed
from bank.core.permissions import GRANTS, Permission, Role
from bank.people import branches
from bank.people.branches import BranchTaken
from tests.support import people
from tests.support.bank import desk

pytestmark = pytest.mark.feature("B8", "A1.13")


def test_a_branch_is_added_and_listed_by_name(bank: Bank) -> None:
    office = desk(bank, Role.SUPER_ADMIN)
    made = branches.add_branch(
        office, " bank 0000042 ", "  Pune   Camp ", "1 MG Road, Pune 411001", "411 002 042"
    )
    assert (made.ifsc, made.micr, made.name) == ("BANK0000042", "411002042", "Pune Camp")
    assert made.opened_on == bank.clock.business_date()
    branches.add_branch(office, "BANK0000043", "Andheri", "", opened_on=date(1969, 7, 19))
    assert [card.name for card in branches.branches(office)] == ["Andheri", "Pune Camp"]
    first, _ = people.trail(bank, "people.branches.add_branch")
    assert first[:3] == ("done", "branch", "BANK0000042")


@pytest.mark.parametrize(
    "ifsc",
    [
        "",
        "BANK0",
        "BANK1000042",
        "BANKO000042",
        "BAN00000042",
        "BANK00000421",
        "BANK0００００42",
        "🏦",
    ],
)
def test_a_malformed_ifsc_is_refused(sqlite_bank: Bank, ifsc: str) -> None:
    with pytest.raises(BadInput) as refused:
        branches.add_branch(desk(sqlite_bank, Role.SUPER_ADMIN), ifsc, "Pune", "")
    assert refused.value.field == "ifsc"


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"name": "Pune\x07"}, "name"),
        ({"address": "x" * 301}, "address"),
        ({"micr": "41100204"}, "micr"),
        ({"micr": "4110O2042"}, "micr"),
    ],
)
def test_each_field_is_checked(sqlite_bank: Bank, facts: dict[str, str], field: str) -> None:
    given = {"ifsc": "BANK0000042", "name": "Pune", "address": ""} | facts
    with pytest.raises(BadInput) as refused:
        branches.add_branch(desk(sqlite_bank, Role.SUPER_ADMIN), **given)
    assert refused.value.field == field


@pytest.mark.parametrize("second", [("BANK0000042", None), ("BANK0000043", "411002042")])
def test_no_two_branches_share_a_code(bank: Bank, second: tuple[str, str | None]) -> None:
    office = desk(bank, Role.SUPER_ADMIN)
    branches.add_branch(office, "BANK0000042", "Pune", "", "411002042")
    with pytest.raises(BranchTaken):
        branches.add_branch(office, second[0], "Pune again", "", second[1])
    assert len(branches.branches(office)) == 1


def test_branches_without_micr_do_not_collide(bank: Bank) -> None:
    assert people.branch_id(bank, "BANK0000042") != people.branch_id(bank, "BANK0000043")


@pytest.mark.parametrize("role", list(Role))
def test_only_head_office_adds_branches(sqlite_bank: Bank, role: Role) -> None:
    at = desk(sqlite_bank, role)
    if Permission.BRANCH_ADD in GRANTS[role]:
        branches.add_branch(at, "BANK0000042", "Pune", "")
    else:
        with pytest.raises(NotAllowed):
            branches.add_branch(at, "BANK0000042", "Pune", "")
