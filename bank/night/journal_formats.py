"""The book as plain text: hledger, Beancount, CSV. Pure formatting, one class per tool.

The book counts credits as plus; plain-text accounting counts debits as plus, so
every amount is turned round here and nowhere else. Account names are such that
both tools accept them: a root by kind, the GL code with its name, the branch's
IFSC and, below a control account, the customer's account number.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple, Protocol

from bank.core.cells import safe_cell
from bank.core.money import exponent, to_decimal

ROOTS: Final = {
    "asset": "Assets",
    "liability": "Liabilities",
    "equity": "Equity",
    "income": "Income",
    "expense": "Expenses",
}
CSV_COLUMNS: Final = (
    "record",
    "booking_date",
    "value_date",
    "entry_id",
    "leg",
    "kind",
    "narration",
    "account",
    "debit",
    "credit",
    "currency",
    "branch",
    "channel",
    "actor_id",
    "booked_at",
    "request_id",
    "external_id",
    "reverses",
    "reversed_by",
    "reason",
)
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_NO_TAG_VALUE: Final = re.compile(r"[,;:\[\]]+")
_NO_ID: Final = re.compile(r"[^A-Za-z0-9._/@-]+")
_NO_COMPONENT: Final = re.compile(r"[^A-Za-z0-9]+")


class Place(NamedTuple):
    """An account of the export: its name in the tools and the currency it holds."""

    name: str
    currency: str


class Line(NamedTuple):
    """One posting; the amount in the book's sign (credit +), in minor units."""

    place: Place
    amount_minor: int


class Asserted(NamedTuple):
    """What an account holds at the end of a day; `inclusive` counts the accounts below it."""

    place: Place
    balance_minor: int
    inclusive: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One journal entry with its lines, ready to be written."""

    id: int
    request_id: str
    kind: str
    narration: str
    ifsc: str
    actor_id: int
    channel: str
    booked_at: datetime
    booking_date: date
    value_date: date
    external_id: str | None
    reverses_id: int | None
    reversed_by: int | None
    reason: str | None
    lines: Sequence[Line]


class Writer(Protocol):
    """What every format can write; each method gives lines of text with their line ends."""

    def head(self, begins: date, places: Iterable[Place]) -> Iterator[str]:
        """What stands before the first entry: the accounts and their currencies."""
        ...

    def entry(self, entry: Entry) -> str:
        """One entry."""
        ...

    def balances(self, at_end_of: date, title: str, asserted: Iterable[Asserted]) -> Iterator[str]:
        """Assertions on what accounts hold when the day is over."""
        ...


def place_name(kind: str, code: str, name: str, ifsc: str, number: str | None = None) -> str:
    """`Liabilities:2000-Savings-deposits:BANK0000001:10364`: valid in hledger and Beancount."""
    gl = f"{ROOTS[kind]}:{code}-{_NO_COMPONENT.sub('-', name).strip('-')}:{ifsc}"
    return gl if number is None else f"{gl}:{_component(number)}"


def _component(number: str) -> str:
    """An account number as one part of a name: two numbers never become the same part."""
    escaped = "".join(
        letter if letter.isascii() and letter.isalnum() else f"-{ord(letter):x}-"
        for letter in number
    )
    if not (escaped[0].isdigit() or escaped[0].isupper()):  # Beancount wants A-Z or 0-9 in front
        rest = escaped[1:] if escaped[0] != "-" else escaped[escaped.index("-", 1) + 1 :]
        escaped = f"0--{ord(number[0]):x}-{rest}"
    return escaped


def debit_positive(amount_minor: int, currency: str) -> str:
    """The book's amount in major units with the sign of plain-text accounting."""
    return f"{to_decimal(-amount_minor, currency):f}"


def one_line(text: str) -> str:
    """Text without line ends and other characters that no journal can hold."""
    return _UNPRINTABLE.sub(" ", text).strip()


