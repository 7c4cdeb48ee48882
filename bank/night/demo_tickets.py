"""What the demo bank's customers wrote to it, and what became of that: a ticket in every state.

Each step is the verb itself, at a moment of the past and from the desk of whoever did it, so that
clocks, histories, mails and the trail are what they would have been.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

from bank.core.desk import Desk
from bank.core.ids import request_id_of
from bank.night.demo_clock import clock
from bank.night.demo_deeds import Done, Neighbour, Plan, Site, Town
from bank.night.demo_people import open_day
from bank.office.announcements import Audience, Severity
from bank.office.ticket_desk import Then

Told = tuple[date, Plan]
OPEN: Final = "office.tickets.open_ticket"
CLAIM: Final = "office.queue.claim"
REPLY: Final = "office.ticket_desk.reply"
NOTE: Final = "office.ticket_desk.add_note"
ESCALATE: Final = "office.queue.escalate"
RATE: Final = "office.scores.score_ticket"
ANNOUNCE: Final = "office.announcements.announce"


class _Ticket:
    """One ticket on its way; what it is numbered is known once it has been opened."""

    def __init__(self, town: Town, name: str, who: Neighbour, **words: str) -> None:
        assert who.desk is not None, "only who has the portal writes in it"
        self._town, self._name, self._words, self._steps = town, name, words, 0
        self.by: Desk = who.desk
        self.site: Site = town.site_of(who.main)
        self._known: dict[str, int] = {}

    def opened(self, day: date, minute: int) -> Told:
        """The customer writes."""

        def keep(card: Any) -> None:
            self._known = {"ticket_id": card.id, "item_id": card.item_id}

        once = {"request_id": self._request_id()}
        return self._told(day, minute, self.by, OPEN, lambda: {**self._words, **once}, keep)

    def step(self, day: date, minute: int, verb: str, by: Desk, **named: Any) -> Told:
        """Somebody does something about it."""
        key = "item_id" if verb in {CLAIM, ESCALATE} else "ticket_id"
        if verb in {REPLY, NOTE}:
            named["request_id"] = self._request_id()
        return self._told(day, minute, by, verb, lambda: {key: self._known[key], **named})

    def _request_id(self) -> str:
        self._steps += 1
        return request_id_of("demo", "ticket", self._name, str(self._steps))

    def _told(
        self,
        day: date,
        minute: int,
        by: Desk,
        verb: str,
        named: Callable[[], Mapping[str, Any]],
        keep: Callable[[Any], None] = lambda _: None,
    ) -> Told:
        def make(at: datetime) -> Done:
            return Done(at=at, by=by, verb=verb, named=named, keep=keep)

        return day, Plan(self._town.at(day, minute), make)


def tickets(town: Town) -> Iterator[Told]:
    """Everything that was written and done, and one announcement."""
    yield _announced(town)
    yield _offered(town)
    meera, arjun = town.who("Meera Iyer"), town.who("Arjun Deshpande")
    konkan, farida = town.who("Konkan Traders Pvt Ltd"), town.who("Farida Novelty Stores")
    if meera is not None:
        yield from _solved(town, meera)
        yield from _waiting(town, meera)
    if arjun is not None and arjun.desk is not None:
        words = {
            "category": "unknown_entry",
            "subject": "An entry I do not know",
            "body": "There is a card payment from last week that I did not make.",
            "about_kind": "account",
            "about": arjun.main.number,
        }
        yield _Ticket(town, "unknown", arjun, **words).opened(_back(town, 1), clock(18, 20))
    if konkan is not None and konkan.desk is not None:
        yield from _escalated(town, konkan)
    if farida is not None and farida.desk is not None:
        words = {
            "category": "feedback",
            "subject": "Counters on Saturday",
            "body": "The third counter on Saturdays has made a real difference. Please keep it.",
        }
        yield _Ticket(town, "praise", farida, **words).opened(town.as_of, clock(8, 5))


def _announced(town: Town) -> Told:
    day = _back(town, 3)
    named = {
        "audience": Audience.EVERYONE,
        "severity": Severity.INFO,
        "title": "Write to the bank, and see by when it answers",
        "body": "Complaints, questions and ideas have a place of their own now: Help, in the menu "
        "of every customer.\nEach gets a number and a day by which we answer.",
        "from_on": day,
        "until_on": day + timedelta(days=60),
        "request_id": request_id_of("demo", "announcement", "help"),
    }
    return day, Plan(
        town.at(day, clock(9, 30)),
        lambda at: Done(at=at, by=town.head, verb=ANNOUNCE, named=lambda: named),
    )


def _offered(town: Town) -> Told:
    day, last = _back(town, 2), town.as_of + timedelta(days=30)
    named = {
        "audience": Audience.CUSTOMERS,
        "severity": Severity.OFFER,
        "title": "A current account for your shop",
        "body": f"Open one by {last.day} {last:%B}: we come to your shop with the papers, and the "
        "first cheque book of the year is free.",
        "from_on": day,
        "until_on": last,
        "request_id": request_id_of("demo", "announcement", "offer"),
    }
    return day, Plan(
        town.at(day, clock(9, 45)),
        lambda at: Done(at=at, by=town.head, verb=ANNOUNCE, named=lambda: named),
    )


def _solved(town: Town, meera: Neighbour) -> Iterator[Told]:
    words = {
        "category": "charges",
        "subject": "The fee for SMS alerts",
        "body": "I was charged for SMS alerts, although I switched them off months ago.",
    }
    ticket, first = _Ticket(town, "fee", meera, **words), _back(town, 12)
    then, by = open_day(first + timedelta(days=1), 1), ticket.site.executive
    yield ticket.opened(first, clock(19, 40))
    yield ticket.step(then, clock(10, 20), CLAIM, by)
    yield ticket.step(
        then, clock(10, 31), NOTE, by, body="Switched off in time; the fee ran on. She is right."
    )
    yield ticket.step(
        then,
        clock(10, 38),
        REPLY,
        by,
        body="Hello Meera Iyer,\n\nyou are right, and we are sorry: the fee ran on after you had "
        "switched the alerts off. It does not come again.",
        then=Then.SOLVE,
    )
    yield ticket.step(then, clock(20, 15), RATE, ticket.by, score=4, note="Quick and clear.")


def _waiting(town: Town, meera: Neighbour) -> Iterator[Told]:
    words = {
        "category": "details",
        "subject": "My new address",
        "body": "I have moved. What do you need from me?",
    }
    ticket, day = _Ticket(town, "address", meera, **words), _back(town, 2)
    by = ticket.site.executive
    yield ticket.opened(day, clock(11, 5))
    yield ticket.step(day, clock(12, 10), CLAIM, by)
    yield ticket.step(
        day,
        clock(12, 18),
        REPLY,
        by,
        body="Hello Meera Iyer,\n\nplease bring a paper with the new address to the branch, such "
        "as an electricity bill of the last two months, and tell us here on which day.",
        then=Then.WAIT,
    )


def _escalated(town: Town, konkan: Neighbour) -> Iterator[Told]:
    words = {
        "category": "access",
        "subject": "Two of us must see the account",
        "body": "Our accountant and I need to sign in, each with a user name of our own.",
    }
    ticket, day = _Ticket(town, "access", konkan, **words), _back(town, 1)
    by = ticket.site.executive
    yield ticket.opened(day, clock(10, 15))
    yield ticket.step(day, clock(10, 50), CLAIM, by)
    yield ticket.step(
        day,
        clock(11, 0),
        REPLY,
        by,
        body="We are asking what the bank can offer you, and come back to you here.",
        then=Then.STAY,
    )
    yield ticket.step(day, clock(11, 4), ESCALATE, by, why="Needs a decision by the branch")


def _back(town: Town, days: int) -> date:
    """An open day so long ago."""
    return open_day(town.as_of - timedelta(days=days), -1)
