"""NUL and half characters: refused where they are searched by, spelled out where the trail keeps
them, and never a crash."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest

from bank.accounts import account_search, accounts, names
from bank.book import journal
from bank.book.journal_search import Wanted
from bank.core.desk import Desk
from bank.core.errors import BadInput, BankError
from bank.core.ids import new_request_id
from bank.core.permissions import Role
from bank.core.secrets import Secret
from bank.counters import cash, receipts, transfers
from bank.night import reports
from bank.office import trail
from bank.office.trail import Searched
from bank.people import customers, sign_in
from tests.bank.test_transfers import asked
from tests.support.bank import desk as desk_of
from tests.support.market import Market

BAD: Final = {"NUL": "12\x00", "half": "12\ud83d"}
Call = Callable[[Market, str], Any]
SEARCHES: Final[dict[str, Call]] = {
    "words": lambda m, bad: journal.entries(m.desks["auditor"], Wanted(words=bad)),
    "gl_code": lambda m, bad: journal.entries(m.desks["auditor"], Wanted(gl_code=bad)),
    "kind": lambda m, bad: journal.entries(m.desks["auditor"], Wanted(kind=bad)),
    "channel": lambda m, bad: journal.entries(m.desks["auditor"], Wanted(channel=bad)),
    "currency": lambda m, bad: journal.entries(m.desks["auditor"], Wanted(currency=bad)),
    "entry": lambda m, bad: journal.find_entry(m.desks["auditor"], bad),
    "number": lambda m, bad: customers.find_customer(m.desks["banker"], bad),
    "account": lambda m, bad: accounts.find_account(m.cashier, bad),
    "holder": lambda m, bad: account_search.accounts_of_holder(m.cashier, bad),
    "reference": lambda m, bad: receipts.find_receipt(m.cashier, bad),
    "actor": lambda m, bad: trail.records(m.desks["auditor"], Searched(actor=bad)),
    "from_where": lambda m, bad: trail.records(m.desks["auditor"], Searched(from_where=bad)),
    "object_id": lambda m, bad: trail.export_records(m.desks["auditor"], Searched(object_id=bad)),
}
OTHERS: Final[dict[str, Call]] = {
    "user": lambda m, bad: names.user_id_of(m.desks["auditor"], bad),
    "narration": lambda m, bad: m.deposit("asha", 1_00, narration=bad),
    "slip": lambda m, bad: m.deposit("asha", 1_00, slip=bad),
    "depositor": lambda m, bad: m.deposit("asha", 1_00, depositor=bad),
    "kind": lambda m, bad: cash.preview_cash(m.cashier, bad, m.number("asha"), 1_00, "A1"),
    "note": lambda m, bad: transfers.preview(m.desks["asha"], **asked(m, note=bad)),
    "to": lambda m, bad: transfers.preview(m.desks["asha"], **asked(m, to_number=bad)),
    "product": lambda m, bad: accounts.open_account(
        m.desks["banker"], m.desks["asha"].customer_id or 0, bad, new_request_id()
    ),
    "report": lambda m, bad: reports.run(m.desks["admin"], bad),
    "report's field": lambda m, bad: reports.run(
        m.desks["admin"], "journal_lines", {"currency": bad, "figure": bad}
    ),
    "sign in": lambda m, bad: sign_in.enter_password(guest(m), Secret(bad), Secret(bad)),
}


def guest(market: Market) -> Desk:
    """Somebody at the door."""
    return desk_of(market.bank, Role.GUEST)


@pytest.mark.feature("A13.2", "B5")
@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_what_cannot_be_read_is_not_searched_by(market: Market, bad: str) -> None:
    for field, search in SEARCHES.items():
        with pytest.raises(BadInput) as refused:
            search(market, bad)
        assert refused.value.field == field
    kept = market.rows("SELECT details FROM trail WHERE outcome = 'refused'")
    assert len(kept) == len(SEARCHES)
    assert all("12\\\\" in row["details"] for row in kept)


@pytest.mark.feature("A13.2", "B5")
@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
@pytest.mark.parametrize("what", OTHERS)
def test_it_is_refused_in_words_and_kept_in_the_trail(market: Market, what: str, bad: str) -> None:
    before = len(market.rows("SELECT id FROM trail WHERE outcome = 'refused'"))
    with pytest.raises(BankError):
        OTHERS[what](market, bad)
    assert len(market.rows("SELECT id FROM trail WHERE outcome = 'refused'")) == before + 1
    page = trail.records(market.desks["auditor"], Searched(outcome="refused"))
    assert page.records
    assert trail.export_records(market.desks["auditor"], Searched(outcome="refused"))


@pytest.mark.feature("B5")
def test_a_refusal_that_quotes_it_and_an_address_that_holds_it_are_kept(market: Market) -> None:
    desk = replace(market.cashier, from_where="10.0.0.1\x00\udc80")
    with pytest.raises(BankError):
        cash.deposit(desk, market.number("asha"), 1_00, "A1", narration="\ud83d", request_id="r")
    [kept] = market.rows("SELECT from_where FROM trail WHERE outcome = 'refused'")
    assert kept["from_where"] == "10.0.0.1\\x00\\udc80"
