"""View-as: an employee sees what the customer sees, changes nothing, and everybody learns of it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bank.accounts import accounts, statements
from bank.core.desk import CATALOGUE, Bank, Desk, VerbKind
from bank.core.errors import BadInput, BankError, NotAllowed
from bank.core.ids import new_request_id
from bank.core.permissions import VIEWABLE, Permission, Role
from bank.counters import prepared
from bank.office import announcements, ticket_desk, ticket_files, tickets
from bank.office.announcements import Audience
from bank.office.ticket_desk import Then
from bank.office.ticket_files import NoSuchFile
from bank.people import customers, leaving, sessions, staff, viewings
from bank.people.customers import NoSuchCustomer
from bank.people.sessions import Found, SessionStatus
from bank.people.viewings import CannotBeTold, NotViewing
from tests.bank.test_announcements import said
from tests.bank.test_ticket_desk import SECRET
from tests.house.test_permissions import load_catalogue
from tests.support import people
from tests.support.bank import desk as any_desk
from tests.support.market import Market
from tests.support.office import BANER, FORT, Office
from tests.support.people import Somebody
from tests.support.tickets import PDF, claimed, picture, replied, upload, written

pytestmark = pytest.mark.feature("B29")
WHY = "Asks why her balance is lower than expected"

load_catalogue()


class Help:
    """Imran of customer support, signed in, and Asha, who has called."""

    def __init__(self, office: Office) -> None:
        self.office, self.bank = office, office.bank
        self.asha = people.customer(office.bank)
        office.people["imran"] = people.employee(office.bank, Role.EXECUTIVE, "imran")
        self.sid = people.signed_in(office.bank, office.people["imran"])
        self.number = self.asha.username

    @property
    def found(self) -> Found:
        """What Imran's cookie leads to now."""
        return sessions.find(self.bank, self.sid, people.IP, awake=False)

    @property
    def desk(self) -> Desk:
        """The desk at Imran's window now."""
        desk = self.found.desk
        assert desk is not None
        return desk

    def mails(self, who: Somebody) -> list[str]:
        """What was mailed to an address of the customer's."""
        with self.bank.db.read() as connection:
            return [
                row.body
                for row in connection.exec_driver_sql(
                    "SELECT body FROM outbox WHERE purpose = 'view_as' ORDER BY id"
                )
            ]


@pytest.fixture
def helping(office: Office) -> Help:
    """Somebody who helps, and somebody who is helped, on each database in turn."""
    return Help(office)


@pytest.fixture
def lite(sqlite_office: Office) -> Help:
    """The same where the database makes no difference."""
    return Help(sqlite_office)


def test_the_window_becomes_the_customers_and_only_looks(helping: Help) -> None:
    own = helping.desk
    until = viewings.start_viewing(own, helping.number, WHY)
    assert until == helping.bank.clock.now() + timedelta(minutes=15)
    desk, viewing = helping.desk, helping.found.viewing
    assert viewing is not None
    assert (desk.role, desk.customer_id) == (Role.CUSTOMER, helping.asha.customer_id)
    assert (desk.user_id, desk.on_behalf_of) == (own.user_id, helping.asha.customer_id)
    assert (viewing.customer, viewing.until, viewing.own) == ("Asha Rao", until, own)
    assert accounts.own_accounts(desk) == []
    assert not desk.may(Permission.OWN_MONEY_SEND)
    assert not desk.may(Permission.SESSION_KEEP), "the proofs of Imran are not Asha's"
    viewings.stop_viewing(viewing.own)
    assert helping.desk == own
    assert helping.found.viewing is None


def test_it_ends_by_itself(helping: Help) -> None:
    viewings.start_viewing(helping.desk, helping.number, WHY)
    people.later(helping.bank, minutes=10)
    sessions.find(helping.bank, helping.sid)  # awake, or the session would be idle by then
    people.later(helping.bank, minutes=4, seconds=59)
    assert helping.found.viewing is not None
    people.later(helping.bank, seconds=1)
    assert helping.found.viewing is None
    assert helping.desk.role is Role.EXECUTIVE
    with pytest.raises(NotViewing):
        viewings.stop_viewing(helping.desk)
    viewings.start_viewing(helping.desk, helping.number, "Again")
    assert helping.found.viewing is not None


