"""Several claimed tickets at once: sorted alike, or ended with one reply to each customer.

What cannot be done is told, ticket by ticket, and stops no other.
"""

from collections.abc import Callable, Sequence

from bank.core import work, work_rows
from bank.core.desk import Tx, command, query
from bank.core.errors import BadInput, BankError
from bank.core.ids import request_id_of
from bank.core.permissions import Permission
from bank.core.work_tables import Priority
from bank.office import canned, queue_many, ticket_desk, ticket_moves, ticket_posts, tickets
from bank.office.queue_many import Claimed
from bank.office.ticket_desk import Then
from bank.office.ticket_posts import clean_body
from bank.office.ticket_tables import Ticket
from bank.office.tickets import KIND


class NothingToSort(BadInput):
    """Choose a category, a priority, or both."""


@query(Permission.TICKET_WORK)
def closing_words(tx: Tx) -> dict[str, str]:
    """List the canned replies by name, with the placeholders that each ticket fills by itself."""
    found: dict[str, str] = {}
    for row in canned.usable(tx):
        found.setdefault(row.name, row.body)
    return found


@command(Permission.TICKET_WORK)
def sort_together(
    tx: Tx, item_ids: Sequence[int], category: str | None, priority: int | None, why: str
) -> list[Claimed]:
    """Give several claimed tickets a category, a priority or both; None leaves each its own."""
    kinds, note = tickets.categories_on(tx), work.clean_note(why)
    if category is not None and category not in kinds:
        raise tickets.NoSuchCategory(field="category")
    if priority is not None and priority not in Priority.NAMES:
        raise ticket_moves.NoSuchPriority(field="priority")
    if category is None and priority is None:
        raise NothingToSort(field="category")

    def sort(_: int, ticket: Ticket) -> None:
        kind = kinds.get(category or ticket.category)
        if kind is None:  # a category of another day
            raise tickets.NoSuchCategory(field="category")
        ticket_moves.sort(tx, ticket, kind, priority, note)

    results = _each(tx, item_ids, sort)
    tx.facts["sorted"] = [one.item_id for one in results if one.refused is None]
    return results


@command(Permission.TICKET_WORK)
def solve_together(tx: Tx, item_ids: Sequence[int], body: str, *, request_id: str) -> list[Claimed]:
    """End several claimed tickets with the same public words, filled in for each customer."""
    words = clean_body(body)

    def solve(item_id: int, ticket: Ticket) -> None:
        once = request_id_of("together", request_id, str(item_id), words)
        # A second click finds what the first has written: what is filled in differs by now, as the
        # date of a promise that is kept.
        said = ticket_posts.body_of(tx, once)
        if said is None:
            known = ticket_desk.known_of(tx, ticket)
            said = ticket_desk.clean_reply(ticket_desk.filled(words, known))
        ticket_desk.send(tx, ticket, said, Then.SOLVE, (), once)

    results = _each(tx, item_ids, solve)
    tx.facts["solved"] = [one.item_id for one in results if one.refused is None]
    return results


def _each(tx: Tx, item_ids: Sequence[int], act: Callable[[int, Ticket], None]) -> list[Claimed]:
    """Do the same with several tickets. Of one that is refused nothing stays; the trail has what
    changed, ticket by ticket."""
    queue_many.check_count(item_ids)
    results: dict[int, Claimed] = {}
    changes: dict[str, object] = {}
    for item_id in sorted(set(item_ids)):  # in one order, so that two of these never wait in a ring
        try:
            row = work_rows.by_id(tx, item_id)
            if row is None or row.kind != KIND.name:
                raise tickets.NoSuchTicket
            tx.changed(None, None)
            with tx.session.begin_nested():
                act(item_id, ticket_desk.in_sight(tx, row.subject_id, held=True))
        except BankError as refusal:
            results[item_id] = Claimed(item_id=item_id, refused=str(refusal))
        else:
            results[item_id] = Claimed(item_id=item_id)
            if tx.after is not None:
                changes[f"ticket {row.subject_id}"] = {"before": tx.before, "after": tx.after}
    tx.changed(None, None)
    tx.facts["changed"] = changes
    return [results[item_id] for item_id in dict.fromkeys(item_ids)]
