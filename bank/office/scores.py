"""Scores: how well a ticket was solved, as its customer says, and what that says of the solver.

A score is about one solution: 1 (not at all) to 5 (very well), with a word. There is one per
ticket; for some days after the solution (a dated rule) its customer may give and change it. Who
opens the ticket again takes the score back with the solution; the next one is scored anew, and the
trail keeps the one before. A ticket that was merged has no solution of its own and no score.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import func, select

from bank.core.desk import Tx, command, query
from bank.core.errors import BadInput, WrongState
from bank.core.permissions import Permission
from bank.office import tickets
from bank.office.performance import checked_employee, instants
from bank.office.ticket_tables import LONGEST_SCORE_NOTE, Ticket
from bank.office.tickets import NotSolvedYet
from bank.people.fields import clean_text

SCORES: Final = range(1, 6)


class TooLateToScore(WrongState):
    """This ticket was solved too long ago to be rated. Write a new one if there is more to say."""


@dataclass(frozen=True, kw_only=True)
class Scored:
    """What customers said of somebody's solutions: how many scores, and their sum."""

    count: int
    total: int

    @property
    def average(self) -> float:
        """Between 1 and 5; 0 while there is no score."""
        return self.total / self.count if self.count else 0.0


@command(Permission.TICKET_OWN)
def score_ticket(tx: Tx, ticket_id: int, score: int, note: str = "") -> None:
    """Say how well an own ticket was solved, 1 to 5 and a word; or change what one has said."""
    ticket = tickets.own_ticket(tx, ticket_id, held=True)
    if score not in SCORES:
        raise BadInput("Choose one to five.", field="score")
    said = clean_text(note, field="remark", longest=LONGEST_SCORE_NOTE, may_be_empty=True)
    tickets.check_here(ticket)
    if ticket.solved_at is None:
        raise NotSolvedYet
    if tx.now > ticket.solved_at + tickets.days_of(tx, "score_days"):
        raise TooLateToScore
    tx.concerns("ticket", ticket_id)
    tx.changed(_facts(ticket), {"score": score, "remark": said})
    ticket.score, ticket.score_note = score, said
    tx.session.flush()


@query(Permission.OWN_WORK_VIEW)
def own_scores(tx: Tx, start: date, end: date) -> Scored:
    """Count the scores of the tickets that one solved oneself from one day to another."""
    assert tx.desk.user_id is not None
    return _scored(tx, tx.desk.user_id, start, end)


@query(Permission.STAFF_VIEW)
def scores_of(tx: Tx, user_id: int, start: date, end: date) -> Scored:
    """Count the scores of what an employee of one's branch solved: what they see, too."""
    checked_employee(tx, user_id)
    return _scored(tx, user_id, start, end)


def _scored(tx: Tx, user_id: int, start: date, end: date) -> Scored:
    """By the day of the solution, so that a score belongs to the work it is about."""
    first, after_last = instants(start, end)
    count, total = tx.session.execute(
        select(func.count(Ticket.score), func.sum(Ticket.score)).where(
            Ticket.solved_by == user_id,
            Ticket.solved_at >= first,
            Ticket.solved_at < after_last,
        )
    ).one()
    return Scored(count=count, total=int(total or 0))


def _facts(ticket: Ticket) -> dict[str, object]:
    return {"score": ticket.score, "remark": ticket.score_note}
