"""Custody: drawers counted in the absence of their cashier, the chest and the vault's count by two.

Why: a cashier who falls ill at noon left a drawer that nobody could count, so the branch could not
close its day. And one custodian alone brought cash from the currency chest and sent it there; from
here on one asks and another confirms, and both stand on the paper. What is in the vault is counted
by two as well.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021_custody"
down_revision = "0020_book_days"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
SAID = sa.String(length=200)


def upgrade() -> None:
    op.add_column("drawers", sa.Column("absent_why", word("absence", "absent", "locked", "other")))
    op.add_column("drawers", sa.Column("absent_said", SAID))
    remittances()
    vault_counts()


def remittances() -> None:
    op.create_table(
        "remittances",
        sa.Column("id", BIG, nullable=False),
        sa.Column("branch_id", BIG, nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("way", word("way", "from_chest", "to_chest"), nullable=False),
        sa.Column(
            "status",
            word("remittancestatus", "requested", "confirmed", "declined", "withdrawn"),
            nullable=False,
        ),
        sa.Column("request_id", sa.String(length=36), nullable=False),
        sa.Column("amount_minor", BIG, nullable=False),
        sa.Column("tally_id", BIG, nullable=False),
        sa.Column("paper", sa.String(length=60), nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("asked_by", BIG, nullable=False),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.Column("decided_by", BIG, nullable=True),
        sa.Column("entry_id", BIG, nullable=True),
        sa.Column("note", SAID, nullable=False),
        sa.CheckConstraint("amount_minor > 0", name="ck_remittances_amount_positive"),
        sa.CheckConstraint(
            "status = 'withdrawn' OR decided_by <> asked_by",
            name="ck_remittances_decided_by_another",
        ),
        sa.ForeignKeyConstraint(["branch_id"], ["branches.id"], name="fk_remittances_branch_id"),
        sa.ForeignKeyConstraint(["tally_id"], ["tallies.id"], name="fk_remittances_tally_id"),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name="fk_remittances_entry_id"),
        sa.PrimaryKeyConstraint("id", name="pk_remittances"),
        sa.UniqueConstraint("request_id", name="uq_remittances_request_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_remittances_branch_id", "remittances", ["branch_id", "status"])


def vault_counts() -> None:
    op.create_table(
        "vault_counts",
        sa.Column("id", BIG, nullable=False),
        sa.Column("branch_id", BIG, nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column(
            "status", word("vaultcountstatus", "counted", "confirmed", "dropped"), nullable=False
        ),
        sa.Column("tally_id", BIG, nullable=False),
        sa.Column("counted_minor", BIG, nullable=False),
        sa.Column("expected_minor", BIG, nullable=False),
        sa.Column("counted_at", INSTANT, nullable=False),
        sa.Column("counted_by", BIG, nullable=False),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.Column("decided_by", BIG, nullable=True),
        sa.Column("entry_id", BIG, nullable=True),
        sa.Column("reason", SAID, nullable=False),
        sa.CheckConstraint(
            "status = 'dropped' OR decided_by <> counted_by",
            name="ck_vault_counts_confirmed_by_another",
        ),
        sa.ForeignKeyConstraint(["branch_id"], ["branches.id"], name="fk_vault_counts_branch_id"),
        sa.ForeignKeyConstraint(["tally_id"], ["tallies.id"], name="fk_vault_counts_tally_id"),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name="fk_vault_counts_entry_id"),
        sa.PrimaryKeyConstraint("id", name="pk_vault_counts"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_vault_counts_branch_id", "vault_counts", ["branch_id", "business_date"])
    op.create_index(
        "uq_vault_counts_waiting",
        "vault_counts",
        ["branch_id"],
        unique=True,
        sqlite_where=sa.text("status = 'counted'"),
        postgresql_where=sa.text("status = 'counted'"),
    )


def word(name: str, *values: str) -> sa.Enum:
    """A word out of a few, kept as text."""
    return sa.Enum(*values, name=name, native_enum=False, length=32)
