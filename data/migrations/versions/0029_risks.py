"""Rules about what makes a checker look twice.

Why: how new an account is, how unusual an amount and how recent a no must be to be shown beside an
approval are the board's to say, and change from a date on.
"""

import csv
from datetime import date
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0029_risks"
down_revision = "0028_rate_card"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SEED = Path(__file__).parent.parent.parent / "seed" / "approval_risk_rules.csv"


def upgrade() -> None:
    table = op.create_table(
        "approval_risk_rules",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("value", BIG, nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("name", "effective_from", name="pk_approval_risk_rules"),
    )
    with SEED.open(encoding="utf-8", newline="") as lines:
        op.bulk_insert(
            table,
            [
                {
                    **row,
                    "effective_from": date.fromisoformat(row["effective_from"]),
                    "value": int(row["value"]),
                }
                for row in csv.DictReader(lines)
            ],
        )
