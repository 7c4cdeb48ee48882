"""What people do with the items of a queue: claim, release, hand over, escalate, look."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Final

import pytest

from bank import app
from bank.core import work
from bank.core.errors import BadInput, BankError, NotAllowed
from bank.core.permissions import Role
from bank.core.work_rights import GoneUpTheLine, NotForYou, OwnCase
from bank.core.work_tables import Level, Priority, W
from bank.office import queue, queue_lists, queue_many
from bank.office.queue_lists import Looked, View
from bank.people.identity import NoSuchUser
from tests.support import queues
from tests.support.bank import desk
from tests.support.market import BANER, Market

pytestmark = pytest.mark.feature("B12", "C9")
ESHA, DEV, ILA = "executive", "executive_two", "executive_baner"
MINUTES: Final = 30  # how long a claim of a ticket lasts: data/seed/work_rules.csv


def listed(market: Market, who: str, view: View = View.UNASSIGNED, **looked: object) -> list[int]:
    """The ids of a view."""
    page = queue_lists.items(market.desks[who], Looked(view=view, **looked))  # type: ignore[arg-type]
    return [row.id for row in page.rows]


# Claim and release.


def test_the_first_click_wins_and_the_others_are_told_who_has_it(market: Market) -> None:
    [item] = queues.opened(market)
    queue.claim(market.desks[ESHA], item)
    with pytest.raises(work.SomebodyElseHasIt, match=r"Esha Iyer has this item since 12:00\."):
        queue.claim(market.desks[DEV], item)
    queue.claim(market.desks[ESHA], item)  # a second click of the same person
    for who in (ESHA, DEV, "admin"):
        assert queues.seen(market, item, who).owner_name == "Esha Iyer"
        assert queues.acts(market, item, who) == ["opened", "claimed"]
    assert listed(market, ESHA, View.MINE) == [item]
    assert listed(market, DEV, View.MINE) == listed(market, DEV) == []


def test_of_sixteen_clicks_at_once_one_wins(market: Market) -> None:
    [item] = queues.opened(market)
    start = threading.Barrier(16)

    def click(number: int) -> bool:
        start.wait(60)
        try:
            queue.claim(market.desks[(ESHA, DEV)[number % 2]], item)
        except work.SomebodyElseHasIt:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        won = list(pool.map(click, range(16)))
    assert won.count(True) == 8, "the winner's own further clicks are no mistake"
    assert queues.acts(market, item) == ["opened", "claimed"]


def test_a_released_item_is_free_again(market: Market) -> None:
    [item] = queues.opened(market)
    queue.claim(market.desks[ESHA], item)
    with pytest.raises(work.NotYours):
        queue.release(market.desks[DEV], item, "not mine")
    queue.release(market.desks[ESHA], item, "lunch")
    assert queues.row_of(market, item).owner_id is None
    with pytest.raises(work.NotYours):
        queue.release(market.desks[ESHA], item)
    queue.claim(market.desks[DEV], item)
    assert queues.acts(market, item) == ["opened", "claimed", "released", "claimed"]


def test_who_leads_releases_anybodys_and_says_why(market: Market) -> None:
    [item] = queues.opened(market)
    queue.claim(market.desks[ESHA], item)
    with pytest.raises(work.NoteMissing):
        queue.release(market.desks["admin"], item, "  ")
    queue.release(market.desks["admin"], item, "she is ill")
    assert [each.note for each in queues.past(market, item)] == ["", "", "she is ill"]


def test_a_claim_runs_out_and_the_sweeper_writes_it_down(market: Market) -> None:
    first, second = queues.opened(market, 2)
    queue.claim(market.desks[ESHA], first)
    queues.later(market, minutes=MINUTES - 1)
    queue.claim(market.desks[ESHA], second)
    assert queue.release_timed_out(app.system_desk(market.bank)) == 0
    queues.later(market, minutes=1)
    assert queues.seen(market, first).state is W.UNASSIGNED, "also before it is written down"
    assert queue.release_timed_out(app.system_desk(market.bank)) == 1
    assert queue.release_timed_out(app.system_desk(market.bank)) == 0
    assert queues.acts(market, first) == ["opened", "claimed", "timed out"]
    assert queues.row_of(market, first).status is W.UNASSIGNED
    assert queues.row_of(market, second).status is W.CLAIMED


def test_a_claim_that_has_run_out_is_anybodys_before_the_sweeper_comes(market: Market) -> None:
    [item] = queues.opened(market)
    queue.claim(market.desks[ESHA], item)
    queues.later(market, minutes=MINUTES)
    assert queue.claim_next(market.desks[DEV]) == item
    with market.tx(market.desks[ESHA]) as tx, pytest.raises(work.NotYours):
        work.check_owner(tx, work.held(tx, item))
    assert queues.seen(market, item).owner_name == "Dev Sen"


def test_the_worker_puts_back_what_is_due_until_it_is_stopped(market: Market) -> None:
    [item] = queues.opened(market)
    queue.claim(market.desks[ESHA], item)
    queues.later(market, minutes=MINUTES)

    class Twice(threading.Event):
        rounds = 0

        def wait(self, timeout: float | None = None) -> bool:
            assert timeout == queue.SWEEP_EVERY_SECONDS
            self.rounds += 1
            return self.rounds > 2

    queue.release_forever(app.system_desk(market.bank), Twice())
    assert queues.acts(market, item) == ["opened", "claimed", "timed out"]
    swept = "SELECT id FROM trail WHERE verb = 'office.queue.release_timed_out'"
    assert len(market.rows(swept)) == 1, "nothing due leaves nothing in the trail"


def test_what_is_decided_cannot_be_taken_any_more(market: Market) -> None:
    [item] = queues.opened(market)
    queue.claim(market.desks[ESHA], item)
    queues.decide(market, item)
    for refused in (
        lambda: queue.claim(market.desks[DEV], item),
        lambda: queue.release(market.desks[ESHA], item),
        lambda: queue.escalate(market.desks[ESHA], item, "late"),
        lambda: queue.reassign(market.desks["admin"], item, 1, "late"),
    ):
        with pytest.raises(work.IsDecided):
            refused()
    with pytest.raises(work.NotYours):
        queues.decide(market, item)
    assert queues.acts(market, item) == ["opened", "claimed", "decided"]
    assert listed(market, DEV, View.DECIDED) == [item]


# Who may.


def test_another_branch_has_no_such_item(market: Market) -> None:
    [item] = queues.opened(market)
    there = market.desks[ILA]
    for refused in (
        lambda: queue.claim(there, item),
        lambda: queue.release(there, item),
        lambda: queue.escalate(there, item, "for them"),
        lambda: queue.look(there, item),
        lambda: queue_lists.item(there, item),
        lambda: queue_lists.history(there, item),
        lambda: queue.reassign(market.desks["admin_baner"], item, 1, "for us"),
        lambda: queue.colleagues(market.desks["admin_baner"], item),
    ):
        with pytest.raises(work.NoSuchItem):
            refused()
    assert queue.claim_next(there) is None
    assert listed(market, ILA, View.ALL_OPEN) == []
    [claimed] = queue_many.claim_many(there, [item], request_id="r")
    assert claimed.refused == str(work.NoSuchItem())


def test_a_role_without_the_kind_does_not_see_it(market: Market) -> None:
    [item] = queues.opened(market)
    for who in ("ravi", "banker"):
        with pytest.raises(work.NoSuchItem):
            queue.claim(market.desks[who], item)
        assert queue.claim_next(market.desks[who]) is None
        assert listed(market, who, View.ALL_OPEN) == []
    with pytest.raises(NotAllowed):
        queue.claim(market.desks["auditor"], item)


def test_an_item_for_some_roles_is_hidden_from_the_others_and_not_taken_by_who_leads(
    market: Market,
) -> None:
    [item] = queues.opened(market, for_roles={Role.EXECUTIVE})
    assert listed(market, "admin") == [item], "who leads hands it out"
    with pytest.raises(NotForYou):
        queue.claim(market.desks["admin"], item)
    assert queue.claim_next(market.desks["admin"]) is None
    assert {each.role for each in queue.colleagues(market.desks["admin"], item)} == {Role.EXECUTIVE}
    [other] = queues.opened(market, for_roles={Role.BRANCH_ADMIN})
    with pytest.raises(work.NoSuchItem):
        queue.claim(market.desks[ESHA], other)
    assert listed(market, ESHA) == [item]


def test_who_began_it_never_has_it(market: Market) -> None:
    esha, admin = market.desks[ESHA], market.desks["admin"]
    [own] = queues.opened(market, not_for=esha.user_id)
    [admins] = queues.opened(market, not_for=admin.user_id)
    with pytest.raises(work.NoSuchItem):
        queue.claim(esha, own)
    assert queue.claim_next(esha) == admins
    with pytest.raises(OwnCase):
        queue.claim(admin, admins)
    with pytest.raises(queue.NotEntitled):
        queue.reassign(admin, own, esha.user_id or 0, "do it yourself")
    assert [each.name for each in queue.colleagues(admin, own)] == ["Arun Nair", "Dev Sen"]


def test_who_began_it_does_not_choose_who_decides(market: Market) -> None:
    admin = market.desks["admin"]
    [item] = queues.opened(market, not_for=admin.user_id)
    queue.claim(market.desks[ESHA], item)
    with pytest.raises(OwnCase):
        queue.release(admin, item, "I want another one")
    with pytest.raises(OwnCase):
        queue.reassign(admin, item, market.desks[DEV].user_id or 0, "I want him")
    assert queues.row_of(market, item).owner_id == market.desks[ESHA].user_id


# Next, many at once.


def test_the_next_item_is_the_most_pressing(market: Market) -> None:
    [low] = queues.opened(market, priority=4)
    [normal] = queues.opened(market)
    queues.later(market, minutes=1)
    [later] = queues.opened(market)
    [urgent] = queues.opened(market, priority=1)
    queues.opened(market, branch_id=market.branch_ids[BANER], priority=1)
    taken = [queue.claim_next(market.desks[who]) for who in (ESHA, DEV, ESHA, DEV, ESHA)]
    assert taken == [urgent, normal, later, low, None]


def test_the_next_item_of_a_kind(market: Market) -> None:
    queues.opened(market)
    assert queue.claim_next(market.desks[ESHA], ("approval",)) is None
    assert queue.claim_next(market.desks[ESHA], ("approval", "ticket")) is not None


def test_sixteen_people_who_ask_for_the_next_item_each_get_another(market: Market) -> None:
    items = queues.opened(market, 12)
    start = threading.Barrier(16)

    def ask(number: int) -> int | None:
        start.wait(60)
        return queue.claim_next(market.desks[(ESHA, DEV)[number % 2]])

    with ThreadPoolExecutor(16) as pool:
        got = list(pool.map(ask, range(16)))
    assert sorted(one for one in got if one is not None) == items
    assert got.count(None) == 4


@pytest.mark.feature("B26")
def test_a_bulk_claim_says_for_each_item_what_became_of_it(market: Market) -> None:
    one, two, three, four = queues.opened(market, 4)
    queue.claim(market.desks[DEV], two)
    queue.claim(market.desks[ESHA], three)
    queue.claim(market.desks[DEV], four)
    queues.decide(market, four, DEV)
    results = queue_many.claim_many(
        market.desks[ESHA], [four, three, 999, two, one, one], request_id="r"
    )
    assert [(each.item_id, each.refused) for each in results] == [
        (four, str(work.IsDecided())),
        (three, None),
        (999, str(work.NoSuchItem())),
        (two, "Dev Sen has this item since 12:00."),
        (one, None),
    ]
    assert listed(market, ESHA, View.MINE) == [one, three]
    with pytest.raises(BadInput) as refused:
        queue_many.claim_many(market.desks[ESHA], range(101), request_id="s")
    assert refused.value.field == "items"


# Hand over, escalate.


def test_who_leads_hands_an_item_to_a_colleague_who_may(market: Market) -> None:
    [item] = queues.opened(market)
    admin, dev = market.desks["admin"], market.desks[DEV]
    assert dev.user_id is not None
    queue.claim(market.desks[ESHA], item)
    with pytest.raises(work.NoteMissing):
        queue.reassign(admin, item, dev.user_id, " ")
    queue.reassign(admin, item, dev.user_id, "he knows the customer")
    assert queues.seen(market, item).owner_name == "Dev Sen"
    last = queues.past(market, item)[-1]
    assert (last.act, last.by, last.owner) == ("re-assigned", "Arun Nair", "Dev Sen")
    for who in ("ravi", ILA, "auditor", "admin_baner"):
        with pytest.raises(queue.NotEntitled):
            queue.reassign(admin, item, market.desks[who].user_id or 0, "for you")
    with pytest.raises(NoSuchUser):
        queue.reassign(admin, item, 9_999, "for nobody")
    with pytest.raises(NotAllowed):
        queue.reassign(market.desks[ESHA], item, dev.user_id, "for you")


def test_somebody_who_has_left_is_handed_nothing(market: Market) -> None:
    [item] = queues.opened(market)
    dev = market.desks[DEV].user_id
    with market.tx() as tx:
        tx.connection.exec_driver_sql(f"UPDATE users SET status = 'locked' WHERE id = {dev}")
    with pytest.raises(NoSuchUser):
        queue.reassign(market.desks["admin"], item, dev or 0, "for you")
    assert "Dev Sen" not in [each.name for each in queue.colleagues(market.desks["admin"], item)]


def test_an_item_goes_up_the_line_to_the_lead_and_to_the_head_office(market: Market) -> None:
    [item] = queues.opened(market)
    head = desk(market.bank, Role.SUPER_ADMIN, branch_id=None, name="the head")
    queue.claim(market.desks[ESHA], item)
    with pytest.raises(work.NotYours):
        queue.escalate(market.desks[DEV], item, "not his")
    with pytest.raises(work.NoteMissing):
        queue.escalate(market.desks[ESHA], item, "")
    queue.escalate(market.desks[ESHA], item, "he wants the manager")
    row = queues.row_of(market, item)
    assert (row.level, row.priority, row.owner_id) == (Level.LEAD, 2, None)
    with pytest.raises(GoneUpTheLine):
        queue.claim(market.desks[ESHA], item)
    assert queue.claim_next(market.desks[ESHA]) is None
    assert listed(market, ESHA, View.ALL_OPEN) == [item], "but she sees what becomes of it"
    queue.claim(market.desks["admin"], item)
    queue.escalate(market.desks["admin"], item, "not for a branch")
    with pytest.raises(GoneUpTheLine):
        queue.claim(market.desks["admin"], item)
    assert queue.claim_next(head) == item
    with pytest.raises(queue.TopOfTheLine):
        queue.escalate(head, item, "further")
    assert queues.row_of(market, item).priority == 1


def test_what_is_escalated_is_promised_sooner(market: Market) -> None:
    """Its clocks are those of the priority it now has, as if it had been opened with it."""
    admin = market.desks["admin"]
    [item, sooner] = [*queues.opened(market), *queues.opened(market, priority=Priority.HIGH)]
    queue.escalate(admin, item, "she has waited long enough")
    row, like = queues.row_of(market, item), queues.row_of(market, sooner)
    due = (row.first_due_at, row.solve_due_at, row.next_due_at)
    assert due == (like.first_due_at, like.solve_due_at, like.next_due_at)
    urgent = queues.opened(market, priority=Priority.URGENT)[0]
    before = queues.row_of(market, urgent)
    queue.escalate(admin, urgent, "nothing is more than urgent")
    assert queues.row_of(market, urgent).solve_due_at == before.solve_due_at


def test_what_nobody_up_the_line_may_take_is_not_sent_there(market: Market) -> None:
    [item] = queues.opened(market, for_roles={Role.EXECUTIVE})
    with pytest.raises(queue.NobodyUpTheLine):
        queue.escalate(market.desks[ESHA], item, "help")
    [item] = queues.opened(market, for_roles={Role.EXECUTIVE, Role.SUPER_ADMIN})
    queue.escalate(market.desks[ESHA], item, "help")
    assert queues.row_of(market, item).level == Level.HEAD, "past the branch, who may not"


def test_an_item_of_the_head_office_is_in_no_branch(market: Market) -> None:
    [item] = queues.opened(market, branch_id=None)
    head = desk(market.bank, Role.SUPER_ADMIN, branch_id=None)
    for who in (ESHA, "admin"):
        with pytest.raises(work.NoSuchItem):
            queue.claim(market.desks[who], item)
    queue.claim(head, item)
    queue.escalate(head, item, "for the board")
    assert queues.row_of(market, item).level == Level.HEAD


# Looking at the same thing.


def test_two_who_look_at_the_same_item_see_each_other_for_a_while(market: Market) -> None:
    [item] = queues.opened(market)
    assert queue.look(market.desks[ESHA], item) == []
    assert queue.look(market.desks[DEV], item) == ["Esha Iyer"]
    assert queue.look(market.desks[ESHA], item) == ["Dev Sen"]
    queues.later(market, seconds=queue.LOOKING_SECONDS)
    assert queue.look(market.desks[DEV], item) == []
    queue.claim(market.desks[DEV], item)
    queues.later(market, minutes=MINUTES)
    assert queue.release_timed_out(app.system_desk(market.bank)) == 1
    assert market.rows("SELECT * FROM work_looks") == [], "old looks go with the sweep"


# The record.


def test_the_history_is_never_changed_and_every_act_is_in_the_trail(market: Market) -> None:
    [item] = queues.opened(market)
    queue.claim(market.desks[ESHA], item)
    with pytest.raises(BankError):
        queue.claim(market.desks[DEV], item)
    acts = market.rows(
        "SELECT verb, outcome FROM trail WHERE verb = 'office.queue.claim' ORDER BY id"
    )
    assert [(row["verb"], row["outcome"]) for row in acts] == [
        ("office.queue.claim", "done"),
        ("office.queue.claim", "refused"),
    ]
    for sql in ("UPDATE work_events SET note = 'x'", "DELETE FROM work_events"):
        with pytest.raises(Exception, match="never changed or deleted"), market.tx() as tx:
            tx.connection.exec_driver_sql(sql)


def test_an_item_that_waits_is_handed_over_and_goes_on_waiting(market: Market) -> None:
    [item] = queues.opened(market)
    queue.claim(market.desks[ESHA], item)
    queues.ask(market, item)
    with pytest.raises(work.WaitsForAnAnswer):
        queue.claim(market.desks[DEV], item)
    queue.reassign(market.desks["admin"], item, market.desks[DEV].user_id or 0, "she is ill")
    assert queues.row_of(market, item).status is W.WAITING
    queues.answer(market, item)
    row = queues.row_of(market, item)
    assert (row.status, row.owner_name) == (W.CLAIMED, "Dev Sen")
    until = market.bank.clock.now() + timedelta(days=2)  # two open days, as he may not be there
    assert (row.claimed_until, row.assigned_by) == (until, market.desks["admin"].user_id)
    queue.claim(market.desks[DEV], item)
    queues.ask(market, item, DEV)
    queues.answer(market, item)
    row = queues.row_of(market, item)
    assert row.claimed_until == market.bank.clock.now() + timedelta(minutes=MINUTES)
    queues.ask(market, item, DEV)
    queue.release(market.desks[DEV], item)
    queues.answer(market, item)
    assert queues.row_of(market, item).status is W.UNASSIGNED
