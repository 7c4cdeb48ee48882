"""The shapes in which people see approvals: a row of a list, a line of history, one in full."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from bank.core.approvals import ApprovalStatus
from bank.core.clock import day_in_words
from bank.core.desk import CATALOGUE
from bank.core.permissions import Role

ISO_DAY: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")


@dataclass(frozen=True, kw_only=True)
class ApprovalRow:
    """An approval in a list."""

    id: int
    command: str
    object_kind: str | None
    object_id: str | None
    amount_minor: int | None
    currency: str
    maker_id: int
    maker_name: str
    branch_id: int | None
    made_at: datetime
    expires_at: datetime
    status: ApprovalStatus
    checker_name: str | None
    decided_at: datetime | None
    question: str | None
    reason: str | None
    person: str = ""  # whom it is about, where it is about somebody

    @property
    def sentence(self) -> str:
        """What the command does, in the words of the catalogue."""
        known = CATALOGUE.get(self.command)
        return known.sentence if known else self.command

    @property
    def about(self) -> str:
        """The thing it is about: `account 001000000016`, `new user`, `Meera Shah (meera.s)`."""
        if self.person:
            return self.person
        if not self.object_kind:
            return ""
        known = self.object_id is not None
        return f"{self.object_kind} {self.object_id}" if known else f"new {self.object_kind}"


@dataclass(frozen=True, kw_only=True)
class Happening:
    """One line of an approval's history."""

    at: datetime
    what: str
    by_name: str
    said: str


@dataclass(frozen=True, kw_only=True)
class WaitsFor:
    """Whom an approval waits for. `names` are who may decide now and `roles` whom the rule asks;
    `here` are those of them who are signed in at this moment. `opens_at` is when their branch opens
    again, None while it is open. `held_by` has claimed it (empty: nobody), since when."""

    names: Sequence[str] = ()
    roles: Sequence[Role] = ()
    here: Sequence[str] = ()
    opens_at: datetime | None = None
    held_by: str = ""
    held_since: datetime | None = None
    held_by_me: bool = False


@dataclass(frozen=True, kw_only=True)
class ApprovalCard(WaitsFor):
    """An approval in full. `lines` are what it would book (or has), `why_not` says why the reader
    may not decide, `risks` why to look twice, `record` what became of the maker's approvals
    lately."""

    row: ApprovalRow
    asked: Mapping[str, str]
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    lines: Sequence[Mapping[str, Any]]
    history: Sequence[Happening]
    why_not: str
    is_mine: bool
    wants_amount_again: bool
    compared_minor: int | None
    rule_source: str
    record: Mapping[str, int]
    risks: Sequence[str] = ()

    @property
    def changes(self) -> Sequence[tuple[str, str, str]]:
        """Name, value before, value after of everything that differs."""
        return [
            (name, as_text(self.before.get(name)), as_text(self.after.get(name)))
            for name in dict.fromkeys([*self.before, *self.after])
            if self.before.get(name) != self.after.get(name)
        ]


def as_text(value: Any) -> str:
    """A value of the change as a person reads it."""
    if value is None:
        return ""
    if isinstance(value, str) and ISO_DAY.fullmatch(value):
        return day_in_words(date.fromisoformat(value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
