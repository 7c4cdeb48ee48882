"""A real bank for a test: a migrated database (both kinds), a clock that stands still, desks.

    def test_x(bank, desk_for): ...          runs on SQLite and on PostgreSQL
    def test_y(sqlite_bank, ...): ...        where the database makes no difference

`desk_for(role, branch=..., customer_id=...)` is a desk without signing in: what the doors do is
tested with the doors. `world` is a small peopled bank: two branches, a few customers, accounts.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from pydantic import SecretStr
from sqlalchemy import insert, text

from bank import app
from bank.core.clock import Clock, FixedClock
from bank.core.config import Settings
from bank.core.db import Database
from bank.core.desk import Bank, Desk, note
from bank.core.permissions import Role
from bank.people.branches import Branch
from bank.people.identity import User
from tests.support import casts, postgres

NOON: Final = datetime(2026, 3, 16, 6, 30, tzinfo=UTC)  # a Monday, noon in the branches
SECRET: Final = "a secret of more than thirty-two characters"
DIALECTS: Final = ("sqlite", "postgresql")


def settings_for(folder: Path, url: str = "") -> Settings:
    """Settings of a test bank that lives in `folder`."""
    return Settings(data_dir=folder, database_url=url, secret=SecretStr(SECRET), demo=False)


def open_at(folder: Path, url: str = "", clock: Clock | None = None) -> Bank:
    """Open the bank in `folder` again, as a restarted process would."""
    return app.open_bank(settings_for(folder, url), clock=clock or FixedClock(NOON))


def _migrated(url: str) -> None:
    db = Database(url)
    app.migrate(db)
    db.close()


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "bank.db"
    _migrated(f"sqlite:///{path}")
    return path


def make_sqlite(template: Path, folder: Path) -> Bank:
    """A fresh bank on SQLite."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(template, folder / "bank.db")
    return app.open_bank(settings_for(folder), clock=FixedClock(NOON), migrated=True)


@pytest.fixture
def sqlite_bank(
    request: pytest.FixtureRequest,
    _sqlite_template: Path,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Bank]:
    """A bank on SQLite, with the schema and the seeds; with people if another fixture wants them,
    otherwise with nobody in it."""
    source = _sqlite_template
    if (cast := casts.wanted(request.fixturenames)) is not None:
        folder = tmp_path_factory.getbasetemp() / f"cast-{cast.name}"
        source = Path(
            casts.template(
                "sqlite",
                cast,
                str(_sqlite_template),
                lambda empty: make_sqlite(Path(empty), folder),
                folder / "bank.db",
            )
        )
    bank = make_sqlite(source, tmp_path / "bank")
    yield bank
    bank.db.close()


@pytest.fixture
def postgres_bank(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bank]:
    """The same on PostgreSQL."""

    def opened(url: str) -> Bank:
        return app.open_bank(settings_for(tmp_path, url), clock=FixedClock(NOON), migrated=True)

    template = postgres.template_database("migrated", _migrated)
    if (cast := casts.wanted(request.fixturenames)) is not None:
        template = casts.template("postgresql", cast, template, opened, tmp_path)
    with postgres.fresh_database(template) as url:
        folder = tmp_path / "bank"
        folder.mkdir()
        bank = app.open_bank(settings_for(folder, url), clock=FixedClock(NOON), migrated=True)
        yield bank
        bank.db.close()


@pytest.fixture(params=DIALECTS)
def bank(request: pytest.FixtureRequest) -> Bank:
    """A bank on each database in turn."""
    name = "sqlite_bank" if request.param == "sqlite" else "postgres_bank"
    made: Bank = request.getfixturevalue(name)
    return made


DeskFor = Callable[..., Desk]


def user_of(role: Role) -> int:
    """The user id that `desk` gives a role."""
    return 1 if role is Role.SYSTEM else 100 + list(Role).index(role)


def staff(bank: Bank, *more_users: int, branches: int = 3) -> Bank:
    """Rows behind the numbers that `desk` makes up, for a test that posts without a world: branches
    from 1 on, a user for each role, and `more_users`."""
    day = bank.clock.business_date()
    shops = [
        {"id": n, "ifsc": f"BOOK0{n:06d}", "name": f"Branch {n}", "address": "", "opened_on": day}
        for n in range(1, branches + 1)
    ]
    made_up = {user_of(role) for role in Role if role not in {Role.GUEST, Role.SYSTEM}}
    users = [
        {
            "id": number,
            "username": f"user{number}",
            "role": Role.AUDITOR,
            "name": f"User {number}",
            "active": True,
            "must_change_password": False,
            "totp_last_step": 0,
            "created_at": bank.clock.now(),
        }
        for number in sorted(made_up | set(more_users))
    ]
    with note(app.system_desk(bank)) as tx:
        if shops:
            tx.connection.execute(insert(Branch), shops)
        tx.connection.execute(insert(User), users)
        if bank.db.dialect == "postgresql":  # the sequences have not counted these
            for table in ("branches", "users"):
                tx.connection.execute(
                    text(
                        f"SELECT setval(pg_get_serial_sequence('{table}', 'id'),"
                        f" (SELECT MAX(id) FROM {table}))"
                    )
                )
    return bank


def desk(bank: Bank, role: Role, **facts: Any) -> Desk:
    """A desk in this bank; a different user id for each role unless one is given."""
    channel = {Role.CUSTOMER: "portal", Role.GUEST: "portal", Role.SYSTEM: "system"}
    given: dict[str, Any] = {
        "user_id": None if role is Role.GUEST else user_of(role),
        "name": f"the {role.value}",
        "branch_id": None if role in {Role.GUEST, Role.SYSTEM, Role.CUSTOMER} else 1,
        "session_id": None if role in {Role.GUEST, Role.SYSTEM} else 1,
        "channel": channel.get(role, "branch"),
        "from_where": "127.0.0.1",
    }
    if role is Role.SYSTEM:
        given |= {"name": "system"}
    return Desk(bank=bank, role=role, **(given | facts))


@pytest.fixture
def desk_for(bank: Bank) -> DeskFor:
    """desk_for(Role.CASHIER, branch_id=2, user_id=7) -> Desk in `bank`."""

    def make(role: Role, **facts: Any) -> Desk:
        return desk(bank, role, **facts)

    return make


def move_clock(bank: Bank, to: datetime) -> None:
    """Set the test bank's clock."""
    assert isinstance(bank.clock, FixedClock)
    bank.clock.at = to


@dataclass
class World:
    """Who and what a small peopled bank holds."""

    bank: Bank
    branches: list[Any] = field(default_factory=list)
    customers: list[Any] = field(default_factory=list)
    accounts: list[Any] = field(default_factory=list)

    def desk(self, role: Role, **facts: Any) -> Desk:
        """A desk in this world; a customer's desk names the customer by `customer=index`."""
        if role is Role.CUSTOMER:
            index = facts.pop("customer", 0)
            holder = self.customers[index]
            facts = {"customer_id": holder.id, "user_id": 500 + index} | facts
        return desk(self.bank, role, **facts)
