"""Commands that may need a second person: one declaration, and what it does with the first click.

    @command(Permission.CASH_POST, checked=Checked(amount="amount_minor", account="account_number"))

When a rule bites (`approval_rules`), the command is rehearsed in a savepoint, so that what cannot
be done is refused at once and the checker sees the very lines it would book. Then its arguments
are kept as an approval and AwaitingApproval is raised: the same request again meets the same
approval, and once that is executed, the command itself, which answers its first receipt.
"""

import hashlib
import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any, Final, get_args

from pydantic import TypeAdapter
from pydantic.errors import PydanticUserError
from sqlalchemy import select

from bank.core import approvals, audit, checkers
from bank.core.approval_rules import About, OwnLimit, Required, own_limit, required
from bank.core.approvals import (
    UNDECIDED,
    AlreadyDecided,
    Approval,
    ApprovalAccount,
    ApprovalStatus,
    AwaitingApproval,
    RequestReusedForApproval,
)
from bank.core.db import marks
from bank.core.desk import Desk, Tx, Verb, add_to_trail
from bank.core.errors import BankError
from bank.core.ids import new_request_id
from bank.core.permissions import Role
from bank.core.secrets import Secret

__all__ = ["About", "Checked", "Given", "Rehearsal", "rehearse", "required_now", "run", "unpack"]

Given = Mapping[str, Any]
REQUEST: Final = "request_id"
KEY: Final = "approval"  # of the keyring


@dataclass(frozen=True, kw_only=True)
class Checked:
    """How a command tells what the rules ask. `amount`, `account` (a number) and `kind` name
    parameters; `about` finds them where no parameter holds them.

    `of_today` answers what the maker has done on an account today, in minor units. `own_limit` is
    the kind of limit that an employee may have of their own for it. `ends` are the refusals after
    which a waiting command can never be executed. Parameters that are Secret are either `sealed`
    (a digest: kept under the bank's key until the decision) or `dropped` (their default is used
    when it is executed). `system_may_begin` lets the bank's own desk go ahead for as long as nobody
    works here who could decide.
    """

    amount: str = ""
    account: str = ""
    kind: str = ""
    about: Callable[[Tx, Given], About] | None = None
    of_today: Callable[[Tx, str], int] | None = None
    own_limit: str = ""
    ends: tuple[type[BankError], ...] = ()
    sealed: frozenset[str] = frozenset()
    dropped: frozenset[str] = frozenset()
    system_may_begin: bool = False

    def __call__(
        self, tx: Tx, verb: Verb, args: tuple[Any, ...], named: dict[str, Any]
    ) -> BankError | None:
        """What to answer instead of running the command now, or None (see `desk.Check`)."""
        given = _bound(verb, args, named)
        about = self.about_of(tx, given)
        need = required_now(tx, verb, about, hold=True)
        return None if need is None else _stop(tx, verb, given, about, need)

    def about_of(self, tx: Tx, given: Given) -> About:
        """What the command is about."""
        if self.about is not None:
            return self.about(tx, given)
        amount = None
        if self.amount:  # what is no amount is for the command to refuse
            asked = given[self.amount]
            amount = max(asked, 0) if isinstance(asked, int) else 0
        account = "".join(str(given[self.account]).split()) if self.account else ""
        return About(
            amount_minor=amount,
            accounts=(account,) if account else (),
            kind=str(given[self.kind]) if self.kind else "",
        )

    def troubles(self, inner: Callable[..., Any]) -> list[str]:
        """Why the arguments of this command cannot be kept, for the test that reads every one."""
        found = []
        for name, parameter in _parameters(inner).items():
            if _is_secret(parameter):
                if name not in self.sealed | self.dropped:
                    found.append(f"{name} is a secret and is neither sealed nor dropped")
                if name in self.dropped and parameter.default is inspect.Parameter.empty:
                    found.append(f"{name} is dropped and has no default")
                continue
            try:
                _adapter(parameter.annotation)
            except PydanticUserError as wrong:
                found.append(f"{name} cannot be kept: {wrong}")
        named = {self.amount, self.account, self.kind, *self.sealed, *self.dropped} - {""}
        return found + [f"there is no {name}" for name in sorted(named - {*_parameters(inner)})]


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """What a command would do: the thing, its values before and after, the lines it would book."""

    object_kind: str | None
    object_id: str | None
    before: dict[str, object] | None
    after: dict[str, object] | None
    lines: list[dict[str, Any]] = field(default_factory=list)


