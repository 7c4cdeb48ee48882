"""Named grants: they count on their days, for their holder, at the next click; and conflicts."""

from datetime import date, timedelta

import pytest

from bank import app
from bank.core.desk import chunk
from bank.core.errors import BadInput, BankError, NotAllowed, WrongState
from bank.core.objections import Objected
from bank.core.permissions import NAMED_GRANTS, NamedGrant, Permission, Role
from bank.people import grants, leaving, sessions, staff, staff_list, users
from bank.people.grants import GrantHeld, GrantOver, NoSuchGrant
from bank.people.identity import User, UserStatus
from bank.people.named_grants import ConflictingGrants
from bank.people.staff import HeadOfficeOnly, NotYourself
from bank.people.staff_list import NoSuchEmployee
from tests.support import people
from tests.support.office import BANER, FORT, Office

TODAY = date(2026, 3, 16)
WHY = "Covers for Meera"
SUPERVISOR, CUSTODIAN = NamedGrant.SUPERVISOR, NamedGrant.VAULT_CUSTODIAN

pytestmark = pytest.mark.feature("A8.8")


def give(
    office: Office,
    who: str,
    named: NamedGrant = SUPERVISOR,
    first: int = 0,
    last: int | None = None,
    by: str = "meera",
) -> int:
    """A grant from so many days from now until so many days from now."""
    until = None if last is None else TODAY + timedelta(days=last)
    return grants.give_grant(
        office.desk(by), office.id(who), named, TODAY + timedelta(days=first), until, WHY
    )


def test_a_grant_counts_on_its_days_only(office: Office) -> None:
    def now() -> frozenset[NamedGrant]:
        desk = sessions.desk_for(office.bank, people.signed_in(office.bank, office.people["ravi"]))
        assert desk is not None
        assert desk.may(Permission.ENTRY_REVERSE) is (SUPERVISOR in desk.named)
        assert desk.may(Permission.CASH_POST), "the role is still there"
        return desk.named

    give(office, "ravi", first=1, last=2)
    assert now() == frozenset()
    people.later(office.bank, days=1)
    assert now() == {SUPERVISOR}
    people.later(office.bank, days=1)
    assert now() == {SUPERVISOR}
    people.later(office.bank, days=1)
    assert now() == frozenset()


def test_a_grant_begins_and_ends_at_the_next_click(office: Office) -> None:
    sid = people.signed_in(office.bank, office.people["ravi"])
    grant_id = give(office, "ravi")
    desk = sessions.desk_for(office.bank, sid)
    assert desk is not None
    assert SUPERVISOR in desk.named
    give(office, "asha", CUSTODIAN)
    assert CUSTODIAN not in desk.named, "a colleague's grant is not theirs"
    grants.end_grant(office.desk("meera"), grant_id, "Meera is back")
    desk = sessions.desk_for(office.bank, sid)
    assert desk is not None
    assert SUPERVISOR not in desk.named
    assert "Meera is back" in office.mails("ravi")[-1].body


def test_two_grants_are_one_desk(office: Office) -> None:
    """More rows behind a cookie, the same person; and none of another's."""
    sid = people.signed_in(office.bank, office.people["ravi"])
    give(office, "ravi", last=3)
    give(office, "ravi", CUSTODIAN, first=4)
    people.later(office.bank, days=4, hours=-5)
    assert sessions.desk_for(office.bank, sid) is None, "the session has reached its end"
    desk = sessions.desk_for(office.bank, people.signed_in(office.bank, office.people["ravi"]))
    assert desk is not None
    assert desk.named == {CUSTODIAN}


def test_a_verb_lets_a_holder_in(sqlite_office: Office) -> None:
    from bank.book import journal

    give(sqlite_office, "ravi")
    sid = people.signed_in(sqlite_office.bank, sqlite_office.people["ravi"])
    desk = sessions.desk_for(sqlite_office.bank, sid)
    assert desk is not None
    assert journal.ledger_accounts(desk)
    with pytest.raises(NotAllowed):
        journal.ledger_accounts(sqlite_office.desk("asha"))


def test_what_was_given_is_listed_and_kept(office: Office) -> None:
    grant_id = give(office, "ravi", last=5)
    later = give(office, "asha", first=3)
    desk = office.desk("meera")
    listed = grants.grants(desk)
    assert [(card.id, card.state) for card in listed] == [(later, "coming"), (grant_id, "in force")]
    assert listed[1].given_by == office.row("meera").name
    assert staff_list.employee(desk, office.id("ravi")).grants == [SUPERVISOR]
    assert staff_list.employee(desk, office.id("asha")).grants == []
    [line] = staff_list.employee_history(desk, office.id("ravi"))
    assert (line.reason, line.changes[0][0]) == (WHY, "supervisor")
    assert grants.grants(office.desk("omar")) == []
    assert len(grants.grants(office.desk("sunita"))) == 2
    people.later(office.bank, days=6)
    assert [card.id for card in grants.grants(desk)] == [later]
    assert {card.state for card in grants.grants(desk, with_past=True)} == {"over", "in force"}
    with pytest.raises(GrantOver):
        grants.end_grant(desk, grant_id, "Late")


@pytest.mark.parametrize(
    ("first", "last", "field"), [(-1, None, "valid_from"), (2, 1, "valid_to"), (0, -1, "valid_to")]
)
def test_days_are_checked(sqlite_office: Office, first: int, last: int, field: str) -> None:
    with pytest.raises(BadInput) as refused:
        give(sqlite_office, "ravi", first=first, last=last)
    assert refused.value.field == field


