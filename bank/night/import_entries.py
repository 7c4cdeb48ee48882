"""Entries of an import: checked against their accounts, told from those the book has, booked.

Set-based: the accounts of a chunk are read at once, so are the entries the book
knows, and everything new is booked in one call of the ledger. Where the rows, in
their order, take an account below its limit, the floor is waived for it in this
transaction, and the ledger keeps a record of that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from bank.accounts.accounts import AccountStatus
from bank.book import book_days, ledger
from bank.book.drafts import FIRST_DAY, LARGEST_BALANCE_MINOR, content_hash
from bank.book.kinds import EntryKind
from bank.book.ledger import Draft, Leg
from bank.core.desk import Tx
from bank.core.ids import request_id_of
from bank.counters.drawer_cash import MoveKind, put_in_vault
from bank.night.import_batches import ContraRules
from bank.night.import_files import shown
from bank.night.import_rows import BadCell, EntryRow, minor

CHANNEL: Final = "import"
CREDITS_ONLY: Final = (
    "an earlier import took this account below its limit, so it accepts credits only"
)


class Checked(NamedTuple):
    """A row of entries.csv as the book takes it; amounts in minor units of the draft's currency."""

    row: EntryRow
    account_id: int
    draft: Draft
    amount_minor: int
    balance_minor: int | None


@dataclass
class EntriesTaken:
    """What became of a chunk of rows, in their order.

    `booked` holds (row, entry id, is new), `rejected` (line, reason).
    """

    booked: list[tuple[Checked, int, bool]] = field(default_factory=list)
    repeated: int = 0
    rejected: list[tuple[int, str]] = field(default_factory=list)


class _Card(NamedTuple):
    """What an entry needs to know of its account."""

    id: int
    branch_id: int
    currency: str
    status: str
    booked_minor: int
    held_minor: int
    limit_minor: int


def take_entries(
    tx: Tx, rows: Sequence[EntryRow], contra: ContraRules, *, batch_id: int, source: str
) -> EntriesTaken:
    """Book what is new; say what the book had, and what cannot go in. `batch_id` and `source` are
    recorded where the import takes an account below its limit."""
    taken = EntriesTaken()
    cards = _cards(tx, {row.account_number for row in rows})
    checked = []
    for row in rows:
        try:
            checked.append(_checked(tx, row, cards, contra))
        except BadCell as wrong:
            taken.rejected.append((row.line, str(wrong)))
    known = _known_entries(tx, [item.draft.request_id for item in checked])
    fresh, accepted = _told_apart(tx, checked, known, taken)
    _keep_open_days(tx, fresh, taken)
    course = _course_of(tx, list(fresh.values()), cards, batch_id)
    entry_ids = _book(tx, course, batch_id, source)
    for item in accepted:
        request_id = item.draft.request_id
        if request_id in entry_ids:
            taken.booked.append((item, entry_ids[request_id], True))
        elif request_id in known:
            taken.booked.append((item, known[request_id][0], False))
    for item in course.beyond:
        said = (
            f"amount {item.row.amount} takes the balance of account {item.row.account_number} "
            "beyond what a book holds; check the number of zeros"
        )
        taken.rejected.append((item.row.line, said))
    taken.rejected += [(item.row.line, CREDITS_ONLY) for item in course.barred]
    return taken


def _told_apart(
    tx: Tx, checked: Sequence[Checked], known: Mapping[str, tuple[int, str]], taken: EntriesTaken
) -> tuple[dict[str, Checked], list[Checked]]:
    """What is new, by request id, and that together with what the book has, in order."""
    fresh: dict[str, Checked] = {}
    accepted: list[Checked] = []
    for item in checked:
        request_id = item.draft.request_id
        if request_id in known:
            right = known[request_id][1] == content_hash(tx, item.draft)
        elif request_id in fresh:
            right = item.draft == fresh[request_id].draft
            taken.repeated += right
        else:
            fresh[request_id] = item
            right = True
        if not right:
            said = (
                f"external_id {shown(item.row.external_id)} was used before for an entry "
                "with other content"
            )
            taken.rejected.append((item.row.line, said))
        elif fresh.get(request_id, item) is item:
            accepted.append(item)
    return fresh, accepted


def _keep_open_days(tx: Tx, fresh: dict[str, Checked], taken: EntriesTaken) -> None:
    """Reject what is new on a day that is closed, or further back than an import may book."""
    book_days.hold_open(tx)  # a closing that comes now waits for this chunk
    first = book_days.first_day(tx, CHANNEL)
    late = [request_id for request_id, item in fresh.items() if item.row.booking_date < first.day]
    for request_id in late:
        row = fresh.pop(request_id).row
        said = (
            f"booking_date {row.booking_date} is too early: {first.because}; {first.way_out}, "
            "or check the date"
        )
        taken.rejected.append((row.line, said))


