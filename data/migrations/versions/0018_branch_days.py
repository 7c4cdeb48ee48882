"""When a branch closed its day, and opened it again.

Why: a branch goes home when no drawer is left, and the next morning somebody wants to know who saw
to that. An act is a record: triggers refuse every change, who thinks again adds one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018_branch_days"
down_revision = "0017_files"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
ACTS = sa.Enum("closed", "reopened", name="branchact", native_enum=False, length=32)
SAID = "branch_day_acts: records are never changed or deleted"


def upgrade() -> None:
    op.create_table(
        "branch_day_acts",
        sa.Column("id", BIG, nullable=False),
        sa.Column("branch_id", BIG, nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("act", ACTS, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("by_id", BIG, nullable=False),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.Column("vault_minor", BIG, nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["branch_id"], ["branches.id"], name="fk_branch_day_acts_branch_id"
        ),
        sa.ForeignKeyConstraint(["by_id"], ["users.id"], name="fk_branch_day_acts_by_id"),
        sa.PrimaryKeyConstraint("id", name="pk_branch_day_acts"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_branch_day_acts_branch_id", "branch_day_acts", ["branch_id", "business_date"]
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE TRIGGER branch_day_acts_no_change BEFORE UPDATE OR DELETE OR TRUNCATE"
            f" ON branch_day_acts FOR EACH STATEMENT EXECUTE FUNCTION book_refuse('{SAID}')"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER branch_day_acts_no_{verb.lower()} BEFORE {verb} ON branch_day_acts"
            f" BEGIN SELECT RAISE(ABORT, '{SAID}'); END"
        )
