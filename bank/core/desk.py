"""A desk is a signed-in person together with the bank they act in.

Every public verb of the bank is declared with @command, @query or @flow. The
declaration is the only place that checks a permission, opens a transaction and
writes the trail; the catalogue below is what the tests and the matrices read.

This is also the only module that commits, in three shapes: a command (one click, one transaction),
the record of a refusal or of a read (a small one of its own), and a chunk of a flow or a long job.
"""

import inspect
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from bank.core import audit, reads
from bank.core.clock import Clock
from bank.core.config import Settings
from bank.core.db import Database, marks, raw_date, raw_instant
from bank.core.errors import BankError, NotAllowed, NotFound
from bank.core.permissions import VIEWABLE, WHOLE_BANK, NamedGrant, Permission, Role, is_granted
from bank.core.secrets import Keyring
from bank.core.texts import spelled

P = ParamSpec("P")
R = TypeVar("R")
M = TypeVar("M")


@dataclass(frozen=True, kw_only=True)
class Bank:
    """One bank as a process holds it: wired once in `bank/app.py`."""

    db: Database
    clock: Clock
    settings: Settings
    keyring: Keyring
    is_demo: bool = False
    # Set after a commit that queued a message, so that delivery need not poll.
    outbox_waits: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Who acts: rebuilt from the sessions table on every rerun, fragment and callback."""

    bank: Bank
    role: Role
    user_id: int | None = None
    name: str = ""
    branch_id: int | None = None
    customer_id: int | None = None
    session_id: int | None = None
    channel: str = "branch"
    from_where: str = ""
    named: frozenset[NamedGrant] = frozenset()  # what counts for this person today
    on_behalf_of: int | None = None  # the customer whose portal this person only looks at

    def may(self, permission: Permission, *, changes: bool = False) -> bool:
        """Whether the role holds the permission, or a grant by name. Who views as another looks."""
        if self.on_behalf_of is not None and (changes or permission not in VIEWABLE):
            return False
        return is_granted(permission, self.role, self.named)

    @property
    def sees_whole_bank(self) -> bool:
        """Whether branch scope does not apply."""
        return self.role in WHOLE_BANK


class VerbKind(StrEnum):
    """How a verb uses transactions."""

    COMMAND = "command"
    QUERY = "query"
    FLOW = "flow"


@dataclass(kw_only=True)
class Tx:
    """One open transaction: the connection, who asks, and the time it all happens."""

    connection: Connection
    desk: Desk
    now: datetime
    business_date: date
    object_kind: str | None = None
    object_id: str | None = None
    before: dict[str, object] | None = None
    after: dict[str, object] | None = None
    facts: dict[str, object] = field(default_factory=dict)
    reads: list[tuple[str, str]] = field(default_factory=list)
    after_commit: set[Callable[[], object]] = field(default_factory=set)
    # A second person has agreed to this command, or is about to be asked (core/approvals).
    is_checked: bool = False
    _session: Session | None = None
    _cursor: Any = None
    _stamp: Any = None

    @property
    def bank(self) -> Bank:
        return self.desk.bank

    @property
    def dialect(self) -> str:
        return self.desk.bank.db.dialect

    @property
    def session(self) -> Session:
        """The ORM's view of this transaction, made when first asked for."""
        if self._session is None:
            self._session = Session(bind=self.connection, expire_on_commit=False)
        return self._session

    @property
    def cursor(self) -> Any:
        """The driver's cursor, for the few statements where every microsecond counts."""
        if self._cursor is None:
            self._cursor = self.connection.connection.cursor()
        return self._cursor

    def stamp(self, instant: datetime) -> Any:
        """The instant as the bare driver stores it."""
        if instant is not self.now:
            return raw_instant(self.dialect, instant)
        if self._stamp is None:
            self._stamp = raw_instant(self.dialect, instant)
        return self._stamp

    def day(self, day: date) -> Any:
        """The date as the bare driver stores it."""
        return raw_date(self.dialect, day)

    def locked(self, model: type[M], row_id: object) -> M:
        """The row, held until the transaction ends, or NotFound."""
        row = self.session.get(model, row_id, with_for_update=True, populate_existing=True)
        if row is None:
            raise NotFound
        return row

    def concerns(self, kind: str, object_id: object) -> None:
        """Name the thing this command is about, for the trail."""
        self.object_kind, self.object_id = kind, spelled(str(object_id))

    def changed(self, before: dict[str, object] | None, after: dict[str, object] | None) -> None:
        """Keep the values before and after for the trail."""
        self.before, self.after = before, after

    def looked_at(self, kind: str, object_id: object) -> None:
        """Say that customer data was read; recorded once per session and object in a while."""
        self.reads.append((kind, str(object_id)))


