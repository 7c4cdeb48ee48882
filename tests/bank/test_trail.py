"""The trail as auditors read it: every filter, pages, before and after, CSV, nobody else."""

import csv
import io
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from bank.accounts import accounts
from bank.book import journal
from bank.core.errors import BadInput, NotAllowed
from bank.core.ids import new_request_id
from bank.counters.slips import SlipAlreadyBooked
from bank.office import performance, trail
from bank.office.trail import NoSuchRecord, Searched, TooManyRecords
from tests.bank.test_statements import TODAY, next_day
from tests.support.market import Market

# Each day needs its drawers; what became of them is no matter here.
DRAWERS = ("counters.drawers.", "counters.counts.", "counters.vault.")


@pytest.fixture
def watched(market: Market) -> Market:
    """A deposit, the same slip refused, a look, and a reversal the day after."""
    market.deposit("asha", 50_00, slip="A1", narration="=1+1")
    with pytest.raises(SlipAlreadyBooked):
        market.deposit("asha", 50_00, slip="A1")
    accounts.find_account(market.desks["banker"], market.number("asha"))
    next_day(market)
    journal.reverse_entry(market.desks["admin"], 1, "typed twice", new_request_id())
    return market


def verbs(market: Market, **searched: object) -> list[str]:
    """The verbs of what is found, newest first, without the arranging of the tests."""
    page = trail.records(market.desks["auditor"], Searched(**searched))  # type: ignore[arg-type]
    return [
        record.verb.rpartition(".")[2]
        for record in page.records
        if not record.verb.startswith(("tests.", "office.", *DRAWERS))
    ]


@pytest.mark.feature("B5", "A9.1", "A9.4")
def test_every_filter_finds_its_records(watched: Market) -> None:
    everything = ["reverse_entry", "find_account", "deposit", "deposit"]
    assert verbs(watched) == everything
    assert verbs(watched, start=TODAY + timedelta(days=1)) == everything[:1]
    assert verbs(watched, end=TODAY) == everything[1:]
    assert verbs(watched, actor="ravi") == ["deposit", "deposit"]
    assert verbs(watched, verb="cash.dep", outcome="refused") == ["deposit"]
    assert verbs(watched, outcome="read") == ["find_account"]
    assert verbs(watched, role="branch_admin") == ["reverse_entry"]
    assert verbs(watched, object_kind="account", object_id=watched.number("asha")) == [
        "find_account",
        "deposit",
    ]
    assert verbs(watched, from_where="127.0") == everything
    assert verbs(watched, from_where="10.") == []
    assert verbs(watched, session_id=watched.cashier.session_id) == ["deposit", "deposit"]
    assert verbs(watched, actor="%") == []
    assert verbs(watched, actor="") == everything


@pytest.mark.feature("B5", "A9.4")
def test_a_record_says_what_changed(watched: Market) -> None:
    page = trail.records(watched.desks["auditor"], Searched(verb="reverse_entry"))
    (record,) = page.records
    assert record.sentence.startswith("Book the opposite of an entry")
    assert record.about == "entry 1"
    (reversal,) = watched.rows("SELECT id FROM entries WHERE reverses_id = 1")
    assert record.changes == [
        ("state", "booked", "reversed"),
        ("reversed_by_id", "", str(reversal["id"])),
    ]
    assert record.details["reason"] == "typed twice"
    refused = trail.records(watched.desks["auditor"], Searched(outcome="refused")).records[0]
    assert refused.refusal is not None
    assert refused.refusal.startswith("SlipAlreadyBooked")
    assert refused.changes == []


@pytest.mark.feature("B5")
def test_pages_follow_each_other(watched: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = watched.desks["auditor"]
    whole = [record.id for record in trail.records(desk, Searched(end=TODAY)).records]
    monkeypatch.setattr(trail, "ROWS_ON_A_PAGE", 2)
    walked, older = [], None
    while True:
        page = trail.records(desk, Searched(end=TODAY), older_than=older)
        walked += [record.id for record in page.records]
        if (older := page.older) is None:
            break
    assert walked == whole
    with pytest.raises(NoSuchRecord):
        trail.records(desk, Searched(), older_than=999_999)


@pytest.mark.feature("B5")
def test_the_export_is_harmless_and_recorded(
    watched: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = watched.desks["auditor"]
    raw = trail.export_records(desk, Searched(actor="Ravi", verb="cash.deposit"))
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))
    assert [row["outcome"] for row in rows] == ["refused", "done"]
    assert '"narration": "=1+1"' in rows[1]["details"]
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())
    (kept,) = watched.rows("SELECT * FROM trail WHERE verb = 'office.trail.export_records'")
    assert '"records":2' in kept["details"]
    assert '"actor":"Ravi"' in kept["details"]
    monkeypatch.setattr(trail, "LONGEST_EXPORT", 1)
    with pytest.raises(TooManyRecords):
        trail.export_records(desk, Searched())


@pytest.mark.feature("B5", "A1.13")
def test_only_auditors_read_the_trail(watched: Market) -> None:
    for who in ("ravi", "admin", "banker", "asha"):
        with pytest.raises(NotAllowed):
            trail.records(watched.desks[who], Searched())
        with pytest.raises(NotAllowed):
            trail.export_records(watched.desks[who], Searched())


@pytest.mark.feature("B5")
def test_a_download_is_recorded_with_what_narrowed_it(market: Market) -> None:
    trail.record_export(market.cashier, "approvals", 12, {"view": "mine", "words": ""}, "csv")
    [row] = market.rows(
        "SELECT actor_name, outcome, object_kind, object_id, details FROM trail"
        " WHERE verb = 'office.trail.record_export'"
    )
    assert json.loads(row.pop("details")) == {
        "table": "approvals",
        "rows": 12,
        "filters": {"view": "mine"},
        "kind": "csv",
    }
    assert tuple(row.values()) == ("Ravi Kumar", "done", "export", "approvals")
    verbs_of_work = {row.verb for row in performance.own_work(market.cashier, TODAY, TODAY)}
    assert "office.trail.record_export" not in verbs_of_work
    for table, rows in (("", 1), ("x" * 61, 1), ("approvals", -1)):
        with pytest.raises(BadInput):
            trail.record_export(market.cashier, table, rows, {}, "csv")
    with pytest.raises(BadInput, match="as csv or as xlsx"):
        trail.record_export(market.cashier, "approvals", 1, {}, "exe")
    viewing = replace(market.desks["executive"], on_behalf_of=1)
    with pytest.raises(NotAllowed):
        trail.record_export(viewing, "rates", 1, {}, "xlsx")
