"""An employee leaves: at once, everything handed over, and only when nothing stands against it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from bank.core.desk import Bank, chunk
from bank.core.errors import BadInput, BankError, NotAllowed
from bank.core.objections import Objected
from bank.core.permissions import Role
from bank.people import leaving, sessions, sign_in, staff, staff_list
from bank.people.attempts import SignInRefused
from bank.people.identity import UserStatus
from bank.people.leaving import NoSuchColleague
from bank.people.sign_in import TicketVoid
from bank.people.staff import EmployeeGone, HeadOfficeOnly, LastAdmin, NotYourself
from bank.people.staff_list import NoSuchEmployee
from tests.support import people
from tests.support.office import FORT, Desks, Office
from tests.support.people import XSRF, Secret, Somebody

WHY = "Left the bank"


@pytest.mark.feature("A8.5", "B41")
def test_who_is_removed_is_out_at_the_next_click_and_stays_out(office: Office) -> None:
    ravi = office.people["ravi"]
    sids = [people.signed_in(office.bank, ravi) for _ in range(2)]
    assert leaving.remove_employee(office.desk("meera"), ravi.id, WHY, code="resigned") == {}
    for sid in sids:
        assert sessions.desk_for(office.bank, sid) is None
    words = []
    for who, password in ((ravi, None), (office.people["asha"], "wrong"), (Somebody(0, "no"), "")):
        with pytest.raises(SignInRefused) as refused:
            people.enter_password(office.bank, who, password)
        words.append(str(refused.value))
    assert len(set(words)) == 1, "nobody learns who has left"
    assert office.row("ravi").password_hash is None


@pytest.mark.feature("A8.5", "A9.1", "B41")
def test_their_history_stays(office: Office) -> None:
    desk = office.desk("meera")
    leaving.remove_employee(desk, office.id("ravi"), WHY, code="resigned")
    assert office.id("ravi") not in {card.id for card in staff_list.employees(desk)}
    gone = {card.id: card for card in staff_list.employees(desk, with_removed=True)}
    assert gone[office.id("ravi")].state == "removed"
    [line] = staff_list.employee_history(desk, office.id("ravi"))
    assert (line.reason, line.by) == (f"Resigned: {WHY}", "Ravi Kumar")
    assert ("status", "active", "removed") in line.changes
    assert "has ended" in office.mails("ravi")[-1].body
    with pytest.raises(EmployeeGone):
        leaving.remove_employee(desk, office.id("ravi"), WHY, code="resigned")


@pytest.mark.feature("A8.5", "B41")
def test_an_open_drawer_stands_against_it(office: Office, desks: Desks) -> None:
    sid = people.signed_in(office.bank, office.people["ravi"])
    desks.drawers.add(office.id("ravi"))
    with pytest.raises(Objected, match="Their drawer is open"):
        leaving.remove_employee(office.desk("meera"), office.id("ravi"), WHY, code="resigned")
    assert sessions.desk_for(office.bank, sid) is not None, "nothing has happened"
    desks.drawers.clear()
    leaving.remove_employee(office.desk("meera"), office.id("ravi"), WHY, code="resigned")


@pytest.mark.feature("B41")
def test_what_they_hold_goes_to_a_named_colleague(office: Office, desks: Desks) -> None:
    desks.papers[office.id("ravi")] = 3
    desk = office.desk("meera")
    with pytest.raises(BadInput, match="3 paper") as refused:
        leaving.remove_employee(desk, office.id("ravi"), WHY, code="resigned")
    assert refused.value.field == "colleague"
    for nobody in ("lata", "ravi"):
        with pytest.raises(NoSuchColleague):
            leaving.remove_employee(
                desk, office.id("ravi"), WHY, office.id(nobody), code="resigned"
            )
    customer = people.customer(office.bank)
    with pytest.raises(NoSuchColleague):
        leaving.remove_employee(desk, office.id("ravi"), WHY, customer.id, code="resigned")
    people.change_user(office.bank, office.people["bina"], status=UserStatus.LOCKED)
    with pytest.raises(NoSuchColleague):
        leaving.remove_employee(desk, office.id("ravi"), WHY, office.id("bina"), code="resigned")
    assert desks.papers == {office.id("ravi"): 3}
    moved = leaving.remove_employee(
        desk, office.id("ravi"), WHY, office.id("asha"), code="resigned"
    )
    assert moved == {"paper": 3}
    assert desks.papers == {office.id("asha"): 3}
    done = people.trail(office.bank, "people.leaving.remove_employee")[-1]
    assert f'"handed_over":{{"paper":3}},"to":{office.id("asha")}' in done[3]


@pytest.mark.feature("A8.5")
@pytest.mark.parametrize(
    ("by", "whom", "refusal"),
    [
        ("meera", "lata", NoSuchEmployee),
        ("meera", "meera", NotYourself),
        ("meera", "sunita", HeadOfficeOnly),
        ("dinshaw", "dinshaw", NotYourself),
        ("dinshaw", "meera", LastAdmin),
        ("ravi", "asha", NotAllowed),
        ("sunita", "asha", NotAllowed),
    ],
)
def test_whom_somebody_may_not_remove(
    sqlite_office: Office, by: str, whom: str, refusal: type[BankError]
) -> None:
    with pytest.raises(refusal):
        leaving.remove_employee(
            sqlite_office.desk(by), sqlite_office.id(whom), WHY, code="resigned"
        )
    assert sqlite_office.row(whom).status is UserStatus.ACTIVE


@pytest.mark.parametrize("reason", ["", "   ", "x" * 201])
def test_a_reason_is_given(sqlite_office: Office, reason: str) -> None:
    with pytest.raises(BadInput) as refused:
        leaving.remove_employee(
            sqlite_office.desk("meera"), sqlite_office.id("ravi"), reason, code="resigned"
        )
    assert refused.value.field == "reason"


@pytest.mark.feature("A8.5")
def test_two_who_remove_each_other_do_not_both_succeed(office: Office) -> None:
    """The last but one stays, whoever clicks first."""
    pairs = [("dinshaw", "zarin"), ("zarin", "dinshaw")]

    def remove(pair: tuple[str, str]) -> str:
        by, whom = pair
        try:
            leaving.remove_employee(desks[by], office.id(whom), WHY, code="resigned")
        except LastAdmin:
            return "refused"
        return "removed"

    desks = {by: office.desk(by) for by, _ in pairs}
    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(remove, pairs)) == ["refused", "removed"]


@pytest.mark.feature("A8.5")
def test_a_sign_in_that_is_on_its_way_leads_nowhere(office: Office) -> None:
    """Removed between the code and the cookie: the ticket opens nothing."""
    step = people.passed(office.bank, office.people["ravi"])
    guest = people.guest(office.bank)
    ticket = sign_in.take_ticket(guest, step.token, Secret(XSRF))
    leaving.remove_employee(office.desk("meera"), office.id("ravi"), WHY, code="resigned")
    with pytest.raises(TicketVoid):
        sign_in.open_session(guest, ticket, Secret(XSRF))


@pytest.mark.feature("A8.5")
def test_a_locked_session_of_who_was_removed_is_not_unlocked(office: Office) -> None:
    ravi = office.people["ravi"]
    sid = people.signed_in(office.bank, ravi)
    desk = sessions.desk_for(office.bank, sid)
    assert desk is not None
    sessions.lock(desk)
    leaving.remove_employee(office.desk("meera"), ravi.id, WHY, code="resigned")
    with pytest.raises(BankError):
        sign_in.unlock(people.guest(office.bank), Secret(sid), Secret(ravi.password))
    assert sessions.session_state_of(office.bank, sid) is sessions.SessionStatus.ENDED


@pytest.mark.feature("A8.5")
def test_an_admin_is_removed_once_another_can_do_the_work(sqlite_office: Office) -> None:
    head = sqlite_office.desk("dinshaw")
    staff.change_role(head, sqlite_office.id("bina"), Role.BRANCH_ADMIN, FORT)
    leaving.remove_employee(head, sqlite_office.id("meera"), WHY, code="resigned")
    assert sqlite_office.row("meera").status is UserStatus.REMOVED


def test_the_system_is_nobodys_to_remove(sqlite_office: Office, sqlite_bank: Bank) -> None:
    with pytest.raises(NoSuchEmployee):
        leaving.remove_employee(sqlite_office.desk("dinshaw"), 1, WHY, code="resigned")


@pytest.mark.feature("A8.5")
def test_why_somebody_leaves_is_a_code_of_the_day_and_words(office: Office) -> None:
    desk, today = office.desk("meera"), office.bank.clock.business_date()
    known = leaving.leaving_reasons(desk)
    assert known["retired"] == "Retired"
    with chunk(desk, "tests.arrange") as tx:
        for code, since in (("moved", today + timedelta(days=1)), ("retired", today)):
            tx.session.add(
                leaving.LeavingReason(
                    code=code, effective_from=since, name="Went home", source="tests"
                )
            )
    assert leaving.leaving_reasons(desk) == {**known, "retired": "Went home"}
    for code in ("", "moved", "Retired"):
        with pytest.raises(leaving.NoSuchReason) as refused:
            leaving.remove_employee(desk, office.id("ravi"), WHY, code=code)
        assert refused.value.field == "code"
    leaving.remove_employee(desk, office.id("ravi"), WHY, code="retired")
    [line] = staff_list.employee_history(desk, office.id("ravi"))[:1]
    assert line.reason == f"Went home: {WHY}"