@dataclass(frozen=True, kw_only=True)
class Verb:
    """A row of the catalogue. `inner` is the function itself: for core/approvals and the demo."""

    name: str
    permission: Permission
    kind: VerbKind
    sentence: str
    call: Callable[..., object]
    inner: Callable[..., Any]
    check: "Check | None" = None


# What may stand before a command (core/approvals): what to answer instead of running it now.
Check = Callable[[Tx, Verb, tuple[Any, ...], dict[str, Any]], BankError | None]
CATALOGUE: Final[dict[str, Verb]] = {}
_flow_of_now: Final[ContextVar[str]] = ContextVar("flow", default="")


def open_tx(desk: Desk, connection: Connection) -> Tx:
    """A transaction's view for a desk, on a connection that Database.write or .read began."""
    now, today = desk.bank.clock.now(), desk.bank.clock.business_date()
    return Tx(connection=connection, desk=desk, now=now, business_date=today)


def commit(tx: Tx) -> None:
    """Make it so. Called here, and by the tests that measure a bare transaction."""
    if tx._session is not None:
        tx._session.flush()
    if tx.connection.in_transaction():
        tx.connection.commit()  # what SQLAlchemy began
    tx.cursor.connection.commit()  # what only the driver's cursor touched
    for tell in tx.after_commit:
        tell()


def _write_trail(
    tx: Tx,
    verb: str,
    outcome: audit.Outcome,
    details: dict[str, object],
    refusal: str | None = None,
) -> None:
    desk = tx.desk
    tx.cursor.execute(
        audit.INSERT_FOR[tx.dialect],
        (
            tx.stamp(tx.now), verb, outcome.value, desk.user_id, desk.name, desk.role.value,
            desk.branch_id, desk.session_id, desk.channel, spelled(desk.from_where),
            tx.object_kind, tx.object_id, audit.as_json({**details, **tx.facts}),
            audit.as_json(tx.before), audit.as_json(tx.after), refusal,
            desk.on_behalf_of,
        ),
    )  # fmt: skip


def _record_refusal(desk: Desk, verb: str, refused: BankError, details: dict[str, object]) -> None:
    with desk.bank.db.write() as connection:
        tx = open_tx(desk, connection)
        if refused.remember is not None:
            refused.remember(tx)
        text = spelled(f"{type(refused).__name__}: {refused}")
        _write_trail(tx, verb, audit.Outcome.REFUSED, details, text[:300])
        commit(tx)


def _record_reads(desk: Desk, verb: str, found: list[tuple[str, str]]) -> None:
    """Record what was read, after its transaction: what cannot be recorded is not shown."""
    if not found:
        return
    now = desk.bank.clock.now()
    since = now - timedelta(minutes=audit.READ_RECORDED_EVERY_MINUTES)
    who = (desk.bank.db.url, desk.session_id, desk.user_id)
    asked: dict[reads.Key, reads.Read] = {(*who, *read): read for read in found}
    reads.record_once(asked, now, since, lambda left: _write_reads(desk, verb, since, left))


def _write_reads(desk: Desk, verb: str, since: datetime, left: Sequence[tuple[str, str]]) -> None:
    with desk.bank.db.write() as connection:
        tx = open_tx(desk, connection)
        seen = marks(tx.dialect, reads.SEEN)
        for kind, object_id in left:
            tx.cursor.execute(seen, (desk.session_id, kind, object_id, tx.stamp(since)))
            if tx.cursor.fetchone() is None:  # another process may have recorded it
                tx.concerns(kind, object_id)
                _write_trail(tx, verb, audit.Outcome.READ, {})
        commit(tx)


Runner = Callable[..., Any]
OfTx = Callable[Concatenate[Tx, P], R]
OfDesk = Callable[Concatenate[Desk, P], R]


