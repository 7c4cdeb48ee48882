"""Limits of one branch, and of one employee, from a day until a later row.

Why: a village branch keeps less cash in a drawer than the main one, and a new cashier is watched
more closely than an old hand; one rule for all is too loose for one and too tight for the other.
What was set is a record: triggers refuse every change, who thinks again adds a row.
"""

import csv
from datetime import date
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0015_limits"
down_revision = "0014_terms"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
SEEDS = Path(__file__).parent.parent.parent / "seed"


def upgrade() -> None:
    ceilings()
    second_persons()
    op.create_table(
        "branch_limits",
        sa.Column("id", BIG, nullable=False),
        sa.Column("branch_id", BIG, nullable=False),
        sa.Column(
            "name",
            word("branchlimitname", "drawer_limit_minor", "supervised_above_minor"),
            nullable=False,
        ),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("value", BIG, nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("set_by", BIG, nullable=False),
        sa.Column("set_at", INSTANT, nullable=False),
        sa.CheckConstraint("value > 0", name="ck_branch_limits_value_positive"),
        sa.ForeignKeyConstraint(["branch_id"], ["branches.id"], name="fk_branch_limits_branch_id"),
        sa.ForeignKeyConstraint(["set_by"], ["users.id"], name="fk_branch_limits_set_by"),
        sa.PrimaryKeyConstraint("id", name="pk_branch_limits"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_branch_limits_branch_id", "branch_limits", ["branch_id", "name", "effective_from"]
    )
    op.create_table(
        "employee_limits",
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("kind", word("limitkind", "pay_out", "take_in"), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("amount_minor", BIG, nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("set_by", BIG, nullable=False),
        sa.Column("set_at", INSTANT, nullable=False),
        sa.CheckConstraint("amount_minor > 0", name="ck_employee_limits_amount_positive"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_employee_limits_user_id"),
        sa.ForeignKeyConstraint(["set_by"], ["users.id"], name="fk_employee_limits_set_by"),
        sa.PrimaryKeyConstraint("id", name="pk_employee_limits"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_employee_limits_user_id", "employee_limits", ["user_id", "kind", "effective_from"]
    )
    for table in ("branch_limits", "employee_limits"):
        only_added(table)


def word(name: str, *values: str) -> sa.Enum:
    """A word out of a few, kept as text."""
    return sa.Enum(*values, name=name, native_enum=False, length=32)


def only_added(table: str) -> None:
    """Rows of this table are never changed or deleted."""
    said = f"{table}: records are never changed or deleted"
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE"
            f" ON {table} FOR EACH STATEMENT EXECUTE FUNCTION book_refuse('{said}')"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}"
            f" BEGIN SELECT RAISE(ABORT, '{said}'); END"
        )


def ceilings() -> None:
    """The rules that the seed has gained. A new bank has got them from the first look at it."""
    table = sa.table(
        "cash_rules",
        sa.column("name", sa.String()),
        sa.column("effective_from", sa.Date()),
        sa.column("value", BIG),
        sa.column("source", sa.String()),
    )
    known = set(op.get_bind().scalars(sa.select(table.c.name)))
    missing = [
        {**row, "effective_from": _day(row), "value": int(row["value"])}
        for row in _seed("cash_rules.csv")
        if row["name"].endswith("_ceiling_minor") and row["name"] not in known
    ]
    if missing:
        op.bulk_insert(table, missing)


def second_persons() -> None:
    """Nobody loosens or tightens a limit alone."""
    table = sa.table(
        "approval_rules",
        *map(sa.column, ("command", "role", "kind", "level", "period", "checkers", "source")),
        *map(sa.column, ("amount_above_minor", "rekey_above_minor", "expires_hours")),
        sa.column("effective_from", sa.Date()),
    )
    op.bulk_insert(
        table,
        [
            {
                **row,
                "level": int(row["level"]),
                "effective_from": _day(row),
                "amount_above_minor": int(row["amount_above_minor"]),
                "rekey_above_minor": int(row["rekey_above_minor"] or 0) or None,
                "expires_hours": int(row["expires_hours"]),
            }
            for row in _seed("limit_approval_rules.csv")
        ],
    )


def _seed(file: str) -> list[dict[str, str]]:
    with (SEEDS / file).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _day(row: dict[str, str]) -> date:
    return date.fromisoformat(row["effective_from"])