def required_now(
    tx: Tx, verb: Verb, about: About, *, but: int | None = None, hold: bool = False
) -> Required | None:
    """The rule that bites for the person at this desk; `but` leaves one approval out of the sum.

    With `hold` nobody else adds to the day's sum until this transaction ends: two windows of one
    person would each find the half that needs nobody.
    """
    declared = verb.check
    assert isinstance(declared, Checked)
    maker = tx.desk.user_id

    def of_today() -> int:
        done = declared.of_today or (lambda _tx, _account: 0)
        if maker is None:
            return 0
        if hold:
            approvals.hold_sums(tx, verb.name, maker, about.accounts)
        # What waits first: an approval that is executed in between is counted twice, never not.
        return max(
            (
                approvals.waiting_of_today(tx, verb.name, maker, account, but=but)
                + done(tx, account)
                for account in about.accounts
            ),
            default=0,
        )

    def own() -> OwnLimit | None:
        if maker is None or not declared.own_limit:
            return None
        return own_limit(tx, maker, declared.own_limit)

    return required(tx, verb.name, tx.desk.role, about, of_today, own)


def rehearse(tx: Tx, verb: Verb, given: Given) -> Rehearsal:
    """Run the command in a savepoint and take everything back. Raises what the command refuses."""
    tx.session.flush()
    tx.cursor.execute("SAVEPOINT rehearsal")
    inner = _within(tx, tx.desk)
    verb.inner(inner, **given)
    inner.session.flush()
    is_made = inner.before is None and inner.after is not None
    seen = Rehearsal(
        object_kind=inner.object_kind,
        # The id of what it would make is taken back with it, and may become another's.
        object_id=None if is_made else inner.object_id,
        before=inner.before,
        after=inner.after,
        lines=approvals.lines_of(inner, str(given.get(REQUEST))),
    )
    inner.session.expunge_all()
    tx.cursor.execute("ROLLBACK TO SAVEPOINT rehearsal")
    tx.cursor.execute("RELEASE SAVEPOINT rehearsal")
    return seen


def run(tx: Tx, maker: Desk, verb: Verb, given: Given, facts: dict[str, object]) -> tuple[Any, Tx]:
    """Run the command in this transaction as its maker's, with its own row in the trail; answers
    its result, and what it was about and has changed."""
    tx.session.flush()
    inner = _within(tx, maker)
    inner.facts.update(facts)  # a register may name who agreed
    result = verb.inner(inner, **given)
    inner.session.flush()
    add_to_trail(inner, verb.name, dict(given))
    tx.after_commit |= inner.after_commit
    return result, inner


def unpack(tx: Tx, approval: Approval, verb: Verb) -> dict[str, Any]:
    """The arguments of a waiting command, as it was given them."""
    declared = verb.check
    assert isinstance(declared, Checked)
    kept = json.loads(approval.arguments)
    sealed = json.loads(tx.bank.keyring.decrypt(KEY, approval.sealed)) if approval.sealed else {}
    given: dict[str, Any] = {}
    for name, parameter in _parameters(verb.inner).items():
        if name in declared.sealed:
            given[name] = Secret(sealed[name])
        elif name in kept:
            given[name] = _adapter(parameter.annotation).validate_python(kept[name])
    return given


def _stop(
    tx: Tx, verb: Verb, given: dict[str, Any], about: About, need: Required
) -> BankError | None:
    declared = verb.check
    assert isinstance(declared, Checked)
    kept, secrets = _pack(verb, given)
    digest = hashlib.sha256(f"{verb.name}|{tx.desk.user_id}|{kept}".encode()).hexdigest()
    if (known := _known(tx, verb, given, digest)) is not None:
        return _meet(tx, known, digest)
    branch_id = about.branch_id or tx.desk.branch_id
    able = checkers.could_decide(
        tx,
        roles=need.checkers,
        branch_id=branch_id,
        maker_id=tx.desk.user_id or 0,
        accounts=about.accounts,
    )
    if not able and declared.system_may_begin and tx.desk.role is Role.SYSTEM:
        tx.facts["unchecked"] = "nobody works here yet who could decide"
        return None
    seen = rehearse(tx, verb, given)
    row = {
        **_facts_of(tx, verb, about, need, seen),
        "branch_id": branch_id,
        "request_id": given.get(REQUEST) or new_request_id(),
        "digest": digest,
        "arguments": kept,
        "sealed": tx.bank.keyring.encrypt(KEY, json.dumps(secrets)) if secrets else None,
    }
    approval_id = _insert(tx, row)
    if approval_id is None:  # the same click came twice, and the other one was first
        known = _known(tx, verb, given, digest)
        if known is None:
            raise RequestReusedForApproval
        return _meet(tx, known, digest)
    tx.session.add_all(
        ApprovalAccount(approval_id=approval_id, account=account) for account in about.accounts
    )
    approval = tx.session.get_one(Approval, approval_id)
    approvals.announce(tx, approval)
    _name(tx, approval)
    return AwaitingApproval(approval, [one.name for one in able], is_new=True)


