"""A module imports only floors below its own and, on its own floor, modules to its left."""

import ast
from collections.abc import Iterable
from itertools import chain
from typing import Final

import pytest

from tests.house.source import imported, module_of, packages, parse, python_files

FLOORS: Final = {
    # Lowest floor first; on a floor, a module may use those to its left. A new module gets its
    # place here, in the same commit.
    "core": "errors texts money cells ids cookies clock states config documents db secrets"
    " audit permissions reads desk dated keys mail outbox hours search work_tables work_rows"
    " work_clocks work_rights work work_undo objections sights approval_rules checkers approvals"
    " approvals_now checked",
    "book": "chart kinds tables references drafts book_days known posting_sqlite"
    " posting_postgres ledger holds book_close backdating roots seals journal_search journal",
    "people": "fields doors rules tries passwords branches identity named_grants codes"
    " backup_codes sign_ins sessions presence attempts sign_in confirmations activations"
    " credentials customers customer_links away staff_list limit_rows staff staff_customers leaving"
    " absences grants limits users branch_list viewings rights demo kyc",
    "office": "trail narrowings queue_order queue_lists handed queue queue_many in_hand saved_views"
    " messages approval_rows approval_sight approval_risks approval_cards approval_queue"
    " approval_notices approval_mails approval_steps approvals approvals_together finds notices"
    " ticket_tables ticket_uploads ticket_sendings ticket_posts tickets ticket_waits canned"
    " ticket_desk ticket_undo ticket_moves ticket_related ticket_split ticket_rests"
    " ticket_together ticket_files ticket_imports performance scores announcements"
    " holidays rule_tables rule_kinds rule_changes dated_rules",
    "accounts": "products rate_card tariff interest instalments accounts holders terms card_terms"
    " names parties freezes charges papers account_search statement_lines statement_papers"
    " statements",
    "counters": "ticket_links customer_view cash_rules branch_limits branch_days tallies drawers"
    " slips drawer_cash taken_back handovers supervision counts vault absences remittances"
    " remittance_views vault_counts branch_close drawer_views vault_views exchanges impounded"
    " drawer_report receipts receipt_mails declarations window corrections"
    " prepared cash transfers fund_transfers fact_rows work_facts mandates clearing cheques cards"
    " bills forex loans deposits",
    "night": "journal_formats exports import_files import_rows import_report import_batches"
    " import_people import_entries imports reader feed guard currencies analytic_tables analytics"
    " report_files reports integrity schedules day_end demo_people demo_tills demo_clock"
    " demo_deeds demo_cash_deeds demo_rounds demo_tickets demo_stories demo_life demo_cashbook"
    " demo_scribe demo_staff demo",
    # Not a folder: what stands on top of the floors, directly in bank/.
    "": "app gate server web __main__",
}
PLACE: Final = {
    ".".join(filter(None, ("bank", floor, name))): (level, position)
    for level, (floor, names) in enumerate(FLOORS.items())
    for position, name in enumerate(names.split())
}
STREAMLIT_IN: Final = "bank.web"


def bank_modules_used(tree: ast.AST, module: str) -> set[tuple[int, str]]:
    """The modules of the bank a file imports, with the line: bank.book.ledger, bank.app."""
    used = set()
    for line, name in imported(tree, module):
        parts = name.split(".")
        if parts[0] == "bank" and len(parts) > 1:
            depth = 3 if parts[1] in FLOORS else 2
            if len(parts) >= depth:  # a floor alone is a docstring, see below
                used.add((line, ".".join(parts[:depth])))
    return used


