"""Saved views: what a person looks for on a page, under a name; their own, or shared with a role.

A view is the query of the page's address, so opening one is going there.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import delete, or_, select

from bank.core import work_rights
from bank.core.desk import Tx, command, query
from bank.core.errors import BadInput, NotAllowed, NotFound
from bank.core.permissions import STAFF, Permission, Role
from bank.core.work_tables import SavedView
from bank.people.fields import clean_text

LONGEST_NAME: Final = 60
LONGEST_PAGE: Final = 48
LONGEST_QUERY: Final = 500
MOST_OF_ONE: Final = 50


class TooManyViews(BadInput):
    """You have 50 views here. Forget one that you no longer use."""


class NoSuchView(NotFound):
    """There is no such view of yours. A colleague who shared it may have forgotten it."""


class NotYourColleagues(NotAllowed):
    """You may share a view with your own role only. Who leads may share it with any."""


class ViewRow(NamedTuple):
    """A saved view as a person sees it. `shared_with` is a role, or None for one's own alone."""

    id: int
    name: str
    query: str
    shared_with: Role | None
    is_mine: bool


@command(Permission.WORK_DO)
def keep_view(
    tx: Tx, page: str, name: str, address: str, shared_with: Role | None = None
) -> ViewRow:
    """Keep a view of a page under a name, instead of what one kept under it before."""
    title = clean_text(name, field="name", longest=LONGEST_NAME)
    where = clean_text(page, field="page", longest=LONGEST_PAGE)
    asked = clean_text(address, field="view", longest=LONGEST_QUERY, may_be_empty=True)
    if shared_with is not None:
        is_colleague = shared_with is tx.desk.role
        if shared_with not in STAFF or not (is_colleague or work_rights.leads(tx.desk)):
            raise NotYourColleagues
    own = select(SavedView).where(SavedView.owner_id == tx.desk.user_id, SavedView.page == where)
    kept = {row.name: row for row in tx.session.scalars(own)}
    row, before = kept.get(title), None
    if row is None:
        if len(kept) >= MOST_OF_ONE:
            raise TooManyViews(field="name")
        row = SavedView(owner_id=tx.desk.user_id, page=where, name=title)
        tx.session.add(row)
    else:
        before = _facts(row)
    row.query, row.shared_with = asked, None if shared_with is None else shared_with.value
    tx.session.flush()
    tx.concerns("saved view", row.id)
    tx.changed(before, _facts(row))
    return _as_row(tx, row)


@command(Permission.WORK_DO)
def forget_view(tx: Tx, view_id: int) -> None:
    """Forget a view of one's own, also for those it was shared with."""
    row = tx.session.get(SavedView, view_id)
    if row is None or row.owner_id != tx.desk.user_id:
        raise NoSuchView
    tx.concerns("saved view", view_id)
    tx.changed(_facts(row), None)
    tx.connection.execute(delete(SavedView).where(SavedView.id == view_id))


@query(Permission.WORK_DO)
def views(tx: Tx, page: str) -> Sequence[ViewRow]:
    """List one's own views of a page and those shared with one's role, by name."""
    rows = tx.session.scalars(
        select(SavedView)
        .where(
            SavedView.page == page,
            or_(
                SavedView.owner_id == tx.desk.user_id,
                SavedView.shared_with == tx.desk.role.value,
            ),
        )
        .order_by(SavedView.name, SavedView.id)
    )
    return [_as_row(tx, row) for row in rows]


def _facts(row: SavedView) -> dict[str, object]:
    return {"name": row.name, "query": row.query, "shared_with": row.shared_with}


def _as_row(tx: Tx, row: SavedView) -> ViewRow:
    return ViewRow(
        id=row.id,
        name=row.name,
        query=row.query,
        shared_with=None if row.shared_with is None else Role(row.shared_with),
        is_mine=row.owner_id == tx.desk.user_id,
    )
