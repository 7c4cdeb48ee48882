"""Objections: "may this employee leave?", answered by floors that this one knows nothing of.

A floor above registers what it knows, `bank/app.py` wires it: an answer gives reasons against (an
open drawer), a holding gives what somebody has in hand (claimed work) and moves it to a colleague.
Both answer for many subjects at once, so that a list asks each of them once and not once per row.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bank.core.desk import Tx
from bank.core.errors import WrongState


class Question(StrEnum):
    """What is asked before it is done. The subject is the id of the thing in the question."""

    EMPLOYEE_LEAVES = "employee_leaves"  # a user: removed, moved to another branch or role
    EMPLOYEE_AWAY = "employee_away"  # a user: away from today on


class Objected(WrongState):
    """Something stands against this. Settle it first, then try again."""


# Reasons by subject, each a sentence for people; a subject without any may be left out.
Answer = Callable[[Tx, Sequence[int]], Mapping[int, Sequence[str]]]


@dataclass(frozen=True, kw_only=True)
class Holding:
    """A kind of thing that employees have in hand.

    `noun` is what a person reads ("claimed item"). `counts` answers how many each user has; whoever
    has none may be left out. `hand_over` moves all of it from one user to another in this
    transaction and answers how many it moved; it raises a BankError when the colleague may not
    have them. `put_back` leaves all of it to whoever takes it next, with a word why.
    """

    noun: str
    counts: Callable[[Tx, Sequence[int]], Mapping[int, int]]
    hand_over: Callable[[Tx, int, int], int]
    put_back: Callable[[Tx, int, str], int]


ANSWERS: Final[dict[Question, dict[str, Answer]]] = {question: {} for question in Question}
HOLDINGS: Final[dict[str, Holding]] = {}


def register_answer(question: Question, name: str, answer: Answer) -> None:
    """From now on this answer is heard, too. The same name again replaces it."""
    ANSWERS[question][name] = answer


def register_holding(name: str, holding: Holding) -> None:
    """From now on this is asked after and handed over, too. The same name again replaces it."""
    HOLDINGS[name] = holding


def objections(tx: Tx, question: Question, subjects: Sequence[int]) -> dict[int, list[str]]:
    """Every reason against, by subject; whoever has none is not in it."""
    found: dict[int, list[str]] = {}
    if subjects:
        for answer in ANSWERS[question].values():
            for subject, reasons in answer(tx, subjects).items():
                if reasons:
                    found.setdefault(subject, []).extend(reasons)
    return found


def check(tx: Tx, question: Question, subject: int) -> None:
    """Raise Objected with every reason, if there is one."""
    reasons = objections(tx, question, [subject]).get(subject)
    if reasons:
        raise Objected(" ".join([*reasons, "Settle this first, then try again."]))


def held(tx: Tx, user_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """How many of what each user has in hand, by the noun; whoever has nothing is not in it."""
    found: dict[int, dict[str, int]] = {}
    if user_ids:
        for holding in HOLDINGS.values():
            for user_id, count in holding.counts(tx, user_ids).items():
                if count:
                    found.setdefault(user_id, {})[holding.noun] = count
    return found


def hand_over(tx: Tx, user_id: int, colleague_id: int) -> dict[str, int]:
    """Move everything that a user has in hand to a colleague; answers what was moved."""
    moved = {
        holding.noun: holding.hand_over(tx, user_id, colleague_id) for holding in HOLDINGS.values()
    }
    return {noun: count for noun, count in moved.items() if count}


def put_back(tx: Tx, user_id: int, why: str) -> dict[str, int]:
    """Take everything out of a user's hands, for whoever takes it next; answers what it was."""
    moved = {each.noun: each.put_back(tx, user_id, why) for each in HOLDINGS.values()}
    return {noun: count for noun, count in moved.items() if count}
