"""Whoever is shown customer data is in the trail: every verb that only looks is tried or excused.

A query or a flow that is new belongs into one of the two tables below, with how to call it or with
why nobody's data is in its answer.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from typing import Any, Final

import pytest

from bank.accounts import account_search, accounts, freezes, names, statements
from bank.book import journal
from bank.book.journal_search import Wanted
from bank.core import desk as desks
from bank.core import reads as read_record
from bank.core.approvals import AwaitingApproval
from bank.core.desk import CATALOGUE, VerbKind, flow, looking
from bank.core.ids import new_request_id
from bank.core.permissions import Permission
from bank.counters import (
    cash,
    counts,
    customer_view,
    drawer_cash,
    drawer_report,
    fund_transfers,
    impounded,
    prepared,
    receipts,
    slips,
    transfers,
    work_facts,
)
from bank.counters.fact_rows import Measure
from bank.night import reports
from bank.night.demo_cashbook import fewest_pieces
from bank.office import (
    approval_cards,
    approval_notices,
    approval_queue,
    approvals_together,
    notices,
    queue,
    queue_lists,
    ticket_desk,
    ticket_files,
    ticket_related,
    ticket_undo,
    ticket_waits,
    tickets,
    trail,
)
from bank.office.queue_lists import Looked, View
from bank.office.trail import Searched
from bank.people import customers, staff_customers, users, viewings
from tests.bank.test_transfers import PASSWORD, asked
from tests.house.test_permissions import load_catalogue
from tests.support.market import BANER, FORT, Market
from tests.support.tickets import upload

START, END = date(2026, 1, 1), date(2026, 3, 31)
Call = Callable[[Market], object]


@pytest.fixture(autouse=True)
def _no_memory() -> None:
    """The reads that this process remembers, emptied: ids of sessions are used again."""
    read_record.recent.clear()


@pytest.fixture
def used(market: Market) -> Market:
    """A deposit for Asha at Fort, one for Vikram at Baner, a transfer of hers, a large deposit
    that waits for a second person, and a ticket of Asha's with a file."""
    market.deposit("asha", 1_000_00, slip="A1")
    market.deposit("vikram", 1_000_00, slip="B1")
    once, what, own = new_request_id(), asked(market), market.desks["asha"]
    transfers.ask_for_code(own, **what)
    transfers.send(own, **what, transaction_password=PASSWORD, code=market.code(), request_id=once)
    market.sent = once  # type: ignore[attr-defined]
    with pytest.raises(AwaitingApproval):
        market.deposit("asha", 11_00_000_00, slip="A2")
    market.token = prepared.prepare_slip(  # type: ignore[attr-defined]
        market.desks["asha"], "cash_deposit", market.number("asha"), 5_00,
        request_id=new_request_id(),
    ).token  # fmt: skip
    impounded.impound(
        market.cashier, note_code="note-500", serial_number="4AB123456",
        tendered_by="Asha Rao", request_id=new_request_id(),
    )  # fmt: skip
    tickets.open_ticket(
        own, "other", "A word", "My name is long.", files=[upload()], request_id=new_request_id()
    )
    read_record.recent.clear()
    return market


def counted(used: Market) -> Market:
    """The same with Ravi's drawer counted, for what is seen of it then."""
    counts.start_count(used.cashier, used.drawers["ravi"])
    with used.tx() as tx:
        pieces = fewest_pieces(tx, drawer_cash.in_drawer(tx, used.drawers["ravi"]))
    counts.enter_count(used.cashier, used.drawers["ravi"], pieces)
    return used


def own(market: Market) -> Any:
    """Asha's desk, in a session that has read nothing yet."""
    return replace(market.desks["asha"], session_id=990)


def number(market: Market) -> str:
    """The number of Asha's savings account."""
    return market.number("asha")


def account_id(market: Market, who: str = "asha") -> int:
    """The id of somebody's savings account."""
    found = market.rows(f"SELECT id FROM accounts WHERE number = '{market.number(who)}'")
    return int(found[0]["id"])


