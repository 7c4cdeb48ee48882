"""Waiting for something to become true, bounded, instead of sleeping and hoping.

A sleep is either too short on a busy machine or too long on an idle one. Where the other side can
tell us (a Condition, an Event, a Future), use that; this is for the outside world, which cannot.
"""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from bank.core.db import Database

T = TypeVar("T")


def wait_until(
    predicate: Callable[[], T],
    timeout: float = 10.0,
    *,
    every: float = 0.05,
    what: str = "",
) -> T:
    """The first truthy answer of `predicate`, asked again and again until `timeout` seconds.

    An exception of the predicate is not swallowed: a predicate that may fail says so itself.
    """
    pause = threading.Event()  # nobody sets it: wait() is a sleep that ends with the process
    deadline = time.monotonic() + timeout
    while not (answer := predicate()):
        left = deadline - time.monotonic()
        if left <= 0:
            name = what or getattr(predicate, "__name__", repr(predicate))
            raise TimeoutError(f"waited {timeout:g} s in vain for: {name}")
        pause.wait(min(every, left))
    return answer


def somebody_waits(db: Database) -> bool:
    """Whether a transaction waits for a row that another one holds. SQLite's writers wait for each
    other before their transactions begin."""
    if db.dialect == "sqlite":
        return True
    asked = (
        "SELECT COUNT(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with db.read() as connection:
        return bool(connection.exec_driver_sql(asked).scalar_one())
