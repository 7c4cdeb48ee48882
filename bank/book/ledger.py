"""The ledger: the only place that writes journal entries and their postings.

`post` books one entry, `post_many` a batch, `reverse` the opposite of an entry.
Each guarantee is kept here and once more by the database (data/migrations/sql):

* every line names its branch, every entry sums to zero per branch and currency
  (lines of the inter-branch account are added where a branch would not net);
* whoever books it, and every branch it names, exist;
* nothing is booked on a day that is closed, or by an import further back than its limit;
* a debit never takes booked less holds below minus the overdraft limit, except
  for an import with a recorded waiver;
* the same `request_id` with the same content returns the first entry, with
  other content it is refused.

Amounts are signed whole minor units: credit +, debit -. The writing itself is in
`posting_sqlite` and `posting_postgres`.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Final

from sqlalchemy import func, insert, select, update

from bank.book import book_days, chart, known, posting_postgres, posting_sqlite
from bank.book.drafts import (
    LONGEST_NARRATION,
    LONGEST_REASON,
    SYSTEM_USER_ID,
    AlreadyReversed,
    BalanceNow,
    BookClosed,
    Draft,
    FloorWaivedBefore,
    InsufficientFunds,
    Leg,
    NewBalance,
    NobodyPosts,
    NoSuchAccount,
    NoSuchEntry,
    Posted,
    PosterMayNotReverse,
    RequestReused,
    ReversalIsFinal,
    Unbalanced,
    UnknownBranch,
    UnknownPoster,
    WrongAmount,
    WrongCurrency,
    actor_of,
    check_currency,
    check_replay,
    check_text,
    content_hash,
    credit_account,
    credit_gl,
    debit_account,
    debit_gl,
)
from bank.book.kinds import EntryKind
from bank.book.tables import Balance, FloorWaiver, JournalEntry, Posting
from bank.core.db import marks
from bank.core.desk import Tx
from bank.core.errors import BadInput, NotAllowed
from bank.core.permissions import Role

__all__ = [
    "SYSTEM_USER_ID",
    "AlreadyReversed",
    "BalanceNow",
    "BookClosed",
    "Draft",
    "FloorWaivedBefore",
    "InsufficientFunds",
    "Leg",
    "NewBalance",
    "NoSuchAccount",
    "NoSuchEntry",
    "NobodyPosts",
    "Posted",
    "PosterMayNotReverse",
    "RequestReused",
    "ReversalIsFinal",
    "Unbalanced",
    "UnknownBranch",
    "UnknownPoster",
    "WrongAmount",
    "WrongCurrency",
    "balance_of",
    "before_reversals",
    "close_waivers",
    "credit_account",
    "credit_gl",
    "debit_account",
    "debit_gl",
    "find_request",
    "open_balance",
    "open_balances",
    "post",
    "post_many",
    "reverse",
    "waive_floor",
    "waived_before",
]

ASKED_AT_ONCE: Final = 500  # request ids in one question
# Told of every entry that is about to be reversed, in its transaction and before any account is
# held. `bank/app.py` fills it: where cash lies is known upstairs.
before_reversals: Final[list[Callable[[Tx, int], None]]] = []


def post(tx: Tx, draft: Draft) -> Posted:
    """Book one entry in this transaction."""
    return post_many(tx, (draft,))[0]


def post_many(tx: Tx, drafts: Sequence[Draft]) -> list[Posted]:
    """Book a batch, in order; one Posted for each draft. All of it happens, or none."""
    may_date = tx.desk.role is Role.SYSTEM
    earliest = tx.business_date
    for draft in drafts:
        if draft.booking_date is not None:
            if not may_date:
                raise NotAllowed("Only an import may choose the booking date.")
            earliest = min(earliest, draft.booking_date)
        check_text(draft.narration, LONGEST_NARRATION, "narration")
    if earliest < tx.business_date or not book_days.is_open(tx, earliest):
        _check_days(tx, drafts)
    known.check_poster(tx)
    # An account's own branch was checked when the account was opened, and it keeps it.
    named = {leg[3] for draft in drafts for leg in draft.legs if leg[3] is not None}
    known.check_branches(tx, named.union([draft.branch_id for draft in drafts]))
    write = posting_sqlite.write if tx.dialect == "sqlite" else posting_postgres.write
    try:
        return write(tx, drafts)
    except BookClosed:  # by another process: this one knows it from now on
        book_days.forget(tx.bank.db)
        raise


def _check_days(tx: Tx, drafts: Sequence[Draft]) -> None:
    """BookClosed where a draft would be booked too early: what is booked already may be asked for
    again."""
    book_days.hold_open(tx)
    first = book_days.first_day(tx, tx.desk.channel)
    late = [
        draft.request_id for draft in drafts if (draft.booking_date or tx.business_date) < first.day
    ]
    if not late:
        return
    known: set[str] = set()
    for start in range(0, len(late), ASKED_AT_ONCE):
        some = late[start : start + ASKED_AT_ONCE]
        known.update(
            tx.connection.scalars(
                select(JournalEntry.request_id).where(JournalEntry.request_id.in_(some))
            )
        )
    if not known.issuperset(late):
        raise book_days.too_early(first)


def find_request(tx: Tx, draft: Draft) -> Posted | None:
    """The entry this very draft was booked as before, None if it was not, else RequestReused."""
    row = tx.connection.execute(
        select(
            JournalEntry.id,
            JournalEntry.content_hash,
            JournalEntry.booking_date,
            JournalEntry.booked_at,
        ).where(JournalEntry.request_id == draft.request_id)
    ).first()
    if row is None:
        return None
    check_replay(content_hash(tx, draft), row.content_hash)
    return Posted(row.id, draft.request_id, row.booking_date, row.booked_at, True)


def reverse(tx: Tx, entry_id: int, *, reason: str, request_id: str) -> Posted:
    """Book the opposite of an entry: once, with a reason, by someone other than its poster."""
    if not reason.strip():
        raise BadInput("Say why the entry is reversed; the journal keeps it.", field="reason")
    check_text(reason.strip(), LONGEST_REASON, "reason")
    # Held, so that two who reverse it at once come one after the other.
    first = tx.session.get(JournalEntry, entry_id, with_for_update={"key_share": True})
    if first is None:
        raise NoSuchEntry
    lines = tx.session.scalars(
        select(Posting).where(Posting.entry_id == entry_id).order_by(Posting.leg)
    ).all()
    is_mixed = len({line.currency for line in lines}) > 1
    draft = Draft(
        request_id=request_id,
        kind=EntryKind.REVERSAL.value,
        narration=f"Reversal of entry {entry_id}: {first.narration}"[:LONGEST_NARRATION],
        legs=tuple(
            Leg(
                -line.amount_minor,
                line.account_id,
                _gl_code(tx, line),
                line.branch_id,
                line.currency if is_mixed else None,
            )
            for line in lines
        ),
        branch_id=first.branch_id,
        currency=lines[0].currency,
        reverses_id=entry_id,
        reason=reason.strip(),
    )
    if (booked_before := find_request(tx, draft)) is not None:
        return booked_before
    if first.reverses_id is not None:
        raise ReversalIsFinal
    if first.actor_id == actor_of(tx):
        raise PosterMayNotReverse
    if tx.session.scalar(select(JournalEntry.id).where(JournalEntry.reverses_id == entry_id)):
        raise AlreadyReversed
    for tell in before_reversals:
        tell(tx, entry_id)
    return post(tx, draft)


def _gl_code(tx: Tx, line: Posting) -> str | None:
    if line.account_id is not None:
        return None
    return next(code for code, gl_id in chart.codes(tx).items() if gl_id == line.gl_account_id)


def open_balance(
    tx: Tx, *, gl_code: str, branch_id: int, currency: str, overdraft_limit_minor: int = 0
) -> int:
    """Give the book a new customer account; returns its id. It starts empty."""
    return open_balances(tx, [NewBalance(gl_code, branch_id, currency, overdraft_limit_minor)])[0]


def open_balances(tx: Tx, wanted: Sequence[NewBalance]) -> list[int]:
    """Give the book many new customer accounts; returns their ids in the same order."""
    for new in wanted:
        check_currency(new.currency)
    known.check_branches(tx, {new.branch_id for new in wanted})
    made = tx.connection.execute(
        insert(Balance).returning(Balance.account_id, sort_by_parameter_order=True),
        [
            {
                "gl_account_id": chart.id_of(tx, new.gl_code),
                "branch_id": new.branch_id,
                "currency": new.currency,
                "booked_minor": 0,
                "held_minor": 0,
                "overdraft_limit_minor": new.overdraft_limit_minor,
                "lines": 0,
            }
            for new in wanted
        ],
    )
    return list(made.scalars())


def balance_of(tx: Tx, account_id: int) -> BalanceNow:
    """What an account holds now, or NoSuchAccount."""
    tx.cursor.execute(
        marks(
            tx.dialect,
            "SELECT account_id, branch_id, currency, booked_minor, held_minor,"
            " overdraft_limit_minor, lines FROM balances WHERE account_id = ?",
        ),
        (account_id,),
    )
    row = tx.cursor.fetchone()
    if row is None:
        raise NoSuchAccount
    return BalanceNow(*row)


def waived_before(tx: Tx, account_ids: Collection[int], batch_id: int) -> set[int]:
    """Those of the accounts whose floor another import waived: they accept credits only."""
    waived = select(FloorWaiver.account_id).where(
        FloorWaiver.account_id.in_(account_ids), FloorWaiver.batch_id.is_distinct_from(batch_id)
    )
    return set(tx.connection.scalars(waived))


def waive_floor(tx: Tx, account_ids: Collection[int], *, batch_id: int, source: str) -> None:
    """Let this import take accounts below their limit; recorded per account, closed by
    `close_waivers` in the same transaction. Another import cannot do it again."""
    if tx.desk.channel != "import":
        raise NotAllowed("Only an import may take an account below its limit.")
    if waived_before(tx, account_ids, batch_id):
        raise FloorWaivedBefore
    if account_ids:
        tx.connection.execute(
            insert(FloorWaiver),
            [
                {
                    "account_id": account_id,
                    "batch_id": batch_id,
                    "channel": tx.desk.channel,
                    "source": source,
                    "granted_at": tx.now,
                    "granted_by": actor_of(tx),
                }
                for account_id in sorted(account_ids)
            ],
        )


def close_waivers(tx: Tx) -> None:
    """End every open waiver, with the lowest balance the account ever had: from here on an account
    below its limit accepts credits only."""
    lowest = select(func.min(Posting.balance_minor)).where(
        Posting.account_id == FloorWaiver.account_id
    )
    tx.connection.execute(
        update(FloorWaiver)
        .where(FloorWaiver.closed_at.is_(None))
        .values(closed_at=tx.now, lowest_minor=lowest.scalar_subquery())
    )
