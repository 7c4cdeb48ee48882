"""Users: staff and customers with their activity; locked and unlocked by who has them in hand."""

import pytest

from bank.core.errors import BadInput, BankError, NotAllowed, WrongState
from bank.core.permissions import Role
from bank.people import sessions, staff, users
from bank.people.attempts import SignInRefused, SignInStatus
from bank.people.identity import UserStatus
from bank.people.staff import HeadOfficeOnly, LastAdmin, NotYourself
from bank.people.users import Kind, NoSuchUserHere, NothingToUnlock, State
from tests.support import people
from tests.support.office import BANER, Office

WHY = "Seen at another bank's counter"


def names(office: Office, by: str = "meera", **asked: object) -> list[str]:
    """The user names that a search finds."""
    return [card.username for card in users.users(office.desk(by), **asked).users]  # type: ignore[arg-type]


@pytest.mark.feature("A8.8")
def test_an_admin_sees_staff_and_customers_of_the_branch(office: Office) -> None:
    ours = people.customer(office.bank)
    people.customer(office.bank, "far@example.com", ifsc=BANER)
    assert len(names(office)) == 8
    assert names(office, kind=Kind.CUSTOMERS) == [ours.username]
    assert ours.username not in names(office, kind=Kind.EMPLOYEES)
    assert len(names(office, "dinshaw")) == 11
    assert names(office, searched="asha rao") == [ours.username]
    assert names(office, searched=ours.username) == [ours.username], "by customer number"
    assert names(office, searched="SUNI") == ["sunita"]
    assert names(office, searched="%") == []


@pytest.mark.feature("A8.8")
def test_activity_is_what_was_last_done(office: Office) -> None:
    assert not users.user(office.desk("meera"), office.id("ravi")).is_signed_in
    people.signed_in(office.bank, office.people["ravi"])
    card = users.user(office.desk("meera"), office.id("ravi"))
    assert (card.is_signed_in, card.state) == (True, "active")
    assert card.last_sign_in_at == card.last_seen_at is not None
    people.later(office.bank, hours=9)
    assert not users.user(office.desk("meera"), office.id("ravi")).is_signed_in


@pytest.mark.feature("A8.8")
def test_each_state_is_found(office: Office) -> None:
    desk = office.desk("meera")
    staff.add_employee(desk, "kiran", "Kiran Bhat", "kiran@bank.example", Role.CASHIER)
    users.lock_user(desk, office.id("bina"), WHY)
    people.change_user(office.bank, office.people["asha"], status=UserStatus.REMOVED)
    for _ in range(5):
        with pytest.raises(SignInRefused):
            people.enter_password(office.bank, office.people["ravi"], "wrong")
    found = {state: names(office, state=state) for state in State}
    assert found == {
        State.INVITED: ["kiran"],
        State.LOCKED: ["bina"],
        State.REMOVED: ["asha"],
        State.LOCKED_OUT: ["ravi"],
        State.ACTIVE: ["meera", "dinshaw", "zarin", "sunita"],
    }
    for state, usernames in found.items():
        cards = users.users(desk, state=state).users
        assert [(card.username, card.state) for card in cards] == [
            (username, state.value) for username in usernames
        ]
    people.later(office.bank, minutes=15)
    assert "ravi" in names(office, state=State.ACTIVE)


