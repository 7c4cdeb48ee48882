"""Sessions: who holds a cookie, for how long, and that whatever ends one ends it at once."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from bank.core.desk import Bank, Desk, chunk
from bank.core.errors import NotAllowed
from bank.core.permissions import Permission, Role
from bank.core.secrets import Secret
from bank.people import attempts, credentials, sessions, sign_in
from bank.people.attempts import UnlockRefused
from bank.people.identity import UserStatus
from bank.people.sessions import NoSuchSession, Session, SessionStatus
from tests.support import people
from tests.support.bank import desk as desk_without_session
from tests.support.bank import open_at
from tests.support.people import IP, PASSWORD, guest

pytestmark = [
    pytest.mark.usefixtures("cheap_bcrypt"),
    pytest.mark.feature("A1.8", "A1.4"),
]


def desk_of(bank: Bank, sid: str) -> Desk:
    desk = sessions.desk_for(bank, sid, IP)
    assert desk is not None
    return desk


def last_seen(bank: Bank, sid: str) -> Any:
    return next(card for card in sessions.own_sessions(desk_of(bank, sid)) if card.is_this_one)


# Who is this?


@pytest.mark.parametrize("sid", [None, "", "no such cookie", "' OR 1=1 --", "x" * 10_000])
def test_any_other_cookie_is_nobody(bank: Bank, sid: str | None) -> None:
    people.signed_in(bank, people.employee(bank))
    assert sessions.desk_for(bank, sid, IP) is None
    assert sessions.session_state_of(bank, sid) is SessionStatus.ENDED
    sessions.close(bank, sid)


def test_the_digest_in_the_database_is_no_cookie(sqlite_bank: Bank) -> None:
    people.signed_in(sqlite_bank, people.employee(sqlite_bank))
    with sqlite3.connect(sqlite_bank.settings.data_dir / "bank.db") as connection:
        [(digest,)] = connection.execute("SELECT fingerprint FROM sessions").fetchall()
    assert sessions.desk_for(sqlite_bank, digest) is None


def test_every_sign_in_has_a_cookie_of_its_own(sqlite_bank: Bank) -> None:
    ravi = people.employee(sqlite_bank)
    first, second = people.signed_in(sqlite_bank, ravi), people.signed_in(sqlite_bank, ravi)
    assert first != second
    assert len(first) >= 43, "256 bits in base64"


def test_sessions_outlive_a_restart(bank: Bank) -> None:
    sid = people.signed_in(bank, people.employee(bank))
    restarted = open_at(bank.settings.data_dir, bank.settings.database_url, bank.clock)
    try:
        assert desk_of(restarted, sid).role is Role.CASHIER
    finally:
        restarted.db.close()


@pytest.mark.feature("A1.13", "A1.14")
def test_a_changed_role_branch_or_name_counts_at_once(bank: Bank) -> None:
    ravi = people.employee(bank)
    sid = people.signed_in(bank, ravi)
    assert desk_of(bank, sid).may(Permission.CASH_POST)
    elsewhere = people.branch_id(bank, "BANK0000002")
    people.change_user(bank, ravi, role=Role.REVIEWER, branch_id=elsewhere, name="Ravi K")
    desk = desk_of(bank, sid)
    assert (desk.role, desk.branch_id, desk.name) == (Role.REVIEWER, elsewhere, "Ravi K")
    assert not desk.may(Permission.CASH_POST)


def test_a_deactivated_user_is_out_at_once(bank: Bank) -> None:
    ravi = people.employee(bank)
    sid = people.signed_in(bank, ravi)
    people.change_user(bank, ravi, status=UserStatus.LOCKED)
    assert sessions.desk_for(bank, sid) is None
    assert sessions.session_state_of(bank, sid) is SessionStatus.ENDED


# Ending it.


def test_a_cookie_replayed_after_signing_out_is_worthless(bank: Bank) -> None:
    sid = people.signed_in(bank, people.employee(bank))
    desk = desk_of(bank, sid)
    sessions.sign_out(desk)
    assert sessions.desk_for(bank, sid, IP) is None
    assert sessions.session_state_of(bank, sid) is SessionStatus.ENDED
    with pytest.raises(NoSuchSession):
        sign_in.unlock(guest(bank), Secret(sid), Secret(PASSWORD))
    with pytest.raises(NoSuchSession):
        sessions.sign_out(desk)


def test_signing_out_leaves_the_other_browser_signed_in(bank: Bank) -> None:
    ravi = people.employee(bank)
    here, there = people.signed_in(bank, ravi), people.signed_in(bank, ravi)
    sessions.sign_out(desk_of(bank, here))
    assert desk_of(bank, there).user_id == ravi.id


def test_sign_out_everywhere_ends_every_session_of_this_person_only(bank: Bank) -> None:
    ravi, other = people.employee(bank), people.employee(bank, username="other")
    mine = [people.signed_in(bank, ravi) for _ in range(3)]
    theirs = people.signed_in(bank, other)
    assert sessions.sign_out_everywhere(desk_of(bank, mine[0])) == 3
    assert [sessions.desk_for(bank, sid) for sid in mine] == [None] * 3
    assert desk_of(bank, theirs).user_id == other.id


def test_a_revoked_session_is_over_at_the_next_look(bank: Bank) -> None:
    ravi = people.employee(bank)
    here, there = people.signed_in(bank, ravi), people.signed_in(bank, ravi, agent="Phone")
    desk = desk_of(bank, here)
    [phone] = [card for card in sessions.own_sessions(desk) if card.agent == "Phone"]
    assert (phone.is_this_one, phone.state) == (False, SessionStatus.ACTIVE)
    sessions.end_session(desk, phone.id)
    assert sessions.desk_for(bank, there) is None
    assert len(sessions.own_sessions(desk_of(bank, here))) == 1
    with pytest.raises(NoSuchSession):
        sessions.end_session(desk, phone.id)


def test_nobody_ends_the_session_of_somebody_else(bank: Bank) -> None:
    ravi, other = people.employee(bank), people.employee(bank, username="other")
    sid = people.signed_in(bank, ravi)
    session_id = desk_of(bank, sid).session_id
    assert session_id is not None
    with pytest.raises(NoSuchSession):
        sessions.end_session(people.desk_of(bank, other), session_id)
    assert desk_of(bank, sid).user_id == ravi.id


def test_another_password_ends_the_other_sessions(bank: Bank) -> None:
    ravi = people.employee(bank)
    here, there = people.signed_in(bank, ravi), people.signed_in(bank, ravi)
    credentials.change_password(
        desk_of(bank, here), Secret(PASSWORD), Secret("eleven blue umbrellas")
    )
    assert sessions.desk_for(bank, there) is None
    assert desk_of(bank, here).user_id == ravi.id


def test_after_eight_hours_it_is_over_however_busy(bank: Bank) -> None:
    sid = people.signed_in(bank, people.employee(bank))
    people.later(bank, seconds=-30)  # back to the moment of signing in
    for _ in range(47):
        people.later(bank, minutes=10)
        desk_of(bank, sid)
    people.later(bank, minutes=9, seconds=59)
    desk_of(bank, sid)
    people.later(bank, seconds=1)
    assert sessions.desk_for(bank, sid) is None
    assert sessions.session_state_of(bank, sid) is SessionStatus.ENDED
    with pytest.raises(NoSuchSession):
        sign_in.unlock(guest(bank), Secret(sid), Secret(PASSWORD))


# Locking it.


def test_after_a_quarter_of_an_hour_without_a_click_it_is_locked(bank: Bank) -> None:
    sid = people.signed_in(bank, people.employee(bank))
    people.later(bank, minutes=14)
    desk = desk_of(bank, sid)
    people.later(bank, minutes=14, seconds=59)
    assert sessions.session_state_of(bank, sid) is SessionStatus.ACTIVE
    people.later(bank, seconds=1)
    found = sessions.find(bank, sid, IP)
    assert (found.state, found.desk, found.name) == (SessionStatus.LOCKED, None, "Ravi Kumar")
    assert found.user_id == desk.user_id


def test_a_page_that_refreshes_itself_does_not_keep_it_open(bank: Bank) -> None:
    sid = people.signed_in(bank, people.employee(bank))
    people.later(bank, seconds=-30)  # back to the moment of signing in
    for _ in range(15):
        assert sessions.desk_for(bank, sid, IP, awake=False) is not None
        people.later(bank, minutes=1)
    assert sessions.session_state_of(bank, sid) is SessionStatus.LOCKED


def test_its_owners_password_opens_it_again_under_the_same_cookie(bank: Bank) -> None:
    ravi = people.employee(bank)
    sid = people.signed_in(bank, ravi)
    before = desk_of(bank, sid)
    people.later(bank, minutes=20)
    assert sessions.desk_for(bank, sid) is None
    with pytest.raises(UnlockRefused):
        sign_in.unlock(guest(bank), Secret(sid), Secret("somebody else's password"))
    assert sessions.session_state_of(bank, sid) is SessionStatus.LOCKED
    sign_in.unlock(guest(bank), Secret(sid), Secret(PASSWORD))
    after = desk_of(bank, sid)
    assert after.session_id == before.session_id
    refused, done = people.trail(bank, "people.sign_in.unlock")
    assert refused[:3] == ("refused", "user", str(ravi.id))
    assert done[:3] == ("done", "user", str(ravi.id))
    outcomes = [line.outcome for line in attempts.own_sign_ins(after)]
    assert outcomes == ["unlocked", "refused", "opened"]


def test_the_lock_key_works_at_once_and_once(bank: Bank) -> None:
    sid = people.signed_in(bank, people.employee(bank))
    desk = desk_of(bank, sid)
    sessions.lock(desk)
    assert sessions.session_state_of(bank, sid) is SessionStatus.LOCKED
    assert sessions.desk_for(bank, sid) is None
    sign_in.unlock(guest(bank), Secret(sid), Secret(PASSWORD))
    sign_in.unlock(guest(bank), Secret(sid), Secret(PASSWORD))  # another tab was faster
    assert sessions.session_state_of(bank, sid) is SessionStatus.ACTIVE


def test_unlocking_is_counted_with_signing_in(bank: Bank) -> None:
    ravi = people.employee(bank)
    sid = people.signed_in(bank, ravi)
    sessions.lock(desk_of(bank, sid))
    for _ in range(5):
        with pytest.raises(UnlockRefused):
            sign_in.unlock(guest(bank), Secret(sid), Secret("a wrong password"))
    with pytest.raises(UnlockRefused):
        sign_in.unlock(guest(bank), Secret(sid), Secret(PASSWORD))
    with pytest.raises(attempts.SignInRefused):
        people.enter_password(bank, ravi)
    people.later(bank, minutes=15)
    sign_in.unlock(guest(bank), Secret(sid), Secret(PASSWORD))


def test_a_locked_session_can_be_closed_by_its_cookie(bank: Bank) -> None:
    ravi = people.employee(bank)
    sid = people.signed_in(bank, ravi)
    people.later(bank, minutes=20)
    sessions.close(bank, sid, IP)
    assert sessions.session_state_of(bank, sid) is SessionStatus.ENDED
    with pytest.raises(NoSuchSession):
        sign_in.unlock(guest(bank), Secret(sid), Secret(PASSWORD))
    [row] = people.trail(bank, "people.sessions.sign_out")
    assert row[0] == "done"


def test_locked_is_shown_in_the_list(sqlite_bank: Bank) -> None:
    ravi = people.employee(sqlite_bank)
    people.signed_in(sqlite_bank, ravi, agent="left alone")
    people.later(sqlite_bank, minutes=20)
    desk = people.desk_of(sqlite_bank, ravi)
    states = {card.agent: card.state for card in sessions.own_sessions(desk)}
    assert states == {"left alone": SessionStatus.LOCKED, "": SessionStatus.ACTIVE}


# What a look costs.


def test_a_look_writes_at_most_once_a_minute_and_never_to_the_trail(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    sid = people.signed_in(bank, people.employee(bank))
    rows = people.count(bank, "trail")
    writes = []
    real = sessions.note

    def counted(desk: Desk) -> Any:
        writes.append(bank.clock.now())
        return real(desk)

    monkeypatch.setattr(sessions, "note", counted)
    start = bank.clock.now()
    for _ in range(12):
        desk_of(bank, sid)
        people.later(bank, seconds=10)
    # Signed in thirty seconds before `start`; seen again a minute after each time it was written.
    assert [moment - start for moment in writes] == [
        timedelta(seconds=30),
        timedelta(seconds=90),
    ]
    assert people.count(bank, "trail") == rows
    assert last_seen(bank, sid).last_seen_at == start + timedelta(seconds=90)


def test_a_look_is_one_statement(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    sid = people.signed_in(bank, people.employee(bank))
    desk_of(bank, sid)
    seen = []
    real = sessions.looking

    class Watched:
        def __init__(self, cursor: Any) -> None:
            self._cursor = cursor

        def execute(self, sql: str, values: object = ()) -> None:
            seen.append(sql)
            self._cursor.execute(sql, values)

        def fetchall(self) -> Any:
            return self._cursor.fetchall()

    def watching(desk: Desk) -> Any:
        @contextmanager
        def looking() -> Any:
            with real(desk) as tx:
                tx._cursor = Watched(tx.cursor)
                yield tx
                assert tx._session is None, "no ORM in what runs on every rerun"

        return looking()

    monkeypatch.setattr(sessions, "looking", watching)
    desk_of(bank, sid)
    assert len(seen) == 1


@pytest.mark.feature("A1.13")
@pytest.mark.parametrize("role", [Role.GUEST, Role.SYSTEM])
def test_who_has_no_session_has_none_to_keep(sqlite_bank: Bank, role: Role) -> None:
    for verb in (sessions.sign_out, sessions.own_sessions, attempts.own_sign_ins):
        with pytest.raises(NotAllowed):
            verb(desk_without_session(sqlite_bank, role))


@pytest.mark.feature("A1.8")
def test_two_clicks_on_sign_out_sign_out_once(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    ravi = people.employee(bank)
    sid = people.signed_in(bank, ravi)
    real, together = sessions._look, threading.Barrier(2)

    def look_together(*args: Any) -> Any:
        seen = real(*args)
        together.wait(30)
        return seen

    monkeypatch.setattr(sessions, "_look", look_together)
    with ThreadPoolExecutor(2) as pool:
        clicks = [pool.submit(sessions.close, bank, sid, IP) for _ in range(2)]
        assert [click.result() for click in clicks] == [None, None]
    monkeypatch.undo()
    assert sessions.find(bank, sid).ended_because == "signed_out"


@pytest.mark.feature("A1.8", "A1.16")
def test_whoever_holds_the_cookie_is_told_why_it_opens_nothing(bank: Bank) -> None:
    ravi = people.employee(bank)
    desk, revoked, left = (people.signed_in(bank, ravi) for _ in range(3))
    sitting = sessions.desk_for(bank, desk)
    other = sessions.desk_for(bank, revoked)
    assert sitting is not None
    assert other is not None
    assert other.session_id is not None
    sessions.end_session(sitting, other.session_id)
    sessions.close(bank, left)
    assert sessions.find(bank, revoked).ended_because == "revoked"
    assert sessions.find(bank, left).ended_because == "signed_out"
    credentials.change_password(sitting, Secret(PASSWORD), Secret("eleven blue umbrellas"))
    people.later(bank, hours=8)
    assert sessions.find(bank, desk).ended_because == "expired"
    for nobody in (None, "", "made up"):
        assert sessions.find(bank, nobody) == sessions.NOBODY


@pytest.mark.feature("A1.8", "A1.16")
def test_a_session_that_ran_out_stays_what_it_was(bank: Bank) -> None:
    ravi = people.employee(bank)
    old = people.signed_in(bank, ravi)
    opened_at = bank.clock.now()
    people.later(bank, hours=9)
    desk = people.desk_of(bank, ravi)
    [_, line] = attempts.own_sign_ins(desk)
    assert line.ended_because == "expired"
    assert line.ended_at is not None
    assert timedelta(hours=7, minutes=59) < line.ended_at - opened_at <= timedelta(hours=8)
    assert sessions.sign_out_everywhere(desk) == 1
    desk = people.desk_of(bank, ravi)
    assert [line.ended_because for line in attempts.own_sign_ins(desk)] == [
        None,
        "signed_out_everywhere",
        "expired",
    ]
    assert sessions.find(bank, old).ended_because == "expired"
    with chunk(desk, "test.ids") as tx:
        first = tx.session.scalars(select(Session.id).order_by(Session.id)).first()
    assert first is not None
    with pytest.raises(NoSuchSession):
        sessions.end_session(desk, first)
