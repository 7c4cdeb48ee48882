"""Words kept for replies: one's own, those of a branch and of the bank, and what became of them."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy.exc import DatabaseError

from bank.core.errors import BadInput, NotAllowed
from bank.office import canned, ticket_desk
from bank.office.canned import Change, KeptReply, NoSuchReply
from tests.bank.test_announcements import head
from tests.support.market import BANER, Market
from tests.support.tickets import claimed, replied, written

pytestmark = pytest.mark.feature("B20")


def found(market: Market, who: str, name: str) -> list[KeptReply]:
    """The words of a name as somebody is offered them, the ones that count first."""
    desk = head(market) if who == "head" else market.desks[who]
    return [reply for reply in canned.replies(desk) if reply.name == name]


def test_a_lead_keeps_words_for_the_branch_and_head_office_for_all(market: Market) -> None:
    canned.keep_for_all(market.desks["admin"], "Cash", "Dear {name}, at Fort.")
    canned.keep_for_all(head(market), "Cash", "Dear {name}, at the bank.")
    canned.keep_for_all(head(market), "Cash", "At Baner.", market.branch_ids[BANER])
    assert [one.body for one in found(market, "executive", "Cash")] == [
        "Dear {name}, at Fort.",
        "Dear {name}, at the bank.",
    ]
    assert [one.body for one in found(market, "executive_baner", "Cash")] == [
        "At Baner.",
        "Dear {name}, at the bank.",
    ]
    assert len(found(market, "head", "Cash")) == 3
    card = claimed(market, written(market))
    filled = ticket_desk.canned_replies(market.desks["executive"], card.id)["Cash"]
    assert filled == "Dear Asha Rao, at Fort.", "the branch's before the bank's"
    canned.keep_reply(market.desks["executive"], "Cash", "Mine")
    filled = ticket_desk.canned_replies(market.desks["executive"], card.id)["Cash"]
    assert filled == "Mine", "one's own before all"


def test_what_all_use_is_changed_and_retired_with_its_history(market: Market) -> None:
    admin = market.desks["admin"]
    canned.keep_for_all(admin, "Cash", "First")
    canned.keep_for_all(admin, "Cash", "First")  # a second click
    canned.keep_for_all(head(market), "Cash", "Second", admin.branch_id)
    [reply] = found(market, "executive", "Cash")
    assert reply.body == "Second"
    with pytest.raises(BadInput) as refused:
        canned.retire_reply(admin, reply.id, " ")
    assert refused.value.field == "reason"
    canned.retire_reply(admin, reply.id, "Nobody pays cash")
    canned.retire_reply(admin, reply.id, "A second click")
    assert found(market, "executive", "Cash") == []
    lines = canned.reply_history(market.desks["executive"], reply.id)
    assert [(line.act, line.by, line.body, line.why) for line in lines] == [
        (Change.RETIRED, "Arun Nair", "Second", "Nobody pays cash"),
        (Change.CHANGED, "Head Office", "Second", ""),
        (Change.KEPT, "Arun Nair", "First", ""),
    ]
    canned.keep_for_all(admin, "Cash", "Third")
    [anew] = found(market, "executive", "Cash")
    assert anew.id != reply.id, "retired is retired; the name is free again"
    for statement in (
        "UPDATE canned_reply_changes SET body = ''",
        "DELETE FROM canned_reply_changes",
    ):
        with pytest.raises(DatabaseError), market.tx() as tx:
            tx.connection.exec_driver_sql(statement)


def test_the_words_the_bank_came_with_are_changed_by_head_office_alone(market: Market) -> None:
    [seeded] = found(market, "admin", "Received")
    assert not seeded.may_change
    with pytest.raises(NoSuchReply):
        canned.retire_reply(market.desks["admin"], seeded.id, "why")
    canned.keep_for_all(market.desks["admin"], "Received", "Ours at Fort")
    assert [one.branch_id is None for one in found(market, "executive", "Received")] == [
        False,
        True,
    ]
    canned.keep_for_all(head(market), "Received", "We have it, {name}.")
    assert found(market, "executive_baner", "Received")[0].body == "We have it, {name}."
    assert found(market, "head", "Received")[0].may_change
    canned.retire_reply(head(market), seeded.id, "Too long")
    assert found(market, "executive_baner", "Received") == []


def test_own_words_are_forgotten_by_their_owner_alone(market: Market) -> None:
    mine = market.desks["executive"]
    canned.keep_reply(mine, "Mine", "Dear {name}")
    [reply] = found(market, "executive", "Mine")
    assert (reply.is_own, reply.may_change) == (True, True)
    assert found(market, "executive_two", "Mine") == []
    for who in ("executive_two", "admin"):
        with pytest.raises(NoSuchReply):
            canned.forget_reply(market.desks[who], reply.id)
        with pytest.raises(NoSuchReply):
            canned.reply_history(market.desks[who], reply.id)
    with pytest.raises(NoSuchReply):
        canned.retire_reply(market.desks["admin"], reply.id, "why")
    canned.forget_reply(mine, reply.id)
    assert found(market, "executive", "Mine") == []
    with pytest.raises(NoSuchReply):
        canned.forget_reply(mine, reply.id)
    [kept] = market.rows(
        "SELECT before, after FROM trail WHERE verb = 'office.canned.forget_reply'"
        " AND outcome = 'done'"
    )
    assert "Dear {name}" in kept["before"]
    canned.keep_for_all(market.desks["admin"], "All", "For all")
    [shared] = found(market, "admin", "All")
    with pytest.raises(NoSuchReply):
        canned.forget_reply(market.desks["admin"], shared.id)


def test_only_who_leads_keeps_for_all_and_only_at_their_branch(market: Market) -> None:
    for who in ("executive", "banker", "ravi", "asha", "auditor"):
        with pytest.raises(NotAllowed):
            canned.keep_for_all(market.desks[who], "Cash", "Words")
        with pytest.raises(NotAllowed):
            canned.retire_reply(market.desks[who], 1, "why")
    with pytest.raises(BadInput) as refused:
        canned.keep_for_all(market.desks["admin"], "Cash", "Words", market.branch_ids[BANER])
    assert refused.value.field == "branch"
    with pytest.raises(BadInput) as refused:
        canned.keep_for_all(head(market), "Cash", "Words", 4711)
    assert refused.value.field == "branch"
    canned.keep_for_all(market.desks["admin"], "Cash", "Words")
    [reply] = found(market, "admin", "Cash")
    with pytest.raises(NoSuchReply):
        canned.retire_reply(market.desks["admin_baner"], reply.id, "why")
    with pytest.raises(NoSuchReply):
        canned.reply_history(market.desks["executive_baner"], reply.id)
    assert found(market, "admin_baner", "Cash") == []


@pytest.mark.parametrize("mark", ["{surname}", "{Name}", "{ name }", "{NAME}"])
def test_placeholders_are_checked_when_kept_and_before_a_reply_leaves(
    sqlite_market: Market, mark: str
) -> None:
    calls: list[Any] = [
        lambda: canned.keep_reply(sqlite_market.desks["executive"], "Mine", f"Dear {mark}"),
        lambda: canned.keep_for_all(sqlite_market.desks["admin"], "All", f"Dear {mark}"),
    ]
    for call in calls:
        with pytest.raises(BadInput, match="is no placeholder") as refused:
            call()
        assert refused.value.field == "message"
    card = claimed(sqlite_market, written(sqlite_market))
    with pytest.raises(BadInput, match="Fill in"):
        replied(sqlite_market, card, body=f"Dear {mark}")


def test_two_who_keep_the_same_name_at_once_keep_one(market: Market) -> None:
    start = threading.Barrier(4)

    def click(number: int) -> bool:
        start.wait(60)
        try:
            canned.keep_for_all(market.desks["admin"], "Cash", f"Words {number}")
        except canned.KeptAtTheSameTime:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert any(pool.map(click, range(4)))
    assert len(found(market, "executive", "Cash")) == 1