def _book(tx: Tx, course: "_Course", batch_id: int, source: str) -> dict[str, int]:
    """Book what is new; returns the entry's id by its request id."""
    if not course.fits:
        return {}
    ledger.waive_floor(tx, course.below, batch_id=batch_id, source=source)
    drafts = [item.draft for item in course.fits]
    posted = ledger.post_many(tx, drafts)
    put_in_vault(tx, drafts, MoveKind.IMPORTED)
    if course.below:
        ledger.close_waivers(tx)
    return {done.request_id: done.entry_id for done in posted}


def _checked(tx: Tx, row: EntryRow, cards: Mapping[str, _Card], contra: ContraRules) -> Checked:
    """The row with everything the book wants to know, or BadCell."""
    card = cards.get(row.account_number)
    if card is None:
        raise BadCell(
            f"account_number {shown(row.account_number)} is not in the bank; "
            "accounts.csv must bring it, without a rejected row"
        )
    if card.status != AccountStatus.ACTIVE:
        raise BadCell(f"account {row.account_number} is closed")
    if row.booking_date > tx.business_date:
        raise BadCell(f"booking_date {row.booking_date} is in the future")
    if row.booking_date < FIRST_DAY:
        raise BadCell(f"booking_date {row.booking_date} lies before {FIRST_DAY}; check the year")
    gl_code = contra.gl_code(row.kind, row.booking_date)
    if gl_code is None:
        raise BadCell(f"kind {shown(row.kind)} is not known; use one of {', '.join(contra.kinds)}")
    amount = minor(row.amount, card.currency, "amount")
    if amount == 0:
        raise BadCell("amount is zero")
    balance = (
        minor(row.balance_after, card.currency, "balance_after") if row.balance_after else None
    )
    draft = Draft(
        request_id=request_id_of(CHANNEL, row.external_id),
        kind=_entry_kind(row.kind, amount),
        narration=row.narration,
        legs=(Leg(amount, card.id), Leg(-amount, None, gl_code, card.branch_id)),
        branch_id=card.branch_id,
        currency=card.currency,
        value_date=row.booking_date,
        booking_date=row.booking_date,
        external_id=row.external_id,
    )
    return Checked(row, card.id, draft, amount, balance)


def _entry_kind(kind: str, amount_minor: int) -> str:
    """The book's own word: cash over the counter is a deposit or a withdrawal there."""
    if kind != "cash":
        return kind
    known = EntryKind.CASH_DEPOSIT if amount_minor > 0 else EntryKind.CASH_WITHDRAWAL
    return known.value


@dataclass
class _Course:
    """Where entries take their accounts, in this order: what fits the book, the accounts that it
    takes below their limit, what leads beyond the book, and what would take an account further
    down after an earlier import had done so."""

    fits: list[Checked] = field(default_factory=list)
    below: set[int] = field(default_factory=set)
    beyond: list[Checked] = field(default_factory=list)
    barred: list[Checked] = field(default_factory=list)


def _course_of(
    tx: Tx, fresh: Sequence[Checked], cards: Mapping[str, _Card], batch_id: int
) -> _Course:
    booked = {card.id: card.booked_minor for card in cards.values()}
    floors = {card.id: card.held_minor - card.limit_minor for card in cards.values()}
    waived = ledger.waived_before(tx, booked, batch_id)
    course = _Course()
    for item in fresh:
        _, account_id, _, amount, _ = item
        now = booked[account_id] + amount
        if not -LARGEST_BALANCE_MINOR <= now <= LARGEST_BALANCE_MINOR:
            course.beyond.append(item)
            continue
        if amount < 0 and now < floors[account_id]:
            if account_id in waived:
                course.barred.append(item)
                continue
            course.below.add(account_id)
        booked[account_id] = now
        course.fits.append(item)
    return course


def _cards(tx: Tx, numbers: set[str]) -> dict[str, _Card]:
    found = _found(
        tx,
        "SELECT a.number, a.id, a.branch_id, a.currency, a.status, b.booked_minor, b.held_minor,"
        " b.overdraft_limit_minor FROM accounts a JOIN balances b ON b.account_id = a.id"
        " WHERE a.number",
        list(numbers),
    )
    return {row[0]: _Card(*row[1:]) for row in found}


def _known_entries(tx: Tx, request_ids: list[str]) -> dict[str, tuple[int, str]]:
    found = _found(
        tx, "SELECT request_id, id, content_hash FROM entries WHERE request_id", request_ids
    )
    return {row[0]: (row[1], row[2]) for row in found}


def _found(tx: Tx, select: str, values: list[str]) -> list[tuple[Any, ...]]:
    """The rows whose last column named in `select` is among the values, in one question."""
    if tx.dialect == "postgresql":
        tx.cursor.execute(f"{select} = ANY(%s)", (values,))
    else:
        tx.cursor.execute(f"{select} IN ({','.join('?' * len(values))})", values)
    rows: list[tuple[Any, ...]] = tx.cursor.fetchall()
    return rows
