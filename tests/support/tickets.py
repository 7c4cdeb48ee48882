"""Tickets for tests: Asha of the market writes, and Esha at her branch has claimed it.

def test_x(market): card = tickets.written(market); tickets.claimed(market, card)
"""

import io
from typing import Any, Final

from PIL import Image

from bank.core.ids import new_request_id
from bank.office import queue, ticket_desk, tickets
from bank.office.ticket_desk import Opened, Then
from bank.office.ticket_uploads import Upload
from bank.office.tickets import TicketCard
from tests.support.market import Market

PDF: Final = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def picture(kind: str = "PNG", shade: int = 200) -> bytes:
    """A small picture, another one for each shade."""
    made = io.BytesIO()
    Image.new("L", (8, 8), shade).save(made, kind)
    return made.getvalue()


def upload(name: str = "slip.pdf", content: bytes = PDF) -> Upload:
    """A file as somebody hands it in."""
    return Upload(name=name, content=content)


def written(market: Market, who: str = "asha", **facts: Any) -> TicketCard:
    """A customer writes."""
    given: dict[str, Any] = {
        "category": "charges",
        "subject": "A charge I do not know",
        "body": "What are the 118 rupees for?",
        "request_id": new_request_id(),
    }
    return tickets.open_ticket(market.desks[who], **(given | facts))


def claimed(market: Market, card: TicketCard, who: str = "executive") -> TicketCard:
    """Somebody takes it."""
    queue.claim(market.desks[who], card.item_id)
    return card


def replied(
    market: Market, card: TicketCard, then: Then = Then.STAY, who: str = "executive", **facts: Any
) -> bool:
    """Whoever has claimed it answers."""
    given = {"body": "It is the yearly fee.", "request_id": new_request_id()} | facts
    return ticket_desk.reply(market.desks[who], card.id, then=then, **given)


def answered(market: Market, card: TicketCard, body: str, who: str = "asha") -> None:
    """The customer writes more."""
    tickets.answer(market.desks[who], card.id, body, request_id=new_request_id())


def solved(market: Market) -> TicketCard:
    """A ticket of Asha's that Esha has solved."""
    card = claimed(market, written(market))
    replied(market, card, Then.SOLVE)
    return card


def opened(market: Market, card: TicketCard, who: str = "executive") -> Opened:
    """The ticket as an employee sees it."""
    return ticket_desk.read_ticket(market.desks[who], card.id)


def own(market: Market, card: TicketCard, who: str = "asha") -> TicketCard:
    """The ticket as its customer sees it."""
    return next(each for each in tickets.own_tickets(market.desks[who]) if each.id == card.id)
