"""Writing entries on SQLite: constant SQL on the driver's cursor.

The caller holds BEGIN IMMEDIATE, so balances read here cannot move before they
are written. Lines go on a draft, and their entry turns the draft into postings: one
insert that does all of it or nothing (data/migrations/sql/0001_sqlite.sql).
"""

import sqlite3
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

from bank.book import chart
from bank.book import drafts as book
from bank.book.drafts import Draft, Posted
from bank.core.desk import Tx

ENTRY_SQL: Final = (
    "INSERT INTO entries (id, request_id, content_hash, kind, narration, branch_id, actor_id,"
    " channel, booked_at, booking_date, value_date, reverses_id, reason, external_id)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
LINE_SQL: Final = (
    "INSERT INTO draft_lines (id, entry_id, leg, gl_account_id, account_id, branch_id, currency,"
    " amount_minor, booking_date, value_date, line_no, balance_minor)"
    " VALUES (?1 * 65536 + ?2, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
)
LAST_ID_SQL: Final = "SELECT COALESCE(MAX(id), 0), EXISTS (SELECT 1 FROM draft_lines) FROM entries"
BALANCE_SQL: Final = (
    "SELECT account_id, gl_account_id, branch_id, currency, booked_minor, lines,"
    " held_minor, overdraft_limit_minor FROM balances WHERE account_id "
)
KNOWN_SQL: Final = (
    "SELECT request_id, id, content_hash, booking_date, booked_at FROM entries WHERE request_id "
)
IN_AT_ONCE: Final = 500


class _Batch:
    """The rows of one batch while they are made up. Balances are followed in memory: nobody else
    can move them before we write."""

    __slots__ = ("booked_at", "cards", "entries", "entry_id", "gl_ids", "known", "lines", "tx")

    def __init__(self, tx: Tx, drafts: Sequence[Draft]) -> None:
        cursor = tx.cursor
        self.tx = tx
        self.gl_ids = chart.line_codes(tx)
        self.entry_id: int
        self.entry_id, is_littered = cursor.execute(LAST_ID_SQL).fetchone()
        if is_littered:  # what another program left on a draft must not get into our entries
            cursor.execute("DELETE FROM draft_lines")
        self.known = {
            row[0]: row for row in _in_batches(cursor, KNOWN_SQL, [d.request_id for d in drafts])
        }
        accounts = {leg.account_id for d in drafts for leg in d.legs if leg.account_id is not None}
        self.cards = {row[0]: list(row) for row in _in_batches(cursor, BALANCE_SQL, [*accounts])}
        self.booked_at = tx.stamp(tx.now)
        self.lines: list[tuple[Any, ...]] = []
        self.entries: list[tuple[Any, ...]] = []

    def add(self, draft: Draft, today: str, actor: int) -> Posted:
        """Make the rows of one draft, or find its first booking."""
        digest = book.content_hash(self.tx, draft)
        request_id = draft.request_id
        first = self.known.get(request_id)
        if first is not None:
            book.check_replay(digest, first[2])
            return Posted(first[1], request_id, *_dates(first[3], first[4]), True)
        self.entry_id = entry_id = self.entry_id + 1
        booking = book.iso(draft.booking_date) or today
        value = book.iso(draft.value_date) or booking
        self._add_lines(draft, booking, value)
        self.entries.append(
            (entry_id, request_id, digest, draft.kind, draft.narration, draft.branch_id, actor,
             self.tx.desk.channel, self.booked_at, booking, value, draft.reverses_id,
             draft.reason, draft.external_id)
        )  # fmt: skip
        # A second draft of the batch with the same request id is a replay of this one.
        self.known[request_id] = (request_id, entry_id, digest, booking, self.booked_at)
        day = draft.booking_date or self.tx.business_date
        return Posted(entry_id, request_id, day, self.tx.now, False)

    def _add_lines(self, draft: Draft, booking: str, value: str) -> None:
        entry_id, lines = self.entry_id, self.lines
        gaps: dict[tuple[int, str], int] = {}
        number = 0
        for leg in draft.legs:
            number += 1
            amount = leg.amount_minor
            book.check_amount(amount)
            currency = leg.currency or draft.currency
            book.check_currency(currency)
            if leg.account_id is None:
                if leg.gl not in self.gl_ids:
                    chart.refuse_line(self.tx, leg.gl)
                branch = draft.branch_id if leg.branch_id is None else leg.branch_id
                key = (branch, currency)
                lines.append(
                    (entry_id, number, self.gl_ids[leg.gl], None, branch, currency, amount,
                     booking, value, None, None)
                )  # fmt: skip
            else:
                card = self._move(leg.account_id, amount)
                key = (card[2], card[3])
                lines.append(
                    (entry_id, number, card[1], leg.account_id, card[2], card[3], amount,
                     booking, value, card[5], card[4])
                )  # fmt: skip
            gaps[key] = gaps.get(key, 0) + amount
        if number < 2 or (len(gaps) == 1 and gaps[key]):
            raise book.Unbalanced
        if len(gaps) > 1:
            self._net_branches(gaps, number, booking, value)

    def _move(self, account_id: int, amount: int) -> list[Any]:
        card = self.cards.get(account_id)
        if card is None:
            raise book.NoSuchAccount
        card[4] += amount
        card[5] += 1
        if amount < 0 and card[4] - card[6] < -card[7] and not self._waived(account_id):
            raise book.InsufficientFunds
        return card

    def _waived(self, account_id: int) -> bool:
        if self.tx.desk.channel != "import":
            return False
        found = self.tx.cursor.execute(
            "SELECT 1 FROM floor_waivers WHERE account_id = ? AND closed_at IS NULL", (account_id,)
        )
        return found.fetchone() is not None

    def _net_branches(
        self, gaps: dict[tuple[int, str], int], number: int, booking: str, value: str
    ) -> None:
        """Add the inter-branch lines of one entry."""
        per_currency: dict[str, int] = {}
        for (_, currency), gap in gaps.items():
            per_currency[currency] = per_currency.get(currency, 0) + gap
        if any(per_currency.values()):
            raise book.Unbalanced
        for (branch, currency), gap in sorted(gaps.items()):
            if gap:
                number += 1
                self.lines.append(
                    (self.entry_id, number, self.gl_ids[chart.INTER_BRANCH], None, branch,
                     currency, -gap, booking, value, None, None)
                )  # fmt: skip


def write(tx: Tx, drafts: Sequence[Draft]) -> list[Posted]:
    """Book the drafts that are new and return the first booking of those that are not."""
    batch = _Batch(tx, drafts)
    today = tx.business_date.isoformat()
    actor = book.actor_of(tx)
    posted = [batch.add(draft, today, actor) for draft in drafts]
    try:
        tx.cursor.executemany(LINE_SQL, batch.lines)
        tx.cursor.executemany(ENTRY_SQL, batch.entries)
    except sqlite3.IntegrityError as refused:
        raise book.refusal_of(str(refused)) from refused
    return posted


def _in_batches(cursor: Any, sql: str, values: list[Any]) -> list[tuple[Any, ...]]:
    if len(values) == 1:
        return list(cursor.execute(sql + "= ?", values).fetchall())
    rows: list[tuple[Any, ...]] = []
    for start in range(0, len(values), IN_AT_ONCE):
        part = values[start : start + IN_AT_ONCE]
        rows += cursor.execute(f"{sql}IN ({','.join('?' * len(part))})", part).fetchall()
    return rows


def _dates(booking: str, booked_at: str) -> tuple[date, datetime]:
    return date.fromisoformat(booking), datetime.fromisoformat(booked_at).replace(tzinfo=UTC)
