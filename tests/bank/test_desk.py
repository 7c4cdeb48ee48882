"""The desk: a command happens whole or not at all, and the trail knows of everything.

The verbs here are small ones of the tests' own, declared like those of the bank and taken out of
the catalogue again.
"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from bank.book import ledger
from bank.core import audit, outbox, reads
from bank.core import desk as desks
from bank.core.desk import CATALOGUE, Desk, Tx, command, flow, query
from bank.core.errors import BadInput, Declined, NotAllowed, NotFound
from bank.core.ids import new_request_id
from bank.core.permissions import Permission, Role
from bank.core.secrets import Secret
from bank.people.branches import Branch, add_branch_row
from tests.support.bank import NOON, DeskFor, move_clock, staff

PERMISSION = Permission.CASH_POST  # a cashier has it, a banker has not
WAIT_SECONDS = 30
Verb = Callable[..., Any]


class NotToday(Declined):
    """Come back tomorrow."""


@dataclass
class Parcel:
    """What a form may hand to a verb."""

    label: str
    key: Secret


@pytest.fixture(autouse=True)
def _own_verbs() -> Iterator[None]:
    known = set(CATALOGUE)
    yield
    for name in CATALOGUE.keys() - known:
        del CATALOGUE[name]


@pytest.fixture(autouse=True)
def _no_memory() -> Iterator[None]:
    """The reads that this process remembers, emptied: ids of banks and sessions are used again."""
    reads.recent.clear()
    yield
    reads.recent.clear()


@pytest.fixture
def cashier(desk_for: DeskFor) -> Desk:
    """Somebody who may."""
    made = desk_for(
        Role.CASHIER, user_id=7, name="Ravi Kumar", branch_id=3, session_id=9, from_where="10.0.0.5"
    )
    staff(made.bank, 7, 8, branches=0)
    return made


def rows(desk: Desk, sql: str) -> list[dict[str, Any]]:
    """What a SELECT answers."""
    with desk.bank.db.read() as connection:
        return [dict(row._mapping) for row in connection.exec_driver_sql(sql)]


def trail(desk: Desk) -> list[dict[str, Any]]:
    """The whole trail, oldest first, details read."""
    found = rows(desk, "SELECT * FROM trail ORDER BY id")
    for row in found:
        for column in ("details", "before", "after"):
            row[column] = row[column] and json.loads(row[column])
    return found


def outcomes(desk: Desk) -> list[tuple[str, str]]:
    """What the trail says happened: the verb's own name, and how it ended."""
    return [(row["verb"].rpartition(".")[2], row["outcome"]) for row in trail(desk)]


def everything(desk: Desk) -> dict[str, int]:
    """How many rows there are of what a verb may write."""
    tables = ("branches", "entries", "postings", "balances", "outbox", "trail")
    return {table: rows(desk, f"SELECT COUNT(*) AS n FROM {table}")[0]["n"] for table in tables}


def do_everything(tx: Tx, ifsc: str = "BANK0000009") -> None:
    """Write by the ORM, by the driver's cursor, by the ledger, and queue a message."""
    branch = add_branch_row(tx, ifsc=ifsc, name="Fort", address="1 Fort Road")
    tx.session.flush()
    account = ledger.open_balance(tx, gl_code="2000", branch_id=branch.id, currency="INR")
    legs = (ledger.credit_account(account, 5), ledger.debit_gl("1000", 5, branch.id))
    ledger.post(tx, ledger.Draft(new_request_id(), "gift", "A gift", legs, branch.id, "INR"))
    outbox.queue_mail(tx, to="a@example.com", subject="A gift", body="Yours", purpose="cash")


def give_verb() -> Verb:
    """A command that does everything, and then what it is asked to."""

    @command(PERMISSION)
    def give(tx: Tx, then: type[BaseException] | None = None, ifsc: str = "BANK0000009") -> None:
        """Give everything."""
        do_everything(tx, ifsc)
        if then is not None:
            raise then()

    return give


@pytest.mark.feature("A13.1", "A13.2")
@pytest.mark.parametrize(
    ("failure", "recorded"),
    [
        (NotToday, [("give", "refused")]),
        (ZeroDivisionError, []),
        (KeyboardInterrupt, []),
    ],
    ids=["refused", "bug", "interrupted"],
)
def test_a_command_that_fails_midway_leaves_nothing(
    cashier: Desk, failure: type[BaseException], recorded: list[tuple[str, str]]
) -> None:
    give = give_verb()
    before = everything(cashier)
    with pytest.raises(failure):
        give(cashier, failure)
    assert everything(cashier) == before | {"trail": len(recorded)}
    assert outcomes(cashier) == recorded
    assert not cashier.bank.outbox_waits.is_set()
    give(cashier)  # nothing is locked either
    done = everything(cashier)
    assert {table: done[table] - before[table] for table in done} == {
        "branches": 1,
        "entries": 1,
        "postings": 2,
        "balances": 1,
        "outbox": 1,
        "trail": len(recorded) + 1,
    }
    assert cashier.bank.outbox_waits.is_set()


