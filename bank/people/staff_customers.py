"""Employees who bank here, too: what they declare, what the branch registers, and its end.

Each waits for a second person by dated rule (data/seed/link_approval_rules.csv), who is never the
employee. From then on they decide about none of their own accounts (`accounts/parties`).
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select

from bank.core.checked import About, Checked, Given
from bank.core.desk import Tx, command, query
from bank.core.errors import NotFound, WrongState
from bank.core.permissions import Permission
from bank.people import customer_links, staff_list
from bank.people.customer_links import (
    LONGEST_REASON,
    CustomerLink,
    LinkCard,
    LinkedAlready,
    NoSuchNumber,
)
from bank.people.fields import clean_text
from bank.people.identity import user_by_id
from bank.people.staff import OF_NO_USE, about_employee, managed


class NoSuchLink(NotFound):
    """There is no such link of this employee. Reload the page and look again."""


class LinkHasEnded(WrongState):
    """This link has ended already."""


OF_NOBODY: Final = (*OF_NO_USE, NoSuchNumber, LinkedAlready, NoSuchLink, LinkHasEnded)
BY_TWO: Final = Checked(about=about_employee, ends=OF_NOBODY)


def _about_me(tx: Tx, _given: Given) -> About:
    return about_employee(tx, {"user_id": tx.desk.user_id})


@query(Permission.STAFF_VIEW)
def customer_links_of(tx: Tx, user_id: int) -> Sequence[LinkCard]:
    """List which customer an employee of one's branch is and was, newest first."""
    staff_list.employee_in_sight(tx, user_id)
    tx.looked_at("user", user_id)
    return customer_links.links_of(tx, user_id)


@query(Permission.OWN_WORK_VIEW)
def own_customer_links(tx: Tx) -> Sequence[LinkCard]:
    """List which customer of the bank one is known to be, newest first."""
    assert tx.desk.user_id is not None
    tx.looked_at("user", tx.desk.user_id)
    return customer_links.links_of(tx, tx.desk.user_id)


@command(Permission.OWN_WORK_VIEW, checked=Checked(about=_about_me, ends=OF_NOBODY))
def declare_customer(tx: Tx, customer_number: str) -> int:
    """Declare that one banks here, too, under this customer number."""
    assert tx.desk.user_id is not None
    return _link(tx, tx.desk.user_id, customer_number)


@command(Permission.STAFF_MANAGE, checked=BY_TWO)
def link_customer(tx: Tx, user_id: int, customer_number: str) -> int:
    """Register that an employee is this customer; answers the number of the link."""
    return _link(tx, managed(tx, user_id).id, customer_number)


@command(Permission.STAFF_MANAGE, checked=BY_TWO)
def end_customer_link(tx: Tx, user_id: int, link_id: int, reason: str) -> None:
    """End the link between an employee and a customer, with a reason; the days stay."""
    user = managed(tx, user_id)
    why = clean_text(reason, field="reason", longest=LONGEST_REASON)
    link = tx.session.scalar(
        select(CustomerLink)
        .where(CustomerLink.id == link_id, CustomerLink.user_id == user.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if link is None:
        raise NoSuchLink
    if link.until is not None:
        raise LinkHasEnded
    before, agreed = customer_links.numbers_of(tx, user.id), tx.facts.get("checker")
    link.until, link.ended_by, link.ended_by_name = tx.business_date, tx.desk.user_id, tx.desk.name
    link.end_agreed_by_name = None if agreed is None else str(agreed)
    link.ended_because = why
    _changed(tx, user.id, before)


def _link(tx: Tx, user_id: int, customer_number: str) -> int:
    before = customer_links.numbers_of(tx, user_id)
    link_id = customer_links.add_link(tx, user_id, customer_number)
    _changed(tx, user_id, before)
    return link_id


def _changed(tx: Tx, user_id: int, before: str) -> None:
    tx.session.flush()
    user = user_by_id(tx, user_id)
    whose = {"name": user.name, "username": user.username}
    after = customer_links.numbers_of(tx, user_id)
    tx.concerns("user", user_id)
    tx.changed({**whose, "customer": before or "none"}, {**whose, "customer": after or "none"})
