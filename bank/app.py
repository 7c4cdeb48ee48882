"""The composition root: settings become one Bank, and the database the newest schema."""

import importlib
import os
import pkgutil
from datetime import date
from pathlib import Path
from typing import Final

from alembic.command import upgrade
from alembic.config import Config
from sqlalchemy import Engine, select

import bank
from bank.accounts import holders
from bank.book import book_close, ledger
from bank.book.drafts import SYSTEM_USER_ID
from bank.book.tables import BankState
from bank.core import keys, objections
from bank.core.clock import Clock, SystemClock
from bank.core.config import PROJECT, Settings, make_private
from bank.core.db import Database
from bank.core.desk import Bank, Desk
from bank.core.objections import Question
from bank.core.permissions import Role
from bank.core.secrets import Keyring
from bank.counters import branch_close, drawer_cash, drawers, ticket_links
from bank.night import import_batches, integrity
from bank.office import in_hand
from bank.people import named_grants, users

WIRED: Final = (ticket_links, holders)  # each tells a floor below what it knows, by being imported
MIGRATIONS: Final = PROJECT / "data" / "migrations"
_served: Final[list[Bank]] = []
# What lower floors ask and only upper ones can answer.
ledger.before_reversals[:] = [drawer_cash.undo]
book_close.in_the_way[:] = [drawers.left_on]
book_close.left[:] = [
    branch_close.not_closed,
    import_batches.not_finished,
    integrity.not_passed,
]
book_close.opened[:] = [users.mail_auditors_of_opened_book]

# What each floor answers when somebody asks "may this employee leave?" (see core/objections.py).
objections.register_answer(
    Question.EMPLOYEE_LEAVES, "vault_custodian", named_grants.against_leaving
)
objections.register_answer(Question.EMPLOYEE_LEAVES, "drawer", drawers.against_leaving)
objections.register_holding("work", in_hand.ITEMS_IN_HAND)


def alembic_config(**attributes: object) -> Config:
    """Alembic's settings, made here: there is no alembic.ini to keep in step."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes.update(attributes)
    return config


def load_floors() -> None:
    """Import every module of every floor: a command that waits may be any of them, and who has an
    interest in an account is registered where accounts are known."""
    for module in pkgutil.walk_packages(bank.__path__, "bank."):
        if module.name.count(".") == 2:
            importlib.import_module(module.name)


def migrate(db: Database) -> None:
    """Bring the database to the newest schema, at every start, also from two processes at once."""
    with db.writes, db.engine.connect() as connection:
        if db.dialect == "postgresql":
            connection.exec_driver_sql("SELECT pg_advisory_lock(7243001)")
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        upgrade(alembic_config(connection=connection), "head")
        connection.commit()
        connection.connection.commit()
        if db.dialect == "postgresql":
            connection.exec_driver_sql("SELECT pg_advisory_unlock(7243001)")
            connection.commit()


def open_bank(
    settings: Settings | None = None, *, clock: Clock | None = None, migrated: bool = False
) -> Bank:
    """Open the bank that the settings name, creating or upgrading its database first.

    `clock` replaces the system's (demo seeding, tests); `migrated` says that the schema is known
    to be current.
    """
    load_floors()
    settings = settings or Settings()
    settings.make_data_dir()
    db = Database(settings.resolved_url())
    if db.dialect == "sqlite":
        _make_file(db)
    if not migrated:
        migrate(db)
    is_demo, business_date = _state(db.engine)
    bank = Bank(
        db=db,
        clock=clock or SystemClock(lambda: business_date),
        settings=settings,
        keyring=Keyring(settings.resolved_secret()),
        is_demo=is_demo,
    )
    keys.check(system_desk(bank))
    return bank


def _make_file(db: Database) -> None:
    """The file of a SQLite bank, for the bank's own system user alone, before anything is in it."""
    if not db.url.database or db.url.database == ":memory:":
        return
    path = Path(db.url.database)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    for file in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        if file.exists():  # SQLite makes the other two in the likeness of the first
            make_private(file, 0o600)


def _state(engine: Engine) -> tuple[bool, date | None]:
    with engine.connect() as connection:
        row = connection.execute(select(BankState.is_demo, BankState.business_date)).first()
    return (row.is_demo, row.business_date) if row else (False, None)


def serve_from(bank: Bank) -> None:
    """Make this the bank that the pages of this process see (the server does it, and tests do)."""
    _served[:] = [bank]


def serve_nothing() -> None:
    """The bank of this process is closed."""
    _served.clear()


def is_served() -> bool:
    """Whether this process serves a bank: not under a bare `streamlit run`."""
    return bool(_served)


def current_bank() -> Bank:
    """The bank that this process serves."""
    if not _served:
        raise RuntimeError("No bank is served here. Start it with: python -m bank serve")
    return _served[0]


def system_desk(bank: Bank, channel: str = "system") -> Desk:
    """The desk of the bank's own jobs: import, worker, day end."""
    return Desk(
        bank=bank,
        role=Role.SYSTEM,
        user_id=SYSTEM_USER_ID,
        name="system",
        channel=channel,
        from_where="local",
    )
