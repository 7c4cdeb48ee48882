"""Head office changes the dated rules: what was set and withdrawn, what laws allow, hours of a
branch of its own.

Why: a rule that only a new release could change was no rule of the bank's. A record of a change is
never changed: triggers refuse it. Opening hours gain a branch, 0 for the whole bank, and may say
that what is otherwise open counts.
"""

import csv
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0027_rules"
down_revision = "0026_staff"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
SEEDS = Path(__file__).parent.parent.parent / "seed"
ACTS = sa.Enum("set", "withdrawn", name="ruleact", native_enum=False, length=32)
SAID = "rule_changes: records are never changed or deleted"
RULES = sa.table(
    "approval_rules",
    *map(sa.column, ("command", "role", "kind", "level", "period", "checkers", "source")),
    *map(sa.column, ("amount_above_minor", "rekey_above_minor", "expires_hours")),
    sa.column("effective_from", sa.Date()),
)


def upgrade() -> None:
    history()
    bounds()
    hours_of_branches()
    op.bulk_insert(RULES, _seed("rule_approval_rules.csv"))


def history() -> None:
    op.create_table(
        "rule_changes",
        sa.Column("id", BIG, nullable=False),
        sa.Column("rule_table", sa.String(length=32), nullable=False),
        sa.Column("rule", sa.String(length=160), nullable=False),
        sa.Column("title", sa.String(length=400), nullable=False),
        sa.Column("act", ACTS, nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("by_id", BIG, nullable=False),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.Column("agreed_by_name", sa.String(length=120), nullable=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rule_changes"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_rule_changes_rule_table", "rule_changes", ["rule_table", "id"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE TRIGGER rule_changes_no_change BEFORE UPDATE OR DELETE OR TRUNCATE"
            f" ON rule_changes FOR EACH STATEMENT EXECUTE FUNCTION book_refuse('{SAID}')"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER rule_changes_no_{verb.lower()} BEFORE {verb} ON rule_changes"
            f" BEGIN SELECT RAISE(ABORT, '{SAID}'); END"
        )


def bounds() -> None:
    table = op.create_table(
        "rule_bounds",
        sa.Column("rule_table", sa.String(length=32), nullable=False),
        sa.Column("rule", sa.String(length=160), nullable=False),
        sa.Column("field", sa.String(length=32), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("lowest", BIG, nullable=True),
        sa.Column("highest", BIG, nullable=True),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint(
            "rule_table", "rule", "field", "effective_from", name="pk_rule_bounds"
        ),
    )
    op.bulk_insert(table, _seed("rule_bounds.csv"))


def hours_of_branches() -> None:
    """The table is made anew, with the rows it had: its key has gained a column."""
    old = sa.table(
        "opening_hours",
        sa.column("effective_from", sa.Date()),
        *map(sa.column, ("weekday", "week_of_month", "opens_minute", "closes_minute", "source")),
    )
    kept = [dict(row) for row in op.get_bind().execute(sa.select(old)).mappings()]
    op.drop_table("opening_hours")
    table = op.create_table(
        "opening_hours",
        sa.Column("branch_id", BIG, autoincrement=False, nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("weekday", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("week_of_month", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("opens_minute", sa.SmallInteger(), nullable=True),
        sa.Column("closes_minute", sa.SmallInteger(), nullable=True),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.CheckConstraint("weekday BETWEEN 1 AND 7", name="ck_opening_hours_weekday_known"),
        sa.CheckConstraint("week_of_month BETWEEN 0 AND 5", name="ck_opening_hours_week_known"),
        sa.CheckConstraint(
            "opens_minute BETWEEN 0 AND closes_minute AND closes_minute <= 1440",
            name="ck_opening_hours_hours_sane",
        ),
        sa.CheckConstraint(
            "(opens_minute IS NULL) = (closes_minute IS NULL)",
            name="ck_opening_hours_opens_and_closes",
        ),
        sa.CheckConstraint(
            "opens_minute IS NOT NULL OR branch_id > 0 OR week_of_month > 0",
            name="ck_opening_hours_something_else",
        ),
        sa.PrimaryKeyConstraint(
            "branch_id", "effective_from", "weekday", "week_of_month", name="pk_opening_hours"
        ),
    )
    op.bulk_insert(table, [{**row, "branch_id": 0} for row in kept])


def _seed(file: str) -> list[dict[str, Any]]:
    with (SEEDS / file).open(encoding="utf-8", newline="") as lines:
        return [
            {name: _value(name, text) for name, text in row.items()}
            for row in csv.DictReader(lines)
        ]


def _value(name: str, text: str) -> Any:
    if name == "effective_from":
        return date.fromisoformat(text)
    if name in {"lowest", "highest", "rekey_above_minor"}:
        return int(text) if text else None
    return int(text) if name in {"level", "amount_above_minor", "expires_hours"} else text
