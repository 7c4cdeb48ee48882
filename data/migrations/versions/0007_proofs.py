"""Proofs: what a new transaction password waits for, whose QR code is shown, which key it all is.

Why: a transaction password set without the old one pays nothing for a while, so that its owner can
notice; two first sign-ins no longer share one key for a device; and a bank that is started with
another secret than it was made with must say so, instead of shutting out everybody with a device.
"""

import csv
from datetime import date
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0007_proofs"
down_revision = "0006_guards"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
SEED = Path(__file__).parent.parent.parent / "seed" / "security_rules.csv"


def upgrade() -> None:
    op.add_column("users", sa.Column("payments_rest_until", INSTANT, nullable=True))
    op.add_column("sign_ins", sa.Column("totp_pending", sa.String(length=250), nullable=True))
    op.create_table(
        "key_checks",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("value", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_checks")),
    )
    rules()


def rules() -> None:
    """The rules that the seed has gained. A new bank has got them from the first look at it."""
    table = sa.table(
        "security_rules",
        sa.column("name", sa.String()),
        sa.column("effective_from", sa.Date()),
        sa.column("value", BIG),
        sa.column("source", sa.String()),
    )
    rows = op.get_bind().execute(sa.select(table.c.name, table.c.effective_from))
    known = {(name, effective_from) for name, effective_from in rows}
    with SEED.open(newline="") as file:
        missing = [
            {
                "name": row["name"],
                "effective_from": date.fromisoformat(row["effective_from"]),
                "value": int(row["value"]),
                "source": row["source"],
            }
            for row in csv.DictReader(file)
            if (row["name"], date.fromisoformat(row["effective_from"])) not in known
        ]
    if missing:
        op.bulk_insert(table, missing)
