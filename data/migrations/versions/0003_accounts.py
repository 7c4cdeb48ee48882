"""Products with dated terms, and customers' accounts.

Why: the book knows balances; people know account numbers, holders and products.
"""

import csv
from datetime import date
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0003_accounts"
down_revision = "0002_people"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SEED = Path(__file__).parent.parent.parent / "seed" / "products.csv"


def upgrade() -> None:
    products = op.create_table(
        "products",
        sa.Column("id", BIG, primary_key=True),
        sa.Column("code", sa.String(16), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("gl_code", sa.String(8), nullable=False),
        sa.UniqueConstraint("code", name="uq_products_code"),
    )
    terms = op.create_table(
        "product_terms",
        sa.Column("id", BIG, primary_key=True),
        sa.Column("product_id", BIG, nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("minimum_balance_minor", BIG, nullable=False),
        sa.Column("interest_rate_bps", BIG, nullable=False),
        sa.Column("overdraft_ceiling_minor", BIG, nullable=False),
        sa.Column("source", sa.String(200), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name="fk_product_terms_product_id"
        ),
        sa.UniqueConstraint(
            "product_id", "effective_from", name="uq_product_terms_product_id_effective_from"
        ),
    )
    op.create_table(
        "accounts",
        sa.Column("id", BIG, primary_key=True, autoincrement=False),
        sa.Column("number", sa.String(24), nullable=False),
        sa.Column("customer_id", BIG, nullable=False),
        sa.Column("product_id", BIG, nullable=False),
        sa.Column("branch_id", BIG, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("opened_by", BIG, nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("request_id", sa.String(36), nullable=True),
        sa.ForeignKeyConstraint(["id"], ["balances.account_id"], name="fk_accounts_id"),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name="fk_accounts_customer_id"),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name="fk_accounts_product_id"),
        sa.ForeignKeyConstraint(["branch_id"], ["branches.id"], name="fk_accounts_branch_id"),
        sa.UniqueConstraint("number", name="uq_accounts_number"),
        sa.UniqueConstraint("request_id", name="uq_accounts_request_id"),
    )
    op.create_index("ix_accounts_customer_id", "accounts", ["customer_id"])
    op.create_index("ix_accounts_branch_id", "accounts", ["branch_id"])

    with SEED.open(newline="") as file:
        rows = list(csv.DictReader(file))
    ids: dict[str, int] = {}
    for row in rows:
        if row["code"] not in ids:
            ids[row["code"]] = len(ids) + 1
            op.bulk_insert(products, [{key: row[key] for key in ("code", "name", "gl_code")}])
    op.bulk_insert(
        terms,
        [
            {
                "product_id": ids[row["code"]],
                "effective_from": date.fromisoformat(row["effective_from"]),
                "minimum_balance_minor": int(row["minimum_balance_minor"]),
                "interest_rate_bps": int(row["interest_rate_bps"]),
                "overdraft_ceiling_minor": int(row["overdraft_ceiling_minor"]),
                "source": row["source"],
            }
            for row in rows
        ],
    )
