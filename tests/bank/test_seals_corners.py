"""Corners in which a forged entry could hide from the seals."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from bank import app
from bank.book import chart, journal, ledger, seals
from bank.book.journal_search import Wanted
from bank.core import audit
from bank.core.desk import Bank, Desk, chunk
from bank.core.ids import new_request_id
from bank.core.permissions import Role
from tests.support.bank import NOON, desk, move_clock
from tests.support.hostile import Hostile
from tests.support.waiting import wait_until


def seal_all(console: Hostile, system: Desk) -> None:
    """Seal to the end; other databases of the server may have transactions in flight."""
    left = "SELECT 1 FROM entries WHERE id NOT IN (SELECT entry_id FROM seal_leaves)"
    wait_until(lambda: seals.seal(system) >= 0 and not console.ask(left))


@pytest.mark.feature("A9.4", "B40")
def test_an_entry_without_a_time_of_its_own_is_named(
    on_postgres: Hostile, postgres_bank: Bank
) -> None:
    system = app.system_desk(postgres_bank)
    seal_all(on_postgres, system)
    assert seals.check_seals(system) == []
    on_postgres.do("ALTER TABLE entries DISABLE TRIGGER USER")
    for txid in ("NULL", "'9000000000000000000'"):
        on_postgres.do(f"UPDATE entries SET txid = {txid} WHERE id = 2")
        seals.seal(system)
        assert "entry 2 hides from the seals" in seals.check_seals(system)
        on_postgres.do(
            "INSERT INTO entries (request_id, content_hash, kind, narration, branch_id, actor_id,"
            " channel, booked_at, booking_date, value_date, txid) SELECT 'forged' || id,"
            " content_hash, kind, narration, branch_id, actor_id, channel, booked_at,"
            f" booking_date, value_date, {txid} FROM entries WHERE id = 1"
        )
        [(forged,)] = on_postgres.ask("SELECT MAX(id) FROM entries")
        seals.seal(system)
        assert f"entry {forged} hides from the seals" in seals.check_seals(system)
        on_postgres.do(f"DELETE FROM entries WHERE id = {forged}")


@pytest.mark.feature("A9.4", "B40")
def test_words_do_not_move_from_one_field_to_the_next(hostile: Hostile, bank: Bank) -> None:
    """What stood in two fields still reads the same when it is put behind each other."""
    system = app.system_desk(bank)
    legs = (ledger.debit_gl(chart.CASH, 5), ledger.credit_account(1, 5))
    for between in ("\x1f", '", "', "|", " "):
        words = f"rent{between}for March"
        with chunk(system, "tests.post") as tx:
            draft = ledger.Draft(new_request_id(), "cash_deposit", words, legs, 1)
            made = ledger.post(tx, draft).entry_id
        seal_all(hostile, system)
        assert seals.check_seals(system) == []
        found = hostile.ask(f"SELECT kind, narration FROM entries WHERE id = {made}")
        kind, narration = f"cash_deposit{between}rent", "for March"
        assert between.join(found[0]) == between.join((kind, narration))
        if hostile.lite:
            hostile.driver.execute("DROP TRIGGER IF EXISTS entries_no_update")
        else:
            hostile.driver.execute("ALTER TABLE entries DISABLE TRIGGER entries_no_change")
        with bank.db.engine.begin() as connection:
            change = "UPDATE entries SET kind = :kind, narration = :words WHERE id = :id"
            back = {"kind": "cash_deposit", "words": words, "id": made}
            connection.execute(text(change), {"kind": kind, "words": narration, "id": made})
            connection.commit()
            named = f"entry {made} was altered after it was sealed"
            assert seals.check_seals(system) == [named], between
        with bank.db.engine.begin() as connection:
            connection.execute(text(change), back)


@pytest.mark.feature("A9.4")
def test_a_read_that_could_not_be_recorded_is_recorded_at_the_next_try(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    auditor = desk(bank, Role.AUDITOR, session_id=77)

    def recorded() -> int:
        with bank.db.read() as connection:
            count = text("SELECT COUNT(*) FROM trail WHERE outcome = :read AND session_id = 77")
            return int(connection.execute(count, {"read": audit.Outcome.READ}).scalar_one())

    def broken() -> None:
        raise OperationalError("INSERT", {}, OSError("the disk is full"))

    with monkeypatch.context() as patch:
        patch.setattr(bank.db, "write", broken)
        with pytest.raises(OperationalError):  # and what was read is not shown
            journal.entries(auditor, Wanted())
    assert recorded() == 0
    for minutes in (0, 1, 14, 16):
        move_clock(bank, NOON + timedelta(minutes=minutes))
        journal.entries(auditor, Wanted())
        assert recorded() == (1 if minutes < 15 else 2)


@pytest.mark.feature("A9.4")
def test_details_of_any_length_stay_short_in_the_trail() -> None:
    for text_ in ("x" * 50_000, '"' * 50_000, "\\" * 50_000, "₹" * 3_990):
        kept = audit.as_json({"text": text_})
        assert kept is not None
        assert len(kept) <= audit.LONGEST_DETAIL
