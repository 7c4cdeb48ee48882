"""What administration has to show in the demo bank: named grants, a leave, a newcomer who
waits, new terms.

Done at the end of the seeding by the verbs themselves, so that history and trail are as real ones.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from bank.accounts import card_terms, terms
from bank.accounts.rate_card import Card, RateLine, RateLineTerm
from bank.core import checked
from bank.core.audit import Outcome
from bank.core.desk import CATALOGUE, Desk, Tx, add_to_trail, open_tx
from bank.core.permissions import NamedGrant, Role
from bank.night.demo_people import StaffPlan, rows_of
from bank.people import grants, staff, users

ON_LEAVE: Final = ("harish", "On leave for two weeks")
NEWCOMER: Final = ("leela", "Leela Tambe", "leela@bank.example", Role.CASHIER, None)
CARD_SINCE_DAYS: Final = 365
NEWCOMER_AT: Final = "BIAB0000001"


def arrange(tx: Tx, plans: Sequence[StaffPlan], desks: Sequence[Desk]) -> None:
    """Give the grants of data/seed/demo_grants.csv, send one on leave, ask for a newcomer.

    `tx` and the desks stand at the last moment of the story.
    """
    at = {plan.username: desk for plan, desk in zip(plans, desks, strict=True)}
    admins = {desk.branch_id: desk for desk in at.values() if desk.role is Role.BRANCH_ADMIN}
    head = next(desk for desk in at.values() if desk.role is Role.SUPER_ADMIN)
    agreed: dict[str, object] = {"checker_id": head.user_id, "checker": head.name}
    today = tx.business_date
    for row in rows_of("demo_grants.csv"):
        who = at[row["username"]]
        given = {
            "user_id": who.user_id,
            "named": NamedGrant(row["named"]),
            "valid_from": today + timedelta(days=int(row["first"])),
            "valid_to": today + timedelta(days=int(row["last"])) if row["last"] else None,
            "reason": row["reason"],
        }
        _do(tx, admins[who.branch_id], grants.give_grant, given, agreed)
    username, why = ON_LEAVE
    who = at[username]
    _do(tx, admins[who.branch_id], users.lock_user, {"user_id": who.user_id, "reason": why}, {})
    _publish_rates(tx)
    _set_terms(tx, [desk for desk in at.values() if desk.role is Role.SUPER_ADMIN])
    _ask_for_newcomer(tx, next(at[p.username] for p in plans if _is_admin_there(p)))


def _publish_rates(tx: Tx) -> None:
    """The card of deposits and loans as it has been for a year: figures of a demo, and they say so
    themselves."""
    since = tx.business_date - timedelta(days=CARD_SINCE_DAYS)
    for row in rows_of("demo_rate_card.csv"):
        code = terms.code_of(row["name"])
        days, ends = (
            [int(row[name]) if row[name] else None for name in names]
            for names in (("from_days", "to_days"), ("below_minor",))
        )
        tx.session.add(
            RateLine(
                code=code,
                card=Card(row["card"]),
                name=row["name"],
                from_days=days[0],
                to_days=days[1],
                from_minor=int(row["from_minor"]),
                below_minor=ends[0],
            )
        )
        tx.session.flush()
        tx.session.add(
            RateLineTerm(
                code=code,
                effective_from=since,
                rate_bps=int(row["rate_bps"]),
                extra_bps=int(row["extra_bps"]),
                over=row["over"] or None,
                source=row["source"],
            )
        )
    tx.session.flush()


def _set_terms(tx: Tx, heads: Sequence[Desk]) -> None:
    """Rates and a charge that customers see coming, decided by two at head office."""
    by, checker, *_ = heads
    agreed: dict[str, object] = {"checker_id": checker.user_id, "checker": checker.name}
    today = tx.business_date
    rate = {
        "product_code": "savings",
        "effective_from": today + timedelta(days=15),
        "interest_rate_bps": 250,
        "minimum_balance_minor": 1_000_00,
        "overdraft_ceiling_minor": 0,
        "reason": "Decision of the board, after the repo rate was cut again",
    }
    charge = {
        "code": "demand_draft",
        "effective_from": today + timedelta(days=45),
        "amount_minor": 60_00,
        "reason": "Decision of the board on charges",
    }
    _do(tx, by, terms.set_rates, rate, agreed)
    line = {
        "code": "car_loan",
        "effective_from": today + timedelta(days=20),
        "rate_bps": 875,
        "extra_bps": 0,
        "over": None,
        "reason": "Demo figure, decided by the board",
    }
    _do(tx, by, terms.set_charge, charge, agreed)
    _do(tx, by, card_terms.set_line, line, agreed)


def _is_admin_there(plan: StaffPlan) -> bool:
    return plan.role is Role.BRANCH_ADMIN and plan.ifsc == NEWCOMER_AT


def _do(tx: Tx, by: Desk, verb: Any, given: dict[str, Any], facts: dict[str, object]) -> None:
    name = f"{verb.__module__.removeprefix('bank.')}.{verb.__name__}"
    checked.run(tx, by, CATALOGUE[name], given, dict(facts))


def _ask_for_newcomer(tx: Tx, admin: Desk) -> None:
    """Ask as the admin's click would: it waits, and head office finds it among the approvals."""
    verb = CATALOGUE["people.staff.add_employee"]
    assert verb.call is staff.add_employee
    assert verb.check is not None
    inner = open_tx(admin, tx.connection)
    waits = verb.check(inner, verb, NEWCOMER, {})
    assert waits is not None, "the rules ask a second person about newcomers"
    username, name, email, role, _ = NEWCOMER
    add_to_trail(
        inner,
        verb.name,
        {"username": username, "name": name, "email": email, "role": role.value},
        outcome=Outcome.WAITING,
    )
    inner.session.flush()