@pytest.mark.feature("A13.1")
def test_a_command_without_its_record_does_not_happen(
    cashier: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    give = give_verb()
    before = everything(cashier)

    def full(*_: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(desks, "_write_trail", full)
        with pytest.raises(OSError, match="full"):
            give(cashier)
    assert everything(cashier) == before


@pytest.mark.feature("B5", "A9.4")
def test_the_trail_has_who_what_when_from_where_before_and_after(cashier: Desk) -> None:
    @command(PERMISSION)
    def rename(tx: Tx, branch: int, name: str, *, note: str = "") -> str:
        """Rename a branch."""
        tx.concerns("branch", branch)
        tx.changed({"name": "Old", "since": tx.business_date}, {"name": name, "at": tx.now})
        tx.facts["entry_id"] = 12
        return name

    assert rename(cashier, 4, name="New", note="painted") == "New"
    (row,) = trail(cashier)
    stored = row.pop("at")
    with cashier.bank.db.read() as connection:
        at = connection.execute(select(audit.TrailRecord.at)).scalar_one()
    assert (at, type(stored)) == (NOON, type(stored))
    assert row | {"id": 0} == {
        "id": 0,
        "verb": f"{__name__}.rename",
        "outcome": "done",
        "actor_id": 7,
        "actor_name": "Ravi Kumar",
        "role": "cashier",
        "branch_id": 3,
        "session_id": 9,
        "channel": "branch",
        "from_where": "10.0.0.5",
        "object_kind": "branch",
        "object_id": "4",
        "details": {"branch": 4, "name": "New", "note": "painted", "entry_id": 12},
        "before": {"name": "Old", "since": "2026-03-16"},
        "after": {"name": "New", "at": NOON.isoformat()},
        "refusal": None,
        "on_behalf_of": None,
    }


@pytest.mark.feature("B5")
@pytest.mark.parametrize("refused", [False, True], ids=["done", "refused"])
def test_secrets_are_masked_however_deep(cashier: Desk, refused: bool) -> None:
    @command(PERMISSION)
    def hide(tx: Tx, plain: Secret, deep: Mapping[str, Any], *, named: Parcel) -> None:
        """Hide things."""
        tx.changed({"key": plain}, {"keys": [plain, named]})
        tx.facts["fact"] = (named.key,)
        if refused:
            raise NotToday

    secret = Secret("open sesame")
    parcel = Parcel("box", secret)
    try:
        hide(cashier, secret, {"a": [{"b": secret}], "c": {"d": (secret, 1)}}, named=parcel)
    except NotToday:
        assert refused
    (row,) = trail(cashier)
    masked = {"label": "box", "key": "***"}
    assert row["details"] == {
        "plain": "***",
        "deep": {"a": [{"b": "***"}], "c": {"d": ["***", 1]}},
        "named": masked,
    } | ({} if refused else {"fact": ["***"]})
    assert row["before"] == (None if refused else {"key": "***"})
    assert row["after"] == (None if refused else {"keys": ["***", masked]})
    assert "sesame" not in str(row)


@pytest.mark.feature("B5", "A13.2")
def test_refusals_are_recorded_with_their_reason(cashier: Desk, desk_for: DeskFor) -> None:
    ran: list[object] = []

    @command(PERMISSION)
    def write(tx: Tx, amount: object) -> None:
        """Write."""
        ran.append(amount)
        raise BadInput("Type an amount.", field="amount")

    @query(PERMISSION)
    def look(tx: Tx, what: str) -> None:
        """Look."""
        ran.append(what)
        raise NotFound

    banker = desk_for(Role.BANKER, user_id=8)
    with pytest.raises(BadInput):
        write(cashier, 5)
    with pytest.raises(NotFound):
        look(cashier, "key")
    for verb in (write, look):
        with pytest.raises(NotAllowed):
            verb(banker, "not his")
    assert ran == [5, "key"]  # what is not allowed does not even begin
    found = [
        (row["actor_id"], row["outcome"], row["refusal"], row["details"]) for row in trail(cashier)
    ]
    assert found == [
        (7, "refused", "BadInput: Type an amount.", {"amount": 5}),
        (7, "refused", f"NotFound: {NotFound()}", {"what": "key"}),
        (8, "refused", f"NotAllowed: {NotAllowed()}", {"amount": "not his"}),
        (8, "refused", f"NotAllowed: {NotAllowed()}", {"what": "not his"}),
    ]


@pytest.mark.feature("A13.2", "B5")
def test_what_a_refusal_remembers_outlives_the_command(cashier: Desk) -> None:
    @command(PERMISSION)
    def try_code(tx: Tx) -> None:
        """Try a code."""
        add_branch_row(tx, ifsc="BANK0000008", name="Rolled back", address="1 Fort Road")

        def count(record: Tx) -> None:
            add_branch_row(record, ifsc="BANK0000009", name="Remembered", address="1 Fort Road")

        raise NotToday(remember=count)

    before = everything(cashier)
    with pytest.raises(NotToday):
        try_code(cashier)
    assert everything(cashier) == before | {"branches": before["branches"] + 1, "trail": 1}
    assert rows(cashier, "SELECT name FROM branches")[-1]["name"] == "Remembered"
    assert outcomes(cashier) == [("try_code", "refused")]


@pytest.mark.feature("A13.2", "B5")
def test_what_is_remembered_and_its_record_are_one_transaction(
    cashier: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    @command(PERMISSION)
    def try_code(tx: Tx) -> None:
        """Try a code."""
        raise NotToday(remember=do_everything)

    def full(*_: object) -> None:
        raise OSError("the disk is full")

    before = everything(cashier)
    monkeypatch.setattr(desks, "_write_trail", full)
    with pytest.raises(OSError, match="full"):
        try_code(cashier)
    assert everything(cashier) == before


@pytest.mark.feature("B5")
def test_an_inner_refusal_is_recorded_once(cashier: Desk, desk_for: DeskFor) -> None:
    @command(PERMISSION)
    def inner(tx: Tx) -> None:
        """Refuse."""
        raise NotToday

    @flow(PERMISSION)
    def outer(desk: Desk, own: bool) -> None:
        """Compose."""
        if own:
            raise BadInput("The flow's own.")
        inner(desk)

    with pytest.raises(NotToday):
        outer(cashier, False)
    assert outcomes(cashier) == [("inner", "refused")]
    with pytest.raises(BadInput):
        outer(cashier, True)
    with pytest.raises(NotAllowed):
        outer(desk_for(Role.BANKER), False)
    assert outcomes(cashier)[1:] == [("outer", "refused")] * 2


def look_up_verb() -> Verb:
    """A query that reads customers."""

    @query(PERMISSION)
    def look_up(tx: Tx, *customers: int) -> int:
        """Look customers up."""
        for customer in customers:
            tx.looked_at("customer", customer)
        return tx.connection.execute(select(func.count()).select_from(Branch)).scalar_one()

    return look_up


@pytest.mark.feature("B5")
def test_a_read_is_recorded_once_per_session_object_and_quarter_hour(cashier: Desk) -> None:
    look_up = look_up_verb()
    bank = cashier.bank

    def read() -> list[tuple[int, str]]:
        found = trail(cashier)
        assert {(row["outcome"], row["object_kind"]) for row in found} <= {("read", "customer")}
        return [(row["session_id"], row["object_id"]) for row in found]

    for _ in range(3):  # reruns of the page
        look_up(cashier, 1, 1)
    assert read() == [(9, "1")]
    look_up(cashier, 1, 2)  # another object
    assert read() == [(9, "1"), (9, "2")]
    look_up(replace(cashier, session_id=10), 1)  # another session
    assert read()[2:] == [(10, "1")]
    move_clock(bank, NOON + timedelta(minutes=14, seconds=59))
    look_up(cashier, 1, 2)
    assert len(read()) == 3
    move_clock(bank, NOON + timedelta(minutes=15))
    look_up(cashier, 1)
    look_up(cashier, 1)
    assert read()[3:] == [(9, "1")]


@pytest.mark.feature("B5")
def test_a_read_that_another_process_recorded_is_not_recorded_again(cashier: Desk) -> None:
    look_up = look_up_verb()
    look_up(cashier, 1)
    reads.recent.clear()  # a process that started since
    look_up(cashier, 1)
    assert len(trail(cashier)) == 1


@pytest.mark.feature("B5", "A9.4")
def test_the_trail_is_append_only(cashier: Desk) -> None:
    give_verb()(cashier)
    before = trail(cashier)
    columns = ", ".join(audit.COLUMNS)
    forged = columns.replace("actor_name", "'Nobody'")
    again = f"SELECT id, {forged} FROM trail"
    statements = ["UPDATE trail SET actor_name = 'Nobody'", "DELETE FROM trail"]
    if cashier.bank.db.dialect == "sqlite":
        statements.append(f"INSERT OR REPLACE INTO trail (id, {columns}) {again}")
        statements.append(f"REPLACE INTO trail (id, {columns}) {again}")
    else:
        conflict = "ON CONFLICT (id) DO UPDATE SET actor_name = 'Nobody'"
        statements.append(f"INSERT INTO trail (id, {columns}) {again} {conflict}")
        statements.append("TRUNCATE trail")

    def change(statement: str) -> None:
        with cashier.bank.db.write() as connection:
            connection.exec_driver_sql(statement)
            connection.commit()

    for statement in statements:
        with pytest.raises(DBAPIError, match="trail: records are never"):
            change(statement)
    assert trail(cashier) == before


@pytest.mark.feature("A13.1")
def test_a_query_answers_while_a_write_transaction_is_open(cashier: Desk) -> None:
    look_up = look_up_verb()
    before = look_up(cashier, 1)  # recorded now, so that a rerun has nothing to write
    with ThreadPoolExecutor(1) as pool, cashier.bank.db.write() as connection:
        tx = desks.open_tx(cashier, connection)
        do_everything(tx)
        tx.session.flush()
        # In another thread, as a page is: waiting for the writer would be waiting for ever.
        assert pool.submit(look_up, cashier, 1).result(WAIT_SECONDS) == before
        desks.commit(tx)
        assert pool.submit(look_up, cashier, 1).result(WAIT_SECONDS) == before + 1


@pytest.mark.feature("A13.1", "A13.2")
def test_what_a_query_writes_is_never_kept(cashier: Desk) -> None:
    @query(PERMISSION)
    def sneak(tx: Tx) -> None:
        """Write in a query."""
        do_everything(tx)
        tx.session.flush()

    before = everything(cashier)
    try:
        sneak(cashier)
    except DBAPIError as refused:  # PostgreSQL says so at once
        assert "read-only" in str(refused)  # noqa: PT017
    assert everything(cashier) == before


def bump_verb(inside: list[int]) -> Verb:
    """A command that reads, then writes what it read and one more."""

    @command(PERMISSION)
    def bump(tx: Tx) -> None:
        """Count one more."""
        inside[0] += 1
        inside[1] = max(inside[:2])
        branch = tx.locked(Branch, 1)
        branch.name = str(int(branch.name) + 1)
        tx.session.flush()
        inside[0] -= 1

    return bump


@pytest.mark.feature("A13.1")
def test_eight_writers_follow_one_another(cashier: Desk) -> None:
    inside, each = [0, 0], 5
    bump = bump_verb(inside)
    with cashier.bank.db.write() as connection:
        tx = desks.open_tx(cashier, connection)
        branch = add_branch_row(tx, ifsc="BANK0000009", name="0", address="1 Fort Road")
        desks.commit(tx)
        assert branch.id == 1
    start = threading.Barrier(8)

    def work() -> None:
        start.wait(WAIT_SECONDS)
        for _ in range(each):
            bump(cashier)

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(work) for _ in range(8)]:
            done.result(WAIT_SECONDS * 2)
    assert rows(cashier, "SELECT name FROM branches") == [{"name": str(8 * each)}]
    assert outcomes(cashier) == [("bump", "done")] * 8 * each
    if cashier.bank.db.dialect == "sqlite":
        assert inside == [0, 1]  # one writer at a time, held off before its transaction begins


@pytest.mark.feature("A13.1")
def test_a_flow_keeps_what_its_earlier_commands_did(cashier: Desk) -> None:
    give = give_verb()

    @flow(PERMISSION)
    def in_steps(desk: Desk) -> None:
        """Two commands; each is whole by itself."""
        give(desk)
        give(desk, NotToday, "BANK0000008")

    before = everything(cashier)
    with pytest.raises(NotToday):
        in_steps(cashier)
    assert everything(cashier)["entries"] == before["entries"] + 1
    assert outcomes(cashier) == [("give", "done"), ("give", "refused")]


@pytest.mark.feature("A13.2")
def test_a_verb_is_declared_once(cashier: Desk) -> None:
    verb = give_verb()
    assert CATALOGUE[f"{__name__}.give"].permission is PERMISSION
    assert CATALOGUE[f"{__name__}.give"].sentence == "Give everything."
    with pytest.raises(AssertionError, match="declared twice"):
        give_verb()
    verb(cashier)
