"""The journal: found by any filter, walked by key, seen by branch; reversal by somebody else."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from bank.book import journal, journal_search, ledger
from bank.book.drafts import AlreadyReversed, NoSuchEntry, PosterMayNotReverse, ReversalIsFinal
from bank.book.journal import EntryOfAnotherBranch, JournalPage
from bank.book.journal_search import Place, Wanted
from bank.book.references import NotAReference
from bank.core.errors import BadInput, NotAllowed
from bank.core.ids import new_request_id
from bank.counters import transfers
from tests.bank.test_statements import TODAY, next_day
from tests.bank.test_transfers import PASSWORD, asked, send
from tests.support.market import Market, pay_in


def ids(page: JournalPage) -> list[int]:
    """The entries of a page."""
    return [row.id for row in page.rows]


def account_id(market: Market, who: str) -> int:
    """The book's id of somebody's savings account."""
    found = market.rows(f"SELECT id FROM accounts WHERE number = '{market.number(who)}'")
    return int(found[0]["id"])


@pytest.fixture
def busy(market: Market) -> Market:
    """Five entries: 1 opening, 2 and 3 cash at Fort, 4 cash at Baner (a day later), 5 transfer."""
    pay_in(market, "asha", 1_000_00)
    market.deposit("asha", 50_00, slip="A1", narration="100% sure_thing")
    market.deposit("vikram", 75_00, slip="A2")
    next_day(market)
    market.deposit("vikram", 20_00, slip="B1", desk=market.desks["meera"])
    send(market, new_request_id(), **asked(market))
    return market


@pytest.mark.feature("B7", "A9.4")
def test_every_filter_finds_its_entries(busy: Market) -> None:
    meera = busy.desks["meera"].user_id
    fort, baner = busy.branch_ids["BANK0000001"], busy.branch_ids["BANK0000002"]
    expected: list[tuple[Wanted, list[int]]] = [
        (Wanted(), [5, 4, 3, 2, 1]),
        (Wanted(start=TODAY + timedelta(days=1)), [5, 4]),
        (Wanted(end=TODAY), [3, 2, 1]),
        (Wanted(start=TODAY, end=TODAY, kind="cash_deposit"), [3, 2]),
        (Wanted(channel="portal"), [5]),
        (Wanted(actor_id=meera), [4]),
        (Wanted(branch_id=baner), [5, 4, 3]),
        (Wanted(branch_id=fort), [5, 3, 2, 1]),
        (Wanted(account_id=account_id(busy, "vikram")), [5, 4, 3]),
        (Wanted(account_id=account_id(busy, "vikram"), start=TODAY + timedelta(days=1)), [5, 4]),
        (Wanted(gl_code="1000"), [4, 3, 2]),
        (Wanted(gl_code="1000", branch_id=fort), [3, 2]),
        (Wanted(gl_code="1000", end=TODAY, branch_id=baner), []),
        (Wanted(gl_code="2000", credits=False), [5]),
        (Wanted(gl_code="3000"), [1]),
        (Wanted(currency="CZK"), []),
        (Wanted(least_minor=75_00, most_minor=250_00), [5, 3]),
        (Wanted(least_minor=1_000_00), [1]),
        (Wanted(most_minor=20_00), [4]),
        (Wanted(words="SLIP a1"), [2]),
        (Wanted(words="100%"), [2]),
        (Wanted(words="0% s"), [2]),
        (Wanted(words="sure_"), [2]),
        (Wanted(words="%"), [2]),
        (Wanted(words="' OR 1=1 --"), []),
    ]
    for wanted, found in expected:
        page = journal.entries(busy.desks["auditor"], wanted)
        assert ids(page) == found, wanted
        assert page.found == len(found)
        assert (page.newer, page.older) == (None, None)


def test_an_unknown_ledger_account_is_said(busy: Market) -> None:
    with pytest.raises(journal.chart.UnknownGlCode):
        journal.entries(busy.desks["auditor"], Wanted(gl_code="9999"))


@pytest.mark.feature("A3.6", "A9.1", "A3.8")
def test_a_row_says_what_it_moved_and_who_did_it(busy: Market) -> None:
    row = journal.entries(busy.desks["auditor"], Wanted(kind="transfer")).rows[0]
    assert (row.amount_minor, row.currency, row.channel) == (250_00, "INR", "portal")
    assert row.actor_id == busy.desks["asha"].user_id
    assert row.narration == "Transfer: rent"
    assert row.matched_minor is None
    full = journal.entry_in_full(busy.desks["auditor"], row.id)
    assert full.row == row
    assert [(line.gl_code, line.amount_minor) for line in full.lines] == [
        ("2000", -250_00),
        ("2000", 250_00),
        ("1900", 250_00),
        ("1900", -250_00),
    ]
    assert full.lines[0].balance_minor == 800_00
    assert full.lines[0].gl_name == "Savings deposits"
    assert len(full.request_id) == 36
    assert full.reason is None


@pytest.mark.feature("B7")
def test_the_lines_of_a_ledger_add_up_below_the_list(busy: Market) -> None:
    page = journal.entries(busy.desks["auditor"], Wanted(gl_code="1000"))
    assert [row.matched_minor for row in page.rows] == [-20_00, -75_00, -50_00]
    assert page.sums is not None
    (total,) = page.sums
    assert (total.currency, total.lines, total.net_minor) == ("INR", 3, -145_00)
    both = journal.entries(busy.desks["auditor"], Wanted(account_id=account_id(busy, "asha"))).sums
    assert both is not None
    assert (both[0].credit_minor, both[0].debit_minor) == (1_050_00, -250_00)
    assert both[0].net_minor == busy.balance("asha")
    narrowed = journal.entries(busy.desks["auditor"], Wanted(gl_code="1000", words="A1")).sums
    assert narrowed is not None
    assert narrowed[0].net_minor == -50_00
    assert journal.entries(busy.desks["auditor"], Wanted()).sums is None


def test_too_many_lines_are_not_added(busy: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "ADDED_UP_TO", 2)
    assert journal.entries(busy.desks["auditor"], Wanted(gl_code="1000")).sums is None


@pytest.mark.feature("B7")
def test_the_list_is_walked_by_key_in_both_directions(
    busy: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "ROWS_ON_A_PAGE", 2)
    monkeypatch.setattr(journal, "COUNTED_UP_TO", 3)
    desk = busy.desks["auditor"]
    first = journal.entries(desk, Wanted())
    assert (ids(first), first.newer, first.found) == ([5, 4], None, 4)  # counts no further
    assert first.older is not None
    second = journal.entries(desk, Wanted(), older_than=first.older)
    assert ids(second) == [3, 2]
    assert second.older is not None
    third = journal.entries(desk, Wanted(), older_than=second.older)
    assert (ids(third), third.older) == ([1], None)
    assert third.newer is not None
    back = journal.entries(desk, Wanted(), newer_than=third.newer)
    assert ids(back) == [3, 2]
    assert back.newer is not None
    assert back.older is not None
    top = journal.entries(desk, Wanted(), newer_than=back.newer)
    assert (ids(top), top.newer) == ([5, 4], None)


def test_a_place_travels_through_an_address() -> None:
    place = Place(date(2026, 3, 16), 1042)
    assert str(place) == "20260316.1042"
    assert Place.at(str(place)) == place
    for wrong in ("", "20260316", "20261316.1", "x.1", "20260316.x"):
        with pytest.raises(BadInput):
            Place.at(wrong)


@pytest.mark.feature("B8", "B7")
def test_a_branch_sees_entries_with_a_line_of_its_own(busy: Market) -> None:
    assert ids(journal.entries(busy.desks["admin"], Wanted())) == [5, 3, 2, 1]
    assert ids(journal.entries(busy.desks["admin_baner"], Wanted())) == [5, 4, 3]
    other = Wanted(branch_id=busy.branch_ids["BANK0000002"])
    assert ids(journal.entries(busy.desks["admin"], other)) == []
    sums = journal.entries(busy.desks["admin"], Wanted(gl_code="1000")).sums
    assert sums is not None
    assert sums[0].net_minor == -125_00
    with pytest.raises(NoSuchEntry):
        journal.entry_in_full(busy.desks["admin"], 4)
    with pytest.raises(NoSuchEntry):
        journal.find_entry(busy.desks["admin"], "4")
    with pytest.raises(NoSuchEntry):
        journal.reverse_entry(busy.desks["admin"], 4, "why", new_request_id())


@pytest.mark.feature("B7")
def test_one_entry_is_found_by_all_its_names(busy: Market) -> None:
    desk = busy.desks["auditor"]
    row = journal.entries(desk, Wanted(kind="transfer")).rows[0]
    full = journal.entry_in_full(desk, row.id)
    for name in ("5", f" {row.reference} ", full.request_id.upper()):
        assert journal.find_entry(desk, name) == 5
    for unknown in ("6", new_request_id(), "0"):
        with pytest.raises(NoSuchEntry):
            journal.find_entry(desk, unknown)
    with pytest.raises(NotAReference):
        journal.find_entry(desk, "five")
    other_day = journal.references.reference_of(TODAY, 5)
    with pytest.raises(NoSuchEntry):
        journal.find_entry(desk, other_day)


@pytest.mark.feature("B3", "A9.1")
def test_a_branch_admin_reverses_what_a_cashier_booked(busy: Market) -> None:
    posted = journal.reverse_entry(busy.desks["admin"], 2, "slip of B", new_request_id())
    first = journal.entry_in_full(busy.desks["admin"], 2)
    second = journal.entry_in_full(busy.desks["admin"], posted.entry_id)
    assert (first.row.state, second.row.state) == ("reversed", "reversal")
    assert first.row.reversed_by_id == second.row.id
    assert second.row.reverses_id == first.row.id
    assert second.reason == "slip of B"
    assert [line.amount_minor for line in second.lines] == [
        -line.amount_minor for line in first.lines
    ]
    assert busy.balance("asha") == 750_00
    (kept,) = busy.rows("SELECT * FROM trail WHERE verb = 'book.journal.reverse_entry'")
    assert (kept["actor_name"], kept["object_id"]) == ("Arun Nair", "2")
    assert '"state":"booked"' in kept["before"]
    assert '"state":"reversed"' in kept["after"]


@pytest.mark.feature("B3", "B2")
def test_a_reversal_happens_once(busy: Market) -> None:
    once = new_request_id()
    first = journal.reverse_entry(busy.desks["admin"], 2, "why", once)
    again = journal.reverse_entry(busy.desks["admin"], 2, "why", once)
    assert again.replayed
    assert again.entry_id == first.entry_id
    with pytest.raises(ledger.RequestReused):
        journal.reverse_entry(busy.desks["admin"], 2, "another reason", once)
    with pytest.raises(AlreadyReversed):
        journal.reverse_entry(busy.desks["admin"], 2, "why", new_request_id())
    with pytest.raises(ReversalIsFinal):
        journal.reverse_entry(busy.desks["admin"], first.entry_id, "why", new_request_id())
    assert busy.balance("asha") == 750_00


@pytest.mark.feature("B3", "A1.13")
def test_who_may_not_reverse(busy: Market) -> None:
    for who in ("ravi", "auditor", "asha", "banker"):
        with pytest.raises(NotAllowed):
            journal.reverse_entry(busy.desks[who], 2, "why", new_request_id())
    # Entry 3 is cash taken at Fort for an account at Baner: Baner sees it, Fort answers for it.
    with pytest.raises(EntryOfAnotherBranch):
        journal.reverse_entry(busy.desks["admin_baner"], 3, "why", new_request_id())
    for empty in ("", "   "):
        with pytest.raises(BadInput) as refused:
            journal.reverse_entry(busy.desks["admin"], 2, empty, new_request_id())
        assert refused.value.field == "reason"
    assert len(busy.rows("SELECT * FROM entries")) == 5


@pytest.mark.feature("B3")
def test_the_poster_may_not_reverse(busy: Market) -> None:
    promoted = replace(busy.desks["admin"], user_id=busy.cashier.user_id)
    with pytest.raises(PosterMayNotReverse):
        journal.reverse_entry(promoted, 2, "why", new_request_id())


def test_money_that_was_spent_cannot_be_reversed_away(busy: Market) -> None:
    # Vikram has 345.00; everything but 5.00 goes to Nila.
    what = {
        "from_number": busy.number("vikram"),
        "to_number": busy.number("nila"),
        "amount_minor": 340_00,
        "note": "",
    }
    desk = busy.desks["vikram"]
    transfers.ask_for_code(desk, **what)
    transfers.send(
        desk,
        **what,
        transaction_password=PASSWORD,
        code=busy.code(),
        request_id=new_request_id(),
    )
    with pytest.raises(ledger.InsufficientFunds):
        journal.reverse_entry(busy.desks["admin"], 3, "why", new_request_id())
    assert busy.balance("vikram") == 5_00


@pytest.mark.feature("B5")
def test_looking_is_recorded_once(busy: Market) -> None:
    for _ in range(3):
        journal.entries(busy.desks["auditor"], Wanted())
        journal.entry_in_full(busy.desks["auditor"], 2)
    read = busy.rows(
        "SELECT object_kind, object_id FROM trail WHERE outcome = 'read'"
        " AND actor_name = 'Olga Pinto' ORDER BY id"
    )
    assert [(row["object_kind"], row["object_id"]) for row in read] == [
        ("journal", "bank"),
        ("entry", "2"),
    ]


def test_the_ledger_accounts_to_choose_from(busy: Market) -> None:
    listed = journal.ledger_accounts(busy.desks["auditor"])
    assert listed[0] == ("1000", "Cash in hand")
    assert listed == sorted(listed)


def test_a_filter_of_one_ledger_is_known_as_such() -> None:
    assert journal_search.Wanted(gl_code="1000").names_a_ledger
    assert journal_search.Wanted(account_id=1).names_a_ledger
    assert not journal_search.Wanted(branch_id=1, currency="INR").names_a_ledger
