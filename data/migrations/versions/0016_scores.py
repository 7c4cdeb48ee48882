"""Who solved a ticket, and for how long its customer may say how well.

Why: a score counts for the employee who solved the ticket, and an average over somebody's days must
not read every work item of the bank. For how long it may be given and changed is a dated rule.
"""

import csv
from datetime import date
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0016_scores"
down_revision = "0015_limits"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SEED = Path(__file__).parent.parent.parent / "seed" / "ticket_rules.csv"


def upgrade() -> None:
    op.add_column("tickets", sa.Column("solved_by", BIG, nullable=True))
    op.execute(
        "UPDATE tickets SET solved_by = (SELECT decided_by FROM work_items"
        " WHERE work_items.kind = 'ticket' AND work_items.subject_id = tickets.id)"
        " WHERE solved_at IS NOT NULL"
    )
    op.create_index("ix_tickets_solved_by", "tickets", ["solved_by", "solved_at"])
    rule()


def rule() -> None:
    """A new bank has the rule by its seed already."""
    known = op.get_bind().scalar(
        sa.text("SELECT count(*) FROM ticket_rules WHERE name = 'score_days'")
    )
    if known:
        return
    table = sa.table(
        "ticket_rules",
        sa.column("name"),
        sa.column("effective_from", sa.Date()),
        sa.column("value", sa.BigInteger()),
        sa.column("source"),
    )
    with SEED.open(encoding="utf-8", newline="") as lines:
        op.bulk_insert(
            table,
            [
                {
                    **row,
                    "value": int(row["value"]),
                    "effective_from": date.fromisoformat(row["effective_from"]),
                }
                for row in csv.DictReader(lines)
                if row["name"] == "score_days"
            ],
        )
