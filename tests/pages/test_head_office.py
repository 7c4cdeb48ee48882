"""Head office's pages: branches, and who may do what."""

import pytest

from bank.core.permissions import NamedGrant
from bank.people import branches, grants
from tests.house.test_permissions import load_catalogue
from tests.pages.test_admin_employees import press
from tests.support.apptest import Pages, words_of
from tests.support.office import Office

BRANCHES = "head_office/branches.py"
PERMISSIONS = "head_office/permissions.py"

load_catalogue()


@pytest.fixture
def office(sqlite_office: Office) -> Office:
    """Pages draw the same on either database."""
    return sqlite_office


@pytest.mark.feature("A8.2", "A13.4")
def test_a_branch_is_added_and_edited(pages: Pages, office: Office) -> None:
    page = press(pages.open(office.desk("dinshaw"), BRANCHES), "Add a branch")
    page.text_input("branch_new_ifsc").set_value("BANK9")
    page.text_input("branch_new_name").set_value("Kothrud")
    press(page, "Add branch")
    assert page.error[0].value.startswith("**IFSC:**")
    assert page.text_input("branch_new_name").value == "Kothrud"
    page.text_input("branch_new_ifsc").set_value("bank0000009")
    press(page, "Add branch")
    assert "was added" in page.success[0].value
    [made] = [each for each in branches.branches(office.desk("dinshaw")) if each.name == "Kothrud"]
    page.session_state["branches_chosen"] = str(made.id)
    page.run()
    assert "Nobody leads this branch" in page.warning[0].value
    page.text_input(f"branch_micr_{made.id}").set_value("12")
    press(page, "Save changes")
    assert page.error[0].value.startswith("**MICR code:**")
    page.text_input(f"branch_micr_{made.id}").set_value("411240009")
    press(page, "Save changes")
    assert "was changed" in page.success[0].value
    assert "411240009" in words_of(page)


@pytest.mark.feature("A8.8", "A14.3")
def test_permissions_are_looked_up_both_ways(pages: Pages, office: Office) -> None:
    today = office.bank.clock.business_date()
    grants.give_grant(
        office.desk("meera"), office.id("ravi"), NamedGrant.SUPERVISOR, today, None, "Cover"
    )
    page = pages.open(office.desk("sunita"), PERMISSIONS)
    assert not page.exception
    everything = len(page.dataframe[0].value)
    assert {"Cashier", "Super admin", "Named grants"} <= set(page.dataframe[0].value.columns)
    page.selectbox("rights_verb").set_value("book.journal.reverse_entry").run()
    said = words_of(page)
    assert "Branch admin, Supervisor" in said
    assert "Supervisor" in page.dataframe[0].value["Because they are"].tolist()
    page.selectbox("rights_verb").set_value("counters.transfers.send").run()
    assert "No employee can do this today" in words_of(page)
    page.selectbox("rights_verb").set_value(None).run()
    roles = page.selectbox("rights_role")
    roles.set_value(next(each for each in page.selectbox("rights_role").options if each)).run()
    assert 0 < len(page.dataframe[0].value) <= everything


@pytest.mark.feature("A14.3")
def test_a_branch_admin_opens_neither(pages: Pages, office: Office) -> None:
    for file in (BRANCHES, PERMISSIONS):
        page = pages.open(office.desk("meera"), file)
        assert [title.value for title in page.title] == ["Not available"]
