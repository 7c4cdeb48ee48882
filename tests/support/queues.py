"""Work items for tests, without what they are about: a kind and a number are all a queue needs.

def test_x(market): [item] = queues.opened(market); queue.claim(market.desks["executive"], item)
"""

from datetime import timedelta
from typing import Any

from bank.core import work
from bank.core.clock import FixedClock
from bank.core.work_tables import ITEMS, Priority
from bank.office import queue_lists
from bank.office.queue_lists import Happening, ItemRow
from tests.support.market import FORT, Market


def new(market: Market, subject_id: int, **facts: Any) -> work.NewItem:
    """A ticket at Fort, unless told otherwise."""
    given: dict[str, Any] = {
        "kind": "ticket",
        "subject_id": subject_id,
        "branch_id": market.branch_ids[FORT],
        "reference": f"T-{subject_id}",
        "title": f"Case {subject_id}",
        "priority": Priority.NORMAL,
    }
    return work.NewItem(**(given | facts))


def opened(market: Market, count: int = 1, **facts: Any) -> list[int]:
    """So many new cases; their ids."""
    with market.tx() as tx:
        first = 1 + len(market.rows("SELECT id FROM work_items"))
        return work.open_many(tx, [new(market, first + at, **facts) for at in range(count)])


def row_of(market: Market, item_id: int) -> Any:
    """The bare row of an item."""
    with market.bank.db.read() as connection:
        return connection.execute(ITEMS.select().where(ITEMS.c.id == item_id)).one()


def seen(market: Market, item_id: int, who: str = "admin") -> ItemRow:
    """An item as somebody sees it."""
    return queue_lists.item(market.desks[who], item_id)


def past(market: Market, item_id: int, who: str = "admin") -> list[Happening]:
    """What happened to an item, oldest first."""
    return list(reversed(queue_lists.history(market.desks[who], item_id)))


def acts(market: Market, item_id: int, who: str = "admin") -> list[str]:
    """What happened to an item, in a word each, oldest first."""
    return [each.act for each in past(market, item_id, who)]


def later(market: Market, **by: float) -> None:
    """Move the bank's clock."""
    assert isinstance(market.bank.clock, FixedClock)
    market.bank.clock.at += timedelta(**by)


def ask(market: Market, item_id: int, who: str = "executive") -> None:
    """Somebody asks the customer."""
    with market.tx(market.desks[who]) as tx:
        work.ask(tx, work.held(tx, item_id), "what is the number?")


def answer(market: Market, item_id: int) -> None:
    """The customer answers."""
    subject = row_of(market, item_id)
    with market.tx() as tx:  # whoever answers has no queue
        work.answer(tx, work.item_of(tx, subject.kind, subject.subject_id), "it is 7")


def decide(market: Market, item_id: int, who: str = "executive") -> None:
    """Somebody decides their item."""
    with market.tx(market.desks[who]) as tx:
        row = work.held(tx, item_id)
        work.check_owner(tx, row)
        work.decide(tx, row, "solved")