def test_every_command_and_flow_is_refused_by_the_bank(lite: Help) -> None:
    """Not only the buttons are gone: no verb that may change something gets past the door."""
    viewings.start_viewing(lite.desk, lite.number, WHY)
    desk = lite.desk
    for name, verb in CATALOGUE.items():
        if verb.kind is not VerbKind.QUERY or verb.permission not in VIEWABLE:
            with pytest.raises(NotAllowed):
                verb.call(desk)  # no arguments: the refusal comes first
        else:
            assert verb.permission in {
                Permission.OWN_ACCOUNTS_VIEW, Permission.BRANCH_LIST, Permission.TERMS_VIEW,
                Permission.TICKET_OWN, Permission.SLIP_PREPARE,
            }, name  # fmt: skip


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.SUPER_ADMIN, Role.SYSTEM])
def test_no_role_acts_on_behalf_of_somebody(sqlite_bank: Bank, role: Role) -> None:
    desk = replace(any_desk(sqlite_bank, role), on_behalf_of=7)
    for name, verb in CATALOGUE.items():
        if verb.kind is not VerbKind.QUERY:
            with pytest.raises(NotAllowed):
                verb.call(desk)
        assert name


def test_the_customer_is_told(helping: Help) -> None:
    viewings.start_viewing(helping.desk, helping.number, WHY)
    [body] = helping.mails(helping.asha)
    assert WHY in body
    assert "Ravi Kumar of your branch" in body  # Imran's name in this bank of tests
    assert "12:15" in body


def test_every_read_is_kept_with_whom_it_was_for(helping: Help) -> None:
    viewings.start_viewing(helping.desk, helping.number, WHY)
    for _ in range(2):
        accounts.own_accounts(helping.desk)
        statements.last_lines(helping.desk)
    with pytest.raises(NotAllowed):
        customers.find_customer(helping.desk, helping.number)
    with helping.bank.db.read() as connection:
        rows = connection.exec_driver_sql(
            "SELECT verb, outcome, actor_id, object_kind, object_id, on_behalf_of FROM trail"
            " WHERE channel = 'view_as' ORDER BY id"
        ).fetchall()
    asha, imran = helping.asha.customer_id, helping.office.id("imran")
    assert [tuple(row) for row in rows] == [
        ("accounts.accounts.own_accounts", "read", imran, "customer", str(asha), asha),
        ("accounts.accounts.own_accounts", "read", imran, "own_accounts", str(asha), asha),
        ("accounts.statements.last_lines", "read", imran, "last_lines", str(asha), asha),
        ("people.customers.find_customer", "refused", imran, None, None, asha),
    ]
    [started] = people.trail(helping.bank, "people.viewings.start_viewing")
    assert started[:3] == ("done", "customer", str(asha))
    assert WHY in started[3]


def test_the_branch_sees_who_looked_and_why(helping: Help) -> None:
    viewings.start_viewing(helping.desk, helping.number, WHY)
    people.later(helping.bank, minutes=2)
    viewing = helping.found.viewing
    assert viewing is not None
    viewings.stop_viewing(viewing.own)
    [card] = viewings.viewings(helping.office.desk("meera"))
    assert (card.customer, card.number, card.reason) == ("Asha Rao", helping.number, WHY)
    assert card.until - card.started_at == timedelta(minutes=2)
    assert viewings.viewings(helping.office.desk("omar")) == []


def test_another_window_of_the_same_employee_stays_their_own(helping: Help) -> None:
    other = people.signed_in(helping.bank, helping.office.people["imran"])
    viewings.start_viewing(helping.desk, helping.number, WHY)
    desk = sessions.desk_for(helping.bank, other)
    assert desk is not None
    assert desk.role is Role.EXECUTIVE


def test_another_customer_takes_the_place_of_the_first(helping: Help) -> None:
    nila = people.customer(helping.bank, "nila@example.com")
    own = helping.desk
    viewings.start_viewing(own, helping.number, WHY)
    viewings.start_viewing(own, nila.username, WHY)
    assert helping.desk.on_behalf_of == nila.customer_id


def test_a_lost_role_or_branch_ends_it_at_the_next_click(helping: Help) -> None:
    viewings.start_viewing(helping.desk, helping.number, WHY)
    head = helping.office.desk("dinshaw")
    staff.change_role(head, helping.office.id("imran"), Role.EXECUTIVE, BANER)
    assert helping.desk.role is Role.EXECUTIVE
    staff.change_role(head, helping.office.id("imran"), Role.EXECUTIVE, FORT)
    assert helping.desk.role is Role.CUSTOMER
    staff.change_role(head, helping.office.id("imran"), Role.CASHIER, FORT)
    assert helping.desk.role is Role.CASHIER
    leaving.remove_employee(head, helping.office.id("imran"), "Left")
    assert helping.found.state is SessionStatus.ENDED