@pytest.mark.feature("A8.8")
def test_pages_are_walked(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(users, "ROWS_ON_A_PAGE", 3)
    desk, seen, after = office.desk("dinshaw"), [], None
    while True:
        page = users.users(desk, after=after)
        assert len(page.users) <= 3
        seen += [card.id for card in page.users]
        after = page.after
        if after is None:
            break
    assert len(seen) == len(set(seen)) == 9
    with pytest.raises(NoSuchUserHere):
        users.users(desk, after=99_999)


@pytest.mark.feature("A8.8")
@pytest.mark.parametrize("kind", ["employee", "customer"])
def test_a_locked_user_is_out_until_unlocked(office: Office, kind: str) -> None:
    who = office.people["ravi"] if kind == "employee" else people.customer(office.bank)
    sid = people.signed_in(office.bank, who)
    desk = office.desk("meera")
    users.lock_user(desk, who.id, WHY)
    assert sessions.desk_for(office.bank, sid) is None
    with pytest.raises(SignInRefused):
        people.enter_password(office.bank, who)
    with pytest.raises(WrongState, match="already locked"):
        users.lock_user(desk, who.id, WHY)
    users.unlock_user(desk, who.id, "It was them")
    assert people.enter_password(office.bank, who).due is SignInStatus.CODE_DUE
    with pytest.raises(NothingToUnlock):
        users.unlock_user(desk, who.id, "Again")
    told = {(line.outcome.value, line.reason) for line in users.user_history(desk, who.id)}
    assert {("done", WHY), ("done", "It was them")} <= told
    assert {mail.subject for mail in people.mails(office.bank, who)} >= {
        "A change to how you sign in"
    }


@pytest.mark.feature("A8.8")
def test_too_many_wrong_tries_are_forgiven_by_an_admin(office: Office) -> None:
    for _ in range(5):
        with pytest.raises(SignInRefused):
            people.enter_password(office.bank, office.people["ravi"], "wrong")
    with pytest.raises(SignInRefused):
        people.enter_password(office.bank, office.people["ravi"])
    users.unlock_user(office.desk("meera"), office.id("ravi"), "He called from the counter")
    people.enter_password(office.bank, office.people["ravi"])


@pytest.mark.feature("A8.8", "B8")
@pytest.mark.parametrize("verb", [users.lock_user, users.unlock_user])
@pytest.mark.parametrize(
    ("by", "whom", "refusal"),
    [
        ("meera", "lata", NoSuchUserHere),
        ("meera", "meera", NotYourself),
        ("meera", "sunita", HeadOfficeOnly),
        ("ravi", "asha", NotAllowed),
        ("sunita", "asha", NotAllowed),
    ],
)
def test_whom_somebody_may_not_lock(
    sqlite_office: Office, verb: object, by: str, whom: str, refusal: type[BankError]
) -> None:
    with pytest.raises(refusal):
        verb(sqlite_office.desk(by), sqlite_office.id(whom), WHY)  # type: ignore[operator]
    assert sqlite_office.row(whom).status is UserStatus.ACTIVE


def test_a_customer_of_another_branch_is_not_there(sqlite_office: Office) -> None:
    far = people.customer(sqlite_office.bank, ifsc=BANER)
    for look in (users.user, users.user_history):
        with pytest.raises(NoSuchUserHere):
            look(sqlite_office.desk("meera"), far.id)
    with pytest.raises(NoSuchUserHere):
        users.lock_user(sqlite_office.desk("meera"), far.id, WHY)
    with pytest.raises(NoSuchUserHere):
        users.lock_user(sqlite_office.desk("dinshaw"), 1, WHY)  # the system
    users.lock_user(sqlite_office.desk("omar"), far.id, WHY)


@pytest.mark.parametrize("reason", ["", "x" * 201])
def test_a_reason_is_given(sqlite_office: Office, reason: str) -> None:
    for verb in (users.lock_user, users.unlock_user):
        with pytest.raises(BadInput) as refused:
            verb(sqlite_office.desk("meera"), sqlite_office.id("ravi"), reason)
        assert refused.value.field == "reason"


def test_the_last_admin_is_not_locked_out_of_the_bank(sqlite_office: Office) -> None:
    with pytest.raises(LastAdmin):
        users.lock_user(sqlite_office.desk("dinshaw"), sqlite_office.id("meera"), WHY)
    users.lock_user(sqlite_office.desk("dinshaw"), sqlite_office.id("zarin"), WHY)


def test_who_was_removed_is_not_unlocked(sqlite_office: Office) -> None:
    people.change_user(sqlite_office.bank, sqlite_office.people["ravi"], status=UserStatus.REMOVED)
    with pytest.raises(staff.EmployeeGone):
        users.unlock_user(sqlite_office.desk("meera"), sqlite_office.id("ravi"), WHY)
