"""Which customer an employee is: declared, registered, asked for when they are added, ended."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from bank import app
from bank.accounts import parties
from bank.core import checkers
from bank.core.approvals import AwaitingApproval
from bank.core.db import Database
from bank.core.errors import BankError
from bank.core.permissions import STAFF, Role
from bank.people import customer_links, staff, staff_customers
from bank.people.customer_links import LinkedAlready, NoSuchNumber
from bank.people.staff_customers import LinkHasEnded, NoSuchLink
from tests.support.bank import DIALECTS
from tests.support.checkers import Checking, nilas_number
from tests.support.market import FORT
from tests.support.older import old_database

pytestmark = pytest.mark.feature("B4")
COMMANDS = ("declare_customer", "link_customer", "end_customer_link")


def alone(at: Checking) -> None:
    """No rule asks a second person."""
    for name in COMMANDS:
        at.new_rule(f"people.staff_customers.{name}", checkers="")


def interested(at: Checking, whose: str) -> set[int]:
    """The employees of Fort who stand behind somebody's account."""
    with at.market.tx() as tx:
        everybody = checkers.staff(tx, STAFF, at.market.branch_ids[FORT])
        found = checkers.interests(tx, [at.market.number(whose)], everybody)
    assert {each.words for each in found} <= {parties.HOLDER}
    return {each.employee_id for each in found}


def test_who_is_added_says_at_once_that_they_bank_here(checking: Checking) -> None:
    at = checking
    given = ("meera.s", "Meera Shah", "meera.s@bank.example.com", Role.CASHIER, FORT)
    with pytest.raises(NoSuchNumber) as refused:
        staff.add_employee(at.desks["admin"], *given, customer_number="12")
    assert refused.value.field == "customer"
    with pytest.raises(AwaitingApproval):
        staff.add_employee(at.desks["admin"], *given, customer_number=nilas_number(at))
    assert ("customer", "", nilas_number(at)) in at.card().changes
    at.approve("vera")
    [row] = at.market.rows("SELECT id FROM users WHERE username = 'meera.s'")
    assert interested(at, "nila") == {row["id"]}
    [link] = staff_customers.customer_links_of(at.desks["admin"], row["id"])
    assert (link.registered_by, link.agreed_by) == ("Arun Nair", "Vera Lobo")


def test_an_employee_declares_it_and_does_not_decide_about_it(checking: Checking) -> None:
    at = checking
    with pytest.raises(AwaitingApproval) as waits:
        staff_customers.declare_customer(at.desks["vera"], nilas_number(at))
    assert interested(at, "nila") == set(), "not before somebody has seen it"
    with pytest.raises(BankError):
        at.approve("vera")
    at.approve("head", waits.value.approval_id)
    assert interested(at, "nila") == {at.id("vera")}
    [link] = staff_customers.own_customer_links(at.desks["vera"])
    assert (link.customer_number, link.state) == (nilas_number(at), "holds")


def test_one_customer_is_one_employee(checking: Checking) -> None:
    at = checking
    alone(at)
    link_id = staff_customers.link_customer(at.desks["admin"], at.id("imran"), nilas_number(at))
    with pytest.raises(LinkedAlready):
        staff_customers.link_customer(at.desks["admin"], at.id("gita"), nilas_number(at))
    with pytest.raises(NoSuchLink):
        staff_customers.end_customer_link(at.desks["admin"], at.id("gita"), link_id, "no")
    ended = (at.id("imran"), link_id, "His sister")
    staff_customers.end_customer_link(at.desks["admin"], *ended)
    with pytest.raises(LinkHasEnded):
        staff_customers.end_customer_link(at.desks["admin"], *ended)
    staff_customers.link_customer(at.desks["admin"], at.id("gita"), nilas_number(at))
    assert interested(at, "nila") == {at.id("gita")}
    [old] = staff_customers.customer_links_of(at.desks["admin"], at.id("imran"))
    assert (old.state, old.ended_because) == ("ended", "His sister")
    with pytest.raises(BankError):  # of another branch
        staff_customers.customer_links_of(at.desks["admin_baner"], at.id("imran"))


def test_the_portals_mail_address_says_who_it_is_too(checking: Checking) -> None:
    at = checking
    with at.market.tx() as tx:
        tx.connection.exec_driver_sql(
            "UPDATE users SET email = 'Nila@Home.example' WHERE customer_id ="
            f" {at.desks['nila'].customer_id}"
        )
    assert interested(at, "nila") == set()
    at.change_user("imran", email="nila@home.example")
    assert interested(at, "nila") == {at.id("imran")}


def test_a_link_is_never_changed_or_deleted(checking: Checking) -> None:
    for sql in (
        "UPDATE customer_links SET customer_id = customer_id + 1",
        "UPDATE customer_links SET user_id = 1",
        "DELETE FROM customer_links",
    ):
        with (
            pytest.raises(DBAPIError, match="never changed or deleted"),
            checking.market.tx() as tx,
        ):
            tx.connection.exec_driver_sql(sql)
    with checking.market.tx() as tx:
        assert customer_links.numbers_of(tx, checking.id("holder"))


@pytest.fixture(params=DIALECTS)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database from before links, on each kind in turn."""
    with old_database("0021_freezes", request.param, tmp_path) as db:
        yield db


def test_an_older_bank_gains_links(old: Database) -> None:
    app.migrate(old)
    app.migrate(old)
    with old.engine.connect() as connection:
        asked = connection.exec_driver_sql(
            "SELECT command, COUNT(*) FROM approval_rules WHERE command IN"
            " ('people.staff_customers.declare_customer', 'people.staff_customers.link_customer',"
            " 'people.staff_customers.end_customer_link') GROUP BY command"
        ).all()
        links = connection.exec_driver_sql("SELECT COUNT(*) FROM customer_links").scalar()
    assert [count for _, count in asked] == [4, 4, 4]
    assert links == 0
