"""A category for whoever asks about an offer of the bank's.

Why: an offer is announced to customers, and who is interested writes to the bank by one click. A
new bank has the category by its seed already.
"""

import csv
from datetime import date
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0019_offers"
down_revision = "0018_branch_days"
branch_labels = None
depends_on = None

SEED = Path(__file__).parent.parent.parent / "seed" / "ticket_categories.csv"
CODE = "offer"


def upgrade() -> None:
    table = sa.table(
        "ticket_categories",
        sa.column("code", sa.String()),
        sa.column("effective_from", sa.Date()),
        sa.column("name", sa.String()),
        sa.column("priority", sa.SmallInteger()),
        sa.column("source", sa.String()),
    )
    if op.get_bind().scalar(sa.select(sa.func.count()).where(table.c.code == CODE)):
        return
    with SEED.open(encoding="utf-8", newline="") as lines:
        op.bulk_insert(
            table,
            [
                {
                    **row,
                    "priority": int(row["priority"]),
                    "effective_from": date.fromisoformat(row["effective_from"]),
                }
                for row in csv.DictReader(lines)
                if row["code"] == CODE
            ],
        )
