"""Names: whoever booked an entry, and the branches it books at, exist and stay.

Why: only a check noticed an entry that named nobody. Keys would lock the row of a branch at every
entry of it and halve a batch's speed, and SQLite cannot add one to a table that is there. So these
are triggers, written by hand for each database in ../sql. Entries of before are left to the check.
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0008_names"
down_revision = "0007_proofs"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    bind = op.get_bind()
    schema = "main"
    if bind.dialect.name == "postgresql":
        schema = bind.scalar(sa.text("SELECT quote_ident(current_schema())"))
    script = (SQL / f"0008_{bind.dialect.name}.sql").read_text().replace("{schema}", schema)
    for block in script.split("-- next\n"):
        # On the bare driver, which leaves percent signs alone when there are no parameters.
        bind.connection.cursor().execute(block)
