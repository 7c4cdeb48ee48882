"""Employees are managed by facts: a status that moves, links that activate, grants with dates.

Why: `active` said only yes or no, and could not tell a locked person from one who has left. The
links, codes, grants and viewings below are the records that let a bank say who let whom do what.
"""

import csv
from datetime import date
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0011_staff"
down_revision = "0010_drawers"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
SEED = Path(__file__).parent.parent.parent / "seed"


def upgrade() -> None:
    statuses()
    rules()
    links()
    grants()
    views()
    second_persons()


def statuses() -> None:
    """`users.status` in place of `users.active`."""
    op.execute(
        "ALTER TABLE users ADD COLUMN status VARCHAR(32) NOT NULL DEFAULT 'active'"
        " CONSTRAINT ck_users_status_known CHECK (status IN ('active', 'locked', 'removed'))"
    )
    op.execute("UPDATE users SET status = 'locked' WHERE NOT active")
    op.drop_column("users", "active")
    op.create_index("ix_users_role", "users", ["role", "branch_id"])


def rules() -> None:
    """More rules of security, dated like the first ones."""
    table = sa.table(
        "security_rules",
        sa.column("name"),
        sa.column("effective_from", sa.Date()),
        sa.column("value", BIG),
        sa.column("source"),
    )
    op.bulk_insert(
        table,
        [
            {
                "name": row["name"],
                "effective_from": date.fromisoformat(row["effective_from"]),
                "value": int(row["value"]),
                "source": row["source"],
            }
            for row in seed("staff_rules.csv")
        ],
    )


def links() -> None:
    """Links that let one person choose a password, and codes for the day a device is lost."""
    op.create_table(
        "activations",
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("status", choice("activationstatus", ("live", "used", "void")), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_activations_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activations")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_activations_fingerprint")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_activations_user_id"), "activations", ["user_id"])
    op.create_table(
        "backup_codes",
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("mac", sa.String(length=16), nullable=False),
        sa.Column("status", choice("backupcodestatus", ("live", "used", "void")), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("used_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_backup_codes_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backup_codes")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_backup_codes_user_id", "backup_codes", ["user_id", "status"])


def grants() -> None:
    """What is given to people by name and for a time, and what excludes what."""
    named = choice("namedgrant", ("supervisor", "vault_custodian"))
    op.create_table(
        "named_grants",
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("named", named, nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("given_by", BIG, nullable=False),
        sa.Column("given_at", INSTANT, nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("ended_by", BIG, nullable=True),
        sa.Column("ended_because", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_named_grants_user_id")),
        sa.ForeignKeyConstraint(["given_by"], ["users.id"], name=op.f("fk_named_grants_given_by")),
        sa.ForeignKeyConstraint(["ended_by"], ["users.id"], name=op.f("fk_named_grants_ended_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_named_grants")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_named_grants_user_id"), "named_grants", ["user_id"])
    conflicts = op.create_table(
        "grant_conflicts",
        sa.Column("held", sa.String(length=32), nullable=False),
        sa.Column("named", named, nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("forbidden", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("held", "named", "effective_from", name=op.f("pk_grant_conflicts")),
    )
    op.bulk_insert(
        conflicts,
        [
            {
                "held": row["held"],
                "named": row["named"],
                "effective_from": date.fromisoformat(row["effective_from"]),
                "forbidden": row["forbidden"] == "1",
                "source": row["source"],
            }
            for row in seed("grant_conflicts.csv")
        ],
    )


def views() -> None:
    """Who looked at a customer's portal, why and until when; and a place for it in the trail."""
    op.create_table(
        "viewings",
        sa.Column("id", BIG, nullable=False),
        sa.Column("session_id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("customer_id", BIG, nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name=op.f("fk_viewings_session_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_viewings_user_id")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_viewings_customer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_viewings")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_viewings_open",
        "viewings",
        ["session_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(op.f("ix_viewings_customer_id"), "viewings", ["customer_id"])
    op.add_column("trail", sa.Column("on_behalf_of", BIG, nullable=True))


def second_persons() -> None:
    """Nobody changes how a colleague signs in, or what they may do, alone."""
    table = sa.table(
        "approval_rules",
        *map(sa.column, ("command", "role", "kind", "level", "period", "checkers", "source")),
        *map(sa.column, ("amount_above_minor", "rekey_above_minor", "expires_hours")),
        sa.column("effective_from", sa.Date()),
    )
    op.bulk_insert(
        table,
        [
            {
                **row,
                "level": int(row["level"]),
                "effective_from": date.fromisoformat(row["effective_from"]),
                "amount_above_minor": int(row["amount_above_minor"]),
                "rekey_above_minor": int(row["rekey_above_minor"] or 0) or None,
                "expires_hours": int(row["expires_hours"]),
            }
            for row in seed("staff_approval_rules.csv")
        ],
    )


def seed(name: str) -> list[dict[str, str]]:
    """The rows of a file of seeds."""
    with (SEED / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def choice(name: str, values: tuple[str, ...]) -> sa.Enum:
    """A word out of a few, kept as text so that a new one needs no migration of the type."""
    return sa.Enum(*values, name=name, native_enum=False, length=32)
