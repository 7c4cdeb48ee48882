"""The real server with one more door, at which tests ask for real commands inside it.

    python -m tests.support.loaded_server

serves the bank of the BANK_ settings as `python -m bank serve` does. `POST /deeds/<kind>/<n>`
does the n-th deed of a series (see `Deed` of the loader) by the whole verb, in the server's own
process, and answers the entry's id: who reads the answer has an acknowledgement. The product knows
nothing of this door.
"""

import re
from typing import Any, Final
from urllib.parse import parse_qs

from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse

from bank import app as composition
from bank import web
from bank.core.desk import Bank, Desk, looking, note
from bank.core.errors import BankError
from bank.core.ids import request_id_of
from bank.core.outbox import KEY, Message
from bank.core.secrets import Secret
from bank.counters import cash, transfers
from bank.people import sessions
from bank.people.identity import User
from tests.support.loader import Deed, cashier_desk
from tests.support.market import TRANSACTION_PASSWORD

CASHIER: Final = "ravi.staff"
CUSTOMER: Final = "asha.customer"
DOOR: Final = re.compile(r"/deeds/(deposit|withdrawal|transfer)/(\d+)")


def customer_desk(bank: Bank) -> Desk:
    """The customer's desk, in a session of its own."""
    with looking(composition.system_desk(bank)) as tx:
        user = tx.session.scalars(select(User).where(User.username == CUSTOMER)).one()
        known = (user.id, user.name, user.role, user.branch_id, user.customer_id)
    with note(composition.system_desk(bank)) as tx:
        session, _ = sessions.open_row(tx, known[0], "the door of the tests")
        tx.session.flush()
        session_id = session.id
    return Desk(
        bank=bank, user_id=known[0], name=known[1], role=known[2], branch_id=known[3],
        customer_id=known[4], session_id=session_id, channel="portal", from_where="127.0.0.1",
    )  # fmt: skip


class WithDeeds:
    """The bank's ASGI app behind the door of the tests."""

    def __init__(self, bank: Bank, inside: Any) -> None:
        self._inside = inside
        self._cashier = cashier_desk(bank, CASHIER)
        self._customer = customer_desk(bank)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        found = DOOR.fullmatch(scope["path"]) if scope["type"] == "http" else None
        if found is None:
            await self._inside(scope, receive, send)
            return
        asked = {key: values[0] for key, values in parse_qs(scope["query_string"].decode()).items()}
        try:
            entry_id = await run_in_threadpool(
                self._do, found[1], int(found[2]), asked["series"], asked["from"], asked["to"]
            )
            answer = PlainTextResponse(str(entry_id))
        except BankError as refused:
            answer = PlainTextResponse(f"{type(refused).__name__}: {refused}", 409)
        await answer(scope, receive, send)

    def _do(self, kind: str, n: int, series: str, ours: str, theirs: str) -> int:
        return do_deed(self._customer if kind == "transfer" else self._cashier, kind, n, series,
                       ours, theirs)  # fmt: skip


def do_deed(desk: Desk, kind: str, n: int, series: str, ours: str, theirs: str) -> int:
    """The n-th deed of a series, the same every time it is asked for; its entry's id."""
    if kind == "deposit":
        return Deed(series, n).do(desk, [ours, theirs]).entry_id
    once = request_of(kind, n, series)
    if kind == "withdrawal":
        return cash.withdraw(desk, ours, 1_00 + n, once[:13].upper(), request_id=once).entry_id
    what = {"from_number": ours, "to_number": theirs, "amount_minor": 1_00 + n, "note": "rent"}
    if transfers.sent_before(desk, **what, request_id=once) is None:  # type: ignore[arg-type]
        transfers.ask_for_code(desk, **what)  # type: ignore[arg-type]
    receipt = transfers.send(
        desk, **what, transaction_password=Secret(TRANSACTION_PASSWORD),  # type: ignore[arg-type]
        code=newest_code(desk), request_id=once,
    )  # fmt: skip
    return receipt.entry_id


def request_of(kind: str, n: int, series: str) -> str:
    """The request id of a deed."""
    return Deed(series, n).request_id if kind == "deposit" else request_id_of(kind, series, str(n))


def newest_code(desk: Desk) -> Secret:
    """The code in the newest mail that carries one."""
    with looking(composition.system_desk(desk.bank)) as tx:
        sealed = tx.session.scalar(
            select(Message.body).where(Message.confidential).order_by(Message.id.desc()).limit(1)
        )
    text = desk.bank.keyring.decrypt(KEY, sealed or "")
    found = re.search(r"Your code: (\d+)", text)
    assert found is not None
    return Secret(found[1])


if __name__ == "__main__":
    _bank = composition.open_bank()
    _build = web.build_app
    web.build_app = lambda bank: WithDeeds(bank, _build(bank))
    web.serve(_bank)
