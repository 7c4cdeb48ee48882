"""Writing entries on PostgreSQL: one call of an SQL function, one round trip.

`ledger_post_one` books a single entry, `ledger_post` a batch as arrays. Both lock
the accounts in id order, compute line numbers and running balances from the locked
rows and insert entries and lines in one statement; the triggers check it again.
"""

from collections.abc import Sequence
from typing import Any, Final

import psycopg

from bank.book import chart
from bank.book import drafts as book
from bank.book.drafts import Draft, Posted
from bank.core.desk import Tx

ANSWER: Final = "SELECT entry_id, replayed, first_hash, first_booking, first_booked_at FROM "
POST_ONE_SQL: Final = (
    f"{ANSWER} ledger_post_one("
    "%s::text, %s::text, %s::text, %s::text, %s::bigint, %s::date, %s::date, %s::bigint, %s::text,"
    " %s::text, %s::bigint, %s::text, %s::timestamptz, %s::bigint, %s::text,"
    " %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])"
)
POST_SQL: Final = (
    f"{ANSWER} ledger_post("
    "%s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::date[], %s::date[],"
    " %s::bigint[], %s::text[], %s::text[], %s::bigint, %s::text, %s::timestamptz, %s::bigint,"
    " %s::int[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::bigint[])"
)


def call_for_one(tx: Tx, draft: Draft) -> tuple[str, tuple[Any, ...]]:
    """The digest of one draft and the parameters of POST_ONE_SQL."""
    gl_ids = chart.line_codes(tx)
    booking = draft.booking_date or tx.business_date
    digest = book.content_hash(tx, draft)
    gl, account, branch, amount = _columns(tx, gl_ids, draft)
    return digest, (
        draft.request_id,
        digest,
        draft.kind,
        draft.narration,
        draft.branch_id,
        booking,
        draft.value_date or booking,
        draft.reverses_id,
        draft.reason,
        draft.external_id,
        book.actor_of(tx),
        tx.desk.channel,
        tx.now,
        gl_ids[chart.INTER_BRANCH],
        draft.currency,
        sorted({one for one in account if one is not None}),
        gl,
        account,
        branch,
        amount,
    )


def call_for_many(tx: Tx, drafts: Sequence[Draft]) -> tuple[list[str], tuple[Any, ...]]:
    """The digests of the drafts and the parameters of POST_SQL."""
    gl_ids = chart.line_codes(tx)
    today = tx.business_date
    digests = [book.content_hash(tx, draft) for draft in drafts]
    of_entry: list[int] = []
    gl: list[int | None] = []
    account: list[int | None] = []
    branch: list[int] = []
    currency: list[str] = []
    amount: list[int] = []
    for number, draft in enumerate(drafts, 1):
        legs = _columns(tx, gl_ids, draft)
        of_entry += [number] * len(draft.legs)
        currency += [leg.currency or draft.currency for leg in draft.legs]
        gl += legs[0]
        account += legs[1]
        branch += legs[2]
        amount += legs[3]
    return digests, (
        [draft.request_id for draft in drafts],
        digests,
        [draft.kind for draft in drafts],
        [draft.narration for draft in drafts],
        [draft.branch_id for draft in drafts],
        [draft.booking_date or today for draft in drafts],
        [draft.value_date or draft.booking_date or today for draft in drafts],
        [draft.reverses_id for draft in drafts],
        [draft.reason for draft in drafts],
        [draft.external_id for draft in drafts],
        book.actor_of(tx),
        tx.desk.channel,
        tx.now,
        gl_ids[chart.INTER_BRANCH],
        of_entry,
        gl,
        account,
        branch,
        currency,
        amount,
    )


def write(tx: Tx, drafts: Sequence[Draft]) -> list[Posted]:
    """Book the drafts that are new and return the first booking of those that are not."""
    if len(drafts) == 1 and not book.is_mixed(drafts[0]):
        digest, parameters = call_for_one(tx, drafts[0])
        digests, sql = [digest], POST_ONE_SQL
    else:
        digests, parameters = call_for_many(tx, drafts)
        sql = POST_SQL
    try:
        rows = tx.cursor.execute(sql, parameters).fetchall()
    except (psycopg.errors.RaiseException, psycopg.errors.IntegrityError) as refused:
        # Only what the guard said: the whole text quotes the function, which says everything once.
        raise book.refusal_of(refused.diag.message_primary or "") from refused
    posted = []
    for draft, digest, (entry_id, replayed, first_hash, booking, booked_at) in zip(
        drafts, digests, rows, strict=True
    ):
        if replayed:
            book.check_replay(digest, first_hash)
        posted.append(Posted(entry_id, draft.request_id, booking, booked_at, replayed))
    return posted


def _columns(
    tx: Tx, gl_ids: dict[str, int], draft: Draft
) -> tuple[list[int | None], list[int | None], list[int], list[int]]:
    """The legs as columns: ledger account, customer account, branch, amount."""
    gl: list[int | None] = []
    account: list[int | None] = []
    branch: list[int] = []
    amounts: list[int] = []
    for amount, account_id, code, branch_id, currency in draft.legs:
        book.check_amount(amount)
        book.check_currency(currency or draft.currency)
        if account_id is None and code not in gl_ids:
            chart.refuse_line(tx, code)
        gl.append(gl_ids[code] if account_id is None and code else None)
        account.append(account_id)
        branch.append(draft.branch_id if branch_id is None else branch_id)
        amounts.append(amount)
    if sum(amounts) or len(amounts) < 2:
        raise book.Unbalanced
    return gl, account, branch, amounts
