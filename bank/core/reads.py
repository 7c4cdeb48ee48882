"""Which reads of customer data the trail has already: each is recorded once in a while.

A page reads the same things with every rerun, from several threads at once. What this process has
recorded it remembers; who reads the same in the very same moment waits and then finds it recorded.
"""

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final

Key = tuple[object, ...]  # bank, session, user, kind and id of the object
Read = tuple[str, str]  # kind and id of the object

MOST_REMEMBERED: Final = 100_000
SEEN: Final = (
    "SELECT 1 FROM trail WHERE session_id = ? AND object_kind = ? AND object_id = ? "
    "AND at > ? AND outcome = 'read' LIMIT 1"
)
recent: Final[dict[Key, datetime]] = {}
_in_hand: Final[set[Key]] = set()
_changed: Final = threading.Condition()


def record_once(
    asked: Mapping[Key, Read],
    now: datetime,
    since: datetime,
    write: Callable[[Sequence[Read]], None],
) -> None:
    """Give `write` what was not recorded after `since`. What it cannot write is not remembered.

    Never inside a transaction: who waits here holds nothing that another could wait for.
    """
    if not _fresh(asked, since):
        return
    with _alone_with(asked.keys()):
        left = _fresh(asked, since)
        if left:
            write([*left.values()])
            recent.update(dict.fromkeys(left, now))
    if len(recent) > MOST_REMEMBERED:  # forget what no longer matters
        for old, at in list(recent.items()):
            if at <= since:
                recent.pop(old, None)


def _fresh(asked: Mapping[Key, Read], since: datetime) -> dict[Key, Read]:
    return {key: read for key, read in asked.items() if recent.get(key, since) <= since}


@contextmanager
def _alone_with(keys: Collection[Key]) -> Iterator[None]:
    with _changed:
        _changed.wait_for(lambda: _in_hand.isdisjoint(keys))
        _in_hand.update(keys)
    try:
        yield
    finally:
        with _changed:
            _in_hand.difference_update(keys)
            _changed.notify_all()
