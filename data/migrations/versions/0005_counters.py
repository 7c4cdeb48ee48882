"""Counters: what a slip, a transfer and a printed receipt say beyond the entry they belong to.

Why: the book knows lines and amounts; which paper slip was behind a cash entry, who brought the
money, whom a customer paid and how often a receipt was printed are facts of the counter. They are
records: triggers refuse every change, as they do for the book.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005_counters"
down_revision = "0004_imports"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
RECORDS = ("cash_slips", "transfers", "receipt_prints")


def upgrade() -> None:
    op.create_table(
        "cash_slips",
        sa.Column("entry_id", BIG, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("branch_id", BIG, nullable=False),
        sa.Column("booking_date", sa.Date(), nullable=False),
        sa.Column("slip_number", sa.String(length=24), nullable=False),
        sa.Column("again", sa.SmallInteger(), nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("person", sa.String(length=50), nullable=False),
        sa.Column("note", sa.String(length=50), nullable=False),
        sa.Column("cashier_id", BIG, nullable=False),
        sa.CheckConstraint(
            "kind IN ('cash_deposit', 'cash_withdrawal')", name="ck_cash_slips_kind_known"
        ),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name="fk_cash_slips_entry_id"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_cash_slips_account_id"),
        sa.PrimaryKeyConstraint("entry_id", name="pk_cash_slips"),
        sa.UniqueConstraint(
            "branch_id",
            "booking_date",
            "slip_number",
            "kind",
            "again",
            name="uq_cash_slips_branch_id_booking_date_slip_number_kind_again",
        ),
    )
    op.create_index("ix_cash_slips_cashier_id", "cash_slips", ["cashier_id", "booking_date"])
    op.create_table(
        "transfers",
        sa.Column("entry_id", BIG, autoincrement=False, nullable=False),
        sa.Column("from_account_id", BIG, nullable=False),
        sa.Column("to_account_id", BIG, nullable=False),
        sa.Column("amount_minor", BIG, nullable=False),
        sa.Column("note", sa.String(length=80), nullable=False),
        sa.Column("sent_by", BIG, nullable=False),
        sa.Column("sent_at", INSTANT, nullable=False),
        sa.CheckConstraint("amount_minor > 0", name="ck_transfers_amount_positive"),
        sa.CheckConstraint("from_account_id <> to_account_id", name="ck_transfers_two_accounts"),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name="fk_transfers_entry_id"),
        sa.ForeignKeyConstraint(
            ["from_account_id"], ["accounts.id"], name="fk_transfers_from_account_id"
        ),
        sa.ForeignKeyConstraint(
            ["to_account_id"], ["accounts.id"], name="fk_transfers_to_account_id"
        ),
        sa.PrimaryKeyConstraint("entry_id", name="pk_transfers"),
    )
    op.create_index("ix_transfers_from_account_id", "transfers", ["from_account_id", "entry_id"])
    op.create_index("ix_transfers_to_account_id", "transfers", ["to_account_id", "entry_id"])
    op.create_table(
        "receipt_prints",
        sa.Column("entry_id", BIG, autoincrement=False, nullable=False),
        sa.Column("copy_number", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("printed_at", INSTANT, nullable=False),
        sa.Column("printed_by", BIG, nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name="fk_receipt_prints_entry_id"),
        sa.PrimaryKeyConstraint("entry_id", "copy_number", name="pk_receipt_prints"),
    )
    for table in RECORDS:
        for statement in _guards(table):
            op.execute(statement)


def _guards(table: str) -> list[str]:
    said = f"{table}: records are never changed or deleted"
    if op.get_bind().dialect.name == "postgresql":
        return [
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION book_refuse('{said}')"
        ]
    return [
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}"
        f" BEGIN SELECT RAISE(ABORT, '{said}'); END"
        for verb in ("UPDATE", "DELETE")
    ]
