"""How much the ledger adds to the bare driver writing the very same rows.

Reference: sqlite3 or psycopg on the same schema, indexes, triggers and durability, with explicit
BEGIN and COMMIT, from rows made beforehand; on PostgreSQL it calls the same SQL function. It reads
what those rows need (balance, number of lines, last id) and checks nothing.
"""

import multiprocessing
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg

from bank import app
from bank.book import ledger, posting_postgres, posting_sqlite
from bank.core.clock import FixedClock
from bank.core.desk import Bank, Desk, Tx, chunk, commit, open_tx
from bank.core.ids import new_request_id
from tests.bench.harness import Pair, Rounds, Workshop, bench
from tests.support import postgres
from tests.support.bank import NOON, settings_for, staff

ACCOUNTS: Final = 2_000
BRANCHES: Final = 16
SINGLES: Final = 300
BATCH: Final = 1_000


def a_bank(folder: Path, url: str = "") -> Bank:
    """A migrated bank whose accounts are spread evenly over the branches."""
    bank = app.open_bank(settings_for(folder, url), clock=FixedClock(NOON))
    staff(bank, branches=BRANCHES)
    with chunk(app.system_desk(bank), "bench") as tx:
        for number in range(ACCOUNTS):
            ledger.open_balance(tx, gl_code="2000", branch_id=1 + number % BRANCHES, currency="INR")
    return bank


@contextmanager
def a_postgres_bank(folder: Path) -> Iterator[Bank]:
    """The same on a fresh PostgreSQL database."""
    folder.mkdir(parents=True, exist_ok=True)
    with postgres.fresh_database() as url:
        bank = a_bank(folder, url)
        try:
            yield bank
        finally:
            bank.db.close()


def deposit_draft(account_id: int, amount: int, branch_id: int) -> ledger.Draft:
    """Cash over the counter of the account's own branch."""
    return ledger.Draft(
        request_id=new_request_id(),
        kind="cash_deposit",
        narration="Cash deposit",
        branch_id=branch_id,
        legs=(ledger.debit_gl("1000", amount), ledger.credit_account(account_id, amount)),
    )


def some_drafts(count: int) -> list[ledger.Draft]:
    """Deposits to random accounts, each at the account's own branch."""
    drafts = []
    for _ in range(count):
        account = random.randint(1, ACCOUNTS)
        drafts.append(deposit_draft(account, random.randint(1, 9_999), branch_of(account)))
    return drafts


def branch_of(account_id: int) -> int:
    """The branch that `a_bank` gave the account."""
    return 1 + (account_id - 1) % BRANCHES


@contextmanager
def writing(desk: Desk) -> Iterator[Tx]:
    """The ledger's transaction without a verb around it."""
    with desk.bank.db.write() as connection:
        tx = open_tx(desk, connection)
        yield tx
        commit(tx)


def post_each(desk: Desk, drafts: list[ledger.Draft]) -> None:
    """One transaction an entry."""
    for draft in drafts:
        with writing(desk) as tx:
            ledger.post(tx, draft)


def per_item(work: Callable[[], object], count: int) -> float:
    """Seconds for one of `count` items."""
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) / count


# --- SQLite ---------------------------------------------------------------------------------


