"""Who leaves hands over what they have in hand: items to a colleague, or back to the queue."""

import pytest

from bank.core import work
from bank.core.errors import BadInput
from bank.core.ids import new_request_id
from bank.core.objections import Objected
from bank.core.permissions import Role
from bank.office import queue, ticket_desk, tickets
from bank.office.ticket_desk import Then
from bank.people import leaving, staff, staff_list, users
from tests.support.market import FORT, Market
from tests.support.office import nobody_is_asked

pytestmark = pytest.mark.feature("B41")


def claimed_ticket(market: Market) -> int:
    """A ticket of Asha's that an executive has claimed; the id of its item."""
    tickets.open_ticket(
        market.desks["asha"], "other", "A word", "My name is long.", request_id=new_request_id()
    )
    item_id = queue.claim_next(market.desks["executive"])
    assert item_id is not None
    return item_id


def user_id(market: Market, who: str) -> int:
    found = market.desks[who].user_id
    assert found is not None
    return found


def owner(market: Market, item_id: int) -> tuple[str, str | None]:
    """Where the item stands and who owns it."""
    row = market.rows(f"SELECT status, owner_name FROM work_items WHERE id = {item_id}")[0]
    return row["status"], row["owner_name"]


def last_event(market: Market, item_id: int) -> tuple[str, str, str | None]:
    """What happened last, who did it, who owns the item since."""
    row = market.rows(
        "SELECT act, actor_name, owner_name FROM work_events"
        f" WHERE item_id = {item_id} ORDER BY id DESC LIMIT 1"
    )[0]
    return row["act"], row["actor_name"], row["owner_name"]


def test_claimed_items_go_to_the_colleague_who_is_named(market: Market) -> None:
    item_id = claimed_ticket(market)
    admin, leaver = market.desks["admin"], user_id(market, "executive")
    [listed] = [row for row in staff_list.employees(admin) if row.id == leaver]
    assert dict(listed.in_hand) == {"claimed item": 1}
    moved = leaving.remove_employee(
        admin, leaver, "moved away", colleague_id=user_id(market, "executive_two"), code="resigned"
    )
    assert moved == {"claimed item": 1}
    assert owner(market, item_id) == ("claimed", "Dev Sen")
    assert last_event(market, item_id) == ("handed over", "Arun Nair", "Dev Sen")


def test_what_the_colleague_may_not_work_on_goes_back_to_the_queue(market: Market) -> None:
    item_id = claimed_ticket(market)
    leaving.remove_employee(
        market.desks["admin"],
        user_id(market, "executive"),
        "moved away",
        colleague_id=user_id(market, "ravi"),  # a cashier answers no tickets
        code="resigned",
    )
    assert owner(market, item_id) == ("unassigned", None)
    assert last_event(market, item_id) == ("handed over", "Arun Nair", None)


def test_without_a_colleague_nobody_leaves_with_items(market: Market) -> None:
    item_id = claimed_ticket(market)
    with pytest.raises(BadInput, match="1 claimed item") as refused:
        leaving.remove_employee(
            market.desks["admin"], user_id(market, "executive"), "moved away", code="resigned"
        )
    assert refused.value.field == "colleague"
    assert owner(market, item_id) == ("claimed", "Esha Iyer")


def test_decided_items_are_no_longer_in_hand(market: Market) -> None:
    item_id = claimed_ticket(market)
    with market.tx(market.desks["executive"]) as tx:
        work.decide(tx, work.held(tx, item_id), "answered")
    assert (
        leaving.remove_employee(
            market.desks["admin"], user_id(market, "executive"), "moved away", code="resigned"
        )
        == {}
    )


def test_an_open_drawer_keeps_its_cashier(market: Market) -> None:
    with pytest.raises(Objected, match="drawer still holds cash"):
        leaving.remove_employee(
            market.desks["admin"],
            user_id(market, "ravi"),
            "moved away",
            colleague_id=user_id(market, "gita"),
            code="resigned",
        )


@pytest.mark.parametrize("because", ["another role", "locked"])
def test_who_can_no_longer_work_on_it_has_it_no_longer(market: Market, because: str) -> None:
    item_id, who = claimed_ticket(market), user_id(market, "executive")
    admin = market.desks["admin"]
    if because == "locked":
        users.lock_user(admin, who, "lost her phone")
    else:
        nobody_is_asked(market.bank)
        staff.change_role(admin, who, Role.CASHIER, FORT)
    assert owner(market, item_id) == ("unassigned", None)
    assert last_event(market, item_id) == ("released", "Arun Nair", None)
    queue.claim(market.desks["executive_two"], item_id)


@pytest.mark.feature("B12", "C9")
def test_what_has_no_hands_left_waits_on_for_its_customer(market: Market) -> None:
    item_id, who = claimed_ticket(market), user_id(market, "executive")
    [ticket] = market.rows("SELECT id FROM tickets")
    ticket_desk.reply(
        market.desks["executive"], ticket["id"], "Which?", Then.WAIT, request_id=new_request_id()
    )
    users.lock_user(market.desks["admin"], who, "lost her phone")
    assert owner(market, item_id) == ("waiting", None)