def test_signing_out_while_viewing_ends_the_employees_session(helping: Help) -> None:
    viewings.start_viewing(helping.desk, helping.number, WHY)
    sessions.close(helping.bank, helping.sid)
    assert helping.found.state is SessionStatus.ENDED


@pytest.mark.parametrize(
    ("number", "reason", "refusal", "field"),
    [
        ("nobody", WHY, NoSuchCustomer, "number"),
        (None, "", BadInput, "reason"),
        (None, "x" * 201, BadInput, "reason"),
    ],
)
def test_who_and_why_are_asked(
    lite: Help, number: str | None, reason: str, refusal: type[BankError], field: str
) -> None:
    with pytest.raises(refusal) as refused:
        viewings.start_viewing(lite.desk, number or lite.number, reason)
    assert refused.value.field == field
    assert lite.found.viewing is None


def test_a_customer_of_another_branch_is_not_there(lite: Help) -> None:
    far = people.customer(lite.bank, "far@example.com", ifsc=BANER)
    with pytest.raises(NoSuchCustomer):
        viewings.start_viewing(lite.desk, far.username, WHY)


def test_who_cannot_be_told_is_not_looked_at(lite: Help) -> None:
    silent = people.customer(lite.bank, None)
    with pytest.raises(CannotBeTold):
        viewings.start_viewing(lite.desk, silent.username, WHY)


@pytest.mark.parametrize("role", list(Role))
def test_who_may_look(sqlite_bank: Bank, role: Role) -> None:
    at = any_desk(sqlite_bank, role)
    if role in {Role.EXECUTIVE, Role.BRANCH_ADMIN}:
        assert at.may(Permission.CUSTOMER_VIEW_AS)
    else:
        with pytest.raises(NotAllowed):
            viewings.start_viewing(at, "1", WHY)


def test_tickets_slips_and_announcements_are_seen_as_the_customer_sees_them(
    sqlite_market: Market,
) -> None:
    """Never a note, never the file of one, never the token of a slip; and nothing is written."""
    own, esha = sqlite_market.desks["asha"], sqlite_market.desks["executive"]
    card = claimed(sqlite_market, written(sqlite_market, files=[upload("mine.pdf")]))
    ticket_desk.add_note(
        esha, card.id, SECRET, [upload("inside.png", picture())], request_id=new_request_id()
    )
    replied(sqlite_market, card, Then.WAIT)
    slip = prepared.prepare_slip(
        own, "cash_deposit", sqlite_market.number("asha"), 5_00, request_id=new_request_id()
    )
    said(sqlite_market, title="For customers", audience=Audience.CUSTOMERS)
    said(sqlite_market, title="For employees", audience=Audience.STAFF)
    viewer = replace(esha, role=own.role, customer_id=own.customer_id, on_behalf_of=own.customer_id)
    assert tickets.own_tickets(viewer) == tickets.own_tickets(own)
    posts = tickets.own_posts(viewer, card.id)
    assert posts == tickets.own_posts(own, card.id)
    assert SECRET not in str(posts)
    assert ticket_files.own_file(viewer, 1) == PDF
    with pytest.raises(NoSuchFile):
        ticket_files.own_file(viewer, 2)
    [shown] = prepared.own_prepared(viewer)
    assert (shown.id, shown.token, shown.amount_minor) == (slip.id, "", 5_00)
    assert prepared.own_prepared(own)[0].token == slip.token
    assert [each.title for each in announcements.current(viewer)] == ["For customers"]
    calls: list[Callable[[], object]] = [
        lambda: tickets.answer(viewer, card.id, "As her", request_id=new_request_id()),
        lambda: prepared.cancel_slip(viewer, slip.id),
        lambda: ticket_desk.read_ticket(viewer, card.id),
    ]
    for call in calls:
        with pytest.raises(NotAllowed):
            call()
    read = sqlite_market.rows(
        "SELECT object_kind FROM trail WHERE outcome = 'read' AND on_behalf_of IS NOT NULL"
    )
    assert {"own_tickets", "own_posts", "own_file", "own_prepared"} <= {
        row["object_kind"] for row in read
    }