class RawSqlite:
    """The plainest program that writes the same rows."""

    def __init__(self, path: Path) -> None:
        self.driver = sqlite3.connect(path, isolation_level=None)
        for pragma in (
            "busy_timeout = 30000",
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "recursive_triggers = ON",
            "cache_size = -65536",
        ):
            self.driver.execute(f"PRAGMA {pragma}")
        self.gl_cash = self.driver.execute(
            "SELECT id FROM gl_accounts WHERE code = '1000'"
        ).fetchone()[0]

    def write(self, items: list[tuple[str, int, int, int]]) -> None:
        """(request id, account, amount, branch) of each entry, in one transaction."""
        execute = self.driver.execute
        execute("BEGIN IMMEDIATE")
        entry_id = execute(posting_sqlite.LAST_ID_SQL).fetchone()[0]
        wanted = list({item[1] for item in items})
        cards = {}
        for start in range(0, len(wanted), posting_sqlite.IN_AT_ONCE):
            part = wanted[start : start + posting_sqlite.IN_AT_ONCE]
            marks = ",".join("?" * len(part))
            for row in execute(f"{posting_sqlite.BALANCE_SQL} IN ({marks})", part):
                cards[row[0]] = list(row)
        day = "2026-03-16"
        lines, entries = [], []
        for request_id, account, amount, branch in items:
            entry_id += 1
            card = cards[account]
            card[4] += amount
            card[5] += 1
            lines.append(
                (entry_id, 1, self.gl_cash, None, branch, "INR", -amount, day, day, None, None)
            )
            lines.append(
                (entry_id, 2, card[1], account, branch, "INR", amount, day, day, card[5], card[4])
            )
            entries.append(
                (entry_id, request_id, "0" * 64, "cash_deposit", "Cash deposit", branch, 1,
                 "system", "2026-03-16 06:30:00.000000", day, day, None, None, None)
            )  # fmt: skip
        self.driver.executemany(posting_sqlite.LINE_SQL, lines)
        self.driver.executemany(posting_sqlite.ENTRY_SQL, entries)
        execute("COMMIT")


def raw_items(count: int) -> list[tuple[str, int, int, int]]:
    """What RawSqlite writes: the same work as `some_drafts`."""
    items = []
    for _ in range(count):
        account = random.randint(1, ACCOUNTS)
        items.append((new_request_id(), account, random.randint(1, 9_999), branch_of(account)))
    return items


def _sqlite(shop: Workshop) -> tuple[Desk, RawSqlite]:
    ours = a_bank(shop.tmp / "ours")
    shop.callback(ours.db.close)
    reference = a_bank(shop.tmp / "raw")
    reference.db.close()
    return app.system_desk(ours), RawSqlite(shop.tmp / "raw" / "bank.db")


@bench("ledger.sqlite.single", limit=1.4, unit="s/entry", rounds=9)
def sqlite_single(shop: Workshop) -> Pair:
    """One entry, one transaction."""
    desk, raw = _sqlite(shop)

    def ours() -> float:
        drafts = some_drafts(SINGLES)
        return per_item(lambda: post_each(desk, drafts), SINGLES)

    def reference() -> float:
        items = raw_items(SINGLES)
        return per_item(lambda: [raw.write([item]) for item in items], SINGLES)

    return ours, reference


@bench("ledger.sqlite.batch", limit=1.25, unit="s/entry", rounds=9)
def sqlite_batch(shop: Workshop) -> Pair:
    """A thousand entries, one transaction."""
    desk, raw = _sqlite(shop)

    def ours() -> float:
        drafts = some_drafts(BATCH)

        def work() -> None:
            with writing(desk) as tx:
                ledger.post_many(tx, drafts)

        return per_item(work, BATCH)

    def reference() -> float:
        items = raw_items(BATCH)
        return per_item(lambda: raw.write(items), BATCH)

    return ours, reference


# --- PostgreSQL -----------------------------------------------------------------------------


def raw_postgres(bank: Bank) -> psycopg.Connection[Any]:
    """A bare connection to the bank's database."""
    url = bank.db.url.set(drivername="postgresql").render_as_string(hide_password=False)
    driver = psycopg.connect(url, autocommit=True)
    driver.prepare_threshold = 1
    return driver


def _raw_post(driver: psycopg.Connection[Any], sql: str, parameters: tuple[Any, ...]) -> None:
    driver.execute("BEGIN")
    driver.execute(sql, parameters).fetchall()
    driver.execute("COMMIT")


@contextmanager
def asking(desk: Desk) -> Iterator[Tx]:
    """A transaction in which the parameters of the reference are made."""
    with desk.bank.db.read() as connection:
        yield open_tx(desk, connection)


@bench("ledger.postgres.single", limit=1.4, unit="s/entry", rounds=9)
def postgres_single(shop: Workshop) -> Pair:
    """One entry, one transaction."""
    bank = shop.enter(a_postgres_bank(shop.tmp / "ours"))
    desk = app.system_desk(bank)
    driver = raw_postgres(bank)
    shop.callback(driver.close)

    def ours() -> float:
        drafts = some_drafts(SINGLES)
        return per_item(lambda: post_each(desk, drafts), SINGLES)

    def reference() -> float:
        with asking(desk) as tx:
            made = [posting_postgres.call_for_one(tx, draft)[1] for draft in some_drafts(SINGLES)]
        sql = posting_postgres.POST_ONE_SQL
        return per_item(lambda: [_raw_post(driver, sql, one) for one in made], SINGLES)

    return ours, reference


