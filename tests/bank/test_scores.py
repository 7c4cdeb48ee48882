"""Scores: what a customer says of a solution, for how long, and for whom it counts."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from bank import app
from bank.core.db import Database
from bank.core.errors import BadInput, NotAllowed
from bank.core.ids import new_request_id
from bank.office import performance, scores, ticket_moves, tickets
from bank.office.scores import Scored, TooLateToScore
from bank.office.ticket_desk import Then
from bank.office.tickets import GoesOnElsewhere, NoSuchTicket, NotSolvedYet, TicketCard
from bank.people.staff_list import NoSuchEmployee
from tests.support import queues
from tests.support.bank import DIALECTS
from tests.support.market import Market
from tests.support.older import old_database
from tests.support.tickets import claimed, opened, own, replied, solved, written

pytestmark = pytest.mark.feature("B20")
TODAY: Final = date(2026, 3, 16)
SCORE_DAYS: Final = 30
BEFORE: Final = "0013_tickets"


def scored(market: Market, score: int, who: str = "executive") -> TicketCard:
    """A ticket of Asha's that somebody has solved, and her score for it."""
    card = claimed(market, written(market), who)
    replied(market, card, Then.SOLVE, who)
    scores.score_ticket(market.desks["asha"], card.id, score)
    return card


def by(market: Market, who: str = "executive", start: date = TODAY, end: date = TODAY) -> Scored:
    """What somebody sees of their own scores, which is what the admin sees."""
    desk = market.desks[who]
    mine = scores.own_scores(desk, start, end)
    assert desk.user_id is not None
    assert scores.scores_of(market.desks["admin"], desk.user_id, start, end) == mine
    return mine


def test_it_is_given_and_changed_and_the_executive_sees_it(market: Market) -> None:
    card, asha = solved(market), market.desks["asha"]
    scores.score_ticket(asha, card.id, 4, " Took  a while ")
    scores.score_ticket(asha, card.id, 5)
    assert (own(market, card).score, own(market, card).score_note) == (5, "")
    assert opened(market, card).card.score == 5
    trail = market.rows(
        "SELECT before, after, object_id FROM trail WHERE outcome = 'done'"
        " AND verb = 'office.scores.score_ticket' ORDER BY id"
    )
    assert [tuple(row.values()) for row in trail] == [
        ('{"score":null,"remark":""}', '{"score":4,"remark":"Took a while"}', str(card.id)),
        ('{"score":4,"remark":"Took a while"}', '{"score":5,"remark":""}', str(card.id)),
    ]


@pytest.mark.parametrize(
    ("score", "note", "field"),
    [(0, "", "score"), (6, "", "score"), (-1, "", "score"), (5, "x" * 301, "remark")],
)
def test_what_is_no_score(sqlite_market: Market, score: int, note: str, field: str) -> None:
    card = solved(sqlite_market)
    with pytest.raises(BadInput) as refused:
        scores.score_ticket(sqlite_market.desks["asha"], card.id, score, note)
    assert refused.value.field == field
    assert own(sqlite_market, card).score is None


def test_only_its_own_customer_and_only_once_it_is_solved(market: Market) -> None:
    card = written(market)
    with pytest.raises(NotSolvedYet):
        scores.score_ticket(market.desks["asha"], card.id, 5)
    done = solved(market)
    with pytest.raises(NoSuchTicket):
        scores.score_ticket(market.desks["vikram"], done.id, 5)
    with pytest.raises(NoSuchTicket):
        scores.score_ticket(market.desks["asha"], 4711, 5)
    with pytest.raises(NotAllowed):
        scores.score_ticket(market.desks["executive"], done.id, 5)
    assert own(market, done).score is None


def test_a_ticket_that_goes_on_elsewhere_has_no_solution_to_score(market: Market) -> None:
    into = written(market)
    gone = claimed(market, written(market))
    ticket_moves.merge_ticket(market.desks["executive"], gone.id, into.id)
    with pytest.raises(GoesOnElsewhere):
        scores.score_ticket(market.desks["asha"], gone.id, 5)
    assert own(market, gone).score is None


def test_it_may_be_given_and_changed_for_thirty_days(market: Market) -> None:
    card, asha = solved(market), market.desks["asha"]
    queues.later(market, days=SCORE_DAYS)
    scores.score_ticket(asha, card.id, 2)
    assert own(market, card).may_score(market.bank.clock.now())
    queues.later(market, seconds=1)
    assert not own(market, card).may_score(market.bank.clock.now())
    with pytest.raises(TooLateToScore):
        scores.score_ticket(asha, card.id, 5)
    assert own(market, card).score == 2, "what was given stays"
    assert not written(market).may_score(market.bank.clock.now())