def wrong_imports(module: str, tree: ast.AST) -> list[str]:
    """Imports of this module that lead up, to the right, or out of the house."""
    level, position = PLACE[module]
    wrong = []
    for line, other in sorted(bank_modules_used(tree, module)):
        where = f"{module}:{line}: {other}"
        if other not in PLACE:
            wrong.append(f"{where} has no place in FLOORS")
        elif PLACE[other][0] > level:
            wrong.append(f"{where} is on a floor above")
        elif PLACE[other][0] == level and PLACE[other][1] >= position:
            wrong.append(f"{where} is not to its left")
    for line, package in sorted(packages(tree)):
        if package in {"pages", "Home", "tests"}:
            wrong.append(f"{module}:{line}: the bank knows nothing of {package}")
        if package == "streamlit" and module != STREAMLIT_IN:
            wrong.append(f"{module}:{line}: only {STREAMLIT_IN} knows Streamlit")
    return wrong


def unplaced(modules: Iterable[str]) -> list[str]:
    """Modules that nobody gave a place."""
    return [module for module in modules if module not in PLACE]


def more_than_a_docstring(tree: ast.Module) -> bool:
    """Whether an __init__ says anything but what its folder is for."""
    return len(tree.body) != 1 or ast.get_docstring(tree) is None


MODULES: Final = {
    module_of(path): path for path in python_files("bank") if path.name != "__init__.py"
}


def test_every_module_has_its_place() -> None:
    assert unplaced(MODULES) == []


@pytest.mark.feature("A15.7")
def test_imports_lead_down_or_left() -> None:
    placed = {module: path for module, path in MODULES.items() if module in PLACE}
    assert [*chain(*(wrong_imports(module, parse(path)) for module, path in placed.items()))] == []


def test_a_floor_itself_holds_nothing() -> None:
    """Code in an __init__ would run for every module of the floor, before the first of them."""
    floors = [path for path in python_files("bank") if path.name == "__init__.py"]
    assert [module_of(path) for path in floors if more_than_a_docstring(parse(path))] == []


# The rules can fail.


@pytest.mark.parametrize(
    ("module", "code", "complaint"),
    [
        ("bank.people.customers", "from bank.counters import cash", "is on a floor above"),
        ("bank.people.customers", "import bank.counters.cash as cash", "is on a floor above"),
        ("bank.people.customers", "from ..counters.cash import deposit", "is on a floor above"),
        ("bank.people.customers", "from bank.people.kyc import file", "is not to its left"),
        ("bank.people.customers", "from . import kyc", "is not to its left"),
        ("bank.core.errors", "from bank.book.ledger import post", "is on a floor above"),
        ("bank.core.errors", "from bank import app", "is on a floor above"),
        ("bank.book.ledger", "def f():\n    from bank.app import x", "is on a floor above"),
        ("bank.book.ledger", "from bank.book import gold", "has no place in FLOORS"),
        ("bank.book.ledger", "import streamlit as st", "only bank.web knows Streamlit"),
        ("bank.book.ledger", "from pages.parts import ui", "knows nothing of pages"),
        ("bank.app", "from bank.web import app", "is not to its left"),
    ],
)
def test_a_wrong_import_is_found(module: str, code: str, complaint: str) -> None:
    assert any(complaint in line for line in wrong_imports(module, ast.parse(code)))


@pytest.mark.parametrize(
    ("module", "code"),
    [
        ("bank.people.customers", "from bank.people import branches, sessions"),
        ("bank.counters.cash", "from bank.book import ledger\nfrom bank.core.money import Money"),
        ("bank.web", "import streamlit as st\nfrom bank import app"),
        ("bank.core.desk", "import bank.core\nfrom bankers import tea"),
    ],
)
def test_a_right_import_is_left_alone(module: str, code: str) -> None:
    assert wrong_imports(module, ast.parse(code)) == []


def test_a_module_without_place_and_a_busy_floor_are_found() -> None:
    assert unplaced(["bank.book.ledger", "bank.book.gold"]) == ["bank.book.gold"]
    assert more_than_a_docstring(ast.parse('"""The book."""\nfrom bank.book import ledger'))
    assert more_than_a_docstring(ast.parse(""))
    assert not more_than_a_docstring(ast.parse('"""The book."""'))
