"""Guards: what a review of the book found that no table and no trigger kept yet.

Why: a floor waived once must not be waived again by a later import; a published file that was
cut must be told from one that is only behind; a hold that was asked for twice is placed once. The guards are triggers,
written by hand for each database in ../sql.
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0006_guards"
down_revision = "0005_counters"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    # Waivers of before have none: no batch may add to them.
    op.add_column("floor_waivers", sa.Column("batch_id", BIG, nullable=True))
    for name in ("request_id", "release_request_id"):
        op.add_column("holds", sa.Column(name, sa.String(length=36), nullable=True))
        op.create_index(f"ix_holds_{name}", "holds", [name], unique=True)
    op.add_column("confirmations", sa.Column("request_id", sa.String(length=36), nullable=True))
    op.create_table(
        "published_roots",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("upto", BIG, nullable=False),
        sa.CheckConstraint("id = 1", name="ck_published_roots_one_row"),
        sa.PrimaryKeyConstraint("id", name="pk_published_roots"),
    )
    bind = op.get_bind()
    schema = "main"
    if bind.dialect.name == "postgresql":
        schema = bind.scalar(sa.text("SELECT quote_ident(current_schema())"))
    script = (SQL / f"0006_{bind.dialect.name}.sql").read_text().replace("{schema}", schema)
    for block in script.split("-- next\n"):
        # On the bare driver, which leaves percent signs alone when there are no parameters.
        bind.connection.cursor().execute(block)
