"""What people wait for, in seconds against the longest that is promised; there is no reference."""

import time
from typing import Final

from playwright.sync_api import expect, sync_playwright

from bank import app
from bank.book import ledger
from bank.core import cookies, money
from bank.core.clock import FixedClock
from bank.core.desk import Bank, chunk
from bank.core.ids import new_request_id
from bank.core.permissions import Role
from bank.counters import drawer_cash
from bank.counters.drawer_cash import MoveKind
from bank.people import branches
from tests.bench.harness import Pair, Rounds, Workshop, bench
from tests.bench.page import signed_in
from tests.support.bank import NOON, SECRET, settings_for
from tests.support.browser import FLAGS, chromium_executable
from tests.support.papers import LINES, five_hundred_lines
from tests.support.server import Server

PAID_IN: Final = 111_00
LONGEST_WAIT_MS: Final = 60_000


@bench("page.live", limit=3.0, unit="s", rounds=7)
def live(shop: Workshop) -> Rounds:
    """From the commit of a cash entry to its figure on an open dashboard, in a real browser."""
    folder = shop.tmp / "bank"
    bank = app.open_bank(settings_for(folder), clock=FixedClock(NOON))
    shop.callback(bank.db.close)
    with chunk(app.system_desk(bank), "bench") as tx:
        branches.add_branch_row(tx, ifsc="BANK0000001", name="Fort", address="1 Fort Road")
        cookie = signed_in(tx, Role.BRANCH_ADMIN, 1)
    server = Server(str(bank.db.url), folder, name="bench", env={"BANK_SECRET": SECRET})
    server.start()
    shop.callback(server.stop)
    playwright = shop.enter(sync_playwright())
    chromium = playwright.chromium.launch(executable_path=chromium_executable(), args=list(FLAGS))
    shop.callback(chromium.close)
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.add_cookies([{"name": cookies.PLAIN, "value": cookie, "url": server.url}])
    page = context.new_page()
    page.goto(f"{server.url}/admin-dashboard")
    cash = page.get_by_test_id("stMetric").filter(has_text="Cash in hand")
    for number in range(1, shop.rounds + 2):
        pay_in(bank)
        booked = time.perf_counter()
        shown = money.show_side(-PAID_IN * number)
        expect(cash).to_contain_text(shown, timeout=LONGEST_WAIT_MS)
        if number > 1:  # the first waits for the page to open
            yield time.perf_counter() - booked, None


def pay_in(bank: Bank) -> None:
    """Cash into the vault, as capital."""
    draft = ledger.Draft(
        request_id=new_request_id(),
        kind="cash_deposit",
        narration="Slip 7",
        legs=(ledger.debit_gl("1000", PAID_IN), ledger.credit_gl("3000", PAID_IN)),
        branch_id=1,
    )
    with chunk(app.system_desk(bank), "bench") as tx:
        ledger.post(tx, draft)
        drawer_cash.put_in_vault(tx, [draft], MoveKind.CARRIED)


@bench("paper.500_lines", limit=1.0, unit="s/paper", rounds=5)
def paper(shop: Workshop) -> Pair:
    """A statement of 500 lines as PDF."""
    shop.detail["lines"] = LINES
    return five_hundred_lines, None
