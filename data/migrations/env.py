"""Alembic's entry: migrations run on the connection that `bank.app` hands over."""

import importlib
import pkgutil
from typing import Any

from alembic import context

import bank
from bank.core.db import Base

# Made by hand in migrations, per database, so the models do not name them.
ONLY_IN_THE_DATABASE = {
    ("table", "draft_lines"),  # SQLite: where the lines of an entry wait for it
    ("index", "ix_entries_txid"),  # PostgreSQL: how readers find what is new
    ("index", "ix_postings_txid"),
}


def include_object(thing: Any, name: str | None, kind: str, reflected: bool, other: Any) -> bool:
    """Leave out what exists on one database only."""
    return (kind, name) not in ONLY_IN_THE_DATABASE


for module in pkgutil.walk_packages(bank.__path__, "bank."):
    if module.name.count(".") == 2:  # bank.<floor>.<noun>: every module that may declare a table
        importlib.import_module(module.name)
connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    include_object=include_object,
    compare_type=False,
    render_as_batch=False,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
