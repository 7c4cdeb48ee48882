"""What somebody who types a few words into the search of every page may mean.

Nothing is told of an account or a person here: a number only leads to the page that shows it, and
the look is recorded there. An entry or an approval is named when it is in sight anyhow.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import select

from bank.book import journal, references
from bank.book.drafts import NoSuchEntry
from bank.book.references import NotAReference
from bank.core import approvals, search, work
from bank.core.approvals import Approval
from bank.core.desk import Tx, query
from bank.core.permissions import Permission
from bank.core.texts import check_search
from bank.core.work_tables import ITEMS
from bank.office.approval_cards import row_of
from bank.office.approval_rows import ApprovalRow

MOST_FOUND: Final = 5
LEAST_DIGITS: Final = 6  # of a number of an account
LONGEST_NUMBER: Final = 24


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a text may name, empty where nothing: the number of an account, the reference of an
    entry in sight. `has_words` says whether work can be found by it; `asked_for` are approvals that
    this person has asked for."""

    account_number: str = ""
    entry_reference: str = ""
    has_words: bool = False
    asked_for: Sequence[ApprovalRow] = field(default_factory=tuple)


@query(Permission.ACCOUNT_LOOK_UP)
def find(tx: Tx, text: str) -> Found:
    """Say what a text may name: an account, an entry in sight, what this person has asked for."""
    check_search(text, "search")
    return Found(
        account_number=_account_number(text),
        entry_reference=_entry_reference(tx, text),
        has_words=bool(search.folded(text)),
        asked_for=_asked_for(tx, text),
    )


def _account_number(text: str) -> str:
    """The text without spaces where it has the shape of a number; whether there is such an account
    is not told."""
    bare = "".join(text.split())
    has_shape = bare.isascii() and bare.isalnum() and len(bare) <= LONGEST_NUMBER
    return bare if has_shape and sum(map(str.isdigit, bare)) >= LEAST_DIGITS else ""


def _entry_reference(tx: Tx, text: str) -> str:
    if not tx.desk.may(Permission.JOURNAL_VIEW):
        return ""
    try:
        row = journal.entry_row(tx, references.entry_id_in(text))
    except (NotAReference, NoSuchEntry):
        return ""
    return row.reference if row.reference == references.tidy(text) else ""


def _asked_for(tx: Tx, text: str) -> Sequence[ApprovalRow]:
    """The newest that fit."""
    item, kind = ITEMS.c, approvals.KIND.name
    words = search.found_by(tx, work.SEARCHED, text, item.id)
    if not words or not tx.desk.may(Permission.APPROVAL_VIEW):
        return ()
    rows = tx.session.scalars(
        select(Approval)
        .join(ITEMS, (item.kind == kind) & (item.subject_id == Approval.id))
        .where(Approval.maker_id == tx.desk.user_id, *words)
        .order_by(Approval.id.desc())
        .limit(MOST_FOUND)
    ).all()
    if rows:
        tx.looked_at("approvals", "own")
    return [row_of(tx, row) for row in rows]
