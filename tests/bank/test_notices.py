"""The bell: what has happened to one's own things since one last looked, and nothing of others'."""

import pytest

from bank import app
from bank.core.errors import NotAllowed
from bank.office import approvals, notices, queue, queue_many
from bank.office.notices import NO, Notice
from tests.support import queues
from tests.support.checkers import Checking
from tests.support.market import BANER, Market

pytestmark = pytest.mark.feature("D0")
ESHA, DEV = "executive", "executive_two"


def user_id(market: Market, who: str) -> int:
    """The number of an employee."""
    found = market.desks[who].user_id
    assert found is not None
    return found


def told(market: Market, who: str) -> list[Notice]:
    """What the bell tells somebody, newest first."""
    found, _ = notices.look(market.desks[who])
    return list(found)


def new(market: Market, who: str) -> int:
    """How much of it is new."""
    return notices.count_new(market.desks[who])


def hand(market: Market, item: int, to: str = ESHA) -> None:
    """The lead hands an item over."""
    queue.reassign(market.desks["admin"], item, user_id(market, to), "she knows it")


def test_work_that_is_handed_over_is_told_to_its_new_owner(market: Market) -> None:
    one, two = queues.opened(market, 2)
    queue.claim(market.desks[ESHA], two)  # what one does oneself one knows
    hand(market, one)
    assert [new(market, who) for who in (ESHA, DEV, "admin")] == [1, 0, 0]
    [notice] = told(market, ESHA)
    assert (notice.act, notice.item_id, notice.approval_id) == ("re-assigned", one, NO)
    assert (notice.reference, notice.title, notice.by) == ("T-1", "Case 1", "Arun Nair")
    assert notice.said == "she knows it"
    assert new(market, ESHA) == 0, "seen is seen"
    queues.later(market, minutes=1)
    queue_many.reassign_many(
        market.desks["admin"], [two], user_id(market, ESHA), "for you", request_id="r"
    )
    assert new(market, ESHA) == 1
    found, seen_at = notices.look(market.desks[ESHA])
    assert [each.item_id for each in found] == [two, one], "what was seen stays in the list"
    assert [each.at > seen_at for each in found] == [True, False]


def test_what_was_handed_over_by_mistake_and_taken_back_is_not_told(market: Market) -> None:
    one, two = queues.opened(market, 2)
    admin = market.desks["admin"]
    queue_many.reassign_many(admin, [one, two], user_id(market, ESHA), "yours", request_id="r")
    assert new(market, ESHA) == 2
    queue.claim(market.desks[ESHA], two)
    queue_many.undo_many(admin, "r")
    assert new(market, ESHA) == 1
    assert [each.item_id for each in told(market, ESHA)] == [two]


def test_a_claim_that_runs_out_is_told_to_who_had_it(market: Market) -> None:
    claimed, handed, released, other = queues.opened(market, 4)
    queue.claim(market.desks[ESHA], claimed)
    queue.claim(market.desks[ESHA], released)
    queue.release(market.desks[ESHA], released)
    queue.claim(market.desks[DEV], released)
    queue.claim(market.desks[DEV], other)
    hand(market, handed)
    told(market, ESHA)
    queues.later(market, days=7)
    queue.release_timed_out(app.system_desk(market.bank))
    assert new(market, ESHA) == 2
    acts = {each.item_id: each.act for each in told(market, ESHA) if each.act != "re-assigned"}
    assert acts == {claimed: "timed out", handed: "not taken up"}
    assert {each.item_id for each in told(market, DEV)} == {released, other}


def test_what_is_old_or_out_of_sight_is_not_told(market: Market) -> None:
    [item] = queues.opened(market)
    hand(market, item)
    with market.tx() as tx:
        tx.connection.exec_driver_sql(
            f"UPDATE work_items SET branch_id = {market.branch_ids[BANER]} WHERE id = {item}"
        )
    assert (new(market, ESHA), told(market, ESHA)) == (0, [])
    [again] = queues.opened(market)
    hand(market, again, DEV)
    assert new(market, DEV) == 1
    queues.later(market, seconds=notices.LOOKS_BACK.total_seconds())
    assert (new(market, DEV), told(market, DEV)) == (0, [])


def test_no_more_is_counted_than_a_bell_shows(market: Market) -> None:
    for item in queues.opened(market, 105):
        hand(market, item)
    assert new(market, ESHA) == notices.MOST_COUNTED + 1
    assert len(told(market, ESHA)) == notices.MOST_LISTED


def test_only_employees_have_a_bell(market: Market) -> None:
    for verb in (notices.count_new, notices.look):
        with pytest.raises(NotAllowed):
            verb(market.desks["asha"])


@pytest.mark.feature("B4")
def test_what_becomes_of_a_request_is_told_to_its_maker(checking: Checking) -> None:
    ravi, vera = checking.desks["ravi"], checking.desks["vera"]
    checking.ask("withdraw")
    assert notices.count_new(ravi) == 0, "what one asks for oneself one knows"
    approvals.send_back(vera, 1, "Is she here?")
    assert (notices.count_new(ravi), notices.count_new(vera)) == (1, 0)
    [asked], _ = notices.look(ravi)
    assert (asked.act, asked.approval_id, asked.item_id) == ("returned", 1, NO)
    assert asked.said == "Is she here?"
    approvals.answer(ravi, 1, "Yes")
    assert notices.count_new(ravi) == 0
    queues.later(checking.market, minutes=1)
    approvals.reject(vera, 1, "Not today")
    found, _ = notices.look(ravi)
    assert (found[0].act, found[0].said) == ("rejected", "Not today")
    assert found[1].act == "returned"
