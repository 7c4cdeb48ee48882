"""Seals: Merkle roots over the journal, made after the fact and published outside it.

A seal covers every entry that committed since the seal before. The digest of
each entry is kept beside the seal, so a changed entry can be named; the roots are
chained and published (see `roots`), so whoever owns the database cannot quietly
rewrite both. Sealing runs beside the counters and slows none of them.

On PostgreSQL entries commit out of order, so a seal ends at the oldest
transaction still in flight; on SQLite, where one writer commits at a time, at
the last entry.
"""

import hashlib
import json
import logging
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Connection, insert, select, text

from bank.book import roots
from bank.book.tables import Seal, SealLeaf
from bank.core.db import DATABASE_ERRORS
from bank.core.desk import Desk, Tx, chunk, flow, looking
from bank.core.permissions import Permission

GENESIS: Final = "0" * 64
SEAL_EVERY_SECONDS: Final = 5.0
AT_ONCE: Final = 50_000  # entries in one seal: bounds its memory and its transaction
FIELDS: Final = (
    "e.id, e.request_id, e.content_hash, e.kind, e.narration, e.branch_id, e.actor_id, e.channel,"
    " e.booked_at, e.booking_date, e.value_date, e.reverses_id, e.reason, e.external_id,"
    " p.leg, p.gl_account_id, p.account_id, p.branch_id, p.currency, p.amount_minor,"
    " p.booking_date, p.value_date, p.line_no, p.balance_minor"
)
ENTRY_FIELDS: Final = 14

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Leaf:
    """The digest of one entry with its lines."""

    entry_id: int
    digest: bytes
    seal_id: int = 0


def merkle_root(digests: Iterable[bytes]) -> str:
    """The root (hex) over digests in order; an odd one out moves up a level unchanged."""
    level = list(digests)
    if not level:
        return GENESIS
    while len(level) > 1:
        pairs = [
            hashlib.sha256(b"\x01" + level[i] + level[i + 1]).digest()
            for i in range(0, len(level) - 1, 2)
        ]
        level = pairs + level[-1:] if len(level) % 2 else pairs
    return level[0].hex()


def chain_hash(previous: str, root: str, entries: int, upto: int) -> str:
    """What binds a seal to the one before it."""
    return hashlib.sha256(f"{previous}|{root}|{entries}|{upto}".encode()).hexdigest()


def _digest(rows: list[tuple[Any, ...]]) -> bytes:
    # As JSON, so that no narration can pass for the field behind it.
    text = json.dumps([rows[0][:ENTRY_FIELDS], *(row[ENTRY_FIELDS:] for row in rows)], default=str)
    return hashlib.sha256(b"\x00" + text.encode()).digest()


def _leaves(connection: Connection, where: str, parameters: dict[str, Any]) -> Iterator[Leaf]:
    # booked_at is cast to text in UTC so that both databases and every session digest the same.
    fields = FIELDS
    if connection.dialect.name == "postgresql":
        fields = FIELDS.replace(
            "e.booked_at", "to_char(e.booked_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
        )
    rows = connection.execute(
        text(
            f"SELECT {fields} FROM entries e LEFT JOIN postings p ON p.entry_id = e.id"  # noqa: S608
            f" WHERE {where} ORDER BY e.id, p.leg"
        ),
        parameters,
        execution_options={"yield_per": 10_000},
    )
    for entry_id, group in groupby(rows, key=lambda row: row[0]):
        yield Leaf(entry_id, _digest([tuple(row) for row in group]))


def _last(tx: Tx) -> tuple[int, int, str]:
    row = tx.connection.execute(
        select(Seal.id, Seal.upto, Seal.chain).order_by(Seal.id.desc()).limit(1)
    ).first()
    return (row.id, row.upto, row.chain) if row else (0, 0, GENESIS)


def _horizon(tx: Tx, last: int) -> tuple[int, str]:
    """Up to where this seal may go, and the condition on entries `e` that it covers."""
    if tx.dialect == "sqlite":
        newest = tx.connection.execute(
            text("SELECT COALESCE(MAX(id), 0) FROM entries")
        ).scalar_one()
        return min(newest, last + AT_ONCE), "e.id > :last AND e.id <= :upto"
    oldest_in_flight = tx.connection.execute(
        text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
    ).scalar_one()
    crowded = tx.connection.execute(
        text(
            "SELECT txid::text::bigint FROM entries WHERE txid >= CAST(:last AS text)::xid8"
            " AND txid < CAST(:upto AS text)::xid8 ORDER BY txid OFFSET :most LIMIT 1"
        ),
        {"last": str(last), "upto": str(oldest_in_flight), "most": AT_ONCE},
    ).scalar()
    upto = crowded + 1 if crowded is not None else oldest_in_flight
    return upto, "e.txid >= CAST(:last AS text)::xid8 AND e.txid < CAST(:upto AS text)::xid8"


def _condition(dialect: str, last: int, upto: int) -> dict[str, Any]:
    return (
        {"last": last, "upto": upto}
        if dialect == "sqlite"
        else {"last": str(last), "upto": str(upto)}
    )


@flow(Permission.BOOK_SEAL)
def seal(desk: Desk) -> int:
    """Seal every entry that is not sealed yet and publish the roots; returns how many entries."""
    total = 0
    while True:
        made = _seal_once(desk)
        roots.publish(
            desk
        )  # after every seal, so that a crash leaves no more than the last one out
        total += made
        if made == 0:
            break
    return total


