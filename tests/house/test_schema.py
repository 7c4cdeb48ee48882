"""Models equal migrations, on both databases (house rule 10)."""

from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory

from bank import app
from bank.core.db import Base
from bank.core.desk import Bank

# Made by hand for one database only; data/migrations/env.py says why.
ONLY_IN_THE_DATABASE = {"draft_lines", "ix_entries_txid", "ix_postings_txid"}


def _include(thing: Any, name: str | None, kind: str, reflected: bool, other: Any) -> bool:
    return name not in ONLY_IN_THE_DATABASE


def differences(bank: Bank) -> list[Any]:
    """What a fresh autogenerate would change."""
    with bank.db.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"include_object": _include, "compare_type": bank.db.dialect == "postgresql"},
        )
        return compare_metadata(context, Base.metadata)


def test_models_equal_migrations(bank: Bank) -> None:
    assert differences(bank) == []


def test_a_difference_would_be_seen(bank: Bank) -> None:
    with bank.db.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE products ADD COLUMN forgotten INTEGER")
    assert len(differences(bank)) == 1


def test_migrations_form_one_line() -> None:
    script = ScriptDirectory.from_config(app.alembic_config())
    assert len(script.get_heads()) == 1
    assert len(script.get_bases()) == 1


def test_opening_an_up_to_date_bank_changes_nothing(bank: Bank) -> None:
    app.migrate(bank.db)
    assert differences(bank) == []


def test_an_older_bank_gains_the_rules_that_came_later(bank: Bank) -> None:
    """The seed is read by the first migration, so only an older bank needs the later look."""
    script = ScriptDirectory.from_config(app.alembic_config()).get_revision("0007_proofs")
    assert script is not None
    with bank.db.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM security_rules WHERE name = 'payment_rest_hours'")
        connection.exec_driver_sql("UPDATE security_rules SET value = 7 WHERE name = 'tries'")
        with Operations.context(MigrationContext.configure(connection)):
            script.module.rules()
    with bank.db.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT name, value FROM security_rules")
        values = {name: value for name, value in rows}
    assert (values["payment_rest_hours"], values["tries"]) == (24, 7)