def reference(market: Market) -> str:
    """The reference of the first deposit."""
    return journal.entry_in_full(market.desks["auditor"], 1).row.reference


def told(market: Market) -> object:
    """What has happened to the work of somebody who was handed a ticket."""
    executive = market.desks["executive"]
    assert executive.user_id is not None
    queue.reassign(market.desks["admin"], 2, executive.user_id, "for you")
    return notices.look(executive)


def send_again(market: Market) -> object:
    """A second click."""
    return transfers.send(
        own(market), **asked(market), transaction_password=PASSWORD, code=PASSWORD,
        request_id=market.sent,  # type: ignore[attr-defined]
    )  # fmt: skip


# Verb: how it is called, and what must then be in the trail as read.
READS: Final[dict[str, tuple[Call, str]]] = {
    "accounts.accounts.find_account": (
        lambda m: accounts.find_account(m.desks["banker"], number(m)), "account",
    ),
    "accounts.account_search.accounts_of_holder": (
        lambda m: account_search.accounts_of_holder(m.cashier, "asha rao"), "account search",
    ),
    "accounts.accounts.own_accounts": (lambda m: accounts.own_accounts(own(m)), "customer"),
    "accounts.accounts.accounts_of": (
        lambda m: accounts.accounts_of(m.desks["banker"], m.desks["asha"].customer_id), "customer",
    ),
    "accounts.freezes.freezes_of": (
        lambda m: freezes.freezes_of(m.desks["banker"], number(m)), "account",
    ),
    "accounts.names.names_for": (
        lambda m: names.names_for(m.desks["admin"], (), [account_id(m)]), "account",
    ),
    "accounts.statements.lines": (
        lambda m: statements.lines(own(m), number(m), START, END), "account",
    ),
    "accounts.statements.last_lines": (lambda m: statements.last_lines(own(m)), "account"),
    "accounts.statements.statement_csv": (
        lambda m: statements.statement_csv(own(m), number(m), START, END), "account",
    ),
    "accounts.statements.statement_pdf": (
        lambda m: statements.statement_pdf(own(m), number(m), START, END), "account",
    ),
    "accounts.statements.account_lines": (
        lambda m: statements.account_lines(m.desks["banker"], number(m), START, END), "account",
    ),
    "accounts.statements.account_last_lines": (
        lambda m: statements.account_last_lines(m.desks["banker"], number(m)), "account",
    ),
    "accounts.statements.account_statement_pdf": (
        lambda m: statements.account_statement_pdf(m.desks["banker"], number(m), START, END),
        "account",
    ),
    "book.journal.entries": (
        lambda m: journal.entries(m.desks["admin"], Wanted(account_id=account_id(m))), "balance",
    ),
    "book.journal.entry_in_full": (
        lambda m: journal.entry_in_full(m.desks["admin"], 1), "entry",
    ),
    "counters.cash.preview_cash": (
        lambda m: cash.preview_cash(m.cashier, "cash_deposit", number(m), 5_00, "C1"), "account",
    ),
    "counters.fund_transfers.preview_funds": (
        lambda m: fund_transfers.preview_funds(
            m.cashier, number(m), m.number("vikram"), 5_00, "V1"
        ), "account",
    ),
    "counters.drawer_report.print_report": (
        lambda m: drawer_report.print_report(m.desks["admin"], m.drawers["ravi"]), "drawer",
    ),
    "counters.drawer_report.report_of": (
        lambda m: drawer_report.report_of(m.desks["admin"], m.drawers["ravi"]), "drawer",
    ),
    "counters.impounded.find_impounded": (
        lambda m: impounded.find_impounded(m.cashier, 1), "impounded note",
    ),
    "counters.impounded.print_acknowledgement": (
        lambda m: impounded.print_acknowledgement(m.cashier, 1), "impounded note",
    ),
    "counters.impounded.register": (
        lambda m: impounded.register(m.desks["admin"]), "impounded notes",
    ),
    "counters.prepared.find_prepared": (
        lambda m: prepared.find_prepared(m.cashier, m.token),  # type: ignore[attr-defined]
        "account",
    ),
    "counters.prepared.own_prepared": (lambda m: prepared.own_prepared(own(m)), "customer"),
    "counters.receipts.find_receipt": (
        lambda m: receipts.find_receipt(m.cashier, reference(m)), "receipt",
    ),
    "counters.receipts.print_receipt": (
        lambda m: receipts.print_receipt(m.cashier, reference(m)), "receipt",
    ),
    "counters.slips.own_slips_today": (lambda m: slips.own_slips_today(m.cashier), "cash"),
    "counters.transfers.preview": (
        lambda m: transfers.preview(own(m), **asked(m)), "account",
    ),
    "counters.transfers.ask_for_code": (
        lambda m: transfers.ask_for_code(own(m), **asked(m)), "account",
    ),
    "counters.transfers.sent_before": (
        lambda m: transfers.sent_before(own(m), **asked(m), request_id=m.sent),  # type: ignore[attr-defined]
        "account",
    ),
    "counters.transfers.send": (send_again, "account"),
    "night.reports.run": (
        lambda m: reports.run(
            m.desks["admin"], "journal_lines", {"currency": "INR", "figure": "deposits"}
        ),
        "report",
    ),
    "office.approval_cards.approval_card": (
        lambda m: approval_cards.approval_card(m.desks["admin"], 1), "approval",
    ),
    "office.approval_cards.decided": (
        lambda m: approval_cards.decided(m.desks["admin"]), "approvals",
    ),
    "office.approval_cards.own_approvals": (
        lambda m: approval_cards.own_approvals(m.cashier), "approvals",
    ),
    "office.approval_cards.own_waiting_today": (
        lambda m: approval_cards.own_waiting_today(m.cashier, ["counters.cash.deposit"]),
        "approvals",
    ),
    "office.approval_cards.to_decide": (
        lambda m: approval_cards.to_decide(m.desks["admin"]), "approvals",
    ),
    "office.approval_queue.approvals_by_id": (
        lambda m: approval_queue.approvals_by_id(m.desks["admin"], [1]), "approvals",
    ),
    "office.approval_queue.makers_waiting": (
        lambda m: approval_queue.makers_waiting(m.desks["admin"]), "approvals",
    ),
    "office.approval_notices.waiting_on": (
        lambda m: approval_notices.waiting_on(m.desks["admin"], "account", number(m)), "approval",
    ),
    "office.approvals_together.side_by_side": (
        lambda m: approvals_together.side_by_side(m.desks["admin"], [1]), "approval",
    ),
    "people.staff_customers.customer_links_of": (
        lambda m: staff_customers.customer_links_of(m.desks["admin"], m.cashier.user_id), "user",
    ),
    "people.staff_customers.own_customer_links": (
        lambda m: staff_customers.own_customer_links(m.cashier), "user",
    ),
    "people.users.user": (
        lambda m: users.user(m.desks["admin"], m.desks["asha"].user_id), "user",
    ),
    "people.users.user_history": (
        lambda m: users.user_history(m.desks["admin"], m.desks["asha"].user_id), "user",
    ),
    "people.users.users": (lambda m: users.users(m.desks["admin"]), "users"),
    "people.viewings.viewings": (
        lambda m: viewings.viewings(m.desks["admin"]), "viewings",
    ),
    "office.queue_lists.items": (
        lambda m: queue_lists.items(m.desks["executive"], Looked(view=View.ALL_OPEN)), "work",
    ),
    "counters.work_facts.own_items": (
        lambda m: work_facts.own_items(m.cashier, Measure.SLIPS, START, END), "work of",
    ),
    "counters.work_facts.items_of": (
        lambda m: work_facts.items_of(
            m.desks["admin"], m.cashier.user_id, Measure.SLIPS, START, END
        ), "work of",
    ),
    "office.queue_lists.items_by_id": (
        lambda m: queue_lists.items_by_id(m.desks["executive"], [2]), "work",
    ),
    "office.notices.look": (lambda m: told(m), "work"),
    "office.queue_lists.item": (
        lambda m: queue_lists.item(m.desks["executive"], 2), "work item",
    ),
    "office.queue_lists.history": (
        lambda m: queue_lists.history(m.desks["executive"], 2), "work item",
    ),
    "office.ticket_desk.preview_reply": (
        lambda m: ticket_desk.preview_reply(m.desks["executive"], 1, "Hello"), "ticket",
    ),
    "office.ticket_desk.canned_replies": (
        lambda m: ticket_desk.canned_replies(m.desks["executive"], 1), "ticket",
    ),
    "office.ticket_desk.other_tickets": (
        lambda m: ticket_desk.other_tickets(m.desks["executive"], 1), "customer",
    ),
    "office.ticket_undo.leaving_reply": (
        lambda m: ticket_undo.leaving_reply(m.desks["executive"], 1), "ticket",
    ),
    "office.ticket_related.related_tickets": (
        lambda m: ticket_related.related_tickets(m.desks["executive"], 1), "ticket",
    ),
    "office.ticket_desk.read_ticket": (
        lambda m: ticket_desk.read_ticket(m.desks["executive"], 1), "ticket",
    ),
    "office.ticket_files.own_file": (lambda m: ticket_files.own_file(own(m), 1), "ticket file"),
    "office.ticket_files.ticket_file": (
        lambda m: ticket_files.ticket_file(m.desks["executive"], 1), "ticket file",
    ),
    "counters.customer_view.about_ticket": (
        lambda m: customer_view.about_ticket(m.desks["executive"], 1), "ticket",
    ),
    "counters.customer_view.customer_in_full": (
        lambda m: customer_view.customer_in_full(m.desks["executive"], 1), "account",
    ),
    "office.ticket_waits.own_waits": (lambda m: ticket_waits.own_waits(own(m)), "customer"),
    "office.tickets.own_posts": (lambda m: tickets.own_posts(own(m), 1), "ticket"),
    "office.tickets.own_tickets": (lambda m: tickets.own_tickets(own(m)), "customer"),
    "office.trail.records": (lambda m: trail.records(m.desks["auditor"], Searched()), "trail"),
    "people.customers.find_customer": (
        lambda m: customers.find_customer(m.desks["banker"], m.rows(
            "SELECT number FROM customers WHERE name = 'Asha Rao'")[0]["number"]),
        "customer",
    ),
}  # fmt: skip
AFTER_THE_COUNT: Final = ("counters.drawer_report.print_report", "counters.drawer_report.report_of")
STAFF_OR_NOBODY: Final = "employees, branches, products or figures, and no customer"
CASH_OF_STAFF: Final = "notes, drawers and sums of a branch and its employees"
OF_THE_BOOK: Final = "through which day the book is closed, and by whom"
OWN_SIGN_IN: Final = "how one signs in and has signed in oneself"
NOT_READS: Final = {
    "accounts.names.user_id_of": STAFF_OR_NOBODY,
    "accounts.products.products_in_force": STAFF_OR_NOBODY,
    "accounts.tariff.tariff": "what the bank tells everybody",
    "accounts.terms.yearly_interest": "a sum over a whole product",
    "book.backdating.limits": OF_THE_BOOK,
    "book.book_close.ahead": OF_THE_BOOK,
    "book.book_close.register": OF_THE_BOOK,
    "book.book_close.standing": OF_THE_BOOK,
    "book.journal.find_entry": "a number that was asked for by its own reference",
    "book.journal.ledger_accounts": STAFF_OR_NOBODY,
    "book.roots.publish_again": STAFF_OR_NOBODY,
    "book.seals.check_seals": STAFF_OR_NOBODY,
    "book.seals.seal": STAFF_OR_NOBODY,
    "counters.absences.left_drawer": CASH_OF_STAFF,
    "counters.branch_close.branch_day": CASH_OF_STAFF,
    "counters.branch_close.days": CASH_OF_STAFF,
    "counters.branch_limits.limits_of_branch": STAFF_OR_NOBODY,
    "counters.drawer_views.branch_cash": CASH_OF_STAFF,
    "counters.drawer_views.last_refusal": CASH_OF_STAFF,
    "counters.drawer_views.opening_rows": CASH_OF_STAFF,
    "counters.drawer_views.over_and_short": CASH_OF_STAFF,
    "counters.drawer_views.own_drawer": CASH_OF_STAFF,
    "counters.drawer_views.surprise_counts": CASH_OF_STAFF,
    "counters.drawers.own_state": CASH_OF_STAFF,
    "counters.prepared.notes_to_choose": STAFF_OR_NOBODY,
    "counters.remittance_views.preview_remittance": CASH_OF_STAFF,
    "counters.remittance_views.print_remittance": CASH_OF_STAFF,
    "counters.remittance_views.remittance": CASH_OF_STAFF,
    "counters.remittance_views.remittances_of": CASH_OF_STAFF,
    "counters.supervision.vouch": "its own act in the trail",
    "counters.tallies.denominations": STAFF_OR_NOBODY,
    "counters.vault_counts.vault_counts": CASH_OF_STAFF,
    "counters.vault_views.waiting_for_me": CASH_OF_STAFF,
    "core.outbox.deliver_waiting": "how many mails left",
    "core.outbox.messages": "a demo bank only, whose people are made up",
    "night.demo.seed": "how much was made up",
    "night.exports.export_journal": "its own act in the trail, before the first line leaves",
    "night.imports.import_books": "what its files hold, and its own acts in the trail",
    "night.integrity.checks": STAFF_OR_NOBODY,
    "night.integrity.run_check": "its own act in the trail",
    "night.integrity.run_checks": "its own acts in the trail",
    "night.integrity.verify": "its own acts in the trail",
    "night.reports.drill": "what `run` answers and records",
    "night.reports.reports_for": STAFF_OR_NOBODY,
    "office.approvals_together.approve_together": "each is looked at by side_by_side",
    "office.performance.own_work": "one's own acts, counted",
    "office.performance.work_of": STAFF_OR_NOBODY,
    "people.activations.activate": OWN_SIGN_IN,
    "people.activations.invitation": OWN_SIGN_IN,
    "office.scores.own_scores": "scores of one's own work, added up",
    "office.scores.scores_of": STAFF_OR_NOBODY,
    "counters.work_facts.own_facts": "one's own work, counted",
    "counters.work_facts.facts_of": STAFF_OR_NOBODY,
    "counters.work_facts.people": STAFF_OR_NOBODY,
    "office.queue.colleagues": STAFF_OR_NOBODY,
    "office.queue.owners": STAFF_OR_NOBODY,
    "office.queue.takers": STAFF_OR_NOBODY,
    "office.queue_lists.categories": STAFF_OR_NOBODY,
    "people.absences.absences": STAFF_OR_NOBODY,
    "people.absences.begin_absences": "its own act in the trail",
    "office.queue.look": "who else has the same item before their eyes",
    "office.queue.release_timed_out": "how many claims ran out",
    "office.queue_many.preview_claims": "which items, by their numbers, and who has them",
    "office.queue_many.preview_reassignments": "which items, by their numbers",
    "office.finds.find": "what one asked for oneself, and a reference one has",
    "office.notices.count_new": "how many, and nobody's data",
    "office.queue_many.undoable": "how many, and nobody's data",
    "office.approval_queue.commands_waiting": "which commands, and nobody's data",
    "office.approvals.keep_up": "answers nothing",
    "office.approval_cards.count_asked_back": "how many, and nobody's data",
    "office.approval_cards.count_for_me": "how many, and nobody's data",
    "office.approval_cards.count_to_decide": "how many, and nobody's data",
    "office.queue_lists.counts": STAFF_OR_NOBODY,
    "office.queue_lists.waiting_for_me": "how many, and nobody's data",
    "office.saved_views.views": STAFF_OR_NOBODY,
    "office.announcements.announced": STAFF_OR_NOBODY,
    "office.canned.replies": STAFF_OR_NOBODY,
    "office.canned.reply_history": STAFF_OR_NOBODY,
    "office.announcements.current": STAFF_OR_NOBODY,
    "office.dated_rules.changes": STAFF_OR_NOBODY,
    "office.dated_rules.form": STAFF_OR_NOBODY,
    "office.dated_rules.kinds": STAFF_OR_NOBODY,
    "office.dated_rules.preview": STAFF_OR_NOBODY,
    "office.dated_rules.rules": STAFF_OR_NOBODY,
    "office.holidays.closed_next": STAFF_OR_NOBODY,
    "office.holidays.holidays": STAFF_OR_NOBODY,
    "office.holidays.opening_hours": STAFF_OR_NOBODY,
    "office.ticket_imports.import_tickets": "its own acts in the trail",
    "office.ticket_files.check_files": "which files are missing or altered, not what is in them",
    "office.ticket_rests.longest_rest_days": STAFF_OR_NOBODY,
    "office.ticket_together.closing_words": STAFF_OR_NOBODY,
    "office.ticket_uploads.file_limits": STAFF_OR_NOBODY,
    "office.tickets.categories": STAFF_OR_NOBODY,
    "office.tickets.promised_days": STAFF_OR_NOBODY,
    "people.attempts.own_sign_ins": OWN_SIGN_IN,
    "people.branch_list.branch_overviews": STAFF_OR_NOBODY,
    "people.branches.branches": STAFF_OR_NOBODY,
    "people.confirmations.confirm": "the number of a confirmation",
    "people.confirmations.means": OWN_SIGN_IN,
    "people.credentials.change_password": OWN_SIGN_IN,
    "people.credentials.confirm_device": OWN_SIGN_IN,
    "people.credentials.backup_codes_left": OWN_SIGN_IN,
    "people.credentials.make_backup_codes": OWN_SIGN_IN,
    "people.credentials.own_proofs": OWN_SIGN_IN,
    "people.credentials.set_transaction_password": OWN_SIGN_IN,
    "people.customers.give_portal_access": "its own act in the trail",
    "people.demo.demo_codes": "a demo bank only, whose people are made up",
    "people.doors.turn_away": STAFF_OR_NOBODY,
    "people.grants.grants": STAFF_OR_NOBODY,
    "people.identity.add_staff": STAFF_OR_NOBODY,
    "people.leaving.leaving_reasons": STAFF_OR_NOBODY,
    "counters.drawers.states_of": STAFF_OR_NOBODY,
    "people.limits.limits_of": STAFF_OR_NOBODY,
    "people.limits.rules_for": STAFF_OR_NOBODY,
    "people.rights.rights": STAFF_OR_NOBODY,
    "people.rights.who_can": STAFF_OR_NOBODY,
    "people.sessions.own_sessions": OWN_SIGN_IN,
    "people.sign_in.choose_password": OWN_SIGN_IN,
    "people.sign_in.device_offer": OWN_SIGN_IN,
    "people.sign_in.enter_code": OWN_SIGN_IN,
    "people.sign_in.enter_password": OWN_SIGN_IN,
    "people.sign_in.unlock": OWN_SIGN_IN,
    "people.staff_list.employee": STAFF_OR_NOBODY,
    "people.staff_list.employee_history": STAFF_OR_NOBODY,
    "people.staff_list.employees": STAFF_OR_NOBODY,
}