class Hledger:
    """hledger 1.25 and later: `hledger check --strict` accepts it."""

    def head(self, begins: date, places: Iterable[Place]) -> Iterator[str]:
        """Declare commodities and accounts, so that strict checks find no stranger."""
        yield "; The whole journal of the bank. Debits are positive, credits negative.\n"
        yield "decimal-mark .\n"
        currencies: set[str] = set()
        names: set[str] = set()
        for place in places:
            if place.currency not in currencies:
                currencies.add(place.currency)
                # The mark must stand there even if the currency has no decimal places.
                sample = f"1000.{'0' * exponent(place.currency)}"
                yield f"commodity {sample} {place.currency}\n"
            if place.name not in names:  # a GL account holds several currencies
                names.add(place.name)
                yield f"account {place.name}\n"
        yield "\n"

    def entry(self, entry: Entry) -> str:
        """One transaction; what has no place in hledger's syntax stands in tags."""
        tags = [
            f"request_id:{entry.request_id}",
            f"kind:{_identifier(entry.kind)}",
            f"value_date:{entry.value_date}",
            f"booked_at:{entry.booked_at:%Y-%m-%dT%H.%M.%SZ}",
            f"branch:{entry.ifsc}",
            f"channel:{_identifier(entry.channel)}",
            f"actor:{entry.actor_id}",
        ]
        if entry.external_id is not None:
            tags.append(f"external_id:{_identifier(entry.external_id)}")
        if entry.reverses_id is not None:
            tags.append(f"reverses:{entry.reverses_id}")
            tags.append(f"reason:{_NO_TAG_VALUE.sub(' ', one_line(entry.reason or ''))}")
        if entry.reversed_by is not None:
            tags.append(f"reversed_by:{entry.reversed_by}")
        text = one_line(entry.narration).replace(";", ",")  # a semicolon would begin a comment
        lines = [f"{entry.booking_date} * ({entry.id}) {text}".rstrip(), f"    ; {', '.join(tags)}"]
        lines += [
            f"    {place.name}  {debit_positive(amount, place.currency)} {place.currency}"
            for place, amount in entry.lines
        ]
        return "\n".join(lines) + "\n\n"

    def balances(self, at_end_of: date, title: str, asserted: Iterable[Asserted]) -> Iterator[str]:
        """A transaction of zero amounts: hledger checks assertions in the order of the day."""
        yield f"{at_end_of} * {title}\n"
        for place, balance, inclusive in asserted:
            yield (
                f"    {place.name}  0 {place.currency} ={'*' if inclusive else ''} "
                f"{debit_positive(balance, place.currency)} {place.currency}\n"
            )
        yield "\n"


