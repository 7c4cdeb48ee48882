"""Who pays in for a holder is kept with the slip; money moves between accounts at the counter, by a
voucher; a receipt is sent by mail once a day; customers are found by their names.

Why: a deposit by a third party is traced by name and mobile number. A voucher is a record like a
slip, but no cash and no drawer belong to it. Customers of before are indexed here, later ones by
whoever adds them.
"""

import re
import unicodedata
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0032_counter"
down_revision = "0031_undo"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
AT_ONCE = 10_000
LONGEST_WORD = 32
MOST_WORDS = 60
WORD = re.compile(r"[a-z0-9]{2,}")


def upgrade() -> None:
    op.add_column("cash_slips", sa.Column("mobile", sa.String(length=16), nullable=True))
    vouchers()
    mails()
    names()


def vouchers() -> None:
    op.create_table(
        "fund_vouchers",
        sa.Column("entry_id", BIG, autoincrement=False, nullable=False),
        sa.Column("branch_id", BIG, nullable=False),
        sa.Column("booking_date", sa.Date(), nullable=False),
        sa.Column("voucher_number", sa.String(length=24), nullable=False),
        sa.Column("again", sa.SmallInteger(), nullable=False),
        sa.Column("cashier_id", BIG, nullable=False),
        sa.Column("supervisor_id", BIG, nullable=True),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name="fk_fund_vouchers_entry_id"),
        sa.PrimaryKeyConstraint("entry_id", name="pk_fund_vouchers"),
        sa.UniqueConstraint(
            "branch_id",
            "booking_date",
            "voucher_number",
            "again",
            name="uq_fund_vouchers_branch_id_booking_date_voucher_number_again",
        ),
    )
    op.create_index("ix_fund_vouchers_cashier_id", "fund_vouchers", ["cashier_id", "booking_date"])
    only_added("fund_vouchers")
    if op.get_bind().dialect.name == "postgresql":
        return
    # OR REPLACE removes a row without a delete trigger, where a connection says so.
    op.execute(
        "CREATE TRIGGER fund_vouchers_no_replace BEFORE INSERT ON fund_vouchers"
        " WHEN EXISTS (SELECT 1 FROM fund_vouchers WHERE entry_id = NEW.entry_id)"
        " BEGIN SELECT RAISE(ABORT, 'fund_vouchers: records are never changed or deleted'); END"
    )
    op.execute(
        "CREATE TRIGGER fund_vouchers_once BEFORE INSERT ON fund_vouchers"
        " WHEN EXISTS (SELECT 1 FROM fund_vouchers"
        " WHERE branch_id = NEW.branch_id AND booking_date = NEW.booking_date"
        " AND voucher_number = NEW.voucher_number AND again = NEW.again"
        " AND entry_id <> NEW.entry_id) BEGIN SELECT RAISE(IGNORE); END"
    )


def mails() -> None:
    op.create_table(
        "receipt_mails",
        sa.Column("entry_id", BIG, autoincrement=False, nullable=False),
        sa.Column("mailed_on", sa.Date(), nullable=False),
        sa.Column("mailed_at", INSTANT, nullable=False),
        sa.Column("mailed_by", BIG, nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name="fk_receipt_mails_entry_id"),
        sa.PrimaryKeyConstraint("entry_id", "mailed_on", name="pk_receipt_mails"),
    )
    only_added("receipt_mails")


def only_added(table: str) -> None:
    """Rows of this table are never changed or deleted."""
    said = f"{table}: records are never changed or deleted"
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE"
            f" ON {table} FOR EACH STATEMENT EXECUTE FUNCTION book_refuse('{said}')"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}"
            f" BEGIN SELECT RAISE(ABORT, '{said}'); END"
        )


def names() -> None:
    """The words of the names of all customers, a stretch of ids at a time."""
    customers = sa.table("customers", sa.column("id", BIG), sa.column("name", sa.String()))
    found = sa.table(
        "search_words",
        sa.column("kind", sa.String()),
        sa.column("word", sa.String()),
        sa.column("object_id", BIG),
    )
    last = 0
    while True:
        rows = (
            op.get_bind()
            .execute(
                sa.select(customers.c.id, customers.c.name)
                .where(customers.c.id > last)
                .order_by(customers.c.id)
                .limit(AT_ONCE)
            )
            .all()
        )
        if not rows:
            return
        last = rows[-1].id
        kept: list[dict[str, Any]] = [
            {"kind": "customer", "object_id": row.id, "word": word}
            for row in rows
            for word in folded(row.name)
        ]
        if kept:
            op.get_bind().execute(sa.insert(found), kept)


def folded(text: str) -> list[str]:
    """The words as the bank keeps them: small letters, accents gone, letters and digits only."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    words = WORD.findall("".join(c for c in plain if not unicodedata.combining(c)))
    return list(dict.fromkeys(word[:LONGEST_WORD] for word in words))[:MOST_WORDS]
