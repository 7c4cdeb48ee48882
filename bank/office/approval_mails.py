"""What the maker of an approval is told by mail: it came back, or it is over, by whom and why.

Written in the transaction that moves the approval. What its maker did, the maker knows.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from bank.core import money, outbox
from bank.core.approvals import Approval, ApprovalStatus
from bank.core.clock import day_in_words, in_india
from bank.core.desk import CATALOGUE, Tx
from bank.people.identity import User

PURPOSE: Final = "approval"
PAGE: Final = "staff-approvals"
S: Final = ApprovalStatus

# What happened, as the subject ends and as a sentence begins; then what to do.
_TOLD: Final[Mapping[ApprovalStatus, tuple[str, str, str]]] = {
    S.RETURNED: (
        "came back with a question",
        "{by} asks about it",
        "It waits for your answer, and its time runs on until {expires}.",
    ),
    S.EXECUTED: ("was approved", "{by} has approved it, and it is done", ""),
    S.REJECTED: ("was rejected", "{by} has rejected it", "Nothing was done."),
    S.FAILED: (
        "has failed",
        "{by} would have approved it, but it can no longer be done",
        "Nothing was done. Ask anew if it is still wanted.",
    ),
    S.EXPIRED: (
        "has expired",
        "Nobody has decided it in time",
        "Nothing was done. Ask anew if it is still wanted.",
    ),
}


def tell_maker(tx: Tx, row: Approval, said: str) -> None:
    """Write to the maker that this has happened to what they asked for. `said` is the question or
    the reason."""
    if row.status not in _TOLD or row.maker_id == tx.desk.user_id:
        return
    maker = tx.session.get(User, row.maker_id)
    if maker is None or maker.email is None or not maker.active:  # who left is told nothing
        return
    subject, what, then = _TOLD[row.status]
    outbox.queue_mail(
        tx,
        to=maker.email,
        subject=f"Approval {row.id} {subject}",
        body="\n\n".join(
            part
            for part in (
                f"Hello {maker.name},",
                _asked(row),
                f"{what.format(by=tx.desk.name)}{f': {said}' if said else '.'}",
                then.format(expires=_moment(row.expires_at)),
                f"You find it under Approvals: {tx.bank.settings.address()}/{PAGE}",
            )
            if part
        )
        + "\n",
        purpose=PURPOSE,
        user_id=maker.id,
    )


def _asked(row: Approval) -> str:
    """What was asked for and when; the account is for the page to show."""
    amount = "" if row.amount_minor is None else f"{money.show(row.amount_minor, row.currency)}: "
    what = CATALOGUE[row.command].sentence
    return f"You asked for this on {_moment(row.made_at)}. {amount}{what}"


def _moment(at: datetime) -> str:
    local = in_india(at)
    return f"{day_in_words(local.date())} at {local:%H:%M}"
