"""Announcements: who says what to whom, from when to when, and by mail."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any, Final

import pytest

from bank.core import outbox
from bank.core.errors import BadInput, NotAllowed
from bank.core.ids import new_request_id
from bank.core.permissions import STAFF, Role
from bank.office import announcements
from bank.office.announcements import (
    SHOWN,
    AnnouncementCard,
    Audience,
    NoSuchAnnouncement,
    Severity,
)
from bank.office.ticket_posts import SentAlready
from tests.support import queues
from tests.support.bank import desk
from tests.support.market import BANER, FORT, Market

pytestmark = pytest.mark.feature("A7.3")
TODAY: Final = date(2026, 3, 16)
WHY: Final = "It was about last year"


def said(market: Market, who: str = "admin", **facts: Any) -> AnnouncementCard:
    """Somebody announces."""
    given: dict[str, Any] = {
        "audience": Audience.EVERYONE,
        "severity": Severity.INFO,
        "title": "Closed on Friday",
        "body": "The branch is closed\nfor repairs.",
        "from_on": TODAY,
        "until_on": TODAY + timedelta(days=4),
        "request_id": new_request_id(),
    } | facts
    return announcements.announce(head(market) if who == "head" else market.desks[who], **given)


def head(market: Market) -> Any:
    """A super admin; a real row, because a second click is waited for there."""
    user = market.desks["auditor"].user_id
    return desk(market.bank, Role.SUPER_ADMIN, user_id=user, name="Head Office", branch_id=None)


def seen(market: Market, who: str) -> list[str]:
    """What somebody reads on the home page."""
    return [card.title for card in announcements.current(market.desks[who])]


def test_a_branch_speaks_to_its_own_and_head_office_to_all(market: Market) -> None:
    said(market)
    said(market, "head", title="New rates", severity=Severity.WARNING)
    said(market, "head", title="Baner moves", branch_id=market.branch_ids[BANER])
    said(market, title="Staff party", audience=Audience.STAFF)
    said(market, title="Offer", audience=Audience.CUSTOMERS, severity=Severity.URGENT)
    assert seen(market, "asha") == ["Offer", "New rates", "Closed on Friday"]
    assert seen(market, "ravi") == ["New rates", "Staff party", "Closed on Friday"]
    assert seen(market, "vikram") == ["New rates", "Baner moves"]
    assert seen(market, "meera") == ["New rates", "Baner moves"]
    assert len(seen(market, "auditor")) == 4, "who sees the whole bank sees every branch's"
    mine = [card.title for card in announcements.announced(market.desks["admin"])]
    assert mine == ["Offer", "Staff party", "Closed on Friday"]
    assert len(announcements.announced(head(market))) == 5


def test_it_is_seen_from_its_first_day_to_its_last(market: Market) -> None:
    card = said(market, from_on=TODAY + timedelta(days=1), until_on=TODAY + timedelta(days=2))
    states = []
    for day in range(4):
        today = TODAY + timedelta(days=day)
        states.append((card.state(today), len(seen(market, "asha"))))
        queues.later(market, days=1)
    assert states == [("planned", 0), ("shown", 1), ("shown", 1), ("ended", 0)]


@pytest.mark.feature("A7.2")
def test_mails_go_to_those_it_is_for(market: Market) -> None:
    customers = said(market, audience=Audience.CUSTOMERS, by_mail=True)
    [mail] = market.mails(f"announcement {customers.id}")  # Nila has no address
    assert (mail["recipient"], mail["subject"]) == ("asha@example.com", "Closed on Friday")
    assert mail["body"] == "The branch is closed\nfor repairs.\n"
    staff = said(market, audience=Audience.STAFF, by_mail=True)
    to = [mail["recipient"] for mail in market.mails(f"announcement {staff.id}")]
    assert to == sorted(to)
    assert "ravi@bank.example.com" in to
    assert "meera@bank.example.com" not in to
    bank = said(market, "head", by_mail=True)
    assert bank.mails == len(market.mails(f"announcement {bank.id}")) == 12
    assert said(market).mails == 0


def test_withdrawn_it_is_gone_and_what_waits_does_not_leave(market: Market) -> None:
    tomorrow = TODAY + timedelta(days=1)
    card = said(market, from_on=tomorrow, until_on=tomorrow, by_mail=True)
    due = market.rows(f"SELECT not_before FROM outbox WHERE purpose = 'announcement {card.id}'")
    # With its first day, which begins in India before it does in Greenwich.
    assert {str(row["not_before"])[:16] for row in due} == {"2026-03-16 18:30"}
    with pytest.raises(NoSuchAnnouncement):
        announcements.withdraw(market.desks["admin_baner"], card.id, WHY)
    with pytest.raises(NoSuchAnnouncement):
        announcements.withdraw(market.desks["admin"], 4711, WHY)
    assert announcements.withdraw(market.desks["admin"], card.id, WHY) == card.mails > 0
    assert announcements.withdraw(market.desks["admin"], card.id, WHY) == 0
    left = market.rows(f"SELECT status FROM outbox WHERE purpose = 'announcement {card.id}'")
    assert {row["status"] for row in left} == {outbox.MessageStatus.EXPIRED}
    queues.later(market, days=1)
    assert seen(market, "asha") == []
    [again] = announcements.announced(market.desks["admin"])
    assert again.state(tomorrow) == "withdrawn"
    assert (again.withdrawn_by_name, again.withdrawn_reason) == ("Arun Nair", WHY)
    [kept] = market.rows(
        "SELECT after FROM trail WHERE verb = 'office.announcements.withdraw'"
        " AND outcome = 'done' AND after IS NOT NULL"
    )
    assert WHY in kept["after"]
    by_head = said(market, from_on=tomorrow)
    announcements.withdraw(head(market), by_head.id, WHY)


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"title": " "}, "title"),
        ({"title": "x" * 121}, "title"),
        ({"body": "\n"}, "message"),
        ({"body": "x" * 4_001}, "message"),
        ({"from_on": TODAY - timedelta(days=1)}, "first day"),
        ({"until_on": TODAY - timedelta(days=1)}, "last day"),
        ({"until_on": TODAY + timedelta(days=367)}, "last day"),
        ({"branch_id": 2}, "branch"),
        ({"who": "head", "branch_id": 4711}, "branch"),
    ],
)
def test_what_is_wrong_is_refused_by_field(
    sqlite_market: Market, facts: dict[str, Any], field: str
) -> None:
    with pytest.raises(BadInput) as refused:
        said(sqlite_market, **facts)
    assert refused.value.field == field
    assert announcements.announced(sqlite_market.desks["admin"]) == []


def test_only_who_leads_speaks(market: Market) -> None:
    card = said(market)
    for who in ("asha", "ravi", "executive", "banker", "auditor"):
        with pytest.raises(NotAllowed):
            said(market, who)
        with pytest.raises(NotAllowed):
            announcements.withdraw(market.desks[who], card.id, WHY)
        with pytest.raises(NotAllowed):
            announcements.announced(market.desks[who])
    assert market.branch_ids[FORT] == card.branch_id


def test_a_second_click_says_it_once(market: Market) -> None:
    once, start = new_request_id(), threading.Barrier(4)

    def click(_: int) -> int:
        start.wait(60)
        return said(market, by_mail=True, audience=Audience.CUSTOMERS, request_id=once).id

    with ThreadPoolExecutor(4) as pool:
        assert len({*pool.map(click, range(4))}) == 1
    assert len(market.mails("announcement 1")) == 1
    with pytest.raises(SentAlready):
        said(market, title="Other words", request_id=once)


@pytest.mark.parametrize("why", ["", "  ", "x" * 201])
def test_who_withdraws_says_why(sqlite_market: Market, why: str) -> None:
    card = said(sqlite_market)
    with pytest.raises(BadInput) as refused:
        announcements.withdraw(sqlite_market.desks["admin"], card.id, why)
    assert refused.value.field == "reason"
    assert seen(sqlite_market, "asha") == ["Closed on Friday"]


def test_everything_that_holds_is_listed(market: Market) -> None:
    for number in range(SHOWN + 3):
        said(market, title=f"Warning {number}", severity=Severity.WARNING)
    said(market, title="Offer", audience=Audience.CUSTOMERS, severity=Severity.OFFER)
    assert len(seen(market, "asha")) == SHOWN + 4
    assert seen(market, "asha")[-1] == "Offer"


def test_employees_are_told_by_role(market: Market) -> None:
    card = said(
        market, audience=Audience.STAFF, roles=(Role.CASHIER, Role.BRANCH_ADMIN), by_mail=True
    )
    assert card.for_roles == [Role.BRANCH_ADMIN, Role.CASHIER]
    assert seen(market, "ravi") == seen(market, "admin") == ["Closed on Friday"]
    assert seen(market, "executive") == seen(market, "banker") == seen(market, "asha") == []
    to = {mail["recipient"] for mail in market.mails(f"announcement {card.id}")}
    assert {"ravi@bank.example.com", "admin@bank.example.com"} <= to
    assert "executive@bank.example.com" not in to
    everyone = said(market, audience=Audience.STAFF, roles=tuple(STAFF), title="All of us")
    assert everyone.for_roles == []
    assert seen(market, "executive") == ["All of us"]


def test_customers_are_told_by_what_they_hold(market: Market) -> None:
    what = {"audience": Audience.CUSTOMERS, "product": "current", "by_mail": True}
    card = said(market, "head", title="Current accounts", **what)
    assert seen(market, "asha") == ["Current accounts"]
    assert seen(market, "vikram") == seen(market, "ravi") == seen(market, "admin") == []
    [mail] = market.mails(f"announcement {card.id}")
    assert mail["recipient"] == "asha@example.com"
    market.close_account("asha", "current")
    assert seen(market, "asha") == [], "a closed account is not held"


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"roles": (Role.CASHIER,)}, "roles"),
        ({"roles": (Role.CASHIER,), "audience": Audience.CUSTOMERS}, "roles"),
        ({"roles": (Role.CUSTOMER,), "audience": Audience.STAFF}, "roles"),
        ({"product": "savings"}, "product"),
        ({"product": "savings", "audience": Audience.STAFF}, "product"),
        ({"product": "gold", "audience": Audience.CUSTOMERS}, "product"),
    ],
)
def test_a_narrower_audience_must_fit(
    sqlite_market: Market, facts: dict[str, Any], field: str
) -> None:
    with pytest.raises(BadInput) as refused:
        said(sqlite_market, **facts)
    assert refused.value.field == field


@pytest.mark.feature("A7.4")
def test_an_offer_is_for_customers_and_stands_below_the_rest(market: Market) -> None:
    offer = {"severity": Severity.OFFER, "title": "A current account for your shop"}
    for audience in (Audience.EVERYONE, Audience.STAFF):
        with pytest.raises(BadInput) as refused:
            said(market, audience=audience, **offer)
        assert refused.value.field == "for"
    said(market, title="Closed")
    said(market, audience=Audience.CUSTOMERS, by_mail=True, **offer)
    assert seen(market, "asha") == ["Closed", "A current account for your shop"]
    assert seen(market, "ravi") == ["Closed"]
    assert [mail["recipient"] for mail in market.mails("announcement 2")] == ["asha@example.com"]
