"""kill -9 of the real server while deposits, withdrawals and transfers run inside it.

Who was answered finds the entry; nothing is half done; who asks again gets the first booking; the
server starts again on what it left, and the books verify.
"""

import http.client
import itertools
import json
import random
import sys
import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from sqlalchemy import update

from bank.app import system_desk
from bank.core.desk import note
from bank.core.ids import new_request_id
from bank.counters import cash
from bank.people.codes import Code, CodeStatus
from tests.journeys.test_kill import (
    books_verify,
    closed_market,
    entries_of,
    environment,
    reopened,
    the_dead_are_gone,
)
from tests.support import market as markets
from tests.support.loaded_server import CASHIER, customer_desk, do_deed, request_of
from tests.support.loader import cashier_desk
from tests.support.market import Market
from tests.support.server import Server, run_bank, status_of
from tests.support.soak import times

__all__ = ["closed_market"]

ROUNDS = times(normal=1, soak=20)
KINDS = ("deposit", "deposit", "withdrawal", "withdrawal", "transfer")  # a client for each
MOST_ANSWERED = 60
COMMAND = (sys.executable, "-m", "tests.support.loaded_server")
OPENED = 10_000_000_00
Did = tuple[str, int]  # kind and number of a deed


@dataclass
class Crowd:
    """Clients of the server that ask for one deed after another until it is gone."""

    port: int
    series: str
    ours: str
    theirs: str
    answered: dict[Did, int] = field(default_factory=dict)
    asked: set[Did] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        """Let them in."""
        for place, kind in enumerate(KINDS):
            numbers = itertools.count(place, len(KINDS))
            self._threads.append(threading.Thread(target=self._go_on, args=(kind, numbers)))
        for thread in self._threads:
            thread.start()

    def wait_for(self, count: int) -> None:
        """Until so many were answered, a transfer among them."""

        def enough() -> bool:
            kinds = {kind for kind, _ in self.answered}
            return bool(self.refused) or (len(self.answered) >= count and kinds == set(KINDS))

        with self._changed:
            assert self._changed.wait_for(enough, 120), self.answered
        assert self.refused == []

    def end(self) -> None:
        """They have noticed that it is gone."""
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()

    def _go_on(self, kind: str, numbers: "itertools.count[int]") -> None:
        given = urlencode({"series": self.series, "from": self.ours, "to": self.theirs})
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        for n in numbers:
            self.asked.add((kind, n))
            try:
                connection.request("POST", f"/deeds/{kind}/{n}?{given}")
                answer = connection.getresponse()
                said = answer.read().decode()
            except (OSError, http.client.HTTPException):
                return  # it was killed
            with self._changed:
                if answer.status == 200:
                    self.answered[kind, n] = int(said)
                else:
                    self.refused.append(said)
                self._changed.notify_all()
            if answer.status != 200:
                return


def nothing_half_done(market: Market, replayed: Counter[int]) -> None:
    """Every entry has its slip or its transfer, its trail, and the balance that its lines say."""
    entries = Counter(
        row["id"] for row in market.rows("SELECT id FROM entries WHERE kind <> 'opening'")
    )
    kept = market.rows("SELECT entry_id FROM cash_slips UNION ALL SELECT entry_id FROM transfers")
    assert Counter(row["entry_id"] for row in kept) == entries
    acts = market.rows(
        "SELECT details FROM trail WHERE outcome = 'done' AND verb IN ("
        "'counters.cash.deposit', 'counters.cash.withdraw', 'counters.transfers.post_transfer')"
    )
    assert Counter(json.loads(act["details"])["entry_id"] for act in acts) == entries + replayed
    used = market.rows("SELECT COUNT(*) AS n FROM confirmations WHERE status = 'used'")
    sent = market.rows("SELECT COUNT(*) AS n FROM transfers")
    assert used == sent


@pytest.mark.soak
@pytest.mark.feature("A13.1", "A13.3", "B40")
def test_a_server_killed_at_work_keeps_what_it_answered(closed_market: Market) -> None:
    market = closed_market
    settings = market.bank.settings
    with reopened(market) as again:
        for who in ("asha", "vikram"):
            markets.pay_in(again, who, OPENED)
        # The first to come may want cash.
        cashier = cashier_desk(again.bank, CASHIER)
        cash.deposit(cashier, again.number("asha"), 1_000_00, "FIRST", request_id=new_request_id())
    env = environment(market)
    server = Server(
        settings.resolved_url(), settings.data_dir, env=env, command=COMMAND, name="loaded"
    )
    ours, theirs = market.number("asha"), market.number("vikram")
    replayed: Counter[int] = Counter()
    try:
        for round_ in range(ROUNDS):
            series = f"inside-{round_}"
            chance = random.Random(f"{market.bank.db.dialect} {series}")
            server.start()
            crowd = Crowd(server.port, series, ours, theirs)
            crowd.start()
            try:
                crowd.wait_for(chance.randint(1, MOST_ANSWERED))
            finally:
                server.kill9()
                crowd.end()
            with reopened(market) as again:
                the_dead_are_gone(again)
                entries = entries_of(again)
                promised = {request_of(*did, series): at for did, at in crowd.answered.items()}
                assert {request: entries.get(request) for request in promised} == promised
                nothing_half_done(again, replayed)
                books_verify(again)
                an_hour_passes(again)
                replayed += asked_again(again, crowd)
                nothing_half_done(again, replayed)
    finally:
        server.kill9()
    server.start()
    try:
        assert status_of(f"{server.url}/healthz") == 200
    finally:
        server.stop()
    verified = run_bank("verify", env=env)
    assert verified.returncode == 0, verified.stdout + verified.stderr


def an_hour_passes(market: Market) -> None:
    """For the codes that a crash left unused: the bank counts them for a quarter of an hour, and a
    day has no twenty crashes in five minutes."""
    with note(system_desk(market.bank)) as tx:
        tx.connection.execute(
            update(Code)
            .where(Code.status != CodeStatus.USED)
            .values(made_at=tx.now - timedelta(hours=1))
        )


def asked_again(market: Market, crowd: Crowd) -> Counter[int]:
    """Whoever asks again gets the first entry; what was not booked is booked once.

    Answers which entries of the counters were asked for again (a transfer that was sent answers
    its receipt before any command).
    """
    before = entries_of(market)
    cashier, customer = cashier_desk(market.bank, CASHIER), customer_desk(market.bank)
    replayed: Counter[int] = Counter()
    for kind, n in sorted(crowd.asked):
        request = request_of(kind, n, crowd.series)
        desk = customer if kind == "transfer" else cashier
        entry_id = do_deed(desk, kind, n, crowd.series, crowd.ours, crowd.theirs)
        if request in before:
            assert entry_id == before[request]
            if kind != "transfer":
                replayed[entry_id] += 1
        assert do_deed(desk, kind, n, crowd.series, crowd.ours, crowd.theirs) == entry_id
        if kind != "transfer":
            replayed[entry_id] += 1
    asked = {request_of(kind, n, crowd.series) for kind, n in crowd.asked}
    assert entries_of(market).keys() == before.keys() | asked
    return replayed