def _seal_once(desk: Desk) -> int:
    with looking(desk) as tx:  # most of the time there is nothing to do, and nothing is locked
        _, last, _ = _last(tx)
        upto, condition = _horizon(tx, last)
        probe = text(f"SELECT 1 FROM entries e WHERE {condition} LIMIT 1")  # noqa: S608
        waiting = tx.connection.execute(probe, _condition(tx.dialect, last, upto)).first()
    if waiting is None:
        return 0
    with chunk(desk, "book.seals.seal") as tx:
        if tx.dialect == "postgresql":
            tx.connection.execute(text("SELECT pg_advisory_xact_lock(7243002)"))
        number, last, previous = _last(tx)
        upto, condition = _horizon(tx, last)
        leaves = list(_leaves(tx.connection, condition, _condition(tx.dialect, last, upto)))
        if not leaves:
            return 0
        root = merkle_root(leaf.digest for leaf in leaves)
        tx.connection.execute(
            insert(Seal),
            {
                "id": number + 1,
                "sealed_at": tx.now,
                "upto": upto,
                "entries": len(leaves),
                "root": root,
                "previous": previous,
                "chain": chain_hash(previous, root, len(leaves), upto),
            },
        )
        tx.connection.execute(
            insert(SealLeaf),
            [
                {"entry_id": leaf.entry_id, "seal_id": number + 1, "digest": leaf.digest}
                for leaf in leaves
            ],
        )
        tx.facts["entries"] = len(leaves)
        return len(leaves)


@flow(Permission.INTEGRITY_VIEW)
def check_seals(desk: Desk) -> list[str]:
    """Compare entries with their digests, roots with their leaves, the chain and what is published.

    Returns one sentence for each thing that is wrong, empty when nothing is.
    """
    with looking(desk) as tx:
        seals = tx.connection.execute(roots.seal_rows()).all()
        recorded = roots.published_upto(tx)
        found = _check_entries(tx, seals[-1].upto if seals else 0)
        found += _check_hidden(tx)
        found += _check_chain(tx, seals)
    return found + roots.faults(desk, seals, recorded, tx.now)


def _check_entries(tx: Tx, upto: int) -> list[str]:
    """Walk entries and leaves side by side in the order of their ids."""
    found = []
    condition = "e.id <= :upto" if tx.dialect == "sqlite" else "e.txid < CAST(:upto AS text)::xid8"
    kept = _kept(tx)
    known = next(kept, None)
    for leaf in _leaves(tx.connection, condition, {"upto": upto if _lite(tx) else str(upto)}):
        while known is not None and known.entry_id < leaf.entry_id:
            found.append(f"entry {known.entry_id} was removed after it was sealed")
            known = next(kept, None)
        if known is None or known.entry_id > leaf.entry_id:
            found.append(f"entry {leaf.entry_id} was inserted after its time was sealed")
            continue
        if known.digest != leaf.digest:
            found.append(f"entry {leaf.entry_id} was altered after it was sealed")
        known = next(kept, None)
    while known is not None:
        found.append(f"entry {known.entry_id} was removed after it was sealed")
        known = next(kept, None)
    return found


def _check_hidden(tx: Tx) -> list[str]:
    """Entries of a transaction that has not begun, or of none: no seal would ever cover them."""
    if _lite(tx):
        return []
    hidden = tx.connection.execute(
        text(
            "SELECT id FROM entries WHERE txid IS NULL"
            " OR txid >= pg_snapshot_xmax(pg_current_snapshot()) ORDER BY id"
        )
    )
    return [f"entry {entry_id} hides from the seals" for entry_id in hidden.scalars()]


def _lite(tx: Tx) -> bool:
    return tx.dialect == "sqlite"


def _kept(tx: Tx, *, by_seal: bool = False) -> Iterator[Leaf]:
    order = (SealLeaf.seal_id, SealLeaf.entry_id) if by_seal else (SealLeaf.entry_id,)
    rows = tx.connection.execute(
        select(SealLeaf.entry_id, SealLeaf.digest, SealLeaf.seal_id).order_by(*order),
        execution_options={"yield_per": 10_000},
    )
    for entry_id, digest, seal_id in rows:
        yield Leaf(entry_id, bytes(digest), seal_id)


def _check_chain(tx: Tx, seals: Sequence[Any]) -> list[str]:
    found = []
    previous = GENESIS
    roots = {
        seal_id: merkle_root(leaf.digest for leaf in group)
        for seal_id, group in groupby(_kept(tx, by_seal=True), key=lambda leaf: leaf.seal_id)
    }
    for number, row in enumerate(seals, 1):
        if row.id != number:
            found.append(f"seal {number} is missing")
            break
        if roots.get(row.id, GENESIS) != row.root:
            found.append(f"seal {row.id}: its digests do not give its root")
        if row.previous != previous or row.chain != chain_hash(
            previous, row.root, row.entries, row.upto
        ):
            found.append(f"seal {row.id} does not follow from the one before it")
        previous = row.chain
    return found


def seal_forever(desk: Desk, stop: threading.Event) -> None:
    """Seal every few seconds until `stop` is set (a thread of `serve`).

    A database that restarts or a disk that is full ends one round, not the sealing.
    """
    while not stop.wait(SEAL_EVERY_SECONDS):
        try:
            seal(desk)
        except (*DATABASE_ERRORS, OSError):
            log.exception("Sealing failed; it is tried again in %g seconds.", SEAL_EVERY_SECONDS)