def reads(market: Market) -> list[tuple[str, str]]:
    """What the trail says was read, oldest first."""
    rows = market.rows(
        "SELECT object_kind, object_id FROM trail WHERE outcome = 'read' ORDER BY id"
    )
    return [(row["object_kind"], row["object_id"]) for row in rows]


@pytest.mark.feature("B5")
def test_every_verb_that_looks_is_tried_here_or_excused() -> None:
    load_catalogue()
    looking_verbs = {
        name for name, verb in CATALOGUE.items()
        if verb.kind is not VerbKind.COMMAND and name.startswith(FLOORS)
    }  # fmt: skip
    assert not READS.keys() & NOT_READS.keys()
    assert looking_verbs == READS.keys() | NOT_READS.keys()


FLOORS: Final = ("core.", "book.", "people.", "office.", "accounts.", "counters.", "night.")


@pytest.mark.feature("B5", "A9.1")
@pytest.mark.parametrize("verb", READS)
def test_a_look_at_customer_data_is_recorded_once(used: Market, verb: str) -> None:
    call, kind = READS[verb]
    if verb in AFTER_THE_COUNT:
        used = counted(used)
    before = reads(used)
    call(used)
    first = reads(used)[len(before) :]
    assert kind in [kind_ for kind_, _ in first], first
    call(used)  # a rerun of the page
    assert reads(used)[len(before) :] == first


