"""A staffed bank for tests of administration: two branches, their people, head office.

    def test_x(office): office.desk("meera"), office.people["ravi"].id

Everybody is a real row with a password and a device; a desk is theirs without signing in. `ravi`
and `asha` are cashiers at Fort, `meera` is its admin, `lata` and `omar` are at Baner, `dinshaw` and
`zarin` are head office, `sunita` audits.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
from sqlalchemy import select

from bank import app
from bank.core import objections
from bank.core.approval_rules import ApprovalRule
from bank.core.desk import Bank, Desk, chunk, looking
from bank.core.objections import Holding, Question
from bank.core.permissions import Role
from bank.people.identity import User
from tests.support import people
from tests.support.bank import desk
from tests.support.casts import cast, people_in
from tests.support.people import Somebody

FORT: Final = people.OUR_IFSC
BANER: Final = "BANK0000002"
STAFF: Final = {
    "ravi": (Role.CASHIER, FORT),
    "asha": (Role.CASHIER, FORT),
    "bina": (Role.BANKER, FORT),
    "meera": (Role.BRANCH_ADMIN, FORT),
    "lata": (Role.CASHIER, BANER),
    "omar": (Role.BRANCH_ADMIN, BANER),
    "dinshaw": (Role.SUPER_ADMIN, FORT),
    "zarin": (Role.SUPER_ADMIN, FORT),
    "sunita": (Role.AUDITOR, FORT),
}


@dataclass
class Office:
    """The bank and its staff."""

    bank: Bank
    people: dict[str, Somebody] = field(default_factory=dict)

    def moved_to(self, bank: Bank) -> "Office":
        """The same people in a copy of their bank."""
        return Office(bank, dict(self.people))

    def id(self, who: str) -> int:
        """Somebody's number."""
        return self.people[who].id

    def desk(self, who: str, **facts: Any) -> Desk:
        """Somebody's desk, as their row says now."""
        user = self.row(who)
        given = {"user_id": user.id, "name": user.name, "branch_id": user.branch_id}
        return desk(self.bank, user.role, **(given | facts))

    def row(self, who: str) -> User:
        """Somebody's row, to look at."""
        with looking(app.system_desk(self.bank)) as tx:
            user = tx.session.get_one(User, self.id(who))
            tx.session.expunge(user)
            return user

    def mails(self, who: str) -> list[Any]:
        """Every mail to somebody, oldest first."""
        return people.mails(self.bank, self.people[who])


def nobody_is_asked(bank: Bank) -> None:
    """End the rules that ask a second person about staff: what a command does itself is tested
    here, who may agree to it in test_approval_matrix."""
    with chunk(app.system_desk(bank), "tests.arrange") as tx:
        ended = select(ApprovalRule).where(ApprovalRule.command.startswith("people."))
        for row in tx.session.scalars(ended).all():
            tx.session.add(
                ApprovalRule(
                    command=row.command,
                    role=row.role,
                    kind=row.kind,
                    level=row.level,
                    effective_from=tx.business_date,
                    amount_above_minor=0,
                    period=row.period,
                    checkers="",
                    rekey_above_minor=None,
                    expires_hours=row.expires_hours,
                    source="a rule of the tests",
                )
            )


@cast("office", "sqlite_office")
def staffed(bank: Bank, *, rules_hold: bool = False) -> Office:
    """Fill an empty bank with people; a second person is asked about them where the rules hold."""
    office = Office(bank)
    if not rules_hold:
        nobody_is_asked(bank)
    for username, (role, ifsc) in STAFF.items():
        office.people[username] = people.employee(bank, role, username, ifsc=ifsc)
    return office


@pytest.fixture
def office(request: pytest.FixtureRequest, bank: Bank, cheap_bcrypt: None) -> Office:
    """The staffed bank, on each database in turn."""
    found: Office = people_in(request, bank)
    return found


@pytest.fixture
def sqlite_office(request: pytest.FixtureRequest, sqlite_bank: Bank, cheap_bcrypt: None) -> Office:
    """The same where the database makes no difference."""
    found: Office = people_in(request, sqlite_bank)
    return found


@pytest.fixture
def asking_office(sqlite_bank: Bank, cheap_bcrypt: None) -> Office:
    """The same with the rules as they are: changes to staff wait for a second person."""
    return staffed(sqlite_bank, rules_hold=True)


@dataclass
class Desks:
    """What a floor above would know of employees: whose drawer is open, who has which papers."""

    drawers: set[int] = field(default_factory=set)
    papers: dict[int, int] = field(default_factory=dict)
    asked: int = 0

    @contextmanager
    def registered(self) -> Iterator["Desks"]:
        """Answer and be handed over, as a registered floor, until the block ends."""
        for question in Question:
            objections.register_answer(question, "test", self._against)
        objections.register_holding(
            "test",
            Holding(
                noun="paper",
                counts=self._counts,
                hand_over=self._hand_over,
                put_back=self._put_back,
            ),
        )
        try:
            yield self
        finally:
            for question in Question:
                del objections.ANSWERS[question]["test"]
            del objections.HOLDINGS["test"]

    def _against(self, _tx: Any, users: Any) -> dict[int, list[str]]:
        self.asked += 1
        return {user: ["Their drawer is open."] for user in users if user in self.drawers}

    def _counts(self, _tx: Any, users: Any) -> dict[int, int]:
        self.asked += 1
        return {user: self.papers.get(user, 0) for user in users}

    def _hand_over(self, _tx: Any, user: int, colleague: int) -> int:
        moved = self.papers.pop(user, 0)
        self.papers[colleague] = self.papers.get(colleague, 0) + moved
        return moved

    def _put_back(self, _tx: Any, user: int, _why: str) -> int:
        return self.papers.pop(user, 0)


@pytest.fixture
def desks() -> Iterator[Desks]:
    """A floor above that has registered what it knows of employees."""
    with Desks().registered() as made:
        yield made
