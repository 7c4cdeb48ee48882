"""Objections: every floor is heard, all reasons are told, and one that refuses stops it all."""

from collections.abc import Iterator

import pytest

from bank.core import objections
from bank.core.desk import chunk
from bank.core.errors import Declined
from bank.core.objections import Holding, Objected, Question
from bank.people import leaving, sessions
from bank.people.identity import UserStatus
from tests.support import people
from tests.support.office import Desks, Office

pytestmark = pytest.mark.feature("B41")
LEAVES = Question.EMPLOYEE_LEAVES


class NotTheirs(Declined):
    """This colleague may not have these papers."""


@pytest.fixture
def stubborn() -> Iterator[None]:
    """A second floor: it has one item of everybody's, and gives it to nobody."""

    def refuse(_tx: object, _user: int, _colleague: int) -> int:
        raise NotTheirs(field="colleague")

    def counts(_tx: object, users: object) -> dict[int, int]:
        return dict.fromkeys(list(users), 1)  # type: ignore[call-overload]

    def keep(_tx: object, _user: int, _why: str) -> int:
        return 0

    objections.register_holding(
        "second", Holding(noun="key", counts=counts, hand_over=refuse, put_back=keep)
    )
    yield
    del objections.HOLDINGS["second"]


def test_all_reasons_are_told(office: Office, desks: Desks) -> None:
    ravi = office.id("ravi")
    desks.drawers.add(ravi)
    objections.register_answer(LEAVES, "again", lambda _tx, users: {ravi: ["He has the key."]})
    try:
        with chunk(office.desk("meera"), "test.objections") as tx:
            assert objections.objections(tx, LEAVES, [ravi, office.id("asha")]) == {
                ravi: ["Their drawer is open.", "He has the key."]
            }
            assert objections.objections(tx, LEAVES, []) == {}
            objections.check(tx, LEAVES, office.id("asha"))
            with pytest.raises(Objected, match=r"drawer is open\. He has the key\. Settle"):
                objections.check(tx, LEAVES, ravi)
    finally:
        del objections.ANSWERS[LEAVES]["again"]


def test_what_is_held_is_counted_by_kind(office: Office, desks: Desks, stubborn: None) -> None:
    ravi, asha = office.id("ravi"), office.id("asha")
    desks.papers[ravi] = 2
    with chunk(office.desk("meera"), "test.objections") as tx:
        assert objections.held(tx, [ravi, asha]) == {ravi: {"paper": 2, "key": 1}, asha: {"key": 1}}
        assert objections.held(tx, []) == {}


def test_a_floor_that_will_not_hand_over_stops_the_removal(office: Office, stubborn: None) -> None:
    sid = people.signed_in(office.bank, office.people["ravi"])
    with pytest.raises(NotTheirs):
        leaving.remove_employee(
            office.desk("meera"), office.id("ravi"), "Left", office.id("asha"), code="resigned"
        )
    assert office.row("ravi").status is UserStatus.ACTIVE
    assert sessions.desk_for(office.bank, sid) is not None
    assert not [mail for mail in office.mails("ravi") if "ended" in mail.body]


def test_the_composition_root_has_wired_what_there_is() -> None:
    assert "vault_custodian" in objections.ANSWERS[LEAVES]
