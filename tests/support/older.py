"""Databases as they were before a migration, to see what it makes of them."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic.command import upgrade

from bank import app
from bank.core.db import Database
from tests.support import postgres


@contextmanager
def old_database(revision: str, dialect: str, folder: Path, *then: str) -> Iterator[Database]:
    """A database with the schema and the seeds of a revision, after which `then` was done to it:
    a seed file of today may hold rows that the seed of that time knew nothing of."""

    def make(url: str) -> None:
        db = Database(url)
        with db.engine.connect() as connection:
            upgrade(app.alembic_config(connection=connection), revision)
            for statement in then:
                connection.exec_driver_sql(statement)
            connection.commit()
            connection.connection.commit()
        db.close()

    def opened(url: str) -> Iterator[Database]:
        db = Database(url)
        try:
            yield db
        finally:
            db.close()

    if dialect == "sqlite":
        url = f"sqlite:///{folder / 'old.db'}"
        make(url)
        yield from opened(url)
        return
    key = hashlib.sha256("\n".join((revision, *then)).encode()).hexdigest()[:12]
    with postgres.fresh_database(postgres.template_database(f"old {key}", make)) as url:
        yield from opened(url)
