"""kill -9 under load: nothing acknowledged is lost, nothing is half done, the books verify.

SQLite's one writer and PostgreSQL's many are killed in the middle of their work, again and again on
the same database. A power cut is worse than that only in what the disk has not kept, which is what
synchronous=FULL and fsync are for.
"""

import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bank import app
from bank.book.references import reference_of
from bank.core.clock import SystemClock
from bank.core.desk import Bank
from bank.night import integrity
from tests.support import market as markets
from tests.support.bank import SECRET
from tests.support.loader import THREADS, Deed, Loader, cashier_desk, loading
from tests.support.market import Market
from tests.support.server import Server, run_bank, status_of
from tests.support.soak import times
from tests.support.waiting import wait_until

CASHIER = "ravi.staff"
ROUNDS = times(normal=1, soak=20)
MOST_ACKNOWLEDGED = 150


@pytest.fixture
def closed_market(bank: Bank, _cheap_passwords: None) -> Market:
    """A market that nobody has open: only the killed process could keep its files in order."""
    market = markets.settle(replace(bank, clock=SystemClock()))
    bank.db.close()
    return market


def accounts_of(market: Market) -> list[str]:
    """Accounts whose holders are told by mail: one at the cashier's branch, one at another."""
    return [market.number("asha"), market.number("vikram")]


def environment(market: Market) -> dict[str, str]:
    """The settings of another process that opens the same bank."""
    settings = market.bank.settings
    return {
        "BANK_DATABASE_URL": settings.resolved_url(),
        "BANK_DATA_DIR": str(settings.data_dir),
        "BANK_SECRET": SECRET,
    }


@contextmanager
def reopened(market: Market) -> Iterator[Market]:
    """The market in a bank opened anew, as after a restart."""
    bank = app.open_bank(market.bank.settings)
    try:
        yield replace(market, bank=bank)
    finally:
        bank.db.close()


def entries_of(market: Market) -> dict[str, int]:
    """Every entry of the book: its id by its request id, each once."""
    rows = market.rows("SELECT id, request_id FROM entries")
    entries = {row["request_id"]: row["id"] for row in rows}
    assert len(entries) == len(rows)
    return entries


def acknowledgements_kept(market: Market, series: str, loader: Loader) -> None:
    """Whoever was told of an entry finds it, under the same number."""
    entries = entries_of(market)
    promised = {Deed(series, n).request_id: entry for n, entry in loader.acknowledged.items()}
    assert promised
    assert {request: entries.get(request) for request in promised} == promised


def nothing_half_done(market: Market, replayed: Counter[int]) -> None:
    """Every entry is whole, with its slip, trail and mail; none of these is without its entry.

    A request that was asked again (`replayed`, by entry) is once more in the trail, and only there.
    """
    with market.bank.db.read() as connection:  # all of it at one instant

        def rows(sql: str) -> list[Any]:
            return list(connection.exec_driver_sql(sql))

        entries = rows("SELECT id, booking_date FROM entries")
        ids = Counter(entry.id for entry in entries)
        lines = rows(
            "SELECT entry_id, branch_id, currency, SUM(amount_minor) AS net FROM postings"
            " GROUP BY entry_id, branch_id, currency"
        )
        assert {line.entry_id for line in lines} == ids.keys()
        assert [line for line in lines if line.net != 0] == []
        not_the_sum = rows(
            "SELECT b.account_id FROM balances b LEFT JOIN postings p"
            " ON p.account_id = b.account_id GROUP BY b.account_id, b.booked_minor, b.lines"
            " HAVING b.booked_minor <> COALESCE(SUM(p.amount_minor), 0) OR b.lines <> COUNT(p.leg)"
        )
        assert not_the_sum == []
        assert Counter(slip.entry_id for slip in rows("SELECT entry_id FROM cash_slips")) == ids
        acts = rows(
            "SELECT details FROM trail WHERE verb = 'counters.cash.deposit' AND outcome = 'done'"
        )
        assert Counter(json.loads(act.details)["entry_id"] for act in acts) == ids + replayed
        mails = rows("SELECT body FROM outbox WHERE purpose = 'cash'")
    told = [re.search(r"^Reference (\S+)$", mail.body, re.M) for mail in mails]
    assert Counter(found and found[1] for found in told) == Counter(
        reference_of(date.fromisoformat(str(entry.booking_date)), entry.id) for entry in entries
    )


