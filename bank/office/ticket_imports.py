"""Tickets of another system, brought in from a CSV file: `text`, `category`, maybe `customer`.

A row without a customer is given to one of those named with the file, in turn. A row is known by
what it holds, so the same file again adds nothing. Its clock starts when it arrives here, and
nobody gets a mail. What cannot be taken is told by its line and stops no other row.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, Final, TextIO

from sqlalchemy import insert, select

from bank.core import work
from bank.core.config import PROJECT
from bank.core.desk import Desk, Tx, chunk, flow
from bank.core.errors import BadInput
from bank.core.ids import request_id_of
from bank.core.permissions import Permission
from bank.core.work_tables import Channel
from bank.office import tickets
from bank.office.ticket_posts import clean_body
from bank.office.ticket_tables import LONGEST_SUBJECT, PostKind, Ticket, TicketPost
from bank.people.customers import Customer

VERB: Final = "office.ticket_imports.import_tickets"
LABELS: Final = PROJECT / "data" / "seed" / "ticket_labels.csv"
AT_ONCE: Final = 500
NEEDED: Final = ("text", "category")
OTHER: Final = "other"


class WrongColumns(BadInput):
    """The first line of the file names its columns: text, category and, if known, customer."""


class NoCustomers(BadInput):
    """Name the customers by number to whom the tickets shall belong, or give the file a column."""


@dataclass(kw_only=True)
class Imported:
    """What became of a file's rows. `refused` says why, by line."""

    taken: int = 0
    known: int = 0
    refused: list[str] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        """One line for the command line."""
        return (
            f"{self.taken:,} tickets opened, {self.known:,} were here already, "
            f"{len(self.refused):,} rows not taken."
        )


@dataclass(frozen=True, kw_only=True)
class _Row:
    """One row of the file, and the request id that it always has."""

    line: int
    customer: str
    text: str
    label: str
    request_id: str


@flow(Permission.TICKET_IMPORT)
def import_tickets(desk: Desk, file: Path, customers: Sequence[str] = ()) -> Imported:
    """Open a ticket for each row of a CSV file of another system."""
    done = Imported()
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            found = _rows(lines, customers)
            while rows := list(islice(found, AT_ONCE)):
                with chunk(desk, VERB, {"file": file.name}) as tx:
                    before = done.taken
                    _take(tx, rows, done)
                    tx.facts["taken"] = done.taken - before
    except (OSError, UnicodeDecodeError, csv.Error) as wrong:
        raise BadInput(f"{file.name} cannot be read: {wrong}.", field="file") from wrong
    return done


def _rows(lines: TextIO, customers: Sequence[str]) -> Iterator[_Row]:
    reader = csv.DictReader(lines, strict=True)
    columns = reader.fieldnames or ()
    if any(name not in columns for name in NEEDED):
        raise WrongColumns(field="file")
    if "customer" not in columns and not customers:
        raise NoCustomers(field="customer")
    seen: Counter[tuple[str, str, str]] = Counter()
    for number, given in enumerate(reader):
        text, label = (given.get("text") or "").strip(), (given.get("category") or "").strip()
        whose = (given.get("customer") or "").strip()
        if not whose and customers:
            whose = customers[number % len(customers)]
        key = (whose, text, label)
        seen[key] += 1
        yield _Row(
            line=reader.line_num,
            customer=whose,
            text=text,
            label=label,
            request_id=request_id_of("ticket", *key, str(seen[key])),
        )


def _take(tx: Tx, rows: Sequence[_Row], done: Imported) -> None:
    """Open what is new of these rows, with a handful of statements."""
    ids = [row.request_id for row in rows]
    here = set(tx.connection.scalars(select(Ticket.request_id).where(Ticket.request_id.in_(ids))))
    numbers = {row.customer for row in rows}
    known = {
        each.number: each
        for each in tx.session.scalars(select(Customer).where(Customer.number.in_(numbers)))
    }
    new: list[tuple[_Row, Customer, str]] = []
    for row in rows:
        if row.request_id in here:
            done.known += 1
            continue
        try:
            words = clean_body(row.text)
            if row.customer not in known:
                raise BadInput(f"No customer has the number {row.customer or '(none)'}.")
        except BadInput as refused:
            done.refused.append(f"line {row.line}: {refused}")
            continue
        new.append((row, known[row.customer], words))
    if new:
        _write(tx, new)
    done.taken += len(new)


def _write(tx: Tx, new: Sequence[tuple[_Row, Customer, str]]) -> None:
    kinds = tickets.categories_on(tx)
    categories = [_category(row.label, kinds) for row, _, _ in new]
    made = [
        Ticket(
            request_id=row.request_id,
            customer_id=customer.id,
            branch_id=customer.branch_id,
            category=category,
            subject=_subject(words),
            opened_on=tx.business_date,
            opened_at=tx.now,
            score_note="",
        )
        for (row, customer, words), category in zip(new, categories, strict=True)
    ]
    tx.session.add_all(made)
    tx.session.flush()
    _write_posts(tx, made, new)
    work.open_many(
        tx,
        [
            # The other system's own word for it is kept to be found by.
            tickets.item_for(
                ticket, kinds[ticket.category], customer, f"{row.label} {words}", Channel.FILE
            )
            for ticket, (row, customer, words) in zip(made, new, strict=True)
        ],
    )


def _write_posts(tx: Tx, made: Iterable[Ticket], new: Sequence[tuple[_Row, Customer, str]]) -> None:
    posts: list[dict[str, Any]] = [
        {
            "request_id": row.request_id,
            "ticket_id": ticket.id,
            "at": tx.now,
            "author_id": None,
            "author_name": customer.name,
            "kind": PostKind.QUESTION,
            "body": words,
        }
        for ticket, (row, customer, words) in zip(made, new, strict=True)
    ]
    tx.connection.execute(insert(TicketPost), posts)


def _category(label: str, kinds: Mapping[str, Any]) -> str:
    code = label if label in kinds else _labels().get(label, OTHER)
    return code if code in kinds else OTHER


def _subject(words: str) -> str:
    """The beginning of what was written, cut between two words."""
    first = words.splitlines()[0]
    if len(first) <= LONGEST_SUBJECT:
        return first
    return f"{first[: LONGEST_SUBJECT - 3].rpartition(' ')[0] or first[: LONGEST_SUBJECT - 3]} ..."


@lru_cache(maxsize=1)
def _labels() -> Mapping[str, str]:
    """What other systems call things, and which of our categories that is."""
    with LABELS.open(encoding="utf-8", newline="") as lines:
        return {row["label"]: row["category"] for row in csv.DictReader(lines)}