@pytest.mark.parametrize("reason", ["", "x" * 201])
def test_a_reason_is_given(sqlite_office: Office, reason: str) -> None:
    desk, ravi = sqlite_office.desk("meera"), sqlite_office.id("ravi")
    with pytest.raises(BadInput) as refused:
        grants.give_grant(desk, ravi, SUPERVISOR, TODAY, None, reason)
    assert refused.value.field == "reason"
    grant_id = give(sqlite_office, "ravi")
    with pytest.raises(BadInput):
        grants.end_grant(desk, grant_id, reason)


def test_the_same_grant_twice_on_a_day_is_refused(sqlite_office: Office) -> None:
    give(sqlite_office, "ravi", first=5, last=9)
    for first, last in ((5, 9), (0, 5), (9, 12), (0, None), (6, 7)):
        with pytest.raises(GrantHeld):
            give(sqlite_office, "ravi", first=first, last=last)
    give(sqlite_office, "ravi", first=0, last=4)
    give(sqlite_office, "ravi", first=10)


def test_grants_that_exclude_each_other(office: Office) -> None:
    give(office, "ravi", SUPERVISOR, last=4)
    with pytest.raises(ConflictingGrants, match="supervisor and vault custodian"):
        give(office, "ravi", CUSTODIAN, first=4)
    give(office, "ravi", CUSTODIAN, first=5)
    for who in ("sunita", "zarin"):
        for named in NamedGrant:
            with pytest.raises(ConflictingGrants):
                give(office, who, named, by="dinshaw")


def test_a_role_that_a_grant_excludes_is_refused(office: Office) -> None:
    head, ravi = office.desk("dinshaw"), office.id("ravi")
    grant_id = give(office, "ravi")
    with pytest.raises(ConflictingGrants):
        staff.change_role(head, ravi, Role.AUDITOR, FORT)
    staff.change_role(head, ravi, Role.BANKER, FORT)
    grants.end_grant(head, grant_id, "Becomes an auditor")
    staff.change_role(head, ravi, Role.AUDITOR, FORT)


def test_grants_end_with_the_branch(office: Office) -> None:
    give(office, "ravi")
    staff.change_role(office.desk("dinshaw"), office.id("ravi"), Role.CASHIER, BANER)
    assert grants.grants(office.desk("dinshaw")) == []
    [card] = grants.grants(office.desk("dinshaw"), with_past=True)
    assert (card.state, card.ended_because) == ("ended", "Moved to another branch")


def test_grants_end_with_their_holder(office: Office) -> None:
    give(office, "ravi")
    leaving.remove_employee(office.desk("meera"), office.id("ravi"), "Left", code="resigned")
    assert grants.grants(office.desk("meera")) == []


@pytest.mark.feature("B41")
def test_a_vault_is_not_left_without_custodian(office: Office) -> None:
    desk, head = office.desk("meera"), office.desk("dinshaw")
    give(office, "ravi", CUSTODIAN)
    give(office, "lata", CUSTODIAN, by="omar")  # of another branch
    second = give(office, "bina", CUSTODIAN)
    users.lock_user(desk, office.id("bina"), "On leave")
    assert not staff_list.employee(head, office.id("ravi")).against, "the admin keeps it, too"
    with chunk(app.system_desk(office.bank), "tests.arrange") as tx:  # who is locked holds no key
        tx.session.get_one(User, office.id("meera")).status = UserStatus.LOCKED
    assert staff_list.employee(head, office.id("ravi")).against
    with pytest.raises(Objected, match="Nobody else at their branch may keep the vault"):
        leaving.remove_employee(head, office.id("ravi"), "Left", code="resigned")
    users.unlock_user(head, office.id("bina"), "Back")
    leaving.remove_employee(head, office.id("ravi"), "Left", code="resigned")
    grants.end_grant(head, second, "No vault any more")


@pytest.mark.parametrize(
    ("by", "whom", "refusal"),
    [
        ("meera", "lata", NoSuchEmployee),
        ("meera", "meera", NotYourself),
        ("meera", "sunita", HeadOfficeOnly),
        ("ravi", "asha", NotAllowed),
        ("sunita", "asha", NotAllowed),
    ],
)
def test_who_may_not_give(
    sqlite_office: Office, by: str, whom: str, refusal: type[BankError]
) -> None:
    with pytest.raises(refusal):
        give(sqlite_office, whom, by=by)
    assert people.count(sqlite_office.bank, "named_grants") == 0


def test_who_may_not_end(sqlite_office: Office) -> None:
    grant_id = give(sqlite_office, "ravi")
    for by, refusal in (("omar", NoSuchEmployee), ("ravi", NotAllowed), ("sunita", NotAllowed)):
        with pytest.raises(refusal):
            grants.end_grant(sqlite_office.desk(by), grant_id, "Mine")
    with pytest.raises(NoSuchGrant):
        grants.end_grant(sqlite_office.desk("meera"), 99_999, "None")
    grants.end_grant(sqlite_office.desk("meera"), grant_id, "Over")
    with pytest.raises(GrantOver):
        grants.end_grant(sqlite_office.desk("meera"), grant_id, "Again")


def test_somebody_locked_is_given_nothing(sqlite_office: Office) -> None:
    users.lock_user(sqlite_office.desk("meera"), sqlite_office.id("ravi"), "On leave")
    with pytest.raises(WrongState, match="Unlock"):
        give(sqlite_office, "ravi")


def test_a_grant_adds_no_money_of_ones_own() -> None:
    """What a name adds is never what a customer's purse or the bank's set-up is about."""
    added = set().union(*NAMED_GRANTS.values())
    assert not added & {Permission.OWN_MONEY_SEND, Permission.STAFF_MANAGE, Permission.GRANT_GIVE}