@pytest.mark.feature("B5")
def test_what_a_flow_looks_at_is_recorded_under_its_name(market: Market) -> None:
    name = f"{__name__}.look_inside"
    try:

        @flow(Permission.CASH_POST)
        def look_inside(desk: desks.Desk) -> None:
            """Look from inside a flow."""
            with looking(desk) as tx:
                tx.looked_at("customer", 4711)

        @desks.command(Permission.CASH_POST)
        def look_and_act(tx: desks.Tx) -> None:
            """Look in a command."""
            tx.looked_at("customer", 4712)

        look_inside(market.cashier)
        look_and_act(market.cashier)
        look_and_act(market.cashier)
    finally:
        CATALOGUE.pop(name, None)
        CATALOGUE.pop(f"{__name__}.look_and_act", None)
    found = market.rows("SELECT verb, object_id FROM trail WHERE outcome = 'read' ORDER BY id")
    assert [(row["verb"], row["object_id"]) for row in found] == [
        (name, "4711"),
        (f"{__name__}.look_and_act", "4712"),
    ]


@pytest.mark.feature("B5")
def test_many_who_look_at_the_same_moment_are_recorded_once(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    market.deposit("asha", 5_00)
    many = threading.Barrier(6)
    real = desks._record_reads

    def at_once(*given: Any) -> None:
        many.wait(30)
        real(*given)

    monkeypatch.setattr(desks, "_record_reads", at_once)
    with ThreadPoolExecutor(6) as pool:
        asked_ = [pool.submit(statements.last_lines, own_session(market)) for _ in range(6)]
        for each in asked_:
            each.result(60)
    found = reads(market)
    assert len(found) == len(set(found)) == 3


def own_session(market: Market) -> Any:
    """Asha's desk in her session."""
    return market.desks["asha"]


@pytest.mark.feature("B5", "A1.13")
def test_names_are_told_to_those_who_see_an_entry_of_the_account(used: Market) -> None:
    """Baner saw a transfer of Asha's, and nothing of Nila's."""
    here, there = used.desks["admin"], used.desks["admin_baner"]
    ids = [account_id(used, who) for who in ("asha", "vikram", "nila")]
    assert used.branch_ids[BANER] == there.branch_id != used.branch_ids[FORT]
    assert {holder for _, holder in names.names_for(here, (), ids).accounts.values()} == {
        "Asha Rao",
        "Vikram Shah",
        "Nila Das",
    }
    seen = names.names_for(there, (), ids).accounts
    # Hers by the transfer that arrived there.
    assert {holder for _, holder in seen.values()} == {"Vikram Shah", "Asha Rao"}
    read_record.recent.clear()
    outside = [account_id(used, "nila")]
    before = reads(used)
    assert names.names_for(there, (), outside).accounts == {}
    assert reads(used) == before
    assert len(names.names_for(used.desks["auditor"], (), ids).accounts) == 3
