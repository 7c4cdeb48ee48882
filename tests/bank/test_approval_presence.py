"""The maker sees which of those who may decide are there at this moment, and when they will be."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from bank.core.clock import FixedClock, in_india
from bank.people import sessions
from bank.people.identity import UserStatus
from bank.people.sessions import Session
from tests.house.test_permissions import load_catalogue
from tests.support.checkers import Checking

pytestmark = pytest.mark.feature("B4", "C11")
load_catalogue()
EVERYBODY = ["Arun Nair", "Nalini Bhave", "Vera Lobo"]


def to(at: Checking, moment: datetime) -> None:
    """The bank's clock stands there."""
    assert isinstance(at.market.bank.clock, FixedClock)
    at.market.bank.clock.at = moment


def seen(at: Checking, *who: str) -> None:
    """These people do something in their browsers now."""
    with at.market.tx() as tx:
        ids = [at.desks[each].session_id for each in who]
        tx.session.execute(update(Session).where(Session.id.in_(ids)).values(last_seen_at=tx.now))


def test_who_is_idle_locked_or_gone_is_not_there(checking: Checking) -> None:
    at = checking
    at.ask("withdraw")
    card = at.card("ravi")
    assert (card.names, card.here) == (EVERYBODY, EVERYBODY)
    assert card.roles == ["branch_admin", "reviewer"]
    sessions.lock(at.desks["nalini"])
    assert at.card("ravi").here == ["Arun Nair", "Vera Lobo"]
    sessions.sign_out(at.desks["admin"])
    assert at.card("ravi").here == ["Vera Lobo"]
    to(at, at.market.bank.clock.now() + timedelta(hours=1))
    assert at.card("ravi").here == [], "an hour without a click"
    seen(at, "vera", "head")
    card = at.card("ravi")
    assert (card.names, card.here) == (EVERYBODY, ["Vera Lobo"]), "of those who may decide"
    at.change_user("vera", status=UserStatus.LOCKED)
    assert at.card("ravi").here == []


def test_a_session_that_is_over_in_time_is_nobody(checking: Checking) -> None:
    at = checking
    at.ask("hire")
    to(at, at.market.bank.clock.now() + timedelta(hours=20))
    seen(at, "vera")  # as a page that was left open would, were its session not over
    assert at.card("admin").here == []


def test_when_the_branch_is_closed_the_maker_sees_until_when(checking: Checking) -> None:
    at = checking
    at.ask("hire")
    to(at, datetime(2026, 3, 17, 6, 0, tzinfo=UTC))  # Tuesday before noon in Mumbai
    assert at.card("admin").opens_at is None
    to(at, datetime(2026, 3, 17, 17, 0, tzinfo=UTC))  # half past ten in the evening
    opens_at = at.card("admin").opens_at
    assert opens_at is not None
    assert in_india(opens_at).date() == datetime(2026, 3, 18, tzinfo=UTC).date()
    assert in_india(opens_at).hour in (9, 10)
    assert at.card("admin").row.status == "pending"