def retried(market: Market, series: str, loader: Loader) -> Counter[int]:
    """Who asks again gets the first booking; what was never booked is booked once.

    Answers which entries were asked for again.
    """
    desk = cashier_desk(market.bank, CASHIER)
    numbers = accounts_of(market)
    before = entries_of(market)
    asked = [Deed(series, n) for n in range(max(loader.acknowledged) + THREADS + 2)]
    replayed: Counter[int] = Counter()
    for deed in asked:
        if deed.n in loader.acknowledged and deed.n % 10:
            continue  # a tenth of what was acknowledged is enough to see that it is not booked anew
        receipt = deed.do(desk, numbers)
        assert receipt.amount_minor == deed.amount_minor
        if deed.request_id in before:
            assert receipt.entry_id == before[deed.request_id]
            replayed[receipt.entry_id] += 1
    assert entries_of(market).keys() == before.keys() | {deed.request_id for deed in asked}
    return replayed


def the_dead_are_gone(market: Market) -> None:
    """PostgreSQL ends what a killed client left in flight, a moment later or with its commit."""
    if market.bank.db.dialect == "postgresql":
        others = (
            "SELECT COUNT(*) AS n FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        wait_until(lambda: market.rows(others)[0]["n"] == 0, what="the backends of the killed")


def books_verify(market: Market) -> None:
    """Seals and every check of the bank's own."""
    results = integrity.verify(app.system_desk(market.bank))
    assert [(result.line, result.sample) for result in results if not result.passed] == []


@pytest.mark.soak
@pytest.mark.feature("A13.1", "A13.3", "B40")
def test_a_killed_counter_keeps_what_it_acknowledged(closed_market: Market, tmp_path: Path) -> None:
    errors = tmp_path / "complaints.txt"
    market = closed_market
    replayed: Counter[int] = Counter()
    for round_ in range(ROUNDS):
        series = f"kill-{round_}"
        numbers = accounts_of(market)
        moment = random.Random(f"{market.bank.db.dialect} {series}").randint(1, MOST_ACKNOWLEDGED)
        with loading(environment(market), CASHIER, series, numbers, errors) as loader:
            loader.wait_for(moment)
            loader.kill9()
        assert errors.read_text() == ""
        with reopened(market) as again:
            the_dead_are_gone(again)
            acknowledgements_kept(again, series, loader)
            nothing_half_done(again, replayed)
            books_verify(again)
            replayed += retried(again, series, loader)
            nothing_half_done(again, replayed)
            books_verify(again)


@pytest.mark.soak
@pytest.mark.feature("A13.1", "A13.3", "B40")
def test_a_killed_server_leaves_the_other_process_and_the_books_whole(
    closed_market: Market, start_server: Callable[..., Server], tmp_path: Path
) -> None:
    market = closed_market
    env = environment(market)
    errors = tmp_path / "complaints.txt"
    server = start_server(env["BANK_DATABASE_URL"], market.bank.settings.data_dir, env=env)
    for round_ in range(ROUNDS):
        series = f"server-{round_}"
        chance = random.Random(f"{market.bank.db.dialect} {series}")
        with loading(env, CASHIER, series, accounts_of(market), errors) as loader:
            loader.wait_for(1)
            _sealed_more(market)  # the server writes, too: it is not killed in its sleep
            loader.wait_for(chance.randint(1, MOST_ACKNOWLEDGED))
            server.kill9()
            loader.wait_for(50)  # nobody waits for a lock of the dead
        assert errors.read_text() == ""
        server.start()
        assert status_of(f"{server.url}/healthz") == 200
        with reopened(market) as again:
            acknowledgements_kept(again, series, loader)
            nothing_half_done(again, Counter())
        verified = run_bank("verify", env=env)
        assert verified.returncode == 0, verified.stdout + verified.stderr


def _sealed_more(market: Market) -> None:
    """Wait until the server has sealed something of what is being paid in right now."""
    with reopened(market) as again:
        count = "SELECT COUNT(*) AS n FROM seals"
        before = again.rows(count)[0]["n"]
        wait_until(lambda: again.rows(count)[0]["n"] > before, 60, what="a seal of the server's")
