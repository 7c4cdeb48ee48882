"""Supervision: a supervisor proves at the cashier's own window that they have seen what is done.

    given --by the act it was given for, within minutes--> used

The supervisor types their user name and the code of their own device. The proof is a confirmation
(people/confirmations) bound to one sentence that names amount and account in full, given in the
cashier's session, spent once by the act itself. It is never the cashier's own.
"""

from collections.abc import Collection
from datetime import timedelta
from functools import partial
from typing import Final

from sqlalchemy import update

from bank.core import checkers
from bank.core.desk import Desk, Tx, chunk, flow, note
from bank.core.errors import Declined, NotAllowed
from bank.core.permissions import NamedGrant, Permission, is_granted
from bank.core.secrets import Secret
from bank.core.work_rights import Employee
from bank.people import attempts, codes, named_grants, tries
from bank.people.confirmations import LONGEST_BOUND_TO, Confirmation, ConfirmationStatus
from bank.people.fields import clean_text
from bank.people.identity import User, UserStatus, held_user, user_by_id, user_by_name
from bank.people.rules import rules
from bank.people.tries import Guarded

PURPOSE: Final = "supervision"


class SupervisorRefused(Declined):
    """User name or code is not right, or this person may not supervise you. Try again with the
    code the device shows now, or ask another supervisor of your branch."""


class SupervisorNeeded(Declined):
    """This needs a supervisor of your branch: let them type user name and code at your window."""


class SupervisorHasInterest(NotAllowed):
    """This supervisor has an interest in the account. Ask another one of your branch."""


@flow(Permission.CASH_POST)
def vouch(desk: Desk, bound_to: str, supervisor: str, code: Secret, account: str = "") -> int:
    """Let a supervisor prove, with the code of their device, that they have seen exactly this.

    `account` is the number of the one it is about; what is booked asks once more (`consume`).
    """
    sentence = clean_text(bound_to, field="bound_to", longest=LONGEST_BOUND_TO)
    with note(desk) as tx:  # counted before it is verified, so parallel guesses gain nothing
        user = user_by_name(tx, supervisor)
        known = user if user is not None and _may(tx, user, desk) else None
        taken = tries.take(tx, known.id, Guarded.SUPERVISION) if known is not None else 0
        is_last = known is not None and tries.was_last(tx, taken)
    if known is None or not taken:
        raise SupervisorRefused
    refused = partial(_refused, known.id, is_last)
    with chunk(desk, "counters.supervision.vouch", {"bound_to": sentence}) as tx:
        held = held_user(tx, known.id)
        key = codes.key_in_use(tx, held)
        if key is None or not _may(tx, held, desk) or not codes.use_totp(tx, held, key, code):
            raise SupervisorRefused(remember=refused)
        check_interest(
            tx, held, [account] if account else []
        )  # said to who has proved to be the supervisor
        tries.forget(tx, held.id, Guarded.SUPERVISION)
        row = Confirmation(
            user_id=held.id,
            session_id=desk.session_id,
            purpose=PURPOSE,
            bound_to=sentence,
            proof="totp",
            status=ConfirmationStatus.GIVEN,
            made_at=tx.now,
            expires_at=tx.now + timedelta(minutes=rules(tx).confirmation_minutes),
        )
        tx.session.add(row)
        tx.session.flush()
        tx.concerns("confirmation", row.id)
        tx.facts["supervisor_id"], tx.facts["supervisor"] = held.id, held.name
        return row.id


def consume(tx: Tx, vouched: int | None, bound_to: str, account: str = "") -> User:
    """Spend the proof in the transaction of what it allows; answers who gave it.

    It must be of this session, for this very sentence, given within the last minutes, not yet
    spent, by somebody else than who acts, without an interest in the account it is about. Raises
    SupervisorNeeded, or SupervisorHasInterest.
    """
    spent = None
    if vouched is not None:
        spent = tx.session.scalar(
            update(Confirmation)
            .where(
                Confirmation.id == vouched,
                Confirmation.user_id != tx.desk.user_id,
                Confirmation.session_id == tx.desk.session_id,
                Confirmation.purpose == PURPOSE,
                Confirmation.bound_to == " ".join(bound_to.split()),
                Confirmation.status == ConfirmationStatus.GIVEN,
                Confirmation.expires_at > tx.now,
            )
            .values(status=ConfirmationStatus.USED, used_at=tx.now)
            .returning(Confirmation.user_id)
        )
    if spent is None:
        raise SupervisorNeeded
    supervisor = user_by_id(tx, spent)
    if not _may(tx, supervisor, tx.desk):  # left or moved since the code was typed
        raise SupervisorNeeded
    check_interest(tx, supervisor, [account] if account else [])
    tx.facts["supervisor_id"], tx.facts["supervisor"] = supervisor.id, supervisor.name
    return supervisor


def check_interest(tx: Tx, user: User, accounts: Collection[str], which: str = "") -> None:
    """Nobody stands by where an account of their own is served (`which` says how, in words)."""
    one = Employee(user.id, user.name, user.role, user.branch_id)
    found = checkers.interests(tx, accounts, [one])
    if found:
        raise SupervisorHasInterest(
            f"{user.name} is {found[0].words}{which}, so another supervisor of your branch must "
            "see this."
        )


def _may(tx: Tx, user: User, desk: Desk) -> bool:
    """An active supervisor of the same branch, with a device, who is somebody else."""
    return (
        user.status is UserStatus.ACTIVE
        and user.id != desk.user_id
        and user.branch_id == desk.branch_id
        and user.totp_secret is not None
        and is_granted(Permission.DRAWER_SUPERVISE, user.role, _named(tx, user))
    )


def _named(tx: Tx, user: User) -> frozenset[NamedGrant]:
    return frozenset(named_grants.held_by(tx, [user.id]).get(user.id, ()))


def _refused(user_id: int, is_last: bool, tx: Tx) -> None:
    if is_last:
        attempts.tell_of_lock(tx, user_by_id(tx, user_id), "Supervising at a counter")
