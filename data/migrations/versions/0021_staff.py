"""What numbers about an employee need: which promise an act met, and the rules they are read by.

Why: whether a reply came in time was forgotten with the reply, because its clock was emptied. From
now on the line of an item's history keeps the deadline it was done by; older lines have none, and
are not counted as kept or missed. A median of the role needs a least number of people (a dated
rule), who leaves does so for a reason with a code, and a cashier's own slip of today is taken back
by two.
"""

import csv
from datetime import date
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0021_staff"
down_revision = "0020_book_days"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
SEEDS = Path(__file__).parent.parent.parent / "seed"
RULES = sa.table(
    "approval_rules",
    *map(sa.column, ("command", "role", "kind", "level", "period", "checkers", "source")),
    *map(sa.column, ("amount_above_minor", "rekey_above_minor", "expires_hours")),
    sa.column("effective_from", sa.Date()),
)


def upgrade() -> None:
    op.add_column("work_events", sa.Column("due_at", INSTANT, nullable=True))
    op.create_index("ix_approvals_checker_id", "approvals", ["checker_id", "decided_at"])
    numbers = op.create_table(
        "performance_rules",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("value", BIG, nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("name", "effective_from", name="pk_performance_rules"),
    )
    reasons = op.create_table(
        "leaving_reasons",
        sa.Column("code", sa.String(length=24), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("code", "effective_from", name="pk_leaving_reasons"),
    )
    op.bulk_insert(
        numbers, [{**row, "value": int(row["value"])} for row in _seed("performance_rules.csv")]
    )
    op.bulk_insert(reasons, _seed("leaving_reasons.csv"))
    op.bulk_insert(
        RULES,
        [
            {
                **row,
                "level": int(row["level"]),
                "amount_above_minor": int(row["amount_above_minor"]),
                "rekey_above_minor": int(row["rekey_above_minor"] or 0) or None,
                "expires_hours": int(row["expires_hours"]),
            }
            for row in _seed("slip_approval_rules.csv")
        ],
    )


def _seed(file: str) -> list[dict[str, object]]:
    with (SEEDS / file).open(encoding="utf-8", newline="") as lines:
        return [
            {**row, "effective_from": date.fromisoformat(row["effective_from"])}
            for row in csv.DictReader(lines)
        ]
