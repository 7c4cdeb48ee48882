"""Who can do what, and who leads which branch."""

import pytest

from bank.core.desk import CATALOGUE, Bank
from bank.core.errors import BadInput, NotAllowed
from bank.core.permissions import GRANTS, NamedGrant, Permission, Role
from bank.people import branch_list, branches, grants, rights, users
from bank.people.branches import BranchTaken, NoSuchBranch
from bank.people.rights import NoSuchVerb
from tests.house.test_permissions import load_catalogue
from tests.support import people
from tests.support.bank import desk
from tests.support.office import FORT, Office

load_catalogue()


@pytest.mark.feature("A8.8", "A1.13")
def test_the_matrix_is_the_catalogue_and_the_grants(sqlite_office: Office) -> None:
    listed = {right.verb: right for right in rights.rights(sqlite_office.desk("dinshaw"))}
    assert set(listed) == set(CATALOGUE)
    for name, verb in CATALOGUE.items():
        assert listed[name].roles == {role for role in Role if verb.permission in GRANTS[role]}
    reverse = listed["book.journal.reverse_entry"]
    assert (reverse.changes, reverse.named) == (True, {NamedGrant.SUPERVISOR})
    assert not listed["book.journal.entries"].changes


@pytest.mark.feature("A8.8")
def test_who_can_is_answered_with_names(office: Office) -> None:
    who = office.desk("sunita")
    verb = "book.journal.reverse_entry"
    assert [(h.username, h.by) for h in rights.who_can(who, verb).holders] == [
        ("meera", "branch_admin"),
        ("omar", "branch_admin"),
    ]
    today = office.bank.clock.business_date()
    grants.give_grant(
        office.desk("meera"), office.id("ravi"), NamedGrant.SUPERVISOR, today, today, "Cover"
    )
    assert {(h.username, h.by) for h in rights.who_can(who, verb).holders} == {
        ("meera", "branch_admin"),
        ("omar", "branch_admin"),
        ("ravi", "supervisor"),
    }
    users.lock_user(office.desk("meera"), office.id("ravi"), "On leave")
    assert len(rights.who_can(who, verb).holders) == 2, "who is locked can do nothing"
    people.customer(office.bank)
    assert rights.who_can(who, "counters.transfers.send").customers == 1
    assert rights.who_can(who, "counters.transfers.send").holders == []
    with pytest.raises(NoSuchVerb):
        rights.who_can(who, "bank.give_me_money")


@pytest.mark.feature("A8.1", "A8.2")
def test_head_office_sees_who_leads_each_branch(office: Office) -> None:
    people.customer(office.bank)
    people.branch_id(office.bank, "BANK0000003")
    rows = branch_list.branch_overviews(office.desk("dinshaw"))
    assert [(row.branch.ifsc, len(row.admins), row.employees, row.customers) for row in rows] == [
        (FORT, 1, 7, 1),
        ("BANK0000002", 1, 2, 0),
        ("BANK0000003", 0, 0, 0),
    ]


@pytest.mark.feature("A8.2")
def test_a_branch_is_edited_with_before_and_after(office: Office) -> None:
    head, branch_id = office.desk("dinshaw"), people.branch_id(office.bank)
    made = branches.change_branch(head, branch_id, "Fort, Mumbai", "12 Fort Road", "400240002")
    assert (made.ifsc, made.name, made.micr) == (FORT, "Fort, Mumbai", "400240002")
    [row] = people.trail(office.bank, "people.branches.change_branch")
    assert row[:3] == ("done", "branch", FORT)
    other = people.branch_id(office.bank, "BANK0000002")
    with pytest.raises(BranchTaken) as refused:
        branches.change_branch(head, other, "Baner", "", "400240002")
    assert refused.value.field == "micr"
    with pytest.raises(NoSuchBranch):
        branches.change_branch(head, 99_999, "Nowhere", "")


@pytest.mark.parametrize(
    ("name", "address", "micr", "field"),
    [("", "x", None, "name"), ("Fort", "x" * 301, None, "address"), ("Fort", "", "12", "micr")],
)
def test_each_field_of_a_branch_is_checked(
    sqlite_office: Office, name: str, address: str, micr: str | None, field: str
) -> None:
    with pytest.raises(BadInput) as refused:
        branches.change_branch(sqlite_office.desk("dinshaw"), 1, name, address, micr)
    assert refused.value.field == field


def test_a_branch_that_stays_as_it_was(sqlite_office: Office) -> None:
    with pytest.raises(BadInput, match="as it was"):
        branches.change_branch(sqlite_office.desk("dinshaw"), 1, "Branch 001", "")


@pytest.mark.parametrize("role", list(Role))
def test_who_edits_branches_and_reads_rights(sqlite_bank: Bank, role: Role) -> None:
    at = desk(sqlite_bank, role)
    assert at.may(Permission.BRANCH_EDIT) is (role is Role.SUPER_ADMIN)
    assert at.may(Permission.RIGHTS_VIEW) is (role in {Role.SUPER_ADMIN, Role.AUDITOR})
    if role is not Role.SUPER_ADMIN:
        with pytest.raises(NotAllowed):
            branches.change_branch(at, 1, "Mine", "")