def test_the_days_are_a_rule_with_a_date(market: Market) -> None:
    card = solved(market)
    with market.tx() as tx:
        tx.connection.exec_driver_sql(
            "INSERT INTO ticket_rules (name, effective_from, value, source)"
            " VALUES ('score_days', '2026-03-16', 2, 'a test')"
        )
    assert own(market, card).score_until == market.bank.clock.now() + timedelta(days=2)
    queues.later(market, days=3)
    with pytest.raises(TooLateToScore):
        scores.score_ticket(market.desks["asha"], card.id, 5)


def test_opened_again_it_has_no_score_and_the_next_solution_is_scored_anew(
    market: Market,
) -> None:
    card = scored(market, 1)
    assert by(market) == Scored(count=1, total=1)
    tickets.reopen(market.desks["asha"], card.id, "It came again", request_id=new_request_id())
    assert (own(market, card).score, by(market)) == (None, Scored(count=0, total=0))
    with pytest.raises(NotSolvedYet):
        scores.score_ticket(market.desks["asha"], card.id, 5)
    claimed(market, card, "executive_two")
    replied(market, card, Then.SOLVE, "executive_two")
    scores.score_ticket(market.desks["asha"], card.id, 4)
    assert by(market) == Scored(count=0, total=0), "somebody else has solved it"
    assert by(market, "executive_two") == Scored(count=1, total=4)


@pytest.mark.feature("A9.2")
def test_both_see_the_average_of_a_period(market: Market) -> None:
    for score in (5, 4, 4):
        scored(market, score)
    scored(market, 1, "executive_two")
    solved(market)  # without a score
    assert by(market) == Scored(count=3, total=13)
    assert f"{by(market).average:.2f}" == "4.33"
    assert by(market, "executive_two").average == 1
    assert by(market, "ravi").average == 0
    tomorrow = TODAY + timedelta(days=1)
    queues.later(market, hours=12)  # midnight in the branch has passed
    scored(market, 2)
    assert by(market, start=tomorrow, end=tomorrow) == Scored(count=1, total=2)
    assert by(market, end=tomorrow) == Scored(count=4, total=15)
    assert by(market).count == 3


def test_whose_scores_are_seen_and_of_which_days(sqlite_market: Market) -> None:
    esha = sqlite_market.desks["executive"].user_id
    assert esha is not None
    with pytest.raises(NoSuchEmployee):
        scores.scores_of(sqlite_market.desks["admin_baner"], esha, TODAY, TODAY)
    for start, end in ((TODAY, TODAY - timedelta(days=1)), (date(2025, 3, 1), TODAY)):
        with pytest.raises(BadInput) as refused:
            scores.own_scores(sqlite_market.desks["executive"], start, end)
        assert refused.value.field == "days"
    assert performance.LONGEST_DAYS == 366


# Banks of before.


@pytest.fixture(params=DIALECTS)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with the schema of before, on each kind in turn."""
    with old_database(BEFORE, request.param, tmp_path) as db:
        yield db


def test_an_old_bank_knows_who_solved_and_has_the_rule(old: Database) -> None:
    def tell(sql: str) -> Any:
        return connection.exec_driver_sql(sql)

    at = "'2026-03-16 06:30:00'"
    with old.engine.connect() as connection:
        tell("DELETE FROM ticket_rules WHERE name = 'score_days'")  # no seed had it then
        tell(
            "INSERT INTO branches (ifsc, name, address, opened_on)"
            " VALUES ('BANK0000001', 'Fort', '', '2020-01-01')"
        )
        tell(
            "INSERT INTO customers (number, name, date_of_birth, branch_id, created_at)"
            f" VALUES ('1', 'Somebody', '1990-05-17', 1, {at})"
        )
        for number, solved_at in ((1, at), (2, "NULL")):
            tell(
                "INSERT INTO tickets (request_id, customer_id, branch_id, category, subject,"
                f" opened_on, opened_at, solved_at, score_note) VALUES ('{number}', 1, 1, 'other',"
                f" 'A word', '2026-03-16', {at}, {solved_at}, '')"
            )
            tell(
                "INSERT INTO work_items (kind, subject_id, branch_id, for_roles, reference, title,"
                " priority, level, status, opened_at, decided_by) VALUES ('ticket',"
                f" {number}, 1, '', 'T-{number}', 'A word', 3, 0, 'decided', {at}, 7)"
            )
        connection.commit()
        connection.connection.commit()
    app.migrate(old)
    with old.engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT id, solved_by FROM tickets ORDER BY id")
        assert [tuple(row) for row in found] == [(1, 7), (2, None)]
        rule = connection.exec_driver_sql(
            "SELECT value FROM ticket_rules WHERE name = 'score_days'"
        )
        assert [row.value for row in rule] == [SCORE_DAYS]
