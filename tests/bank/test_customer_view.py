"""What whoever answers a ticket sees of its customer: enough to answer, masked, in the trail."""

from dataclasses import replace

import pytest

from bank.core import outbox
from bank.core.errors import NotAllowed
from bank.core.outbox import MessageStatus
from bank.counters import customer_view
from bank.office import ticket_moves
from bank.office.tickets import NoSuchTicket
from tests.bank.test_announcements import head
from tests.support.market import BANER, Market
from tests.support.tickets import claimed, written

pytestmark = pytest.mark.feature("D3")


def test_the_customer_at_a_glance(market: Market) -> None:
    for number in range(22):
        market.deposit("asha", 100 + number)
    card, twin = written(market), written(market, subject="Another one")
    market.deposit("vikram", 5_00)
    esha = replace(market.desks["executive"], session_id=990)
    view = customer_view.customer_in_full(esha, card.id)
    assert (view.name, view.born_in, view.mail_to) == ("Asha Rao", 1990, "a***@example.com")
    assert view.has_portal
    assert [one.card.product_code for one in view.accounts] == ["savings", "current", "savings"]
    savings = view.accounts[0]
    assert savings.card.booked_minor == sum(100 + number for number in range(22))
    assert [line.amount_minor for line in savings.lines] == [121 - at for at in range(20)]
    assert [each.id for each in view.tickets] == [twin.id, card.id]
    assert {mail.subject for mail in view.mails} >= {f"We have your message: {card.reference}"}
    assert {mail.status for mail in view.mails} == {MessageStatus.WAITING}
    assert len(view.mails) == 20
    assert view.elsewhere == 0
    read = {
        (row["object_kind"], row["object_id"])
        for row in market.rows(
            "SELECT object_kind, object_id FROM trail WHERE outcome = 'read' AND session_id = 990"
        )
    }
    asha = str(market.desks["asha"].customer_id)
    assert read == {
        ("customer", asha),
        *(("account", market.number("asha", what)) for what in ("savings", "current", "koruna")),
    }


def test_whose_ticket_is_out_of_sight_is_not_seen(market: Market) -> None:
    card = written(market)
    for verb in (customer_view.customer_in_full, customer_view.about_ticket):
        for who in ("executive_baner", "admin_baner"):
            with pytest.raises(NoSuchTicket):
                verb(market.desks[who], card.id)
        for who in ("ravi", "banker", "asha", "auditor"):
            with pytest.raises(NotAllowed):
                verb(market.desks[who], card.id)


def test_accounts_and_tickets_of_other_branches_stay_there(market: Market) -> None:
    about = {"about_kind": "account", "about": market.number("asha")}
    stays, card = written(market), claimed(market, written(market, **about))
    ticket_moves.move_ticket(
        market.desks["executive"], card.id, market.branch_ids[BANER], "her locker is there"
    )
    ila = market.desks["executive_baner"]
    view = customer_view.customer_in_full(ila, card.id)
    assert (list(view.accounts), view.elsewhere) == ([], 3)
    assert [each.id for each in view.tickets] == [card.id]
    assert customer_view.about_ticket(ila, card.id).account is None
    everything = customer_view.customer_in_full(head(market), card.id)
    assert (len(everything.accounts), everything.elsewhere) == (3, 0)
    assert [each.id for each in everything.tickets] == [card.id, stays.id]


def test_mails_to_somebody_else_at_the_same_address_are_not_theirs(market: Market) -> None:
    card = written(market)
    with market.tx() as tx:
        for user in ("asha", "vikram"):
            outbox.queue_mail(
                tx, to="asha@example.com", subject=f"For {user}", body="x", purpose="test",
                user_id=market.desks[user].user_id,
            )  # fmt: skip
    subjects = [
        mail.subject
        for mail in customer_view.customer_in_full(market.desks["executive"], card.id).mails
    ]
    assert "For asha" in subjects
    assert "For vikram" not in subjects
    nila = written(market, "nila")
    assert customer_view.customer_in_full(market.desks["executive"], nila.id).mails == []


def test_what_a_ticket_is_about(market: Market) -> None:
    first = market.deposit("asha", 77_00)
    market.deposit("asha", 5_00)
    desk = market.desks["executive"]
    by_account = written(market, about_kind="account", about=market.number("asha"))
    seen = customer_view.about_ticket(desk, by_account.id)
    assert seen.account is not None
    assert [line.amount_minor for line in seen.account.lines] == [5_00, 77_00]
    assert seen.entry is None
    by_entry = written(market, about_kind="entry", about=first.reference)
    entry = customer_view.about_ticket(desk, by_entry.id).entry
    assert entry is not None
    assert entry.reference == first.reference
    assert [(card.number, line.amount_minor) for card, line in entry.lines] == [
        (market.number("asha"), 77_00)
    ]
    nothing = customer_view.about_ticket(desk, written(market).id)
    assert (nothing.account, nothing.entry) == (None, None)
