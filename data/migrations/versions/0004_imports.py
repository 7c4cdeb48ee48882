"""Imports: the batches the bank took in, and the GL account each kind of entry meets.

Why: which account stands against an imported entry is a rule with a date, so it is
data; and a bank must be able to say later which books it took over, when and how.
"""

import csv
from datetime import date
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0004_imports"
down_revision = "0003_accounts"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
SEED = Path(__file__).parent.parent.parent / "seed" / "import_contra.csv"


def upgrade() -> None:
    op.create_table(
        "import_batches",
        sa.Column("id", BIG, nullable=False),
        sa.Column("folder", sa.String(length=200), nullable=False),
        sa.Column("strict", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("started_by", BIG, nullable=False),
        sa.Column("finished_at", INSTANT, nullable=True),
        sa.Column("entries", BIG, nullable=False),
        sa.Column("accounts", BIG, nullable=False),
        sa.Column("new_entries", BIG, nullable=False),
        sa.Column("rejected", BIG, nullable=False),
        sa.Column("balance_differences", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_import_batches"),
        sqlite_autoincrement=True,
    )
    contra = op.create_table(
        "import_contra",
        sa.Column("id", BIG, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("gl_code", sa.String(length=8), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_import_contra"),
        sa.ForeignKeyConstraint(["gl_code"], ["gl_accounts.code"], name="fk_import_contra_gl_code"),
        sa.UniqueConstraint("kind", "effective_from", name="uq_import_contra_kind_effective_from"),
    )
    with SEED.open(newline="", encoding="utf-8") as file:
        op.bulk_insert(
            contra,
            [
                {**row, "effective_from": date.fromisoformat(row["effective_from"])}
                for row in csv.DictReader(file)
            ],
        )
