"""Through which day the book is closed, and how far back an import may book.

Why: what was reported for a month stays what was booked in it. The guard is the database's: only
there is known at once what another process has just closed. Acts and limits are records: triggers
refuse every change, who thinks again adds one.
"""

import csv
from datetime import date
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0020_book_days"
down_revision = "0019_offers"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
DATA = Path(__file__).parent.parent.parent
RULES = sa.table(
    "approval_rules",
    *map(sa.column, ("command", "role", "kind", "level", "period", "checkers", "source")),
    *map(sa.column, ("amount_above_minor", "rekey_above_minor", "expires_hours")),
    sa.column("effective_from", sa.Date()),
)


def upgrade() -> None:
    op.create_table(
        "book_closings",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("closed_through", sa.Date(), nullable=False),
        sa.Column("was_through", sa.Date(), nullable=True),
        sa.Column("entries", BIG, nullable=False),
        sa.Column("last_entry_id", BIG, nullable=False),
        sa.Column("came_late", BIG, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("by_id", BIG, nullable=False),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.Column("agreed_by_name", sa.String(length=120), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_book_closings"),
    )
    op.create_table(
        "backdating_limits",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("days", BIG, nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("set_by", BIG, nullable=False),
        sa.Column("set_by_name", sa.String(length=120), nullable=False),
        sa.Column("agreed_by_name", sa.String(length=120), nullable=True),
        sa.Column("set_at", INSTANT, nullable=False),
        sa.CheckConstraint("days >= 0", name="ck_backdating_limits_days_not_negative"),
        sa.PrimaryKeyConstraint("id", name="pk_backdating_limits"),
    )
    with (DATA / "seed" / "book_approval_rules.csv").open(encoding="utf-8", newline="") as lines:
        op.bulk_insert(
            RULES,
            [
                {
                    **row,
                    "level": int(row["level"]),
                    "effective_from": date.fromisoformat(row["effective_from"]),
                    "amount_above_minor": int(row["amount_above_minor"]),
                    "rekey_above_minor": None,
                    "expires_hours": int(row["expires_hours"]),
                }
                for row in csv.DictReader(lines)
            ],
        )
    guards()


def guards() -> None:
    bind = op.get_bind()
    schema = "main"
    if bind.dialect.name == "postgresql":
        schema = bind.scalar(sa.text("SELECT quote_ident(current_schema())"))
    script = DATA / "migrations" / "sql" / f"0020_{bind.dialect.name}.sql"
    for block in script.read_text().replace("{schema}", schema).split("-- next\n"):
        # On the bare driver, which leaves percent signs alone when there are no parameters.
        bind.connection.cursor().execute(block)
