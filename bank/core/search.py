"""Search: the words of a thing, written by its owner in the same transaction, found by prefix.

One index for every kind of thing, on both databases alike. Words are folded: small letters,
accents gone, letters and digits only, so that `Café` is found by `cafe`.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import ColumnElement, Index, String, and_, delete, exists, func, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from bank.core.db import Base
from bank.core.desk import Tx

LONGEST_WORD: Final = 32
MOST_WORDS: Final = 60  # of one thing: the beginning of a long text names it well enough
MOST_ASKED: Final = 6
FEW: Final = 2_000  # things: to read them all takes no longer than to draw a page
_WORD: Final = re.compile(r"[a-z0-9]{2,}")
_AFTER_Z: Final = "{"  # follows the letters and digits of every folded word
# Words are compared by their bytes on both databases, or a prefix would not be a range.
BY_BYTES: Final = String(LONGEST_WORD).with_variant(
    String(LONGEST_WORD, collation="C"), "postgresql"
)


class SearchWord(Base):
    """One word by which one thing is found. `kind` says what `object_id` numbers."""

    __tablename__ = "search_words"
    __table_args__ = (Index("ix_search_words_object_id", "kind", "object_id", "word"),)

    kind: Mapped[str] = mapped_column(String(24), primary_key=True)
    word: Mapped[str] = mapped_column(BY_BYTES, primary_key=True)
    object_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


def folded(text: str) -> list[str]:
    """The words of a text as they are kept, each once, in order."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    found = _WORD.findall("".join(c for c in plain if not unicodedata.combining(c)))
    return list(dict.fromkeys(word[:LONGEST_WORD] for word in found))


def keep_words(tx: Tx, kind: str, object_id: int, text: str) -> None:
    """Make a thing findable by the words of a text, instead of those it had."""
    tx.connection.execute(
        delete(SearchWord).where(SearchWord.kind == kind, SearchWord.object_id == object_id)
    )
    keep_many(tx, kind, [(object_id, text)])


def keep_many(tx: Tx, kind: str, texts: Iterable[tuple[int, str]]) -> None:
    """The words of many new things at once."""
    rows: list[dict[str, Any]] = [
        {"kind": kind, "object_id": object_id, "word": word}
        for object_id, text in texts
        for word in folded(text)[:MOST_WORDS]
    ]
    if rows:
        tx.connection.execute(insert(SearchWord), rows)


def found_by(tx: Tx, kind: str, text: str, of: ColumnElement[int]) -> list[ColumnElement[bool]]:
    """Conditions on `of`, the id of a thing: every word that is asked for begins one of its own.

    Empty when the text holds no word to look for. A rare word is looked up and its few things are
    read; where all words are common, things are read in the caller's order and asked for their
    words. So either way few rows are touched before a page is full.
    """
    asked = [_begins(kind, word) for word in folded(text)[:MOST_ASKED]]
    if not asked:
        return []
    counts = [_count(tx, begins) for begins in asked]
    rarest = counts.index(min(counts))
    conditions: list[ColumnElement[bool]] = []
    for at, begins in enumerate(asked):
        if at == rarest and counts[at] <= FEW:
            conditions.append(of.in_(select(SearchWord.object_id).where(begins)))
        else:
            conditions.append(exists().where(begins, SearchWord.object_id == of))
    return conditions


def _begins(kind: str, word: str) -> ColumnElement[bool]:
    return and_(SearchWord.kind == kind, SearchWord.word >= word, SearchWord.word < word + _AFTER_Z)


def _count(tx: Tx, begins: ColumnElement[bool]) -> int:
    """How many words begin so, counted up to one beyond FEW."""
    found = select(SearchWord.object_id).where(begins).limit(FEW + 1).subquery()
    return int(tx.connection.execute(select(func.count()).select_from(found)).scalar_one())
