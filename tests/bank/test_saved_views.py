"""Saved views: one's own under a name, or shared with a role."""

import pytest

from bank.core.errors import BadInput, NotAllowed
from bank.core.permissions import Role
from bank.office import saved_views
from bank.office.saved_views import NoSuchView, NotYourColleagues, TooManyViews
from tests.support.market import Market

pytestmark = pytest.mark.feature("B25")
PAGE = "staff-inbox"


def names(market: Market, who: str, page: str = PAGE) -> list[str]:
    """The views somebody is offered."""
    return [view.name for view in saved_views.views(market.desks[who], page)]


def test_a_view_is_kept_under_a_name_and_kept_again_in_its_place(market: Market) -> None:
    esha = market.desks["executive"]
    first = saved_views.keep_view(esha, PAGE, "  Urgent  cards ", "view=overdue&priority=1")
    again = saved_views.keep_view(esha, PAGE, "Urgent cards", "view=mine")
    assert (first.id, first.name, again.query) == (again.id, "Urgent cards", "view=mine")
    assert names(market, "executive") == ["Urgent cards"]
    assert names(market, "executive", "another-page") == []
    assert names(market, "executive_two") == [], "nobody else's"
    [row] = market.rows(
        "SELECT before, after FROM trail WHERE verb = 'office.saved_views.keep_view'"
        " ORDER BY id DESC LIMIT 1"
    )
    assert "view=overdue" in row["before"]
    assert "view=mine" in row["after"]


def test_a_shared_view_is_seen_by_the_role_and_forgotten_by_its_owner_alone(market: Market) -> None:
    esha, dev = market.desks["executive"], market.desks["executive_two"]
    view = saved_views.keep_view(esha, PAGE, "Ours", "view=overdue", Role.EXECUTIVE)
    assert names(market, "executive_two") == names(market, "executive_baner") == ["Ours"]
    assert names(market, "admin") == []
    with pytest.raises(NoSuchView):
        saved_views.forget_view(dev, view.id)
    saved_views.forget_view(esha, view.id)
    with pytest.raises(NoSuchView):
        saved_views.forget_view(esha, view.id)
    assert names(market, "executive_two") == []


def test_one_shares_with_ones_own_role_and_who_leads_with_any(market: Market) -> None:
    esha, admin = market.desks["executive"], market.desks["admin"]
    for role in (Role.REVIEWER, Role.CUSTOMER):
        with pytest.raises(NotYourColleagues):
            saved_views.keep_view(esha, PAGE, "Theirs", "", role)
    with pytest.raises(NotYourColleagues):
        saved_views.keep_view(admin, PAGE, "Theirs", "", Role.CUSTOMER)
    saved_views.keep_view(admin, PAGE, "Yours", "view=overdue", Role.EXECUTIVE)
    assert names(market, "executive") == ["Yours"]
    with pytest.raises(NotAllowed):
        saved_views.keep_view(market.desks["auditor"], PAGE, "Mine", "")


def test_what_is_wrong_is_said_by_its_field(market: Market) -> None:
    esha = market.desks["executive"]
    for name, query, field in (
        (" ", "view=mine", "name"),
        ("x" * 61, "view=mine", "name"),
        ("long", "x" * 501, "view"),
    ):
        with pytest.raises(BadInput) as refused:
            saved_views.keep_view(esha, PAGE, name, query)
        assert refused.value.field == field
    for number in range(saved_views.MOST_OF_ONE):
        saved_views.keep_view(esha, PAGE, f"View {number}", "")
    with pytest.raises(TooManyViews):
        saved_views.keep_view(esha, PAGE, "One more", "")
    saved_views.keep_view(esha, PAGE, "View 1", "view=mine")