@bench("ledger.postgres.batch", limit=1.25, unit="s/entry", rounds=9)
def postgres_batch(shop: Workshop) -> Pair:
    """A thousand entries, one transaction."""
    bank = shop.enter(a_postgres_bank(shop.tmp / "ours"))
    desk = app.system_desk(bank)
    driver = raw_postgres(bank)
    shop.callback(driver.close)

    def ours() -> float:
        drafts = some_drafts(BATCH)

        def work() -> None:
            with writing(desk) as tx:
                ledger.post_many(tx, drafts)

        return per_item(work, BATCH)

    def reference() -> float:
        with asking(desk) as tx:
            made = posting_postgres.call_for_many(tx, some_drafts(BATCH))[1]
        return per_item(lambda: _raw_post(driver, posting_postgres.POST_SQL, made), BATCH)

    return ours, reference


# --- one branch against many ----------------------------------------------------------------

CLIENTS: Final = 16
CLIENT_SECONDS: Final = 1.5


def _client(folder: str, url: str, number: int, barrier: Any, asked: Any) -> None:
    """One cashier's process: deposits to random accounts of its branch, as often as asked to.

    Asked with True they sit at sixteen branches, with False at one; with None they go home.
    """
    bank = app.open_bank(settings_for(Path(folder), url), clock=FixedClock(NOON), migrated=True)
    desk = app.system_desk(bank)
    asked.send("ready")
    while (spread := asked.recv()) is not None:
        branch = 1 + number % BRANCHES if spread else 1
        accounts = [one for one in range(1, ACCOUNTS + 1) if branch_of(one) == branch]
        post_each(desk, [deposit_draft(accounts[0], 100, branch)])  # connect and prepare
        done, failures = 0, 0
        barrier.wait()
        begun = time.perf_counter()
        while time.perf_counter() - begun < CLIENT_SECONDS:
            try:
                post_each(desk, [deposit_draft(random.choice(accounts), 100, branch)])
                done += 1
            except psycopg.Error:
                failures += 1
        asked.send((done / (time.perf_counter() - begun), failures))
    bank.db.close()


@contextmanager
def _crowd(bank: Bank, folder: Path) -> Iterator[Callable[[bool], tuple[float, int]]]:
    """Sixteen processes; asking them answers (seconds per entry of all together, failures)."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(CLIENTS)
    url = bank.db.url.render_as_string(hide_password=False)
    lines, people = [], []
    for number in range(CLIENTS):
        ours, theirs = context.Pipe()
        given = (str(folder), url, number, barrier, theirs)
        person = context.Process(target=_client, args=given, daemon=True)
        person.start()
        theirs.close()  # so that a client who dies is heard
        lines.append(ours)
        people.append(person)
    for line in lines:
        line.recv()

    def ask(spread: bool) -> tuple[float, int]:
        for line in lines:
            line.send(spread)
        found = [line.recv() for line in lines]
        return 1 / sum(rate for rate, _ in found), sum(failures for _, failures in found)

    try:
        yield ask
    finally:
        for line, person in zip(lines, people, strict=True):
            line.send(None)
            person.join()


@bench("ledger.postgres.one_branch", limit=1.25, unit="s/entry", rounds=9)
def postgres_one_branch(shop: Workshop) -> Rounds:
    """Sixteen clients depositing at one branch, against the same spread over sixteen branches."""
    folder = shop.tmp / "ours"
    bank = shop.enter(a_postgres_bank(folder))
    ask = shop.enter(_crowd(bank, folder))
    failures = 0
    for number in range(shop.rounds):
        seconds = {}
        for spread in (False, True) if shop.ours_first(number) else (True, False):
            seconds[spread], failed = ask(spread)
            failures += failed
        yield seconds[False], seconds[True]
    shop.detail["deadlocks and other failures"] = failures
    if failures:
        raise RuntimeError(f"{failures} deposits failed")
