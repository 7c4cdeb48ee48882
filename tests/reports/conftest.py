"""Fixtures of the reports' tests: a small busy bank on each database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bank import app
from bank.accounts.accounts import Account
from bank.book import holds, ledger
from bank.core.clock import FixedClock
from bank.core.desk import Bank, Desk, chunk, looking
from bank.core.ids import new_request_id
from bank.core.permissions import Role
from bank.counters import cash, counts, drawers, vault
from bank.people.identity import add_user_row
from tests.reports import town as towns
from tests.reports.tamper import without_guards
from tests.reports.town import Town
from tests.support import postgres
from tests.support.bank import DIALECTS, NOON, make_sqlite, settings_for


@pytest.fixture
def town(bank: Bank) -> Town:
    """A bank with three branches and some months of entries, on each database in turn."""
    return towns.build_busy(bank)


@pytest.fixture(scope="package")
def still_town(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The same on SQLite, shared by tests that only look."""
    bank = make_sqlite(_sqlite_template, tmp_path_factory.mktemp("still") / "bank")
    yield towns.build_busy(bank)
    bank.db.close()


def prepare(bank: Bank, *, bare: bool) -> None:
    """A busy bank with a hold, a released hold and a reversal; `bare` takes its guards away."""
    town = towns.build_busy(bank)
    cashier = _employee(town, "cashier.town", "Ravi Kumar", Role.CASHIER)
    admin = _employee(town, "admin.town", "Arun Nair", Role.BRANCH_ADMIN)
    supervisor = _employee(town, "second.town", "Farah Khan", Role.BRANCH_ADMIN)
    with chunk(admin, "tests.extras") as tx:
        holds.place(tx, town.accounts["asha"], 1_000_00, "a cheque to be cleared")
        released = holds.place(tx, town.accounts["bina"], 500_00, "a mistake")
        holds.release(tx, released)
        interest = town.booked - 1  # a small credit on an account
        ledger.reverse(tx, interest, reason="wrong account", request_id="the-reversal")
    _a_day_at_the_counter(town, cashier, admin, supervisor)
    if bare:
        without_guards(bank)
    bank.db.close()


def _employee(town: Town, username: str, name: str, role: Role) -> Desk:
    with chunk(town.system, "tests.people") as tx:
        user = add_user_row(
            tx,
            username=username,
            name=name,
            email=f"{username}@bank.example.com",
            role=role,
            branch_id=town.branches[0],
            password_hash="$2b$04$" + "." * 53,
        )
    return town.desk(role, user_id=user.id)


def _a_day_at_the_counter(town: Town, cashier: Desk, admin: Desk, supervisor: Desk) -> None:
    """One drawer that was closed with a difference, and one that is open, each with slips."""
    with looking(town.system) as tx:
        number = tx.session.get_one(Account, town.accounts["asha"]).number

    def opened() -> int:
        asked = drawers.ask_for_drawer(cashier, {"note-500": 4}, request_id=new_request_id())
        vault.confirm_opening(admin, asked)
        for slip, amount in ((f"{asked}1", 700_00), (f"{asked}2", 300_00)):
            cash.deposit(cashier, number, amount, slip, request_id=new_request_id())
        return asked

    first = opened()
    counts.start_count(cashier, first)
    counts.enter_count(cashier, first, {"note-500": 5})
    counts.settle_difference(supervisor, first, "not found", request_id=new_request_id())
    vault.close_drawer(admin, first)
    opened()


@pytest.fixture(scope="package")
def prepared_sqlite(
    _sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[bool, Path]:
    """Files of the prepared bank, with its guards and without."""
    files = {}
    for bare in (False, True):
        bank = make_sqlite(_sqlite_template, tmp_path_factory.mktemp("prepared") / "bank")
        prepare(bank, bare=bare)
        files[bare] = Path(str(bank.db.url.database))
    return files


def _prepared_postgres(url: str, *, bare: bool, folder: Path) -> None:
    app.migrate(db := app.Database(url))
    db.close()
    settings = settings_for(folder, url)
    prepare(app.open_bank(settings, clock=FixedClock(NOON), migrated=True), bare=bare)


def _copy(request: pytest.FixtureRequest, folder: Path, dialect: str, bare: bool) -> Iterator[Town]:
    if dialect == "sqlite":
        files: dict[bool, Path] = request.getfixturevalue("prepared_sqlite")
        bank = make_sqlite(files[bare], folder / "bank")
        yield towns.again(bank)
        bank.db.close()
        return
    template = postgres.template_database(
        f"prepared for checks, bare {bare}",
        lambda url: _prepared_postgres(url, bare=bare, folder=folder / "template"),
    )
    with postgres.fresh_database(template) as url:
        settings = settings_for(folder / "bank", url)
        bank = app.open_bank(settings, clock=FixedClock(NOON), migrated=True)
        yield towns.again(bank)
        bank.db.close()


@pytest.fixture(params=DIALECTS)
def honest_town(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Town]:
    """A busy bank with a hold and a reversal, on each database in turn."""
    yield from _copy(request, tmp_path, request.param, bare=False)


@pytest.fixture(params=DIALECTS)
def bare_town(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Town]:
    """The same without triggers, keys and checks, as whoever owns the database can make it."""
    yield from _copy(request, tmp_path, request.param, bare=True)