def _meet(tx: Tx, known: Approval, digest: str) -> BankError | None:
    """The approval that this request has already, seen once more."""
    if known.digest != digest:
        raise RequestReusedForApproval
    if known.status is ApprovalStatus.EXECUTED:
        tx.is_checked = True  # the command answers what it did
        return None
    if known.status not in UNDECIDED or known.expires_at <= tx.now:
        why = f": {known.reason}" if known.reason else ""
        by = f" by {known.checker_name}" if known.checker_name else ""
        state = known.status if known.status not in UNDECIDED else ApprovalStatus.EXPIRED
        raise AlreadyDecided(
            f"Approval {known.id} was {state}{by}{why}. Start again if it is still wanted."
        )
    _name(tx, known)
    return AwaitingApproval(known, approvals.names_for(tx, known), is_new=False)


def _name(tx: Tx, approval: Approval) -> None:
    """For the trail: the thing that is asked about, or the asking where there is no thing yet."""
    tx.facts["approval_id"] = approval.id
    if approval.object_kind and approval.object_id:
        tx.concerns(approval.object_kind, approval.object_id)
    else:
        tx.concerns("approval", approval.id)


def _known(tx: Tx, verb: Verb, given: Given, digest: str) -> Approval | None:
    wanted = select(Approval).where(Approval.command == verb.name)
    if given.get(REQUEST):
        wanted = wanted.where(Approval.request_id == given[REQUEST])
    else:
        wanted = wanted.where(
            Approval.maker_id == tx.desk.user_id,
            Approval.digest == digest,
            Approval.status.in_(UNDECIDED),
        )
    return tx.session.scalar(wanted.execution_options(populate_existing=True))


def _facts_of(
    tx: Tx, verb: Verb, about: About, need: Required, seen: Rehearsal
) -> dict[str, object]:
    desk = tx.desk
    return {
        "command": verb.name,
        "object_kind": seen.object_kind,
        "object_id": seen.object_id,
        "kind": about.kind,
        "amount_minor": about.amount_minor,
        "compared_minor": need.compared_minor,
        "currency": about.currency,
        "maker_id": desk.user_id,
        "maker_name": desk.name,
        "maker_role": desk.role.value,
        "maker_branch_id": desk.branch_id,
        "session_id": desk.session_id,
        "channel": desk.channel,
        "from_where": desk.from_where,
        "business_date": tx.day(tx.business_date),
        "made_at": tx.stamp(tx.now),
        "expires_at": tx.stamp(tx.now + timedelta(hours=need.expires_hours)),
        "checkers": " ".join(sorted(need.checkers)),
        "rule_source": need.source,
        "before": audit.as_json(seen.before),
        "after": audit.as_json(seen.after),
        "lines": json.dumps(seen.lines, ensure_ascii=False),
        "status": ApprovalStatus.PENDING.value,
    }


def _insert(tx: Tx, row: Mapping[str, object]) -> int | None:
    names, places = ", ".join(row), ", ".join("?" * len(row))
    sql = (
        f"INSERT INTO approvals ({names}) VALUES ({places})"  # noqa: S608 - names of our own
        " ON CONFLICT DO NOTHING RETURNING id"
    )
    tx.cursor.execute(marks(tx.dialect, sql), tuple(row.values()))
    made = tx.cursor.fetchall()
    return int(made[0][0]) if made else None


def _within(tx: Tx, desk: Desk) -> Tx:
    return Tx(
        connection=tx.connection,
        desk=desk,
        now=tx.now,
        business_date=tx.business_date,
        is_checked=True,
    )


def _pack(verb: Verb, given: Given) -> tuple[str, dict[str, str]]:
    """The arguments as JSON, and the digests among them that are kept under the key."""
    declared = verb.check
    assert isinstance(declared, Checked)
    kept: dict[str, Any] = {}
    secrets: dict[str, str] = {}
    for name, parameter in _parameters(verb.inner).items():
        if name in declared.sealed:
            secrets[name] = given[name].reveal()
        elif name not in declared.dropped:
            assert not _is_secret(parameter), f"{verb.name}: {name} would be kept in the clear"
            kept[name] = _adapter(parameter.annotation).dump_python(given[name], mode="json")
    return json.dumps(kept, ensure_ascii=False, sort_keys=True), secrets


@cache
def _parameters(inner: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """The parameters of a command but its transaction."""
    return dict(list(_signature(inner).parameters.items())[1:])


@cache
def _signature(inner: Callable[..., Any]) -> inspect.Signature:
    return inspect.signature(inner, eval_str=True)


@cache
def _adapter(annotation: Any) -> TypeAdapter[Any]:
    return TypeAdapter(annotation)


def _is_secret(parameter: inspect.Parameter) -> bool:
    wanted: Sequence[Any] = (parameter.annotation, *get_args(parameter.annotation))
    return any(one is Secret for one in wanted)


def _bound(verb: Verb, args: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
    bound = _signature(verb.inner).bind(None, *args, **named)
    bound.apply_defaults()
    return dict(list(bound.arguments.items())[1:])
