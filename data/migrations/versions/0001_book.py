"""The book and the core: chart, entries, postings, balances, holds, seals, trail, outbox.

Why: one ledger takes all writes, and the database guards it a second time. The
guards are triggers, written by hand for each database in ../sql.
"""

import csv
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001_book"
down_revision = None
branch_labels = None
depends_on = None

HERE = Path(__file__).parent
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


class Xid8(sa.types.UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction id."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "xid8"


TXID = Xid8().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    tables()
    with (HERE.parent.parent / "seed" / "chart.csv").open(newline="") as file:
        rows = [{**row, "is_control": row["is_control"] == "1"} for row in csv.DictReader(file)]
    columns = ("code", "name", "kind")
    chart = sa.table("gl_accounts", *map(sa.column, columns), sa.column("is_control", sa.Boolean))
    op.bulk_insert(chart, rows)
    dialect = op.get_bind().dialect.name
    if dialect == "postgresql":
        op.create_index("ix_entries_txid", "entries", ["txid"])
        op.create_index("ix_postings_txid", "postings", ["txid"])
        schema = op.get_bind().scalar(sa.text("SELECT quote_ident(current_schema())"))
    else:
        schema = "main"
    script = (HERE.parent / "sql" / f"0001_{dialect}.sql").read_text().replace("{schema}", schema)
    for block in script.split("-- next\n"):
        # On the bare driver, which leaves percent signs alone when there are no parameters.
        op.get_bind().connection.cursor().execute(block)


def tables() -> None:
    op.create_table(
        "bank_state",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("is_demo", sa.Boolean(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_bank_state_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_state")),
    )
    op.create_table(
        "entries",
        sa.Column("id", BIG, nullable=False),
        sa.Column("request_id", sa.String(length=36), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("narration", sa.String(length=200), nullable=False),
        sa.Column("branch_id", BIG, nullable=False),
        sa.Column("actor_id", BIG, nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("booked_at", INSTANT, nullable=False),
        sa.Column("booking_date", sa.Date(), nullable=False),
        sa.Column("value_date", sa.Date(), nullable=False),
        sa.Column("reverses_id", BIG, nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("external_id", sa.String(length=80), nullable=True),
        sa.Column("txid", TXID, nullable=True),
        sa.ForeignKeyConstraint(
            ["reverses_id"], ["entries.id"], name=op.f("fk_entries_reverses_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entries")),
        sa.UniqueConstraint("request_id", name=op.f("uq_entries_request_id")),
        sa.UniqueConstraint("reverses_id", name=op.f("uq_entries_reverses_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_entries_actor_id", "entries", ["actor_id", "id"], unique=False)
    op.create_index("ix_entries_booking_date", "entries", ["booking_date", "id"], unique=False)
    op.create_index("ix_entries_branch_id", "entries", ["branch_id", "id"], unique=False)
    op.create_index(
        "ix_entries_external_id",
        "entries",
        ["external_id"],
        unique=False,
        sqlite_where=sa.text("external_id IS NOT NULL"),
        postgresql_where=sa.text("external_id IS NOT NULL"),
    )
    op.create_table(
        "gl_accounts",
        sa.Column("id", BIG, nullable=False),
        sa.Column("code", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("is_control", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('asset', 'liability', 'equity', 'income', 'expense')",
            name=op.f("ck_gl_accounts_kind_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gl_accounts")),
        sa.UniqueConstraint("code", name=op.f("uq_gl_accounts_code")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", BIG, nullable=False),
        sa.Column("channel", sa.String(length=8), nullable=False),
        sa.Column("recipient", sa.String(length=254), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("confidential", sa.Boolean(), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("user_id", BIG, nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "waiting",
                "sending",
                "sent",
                "failed",
                "expired",
                name="messagestatus",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("attempts", BIG, nullable=False),
        sa.Column("queued_at", INSTANT, nullable=False),
        sa.Column("not_before", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=True),
        sa.Column("lease", sa.String(length=64), nullable=True),
        sa.Column("leased_until", INSTANT, nullable=True),
        sa.Column("sent_at", INSTANT, nullable=True),
        sa.Column("last_error", sa.String(length=300), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_outbox_due",
        "outbox",
        ["not_before"],
        unique=False,
        sqlite_where=sa.text("status IN ('waiting', 'sending')"),
        postgresql_where=sa.text("status IN ('waiting', 'sending')"),
    )
    op.create_table(
        "postings",
        sa.Column("entry_id", BIG, autoincrement=False, nullable=False),
        sa.Column("leg", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("gl_account_id", BIG, nullable=False),
        sa.Column("account_id", BIG, nullable=True),
        sa.Column("branch_id", BIG, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_minor", BIG, nullable=False),
        sa.Column("booking_date", sa.Date(), nullable=False),
        sa.Column("value_date", sa.Date(), nullable=False),
        sa.Column("line_no", BIG, nullable=True),
        sa.Column("balance_minor", BIG, nullable=True),
        sa.Column("txid", TXID, nullable=True),
        sa.CheckConstraint(
            "(account_id IS NULL) = (line_no IS NULL) AND (account_id IS NULL) = (balance_minor IS NULL)",
            name=op.f("ck_postings_account_line_complete"),
        ),
        sa.CheckConstraint("amount_minor <> 0", name=op.f("ck_postings_amount_not_zero")),
        sa.PrimaryKeyConstraint("entry_id", "leg", name=op.f("pk_postings")),
        sa.UniqueConstraint("account_id", "line_no", name=op.f("uq_postings_account_id_line_no")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_postings_gl_account_id",
        "postings",
        ["gl_account_id", "branch_id", "booking_date"],
        unique=False,
    )
    op.create_table(
        "seal_leaves",
        sa.Column("entry_id", BIG, autoincrement=False, nullable=False),
        sa.Column("seal_id", BIG, nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_seal_leaves")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_seal_leaves_seal_id", "seal_leaves", ["seal_id", "entry_id"], unique=False)
    op.create_table(
        "seals",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("sealed_at", INSTANT, nullable=False),
        sa.Column("upto", sa.BigInteger(), nullable=False),
        sa.Column("entries", BIG, nullable=False),
        sa.Column("root", sa.String(length=64), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("chain", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seals")),
    )
    op.create_table(
        "trail",
        sa.Column("id", BIG, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("verb", sa.String(length=80), nullable=False),
        sa.Column("outcome", sa.String(length=8), nullable=False),
        sa.Column("actor_id", BIG, nullable=True),
        sa.Column("actor_name", sa.String(length=120), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("branch_id", BIG, nullable=True),
        sa.Column("session_id", BIG, nullable=True),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("from_where", sa.String(length=64), nullable=False),
        sa.Column("object_kind", sa.String(length=32), nullable=True),
        sa.Column("object_id", sa.String(length=64), nullable=True),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("refusal", sa.String(length=300), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trail")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_trail_actor_id"), "trail", ["actor_id"], unique=False)
    op.create_index(op.f("ix_trail_at"), "trail", ["at"], unique=False)
    op.create_index("ix_trail_object", "trail", ["object_kind", "object_id"], unique=False)
    op.create_index(
        "ix_trail_session_id",
        "trail",
        ["session_id", "object_kind", "object_id", "at"],
        unique=False,
    )
    op.create_index(op.f("ix_trail_verb"), "trail", ["verb"], unique=False)
    op.create_table(
        "balances",
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("gl_account_id", BIG, nullable=False),
        sa.Column("branch_id", BIG, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("booked_minor", BIG, nullable=False),
        sa.Column("held_minor", BIG, nullable=False),
        sa.Column("overdraft_limit_minor", BIG, nullable=False),
        sa.Column("lines", BIG, nullable=False),
        sa.CheckConstraint("held_minor >= 0", name=op.f("ck_balances_held_not_negative")),
        sa.CheckConstraint(
            "overdraft_limit_minor >= 0", name=op.f("ck_balances_overdraft_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["gl_account_id"], ["gl_accounts.id"], name=op.f("fk_balances_gl_account_id")
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_balances")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_balances_branch_id"), "balances", ["branch_id"], unique=False)
    op.create_table(
        "floor_waivers",
        sa.Column("id", BIG, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("granted_at", INSTANT, nullable=False),
        sa.Column("granted_by", BIG, nullable=False),
        sa.Column("lowest_minor", BIG, nullable=True),
        sa.Column("closed_at", INSTANT, nullable=True),
        sa.CheckConstraint("channel = 'import'", name=op.f("ck_floor_waivers_import_only")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["balances.account_id"], name=op.f("fk_floor_waivers_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_floor_waivers")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_floor_waivers_account_id"), "floor_waivers", ["account_id"], unique=False
    )
    op.create_table(
        "holds",
        sa.Column("id", BIG, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("amount_minor", BIG, nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("placed_at", INSTANT, nullable=False),
        sa.Column("placed_by", BIG, nullable=False),
        sa.Column("released_at", INSTANT, nullable=True),
        sa.Column("released_by", BIG, nullable=True),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_holds_amount_positive")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["balances.account_id"], name=op.f("fk_holds_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holds")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_holds_account_id", "holds", ["account_id", "released_at"], unique=False)