class Beancount:
    """Beancount 3: `bean-check` accepts it. Tolerances are zero, so that one paisa counts."""

    def head(self, begins: date, places: Iterable[Place]) -> Iterator[str]:
        """Options, commodities and the opening of every account."""
        yield ";; The whole journal of the bank. Debits are positive, credits negative.\n"
        yield 'option "title" "Journal of the bank"\n'
        yield 'option "tolerance_multiplier" "0"\n'
        currencies: dict[str, list[str]] = {}
        for place in places:
            currencies.setdefault(place.name, []).append(place.currency)
        for currency in sorted({one for several in currencies.values() for one in several}):
            yield f"{begins} commodity {currency}\n"
        for name, held in currencies.items():
            yield f"{begins} open {name} {','.join(held)}\n"
        yield "\n"

    def entry(self, entry: Entry) -> str:
        """One transaction; a reversal and what it reverses share a link."""
        links = f"^entry-{entry.id}"
        if entry.reverses_id is not None:
            links += f" ^entry-{entry.reverses_id}"
        if entry.reversed_by is not None:
            links += f" ^entry-{entry.reversed_by}"
        lines = [
            f"{entry.booking_date} * {_quoted(entry.narration)} {links}",
            f"  entry: {_quoted(str(entry.id))}",
            f"  request_id: {_quoted(entry.request_id)}",
            f"  kind: {_quoted(entry.kind)}",
            f"  value_date: {entry.value_date}",
            f"  booked_at: {_quoted(f'{entry.booked_at:%Y-%m-%dT%H:%M:%SZ}')}",
            f"  branch: {_quoted(entry.ifsc)}",
            f"  channel: {_quoted(entry.channel)}",
            f"  actor: {_quoted(str(entry.actor_id))}",
        ]
        for key, value in (
            ("external_id", entry.external_id),
            ("reverses", entry.reverses_id),
            ("reason", entry.reason),
            ("reversed_by", entry.reversed_by),
        ):
            if value is not None:
                lines.append(f"  {key}: {_quoted(str(value))}")
        lines += [
            f"  {place.name}  {debit_positive(amount, place.currency)} {place.currency}"
            for place, amount in entry.lines
        ]
        return "\n".join(lines) + "\n\n"

    def balances(self, at_end_of: date, title: str, asserted: Iterable[Asserted]) -> Iterator[str]:
        """Beancount asserts at the beginning of a day, so the end of one is the next."""
        morning = at_end_of + timedelta(days=1)
        yield f";; {title}\n"
        for place, balance, _ in asserted:  # a balance there always counts the accounts below
            yield (
                f"{morning} balance {place.name}  "
                f"{debit_positive(balance, place.currency)} ~ 0 {place.currency}\n"
            )
        yield "\n"


class Csv:
    """One row per posting, and one of record `balance` per assertion; no cell is a formula."""

    def head(self, begins: date, places: Iterable[Place]) -> Iterator[str]:
        """The names of the columns."""
        yield _csv_line(CSV_COLUMNS)

    def entry(self, entry: Entry) -> str:
        """The entry's postings; amounts are unsigned, in the column of their side."""
        return "".join(
            _csv_line(
                (
                    "posting",
                    entry.booking_date,
                    entry.value_date,
                    entry.id,
                    number,
                    safe_cell(entry.kind),
                    safe_cell(entry.narration),
                    place.name,
                    *_sides(amount, place.currency),
                    place.currency,
                    entry.ifsc,
                    entry.channel,
                    entry.actor_id,
                    f"{entry.booked_at:%Y-%m-%dT%H:%M:%SZ}",
                    entry.request_id,
                    safe_cell(entry.external_id or ""),
                    entry.reverses_id or "",
                    entry.reversed_by or "",
                    safe_cell(entry.reason or ""),
                )
            )
            for number, (place, amount) in enumerate(entry.lines, 1)
        )

    def balances(self, at_end_of: date, title: str, asserted: Iterable[Asserted]) -> Iterator[str]:
        """What each account holds at the end of the day, on its side."""
        for place, balance, inclusive in asserted:
            record = "balance_with_accounts_below" if inclusive else "balance"
            start = (record, at_end_of, "", "", "", "", title, place.name)
            cells = (*start, *_sides(balance, place.currency), place.currency)
            yield _csv_line((*cells, *[""] * (len(CSV_COLUMNS) - len(cells))))


WRITERS: Final[dict[str, type[Writer]]] = {
    "hledger": Hledger,
    "beancount": Beancount,
    "csv": Csv,
}


def _sides(amount_minor: int, currency: str) -> tuple[str, str]:
    unsigned = f"{to_decimal(abs(amount_minor), currency):f}"
    return (unsigned, "") if amount_minor < 0 else ("", unsigned)


def _csv_line(cells: Sequence[object]) -> str:
    # Everything in quotation marks: no locale's separator splits a cell into a formula.
    row = io.StringIO()
    csv.writer(row, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow(cells)
    return row.getvalue()


def _identifier(text: str) -> str:
    """A code as the value of a tag; anything that hledger might read as syntax becomes `_`."""
    return _NO_ID.sub("_", text)


def _quoted(text: str) -> str:
    bare = one_line(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{bare}"'