def _command_runner(function: Runner, name: str, names: tuple[str, ...]) -> Runner:
    def run(desk: Desk, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        check, waits, result = CATALOGUE[name].check, None, None
        with desk.bank.db.write() as connection:
            tx = open_tx(desk, connection)
            if check is not None:
                waits = check(tx, CATALOGUE[name], args, named)
            if waits is None:
                result = function(tx, *args, **named)
            outcome = audit.Outcome.DONE if waits is None else audit.Outcome.WAITING
            _write_trail(tx, name, outcome, audit.arguments(names, args, named))
            commit(tx)
        _record_reads(desk, name, tx.reads)
        if waits is not None:
            waits.recorded = True
            raise waits
        return result

    return run


def _query_runner(function: Runner, name: str, _names: tuple[str, ...]) -> Runner:
    def run(desk: Desk, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        with desk.bank.db.read() as connection:
            tx = open_tx(desk, connection)
            result = function(tx, *args, **named)
            if tx._session is not None:
                tx._session.expunge_all()
        if desk.on_behalf_of is not None:
            tx.looked_at(function.__name__, desk.on_behalf_of)
        _record_reads(desk, name, tx.reads)
        return result

    return run


def _flow_runner(function: Runner, name: str, _names: tuple[str, ...]) -> Runner:
    def run(desk: Desk, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        before = _flow_of_now.set(name)
        try:
            return function(desk, *args, **named)
        finally:
            _flow_of_now.reset(before)

    return run


_RUNNERS: Final = dict(zip(VerbKind, (_command_runner, _query_runner, _flow_runner), strict=True))


def _declare(
    permission: Permission, kind: VerbKind, check: Check | None = None
) -> Callable[[Runner], Runner]:
    def decorate(function: Runner) -> Runner:
        name = f"{function.__module__.removeprefix('bank.')}.{function.__name__}"
        names = tuple(inspect.signature(function).parameters)[1:]
        run = _RUNNERS[kind](function, name, names)

        @wraps(function)
        def verb(desk: Desk, /, *args: Any, **named: Any) -> Any:
            try:
                if not desk.may(permission, changes=kind is not VerbKind.QUERY):
                    raise NotAllowed
                return run(desk, args, named)
            except BankError as refused:
                if not refused.recorded:  # a flow passes on what the verb inside it has recorded
                    refused.recorded = True
                    _record_refusal(desk, name, refused, audit.arguments(names, args, named))
                raise

        assert name not in CATALOGUE, f"{name} is declared twice"
        sentence = (function.__doc__ or "").strip().split("\n")[0]
        CATALOGUE[name] = Verb(
            name=name, permission=permission, kind=kind, sentence=sentence, call=verb,
            inner=function, check=check,
        )  # fmt: skip
        return verb

    return decorate


def command(
    permission: Permission, *, checked: Check | None = None
) -> Callable[[OfTx[P, R]], OfDesk[P, R]]:
    """Declare a verb that changes the bank. All of it happens, or none; `checked` may make it wait
    for a second person."""
    return _declare(permission, VerbKind.COMMAND, checked)


def query(permission: Permission) -> Callable[[OfTx[P, R]], OfDesk[P, R]]:
    """Declare a verb that only looks. It never takes the writer's lock."""
    return _declare(permission, VerbKind.QUERY)


def flow(permission: Permission) -> Callable[[OfDesk[P, R]], OfDesk[P, R]]:
    """Declare a verb made of other verbs, with slow work (bcrypt, files) between them."""
    return _declare(permission, VerbKind.FLOW)


@contextmanager
def chunk(desk: Desk, verb: str, details: dict[str, object] | None = None) -> Iterator[Tx]:
    """One transaction of a long job (import, demo, day end), with its own row in the trail."""
    with desk.bank.db.write() as connection:
        tx = open_tx(desk, connection)
        yield tx
        _write_trail(tx, verb, audit.Outcome.DONE, details or {})
        commit(tx)
    _record_reads(desk, verb, tx.reads)


def add_to_trail(
    tx: Tx, verb: str, details: dict[str, object], refusal: str | None = None, *,
    outcome: audit.Outcome = audit.Outcome.DONE,
) -> None:  # fmt: skip
    """Write the trail of one act of many inside a chunk; `refusal` says why it was refused."""
    _write_trail(tx, verb, outcome if refusal is None else audit.Outcome.REFUSED, details, refusal)


@contextmanager
def note(desk: Desk) -> Iterator[Tx]:
    """A transaction for what is not an act: a try counted before it is verified, a session seen.

    It has no row in the trail; the verb it serves writes one when it is done or refused.
    """
    with desk.bank.db.write() as connection:
        tx = open_tx(desk, connection)
        yield tx
        commit(tx)
    _record_reads(desk, _flow_of_now.get(), tx.reads)


@contextmanager
def looking(desk: Desk) -> Iterator[Tx]:
    """A read transaction inside a flow (export, report refresh)."""
    with desk.bank.db.read() as connection:
        tx = open_tx(desk, connection)
        yield tx
    _record_reads(desk, _flow_of_now.get(), tx.reads)


def record_read(desk: Desk, kind: str, object_id: object) -> None:
    """Record that a flow showed customer data which it did not read from the database itself."""
    _record_reads(desk, _flow_of_now.get(), [(kind, str(object_id))])
